"""The case table → the numbers of the paper's table, and its variants.

Policies (docs/CORRECTNESS.md argues them): a missed vertebra counts as DSC 0, NSD 0 and HD95 100 mm; HD95 is capped at
100 mm; a spurious vertebra is counted but enters no official mean.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from ctspine_bench.anatomy import VERTEBRAE
from ctspine_bench.bootstrap import mean_interval
from ctspine_bench.summary import (
    Counts,
    Estimate,
    InferredMeans,
    InferredTable,
    Losses,
    Means,
    Naming,
    OfficialTable,
    Sensitivity,
    Summary,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

HD95_CAP_MM: Final = 100.0
POLICIES: Final = {
    "missed_dsc": 0.0,
    "missed_nsd": 0.0,
    "missed_hd95_mm": HD95_CAP_MM,
    "hd95_cap_mm": HD95_CAP_MM,
    "spurious": "counted, in no official mean",
    "mean_of_vertebrae": "plain mean of the per-label means",
    "mean_of_spine": "mean over cases",
    "failed_case": "every reference vertebra and the spine is missed",
}
SLICE_SPACING_STRATA: Final = {"≤ 1 mm": (0.0, 1.0), "1–2.5 mm": (1.0, 2.5), "> 2.5 mm": (2.5, np.inf)}

# Field of `Means` → column of the case table; `hd95_mm` gets its policy on top.
_MEANS_OF: Final = {
    "dsc": "dsc",
    "hd95_mm": "hd95_mm",
    "nsd_1mm": "nsd_1mm",
    "nsd_2mm": "nsd_2mm",
    "nsd_3mm": "nsd_3mm",
    "hd95_detected_mm": "hd95_mm",
    "hd100_detected_mm": "hd100_mm",
    "assd_detected_mm": "assd_mm",
    "hd95_pooled_detected_mm": "hd95_pooled_mm",
}
_NOTHING: Final = Means(n=0, n_detected=0, **dict.fromkeys(_MEANS_OF))


def summarise(table: pd.DataFrame) -> Summary:
    """Return all aggregates of the case table of one test set, whose references could all be read."""
    cases = table[table["row"] == "case"]
    vertebrae = table[(table["row"] == "vertebra") & table["cut"].notna()]
    slice_spacing_mm = cases["slice_spacing_mm"].round(3)  # affines hold single precision
    return Summary(
        counts=_counts(table),
        official=official_table(table),
        per_case=_per_case(table),
        identification=_naming(cases),
        loss=_losses(table),
        paper_inferred=inferred_table(table),
        field_of_view={
            "complete": official_table(vertebrae[~vertebrae["cut"].astype(bool)]),
            "cut": official_table(vertebrae[vertebrae["cut"].astype(bool)]),
        },
        sources={str(source): official_table(rows) for source, rows in table.groupby("source", sort=True)},
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
    """Return the paper's table: per label over the cases whose reference has it, spine over cases."""
    rows = table[table["status"].isin(["matched", "missed"])]
    measures = pd.DataFrame({name: _numbers(rows[column]) for name, column in _MEANS_OF.items()}, index=rows.index)
    measures["hd95_mm"] = official_hd95_mm(rows)
    groups = measures.groupby(rows["vertebra"].to_numpy(dtype=object))
    sizes, detected = groups.size(), groups["hd95_detected_mm"].count()
    by_name = {
        name: Means(
            n=int(sizes[name]),
            n_detected=int(detected[name]),
            **{field: None if np.isnan(mean) else float(mean) for field, mean in zip(_MEANS_OF, row, strict=True)},
        )
        for name, *row in groups.mean().itertuples(name=None)
    }
    labels = {name: by_name.get(name, _NOTHING) for name in VERTEBRAE}
    return OfficialTable(
        n_cases=int(table["case_id"].nunique()),
        labels=labels,
        mean_of_vertebrae=_mean_of_labels(labels.values()),
        mean_of_vertebrae_without_l6=_mean_of_labels(means for name, means in labels.items() if name != "L6"),
        mean_of_spine=by_name.get("spine", _NOTHING),
    )


def inferred_table(table: pd.DataFrame) -> InferredTable:
    """Return the table by the rule that the paper's numbers point to; docs/CORRECTNESS.md has the evidence."""
    vertebrae = table[table["row"] == "vertebra"]
    by_label = dict(tuple(vertebrae.groupby("vertebra")))
    labels = {name: _inferred_means(by_label.get(name, vertebrae[:0])) for name in VERTEBRAE}
    return InferredTable(
        labels=labels,
        mean_of_vertebrae=mean_of_inferred(labels.values()),
        mean_of_vertebrae_without_l6=mean_of_inferred(means for name, means in labels.items() if name != "L6"),
        mean_of_spine=_inferred_means(table[table["row"] == "spine"]),
    )


def official_hd95_mm(rows: pd.DataFrame) -> NDArray[np.float64]:
    """Return the HD95 of matched and missed masks under the official policy: missed 100 mm, capped at 100 mm."""
    return np.fmin(_numbers(rows["hd95_mm"]), HD95_CAP_MM)


def _numbers(column: pd.Series) -> NDArray[np.float64]:
    """Return a column as floats, empty cells as NaN."""
    return column.to_numpy(dtype=np.float64, na_value=np.nan)


def _mean(values: Iterable[float | None] | NDArray[np.float64]) -> float | None:
    """Return the mean of the values that are there; `None` when there is none."""
    there = [value for value in values if value is not None and not np.isnan(value)]
    return float(np.mean(there)) if there else None


def _mean_of_labels(labels: Iterable[Means]) -> Means:
    """Return the plain mean of per-label means, over the labels that have any."""
    present = [means for means in labels if means.n]
    return Means(
        n=len(present),
        n_detected=sum(means.n_detected > 0 for means in present),
        **{name: _mean(getattr(means, name) for means in present) for name in _MEANS_OF},
    )


def _inferred_means(rows: pd.DataFrame) -> InferredMeans:
    dsc = np.nan_to_num(_numbers(rows["dsc"]))  # the DSC of a spurious mask is an empty cell
    return InferredMeans(len(rows), _mean(dsc), _mean(_numbers(rows["hd95_mm"])))


def mean_of_inferred(labels: Iterable[InferredMeans]) -> InferredMeans:
    """Return the plain mean of per-label means: the bottom row of the paper's Table 2, given its labels."""
    present = [means for means in labels if means.n]
    return InferredMeans(len(present), _mean(means.dsc for means in present), _mean(means.hd95_mm for means in present))


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


def _per_case(table: pd.DataFrame) -> dict[str, Estimate]:
    """Return means over cases of the mean over each case's reference vertebrae."""
    rows = table[(table["row"] == "vertebra") & table["status"].isin(["matched", "missed"])]
    rows = rows.assign(hd95_mm=official_hd95_mm(rows))
    metrics = ["dsc", "hd95_mm", "nsd_1mm", "nsd_2mm", "nsd_3mm"]
    means = rows.groupby("case_id")[metrics].mean()
    return {metric: estimate(_numbers(means[metric])) for metric in metrics}


def estimate(values: NDArray[np.float64]) -> Estimate:
    """Return the mean of one value for each case, with its interval."""
    low, high = mean_interval(values) or (None, None)
    return Estimate(values.size, _mean(values), low, high)


def _naming(cases: pd.DataFrame) -> Naming:
    shifts = cases["label_shift"].value_counts()
    with_reference = cases[cases["n_reference"] > 0]
    n_localised = int(cases["n_localised"].sum())
    return Naming(
        identification_rate=_mean(_numbers(cases["identification_rate"])),
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
    names = ["loss_identification", "loss_missed", "loss_boundary"]
    means = table[table["loss_missed"].notna()].groupby("case_id")[names].mean()
    return Losses(*(_mean(_numbers(means[name])) for name in names))


def _stratum(table: pd.DataFrame, cases: pd.DataFrame) -> OfficialTable:
    return official_table(table[table["case_id"].isin(cases["case_id"])])


def _sensitivity(table: pd.DataFrame) -> dict[str, Sensitivity]:
    rows = table[table["status"].isin(["matched", "missed"])]
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
