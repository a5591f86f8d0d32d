"""The recipes that ship with the package, and those that are not valid."""

from __future__ import annotations

from pathlib import Path

import pytest

from ctspine_baselines.recipe import Recipe, read_recipe, recipe_names
from ctspine_bench.errors import BaselineError, UsageError
from ctspine_bench.phantom.trained import TRAINED
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


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("name = ", "Invalid value"),
        ('name = "x"\n', "Field required"),
        ('name = "x"\ndescription = "y"\nuntrained = true\nepoch = 3\n[learned]\ndata = ["z"]\n', "Extra inputs"),
        (
            'name = "x"\ndescription = "y"\nuntrained = true\n[training]\nepochs = 0\n[learned]\ndata = ["z"]\n',
            "greater than or equal to 1",
        ),
    ],
)
def test_a_broken_recipe_is_one_clear_error(tmp_path: Path, content: str, found: str) -> None:
    """What is wrong is told with the file and the field."""
    path = tmp_path / "mine.toml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(BaselineError, match=found) as error:
        read_recipe(str(path))
    assert error.value.code == "E_RECIPE"
    assert error.value.path == str(path)


def test_an_unknown_recipe_names_those_there_are() -> None:
    """A name that is none, and a file that is none."""
    with pytest.raises(UsageError, match="nnunet-3dfullres"):
        read_recipe("nnunet")
    with pytest.raises(UsageError, match="no file"):
        read_recipe("mine.toml")
