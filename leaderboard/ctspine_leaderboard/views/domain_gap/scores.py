"""The scores of submissions on the test sets of a benchmark, and which test sets and submissions there are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ctspine_bench.charts.marks import MOST
from ctspine_bench.domain_gap import Estimate, LabelProfile, estimate, profile, published_profile
from ctspine_bench.testsets import PHANTOM, named
from ctspine_leaderboard.views.kept import Kept
from ctspine_leaderboard.views.test_sets import title

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ctspine_bench.board import Board, Entry
    from ctspine_bench.rankings.paired import PairedScores
    from ctspine_bench.testsets import TestSet

CASES: Final = "case scores"
LABELS: Final = "published label means"
PUBLISHED: Final = "Mean of Vertebrae as published"
NOTHING: Final = "nothing"

BENCHMARKS: Final = {"ctspine1k": "CTSpine1K", "phantom": "Phantom"}
"""Name in an address → what people read: test sets of different benchmarks are not compared."""

_LEADERS: Final = 3
_KEPT: Final[Kept[Estimate]] = Kept(2000)


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


def benchmarks(board: Board) -> Mapping[str, str]:
    """Return those of `BENCHMARKS` that a submission has scores in; the official one if there are none."""
    there = {name: text for name, text in BENCHMARKS.items() if candidates(board, family(board, name))}
    return there or {"ctspine1k": BENCHMARKS["ctspine1k"]}


def family(board: Board, benchmark: str) -> tuple[TestSet, ...]:
    """Return the test sets of the board that belong to a benchmark, the public one first."""
    return tuple(each for each in board.test_sets if (each.name in PHANTOM) == (benchmark == "phantom"))


def others(sets: tuple[TestSet, ...]) -> tuple[TestSet, ...]:
    """Return the test sets that the public one can be compared with."""
    return tuple(test_set for test_set in sets if title(test_set) != "Public")


def public_of(test_set: TestSet) -> TestSet:
    """Return the public test set of the same benchmark: of the official one, or of the phantom."""
    return named("phantom-public" if test_set.name in PHANTOM else "public")


def candidates(board: Board, sets: tuple[TestSet, ...]) -> tuple[Entry, ...]:
    """Return the submissions with a score on one of some test sets."""
    return tuple(entry for entry in board.entries if any(label_means(entry, each) for each in sets))


def default_choice(board: Board, sets: tuple[TestSet, ...]) -> tuple[str, ...]:
    """Return the slugs of the first three in the official order, and of what is shown as published."""
    leaders: list[str] = []
    for each in sorted(sets, key=lambda each: not each.private):
        if found := board.standings(each.name).standings:
            leaders = [row.slug for row in found.rows][:_LEADERS]
            break
    there = candidates(board, sets)
    published = [entry.slug for entry in there if any(board.status(entry, each.name) == "published" for each in sets)]
    return tuple(leaders + published)[:MOST] or tuple(entry.slug for entry in there[:_LEADERS])


def score(board: Board, entry: Entry, test_set: TestSet) -> Score:
    """Return the score of a submission on a test set, from the best that is known about it."""
    paired = cases_of(board, entry, test_set)
    if paired is not None:
        found = _KEPT.get(origin(board, entry, test_set), lambda: estimate(paired, entry.slug))
        return Score(entry, test_set, found, CASES)
    results = entry.on(test_set.name)
    if board.status(entry, test_set.name) == "published":
        return Score(entry, test_set, Estimate(0, 0, results["mean_of_vertebrae"]["dsc"]), PUBLISHED)
    labels = published_profile(label_means(entry, test_set))
    if not labels.n.any():
        return Score(entry, test_set, Estimate(0, 0, None), NOTHING)
    n_cases = results["n_cases"] if isinstance(results["n_cases"], int) else 0
    return Score(entry, test_set, Estimate(n_cases, int(labels.n.sum()), labels.score), LABELS)


def label_profile(board: Board, entry: Entry, test_set: TestSet) -> LabelProfile:
    """Return how well each label is segmented, with losses if the cases are known."""
    paired = cases_of(board, entry, test_set)
    return published_profile(label_means(entry, test_set)) if paired is None else profile(paired, entry.slug)


def label_means(entry: Entry, test_set: TestSet) -> Mapping[str, Mapping[str, object]]:
    """Return the means by label that a record tells; empty without any."""
    found: Mapping[str, Mapping[str, object]] = entry.on(test_set.name).get("labels", {})
    return found


def cases_of(board: Board, entry: Entry, test_set: TestSet) -> PairedScores | None:
    """Return the scores of the cases of a test set with those of a submission; `None` if it is not ranked there."""
    paired = board.paired(test_set.name)
    return paired if paired is not None and entry.slug in paired.slugs else None


def origin(board: Board, entry: Entry, test_set: TestSet) -> tuple[str, ...]:
    """Return what all that follows from `cases_of` can be kept by."""
    paired = board.paired(test_set.name)
    # What is known of the cases themselves comes with the first submission.
    first = board.entry(paired.slugs[0]) if paired is not None else None
    return (test_set.name, entry.digest, first.digest if first else "")
