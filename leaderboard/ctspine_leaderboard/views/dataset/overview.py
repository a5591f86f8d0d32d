"""What is in the references of each test set of a board: the columns of the paper's Table 1, counted again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from ctspine_bench.anatomy import REGIONS, vertebra_label
from ctspine_bench.submissions.plain_text import shown
from ctspine_bench.testsets import SOURCES, official, source_of, training_cases
from ctspine_leaderboard.tables import Cell, Column, Row, table
from ctspine_leaderboard.views import test_sets
from ctspine_leaderboard.views.dataset.paper import WHOLE, paper_cases

if TYPE_CHECKING:
    from markupsafe import Markup
    from numpy.typing import NDArray

    from ctspine_bench.board import Board
    from ctspine_bench.rankings.paired import Vertebrae
    from ctspine_bench.testsets import TestSet

ALL: Final = "All"
_L6: Final = vertebra_label("L6")


@dataclass(frozen=True)
class Counts:
    """What is in the references of some cases; `None` where that is not known, or not told.

    Attributes:
        test_set: The test set.
        source: Where the cases come from; `ALL` for all of them.
        cases: How many; a text where few cases are not told apart.
        paper_cases: How many the paper has.
        vertebrae: How many.
        regions: Region → how many; empty where not known.
        l6: Cases with an L6.
        no_l5: Cases that seem to end at L4.
        cut: Vertebrae that the field of view cuts.
        spacing_mm: Mean of the slice spacing and its standard deviation over cases.
    """

    test_set: TestSet
    source: str
    cases: int | str | None
    paper_cases: int | None
    vertebrae: int | None = None
    regions: dict[str, int] | None = None
    l6: int | None = None
    no_l5: int | None = None
    cut: int | None = None
    spacing_mm: tuple[float, float] | None = None


def overview(board: Board) -> tuple[Counts, ...]:
    """Return what is in each test set of a board, all sources first, then each of them."""
    return tuple(counts for test_set in board.test_sets for counts in _of_test_set(board, test_set))


def overview_table(rows: tuple[Counts, ...]) -> Markup:
    """Return the table for people."""
    with_paper = any(counts.paper_cases is not None for counts in rows)
    columns = (
        Column("Source", align="left"),
        Column("Cases"),
        *([Column("In the paper", "cases")] if with_paper else []),
        Column("Vertebrae"),
        *(Column(region.capitalize(), hint="L6 included" if region == "lumbar" else "") for region in REGIONS),
        Column("L6", "cases"),
        Column("No L5", "cases", hint="Ends at L4, though an L5 would have had room"),
        Column("Cut", "vertebrae", hint="By the upper or lower end of the field of view"),
        Column("Slice spacing", "mm, mean ± SD"),
    )
    body: list[Row] = []
    for counts in rows:
        if counts.source == ALL:
            body.append(Row(heading=test_sets.full_title(counts.test_set)))
        body.append(Row(_cells(counts, with_paper=with_paper)))
    return table(columns, body, "What is in the references of each test set")


def overview_data(rows: tuple[Counts, ...]) -> pd.DataFrame:
    """Return all numbers, one row for each test set and source."""
    return pd.DataFrame([_record(counts) for counts in rows])


def split_data() -> pd.DataFrame:
    """Return the official split, one row for each case."""
    parts = {"training": training_cases(), **{name: official(name).cases or () for name in ("public", "private")}}
    rows = [
        {"case_id": case_id, "source": source_of(case_id), "part": part}
        for part, cases in parts.items()
        for case_id in cases
    ]
    return pd.DataFrame(rows)


def remarks(board: Board) -> tuple[str, ...]:
    """Return where the numbers come from, and what a reader of results on these test sets has to know."""
    private = any(test_set.private for test_set in board.test_sets)
    unknown = [
        test_sets.full_title(each) for each in board.test_sets if not each.private and board.paired(each.name) is None
    ]
    return (
        "Counted in the references that the ranked submissions were scored against.",
        f"Nobody is ranked on {' and '.join(unknown)} yet: only what the split says is known." if unknown else "",
        "Of a private test set only the numbers of cases are shown." if private else "",
        *(f"{test_sets.full_title(each)}: {each.note}" for each in board.test_sets if each.note),
    )


def _of_test_set(board: Board, test_set: TestSet) -> list[Counts]:
    paired = board.paired(test_set.name)
    if paired is not None:
        return _counted(test_set, paired.vertebrae)
    if test_set.cases is not None:
        of_case = [source_of(case_id) or "" for case_id in test_set.cases]
        sources: dict[str, Any] = {name: of_case.count(name) for name in SOURCES if name in of_case}
        return _listed(test_set, len(of_case), sources)
    told = [entry.on(test_set.name) for entry in board.entries if board.status(entry, test_set.name) == "ranked"]
    if told:
        sources = {name: part["n_cases"] for name, part in sorted(told[0]["sources"].items())}
        return _listed(test_set, told[0]["n_cases"], sources)
    return _listed(test_set, None, {})


def _listed(test_set: TestSet, n_cases: int | str | None, sources: dict[str, Any]) -> list[Counts]:
    """Return rows with numbers of cases alone."""
    rows = [Counts(test_set, ALL, n_cases, paper_cases(test_set.name, WHOLE))]
    return rows + [Counts(test_set, name, n, paper_cases(test_set.name, name)) for name, n in sources.items()]


def _counted(test_set: TestSet, reference: Vertebrae) -> list[Counts]:
    of_case = np.array(reference.sources, object)
    known = [name for name in SOURCES if (of_case == name).any()]
    others = sorted(set(reference.sources) - set(known))
    rows = [_count(test_set, ALL, reference, np.ones(len(of_case), np.bool_))]
    return rows + [_count(test_set, name or "unknown", reference, of_case == name) for name in (*known, *others)]


def _count(test_set: TestSet, source: str, reference: Vertebrae, cases: NDArray[np.bool_]) -> Counts:
    rows = cases[reference.case] & reference.in_reference
    label = reference.label[rows]
    with_l6 = np.zeros(len(cases), np.bool_)
    with_l6[reference.case[rows][label == _L6]] = True
    spacing_mm = reference.slice_spacing_mm[cases & np.isfinite(reference.slice_spacing_mm)]
    return Counts(
        test_set=test_set,
        source=source,
        cases=int(cases.sum()),
        paper_cases=paper_cases(test_set.name, WHOLE if source == ALL else source),
        vertebrae=len(label),
        regions={region: int(np.isin(label, list(labels)).sum()) for region, labels in REGIONS.items()},
        l6=int(with_l6.sum()),
        no_l5=int((reference.transitional & cases & ~with_l6).sum()),
        cut=int(reference.cut[rows].sum()),
        spacing_mm=(float(spacing_mm.mean()), float(spacing_mm.std())) if spacing_mm.size else None,
    )


def _cells(counts: Counts, *, with_paper: bool) -> tuple[Cell, ...]:
    regions = counts.regions or {}
    numbers = (
        counts.cases,
        *([counts.paper_cases] if with_paper else []),
        counts.vertebrae,
        *(regions.get(region) for region in REGIONS),
        counts.l6,
        counts.no_l5,
        counts.cut,
    )
    spacing = "–" if counts.spacing_mm is None else f"{counts.spacing_mm[0]:.2f} ± {counts.spacing_mm[1]:.2f}"
    return (Cell(shown(counts.source)), *(Cell(_number(number)) for number in numbers), Cell(spacing))


def _record(counts: Counts) -> dict[str, Any]:
    regions = counts.regions or {}
    mean, deviation = counts.spacing_mm or (None, None)
    return {
        "test_set": counts.test_set.name,
        "source": counts.source,
        "cases": counts.cases,
        "cases_in_the_paper": counts.paper_cases,
        "vertebrae": counts.vertebrae,
        **{region: regions.get(region) for region in REGIONS},
        "cases_with_l6": counts.l6,
        "cases_without_l5": counts.no_l5,
        "vertebrae_cut": counts.cut,
        "slice_spacing_mm_mean": mean,
        "slice_spacing_mm_sd": deviation,
    }


def _number(number: int | str | None) -> str:
    return "–" if number is None else f"{number:,}" if isinstance(number, int) else number
