"""Who stands where, and how sure that is: pure functions of case tables.

`paired` brings tables to arrays; `mean_then_rank` (official), `rank_then_mean` and `significance` are the schemes, and
`schemes` is their table; `intervals`, `stability` and `removal` say how sure an order is; `pairwise` compares two
submissions; `standings` puts it together.
"""

from __future__ import annotations

from ctspine_bench.rankings.intervals import RankInterval
from ctspine_bench.rankings.schemes import OFFICIAL, OFFICIAL_TEXT, SCHEMES
from ctspine_bench.rankings.standings import Standing, Standings, rank_intervals, standings

__all__ = [
    "OFFICIAL",
    "OFFICIAL_TEXT",
    "SCHEMES",
    "RankInterval",
    "Standing",
    "Standings",
    "rank_intervals",
    "standings",
]
