"""How files are written: whole or not at all, alone or several together; and their digests.

Several files cannot be renamed in one step, a folder can: the new files gather in a hidden folder beside the old ones,
which is renamed when it is complete. From then on they count (`current` finds them there), and whoever writes next
finishes what was begun.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_COMPLETE = ".complete"


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path beside `path` that takes its place at the end, in one step.

    Whoever reads `path` meanwhile finds its old content or all of the new one. After an exception the old content stays
    and the temporary file is gone.

    Args:
        path: The file to write; missing folders are made.

    Yields:
        The path to write to: in the same folder, hidden, of a name that no other writer has.

    Raises:
        OSError: The folder cannot be made, or the file cannot be replaced.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}.part")
    try:
        yield temporary
        _sync(temporary)
        temporary.replace(path)
    finally:
        with suppress(OSError):  # it would hide the first error
            temporary.unlink(missing_ok=True)


@contextmanager
def replacing_together(folder: Path) -> Iterator[Path]:
    """A temporary folder whose files take the places of those in `folder` at the end, in one step.

    One writer at a time. Readers that ask `current` find all old files or all new ones, whenever this process is
    killed. After an exception the old files stay.

    Args:
        folder: Where the files belong; made when missing. Files of other names stay as they are.

    Yields:
        An empty folder inside, hidden, to write the new files to.

    Raises:
        OSError: A folder or file cannot be made or replaced.
    """
    folder.mkdir(parents=True, exist_ok=True)
    finish_replacing(folder)
    temporary = folder / f".{os.getpid()}-{secrets.token_hex(4)}.part"
    temporary.mkdir()
    try:
        yield temporary
        for file in temporary.iterdir():
            _sync(file)
        _sync(temporary)
        temporary.rename(folder / _COMPLETE)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    finish_replacing(folder)


def finish_replacing(folder: Path) -> None:
    """Bring to its end what `replacing_together` has begun in a folder, if it was killed."""
    complete = folder / _COMPLETE
    if complete.is_dir():
        for file in complete.iterdir():
            file.replace(folder / file.name)
        complete.rmdir()
    for leftover in folder.glob(".*.part"):
        if leftover.is_dir():
            shutil.rmtree(leftover, ignore_errors=True)


def current(folder: Path, name: str) -> Path:
    """Return where the valid version of a file is that is written by `replacing_together`."""
    complete = folder / _COMPLETE / name
    return complete if complete.is_file() else folder / name


def sha256_of(path: Path) -> str:
    """Return the SHA-256 digest of a file, hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync(path: Path) -> None:
    """Bring a file or folder to disk, so that it survives a power cut before its new name does."""
    if os.name == "nt":
        return  # Windows flushes neither folders nor files opened for reading
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
