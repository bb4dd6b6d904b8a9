"""Standard input as a source, so that `arecord ... | affectd run` and `cat clip.wav | affectd ...` work."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

from edge.audio.block import Block
from edge.audio.errors import StdinUnavailableError
from edge.audio.pcm import PcmStream
from edge.audio.settings import Channel
from edge.audio.stoppable_reader import StoppableReader

_REMEDY = (
    "pipe sound into it, for example: arecord -q -f S16_LE -r 16000 -c 1 -t raw | affectd ..., or choose "
    "another source"
)


class StdinSource:
    """Reads 16-bit little-endian PCM, or WAV when the bytes begin with its header, from standard input.

    No sound is dropped: a slow consumer holds up the writing program.

    Args:
        rate: Hertz of raw PCM.
        channels: Interleaved channels of raw PCM.
        channel: Which channel to keep, or "mix".
        block_ms: Milliseconds of sound in a block, at most.
    """

    def __init__(
        self, *, rate: int = 16_000, channels: int = 1, channel: Channel = "mix", block_ms: int = 20
    ) -> None:
        self.unhurried = False
        self._reader = StoppableReader()
        self._stream = PcmStream(
            "standard input", rate=rate, channels=channels, channel=channel, block_ms=block_ms
        )

    def blocks(self) -> Iterator[Block]:
        """The blocks of standard input, once, until it ends.

        Raises:
            StdinUnavailableError: standard input is closed or a terminal.
            EmptyAudioError: it ended without any sound.
            AudioFormatError: it carries FLAC, MP3 or another format that needs a decoder.
            DamagedAudioError: its WAV header is invalid.
            AudioSettingsError: the sound has no such channel.
        """
        try:
            if self._reader.stopped:
                return
            descriptor = _stdin_descriptor()
            while (chunk := self._read(descriptor)) is not None:
                if not chunk[1]:
                    yield from self._stream.finish()
                    return
                yield from self._stream.push(chunk[1])
        finally:
            self.close()

    def _read(self, descriptor: int) -> tuple[int, bytes] | None:
        n_bytes, gather_s = self._stream.to_ask_for(self.unhurried)
        return self._reader.read([descriptor], n_bytes, gather_s=gather_s)

    def close(self) -> None:
        """Ends `blocks()`, from any thread, and leaves standard input open; a second call does nothing."""
        self._reader.stop()


def _stdin_descriptor() -> int:
    try:
        descriptor = sys.stdin.buffer.fileno()
    except (AttributeError, OSError, ValueError):
        # sys.stdin may be None (service manager), an object without a descriptor, or closed.
        raise StdinUnavailableError(f"standard input is closed; {_REMEDY}") from None
    if os.isatty(descriptor):
        raise StdinUnavailableError(f"standard input is a terminal; {_REMEDY}")
    return descriptor
