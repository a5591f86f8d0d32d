"""The cases of a submission on a public test set: figures, and those that went worst."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from ctspine_bench.aggregate import scored_vertebrae
from ctspine_bench.charts.one_submission import case_distribution, label_strip, loss_bars, shift_confusion
from ctspine_bench.report.events import level_ranges
from ctspine_leaderboard.tables import Cell, Column, Row, table
from ctspine_leaderboard.views.kept import Kept
from ctspine_leaderboard.views.links import address

if TYPE_CHECKING:
    from collections.abc import Callable

    import plotly.graph_objects as go
    from markupsafe import Markup

    from ctspine_bench.board import Entry

N_WORST: Final = 10

# Drawing them takes a fifth of a second.
_figures: Final[Kept[tuple[CaseFigure, ...]]] = Kept(most=16)


@dataclass(frozen=True)
class CaseFigure:
    """A figure made of the case table.

    Attributes:
        name: Its name on the page.
        heading: What it answers.
        figure: The figure.
        words: What it shows, in a sentence.
    """

    name: str
    heading: str
    figure: go.Figure
    words: str


@dataclass(frozen=True)
class WorstCase:
    """A case to look at.

    Attributes:
        case_id: The case.
        source: Where it comes from; "" where unknown.
        dsc: Mean over its vertebrae, in the reference or in the prediction.
        hd95_mm: Likewise, by the official policy.
        events: What happened, a few words each.
    """

    case_id: str
    source: str
    dsc: float
    hd95_mm: float
    events: tuple[str, ...]


def case_figures(entry: Entry, test_set: str, rows: pd.DataFrame) -> tuple[CaseFigure, ...]:
    """Return the figures of the case table of a submission on a test set; none without a reference vertebra."""
    return _figures.get((entry.digest, test_set), lambda: _drawn(rows))


def _drawn(rows: pd.DataFrame) -> tuple[CaseFigure, ...]:
    if not _in_reference(rows).any():
        return ()
    return (
        CaseFigure(
            "strip",
            "From C1 to L6",
            label_strip(rows),
            "DSC above, HD95 below: the diamond is the mean of the table, the box holds the middle half of the "
            "cases, dots are outliers. A cross marks levels that were missed somewhere, a ring spurious ones.",
        ),
        CaseFigure(
            "cases",
            "Case by case",
            case_distribution(rows),
            "The mean over the vertebrae of every case, missed and spurious ones 0, by source. Hovering names it.",
        ),
        CaseFigure(
            "confusion",
            "What was called what",
            shift_confusion(rows),
            "By the label that covers most of each reference vertebra. Blue is right, orange a wrong name; what is in "
            "the last column was found under none.",
        ),
        CaseFigure(
            "losses",
            "What the DSC is lost to",
            loss_bars(rows),
            "What every level loses to 1 on average: to a wrong name, because it was missed, at its outline, or "
            "because the reference has no such vertebra.",
        ),
    )


def worst_cases(rows: pd.DataFrame) -> tuple[WorstCase, ...]:
    """Return the cases of a case table with the lowest mean DSC, worst first; perfect ones are not among them."""
    means = scored_vertebrae(rows).groupby("case_id", sort=True)[["dsc", "hd95_mm"]].mean().astype(float)
    worst = means[means["dsc"] < 1].sort_values("dsc", kind="stable").head(N_WORST)
    of_cases = {
        str(case_id): of_case for case_id, of_case in rows[rows["case_id"].isin(worst.index)].groupby("case_id")
    }
    return tuple(
        WorstCase(
            str(case_id), _source(of_cases[str(case_id)]), float(dsc), float(hd95_mm), _events(of_cases[str(case_id)])
        )
        for case_id, dsc, hd95_mm in worst.itertuples(name=None)
    )


def worst_table(
    worst: tuple[WorstCase, ...], entry: Entry, test_set: str, link: Callable[[str], str] | None = None
) -> Markup:
    """Return a table of the worst cases.

    Args:
        worst: The cases.
        entry: Whose they are.
        test_set: Where.
        link: Case → the address of its pictures; by default the page of the app.
    """
    link = link or (lambda case_id: address("cases", set=test_set, case=case_id, ids=entry.slug))
    columns = [
        Column("Case", "source", "left"),
        Column("DSC", "↑ better"),
        Column("HD95", "mm, ↓ better"),
        Column("What happened", align="left", wide=True),
    ]
    body = [
        Row(
            (
                Cell(case.case_id, case.source, link(case.case_id)),
                Cell(f"{case.dsc:.3f}"),
                Cell(f"{case.hd95_mm:.2f}"),
                Cell("; ".join(case.events)),
            )
        )
        for case in worst
    ]
    return table(columns, body, f"The worst cases of {entry.name}")


def worst_data(worst: tuple[WorstCase, ...]) -> pd.DataFrame:
    """Return the numbers of the worst cases."""
    rows = [(case.case_id, case.source, case.dsc, case.hd95_mm, "; ".join(case.events)) for case in worst]
    return pd.DataFrame(rows, columns=["case_id", "source", "dsc", "hd95_mm", "events"])


def _in_reference(rows: pd.DataFrame) -> pd.Series:
    return (rows["row"] == "vertebra") & rows["status"].isin(["matched", "missed"])


def _source(of_case: pd.DataFrame) -> str:
    source: Any = of_case["source"].iloc[0]
    return "" if pd.isna(source) else str(source)


def _events(of_case: pd.DataFrame) -> tuple[str, ...]:
    """Return what happened in a case: its failure, its label shift, what was missed and what was spurious."""
    failures = of_case["failure"].dropna()
    if len(failures):
        return (f"the prediction was refused: {failures.iloc[0]}",)
    shift = of_case.loc[of_case["row"] == "case", "label_shift"].dropna()
    found = [f"names off by {int(shift.iloc[0]):+d}".replace("-", "−")] if len(shift) and shift.iloc[0] else []
    vertebrae = of_case[of_case["row"] == "vertebra"]
    for status in ("missed", "spurious"):
        labels = vertebrae.loc[vertebrae["status"] == status, "label"].astype(int).tolist()
        found += [f"{status} {level_ranges(labels)}"] if labels else []
    return tuple(found)
