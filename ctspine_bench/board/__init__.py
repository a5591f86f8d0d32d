"""Submission records → what the leaderboard shows.

`board` is the whole; `entries` says what each record is and whether it is ranked, `condensed` keeps of a record what
pages need and checks its shape, `cache` keeps that on disk, `document` writes standings.json, `private` and
`private_gap` what of it may be told about private test sets, and `private_file` reads that back.
"""

from __future__ import annotations

from ctspine_bench.board.board import Board, BoardStandings
from ctspine_bench.board.entries import Entry

__all__ = ["Board", "BoardStandings", "Entry"]
