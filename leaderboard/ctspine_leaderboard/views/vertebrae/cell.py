"""What lies behind one mean: the cases in which a submission has a vertebra."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ctspine_bench.anatomy import vertebra_label
from ctspine_bench.charts.text import counted, told
from ctspine_bench.charts.vertebrae import cell_distribution
from ctspine_bench.errors import SubmissionError
from ctspine_bench.hosting.disclosure.suppression import FEW
from ctspine_bench.rankings.paired import MISSED, pair
from ctspine_leaderboard.tables import Cell, Column, Row, table
from ctspine_leaderboard.views.case_tables import case_table
from ctspine_leaderboard.views.counts import n_of
from ctspine_leaderboard.views.links import address
from ctspine_leaderboard.views.test_sets import title
from ctspine_leaderboard.views.vertebrae.heat import MEASURES, SHARES, SPURIOUS

if TYPE_CHECKING:
    from typing import Final

    import plotly.graph_objects as go
    from markupsafe import Markup

    from ctspine_bench.board import Board, Entry
    from ctspine_bench.rankings.paired import Metric, PairedScores
    from ctspine_bench.testsets import TestSet

WORST: Final = 10
"""How many cases are named."""

# Fewer values than these have no quartiles worth telling.
_QUARTILES_FROM: Final = 5


@dataclass(frozen=True)
class CaseValue:
    """A vertebra in a case: its value by the official policies, and whether it was missed or is spurious."""

    case_id: str
    source: str
    value: float
    missed: bool
    spurious: bool


@dataclass(frozen=True)
class CellView:
    """A submission, a vertebra, and the cases that have it.

    Attributes:
        entry: The submission.
        test_set: The test set.
        vertebra: Such as "L4".
        measure: What the values are.
        mean: Their mean; `None` where there is none.
        n: Over how many cases that is: those that have the vertebra in the reference or in the prediction, of a private
            test set in the reference; "<5", or `None` where that is not told.
        cases: The cases, the worst first; empty where single cases are not known or not shown.
        reason: Why there are none; empty if there are.
    """

    entry: Entry
    test_set: TestSet
    vertebra: str
    measure: Metric
    mean: float | None
    n: int | float | str | None
    cases: tuple[CaseValue, ...]
    reason: str

    @property
    def quartiles(self) -> tuple[float, float, float] | None:
        """The quartiles of the values, as the figure draws them; `None` under five."""
        if len(self.cases) < _QUARTILES_FROM:
            return None
        low, middle, high = np.percentile([case.value for case in self.cases], [25, 50, 75], method="hazen").tolist()
        return low, middle, high

    def sentences(self) -> tuple[str, ...]:
        """Return what is known of the cell."""
        return tuple(filter(None, (self._summary(), self._spread(), self.reason)))

    @property
    def worst(self) -> tuple[CaseValue, ...]:
        """The worst cases among those in which anything is lost at the digits shown."""
        return tuple(case for case in self.cases if round(case.value, self.measure.digits) != self.measure.best)[:WORST]

    def figure(self) -> go.Figure | None:
        """Draw the values of all cases; `None` without any, or where they are but yes and no."""
        if not self.cases or self.measure.name in SHARES:
            return None
        return cell_distribution(
            [case.case_id for case in self.cases], np.array([case.value for case in self.cases]), self.measure
        )

    def table(self) -> Markup:
        """Return `worst` as a table for people, with links to the pages of the cases."""
        arrow = "↑" if self.measure.larger_is_better else "↓"
        columns = [
            Column("Case", align="left", wide=True),
            Column("Source", align="left"),
            Column(self.measure.title, f"{self.measure.unit or '0 to 1'}, {arrow} better"),
        ]
        rows: list[tuple[Cell, ...]] = [
            (
                Cell(case.case_id, link=self._link(case), badges=_badges(case)),
                Cell(case.source or "unknown"),
                Cell(f"{case.value:.{self.measure.digits}f}"),
            )
            for case in self.worst
        ]
        # Of a share there is nothing to say but whether.
        shown = slice(2 if self.measure.name in SHARES else 3)
        return table(
            columns[shown],
            [Row(cells[shown]) for cells in rows],
            f"Worst cases of {self.entry.name} for {self.vertebra}",
        )

    def data(self) -> pd.DataFrame:
        """Return all cases, the worst first."""
        name = self.measure.name
        return pd.DataFrame(
            [
                {
                    "case_id": case.case_id,
                    "source": case.source,
                    name: case.value,
                    MISSED: case.missed,
                    "spurious": case.spurious,
                }
                for case in self.cases
            ]
        )

    def _link(self, case: CaseValue) -> str:
        return address("cases", set=self.test_set.name, case=case.case_id, ids=self.entry.slug)

    def _summary(self) -> str:
        where = f"{self.vertebra} of {self.entry.name} on {title(self.test_set)}"
        if self.mean is None:
            return f"{where}: {_no_mean(self.n, private=self.test_set.private)}"
        if self.measure.name in SHARES:
            what = "spurious" if self.measure.name == SPURIOUS else "missed"
            n = sum(case.value > 0 for case in self.cases)
            return f"{where}: {what} in {n} of {counted(len(self.cases))} in which it counts."
        n_told = f" over {counted(self.n)}" if isinstance(self.n, int) else ""
        have_it = " whose reference has it" if self.test_set.private and n_told else ""
        mean = told(self.mean, self.measure)
        return f"{where}: mean {self.measure.title} {mean}{n_told}{have_it}.{self._counts()}"

    def _counts(self) -> str:
        """Return how the cases came to count."""
        if not self.cases:
            return ""
        n_missed, n_spurious = sum(case.missed for case in self.cases), sum(case.spurious for case in self.cases)
        n_matched = len(self.cases) - n_missed - n_spurious
        return f" Matched in {n_matched}, missed in {n_missed}, spurious in {n_spurious}."

    def _spread(self) -> str:
        if self.quartiles is None or self.measure.name in SHARES:
            return ""
        low, middle, high = (told(value, self.measure) for value in self.quartiles)
        return f"Median {middle}; the middle half of the cases lies between {low} and {high}."


def cell_view(board: Board, entry: Entry, test_set: TestSet, vertebra: str, measure: str = "dsc") -> CellView:
    """Return what lies behind the mean of one vertebra of a submission.

    Args:
        board: The board.
        entry: The submission.
        test_set: The test set.
        vertebra: Such as "L4".
        measure: One of `MEASURES`.
    """
    recorded: dict[str, Any] = entry.on(test_set.name).get("labels", {}).get(vertebra, {})
    n, mean = n_of(recorded), recorded.get(measure)
    if test_set.private:
        reason = "Single cases of a private test set are never shown: they would tell what is in its references."
        return CellView(entry, test_set, vertebra, MEASURES[measure], mean, n, (), reason)
    scores = _scores(board, entry, test_set.name)
    if scores is None:
        reason = "Its cases are not known: there is nothing behind this number but what was published."
        if board.status(entry, test_set.name) != "published":
            reason = "Its case table cannot be read."
        return CellView(entry, test_set, vertebra, MEASURES[measure], mean, n, (), reason)
    cases = _cases(scores, vertebra_label(vertebra), MEASURES[measure])
    mean = float(np.mean([case.value for case in cases])) if cases else None
    return CellView(entry, test_set, vertebra, MEASURES[measure], mean, len(cases), cases, "")


def _scores(board: Board, entry: Entry, test_set: str) -> PairedScores | None:
    """Return the scores of one submission: of a ranked one from the board, of another from its case table."""
    paired = board.paired(test_set)
    if paired is not None and entry.slug in paired.slugs:
        return paired.of(entry.slug)
    rows = case_table(board, entry, test_set)
    try:
        return None if rows is None else pair({entry.slug: rows})
    except SubmissionError:
        return None


def _cases(scores: PairedScores, label: int, measure: Metric) -> tuple[CaseValue, ...]:
    vertebrae = scores.vertebrae
    rows = np.flatnonzero(vertebrae.label == label)
    values = scores.measures[measure.name][rows, 0]
    order = np.argsort(values if measure.larger_is_better else -values, kind="stable")
    found = []
    for row, value in zip(rows[order].tolist(), values[order].tolist(), strict=True):
        case = int(vertebrae.case[row])
        missed = bool(scores.measures[MISSED][row, 0])
        spurious = not bool(vertebrae.in_reference[row])
        found.append(CaseValue(vertebrae.case_ids[case], vertebrae.sources[case], value, missed, spurious))
    return tuple(found)


def _badges(case: CaseValue) -> tuple[str, ...]:
    return ("missed",) if case.missed else ("spurious",) if case.spurious else ()


def _no_mean(n: int | float | str | None, *, private: bool) -> str:
    if n == 0 or not private:
        return "no case of this test set has it."
    if n == FEW:
        return "fewer than five cases have it, so its mean is held back."
    return "its mean is held back, because it would tell about few cases."
