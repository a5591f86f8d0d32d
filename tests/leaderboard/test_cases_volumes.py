"""Volumes on the host's disk: which file belongs to which case, how they are read, kept and traced."""

from __future__ import annotations

import gzip
import threading
from typing import TYPE_CHECKING

import nibabel
import numpy as np
import pytest
from boards_with_volumes import GRID, SPACING_MM, ct, moved
from label_volumes import ball, column

from ctspine_bench.errors import CaseError, FileError, GeometryError, LabelError, SubmissionError
from ctspine_bench.phantom.write import write_volume
from ctspine_bench.records import Grid
from ctspine_bench.testsets import named
from ctspine_leaderboard.volumes.images import WINDOW_HU, read_grey
from ctspine_leaderboard.volumes.parts import MAX_VOXELS, Volumes
from ctspine_leaderboard.volumes.places import image_path, prediction_folder, prediction_path, reference_path
from ctspine_leaderboard.volumes.tracing import outlines, surfaces

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

PUBLIC = named("phantom-public")
PRIVATE = named("phantom-private")


# Which file belongs to which case.


def test_files_of_a_case_are_found_in_the_layout_of_the_data_set(volumes_folder: Path) -> None:
    """References, CT volumes and predictions are found under the short name of a phantom test set."""
    benchmark, predictions = volumes_folder / "benchmark", volumes_folder / "predictions"
    public = benchmark / "public"
    assert reference_path(benchmark, PUBLIC, "column-2") == public / "labels" / "MSD-T10" / "column-2_seg.nii.gz"
    assert image_path(benchmark, PUBLIC, "column-2") == public / "volumes" / "MSD-T10" / "column-2.nii.gz"
    found = prediction_path(predictions, "moved", PUBLIC, "column-2")
    assert found == predictions / "moved" / "public" / "column-2.nii.gz"


def test_nothing_of_a_private_test_set_is_found(volumes_folder: Path) -> None:
    """Whatever lies on the disk: no reference, no CT, no prediction."""
    benchmark, predictions = volumes_folder / "benchmark", volumes_folder / "predictions"
    assert (benchmark / "private" / "labels" / "COLONOG" / "secret-1_seg.nii.gz").exists()
    assert reference_path(benchmark, PRIVATE, "secret-1") is None
    assert image_path(benchmark, PRIVATE, "secret-1") is None
    assert prediction_path(predictions, "moved", PRIVATE, "secret-1") is None
    assert prediction_folder(predictions, "moved", PRIVATE) is None


@pytest.mark.parametrize("folder", ["public/labels", "."])
def test_a_private_case_is_not_found_among_public_ones(tmp_path: Path, folder: str) -> None:
    """A record that calls a case of the private list a public one gets no picture of it, wherever the file lies."""
    private_case = (named("private").cases or ())[0]
    write_volume(tmp_path / folder / f"{private_case}_seg.nii.gz", column(), GRID)
    write_volume(tmp_path / folder / "verse001_seg.nii.gz", column(), GRID)
    for test_set in ("public", "verse"):
        assert reference_path(tmp_path, named(test_set), private_case) is None


def test_a_folder_that_test_sets_share_is_not_looked_into(tmp_path: Path) -> None:
    """Without a folder of its own a test set has no references: those of others may be secret."""
    write_volume(tmp_path / "private" / "labels" / "secret-1_seg.nii.gz", column(), GRID)
    assert reference_path(tmp_path, named("verse"), "secret-1") is None
    assert image_path(tmp_path, named("verse"), "secret-1") is None


@pytest.mark.parametrize(
    "case_id",
    [
        "../../private/labels/COLONOG/secret-1",
        "../private/labels/COLONOG/secret-1_seg.nii.gz",
        "COLONOG/column-1",
        "/etc/passwd",
        "..",
        ".",
        "",
        "column-1\x00",
        "secret-1",
        "*",
    ],
)
def test_no_name_of_a_case_leads_out_of_its_folder(volumes_folder: Path, case_id: str) -> None:
    """Names are looked up among the files found, and become part of no path."""
    benchmark, predictions = volumes_folder / "benchmark", volumes_folder / "predictions"
    assert reference_path(benchmark, PUBLIC, case_id) is None
    assert image_path(benchmark, PUBLIC, case_id) is None
    assert prediction_path(predictions, "moved", PUBLIC, case_id) is None


@pytest.mark.parametrize("slug", ["../moved", "..", "/", "moved/public", "", "Moved", "moved\x00"])
def test_no_name_of_a_submission_leads_out_of_its_folder(volumes_folder: Path, slug: str) -> None:
    """Only what can be the name of a submission becomes part of a path."""
    with pytest.raises(SubmissionError, match="E_SLUG"):
        prediction_path(volumes_folder / "predictions", slug, PUBLIC, "column-1")


def test_what_is_not_there_is_no_error(volumes_folder: Path, tmp_path: Path) -> None:
    """Hosts may have nothing at all, some test sets, or some submissions."""
    assert reference_path(None, PUBLIC, "column-1") is None
    assert reference_path(tmp_path, PUBLIC, "column-1") is None
    assert reference_path(volumes_folder / "benchmark", named("public"), "liver_110") is None
    assert prediction_path(volumes_folder / "predictions", "nobody", PUBLIC, "column-1") is None
    assert prediction_path(None, "moved", PUBLIC, "column-1") is None


def test_two_files_for_one_case_are_an_error(tmp_path: Path) -> None:
    """Neither can be trusted to be meant."""
    for name in ("a.nii.gz", "a_seg.nii.gz"):
        write_volume(tmp_path / "public" / "labels" / name, column(), GRID)
    with pytest.raises(CaseError, match="E_DUPLICATE_CASE"):
        reference_path(tmp_path, PUBLIC, "a")


# CT volumes.


def ramp(dtype: str) -> NDArray[np.generic]:
    """Stored values from below to above the window, `(5, 1, 1)`."""
    return np.array([-1024, -350, 350, 1050, 3000], dtype).reshape(5, 1, 1)


@pytest.mark.parametrize("dtype", ["int16", "int32", "float32", "float64"])
def test_grey_values_are_linear_within_the_window(tmp_path: Path, dtype: str) -> None:
    """Below is black, above is white, the middle is grey, whatever type stores them."""
    write_image(tmp_path / "a.nii.gz", ramp(dtype))
    assert read_grey(tmp_path / "a.nii.gz", 100).labels.ravel().tolist() == [0, 0, 127, 255, 255]


def test_slope_and_intercept_count(tmp_path: Path) -> None:
    """Stored bytes of 0 to 255 with slope 10 and intercept −1000 are −1000 to 1550 HU."""
    stored = np.array([0, 65, 135, 205, 255], np.uint8).reshape(5, 1, 1)
    write_image(tmp_path / "a.nii", stored, slope=10, intercept=-1000)
    assert read_grey(tmp_path / "a.nii", 100).labels.ravel().tolist() == [0, 0, 127, 255, 255]
    assert WINDOW_HU == (-350.0, 1050.0)


def test_what_is_no_number_is_black(tmp_path: Path) -> None:
    """Outside the field of view some files have NaN."""
    stored = np.array([np.nan, -np.inf, np.inf, 350], np.float32).reshape(4, 1, 1)
    write_image(tmp_path / "a.nii.gz", stored)
    assert read_grey(tmp_path / "a.nii.gz", 100).labels.ravel().tolist() == [0, 0, 255, 127]


def test_a_volume_is_turned_to_ras(tmp_path: Path) -> None:
    """A volume stored from right to left is turned, with its grid."""
    write_image(tmp_path / "a.nii.gz", ramp("int16"), affine=np.diag([-2.0, 2.0, 2.0, 1.0]))
    volume = read_grey(tmp_path / "a.nii.gz", 100)
    assert volume.labels.ravel().tolist() == [255, 255, 127, 0, 0]
    assert volume.grid.affine[0].tolist() == [2.0, 0.0, 0.0, -8.0]


def test_a_volume_may_be_larger_than_a_chunk(tmp_path: Path) -> None:
    """What does not fit into one chunk is read in the right order."""
    stored = np.arange(1_300_000, dtype=np.int32).reshape(100, 100, 130, order="F") % 1400 - 350
    write_image(tmp_path / "a.nii.gz", stored)
    expected = ((stored + 350) * (255 / 1400)).astype(np.uint8)
    assert np.abs(read_grey(tmp_path / "a.nii.gz", 2_000_000).labels.astype(int) - expected).max() <= 1


def test_a_volume_that_is_too_large_is_refused(tmp_path: Path) -> None:
    """By its header, before memory is taken."""
    write_image(tmp_path / "a.nii.gz", ramp("int16"))
    with pytest.raises(FileError, match="E_TOO_LARGE"):
        read_grey(tmp_path / "a.nii.gz", 4)


def write_image(
    path: Path, stored: NDArray[np.generic], *, slope: float = 1, intercept: float = 0, affine: NDArray | None = None
) -> None:
    image = nibabel.Nifti1Image(stored, np.diag([2.0, 2.0, 2.0, 1.0]) if affine is None else affine, dtype=stored.dtype)
    content = image.to_bytes()
    header = nibabel.Nifti1Header(content[:348])  # nibabel itself would divide what it stores by the slope
    header["scl_slope"], header["scl_inter"] = slope, intercept
    content = header.binaryblock + content[348:]
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)


# What is kept in memory.


@pytest.fixture
def case(tmp_path: Path) -> Path:
    """A folder with a reference, a prediction 2 mm beside it, and a CT, in a volume much larger than the spine."""
    labels = np.zeros((60, 60, 60), np.uint8)
    labels[24:36, 24:36, 13:47] = column()
    grid = Grid((60, 60, 60), np.diag([*SPACING_MM, 1.0]))
    write_volume(tmp_path / "reference.nii.gz", labels, grid)
    write_volume(tmp_path / "prediction.nii.gz", moved(labels), grid)
    write_volume(tmp_path / "ct.nii.gz", ct(labels), grid)
    return tmp_path


def test_what_is_kept_is_the_spine_with_a_margin(case: Path) -> None:
    """24 mm to each side (12 voxels of 2 mm), 12 mm above and below (5 of 2.5 mm); the same part of all volumes."""
    volumes = Volumes()
    reference = volumes.reference(case / "reference.nii.gz")
    assert reference.box == (slice(14, 46), slice(14, 46), slice(10, 49))
    assert reference.part.start == (14, 14, 10)
    assert np.count_nonzero(reference.part.voxels) == np.count_nonzero(column())
    prediction = volumes.prediction(case / "prediction.nii.gz", reference)
    assert np.array_equal(prediction.voxels, moved(reference.part.voxels))
    image = volumes.image(case / "ct.nii.gz", reference)
    assert sorted(set(image.voxels[reference.part.voxels > 0])) == [191]  # 700 HU
    assert sorted(set(image.voxels[reference.part.voxels == 0])) == [63]  # 0 HU


def test_what_lies_outside_is_counted(case: Path) -> None:
    """A stray blob far away is not shown, and its volume is known: 27 voxels of 10 mm³."""
    volumes = Volumes()
    reference = volumes.reference(case / "reference.nii.gz")
    labels = np.zeros((60, 60, 60), np.uint8)
    labels[:3, :3, :3] = 7
    write_volume(case / "stray.nii.gz", labels, Grid((60, 60, 60), np.diag([*SPACING_MM, 1.0])))
    assert volumes.prediction(case / "stray.nii.gz", reference).outside_ml == pytest.approx(0.27)


def test_a_reference_without_a_vertebra_is_shown_whole(case: Path) -> None:
    """There is no spine to cut around."""
    write_volume(case / "empty.nii.gz", np.zeros((3, 4, 5), np.uint8), Grid((3, 4, 5), np.eye(4)))
    assert Volumes().reference(case / "empty.nii.gz").part.voxels.shape == (3, 4, 5)


def test_a_file_is_read_once_until_it_changes(case: Path) -> None:
    """The same object is returned; a file that was replaced is read again."""
    volumes = Volumes()
    first = volumes.reference(case / "reference.nii.gz")
    assert volumes.reference(case / "reference.nii.gz") is first
    write_volume(case / "reference.nii.gz", np.ones((2, 2, 2), np.uint8), Grid((2, 2, 2), np.eye(4)))
    assert volumes.reference(case / "reference.nii.gz").part.voxels.shape == (2, 2, 2)


def test_memory_is_bounded(case: Path) -> None:
    """What was not asked for the longest is forgotten first, and never more is kept than allowed."""
    size = Volumes().reference(case / "reference.nii.gz").part.voxels.nbytes
    volumes = Volumes(most_bytes=2 * size)
    reference = volumes.reference(case / "reference.nii.gz")
    prediction = volumes.prediction(case / "prediction.nii.gz", reference)
    assert volumes.n_bytes == 2 * size
    volumes.reference(case / "reference.nii.gz")
    volumes.image(case / "ct.nii.gz", reference)
    assert volumes.n_bytes == 2 * size
    assert volumes.reference(case / "reference.nii.gz") is reference
    assert volumes.prediction(case / "prediction.nii.gz", reference) is not prediction
    tiny = Volumes(most_bytes=1)
    assert tiny.reference(case / "reference.nii.gz").part.voxels.nbytes == size
    assert tiny.n_bytes == 0


def test_visitors_at_the_same_time_read_a_file_once(case: Path) -> None:
    """Eight threads that ask for one reference get one object."""
    volumes = Volumes()
    start, found = threading.Barrier(8), []

    def ask() -> None:
        start.wait()
        found.append(volumes.reference(case / "reference.nii.gz"))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert all(each is found[0] for each in found)


def test_a_prediction_or_ct_on_another_grid_is_refused(case: Path) -> None:
    """Its outlines would lie where they do not belong."""
    volumes = Volumes()
    reference = volumes.reference(case / "reference.nii.gz")
    write_volume(case / "other.nii.gz", column(), GRID)
    with pytest.raises(GeometryError, match="E_SHAPE"):
        volumes.prediction(case / "other.nii.gz", reference)
    shifted = np.diag([*SPACING_MM, 1.0])
    shifted[0, 3] = 5.0
    write_volume(case / "shifted.nii.gz", ct(np.zeros((60, 60, 60), np.uint8)), Grid((60, 60, 60), shifted))
    with pytest.raises(GeometryError, match="E_AFFINE"):
        volumes.image(case / "shifted.nii.gz", reference)


def test_sacrum_and_coccyx_of_verse_are_background(case: Path) -> None:
    """References of VerSe may be as VerSe has them; other values are an error."""
    labels = column()
    labels[0, 0, 0] = 26
    write_volume(case / "verse.nii.gz", labels, GRID)
    assert set(np.unique(Volumes().reference(case / "verse.nii.gz").part.voxels)) == {0, 18, 19, 20, 21, 22}
    labels[0, 0, 0] = 40
    write_volume(case / "verse.nii.gz", labels, GRID)
    with pytest.raises(LabelError, match="E_LABEL_RANGE"):
        Volumes().reference(case / "verse.nii.gz")
    assert MAX_VOXELS == 2 * 512 * 512 * 512


# Outlines and surfaces.


def test_the_outline_of_a_voxel_is_a_diamond() -> None:
    """Halfway to its four neighbours."""
    labels = np.zeros((5, 5), np.uint8)
    labels[2, 3] = 9
    ((label, (outline,)),) = outlines(labels)
    assert label == 9
    assert {tuple(point) for point in outline.tolist()} == {(1.5, 3.0), (2.0, 3.5), (2.5, 3.0), (2.0, 2.5)}


def test_straight_lines_have_no_points_between_their_ends() -> None:
    """A square of 10 voxels has an octagon as its outline; at the border it is closed."""
    labels = np.full((10, 10), 4, np.uint8)
    ((_, (outline,)),) = outlines(labels)
    assert outline[0].tolist() == outline[-1].tolist()
    assert len(outline) in {9, 10}  # where it begins may lie within a side
    assert (outline.min(), outline.max()) == (-0.5, 9.5)


def test_neighbours_and_holes_are_outlined_apart() -> None:
    """Two labels side by side have an outline each; one with a hole has two."""
    labels = np.zeros((12, 12), np.uint8)
    labels[1:6, 1:6], labels[6:11, 1:6] = 1, 2
    labels[3, 3] = 0
    assert {label: len(found) for label, found in outlines(labels)} == {1: 2, 2: 1}


def test_surfaces_lie_where_the_label_is() -> None:
    """Two balls of 15 mm: volume within 6 %, centre within 0.2 mm, at fine, anisotropic and coarse spacing."""
    for spacing in ((0.8, 0.8, 1.0), (1.0, 0.7, 3.0), (2.5, 2.5, 2.9)):
        shape = tuple(int(70 / mm) for mm in spacing)
        centre = np.array([34.0, 30.0, 36.0])
        labels = np.where(ball(shape, spacing, centre, 15.0), np.uint8(11), np.uint8(0))
        found = surfaces(labels, spacing)
        assert found is not None
        (surface,) = found
        assert surface.label == 11
        corners = surface.vertices_mm[surface.faces].astype(float)
        volumes = np.einsum("ij,ij->i", corners[:, 0], np.cross(corners[:, 1], corners[:, 2])) / 6
        middle = (corners.sum(axis=1) / 4 * volumes[:, None]).sum(axis=0) / volumes.sum()
        assert abs(volumes.sum()) == pytest.approx(4 / 3 * np.pi * 15**3, rel=0.06)
        assert middle == pytest.approx(centre, abs=0.2)


def test_a_surface_at_the_border_is_closed_and_a_single_voxel_has_one() -> None:
    """Every edge belongs to two triangles."""
    labels = np.zeros((20, 20, 20), np.uint8)
    labels[:10, :10, :10], labels[15, 15, 15] = 3, 5
    found = surfaces(labels, (1.0, 1.0, 1.0))
    assert found is not None
    assert [surface.label for surface in found] == [3, 5]
    for surface in found:
        edges = np.sort(np.concatenate([surface.faces[:, [0, 1]], surface.faces[:, [1, 2]], surface.faces[:, [2, 0]]]))
        assert set(np.unique(edges, axis=0, return_counts=True)[1].tolist()) == {2}
    assert found[1].vertices_mm.mean(axis=0) == pytest.approx([15, 15, 15], abs=0.6)


def test_specks_have_no_surfaces() -> None:
    """One voxel in fifty at random: too many triangles for a browser."""
    rng = np.random.default_rng(0)
    noise = np.where(rng.random((180, 180, 180)) < 0.05, rng.integers(1, 26, (180, 180, 180)), 0).astype(np.uint8)
    assert surfaces(noise, (2.0, 2.0, 2.0)) is None
