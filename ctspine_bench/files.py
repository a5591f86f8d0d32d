"""How files are written: whole or not at all."""

from __future__ import annotations

import os
import secrets
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


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
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
