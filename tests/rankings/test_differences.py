"""Differences of two submissions: by hand, by leaving out one case in a loop, and p values against SciPy's."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import pytest
from case_results import case, mask, missed, spurious
from scipy import stats
from statsmodels.stats.multitest import multipletests

from ctspine_bench.anatomy import vertebra_label, vertebra_name
from ctspine_bench.rankings.differences import Difference, corrected_p_values, differences
from ctspine_bench.rankings.mean_then_rank import scores
from ctspine_bench.rankings.paired import REGIONS, case_means, label_counts, pair
from ctspine_bench.rankings.pairwise import pairwise_tests
from ctspine_bench.tables import case_table

if TYPE_CHECKING:
    import pandas as pd

    from ctspine_bench.rankings.paired import PairedScores

C7, T12, L1, L2 = (vertebra_label(name) for name in ("C7", "T12", "L1", "L2"))


def drawn(slugs: str, n_cases: int, *, round_to: int = 6, stray: str = "") -> PairedScores:
    """Drawn scores of T12–L2, whose C7 is in every third case; with two digits there are ties and zeros.

    Args:
        slugs: A letter for each submission.
        n_cases: How many cases.
        round_to: Digits of the DSC.
        stray: Those who predict a C7 too where the case before has one, and a C6 in two cases.
    """
    generator = np.random.default_rng(n_cases)
    values = {slug: generator.beta(8, 1 + place, (n_cases, 4)).round(round_to) for place, slug in enumerate(slugs)}

    def table(slug: str) -> pd.DataFrame:
        cases = []
        for number, (t12, l1, l2, c7) in enumerate(values[slug].tolist()):
            masks = [mask("T12", t12, 20 * (1 - t12)), mask("L1", l1, 20 * (1 - l1)), mask("L2", l2, 20 * (1 - l2))]
            first = [mask("C7", c7, 20 * (1 - c7))] if number % 3 == 0 else []
            if slug in stray:
                first += [spurious("C7")] if number % 3 == 1 else []
                first += [spurious("C6")] if number in (4, 6) else []
            cases.append(case(f"case{number:03}", *first, *masks))
        return case_table(cases, "custom")

    return pair({slug: table(slug) for slug in slugs})


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


def test_a_spurious_vertebra_by_hand() -> None:
    """L1 is .6 in one of two cases for "clean"; the other one says L1 in both, .6 and 0: .3 less, on n of 1 and 2."""
    both = {"T12": mask("T12", 0.8, 2.0), "L1": mask("L1", 0.6, 4.0)}
    tables = {
        "clean": case_table([case("a", *both.values()), case("b", both["T12"])], "custom"),
        "stray": case_table([case("a", *both.values()), case("b", both["T12"], spurious("L1"))], "custom"),
        "invented": case_table([case("a", *both.values()), case("b", both["T12"], spurious("L2"))], "custom"),
    }
    paired = pair(tables)
    found = differences(paired.of("clean", "stray"), "dsc")
    assert found.labels == {T12: Difference(2, 0.0), L1: Difference(1, pytest.approx(0.3, abs=1e-15))}
    assert found.mean == Difference(2, pytest.approx(0.15, abs=1e-15))
    lumbar = differences(paired.of("stray", "clean"), "hd95_mm", "lumbar")
    assert lumbar.labels == {L1: Difference(1, pytest.approx((4 + 100) / 2 - 4))}
    assert lumbar.mean == Difference(1, pytest.approx(48.0))  # one reference has a lumbar vertebra
    # A label that one of them has alone differs from nothing, but is one of the labels in its mean: (.8 + .6 + 0) / 3.
    invented = differences(paired.of("clean", "invented"), "dsc")
    assert invented.labels == {T12: Difference(2, 0.0), L1: Difference(1, 0.0)}
    assert invented.mean == Difference(2, pytest.approx(0.7 - 1.4 / 3))


def means_without(paired: PairedScores, metric: str, label: int, gone: int | None = None) -> list[float]:
    """The mean of a label for each submission without a case, by loops over rows; NaN where nothing is left."""
    vertebrae, means = paired.vertebrae, []
    for column in range(len(paired.slugs)):
        values = [
            paired.measures[metric][row, column]
            for row in range(len(paired.present))
            if paired.present[row, column] and vertebrae.label[row] == label and vertebrae.case[row] != gone
        ]
        means.append(sum(values) / len(values) if values else np.nan)
    return means


def interval_of_mean(value: float, left_out: list[float], shares: list[float], n_either: int) -> tuple[float, float]:
    """The formulas of the jackknife: what each case moves; freedom is of the cases with a label in either volume."""
    n = sum(share > 0 for share in shares)
    squared = 0.0
    for without in left_out:
        deviation = 0.0 if np.isnan(without) else np.sqrt((n - 1) / n) * (without - value)
        squared += deviation**2
    half = stats.t.ppf(0.975, n_either - 1) * np.sqrt(squared)
    return value - half, value + half


def intervals_of_labels(paired: PairedScores, metric: str) -> dict[int, tuple[float, float]]:
    """Likewise for labels: the variance of one vertebra is that of its label, and six times that of all labels."""
    of_one, n_of, values = {}, {}, {}
    for label in np.unique(paired.vertebrae.label).tolist():
        rows = np.flatnonzero(paired.vertebrae.label == label)
        n_one, n_other = paired.present[rows].sum(axis=0).tolist()
        if not n_one or not n_other:
            continue
        one, other = means_without(paired, metric, label)
        squared = 0.0
        for gone in paired.vertebrae.case[rows].tolist():
            one_without, other_without = means_without(paired, metric, label, gone)
            deviation = (one_without - other_without) - (one - other)
            squared += 0.0 if np.isnan(deviation) else deviation**2
        n_of[label] = 2 / (1 / n_one + 1 / n_other)
        of_one[label] = squared * (len(rows) - 1) / len(rows) * n_of[label]
        values[label] = one - other
    n_in_all = sum(n - 1 for n in n_of.values())
    common = sum((n_of[label] - 1) * of_one[label] for label in n_of) / n_in_all
    found = {}
    for label, n in n_of.items():
        variance = ((n - 1) * of_one[label] + 3 * common) / (n - 1 + 3) / n
        half = stats.t.ppf(0.975, min(n - 1 + 3, n_in_all)) * np.sqrt(variance)
        found[label] = values[label] - half, values[label] + half
    return found


STRAYS = pytest.mark.parametrize("stray", ["", "b", "ab"], ids=["none strays", "one strays", "both stray"])


@STRAYS
@pytest.mark.parametrize("metric", ["dsc", "hd95_mm"])
def test_intervals_of_labels_are_those_of_a_loop_over_cases(metric: str, stray: str) -> None:
    """Each case is left out of both at once; what all labels have in common is that of all, whatever the region."""
    paired = drawn("ab", 36, stray=stray)
    expected = intervals_of_labels(paired, metric)
    assert list(expected) == [C7, T12, L1, L2] if stray != "ab" else [C7 - 1, C7, T12, L1, L2]
    for region, labels in REGIONS.items():
        found = differences(paired, metric, region).labels
        assert list(found) == [label for label in expected if label in labels]
        for label, each in found.items():
            n = [label_counts(paired)[label - 1, column] for column in (0, 1)]
            one, other = means_without(paired, metric, label)
            assert (each.n, each.value) == (min(n), pytest.approx(one - other, abs=1e-12))
            ends = expected[label] if min(n) >= 10 else (None, None)
            assert (each.low, each.high) == pytest.approx(ends, abs=1e-10)


@STRAYS
@pytest.mark.parametrize("metric", ["dsc", "hd95_mm"])
@pytest.mark.parametrize("region", ["all", "cervical", "lumbar"])
def test_intervals_of_means_are_those_of_a_loop_over_cases(region: str, metric: str, stray: str) -> None:
    """Likewise of the mean over labels; a label that goes with the only case that has it goes from the mean, too."""
    paired = drawn("ab", 36, stray=stray)
    vertebrae = paired.vertebrae
    labels = [label for label in (C7 - 1, C7, T12, L1, L2) if label in REGIONS[region]]
    of_labels = [[means_without(paired, metric, label, gone) for label in labels] for gone in (None, *range(36))]
    one, other = np.transpose([np.nanmean(means, axis=0) for means in of_labels])
    n_of_label = {label: int(((vertebrae.label == label) & vertebrae.in_reference).sum()) for label in labels}
    n_labels = sum(n > 0 for n in n_of_label.values())
    shares, there = [0.0] * 36, [False] * 36
    for i, label, in_reference in zip(vertebrae.case, vertebrae.label, vertebrae.in_reference, strict=True):
        if label in labels:
            there[i] |= bool(in_reference)
            shares[i] += 1 / n_of_label[label] / n_labels if in_reference else 0.0
    assert sum(shares) == pytest.approx(1)
    n_either = len({*vertebrae.case[np.isin(vertebrae.label, labels)].tolist()})
    low, high = interval_of_mean(one[0] - other[0], (one[1:] - other[1:]).tolist(), shares, n_either)
    found = differences(paired, metric, region).mean
    assert found == Difference(
        sum(there), pytest.approx(one[0] - other[0]), pytest.approx(low, abs=1e-10), pytest.approx(high, abs=1e-10)
    )


def equals(n_cases: int, l6: tuple[float, ...] = (), stray: str = "") -> PairedScores:
    """Two with the same L1–L5 in all cases; the first case has an L6 of some DSC, or the other one strays in a case."""
    names = ("L1", "L2", "L3", "L4", "L5")
    spread = np.random.default_rng(n_cases).uniform(0.6, 0.9, (n_cases, len(names)))

    def table(column: int) -> pd.DataFrame:
        cases = []
        for i, values in enumerate(spread.tolist()):
            masks = [mask(name, value, 4.0) for name, value in zip(names, values, strict=True)]
            masks += [mask("L6", l6[column], 4.0)] if l6 and i == 0 else []
            masks += [spurious(stray)] if stray and column and i == 7 else []
            cases.append(case(f"case{i:03}", *masks))
        return case_table(cases, "custom")

    return pair({"one": table(0), "other": table(1)})


def test_a_label_of_one_case_leaves_room_for_doubt() -> None:
    """The one case with an L6 makes all of the difference, 1 / 6, and without it there is none: it could be none."""
    found = differences(equals(20, l6=(1.0, 0.0)), "dsc").mean
    half = stats.t.ppf(0.975, 19) * np.sqrt(19 / 20) / 6
    assert found == Difference(20, pytest.approx(1 / 6), pytest.approx(1 / 6 - half), pytest.approx(1 / 6 + half))
    assert found.low < 0
    assert differences(equals(20), "dsc").mean == Difference(20, 0.0, 0.0, 0.0)


def test_a_spurious_vertebra_in_one_case_leaves_room_for_doubt() -> None:
    """A label that one of two equals predicts in a single case costs it a sixth of its score, and not surely."""
    found = differences(equals(20, stray="L6"), "dsc").mean
    assert found is not None
    score = scores(equals(20), "dsc", "all")[0]
    assert found.value == pytest.approx(score / 6)
    # That case alone moves the difference, by about all of it; all cases carry the same.
    half = stats.t.ppf(0.975, 19) * np.sqrt(19 / 20) * score / 6
    assert (found.low, found.high) == pytest.approx((score / 6 - half, score / 6 + half), rel=0.01)
    assert found.low < 0


def test_no_interval_ends_beyond_what_can_be() -> None:
    """Who is perfect differs from who misses nine of ten by .9 DSC and 90 mm, and by 1 or 100 mm at most."""
    perfect = [case(f"case{i}", mask("L1", 1.0, 0.0)) for i in range(10)]
    misses = [perfect[0], *(case(f"case{i}", missed("L1")) for i in range(1, 10))]
    paired = pair({"one": case_table(perfect, "custom"), "other": case_table(misses, "custom")})
    # The standard error of the mean of nine 1 and a 0 is .1, as that of nine 100 and a 0 is 10.
    half = stats.t.ppf(0.975, 9) * 0.1
    for metric, sign, limit in (("dsc", 1, 1), ("hd95_mm", -1, 100)):
        found = differences(paired, metric)
        ends = sorted([sign * (0.9 - half) * limit, sign * limit])
        expected = Difference(10, pytest.approx(sign * 0.9 * limit), *map(pytest.approx, ends))
        assert (found.mean, found.labels) == (expected, {L1: expected})


def test_the_mean_is_the_difference_of_the_official_scores() -> None:
    """What standings show for the two differs by exactly what is shown here, in all metrics and regions."""
    paired = drawn("ab", 24, stray="b")
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


def test_no_interval_where_one_of_the_two_has_under_ten_cases() -> None:
    """C7 counts in eight cases for a, and with its spurious ones in 16 for b: n is eight, whichever comes first."""
    paired = drawn("ab", 24, stray="b")
    for both in (paired, paired.of("b", "a")):
        found = differences(both, "dsc").labels[C7]
        assert (found.n, found.low, found.high) == (8, None, None)
    assert differences(drawn("ab", 24, stray="ab"), "dsc").labels[C7].n == 16
    assert differences(drawn("ab", 24, stray="ab"), "dsc").labels[C7].low is not None


@pytest.mark.parametrize("stray", ["", "b"])
def test_the_other_way_round_everything_changes_its_sign(stray: str) -> None:
    """B less a is minus a less b, ends and all, of the mean and of each label."""

    def turned(found: Difference) -> Difference:
        ends = [None if end is None else pytest.approx(-end) for end in (found.high, found.low)]
        return Difference(found.n, pytest.approx(-found.value), *ends)

    paired = drawn("ab", 24, stray=stray)
    one, other = differences(paired, "hd95_mm"), differences(paired.of("b", "a"), "hd95_mm")
    assert one.mean is not None
    assert one.mean.low is not None
    assert other.mean == turned(one.mean)
    assert other.labels == {label: turned(each) for label, each in one.labels.items()}


def test_a_copy_differs_by_nothing() -> None:
    """Equal scores give 0 with an interval of no width."""
    paired = drawn("ab", 24).of("a", "a")
    assert differences(paired, "dsc").mean == Difference(24, 0.0, 0.0, 0.0)


def test_a_region_that_no_reference_shows() -> None:
    """Without a lumbar reference there is no difference, rather than an undefined one; a spurious L1 makes none."""
    table = case_table([case("a", mask("C1", 0.8, 1.0))], "custom")
    found = differences(pair({"one": table, "other": table}), "dsc", "lumbar")
    assert (found.mean, found.labels) == (None, {})
    stray = case_table([case("a", mask("C1", 0.8, 1.0), spurious("L1"))], "custom")
    found = differences(pair({"one": table, "other": stray}), "dsc", "lumbar")
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
