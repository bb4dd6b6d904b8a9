from pathlib import Path

import pytest
from voices import TINY, TINY_TOML

import training
from training.recipe import Recipe, RecipeError, load_recipe

SHIPPED = sorted((Path(training.__file__).parent / "recipes").glob("*.toml"))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_recipe_when_shipped_then_it_loads(path):
    assert load_recipe(path).epochs > 1


def test_recipe_when_written_as_toml_then_every_choice_counts(tmp_path):
    (tmp_path / "tiny.toml").write_text(TINY_TOML.format(epochs=3, validation_speakers=2))

    assert load_recipe(tmp_path / "tiny.toml") == TINY
    assert load_recipe(None) == Recipe()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("epochs = 0", "epochs"),
        ("epochs = 'many'", "epochs"),
        ("epoch = 3", "epoch"),
        ("epochs = ", "TOML|Invalid|invalid"),
        ("batch_size = 0", "batch_size"),
        ("n_frames = 0", "n_frames"),
        ("seed = -1", "seed"),
        ("learning_rate = nan", "learning_rate"),
        ("label_smoothing = 1.0", "label_smoothing"),
        ("uncertain_below = 2.0", "uncertain_below"),
        ("[network]\nwidth = 8", "width"),
        ("[network]\ndropout = 1.0", "dropout"),
        ("[augment]\ntempo = 2.0", "tempo"),
        ("[frontend]\nn_mfcc = 13", "mel filters"),
        ("[frontend]\nn_mfcc = 99", "n_mfcc"),
        ("[frontend]\nwindows = 3", "windows"),
        ("[frontend]\nsample_rate = 22050", "sample_rate"),
    ],
)
def test_recipe_when_it_makes_no_sense_then_refused_with_place_and_reason(tmp_path, text, words):
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(RecipeError, match=words) as caught:
        load_recipe(path)
    assert str(caught.value).startswith(f"{path}: ")


def test_recipe_when_missing_then_refused(tmp_path):
    with pytest.raises(RecipeError, match="cannot be read"):
        load_recipe(tmp_path / "none.toml")
