"""One phantom case: a spine seen through a field of view."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from ctspine_bench.anatomy import BACKGROUND, vertebra_label
from ctspine_bench.phantom.ct import make_image
from ctspine_bench.phantom.rasterise import box_of, draw
from ctspine_bench.phantom.spine import Lumbar, Spine, make_spine
from ctspine_bench.records import Grid

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ctspine_bench.phantom.solids import Structure

_TRUNK_MIDDLE_MM: Final = 45.0  # how far the middle of a trunk is in front of the spine
_BEHIND_MM: Final = 8.0


@dataclass(frozen=True)
class CaseSpec:
    """What a case shows.

    Attributes:
        shape: Number of voxels along x, y, z.
        spacing_mm: Distance between voxel centres along x, y, z.
        levels: The labels that the case has, without a gap; `None` for all vertebrae that the field of view shows,
            those that it cuts included.
        top: The label at the upper border of the field of view; `None` to put `levels` in the middle.
        above_mm: How far the field of view reaches above the middle of `top`.
        n_lumbar: Number of lumbar vertebrae.
        label_cut: Whether vertebrae that the upper or lower border cuts are labelled.
        colon_gas: Whether the colon in the image is filled with air.
        image: Whether to make the CT image too.
    """

    shape: tuple[int, int, int]
    spacing_mm: tuple[float, float, float]
    levels: tuple[int, ...] | None = None
    top: int | None = None
    above_mm: float = 0.0
    n_lumbar: Lumbar = 5
    label_cut: bool = True
    colon_gas: bool = False
    image: bool = False


@dataclass(frozen=True, eq=False)
class PhantomCase:
    """A made case.

    Attributes:
        labels: `(x, y, z)` uint8, RAS.
        image: `(x, y, z)` int16 Hounsfield units, or `None`.
        grid: The voxel grid of both.
        levels: The labels that are there, from the head down.
    """

    labels: NDArray[np.uint8]
    image: NDArray[np.int16] | None
    grid: Grid
    levels: tuple[int, ...]


REFERENCE_WORKLOAD: Final = CaseSpec(
    shape=(512, 512, 504),
    spacing_mm=(0.76, 0.76, 1.10),
    levels=tuple(range(vertebra_label("T1"), vertebra_label("L5") + 1)),
)
"""The mean CTSpine1K volume with seventeen whole vertebrae, T1–L5: what speed is measured on."""


def make_case(spec: CaseSpec, rng: np.random.Generator) -> PhantomCase:
    """Make one case; the same `spec` and generator state give the same voxels."""
    spine = make_spine(spec.n_lumbar, rng)
    grid = place_grid(spec, spine)
    labels = np.zeros(spec.shape, dtype=np.uint8, order="F")
    vertebrae = [_named(bone, spec.levels) for bone in spine.vertebrae]
    levels = draw(vertebrae, grid, labels)
    if not spec.label_cut:
        levels = _without_cut(labels, vertebrae, levels, grid)
    bones = [*spine.vertebrae, *spine.sacrum]
    image = make_image(spine, bones, grid, rng, colon_gas=spec.colon_gas) if spec.image else None
    return PhantomCase(labels, image, grid, levels)


def place_grid(spec: CaseSpec, spine: Spine) -> Grid:
    """Put the field of view around the levels that it is to show, the spine in the back third of the trunk."""
    spacing = np.array(spec.spacing_mm)
    size = (np.array(spec.shape) - 1) * spacing
    if spec.top is not None:
        shown = spine.vertebrae[spec.top - 1 :]
        high = float(spine.bone(spec.top).to_world[2, 3]) + spec.above_mm
    else:
        levels = spec.levels or tuple(range(1, len(spine.vertebrae) + 1))
        shown = tuple(spine.bone(label) for label in levels)
        high = (_extent(shown[-1])[0] + _extent(shown[0])[1]) / 2 + size[2] / 2
    inside = [bone for bone in shown if bone.to_world[2, 3] > high - size[2]]
    x, y = np.mean([bone.to_world[:2, 3] for bone in inside], axis=0)
    # a narrow field of view moves back rather than cut the spinous processes
    back = min(y + _TRUNK_MIDDLE_MM - size[1] / 2, min(bone.bounds_mm()[0][1] for bone in inside) - _BEHIND_MM)
    affine = np.diag([*spacing, 1.0])
    affine[:3, 3] = (x - size[0] / 2, back, high - size[2])
    return Grid(spec.shape, affine)


def _extent(bone: Structure) -> tuple[float, float]:
    low, high = bone.bounds_mm()
    return float(low[2]), float(high[2])


def _named(bone: Structure, levels: tuple[int, ...] | None) -> Structure:
    return bone if levels is None or bone.label in levels else replace(bone, label=BACKGROUND)


def _without_cut(
    labels: NDArray[np.uint8], vertebrae: list[Structure], levels: tuple[int, ...], grid: Grid
) -> tuple[int, ...]:
    cut = {int(label) for label in np.unique(labels[:, :, [0, -1]])} - {BACKGROUND}
    for bone in vertebrae:
        if bone.label in cut:
            low, high = box_of(bone, grid)
            box = labels[tuple(slice(a, b) for a, b in zip(low, high, strict=True))]
            box[box == bone.label] = BACKGROUND
    return tuple(label for label in levels if label not in cut)
