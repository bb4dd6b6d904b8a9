import msgspec
import pytest

from training.cli import main
from training.conditions import CONDITIONS
from training.corpora import read_corpus
from training.fold import FoldResult
from training.protocols import plan
from training.robustness import RobustnessError, robustness_figures, score_fold

pytestmark = pytest.mark.training


@pytest.fixture(scope="module")
def scored(evaluated, corpus_table):
    """A finished fold through every condition: the split, its folder, what came out, and what was told."""
    pytest.importorskip("pyroomacoustics")
    folder = evaluated[0] / "runs" / "P1-in" / "seed0-fold1"
    (split,) = plan("P1", read_corpus("csv", corpus_table).clips, ["1"]).splits
    told = []
    fold = score_fold(split, 0, folder, 1, lambda *news: told.append(news))
    return split, folder, fold, told


def test_score_fold_when_clean_then_the_answers_of_the_evaluation(scored):
    _, folder, fold, _ = scored
    kept = msgspec.json.decode((folder / "result.json").read_bytes(), type=FoldResult)

    assert [clip.path.name for clip in fold.clips] == kept.clips
    assert fold.answers["clean"] == kept.int8_answers
    assert set(fold.answers) == {condition.name for condition in CONDITIONS}


def test_score_fold_when_done_then_it_told_of_every_condition_and_reads_its_answers_back(scored):
    split, folder, fold, told = scored
    again = []

    assert [done for _, done, total in told if done == total] == [len(fold.clips)] * len(CONDITIONS)
    assert score_fold(split, 0, folder, 1, lambda *news: again.append(news)) == fold
    assert again == []


def test_score_fold_when_stopped_between_conditions_then_only_the_missing_ones_are_scored(scored):
    split, folder, fold, _ = scored
    file = folder / "robustness.json"
    whole = file.read_bytes()
    kept = msgspec.json.decode(whole)
    del kept["answers"]["5 dB"]
    file.write_bytes(msgspec.json.encode(kept))
    told = []

    assert score_fold(split, 0, folder, 1, lambda *news: told.append(news)).answers == fold.answers
    assert {name for name, _, _ in told} == {f"{folder.name} 5 dB"}


def test_score_fold_when_the_model_is_another_then_its_old_answers_do_not_count(scored, tmp_path):
    split, folder, _, _ = scored
    for name in ("model.tflite", "result.json"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    kept = msgspec.json.decode((folder / "robustness.json").read_bytes())
    kept["flatbuffer_sha256"] = "0" * 64
    (tmp_path / "robustness.json").write_bytes(msgspec.json.encode(kept))
    told = []
    score_fold(split, 0, tmp_path, 1, lambda *news: told.append(news))

    assert len({name for name, _, _ in told}) == len(CONDITIONS)


def test_score_fold_when_the_result_of_p8_is_damaged_then_says_how_to_make_it_again(scored, tmp_path):
    split, folder, _, _ = scored
    (tmp_path / "model.tflite").write_bytes((folder / "model.tflite").read_bytes())
    (tmp_path / "result.json").write_text('{"clips": [')

    with pytest.raises(RobustnessError, match="run `affectd-train evaluate --protocol P8` first"):
        score_fold(split, 0, tmp_path, 1)


def test_robustness_figures_when_made_then_the_loss_is_against_clean(scored):
    _, _, fold, _ = scored
    labels = ("angry", "neutral", "sad")
    made = robustness_figures(labels, [fold], {"name": "tiny"}, "a command")
    conditions = made["conditions"]

    assert (made["protocol"], made["form"], made["condition"]) == ("P10", "joint", "10 dB")
    assert made["int8"]["uar"] == conditions["10 dB"]["uar"]
    assert conditions["clean"]["loss"] == 0.0
    for row in conditions.values():
        assert row["loss"] == pytest.approx(conditions["clean"]["uar"] - row["uar"], abs=2e-4)
    assert set(conditions["10 dB"]["per_noise"]) <= {"pink", "hum", "music", "babble"}
    assert made["per_fold"][0]["clean_uar"] == conditions["clean"]["uar"]


def test_score_fold_when_the_clips_are_others_then_refused(scored, corpus_table):
    _, folder, _, _ = scored
    (other,) = plan("P1", read_corpus("csv", corpus_table).clips, ["2"]).splits

    with pytest.raises(RobustnessError, match=r"was tested on .* which is not in fold 2"):
        score_fold(other, 0, folder, 1)


def test_evaluate_command_when_p10_and_no_finished_fold_then_one_line_and_66(corpus_table, tmp_path, capsys):
    code = main(["evaluate", "--protocol", "P10", "--corpus", f"csv={corpus_table}", "--runs", str(tmp_path)])

    assert code == 66
    assert "no finished fold of P8" in capsys.readouterr().err
