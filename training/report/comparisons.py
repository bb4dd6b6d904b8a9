"""Results that were made to be compared: without one thing and with it, and what came of it."""
# ruff: noqa: E501  # lines of Markdown

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from training.report.results import Result, best, points, read_folder

FOLDER = "comparisons"
"""Within the results, with a folder for each name below, and in that one `without` and one `with`"""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What one of them is about."""

    title: str
    words: str
    """What differs, and why that is worth looking at"""

    sides: tuple[str, str] = ("without", "with")
    """The columns"""


COMPARISONS = {
    "pitch": Comparison(
        "What pitch is worth",
        "Networks of one branch that see the MFCCs alone (`pitch = false` under `[frontend]`), and such as see pitch and voicing beside "
        "them. Those with pitch were trained for longer, too: that of P7 for 3,200 batches instead of 1,600, "
        "and where the command names `average.toml`, for a second half besides.",
    ),
    "turns": Comparison(
        "Where speech begins and ends",
        "Of a recording, what was louder than the rest of it was judged, from first to last; now it is what the daemon would have taken for "
        "its turns ([design.md](design.md#the-models-path)). Noise that begins before the words and ends behind them was taken for speech. Of P8 "
        "and P10, only the second half of the training has heard recordings cut in the new way.",
    ),
    "views": Comparison(
        "Four views of each window",
        "The same trained networks, asked once for each window and asked four times, with the mel axis stretched and a frame later each "
        "([design.md](design.md#why-some-networks-are-asked-four-times)). The views were chosen by validation speakers of folds 1, 2, 3 and 5.",
    ),
    "averaged": Comparison(
        "A second half whose weights are averaged",
        "The networks of ravdess.toml as they are, and the middle between them and what they are after 800 batches more (`average.toml`). "
        "Validation speakers had spoken for it; no row below is more than chance.",
    ),
    "wide_masks": Comparison(
        "Tried and not taken: wide masks",
        "Two masks of up to 40 frames and two of up to 10 mel bands in place of one of 25 and one of 5, P1 for twice as many "
        "batches, and the middle of a second half kept (`average.toml`). Folds 1 and 2 of both, by which it was judged, gained; the "
        "others lost as much.",
    ),
    "one_emotion": Comparison(
        "No history for speakers of one emotion",
        "Training draws what the device may have heard of a voice before. Relative to a speaker's other turns, which for 26 of URDU's 29 speakers are all of the same "
        "emotion, little of it should be left. So with `one_emotion = false` (under `[history]`) speakers with more than three quarters of their clips in one emotion have no history "
        "in training and no say in the spread of voices. URDU by itself is better off with both. The joint networks go without: the validation speakers of P8's folds 1 and 2 "
        "were a little better off so. Both commands name folds.toml: the choice is younger than these networks, of which those with `false` are of a commit at which it was the rule.",
        ("all have a history", "`one_emotion = false`"),
    ),
    "balanced_speakers": Comparison(
        "Tried and not taken: balanced speakers for URDU",
        "29 speakers have from 2 to 80 clips. Beside the plain recipe, one that lets those with few be heard more often "
        "(`speaker_balance = 0.6`). Validation speakers, 200 clips of all folds, had spoken for it. Both sides have `one_emotion = false`.",
    ),
    "teachers": Comparison(
        "Tried and not taken: teachers",
        "A network that learns more from the answers of two others than from the labels (`taught.toml`): its teachers, of the same "
        "fold, are of ravdess.toml and teacher.toml.",
    ),
}


def say_comparisons(results: Path) -> list[str]:
    """Each comparison of which both sides are there, as Markdown.

    Args:
        results: folder of the results, `comparisons/` within it.
    """
    said = []
    for name, comparison in COMPARISONS.items():
        place = results / FOLDER / name
        with_it = read_folder(place / "with")
        rows = _differences(read_folder(place / "without"), with_it)
        if rows:
            said.append(
                f"## {comparison.title}\n\n{comparison.words} UAR int8 {_seeds(with_it)}; the results in "
                f"`benchmarks/results/accuracy/{FOLDER}/{name}/` name command and commit.\n\n"
                f"| result | {comparison.sides[0]} | {comparison.sides[1]} | difference |\n|---|---|---|---|\n"
                + "\n".join(rows)
                + "\n"
            )
    return said


def _seeds(results: Sequence[Result]) -> str:
    """Over how many seeds, and so how sure a difference is."""
    least = min(len(r["seeds"]) for r in results)
    return (
        "of one seed in points, of which one or two are chance"
        if least == 1
        else f"in points, mean of {least} seeds"
    )


def _differences(without: Sequence[Result], with_it: Sequence[Result]) -> list[str]:
    """A row of the table for each result that is in both."""
    known = {(r["protocol"], r["form"]): best(r)["uar"] for r in without}
    rows = []
    for r in with_it:
        before, now = known.get((r["protocol"], r["form"])), best(r)["uar"]
        if before is not None:
            cells = (points(before), points(now), f"{100 * (now - before):+.1f}")
            rows.append(f"| {r['protocol']} {r['form']} | {' | '.join(cells)} |")
    return rows
