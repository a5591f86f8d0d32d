"""The domain gap of some submissions: which test sets and submissions there are, their scores, gaps and strata."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from ctspine_bench.charts.marks import MOST
from ctspine_bench.domain_gap import (
    DIMENSIONS,
    Estimate,
    GapSplit,
    LabelProfile,
    estimate,
    gap_intervals,
    kitagawa,
    profile,
    published_profile,
    strata,
    with_pooled_losses,
)
from ctspine_bench.testsets import PHANTOM, named
from ctspine_leaderboard.views.test_sets import title

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ctspine_bench.board import Board, Entry
    from ctspine_bench.testsets import TestSet

CASES: Final = "case scores"
LABELS: Final = "published label means"
PUBLISHED: Final = "Mean of Vertebrae as published"
NOTHING: Final = "nothing"

_LEADERS: Final = 3


@dataclass(frozen=True)
class Score:
    """The mean DSC of a submission over the vertebrae of a test set.

    Attributes:
        entry: The submission.
        test_set: The test set.
        estimate: The score, with an interval if it comes from case scores.
        basis: What it comes from: `CASES`, `LABELS`, `PUBLISHED` or `NOTHING`.
    """

    entry: Entry
    test_set: TestSet
    estimate: Estimate
    basis: str


@dataclass(frozen=True)
class Gap:
    """What a submission loses from the public test set to another one.

    Attributes:
        entry: The submission.
        other: The other test set.
        split: The gap taken apart; `None` if the number of vertebrae with each label is not known on both sets.
        intervals: 95 % intervals of the gap ("gap") and of its parts; empty without.
        note: What a reader has to know; may be empty.
    """

    entry: Entry
    other: TestSet
    split: GapSplit | None
    intervals: Mapping[str, tuple[float, float]]
    note: str


@dataclass(frozen=True)
class Cell:
    """The score of a submission within a stratum.

    Attributes:
        entry: The submission.
        test_set: The test set.
        dimension: What strata are by, for people.
        name: Which of them.
        n_cases: How many cases it has; "<5" or `None` if that is not told.
        estimate: The score; without a DSC if that is not told.
    """

    entry: Entry
    test_set: TestSet
    dimension: str
    name: str
    n_cases: int | str | None
    estimate: Estimate


def others(board: Board) -> tuple[TestSet, ...]:
    """Return the test sets that the public one can be compared with."""
    return tuple(test_set for test_set in board.test_sets if title(test_set) != "Public")


def public_of(test_set: TestSet) -> TestSet:
    """Return the public test set of the same benchmark: of the official one, or of the phantom."""
    return named("phantom-public" if test_set.name in PHANTOM else "public")


def family(board: Board, test_set: TestSet) -> tuple[TestSet, ...]:
    """Return the test sets of the board that belong to the same benchmark, the public one first."""
    return tuple(each for each in board.test_sets if public_of(each) == public_of(test_set))


def candidates(board: Board, test_set: TestSet) -> tuple[Entry, ...]:
    """Return the submissions with a score on one of the test sets of a benchmark."""
    sets = family(board, test_set)
    return tuple(entry for entry in board.entries if any(_labels(entry, each) for each in sets))


def default_choice(board: Board, test_set: TestSet) -> tuple[str, ...]:
    """Return the slugs of the first three in the official order, and of what is shown as published."""
    sets = family(board, test_set)
    for each in sorted(sets, key=lambda each: not each.private):
        if found := board.standings(each.name).standings:
            leaders = [row.slug for row in found.rows][:_LEADERS]
            break
    else:
        leaders = []
    there = candidates(board, test_set)
    published = [entry.slug for entry in there if any(board.status(entry, each.name) == "published" for each in sets)]
    return tuple(leaders + published)[:MOST] or tuple(entry.slug for entry in there[:_LEADERS])


def score(board: Board, entry: Entry, test_set: TestSet) -> Score:
    """Return the score of a submission on a test set, from the best that is known about it."""
    paired = board.paired(test_set.name)
    if paired is not None and entry.slug in paired.slugs:
        return Score(entry, test_set, estimate(paired, entry.slug), CASES)
    results = entry.on(test_set.name)
    if board.status(entry, test_set.name) == "published":
        return Score(entry, test_set, Estimate(0, 0, results["mean_of_vertebrae"]["dsc"]), PUBLISHED)
    labels = published_profile(_labels(entry, test_set))
    if not labels.n.any():
        return Score(entry, test_set, Estimate(0, 0, None), NOTHING)
    n_cases = results["n_cases"] if isinstance(results["n_cases"], int) else 0
    return Score(entry, test_set, Estimate(n_cases, int(labels.n.sum()), labels.score), LABELS)


def gap(board: Board, entry: Entry, other: TestSet) -> Gap:
    """Take the gap of a submission between the public test set and another one apart."""
    public = public_of(other)
    if any(board.status(entry, each.name) == "published" for each in (public, other)):
        return Gap(
            entry, other, None, {}, "As published: how often each label occurs is not known, so there is no split."
        )
    one, two = _profile(board, entry, public), _profile(board, entry, other)
    if not (one.n.any() and two.n.any()):
        return Gap(entry, other, None, {}, f"There are no scores on both {title(public)} and {title(other)}.")
    split = kitagawa(one, two)
    if other.private:
        return _private_gap(board, entry, other, Gap(entry, other, split, {}, ""), one, two)
    if not (one.losses and two.losses):
        note = "Not ranked on both sets: from the published means of the labels, without intervals and causes."
        return Gap(entry, other, split, {}, note)
    here, there = board.paired(public.name), board.paired(other.name)
    intervals = gap_intervals(here, there, entry.slug) if here is not None and there is not None else None
    note = "" if intervals else "A set has fewer than ten cases: no intervals."
    return Gap(entry, other, split, intervals or {}, note)


def cells(board: Board, entries: Sequence[Entry], test_set: TestSet, dimensions: Sequence[str]) -> tuple[Cell, ...]:
    """Return the scores of submissions within the strata of a test set; of a private one, what is told by source."""
    found: list[Cell] = []
    paired = board.paired(test_set.name)
    for entry in entries:
        if paired is not None and entry.slug in paired.slugs:
            found += [
                Cell(entry, test_set, DIMENSIONS[each.dimension], each.name, each.estimate.n_cases, each.estimate)
                for each in strata(paired, entry.slug)
                if each.dimension in dimensions
            ]
        elif test_set.private and "source" in dimensions:
            told = (board.private_gap(test_set.name, entry.slug) or {}).get("sources", {})
            found += [
                Cell(entry, test_set, DIMENSIONS["source"], name, cell["n_cases"], Estimate(0, 0, cell["dsc"]))
                for name, cell in told.items()
            ]
    return tuple(found)


def _labels(entry: Entry, test_set: TestSet) -> Mapping[str, Mapping[str, object]]:
    found: Mapping[str, Mapping[str, object]] = entry.on(test_set.name).get("labels", {})
    return found


def _profile(board: Board, entry: Entry, test_set: TestSet) -> LabelProfile:
    paired = board.paired(test_set.name)
    if paired is not None and entry.slug in paired.slugs:
        return profile(paired, entry.slug)
    return published_profile(_labels(entry, test_set))


def _private_gap(
    board: Board, entry: Entry, other: TestSet, found: Gap, public: LabelProfile, private: LabelProfile
) -> Gap:
    """Add what the organizers tell about a private test set."""
    told = board.private_gap(other.name, entry.slug)
    notes = ["Over the labels alone whose private means are published."]
    split = found.split
    intervals: Mapping[str, tuple[float, float]] = {}
    if split is None or told is None:
        notes.append("Causes and intervals need the organizers' standings.")
    else:
        intervals = told["intervals"] or {}
        if told["losses"]:
            split = with_pooled_losses(split, public, private, told["losses"])
        if split.within_label.identification is None:
            notes.append("Its causes are held back, because they would tell about few cases.")
    return replace(found, split=split, intervals=intervals, note=" ".join(notes))
