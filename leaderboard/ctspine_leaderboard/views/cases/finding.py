"""The cases of a test set, the hardest first, so that one can be found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from ctspine_bench.rankings.paired import METRICS
from ctspine_bench.submissions.plain_text import shown
from ctspine_bench.testsets import known_errata, named
from ctspine_leaderboard.tables import Cell, Column, Row, table
from ctspine_leaderboard.views import test_sets
from ctspine_leaderboard.views.cases.outcomes import outcomes
from ctspine_leaderboard.views.kept import Kept
from ctspine_leaderboard.views.links import address

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from markupsafe import Markup

    from ctspine_bench.board import Board
    from ctspine_leaderboard.views.cases.outcomes import Outcome

LISTED: Final = 25
"""How many cases the table for people shows; the file has all of them."""

PRIVATE: Final = (
    "This is a private test set: nothing about its single cases is shown, neither scores nor pictures, "
    "whatever lies on the host's disk. Choose another test set."
)
NO_TABLES: Final = (
    "No submission has scores of single cases on this test set yet. They come with the first submission that is "
    "scored by this benchmark."
)


@dataclass(frozen=True)
class FoundCase:
    """A case of a test set.

    Attributes:
        case_id: Its id.
        source: Where it comes from; "" where unknown.
        labels: Its reference vertebrae.
        dsc: Mean over submissions of its mean DSC; `None` for a case without vertebrae.
        lowest: The same of the submission that did worst.
        highest: The same of the one that did best.
        n_submissions: How many submissions these are.
        n_missed: How many vertebrae a submission misses in it, in the mean.
        n_spurious: How many it has too many, likewise.
    """

    case_id: str
    source: str
    labels: tuple[int, ...]
    dsc: float | None
    lowest: float | None
    highest: float | None
    n_submissions: int
    n_missed: float
    n_spurious: float

    @property
    def title(self) -> str:
        """What people choose it by."""
        mean = "no vertebra" if self.dsc is None else f"mean DSC {self.dsc:.3f}"
        return " · ".join(
            (shown(self.case_id), shown(self.source) or "unknown source", counted(len(self.labels)), mean)
        )


_kept: Kept[tuple[FoundCase, ...]] = Kept(8)


def found_cases(board: Board, test_set: str) -> tuple[FoundCase, ...]:
    """Return the cases of a test set, the hardest first; none of a private one.

    They are those of the ranked submissions; if nobody is ranked, those of the submissions that have a case table.
    """
    if named(test_set).private:
        return ()
    return _kept.get((board.digest, test_set), lambda: _find(board, test_set))


def cases_table(cases: Sequence[FoundCase], test_set: str) -> Markup:
    """Return the hardest cases as a table with links."""
    columns = (
        Column("Case", align="left", wide=True),
        Column("Source", align="left"),
        Column("Vertebrae"),
        Column("Mean DSC", "of all submissions, ↑ better"),
        Column("Lowest – highest", "of a submission"),
        Column("Missed", "vertebrae, mean"),
        Column("Spurious", "vertebrae, mean"),
    )
    rows = [
        Row(
            (
                Cell(
                    shown(case.case_id),
                    link=address("cases", set=test_set, case=case.case_id),
                    badges=("known-bad reference",) if known_errata(case.case_id) else (),
                ),
                Cell(shown(case.source) or "–"),
                Cell(str(len(case.labels))),
                Cell(_number(case.dsc)),
                Cell("–" if case.dsc is None else f"{case.lowest:.3f} – {case.highest:.3f}"),
                Cell(f"{case.n_missed:.1f}"),
                Cell(f"{case.n_spurious:.1f}"),
            )
        )
        for case in cases[:LISTED]
    ]
    return table(columns, rows, f"The hardest cases of the test set {test_sets.full_title(named(test_set))}")


def cases_data(cases: Sequence[FoundCase]) -> pd.DataFrame:
    """Return all cases with all numbers."""
    return pd.DataFrame([_record(case) for case in cases])


def counted(n: int) -> str:
    """Return a number of vertebrae in words."""
    return "1 vertebra" if n == 1 else f"{n} vertebrae"


def _find(board: Board, test_set: str) -> tuple[FoundCase, ...]:
    of_all = outcomes(board, board.entries, test_set)
    paired = board.paired(test_set)
    chosen = [of_all[slug] for slug in (paired.slugs if paired else of_all) if slug in of_all]
    case_ids = paired.vertebrae.case_ids if paired else sorted({case_id for cases in chosen for case_id in cases})
    found = [_found(case_id, [cases[case_id] for cases in chosen if case_id in cases]) for case_id in case_ids]
    return tuple(sorted(found, key=lambda case: (case.dsc is None, case.dsc, case.case_id)))


def _found(case_id: str, cases: Sequence[Outcome]) -> FoundCase:
    scores = [case.dsc for case in cases if case.dsc is not None]
    # Where the reference has nothing and some find something, the others are right.
    scores += [METRICS["dsc"].best] * (len(cases) - len(scores)) if scores else []
    return FoundCase(
        case_id=case_id,
        source=cases[0].source if cases else "",
        labels=cases[0].labels if cases else (),
        dsc=float(np.mean(scores)) if scores else None,
        lowest=min(scores, default=None),
        highest=max(scores, default=None),
        n_submissions=len(cases),
        n_missed=float(np.mean([len(case.missed) for case in cases])) if cases else 0.0,
        n_spurious=float(np.mean([len(case.spurious) for case in cases])) if cases else 0.0,
    )


def _record(case: FoundCase) -> Mapping[str, Any]:
    return {
        "case_id": case.case_id,
        "source": case.source or None,
        "n_vertebrae": len(case.labels),
        "mean_dsc": case.dsc,
        "lowest_dsc": case.lowest,
        "highest_dsc": case.highest,
        "mean_missed": case.n_missed,
        "mean_spurious": case.n_spurious,
        "n_submissions": case.n_submissions,
        "known_errata": "; ".join(erratum.text for erratum in known_errata(case.case_id)) or None,
    }


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
