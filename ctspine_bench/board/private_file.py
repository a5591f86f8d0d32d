"""The organizers' standings of private test sets, read back from standings.json."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ctspine_bench.board.standings_file import from_document
from ctspine_bench.errors import FileError
from ctspine_bench.submissions.plain_text import shown
from ctspine_bench.testsets import OFFICIAL, PHANTOM, named

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ctspine_bench.rankings.standings import Standings

SCHEMA_VERSION: Final = 1
"""Version of the layout of standings.json."""

_MAX_BYTES: Final = 64 * 2**20


@dataclass(frozen=True)
class _OfTestSet:
    digests: Mapping[str, str]
    standings: Mapping[tuple[str, str, str], Standings]
    gaps: Mapping[str, dict[str, Any]]


@dataclass(frozen=True)
class PrivateStandings:
    """Standings of private test sets.

    Attributes:
        test_sets: Private test set → its standings; empty without the file.
    """

    test_sets: Mapping[str, _OfTestSet]

    def standings(self, test_set: str, scheme: str, metric: str, region: str) -> Standings | None:
        """Return standings, `None` if they were not published."""
        found = self.test_sets.get(test_set)
        return found.standings.get((scheme, metric, region)) if found else None

    def digest(self, test_set: str, slug: str) -> str | None:
        """Return the digest of the record of a submission at that time."""
        found = self.test_sets.get(test_set)
        return found.digests.get(slug) if found else None

    def gap(self, test_set: str, slug: str, digest: str) -> dict[str, Any] | None:
        """Return what may be told of a submission's domain gap; `None` if its record has changed since."""
        found = self.test_sets.get(test_set)
        return found.gaps.get(slug) if found and found.digests.get(slug) == digest else None


def read_private_standings(path: Path) -> PrivateStandings:
    """Read the private test sets of a standings.json; the others are worked out from records.

    Raises:
        FileError: E_STANDINGS, the file cannot be read, is of another form or of a newer version.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise _error(path, "a file that can be read", error.strerror or type(error).__name__) from None
    if len(content) > _MAX_BYTES:
        raise _error(path, f"at most {_MAX_BYTES:,} bytes", f"{len(content):,}")
    try:
        document = json.loads(content, parse_constant=_refuse)
        version = document["schema_version"]
        if version != SCHEMA_VERSION:
            raise _error(path, f"standings of version {SCHEMA_VERSION}", f"version {shown(repr(version), 40)}")
        found = {
            name: _test_set(part)
            for name, part in document["test_sets"].items()
            if name in (*OFFICIAL, *PHANTOM) and named(name).private
        }
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise _error(path, "standings as `ctspine-bench rank` writes them", shown(error, 100)) from None
    return PrivateStandings(found)


def _test_set(part: Mapping[str, Any]) -> _OfTestSet:
    standings = [from_document(document) for document in part["standings"]]
    return _OfTestSet(
        digests={str(slug): str(digest) for slug, digest in part["entries"].items()},
        standings={(one.scheme, one.metric, one.region): one for one in standings},
        gaps={str(slug): _gap(gap) for slug, gap in part["domain_gap"].items()},
    )


def _gap(gap: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "intervals": gap["intervals"]
        and {str(name): (float(low), float(high)) for name, (low, high) in gap["intervals"].items()},
        "losses": gap["losses"] and {str(name): float(value) for name, value in gap["losses"].items()},
        "sources": {
            str(name): {
                "n_cases": _count(cell["n_cases"]),
                "dsc": None if cell["dsc"] is None else float(cell["dsc"]),
            }
            for name, cell in gap["sources"].items()
        },
    }


def _count(value: Any) -> int | str | None:
    if not isinstance(value, int | str | None) or isinstance(value, bool):
        raise TypeError(f"expected a count, found {value!r}")
    return value


def _refuse(text: str) -> float:
    raise ValueError(f"{text}, which is not a finite number") if not math.isfinite(float(text)) else ValueError(text)


def _error(path: Path, expected: str, found: str) -> FileError:
    return FileError(
        "E_STANDINGS",
        path.name,
        expected=expected,
        found=found,
        advice="Write it again with `ctspine-bench rank --private-store`.",
    )
