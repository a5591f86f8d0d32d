"""standings.json as others read it."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from board_records import PRIVATE, PUBLIC, VERSE, board_of, change_results

from ctspine_bench import __version__
from ctspine_bench.board.board import NO_PRIVATE_STANDINGS
from ctspine_bench.board.document import standings_document
from ctspine_bench.board.standings_file import from_document
from ctspine_bench.provenance import ENGINE_VERSION
from ctspine_bench.rankings import OFFICIAL_TEXT, SCHEMES
from ctspine_bench.rankings.paired import REGIONS

if TYPE_CHECKING:
    from ctspine_bench.rankings.standings import Standings

PAPER = Path(__file__).parents[2] / "submissions" / "nnunet-paper"


@pytest.fixture(scope="module")
def document(made: Path) -> dict[str, Any]:
    """The document of the made board without the organizers; not to be changed."""
    found: dict[str, Any] = json.loads(json.dumps(standings_document(board_of(made)), allow_nan=False))
    return found


def test_it_says_what_it_is(document: dict[str, Any]) -> None:
    """Kind, versions, the official rule, and how intervals were made."""
    assert (document["schema_version"], document["kind"]) == (2, "standings")
    assert (document["version"], document["engine_version"]) == (__version__, ENGINE_VERSION)
    assert document["official"] == {
        "scheme": "mean-then-rank",
        "metric": "dsc",
        "region": "all",
        "rule": OFFICIAL_TEXT,
    }
    assert (document["draws"], document["seed"], document["confidence"]) == (10_000, 20210705, 0.95)
    age = datetime.now(UTC) - datetime.fromisoformat(document["created"])
    assert timedelta(0) <= age < timedelta(minutes=10)


def test_all_standings_of_public_sets_are_there(document: dict[str, Any], made: Path) -> None:
    """By every scheme and region for DSC and HD95, equal to those of the board; nobody is ranked without vertebrae."""
    board = board_of(made)
    part = document["test_sets"][PUBLIC]
    found: list[Standings] = [from_document(each) for each in part["standings"]]
    combinations = [
        (scheme, metric, region) for scheme in SCHEMES for metric in ("dsc", "hd95_mm") for region in REGIONS
    ]
    there = [(each.scheme, each.metric, each.region) for each in found]
    assert [each for each in combinations if each in there] == there
    assert {each[:2] for each in there} == {each[:2] for each in combinations}
    for each in found:
        expected = board.standings(PUBLIC, each.scheme, each.metric, each.region).standings
        assert expected is not None
        assert [(row.slug, row.rank, row.score) for row in each.rows] == [
            (row.slug, row.rank, row.score) for row in expected.rows
        ]
    assert part["entries"] == {entry.slug: entry.digest for entry in board.entries}
    assert (part["private"], part["without_errata"], part["unranked"]) == (False, None, [])


def test_without_the_organizers_the_private_part_is_empty(document: dict[str, Any]) -> None:
    """Nothing is made up: no standings, no entries, and who waits for them."""
    part = document["test_sets"][PRIVATE]
    assert {key: part[key] for key in ("private", "entries", "standings", "domain_gap")} == {
        "private": True,
        "entries": {},
        "standings": [],
        "domain_gap": {},
    }
    assert part["unranked"] == [
        {"slug": slug, "status": "ranked", "reason": NO_PRIVATE_STANDINGS} for slug in ("alpha", "beta", "gamma")
    ]


def test_who_is_not_ranked(folder: Path) -> None:
    """Broken, outdated and published ones are listed with status and reason, each on its test sets."""
    change_results(folder / "submissions" / "beta", lambda results: results["provenance"].update(engine_version=1))
    (folder / "submissions" / "gamma" / "results.json").write_text("{")
    shutil.copytree(PAPER, folder / "submissions" / "nnunet-paper")
    sets = standings_document(board_of(folder))["test_sets"]
    assert list(sets) == ["public", "private", "verse", PUBLIC, PRIVATE, VERSE]
    unranked = {name: [(each["slug"], each["status"]) for each in part["unranked"]] for name, part in sets.items()}
    assert unranked[PUBLIC] == [("beta", "outdated"), ("gamma", "broken")]
    assert unranked["verse"] == [("gamma", "broken"), ("nnunet-paper", "published")]
    assert list(sets[PUBLIC]["entries"]) == ["alpha"]


def test_an_empty_board_has_a_document(tmp_path: Path) -> None:
    """The official test sets, and nobody on them."""
    sets = standings_document(board_of(tmp_path))["test_sets"]
    assert {name: (part["entries"], part["standings"], part["unranked"]) for name, part in sets.items()} == {
        name: ({}, [], []) for name in ("public", "private", "verse")
    }
