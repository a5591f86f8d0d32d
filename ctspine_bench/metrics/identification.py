"""How well the levels were named: identification rate, localisation, label shift, label-agnostic quality."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from ctspine_bench.anatomy import N_LABELS
from ctspine_bench.metrics.overlap import FOUND_DSC, dsc_matrix, iou_matrix, present_labels
from ctspine_bench.records import Identification

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ctspine_bench.records import Comparison

IDENTIFICATION_RADIUS_MM: Final = 20.0
LARGEST_SHIFT: Final = 3
# Equal distances must not become unequal by rounding.
_ROUNDING: Final = 1e-9


def identify(comparison: Comparison) -> Identification:
    """Return the identification metrics of one case."""
    reference, prediction = present_labels(comparison)
    shift = label_shift(comparison)
    distances = _same_label_distances(comparison, reference, prediction)
    rate = _identification_rate(comparison, reference, prediction)
    return Identification(
        n_reference=len(reference),
        n_prediction=len(prediction),
        identification_rate=rate,
        n_verse_hits=_n_verse_hits(comparison, sorted({*reference} & {*prediction})),
        levels_right=_levels_right(comparison, reference, prediction, rate),
        localisation_mm=float(np.mean(distances)) if distances else None,
        n_localised=len(distances),
        label_shift=shift,
        dsc_unshifted=_dsc_unshifted(comparison, reference, shift),
        dsc_instance=_dsc_instance(comparison, reference),
        panoptic_quality=_panoptic_quality(comparison, len(reference), len(prediction)),
    )


def label_shift(comparison: Comparison) -> int | None:
    """Return s in −3…3 that maximises Σ|A_r ∩ B_(r+s)|; ties go to the smallest |s|, then the negative.

    A shift of +1 means that the prediction names every vertebra one level too low (L1 for T12). `None` without overlap.
    """
    vertebrae = comparison.confusion[1:, 1:]
    best, best_overlap = None, 0
    for shift in sorted(range(-LARGEST_SHIFT, LARGEST_SHIFT + 1), key=lambda s: (abs(s), s)):
        overlap = int(np.trace(vertebrae, offset=shift))
        if overlap > best_overlap:
            best, best_overlap = shift, overlap
    return best


def _centroid_distances(comparison: Comparison, label: int, others: list[int]) -> NDArray[np.float64]:
    """Return the distance in mm from the reference centroid of a label to predicted centroids."""
    offsets = comparison.prediction.centroids_mm[others] - comparison.reference.centroids_mm[label]
    distances: NDArray[np.float64] = np.sqrt((offsets**2).sum(axis=1))
    return distances


def _same_label_distances(comparison: Comparison, reference: list[int], prediction: list[int]) -> list[float]:
    both = sorted(set(reference) & set(prediction))
    return [float(_centroid_distances(comparison, label, [label])[0]) for label in both]


def _identification_rate(comparison: Comparison, reference: list[int], prediction: list[int]) -> float | None:
    if not reference:
        return None
    return sum(_is_identified(comparison, label, prediction) for label in reference) / len(reference)


def _is_identified(comparison: Comparison, label: int, prediction: list[int]) -> bool:
    if label not in prediction:
        return False
    distances = _centroid_distances(comparison, label, prediction)
    own = distances[prediction.index(label)]
    others = np.delete(distances, prediction.index(label))
    return bool(own < IDENTIFICATION_RADIUS_MM * (1 - _ROUNDING) and (others > own * (1 + _ROUNDING)).all())


def _levels_right(
    comparison: Comparison, reference: list[int], prediction: list[int], rate: float | None
) -> bool | None:
    if not reference and not prediction:
        return None
    found = np.diagonal(dsc_matrix(comparison))[[label - 1 for label in reference]] >= FOUND_DSC
    return bool(reference == prediction and rate == 1 and found.all())


def _n_verse_hits(comparison: Comparison, both: list[int]) -> int:
    """Return how many labels are identified as VerSe's released evaluation counts it (Sekuboyina et al., 2021).

    Distances go from each predicted centroid to all reference centroids of the labels in both; of two that are equally
    near, the upper one counts. doi:10.1016/j.media.2021.102166.
    """
    offsets = comparison.prediction.centroids_mm[both, None] - comparison.reference.centroids_mm[None, both]
    distances = np.sqrt((offsets**2).sum(axis=2))
    own = np.diagonal(distances)
    return int(sum(np.argmin(row) == i and own[i] <= IDENTIFICATION_RADIUS_MM for i, row in enumerate(distances)))


def _dsc_unshifted(comparison: Comparison, reference: list[int], shift: int | None) -> float | None:
    if not reference:
        return None
    # Without overlap there is no shift to undo, and every DSC is 0 anyway.
    dsc = dsc_matrix(comparison)
    partners = [(label, label + (shift or 0)) for label in reference]
    return sum(float(dsc[a - 1, b - 1]) for a, b in partners if 1 <= b <= N_LABELS) / len(reference)


def _dsc_instance(comparison: Comparison, reference: list[int]) -> float | None:
    if not reference:
        return None
    from scipy.optimize import linear_sum_assignment  # slow to import

    dsc = dsc_matrix(comparison)
    rows, columns = linear_sum_assignment(dsc, maximize=True)
    return float(dsc[rows, columns].sum() / len(reference))


def _panoptic_quality(comparison: Comparison, n_reference: int, n_prediction: int) -> float | None:
    """Kirillov et al., 2019, doi:10.1109/CVPR.2019.00963: Σ IoU / (TP + FP/2 + FN/2) = Σ IoU / mean instance count."""
    if not n_reference + n_prediction:
        return None
    iou = iou_matrix(comparison)
    # Pairs with IoU > 0.5 are one-to-one by themselves.
    return float(2 * iou[iou > 0.5].sum() / (n_reference + n_prediction))
