"""A fold refuses to build on runs that have heard whom it is tested on."""

import dataclasses
import shutil

import msgspec
import pytest
from voices import LABELS, TINY, clip, examples

from training.base import BaseError
from training.fit import fit
from training.protocols import Protocol, Split
from training.run_folder import DamagedRunError, read_info, write_info
from training.unheard import check_unheard, speakers_trained_on

pytestmark = pytest.mark.training

BY_SPEAKER = Protocol("P1", "in", LABELS, ())
BY_CLIP = dataclasses.replace(BY_SPEAKER, name="P7", speaker_dependent=True)


def split_of(tested):
    return Split("1", (), tuple(tested))


@pytest.fixture(scope="module")
def heard(corpus):
    return [example.clip for example in corpus]


def test_check_unheard_when_the_test_speakers_are_new_then_whatever_clips_were_heard(finished_run, heard):
    check_unheard([finished_run[0]], BY_SPEAKER, split_of([clip("sad", 99, 0)]), heard[:3])


def test_check_unheard_when_a_test_speaker_was_heard_then_refused_by_name(finished_run, heard):
    split = split_of([clip("sad", 99, 0), heard[0]])
    with pytest.raises(BaseError, match=f"has heard {heard[0].speaker}, tested in fold 1"):
        check_unheard([finished_run[0]], BY_SPEAKER, split, heard)


def test_check_unheard_when_many_were_heard_then_some_are_named(finished_run, heard):
    with pytest.raises(BaseError, match="and others"):
        check_unheard([finished_run[0]], BY_SPEAKER, split_of(heard), heard)


def test_check_unheard_when_the_runs_own_base_has_heard_one_then_refused(finished_run, heard, tmp_path):
    recipe = msgspec.structs.replace(TINY, epochs=1, validation_speakers=0, one_speaker=True)
    others = [e for e in examples() if e.clip.speaker != heard[0].speaker]
    fit(others, LABELS, recipe, tmp_path / "run", base=finished_run[0])

    with pytest.raises(BaseError, match=heard[0].speaker):
        check_unheard([tmp_path / "run"], BY_SPEAKER, split_of([heard[0]]), heard)


def test_check_unheard_when_a_run_does_not_say_whom_it_heard_then_refused(finished_run, heard, tmp_path):
    shutil.copytree(finished_run[0], tmp_path / "run")
    write_info(tmp_path / "run", msgspec.structs.replace(read_info(tmp_path / "run"), speakers=()))

    with pytest.raises(BaseError, match="train it again"):
        check_unheard([tmp_path / "run"], BY_SPEAKER, split_of([clip("sad", 99, 0)]), heard)


def test_check_unheard_when_the_people_may_be_known_then_the_clips_must_be_those_of_the_fold(
    finished_run, heard
):
    split = split_of([heard[0]])
    check_unheard([finished_run[0]], BY_CLIP, split, heard[::-1])

    for others in (heard[:-1], [*heard, clip("sad", 99, 0)]):
        with pytest.raises(BaseError, match="perhaps on its test clips"):
            check_unheard([finished_run[0]], BY_CLIP, split, others)


@pytest.mark.parametrize("name", ["run.json", "start.json"])
def test_check_unheard_when_the_run_is_damaged_then_its_file_is_named(finished_run, heard, tmp_path, name):
    shutil.copytree(finished_run[0], tmp_path / "run")
    (tmp_path / "run" / name).write_text("{")
    with pytest.raises(DamagedRunError, match=f"run/{name}: is damaged"):
        check_unheard([tmp_path / "run"], BY_CLIP, split_of([heard[0]]), heard)


def test_check_unheard_when_there_is_no_finished_run_then_says_so(tmp_path, heard):
    with pytest.raises(BaseError, match="no finished run"):
        check_unheard([tmp_path], BY_SPEAKER, split_of([clip("sad", 99, 0)]), heard)


def test_trained_on_when_runs_build_on_others_then_all_but_whom_each_held_out(finished_run):
    first = msgspec.structs.replace(
        finished_run[1], speakers=("a", "b", "c"), validation_speakers=("b", "c"), base=None, teachers=()
    )
    second = msgspec.structs.replace(
        first, speakers=("b", "c", "d"), validation_speakers=("b",), base=first, teachers=()
    )
    unknown = msgspec.structs.replace(first, speakers=())

    assert speakers_trained_on([]) == set()
    assert speakers_trained_on([first]) == {"a"}
    assert speakers_trained_on([second]) == {"a", "c", "d"}
    assert speakers_trained_on([first, msgspec.structs.replace(second, base=unknown)]) is None
