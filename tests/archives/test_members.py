"""Members of good archives, whichever program wrote them."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import tarfile
import zipfile
from typing import TYPE_CHECKING, Any

import pytest
import zstandard
from archive_files import FORMATS, archive_of, compressed, tar_entry, tar_of, zip_of

from ctspine_bench.archives import Limits, members
from ctspine_bench.errors import ArchiveError, FileError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FILES = {
    "liver_12.nii.gz": b"one",
    "predictions/": b"",
    "predictions/HN_P001_seg.nii.gz": b"two" * 100_000,
    "predictions/1.3.6.1.4.1.9328.50.4.0001.nii": b"",
}
CASES = {
    "liver_12.nii.gz": "liver_12",
    "predictions/HN_P001_seg.nii.gz": "HN_P001",
    "predictions/1.3.6.1.4.1.9328.50.4.0001.nii": "1.3.6.1.4.1.9328.50.4.0001",
}


def read(folder: Path, file_name: str, content: bytes, **limits: int) -> dict[str, tuple[str, bytes]]:
    """Name → case id and content of each member."""
    path = folder / "stored-otherwise"
    path.write_bytes(content)
    found = {}
    for member in members(path, file_name, folder, Limits(**limits)):
        with member.file:
            found[member.name] = (member.case_id, member.file.read())
    return found


def expected(files: Mapping[str, bytes]) -> dict[str, tuple[str, bytes]]:
    return {name: (CASES[name], content) for name, content in files.items() if name in CASES}


@pytest.mark.parametrize("suffix", FORMATS)
def test_all_formats_hold_the_same_members(tmp_path: Path, suffix: str) -> None:
    """Zip, tar, tar.gz and tar.zst give the same names, case ids and bytes, in any case of the suffix."""
    content = archive_of(suffix, FILES)
    assert read(tmp_path, f"all{suffix}", content) == expected(FILES)
    assert read(tmp_path, f"ALL{suffix.upper()}", content) == expected(FILES)
    assert [path.name for path in tmp_path.iterdir()] == ["stored-otherwise"]


def test_tgz_is_tar_gz(tmp_path: Path) -> None:
    """A .tgz is read as a .tar.gz."""
    assert read(tmp_path, "all.tgz", archive_of(".tar.gz", FILES)) == expected(FILES)


@pytest.mark.parametrize("tar_format", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
@pytest.mark.parametrize("prefix", ["", "./", "a/b/c/", "long-" * 20 + "/"])
def test_dialects_of_tar(tmp_path: Path, tar_format: int, prefix: str) -> None:
    """Ustar, GNU and pax archives with short and long names are read alike; ./ before a name means nothing."""
    entries = [tar_entry(f"{prefix}{name}", content, tar_format=tar_format) for name, content in FILES.items()]
    found = read(tmp_path, "x.tar", tar_of(*entries))
    assert found == {f"{prefix.removeprefix('./')}{name}": value for name, value in expected(FILES).items()}


def test_global_pax_header_with_a_comment(tmp_path: Path) -> None:
    """The global header that `git archive` writes is passed over."""
    start = tarfile.TarInfo.create_pax_global_header({"comment": "0123456789abcdef"})
    assert read(tmp_path, "x.tar", tar_of(start, tar_entry("a.nii.gz", b"a"))) == {"a.nii.gz": ("a", b"a")}


def test_attributes_of_other_programs(tmp_path: Path) -> None:
    """Times and extended attributes in a pax header are passed over."""
    pax = {"mtime": "1.5", "LIBARCHIVE.xattr.com.apple.provenance": "AQID", "SCHILY.xattr.user.x": "y"}
    assert read(tmp_path, "x.tar", tar_of(tar_entry("a.nii.gz", b"a", pax=pax))) == {"a.nii.gz": ("a", b"a")}


@pytest.mark.parametrize("suffix", FORMATS)
def test_what_systems_add_is_passed_over(tmp_path: Path, suffix: str) -> None:
    """Hidden files and __MACOSX, whatever they hold, are no members and no errors."""
    junk = {"a.nii.gz": b"a", ".DS_Store": b"x", "._a.nii.gz": b"x", "__MACOSX/b.sh": b"x", "d/.x/c.nii.gz": b"x"}
    assert read(tmp_path, f"x{suffix}", archive_of(suffix, junk)) == {"a.nii.gz": ("a", b"a")}


def test_two_members_for_a_case_are_both_there(tmp_path: Path) -> None:
    """Which of two members of a case counts is not decided here."""
    content = archive_of(".tar", {"a/x.nii.gz": b"1", "b/x_seg.nii.gz": b"2", "x.nii": b"3"})
    assert [case_id for case_id, _ in read(tmp_path, "x.tar", content).values()] == ["x", "x", "x"]


class Unseekable(io.RawIOBase):
    """A pipe: what is written cannot be corrected later."""

    def __init__(self) -> None:
        self.content = b""

    def writable(self) -> bool:
        """True."""
        return True

    def write(self, data: Any) -> int:
        """Keep the data."""
        self.content += bytes(data)
        return len(data)


@pytest.mark.parametrize("force_zip64", [False, True])
@pytest.mark.parametrize("stream", [Unseekable, io.BytesIO])
def test_streamed_zips_and_zip64(tmp_path: Path, *, force_zip64: bool, stream: type) -> None:
    """Zip entries with data descriptors, with 64-bit sizes, and with both."""
    buffer = stream()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in FILES.items():
            with archive.open(name, "w", force_zip64=force_zip64) as file:
                file.write(content)
    content = buffer.content if isinstance(buffer, Unseekable) else buffer.getvalue()
    assert read(tmp_path, "x.zip", content) == expected(FILES)


def test_zip64_end_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A zip whose number of entries stands in the zip64 record alone."""
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 1)
    content = bytearray(zip_of(FILES))
    assert b"PK\6\6" in content
    content[-14:-10] = b"\xff" * 4  # Python writes the true number here as well
    assert read(tmp_path, "x.zip", bytes(content)) == expected(FILES)


def test_stored_zip(tmp_path: Path) -> None:
    """Entries of a zip may be stored without compression."""
    assert read(tmp_path, "x.zip", zip_of(FILES, zipfile.ZIP_STORED)) == expected(FILES)


@pytest.mark.parametrize(
    "command",
    ["tar -cf x.tar .", "tar -czf x.tar.gz a", "tar --format=gnu -cf x.tar a", "zip -qr x.zip a", "zip -qr - a > x.zip",
     "tar -cf - a | zstd -q > x.tar.zst", "tar -cf - a | zstd -q --long=27 -19 > x.tar.zst", "bsdtar -cf x.tar a"],
)  # fmt: skip
def test_programs_that_people_use(tmp_path: Path, command: str) -> None:
    """What the programs of this machine write can be read."""
    programs = [part.split()[0] for part in command.split("|")]
    if missing := [program for program in programs if not shutil.which(program)]:
        pytest.skip(f"no {missing[0]} on this machine")
    folder = tmp_path / "in"
    (folder / "a").mkdir(parents=True)
    (folder / "a" / "liver_12.nii.gz").write_bytes(b"content" * 1000)
    subprocess.run(["bash", "-c", f"cd in && {command.replace('x.', '../x.')}"], check=True, cwd=tmp_path)
    (archive,) = tmp_path.glob("x.*")
    found = read(tmp_path, archive.name, archive.read_bytes())
    assert found == {"a/liver_12.nii.gz": ("liver_12", b"content" * 1000)}


def test_one_member_on_disk_at_a_time(tmp_path: Path) -> None:
    """Members are unpacked as they are taken, to files without names that end with the member."""
    path = tmp_path / "x.tar"
    path.write_bytes(archive_of(".tar", {f"c{i}.nii.gz": bytes(1000) for i in range(20)}))
    before = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else None  # noqa: PTH112, PTH208
    for member in members(path, "x.tar", tmp_path):
        assert [entry.name for entry in tmp_path.iterdir()] == ["x.tar"]
        assert (member.file.tell(), len(member.file.read())) == (0, 1000)
        if before is not None:
            assert len(os.listdir("/proc/self/fd")) <= before + 2  # noqa: PTH208
        member.file.close()


def test_stopping_early_leaves_nothing_open(tmp_path: Path) -> None:
    """A consumer may stop in the middle."""
    path = tmp_path / "x.tar.gz"
    path.write_bytes(archive_of(".tar.gz", {"a.nii.gz": b"a", "b.nii.gz": b"b"}))
    stream = members(path, "x.tar.gz", tmp_path)
    next(stream).file.close()
    stream.close()


def test_zstd_with_a_large_window(tmp_path: Path) -> None:
    """`zstd --long=27`, 128 MiB, is the largest window that is accepted."""
    tar = archive_of(".tar", FILES)
    parameters = zstandard.ZstdCompressionParameters.from_level(3, window_log=27)
    compressor = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    assert read(tmp_path, "x.tar.zst", compressor.compress(tar) + compressor.flush()) == expected(FILES)


def test_limits_are_inclusive(tmp_path: Path) -> None:
    """An archive that just keeps to all limits is read; one less of any and it is refused."""
    content = archive_of(".zip", {"a.nii.gz": bytes(3000), "b.nii.gz": bytes(2000)})
    limits = {"archive_bytes": len(content), "files": 2, "file_bytes": 3000, "total_bytes": 5000}
    assert len(read(tmp_path, "x.zip", content, **limits)) == 2
    for name, limit in limits.items():
        with pytest.raises(ArchiveError) as error:
            read(tmp_path, "x.zip", content, **{**limits, name: limit - 1})
        assert error.value.code == "E_LIMIT"


def test_missing_archive(tmp_path: Path) -> None:
    """An archive that is not there is an error that names it as the participant does."""
    with pytest.raises(FileError) as error:
        next(members(tmp_path / "secret", "x.tar", tmp_path))
    assert (error.value.code, error.value.path) == ("E_NOT_FOUND", "x.tar")


def test_no_room(tmp_path: Path) -> None:
    """A scratch folder that cannot be written to is an error of its own, without its path."""
    path = tmp_path / "x.tar"
    path.write_bytes(compressed(".tar", archive_of(".tar", {"a.nii.gz": b"a"})))
    with pytest.raises(FileError) as error:
        next(members(path, "x.tar", tmp_path / "missing"))
    assert error.value.code == "E_OUTPUT"
    assert str(tmp_path) not in str(error.value)
