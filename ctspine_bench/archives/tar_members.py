"""The entries of a tar archive, read strictly forwards.

The walk is written here, not left to `tarfile.TarFile`: that one takes a damaged header for the end of the archive, and
reads extended headers and sparse maps of any size into memory. Only the parsing of a single header block is
`tarfile`'s, which is the same from Python 3.11 to 3.13.
"""

from __future__ import annotations

import tarfile
from typing import TYPE_CHECKING, Final

from ctspine_bench.archives.entries import Entry
from ctspine_bench.archives.names import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ctspine_bench.archives.limits import Account
    from ctspine_bench.archives.streams import Reader
    from ctspine_bench.errors import ArchiveError

_BLOCK: Final = tarfile.BLOCKSIZE
_MAGIC: Final = slice(257, 262)
_EXTENDED: Final = frozenset({tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME})
# Together, before one entry; a name and a few attributes take less than one KiB.
_MAX_EXTENDED_BYTES: Final = 64 << 10
# GNU tar fills up to a multiple of 10 KiB, and to larger ones when asked to.
_MAX_PADDING_BYTES: Final = 1 << 20
_MAX_DIGITS: Final = 6
_KINDS: Final = {
    tarfile.LNKTYPE: "a hard link",
    tarfile.SYMTYPE: "a symbolic link",
    tarfile.CHRTYPE: "a device",
    tarfile.BLKTYPE: "a device",
    tarfile.FIFOTYPE: "a named pipe",
    tarfile.GNUTYPE_LONGLINK: "a link",
    tarfile.GNUTYPE_SPARSE: "a sparse file",
}


def tar_entries(reader: Reader, account: Account) -> Iterator[Entry]:
    """The entries of a tar archive in their order, each counted.

    Raises:
        ArchiveError: `E_ARCHIVE`, `E_MEMBER`, `E_LIMIT`.
    """
    while True:
        account.entry = None
        header = _next_header(reader, account)
        if header is None:
            break
        account.open_entry(header.name, header.size)
        _check_kind(header, account)
        pieces = _content(reader, header.size, account)
        yield Entry(header.name, header.isdir(), pieces)
        for _ in pieces:
            pass
    _expect_end(reader, account)


def _next_header(reader: Reader, account: Account) -> tarfile.TarInfo | None:
    """Read one header with all that extends it; `None` at the end mark."""
    extended: dict[str, str] = {}
    n_left = _MAX_EXTENDED_BYTES
    while True:
        block = reader.read(_BLOCK)
        if len(block) == _BLOCK and not any(block) and not extended:
            return None
        header = _parse(block, account)
        if header.type not in _EXTENDED:
            return _extend(header, extended, account)
        n_left -= _BLOCK + header.size
        if n_left < 0:
            expected = f"at most {_MAX_EXTENDED_BYTES} bytes of extended headers for an entry"
            raise account.error("E_LIMIT", expected, "more than that")
        content = b"".join(_content(reader, header.size, account))
        if header.type == tarfile.GNUTYPE_LONGNAME:
            extended["path"] = _text(content.partition(b"\0")[0])
        elif header.type == tarfile.XHDTYPE:
            extended |= _attributes(content, account)
        elif not _attributes(content, account).keys().isdisjoint({"path", "size"}):
            raise account.error("E_MEMBER", "a name and a size for each entry", "one for all in a global header")


def _parse(block: bytes, account: Account) -> tarfile.TarInfo:
    if len(block) < _BLOCK:
        raise _broken(account, "the end of the file before the end mark of the archive")
    try:
        header = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except tarfile.HeaderError as error:
        raise _broken(account, f"the error {str(error)!r}") from None
    if block[_MAGIC] != b"ustar" or header.size < 0:
        raise _broken(account, "something else")
    return header


def _extend(header: tarfile.TarInfo, extended: dict[str, str], account: Account) -> tarfile.TarInfo:
    account.entry = shown(extended.get("path", header.name))
    if any(key.startswith("GNU.sparse") for key in extended):
        raise account.error("E_MEMBER", "files and folders", "a sparse file")
    # Longer names than a header holds are common; sizes are only beyond 8 GiB, which no label map has.
    if extended.get("size", str(header.size)) != str(header.size):
        raise account.error("E_MEMBER", "one size for each entry", "another one in its extended header")
    header.name = extended.get("path", header.name)
    return header


def _attributes(content: bytes, account: Account) -> dict[str, str]:
    """Parse records `<length> <key>=<value>` and a line feed (POSIX pax, extended header)."""
    found: dict[str, str] = {}
    start = 0
    while start < len(content):
        digits = content[start : start + _MAX_DIGITS + 1].partition(b" ")[0]
        length = int(digits) if digits.isdigit() and len(digits) <= _MAX_DIGITS else 0
        record = content[start + len(digits) + 1 : start + length]
        key, equals, value = record[:-1].partition(b"=")
        if not equals or not record.endswith(b"\n") or start + length > len(content):
            raise _broken(account, "an extended header that is none")
        if found.setdefault(_text(key), _text(value)) != _text(value):
            raise _broken(account, "an extended header that contradicts itself")
        start += length
    return found


def _check_kind(header: tarfile.TarInfo, account: Account) -> None:
    if header.type in {tarfile.REGTYPE, tarfile.AREGTYPE}:
        return
    if header.type != tarfile.DIRTYPE:
        found = _KINDS.get(header.type, f"an entry of type {shown(header.type.decode('latin-1'))}")
        raise account.error("E_MEMBER", "files and folders", found)
    if header.size:
        raise account.error("E_MEMBER", "a folder without content", f"{header.size} bytes")


def _content(reader: Reader, n_bytes: int, account: Account) -> Iterator[memoryview]:
    """The content of an entry; what fills up its last block is passed over."""
    n_left = n_bytes
    for piece in reader.pieces(n_bytes):
        n_left -= len(piece)
        yield piece
    n_padding = -n_bytes % _BLOCK
    if n_left or len(reader.read(n_padding)) < n_padding:
        raise _broken(account, "the end of the file inside an entry")


def _expect_end(reader: Reader, account: Account) -> None:
    """After the first of the two blocks that mark the end: the second one, and zeros up to the end of the stream."""
    padding = reader.read(_MAX_PADDING_BYTES)
    if len(padding) < _BLOCK:
        raise _broken(account, "half of an end mark")
    if any(padding) or reader.read(1):
        raise _broken(account, "more data after the end mark")


def _text(name: bytes) -> str:
    return name.decode("utf-8", "surrogateescape")


def _broken(account: Account, found: str) -> ArchiveError:
    return account.error("E_ARCHIVE", "a complete tar archive with a ustar header before each entry", found)
