"""The volumes that speed is measured on, made from the phantom and kept in `benchmarks/data/`.

The reference workload is 512×512×504 uint8 voxels of 0.76×0.76×1.10 mm with seventeen vertebrae, T1–L5; its prediction
is the simulated submission `boundary-noise`. Two harder predictions on the same reference: `stray` has twenty single
voxels of every label across the volume besides, and in `shifted` every vertebra has its lower neighbour's label.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from ctspine_bench.phantom import REFERENCE_WORKLOAD, SIMULATED, PhantomCase, make_case
from ctspine_bench.volumes.writing import write_labels

if TYPE_CHECKING:
    from numpy.typing import NDArray

DATA: Final = Path(__file__).parent / "data"
N_STRAY: Final = 20
PREDICTIONS: Final = ("clean", "stray", "shifted")
# A volume of an eighth of the voxels over the same field of view, to try the benchmark itself.
_QUICK: Final = replace(REFERENCE_WORKLOAD, shape=(256, 256, 252), spacing_mm=(1.52, 1.52, 2.20))


@dataclass(frozen=True)
class FilePair:
    """A reference and a prediction, both uint8 `.nii.gz`."""

    reference: Path
    prediction: Path


def reference_pairs(*, quick: bool) -> dict[str, FilePair]:
    """Return the reference workload by the name of its prediction; its files are made if they are not there."""
    folder = _folder(quick)
    pairs = {name: FilePair(folder / "reference.nii.gz", folder / f"{name}.nii.gz") for name in PREDICTIONS}
    if all(pair.reference.exists() and pair.prediction.exists() for pair in pairs.values()):
        return pairs
    folder.mkdir(parents=True, exist_ok=True)
    case, clean = _make(0, quick=quick)
    made = {"clean": clean, "stray": with_stray_voxels(clean, np.random.default_rng(1)), "shifted": shifted(clean)}
    for name, pair in pairs.items():
        write_labels(pair.prediction, made[name], case.grid)
    write_labels(pairs["clean"].reference, case.labels, case.grid)
    return pairs


def case_folders(n_cases: int, n_distinct: int, *, quick: bool) -> FilePair:
    """Return a folder of references and one of predictions, for `n_cases` cases of which `n_distinct` differ.

    The others are hard links to these: a file is read and decompressed as often as there are cases.
    """
    folder = _folder(quick) / f"cases-{n_cases}"
    folders = FilePair(folder / "references", folder / "predictions")
    for side in (folders.reference, folders.prediction):
        side.mkdir(parents=True, exist_ok=True)
    for n in range(n_cases):
        paths = [side / f"case-{n:03d}.nii.gz" for side in (folders.reference, folders.prediction)]
        if all(path.exists() for path in paths):
            continue
        if n >= n_distinct:
            for path in paths:
                path.unlink(missing_ok=True)
                path.hardlink_to(path.with_name(f"case-{n % n_distinct:03d}.nii.gz"))
            continue
        case, prediction = _make(100 + n, quick=quick)
        for path, labels in zip(paths, (case.labels, prediction), strict=True):
            write_labels(path, labels, case.grid)
    return folders


def with_stray_voxels(labels: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return `(x, y, z)` labels with `N_STRAY` more voxels of each label, anywhere in the background."""
    result = labels.copy(order="K")
    for label in np.unique(labels)[1:]:
        placed = 0
        while placed < N_STRAY:
            voxel = tuple(rng.integers(0, labels.shape))
            if result[voxel] == 0:
                result[voxel] = label
                placed += 1
    return result


def shifted(labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return `(x, y, z)` labels with every label one higher."""
    return labels + (labels > 0).astype(np.uint8)


def _folder(quick: bool) -> Path:
    return DATA / ("quick" if quick else "full")


def _make(seed: int, *, quick: bool) -> tuple[PhantomCase, NDArray[np.uint8]]:
    case = make_case(_QUICK if quick else REFERENCE_WORKLOAD, np.random.default_rng(seed))
    simulate = SIMULATED["boundary-noise"]
    return case, simulate(case.labels, case.grid.spacing_mm, np.random.default_rng(seed + 1))
