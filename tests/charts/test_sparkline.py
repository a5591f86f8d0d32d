"""Small curves: well-formed SVG, points where the values are, gaps where there are none."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest
from drawn_figures import HOSTILE_NAMES

from ctspine_bench.charts.sparkline import HEIGHT, WIDTH, sparkline

SVG = "{http://www.w3.org/2000/svg}"
FULL = [0.5] * 25


def parsed(svg):
    """The drawing as a tree."""
    return ET.fromstring(svg)  # noqa: S314 -- made by the function under test


def curves(svg):
    """The points of each piece of the curve."""
    return [
        [tuple(map(float, point.split(","))) for point in line.get("points").split()]
        for line in parsed(svg).iter(f"{SVG}polyline")
    ]


def dots(svg):
    """The centres of the dots."""
    return [(float(dot.get("cx")), float(dot.get("cy"))) for dot in parsed(svg).iter(f"{SVG}circle")]


def test_a_full_curve_is_one_line_from_c1_to_l6():
    """25 points, evenly spaced over the width, here half-way up."""
    (curve,) = curves(sparkline(FULL))
    x, y = zip(*curve, strict=True)

    assert len(curve) == 25
    assert x == pytest.approx([WIDTH / 25 * (place + 0.5) for place in range(25)], abs=0.06)
    assert set(y) == {HEIGHT / 2}


def test_the_scale_is_the_callers():
    """The low end is at the bottom, the high end on top, what lies beyond at the edge; nothing is cut off."""
    (curve,) = curves(sparkline([0.6, 1.0, 0.8, 0.2, 1.4, *[0.8] * 20], low=0.6, high=1.0))
    bottom, top, middle, below, above = (y for _, y in curve[:5])

    assert (bottom, top, middle) == (24.4, 1.6, 13.0)
    assert (below, above) == (bottom, top)


def test_of_distances_the_small_ones_may_be_on_top():
    """With the larger value as the lower edge the better is up, as with shares."""
    (curve,) = curves(sparkline([0.0, 20.0, *[10.0] * 23], low=20.0, high=0.0))

    assert curve[0][1] < curve[2][1] < curve[1][1]


def test_a_missing_label_is_a_gap():
    """The curve ends before it and begins anew behind it; a value between two gaps is a dot."""
    svg = sparkline([None, 0.5, 0.5, None, 0.5, None, *[0.5] * 19])

    assert [len(curve) for curve in curves(svg)] == [2, 19]
    assert dots(svg) == [(pytest.approx(WIDTH / 25 * 4.5, abs=0.06), HEIGHT / 2)]


def test_without_values_the_ground_alone_is_drawn():
    """Cervical and lumbar vertebrae on a faint ground, thoracic ones on none."""
    svg = sparkline([None] * 25)
    grounds = [(float(r.get("x")), float(r.get("width"))) for r in parsed(svg).iter(f"{SVG}rect")]

    assert grounds == [(0.0, 36.4), (98.8, 31.2)]
    assert curves(svg) == dots(svg) == []


@pytest.mark.parametrize("label", HOSTILE_NAMES)
def test_it_says_what_it_shows(label):
    """One picture with a label, whatever is in the label."""
    drawing = parsed(sparkline(FULL, label=label))

    assert (drawing.tag, drawing.get("role"), drawing.get("aria-label")) == (f"{SVG}svg", "img", label)
    assert (drawing.get("width"), drawing.get("height")) == (str(WIDTH), str(HEIGHT))
    assert {element.tag.removeprefix(SVG) for element in drawing.iter()} == {"svg", "g", "rect", "polyline"}


@pytest.mark.parametrize(
    ("values", "low", "high", "message"),
    [
        ([0.5] * 24, 0.0, 1.0, "expected 25 values, found 24"),
        (FULL, 1.0, 1.0, r"expected two edges that differ, found 1\.0 twice"),
    ],
)
def test_what_cannot_be_drawn_is_refused(values, low, high, message):
    """Another number of labels, and a scale without an extent."""
    with pytest.raises(ValueError, match=message):
        sparkline(values, low, high)
