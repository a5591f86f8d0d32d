"""How far a score over cases could be off: intervals by leaving one case out at a time.

With n cases of which case i carries the share w_i of a score (the w_i add up to 1):

- deviation      d_i = √((n − 1)/n) · (score without case i − score)                         Tukey (1958)
- carried by     ν = (Σ w_i²)² / Σ w_i⁴ − 1 degrees of freedom                               Satterthwaite (1946)
- squared error  Σ h_i d_i² of a score by itself, with h_i = λ + (1 − λ) · mean(w²) / w_i²,
                 at least 1, and λ = ν / (ν + 3)                                             Smyth (2004)
                 Σ d_i² of the difference of two submissions
- interval       ± t · error, Student's t with min(ν + 3, n − 1) degrees of freedom, for a
                 single difference with n − 1

Few cases carry Mean of Vertebrae: a C1 that ten of 200 cases have weighs as much as an L3 that all have. A variance
from so few deviations is too uncertain, and most often too small: the rare case that fails is often not among them. So
that of a score is moderated: with the weight 1 − λ, every case deviates, for its share of the score, as the average
case does. What a case deviates by itself never counts less: a score that hangs on one case is not certain. Differences
need no moderation, since what is hard for both cancels. Where all cases carry the same, as in a plain mean over cases,
all this changes nothing, and the interval is that of Student's t test.

Satterthwaite, doi:10.2307/3002019; Smyth, doi:10.2202/1544-6115.1027. The jackknife is not too small on average (Efron
& Stein, 1981, doi:10.1214/aos/1176345462), and sees a label go with the only case that has it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

CONFIDENCE: Final = 0.95
DRAWS: Final = 10_000
SEED: Final = 20210705
SMALLEST_N: Final = 10
"""No interval is given for fewer cases than this."""

PRIOR_DF: Final = 3.0
"""How many degrees of freedom the deviation of the average case counts for, beside those of the cases themselves.

Chosen by simulation (`benchmarks/interval_coverage.py`): intervals cover 93 to 97 % from 99 cases on.
"""


@dataclass(frozen=True, eq=False)
class Uncertainty:
    """How far S scores could be off.

    Attributes:
        deviations: `(n, S)`, one row for each case: what each score deviates by without it. The products of two columns
            add up to a covariance, and the squares of a difference of two to the variance of the difference.
        moderation: `(n, S)`, how often a squared deviation counts for a score by itself.
        df: `(S,)` degrees of freedom of each error.
    """

    deviations: NDArray[np.float64]
    moderation: NDArray[np.float64]
    df: NDArray[np.float64]

    @property
    def errors(self) -> NDArray[np.float64]:
        """The standard error of each score by itself, `(S,)`."""
        found: NDArray[np.float64] = np.sqrt((self.moderation * self.deviations**2).sum(axis=0))
        return found

    def of_differences(self) -> Uncertainty:
        """Return the same for scores that are differences between two submissions, each by itself: not moderated."""
        df = np.full_like(self.df, len(self.deviations) - 1)
        return replace(self, moderation=np.ones_like(self.deviations), df=df)

    def intervals(self, scores: NDArray[np.float64], bounds: tuple[float, float]) -> NDArray[np.float64]:
        """Return the 95 % interval of each score by itself, `(2, S)`, within the bounds of what it can be."""
        half = students_t(self.df) * self.errors
        ends: NDArray[np.float64] = np.clip([scores - half, scores + half], *bounds)
        return ends

    def noise(self, draws: int = DRAWS) -> NDArray[np.float64]:
        """Return normal draws of how far all scores are off, `(draws, S)`, with the covariance of their deviations.

        Scores that deviate alike are off alike: who submits the same twice is never told apart from themselves.
        """
        return np.random.default_rng(SEED).standard_normal((draws, len(self.deviations))) @ self.deviations

    def drawn(self, scores: NDArray[np.float64], noise: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return scores as they could be, `(draws, S)`: multivariate t, so that ranks agree with their intervals."""
        df = float(self.df.min())
        scale = np.sqrt(df / np.random.default_rng(SEED + 1).chisquare(df, (len(noise), 1)))
        return scores + noise * scale


def uncertainty(
    scores: NDArray[np.float64], left_out: NDArray[np.float64], weights: NDArray[np.float64]
) -> Uncertainty:
    """Return how far scores could be off.

    Args:
        scores: `(S,)`, on all n cases.
        left_out: `(n, S)`, without one of the cases each; NaN where nothing would be left.
        weights: `(n,)` or `(n, S)`, the share of the score that each case carries; two of them must carry some.
    """
    weights = weights if weights.ndim == 2 else weights[:, None]
    squares = weights**2
    n_carrying = np.maximum((weights > 0).sum(axis=0), 1)
    deviations = np.nan_to_num(left_out - scores) * np.sqrt((n_carrying - 1) / n_carrying)
    carried_by = np.maximum(squares.sum(axis=0) ** 2 / (squares**2).sum(axis=0) - 1, 0.0)
    own = carried_by / (carried_by + PRIOR_DF)
    mean_square = squares.sum(axis=0) / n_carrying
    # A case that carries nothing by its reference can deviate by a spurious vertebra; that counts as it is.
    average = np.divide(mean_square, squares, out=np.ones_like(squares), where=squares > 0)
    factors = np.where(squares > 0, np.maximum(own + (1 - own) * average, 1.0), 1.0)
    df = np.minimum(carried_by + PRIOR_DF, n_carrying - 1)
    moderation = np.broadcast_to(factors, deviations.shape)
    return Uncertainty(deviations, moderation, np.broadcast_to(df, scores.shape))


def moderated_over_labels(
    variances: NDArray[np.float64], n: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the squared errors of the means of several labels, and their degrees of freedom, `(L,)` each.

    A label that few cases have, or that all miss, says too little about how far its mean could be off. With s² the
    variance of a single vertebra, a label's own one counts n − 1 times, and the common one of all labels as often as
    the prior has degrees of freedom: (n − 1) s_l² + 3 s̄², over n + 2 (Smyth, 2004).

    Args:
        variances: `(L,)` squared errors, each as its label has them by itself.
        n: `(L,)` how many cases have the label, at least 1.
    """
    own_df, of_one = n - 1, variances * n
    common = float((own_df * of_one).sum() / max(float(own_df.sum()), 1.0))
    moderated = (own_df * of_one + PRIOR_DF * common) / (own_df + PRIOR_DF)
    return moderated / n, np.minimum(own_df + PRIOR_DF, np.maximum(own_df.sum(), 1.0))


def students_t(df: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the half width of a 95 % interval in standard errors."""
    from scipy.special import stdtrit  # slow to import, and standings are mostly read from the cache

    return np.asarray(stdtrit(df, (1 + CONFIDENCE) / 2), np.float64)


def ratio_left_out(sums: NDArray[np.float64], n: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return Σ sums / Σ n without one case each; NaN where nothing is left. Cases are the first axis."""
    rest = n.sum(axis=0) - n
    found: NDArray[np.float64] = np.divide(
        sums.sum(axis=0) - sums, rest, out=np.full(np.broadcast_shapes(sums.shape, n.shape), np.nan), where=rest > 0
    )
    return found


def ratio_interval(
    sums: NDArray[np.float64], n: NDArray[np.float64], bounds: tuple[float, float]
) -> tuple[float, float]:
    """Return the 95 % interval of Σ sums / Σ n over cases, `(cases,)` each."""
    score = np.array([sums.sum() / n.sum()])
    found = uncertainty(score, ratio_left_out(sums, n)[:, None], n / n.sum())
    low, high = found.intervals(score, bounds)[:, 0].tolist()
    return low, high
