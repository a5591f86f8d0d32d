"""What a submission loses from the public test set to another one, taken apart."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from ctspine_bench.charts.domain_gap import signed
from ctspine_bench.domain_gap import GapSplit, LabelProfile, gap_intervals, kitagawa, with_pooled_losses
from ctspine_leaderboard.views.domain_gap.scores import (
    PUBLISHED,
    Score,
    cases_of,
    label_profile,
    origin,
    public_of,
    score,
)
from ctspine_leaderboard.views.kept import Kept
from ctspine_leaderboard.views.test_sets import title

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ctspine_bench.board import Board, Entry
    from ctspine_bench.testsets import TestSet

    Intervals = Mapping[str, tuple[float, float]]

AS_PUBLISHED: Final = (
    "Means of Vertebrae as published, and their difference. How often each label occurs in the test sets was not "
    "published, so the difference cannot be taken apart."
)
NOT_RANKED: Final = "Not ranked on both test sets: from the means of the labels, without intervals and causes."
FEW_CASES: Final = "A test set has fewer than ten cases: no intervals."
TOLD_LABELS: Final = "Over the labels alone whose private means are published."
NOT_AT_HAND: Final = "Intervals and causes need the organizers' standings of this record, which are not at hand."
INTERVALS_NOT_TOLD: Final = "Its intervals are not told."
CAUSES_NOT_TOLD: Final = "Its causes are held back, because they would tell about few cases."
CAUSES_NOT_KNOWN: Final = "Its causes are not known: that needs the cases of the public set."
CAUSES_OF_THE_WHOLE: Final = "Its causes are told of the gap as a whole, not of its parts."

_KEPT: Final[Kept[Intervals | None]] = Kept(2000)


@dataclass(frozen=True)
class Gap:
    """What a submission loses from the public test set to another one.

    Attributes:
        entry: The submission.
        other: The other test set.
        public_score: Its score on the public test set.
        other_score: On the other one.
        split: The gap taken apart; `None` if the number of vertebrae with each label is not known on both sets.
        intervals: 95 % intervals of the gap ("gap") and of its parts; empty without.
        notes: What a reader has to know, in sentences.
    """

    entry: Entry
    other: TestSet
    public_score: Score
    other_score: Score
    split: GapSplit | None
    intervals: Intervals
    notes: tuple[str, ...]

    def range_of(self, name: str) -> tuple[float, float] | None:
        """Return what one of `PARTS` comes to by the weights of either set; `None` where that makes no difference."""
        ends = self.split and self.split.ranges.get(name)
        return ends if ends and signed(ends[0]) != signed(ends[1]) else None

    def part(self, name: str) -> float | None:
        """Return the size of one of `PARTS`; `None` if the gap is not taken apart."""
        if self.split is None:
            return None
        found: float = getattr(self.split, name).total
        return found

    @property
    def difference(self) -> float | None:
        """The gap; that of published means where it cannot be taken apart."""
        if self.split is not None:
            return self.split.gap
        one, two = self.public_score, self.other_score
        if one.basis == two.basis == PUBLISHED and one.estimate.dsc is not None and two.estimate.dsc is not None:
            return one.estimate.dsc - two.estimate.dsc
        return None


def gap(board: Board, entry: Entry, other: TestSet) -> Gap:
    """Take the gap of a submission between the public test set and another one apart."""
    public = public_of(other)
    found = Gap(entry, other, score(board, entry, public), score(board, entry, other), None, {}, ())
    if PUBLISHED in {found.public_score.basis, found.other_score.basis}:
        return replace(found, notes=(AS_PUBLISHED,))
    one, two = label_profile(board, entry, public), label_profile(board, entry, other)
    if not (one.n.any() and two.n.any()):
        return replace(found, notes=(f"There are no scores on both {title(public)} and {title(other)}.",))
    found = replace(found, split=kitagawa(one, two))
    if other.private:
        return _private_gap(board, found, one)
    if not (one.losses and two.losses):
        return replace(found, notes=(NOT_RANKED,))
    intervals = _intervals(board, entry, public, other)
    return replace(found, intervals=intervals or {}, notes=() if intervals else (FEW_CASES,))


def _intervals(board: Board, entry: Entry, public: TestSet, other: TestSet) -> Intervals | None:
    here, there = cases_of(board, entry, public), cases_of(board, entry, other)
    if here is None or there is None:
        return None
    key = (origin(board, entry, public), origin(board, entry, other))
    return _KEPT.get(key, lambda: gap_intervals(here, there, entry.slug))


def _private_gap(board: Board, found: Gap, public: LabelProfile) -> Gap:
    """Add what the organizers tell about a private test set."""
    told = board.private_gap(found.other.name, found.entry.slug)
    split = found.split
    if told is None or split is None:
        return replace(found, notes=(TOLD_LABELS, NOT_AT_HAND))
    notes = [TOLD_LABELS] if told["intervals"] else [TOLD_LABELS, INTERVALS_NOT_TOLD]
    if told["losses"]:
        split = with_pooled_losses(split, public, told["losses"])
        notes.append(CAUSES_NOT_KNOWN if split.whole.identification is None else CAUSES_OF_THE_WHOLE)
    else:
        notes.append(CAUSES_NOT_TOLD)
    return replace(found, split=split, intervals=told["intervals"] or {}, notes=tuple(notes))
