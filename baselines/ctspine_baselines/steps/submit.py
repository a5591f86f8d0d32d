"""`submit`: score the predictions and write the submissions, with all that they were made with."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final

from ctspine_baselines.job import VARIANTS
from ctspine_baselines.provenance import cases_left_out, last_day, training_of
from ctspine_baselines.steps.predict import check_current, is_predicted
from ctspine_baselines.test_sets import find_test_sets, left_out
from ctspine_bench.anatomy import VERSE
from ctspine_bench.comparison import warm_up
from ctspine_bench.errors import BaselineError, InputError
from ctspine_bench.evaluate import score_plan
from ctspine_bench.hosting.local_record import write_local_record
from ctspine_bench.hosting.store import PrivateStore
from ctspine_bench.pairing import plan_submission
from ctspine_bench.provenance import Settings
from ctspine_bench.submissions.declaration import Declaration, Training

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ctspine_baselines.job import Job
    from ctspine_baselines.steps.step import ProgressOf
    from ctspine_bench.evaluate import SubmissionScore
    from ctspine_bench.pairing import Plan

STORE: Final = "private-store"
SUBMISSIONS: Final = "submissions"
_CONTACT: Final = "https://github.com/MIRACLE-Center/CTSpine1K"
_NO_REFERENCES: Final = frozenset({"E_MISSING_REFERENCE", "E_NOT_FOUND", "E_NO_CASES"})


def describe(job: Job) -> Iterator[str]:
    """Say which submissions would be written."""
    names = ", ".join(images.test_set.name for images in find_test_sets(job))
    for variant in VARIANTS:
        yield f"score {job.predictions(variant)} on {names} → {job.work / SUBMISSIONS / job.slug(variant)}"
    yield f"keep the rows of private cases in {job.work / STORE}"


def run(job: Job, progress: ProgressOf) -> Iterable[str]:
    """Score and write; returns what to tell.

    Raises:
        BaselineError: E_RUN: cases have no predictions yet, or those of another training.
        InputError: A reference that cannot be read.
    """
    if not is_predicted(job):
        raise BaselineError(
            "E_RUN",
            job.predictions(),
            expected="a label map of every case",
            found="cases without one",
            advice=f"Call `ctspine-baseline predict {job.recipe.slug}` first.",
        )
    check_current(job)
    store = PrivateStore(job.work / STORE)
    lines = []
    for variant in VARIANTS:
        scores = _score(job, _plans(job, variant), progress)
        folder = job.work / SUBMISSIONS / job.slug(variant)
        write_local_record(folder, _declaration(job, variant, scores), scores, store, training_of(job, variant))
        lines += [f"{job.slug(variant):40} {line}" for line in _means(scores)]
        lines.append(f"{'':40} → {folder}")
    return lines


def _plans(job: Job, variant: str) -> list[Plan]:
    """Return what is to be scored: the test sets whose references are at hand."""
    plans, absent = [], None
    for images in find_test_sets(job):
        predictions = job.predictions(variant) / images.test_set.name
        try:
            plans.append(plan_submission(predictions, images.references, images.test_set))
        except InputError as error:
            if error.code not in _NO_REFERENCES or not images.test_set.private:
                raise
            absent = error
    if absent and not plans:
        raise absent
    return plans


def _score(job: Job, plans: list[Plan], progress: ProgressOf) -> list[SubmissionScore]:
    with progress("Scoring", sum(len(plan.pairs) for plan in plans)) as shown:
        shown.say("preparing (compiles for some seconds on first use)")
        warm_up()
        return [
            score_plan(plan, _settings(plan), workers=job.workers, on_case=lambda result: shown.advance(result.case_id))
            for plan in plans
        ]


def _settings(plan: Plan) -> Settings:
    """Return how files are read: those of VerSe as they are downloaded, with sacrum, coccyx and T13."""
    return Settings(reference_label_map=VERSE) if plan.test_set.name == "verse" else Settings()


def _means(scores: Sequence[SubmissionScore]) -> Iterator[str]:
    for score in scores:
        if score.summary:
            means = score.summary.official.mean_of_vertebrae
            yield f"{score.test_set.name:16} Mean of Vertebrae {means.dsc:.3f} / {means.hd95_mm:.2f} mm"


def _declaration(job: Job, variant: str, scores: Sequence[SubmissionScore]) -> Declaration:
    recipe = job.recipe
    absent = left_out(score.test_set.name for score in scores)
    day = last_day(job)
    cases = [] if recipe.external else cases_left_out(job)
    without = f"Trained without {', '.join(cases)}. " if cases else ""
    comment = f"{without}{recipe.learned.comment or ''}".strip()
    return Declaration(
        schema_version=1,
        kind="baseline",
        name=f"{recipe.name}, largest component" if variant else recipe.name,
        team="ctspine-bench baselines",
        contact=_CONTACT,
        owners=(),
        date=dt.date.fromisoformat(day) if day else dt.datetime.now(dt.UTC).date(),
        description=recipe.description.strip()
        + (" Of each predicted vertebra only the largest component is kept." if variant else ""),
        licence=recipe.licence,
        training=Training(
            data=recipe.learned.data,
            uses_verse=recipe.learned.uses_verse,
            uses_test_cases=recipe.learned.uses_test_cases,
            comment=comment or None,
        ),
        coverage="partial" if absent else "complete",
        coverage_reason=f"no images or no references at hand of {', '.join(absent)}" if absent else None,
    )
