"""Case results with chosen numbers, for the tests of aggregation and tables."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ctspine_bench.anatomy import vertebra_label
from ctspine_bench.records import CaseResult, CaseScore, Failure, Identification, VertebraScore

if TYPE_CHECKING:
    from ctspine_bench.records import Status


def mask(
    name: str, dsc: float | None = None, hd95_mm: float | None = None, *, spurious: bool = False, cut: bool = False
) -> VertebraScore:
    """A vertebra (or `"spine"`): matched with a DSC and an HD95, missed without an HD95, or spurious."""
    status: Status = "spurious" if spurious else "matched" if hd95_mm is not None else "missed"
    matched = status == "matched"
    score = 0.0 if status == "missed" else dsc
    return VertebraScore(
        label=0 if name == "spine" else vertebra_label(name),
        name=name,
        status=status,
        dsc=None if spurious else score,
        hd95_mm=hd95_mm,
        hd100_mm=2 * hd95_mm if matched else None,
        assd_mm=hd95_mm / 4 if matched else None,
        nsd_1mm=None if spurious else score,
        nsd_2mm=None if spurious else score,
        nsd_3mm=None if spurious else score,
        volume_error_ml=0.0,
        reference_ml=0.0 if spurious else 30.0,
        prediction_ml=0.0 if status == "missed" else 30.0,
        cut=None if spurious else cut,
        at_border=None if status == "missed" else cut,
        loss_identification=0.0 if name != "spine" and not spurious else None,
        loss_missed=float(not matched) if name != "spine" and not spurious else None,
        loss_boundary=(1 - score if matched else 0.0) if name != "spine" and not spurious else None,
    )


def missed(name: str, *, cut: bool = False) -> VertebraScore:
    """A missed vertebra."""
    return mask(name, cut=cut)


def spurious(name: str, *, at_border: bool = False) -> VertebraScore:
    """A spurious vertebra."""
    return mask(name, spurious=True, cut=at_border)


NO_NAMES = Identification(0, 0, None, None, 0, None, None, None, None)


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
