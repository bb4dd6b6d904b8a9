"""Which lever is worth what: plans, and a small one carried out."""

from pathlib import Path

import msgspec
import pytest
from voices import TINY_TOML

import training
from training.ablation import AblationError, Plan, Variant, ablation_result, changed, chosen, load_plan, row
from training.cli import main
from training.fold import FoldResult
from training.recipe import Recipe, load_recipe, recipe_file
from training.report import write_report
from training.report.levers import levers
from training.run_log import read_runs

pytestmark = pytest.mark.training

SHIPPED = Path(training.__file__).parents[1] / "benchmarks" / "ablation.toml"
PLAN = """
protocol = "P1"
folds = ["2"]
recipe = "{recipe}"
validation_speakers = 1
[[variants]]
name = "no smoothing"
change.label_smoothing = 0.0
"""


def test_plan_when_shipped_then_every_variant_is_a_recipe_of_its_own():
    plan = load_plan(SHIPPED)
    base = changed(load_recipe(recipe_file(plan.recipe)), plan.change, "all")
    made = [changed(base, variant.change, variant.name) for variant in plan.variants]

    assert len({msgspec.json.encode(recipe) for recipe in (base, *made)}) == len(made) + 1


def test_chosen_when_some_are_named_then_those_behind_the_recipe_as_it_is_and_no_unknown_one():
    plan = Plan(protocol="P1", variants=tuple(Variant(name=name, change={}) for name in ("a", "b", "c")))

    assert [variant.name for variant in chosen(plan, None, "here")] == ["as it is", "a", "b", "c"]
    assert [variant.name for variant in chosen(plan, ["c", "a"], "here")] == ["as it is", "a", "c"]
    assert [variant.name for variant in chosen(plan, ["as it is"], "here")] == ["as it is"]
    with pytest.raises(AblationError, match=r"here.*called d.*a, b, c"):
        chosen(plan, ["a", "d"], "here")


def test_changed_when_one_field_of_a_table_is_named_then_the_others_stay():
    made = changed(Recipe(), {"augment": {"mixup": 0.2}, "epochs": 3}, "here")

    assert (made.augment.mixup, made.epochs) == (0.2, 3)
    assert msgspec.structs.replace(made.augment, mixup=0.0) == Recipe().augment


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "variants|protocol"),
        ('protocol = "P1"\nvariants = []\nfold = ["1"]', "fold"),
        ('protocol = "P1"' + 2 * '\n[[variants]]\nname = "a b"\nchange = {}', "a-b"),
        ('protocol = "P1"\n[[variants]]\nname = "as it is"\nchange = {}', "as-it-is"),
        ('protocol = "P1"\n[[variants]]\nname = "this, and that"\nchange = {}', "name"),
    ],
)  # fmt: skip
def test_plan_when_it_makes_no_sense_then_the_file_is_named(tmp_path, text, reason):
    (tmp_path / "plan.toml").write_text(text)
    with pytest.raises(AblationError, match=rf"plan\.toml.*({reason})"):
        load_plan(tmp_path / "plan.toml")


@pytest.mark.parametrize(
    "change", [{"augment": {"mixxup": 1.0}}, {"epochs": 0}, {"frontend": {"n_mfcc": 13}}]
)
def test_changed_when_it_is_no_recipe_then_the_variant_is_named(change):
    with pytest.raises(AblationError, match="the third one"):
        changed(Recipe(), change, "the third one")


def result(fold, seed, validation, right):
    """Ten clips of two labels, so many of them answered rightly."""
    truth = [0, 1] * 5
    answers = [t if i < right else 1 - t for i, t in enumerate(truth)]
    empty = {name: [] for name in ("clips", "speakers", "sexes", "corpora", "languages", "left_out")}
    return FoldResult(
        fold=fold, seed=seed, truth=truth, float_answers=answers, int8_answers=answers, int8_probabilities=[],
        int8_raw_confidences=[], float_headlines={}, int8_by_turns={}, parameters=7, macs=1, file_bytes=1,
        runtime="", temperature=1.0, best_epoch=1, validation_uar=validation, **empty,
    )  # fmt: skip


def test_row_when_there_is_a_base_then_gains_are_taken_fold_by_fold():
    base = [result("1", 0, 0.5, 4), result("2", 0, 0.7, 8)]
    # The same folds in another order: what is compared is a fold with itself.
    better = [result("2", 0, 0.72, 8), result("1", 0, 0.56, 6)]
    made = row(Variant(name="x", change={}), better, base)

    assert (made["validation_uar"], made["test_uar"], made["runs"]) == (0.64, 0.7, 2)
    assert (made["validation_gain"], made["test_gain"]) == (0.04, 0.1)
    assert made["validation_spread"] == pytest.approx(0.0283, abs=1e-4)
    assert row(Variant(name="x", change={}), better[:1], base[:1])["validation_spread"] is None


def test_levers_when_shown_then_each_has_gain_and_spread_and_what_is_missing_is_said():
    base = [result("1", 0, 0.5, 4), result("2", 0, 0.7, 8)]
    better = [result("1", 0, 0.56, 6), result("2", 0, 0.72, 8)]
    variants = tuple(Variant(name=name, change={}) for name in ("more", "less"))
    rows = [row(Variant(name="as it is", change={}), base), row(variants[0], better, base)]
    plan = Plan(protocol="P1", folds=("1", "2"), recipe="ravdess", change={"steps": 1000}, variants=variants)
    text = levers(ablation_result(plan, rows, "a command"))

    assert "| as it is | 60.0 | – | – | 60.0 | – | – | 7 |" in text
    assert "| more | 64.0 | +4.0 | 2.8 | 70.0 | +10.0 | 14.1 | 7 |" in text
    assert "ravdess.toml (`steps = 1000`) as it is" in text
    assert "folds 1, 2" in text
    assert "**not measured yet: 1**" in text


def measured(plan, names, before=None, better=0.56, base=0.5):
    results = {name: [result("1", 0, better, 6)] for name in names}
    rows = [row(Variant(name="as it is", change={}), [result("1", 0, base, 4)])]
    for variant in plan.variants:
        if variant.name in names:
            rows.append(row(variant, results[variant.name], [result("1", 0, base, 4)]))
    return ablation_result(plan, rows, "a command", before)


def gains(made):
    return {row["name"]: row.get("validation_gain") for row in made["rows"]}


def test_ablation_when_some_variants_are_measured_again_then_the_others_stay():
    variants = tuple(
        Variant(name=name, change={"seed": i}) for i, name in enumerate(("more", "less", "other"))
    )
    plan = Plan(protocol="P1", folds=("1",), variants=variants)
    # As it is read back from its file.
    before = msgspec.json.decode(msgspec.json.encode(measured(plan, ["more", "other"])))

    again = measured(plan, ["less", "other"], before, better=0.6)
    assert gains(again) == {"as it is": None, "more": 0.06, "less": 0.1, "other": 0.1}
    changed_since = Plan(
        protocol="P1", folds=("1",), variants=(Variant(name="more", change={}), *variants[1:])
    )
    assert gains(measured(changed_since, ["less"], before)) == {"as it is": None, "less": 0.06, "other": 0.06}
    other_folds = Plan(protocol="P1", folds=("2",), variants=variants)
    assert gains(measured(other_folds, ["less"], before)) == {"as it is": None, "less": 0.06}
    with pytest.raises(AblationError, match=r"2 other variants, such as 'more', .*name another file"):
        measured(plan, ["less"], before, base=0.4)


@pytest.mark.endurance
def test_ablate_command_when_done_then_a_row_for_each_variant_on_the_page_and_in_the_log(
    evaluated, corpus_table, tmp_path, capsys
):
    (tmp_path / "tiny.toml").write_text(TINY_TOML.format(epochs=1, validation_speakers=0))
    (tmp_path / "plan.toml").write_text(PLAN.format(recipe=tmp_path / "tiny.toml"))
    command = [
        "ablate", tmp_path / "plan.toml", "--corpus", f"csv={corpus_table}", "--jobs", 1,
        "--cache", evaluated[0] / "cache", "--runs", tmp_path / "runs",
        "--output", tmp_path / "ablation.json", "--log", tmp_path / "runs.jsonl",
    ]  # fmt: skip

    assert main(list(map(str, command))) == 0
    assert "gain " in capsys.readouterr().out
    made = msgspec.json.decode((tmp_path / "ablation.json").read_bytes())
    assert [r["name"] for r in made["rows"]] == ["as it is", "no smoothing"]
    assert made["rows"][1]["change"] == {"label_smoothing": 0.0}
    assert {run.protocol for run in read_runs(tmp_path / "runs.jsonl")} == {
        "ablation-as-it-is",
        "ablation-no-smoothing",
    }
    results = list((tmp_path / "runs").rglob("result.json"))
    assert len(results) == 2
    # A variant is judged on new voices: the curves over what is known of a voice would take most of the time.
    assert all(msgspec.json.decode(result.read_bytes())["int8_by_turns"] == {} for result in results)
    write_report(evaluated[0] / "results", tmp_path / "accuracy.md", tmp_path / "ablation.json")
    page = (tmp_path / "accuracy.md").read_text()
    assert "| no smoothing |" in page
    assert "only 1 of 6 folds" in page or "folds 2" in page
