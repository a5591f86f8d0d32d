"""Strata of one test set, against pandas."""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from case_results import case, mask, spurious
from simulated_scores import scores_of

from ctspine_bench.anatomy import VERTEBRAE
from ctspine_bench.domain_gap import DIMENSIONS, Stratum, estimate, strata
from ctspine_bench.rankings.paired import pair
from ctspine_bench.tables import case_table

if TYPE_CHECKING:
    from ctspine_bench.rankings.paired import PairedScores

SPACING_MM = (0.5, 1.0, np.float32(1.0000001), 1.2, 2.5, 2.6, 5.0, np.nan)


def a_test_set() -> PairedScores:
    """Forty cases from four sources and no source, all spacings, T10 to L2, one in seven transitional."""
    rng = np.random.default_rng(1)
    dsc = rng.beta(5, 2, (40, 5, 2))
    dsc[rng.random((40, 5)) < 0.3] = np.nan
    dsc[:, 0] = 0.7
    names = ("MSD-T10", "VerSe", "COLONOG", "Somewhere", "")
    paired = scores_of(dsc, first_label=17, sources=tuple(names[i % 5] for i in range(40)))
    vertebrae = replace(
        paired.vertebrae,
        slice_spacing_mm=np.array([SPACING_MM[i % 8] for i in range(40)], float),
        transitional=np.arange(40) % 7 == 0,
        cut=rng.random(len(paired.vertebrae.case)) < 0.2,
    )
    return replace(paired, vertebrae=vertebrae)


def rows_of(paired: PairedScores) -> pd.DataFrame:
    """One row for each vertebra, with what it is grouped by, worked out otherwise."""
    vertebrae = paired.vertebrae
    rows = pd.DataFrame(
        {
            "case": vertebrae.case,
            "dsc": paired.measures["dsc"][:, 1],
            "source": [vertebrae.sources[case] or "unknown" for case in vertebrae.case],
            "region": [
                {"C": "cervical", "T": "thoracic", "L": "lumbar"}[VERTEBRAE[label - 1][0]] for label in vertebrae.label
            ],
            "transitional": np.where(vertebrae.transitional[vertebrae.case], "L6, or ends at L4", "ordinary"),
            "cut": np.where(vertebrae.cut, "cut", "complete"),
        }
    )
    spacing_mm = pd.Series(vertebrae.slice_spacing_mm).round(3)
    strata_mm = pd.cut(spacing_mm, [0, 1, 2.5, np.inf], labels=["≤ 1 mm", "1–2.5 mm", "> 2.5 mm"])
    return rows.assign(spacing=strata_mm.astype(object).to_numpy()[vertebrae.case])


@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_strata_are_group_means(dimension: str) -> None:
    """Numbers of cases and vertebrae and means, as pandas groups them; an unknown spacing is in no stratum."""
    paired = a_test_set()
    groups = rows_of(paired).groupby(dimension)
    expected = {
        name: (rows["case"].nunique(), len(rows), pytest.approx(rows["dsc"].mean(), abs=1e-12)) for name, rows in groups
    }
    found = [each for each in strata(paired, "s1") if each.dimension == dimension]
    assert {
        each.name: (each.estimate.n_cases, each.estimate.n_vertebrae, each.estimate.dsc) for each in found
    } == expected
    assert len(found) == len(expected) > 1


def test_every_stratum_has_its_interval() -> None:
    """From ten cases on, that of its vertebrae alone; none below."""
    paired = a_test_set()
    rows = rows_of(paired)
    for each in strata(paired, "s1"):
        inside = (rows[each.dimension] == each.name).to_numpy(bool)
        assert each.estimate == estimate(paired.of_rows(inside), "s1")
        assert (each.estimate.low is None) == (rows[inside]["case"].nunique() < 10)


def test_order_and_names() -> None:
    """Known sources first, in the order of the data set, then others by name; dimensions as people read them."""
    found = strata(a_test_set(), "s0")
    assert {
        dimension: [each.name for each in group] for dimension, group in groupby(found, lambda each: each.dimension)
    } == {
        "source": ["COLONOG", "MSD-T10", "VerSe", "unknown", "Somewhere"],
        "region": ["thoracic", "lumbar"],
        "spacing": ["≤ 1 mm", "1–2.5 mm", "> 2.5 mm"],
        "transitional": ["ordinary", "L6, or ends at L4"],
        "cut": ["complete", "cut"],
    }
    assert list(DIMENSIONS) == list(dict.fromkeys(each.dimension for each in found))


def test_a_stratum_without_a_vertebra_is_none() -> None:
    """What no vertebra is in is left out; without any vertebra there are no strata."""
    paired = scores_of(np.full((3, 1, 1), 0.5))
    assert [(each.dimension, each.name) for each in strata(paired, "s0")] == [
        ("source", "unknown"),
        ("region", "thoracic"),
        ("spacing", "≤ 1 mm"),
        ("transitional", "ordinary"),
        ("cut", "complete"),
    ]
    assert strata(paired.of_labels([1]), "s0") == ()


def test_a_spurious_vertebra_at_the_border_is_cut_for_who_predicts_it_there() -> None:
    """X has it at the end of the field of view, y in the middle: for each it is in the stratum of their own."""
    shared = case("a", mask("L1", 0.8, 1.0), mask("L2", 0.6, 1.0, cut=True))
    tables = {
        slug: case_table([shared, case("b", mask("L1", 0.9, 1.0), spurious("L2", at_border=at_border))], "custom")
        for slug, at_border in (("x", True), ("y", False))
    }
    for order in (("x", "y"), ("y", "x")):
        paired = pair({slug: tables[slug] for slug in order})
        of_cut = {slug: next(s.estimate.dsc for s in strata(paired, slug) if s.name == "cut") for slug in order}
        assert of_cut == {"x": pytest.approx(0.3), "y": pytest.approx(0.6)}


def test_who_else_is_there_means_nothing() -> None:
    """Another order of the submissions gives the same strata."""
    paired = a_test_set()
    found: tuple[Stratum, ...] = strata(paired, "s1")
    assert strata(paired.of("s1", "s0"), "s1") == found
