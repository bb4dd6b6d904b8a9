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
        "Networks with one branch on the MFCCs alone (`pitch = false` under `[frontend]`), and with pitch and voicing besides. "
        "Those with pitch were also trained for longer: that of P7 for 3,200 batches instead of 1,600, and where the command "
        "names `average.toml`, in a second half.",
    ),
    "turns": Comparison(
        "Where speech begins and ends",
        "Of each recording, from the first to the last moment that is louder than the rest, and now from the first to the last turn that "
        "the daemon would find in it ([design.md](design.md#the-models-path)). By level alone, noise before and after the words counts as "
        "speech. Of P8 and P10, only the second half of the training heard recordings cut the new way.",
    ),
    "views": Comparison(
        "Four views of each window",
        "The same trained networks, asked once per window and asked four times: with the mel axis stretched by another factor, "
        "and one frame later, each time ([design.md](design.md#why-some-networks-are-asked-four-times)). The views were chosen on validation "
        "speakers of folds 1, 2, 3 and 5.",
    ),
    "averaged": Comparison(
        "A second half whose weights are averaged",
        "The networks of ravdess.toml, and the average of their weights before and after 800 more batches (`average.toml`). "
        "Validation speakers favoured it; no difference below is more than chance.",
    ),
    "known_voices": Comparison(
        "Tried and not taken: a second half for known voices",
        "P7 by song.toml, and after P1's second half, averaged weights and four views (`average.toml`). Both are meant for "
        "unheard voices, and P7's speakers are heard in training. The plain recipe was kept once both figures were known, so its "
        "own may flatter.",
    ),
    "wide_masks": Comparison(
        "Tried and not taken: wide masks",
        "Two masks of up to 40 frames and two of up to 10 mel bands, instead of one of 25 frames and one of 5 bands; P1 with twice as many "
        "batches, and with averaged weights (`average.toml`). Folds 1 and 2 of both protocols, which decided, gained; the others lost "
        "as much.",
    ),
    "one_emotion": Comparison(
        "No history for speakers of one emotion",
        "Training simulates what the device may have heard of a voice before. For 26 of URDU's 29 speakers that is always the same emotion, "
        "and a turn relative to it has little left. With `one_emotion = false` (under `[history]`), speakers with more "
        "than three quarters of their clips in one emotion get no history in training, and do not count in the spread of voices. URDU by itself "
        "is better without this. The joint networks use it, because the validation speakers of P8's folds 1 and 2 were slightly better with it. "
        "Both commands name folds.toml: the setting is younger than these networks, and those with `false` are of a commit at which "
        "it was fixed.",
        ("all have a history", "`one_emotion = false`"),
    ),
    "balanced_speakers": Comparison(
        "Tried and not taken: balanced speakers for URDU",
        "The 29 speakers have from 2 to 80 clips. The plain recipe, and one in which speakers with few clips are heard more often "
        "(`speaker_balance = 0.6`). Validation speakers, 200 clips of all folds, favoured it. Both sides have `one_emotion = false`.",
    ),
    "teachers": Comparison(
        "Tried and not taken: teachers",
        "Networks that learn from the labels, and networks that learn more from the answers of two teachers of the same fold, one of "
        "ravdess.toml and one of teacher.toml (`taught.toml`).",
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
        "in percent, of one seed: a point or two are chance"
        if least == 1
        else f"in percent, mean of {least} seeds"
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
