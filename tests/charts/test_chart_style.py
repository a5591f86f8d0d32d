"""What all figures have in common."""

from __future__ import annotations

import plotly.graph_objects as go
import pytest
from drawn_figures import notes

from ctspine_bench.charts.colours import _luminance, _rgb
from ctspine_bench.charts.domain_gap import _PATTERN_GLYPHS
from ctspine_bench.charts.style import CAUSES, GREY, LINE_PIXELS, add_heading, empty, styled
from ctspine_bench.rankings.paired import LOSSES

WHITE, DARK = "#ffffff", "#0e1117"


@pytest.mark.parametrize("page", [WHITE, DARK])
def test_text_is_read_on_white_and_on_dark_pages(page):
    """The one grey of all figures has as much contrast with a white page as with a dark one."""
    low, high = sorted((_luminance(_rgb(GREY)), _luminance(_rgb(page))))

    assert (high + 0.05) / (low + 0.05) == pytest.approx(4.35, abs=0.05)


def test_every_cause_has_a_colour_and_a_pattern_of_its_own():
    """All causes that a score can be lost to, told apart without colours too; a key has a sign for each pattern."""
    columns, titles, colours, patterns = zip(*CAUSES, strict=True)

    assert columns == LOSSES
    assert len(set(titles)) == len(set(colours)) == len(set(patterns)) == len(CAUSES)
    assert len({_PATTERN_GLYPHS[pattern] for pattern in patterns}) == len(CAUSES)


@pytest.mark.parametrize("page", [WHITE, DARK])
def test_what_is_spurious_stands_out_on_white_and_on_dark_pages(page):
    """A contrast of three at least, as graphics should have (WCAG 2.1, 1.4.11)."""
    (colour,) = (colour for column, _, colour, _ in CAUSES if column == "loss_spurious")
    low, high = sorted((_luminance(_rgb(colour)), _luminance(_rgb(page))))

    assert (high + 0.05) / (low + 0.05) >= 3


def test_the_look_is_the_same_for_every_figure():
    """Transparent, without plotly's own look, without a zoom that a finger starts; the width it needs is told."""
    figure = styled(go.Figure(go.Bar(x=[1], y=[2])), 300, top=10, bottom=20, min_width=640)
    layout = figure.layout

    assert (layout.height, layout.margin.t, layout.margin.b, layout.meta) == (300, 10, 20, {"min_width": 640})
    assert layout.paper_bgcolor == layout.plot_bgcolor == "rgba(0,0,0,0)"
    assert layout.template.layout.to_plotly_json() == {"font": {"color": GREY}}
    assert layout.dragmode is False
    assert figure.data[0].marker.line.width == 0


def test_what_needs_no_width_says_none():
    """A figure that fits a telephone has nothing in `meta`."""
    assert styled(go.Figure(), 300, top=10, bottom=20).layout.meta is None


def test_lines_that_a_figure_does_not_want_stay_away():
    """Grid lines are drawn unless a figure has said that it wants none."""
    figure = go.Figure()
    figure.update_xaxes(showgrid=False)
    styled(figure, 300, top=10, bottom=20)

    assert (figure.layout.xaxis.showgrid, figure.layout.yaxis.showgrid) == (False, True)


def test_headings_stand_above_each_other():
    """Each line above a figure is one line height higher, at the left or at the right."""
    figure = go.Figure()
    add_heading(figure, "below")
    add_heading(figure, "above", line=2, at_right=True)
    below, above = figure.layout.annotations

    assert above.yshift - below.yshift == LINE_PIXELS
    assert [(each.x, each.xanchor) for each in (below, above)] == [(0, "left"), (1, "right")]


def test_an_empty_figure_says_why():
    """It has a sentence and no axes."""
    figure = empty("Nothing to see.")

    assert notes(figure) == ["Nothing to see."]
    assert not figure.data
    assert figure.layout.xaxis.visible is figure.layout.yaxis.visible is False
