"""The domain gap of some submissions as figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ctspine_bench.charts.domain_gap import Line, slope_chart, waterfall
from ctspine_bench.charts.marks import Mark
from ctspine_bench.charts.strata import StratumRow, strata_chart
from ctspine_bench.charts.vertebrae import short
from ctspine_leaderboard.views.domain_gap.scores import PUBLISHED, family, score
from ctspine_leaderboard.views.domain_gap.words import told
from ctspine_leaderboard.views.test_sets import title

if TYPE_CHECKING:
    from collections.abc import Sequence

    import plotly.graph_objects as go

    from ctspine_bench.board import Board, Entry
    from ctspine_bench.testsets import TestSet
    from ctspine_leaderboard.views.domain_gap.scores import Cell, Gap, Score


def slope_figure(board: Board, entries: Sequence[Entry], test_set: TestSet) -> go.Figure:
    """Draw submissions across the test sets of a benchmark."""
    sets = family(board, test_set)
    lines = []
    for entry in entries:
        scores = [score(board, entry, each) for each in sets]
        as_published = any(each.basis == PUBLISHED for each in scores)
        lines.append(Line(entry.name, tuple(_mark(each) for each in scores), as_published))
    return slope_chart([title(each) for each in sets], lines)


def waterfall_figure(found: Gap) -> go.Figure:
    """Draw a gap taken apart.

    Raises:
        ValueError: It is not taken apart.
    """
    if found.split is None:
        raise ValueError("expected a gap that is taken apart, found one that is not")
    return waterfall("Public", title(found.other), found.split, found.intervals)


def strata_figure(entries: Sequence[Entry], cells: Sequence[Cell], *, by_set: bool = False) -> go.Figure:
    """Draw submissions within strata.

    Args:
        entries: The submissions.
        cells: Their scores.
        by_set: Whether strata stand under their test set; otherwise under what they are by.
    """
    rows: dict[tuple[str, str], dict[str, Cell]] = {}
    for cell in cells:
        group = title(cell.test_set) if by_set else cell.dimension
        rows.setdefault((group, cell.name), {})[cell.entry.slug] = cell
    return strata_chart(
        [entry.name for entry in entries],
        [
            StratumRow(
                group, name, _size(next(iter(row.values()))), tuple(_cell_mark(row.get(e.slug)) for e in entries)
            )
            for (group, name), row in rows.items()
        ],
    )


def _mark(found: Score) -> Mark | None:
    estimate = found.estimate
    if estimate.dsc is None:
        return None
    text = f"{short(found.entry.name)}<br>{title(found.test_set)}: {told(found)}"
    return Mark(estimate.dsc, estimate.low, estimate.high, text)


def _cell_mark(cell: Cell | None) -> Mark | None:
    estimate = cell.estimate if cell else None
    if cell is None or estimate is None or estimate.dsc is None:
        return None
    ends = "" if estimate.low is None else f" [{estimate.low:.3f}, {estimate.high:.3f}]"
    vertebrae = f", {estimate.n_vertebrae} vertebrae" if estimate.n_vertebrae else ""
    text = f"{short(cell.entry.name)}<br>{short(cell.name)}: {estimate.dsc:.3f}{ends}<br>{_size(cell)}{vertebrae}"
    return Mark(estimate.dsc, estimate.low, estimate.high, text)


def _size(cell: Cell) -> str:
    return "cases not told" if cell.n_cases is None else "1 case" if cell.n_cases == 1 else f"{cell.n_cases} cases"
