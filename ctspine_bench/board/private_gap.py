"""What may be told of the domain gap on a private test set, to the reader of `hosting.disclosure.results`.

It is over the labels alone whose means are published; their sum over vertebrae follows from those means and their n.

- Its intervals, unless few cases decide how wide they are.
- The mean losses by cause, all or none, under the rules for the losses of the record, and only beside those,
  which are about the other labels as well.
- The mean DSC by source. Hidden sources take their next-smallest sibling with them; the number of cases is that of the
  record, which may hide another. No source is told that some labels nearly make up: the sum over it less theirs would
  be about the cases in which they differ.
- No other strata: each would be another way to slice the same cases, and two slices may differ by one.
"""

from __future__ import annotations

from itertools import chain, combinations
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from ctspine_bench.anatomy import LABELS, VERTEBRAE, vertebra_label
from ctspine_bench.domain_gap import gap_intervals
from ctspine_bench.hosting.disclosure.suppression import (
    SQUARED_DOMINANCE,
    THRESHOLD,
    Measure,
    few,
    hidden_cells,
    made_by_few,
    tells_no_case,
)
from ctspine_bench.rankings.paired import LOSSES
from ctspine_bench.testsets import SOURCES

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from ctspine_bench.board.entries import Entry
    from ctspine_bench.rankings.paired import PairedScores

_SCORE_DIGITS: Final = 3
# Numbers of one case that differ by less are the same but for rounding.
_SAME: Final = 1e-9
_DSC: Final = Measure("dsc", _SCORE_DIGITS)
_LOSSES: Final = {name: Measure(name, _SCORE_DIGITS, known=1.0 if name == "loss_missed" else 0.0) for name in LOSSES}


def told_gap(entry: Entry, test_set: str, public: PairedScores | None, private: PairedScores) -> dict[str, Any]:
    """Return what may be told of the domain gap of a submission: its "intervals", "losses" and "sources".

    Args:
        entry: The submission.
        test_set: The private test set.
        public: Scores on the public set of the same benchmark.
        private: Scores on the private one.
    """
    results = entry.on(test_set)
    told = [
        vertebra_label(name)
        for name in VERTEBRAE
        if isinstance(results["labels"].get(name, {}).get("n_reference"), int)
        and results["labels"][name]["dsc"] is not None
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
    deviations = ((rows["dsc"] - _mean(rows, "dsc")) * rows["weight"]).groupby(rows["case_id"]).sum()
    return bool(made_by_few(deviations.to_numpy(float) ** 2, SQUARED_DOMINANCE))


def _rows(one: PairedScores) -> pd.DataFrame:
    """Return one row for each vertebra of one submission; a label weighs as often as the references have it."""
    vertebrae = one.vertebrae
    sources = np.array([source if source in SOURCES else "" for source in vertebrae.sources], object)
    in_reference = np.bincount(vertebrae.label[vertebrae.in_reference], minlength=len(LABELS) + 1)
    in_either = np.maximum(np.bincount(vertebrae.label, minlength=len(LABELS) + 1), 1)
    return pd.DataFrame(
        {
            "case_id": np.array(vertebrae.case_ids, object)[vertebrae.case],
            "source": sources[vertebrae.case],
            "label": vertebrae.label,
            "dsc": one.measures["dsc"][:, 0],
            **{loss: one.measures[loss][:, 0] for loss in LOSSES},
            "weight": (in_reference / in_either)[vertebrae.label],
        }
    )


def _mean(rows: pd.DataFrame, name: str) -> float:
    return float((rows[name] * rows["weight"]).sum() / rows["weight"].sum())


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
    return {name: round(_mean(rows, name), _SCORE_DIGITS) for name in LOSSES}


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
            else round(_mean(cells[source], "dsc"), _SCORE_DIGITS),
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
