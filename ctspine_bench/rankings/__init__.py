"""Who stands where, and how sure that is: one scheme a file, pure functions of case tables.

`mean_then_rank` is the official scheme; `intervals` turns paired resamples of any scheme's score into rank intervals.
"""

from __future__ import annotations

from ctspine_bench.rankings.intervals import RankInterval, rank_intervals

__all__ = ["RankInterval", "rank_intervals"]
