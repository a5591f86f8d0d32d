"""What the official rule promises: inventing vertebrae never pays, and neither does dropping them.

The numbers that the promises are about are all that a submission could be judged by: each label's means, Mean of
Vertebrae with and without L6, the per-case mean, the mean over all vertebrae, and the DSC of the spine.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from ctspine_bench import score_arrays
from ctspine_bench.aggregate import METRIC_COLUMNS, summarise
from ctspine_bench.anatomy import LABELS, vertebra_label
from ctspine_bench.phantom.case import CaseSpec, make_case
from ctspine_bench.phantom.submissions import boundary_noise, missed_l6
from ctspine_bench.records import CaseResult
from ctspine_bench.tables import case_table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ctspine_bench.summary import Summary

    Volume = np.ndarray
    Pair = tuple[Volume, Volume]

SPACING_MM = (3.0, 3.0, 3.0)
L5, L6 = vertebra_label("L5"), vertebra_label("L6")
LABELS_DRAWN = (20, 21, 25)
ROUNDING = 1e-12


def summary_of(pairs: Sequence[Pair], spacing_mm: tuple[float, float, float] = SPACING_MM) -> Summary:
    """All aggregates of references and predictions."""
    scores = [score_arrays(reference, prediction, spacing_mm) for reference, prediction in pairs]
    results = [CaseResult(str(i), None, score, None, (), None, None) for i, score in enumerate(scores)]
    return summarise(case_table(results, "custom"))


def official_numbers(summary: Summary) -> dict[str, float]:
    """Every official number of the vertebrae that is there, HD95 negated: larger is better."""
    official = summary.official
    means = {
        **official.labels,
        "mean of vertebrae": official.mean_of_vertebrae,
        "without L6": official.mean_of_vertebrae_without_l6,
    }
    found = {(name, metric): getattr(each, metric) for name, each in means.items() for metric in METRIC_COLUMNS}
    for name, estimates in (("per case", summary.per_case), ("over vertebrae", summary.over_vertebrae)):
        found |= {(name, metric): each.mean for metric, each in estimates.items()}
    return {
        f"{name}, {metric}": -value if metric == "hd95_mm" else value
        for (name, metric), value in found.items()
        if value is not None
    }


def at_its_worst(numbers: dict[str, float]) -> bool:
    """Whether nothing is left to lose: all shares are 0 and all distances 100 mm."""
    return all(value == (-100 if name.endswith("hd95_mm") else 0) for name, value in numbers.items())


@st.composite
def some_pairs(draw: st.DrawFn) -> list[Pair]:
    """One to three small cases; each volume has labels of its own out of three, often fewer than the other one."""
    pairs = []
    for _ in range(draw(st.integers(1, 3))):
        shape = draw(hnp.array_shapes(min_dims=3, max_dims=3, min_side=2, max_side=5))
        labels = [draw(st.lists(st.sampled_from(LABELS_DRAWN), max_size=2)) for _ in range(2)]
        pairs.append(tuple(draw(hnp.arrays(np.uint8, shape, elements=st.sampled_from((0, 0, *of)))) for of in labels))
    return pairs


def invented(pair: Pair, label: int, kind: str, place: int) -> Volume | None:
    """The prediction with a label more, where both volumes are background; `None` when there is no such place."""
    reference, prediction = pair
    free = np.argwhere((reference == 0) & (prediction == 0))
    if not len(free):
        return None
    if kind == "voxel":
        free = free[[place % len(free)]]
    elif kind == "blob":
        free = free[np.abs(free - free[place % len(free)]).max(axis=1) <= 1]
    more = prediction.copy()
    more[tuple(free.T)] = label
    return more


@settings(max_examples=50, deadline=None)
@given(
    pairs=some_pairs(),
    label=st.sampled_from((*LABELS_DRAWN, 1)),
    kind=st.sampled_from(("voxel", "blob", "all")),
    place=st.integers(0, 10**6),
)
def test_inventing_a_label_always_costs(pairs: list[Pair], label: int, kind: str, place: int) -> None:
    """A label that a case has in neither volume, predicted on background: no number rises, and one falls.

    A voxel, a blob, or all of the background. None falls only where everything is at its worst already.
    """
    case = next((i for i, pair in enumerate(pairs) if not any((volume == label).any() for volume in pair)), None)
    more = None if case is None else invented(pairs[case], label, kind, place)
    if case is None or more is None:
        return
    attacked = [*pairs[:case], (pairs[case][0], more), *pairs[case + 1 :]]
    before, after = summary_of(pairs), summary_of(attacked)
    numbers, changed = official_numbers(before), official_numbers(after)
    assert {name for name in numbers if changed[name] > numbers[name] + ROUNDING} == set()
    if numbers and not at_its_worst(numbers):
        assert any(changed[name] < numbers[name] - ROUNDING for name in numbers)
    assert after.counts.spurious == before.counts.spurious + 1
    if before.official.mean_of_spine.dsc is not None:
        assert after.official.mean_of_spine.dsc <= before.official.mean_of_spine.dsc + ROUNDING


@settings(max_examples=50, deadline=None)
@given(pairs=some_pairs(), label=st.sampled_from(LABELS_DRAWN))
def test_growing_an_invented_label_changes_nothing_for_vertebrae(pairs: list[Pair], label: int) -> None:
    """Once a label is invented it costs all that it can: a voxel costs as much as all of the background."""
    reference, prediction = pairs[0]
    if (reference == label).any() or (prediction == label).any():
        return
    by_kind = [invented(pairs[0], label, kind, 0) for kind in ("voxel", "all")]
    if any(each is None for each in by_kind):
        return
    voxel, everything = (official_numbers(summary_of([(reference, each), *pairs[1:]])) for each in by_kind)
    assert voxel == everything


@settings(max_examples=50, deadline=None)
@given(pairs=some_pairs(), label=st.sampled_from(LABELS_DRAWN))
def test_dropping_a_label_of_the_reference_never_pays(pairs: list[Pair], label: int) -> None:
    """Taking a predicted label away that the reference of the case has raises no number of vertebrae."""
    case = next((i for i, pair in enumerate(pairs) if all((volume == label).any() for volume in pair)), None)
    if case is None:
        return
    reference, prediction = pairs[case]
    less = [*pairs[:case], (reference, np.where(prediction == label, 0, prediction)), *pairs[case + 1 :]]
    numbers, changed = official_numbers(summary_of(pairs)), official_numbers(summary_of(less))
    assert numbers.keys() == changed.keys()
    assert {name for name in numbers if changed[name] > numbers[name] + ROUNDING} == set()


@settings(max_examples=50, deadline=None)
@given(pairs=some_pairs(), label=st.sampled_from(LABELS_DRAWN))
def test_dropping_an_invented_label_always_pays(pairs: list[Pair], label: int) -> None:
    """The way back: taking an invented label away lowers no number, except where the label leaves its mean."""
    reference, prediction = pairs[0]
    if (reference == label).any() or not (prediction == label).any():
        return
    cleaned = [(reference, np.where(prediction == label, 0, prediction)), *pairs[1:]]
    numbers, changed = official_numbers(summary_of(pairs)), official_numbers(summary_of(cleaned))
    assert {name for name in changed if changed[name] < numbers[name] - ROUNDING} == set()


def test_the_distance_of_the_spine_is_another_matter() -> None:
    """False bone beside missed bone can lower the HD95 of the spine; its DSC falls, and the vertebrae pay in full.

    The reference is a rod of 20 voxels, of which 10 are found. A voxel of another name right after its end is nearer to
    the missed half than what was found.
    """
    reference, prediction = np.zeros((2, 3, 3, 30), np.uint8)
    reference[1, 1, 2:22], prediction[1, 1, 2:12] = 20, 20
    more = prediction.copy()
    more[1, 1, 22] = 21
    before, after = summary_of([(reference, prediction)]), summary_of([(reference, more)])
    spines = before.official.mean_of_spine, after.official.mean_of_spine
    assert spines[1].hd95_mm < spines[0].hd95_mm
    assert spines[1].dsc < spines[0].dsc
    assert after.official.mean_of_vertebrae.dsc == before.official.mean_of_vertebrae.dsc / 2


@cache
def phantoms() -> tuple[Volume, ...]:
    """The labels of six cases from T11 down, two of them with an L6."""
    specs = [
        CaseSpec((40, 60, 120), SPACING_MM, levels=tuple(range(18, L6 + (n_lumbar == 6))), n_lumbar=n_lumbar)
        for n_lumbar in (6, 5, 5, 6, 5, 5)
    ]
    return tuple(make_case(spec, np.random.default_rng(i)).labels for i, spec in enumerate(specs))


def predicted(simulation: Callable[..., Volume]) -> list[Pair]:
    """The phantoms with what a simulated submission predicts."""
    rng = np.random.default_rng(0)
    return [(reference, simulation(reference, SPACING_MM, rng)) for reference in phantoms()]


def background_filled(reference: Volume, prediction: Volume) -> Volume:
    """All background under names that are not predicted, slice by slice in turn."""
    names = sorted({*LABELS} - {*np.unique(prediction).tolist()})
    names_of_slices = np.array([names[z % len(names)] for z in range(prediction.shape[2])], np.uint8)
    return np.where(prediction == 0, names_of_slices[None, None, :], prediction)


def l5_moved_down(reference: Volume, prediction: Volume) -> Volume:
    """A copy of L5 called L6, as far below it as it is below L4, in every case that has no L6 predicted."""
    if (prediction == L6).any():
        return prediction
    middle_of = {label: np.argwhere(prediction == label)[:, 2].mean() for label in (L5 - 1, L5)}
    down = round(middle_of[L5 - 1] - middle_of[L5])
    moved = np.zeros(prediction.shape, bool)
    moved[:, :, :-down] = (prediction == L5)[:, :, down:]
    return np.where(moved & (prediction == 0), np.uint8(L6), prediction)


def a_voxel_for_each_absent_label(reference: Volume, prediction: Volume) -> Volume:
    """One voxel for each label that is not predicted, in the middle of the reference's where it has it."""
    more = prediction.copy()
    free = iter(np.argwhere((reference == 0) & (prediction == 0)))
    for label in sorted({*LABELS} - {*np.unique(prediction).tolist()}):
        there = np.argwhere((reference == label) & (prediction == 0))
        place = there[len(there) // 2] if len(there) else next(free)
        more[tuple(place)] = label
    return more


def without_t12(labels: Volume, spacing_mm: tuple[float, float, float], rng: np.random.Generator) -> Volume:
    """A network with smooth errors that misses T12 in some cases."""
    noisy = boundary_noise(labels, spacing_mm, rng)
    return np.where((noisy == 19) & (rng.random() < 0.5), 0, noisy).astype(np.uint8)


def judged(summary: Summary) -> np.ndarray:
    """Mean of Vertebrae, per-case mean and mean over vertebrae: DSC and −HD95 each."""
    of_vertebrae = summary.official.mean_of_vertebrae
    means = [(of_vertebrae.dsc, of_vertebrae.hd95_mm)]
    means += [(each["dsc"].mean, each["hd95_mm"].mean) for each in (summary.per_case, summary.over_vertebrae)]
    return np.array(means) * (1, -1)


def perfect(labels: Volume, spacing_mm: tuple[float, float, float], rng: np.random.Generator) -> Volume:
    """The reference itself."""
    return labels


@pytest.mark.parametrize("attack", [background_filled, l5_moved_down, a_voxel_for_each_absent_label])
@pytest.mark.parametrize("submission", [perfect, boundary_noise, without_t12])
def test_attacks_come_out_lower(submission: Callable[..., Volume], attack: Callable[[Volume, Volume], Volume]) -> None:
    """Filling the background, an L6 in every case, a voxel for every absent name: each mean is worse than before."""
    pairs = predicted(submission)
    before, after = summary_of(pairs), summary_of([(r, attack(r, p)) for r, p in pairs])
    assert (judged(after) < judged(before)).all()
    assert (
        after.identification.levels_right == 0 or after.identification.levels_right < before.identification.levels_right
    )


def over_reference_alone(summary: Summary) -> float:
    """Mean of Vertebrae DSC as it would be if spurious vertebrae were free."""
    labels = summary.official.labels.values()
    return float(np.mean([means.dsc * means.n / means.n_reference for means in labels if means.n_reference]))


def test_an_l6_in_every_case_hardly_pays_where_none_was_found() -> None:
    """Where no L6 was found its mean is 0 and cannot fall: guessing it everywhere gains little and costs per case.

    By the rule that lets spurious vertebrae go free the gain would be three times as large: of six guesses two are
    right. The per-case mean, the mean over vertebrae and the share of cases with all levels right fall.
    """
    pairs = predicted(missed_l6)
    before, after = summary_of(pairs), summary_of([(r, l5_moved_down(r, p)) for r, p in pairs])
    gain = after.official.mean_of_vertebrae.dsc - before.official.mean_of_vertebrae.dsc
    assert gain == pytest.approx((over_reference_alone(after) - over_reference_alone(before)) / 3)
    assert (judged(after)[1:] < judged(before)[1:]).all()
    assert after.identification.levels_right < before.identification.levels_right
    assert after.official.mean_of_vertebrae_without_l6 == before.official.mean_of_vertebrae_without_l6
