"""The organizers' private store: what must not be published, and what is ready to be.

```
store.json                       that this folder is one
quota.toml                       limits on private scoring, if the organizers change them
ledger.jsonl                     who had what scored when
index/<slug>.json                declaration digest → key of the scores and name of the public record, oldest first
scores/<key>/                    one scoring of one set of predictions: results.json and cases.parquet are public,
                                 private.parquet has the cases of private test sets
records/<slug>/<digest>/         the public record of one declaration: results.json, cases.parquet
journals/  details/  work/       scorings under way; errors in full; downloads
```
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import shutil
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from ctspine_bench.errors import FileError, SubmissionError
from ctspine_bench.files import current, finish_replacing, replacing, replacing_together
from ctspine_bench.provenance import is_outdated
from ctspine_bench.results import CASES, RESULTS
from ctspine_bench.submissions.folder import check_slug
from ctspine_bench.tables import read_table, write_json, write_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import pandas as pd

PRIVATE: Final = "private.parquet"
QUOTA: Final = "quota.toml"
LEDGER: Final = "ledger.jsonl"
_MARKER: Final = "store.json"
_LOCK: Final = ".lock"
_VERSION: Final = 1
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, eq=False)
class StoredScores:
    """One scoring of one set of predictions.

    Attributes:
        results: results.json without what is about one submission: its slug, declaration and archives.
        cases: The case table of the test sets that are not private.
        private: That of the private ones; not shown when this is printed.
    """

    results: dict[str, Any]
    cases: pd.DataFrame
    private: pd.DataFrame = field(repr=False)


class PrivateStore:
    """A folder that only the organizers' account may enter.

    Attributes:
        folder: Where it is.
    """

    def __init__(self, folder: Path) -> None:
        """Open a store, or make one in a folder that is new, empty or holds quota.toml alone.

        Raises:
            FileError: `E_OUTPUT`: it is a link or a file, holds something else, is of a newer version, or cannot be
                closed to others.
        """
        self.folder = folder
        try:
            self._open()
        except OSError as error:
            raise self._error("a folder that can be written to", error.strerror or type(error).__name__) from None

    def _open(self) -> None:
        if self.folder.is_symlink():
            raise self._error("a folder", "a symbolic link, which may lead anywhere tomorrow")
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self.folder.stat().st_mode & 0o077:
            self.folder.chmod(0o700)
        marker = self.folder / _MARKER
        if not marker.exists():
            if others := sorted(entry.name for entry in self.folder.iterdir() if entry.name != QUOTA)[:1]:
                raise self._error("a private store, or a new folder to make one", f"other files, such as {others[0]}")
            write_json({"private_store": _VERSION}, marker)
        try:
            found = json.loads(marker.read_bytes())["private_store"]
        except (ValueError, LookupError, TypeError):
            raise self._error("a private store", f"a {_MARKER} of another form") from None
        if found != _VERSION:
            raise self._error(f"a private store of version {_VERSION}", f"version {found}")

    def _error(self, expected: str, found: str) -> FileError:
        return FileError(
            "E_OUTPUT",
            self.folder.name,
            expected=expected,
            found=found,
            advice="Give another folder to --private-store.",
        )

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Keep the store to oneself; waits until nobody else does. A killed process lets go of it."""
        import fcntl  # not on Windows, where the demo keeps a store too

        descriptor = os.open(self.folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    @property
    def ledger(self) -> Path:
        """The file of the quota ledger."""
        return self.folder / LEDGER

    @property
    def quota(self) -> Path:
        """The file that changes the limits; it need not exist."""
        return self.folder / QUOTA

    @property
    def work(self) -> Path:
        """A folder for downloads and predictions."""
        return self.folder / "work"

    def journal(self, key: str, test_set: str) -> Path:
        """Return where the finished cases of a scoring are noted."""
        folder = self.folder / "journals" / key
        folder.mkdir(parents=True, exist_ok=True)
        return folder / f"{test_set}.jsonl"

    def note_details(self, text: str) -> str:
        """Keep what only the organizers may read; return what to call it elsewhere."""
        name = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}.txt"
        with replacing(self.folder / "details" / name) as temporary:
            temporary.write_text(text, encoding="utf-8", errors="backslashreplace")
        return f"details/{name}"

    def save(self, key: str, scores: StoredScores) -> None:
        """Keep the scores of some predictions; the journals of their scoring are not needed any more."""
        with replacing_together(self._scores(key)) as temporary:
            write_table(scores.cases, temporary / CASES)
            write_table(scores.private, temporary / PRIVATE)
            write_json(scores.results, temporary / RESULTS)
        shutil.rmtree(self.folder / "journals" / key, ignore_errors=True)

    def read(self, key: str) -> StoredScores | None:
        """Return the scores of some predictions, `None` if there are none, or those of an earlier version alone."""
        folder = self._scores(key)
        if not current(folder, RESULTS).is_file():
            return None
        results = json.loads(current(folder, RESULTS).read_bytes())
        if is_outdated(results):
            return None
        return StoredScores(results, read_table(current(folder, CASES)), read_table(current(folder, PRIVATE)))

    def _scores(self, key: str) -> Path:
        if not _DIGEST.fullmatch(key):
            raise ValueError(f"expected a SHA-256 digest as the key of scores, found {key!r}")
        return self.folder / "scores" / key

    def save_record(self, slug: str, declaration_sha256: str, key: str, record: Path) -> None:
        """Make the files of a public record those of a declaration, and its scores the latest of the submission.

        Args:
            slug: The submission.
            declaration_sha256: Digest of its submission.yaml.
            key: Where its scores are.
            record: Folder with results.json and cases.parquet.
        """
        index = self._index(slug)
        files = {name: current(record, name).read_bytes() for name in (RESULTS, CASES)}
        name = hashlib.sha256(files[RESULTS]).hexdigest()
        folder = self.folder / "records" / slug / name
        with replacing_together(folder) as temporary:
            for file_name, content in files.items():
                (temporary / file_name).write_bytes(content)
        index.pop(declaration_sha256, None)
        index[declaration_sha256] = {"key": key, "record": name}
        write_json(index, self.folder / "index" / f"{slug}.json")

    def public_record(self, slug: str, declaration_sha256: str) -> Path | None:
        """Return the folder with results.json and cases.parquet of a declaration; `None` if it was not scored."""
        entry = self._index(slug).get(declaration_sha256)
        if entry is None:
            return None
        folder = self.folder / "records" / slug / entry["record"]
        finish_replacing(folder)
        return folder

    def scores_of(self, slug: str, declaration_sha256: str) -> StoredScores | None:
        """Return the scores of a declaration; `None` if it was not scored, or by an earlier version alone."""
        entry = self._index(slug).get(declaration_sha256)
        return self.read(entry["key"]) if entry else None

    def slugs(self) -> tuple[str, ...]:
        """Return the submissions that were scored, sorted."""
        return tuple(sorted(path.stem for path in (self.folder / "index").glob("*.json")))

    def scores(self, declarations: Mapping[str, str] | None = None) -> dict[str, StoredScores]:
        """Return slug → scores.

        Args:
            declarations: Slug → digest of the declaration that counts; by default the latest of every submission.
        """
        if declarations is None:
            declarations = {slug: next(reversed(self._index(slug))) for slug in self.slugs()}
        found = {slug: self.scores_of(slug, digest) for slug, digest in declarations.items()}
        return {slug: scores for slug, scores in found.items() if scores}

    def _index(self, slug: str) -> dict[str, dict[str, str]]:
        check_slug(slug)
        try:
            index: dict[str, dict[str, str]] = json.loads((self.folder / "index" / f"{slug}.json").read_bytes())
        except FileNotFoundError:
            return {}
        except ValueError:
            raise SubmissionError(
                "E_RECORD",
                f"index/{slug}.json",
                expected="the index of a submission in the private store",
                found="something else",
                advice="Remove the file and score the submission again: its scores are still there.",
            ) from None
        return index
