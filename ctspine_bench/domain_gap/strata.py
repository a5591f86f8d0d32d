"""One test set by what its cases and vertebrae have in common."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np

from ctspine_bench.aggregate import SLICE_SPACING_STRATA
from ctspine_bench.bootstrap import DRAWS
from ctspine_bench.domain_gap.means import Choices, Estimate, choices_of, estimates
from ctspine_bench.rankings.paired import REGIONS
from ctspine_bench.testsets import SOURCES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from ctspine_bench.rankings.paired import PairedScores, ReferenceVertebrae

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


def strata(paired: PairedScores, slug: str, draws: int = DRAWS) -> tuple[Stratum, ...]:
    """Return the strata of a test set that have a vertebra, with the scores of a submission."""
    names, choices = _strata(paired.reference, draws)
    found = estimates(paired, slug, choices)
    return tuple(Stratum(dimension, name, each) for (dimension, name), each in zip(names, found, strict=True))


@lru_cache(maxsize=4)
def _strata(reference: ReferenceVertebrae, draws: int) -> tuple[tuple[tuple[str, str], ...], Choices]:
    """Return dimension and name of each stratum, and which vertebrae are in it: the same for all submissions."""
    parts = [part for part in _parts(reference) if part[2].any()]
    names = tuple((dimension, name) for dimension, name, _ in parts)
    return names, choices_of(reference, [rows for *_, rows in parts], draws)


def _parts(reference: ReferenceVertebrae) -> Iterator[tuple[str, str, NDArray[np.bool_]]]:
    sources = np.array(reference.sources, object)
    known = [source for source in SOURCES if source in reference.sources]
    others = sorted(set(reference.sources) - set(known))
    for source in (*known, *others):
        yield "source", source or "unknown", (sources == source)[reference.case]
    for region, labels in REGIONS.items():
        if region != "all":
            yield "region", region, np.isin(reference.label, list(labels))
    spacing_mm = np.round(reference.slice_spacing_mm, 3)  # affines hold single precision
    for name, (low, high) in SLICE_SPACING_STRATA.items():
        yield "spacing", name, ((spacing_mm > low) & (spacing_mm <= high))[reference.case]
    for name, flag in (("ordinary", False), ("L6, or ends at L4", True)):
        yield "transitional", name, (reference.transitional == flag)[reference.case]
    for name, flag in (("complete", False), ("cut", True)):
        yield "cut", name, reference.cut == flag
