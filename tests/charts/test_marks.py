"""Means with intervals, and places for names."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctspine_bench.charts.marks import MOST, SERIES, Mark, error_bars, score_range, spread


def test_submissions_are_told_apart_by_colour_and_by_symbol():
    """No colour and no symbol is used twice."""
    assert [len(set(each)) for each in zip(*SERIES, strict=True)] == [MOST, MOST, MOST]


def test_error_bars_are_distances_from_the_mean():
    """Up and down by as much as the interval is away; a mark without an interval has none."""
    bars = error_bars([Mark(0.5, 0.25, 0.625), Mark(0.75)])

    assert (bars["array"], bars["arrayminus"]) == ([0.125, 0.0], [0.25, 0.0])


@pytest.mark.parametrize(
    ("marks", "ends"),
    [
        ([Mark(0.5, 0.4, 0.6), Mark(0.9)], (0.37, 0.93)),
        ([Mark(0.9)], (0.875, 0.925)),
        ([], (-0.06, 1.06)),
    ],
)
def test_an_axis_shows_all_marks_and_no_less_than_a_twentieth(marks, ends):
    """There is some room around, and a difference of nothing does not fill a figure."""
    assert score_range(marks) == pytest.approx(ends)


def test_names_that_are_far_apart_stay_where_they_are():
    """Nothing is moved without need."""
    assert spread(np.array([3.0, 1.0, 2.0]), 0.5, 0.0, 4.0).tolist() == [3.0, 1.0, 2.0]


def test_names_that_are_close_move_as_little_as_possible():
    """Two at the same place go half the gap to both sides; equal ones keep their order."""
    assert spread(np.array([1.0, 1.0]), 0.5, 0.0, 4.0).tolist() == [0.75, 1.25]


def test_names_stay_within_their_limits():
    """At an end they are pushed back inwards."""
    assert spread(np.array([1.0, 1.0]), 0.5, 0.0, 1.0).tolist() == [0.5, 1.0]
    assert spread(np.array([0.0, 0.1]), 0.5, 0.0, 1.0).tolist() == [0.0, 0.5]


@given(st.lists(st.floats(0.0, 1.0), max_size=6))
def test_no_two_names_are_closer_than_the_gap(wanted):
    """In the order of what is wanted, and within the limits wherever all fit."""
    placed = spread(np.array(wanted), 0.15, 0.0, 1.0)

    in_order = placed[np.argsort(wanted, kind="stable")]
    assert np.all(np.diff(in_order) >= 0.15 - 1e-9)
    assert np.all((placed >= -1e-9) & (placed <= 1.0 + 1e-9))
