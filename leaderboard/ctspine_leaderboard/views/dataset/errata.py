"""References that are known to be wrong."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

import pandas as pd

from ctspine_bench.anatomy import vertebra_name
from ctspine_bench.testsets import known_errata, official, source_of, training_cases
from ctspine_leaderboard.tables import Cell, Column, Row, table
from ctspine_leaderboard.views.links import address

if TYPE_CHECKING:
    from markupsafe import Markup

    from ctspine_bench.board import Board
    from ctspine_bench.testsets import Erratum

INTRO: Final = (
    "Users of the data set have reported these references. No corrections were published, so they count as they are; "
    "the standings of a test set that has one can be shown without them, by a switch above the table."
)


def errata_table(board: Board) -> Markup:
    """Return the known errors as a table; cases that the board has scores of lead to their page."""
    columns = (
        Column("Case", align="left", wide=True),
        Column("Part", align="left"),
        Column("Labels", align="left"),
        Column("What is wrong", align="left", wide=True),
        Column("Reported", align="left"),
    )
    rows = [
        Row(
            (
                Cell(erratum.case_id, source_of(erratum.case_id) or "", _link(board, erratum)),
                Cell(_part(erratum.case_id)),
                Cell(_names(erratum) or "–"),
                Cell(erratum.text),
                Cell(erratum.reported),
            )
        )
        for erratum in _errata()
    ]
    return table(columns, rows, "References that are known to be wrong")


def errata_data() -> pd.DataFrame:
    """Return the known errors, one row each."""
    return pd.DataFrame(
        [
            {
                "case_id": erratum.case_id,
                "source": source_of(erratum.case_id),
                "part": _part(erratum.case_id),
                "labels": _names(erratum) or None,
                "text": erratum.text,
                "reported": erratum.reported,
            }
            for erratum in _errata()
        ]
    )


@cache
def _parts() -> dict[str, tuple[str, ...]]:
    """Return the parts of the official split with their cases."""
    return {"training": training_cases(), **{name: official(name).cases or () for name in ("public", "private")}}


@cache
def _errata() -> tuple[Erratum, ...]:
    return tuple(erratum for cases in _parts().values() for case_id in cases for erratum in known_errata(case_id))


def _part(case_id: str) -> str:
    return next(name for name, cases in _parts().items() if case_id in cases)


def _names(erratum: Erratum) -> str:
    return ", ".join(f"{label} ({vertebra_name(label)})" for label in erratum.labels)


def _link(board: Board, erratum: Erratum) -> str | None:
    paired = board.paired("public")
    there = paired is not None and erratum.case_id in paired.vertebrae.case_ids
    return address("cases", set="public", case=erratum.case_id) if there else None
