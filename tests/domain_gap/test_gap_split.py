"""The gap taken apart: parts and causes add up, by hand, against another formulation, and against plain resampling."""

from __future__ import annotations

from dataclasses import astuple, replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from simulated_scores import scores_of

from ctspine_bench.anatomy import VERTEBRAE, vertebra_label
from ctspine_bench.bootstrap import SEED, case_weights
from ctspine_bench.domain_gap import (
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
from ctspine_bench.rankings.paired import LOSSES, PairedScores

CAUSES = ("identification", "missed", "boundary")


def profile_of(labels: dict[str, tuple[int, float, float, float]]) -> LabelProfile:
    """A profile from label → (n, loss to names, loss to missing, loss to outlines)."""
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
    lost = rng.dirichlet(np.ones(4), 25)[:, :3].T * (n > 0)
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
    for part in parts(split):
        assert part.identification + part.missed + part.boundary == pytest.approx(part.total, abs=1e-12)
    for cause, loss in zip(CAUSES, LOSSES, strict=True):
        lost = [np.average(each.losses[loss], weights=each.n) for each in (public, other)]
        assert sum(getattr(part, cause) for part in parts(split)) == pytest.approx(lost[1] - lost[0], abs=1e-12)
    assert sorted((*split.in_both, *split.only_public, *split.only_other), key=VERTEBRAE.index) == [
        name for name, a, b in zip(VERTEBRAE, public.n, other.n, strict=True) if a or b
    ]


def by_pandas(public: LabelProfile, other: LabelProfile) -> dict[str, float]:
    """The same parts from one row for each vertebra: joined, grouped and reweighted by pandas."""
    rows = pd.concat(
        pd.DataFrame({"set": name, "label": np.repeat(np.arange(25), each.n.astype(int))}).assign(
            dsc=lambda frame, dsc=each.dsc: dsc[frame["label"]]
        )
        for name, each in (("public", public), ("other", other))
    )
    score = rows.groupby("set")["dsc"].mean()
    shared = rows[rows.groupby("label")["set"].transform("nunique") == 2]
    if shared.empty:
        return {"label_mix": 0.0, "within_label": 0.0, "one_set_only": score["public"] - score["other"]}
    score_of_shared = shared.groupby("set")["dsc"].mean()
    # The public set as it would be with the mix of the other one: each vertebra there, scored as its label is here.
    public_means = shared[shared["set"] == "public"].groupby("label")["dsc"].mean()
    standardised = shared.loc[shared["set"] == "other", "label"].map(public_means).mean()
    return {
        "label_mix": score_of_shared["public"] - standardised,
        "within_label": standardised - score_of_shared["other"],
        "one_set_only": (score["public"] - score_of_shared["public"]) - (score["other"] - score_of_shared["other"]),
    }


@pytest.mark.parametrize("seed", range(20))
def test_parts_are_those_of_standardisation(seed: int) -> None:
    """Direct standardisation of single vertebrae, as demographers do it, gives the same parts."""
    rng = np.random.default_rng(seed)
    public, other = random_profile(rng, rng.random()), random_profile(rng, rng.random())
    split = kitagawa(public, other)
    assert {name: getattr(split, name).total for name in PARTS} == pytest.approx(by_pandas(public, other), abs=1e-12)


def test_by_hand() -> None:
    """Two labels in both sets, one in each alone.

    Public: 6 L1 at .9, 2 L2 at .7, 2 C1 at .5, S = (5.4 + 1.4 + 1) / 10 = .78, over L1 and L2 6.8 / 8 = .85. Other: 2
    L1 at .8, 6 L2 at .6, 2 L6 at 0, S = (1.6 + 3.6) / 10 = .52, over both 5.2 / 8 = .65. With the other set's mix, the
    public one would have .25 · .9 + .75 · .7 = .75: the mix costs .85 − .75, the same labels lose .75 − .65. The C1
    cost the public set .78 − .85, the L6 cost the other one .52 − .65: that makes .06.
    """
    public = profile_of({"L1": (6, 0.0, 0.0, 0.1), "L2": (2, 0.1, 0.1, 0.1), "C1": (2, 0.5, 0.0, 0.0)})
    other = profile_of({"L1": (2, 0.1, 0.0, 0.1), "L2": (6, 0.2, 0.1, 0.1), "L6": (2, 0.0, 1.0, 0.0)})
    split = kitagawa(public, other)
    assert (split.public, split.other, split.gap) == pytest.approx((0.78, 0.52, 0.26))
    assert [part.total for part in parts(split)] == pytest.approx([0.1, 0.1, 0.06])
    assert (split.in_both, split.only_public, split.only_other) == (("L1", "L2"), ("C1",), ("L6",))
    # The mix: half of the weight goes from L1 to L2, which loses .1 more to names and .1 more to missing.
    assert astuple(split.label_mix) == pytest.approx((0.1, 0.05, 0.05, 0.0))
    # On the same labels, names alone are worse: by .1 on both.
    assert astuple(split.within_label) == pytest.approx((0.1, 0.1, 0.0, 0.0))
    # Names lose .12 of the public set and .025 of what both have, of the other one .14 and .175: −.095 − .035.
    # Missing loses .02 and .025, .26 and .075: .005 + .185; the outline .08 and .1 in both.
    assert astuple(split.one_set_only) == pytest.approx((0.06, -0.13, 0.19, 0.0), abs=1e-12)


def test_without_a_label_in_both() -> None:
    """There is no label to compare: the whole gap is of labels in one set only."""
    split = kitagawa(profile_of({"C1": (3, 0.0, 0.0, 0.1)}), profile_of({"L1": (5, 0.2, 0.0, 0.1)}))
    assert [part.total for part in parts(split)] == pytest.approx([0, 0, 0.2])
    assert split.one_set_only.identification == pytest.approx(0.2)


def test_of_a_set_with_itself() -> None:
    """Nothing is lost."""
    same = random_profile(np.random.default_rng(0), 0.7)
    assert [part.total for part in parts(kitagawa(same, same))] == pytest.approx([0, 0, 0], abs=1e-15)


def test_without_vertebrae_there_is_no_gap() -> None:
    """A set without any is an error."""
    empty = LabelProfile(np.zeros(25), np.zeros(25), None)
    some = profile_of({"L1": (1, 0.0, 0.0, 0.1)})
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
def test_pooled_losses_are_enough(seed: int) -> None:
    """Mean losses over all vertebrae of the other set give the same causes as its losses by label do."""
    rng = np.random.default_rng(seed)
    public, other = random_profile(rng, 1.0), random_profile(rng, 0.6)
    public = replace(public, n=public.n + 1)
    pooled = {loss: float(np.average(other.losses[loss], weights=other.n)) for loss in LOSSES}
    expected, told = kitagawa(public, other), replace(other, losses=None)
    found = with_pooled_losses(kitagawa(public, told), public, told, pooled)
    for part, full in zip(parts(found), parts(expected), strict=True):
        for name in ("total", *CAUSES):
            assert getattr(part, name) == pytest.approx(getattr(full, name), abs=1e-12)


def test_rounded_pooled_losses_add_up_too() -> None:
    """What rounding leaves goes to the outline, so that causes still are the whole of the part."""
    rng = np.random.default_rng(2)
    public, other = random_profile(rng, 1.0), replace(random_profile(rng, 0.6), losses=None)
    pooled = {"loss_identification": 0.1, "loss_missed": 0.2, "loss_boundary": 0.3}
    within = with_pooled_losses(kitagawa(public, other), public, other, pooled).within_label
    assert within.identification + within.missed + within.boundary == pytest.approx(within.total, abs=1e-12)


def test_pooled_losses_cannot_tell_labels_of_the_other_set_apart() -> None:
    """If it has a label for itself, what that loses is not known; nor is anything if the public losses are not."""
    public, other = profile_of({"L1": (4, 0.0, 0.0, 0.1)}), profile_of({"L1": (2, 0.1, 0, 0), "L2": (2, 0.2, 0, 0)})
    split = kitagawa(public, replace(other, losses=None))
    pooled = dict.fromkeys(LOSSES, 0.1)
    assert with_pooled_losses(split, public, other, pooled) is split
    unknown = replace(public, losses=None)
    split = kitagawa(unknown, unknown)
    assert with_pooled_losses(split, unknown, unknown, pooled) is split


def some_scores(rng: np.random.Generator, n_cases: int) -> PairedScores:
    """Two submissions on cases with some of five labels."""
    dsc = rng.beta(5, 2, (n_cases, 5, 2))
    dsc[rng.random(dsc.shape) < 0.1] = 0
    dsc[rng.random((n_cases, 5)) < 0.3] = np.nan
    dsc[:, 2] = 0.5
    return scores_of(dsc)


def test_profile_is_a_group_mean() -> None:
    """Counts and means by label, as pandas has them."""
    paired = some_scores(np.random.default_rng(3), 15)
    found = profile(paired, "s1")
    rows = pd.DataFrame({name: paired.measures[name][:, 1] for name in ("dsc", *LOSSES)})
    groups = rows.groupby(paired.reference.label)
    there = groups.size().index.to_numpy() - 1
    assert found.n[there].tolist() == groups.size().tolist()
    assert found.dsc[there] == pytest.approx(groups["dsc"].mean().to_numpy())
    for loss in LOSSES:
        assert found.losses[loss][there] == pytest.approx(groups[loss].mean().to_numpy())
    assert np.delete(found.n, there).sum() == np.delete(found.dsc, there).sum() == 0
    assert found.score == pytest.approx(rows["dsc"].mean(), abs=1e-12)


def test_profile_of_published_labels() -> None:
    """Labels whose n or mean is withheld are left out; nothing is known of causes."""
    found = published_profile(
        {
            "L1": {"n": 7, "dsc": 0.9},
            "L2": {"n": "<5", "dsc": None},
            "L3": {"n": 6, "dsc": None},
            "T1": {"n": 5, "dsc": 1},
        }
    )
    assert {VERTEBRAE[i]: (found.n[i], found.dsc[i]) for i in np.flatnonzero(found.n)} == {"T1": (5, 1), "L1": (7, 0.9)}
    assert found.losses is None
    assert found.score == pytest.approx((5 + 6.3) / 12)


def test_intervals_against_a_loop() -> None:
    """Each draw by itself: both profiles under its weights, taken apart; percentiles of the parts."""
    rng = np.random.default_rng(4)
    public, other = some_scores(rng, 14), some_scores(rng, 11)
    other = other.of_labels(range(19, 23))
    drawn: dict[str, list[float]] = {name: [] for name in (*PARTS, "gap")}
    for of_public, of_other in zip(case_weights(14, 300), case_weights(11, 300, SEED + 1), strict=True):
        split = kitagawa(under_weights(public, of_public), under_weights(other, of_other))
        drawn["gap"].append(split.gap)
        for name in PARTS:
            drawn[name].append(getattr(split, name).total)
    expected = {name: tuple(np.percentile(values, [2.5, 97.5])) for name, values in drawn.items()}
    found = gap_intervals(public, other, "s1", draws=300)
    assert found is not None
    assert found.keys() == expected.keys()
    for name, ends in expected.items():
        assert found[name] == pytest.approx(ends, abs=1e-12)


def under_weights(paired: PairedScores, weights: np.ndarray) -> LabelProfile:
    """The profile of s1 when each vertebra counts as much as its case weighs."""
    n, dsc = np.zeros(25), np.zeros(25)
    for case, label, value in zip(
        paired.reference.case, paired.reference.label, paired.measures["dsc"][:, 1], strict=True
    ):
        n[label - 1] += weights[case]
        dsc[label - 1] += weights[case] * value
    return LabelProfile(n, np.divide(dsc, n, out=np.zeros(25), where=n > 0), None)


def test_sets_are_resampled_independently() -> None:
    """The gap of a set with itself is 0, and varies by √2 of what the set's own mean does."""
    rng = np.random.default_rng(5)
    paired = scores_of(rng.beta(5, 2, (40, 1, 1)))
    low, high = gap_intervals(paired, paired, "s0")["gap"]
    assert low < 0 < high
    of_mean = np.percentile(case_weights(40) @ paired.measures["dsc"][:, 0], [2.5, 97.5])
    assert (high - low) / np.ptp(of_mean) == pytest.approx(np.sqrt(2), rel=0.05)


def test_under_ten_cases_there_is_no_interval() -> None:
    """Of either set; a case without a vertebra is none."""
    rng = np.random.default_rng(6)
    ten, nine = some_scores(rng, 10), some_scores(rng, 9)
    assert gap_intervals(ten, ten, "s0", draws=50) is not None
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
    assert gap_intervals(*turned, "s0", draws=100) == gap_intervals(public, other, "s0", draws=100)
    assert kitagawa(*(profile(each, "s0") for each in turned)) == kitagawa(profile(public, "s0"), profile(other, "s0"))
