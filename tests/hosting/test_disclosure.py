"""What is published of a private test set: enough to see how good a method is, nothing that tells of single cases."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from case_results import case, mask, missed, spurious
from hypothesis import given, settings
from hypothesis import strategies as st
from official_sized import reference

from ctspine_bench import aggregate
from ctspine_bench.aggregate import summarise
from ctspine_bench.anatomy import VERTEBRAE
from ctspine_bench.errors import CODES
from ctspine_bench.evaluate import SubmissionScore
from ctspine_bench.hosting.disclosure.results import PUBLIC_KEYS, public_results
from ctspine_bench.hosting.disclosure.suppression import FEW, Measure, hidden_cells, tells_no_case
from ctspine_bench.provenance import Settings
from ctspine_bench.records import CaseResult, Failure, Identification
from ctspine_bench.tables import case_table
from ctspine_bench.testsets import TestSet, official, phantom, source_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ctspine_bench.records import VertebraScore

DSC = Measure("dsc", 3)
SPINE = ["T11", "T12", "L1", "L2", "L3", "L4", "L5"]


@pytest.fixture(autouse=True, scope="module")
def _no_strata() -> Iterator[None]:
    """Strata take most of the time, and of a private test set none are published."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(aggregate, "_stratum", lambda *_: None)
        patched.setattr(aggregate, "_sensitivity", lambda _: {})
        yield


def score_of(results: Sequence[CaseResult], test_set: TestSet | None = None) -> SubmissionScore:
    """The scores of some cases as `score_plan` returns them."""
    test_set = test_set or phantom("phantom-private")
    table = case_table(results, test_set.name)
    return SubmissionScore(test_set, tuple(results), table, summarise(table), (), 0, Settings())


def published(results: Sequence[CaseResult], **more: Any) -> dict[str, Any]:
    return public_results(score_of(results), **more)


def usual_cases(n: int, *, source: str = "COLONOG", seed: int = 0, levels: Sequence[str] = SPINE) -> list[CaseResult]:
    """Cases of a method that is fairly good everywhere."""
    rng = np.random.default_rng(seed)

    def one(number: int) -> CaseResult:
        masks = [mask(name, float(rng.uniform(0.6, 0.98)), float(rng.uniform(0.5, 8))) for name in levels]
        masks.append(mask("spine", float(rng.uniform(0.7, 0.98)), float(rng.uniform(0.5, 8))))
        n = len(levels)
        names = Identification(n, n, 1.0, n, True, 2.0, n, 0, 0.9, 0.9, 0.9)
        return case(f"{source}-{seed}-{number}", *masks, source=source, names=names)

    return [one(number) for number in range(n)]


def with_masks(result: CaseResult, *masks: Any) -> CaseResult:
    """A case with some masks replaced, or added."""
    score = result.score
    names = {each.name for each in masks}
    vertebrae = sorted([*(v for v in score.vertebrae if v.name not in names), *masks], key=lambda v: v.label)
    return replace(result, score=replace(score, vertebrae=tuple(vertebrae)))


def numbers_in(document: Any) -> list[float]:
    if isinstance(document, dict):
        return [number for value in document.values() for number in numbers_in(value)]
    if isinstance(document, list):
        return [number for value in document for number in numbers_in(value)]
    return [float(document)] if isinstance(document, float) else []


def test_a_large_set_is_published_as_the_paper_prints_it() -> None:
    """With enough cases everywhere all means are there, rounded, and equal to the official ones."""
    results = usual_cases(20)
    document, official_ = published(results), score_of(results).summary.official
    assert document.keys() == PUBLIC_KEYS
    assert document["private"] is True
    assert document["n_cases"] == 20
    for name in SPINE:
        means = official_.labels[name]
        assert document["labels"][name] == {
            "n_reference": 20,
            "dsc": round(means.dsc, 3),
            "hd95_mm": round(means.hd95_mm, 2),
        }
    assert document["mean_of_vertebrae"]["dsc"] == round(official_.mean_of_vertebrae.dsc, 3)
    assert document["mean_of_spine"]["n_reference"] == 20
    assert document["sources"]["COLONOG"]["n_cases"] == 20
    assert document["labels"]["C1"] == {"n_reference": 0, "dsc": None, "hd95_mm": None}
    assert document["per_case"]["dsc"]["low"] is not None


def test_numbers_have_no_more_digits_than_the_paper() -> None:
    """DSC and shares have three digits at most, distances two."""
    for number in numbers_in(published(usual_cases(20))):
        assert number == round(number, 3)


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_a_label_of_few_cases_takes_another_with_it(n: int) -> None:
    """A label of one to four cases is "<5", the next-smallest label is hidden too, and so is the mean without it."""
    results = [
        *usual_cases(12),
        *usual_cases(n, seed=1, levels=["L5", "L6"]),
        *usual_cases(6, seed=2, levels=["T10", "L5"]),
    ]
    document = published(results)
    assert document["labels"]["L6"] == {"n_reference": FEW, "dsc": None, "hd95_mm": None}
    assert document["labels"]["T10"] == {"n_reference": None, "dsc": None, "hd95_mm": None}
    assert document["mean_of_vertebrae_without_l6"] == {"n_reference": None, "dsc": None, "hd95_mm": None}
    assert document["mean_of_vertebrae"]["dsc"] is not None
    assert document["labels"]["L5"]["n_reference"] == 18 + n


def test_labels_of_the_same_few_cases_do_not_protect_each_other() -> None:
    """Two hidden labels of the same three cases would give away these three: a third label is hidden too."""
    results = [*usual_cases(12), *usual_cases(3, seed=1, levels=["C1", "C2", "L5"])]
    labels = published(results)["labels"]
    assert [labels[name]["n_reference"] for name in ("C1", "C2")] == [FEW, FEW]
    assert sum(means["n_reference"] is None for means in labels.values()) == 1


def test_a_source_of_few_cases_takes_another_with_it() -> None:
    """Of a source with few cases nothing is told, nor of the next-smallest one: the total would give it away."""
    results = [*usual_cases(9), *usual_cases(3, source="COVID-19"), *usual_cases(6, source="MSD-T10")]
    sources = published(results)["sources"]
    assert sources["COVID-19"]["n_cases"] == FEW
    assert sources["MSD-T10"]["n_cases"] is None
    assert set(sources["MSD-T10"]["mean_of_spine"].values()) == {None}
    assert sources["COLONOG"]["n_cases"] == 9


def test_cases_without_a_source_are_a_part_like_any_other() -> None:
    """Three cases of no known source are the total less the others: the smallest source is hidden for them."""
    results = [
        *usual_cases(9),
        *(replace(each, source=None) for each in usual_cases(3, seed=3)),
        *usual_cases(6, source="MSD-T10"),
    ]
    sources = published(results)["sources"]
    assert (sources["COLONOG"]["n_cases"], sources["MSD-T10"]["n_cases"]) == (9, None)


def test_names_of_folders_are_no_sources() -> None:
    """A source that is only the name of some folder of the organizers is not named."""
    results = [*usual_cases(9), *usual_cases(9, source="hospital-x")]
    assert list(published(results)["sources"]) == ["COLONOG"]


def test_a_set_of_few_cases_tells_nothing() -> None:
    """Under five cases there is no number at all but the failures of the participant's own files."""
    document = published(usual_cases(4))
    assert document["n_cases"] == FEW
    assert set(numbers_in(document)) <= {0.0}  # the volume of spurious vertebrae, of which there are none


def test_one_real_prediction_among_empty_ones_tells_nothing() -> None:
    """Who sends one prediction and otherwise nothing does not read its score off the means (dominance)."""
    target = usual_cases(1)[0]
    nothing = [missed(name) for name in SPINE]
    rest = [case(f"CTC-{n}", *nothing, mask("spine"), source="COLONOG") for n in range(9)]
    document = published([target, *rest])
    told = {key: value for key, value in document.items() if key not in {"failures", "counts"}}
    assert set(numbers_in(told)) <= {0.0, 100.0}
    assert document["mean_of_spine"]["dsc"] is None
    assert document["per_case"]["dsc"]["mean"] is None
    assert document["labels"]["L1"]["dsc"] is None


def test_a_label_that_is_always_missed_is_told() -> None:
    """DSC 0 and 100 mm for a label of enough cases are the policy's numbers and no case's."""
    levels = [*SPINE, "L6"]
    results = [with_masks(each, missed("L6")) for each in usual_cases(8, levels=levels)]
    document = published(results)
    assert document["labels"]["L6"] == {"n_reference": 8, "dsc": 0.0, "hd95_mm": 100.0}
    assert document["mean_of_vertebrae_without_l6"]["n_reference"] == 7


@pytest.mark.parametrize("n", [1, 4])
def test_counts_of_events_in_few_cases_are_not_told(n: int) -> None:
    """Missed vertebrae of one to four cases are "<5" however many; the matched ones are hidden with them."""
    results = usual_cases(20)
    gone = [with_masks(each, *(missed(name) for name in SPINE)) for each in results[:n]]
    counts = published([*gone, *results[n:]])["counts"]
    assert (counts["missed"], counts["matched"], counts["spurious"]) == (FEW, None, 0)
    many = [with_masks(each, missed("T11")) for each in results[:7]]
    counts = published([*many, *results[7:]])["counts"]
    assert (counts["missed"], counts["matched"]) == (5, 135)  # of 7 and 133


def test_counts_come_in_fives() -> None:
    """One more case with a few more events changes nothing, or five; what failed is counted exactly."""
    failure = Failure("E_MISSING_CASE", "prediction", "whatever")
    found = []
    for n in (5, 7, 8, 12, 13):
        results = usual_cases(20)
        results[:n] = [with_masks(each, missed("T11"), spurious("L6")) for each in results[:n]]
        results[19] = replace(results[19], failure=failure)
        found.append(published(results)["counts"])
    assert [counts["missed"] for counts in found] == [5, 5, 10, 10, 15]
    for counts in found:
        assert {counts.pop("failed")} == {1}
        assert {count % 5 for count in counts.values() if count not in {None, FEW}} == {0}


def test_spurious_vertebrae_of_few_cases_are_not_told() -> None:
    """Neither their number nor their volume, nor HD95 without them, nor what they cost, nor how many lie outside."""
    results = usual_cases(20)
    some = [with_masks(each, spurious("L6")) for each in results[:3]]
    document = published([*some, *results[3:]])
    assert (document["counts"]["spurious"], document["counts"]["spurious_at_border"]) == (FEW, None)
    assert document["counts"]["spurious_ml"] is None
    assert document["mean_of_vertebrae"]["hd95_matched_mm"] is None
    assert set(document["loss"].values()) == {None}
    assert document["mean_of_spine"]["hd95_matched_mm"] is not None  # where there is nothing spurious
    more = [with_masks(each, spurious("L6", at_border=n < 3)) for n, each in enumerate(results[:9])]
    document = published([*more, *results[9:]])
    assert document["counts"]["spurious"] == 10  # of 9
    assert document["counts"]["spurious_at_border"] == FEW
    assert document["mean_of_vertebrae"]["hd95_matched_mm"] is not None
    assert document["loss"]["spurious"] > 0


def test_hd95_of_matched_is_told_of_both_means_alone() -> None:
    """The raw mean over what is in both, rounded; not by label, not by source, not without L6."""
    results = [with_masks(each, missed("T11"), mask("L5", 0.1, 180.0)) for each in usual_cases(7)]
    document, true = published([*results, *usual_cases(13, seed=1)]), score_of([*results, *usual_cases(13, seed=1)])
    for name in ("mean_of_vertebrae", "mean_of_spine"):
        means = getattr(true.summary.official, name)
        assert document[name]["hd95_matched_mm"] == round(means.hd95_matched_mm, 2)
    assert document["mean_of_vertebrae"]["hd95_matched_mm"] != document["mean_of_vertebrae"]["hd95_mm"]
    others = [document["mean_of_vertebrae_without_l6"], *document["labels"].values()]
    others += [source["mean_of_spine"] for source in document["sources"].values()]
    assert {tuple(means) for means in others} == {("n_reference", "dsc", "hd95_mm")}


@pytest.mark.parametrize("event", [missed("T11"), mask("T11", 0.1, 180.0), spurious("L6")], ids=lambda e: e.status)
@pytest.mark.parametrize(("n", "told"), [(0, True), (1, False), (4, False), (5, True), (20, True)])
def test_hd95_of_matched_departs_from_the_official_one_in_no_case_or_in_many(
    event: VertebraScore, n: int, told: bool
) -> None:
    """What is missed, spurious or beyond 100 mm in one to four cases would be the difference of two numbers."""
    results = usual_cases(20)
    document = published([*(with_masks(each, event) for each in results[:n]), *results[n:]])
    assert (document["mean_of_vertebrae"]["hd95_matched_mm"] is not None) is told
    assert document["mean_of_vertebrae"]["hd95_mm"] is not None


def test_hd95_of_matched_is_not_that_of_four() -> None:
    """With four matched vertebrae in all, among many missed ones, nothing is told of them."""
    nothing = [with_masks(each, *map(missed, SPINE)) for each in usual_cases(16)]
    document = published([*usual_cases(4, seed=1), *nothing])
    assert document["mean_of_vertebrae"]["hd95_matched_mm"] is None


def test_spurious_vertebrae_are_in_the_means() -> None:
    """Fifteen cases have T11 in either volume, ten of them in the reference: the mean is over 15, n is 10."""
    real = usual_cases(10)
    others = usual_cases(10, seed=1, levels=SPINE[1:])
    results = [*real, *(with_masks(each, spurious("T11")) for each in others[:5]), *others[5:]]
    found, true = published(results), score_of(results).summary.official.labels["T11"]
    scores = [(v.dsc, v.hd95_mm) for each in real for v in each.score.vertebrae if v.name == "T11"]
    dsc, hd95_mm = np.sum(scores, axis=0)
    expected = {"n_reference": 10, "dsc": round(dsc / 15, 3), "hd95_mm": round((hd95_mm + 5 * 100) / 15, 2)}
    assert found["labels"]["T11"] == expected
    assert (true.n, true.n_reference) == (15, 10)
    of_cases = [np.mean([v.dsc for v in each.score.vertebrae]) for each in results]
    assert found["per_case"]["dsc"]["mean"] == round(float(np.mean(of_cases)), 3)


def test_a_label_that_no_reference_has_is_dsc_0_and_100_mm() -> None:
    """That is known to who predicted it; it counts in the mean, and its n, and the n of the mean, stay as they were."""
    results = usual_cases(20)
    before, after = published(results), published([with_masks(results[0], spurious("C1")), *results[1:]])
    assert after["labels"]["C1"] == {"n_reference": 0, "dsc": 0.0, "hd95_mm": 100.0}
    assert (before["mean_of_vertebrae"]["n_reference"], after["mean_of_vertebrae"]["n_reference"]) == (7, 7)
    true = score_of(results).summary.official.mean_of_vertebrae.dsc
    assert after["mean_of_vertebrae"]["dsc"] == round(true * 7 / 8, 3)


def sizes_in(document: Any) -> Iterator[tuple[str, Any]]:
    """All that a document calls n, with its place, and the counts of cases."""
    for key, value in document.items():
        if isinstance(value, dict):
            yield from ((f"{key} {at}", n) for at, n in sizes_in(value))
        elif key in {"n_reference", "n_cases"}:
            yield key, value


@pytest.mark.parametrize("label", ["C1", "T10", "T12", "L6"])
@pytest.mark.parametrize("where", [0, 12, 16], ids=["a usual case", "one of four with L6", "one of six with T10"])
def test_no_n_tells_whether_a_case_has_a_label(label: str, where: int) -> None:
    """Whatever is predicted in one case more, every n stays: with it or without it in the reference, it is the same."""
    results = [
        *usual_cases(12),
        *usual_cases(4, seed=1, levels=["L5", "L6"]),
        *usual_cases(6, seed=2, levels=["T10", "L5"]),
    ]
    has = label in {vertebra.name for vertebra in results[where].score.vertebrae}
    more = with_masks(results[where], mask(label, 0.01, 90.0) if has else spurious(label))
    changed = [*results[:where], more, *results[where + 1 :]]
    assert dict(sizes_in(published(changed))) == dict(sizes_in(published(results)))


def padded(results: Sequence[CaseResult], label: str) -> list[CaseResult]:
    """The same cases with a spurious prediction of a label wherever no reference has it."""
    return [
        each if label in {v.name for v in each.score.vertebrae} else with_masks(each, spurious(label))
        for each in results
    ]


@pytest.mark.parametrize("n", [1, 3, 4])
@pytest.mark.parametrize("n_others", [12, 60, 400])
def test_padding_a_rare_label_does_not_get_it_published(n: int, n_others: int) -> None:
    """Spurious predictions in however many cases are no news, and protect nobody: the cell stays hidden."""
    results = [*usual_cases(n_others), *usual_cases(n, seed=1, levels=["L5", "L6"])]
    document = published(padded(results, "L6"))
    assert document["labels"]["L6"] == {"n_reference": FEW, "dsc": None, "hd95_mm": None}
    assert document["mean_of_vertebrae_without_l6"] == {"n_reference": None, "dsc": None, "hd95_mm": None}
    hidden = {name for name, means in document["labels"].items() if means["dsc"] is None and means["n_reference"] != 0}
    assert len(hidden) == 2


@pytest.mark.parametrize("n_others", [12, 60, 400])
def test_padding_does_not_hide_three_real_predictions(n_others: int) -> None:
    """Of nine references with a label three are found and the others missed: padding makes no five of the three."""
    rare = usual_cases(9, seed=1, levels=["L5", "L6"])
    rare = [each if i < 3 else with_masks(each, missed("L6")) for i, each in enumerate(rare)]
    document = published(padded([*usual_cases(n_others), *rare], "L6"))
    assert document["labels"]["L6"] == {"n_reference": None, "dsc": None, "hd95_mm": None}


def test_padding_a_partner_does_not_give_the_other_away() -> None:
    """Two hidden labels are told as a sum: what is padded weighs next to nothing in it, and a third has to join."""
    results = [*usual_cases(200), *usual_cases(3, seed=1, levels=["L5", "L6"]), *usual_cases(5, seed=2, levels=["T10"])]
    plain, changed = (published(each)["labels"] for each in (results, padded(results, "T10")))
    assert [plain[name]["dsc"] is None for name in ("L6", "T10", "T11")] == [True, True, False]
    assert [changed[name]["dsc"] is None for name in ("L6", "T10", "T11")] == [True, True, True]


def test_cases_with_nothing_but_spurious_vertebrae_protect_nobody() -> None:
    """Four scans with vertebrae among twenty without: neither the mean over cases nor the spine is told."""
    real = usual_cases(4)
    empty = [case(f"CTC-{n}", spurious("L1"), mask("spine", spurious=True), source="COLONOG") for n in range(20)]
    document = published([*real, *empty])
    assert document["per_case"]["dsc"] == {"n_reference": FEW, "mean": None, "low": None, "high": None}
    assert (document["mean_of_spine"]["n_reference"], document["mean_of_spine"]["dsc"]) == (FEW, None)
    assert document["labels"]["L1"] == {"n_reference": FEW, "dsc": None, "hd95_mm": None}


@pytest.mark.parametrize(
    ("n_right", "told"),
    [(0, 0.0), (1, None), (4, None), (5, 0.25), (7, 0.25), (8, 0.5), (13, 0.75), (15, 0.75), (16, None), (20, 1.0)],
)
def test_how_many_cases_have_every_level_right(n_right: int, told: float | None) -> None:
    """A share of twenty cases in steps of five, and nothing when one to four are right, or wrong."""

    def named(result: CaseResult, *, right: bool) -> CaseResult:
        names = replace(result.score.identification, levels_right=right)
        return replace(result, score=replace(result.score, identification=names))

    results = [named(each, right=i < n_right) for i, each in enumerate(usual_cases(20))]
    assert published(results)["identification"]["levels_right"] == told


def test_all_right_is_all_right_whatever_the_number_of_cases() -> None:
    """Rounding to fives does not make more right cases than there are."""
    assert published(usual_cases(18))["identification"]["levels_right"] == 1.0


def test_slices_and_other_weights_are_not_published() -> None:
    """Nothing about all vertebrae pooled, other rates, shared labels, variants, or where spurious labels arise."""
    document = published([with_masks(each, spurious("C1")) for each in usual_cases(20)])
    assert document.keys() == PUBLIC_KEYS
    secret = {"over_vertebrae", "shared_labels", "variants", "without_reference", "strata", "sensitivity"}
    assert not secret & document.keys()
    assert "verse_id_rate" not in document["identification"]


def test_the_border_count_does_not_give_the_others_away() -> None:
    """When few cases have a spurious vertebra inside, the number at the border is hidden: the total is told."""
    results = usual_cases(20)
    more = [with_masks(each, spurious("L6", at_border=n >= 3)) for n, each in enumerate(results[:9])]
    assert published([*more, *results[9:]])["counts"]["spurious_at_border"] is None


def test_shifts_of_few_cases_are_not_told() -> None:
    """Label shifts are counts with a known total: two hidden at least, with five cases or more."""

    def shifted(result: CaseResult, shift: int) -> CaseResult:
        names = replace(result.score.identification, label_shift=shift, dsc_unshifted=0.95)
        return replace(result, score=replace(result.score, identification=names))

    results = usual_cases(20)
    document = published([shifted(results[0], 1), *results[1:]])["identification"]
    assert [document["label_shifts"][shift] for shift in ("+1", "0", "-1")] == [FEW, None, 0]
    mixed = [*(shifted(each, 1) for each in results[:3]), *(shifted(each, -1) for each in results[3:6]), *results[6:]]
    shifts = published(mixed)["identification"]["label_shifts"]
    assert (shifts["+1"], shifts["-1"], shifts["0"]) == (FEW, FEW, 15)


def test_undoing_the_shift_of_few_cases_is_not_told() -> None:
    """DSC with the shift undone equals that per case but for shifted cases: told when these are none or many."""

    def undone(results: Sequence[CaseResult], n_shifted: int) -> float | None:
        changed = []
        for number, result in enumerate(results):
            in_reference = [vertebra.dsc for vertebra in result.score.vertebrae if vertebra.status != "spurious"]
            dsc = float(np.mean(in_reference)) + 0.01 * (number < n_shifted)
            names = replace(result.score.identification, dsc_unshifted=dsc, dsc_instance=dsc)
            changed.append(replace(result, score=replace(result.score, identification=names)))
        return published(changed)["identification"]["dsc_unshifted"]

    results = usual_cases(20)
    assert [undone(results, n) is None for n in (0, 1, 4, 5, 20)] == [False, True, True, False, False]
    # With spurious vertebrae both differ from the mean per case, which has these: they may be known, the shifts not.
    results = [with_masks(each, spurious("L6")) for each in results]
    assert [undone(results, n) is None for n in (0, 1, 4, 5, 20)] == [False, True, True, False, False]


def test_the_parts_of_the_loss_are_told_together_or_not_at_all() -> None:
    """A part that few cases have hides all four: they add up to 1 − DSC."""
    results = usual_cases(20)
    assert None not in published(results)["loss"].values()
    some = [with_masks(each, missed("T11")) for each in results[:2]]
    assert set(published([*some, *results[2:]])["loss"].values()) == {None}
    parts = published([with_masks(each, missed("T11"), spurious("L6")) for each in results])
    assert list(parts["loss"]) == ["identification", "missed", "boundary", "spurious"]
    assert parts["loss"]["spurious"] == round(1 / 8, 3)
    assert sum(parts["loss"].values()) == pytest.approx(1 - parts["per_case"]["dsc"]["mean"], abs=0.003)


def test_failures_of_own_files() -> None:
    """A failure is told by its code and meaning, whatever its text says; cases of unknown names are counted."""
    results = usual_cases(20)
    text = "E_SHAPE: expected 512 × 512 × 401 voxels as in /srv/references/x; found 512 × 512 × 400"
    results[0] = replace(results[0], failure=Failure("E_SHAPE", "prediction", text))
    results[1] = replace(results[1], failure=Failure("E_NAN", "prediction", "whatever"))
    results[2] = replace(results[2], failure=Failure("E_MISSING_CASE", "prediction", "whatever"))
    own = {results[0].case_id, results[1].case_id}
    document = published(results, own_cases=own)
    assert [(failure["case_id"], failure["code"]) for failure in document["failures"]] == [
        (results[0].case_id, "E_SHAPE"),
        (results[1].case_id, "E_NAN"),
    ]
    assert document["failures"][0]["message"] == f"E_SHAPE: {CODES['E_SHAPE']}"
    assert document["failures"][1]["message"] == f"E_NAN: {CODES['E_NAN']}"
    assert (document["n_other_failures"], document["counts"]["failed"], document["complete"]) == (1, 3, False)


def test_the_official_split_is_public() -> None:
    """A missing case of the official private set is named: its list is published."""
    case_id = official("private").cases[0]
    results = [
        replace(usual_cases(1)[0], case_id=case_id, failure=Failure("E_MISSING_CASE", "prediction", "")),
        *usual_cases(20),
    ]
    document = public_results(score_of(results, official("private")))
    assert [failure["case_id"] for failure in document["failures"]] == [case_id]


def test_no_notes_and_no_names() -> None:
    """Notes describe references, a list of surplus predictions tells which cases there are: neither is published."""
    results = [replace(each, notes=("reference: axis order LPS",)) for each in usual_cases(20)]
    score = replace(score_of(results), ignored_predictions=("guess-1", "guess-2"), n_ignored_references=7)
    text = str(public_results(score))
    assert "LPS" not in text
    assert "guess" not in text
    assert "COLONOG-0" not in text
    assert not any("ignored" in key for key in public_results(score))


def test_unreadable_references_are_never_aggregated() -> None:
    """Without all references there are no aggregates to publish."""
    with pytest.raises(ValueError, match="expected readable references"):
        public_results(replace(score_of(usual_cases(5)), summary=None))


# --- attacks by arithmetic ---


def hidden_interval(document: dict[str, Any], measure: str, top: float) -> tuple[list[str], float, float]:
    """What anyone can work out about the sum of the hidden labels: their names, and the sum's bounds."""
    labels, total = document["labels"], document["mean_of_vertebrae"]
    hidden = [name for name, means in labels.items() if means[measure] is None and means["n_reference"] != 0]
    half = 0.5 * 10 ** -{"dsc": 3, "hd95_mm": 2}[measure]
    known = [means[measure] for means in labels.values() if means[measure] is not None]
    n_labels = len(hidden) + len(known)  # a label that no reference has counts too, if it is predicted
    middle = n_labels * total[measure] - sum(known)
    slack = half * (n_labels + len(known))
    return hidden, max(middle - slack, 0), min(middle + slack, top * len(hidden))


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 10**6))
def test_no_hidden_label_can_be_solved_for(seed: int) -> None:
    """From all that is published, no label of few cases is known to better than the range of its companion."""
    rng = np.random.default_rng(seed)
    results = usual_cases(int(rng.integers(8, 15)), seed=seed)
    for extra in range(int(rng.integers(1, 4))):
        levels = [*map(str, rng.choice(VERTEBRAE[:15], size=2, replace=False)), "L5"]
        results += usual_cases(
            int(rng.integers(1, 5)), seed=seed + extra + 1, levels=sorted(levels, key=VERTEBRAE.index)
        )
    for label in map(str, rng.choice(VERTEBRAE[:15], size=int(rng.integers(0, 3)), replace=False)):
        results = padded(results, label)
    document, true = published(results), score_of(results).summary.official
    few = [name for name, means in true.labels.items() if 0 < means.n_reference < 5]
    if document["mean_of_vertebrae"]["dsc"] is None or not few:
        return
    for measure, top in (("dsc", 1.0), ("hd95_mm", 100.0)):
        hidden, low, high = hidden_interval(document, measure, top)
        assert set(few) <= set(hidden)
        assert len(hidden) >= 2
        assert low - 1e-6 <= sum(getattr(true.labels[name], measure) for name in hidden) <= high + 1e-6
        for name in few:
            # The others may be anything that a label can be.
            least, most = max(low - top * (len(hidden) - 1), 0), min(high, top)
            assert most - least > 0.02 * top, name


def test_published_aggregates_are_about_many_cases_each_and_differ_by_many() -> None:
    """The sets of cases behind the published means of sources and the total never differ by one to four cases."""
    for n_small in (1, 4, 5):
        results = [*usual_cases(12), *usual_cases(n_small, source="COVID-19"), *usual_cases(7, source="MSD-T10")]
        sources = published(results)["sources"]
        sizes = {"COLONOG": 12, "COVID-19": n_small, "MSD-T10": 7}
        told = [name for name in sizes if sources[name]["mean_of_spine"]["dsc"] is not None]
        for count in range(len(told) + 1):
            for chosen in combinations(told, count):
                remainder = sum(sizes.values()) - sum(sizes[name] for name in chosen)
                assert remainder == 0 or remainder >= 5, (n_small, chosen)


CASES = official("private").cases or ()
LEVELS = {case_id: [VERTEBRAE[label - 1] for label in np.unique(reference(case_id)) if label] for case_id in CASES}
"""Which vertebrae the cases of the official private set have, were they those of `official_sized`."""


def official_cases(dsc_of: Callable[[str, str], float | None]) -> list[CaseResult]:
    """All cases of that set; where there is no DSC the vertebra, or the spine, is missed."""

    def one(case_id: str) -> CaseResult:
        found = {name: dsc_of(case_id, name) for name in (*LEVELS[case_id], "spine")}
        masks = [missed(name) if dsc is None else mask(name, dsc, 8 - 8 * dsc) for name, dsc in found.items()]
        n, n_found = len(masks) - 1, sum(dsc is not None for name, dsc in found.items() if name != "spine")
        mean = sum(dsc or 0 for name, dsc in found.items() if name != "spine") / n
        mm = 2.0 if n_found else None
        names = Identification(n, n_found, n_found / n, n_found, n_found == n, mm, n_found, 0, mean, mean, mean)
        return case(case_id, *masks, source=source_of(case_id), names=names)

    return [one(case_id) for case_id in CASES]


def public_official(results: Sequence[CaseResult]) -> dict[str, Any]:
    return public_results(score_of(results, official("private")))


def dsc_by_name(*parts: str) -> float:
    """A DSC that looks random and is always the same."""
    return float(np.random.default_rng(list(":".join(parts).encode())).uniform(0.6, 0.95))


def holding(label: str, source: str | None = None) -> list[str]:
    return [case_id for case_id in CASES if label in LEVELS[case_id] and source in {None, source_of(case_id)}]


@pytest.mark.parametrize(
    ("label", "source"),
    [("L6", None), ("C1", None), ("T7", "COVID-19"), ("T1", "HNSCC-3DCT-RT")],
    ids=["a cell of three", "three of sixteen", "a cell of three inside a source", "inside another source"],
)
def test_three_real_predictions_among_known_ones_tell_nothing(label: str, source: str | None) -> None:
    """Who sends one label in three cases and nothing else cannot read their mean off a total: all else is known."""
    real = holding(label, source)[:3]
    assert len(real) == 3
    assert source is None or len(holding(label, source)) == 3
    document = public_official(
        official_cases(lambda case_id, name: dsc_by_name(case_id) if case_id in real and name == label else None)
    )
    total = document["sources"][source]["mean_of_spine"] if source else document["mean_of_vertebrae"]
    assert document["labels"][label]["dsc"] is None
    assert total["dsc"] in {None, 0.0}
    official_means = [document[key] for key in ("labels", "mean_of_vertebrae_without_l6", "mean_of_spine", "sources")]
    assert {number for means in official_means for number in numbers_in(means)} <= {0.0, 100.0}
    # Over 198 cases, the rounding leaves the sum of the three open by 0.1 at least.
    assert document["per_case"]["dsc"]["mean"] in {None, 0.0, 0.001, 0.002, 0.003}


@pytest.mark.parametrize("missing", [0, 0.003, 0.01, 0.05])
def test_honest_submissions_keep_their_table(missing: float) -> None:
    """Of the official private set everything official is told but L6, which three cases have, and its one partner."""
    results = official_cases(
        lambda case_id, name: (
            None
            if name != "spine" and dsc_by_name("missing", case_id, name) < 0.6 + 0.35 * missing
            else dsc_by_name(case_id, name)
        )
    )
    n_spurious = 6 if missing else 0
    with_l6 = {case_id for case_id in CASES if "L6" in LEVELS[case_id]}
    spoilt = [each.case_id for each in results if each.case_id not in with_l6][:n_spurious]
    results = [with_masks(each, spurious("L6")) if each.case_id in spoilt else each for each in results]
    score = score_of(results, official("private"))
    document, true = public_results(score), score.summary
    hidden = {name for name, means in document["labels"].items() if means["dsc"] is None}
    partner = min(set(VERTEBRAE) - {"L6"}, key=lambda name: true.official.labels[name].n_reference)
    assert hidden == {"L6", partner}
    told = {
        **{f"label {name}": (document["labels"][name], true.official.labels[name]) for name in VERTEBRAE},
        "vertebrae": (document["mean_of_vertebrae"], true.official.mean_of_vertebrae),
        "spine": (document["mean_of_spine"], true.official.mean_of_spine),
    }
    for source, means in true.sources.items():
        told[f"{source} spine"] = document["sources"][source]["mean_of_spine"], means.mean_of_spine
    assert len(told) == 25 + 2 + 4
    for what, (public, means) in told.items():
        if what.removeprefix("label ") not in hidden:
            expected = {
                "n_reference": means.n_reference,
                "dsc": round(means.dsc, 3),
                "hd95_mm": round(means.hd95_mm, 2),
            }
            if what in {"vertebrae", "spine"}:
                expected["hd95_matched_mm"] = round(means.hd95_matched_mm, 2)
            assert public == expected, what
    for name, estimate in true.per_case.items():
        digits = 2 if name == "hd95_mm" else 3
        expected = [round(number, digits) for number in (estimate.mean, estimate.low, estimate.high)]
        assert [document["per_case"][name][part] for part in ("mean", "low", "high")] == expected


# --- the rules by themselves ---


def rows(*values: float, weight: float = 1.0) -> pd.DataFrame:
    return pd.DataFrame({"case_id": [f"case {i}" for i in range(len(values))], "dsc": values, "weight": weight})


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ((0.9, 0.8, 0.7, 0.9), False),  # too few
        ((0.9, 0.8, 0.7, 0.9, 0.8), True),
        ((0.9, 0, 0, 0, 0, 0, 0, 0), False),  # one alone
        ((0.9, 0.9, 0, 0, 0, 0, 0, 0), False),  # each of two knows the other
        ((0.9, 0.9, 0.9, 0, 0, 0, 0, 0), False),
        ((0.9, 0.9, 0.9, 0.9, 0, 0, 0, 0), False),  # a coalition of four is no better than the cell of four
        ((0.9, 0.9, 0.9, 0.9, 0.9, 0, 0, 0), True),
        ((0, 0, 0, 0, 0), True),
        ((1, 1, 1, 1, 1), True),
        ((0, 1, 1, 1, 1, 1, 1), True),  # that the others are perfect is not known without the references
        ((0.9, 0.001, 0.001, 0.001, 0.001, 0.001), False),  # a voxel each for the others
        ((0.9, *[0] * 199), True),  # rounding leaves ± 0.1
    ],
)
def test_what_a_mean_tells(values: tuple[float, ...], told: bool) -> None:
    """A mean is told when five cases are in it and none of them stands out from nothing."""
    assert tells_no_case(rows(*values), DSC) is told


def test_cells_of_no_case_hide_nothing() -> None:
    """A complement has rows of its own; when there is none left, all others are hidden."""
    cells = {"a": rows(0.5, 0.6), "b": rows(), "c": rows(*[0.5] * 6), "d": rows(*[0.5] * 9)}
    assert hidden_cells(cells, {"a"}, lambda kept: tells_no_case(kept, DSC)) == {"a", "c"}
    assert hidden_cells(cells, set(), lambda kept: tells_no_case(kept, DSC)) == frozenset()
    small = {"a": rows(0.5), "b": rows(0.5, 0.4)}
    assert hidden_cells(small, {"a", "b"}, lambda kept: tells_no_case(kept, DSC)) == {"a", "b"}
