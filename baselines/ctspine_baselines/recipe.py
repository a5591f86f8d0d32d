"""A recipe: all that makes one row of the leaderboard, in a TOML file."""

from __future__ import annotations

import hashlib
import json
import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from ctspine_bench.errors import BaselineError, SubmissionError, UsageError
from ctspine_bench.submissions.folder import check_slug

LARGEST_COMPONENT: Final = "largest-component"
"""The post-processing variant of every recipe, and the end of its name."""

_SUFFIX: Final = ".toml"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


_Positive = Annotated[int, Field(ge=1)]
_Above0 = Annotated[float, Field(gt=0)]
_PLANS: Final = {
    "ExperimentPlanner": "nnUNetPlans",
    "nnUNetPlannerResEncM": "nnUNetResEncUNetMPlans",
    "nnUNetPlannerResEncL": "nnUNetResEncUNetLPlans",
}


def _not_of_nnunet(name: str) -> str:
    if name in {"3d_fullres", "3d_lowres", "3d_cascade_fullres"}:
        raise ValueError(f"{name} is a configuration of nnU-Net's own")
    return name


class Override(_Part):
    """A configuration of its own that inherits from the planned one.

    Attributes:
        name: What it is called in the plans.
        patch_size: Voxels along z, y, x; divisible by the strides of all stages.
        strides: Of each stage along z, y, x; the first one's is 1, 1, 1.
        batch_size: Patches in a batch.
        features: Feature maps of the first stage; each further stage has twice as many, up to `max_features`.
        max_features: At most so many.
    """

    name: Annotated[str, Field(pattern=r"^3d_[a-z0-9_]+$"), AfterValidator(_not_of_nnunet)]
    patch_size: tuple[_Positive, _Positive, _Positive]
    strides: Annotated[tuple[tuple[_Positive, _Positive, _Positive], ...], Field(min_length=2)]
    batch_size: _Positive
    features: _Positive
    max_features: _Positive


class Planning(_Part):
    """What nnU-Net is to plan.

    Attributes:
        planner: Class of its planner.
        plans: Name of the plans that this planner writes.
        configurations: Those to train, one after the other; the last is the row, earlier ones are stages of a cascade.
        gpu_memory_gb: The memory to plan for; that of the planner if left out.
        spacing_mm: Target spacing along z, y, x; as planned if left out.
        override: A narrower network; none for a row of the benchmark.
    """

    planner: Literal["ExperimentPlanner", "nnUNetPlannerResEncM", "nnUNetPlannerResEncL"] = "ExperimentPlanner"
    plans: Literal["nnUNetPlans", "nnUNetResEncUNetMPlans", "nnUNetResEncUNetLPlans"] = "nnUNetPlans"
    configurations: tuple[Literal["3d_fullres"]] | tuple[Literal["3d_lowres"], Literal["3d_cascade_fullres"]] = (
        "3d_fullres",
    )
    gpu_memory_gb: _Above0 | None = None
    spacing_mm: tuple[_Above0, _Above0, _Above0] | None = None
    override: Override | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Planning:
        if self.plans != _PLANS[self.planner]:
            raise ValueError(f"{self.planner} writes {_PLANS[self.planner]}, not {self.plans}")
        if self.override and self.configurations != ("3d_fullres",):
            raise ValueError("an override is for 3d_fullres alone")
        return self


class Training(_Part):
    """How to train. The defaults are nnU-Net's.

    Attributes:
        trainer: A class of `nnunet.trainers`.
        epochs: How many.
        iterations: Batches in an epoch.
        validation_iterations: Batches after each epoch whose Dice is logged; with all cases in training it is no
            validation, but a curve.
        seed: Of random numbers; reproducible only on a CPU in one process. None for GPUs, which nnU-Net cannot seed.
    """

    trainer: Literal["CTSpineTrainer", "CTSpineTrainerNoMirroring", "CTSpineTrainerShort"] = "CTSpineTrainer"
    epochs: _Positive = 1000
    iterations: _Positive = 250
    validation_iterations: _Positive = 50
    seed: int | None = None


class External(_Part):
    """A method that others have trained.

    Attributes:
        command: The program with its arguments, for one case; `{image}` and `{output}` stand for its files.
        install: How to get it.
        package: The Python package whose version tells which one it is, where it is installed beside this one.
        label_map: What its label values mean, a name in `anatomy.LABEL_MAPS`.
    """

    command: Annotated[tuple[str, ...], Field(min_length=1)]
    install: str
    package: str
    label_map: str


class Learned(_Part):
    """What the method has learned from, as a submission declares it."""

    data: tuple[str, ...]
    uses_verse: bool = False
    uses_test_cases: bool = False
    comment: str | None = None


class Recipe(_Part):
    """One row of the leaderboard.

    Attributes:
        slug: Name of its file and of its submission.
        name: Name of the method, as the leaderboard shows it.
        description: How it works.
        untrained: Whether nobody has run it yet.
        data: What it is trained and tested on: CTSpine1K, or a phantom benchmark.
        planning: What to plan; `None` for an external method.
        training: How to train; `None` for an external method.
        external: How to call an external method; `None` for nnU-Net.
        learned: What the method has learned from.
        licence: Of the predictions.
    """

    slug: str
    name: str
    description: str
    untrained: bool
    data: Literal["ctspine1k", "phantom"] = "ctspine1k"
    planning: Planning | None = None
    training: Training | None = None
    external: External | None = None
    learned: Learned
    licence: str = "CC-BY-NC-SA-4.0"

    @model_validator(mode="after")
    def _one_kind(self) -> Recipe:
        if (self.external is None) == (self.planning is None) or (self.planning is None) != (self.training is None):
            raise ValueError("either [planning] and [training], or [external]")
        return self

    @property
    def sha256(self) -> str:
        """A digest of all that decides about the network; not of its description or whether it is trained."""
        parts = self.model_dump(mode="json", include={"data", "planning", "training", "external"})
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

    @property
    def configuration(self) -> str:
        """The nnU-Net configuration that makes the row."""
        planning = self.nnunet()[0]
        return planning.override.name if planning.override else planning.configurations[-1]

    @property
    def steps(self) -> tuple[str, ...]:
        """The steps that there are to take: what others have trained is only to be run and scored."""
        return ("predict", "submit") if self.external else ("prepare", "plan", "train", "predict", "submit")

    def nnunet(self) -> tuple[Planning, Training]:
        """Return what to plan and how to train.

        Raises:
            UsageError: The method is an external one.
        """
        if self.planning is None or self.training is None:
            raise UsageError(f"{self.slug} was trained by others: there is nothing to prepare, plan or train")
        return self.planning, self.training


def recipe_names() -> tuple[str, ...]:
    """Return the names of the recipes that ship with the package."""
    folder = files("ctspine_baselines").joinpath("recipes")
    return tuple(sorted(file.name.removesuffix(_SUFFIX) for file in folder.iterdir() if file.name.endswith(_SUFFIX)))


def read_recipe(name: str) -> Recipe:
    """Return a recipe.

    Args:
        name: One of `recipe_names()`, or the path of a TOML file.

    Raises:
        UsageError: There is none of that name.
        BaselineError: E_RECIPE.
    """
    if name.endswith(_SUFFIX):
        path = Path(name)
        if not path.is_file():
            raise UsageError(f"expected a recipe, found no file {name}")
    elif name in recipe_names():
        path = Path(str(files("ctspine_baselines").joinpath("recipes", f"{name}{_SUFFIX}")))
    else:
        raise UsageError(f"expected a recipe out of {', '.join(recipe_names())} or a {_SUFFIX} file, found {name!r}")
    slug = path.name.removesuffix(_SUFFIX)
    try:
        check_slug(f"{slug}-{LARGEST_COMPONENT}")
        return Recipe.model_validate(tomllib.loads(path.read_text("utf-8")) | {"slug": slug})
    except SubmissionError as error:
        expected = f"a file name that submissions can have, with -{LARGEST_COMPONENT} too: {error.expected}"
        raise _invalid(path, expected, slug) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise _invalid(path, "TOML in UTF-8", str(error)) from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "recipe"
        raise _invalid(path, f"a valid {where}", first["msg"]) from None


def _invalid(path: Path, expected: str, found: str) -> BaselineError:
    advice = "Compare it with the recipes that ship with the package."
    return BaselineError("E_RECIPE", path, expected=expected, found=found, advice=advice)
