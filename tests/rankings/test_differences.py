"""Differences of two submissions: by hand, one draw at a time, and all p values against SciPy and statsmodels."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import pytest
from case_results import case, mask, missed
from scipy import stats
from statsmodels.stats.multitest import multipletests

from ctspine_bench.anatomy import vertebra_label, vertebra_name
from ctspine_bench.bootstrap import case_weights
from ctspine_bench.rankings.differences import Difference, corrected_p_values, differences
from ctspine_bench.rankings.mean_then_rank import scores
from ctspine_bench.rankings.paired import case_means, pair
from ctspine_bench.rankings.pairwise import pairwise_tests
from ctspine_bench.tables import case_table

if TYPE_CHECKING:
    import pandas as pd

    from ctspine_bench.rankings.paired import PairedScores

T12, L1 = vertebra_label("T12"), vertebra_label("L1")


def drawn(slugs: str, n_cases: int, *, round_to: int = 6) -> PairedScores:
    """Drawn scores of T12–L2, whose C7 is in every third case; with two digits there are ties and zeros."""
    generator = np.random.default_rng(n_cases)
    values = {slug: generator.beta(8, 1 + place, (n_cases, 4)).round(round_to) for place, slug in enumerate(slugs)}

    def table(of_slug: np.ndarray) -> pd.DataFrame:
        cases = []
        for number, (t12, l1, l2, c7) in enumerate(of_slug.tolist()):
            masks = [mask("T12", t12, 20 * (1 - t12)), mask("L1", l1, 20 * (1 - l1)), mask("L2", l2, 20 * (1 - l2))]
            first = [mask("C7", c7, 20 * (1 - c7))] if number % 3 == 0 else []
            cases.append(case(f"case{number:03}", *first, *masks))
        return case_table(cases, "custom")

    return pair({slug: table(of_slug) for slug, of_slug in values.items()})


def test_differences_by_hand() -> None:
    """T12 differs by .1 in one case and .3 in the other, L1 by .5 in the only one: .2 and .5, in the mean .35."""
    tables = {
        "one": case_table(
            [case("a", mask("T12", 0.9, 1.0), mask("L1", 0.5, 4.0)), case("b", mask("T12", 0.8, 2.0))], "custom"
        ),
        "other": case_table(
            [case("a", mask("T12", 0.8, 2.0), missed("L1")), case("b", mask("T12", 0.5, 8.0))], "custom"
        ),
    }
    paired = pair(tables)
    found = differences(paired, "dsc")
    assert found.mean is not None
    assert (found.mean.n, found.mean.value) == (2, pytest.approx(0.35, abs=1e-15))
    assert {label: each.value for label, each in found.labels.items()} == pytest.approx({T12: 0.2, L1: 0.5})
    assert {label: each.n for label, each in found.labels.items()} == {T12: 2, L1: 1}
    assert differences(paired, "hd95_mm").labels[L1].value == pytest.approx(4 - 100)
    assert differences(paired, "dsc", "lumbar").mean == Difference(1, pytest.approx(0.5))


def test_intervals_are_those_of_one_draw_at_a_time() -> None:
    """Every draw weighs the cases of both alike; the percentiles are stretched to the errors by leaving out a case."""
    paired = drawn("ab", 36)
    found = differences(paired, "dsc", draws=300)
    reference, values = paired.reference, paired.measures["dsc"]

    def by_label(weights: np.ndarray) -> dict[int, float]:
        of_rows = weights[reference.case] * (values[:, 0] - values[:, 1])
        return {
            label: of_rows[reference.label == label].sum() / weights[reference.case[reference.label == label]].sum()
            for label in found.labels
        }

    drawn_means = [by_label(weights) for weights in case_weights(36, 300)]
    left_out = [by_label(weights) for weights in 1 - np.eye(36)]
    for label, each in found.labels.items():
        has_it = reference.case[reference.label == label]
        ends = stretched(each.value, [m[label] for m in drawn_means], [left_out[case][label] for case in has_it])
        assert (each.low, each.high) == pytest.approx(ends, abs=1e-12)
    mean = found.mean
    assert mean is not None
    ends = stretched(mean.value, *([np.mean(list(m.values())) for m in means] for means in (drawn_means, left_out)))
    assert (mean.low, mean.high) == pytest.approx(ends, abs=1e-12)


def stretched(value: float, means: list[float], left_out: list[float]) -> tuple[float, float]:
    """Percentiles about the value, times how much larger the jackknife's error and Student's quantile are."""
    n = len(left_out)
    jackknife = np.sqrt((n - 1) / n * np.sum((np.array(left_out) - np.mean(left_out)) ** 2))
    factor = max(1.0, jackknife / np.std(means)) * stats.t.ppf(0.975, n - 1) / stats.norm.ppf(0.975)
    low, high = np.percentile(means, [2.5, 97.5])
    return value + (low - value) * factor, value + (high - value) * factor


def test_a_label_of_one_case_leaves_room_for_doubt() -> None:
    """No draw moves the one case with an L2, which makes most of the difference; without it there is hardly any."""
    table = drawn("ab", 20)
    keep = ~np.isin(table.reference.label, [L1 + 1]) | (table.reference.case == 0)
    paired = table.of_rows(keep)
    rows = paired.reference.label == L1 + 1
    paired.measures["dsc"][rows] = [[1.0, 0.0]]
    found = differences(paired, "dsc").mean
    assert found is not None
    assert found.low is not None
    assert found.low < 0 < found.value


def test_the_mean_is_the_difference_of_the_official_scores() -> None:
    """What standings show for the two differs by exactly what is shown here, in all metrics and regions."""
    paired = drawn("ab", 24)
    for metric in ("dsc", "hd95_mm", "nsd_1mm"):
        for region in ("all", "cervical", "lumbar"):
            found = differences(paired, metric, region).mean
            one, other = scores(paired, metric, region)
            assert found is not None
            assert found.value == pytest.approx(one - other, abs=1e-12)


def test_no_interval_under_ten_cases() -> None:
    """C7 is in eight of 24 cases: it has none, and neither has the cervical spine; labels of all cases have one."""
    found = differences(drawn("ab", 24), "dsc")
    ends = {vertebra_name(label): (each.n, each.low is None, each.high is None) for label, each in found.labels.items()}
    assert ends == {"C7": (8, True, True), **dict.fromkeys(("T12", "L1", "L2"), (24, False, False))}
    cervical = differences(drawn("ab", 24), "dsc", "cervical").mean
    assert cervical is not None
    assert (cervical.n, cervical.low, cervical.high) == (8, None, None)


def test_the_other_way_round_everything_changes_its_sign() -> None:
    """B less a is minus a less b, ends and all."""
    paired = drawn("ab", 24)
    one, other = differences(paired, "hd95_mm"), differences(paired.of("b", "a"), "hd95_mm")
    assert one.mean is not None
    assert one.mean.low is not None
    assert one.mean.high is not None
    assert other.mean == Difference(
        24, pytest.approx(-one.mean.value), pytest.approx(-one.mean.high), pytest.approx(-one.mean.low)
    )


def test_a_copy_differs_by_nothing() -> None:
    """Equal scores give 0 with an interval of no width."""
    paired = drawn("ab", 24).of("a", "a")
    assert differences(paired, "dsc").mean == Difference(24, 0.0, 0.0, 0.0)


def test_a_region_that_no_reference_shows() -> None:
    """Without T12 and L1 there is no difference, rather than an undefined one."""
    table = case_table([case("a", mask("C1", 0.8, 1.0))], "custom")
    found = differences(pair({"one": table, "other": table}), "dsc", "lumbar")
    assert (found.mean, found.labels) == (None, {})


@pytest.mark.parametrize("slugs", ["a", "abc"])
def test_it_takes_two(slugs: str) -> None:
    """One or three submissions are refused."""
    with pytest.raises(ValueError, match=f"expected two submissions, found {len(slugs)}"):
        differences(drawn(slugs, 12), "dsc")


@pytest.mark.parametrize("round_to", [6, 1], ids=["no ties", "ties and zeros"])
@pytest.mark.parametrize("metric", ["dsc", "hd95_mm"])
def test_corrected_p_values_are_those_of_one_test_at_a_time(metric: str, round_to: int) -> None:
    """All at once they are what `pairwise_tests` gives, and what SciPy's test and statsmodels' correction give."""
    paired = drawn("abcde", 31, round_to=round_to)
    found = corrected_p_values(paired, metric)
    assert found is not None
    pairs = list(combinations(range(5), 2))
    one_by_one = [test.p_holm for test in pairwise_tests(paired, metric).values()]
    assert [found[i, j] for i, j in pairs] == pytest.approx(one_by_one, rel=1e-10)

    means = case_means(paired, metric)
    p = [
        stats.wilcoxon((means[:, i] - means[:, j]).round(12), zero_method="pratt", method="approx").pvalue
        for i, j in pairs
    ]
    assert [found[i, j] for i, j in pairs] == pytest.approx(multipletests(p, method="holm")[1].tolist(), rel=1e-10)
    assert (found == found.T).all()
    assert (np.diag(found) == 1).all()


def test_copies_have_p_1() -> None:
    """Between a submission and its copy nothing is significant; the others are as sure as before or less."""
    paired = drawn("ab", 40)
    found = corrected_p_values(paired.of("a", "b", "a"), "dsc")
    alone = corrected_p_values(paired, "dsc")
    assert found is not None
    assert alone is not None
    assert found[0, 2] == 1
    assert found[0, 1] == found[1, 2] == pytest.approx(min(1, 3 * alone[0, 1]))


def test_no_p_value_under_ten_cases() -> None:
    """The cervical spine is in eight of 24 cases: too few for a test, as one by one."""
    paired = drawn("abc", 24)
    assert corrected_p_values(paired, "dsc", "cervical") is None
    assert {test.p_holm for test in pairwise_tests(paired, "dsc", "cervical").values()} == {None}
