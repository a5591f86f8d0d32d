"""Which files of a submission's folder on this machine a pull request would bring."""

from __future__ import annotations

import os
import stat
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ctspine_bench.errors import SubmissionError
from ctspine_bench.hosting.git.process import run_git
from ctspine_bench.submissions.folder import CASES, RESULTS, SUBMISSIONS, FileEntry

if TYPE_CHECKING:
    from collections.abc import Iterator

_MAX_FILES: Final = 1000


def brought_files(folder: Path) -> tuple[FileEntry, ...]:
    """Return the files that a pull request with this folder would bring, at most a thousand.

    In a git repository these are those that git knows or would add; elsewhere all. Result files count only where git
    sees them new or changed: those that the organizers have committed are theirs.
    """
    names = (name for name in _files(folder) if name not in {RESULTS, CASES} or _is_changed(folder, name))
    return tuple(_entry(folder, name) for name in names)


def _entry(folder: Path, name: str) -> FileEntry:
    path = folder / name
    return FileEntry(f"{SUBMISSIONS}/{folder.name}/{name}", _mode(path), path.lstat().st_size, path.read_bytes)


def kept_results(folder: Path) -> tuple[str, ...]:
    """Return the result files that are there and that no pull request would bring as it is."""
    return tuple(name for name in (RESULTS, CASES) if (folder / name).exists() and not _is_changed(folder, name))


def _files(folder: Path) -> list[str]:
    """Return what git would commit of the folder; without git, all files in it."""
    listed = _git(folder, "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", ".")
    if listed is not None:
        names = (os.fsdecode(name) for name in listed.split(b"\0") if name)
        return [name for name in dict.fromkeys(names) if os.path.lexists(folder / name)][:_MAX_FILES]
    return [path.relative_to(folder).as_posix() for path in islice(_walk(folder), _MAX_FILES)]


def _walk(folder: Path) -> Iterator[Path]:
    for parent, folders, files in os.walk(folder):
        links = [name for name in folders if (Path(parent) / name).is_symlink()]
        yield from (Path(parent) / name for name in sorted(files + links))


def _is_changed(folder: Path, name: str) -> bool:
    """Whether git sees a change of a file that a commit could bring."""
    return bool(_git(folder, "status", "--porcelain", "-z", "--untracked-files=all", "--", name))


def _git(folder: Path, *arguments: str) -> bytes | None:
    """Return what git prints; `None` outside of a repository, or without git."""
    try:
        output = run_git(folder, arguments, timeout_s=60)
    except SubmissionError:
        return None
    return None if output.returncode else output.content


def _mode(path: Path) -> str:
    """Return the mode that git would give a file."""
    mode = path.lstat().st_mode
    if stat.S_ISLNK(mode):
        return "120000"
    if stat.S_ISDIR(mode):
        return "160000"  # git lists a folder only when it is a repository itself
    return "100755" if os.name != "nt" and mode & stat.S_IXUSR else "100644"
