"""Where submissions stand on private test sets: worked out from the private store, and what of it may be told.

The reader to be wary of is that of `hosting.disclosure.results`: they choose predictions at will and read everything
that is published. What is published here beyond the records, and why it may be:

- Ranks, rank intervals, P(rank 1), rank frequencies and Kendall's τ, over all cases, to two digits. They tell how two
  means over all cases compare, both of which are published; a submission whose Mean of Vertebrae is not published,
  because too few cases contribute to it, is not ranked. Official metric and HD95 over the whole spine alone: a region
  would be a slice of the cases.
- Ranks count by the digits that are published: by all of them, two submissions that differ in one case would tell which
  prediction of it is better. How often one is ahead of the other in draws would tell even more: of two cases, by
  how much the one counts more than the other. So draws do not part submissions whose difference is the doing of few
  cases, as the p%-rule has it.
- Of rank-then-mean neither more than one digit of the score nor frequencies: a case counts a whole rank there, and they
  would tell, to who changes one case, against how many others it was won.
- Intervals of Mean of Vertebrae to the digits of the means, unless their width is the doing of few cases: the only case
  with a label that is not published moves the mean by a share of its own score when it is left out.
- Per-case means as the records tell them, and their ranks among those told.
- How many cases have to be removed to change the leader, never which; not who leads without which case.
- Of the domain gap what `private_gap` argues.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.sparse.csgraph import connected_components

from ctspine_bench.board.condensed import largest_group
from ctspine_bench.board.private_file import NOTHING, PrivateStandings, PrivateTestSet
from ctspine_bench.board.private_gap import told_gap
from ctspine_bench.errors import SubmissionError
from ctspine_bench.hosting.disclosure.suppression import SQUARED_DOMINANCE, made_by_few, rounded
from ctspine_bench.jackknife import uncertainty
from ctspine_bench.rankings import mean_then_rank
from ctspine_bench.rankings.paired import METRICS, PairedScores, joined, label_counts, pair
from ctspine_bench.rankings.schemes import SCHEMES
from ctspine_bench.rankings.standings import Standings, standings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from ctspine_bench.board.board import Board
    from ctspine_bench.board.entries import Entry
    from ctspine_bench.hosting.store import PrivateStore, StoredScores
    from ctspine_bench.submissions.records import Record

_METRICS: Final = ("dsc", "hd95_mm")
_DIGITS: Final = 2


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
    made = [
        _told(paired, scheme, metric, _per_case_ranks(told, test_set, metric))
        for scheme in SCHEMES
        for metric in _METRICS
    ]
    return PrivateTestSet(
        digests={entry.slug: entry.digest for entry in told},
        # With too few cases for a test, nobody has a significance rank.
        standings={(one.scheme, one.metric, one.region): one for one in made if one.rows},
        gaps={entry.slug: told_gap(entry, test_set, public, paired) for entry in told},
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
    return bool(same_files and one.get("engine_version") == other.get("engine_version"))


def _per_case_ranks(told: Sequence[Entry], test_set: str, metric: str) -> dict[str, tuple[float, int]]:
    """Return slug → the per-case mean that its record tells, and its rank among those told."""
    means = {entry.slug: entry.on(test_set)["per_case"][metric]["mean"] for entry in told}
    sign = 1 if METRICS[metric].larger_is_better else -1
    there = {slug: mean for slug, mean in means.items() if mean is not None}
    return {
        slug: (mean, 1 + sum(sign * (other - mean) > 0 for other in there.values())) for slug, mean in there.items()
    }


def _told(paired: PairedScores, scheme: str, metric: str, per_case: Mapping[str, tuple[float, int]]) -> Standings:
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
            per_case=per_case.get(row.slug, (None, None))[0],
            per_case_rank=per_case.get(row.slug, (None, None))[1],
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
    vertebrae = paired.vertebrae
    values = paired.measures[metric] / np.maximum(label_counts(paired), 1)[vertebrae.label - 1]
    starts = np.flatnonzero(np.diff(vertebrae.case, prepend=-1))
    n = len(paired.slugs)
    near = np.zeros((n, n), np.bool_)
    for i in range(n):
        differences = np.add.reduceat(np.abs(values - values[:, [i]]), starts, axis=0)
        near[i] = made_by_few(differences)
    groups: NDArray[np.int64] = connected_components(near, directed=False)[1].astype(np.int64)
    return groups


def _safe_intervals(paired: PairedScores, metric: str) -> frozenset[str]:
    """Return the submissions whose interval of Mean of Vertebrae is not the doing of few cases."""
    scores, left_out = (rule(paired, metric, "all") for rule in (mean_then_rank.scores, mean_then_rank.left_out))
    uncertain = uncertainty(scores, left_out, mean_then_rank.weights(paired, "all"))
    of_few = made_by_few(uncertain.moderation * uncertain.deviations**2, SQUARED_DOMINANCE)
    return frozenset(slug for slug, unsafe in zip(paired.slugs, of_few, strict=True) if not unsafe)
