"""Two submissions on one test set: by their cases if both are ranked there, else by the means that are published.

`means` has what can be said of any two, `cases` what takes the scores of single cases; `words` says what that means,
and `tables` shows it.
"""

from __future__ import annotations

from ctspine_leaderboard.views.compare.cases import CaseComparison, DecidingCase
from ctspine_leaderboard.views.compare.comparison import Comparison, compare
from ctspine_leaderboard.views.compare.means import LabelRow

__all__ = ["CaseComparison", "Comparison", "DecidingCase", "LabelRow", "compare"]
