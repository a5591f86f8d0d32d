"""A submission's scores → tables of text cells: the one place that decides digits, dashes and order.

The official table has the layout of Table 2 of Deng et al., 2024: C1–T6 beside T7–L6, the means below.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import zip_longest
from statistics import fmean
from typing import TYPE_CHECKING, Final, Literal

from ctspine_bench.aggregate import HD95_CAP_MM
from ctspine_bench.anatomy import VERTEBRAE
from ctspine_bench.published import VERSE_REANNOTATED_DSC, PublishedMeans, published_table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ctspine_bench.summary import Estimate, InferredMeans, Means, OfficialTable, Sensitivity, Summary

Vertebrae = Literal["all", "complete", "cut"]
"""Which vertebrae a table is about: all, those inside the field of view, or those that its upper or lower end cuts."""

DASH: Final = "–"
"""What stands in a cell whose number is not defined."""

_LEFT_BLOCK: Final = 13
_OF_VERTEBRAE: Final = "Mean of Vertebrae"
_WITHOUT_L6: Final = "… without L6"
_OF_SPINE: Final = "Mean of Spine"
_EMPTY: Final = ("", "", "", "")
_TITLES: Final[Mapping[str, str]] = {
    "all": "Official table",
    "complete": "Official table, complete vertebrae only",
    "cut": "Official table, only vertebrae cut by the field of view",
}


@dataclass(frozen=True)
class TextTable:
    """A table as people see it; every output draws the same cells.

    Attributes:
        title: What it is.
        header: Name of each column.
        names: Which columns name their row; the others hold numbers.
        rows: Cells of each row.
        means: Cells of the rows below, set apart.
        note: What a reader has to know.
    """

    title: str
    header: tuple[str, ...]
    names: tuple[int, ...]
    rows: tuple[tuple[str, ...], ...]
    means: tuple[tuple[str, ...], ...] = ()
    note: str = ""


def number(value: float | None, digits: int) -> str:
    """Return a number with that many digits behind the point, a dash for `None`."""
    return DASH if value is None else f"{value:.{digits}f}"


def dsc(value: float | None) -> str:
    """Return a DSC or another share between 0 and 1 with three digits."""
    return number(value, 3)


def mm(value: float | None) -> str:
    """Return a distance in mm with two digits."""
    return number(value, 2)


def percent(value: float | None) -> str:
    """Return a share between 0 and 1 as a percentage."""
    return DASH if value is None else f"{value:.1%}"


def estimate(value: Estimate, digits: int) -> str:
    """Return a mean with its 95 % interval, if it has one."""
    if value.low is None or value.high is None:
        return number(value.mean, digits)
    return f"{number(value.mean, digits)} [{number(value.low, digits)}, {number(value.high, digits)}]"


def chosen(summary: Summary, vertebrae: Vertebrae) -> OfficialTable:
    """Return the official table over those vertebrae."""
    return summary.official if vertebrae == "all" else summary.field_of_view[vertebrae]


def paper_table(summary: Summary, vertebrae: Vertebrae = "all") -> TextTable:
    """Return the official table in the layout of the paper, with n beside every mean."""
    table = chosen(summary, vertebrae)
    labels = [(name, str(means.n), *_cells(means)) for name, means in table.labels.items()]
    left, right = labels[:_LEFT_BLOCK], labels[_LEFT_BLOCK:]
    of_vertebrae, without_l6 = table.mean_of_vertebrae, table.mean_of_vertebrae_without_l6
    of_spine = (_OF_SPINE, str(table.mean_of_spine.n), *_cells(table.mean_of_spine))
    return TextTable(
        title=_TITLES[vertebrae],
        header=("Label", "n", "DSC", "HD95 mm") * 2,
        names=(0, 4),
        rows=tuple((*a, *b) for a, b in zip_longest(left, right, fillvalue=_EMPTY)),
        means=(
            (_OF_VERTEBRAE, str(of_vertebrae.n), *_cells(of_vertebrae), *of_spine),
            (_WITHOUT_L6, str(without_l6.n), *_cells(without_l6), *_EMPTY),
        ),
        note=f"n: cases with the label; labels under {_OF_VERTEBRAE}; cases under {_OF_SPINE}. A missed vertebra "
        f"counts as DSC 0 and HD95 {HD95_CAP_MM:.0f} mm; HD95 is capped there.",
    )


def published_comparison(summary: Summary, test_set: str) -> TextTable | None:
    """Return the `paper_inferred` table beside the published nnU-Net; `None` unless it is a test set of the paper."""
    published = published_table(test_set)
    if published is None:
        return None
    inferred = summary.paper_inferred
    others = [published.labels[name] for name in VERTEBRAE if name != "L6"]
    without_l6 = PublishedMeans(fmean(each.dsc for each in others), fmean(each.hd95_mm for each in others))
    note = (
        "The paper states no rule; this one reproduces its means from its labels. A case counts for a label that its "
        "reference or its prediction has, a spurious one with DSC 0; HD95 is over matched vertebrae only. Δ is this "
        "submission minus the paper."
    )
    if test_set == "verse":
        note += (
            f" On VerSe the authors later report a mean DSC of {VERSE_REANNOTATED_DSC:.3f} instead of "
            f"{published.mean_of_vertebrae.dsc:.3f}, after annotating partly visible vertebrae in the 41 cases."
        )
    return TextTable(
        title="Beside the published nnU-Net (inferred rule)",
        header=("Label", "n", "DSC", "paper", "Δ", "HD95 mm", "paper", "Δ"),
        names=(0,),
        rows=tuple(_beside(name, inferred.labels[name], published.labels[name]) for name in VERTEBRAE),
        means=(
            _beside(_OF_VERTEBRAE, inferred.mean_of_vertebrae, published.mean_of_vertebrae),
            _beside(_WITHOUT_L6, inferred.mean_of_vertebrae_without_l6, without_l6),
            _beside(_OF_SPINE, inferred.mean_of_spine, published.mean_of_spine),
        ),
        note=note,
    )


def sensitivity_table(summary: Summary) -> TextTable:
    """Return mean HD95 under three policies for what was missed."""

    def row(name: str, values: Sensitivity) -> tuple[str, ...]:
        return (name, mm(values.excluded), mm(values.cap_100mm), mm(values.image_diagonal))

    return TextTable(
        title="Sensitivity: HD95 in mm by what a missed mask counts",
        header=("", "left out", "100 mm (official)", "image diagonal"),
        names=(0,),
        rows=(
            row(_OF_VERTEBRAE, summary.sensitivity["mean_of_vertebrae"]),
            row(_OF_SPINE, summary.sensitivity["mean_of_spine"]),
        ),
    )


def source_table(summary: Summary) -> TextTable:
    """Return the means of each data source."""
    return _strata_table("By source", "Source", summary.sources)


def strata_tables(summary: Summary) -> tuple[TextTable, ...]:
    """Return the means by slice spacing, transitional anatomy and field of view."""
    return (
        _strata_table("By slice spacing", "Spacing", summary.strata["slice_spacing"]),
        _strata_table("By transitional anatomy (an L6, or no L5)", "Transitional", summary.strata["transitional"]),
        # A spine is cut wherever one of its vertebrae is: only vertebrae tell these two apart.
        _strata_table("By field of view", "Vertebrae", summary.field_of_view, with_spine=False),
    )


def _strata_table(title: str, kind: str, strata: Mapping[str, OfficialTable], *, with_spine: bool = True) -> TextTable:
    def row(name: str, table: OfficialTable) -> tuple[str, ...]:
        n_vertebrae = sum(means.n for means in table.labels.values())
        spine = _cells(table.mean_of_spine) if with_spine else ()
        return (name, str(table.n_cases), str(n_vertebrae), *_cells(table.mean_of_vertebrae), *spine)

    return TextTable(
        title=title,
        header=(kind, "cases", "vertebrae", "DSC", "HD95 mm", *(("spine DSC", "spine HD95 mm") if with_spine else ())),
        names=(0,),
        rows=tuple(row(name, table) for name, table in strata.items()),
        note=f"DSC and HD95: {_OF_VERTEBRAE}, over the labels that are there.",
    )


def _cells(means: Means | InferredMeans) -> tuple[str, str]:
    return dsc(means.dsc), mm(means.hd95_mm)


def _beside(name: str, ours: InferredMeans, paper: PublishedMeans) -> tuple[str, ...]:
    return (
        name,
        str(ours.n),
        *(dsc(ours.dsc), dsc(paper.dsc), _difference(ours.dsc, paper.dsc, 3)),
        *(mm(ours.hd95_mm), mm(paper.hd95_mm), _difference(ours.hd95_mm, paper.hd95_mm, 2)),
    )


def _difference(ours: float | None, paper: float, digits: int) -> str:
    """Return the signed difference of the numbers as they are printed, with a true minus sign."""
    if ours is None:
        return DASH
    return f"{round(ours, digits) - paper:+.{digits}f}".replace("-", "−")
