"""The standings of a test set: a table, two figures, and what the order hangs on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from ctspine_bench.anatomy import VERTEBRAE
from ctspine_bench.board.entries import FLAGS
from ctspine_bench.charts.sparkline import HEIGHT, WIDTH, sparkline
from ctspine_bench.charts.standings import forest_plot, rank_plot
from ctspine_bench.rankings.paired import METRICS, REGIONS
from ctspine_bench.rankings.schemes import OFFICIAL, SCHEMES
from ctspine_bench.report.stability import coverage_sentence, stability_sentences
from ctspine_bench.testsets import named
from ctspine_leaderboard.tables import Cell, Column, Row, picture, table
from ctspine_leaderboard.views.counts import n_of
from ctspine_leaderboard.views.links import submission_link

if TYPE_CHECKING:
    import plotly.graph_objects as go
    from markupsafe import Markup

    from ctspine_bench.board import Board, Entry
    from ctspine_bench.rankings.standings import Standing, Standings
    from ctspine_bench.testsets import TestSet
    from ctspine_leaderboard.views.links import Link

SHOWN: Final = ("dsc", "hd95_mm")
"""The metrics of the paper: they are in the table whatever it is ranked by."""

_ARROWS: Final = {True: "↑ better", False: "↓ better"}


@dataclass(frozen=True)
class Mean:
    """A mean with its 95 % interval; `None` where there is none."""

    value: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class StandingRow:
    """A submission in the standings.

    Attributes:
        entry: The submission.
        standing: Where it stands by what was chosen; `None` if it is not ranked.
        means: Metric of `SHOWN` → Mean of Vertebrae of the region.
        counts: Missed and spurious vertebrae of the whole spine.
        levels_right: Share of the cases with every level right; `None` where it is not told.
        labels: Mean of the curve's metric for each of C1–L6.
        n: Over how many cases each of these is; "<5", or `None` where that is not told.
        flags: What a reader has to know, as people read it.
        reason: Why it is not ranked; empty if it is.
    """

    entry: Entry
    standing: Standing | None
    means: dict[str, Mean]
    counts: dict[str, Any]
    levels_right: float | None
    labels: tuple[float | None, ...]
    n: tuple[int | float | str | None, ...]
    flags: tuple[str, ...]
    reason: str


@dataclass(frozen=True)
class StandingsView:
    """What the page of standings shows.

    Attributes:
        test_set: The test set.
        scheme: One of `SCHEMES`.
        metric: One of `METRICS`.
        region: One of `REGIONS`.
        standings: By what was chosen; `None` if nobody is ranked.
        note: Why nobody is ranked, or what else has to be known; may be empty.
        rows: The submissions, ranked ones first.
    """

    test_set: TestSet
    scheme: str
    metric: str
    region: str
    standings: Standings | None
    note: str
    rows: tuple[StandingRow, ...]

    @property
    def is_official(self) -> bool:
        """Whether this is the order that counts."""
        return (self.scheme, self.metric, self.region) == OFFICIAL and self.test_set.private

    @property
    def curve_metric(self) -> str:
        """The metric of the small curves: shares of 1 alone have a common scale."""
        return "dsc" if METRICS[self.metric].unit else self.metric

    @property
    def names(self) -> dict[str, str]:
        """Slug → what people call the submission."""
        return {row.entry.slug: row.entry.name for row in self.rows}

    def sentences(self) -> tuple[str, ...]:
        """Return what the order hangs on."""
        if self.standings is None:
            return ()
        return stability_sentences(self.standings, self.names)

    def coverage(self) -> str:
        """Return how far the intervals can be trusted, where they do not cover as they should."""
        return coverage_sentence(self.standings) if self.standings else ""

    def table(self, link: Link = submission_link) -> Markup:
        """Return the table for people."""
        columns = self._columns()
        ranked = [row for row in self.rows if row.standing]
        others = [row for row in self.rows if not row.standing]
        body = [Row(self._cells(row, link)) for row in ranked]
        if others:
            body += [Row(heading="Not ranked"), *(Row(self._cells(row, link), muted=True) for row in others)]
        return table(columns, body, f"Standings on the test set {self.test_set.title}", sticky=2)

    def data(self) -> pd.DataFrame:
        """Return all numbers, one row for each submission."""
        return pd.DataFrame([self._record(row) for row in self.rows])

    def paper_table(self) -> pd.DataFrame:
        """Return the columns that go into a paper."""
        per_case = self._per_case_title()
        rows = [
            {
                "Rank": "--" if row.standing is None else str(row.standing.rank),
                "Submission": row.entry.name,
                "DSC": row.means["dsc"].value,
                "HD95 (mm)": row.means["hd95_mm"].value,
                per_case: row.standing and row.standing.per_case,
                "Rank per case": "--" if row.standing is None else str(row.standing.per_case_rank or "--"),
            }
            for row in self.rows
        ]
        return pd.DataFrame(rows, columns=["Rank", "Submission", "DSC", "HD95 (mm)", per_case, "Rank per case"])

    def paper_digits(self) -> dict[str, int]:
        """Return the digits of its columns that do not have three."""
        return {"HD95 (mm)": METRICS["hd95_mm"].digits, self._per_case_title(): METRICS[self.metric].digits}

    def rank_figure(self) -> go.Figure | None:
        """Draw how often each submission has each rank; `None` without draws or a second submission."""
        found = self.standings
        if found is None or len(found.rows) < 2 or not found.rows[0].frequencies:
            return None
        return rank_plot(found, self.names)

    def score_figure(self) -> go.Figure | None:
        """Draw the scores with their intervals; `None` without intervals."""
        found = self.standings
        if found is None or all(row.score_low is None for row in found.rows):
            return None
        return forest_plot(found, self.names)

    def _per_case_title(self) -> str:
        metric = METRICS[self.metric]
        return f"Per-case {metric.title}" + (f" ({metric.unit})" if metric.unit else "")

    def _columns(self) -> list[Column]:
        score = []
        if self._has_score_column():
            title, unit = self._score_title()
            arrow = _ARROWS[SCHEMES[self.scheme].larger_is_better(self.metric)]
            score = [Column(title, ", ".join(filter(None, (unit, arrow))))]
        return [
            Column("Rank", "95 % interval", "centre", "The rank, and the ranks that it is compatible with."),
            Column("Submission", "team", "left", wide=True),
            *score,
            *(
                Column(
                    METRICS[name].title,
                    ", ".join(filter(None, (METRICS[name].unit, _ARROWS[METRICS[name].larger_is_better]))),
                    hint="Mean of Vertebrae, with its 95 % interval",
                )
                for name in SHOWN
            ),
            Column(
                "Per case",
                f"{METRICS[self.metric].title}, its rank",
                hint="The mean over cases of the mean over a case's vertebrae: frequent labels weigh more in it",
            ),
            Column("First", "share of draws", hint="In how many draws it is first; draws agree with the intervals"),
            Column(
                "Levels right", "of cases", hint="Cases whose levels are all there, none spurious, each in its place"
            ),
            Column("Missed", "vertebrae", hint="In the reference, not in the prediction"),
            Column("Spurious", "vertebrae", hint="In the prediction, not in the reference"),
            Column("C1 – L6", f"{METRICS[self.curve_metric].title}, 0 to 1", "left"),
        ]

    def _has_score_column(self) -> bool:
        return self.scheme != OFFICIAL[0] or self.metric not in SHOWN

    def _score_title(self) -> tuple[str, str]:
        if SCHEMES[self.scheme].ranks:
            return "Mean rank", ""
        return METRICS[self.metric].title, METRICS[self.metric].unit

    def _cells(self, row: StandingRow, link: Link) -> tuple[Cell, ...]:
        standing, declaration = row.standing, row.entry.declaration
        rank = Cell("–")
        if standing:
            rank = Cell(str(standing.rank), _range(standing.low, standing.high))
        team = declaration.team if declaration else ""
        score = [self._score_cell(standing)] if self._has_score_column() else []
        return (
            rank,
            Cell(row.entry.name, team, link(row.entry.slug), row.flags, hint=row.reason),
            *score,
            *(mean_cell(row.means[name], METRICS[name].digits) for name in SHOWN),
            self._per_case_cell(standing),
            Cell(_share(standing.p_first) if standing else ""),
            Cell(_share(row.levels_right)),
            Cell(_count(row.counts.get("missed"))),
            Cell(_count(row.counts.get("spurious"))),
            Cell(drawing=self._curve(row)),
        )

    def _curve(self, row: StandingRow) -> Markup | None:
        if not any(value is not None for value in row.labels):
            return None
        what = f"{METRICS[self.curve_metric].title} of {row.entry.name} from C1 to L6"
        return picture(sparkline(row.labels), what, WIDTH, HEIGHT)

    def _score_cell(self, standing: Standing | None) -> Cell:
        if standing is None:
            return Cell("")
        digits = 2 if SCHEMES[self.scheme].ranks else METRICS[self.metric].digits
        return mean_cell(Mean(standing.score, standing.score_low, standing.score_high), digits)

    def _per_case_cell(self, standing: Standing | None) -> Cell:
        if standing is None:
            return Cell("")
        if standing.per_case is None:
            return Cell("–")
        rank = "" if standing.per_case_rank is None else f"rank {standing.per_case_rank}"
        return Cell(f"{standing.per_case:.{METRICS[self.metric].digits}f}", rank)

    def _record(self, row: StandingRow) -> dict[str, Any]:
        standing, declaration = row.standing, row.entry.declaration
        curve = METRICS[self.curve_metric].name
        return {
            "rank": standing and standing.rank,
            "rank_low": standing and standing.low,
            "rank_high": standing and standing.high,
            "slug": row.entry.slug,
            "name": row.entry.name,
            "team": declaration and declaration.team,
            "score": standing and standing.score,
            "score_low": standing and standing.score_low,
            "score_high": standing and standing.score_high,
            **{
                f"{name}{suffix}": getattr(row.means[name], part)
                for name in SHOWN
                for suffix, part in (("", "value"), ("_low", "low"), ("_high", "high"))
            },
            "per_case": standing and standing.per_case,
            "per_case_rank": standing and standing.per_case_rank,
            "p_first": standing and standing.p_first,
            "levels_right": row.levels_right,
            "missed": row.counts.get("missed"),
            "spurious": row.counts.get("spurious"),
            "flags": "; ".join(row.flags),
            "not_ranked_because": row.reason or None,
            **{f"{curve}_{name}": value for name, value in zip(VERTEBRAE, row.labels, strict=True)},
            **{f"n_{name}": n for name, n in zip(VERTEBRAE, row.n, strict=True)},
        }


def standings_view(
    board: Board,
    test_set: str,
    scheme: str = OFFICIAL[0],
    metric: str = OFFICIAL[1],
    region: str = OFFICIAL[2],
    *,
    keep_errata: bool = True,
) -> StandingsView:
    """Work out the standings of a test set by a scheme, a metric and a region.

    Args:
        board: The board.
        test_set: One of its test sets.
        scheme: One of `SCHEMES`.
        metric: One of `METRICS`.
        region: One of `REGIONS`.
        keep_errata: Whether cases whose references are known to be wrong count.
    """
    found = board.standings(test_set, scheme, metric, region, keep_errata=keep_errata)
    means = {name: _means(board, test_set, name, region, keep_errata=keep_errata) for name in SHOWN}
    curve = "dsc" if METRICS[metric].unit else metric
    ranked = [(board.entry(row.slug), row, "") for row in found.standings.rows] if found.standings else []
    rows = tuple(
        StandingRow(
            entry=entry,
            standing=standing,
            means={name: means[name].get(entry.slug) or _told_mean(entry, test_set, name, region) for name in SHOWN},
            counts=entry.on(test_set).get("counts", {}),
            levels_right=entry.on(test_set).get("identification", {}).get("levels_right"),
            labels=tuple(_label(entry, test_set, name, curve) for name in VERTEBRAE),
            n=tuple(n_of(entry.on(test_set).get("labels", {}).get(name, {})) for name in VERTEBRAE),
            flags=tuple(FLAGS[flag] for flag in board.flags(entry, test_set)),
            reason=reason,
        )
        for entry, standing, reason in [*ranked, *((entry, None, reason) for entry, reason in found.unranked)]
        if entry is not None
    )
    return StandingsView(named(test_set), scheme, metric, region, found.standings, found.note, rows)


def mean_cell(mean: Mean, digits: int) -> Cell:
    """Return a cell with a mean and its interval below."""
    if mean.value is None:
        return Cell("–")
    ends = "" if mean.low is None or mean.high is None else f"{mean.low:.{digits}f} – {mean.high:.{digits}f}"
    return Cell(f"{mean.value:.{digits}f}", ends)


def _means(board: Board, test_set: str, metric: str, region: str, *, keep_errata: bool) -> dict[str, Mean]:
    found = board.standings(test_set, OFFICIAL[0], metric, region, keep_errata=keep_errata).standings
    return {row.slug: Mean(row.score, row.score_low, row.score_high) for row in found.rows} if found else {}


def _told_mean(entry: Entry, test_set: str, metric: str, region: str) -> Mean:
    """Return what the record itself says: of those that are not ranked, and where private standings say nothing."""
    if region == OFFICIAL[2]:
        return Mean(entry.on(test_set).get("mean_of_vertebrae", {}).get(metric))
    values = [_label(entry, test_set, VERTEBRAE[label - 1], metric) for label in REGIONS[region]]
    there = [value for value in values if value is not None]
    return Mean(sum(there) / len(there) if there else None)


def _label(entry: Entry, test_set: str, name: str, metric: str) -> float | None:
    value: float | None = entry.on(test_set).get("labels", {}).get(name, {}).get(metric)
    return value


def _range(low: int | None, high: int | None) -> str:
    return "" if low is None or high is None else str(low) if low == high else f"{low} – {high}"


def _share(value: float | None) -> str:
    if value is None:
        return "–"
    return "< 1 %" if 0 < value < 0.01 else "> 99 %" if 0.99 < value < 1 else f"{value:.0%}".replace("%", " %")


def _count(value: Any) -> str:
    return "–" if value is None else str(value)
