"""The organizers' standings of private test sets, as standings.json has them."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NoReturn

from ctspine_bench.board.standings_file import from_document, to_document
from ctspine_bench.domain_gap import PARTS
from ctspine_bench.errors import FileError
from ctspine_bench.hosting.disclosure.suppression import FEW
from ctspine_bench.rankings.paired import LOSSES, METRICS, REGIONS
from ctspine_bench.rankings.schemes import SCHEMES
from ctspine_bench.submissions.plain_text import shown
from ctspine_bench.testsets import OFFICIAL, PHANTOM, SOURCES, named

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ctspine_bench.rankings.standings import Standing, Standings

SCHEMA_VERSION: Final = 2
"""Version of the layout of standings.json."""

_MAX_BYTES: Final = 64 * 2**20
_AGAIN: Final = "Write it again with `ctspine-bench rank --private-store`."


@dataclass(frozen=True)
class PrivateTestSet:
    """What is told of a private test set.

    Attributes:
        digests: Submission → the digest of its record at that time; of all that are ranked.
        standings: Scheme, metric and region → the standings.
        gaps: Submission → what is told of its domain gap: "intervals", "losses" and "sources".
    """

    digests: Mapping[str, str]
    standings: Mapping[tuple[str, str, str], Standings]
    gaps: Mapping[str, dict[str, Any]]

    def to_document(self) -> dict[str, Any]:
        """Return it as standings.json has it."""
        return {
            "private": True,
            "entries": dict(self.digests),
            "standings": [to_document(one) for one in self.standings.values()],
            "domain_gap": dict(self.gaps),
        }


NOTHING: Final = PrivateTestSet({}, {}, {})
"""What is known of a private test set without the organizers."""


@dataclass(frozen=True)
class PrivateStandings:
    """Standings of private test sets.

    Attributes:
        test_sets: Private test set → what is told of it; empty without the organizers.
    """

    test_sets: Mapping[str, PrivateTestSet]

    def of(self, test_set: str) -> PrivateTestSet:
        """Return what is told of a private test set."""
        return self.test_sets.get(test_set, NOTHING)

    def gap(self, test_set: str, slug: str, digest: str) -> dict[str, Any] | None:
        """Return what is told of a submission's domain gap; `None` if its record has changed since."""
        found = self.of(test_set)
        return found.gaps.get(slug) if found.digests.get(slug) == digest else None


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
        document = json.loads(content, parse_constant=_refuse, parse_float=_finite)
        version = _version(document)
        found = _test_sets(document) if version == SCHEMA_VERSION else {}
    except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError) as error:
        found_instead = shown(error, 100) or type(error).__name__
        raise _error(path, "standings as `ctspine-bench rank` writes them", found_instead) from None
    if version != SCHEMA_VERSION:
        expected = f"standings of version {SCHEMA_VERSION}"
        advice = "Update ctspine-bench." if version > SCHEMA_VERSION else _AGAIN
        raise _error(path, expected, f"version {version}", advice)
    return PrivateStandings(found)


def _version(document: Mapping[str, Any]) -> int:
    kind, version = document["kind"], document["schema_version"]
    if kind != "standings" or type(version) is not int or version < 1:
        raise ValueError(f"kind {kind!r}, schema_version {version!r}")
    return version


def _test_sets(document: Mapping[str, Any]) -> dict[str, PrivateTestSet]:
    return {
        name: _test_set(part)
        for name, part in document["test_sets"].items()
        if name in (*OFFICIAL, *PHANTOM) and named(name).private
    }


def _test_set(part: Mapping[str, Any]) -> PrivateTestSet:
    digests = {str(slug): str(digest) for slug, digest in part["entries"].items()}
    standings = [_standings(document, digests) for document in part["standings"]]
    return PrivateTestSet(
        digests=digests,
        standings={(one.scheme, one.metric, one.region): one for one in standings},
        gaps={str(slug): _gap(gap) for slug, gap in part["domain_gap"].items()},
    )


def _standings(document: Mapping[str, Any], digests: Mapping[str, str]) -> Standings:
    found = from_document(document)
    if not (found.scheme in SCHEMES and found.metric in METRICS and found.region in REGIONS):
        raise ValueError(f"standings by {found.scheme}, {found.metric} and {found.region}, which are not known")
    if len(found.rows) != len(digests) or {row.slug for row in found.rows} != digests.keys():
        raise ValueError("standings of others than the entries")
    if not all(_is_possible(row, len(digests)) for row in found.rows):
        raise ValueError("ranks or shares that no submission can have")
    return found


def _is_possible(row: Standing, n: int) -> bool:
    low, high = (row.rank if end is None else end for end in (row.low, row.high))
    shares = (*row.frequencies, *(() if row.p_first is None else (row.p_first,)))
    return (
        1 <= low <= row.rank <= high <= n
        and len(row.frequencies) in {0, n}
        and all(0 <= share <= 1 for share in shares)
        and (row.score_low is None) == (row.score_high is None)
    )


def _gap(gap: Mapping[str, Any]) -> dict[str, Any]:
    intervals, losses = gap["intervals"], gap["losses"]
    return {
        "intervals": None if intervals is None else {name: _ends(intervals[name]) for name in ("gap", *PARTS)},
        "losses": None if losses is None else {name: float(losses[name]) for name in LOSSES},
        "sources": {
            str(name): {
                "n_cases": _count(cell["n_cases"]),
                "dsc": None if cell["dsc"] is None else float(cell["dsc"]),
            }
            for name, cell in gap["sources"].items()
            if name in SOURCES
        },
    }


def _ends(interval: Any) -> tuple[float, float]:
    low, high = interval
    return float(low), float(high)


def _count(value: Any) -> int | str | None:
    if value is None or value == FEW or type(value) is int:
        return value  # type: ignore[no-any-return]
    raise TypeError(f"{value!r} in place of a count")


def _refuse(text: str) -> NoReturn:
    raise ValueError(f"{text}, which is not a finite number")


def _finite(text: str) -> float:
    value = float(text)
    return value if math.isfinite(value) else _refuse(text)


def _error(path: Path, expected: str, found: str, advice: str = _AGAIN) -> FileError:
    return FileError("E_STANDINGS", path.name, expected=expected, found=found, advice=advice)
