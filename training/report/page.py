"""The page itself: which tables and pictures there are, in which order."""
# ruff: noqa: E501  # lines of Markdown

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from training.report import pictures, tables
from training.report.comparisons import say_comparisons
from training.report.level import say_level
from training.report.levers import levers
from training.report.networks import say_networks
from training.report.results import Result, read_baselines, read_results
from training.report.words import FORMS, INTRODUCTION, NOTES, TITLES, commands


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
        "UAR of the int8 file in percent. Some speakers of ASED and URDU have a handful of clips, so the worst speaker there "
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
    if said := say_networks(results, baselines):
        page.say(said)
    if ablation is not None and ablation.is_file():
        page.say(levers(msgspec.json.decode(ablation.read_bytes())))
    for comparison in say_comparisons(results):
        page.say(comparison)
    _say_baselines(page, baselines)
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

    def gallery(self, names: Mapping[str, str]) -> list[Path]:
        """Show the confusions of these names side by side under their captions; gives the files to draw them into."""
        files = [self._folder / "figures" / f"{name}.png" for name in names]
        row = " | ".join(f"![Confusions, {caption}](figures/{name}.png)" for name, caption in names.items())
        self.text.append(f"| {' | '.join(names.values())} |\n|{'---|' * len(names)}\n| {row} |\n")
        self.pictures += files
        return files


def _say_references(page: _Page, results: Sequence[Result]) -> None:
    if not results:
        return
    page.say("## What a reference of the voice is worth\n")
    page.say(
        "The device compares each turn with what it has heard of the same voice before. In `adapt` these are the k clips before the "
        "one that is scored, in a fixed random order and without their labels; in `enrol`, k clips known to be neutral. Not every "
        "clip has k others: the first of a speaker have fewer before them, and some speakers have few neutral ones, or none. Where "
        "fewer than 80 % of the clips had all k, the share stands in brackets. Neither the clip itself nor a later one enters its reference. Besides, what the network tends to answer for this voice whatever it says, its "
        "[leaning](design.md#what-a-voice-is-taken-for-anyway), is subtracted from the answer; the rows *reference alone* are "
        "without that.\n"
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
        f"The expected calibration error is {_error_of(found)} The threshold of `uncertain` rests on the second picture and on the table. Every corpus "
        "counts the same here, whatever its size, so the share that is right differs from the first table's.\n"
    )
    pictures.draw_reliability(result, page.picture(f"{name}-reliability", "Confidence and accuracy"))
    pictures.draw_risk_coverage(result, page.picture(f"{name}-risk-coverage", "Accuracy over coverage"))
    page.say(tables.coverage(result))


def _error_of(found: dict[str, Any]) -> str:
    if set(found.get("temperatures", ())) == {1.0}:
        return (
            f"{found['ece_after']:.3f}. There is no temperature: the validation speakers who were left out of its fit did not gain "
            "by it significantly."
        )
    return f"{found['ece_before']:.3f} before and {found['ece_after']:.3f} after the temperature, which is fitted on validation speakers."


def _say_arousal(page: _Page, result: Result) -> None:
    found = result["arousal"]
    low, high = found["rise_ci95"]
    page.say(f"## Arousal, {result['protocol']} {result['form']}\n")
    page.say(
        "Arousal and valence are the means of the labels' places on Russell's circumplex (1980), weighted by their "
        "probabilities. The actors of RAVDESS say each sentence at normal and at strong intensity, and the model was never told "
        f"which: over {found['pairs']} pairs of clips, arousal rises by {found['rise']:.3f} on its scale of -1 to 1, "
        f"95 % from {low:.3f} to {high:.3f}. Neutral has both intensities here because calm counts as neutral.\n"
    )
    page.say(tables.arousal(result))


def _say_baselines(page: _Page, baselines: Sequence[Result]) -> None:
    notes = {r["model"]["name"]: r["note"] for r in baselines if r.get("note")}
    if notes:
        page.say("## The baselines\n")
        page.say("".join(f"- {name}: {note}\n" for name, note in notes.items()))


def _say_protocol(page: _Page, results: Sequence[Result], baselines: Sequence[Result]) -> None:
    name = results[0]["protocol"]
    page.say(f"## {name}: {TITLES[name]}\n")
    if name in NOTES:
        page.say(NOTES[name] + "\n")
    if name != "P10":
        page.say(tables.comparison(name, results, baselines))
    forms = {r["form"] for r in results}
    for trained in results:
        if trained.get("base") not in forms:
            _say_networks(page, [trained, *(r for r in results if r.get("base") == trained["form"])])


def _sources(r: Result) -> str:
    """Which commit trained the networks, and which made the files and scored them where that is another."""
    trained = r["commit"] or "an unknown commit"
    scored = r.get("scored") or trained
    return str(trained) if scored == trained else f"{trained}, quantised and scored at {scored}"


def _say_networks(page: _Page, results: Sequence[Result]) -> None:
    """What the same networks give: with a new voice first, then with voices that they know."""
    r = results[0]
    page.say(f"### {r['protocol']} {', '.join(form['form'] for form in results)}\n")
    page.say(
        f"Networks {FORMS.get(r['form'], r['form'])}{tables.partial(r)}, at {_sources(r)}: {r['model']['parameters']:,} parameters, "
        f"{r['model']['macs'] / 1e6:.1f} million multiply-accumulates a window, {r['model']['features']}, run in {r['model']['runtime']}.\n"
    )
    page.say("".join(f"    {line}\n" for line in commands(r["protocol"], r["command"])))
    if "conditions" in r:
        shown = page.picture(
            f"{r['protocol']}-{r['form']}-conditions", "UAR through noise, rooms and microphones"
        )
        pictures.draw_conditions(r, shown)
        page.say(tables.conditions(r))
    files = page.gallery({f"{one['protocol']}-{one['form']}-confusion": one["form"] for one in results})
    for one, file in zip(results, files, strict=True):
        pictures.draw_confusion(one, file)
    page.say(tables.folds(results))
    if len(r.get("per_corpus", {})) > 1:
        page.say(tables.corpora(results))
