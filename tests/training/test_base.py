import dataclasses
import pickle
import shutil
import zipfile

import keras
import msgspec
import numpy as np
import pytest
from voices import LABELS, TINY, examples

from edge.inference.card import decode_card
from edge.inference.leaning import LeaningPrior
from training.base import BaseError, base_for
from training.features import Example
from training.fit import fit
from training.leaning_prior import at_temperature
from training.networks import build_network
from training.run_folder import DamagedRunError, RunMismatchError, write_info

pytestmark = pytest.mark.training

LABELS_AND_BORED = (*LABELS, "bored")


LEANING = LeaningPrior(
    usual=(0.2, -0.4, 0.2),
    neutral=(0.1, 0.1, -0.2),
    voice_variance=0.4,
    turn_variance=0.8,
    neutral_voice_variance=0.2,
    neutral_turn_variance=0.4,
    neutral_covariance=0.1,
)


@pytest.fixture(scope="module")
def base(finished_run):
    return base_for(TINY, finished_run[0])


def test_base_for_when_a_run_is_finished_then_its_network_and_how_windows_are_made(base, finished_run):
    _, info, _ = finished_run

    assert base.info == info
    np.testing.assert_allclose(base.mean, info.mean, rtol=1e-6)
    np.testing.assert_allclose(base.std, info.std, rtol=1e-6)


def test_hand_over_when_labels_are_in_another_order_then_each_answer_is_as_before(base):
    config = TINY.mfcc_config
    windows = (
        np.random.default_rng(0).standard_normal((5, TINY.n_frames, config.n_features)).astype(np.float32)
    )
    network = build_network(
        TINY.network, TINY.n_frames, config.n_features, len(LABELS_AND_BORED), config.n_pitch
    )
    base.hand_over(network, LABELS_AND_BORED[::-1])

    known = np.asarray(base.network.predict(windows, verbose=0))
    answers = np.asarray(network.predict(windows, verbose=0))
    np.testing.assert_allclose(answers[:, :0:-1], known, atol=1e-5)


def test_hand_over_when_a_layer_has_another_shape_then_it_says_so_and_what_to_do(base):
    config = TINY.mfcc_config
    wider = msgspec.structs.replace(TINY.network, width=24)
    network = build_network(wider, TINY.n_frames, config.n_features, len(LABELS), config.n_pitch)

    with pytest.raises(BaseError, match="another version of affectd; train it again"):
        base.hand_over(network, LABELS)


def test_fit_when_there_is_a_base_then_it_starts_from_what_that_knows(finished_run, tmp_path):
    """One epoch from scratch on these clips gets nowhere; with the base there is nothing left to learn."""
    clips = examples(speakers=3, takes=2)
    once = msgspec.structs.replace(TINY, epochs=1, validation_speakers=0, learning_rate=1e-4)
    losses = {}
    for name, start in (("scratch", None), ("base", finished_run[0])):
        told = []
        fit(clips, LABELS, once, tmp_path / name, told.append, start)
        losses[name] = told[0].loss

    assert losses["base"] < 0.8 * losses["scratch"]


def test_fit_when_there_is_a_base_then_voices_and_windows_stay_as_its_card_says(finished_run, tmp_path):
    once = msgspec.structs.replace(TINY, epochs=1, validation_speakers=0)
    info = fit(examples(speakers=3, takes=1), LABELS, once, tmp_path / "run", base=finished_run[0])

    assert info.prior == finished_run[1].prior
    assert info.mean == pytest.approx(finished_run[1].mean)


def test_fit_when_there_is_a_base_then_the_card_names_its_making_and_its_licences_too(finished_run, tmp_path):
    once = msgspec.structs.replace(TINY, epochs=1, validation_speakers=0)
    clips = [
        Example(dataclasses.replace(e.clip, licence="mine"), e.frames) for e in examples(speakers=3, takes=1)
    ]
    fit(clips, LABELS, once, tmp_path / "run", base=finished_run[0])
    card = decode_card((tmp_path / "run" / "card.json").read_bytes())

    assert card.licence == "CC0, mine"
    assert card.provenance["recipe"]["epochs"] == 1
    assert card.provenance["base"]["recipe"]["epochs"] == 8
    assert card.provenance["base"]["training_clips"] == finished_run[1].corpora


def test_fit_when_a_share_of_the_base_is_kept_then_the_weights_are_so_far_between(
    finished_run, base, tmp_path
):
    clips = examples(speakers=3, takes=1)
    once = msgspec.structs.replace(TINY, epochs=1, validation_speakers=0)
    networks = {}
    for share in (0.0, 0.25):
        recipe = msgspec.structs.replace(once, base_share=share)
        fit(clips, LABELS, recipe, tmp_path / str(share), base=finished_run[0])
        networks[share] = keras.models.load_model(tmp_path / str(share) / "network.keras").get_weights()

    for before, learned, kept in zip(base.network.get_weights(), networks[0.0], networks[0.25], strict=True):
        np.testing.assert_allclose(kept, 0.25 * before + 0.75 * learned, rtol=1e-5, atol=1e-6)
    assert any(np.abs(a - b).max() > 1e-3 for a, b in zip(networks[0.0], networks[0.25], strict=True))


def test_fit_when_a_share_of_no_base_shall_be_kept_then_says_which_run_to_name(tmp_path):
    recipe = msgspec.structs.replace(TINY, base_share=0.5)
    with pytest.raises(BaseError, match="name that run"):
        fit(examples(speakers=3, takes=1), LABELS, recipe, tmp_path / "run")


def test_fit_when_the_base_is_another_then_the_begun_run_is_not_taken_up(finished_run, tmp_path):
    clips = examples(speakers=3, takes=1)
    once = msgspec.structs.replace(TINY, epochs=1, validation_speakers=0)
    fit(clips, LABELS, once, tmp_path / "run")

    with pytest.raises(RunMismatchError, match="different base"):
        fit(clips, LABELS, once, tmp_path / "run", base=finished_run[0])


def test_fit_when_finished_then_the_network_that_it_started_from_is_not_read_again(
    finished_run, tmp_path, monkeypatch
):
    clips = examples(speakers=3, takes=1)
    once = msgspec.structs.replace(TINY, epochs=1, validation_speakers=0)
    info = fit(clips, LABELS, once, tmp_path / "run", base=finished_run[0])
    monkeypatch.setattr(keras.models, "load_model", lambda *_, **__: pytest.fail("read again"))

    assert fit(clips, LABELS, once, tmp_path / "run", base=finished_run[0]) == info


@pytest.mark.parametrize(
    "content", [b"", b"no archive", None], ids=["empty", "garbled", "an archive cut open"]
)
def test_base_for_when_its_network_is_damaged_then_its_file_is_named(finished_run, tmp_path, content):
    shutil.copytree(finished_run[0], tmp_path / "run")
    file = tmp_path / "run" / "network.keras"
    if content is None:
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("config.json", "{}")
    else:
        file.write_bytes(content)
    with pytest.raises(
        DamagedRunError, match=r"network\.keras: is damaged .*; remove .*run, and train it again"
    ) as caught:
        _ = base_for(TINY, tmp_path / "run").network
    assert "not found" not in str(caught.value)
    # As the process of a fold sends it.
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


def test_base_for_when_no_run_is_there_then_says_so(tmp_path):
    with pytest.raises(BaseError, match="no finished run to start or learn from"):
        base_for(TINY, tmp_path)


def test_base_for_when_the_network_is_another_then_says_what(finished_run):
    wider = msgspec.structs.replace(TINY, n_frames=64)
    with pytest.raises(BaseError, match="does not have the same n_frames as the recipe"):
        base_for(wider, finished_run[0])


def test_fit_when_clips_are_too_few_for_a_leaning_then_the_bases_at_the_new_temperature(
    finished_run, tmp_path
):
    shutil.copytree(finished_run[0], tmp_path / "base")
    write_info(tmp_path / "base", msgspec.structs.replace(finished_run[1], temperature=2.0, leaning=LEANING))
    recipe = msgspec.structs.replace(TINY, epochs=1, validation_speakers=0)
    info = fit(examples(speakers=2, takes=1), LABELS, recipe, tmp_path / "run", base=tmp_path / "base")

    assert info.temperature == 1.0
    assert info.leaning == at_temperature(LEANING, 0.5)
