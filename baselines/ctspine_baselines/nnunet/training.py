"""Train with nnU-Net's own command, alone in the folder, and note what it was trained with."""

from __future__ import annotations

import datetime as dt
import json
import os
import resource
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import torch
from filelock import FileLock, Timeout
from nnunetv2.run.run_training import run_training_entry

from ctspine_baselines.nnunet import trainers
from ctspine_baselines.nnunet.versions import hardware, versions
from ctspine_baselines.programs import LOCK, LOCKED, NEXT_STAGE, SESSIONS, SETTINGS
from ctspine_bench.files import replacing, sha256_of

if TYPE_CHECKING:
    from collections.abc import Sequence

_BYTES_PER_KIB: Final = 2**10
_BYTES_PER_GIB: Final = 2**30


def train(arguments: Sequence[str]) -> int:
    """Train in a folder that no other process trains in.

    Args:
        arguments: The folder, then those of `nnUNetv2_train`.

    Returns:
        `LOCKED` if there is another process; else 0.
    """
    folder = Path(arguments[0])
    sys.argv[1:] = arguments[1:]
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folder / LOCK, timeout=0):
            _train(folder)
    except Timeout:
        return LOCKED
    return 0


def _train(folder: Path) -> None:
    started = time.monotonic()
    _note(
        folder,
        event="start",
        trainers_sha256=sha256_of(Path(trainers.__file__)),
        versions=versions(),
        hardware=hardware(*_devices()),
        augmentation_processes=_processes(),
    )
    run_training_entry()
    if json.loads(os.environ[SETTINGS])["predicts_next_stage"]:
        with replacing(folder / NEXT_STAGE) as temporary:
            temporary.write_text("{}", encoding="utf-8")
    _note(
        folder,
        event="end",
        seconds=round(time.monotonic() - started, 1),
        peak_memory_gib=_peak_memory(),
        peak_gpu_memory_gib=_peak_gpu_memory(),
    )


def _peak_memory() -> float:
    """Return the most memory that this process, or one that it has started, has taken."""
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    # Linux counts in KiB, macOS in bytes.
    return round(peak * (1 if sys.platform == "darwin" else _BYTES_PER_KIB) / _BYTES_PER_GIB, 2)


def _peak_gpu_memory() -> float | None:
    """Return the most that was allocated on the first GPU; `None` without one, or when other processes used it."""
    if not torch.cuda.is_available() or not (peak := torch.cuda.max_memory_reserved()):
        return None
    return round(peak / _BYTES_PER_GIB, 2)


def _devices() -> tuple[str, int]:
    """Return what is trained on, and on how many of it, as nnU-Net's command was told."""
    return sys.argv[sys.argv.index("-device") + 1], int(sys.argv[sys.argv.index("-num_gpus") + 1])


def _processes() -> int | None:
    chosen = os.environ.get("nnUNet_n_proc_DA")  # noqa: SIM112 -- nnU-Net's name
    return int(chosen) if chosen else None


def _note(folder: Path, **what: Any) -> None:
    line = {"at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"), **what}
    with (folder / SESSIONS).open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
