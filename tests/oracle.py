"""Second opinions: every metric again, by other means and without the engine.

Surface distances come from DeepMind's surface-distance, whose definition the engine follows; the rest is written from
the definitions in docs/CORRECTNESS.md in plain NumPy and SciPy, slowly and literally. Nothing here imports
`ctspine_bench`.
"""

from __future__ import annotations

import warnings
from fractions import Fraction
from functools import lru_cache
from itertools import combinations, permutations
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

Mask = "NDArray[np.bool_]"
Spacing = tuple[float, float, float]

with warnings.catch_warnings():
    # Release 0.1 reaches into SciPy namespaces that are going away.
    warnings.simplefilter("ignore")
    from surface_distance import lookup_tables
    from surface_distance import metrics as library

_build_area_table = lookup_tables.create_table_neighbour_code_to_surface_area


@lru_cache(maxsize=256)
def area_table(spacing_mm: Spacing) -> NDArray[np.float64]:
    """The library's area in mm² of each of the 256 neighbourhood codes."""
    return _build_area_table(spacing_mm)


# The library builds this table anew in every call, which would take most of the tests' time.
lookup_tables.create_table_neighbour_code_to_surface_area = area_table


def surface_distances(reference: NDArray, prediction: NDArray, spacing_mm: Spacing) -> dict[str, NDArray]:
    """The library's sorted distances and areas of two masks that are not empty."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return library.compute_surface_distances(reference, prediction, spacing_mm)


def surface_metrics(reference: NDArray, prediction: NDArray, spacing_mm: Spacing) -> dict[str, float]:
    """HD95, HD100, ASSD and NSD of two masks that are not empty.

    HD95 and NSD are the library's own results, NSD at a tolerance that is a millionth larger; the other two are taken
    from its distances, HD100 as their plain maximum.
    """
    found = surface_distances(reference, prediction, spacing_mm)
    distances = np.concatenate([found["distances_gt_to_pred"], found["distances_pred_to_gt"]])
    areas = np.concatenate([found["surfel_areas_gt"], found["surfel_areas_pred"]])
    return {
        "hd95_mm": float(library.compute_robust_hausdorff(found, 95)),
        "hd100_mm": float(distances.max()),
        "assd_mm": float((distances * areas).sum() / areas.sum()),
        **{f"nsd_{t}mm": float(library.compute_surface_dice_at_tolerance(found, t * 1.000001)) for t in (1, 2, 3)},
    }


def dsc(reference: NDArray, prediction: NDArray) -> float:
    """The Dice similarity coefficient of two masks, not both empty."""
    return 2 * int((reference & prediction).sum()) / (int(reference.sum()) + int(prediction.sum()))


def pooled_hd95_mm(reference: NDArray, prediction: NDArray, spacing_mm: Spacing) -> float:
    """HD95 as medpy takes it: shells of face neighbours, both directions in one list, interpolated percentile."""
    shells = [
        mask ^ ndimage.binary_erosion(mask, ndimage.generate_binary_structure(3, 1)) for mask in (reference, prediction)
    ]
    there = ndimage.distance_transform_edt(~shells[1], sampling=spacing_mm)[shells[0]]
    back = ndimage.distance_transform_edt(~shells[0], sampling=spacing_mm)[shells[1]]
    return float(np.percentile(np.hstack((there, back)), 95))


def labels_of(volume: NDArray) -> list[int]:
    """The labels in a volume, without background."""
    return [int(label) for label in np.unique(volume) if label]


def centroid_mm(volume: NDArray, label: int, spacing_mm: Spacing) -> NDArray[np.float64]:
    """Centre of mass of one label, in mm from the centre of the first voxel."""
    return np.argwhere(volume == label).mean(axis=0) * spacing_mm


def is_identified(reference: NDArray, prediction: NDArray, label: int, spacing_mm: Spacing) -> bool:
    """Whether the predicted centroid of the label is less than 20 mm away and nearer than every other."""
    if label not in labels_of(prediction):
        return False
    here = centroid_mm(reference, label, spacing_mm)
    distance = {
        other: np.linalg.norm(centroid_mm(prediction, other, spacing_mm) - here) for other in labels_of(prediction)
    }
    return bool(distance[label] < 20 and all(distance[label] < distance[o] for o in distance if o != label))


def verse_hits(reference: NDArray, prediction: NDArray, spacing_mm: Spacing) -> int:
    """How many labels in both have, of all reference centroids of labels in both, their own nearest to the predicted.

    It must be 20 mm away at most. Of equally near ones the upper counts, as numpy.argmin takes it.
    """
    both = [label for label in labels_of(reference) if label in labels_of(prediction)]
    hits = 0
    for label in both:
        predicted = centroid_mm(prediction, label, spacing_mm)
        nearest, smallest = None, float("inf")
        for other in both:
            distance = float(np.linalg.norm(predicted - centroid_mm(reference, other, spacing_mm)))
            if distance < smallest - 1e-9:
                nearest, smallest = other, distance
        hits += nearest == label and smallest <= 20
    return hits


def every_level_right(reference: NDArray, prediction: NDArray, spacing_mm: Spacing) -> bool | None:
    """Whether both volumes have the same labels, each is identified and found; nothing on both sides is neither."""
    labels, predicted = labels_of(reference), labels_of(prediction)
    if not labels and not predicted:
        return None
    if labels != predicted:
        return False
    return all(
        is_identified(reference, prediction, label, spacing_mm) and dsc(reference == label, prediction == label) >= 0.1
        for label in labels
    )


def label_shift(reference: NDArray, prediction: NDArray) -> int | None:
    """The s in −3…3 with the most voxels that are called s levels lower; smallest |s|, then the negative."""
    both = (reference > 0) & (prediction > 0)
    difference = prediction[both].astype(int) - reference[both]
    overlap = {s: int((difference == s).sum()) for s in (0, -1, 1, -2, 2, -3, 3)}
    return max(overlap, key=lambda s: overlap[s]) if any(overlap.values()) else None


def exact_dsc(confusion: NDArray, r: int, p: int) -> Fraction:
    """DSC of a reference label with a predicted one as a fraction; both in use."""
    return Fraction(2 * int(confusion[r, p]), int(confusion[r].sum() + confusion[:, p].sum()))


def increasing_maps(reference: Sequence[int], prediction: Sequence[int]) -> Iterable[tuple[tuple[int, int], ...]]:
    """All strictly increasing partial maps between two ascending lists of labels, the empty one among them."""
    for size in range(min(len(reference), len(prediction)) + 1):
        for rs in combinations(reference, size):
            for ps in combinations(prediction, size):
                yield tuple(zip(rs, ps, strict=True))


def rank_of_map(confusion: NDArray, pairs: Iterable[tuple[int, int]]) -> tuple[Fraction, int, int]:
    """How a map ranks: Σ DSC, then few changed names, then small shifts."""
    pairs = tuple(pairs)
    return (
        sum((exact_dsc(confusion, r, p) for r, p in pairs), Fraction(0)),
        -sum(r != p for r, p in pairs),
        -sum(abs(r - p) for r, p in pairs),
    )


def best_map_rank(confusion: NDArray) -> tuple[Fraction, int, int]:
    """The rank of the best of all strictly increasing partial maps."""
    reference = [int(r) for r in np.flatnonzero(confusion[1:].sum(axis=1)) + 1]
    prediction = [int(p) for p in np.flatnonzero(confusion[:, 1:].sum(axis=0)) + 1]
    return max(rank_of_map(confusion, pairs) for pairs in increasing_maps(reference, prediction))


def best_assignment_sum(matrix: NDArray) -> float:
    """The largest sum over one-to-one pairs of rows and columns, by trying all of them."""
    rows, columns = matrix.shape
    if rows > columns:
        return best_assignment_sum(matrix.T)
    return max(sum(matrix[i, j] for i, j in enumerate(order)) for order in permutations(range(columns), rows))


def panoptic_quality(reference: NDArray, prediction: NDArray) -> float:
    """Σ IoU over pairs with IoU > 0.5, divided by TP + FP/2 + FN/2."""
    true_positive = []
    for r in labels_of(reference):
        for p in labels_of(prediction):
            a, b = reference == r, prediction == p
            iou = Fraction(int((a & b).sum()), int((a | b).sum()))
            if iou > Fraction(1, 2):
                true_positive.append(iou)
    n_r, n_p, tp = len(labels_of(reference)), len(labels_of(prediction)), len(true_positive)
    return float(sum(true_positive, Fraction(0)) / (tp + Fraction(n_p - tp, 2) + Fraction(n_r - tp, 2)))
