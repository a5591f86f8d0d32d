"""From case tables to the paper's table: who enters which mean, and what it costs to be missing."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from case_results import case, mask, missed, spurious
from hypothesis import given, settings
from hypothesis import strategies as st
from label_volumes import column

from ctspine_bench import score_arrays
from ctspine_bench.aggregate import POLICIES, VARIANTS, mean_of_labels, official_table, summarise, variant_rows
from ctspine_bench.anatomy import VERTEBRAE
from ctspine_bench.records import CaseResult, Failure, Identification
from ctspine_bench.summary import Means, SharedLabels
from ctspine_bench.tables import case_table

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

NOT_THERE = Means(0, None, None, None, None, None, 0, 0, None, None, None, None)


def table_of(*cases: CaseResult) -> pd.DataFrame:
    """The case table of some cases."""
    return case_table(cases, "custom")


TWO_CASES = table_of(
    case("a", mask("T12", 0.9, 2.0), mask("L1", 0.8, 4.0), spurious("L2"), mask("spine", 0.9, 1.0)),
    case("b", mask("T12", 0.7, 250.0), missed("L1"), missed("L3"), mask("spine", 0.5, 140.0)),
)


def test_official_means_per_label() -> None:
    """T12: (0.9 + 0.7)/2 and (2 + min(250, 100))/2. L1: (0.8 + 0)/2 and (4 + 100)/2. Missed L3, spurious L2: 0, 100."""
    labels = official_table(TWO_CASES).labels
    assert {name: (m.n, m.n_reference, m.dsc, m.hd95_mm) for name, m in labels.items() if m.n} == {
        "T12": (2, 2, pytest.approx(0.8), 51.0),
        "L1": (2, 2, pytest.approx(0.4), 52.0),
        "L2": (1, 0, 0.0, 100.0),
        "L3": (1, 1, 0.0, 100.0),
    }


def test_means_over_matched_stand_beside() -> None:
    """Matched means take matched masks alone, raw and with their n: no cap, no penalty."""
    labels = official_table(TWO_CASES).labels
    matched = {name: (m.n_matched, m.hd95_matched_mm, m.hd100_matched_mm) for name, m in labels.items() if m.n}
    assert matched == {"T12": (2, 126.0, 252.0), "L1": (1, 4.0, 8.0), "L2": (0, None, None), "L3": (0, None, None)}


def test_a_spurious_vertebra_counts_like_a_missed_one() -> None:
    """L6 in the reference of one case, spurious in another: n = 2, half the DSC and NSD, half the way to 100 mm."""
    l6 = official_table(table_of(case("a", mask("L6", 0.9, 1.0)), case("b", spurious("L6")))).labels["L6"]
    assert (l6.n, l6.n_reference, l6.n_matched) == (2, 1, 1)
    assert (l6.dsc, l6.nsd_1mm, l6.hd95_mm, l6.hd95_matched_mm) == (0.45, 0.45, 50.5, 1.0)
    assert summarise(TWO_CASES).counts.spurious == 1


def test_labels_without_a_reference_are_named_with_their_cases() -> None:
    """L2 is in no reference of the set, T1 in that of b: L2 alone is named, with the cases that predict it."""
    table = table_of(
        case("z", mask("T1", 0.5, 1.0), spurious("L2")), case("b", spurious("L2"), spurious("T1")), case("c")
    )
    summary = summarise(table)
    assert summary.without_reference == {"L2": ("b", "z")}
    assert (summary.official.labels["L2"].n, summary.official.labels["L2"].dsc) == (2, 0.0)


def test_labels_are_always_all_there() -> None:
    """The table has C1 … L6 in order, those without any case with n = 0 and empty cells, which print as a dash."""
    table = official_table(TWO_CASES)
    assert tuple(table.labels) == VERTEBRAE
    assert table.labels["C1"] == NOT_THERE


def test_mean_of_vertebrae_is_the_plain_mean_of_labels() -> None:
    """Each label counts once, however many cases have it: (0.8 + 0.4 + 0 + 0)/4 and (51 + 52 + 100 + 100)/4."""
    mean = official_table(TWO_CASES).mean_of_vertebrae
    assert (mean.n, mean.dsc, mean.hd95_mm) == (4, pytest.approx(0.3), pytest.approx(303 / 4))
    assert (mean.n_reference, mean.n_matched, mean.hd95_matched_mm) == (3, 2, 65.0)


def test_mean_without_l6_leaves_out_l6() -> None:
    """With an L6 at DSC 0 the mean without it is that of the others."""
    official = official_table(table_of(case("a", mask("L5", 0.9, 1.0), missed("L6"))))
    assert (official.mean_of_vertebrae.n, official.mean_of_vertebrae.dsc) == (2, 0.45)
    assert (official.mean_of_vertebrae_without_l6.n, official.mean_of_vertebrae_without_l6.dsc) == (1, 0.9)


def test_mean_of_spine_is_over_cases() -> None:
    """The spine is one mask per case, capped at 100 mm like a vertebra."""
    spine = official_table(TWO_CASES).mean_of_spine
    assert (spine.n, spine.dsc, spine.hd95_mm, spine.hd95_matched_mm) == (2, 0.7, 50.5, 70.5)


@pytest.mark.parametrize(("hd95_mm", "expected"), [(99.9, 99.9), (100.0, 100.0), (100.1, 100.0), (None, 100.0)])
def test_cap(hd95_mm: float | None, expected: float) -> None:
    """100 mm is both the cap and the price of a missed vertebra, so that missing never pays."""
    assert official_table(table_of(case("a", mask("T1", 0.5, hd95_mm)))).labels["T1"].hd95_mm == expected
    assert {POLICIES[name] for name in ("missed_hd95_mm", "spurious_hd95_mm", "hd95_cap_mm")} == {100.0}


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
    """Case a: (0.9 + 0.8 + 0)/3 with its spurious L2, b: (0.7 + 0 + 0)/3. HD95 (2 + 4 + 100)/3 and 100."""
    per_case = summarise(TWO_CASES).per_case
    assert (per_case["dsc"].n, per_case["dsc"].mean) == (2, pytest.approx((1.7 / 3 + 0.7 / 3) / 2))
    assert per_case["hd95_mm"].mean == pytest.approx((106 / 3 + 100) / 2)
    assert (per_case["dsc"].low, per_case["dsc"].high) == (None, None)


def test_means_over_all_vertebrae() -> None:
    """Every vertebra counts once, whatever its case: three of case a, one of b."""
    over = summarise(
        table_of(case("a", mask("T1", 0.9, 2.0), mask("T2", 0.6, 4.0), spurious("T3")), case("b", missed("T1")))
    )
    assert (over.over_vertebrae["dsc"].n, over.over_vertebrae["dsc"].mean) == (2, pytest.approx(1.5 / 4))
    assert over.over_vertebrae["hd95_mm"].mean == pytest.approx(206 / 4)


def test_case_without_reference_vertebrae() -> None:
    """A case with nothing in its reference counts for what its prediction invents; one with nothing at all is empty."""
    table = table_of(
        case("a", mask("T1", 0.6, 1.0)), case("b", spurious("T1"), mask("spine", spurious=True)), case("c")
    )
    summary = summarise(table)
    assert (summary.per_case["dsc"].n, summary.per_case["dsc"].mean) == (2, 0.3)
    assert (summary.official.n_cases, summary.official.labels["T1"].n) == (3, 2)
    assert (summary.official.mean_of_spine.n, summary.official.mean_of_spine.dsc) == (1, 0.0)


def test_no_case_with_any_vertebra() -> None:
    """Nothing anywhere gives empty cells everywhere, no error and no NaN."""
    summary = summarise(table_of(case("a"), case("b")))
    assert summary.official.mean_of_vertebrae == NOT_THERE
    assert summary.per_case["dsc"].mean is None
    assert summary.loss.missed is None
    assert "NaN" not in json.dumps(asdict(summary))


def test_mean_of_labels_leaves_out_labels_without_a_case() -> None:
    """A label with n = 0 is not a zero."""
    labels = official_table(TWO_CASES).labels
    mean = mean_of_labels([labels["T12"], labels["C1"], labels["L3"]])
    assert (mean.n, mean.n_matched, mean.dsc) == (2, 1, pytest.approx(0.4))


def test_complete_and_cut_vertebrae() -> None:
    """A vertebra is cut when its reference ends at the border, a spurious one when its prediction does."""
    table = table_of(
        case("a", mask("T1", 0.4, 8.0, cut=True), mask("T2", 0.9, 1.0), spurious("T3", at_border=True), spurious("C7")),
        case("b", missed("T1", cut=True), mask("T2", 0.7, 3.0), mask("spine", 0.5, 1.0)),
    )
    summary = summarise(table)
    complete, cut = summary.variants["complete"], summary.variants["cut"]
    assert {name: m.dsc for name, m in complete.labels.items() if m.n} == {"C7": 0.0, "T2": pytest.approx(0.8)}
    assert {name: (m.n, m.dsc) for name, m in cut.labels.items() if m.n} == {"T1": (2, 0.2), "T3": (1, 0.0)}
    assert (complete.mean_of_spine.n, cut.mean_of_spine.n) == (0, 0)
    assert (summary.counts.spurious, summary.counts.spurious_at_border) == (2, 1)


@pytest.mark.parametrize(("sliver_ml", "n"), [(2.9, 2), (3.0, 3)])
def test_slivers_are_neither_complete_nor_cut(sliver_ml: float, n: int) -> None:
    """T1 has a median of 30 mL in the set: under 3 mL it is a sliver, wherever it lies. T2 has a median of its own."""
    for cut in (False, True):
        table = table_of(
            case("a", mask("T1", 0.8, 1.0, cut=cut)),
            case("b", mask("T1", 0.8, 1.0, cut=cut)),
            case("c", mask("T1", 0.2, 1.0, cut=cut, reference_ml=sliver_ml), mask("T2", 0.5, 1.0, reference_ml=0.1)),
        )
        tables = summarise(table).variants
        assert tables["cut" if cut else "complete"].labels["T1"].n == n
        assert tables["complete" if cut else "cut"].labels["T1"].n == 0
        assert tables["complete"].labels["T2"].n == 1


def test_slivers_have_no_say_in_the_official_table() -> None:
    """The official table has them: it is a variant alone that leaves them out."""
    table = table_of(*(case(str(i), mask("T1", 0.5, 1.0, reference_ml=ml)) for i, ml in enumerate((30.0, 30.0, 1.0))))
    assert (official_table(table).labels["T1"].n, summarise(table).variants["complete"].labels["T1"].n) == (3, 2)


def test_spurious_vertebrae_at_the_border_forgiven() -> None:
    """T3 at the border is gone with its label, C7 elsewhere stays; missed and matched ones at the border stay too."""
    table = table_of(
        case("a", mask("T1", 0.4, 8.0, cut=True), spurious("T3", at_border=True), spurious("C7")),
        case("b", missed("T1", cut=True), mask("spine", 0.5, 1.0)),
    )
    forgiven = summarise(table).variants["border_forgiven"]
    assert {name: (m.n, m.dsc) for name, m in forgiven.labels.items() if m.n} == {"C7": (1, 0.0), "T1": (2, 0.2)}
    assert (forgiven.mean_of_vertebrae.dsc, forgiven.mean_of_spine.dsc) == (0.1, 0.5)
    assert official_table(table).mean_of_vertebrae.dsc == pytest.approx(0.2 / 3)


def test_forgiving_the_border_forgives_no_invention() -> None:
    """Of a case with T1 and T2 of 20 ml at most: forgiven at the border are the two labels next to them, if no larger.

    The whole spine in slivers, or one huge vertebra, is no part of a vertebra that the annotators left out.
    """
    names = ("C5", "C6", "C7", "T3", "T4", "T5", "L6")
    reference = (mask("T1", 0.5, 1.0, reference_ml=20.0), mask("T2", 0.5, 1.0, reference_ml=10.0))

    def stays(ml: float) -> set[str]:
        invented = [replace(spurious(name, at_border=True), prediction_ml=ml) for name in names]
        rows = variant_rows(table_of(case("a", *reference, *invented)), "border_forgiven")
        return {*rows[rows["status"] == "spurious"]["vertebra"]}

    assert stays(20.0) == {"C5", "T5", "L6"}
    assert stays(20.1) == {*names}
    nothing_to_go_on_from = table_of(case("b", spurious("T3", at_border=True)))
    assert variant_rows(nothing_to_go_on_from, "border_forgiven").equals(nothing_to_go_on_from)


def test_variants_are_those_in_words() -> None:
    """Each variant in the summary has its words, and its rows are rows of the table."""
    assert summarise(TWO_CASES).variants.keys() == VARIANTS.keys()
    for name in VARIANTS:
        assert set(variant_rows(TWO_CASES, name).index) <= set(TWO_CASES.index)


def test_sources_on_shared_labels() -> None:
    """A has T1 and T2, B has T2 and T3, C has T4: A and B share T2 alone, C shares nothing with either.

    That A's prediction has a spurious T3 makes T3 no label of A's references, and costs nothing on T2.
    """
    table = table_of(
        case("a", mask("T1", 0.1, 9.0), mask("T2", 0.8, 2.0), spurious("T3"), source="A"),
        case("a2", missed("T2"), source="A"),
        case("b", mask("T2", 0.6, 3.0), mask("T3", 1.0, 0.0), source="B"),
        case("c", mask("T4", 1.0, 0.0), source="C"),
    )
    assert summarise(table).shared_labels == (SharedLabels(("A", "B"), ("T2",), (0.4, 0.6), (51.0, 3.0)),)


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


@pytest.mark.parametrize("status", ["missed", "spurious"])
def test_sensitivity(status: str) -> None:
    """HD95 of T1 is 6 mm once, then missed or spurious, with a diagonal of 500 mm: 6, (6 + 100)/2, (6 + 500)/2."""
    table = table_of(
        case("a", mask("T1", 0.9, 6.0), mask("spine", 0.9, 120.0)),
        case("b", missed("T1") if status == "missed" else spurious("T1"), missed("spine"), diagonal_mm=500.0),
    )
    sensitivity = {name: tuple(asdict(s).values()) for name, s in summarise(table).sensitivity.items()}
    assert sensitivity == {"mean_of_vertebrae": (6.0, 53.0, 253.0), "mean_of_spine": (120.0, 100.0, 310.0)}


def test_sensitivity_agrees_with_the_official_table() -> None:
    """The 100 mm column is the official mean, and the first column the mean over matched."""
    summary = summarise(TWO_CASES)
    for name, means in (
        ("mean_of_vertebrae", summary.official.mean_of_vertebrae),
        ("mean_of_spine", summary.official.mean_of_spine),
    ):
        assert summary.sensitivity[name].cap_100mm == pytest.approx(means.hd95_mm)
        assert summary.sensitivity[name].excluded == pytest.approx(means.hd95_matched_mm)


def names(shift: int | None, rate: float | None = 1.0, hits: int = 2, *, right: bool = True) -> Identification:
    """Identification metrics of a case with two reference vertebrae."""
    return Identification(
        n_reference=2, n_prediction=2, identification_rate=rate, n_verse_hits=hits, levels_right=right,
        localisation_mm=3.0, n_localised=2, label_shift=shift, dsc_unshifted=0.9, dsc_instance=0.8,
        panoptic_quality=0.7,
    )  # fmt: skip


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


def test_levels_right_is_a_share_of_cases_and_verse_pools_vertebrae() -> None:
    """Of three cases with vertebrae one is right throughout, an empty one counts in neither; 2 + 1 + 0 of 6 hits."""
    vertebra = mask("T1", 0.9, 1.0)
    found = [names(0), names(0, 0.5, 1, right=False), names(0, 0.0, 0, right=False)]
    cases = [case(str(i), vertebra, names=each) for i, each in enumerate(found)]
    naming = summarise(table_of(*cases, case("empty"))).identification
    assert (naming.levels_right, naming.verse_id_rate) == (pytest.approx(1 / 3), 0.5)
    assert (naming.identification_rate, summarise(table_of(case("empty"))).identification.verse_id_rate) == (0.5, None)


def test_losses_add_up_to_one_minus_the_per_case_dice() -> None:
    """A case averages its vertebrae and the set its cases; so the four parts add up to 1 − mean per-case DSC."""
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
    assert len(parts) == 4
    assert all(part > 0 for part in parts)
    assert sum(parts) == pytest.approx(1 - summary.per_case["dsc"].mean, abs=1e-12)


def test_order_of_cases_does_not_matter() -> None:
    """Means are the same whichever case comes first."""
    shuffled = TWO_CASES.sample(frac=1, random_state=1).reset_index(drop=True)
    assert official_table(shuffled) == official_table(TWO_CASES)


CASES = st.lists(
    st.dictionaries(
        st.sampled_from(["C1", "T5", "L1", "L6"]),
        st.one_of(st.just("missed"), st.just("spurious"), st.tuples(st.floats(0, 1), st.floats(0, 300))),
    ),
    min_size=1,
    max_size=8,
)


def made(cases: list[dict[str, tuple[float, float] | str]]) -> pd.DataFrame:
    """The case table of vertebrae that are missed, spurious, or matched with a DSC and an HD95."""
    makers = {"missed": missed, "spurious": spurious}
    return table_of(
        *(
            case(str(i), *(makers[v](name) if isinstance(v, str) else mask(name, *v) for name, v in of_case.items()))
            for i, of_case in enumerate(cases)
        )
    )


def scored(vertebrae: Iterable[tuple[float, float] | str]) -> list[tuple[float, float]]:
    """DSC and HD95 of vertebrae by the official rule."""
    return [(0.0, 100.0) if isinstance(v, str) else (v[0], min(v[1], 100.0)) for v in vertebrae]


@settings(max_examples=15, deadline=None)
@given(CASES)
def test_official_means_against_plain_loops(cases: list[dict[str, tuple[float, float] | str]]) -> None:
    """For any set of matched, missed and spurious vertebrae the table equals loops written from the definition."""
    official, found = official_table(made(cases)), []
    for name in VERTEBRAE:
        of_label = [c[name] for c in cases if name in c]
        means = official.labels[name]
        assert (means.n, means.n_matched) == (len(of_label), sum(not isinstance(v, str) for v in of_label))
        assert means.n_reference == sum(v != "spurious" for v in of_label)
        if of_label:
            found.append(np.mean(scored(of_label), axis=0))
            assert (means.dsc, means.hd95_mm) == pytest.approx(tuple(found[-1]))
    if found:
        mean = official.mean_of_vertebrae
        assert (mean.dsc, mean.hd95_mm) == pytest.approx(tuple(np.mean(found, axis=0)))


@settings(max_examples=15, deadline=None)
@given(CASES)
def test_means_over_cases_and_vertebrae_against_plain_loops(cases: list[dict[str, tuple[float, float] | str]]) -> None:
    """Per case: the mean of each case that has any vertebra, then of these. Over vertebrae: of all of them at once."""
    summary = summarise(made(cases))
    of_cases = [scored(c.values()) for c in cases if c]
    if not of_cases:
        assert summary.per_case["dsc"].mean is summary.over_vertebrae["dsc"].mean is None
        return
    per_case = np.mean([np.mean(of_case, axis=0) for of_case in of_cases], axis=0)
    everything = np.mean([vertebra for of_case in of_cases for vertebra in of_case], axis=0)
    assert (summary.per_case["dsc"].mean, summary.per_case["hd95_mm"].mean) == pytest.approx(tuple(per_case))
    over = summary.over_vertebrae
    assert (over["dsc"].mean, over["hd95_mm"].mean) == pytest.approx(tuple(everything))


@settings(max_examples=15, deadline=None)
@given(CASES)
def test_official_means_against_pandas(cases: list[dict[str, tuple[float, float] | str]]) -> None:
    """The same by a group-by over a table that pandas fills with 0 and 100 mm."""
    table = made(cases)
    rows = table[table["row"] == "vertebra"]
    filled = rows.assign(hd95_mm=rows["hd95_mm"].astype(float).fillna(100).clip(upper=100))
    expected = filled.groupby("vertebra")[["dsc", "hd95_mm", "nsd_1mm", "nsd_2mm", "nsd_3mm"]].mean()
    labels = official_table(table).labels
    assert {name for name, means in labels.items() if means.n} == set(expected.index)
    for name, row in expected.iterrows():
        assert [getattr(labels[name], metric) for metric in expected.columns] == pytest.approx(row.tolist())
