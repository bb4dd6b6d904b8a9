"""The tables of the page, as Markdown."""
# ruff: noqa: E501  # lines of Markdown

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from training.report.results import Result, best, mean_of_parts, points
from training.report.words import FOLDS, PUBLISHED, TITLES

_MOST = 0.8
"""With so many of the clips, a figure is what its heading says"""

_LEAST_DRAWN = 5
"""Speakers; a bootstrap over fewer gives little but their own figures"""


def overview(results: Sequence[Result]) -> str:
    """One row for each result."""
    lines = [
        "| protocol | form | UAR int8 | 95 % | mean over corpora (P3: directions) | UAR float | WA int8 | macro-F1 int8 | seeds | features | file |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for r in results:
        in_float = r["float"] and r["float"]["uar"]
        lines.append(
            f"| {r['protocol']} {TITLES[r['protocol']]}{partial(r)} | {r['form']}{had_all(r)} | **{points(r['int8']['uar'])}** "
            f"| {interval(r)} | {points(mean_of_parts(r))} | {points(in_float)} "
            f"| {points(r['int8']['wa'])} | {points(r['int8']['macro_f1'])} | {len(r['seeds'])} | {r['model']['features']} "
            f"| {r['model']['file_bytes'] / 1000:.0f} kB |"
        )
    return "\n".join(lines) + "\n"


def partial(result: Result) -> str:
    """Says so where folds are missing."""
    total = FOLDS[result["protocol"]]
    done = len(result["folds"])
    return "" if done == total else f" (**only {done} of {total} folds**)"


def interval(result: Result) -> str:
    """95 % of the UAR; a dash where the test has too few speakers to draw from."""
    if len(result["per_speaker"]) < _LEAST_DRAWN:
        return "–"
    low, high = result["int8"]["uar_ci95"]
    return f"{points(low)} to {points(high)}"


def comparison(protocol: str, results: Sequence[Result], baselines: Sequence[Result]) -> str:
    """Ours beside the baselines measured here and what others have published."""
    lines = [
        "| system | UAR float | UAR int8 | accuracy | parameters | multiply-accumulates | file | source |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for r in results:
        lines.append(_system(r, f"**affectd, {r['form']}**"))
    lines += [_system(r, f"{r['model']['name']}{partial(r)}") for r in baselines]
    for system, figure, source in PUBLISHED.get(protocol, ()):
        uar, accuracy = ("–", figure.removesuffix(" accuracy")) if "accuracy" in figure else (figure, "–")
        lines.append(f"| {system} | {uar} | – | {accuracy} | – | – | – | {source} |")
    return "\n".join(lines) + "\n"


def _system(r: Result, name: str) -> str:
    model = r["model"]
    return (
        f"| {name} | {points(r['float'] and r['float']['uar'])} | {points(r['int8'] and r['int8']['uar'])} "
        f"| {points(best(r)['wa'])} | {model['parameters']:,} | {model['macs'] / 1e6:.1f} million "
        f"| {model['file_bytes'] / 1000:.0f} kB | measured here |"
    )


def folds(results: Sequence[Result]) -> str:
    """UAR of each fold and seed, the results of the same networks side by side."""
    columns = [(r, seed) for r in results for seed in r["seeds"]]
    names = [f"seed {seed}" if len(results) == 1 else f"{r['form']}, seed {seed}" for r, seed in columns]
    lines = [f"| fold | {' | '.join(names)} |", "|---|" + "---|" * len(columns)]
    known = {(r["form"], row["fold"], row["seed"]): row["int8_uar"] for r in results for row in r["per_fold"]}
    for fold in results[0]["folds"]:
        cells = [points(known.get((r["form"], fold, seed))) for r, seed in columns]
        lines.append(f"| {fold} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def corpora(results: Sequence[Result]) -> str:
    """UAR of each corpus, the results of the same networks side by side."""
    lines = [f"| corpus | {' | '.join(r['form'] for r in results)} |", "|---|" + "---|" * len(results)]
    for corpus in results[0]["per_corpus"]:
        cells = [points(r["per_corpus"].get(corpus)) for r in results]
        lines.append(f"| {corpus} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def fairness(results: Sequence[Result]) -> str:
    """Every result by sex, by language, and its worst speaker."""
    lines = [
        "| result | women | men | gap | by language | worst speaker | mean speaker | gap |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for r in results:
        sexes, speakers = r["per_sex"], r["per_speaker"]
        worst = min(speakers, key=speakers.get)
        mean = float(np.mean(list(speakers.values())))
        women, men = sexes.get("f"), sexes.get("m")
        gap = None if women is None or men is None else abs(women - men)
        languages = r.get("per_language", {})
        listed = ", ".join(f"{name} {points(value)}" for name, value in languages.items()) or "–"
        lines.append(
            f"| {r['protocol']} {r['form']} | {points(women)} | {points(men)} | {points(gap)} | {listed} "
            f"| {worst} {points(speakers[worst])} | {points(mean)} | {points(mean - speakers[worst])} |"
        )
    return "\n".join(lines) + "\n"


def by_k(results: Sequence[Result]) -> str:
    """UAR over the clips heard before, one row for each result that has it, or two."""
    ks = sorted({int(k) for r in results for k in r["int8_uar_by_k"]})
    lines = [
        "| result | " + " | ".join(f"k = {k}" for k in ks) + " |",
        "|---|" + "---|" * len(ks),
    ]
    for r in results:
        for field, words in (("int8_uar_by_k", ""), ("int8_uar_by_k_reference_alone", ", reference alone")):
            cells = [_with_k(r, str(k), field) for k in ks]
            if field in r:
                lines.append(f"| {r['protocol']} {r['form']}{words} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _with_k(result: Result, k: str, field: str) -> str:
    """The figure, and how many of the clips had k others; a dash where none had."""
    share = result.get("share_with_k", {}).get(k, 1.0)
    return points(result.get(field, {}).get(k)) + _share(share) if share else "–"


def had_all(result: Result) -> str:
    """Of `adapt` and `enrol`: how many of the clips had as many others as the heading says, unless most had."""
    return _share(result.get("share_with_k", {}).get(str(result.get("k")), 1.0))


def _share(share: float) -> str:
    return "" if share >= _MOST else f" ({100 * share:.0f} % of the clips)"


def conditions(result: Result) -> str:
    """P10: each condition, and each kind of noise."""
    lines = [
        "| condition | UAR int8 | 95 % | loss, points | clips without an answer |",
        "|---|---|---|---|---|",
    ]
    for name, row in result["conditions"].items():
        low, high = row["uar_ci95"]
        lines.append(
            f"| {name} | {points(row['uar'])} | {points(low)} to {points(high)} | {points(row['loss'])} "
            f"| {row['no_answer']} |"
        )
    noisy = {name: row["per_noise"] for name, row in result["conditions"].items() if "per_noise" in row}
    kinds = sorted({kind for row in noisy.values() for kind in row})
    lines += ["", "| loss in points | " + " | ".join(noisy) + " |", "|---|" + "---|" * len(noisy)]
    for kind in kinds:
        cells = [points(row[kind]["loss"]) if kind in row else "–" for row in noisy.values()]
        lines.append(f"| {kind} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def arousal(result: Result) -> str:
    """Mean arousal of both intensities, emotion by emotion."""
    lines = [
        "| emotion | normal intensity | strong intensity | pairs in which it rises |",
        "|---|---|---|---|",
    ]
    for emotion, row in result["arousal"]["by_emotion"].items():
        lines.append(
            f"| {emotion} | {row['normal']:.2f} | {row['strong']:.2f} | {100 * row['rising']:.0f} % |"
        )
    return "\n".join(lines) + "\n"


def coverage(result: Result) -> str:
    """What abstaining below a confidence is worth."""
    lines = ["| uncertain below | answers given | right among them |", "|---|---|---|"]
    for row in result["calibration"]["risk_coverage"]:
        lines.append(
            f"| {row['threshold']:.2f} | {points(row['coverage'])} % | {points(row['accuracy'])} % |"
        )
    return "\n".join(lines) + "\n"
