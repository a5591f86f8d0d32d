"""A submission's scores → what has to be named case by case: missed, spurious and failed."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from ctspine_bench.anatomy import vertebra_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ctspine_bench.evaluate import SubmissionScore
    from ctspine_bench.records import CaseResult, Failure, VertebraScore


@dataclass(frozen=True)
class CaseEvents:
    """What went wrong in one case.

    Attributes:
        case_id: The case.
        source: Where it comes from.
        n_reference: How many vertebrae its reference has; `None` when that could not be read.
        missed: Vertebrae that were not found, such as `"L4–L6"`; empty when none was, and when the prediction failed.
        spurious: Vertebrae that are only in the prediction.
        spurious_at_border: Those of them that touch the first or last slice, which annotations often leave out.
        failure: Why the prediction or the reference was refused.
    """

    case_id: str
    source: str | None
    n_reference: int | None
    missed: str
    spurious: str
    spurious_at_border: str
    failure: Failure | None

    def sentences(self) -> tuple[str, ...]:
        """Return what happened in a few words each."""
        if self.failure:
            return (self.failure.message, *self._consequence())
        parts = (
            ("missed", self.missed),
            ("spurious", self.spurious),
            ("spurious at the border", self.spurious_at_border),
        )
        return tuple(f"{what} {names}" for what, names in parts if names)

    def _consequence(self) -> tuple[str, ...]:
        if self.n_reference is None:
            return ()
        vertebrae = "its one vertebra" if self.n_reference == 1 else f"all {self.n_reference} vertebrae"
        return (f"{vertebrae} and the spine count as missed",)


def case_events(score: SubmissionScore) -> tuple[CaseEvents, ...]:
    """Return the cases with a failed file, then those with missed or spurious vertebrae, in the order of the set."""
    events = [_events_of(result) for result in score.results]
    eventful = [event for event in events if event.sentences()]
    return tuple(sorted(eventful, key=lambda event: event.failure is None))


def level_ranges(labels: Iterable[int]) -> str:
    """Return labels by name, neighbours joined: 19, 20, 21, 25 gives "T12–L2, L6"."""
    runs = [
        [label for _, label in run] for _, run in groupby(enumerate(sorted(labels)), key=lambda item: item[1] - item[0])
    ]
    return ", ".join(_range(run) for run in runs)


def _range(run: Sequence[int]) -> str:
    first, last = vertebra_name(run[0]), vertebra_name(run[-1])
    if len(run) == 1:
        return first
    return f"{first}, {last}" if len(run) == 2 else f"{first}–{last}"


def _events_of(result: CaseResult) -> CaseEvents:
    vertebrae = result.score.vertebrae if result.score else ()

    def named(status: str, *, at_border: bool | None = None) -> str:
        return level_ranges(each.label for each in vertebrae if _is(each, status, at_border))

    return CaseEvents(
        case_id=result.case_id,
        source=result.source,
        n_reference=result.score.identification.n_reference if result.score else None,
        missed="" if result.failure else named("missed"),
        spurious=named("spurious", at_border=False),
        spurious_at_border=named("spurious", at_border=True),
        failure=result.failure,
    )


def _is(vertebra: VertebraScore, status: str, at_border: bool | None) -> bool:
    return vertebra.status == status and at_border in {None, vertebra.at_border}
