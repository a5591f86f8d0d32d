"""The aggregates of one test set: what `aggregate.summarise` returns and results.json holds.

A mean into which nothing enters is `None`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Means:
    """Means over some masks, or over the per-label means of some labels. `None` where nothing enters.

    Attributes:
        n: How many masks (or labels) enter.
        dsc: Mean DSC, missed 0.
        hd95_mm: Mean HD95 with the official policy: capped at 100 mm, missed 100 mm.
        nsd_1mm: Mean NSD, missed 0; likewise 2 and 3 mm.
        n_detected: How many masks (or labels) were matched at all; the means over these alone follow.
        hd95_detected_mm: Mean raw HD95.
        hd100_detected_mm: Mean Hausdorff distance.
        assd_detected_mm: Mean ASSD.
        hd95_pooled_detected_mm: Mean pooled HD95; `None` unless it was asked for.
    """

    n: int
    dsc: float | None
    hd95_mm: float | None
    nsd_1mm: float | None
    nsd_2mm: float | None
    nsd_3mm: float | None
    n_detected: int
    hd95_detected_mm: float | None
    hd100_detected_mm: float | None
    assd_detected_mm: float | None
    hd95_pooled_detected_mm: float | None


@dataclass(frozen=True)
class OfficialTable:
    """The paper's table. `labels` has all of C1 … L6; a label that no case has is there with n = 0."""

    n_cases: int
    labels: Mapping[str, Means]
    mean_of_vertebrae: Means
    mean_of_vertebrae_without_l6: Means
    mean_of_spine: Means


@dataclass(frozen=True)
class InferredMeans:
    """Means as the paper seems to have taken them: over cases with the label in either volume, a spurious one DSC 0."""

    n: int
    dsc: float | None
    hd95_mm: float | None


@dataclass(frozen=True)
class InferredTable:
    """The `paper_inferred` table: the only one to compare with published numbers."""

    labels: Mapping[str, InferredMeans]
    mean_of_vertebrae: InferredMeans
    mean_of_vertebrae_without_l6: InferredMeans
    mean_of_spine: InferredMeans


@dataclass(frozen=True)
class Estimate:
    """A mean over n cases with its 95 % interval, which is `None` under ten cases."""

    n: int
    mean: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Counts:
    """How many vertebrae were matched, missed and spurious, and how many cases failed.

    `spurious_ml` is the volume of the spurious ones in all. `spurious_at_border` are among them: predicted where the
    field of view ends, which annotations often leave out.
    """

    matched: int
    missed: int
    spurious: int
    spurious_at_border: int
    spurious_ml: float
    failed: int


@dataclass(frozen=True)
class Naming:
    """Identification metrics averaged over cases, and how many cases have which label shift ("none": no overlap).

    `localisation_mm` is the mean over all `n_localised` vertebrae that are in both volumes under one name.
    """

    identification_rate: float | None
    localisation_mm: float | None
    n_localised: int
    dsc_unshifted: float | None
    dsc_instance: float | None
    panoptic_quality: float | None
    label_shifts: Mapping[str, int]


@dataclass(frozen=True)
class Losses:
    """Parts of 1 − DSC, averaged over the vertebrae of a case, then over cases; they add up to 1 − per-case DSC."""

    identification: float | None
    missed: float | None
    boundary: float | None


@dataclass(frozen=True)
class Sensitivity:
    """Mean HD95 in mm under three policies for a missed mask: left out, 100 mm (official), the image diagonal."""

    excluded: float | None
    cap_100mm: float | None
    image_diagonal: float | None


@dataclass(frozen=True)
class Summary:
    """All aggregates of one test set; the official table is `official`."""

    counts: Counts
    official: OfficialTable
    per_case: Mapping[str, Estimate]
    identification: Naming
    loss: Losses
    paper_inferred: InferredTable
    field_of_view: Mapping[str, OfficialTable]
    sources: Mapping[str, OfficialTable]
    strata: Mapping[str, Mapping[str, OfficialTable]]
    sensitivity: Mapping[str, Sensitivity]
