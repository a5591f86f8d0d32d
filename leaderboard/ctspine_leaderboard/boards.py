"""The board that the app shows: one for all visitors, looked at again on every visit."""

from __future__ import annotations

import os
from threading import Lock

import streamlit as st

from ctspine_bench.board import Board
from ctspine_leaderboard.settings import Settings


class _Kept:
    """A board in memory, and the lock that lets one visitor at a time bring it up to date."""

    def __init__(self, settings: Settings) -> None:
        self._lock = Lock()
        self._board = Board(settings.submissions, settings.private_standings)

    def current(self) -> Board:
        """Return the board as the files are now."""
        with self._lock:
            self._board = self._board.refreshed()
            return self._board


def settings() -> Settings:
    """Return what this host shows."""
    return Settings.of(os.environ)


def current_board() -> Board:
    """Return the board as the files are now; a new record is seen without a restart."""
    return _kept(settings()).current()


@st.cache_resource(show_spinner="Reading the submissions …")
def _kept(settings: Settings) -> _Kept:
    return _Kept(settings)
