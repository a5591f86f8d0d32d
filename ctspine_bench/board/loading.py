"""The folders of submissions → entries: from the cache where a record is known, from its files where it is not."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ctspine_bench.board.condensed import condensed, paired_scores
from ctspine_bench.board.entries import Entry, digest_of
from ctspine_bench.errors import SubmissionError
from ctspine_bench.files import current
from ctspine_bench.submissions.declaration import Declaration
from ctspine_bench.submissions.folder import CASES, RESULTS
from ctspine_bench.submissions.plain_text import shown
from ctspine_bench.submissions.reading import DECLARATION
from ctspine_bench.submissions.records import read_record
from ctspine_bench.workers import in_parallel

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ctspine_bench.board.cache import Cache
    from ctspine_bench.rankings.paired import PairedScores
    from ctspine_bench.submissions.records import Record

Signature = tuple[Any, ...]

_FILES: Final = (DECLARATION, RESULTS, CASES)


@dataclass(eq=False)
class Loaded:
    """An entry with the state of its files, and its scores once they were asked for."""

    signature: Signature
    entry: Entry
    scores: dict[str, PairedScores] | None = None


def signature(folder: Path, private_standings: Path | None) -> Signature:
    """Return what changes whenever a file of the board does; the last part is about the private standings."""
    of_private = _state(private_standings) if private_standings else ()
    return (*((path.name, _signature(path)) for path in _folders(folder)), of_private)


def load(folder: Path, cache: Cache, previous: Mapping[str, Loaded]) -> dict[str, Loaded]:
    """Return slug → entry, sorted, broken ones included.

    Args:
        folder: With a folder for each submission.
        cache: What is known about records.
        previous: What was loaded before: records that are as they were are not read again.
    """

    def one(path: Path) -> Loaded:
        state = _signature(path)
        known = previous.get(path.name)
        return known if known and known.signature == state else _loaded(path, state, cache)

    loaded = {path.name: found for path, found in in_parallel(one, _folders(folder), None)}
    return dict(sorted(loaded.items()))


def _loaded(path: Path, state: Signature, cache: Cache) -> Loaded:
    slug, digest = path.name, digest_of(path)
    if document := cache.read("records", digest):
        declaration = Declaration.model_validate_json(json.dumps(document["declaration"]))
        return Loaded(state, Entry(slug, digest, declaration, document["results"], None))
    try:
        record, results, scores = _read(path)
    except SubmissionError as error:
        return Loaded(state, Entry(slug, digest, None, None, error))
    if _signature(path) == state:  # otherwise it may be another record by now than that of the digest
        cache.write_scores(digest, scores)
        cache.write("records", digest, {"declaration": record.declaration.model_dump(mode="json"), "results": results})
    return Loaded(state, Entry(slug, digest, record.declaration, results, None), scores)


def read_scores(path: Path, loaded: Loaded, cache: Cache) -> dict[str, PairedScores] | None:
    """Return the scores of a record that is known from the cache; `None` if they cannot be read at this moment.

    The record may be another one by now, or the system may be out of files or memory: it is tried again when asked for.
    """
    try:
        _, _, scores = _read(path)
    except SubmissionError:
        return None
    if _signature(path) != loaded.signature:
        return None
    cache.write_scores(loaded.entry.digest, scores)
    return scores


def _read(path: Path) -> tuple[Record, dict[str, Any] | None, dict[str, PairedScores]]:
    """Read a record from its files; whatever goes wrong is the error of this record alone."""
    try:
        record = read_record(path)
        return record, condensed(record), paired_scores(record)
    except SubmissionError:
        raise
    except Exception as error:  # noqa: BLE001 -- libraries raise nearly anything at damaged files
        raise SubmissionError(
            "E_RECORD",
            shown(path.name),
            expected="a record that can be read",
            found=f"{type(error).__name__}: {shown(error, 100)}",
            advice="Score the submission again, or take the files from the last good commit.",
        ) from None


def _folders(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    except (FileNotFoundError, NotADirectoryError):
        return []


def _signature(folder: Path) -> Signature:
    return tuple(_state(current(folder, name)) for name in _FILES)


def _state(path: Path) -> Signature:
    try:
        found = path.lstat()
    except OSError:
        return ()
    return (found.st_mtime_ns, found.st_size, found.st_ino)
