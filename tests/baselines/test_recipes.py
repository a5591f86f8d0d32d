"""The recipes that ship with the package, and those that are not valid."""

from __future__ import annotations

from pathlib import Path

import pytest

import ctspine_baselines
from ctspine_baselines.recipe import Recipe, read_recipe, recipe_names
from ctspine_bench.errors import BaselineError, UsageError
from ctspine_bench.files import sha256_of
from ctspine_bench.phantom.trained import TRAINED, trained_record
from ctspine_bench.submissions.folder import check_slug
from ctspine_bench.testsets import training_cases

SUBMISSIONS = Path(__file__).parents[2] / "submissions"
ROWS = (
    "nnunet-3dfullres",
    "nnunet-lowres-cascade",
    "nnunet-nomirroring",
    "nnunet-resenc-l",
    "nnunet-resenc-m",
)


@pytest.fixture(params=recipe_names())
def recipe(request: pytest.FixtureRequest) -> Recipe:
    """Each recipe that ships."""
    return read_recipe(request.param)


def test_these_recipes_ship() -> None:
    """The rows of the benchmark, two for phantoms, and one for a method of others."""
    assert set(recipe_names()) == {*ROWS, "nnunet-phantom", "nnunet-phantom-gpu", "totalsegmentator"}


def test_names_are_those_of_submissions(recipe: Recipe) -> None:
    """A recipe's name, and that of its variant, can be the folder of a submission."""
    check_slug(recipe.slug)
    check_slug(f"{recipe.slug}-largest-component")


def test_untrained_is_what_nobody_has_run(recipe: Recipe) -> None:
    """A recipe is marked untrained until a record of it is there."""
    assert recipe.untrained == (recipe.slug not in TRAINED and not (SUBMISSIONS / recipe.slug).exists())


@pytest.mark.parametrize("name", ROWS)
def test_rows_keep_the_settings_of_the_paper(name: str) -> None:
    """1,000 epochs of 250 iterations on all training cases, nothing narrowed, no seed that does not hold on a GPU."""
    planning, training = read_recipe(name).nnunet()
    assert (training.epochs, training.iterations, training.validation_iterations) == (1000, 250, 50)
    assert training.seed is None
    assert (planning.override, planning.spacing_mm, planning.gpu_memory_gb) == (None, None, None)
    assert read_recipe(name).learned.data == (f"CTSpine1K training set, {len(training_cases())} cases",)


def test_the_row_of_the_paper_is_the_default_trainer() -> None:
    """nnunet-3dfullres mirrors as nnU-Net does; nnunet-nomirroring differs in that alone."""
    paper, other = read_recipe("nnunet-3dfullres"), read_recipe("nnunet-nomirroring")
    assert paper.nnunet()[1].trainer == "CTSpineTrainer"
    assert other.nnunet()[1].trainer == "CTSpineTrainerNoMirroring"
    assert paper.planning == other.planning


def test_the_digest_is_about_the_network() -> None:
    """Another description is the same recipe; another number of epochs is not."""
    recipe = read_recipe("nnunet-3dfullres")
    assert recipe.training is not None
    assert recipe.model_copy(update={"description": "Else."}).sha256 == recipe.sha256
    longer = recipe.model_copy(update={"training": recipe.training.model_copy(update={"epochs": 2000})})
    assert longer.sha256 != recipe.sha256


def test_an_external_method_has_nothing_to_train() -> None:
    """The steps of what others have trained are predict and submit."""
    recipe = read_recipe("totalsegmentator")
    assert recipe.steps == ("predict", "submit")
    with pytest.raises(UsageError, match="trained by others"):
        recipe.nnunet()


GOOD = """
name = "x"
description = "y"
untrained = true
[planning]
PLANNING
[training]
TRAINING
[learned]
data = ["z"]
"""
OVERRIDE = """
[planning.override]
name = "3d_narrow"
patch_size = [16, 16, 16]
strides = [[1, 1, 1], [2, 2, 2]]
batch_size = 2
features = 4
max_features = 32
"""


def text(planning: str = "", training: str = "") -> str:
    """A recipe that is valid but for what is put in."""
    return GOOD.replace("PLANNING", planning).replace("TRAINING", training)


@pytest.mark.parametrize("content", [text(), text(OVERRIDE), text(training="epochs = 3")])
def test_these_recipes_are_valid(tmp_path: Path, content: str) -> None:
    """What the broken ones below are made of."""
    path = tmp_path / "mine.toml"
    path.write_text(content, encoding="utf-8")
    assert read_recipe(str(path)).slug == "mine"


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("name = ", "Invalid value"),
        ('name = "x"\n', "Field required"),
        (text(training="epoch = 3"), "Extra inputs"),
        (text(training="epochs = 0"), "greater than or equal to 1"),
        (text('planner = "ExperimentPlanner"\nplans = "nnUNetResEncUNetMPlans"'), "writes nnUNetPlans, not"),
        (text("spacing_mm = [0.0, 1.0, 1.0]"), "greater than 0"),
        (text('configurations = ["3d_foo"]'), "3d_fullres"),
        (text(OVERRIDE.replace("3d_narrow", "3d_fullres")), "nnU-Net's own"),
        (text(OVERRIDE.replace("[16, 16, 16]", "[-5, 16, 16]")), "greater than or equal to 1"),
        (text('configurations = ["3d_lowres", "3d_cascade_fullres"]\n' + OVERRIDE), "for 3d_fullres alone"),
        ('name = "x"\ndescription = "y"\nuntrained = true\n[learned]\ndata = ["z"]\n', "either"),
        (b"name = '\xe4'", "UTF-8"),
    ],
)
def test_a_broken_recipe_is_one_clear_error(tmp_path: Path, content: str | bytes, found: str) -> None:
    """What is wrong is told with the file, before any work."""
    path = tmp_path / "mine.toml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(BaselineError, match=found) as error:
        read_recipe(str(path))
    assert error.value.code == "E_RECIPE"
    assert error.value.path == str(path)


@pytest.mark.parametrize("name", ["My Recipe", "nnunet_v2", "a" * 40])
def test_a_recipe_is_called_as_its_submission_will_be(tmp_path: Path, name: str) -> None:
    """A name that no submission, or not its variant, can have is refused at once, not after the training."""
    path = tmp_path / f"{name}.toml"
    path.write_text(text(), encoding="utf-8")
    with pytest.raises(BaselineError, match="a file name that submissions can have"):
        read_recipe(str(path))


def test_the_network_of_the_demo_is_that_of_its_recipe() -> None:
    """The record names the digests of the recipe and of the trainers as they are here."""
    results = trained_record("nnunet-phantom").results
    assert results
    assert results["training"]["recipe_sha256"] == read_recipe("nnunet-phantom").sha256
    (stage,) = results["training"]["stages"]
    trainers = Path(ctspine_baselines.__file__).parent / "nnunet" / "trainers.py"
    assert stage["trainers_sha256"] == sha256_of(trainers)


def test_an_unknown_recipe_names_those_there_are() -> None:
    """A name that is none, and a file that is none."""
    with pytest.raises(UsageError, match="nnunet-3dfullres"):
        read_recipe("nnunet")
    with pytest.raises(UsageError, match="no file"):
        read_recipe("mine.toml")
