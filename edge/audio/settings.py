"""Where the sound comes from: every setting of the audio room."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal, TypeAlias

import msgspec

from edge.audio.errors import AudioSettingsError

Channel: TypeAlias = Literal["mix"] | Annotated[int, msgspec.Meta(ge=0)]
"""The mean of all channels, or the index of the one to listen to, from 0"""

MIN_RATE, MAX_RATE = 1_000, 768_000
"""Hertz that are taken for a sample rate; anything else is a mistake or a damaged header"""

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
    """Name of the input device, or a part of it that no other has; None: the system's default"""

    device_rate: int | None = None
    """Hertz to open the input device at; None: the device's own"""

    path: str | None = None
    """The sound file of the file source"""

    realtime: bool = False
    """The file source gives its blocks at the pace of the clock, as a microphone would"""

    command: str | list[str] | None = None
    """Program and arguments of the command source, e.g. "arecord -q -f S16_LE -r 16000 -c 1 -t raw";
    a string is split into words, and no shell sees it"""

    rate: int = 16_000
    """Hertz of raw PCM from stdin or a command; a WAV header overrides it"""

    channels: int = 1
    """Interleaved channels of raw PCM from stdin or a command; a WAV header overrides it"""

    channel: Channel = "mix"

    buffer_s: float = 4.0
    """Seconds of sound kept for a slow consumer before the oldest is dropped (microphone) or the program
    is held up (command)"""

    block_ms: int = 64
    """Milliseconds of sound in one block while somebody speaks, at most; two to three such are taken at once
    while nobody does. To wake up for a block costs more than to hear it: shorter ones take more of the
    processor, and results come earlier by the difference"""

    gain_db: float = 0.0
    """Decibels by which the sound is made louder, always the same; what goes beyond full scale is clipped"""

    reopen_s: float = 60.0
    """Seconds for which a microphone or command that has failed is opened again and again, ever more rarely;
    then the process ends with 69, for systemd to restart"""

    reopen_on_zeros: bool | None = None
    """Also when it gives nothing but digital silence for 1.5 s; None: a microphone yes, a command no, which
    may be playing a recording with silence in it"""

    start_muted: bool = False
    """Do not open the source before somebody says unmute, at every start"""

    def __post_init__(self) -> None:
        rules = (
            (self.source is not SourceKind.FILE or bool(self.path),
             'source is "file" and path is not set; set path to the sound file'),
            (self.source is not SourceKind.COMMAND or bool(self.command),
             'source is "command" and command is not set; set it, for instance to '
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
        """Whether digital silence that lasts is a reason to open the source again."""
        if self.reopen_on_zeros is None:
            return self.source is SourceKind.MICROPHONE
        return self.reopen_on_zeros
