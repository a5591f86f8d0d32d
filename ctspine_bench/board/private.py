"""Where submissions stand on a private test set: worked out from the private store, and what of it may be told.

The reader to be wary of is that of `hosting.disclosure.results`: they choose predictions at will and read everything
that is published. What is published here beyond the records, and why it may be:

- Ranks, rank intervals, P(rank 1), rank frequencies and Kendall's τ, over all cases, to two digits. They tell how two
  means over all cases compare, both of which are published; a submission whose Mean of Vertebrae is not published,
  because too few cases contribute to it, is not ranked. Official metric and HD95 over the whole spine alone: a region
  would be a slice of the cases, and the score of rank-then-mean would tell, to who changes one case, against how many
  others it was won.
- Intervals of Mean of Vertebrae to the digits of the means: they are wide where few cases decide, and then there is no
  mean.
- How many cases have to be removed to change the leader, never which; not who leads without which case.
- Of the domain gap, over the labels alone whose means are published (their sum over vertebrae follows from those means
  and their n): its intervals; the mean losses by cause, all three or none, under the rules for the losses of the
  record; and the mean DSC by source, of which hidden ones take their next-smallest sibling with them. No other strata:
  each would be another way to slice the same cases, and two slices may differ by one.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from ctspine_bench.anatomy import VERTEBRAE, vertebra_label
from ctspine_bench.board.standings_file import to_document
from ctspine_bench.domain_gap import gap_intervals
from ctspine_bench.hosting.disclosure.suppression import Measure, count, few, hidden_cells, tells_no_case
from ctspine_bench.rankings.paired import LOSSES, METRICS, PairedScores, joined, pair, same_vertebrae
from ctspine_bench.rankings.schemes import OFFICIAL, SCHEMES
from ctspine_bench.rankings.standings import Standings, standings
from ctspine_bench.testsets import SOURCES

if TYPE_CHECKING:
    from ctspine_bench.board.board import Board
    from ctspine_bench.board.entries import Entry
    from ctspine_bench.hosting.store import PrivateStore

_METRICS: Final = ("dsc", "hd95_mm")
_DIGITS: Final = 2
_SCORE_DIGITS: Final = 3
# Numbers of one case that differ by less are the same but for rounding.
_SAME: Final = 1e-9
_DSC: Final = Measure("dsc", _SCORE_DIGITS)


def private_part(board: Board, test_set: str, store: PrivateStore) -> dict[str, Any]:
    """Return what standings.json says about a private test set.

    Ranked are the submissions that the board counts as complete and current, and whose cases are in the store.
    """
    ranked = [entry for entry in board.entries if board.status(entry, test_set) == "ranked"]
    paired = _paired(ranked, test_set, board, store)
    if paired is None:
        return {"private": True, "entries": {}, "standings": [], "domain_gap": {}}
    public = board.paired(test_set.replace("private", "public"))
    digests = {entry.slug: entry.digest for entry in ranked if entry.slug in paired.slugs}
    made = [standings(paired, scheme, metric) for scheme in SCHEMES for metric in _METRICS]
    return {
        "private": True,
        "entries": digests,
        "standings": [to_document(_told(one)) for one in made],
        "domain_gap": {entry.slug: _gap(entry, test_set, public, paired) for entry in ranked if entry.slug in digests},
    }


def _paired(entries: list[Entry], test_set: str, board: Board, store: PrivateStore) -> PairedScores | None:
    """Return the scores out of the store, of those that are about the same vertebrae."""
    parts: list[PairedScores] = []
    for entry in entries:
        record = board.record(entry.slug)
        scores = store.scores_of(entry.slug, record.declaration_sha256)
        if scores is None:
            continue
        rows = scores.private[scores.private["test_set"] == test_set]
        if len(rows):
            parts.append(pair({entry.slug: rows}))
    fitting = [part for part in parts if same_vertebrae(part.reference, parts[-1].reference)]
    return joined(fitting) if fitting else None


def _told(found: Standings) -> Standings:
    """Return standings with the digits that may be told, and without anything about single cases."""
    is_mean = found.scheme == OFFICIAL[0]
    digits = METRICS[found.metric].digits if is_mean else 1
    rows = tuple(
        replace(
            row,
            score=round(row.score, digits),
            score_low=_rounded(row.score_low, digits) if is_mean else None,
            score_high=_rounded(row.score_high, digits) if is_mean else None,
            p_first=_rounded(row.p_first, _DIGITS),
            frequencies=tuple(round(share, _DIGITS) for share in row.frequencies),
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


def _gap(entry: Entry, test_set: str, public: PairedScores | None, private: PairedScores) -> dict[str, Any]:
    labels = entry.on(test_set)["labels"]
    told = [
        vertebra_label(name)
        for name in VERTEBRAE
        if isinstance(labels.get(name, {}).get("n"), int) and labels[name]["dsc"] is not None
    ]
    one = private.of(entry.slug).of_labels(told)
    rows = _rows(one)
    may_be_told = bool(len(rows)) and tells_no_case(rows, _DSC)
    intervals = None
    if may_be_told and public is not None and entry.slug in public.slugs:
        found = gap_intervals(public, one, entry.slug)
        intervals = found and {
            name: (round(low, _SCORE_DIGITS), round(high, _SCORE_DIGITS)) for name, (low, high) in found.items()
        }
    return {
        "intervals": intervals,
        "losses": _losses(rows) if may_be_told else None,
        "sources": _sources(rows, one),
    }


def _rows(one: PairedScores) -> pd.DataFrame:
    """Return one row for each vertebra of one submission, each with the same weight."""
    reference = one.reference
    sources = np.array([source if source in SOURCES else "" for source in reference.sources], object)
    return pd.DataFrame(
        {
            "case_id": np.array(reference.case_ids, object)[reference.case],
            "source": sources[reference.case],
            "dsc": one.measures["dsc"][:, 0],
            **{loss: one.measures[loss][:, 0] for loss in LOSSES},
            "weight": 1.0,
        }
    )


def _losses(rows: pd.DataFrame) -> dict[str, float] | None:
    """Return the mean losses by cause; none at all if one of them is the doing of few cases."""
    known = {"loss_missed": 1.0}
    for loss in LOSSES:
        n_cases = rows.loc[rows[loss] > _SAME, "case_id"].nunique()
        if few(n_cases) or not tells_no_case(rows, Measure(loss, _SCORE_DIGITS, known.get(loss, 0.0))):
            return None
    return {loss: round(float(rows[loss].mean()), _SCORE_DIGITS) for loss in LOSSES}


def _sources(rows: pd.DataFrame, one: PairedScores) -> dict[str, dict[str, Any]]:
    cells = {source: rows[rows["source"] == source] for source in (*SOURCES, "")}
    unsafe = {source for source, cell in cells.items() if len(cell) and not tells_no_case(cell, _DSC)}
    hidden = hidden_cells(cells, unsafe, lambda cell: tells_no_case(cell, _DSC))
    found = {}
    for source in SOURCES:
        n_cases = sum(name == source for name in one.reference.sources)
        if not n_cases:
            continue
        dsc = None if source in hidden or not len(cells[source]) else float(cells[source]["dsc"].mean())
        found[source] = {
            "n_cases": count(n_cases, n_cases, hidden=source in hidden),
            "dsc": _rounded(dsc, _SCORE_DIGITS),
        }
    return found


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
