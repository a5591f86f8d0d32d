"""Comparisons of methods against plain loops, SciPy and statsmodels, and against what the board says of the same."""

from __future__ import annotations

from itertools import combinations
from statistics import fmean, stdev
from typing import TYPE_CHECKING

import numpy as np
import pytest
from case_results import case, mask, missed, spurious
from own_results import drawn_cases, write_own
from scipy import stats
from statsmodels.stats.multitest import multipletests

from ctspine_bench.aggregate import summarise
from ctspine_bench.anatomy import REGIONS as PARTS
from ctspine_bench.anatomy import VERTEBRAE, vertebra_label
from ctspine_bench.errors import UsageError
from ctspine_bench.own_runs.comparing import compare_methods
from ctspine_bench.own_runs.methods import brought_together, method_of
from ctspine_bench.own_runs.ranking import own_standings
from ctspine_bench.own_runs.reading import read_run
from ctspine_bench.rankings.differences import differences
from ctspine_bench.rankings.paired import METRICS, pair
from ctspine_bench.rankings.pairwise import pairwise_tests, walsh_averages
from ctspine_bench.rankings.standings import standings
from ctspine_bench.summary import Estimate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import pandas as pd

    from ctspine_bench.own_runs.methods import Methods
    from ctspine_bench.records import CaseResult

DRAWS = 400
SEEDS = {"alpha": (1, 2, 3), "beta": (4,), "gamma": (5, 6)}
QUALITY = {"alpha": 1.0, "beta": 0.6, "gamma": 0.9}


def methods_of(folder: Path, cases: Mapping[str, Sequence[Sequence[CaseResult]]]) -> Methods:
    """Methods from the cases of their runs."""
    return brought_together(
        [
            method_of(name, [read_run(write_own(folder / f"{name}-{i}", run)) for i, run in enumerate(runs)])
            for name, runs in cases.items()
        ]
    )


@pytest.fixture(scope="module")
def repeated(tmp_path_factory: pytest.TempPathFactory) -> Methods:
    """Three methods with three runs, one and two."""
    folder = tmp_path_factory.mktemp("repeated")
    return methods_of(
        folder, {name: [drawn_cases(seed, QUALITY[name]) for seed in seeds] for name, seeds in SEEDS.items()}
    )


@pytest.fixture(scope="module")
def single(tmp_path_factory: pytest.TempPathFactory) -> Methods:
    """Six methods of one run each."""
    folder = tmp_path_factory.mktemp("single")
    return methods_of(folder, {f"m{i}": [drawn_cases(10 + i, 0.5 + i / 10)] for i in range(6)})


# The oracle: dictionaries and loops over rows of case tables.


def cells_of(table: pd.DataFrame, metric: str) -> dict[tuple[str, str], float]:
    """(case, vertebra) → score by the official rule."""
    rows = table[table["row"] == "vertebra"]
    cells = {}
    for _, row in rows.iterrows():
        value = row[metric]
        if metric == "hd95_mm":
            value = min(float(row["hd95_mm"]), 100.0) if row["status"] == "matched" else 100.0
        cells[row["case_id"], row["vertebra"]] = float(value)
    return cells


def mean_of_vertebrae(cells: Mapping[tuple[str, str], float], without: str | None = None) -> float:
    names = {name for case_id, name in cells if case_id != without}
    return fmean(
        fmean(value for (case_id, name), value in cells.items() if name == each and case_id != without)
        for each in names
    )


def per_case(cells: Mapping[tuple[str, str], float], without: str | None = None) -> float:
    ids = {case_id for case_id, _ in cells} - {without}
    return fmean(fmean(value for (case_id, _), value in cells.items() if case_id == each) for each in ids)


def over_vertebrae(cells: Mapping[tuple[str, str], float], without: str | None = None) -> float:
    return fmean(value for (case_id, _), value in cells.items() if case_id != without)


def interval_of(value: float, left_out: Sequence[float], weights: Sequence[float]) -> tuple[float, float]:
    """The interval that jackknife.py describes, one case after the other."""
    carrying = [w for w in weights if w > 0]
    n = len(carrying)
    nu = sum(w**2 for w in carrying) ** 2 / sum(w**4 for w in carrying) - 1
    own = nu / (nu + 3)
    mean_square = sum(w**2 for w in carrying) / n
    squares = 0.0
    for without, weight in zip(left_out, weights, strict=True):
        deviation = (without - value) * np.sqrt((n - 1) / n)
        squares += deviation**2 * max(1, own + (1 - own) * mean_square / weight**2 if weight > 0 else 1)
    half = stats.t.ppf(0.975, min(nu + 3, n - 1)) * np.sqrt(squares)
    return value - half, value + half


def case_ids(methods: Methods) -> list[str]:
    return sorted(methods.methods[0].case_ids)


def reference_weights(methods: Methods) -> list[float]:
    """The share of Mean of Vertebrae that each case carries by its reference."""
    table = methods.methods[0].tables[0]
    rows = table[(table["row"] == "vertebra") & (table["status"] != "spurious")]
    held = list(zip(rows["case_id"], rows["vertebra"], strict=True))
    n = {name: sum(other == name for _, other in held) for _, name in held}
    return [sum(1 / n[name] for case_id, name in held if case_id == each) / len(n) for each in case_ids(methods)]


@pytest.mark.parametrize("metric", ["dsc", "hd95_mm"])
def test_means_and_their_intervals_are_those_of_plain_loops(repeated: Methods, metric: str) -> None:
    """A mean over runs of the means of each; the interval leaves one case out of all runs at once."""
    found = compare_methods(repeated, metric, "all", draws=DRAWS)
    ids = case_ids(repeated)
    largest = 100.0 if metric == "hd95_mm" else 1.0
    for method, result in zip(repeated.methods, found.methods, strict=True):
        runs = [cells_of(table, metric) for table in method.tables]
        n_cells = [[sum(each == case_id for each, _ in cells) for case_id in ids] for cells in runs]
        for name, score, weights in (
            ("mean_of_vertebrae", mean_of_vertebrae, reference_weights(repeated)),
            ("per_case", per_case, [1 / len(ids)] * len(ids)),
            ("over_vertebrae", over_vertebrae, np.mean([np.array(n) / sum(n) for n in n_cells], axis=0)),
        ):
            value = fmean(map(score, runs))
            left_out = [fmean(score(cells, each) for cells in runs) for each in ids]
            low, high = interval_of(value, left_out, weights)
            shown = result.means[name][metric]
            assert (shown.n, shown.value) == (len(ids), pytest.approx(value, abs=1e-12))
            assert (shown.low, shown.high) == pytest.approx((max(low, 0), min(high, largest)), abs=1e-12)
            spread = shown.spread
            if len(runs) == 1:
                assert spread is None
            else:
                values = list(map(score, runs))
                assert (spread.n, spread.mean, spread.sd) == pytest.approx((len(runs), value, stdev(values)))


@pytest.mark.parametrize("metric", ["dsc", "hd95_mm"])
def test_differences_and_their_intervals_are_those_of_plain_loops(repeated: Methods, metric: str) -> None:
    """Scores without a case are averaged over runs, then subtracted."""
    found = compare_methods(repeated, metric, "all", draws=DRAWS)
    ids = case_ids(repeated)
    runs = {each.name: [cells_of(table, metric) for table in each.tables] for each in repeated.methods}
    assert [(each.one, each.other) for each in found.pairs] == list(combinations(SEEDS, 2))
    for each in found.pairs:

        def score(name: str, without: str | None = None) -> float:
            return fmean(mean_of_vertebrae(cells, without) for cells in runs[name])

        value = score(each.one) - score(each.other)
        left_out = [score(each.one, case_id) - score(each.other, case_id) for case_id in ids]
        assert each.mean.value == pytest.approx(value, abs=1e-12)
        n = len(ids)
        error = np.sqrt(sum((without - value) ** 2 for without in left_out) * (n - 1) / n)
        half = stats.t.ppf(0.975, n - 1) * error
        expected = value - half, value + half
        assert (each.mean.low, each.mean.high) == pytest.approx(expected, abs=1e-12)


def test_labels_are_those_of_plain_loops(repeated: Methods) -> None:
    """Means over the cases that have the label in either volume, averaged over the runs that have it; likewise n."""
    found = compare_methods(repeated, "dsc", "all", draws=DRAWS)
    ids = case_ids(repeated)
    runs = {each.name: [cells_of(table, "dsc") for table in each.tables] for each in repeated.methods}

    def of_label(cells: Mapping[tuple[str, str], float], label: str, without: str | None = None) -> float | None:
        values = [value for (case_id, name), value in cells.items() if name == label and case_id != without]
        return fmean(values) if values else None

    def of_method(name: str, label: str, without: str | None = None) -> float | None:
        values = [of_label(cells, label, without) for cells in runs[name]]
        values = [value for value in values if value is not None]
        return fmean(values) if values else None

    def n_of(name: str, label: str) -> int:
        return min(n for cells in runs[name] if (n := sum(label == other for _, other in cells)))

    def squared_error(one: str, other: str, label: str) -> float:
        value = of_method(one, label) - of_method(other, label)
        held = [i for i in ids if any((i, label) in cells for name in (one, other) for cells in runs[name])]
        left_out = [of_method(one, label, i) - of_method(other, label, i) for i in held]
        return (len(held) - 1) / len(held) * sum((each - value) ** 2 for each in left_out)

    for pair_ in found.pairs:
        assert {"T11", "T12", "L1", "L2", "T1", "C7"} <= pair_.labels.keys()
        # Squared errors of one vertebra, moderated: a label's own counts n − 1 times, the common one six times.
        n = {label: 2 / sum(1 / n_of(name, label) for name in (pair_.one, pair_.other)) for label in pair_.labels}
        of_one = {label: n[label] * squared_error(pair_.one, pair_.other, label) for label in pair_.labels}
        all_df = sum(n[label] - 1 for label in n)
        common = sum((n[label] - 1) * of_one[label] for label in n) / all_df
        for label, each in pair_.labels.items():
            means = of_method(pair_.one, label), of_method(pair_.other, label)
            assert each.means == pytest.approx(means, abs=1e-12)
            assert each.difference.value == pytest.approx(means[0] - means[1], abs=1e-12)
            counts = [n_of(name, label) for name in (pair_.one, pair_.other)]
            assert (list(each.n), each.difference.n) == (counts, min(counts))
            if min(counts) < 10:
                assert (each.difference.low, each.difference.high) == (None, None)
                continue
            own = n[label] - 1
            square = (own * of_one[label] + 3 * common) / (own + 3) / n[label]
            half = stats.t.ppf(0.975, min(own + 3, all_df)) * np.sqrt(square)
            expected = means[0] - means[1] - half, means[0] - means[1] + half
            assert (each.difference.low, each.difference.high) == pytest.approx(expected, abs=1e-12)


def test_tests_are_scipys_and_statsmodels(repeated: Methods) -> None:
    """Wilcoxon's test on per-case means averaged over runs, Holm over the pairs, Hodges–Lehmann of the differences."""
    found = compare_methods(repeated, "dsc", "all", draws=DRAWS)
    ids = case_ids(repeated)

    def case_means(name: str) -> np.ndarray:
        method = next(each for each in repeated.methods if each.name == name)
        of_runs = []
        for table in method.tables:
            cells = cells_of(table, "dsc")
            of_runs.append([fmean(value for (each, _), value in cells.items() if each == case_id) for case_id in ids])
        return np.mean(of_runs, axis=0)

    p_values = []
    for each in found.pairs:
        differences_ = np.round(case_means(each.one) - case_means(each.other), 12)
        expected = stats.wilcoxon(differences_, zero_method="pratt", method="approx").pvalue
        assert each.test.p == pytest.approx(expected)
        assert each.test.effect == pytest.approx(np.median(walsh_averages(differences_)))
        p_values.append(expected)
    assert [each.test.p_holm for each in found.pairs] == pytest.approx(multipletests(p_values, method="holm")[1])
    assert found.corrected_for == 3


@pytest.mark.parametrize(("metric", "region"), [("dsc", "all"), ("hd95_mm", "all"), ("nsd_2mm", "lumbar")])
def test_single_runs_are_what_the_board_says(single: Methods, metric: str, region: str) -> None:
    """Ranks, their intervals and P(1st) are those of the standings, differences and tests those of two submissions."""
    found = compare_methods(single, metric, region, draws=DRAWS)
    paired = pair({each.name: each.tables[0] for each in single.methods})
    board = standings(paired, "mean-then-rank", metric, region, draws=DRAWS)
    by_name = {each.name: each for each in found.methods}
    for row in board.rows:
        each = by_name[row.slug]
        score, of_cases = each.means["mean_of_vertebrae"][metric], each.means["per_case"][metric]
        assert (each.rank, each.rank_low, each.rank_high) == (row.rank, row.low, row.high)
        assert each.p_first == pytest.approx(row.p_first)
        assert (score.value, score.low, score.high) == pytest.approx((row.score, row.score_low, row.score_high))
        assert (of_cases.value, each.per_case_rank) == (pytest.approx(row.per_case), row.per_case_rank)
    tests = pairwise_tests(paired, metric, region)
    for each in found.pairs:
        theirs = differences(paired.of(each.one, each.other), metric, region)
        assert (each.mean.value, each.mean.low, each.mean.high) == pytest.approx(
            (theirs.mean.value, theirs.mean.low, theirs.mean.high)
        )
        labels = {name: one.difference for name, one in each.labels.items()}
        assert {vertebra_label(name) for name in labels} == theirs.labels.keys()
        for name, one in labels.items():
            other = theirs.labels[vertebra_label(name)]
            assert (one.n, one.low is None) == (other.n, other.low is None)
            assert (one.value, one.low or 0, one.high or 0) == pytest.approx(
                (other.value, other.low or 0, other.high or 0), abs=1e-12
            )
        turned = tests.get((each.one, each.other))
        sign = 1.0 if turned else -1.0
        test = turned or tests[each.other, each.one]
        assert each.test.p_holm == pytest.approx(test.p_holm)
        assert each.test.effect == pytest.approx(sign * test.effect)


def test_means_are_those_of_the_results(single: Methods) -> None:
    """The per-case mean, the mean over vertebrae and the spine are what results.json says of each run."""
    found = compare_methods(single, "dsc", "all", draws=DRAWS)
    for method, result in zip(single.methods, found.methods, strict=True):
        summary = summarise(method.tables[0])
        for name, theirs in (("per_case", summary.per_case), ("over_vertebrae", summary.over_vertebrae)):
            for metric in METRICS:
                ours = result.means[name][metric]
                expected = theirs[metric]
                assert isinstance(expected, Estimate)
                assert (ours.n, ours.value, ours.low, ours.high) == pytest.approx(
                    (expected.n, expected.mean, expected.low, expected.high)
                )
        for metric in METRICS:
            spine = getattr(summary.official.mean_of_spine, metric)
            assert result.means["mean_of_spine"][metric].value == pytest.approx(spine)


class TestPairs:
    """Who is compared with whom, and for how many tests p values are corrected."""

    def test_of_more_than_four_each_with_the_best_corrected_for_all(self, single: Methods) -> None:
        """The best was found on the same cases: five of 15 pairs are shown, and Holm's method has all 15."""
        found = compare_methods(single, "dsc", "all", draws=DRAWS)
        best = next(each.name for each in found.methods if each.rank == 1)
        assert found.against_best
        assert [each.one for each in found.pairs] == [best] * 5
        assert found.corrected_for == 15

    def test_with_a_baseline_each_with_the_first(self, single: Methods) -> None:
        """The others less the first, corrected for five tests."""
        found = compare_methods(single, "dsc", "all", baseline=True, draws=DRAWS)
        assert [(each.one, each.other) for each in found.pairs] == [(f"m{i}", "m0") for i in range(1, 6)]
        assert not found.against_best
        raw = [each.test.p for each in found.pairs]
        assert [each.test.p_holm for each in found.pairs] == pytest.approx(multipletests(raw, method="holm")[1])


class TestByHand:
    """Runs and folds that a person can follow."""

    def test_runs(self, tmp_path: Path) -> None:
        """Two runs of T12 .8 and .6, L1 missed once: Mean of Vertebrae .8 and .3, in the mean .55, SD .3536."""
        one = [case("a", mask("T12", 0.8, 2.0), mask("L1", 0.8, 4.0))]
        two = [case("a", mask("T12", 0.6, 4.0), missed("L1"))]
        other = [case("a", mask("T12", 0.5, 6.0), mask("L1", 0.5, 6.0))]
        found = compare_methods(methods_of(tmp_path, {"runs": [one, two], "other": [other]}), "dsc", "all")
        score = found.methods[0].means["mean_of_vertebrae"]
        assert (score["dsc"].value, score["dsc"].low) == (pytest.approx(0.55), None)
        assert (score["dsc"].spread.mean, score["dsc"].spread.sd) == pytest.approx((0.55, 0.5 / np.sqrt(2)))
        assert score["hd95_mm"].value == pytest.approx((3 + 52) / 2)
        labels = found.methods[0].labels
        assert (labels["L1"]["dsc"].value, labels["L1"]["dsc"].spread.sd) == pytest.approx((0.4, 0.8 / np.sqrt(2)))
        (pair_,) = found.pairs
        assert (pair_.mean.value, pair_.mean.low, pair_.test.p) == (pytest.approx(0.05), None, None)
        assert [(each.kind, each.n_runs, each.rank) for each in found.methods] == [("runs", 2, 1), ("single", 1, 2)]
        assert all((each.rank_low, each.rank_high, each.p_first) == (1, 2, None) for each in found.methods)

    def test_folds_are_put_together(self, tmp_path: Path) -> None:
        """T12 is .9, .7 and .5 in three cases of two folds: .7 over all, and .8 and .5 in the folds."""
        folds = [
            [case("a", mask("T12", 0.9, 1.0)), case("b", mask("T12", 0.7, 3.0))],
            [case("c", mask("T12", 0.5, 5.0))],
        ]
        whole = [case(name, mask("T12", 0.6, 5.0)) for name in "abc"]
        found = compare_methods(methods_of(tmp_path, {"folds": folds, "whole": [whole]}), "dsc", "all")
        score = found.methods[0].means["mean_of_vertebrae"]["dsc"]
        assert (found.methods[0].kind, found.n_cases, score.n) == ("folds", 3, 3)
        assert score.value == pytest.approx(0.7)
        assert (score.spread.n, score.spread.mean, score.spread.sd) == pytest.approx((2, 0.65, 0.3 / np.sqrt(2)))

    def test_folds_give_what_one_run_on_all_cases_gives(self, tmp_path: Path) -> None:
        """Cut into three folds, a run has the same means, intervals and differences as in one piece."""
        cases, other = drawn_cases(1, 1.0), drawn_cases(2, 0.6)
        folds = methods_of(tmp_path / "f", {"a": [cases[i::3] for i in range(3)], "b": [other[i::2] for i in range(2)]})
        whole = methods_of(tmp_path / "w", {"a": [cases], "b": [other]})
        ours, theirs = (compare_methods(each, "dsc", "all", draws=DRAWS) for each in (folds, whole))
        assert ours.pairs == theirs.pairs
        for one, two in zip(ours.methods, theirs.methods, strict=True):
            for name, scores in one.means.items():
                for metric, score in scores.items():
                    expected = two.means[name][metric]
                    assert (score.value, score.low, score.high) == (expected.value, expected.low, expected.high)

    def test_a_run_with_a_spurious_level_that_another_has_not(self, tmp_path: Path) -> None:
        """L6 is 0 in the one run and absent in the other: the label is 0, and the first run alone pays for it."""
        one = [case("a", mask("L5", 0.8, 1.0), spurious("L6"))]
        two = [case("a", mask("L5", 0.8, 1.0))]
        found = compare_methods(methods_of(tmp_path, {"runs": [one, two], "other": [two]}), "dsc", "all")
        result = found.methods[0]
        assert result.means["mean_of_vertebrae"]["dsc"].value == pytest.approx((0.4 + 0.8) / 2)
        assert (result.labels["L6"]["dsc"].value, result.labels["L6"]["dsc"].spread) == (0, None)
        assert found.methods[1].labels["L6"]["dsc"].value is None
        assert found.n_labels == {"L5": 1}
        assert "L6" not in found.pairs[0].labels

    def test_equal_means_are_ordered_by_the_other_metric(self, tmp_path: Path) -> None:
        """Of equal DSC, less HD95 is first; copies share a rank."""
        near, far = [case("a", mask("T12", 0.8, 1.0))], [case("a", mask("T12", 0.8, 2.0))]
        found = compare_methods(methods_of(tmp_path, {"far": [far], "near": [near], "again": [near]}), "dsc", "all")
        assert [each.rank for each in found.methods] == [3, 1, 1]
        assert [each.per_case_rank for each in found.methods] == [1, 1, 1]

    def test_one_method_alone(self, tmp_path: Path) -> None:
        """Several runs of one method need no other."""
        found = compare_methods(methods_of(tmp_path, {"a": [drawn_cases(1, 1.0), drawn_cases(2, 1.0)]}), "dsc", "all")
        assert (found.pairs, found.methods[0].rank, found.methods[0].p_first) == ((), 1, 1.0)


def test_a_region_without_a_reference_is_wrong_usage(tmp_path: Path) -> None:
    """There is nothing to compare, and nothing to rank."""
    cases = {name: [[case("a", mask("L1", 0.5, 1.0))]] for name in "ab"}
    methods = methods_of(tmp_path, cases)
    for compare in (
        lambda: compare_methods(methods, "dsc", "cervical"),
        lambda: own_standings(methods, "significance", "dsc", "cervical"),
    ):
        with pytest.raises(UsageError, match="cervical"):
            compare()


def test_own_standings_are_those_of_the_board(single: Methods, repeated: Methods) -> None:
    """By every scheme, with counts of missed and spurious vertebrae; several runs are not ranked."""
    paired = pair({each.name: each.tables[0] for each in single.methods})
    for scheme in ("mean-then-rank", "rank-then-mean", "significance"):
        own = own_standings(single, scheme, "dsc", "thoracic")
        assert own.found == standings(paired, scheme, "dsc", "thoracic")
    for each in single.methods:
        status = each.tables[0]["status"].where(each.tables[0]["row"] == "vertebra").value_counts()
        assert own.counts[each.name] == {"missed": status.get("missed", 0), "spurious": status.get("spurious", 0)}
    with pytest.raises(UsageError, match="alpha"):
        own_standings(repeated, "significance", "dsc", "all")


def test_labels_of_a_region_are_its_own(repeated: Methods) -> None:
    """Of the lumbar spine L1 and L2, and L6 where a prediction has it; the spine as a whole has no region."""
    found = compare_methods(repeated, "dsc", "lumbar", draws=DRAWS)
    lumbar = {VERTEBRAE[label - 1] for label in PARTS["lumbar"]}
    assert all(each.labels.keys() <= lumbar and "mean_of_spine" not in each.means for each in found.methods)
    assert found.n_labels == {"L1": 16, "L2": 16}
