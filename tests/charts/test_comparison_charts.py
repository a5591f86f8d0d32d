"""Two submissions on the same cases: whose side is which, and that the numbers are those of the cases."""

from __future__ import annotations

import numpy as np
import pytest
from drawn_figures import HOSTILE_NAMES, foreign_tags, notes, points, strings

from ctspine_bench.charts.comparison import (
    FIRST,
    SECOND,
    LabelDifference,
    agreement,
    bland_altman,
    case_differences,
    label_differences,
)
from ctspine_bench.rankings.paired import METRICS

DSC, HD95 = METRICS["dsc"], METRICS["hd95_mm"]
NAMES = ("one", "other")
IDS = ["a", "b", "c", "d"]
DIFFERENCES = np.array([-0.1, 0.3, 0.0, 0.2])
LABELS = [
    LabelDifference("L1", 12, -0.02, -0.05, 0.01),
    LabelDifference("C2", 3, 0.04),
    LabelDifference("T12", None, 0.0),
]


def by_colour(figure):
    """Colour → points, of the traces that have some."""
    return {trace.marker.color: points(trace) for trace in figure.data if len(trace.x)}


def test_every_case_is_a_bar_from_one_side_to_the_other():
    """Sorted from the best for the first to the best for the second; what is equal is neither's."""
    figure = case_differences(IDS, DIFFERENCES, DSC, NAMES)
    bars = by_colour(figure)
    (equal,) = set(bars) - {FIRST, SECOND}

    assert bars == {FIRST: [(0, 0.3), (1, 0.2)], equal: [(2, 0.0)], SECOND: [(3, -0.1)]}
    assert list(figure.data[0].text) == ["b: +0.300", "d: +0.200"]
    assert figure.layout.xaxis.title.text == "4 cases, sorted, 1 of them equal"


def test_of_distances_the_lower_side_is_the_better_one():
    """A negative difference in HD95 is the first one's, and the words at top and bottom say so."""
    figure = case_differences(IDS, DIFFERENCES, HD95, NAMES)

    assert by_colour(figure)[FIRST] == [(0, -0.1)]
    assert notes(figure) == ["difference in HD95, mm", "▲ other better in 2", "▼ one better in 1"]
    assert notes(case_differences(IDS, DIFFERENCES, DSC, NAMES))[1:] == ["▲ one better in 2", "▼ other better in 1"]


def test_many_bars_have_no_gaps_and_few_are_not_as_wide_as_the_page():
    """What is seen of 436 bars is their height."""
    many = case_differences([str(i) for i in range(436)], np.linspace(-1, 1, 436), DSC, NAMES)
    one = case_differences(["a"], np.array([0.1]), DSC, NAMES)

    assert many.layout.bargap == 0
    assert list(one.layout.xaxis.range) == [-0.6, 11.6]
    assert one.layout.xaxis.title.text == "1 case, sorted"


def test_labels_stand_from_the_head_down_with_their_cases():
    """The order is that of the spine, whatever the order given; a number that is not told is left out."""
    figure = label_differences(LABELS, DSC, NAMES)

    assert list(figure.layout.yaxis.ticktext) == ["C2  <i>n</i> = 3", "T12", "L1  <i>n</i> = 12"]
    assert figure.layout.yaxis.range[0] > figure.layout.yaxis.range[1]
    assert by_colour(figure)[FIRST] == [(0.04, 0)]
    assert by_colour(figure)[SECOND] == [(-0.02, 2)]


def test_intervals_of_labels_are_drawn_and_told():
    """From end to end, and nothing where there is none."""
    first, second, _ = label_differences(LABELS, DSC, NAMES).data

    assert (second.error_x.array[0], second.error_x.arrayminus[0]) == pytest.approx((0.03, 0.03))
    assert (first.error_x.array[0], first.error_x.arrayminus[0]) == (0.0, 0.0)
    assert list(second.text) == ["L1: −0.020 [−0.050, +0.010]<br>12 cases"]
    assert list(first.text) == ["C2: +0.040<br>3 cases"]


def test_the_side_of_the_better_one_is_named_on_both_sides():
    """To the right are larger differences: the first one's of DSC, the second one's of HD95."""
    assert notes(label_differences(LABELS, DSC, NAMES)) == ["◀ other better", "one better ▶"]
    assert notes(label_differences(LABELS, HD95, NAMES)) == ["◀ one better", "other better ▶"]


def test_bland_and_altman_show_differences_over_means():
    """A point for each case, lines at the mean and 1.96 standard deviations from it, told at the right."""
    values = np.array([[0.9, 0.8], [0.7, 0.8], [0.9, 0.9]])
    figure = bland_altman(IDS[:3], values, DSC, NAMES)

    assert [x for trace in figure.data for x in points(trace)] == [
        pytest.approx((0.85, 0.1)),
        pytest.approx((0.75, -0.1)),
        pytest.approx((0.9, 0.0)),
    ]
    assert sorted(shape.y0 for shape in figure.layout.shapes) == pytest.approx([-0.196, 0.0, 0.0, 0.196])
    assert {note for note in notes(figure) if "SD" in note} == {"−0.196− 1.96 SD", "+0.196+ 1.96 SD"}
    assert list(figure.data[0].text) == ["a: 0.900 and 0.800"]


def test_limits_of_agreement_are_those_of_the_sample():
    """The standard deviation is that with n − 1; of one case there are no limits."""
    assert agreement(np.array([1.0, 3.0])) == pytest.approx((2 - 1.96 * 2**0.5, 2.0, 2 + 1.96 * 2**0.5))
    assert agreement(np.array([0.5])) == (0.5, 0.5, 0.5)


def test_equal_submissions_agree():
    """Without a difference there is one line, and no label on top of another."""
    figure = bland_altman(IDS, np.full((4, 2), 0.9), DSC, NAMES)

    assert [note for note in notes(figure) if "mean" in note or "SD" in note] == ["0.000mean"]


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_strangers_names_are_text(name):
    """Names of submissions and cases bring no markup, and are cut."""
    figures = [
        case_differences([name] * 4, DIFFERENCES, DSC, (name, name)),
        label_differences(LABELS, DSC, (name, name)),
        bland_altman([name] * 4, np.array([[0.1, 0.2]] * 4), DSC, (name, name)),
    ]
    for figure in figures:
        assert foreign_tags(figure) == set()
        assert max(map(len, notes(figure))) < 60


@pytest.mark.parametrize(
    "figure",
    [
        case_differences([], np.empty(0), DSC, NAMES),
        label_differences([], DSC, NAMES),
        bland_altman([], np.empty((0, 2)), DSC, NAMES),
    ],
)
def test_without_cases_a_figure_says_so(figure):
    """No axis from −1 to 1 that shows nothing."""
    assert not figure.data
    assert notes(figure)[0].startswith("No ")


@pytest.mark.parametrize("metric", [DSC, HD95])
def test_the_same_numbers_give_the_same_figure(metric):
    """Nothing is drawn by chance, and nothing undefined is in it."""
    values = np.random.default_rng(3).random((40, 2))
    one, other = (bland_altman([str(i) for i in range(40)], values, metric, NAMES) for _ in range(2))

    assert one.to_json() == other.to_json()
    assert strings(one)
