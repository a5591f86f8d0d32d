"""Surface metrics on voxel pictures small enough to work out by hand.

One voxel of 1 mm has eight elements, its corners, each the triangle across three edge midpoints: √3/8 mm². Two voxels
in a row have those eight at their ends, and four between them, each two triangles: √2/2 mm².
"""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest

from ctspine_bench import VertebraScore, score_arrays
from ctspine_bench.metrics.surface import assd_mm, hausdorff_mm, nsd
from ctspine_bench.records import SurfacePair, SurfaceProfile


def row(*labels: int) -> np.ndarray:
    """A row of voxels along x."""
    return np.array(labels, np.uint8).reshape(-1, 1, 1)


def score_one(reference: np.ndarray, prediction: np.ndarray, spacing_mm: tuple[float, float, float]) -> VertebraScore:
    """The score of the only vertebra."""
    (vertebra,) = score_arrays(reference, prediction, spacing_mm).vertebrae
    return vertebra


def test_identical_voxels() -> None:
    """One voxel against itself: full overlap and no distance at all."""
    vertebra = score_one(row(1), row(1), (1, 1, 1))
    assert [vertebra.dsc, vertebra.hd95_mm, vertebra.hd100_mm, vertebra.assd_mm, vertebra.nsd_1mm] == [1, 0, 0, 0, 1]


@pytest.mark.parametrize(("mm", "nsd_1mm", "nsd_2mm"), [(1.0, 1.0, 1.0), (1.5, 0.5, 1.0), (3.5, 0.5, 0.5)])
def test_neighbouring_voxels(mm: float, nsd_1mm: float, nsd_2mm: float) -> None:
    """Two voxels side by side share four corners; the other four of each are one voxel away.

    So DSC is 0, HD95 and HD100 are the voxel's length, ASSD half of it. Half the surface is at distance 0; the other
    half counts for NSD when the length is within the tolerance, equality included.
    """
    vertebra = score_one(row(1, 0), row(0, 1), (mm, 1, 1))
    assert vertebra.dsc == 0
    assert (vertebra.hd95_mm, vertebra.hd100_mm) == (mm, mm)
    assert vertebra.assd_mm == pytest.approx(mm / 2)
    assert (vertebra.nsd_1mm, vertebra.nsd_2mm) == pytest.approx((nsd_1mm, nsd_2mm))


@pytest.mark.parametrize(("mm", "nsd_1mm"), [(1.0000000044, 1.0), (0.9999999736, 1.0), (1.000002, 0.5)])
def test_last_digits_of_the_spacing_do_not_decide(mm: float, nsd_1mm: float) -> None:
    """A shift of one voxel is within 1 mm where the header means 1 mm, as in the real VerSe file; a true excess is not.

    Both spacings are those of a real file whose header holds 1 mm in single precision.
    """
    assert score_one(row(1, 0), row(0, 1), (mm, 1, 1)).nsd_1mm == pytest.approx(nsd_1mm)


@pytest.mark.parametrize("tolerance_mm", [1, 2, 3])
def test_the_slack_is_a_millionth_of_the_tolerance(tolerance_mm: int) -> None:
    """A little below the slack's end is within, a little beyond is not, at each tolerance."""
    within, beyond = (profile((tolerance_mm * (1 + excess), 1.0, 1)) for excess in (0.99e-6, 1.01e-6))
    assert nsd(SurfacePair(within, within), tolerance_mm) == 1
    assert nsd(SurfacePair(beyond, beyond), tolerance_mm) == 0


def test_one_voxel_against_two() -> None:
    """DSC = 2·1/(1+2); at 2 mm voxels, only the four far corners of the longer mask are 2 mm away from the other.

    The areas are four times those of unit voxels, which cancels. Far corners 4·√3/8, one voxel √3, two √3 + 4·√2/2. Of
    the latter the far corners are 19 %, more than 5 %, so HD95 is 2 mm.
    """
    vertebra = score_one(row(1, 0), row(1, 1), (2, 2, 2))
    total, far = sqrt(3) + sqrt(3) + 2 * sqrt(2), sqrt(3) / 2
    assert vertebra.dsc == 2 / 3
    assert (vertebra.hd95_mm, vertebra.hd100_mm) == (2, 2)
    assert vertebra.assd_mm == pytest.approx(2 * far / total)
    assert vertebra.nsd_1mm == pytest.approx(1 - far / total)
    assert vertebra.nsd_2mm == 1
    assert vertebra.volume_error_ml == pytest.approx(0.008)


def test_diagonal_distance_uses_the_spacing() -> None:
    """Single voxels two steps apart on each axis: nearest corners 1, farthest 2 steps; spacing 1, 2, 3 mm.

    The farthest corner of each is √(2² + 4² + 6²) = √56 mm from the nearest corner of the other. It is one of eight
    elements of equal area, more than 5 %, so HD95 = HD100 = √56.
    """
    reference, prediction = np.zeros((2, 3, 3, 3), np.uint8)
    reference[0, 0, 0] = prediction[2, 2, 2] = 1
    vertebra = score_one(reference, prediction, (1, 2, 3))
    assert (vertebra.hd95_mm, vertebra.hd100_mm) == pytest.approx((sqrt(56), sqrt(56)))


def test_a_full_volume_has_its_surface_at_the_border() -> None:
    """Both masks fill the volume, so all of their surface lies on the border: it exists, and the distance is 0."""
    full = np.ones((2, 2, 2), np.uint8)
    assert score_one(full, full, (1, 1, 1)).hd95_mm == 0
    hole = full.copy()
    hole[0, 0, 0] = 0
    # The corner (0, 0, 0) of the full mask is one step from the three corners next to it.
    assert score_one(full, hole, (1, 1, 1)).hd100_mm == 1


def profile(*runs: tuple[float, float, int]) -> SurfaceProfile:
    """A profile from (distance, area, count)."""
    distances, areas, counts = zip(*runs, strict=True)
    return SurfaceProfile(np.array(distances), np.array(areas), np.array(counts))


@pytest.mark.parametrize(("n_far", "expected"), [(1, 0.0), (2, 7.0)])
def test_percentile_at_exactly_95_percent(n_far: int, expected: float) -> None:
    """20 elements of equal area: with one far, exactly 95 % are at 0 mm and so is HD95; with two, it is theirs."""
    surface = profile((0.0, 1.0, 20 - n_far), (7.0, 1.0, n_far))
    assert hausdorff_mm(SurfacePair(surface, surface), 95) == expected


def test_percentile_goes_by_area() -> None:
    """One large far element outweighs a hundred small near ones, and nothing is interpolated between 1 and 9 mm."""
    near_by_area = profile((1.0, 1.0, 100), (9.0, 5.0, 1))
    far_by_area = profile((1.0, 1.0, 100), (9.0, 6.0, 1))
    assert hausdorff_mm(SurfacePair(near_by_area, near_by_area), 95) == 1
    assert hausdorff_mm(SurfacePair(far_by_area, far_by_area), 95) == 9


def test_hausdorff_takes_the_worse_direction() -> None:
    """HD95 is the maximum of both directions, not their mean and not a pool: pooled, under 5 % would be far."""
    pair = SurfacePair(profile((0.0, 1.0, 1000)), profile((4.0, 1.0, 10)))
    assert hausdorff_mm(pair, 95) == 4


def test_averages_weigh_both_surfaces_together() -> None:
    """ASSD and NSD divide by the area of both: (3·0 + 1·4)/4 = 1 mm and 3/4, not the mean of 0 and 4 or 1 and 0."""
    pair = SurfacePair(profile((0.0, 1.0, 3)), profile((4.0, 1.0, 1)))
    assert assd_mm(pair) == 1
    assert nsd(pair, 3) == 0.75


def box_with_process(process_mm: int) -> np.ndarray:
    """A vertebral body of 40 × 36 × 28 mm with a process of 6 × 8 mm that sticks out to the back; 1 mm voxels."""
    labels = np.zeros((44, 70, 32), np.uint8)
    labels[2:42, 30:66, 2:30] = 20
    labels[19:25, 30 - process_mm : 30, 12:20] = 20
    return labels


@pytest.mark.parametrize("cut_mm", [8, 10, 12])
def test_hd95_is_blind_to_a_lost_process(cut_mm: int) -> None:
    """Cutting 8, 10 or 12 mm off a thin process leaves HD95 at 0; HD100 is the cut, and NSD sees lost surface.

    What is cut off is under 5 % of the surface: at most 2·(6 + 8)·12 mm², where the body has
    2·(40·36 + 40·28 + 36·28) = 7136 mm².
    """
    vertebra = score_one(box_with_process(26), box_with_process(26 - cut_mm), (1, 1, 1))
    assert vertebra.hd95_mm == 0
    assert vertebra.hd100_mm == cut_mm
    assert vertebra.nsd_1mm < 0.99
    assert vertebra.nsd_1mm < vertebra.nsd_2mm < vertebra.nsd_3mm < 1
