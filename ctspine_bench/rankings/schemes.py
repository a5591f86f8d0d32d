"""The table of ranking schemes. All are offered; one is official, and was fixed before submissions arrived."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from ctspine_bench.rankings import mean_then_rank, rank_then_mean, significance
from ctspine_bench.rankings.paired import METRICS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy as np
    from numpy.typing import NDArray

    from ctspine_bench.rankings.paired import PairedScores


@dataclass(frozen=True)
class Scheme:
    """A way to rank submissions on one test set.

    Attributes:
        name: Its name in commands, URLs and files.
        title: What people call it.
        description: What it does, in a sentence.
        scores: (scores, metric, region) → `(S,)`.
        left_out: (scores, metric, region) → `(n, S)`, without one case each; `None` if it has no intervals.
        weights: (scores, region) → `(n,)`, the share of the score that each case carries; `None` likewise.
        ranks: Whether the score is a mean rank, of which less is better whatever the metric.
    """

    name: str
    title: str
    description: str
    scores: Callable[[PairedScores, str, str], NDArray[np.float64]]
    left_out: Callable[[PairedScores, str, str], NDArray[np.float64]] | None
    weights: Callable[[PairedScores, str], NDArray[np.float64]] | None
    ranks: bool

    def larger_is_better(self, metric: str) -> bool:
        """Return the direction of better of the score."""
        return not self.ranks and METRICS[metric].larger_is_better

    def digits(self, metric: str) -> int:
        """Return how many digits behind the point of the score are told where more would tell about single cases."""
        return 1 if self.ranks else METRICS[metric].digits


SCHEMES: Final[Mapping[str, Scheme]] = MappingProxyType(
    {
        scheme.name: scheme
        for scheme in (
            Scheme(
                "mean-then-rank",
                "Mean, then rank",
                "Average each label over the cases that have it, average the labels (Mean of Vertebrae), then rank.",
                mean_then_rank.scores,
                mean_then_rank.left_out,
                mean_then_rank.weights,
                ranks=False,
            ),
            Scheme(
                "rank-then-mean",
                "Rank, then mean",
                "Rank the submissions within every case by its mean over vertebrae, then average the ranks over cases.",
                rank_then_mean.scores,
                rank_then_mean.left_out,
                rank_then_mean.weights,
                ranks=True,
            ),
            Scheme(
                "significance",
                "Significance",
                "Count how many others a submission beats significantly in each metric and region, rank, then average.",
                significance.scores,
                None,
                None,
                ranks=True,
            ),
        )
    }
)

OFFICIAL: Final = ("mean-then-rank", "dsc", "all")
"""Scheme, metric and region of the official order."""

OFFICIAL_TEXT: Final = (
    "The official order is by Mean of Vertebrae DSC on the private test set, with the three digits that are published; "
    "equal ones are ordered by Mean of Vertebrae HD95, with two. Test sets are never pooled."
)
"""The rule as it is published, fixed before submissions arrived."""
