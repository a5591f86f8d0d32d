"""The training cases of a recipe: the 610 of the official split, or those of a phantom benchmark; found and checked."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ctspine_bench.cases import find_cases
from ctspine_bench.errors import BaselineError, FileError
from ctspine_bench.phantom.benchmark import TRAINING
from ctspine_bench.records import LabelVolume
from ctspine_bench.testsets import source_of, training_cases
from ctspine_bench.volumes import check_same_grid, read_labels
from ctspine_bench.volumes.geometry import read_affine, to_ras
from ctspine_bench.volumes.nifti import read_header
from ctspine_bench.volumes.reading import MAX_VOXELS
from ctspine_bench.volumes.streams import CHUNK_BYTES, VolumeStream, open_file

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from ctspine_baselines.job import Job
    from ctspine_bench.volumes.nifti import VolumeHeader

_SHOWN: Final = 3


@dataclass(frozen=True)
class TrainingCase:
    """One training case.

    Attributes:
        case_id: Its id.
        image: Its CT.
        labels: Its label map.
    """

    case_id: str
    image: Path
    labels: Path

    @property
    def state(self) -> list[int]:
        """Sizes and times of its files: while they stay, the case need not be checked again."""
        stats = [path.stat() for path in (self.image, self.labels)]
        return [number for stat in stats for number in (stat.st_size, stat.st_mtime_ns)]


def find_training_cases(job: Job) -> tuple[TrainingCase, ...]:
    """Return the training cases of a recipe, sorted by id, without reading them.

    Raises:
        UsageError: It was not said where the data is.
        BaselineError: E_TRAINING_SET: one is missing, or is to be left out but is none.
        CaseError: E_DUPLICATE_CASE, E_NO_CASES.
        FileError: E_NOT_FOUND.
    """
    root = job.data_root()
    if job.recipe.data == "phantom":
        root /= TRAINING
    images, labels = (find_cases(root / name, ()) for name in ("volumes", "labels"))
    expected = images.keys() | labels.keys() if job.recipe.data == "phantom" else training_cases()
    if unknown := sorted(set(job.exclude) - set(expected)):
        raise _error(root, "training cases to leave out", f"no training case called {unknown[0]}", "Check its name.")
    wanted = sorted(set(expected) - set(job.exclude))
    if not wanted:
        raise _error(root, "training cases", "none that is not left out", "Leave fewer out.")
    for found, what in ((images, "image"), (labels, "label map")):
        _check_complete(found.keys(), wanted, what, root)
        for case_id in wanted:
            found[case_id].check()
    return tuple(TrainingCase(case_id, images[case_id].path, labels[case_id].path) for case_id in wanted)


def check_training_case(case: TrainingCase) -> str:
    """Read both files of a case to their end, compare them, and return the digest of their contents.

    Raises:
        InputError: What is wrong with a file as `read_labels` says it, or E_SHAPE or E_AFFINE between the two.
    """
    labels, image = read_labels(case.labels), read_grid(case.image)
    check_same_grid(image, labels)
    return hashlib.sha256(f"{image.sha256} {labels.sha256}".encode()).hexdigest()


def read_grid(path: Path) -> LabelVolume:
    """Read a CT to its end, and return it without voxels: its grid in RAS order.

    Raises:
        FileError: As `read_labels`; E_NAN and E_NDIM for what nnU-Net cannot read.
        GeometryError: E_SPACING, E_SHEAR.
    """
    with open_file(path) as file:
        stream = VolumeStream(path, file)
        header = read_header(stream, MAX_VOXELS)
        _check_dimensions(header, path)
        stream.skip(header.gap_bytes, "header extensions")
        what = f"{header.n_voxels} voxels of type {header.dtype.name}"
        n_bytes, scratch = header.n_voxels * header.dtype.itemsize, memoryview(bytearray(CHUNK_BYTES))
        for start in range(0, n_bytes, CHUNK_BYTES):
            chunk = scratch[: min(CHUNK_BYTES, n_bytes - start)]
            stream.fill(chunk, what)
            _check_numbers(np.frombuffer(chunk, header.dtype), path)
        stream.expect_end()
    affine, _ = read_affine(header, path)
    _, grid, _ = to_ras(_no_voxels(header.shape), affine)
    return LabelVolume(_no_voxels(grid.shape), grid, (), str(path), stream.sha256)


def _check_numbers(stored: NDArray[Any], path: Path) -> None:
    if stored.dtype.kind == "f" and not np.isfinite(stored).all():
        advice = "nnU-Net refuses them: write the CT with numbers alone."
        raise FileError("E_NAN", path, expected="a number in each voxel", found="voxels without one", advice=advice)


def _check_dimensions(header: VolumeHeader, path: Path) -> None:
    n_dimensions = int(header.header["dim"][0])
    if n_dimensions != len(header.shape):
        advice = "nnU-Net refuses more, even of length 1: write a 3-D volume."
        raise FileError("E_NDIM", path, expected="3 dimensions", found=f"{n_dimensions}", advice=advice)


def _no_voxels(shape: tuple[int, int, int]) -> Any:
    return np.broadcast_to(np.zeros((), np.uint8), shape)


def count_by_source(cases: Collection[TrainingCase]) -> Mapping[str, int]:
    """Return how many cases come from each source."""
    return Counter(source_of(case.case_id) or case.labels.parent.name for case in cases)


def _check_complete(found: Collection[str], wanted: Collection[str], what: str, root: Path) -> None:
    missing = [case_id for case_id in wanted if case_id not in found]
    if missing:
        names = ", ".join(missing[:_SHOWN]) + (", …" if len(missing) > _SHOWN else "")
        raise _error(
            root,
            f"one {what} of each of the {len(wanted)} training cases",
            f"none of {len(missing)} of them: {names}",
            "Finish the download, or do without them: --exclude CASE, which the submission will say.",
        )


def _error(path: Path, expected: str, found: str, advice: str) -> BaselineError:
    return BaselineError("E_TRAINING_SET", path, expected=expected, found=found, advice=advice)
