"""The domain gap of some submissions as figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ctspine_bench.charts.domain_gap import Line, slope_chart, waterfall
from ctspine_bench.charts.marks import Mark
from ctspine_bench.charts.strata import StratumRow, strata_chart
from ctspine_bench.charts.text import counted, short
from ctspine_leaderboard.views.domain_gap.scores import PUBLISHED
from ctspine_leaderboard.views.domain_gap.words import told
from ctspine_leaderboard.views.test_sets import title

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import plotly.graph_objects as go

    from ctspine_bench.board import Entry
    from ctspine_bench.testsets import TestSet
    from ctspine_leaderboard.views.domain_gap.gaps import Gap
    from ctspine_leaderboard.views.domain_gap.scores import Score
    from ctspine_leaderboard.views.domain_gap.strata import InStratum


def slope_figure(sets: Sequence[TestSet], scores: Sequence[Score], names: Mapping[str, str]) -> go.Figure:
    """Draw submissions across the test sets of a benchmark, in the order of the scores.

    Args:
        sets: The test sets.
        scores: The scores of all submissions on them.
        names: Slug → what people call the submission.
    """
    of_entry: dict[str, dict[str, Score]] = {}
    for each in scores:
        of_entry.setdefault(each.entry.slug, {})[each.test_set.name] = each
    lines = [
        Line(
            names[slug],
            tuple(_mark(found.get(each.name)) for each in sets),
            any(each.basis == PUBLISHED for each in found.values()),
        )
        for slug, found in of_entry.items()
    ]
    return slope_chart([_column(each, scores) for each in sets], lines)


def waterfall_figure(found: Gap) -> go.Figure:
    """Draw a gap taken apart.

    Raises:
        ValueError: It is not taken apart.
    """
    if found.split is None:
        raise ValueError("expected a gap that is taken apart, found one that is not")
    return waterfall("Public", title(found.other), found.split, found.intervals)


def strata_figure(
    entries: Sequence[Entry], cells: Sequence[InStratum], names: Mapping[str, str], *, by_set: bool = False
) -> go.Figure:
    """Draw submissions within strata.

    Args:
        entries: The submissions.
        cells: Their scores.
        names: Slug → what people call the submission.
        by_set: Whether strata stand under their test set; otherwise under what they are by.
    """
    groups: dict[str, dict[str, dict[str, InStratum]]] = {}
    for cell in cells:
        group = title(cell.test_set) if by_set else cell.dimension
        groups.setdefault(group, {}).setdefault(cell.name, {})[cell.entry.slug] = cell
    rows = [
        StratumRow(group, name, _size(list(row.values())), tuple(_cell_mark(row.get(each.slug)) for each in entries))
        for group, strata in groups.items()
        for name, row in strata.items()
    ]
    return strata_chart([names[entry.slug] for entry in entries], rows)


def _column(test_set: TestSet, scores: Sequence[Score]) -> str:
    sizes = [each.estimate.n_cases for each in scores if each.test_set == test_set and each.estimate.n_cases]
    return f"{title(test_set)}<br>{counted(sizes[0])}" if sizes else title(test_set)


def _mark(found: Score | None) -> Mark | None:
    if found is None or found.estimate.dsc is None:
        return None
    text = f"{short(found.entry.name)}<br>{title(found.test_set)}: {told(found)}"
    return Mark(found.estimate.dsc, found.estimate.low, found.estimate.high, text)


def _cell_mark(cell: InStratum | None) -> Mark | None:
    if cell is None or cell.estimate.dsc is None:
        return None
    estimate = cell.estimate
    ends = "" if estimate.low is None else f" [{estimate.low:.3f}, {estimate.high:.3f}]"
    n = estimate.n_vertebrae
    vertebrae = "" if not n else ", 1 vertebra" if n == 1 else f", {n} vertebrae"
    text = f"{short(cell.entry.name)}<br>{short(cell.name)}: {estimate.dsc:.3f}{ends}<br>{_cases(cell)}{vertebrae}"
    return Mark(cell.estimate.dsc, estimate.low, estimate.high, text)


def _size(cells: Sequence[InStratum]) -> str:
    held_back = "" if any(cell.estimate.dsc is not None for cell in cells) else ", held back"
    return f"{_cases(cells[0])}{held_back}"


def _cases(cell: InStratum) -> str:
    if isinstance(cell.n_cases, int):
        return counted(cell.n_cases)
    return f"{cell.n_cases} cases" if cell.n_cases else "number of cases not told"
