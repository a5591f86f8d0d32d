"""The domain gap of some submissions as tables of all numbers, one row for each thing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from ctspine_bench.board.entries import REASONS
from ctspine_bench.domain_gap import PARTS
from ctspine_leaderboard.views.domain_gap.scores import NOTHING, family, gap, others, score

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ctspine_bench.board import Board, Entry
    from ctspine_bench.testsets import TestSet
    from ctspine_leaderboard.views.domain_gap.scores import Cell, Gap

CAUSES: Final = ("identification", "missed", "boundary")


def score_table(board: Board, slugs: Sequence[str], test_set: TestSet) -> pd.DataFrame:
    """Return the scores of submissions on all test sets of a benchmark."""
    rows = []
    for entry in _entries(board, slugs):
        for each in family(board, test_set):
            found = score(board, entry, each)
            rows.append(
                {
                    **_who(entry, each),
                    "cases": found.estimate.n_cases or None,
                    "vertebrae": found.estimate.n_vertebrae or None,
                    "dsc": found.estimate.dsc,
                    "dsc_low": found.estimate.low,
                    "dsc_high": found.estimate.high,
                    "basis": found.basis if found.basis != NOTHING else None,
                    "note": REASONS[board.status(entry, each.name)] or None,
                }
            )
    return pd.DataFrame(rows)


def gap_table(board: Board, slugs: Sequence[str]) -> pd.DataFrame:
    """Return the gaps of submissions from the public test set to each other one, with all parts."""
    return pd.DataFrame(
        [_gap_row(gap(board, entry, other)) for entry in _entries(board, slugs) for other in others(board)]
    )


def part_table(found: Gap) -> pd.DataFrame:
    """Return the parts of a gap by cause and their sums: what the waterfall shows. Empty if it is not taken apart."""
    if found.split is None:
        return pd.DataFrame()
    rows = []
    for name in PARTS:
        part = getattr(found.split, name)
        rows.append(
            {"part": name, "total": part.total, **_ends(found, name), **{each: getattr(part, each) for each in CAUSES}}
        )
    sums = {
        cause: None if any(row[cause] is None for row in rows) else sum(row[cause] for row in rows) for cause in CAUSES
    }
    return pd.DataFrame([*rows, {"part": "gap", "total": found.split.gap, **_ends(found, "gap"), **sums}])


def strata_table(cells: Sequence[Cell]) -> pd.DataFrame:
    """Return scores within strata."""
    return pd.DataFrame(
        [
            {
                **_who(cell.entry, cell.test_set),
                "by": cell.dimension,
                "stratum": cell.name,
                "cases": cell.n_cases,
                "vertebrae": cell.estimate.n_vertebrae or None,
                "dsc": cell.estimate.dsc,
                "dsc_low": cell.estimate.low,
                "dsc_high": cell.estimate.high,
            }
            for cell in cells
        ]
    )


def _gap_row(found: Gap) -> dict[str, Any]:
    row = _who(found.entry, found.other)
    split = found.split
    row |= {"dsc_public": split and split.public, "dsc": split and split.other, "gap": split and split.gap}
    row |= {f"gap_{end}": value for end, value in _ends(found, "gap").items()}
    for name in PARTS:
        part = split and getattr(split, name)
        row[name] = part and part.total
        row |= {f"{name}_{end}": value for end, value in _ends(found, name).items()}
        row |= {f"{name}_{cause}": part and getattr(part, cause) for cause in CAUSES}
    return row | {"note": found.note or None}


def _entries(board: Board, slugs: Sequence[str]) -> list[Entry]:
    return [entry for slug in slugs if (entry := board.entry(slug))]


def _who(entry: Entry, test_set: TestSet) -> dict[str, Any]:
    return {"submission": entry.name, "slug": entry.slug, "test_set": test_set.name}


def _ends(found: Gap, name: str) -> dict[str, float | None]:
    low, high = found.intervals.get(name, (None, None))
    return {"low": low, "high": high}
