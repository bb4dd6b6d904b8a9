"""The page of figures, from results made up here."""

import re
from pathlib import Path

import msgspec
import pytest

import training
from training.report import fill_in, write_report
from training.report.passages import noise
from training.report.summary import summary

pytestmark = pytest.mark.training

LABELS = ["angry", "neutral", "sad"]
FIGURES = {"uar": 0.6, "wa": 0.61, "macro_f1": 0.59, "uar_ci95": [0.5, 0.7]}


def result(protocol="P1", form="in", folds=(1, 2, 3, 4, 5, 6), **changes):
    made = {
        "protocol": protocol, "form": form, "speaker_dependent": False, "command": "affectd-train evaluate",
        "commit": "abc", "seeds": [0], "folds": list(folds),
        "model": {"name": "residual", "features": "40 MFCCs", "parameters": 1_000, "macs": 2_000_000,
                  "file_bytes": 339_000, "runtime": "litert"},
        "labels": LABELS, "float": FIGURES, "int8": FIGURES,
        "per_fold": [{"seed": 0, "fold": f, "float_uar": 0.5, "int8_uar": 0.5 + f / 100} for f in folds],
        "per_speaker": {"s1": 0.9, "s2": 0.3, "s3": 0.6, "s4": 0.6, "s5": 0.6},
        "per_sex": {"f": 0.7, "m": 0.55},
        "per_corpus": {"ravdess": 0.6}, "per_language": {"en": 0.6},
        "confusion_int8": [[6, 2, 2], [1, 8, 1], [3, 3, 4]],
    }  # fmt: skip
    return {**made, **changes}


def baseline(name, uar, protocol="P1"):
    model = {**result()["model"], "name": name}
    return result(protocol, int8=None, float={**FIGURES, "uar": uar}, model=model)


def condition(uar, loss, **more):
    return {**FIGURES, "uar": uar, "uar_ci95": [uar - 0.05, uar + 0.05], "loss": loss, "no_answer": 3, **more}


def page(folder, *results, baselines=()):
    (folder / "baselines").mkdir(parents=True)
    for r in results:
        (folder / f"{r['protocol']}-{r['form']}.json").write_bytes(msgspec.json.encode(r))
    for r in baselines:
        name = f"{r['protocol']}-{r['form']}-{r['model']['name']}.json"
        (folder / "baselines" / name).write_bytes(msgspec.json.encode(r))
    written = write_report(folder, folder / "accuracy.md")
    assert all(path.exists() for path in written)
    return (folder / "accuracy.md").read_text(), {path.name for path in written}


def test_report_when_forms_and_protocols_are_many_then_they_stand_in_order(tmp_path):
    noisy = result("P10", "joint", conditions={"clean": condition(0.6, 0.0)}, float=None)
    text, _ = page(tmp_path, result("P9", "joint"), noisy, result(form="multi"), result())
    headings = [line for line in text.splitlines() if line.startswith("### ")]

    assert headings == ["### P1 in", "### P1 multi", "### P9 joint", "### P10 joint"]


def test_report_when_the_other_corpora_came_first_then_the_command_for_these_stands_before(tmp_path):
    command = "affectd-train evaluate --protocol P1 --seeds 1 --form multi --recipe multi.toml --corpus x=y"
    text, _ = page(tmp_path, result(form="multi", command=command))

    assert (
        "    affectd-train evaluate --protocol P9 --seeds 1 --recipe training/recipes/joint.toml "
        "--corpus x=y --runs RUNS --train-only\n"
        f"    {command} --runs RUNS\n"
    ) in text


def test_report_when_forms_are_of_the_same_networks_then_they_stand_side_by_side(tmp_path):
    seeds = {"seeds": [0, 1], "per_corpus": {"tess": 0.4, "urdu": 0.7}, "folds": [1]}
    rows = [{"seed": seed, "fold": 1, "float_uar": 0.5, "int8_uar": 0.5 + seed / 10} for seed in (0, 1)]
    known = [{**row, "int8_uar": row["int8_uar"] + 0.25} for row in rows]
    new = result("P8", "joint", per_fold=rows, **seeds)
    adapt = result("P8", "adapt", base="joint", per_fold=known, **{**seeds, "per_corpus": {"tess": 0.5}})
    text, written = page(tmp_path, new, adapt)

    assert [line for line in text.splitlines() if line.startswith("### ")] == ["### P8 joint, adapt"]
    assert text.count("    affectd-train evaluate\n") == 1
    assert "| fold | joint, seed 0 | joint, seed 1 | adapt, seed 0 | adapt, seed 1 |" in text
    assert "| 1 | 50.0 | 60.0 | 75.0 | 85.0 |" in text
    assert "| tess | 40.0 | 50.0 |\n| urdu | 70.0 | – |" in text
    assert "| ![Confusions, joint](figures/P8-joint-confusion.png) | ![Confusions, adapt](" in text
    assert {"P8-joint-confusion.png", "P8-adapt-confusion.png"} <= written


def keep_comparison(folder, name, without, with_it):
    for side, results in (("without", without), ("with", with_it)):
        place = folder / "comparisons" / name / side
        place.mkdir(parents=True)
        for r in results:
            (place / f"{r['protocol']}-{r['form']}.json").write_bytes(msgspec.json.encode(r))


def test_report_when_results_were_kept_to_compare_then_each_that_is_on_both_sides(tmp_path):
    worse, better = ({**FIGURES, "uar": share} for share in (0.55, 0.6))
    keep_comparison(tmp_path, "pitch", [result(int8=worse)], [result(int8=better), result("P2")])
    keep_comparison(tmp_path, "teachers", [result(int8=better)], [result(int8=worse)])
    keep_comparison(tmp_path, "turns", [], [result()])
    text, _ = page(tmp_path, result("P9", "joint"))
    tables = dict(
        re.findall(r"## ([^\n]*)\n\n[^\n]*\n\n\| result \| without .*?\n(.*?)\n\n", text, re.DOTALL)
    )

    assert list(tables) == ["What pitch is worth", "Tried and not taken: teachers"]
    assert tables["What pitch is worth"].splitlines()[1:] == ["| P1 in | 55.0 | 60.0 | +5.0 |"]
    assert tables["Tried and not taken: teachers"].splitlines()[1:] == ["| P1 in | 60.0 | 55.0 | -5.0 |"]


@pytest.mark.parametrize(("seeds", "said"), [([0], "of one seed"), ([0, 1, 2], "mean of 3 seeds")])
def test_report_when_results_are_compared_then_it_says_over_how_many_seeds(tmp_path, seeds, said):
    keep_comparison(tmp_path, "views", [result(seeds=seeds)], [result(seeds=seeds)])
    text, _ = page(tmp_path, result("P9", "joint"))

    assert said in text.split("## Four views of each window")[1].splitlines()[2]


def test_report_when_the_files_were_made_later_than_the_networks_then_both_commits_stand_there(tmp_path):
    text, _ = page(tmp_path, result(commit="abc", scored="def"), result("P2", commit="abc", scored="abc"))

    assert text.count("at abc, quantised and scored at def:") == 1
    assert text.count("at abc:") == 1


def test_report_when_a_training_went_on_from_another_then_the_commands_of_both(tmp_path):
    command = "affectd-train evaluate --protocol P8 --base RUNS/P8-joint --recipe mine.toml --corpus x=y"
    text, _ = page(tmp_path, result("P8", "joint", command=command), result("P5"))

    assert (
        "    affectd-train evaluate --protocol P8 --recipe training/recipes/joint.toml --corpus x=y "
        "--runs RUNS --train-only\n"
        f"    {command} --runs SECOND_HALVES\n"
    ) in text
    assert text.count("SECOND_HALVES") == 1


def test_report_when_a_speaker_is_worst_then_named_with_the_gaps(tmp_path):
    text, _ = page(tmp_path, result())

    assert "| P1 in | 70.0 | 55.0 | 15.0 | en 60.0 | s2 30.0 | 60.0 | 30.0 |" in text


def test_report_when_baselines_are_there_then_beside_ours_and_the_published(tmp_path):
    model = {**result()["model"], "name": "egemaps-svm"}
    figures = {**FIGURES, "uar": 0.466}
    svm = result(int8=None, float=figures, folds=(1,), note="as usual", model=model)
    text, _ = page(tmp_path, result(), baselines=[svm])

    assert "| **affectd, in** | 60.0 | 60.0 |" in text
    assert "| egemaps-svm (**only 1 of 6 folds**) | 46.6 | – |" in text
    assert "WavLM-large, 317 million parameters, same folds | 72.0 |" in text
    assert "egemaps-svm: as usual" in text


def test_summary_when_a_protocol_has_many_forms_then_a_line_of_each_training_with_what_rests_on_it():
    theirs = [baseline("egemaps-svm", 0.466), baseline("egemaps-svm-one-level", 0.502)]
    multi = result(form="multi", int8={**FIGURES, "uar": 0.65})
    adapt = result(form="adapt", base="in", int8={**FIGURES, "uar": 0.68})
    enrol = result(form="enrol", base="in", int8={**FIGURES, "uar": 0.69})
    made = summary([result(), multi, adapt, enrol], theirs)

    alone, first_elsewhere = [line for line in made.splitlines() if line.startswith("| P1")]
    assert "| **60.0** | 50.0 to 70.0 | 68.0 | 69.0 | 46.6, 50.2 |" in alone
    assert "; trained on the other corpora first | **65.0** | 50.0 to 70.0 | – | – |" in first_elsewhere


def test_summary_when_the_test_has_a_handful_of_speakers_then_no_interval_is_drawn_from_them():
    made = summary([result("P3", per_speaker={"tess_OAF": 0.5, "tess_YAF": 0.7})], [])

    assert "| **60.0** | – |" in made


def test_summary_when_corpora_are_several_then_their_mean_stands_beside():
    made = summary([result("P9", "joint", per_corpus={"tess": 0.4, "urdu": 0.7})], [])

    assert "| **60.0** (mean over corpora 55.0) |" in made


def test_report_when_the_baseline_was_heard_at_one_level_too_then_what_the_level_gave_away(tmp_path):
    three = [
        baseline("egemaps-svm", 0.57), baseline("egemaps-svm-one-level", 0.42), baseline("level-svm", 0.54)
    ]  # fmt: skip
    text, _ = page(tmp_path, result(), baselines=three)

    assert "| P1 | 57.0 | 42.0 | 54.0 (33.3) | 60.0 |" in text


def test_report_when_the_baseline_was_heard_as_recorded_alone_then_no_word_of_the_level(tmp_path):
    text, _ = page(tmp_path, result(), baselines=[baseline("egemaps-svm", 0.57)])

    assert "gives away" not in text


def test_report_when_other_networks_were_trained_like_ours_then_by_the_folds_that_all_have(tmp_path):
    named = {name: {**result()["model"], "name": name} for name in ("crnn", "lstm")}
    others = [result(folds=(3, 5), model=named["crnn"]), result(folds=(3, 5, 6), model=named["lstm"])]
    keep_comparison(tmp_path, "views", [result()], [])
    text, _ = page(tmp_path, result(), baselines=[*others, baseline("egemaps-svm", 0.57)])
    table = text.partition("## What the network is worth")[2].partition("##")[0]

    assert "were trained on count: of P1, 3, 5." in table
    assert "| P1 **affectd** | 54.0 | 1,000 | 2.0 million | 339 kB |" in table
    assert "| P1 crnn | 54.0 |" in table
    assert "egemaps" not in table


def test_report_when_no_other_network_was_trained_then_no_word_of_it(tmp_path):
    keep_comparison(tmp_path, "views", [result()], [])
    text, _ = page(tmp_path, result(), baselines=[baseline("egemaps-svm", 0.57)])

    assert "What the network is worth" not in text


def test_report_when_a_baseline_stands_alone_then_it_is_shown(tmp_path):
    svm = result("P6", int8=None, model={**result()["model"], "name": "egemaps-svm"}, folds=(1, 2, 3, 4, 5))
    text, _ = page(tmp_path, result(), baselines=[svm])

    assert "## P6: ASED" in text
    assert "Baselines only so far" in text


def test_report_when_p7_then_it_says_speaker_dependent_wherever_its_figure_stands(tmp_path):
    text, _ = page(tmp_path, result("P7", folds=(1,)))
    table, _, rest = text.partition("## Fairness")

    assert "**speaker-dependent**" in next(line for line in table.splitlines() if line.startswith("| P7"))
    assert "Speaker-dependent" in rest
    assert "79.96" in rest


def test_report_when_corpora_are_several_then_their_mean_stands_beside(tmp_path):
    text, _ = page(tmp_path, result("P9", "joint", per_corpus={"tess": 0.4, "urdu": 0.7}))

    assert "| 50.0 to 70.0 | 55.0 |" in text


def test_report_when_there_are_references_then_tables_and_curves(tmp_path):
    alone = {"0": 0.6, "1": 0.61, "10": 0.63}
    adapt = result(
        form="adapt",
        int8_uar_by_k={"0": 0.6, "1": 0.62, "10": 0.66},
        int8_uar_by_k_reference_alone=alone,
    )
    enrol = result(
        "P5", "enrol", folds=(1, 2, 3), k=3, int8_uar_by_k={"1": 0.5, "3": 0.55, "10": 0.55},
        share_with_k={"1": 0.9, "3": 0.284, "10": 0.0},
    )  # fmt: skip
    text, written = page(tmp_path, adapt, enrol)

    assert "| result | k = 0 | k = 1 | k = 3 | k = 10 |" in text
    assert "| P1 adapt | 60.0 | 62.0 | – | 66.0 |" in text
    assert "| P1 adapt, reference alone | 60.0 | 61.0 | – | 63.0 |" in text
    assert "| P5 enrol | – | 50.0 | 55.0 (28 % of the clips) | – |" in text
    assert "P5 nEMO, 6 emotions, 3 folds | enrol (28 % of the clips) | **60.0** |" in text
    assert "P5 enrol, reference alone" not in text
    assert {"reference-adapt.png", "reference-enrol.png"} <= written


def test_report_when_calibrated_then_errors_pictures_and_coverage(tmp_path):
    calibration = {
        "temperatures": [0.8, 1.0], "ece_before": 0.111, "ece_after": 0.042,
        "bins": [{"confidence": 0.3, "accuracy": 0.35, "share": 0.4},
                 {"confidence": 0.8, "accuracy": 0.7, "share": 0.6},
                 {"confidence": 0.95, "accuracy": 0.0, "share": 0.0}],
        "risk_coverage": [{"threshold": 0.4, "coverage": 0.8, "accuracy": 0.75}],
    }  # fmt: skip
    text, written = page(tmp_path, result("P8", "joint", calibration=calibration))

    assert "0.111 before and 0.042 after" in text
    assert "| 0.40 | 80.0 % | 75.0 % |" in text
    assert {"P8-joint-reliability.png", "P8-joint-risk-coverage.png"} <= written


def test_report_when_no_temperature_was_used_then_it_says_so(tmp_path):
    calibration = {
        "temperatures": [1.0, 1.0], "ece_before": 0.021, "ece_after": 0.021,
        "bins": [{"confidence": 0.3, "accuracy": 0.35, "share": 1.0}],
        "risk_coverage": [{"threshold": 0.4, "coverage": 0.8, "accuracy": 0.75}],
    }  # fmt: skip
    text, _ = page(tmp_path, result("P8", "joint", calibration=calibration))

    assert "calibration error is 0.021. There is no temperature:" in text
    assert "before and" not in text


def test_report_when_arousal_was_measured_then_how_much_it_rises_and_with_which_emotion(tmp_path):
    arousal = {
        "pairs": 672, "rise": 0.055, "rise_ci95": [0.0082, 0.0934],
        "by_emotion": {"angry": {"normal": 0.7074, "strong": 0.8016, "rising": 0.75}},
    }  # fmt: skip
    text, _ = page(tmp_path, result("P8", "joint", arousal=arousal))

    assert "over 672 pairs of clips, arousal rises by 0.055" in text
    assert "95 % from 0.008 to 0.093" in text
    assert "| angry | 0.71 | 0.80 | 75 % |" in text


def test_report_when_p10_then_losses_by_condition_and_by_noise(tmp_path):
    conditions = {
        "clean": condition(0.6, 0.0),
        "10 dB": condition(0.5, 0.1, per_noise={"pink": {"uar": 0.4, "loss": 0.2}}),
        "RT60 0.6 s": condition(0.55, 0.05),
    }
    text, written = page(tmp_path, result("P10", "joint", float=None, conditions=conditions))

    assert "| 10 dB | 50.0 | 45.0 to 55.0 | 10.0 | 3 |" in text
    assert "| pink | 20.0 |" in text
    assert "P10-joint-conditions.png" in written
    assert "    affectd-train evaluate --runs SECOND_HALVES\n" in text


ROOT = Path(training.__file__).parents[1]


@pytest.mark.parametrize(
    ("page", "passages"),
    [
        ("README.md", ["accuracy", "noise"]),
        ("edge/models/MODEL_CARD.md", ["accuracy"]),
        ("docs/design.md", ["surroundings", "detectors", "streams"]),
    ],
)
def test_pages_when_committed_then_their_passages_say_what_the_results_say(page, passages, tmp_path):
    copy = tmp_path / "page.md"
    copy.write_text((ROOT / page).read_text(encoding="utf-8"), encoding="utf-8")
    before = copy.read_text(encoding="utf-8")

    assert [name for name in passages if f"<!-- {name}: made by " not in before] == []
    assert fill_in(copy, ROOT / "benchmarks" / "results" / "accuracy")
    assert copy.read_text(encoding="utf-8") == before, "run `affectd-train report`"


def test_noise_when_a_loss_is_hardly_there_then_no_figure_of_it():
    conditions = {
        "10 dB": condition(0.4, 0.149), "RT60 0.6 s": condition(0.5, 0.092),
        "telephone": condition(0.56, 0.0104), "electret": condition(0.6, -0.002),
        "laptop": condition(0.57, 0.044),
    }  # fmt: skip

    assert noise(result("P10", conditions=conditions)) == (
        "Losses against clean speech, in points (P10): noise at 10 dB SNR 15, a room with a\n"
        "reverberation time of 0.6 s 9, a telephone line 1, a laptop's microphone 4, "
        "a cheap electret less than one.\n"
    )
