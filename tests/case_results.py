"""Case results with chosen numbers, for the tests of aggregation and tables."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ctspine_bench.anatomy import vertebra_label
from ctspine_bench.records import CaseResult, CaseScore, Failure, Identification, VertebraScore

if TYPE_CHECKING:
    from ctspine_bench.records import Status


def mask(
    name: str,
    dsc: float | None = None,
    hd95_mm: float | None = None,
    *,
    spurious: bool = False,
    cut: bool = False,
    reference_ml: float = 30.0,
) -> VertebraScore:
    """A vertebra (or `"spine"`): matched with a DSC and an HD95, missed without an HD95, or spurious."""
    status: Status = "spurious" if spurious else "matched" if hd95_mm is not None else "missed"
    matched = status == "matched"
    score = dsc if matched else 0.0
    is_vertebra = name != "spine"
    return VertebraScore(
        label=vertebra_label(name) if is_vertebra else 0,
        name=name,
        status=status,
        dsc=score,
        hd95_mm=hd95_mm,
        hd100_mm=2 * hd95_mm if matched else None,
        assd_mm=hd95_mm / 4 if matched else None,
        nsd_1mm=score,
        nsd_2mm=score,
        nsd_3mm=score,
        volume_error_ml=0.0,
        reference_ml=0.0 if spurious else reference_ml,
        prediction_ml=0.0 if status == "missed" else 30.0,
        cut=None if spurious else cut,
        at_border=None if status == "missed" else cut,
        loss_identification=0.0 if is_vertebra else None,
        loss_missed=float(status == "missed") if is_vertebra else None,
        loss_boundary=(1 - score if matched else 0.0) if is_vertebra else None,
        loss_spurious=float(spurious) if is_vertebra else None,
    )


def missed(name: str, *, cut: bool = False) -> VertebraScore:
    """A missed vertebra."""
    return mask(name, cut=cut)


def spurious(name: str, *, at_border: bool = False) -> VertebraScore:
    """A spurious vertebra."""
    return mask(name, spurious=True, cut=at_border)


NO_NAMES = Identification(
    n_reference=0,
    n_prediction=0,
    identification_rate=None,
    n_verse_hits=0,
    levels_right=None,
    localisation_mm=None,
    n_localised=0,
    label_shift=None,
    dsc_unshifted=None,
    dsc_instance=None,
    panoptic_quality=None,
)


def case(
    case_id: str,
    *masks: VertebraScore,
    source: str | None = None,
    slice_spacing_mm: float = 1.0,
    diagonal_mm: float = 500.0,
    transitional: bool = False,
    names: Identification = NO_NAMES,
    failure: Failure | None = None,
) -> CaseResult:
    """A case from its vertebrae; a mask named spine becomes the spine."""
    vertebrae = tuple(m for m in masks if m.label)
    spine = next((m for m in masks if not m.label), None)
    in_reference = sum(v.status != "spurious" for v in vertebrae)
    names = replace(names, n_reference=in_reference) if names is NO_NAMES else names
    score = CaseScore(vertebrae, spine, names, slice_spacing_mm, diagonal_mm, transitional)
    return CaseResult(case_id, source, score, failure, (), "0" * 64, None if failure else "1" * 64)
