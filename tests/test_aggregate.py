"""From case tables to the paper's table: who enters which mean, and what it costs to be missing."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np
import pytest
from case_results import case, mask, missed, spurious
from hypothesis import given, settings
from hypothesis import strategies as st
from label_volumes import column

from ctspine_bench import score_arrays
from ctspine_bench.aggregate import POLICIES, inferred_table, mean_of_inferred, official_table, summarise
from ctspine_bench.anatomy import VERTEBRAE
from ctspine_bench.records import CaseResult, Failure, Identification
from ctspine_bench.summary import InferredMeans, Means
from ctspine_bench.tables import case_table

if TYPE_CHECKING:
    import pandas as pd

NOT_THERE = Means(0, None, None, None, None, None, 0, None, None, None, None)


def table_of(*cases: CaseResult) -> pd.DataFrame:
    """The case table of some cases."""
    return case_table(cases, "custom")


TWO_CASES = table_of(
    case("a", mask("T12", 0.9, 2.0), mask("L1", 0.8, 4.0), spurious("L2"), mask("spine", 0.9, 1.0)),
    case("b", mask("T12", 0.7, 250.0), missed("L1"), missed("L3"), mask("spine", 0.5, 140.0)),
)


def test_official_means_per_label() -> None:
    """T12: (0.9 + 0.7)/2 and (2 + min(250, 100))/2. L1: (0.8 + 0)/2 and (4 + 100)/2. L3: missed once, so 0 and 100."""
    labels = official_table(TWO_CASES).labels
    assert {name: (m.n, m.dsc, m.hd95_mm) for name, m in labels.items() if m.n} == {
        "T12": (2, pytest.approx(0.8), 51.0),
        "L1": (2, pytest.approx(0.4), 52.0),
        "L3": (1, 0.0, 100.0),
    }


def test_means_over_detected_stand_beside() -> None:
    """Detected means take matched masks alone, raw and with their n: no cap, no penalty."""
    labels = official_table(TWO_CASES).labels
    detected = {name: (m.n_detected, m.hd95_detected_mm, m.hd100_detected_mm) for name, m in labels.items() if m.n}
    assert detected == {"T12": (2, 126.0, 252.0), "L1": (1, 4.0, 8.0), "L3": (0, None, None)}


def test_spurious_vertebra_enters_no_official_mean() -> None:
    """L2 is in no reference: n = 0 and empty cells, whatever was predicted; it is counted."""
    assert official_table(TWO_CASES).labels["L2"] == NOT_THERE
    assert summarise(TWO_CASES).counts.spurious == 1


def test_labels_are_always_all_there() -> None:
    """The table has C1 … L6 in order, those without any case with n = 0 and empty cells, which print as a dash."""
    table = official_table(TWO_CASES)
    assert tuple(table.labels) == VERTEBRAE
    assert table.labels["C1"] == NOT_THERE


def test_mean_of_vertebrae_is_the_plain_mean_of_labels() -> None:
    """Each label counts once, however many cases have it: (0.8 + 0.4 + 0)/3 and (51 + 52 + 100)/3 over 3 labels."""
    mean = official_table(TWO_CASES).mean_of_vertebrae
    assert (mean.n, mean.dsc, mean.hd95_mm) == (3, pytest.approx(0.4), pytest.approx(203 / 3))
    assert (mean.n_detected, mean.hd95_detected_mm) == (2, 65.0)


def test_mean_without_l6_leaves_out_l6() -> None:
    """With an L6 at DSC 0 the mean without it is that of the others."""
    official = official_table(table_of(case("a", mask("L5", 0.9, 1.0), missed("L6"))))
    assert (official.mean_of_vertebrae.n, official.mean_of_vertebrae.dsc) == (2, 0.45)
    assert (official.mean_of_vertebrae_without_l6.n, official.mean_of_vertebrae_without_l6.dsc) == (1, 0.9)


def test_mean_of_spine_is_over_cases() -> None:
    """The spine is one mask per case, capped at 100 mm like a vertebra."""
    spine = official_table(TWO_CASES).mean_of_spine
    assert (spine.n, spine.dsc, spine.hd95_mm, spine.hd95_detected_mm) == (2, 0.7, 50.5, 70.5)


@pytest.mark.parametrize(("hd95_mm", "expected"), [(99.9, 99.9), (100.0, 100.0), (100.1, 100.0), (None, 100.0)])
def test_cap(hd95_mm: float | None, expected: float) -> None:
    """100 mm is both the cap and the price of a missed vertebra, so that missing never pays."""
    assert official_table(table_of(case("a", mask("T1", 0.5, hd95_mm)))).labels["T1"].hd95_mm == expected
    assert (POLICIES["missed_hd95_mm"], POLICIES["hd95_cap_mm"]) == (100.0, 100.0)


def test_failed_case_is_all_missed() -> None:
    """A case whose prediction was refused has every vertebra and the spine missed, and is counted as failed."""
    failure = Failure("E_TRUNCATED", "prediction", "E_TRUNCATED: …")
    table = table_of(
        case("a", missed("T1"), missed("T2"), missed("spine"), failure=failure), case("b", mask("T1", 1.0, 0.0))
    )
    summary = summarise(table)
    assert (summary.counts.failed, summary.counts.missed, summary.counts.matched) == (1, 2, 1)
    assert (summary.official.labels["T1"].dsc, summary.official.labels["T1"].hd95_mm) == (0.5, 50.0)
    assert (summary.official.mean_of_spine.dsc, summary.official.mean_of_spine.hd95_mm) == (0.0, 100.0)
    assert (summary.per_case["dsc"].n, summary.per_case["dsc"].mean) == (2, 0.5)


def test_per_case_means() -> None:
    """The mean of a: (0.9 + 0.8)/2 = 0.85 and b: (0.7 + 0 + 0)/3. Spurious L2 does not enter. HD95 3 and 100."""
    per_case = summarise(TWO_CASES).per_case
    assert (per_case["dsc"].n, per_case["dsc"].mean) == (2, pytest.approx((0.85 + 0.7 / 3) / 2))
    assert per_case["hd95_mm"].mean == pytest.approx((3 + 100) / 2)
    assert (per_case["dsc"].low, per_case["dsc"].high) == (None, None)


def test_case_without_reference_vertebrae_is_an_empty_cell() -> None:
    """A case with nothing in its reference enters no per-case mean, neither as 0 nor as 1."""
    table = table_of(
        case("a", mask("T1", 0.6, 1.0)), case("b", spurious("T1"), mask("spine", spurious=True)), case("c")
    )
    summary = summarise(table)
    assert (summary.per_case["dsc"].n, summary.per_case["dsc"].mean) == (1, 0.6)
    assert (summary.official.n_cases, summary.official.labels["T1"].n, summary.official.mean_of_spine.n) == (3, 1, 0)


def test_no_case_with_any_vertebra() -> None:
    """Nothing anywhere gives empty cells everywhere, no error and no NaN."""
    summary = summarise(table_of(case("a"), case("b")))
    assert summary.official.mean_of_vertebrae == NOT_THERE
    assert summary.per_case["dsc"].mean is None
    assert summary.loss.missed is None
    assert "NaN" not in json.dumps(asdict(summary))


def test_inferred_rule() -> None:
    """T12 as it is, HD95 uncapped; L1: DSC (0.8 + 0)/2, HD95 of the matched alone; L2: spurious, DSC 0; L3: no HD95."""
    inferred = inferred_table(TWO_CASES)
    assert {name: m for name, m in inferred.labels.items() if m.n} == {
        "T12": InferredMeans(2, pytest.approx(0.8), 126.0),
        "L1": InferredMeans(2, 0.4, 4.0),
        "L2": InferredMeans(1, 0.0, None),
        "L3": InferredMeans(1, 0.0, None),
    }
    assert inferred.mean_of_vertebrae == InferredMeans(4, pytest.approx(0.3), 65.0)
    assert inferred.mean_of_spine == InferredMeans(2, 0.7, 70.5)


def test_inferred_counts_a_spurious_label_where_others_have_it() -> None:
    """A label in the reference of one case and spurious in another has n = 2 and half the DSC."""
    table = table_of(case("a", mask("L6", 0.9, 1.0)), case("b", spurious("L6")))
    assert inferred_table(table).labels["L6"] == InferredMeans(2, 0.45, 1.0)
    assert official_table(table).labels["L6"].dsc == 0.9


def test_mean_of_inferred_leaves_out_labels_without_a_case() -> None:
    """A label with n = 0 is not a zero."""
    labels = [InferredMeans(3, 0.5, 1.0), InferredMeans(0, None, None), InferredMeans(1, 0.0, None)]
    assert mean_of_inferred(labels) == InferredMeans(2, 0.25, 1.0)


def test_field_of_view() -> None:
    """Complete and cut vertebrae have tables of their own; spurious ones are in neither and count apart."""
    table = table_of(
        case("a", mask("T1", 0.4, 8.0, cut=True), mask("T2", 0.9, 1.0), spurious("T3", at_border=True), spurious("C7")),
        case("b", missed("T1", cut=True), mask("T2", 0.7, 3.0)),
    )
    summary = summarise(table)
    complete, cut = summary.field_of_view["complete"], summary.field_of_view["cut"]
    assert {name: m.dsc for name, m in complete.labels.items() if m.n} == {"T2": pytest.approx(0.8)}
    assert {name: (m.n, m.dsc) for name, m in cut.labels.items() if m.n} == {"T1": (2, 0.2)}
    assert (summary.counts.spurious, summary.counts.spurious_at_border) == (2, 1)


def test_strata_and_sources() -> None:
    """Slice spacing ≤ 1, 1–2.5 and > 2.5 mm, edges in the finer stratum; transitional yes and no; each source."""
    cases = [
        case(str(mm), mask("T1", mm / 10, 1.0), mask("spine", 0.5, 1.0), slice_spacing_mm=mm, transitional=mm > 2,
             source="COLONOG" if mm < 2 else "MSD-T10")
        for mm in (0.8, 1.0, 1.1, 2.5, 2.6, 5.0)
    ]  # fmt: skip
    summary = summarise(table_of(*cases))
    strata = {name: (t.n_cases, t.labels["T1"].dsc) for name, t in summary.strata["slice_spacing"].items()}
    assert strata == {
        "≤ 1 mm": (2, pytest.approx(0.09)), "1–2.5 mm": (2, pytest.approx(0.18)), "> 2.5 mm": (2, pytest.approx(0.38)),
    }  # fmt: skip
    assert {name: t.n_cases for name, t in summary.strata["transitional"].items()} == {"no": 3, "yes": 3}
    assert {name: t.mean_of_spine.n for name, t in summary.sources.items()} == {"COLONOG": 3, "MSD-T10": 3}


def test_empty_stratum_is_empty() -> None:
    """A stratum without cases is there with n = 0."""
    summary = summarise(table_of(case("a", mask("T1", 0.5, 1.0))))
    assert summary.strata["slice_spacing"]["> 2.5 mm"].n_cases == 0
    assert summary.strata["transitional"]["yes"].mean_of_vertebrae == NOT_THERE


def test_sensitivity() -> None:
    """HD95 of T1 is 6 mm once and missed once, in a volume with a diagonal of 500 mm: 6, (6 + 100)/2, (6 + 500)/2."""
    table = table_of(
        case("a", mask("T1", 0.9, 6.0), mask("spine", 0.9, 120.0)),
        case("b", missed("T1"), missed("spine"), diagonal_mm=500.0),
    )
    sensitivity = {name: tuple(asdict(s).values()) for name, s in summarise(table).sensitivity.items()}
    assert sensitivity == {"mean_of_vertebrae": (6.0, 53.0, 253.0), "mean_of_spine": (120.0, 100.0, 310.0)}


def test_sensitivity_agrees_with_the_official_table() -> None:
    """The 100 mm column is the official mean, and the first column the detected mean."""
    summary = summarise(TWO_CASES)
    for name, means in (
        ("mean_of_vertebrae", summary.official.mean_of_vertebrae),
        ("mean_of_spine", summary.official.mean_of_spine),
    ):
        assert summary.sensitivity[name].cap_100mm == pytest.approx(means.hd95_mm)
        assert summary.sensitivity[name].excluded == pytest.approx(means.hd95_detected_mm)


def names(shift: int | None, rate: float | None = 1.0) -> Identification:
    """Identification metrics of a case with two reference vertebrae."""
    return Identification(2, 2, rate, 3.0, 2, shift, 0.9, 0.8, 0.7)


def test_naming() -> None:
    """Rates are averaged over cases that have them; label shifts are counted, cases without overlap as none."""
    vertebra = mask("T1", 0.9, 1.0)
    cases = [case(str(i), vertebra, names=names(s)) for i, s in enumerate((0, 0, 1, -3, None))]
    summary = summarise(table_of(*cases, case("empty"), case("half", vertebra, names=names(0, 0.4))))
    assert summary.identification.label_shifts == {
        "-3": 1, "-2": 0, "-1": 0, "0": 3, "+1": 1, "+2": 0, "+3": 0, "none": 1,
    }  # fmt: skip
    assert summary.identification.identification_rate == pytest.approx(5.4 / 6)
    assert summary.identification.panoptic_quality == pytest.approx(0.7)


def test_losses_add_up_to_one_minus_the_per_case_dice() -> None:
    """A case averages its vertebrae and the set its cases; so the three parts add up to 1 − mean per-case DSC."""
    reference = column(5)
    predictions = [
        reference,
        np.where(reference, reference + 1, 0),
        np.where(reference == 20, 0, reference),
        np.roll(reference, 2, axis=0),
        np.zeros_like(reference),
    ]
    results = [
        CaseResult(str(i), None, score_arrays(reference, p, (1, 1, 1)), None, (), None, None)
        for i, p in enumerate(predictions)
    ]
    summary = summarise(case_table(results, "custom"))
    parts = tuple(asdict(summary.loss).values())
    assert all(part > 0 for part in parts)
    assert sum(parts) == pytest.approx(1 - summary.per_case["dsc"].mean, abs=1e-12)


def test_order_of_cases_does_not_matter() -> None:
    """Means are the same whichever case comes first."""
    shuffled = TWO_CASES.sample(frac=1, random_state=1).reset_index(drop=True)
    assert official_table(shuffled) == official_table(TWO_CASES)


@settings(max_examples=15, deadline=None)
@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(["C1", "T5", "L1", "L6"]),
            st.one_of(st.none(), st.tuples(st.floats(0, 1), st.floats(0, 300))),
        ),
        min_size=1,
        max_size=8,
    )
)
def test_official_means_against_plain_loops(cases: list[dict[str, tuple[float, float] | None]]) -> None:
    """For any set of matched and missed vertebrae the table equals loops written from the definition."""
    table = table_of(
        *(case(str(i), *(mask(name, *(values or ())) for name, values in c.items())) for i, c in enumerate(cases))
    )
    official, found = official_table(table), []
    for name in VERTEBRAE:
        of_label = [c[name] for c in cases if name in c]
        if of_label:
            dsc = np.mean([v[0] if v else 0 for v in of_label])
            hd95_mm = np.mean([min(v[1], 100) if v else 100 for v in of_label])
            assert (official.labels[name].n, official.labels[name].n_detected) == (
                len(of_label),
                sum(map(bool, of_label)),
            )
            assert (official.labels[name].dsc, official.labels[name].hd95_mm) == pytest.approx((dsc, hd95_mm))
            found.append((dsc, hd95_mm))
    if found:
        means = official.mean_of_vertebrae
        assert (means.dsc, means.hd95_mm) == pytest.approx(tuple(np.mean(found, axis=0)))
