"""What a comparison of methods says: plain records, which every output draws."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ctspine_bench.own_runs.averages import MEAN_OF_VERTEBRAE, OVER_VERTEBRAE, PER_CASE, SPINE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ctspine_bench.own_runs.methods import Kind
    from ctspine_bench.rankings.differences import Difference
    from ctspine_bench.rankings.pairwise import PairwiseTest

MEANS: Final = (MEAN_OF_VERTEBRAE, PER_CASE, OVER_VERTEBRAE, SPINE)
"""The means of a method; the spine has one where all regions count."""

DIFFERENCE: Final = "difference"
"""Of two methods in Mean of Vertebrae, in `OwnComparison.coverage`."""


@dataclass(frozen=True)
class Spread:
    """The mean of n runs or folds, and their standard deviation (with n − 1)."""

    n: int
    mean: float
    sd: float


@dataclass(frozen=True)
class Score:
    """A mean of a method by one metric.

    Attributes:
        n: Over how many cases, of the run for which it is over the fewest.
        value: On all cases, averaged over runs; `None` if no case counts.
        low: Lower end of its 95 % interval; `None` under ten cases, and of a label.
        high: Upper end.
        spread: Over runs or folds; `None` with fewer than two that have a mean.
    """

    n: int
    value: float | None
    low: float | None = None
    high: float | None = None
    spread: Spread | None = None


@dataclass(frozen=True)
class MethodResult:
    """How good a method is.

    Attributes:
        name: What it is called.
        kind: One run alone, several on the same cases, or folds.
        n_runs: How many runs or folds.
        rank: By Mean of Vertebrae; ties, which HD95 (or DSC) does not break, share one.
        rank_low: The best rank that it is compatible with, jointly for all methods.
        rank_high: The worst such rank.
        p_first: In which share of draws it is first; `None` under ten cases.
        per_case_rank: Its rank by the mean over cases.
        means: One of `MEANS` → metric → score.
        labels: Vertebra → metric → score, of those that count for any method.
    """

    name: str
    kind: Kind
    n_runs: int
    rank: int
    rank_low: int
    rank_high: int
    p_first: float | None
    per_case_rank: int
    means: Mapping[str, Mapping[str, Score]]
    labels: Mapping[str, Mapping[str, Score]]


@dataclass(frozen=True)
class LabelDifference:
    """One label of a pair: over how many cases it is for each, both means, and their difference."""

    n: tuple[int, int]
    means: tuple[float, float]
    difference: Difference


@dataclass(frozen=True)
class PairResult:
    """By how much one method differs from another, the first less the second.

    Attributes:
        one: The first.
        other: The second.
        mean: In Mean of Vertebrae.
        test: On per-case means, corrected.
        labels: Vertebra → difference, of those that both have.
    """

    one: str
    other: str
    mean: Difference
    test: PairwiseTest
    labels: Mapping[str, LabelDifference]


@dataclass(frozen=True)
class OwnComparison:
    """Some methods on the same cases.

    Attributes:
        title: What people call the test set.
        n_cases: How many cases have a vertebra of the region in their reference.
        n_labels: Vertebra → how many references have it; those of the region that one has.
        metric: What is compared by.
        region: Which vertebrae.
        engine_version: Of the rule.
        draws: How many draws `p_first` is from.
        methods: As they were given.
        pairs: Those that are compared.
        corrected_for: For how many tests the p values are corrected.
        against_best: Whether each is compared with the best alone.
        coverage: Of `MEANS`, and `DIFFERENCE` → in which share of simulations 95 % intervals cover, where they miss it.
        notes: What a reader has to know about how methods were scored.
    """

    title: str
    n_cases: int
    n_labels: Mapping[str, int]
    metric: str
    region: str
    engine_version: int
    draws: int
    methods: tuple[MethodResult, ...]
    pairs: tuple[PairResult, ...]
    corrected_for: int
    against_best: bool
    coverage: Mapping[str, float]
    notes: tuple[str, ...]
