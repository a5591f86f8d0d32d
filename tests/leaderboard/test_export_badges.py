"""Badges say where a submission stands on the test set that decides."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest
from made_boards import Quality, make_board

from ctspine_bench.board import Board
from ctspine_bench.board.cache import Cache
from ctspine_leaderboard.export.badges import badge

if TYPE_CHECKING:
    from exported_sites import Site

    from ctspine_leaderboard.export.badges import Badge

SVG = "{http://www.w3.org/2000/svg}"
REAL_BOARD = Path(__file__).parents[2] / "submissions"


def badge_of(board: Board, slug: str) -> Badge:
    entry = board.entry(slug)
    assert entry
    return badge(board, entry)


def test_rank_and_score_are_those_of_the_private_set(exported: Site) -> None:
    """With the organizers' standings: the rank among all, and Mean of Vertebrae DSC with three digits."""
    found = exported.board.standings("phantom-private").standings
    assert found
    for row in found.rows:
        made = badge_of(exported.board, row.slug)
        assert made.message == f"#{row.rank} of 4 · DSC {row.score:.3f}"
        assert made.label == "CTSpine1K phantom"
        assert made.title == (
            f"CTSpine1K phantom: {row.slug}, rank {row.rank} of 4, DSC {row.score:.3f} on the test set phantom-private"
        )


def test_the_file_says_what_the_badge_says(exported: Site) -> None:
    """The SVG has both parts as text, a title for those who do not see it, and room for all of it."""
    made = badge_of(exported.board, "beta")
    root = ET.fromstring(exported.files()["submissions/beta/badge.svg"])  # noqa: S314 -- our own file
    assert (root.get("role"), root.get("aria-label"), root.findtext(f"{SVG}title")) == ("img", made.title, made.title)
    texts = list(root.iter(f"{SVG}text"))
    assert [text.text for text in texts] == [made.label, made.message]
    assert float(texts[0].attrib["x"]) + float(texts[0].attrib["textLength"]) <= made.label_width
    assert float(texts[1].attrib["x"]) + float(texts[1].attrib["textLength"]) <= made.width
    assert root.get("width") == str(made.width)


def test_without_the_organizers_standings_there_is_no_rank(made_board: Board) -> None:
    """Only what the record itself tells: the score, and that it is not ranked."""
    assert re.fullmatch(r"DSC 0\.9\d\d, not ranked", badge_of(made_board, "alpha").message)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda folder: (folder / "results.json").write_text("{"), "broken"),
        (lambda folder: [(folder / name).unlink() for name in ("results.json", "cases.parquet")], "not scored"),
    ],
    ids=["broken", "unscored"],
)
def test_what_is_not_ranked_says_why(tmp_path: Path, damage: object, message: str) -> None:
    """A broken or unscored record has a badge as well, without a number."""
    make_board(tmp_path, {"good": Quality(), "bad": Quality()}, n_cases=10)
    assert callable(damage)
    damage(tmp_path / "submissions" / "bad")
    assert badge_of(Board(tmp_path / "submissions", cache=Cache(None)), "bad").message == message


def test_a_published_row_is_marked(tmp_path: Path) -> None:
    """Numbers of a paper are told as published, on the official test set, without a rank."""
    shutil.copytree(REAL_BOARD / "nnunet-paper", tmp_path / "nnunet-paper")
    made = badge_of(Board(tmp_path, cache=Cache(None)), "nnunet-paper")
    assert made.label == "CTSpine1K"
    assert re.fullmatch(r"DSC 0\.\d{3}, as published", made.message)
