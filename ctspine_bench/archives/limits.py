"""How much an archive may hold, and the account that is kept while it is unpacked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ctspine_bench.archives.names import shown
from ctspine_bench.errors import ArchiveError

GIB: Final = 2**30

_ADVICE: Final = {
    "E_ARCHIVE": "Write the archive again, best with `ctspine-bench submission pack`, and upload it again.",
    "E_MEMBER": "Leave this out, and write the archive again, best with `ctspine-bench submission pack`.",
    "E_LIMIT": "Put nothing but the label maps of one test set into the archive, as uint8 and compressed.",
    "E_NO_CASES": "Put the label maps into the archive as <case>.nii.gz, best with `ctspine-bench submission pack`.",
}


@dataclass(frozen=True)
class Limits:
    """What an archive may hold at most.

    Attributes:
        archive_bytes: Size of the archive itself.
        files: Entries of any kind, folders and what is skipped included.
        file_bytes: Size of one file, unpacked.
        total_bytes: What unpacking may produce altogether.
        canonical_bytes: What its label maps may take as this program writes them anew, all together. That of a whole
            CT (512 × 512 × 504) takes 0.3 MB, so the largest official test set, of 198, takes 0.06 GB: this is seventy
            times as much, and three test sets still fit the 14 GB of disk that a standard runner of GitHub has.
    """

    archive_bytes: int = 20 * GIB
    files: int = 1000
    file_bytes: int = 2 * GIB
    total_bytes: int = 64 * GIB
    canonical_bytes: int = 4 * GIB


class Account:
    """What one archive has used of its limits so far; it also knows how to word what is wrong with the archive.

    Attributes:
        file_name: The name of the archive, as the participant knows it.
        entry: Printable name of the entry at hand; `None` outside of one.
    """

    def __init__(self, file_name: str, limits: Limits) -> None:
        self.file_name = file_name
        self.limits = limits
        self.entry: str | None = None
        self._n_entries = 0
        self._n_produced = 0
        self._n_written = 0

    def check_archive_size(self, n_bytes: int) -> None:
        """Refuse an archive that is too large itself.

        Raises:
            ArchiveError: `E_LIMIT`.
        """
        if n_bytes > self.limits.archive_bytes:
            raise self.error("E_LIMIT", f"an archive of at most {self.limits.archive_bytes} bytes", f"{n_bytes} bytes")

    def open_entry(self, name: str, n_bytes: int) -> None:
        """Count one entry and look at the size that it announces.

        Raises:
            ArchiveError: `E_LIMIT`.
        """
        self.entry = shown(name)
        self.check_count(self._n_entries + 1)
        self._n_entries += 1
        if n_bytes > self.limits.file_bytes:
            raise self.error("E_LIMIT", f"at most {self.limits.file_bytes} bytes in a file", f"{n_bytes} bytes")

    def check_count(self, n_entries: int) -> None:
        """Refuse a number of entries.

        Raises:
            ArchiveError: `E_LIMIT`.
        """
        if n_entries > self.limits.files:
            raise self.error("E_LIMIT", f"at most {self.limits.files} files and folders", f"{n_entries} or more")

    def produced(self, n_bytes: int) -> None:
        """Count bytes that came out of the archive, whatever they are.

        Raises:
            ArchiveError: `E_LIMIT`.
        """
        self._n_produced += n_bytes
        if self._n_produced > self.limits.total_bytes:
            raise self.error("E_LIMIT", f"at most {self.limits.total_bytes} bytes when unpacked", "more than that")

    def written(self, n_bytes: int) -> None:
        """Count bytes that were written anew.

        Raises:
            ArchiveError: `E_LIMIT`.
        """
        self._n_written += n_bytes
        if self._n_written > self.limits.canonical_bytes:
            expected = f"label maps that take at most {self.limits.canonical_bytes} bytes when written anew"
            raise self.error("E_LIMIT", expected, "more than that")

    def check_cases(self, n_cases: int, n_most: int) -> None:
        """Refuse a number of cases.

        Raises:
            ArchiveError: `E_LIMIT`.
        """
        if n_cases > n_most:
            raise self.error("E_LIMIT", f"label maps of at most {n_most} cases", f"{n_cases} or more")

    def error(self, code: str, expected: str, found: str) -> ArchiveError:
        """Return an error about the archive, or about the entry at hand."""
        where = self.file_name if self.entry is None else f"{self.file_name}: {self.entry}"
        return ArchiveError(code, where, expected=expected, found=found, advice=_ADVICE[code])
