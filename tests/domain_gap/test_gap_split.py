"""The gap taken apart: parts and causes add up, by hand, against another formulation, and against plain loops."""

from __future__ import annotations

from dataclasses import astuple, replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from simulated_scores import scores_of

from ctspine_bench.anatomy import VERTEBRAE, vertebra_label
from ctspine_bench.domain_gap import (
    CAUSES,
    PARTS,
    GapSplit,
    LabelProfile,
    Part,
    gap_intervals,
    kitagawa,
    profile,
    published_profile,
    with_pooled_losses,
)
from ctspine_bench.jackknife import Uncertainty, uncertainty
from ctspine_bench.rankings.paired import LOSSES, PairedScores


def profile_of(labels: dict[str, tuple[int, float, float, float, float]]) -> LabelProfile:
    """A profile from label → (n, loss to names, to missing, to outlines, to spurious ones)."""
    n, losses = np.zeros(25), {loss: np.zeros(25) for loss in LOSSES}
    for name, (count, *lost) in labels.items():
        place = vertebra_label(name) - 1
        n[place] = count
        for loss, value in zip(LOSSES, lost, strict=True):
            losses[loss][place] = value
    dsc = np.where(n > 0, 1 - sum(losses.values()), 0.0)
    return LabelProfile(n, dsc, losses)


def random_profile(rng: np.random.Generator, share_of_labels: float) -> LabelProfile:
    """Up to 25 labels, at least one."""
    n = rng.integers(1, 200, 25) * (rng.random(25) < share_of_labels)
    n[rng.integers(25)] += 1
    lost = rng.dirichlet(np.ones(5), 25)[:, :4].T * (n > 0)
    return LabelProfile(
        n.astype(float), np.where(n > 0, 1 - lost.sum(axis=0), 0.0), dict(zip(LOSSES, lost, strict=True))
    )


def parts(split: GapSplit) -> list[Part]:
    """The three parts."""
    return [getattr(split, name) for name in PARTS]


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.05, 1), st.floats(0.05, 1))
def test_everything_adds_up(seed: int, of_public: float, of_other: float) -> None:
    """For any profiles, labels in one set only or no label in both: parts to the gap and causes to parts, to 1e-12."""
    rng = np.random.default_rng(seed)
    public, other = random_profile(rng, of_public), random_profile(rng, of_other)
    split = kitagawa(public, other)
    assert split.gap == pytest.approx(public.score - other.score, abs=1e-12)
    assert sum(part.total for part in parts(split)) == pytest.approx(split.gap, abs=1e-12)
    for part in (split.whole, *parts(split)):
        assert sum(getattr(part, cause) for cause in CAUSES) == pytest.approx(part.total, abs=1e-12)
    for cause, loss in zip(CAUSES, LOSSES, strict=True):
        lost = [np.average(each.losses[loss], weights=each.n) for each in (public, other)]
        assert getattr(split.whole, cause) == pytest.approx(lost[1] - lost[0], abs=1e-12)
        assert sum(getattr(part, cause) for part in parts(split)) == pytest.approx(lost[1] - lost[0], abs=1e-12)
    assert sorted((*split.in_both, *split.only_public, *split.only_other), key=VERTEBRAE.index) == [
        name for name, a, b in zip(VERTEBRAE, public.n, other.n, strict=True) if a or b
    ]


def by_pandas(public: LabelProfile, other: LabelProfile) -> dict[str, list[float]]:
    """Both one-sided forms of each part from one row for each vertebra: joined, grouped and reweighted by pandas."""
    rows = pd.concat(
        pd.DataFrame({"set": name, "label": np.repeat(np.arange(25), each.n.astype(int))}).assign(
            dsc=lambda frame, dsc=each.dsc: dsc[frame["label"]]
        )
        for name, each in (("public", public), ("other", other))
    )
    score = rows.groupby("set")["dsc"].mean()
    shared = rows[rows.groupby("label")["set"].transform("nunique") == 2]
    if shared.empty:
        alone = score["public"] - score["other"]
        return {"label_mix": [0.0, 0.0], "within_label": [0.0, 0.0], "one_set_only": [alone, alone]}
    of_shared = shared.groupby("set")["dsc"].mean()
    means = shared.groupby(["set", "label"])["dsc"].mean()
    # Each set as it would be with the mix of the other one: each vertebra there, scored as its label is here.
    standardised = {
        one: shared.loc[shared["set"] == two, "label"].map(means[one]).mean()
        for one, two in (("public", "other"), ("other", "public"))
    }
    alone = (score["public"] - of_shared["public"]) - (score["other"] - of_shared["other"])
    return {
        "label_mix": [of_shared["public"] - standardised["public"], standardised["other"] - of_shared["other"]],
        "within_label": [standardised["public"] - of_shared["other"], of_shared["public"] - standardised["other"]],
        "one_set_only": [alone, alone],
    }


@pytest.mark.parametrize("seed", range(20))
def test_parts_are_those_of_standardisation(seed: int) -> None:
    """Direct standardisation of single vertebrae, as demographers do it, either way round: the mean, and the ends."""
    rng = np.random.default_rng(seed)
    public, other = random_profile(rng, rng.random()), random_profile(rng, rng.random())
    split, expected = kitagawa(public, other), by_pandas(public, other)
    for name in PARTS:
        assert getattr(split, name).total == pytest.approx(np.mean(expected[name]), abs=1e-12)
        assert split.ranges[name] == pytest.approx(sorted(expected[name]), abs=1e-12)


def test_by_hand() -> None:
    """Two labels in both sets, one in each alone.

    Public: 6 L1 at .9, 2 L2 at .7, 2 C1 at .5, S = (5.4 + 1.4 + 1) / 10 = .78, over L1 and L2 6.8 / 8 = .85. Other: 2
    L1 at .8, 6 L2 at .6, 2 L6 at 0, S = (1.6 + 3.6) / 10 = .52, over both 5.2 / 8 = .65. Half of the weight goes from
    L1 to L2, which is worse by .2 in both sets: the mix costs .1, with either set's scores. Both labels lose .1: that
    is .1 with any weights. The C1 cost the public set .78 − .85, the L6 the other one .52 − .65: that makes .06.
    """
    public = profile_of({"L1": (6, 0.0, 0.0, 0.1, 0.0), "L2": (2, 0.1, 0.1, 0.1, 0.0), "C1": (2, 0.5, 0.0, 0.0, 0.0)})
    other = profile_of({"L1": (2, 0.0, 0.0, 0.1, 0.1), "L2": (6, 0.2, 0.1, 0.1, 0.0), "L6": (2, 0.0, 1.0, 0.0, 0.0)})
    split = kitagawa(public, other)
    assert (split.public, split.other, split.gap) == pytest.approx((0.78, 0.52, 0.26))
    assert [part.total for part in parts(split)] == pytest.approx([0.1, 0.1, 0.06])
    assert split.ranges["label_mix"] == pytest.approx((0.1, 0.1))
    assert (split.in_both, split.only_public, split.only_other) == (("L1", "L2"), ("C1",), ("L6",))
    # The mix: L2 loses to names .1 more on the public set and .2 on the other one, .15 on average; missing .1 more;
    # spurious ones cost L1 .1 on the other set, .05 on average, from which half of the weight goes away.
    assert astuple(split.label_mix) == pytest.approx((0.1, 0.075, 0.05, 0.0, -0.025))
    # On the same labels, each with half of the weight: names are worse by .1 on L2, spurious ones on L1.
    assert astuple(split.within_label) == pytest.approx((0.1, 0.05, 0.0, 0.0, 0.05))
    # Names lose .12 of the public set and .025 of what both have, of the other one .12 and .15: −.095 − .03.
    # Missing loses .02 and .025, .26 and .075: .005 + .185; the outline .08 and .1 in both; spurious .02 and .025.
    assert astuple(split.one_set_only) == pytest.approx((0.06, -0.125, 0.19, 0.0, -0.005), abs=1e-12)


def test_the_largest_part_is_said_only_if_all_weights_agree() -> None:
    """With one set's scores the mix is largest, with the other's the labels: then none is called the largest."""
    public = profile_of({"L1": (8, 0.0, 0.0, 0.1, 0.0), "L2": (2, 0.0, 0.0, 0.5, 0.0)})
    other = profile_of({"L1": (2, 0.0, 0.0, 0.4, 0.0), "L2": (8, 0.0, 0.0, 0.5, 0.0)})
    split = kitagawa(public, other)
    # The mix .6 · .4 or .6 · .1, the labels .2 · .3 or .8 · .3.
    assert split.ranges["label_mix"] == pytest.approx((0.06, 0.24))
    assert split.ranges["within_label"] == pytest.approx((0.06, 0.24))
    assert split.largest is None
    clear = kitagawa(public, replace(public, dsc=public.dsc - 0.2, losses=None))
    assert clear.largest == "within_label"


def test_without_a_label_in_both() -> None:
    """There is no label to compare: the whole gap is of labels in one set only."""
    split = kitagawa(profile_of({"C1": (3, 0.0, 0.0, 0.1, 0.0)}), profile_of({"L1": (5, 0.2, 0.0, 0.1, 0.0)}))
    assert [part.total for part in parts(split)] == pytest.approx([0, 0, 0.2])
    assert split.one_set_only.identification == pytest.approx(0.2)


def test_of_a_set_with_itself() -> None:
    """Nothing is lost."""
    same = random_profile(np.random.default_rng(0), 0.7)
    assert [part.total for part in parts(kitagawa(same, same))] == pytest.approx([0, 0, 0], abs=1e-15)


def test_without_vertebrae_there_is_no_gap() -> None:
    """A set without any is an error."""
    empty = LabelProfile(np.zeros(25), np.zeros(25), None)
    some = profile_of({"L1": (1, 0.0, 0.0, 0.1, 0.0)})
    for public, other in ((empty, some), (some, empty)):
        with pytest.raises(ValueError, match="without any"):
            kitagawa(public, other)


def test_without_losses_there_are_no_causes() -> None:
    """Where one of the profiles knows no losses, parts have totals alone."""
    rng = np.random.default_rng(1)
    public, other = random_profile(rng, 0.8), random_profile(rng, 0.8)
    known, unknown = kitagawa(public, other), kitagawa(public, replace(other, losses=None))
    assert [part.total for part in parts(unknown)] == [part.total for part in parts(known)]
    assert {part.boundary for part in parts(unknown)} == {None}


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_pooled_losses_are_enough_for_the_gap_as_a_whole(seed: int) -> None:
    """Mean losses over all vertebrae of the other set give the same causes of the gap as its losses by label do."""
    rng = np.random.default_rng(seed)
    public, other = random_profile(rng, 0.8), random_profile(rng, 0.6)
    pooled = {loss: float(np.average(other.losses[loss], weights=other.n)) for loss in LOSSES}
    found = with_pooled_losses(kitagawa(public, replace(other, losses=None)), public, pooled)
    assert astuple(found.whole) == pytest.approx(astuple(kitagawa(public, other).whole), abs=1e-12)
    assert {part.boundary for part in parts(found)} == {None}


def test_rounded_pooled_losses_add_up_too() -> None:
    """What rounding leaves goes to the outline, so that causes still are the whole of the gap."""
    rng = np.random.default_rng(2)
    public, other = random_profile(rng, 1.0), replace(random_profile(rng, 0.6), losses=None)
    pooled = dict(zip(LOSSES, (0.1, 0.2, 0.3, 0.05), strict=True))
    whole = with_pooled_losses(kitagawa(public, other), public, pooled).whole
    assert sum(getattr(whole, cause) for cause in CAUSES) == pytest.approx(whole.total, abs=1e-12)
    assert whole.spurious == pytest.approx(0.05 - np.average(public.losses["loss_spurious"], weights=public.n))


def test_without_public_losses_pooled_ones_say_nothing() -> None:
    """Then the gap is returned as it is."""
    unknown = replace(profile_of({"L1": (4, 0.0, 0.0, 0.1, 0.0)}), losses=None)
    split = kitagawa(unknown, unknown)
    assert with_pooled_losses(split, unknown, dict.fromkeys(LOSSES, 0.1)) is split


def some_scores(rng: np.random.Generator, n_cases: int) -> PairedScores:
    """Two submissions on cases with some of five labels."""
    dsc = rng.beta(5, 2, (n_cases, 5, 2))
    dsc[rng.random(dsc.shape) < 0.1] = 0
    dsc[rng.random((n_cases, 5)) < 0.3] = np.nan
    dsc[:, 2] = 0.5
    return scores_of(dsc, spurious=rng.random(dsc.shape) < 0.1)


def test_profile_is_a_group_mean() -> None:
    """Means by label over those that count, and how many references have it, as pandas has them."""
    paired = some_scores(np.random.default_rng(3), 15)
    found = profile(paired, "s1")
    rows = pd.DataFrame({name: paired.measures[name][:, 1] for name in ("dsc", *LOSSES)})
    rows = rows.assign(label=paired.vertebrae.label, n=paired.vertebrae.in_reference)[paired.present[:, 1]]
    groups = rows.groupby("label")
    there = groups.size().index.to_numpy() - 1
    assert found.n[there].tolist() == groups["n"].sum().tolist()
    assert found.dsc[there] == pytest.approx(groups["dsc"].mean().to_numpy())
    for loss in LOSSES:
        assert found.losses[loss][there] == pytest.approx(groups[loss].mean().to_numpy())
    assert np.delete(found.n, there).sum() == np.delete(found.dsc, there).sum() == 0
    assert groups["loss_spurious"].sum().sum() > 0


def test_published_profile() -> None:
    """Labels whose number in the references and DSC are told; the others are left out."""
    found = published_profile(
        {"L1": {"n_reference": 12, "dsc": 0.8}, "L2": {"n_reference": "<5", "dsc": None}, "L3": {"n_reference": None}}
    )
    assert (found.n.sum(), found.score, found.losses) == (12, 0.8, None)


def test_intervals_against_loops() -> None:
    """Errors of both sets from leaving one case out after the other, added in squares; freedom by Welch."""
    rng = np.random.default_rng(4)
    public, other = some_scores(rng, 14), some_scores(rng, 12)

    def values(one: PairedScores, two: PairedScores) -> np.ndarray:
        split = kitagawa(profile(one, "s1"), profile(two, "s1"))
        return np.array([split.gap, *(part.total for part in parts(split))])

    def without(paired: PairedScores) -> list[PairedScores]:
        return [paired.of_cases(np.arange(paired.n_cases) != gone) for gone in range(paired.n_cases)]

    def off(paired: PairedScores, left_out: list[np.ndarray]) -> Uncertainty:
        vertebrae = paired.vertebrae
        of_case = np.bincount(vertebrae.case[vertebrae.in_reference], minlength=paired.n_cases)
        return uncertainty(full, np.array(left_out), of_case / of_case.sum())

    full = values(public, other)
    one = off(public, [values(each, other) for each in without(public)])
    two = off(other, [values(public, each) for each in without(other)])
    found = gap_intervals(public, other, "s1")
    assert list(found) == ["gap", *PARTS]
    for place, (low, high) in enumerate(found.values()):
        squares = one.errors[place] ** 2, two.errors[place] ** 2
        if not sum(squares):  # no label is in one set only, whichever case is left out
            assert (low, high) == pytest.approx((0.0, 0.0), abs=1e-12)
            continue
        df = sum(squares) ** 2 / (squares[0] ** 2 / one.df[place] + squares[1] ** 2 / two.df[place])
        half = stats.t.ppf(0.975, df) * np.sqrt(sum(squares))
        assert (low, high) == pytest.approx((full[place] - half, full[place] + half), abs=1e-12)


def test_one_vertebra_a_case_has_the_interval_of_welch() -> None:
    """Then the gap is a difference of two plain means, and its interval that of SciPy's Welch test."""
    rng = np.random.default_rng(5)
    public, other = rng.beta(5, 2, 30), rng.beta(3, 2, 20)
    found = gap_intervals(scores_of(public[:, None, None]), scores_of(other[:, None, None]), "s0")["gap"]
    assert found == pytest.approx(tuple(stats.ttest_ind(public, other, equal_var=False).confidence_interval()))


def test_under_ten_cases_there_is_no_interval() -> None:
    """Of either set; a case without a vertebra is none."""
    rng = np.random.default_rng(6)
    ten, nine = some_scores(rng, 10), some_scores(rng, 9)
    assert gap_intervals(ten, ten, "s0") is not None
    assert gap_intervals(ten, nine, "s0") is None
    assert gap_intervals(nine, ten, "s0") is None
    dsc = np.full((12, 1, 1), 0.5)
    dsc[:3] = np.nan
    assert gap_intervals(ten, scores_of(dsc), "s0") is None


def test_order_means_nothing() -> None:
    """Who stands beside a submission, and where, changes none of its numbers."""
    rng = np.random.default_rng(7)
    public, other = some_scores(rng, 12), some_scores(rng, 12)
    turned = public.of("s1", "s0"), other.of("s1", "s0")
    assert gap_intervals(*turned, "s0") == gap_intervals(public, other, "s0")
    assert kitagawa(*(profile(each, "s0") for each in turned)) == kitagawa(profile(public, "s0"), profile(other, "s0"))
