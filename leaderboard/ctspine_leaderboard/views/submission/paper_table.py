"""The numbers of a submission in the layout of Table 2 of the paper, by the official rule or in a variant of it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from ctspine_bench.aggregate import HD95_CAP_MM, SLIVER_SHARE
from ctspine_bench.anatomy import VERTEBRAE
from ctspine_bench.rankings.paired import METRICS
from ctspine_bench.report.variants import FORGIVEN, TITLES
from ctspine_bench.testsets import OFFICIAL, PHANTOM, named
from ctspine_leaderboard.downloads import latex_text
from ctspine_leaderboard.tables import Cell, Column, Row, table
from ctspine_leaderboard.views.counts import n_of
from ctspine_leaderboard.views.submission.variants import means_of
from ctspine_leaderboard.views.test_sets import title

if TYPE_CHECKING:
    from collections.abc import Mapping

    from markupsafe import Markup

    from ctspine_bench.board import Entry
    from ctspine_bench.report.variants import Variant

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
AS_PRINTED_TITLE: Final = "The paper's layout, the paper's numbers"
WITHOUT_REFERENCE: Final = "†"
"""What marks a label that no reference of a test set has."""

_AS_PRINTED: Final = (
    "As printed in the publication. Its DSC follows the official rule. Its HD95 is over matched vertebrae alone: "
    "compare it with the HD95 of matched of others, as the page Compare does, and not with their official HD95."
)
_RULE: Final = (
    "n counts the cases that have the label in the reference or in the prediction, under Mean of Vertebrae labels, "
    f"under Mean of Spine cases. A missed and a spurious vertebra count as DSC 0 and HD95 {HD95_CAP_MM:.0f} mm; HD95 "
    "is capped there."
)
_OF_PRIVATE: Final = "Of a private test set n counts the cases whose reference has the label."
_SLIVERS: Final = f"without slivers (under {SLIVER_SHARE:.0%} of their level's median volume)".replace("%", " %")
_NOTES: Final[Mapping[Variant, str]] = {
    "official": _RULE,
    "hd95-matched": "HD95 is over the matched vertebrae alone, which the second n counts, and without a cap: who finds "
    "less can look better. DSC is that of the official table.",
    "border-forgiven": f"{_RULE} {FORGIVEN}",
    "complete": f"{_RULE} Only vertebrae inside the field of view, {_SLIVERS}. The spine has no such variant.",
    "cut": f"{_RULE} Only vertebrae at the first or last slice, {_SLIVERS}. The spine has no such variant.",
    "without-l6": f"{_RULE} The spine is that of the official table.",
}
_COUNTS: Final = ("n", "n_reference", "n_matched")
_OF_MATCHED: Final = ("hd95_matched_mm", "hd95_pooled_matched_mm")
_IDS_TOLD: Final = 3
_DASH: Final = "–"


@dataclass(frozen=True)
class PaperTable:
    """The table of a submission.

    Attributes:
        name: What people call the submission.
        test_sets: The three test sets of the paper, or those of a phantom; those without results have empty cells.
        rows: Label or key of `MEANS` → test set → the condensed means; empty without any.
        variant: By which rule.
        heading: Whose layout and whose rule that is.
        marked: Test set → label that none of its references has → the cases whose prediction has it, if that is told.
    """

    name: str
    test_sets: tuple[str, ...]
    rows: Mapping[str, Mapping[str, Mapping[str, Any]]]
    variant: Variant
    heading: str
    marked: Mapping[str, Mapping[str, tuple[str, ...]]]

    def table(self) -> Markup:
        """Return it for people: a row for each label, n beside every mean."""
        columns = [Column("Label", align="left")]
        counted = "cases / matched" if self.variant == "hd95-matched" else "cases"
        for name in self.test_sets:
            columns += [Column("n", counted), Column(title(named(name)), "DSC / HD95 mm")]
        rows = [self._row(name, name) for name in VERTEBRAE if name in self.rows]
        means = [self._row(key, words) for key, words in MEANS.items() if key in self.rows]
        return table(columns, [*rows, Row(heading="Means"), *means], f"{self.name} in the layout of the paper")

    def data(self) -> pd.DataFrame:
        """Return all means, one row for each label or mean and test set."""
        rows = [
            {
                "row": key,
                "test_set": name,
                **{count: means[name].get(count) for count in _COUNTS},
                **{metric: means[name].get(metric) for metric in (*METRICS, *_OF_MATCHED)},
                "no_reference_has_it": key in self.marked[name],
            }
            for key, means in self.rows.items()
            for name in self.test_sets
            if means[name]
        ]
        columns = ["row", "test_set", *_COUNTS, *METRICS, *_OF_MATCHED, "no_reference_has_it"]
        return pd.DataFrame(rows, columns=columns)

    def notes(self) -> tuple[str, ...]:
        """Return what a reader of the table has to know."""
        if self.heading == AS_PRINTED_TITLE:
            return (_AS_PRINTED,)
        private = any(named(name).private and self._is_there(name) for name in self.test_sets)
        return tuple(filter(None, (_NOTES[self.variant], _OF_PRIVATE if private else "", self._without_reference())))

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
                rf"\caption{{{latex_text(self.name)}: {_CAPTION} {latex_text(self.heading)}.}}",
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
                Cell(self._n(key, name)),
                Cell(_DASH if dsc is None and hd95_mm is None else f"{_number(dsc, 3)} / {_number(hd95_mm, 2)}"),
            ]
        return Row(tuple(cells))

    def _n(self, key: str, test_set: str) -> str:
        means = self.rows[key][test_set]
        n = f"{_count(n_of(means))}{WITHOUT_REFERENCE if key in self.marked[test_set] else ''}"
        return f"{n} / {_count(means.get('n_matched'))}" if self.variant == "hd95-matched" and means else n

    def _is_there(self, test_set: str) -> bool:
        return any(means[test_set] for means in self.rows.values())

    def _without_reference(self) -> str:
        """Say where the labels come from that no reference has."""
        parts = [
            f"{title(named(test_set))} {label}" + (f" in {_some(cases)}" if cases else "")
            for test_set, labels in self.marked.items()
            for label, cases in labels.items()
        ]
        if not parts:
            return ""
        return f"{WITHOUT_REFERENCE} No reference of the test set has it, only the prediction does: {'; '.join(parts)}."

    def _printed(self, key: str) -> list[str]:
        """Return a row as the paper prints it; a dash stands where there is nothing."""
        cells = []
        for name in self.test_sets:
            means = self.rows.get(key, {}).get(name, {})
            dsc, hd95_mm = means.get("dsc"), means.get("hd95_mm")
            mark = r"$^\dagger$" if key in self.marked[name] else ""
            told = f"{_printed_dsc(dsc)}/{_printed(hd95_mm)}{mark}"
            cells.append("--" if dsc is None and hd95_mm is None else told)
        return [MEANS.get(key, key), *cells]

    def _blank(self) -> list[str]:
        return [""] * (len(self.test_sets) + 1)

    def _short_names(self) -> list[str]:
        return [name.removeprefix("phantom-") for name in self.test_sets]


def paper_table(entry: Entry, variant: Variant = "official") -> PaperTable | None:
    """Return the table of a submission by the official rule, or a variant of it; `None` if it has no results."""
    test_sets = test_sets_of(entry)
    if not test_sets:
        return None
    of_sets = {name: means_of(entry, name, variant) for name in test_sets}
    keys = [key for key in (*VERTEBRAE, *MEANS) if any(key in found for found in of_sets.values())]
    published = entry.declaration is not None and entry.declaration.kind == "published"
    return PaperTable(
        name=entry.name,
        test_sets=test_sets,
        rows={key: {name: found.get(key, {}) for name, found in of_sets.items()} for key in keys},
        variant=variant,
        heading=AS_PRINTED_TITLE if published else TITLES[variant],
        marked={name: _marked(entry, name, found) for name, found in of_sets.items()},
    )


def test_sets_of(entry: Entry) -> tuple[str, ...]:
    """Return the test sets of the paper, or those of the phantom, whichever a submission has results on."""
    there = [name for name in (*OFFICIAL, *PHANTOM) if entry.on(name)]
    if not there:
        return ()
    return OFFICIAL if there[0] in OFFICIAL else PHANTOM


def _marked(entry: Entry, test_set: str, means: Mapping[str, Mapping[str, Any]]) -> dict[str, tuple[str, ...]]:
    """Return the labels in a table that no reference of the test set has, with the cases in which they arise."""
    if entry.declaration and entry.declaration.kind == "published":
        return {}
    recorded, arise = entry.on(test_set).get("labels", {}), entry.on(test_set).get("without_reference", {})
    return {
        name: tuple(arise.get(name, ()))
        for name in VERTEBRAE
        if means.get(name, {}).get("dsc") is not None and recorded.get(name, {}).get("n_reference") == 0
    }


def _some(ids: tuple[str, ...]) -> str:
    more = f" +{len(ids) - _IDS_TOLD} more" if len(ids) > _IDS_TOLD else ""
    return ", ".join(ids[:_IDS_TOLD]) + more


def _count(n: int | float | str | None) -> str:
    return _DASH if n is None else str(n)


def _number(value: float | None, digits: int) -> str:
    return _DASH if value is None else f"{value:.{digits}f}"


def _printed(hd95_mm: float | None) -> str:
    return "--" if hd95_mm is None else f"{hd95_mm:.2f}"


def _printed_dsc(value: float | None) -> str:
    """Return a DSC without the 0 before the point, and a plain 0 for nothing at all, as the paper has it."""
    if value is None:
        return "--"
    return "0" if value == 0 else f"{value:.3f}".removeprefix("0")
