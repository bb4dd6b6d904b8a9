"""The settings of the sound source."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal, TypeAlias

import msgspec

from edge.audio.errors import AudioSettingsError

Channel: TypeAlias = Literal["mix"] | Annotated[int, msgspec.Meta(ge=0)]
"""The mean of all channels, or the index of the one to listen to, from 0"""

MIN_RATE, MAX_RATE = 1_000, 768_000
"""Range of sample rates in hertz; anything else is a mistake or a damaged header"""

MAX_CHANNELS = 64


class SourceKind(StrEnum):
    """The kinds of source."""

    MICROPHONE = "microphone"
    """An input device of this machine, through PyAudio"""

    FILE = "file"
    """A sound file"""

    STDIN = "stdin"
    """Raw 16-bit PCM or WAV on standard input"""

    COMMAND = "command"
    """Raw 16-bit PCM or WAV from a program, such as arecord"""


class AudioSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of the sound source.

    Raises:
        AudioSettingsError: at construction, when the settings contradict each other;
            msgspec turns it into its ValidationError when it decodes.
    """

    source: SourceKind = SourceKind.MICROPHONE

    device: str | None = None
    """Name of the input device, or a part of it that is unique; None: the system's default"""

    device_rate: int | None = None
    """Sample rate in hertz to open the input device at; None: the device's own"""

    path: str | None = None
    """The sound file of the file source"""

    realtime: bool = False
    """Whether the file source gives its blocks in real time, as a microphone would"""

    command: str | list[str] | None = None
    """Program and arguments of the command source, e.g. "arecord -q -f S16_LE -r 16000 -c 1 -t raw";
    a string is split into words, but no shell runs it"""

    rate: int = 16_000
    """Sample rate in hertz of raw PCM from stdin or a command; a WAV header overrides it"""

    channels: int = 1
    """Interleaved channels of raw PCM from stdin or a command; a WAV header overrides it"""

    channel: Channel = "mix"

    buffer_s: float = 4.0
    """Seconds of sound kept for a slow consumer before the oldest is dropped (microphone) or the program
    is held up (command)"""

    block_ms: int = 64
    """Most milliseconds of sound in one block while somebody speaks; otherwise two to three times as much is
    read at once. Waking up for a block costs more than processing it: shorter blocks take more processor
    time, and results come earlier by the difference"""

    gain_db: float = 0.0
    """Fixed gain in decibels that is applied to the sound; anything beyond full scale is clipped"""

    reopen_s: float = 60.0
    """Seconds for which attempts are made to reopen a microphone or command that has failed, at growing
    intervals; then the process ends with exit code 69. Where `keep_trying` holds, it ends only if the driver
    does not let go of the old device, because it would then never find a new one"""

    keep_trying: bool | None = None
    """Whether attempts to open a microphone or command that is missing, busy or failing go on, even if it has
    never given sound, and the process ends only every six hours, to be started afresh; None: yes as a service
    of systemd, otherwise no. One that ends every minute is online and offline by turns"""

    reopen_on_zeros: bool | None = None
    """Whether to reopen also after 1.5 s of nothing but digital silence; None: yes for a microphone, no for a
    command, which may be playing a recording with silence in it"""

    start_muted: bool = False
    """Whether every start is muted: the source is not opened until the command `unmute`"""

    def __post_init__(self) -> None:
        rules = (
            (self.source is not SourceKind.FILE or bool(self.path),
             'source is "file" but path is not set; set path to the sound file'),
            (self.source is not SourceKind.COMMAND or bool(self.command),
             'source is "command" but command is not set; set it, for example to '
             '"arecord -q -f S16_LE -r 16000 -c 1 -t raw"'),
            (self.device is None or bool(self.device.strip()),
             "device is empty; name an input device (affectd devices), or leave it out for the default"),
            (MIN_RATE <= self.rate <= MAX_RATE,
             f"rate is {self.rate} Hz; it must be {MIN_RATE} to {MAX_RATE}"),
            (self.device_rate is None or MIN_RATE <= self.device_rate <= MAX_RATE,
             f"device_rate is {self.device_rate} Hz; it must be {MIN_RATE} to {MAX_RATE}"),
            (1 <= self.channels <= MAX_CHANNELS,
             f"channels is {self.channels}; it must be 1 to {MAX_CHANNELS}"),
            (self.channel == "mix" or self.channel >= 0,
             f'channel is {self.channel!r}; it must be "mix" or an index from 0'),
            (0.1 <= self.buffer_s <= 60.0, f"buffer_s is {self.buffer_s}; it must be 0.1 to 60 seconds"),
            (1 <= self.block_ms <= 1_000, f"block_ms is {self.block_ms}; it must be 1 to 1000"),
            (self.block_ms <= 500.0 * self.buffer_s,
             f"block_ms {self.block_ms} is more than half of buffer_s {self.buffer_s}; shorten the blocks"),
            (-60.0 <= self.gain_db <= 60.0, f"gain_db is {self.gain_db}; it must be -60 to 60 dB"),
            (1.0 <= self.reopen_s <= 86_400.0,
             f"reopen_s is {self.reopen_s}; it must be 1 to 86400 seconds"),
        )  # fmt: skip
        for holds, message in rules:
            if not holds:
                raise AudioSettingsError(message)

    @property
    def reopens_on_zeros(self) -> bool:
        """Whether lasting digital silence is a reason to reopen the source."""
        if self.reopen_on_zeros is None:
            return self.source is SourceKind.MICROPHONE
        return self.reopen_on_zeros
