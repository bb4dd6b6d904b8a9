"""The page itself: which tables and pictures there are, in which order."""
# ruff: noqa: E501  # lines of Markdown

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from training.report import pictures, tables
from training.report.comparisons import say_comparisons
from training.report.level import say_level
from training.report.levers import levers
from training.report.results import Result, points, read_baselines, read_results
from training.report.words import FORMS, INTRODUCTION, NOTES, TITLES, second_half


def write_report(results: Path, output: Path, ablation: Path | None = None) -> list[Path]:
    """Write the page and its pictures; gives the files written.

    Args:
        results: folder of the JSON files that `affectd-train evaluate` writes, `baselines/` and `comparisons/` within it.
        output: the page; pictures go into `figures/` beside it.
        ablation: what `affectd-train ablate` has written, if there is such a file.

    Raises:
        ReportError: when there is no result.
    """
    found, baselines = read_results(results), read_baselines(results)
    page = _Page(output)
    page.say(INTRODUCTION)
    page.say(tables.overview(found))
    page.say("## Fairness\n")
    page.say(
        "UAR int8 in points. Some speakers of ASED and URDU have a handful of clips, so the worst speaker there "
        "is partly chance.\n"
    )
    page.say(tables.fairness(found))
    _say_references(page, [r for r in found if r.get("int8_uar_by_k")])
    for result in found:
        if "calibration" in result:
            _say_calibration(page, result)
        if "arousal" in result:
            _say_arousal(page, result)
    if said := say_level(found, baselines):
        page.say(said)
    if ablation is not None and ablation.is_file():
        page.say(levers(msgspec.json.decode(ablation.read_bytes())))
    for comparison in say_comparisons(results):
        page.say(comparison)
    protocols = list(dict.fromkeys(r["protocol"] for r in found))
    for name in protocols:
        _say_protocol(
            page,
            [r for r in found if r["protocol"] == name],
            [r for r in baselines if r["protocol"] == name],
        )
    alone = [r for r in baselines if r["protocol"] not in protocols]
    for name in dict.fromkeys(r["protocol"] for r in alone):
        page.say(f"## {name}: {TITLES[name]}\n")
        page.say("Baselines only so far.\n")
        page.say(tables.comparison(name, [], [r for r in alone if r["protocol"] == name]))
    output.write_text("\n".join(page.text), encoding="utf-8")
    return [output, *page.pictures]


class _Page:
    """What has been said so far, and the pictures shown."""

    def __init__(self, output: Path) -> None:
        output.parent.mkdir(parents=True, exist_ok=True)
        self._folder = output.parent
        self.text: list[str] = []
        self.pictures: list[Path] = []

    def say(self, text: str) -> None:
        self.text.append(text)

    def picture(self, name: str, what: str) -> Path:
        """Show a picture of this name; gives the file to draw it into."""
        file = self._folder / "figures" / f"{name}.png"
        self.text.append(f"![{what}](figures/{file.name})\n")
        self.pictures.append(file)
        return file


def _say_references(page: _Page, results: Sequence[Result]) -> None:
    if not results:
        return
    page.say("## What a voice's own reference is worth\n")
    page.say(
        "The device compares each turn with what it has heard of the same voice before. `adapt`: the k clips before "
        "the one that is scored, in a fixed random order, without their labels. `enrol`: k clips known to be "
        "neutral. Nothing of the clip itself or of later ones enters its reference. What a voice is taken for anyway, "
        "its [leaning](design.md#what-a-voice-is-taken-for-anyway), is taken off the answers, too; *reference alone* says "
        "what they are with it. Rows without such a second one are older than that, or knew none.\n"
    )
    page.say(tables.by_k(results))
    for form in ("adapt", "enrol"):
        chosen = [r for r in results if r["form"] == form]
        if chosen:
            pictures.draw_curves(chosen, form, page.picture(f"reference-{form}", f"UAR over k, {form}"))


def _say_calibration(page: _Page, result: Result) -> None:
    name = f"{result['protocol']}-{result['form']}"
    found = result["calibration"]
    page.say(f"## Calibration and abstention, {result['protocol']} {result['form']}\n")
    page.say(
        f"Expected calibration error {found['ece_before']:.3f} before and {found['ece_after']:.3f} after the "
        "temperature that was fitted on validation speakers. `uncertain` rests on the second picture. Here every corpus "
        "has the same say, whatever its size, so what is right of all answers is not the accuracy of the first table.\n"
    )
    pictures.draw_reliability(result, page.picture(f"{name}-reliability", "Confidence and accuracy"))
    pictures.draw_risk_coverage(result, page.picture(f"{name}-risk-coverage", "Accuracy over coverage"))
    page.say(tables.coverage(result))


def _say_arousal(page: _Page, result: Result) -> None:
    found = result["arousal"]
    low, high = found["rise_ci95"]
    page.say(f"## Arousal, {result['protocol']} {result['form']}\n")
    page.say(
        "Arousal and valence are the means of the labels' places on Russell's circumplex (1980), weighted by their "
        "probabilities. The actors of RAVDESS say each sentence at normal and at strong intensity, which the model was "
        f"never told: over {found['pairs']} pairs of clips arousal rises by {found['rise']:.3f} on its scale of -1 to 1, "
        f"95 % from {low:.3f} to {high:.3f}. Calm, which counts as neutral, is one of the emotions that has both.\n"
    )
    page.say(tables.arousal(result))


def _say_protocol(page: _Page, results: Sequence[Result], baselines: Sequence[Result]) -> None:
    name = results[0]["protocol"]
    page.say(f"## {name}: {TITLES[name]}\n")
    if name in NOTES:
        page.say(NOTES[name] + "\n")
    if name != "P10":
        page.say(tables.comparison(name, results, baselines))
    for result in results:
        _say_result(page, result)


def _sources(r: Result) -> str:
    """Which commit trained the networks, and which made the files and scored them where that is another."""
    trained = r["commit"] or "an unknown commit"
    scored = r.get("scored") or trained
    return str(trained) if scored == trained else f"{trained}, quantised and scored at {scored}"


def _say_result(page: _Page, r: Result) -> None:
    name = f"{r['protocol']}-{r['form']}"
    page.say(f"### {r['protocol']} {r['form']}\n")
    page.say(
        f"{str(FORMS.get(r['form'], r['form'])).capitalize()}{tables.partial(r)}. `{r['command']}` at "
        f"{_sources(r)}: {r['model']['parameters']:,} parameters, "
        f"{r['model']['macs'] / 1e6:.1f} million multiply-accumulates on {r['model']['features']}, run in {r['model']['runtime']}."
        f"{second_half(r['protocol']) if ' --base ' in r['command'] else ''}\n"
    )
    if "conditions" in r:
        pictures.draw_conditions(
            r, page.picture(f"{name}-conditions", "UAR through noise, rooms and microphones")
        )
        page.say(tables.conditions(r))
    pictures.draw_confusion(r, page.picture(f"{name}-confusion", f"Confusions of {r['protocol']}"))
    page.say(tables.folds(r))
    if len(r.get("per_corpus", {})) > 1:
        listed = ", ".join(f"{corpus} {points(value)}" for corpus, value in r["per_corpus"].items())
        page.say(f"UAR int8 by corpus: {listed}.\n")
