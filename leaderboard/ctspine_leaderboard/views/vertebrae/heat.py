"""The means of each vertebra from C1 to L6 of all submissions on a test set."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from ctspine_bench.anatomy import LABELS, VERTEBRAE, vertebra_label
from ctspine_bench.board.entries import FLAGS
from ctspine_bench.charts.vertebrae import HeatRow, heat_map
from ctspine_bench.hosting.disclosure.suppression import FEW
from ctspine_bench.rankings.paired import METRICS, MISSED, Metric, label_means
from ctspine_bench.testsets import named
from ctspine_leaderboard.views.counts import n_of
from ctspine_leaderboard.views.names import distinct_names

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import plotly.graph_objects as go

    from ctspine_bench.board import Board, Entry
    from ctspine_bench.testsets import TestSet

SPURIOUS: Final = "loss_spurious"
"""1 for a spurious vertebra, 0 for one of the reference."""

SHARES: Final[Mapping[str, Metric]] = {
    name: Metric(name, title, "", larger_is_better=False, digits=3, best=0.0, worst=1.0)
    for name, title in ((MISSED, "Missed share"), (SPURIOUS, "Spurious share"))
}
"""Of the cases in which a vertebra counts, how many miss it, and in how many it is spurious."""

MEASURES: Final[Mapping[str, Metric]] = {**METRICS, **SHARES}
"""What the map can show: the metrics, and the two shares."""

ROWS: Final = 40
"""How many submissions are shown at once: more would be neither readable nor quick."""


@dataclass(frozen=True)
class VertebraRow:
    """A submission by vertebra.

    Attributes:
        entry: The submission.
        rank: Its official rank on the test set; `None` if it is not ranked.
        means: The mean of each of C1–L6, `None` where there is none.
        n: Over how many cases each mean is; "<5", or `None` where that is not told.
        n_reference: How many references have each; likewise.
        flags: What a reader has to know, as people read it.
        reason: Why it is not ranked; empty if it is.
    """

    entry: Entry
    rank: int | None
    means: tuple[float | None, ...]
    n: tuple[int | float | str | None, ...]
    n_reference: tuple[int | float | str | None, ...]
    flags: tuple[str, ...]
    reason: str

    @property
    def few(self) -> frozenset[int]:
        """The labels whose means are held back because fewer than five cases have them."""
        return frozenset(label for label, n in zip(LABELS, self.n, strict=True) if n == FEW)


@dataclass(frozen=True)
class VertebraeView:
    """All submissions on a test set, by vertebra.

    Attributes:
        test_set: The test set.
        measure: One of `MEASURES`.
        note: Why nobody is ranked, or what else has to be known; may be empty.
        rows: The submissions with values, ranked ones first, in the official order of the test set.
        others: Those without values, each with the reason.
    """

    test_set: TestSet
    measure: Metric
    note: str
    rows: tuple[VertebraRow, ...]
    others: tuple[tuple[Entry, str], ...]

    @property
    def names(self) -> Mapping[str, str]:
        """Slug → what people call the submission."""
        return distinct_names(row.entry for row in self.rows)

    @property
    def n_reference(self) -> tuple[int | float | str | None, ...]:
        """How many references have each label, from the first submission that tells."""
        told = zip(*(row.n_reference for row in self.rows), strict=True)
        return tuple(next((n for n in of_label if n is not None), None) for of_label in told) or (None,) * len(LABELS)

    def figure(self, rows: Sequence[VertebraRow], chosen: tuple[str, str] | None = None) -> go.Figure:
        """Draw some of the rows as a heat map.

        Args:
            rows: The submissions to draw.
            chosen: Slug and vertebra of a cell to frame.
        """
        names = self.names
        drawn = [
            HeatRow(
                row.entry.slug,
                names[row.entry.slug],
                row.means,
                row.few,
                row.rank is not None,
                tuple("" if n is None else str(n) for n in row.n),
            )
            for row in rows
        ]
        frame = (chosen[0], vertebra_label(chosen[1])) if chosen else None
        return heat_map(drawn, ["" if n is None else str(n) for n in self.n_reference], self.measure, frame)

    def sentences(self) -> tuple[str, ...]:
        """Return what a reader has to know about the map."""
        found = [_held_back(self)]
        if any(row.reason for row in self.rows):
            found.append("Submissions that are not ranked on this test set come last, below a gap.")
        if self.others:
            found.append(f"Without values by vertebra here: {_names(entry for entry, _ in self.others)}.")
        return tuple(filter(None, found))

    def data(self) -> pd.DataFrame:
        """Return all numbers, one row for each submission."""
        return pd.DataFrame([self._record(row) for row in self.rows])

    def paper_table(self, rows: Sequence[VertebraRow]) -> pd.DataFrame:
        """Return some of the rows as a table for a paper."""
        return pd.DataFrame(
            [{"Submission": row.entry.name, **dict(zip(VERTEBRAE, row.means, strict=True))} for row in rows],
            columns=["Submission", *VERTEBRAE],
        )

    def _record(self, row: VertebraRow) -> dict[str, Any]:
        return {
            "rank": row.rank,
            "slug": row.entry.slug,
            "name": row.entry.name,
            **{f"{self.measure.name}_{name}": value for name, value in zip(VERTEBRAE, row.means, strict=True)},
            **{f"n_{name}": n for name, n in zip(VERTEBRAE, row.n, strict=True)},
            **{f"n_reference_{name}": n for name, n in zip(VERTEBRAE, row.n_reference, strict=True)},
            "flags": "; ".join(row.flags),
            "not_ranked_because": row.reason or None,
        }


def vertebrae_view(board: Board, test_set: str, measure: str = "dsc") -> VertebraeView:
    """Return the means by vertebra of all submissions on a test set.

    Args:
        board: The board.
        test_set: One of its test sets.
        measure: One of `MEASURES`.
    """
    found = board.standings(test_set)
    ranked = [(board.entry(row.slug), row.rank, "") for row in found.standings.rows] if found.standings else []
    shares = _shares(board, test_set, measure) if measure in SHARES else {}
    rows, others = [], []
    for entry, rank, reason in [*ranked, *((entry, None, reason) for entry, reason in found.unranked)]:
        if entry is None:
            continue
        labels = entry.on(test_set).get("labels", {})
        means = shares.get(entry.slug) or tuple(labels.get(name, {}).get(measure) for name in VERTEBRAE)
        n = tuple(n_of(labels.get(name, {})) for name in VERTEBRAE)
        n_reference = tuple(labels.get(name, {}).get("n_reference") for name in VERTEBRAE)
        if all(mean is None for mean in means):
            others.append((entry, reason))
            continue
        flags = tuple(FLAGS[flag] for flag in board.flags(entry, test_set))
        rows.append(VertebraRow(entry, rank, means, n, n_reference, flags, reason))
    return VertebraeView(named(test_set), MEASURES[measure], found.note, tuple(rows), tuple(others))


def blocks(rows: Sequence[VertebraRow]) -> Mapping[str, tuple[VertebraRow, ...]]:
    """Return the rows in blocks that can be shown at once, by the number of the first and the last row: "1-40"."""
    starts = range(0, len(rows), ROWS)
    return {f"{start + 1}-{min(start + ROWS, len(rows))}": tuple(rows[start : start + ROWS]) for start in starts}


def default_label(view: VertebraeView) -> str:
    """Return the vertebra that the most references have, the first of several; C1 where that is not known."""
    sizes = [n if isinstance(n, int) else 0 for n in view.n_reference]
    return VERTEBRAE[sizes.index(max(sizes))]


def _shares(board: Board, test_set: str, measure: str) -> dict[str, tuple[float | None, ...]]:
    """Return slug → one of `SHARES` for each label; of ranked submissions on a public test set."""
    paired = board.paired(test_set)
    if paired is None:
        return {}
    shares = label_means(paired, measure)
    return {
        slug: tuple(None if math.isnan(share) else share for share in shares[:, column].tolist())
        for column, slug in enumerate(paired.slugs)
    }


def _held_back(view: VertebraeView) -> str:
    if not view.test_set.private:
        return ""
    if view.measure.name in SHARES:
        return "Of a private test set the shares of missed and of spurious vertebrae are not told by label."
    return (
        "Of a private test set means over fewer than five cases are held back, and some others that would tell them by "
        "subtraction."
    )


def _names(entries: Any) -> str:
    names = [entry.name for entry in entries]
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return ", ".join(names[:5]) + more
