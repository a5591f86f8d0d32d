"""The case table of a submission on a public test set, read when a page needs more of it than scores."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from ctspine_bench.errors import SubmissionError
from ctspine_bench.submissions.records import read_record
from ctspine_bench.testsets import named

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from ctspine_bench.board import Board, Entry


def case_table(board: Board, entry: Entry, test_set: str) -> pd.DataFrame | None:
    """Return the rows of a submission (`tables.COLUMNS`) on a test set; `None` if they are not public or not there."""
    if named(test_set).private or entry.problem or not entry.on(test_set):
        return None
    try:
        table = _table(board.folder / entry.slug, entry.digest)
    except SubmissionError:  # it is being replaced at this moment
        return None
    if table is None:
        return None
    rows = table[table["test_set"] == test_set]
    return rows if len(rows) else None


@lru_cache(maxsize=16)
def _table(folder: Path, digest: str) -> pd.DataFrame | None:  # noqa: ARG001 -- what is kept is kept by the digest
    """Return the case table of a record, `None` if it has none. What raises is not kept."""
    return read_record(folder).cases
