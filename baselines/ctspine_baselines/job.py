"""What one call is about: a recipe, where its files are, and what it may use."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from ctspine_baselines.recipe import LARGEST_COMPONENT, Recipe
from ctspine_bench.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

Device = Literal["cuda", "cpu", "mps"]

DATA_VARIABLE: Final = "CTSPINE_DATA"
"""Paths in nnU-Net's dataset.json begin with this environment variable, so that it says nothing about a machine."""

_DATASETS: Final = {"ctspine1k": "Dataset610_CTSpine1K", "phantom": "Dataset611_CTSpinePhantom"}


@dataclass(frozen=True)
class Job:
    """What one call is about.

    Attributes:
        recipe: What to make.
        work: Folder for everything that is made.
        data: Folder of the data set as downloaded, or of a phantom benchmark; `None` when not said.
        verse: Folder of the VerSe cases with `volumes` and `labels`; `None` to leave them out.
        device: What to compute on.
        gpus: On how many of them to train.
        workers: Cases to check, preprocess or score at a time.
        export_workers: Predictions brought back to their own grid at a time, 26 classes each.
        exclude: Training cases to do without, because their files are broken.
        restart: Begin the training anew although something is there.
    """

    recipe: Recipe
    work: Path
    data: Path | None = None
    verse: Path | None = None
    device: Device = "cuda"
    gpus: int = 1
    workers: int = 1
    export_workers: int = 1
    exclude: tuple[str, ...] = ()
    restart: bool = False

    @property
    def dataset(self) -> str:
        """The name that nnU-Net knows the training set by."""
        return _DATASETS[self.recipe.data]

    @property
    def dataset_id(self) -> str:
        """The number in that name."""
        return self.dataset.removeprefix("Dataset").partition("_")[0]

    @property
    def raw(self) -> Path:
        """Where its dataset.json is."""
        return self.work / "nnUNet_raw" / self.dataset

    @property
    def preprocessed(self) -> Path:
        """Where plans, fingerprint and preprocessed cases are."""
        return self.work / "nnUNet_preprocessed" / self.dataset

    @property
    def plans_file(self) -> Path:
        """Where the plans are."""
        return self.preprocessed / f"{self.recipe.nnunet()[0].plans}.json"

    @property
    def configurations(self) -> tuple[str, ...]:
        """The configurations to train, one after the other."""
        return (*self.recipe.nnunet()[0].configurations[:-1], self.recipe.configuration)

    def model(self, configuration: str) -> Path:
        """Where nnU-Net keeps the trained network of a configuration."""
        planning, training = self.recipe.nnunet()
        name = f"{training.trainer}__{planning.plans}__{configuration}"
        return self.work / "nnUNet_results" / self.dataset / name

    def training_folder(self, configuration: str) -> Path:
        """Where the checkpoints of a configuration are."""
        return self.model(configuration) / "fold_all"

    def predictions(self, variant: str = "") -> Path:
        """Where label maps are, in a folder for each test set.

        Args:
            variant: Of post-processing; empty for none.
        """
        return self.work / "predictions" / self.slug(variant)

    def slug(self, variant: str = "") -> str:
        """Return the name of the submission."""
        return f"{self.recipe.slug}-{variant}" if variant else self.recipe.slug

    @property
    def logs(self) -> Path:
        """Where what programs print is kept."""
        return self.work / "logs" / self.recipe.slug

    def data_root(self) -> Path:
        """Return the folder that holds what the recipe learns from: `volumes` and `labels`, or sets of a phantom.

        Raises:
            UsageError: It was not said where, or it is not laid out like that.
        """
        if self.data is None:
            raise UsageError(f"say where the data is: --data FOLDER, or the environment variable {DATA_VARIABLE}")
        inside, wanted = (
            ("raw_data", ("volumes", "labels")) if self.recipe.data == "ctspine1k" else ("benchmark", ("public",))
        )
        for folder in (self.data, self.data / inside):
            if all((folder / name).is_dir() for name in wanted):
                return folder.absolute()
        what = "CTSpine1K as downloaded" if self.recipe.data == "ctspine1k" else "a phantom benchmark with images"
        raise UsageError(
            f"expected {what}, with {' and '.join(wanted)}, in {self.data} or {inside} in it; found neither"
        )

    def environment(self) -> dict[str, str]:
        """Return the environment that nnU-Net's programs need."""
        folders = {name: str((self.work / name).absolute()) for name in _NNUNET_FOLDERS}
        root = {DATA_VARIABLE: str(self.data_root())} if self.data else {}
        # nnU-Net also brings predictions back to their own grid in so many processes.
        return os.environ | folders | root | {"nnUNet_def_n_proc": str(self.export_workers)}


_NNUNET_FOLDERS: Final = ("nnUNet_raw", "nnUNet_preprocessed", "nnUNet_results")

VARIANTS: Final = ("", LARGEST_COMPONENT)
"""Every recipe is scored as it is, and with its largest component of each vertebra."""
