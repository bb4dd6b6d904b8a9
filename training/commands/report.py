"""`affectd-train report`: write the page of results, and update the figures in other pages."""

from __future__ import annotations

import argparse
from pathlib import Path

from training.commands.common import Commands


def add(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add this command to the command line."""
    report = commands.add_parser(
        "report",
        help="write docs/accuracy.md from the results",
        description="Write docs/accuracy.md and its figures from the results in a checkout, and rewrite the "
        "passages of other pages that depend on results: those between markers such as "
        "<!-- accuracy: made by `affectd-train report` --> and <!-- /accuracy -->.",
    )
    report.add_argument(
        "--results",
        type=Path,
        default=Path("benchmarks/results/accuracy"),
        help="folder with the results of `evaluate` and `baseline` (default: %(default)s)",
    )
    report.add_argument(
        "--output", type=Path, default=Path("docs/accuracy.md"), help="page to write (default: %(default)s)"
    )
    report.add_argument(
        "--pages",
        type=Path,
        nargs="*",
        default=[Path("README.md"), Path("docs/design.md"), Path("edge/models/MODEL_CARD.md")],
        help="pages whose marked passages are rewritten (default: README, design and model card)",
    )
    report.add_argument(
        "--ablation",
        type=Path,
        default=Path("benchmarks/results/ablation.json"),
        help="result of `ablate`, which the page shows as a table (default: %(default)s, if it exists)",
    )
    report.set_defaults(command=run)


def run(args: argparse.Namespace) -> int:
    """Write the page, its figures, and the passages of other pages."""
    from training.report import fill_in, write_report  # noqa: PLC0415

    written = write_report(args.results, args.output, args.ablation)
    for page in args.pages:
        if fill_in(page, args.results):
            written.append(page)
    print("wrote " + ", ".join(map(str, written)))
    return 0
