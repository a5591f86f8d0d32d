"""What was worked out about records, on disk by digest.

Nothing in it is needed: what is missing or damaged, or was made by other source code, is made anew.

```
<digest of the source>/records/<digest>.json     the condensed record
<digest of the source>/records/<digest>.npz      the scores of its vertebrae
<digest of the source>/standings/<digest>.json   standings of one test set by one scheme, metric and region
```

The first line of a JSON file is the digest of the rest; the other files have checksums inside.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from contextlib import suppress
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ctspine_bench.files import replacing
from ctspine_bench.provenance import source_sha256
from ctspine_bench.rankings.paired import MEASURES, PairedScores, Vertebrae

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

_KEPT_DAYS: Final = 30
_TEXTS: Final = ("case_ids", "sources")
# What decides about what is in the cache.
_SOURCES: Final = (
    "aggregate.py", "anatomy.py", "board", "jackknife.py", "manifests", "rankings", "submissions", "tables.py",
    "testsets.py",
)  # fmt: skip


def default_folder() -> Path | None:
    """Return where caches belong for this user; `None` for one without a home."""
    if given := os.environ.get("XDG_CACHE_HOME"):
        return Path(given) / "ctspine-bench" / "board"
    try:
        return Path.home() / ".cache" / "ctspine-bench" / "board"
    except RuntimeError:
        return None


class Cache:
    """A folder of results by digest.

    Args:
        folder: Where it is; `None` for no cache on disk.
    """

    def __init__(self, folder: Path | None) -> None:
        self._root = folder
        self._folder = folder / source_sha256(_SOURCES)[:16] if folder else None

    def read(self, kind: str, digest: str) -> dict[str, Any] | None:
        """Return a document, `None` if it is not there."""
        if self._folder is None:
            return None
        path = self._folder / kind / f"{digest}.json"
        try:
            checksum, _, content = path.read_bytes().partition(b"\n")
        except OSError:
            return None
        if checksum.decode("ascii", "replace") != hashlib.sha256(content).hexdigest():
            return None
        _touch(path)
        document: dict[str, Any] = json.loads(content)
        return document

    def write(self, kind: str, digest: str, document: Mapping[str, Any]) -> None:
        """Keep a document, if the folder can be written to."""
        if self._folder is None:
            return
        content = json.dumps(document, allow_nan=False).encode()
        with suppress(OSError), replacing(self._folder / kind / f"{digest}.json") as temporary:
            temporary.write_bytes(hashlib.sha256(content).hexdigest().encode() + b"\n" + content)

    def read_scores(self, digest: str, slug: str) -> dict[str, PairedScores] | None:
        """Return test set → scores of a record, `None` if they are not there."""
        if self._folder is None:
            return None
        path = self._folder / "records" / f"{digest}.npz"
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                found = {name: _scores(arrays, name, slug) for name in arrays["test_sets"].tolist()}
        except Exception:  # noqa: BLE001 -- a damaged zip archive makes NumPy raise nearly anything
            return None
        _touch(path)
        return found

    def write_scores(self, digest: str, scores: Mapping[str, PairedScores]) -> None:
        """Keep the scores of a record, if the folder can be written to."""
        if self._folder is None:
            return
        arrays: dict[str, NDArray[Any]] = {"test_sets": np.array(list(scores), dtype=str)}
        for name, paired in scores.items():
            arrays[f"{name}/measures"] = np.stack([paired.measures[measure][:, 0] for measure in MEASURES])
            for field in fields(Vertebrae):
                value = getattr(paired.vertebrae, field.name)
                arrays[f"{name}/{field.name}"] = np.array(value, dtype=str) if field.name in _TEXTS else value
        path = self._folder / "records" / f"{digest}.npz"
        with suppress(OSError), replacing(path) as temporary, temporary.open("wb") as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]

    def prune(self) -> None:
        """Remove what nobody has asked for in a month."""
        oldest = time.time() - _KEPT_DAYS * 24 * 3600
        with suppress(OSError):
            for path in self._root.glob("*/*/*") if self._root else ():
                if path.stat().st_mtime < oldest:
                    path.unlink(missing_ok=True)


def _touch(path: Path) -> None:
    """Note that somebody has asked for it; a cache that can only be read is one all the same."""
    with suppress(OSError):
        os.utime(path)


def _scores(arrays: Mapping[str, NDArray[Any]], name: str, slug: str) -> PairedScores:
    parts: dict[str, Any] = {}
    for field in fields(Vertebrae):
        value = arrays[f"{name}/{field.name}"]
        parts[field.name] = tuple(value.tolist()) if field.name in _TEXTS else value
    vertebrae = Vertebrae(**parts)
    values = arrays[f"{name}/measures"]
    if values.shape != (len(MEASURES), len(vertebrae.case)):
        raise ValueError("expected a value of every measure for every vertebra")
    present = np.ones((len(vertebrae.case), 1), np.bool_)
    measures = {measure: row[:, None] for measure, row in zip(MEASURES, values, strict=True)}
    return PairedScores((slug,), vertebrae, present, measures)
