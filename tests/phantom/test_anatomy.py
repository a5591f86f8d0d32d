"""The phantom against anatomy: sizes of the table, angles of the literature, one piece each, an open canal."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy.ndimage import label as components

from ctspine_bench.anatomy import VERTEBRAE, vertebra_label
from ctspine_bench.phantom.case import CaseSpec, place_grid
from ctspine_bench.phantom.curve import draw_curvature, inclinations
from ctspine_bench.phantom.rasterise import draw
from ctspine_bench.phantom.sizes import SD_DEPTH, SD_HEIGHT, SD_WIDTH, SIZES
from ctspine_bench.phantom.spine import make_spine
from ctspine_bench.phantom.vertebra import canal_middle

HALF_VOXEL_MM = 0.5
C3_TO_L5 = [vertebra_label(name) for name in VERTEBRAE[2:24]]


def extent_mm(person, label, start, stop):
    """Length between the first and the last voxel of a label on a line in the vertebra's own frame."""
    bone = person.spine.bone(label)
    line = np.linspace(start, stop, 601)
    inside = np.flatnonzero(person.labels_at(line @ bone.to_world[:, :3].T + bone.to_world[:, 3]) == label)
    return (inside[-1] - inside[0]) / 600 * np.linalg.norm(np.subtract(stop, start))


def test_body_height_is_within_one_standard_deviation(person):
    """The posterior height of every body, measured in the label map, is that of the table."""
    for label in C3_TO_L5:
        mean, own = SIZES[label], person.spine.sizes[label]
        y = 2.2 - (own.depth_upper + own.depth_lower) / 4
        height = extent_mm(person, label, (0, y, -0.8 * own.height), (0, y, 0.8 * own.height))
        assert abs(height - mean.height) <= SD_HEIGHT * mean.height + HALF_VOXEL_MM, VERTEBRAE[label - 1]


def test_body_width_is_within_one_standard_deviation(person):
    """The width of every lower endplate, measured in the label map, is that of the table."""
    for label in C3_TO_L5:
        mean, own = SIZES[label], person.spine.sizes[label]
        z = 1.5 - own.height / 2
        width = extent_mm(person, label, (-35, 2, z), (35, 2, z))
        assert abs(width - mean.width_lower) <= SD_WIDTH * mean.width_lower + HALF_VOXEL_MM, VERTEBRAE[label - 1]


def test_body_depth_is_within_one_standard_deviation(person):
    """The depth of every lower endplate, measured in the label map, is that of the table."""
    for label in C3_TO_L5:
        mean, own = SIZES[label], person.spine.sizes[label]
        z = 1.5 - own.height / 2
        depth = extent_mm(person, label, (0, -0.7 * own.depth_lower, z), (0, 0.9 * own.depth_lower, z))
        assert abs(depth - mean.depth_lower) <= SD_DEPTH * mean.depth_lower + HALF_VOXEL_MM, VERTEBRAE[label - 1]


@pytest.mark.parametrize("n_lumbar", [4, 5, 6])
def test_cobb_angles_are_in_published_ranges(n_lumbar):
    """Cervical lordosis, thoracic kyphosis and lumbar lordosis of many people are in the ranges of curve.py."""
    c2, c7, t4, t12, l1 = (vertebra_label(name) - 1 for name in ("C2", "C7", "T4", "T12", "L1"))
    for seed in range(200):
        pitch = inclinations(n_lumbar, draw_curvature(np.random.default_rng(seed)))
        assert 5 <= pitch[c7] - pitch[c2] <= 40
        assert 20 <= pitch[t4] - pitch[t12] <= 50
        assert 40 <= pitch[-1] - pitch[l1] <= 75


def test_kyphosis_and_lordosis_can_be_measured_in_the_labels(person):
    """The chain of centroids bends backwards in the thoracic and forwards in the lumbar spine."""
    centroids = {VERTEBRAE[label - 1]: voxels.mean(axis=0) for label, voxels in person.voxels.items()}
    slope = {
        (above, below): np.rad2deg(np.arctan2(*(centroids[above] - centroids[below])[1:]))
        for above, below in (("T3", "T5"), ("T11", "L1"), ("L1", "L2"), ("L4", "L5"))
    }
    assert 20 <= slope["T3", "T5"] - slope["T11", "L1"] <= 50
    assert 15 <= slope["L4", "L5"] - slope["L1", "L2"] <= 60


def test_labels_descend_from_the_head(person):
    """Every vertebra's centroid is below that of the one with the next smaller label."""
    heights = [voxels[:, 2].mean() for voxels in person.voxels.values()]
    assert person.case.levels == tuple(person.voxels) == tuple(range(1, 25))
    assert all(above > below for above, below in pairwise(heights))


def test_each_vertebra_is_one_piece(person):
    """Pedicles join the arch to the body, and joints do not cut anything off."""
    labels = person.case.labels
    pieces = {
        VERTEBRAE[label - 1]: components(labels[box] == label, np.ones((3, 3, 3)))[1]
        for label, box in person.boxes.items()
    }
    assert pieces == dict.fromkeys(VERTEBRAE[:24], 1)


def test_canal_is_open(person):
    """A cord of 8 mm runs through all foramina from C1 to L5 without touching bone."""
    spine = person.spine
    knots = [bone.to_world @ (0, canal_middle(spine.sizes[bone.label]), 0, 1) for bone in spine.vertebrae]
    path = np.concatenate([np.linspace(a, b, 30) for a, b in pairwise(knots)])
    around = [(4 * np.cos(angle), 4 * np.sin(angle), 0) for angle in np.arange(0, 2 * np.pi, np.pi / 4)]
    assert not person.labels_at(path).any()
    assert not any(person.labels_at(path + offset).any() for offset in around)


def test_canal_is_enclosed_by_bone(person):
    """At the level of the pedicles, bone is in front of, behind and on both sides of the canal."""
    for bone in person.spine.vertebrae[2:]:
        size = person.spine.sizes[bone.label]
        middle = np.array((0, canal_middle(size), 0.1 * size.height))
        for direction in ((1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, -0.5)):
            ray = middle + np.linspace(0, 24, 100)[:, None] * np.array(direction)
            seen = person.labels_at(ray @ bone.to_world[:, :3].T + bone.to_world[:, 3])
            assert (seen == bone.label).any(), (VERTEBRAE[bone.label - 1], direction)


def test_spinous_processes_point_back_and_down(person):
    """The hindmost voxel of every vertebra below C2 is behind its canal, and below the middle of its body."""
    affine = person.case.grid.affine
    for label in range(vertebra_label("C3"), vertebra_label("L5") + 1):
        voxels = person.voxels[label]
        tip = affine[:3, :3] @ voxels[voxels[:, 1].argmin()] + affine[:3, 3]
        own = person.spine.bone(label).to_own @ (*tip, 1)
        size = person.spine.sizes[label]
        assert own[1] < canal_middle(size) - size.canal_depth / 2 - 8
        assert own[2] < 0


def test_no_voxel_belongs_to_two_vertebrae():
    """Vertebrae drawn one at a time, each beside its neighbours, claim disjoint voxels: the order does not matter."""
    spine = make_spine(5, np.random.default_rng(5))
    grid = place_grid(CaseSpec((50, 57, 220), (2.4, 2.4, 3.0)), spine)
    down, up = (np.zeros(grid.shape, np.uint8, order="F") for _ in range(2))
    draw(spine.vertebrae, grid, down)
    draw(spine.vertebrae[::-1], grid, up)
    assert down.any()
    np.testing.assert_array_equal(down, up)


@pytest.mark.parametrize(("n_lumbar", "lowest"), [(4, "L4"), (5, "L5"), (6, "L6")])
def test_lumbar_variants(n_lumbar, lowest):
    """A spine has four, five or six lumbar vertebrae, with the sacrum right below the lowest."""
    spine = make_spine(n_lumbar, np.random.default_rng(0))
    assert VERTEBRAE[spine.vertebrae[-1].label - 1] == lowest
    gap = np.linalg.norm(spine.vertebrae[-1].to_world[:, 3] - spine.sacrum[0].to_world[:, 3])
    assert 30 < gap < 45
