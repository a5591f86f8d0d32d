"""Which prediction goes with which reference of a test set."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ctspine_bench.anatomy import TOTALSEGMENTATOR
from ctspine_bench.cases import CaseFile, case_id_of, find_cases
from ctspine_bench.errors import CaseError, UsageError
from ctspine_bench.testsets import SOURCES, custom, source_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from ctspine_bench.anatomy import LabelMap
    from ctspine_bench.testsets import TestSet


@dataclass(frozen=True)
class Pair:
    """One case to score; the prediction is `None` when there is none."""

    reference: CaseFile
    prediction: CaseFile | None


@dataclass(frozen=True)
class Plan:
    """What is to be scored: the pairs, the names on either side that found no partner, and where all this is."""

    test_set: TestSet
    pairs: tuple[Pair, ...]
    ignored_predictions: tuple[str, ...]
    n_ignored_references: int
    inputs: str


def plan_submission(
    predictions: Path | str,
    references: Path | str,
    test_set: TestSet | None = None,
    *,
    reference_label_map: LabelMap | None = None,
    prediction_label_map: LabelMap | None = None,
) -> Plan:
    """Match predictions with the references of a test set, reading nothing but folders.

    Args:
        predictions: Folder of predictions, or one file.
        references: Folder of references, or one file.
        test_set: Which cases count; by default all references found.
        reference_label_map: Names the masks by which a folder is known to be one case.
        prediction_label_map: Likewise.

    Raises:
        CaseError: E_MISSING_REFERENCE, E_NO_CASES, E_DUPLICATE_CASE among the references, E_MISSING_CASE when not one
            name is on both sides.
        FileError: E_NOT_FOUND for a folder.
        UsageError: One side is a file and the other a folder of cases.
    """
    test_set = test_set or custom()
    predictions, references = Path(predictions), Path(references)
    inputs = f"{predictions.resolve()} against {references.resolve()}, {test_set.name}"
    if references.is_file():
        return _plan_single(predictions, references, test_set, inputs, _mask_stems(prediction_label_map))
    if predictions.is_file():
        raise UsageError(f"expected a folder of predictions, as {references} is a folder; found the file {predictions}")
    predicted = find_cases(predictions, _mask_stems(prediction_label_map))
    plan = plan_cases(predicted, references, test_set, reference_label_map=reference_label_map, inputs=inputs)
    selected = [pair.reference.case_id for pair in plan.pairs]
    if predicted.keys().isdisjoint(selected):
        raise CaseError(
            "E_MISSING_CASE",
            predictions,
            expected=f"predictions named as the references, such as {_some(selected)}",
            found=f"no such name; the predictions are {_some(predicted)}",
            advice="Name each prediction <case>.nii.gz, or check that the folder is the right one.",
        )
    return plan


def plan_cases(
    predicted: Mapping[str, CaseFile],
    references: Path,
    test_set: TestSet,
    *,
    reference_label_map: LabelMap | None = None,
    inputs: str = "",
) -> Plan:
    """Match predictions that were found already, none of which has to fit, with a folder of references.

    Args:
        predicted: Case id → prediction.
        references: Folder of references.
        test_set: Which cases count.
        reference_label_map: Names the masks by which a folder is known to be one case.
        inputs: Where all this is, for people; see `Plan`.

    Raises:
        CaseError: E_MISSING_REFERENCE, E_NO_CASES, E_DUPLICATE_CASE among the references.
        FileError: E_NOT_FOUND for the folder.
    """
    found = find_cases(references, _mask_stems(reference_label_map))
    selected = select(test_set, found)
    for reference in selected.values():
        reference.check()
    return Plan(
        test_set=test_set,
        pairs=tuple(Pair(reference, predicted.get(case_id)) for case_id, reference in selected.items()),
        ignored_predictions=tuple(case_id for case_id in predicted if case_id not in selected),
        n_ignored_references=len(found) - len(selected),
        inputs=inputs,
    )


def _plan_single(prediction: Path, reference: Path, test_set: TestSet, inputs: str, mask_stems: frozenset[str]) -> Plan:
    if test_set.cases is not None:
        raise UsageError(f"expected a folder with the references of the {test_set.title}, found the file {reference}")
    if prediction.is_dir() and all(case.path != prediction for case in find_cases(prediction, mask_stems).values()):
        raise UsageError(
            f"expected a file or a folder of masks as the prediction of {reference}, found the folder {prediction}"
        )
    case_id = case_id_of(reference)
    source = source_of(case_id)
    pair = Pair(CaseFile(case_id, reference, source), CaseFile(case_id, prediction, source))
    return Plan(test_set, (pair,), (), 0, inputs)


def _some(names: Collection[str]) -> str:
    return ", ".join(list(names)[:3]) + (", …" if len(names) > 3 else "")


def _mask_stems(label_map: LabelMap | None) -> frozenset[str]:
    """Return the names by which a folder of masks is known: the user's, and those of TotalSegmentator."""
    return frozenset(TOTALSEGMENTATOR.masks) | frozenset(label_map.masks if label_map else ())


def select(test_set: TestSet, references: Mapping[str, CaseFile]) -> dict[str, CaseFile]:
    """Return the references of the cases of a test set.

    Without a list of cases these are all references; for VerSe, all that are not known to come from elsewhere.

    Raises:
        CaseError: `E_MISSING_REFERENCE` when a listed case has no reference.
    """
    if test_set.cases is None:
        elsewhere = set(SOURCES) - {"VerSe"} if test_set.name == "verse" else set()
        selected = {case_id: case for case_id, case in references.items() if case.source not in elsewhere}
        if not selected:
            raise CaseError(
                "E_MISSING_REFERENCE",
                None,
                expected="references of VerSe cases",
                found=f"{len(references)} references, all of other sources",
                advice="Give the folder with the VerSe references.",
            )
        return selected
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
