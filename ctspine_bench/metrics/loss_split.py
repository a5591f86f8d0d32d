"""Where each vertebra loses its Dice: wrong name, not found, or wrong outline.

The three parts of a vertebra add up to 1 − DSC. To tell a misnamed vertebra from a badly outlined one, predicted
labels are first mapped to reference labels by the strictly increasing partial map that gives the largest sum of DSC:
levels may be shifted, merged or skipped, but their order along the spine stays.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ctspine_bench.metrics.overlap import dsc_matrix, present_labels

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ctspine_bench.records import Comparison

# Sums of DSC are compared as whole numbers, so that ties are ties whatever the order of addition.
_DSC_UNIT: Final = 10**12


@dataclass(frozen=True)
class Loss:
    """The parts of 1 − DSC of one reference vertebra."""

    identification: float
    missed: float
    boundary: float


def split_loss(comparison: Comparison) -> dict[int, Loss]:
    """Return the loss parts of every reference vertebra, by label."""
    reference, prediction = present_labels(comparison)
    dsc = dsc_matrix(comparison)
    partner = best_increasing_map(dsc, reference, prediction)
    losses = {}
    for label in reference:
        own = float(dsc[label - 1, label - 1])
        mapped = float(dsc[label - 1, partner[label] - 1]) if label in partner else 0.0
        # Another name never counts as better than a better overlap under the own name.
        mapped = max(mapped, own)
        if mapped == 0:
            losses[label] = Loss(identification=0.0, missed=1.0, boundary=0.0)
        else:
            losses[label] = Loss(identification=mapped - own, missed=0.0, boundary=1 - mapped)
    return losses


def best_increasing_map(dsc: NDArray[np.float64], reference: list[int], prediction: list[int]) -> dict[int, int]:
    """Return reference label → predicted label: strictly increasing, largest Σ DSC.

    Ties go to the fewest pairs with different names, then to the smallest Σ of their level differences.

    Args:
        dsc: `(25, 25)` DSC of reference label (row) with predicted label (column).
        reference: Labels in the reference, ascending.
        prediction: Labels in the prediction, ascending.
    """
    # best[i][j] maps the first i reference labels into the first j predicted ones.
    best = [[_Map()] * (len(prediction) + 1) for _ in range(len(reference) + 1)]
    for i, r in enumerate(reference, start=1):
        for j, p in enumerate(prediction, start=1):
            options = [best[i - 1][j], best[i][j - 1]]
            gain = round(float(dsc[r - 1, p - 1]) * _DSC_UNIT)
            if gain:
                options.append(best[i - 1][j - 1].with_pair(r, p, gain))
            best[i][j] = max(options, key=lambda option: option.rank)
    return dict(best[-1][-1].pairs)


@dataclass(frozen=True)
class _Map:
    """A strictly increasing map and how it ranks: Σ DSC, then few changed names, then small shifts."""

    rank: tuple[int, int, int] = (0, 0, 0)
    pairs: tuple[tuple[int, int], ...] = ()

    def with_pair(self, r: int, p: int, gain: int) -> _Map:
        total, changes, shift = self.rank
        return _Map((total + gain, changes - (r != p), shift - abs(r - p)), (*self.pairs, (r, p)))
