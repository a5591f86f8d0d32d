"""What is published of a private test set beside its tables: means over cases, naming, losses, counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from ctspine_bench.aggregate import HD95_CAP_MM, LOSS_COLUMNS, METRIC_COLUMNS, scored_vertebrae
from ctspine_bench.hosting.disclosure.suppression import (
    Measure,
    count,
    few,
    hidden_cells,
    in_fives,
    rounded,
    share_of_cases,
    tells_no_case,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ctspine_bench.summary import Summary

_SAME: Final = 1e-9
"""Numbers of one case that differ by less are the same but for rounding."""

_STATUSES: Final = ("matched", "missed", "spurious")
_WHICH: Final = ("", "_of_reference")


def case_means(table: pd.DataFrame) -> pd.DataFrame:
    """One row for each case with a reference vertebra: means over its vertebrae, what its naming got, its losses.

    Spurious vertebrae are in the means, as the official rule has it; in the columns that end in `_of_reference` they
    are not. A case with nothing but spurious ones has no row: all of its means are known, and it protects nobody.
    """
    rows = scored_vertebrae(table)
    in_reference = rows[rows["status"] != "spurious"]
    of_either = rows.groupby("case_id")[[*METRIC_COLUMNS, *LOSS_COLUMNS]].mean()
    of_reference = in_reference.groupby("case_id")[["dsc", "loss_identification"]].mean().add_suffix("_of_reference")
    naming = ["identification_rate", "localisation_mm", "n_localised", "dsc_unshifted", "dsc_instance"]
    of_case = table[table["row"] == "case"].set_index("case_id")[[*naming, "panoptic_quality"]]
    found = of_reference.join([of_either, of_case])
    return found.astype(float).reset_index().assign(weight=1.0)


def _known(name: str) -> float:
    """What a case gets in which nothing is found."""
    return {"hd95_mm": HD95_CAP_MM, "loss_missed": 1.0}.get(name, 0.0)


def _digits(name: str) -> int:
    return 2 if name.endswith("_mm") else 3


def _told(cases: pd.DataFrame, name: str) -> bool:
    return tells_no_case(cases[cases[name].notna()], Measure(name, _digits(name), _known(name)))


def public_estimates(summary: Summary, cases: pd.DataFrame, table: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """Return the means over cases with their intervals; n is how many have a reference vertebra."""
    return {
        name: {
            "n_reference": share_of_cases(len(cases), table),
            **{
                part: rounded(value, _digits(name)) if _told(cases, name) else None
                for part, value in (("mean", estimate.mean), ("low", estimate.low), ("high", estimate.high))
            },
        }
        for name, estimate in summary.per_case.items()
    }


def public_losses(summary: Summary, cases: pd.DataFrame) -> dict[str, float | None]:
    """Return the parts of 1 − DSC, all or none; with the DSC per case, which they add up to."""
    parts = {
        "identification": summary.loss.identification,
        "missed": summary.loss.missed,
        "boundary": summary.loss.boundary,
        "spurious": summary.loss.spurious,
    }
    in_few = [few(int((cases[f"loss_{name}"] > _SAME).sum())) for name in parts]
    told = _told(cases, "dsc") and all(_told(cases, f"loss_{name}") for name in parts) and not any(in_few)
    return {name: rounded(value, 3) if told else None for name, value in parts.items()}


def public_naming(
    summary: Summary, table: pd.DataFrame, cases: pd.DataFrame, losses: Mapping[str, float | None]
) -> dict[str, Any]:
    """Return the identification metrics; `losses` are those that are published."""
    naming = summary.identification
    localised = cases.assign(weight=cases["n_localised"])[cases["localisation_mm"].notna()]
    told = {
        "identification_rate": _told(cases, "identification_rate"),
        "localisation_mm": tells_no_case(localised, Measure("localisation_mm", _digits("localisation_mm"))),
    }
    # What a reader has already, and what may stand beside it: with all others it differs in no case or in many.
    # Without the spurious vertebrae too, of which a participant may know where they are.
    published = [cases[f"dsc{which}"] for which in _WHICH]
    if None not in losses.values():
        published += [cases[f"dsc{which}"] + cases[f"loss_identification{which}"] for which in _WHICH]
    for name in ("dsc_unshifted", "dsc_instance"):
        differing = [int((~((cases[name] - other).abs() <= _SAME)).sum()) for other in published]
        told[name] = _told(cases, name) and not any(map(few, differing))
        published += [cases[name]] if told[name] else []
    told["panoptic_quality"] = _told(cases, "panoptic_quality")
    return {
        "levels_right": _levels_right(table),
        **{name: rounded(getattr(naming, name), _digits(name)) if told[name] else None for name in told},
        "label_shifts": _label_shifts(naming.label_shifts, table),
    }


def _levels_right(table: pd.DataFrame) -> float | None:
    """Return the share of cases in which every level is right, their number to the nearest five."""
    right = table.loc[table["row"] == "case", "levels_right"].dropna()
    n, n_right = len(right), int(right.sum())
    if n == 0 or few(n_right) or few(n - n_right):
        return None
    return rounded(min(in_fives(n_right), n) / n, 3)


def _label_shifts(shifts: Mapping[str, int], table: pd.DataFrame) -> dict[str, int | str | None]:
    # Made-up case ids: how many cases there are is all that matters to a count.
    cells = {shift: pd.DataFrame({"case_id": [f"{shift} {i}" for i in range(n)]}) for shift, n in shifts.items()}
    # Cases without any reference vertebra have no shift: the part of all cases that is not listed.
    cells[""] = pd.DataFrame({"case_id": range(table["case_id"].nunique() - sum(shifts.values()))})
    unsafe = {shift for shift, rows in cells.items() if few(len(rows))}
    hidden = hidden_cells(cells, unsafe, lambda rows: not few(len(rows)))
    return {shift: count(in_fives(n), n, hidden=shift in hidden) for shift, n in shifts.items()}


def public_counts(summary: Summary, table: pd.DataFrame) -> dict[str, Any]:
    """Return the counts of events in fives; those of few cases are not told, however many there are in each."""
    counts = summary.counts
    vertebrae = table[table["row"] == "vertebra"]
    in_cases = {status: vertebrae.loc[vertebrae["status"] == status, "case_id"].nunique() for status in _STATUSES}
    spurious = vertebrae[vertebrae["status"] == "spurious"]
    at_border = spurious["at_border"].fillna(value=False).astype(bool)
    border, inside = (spurious.loc[where, "case_id"].nunique() for where in (at_border, ~at_border))
    pair_hidden = few(in_cases["matched"]) or few(in_cases["missed"])
    volumes = pd.DataFrame(
        {"case_id": spurious["case_id"], "ml": spurious["prediction_ml"].astype(float), "weight": 1.0}
    )
    volume_told = not len(volumes) or tells_no_case(volumes, Measure("ml", 1))
    return {
        "matched": count(in_fives(counts.matched), in_cases["matched"], hidden=pair_hidden),
        "missed": count(in_fives(counts.missed), in_cases["missed"], hidden=pair_hidden),
        "spurious": count(in_fives(counts.spurious), in_cases["spurious"]),
        "spurious_at_border": None
        if few(in_cases["spurious"]) or few(inside)
        else count(in_fives(counts.spurious_at_border), border),
        "spurious_ml": float(in_fives(counts.spurious_ml)) if volume_told else None,
        "failed": counts.failed,  # the archive's doing, and each failure of it is listed
    }
