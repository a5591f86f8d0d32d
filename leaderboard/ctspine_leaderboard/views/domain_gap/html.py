"""The domain gap of some submissions as tables for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ctspine_bench.charts.domain_gap import PART_TITLES, signed
from ctspine_bench.charts.style import CAUSES
from ctspine_bench.charts.text import counted
from ctspine_bench.domain_gap import CAUSES as CAUSE_NAMES
from ctspine_bench.domain_gap import PARTS
from ctspine_leaderboard.tables import Cell, Column, Row, table
from ctspine_leaderboard.views.domain_gap.tables import part_table
from ctspine_leaderboard.views.test_sets import title

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from markupsafe import Markup

    from ctspine_leaderboard.views.domain_gap.gaps import Gap
    from ctspine_leaderboard.views.domain_gap.scores import Score
    from ctspine_leaderboard.views.links import Link

_MISSING: Final = Cell("–")
_SCORE_HINT: Final = "Label means of {} test set, weighed by how often its references have each"
_PART_HINTS: Final[Mapping[str, str]] = {
    "label_mix": "What it costs that the other test set has more of labels that are hard",
    "within_label": "What is lost on the same labels",
    "one_set_only": "What the labels make that only one of the sets has",
}
_CAUSE_NOTES: Final = ("identification", "not found", "boundary", "not there")


def gap_markup(gaps: Sequence[Gap], flags: Mapping[str, tuple[str, ...]], link: Link) -> Markup:
    """Return gaps as a table, one part of it for each other test set.

    Args:
        gaps: The gaps.
        flags: Slug → what a reader has to know about the submission.
        link: Where the name of a submission leads.
    """
    columns = [
        Column("Submission", align="left", wide=True),
        Column("Gap", "95 % interval", hint="Public less there: positive where the score is lower there"),
        Column("Public", "DSC, ↑ better", hint=_SCORE_HINT.format("the public")),
        Column("There", "DSC, ↑ better", hint=_SCORE_HINT.format("the other")),
        *(Column(PART_TITLES[name], "95 % interval", hint=_PART_HINTS[name]) for name in PARTS),
    ]
    rows: list[Row] = []
    for other in dict.fromkeys(each.other for each in gaps):
        there = [each for each in gaps if each.other == other]
        ends = (_with_size([getattr(each, name) for each in there]) for name in ("public_score", "other_score"))
        rows.append(Row(heading="From {} to {}".format(*ends)))
        rows += [Row(_gap_cells(each, flags, link)) for each in there]
    return table(columns, rows, "Domain gaps from the public test set to the others")


def part_markup(found: Gap) -> Markup:
    """Return the parts of a gap by cause as a table."""
    causes = [Column(cause.capitalize(), note) for (_, cause, *_), note in zip(CAUSES, _CAUSE_NOTES, strict=True)]
    columns = [
        Column("Part of the gap", align="left", wide=True),
        Column("DSC", "95 % interval"),
        Column("Range", "by either set", hint="What it comes to with the weights of one set or of the other"),
        *causes,
    ]
    rows = [
        Row(
            (
                Cell(PART_TITLES.get(row["part"], "Gap")),
                _difference(row["total"], found.intervals.get(row["part"])),
                _range(found.range_of(row["part"])),
                *(_difference(row[cause]) for cause in CAUSE_NAMES),
            )
        )
        for row in _rows(part_table(found))
    ]
    caption = f"The gap of {found.entry.name} from Public to {title(found.other)}, by part and cause"
    return table(columns, rows, caption)


def _gap_cells(found: Gap, flags: Mapping[str, tuple[str, ...]], link: Link) -> tuple[Cell, ...]:
    return (
        Cell(
            found.entry.name,
            link=link(found.entry.slug),
            badges=flags.get(found.entry.slug, ()),
            hint=" ".join(found.notes),
        ),
        _difference(found.difference, found.intervals.get("gap")),
        _score(found.public_score),
        _score(found.other_score),
        *(_difference(found.part(name), found.intervals.get(name)) for name in PARTS),
    )


def _with_size(scores: Sequence[Score]) -> str:
    """Return what a test set is called, and how many cases it has, if that is known of one of the submissions."""
    n_cases = max(each.estimate.n_cases for each in scores)
    return title(scores[0].test_set) + (f" ({counted(n_cases)})" if n_cases else "")


def _score(found: Score) -> Cell:
    estimate = found.estimate
    if estimate.dsc is None:
        return _MISSING
    ends = "" if estimate.low is None else f"{estimate.low:.3f} – {estimate.high:.3f}"
    return Cell(f"{estimate.dsc:.3f}", ends, hint=found.basis)


def _difference(value: float | None, ends: tuple[float, float] | None = None) -> Cell:
    if value is None:
        return _MISSING
    return Cell(signed(value), f"{signed(ends[0])} to {signed(ends[1])}" if ends else "")


def _rows(table: pd.DataFrame) -> list[dict[Any, Any]]:
    """Return the rows of a table, `None` in empty cells."""
    return table.astype(object).where(table.notna(), None).to_dict("records")


def _range(ends: tuple[float, float] | None) -> Cell:
    return Cell(f"{signed(ends[0])} to {signed(ends[1])}") if ends else _MISSING
