"""The bytes of a `.nii` or `.nii.gz` file from first to last, decompressed, checked and digested in one pass."""

from __future__ import annotations

import gzip
import hashlib
import io
import zlib
from typing import TYPE_CHECKING, Final

from isal import igzip, isal_zlib

from ctspine_bench.errors import FileError

if TYPE_CHECKING:
    from pathlib import Path

CHUNK_BYTES: Final = 1 << 20
"""How much is decompressed at a time: small enough that a chunk is still in the cache when its values are checked."""

_GZIP_MAGIC: Final = b"\x1f\x8b"
# A deflate symbol of two bits yields at most 258 bytes (RFC 1951, section 3.2.5): 1032 bytes out of one byte.
_DEFLATE_LIMIT: Final = 1032
# The stub of isal declares an instance where there is a class.
_IsalError: Final[type[Exception]] = isal_zlib.error  # type: ignore[assignment]
_COPY_AGAIN: Final = "Copy or download the file again."


class _DigestingFile(io.RawIOBase):
    """A file whose bytes are added to a SHA-256 digest as they are read."""

    def __init__(self, file: io.BufferedReader) -> None:
        self._file = file
        self.digest = hashlib.sha256()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        n_read = self._file.readinto(buffer)
        self.digest.update(memoryview(buffer)[:n_read])
        return n_read


class VolumeStream:
    """One file, decompressed if its name ends in `.gz`, read strictly forwards.

    Args:
        path: What the file is called; nothing is opened by that name.
        file: The open file.

    Raises:
        FileError: `E_FORMAT` when a file named `.gz` is not gzip.
    """

    def __init__(self, path: Path, file: io.BufferedReader) -> None:
        self.path = path
        self.compressed = path.name.lower().endswith(".gz")
        self._n_file_bytes = file.seek(0, io.SEEK_END)
        file.seek(0)
        self._raw = _DigestingFile(file)
        if self.compressed:
            self._check_magic(file)
        self._source: io.BufferedIOBase | _DigestingFile = (
            igzip.IGzipFile(fileobj=self._raw) if self.compressed else self._raw
        )

    @property
    def sha256(self) -> str:
        """Digest of the file as it is on disk, hex; complete once `expect_end` has returned."""
        return self._raw.digest.hexdigest()

    def fill(self, buffer: memoryview, what: str) -> None:
        """Read exactly `len(buffer)` bytes of `what` (for the error text).

        Raises:
            FileError: `E_TRUNCATED` when the file ends before, `E_CORRUPT` when it cannot be decompressed.
        """
        n_filled = 0
        while n_filled < len(buffer):
            n_read = self._read(buffer[n_filled:])
            if n_read == 0:
                raise self._truncated(what, f"the end of the file {len(buffer) - n_filled} bytes too early")
            n_filled += n_read

    def skip(self, n_bytes: int, what: str) -> None:
        """Read `n_bytes` and forget them."""
        scratch = memoryview(bytearray(min(n_bytes, CHUNK_BYTES)))
        while n_bytes > 0:
            self.fill(scratch[:n_bytes], what)
            n_bytes -= len(scratch)

    def check_promise(self, n_bytes: int) -> None:
        """Refuse, before anything is allocated, a promise of more data than a file of this size can hold.

        Raises:
            FileError: `E_TRUNCATED`.
        """
        most = self._n_file_bytes * (_DEFLATE_LIMIT if self.compressed else 1)
        if n_bytes > most:
            what = f"{n_bytes} bytes of header and voxels"
            raise self._truncated(what, f"a file of {self._n_file_bytes} bytes, which can hold at most {most}")

    def expect_end(self) -> None:
        """Read past the last voxel: verifies the checksum, and that nothing follows.

        Raises:
            FileError: `E_SURPLUS`, `E_TRUNCATED` or `E_CORRUPT`.
        """
        if self._read(memoryview(bytearray(1))):
            raise self._surplus("more data")

    def _check_magic(self, file: io.BufferedReader) -> None:
        magic = file.peek(2)[:2]
        if magic and not _GZIP_MAGIC.startswith(magic):
            raise FileError(
                "E_FORMAT",
                self.path,
                expected="a gzip-compressed NIfTI file, as its name says",
                found=f"a file that begins with {magic!r}",
                advice="If it is an uncompressed NIfTI file, rename it to .nii; else write it again as .nii.gz.",
            )

    def _read(self, buffer: memoryview) -> int:
        try:
            return self._source.readinto(buffer) or 0
        except EOFError:
            raise self._truncated("a complete gzip stream", "the end of the file inside it") from None
        except gzip.BadGzipFile as error:
            # A further gzip member would be read on; anything else after the first is not part of the volume.
            if str(error).startswith("Not a gzipped file"):
                raise self._surplus("bytes that are not gzip") from None
            raise self._corrupt(error) from None
        except (zlib.error, _IsalError, OSError) as error:
            raise self._corrupt(error) from None

    def _truncated(self, what: str, found: str) -> FileError:
        return FileError("E_TRUNCATED", self.path, expected=what, found=found, advice=_COPY_AGAIN)

    def _corrupt(self, error: Exception) -> FileError:
        expected = "a file that can be read to its end, with a matching checksum"
        return FileError(
            "E_CORRUPT", self.path, expected=expected, found=f"the error {str(error)!r}", advice=_COPY_AGAIN
        )

    def _surplus(self, found: str) -> FileError:
        return FileError(
            "E_SURPLUS",
            self.path,
            expected="the end of the file after the last voxel that its header promises",
            found=found,
            advice="The header and the data do not belong together: write the file again.",
        )


def open_file(path: Path) -> io.BufferedReader:
    """Open a file to read its bytes.

    Raises:
        FileError: `E_NOT_FOUND` when it cannot be opened.
    """
    try:
        return path.open("rb")
    except OSError as error:
        found = error.strerror or type(error).__name__
        advice = "Check the path and its permissions."
        raise FileError("E_NOT_FOUND", path, expected="a readable file", found=found, advice=advice) from None
