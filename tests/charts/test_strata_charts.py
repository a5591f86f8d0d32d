"""Scores within strata: every submission in its lane of every row."""

from __future__ import annotations

from itertools import pairwise

import pytest
from drawn_figures import HOSTILE_NAMES, foreign_tags, notes, points, strings

from ctspine_bench.charts.marks import MOST, Mark
from ctspine_bench.charts.strata import StratumRow, strata_chart

ROWS = (
    StratumRow("Source", "COLONOG", "12 cases", (Mark(0.9, 0.8, 0.95, "first"), Mark(0.8))),
    StratumRow("Source", "COVID-19", "<5 cases", (None, Mark(0.7))),
    StratumRow("Region", "lumbar", "3 cases", (Mark(0.5), None)),
)


def test_each_submission_has_a_dot_where_it_has_a_score():
    """At its score; a stratum without one has no dot."""
    one, other = strata_chart(("one", "other"), ROWS).data

    assert list(one.x) == [0.9, 0.5]
    assert list(other.x) == [0.8, 0.7]
    assert one.text[0] == "first"
    assert (one.error_x.array[0], one.error_x.arrayminus[0]) == pytest.approx((0.05, 0.1))


def test_rows_stand_under_the_heading_of_their_group():
    """From the top down: group, its strata with their numbers of cases, next group."""
    axis = strata_chart(("one", "other"), ROWS).layout.yaxis

    assert list(axis.ticktext) == [
        "<b>Source</b>",
        "COLONOG<br>12 cases",
        "COVID-19<br>&lt;5 cases",
        "<b>Region</b>",
        "lumbar<br>3 cases",
    ]
    assert list(axis.tickvals) == sorted(axis.tickvals)
    assert axis.range[0] > axis.tickvals[-1]
    assert axis.range[1] < axis.tickvals[0]


@pytest.mark.parametrize("n", [1, 2, MOST])
def test_no_dot_leaves_the_band_of_its_row(n):
    """However many submissions there are, each dot lies in the band of its stratum, in the order of the names."""
    rows = [StratumRow("g", str(i), "1 case", (Mark(0.5),) * n) for i in range(3)]
    figure = strata_chart([f"name {i}" for i in range(n)], rows)
    bands = [(shape.y0, shape.y1) for shape in figure.layout.shapes]

    for row, (low, high) in enumerate(bands):
        heights = [trace.y[row] for trace in figure.data]
        assert low < min(heights) <= max(heights) < high
        assert heights == sorted(heights)
    assert all(high <= low for (_, high), (low, _) in pairwise(bands))


def test_a_key_says_who_has_which_symbol():
    """First on top; a single submission needs none."""
    figure = strata_chart(("one", "other"), ROWS)
    by_height = sorted(figure.layout.annotations, key=lambda note: -note.yshift)

    assert [note.text.rpartition("> ")[2] for note in by_height] == ["one", "other"]
    assert notes(strata_chart(("one",), [StratumRow("g", "s", "1 case", (Mark(0.5),))])) == []
    assert figure.layout.xaxis.title.text == "mean DSC, higher is better"


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_strangers_names_are_text(name):
    """Names of submissions and of sources bring no markup, and are cut."""
    figure = strata_chart((name, name), [StratumRow(name[:40], name, name[:20], (Mark(0.5), Mark(0.6)))])

    assert foreign_tags(figure) == set()
    assert max(map(len, notes(figure))) < 40


@pytest.mark.parametrize("rows", [(), (StratumRow("g", "s", "<5 cases", (None, None)),)])
def test_without_scores_there_is_a_sentence(rows):
    """No empty axes."""
    assert notes(strata_chart(("one", "other"), rows)) == ["No score in any of these strata."]


def test_the_same_rows_give_the_same_figure():
    """Nothing is drawn by chance, and nothing undefined is in it."""
    one, other = (strata_chart(("one", "other"), ROWS) for _ in range(2))

    assert one.to_json() == other.to_json()
    assert strings(one)
    assert points(one.data[0]) == points(other.data[0])
