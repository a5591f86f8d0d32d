"""The domain gap of some submissions.

`scores`, `gaps` and `strata` have the numbers; `tables`, `html`, `figures` and `words` what is made of them; `view`
puts it together.
"""

from __future__ import annotations

from ctspine_leaderboard.views.domain_gap.figures import strata_figure, waterfall_figure
from ctspine_leaderboard.views.domain_gap.gaps import Gap
from ctspine_leaderboard.views.domain_gap.html import part_markup
from ctspine_leaderboard.views.domain_gap.scores import (
    Score,
    benchmarks,
    candidates,
    default_choice,
    family,
    others,
)
from ctspine_leaderboard.views.domain_gap.strata import SOURCE, WITHIN, InStratum, in_strata, left_out
from ctspine_leaderboard.views.domain_gap.tables import part_table, strata_table
from ctspine_leaderboard.views.domain_gap.view import DomainGapView, domain_gap_view
from ctspine_leaderboard.views.domain_gap.words import (
    THE_CAUSES,
    THE_PARTS,
    THE_SCORE,
    held_back,
    in_words,
    membership,
    reannotation_note,
    strata_note,
    told_once,
)

__all__ = [
    "SOURCE",
    "THE_CAUSES",
    "THE_PARTS",
    "THE_SCORE",
    "WITHIN",
    "DomainGapView",
    "Gap",
    "InStratum",
    "Score",
    "benchmarks",
    "candidates",
    "default_choice",
    "domain_gap_view",
    "family",
    "held_back",
    "in_strata",
    "in_words",
    "left_out",
    "membership",
    "others",
    "part_markup",
    "part_table",
    "reannotation_note",
    "strata_figure",
    "strata_note",
    "strata_table",
    "told_once",
    "waterfall_figure",
]
