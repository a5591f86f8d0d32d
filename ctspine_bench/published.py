"""The published nnU-Net results: Table 2 of Deng et al., 2024, as printed.

The paper states neither how missing labels enter nor which HD95 it used; the `paper_inferred` table is the one to
compare with. On VerSe the authors later report 0.766 instead of 0.619 after annotating partly visible vertebrae in the
41 cases (repository note of 2021-07-05).
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from ctspine_bench.anatomy import VERTEBRAE

if TYPE_CHECKING:
    from collections.abc import Mapping

VERSE_REANNOTATED_DSC: Final = 0.766


@dataclass(frozen=True)
class PublishedMeans:
    """One cell pair of Table 2: DSC and HD95 in mm."""

    dsc: float
    hd95_mm: float


@dataclass(frozen=True)
class PublishedTable:
    """One test set's columns of Table 2."""

    labels: Mapping[str, PublishedMeans]
    mean_of_vertebrae: PublishedMeans
    mean_of_spine: PublishedMeans


@cache
def published_table(test_set: str) -> PublishedTable | None:
    """Return the published nnU-Net numbers of "public", "private" or "verse"; `None` for another test set."""
    with files("ctspine_bench").joinpath("manifests", "paper_table2.csv").open(encoding="utf-8") as file:
        rows = {row["row"]: row for row in csv.DictReader(file)}
    if f"{test_set}_dsc" not in rows["C1"]:
        return None
    means = {
        name: PublishedMeans(float(row[f"{test_set}_dsc"]), float(row[f"{test_set}_hd95_mm"]))
        for name, row in rows.items()
    }
    return PublishedTable(
        labels={name: means[name] for name in VERTEBRAE},
        mean_of_vertebrae=means["mean_of_vertebrae"],
        mean_of_spine=means["mean_of_spine"],
    )
