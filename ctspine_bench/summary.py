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
        n: How many masks (or labels) enter: those in the reference or in the prediction.
        dsc: Mean DSC, missed and spurious 0.
        hd95_mm: Mean HD95 with the official policy: capped at 100 mm, missed and spurious 100 mm.
        nsd_1mm: Mean NSD, missed and spurious 0; likewise 2 and 3 mm.
        n_reference: How many masks are in the reference (or labels in some reference).
        n_matched: How many masks are in both (or labels in both in some case); the means over these alone follow.
        hd95_matched_mm: Mean raw HD95.
        hd100_matched_mm: Mean Hausdorff distance.
        assd_matched_mm: Mean ASSD.
        hd95_pooled_matched_mm: Mean pooled HD95; `None` unless it was asked for.
    """

    n: int
    dsc: float | None
    hd95_mm: float | None
    nsd_1mm: float | None
    nsd_2mm: float | None
    nsd_3mm: float | None
    n_reference: int
    n_matched: int
    hd95_matched_mm: float | None
    hd100_matched_mm: float | None
    assd_matched_mm: float | None
    hd95_pooled_matched_mm: float | None


@dataclass(frozen=True)
class OfficialTable:
    """The table by the official rule. `labels` has all of C1 … L6; a label in neither volume is there with n = 0."""

    n_cases: int
    labels: Mapping[str, Means]
    mean_of_vertebrae: Means
    mean_of_vertebrae_without_l6: Means
    mean_of_spine: Means


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
    """How levels were named.

    Attributes:
        levels_right: Share of cases whose levels are all there, none spurious, and each found where it belongs.
        identification_rate: Mean over cases.
        verse_id_rate: Over all reference vertebrae, by the rule of VerSe's released evaluation code.
        localisation_mm: Mean over all `n_localised` vertebrae that are in both volumes under one name.
        n_localised: How many those are.
        dsc_unshifted: Mean over cases, after undoing the label shift.
        dsc_instance: Mean over cases, blind to names.
        panoptic_quality: Mean over cases, blind to names.
        label_shifts: Label shift → number of cases ("none": no overlap).
    """

    levels_right: float | None
    identification_rate: float | None
    verse_id_rate: float | None
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
    spurious: float | None


@dataclass(frozen=True)
class SharedLabels:
    """Two sources on the labels that the references of both have: means of the labels' means there.

    Attributes:
        sources: The two.
        labels: The labels, from the head down.
        dsc: Of each of the two.
        hd95_mm: Likewise.
    """

    sources: tuple[str, str]
    labels: tuple[str, ...]
    dsc: tuple[float, float]
    hd95_mm: tuple[float, float]


@dataclass(frozen=True)
class Sensitivity:
    """Mean HD95 in mm by what a missed or spurious mask counts: left out, 100 mm (official), the image diagonal."""

    excluded: float | None
    cap_100mm: float | None
    image_diagonal: float | None


@dataclass(frozen=True)
class Summary:
    """All aggregates of one test set.

    Attributes:
        counts: Matched, missed, spurious, failed.
        official: The table by the official rule.
        per_case: Metric → the mean over a case's vertebrae, then over cases.
        over_vertebrae: Metric → the mean over the vertebrae of all cases, in which frequent labels weigh more.
        identification: How levels were named.
        loss: Where DSC is lost.
        variants: Name → the table over some vertebrae alone (see `aggregate.VARIANTS`).
        without_reference: Label that no reference has → the cases whose prediction has it.
        sources: Source → its table.
        shared_labels: All pairs of sources that share a label.
        strata: Stratification → stratum → its table.
        sensitivity: Mean → under three policies.
    """

    counts: Counts
    official: OfficialTable
    per_case: Mapping[str, Estimate]
    over_vertebrae: Mapping[str, Estimate]
    identification: Naming
    loss: Losses
    variants: Mapping[str, OfficialTable]
    without_reference: Mapping[str, tuple[str, ...]]
    sources: Mapping[str, OfficialTable]
    shared_labels: tuple[SharedLabels, ...]
    strata: Mapping[str, Mapping[str, OfficialTable]]
    sensitivity: Mapping[str, Sensitivity]
