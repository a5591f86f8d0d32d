"""The numbers of a submission in the layout of Table 2 of the paper."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from ctspine_bench.anatomy import VERTEBRAE
from ctspine_bench.published import published_table
from ctspine_bench.rankings.paired import METRICS
from ctspine_bench.testsets import OFFICIAL, PHANTOM, named
from ctspine_leaderboard.downloads import latex_text
from ctspine_leaderboard.tables import Cell, Column, Row, table
from ctspine_leaderboard.views.test_sets import title

if TYPE_CHECKING:
    from collections.abc import Mapping

    from markupsafe import Markup

    from ctspine_bench.board import Entry

MEANS: Final[Mapping[str, str]] = {
    "mean_of_vertebrae": "Mean of Vertebrae",
    "mean_of_vertebrae_without_l6": "… without L6",
    "mean_of_spine": "Mean of Spine",
}
"""Key of the results → what the paper calls the row; it has none without L6."""

_CAPTION: Final = (
    "The DSC and HD95 (in mm) results. The Mean of Vertebrae indicates the average of each vertebra (multi-class), and "
    "the Mean of Spine indicates the average of the whole spine (binary classification)."
)
# The paper puts C1–T6 beside T7–L6.
_LEFT: Final = 13
_AS_PRINTED: Final = (
    "As printed in the publication, which does not say how missing labels enter. It is comparable with the rule that "
    "was inferred from it, by which the page Compare shows others beside it, and not with official means."
)
_DASH: Final = "–"


@dataclass(frozen=True)
class PaperTable:
    """The table of a submission.

    Attributes:
        name: What people call the submission.
        test_sets: The three test sets of the paper, or those of a phantom; those without results have empty cells.
        rows: Label or key of `MEANS` → test set → the condensed means; empty without any.
    """

    name: str
    test_sets: tuple[str, ...]
    rows: Mapping[str, Mapping[str, Mapping[str, Any]]]

    def table(self) -> Markup:
        """Return it for people: a row for each label, n beside every mean."""
        columns = [Column("Label", align="left")]
        for name in self.test_sets:
            columns += [Column("n", "cases"), Column(title(named(name)), "DSC / HD95 mm")]
        rows = [self._row(name, name) for name in VERTEBRAE]
        means = [self._row(key, words) for key, words in MEANS.items()]
        return table(columns, [*rows, Row(heading="Means"), *means], f"{self.name} in the layout of the paper")

    def data(self) -> pd.DataFrame:
        """Return all means, one row for each label or mean and test set."""
        rows = [
            {
                "row": key,
                "test_set": name,
                "n": means[name].get("n"),
                **{metric: means[name].get(metric) for metric in METRICS},
            }
            for key, means in self.rows.items()
            for name in self.test_sets
            if means[name]
        ]
        return pd.DataFrame(rows, columns=["row", "test_set", "n", *METRICS])

    def latex(self) -> str:
        """Return it as the paper prints it: C1–T6 beside T7–L6, `.951/1.55` in a cell, the means below."""
        heads = [rf"Test\_{title(named(name)) if name.endswith('verse') else name}" for name in self._short_names()]
        left, right = VERTEBRAE[:_LEFT], VERTEBRAE[_LEFT:]
        body = [
            " & ".join([*self._printed(one), *(self._printed(other) if other else self._blank())])
            for one, other in zip_longest(left, right)
        ]
        means = [*self._printed("mean_of_vertebrae"), *self._printed("mean_of_spine")]
        lines = "l" + "c" * len(self.test_sets)
        return "\n".join(
            [
                r"\begin{table}",
                r"\centering",
                rf"\caption{{{latex_text(self.name)}: {_CAPTION}}}",
                rf"\begin{{tabular}}{{{lines}{lines}}}",
                r"\toprule",
                " & ".join(["Label", *heads] * 2) + r" \\",
                " & ".join(["", *["DSC/HD95"] * len(heads)] * 2).strip() + r" \\",
                r"\midrule",
                *(f"{line} \\\\" for line in body),
                r"\midrule",
                " & ".join(means) + r" \\",
                r"\bottomrule",
                r"\end{tabular}",
                r"\end{table}",
            ]
        )

    def _row(self, key: str, words: str) -> Row:
        cells = [Cell(words)]
        for name in self.test_sets:
            means = self.rows[key][name]
            dsc, hd95_mm = means.get("dsc"), means.get("hd95_mm")
            cells += [
                Cell(_count(means.get("n"))),
                Cell(_DASH if dsc is None and hd95_mm is None else f"{_number(dsc, 3)} / {_number(hd95_mm, 2)}"),
            ]
        return Row(tuple(cells))

    def _printed(self, key: str) -> list[str]:
        """Return a row as the paper prints it; a dash stands where there is nothing."""
        cells = []
        for name in self.test_sets:
            means = self.rows[key][name]
            dsc, hd95_mm = means.get("dsc"), means.get("hd95_mm")
            cells.append("--" if dsc is None and hd95_mm is None else f"{_printed_dsc(dsc)}/{_number(hd95_mm, 2)}")
        return [MEANS.get(key, key), *cells]

    def _blank(self) -> list[str]:
        return [""] * (len(self.test_sets) + 1)

    def _short_names(self) -> list[str]:
        return [name.removeprefix("phantom-") for name in self.test_sets]


def paper_table(entry: Entry) -> PaperTable | None:
    """Return the table of a submission; `None` if it has no results."""
    there = [name for name in (*OFFICIAL, *PHANTOM) if entry.on(name)]
    if not there:
        return None
    test_sets = OFFICIAL if there[0] in OFFICIAL else PHANTOM
    labels = {name: {each: entry.on(each).get("labels", {}).get(name, {}) for each in test_sets} for name in VERTEBRAE}
    means = {key: {each: entry.on(each).get(key, {}) for each in test_sets} for key in MEANS}
    return PaperTable(entry.name, test_sets, {**labels, **means})


def notes(entry: Entry) -> tuple[str, ...]:
    """Return what a reader of the table has to know."""
    if entry.declaration and entry.declaration.kind == "published":
        return (_AS_PRINTED,)
    counts = (
        "n counts cases, under Mean of Vertebrae labels. A missed vertebra counts as DSC 0 and HD95 100 mm; HD95 is "
        "capped there."
    )
    return (counts, *_inferred(entry))


def _inferred(entry: Entry) -> tuple[str, ...]:
    """Say what is to be compared with the published numbers, on the test sets of the paper."""
    parts = []
    for name in OFFICIAL:
        ours = entry.on(name).get("paper_inferred", {}).get("mean_of_vertebrae", {})
        paper = published_table(name)
        if paper and ours.get("dsc") is not None:
            printed = f"{paper.mean_of_vertebrae.dsc:.3f} / {paper.mean_of_vertebrae.hd95_mm:.2f} mm"
            numbers = f"{ours['dsc']:.3f} / {_number(ours.get('hd95_mm'), 2)} mm"
            parts.append(f"{title(named(name))} {numbers} (nnU-Net as published: {printed})")
    if not parts:
        return ()
    return (f"To compare with the paper, Mean of Vertebrae by the rule inferred from it: {'; '.join(parts)}.",)


def _count(n: int | float | str | None) -> str:
    return _DASH if n is None else str(n)


def _number(value: float | None, digits: int) -> str:
    return _DASH if value is None else f"{value:.{digits}f}"


def _printed_dsc(value: float | None) -> str:
    """Return a DSC without the 0 before the point, and a plain 0 for nothing at all, as the paper has it."""
    if value is None:
        return "--"
    return "0" if value == 0 else f"{value:.3f}".removeprefix("0")
