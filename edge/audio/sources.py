"""The interface of all sources, and the function that makes one from settings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from edge.audio.block import Block
from edge.audio.settings import AudioSettings, SourceKind


class Source(Protocol):
    """Anything that gives blocks of sound. The constructor opens nothing; `blocks` opens what it needs."""

    unhurried: bool
    """Set while longer blocks, which come later, are acceptable: every block wakes the processor up. A source
    may ignore it"""

    def blocks(self) -> Iterator[Block]:
        """Blocks of float32 mono at 16 kHz in [-1, 1], of any length; ends when the source ends by itself.

        To be called once.

        Raises:
            AudioError: when the source fails; the message says what is wrong, where, and what to do.
        """
        ...

    def close(self) -> None:
        """Ends `blocks()` promptly and releases everything, from any thread; may be called twice."""
        ...


def opening_s(source: Source) -> float:
    """Seconds for which a driver has been opening the source's device; 0 when none is being opened."""
    return float(getattr(source, "opening_s", 0.0))


def open_source(settings: AudioSettings) -> Source:
    """The source that the settings describe.

    Raises:
        AudioSettingsError: when its command cannot be split into words.
    """
    # Each kind is imported only when needed: a file needs no PyAudio, and a microphone no subprocess.
    match settings.source:
        case SourceKind.MICROPHONE:
            from edge.audio.microphone import MicrophoneSource  # noqa: PLC0415

            return MicrophoneSource(
                device=settings.device,
                rate=settings.device_rate,
                channel=settings.channel,
                buffer_s=settings.buffer_s,
                block_ms=settings.block_ms,
            )
        case SourceKind.FILE:
            from edge.audio.file_source import FileSource  # noqa: PLC0415

            return FileSource(
                settings.path or "",
                realtime=settings.realtime,
                channel=settings.channel,
                block_ms=settings.block_ms,
            )
        case SourceKind.STDIN:
            from edge.audio.stdin import StdinSource  # noqa: PLC0415

            return StdinSource(
                rate=settings.rate,
                channels=settings.channels,
                channel=settings.channel,
                block_ms=settings.block_ms,
            )
        case SourceKind.COMMAND:
            from edge.audio.command import CommandSource  # noqa: PLC0415

            return CommandSource(
                settings.command or "",
                rate=settings.rate,
                channels=settings.channels,
                channel=settings.channel,
                buffer_s=settings.buffer_s,
                block_ms=settings.block_ms,
            )
