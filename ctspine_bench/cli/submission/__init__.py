"""`ctspine-bench submission`: the way of a submission from a folder of predictions to the leaderboard."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from ctspine_bench.cli import LazyGroup
from ctspine_bench.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from ctspine_bench.hosting.store import PrivateStore

# In the order in which participants, then organizers, use them.
_COMMANDS: Final = {
    "new": "Write the folder of a submission.",
    "pack": "Pack predictions into an archive, the same ones always into the same bytes.",
    "validate": "Check a submission as the organizers will.",
    "check-pr": "Check which files a pull request changes, and the submission in it.",
    "fetch": "Download, unpack and check the predictions of a submission.",
    "score": "Score a submission on all its test sets.",
    "comment": "Write the comment for the pull request.",
    "publish": "Write and commit the results of merged submissions.",
    "verify": "Recompute what can be recomputed from records, and say what is outdated.",
    "quota": "Show how many private scorings a team has left.",
}


@click.group(cls=LazyGroup, package=__name__, commands=_COMMANDS)
def command() -> None:
    """The way of a submission from a folder of predictions to the leaderboard."""


def open_store(folder: Path) -> PrivateStore:
    """Open the private store in a folder, which must be there: in a mistyped one nobody would have used any quota.

    Raises:
        UsageError: There is no such folder.
        FileError: `E_OUTPUT`: it holds something else.
    """
    from ctspine_bench.hosting.store import PrivateStore

    if not folder.is_dir():
        raise UsageError(f"expected the folder of the private store, found none called {folder}; make a new one first")
    return PrivateStore(folder)
