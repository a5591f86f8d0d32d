"""Where submissions stand on private test sets: worked out from the private store, and what of it may be told.

The reader to be wary of is that of `hosting.disclosure.results`: they choose predictions at will and read everything
that is published. What is published here beyond the records, and why it may be:

- Ranks, rank intervals, P(rank 1), rank frequencies and Kendall's τ, over all cases, to two digits. They tell how two
  means over all cases compare, both of which are published; a submission whose Mean of Vertebrae is not published,
  because too few cases contribute to it, is not ranked. Official metric and HD95 over the whole spine alone: a region
  would be a slice of the cases.
- Ranks count by the digits that are published: by all of them, two submissions that differ in one case would tell which
  prediction of it is better. How often one is ahead of the other in resamples would tell even more: of two cases, by
  how much the one counts more than the other. So resamples do not part submissions whose difference is the doing of
  few cases, as the p%-rule has it.
- Of rank-then-mean neither more than one digit of the score nor frequencies: a case counts a whole rank there, and they
  would tell, to who changes one case, against how many others it was won.
- Intervals of Mean of Vertebrae to the digits of the means, unless their width is the doing of few cases: the only case
  with a label that is not published moves the mean by a share of its own score when it is left out.
- How many cases have to be removed to change the leader, never which; not who leads without which case.
- Of the domain gap, over the labels alone whose means are published (their sum over vertebrae follows from those means
  and their n): its intervals, under the same rule; the mean losses by cause, all three or none, under the rules for the
  losses of the record, and only beside those, which are about the other labels as well; and the mean DSC by source.
  Hidden sources take their next-smallest sibling with them; the number of cases is that of the record, which may hide
  another. No source is told that some labels nearly make up, or the sum over it less theirs would be about the cases in
  which they differ. No other strata: each would be another way to slice the same cases, and two may differ by one.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import chain, combinations
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
from scipy.sparse.csgraph import connected_components

from ctspine_bench.anatomy import VERTEBRAE, vertebra_label
from ctspine_bench.board.condensed import largest_group
from ctspine_bench.board.private_file import NOTHING, PrivateStandings, PrivateTestSet
from ctspine_bench.domain_gap import gap_intervals
from ctspine_bench.errors import SubmissionError
from ctspine_bench.hosting.disclosure.suppression import (
    DOMINANCE,
    THRESHOLD,
    Measure,
    few,
    hidden_cells,
    rounded,
    tells_no_case,
)
from ctspine_bench.rankings import mean_then_rank
from ctspine_bench.rankings.paired import LOSSES, PairedScores, joined, label_counts, pair
from ctspine_bench.rankings.schemes import SCHEMES
from ctspine_bench.rankings.standings import Standings, standings
from ctspine_bench.testsets import SOURCES

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from numpy.typing import NDArray

    from ctspine_bench.board.board import Board
    from ctspine_bench.board.entries import Entry
    from ctspine_bench.hosting.store import PrivateStore, StoredScores
    from ctspine_bench.submissions.records import Record

_METRICS: Final = ("dsc", "hd95_mm")
_DIGITS: Final = 2
_SCORE_DIGITS: Final = 3
# Numbers of one case that differ by less are the same but for rounding.
_SAME: Final = 1e-9
_DSC: Final = Measure("dsc", _SCORE_DIGITS)
# An error is the root of a sum of squares: who knows the sum to within this share knows the root to within a tenth.
_IN_SQUARES: Final = (1 + DOMINANCE) ** 2 - 1
_LOSSES: Final = {name: Measure(name, _SCORE_DIGITS, known=1.0 if name == "loss_missed" else 0.0) for name in LOSSES}


def private_standings(board: Board, store: PrivateStore) -> PrivateStandings:
    """Return what may be told of the private test sets of a board.

    Ranked are the submissions that the board counts as complete and current, and whose cases are in the store as their
    records have them.

    Raises:
        SubmissionError: `E_RECORD`, scores in the store cannot be read.
    """
    private = [test_set.name for test_set in board.test_sets if test_set.private]
    return PrivateStandings({name: _of_test_set(board, name, store) for name in private})


def _of_test_set(board: Board, test_set: str, store: PrivateStore) -> PrivateTestSet:
    ranked = [entry for entry in board.entries if board.status(entry, test_set) == "ranked"]
    parts = [part for entry in ranked if (part := _scores(board.record(entry.slug), test_set, store))]
    if not parts:
        return NOTHING
    paired = joined(largest_group(parts))
    public = board.paired(test_set.replace("private", "public"))
    told = [entry for entry in ranked if entry.slug in paired.slugs]
    made = [_told(paired, scheme, metric) for scheme in SCHEMES for metric in _METRICS]
    return PrivateTestSet(
        digests={entry.slug: entry.digest for entry in told},
        # With too few cases for a test, nobody has a significance rank.
        standings={(one.scheme, one.metric, one.region): one for one in made if one.rows},
        gaps={entry.slug: _gap(entry, test_set, public, paired) for entry in told},
    )


def _scores(record: Record, test_set: str, store: PrivateStore) -> PairedScores | None:
    """Return the scores out of the store that a record was made from, `None` if they are not there any more."""
    try:
        scores = store.scores_of(record.slug, record.declaration_sha256)
        if scores is None or not _made(record, scores, test_set):
            return None
        rows = scores.private[scores.private["test_set"] == test_set]
        return pair({record.slug: rows}) if len(rows) else None
    except SubmissionError:
        raise
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise SubmissionError(
            "E_RECORD",
            record.slug,
            expected="its scores in the private store",
            found=f"files that cannot be read ({type(error).__name__})",
            advice="Score the submission again with `ctspine-bench submission score --private-store`.",
        ) from None


def _made(record: Record, scores: StoredScores, test_set: str) -> bool:
    """Whether a record was made from these scores: of the same predictions and references, by the same scorer."""
    one, other = (results.get("provenance", {}) for results in (record.results or {}, scores.results))
    same_files = one.get("digests", {}).get(test_set) == other.get("digests", {}).get(test_set)
    return bool(same_files and one.get("engine_sha256") == other.get("engine_sha256"))


def _told(paired: PairedScores, scheme: str, metric: str) -> Standings:
    """Return standings with the digits that may be told, and without anything about single cases."""
    found = standings(paired, scheme, metric, as_told=True, alike=_alike(paired, metric))
    of_means = not SCHEMES[scheme].ranks
    digits = SCHEMES[scheme].digits(metric)
    safe = _safe_intervals(paired, metric) if of_means else frozenset()
    rows = tuple(
        replace(
            row,
            score=round(row.score, digits),
            score_low=rounded(row.score_low, digits) if row.slug in safe else None,
            score_high=rounded(row.score_high, digits) if row.slug in safe else None,
            p_first=rounded(row.p_first, _DIGITS) if of_means else None,
            frequencies=tuple(round(share, _DIGITS) for share in row.frequencies) if of_means else (),
        )
        for row in found.rows
    )
    stability = found.stability
    tau = stability.kendall_tau
    return replace(
        found,
        rows=rows,
        stability=replace(
            stability,
            kendall_tau=tau and (round(tau[0], _DIGITS), round(tau[1], _DIGITS), round(tau[2], _DIGITS)),
            leave_one_out_leaders={},
            removal=stability.removal and replace(stability.removal, case_ids=(), new_leader=None),
        ),
    )


def _alike(paired: PairedScores, metric: str) -> NDArray[np.int64]:
    """Return a number for each submission, `(S,)`: the same where few cases make the difference, also by way of others.

    What a case contributes is how much its vertebrae, at least, would change Mean of Vertebrae.
    """
    reference = paired.reference
    values = paired.measures[metric] / label_counts(paired)[reference.label - 1, None]
    starts = np.flatnonzero(np.diff(reference.case, prepend=-1))
    n = len(paired.slugs)
    near = np.zeros((n, n), np.bool_)
    for i in range(n):
        differences = np.add.reduceat(np.abs(values - values[:, [i]]), starts, axis=0)
        near[i] = _of_few(differences, DOMINANCE)
    groups: NDArray[np.int64] = connected_components(near, directed=False)[1].astype(np.int64)
    return groups


def _safe_intervals(paired: PairedScores, metric: str) -> frozenset[str]:
    """Return the submissions whose interval of Mean of Vertebrae is not the doing of few cases."""
    without_one = mean_then_rank.resampled(paired, metric, "all", 1.0 - np.eye(paired.n_cases))
    of_few = _of_few((without_one - without_one.mean(axis=0)) ** 2, _IN_SQUARES)
    return frozenset(slug for slug, unsafe in zip(paired.slugs, of_few, strict=True) if not unsafe)


def _of_few(contributions: NDArray[np.float64], share: float) -> NDArray[np.bool_]:
    """Return whether four others who know what they contribute learn the largest to within a share of it.

    Args:
        contributions: `(cases, …)`, not negative; where they are nothing but rounding, there is nothing to learn.
        share: Of the largest one.
    """
    ordered = np.sort(contributions, axis=0)[::-1]
    found: NDArray[np.bool_] = ordered[THRESHOLD - 1 :].sum(axis=0) < share * ordered[0]
    found &= ordered[0] > _SAME**2
    return found


def _gap(entry: Entry, test_set: str, public: PairedScores | None, private: PairedScores) -> dict[str, Any]:
    results = entry.on(test_set)
    told = [
        vertebra_label(name)
        for name in VERTEBRAE
        if isinstance(results["labels"].get(name, {}).get("n"), int) and results["labels"][name]["dsc"] is not None
    ]
    of_all = private.of(entry.slug)
    one = of_all.of_labels(told)
    rows = _rows(of_all)
    rows, others = rows[rows["label"].isin(told)], rows[~rows["label"].isin(told)]
    may_be_told = bool(len(rows)) and tells_no_case(rows, _DSC)
    intervals = None
    if may_be_told and public is not None and entry.slug in public.slugs and not _spread_by_few(rows):
        found = gap_intervals(public, one, entry.slug)
        # Added to 0, a rounded −0 is one as well.
        intervals = found and {
            name: (round(low, _SCORE_DIGITS) + 0.0, round(high, _SCORE_DIGITS) + 0.0)
            for name, (low, high) in found.items()
        }
    with_losses = may_be_told and None not in results["loss"].values()
    return {
        "intervals": intervals,
        "losses": _losses(rows, others) if with_losses else None,
        "sources": _sources(rows, results["sources"]),
    }


def _spread_by_few(rows: pd.DataFrame) -> bool:
    """Whether few cases decide how wide the interval of the mean over these vertebrae is."""
    deviations = (rows["dsc"] - rows["dsc"].mean()).groupby(rows["case_id"]).sum()
    return bool(_of_few(deviations.to_numpy(float) ** 2, _IN_SQUARES))


def _rows(one: PairedScores) -> pd.DataFrame:
    """Return one row for each vertebra of one submission, each with the same weight."""
    reference = one.reference
    sources = np.array([source if source in SOURCES else "" for source in reference.sources], object)
    return pd.DataFrame(
        {
            "case_id": np.array(reference.case_ids, object)[reference.case],
            "source": sources[reference.case],
            "label": reference.label,
            "dsc": one.measures["dsc"][:, 0],
            **{loss: one.measures[loss][:, 0] for loss in LOSSES},
            "weight": 1.0,
        }
    )


def _losses(rows: pd.DataFrame, others: pd.DataFrame) -> dict[str, float] | None:
    """Return the mean losses by cause; none at all if one of them is the doing of few cases.

    Args:
        rows: The vertebrae that they are about.
        others: Those that the losses of the record are about as well.
    """
    for name, measure in _LOSSES.items():
        for some in (rows, others):
            in_few = few(some.loc[some[name] > _SAME, "case_id"].nunique())
            if in_few or (len(some) and not tells_no_case(some, measure)):
                return None
    return {name: round(float(rows[name].mean()), _SCORE_DIGITS) for name in LOSSES}


def _sources(rows: pd.DataFrame, recorded: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the mean DSC by source, of those whose number of cases the record tells."""
    cells = {source: rows[rows["source"] == source] for source in (*SOURCES, "")}
    counts = {source: recorded[source]["n_cases"] for source in SOURCES if source in recorded}
    unsafe = {
        source
        for source, cell in cells.items()
        if len(cell) and not (isinstance(counts.get(source, 0), int) and tells_no_case(cell, _DSC))
    }
    hidden = _hidden_sources(cells, unsafe)
    return {
        source: {
            "n_cases": n_cases,
            "dsc": None
            if source in hidden or not len(cells[source])
            else round(float(cells[source]["dsc"].mean()), _SCORE_DIGITS),
        }
        for source, n_cases in counts.items()
    }


def _hidden_sources(cells: Mapping[str, pd.DataFrame], unsafe: Collection[str]) -> frozenset[str]:
    hidden = hidden_cells(cells, unsafe, _may_be_told)
    while near := next(_nearly_labels(cells, hidden), None):
        smallest = min(near, key=lambda source: cells[source]["case_id"].nunique())
        hidden = hidden_cells(cells, hidden | {smallest}, _may_be_told)
    return hidden


def _may_be_told(rows: pd.DataFrame) -> bool:
    return tells_no_case(rows, _DSC)


def _nearly_labels(cells: Mapping[str, pd.DataFrame], hidden: frozenset[str]) -> Iterator[tuple[str, ...]]:
    """Find sources whose sum may be about the same vertebrae as the sum of some labels, but for those of few cases.

    It is not if a label is in five cases of these sources and in five others: with the label or without it, five cases
    are in one of the sums alone. That holds for any other combination of the sums as well. Sources that share no label
    with others are the sum of theirs exactly, which tells nothing.
    """
    told = [source for source in SOURCES if source not in hidden and len(cells[source])]
    n_cases = pd.DataFrame({source: cell.groupby("label")["case_id"].nunique() for source, cell in cells.items()})
    n_cases = n_cases.fillna(0)
    for some in chain.from_iterable(combinations(told, size) for size in range(1, len(told) + 1)):
        of_both = np.minimum(n_cases[list(some)].sum(axis=1), n_cases.drop(columns=list(some)).sum(axis=1))
        if 0 < of_both.max() < THRESHOLD:
            yield some
