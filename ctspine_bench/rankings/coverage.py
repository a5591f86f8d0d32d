"""How often a 95 % interval covers what it should, by the number of cases: measured by simulation.

`benchmarks/interval_coverage.py` measures it and writes `coverage.json`.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Final, Literal

from ctspine_bench.jackknife import CONFIDENCE

Averaged = Literal["mean_of_vertebrae", "mean_rank", "mean_over_vertebrae", "per_case", "difference", "gap_score"]

AS_IT_SHOULD: Final = (0.93, 0.97)
"""Where the measured share is in this range, nothing is printed beside an interval."""


def measured_coverage(n_cases: int, of: Averaged = "mean_of_vertebrae") -> float | None:
    """Return the coverage measured at the largest simulated n not above; `None` where it is as it should, or under 10.

    Args:
        n_cases: How many cases there are.
        of: What the interval is of: Mean of Vertebrae or a mean rank; the mean over all vertebrae, in which frequent
            labels weigh more; the mean over cases; the difference of two submissions in Mean of Vertebrae; or the score
            of the domain gap.
    """
    share = _share(n_cases, of)
    return None if share is None or AS_IT_SHOULD[0] <= share <= AS_IT_SHOULD[1] else share


def measured_in_words(n_cases: int, of: Averaged) -> str:
    """Return what stands beside "95 %" where intervals of so few cases do not cover as they should; empty otherwise."""
    share = measured_coverage(n_cases, of)
    return f"; {100 * share:.0f} % in simulations with so few cases" if share else ""


def ranks_told_apart(n_cases: int) -> float | None:
    """Return on what share of simulated boards of equals mean ranks parted somebody; `None` if on the 5 % expected."""
    share = _share(n_cases, "ranks_told_apart")
    return share if share and round(share, 2) > 1 - CONFIDENCE else None


def _share(n_cases: int, of: str) -> float | None:
    return next((shares[of] for n, shares in sorted(measured().items(), reverse=True) if n <= n_cases), None)


@cache
def measured() -> dict[int, dict[str, float]]:
    """Return number of cases → what was measured with so many."""
    content = json.loads(files(__package__).joinpath("coverage.json").read_text("utf-8"))
    return {int(n): shares for n, shares in content["coverage"].items()}
