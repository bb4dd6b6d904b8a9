"""The table of the ablation: what each lever of the recipe is worth."""
# ruff: noqa: E501  # lines of Markdown

from __future__ import annotations

from pathlib import Path
from typing import Any

from training.report.results import points
from training.report.words import TITLES


def levers(made: dict[str, Any]) -> str:
    """The section of the page, from what `affectd-train ablate` has written."""
    folds = "all folds" if made["folds"] is None else f"folds {', '.join(made['folds'])}"
    missing = made["variants"] + 1 - len(made["rows"])
    lines = [
        "## What each lever is worth\n",
        f"{_recipe(made)} as it is, and with one change at a time, on {made['protocol']} ({TITLES[made['protocol']]}), "
        f"{folds}, {made['seeds']} seed(s), judged on {made['validation_speakers']} validation speakers taken out of the "
        "training folds. Gains are means over folds and seeds against the recipe as it is, in points; the spread is their standard "
        "deviation. A gain that is small against its spread is chance. The figures of the test speakers are for information, not to "
        f"choose by. `{made['command']}` at {made['commit'] or 'an unknown commit'}"
        + (f"; **not measured yet: {missing}**" if missing else "")
        + ".\n",
        "| change | validation UAR | gain | spread | test UAR int8 | gain | spread | parameters |",
        "|---|---|---|---|---|---|---|---|",
    ]
    lines += [_row(row) for row in made["rows"]]
    return "\n".join(lines) + "\n"


def _recipe(made: dict[str, Any]) -> str:
    """In words, with what every variant has in common."""
    name = f"The recipe {Path(made['recipe']).stem}.toml" if made["recipe"] else "The built-in recipe"
    changes = ", ".join(_assigned(made["change"]))
    return f"{name} (`{changes}`)" if changes else name


def _assigned(change: dict[str, Any], table: str = "") -> list[str]:
    """Each value as TOML assigns it, such as network.temporal = 0."""
    return [
        line
        for key, value in change.items()
        for line in (
            _assigned(value, f"{table}{key}.") if isinstance(value, dict) else [f"{table}{key} = {value}"]
        )
    ]


def _row(row: dict[str, Any]) -> str:
    cells = [row["name"]]
    for kind in ("validation", "test"):
        cells += [
            points(row[f"{kind}_uar"]),
            _signed(row.get(f"{kind}_gain")),
            points(row.get(f"{kind}_spread")),
        ]
    return f"| {' | '.join(cells)} | {row['parameters']:,} |"


def _signed(gain: float | None) -> str:
    return "–" if gain is None else f"{100 * gain:+.1f}"
