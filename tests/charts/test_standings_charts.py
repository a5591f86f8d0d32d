"""Ranks over resamples and scores with intervals: in the order of the standings, with their numbers."""

from __future__ import annotations

from dataclasses import replace

import pytest
from drawn_figures import HOSTILE_NAMES, foreign_tags, notes, points, strings

from ctspine_bench.charts.standings import MOST, forest_plot, rank_plot
from ctspine_bench.rankings.standings import Stability, Standing, Standings

NAMES = {"a": "Team A", "b": "Team B"}


def standings(*rows, **changes):
    """Standings on 20 cases by the official scheme."""
    found = Standings("mean-then-rank", "dsc", "all", 20, 10_000, 0, None, rows, Stability(None, {}, None))
    return replace(found, **changes)


def many(n):
    """Standings of n submissions, each surely where it is."""
    return standings(
        *(
            Standing(
                f"s{i}", i + 1, i + 1, i + 1, 1 - i / n, 0.9 - i / n, 1.0, 0.0, tuple(float(i == j) for j in range(n))
            )
            for i in range(n)
        )
    )


FOUND = standings(
    Standing("a", 1, 1, 2, 0.95, 0.93, 0.96, 0.64, (0.64, 0.36, 0.0)),
    Standing("b", 2, 1, 3, 0.91, 0.88, 0.94, 0.36, (0.36, 0.6, 0.04)),
    Standing("c", 3, 2, 3, 0.81, 0.79, 0.84, 0.0, (0.0, 0.04, 0.96)),
)
SURE_OF_NOTHING = standings(
    Standing("a", 1, 1, 2, 0.95, None, None, None, ()), Standing("b", 2, 1, 2, 0.9, None, None, None, ())
)
WITHOUT_INTERVALS = standings(
    Standing("a", 1, None, None, 1.25, None, None, None, ()),
    Standing("b", 2, None, None, 1.5, None, None, None, ()),
    scheme="significance",
)


def layers(figure):
    """Intervals, blobs and bars of a rank plot; those that are not drawn are `None`."""
    by_mode = {trace.mode if trace.mode == "lines" else trace.marker.symbol or "blobs": trace for trace in figure.data}
    return tuple(by_mode.get(name) for name in ("lines", "blobs", "line-ns"))


def test_the_area_of_a_blob_is_the_share_of_resamples():
    """A blob where a rank occurs; twice the share is twice the area. What never occurs has none."""
    _, blobs, _ = layers(rank_plot(FOUND, NAMES))
    areas = {at: size**2 for at, size in zip(points(blobs), blobs.marker.size, strict=True)}

    assert set(areas) == {(1, 0), (2, 0), (1, 1), (2, 1), (3, 1), (2, 2), (3, 2)}
    assert areas[1, 0] / areas[2, 0] == pytest.approx(0.64 / 0.36)
    assert areas[3, 2] == pytest.approx(0.96 * 20**2)
    assert blobs.text[0] == "Team A<br>rank 1 in 64% of draws"


def test_the_rank_and_its_interval_are_marked():
    """A bar at the rank in the standings, a line from the best rank to the worst that it is compatible with."""
    lines, _, bars = layers(rank_plot(FOUND, NAMES))

    assert points(bars) == [(1, 0), (2, 1), (3, 2)]
    assert list(bars.text) == ["Team A<br>rank 1 [1, 2]", "Team B<br>rank 2 [1, 3]", "c<br>rank 3 [2, 3]"]
    assert points(lines) == [(1, 0), (2, 0), (None, None), (1, 1), (3, 1), (None, None), (2, 2), (3, 2), (None, None)]
    assert notes(rank_plot(FOUND, NAMES)) == ["┃ rank   ─ 95 % interval", "● larger: more often"]


@pytest.mark.parametrize("plot", [rank_plot, forest_plot])
def test_submissions_stand_as_ranked_with_the_first_on_top(plot):
    """Called by their names, or by their slug without one."""
    axis = plot(FOUND, NAMES).layout.yaxis

    assert list(axis.ticktext) == ["Team A", "Team B", "c"]
    assert axis.range[0] > axis.range[1]


@pytest.mark.parametrize("plot", [rank_plot, forest_plot])
def test_of_many_submissions_the_first_are_shown_and_the_figure_says_so(plot):
    """25 rows can be read; the axis of ranks ends where theirs do."""
    figure = plot(many(200), {})

    assert len(figure.layout.yaxis.ticktext) == MOST == 25
    assert figure.layout.xaxis.title.text.endswith("<br>the first 25 of 200 submissions")
    assert "first 25" not in plot(many(25), {}).layout.xaxis.title.text
    assert rank_plot(many(200), {}).layout.xaxis.range[1] == 25.6


def test_ranks_have_whole_numbers_and_few_of_them():
    """From 1 on, and never so many that they run into each other on a telephone."""
    assert list(rank_plot(FOUND, NAMES).layout.xaxis.tickvals) == [1, 2, 3]
    assert list(rank_plot(many(25), {}).layout.xaxis.tickvals) == [1, 5, 10, 15, 20, 25]


def test_under_ten_cases_there_are_ranks_and_intervals_alone():
    """No blobs where nothing was resampled, and no key to them."""
    figure = rank_plot(SURE_OF_NOTHING, NAMES)
    lines, blobs, bars = layers(figure)

    assert blobs is None or not len(blobs.x)
    assert points(lines)[:2] == [(1, 0), (2, 0)]
    assert points(bars) == [(1, 0), (2, 1)]
    assert notes(figure) == ["┃ rank   ─ 95 % interval"]


def test_a_scheme_without_intervals_has_ranks_alone():
    """As the significance rank."""
    figure = rank_plot(WITHOUT_INTERVALS, NAMES)

    assert layers(figure)[0] is None
    assert notes(figure) == ["┃ rank"]


def test_scores_have_their_intervals():
    """A dot and its 95 % interval; the score in numbers at the right."""
    figure = forest_plot(FOUND, NAMES)
    (dots,) = figure.data

    assert points(dots) == [(0.95, 0), (0.91, 1), (0.81, 2)]
    assert list(dots.error_x.array) == pytest.approx([0.01, 0.03, 0.03])
    assert list(dots.error_x.arrayminus) == pytest.approx([0.02, 0.03, 0.02])
    assert dots.text[1] == "Team B<br>0.910 [0.880, 0.940]"
    assert notes(figure) == ["0.950", "0.910", "0.810"]
    low, high = figure.layout.xaxis.range
    assert low < 0.79
    assert high > 0.96


@pytest.mark.parametrize(
    ("changes", "title"),
    [
        ({}, "Mean of Vertebrae DSC<br>higher is better"),
        ({"metric": "hd95_mm"}, "Mean of Vertebrae HD95, mm<br>lower is better"),
        ({"scheme": "rank-then-mean"}, "mean rank by DSC<br>lower is better"),
        ({"scheme": "rank-then-mean", "metric": "hd95_mm"}, "mean rank by HD95<br>lower is better"),
    ],
)
def test_the_axis_says_what_the_score_is_and_which_end_is_better(changes, title):
    """Units where there are some; of ranks less is better, whatever they are by."""
    assert forest_plot(replace(FOUND, **changes), NAMES).layout.xaxis.title.text == title


def test_scores_without_intervals_are_dots():
    """As under ten cases."""
    (dots,) = forest_plot(SURE_OF_NOTHING, NAMES).data

    assert (list(dots.error_x.array), list(dots.error_x.arrayminus)) == ([0.0, 0.0], [0.0, 0.0])
    assert dots.text[0] == "Team A<br>0.950"


@pytest.mark.parametrize("plot", [rank_plot, forest_plot])
@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_strangers_names_are_text(plot, name):
    """They bring no markup, and are cut."""
    figure = plot(FOUND, dict.fromkeys("abc", name))

    assert foreign_tags(figure) == set()
    assert max(map(len, figure.layout.yaxis.ticktext)) < 80


@pytest.mark.parametrize("plot", [rank_plot, forest_plot])
def test_without_ranked_submissions_there_is_a_sentence(plot):
    """No empty axes; and a single submission has its row."""
    assert notes(plot(standings(), NAMES)) == ["No submission is ranked."]
    assert list(plot(many(1), {"s0": "Alone"}).layout.yaxis.ticktext) == ["Alone"]


@pytest.mark.parametrize("plot", [rank_plot, forest_plot])
@pytest.mark.parametrize("found", [FOUND, SURE_OF_NOTHING, WITHOUT_INTERVALS], ids=["all", "few", "none"])
def test_the_same_standings_give_the_same_figure(plot, found):
    """Nothing is drawn by chance, and nothing undefined is in it."""
    assert plot(found, NAMES).to_json() == plot(found, NAMES).to_json()
    assert strings(plot(found, NAMES))
