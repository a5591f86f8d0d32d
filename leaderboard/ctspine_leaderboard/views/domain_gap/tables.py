"""The domain gap of some submissions as tables of all numbers, one row for each thing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from ctspine_bench.charts.domain_gap import signed
from ctspine_bench.domain_gap import CAUSES, PARTS
from ctspine_leaderboard.views.domain_gap.scores import NOTHING
from ctspine_leaderboard.views.test_sets import title

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ctspine_bench.board import Entry
    from ctspine_bench.testsets import TestSet
    from ctspine_leaderboard.views.domain_gap.gaps import Gap
    from ctspine_leaderboard.views.domain_gap.scores import Score
    from ctspine_leaderboard.views.domain_gap.strata import InStratum


def score_table(scores: Sequence[Score], notes: Mapping[tuple[str, str], str]) -> pd.DataFrame:
    """Return scores.

    Args:
        scores: The scores.
        notes: Slug and test set → what a reader has to know.
    """
    return pd.DataFrame(
        [
            {
                **_who(each.entry, each.test_set),
                "cases": each.estimate.n_cases or None,
                "vertebrae": each.estimate.n_vertebrae or None,
                "dsc": each.estimate.dsc,
                "dsc_low": each.estimate.low,
                "dsc_high": each.estimate.high,
                "basis": each.basis if each.basis != NOTHING else None,
                "note": notes.get((each.entry.slug, each.test_set.name)) or None,
            }
            for each in scores
        ]
    )


def gap_table(gaps: Sequence[Gap]) -> pd.DataFrame:
    """Return gaps from the public test set to others, with all parts."""
    return pd.DataFrame([_gap_row(each) for each in gaps])


def paper_table(gaps: Sequence[Gap]) -> pd.DataFrame:
    """Return of gaps what goes into a paper: differences with their intervals in one cell."""
    return pd.DataFrame(
        [
            {
                "Submission": each.entry.name,
                "Test set": title(each.other),
                "Public": each.public_score.estimate.dsc,
                "There": each.other_score.estimate.dsc,
                "Gap": _difference(each.difference, each.intervals.get("gap")),
                **{
                    name.replace("_", " ").capitalize(): _difference(each.part(name), each.intervals.get(name))
                    for name in PARTS
                },
            }
            for each in gaps
        ]
    )


def part_table(found: Gap) -> pd.DataFrame:
    """Return the parts of a gap by cause and their sums: what the waterfall shows. Empty if it is not taken apart."""
    if found.split is None:
        return pd.DataFrame()
    parts = {**{name: getattr(found.split, name) for name in PARTS}, "gap": found.split.whole}
    rows = [
        {
            "part": name,
            "total": part.total,
            **_ends(found, name),
            **_range(found, name),
            **{cause: getattr(part, cause) for cause in CAUSES},
        }
        for name, part in parts.items()
    ]
    return pd.DataFrame(rows)


def strata_table(cells: Sequence[InStratum]) -> pd.DataFrame:
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
    row = {
        **_who(found.entry, found.other),
        "dsc_public": found.public_score.estimate.dsc,
        "dsc": found.other_score.estimate.dsc,
        "gap": found.difference,
    }
    row |= {f"gap_{end}": value for end, value in _ends(found, "gap").items()}
    row |= {f"gap_{cause}": found.split and getattr(found.split.whole, cause) for cause in CAUSES}
    for name in PARTS:
        part = found.split and getattr(found.split, name)
        row[name] = part and part.total
        row |= {f"{name}_{end}": value for end, value in {**_ends(found, name), **_range(found, name)}.items()}
        row |= {f"{name}_{cause}": part and getattr(part, cause) for cause in CAUSES}
    return row | {"note": " ".join(found.notes) or None}


def _difference(value: float | None, ends: tuple[float, float] | None) -> str | None:
    return None if value is None else signed(value, ends)


def _who(entry: Entry, test_set: TestSet) -> dict[str, Any]:
    return {"submission": entry.name, "slug": entry.slug, "test_set": test_set.name}


def _ends(found: Gap, name: str) -> dict[str, float | None]:
    low, high = found.intervals.get(name, (None, None))
    return {"low": low, "high": high}


def _range(found: Gap, name: str) -> dict[str, float | None]:
    """Return what a part comes to by the weights of either set; the gap itself is the same by both."""
    low, high = (found.split.ranges if found.split else {}).get(name, (None, None))
    return {"range_low": low, "range_high": high}
