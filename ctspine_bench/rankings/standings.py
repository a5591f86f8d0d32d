"""The standings of one test set by one scheme: ranks, how sure they are, and what they hang on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from ctspine_bench.jackknife import DRAWS, SEED, SMALLEST_N, uncertainty
from ctspine_bench.rankings import mean_then_rank, rank_then_mean, removal, stability
from ctspine_bench.rankings.coverage import measured_coverage
from ctspine_bench.rankings.intervals import RankInterval, rank_limits, ranks_of, surely_better
from ctspine_bench.rankings.paired import METRICS, case_means, counted, pair
from ctspine_bench.rankings.removal import Removal
from ctspine_bench.rankings.schemes import OFFICIAL, SCHEMES

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from numpy.typing import NDArray

    from ctspine_bench.rankings.paired import PairedScores


@dataclass(frozen=True)
class Standing:
    """Where one submission stands.

    Attributes:
        slug: The submission.
        rank: 1 + the number of better submissions; ties share a rank.
        low: The best rank that it is compatible with; `None` where the scheme has no intervals.
        high: The worst such rank.
        score: The scheme's own: a mean of the metric, or a mean rank.
        score_low: Lower end of its 95 % interval; `None` under ten cases or where the scheme has none.
        score_high: Upper end.
        p_first: The share of draws in which it is first; who ties shares it. Draws are those of `jackknife`.
        frequencies: The shares of draws in which it has rank 1 … M; empty without draws.
        per_case: The mean over cases of the mean over a case's vertebrae; `None` where it is not told.
        per_case_rank: Its rank by that mean.
    """

    slug: str
    rank: int
    low: int | None
    high: int | None
    score: float
    score_low: float | None
    score_high: float | None
    p_first: float | None
    frequencies: tuple[float, ...]
    per_case: float | None = None
    per_case_rank: int | None = None


@dataclass(frozen=True)
class Stability:
    """What the order hangs on.

    Attributes:
        kendall_tau: Median and 95 % interval of τ_b between the ranking and those of draws; `None` without draws or
            with fewer than two submissions.
        leave_one_out_leaders: Submission → of how many rankings without one case it is the leader; empty where the
            scheme has no score over cases.
        removal: The smallest number of cases whose removal changes the leader; `None` with fewer than two
            submissions or where the scheme has no score over cases.
    """

    kendall_tau: tuple[float, float, float] | None
    leave_one_out_leaders: Mapping[str, int]
    removal: Removal | None


@dataclass(frozen=True)
class Standings:
    """The standings of one test set.

    Attributes:
        scheme: One of `SCHEMES`.
        metric: One of `METRICS`.
        region: One of `REGIONS`.
        n_cases: How many cases have a vertebra of the region in their reference.
        draws: How many draws rank frequencies are from.
        seed: Of the draws.
        coverage: How often 95 % intervals cover at this number of cases, as simulated for DSC of the whole spine;
            `None` where they do as they should, and where there are none.
        rows: The submissions, best first.
        stability: What the order hangs on.
    """

    scheme: str
    metric: str
    region: str
    n_cases: int
    draws: int
    seed: int
    coverage: float | None
    rows: tuple[Standing, ...]
    stability: Stability


def standings(
    paired: PairedScores,
    scheme: str = OFFICIAL[0],
    metric: str = OFFICIAL[1],
    region: str = OFFICIAL[2],
    *,
    draws: int = DRAWS,
    as_told: bool = False,
    alike: NDArray[np.int64] | None = None,
) -> Standings:
    """Rank submissions.

    Cases count that have a vertebra of the region in the reference or in a prediction. With under ten of the former
    nothing is sure: no score has an interval, and every rank interval goes from 1 to the number of submissions.

    Args:
        paired: The scores of those that are to be ranked.
        scheme: One of `SCHEMES`.
        metric: One of `METRICS`.
        region: One of `REGIONS`. Without a reference vertebra of it nobody is ranked.
        draws: How many draws.
        as_told: Rank by the digits that are told of scores where more would tell about single cases
            (`Scheme.digits`): who is better by less shares a rank.
        alike: `(S,)` a number for each submission, in the order of their slugs: those with the same one are not told
            apart in draws, where how often one is ahead would tell what makes the difference.
    """
    if list(paired.slugs) != sorted(paired.slugs):
        paired = paired.of(*sorted(paired.slugs))
    paired, n_cases = counted(paired, region)
    rule = SCHEMES[scheme]
    scores = rule.scores(paired, metric, region) if n_cases else np.array([np.nan])
    if np.isnan(scores).any():
        return Standings(scheme, metric, region, n_cases, draws, SEED, None, (), Stability(None, {}, None))
    sign = 1.0 if rule.larger_is_better(metric) else -1.0
    oriented = np.round(sign * scores, rule.digits(metric)) if as_told else sign * scores
    ranks = ranks_of(oriented, _tie_breaks(paired, scheme, metric, region, as_told=as_told))
    rows = _bare_rows(paired, ranks, scores, metric, region)
    if rule.left_out is None or rule.weights is None:
        none = Stability(None, {}, None)
        return Standings(scheme, metric, region, n_cases, draws, SEED, None, _sorted(rows), none)
    left_out = rule.left_out(paired, metric, region)
    leaders = _leave_one_out(paired, sign * left_out[~np.isnan(left_out).any(axis=1)])
    lead = _removal(paired, scheme, metric, region, int(np.argmin(ranks)))
    same = np.eye(len(scores), dtype=np.bool_) if alike is None else alike[:, None] == alike
    if as_told and (same[np.argmin(ranks)] | (oriented == oriented.max())).sum() > 1:
        lead = Removal(0, exact=True)
    if n_cases < SMALLEST_N:
        rows = [replace(row, low=1, high=len(rows)) for row in rows]
        few = Stability(None, leaders, lead)
        return Standings(scheme, metric, region, n_cases, draws, SEED, None, _sorted(rows), few)
    uncertain = uncertainty(scores, left_out, rule.weights(paired, region))
    noise = uncertain.noise(draws)
    # The mean of those that are not told apart stands for each of them.
    drawn = sign * uncertain.drawn(scores, noise)
    low, high = stability.rank_ranges(drawn if alike is None else drawn @ (same / same.sum(axis=0)))
    sure = surely_better(sign * scores, uncertain, noise) & ~same
    bounds = (1.0, float(len(scores))) if rule.ranks else METRICS[metric].bounds
    rows = _with_intervals(rows, uncertain.intervals(scores, bounds), sure, stability.rank_frequencies(low, high))
    simulated = (metric, region) == OFFICIAL[1:]
    coverage = measured_coverage(n_cases, "mean_rank" if rule.ranks else "mean_of_vertebrae") if simulated else None
    of_order = Stability(_tau(ranks, low), leaders, lead)
    return Standings(scheme, metric, region, n_cases, draws, SEED, coverage, _sorted(rows), of_order)


def rank_intervals(tables: Mapping[str, pd.DataFrame], *, as_told: bool = False) -> dict[str, RankInterval]:
    """Rank submissions by the official scheme.

    Args:
        tables: Slug → case table (`tables.COLUMNS`) of one test set, of those that are to be ranked: complete ones.
        as_told: As for `standings`.

    Raises:
        SubmissionError: E_RECORD, the tables are not about the same cases and reference vertebrae.
    """
    if not tables:
        return {}
    found = {row.slug: row for row in standings(pair(tables), as_told=as_told).rows}
    return {
        slug: RankInterval(row.rank, row.low or 1, row.high or len(found), len(found))
        for slug, row in ((slug, found[slug]) for slug in tables)
    }


def scheme_agreement(paired: PairedScores, metric: str, region: str) -> dict[tuple[str, str], float]:
    """Return Kendall's τ_b between the rankings of each two schemes; NaN where one of them is one tie or empty."""
    ranks = {}
    for name, scheme in SCHEMES.items():
        scores = scheme.scores(paired, metric, region)
        sign = 1.0 if scheme.larger_is_better(metric) else -1.0
        ranks[name] = ranks_of(sign * scores, _tie_breaks(paired, name, metric, region))
    return {
        (one, other): float(stability.kendall_tau(ranks[one], ranks[other][None])[0])
        for one, other in combinations(ranks, 2)
    }


def _bare_rows(
    paired: PairedScores, ranks: NDArray[np.int64], scores: NDArray[np.float64], metric: str, region: str
) -> list[Standing]:
    per_case = np.nanmean(case_means(paired, metric, region), axis=0)
    oriented = per_case if METRICS[metric].larger_is_better else -per_case
    per_case_ranks = ranks_of(oriented)
    columns = (ranks.tolist(), scores.tolist(), per_case.tolist(), per_case_ranks.tolist())
    return [
        Standing(slug, rank, None, None, score, None, None, None, (), mean, mean_rank)
        for slug, rank, score, mean, mean_rank in zip(paired.slugs, *columns, strict=True)
    ]


def _with_intervals(
    rows: list[Standing],
    ends: NDArray[np.float64],
    sure: NDArray[np.bool_],
    frequencies: NDArray[np.float64],
) -> list[Standing]:
    lows, highs = rank_limits(np.array([row.rank for row in rows]), sure)
    return [
        replace(
            row,
            low=lows[i],
            high=highs[i],
            score_low=float(ends[0, i]),
            score_high=float(ends[1, i]),
            p_first=float(frequencies[i, 0]),
            frequencies=tuple(frequencies[i].tolist()),
        )
        for i, row in enumerate(rows)
    ]


def _tie_breaks(
    paired: PairedScores, scheme: str, metric: str, region: str, *, as_told: bool = False
) -> NDArray[np.float64]:
    if scheme != OFFICIAL[0]:
        return np.zeros(len(paired.slugs))
    found = mean_then_rank.tie_breaks(paired, metric, region)
    other = mean_then_rank.TIE_BREAKERS.get(metric)
    return np.round(found, SCHEMES[scheme].digits(other)) if as_told and other else found


def _tau(ranks: NDArray[np.int64], resampled: NDArray[np.int64]) -> tuple[float, float, float] | None:
    tau = stability.kendall_tau(ranks, resampled)
    tau = tau[~np.isnan(tau)]
    if not tau.size:
        return None
    median, low, high = np.percentile(tau, [50, 2.5, 97.5])
    return float(median), float(low), float(high)


def _leave_one_out(paired: PairedScores, oriented: NDArray[np.float64]) -> dict[str, int]:
    """Return how often each leads when one case is left out; `oriented` is `(n, S)`, the larger the better."""
    low, _ = stability.rank_ranges(oriented)
    counts = (low == 1).sum(axis=0)
    return {slug: int(n) for slug, n in zip(paired.slugs, counts, strict=True) if n}


def _removal(paired: PairedScores, scheme: str, metric: str, region: str, leader: int) -> Removal | None:
    if len(paired.slugs) < 2:
        return None
    if scheme == OFFICIAL[0]:
        return removal.of_mean_of_vertebrae(paired, metric, region, leader)
    return removal.of_case_mean(-rank_then_mean.case_ranks(paired, metric, region), paired, leader)


def _sorted(rows: list[Standing]) -> tuple[Standing, ...]:
    return tuple(sorted(rows, key=lambda row: (row.rank, row.slug)))
