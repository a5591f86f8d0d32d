"""One case: two label arrays → `CaseScore`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, cast

import numpy as np

from ctspine_bench.anatomy import LABELS, N_LABELS, SPINE, vertebra_label, vertebra_name
from ctspine_bench.comparison import compare
from ctspine_bench.errors import LabelError
from ctspine_bench.metrics import SURFACE_METRICS
from ctspine_bench.metrics.identification import identify
from ctspine_bench.metrics.loss_split import split_loss
from ctspine_bench.metrics.overlap import dsc, present_labels, voxel_counts
from ctspine_bench.records import INTEGER_TOLERANCE, CaseScore, VertebraScore

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from ctspine_bench.metrics.loss_split import Loss
    from ctspine_bench.records import Comparison, MaskGeometry, Status

ROOM_FOR_L5_MM: Final = 30.0
NEAR_BORDER_MM: Final = 40.0
"""How far from the last slice the centre of a vertebra that it cuts can be: a lumbar one with its processes."""


def score_arrays(
    reference: ArrayLike,
    prediction: ArrayLike,
    spacing_mm: tuple[float, float, float],
    *,
    superior_axis: int = 2,
    pooled: bool = False,
) -> CaseScore:
    """Score one prediction against its reference.

    Args:
        reference: `(x, y, z)` labels 0–25 as nibabel gives them: any strides, any integer or integer-valued float type.
        prediction: The same of the prediction, on the same voxel grid.
        spacing_mm: Distance between voxel centres along x, y, z.
        superior_axis: Which axis runs along the spine; needed for what the field of view cuts.
        pooled: Also compute `hd95_pooled_mm`, which takes about a hundred times longer than everything else.

    Raises:
        GeometryError: E_NDIM, E_SHAPE or E_SPACING.
        LabelError: E_NAN, E_NOT_INTEGER, E_LABEL_RANGE or E_DTYPE.
        UsageError: There is no such superior axis.
    """
    comparison = compare(
        label_array(reference, "reference"),
        label_array(prediction, "prediction"),
        cast("tuple[float, float, float]", tuple(float(mm) for mm in spacing_mm)),
        superior_axis=superior_axis,
        pooled=pooled,
    )
    return score(comparison)


def label_array(values: ArrayLike, side: str) -> NDArray[np.uint8]:
    """Return an array of labels as uint8; a uint8 array is returned as it is, and its values are checked later."""
    array = np.asarray(values)
    if array.dtype == np.uint8:
        return array
    if array.dtype.kind not in "biuf":
        raise _value_error("E_DTYPE", side, "an integer or integer-valued float array", f"dtype {array.dtype}")
    if array.dtype.kind == "f":
        if not np.isfinite(array).all():
            raise _value_error("E_NAN", side, "finite values", "NaN or infinite values")
        rounded = np.rint(array)
        if (np.abs(array - rounded) > INTEGER_TOLERANCE).any():
            example = array[np.abs(array - rounded) > INTEGER_TOLERANCE].flat[0]
            raise _value_error("E_NOT_INTEGER", side, "whole numbers", f"values such as {example}")
        array = rounded
    if array.size and (array.min() < 0 or array.max() > N_LABELS):
        unknown = np.unique(array[(array < 0) | (array > N_LABELS)])
        raise _value_error(
            "E_LABEL_RANGE", side, f"labels 0–{N_LABELS}", f"values {', '.join(str(int(v)) for v in unknown[:20])}"
        )
    return array.astype(np.uint8)


def _value_error(code: str, side: str, expected: str, found: str) -> LabelError:
    advice = "Translate the values to the labels of CTSpine1K first."
    return LabelError(code, None, expected=f"{expected} in the {side}", found=found, advice=advice)


def score(comparison: Comparison) -> CaseScore:
    """Return all scores of a comparison."""
    reference, _ = present_labels(comparison)
    losses = split_loss(comparison)
    vertebrae = tuple(_score_mask(comparison, label, loss) for label, loss in sorted(losses.items()))
    return CaseScore(
        vertebrae=vertebrae,
        spine=_score_mask(comparison, SPINE, None) if vertebrae else None,
        identification=identify(comparison),
        slice_spacing_mm=comparison.spacing_mm[comparison.superior_axis],
        diagonal_mm=math.dist(
            (0, 0, 0), [n * mm for n, mm in zip(comparison.shape, comparison.spacing_mm, strict=True)]
        ),
        transitional=_is_transitional(comparison, reference),
    )


def _score_mask(comparison: Comparison, key: int, loss: Loss | None) -> VertebraScore:
    reference, prediction, _ = voxel_counts(comparison, key)
    status: Status = "matched" if reference and prediction else "missed" if reference else "spurious"
    ml_per_voxel = float(np.prod(comparison.spacing_mm)) / 1000
    surfaces = comparison.surfaces.get(key)
    distances: dict[str, float | None] = {
        name: metric(surfaces) if surfaces else None for name, metric in SURFACE_METRICS.items()
    }
    if status != "matched":
        distances |= {"nsd_1mm": 0.0, "nsd_2mm": 0.0, "nsd_3mm": 0.0}
    return VertebraScore(
        label=key,
        name="spine" if key == SPINE else vertebra_name(key),
        status=status,
        dsc=dsc(comparison, key),
        **distances,
        volume_error_ml=(prediction - reference) * ml_per_voxel,
        reference_ml=reference * ml_per_voxel,
        prediction_ml=prediction * ml_per_voxel,
        cut=_touches_end(comparison, comparison.reference, key) if reference else None,
        at_border=_ends_at_border(comparison, key) if prediction else None,
        predicted_as=None if key == SPINE else _covered_by(comparison, key),
        loss_identification=loss.identification if loss else None,
        loss_missed=loss.missed if loss else None,
        loss_boundary=loss.boundary if loss else None,
        loss_spurious=loss.spurious if loss else None,
        hd95_pooled_mm=comparison.hd95_pooled_mm.get(key),
    )


def _covered_by(comparison: Comparison, label: int) -> int | None:
    """Return the predicted label that covers most of a reference vertebra."""
    overlap = comparison.confusion[label, 1:]
    return int(np.argmax(overlap)) + 1 if overlap.any() else None


def _touches_end(comparison: Comparison, geometry: MaskGeometry, key: int) -> bool:
    """Whether a mask reaches the first or last slice along the spine."""
    axis = comparison.superior_axis
    labels = LABELS if key == SPINE else [key]
    lowest = geometry.lowest[labels, axis]
    return bool((lowest == 0).any() or (geometry.highest[labels, axis] == comparison.shape[axis] - 1).any())


def _ends_at_border(comparison: Comparison, key: int) -> bool:
    """Whether a predicted mask is cut by the field of view: it touches an end, and its centre is no vertebra away.

    A single voxel at the end does not take a vertebra there that lies elsewhere. The spine only has to touch.
    """
    geometry, axis = comparison.prediction, comparison.superior_axis
    if key == SPINE:
        return _touches_end(comparison, geometry, key)
    last = comparison.shape[axis] - 1
    from_first_mm = geometry.centroids_mm[key, axis]
    from_last_mm = last * comparison.spacing_mm[axis] - from_first_mm
    at_first = geometry.lowest[key, axis] == 0 and from_first_mm <= NEAR_BORDER_MM
    return bool(at_first or (geometry.highest[key, axis] == last and from_last_mm <= NEAR_BORDER_MM))


def _is_transitional(comparison: Comparison, reference: list[int]) -> bool:
    """Whether the spine has an L6, or ends at L4 although an L5 would have had room below it."""
    if not reference:
        return False
    if vertebra_label("L6") in reference:
        return True
    last = reference[-1]
    if last != vertebra_label("L4"):
        return False
    axis = comparison.superior_axis
    heights = comparison.reference.centroids_mm[:, axis]
    # Down is where the higher labels lie, whichever way the axis runs.
    upright = heights[last] <= heights[reference[0]]
    lowest, highest = comparison.reference.lowest[last, axis], comparison.reference.highest[last, axis]
    slices_below = lowest if upright else comparison.shape[axis] - 1 - highest
    return bool(slices_below * comparison.spacing_mm[axis] >= ROOM_FOR_L5_MM)
