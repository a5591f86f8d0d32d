"""Two submissions on one test set, by whatever can be compared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ctspine_bench.board.entries import REASONS
from ctspine_bench.charts.comparison import bland_altman, case_differences, label_differences
from ctspine_bench.rankings.paired import METRICS
from ctspine_bench.rankings.schemes import OFFICIAL
from ctspine_bench.testsets import named
from ctspine_leaderboard.views.compare.cases import compared_by_cases
from ctspine_leaderboard.views.compare.means import in_both, is_published, told

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from ctspine_bench.board import Board, Entry
    from ctspine_bench.rankings.paired import Metric
    from ctspine_bench.rankings.standings import Standing
    from ctspine_bench.testsets import TestSet
    from ctspine_leaderboard.views.compare.cases import CaseComparison
    from ctspine_leaderboard.views.compare.means import LabelRow, ToldMeans


@dataclass(frozen=True, eq=False)
class Comparison:
    """Two submissions on one test set.

    Attributes:
        test_set: The test set.
        first: A submission.
        second: Another.
        metric: What they are compared by.
        region: One of `REGIONS`.
        labels: The labels of the region of which both have a mean.
        means: Mean of Vertebrae of the region of both; `None` where it is not told.
        cases: What their cases say; `None` unless both are ranked on a test set whose cases are public.
        matched: Whether a published HD95 is compared, and so with that of matched vertebrae.
        ranks: Where both stand on a private test set; empty where that is not told.
        reasons: Submission → why it is not ranked, of those that are not.
    """

    test_set: TestSet
    first: Entry
    second: Entry
    metric: Metric
    region: str
    labels: tuple[LabelRow, ...]
    means: tuple[float | None, float | None]
    cases: CaseComparison | None
    matched: bool
    ranks: tuple[Standing, ...]
    reasons: dict[str, str]

    @property
    def names(self) -> tuple[str, str]:
        """What people call the two."""
        first, second = self.first, self.second
        same = first.name == second.name
        return (first.slug, second.slug) if same else (first.name, second.name)

    def label_figure(self) -> go.Figure:
        """Draw the difference of every label."""
        return label_differences([row.difference for row in self.labels], self.metric, self.names)

    def case_figure(self) -> go.Figure | None:
        """Draw the difference of every case; `None` without cases."""
        if self.cases is None:
            return None
        return case_differences(self.cases.case_ids, self.cases.differences, self.metric, self.names)

    def agreement_figure(self) -> go.Figure | None:
        """Draw the difference of every case against its mean; `None` without cases."""
        return bland_altman(self.cases.case_ids, self.cases.means, self.metric, self.names) if self.cases else None

    def label_data(self) -> pd.DataFrame:
        """Return the numbers of all labels."""
        rows = [
            {
                "vertebra": row.name,
                "n": row.n,
                f"{self.metric.name}_a": row.first,
                f"{self.metric.name}_b": row.second,
                "difference": row.difference.difference,
                "low": row.low,
                "high": row.high,
            }
            for row in self.labels
        ]
        columns = ["vertebra", "n", f"{self.metric.name}_a", f"{self.metric.name}_b", "difference", "low", "high"]
        return pd.DataFrame(rows, columns=columns)

    def case_data(self) -> pd.DataFrame:
        """Return the numbers of all cases, the best for the first submission on top."""
        name, cases = self.metric.name, self.cases
        columns = ["case_id", "source", f"{name}_a", f"{name}_b", "difference"]
        if cases is None:
            return pd.DataFrame(columns=columns)
        parts = (cases.case_ids, cases.sources, *cases.means.T, cases.differences)
        table = pd.DataFrame(dict(zip(columns, parts, strict=True)))
        return table.iloc[np.argsort(-cases.leads, kind="stable")].reset_index(drop=True)


def compare(board: Board, test_set: str, first: Entry, second: Entry, metric: str, region: str) -> Comparison:
    """Compare two submissions.

    Args:
        board: The board.
        test_set: One of its test sets.
        first: One of its submissions.
        second: Another.
        metric: One of `METRICS`.
        region: One of `REGIONS`.
    """
    by_cases = compared_by_cases(board, test_set, (first.slug, second.slug), metric, region)
    with_published = is_published(first) != is_published(second)
    means: tuple[float | None, float | None]
    if by_cases:
        cases, labels = by_cases
        means = _means_of(labels)
    else:
        cases = None
        of_both = [told(entry, test_set, metric, matched=with_published) for entry in (first, second)]
        labels = in_both(of_both[0], of_both[1], region)
        means = _told_means(of_both, region)
    return Comparison(
        test_set=named(test_set),
        first=first,
        second=second,
        metric=METRICS[metric],
        region=region,
        labels=labels,
        means=means,
        cases=cases,
        matched=with_published and metric == "hd95_mm" and not cases,
        ranks=_ranks(board, test_set, (first.slug, second.slug), metric, region),
        reasons={} if by_cases else _reasons(board, test_set, (first, second)),
    )


def _means_of(labels: tuple[LabelRow, ...]) -> tuple[float, float]:
    return float(np.mean([row.first for row in labels])), float(np.mean([row.second for row in labels]))


def _told_means(of_both: list[ToldMeans], region: str) -> tuple[float | None, float | None]:
    """Return Mean of Vertebrae of both: of all labels alone, as hidden ones would be missing from that of a region."""
    return (of_both[0].mean, of_both[1].mean) if region == OFFICIAL[2] else (None, None)


def _ranks(board: Board, test_set: str, slugs: tuple[str, str], metric: str, region: str) -> tuple[Standing, ...]:
    if not named(test_set).private:
        return ()
    found = board.standings(test_set, OFFICIAL[0], metric, region).standings
    rows = {row.slug: row for row in found.rows} if found else {}
    return tuple(rows[slug] for slug in slugs) if set(slugs) <= rows.keys() else ()


def _reasons(board: Board, test_set: str, entries: tuple[Entry, Entry]) -> dict[str, str]:
    known = {} if named(test_set).private else {entry.slug: why for entry, why in board.standings(test_set).unranked}
    reasons = {entry.slug: known.get(entry.slug) or REASONS[board.status(entry, test_set)] for entry in entries}
    return {slug: reason for slug, reason in reasons.items() if reason}
