"""Records of a made board, to change one thing of; and records of chosen cases."""

from __future__ import annotations

import hashlib
import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from case_results import case, mask

from ctspine_bench import aggregate
from ctspine_bench.aggregate import summarise
from ctspine_bench.board import Board
from ctspine_bench.board.cache import Cache
from ctspine_bench.evaluate import SubmissionScore
from ctspine_bench.hosting.simulated import write_simulated_record
from ctspine_bench.provenance import Settings
from ctspine_bench.tables import case_table, read_table, write_table
from ctspine_bench.testsets import phantom

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    import numpy as np
    import pandas as pd

    from ctspine_bench.hosting.store import PrivateStore
    from ctspine_bench.records import CaseResult

PUBLIC, PRIVATE, VERSE = "phantom-public", "phantom-private", "phantom-verse"


@contextmanager
def no_strata() -> Iterator[None]:
    """Leave out the aggregates that take most of the time and that no board looks at."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(aggregate, "_stratum", lambda *_: None)
        patched.setattr(aggregate, "_sensitivity", lambda _: {})
        yield


def board_of(folder: Path, private_standings: Path | None = None) -> Board:
    """The board of `folder/submissions`, with a cache of its own."""
    return Board(folder / "submissions", private_standings, Cache(folder / "cache"))


def change_results(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change results.json of a record by hand."""
    path = folder / "results.json"
    results = json.loads(path.read_text())
    change(results)
    path.write_text(json.dumps(results))


def change_cases(folder: Path, change: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    """Change cases.parquet of a record by hand, so that results.json goes with it."""
    path = folder / "cases.parquet"
    write_table(change(read_table(path)), path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    change_results(folder, lambda results: results.update(cases_sha256=digest))


def spines(dsc: np.ndarray, levels: Sequence[str], source: str, hd95_mm: float = 4.0) -> list[CaseResult]:
    """Cases of one source, all of the same levels, by their DSC, `(cases, levels)`."""
    return [
        case(
            f"{source}-secret-{number:02d}",
            *(mask(name, float(value), hd95_mm) for name, value in zip(levels, row, strict=True)),
            mask("spine", float(row.mean()), hd95_mm),
            source=source,
        )
        for number, row in enumerate(dsc)
    ]


def write_record_of(folder: Path, slug: str, cases: Mapping[str, Sequence[CaseResult]], store: PrivateStore) -> Path:
    """Write a simulated record with these cases, test set → cases; return its folder."""
    with no_strata():
        scores = [_score(name, results) for name, results in cases.items()]
        write_simulated_record(folder / "submissions" / slug, f"Made: {slug}.", scores, store)
    return folder / "submissions" / slug


def _score(name: str, results: Sequence[CaseResult]) -> SubmissionScore:
    table = case_table(results, name)
    return SubmissionScore(phantom(name), tuple(results), table, summarise(table), (), 0, Settings())
