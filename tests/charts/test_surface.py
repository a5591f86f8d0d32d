"""Surfaces of vertebrae in space."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest
from drawn_figures import notes, strings

from ctspine_bench.anatomy import LABELS
from ctspine_bench.charts.surface import surface_figure


@dataclass(frozen=True, eq=False)
class Tetrahedron:
    """A vertebra of four corners."""

    label: int
    vertices_mm: np.ndarray = field(default_factory=lambda: np.vstack([np.zeros(3), 10.0 * np.eye(3)]))
    faces: np.ndarray = field(default_factory=lambda: np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]]))


def test_every_vertebra_is_a_mesh_of_its_triangles():
    """Corners in mm and indices as they are given, one array for each axis and corner."""
    (mesh,) = surface_figure([Tetrahedron(20)]).data

    assert (list(mesh.x), list(mesh.y), list(mesh.z)) == ([0, 10, 0, 0], [0, 0, 10, 0], [0, 0, 0, 10])
    assert [list(corner) for corner in (mesh.i, mesh.j, mesh.k)] == [[0, 0, 0, 1], [2, 1, 3, 2], [1, 3, 2, 3]]


def test_the_legend_names_vertebrae_from_the_head_down():
    """Whatever the order given, and each can be hidden there."""
    figure = surface_figure([Tetrahedron(20), Tetrahedron(1), Tetrahedron(25)])

    assert [mesh.name for mesh in figure.data] == ["C1", "L1", "L6"]
    assert figure.layout.showlegend is True
    assert all(mesh.showlegend for mesh in figure.data)


def test_neighbours_have_different_colours():
    """So do vertebrae that are next but one."""
    colours = [mesh.color for mesh in surface_figure([Tetrahedron(label) for label in LABELS]).data]

    assert len(colours) == 25
    assert all(len(set(colours[i : i + 3])) == 3 for i in range(23))


@pytest.mark.parametrize("extent_mm", [(10.0, 20.0, 40.0), (80.0, 90.0, 600.0), (30.0, 0.0, 10.0)])
def test_a_millimetre_is_as_long_in_all_directions(extent_mm):
    """Axes are as long as what is shown, from the first vertebra to the last, and a long spine fits."""
    ends = [Tetrahedron(20, np.zeros((4, 3))), Tetrahedron(21, np.tile(extent_mm, (4, 1)))]
    ratio = surface_figure(ends).layout.scene.aspectratio
    x, y, z = ratio.x, ratio.y, ratio.z

    expected = np.maximum(extent_mm, 1.0)
    assert np.array([x, y, z]) / z == pytest.approx(expected / expected[2])
    assert z <= 2.1 + 1e-9
    assert max(x, y) <= 1.3 + 1e-9


def test_the_ground_is_the_page():
    """Transparent, without axes."""
    scene = surface_figure([Tetrahedron(20)]).layout.scene

    assert (scene.xaxis.visible, scene.yaxis.visible, scene.zaxis.visible) == (False, False, False)
    assert scene.bgcolor == "rgba(0,0,0,0)"


def test_coordinates_are_as_small_as_they_can_be():
    """Single precision, and no more than 32 bits for an index: a spine has some hundred thousand triangles."""
    (mesh,) = surface_figure([Tetrahedron(20)]).data

    assert (mesh.x.dtype, mesh.i.dtype) == (np.float32, np.int32)


@pytest.mark.parametrize("surfaces", [[], [Tetrahedron(3, faces=np.empty((0, 3), int))]])
def test_without_a_triangle_there_is_a_sentence(surfaces):
    """An empty label leaves no empty entry in the legend."""
    assert notes(surface_figure(surfaces)) == ["There is no surface to show."]


def test_the_same_surfaces_give_the_same_figure():
    """Nothing is drawn by chance."""
    one, other = (surface_figure([Tetrahedron(3), Tetrahedron(4)]) for _ in range(2))

    assert one.to_json() == other.to_json()
    assert "C4" in strings(one)
