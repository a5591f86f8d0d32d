"""Where a submission loses its score between two test sets, and among which cases: pure functions of paired scores.

The score here is the mean over the vertebrae of the references, in which a label weighs as often as they have it, not
Mean of Vertebrae: only so can the labels of a test set be told from how well they are segmented. `split` takes a gap
apart, `strata` looks within one test set.
"""

from __future__ import annotations

from ctspine_bench.domain_gap.means import Estimate, estimate
from ctspine_bench.domain_gap.split import (
    CAUSES,
    PARTS,
    GapSplit,
    LabelProfile,
    Part,
    gap_intervals,
    kitagawa,
    profile,
    published_profile,
    with_pooled_losses,
)
from ctspine_bench.domain_gap.strata import DIMENSIONS, Stratum, strata

__all__ = [
    "CAUSES",
    "DIMENSIONS",
    "PARTS",
    "Estimate",
    "GapSplit",
    "LabelProfile",
    "Part",
    "Stratum",
    "estimate",
    "gap_intervals",
    "kitagawa",
    "profile",
    "published_profile",
    "strata",
    "with_pooled_losses",
]
