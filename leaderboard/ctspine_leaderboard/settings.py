"""What a host shows: the same whether the app is started by `ctspine-bench leaderboard` or by `streamlit run`."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_VARIABLES: Final = {
    "submissions": "CTSPINE_SUBMISSIONS",
    "private_standings": "CTSPINE_PRIVATE_STANDINGS",
    "references": "CTSPINE_REFERENCES",
    "predictions": "CTSPINE_PREDICTIONS",
}


@dataclass(frozen=True)
class Settings:
    """Where the things are that the leaderboard shows.

    Attributes:
        submissions: Folder with one folder for each submission; it need not exist.
        private_standings: standings.json with the standings of private test sets.
        references: Folder with `<test set>/labels` and, for a picture of the CT, `<test set>/volumes`. Only public test
            sets are looked for there.
        predictions: Folder with `<submission>/<test set>/<case>.nii.gz`.
    """

    submissions: Path = Path("submissions")
    private_standings: Path | None = None
    references: Path | None = None
    predictions: Path | None = None

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Settings:
        """Return the settings in environment variables; those not set are as by default."""
        given = {name: Path(environment[key]) for name, key in _VARIABLES.items() if environment.get(key)}
        return cls(**given)

    def environment(self) -> dict[str, str]:
        """Return the environment variables that say the same."""
        return {key: os.fspath(path) for name, key in _VARIABLES.items() if (path := getattr(self, name))}
