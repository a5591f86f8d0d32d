"""Scores made by hand: the numbers of every cell follow from what is written here."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

from ctspine_bench.aggregate import summarise
from ctspine_bench.anatomy import vertebra_label
from ctspine_bench.evaluate import SubmissionScore
from ctspine_bench.provenance import Settings
from ctspine_bench.records import CaseResult, CaseScore, Failure, Identification, VertebraScore
from ctspine_bench.tables import case_table
from ctspine_bench.testsets import TestSet, custom, official

if TYPE_CHECKING:
    from collections.abc import Sequence

HOSTILE = "<script>alert(1)</script>[red]|&_=cmd"


def vertebra(name: str, dsc: float | None, hd95_mm: float | None, **changes: object) -> VertebraScore:
    """A vertebra, or the spine: missed without HD95, spurious without DSC either, which then is 0."""
    status = "matched" if hd95_mm is not None else "spurious" if dsc is None else "missed"
    matched = status == "matched"
    is_vertebra = name != "spine"
    dsc = dsc or 0.0
    values = {
        "label": 0 if name == "spine" else vertebra_label(name),
        "name": name,
        "status": status,
        "dsc": dsc,
        "hd95_mm": hd95_mm,
        "hd100_mm": hd95_mm,
        "assd_mm": hd95_mm,
        **dict.fromkeys(("nsd_1mm", "nsd_2mm", "nsd_3mm"), dsc),
        "volume_error_ml": 0.0,
        "reference_ml": 0.0 if status == "spurious" else 10.0,
        "prediction_ml": 0.0 if status == "missed" else 10.0,
        "cut": None if status == "spurious" else False,
        "at_border": None if status == "missed" else False,
        "predicted_as": vertebra_label(name) if is_vertebra and matched else None,
        "loss_identification": 0.0 if is_vertebra else None,
        "loss_missed": float(status == "missed") if is_vertebra else None,
        "loss_boundary": (1.0 - dsc if matched else 0.0) if is_vertebra else None,
        "loss_spurious": float(status == "spurious") if is_vertebra else None,
    }
    return VertebraScore(**(values | changes))


def case(case_id: str, *vertebrae: VertebraScore, source: str | None = "MSD-T10", failure: str = "") -> CaseResult:
    """A case with a spine of DSC 0.9 and HD95 2 mm; `failure` is the text of a prediction that was refused."""
    in_reference = [each for each in vertebrae if each.status != "spurious"]
    identification = Identification(
        n_reference=len(in_reference),
        n_prediction=sum(each.status != "missed" for each in vertebrae),
        identification_rate=0.5 if in_reference else None,
        n_verse_hits=1 if in_reference else 0,
        levels_right=False if vertebrae else None,
        localisation_mm=1.5,
        n_localised=1,
        label_shift=-1,
        dsc_unshifted=0.7,
        dsc_instance=0.8,
        panoptic_quality=0.6,
    )
    spine = vertebra("spine", 0.9, 2.0)
    score = CaseScore(tuple(vertebrae), spine, identification, 1.0, 500.0, transitional=False)
    refused = Failure("E_TRUNCATED", "prediction", failure) if failure else None
    return CaseResult(case_id, source, score, refused, (), "0" * 64, None if failure else "1" * 64)


def submission(
    results: Sequence[CaseResult], test_set: TestSet | None = None, ignored: tuple[str, ...] = ()
) -> SubmissionScore:
    """The score of a submission with those cases."""
    test_set = test_set or custom()
    table = case_table(results, test_set.name)
    readable = all(result.score for result in results)
    return SubmissionScore(
        test_set, tuple(results), table, summarise(table) if readable else None, ignored, 0, Settings()
    )


def completed(name: str, *results: CaseResult, pooled: bool = False) -> SubmissionScore:
    """A submission on an official test set that is complete with those cases."""
    test_set = replace(official(name), expected_count=len(results))
    return replace(submission(results, test_set), settings=Settings(pooled=pooled))


def unreadable_reference() -> SubmissionScore:
    """A submission on a test set with a broken reference."""
    failure = Failure("E_CORRUPT", "reference", "E_CORRUPT: the reference is broken")
    return submission([case("good", vertebra("L1", 0.9, 1.0)), CaseResult("bad", None, None, failure, (), None, None)])


@cache
def eventful() -> SubmissionScore:
    """A submission with matched, missed, spurious and failed, and strangers' names that try to break out."""
    return submission(
        [
            case(
                "liver_1",
                vertebra("T12", 0.9, 1.0),
                vertebra("L1", 0.8, 3.0),
                vertebra("L2", 0.0, None),
                vertebra("L6", None, None),
                vertebra("C1", None, None, at_border=True),
            ),
            case("liver_2", vertebra("T12", 0.7, 250.0), vertebra("L1", 0.6, 5.0, cut=True)),
            case(HOSTILE, vertebra("T12", 0.0, None), source=HOSTILE, failure=f"E_TRUNCATED: {HOSTILE}"),
        ],
        TestSet(name=HOSTILE, title=HOSTILE, cases=None, expected_count=None, note=HOSTILE),
        ignored=(HOSTILE,),
    )
