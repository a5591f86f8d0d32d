"""The export as a program."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ctspine_bench.board import Board
from ctspine_bench.errors import UsageError
from ctspine_leaderboard.export.site import write_site
from ctspine_leaderboard.progress import steps

if TYPE_CHECKING:
    from pathlib import Path

    from ctspine_leaderboard.settings import Settings


def export(settings: Settings, folder: Path, *, base_url: str | None) -> int:
    """Write the leaderboard to a folder, say so, and return the exit code.

    Args:
        settings: What is shown.
        folder: New, empty or an earlier export.
        base_url: Where the files will be found; `None` if that is not known.

    Raises:
        UsageError: The address is none.
        FileError: E_OUTPUT, the folder holds something else.
    """
    address = _checked(base_url) if base_url else ""
    with steps("Writing pages", "reading the submissions") as progress:
        board = Board(settings.submissions, settings.private_standings)
        created = datetime.now(UTC).replace(microsecond=0)
        n_files = write_site(board, settings, folder, created, base_url=address, progress=progress)
    print(f"{n_files} files written; {folder / 'index.html'} is the first page.")  # noqa: T201
    return 0


def _checked(base_url: str) -> str:
    """Return an address with a slash at its end."""
    parts = urlsplit(base_url)
    if parts.scheme not in {"http", "https"} or not parts.netloc or parts.query or parts.fragment:
        raise UsageError(f"expected an address such as https://example.org/board/ for --base-url, found {base_url!r}")
    return base_url.rstrip("/") + "/"
