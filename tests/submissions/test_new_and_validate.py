"""`submission new` and `submission validate` as a participant calls them."""

from __future__ import annotations

import hashlib
import json
import subprocess
from functools import partial
from typing import TYPE_CHECKING

import pytest
from benchmarks_on_disk import grid_of
from declarations import fields, text_of
from label_volumes import column

from ctspine_bench import write_labels
from ctspine_bench.archives import pack
from ctspine_bench.submissions.folder import FileEntry, check_files
from ctspine_bench.submissions.reading import read_declaration

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from command_line import Done

ADDRESS = "https://zenodo.org/records/1/files"


@pytest.fixture
def run(run: Callable[..., Done]) -> Callable[..., Done]:
    """Run ctspine-bench submission."""
    return partial(run, "submission")


@pytest.fixture
def archives(tmp_path: Path) -> Path:
    """Archives of three test sets: anything, as `new` looks at bytes alone."""
    folder = tmp_path / "archives"
    folder.mkdir()
    for name in ("public", "private", "verse"):
        (folder / f"{name}.tar").write_bytes(name.encode() * 100)
    return folder


FLAGS = (
    "--name", "SpineNet: 2", "--team", "Spine Group", "--contact", "spine@example.org", "--owner", "octocat",
    "--owner", "hubot", "--date", "2026-11-20", "--description", "Two stages.", "--licence", "CC-BY-4.0",
    "--training-data", "CTSpine1K training set", "--no-uses-verse", "--no-uses-test-cases",
)  # fmt: skip


def archive_flags(folder: Path, *names: str, prefix: str = "") -> list[object]:
    """The flags for the archives <name>.tar in a folder."""
    return [
        part for name in names for part in ("--archive", prefix + name, folder / f"{name}.tar", f"{ADDRESS}/{name}.tar")
    ]


class TestNew:
    """Writing the folder of a submission."""

    def test_from_flags(self, run: Callable[..., Done], archives: Path, tmp_path: Path) -> None:
        """All flags given, the folder is written with digests and sizes of the files; what comes next is printed."""
        more = (
            "--paper",
            "https://arxiv.org/abs/2105.14711",
            "--code",
            "https://github.com/o/r",
            "--training-comment",
            "None.",
        )
        flags = (*FLAGS, *more, *archive_flags(archives, "public", "private", "verse"))
        done = run("new", "spine-net", "--folder", tmp_path / "s", *flags)
        assert done.returncode == 0, done.stderr
        assert f"ctspine-bench submission validate {tmp_path}/s/spine-net --archives {archives}" in done.stdout
        declaration = read_declaration(tmp_path / "s" / "spine-net")
        assert (declaration.name, declaration.owners) == ("SpineNet: 2", ("octocat", "hubot"))
        assert (declaration.coverage, str(declaration.date)) == ("complete", "2026-11-20")
        assert (declaration.code, declaration.training.comment) == ("https://github.com/o/r", "None.")
        content = (archives / "verse.tar").read_bytes()
        verse = declaration.test_sets["verse"]
        assert (verse.sha256, verse.size) == (hashlib.sha256(content).hexdigest(), len(content))
        assert [path.name for path in (tmp_path / "s").rglob("*")] == ["spine-net", "submission.yaml"]

    def test_partial(self, run: Callable[..., Done], archives: Path, tmp_path: Path) -> None:
        """A reason makes the coverage partial."""
        flags = (*FLAGS, "--coverage-reason", "VerSe is running", *archive_flags(archives, "public", "private"))
        assert run("new", "spine-net", "--folder", tmp_path, *flags).returncode == 0
        assert read_declaration(tmp_path / "spine-net").coverage == "partial"

    def test_missing_flags_are_listed_at_once(self, run: Callable[..., Done], tmp_path: Path) -> None:
        """Without a terminal to ask on, one usage error names all that is missing, and nothing is written."""
        done = run("new", "spine-net", "--folder", tmp_path / "s", "--name", "SpineNet")
        assert done.returncode == 2
        assert done.stderr == (
            "Usage error: missing: --team, --contact, --owner, --description, --licence, --training-data, "
            "--uses-verse or --no-uses-verse, --uses-test-cases or --no-uses-test-cases, --archive; "
            "give them, or call this on a terminal to be asked\n"
        )
        assert not (tmp_path / "s").exists()

    def test_asked_on_a_terminal(self, run: Callable[..., Done], archives: Path, tmp_path: Path) -> None:
        """What is missing is asked for, an answer that is not valid once more; flags given are not asked for."""
        answers = [
            "=SUM(A1)", "SpineNet", "spine@example.org", "octo--cat", "octocat, hubot", "Two stages.", "CC-BY-4.0",
            "CTSpine1K training set; a hospital's scans", "n", "y", "no-such-file.tar", str(archives / "public.tar"),
            "http://zenodo.org/public.tar", f"{ADDRESS}/other.tar", f"{ADDRESS}/public.tar", "", "",
            "Only this one is done",
        ]  # fmt: skip
        done = run(
            "new", "spine-net", "--folder", tmp_path / "s", "--team", "Spine Group", typed="\n".join([*answers, ""])
        )
        assert done.returncode == 0, done.stderr
        assert "Team" not in done.stdout.partition("Written:")[0]
        assert done.stdout.count("Error: ") == 5
        declaration = read_declaration(tmp_path / "s" / "spine-net")
        assert (declaration.name, declaration.owners) == ("SpineNet", ("octocat", "hubot"))
        assert declaration.training.data == ("CTSpine1K training set", "a hospital's scans")
        assert (declaration.training.uses_verse, declaration.training.uses_test_cases) == (False, True)
        assert (declaration.coverage_reason, list(declaration.test_sets)) == ("Only this one is done", ["public"])

    @pytest.mark.parametrize(
        ("changes", "code", "text"),
        [
            (("--name", "<b>bold</b>"), 1, "E_FIELD  submission.yaml: name"),
            (("--contact", "nobody"), 1, "E_FIELD  submission.yaml: contact"),
            (("--archive", "public", "{}/verse.tar", f"{ADDRESS}/verse.tar"), 2, "found two for public"),
            (("--archive", "phantom-verse", "{}/verse.tar", f"{ADDRESS}/x.tar"), 2, "that name, found x.tar"),
            (("--archive", "phantom-verse", "{}/no.tar", f"{ADDRESS}/no.tar"), 1, "E_NOT_FOUND"),
        ],
    )  # fmt: skip
    def test_what_is_not_valid_is_not_written(
        self, run: Callable[..., Done], archives: Path, tmp_path: Path, changes: tuple[str, ...], code: int, text: str
    ) -> None:
        """One clear error, and no folder."""
        flags = (*FLAGS, *archive_flags(archives, "public", "private", "verse"))
        given = [change.format(archives) for change in changes]
        done = run("new", "spine-net", "--folder", tmp_path / "s", *flags, *given)
        assert done.returncode == code
        assert text in done.stderr
        assert not (tmp_path / "s").exists()

    def test_an_older_folder_stays(self, run: Callable[..., Done], archives: Path, tmp_path: Path) -> None:
        """An existing folder is never written to, and a name that no folder may have is refused first."""
        (tmp_path / "spine-net").mkdir()
        flags = (*FLAGS, *archive_flags(archives, "public", "private", "verse"))
        done = run("new", "spine-net", "--folder", tmp_path, *flags)
        assert (done.returncode, list((tmp_path / "spine-net").iterdir())) == (2, [])
        done = run("new", "../Spine", "--folder", tmp_path, *flags)
        assert done.returncode == 1
        assert done.stderr.startswith("E_SLUG")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of a valid submission."""
    path = tmp_path / "submissions" / "spine-net"
    path.mkdir(parents=True)
    (path / "submission.yaml").write_bytes(text_of(fields()))
    return path


class TestValidate:
    """Checking a folder as the organizers will."""

    def test_a_valid_folder(self, run: Callable[..., Done], folder: Path) -> None:
        """It is said to be valid, with a summary of what is declared."""
        done = run("validate", folder)
        assert (done.returncode, done.stderr) == (0, "")
        assert "✓ spine-net is a valid submission." in done.stdout
        assert "Spine Group (spine@example.org)" in done.stdout
        assert "verse: verse.tar, 1,000 bytes" in done.stdout

    def test_the_words_are_those_of_the_pull_request_check(self, run: Callable[..., Done], folder: Path) -> None:
        """Every problem that `check_files` finds is printed with its code, place, expectation, finding and advice."""
        content = text_of(fields(name="<b>", team=..., coverage="most"))
        (folder / "submission.yaml").write_bytes(content)
        (folder / "run.py").write_text("print()")
        done = run("validate", folder)
        assert (done.returncode, done.stdout) == (1, "")
        names = ("submission.yaml", "run.py")
        entries = [FileEntry(f"submissions/spine-net/{name}", "100644", 1, lambda: content) for name in names]
        _, problems = check_files("spine-net", entries)
        assert len(problems) == 4
        printed = " ".join(done.stderr.split())
        for problem in problems:
            for part in (f"✗ {problem.code} {problem.path}", problem.expected, problem.found, problem.advice):
                assert " ".join(part.split()) in printed
        assert printed.endswith("4 problems with spine-net.")

    def test_links_and_programs_are_seen(self, run: Callable[..., Done], folder: Path) -> None:
        """The mode of a file on disk is what git would record."""
        (folder / "submission.yaml").chmod(0o755)
        assert "an executable file" in run("validate", folder).stderr
        (folder / "submission.yaml").rename(folder.parent / "elsewhere.yaml")
        (folder / "submission.yaml").symlink_to(folder.parent / "elsewhere.yaml")
        assert "a symbolic link" in run("validate", folder).stderr

    def test_result_files(self, run: Callable[..., Done], folder: Path) -> None:
        """They are a warning where git would not commit them, an error where it would."""
        (folder / "results.json").write_text("{}")
        done = run("validate", folder)
        assert (done.returncode, "leave results.json out of the pull request" in done.stderr) == (0, True)

        def git(*arguments: str) -> None:
            author = ("-c", "user.name=Name", "-c", "user.email=name@example.org")
            subprocess.run(["git", *author, *arguments], cwd=folder.parent, check=True, capture_output=True)

        git("init", "--quiet")
        done = run("validate", folder)
        assert (done.returncode, "E_RESULTS" in done.stderr) == (1, True)
        (folder.parent / ".gitignore").write_text("*.json\n.DS_Store\n")
        (folder / ".DS_Store").write_text("x")
        assert run("validate", folder).returncode == 0
        git("add", "--force", ".")
        git("commit", "--quiet", "--message", "Results")
        (folder / ".DS_Store").unlink()
        assert run("validate", folder).returncode == 0
        (folder / "results.json").write_text("{ }")
        assert run("validate", folder).returncode == 1

    def test_a_host_that_is_not_fetched_from_is_a_warning(self, run: Callable[..., Done], folder: Path) -> None:
        """The organizers may add it; without, their fetch would refuse it."""
        text = (folder / "submission.yaml").read_text().replace("zenodo.org", "files.example.org")
        (folder / "submission.yaml").write_text(text)
        done = run("validate", folder)
        assert done.returncode == 0
        assert "do not fetch archives from files.example.org" in " ".join(done.stderr.split())

    @pytest.mark.parametrize(
        ("arguments", "code", "text"),
        [
            (("nowhere",), 1, "E_NOT_FOUND"),
            ((".",), 1, "E_NOT_FOUND"),
            (("submissions/spine-net", "--references", "."), 2, "--references needs --archives"),
        ],
    )
    def test_wrong_calls(
        self,
        run: Callable[..., Done],
        folder: Path,
        monkeypatch: pytest.MonkeyPatch,
        arguments: tuple[str, ...],
        code: int,
        text: str,
    ) -> None:
        """A folder that is none, one without submission.yaml, and references without predictions."""
        monkeypatch.chdir(folder.parents[1])
        done = run("validate", *arguments)
        assert done.returncode == code
        assert text in done.stderr


@pytest.fixture
def benchmark(tmp_path: Path) -> Path:
    """References of a phantom test set with two cases, and archives of predictions of them."""
    root = tmp_path / "benchmark"
    cases = ("phantom-a", "phantom-b")
    for case_id in cases:
        for place in (root / "public" / "labels", tmp_path / "predictions"):
            place.mkdir(parents=True, exist_ok=True)
            labels = column(first=18)
            write_labels(place / f"{case_id}.nii.gz", labels, grid_of(labels))
    (root / "phantom.json").write_text(json.dumps({"cases": {case_id: {"test_set": "public"} for case_id in cases}}))
    (tmp_path / "archives").mkdir(exist_ok=True)
    pack(tmp_path / "predictions", tmp_path / "archives" / "public.tar")
    return root


def test_archives_are_read_and_scored(run: Callable[..., Done], benchmark: Path, tmp_path: Path) -> None:
    """With archives and references: digests compared, predictions read, a table for each test set."""
    flags = (
        *FLAGS,
        "--coverage-reason",
        "One set only",
        *archive_flags(tmp_path / "archives", "public", prefix="phantom-"),
    )
    assert run("new", "spine-net", "--folder", tmp_path / "s", *flags).returncode == 0
    done = run("validate", tmp_path / "s" / "spine-net", "--archives", tmp_path / "archives", "--references", benchmark)
    assert done.returncode == 0, done.stderr
    assert "phantom-public · 2 cases" in done.stdout
    assert "Mean of Vertebrae" in done.stdout
    assert "as declared, and all label maps can be read" in done.stdout
    done = run(
        "validate", tmp_path / "s" / "spine-net", "--archives", tmp_path / "archives", "--references", tmp_path / "s"
    )
    assert done.returncode == 0
    assert "phantom-public is not scored" in " ".join(done.stderr.split())


def test_archives_that_are_not_as_declared(run: Callable[..., Done], benchmark: Path, tmp_path: Path) -> None:
    """Another digest, and a prediction that cannot be read, are problems among the others."""
    archive = tmp_path / "archives" / "public.tar"
    flags = (*FLAGS, "--coverage-reason", "One set only", *archive_flags(archive.parent, "public", prefix="phantom-"))
    content = archive.read_bytes()
    start = content.index(b"\x1f\x8b")
    archive.write_bytes(content[: start + 40] + b"\x00" * 40 + content[start + 80 :])
    assert run("new", "spine-net", "--folder", tmp_path / "s", *flags).returncode == 0
    done = run("validate", tmp_path / "s" / "spine-net", "--archives", archive.parent, "--references", benchmark)
    assert done.returncode == 1
    assert "✗ E_CORRUPT" in done.stderr
    assert "1 problem with spine-net." in done.stderr
    archive.write_bytes(content)
    done = run("validate", tmp_path / "s" / "spine-net", "--archives", archive.parent)
    assert done.returncode == 1
    assert "✗ E_DIGEST" in done.stderr
