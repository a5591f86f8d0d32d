"""The score of the domain gap: the mean over the vertebrae of a set's references, or over some, with its interval.

Each label's mean is the official one, over the cases that have it in the reference or in the prediction; a label weighs
as much as it is frequent in the references. So a spurious vertebra counts against its label, and how often a label
counts is the same for all submissions. Where a label is rare, what is invented of it costs little here: Mean of
Vertebrae and the per-case mean show it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ctspine_bench.anatomy import LABELS
from ctspine_bench.jackknife import SMALLEST_N, uncertainty

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ctspine_bench.jackknife import Uncertainty
    from ctspine_bench.rankings.paired import PairedScores


@dataclass(frozen=True)
class Estimate:
    """The mean DSC over the vertebrae of some cases.

    Attributes:
        n_cases: How many cases have one of the vertebrae in their reference.
        n_vertebrae: How many vertebrae the references have.
        dsc: The mean, missed and spurious 0; `None` without any.
        low: Lower end of its 95 % interval; `None` under ten cases.
        high: Upper end.
    """

    n_cases: int
    n_vertebrae: int
    dsc: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, eq=False)
class CaseSums:
    """What cases add to the label means of a submission.

    Attributes:
        dsc: `(…, 25)` sum of DSC, 0 or one value for a single case.
        counts: `(…, 25)` how many vertebrae that is.
        in_reference: `(…, 25)` how many of them the references have.
    """

    dsc: NDArray[np.float64]
    counts: NDArray[np.float64]
    in_reference: NDArray[np.float64]

    @property
    def means(self) -> NDArray[np.float64]:
        """The mean DSC of each label, `(…, 25)`; 0 where there is none."""
        found: NDArray[np.float64] = np.divide(
            self.dsc, self.counts, out=np.zeros_like(self.dsc), where=self.counts > 0
        )
        return found

    @property
    def score(self) -> NDArray[np.float64]:
        """The mean over the vertebrae of the references, `(…,)`; NaN without any."""
        n = self.in_reference.sum(axis=-1)
        total = (self.in_reference * self.means).sum(axis=-1)
        found: NDArray[np.float64] = np.divide(total, n, out=np.full_like(total, np.nan), where=n > 0)
        return found

    def all_cases(self) -> CaseSums:
        """Return the sums over all cases, the first axis."""
        return CaseSums(self.dsc.sum(axis=0), self.counts.sum(axis=0), self.in_reference.sum(axis=0))

    def without_one(self) -> CaseSums:
        """Return the sums without one case each."""
        every = self.all_cases()
        return CaseSums(every.dsc - self.dsc, every.counts - self.counts, every.in_reference - self.in_reference)

    def uncertainty(self, scores: NDArray[np.float64], left_out: NDArray[np.float64]) -> Uncertainty:
        """Return how far scores `(S,)` could be off, which are `(n, S)` without one case each."""
        of_case = self.in_reference.sum(axis=-1)
        return uncertainty(scores, left_out, of_case / of_case.sum())


def case_sums(paired: PairedScores, slug: str, rows: NDArray[np.bool_] | None = None) -> CaseSums:
    """Return what each case adds to the label means of a submission, `(n, 25)`, over some of the vertebrae `(R,)`."""
    column, vertebrae = paired.slugs.index(slug), paired.vertebrae
    there = paired.present[:, column] if rows is None else paired.present[:, column] & rows
    where = vertebrae.case[there], vertebrae.label[there] - 1
    dsc, counts, in_reference = np.zeros((3, paired.n_cases, len(LABELS)))
    dsc[where] = paired.measures["dsc"][there, column]
    counts[where] = 1.0
    in_reference[where] = vertebrae.in_reference[there]
    return CaseSums(dsc, counts, in_reference)


def estimate(paired: PairedScores, slug: str, rows: NDArray[np.bool_] | None = None) -> Estimate:
    """Return the score of a submission on all vertebrae, or on some of them `(R,)`."""
    sums = case_sums(paired, slug, rows)
    n_cases, n = int(sums.in_reference.any(axis=1).sum()), int(sums.in_reference.sum())
    if not n:
        return Estimate(0, 0, None)
    score = np.array([sums.all_cases().score])
    if n_cases < SMALLEST_N:
        return Estimate(n_cases, n, float(score[0]))
    ends = sums.uncertainty(score, sums.without_one().score[:, None]).intervals(score, (0.0, 1.0))
    low, high = ends[:, 0].tolist()
    return Estimate(n_cases, n, float(score[0]), low, high)
