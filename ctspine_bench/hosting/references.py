"""Where the organizers' references of a test set lie, and that they are those of this test set and of no other."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ctspine_bench.errors import CaseError
from ctspine_bench.files import sha256_of
from ctspine_bench.pairing import plan_cases
from ctspine_bench.provenance import digest_of_files
from ctspine_bench.testsets import OFFICIAL, PHANTOM, official
from ctspine_bench.volumes import read_labels

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ctspine_bench.cases import CaseFile
    from ctspine_bench.pairing import Plan
    from ctspine_bench.testsets import TestSet

_DESCRIPTION = "phantom.json"


def reference_folder(references: Path, test_set: TestSet) -> Path:
    """Return the folder with the references of a test set; whether it exists is for whoever reads it.

    `references/<name>/labels`, else `references/<name>`; the name of a phantom test set also without "phantom-". Those
    of an official test set may lie in `references` itself, as its cases are known by name.
    """
    short = test_set.name.removeprefix("phantom-")
    for name in dict.fromkeys((test_set.name, short)):
        for folder in (references / name / "labels", references / name):
            if folder.is_dir():
                return folder
    return references / short if test_set.name in PHANTOM else references


def plan_references(
    test_set: TestSet, predictions: Mapping[str, CaseFile], references: Path, *, inputs: str = ""
) -> Plan:
    """Match predictions with the references of a test set.

    Args:
        test_set: Which test set.
        predictions: Case id → prediction.
        references: Folder with the references of all test sets.
        inputs: What the plan is about, for people.

    Raises:
        CaseError: `E_MISSING_REFERENCE`: there are none, or those of another test set; E_NO_CASES, E_DUPLICATE_CASE.
        FileError: E_NOT_FOUND.
    """
    plan = plan_cases(predictions, reference_folder(references, test_set), test_set, inputs=inputs)
    _check_cases(plan, references)
    return plan


def _check_cases(plan: Plan, references: Path) -> None:
    """Refuse to score a test set on the references of another: what is published of it would follow the wrong rules."""
    test_set = plan.test_set
    cases = {pair.reference.case_id for pair in plan.pairs}
    if test_set.name in PHANTOM:
        described = _phantom_cases(references, test_set)
        if cases != described:
            found = (
                f"{len(cases - described)} that {_DESCRIPTION} does not list, and {len(described - cases)} are missing"
            )
            raise _wrong_references(test_set, found)
    for name in OFFICIAL:
        listed = set(official(name).cases or ()) if name != test_set.name else set()
        if cases & listed:
            raise _wrong_references(test_set, f"{len(cases & listed)} cases of the {official(name).title}")


def _phantom_cases(references: Path, test_set: TestSet) -> set[str]:
    try:
        cases: dict[str, dict[str, Any]] = json.loads((references / _DESCRIPTION).read_bytes())["cases"]
        return {case_id for case_id, case in cases.items() if f"phantom-{case['test_set']}" == test_set.name}
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        raise _wrong_references(test_set, f"no phantom benchmark: no {_DESCRIPTION} that can be read") from None


def _wrong_references(test_set: TestSet, found: str) -> CaseError:
    return CaseError(
        "E_MISSING_REFERENCE",
        None,
        expected=f"references of all cases of the test set {test_set.name} and of no other",
        found=found,
        advice=f"Give the folder that has {test_set.name.removeprefix('phantom-')}/labels in it.",
    )


def digest_of_references(plan: Plan) -> str:
    """Return the digest of the references in a plan: that which provenance has of them when they could all be read."""
    return digest_of_files((pair.reference.case_id, _digest_of(pair.reference.path)) for pair in plan.pairs)


def _digest_of(path: Path) -> str:
    return read_labels(path).sha256 if path.is_dir() else sha256_of(path)
