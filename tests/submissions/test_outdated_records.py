"""A real record of schema 1, by the rules of before: outdated everywhere, broken nowhere, its numbers nowhere."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from ctspine_bench.board import Board
from ctspine_bench.board.cache import Cache
from ctspine_bench.board.document import standings_document
from ctspine_bench.board.entries import REASONS
from ctspine_bench.errors import SubmissionError
from ctspine_bench.hosting.verifying import verify
from ctspine_bench.submissions.records import Record, find_records, read_record
from ctspine_bench.tables import SCHEMA_VERSION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from command_line import Done

DATA = Path(__file__).parents[1] / "data" / "schema-1"
"""The record of the demo's network as it was before the official rule counted spurious vertebrae; strata left out."""

SLUG = "nnunet-phantom"
TEST_SETS = ("phantom-public", "phantom-private", "phantom-verse")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of submissions with this one alone."""
    return Path(shutil.copytree(DATA, tmp_path / "submissions"))


def numbers_in(part: Any) -> Iterator[float]:
    if isinstance(part, dict | list):
        for each in part.values() if isinstance(part, dict) else part:
            yield from numbers_in(each)
    elif isinstance(part, int | float) and not isinstance(part, bool):
        yield part


def test_it_is_what_an_earlier_version_wrote() -> None:
    """Schema 1, with a digest of the source in place of an engine version, and without today's columns."""
    results = json.loads((DATA / SLUG / "results.json").read_text("utf-8"))
    assert results["schema_version"] == 1 < SCHEMA_VERSION
    assert "engine_sha256" in results["provenance"]
    assert results["test_sets"]["phantom-public"]["mean_of_vertebrae"]["dsc"] > 0.7
    assert "loss_spurious" not in pd.read_parquet(DATA / SLUG / "cases.parquet").columns


def test_it_is_read(folder: Path) -> None:
    """It is a record, outdated, with its results and without a case table, whose columns mean something else today."""
    (record,) = find_records(folder)
    assert isinstance(record, Record)
    assert record.outdated is True
    assert record.results is not None
    assert list(record.results["test_sets"]) == list(TEST_SETS)
    assert record.cases is None


@pytest.mark.parametrize("damage", ["other cases", "other kind", "no test sets", "no JSON"])
def test_a_damaged_one_is_broken(folder: Path, damage: str) -> None:
    """What holds for every record holds for this one."""
    path = folder / SLUG / "results.json"
    results = json.loads(path.read_text("utf-8"))
    if damage == "other cases":
        (folder / SLUG / "cases.parquet").write_bytes(b"PAR1")
    elif damage == "no JSON":
        path.write_text("{")
    else:
        path.write_text(json.dumps(results | ({"kind": "scored"} if damage == "other kind" else {"test_sets": 1})))
    with pytest.raises(SubmissionError, match="E_RECORD"):
        read_record(folder / SLUG)


def test_the_board_shows_it_as_outdated(folder: Path) -> None:
    """On each of its test sets, with the reason; there is no number of it, and nobody is ranked."""
    board = Board(folder, cache=Cache(None))
    (entry,) = board.entries
    assert entry.problem is None
    assert [test_set.name for test_set in board.test_sets] == list(TEST_SETS)
    for name in TEST_SETS:
        assert board.status(entry, name) == "outdated"
        assert "outdated" in board.flags(entry, name)
        found = board.standings(name)
        assert found.standings is None
        assert [(other.slug, reason) for other, reason in found.unranked] == [(SLUG, REASONS["outdated"])]
    assert board.paired("phantom-public") is None
    assert entry.results is not None
    assert list(numbers_in(entry.results["test_sets"])) == []
    assert entry.results["provenance"]["engine_version"] is None
    json.dumps(standings_document(board), allow_nan=False)


def test_it_is_the_same_from_the_cache(folder: Path, tmp_path: Path) -> None:
    """A board that is opened again says the same."""
    boards = [Board(folder, cache=Cache(tmp_path / "cache")) for _ in range(2)]
    first, second = ([board.status(board.entries[0], name) for name in TEST_SETS] for board in boards)
    assert first == second == ["outdated"] * 3


def test_verify_says_so(folder: Path, run: Callable[..., Done]) -> None:
    """Outdated, once, with what to do; that is no error, and the exit code is 0."""
    (finding,) = verify(folder)[SLUG]
    assert (finding.what, finding.state) == ("record", "outdated")
    assert "schema_version 1" in finding.why
    assert finding.advice.startswith("Score the submission again")
    done = run("submission", "verify", folder)
    assert done.returncode == 0, done.stderr
    assert "outdated" in done.stdout
    assert "Traceback" not in done.stderr
