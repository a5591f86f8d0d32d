"""The case table → the numbers of the paper's table, and its variants.

The official rule (docs/CORRECTNESS.md argues it): each label over the cases that have it in the reference or in the
prediction; a missed and a spurious vertebra are DSC 0, NSD 0 and HD95 100 mm; HD95 is capped at 100 mm.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from ctspine_bench.anatomy import VERTEBRAE
from ctspine_bench.jackknife import SMALLEST_N, ratio_interval
from ctspine_bench.summary import (
    Counts,
    Estimate,
    Losses,
    Means,
    Naming,
    OfficialTable,
    Sensitivity,
    SharedLabels,
    Summary,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

HD95_CAP_MM: Final = 100.0
POLICIES: Final = {
    "labels": "over the cases that have the label in the reference or in the prediction",
    **{f"{what}_{metric}": 0.0 for what in ("missed", "spurious") for metric in ("dsc", "nsd")},
    **{f"{what}_hd95_mm": HD95_CAP_MM for what in ("missed", "spurious")},
    "hd95_cap_mm": HD95_CAP_MM,
    "mean_of_vertebrae": "plain mean of the per-label means",
    "mean_of_spine": "mean over cases",
    "failed_case": "every reference vertebra and the spine is missed",
}
SLICE_SPACING_STRATA: Final = {"≤ 1 mm": (0.0, 1.0), "1–2.5 mm": (1.0, 2.5), "> 2.5 mm": (2.5, np.inf)}
SLIVER_SHARE: Final = 0.1
"""A reference vertebra with less than this share of its level's median volume in the set is a sliver."""
VARIANTS: Final = {
    "complete": "complete vertebrae only",
    "cut": "only vertebrae that the field of view cuts",
    "border_forgiven": "spurious vertebrae where the field of view ends forgiven",
}
"""Variants of the table over some vertebrae alone, with what they are in words."""

METRIC_COLUMNS: Final = ("dsc", "hd95_mm", "nsd_1mm", "nsd_2mm", "nsd_3mm")
"""The columns that the official rule gives a value in every row; `hd95_mm` by `official_hd95_mm`."""
LOSS_COLUMNS: Final = ("loss_identification", "loss_missed", "loss_boundary", "loss_spurious")
"""The parts of 1 − DSC of a vertebra."""

# How many labels beyond those of a reference could be partly visible vertebrae that it leaves out.
_NEXT: Final = 2
# Field of `Means` → column of the case table; `hd95_mm` gets its policy on top.
_MEANS_OF: Final = {
    **{name: name for name in METRIC_COLUMNS},
    "hd95_matched_mm": "hd95_mm",
    "hd100_matched_mm": "hd100_mm",
    "assd_matched_mm": "assd_mm",
    "hd95_pooled_matched_mm": "hd95_pooled_mm",
}
_NOTHING: Final = Means(n=0, n_reference=0, n_matched=0, **dict.fromkeys(_MEANS_OF))


def summarise(table: pd.DataFrame) -> Summary:
    """Return all aggregates of the case table of one test set, whose references could all be read."""
    cases = table[table["row"] == "case"]
    official = official_table(table)
    sources = {str(source): official_table(rows) for source, rows in table.groupby("source", sort=True)}
    slice_spacing_mm = cases["slice_spacing_mm"].round(3)  # affines hold single precision
    of_cases = scored_vertebrae(table).groupby("case_id")[list(METRIC_COLUMNS)]
    n_of_cases, enough = _numbers(of_cases.size()), _enough(table)

    def estimates(sums: pd.DataFrame, n: NDArray[np.float64]) -> dict[str, Estimate]:
        return {name: estimate(_numbers(sums[name]), n, name, with_interval=enough) for name in METRIC_COLUMNS}

    return Summary(
        counts=_counts(table),
        official=official,
        per_case=estimates(of_cases.mean(), np.ones(len(n_of_cases))),
        over_vertebrae=estimates(of_cases.sum(), n_of_cases),
        identification=_naming(cases),
        loss=_losses(table),
        variants={name: official_table(variant_rows(table, name)) for name in VARIANTS},
        without_reference=_without_reference(table, official),
        sources=sources,
        shared_labels=_shared_labels(sources),
        strata={
            "slice_spacing": {
                name: _stratum(table, cases[slice_spacing_mm.between(low, high, inclusive="right")])
                for name, (low, high) in SLICE_SPACING_STRATA.items()
            },
            "transitional": {
                name: _stratum(table, cases[cases["transitional"] == flag])
                for name, flag in (("no", False), ("yes", True))
            },
        },
        sensitivity=_sensitivity(table),
    )


def official_table(table: pd.DataFrame) -> OfficialTable:
    """Return the table by the official rule: per label over the cases that have it in either volume."""
    rows = table[table["status"].notna()]
    measures = pd.DataFrame({name: _numbers(rows[column]) for name, column in _MEANS_OF.items()}, index=rows.index)
    measures["hd95_mm"] = official_hd95_mm(rows)
    names = rows["vertebra"].to_numpy(dtype=object)
    groups = measures.groupby(names)
    sizes, matched = groups.size(), groups["hd95_matched_mm"].count()
    in_reference = (rows["status"] != "spurious").astype(int).groupby(names).sum()
    by_name = {
        name: Means(
            n=int(sizes[name]),
            n_reference=int(in_reference[name]),
            n_matched=int(matched[name]),
            **{field: None if np.isnan(mean) else float(mean) for field, mean in zip(_MEANS_OF, row, strict=True)},
        )
        for name, *row in groups.mean().itertuples(name=None)
    }
    labels = {name: by_name.get(name, _NOTHING) for name in VERTEBRAE}
    return OfficialTable(
        n_cases=int(table["case_id"].nunique()),
        labels=labels,
        mean_of_vertebrae=mean_of_labels(labels.values()),
        mean_of_vertebrae_without_l6=mean_of_labels(means for name, means in labels.items() if name != "L6"),
        mean_of_spine=by_name.get("spine", _NOTHING),
    )


def variant_rows(table: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return the rows that a variant of the table is about, out of `VARIANTS`.

    A vertebra is cut when its reference touches the end of the field of view, a spurious one when its prediction does.
    What is forgiven could be a vertebra that the reference leaves out because it is only partly visible: it reaches the
    end, its label is one of the next two beyond those of the reference, and it is no larger than the largest of those.
    Slivers are neither complete nor cut: how they are outlined says nothing about a vertebra.
    """
    vertebrae = table[table["row"] == "vertebra"]
    spurious = vertebrae["status"] == "spurious"
    at_end = vertebrae["cut"].where(~spurious, vertebrae["at_border"]).astype(bool)
    if name == "border_forgiven":
        return table.drop(vertebrae.index[spurious & at_end & _could_be_left_out(vertebrae)])
    reference_ml = vertebrae["reference_ml"].where(~spurious)
    usual_ml = reference_ml.groupby(vertebrae["label"]).transform("median")
    sliver = (reference_ml < SLIVER_SHARE * usual_ml).fillna(value=False).astype(bool)
    return vertebrae[(at_end if name == "cut" else ~at_end) & ~sliver]


def _could_be_left_out(vertebrae: pd.DataFrame) -> pd.Series:
    """Return which rows go on from the labels of their case's reference, and are no larger than its vertebrae."""
    case_ids, of_references = vertebrae["case_id"], vertebrae[vertebrae["status"] != "spurious"].groupby("case_id")
    first, last = (case_ids.map(of_references["label"].agg(end)).astype("Float64") for end in ("min", "max"))
    largest_ml = case_ids.map(of_references["reference_ml"].max()).astype("Float64")
    next_to = vertebrae["label"].between(first - _NEXT, first - 1) | vertebrae["label"].between(last + 1, last + _NEXT)
    return (next_to & (vertebrae["prediction_ml"] <= largest_ml)).fillna(value=False).astype(bool)


def official_hd95_mm(rows: pd.DataFrame) -> NDArray[np.float64]:
    """Return the HD95 under the official policy: missed and spurious 100 mm, capped at 100 mm."""
    return np.fmin(_numbers(rows["hd95_mm"]), HD95_CAP_MM)


def _numbers(column: pd.Series) -> NDArray[np.float64]:
    """Return a column as floats, empty cells as NaN."""
    return column.to_numpy(dtype=np.float64, na_value=np.nan)


def _mean(values: Iterable[float | None] | NDArray[np.float64]) -> float | None:
    """Return the mean of the values that are there; `None` when there is none."""
    there = [value for value in values if value is not None and not np.isnan(value)]
    return float(np.mean(there)) if there else None


def mean_of_labels(labels: Iterable[Means]) -> Means:
    """Return the plain mean of per-label means, over the labels that have any."""
    present = [means for means in labels if means.n]
    return Means(
        n=len(present),
        n_reference=sum(means.n_reference > 0 for means in present),
        n_matched=sum(means.n_matched > 0 for means in present),
        **{name: _mean(getattr(means, name) for means in present) for name in _MEANS_OF},
    )


def _counts(table: pd.DataFrame) -> Counts:
    vertebrae = table[table["row"] == "vertebra"]
    status = vertebrae["status"].value_counts()
    spurious = vertebrae[vertebrae["status"] == "spurious"]
    return Counts(
        matched=int(status.get("matched", 0)),
        missed=int(status.get("missed", 0)),
        spurious=len(spurious),
        spurious_at_border=int(spurious["at_border"].sum()),
        spurious_ml=float(spurious["prediction_ml"].sum()),
        failed=int(table.loc[table["row"] == "case", "failure"].notna().sum()),
    )


def scored_vertebrae(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of all vertebrae, `METRIC_COLUMNS` by the official rule."""
    rows = table[table["row"] == "vertebra"]
    return rows.assign(hd95_mm=official_hd95_mm(rows))


def _enough(table: pd.DataFrame) -> bool:
    """Whether enough cases have a vertebra in their reference for intervals: predictions must not make them enough."""
    in_reference = (table["row"] == "vertebra") & (table["status"] != "spurious")
    return bool(table.loc[in_reference, "case_id"].nunique() >= SMALLEST_N)


def estimate(sums: NDArray[np.float64], n: NDArray[np.float64], metric: str, *, with_interval: bool = True) -> Estimate:
    """Return a mean over the vertebrae of cases, or over cases, with its interval.

    Args:
        sums: `(cases,)` the sum over each case.
        n: `(cases,)` over how many; 1 for a mean over cases.
        metric: Which metric it is of.
        with_interval: Whether there are cases enough for one.
    """
    bounds = (0.0, HD95_CAP_MM if metric == "hd95_mm" else 1.0)
    low, high = ratio_interval(sums, n, bounds) if with_interval else (None, None)
    return Estimate(sums.size, float(sums.sum() / n.sum()) if sums.size else None, low, high)


def _naming(cases: pd.DataFrame) -> Naming:
    shifts = cases["label_shift"].value_counts()
    with_reference = cases[cases["n_reference"] > 0]
    n_localised, n_reference = int(cases["n_localised"].sum()), int(with_reference["n_reference"].sum())
    return Naming(
        levels_right=_mean(_numbers(cases["levels_right"])),
        identification_rate=_mean(_numbers(cases["identification_rate"])),
        verse_id_rate=float(with_reference["n_verse_hits"].sum() / n_reference) if n_reference else None,
        localisation_mm=float((cases["localisation_mm"] * cases["n_localised"]).sum() / n_localised)
        if n_localised
        else None,
        n_localised=n_localised,
        dsc_unshifted=_mean(_numbers(cases["dsc_unshifted"])),
        dsc_instance=_mean(_numbers(cases["dsc_instance"])),
        panoptic_quality=_mean(_numbers(cases["panoptic_quality"])),
        label_shifts={
            **{f"{shift:+d}" if shift else "0": int(shifts.get(shift, 0)) for shift in range(-3, 4)},
            "none": int(with_reference["label_shift"].isna().sum()),
        },
    )


def _losses(table: pd.DataFrame) -> Losses:
    means = table[table["row"] == "vertebra"].groupby("case_id")[list(LOSS_COLUMNS)].mean()
    return Losses(*(_mean(_numbers(means[name])) for name in LOSS_COLUMNS))


def _without_reference(table: pd.DataFrame, official: OfficialTable) -> dict[str, tuple[str, ...]]:
    rows = table[table["row"] == "vertebra"]
    return {
        name: tuple(sorted(rows.loc[rows["vertebra"] == name, "case_id"].astype(str)))
        for name, means in official.labels.items()
        if means.n and not means.n_reference
    }


def _shared_labels(sources: dict[str, OfficialTable]) -> tuple[SharedLabels, ...]:
    """Return all pairs of sources on the labels that both have: means over other labels reverse orders."""
    found = []
    for one, other in combinations(sources, 2):
        tables = sources[one], sources[other]
        shared = tuple(name for name in VERTEBRAE if all(table.labels[name].n_reference for table in tables))
        if shared:
            first, second = (mean_of_labels(table.labels[name] for name in shared) for table in tables)
            dsc, hd95_mm = (first.dsc or 0.0, second.dsc or 0.0), (first.hd95_mm or 0.0, second.hd95_mm or 0.0)
            found.append(SharedLabels((one, other), shared, dsc, hd95_mm))
    return tuple(found)


def _stratum(table: pd.DataFrame, cases: pd.DataFrame) -> OfficialTable:
    return official_table(table[table["case_id"].isin(cases["case_id"])])


def _sensitivity(table: pd.DataFrame) -> dict[str, Sensitivity]:
    rows = table[table["status"].notna()]
    diagonal_mm = table[table["row"] == "case"].set_index("case_id")["diagonal_mm"]
    hd95_mm = _numbers(rows["hd95_mm"])
    rows = rows.assign(
        excluded=hd95_mm,
        cap_100mm=official_hd95_mm(rows),
        image_diagonal=np.where(np.isnan(hd95_mm), _numbers(rows["case_id"].map(diagonal_mm)), hd95_mm),
    )
    policies = ["excluded", "cap_100mm", "image_diagonal"]
    by_label = rows[rows["row"] == "vertebra"].groupby("vertebra")[policies].mean()
    spine = rows[rows["row"] == "spine"]
    return {
        "mean_of_vertebrae": Sensitivity(*(_mean(_numbers(by_label[policy])) for policy in policies)),
        "mean_of_spine": Sensitivity(*(_mean(_numbers(spine[policy])) for policy in policies)),
    }
