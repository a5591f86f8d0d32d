"""The standings of one's own results, by the schemes of the board."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ctspine_bench.errors import UsageError
from ctspine_bench.rankings.paired import MISSED
from ctspine_bench.rankings.schemes import OFFICIAL
from ctspine_bench.rankings.standings import standings
from ctspine_bench.testsets import known_errata

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ctspine_bench.own_runs.methods import Methods
    from ctspine_bench.rankings.paired import PairedScores
    from ctspine_bench.rankings.standings import Standings


@dataclass(frozen=True)
class OwnStandings:
    """Where one's own results stand.

    Attributes:
        title: What people call the test set.
        found: The standings that were asked for.
        means: "dsc" and "hd95_mm" → standings by that Mean of Vertebrae.
        counts: Name → how many vertebrae of the whole spine were "missed" and are "spurious".
        dropped: Whether cases with known-bad references were left out.
        notes: What a reader has to know about how they were scored.
    """

    title: str
    found: Standings
    means: Mapping[str, Standings]
    counts: Mapping[str, Mapping[str, int]]
    dropped: bool
    notes: tuple[str, ...]


def own_standings(methods: Methods, scheme: str, metric: str, region: str, *, keep_errata: bool = True) -> OwnStandings:
    """Rank methods of one run each; folds are one run.

    Args:
        methods: What to rank.
        scheme: One of `rankings.SCHEMES`.
        metric: One of `METRICS`.
        region: One of `REGIONS`.
        keep_errata: Whether cases whose references are known to be wrong count.

    Raises:
        UsageError: A method has several runs, or no reference has a vertebra of the region.
    """
    several = next((method for method in methods.methods if method.kind == "runs"), None)
    if several:
        raise UsageError(f"expected one folder, or folds, of {several.name} to rank; `compare` averages runs")
    paired = replace(methods.paired, slugs=tuple(method.name for method in methods.methods))
    known = np.array([bool(known_errata(case_id)) for case_id in paired.vertebrae.case_ids])
    dropped = not keep_errata and bool(known.any())
    if dropped:
        paired = paired.of_cases(~known)
    found = standings(paired, scheme, metric, region)
    if not found.rows:
        raise UsageError(f"expected a reference with a vertebra of the {region} spine, found none")
    return OwnStandings(
        title=methods.methods[0].runs[0].title,
        found=found,
        means={
            name: found if (scheme, metric) == (OFFICIAL[0], name) else standings(paired, OFFICIAL[0], name, region)
            for name in ("dsc", "hd95_mm")
        },
        counts=_counts(paired),
        dropped=dropped,
        notes=methods.notes,
    )


def _counts(paired: PairedScores) -> dict[str, dict[str, int]]:
    missed = paired.measures[MISSED].sum(axis=0)
    spurious = (paired.present & ~paired.vertebrae.in_reference[:, None]).sum(axis=0)
    return {
        slug: {"missed": int(missed[place]), "spurious": int(spurious[place])}
        for place, slug in enumerate(paired.slugs)
    }
