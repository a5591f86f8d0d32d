"""One test set by what its cases and vertebrae have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from ctspine_bench.aggregate import SLICE_SPACING_STRATA
from ctspine_bench.domain_gap.means import Estimate, estimate
from ctspine_bench.rankings.paired import AT_BORDER, REGIONS
from ctspine_bench.testsets import SOURCES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from ctspine_bench.rankings.paired import PairedScores

DIMENSIONS: Final = {
    "source": "Source",
    "region": "Region",
    "spacing": "Slice spacing",
    "transitional": "Transitional anatomy",
    "cut": "Field of view",
}
"""What strata are by, with the title for people."""


@dataclass(frozen=True)
class Stratum:
    """Some vertebrae of a test set.

    Attributes:
        dimension: One of `DIMENSIONS`.
        name: Which part of it.
        estimate: Mean DSC over them, and how many there are.
    """

    dimension: str
    name: str
    estimate: Estimate


def strata(paired: PairedScores, slug: str) -> tuple[Stratum, ...]:
    """Return the strata of a test set that have a reference vertebra, with the scores of a submission."""
    found = [Stratum(dimension, name, estimate(paired, slug, rows)) for dimension, name, rows in _parts(paired, slug)]
    return tuple(stratum for stratum in found if stratum.estimate.n_vertebrae)


def _parts(paired: PairedScores, slug: str) -> Iterator[tuple[str, str, NDArray[np.bool_]]]:
    vertebrae = paired.vertebrae
    sources = np.array(vertebrae.sources, object)
    known = [source for source in SOURCES if source in vertebrae.sources]
    others = sorted(set(vertebrae.sources) - set(known))
    for source in (*known, *others):
        yield "source", source or "unknown", (sources == source)[vertebrae.case]
    for region, labels in REGIONS.items():
        if region != "all":
            yield "region", region, np.isin(vertebrae.label, list(labels))
    spacing_mm = np.round(vertebrae.slice_spacing_mm, 3)  # affines hold single precision
    for name, (low, high) in SLICE_SPACING_STRATA.items():
        yield "spacing", name, ((spacing_mm > low) & (spacing_mm <= high))[vertebrae.case]
    for name, flag in (("ordinary", False), ("L6, or ends at L4", True)):
        yield "transitional", name, (vertebrae.transitional == flag)[vertebrae.case]
    at_border = paired.measures[AT_BORDER][:, paired.slugs.index(slug)] > 0
    for name, flag in (("complete", False), ("cut", True)):
        yield "cut", name, (vertebrae.cut | at_border) == flag
