"""What is published of two submissions, label by label: all that can be compared without their cases.

Published results follow the rule that the paper's numbers point to (docs/CORRECTNESS.md): they are compared with what
that rule gives for the other, never with its official means.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ctspine_bench.aggregate import inferred_table
from ctspine_bench.anatomy import VERTEBRAE
from ctspine_bench.charts.comparison import LabelDifference
from ctspine_bench.rankings.paired import REGIONS
from ctspine_leaderboard.views.case_tables import case_table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ctspine_bench.board import Board, Entry


@dataclass(frozen=True)
class LabelRow:
    """The means of two submissions on one label, and the first less the second.

    Attributes:
        name: The vertebra.
        n: In how many cases it is; `None` where that is not told.
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


def told(board: Board, entry: Entry, test_set: str, metric: str, *, inferred: bool) -> ToldMeans:
    """Return what is told of a submission: by the official rule, or by the inferred one of the paper."""
    results = entry.on(test_set)
    if inferred and not is_published(entry):
        mean = results.get("paper_inferred", {}).get("mean_of_vertebrae", {}).get(metric)
        return ToldMeans(*_inferred_labels(board, entry, test_set, metric), mean)
    labels = results.get("labels", {})
    return ToldMeans(
        labels={name: means[metric] for name, means in labels.items() if means.get(metric) is not None},
        counts={name: means["n"] for name, means in labels.items() if isinstance(means.get("n"), int)},
        mean=results.get("mean_of_vertebrae", {}).get(metric),
    )


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
    """Return in how many cases a label is, if those who tell it say the same."""
    found = {told.counts[name] for told in (first, second) if name in told.counts}
    return found.pop() if len(found) == 1 else None


def _inferred_labels(
    board: Board, entry: Entry, test_set: str, metric: str
) -> tuple[Mapping[str, float], Mapping[str, int]]:
    table = case_table(board, entry, test_set)
    if table is None or metric not in {"dsc", "hd95_mm"}:
        return {}, {}
    found = inferred_table(table).labels
    values = {name: getattr(means, metric) for name, means in found.items() if means.n}
    return {name: value for name, value in values.items() if value is not None}, {
        name: means.n for name, means in found.items() if means.n
    }
