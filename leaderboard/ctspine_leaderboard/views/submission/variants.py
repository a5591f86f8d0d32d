"""The table of a submission by the official rule and in its variants, as far as its record tells them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from ctspine_bench.anatomy import VERTEBRAE
from ctspine_bench.report.variants import TITLES, VARIANTS, Variant
from ctspine_bench.testsets import named
from ctspine_leaderboard.tables import Cell, Column, Row, table
from ctspine_leaderboard.views.counts import n_of
from ctspine_leaderboard.views.test_sets import title

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from markupsafe import Markup

    from ctspine_bench.board import Entry

    Means = Mapping[str, Any]

_MEAN, _WITHOUT_L6, _SPINE = "mean_of_vertebrae", "mean_of_vertebrae_without_l6", "mean_of_spine"


def there(entry: Entry, test_sets: Sequence[str]) -> tuple[Variant, ...]:
    """Return the variants that a record tells on some test set; the official table is always among them."""
    if entry.declaration and entry.declaration.kind == "published":
        return ("official",)
    return tuple(
        variant
        for variant in VARIANTS
        if variant == "official" or any(_is_told(entry, name, variant) for name in test_sets)
    )


def words(variant: Variant) -> str:
    """Return what a variant is, for a list of them."""
    found = TITLES[variant].partition(": ")[2] or "by the official rule"
    return found[0].upper() + found[1:]


def means_of(entry: Entry, test_set: str, variant: Variant = "official") -> dict[str, Means]:
    """Return label, or key of a mean → n, DSC, HD95 and where that differs from n `n_matched`; empty if not told."""
    results = entry.on(test_set)
    if not results:
        return {}
    part = results if variant in {"official", "hd95-matched", "without-l6"} else _part(results, variant)
    found: dict[str, Means] = {
        **{name: part.get("labels", {}).get(name, {}) for name in VERTEBRAE},
        **{key: part.get(key, {}) for key in (_MEAN, _WITHOUT_L6, _SPINE)},
    }
    if variant == "without-l6":
        del found["L6"]
        found[_MEAN] = found.pop(_WITHOUT_L6)
    if variant == "hd95-matched":
        found = {key: {**means, "hd95_mm": means.get("hd95_matched_mm")} for key, means in found.items()}
    return found


def summary_table(entry: Entry, test_sets: Sequence[str]) -> Markup:
    """Return Mean of Vertebrae by the official rule and in each variant, for people."""
    columns = [Column("Mean of Vertebrae", align="left", wide=True)]
    for name in test_sets:
        columns += [Column("n", "labels"), Column(title(named(name)), "DSC / HD95 mm")]
    rows = [
        Row((Cell(words(variant)), *(cell for name in test_sets for cell in _cells(entry, name, variant))))
        for variant in there(entry, test_sets)
    ]
    return table(columns, rows, f"{entry.name}: Mean of Vertebrae and its variants")


def data(entry: Entry, test_sets: Sequence[str]) -> pd.DataFrame:
    """Return the means of all variants but the official table, one row for each label or mean and test set."""
    rows = [
        {
            "variant": variant,
            "row": key,
            "test_set": name,
            "n": means.get("n_matched") if variant == "hd95-matched" else n_of(means),
            "dsc": None if variant == "hd95-matched" else means.get("dsc"),
            "hd95_mm": means.get("hd95_mm"),
        }
        for variant in there(entry, test_sets)
        if variant != "official"
        for name in test_sets
        for key, means in means_of(entry, name, variant).items()
        if means
    ]
    return pd.DataFrame(rows, columns=["variant", "row", "test_set", "n", "dsc", "hd95_mm"])


def _cells(entry: Entry, test_set: str, variant: Variant) -> tuple[Cell, Cell]:
    means = means_of(entry, test_set, variant).get(_MEAN, {}) if _is_told(entry, test_set, variant) else {}
    dsc = None if variant == "hd95-matched" else means.get("dsc")
    hd95_mm = means.get("hd95_mm")
    n = means.get("n_matched") if variant == "hd95-matched" else n_of(means)
    if dsc is None and hd95_mm is None:
        return Cell("–"), Cell("–")
    told = ("–" if dsc is None else f"{dsc:.3f}", "–" if hd95_mm is None else f"{hd95_mm:.2f}")
    return Cell("–" if n is None else str(n)), Cell(" / ".join(told))


def _is_told(entry: Entry, test_set: str, variant: Variant) -> bool:
    mean = means_of(entry, test_set, variant).get(_MEAN, {})
    # Its DSC is that of the official table.
    names = ("hd95_mm",) if variant == "hd95-matched" else ("dsc", "hd95_mm")
    return any(mean.get(name) is not None for name in names)


def _part(results: Mapping[str, Any], variant: Variant) -> Mapping[str, Any]:
    found: Mapping[str, Any] = results.get("variants", {}).get(variant.replace("-", "_"), {})
    return found
