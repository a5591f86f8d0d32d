"""One test set of a submission: matched with its references, then scored, with what may be told of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from ctspine_bench.evaluate import score_plan
from ctspine_bench.hosting.disclosure.discretion import discreetly, reference_error
from ctspine_bench.hosting.disclosure.results import public_results
from ctspine_bench.hosting.disclosure.suppression import THRESHOLD
from ctspine_bench.hosting.references import digest_of_references, plan_references
from ctspine_bench.provenance import Settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ctspine_bench.evaluate import SubmissionScore
    from ctspine_bench.hosting.intake import Intake
    from ctspine_bench.hosting.store import PrivateStore
    from ctspine_bench.pairing import Plan
    from ctspine_bench.records import CaseResult
    from ctspine_bench.testsets import TestSet

    Progress = Callable[[TestSet, int, int], None]

# Intake delivers labels 0–25 on the grid of the prediction: nothing is translated or resampled any more.
SETTINGS: Final = Settings()
"""How every submission is read and compared."""

# What can still be found against a prediction that was taken in.
_LATE_CODES: Final = frozenset({"E_SHAPE", "E_AFFINE", "E_MEMORY"})


@dataclass(frozen=True)
class PlannedSet:
    """What is to be scored on one test set.

    Attributes:
        plan: The pairs.
        references: Digest of the references.
        intake: Where the predictions come from.
    """

    plan: Plan
    references: str
    intake: Intake

    @property
    def test_set(self) -> TestSet:
        """The test set."""
        return self.plan.test_set


def plan_set(test_set: TestSet, intake: Intake, references: Path, store: PrivateStore | None) -> PlannedSet:
    """Match the predictions of a test set with its references.

    Raises:
        CaseError: References are missing, doubled, or those of another test set.
    """
    return discreetly(test_set, store, partial(_plan, test_set, intake, references))


def _plan(test_set: TestSet, intake: Intake, references: Path) -> PlannedSet:
    plan = plan_references(test_set, intake.case_files(), references)
    return PlannedSet(plan, digest_of_references(plan), intake)


def score_set(
    planned: PlannedSet, key: str, store: PrivateStore | None, workers: int | None, progress: Progress | None
) -> tuple[SubmissionScore, dict[str, Any] | None]:
    """Score one test set.

    Args:
        planned: What to score.
        key: What this scoring is called in the store, where finished cases are noted.
        store: The private store, if there is one.
        workers: Number of threads.
        progress: Called with the test set and how many cases are done of how many; of a private set only after every
            fifth case, so that no case's time can be told.

    Returns:
        The scores, and of a private test set what may be told of them.

    Raises:
        CaseError: A reference cannot be read.
        SubmissionError: `E_DIGEST`: a prediction is not the one that was taken in.
        RuntimeError: Something unexpected happened on a private test set.
    """
    return discreetly(planned.test_set, store, partial(_score, planned, key, store, workers, progress))


def _score(
    planned: PlannedSet, key: str, store: PrivateStore | None, workers: int | None, progress: Progress | None
) -> tuple[SubmissionScore, dict[str, Any] | None]:
    test_set, intake = planned.test_set, planned.intake
    plan = replace(planned.plan, inputs=f"{test_set.name} {key}")
    journal = store.journal(key, test_set.name) if store else None
    score = score_plan(plan, SETTINGS, workers=workers, journal=journal, on_case=_Counter(plan, progress))
    _check_references(score)
    _check_predictions(score, intake)
    own = {*intake.cases, *intake.refused}
    return score, public_results(score, own) if test_set.private else None


class _Counter:
    """Counts finished cases; of a private test set it speaks up after every fifth."""

    def __init__(self, plan: Plan, progress: Progress | None) -> None:
        self._test_set, self._total = plan.test_set, len(plan.pairs)
        self._progress = progress
        self._done = 0

    def __call__(self, _: CaseResult) -> None:
        self._done += 1
        step = THRESHOLD if self._test_set.private else 1
        if self._progress and (self._done % step == 0 or self._done == self._total):
            self._progress(self._test_set, self._done, self._total)


def _check_references(score: SubmissionScore) -> None:
    """Stop when a reference could not be read: no aggregate would be about the whole test set."""
    broken = [result.failure for result in score.results if result.score is None and result.failure]
    if broken:
        found = f"{len(broken)} that cannot: " + " ".join(failure.message for failure in broken)
        raise reference_error(score.test_set, broken[0].code, found, "the references themselves")


def _check_predictions(score: SubmissionScore, intake: Intake) -> None:
    """Make sure that what was scored is what was taken in, by which it is known from now on."""
    for result in score.results:
        taken_in = intake.cases.get(result.case_id)
        if taken_in is None:
            continue
        changed = result.prediction_sha256 not in {None, taken_in.sha256}
        broken = result.failure is not None and result.failure.code not in _LATE_CODES
        if changed or broken:
            raise intake.changed(result.case_id)
