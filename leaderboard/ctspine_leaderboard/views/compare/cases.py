"""Two ranked submissions on the same cases: differences, tests, and what they hang on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from ctspine_bench.anatomy import VERTEBRAE
from ctspine_bench.rankings import mean_then_rank, removal
from ctspine_bench.rankings.differences import corrected_p_values, differences
from ctspine_bench.rankings.paired import METRICS, comparable_case_means, label_means
from ctspine_bench.rankings.pairwise import wilcoxon
from ctspine_leaderboard.views.compare.means import LabelRow
from ctspine_leaderboard.views.kept import Kept

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ctspine_bench.board import Board
    from ctspine_bench.rankings.differences import Difference
    from ctspine_bench.rankings.paired import PairedScores
    from ctspine_bench.rankings.pairwise import PairwiseTest
    from ctspine_bench.rankings.removal import Removal

N_DECIDING: Final = 5
"""How many cases are named for each side."""

# What differs by less is equal but for rounding.
_ROUNDING: Final = 1e-12
# Of 200 submissions a third of a megabyte each.
_corrected_p: Final[Kept[NDArray[np.float64] | None]] = Kept(most=64)


@dataclass(frozen=True)
class DecidingCase:
    """A case, the means of both over its vertebrae, and the first less the second."""

    case_id: str
    source: str
    first: float
    second: float

    @property
    def difference(self) -> float:
        """The first less the second."""
        return self.first - self.second


@dataclass(frozen=True, eq=False)
class CaseComparison:
    """Two submissions on the same n cases that have a vertebra of the region.

    Attributes:
        case_ids: The cases.
        sources: Where each comes from; "" where unknown.
        means: `(n, 2)` means over the vertebrae of each case.
        larger_is_better: The direction of better of the metric.
        test: Of the differences between them, corrected for all pairs of the test set.
        n_pairs: How many pairs of submissions that are.
        difference: In Mean of Vertebrae.
        removal: The smallest number of cases without which the other would be ahead.
    """

    case_ids: tuple[str, ...]
    sources: tuple[str, ...]
    means: NDArray[np.float64]
    larger_is_better: bool
    test: PairwiseTest
    n_pairs: int
    difference: Difference
    removal: Removal

    @property
    def differences(self) -> NDArray[np.float64]:
        """The first less the second, `(n,)`."""
        found: NDArray[np.float64] = self.means[:, 0] - self.means[:, 1]
        return found

    @property
    def leads(self) -> NDArray[np.float64]:
        """By how much the first is better in each case, `(n,)`, whatever the direction of better."""
        return self.differences if self.larger_is_better else -self.differences

    @property
    def wins(self) -> int:
        """In how many cases the first is better."""
        return int((self.leads > _ROUNDING).sum())

    @property
    def losses(self) -> int:
        """In how many cases the second is better."""
        return int((self.leads < -_ROUNDING).sum())

    @property
    def ties(self) -> int:
        """In how many cases both are equal."""
        return len(self.case_ids) - self.wins - self.losses

    def deciding(self) -> tuple[tuple[DecidingCase, ...], tuple[DecidingCase, ...]]:
        """Return the cases in which the first is better by most, and those in which the second is."""
        order = np.argsort(-self.leads, kind="stable")
        first = [self._case(place) for place in order[:N_DECIDING] if self.leads[place] > _ROUNDING]
        second = [self._case(place) for place in order[::-1][:N_DECIDING] if self.leads[place] < -_ROUNDING]
        return tuple(first), tuple(second)

    def _case(self, place: int) -> DecidingCase:
        first, second = self.means[place].tolist()
        return DecidingCase(self.case_ids[place], self.sources[place], first, second)


def compared_by_cases(
    board: Board, test_set: str, slugs: tuple[str, str], metric: str, region: str
) -> tuple[CaseComparison, tuple[LabelRow, ...]] | None:
    """Compare two submissions on their cases; `None` unless both are ranked there, on a vertebra of the region."""
    paired = board.paired(test_set)
    if paired is None or not set(slugs) <= set(paired.slugs):
        return None
    both = paired.of(*slugs)
    found = differences(both, metric, region)
    if found.mean is None:
        return None
    means = comparable_case_means(both, metric, region)
    there = np.flatnonzero(~np.isnan(means[:, 0]))
    compared = CaseComparison(
        case_ids=tuple(both.vertebrae.case_ids[place] for place in there),
        sources=tuple(both.vertebrae.sources[place] for place in there),
        means=means[there],
        larger_is_better=METRICS[metric].larger_is_better,
        test=_test(board, paired, test_set, slugs, metric, region, means[:, 0] - means[:, 1]),
        n_pairs=len(paired.slugs) * (len(paired.slugs) - 1) // 2,
        difference=found.mean,
        removal=removal.of_mean_of_vertebrae(both, metric, region, _leader(both, metric, region)),
    )
    of_labels = label_means(both, metric)
    return compared, tuple(_label_row(label, of_labels[label - 1], each) for label, each in found.labels.items())


def _label_row(label: int, means: NDArray[np.float64], found: Difference) -> LabelRow:
    first, second = means.tolist()
    return LabelRow(VERTEBRAE[label - 1], found.n, first, second, found.low, found.high)


def _test(
    board: Board,
    paired: PairedScores,
    test_set: str,
    slugs: tuple[str, str],
    metric: str,
    region: str,
    found: NDArray[np.float64],
) -> PairwiseTest:
    key = (board.digest, paired.slugs, test_set, metric, region)
    corrected = _corrected_p.get(key, lambda: corrected_p_values(paired, metric, region))
    if corrected is None:
        return wilcoxon(found)
    one, other = (paired.slugs.index(slug) for slug in slugs)
    return replace(wilcoxon(found), p_holm=float(corrected[one, other]))


def _leader(both: PairedScores, metric: str, region: str) -> int:
    one, other = mean_then_rank.scores(both, metric, region)
    return int(one < other) if METRICS[metric].larger_is_better else int(one > other)
