"""The trainers of the recipes: nnU-Net's own, without the validation at the end.

`register` puts them on nnU-Net's trainer module, which is where nnU-Net looks first. So neither its package is changed
nor all of its trainers are imported, some of which need libraries that are not there on every machine.

The source of this file is part of the provenance of every training.
"""

from __future__ import annotations

import json
import os
import random
import sys
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from nnunetv2.training.lr_scheduler.polylr import PolyLRScheduler
from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer

from ctspine_baselines.programs import SETTINGS

_SHORT_LR: Final = 1e-3
_SHORT_BACKGROUND: Final = 0.1


class CTSpineTrainer(nnUNetTrainer):  # type: ignore[misc]
    """nnU-Net's default trainer for as many epochs as the recipe says.

    What differs from nnU-Net: no prediction of the training cases at the end (with fold `all` it says nothing, and
    takes days), a checkpoint after every epoch instead of every 50, written whole or not at all, and if the recipe has
    a seed, random numbers that start anew with each epoch: a training on a CPU in one process that was interrupted then
    ends with the same weights as one that was not.
    """

    def __init__(
        self,
        plans: dict[str, Any],
        configuration: str,
        fold: int | str,
        dataset_json: dict[str, Any],
        device: torch.device = torch.device("cuda"),  # noqa: B008 -- nnU-Net looks for arguments of these names
    ) -> None:
        super().__init__(plans, configuration, fold, dataset_json, device)
        settings = json.loads(os.environ.get(SETTINGS, "{}"))
        self.num_epochs = settings.get("epochs", 1000)
        self.num_iterations_per_epoch = settings.get("iterations", 250)
        self.num_val_iterations_per_epoch = settings.get("validation_iterations", 50)
        self.save_every = 1
        self._seed = settings.get("seed")
        self._predicts_next_stage = settings.get("predicts_next_stage", False)

    def initialize(self) -> None:
        """Build the network, from the seed if there is one."""
        self._start_random_numbers(0)
        super().initialize()

    def on_epoch_start(self) -> None:
        """Begin an epoch, with random numbers of its own if there is a seed."""
        self._start_random_numbers(1 + self.current_epoch)
        super().on_epoch_start()

    def save_checkpoint(self, filename: str) -> None:
        """Write a checkpoint in one step: whoever is killed meanwhile goes on from the one before."""
        part = f"{filename}.part"
        super().save_checkpoint(part)
        if self.local_rank == 0 and not self.disable_checkpointing:
            Path(part).replace(filename)

    def perform_actual_validation(self, save_probabilities: bool = False) -> None:
        """Predict the training cases only where the next stage of a cascade learns from these predictions."""
        if self._predicts_next_stage:
            super().perform_actual_validation(save_probabilities)
        else:
            self.print_to_log_file("The training cases are not predicted.")

    def _start_random_numbers(self, part: int) -> None:
        if self._seed is None:
            return
        (number,) = np.random.SeedSequence([self._seed, part, self.local_rank]).generate_state(1)
        random.seed(int(number))
        np.random.seed(number)  # noqa: NPY002 -- nnU-Net draws from the global generators
        torch.manual_seed(int(number))


class CTSpineTrainerNoMirroring(CTSpineTrainer):
    """The same without mirroring, in training and in prediction.

    Turned upside down, a spine says less about which vertebra is which.
    """

    def configure_rotation_dummyDA_mirroring_and_inital_patch_size(self) -> Any:  # noqa: N802 -- nnU-Net's name
        """Return nnU-Net's augmentation without axes to mirror along."""
        rotation, dummy_2d, initial_patch_size, _ = super().configure_rotation_dummyDA_mirroring_and_inital_patch_size()
        self.inference_allowed_mirroring_axes = None
        return rotation, dummy_2d, initial_patch_size, None


class CTSpineTrainerShort(CTSpineTrainerNoMirroring):
    """For thousands of iterations instead of hundreds of thousands: AdamW, and background that counts a tenth.

    With nnU-Net's own loss and optimizer a network first learns where the spine is, which is most of the loss, and long
    afterwards which vertebra is which.
    """

    def configure_optimizers(self) -> Any:
        """Return AdamW with nnU-Net's schedule."""
        self.initial_lr = _SHORT_LR
        optimizer = torch.optim.AdamW(self.network.parameters(), self.initial_lr, weight_decay=self.weight_decay)
        return optimizer, PolyLRScheduler(optimizer, self.initial_lr, self.num_epochs)

    def _build_loss(self) -> Any:
        loss = super()._build_loss()
        weights = torch.ones(self.label_manager.num_segmentation_heads)
        weights[0] = _SHORT_BACKGROUND
        loss.loss.ce.weight = weights.to(self.device)
        return loss


TRAINERS: Final = (CTSpineTrainer, CTSpineTrainerNoMirroring, CTSpineTrainerShort)


def register() -> None:
    """Let nnU-Net find the trainers by their names."""
    for trainer in TRAINERS:
        setattr(sys.modules[nnUNetTrainer.__module__], trainer.__name__, trainer)
