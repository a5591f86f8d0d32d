"""What stands beside Mean of Vertebrae on a test set: other means of the same scores."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ctspine_bench.rankings.paired import METRICS
from ctspine_leaderboard.facts import facts
from ctspine_leaderboard.views.coverage import coverage_note

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Final

    from markupsafe import Markup

    from ctspine_bench.board import Board, Entry
    from ctspine_bench.rankings.coverage import Averaged
    from ctspine_bench.rankings.standings import Standing

EXPLAINED: Final = (
    "Mean of Vertebrae weighs a label that two cases have like one that all have. The per-case mean and the mean over "
    "all vertebrae weigh frequent labels more, and vary less by chance."
)
_SHOWN: Final = ("dsc", "hd95_mm")
_MEANS: Final[Mapping[str, tuple[str, Averaged]]] = {
    "per_case": ("Per-case mean", "per_case"),
    "over_vertebrae": ("Mean over all vertebrae", "mean_over_vertebrae"),
}


def mean_facts(board: Board, entry: Entry, test_set: str) -> Markup | None:
    """Return the other means with their intervals, and the rank by the per-case mean; `None` if nothing is told."""
    results = entry.on(test_set)
    rows = [
        (f"{words}, {METRICS[metric].title}", _told(results.get(key, {}).get(metric, {}), metric, rank))
        for key, (words, _) in _MEANS.items()
        for metric in _SHOWN
        for rank in [_rank(board, entry, test_set, metric) if key == "per_case" else ""]
    ]
    return facts(rows, f"Beside Mean of Vertebrae of {entry.name}") if any(value for _, value in rows) else None


def coverage(entry: Entry, test_set: str) -> tuple[str, ...]:
    """Return how far the intervals of these means can be trusted."""
    results = entry.on(test_set)
    n_cases = results.get("n_cases")
    shown = [key for key in _MEANS if any(results.get(key, {}).get(name, {}).get("low") is not None for name in _SHOWN)]
    if not isinstance(n_cases, int):
        return ()
    return tuple(
        filter(None, (coverage_note(n_cases, _MEANS[key][1], f"the {_MEANS[key][0].lower()}") for key in shown))
    )


def _told(mean: Mapping[str, Any], metric: str, rank: str) -> str:
    value, low, high = (mean.get(name) for name in ("mean", "low", "high"))
    if value is None:
        return ""
    digits, unit = METRICS[metric].digits, METRICS[metric].unit
    ends = "" if low is None or high is None else f" [{low:.{digits}f}, {high:.{digits}f}]"
    return f"{value:.{digits}f}{ends} {unit}".rstrip() + rank


def _rank(board: Board, entry: Entry, test_set: str, metric: str) -> str:
    found = board.standings(test_set, metric=metric).standings
    rows: tuple[Standing, ...] = found.rows if found else ()
    rank = next((row.per_case_rank for row in rows if row.slug == entry.slug), None)
    return "" if rank is None else f", rank {rank} of {len(rows)} by it"
