"""Compares a recogniser's turns with the known turns of streams: those it found, missed, and made up."""

from __future__ import annotations

from dataclasses import dataclass, field

from edge.audio.settings import AudioSettings
from edge.inference.recognizer import Recognizer, TurnResult
from edge.inference.turns import TurnSettings
from training.noises import RATE
from training.streams import Spoken, Stream

_BLOCK = RATE * AudioSettings().block_ms // 1000
_OVERLAP = 0.5
"""A turn is found when its overlap with a result is at least this share of the length of both together"""


@dataclass(slots=True)
class Heard:
    """What the recogniser found in some streams."""

    found: list[tuple[Spoken, TurnResult]] = field(default_factory=list)
    missed: int = 0
    false: int = 0
    delays_ms: list[float] = field(default_factory=list)
    """From the end of the speech to the result, in audio time"""

    seconds: float = 0.0

    @property
    def f1(self) -> float:
        """Harmonic mean of the share of turns found (recall) and the share of results that are turns."""
        return _f1(len(self.found), self.missed, self.false)

    def f1_without(self, part: Heard) -> float:
        """The same without the streams of `part`, which are among these."""
        return _f1(len(self.found) - len(part.found), self.missed - part.missed, self.false - part.false)


def hear(recognizer: Recognizer, stream: Stream, into: Heard) -> None:
    """Run a stream through the recogniser, in a microphone's blocks, and add what it heard to `into`."""
    recognizer.reset()
    results: list[tuple[TurnResult, int]] = []
    for start in range(0, len(stream.samples), _BLOCK):
        for event in recognizer.push(stream.samples[start : start + _BLOCK]):
            if isinstance(event, TurnResult):
                results.append((event, recognizer.samples))
    results += [(e, recognizer.samples) for e in recognizer.flush() if isinstance(e, TurnResult)]
    into.seconds += stream.seconds
    taken: set[int] = set()
    for turn in stream.turns:
        best = max(
            (i for i in range(len(results)) if i not in taken),
            key=lambda i: _overlap(turn, results[i][0]),
            default=None,
        )
        if best is None or _overlap(turn, results[best][0]) < _OVERLAP:
            into.missed += 1
            continue
        taken.add(best)
        result, told_at = results[best]
        into.found.append((turn, result))
        into.delays_ms.append(1000.0 * (told_at - turn.end) / RATE)
    into.false += len(results) - len(taken)


def _overlap(turn: Spoken, result: TurnResult) -> float:
    """Common length over the length of both together; the hangover at the result's end does not count."""
    hangover = round(TurnSettings().hangover_s * RATE)
    start, end = result.start, max(result.start + 1, result.end - hangover)
    common = min(turn.end, end) - max(turn.start, start)
    return max(0, common) / (max(turn.end, end) - min(turn.start, start))


def _f1(found: int, missed: int, false: int) -> float:
    return 2 * found / max(1, 2 * found + missed + false)
