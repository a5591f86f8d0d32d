"""Each row of the table of bad files: the right error code, the path, what was expected and what was found."""

from __future__ import annotations

import contextlib
import gzip
import re
import tracemalloc
import zlib
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from niftis import RAS_2MM, nifti_bytes, small_labels, with_dim, write

from ctspine_bench.anatomy import LabelMap
from ctspine_bench.errors import CODES, CaseError, FileError, GeometryError, InputError, LabelError
from ctspine_bench.volumes import check_same_grid, read_labels


def assert_refused(path: Path, code: str, *texts: str, label_map: Any = None, max_voxels: int = 2**30) -> InputError:
    """Reading raises this code, and the message says where, what was expected, what was found and what to do."""
    with pytest.raises(InputError) as caught:
        read_labels(path, label_map, max_voxels=max_voxels)
    error = caught.value
    assert error.code == code, str(error)
    assert code in CODES
    assert str(path) in str(error)
    assert f"expected {error.expected}; found {error.found}. {error.advice}" in str(error)
    assert error.advice.endswith(".")
    for text in texts:
        assert text in str(error)
    return error


class TestTruncation:
    """A file that ends early is never half a volume."""

    @pytest.mark.parametrize("name", ["case.nii", "case.nii.gz"])
    def test_at_every_byte(self, tmp_path: Path, name: str) -> None:
        """Whatever byte a file ends at, it is truncated, from the empty file to the last byte of the checksum."""
        path = write(tmp_path / name, nifti_bytes(small_labels()))
        whole = path.read_bytes()
        for n_bytes in range(len(whole)):
            path.write_bytes(whole[:n_bytes])
            assert_refused(path, "E_TRUNCATED")
        path.write_bytes(whole)
        assert read_labels(path).labels.sum() == small_labels().sum()

    @pytest.mark.parametrize("dtype", [np.uint8, np.float64])
    def test_inside_a_volume_of_several_chunks(self, tmp_path: Path, dtype: type) -> None:
        """The end may come in any chunk, whatever the stored type."""
        labels = np.random.default_rng(0).integers(0, 26, (128, 128, 160)).astype(dtype)
        path = write(tmp_path / "case.nii", nifti_bytes(labels))
        compressed = tmp_path / "case.nii.gz"
        compressed.write_bytes(gzip.compress(path.read_bytes(), 1))
        for file in (path, compressed):
            whole = file.read_bytes()
            for share in (0.01, 0.3, 0.7, 0.999):
                file.write_bytes(whole[: int(share * len(whole))])
                assert_refused(file, "E_TRUNCATED")

    def test_second_member_missing(self, tmp_path: Path) -> None:
        """A gzip file whose second member is lost ends early although its first checksum holds."""
        content = nifti_bytes(small_labels())
        path = tmp_path / "case.nii.gz"
        path.write_bytes(gzip.compress(content[:400]))
        assert_refused(path, "E_TRUNCATED", "120 voxels")

    @pytest.mark.parametrize("name", ["case.nii", "case.nii.gz"])
    def test_empty_file(self, tmp_path: Path, name: str) -> None:
        """An empty file is truncated."""
        path = tmp_path / name
        path.touch()
        assert_refused(path, "E_TRUNCATED")


class TestCorruption:
    """Damage is noticed, and called damage."""

    def test_every_flipped_byte(self, tmp_path: Path) -> None:
        """A flipped byte anywhere in a .nii.gz is refused, unless it is where the gzip header carries no data."""
        path = write(tmp_path / "case.nii.gz", nifti_bytes(small_labels()))
        whole = path.read_bytes()
        codes = []
        for position in range(len(whole)):
            damaged = bytearray(whole)
            damaged[position] ^= 0xFF
            path.write_bytes(damaged)
            try:
                assert read_labels(path).labels.tolist() == small_labels().tolist()
                assert 4 <= position < 10  # time, flags of the compressor and operating system
            except FileError as error:
                codes.append(error.code)
        assert codes[:2] == ["E_FORMAT", "E_FORMAT"]
        assert set(codes[-8:]) == {"E_CORRUPT"}  # checksum and length

    def test_checksum_comes_before_the_labels(self, tmp_path: Path) -> None:
        """When a damaged file yields values above 25, the damage is the error, not the values."""
        content = nifti_bytes(np.full((4, 4, 4), 99, np.uint8))
        path = tmp_path / "case.nii.gz"
        stream = zlib.compressobj(0, wbits=31)  # stored, not packed: a flipped byte is a flipped value
        damaged = bytearray(stream.compress(content) + stream.flush())
        damaged[-20] ^= 1
        path.write_bytes(damaged)
        assert_refused(path, "E_CORRUPT", "checksum")


class TestSurplus:
    """What goes on after the last voxel does not belong to the volume."""

    @pytest.mark.parametrize("name", ["case.nii", "case.nii.gz"])
    def test_one_byte(self, tmp_path: Path, name: str) -> None:
        """One byte too many is refused."""
        assert_refused(write(tmp_path / name, nifti_bytes(small_labels()) + b"\0"), "E_SURPLUS")

    def test_bytes_after_the_gzip_stream(self, tmp_path: Path) -> None:
        """Bytes that are not gzip after the compressed volume are refused."""
        path = write(tmp_path / "case.nii.gz", nifti_bytes(small_labels()))
        path.write_bytes(path.read_bytes() + b"more than a gzip header")
        assert_refused(path, "E_SURPLUS", "not gzip")

    def test_decompression_bomb(self, tmp_path: Path) -> None:
        """What follows the data, here 64 MiB that take 64 KiB, costs no memory."""
        pack = zlib.compressobj(9, wbits=31)
        bomb = pack.compress(nifti_bytes(small_labels()))
        bomb += pack.compress(bytes(1 << 26)) + pack.flush()
        path = tmp_path / "case.nii.gz"
        path.write_bytes(bomb)
        assert peak_bytes(path, "E_SURPLUS") < 4e6


def peak_bytes(path: Path, code: str) -> int:
    """How much memory it takes to refuse a file."""
    tracemalloc.start()
    try:
        assert_refused(path, code)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


class TestHostileHeader:
    """No header makes the reader allocate what the file cannot hold."""

    def test_more_voxels_than_the_limit(self, tmp_path: Path) -> None:
        """27 · 10¹² voxels are refused before anything is allocated."""
        path = write(tmp_path / "case.nii.gz", nifti_bytes(small_labels(), dim=with_dim(3, 30000, 30000, 30000)))
        assert peak_bytes(path, "E_TOO_LARGE") < 4e6

    def test_the_limit_can_be_set(self, tmp_path: Path) -> None:
        """`max_voxels` counts voxels: 120 pass with 120, not with 119."""
        path = write(tmp_path / "case.nii.gz", nifti_bytes(small_labels()))
        assert read_labels(path, max_voxels=120).grid.shape == (4, 5, 6)
        error = assert_refused(path, "E_TOO_LARGE", "at most 119 voxels", "4×5×6 = 120", max_voxels=119)
        assert error.advice == "If the header is wrong, write the file again; a volume that large has to be cropped."

    def test_longest_axis(self, tmp_path: Path) -> None:
        """An axis beyond the reach of 16-bit indices is refused for good."""
        content = nifti_bytes(small_labels(), version=2, dim=np.array([3, 65535, *[1] * 6], np.int64))
        error = assert_refused(write(tmp_path / "case.nii", content), "E_TOO_LARGE", "65534 along an axis")
        assert error.advice.endswith("the limit along an axis cannot be raised.")

    @pytest.mark.parametrize("name", ["case.nii", "case.nii.gz"])
    def test_a_tiny_file_at_the_limit(self, tmp_path: Path, name: str) -> None:
        """2³⁰ voxels promised by a file of less than a kilobyte cost no memory."""
        path = write(tmp_path / name, nifti_bytes(small_labels(), dim=with_dim(3, 1024, 1024, 1024)))
        assert peak_bytes(path, "E_TRUNCATED") < 4e6

    @pytest.mark.parametrize("offset", [0, 16, 351, 352.5, -1, np.nan, np.inf, 3e38, 1e9])
    def test_offset(self, tmp_path: Path, offset: float) -> None:
        """An offset of the voxels that is no whole number, inside the header or far outside is refused."""
        path = write(tmp_path / "case.nii.gz", nifti_bytes(small_labels(), vox_offset=offset))
        assert_refused(path, "E_FORMAT", "vox_offset")

    def test_offset_of_nifti_2(self, tmp_path: Path) -> None:
        """NIfTI-2 has 64 bits for the offset; a huge or negative one is refused as well."""
        for offset in (2**62, -(2**62), 543):
            path = write(tmp_path / "case.nii", nifti_bytes(small_labels(), version=2, vox_offset=offset))
            assert_refused(path, "E_FORMAT", "vox_offset")

    @pytest.mark.parametrize("n_dimensions", [-3, 0, 8, 255, 32767])
    def test_number_of_dimensions(self, tmp_path: Path, n_dimensions: int) -> None:
        """dim[0] outside 1–7 is refused."""
        path = write(tmp_path / "case.nii", nifti_bytes(small_labels(), dim=with_dim(n_dimensions, 4, 5, 6)))
        assert_refused(path, "E_FORMAT", f"dim[0] = {n_dimensions}")

    @pytest.mark.parametrize("length", [0, -6, -32768])
    def test_length(self, tmp_path: Path, length: int) -> None:
        """An axis without voxels, or with fewer than none, is refused."""
        path = write(tmp_path / "case.nii", nifti_bytes(small_labels(), dim=with_dim(3, 4, 5, length)))
        assert_refused(path, "E_FORMAT", f"4×5×{length}")

    @settings(max_examples=300, deadline=None)
    @given(changes=st.dictionaries(st.integers(0, 351), st.integers(0, 255), min_size=1, max_size=12))
    def test_any_header(self, changes: dict[int, int]) -> None:
        """Whatever bytes a header has, reading it gives labels or an error of ours, and no warning."""
        content = bytearray(nifti_bytes(small_labels(), forms=(1, 1)))
        for position, value in changes.items():
            content[position] = value
        with TemporaryDirectory() as folder:
            path = write(Path(folder) / "case.nii", bytes(content))
            with contextlib.suppress(InputError):
                assert set(np.unique(read_labels(path).labels)) <= set(range(26))


class TestFormat:
    """Other formats are refused by name."""

    def test_text(self, tmp_path: Path) -> None:
        """A text file stays a text file under any name."""
        path = tmp_path / "case.nii.gz"
        path.write_text("<html>404 Not Found</html>")
        assert_refused(path, "E_FORMAT", "gzip", "<h")
        assert_refused(write(tmp_path / "case.nii", b"<html>404 Not Found</html>" * 40), "E_FORMAT", "348")

    @pytest.mark.parametrize("name", ["case.mha", "case.nrrd", "case.hdr", "case.npz", "case"])
    def test_other_suffix(self, tmp_path: Path, name: str) -> None:
        """Formats other than NIfTI are refused with the advice to convert them."""
        path = tmp_path / name
        path.write_bytes(nifti_bytes(small_labels()))
        assert_refused(path, "E_FORMAT", "Convert it to .nii.gz")

    def test_name_and_compression_disagree(self, tmp_path: Path) -> None:
        """An uncompressed file named .nii.gz, and a compressed one named .nii, are refused."""
        (tmp_path / "a.nii.gz").write_bytes(nifti_bytes(small_labels()))
        assert_refused(tmp_path / "a.nii.gz", "E_FORMAT", "rename it to .nii")
        (tmp_path / "a.nii").write_bytes(gzip.compress(nifti_bytes(small_labels())))
        assert_refused(tmp_path / "a.nii", "E_FORMAT")

    @pytest.mark.parametrize(("magic", "text"), [(b"ni1", ".hdr/.img pair"), (b"", "Analyze"), (b"n+2", "n+2")])
    def test_magic(self, tmp_path: Path, magic: bytes, text: str) -> None:
        """The header of a pair, an Analyze header and a magic of the other version are refused."""
        assert_refused(write(tmp_path / "case.nii", nifti_bytes(small_labels(), magic=magic)), "E_FORMAT", text)

    def test_missing_file(self, tmp_path: Path) -> None:
        """A path without a file is named."""
        assert_refused(tmp_path / "nothing.nii.gz", "E_NOT_FOUND")


class TestValues:
    """Values that are no labels are listed, never clipped, rounded far or guessed."""

    @pytest.mark.parametrize("dtype", [np.complex64, np.complex128])
    def test_complex(self, tmp_path: Path, dtype: type) -> None:
        """Complex values are no labels."""
        assert_refused(write(tmp_path / "case.nii", nifti_bytes(small_labels().astype(dtype))), "E_DTYPE", "complex")

    @pytest.mark.parametrize("code", [0, 1, 128, 1536, 2304, 9999])
    def test_other_types(self, tmp_path: Path, code: int) -> None:
        """Bits, colours, 128-bit floats and unknown types are refused."""
        path = write(tmp_path / "case.nii", nifti_bytes(small_labels(), datatype=code))
        assert_refused(path, "E_DTYPE", f"data type {code}")

    @pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
    def test_not_finite(self, tmp_path: Path, bad: float) -> None:
        """NaN and infinity are counted, and the first one located."""
        data = small_labels().astype(np.float32)
        data[3, 2, 1] = data[0, 0, 5] = bad
        path = write(tmp_path / "case.nii.gz", nifti_bytes(data))
        assert_refused(path, "E_NAN", "2 voxels", "(3, 2, 1)")

    def test_first_nan_is_located_across_chunks(self, tmp_path: Path) -> None:
        """The index is that of the volume, not of the chunk."""
        data = np.zeros((128, 128, 40), np.float64)
        data[7, 8, 33] = np.nan
        path = write(tmp_path / "case.nii", nifti_bytes(data))
        assert_refused(path, "E_NAN", "1 voxels", "(7, 8, 33)")

    def test_between_the_integers(self, tmp_path: Path) -> None:
        """Examples of the values are shown, and linear interpolation is named as the likely cause."""
        data = small_labels().astype(np.float32)
        data[0, 0, :2] = 9.5, 19.25
        error = assert_refused(write(tmp_path / "case.nii", nifti_bytes(data)), "E_NOT_INTEGER", "9.5, 19.25")
        assert "linear interpolation" in error.advice

    def test_scaled_values_between_the_integers(self, tmp_path: Path) -> None:
        """When the header scales the values, its numbers are named as the likely cause."""
        path = write(tmp_path / "case.nii", nifti_bytes(small_labels(), scl_slope=0.3, scl_inter=0))
        error = assert_refused(path, "E_NOT_INTEGER", "5.7")
        assert "scl_slope = 0.3" in error.advice

    @pytest.mark.parametrize(("deviation", "accepted"), [(0.9e-3, True), (1.1e-3, False)])
    def test_tolerance(self, tmp_path: Path, deviation: float, accepted: bool) -> None:
        """Floats within 0.001 of an integer are that integer."""
        data = small_labels() + np.float64(deviation)
        path = write(tmp_path / "case.nii", nifti_bytes(data))
        if accepted:
            assert read_labels(path).labels.tolist() == small_labels().tolist()
        else:
            assert_refused(path, "E_NOT_INTEGER")

    @pytest.mark.parametrize(("dtype", "bad"), [(np.uint8, 26), (np.int8, -1), (np.int16, -7), (np.uint16, 65535),
                                                (np.int32, 2**30), (np.uint64, 2**63), (np.float32, 1e30),
                                                (np.float64, -2.0)])  # fmt: skip
    def test_out_of_range(self, tmp_path: Path, dtype: type, bad: float) -> None:
        """Negative values and values above 25 are listed for every stored type."""
        data = small_labels().astype(dtype)
        data[0, 0, 0] = bad
        path = write(tmp_path / "case.nii", nifti_bytes(data))
        assert_refused(path, "E_LABEL_RANGE", "1 voxels", str(int(data[0, 0, 0])), "labels 0–25", "--label-map")

    def test_values_are_listed_once_and_sorted(self, tmp_path: Path) -> None:
        """Up to 20 distinct values are listed, in order."""
        data = np.arange(0, 120, dtype=np.int16).reshape(4, 5, 6)
        path = write(tmp_path / "case.nii", nifti_bytes(data))
        listed = ", ".join(map(str, range(26, 46)))
        assert_refused(path, "E_LABEL_RANGE", f"94 voxels with the values {listed}, …")

    @pytest.mark.parametrize(("value", "name"), [(28, "verse"), (40, "totalsegmentator")])
    def test_advice_names_the_likely_label_map(self, tmp_path: Path, value: int, name: str) -> None:
        """Values as in VerSe or TotalSegmentator lead to the advice to say so."""
        data = small_labels()
        data[0, 0, 0] = value
        assert_refused(write(tmp_path / "case.nii", nifti_bytes(data)), "E_LABEL_RANGE", f"`--label-map {name}`")

    def test_label_map_that_does_not_list_a_value(self, tmp_path: Path) -> None:
        """A strict label map refuses what it does not list, for bytes and wider types."""
        for dtype in (np.uint8, np.int32):
            data = small_labels().astype(dtype)
            data[0, 0, 0] = 29
            path = write(tmp_path / "case.nii", nifti_bytes(data))
            assert_refused(path, "E_LABEL_RANGE", "29", "label map 'verse'", label_map="verse")

    @pytest.mark.parametrize("shape", [(4,), (4, 5), (4, 5, 6, 2), (4, 5, 6, 1, 3)])
    def test_number_of_axes(self, tmp_path: Path, shape: tuple[int, ...]) -> None:
        """Lines, slices, series and one-hot channels are no label map."""
        path = write(tmp_path / "case.nii", nifti_bytes(np.zeros(shape, np.uint8)))
        assert_refused(path, "E_NDIM", "×".join(map(str, shape)))

    def test_intercept_without_a_value(self, tmp_path: Path) -> None:
        """A slope with an intercept that is no number scales to nothing."""
        path = write(tmp_path / "case.nii", nifti_bytes(small_labels(), scl_slope=2, scl_inter=np.nan))
        assert_refused(path, "E_FORMAT", "scl_inter")


class TestGeometry:
    """Grids that contradict themselves, or their counterpart."""

    @pytest.mark.parametrize("spacing", [0, -2, np.nan, np.inf])
    def test_spacing(self, tmp_path: Path, spacing: float) -> None:
        """Spacing is positive and finite."""
        pixdim = np.array([1, 2, 2, spacing, 0, 0, 0, 0], np.float32)
        assert_refused(write(tmp_path / "case.nii", nifti_bytes(small_labels(), pixdim=pixdim)), "E_SPACING", "pixdim")

    @pytest.mark.parametrize("axis", [[0, 0, 0], [np.nan, 0, 0], [2, 0, 0]])
    def test_singular_affine(self, tmp_path: Path, axis: list[float]) -> None:
        """An affine with an axis of no length, no number or the direction of another one is no grid."""
        content = nifti_bytes(small_labels(), srow_x=[2, axis[0], 0, 0], srow_y=[0, axis[1], 0, 0])
        assert_refused(write(tmp_path / "case.nii", content), "E_SPACING", "affine")

    def test_sform_and_pixdim_disagree(self, tmp_path: Path) -> None:
        """Two spacings in one header are an error that shows both."""
        pixdim = np.array([1, 2, 2, 5, 0, 0, 0, 0], np.float32)
        path = write(tmp_path / "case.nii", nifti_bytes(small_labels(), pixdim=pixdim))
        assert_refused(path, "E_SPACING", "2 × 2 × 2 mm in the affine", "2 × 2 × 5 mm in pixdim")

    def test_numbers_without_bounds(self, tmp_path: Path) -> None:
        """NIfTI-2 has 64-bit floats: a position that cannot be squared is refused, in an unused qform it is noted."""
        path = write(tmp_path / "case.nii", nifti_bytes(small_labels(), version=2, srow_x=[2, 0, 0, 1e300]))
        assert_refused(path, "E_SPACING", "1e+300")
        write(path, nifti_bytes(small_labels(), version=2, forms=(1, 1), qoffset_x=1e300))
        assert "the sform is used" in read_labels(path).notes[0]

    @pytest.mark.parametrize(("code", "unit"), [(1, "metres"), (3, "micrometres")])
    def test_units(self, tmp_path: Path, code: int, unit: str) -> None:
        """Lengths are in millimetres."""
        assert_refused(write(tmp_path / "case.nii", nifti_bytes(small_labels(), xyzt_units=code)), "E_SPACING", unit)

    def test_shear(self, tmp_path: Path) -> None:
        """Axes that are not at right angles (gantry tilt) are an error that says so."""
        lengths = [2, 2, np.hypot(2, 0.1)]
        content = nifti_bytes(small_labels(), pixdim=[1, *lengths, 0, 0, 0, 0], srow_y=[0, 2, 0.1, 0])
        assert_refused(write(tmp_path / "case.nii", content), "E_SHEAR", "87.14°")

    def test_other_shape_than_the_reference(self, tmp_path: Path) -> None:
        """A prediction of another shape is refused with both geometries."""
        reference = read_labels(write(tmp_path / "reference.nii", nifti_bytes(small_labels())))
        prediction = read_labels(write(tmp_path / "prediction.nii", nifti_bytes(small_labels()[:, :, :5])))
        with pytest.raises(GeometryError) as caught:
            check_same_grid(reference, prediction)
        assert caught.value.code == "E_SHAPE"
        assert caught.value.path == prediction.path
        assert re.search(r"expected .*4×5×6 voxels of 2×2×2 mm.*found 4×5×5 voxels", str(caught.value))
        assert "--resample" in caught.value.advice

    @pytest.mark.parametrize(("shift_mm", "accepted"), [(0.19, True), (0.21, False)])
    def test_tenth_of_a_voxel(self, tmp_path: Path, shift_mm: float, accepted: bool) -> None:
        """At 2 mm spacing 0.19 mm is accepted and noted, 0.21 mm is refused with both geometries."""
        shifted = RAS_2MM.copy()
        shifted[2, 3] = shift_mm
        reference = read_labels(write(tmp_path / "reference.nii", nifti_bytes(small_labels())))
        prediction = read_labels(write(tmp_path / "prediction.nii", nifti_bytes(small_labels(), shifted)))
        if accepted:
            (note,) = check_same_grid(reference, prediction)
            assert "0.1900 mm (0.095 voxels)" in note
        else:
            with pytest.raises(
                GeometryError, match=r"first voxel at \(0, 0, 0\).*\(0, 0, 0.21\).*0.105 voxels"
            ) as caught:
                check_same_grid(reference, prediction)
            assert caught.value.code == "E_AFFINE"


class TestMaskFolder:
    """A folder with one mask for each vertebra."""

    def folder(self, tmp_path: Path, **masks: bytes) -> Path:
        """A folder with these masks."""
        folder = tmp_path / "case"
        folder.mkdir()
        for name, content in masks.items():
            write(folder / f"{name}.nii.gz", content)
        return folder

    def test_without_a_label_map(self, tmp_path: Path) -> None:
        """Names as TotalSegmentator gives them are not guessed at: the advice is to say so."""
        folder = self.folder(tmp_path, vertebrae_L1=nifti_bytes(np.ones((2, 2, 2), np.uint8)))
        assert_refused(folder, "E_LABEL_MAP", "`--label-map totalsegmentator`")
        assert_refused(folder, "E_LABEL_MAP", "knows no masks", label_map="verse")

    def test_without_a_known_mask(self, tmp_path: Path) -> None:
        """A folder without any mask of the label map is refused."""
        folder = self.folder(tmp_path, liver=nifti_bytes(np.ones((2, 2, 2), np.uint8)))
        error = assert_refused(folder, "E_NO_CASES", "1 .nii.gz or .nii files", label_map="totalsegmentator")
        assert isinstance(error, CaseError)

    def test_overlap(self, tmp_path: Path) -> None:
        """A voxel that two masks claim is an error that names both."""
        ones = nifti_bytes(np.ones((2, 2, 2), np.uint8))
        folder = self.folder(tmp_path, vertebrae_L1=ones, vertebrae_L2=ones)
        error = assert_refused(folder, "E_MASK_OVERLAP", "mask of L1", label_map="totalsegmentator")
        assert error.path is not None
        assert error.path.endswith("vertebrae_L2.nii.gz")

    def test_not_binary(self, tmp_path: Path) -> None:
        """A mask holds 0 and 1; what 255 means is not guessed."""
        folder = self.folder(tmp_path, vertebrae_L1=nifti_bytes(np.full((2, 2, 2), 255, np.uint8)))
        error = assert_refused(folder, "E_LABEL_RANGE", "255", label_map="totalsegmentator")
        assert "0 and 1" in error.advice

    @pytest.mark.parametrize(("shape", "spacing", "code"), [((2, 2, 3), 2.0, "E_SHAPE"), ((2, 2, 2), 2.5, "E_AFFINE")])
    def test_grids_differ(self, tmp_path: Path, shape: tuple[int, ...], spacing: float, code: str) -> None:
        """All masks of a folder are on one grid."""
        one = nifti_bytes(np.zeros((2, 2, 2), np.uint8))
        other = nifti_bytes(np.zeros(shape, np.uint8), np.diag([spacing, 2, 2, 1]))
        folder = self.folder(tmp_path, vertebrae_L1=one, vertebrae_L2=other)
        error = assert_refused(folder, code, label_map="totalsegmentator")
        assert error.path == str(folder / "vertebrae_L2.nii.gz")
        assert error.expected.startswith("the grid of the first mask vertebrae_L1.nii.gz: 2×2×2 voxels of 2×2×2 mm")
        assert error.found.startswith("×".join(map(str, shape)))
        assert error.advice == "Write all masks of a case on one grid."


class TestLabelMap:
    """A label map made in Python that cannot be meant that way."""

    @pytest.mark.parametrize(
        ("changes", "pair"),
        [
            ({"values": {0: 0, 5: 26}}, "5: 26"),
            ({"values": {5: -1}}, "5: -1"),
            ({"values": {5: 2.0}}, "5: 2.0"),
            ({"values": {5: True}}, "5: True"),
            ({"values": {-1: 5}}, "-1: 5"),
            ({"values": {65536: 5}}, "65536: 5"),
            ({"values": {"5": 5}}, "'5': 5"),
            ({"flagged": {-2: "T13"}}, "-2: 'T13'"),
            ({"masks": {"top": 26}}, "'top': 26"),
        ],
    )
    def test_invalid(self, changes: dict[str, Any], pair: str) -> None:
        """The value and the label at fault are named, and the label map."""
        with pytest.raises(ValueError, match=re.escape(f"in the label map 'mine', found {pair}")):
            LabelMap(**{"name": "mine", "values": {}, **changes})


class TestLabelMapFile:
    """A YAML label map that cannot be meant that way."""

    @pytest.mark.parametrize(
        ("text", "found"),
        [
            ("labels: {27: L5, 27: L4}", "twice"),
            ("labels: {27: L7}", "L7"),
            ("labels: {27: 5}", "5"),
            ("labels: {27: [L5]}", "L5"),
            ("labels: {seven: L5}", "seven"),
            ("labels: {yes: L5}", "True"),
            ("labels: {2.5: L5}", "2.5"),
            ("labels: {-1: L5}", "-1"),
            ("labels: {70000: L5}", "70000"),
            ("labels: {0: L5}", "0: L5"),
            ("labels: [L5]", "L5"),
            ("labels: {27: L5}\nother: background", "other"),
            ("labels: {27: L5}\nothers: keep", "keep"),
            ("labels: {27: L5}\nname: [x]", "x"),
            ("masks: {x: background}", "background"),
            ("masks: {1: L5}", "1"),
            ("name: nothing", "neither"),
            ("just text", "just text"),
            ("", "None"),
            ("labels: {27: L5", "expected"),
            ("labels: !!python/object/apply:os.getcwd []", "python"),
            ("labels: {27: 2001-99-99}", "month"),
            ("[" * 2000, ""),
            ("#" * 1_000_001, "larger file"),
        ],
    )
    def test_invalid(self, tmp_path: Path, text: str, found: str) -> None:
        """Each mistake is named."""
        label_map = tmp_path / "map.yaml"
        label_map.write_text(text)
        with pytest.raises(LabelError) as caught:
            read_labels(tmp_path / "case.nii", label_map)
        assert caught.value.code == "E_LABEL_MAP"
        assert str(label_map) in str(caught.value)
        assert found in caught.value.found

    def test_unknown_name(self, tmp_path: Path) -> None:
        """An unknown name leads to the known ones."""
        with pytest.raises(LabelError, match=r"E_LABEL_MAP.*ctspine1k, verse, totalsegmentator"):
            read_labels(tmp_path / "case.nii", "nnunet")

    def test_missing_file(self, tmp_path: Path) -> None:
        """A YAML file that is not there is called missing."""
        with pytest.raises(FileError, match="E_NOT_FOUND"):
            read_labels(tmp_path / "case.nii", tmp_path / "map.yaml")
