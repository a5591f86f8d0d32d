"""The smallest number of cases without which somebody else would lead."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from ctspine_bench.rankings.paired import METRICS, by_label, cases_of_region

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ctspine_bench.rankings.paired import PairedScores

# What differs by less is a tie.
_ROUNDING = 1e-12
# How many rivals are followed beyond two removals.
_CLOSEST = 10


@dataclass(frozen=True)
class Removal:
    """How many cases the lead depends on.

    Attributes:
        n: So many cases suffice; 0 if another one has the same score already; `None` if no number of cases does, or if
            the search, which stops at half of the cases, found none.
        exact: Whether fewer cannot do it; otherwise `n` is an upper bound, found greedily.
        case_ids: The cases.
        new_leader: Who would be ahead of the leader, or is already on a par.
    """

    n: int | None
    exact: bool
    case_ids: tuple[str, ...] = ()
    new_leader: str | None = None


def of_case_mean(values: NDArray[np.float64], paired: PairedScores, leader: int) -> Removal:
    """Return the removal for a plain mean over cases: exact.

    Against each rival, the cases with the largest lead go first; no other choice of as many cases takes away more.

    Args:
        values: `(n, S)` one value for each case, the larger the better; NaN for a case that does not count.
        paired: Names the cases and the submissions.
        leader: Column of the one with the largest mean.
    """
    there = np.flatnonzero(~np.isnan(values).any(axis=1))
    leads = values[there, leader, None] - values[there]
    order = np.argsort(-leads, axis=0, kind="stable")
    # What remains of the lead after k removals; as long as a case remains.
    remaining = leads.sum(axis=0) - np.cumsum(np.take_along_axis(leads, order, axis=0), axis=0)[:-1]
    overtaken = remaining < -_ROUNDING
    overtaken[:, leader] = False
    tied = [rival for rival in range(values.shape[1]) if rival != leader and leads[:, rival].sum() <= _ROUNDING]
    if tied:
        return Removal(0, exact=True, new_leader=paired.slugs[tied[0]])
    if not overtaken.any():
        return Removal(None, exact=True)
    k = int(np.flatnonzero(overtaken.any(axis=1))[0])
    rival = int(np.argmin(remaining[k]))
    cases = there[order[: k + 1, rival]]
    return Removal(k + 1, exact=True, case_ids=_names(paired, cases), new_leader=paired.slugs[rival])


def of_mean_of_vertebrae(paired: PairedScores, metric: str, region: str, leader: int) -> Removal:
    """Return the removal for Mean of Vertebrae: an upper bound, found by removing the most helpful case at a time.

    A case changes the means of all labels that it has, by more the fewer cases have them; which set of cases is
    smallest would take trying all sets. One case and two are exact: all single cases are tried.

    Args:
        paired: The scores.
        metric: One of `METRICS`.
        region: One of `REGIONS`.
        leader: Column of the one with the best score.
    """
    values, present = by_label(paired, metric, region)
    values = values if METRICS[metric].larger_is_better else -values
    rivals = [i for i in range(len(paired.slugs)) if i != leader]
    # What each removal is worth differs from rival to rival: the leader stands beside each of them.
    sides = [_Side(values[:, :, columns], present[:, :, columns]) for columns in ([leader] * len(rivals), rivals)]
    alive = np.repeat(cases_of_region(paired, region)[:, None], len(rivals), axis=1)
    removed: list[list[int]] = [[] for _ in rivals]
    lead = sides[0].mean() - sides[1].mean()
    for k in range(paired.n_cases // 2 + 1):
        # Nobody leads alone from the start, or after k removals somebody else does.
        rival = int(np.argmin(lead))
        if lead[rival] < (_ROUNDING if k == 0 else -_ROUNDING):
            names = _names(paired, removed[rival])
            return Removal(k, exact=k <= 2, case_ids=names, new_leader=paired.slugs[rivals[rival]])
        ours, theirs = (side.mean_without_one() for side in sides)
        there = alive & np.isfinite(ours) & np.isfinite(theirs)
        without = np.subtract(ours, theirs, out=np.full_like(ours, np.inf), where=there)
        case = np.argmin(without, axis=0)
        lead = np.take_along_axis(without, case[None], axis=0)[0]
        for side in sides:
            side.remove(case)
        alive[case, range(len(rivals))] = False
        for column, number in enumerate(case.tolist()):
            removed[column].append(number)
        if k == 1 and len(rivals) > _CLOSEST:
            # Up to two removals are exact; an upper bound needs the closest rivals alone.
            close = np.sort(np.argsort(lead, kind="stable")[:_CLOSEST])
            rivals, removed = [rivals[i] for i in close], [removed[i] for i in close]
            alive, lead = alive[:, close], lead[close]
            sides = [side.of(close) for side in sides]
    return Removal(None, exact=False)


@dataclass
class _Side:
    """The scores of one side of several comparisons, `(n, labels, columns)`, and what remains of their sums."""

    values: NDArray[np.float64]
    present: NDArray[np.int64]
    sums: NDArray[np.float64] = field(init=False)
    counts: NDArray[np.int64] = field(init=False)

    def __post_init__(self) -> None:
        self.sums, self.counts = self.values.sum(axis=0), self.present.sum(axis=0)

    def mean(self) -> NDArray[np.float64]:
        return _mean_over_labels(self.sums, self.counts)

    def mean_without_one(self) -> NDArray[np.float64]:
        return _mean_over_labels(self.sums - self.values, self.counts - self.present)

    def remove(self, case: NDArray[np.int64]) -> None:
        """Take one case away from each column."""
        columns = np.arange(len(case))
        self.sums -= self.values[case, :, columns].T
        self.counts -= self.present[case, :, columns].T

    def of(self, columns: NDArray[np.int64]) -> _Side:
        side = _Side(self.values[:, :, columns], self.present[:, :, columns])
        side.sums, side.counts = self.sums[:, columns], self.counts[:, columns]
        return side


def _mean_over_labels(sums: NDArray[np.float64], counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the mean over the labels that remain (second to last axis) of their means; infinite without any."""
    means = np.divide(sums, counts, out=np.zeros_like(sums), where=counts > 0)
    n_labels = (counts > 0).sum(axis=-2)
    total = means.sum(axis=-2)
    mean: NDArray[np.float64] = np.divide(total, n_labels, out=np.full_like(total, np.inf), where=n_labels > 0)
    return mean


def _names(paired: PairedScores, cases: NDArray[np.int64] | list[int]) -> tuple[str, ...]:
    return tuple(paired.vertebrae.case_ids[int(case)] for case in cases)
