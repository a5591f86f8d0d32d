"""Which prediction goes with which reference of a test set."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ctspine_bench.cases import CaseFile, case_id_of, find_cases
from ctspine_bench.errors import CaseError, UsageError
from ctspine_bench.testsets import custom, source_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ctspine_bench.testsets import TestSet


@dataclass(frozen=True)
class Pair:
    """One case to score; the prediction is `None` when there is none."""

    reference: CaseFile
    prediction: CaseFile | None


@dataclass(frozen=True)
class Plan:
    """What is to be scored: the pairs, and the names on either side that found no partner."""

    test_set: TestSet
    pairs: tuple[Pair, ...]
    ignored_predictions: tuple[str, ...]
    ignored_references: int


def plan_submission(predictions: Path | str, references: Path | str, test_set: TestSet | None = None) -> Plan:
    """Match predictions with the references of a test set, reading nothing but folders."""
    test_set = test_set or custom()
    predictions, references = Path(predictions), Path(references)
    if references.is_file():
        return _plan_single(predictions, references, test_set)
    if predictions.is_file():
        raise UsageError(f"expected a folder of predictions, as {references} is a folder; found the file {predictions}")
    found = find_cases(references)
    selected = select(test_set, found)
    for reference in selected.values():
        reference.check_single()
    predicted = find_cases(predictions)
    return Plan(
        test_set=test_set,
        pairs=tuple(Pair(reference, predicted.get(case_id)) for case_id, reference in selected.items()),
        ignored_predictions=tuple(case_id for case_id in predicted if case_id not in selected),
        ignored_references=len(found) - len(selected),
    )


def _plan_single(prediction: Path, reference: Path, test_set: TestSet) -> Plan:
    if test_set.cases is not None:
        raise UsageError(f"expected a folder with the references of the {test_set.title}, found the file {reference}")
    case_id = case_id_of(reference)
    source = source_of(case_id)
    pair = Pair(CaseFile(case_id, reference, source), CaseFile(case_id, prediction, source))
    return Plan(test_set, (pair,), (), 0)


def select(test_set: TestSet, references: Mapping[str, CaseFile]) -> dict[str, CaseFile]:
    """Return the references of the cases of a test set; all of them if the set has no list of cases.

    Raises:
        CaseError: `E_MISSING_REFERENCE` when a listed case has no reference.
    """
    if test_set.cases is None:
        return dict(references)
    missing = [case_id for case_id in test_set.cases if case_id not in references]
    if missing:
        named = ", ".join(missing[:5]) + (", …" if len(missing) > 5 else "")
        raise CaseError(
            "E_MISSING_REFERENCE",
            None,
            expected=f"references of all {len(test_set.cases)} cases of the {test_set.title}",
            found=f"{len(missing)} cases without one: {named}",
            advice="Give the folder with the labels of the whole data set; files of other cases do no harm there.",
        )
    return {case_id: references[case_id] for case_id in test_set.cases}
