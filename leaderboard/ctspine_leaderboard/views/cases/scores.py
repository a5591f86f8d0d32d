"""One case across submissions: a table of what each has made of it, and one of its vertebrae."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
from markupsafe import Markup

from ctspine_bench.anatomy import vertebra_name
from ctspine_bench.board.entries import FLAGS, REASONS
from ctspine_bench.charts.style import CAUSES
from ctspine_bench.errors import CODES
from ctspine_bench.rankings.paired import METRICS, MISSED
from ctspine_bench.submissions.plain_text import shown
from ctspine_bench.testsets import known_errata, named
from ctspine_leaderboard.tables import Cell, Column, Row, table
from ctspine_leaderboard.views.cases.outcomes import outcomes
from ctspine_leaderboard.views.kept import Kept
from ctspine_leaderboard.views.links import submission_link

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ctspine_bench.board import Board, Entry
    from ctspine_bench.rankings.paired import PairedScores
    from ctspine_bench.testsets import TestSet
    from ctspine_leaderboard.views.cases.outcomes import Outcome

_OTHER_CASES: Final = "Its case table is about other cases or vertebrae than those of the others."
_SHIFT_HINT: Final = "By how many levels the names are off in most of the spine: +1 is one level too low"
_kept: Final[Kept[CaseView | None]] = Kept(16)


@dataclass(frozen=True)
class CaseRow:
    """What one submission has made of a case.

    Attributes:
        entry: The submission.
        outcome: What became of the case.
        flags: What a reader has to know about the submission, as people read it.
        reason: Why it is not ranked on the test set; empty if it is.
    """

    entry: Entry
    outcome: Outcome
    flags: tuple[str, ...]
    reason: str


@dataclass(frozen=True, eq=False)
class CaseView:
    """A case across submissions.

    Attributes:
        test_set: The test set.
        case_id: The case.
        rows: Ranked submissions first, each part with the best first.
    """

    test_set: TestSet
    case_id: str
    rows: tuple[CaseRow, ...]

    @property
    def slugs(self) -> tuple[str, ...]:
        """The submissions in the order of the table."""
        return tuple(row.entry.slug for row in self.rows)

    def sentences(self) -> tuple[str, ...]:
        """Return what is known of the case itself."""
        outcome = self.rows[0].outcome
        regions = f"Its reference has {levels(outcome.labels)}" if outcome.labels else "Its reference has no vertebra"
        source = f", from {shown(outcome.source)}" if outcome.source else ""
        errata = (f"Known to be wrong: {each.text} ({each.reported})." for each in known_errata(self.case_id))
        return (f"{shown(self.case_id)}{source}. {regions}.", *errata)

    @cached_property
    def table(self) -> Markup:
        """The table for people. Of two hundred rows it takes a while, and sliding through slices needs it each time."""
        columns = (
            Column("Submission", "team", "left", wide=True),
            Column("DSC", "mean, ↑ better", hint="Mean over its vertebrae; a missed and a spurious one count as 0"),
            Column(
                "HD95",
                "mean, mm, ↓ better",
                hint="Likewise; a missed and a spurious one count as 100 mm, which is the cap",
            ),
            Column("Lost DSC", "and to what", hint="1 less the mean DSC, by cause: the causes add up to it"),
            Column("Missed", "vertebrae", "left", hint="In the reference, not in the prediction"),
            Column("Spurious", "vertebrae", "left", hint="In the prediction, not in the reference"),
            Column("Shift", "levels", "centre", hint=_SHIFT_HINT),
        )
        ranked = [row for row in self.rows if not row.reason]
        others = [row for row in self.rows if row.reason]
        body = [Row(_cells(row)) for row in ranked]
        if others:
            body += [Row(heading="Not ranked"), *(Row(_cells(row), muted=True) for row in others)]
        found = table(columns, body, f"Submissions on the case {shown(self.case_id)}")
        return Markup('<div class="cb-tall">{}</div>').format(found)

    def data(self) -> pd.DataFrame:
        """Return all numbers, one row for each submission."""
        return pd.DataFrame([_record(row) for row in self.rows])

    def paper_table(self) -> pd.DataFrame:
        """Return the columns that go into a paper."""
        rows = [
            {
                "Submission": row.entry.name,
                "DSC": row.outcome.dsc,
                "HD95 (mm)": row.outcome.hd95_mm,
                "Missed": levels(row.outcome.missed) or "--",
                "Spurious": levels(row.outcome.spurious) or "--",
            }
            for row in self.rows
        ]
        return pd.DataFrame(rows)


@dataclass(frozen=True, eq=False)
class VertebraView:
    """The vertebrae of a case in some ranked submissions: those of its reference or of one of their predictions.

    Attributes:
        case_id: The case.
        names: What the submissions are called.
        labels: The vertebrae.
        statuses: Of each vertebra in each submission: "matched", "missed", "spurious", or "absent" where it is spurious
            in another one alone.
        scores: Metric ("dsc", "hd95_mm") → `(n labels, n submissions)`.
    """

    case_id: str
    names: tuple[str, ...]
    labels: tuple[int, ...]
    statuses: tuple[tuple[str, ...], ...]
    scores: dict[str, np.ndarray[Any, np.dtype[np.float64]]]

    def table(self) -> Markup:
        """Return the table for people."""
        columns = (
            Column("Vertebra", align="left"),
            *(Column(name, "DSC · HD95 in mm") for name in self.names),
        )
        rows = [
            Row((Cell(vertebra_name(label)), *(self._cell(row, column) for column in range(len(self.names)))))
            for row, label in enumerate(self.labels)
        ]
        return table(columns, rows, f"Vertebrae of the case {shown(self.case_id)}")

    def data(self) -> pd.DataFrame:
        """Return all numbers, one row for each vertebra and submission."""
        rows = [
            {
                "submission": name,
                "vertebra": vertebra_name(label),
                "status": self.statuses[row][column],
                "dsc": float(self.scores["dsc"][row, column]),
                "hd95_mm": float(self.scores["hd95_mm"][row, column]),
            }
            for column, name in enumerate(self.names)
            for row, label in enumerate(self.labels)
            if self.statuses[row][column] != "absent"
        ]
        return pd.DataFrame(rows)

    def _cell(self, row: int, column: int) -> Cell:
        status = self.statuses[row][column]
        if status != "matched":
            return Cell("–" if status == "absent" else status)
        texts = (f"{self.scores[name][row, column]:.{METRICS[name].digits}f}" for name in ("dsc", "hd95_mm"))
        return Cell(" · ".join(texts))


def case_view(board: Board, test_set: str, case_id: str) -> CaseView | None:
    """Return a case across submissions; `None` if none has scores of it, as of every case of a private test set."""
    return _kept.get((board.digest, test_set, case_id), lambda: _case_view(board, test_set, case_id))


def vertebra_view(board: Board, test_set: str, case_id: str, chosen: Sequence[Entry]) -> VertebraView | None:
    """Return the vertebrae of a case in some submissions; `None` if none of these is ranked, or the case has none."""
    paired = board.paired(test_set)
    ranked = [entry for entry in chosen if paired and entry.slug in paired.slugs]
    if paired is None or not ranked or case_id not in paired.vertebrae.case_ids:
        return None
    chosen_ones = paired.of(*(entry.slug for entry in ranked))
    of_case = np.array([each == case_id for each in paired.vertebrae.case_ids])
    found = chosen_ones.of_rows(of_case[chosen_ones.vertebrae.case])
    labels = tuple(found.vertebrae.label.tolist())
    scores = {name: found.measures[name] for name in ("dsc", "hd95_mm")}
    return (
        VertebraView(case_id, tuple(entry.name for entry in ranked), labels, _statuses(found), scores)
        if labels
        else None
    )


def _statuses(found: PairedScores) -> tuple[tuple[str, ...], ...]:
    spurious = ~found.vertebrae.in_reference[:, None]
    statuses = np.where(
        found.measures[MISSED] > 0,
        "missed",
        np.where(~spurious, "matched", np.where(found.present, "spurious", "absent")),
    )
    return tuple(tuple(row) for row in statuses.tolist())


def levels(labels: Sequence[int]) -> str:
    """Return the names of some labels, three or more in a row as "T3–T8"; empty for none."""
    runs: list[list[int]] = []
    for label in sorted(labels):
        if runs and label == runs[-1][-1] + 1:
            runs[-1].append(label)
        else:
            runs.append([label])
    parts = []
    for run in runs:
        names = [vertebra_name(label) for label in run]
        parts += [f"{names[0]}–{names[-1]}"] if len(run) > 2 else names
    return ", ".join(parts)


def _case_view(board: Board, test_set: str, case_id: str) -> CaseView | None:
    found = outcomes(board, board.entries, test_set)
    paired = board.paired(test_set)
    ranked = paired.slugs if paired else ()
    rows = [
        CaseRow(
            entry=entry,
            outcome=found[entry.slug][case_id],
            flags=tuple(FLAGS[flag] for flag in board.flags(entry, test_set)),
            reason="" if entry.slug in ranked else REASONS[board.status(entry, test_set)] or _OTHER_CASES,
        )
        for entry in board.entries
        if case_id in found.get(entry.slug, ())
    ]
    rows.sort(key=lambda row: (bool(row.reason), -(row.outcome.dsc or 0.0), row.outcome.hd95_mm or 0.0, row.entry.slug))
    return CaseView(named(test_set), case_id, tuple(rows)) if rows else None


def _cells(row: CaseRow) -> tuple[Cell, ...]:
    outcome, declaration = row.outcome, row.entry.declaration
    failure = (f"refused: {CODES.get(outcome.failure, 'the file is not as it should be')}",) if outcome.failure else ()
    return (
        Cell(
            row.entry.name,
            declaration.team if declaration else "",
            submission_link(row.entry.slug),
            (*row.flags, *failure),
            hint=row.reason,
        ),
        Cell("–" if outcome.dsc is None else f"{outcome.dsc:.{METRICS['dsc'].digits}f}"),
        Cell("–" if outcome.hd95_mm is None else f"{outcome.hd95_mm:.{METRICS['hd95_mm'].digits}f}"),
        _lost(outcome),
        Cell(levels(outcome.missed) or "–"),
        Cell(levels(outcome.spurious) or "–"),
        Cell("–" if outcome.shift is None else f"{outcome.shift:+d}".replace("-", "−").replace("+0", "0")),
    )


def _lost(outcome: Outcome) -> Cell:
    """Return what is lost in all, and to which causes, of those that are anything at the digits shown."""
    if outcome.dsc is None or not outcome.losses:
        return Cell("–")
    parts = [
        f"{title} {lost:.3f}" for (_, title, *_), lost in zip(CAUSES, outcome.losses, strict=True) if round(lost, 3)
    ]
    return Cell(f"{1 - outcome.dsc:.3f}", " · ".join(parts))


def _losses(outcome: Outcome) -> tuple[float | None, ...]:
    return outcome.losses or (None,) * len(CAUSES)


def _record(row: CaseRow) -> dict[str, Any]:
    outcome, declaration = row.outcome, row.entry.declaration
    return {
        "slug": row.entry.slug,
        "name": row.entry.name,
        "team": declaration and declaration.team,
        "n_vertebrae": len(outcome.labels),
        "dsc": outcome.dsc,
        "hd95_mm": outcome.hd95_mm,
        **dict(zip((f"lost_to_{title.replace(' ', '_')}" for _, title, *_ in CAUSES), _losses(outcome), strict=True)),
        "missed": " ".join(map(vertebra_name, outcome.missed)),
        "spurious": " ".join(map(vertebra_name, outcome.spurious)),
        "label_shift": outcome.shift,
        "failure": outcome.failure or None,
        "flags": "; ".join(row.flags),
        "not_ranked_because": row.reason or None,
    }
