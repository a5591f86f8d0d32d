"""How often a 95 % interval covers what it should, by the number of cases: measured by simulation.

`benchmarks/interval_coverage.py` measures it and writes `coverage.json`.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Final

AS_IT_SHOULD: Final = 150
"""From so many cases on, percentile intervals cover as they should, and nothing is printed beside them."""


def measured_coverage(n_cases: int) -> float | None:
    """Return the coverage measured at the largest simulated n not above; `None` at 150 and more, or under 10."""
    if n_cases >= AS_IT_SHOULD:
        return None
    return next((share for n, share in sorted(_measured().items(), reverse=True) if n <= n_cases), None)


@cache
def _measured() -> dict[int, float]:
    content = json.loads(files(__package__).joinpath("coverage.json").read_text("utf-8"))
    return {int(n): entry["mean_of_vertebrae"] for n, entry in content["coverage"].items()}
