"""A submission beside the published nnU-Net, on the test sets of the paper.

The paper's DSC follows the official rule, its HD95 is over matched vertebrae: each is compared with its like. A
difference stands only where both numbers are over the same labels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from ctspine_bench.anatomy import VERTEBRAE
from ctspine_bench.published import VERSE_REANNOTATED_DSC, published_table
from ctspine_bench.testsets import named
from ctspine_leaderboard.tables import Cell, Column, Row, table
from ctspine_leaderboard.views.counts import n_of
from ctspine_leaderboard.views.submission.paper_table import MEANS, WITHOUT_REFERENCE
from ctspine_leaderboard.views.test_sets import title

if TYPE_CHECKING:
    from collections.abc import Mapping

    from markupsafe import Markup

    from ctspine_bench.board import Entry
    from ctspine_bench.published import PublishedMeans, PublishedTable

TITLE: Final = "Beside the published nnU-Net"
SOURCE: Final = "Table 2 of Deng et al., 2024: the paper's layout, the paper's rule for each metric."

_RULE: Final = (
    "DSC: the paper's rule is this benchmark's (nnUNet_evaluate_folder … -l 1 … 25, step 5 of the data set's "
    "instructions). HD95: over matched vertebrae, as in the paper, which does not say which HD95 it took. Δ: this "
    "submission less the paper; it stands only where both are over the same labels."
)
_DASH: Final = "–"
_COLUMNS: Final = (
    "row", "n", "dsc", "paper_dsc", "difference_dsc", "n_matched", "hd95_matched_mm", "paper_hd95_mm",
    "difference_hd95_mm", "hd95_pooled_matched_mm",
)  # fmt: skip


@dataclass(frozen=True)
class BesidePaper:
    """A submission and the paper on a test set.

    Attributes:
        name: What people call the submission.
        test_set: Name of the test set.
        rows: Label or key of `MEANS` → the columns of `data`.
        marked: The labels that no reference has.
    """

    name: str
    test_set: str
    rows: Mapping[str, Mapping[str, Any]]
    marked: frozenset[str]

    @property
    def has_pooled(self) -> bool:
        """Whether there is a pooled HD95."""
        return any(row["hd95_pooled_matched_mm"] is not None for row in self.rows.values())

    def table(self) -> Markup:
        """Return it for people."""
        columns = [
            Column("Label", align="left"),
            *(Column("n", "cases"), Column("DSC"), Column("paper", "DSC"), Column("Δ", "DSC")),
            *(Column("matched", "n"), Column("HD95", "matched, mm"), Column("paper", "HD95 mm"), Column("Δ", "mm")),
            *([Column("HD95", "pooled, mm")] if self.has_pooled else []),
        ]
        body = [self._row(name) for name in VERTEBRAE]
        body += [Row(heading="Means"), *(self._row(key) for key in MEANS)]
        return table(columns, body, f"{self.name} beside the published nnU-Net on {title(named(self.test_set))}")

    def data(self) -> pd.DataFrame:
        """Return all numbers, one row for each label or mean."""
        return pd.DataFrame([{"row": key, **row} for key, row in self.rows.items()], columns=list(_COLUMNS))

    def paper_table(self) -> pd.DataFrame:
        """Return the columns that go into a paper, under names for people."""
        rows = [
            {
                "Label": MEANS.get(key, key),
                "n": row["n"],
                "DSC": row["dsc"],
                "DSC, paper": row["paper_dsc"],
                "HD95 of matched (mm)": row["hd95_matched_mm"],
                "HD95, paper (mm)": row["paper_hd95_mm"],
            }
            for key, row in self.rows.items()
        ]
        return pd.DataFrame(rows)

    def notes(self) -> tuple[str, ...]:
        """Return what a reader has to know."""
        means, verse = self.rows["mean_of_vertebrae"], ""
        if self.test_set == "verse":
            verse = (
                f"On VerSe the authors later report a mean DSC of {VERSE_REANNOTATED_DSC:.3f} instead of "
                f"{means['paper_dsc']:.3f}, after annotating partly visible vertebrae in the 41 cases."
            )
        return tuple(filter(None, (_RULE, _lacking(means), verse)))

    def _row(self, key: str) -> Row:
        row = self.rows[key]
        name = f"{key}{WITHOUT_REFERENCE}" if key in self.marked else MEANS.get(key, key)
        pooled = [Cell(_number(row["hd95_pooled_matched_mm"], 2))] if self.has_pooled else []
        return Row(
            (
                Cell(name),
                Cell(_count(row["n"])),
                *(Cell(_number(row[column], 3)) for column in ("dsc", "paper_dsc")),
                Cell(_signed(row["difference_dsc"], 3)),
                Cell(_count(row["n_matched"])),
                *(Cell(_number(row[column], 2)) for column in ("hd95_matched_mm", "paper_hd95_mm")),
                Cell(_signed(row["difference_hd95_mm"], 2)),
                *pooled,
            )
        )


def beside_paper(entry: Entry, test_set: str) -> BesidePaper | None:
    """Return a submission beside the paper; `None` unless it has scores of its own on a whole test set of the paper."""
    published, results = published_table(test_set), entry.on(test_set)
    if published is None or not results or not results["complete"] or _is_published(entry):
        return None
    labels, needed = results["labels"], {"mean_of_vertebrae": len(VERTEBRAE)}
    needed["mean_of_vertebrae_without_l6"] = len(VERTEBRAE) - 1
    ours = {**{name: labels.get(name, {}) for name in VERTEBRAE}, **{key: results[key] for key in MEANS}}
    rows = {key: _beside(means, _paper(published, key), needed.get(key, 1)) for key, means in ours.items()}
    marked = {name for name in VERTEBRAE if labels.get(name, {}).get("n") and not labels[name].get("n_reference")}
    return BesidePaper(entry.name, test_set, rows, frozenset(marked))


def no_comparison(entry: Entry, test_set: str) -> str:
    """Return why a submission is not compared with the paper; empty where it is, and where the paper has nothing."""
    results = entry.on(test_set)
    if published_table(test_set) is None or not results or results["complete"] or _is_published(entry):
        return ""
    if results["n_cases"] is None:
        return ""
    return "No comparison with the paper: not every case of the test set has a prediction that could be scored."


def _is_published(entry: Entry) -> bool:
    return entry.declaration is not None and entry.declaration.kind == "published"


def _paper(published: PublishedTable, key: str) -> PublishedMeans:
    means = {
        "mean_of_vertebrae": published.mean_of_vertebrae,
        "mean_of_vertebrae_without_l6": published.mean_without_l6,
        "mean_of_spine": published.mean_of_spine,
    }
    return means[key] if key in means else published.labels[key]


def _beside(ours: Mapping[str, Any], paper: PublishedMeans, needed: int) -> dict[str, Any]:
    dsc, hd95_mm, n, n_matched = ours.get("dsc"), ours.get("hd95_matched_mm"), n_of(ours), ours.get("n_matched")
    return {
        "n": n,
        "dsc": dsc,
        "paper_dsc": paper.dsc,
        "difference_dsc": _difference(dsc, paper.dsc, 3) if _enough(n, needed) else None,
        "n_matched": n_matched,
        "hd95_matched_mm": hd95_mm,
        "paper_hd95_mm": paper.hd95_mm,
        "difference_hd95_mm": _difference(hd95_mm, paper.hd95_mm, 2) if _enough(n_matched, needed) else None,
        "hd95_pooled_matched_mm": ours.get("hd95_pooled_matched_mm"),
    }


def _enough(n: Any, needed: int) -> bool:
    return isinstance(n, int) and n >= needed


def _difference(ours: float | None, paper: float, digits: int) -> float | None:
    """Return the difference of the numbers as they are printed."""
    return None if ours is None else round(round(ours, digits) - paper, digits)


def _lacking(means: Mapping[str, Any]) -> str:
    all_labels = len(VERTEBRAE)
    lacking = [
        f"{metric} is over {n} of {all_labels} labels"
        for metric, n in (("DSC", means["n"]), ("HD95", means["n_matched"]))
        if isinstance(n, int) and n < all_labels
    ]
    unknown = "" if isinstance(means["n_matched"], int) else "over how many labels HD95 of matched is, is not told"
    parts = [*lacking, *([unknown] if unknown else [])]
    return f"No Δ of Mean of Vertebrae where labels lack: {', '.join(parts)}." if parts else ""


def _count(n: Any) -> str:
    return _DASH if n is None else str(n)


def _number(value: float | None, digits: int) -> str:
    return _DASH if value is None else f"{value:.{digits}f}"


def _signed(value: float | None, digits: int) -> str:
    """Return a difference with its sign; a difference of nothing has none."""
    if value is None:
        return _DASH
    return f"{value:+.{digits}f}".replace("-", "−") if value else f"{0:.{digits}f}"
