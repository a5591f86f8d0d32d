"""Pictures of cases: what can be seen in them."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from ctspine_bench.phantom.case import CaseSpec, make_case
from ctspine_bench.records import Grid, LabelVolume
from ctspine_bench.report.curves import Cut, cut_along, spine_curve, to_pixels, window
from ctspine_bench.report.pictures import VIEWS, case_pictures


def volume(labels: np.ndarray, spacing_mm: tuple[float, float, float] = (1.0, 1.0, 1.0)) -> LabelVolume:
    return LabelVolume(labels, Grid(labels.shape, np.diag([*spacing_mm, 1.0])), (), "labels.nii.gz", "0" * 64)


def bent_sideways(labels: np.ndarray, by: int) -> np.ndarray:
    """Shift every slice along x: an S of that many voxels to either side."""
    padded = np.pad(labels, ((by, by), (0, 0), (0, 0)))
    shifts = np.rint(by * np.sin(np.linspace(0, 2 * np.pi, labels.shape[2]))).astype(int)
    return np.stack([np.roll(padded[:, :, z], shift, axis=0) for z, shift in enumerate(shifts)], axis=2)


@pytest.fixture(scope="module")
def spine() -> LabelVolume:
    spacing_mm = (3.0, 3.0, 3.0)
    made = make_case(CaseSpec((40, 60, 190), spacing_mm), np.random.default_rng(5))
    return volume(made.labels, spacing_mm)


@pytest.fixture(scope="module")
def scoliosis(spine: LabelVolume) -> LabelVolume:
    return volume(bent_sideways(spine.labels, 15), spine.grid.spacing_mm)


@pytest.mark.parametrize("view", VIEWS)
def test_a_cut_through_a_scoliotic_spine_meets_every_vertebra(scoliosis, view):
    """A straight cut would lose most of them: the curve is 45 mm off to either side."""
    spacing_mm = scoliosis.grid.spacing_mm
    curve = spine_curve(scoliosis.labels, spacing_mm[2], view)
    cut = cut_along(scoliosis.labels, spacing_mm, curve, view)
    straight = scoliosis.labels[scoliosis.labels.shape[0] // 2]

    assert set(np.unique(cut.labels)) == set(np.unique(scoliosis.labels))
    assert set(np.unique(straight)) < set(np.unique(scoliosis.labels))


def test_the_curve_goes_on_where_there_is_no_spine():
    """Slices without a label take the place between their neighbours; without any label there is no curve."""
    labels = np.zeros((40, 5, 100), np.uint8)
    labels[10, :, :20] = 1
    labels[30, :, 80:] = 2
    curve = spine_curve(labels, 1.0, "sagittal")

    assert (curve[0], curve[50], curve[99]) == (10, 20, 30)
    assert spine_curve(np.zeros_like(labels), 1.0, "sagittal") is None


def test_pixels_are_square_and_the_head_is_up():
    """A slice 3 mm thick is three pixels of 1 mm, and the highest z is the first row."""
    cut = Cut(np.array([[1, 2], [3, 4]], np.uint8), (1.0, 3.0))

    assert to_pixels(cut, 1.0).tolist() == [[2, 4]] * 3 + [[1, 3]] * 3


def test_the_window_is_what_is_labelled_and_a_margin():
    """The margin is in mm and ends at the border; without labels everything is shown."""
    labels = np.zeros((10, 20), np.uint8)
    labels[4, 1:5] = 7

    assert window(Cut(labels, (2.0, 1.0)), 0, 4.0) == slice(2, 7)
    assert window(Cut(labels, (2.0, 1.0)), 1, 4.0) == slice(0, 9)
    assert window(Cut(labels * 0, (1.0, 1.0)), 0, 4.0) == slice(None)


def colours(picture) -> set[tuple[int, int, int]]:
    image = Image.open(io.BytesIO(picture.png)).convert("RGB")
    return {colour for count, colour in image.getcolors(1 << 24) if count > 150}


def test_both_views_are_small_pngs_of_the_same_scale(spine):
    """Two PNG files under 60 kB that Pillow opens, of the size they announce, equally high."""
    pictures = case_pictures(spine, spine)

    assert [picture.view for picture in pictures] == ["sagittal", "coronal"]
    assert len({picture.height for picture in pictures}) == 1
    for picture in pictures:
        assert Image.open(io.BytesIO(picture.png)).size == (2 * picture.width, 2 * picture.height)
        assert len(picture.png) < 60_000
        assert picture.data_uri.startswith("data:image/png;base64,")


def test_kinds_of_error_have_colours_of_their_own(spine):
    """A perfect prediction is grey in the difference; missing, surplus and misnamed parts are not."""
    shifted = volume(np.where(spine.labels > 0, spine.labels % 25 + 1, 0).astype(np.uint8), spine.grid.spacing_mm)
    nothing = volume(np.zeros_like(spine.labels), spine.grid.spacing_mm)
    grey, missing, surplus, wrong = (0x6B, 0x72, 0x80), (0x56, 0xB4, 0xE9), (0xE6, 0x9F, 0x00), (0xD6, 0x40, 0x9F)

    found = [
        colours(case_pictures(*pair)[0]) & {grey, missing, surplus, wrong}
        for pair in ((spine, spine), (spine, nothing), (nothing, spine), (spine, shifted))
    ]
    assert found == [{grey}, {missing}, {surplus}, {wrong}]


def test_nothing_to_see_gives_no_picture():
    """Two empty volumes have no spine to follow."""
    empty = volume(np.zeros((4, 4, 4), np.uint8))

    assert case_pictures(empty, empty) == ()


def test_noise_is_drawn_too(spine):
    """Labels all over the volume neither fail nor make a large file."""
    rng = np.random.default_rng(0)
    noise = volume(rng.integers(0, 26, spine.labels.shape, dtype=np.uint8), spine.grid.spacing_mm)

    assert all(len(picture.png) < 150_000 for picture in case_pictures(spine, noise))


def test_a_single_voxel_is_a_picture():
    """The smallest spine there is."""
    labels = np.zeros((3, 3, 3), np.uint8)
    labels[1, 1, 1] = 20

    assert len(case_pictures(volume(labels), volume(labels))) == 2
