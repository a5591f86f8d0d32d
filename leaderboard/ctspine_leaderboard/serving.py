"""The app as a program: standings are worked out first, so that the first visitor waits for nothing."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ctspine_bench.board import Board
from ctspine_leaderboard.progress import steps

if TYPE_CHECKING:
    from ctspine_leaderboard.settings import Settings

_ADDRESS: Final = "STREAMLIT_SERVER_ADDRESS"


def prepare(settings: Settings) -> None:
    """Work out all standings that visitors can ask for, and keep them on disk; show how far it is."""
    with steps("Preparing standings", "reading the submissions") as progress:
        board = Board(settings.submissions, settings.private_standings)
        progress.expect(len(board.combinations()))
        board.prepare(progress.done)


def serve(settings: Settings, *, port: int, browser: bool) -> int:
    """Prepare the standings and serve the app until it is stopped.

    Args:
        settings: What is shown; its environment variables are set.
        port: Where it listens.
        browser: Whether to open it in a browser.

    Returns:
        The exit code.
    """
    from streamlit.web.cli import main

    prepare(settings)
    address = os.environ.get(_ADDRESS) or "localhost"
    print(f"The leaderboard is at http://{address}:{port}/ until Ctrl-C is pressed.", flush=True)  # noqa: T201
    arguments = ["run", str(app_file()), *streamlit_options(port=port, address=address, browser=browser)]
    return int(main(arguments, prog_name="streamlit", standalone_mode=False) or 0)


def streamlit_options(*, port: int, address: str, browser: bool) -> list[str]:
    """Return what `streamlit run` is told beside what .streamlit/config.toml says."""
    options = {
        "server.port": port,
        # Without an address it listens on all of them, and asks another host for its own.
        "server.address": address,
        "server.headless": "false" if browser else "true",
        "server.fileWatcherType": "none",
        "server.showEmailPrompt": "false",
        "browser.gatherUsageStats": "false",
        "logger.hideWelcomeMessage": "true",
    }
    return [f"--{name}={value}" for name, value in options.items()]


def app_file() -> Path:
    """Return where app.py is: beside this package in the repository, inside it in a wheel."""
    here = Path(__file__).parent
    inside = here / "app.py"
    return inside if inside.is_file() else here.with_name("app.py")
