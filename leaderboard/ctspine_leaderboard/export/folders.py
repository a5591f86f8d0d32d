"""A folder that is replaced as a whole: whoever looks at it finds the old files or the new ones, never some of both."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from ctspine_bench.errors import FileError
from ctspine_bench.submissions.plain_text import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

LISTING: Final = "export.json"
"""The file of an export that lists all its files."""

_KIND: Final = "leaderboard export"
_OWN_PART: Final = re.compile(r"\.\d+-[0-9a-f]{8}\.part$")


@contextmanager
def replacing_folder(folder: Path) -> Iterator[Path]:
    """A temporary folder beside a folder that takes its place at the end.

    One writer at a time. After an exception, or when this process is killed, the old folder is what it was; what is
    left behind is tidied up by the next call.

    Args:
        folder: New, empty, or an earlier export with nothing else in it; missing parents are made.

    Yields:
        An empty folder to write to.

    Raises:
        FileError: E_OUTPUT, the folder holds something else.
        OSError: A folder cannot be made or replaced.
    """
    folder = folder.resolve()
    _tidy_up(folder)
    _check(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = folder.with_name(f".{folder.name}.{os.getpid()}-{secrets.token_hex(4)}.part")
    temporary.mkdir()
    try:
        yield temporary
        _swap(temporary, folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def listing(files: Iterable[str], about: dict[str, Any]) -> bytes:
    """Return the content of `LISTING`.

    Args:
        files: Paths in the folder, `/` separated.
        about: What else to say.
    """
    return json.dumps({"kind": _KIND, **about, "files": sorted([*files, LISTING])}, indent=1).encode()


def _swap(new: Path, folder: Path) -> None:
    """Give a folder another's name. For the blink between two renamings there is none; `_tidy_up` would mend that."""
    old = _old(folder)
    if folder.exists():
        folder.rename(old)
    try:
        new.rename(folder)
    except OSError:
        if old.exists():
            old.rename(folder)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _tidy_up(folder: Path) -> None:
    """Mend what a killed process left."""
    old = _old(folder)
    if old.is_dir() and not folder.exists():
        old.rename(folder)
    shutil.rmtree(old, ignore_errors=True)
    for leftover in folder.parent.glob(f".{_quoted(folder.name)}.*.part"):
        if _OWN_PART.search(leftover.name):
            shutil.rmtree(leftover, ignore_errors=True)


def _old(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.old")


def _quoted(name: str) -> str:
    """Return a name for `glob` to take as it is."""
    return "".join(f"[{character}]" if character in "*?[" else character for character in name)


def _check(folder: Path) -> None:
    if folder.is_dir():
        there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if not _is_folder(path)}
        strange = sorted(there - _listed(folder))
        if not strange:
            return
        found = f"{shown(strange[0])}" + (f" and {len(strange) - 1} other files" if len(strange) > 1 else "")
    elif folder.exists():
        found = "a file"
    else:
        return
    raise FileError(
        "E_OUTPUT",
        folder,
        expected="a new or empty folder, or one with an earlier export and nothing else",
        found=found,
        advice="Choose another folder: what is in this one would be lost.",
    )


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _listed(folder: Path) -> set[str]:
    """Return the files that an earlier export wrote; none if there was no export."""
    try:
        document = json.loads((folder / LISTING).read_bytes())
        return set(map(str, document["files"])) if document["kind"] == _KIND else set()
    except (OSError, ValueError, LookupError, TypeError):
        return set()
