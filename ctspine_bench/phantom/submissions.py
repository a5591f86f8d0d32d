"""Simulated submissions: what participants' label maps look like, with one kind of error each.

Every simulation is a pure function of labels `(x, y, z)` uint8, their spacing along x, y, z in mm, and a random
generator; it returns new labels on the same grid. Where a docstring does not say otherwise, everything else is perfect.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import numpy as np

from ctspine_bench.anatomy import BACKGROUND, LABELS, N_LABELS, vertebra_label
from ctspine_bench.errors import UsageError
from ctspine_bench.phantom.benchmark import TEST_SETS
from ctspine_bench.phantom.seeds import generator_for
from ctspine_bench.phantom.warp import bounding_box, displaced
from ctspine_bench.phantom.write import read_volume, write_volume
from ctspine_bench.workers import in_parallel

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

Spacing = tuple[float, float, float]
Simulation = Callable[["NDArray[np.uint8]", Spacing, np.random.Generator], "NDArray[np.uint8]"]

_L4, _L6 = vertebra_label("L4"), vertebra_label("L6")
_BELOW_L4_MM: Final = 30.0  # that much volume below an L4 shows that no L5 follows
_SHIFTED_SHARE: Final = 0.25


def perfect(labels: NDArray[np.uint8], spacing_mm: Spacing, rng: np.random.Generator) -> NDArray[np.uint8]:  # noqa: ARG001
    """No error at all: the reference itself."""
    return labels.copy(order="K")


def boundary_noise(
    labels: NDArray[np.uint8], spacing_mm: Spacing, rng: np.random.Generator, *, amplitude_voxels: float = 0.45
) -> NDArray[np.uint8]:
    """A good network: every outline is off by up to about one voxel, smoothly, and all levels are right.

    `amplitude_voxels` is the root mean square of the displacement along each axis.
    """
    smooth = max(6.0, 3.0 * max(spacing_mm))
    return displaced(labels, spacing_mm, rng, amplitude_voxels=amplitude_voxels, smoothness_mm=smooth)


def erosion(labels: NDArray[np.uint8], spacing_mm: Spacing, rng: np.random.Generator) -> NDArray[np.uint8]:  # noqa: ARG001
    """An overcautious network: the outermost voxels of every vertebra are missing in each slice."""
    result = np.zeros_like(labels)
    box = bounding_box(labels, margin=1)
    if box is not None:
        inner = labels[box]
        keep = np.ones(inner.shape, dtype=bool)
        for axis in (0, 1):
            ahead, behind = (tuple(part if n == axis else slice(None) for n in range(3)) for part in _NEIGHBOURS)
            same = inner[ahead] == inner[behind]
            keep[ahead] &= same
            keep[behind] &= same
        result[box] = inner * keep
    return result


_NEIGHBOURS: Final = (slice(1, None), slice(None, -1))


def shift_from_level(labels: NDArray[np.uint8], spacing_mm: Spacing, rng: np.random.Generator) -> NDArray[np.uint8]:
    """A network that miscounts: from some level on, every vertebra is called like its neighbour.

    With an L6 or without an L5 always, as the paper describes: a network that takes the lowest vertebra for L5 is one
    off from there up to a random level. Otherwise in a quarter of the cases, from a random level up or down.
    """
    present = _present(labels)
    if not present:
        return labels.copy(order="K")
    low, high = present[0], present[-1]
    level = int(rng.integers(low, high + 1))
    upward, by, chance = rng.random() < 0.5, int(rng.choice((-1, 1))), rng.random()
    if high == _L6:
        return _shifted(labels, range(level, high + 1), -1)
    if high == _L4 and _room_below(labels, spacing_mm, high) >= _BELOW_L4_MM:
        return _shifted(labels, range(level, high + 1), +1)
    if chance >= _SHIFTED_SHARE:
        return labels.copy(order="K")
    return _shifted(labels, range(low, level + 1) if upward else range(level, high + 1), by)


def missed_l6(labels: NDArray[np.uint8], spacing_mm: Spacing, rng: np.random.Generator) -> NDArray[np.uint8]:  # noqa: ARG001
    """A network that never learned of a sixth lumbar vertebra: L6 is background."""
    return _renamed(labels, {_L6: BACKGROUND})


def missed_partial(labels: NDArray[np.uint8], spacing_mm: Spacing, rng: np.random.Generator) -> NDArray[np.uint8]:  # noqa: ARG001
    """A network trained on whole vertebrae: those that the upper or lower border cuts are background."""
    return _renamed(labels, dict.fromkeys(_present(labels[:, :, [0, -1]]), BACKGROUND))


def merged_neighbours(labels: NDArray[np.uint8], spacing_mm: Spacing, rng: np.random.Generator) -> NDArray[np.uint8]:  # noqa: ARG001
    """A network that cannot tell two neighbours apart: in every case one to three pairs have the upper one's label."""
    present = _present(labels)
    pairs = [label for label in present if label + 1 in present]
    rng.shuffle(pairs)
    merged: dict[int, int] = {}
    for label in pairs[: int(rng.integers(1, 4))]:
        if label not in merged and label + 1 not in merged.values():
            merged[label + 1] = label
    return _renamed(labels, merged)


def stray_islands(labels: NDArray[np.uint8], spacing_mm: Spacing, rng: np.random.Generator) -> NDArray[np.uint8]:
    """A network without clean-up: about one small blob for each vertebra, with its label, somewhere in the volume."""
    result = labels.copy(order="K")
    spacing = np.array(spacing_mm)
    for label in _present(labels):
        for _ in range(int(rng.integers(0, 3))):
            centre, radius = rng.integers(0, labels.shape), rng.uniform(2.0, 5.0)
            reach = np.maximum(radius / spacing, 0.6)
            box = tuple(
                slice(max(int(c - r), 0), min(int(c + r) + 1, n))
                for c, r, n in zip(centre, reach, labels.shape, strict=True)
            )
            axes = np.ogrid[box]
            blob = sum(((axis - c) / r) ** 2 for axis, c, r in zip(axes, centre, reach, strict=True)) <= 1
            part = result[box]
            part[blob & (part == BACKGROUND)] = label
    return result


def pure_noise(labels: NDArray[np.uint8], spacing_mm: Spacing, rng: np.random.Generator) -> NDArray[np.uint8]:  # noqa: ARG001
    """No network at all: one voxel in fifty has a label, any label, anywhere."""
    result = np.zeros_like(labels)
    count = labels.size // 50
    where = tuple(rng.integers(0, n, count) for n in labels.shape)
    result[where] = rng.integers(1, N_LABELS + 1, count)
    return result


SIMULATED: Final[Mapping[str, Simulation]] = MappingProxyType(
    {
        "perfect": perfect,
        "boundary-noise-mild": partial(boundary_noise, amplitude_voxels=0.3),
        "boundary-noise": boundary_noise,
        "boundary-noise-strong": partial(boundary_noise, amplitude_voxels=0.9),
        "erosion": erosion,
        "shift-from-level": shift_from_level,
        "missed-l6": missed_l6,
        "missed-partial": missed_partial,
        "merged-neighbours": merged_neighbours,
        "stray-islands": stray_islands,
        "pure-noise": pure_noise,
    }
)
"""The simulations by name."""


def described(name: str) -> str:
    """Return what a simulation does, in a sentence or two."""
    simulation = SIMULATED[name]
    function = simulation.func if isinstance(simulation, partial) else simulation
    return " ".join((function.__doc__ or "").partition("\n\n")[0].split())


def simulate_submission(
    benchmark: Path,
    out: Path,
    name: str,
    *,
    seed: int = 0,
    workers: int | None = None,
    progress: Callable[[str], None] | None = None,
) -> None:
    """Write a simulated submission on a phantom benchmark: `out/<test set>/<case>.nii.gz` for every case.

    Args:
        benchmark: What `make_benchmark` wrote.
        out: Folder to write to; files of the same name are replaced.
        name: One of `SIMULATED`.
        seed: Same seed, same files, whatever the number of workers.
        workers: How many cases are made at a time; as many as there are cores when `None`.
        progress: Called with the case id after each case.

    Raises:
        UsageError: There is no such simulation, or no phantom benchmark.
    """
    if name not in SIMULATED:
        raise UsageError(f"expected one of {', '.join(SIMULATED)} as the simulation, found {name!r}")
    paths = [
        (test_set, path)
        for test_set in TEST_SETS
        for path in sorted((benchmark / test_set / "labels").glob("*/*_seg.nii.gz"))
    ]
    if not paths:
        raise UsageError(f"expected a phantom benchmark in {benchmark}, found no label maps; make one first")
    for _, case_id in in_parallel(lambda found: _simulate_case(found[1], out / found[0], name, seed), paths, workers):
        if progress is not None:
            progress(case_id)


def _simulate_case(path: Path, out: Path, name: str, seed: int) -> str:
    case_id = path.name.removesuffix("_seg.nii.gz")
    labels, grid = read_volume(path)
    prediction = SIMULATED[name](
        labels.astype(np.uint8, copy=False), grid.spacing_mm, generator_for(seed, name, case_id)
    )
    write_volume(out / f"{case_id}.nii.gz", prediction, grid)
    return case_id


def _present(labels: NDArray[np.uint8]) -> list[int]:
    box = bounding_box(labels)
    counts = np.zeros(1) if box is None else np.bincount(labels[box].ravel(order="K"))
    return [label for label in LABELS if label < len(counts) and counts[label] > 0]


def _room_below(labels: NDArray[np.uint8], spacing_mm: Spacing, label: int) -> float:
    return float(np.flatnonzero((labels == label).any(axis=(0, 1)))[0]) * spacing_mm[2]


def _shifted(labels: NDArray[np.uint8], levels: range, by: int) -> NDArray[np.uint8]:
    return _renamed(labels, {label: min(max(label + by, 1), N_LABELS) for label in levels})


def _renamed(labels: NDArray[np.uint8], names: Mapping[int, int]) -> NDArray[np.uint8]:
    result = labels.copy(order="K")
    box = bounding_box(labels)
    if box is not None:
        lookup = np.arange(256, dtype=np.uint8)
        lookup[list(names)] = list(names.values())
        result[box] = lookup[labels[box]]
    return result
