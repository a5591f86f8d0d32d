"""What is published of two submissions, label by label: all that can be compared without their cases.

The paper's DSC follows the official rule; its HD95 is over matched vertebrae (docs/CORRECTNESS.md). So a published HD95
is compared with the HD95 of matched of the other, never with its official one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ctspine_bench.anatomy import VERTEBRAE
from ctspine_bench.charts.comparison import LabelDifference
from ctspine_bench.rankings.paired import REGIONS
from ctspine_leaderboard.views.counts import n_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ctspine_bench.board import Entry


@dataclass(frozen=True)
class LabelRow:
    """The means of two submissions on one label, and the first less the second.

    Attributes:
        name: The vertebra.
        n: In how many cases it counts, for the one for which it counts in fewer; `None` where that is not told.
        first: Mean of the first.
        second: Mean of the second.
        low: Lower end of the 95 % interval of the difference; `None` without one.
        high: Upper end.
    """

    name: str
    n: int | None
    first: float
    second: float
    low: float | None = None
    high: float | None = None

    @property
    def difference(self) -> LabelDifference:
        """The first less the second, as charts draw it."""
        return LabelDifference(self.name, self.n, self.first - self.second, self.low, self.high)


@dataclass(frozen=True)
class ToldMeans:
    """What is told of a submission on a test set by one rule.

    Attributes:
        labels: Vertebra → its mean, of those that have one.
        counts: Vertebra → in how many cases it is, where that is told.
        mean: Mean of Vertebrae; `None` if it is not told.
    """

    labels: Mapping[str, float]
    counts: Mapping[str, int]
    mean: float | None


def told(entry: Entry, test_set: str, metric: str, *, matched: bool) -> ToldMeans:
    """Return what is told of a submission; with `matched`, of HD95 what is comparable with the paper's."""
    results = entry.on(test_set)
    column = "hd95_matched_mm" if matched and metric == "hd95_mm" and not is_published(entry) else metric
    labels = results.get("labels", {})
    return ToldMeans(
        labels={name: means[column] for name, means in labels.items() if means.get(column) is not None},
        counts={name: n for name, means in labels.items() if isinstance(n := _counted(means, column), int)},
        mean=results.get("mean_of_vertebrae", {}).get(column),
    )


def _counted(means: Mapping[str, Any], column: str) -> Any:
    """Return over how many cases a mean is."""
    return means.get("n_matched") if column == "hd95_matched_mm" else n_of(means)


def is_published(entry: Entry) -> bool:
    """Return whether the numbers of a submission are quoted from a paper."""
    return entry.declaration is not None and entry.declaration.kind == "published"


def in_both(first: ToldMeans, second: ToldMeans, region: str) -> tuple[LabelRow, ...]:
    """Return the labels of a region of which both tell a mean."""
    names = [VERTEBRAE[label - 1] for label in REGIONS[region]]
    return tuple(
        LabelRow(name, _n(first, second, name), first.labels[name], second.labels[name])
        for name in names
        if name in first.labels and name in second.labels
    )


def _n(first: ToldMeans, second: ToldMeans, name: str) -> int | None:
    """Return in how many cases a label counts, for the one for which it counts in fewer."""
    return min((told.counts[name] for told in (first, second) if name in told.counts), default=None)
