"""The organizers' standings.json: read, looked through, and never the end of the board."""

from __future__ import annotations

import copy
import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from board_records import PRIVATE, PUBLIC, VERSE, board_of, change_results

from ctspine_bench.board.board import (
    NO_PRIVATE_STANDINGS,
    NOT_IN_PRIVATE_STANDINGS,
    NOT_TOLD,
    OLD_PRIVATE_STANDINGS,
)
from ctspine_bench.board.document import standings_document, write_standings
from ctspine_bench.board.private import private_standings
from ctspine_bench.board.private_file import read_private_standings
from ctspine_bench.errors import FileError
from ctspine_bench.hosting.store import PrivateStore
from ctspine_bench.rankings import SCHEMES
from ctspine_bench.tables import write_json

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture(scope="module")
def document(made: Path) -> dict[str, Any]:
    """standings.json of the made board; not to be changed."""
    board = board_of(made)
    return standings_document(board.with_private(private_standings(board, PrivateStore(made / "private-store"))))


@pytest.fixture
def path(document: dict[str, Any], tmp_path: Path) -> Path:
    """The same in a file that may be changed."""
    write_json(document, tmp_path / "standings.json")
    return tmp_path / "standings.json"


def change(path: Path, how: Callable[[dict[str, Any]], object]) -> None:
    """Change the part about the private set by hand."""
    document = json.loads(path.read_text())
    how(document["test_sets"][PRIVATE])
    path.write_text(json.dumps(document))


def test_there_and_back(document: dict[str, Any], path: Path, made: Path) -> None:
    """What was written is what is read, and what is written again from it."""
    found = read_private_standings(path).of(PRIVATE)
    part = document["test_sets"][PRIVATE]
    assert found.digests == part["entries"]
    assert list(found.standings) == [(scheme, metric, "all") for scheme in SCHEMES for metric in ("dsc", "hd95_mm")]
    again = standings_document(board_of(made, path))
    assert json.loads(json.dumps(again["test_sets"])) == json.loads(json.dumps(document["test_sets"]))


def test_a_board_shows_them(document: dict[str, Any], path: Path, made: Path) -> None:
    """The private set has its standings and gaps beside those that are worked out from records."""
    board = board_of(made, path)
    assert board.private_problem is None
    found = board.standings(PRIVATE)
    assert found.standings is not None
    assert [(row.slug, row.rank) for row in found.standings.rows] == [("alpha", 1), ("beta", 2), ("gamma", 3)]
    assert (found.note, found.unranked) == ("", ())
    gap = board.private_gap(PRIVATE, "beta")
    assert gap is not None
    assert json.loads(json.dumps(gap)) == json.loads(json.dumps(document["test_sets"][PRIVATE]["domain_gap"]["beta"]))
    assert board.private_gap(PRIVATE, "nobody") is None
    assert board.paired(PRIVATE) is None


def test_without_the_file_nobody_is_ranked(made: Path) -> None:
    """The private set is there, with all submissions unranked and the reason."""
    found = board_of(made).standings(PRIVATE)
    assert (found.standings, found.note) == (None, NO_PRIVATE_STANDINGS)
    assert [(entry.slug, reason) for entry, reason in found.unranked] == [
        (slug, NO_PRIVATE_STANDINGS) for slug in ("alpha", "beta", "gamma")
    ]


@pytest.mark.parametrize(("metric", "region"), [("nsd_1mm", "all"), ("dsc", "lumbar")])
def test_what_is_not_told_says_so(path: Path, made: Path, metric: str, region: str) -> None:
    """By other metrics and regions there are no standings, and that is not for want of the file."""
    found = board_of(made, path).standings(PRIVATE, metric=metric, region=region)
    assert (found.standings, found.note) == (None, NOT_TOLD)
    assert {reason for _, reason in found.unranked} == {NOT_TOLD}


class TestOutdated:
    """Standings of records that have changed since."""

    def test_a_changed_record_takes_the_ranks_away(self, folder: Path, path: Path) -> None:
        """Ranks among three of which one is another now are none; its gap is not told either."""
        change_results(folder / "submissions" / "beta", lambda results: results.update(note="scored again"))
        board = board_of(folder, path)
        found = board.standings(PRIVATE)
        assert (found.standings, found.note) == (None, OLD_PRIVATE_STANDINGS)
        assert [(entry.slug, reason) for entry, reason in found.unranked] == [
            ("alpha", OLD_PRIVATE_STANDINGS),
            ("beta", NOT_IN_PRIVATE_STANDINGS),
            ("gamma", OLD_PRIVATE_STANDINGS),
        ]
        assert board.private_problem is None
        assert board.private_gap(PRIVATE, "beta") is None
        assert board.private_gap(PRIVATE, "alpha") is not None
        assert board.standings(PUBLIC).standings is not None

    @pytest.mark.parametrize("how", ["gone", "outdated", "incomplete", "broken"])
    def test_so_does_one_that_is_not_ranked_any_more(self, folder: Path, path: Path, how: str) -> None:
        """Whether it is gone, outdated, incomplete or broken."""
        beta = folder / "submissions" / "beta"
        if how == "gone":
            shutil.rmtree(beta)
        elif how == "broken":
            (beta / "results.json").write_text("{")
        elif how == "outdated":
            change_results(beta, lambda results: results["provenance"].update(engine_version=1))
        else:
            change_results(beta, lambda results: results["test_sets"][PRIVATE].update(complete=False))
        found = board_of(folder, path).standings(PRIVATE)
        assert (found.standings, found.note) == (None, OLD_PRIVATE_STANDINGS)
        reasons = {entry.slug: reason for entry, reason in found.unranked}
        assert reasons["alpha"] == OLD_PRIVATE_STANDINGS
        assert reasons.get("beta", "") != OLD_PRIVATE_STANDINGS

    def test_a_new_record_waits(self, folder: Path, path: Path) -> None:
        """The ranks of the others stand; the new one is below with the reason."""
        shutil.copytree(folder / "submissions" / "beta", folder / "submissions" / "new")
        change_results(folder / "submissions" / "new", lambda results: results["submission"].update(slug="new"))
        found = board_of(folder, path).standings(PRIVATE)
        assert found.standings is not None
        assert [row.slug for row in found.standings.rows] == ["alpha", "beta", "gamma"]
        assert [(entry.slug, reason) for entry, reason in found.unranked] == [("new", NOT_IN_PRIVATE_STANDINGS)]

    def test_a_new_file_is_seen(self, folder: Path, path: Path) -> None:
        """Written, broken and mended while the board is open; records are not read for that."""
        content = path.read_bytes()
        path.unlink()
        board = board_of(folder, path)
        assert board.private_problem is not None
        path.write_bytes(content)
        board = board.refreshed()
        assert board.private_problem is None
        assert board.standings(PRIVATE).standings is not None
        path.write_bytes(b"{")
        assert board.refreshed().private_problem is not None


BROKEN: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (lambda path: path.unlink(), "No such file or directory"),
    "a folder": (lambda path: (path.unlink(), path.mkdir()), "Is a directory"),
    "empty": (lambda path: path.write_bytes(b""), "Expecting value"),
    "cut": (lambda path: path.write_bytes(path.read_bytes()[:5000]), ""),
    "binary": (lambda path: path.write_bytes(bytes(range(256))), ""),
    "a list": (lambda path: path.write_bytes(b"[]"), "list indices"),
    "deep": (lambda path: path.write_bytes(b"[" * 100_000), ""),
    "another document": (lambda path: path.write_bytes(b'{"schema_version": 1}'), "'kind'"),
    "a record": (lambda path: path.write_bytes(b'{"schema_version": 1, "kind": "scored"}'), "kind 'scored'"),
    "no version": (lambda path: path.write_bytes(b'{"kind": "standings"}'), "'schema_version'"),
    "version true": (lambda path: path.write_bytes(b'{"kind": "standings", "schema_version": true}'), "True"),
    "newer": (lambda path: path.write_bytes(b'{"kind": "standings", "schema_version": 3, "x": 1}'), "version 3"),
    "older": (lambda path: path.write_bytes(b'{"kind": "standings", "schema_version": 1, "x": 1}'), "version 1"),
    "not a number": (lambda path: _replace(path, "score", "NaN"), "not a finite number"),
    "without end": (lambda path: _replace(path, "score", "1e999"), "not a finite number"),
    "huge": (lambda path: _replace(path, "score", "9" * 400), "too large"),
    "a text": (lambda path: _replace(path, "score", '"0.9"'), "expected a number"),
    "rank 0": (lambda path: _replace(path, "rank", "0"), "ranks or shares"),
    "rank 9 of 3": (lambda path: _replace(path, "rank", "9"), "ranks or shares"),
    "share 2": (lambda path: _replace(path, "p_first", "2"), "ranks or shares"),
    "half an interval": (lambda path: _replace(path, "score_low", "null"), "ranks or shares"),
    "shares of four": (
        lambda path: change(path, lambda part: part["standings"][0]["rows"][0]["frequencies"].append(0.0)),
        "ranks or shares",
    ),
    "one row less": (lambda path: change(path, lambda part: part["standings"][0]["rows"].pop()), "others than"),
    "one row twice": (
        lambda path: change(path, lambda part: part["standings"][0].update(rows=[part["standings"][0]["rows"][0]] * 3)),
        "others than",
    ),
    "one entry more": (lambda path: change(path, lambda part: part["entries"].update(more="0")), "others than"),
    "another scheme": (lambda path: change(path, lambda part: part["standings"][0].update(scheme="x")), "not known"),
    "no entries": (lambda path: change(path, lambda part: part.pop("entries")), "'entries'"),
    "entries in a list": (lambda path: change(path, lambda part: part.update(entries=[])), "no attribute"),
    "a gap of nothing": (lambda path: change(path, lambda part: part["domain_gap"].update(beta=None)), "subscriptable"),
    "half a gap": (lambda path: change(path, lambda part: part["domain_gap"]["beta"].pop("sources")), "'sources'"),
    "an interval of one": (
        lambda path: change(path, lambda part: part["domain_gap"]["beta"].update(intervals={"gap": [1]})),
        "unpack",
    ),
    "a count of text": (
        lambda path: change(path, lambda part: part["domain_gap"]["beta"]["sources"]["COLONOG"].update(n_cases="3")),
        "in place of a count",
    ),
}


def _replace(path: Path, key: str, value: str) -> None:
    """Change one number of the private standings in the text of the file."""
    change(path, lambda part: part["standings"][0]["rows"][0].update({key: "HERE"}))
    path.write_text(path.read_text().replace('"HERE"', value))


@pytest.mark.parametrize("kind", BROKEN)
def test_a_file_that_cannot_be_used_is_a_problem_and_no_crash(path: Path, made: Path, kind: str) -> None:
    """It is told with its code, without where it lies; all but the private set is as ever."""
    damage, found = BROKEN[kind]
    damage(path)
    board = board_of(made, path)
    assert board.private_problem is not None
    assert board.private_problem.code == "E_STANDINGS"
    assert found in board.private_problem.found
    assert board.private_problem.path == "standings.json"
    assert str(path.parent) not in str(board.private_problem)
    of_private = board.standings(PRIVATE)
    assert (of_private.standings, of_private.note) == (None, NO_PRIVATE_STANDINGS)
    assert board.standings(VERSE).standings is not None
    assert board.private_gap(PRIVATE, "beta") is None


def test_a_newer_file_asks_for_an_update(path: Path) -> None:
    """Writing it again with an older version is not the advice."""
    path.write_text('{"kind": "standings", "schema_version": 99}')
    with pytest.raises(FileError, match=r"expected standings of version 2; found version 99\. Update ctspine-bench\."):
        read_private_standings(path)


def test_an_older_file_is_to_be_written_again(path: Path) -> None:
    """Its numbers follow other rules: nothing of it is shown."""
    path.write_text('{"kind": "standings", "schema_version": 1}')
    with pytest.raises(
        FileError, match=r"found version 1\. Write it again with `ctspine-bench rank --private-store`\."
    ):
        read_private_standings(path)


def test_a_huge_file_is_not_parsed(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """More than 64 MiB are no standings."""
    monkeypatch.setattr("ctspine_bench.board.private_file._MAX_BYTES", 100)
    with pytest.raises(FileError, match="expected at most 100 bytes"):
        read_private_standings(path)


def test_other_test_sets_are_not_read_from_it(path: Path, made: Path) -> None:
    """Public standings are worked out, whatever the file says; sets that nobody knows are left alone."""
    document = json.loads(path.read_text())
    document["test_sets"][PUBLIC]["standings"] = "wrong"
    document["test_sets"]["of tomorrow"] = {"private": True}
    path.write_text(json.dumps(document))
    board = board_of(made, path)
    assert board.private_problem is None
    assert board.standings(PUBLIC).standings is not None
    assert list(read_private_standings(path).test_sets) == [PRIVATE]


def test_a_file_without_private_standings(made: Path, tmp_path: Path) -> None:
    """One that was written without the store is valid, and as good as none."""
    write_standings(board_of(made), tmp_path / "standings.json")
    board = board_of(made, tmp_path / "standings.json")
    assert board.private_problem is None
    assert board.standings(PRIVATE).note == NO_PRIVATE_STANDINGS


def test_the_file_need_not_be_written_to_be_shown(document: dict[str, Any], made: Path) -> None:
    """A board with what the store tells is the same as one with the file."""
    board = board_of(made)
    told = board.with_private(private_standings(board, PrivateStore(made / "private-store")))
    assert board.standings(PRIVATE).standings is None
    found = told.standings(PRIVATE).standings
    assert found is not None
    assert [row.rank for row in found.rows] == [1, 2, 3]
    part = copy.deepcopy(document["test_sets"][PRIVATE])
    assert {key: part[key] for key in ("entries", "domain_gap")} == {
        key: told.private_part(PRIVATE).to_document()[key] for key in ("entries", "domain_gap")
    }
