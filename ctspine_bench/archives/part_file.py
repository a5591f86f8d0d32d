"""What has arrived of a download: bytes on disk, their number and their digest."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from pathlib import Path

_CHUNK_BYTES = 1 << 20


class PartFile:
    """A file that grows at its end; what a former run has left in it is taken over.

    Attributes:
        n_bytes: How many bytes it has.
    """

    def __init__(self, path: Path) -> None:
        self.n_bytes = 0
        self._sha256 = hashlib.sha256()
        self._file = path.open("a+b")
        self._file.seek(0)
        while chunk := self._file.read(_CHUNK_BYTES):
            self._count(chunk)

    @property
    def sha256(self) -> str:
        """Digest of what is there, hex."""
        return self._sha256.hexdigest()

    def append(self, chunk: bytes) -> None:
        """Add bytes at the end."""
        self._file.write(chunk)
        self._count(chunk)

    def start_over(self) -> None:
        """Forget everything."""
        self._file.truncate(0)
        self.n_bytes = 0
        self._sha256 = hashlib.sha256()

    def sync(self) -> None:
        """Bring the bytes to disk, so that they survive a power cut before a new name does."""
        self._file.flush()
        os.fsync(self._file.fileno())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def _count(self, chunk: bytes) -> None:
        self.n_bytes += len(chunk)
        self._sha256.update(chunk)
