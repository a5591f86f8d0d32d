"""What was worked out about records, on disk by digest.

Nothing in it is needed: what is missing or damaged is made anew.

```
<version>/records/<digest>.json     the condensed record
<version>/records/<digest>.npz      the scores of its reference vertebrae
<version>/standings/<digest>.json   standings of one test set by one scheme, metric and region
```
"""

from __future__ import annotations

import json
import os
import time
import zipfile
from contextlib import suppress
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ctspine_bench.files import replacing
from ctspine_bench.rankings.paired import MEASURES, PairedScores, ReferenceVertebrae

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

_VERSION: Final = "1"
_KEPT_DAYS: Final = 30
_TEXTS: Final = ("case_ids", "sources")
_DAMAGED: Final = (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile, EOFError)


def default_folder() -> Path:
    """Return where caches belong for this user."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ctspine-bench" / "board"


class Cache:
    """A folder of results by digest.

    Args:
        folder: Where it is; `None` for no cache on disk.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder / _VERSION if folder else None

    def read(self, kind: str, digest: str) -> dict[str, Any] | None:
        """Return a document, `None` if it is not there."""
        with suppress(*_DAMAGED):
            if self._folder:
                path = self._folder / kind / f"{digest}.json"
                document = json.loads(path.read_bytes())
                os.utime(path)
                return document if isinstance(document, dict) else None
        return None

    def write(self, kind: str, digest: str, document: Mapping[str, Any]) -> None:
        """Keep a document, if the folder can be written to."""
        with suppress(OSError):
            if self._folder:
                with replacing(self._folder / kind / f"{digest}.json") as temporary:
                    temporary.write_text(json.dumps(document, allow_nan=False), encoding="utf-8")

    def read_scores(self, digest: str, slug: str) -> dict[str, PairedScores] | None:
        """Return test set → scores of a record, `None` if they are not there."""
        with suppress(*_DAMAGED):
            if self._folder:
                path = self._folder / "records" / f"{digest}.npz"
                with np.load(path, allow_pickle=False) as arrays:
                    found = {name: _scores(arrays, name, slug) for name in arrays["test_sets"].tolist()}
                os.utime(path)
                return found
        return None

    def write_scores(self, digest: str, scores: Mapping[str, PairedScores]) -> None:
        """Keep the scores of a record, if the folder can be written to."""
        arrays: dict[str, NDArray[Any]] = {"test_sets": np.array(list(scores), dtype=str)}
        for name, paired in scores.items():
            arrays[f"{name}/measures"] = np.stack([paired.measures[measure][:, 0] for measure in MEASURES])
            for field in fields(ReferenceVertebrae):
                value = getattr(paired.reference, field.name)
                arrays[f"{name}/{field.name}"] = np.array(value, dtype=str) if field.name in _TEXTS else value
        with suppress(OSError):
            if self._folder:
                with replacing(self._folder / "records" / f"{digest}.npz") as temporary, temporary.open("wb") as file:
                    np.savez(file, **arrays)  # type: ignore[arg-type]

    def prune(self) -> None:
        """Remove what nobody has asked for in a month."""
        oldest = time.time() - _KEPT_DAYS * 24 * 3600
        with suppress(OSError):
            for path in self._folder.glob("*/*") if self._folder else ():
                if path.stat().st_mtime < oldest:
                    path.unlink(missing_ok=True)


def _scores(arrays: Mapping[str, NDArray[Any]], name: str, slug: str) -> PairedScores:
    parts: dict[str, Any] = {}
    for field in fields(ReferenceVertebrae):
        value = arrays[f"{name}/{field.name}"]
        parts[field.name] = tuple(value.tolist()) if field.name in _TEXTS else value
    reference = ReferenceVertebrae(**parts)
    values = arrays[f"{name}/measures"]
    if values.shape != (len(MEASURES), len(reference.case)):
        raise ValueError("expected a value of every measure for every vertebra")
    return PairedScores(
        (slug,), reference, {measure: row[:, None] for measure, row in zip(MEASURES, values, strict=True)}
    )
