"""Archives made to do harm, one defect each: every one is its typed error, and nothing is written to a named file."""

from __future__ import annotations

import gzip
import io
import stat
import struct
import tarfile
import tracemalloc
import zipfile
from typing import TYPE_CHECKING

import pytest
import zstandard
from archive_files import FORMATS, archive_of, compressed, padded, tar_entry, tar_of, zip_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ctspine_bench.archives import Limits, members
from ctspine_bench.archives.names import shown
from ctspine_bench.errors import ArchiveError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LIMITS = Limits(archive_bytes=1 << 20, files=20, file_bytes=100_000, total_bytes=500_000)
GOOD = {"a.nii.gz": b"content of a" * 50, "b.nii.gz": b"content of b" * 50}


def unpack(folder: Path, file_name: str, content: bytes, limits: Limits = LIMITS) -> list[tuple[str, bytes]]:
    """Name and content of the members, however the archive is called on disk; no file but the archive may be there."""
    target = folder / "target"
    target.mkdir(exist_ok=True)
    (target / "download").write_bytes(content)
    found = []
    try:
        for member in members(target / "download", file_name, target, limits):
            with member.file:
                found.append((member.name, member.file.read()))
    finally:
        assert [path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*"))] == [
            "target",
            "target/download",
        ]
    return found


def refusal(folder: Path, file_name: str, content: bytes, limits: Limits = LIMITS) -> ArchiveError:
    """The error that an archive gives; it names the archive, and no folder of this machine."""
    with pytest.raises(ArchiveError) as error:
        unpack(folder, file_name, content, limits)
    assert str(error.value.path).startswith(file_name)
    assert str(folder) not in str(error.value)
    return error.value


BAD_NAMES = {
    "parent folder": "../../a.nii.gz",
    "parent folder further in": "a/../../b.nii.gz",
    "absolute path": "/etc/a.nii.gz",
    "UNC path with slashes": "//host/share/a.nii.gz",
    "UNC path": "\\\\host\\share\\a.nii.gz",
    "backslashes up": "..\\..\\a.nii.gz",
    "drive": "C:/a.nii.gz",
    "drive without a slash": "C:a.nii.gz",
    "alternate data stream": "a.nii.gz:b.nii.gz",
    "option of a program": "-rf.nii.gz",
    "line feed": "a\n| evil | table |\n.nii.gz",
    "HTML": "<img src=x onerror=alert(1)>.nii.gz",
    "Markdown": "[a](javascript:b)`c`.nii.gz",
    "terminal escape": "\x1b[2Ja.nii.gz",
    "right-to-left override": "a\u202egz.iin.nii.gz",
    "accent composed": "caf\u00e9.nii.gz",
    "accent decomposed": "cafe\u0301.nii.gz",
    "homoglyph": "liver_\u0967.nii.gz",
    "trailing blank": "a .nii.gz",
    "empty part": "a//b.nii.gz",
    "very long": "a" * 300 + ".nii.gz",
    "nested archive": "more.tar.gz",
    "code": "setup.py",
    "no name but the suffix": "_seg.nii.gz",
}


@pytest.mark.parametrize("suffix", [".zip", ".tar"])
@pytest.mark.parametrize("name", BAD_NAMES.values(), ids=BAD_NAMES)
def test_names(tmp_path: Path, suffix: str, name: str) -> None:
    """A name that is unsafe anywhere, or not that of a label map, is refused, and printed without its dangers."""
    error = refusal(tmp_path, f"x{suffix}", archive_of(suffix, {**GOOD, name: b"x"}))
    assert error.code == "E_MEMBER"
    assert str(error.path).startswith(f"x{suffix}: {shown(name)}")
    assert not set("<>[]`|\n\x1b\u202e\\") & set(str(error.path).replace("\\u", ""))


def test_nul_in_a_zip_name(tmp_path: Path) -> None:
    """`zipfile` cuts a name at a NUL; here the name is refused."""
    content = zip_of({"a.nii.gz_x.sh": b"x"}).replace(b"a.nii.gz_x.sh", b"a.nii.gz\0x.sh")
    assert refusal(tmp_path, "x.zip", content).code == "E_MEMBER"


def test_nul_in_a_pax_path(tmp_path: Path) -> None:
    """A pax path may hold a NUL, which a header cannot."""
    entry = tar_entry("x", b"x", pax={"path": "a.nii.gz\0.sh"})
    assert refusal(tmp_path, "x.tar", tar_of(entry)).code == "E_MEMBER"


PAIRS = {
    "the same name twice": ("a.nii.gz", "a.nii.gz"),
    "the same name in another way": ("d/a.nii.gz", "./d/./a.nii.gz"),
    "names that differ in case": ("liver_1.nii.gz", "LIVER_1.nii.gz"),
    "cases that differ in case": ("a/liver_1.nii.gz", "b/Liver_1_seg.nii.gz"),
}


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("suffix", [".zip", ".tar"])
@pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS)
def test_colliding_names(tmp_path: Path, suffix: str, pair: tuple[str, str]) -> None:
    """Two members that one file system or another would take for one are refused."""
    one, other = pair
    if suffix == ".tar":
        content = tar_of(tar_entry(one, b"1"), tar_entry(other, b"2"))
    else:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr(one, b"1")
            archive.writestr(other, b"2")
        content = buffer.getvalue()
    assert refusal(tmp_path, f"x{suffix}", content).code == "E_MEMBER"


KINDS = {
    "symbolic link": tarfile.SYMTYPE,
    "hard link": tarfile.LNKTYPE,
    "character device": tarfile.CHRTYPE,
    "block device": tarfile.BLKTYPE,
    "named pipe": tarfile.FIFOTYPE,
    "contiguous file": tarfile.CONTTYPE,
    "sparse file": tarfile.GNUTYPE_SPARSE,
    "multi-volume continuation": b"M",
    "volume label": b"V",
    "unknown type": b"\xff",
}


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_kinds_of_tar_entries(tmp_path: Path, kind: bytes) -> None:
    """A tar holds files and folders, even where another entry has the name of a label map or is hidden."""
    for name in ("a.nii.gz", ".hidden"):
        entry = tar_entry(name, kind=kind, link="../../etc/passwd", tar_format=tarfile.GNU_FORMAT)
        assert refusal(tmp_path, "x.tar", tar_of(entry)).code == "E_MEMBER"


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFBLK, stat.S_IFIFO, stat.S_IFSOCK, stat.S_IFDIR])
def test_kinds_of_zip_entries(tmp_path: Path, kind: int) -> None:
    """A zip holds files, by the Unix mode of each entry as well."""
    info = zipfile.ZipInfo("a.nii.gz")
    info.create_system = 3
    info.external_attr = (kind | 0o644) << 16
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(info, "../../etc/passwd")
    assert refusal(tmp_path, "x.zip", buffer.getvalue()).code == "E_MEMBER"


def pax(records: bytes, kind: bytes = tarfile.XHDTYPE) -> bytes:
    """An extended header with any content."""
    return tar_entry("x", records, kind, tar_format=tarfile.USTAR_FORMAT)


def with_size(size: bytes) -> bytes:
    """A header with these 12 bytes as size, and a fitting checksum."""
    header = bytearray(tar_entry("a.nii.gz", tar_format=tarfile.USTAR_FORMAT))
    header[124:136] = size
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header)


FILE = tar_entry("a.nii.gz", b"x")
TARS: dict[str, tuple[str, Callable[[], bytes]]] = {
    "pax header of many bytes": ("E_LIMIT", lambda: tar_of(pax(b"A" * 200_000), FILE)),
    "GNU name of many bytes": ("E_LIMIT", lambda: tar_of(pax(b"A" * 200_000, tarfile.GNUTYPE_LONGNAME), FILE)),
    "many pax headers before an entry": ("E_LIMIT", lambda: tar_of(*[pax(b"13 comment=x\n")] * 200, FILE)),
    "pax header that promises what is not there": (
        "E_LIMIT",
        lambda: tar_of(tar_entry("x", b"", tarfile.XHDTYPE, size=1 << 32, tar_format=tarfile.USTAR_FORMAT)),
    ),
    "pax size that is not the header's": (
        "E_MEMBER",
        lambda: tar_of(pax(b"10 size=9\n"), tar_entry("a.nii.gz", b"x" * 10)),
    ),
    "pax sparse file": ("E_MEMBER", lambda: tar_of(pax(b"22 GNU.sparse.major=1\n"), FILE)),
    "global header that names all": (
        "E_MEMBER",
        lambda: tar_of(pax(b"17 path=b.nii.gz\n", tarfile.XGLTYPE), FILE, tar_entry("b.nii.gz", b"y")),
    ),
    "pax record without end": ("E_ARCHIVE", lambda: tar_of(pax(b"99 path=b.nii.gz\n"), FILE)),
    "pax record of no length": ("E_ARCHIVE", lambda: tar_of(pax(b"0 path=b.nii.gz\n"), FILE)),
    "pax record of enormous length": ("E_ARCHIVE", lambda: tar_of(pax(b"9" * 5000 + b" a=b\n"), FILE)),
    "pax header with two paths": (
        "E_ARCHIVE",
        lambda: tar_of(pax(b"17 path=b.nii.gz\n17 path=c.nii.gz\n"), FILE),
    ),
    "pax header of nothing": ("E_ARCHIVE", lambda: tar_of(FILE, pax(b"13 comment=x\n"))),
    "size below zero": ("E_ARCHIVE", lambda: tar_of(FILE, with_size(b"\xff" * 12))),
    "size beyond all disks": ("E_LIMIT", lambda: tar_of(with_size(b"\x80" + b"\xff" * 11))),
    "size that is no number": ("E_ARCHIVE", lambda: tar_of(with_size(b"12345678901z"))),
    "folder with content": ("E_MEMBER", lambda: tar_of(tar_entry("d/", b"x" * 600), FILE)),
    "damaged header in the middle": ("E_ARCHIVE", lambda: tar_of(FILE, b"\1" + FILE[1:], FILE)),
    "no end mark": ("E_ARCHIVE", lambda: FILE),
    "half an end mark": ("E_ARCHIVE", lambda: FILE + bytes(512)),
    "an archive after the end mark": ("E_ARCHIVE", lambda: tar_of(FILE) + tar_of(FILE)),
    "zip archive after the end mark": ("E_ARCHIVE", lambda: tar_of(FILE) + zip_of(GOOD)),
    "endless zeros after the end mark": ("E_LIMIT", lambda: tar_of(FILE) + bytes(900_000)),
    "end in the content": ("E_ARCHIVE", lambda: tar_entry("a.nii.gz", b"x" * 100, size=5000)),
    "nothing in it": ("E_NO_CASES", tar_of),
    "nothing but folders": ("E_NO_CASES", lambda: tar_of(tar_entry("d/"))),
    "no tar at all": ("E_ARCHIVE", lambda: b"import os\n" * 1000),
    "zip named tar": ("E_ARCHIVE", lambda: zip_of(GOOD)),
    "gzip named tar": ("E_ARCHIVE", lambda: archive_of(".tar.gz", GOOD)),
    "empty file": ("E_ARCHIVE", lambda: b""),
    "more files than allowed": ("E_LIMIT", lambda: tar_of(*[tar_entry(f"c{i}.nii") for i in range(21)])),
    "more hidden files than allowed": ("E_LIMIT", lambda: tar_of(*[tar_entry(f".c{i}") for i in range(21)])),
    "more folders than allowed": ("E_LIMIT", lambda: tar_of(*[tar_entry(f"c{i}/") for i in range(21)])),
    "one large file": ("E_LIMIT", lambda: tar_of(tar_entry("a.nii", bytes(100_001)))),
    "one large hidden file": ("E_LIMIT", lambda: tar_of(tar_entry(".a", bytes(100_001)))),
    "many large files": ("E_LIMIT", lambda: tar_of(*[tar_entry(f"c{i}.nii", bytes(90_000)) for i in range(6)])),
}


@pytest.mark.parametrize(("code", "build"), TARS.values(), ids=TARS)
def test_tars(tmp_path: Path, code: str, build: Callable[[], bytes]) -> None:
    """A tar archive that lies, hides something, is damaged or too large is refused."""
    assert refusal(tmp_path, "x.tar", build()).code == code


END = struct.Struct("<4s4H2LH")


def edited(content: bytes, record: bytes, offset: int, value: bytes, which: int = 0) -> bytes:
    """A zip with some bytes of the first, or another, record of a kind overwritten."""
    place = -1
    for _ in range(which + 1):
        place = content.index(record, place + 1)
    return content[: place + offset] + value + content[place + offset + len(value) :]


def in_both(content: bytes, offset: int, value: bytes) -> bytes:
    """The same value in the first local header and in the first directory entry; the offset is that in the former."""
    return edited(edited(content, b"PK\3\4", offset, value), b"PK\1\2", offset + 2, value)


def with_end(content: bytes, **fields: int) -> bytes:
    """A zip with another end record: `n_here`, `n_entries`, `length`, `start`, `disk`."""
    names = ("disk", "directory_disk", "n_here", "n_entries", "length", "start", "n_comment")
    values = dict(zip(names, END.unpack(content[-22:])[1:], strict=True)) | fields
    return content[:-22] + END.pack(b"PK\5\6", *values.values())


def with_directory_twice() -> bytes:
    """Two directory entries for one local header, as in an overlapping bomb."""
    content = zip_of({"a.nii.gz": b"x" * 1000})
    start = content.index(b"PK\1\2")
    entry = content[start:-22]
    return with_end(content[:-22] + entry + content[-22:], n_here=2, n_entries=2, length=2 * len(entry))


def quoted() -> bytes:
    """A local header within the stored content of the entry before it, as in a bomb of quoted headers."""
    inner = zip_of({"b.nii.gz": b"y" * 1000})
    inner_local, inner_entry = inner[: inner.index(b"PK\1\2")], inner[inner.index(b"PK\1\2") : -22]
    outer = zip_of({"a.nii.gz": inner_local}, zipfile.ZIP_STORED)
    outer_local, outer_entry = outer[: outer.index(b"PK\1\2", len(inner_local))], outer[-22 - 46 - 8 : -22]
    inner_entry = inner_entry[:42] + struct.pack("<L", len(outer_local) - len(inner_local)) + inner_entry[46:]
    directory = outer_entry + inner_entry
    end = END.pack(b"PK\5\6", 0, 0, 2, 2, len(directory), len(outer_local), 0)
    return outer_local + directory + end


def zip64_lie() -> bytes:
    """The end record says one entry, the zip64 record two."""
    content = zip_of(GOOD)
    start, length = END.unpack(content[-22:])[6], END.unpack(content[-22:])[5]
    end = len(content) - 22
    wide = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, 2, 2, length, start)
    locator = struct.pack("<4sLQL", b"PK\6\7", 0, end, 1)
    return content[:-22] + wide + locator + END.pack(b"PK\5\6", 0, 0, 1, 1, length, 0xFFFFFFFF, 0)


def gap() -> bytes:
    """Bytes between the last entry and the directory that belong to neither."""
    content = zip_of(GOOD)
    start = content.index(b"PK\1\2")
    return with_end(content[:start] + b"#!/bin/sh" + content[start:], start=start + 9)


def understated() -> bytes:
    """An entry that unpacks to far more than both its headers say."""
    content = zip_of({"a.nii.gz": bytes(400_000)})
    return in_both(content, 22, struct.pack("<L", 1000))


ZIP = zip_of(GOOD)
ZIPS: dict[str, tuple[str, Callable[[], bytes]]] = {
    "encrypted": ("E_MEMBER", lambda: in_both(ZIP, 6, b"\1\0")),
    "strongly encrypted": ("E_MEMBER", lambda: in_both(ZIP, 6, b"\x41\0")),
    "patch data": ("E_MEMBER", lambda: in_both(ZIP, 6, b"\x20\0")),
    "bzip2": ("E_MEMBER", lambda: zip_of(GOOD, zipfile.ZIP_BZIP2)),
    "LZMA": ("E_MEMBER", lambda: zip_of(GOOD, zipfile.ZIP_LZMA)),
    "checksum of another content": ("E_ARCHIVE", lambda: in_both(ZIP, 14, b"1234")),
    "checksum that differs between headers": ("E_ARCHIVE", lambda: edited(ZIP, b"PK\3\4", 14, b"1234")),
    "damaged deflate stream": ("E_ARCHIVE", lambda: edited(ZIP, b"PK\3\4", 40, b"\xff\xff\xff\xff")),
    "another name before the content": ("E_ARCHIVE", lambda: edited(ZIP, b"PK\3\4", 30, b"z")),
    "another method before the content": ("E_ARCHIVE", lambda: edited(ZIP, b"PK\3\4", 8, b"\0\0")),
    "another size before the content": ("E_ARCHIVE", lambda: edited(ZIP, b"PK\3\4", 22, b"\1\0\0\0")),
    "other flags before the content": ("E_ARCHIVE", lambda: edited(ZIP, b"PK\3\4", 6, b"\0\x08")),
    "no header before the content": ("E_ARCHIVE", lambda: edited(ZIP, b"PK\3\4", 0, b"PK\7\x08", 1)),
    "content far beyond the file": ("E_ARCHIVE", lambda: edited(ZIP, b"PK\1\2", 42, b"\xfe\xff\xff\xff")),
    "compressed size beyond the entry": (
        "E_ARCHIVE",
        lambda: in_both(ZIP, 18, struct.pack("<L", len(ZIP))),
    ),
    "two entries for one content": ("E_ARCHIVE", with_directory_twice),
    "an entry within another one": ("E_ARCHIVE", quoted),
    "more than announced": ("E_ARCHIVE", understated),
    "less than announced": ("E_ARCHIVE", lambda: in_both(ZIP, 22, struct.pack("<L", 5000))),
    "stored with two sizes": (
        "E_ARCHIVE",
        lambda: in_both(zip_of(GOOD, zipfile.ZIP_STORED), 22, struct.pack("<L", 1)),
    ),
    "size in a zip64 field that is not there": (
        "E_ARCHIVE",
        lambda: edited(ZIP, b"PK\1\2", 24, b"\xff\xff\xff\xff"),
    ),
    "zip64 record that contradicts": ("E_ARCHIVE", zip64_lie),
    "zip64 record that is not there": ("E_ARCHIVE", lambda: with_end(ZIP, n_here=0xFFFF, n_entries=0xFFFF)),
    "more entries than announced": ("E_ARCHIVE", lambda: with_end(ZIP, n_here=1, n_entries=1)),
    "less entries than announced": ("E_ARCHIVE", lambda: with_end(ZIP, n_here=3, n_entries=3)),
    "many entries announced": ("E_LIMIT", lambda: with_end(ZIP, n_here=65_000, n_entries=65_000)),
    "directory elsewhere": ("E_ARCHIVE", lambda: with_end(ZIP, start=0)),
    "part of a larger archive": ("E_ARCHIVE", lambda: with_end(ZIP, disk=1)),
    "entry in another part": ("E_ARCHIVE", lambda: edited(ZIP, b"PK\1\2", 34, b"\1\0")),
    "program before the archive": ("E_ARCHIVE", lambda: b"#!/bin/sh\nexit\n" + ZIP),
    "archive within a first entry": ("E_ARCHIVE", lambda: b"PK\3\4" + bytes(100) + ZIP),
    "data after the archive": ("E_ARCHIVE", lambda: ZIP + b"x"),
    "archive after the archive": ("E_ARCHIVE", lambda: ZIP + ZIP),
    "comment": ("E_ARCHIVE", lambda: with_end(ZIP, n_comment=3) + b"abc"),
    "comment that is an end record": ("E_ARCHIVE", lambda: with_end(ZIP, n_comment=22) + ZIP[-22:]),
    "data between the entries": ("E_ARCHIVE", gap),
    "folder with content": ("E_MEMBER", lambda: zip_of({"a.nii.gz": b"", "d/": b"x"})),
    "name of many bytes": ("E_MEMBER", lambda: zip_of({"a/" * 2000 + "b.nii.gz": b""})),
    "nothing in it": ("E_ARCHIVE", lambda: zip_of({})),
    "nothing but folders": ("E_NO_CASES", lambda: zip_of({"d/": b""})),
    "tar named zip": ("E_ARCHIVE", lambda: tar_of(FILE)),
    "more files than allowed": ("E_LIMIT", lambda: zip_of({f"c{i}.nii": b"" for i in range(21)})),
    "one large file": ("E_LIMIT", lambda: zip_of({"a.nii": bytes(100_001)})),
    "many large files": ("E_LIMIT", lambda: zip_of({f"c{i}.nii": bytes(90_000) for i in range(6)})),
}


@pytest.mark.parametrize(("code", "build"), ZIPS.values(), ids=ZIPS)
def test_zips(tmp_path: Path, code: str, build: Callable[[], bytes]) -> None:
    """A zip archive whose records lie or disagree, that hides something, is damaged or too large is refused."""
    assert refusal(tmp_path, "x.zip", build()).code == code


def zstd_with_window(log: int) -> bytes:
    """A frame whose decompression needs a window of 2^log bytes."""
    parameters = zstandard.ZstdCompressionParameters.from_level(1, window_log=log)
    compressor = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    return compressor.compress(tar_of(FILE)) + compressor.flush()


def flipped(content: bytes, place: int) -> bytes:
    """The content with one bit changed."""
    place %= len(content)
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


GZIP, ZSTD = archive_of(".tar.gz", GOOD), archive_of(".tar.zst", GOOD)
SKIPPABLE = struct.pack("<2L", 0x184D2A50, 4) + b"evil"
STREAMS: dict[str, tuple[str, str, Callable[[], bytes]]] = {
    "gzip bomb": (".tar.gz", "E_LIMIT", lambda: gzip.compress(tar_entry("a.nii", size=90_000) + bytes(3_000_000))),
    "zstd bomb": (".tar.zst", "E_LIMIT", lambda: compressed(".tar.zst", FILE + bytes(3_000_000))),
    "zstd window of 256 MiB": (".tar.zst", "E_LIMIT", lambda: zstd_with_window(28)),
    "gzip checksum": (".tar.gz", "E_ARCHIVE", lambda: flipped(GZIP, -8)),
    "gzip length": (".tar.gz", "E_ARCHIVE", lambda: flipped(GZIP, -1)),
    "zstd checksum": (".tar.zst", "E_ARCHIVE", lambda: flipped(ZSTD, -1)),
    "gzip without its checksum": (".tar.gz", "E_ARCHIVE", lambda: GZIP[:-8]),
    "zstd without its checksum": (".tar.zst", "E_ARCHIVE", lambda: ZSTD[:-4]),
    "data after gzip": (".tar.gz", "E_ARCHIVE", lambda: GZIP + b"x"),
    "a second gzip member": (".tar.gz", "E_ARCHIVE", lambda: GZIP + GZIP),
    "data after zstd": (".tar.zst", "E_ARCHIVE", lambda: ZSTD + b"x"),
    "a second zstd frame": (".tar.zst", "E_ARCHIVE", lambda: ZSTD + ZSTD),
    "a hidden zstd frame": (".tar.zst", "E_ARCHIVE", lambda: ZSTD + SKIPPABLE),
    "a hidden zstd frame before": (".tar.zst", "E_ARCHIVE", lambda: SKIPPABLE + ZSTD),
    "zstd block of a reserved type": (".tar.zst", "E_ARCHIVE", lambda: ZSTD[:6] + b"\x07\0\0"),
    "zstd header alone": (".tar.zst", "E_ARCHIVE", lambda: ZSTD[:5]),
    "magic alone": (".tar.zst", "E_ARCHIVE", lambda: ZSTD[:4]),
    "gzip in gzip": (".tar.gz", "E_ARCHIVE", lambda: gzip.compress(GZIP)),
    "zip in gzip": (".tar.gz", "E_ARCHIVE", lambda: gzip.compress(ZIP)),
    "gzip of nothing": (".tgz", "E_ARCHIVE", lambda: gzip.compress(b"")),
    "zstd named gzip": (".tar.gz", "E_ARCHIVE", lambda: ZSTD),
    "gzip named zstd": (".tar.zst", "E_ARCHIVE", lambda: GZIP),
    "another suffix": (".rar", "E_ARCHIVE", lambda: GZIP),
}


@pytest.mark.parametrize(("suffix", "code", "build"), STREAMS.values(), ids=STREAMS)
def test_streams(tmp_path: Path, suffix: str, code: str, build: Callable[[], bytes]) -> None:
    """A compressed stream that is damaged, cut off, followed by something or a bomb is refused."""
    assert refusal(tmp_path, f"x{suffix}", build()).code == code


def test_padding(tmp_path: Path) -> None:
    """A tar may be filled up with zeros, as by GNU tar with a large blocking factor, but not without end."""
    tar = tar_of(FILE)
    assert len(unpack(tmp_path, "x.tar", tar + bytes(900_000), Limits())) == 1
    assert refusal(tmp_path, "x.tar.zst", compressed(".tar.zst", tar + bytes(20_000_000)), Limits()).code == "E_ARCHIVE"


@pytest.mark.parametrize("suffix", [".zip", ".tar.gz", ".tar.zst"])
def test_bombs_take_no_memory(tmp_path: Path, suffix: str) -> None:
    """Thirty megabytes of zeros stop at the limit; memory stays at a few chunks, and disk at the limit."""
    bomb = archive_of(suffix, {"a.nii": bytes(30_000_000)})
    limits = Limits(archive_bytes=1 << 20, files=20, file_bytes=1 << 30, total_bytes=10_000_000)
    tracemalloc.start()
    try:
        assert refusal(tmp_path, f"x{suffix}", bomb, limits).code == "E_LIMIT"
        assert tracemalloc.get_traced_memory()[1] < 4_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("suffix", FORMATS)
def test_cut_off_anywhere(tmp_path: Path, suffix: str) -> None:
    """However much of an archive is there, less than all of it is an error."""
    content = archive_of(suffix, GOOD)
    end = len(content) - 512 if suffix == ".tar" else len(content)
    for n_bytes in {*range(0, end, max(1, end // 100)), end - 1}:
        assert refusal(tmp_path, f"x{suffix}", content[:n_bytes]).code == "E_ARCHIVE"


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(suffix=st.sampled_from(FORMATS), place=st.integers(0, 1 << 20), value=st.integers(1, 255))
def test_damage_anywhere(tmp_path: Path, suffix: str, place: int, value: int) -> None:
    """One changed byte gives an `ArchiveError` or the same members; a tar has no checksum of contents, so others."""
    content = bytearray(archive_of(suffix, GOOD))
    content[place % len(content)] ^= value
    try:
        found = unpack(tmp_path, f"x{suffix}", bytes(content))
    except ArchiveError:
        return
    if suffix == ".tar":
        assert len(found) <= len(GOOD)
    else:
        assert found == list(GOOD.items())


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(suffix=st.sampled_from(FORMATS), content=st.binary(max_size=2000))
def test_noise(tmp_path: Path, suffix: str, content: bytes) -> None:
    """Anything behind the right magic is an `ArchiveError` and nothing else."""
    magic = {".zip": b"PK\3\4", ".tar.gz": b"\x1f\x8b\x08", ".tar.zst": b"\x28\xb5\x2f\xfd", ".tar": b""}[suffix]
    refusal(tmp_path, f"x{suffix}", padded(magic + content) if suffix == ".tar" else magic + content)
