"""Fills docs/frontend.md and draws its figures from results of `benchmarks.frontend` and `benchmarks.pitch`.

python -m benchmarks.frontend_page
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from benchmarks.frontend import RESULTS, ROOT
from benchmarks.frontend_figures import FIGURES, draw_costs, draw_stages
from benchmarks.pitch import RESULT as PITCH
from benchmarks.pitch import tables

PAGE = ROOT / "docs" / "frontend.md"


def peers_table(results: dict[str, dict[str, Any]]) -> Iterator[str]:
    """Times and ratios at 3 s, for each NumPy."""
    yield "| peer, 3 s of audio | NumPy | peer | ours | ratio | ratio where freed memory is kept | at 60 s |"
    yield "|---|---|---|---|---|---|---|"
    for numpy, result in results.items():
        for name, row in result["batch"]["3 s"].items():
            kept = row["where_freed_memory_is_kept"]["ratio"]
            long = result["batch"]["60 s"][name]["ratio"]
            yield (
                f"| {name} | {numpy} | {row['theirs_ms']['median']:.2f} ms "
                f"| {row['ours_ms']['median']:.2f} ms | **{row['ratio']:.1f}** | {kept:.1f} | {long:.1f} |"
            )


def memory_table(results: dict[str, dict[str, Any]]) -> Iterator[str]:
    """Peak memory of one call, with the newest NumPy."""
    result = next(iter(results.values()))
    yield "| peer, peak memory of one call | 3 s | ours | 60 s | ours |"
    yield "|---|---|---|---|---|"
    for name, row in result["batch"]["3 s"].items():
        if name.startswith("tf."):
            continue  # TensorFlow allocates where Python does not see it
        long = result["batch"]["60 s"][name]
        sizes = (
            row["theirs_peak_bytes"],
            row["ours_peak_bytes"],
            long["theirs_peak_bytes"],
            long["ours_peak_bytes"],
        )
        yield f"| {name} | " + " | ".join(f"{size / 1e6:.1f} MB" for size in sizes) + " |"


def streaming_table(results: dict[str, dict[str, Any]]) -> Iterator[str]:
    """Cost of a block, for each block size."""
    yield "| block | " + " | ".join(f"NumPy {numpy} | over batch" for numpy in results) + " |"
    yield "|---|" + "---|---|" * len(results)
    for size in next(iter(results.values()))["streaming"]["blocks"]:
        rows = [result["streaming"]["blocks"][size] for result in results.values()]
        cells = " | ".join(f"{row['push_us']['median']:.0f} µs | {row['over_batch']:.2f}" for row in rows)
        yield f"| {size} | {cells} |"


def stages_table(results: dict[str, dict[str, Any]]) -> Iterator[str]:
    """Each stage beside its floor."""
    yield "| stage, 3 s of audio | " + " | ".join(f"NumPy {numpy}" for numpy in results) + " | floor |"
    yield "|---|" + "---|" * (len(results) + 1)
    first = next(iter(results.values()))["stages"]
    for name, stage in first["stages"].items():
        cells = " | ".join(f"{r['stages']['stages'][name]['took']:.0f} µs" for r in results.values())
        yield f"| {name} | {cells} | {stage['floor']:.0f} µs |"
    cells = " | ".join(f"**{r['stages']['whole']['took']:.0f} µs**" for r in results.values())
    yield f"| whole | {cells} | {first['whole']['floor']:.0f} µs |"


def alternatives_table(results: dict[str, dict[str, Any]]) -> Iterator[str]:
    """The alternatives that were tried."""
    yield "| way | " + " | ".join(f"NumPy {numpy}" for numpy in results) + " |"
    yield "|---|" + "---|" * len(results)
    for title, rows in next(iter(results.values()))["alternatives"].items():
        yield f"| *{title}* |" + " |" * len(results)
        for name in rows:
            cells = " | ".join(f"{r['alternatives'][title][name]['us']:.0f} µs" for r in results.values())
            shown = f"**{name}**" if name.endswith("(used)") else name
            yield f"| {shown} | {cells} |"


def machine_line(results: dict[str, dict[str, Any]]) -> Iterator[str]:
    """The machine and its load."""
    machine = next(iter(results.values()))["machine"]
    load = " while other programs kept it busy" if machine["shared"] else ""
    yield (
        f"Measured on one core ({machine['processor']}) with Python {machine['python']}{load}, in "
        "processor time; see `benchmarks/results/` for quartiles, settings and versions."
    )


def pitch_tables(_: dict[str, dict[str, Any]]) -> Iterator[str]:
    """Pitch trackers, from a separate result."""
    result = json.loads(PITCH.read_text(encoding="utf-8"))
    yield from tables(result)
    yield ""
    yield (
        f"{result['made_voices']} made voices; {result['clips']} clips ({result['seconds']:.0f} s) of women "
        f"and men in {len(result['corpora'])} corpora; see `benchmarks/results/pitch.json` for more."
    )


SECTIONS = {
    "machine": machine_line,
    "peers": peers_table,
    "memory": memory_table,
    "streaming": streaming_table,
    "stages": stages_table,
    "alternatives": alternatives_table,
    "pitch": pitch_tables,
}


def main() -> None:
    """Run as a program."""
    results = {}
    for name in ("frontend", "frontend-numpy-1"):
        result = json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
        results[".".join(result["machine"]["packages"]["numpy"].split(".")[:2])] = result
    FIGURES.mkdir(parents=True, exist_ok=True)
    draw_stages(FIGURES / "frontend-stages.png")
    draw_costs(next(iter(results.values())), FIGURES / "frontend-cost.png")
    page = PAGE.read_text(encoding="utf-8")
    for name, section in SECTIONS.items():
        text = "\n".join(section(results))
        place = re.search(rf"(?<=<!-- {name} -->\n).*?(?=<!-- end -->)", page, re.DOTALL)
        if place is None:
            raise SystemExit(f"{PAGE}: has no marked place for {name}")
        page = f"{page[: place.start()]}{text}\n{page[place.end() :]}"
    PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
