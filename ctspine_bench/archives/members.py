"""`members`: the label maps of an archive, one after the other."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, BinaryIO, Final

from ctspine_bench.archives.limits import Account, Limits
from ctspine_bench.archives.names import BadNameError, Names, shown
from ctspine_bench.archives.streams import DECODING_ERRORS, GZIP, Reader, inflate, plain, unzstd
from ctspine_bench.archives.tar_members import tar_entries
from ctspine_bench.archives.zip_members import zip_entries
from ctspine_bench.errors import FileError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ctspine_bench.archives.entries import Entry

_MAGICS: Final = {
    ".zip": b"PK\3\4",
    ".tar.gz": b"\x1f\x8b\x08",
    ".tgz": b"\x1f\x8b\x08",
    ".tar.zst": b"\x28\xb5\x2f\xfd",
    ".tar": b"",  # its magic is in each header
}
"""Suffix → what the file has to begin with."""


@dataclass(frozen=True)
class Member:
    """One label map of an archive, as the participant sent it: nothing is known about its content.

    Attributes:
        name: Its path in the archive, out of plain ASCII parts.
        case_id: The case that it is named after.
        file: Its content, in a temporary file without a name, at position 0. Whoever takes the member closes it.
    """

    name: str
    case_id: str
    file: BinaryIO


def members(path: Path, file_name: str, scratch: Path, limits: Limits | None = None) -> Iterator[Member]:
    """The label maps of a zip, tar, tar.gz or tar.zst archive, as they come; nothing else may be in it.

    Folders, hidden files and `__MACOSX` are passed over. All that is wrong with the archive as a whole shows by the end
    of the iteration: until then its members are not to be relied on. Two members for the same case are both yielded.
    On disk is one member, besides those that the caller has not closed.

    Args:
        path: The archive.
        file_name: Its name as declared: says which format it is, and appears in errors.
        scratch: Folder for temporary files without names.
        limits: How much it may hold; `Limits()` by default.

    Raises:
        ArchiveError: `E_ARCHIVE`, `E_MEMBER`, `E_LIMIT`, `E_NO_CASES`.
        FileError: `E_NOT_FOUND`, `E_OUTPUT`.
    """
    account = Account(file_name, limits or Limits())
    names = Names()
    n_members = 0
    with _open(path, file_name) as file:
        try:
            for entry in _entries(file, account):
                found = _judge(entry, names, account)
                if found:
                    n_members += 1
                    yield Member(*found, _save(entry, scratch, account))
        except DECODING_ERRORS as error:
            raise account.error("E_ARCHIVE", "data that can be decompressed to its end", shown(str(error))) from None
    if not n_members:
        raise account.error("E_NO_CASES", "label maps named <case>.nii.gz or <case>_seg.nii.gz", "none")


def _open(path: Path, file_name: str) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        found = error.strerror or type(error).__name__
        advice = "Check that the archive is there and may be read."
        raise FileError("E_NOT_FOUND", file_name, expected="a readable file", found=found, advice=advice) from None


def _entries(file: BinaryIO, account: Account) -> Iterator[Entry]:
    """The entries by the format that the name says, if the content agrees."""
    n_bytes = file.seek(0, 2)
    account.check_archive_size(n_bytes)
    suffix = next((suffix for suffix in _MAGICS if account.file_name.lower().endswith(suffix)), None)
    if suffix is None:
        raise account.error("E_ARCHIVE", f"a name that ends in {', '.join(_MAGICS)}", "another one")
    file.seek(0)
    beginning = file.read(len(_MAGICS[suffix]))
    file.seek(0)
    if beginning != _MAGICS[suffix] or not n_bytes:
        found = f"a file of {n_bytes} bytes that begins with {beginning.hex(' ')}" if n_bytes else "an empty file"
        raise account.error("E_ARCHIVE", f"a {suffix} archive, as its name says", found)
    if suffix == ".zip":
        return zip_entries(file, n_bytes, account)
    if suffix == ".tar.zst":
        chunks = unzstd(file, account)
    else:
        chunks = plain(file) if suffix == ".tar" else inflate(plain(file), GZIP)
    return tar_entries(Reader(chunks, account.produced), account)


def _judge(entry: Entry, names: Names, account: Account) -> tuple[str, str] | None:
    """Return path and case id of a label map, `None` for what is passed over."""
    try:
        return names.label_map(entry.name, is_folder=entry.is_folder)
    except BadNameError as error:
        expected = "label maps named <case>.nii.gz or <case>_seg.nii.gz, each case once, out of [A-Za-z0-9._-]"
        raise account.error("E_MEMBER", expected, str(error)) from None


def _save(entry: Entry, scratch: Path, account: Account) -> BinaryIO:
    """Return the content of an entry in a temporary file without a name."""
    with ExitStack() as on_failure:
        try:
            file = on_failure.enter_context(TemporaryFile(dir=scratch))
            for piece in entry.pieces:
                file.write(piece)
            file.seek(0)
        except OSError as error:
            raise _no_room(account, error) from None
        on_failure.pop_all()
    return file


def _no_room(account: Account, error: OSError) -> FileError:
    where = f"{account.file_name}: {account.entry}"
    found = error.strerror or type(error).__name__
    advice = "Free space on the disk with the temporary files, or name another folder for them."
    return FileError("E_OUTPUT", where, expected="room for the unpacked file", found=found, advice=advice)
