"""Where a submission stands on each test set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from ctspine_bench.board.entries import REASONS
from ctspine_bench.rankings.paired import METRICS
from ctspine_bench.rankings.schemes import OFFICIAL
from ctspine_leaderboard.tables import Cell, Column, Row, table
from ctspine_leaderboard.views.coverage import coverage_note
from ctspine_leaderboard.views.links import address
from ctspine_leaderboard.views.standings import Mean, mean_cell
from ctspine_leaderboard.views.test_sets import full_title

if TYPE_CHECKING:
    from collections.abc import Callable

    from markupsafe import Markup

    from ctspine_bench.board import Board, Entry
    from ctspine_bench.rankings.standings import Standing
    from ctspine_bench.testsets import TestSet

_SHOWN: Final = ("dsc", "hd95_mm")


@dataclass(frozen=True)
class Place:
    """Where a submission stands on a test set.

    Attributes:
        test_set: The test set.
        standing: In the official order; `None` if it is not ranked.
        n_ranked: How many are ranked.
        means: Metric → Mean of Vertebrae.
        per_case: The per-case mean of DSC, and the rank by it; `None` where that is not told.
        counts: Cases, missed and spurious vertebrae; `None` where that is not told.
        reason: Why it is not ranked; empty if it is.
    """

    test_set: TestSet
    standing: Standing | None
    n_ranked: int
    means: dict[str, Mean]
    per_case: tuple[float | None, int | None]
    counts: dict[str, int | str | None]
    reason: str


def places(board: Board, entry: Entry) -> tuple[Place, ...]:
    """Return where a submission stands on every test set that it has something to do with."""
    return tuple(_place(board, entry, each) for each in board.test_sets if board.status(entry, each.name) != "absent")


def place_table(found: tuple[Place, ...], link: Callable[[str], str] | None = None) -> Markup:
    """Return a table with a row for each test set.

    Args:
        found: The places.
        link: Test set → the address of its standings; by default the page of the app.
    """
    link = link or (lambda name: address("standings", set=name))
    columns = [
        Column("Test set", align="left"),
        Column("Rank", "95 % interval", "centre", "The rank, and the ranks that it is compatible with."),
        *(
            Column(METRICS[name].title, _note(name), hint="Mean of Vertebrae, with its 95 % interval")
            for name in _SHOWN
        ),
        Column("Per case", "DSC, its rank", hint="The mean over cases of the mean over a case's vertebrae"),
        Column("Cases"),
        Column("Missed", "vertebrae", hint="In the reference, not in the prediction"),
        Column("Spurious", "vertebrae", hint="In the prediction, not in the reference"),
        Column("", "", "left", wide=True),
    ]
    return table(columns, [_row(each, link) for each in found], "Where it stands on each test set")


def place_data(found: tuple[Place, ...]) -> pd.DataFrame:
    """Return the numbers, one row for each test set."""
    return pd.DataFrame([_record(each) for each in found])


def _place(board: Board, entry: Entry, test_set: TestSet) -> Place:
    by_metric = {name: board.standings(test_set.name, metric=name) for name in _SHOWN}
    rows = {
        name: next((row for row in found.standings.rows if row.slug == entry.slug), None) if found.standings else None
        for name, found in by_metric.items()
    }
    official = by_metric[OFFICIAL[1]]
    results = entry.on(test_set.name)
    counts = results.get("counts", {})
    reasons = {other.slug: reason for other, reason in official.unranked}
    return Place(
        test_set=test_set,
        standing=rows[OFFICIAL[1]],
        n_ranked=len(official.standings.rows) if official.standings else 0,
        means={
            name: Mean(row.score, row.score_low, row.score_high)
            if row
            else Mean(results.get("mean_of_vertebrae", {}).get(name))
            for name, row in rows.items()
        },
        per_case=(standing.per_case, standing.per_case_rank)
        if (standing := rows[OFFICIAL[1]])
        else (results.get("per_case", {}).get("dsc", {}).get("mean"), None),
        counts={"n_cases": results.get("n_cases"), **{name: counts.get(name) for name in ("missed", "spurious")}},
        reason="" if rows[OFFICIAL[1]] else reasons.get(entry.slug, REASONS[board.status(entry, test_set.name)]),
    )


def _row(place: Place, link: Callable[[str], str]) -> Row:
    standing = place.standing
    rank = Cell("–")
    if standing:
        ends = "" if standing.low is None or standing.high is None else f"{standing.low} – {standing.high}"
        rank = Cell(f"{standing.rank} of {place.n_ranked}", ends)
    return Row(
        (
            Cell(full_title(place.test_set), link=link(place.test_set.name)),
            rank,
            *(mean_cell(place.means[name], METRICS[name].digits) for name in _SHOWN),
            _per_case(place),
            *(Cell("–" if count is None else str(count)) for count in place.counts.values()),
            Cell(place.reason),
        )
    )


def _per_case(place: Place) -> Cell:
    mean, rank = place.per_case
    return Cell("–" if mean is None else f"{mean:.3f}", "" if rank is None else f"rank {rank}")


def _record(place: Place) -> dict[str, Any]:
    standing = place.standing
    return {
        "test_set": place.test_set.name,
        "rank": standing and standing.rank,
        "rank_low": standing and standing.low,
        "rank_high": standing and standing.high,
        "n_ranked": place.n_ranked,
        **{
            f"{name}{suffix}": getattr(place.means[name], part)
            for name in _SHOWN
            for suffix, part in (("", "value"), ("_low", "low"), ("_high", "high"))
        },
        "per_case_dsc": place.per_case[0],
        "per_case_rank": place.per_case[1],
        **place.counts,
        "not_ranked_because": place.reason or None,
    }


def coverage(found: tuple[Place, ...]) -> tuple[str, ...]:
    """Return how far the intervals of Mean of Vertebrae can be trusted, by the number of cases."""
    sizes = {
        place.counts["n_cases"]
        for place in found
        if any(mean.low is not None for mean in place.means.values()) and isinstance(place.counts["n_cases"], int)
    }
    return tuple(coverage_note(int(n), "mean_of_vertebrae", "Mean of Vertebrae") for n in sorted(sizes, key=int))


def _note(metric: str) -> str:
    better = "↑ better" if METRICS[metric].larger_is_better else "↓ better"
    return ", ".join(filter(None, (METRICS[metric].unit, better)))
