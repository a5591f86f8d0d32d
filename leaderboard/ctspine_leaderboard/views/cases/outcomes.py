"""What became of every case in a submission, out of its case table.

A case table takes a twentieth of a second to read, and a board may have hundreds: what pages need of it is kept on
disk by the digest of the record, and in memory.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import astuple, dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ctspine_bench.aggregate import LOSS_COLUMNS, official_hd95_mm
from ctspine_bench.anatomy import LABELS
from ctspine_bench.board.cache import Cache, default_folder
from ctspine_bench.board.condensed import TEST_SETS
from ctspine_bench.errors import SubmissionError
from ctspine_bench.testsets import named
from ctspine_leaderboard.views.kept import Kept

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from ctspine_bench.board import Board, Entry

_MOST: Final = 1000
_KIND: Final = "cases"


@dataclass(frozen=True)
class Outcome:
    """What became of one case in one submission.

    Attributes:
        source: Where the case comes from; "" where unknown.
        dsc: Mean over its vertebrae in reference or prediction, missed and spurious ones 0; `None` without any.
        hd95_mm: Likewise, missed and spurious ones 100 mm, which is also the cap.
        labels: The reference vertebrae.
        missed: Those that the prediction does not have.
        spurious: Labels that only the prediction has.
        shift: The label shift; `None` without overlap.
        failure: Code of what was wrong with the prediction; "" if nothing was.
        losses: What of 1 − DSC is lost to each cause, in the order of `aggregate.LOSS_COLUMNS`; empty where not known.
    """

    source: str
    dsc: float | None
    hd95_mm: float | None
    labels: tuple[int, ...]
    missed: tuple[int, ...]
    spurious: tuple[int, ...]
    shift: int | None
    failure: str
    losses: tuple[float, ...] = ()


_kept: Kept[Mapping[str, Mapping[str, Outcome]]] = Kept(_MOST)


def outcomes(board: Board, entries: Sequence[Entry], test_set: str) -> dict[str, Mapping[str, Outcome]]:
    """Return slug → case id → what became of the case, of those submissions that have a case table of a test set.

    Args:
        board: The board.
        entries: Some of its submissions.
        test_set: The test set. Of a private one there is nothing.
    """
    if named(test_set).private:
        return {}
    concerned = [entry for entry in entries if not entry.problem and entry.on(test_set)]
    found = {entry.slug: _outcomes(board, entry).get(test_set, {}) for entry in concerned}
    return {slug: cases for slug, cases in found.items() if cases}


def _outcomes(board: Board, entry: Entry) -> Mapping[str, Mapping[str, Outcome]]:
    return _kept.get((entry.slug, entry.digest), lambda: _from_disk(board, entry))


def _from_disk(board: Board, entry: Entry) -> Mapping[str, Mapping[str, Outcome]]:
    cache = Cache(default_folder())
    key = hashlib.sha256(f"{entry.digest} {_source_sha256()}".encode()).hexdigest()
    if (document := cache.read(_KIND, key)) is not None:
        return {name: {case_id: _of(case) for case_id, case in of_set.items()} for name, of_set in document.items()}
    try:
        table = board.record(entry.slug).cases
    except SubmissionError:  # it is being replaced at this moment
        return {}
    found = _of_table(table) if table is not None else {}
    document = {name: {case_id: astuple(case) for case_id, case in of_set.items()} for name, of_set in found.items()}
    cache.write(_KIND, key, document)
    return found


@cache
def _source_sha256() -> str:
    """Return the digest of this module: what other code has made of a record does not count."""
    return hashlib.sha256(Path(__file__).read_bytes()).hexdigest()


def _of(case: Sequence[Any]) -> Outcome:
    source, dsc, hd95_mm, labels, missed, spurious, shift, failure, losses = case
    return Outcome(source, dsc, hd95_mm, tuple(labels), tuple(missed), tuple(spurious), shift, failure, tuple(losses))


def _of_table(table: pd.DataFrame) -> dict[str, dict[str, Outcome]]:
    return {
        name: _of_test_set(rows)
        for name in TEST_SETS
        if not named(name).private and len(rows := table[table["test_set"] == name])
    }


def _of_test_set(rows: pd.DataFrame) -> dict[str, Outcome]:
    """Return case id → outcome, sorted."""
    texts = [rows[name].fillna("").tolist() for name in ("case_id", "source", "failure", "row", "status")]
    columns = ("label", "dsc", "label_shift", *LOSS_COLUMNS)
    numbers = [rows[name].to_numpy(np.float64, na_value=np.nan).tolist() for name in columns]
    collected: dict[str, _Collected] = {}
    for (case_id, source, failure, row, status), (label, dsc, shift, *losses), hd95_mm in zip(
        zip(*texts, strict=True), zip(*numbers, strict=True), official_hd95_mm(rows).tolist(), strict=True
    ):
        case = collected.setdefault(case_id, _Collected(source, failure))
        if row == "case":
            case.shift = None if math.isnan(shift) else int(shift)
        elif row == "vertebra":
            case.add(label, status, dsc, hd95_mm, *losses)
    return {case_id: case.outcome() for case_id, case in sorted(collected.items())}


class _Collected:
    """The rows of one case so far."""

    def __init__(self, source: str, failure: str) -> None:
        self.source = source
        self.failure = failure
        self.shift: int | None = None
        self._scores: list[tuple[float, ...]] = []
        self._labels: dict[str, list[int]] = {"matched": [], "missed": [], "spurious": []}

    def add(self, label: float, status: str, dsc: float, hd95_mm: float, *losses: float) -> None:
        if status not in self._labels or label not in LABELS:  # the record is not as the scorer has written it
            return
        self._labels[status].append(int(label))
        self._scores.append((0.0 if math.isnan(dsc) else dsc, hd95_mm, *losses))

    def outcome(self) -> Outcome:
        dsc, hd95_mm, *losses = np.mean(self._scores, axis=0).tolist() if self._scores else (None, None)
        found = {status: tuple(sorted(labels)) for status, labels in self._labels.items()}
        labels = tuple(sorted(found["matched"] + found["missed"]))
        return Outcome(
            *(self.source, dsc, hd95_mm, labels, found["missed"], found["spurious"], self.shift, self.failure),
            losses=() if any(map(math.isnan, losses)) else tuple(losses),
        )
