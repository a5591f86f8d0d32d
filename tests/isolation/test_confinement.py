"""A reader that was taken over by its file: what it can reach, and what becomes of it."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING

import pytest
from niftis import nifti_bytes, small_labels, write

from ctspine_bench.errors import CaseError, FileError
from ctspine_bench.isolation import IsolatedReader

if sys.platform != "linux":
    pytest.skip("isolation works on Linux alone", allow_module_level=True)

from ctspine_bench.isolation.confinement import landlock_version

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LANDLOCK = landlock_version()
IS_ROOT = os.geteuid() == 0
ROWS = [[2.0, 0.0, 0.0, 0.0], [0.0, 2.0, 0.0, 0.0], [0.0, 0.0, 2.0, 0.0], [0.0, 0.0, 0.0, 1.0]]
GOOD: dict[str, object] = {"shape": [4, 5, 6], "axes": [1, 2, 3], "affine": ROWS, "notes": []}
ERROR: dict[str, object] = {"code": "E_FORMAT", "expected": "this", "found": "that", "advice": "Do it."}


class Hostile(IsolatedReader):
    """A reader whose child obeys the name of the file."""

    module = "hostile_reader"


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("isolation") / "case.nii", nifti_bytes(small_labels()))


@pytest.fixture(scope="module")
def hostile() -> Iterator[Hostile]:
    os.environ["STORE_TOKEN"] = "a secret"  # noqa: S105
    inherited = os.open(os.devnull, os.O_RDONLY)
    os.set_inheritable(inherited, True)
    try:
        with Hostile(seconds=1, memory_bytes=600 << 20, max_voxels=1 << 20) as reader:
            yield reader
    finally:
        del os.environ["STORE_TOKEN"]
        os.close(inherited)


def probe(reader: Hostile, path: Path, deed: str) -> list[str]:
    """What the attempts of a deed ended with."""
    with path.open("rb") as file:
        (note,) = reader.read(file, deed).notes
    return note.split()


def failure(reader: Hostile, path: Path, deed: str) -> CaseError:
    """How a deed ended that nobody survives; the file after it is read as if nothing had happened."""
    with path.open("rb") as file:
        with pytest.raises(CaseError) as caught:
            reader.read(file, deed)
        assert reader.read(file, "nothing").labels.tolist() == small_labels().tolist()
    assert caught.value.path == deed.encode("utf-8", "backslashreplace").decode()
    return caught.value


def open_to_all(folder: Path) -> Path:
    """A reference that every user of this machine may read and change."""
    for above in (folder, folder.parent):
        above.chmod(0o777)
    reference = folder / "reference.nii.gz"
    reference.write_bytes(b"secret")
    reference.chmod(0o666)
    return reference


class TestReach:
    """What the child can get hold of."""

    def test_no_file_can_be_opened(self, hostile: Hostile, path: Path, tmp_path: Path) -> None:
        """Neither a reference that anybody may read, by any path, nor the environment of the helper, nor a folder."""
        assert set(probe(hostile, path, f"open_files:{open_to_all(tmp_path)}")) == {"EMFILE"}

    def test_no_socket_pipe_or_copy_can_be_made(self, hostile: Hostile, path: Path) -> None:
        """Nothing that needs a descriptor: no connection, no file in memory."""
        assert "done" not in probe(hostile, path, "make_descriptors")

    @pytest.mark.skipif(not LANDLOCK, reason="the kernel has no Landlock")
    def test_no_file_can_be_changed(self, hostile: Hostile, path: Path, tmp_path: Path) -> None:
        """Nor removed, renamed, linked or made, although everybody may."""
        reference = open_to_all(tmp_path)
        assert "done" not in probe(hostile, path, f"change_files:{reference}")
        assert [file.name for file in tmp_path.iterdir()] == ["reference.nii.gz"]
        assert reference.read_bytes() == b"secret"

    def test_the_file_itself_cannot_be_changed(self, hostile: Hostile, path: Path, tmp_path: Path) -> None:
        """Although it was opened for writing here, the child has it for reading."""
        copy = tmp_path / "case.nii"
        copy.write_bytes(path.read_bytes())
        with copy.open("r+b") as file:
            assert hostile.read(file, "write_source").notes == ("EBADF",)
        assert copy.read_bytes() == path.read_bytes()

    def test_no_process_can_be_made(self, hostile: Hostile, path: Path) -> None:
        """Not even one: no fork bomb."""
        assert probe(hostile, path, "fork") == ["EAGAIN"]

    @pytest.mark.skipif(not LANDLOCK, reason="the kernel has no Landlock")
    def test_no_program_can_be_run(self, hostile: Hostile, path: Path) -> None:
        """Not in place of the child either."""
        assert probe(hostile, path, "run_program") == ["EACCES"]

    @pytest.mark.skipif(LANDLOCK < 6 and not IS_ROOT, reason="the kernel cannot keep a user's processes apart")
    def test_no_process_can_be_signalled(self, hostile: Hostile, path: Path) -> None:
        """Neither the helper nor this one."""
        assert probe(hostile, path, f"signal_processes:{os.getpid()}") == ["EPERM", "EPERM"]

    @pytest.mark.skipif(not LANDLOCK and not IS_ROOT, reason="the kernel has no Landlock")
    def test_no_process_can_be_looked_into(self, hostile: Hostile, path: Path) -> None:
        """Neither the helper nor this one, neither as a debugger nor by reading memory."""
        assert probe(hostile, path, f"spy_on_processes:{os.getpid()}") == ["EPERM"] * 4

    def test_no_right_comes_back(self, hostile: Hostile, path: Path) -> None:
        """Neither that of root nor a higher limit."""
        assert "done" not in probe(hostile, path, "regain_rights")

    def test_no_secret_is_in_the_environment(self, hostile: Hostile, path: Path) -> None:
        """Nothing is there but what Python needs."""
        allowed = {"PYTHONPATH", "OPENBLAS_NUM_THREADS", "PYTHONHOME", "LD_LIBRARY_PATH", "LC_CTYPE"}
        assert set(probe(hostile, path, "list_environment")) <= allowed

    def test_one_descriptor_is_open(self, hostile: Hostile, path: Path) -> None:
        """The file to read, and standard streams that lead nowhere; nothing is inherited, however inheritable."""
        assert probe(hostile, path, "list_descriptors") == ["null", "null", "null", "-"]

    def test_nothing_can_be_imported(self, hostile: Hostile, path: Path) -> None:
        """What reading needs is there already."""
        assert probe(hostile, path, "import_more") == ["EMFILE"]


class TestEnds:
    """What becomes of a child that does not answer."""

    @pytest.mark.parametrize(
        ("deed", "found"),
        [
            ("segfault", "signal 11"),
            ("abort", "signal 6"),
            ("kill", "signal 9"),
            ("exit:7", "exit code 7"),
            ("exit:0", "no JSON"),
            ("fail", "exit code 1"),
            ("recurse", "exit code 1"),
            ("notes:80", "exit code 1"),
        ],
    )
    def test_crash(self, hostile: Hostile, path: Path, deed: str, found: str) -> None:
        """However it dies, or falls silent: one error that says how. An earlier answer does not stand in for it."""
        error = failure(hostile, path, deed)
        assert error.code == "E_CRASH"
        assert found in error.found

    @pytest.mark.parametrize("deed", ["sleep", "loop", "allocate_stubbornly"])
    def test_time(self, hostile: Hostile, path: Path, deed: str) -> None:
        """It may idle, compute, or fight for memory: after a second it is over."""
        error = failure(hostile, path, deed)
        assert (error.code, error.expected) == ("E_TIMEOUT", "at most 1 s to read it")

    def test_processor_time(self, hostile: Hostile, path: Path) -> None:
        """The limit on processor time counts as the one on time."""
        assert failure(hostile, path, "xcpu").code == "E_TIMEOUT"

    def test_memory(self, hostile: Hostile, path: Path) -> None:
        """It gets no more memory than allowed."""
        error = failure(hostile, path, "allocate")
        assert (error.code, error.expected) == ("E_MEMORY", "at most 0.586 GiB of memory to read it")


class TestLies:
    """Answers that make no sense."""

    @pytest.mark.parametrize(
        ("answer", "found"),
        [
            ("{", "no JSON"),
            ("[" * 60_000, "no JSON"),
            ("\udcff", "no JSON"),
            ("[]", "no mapping"),
            ("NaN", "no mapping"),
            ("{}", "unknown parts"),
            (GOOD | {"more": 1}, "unknown parts"),
            (GOOD | {"shape": [4, 5]}, "not a list of 3"),
            (GOOD | {"shape": "456"}, "not a list of 3"),
            (GOOD | {"shape": [4, 5, 6.0]}, "no integers"),
            (GOOD | {"shape": [4, 5, True]}, "no integers"),
            (GOOD | {"shape": [4, 5, 0]}, "out of bounds"),
            (GOOD | {"shape": [-4, -5, 6]}, "out of bounds"),
            (GOOD | {"shape": [1, 1, 65535]}, "out of bounds"),
            (GOOD | {"shape": [10**4000, 1, 1]}, "out of bounds"),
            (GOOD | {"shape": [1024, 1024, 2]}, "more voxels than there is room for"),
            (GOOD | {"axes": [1, 2, 2]}, "no permutation"),
            (GOOD | {"axes": [0, 1, 2]}, "no permutation"),
            (GOOD | {"affine": "identity"}, "not a list of 4"),
            (GOOD | {"affine": ROWS[:3]}, "not a list of 4"),
            (GOOD | {"affine": [["2", "0", "0", "0"], *ROWS[1:]]}, "not of numbers"),
            (GOOD | {"affine": [*ROWS[:3], [0.0, 0.0, 0.0, 2.0]]}, "not affine"),
            (GOOD | {"affine": [[float("nan")] * 4, *ROWS[1:]]}, "that no file could have had"),
            (GOOD | {"affine": [[1e200] * 4, *ROWS[1:]]}, "that no file could have had"),
            (GOOD | {"affine": [ROWS[1], *ROWS[1:]]}, "that no file could have had"),
            (GOOD | {"notes": "all is well"}, "no short list"),
            (GOOD | {"notes": [""] * 51}, "no short list"),
            (GOOD | {"notes": ["x" * 2001]}, "too long"),
            (GOOD | {"notes": ["\x1b[2J"]}, "not printable"),
            (GOOD | {"notes": ["\ud800"]}, "not printable"),
            (ERROR | {"code": "E_QUOTA"}, "unknown error code"),
            (ERROR | {"found": 7}, "a text that is none"),
            (ERROR | {"advice": "::set-output name=x::y\n"}, "not printable"),
        ],
    )
    def test_header(self, hostile: Hostile, path: Path, answer: str | dict[str, object], found: str) -> None:
        """Whatever is not exactly as it should be is a crash, not a volume and not somebody else's error."""
        error = failure(hostile, path, f"say:{answer if isinstance(answer, str) else json.dumps(answer)}")
        assert error.code == "E_CRASH"
        assert error.found.startswith("an answer that makes no sense (")
        assert found in error.found

    @pytest.mark.parametrize("label", [26, 255])
    def test_labels(self, hostile: Hostile, path: Path, label: int) -> None:
        """A label beyond 25 in the last voxel is noticed."""
        assert "labels that are none" in failure(hostile, path, f"labels:{label}").found

    def test_a_good_answer_is_believed(self, hostile: Hostile, path: Path) -> None:
        """The lies above differ from this answer in one thing each."""
        with path.open("rb") as file:
            assert hostile.read(file, f"say:{json.dumps(GOOD)}").grid.shape == (4, 5, 6)
            with pytest.raises(FileError, match=r"E_FORMAT: .* expected this; found that\. Do it\."):
                hostile.read(file, f"say:{json.dumps(ERROR)}")
