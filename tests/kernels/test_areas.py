"""The area table of surface elements."""

from __future__ import annotations

from math import isclose, sqrt

import numpy as np
import oracle
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from label_volumes import SPACINGS_MM

from ctspine_bench.kernels.areas import element_areas


@pytest.mark.parametrize("spacing_mm", SPACINGS_MM)
def test_areas_are_those_of_the_reference_library(spacing_mm: tuple[float, float, float]) -> None:
    """All 256 areas equal the library's table bit for bit, so that ties at 95 % fall the same way."""
    assert element_areas(spacing_mm).tolist() == oracle.area_table(spacing_mm).tolist()


@settings(max_examples=25, deadline=None)
@given(st.tuples(*[st.floats(0.01, 20)] * 3))
def test_areas_equal_the_library_at_any_spacing(spacing_mm: tuple[float, float, float]) -> None:
    """No spacing makes an area differ."""
    assert element_areas(spacing_mm).tolist() == oracle.area_table(spacing_mm).tolist()


def test_areas_of_simple_neighbourhoods() -> None:
    """A corner cut off is the triangle between three edge midpoints; a flat wall is one voxel face.

    Unit voxels: edge midpoints (½,0,0), (0,½,0), (0,0,½) are 1/√2 apart, so the triangle has area √3/4 · ½ = √3/8.
    Walls of voxels 2 × 3 × 5 mm: y·z = 15, x·z = 10, x·y = 6 mm². Bit 7 − (4·dx + 2·dy + dz) stands for the voxel at
    (dx, dy, dz).
    """
    assert element_areas((1.0, 1.0, 1.0))[0b10000000] == pytest.approx(sqrt(3) / 8)
    areas = element_areas((2.0, 3.0, 5.0))
    assert [areas[0b11110000], areas[0b11001100], areas[0b10101010]] == pytest.approx([15, 10, 6])


def test_empty_and_full_neighbourhoods_have_no_area() -> None:
    """Codes 0 and 255 hold no surface; every other code does."""
    areas = element_areas((0.7, 0.8, 0.9))
    assert (areas == 0).nonzero()[0].tolist() == [0, 255]


def test_inside_and_outside_have_the_same_surface() -> None:
    """The area of a code is that of its complement, up to the order in which triangles are added."""
    areas = element_areas((0.7, 0.8, 0.9))
    assert all(isclose(areas[code], areas[255 - code], rel_tol=1e-12) for code in range(256))


def test_areas_follow_a_turned_grid() -> None:
    """Exchanging two axes of spacing and code leaves every area as it is."""
    areas, turned = element_areas((0.5, 1.5, 4.0)), element_areas((4.0, 1.5, 0.5))
    for code in range(256):
        cells = np.array([code >> (7 - bit) & 1 for bit in range(8)]).reshape(2, 2, 2)
        other = int("".join(map(str, cells.transpose(2, 1, 0).reshape(-1))), 2)
        assert isclose(areas[code], turned[other], rel_tol=1e-12)
