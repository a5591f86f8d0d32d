"""Archives of predictions and declarations of them, for tests."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
from typing import TYPE_CHECKING

import numpy as np
from niftis import nifti_bytes

from ctspine_bench.submissions.declaration import Archive

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


def prediction(label: int = 20, *, compressed: bool = True, dtype: type = np.uint8) -> bytes:
    """A small label map whose voxels hold 0 and one label."""
    labels = np.zeros((4, 5, 6), dtype)
    labels[1:3, 2:4, 1:5] = label
    content = nifti_bytes(labels)
    return gzip.compress(content, 1, mtime=0) if compressed else content


def write_tar(path: Path, members: Iterable[tuple[str, bytes]], *, name: str = "") -> Archive:
    """Write a tar archive, and declare it under a name of its own or another one."""
    with tarfile.open(path, "w") as archive:
        for member, content in members:
            entry = tarfile.TarInfo(member)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    content = path.read_bytes()
    return Archive(
        url=f"https://zenodo.org/records/1/files/{name or path.name}?download=1",
        sha256=hashlib.sha256(content).hexdigest(),
        size=len(content),
    )
