import dataclasses

import msgspec
import numpy as np
import pytest
from voices import examples

from edge.inference.reference import VoiceReference
from training.features import Example
from training.histories import Histories, HistorySettings, unheard
from training.reference_prior import reference_prior

PARTS = examples(speakers=4, takes=3)
PRIOR = reference_prior(PARTS)


def frames_of(settings, i=0, parts=PARTS, seed=0):
    return Histories(parts, PRIOR, settings).frames(i, np.random.default_rng(seed))


def test_histories_when_never_heard_then_as_a_new_voice():
    for drawn, expected in zip(
        Histories(PARTS, PRIOR, HistorySettings(none=1.0, enrolled=0.0)).seen(np.random.default_rng(0)),
        unheard(PARTS, PRIOR),
        strict=True,
    ):
        np.testing.assert_array_equal(drawn.frames, expected.frames)


SETTINGS = [HistorySettings(none=0, enrolled=0), HistorySettings(none=0, enrolled=1)]


@pytest.mark.parametrize("settings", SETTINGS)
def test_histories_when_a_speaker_has_no_other_clip_then_as_a_new_voice(settings):
    """So the clip itself is never in its own reference."""
    alone = [e for e in PARTS if e.clip.emotion == "neutral"][:1]

    for seed in range(20):
        drawn = frames_of(settings, parts=alone, seed=seed)
        np.testing.assert_array_equal(drawn, unheard(alone, PRIOR)[0].frames)


def test_histories_when_a_speaker_has_one_neutral_clip_then_that_enrols_the_others():
    me = PARTS[0].clip.speaker
    mine = [e for e in PARTS if e.clip.speaker == me]
    felt = next(e for e in mine if e.clip.emotion != "neutral")
    calm = next(e for e in mine if e.clip.emotion == "neutral")
    reference = VoiceReference(PRIOR)
    reference.enrol([calm.frames.mean(axis=0)])

    drawn = frames_of(HistorySettings(none=0, enrolled=1), parts=[felt, calm])
    np.testing.assert_allclose(drawn, reference.relative(felt.frames), atol=1e-5)


@pytest.mark.parametrize("settings", SETTINGS)
def test_histories_when_other_speakers_change_then_none_of_mine_does(settings):
    me = PARTS[0].clip.speaker
    changed = [e if e.clip.speaker == me else Example(e.clip, e.frames + 100.0) for e in PARTS]

    for seed in range(20):
        np.testing.assert_array_equal(
            frames_of(settings, parts=changed, seed=seed), frames_of(settings, seed=seed)
        )


SEVERAL = [msgspec.structs.replace(settings, one_emotion=False) for settings in SETTINGS]


@pytest.mark.parametrize(("others", "heard"), [(0, False), (1, False), (2, True)])
@pytest.mark.parametrize("settings", SEVERAL)
def test_histories_when_a_speaker_expresses_one_emotion_in_three_quarters_then_as_a_new_voice(
    settings, others, heard
):
    mine = [e for e in examples(takes=5) if e.clip.speaker == PARTS[0].clip.speaker]
    calm = [e for e in mine if e.clip.emotion == "neutral"]
    felt = [e for e in mine if e.clip.emotion != "neutral"]
    parts = [*calm, *felt[:others]]
    alone = unheard(parts, PRIOR)[0].frames

    drawn = [frames_of(settings, parts=parts, seed=seed) for seed in range(20)]
    assert any(not np.array_equal(frames, alone) for frames in drawn) == heard


@pytest.mark.parametrize(("one_emotion", "heard"), [(True, True), (False, False)])
@pytest.mark.parametrize("settings", SETTINGS)
def test_histories_when_a_speaker_expresses_one_emotion_alone_then_heard_before_unless_the_recipe_says_no(
    settings, one_emotion, heard
):
    settings = msgspec.structs.replace(settings, one_emotion=one_emotion)
    me = PARTS[0].clip.speaker
    calm = [e for e in PARTS if e.clip.speaker != me or e.clip.emotion == "neutral"]
    i = next(i for i, e in enumerate(calm) if e.clip.speaker == me)
    alone = unheard(calm, PRIOR)[i].frames

    drawn = [frames_of(settings, i, calm, seed=seed) for seed in range(20)]
    assert any(not np.array_equal(frames, alone) for frames in drawn) == heard


def test_histories_when_all_turns_are_heard_then_the_reference_is_their_mean():
    mine = [e for e in PARTS if e.clip.speaker == PARTS[0].clip.speaker]
    reference = VoiceReference(PRIOR)
    for example in mine[1:]:
        reference.learn(example.frames.mean(axis=0))
    drawn = {
        frames_of(HistorySettings(none=0, enrolled=0), parts=mine, seed=seed).tobytes() for seed in range(40)
    }
    expected = reference.relative(mine[0].frames).ravel()

    assert min(np.abs(np.frombuffer(x, np.float32) - expected).max() for x in drawn) < 1e-3
    assert len(drawn) > 3


@pytest.mark.parametrize("shares", [(0.8, 0.3), (-0.1, 0.0), (0.0, 1.1)])
def test_history_settings_when_shares_make_no_sense_then_refused(shares):
    with pytest.raises(ValueError, match="add up to at most 1"):
        HistorySettings(none=shares[0], enrolled=shares[1])


def test_prior_when_voices_and_turns_scatter_then_both_variances_are_found():
    rng = np.random.default_rng(0)
    voices = rng.normal(0, 3.0, (400, 1, 40))
    turns = voices + rng.normal(0, 0.5, (400, 6, 40))
    parts = [
        Example(PARTS[0].clip.__class__(PARTS[0].clip.path, "c", f"s{s}", "neutral" if t < 3 else "angry"),
                (turns[s, t] + (t < 3) * 2.0)[None].astype(np.float32))
        for s in range(400)
        for t in range(6)
    ]  # fmt: skip
    prior = reference_prior(parts)

    # The neutral turns stand 2 above the others, so 1 above the mean: that is 1 more of variance within.
    np.testing.assert_allclose(np.mean(prior.voice_variance), 9.0, rtol=0.1)
    np.testing.assert_allclose(np.mean(prior.turn_variance), (0.25 + 1.2), rtol=0.1)
    np.testing.assert_allclose(prior.neutral_offset, 1.0, atol=0.15)
    np.testing.assert_allclose(np.mean(prior.neutral_turn_variance), 0.25, rtol=0.1)


def test_prior_when_nobody_is_neutral_then_no_offset_is_assumed():
    prior = reference_prior(examples(labels=("angry", "sad")))

    assert set(prior.neutral_offset) == {0.0}
    assert prior.neutral_variance == prior.turn_variance


def one_emotion_each(parts, louder=1.0):
    return [
        Example(dataclasses.replace(e.clip, speaker=f"{e.clip.speaker} {e.clip.emotion}"), e.frames * louder)
        for e in parts
    ]


def test_prior_when_some_speakers_express_one_emotion_nearly_always_then_no_say_if_the_recipe_says_so():
    several = examples(speakers=4, takes=3)
    all_of_them = [*several, *one_emotion_each(several, louder=3.0)]

    assert reference_prior(all_of_them, one_emotion=False) == reference_prior(several)
    assert reference_prior(all_of_them) != reference_prior(several)


def test_prior_when_only_two_speakers_express_several_emotions_then_the_others_have_a_say_all_the_same():
    parts = [*one_emotion_each(PARTS), *examples(speakers=2, takes=3)]

    assert reference_prior(parts, one_emotion=False) == reference_prior(parts)
