"""The cases with the lowest mean DSC, and their pictures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ctspine_bench.errors import InputError
from ctspine_bench.evaluate import read_prediction
from ctspine_bench.report.events import case_events
from ctspine_bench.report.pictures import Picture, case_pictures
from ctspine_bench.volumes import read_labels

if TYPE_CHECKING:
    from ctspine_bench.evaluate import SubmissionScore
    from ctspine_bench.pairing import Pair, Plan
    from ctspine_bench.provenance import Settings
    from ctspine_bench.records import CaseResult

N_WORST: Final = 6


@dataclass(frozen=True)
class WorstCase:
    """A case to look at.

    Attributes:
        case_id: The case.
        source: Where it comes from.
        dsc: Mean DSC over its vertebrae, in reference or prediction.
        label_shift: Its label shift, if it has one.
        sentences: What was missed or spurious.
        pictures: Its views; empty when there is a reason.
        reason: Why there is no picture.
    """

    case_id: str
    source: str | None
    dsc: float
    label_shift: int | None
    sentences: tuple[str, ...]
    pictures: tuple[Picture, ...]
    reason: str


def worst_cases(score: SubmissionScore, plan: Plan | None) -> tuple[WorstCase, ...]:
    """Return up to six cases with the lowest mean DSC; those with a failed file are not among them.

    Args:
        score: The scores.
        plan: Where the files are; without it there are no pictures.
    """
    pairs = {pair.reference.case_id: pair for pair in plan.pairs} if plan else {}
    sentences = {event.case_id: event.sentences() for event in case_events(score)}
    means = [(mean, result) for result in score.results if (mean := _mean_dsc(result)) is not None]
    worst = sorted(means, key=lambda item: (item[0], item[1].case_id))[:N_WORST]
    cases = []
    for mean, result in worst:
        pictures, reason = _pictures(pairs.get(result.case_id), score.settings)
        shift = result.score.identification.label_shift if result.score else None
        told = sentences.get(result.case_id, ())
        cases.append(WorstCase(result.case_id, result.source, mean, shift, told, pictures, reason))
    return tuple(cases)


def _mean_dsc(result: CaseResult) -> float | None:
    """Return the mean DSC of the vertebrae of a case that was scored from its own files."""
    if result.score is None or result.failure:
        return None
    values = [each.dsc for each in result.score.vertebrae if each.dsc is not None]
    return sum(values) / len(values) if values else None


def _pictures(pair: Pair | None, settings: Settings) -> tuple[tuple[Picture, ...], str]:
    """Return the pictures of a case, or why there are none."""
    if pair is None or pair.prediction is None:
        return (), "The files were not at hand."
    try:
        reference = read_labels(pair.reference.path, settings.reference_label_map)
        return case_pictures(reference, read_prediction(pair.prediction.path, reference, settings)), ""
    except (InputError, MemoryError, OSError) as error:
        return (), f"The files could not be read again: {error}"
