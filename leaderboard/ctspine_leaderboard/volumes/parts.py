"""Volumes cut to what is shown, the last ones kept in memory.

A full-size case has 132 million voxels. What is shown of it is the spine with a margin, a fifth of that, and it is
shown again and again: slice by slice, and to several visitors.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace
from functools import cache, cached_property
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ctspine_bench.anatomy import VERSE
from ctspine_bench.report.curves import spine_curve
from ctspine_bench.volumes import check_same_grid, read_labels
from ctspine_leaderboard.volumes.images import read_grey
from ctspine_leaderboard.volumes.tracing import surfaces

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable
    from pathlib import Path

    from numpy.typing import NDArray

    from ctspine_bench.records import LabelVolume
    from ctspine_bench.report.curves import View
    from ctspine_leaderboard.volumes.tracing import Surface

MOST_BYTES: Final = 256 * 2**20
"""How much memory kept volumes take at most. While one is read, up to 0.25 GB more are needed for a moment."""

MAX_VOXELS: Final = 2**28
"""How many voxels a volume may have to be shown: twice as many as a full-size one."""

_MARGIN_MM: Final = (24.0, 24.0, 12.0)


@dataclass(frozen=True, eq=False)
class Part:
    """The part of a volume that is shown: the spine of the reference with a margin.

    Attributes:
        voxels: `(x, y, z)` labels or grey values in RAS order.
        spacing_mm: Along x, y, z.
        start: Index of its first voxel in the volume.
        outside_ml: How much of what is labelled lies outside.
    """

    voxels: NDArray[np.uint8]
    spacing_mm: tuple[float, float, float]
    start: tuple[int, int, int]
    outside_ml: float = 0.0

    @cached_property
    def curves(self) -> dict[View, NDArray[np.intp] | None]:
        """The voxel index of the middle of the spine in each slice, by view."""
        views: tuple[View, View] = ("sagittal", "coronal")
        return {view: spine_curve(self.voxels, self.spacing_mm[2], view) for view in views}

    @cached_property
    def surfaces(self) -> list[Surface] | None:
        """The surface of each label; `None` for what is all specks."""
        return surfaces(self.voxels, self.spacing_mm)


@dataclass(frozen=True, eq=False)
class Reference:
    """The reference of a case.

    Attributes:
        part: What is shown of it.
        volume: The whole without its voxels: the grid that others have to lie on.
        box: Which part is shown.
        key: What is different for another file, and for the same one when it has changed.
    """

    part: Part
    volume: LabelVolume
    box: tuple[slice, slice, slice]
    key: Hashable


class Volumes:
    """Reads volumes and keeps the last ones.

    Args:
        most_bytes: How much memory they may take together.
    """

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._kept: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()
        self._access = Lock()
        # One volume at a time is there as a whole, however many visitors wait.
        self._reading = Lock()

    @property
    def n_bytes(self) -> int:
        """How much memory the kept volumes take."""
        return sum(size for _, size in self._kept.values())

    def reference(self, path: Path) -> Reference:
        """Return the reference of a case.

        Raises:
            InputError: It cannot be read.
        """
        key = ("reference", *_state(path))
        found: Reference = self._get(key, lambda: _read_reference(path, key))
        return found

    def prediction(self, path: Path, reference: Reference) -> Part:
        """Return a prediction, as much of it as is shown of its reference.

        Raises:
            InputError: It cannot be read, or lies on another grid.
        """
        found: Part = self._get(("prediction", *_state(path), reference.key), lambda: _read_labels(path, reference))
        return found

    def image(self, path: Path, reference: Reference) -> Part:
        """Return the CT volume of a case as grey values, as much of it as is shown of its reference.

        Raises:
            InputError: It cannot be read, or lies on another grid.
        """
        found: Part = self._get(("image", *_state(path), reference.key), lambda: _read_image(path, reference))
        return found

    def _get(self, key: Hashable, read: Callable[[], Part | Reference]) -> Any:
        if (found := self._look(key)) is not None:
            return found
        with self._reading:
            if (found := self._look(key)) is None:
                found = read()
                self._keep(key, found)
        return found

    def _look(self, key: Hashable) -> Any:
        with self._access:
            if key not in self._kept:
                return None
            self._kept.move_to_end(key)
            return self._kept[key][0]

    def _keep(self, key: Hashable, found: Part | Reference) -> None:
        size = (found.part if isinstance(found, Reference) else found).voxels.nbytes
        with self._access:
            self._kept[key] = found, size
            while self._kept and self.n_bytes > self._most_bytes:
                self._kept.popitem(last=False)


@cache
def volumes() -> Volumes:
    """Return the volumes that all visitors share."""
    return Volumes()


def _state(path: Path) -> tuple[str, int, int]:
    """Return what is different for another file, and for the same one when it has changed."""
    try:
        found = path.stat()
    except OSError:
        return (str(path), 0, 0)
    return (str(path), found.st_mtime_ns, found.st_size)


def _read_reference(path: Path, key: Hashable) -> Reference:
    # Sacrum, coccyx and T13 of VerSe are background here; without them its labels are those of the benchmark.
    volume = read_labels(path, VERSE, max_voxels=MAX_VOXELS)
    box = _box(volume)
    return Reference(_part(volume, box), replace(volume, labels=np.empty((0, 0, 0), np.uint8)), box, key)


def _read_labels(path: Path, reference: Reference) -> Part:
    volume = read_labels(path, VERSE, max_voxels=MAX_VOXELS)
    check_same_grid(reference.volume, volume)
    part = _part(volume, reference.box)
    n_outside = np.count_nonzero(volume.labels) - np.count_nonzero(part.voxels)
    return replace(part, outside_ml=float(n_outside * np.prod(part.spacing_mm) / 1000))


def _read_image(path: Path, reference: Reference) -> Part:
    image = read_grey(path, MAX_VOXELS)
    check_same_grid(reference.volume, image)
    return _part(image, reference.box)


def _part(volume: LabelVolume, box: tuple[slice, slice, slice]) -> Part:
    x, y, z = (int(part.start) for part in box)
    return Part(np.ascontiguousarray(volume.labels[box]), volume.grid.spacing_mm, (x, y, z))


def _box(volume: LabelVolume) -> tuple[slice, slice, slice]:
    """Return the box around all labels with a margin; the whole volume if there are none."""
    parts = []
    for axis, margin_mm in enumerate(_MARGIN_MM):
        others = tuple(other for other in range(3) if other != axis)
        there = np.flatnonzero(volume.labels.any(axis=others))
        length = volume.labels.shape[axis]
        margin = round(margin_mm / volume.grid.spacing_mm[axis])
        low, high = (int(there[0]), int(there[-1])) if there.size else (0, length - 1)
        parts.append(slice(max(low - margin, 0), min(high + margin + 1, length)))
    return (parts[0], parts[1], parts[2])
