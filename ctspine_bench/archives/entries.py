"""`Entry`: what the walks over zip and tar have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True)
class Entry:
    """One file or folder of an archive.

    Attributes:
        name: As it stands in the archive; nothing is known about it.
        is_folder: Whether it is a folder; a file otherwise.
        pieces: The content, to be iterated over once, before the next entry is asked for. What is not read is checked
            all the same.
    """

    name: str
    is_folder: bool
    pieces: Iterable[bytes | memoryview]
