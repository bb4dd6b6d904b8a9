from pathlib import Path

import pytest
from voices import TINY, TINY_TOML

import training
from training.commands.common import name_of
from training.recipe import Recipe, RecipeError, load_recipe, recipe_file, shipped_recipes

SHIPPED = sorted((Path(training.__file__).parent / "recipes").glob("*.toml"))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_recipe_when_shipped_then_it_loads(path):
    assert load_recipe(path).epochs > 1


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_recipe_when_named_without_a_path_then_it_is_the_shipped_one(path):
    assert recipe_file(path.stem) == shipped_recipes()[path.stem] == path
    assert name_of(path) == path.stem


def test_recipe_when_a_file_has_the_name_of_a_shipped_one_then_the_file_counts(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("joint").write_text("epochs = 7")
    assert load_recipe(recipe_file("joint")).epochs == 7
    assert name_of(tmp_path / "sub" / "own.toml") == "sub/own.toml"


def test_recipe_when_written_as_toml_then_every_choice_counts(tmp_path):
    (tmp_path / "tiny.toml").write_text(TINY_TOML.format(epochs=TINY.epochs, validation_speakers=2))

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
        ("[network]\ntemporal = 7", "temporal"),
        ("[network]\ndropout = 1.0", "dropout"),
        ("[augment]\ntempo = 2.0", "tempo"),
        ("[frontend]\nn_mfcc = 13", "mel filters"),
        ("[frontend]\nn_mfcc = 99", "n_mfcc"),
        ("[frontend]\nwindows = 3", r"\[frontend\] has no field windows; did you mean window\?"),
        ("[frontend]\nn_melz = 40", r"\[frontend\] has no field n_melz; did you mean n_mels\?"),
        ("[frontend]\nzzz = 1", r"\[frontend\] has no field zzz; it has sample_rate, .*pitch$"),
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
    with pytest.raises(
        RecipeError, match=r"cannot be read: .*a recipe that comes with affectd: .*folds, joint"
    ):
        load_recipe(tmp_path / "none.toml")
