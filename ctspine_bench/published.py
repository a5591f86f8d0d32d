"""The published nnU-Net results: Table 2 of Deng et al., 2024, as printed.

Its DSC follows the official rule: `nnUNet_evaluate_folder … -l 1 … 25`, step 5 of the data set's own instructions,
takes each label over the cases that have it in reference or prediction, and counts what is missed or spurious as 0.
HD95 is over matched vertebrae alone; which HD95 it is, the paper does not say. On VerSe the authors later report 0.766
instead of 0.619 after annotating partly visible vertebrae in the 41 cases (repository note of 2021-07-05).
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from statistics import fmean
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

    @property
    def mean_without_l6(self) -> PublishedMeans:
        """The mean over the other 24 labels, which the paper does not print."""
        others = [means for name, means in self.labels.items() if name != "L6"]
        return PublishedMeans(fmean(each.dsc for each in others), fmean(each.hd95_mm for each in others))


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
