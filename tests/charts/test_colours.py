"""The scale of colours: in order, and what is written on it can be read."""

from __future__ import annotations

import numpy as np
import pytest

from ctspine_bench.charts.colours import GOODNESS, _luminance, _rgb, colours_of, readable_on

EVENLY = np.linspace(0.0, 1.0, 101)


def contrast(one, other):
    """The contrast of two colours (WCAG 2.2)."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_the_better_the_darker():
    """Luminance falls all the way, so that the order is seen without any colour vision."""
    luminances = [_luminance(colour) for colour in colours_of(EVENLY, 0.0, 1.0)]

    assert luminances == sorted(luminances, reverse=True)
    assert luminances[0] > 4 * luminances[-1]


def test_the_ends_are_those_of_the_scale():
    """What lies beyond an end has its colour, and so has what is not there."""
    colours = colours_of(np.array([-5.0, 0.2, 0.7, 9.0, np.nan]), 0.2, 0.7)

    assert colours == pytest.approx(np.array([_rgb(GOODNESS[i]) for i in (0, 0, -1, -1, 0)]))


def test_numbers_can_be_read_on_every_colour():
    """Black or white, whichever is chosen, has the contrast of 4.5 that WCAG asks of text."""
    for colour in colours_of(EVENLY, 0.0, 1.0):
        assert contrast(colour, _rgb(readable_on(colour))) >= 4.5


def test_luminance_is_that_of_the_standard():
    """White has 1, black 0, and pure green most of what is between."""
    assert [_luminance(c) for c in ((255, 255, 255), (0, 0, 0), (0, 255, 0))] == pytest.approx([1.0, 0.0, 0.7152])
