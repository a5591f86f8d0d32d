"""Packing: the same label maps give the same bytes, and what was packed can be unpacked."""

from __future__ import annotations

import gzip
import hashlib
import tarfile
from typing import TYPE_CHECKING

import numpy as np
import pytest
from command_line import exit_code
from niftis import RAS_2MM, nifti_bytes, small_labels, write

from ctspine_bench.archives import members, pack, select_predictions
from ctspine_bench.errors import ArchiveError, CaseError, FileError, InputError, UsageError
from ctspine_bench.testsets import named, official
from ctspine_bench.volumes import read_labels

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LPS_2MM = RAS_2MM @ np.diag([-1.0, -1.0, 1.0, 1.0])
LPS_2MM[:2, 3] = [6.0, 8.0]  # the same corner, counted from the other side


def folder_of(tmp_path: Path, name: str, files: dict[str, bytes]) -> Path:
    """A folder of files, compressed where the name says so."""
    folder = tmp_path / name
    folder.mkdir()
    for file, content in files.items():
        write(folder / file, content)
    return folder


@pytest.fixture
def predictions(tmp_path: Path) -> Path:
    """Two cases as they come from a network."""
    labels = small_labels()
    return folder_of(
        tmp_path, "predictions", {f"{case}.nii.gz": nifti_bytes(labels) for case in ("liver_1", "HN_P001")}
    )


def test_round_trip(predictions: Path, tmp_path: Path) -> None:
    """What was packed comes out again, case by case, in order, with the digest and size that were told."""
    packed = pack(predictions, tmp_path / "out" / "x.tar")
    content = packed.path.read_bytes()
    assert (packed.sha256, packed.size) == (hashlib.sha256(content).hexdigest(), len(content))
    assert packed.cases == ("HN_P001", "liver_1")
    unpacked = []
    for member in members(packed.path, "x.tar", tmp_path):
        with member.file:
            (tmp_path / member.name).write_bytes(member.file.read())
        volume = read_labels(tmp_path / member.name)
        assert np.array_equal(volume.labels, small_labels())
        assert volume.notes == ()
        unpacked.append((member.name, member.case_id))
    assert unpacked == [("HN_P001.nii.gz", "HN_P001"), ("liver_1.nii.gz", "liver_1")]
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["x.tar"]


def test_nothing_of_the_machine_is_in_it(predictions: Path, tmp_path: Path) -> None:
    """Times, owners and modes are the same everywhere."""
    with tarfile.open(pack(predictions, tmp_path / "x.tar").path) as tar:
        for entry in tar:
            assert (entry.mtime, entry.uid, entry.gid, entry.uname, entry.gname) == (0, 0, 0, "", "")
            assert (entry.mode, entry.type) == (0o644, tarfile.REGTYPE)


def _variants() -> dict[str, Callable[[Path], Path]]:
    labels = small_labels()
    plain = nifti_bytes(labels)
    names = ("liver_1", "HN_P001")

    def stored(suffix: str, content: bytes) -> Callable[[Path], Path]:
        return lambda path: folder_of(path, "variant", {f"{name}{suffix}": content for name in names})

    def raw(content: bytes) -> Callable[[Path], Path]:
        def build(path: Path) -> Path:
            (path / "variant").mkdir()
            for name in names:
                (path / "variant" / f"{name}.nii.gz").write_bytes(content)
            return path / "variant"

        return build

    return {
        "uncompressed": stored(".nii", plain),
        "named _seg": stored("_seg.nii.gz", plain),
        "other compression": raw(gzip.compress(plain, 1, mtime=12345)),
        "two gzip members": raw(gzip.compress(plain[:400]) + gzip.compress(plain[400:])),
        "int16": stored(".nii.gz", nifti_bytes(labels.astype(np.int16))),
        "float64, big endian": stored(".nii.gz", nifti_bytes(labels.astype(np.float64), endianness=">")),
        "NIfTI-2": stored(".nii.gz", nifti_bytes(labels, version=2)),
        "qform in place of sform": stored(".nii.gz", nifti_bytes(labels, forms=(0, 1))),
        "scaled": stored(".nii.gz", nifti_bytes(labels * 2, scl_slope=0.5)),
        "with a description": stored(".nii.gz", nifti_bytes(labels, descrip=b"made by a network")),
        "negative zeros": stored(".nii.gz", nifti_bytes(labels, np.where(RAS_2MM == 0, -0.0, RAS_2MM))),
        "stored as LPS": stored(".nii.gz", nifti_bytes(labels[::-1, ::-1], LPS_2MM)),
    }


@pytest.mark.parametrize("variant", _variants().values(), ids=_variants())
def test_same_label_maps_same_bytes(predictions: Path, tmp_path: Path, variant: Callable[[Path], Path]) -> None:
    """However the same label maps are stored, their archive has the same digest."""
    assert pack(variant(tmp_path), tmp_path / "b.tar").sha256 == pack(predictions, tmp_path / "a.tar").sha256


def test_order_and_workers_do_not_matter(tmp_path: Path) -> None:
    """Many cases at a time give the bytes that one at a time gives."""
    labels = small_labels()
    folder = folder_of(tmp_path, "p", {f"liver_{i}.nii": nifti_bytes(np.roll(labels, i)) for i in range(9)})
    digests = {pack(folder, tmp_path / f"{n}.tar", workers=n).sha256 for n in (1, 4)}
    assert len(digests) == 1


def test_label_map(tmp_path: Path) -> None:
    """Values are translated, so that the archive holds labels 0–25."""
    labels = small_labels()
    labels[labels == 20] = 28  # VerSe's T13, which is background here
    folder = folder_of(tmp_path, "p", {"sub-verse500.nii.gz": nifti_bytes(labels)})
    packed = pack(folder, tmp_path / "x.tar", label_map="verse")
    (member,) = members(packed.path, "x.tar", tmp_path)
    with member.file:
        (tmp_path / "x.nii.gz").write_bytes(member.file.read())
    assert set(np.unique(read_labels(tmp_path / "x.nii.gz").labels)) == {0, 19, 21}


def test_test_set(predictions: Path, tmp_path: Path) -> None:
    """Of a test set exactly its cases are packed; the others are counted, and what is missing is named."""
    case_id = official("public").cases[0]  # type: ignore[index]
    write(predictions / f"{case_id}_seg.nii.gz", nifti_bytes(small_labels()))
    selection = select_predictions(predictions, test_set=official("public"))
    assert set(selection.cases) - {"liver_1", "HN_P001"} == {case_id}
    assert len(selection.missing) + len(selection.cases) == 197
    assert selection.n_left_out + len(selection.cases) == 3
    assert pack(predictions, tmp_path / "x.tar", test_set=official("public")).cases == tuple(selection.cases)
    phantom = select_predictions(predictions, test_set=named("phantom-public"))
    assert (len(phantom.cases), phantom.missing, phantom.n_left_out) == (3, (), 0)


def test_refusals(predictions: Path, tmp_path: Path) -> None:
    """All predictions are looked at, the first refusal is raised, and an archive that was there stays as it was."""
    (tmp_path / "x.tar").write_bytes(b"old")
    write(predictions / "a.nii.gz", nifti_bytes(np.full((2, 2, 2), 26, np.uint8)))
    (predictions / "b.nii.gz").write_bytes(b"")
    seen: dict[str, str | None] = {}

    def on_case(case_id: str, refusal: InputError | None) -> None:
        seen[case_id] = refusal.code if refusal else None

    with pytest.raises(InputError) as error:
        pack(predictions, tmp_path / "x.tar", on_case=on_case)
    assert error.value.code == "E_LABEL_RANGE"
    assert seen == {"a": "E_LABEL_RANGE", "b": "E_TRUNCATED", "liver_1": None, "HN_P001": None}
    assert (tmp_path / "x.tar").read_bytes() == b"old"
    assert {path.name for path in tmp_path.iterdir()} == {"predictions", "x.tar"}


def test_names_that_no_archive_may_hold(predictions: Path, tmp_path: Path) -> None:
    """What unpacking would refuse is refused here already."""
    write(predictions / "case 1.nii.gz", nifti_bytes(small_labels()))
    with pytest.raises(ArchiveError) as error:
        pack(predictions, tmp_path / "x.tar")
    assert error.value.code == "E_MEMBER"
    (predictions / "case 1.nii.gz").unlink()
    with pytest.raises(UsageError):
        pack(predictions, tmp_path / "x.zip")
    with pytest.raises(CaseError) as none:
        pack(predictions, tmp_path / "x.tar", test_set=named("private"))
    assert none.value.code == "E_MISSING_CASE"


def test_no_place_to_write(predictions: Path, tmp_path: Path) -> None:
    """An archive in a folder that is a file is an error of its own."""
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(FileError) as error:
        pack(predictions, tmp_path / "file" / "x.tar")
    assert error.value.code == "E_OUTPUT"


def test_command(
    predictions: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command prints what submission.yaml has to say about the archive."""
    assert (
        exit_code(monkeypatch, "submission", "pack", predictions, tmp_path / "x.tar", "--test-set", "phantom-public")
        == 0
    )
    packed = pack(predictions, tmp_path / "y.tar")
    out = capsys.readouterr().out
    assert "x.tar: 2 cases, 0.0 MB" in out
    assert out.endswith(
        "test_sets:\n  phantom-public:\n    url: https://zenodo.org/records/…/files/x.tar\n"
        f"    sha256: {packed.sha256}\n    size: {packed.size}\n"
    )


def test_command_names_what_is_missing(
    predictions: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A test set that is not complete is packed, and what is missing is said."""
    case_id = official("private").cases[0]  # type: ignore[index]
    write(predictions / f"{case_id}.nii.gz", nifti_bytes(small_labels()))
    assert exit_code(monkeypatch, "submission", "pack", predictions, tmp_path / "x.tar", "--test-set", "private") == 0
    done = capsys.readouterr()
    assert "1 of 198 cases, 2 of other test sets left out" in done.out
    assert "Missing: 197 cases" in done.err


def test_command_shows_every_refusal(
    predictions: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each refused prediction is an error with its file; the exit code is 1 and there is no archive."""
    for name in ("a", "b"):
        write(predictions / f"{name}.nii.gz", nifti_bytes(np.full((2, 2, 2), 26, np.uint8)))
    assert exit_code(monkeypatch, "submission", "pack", predictions, tmp_path / "x.tar") == 1
    done = capsys.readouterr()
    assert done.err.count("E_LABEL_RANGE") == 2
    assert "No archive: 2 of 4 predictions are refused." in done.err
    assert not (tmp_path / "x.tar").exists()
    assert exit_code(monkeypatch, "submission", "pack", predictions, tmp_path / "x.zip") == 2
    assert exit_code(monkeypatch, "submission", "pack", tmp_path / "missing", tmp_path / "x.tar") == 1
