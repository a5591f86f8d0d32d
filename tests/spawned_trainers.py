"""Starts a process as nnU-Net does for several GPUs, from the program that trains, and prints the trainer it finds.

The program is run as `python -m` runs it; in place of training, its process looks a trainer up on nnU-Net's own trainer
module, where nnU-Net looks first.
"""

from __future__ import annotations

import multiprocessing
import runpy
import sys
from unittest import mock

_LOOK = "__import__('sys').modules['nnunetv2.training.nnUNetTrainer.nnUNetTrainer'].CTSpineTrainer.__name__"


def spawn_and_look(_: object = None) -> int:
    """Look a trainer up by name in a spawned process, which has loaded nothing but what it loads by itself."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        sys.stdout.write(pool.apply(eval, (_LOOK,)))
    return 0


if __name__ == "__main__":
    sys.argv = ["program", "train"]
    with mock.patch("ctspine_baselines.nnunet.training.train", spawn_and_look):
        runpy.run_module("ctspine_baselines.nnunet.program", run_name="__main__", alter_sys=True)
