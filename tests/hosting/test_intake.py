"""Predictions come in whole or not at all: each as a canonical file or as a refusal that names it."""

from __future__ import annotations

import errno
import json
import os
import sys
from contextlib import contextmanager, nullcontext
from types import SimpleNamespace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from archived import prediction, write_tar
from niftis import nifti_bytes, small_labels

from ctspine_bench.archives import Limits
from ctspine_bench.archives import members as real_members
from ctspine_bench.cli import main
from ctspine_bench.errors import ArchiveError, CaseError, FileError, InputError, LabelError, UsageError
from ctspine_bench.hosting import intake as intake_module
from ctspine_bench.hosting.intake import PREDICTIONS, Intake, fetch_submission, fetch_test_set, read_intake, take_in
from ctspine_bench.isolation import IsolatedReader
from ctspine_bench.submissions.declaration import Declaration
from ctspine_bench.testsets import official
from ctspine_bench.volumes import read_labels

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ctspine_bench.submissions.declaration import Archive

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="isolation works on Linux alone")

GOOD = [("a.nii.gz", prediction(1)), ("sub/b_seg.nii.gz", prediction(2)), ("c.nii", prediction(3, compressed=False))]
BAD = ("d.nii.gz", prediction(99))


@pytest.fixture(scope="module")
def shared_reader() -> Iterator[IsolatedReader]:
    """A reader for all tests that have one worker: a helper takes half a second to start."""
    with IsolatedReader() as reader:
        reader._local = SimpleNamespace()  # type: ignore[assignment]
        yield reader


@pytest.fixture(autouse=True)
def one_helper(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, shared_reader: IsolatedReader) -> None:
    """Tests use the shared reader, unless they ask for `several_helpers`."""
    if "several_helpers" not in request.fixturenames:
        monkeypatch.setattr(intake_module, "IsolatedReader", lambda: nullcontext(shared_reader))


@pytest.fixture
def several_helpers() -> None:
    """For tests with several workers."""


def taken(tmp_path: Path, members: list[tuple[str, bytes]], *, name: str = "mine.tar", **options: object) -> Intake:
    """What comes of an archive with these members, in a folder `name` without its suffix."""
    archive = write_tar(tmp_path / name, members)
    folder = tmp_path / name.removesuffix(".tar")
    return take_in(archive, "verse", tmp_path / name, folder, **{"workers": 1, **options})  # type: ignore[arg-type]


def names(folder: Path) -> list[str]:
    """What is in a folder, hidden files included."""
    return sorted(file.name for file in folder.iterdir())


def declaration(**test_sets: Archive) -> Declaration:
    """A declaration with these archives."""
    content = {
        "schema_version": 1,
        "kind": "scored",
        "name": "Mine",
        "team": "We",
        "contact": "we@example.org",
        "owners": ["me"],
        "date": "2026-01-01",
        "description": "It works.",
        "licence": "CC0",
        "training": {"data": ["CTSpine1K"], "uses_verse": False, "uses_test_cases": False},
        "coverage": "partial",
        "coverage_reason": "A test.",
        "test_sets": {name: archive.model_dump() for name, archive in test_sets.items()},
    }
    return Declaration.model_validate_json(json.dumps(content))


class TestTakeIn:
    """From an archive to canonical files."""

    def test_canonical_files(self, tmp_path: Path) -> None:
        """Whatever the names and compression in the archive, there is one file for each case with the same labels."""
        intake = taken(tmp_path, GOOD)
        assert names(intake.folder) == ["a.nii.gz", "b.nii.gz", "c.nii.gz", PREDICTIONS]
        for case_id, label in zip("abc", (1, 2, 3), strict=True):
            volume = read_labels(intake.folder / f"{case_id}.nii.gz")
            assert np.unique(volume.labels).tolist() == [0, label]
            assert volume.sha256 == intake.cases[case_id].sha256
        assert [case.member for case in intake.cases.values()] == ["a.nii.gz", "sub/b_seg.nii.gz", "c.nii"]

    def test_the_grid_stays(self, tmp_path: Path) -> None:
        """Oblique and reoriented: shape, position and labels are those of the file as sent, and its notes are kept."""
        tilt = np.array([[0.9, -0.1, 0, 4], [0.1, 0.9, 0, 5], [0, 0, -2, 9.125], [0, 0, 0, 1]])
        content = nifti_bytes(small_labels(), tilt)
        (tmp_path / "sent.nii").write_bytes(content)
        sent = read_labels(tmp_path / "sent.nii")
        intake = taken(tmp_path, [("a.nii", content)])
        canonical = read_labels(intake.folder / "a.nii.gz")
        assert canonical.labels.tolist() == sent.labels.tolist()
        np.testing.assert_allclose(canonical.grid.affine, sent.grid.affine, atol=1e-5)
        assert intake.cases["a"].notes == sent.notes
        assert "stored as RAI" in sent.notes[0]

    def test_a_refusal_has_all_parts(self, tmp_path: Path) -> None:
        """What cannot be used leaves no file, and says what is wrong with which member of which archive."""
        intake = taken(tmp_path, [*GOOD, BAD])
        error = intake.refused["d"]
        assert isinstance(error, LabelError)
        assert (error.code, error.path) == ("E_LABEL_RANGE", "mine.tar: d.nii.gz")
        assert error.expected == "labels 0–25"
        assert error.found == "16 voxels with the values 99"
        assert error.advice.endswith(".")
        assert "d.nii.gz" not in names(intake.folder)

    def test_as_case_files(self, tmp_path: Path) -> None:
        """The scorer gets all cases, sorted; one that was refused raises its refusal when it is looked at."""
        files = taken(tmp_path, [BAD, *GOOD]).case_files()
        assert list(files) == ["a", "b", "c", "d"]
        files["a"].check()
        with pytest.raises(LabelError, match=r"mine\.tar: d\.nii\.gz"):
            files["d"].check()

    @pytest.mark.usefixtures("several_helpers")
    def test_the_digest_knows_no_order(self, tmp_path: Path) -> None:
        """The same predictions have the same digest: in any order, storage and number of threads."""
        first = taken(tmp_path, [*GOOD, BAD])
        again = [(name.replace("_seg", ""), content) for name, content in reversed([*GOOD, BAD])]
        again[-1] = ("a.nii.gz", prediction(1, dtype=np.int16))
        assert taken(tmp_path, again, name="again.tar", workers=3).digest == first.digest
        assert taken(tmp_path, GOOD, name="less.tar").digest != first.digest
        assert taken(tmp_path, [*GOOD[1:], ("a.nii.gz", prediction(4)), BAD], name="x.tar").digest != first.digest

    @pytest.mark.parametrize("order", [1, -1])
    def test_two_members_for_one_case(self, tmp_path: Path, order: int) -> None:
        """Neither can be trusted to be meant: a refusal that names both, in whichever order they came, and no file."""
        rivals = [("a_seg.nii.gz", prediction(5)), ("z/a.nii.gz", prediction(6))]
        intake = taken(tmp_path, [GOOD[1], *rivals[::order]])
        assert list(intake.cases) == ["b"]
        error = intake.refused["a"]
        assert isinstance(error, CaseError)
        assert (error.code, error.path) == ("E_DUPLICATE_CASE", "mine.tar: a_seg.nii.gz")
        assert error.found == "others as well: z/a.nii.gz"
        assert names(intake.folder) == ["b.nii.gz", PREDICTIONS]

    def test_cases_of_other_test_sets_are_skipped(self, tmp_path: Path) -> None:
        """Where the cases of a set are known, others are counted and not read, good or not."""
        case_id = (official("public").cases or ())[0]
        archive = write_tar(tmp_path / "x.tar", [(f"{case_id}.nii.gz", prediction()), *GOOD, BAD])
        intake = take_in(archive, "public", tmp_path / "x.tar", tmp_path / "out", workers=1)
        assert list(intake.cases) == [case_id]
        assert intake.refused == {}
        assert intake.n_skipped == 4

    def test_the_caller_hears_of_each_case(self, tmp_path: Path) -> None:
        """Once for each, with the refusal if there is one."""
        heard: dict[str, str | None] = {}
        taken(tmp_path, [*GOOD, BAD], on_case=lambda case_id, error: heard.update({case_id: error and error.code}))
        assert heard == {"a": None, "b": None, "c": None, "d": "E_LABEL_RANGE"}

    @pytest.mark.usefixtures("several_helpers")
    def test_few_members_wait(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Beyond those that are being read, one member waits and one is being unpacked: never the whole archive."""
        still_open = []

        def counted(*arguments: object) -> Iterator[object]:
            files = []
            for member in real_members(*arguments):  # type: ignore[arg-type]
                files.append(member.file)
                still_open.append(sum(not file.closed for file in files))
                yield member

        monkeypatch.setattr(intake_module, "members", counted)
        taken(tmp_path, [(f"{number}.nii.gz", prediction()) for number in range(20)], workers=2)
        assert len(still_open) == 20
        assert max(still_open) <= 4


class TestWholeOrNotAtAll:
    """`predictions.json` is there when everything is."""

    def test_it_is_read_back(self, tmp_path: Path) -> None:
        """A finished intake reads back as it was, refusals with all their parts."""
        intake = taken(tmp_path, [*GOOD, BAD])
        again = read_intake(intake.folder)
        assert again is not None
        assert (again.test_set, again.archive, again.cases, again.n_skipped) == (
            "verse",
            intake.archive,
            intake.cases,
            0,
        )
        assert str(again.refused["d"]) == str(intake.refused["d"])
        assert type(again.refused["d"]) is LabelError
        assert again.digest == intake.digest

    @pytest.mark.parametrize("content", ["", "{}", "[]", "null", '{"schema_version": 2}', "\udcff"])
    def test_what_cannot_be_read_is_not_finished(self, tmp_path: Path, content: str) -> None:
        """Another layout or none is not believed."""
        intake = taken(tmp_path, GOOD[:1])
        (intake.folder / PREDICTIONS).write_bytes(content.encode("utf-8", "surrogateescape"))
        assert read_intake(intake.folder) is None

    def test_what_another_version_has_read_is_not_finished(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Another version may read and refuse other files."""
        intake = taken(tmp_path, GOOD[:1])
        monkeypatch.setattr("ctspine_bench.hosting.intake_record.__version__", "99.0")
        assert read_intake(intake.folder) is None

    def test_a_folder_with_a_file_missing_is_not_finished(self, tmp_path: Path) -> None:
        """Nor is one whose files were taken away."""
        intake = taken(tmp_path, GOOD)
        (intake.folder / "b.nii.gz").unlink()
        assert read_intake(intake.folder) is None

    def test_an_archive_that_breaks_in_the_middle(self, tmp_path: Path) -> None:
        """All is wrong with an archive that has something else in it after good members: nothing counts as taken in."""
        with pytest.raises(ArchiveError, match=r"E_MEMBER: mine\.tar: "):
            taken(tmp_path, [*GOOD, ("model.py", b"import os")])
        assert names(tmp_path / "mine") == []

    @pytest.mark.usefixtures("several_helpers")
    def test_small_archives_of_large_predictions(self, tmp_path: Path) -> None:
        """What is written anew is limited altogether; beyond the limit nothing is left, and the next run may begin."""
        n_bytes = sum(file.stat().st_size for file in taken(tmp_path, GOOD).folder.glob("*.gz"))
        with pytest.raises(ArchiveError) as caught:
            taken(tmp_path, GOOD, limits=Limits(canonical_bytes=n_bytes - 1), workers=2)
        error = caught.value
        assert (error.code, error.path) == ("E_LIMIT", "mine.tar")
        assert error.expected == f"label maps that take at most {n_bytes - 1} bytes when written anew"
        assert names(tmp_path / "mine") == []
        assert len(taken(tmp_path, GOOD, limits=Limits(canonical_bytes=n_bytes)).cases) == 3

    def test_cases_of_an_open_test_set(self, tmp_path: Path) -> None:
        """Where no list says which cases there are, four times as many may come as there should be."""
        members = [(f"{number}.nii", b"") for number in range(165)]
        assert len(taken(tmp_path, members[1:]).refused) == 164
        with pytest.raises(ArchiveError, match=r"E_LIMIT: mine\.tar: expected label maps of at most 164 cases"):
            taken(tmp_path, members)
        assert names(tmp_path / "mine") == []

    @pytest.mark.parametrize("full", ["b.nii.gz", PREDICTIONS])
    def test_a_full_disk(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, full: str) -> None:
        """A typed error that names the folder alone, and room again: whichever file did not fit."""

        def sync(path: Path) -> None:
            if full in path.name:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

        monkeypatch.setattr("ctspine_bench.files._sync", sync)
        with pytest.raises(FileError) as caught:
            taken(tmp_path, GOOD)
        error = caught.value
        assert (error.code, error.path) == ("E_OUTPUT", str(tmp_path / "mine"))
        assert (error.expected, error.found) == ("room for the predictions", "No space left on device")
        assert names(tmp_path / "mine") == []

    @pytest.mark.usefixtures("several_helpers")
    def test_a_run_that_was_interrupted(self, tmp_path: Path) -> None:
        """What it leaves is not finished, and the next run does it all again."""

        def interrupt(*_: object) -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            taken(tmp_path, GOOD, on_case=interrupt)
        assert read_intake(tmp_path / "mine") is None
        assert names(taken(tmp_path, GOOD).folder) == ["a.nii.gz", "b.nii.gz", "c.nii.gz", PREDICTIONS]

    def test_nothing_of_an_earlier_intake_stays(self, tmp_path: Path) -> None:
        """A folder holds what its archive holds."""
        taken(tmp_path, GOOD)
        assert names(taken(tmp_path, GOOD[:1]).folder) == ["a.nii.gz", PREDICTIONS]

    def test_other_files_are_not_touched(self, tmp_path: Path) -> None:
        """A folder with files from elsewhere is refused, and they stay."""
        (tmp_path / "mine").mkdir()
        (tmp_path / "mine" / "a.nii.gz").write_bytes(b"precious")
        with pytest.raises(FileError, match=r"E_OUTPUT: .* other files, such as a\.nii\.gz"):
            taken(tmp_path, GOOD)
        assert (tmp_path / "mine" / "a.nii.gz").read_bytes() == b"precious"

    def test_unknown_test_set(self, tmp_path: Path) -> None:
        """A test set that does not exist is wrong usage."""
        archive = write_tar(tmp_path / "x.tar", GOOD)
        with pytest.raises(UsageError, match="a test set out of"):
            take_in(archive, "secret", tmp_path / "x.tar", tmp_path / "out")


class TestFetching:
    """From a declaration to canonical files."""

    def test_from_a_local_folder(self, tmp_path: Path) -> None:
        """Archives that are there already are found by their names, each test set goes to a folder of its own."""
        declared = declaration(
            **{
                "phantom-public": write_tar(tmp_path / "public.tar", GOOD),
                "phantom-verse": write_tar(tmp_path / "verse.tar", GOOD[:1]),
            }
        )
        intakes = fetch_submission(declared, tmp_path / "out", archives=tmp_path, workers=1)
        assert {name: list(intake.cases) for name, intake in intakes.items()} == {
            "phantom-public": ["a", "b", "c"],
            "phantom-verse": ["a"],
        }
        assert names(tmp_path / "out") == ["phantom-public", "phantom-verse"]

    def test_what_is_done_is_not_done_again(self, tmp_path: Path) -> None:
        """The second time the archive need not even be there; another archive is taken in anew."""
        archive = write_tar(tmp_path / "x.tar", GOOD)
        first = fetch_test_set(archive, "verse", tmp_path / "out", archives=tmp_path, workers=1)
        (tmp_path / "x.tar").unlink()
        again = fetch_test_set(archive, "verse", tmp_path / "out", archives=tmp_path, workers=1)
        assert (again.cases, again.digest) == (first.cases, first.digest)
        other = write_tar(tmp_path / "x.tar", GOOD[:1])
        assert list(fetch_test_set(other, "verse", tmp_path / "out", archives=tmp_path, workers=1).cases) == ["a"]

    @pytest.mark.parametrize(
        ("change", "code"), [({"sha256": "0" * 64}, "E_DIGEST"), ({"size": 7}, "E_SIZE"), ({}, "E_NOT_FOUND")]
    )
    def test_another_file_than_declared(self, tmp_path: Path, change: dict[str, object], code: str) -> None:
        """A local archive is checked like a downloaded one; errors have its name, and no path of this machine."""
        archive = write_tar(tmp_path / "x.tar", GOOD).model_copy(update=change)
        folder = tmp_path if change else tmp_path / "elsewhere"
        with pytest.raises(InputError) as caught:
            fetch_test_set(archive, "verse", tmp_path / "out", archives=folder)
        assert caught.value.code == code
        assert str(tmp_path) not in str(caught.value)
        assert not (tmp_path / "out").exists()

    def test_downloading(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Downloads are kept beside the test sets, named by their digest, and progress is told for each test set."""
        archive = write_tar(tmp_path / "x.tar", GOOD)
        calls = []

        def fetch(url: str, sha256: str, size: int, path: Path, *, hosts: object, on_bytes: object) -> None:
            calls.append((url, sha256, size, hosts))
            path.parent.mkdir(parents=True)
            path.write_bytes((tmp_path / "x.tar").read_bytes())
            on_bytes(size)  # type: ignore[operator]

        class Told:
            heard: list[object] = []  # noqa: RUF012

            def on_bytes(self, n_bytes: int) -> None:
                self.heard.append(n_bytes)

            def on_case(self, case_id: str, refusal: InputError | None) -> None:
                self.heard.append(f"{case_id} {refusal}")

        @contextmanager
        def progress(test_set: str, declared: Archive) -> Iterator[Told]:
            Told.heard.append((test_set, declared))
            yield Told()

        monkeypatch.setattr(intake_module, "fetch", fetch)
        fetch_submission(declaration(verse=archive), tmp_path / "out", hosts=["my.host"], workers=1, progress=progress)
        assert calls == [(archive.url, archive.sha256, archive.size, ["my.host"])]
        assert names(tmp_path / "out" / "archives") == [f"{archive.sha256}-x.tar"]
        assert Told.heard[:2] == [("verse", archive), archive.size]
        assert sorted(map(str, Told.heard[2:])) == ["a None", "b None", "c None"]


class TestCommand:
    """`ctspine-bench submission fetch`."""

    def fetch(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, declared: Declaration) -> int:
        """Its exit code, for a submission with this declaration and archives in `tmp_path`."""
        folder = tmp_path / "mine"
        folder.mkdir()
        text = declared.model_dump_json(exclude_none=True)  # JSON is YAML, but for the date
        (folder / "submission.yaml").write_text(text.replace('"2026-01-01"', "2026-01-01"))
        command = ["submission", "fetch", folder, "--output", tmp_path / "out", "--archives", tmp_path, "--workers", 1]
        monkeypatch.setattr(sys, "argv", ["ctspine-bench", *map(str, command)])
        monkeypatch.setenv("COLUMNS", "120")
        with pytest.raises(SystemExit) as stop:
            main()
        return int(stop.value.code or 0)

    def test_refused_cases_are_part_of_the_score(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """They are listed with what is wrong, counted in the table, and no reason to fail."""
        declared = declaration(verse=write_tar(tmp_path / "v.tar", [*GOOD, BAD]))
        assert self.fetch(tmp_path, monkeypatch, declared) == 0
        output = capsys.readouterr()
        assert "E_LABEL_RANGE  v.tar: d.nii.gz" in output.err
        row = next(line for line in output.out.splitlines() if "v.tar" in line)
        assert [cell.strip() for cell in row.strip("│ ").split("│")] == ["verse", "v.tar", "3", "1", "0"]

    def test_all_test_sets_are_tried(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """One archive that fails as a whole makes the exit code 1; the others are taken in all the same."""
        broken = write_tar(tmp_path / "p.tar", GOOD).model_copy(update={"sha256": "0" * 64})
        good = write_tar(tmp_path / "v.tar", GOOD)
        declared = declaration(**{"phantom-public": broken, "phantom-verse": good})
        assert self.fetch(tmp_path, monkeypatch, declared) == 1
        output = capsys.readouterr()
        assert output.err.startswith("phantom-verse: reading")  # no empty line for the one that failed at once
        assert "E_DIGEST  p.tar" in output.err
        assert "E_DIGEST" in output.out
        assert read_intake(tmp_path / "out" / "phantom-verse") is not None
