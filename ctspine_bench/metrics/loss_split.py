"""Where each vertebra loses its Dice: wrong name, not found, wrong outline, or not there at all.

The parts of a vertebra add up to 1 − DSC. A spurious one loses all of it. To tell a misnamed vertebra from a badly
outlined one, predicted labels are first mapped to reference labels by the strictly increasing partial map that gives
the largest sum of DSC: levels may be shifted, merged or skipped, but their order along the spine stays.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import lcm
from typing import TYPE_CHECKING

import numpy as np

from ctspine_bench.metrics.overlap import FOUND_DSC, dsc_matrix, present_labels

if TYPE_CHECKING:
    from ctspine_bench.records import Comparison


@dataclass(frozen=True)
class Loss:
    """The parts of 1 − DSC of one vertebra."""

    identification: float = 0.0
    missed: float = 0.0
    boundary: float = 0.0
    spurious: float = 0.0


def split_loss(comparison: Comparison) -> dict[int, Loss]:
    """Return the loss parts of every vertebra in the reference or the prediction, by label."""
    reference, prediction = present_labels(comparison)
    dsc = dsc_matrix(comparison)
    partner = best_increasing_map(comparison)
    losses = {label: Loss(spurious=1.0) for label in prediction if label not in reference}
    for label in reference:
        own = float(dsc[label - 1, label - 1])
        mapped = float(dsc[label - 1, partner[label] - 1]) if label in partner else 0.0
        # Another name never counts as better than a better overlap under the own name.
        mapped = max(mapped, own)
        if mapped < FOUND_DSC:
            losses[label] = Loss(missed=1 - own)
        else:
            losses[label] = Loss(identification=mapped - own, boundary=1 - mapped)
    return losses


def best_increasing_map(comparison: Comparison) -> dict[int, int]:
    """Return reference label → predicted label: strictly increasing, largest Σ DSC.

    Ties go to the fewest pairs with different names, then to the smallest Σ of their level differences.
    """
    reference, prediction = present_labels(comparison)
    gains = _whole_gains(comparison)
    # best[i][j] maps the first i reference labels into the first j predicted ones.
    best = [[_Map()] * (len(prediction) + 1) for _ in range(len(reference) + 1)]
    for i, r in enumerate(reference, start=1):
        for j, p in enumerate(prediction, start=1):
            options = [best[i - 1][j], best[i][j - 1]]
            if (r, p) in gains:
                options.append(best[i - 1][j - 1].with_pair(r, p, gains[r, p]))
            best[i][j] = max(options, key=lambda option: option.rank)
    return dict(best[-1][-1].pairs)


def _whole_gains(comparison: Comparison) -> dict[tuple[int, int], int]:
    """Return the DSC of each overlapping (reference, predicted) pair of labels as a whole number of a common unit.

    1/3 + 1/3 and 2/3 are a tie, which sums of rounded numbers would not see.
    """
    confusion = comparison.confusion
    in_reference, in_prediction = confusion.sum(axis=1), confusion.sum(axis=0)
    sizes = {(int(r), int(p)): int(in_reference[r] + in_prediction[p]) for r, p in np.argwhere(confusion[1:, 1:]) + 1}
    unit = lcm(*sizes.values())
    return {pair: 2 * int(confusion[pair]) * (unit // size) for pair, size in sizes.items()}


@dataclass(frozen=True)
class _Map:
    """A strictly increasing map and how it ranks: Σ DSC, then few changed names, then small shifts."""

    rank: tuple[int, int, int] = (0, 0, 0)
    pairs: tuple[tuple[int, int], ...] = ()

    def with_pair(self, r: int, p: int, gain: int) -> _Map:
        total, changes, shift = self.rank
        return _Map((total + gain, changes - (r != p), shift - abs(r - p)), (*self.pairs, (r, p)))
