"""The entries of a zip archive, which has to be exactly: entries without gaps, their directory, the end record.

The directory is parsed here, not by `zipfile`: that one reads a directory of any size into memory, resolves
contradictions between the records silently and, depending on its version, in different ways, and accepts other data
before, between and after. Field names and layouts are those of APPNOTE.TXT 6.3.10, sections 4.3 and 4.5.3.
"""

from __future__ import annotations

import stat
import struct
import sys
import zlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, BinaryIO, Final

from ctspine_bench.archives.entries import Entry
from ctspine_bench.archives.names import shown
from ctspine_bench.archives.streams import RAW_DEFLATE, inflate, part

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ctspine_bench.archives.limits import Account
    from ctspine_bench.errors import ArchiveError

_END: Final = struct.Struct("<4s4H2LH")
_END64: Final = struct.Struct("<4sQ2H2L4Q")
_LOCATOR64: Final = struct.Struct("<4sLQL")
_DIRECTORY: Final = struct.Struct("<4s6H3L5H2L")
_LOCAL: Final = struct.Struct("<4s5H3L2H")
_FIELD: Final = struct.Struct("<2H")
_MANY: Final = 0xFFFF
_WIDE: Final = 0xFFFFFFFF
"""What stands in a field whose value is in a zip64 record."""
_ZIP64: Final = 1
_STORED: Final = 0
_DEFLATED: Final = 8
_ENCRYPTED: Final = 0x2041
_DESCRIPTOR: Final = 0x0008
_HARMLESS: Final = 0x080E
"""Flags: how hard the compressor tried, sizes in a data descriptor after the content, name in UTF-8."""
_DESCRIPTOR_BYTES: Final = frozenset({0, 12, 16, 20, 24})
_LONGEST_NAME: Final = 1024


@dataclass(frozen=True)
class _Record:
    """One entry as its record in the directory has it; `start` and `end` are those of its content."""

    name: bytes
    flags: int
    method: int
    crc: int
    n_compressed: int
    n_bytes: int
    mode: int
    offset: int
    start: int = 0

    @property
    def is_folder(self) -> bool:
        return self.name.endswith(b"/")

    @property
    def end(self) -> int:
        return self.start + self.n_compressed

    @property
    def text(self) -> str:
        return self.name.decode("utf-8", "surrogateescape")


def zip_entries(file: BinaryIO, n_bytes: int, account: Account) -> Iterator[Entry]:
    """The entries of a zip archive in the order in which they lie in the file, each counted.

    Raises:
        ArchiveError: `E_ARCHIVE`, `E_MEMBER`, `E_LIMIT`.
    """
    records, directory = _read_directory(file, n_bytes, account)
    located = [_locate(file, record, account) for record in sorted(records, key=lambda record: record.offset)]
    _check_gaps(located, directory, account)
    for record in located:
        account.open_entry(record.text, record.n_bytes)
        _check_kind(record, account)
        pieces = _content(file, record, account)
        yield Entry(record.text, record.is_folder, pieces)
        for _ in pieces:
            pass
    account.entry = None


def _read_directory(file: BinaryIO, n_bytes: int, account: Account) -> tuple[list[_Record], int]:
    """Return what the directory lists, and where it begins."""
    n_entries, start, end = _read_end(file, n_bytes, account)
    account.check_count(n_entries)
    file.seek(start)
    records = [_read_record(file, account) for _ in range(n_entries)]
    if file.tell() != end:
        raise _broken(account, "a directory of another length than its end record says")
    return records, start


def _read_end(file: BinaryIO, n_bytes: int, account: Account) -> tuple[int, int, int]:
    """Return the number of entries, and where the directory begins and ends."""
    end = n_bytes - _END.size
    fields = _unpack(_END, file, end, b"PK\5\6", account)
    _, disk, directory_disk, n_here, n_entries, length, start, n_comment = fields
    if _MANY in {n_here, n_entries} or _WIDE in {length, start}:
        end -= _LOCATOR64.size + _END64.size
        wide = _unpack(_END64, file, end, b"PK\6\6", account)
        locator = _unpack(_LOCATOR64, file, end + _END64.size, b"PK\6\7", account)
        narrow = zip((n_here, n_entries, length, start), (_MANY, _MANY, _WIDE, _WIDE), wide[6:], strict=True)
        if locator[1:] != (0, end, 1) or any(value not in {most, true} for value, most, true in narrow):
            raise _broken(account, "zip64 records that contradict the end record")
        disk, directory_disk, n_here, n_entries, length, start = wide[4:]
    if n_comment or disk or directory_disk or n_here != n_entries:
        raise _broken(account, "an archive in several parts, or with a comment")
    if start + length != end:
        raise _broken(account, "an end record that does not fit where the directory is")
    return n_entries, start, end


def _read_record(file: BinaryIO, account: Account) -> _Record:
    fields = _unpack(_DIRECTORY, file, file.tell(), b"PK\1\2", account)
    flags, method, crc, n_compressed, n_bytes = fields[3], fields[4], *fields[7:10]
    n_name, n_extra, n_comment, disk, _, attributes, offset = fields[10:]
    name, extra, _ = (file.read(n) for n in (n_name, n_extra, n_comment))
    account.entry = shown(name.decode("utf-8", "surrogateescape"))
    n_bytes, n_compressed, offset = _widen(extra, (n_bytes, n_compressed, offset), account)
    if n_name > _LONGEST_NAME:
        raise account.error("E_MEMBER", f"a name of at most {_LONGEST_NAME} bytes", f"{n_name}")
    if disk:
        raise _broken(account, "an entry in another part of the archive")
    account.entry = None
    return _Record(name, flags, method, crc, n_compressed, n_bytes, attributes >> 16, offset)


def _locate(file: BinaryIO, record: _Record, account: Account) -> _Record:
    """Return the record with the place of its content, once the header there says the same as the directory."""
    account.entry = shown(record.text)
    fields = _unpack(_LOCAL, file, record.offset, b"PK\3\4", account)
    _, _, flags, method, _, _, crc, n_compressed, n_bytes, n_name, n_extra = fields
    name, extra = file.read(n_name), file.read(n_extra)
    n_bytes, n_compressed = _widen(extra, (n_bytes, n_compressed), account)
    if flags & _DESCRIPTOR and not (crc or n_compressed or n_bytes):
        crc, n_compressed, n_bytes = record.crc, record.n_compressed, record.n_bytes
    here = (name, flags, method, crc, n_compressed, n_bytes)
    if here != (record.name, record.flags, record.method, record.crc, record.n_compressed, record.n_bytes):
        raise _broken(account, "a header that contradicts the directory")
    account.entry = None
    return replace(record, start=record.offset + _LOCAL.size + n_name + n_extra)


def _check_gaps(records: list[_Record], directory: int, account: Account) -> None:
    """Entries must neither overlap nor leave room for anything else, from the first byte to the directory."""
    end, allowed = 0, frozenset({0})
    for record in records:
        if record.offset - end not in allowed:
            raise _broken(account, "entries that overlap, or have something else before or between them")
        end, allowed = record.end, _DESCRIPTOR_BYTES if record.flags & _DESCRIPTOR else frozenset({0})
    if directory - end not in allowed:
        raise _broken(account, "entries that reach into the directory, or something else before it")


def _check_kind(record: _Record, account: Account) -> None:
    kind = stat.S_IFMT(record.mode)
    if kind not in {0, stat.S_IFDIR if record.is_folder else stat.S_IFREG}:
        found = "a symbolic link" if kind == stat.S_IFLNK else f"an entry of the Unix mode {record.mode:o}"
        raise account.error("E_MEMBER", "files and folders", found)
    if record.flags & _ENCRYPTED:
        raise account.error("E_MEMBER", "files that anyone can read", "an encrypted one")
    if record.flags & ~_HARMLESS or record.method not in {_STORED, _DEFLATED}:
        found = f"compression method {record.method} with the flags {record.flags:#06x}"
        raise account.error("E_MEMBER", "stored or deflated files", found)
    if record.is_folder and record.n_bytes:
        raise account.error("E_MEMBER", "a folder without content", f"{record.n_bytes} bytes")


def _content(file: BinaryIO, record: _Record, account: Account) -> Iterator[bytes]:
    """The content of an entry; its size and its checksum are those of the directory."""
    stored = part(file, record.start, record.n_compressed)
    n_bytes = crc = 0
    for piece in inflate(stored, RAW_DEFLATE) if record.method == _DEFLATED else stored:
        n_bytes += len(piece)
        account.produced(len(piece))
        if n_bytes > record.n_bytes:
            raise _broken(account, f"more than the {record.n_bytes} bytes that the directory announces")
        crc = zlib.crc32(piece, crc)
        yield piece
    if n_bytes != record.n_bytes:
        raise _broken(account, f"{n_bytes} bytes where the directory announces {record.n_bytes}")
    if crc != record.crc:
        raise _broken(account, "content that fails its checksum")


def _widen(extra: bytes, values: tuple[int, ...], account: Account) -> list[int]:
    """Replace each value that says so by its 64 bits in the zip64 field of `extra`."""
    wide: list[int] = []
    fields = memoryview(extra)
    while len(fields) >= _FIELD.size:
        kind, length = _FIELD.unpack_from(fields)
        if kind == _ZIP64:
            wide += struct.unpack_from(f"<{min(length, len(fields) - _FIELD.size) // 8}Q", fields, _FIELD.size)
        fields = fields[_FIELD.size + length :]
    if values.count(_WIDE) > len(wide):
        raise _broken(account, "a size that is nowhere")
    return [wide.pop(0) if value == _WIDE else value for value in values]


def _unpack(layout: struct.Struct, file: BinaryIO, start: int, signature: bytes, account: Account) -> tuple[int, ...]:
    """Read a record that begins with a signature, and leave the file at its end."""
    if 0 <= start <= sys.maxsize:
        file.seek(start)
        content = file.read(layout.size)
        if len(content) == layout.size and content.startswith(signature):
            fields: tuple[int, ...] = layout.unpack(content)
            return fields
    raise _broken(account, f"no record {signature[:2].decode()}{signature[2]}.{signature[3]} where it has to be")


def _broken(account: Account, found: str) -> ArchiveError:
    return account.error("E_ARCHIVE", "a zip archive whose records agree, and nothing else in the file", found)
