"""Whether a file is the one that was declared, by its size and its SHA-256 digest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ctspine_bench.errors import ArchiveError, FileError
from ctspine_bench.files import sha256_of

if TYPE_CHECKING:
    from pathlib import Path

_SAME_FILE: Final = "Upload the archive that the submission names, or name in it the one that is there."


def check_file(path: Path, file_name: str, sha256: str, size: int) -> None:
    """Check that a file which came by another way is the one that was declared.

    Args:
        path: The file.
        file_name: What to call it in errors.
        sha256: The declared digest, lower-case hex.
        size: The declared size in bytes.

    Raises:
        ArchiveError: `E_SIZE`, `E_DIGEST`.
        FileError: `E_NOT_FOUND`.
    """
    try:
        n_bytes = path.stat().st_size
        if n_bytes != size:
            raise size_error(file_name, size, f"{n_bytes} bytes")
        found = sha256_of(path)
    except OSError as error:
        problem = error.strerror or type(error).__name__
        advice = "Check that the archive is there and may be read."
        raise FileError("E_NOT_FOUND", file_name, expected="a readable file", found=problem, advice=advice) from None
    if found != sha256:
        raise digest_error(file_name, sha256, found)


def size_error(where: str, size: int, found: str) -> ArchiveError:
    """Return the error about a file of another size than declared."""
    return ArchiveError("E_SIZE", where, expected=f"{size} bytes, as declared", found=found, advice=_SAME_FILE)


def digest_error(where: str, sha256: str, found: str) -> ArchiveError:
    """Return the error about a file of another digest than declared."""
    expected = f"the SHA-256 digest {sha256}, as declared"
    return ArchiveError("E_DIGEST", where, expected=expected, found=found, advice=_SAME_FILE)
