"""A network that goes on with clips of one's own: as a command, on tones."""

import dataclasses
import re
import shutil

import msgspec
import numpy as np
import pytest
import soundfile
from voices import LABELS, TINY, examples, voice, write_corpus

from edge.inference.card import decode_card
from training.cli import main
from training.commands.tune import say
from training.features import Example
from training.run_folder import read_info, write_info
from training.tune import Part, fitted_temperature, speaker_groups, tune
from training.tune_report import Judged, TuneReport, judge

pytestmark = pytest.mark.training

GENTLE = "steps = 12\nbatch_size = 6\nvalidation_speakers = 0\nlearning_rate = 2e-3\n"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Two people of whom the network has heard none, p0 and p1, who are excited at times."""
    folder = tmp_path_factory.mktemp("site")
    table = write_corpus(folder, speakers=2, takes=5, corpus="site")
    lines = re.sub(r",s(\d),", r",p\1,", table.read_text()).splitlines()
    for speaker in range(2):
        for take in range(5):
            name = f"excited-{speaker}-{take}.wav"
            # Between neutral and angry, and the network has no label for it.
            soundfile.write(
                folder / name, 0.5 * voice("neutral", speaker, take) + voice("angry", speaker, take), 16_000
            )
            lines.append(f"{name},p{speaker},excited,site,,f,en,CC0")
    table.write_text("\n".join(lines) + "\n")
    return table


@pytest.fixture(scope="module")
def tuned(site, finished_run, tmp_path_factory):
    folder = tmp_path_factory.mktemp("tuned")
    (folder / "gentle.toml").write_text(GENTLE)
    command = [
        "tune", "--from", finished_run[0], "--corpus", f"csv={site}", "--run", folder / "run",
        "--add-label", "excited=0.8,0.6", "--recipe", folder / "gentle.toml", "--cache", folder / "cache",
        "--log", folder / "runs.jsonl",
    ]  # fmt: skip
    return folder, list(map(str, command)), main(list(map(str, command)))


def test_tune_command_when_done_then_the_run_can_be_converted_and_knows_the_new_label(tuned, finished_run):
    folder, _, code = tuned
    info = read_info(folder / "run")
    card = decode_card((folder / "run" / "card.json").read_bytes())

    assert code == 0
    assert card.labels == info.labels == (*LABELS, "excited")
    assert card.circumplex["excited"] == (0.8, 0.6)
    # The ear is that of the network it comes from: only so do its weights mean the same.
    assert (info.mean, info.std, info.prior) == (
        finished_run[1].mean,
        finished_run[1].std,
        finished_run[1].prior,
    )
    # Two speakers are too few to fit another.
    assert info.temperature == finished_run[1].temperature
    assert card.temperature == round(info.temperature, 4)
    assert all(
        (folder / "run" / name).exists() for name in ("network.keras", "calibration.npz", "comparison.npz")
    )
    (line,) = (folder / "runs.jsonl").read_text().splitlines()
    assert '"protocol":"tune"' in line


def test_tune_command_when_done_then_it_was_judged_on_people_who_were_left_out(tuned):
    folder, _, _ = tuned
    report = msgspec.json.decode((folder / "run" / "tuned.json").read_bytes(), type=TuneReport)

    assert (report.speakers, report.clips) == (2, 40)
    assert report.per_label["excited"][:2] == (10, 0.0)
    assert set(report.per_speaker) == {"p0", "p1"}
    assert report.heard_before == ()
    low, high = report.gain_ci95
    assert low <= round(report.after_uar - report.before_uar, 4) <= high
    assert report.without_clips == ()
    starts = [
        msgspec.json.decode((folder / "run" / f"without-{i}" / "start.json").read_bytes()) for i in (1, 2)
    ]
    assert len({start["clips"] for start in starts}) == 2


def test_tune_command_when_given_again_then_nothing_is_trained_anew(tuned, capsys):
    folder, command, _ = tuned
    before = (folder / "run" / "network.keras").stat().st_mtime_ns
    code = main(command)
    said = capsys.readouterr()

    assert code == 0
    assert (folder / "run" / "network.keras").stat().st_mtime_ns == before
    assert "epoch" not in said.err
    assert "40 clips of 2 speakers\n2 of them are tested, with networks that have not heard them:" in said.out
    assert "heard by the network before tuning" not in said.out
    assert "excited   0.0%" in said.out
    assert f"next: affectd-convert {folder / 'run'}" in said.out
    assert len((folder / "runs.jsonl").read_text().splitlines()) == 1


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ([], "1 clip(s) of sad"),
        (["--add-label", "sleepy"], "sleepy has no arousal and valence"),
        (["--from", "nowhere"], "nowhere: no finished run to start or learn from"),
    ],
)
def test_tune_command_when_the_clips_cannot_support_it_then_one_line_and_65(
    tuned, site, tmp_path, capsys, more, reason
):
    _, command, _ = tuned
    few = site.parent / "few.csv"
    lines = [line for line in site.read_text().splitlines() if ",sad," not in line]
    few.write_text("\n".join([*lines, "sad-0-0.wav,p0,sad,site,,f,en,CC0"]) + "\n")
    command = ["tune", "--from", command[2], "--corpus", f"csv={few}", "--run", str(tmp_path), *more]

    assert main(command) == 65
    assert reason in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize(
    ("file", "content"), [("run.json", "{}"), ("network.keras", "no archive")], ids=["run.json", "network"]
)
def test_tune_command_when_the_run_to_start_from_is_damaged_then_one_line_and_65(
    tuned, finished_run, tmp_path, capsys, file, content
):
    shutil.copytree(finished_run[0], tmp_path / "base")
    (tmp_path / "base" / file).write_text(content)
    _, command, _ = tuned
    command = [*command, "--from", str(tmp_path / "base"), "--run", str(tmp_path / "run")]

    assert main(command) == 65
    line = capsys.readouterr().err.splitlines()[-1]
    assert line.startswith(f"affectd-train: {tmp_path / 'base' / file}: is damaged (")
    assert line.endswith(", and train it again")


def test_tune_command_when_the_run_would_be_a_file_then_one_line_and_65(tuned, tmp_path, capsys):
    (tmp_path / "file").touch()

    assert main([*tuned[1], "--run", str(tmp_path / "file")]) == 65
    assert "is a file; name a folder for the run" in capsys.readouterr().err


def tune_on(people, base, folder):
    """Gently, on clips of people of whom those named s0 to s5 are in the finished run."""
    clips = [
        Example(dataclasses.replace(e.clip, speaker=people[int(e.clip.speaker[1:])]), e.frames)
        for e in examples(speakers=len(people), takes=1)
    ]
    recipe = msgspec.structs.replace(TINY, epochs=1, validation_speakers=0)
    return tune(base, clips, (), recipe, folder, lambda *_: None)[1]


def test_tune_when_the_network_had_heard_somebody_then_only_the_others_are_judged(
    finished_run, tmp_path, capsys
):
    report = tune_on(["new", "s1", "newer"], finished_run[0], tmp_path)
    starts = [msgspec.json.decode((tmp_path / f"without-{i}" / "run.json").read_bytes()) for i in (1, 2)]
    say(report)

    assert (report.speakers, report.heard_before) == (3, ("s1",))
    assert set(report.per_speaker) == {"new", "newer"}
    assert [start["speakers"] for start in starts] == [["newer", "s1"], ["new", "s1"]]
    assert "2 speakers whom the network had not heard before are too few" in report.verdict
    said = capsys.readouterr().out
    assert "1 of them had been heard by the network before tuning, so they are not tested: s1 (" in said
    assert "2 of them are tested" in said


def test_tune_when_one_speaker_alone_has_a_new_label_then_that_one_is_in_every_training(
    finished_run, tmp_path, capsys
):
    clips = [
        Example(
            dataclasses.replace(e.clip, speaker=f"new{e.clip.speaker}", emotion=emotion_of(e.clip)), e.frames
        )
        for e in examples(speakers=3, takes=1)
    ]
    recipe = msgspec.structs.replace(TINY, epochs=1, validation_speakers=0, circumplex={"calm": (-0.5, 0.5)})
    report = tune(finished_run[0], clips, ("calm",), recipe, tmp_path, lambda *_: None)[1]
    say(report)

    assert report.alone_with_a_label == ("news0",)
    assert set(report.per_speaker) == {"news1", "news2"}
    said = capsys.readouterr().out
    assert "not tested, since nobody else has clips of a new label: news0" in said
    assert "2 of them are tested" in said


def emotion_of(clip):
    """Calm in place of neutral where s0 speaks."""
    return "calm" if clip.speaker == "s0" and clip.emotion == "neutral" else clip.emotion


@pytest.mark.parametrize("people", [["s1", "s2", "s3", "s4"], ["s1", "s2", "s3", "s4", "new"]])
def test_tune_when_the_network_had_heard_all_but_one_then_nothing_is_judged(
    finished_run, tmp_path, capsys, people
):
    report = tune_on(people, finished_run[0], tmp_path)
    say(report)

    assert (report.per_speaker, report.before_uar) == ({}, None)
    assert report.heard_before == ("s1", "s2", "s3", "s4")
    assert report.verdict.startswith("fewer than two speakers whom the network had not heard before")
    assert list(tmp_path.glob("without-*")) == []
    said = capsys.readouterr().out
    assert "s1, s2, s3 and others (" in said
    assert "UAR" not in said


def test_tune_when_the_run_does_not_say_whom_it_heard_then_nothing_is_judged(finished_run, tmp_path):
    shutil.copytree(finished_run[0], tmp_path / "base")
    write_info(tmp_path / "base", msgspec.structs.replace(finished_run[1], speakers=()))
    report = tune_on(["new", "newer"], tmp_path / "base", tmp_path / "run")

    assert (report.heard_before, report.per_speaker) == (None, {})
    assert "has no record of its speakers" in report.verdict
    assert "cannot be measured" in report.verdict


def test_temperature_when_speakers_are_many_then_it_tames_answers_that_are_too_sure():
    truth = np.array([0, 1] * 20)
    sure = [
        np.array([[9.0, -9.0]] if (t == 0) != (i % 4 == 0) else [[-9.0, 9.0]]) for i, t in enumerate(truth)
    ]
    parts = [Part(list(range(40)), sure)]
    people = Judged(truth, truth, truth, [f"s{i % 5}" for i in range(40)])

    assert fitted_temperature(parts, people) > 2.0
    assert fitted_temperature(parts, Judged(truth, truth, truth, ["s0", "s1"] * 20)) is None


def judged(before, after, speakers, truth=None):
    truth = np.array([0, 1] * (len(speakers) // 2)) if truth is None else truth
    answers = {True: truth, False: 1 - truth}
    return Judged(truth, answers[before], answers[after], speakers)


@pytest.mark.parametrize(
    ("before", "after", "people", "verdict"),
    [
        (False, True, 6, "better on people"),
        (True, False, 6, "worse on people"),
        (True, True, 6, "no difference can be shown"),
        (False, True, 4, "4 speakers are too few to measure"),
    ],
)
def test_report_when_judged_then_it_says_what_can_be_told(before, after, people, verdict):
    report = judge(judged(before, after, [f"s{i // 2}" for i in range(2 * people)]), [], ("a", "b"), 1.0, 5)

    assert verdict in report.verdict
    assert (report.before_uar, report.after_uar) == (float(before), float(after))


def test_report_when_a_label_was_added_then_its_gain_does_not_hide_what_the_others_lose():
    truth = np.array([0, 1, 2, 2] * 6)
    after = np.where(truth == 2, 2, 1 - truth)
    people = Judged(truth, np.where(truth == 2, 0, truth), after, [f"s{i // 4}" for i in range(24)])
    report = judge(people, [], ("a", "b", "new"), 1.0, 5, new_labels=("new",))

    assert (report.before_uar, report.after_uar, report.gain_ci95) == (1.0, 0.0, (-1.0, -1.0))
    assert report.verdict.startswith("worse on people")
    assert report.per_label["new"] == (12, 0.0, 1.0)


def test_report_when_all_clips_are_of_a_new_label_then_nothing_is_said_of_the_others(capsys):
    answers = np.full(6, 2)
    people = Judged(answers, answers - 1, answers, [f"s{i}" for i in range(6)])
    report = judge(people, [], ("a", "b", "new"), 1.0, 5, new_labels=("new",))
    say(report)

    assert (report.before_uar, report.per_speaker) == (None, {})
    assert "no clip of a label that the network had before" in report.verdict
    assert "new   0.0% 100.0%   of 6 clips, new: not in the UAR" in capsys.readouterr().out


def test_report_when_nobody_could_be_left_out_then_nothing_is_claimed():
    report = judge(judged(True, True, []), [], ("a", "b"), 1.0, 5)

    assert (report.before_uar, report.gain_ci95, report.per_speaker) == (None, None, {})
    assert "cannot be measured" in report.verdict


def test_groups_when_few_speak_a_new_label_then_they_are_never_left_out_together(corpus):
    groups = speaker_groups(corpus, ())
    rare = [e for e in corpus if e.clip.emotion != "sad" or e.clip.speaker in ("s0", "s5")]
    with_rare = speaker_groups(rare, ("sad",))

    assert sorted(speaker for group in groups for speaker in group) == [f"s{i}" for i in range(6)]
    assert not any({"s0", "s5"} <= group for group in with_rare)
    assert speaker_groups([e for e in corpus if e.clip.speaker == "s0"], ()) == []


def test_groups_when_the_network_has_heard_some_then_these_are_in_none(corpus):
    groups = speaker_groups(corpus, (), {"s1", "s4", "somebody else"})

    assert sorted(speaker for group in groups for speaker in group) == ["s0", "s2", "s3", "s5"]
    assert all(groups)
