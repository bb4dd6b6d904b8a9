"""The table in docs/boards.md, made from benchmarks/results/board_load.json."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PAGE = Path(__file__).resolve().parents[2] / "docs" / "boards.md"
_PLACE = re.compile(r"(<!-- board_load[^\n]*-->\n).*?(<!-- /board_load -->)", re.DOTALL)
_SLOW = 0.5
"""Instructions per cycle in a bad case: the caches of a small core, and an interpreter that branches a lot"""


def fill_page(result: dict[str, Any], page: Path = PAGE) -> None:
    """Put the table between its markers on the page."""
    text = page.read_text(encoding="utf-8")
    filled, places = _PLACE.subn(lambda found: found[1] + "\n".join(table(result)) + "\n" + found[2], text)
    if places != 1:
        raise ValueError(f"{page}: {places} places for the table; there must be exactly one")
    page.write_text(filled, encoding="utf-8")


def table(result: dict[str, Any]) -> Iterator[str]:
    """Markdown: million instructions per second of sound, and the load that they are on one core."""
    yield (
        "| board | core | front end | gate, turns | voice activity | model "
        "| core load, speech | core load, quiet |"
    )
    yield "|---|---|---|---|---|---|---|---|"
    for name, board in result["boards"].items():
        counted = result["instructions"][board["core"]]
        front_end, gate, speech = (
            counted[f"{stage}_per_s"] / 1e6 for stage in ("front_end", "gate", "speech")
        )
        model = counted["inferences"] * counted["one_inference"] / counted["seconds"] / 1e6
        parts = [front_end, gate, speech - front_end - model, model]
        yield (
            f"| {name}, {board['clock_ghz']:g} GHz | {board['core'].title()} | "
            + " | ".join(f"{part:.1f}" for part in parts)
            + f" | {_share(sum(parts), board)} | {_share(gate, board)} |"
        )
    some = next(iter(result["instructions"].values()))
    inferences = ", ".join(
        f"{counted['one_inference'] / 1e6:.1f} M on a {core.title()}"
        for core, counted in result["instructions"].items()
    )
    yield ""
    yield (
        f"Estimated for model `{result['model']}` ({result['model_sha256'][:12]}), "
        f"{some['seconds']:.0f} s of sound with {some['turns']} turns and {some['inferences']} inferences. "
        f"One inference: {inferences}. Voice activity: {result['voice_activity']}."
    )


def _share(million_per_s: float, board: dict[str, Any]) -> str:
    percent = million_per_s / (1000.0 * board["clock_ghz"]) * 100.0
    return f"{percent:.1f} to {percent / _SLOW:.1f} %"
