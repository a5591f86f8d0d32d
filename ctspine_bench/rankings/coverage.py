"""How often a 95 % interval covers what it should, by the number of cases: measured by simulation.

`benchmarks/interval_coverage.py` measures it and writes `coverage.json`.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Final, Literal

Averaged = Literal["mean_of_vertebrae", "mean_rank", "mean_over_vertebrae", "per_case"]

AS_IT_SHOULD: Final = 150
"""From so many cases on, intervals cover as they should, and nothing is printed beside them."""


def measured_coverage(n_cases: int, of: Averaged = "mean_of_vertebrae") -> float | None:
    """Return the coverage measured at the largest simulated n not above; `None` at 150 and more, or under 10.

    Args:
        n_cases: How many cases there are.
        of: What the interval is of: Mean of Vertebrae or a mean rank, as standings have them; the mean over all
            vertebrae, in which frequent labels weigh more; or the mean over cases.
    """
    if n_cases >= AS_IT_SHOULD:
        return None
    measured = sorted(_measured().items(), reverse=True)
    return next((shares[of] for n, shares in measured if n <= n_cases), None)


@cache
def _measured() -> dict[int, dict[str, float]]:
    content = json.loads(files(__package__).joinpath("coverage.json").read_text("utf-8"))
    return {int(n): shares for n, shares in content["coverage"].items()}
