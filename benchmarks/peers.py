"""One adapter for each way to compute DSC and HD95 of every label and of the spine from the same two arrays.

Every adapter takes `(x, y, z)` uint8 label arrays and the spacing in mm along x, y, z, and returns label → (DSC, HD95
in mm), key 0 for the spine (all labels as one mask). A library that does not restrict its work to where the masks are
gets them cropped to the box around both, which is what a careful user would do; `how` says so.
"""

from __future__ import annotations

import io
import warnings
from contextlib import redirect_stdout
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    Labels = NDArray[np.uint8]

Spacing = tuple[float, float, float]
Scores = dict[int, tuple[float, float]]
SPINE: Final = 0
OURS: Final = "ctspine-bench"


@dataclass(frozen=True)
class Peer:
    """Something that is measured.

    Attributes:
        run: The adapter.
        package: What it is called where it is installed from.
        how: How the library is used.
        definition: Which HD95 it computes.
        comparable: The field of our scores that has the same definition, or `None`.
    """

    run: Callable[[Any, Any, Spacing], Scores]
    package: str
    how: str
    definition: str
    comparable: str | None

    @property
    def version(self) -> str | None:
        """Return the installed version, `None` when it is not installed."""
        try:
            return version(self.package)
        except PackageNotFoundError:
            return None


def masks(reference: Labels, prediction: Labels) -> Iterator[tuple[int, NDArray[np.bool_], NDArray[np.bool_]]]:
    """Yield label, reference mask and prediction mask, on the full grid; the spine last."""
    for label in _present(reference):
        yield label, reference == label, prediction == label
    yield SPINE, reference > 0, prediction > 0


def cropped_masks(reference: Labels, prediction: Labels) -> Iterator[tuple[int, NDArray[np.bool_], NDArray[np.bool_]]]:
    """Yield the same, cropped to the box around both masks and one voxel more."""
    from scipy import ndimage

    spine = _box([_extent(labels) for labels in (reference, prediction)], reference.shape)
    inner = reference[spine], prediction[spine]
    boxes = [ndimage.find_objects(labels) for labels in inner]
    for label in _present(inner[0]):
        found = [side[label - 1] for side in boxes if label <= len(side) and side[label - 1]]
        box = _box(found, inner[0].shape)
        first, second = (np.ascontiguousarray(side[box] == label) for side in inner)
        yield label, first, second
    first, second = (np.ascontiguousarray(side > 0) for side in inner)
    yield SPINE, first, second


def _present(labels: Labels) -> list[int]:
    return [label for label, count in enumerate(np.bincount(labels.ravel(order="K"))) if label and count]


def _extent(labels: Labels) -> tuple[slice, ...]:
    # reducing to a plane first reads the volume once, in memory order
    plane = labels.max(axis=2)
    along_z = np.flatnonzero(labels.reshape(-1, labels.shape[2], order="F").any(axis=0))
    along = [np.flatnonzero(plane.any(axis=1)), np.flatnonzero(plane.any(axis=0)), along_z]
    return tuple(slice(int(index[0]), int(index[-1]) + 1) for index in along)


def _box(boxes: list[tuple[slice, ...]], shape: tuple[int, ...]) -> tuple[slice, ...]:
    return tuple(
        slice(max(min(part.start for part in parts) - 1, 0), min(max(part.stop for part in parts) + 1, size))
        for size, *parts in zip(shape, *boxes, strict=True)
    )


def ctspine_bench(reference: Labels, prediction: Labels, spacing_mm: Spacing) -> Scores:
    """This project: `score_arrays`, with everything that it returns by default."""
    from ctspine_bench import score_arrays

    case = score_arrays(reference, prediction, spacing_mm)
    scores = [score for score in (*case.vertebrae, case.spine) if score]
    # a label that only one side has has no HD95
    return {score.label: (score.dsc or 0.0, np.nan if score.hd95_mm is None else score.hd95_mm) for score in scores}


def surface_distance(reference: Labels, prediction: Labels, spacing_mm: Spacing) -> Scores:
    """The library's documented use, on masks of the full volume."""
    return _surface_distance(masks(reference, prediction), spacing_mm)


def surface_distance_cropped(reference: Labels, prediction: Labels, spacing_mm: Spacing) -> Scores:
    """The same on masks that were cropped before."""
    return _surface_distance(cropped_masks(reference, prediction), spacing_mm)


def _surface_distance(pairs: Iterator[tuple[int, Any, Any]], spacing_mm: Spacing) -> Scores:
    import surface_distance as library

    # The release calls names that SciPy and NumPy have renamed since.
    warnings.filterwarnings("ignore", category=DeprecationWarning)
    if not hasattr(np, "Inf"):
        vars(np)["Inf"] = np.inf
    scores = {}
    for label, first, second in pairs:
        distances = library.compute_surface_distances(first, second, spacing_mm)
        hd95 = library.compute_robust_hausdorff(distances, 95)
        scores[label] = (library.compute_dice_coefficient(first, second), hd95)
    return scores


def monai(reference: Labels, prediction: Labels, spacing_mm: Spacing) -> Scores:
    """`compute_dice` and `compute_hausdorff_distance(percentile=95)`, one label at a time."""
    import torch
    from monai.metrics import compute_dice, compute_hausdorff_distance

    torch.set_num_threads(1)
    scores = {}
    for label, first, second in cropped_masks(reference, prediction):
        y, y_pred = (torch.from_numpy(np.ascontiguousarray(mask))[None, None] for mask in (first, second))
        hd95 = compute_hausdorff_distance(y_pred, y, include_background=True, percentile=95, spacing=spacing_mm)
        dsc = compute_dice(y_pred.float(), y.float(), include_background=True)
        scores[label] = (float(dsc), float(hd95))
    return scores


def medpy(reference: Labels, prediction: Labels, spacing_mm: Spacing) -> Scores:
    """`dc` and `hd95`, one label at a time."""
    from medpy.metric import binary

    return {
        label: (binary.dc(second, first), binary.hd95(second, first, voxelspacing=spacing_mm))
        for label, first, second in cropped_masks(reference, prediction)
    }


def panoptica(reference: Labels, prediction: Labels, spacing_mm: Spacing) -> Scores:
    """One evaluation with the labels as matched instances, one with the spine as the only one."""
    from panoptica import InputType, Panoptica_Evaluator
    from panoptica.metrics import Metric, MetricMode

    wanted = [Metric.DSC, Metric.HD95]
    evaluator = Panoptica_Evaluator(InputType.MATCHED_INSTANCE, instance_metrics=wanted, global_metrics=[])
    scores: Scores = {}
    # It is several times faster on arrays in C order.
    reference, prediction = (np.ascontiguousarray(labels) for labels in (reference, prediction))
    # Its global metrics, meant for all labels as one mask, take no account of the spacing.
    for labels, pair in (
        (_present(reference), (prediction, reference)),
        ([SPINE], ((prediction > 0).astype(np.uint8), (reference > 0).astype(np.uint8))),
    ):
        with redirect_stdout(io.StringIO()):
            result = evaluator.evaluate(*pair, voxelspacing=spacing_mm, result_all=False)["ungrouped"]
        dsc, hd95 = (result.get_list_metric(metric, MetricMode.ALL) for metric in wanted)
        scores.update(zip(labels, zip(map(float, dsc), map(float, hd95), strict=True), strict=True))
    return scores


def simpleitk(reference: Labels, prediction: Labels, spacing_mm: Spacing) -> Scores:
    """The recipe of SimpleITK's own notebook on segmentation evaluation: contours and distance maps."""
    import SimpleITK as sitk  # noqa: N813 -- as everybody calls it

    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    scores = {}
    for label, first, second in cropped_masks(reference, prediction):
        images = []
        for mask in (first, second):
            image = sitk.GetImageFromArray(np.ascontiguousarray(mask.T, np.uint8))
            image.SetSpacing(spacing_mm)
            images.append(image)
        overlap = sitk.LabelOverlapMeasuresImageFilter()
        overlap.Execute(*images)
        maps = [sitk.Abs(sitk.SignedMaurerDistanceMap(i, squaredDistance=False, useImageSpacing=True)) for i in images]
        contours = [sitk.GetArrayViewFromImage(sitk.LabelContour(image)) for image in images]
        distances = [
            sitk.GetArrayViewFromImage(other)[contour == 1] for other, contour in zip(maps[::-1], contours, strict=True)
        ]
        scores[label] = (overlap.GetDiceCoefficient(), float(np.percentile(np.concatenate(distances), 95)))
    return scores


def seg_metrics(reference: Labels, prediction: Labels, spacing_mm: Spacing) -> Scores:
    """`write_metrics` with `dice` and `hd95`, one label at a time."""
    import SimpleITK as sitk  # noqa: N813
    from seg_metrics.seg_metrics import write_metrics

    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    scores = {}
    for label, first, second in cropped_masks(reference, prediction):
        images = {"gdth_img": first.astype(np.uint8), "pred_img": second.astype(np.uint8)}
        (found,) = write_metrics(labels=[1], **images, spacing=spacing_mm, metrics=["dice", "hd95"])
        scores[label] = (float(found["dice"][0]), float(found["hd95"][0]))
    return scores


_AREA: Final = "surface elements weighted by area, max of two directions"
_POOLED: Final = "voxels of the shell, both directions pooled, linear percentile"
_CROPPED: Final = "label by label, cropped first"

PEERS: Final[dict[str, Peer]] = {
    OURS: Peer(ctspine_bench, "ctspine-bench", "score_arrays, all metrics it returns", _AREA, "hd95_mm"),
    "surface-distance": Peer(
        surface_distance, "surface-distance", "label by label, as documented: it crops itself", _AREA, "hd95_mm"
    ),
    "surface-distance-cropped": Peer(surface_distance_cropped, "surface-distance", _CROPPED, _AREA, "hd95_mm"),
    "monai": Peer(monai, "monai", _CROPPED, "voxels of the shell, linear percentile, max of two directions", None),
    "medpy": Peer(medpy, "MedPy", _CROPPED, _POOLED, "hd95_pooled_mm"),
    "panoptica": Peer(
        panoptica, "panoptica", "all labels in one call, the spine in another, from C order", _POOLED, "hd95_pooled_mm"
    ),
    "simpleitk": Peer(
        simpleitk, "SimpleITK", _CROPPED, "contours and signed distance maps, pooled, linear percentile", None
    ),
    "seg-metrics": Peer(
        seg_metrics, "seg-metrics", _CROPPED, "contours and signed distance maps, pooled, linear percentile", None
    ),
}
"""What can be measured, by name."""
