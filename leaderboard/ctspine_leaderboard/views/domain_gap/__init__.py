"""The domain gap of some submissions: `scores` has the numbers; `tables`, `figures`, `words` what is made of them."""

from __future__ import annotations

from ctspine_leaderboard.views.domain_gap.figures import slope_figure, strata_figure, waterfall_figure
from ctspine_leaderboard.views.domain_gap.scores import (
    Cell,
    Gap,
    Score,
    candidates,
    cells,
    default_choice,
    family,
    gap,
    others,
    public_of,
    score,
)
from ctspine_leaderboard.views.domain_gap.tables import gap_table, part_table, score_table, strata_table
from ctspine_leaderboard.views.domain_gap.words import coverage_note, in_words, membership, reannotation_note, told

__all__ = [
    "Cell",
    "Gap",
    "Score",
    "candidates",
    "cells",
    "coverage_note",
    "default_choice",
    "family",
    "gap",
    "gap_table",
    "in_words",
    "membership",
    "others",
    "part_table",
    "public_of",
    "reannotation_note",
    "score",
    "score_table",
    "slope_figure",
    "strata_figure",
    "strata_table",
    "told",
    "waterfall_figure",
]
