"""Archives in memory for tests: good ones, and the parts to make bad ones of."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from typing import TYPE_CHECKING

import zstandard

if TYPE_CHECKING:
    from collections.abc import Mapping

FORMATS = (".zip", ".tar", ".tar.gz", ".tar.zst")


def archive_of(suffix: str, files: Mapping[str, bytes]) -> bytes:
    """An archive of one of `FORMATS` with these files; a name that ends in a slash is a folder."""
    if suffix == ".zip":
        return zip_of(files)
    tar = tar_of(*(tar_entry(name, content) for name, content in files.items()))
    return compressed(suffix, tar)


def compressed(suffix: str, tar: bytes) -> bytes:
    """A tar archive, compressed as its suffix says."""
    if suffix == ".tar.zst":
        return zstandard.ZstdCompressor(write_checksum=True).compress(tar)
    return gzip.compress(tar, mtime=0) if suffix in {".tar.gz", ".tgz"} else tar


def zip_of(files: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip archive."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content, method)
    return buffer.getvalue()


def tar_entry(
    name: str,
    content: bytes = b"",
    kind: bytes = tarfile.REGTYPE,
    *,
    tar_format: int = tarfile.PAX_FORMAT,
    size: int | None = None,
    link: str = "",
    pax: Mapping[str, str] | None = None,
) -> bytes:
    """One entry of a tar archive, with its extended headers; what it announces may differ from what it has."""
    info = tarfile.TarInfo(name.removesuffix("/"))
    info.type = tarfile.DIRTYPE if name.endswith("/") else kind
    info.size = len(content) if size is None else size
    info.linkname = link
    info.pax_headers = dict(pax or {})
    return info.tobuf(tar_format) + padded(content)


def padded(content: bytes) -> bytes:
    """Content filled up to full blocks with zeros."""
    return content + bytes(-len(content) % tarfile.BLOCKSIZE)


def tar_of(*entries: bytes) -> bytes:
    """A tar archive of entries, with its end mark."""
    return b"".join(entries) + bytes(2 * tarfile.BLOCKSIZE)
