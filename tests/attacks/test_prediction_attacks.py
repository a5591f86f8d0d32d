"""Predictions that lie, overflow, or are something else altogether, as they arrive from strangers.

Each is read by a confined process and must end in its typed error with bounded memory and time, and the next prediction
must be read as if nothing had happened. Reading here and in confinement give the same error in the same words.
"""

from __future__ import annotations

import gzip
import struct
import sys
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from archived import prediction, write_tar
from niftis import RAS_2MM, nifti_bytes, small_labels, with_dim

from ctspine_bench.errors import CODES, InputError
from ctspine_bench.hosting.intake import PREDICTIONS, take_in
from ctspine_bench.isolation import IsolatedReader
from ctspine_bench.volumes import read_labels

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="isolation works on Linux alone")

LABELS = small_labels()
FLOATS = LABELS.astype(np.float32)
HEADER_BYTES = 348
TINY = np.diag([1e-30, 1, 1, 1])
MEMORY_BYTES = 500 << 20
"""What reading may take: Python, its libraries and little more."""


def header(**fields: Any) -> bytes:
    """A good label map but for these header fields."""
    return nifti_bytes(LABELS, **fields)


def voxel(value: float, dtype: type = np.float32) -> bytes:
    """A label map with one voxel of this value."""
    data: NDArray[Any] = LABELS.astype(dtype)
    data[3, 4, 5] = value
    return nifti_bytes(data)


def lengths(*dim: int) -> bytes:
    """A NIfTI-2 header, whose dimensions have 64 bits."""
    return nifti_bytes(LABELS, version=2, dim=np.array([*dim, *[1] * (8 - len(dim))], np.int64))


def packed(content: bytes, zeros: int = 0) -> bytes:
    """Gzip-compressed content, followed by so many zeros in the same stream."""
    stream = zlib.compressobj(9, wbits=31)
    block = bytes(1 << 20)
    return b"".join([stream.compress(content), *(stream.compress(block) for _ in range(zeros >> 20)), stream.flush()])


def extension(announced: int) -> bytes:
    """A file with a header extension that claims a size that it does not have."""
    return nifti_bytes(
        LABELS, gap=b"\1\0\0\0" + struct.pack("<ii", announced, 6) + bytes(8), vox_offset=352 + announced
    )


def swapped() -> bytes:
    """A big-endian header whose lengths make sense in neither byte order."""
    return nifti_bytes(LABELS, endianness=">", dim=with_dim(3, 0x7F01, 0x7F01, 0x7F01))


def affine(*rows: list[float]) -> bytes:
    """A label map with these first rows of the sform."""
    return header(**dict(zip(("srow_x", "srow_y", "srow_z"), rows, strict=False)))


def sheared() -> bytes:
    """A label map whose second and third axes are at 87°."""
    return header(srow_y=[0, 2, 0.1, 0], pixdim=[1, 2, 2, np.hypot(2, 0.1), 0, 0, 0, 0])


def polyglot() -> bytes:
    """A good NIfTI file that is a zip archive as well, by what follows the voxels."""
    return header() + b"PK\5\6" + bytes(18)


ATTACKS: dict[str, tuple[str, str, bytes]] = {
    # what a header promises
    "terabytes": ("E_TOO_LARGE", "case.nii", header(dim=with_dim(3, 32767, 32767, 32767))),
    "exabytes by 64-bit lengths": ("E_TOO_LARGE", "case.nii", lengths(3, 2**62, 2**62, 2**62)),
    "the longest axis and one": ("E_TOO_LARGE", "case.nii", lengths(3, 65535, 1, 1)),
    "all that is allowed, promised": ("E_TRUNCATED", "case.nii.gz", packed(header(dim=with_dim(3, 512, 512, 256)))),
    "a negative length": ("E_FORMAT", "case.nii", header(dim=with_dim(3, 4, -5, 6))),
    "two negative lengths": ("E_FORMAT", "case.nii", header(dim=with_dim(3, -4, -5, 6))),
    "a negative 64-bit length": ("E_FORMAT", "case.nii", lengths(3, 4, 5, -(2**63))),
    "no voxels": ("E_FORMAT", "case.nii", nifti_bytes(LABELS[:, :, :0])),
    "no dimensions": ("E_FORMAT", "case.nii", header(dim=with_dim(0, 4, 5, 6))),
    "more dimensions than there are": ("E_FORMAT", "case.nii", header(dim=with_dim(8, 4, 5, 6))),
    "an image series": ("E_NDIM", "case.nii", nifti_bytes(np.stack([LABELS] * 2, axis=3))),
    "one-hot channels": ("E_NDIM", "case.nii", nifti_bytes(np.zeros((4, 5, 6, 1, 26), np.uint8))),
    "big-endian nonsense": ("E_TOO_LARGE", "case.nii", swapped()),
    "voxels far beyond the end": ("E_FORMAT", "case.nii", header(vox_offset=3e9)),
    "voxels within the header": ("E_FORMAT", "case.nii", header(vox_offset=100)),
    "voxels at NaN": ("E_FORMAT", "case.nii", header(vox_offset=np.nan)),
    "voxels at minus 2^62": ("E_FORMAT", "case.nii", nifti_bytes(LABELS, version=2, vox_offset=-(2**62))),
    "an extension of 64 MiB that is not there": ("E_TRUNCATED", "case.nii", extension(1 << 26 - 1)),
    "an extension of half a gigabyte": ("E_FORMAT", "case.nii", extension(1 << 29)),
    # which format it is
    "NIfTI-2 with the size of NIfTI-1": ("E_FORMAT", "case.nii", header(magic=b"n+2")),
    "the header of a pair": ("E_FORMAT", "case.nii", header(magic=b"ni1")),
    "no magic": ("E_FORMAT", "case.nii", header(magic=b"")),
    "a header alone": ("E_TRUNCATED", "case.nii", header()[:HEADER_BYTES]),
    "a web page": ("E_FORMAT", "case.nii", b"<!DOCTYPE html><script>alert(1)</script>" * 20),
    "a web page called gz": ("E_FORMAT", "case.nii.gz", b"<!DOCTYPE html>"),
    "a pickle": ("E_FORMAT", "case.nii", b"\x80\x04cos\nsystem\n(S'id'\ntR." + bytes(400)),
    "nothing": ("E_TRUNCATED", "case.nii.gz", b""),
    "a zip archive as well": ("E_SURPLUS", "case.nii", polyglot()),
    # how it is compressed
    "a bomb behind the voxels": ("E_SURPLUS", "case.nii.gz", packed(header(), 1 << 28)),
    "a bomb in place of the header": ("E_FORMAT", "case.nii.gz", packed(b"", 1 << 28)),
    "a bomb within a bomb": ("E_FORMAT", "case.nii.gz", packed(packed(b"", 1 << 28))),
    "bytes after the stream": ("E_SURPLUS", "case.nii.gz", gzip.compress(header()) + b"#!/bin/sh\nid\n#####"),
    "a second member with more": ("E_SURPLUS", "case.nii.gz", gzip.compress(header()) + gzip.compress(b"x")),
    "an end too early": ("E_TRUNCATED", "case.nii.gz", gzip.compress(header())[:-9]),
    "a wrong checksum": ("E_CORRUPT", "case.nii.gz", gzip.compress(header())[:-8] + bytes(8)),
    "an impossible block": ("E_CORRUPT", "case.nii.gz", gzip.compress(header())[:10] + b"\xff" * 40),
    "another compression method": ("E_CORRUPT", "case.nii.gz", b"\x1f\x8b\x07" + gzip.compress(header())[3:]),
    "a gzip name without end": ("E_TRUNCATED", "case.nii.gz", b"\x1f\x8b\x08\x08" + bytes(6) + b"A" * 100_000),
    # what a voxel is
    "bits": ("E_DTYPE", "case.nii", header(datatype=1)),
    "complex values": ("E_DTYPE", "case.nii", nifti_bytes(LABELS.astype(np.complex64))),
    "colours": ("E_DTYPE", "case.nii", header(datatype=128)),
    "128-bit floats": ("E_DTYPE", "case.nii", header(datatype=1536)),
    "a type that does not exist": ("E_DTYPE", "case.nii", header(datatype=-1)),
    # its values
    "NaN": ("E_NAN", "case.nii", voxel(np.nan)),
    "NaN with a payload": ("E_NAN", "case.nii", nifti_bytes(FLOATS)[:-4] + b"\x37\x13\xc0\x7f"),
    "a signalling NaN": ("E_NAN", "case.nii", nifti_bytes(FLOATS)[:-4] + b"\x01\x00\x80\xff"),
    "infinity": ("E_NAN", "case.nii", voxel(-np.inf)),
    "a fraction": ("E_NOT_INTEGER", "case.nii", voxel(2.5)),
    "a number beyond all integers": ("E_LABEL_RANGE", "case.nii", voxel(1e300, np.float64)),
    "26": ("E_LABEL_RANGE", "case.nii", voxel(26, np.uint8)),
    "a negative label": ("E_LABEL_RANGE", "case.nii", voxel(-1, np.int8)),
    "one label in 2^64": ("E_LABEL_RANGE", "case.nii", voxel(2**63, np.uint64)),
    "a thousand values": ("E_LABEL_RANGE", "case.nii", nifti_bytes(np.arange(1000, dtype="i2").reshape(10, 10, 10))),
    "a huge scale": ("E_LABEL_RANGE", "case.nii", header(scl_slope=3e38, scl_inter=3e38)),
    "a scale that makes fractions": ("E_NOT_INTEGER", "case.nii", header(scl_slope=3e-38, scl_inter=0.5)),
    "a shift of NaN": ("E_FORMAT", "case.nii", header(scl_slope=1, scl_inter=np.nan)),
    # where it is
    "no spacing": ("E_SPACING", "case.nii", header(pixdim=[1, 2, 0, 2, 0, 0, 0, 0])),
    "a spacing of NaN": ("E_SPACING", "case.nii", header(pixdim=[1, 2, np.nan, 2, 0, 0, 0, 0])),
    "an affine of zeros": ("E_SPACING", "case.nii", affine([0] * 4, [0] * 4, [0] * 4)),
    "an affine of NaN": ("E_SPACING", "case.nii", affine([np.nan] * 4)),
    "two axes in one direction": ("E_SPACING", "case.nii", affine([2, 2, 0, 0], [0, 0, 0, 0])),
    "a position beyond the moon": ("E_SPACING", "case.nii", affine([2, 0, 0, 3e38])),
    "a spacing of less than atoms": ("E_SPACING", "case.nii", nifti_bytes(LABELS, TINY, version=2)),
    "a sheared grid": ("E_SHEAR", "case.nii", sheared()),
    "metres": ("E_SPACING", "case.nii", header(xyzt_units=1)),
}  # fmt: skip


@pytest.fixture(scope="module")
def reader() -> Iterator[IsolatedReader]:
    with IsolatedReader(memory_bytes=MEMORY_BYTES, seconds=20, max_voxels=1 << 26) as opened:
        yield opened


@pytest.mark.parametrize("attack", ATTACKS)
def test_refused(reader: IsolatedReader, tmp_path: Path, attack: str) -> None:
    """One typed error in the words of `read_labels`, naming the file as the participant knows it."""
    code, name, content = ATTACKS[attack]
    path = tmp_path / name
    path.write_bytes(content)
    with path.open("rb") as file, pytest.raises(InputError) as caught:
        reader.read(file, f"mine.tar: {name}")
    error = caught.value
    assert (error.code, error.path) == (code, f"mine.tar: {name}"), str(error)
    assert code in CODES
    with pytest.raises(InputError) as here:
        read_labels(path, max_voxels=1 << 26)
    assert type(here.value) is type(error)
    assert (here.value.expected, here.value.found, here.value.advice) == (error.expected, error.found, error.advice)
    assert [file.name for file in tmp_path.iterdir()] == [name]
    path.write_bytes(header())
    with path.open("rb") as file:
        assert reader.read(file, "good.nii").labels.tolist() == LABELS.tolist()


def test_all_at_once(tmp_path: Path) -> None:
    """An archive full of attacks: the good prediction among them is read, each attack is refused by its code."""
    attacks = dict(enumerate(ATTACKS.values()))
    members = [
        (f"{number}/{number}{name.removeprefix('case')}", content) for number, (_, name, content) in attacks.items()
    ]
    archive = write_tar(tmp_path / "x.tar", [*members[:30], ("good.nii.gz", prediction()), *members[30:]])
    intake = take_in(archive, "verse", tmp_path / "x.tar", tmp_path / "out", workers=2)
    assert list(intake.cases) == ["good"]
    assert {case: error.code for case, error in intake.refused.items()} == {
        str(number): code for number, (code, _, _) in attacks.items()
    }
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == ["good.nii.gz", PREDICTIONS]


def test_harmless_oddities(reader: IsolatedReader, tmp_path: Path) -> None:
    """What is odd but unambiguous is no attack: extra axes of length 1, denormal numbers, a slope that is none."""
    tiny = FLOATS.copy()
    tiny[0, 0, 0] = 1e-45
    for content in (
        nifti_bytes(LABELS[..., None, None]),
        nifti_bytes(tiny),
        header(scl_slope=np.nan),
        header(scl_slope=np.inf, scl_inter=np.inf),
        nifti_bytes(LABELS, RAS_2MM, endianness=">", version=2),
    ):
        path = tmp_path / "case.nii"
        path.write_bytes(content)
        with path.open("rb") as file:
            assert reader.read(file, "case.nii").labels.tolist() == LABELS.tolist()
