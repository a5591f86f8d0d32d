"""An export takes the place of an earlier one as a whole, and of nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
from exported_sites import CREATED, export

from ctspine_bench.board import Board
from ctspine_bench.board.cache import Cache
from ctspine_bench.errors import FileError
from ctspine_leaderboard.export import folders, write_site
from ctspine_leaderboard.export.folders import LISTING, listing, replacing_folder
from ctspine_leaderboard.settings import Settings


class _Killed(BaseException):
    """What no code can expect."""


def write(folder: Path, content: str) -> None:
    """Write what stands for an export: two files and the listing."""
    with replacing_folder(folder) as temporary:
        (temporary / "pages").mkdir()
        for name in ("index.html", "pages/one.html"):
            (temporary / name).write_text(content)
        (temporary / LISTING).write_bytes(listing(["index.html", "pages/one.html"], {}))


def write_until(folder: Path, stopped_by: type[BaseException]) -> None:
    """Begin to write an export and be stopped by an exception."""
    with replacing_folder(folder) as temporary:
        (temporary / "index.html").write_text("new")
        raise stopped_by


def contents(folder: Path) -> dict[str, str]:
    """What is in the pages of a folder."""
    return {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*.html")}


def hidden(folder: Path) -> list[Path]:
    """What was left beside a folder."""
    return [path for path in folder.parent.iterdir() if path.name.startswith(".")]


OLD = {"index.html": "old", "pages/one.html": "old"}
NEW = {"index.html": "new", "pages/one.html": "new"}


def test_an_earlier_export_is_replaced(tmp_path: Path) -> None:
    """All files are new, files that the new export lacks are gone, and nothing is left beside the folder."""
    folder = tmp_path / "deep" / "site"
    write(folder, "old")
    assert contents(folder) == OLD
    write(folder, "new")
    assert contents(folder) == NEW
    assert hidden(folder) == []
    with replacing_folder(folder) as temporary:
        (temporary / LISTING).write_bytes(listing([], {}))
    assert contents(folder) == {}


def test_an_empty_folder_is_used(tmp_path: Path) -> None:
    """An empty folder is as good as none; so is one that a link leads to, and the link stays."""
    (tmp_path / "empty").mkdir()
    write(tmp_path / "empty", "new")
    assert contents(tmp_path / "empty") == NEW
    (tmp_path / "target").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "target")
    write(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink()
    assert contents(tmp_path / "target") == NEW


@pytest.mark.parametrize("kind", [RuntimeError, KeyboardInterrupt, _Killed])
def test_an_interrupted_export_leaves_the_old_one(tmp_path: Path, kind: type[BaseException]) -> None:
    """Whatever stops it, the old files stay as they were and the new ones are gone."""
    folder = tmp_path / "site"
    write(folder, "old")
    with pytest.raises(kind):
        write_until(folder, kind)
    assert contents(folder) == OLD
    assert hidden(folder) == []


def test_an_interrupted_site_leaves_the_old_one(made_folder: Path, tmp_path: Path) -> None:
    """A whole export that is stopped after some pages leaves the one that was there, file by file."""
    board = Board(made_folder / "nothing", cache=Cache(None))
    before = export(board, tmp_path / "site").files()

    class _Progress:
        def expect(self, total: int) -> None:
            assert total == 10

        def done(self, what: str) -> None:
            if what.startswith("vertebrae"):
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_site(board, Settings(), tmp_path / "site", CREATED.replace(year=2027), progress=_Progress())
    files = {
        path.relative_to(tmp_path / "site").as_posix() for path in (tmp_path / "site").rglob("*") if path.is_file()
    }
    assert {name: (tmp_path / "site" / name).read_bytes() for name in files} == before
    assert hidden(tmp_path / "site") == []


@pytest.mark.parametrize("step", ["written", "between"])
def test_a_killed_export_is_mended_by_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    """A process that is killed tidies nothing up: the next call brings the old folder back and removes the rest."""
    folder = tmp_path / "site"
    write(folder, "old")
    monkeypatch.setattr(folders.shutil, "rmtree", lambda *_, **__: None)
    if step == "between":
        rename = Path.rename

        def killed(self: Path, target: Path) -> Path:
            if self.name.endswith(".part"):
                raise _Killed
            return rename(self, target)

        monkeypatch.setattr(Path, "rename", killed)
        with pytest.raises(_Killed):
            write(folder, "new")
        assert not folder.exists()
    else:
        with pytest.raises(_Killed):
            write_until(folder, _Killed)
    monkeypatch.undo()
    assert hidden(folder)
    with pytest.raises(_Killed):
        write_until(folder, _Killed)
    assert contents(folder) == OLD
    assert hidden(folder) == []


def test_a_folder_that_cannot_be_renamed_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the new folder cannot take its place, the old one is there again."""
    folder = tmp_path / "site"
    write(folder, "old")
    rename = Path.rename

    def refused(self: Path, target: Path) -> Path:
        if self.name.endswith(".part"):
            raise PermissionError(13, "Permission denied", str(self))
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", refused)
    with pytest.raises(PermissionError):
        write(folder, "new")
    assert contents(folder) == OLD


@pytest.mark.parametrize("name", ["CNAME", "pages/notes.txt", ".git/config"])
def test_a_folder_with_other_files_is_refused(tmp_path: Path, name: str) -> None:
    """A file that no export has written is named, and nothing is touched."""
    folder = tmp_path / "site"
    write(folder, "old")
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text("mine")
    with pytest.raises(FileError) as caught:
        write(folder, "new")
    assert (caught.value.code, caught.value.found) == ("E_OUTPUT", name)
    assert contents(folder) == OLD
    assert (folder / name).read_text() == "mine"


def test_a_folder_without_a_listing_is_refused(tmp_path: Path) -> None:
    """Files that look like an export are not enough; a listing that is none, or a file in its place, neither."""
    for number, content in enumerate((None, "[]", '{"files": ["index.html"]}', "no JSON")):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "index.html").write_text("mine")
        if content is not None:
            (folder / LISTING).write_text(content)
        with pytest.raises(FileError, match="E_OUTPUT"):
            write(folder, "new")
        assert contents(folder) == {"index.html": "mine"}
    with pytest.raises(FileError, match="found a file"):
        write(tmp_path / "0" / "index.html", "new")


def test_a_link_in_an_export_is_no_file_of_it(tmp_path: Path) -> None:
    """A link to a folder is refused, not followed: what it leads to stays."""
    folder = tmp_path / "site"
    write(folder, "old")
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "one").write_text("mine")
    (folder / "link").symlink_to(tmp_path / "precious")
    with pytest.raises(FileError, match="link"):
        write(folder, "new")
    assert (tmp_path / "precious" / "one").read_text() == "mine"


def test_names_with_wildcards_are_names(tmp_path: Path) -> None:
    """Tidying up beside `a*` leaves the remains of others alone."""
    other = tmp_path / ".ab.1-0123abcd.part"
    other.mkdir()
    mine = tmp_path / ".a*.1-0123abcd.part"
    mine.mkdir()
    write(tmp_path / "a*", "new")
    assert other.is_dir()
    assert not mine.exists()
