"""Some cases computed again from their files, with plain NumPy and the library whose definitions the engine follows.

Nothing of the engine's arithmetic is used: DSC is counted on the label arrays, HD95 and NSD are those of DeepMind's
surface-distance, which is an extra. What is compared with them is what was scored.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from scipy import ndimage

from ctspine_bench.errors import UsageError
from ctspine_bench.evaluate import read_prediction
from ctspine_bench.metrics.surface import TOLERANCE_SLACK
from ctspine_bench.volumes import read_labels

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from ctspine_bench.evaluate import SubmissionScore
    from ctspine_bench.pairing import Pair, Plan
    from ctspine_bench.provenance import Settings
    from ctspine_bench.records import CaseResult, CaseScore

    Mask = NDArray[np.bool_]
    Spacing = tuple[float, float, float]

SEED: Final = 20240917
"""Of the draw of cases: always the same, so that nobody picks them."""
LARGEST_ALLOWED: Final = 1e-6
"""A difference beyond it is an error of one of the two."""
HOW_TO_INSTALL: Final = "pip install 'ctspine-bench[cross-check]'"

_TOLERANCES_MM: Final = (1, 2, 3)
_LIBRARY: Final = "surface-distance"


@dataclass(frozen=True)
class CrossCheck:
    """What was computed again, and how far it is from what was scored.

    Attributes:
        n_cases: How many cases.
        case_ids: Which.
        n_masks: How many vertebrae, and a spine for each case that has one.
        library: Name of the library that computed the surface distances.
        library_version: Its version.
        seed: Of the draw of cases.
        largest_difference: "dsc", "hd95_mm", "nsd" → the largest absolute difference; 1 for a mask that one of the two
            takes for matched and the other does not.
    """

    n_cases: int
    case_ids: tuple[str, ...]
    n_masks: int
    library: str
    library_version: str
    seed: int
    largest_difference: Mapping[str, float]

    @property
    def agrees(self) -> bool:
        """Whether masks were compared, and no difference is larger than rounding can make it."""
        return self.n_masks > 0 and max(self.largest_difference.values()) <= LARGEST_ALLOWED

    def sentence(self) -> str:
        """Return what was found in a line."""
        if not self.n_masks:
            return "Cross-check: nothing was compared, since no case was scored from a prediction of its own."
        found = ", ".join(
            f"{name} {self.largest_difference[key]:.2g}{unit}"
            for key, name, unit in (("dsc", "DSC", ""), ("hd95_mm", "HD95", " mm"), ("nsd", "NSD", ""))
        )
        cases = "1 case" if self.n_cases == 1 else f"{self.n_cases} cases"
        return (
            f"Cross-check: {cases}, {self.n_masks} masks (spines included) computed again with {self.library} "
            f"{self.library_version} (drawn by seed {self.seed}): largest difference {found}"
        )


_AS_FAR_AS_CAN_BE: Final = 1e6


def check_installed() -> None:
    """See that the library is there, before any work.

    Raises:
        UsageError: It is not.
    """
    if find_spec("surface_distance") is None:
        raise UsageError(f"--cross-check needs the package {_LIBRARY}, which is not installed: {HOW_TO_INSTALL}")


def cross_check(
    score: SubmissionScore, plan: Plan, n_cases: int, on_case: Callable[[str], None] | None = None
) -> CrossCheck:
    """Compute some cases again.

    Args:
        score: What was scored.
        plan: Where its files are.
        n_cases: How many cases to draw; all that were scored from their own files when it is more.
        on_case: Called with the id of every case that is done.

    Raises:
        InputError: A file that was read when scoring cannot be read any more.
        UsageError: The library is not installed.
    """
    check_installed()
    results = {result.case_id: result for result in score.results if not result.failure}
    drawn = draw(sorted(results), n_cases)
    pairs = {pair.reference.case_id: pair for pair in plan.pairs}
    largest, n_masks = dict.fromkeys(("dsc", "hd95_mm", "nsd"), 0.0), 0
    for case_id in drawn:
        for differences in _differences(pairs[case_id], results[case_id], score.settings):
            largest = {name: _larger(value, differences.get(name, 0.0)) for name, value in largest.items()}
            n_masks += 1
        if on_case:
            on_case(case_id)
    return CrossCheck(len(drawn), drawn, n_masks, _LIBRARY, version(_LIBRARY), SEED, largest)


def _larger(one: float, other: float) -> float:
    """Return the larger of two differences; what is no number is as far off as can be."""
    return max(one, other) if math.isfinite(other) else _AS_FAR_AS_CAN_BE


def draw(case_ids: Sequence[str], n_cases: int) -> tuple[str, ...]:
    """Return so many of the cases, or all, drawn by `SEED`, in their order."""
    rng = np.random.default_rng(SEED)
    places = rng.choice(len(case_ids), size=min(n_cases, len(case_ids)), replace=False)
    return tuple(case_ids[place] for place in sorted(places.tolist()))


def _differences(pair: Pair, result: CaseResult, settings: Settings) -> Iterator[dict[str, float]]:
    """Yield how far each mask of a case is from what was scored."""
    if pair.prediction is None or result.score is None:  # such a case is not drawn
        return
    reference = read_labels(pair.reference.path, settings.reference_label_map)
    prediction = read_prediction(pair.prediction.path, reference, settings)
    scored = _scored(result.score)
    again = _computed_again(reference.labels, prediction.labels, reference.grid.spacing_mm)
    for label in sorted({*scored, *again}):
        yield _difference(scored.get(label, {}), again.get(label, {}))


def _difference(scored: Mapping[str, float], again: Mapping[str, float]) -> dict[str, float]:
    if scored.keys() != again.keys():
        return {"dsc": 1.0}
    apart = {name: abs(again[name] - value) for name, value in scored.items()}
    nsd = [value for name, value in apart.items() if name.startswith("nsd")]
    return {"dsc": apart["dsc"], **({"hd95_mm": apart["hd95_mm"], "nsd": max(nsd)} if nsd else {})}


def _scored(score: CaseScore) -> dict[int, dict[str, float]]:
    """Return label (0 for the spine) → metrics that were scored; DSC alone of what is not matched."""
    masks = (*score.vertebrae, *([score.spine] if score.spine else []))
    names = ("dsc", "hd95_mm", *(f"nsd_{tolerance}mm" for tolerance in _TOLERANCES_MM))
    return {
        mask.label: {name: getattr(mask, name) for name in (names if mask.status == "matched" else ("dsc",))}
        for mask in masks
    }


def _computed_again(
    reference: NDArray[np.uint8], prediction: NDArray[np.uint8], spacing_mm: Spacing
) -> dict[int, dict[str, float]]:
    """Return the same by other means, from the labels of two volumes."""
    labels = [int(label) for label in np.union1d(np.unique(reference), np.unique(prediction)) if label]
    boxes = [ndimage.find_objects(volume) for volume in (reference, prediction)]
    found = {}
    for label in labels:
        box = _around([of_volume[label - 1] for of_volume in boxes if len(of_volume) >= label])
        found[label] = _metrics(reference[box] == label, prediction[box] == label, spacing_mm)
    if labels:
        box = _around([each for of_volume in boxes for each in of_volume])
        found[0] = _metrics(reference[box] > 0, prediction[box] > 0, spacing_mm)
    return found


def _around(boxes: Sequence[tuple[slice, ...] | None]) -> tuple[slice, ...]:
    """Return the smallest box around some boxes and a voxel more on each side: the library is slow on whole volumes."""
    there = [box for box in boxes if box is not None]
    return tuple(
        slice(max(min(side.start for side in sides) - 1, 0), max(side.stop for side in sides) + 1)
        for sides in zip(*there, strict=True)
    )


def _metrics(reference: Mask, prediction: Mask, spacing_mm: Spacing) -> dict[str, float]:
    n_reference, n_prediction = int(reference.sum()), int(prediction.sum())
    dsc = 2 * int((reference & prediction).sum()) / (n_reference + n_prediction)
    if not (n_reference and n_prediction):
        return {"dsc": dsc}
    library = _library()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # release 0.1 reaches into SciPy namespaces that are going away
        distances = library.compute_surface_distances(reference, prediction, spacing_mm)
    within = {
        f"nsd_{tolerance}mm": float(
            library.compute_surface_dice_at_tolerance(distances, tolerance * (1 + TOLERANCE_SLACK))
        )
        for tolerance in _TOLERANCES_MM
    }
    return {"dsc": dsc, "hd95_mm": float(library.compute_robust_hausdorff(distances, 95)), **within}


@cache
def _library() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from surface_distance import metrics
    return metrics
