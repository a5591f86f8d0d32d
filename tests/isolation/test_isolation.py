"""Reading in a process of its own gives what reading here gives, and nothing that happens there is felt here."""

from __future__ import annotations

import gzip
import itertools
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from niftis import nifti_bytes, small_labels, with_dim, write

from ctspine_bench.errors import CaseError, UsageError
from ctspine_bench.isolation import IsolatedReader, default_workers
from ctspine_bench.volumes import read_labels

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ctspine_bench.records import LabelVolume

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="isolation works on Linux alone")

EVERY_ORIENTATION = list(itertools.product(itertools.permutations(range(3)), itertools.product((1, -1), repeat=3)))


@pytest.fixture(scope="module")
def reader() -> Iterator[IsolatedReader]:
    with IsolatedReader() as opened:
        yield opened


def read(reader: IsolatedReader, path: Path) -> LabelVolume:
    """A file read in isolation, by its own name."""
    with path.open("rb") as file:
        return reader.read(file, str(path))


def assert_same(one: LabelVolume, other: LabelVolume) -> None:
    """Both are the same in every part."""
    np.testing.assert_array_equal(one.labels, other.labels, strict=True)
    np.testing.assert_array_equal(one.grid.affine, other.grid.affine, strict=True)
    assert one.grid.shape == other.grid.shape
    assert (one.notes, one.path, one.sha256) == (other.notes, other.path, other.sha256)


def test_every_orientation(reader: IsolatedReader, tmp_path: Path) -> None:
    """Whichever way the axes are stored, the volume is that of `read_labels` in every part."""
    for order, signs in EVERY_ORIENTATION:
        affine = np.eye(4)
        affine[:3, :3] = np.eye(3)[list(order)] * np.array(signs) * (1.0, 1.5, 2.5)
        affine[:3, 3] = 7.25, -3.5, 100.125
        path = write(tmp_path / "case.nii", nifti_bytes(small_labels(), affine))
        assert_same(read(reader, path), read_labels(path))


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 1, 5), (5, 1, 1), (1, 7, 1), (2, 2, 2), (1, 3, 3)])
def test_axes_of_one_voxel(reader: IsolatedReader, tmp_path: Path, shape: tuple[int, int, int]) -> None:
    """Where the order of the axes makes no difference in memory, the shape and the labels are right all the same."""
    labels = (np.arange(np.prod(shape)) % 26).astype(np.uint8).reshape(shape)
    affine = np.array([[0, 0, -2.0, 5], [1.0, 0, 0, 5], [0, -1.0, 0, 5], [0, 0, 0, 1]])
    path = write(tmp_path / "case.nii.gz", nifti_bytes(labels, affine))
    assert_same(read(reader, path), read_labels(path))


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32, np.float64])
@pytest.mark.parametrize("name", ["case.nii", "case.NII.GZ"])
def test_several_chunks(reader: IsolatedReader, tmp_path: Path, dtype: type, name: str) -> None:
    """Volumes of several megabytes come back whole, whatever the stored type, oblique and with notes."""
    labels = np.random.default_rng(3).integers(0, 26, (150, 140, 60)).astype(dtype)
    tilt = np.array([[0.9, -0.1, 0, 0], [0.1, 0.9, 0, 0], [0, 0, -2, 9], [0, 0, 0, 1]])
    content = nifti_bytes(labels, tilt, forms=(0, 1))
    path = tmp_path / name
    path.write_bytes(gzip.compress(content, 1) if name.endswith("GZ") else content)
    volume = read(reader, path)
    assert any("reoriented" in note for note in volume.notes)
    assert_same(volume, read_labels(path))


def test_the_position_of_the_file_does_not_matter(reader: IsolatedReader, tmp_path: Path) -> None:
    """The file is read from its beginning, and its position here stays what it was."""
    path = write(tmp_path / "case.nii.gz", nifti_bytes(small_labels()))
    with path.open("rb") as file:
        file.seek(17)
        assert_same(reader.read(file, str(path)), read_labels(path))
        assert file.tell() == 17


def test_labels_cannot_be_written_to(reader: IsolatedReader, tmp_path: Path) -> None:
    """What was checked stays as it was checked."""
    volume = read(reader, write(tmp_path / "case.nii", nifti_bytes(small_labels())))
    with pytest.raises(ValueError, match="read-only"):
        volume.labels[0, 0, 0] = 99


def test_threads_have_helpers_of_their_own(tmp_path: Path) -> None:
    """Several threads read at the same time, each its own file; one after the other shares one helper."""
    started = threading.Barrier(3)

    def task(number: int) -> set[int]:
        path = write(tmp_path / f"{number}.nii.gz", nifti_bytes(np.full((5, 6, 7), number, np.uint8)))
        started.wait(30)
        return {int(read(reader, path).labels[i, i, i]) for i in range(5) for _ in range(2)}

    with IsolatedReader() as reader, ThreadPoolExecutor(3) as pool:
        assert list(pool.map(task, (4, 9, 25))) == [{4}, {9}, {25}]
        assert len(reader._helpers) == 3


def test_nothing_is_left_behind(tmp_path: Path) -> None:
    """Afterwards the helper is gone, and as many descriptors are open as before."""
    path = write(tmp_path / "case.nii", nifti_bytes(small_labels()))
    descriptors = Path("/proc/self/fd")
    before = len(list(descriptors.iterdir()))
    with IsolatedReader() as reader:
        read(reader, path)
        (helper,) = reader._helpers
        assert helper._process.poll() is None
    assert helper._process.poll() == -9
    helper.answer.close()
    assert len(list(descriptors.iterdir())) == before


def test_memory_goes_back(tmp_path: Path) -> None:
    """What one large file needed is not kept for the small ones after it, but for what a usual file needs."""
    large = write(tmp_path / "large.nii", nifti_bytes(small_labels(), dim=with_dim(3, 1024, 1024, 300)))
    os.truncate(large, 352 + (300 << 20))
    small = write(tmp_path / "small.nii", nifti_bytes(small_labels()))
    with IsolatedReader() as reader:
        assert read(reader, large).labels.shape == (1024, 1024, 300)
        (helper,) = reader._helpers
        assert os.fstat(helper._output).st_blocks * 512 > 300 << 20
        assert_same(read(reader, small), read_labels(small))
        assert os.fstat(helper._output).st_blocks * 512 <= 256 << 20


def test_children_go_first(reader: IsolatedReader, tmp_path: Path) -> None:
    """When memory runs out the kernel ends the helper and what it has started, not the process that scores."""
    read(reader, write(tmp_path / "case.nii", nifti_bytes(small_labels())))
    (helper,) = reader._helpers
    assert Path(f"/proc/{helper._process.pid}/oom_score_adj").read_text().strip() == "1000"


@pytest.mark.parametrize(
    ("gibibytes", "cores", "workers"),
    [(16, 4, 4), (16, 64, 8), (7, 4, 3), (1, 4, 1)],
    ids=["usual", "many", "few", "none"],
)
def test_default_workers(monkeypatch: pytest.MonkeyPatch, gibibytes: int, cores: int, workers: int) -> None:
    """As many as there are cores, unless memory for that many of the largest files is lacking."""
    monkeypatch.setattr("ctspine_bench.isolation.available_cores", lambda: cores)
    monkeypatch.setattr(os, "sysconf", {"SC_PHYS_PAGES": gibibytes << 18, "SC_PAGE_SIZE": 4096}.__getitem__)
    assert default_workers() == workers


def test_a_helper_that_dies_is_replaced(reader: IsolatedReader, tmp_path: Path) -> None:
    """When the helper itself is killed that is one failed file, and the next one gets a new helper."""
    path = write(tmp_path / "case.nii", nifti_bytes(small_labels()))
    read(reader, path)
    (helper,) = reader._helpers
    helper._process.kill()
    helper._process.wait()
    with pytest.raises(CaseError) as caught:
        read(reader, path)
    assert caught.value.code == "E_CRASH"
    assert_same(read(reader, path), read_labels(path))


def test_a_helper_that_never_answers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """When not even the helper keeps to the time it is ended, with all that it has started."""

    class Hanging(IsolatedReader):
        module = "hanging_helper"

    monkeypatch.setattr("ctspine_bench.isolation.helper._GRACE_SECONDS", 0.1)
    path = write(tmp_path / "case.nii", nifti_bytes(small_labels()))
    with Hanging(seconds=0.1) as reader:
        with pytest.raises(CaseError) as caught:
            read(reader, path)
        assert caught.value.code == "E_CRASH"
        assert not reader._helpers


def test_a_helper_that_does_not_start(tmp_path: Path) -> None:
    """When the organizers' machine cannot start a helper that is no participant's fault, and the reason is told."""

    class Missing(IsolatedReader):
        module = "no_such_module"

    path = write(tmp_path / "case.nii", nifti_bytes(small_labels()))
    with Missing() as reader, pytest.raises(UsageError, match="No module named no_such_module"):
        read(reader, path)


def test_limits_that_leave_nothing(tmp_path: Path) -> None:
    """When no file at all could be read within the limits that is told, instead of refusing every prediction."""
    path = write(tmp_path / "case.nii", nifti_bytes(small_labels()))
    with IsolatedReader(seconds=0) as reader, pytest.raises(UsageError, match="cannot read anything"):
        read(reader, path)


def test_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """On other systems there is a clear refusal instead of a reader that does not isolate."""
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(UsageError, match="works on Linux alone"):
        IsolatedReader()


def test_modules_that_windows_does_not_have() -> None:
    """Everything around isolation can be imported where `fcntl` and `resource` do not exist."""
    script = "import sys; sys.modules.update(fcntl=None, resource=None); import ctspine_bench.hosting.intake"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
