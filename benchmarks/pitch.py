"""Pitch trackers on the same sounds: how far they are from the truth and from one another, at what cost.

    pip install librosa praat-parselmouth
    python -m benchmarks.pitch --corpus manifest=CLIPS.csv [--json [PATH]]

The pitch of made voices is known. That of real speech is not: Praat's pitch of the clean clip stands in for
it. A tracker that is not installed is left out; without Praat, so is the comparison on speech.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.one_core import describe_machine, stay_on_one_core
from benchmarks.pitch_sounds import Known, chosen, made_voices
from benchmarks.pitch_trackers import (
    CONFIG,
    PEERS,
    RATE,
    Signal,
    Track,
    Tracker,
    moments,
    ours,
    ours_in_blocks,
)
from edge.frontend.mfcc import StreamingMfcc
from training.corpora import read_corpus
from training.noise import KINDS, add_noise

RESULT = Path(__file__).parent / "results" / "pitch.json"

OURS, REFERENCE = "affectd", "Praat"
MADE, SPEECH = "made voices", "speech, compared with Praat on the clean clip"
PAIRS = "affectd, compared with each on the same speech"
CONDITIONS: dict[str, float | None] = {"clean": None, "10 dB": 10.0, "0 dB": 0.0}

METHOD = """\
Every tracker gets the same samples and searches 65 to 600 Hz every 10 ms; all else is its default. A frame
counts as voiced: for ours from a voicing of 0.5, for Praat from its strength of 0.45, for pYIN by its own
flag; YIN does not say, so all its frames count as voiced. A frame is compared with the peer's frame that is
nearest in time to the middle of the sound that ours covers.
gross: of the frames that both call voiced, the share in which the pitch is off by more than 20 %.
octave: of the same frames, the share in which it is off by an octave, give or take a quarter of an octave.
cents: median distance in the frames without a gross error.
voicing: share of frames in which both agree whether there is a voice.
The truth is the known pitch of made voices, or Praat's pitch of the clean clip. The noise is synthetic: pink
noise, hum or music, in turn from clip to clip; the ratio is that of the mean powers during the speech. Music
has pitches of its own. Processor time is for clean clips, all on one core, one thread, one clip at a time."""


class Tally:
    """Counts how far a track agrees with another one."""

    def __init__(self) -> None:
        self._frames = self._alike = self._both = self._gross = self._octave = 0
        self._says = True
        self._cents: list[NDArray[np.float64]] = []

    def add(self, track: Track, truth: Track, counts: NDArray[np.bool_]) -> None:
        """Add one sound: a track and the one taken for the truth, in the frames that count."""
        said, true = track.voiced, truth.voiced
        if said is None or true is None:
            self._says = False
            said = true = said if true is None else true
        if said is None or true is None:
            raise ValueError("neither of the two trackers says which frames are voiced")
        both = said & true & counts
        off = np.abs(np.log2(track.hertz[both] / truth.hertz[both]))
        gross = off > np.log2(1.2)
        self._frames += int(counts.sum())
        self._alike += int(((said == true) & counts).sum())
        self._both += int(both.sum())
        self._gross += int(gross.sum())
        self._octave += int((np.abs(off - 1.0) < 0.25).sum())
        self._cents.append(1_200.0 * off[~gross])

    def figures(self) -> dict[str, float | int | None]:
        """See `METHOD`."""
        cents = np.concatenate(self._cents)
        return {
            "gross": round(self._gross / max(1, self._both), 4),
            "octave": round(self._octave / max(1, self._both), 4),
            "cents": round(float(np.median(cents)), 1) if cents.size else None,
            "voicing": round(self._alike / max(1, self._frames), 4) if self._says else None,
            "frames": self._both,
        }


Tallies = dict[str, dict[str, dict[str, Tally]]]
"""By the truth that is compared with, the tracker, and the condition"""


def compare(sounds: Sequence[Known], trackers: dict[str, Tracker], tallies: Tallies, truth: str) -> None:
    """Compare all trackers with the truth of each sound, and ours with each peer on the same sound."""
    for number, sound in enumerate(sounds):
        kind = list(KINDS)[number % len(KINDS)]
        for condition, snr_db in CONDITIONS.items():
            heard, places = sound.samples, [condition]
            if snr_db is not None:
                noise = KINDS[kind](len(heard), np.random.default_rng(number))
                heard, places = add_noise(heard, noise, snr_db), [condition, f"{kind} {condition}"]
            tracks = {name: track(heard) for name, track in trackers.items()}
            for place in places:
                for name, track in tracks.items():
                    tallies[truth][name][place].add(track, sound.truth, sound.counts)
                    if name != OURS and truth == SPEECH:
                        tallies[PAIRS][name][place].add(tracks[OURS], track, sound.counts)


def costs(clips: Sequence[Signal], trackers: dict[str, Tracker]) -> dict[str, dict[str, float]]:
    """Milliseconds of processor time per second of sound, and as a multiple of ours."""
    contenders: dict[str, Callable[[Signal], object]] = {
        **trackers,
        "affectd, half a second at once": ours_in_blocks,
        "affectd's MFCCs without pitch": lambda signal: StreamingMfcc(CONFIG.replace(pitch=False)).push(
            signal
        ),
    }
    took: dict[str, float] = dict.fromkeys(contenders, 0.0)
    for name, contender in contenders.items():
        contender(clips[0])  # compiles code and makes tables, once
        for clip in clips:
            begun = time.process_time()
            contender(clip)
            took[name] += time.process_time() - begun
    seconds = sum(map(len, clips)) / RATE
    return {
        name: {"ms_per_s": round(1_000.0 * value / seconds, 3), "times_ours": round(value / took[OURS], 2)}
        for name, value in took.items()
    }


def available() -> dict[str, Tracker]:
    """Ours, and the peers that are installed."""
    trackers: dict[str, Tracker] = {OURS: ours}
    for name, (package, make) in PEERS.items():
        try:
            trackers[name] = make()
        except ImportError:
            print(f"{package} is not installed: leaving out {name}", file=sys.stderr)
    return trackers


def spoken(clips: Sequence[Signal], reference: Tracker) -> list[Known]:
    """Clips, with the reference tracker's pitch as the truth."""
    return [
        Known(samples, reference(samples), np.ones(len(moments(len(samples))), np.bool_)) for samples in clips
    ]


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.pitch", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("--corpus", required=True, metavar="KIND=PLACE", help="as for affectd-train")
    parser.add_argument(
        "--each", type=int, default=6, help="clips of each corpus and sex (default: %(default)s)"
    )
    parser.add_argument("--voices", type=int, default=12, help="made voices (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", nargs="?", type=Path, const=RESULT, help="also write JSON (to %(const)s)")
    args = parser.parse_args(argv)
    stay_on_one_core("benchmarks.pitch")
    kind, _, place = args.corpus.partition("=")
    rng = np.random.default_rng(args.seed)
    clips = list(chosen(read_corpus(kind, Path(place)).clips, args.each, rng))
    signals = [samples for _, samples in clips]
    trackers = available()
    tallies: Tallies = defaultdict(lambda: defaultdict(lambda: defaultdict(Tally)))
    compare(list(made_voices(args.voices, rng)), trackers, tallies, MADE)
    if REFERENCE in trackers:
        compare(spoken(signals, trackers[REFERENCE]), trackers, tallies, SPEECH)
    result: dict[str, Any] = {
        "machine": describe_machine(("numpy", *dict.fromkeys(package for package, _ in PEERS.values()))),
        "method": METHOD,
        "seed": args.seed,
        "clips": len(clips),
        "seconds": round(sum(map(len, signals)) / RATE, 1),
        "corpora": sorted({clip.corpus for clip, _ in clips}),
        "made_voices": args.voices,
        "cost": costs(signals, trackers),
        "agreement": {
            truth: {n: {c: t.figures() for c, t in by.items()} for n, by in rows.items()}
            for truth, rows in tallies.items()
        },
    }
    if args.json:
        args.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print("\n".join(tables(result)))
    return 0


def tables(result: dict[str, Any]) -> Iterator[str]:
    """Markdown: a table for each truth with a row for each tracker, and a table of the costs."""
    places = [
        "clean",
        *(f"{kind} {c}" for kind in KINDS for c, snr_db in CONDITIONS.items() if snr_db is not None),
    ]
    for truth, rows in result["agreement"].items():
        shown = list(CONDITIONS) if truth == PAIRS else places
        yield "| " + " | ".join([truth, *shown]) + " |"
        yield "|" + "---|" * (1 + len(shown))
        for name, by in rows.items():
            yield "| " + " | ".join([name, *(_cell(by[place]) for place in shown)]) + " |"
        yield ""
    yield "| | ms of processor time per second of sound | times affectd's |"
    yield "|---|---|---|"
    for name, cost in result["cost"].items():
        yield f"| {name} | {cost['ms_per_s']:.2f} | {cost['times_ours']:.1f} |"


def _cell(figures: dict[str, Any]) -> str:
    voicing = "–" if figures["voicing"] is None else f"{100.0 * figures['voicing']:.0f}"
    return f"{100.0 * figures['gross']:.1f} / {voicing}"


if __name__ == "__main__":
    sys.exit(main())
