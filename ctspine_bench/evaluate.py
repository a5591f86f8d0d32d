"""Score one case from its files, or all cases of a submission: the one loop, and the threads it runs in."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from ctspine_bench.aggregate import summarise
from ctspine_bench.comparison import compare
from ctspine_bench.errors import CaseError, GeometryError, InputError
from ctspine_bench.pairing import Pair, Plan, plan_submission
from ctspine_bench.provenance import Settings
from ctspine_bench.records import CaseResult, CaseScore, Failure
from ctspine_bench.scoring import score
from ctspine_bench.tables import Journal, case_table
from ctspine_bench.testsets import official
from ctspine_bench.volumes import VoxelBuffer, check_same_grid, read_label_map, read_labels, resample_nearest
from ctspine_bench.workers import in_parallel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pandas as pd
    from numpy.typing import NDArray

    from ctspine_bench.anatomy import LabelMap
    from ctspine_bench.records import LabelVolume
    from ctspine_bench.summary import Summary
    from ctspine_bench.testsets import TestSet


@dataclass(frozen=True, eq=False)
class SubmissionScore:
    """The scores of a submission on one test set.

    Attributes:
        test_set: What it was scored on.
        results: One for each case, in the order of the test set.
        table: The case table (see `tables.COLUMNS`).
        summary: All aggregates; `None` when a reference could not be read.
        ignored_predictions: Predictions of no case of the test set.
        n_ignored_references: How many references belong to no case of the test set.
        settings: How the files were read and compared.
    """

    test_set: TestSet
    results: tuple[CaseResult, ...]
    table: pd.DataFrame
    summary: Summary | None
    ignored_predictions: tuple[str, ...]
    n_ignored_references: int
    settings: Settings

    @property
    def failures(self) -> tuple[CaseResult, ...]:
        """The cases whose prediction or reference was missing or refused."""
        return tuple(result for result in self.results if result.failure)

    @property
    def complete(self) -> bool:
        """Whether every case was scored from its own files, and the set has as many cases as it should."""
        return not self.failures and self.test_set.expected_count in {None, len(self.results)}


def score_case(
    reference: Path | str,
    prediction: Path | str,
    *,
    label_map: LabelMap | Path | str | None = None,
    reference_label_map: LabelMap | Path | str | None = None,
    prediction_label_map: LabelMap | Path | str | None = None,
    resample: bool = False,
    pooled: bool = False,
) -> CaseScore:
    """Score one prediction file against its reference file.

    Args:
        reference: A `.nii.gz` or `.nii` file, or a folder of vertebra masks.
        prediction: Likewise.
        label_map: What the voxel values of both mean: "verse", "totalsegmentator", a YAML file or a `LabelMap`.
        reference_label_map: The same for the reference alone.
        prediction_label_map: The same for the prediction alone.
        resample: Bring a prediction on another grid to the reference's by nearest neighbour.
        pooled: Also compute `hd95_pooled_mm`.

    Raises:
        InputError: Anything that is wrong with either file, or between them.
    """
    settings = read_settings(label_map, reference_label_map, prediction_label_map, resample=resample, pooled=pooled)
    reference_volume = read_labels(reference, settings.reference_label_map)
    prediction_volume = read_prediction(Path(prediction), reference_volume, settings)
    return _score_volumes(reference_volume, prediction_volume.labels, settings)


def score_submission(
    predictions: Path | str,
    references: Path | str,
    *,
    test_set: TestSet | str | None = None,
    label_map: LabelMap | Path | str | None = None,
    reference_label_map: LabelMap | Path | str | None = None,
    prediction_label_map: LabelMap | Path | str | None = None,
    resample: bool = False,
    pooled: bool = False,
    workers: int | None = None,
    on_case: Callable[[CaseResult], None] | None = None,
) -> SubmissionScore:
    """Score a folder of predictions against a folder of references.

    Args:
        predictions: Folder of predictions, or one file.
        references: Folder of references, or one file.
        test_set: Which cases count: "public", "private", "verse", a `TestSet`; by default all references found.
        label_map: As for `score_case`.
        reference_label_map: As for `score_case`.
        prediction_label_map: As for `score_case`.
        resample: As for `score_case`.
        pooled: As for `score_case`.
        workers: Number of threads; all available cores by default.
        on_case: Called in the calling thread with every result as it comes.

    Raises:
        CaseError: E_MISSING_REFERENCE, E_NO_CASES, E_DUPLICATE_CASE among the references.
        FileError: E_NOT_FOUND for a folder.
        LabelError: E_LABEL_MAP.
        UsageError: One side is a file and the other a folder of cases.
    """
    settings = read_settings(label_map, reference_label_map, prediction_label_map, resample=resample, pooled=pooled)
    plan = plan_submission(
        predictions,
        references,
        official(test_set) if isinstance(test_set, str) else test_set,
        reference_label_map=settings.reference_label_map,
        prediction_label_map=settings.prediction_label_map,
    )
    return score_plan(plan, settings, workers=workers, on_case=on_case)


def score_plan(
    plan: Plan,
    settings: Settings,
    *,
    workers: int | None = None,
    journal: Path | None = None,
    on_case: Callable[[CaseResult], None] | None = None,
) -> SubmissionScore:
    """Score what `plan_submission` has planned.

    Args:
        plan: What to score.
        settings: How to read and compare.
        workers: Number of threads; all available cores by default.
        journal: File to note finished cases in, and to take finished cases from.
        on_case: Called in the calling thread with every result as it comes.

    Raises:
        UsageError: The journal belongs to a run on other folders.
    """
    results = {}
    notes = Journal(journal, settings.digest(), plan.inputs) if journal else None
    for result in _run(plan, settings, notes, workers):
        results[result.case_id] = result
        if on_case:
            on_case(result)
    ordered = tuple(results[pair.reference.case_id] for pair in plan.pairs)
    table = case_table(ordered, plan.test_set.name)
    references_readable = all(result.score for result in ordered)
    return SubmissionScore(
        test_set=plan.test_set,
        results=ordered,
        table=table,
        summary=summarise(table) if references_readable else None,
        ignored_predictions=plan.ignored_predictions,
        n_ignored_references=plan.n_ignored_references,
        settings=settings,
    )


def read_settings(
    label_map: LabelMap | Path | str | None = None,
    reference_label_map: LabelMap | Path | str | None = None,
    prediction_label_map: LabelMap | Path | str | None = None,
    *,
    resample: bool = False,
    pooled: bool = False,
) -> Settings:
    """Resolve the label maps by name or file; those of one side go before the common one.

    Raises:
        LabelError: E_LABEL_MAP.
    """
    return Settings(
        read_label_map(reference_label_map or label_map),
        read_label_map(prediction_label_map or label_map),
        resample,
        pooled,
    )


def _run(plan: Plan, settings: Settings, journal: Journal | None, workers: int | None) -> Iterator[CaseResult]:
    """Yield the result of every pair, first those in the journal, then the others as they get done."""
    done = journal.read() if journal else {}
    todo = []
    for pair in plan.pairs:
        # Taken before scoring: a file that is replaced meanwhile must not pass for the one that was scored.
        fingerprint = _fingerprint(pair) if journal else None
        if fingerprint in done:
            yield done[fingerprint]
        else:
            todo.append((pair, fingerprint))
    for (_, fingerprint), result in in_parallel(lambda item: evaluate_pair(item[0], settings), todo, workers):
        # A failure is not noted: the next run is to look again.
        if journal and fingerprint and not result.failure:
            journal.append(fingerprint, result)
        yield result


def _fingerprint(pair: Pair) -> str | None:
    """Tell whether files are still those that were scored, without reading them; `None` if they cannot be looked at."""
    parts = [pair.reference.case_id]
    try:
        for case in (pair.reference, pair.prediction):
            files = [] if case is None else sorted(case.path.iterdir()) if case.path.is_dir() else [case.path]
            parts += [f"{file.resolve()} {file.stat().st_size} {file.stat().st_mtime_ns}" for file in files]
    except OSError:
        return None
    return "\n".join(parts)


class _Buffers(threading.local):
    """The memory that a thread reads one case after the other into."""

    def __init__(self) -> None:
        self.reference = VoxelBuffer()
        self.prediction = VoxelBuffer()


_buffers = _Buffers()


def evaluate_pair(pair: Pair, settings: Settings) -> CaseResult:
    """Score one case; what is wrong with its files becomes part of the result."""
    case = pair.reference
    try:
        return _evaluate(pair, settings)
    except MemoryError as error:
        # Not even the reference alone could be looked at: the machine is too small, which is the organizer's error.
        return CaseResult(case.case_id, case.source, None, _failure(error, "reference", case.path), (), None, None)
    except Exception as error:
        error.add_note(f"while scoring case {case.case_id}")
        raise


def _evaluate(pair: Pair, settings: Settings) -> CaseResult:
    case_id, source = pair.reference.case_id, pair.reference.source
    try:
        reference = read_labels(pair.reference.path, settings.reference_label_map, buffer=_buffers.reference)
    except InputError as error:
        return CaseResult(case_id, source, None, _failure(error, "reference", pair.reference.path), (), None, None)
    notes = tuple(f"reference: {note}" for note in reference.notes)
    prediction_sha256 = failure = None
    try:
        if pair.prediction is None:
            raise _missing_case(case_id)
        pair.prediction.check()
        prediction = read_prediction(pair.prediction.path, reference, settings, _buffers.prediction)
        scores = _score_volumes(reference, prediction.labels, settings)
        prediction_sha256 = prediction.sha256
        if not any(vertebra.status != "spurious" for vertebra in scores.vertebrae):
            notes += ("reference: no vertebra is labelled",)
        notes += tuple(f"prediction: {note}" for note in prediction.notes)
    except (InputError, MemoryError) as error:
        failure = _failure(error, "prediction", pair.prediction.path if pair.prediction else None)
        scores = _score_volumes(reference, np.zeros_like(reference.labels), settings)
    return CaseResult(case_id, source, scores, failure, notes, reference.sha256, prediction_sha256)


def read_prediction(
    path: Path, reference: LabelVolume, settings: Settings, buffer: VoxelBuffer | None = None
) -> LabelVolume:
    """Read a prediction and bring it to the grid of its reference; what is worth knowing about that is in its notes.

    Raises:
        InputError: What `read_labels` raises; `E_SHAPE` or `E_AFFINE` for another grid, unless it is to be resampled.
    """
    prediction = read_labels(path, settings.prediction_label_map, buffer=buffer)
    try:
        return replace(prediction, notes=prediction.notes + check_same_grid(reference, prediction))
    except GeometryError:
        if not settings.resample:
            raise
        return resample_nearest(prediction, reference.grid)


def _score_volumes(reference: LabelVolume, prediction: NDArray[np.uint8], settings: Settings) -> CaseScore:
    return score(compare(reference.labels, prediction, reference.grid.spacing_mm, pooled=settings.pooled))


def _missing_case(case_id: str) -> CaseError:
    return CaseError(
        "E_MISSING_CASE",
        None,
        expected=f"a prediction named {case_id}.nii.gz",
        found="none in the folder of predictions",
        advice="Add it; until then every vertebra of the case counts as missed.",
    )


def _failure(error: InputError | MemoryError, side: Literal["prediction", "reference"], path: Path | None) -> Failure:
    if isinstance(error, InputError):
        return Failure(error.code, side, str(error))
    message = f"E_MEMORY: {path}: the machine ran out of memory. Use fewer --workers or a machine with more."
    return Failure("E_MEMORY", side, message)
