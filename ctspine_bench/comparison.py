"""Two label arrays → a `Comparison`: every count and every surface distance, computed once."""

from __future__ import annotations

from functools import lru_cache
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from ctspine_bench.anatomy import LABELS, N_LABELS, SPINE
from ctspine_bench.errors import GeometryError, LabelError, UsageError
from ctspine_bench.kernels.areas import element_areas
from ctspine_bench.kernels.elements import MOST_PER_VOXEL, count_elements, extract_elements
from ctspine_bench.kernels.layout import SharedLayout, share_layout
from ctspine_bench.kernels.nearest import Distances, near_offsets, surface_distances
from ctspine_bench.kernels.overlap import Overlap, scan_overlap
from ctspine_bench.kernels.pooled import hd95_pooled_mm
from ctspine_bench.records import LONGEST_AXIS, Comparison, MaskGeometry, SurfacePair, SurfaceProfile

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from ctspine_bench.kernels.layout import Axes, Flips

# Surface elements take 8 bytes each; a prediction of pure noise has a thousand million of them.
_MAX_ELEMENTS = 1 << 25


def compare(
    reference: NDArray[np.uint8],
    prediction: NDArray[np.uint8],
    spacing_mm: tuple[float, float, float],
    *,
    superior_axis: int = 2,
    pooled: bool = False,
) -> Comparison:
    """Compare two label arrays on one grid.

    Args:
        reference: `(x, y, z)` uint8 labels 0–25, any strides.
        prediction: The same of the prediction.
        spacing_mm: Voxel spacing along x, y, z.
        superior_axis: Which axis runs along the spine.
        pooled: Also compute the pooled HD95.

    Raises:
        GeometryError: E_SHAPE, E_NDIM or E_SPACING.
        LabelError: E_LABEL_RANGE for values above 25.
        UsageError: There is no such axis.
    """
    _check_geometry(reference, prediction, spacing_mm, superior_axis)
    layout = share_layout(reference, prediction)
    overlap = scan_overlap(layout.reference, layout.prediction)
    _check_range(overlap.confusion)
    confusion = overlap.confusion[: N_LABELS + 1, : N_LABELS + 1].copy()
    surfaces = _surfaces(layout, overlap, confusion, spacing_mm)
    return Comparison(
        shape=reference.shape,
        spacing_mm=spacing_mm,
        superior_axis=superior_axis,
        confusion=confusion,
        reference=_mask_geometry(overlap, 0, confusion.sum(axis=1), layout, spacing_mm),
        prediction=_mask_geometry(overlap, 1, confusion.sum(axis=0), layout, spacing_mm),
        surfaces=surfaces,
        hd95_pooled_mm={
            key: hd95_pooled_mm(_mask(reference, key), _mask(prediction, key), spacing_mm) for key in surfaces if pooled
        },
    )


def _mask(labels: NDArray[np.uint8], key: int) -> NDArray[np.bool_]:
    return labels > 0 if key == SPINE else labels == key


def _check_geometry(
    reference: NDArray[np.uint8],
    prediction: NDArray[np.uint8],
    spacing_mm: tuple[float, float, float],
    superior_axis: int,
) -> None:
    if superior_axis not in {0, 1, 2}:
        raise UsageError(f"expected 0, 1 or 2 as the superior axis, found {superior_axis!r}")
    if reference.ndim != 3 or not all(1 <= n <= LONGEST_AXIS for n in reference.shape):
        raise GeometryError(
            "E_NDIM",
            None,
            expected=f"a reference with three axes (x, y, z) of 1 to {LONGEST_AXIS} voxels",
            found=f"shape {reference.shape}",
            advice="Pass one label volume per case.",
        )
    if reference.shape != prediction.shape:
        raise GeometryError(
            "E_SHAPE",
            None,
            expected=f"a prediction of the reference's shape {reference.shape}",
            found=f"shape {prediction.shape}",
            advice="Write the prediction on the voxel grid of the reference.",
        )
    if len(spacing_mm) != 3 or not all(np.isfinite(mm) and mm > 0 for mm in spacing_mm):
        raise GeometryError(
            "E_SPACING",
            None,
            expected="three positive voxel spacings in mm along x, y, z",
            found=str(spacing_mm),
            advice="Pass the spacing of the reference's voxel grid.",
        )


def _check_range(confusion: NDArray[np.int64]) -> None:
    for side, counts in (("reference", confusion.sum(axis=1)), ("prediction", confusion.sum(axis=0))):
        unknown = np.flatnonzero(counts[N_LABELS + 1 :]) + N_LABELS + 1
        if unknown.size:
            raise LabelError(
                "E_LABEL_RANGE",
                None,
                expected=f"labels 0–{N_LABELS} in the {side}",
                found=f"values {', '.join(map(str, unknown))}",
                advice="Translate the values to the labels of CTSpine1K first.",
            )


def _mask_geometry(
    overlap: Overlap,
    side: int,
    voxels: NDArray[np.int64],
    layout: SharedLayout,
    spacing_mm: tuple[float, float, float],
) -> MaskGeometry:
    """Turn positions in memory order into positions along x, y, z."""
    rows = N_LABELS + 1
    centroids = np.full((rows, 3), np.nan)
    lowest = np.full((rows, 3), -1, np.int64)
    highest = np.full((rows, 3), -1, np.int64)
    present = [label for label in LABELS if voxels[label]]
    for position, (axis, flip) in enumerate(zip(layout.axes, layout.flipped, strict=True)):
        last = layout.reference.shape[position] - 1
        mean = overlap.index_sums[side, present, position] / voxels[present]
        low = overlap.lowest[side, present, position]
        high = overlap.highest[side, present, position]
        centroids[present, axis] = (last - mean if flip else mean) * spacing_mm[axis]
        lowest[present, axis] = last - high if flip else low
        highest[present, axis] = last - low if flip else high
    return MaskGeometry(centroids, lowest, highest)


def _surfaces(
    layout: SharedLayout, overlap: Overlap, confusion: NDArray[np.int64], spacing_mm: tuple[float, float, float]
) -> dict[int, SurfacePair]:
    class_of_code, areas_mm2 = _element_classes(spacing_mm, layout.axes, layout.flipped)
    surfaces = {}
    for keys, room in _groups(layout, overlap, confusion):
        reference, prediction = (
            extract_elements(volume, spans, keys, layout.axes, class_of_code, room)
            for volume, spans in zip((layout.reference, layout.prediction), overlap.spans, strict=True)
        )
        for key in keys:
            there, back = surface_distances(reference[key], prediction[key], spacing_mm, areas_mm2.size)
            surfaces[key] = SurfacePair(_profile(there, areas_mm2, spacing_mm), _profile(back, areas_mm2, spacing_mm))
    return surfaces


def _groups(layout: SharedLayout, overlap: Overlap, confusion: NDArray[np.int64]) -> Iterator[tuple[list[int], int]]:
    """Yield the keys that both sides have, in groups whose elements fit in memory, and how many elements they have.

    Nearly always a bound from the number of voxels shows that one group will do. Noise may need several.
    """
    sides = (confusion.sum(axis=1)[1:], confusion.sum(axis=0)[1:])
    labels = [label for label in LABELS if sides[0][label - 1] and sides[1][label - 1]]
    keys = [SPINE, *labels] if sides[0].any() and sides[1].any() else []
    bound = 2 * MOST_PER_VOXEL * max(int(voxels.sum()) for voxels in sides)
    if bound <= _MAX_ELEMENTS:
        if keys:
            yield keys, bound
        return
    counts = np.maximum(
        count_elements(layout.reference, overlap.spans[0]), count_elements(layout.prediction, overlap.spans[1])
    )
    group: list[int] = []
    for key in keys:
        if group and counts[[*group, key]].sum() > _MAX_ELEMENTS:
            yield group, int(counts[group].sum())
            group = []
        group.append(key)
    yield group, int(counts[group].sum())


@lru_cache(maxsize=64)
def _element_classes(
    spacing_mm: tuple[float, float, float], axes: Axes, flipped: Flips
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Return the class of each neighbourhood code in memory order, and the area in mm² of each class, ascending."""
    area_of_code = element_areas(spacing_mm)
    areas_mm2, class_of_canonical = np.unique(area_of_code, return_inverse=True)
    canonical_bit = np.empty(8, np.int64)
    for steps in product((0, 1), repeat=3):
        offset = [0, 0, 0]
        for axis, flip, step in zip(axes, flipped, steps, strict=True):
            offset[axis] = 1 - step if flip else step
        canonical_bit[4 * steps[0] + 2 * steps[1] + steps[2]] = 7 - (4 * offset[0] + 2 * offset[1] + offset[2])
    codes = np.arange(256)
    canonical = sum(((codes >> bit) & 1) << canonical_bit[bit] for bit in range(8))
    return class_of_canonical[canonical].astype(np.uint8), areas_mm2


def _profile(
    distances: Distances, areas_mm2: NDArray[np.float64], spacing_mm: tuple[float, float, float]
) -> SurfaceProfile:
    """Sort by distance, then area; no far distance is smaller than a near one."""
    rank, near_class = np.nonzero(distances.near)
    far_areas = areas_mm2[distances.far_classes]
    # Areas ascend with classes, and eight-bit classes sort in linear time.
    order = np.argsort(distances.far_classes, kind="stable")
    order = order[np.argsort(distances.far_mm[order], kind="stable")]
    return SurfaceProfile(
        np.concatenate((near_offsets(spacing_mm).distances_mm[rank], distances.far_mm[order])),
        np.concatenate((areas_mm2[near_class], far_areas[order])),
        np.concatenate((distances.near[rank, near_class], np.ones(order.size, np.int64))),
    )


def warm_up() -> None:
    """Compile every kernel, or load it from the cache, by comparing two small volumes."""
    reference, prediction = np.zeros((2, 64, 8, 8), np.uint8)
    reference[1:4, 1:4, 1:4] = 1
    prediction[60:63, 1:4, 1:4] = 1
    compare(reference, prediction, (1.0, 1.0, 1.0))
