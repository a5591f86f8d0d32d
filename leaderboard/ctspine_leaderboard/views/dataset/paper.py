"""Table 1 of the paper: the data set in numbers, as printed (Deng et al., 2024)."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final

import pandas as pd

from ctspine_leaderboard.tables import Cell, Column, Row, table

if TYPE_CHECKING:
    from markupsafe import Markup

CITED: Final = "Table 1 of Deng et al., CTSpine1K, 2024"
WHOLE: Final = "CTSpine1K"
"""The row of all four sources together; VerSe is not part of the data set."""


@dataclass(frozen=True)
class PaperRow:
    """What the paper says about a source.

    Attributes:
        source: As `testsets.SOURCES` call it, or `WHOLE`.
        cases: How many.
        vertebrae: How many are labelled.
        split: Test set ("train", "public", "private") → cases; empty for VerSe.
        regions: Region → vertebrae.
        l6: Cases of sacral lumbarization.
        no_l5: Cases of lumbar sacralization.
        in_plane_mm: Mean spacing within a slice, with its standard deviation.
        slice_mm: The same along the spine.
    """

    source: str
    cases: int
    vertebrae: int
    split: dict[str, int]
    regions: dict[str, int]
    l6: int
    no_l5: int
    in_plane_mm: str
    slice_mm: str


@cache
def paper_rows() -> tuple[PaperRow, ...]:
    """Return the columns of the table, one row each."""
    with files("ctspine_leaderboard.views.dataset").joinpath("paper_table1.csv").open(encoding="utf-8") as file:
        return tuple(_row(row) for row in csv.DictReader(file))


def paper_cases(test_set: str, source: str) -> int | None:
    """Return how many cases of a source the paper counts in a test set; `None` if it does not say.

    Args:
        test_set: Name of the test set.
        source: One of `testsets.SOURCES`, or `WHOLE` for all.
    """
    if test_set == "verse":
        return next(row.cases for row in paper_rows() if row.source == "VerSe") if source in {"VerSe", WHOLE} else None
    return next((row.split.get(test_set) for row in paper_rows() if row.source == source), None)


def paper_table() -> Markup:
    """Return the table for people."""
    columns = (
        Column("Source", align="left"),
        Column("Cases"),
        Column("Training"),
        Column("Public", "test"),
        Column("Private", "test"),
        Column("Vertebrae"),
        Column("Cervical"),
        Column("Thoracic"),
        Column("Lumbar"),
        Column("L6", "cases", hint="Sacral lumbarization"),
        Column("No L5", "cases", hint="Lumbar sacralization"),
        Column("In-plane", "mm, mean ± SD"),
        Column("Slice", "mm, mean ± SD"),
    )
    return table(columns, [Row(_cells(row)) for row in paper_rows()], "The whole data set, as the paper prints it")


def paper_data() -> pd.DataFrame:
    """Return the table with all numbers."""
    return pd.DataFrame(
        [
            {
                "source": row.source,
                "cases": row.cases,
                "vertebrae": row.vertebrae,
                **{f"cases_{name}": row.split.get(name) for name in ("train", "public", "private")},
                **row.regions,
                "cases_with_l6": row.l6,
                "cases_without_l5": row.no_l5,
                "in_plane_spacing_mm": row.in_plane_mm,
                "slice_spacing_mm": row.slice_mm,
            }
            for row in paper_rows()
        ]
    )


def remark() -> str:
    """Return what a reader of the table stumbles over."""
    whole = next(row for row in paper_rows() if row.source == WHOLE)
    in_regions = sum(whole.regions.values())
    return (
        f"{CITED}, as printed. Its regions add up to {in_regions:,} of the {whole.vertebrae:,} vertebrae; "
        "the paper does not say where the others are counted. VerSe is not part of CTSpine1K."
    )


def _row(row: dict[str, str]) -> PaperRow:
    return PaperRow(
        source=row["source"],
        cases=int(row["cases"]),
        vertebrae=int(row["vertebrae"]),
        split={name: int(row[name]) for name in ("train", "public", "private") if row[name]},
        regions={name: int(row[name]) for name in ("cervical", "thoracic", "lumbar")},
        l6=int(row["l6"]),
        no_l5=int(row["no_l5"]),
        in_plane_mm=row["in_plane_mm"],
        slice_mm=row["slice_mm"],
    )


def _cells(row: PaperRow) -> tuple[Cell, ...]:
    numbers = (
        row.cases,
        *(row.split.get(name) for name in ("train", "public", "private")),
        row.vertebrae,
        *row.regions.values(),
        row.l6,
        row.no_l5,
    )
    return (
        Cell(row.source),
        *(Cell("–" if number is None else f"{number:,}") for number in numbers),
        Cell(row.in_plane_mm),
        Cell(row.slice_mm),
    )
