"""Reading and writing label maps, with nibabel as the second opinion on arrays and affines."""

from __future__ import annotations

import gzip
import hashlib
import pickle
import tracemalloc
from dataclasses import asdict
from itertools import permutations
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from niftis import RAS_2MM, SHARED, nifti_bytes, small_labels, with_dim, write

from ctspine_bench.anatomy import LABEL_MAPS, LabelMap
from ctspine_bench.errors import LabelError, UsageError
from ctspine_bench.records import Grid, LabelVolume
from ctspine_bench.volumes import check_same_grid, read_label_map, read_labels, resample_nearest, write_labels

VERSE_004 = SHARED / "verse004" / "sub-verse004_seg-vert_msk.nii.gz"
TOTALSEGMENTATOR = SHARED / "totalsegmentator_pair"

with_shared_data = pytest.mark.skipif(not SHARED.is_dir(), reason="the real files of ../shared/data are not at hand")

DTYPES = (np.uint8, np.int8, np.int16, np.uint16, np.int32, np.uint32, np.int64, np.uint64, np.float32, np.float64)


def assert_as_nibabel(path: Path, volume: LabelVolume) -> None:
    """Labels and affine are those of nibabel's closest canonical image."""
    canonical = nib.as_closest_canonical(nib.load(path))
    np.testing.assert_array_equal(volume.labels, np.asarray(canonical.dataobj).reshape(volume.labels.shape))
    np.testing.assert_allclose(volume.grid.affine, canonical.affine, atol=1e-9)
    assert volume.labels.dtype == np.uint8
    assert volume.grid.shape == volume.labels.shape


@pytest.mark.parametrize("name", ["case.nii", "case.nii.gz", "CASE.NII.GZ"])
@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("endianness", ["<", ">"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_every_form_of_the_same_labels(tmp_path: Path, name: str, version: int, endianness: str, dtype: type) -> None:
    """Compression, NIfTI version, byte order and stored type make no difference to the labels."""
    content = nifti_bytes(small_labels().astype(dtype), version=version, endianness=endianness)
    path = write(tmp_path / name.lower(), content).rename(tmp_path / name)
    volume = read_labels(path)
    assert volume.labels.tolist() == small_labels().tolist()
    assert volume.grid.affine.tolist() == RAS_2MM.tolist()
    assert volume.notes == ()
    assert volume.path == str(path)
    assert volume.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    axes=st.sampled_from(list(permutations(range(3)))),
    signs=st.tuples(*[st.sampled_from([-1, 1])] * 3),
    spacing=st.tuples(*[st.floats(0.3, 5)] * 3),
    origin=st.tuples(*[st.floats(-500, 500)] * 3),
    shape=st.tuples(*[st.integers(1, 7)] * 3),
    dtype=st.sampled_from(DTYPES),
    forms=st.sampled_from([(1, 0), (0, 1), (1, 1), (2, 3), (0, 0)]),
    seed=st.integers(0, 2**32 - 1),
)
def test_any_axis_order_as_nibabel(
    *, axes: Any, signs: Any, spacing: Any, origin: Any, shape: Any, dtype: Any, forms: Any, seed: int
) -> None:
    """Any axis order and direction, stored type and choice of sform and qform: labels and affine are nibabel's."""
    affine = np.eye(4)
    affine[:3, :3] = np.eye(3)[:, axes] * np.array(signs) * np.array(spacing)
    affine[:3, 3] = origin
    labels = np.random.default_rng(seed).integers(0, 26, shape).astype(dtype)
    with TemporaryDirectory() as folder:
        path = write(Path(folder) / "case.nii.gz", nifti_bytes(labels, affine, forms=forms))
        assert_as_nibabel(path, read_labels(path))


@given(angles=st.tuples(*[st.floats(-0.5, 0.5)] * 3), seed=st.integers(0, 2**32 - 1))
@settings(max_examples=25, deadline=None)
def test_oblique_grids_as_nibabel(angles: tuple[float, float, float], seed: int) -> None:
    """A tilted grid keeps its tilt; its axes go to the closest world axes."""
    affine = np.eye(4)
    affine[:3, :3] = nib.eulerangles.euler2mat(*angles) @ np.diag([0.7, 0.8, 2.5]) @ np.eye(3)[:, [2, 0, 1]]
    labels = np.random.default_rng(seed).integers(0, 26, (3, 4, 5)).astype(np.uint8)
    with TemporaryDirectory() as folder:
        path = write(Path(folder) / "case.nii", nifti_bytes(labels, affine))
        assert_as_nibabel(path, read_labels(path))


def test_reorientation_is_a_noted_view(tmp_path: Path) -> None:
    """Labels in another axis order are not copied, and the note names that order."""
    affine = np.array([[0, 0, -1.0, 0], [0, -1.0, 0, 0], [1.0, 0, 0, 0], [0, 0, 0, 1]])
    volume = read_labels(write(tmp_path / "case.nii", nifti_bytes(small_labels(), affine)))
    assert volume.notes == ("stored as SPL; reoriented to RAS without resampling",)
    assert volume.grid.shape == (6, 5, 4)
    assert volume.labels.base is not None
    assert volume.labels.strides == (-20, -4, 1)


def test_several_chunks(tmp_path: Path) -> None:
    """A volume of several chunks, with values in every one, is read whole for any type and with a label map."""
    labels = np.random.default_rng(1).integers(0, 26, (130, 129, 128)).astype(np.uint8)
    for dtype in (np.uint8, np.int16, np.float64):
        path = write(tmp_path / "case.nii", nifti_bytes(labels.astype(dtype)))
        np.testing.assert_array_equal(read_labels(path).labels, labels)
        np.testing.assert_array_equal(read_labels(path, "verse").labels, labels)


def test_memory_for_wide_types(tmp_path: Path) -> None:
    """A float64 file of 32 MB takes one byte a voxel and a few chunks, not eight bytes a voxel."""
    path = write(tmp_path / "case.nii", nifti_bytes(np.full((200, 200, 100), 7.0)))
    tracemalloc.start()
    try:
        assert read_labels(path).labels.nbytes == 4_000_000
        assert tracemalloc.get_traced_memory()[1] < 4_000_000 + 8 * 2**20
    finally:
        tracemalloc.stop()


def test_several_gzip_members(tmp_path: Path) -> None:
    """A gzip file of several members (as pigz or concatenation makes it), padded with zeros, is one file."""
    content = nifti_bytes(small_labels())
    path = tmp_path / "case.nii.gz"
    path.write_bytes(b"".join(gzip.compress(content[i : i + 100]) for i in range(0, len(content), 100)) + bytes(512))
    assert read_labels(path).labels.tolist() == small_labels().tolist()


def test_header_extensions_are_skipped(tmp_path: Path) -> None:
    """The voxels begin where vox_offset says."""
    path = write(tmp_path / "case.nii.gz", nifti_bytes(small_labels(), gap=b"\1\0\0\0" + b"extension" * 300_000))
    assert read_labels(path).labels.tolist() == small_labels().tolist()


@pytest.mark.parametrize(
    ("slope", "intercept", "factor", "offset"), [(0, 7, 1, 0), (np.nan, 3, 1, 0), (1, 0, 1, 0), (0.5, -1, 2, 2)]
)
def test_scaling(tmp_path: Path, slope: float, intercept: float, factor: int, offset: int) -> None:
    """The scaling of the header applies; a slope of zero or NaN is none."""
    stored = (small_labels() * factor + offset).astype(np.int16)
    path = write(tmp_path / "case.nii", nifti_bytes(stored, scl_slope=slope, scl_inter=intercept))
    assert read_labels(path).labels.tolist() == small_labels().tolist()


def test_trailing_dimensions_of_one(tmp_path: Path) -> None:
    """4-D and 5-D files are 3-D when the further dimensions have length 1; a note says so."""
    for n_dimensions in (4, 5):
        path = write(tmp_path / "case.nii", nifti_bytes(small_labels(), dim=with_dim(n_dimensions, 4, 5, 6)))
        volume = read_labels(path)
        assert volume.labels.tolist() == small_labels().tolist()
        assert len(volume.notes) == 1
        assert volume.notes[0].startswith(f"stored with {n_dimensions} dimensions")


def test_qform_without_a_handedness(tmp_path: Path) -> None:
    """A qfac (pixdim[0]) of zero counts as one, as nifti1.h asks."""
    content = nifti_bytes(small_labels(), forms=(0, 1), pixdim=[0, 2, 2, 2, 0, 0, 0, 0])
    assert read_labels(write(tmp_path / "case.nii", content)).grid.affine.tolist() == RAS_2MM.tolist()


def test_neither_sform_nor_qform(tmp_path: Path) -> None:
    """Without a position the spacing still counts, and a note says that the rest is assumed."""
    volume = read_labels(write(tmp_path / "case.nii", nifti_bytes(small_labels(), forms=(0, 0))))
    assert volume.grid.spacing_mm == (2.0, 2.0, 2.0)
    assert "neither sform nor qform is set" in volume.notes[0]


def test_sform_and_qform_disagree(tmp_path: Path) -> None:
    """When they differ by more than 0.1 voxel the sform counts, and a note says so."""
    for shift_mm, n_notes in ((0.19, 0), (0.21, 1)):
        content = nifti_bytes(small_labels(), forms=(1, 1), qoffset_x=shift_mm)
        volume = read_labels(write(tmp_path / "case.nii", content))
        assert volume.grid.affine[0, 3] == 0
        assert len(volume.notes) == n_notes
        assert all("the sform is used" in note for note in volume.notes)


class TestLabelMaps:
    """Other data sets' values become labels by their label map alone."""

    def test_verse(self, tmp_path: Path) -> None:
        """Sacrum, coccyx and T13 become background; T13 is noted with its number of voxels."""
        for dtype in (np.uint8, np.float64):
            data = small_labels().astype(dtype)
            data[0, 0, :] = 26, 27, 28, 28, 0, 0
            volume = read_labels(write(tmp_path / "case.nii", nifti_bytes(data)), "verse")
            assert volume.labels.tolist() == small_labels().tolist()
            assert volume.notes == ("value 28 (T13) is background in this benchmark: 2 voxels",)

    def test_totalsegmentator(self, tmp_path: Path) -> None:
        """27–31 are L5–L1, 32–43 T12–T1, 44–50 C7–C1; other organs are background; what is no organ is refused."""
        values = np.arange(118, dtype=np.int16).reshape(2, 59, 1)
        volume = read_labels(write(tmp_path / "case.nii", nifti_bytes(values)), "totalsegmentator")
        assert volume.labels.ravel()[[26, 27, 31, 32, 43, 44, 50, 51, 117]].tolist() == [0, 24, 20, 19, 8, 7, 1, 0, 0]
        image = write(tmp_path / "image.nii", nifti_bytes(values * 10 - 500))
        with pytest.raises(LabelError, match="E_LABEL_RANGE"):
            read_labels(image, "totalsegmentator")

    def test_yaml(self, tmp_path: Path) -> None:
        """A YAML file names the values; two of them may be the same vertebra."""
        label_map = tmp_path / "mine.yaml"
        label_map.write_text("labels: {300: L5, 301: L5, 7: C1, 26: background}\nothers: background\n")
        data = np.array([0, 300, 301, 7, 26, 299, 302, -5], np.int32).reshape(2, 2, 2)
        volume = read_labels(write(tmp_path / "case.nii", nifti_bytes(data)), str(label_map))
        assert volume.labels.ravel().tolist() == [0, 24, 24, 1, 0, 0, 0, 0]

    def test_read_label_map(self, tmp_path: Path) -> None:
        """A name, a YAML file, a label map and nothing are all taken."""
        label_map = tmp_path / "mine.yml"
        label_map.write_text("labels: {5: T12}\nmasks: {top: T12}\n")
        read = read_label_map(label_map)
        assert read is not None
        assert (read.name, dict(read.values), dict(read.masks)) == ("mine", {0: 0, 5: 19}, {"top": 19})
        assert not read.ignore_others
        assert read_label_map(read) is read
        assert read_label_map("verse") is LABEL_MAPS["verse"]
        assert read_label_map(None) is None

    def test_any_mapping(self) -> None:
        """Whatever mapping a label map is made of, it is copied, and can be pickled and turned into a dictionary."""
        values = {0: 0, 7: 20}
        label_map = LabelMap("mine", MappingProxyType(values), masks=MappingProxyType({"top": 1}))
        values[8] = 99
        assert pickle.loads(pickle.dumps(label_map)) == label_map  # noqa: S301 -- our own bytes
        assert asdict(label_map) == {
            "name": "mine", "values": {0: 0, 7: 20}, "ignore_others": False, "flagged": {}, "masks": {"top": 1},
        }  # fmt: skip


class TestMaskFolder:
    """One binary mask for each vertebra."""

    def test_joined(self, tmp_path: Path) -> None:
        """The masks become one label map; other organs are ignored and counted; the digest is of the files alone."""
        for stem, label in (("vertebrae_T12", 19), ("vertebrae_L1", 20), ("vertebrae_L2", 21), ("liver", 1)):
            write(tmp_path / f"{stem}.nii.gz", nifti_bytes((small_labels() == label).astype(np.uint8)))
        (tmp_path / "statistics.json").write_text("{}")
        volume = read_labels(tmp_path, "totalsegmentator")
        assert volume.labels.tolist() == small_labels().tolist()
        assert volume.notes == ("files ignored because the label map does not list them: 1",)
        moved = tmp_path.rename(tmp_path.with_name("moved"))
        assert read_labels(moved, "totalsegmentator").sha256 == volume.sha256

    def test_yaml(self, tmp_path: Path) -> None:
        """The stems may be anyone's, if a label map lists them."""
        write(tmp_path / "top.nii", nifti_bytes(np.ones((2, 2, 2), np.float32)))
        (tmp_path / "map.yaml").write_text("masks: {top: C1}")
        assert read_labels(tmp_path, tmp_path / "map.yaml").labels.tolist() == np.ones((2, 2, 2)).tolist()


class TestWriting:
    """What is written is what is read."""

    @pytest.mark.parametrize("name", ["case.nii", "case.nii.gz"])
    def test_round_trip(self, tmp_path: Path, name: str) -> None:
        """Labels and grid survive; sform and qform are both set; nothing else is left in the folder."""
        affine = np.diag([0.75, 0.75, 1.25, 1.0])
        affine[:3, 3] = -100, 50.5, -700.25
        write_labels(tmp_path / name, small_labels(), Grid((4, 5, 6), affine))
        volume = read_labels(tmp_path / name)
        assert volume.labels.tolist() == small_labels().tolist()
        assert volume.grid.affine.tolist() == affine.tolist()
        assert volume.notes == ()
        header = nib.load(tmp_path / name).header
        assert (header["sform_code"], header["qform_code"]) == (1, 1)
        assert [entry.name for entry in tmp_path.iterdir()] == [name]

    def test_same_bytes(self, tmp_path: Path) -> None:
        """Neither time nor file name enters the bytes."""
        grid = Grid((4, 5, 6), RAS_2MM)
        write_labels(tmp_path / "one.nii.gz", small_labels(), grid)
        write_labels(tmp_path / "other.nii.gz", np.asfortranarray(small_labels()), grid)
        one = (tmp_path / "one.nii.gz").read_bytes()
        assert one == (tmp_path / "other.nii.gz").read_bytes()
        assert one[4:8] == bytes(4)

    def test_failure_leaves_nothing(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A write that fails half-way leaves the old file and no new one."""

        def fail(*_: Any) -> None:
            raise OSError("no space left on device")

        (tmp_path / "case.nii.gz").write_bytes(b"old")
        monkeypatch.setattr(nib.Nifti1Image, "to_stream", fail)
        with pytest.raises(OSError, match="no space"):
            write_labels(tmp_path / "case.nii.gz", small_labels(), Grid((4, 5, 6), RAS_2MM))
        assert [(entry.name, entry.read_bytes()) for entry in tmp_path.iterdir()] == [("case.nii.gz", b"old")]

    def test_requests_that_make_no_sense(self, tmp_path: Path) -> None:
        """Another type, shape or suffix is refused."""
        grid = Grid((4, 5, 6), RAS_2MM)
        for name, labels in (
            ("case.nii", small_labels().astype(np.int16)),
            ("case.nii", small_labels()[1:]),
            ("case.mha", small_labels()),
        ):
            with pytest.raises(UsageError):
                write_labels(tmp_path / name, labels, grid)


def volume_on(affine: np.ndarray, labels: np.ndarray) -> LabelVolume:
    """A label volume that is nowhere on disk."""
    return LabelVolume(labels, Grid(labels.shape, affine), (), "memory", "")


class TestGrids:
    """Same grid or not, and nearest neighbour onto another one."""

    def test_same_grid(self) -> None:
        """The same grid needs no note, nor does a difference below 0.001 mm."""
        shifted = RAS_2MM.copy()
        shifted[0, 3] = 0.0009
        reference = volume_on(RAS_2MM, small_labels())
        assert check_same_grid(reference, reference) == ()
        assert check_same_grid(reference, volume_on(shifted, small_labels())) == ()

    def test_stored_differently(self, tmp_path: Path) -> None:
        """The same world grid stored in another axis order is the same grid with the same labels."""
        reference = read_labels(write(tmp_path / "a.nii", nifti_bytes(small_labels())))
        flipped = np.diag([-2.0, -2.0, 2.0, 1.0])
        flipped[:2, 3] = 6, 8
        other = read_labels(write(tmp_path / "b.nii", nifti_bytes(small_labels()[::-1, ::-1], flipped)))
        assert check_same_grid(reference, other) == ()
        assert other.labels.tolist() == reference.labels.tolist()

    def test_resample_by_hand(self) -> None:
        """Onto half the spacing each voxel becomes 2×2×2; outside is background."""
        labels = np.arange(1, 9, dtype=np.uint8).reshape(2, 2, 2)
        affine = np.eye(4)
        affine[:3, 3] = -0.5
        fine = resample_nearest(volume_on(RAS_2MM, labels), Grid((6, 4, 4), affine))
        expected = labels.repeat(2, 0).repeat(2, 1).repeat(2, 2)
        assert fine.labels[:4].tolist() == expected.tolist()
        assert fine.labels[4:].max() == 0
        assert "resampled by nearest neighbour from 2×2×2 voxels of 2×2×2 mm" in fine.notes[0]

    @given(seed=st.integers(0, 2**32 - 1), oblique=st.booleans())
    @settings(max_examples=30, deadline=None)
    def test_resample_voxel_by_voxel(self, seed: int, oblique: bool) -> None:
        """Every voxel has the label of the voxel its centre falls into."""
        generator = np.random.default_rng(seed)
        labels = generator.integers(0, 26, (4, 5, 6)).astype(np.uint8)
        affine = np.diag([*generator.uniform(0.5, 3, 3), 1.0])
        if oblique:
            affine[:3, :3] = nib.eulerangles.euler2mat(*generator.uniform(-0.3, 0.3, 3)) @ affine[:3, :3]
        affine[:3, 3] = generator.uniform(-2, 2, 3)
        resampled = resample_nearest(volume_on(RAS_2MM, labels), Grid((5, 4, 7), affine)).labels
        for index in np.ndindex(5, 4, 7):
            i, j, k = np.floor((affine @ [*index, 1])[:3] / 2 + 0.5).astype(int)
            inside = 0 <= i < 4 and 0 <= j < 5 and 0 <= k < 6
            assert resampled[index] == (labels[i, j, k] if inside else 0)


@with_shared_data
class TestRealFiles:
    """Files that others wrote."""

    def test_verse(self) -> None:
        """The VerSe mask: float64 in PIR order, T9–L5, about 1 × 1 × 2 mm and tilted."""
        volume = read_labels(VERSE_004)
        assert np.unique(volume.labels).tolist() == [0, *range(16, 25)]
        assert volume.grid.spacing_mm == pytest.approx((2.0003, 1, 1), abs=1e-4)
        assert volume.notes == ("stored as PIR; reoriented to RAS without resampling",)
        assert_as_nibabel(VERSE_004, volume)

    @pytest.mark.parametrize("name", ["example_seg.nii.gz", "example_seg_fast.nii.gz"])
    def test_totalsegmentator(self, name: str) -> None:
        """TotalSegmentator output: with its label map the vertebrae are those that nibabel finds."""
        path = TOTALSEGMENTATOR / name
        stored = np.asarray(nib.as_closest_canonical(nib.load(path)).dataobj)
        expected = np.where((stored >= 27) & (stored <= 50), 51 - stored, 0)
        volume = read_labels(path, "totalsegmentator")
        np.testing.assert_array_equal(volume.labels, expected)
        assert volume.labels.any()

    def test_same_grid(self) -> None:
        """Two models' segmentations of one CT are on one grid."""
        one, other = (
            read_labels(TOTALSEGMENTATOR / name, "totalsegmentator")
            for name in ("example_seg.nii.gz", "example_seg_fast.nii.gz")
        )
        assert check_same_grid(one, other) == ()
