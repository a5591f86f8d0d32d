"""A made board, and the pages of the app on it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
import streamlit as st
from boards_with_volumes import make_board_with_volumes
from made_boards import make_board
from streamlit.testing.v1 import AppTest

from ctspine_bench.board import Board

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture(autouse=True)
def _own_main_module(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the main module back that Streamlit replaces by a page: processes that are spawned later import it."""
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])


@pytest.fixture(scope="session")
def made_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of `make_board`; to be read, not written."""
    return make_board(tmp_path_factory.mktemp("made"))


@pytest.fixture(scope="session")
def made_board(made_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Board:
    """The board in `made_folder`, without private standings."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        return Board(made_folder / "submissions")


@pytest.fixture(scope="session")
def volumes_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of `make_board_with_volumes`; to be read, not written."""
    return make_board_with_volumes(tmp_path_factory.mktemp("volumes"))


@pytest.fixture
def open_page(made_folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., AppTest]:
    """Open a page (a module of `ctspine_leaderboard.pages`) in a state: `open_page("compare", a="alpha", b="beta")`.

    The other arguments say what the host shows; by default the made board.
    """

    def opened(
        page: str = "standings",
        *,
        submissions: Path = made_folder / "submissions",
        private_standings: Path | None = None,
        references: Path | None = None,
        predictions: Path | None = None,
        **query: str,
    ) -> AppTest:
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
        monkeypatch.setenv("CTSPINE_SUBMISSIONS", str(submissions))
        for name, path in (
            ("CTSPINE_PRIVATE_STANDINGS", private_standings),
            ("CTSPINE_REFERENCES", references),
            ("CTSPINE_PREDICTIONS", predictions),
        ):
            monkeypatch.setenv(name, str(path or ""))
        st.cache_resource.clear()
        script = f"from ctspine_leaderboard.pages import {page}\n{page}.show()"
        app = AppTest.from_string(script, default_timeout=60)
        for key, value in query.items():
            app.query_params[key] = value
        app.run()
        return app

    return opened
