"""Submissions by vertebra: `heat` has the means of all of them, `cell` what lies behind one."""

from __future__ import annotations

from ctspine_leaderboard.views.vertebrae.cell import CellView, cell_view
from ctspine_leaderboard.views.vertebrae.heat import (
    MEASURES,
    ROWS,
    SHARES,
    VertebraeView,
    VertebraRow,
    blocks,
    default_label,
    vertebrae_view,
)

__all__ = [
    "MEASURES",
    "ROWS",
    "SHARES",
    "CellView",
    "VertebraRow",
    "VertebraeView",
    "blocks",
    "cell_view",
    "default_label",
    "vertebrae_view",
]
