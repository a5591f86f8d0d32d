"""Where Dice is lost: four parts that add up, and the increasing map against all maps there are."""

from __future__ import annotations

import numpy as np
import oracle
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from label_volumes import column

from ctspine_bench import score_arrays
from ctspine_bench.metrics.loss_split import Loss, best_increasing_map, split_loss
from ctspine_bench.metrics.overlap import dsc_matrix
from ctspine_bench.records import Comparison, MaskGeometry

NOWHERE = MaskGeometry(np.full((26, 3), np.nan), np.full((26, 3), -1), np.full((26, 3), -1))


def comparison(counts: np.ndarray, first: int = 10) -> Comparison:
    """A comparison with counts `[reference, prediction]`: background, then the labels from the first on."""
    confusion = np.zeros((26, 26), np.int64)
    labels = np.r_[0, first : first + len(counts) - 1]
    confusion[np.ix_(labels, labels)] = counts
    confusion[0, 0] = 0
    return Comparison((1, 1, 1), (1.0, 1.0, 1.0), 2, confusion, NOWHERE, NOWHERE, {}, {})


def test_perfect_prediction_loses_nothing() -> None:
    """Equal volumes: every part is 0."""
    vertebrae = score_arrays(column(), column(), (1, 1, 1)).vertebrae
    parts = {(v.loss_identification, v.loss_missed, v.loss_boundary, v.loss_spurious) for v in vertebrae}
    assert parts == {(0.0, 0.0, 0.0, 0.0)}


def test_a_wrong_name_is_an_identification_loss() -> None:
    """All vertebrae outlined perfectly and named one too low: all of the loss is identification."""
    reference = column()
    score = score_arrays(reference, np.where(reference, reference + 1, 0), (1, 1, 1))
    in_reference = [v for v in score.vertebrae if v.status != "spurious"]
    assert [(v.loss_identification, v.loss_missed, v.loss_boundary) for v in in_reference] == [(1.0, 0.0, 0.0)] * 5


def test_one_vertebra_given_to_its_neighbour() -> None:
    """T12 of two equal vertebrae is called L1 as well, so L1 covers both: map and split by hand.

    Each has n voxels. DSC of L1 with the merged L1 is 2n/(n + 2n) = 2/3, as is that of T12 with it. Either pair alone
    is the best map; the one that changes no name wins. So T12 is missed, and L1 loses 1/3 on its outline.
    """
    n = 30
    counts = np.array([[0, 0, 0], [0, 0, n], [0, 0, n]])
    assert best_increasing_map(comparison(counts)) == {11: 11}
    losses = split_loss(comparison(counts))
    assert losses == {10: Loss(0.0, 1.0, 0.0), 11: Loss(0.0, 0.0, pytest.approx(1 / 3))}


def test_a_missed_vertebra_is_not_a_wrong_name() -> None:
    """The middle of three is not predicted at all: it is missed, the others lose nothing."""
    n = 9
    counts = np.array([[0, 0, 0, 0], [0, n, 0, 0], [n, 0, 0, 0], [0, 0, 0, n]])
    losses = split_loss(comparison(counts))
    assert losses == {10: Loss(0.0, 0.0, 0.0), 11: Loss(0.0, 1.0, 0.0), 12: Loss(0.0, 0.0, 0.0)}


def test_swapped_names_cannot_both_be_repaired() -> None:
    """Two vertebrae with each other's name: an increasing map can repair one; the other counts as missed."""
    counts = np.array([[0, 0, 0], [0, 0, 7], [0, 7, 0]])
    losses = sorted(split_loss(comparison(counts)).values(), key=lambda loss: loss.missed)
    assert losses == [Loss(1.0, 0.0, 0.0), Loss(0.0, 1.0, 0.0)]


def test_own_name_is_kept_where_it_is_better() -> None:
    """The map gives prediction 11 to reference 10, with 9 of its 10 voxels, so reference 11 is left without a partner.

    Its own DSC of 2/11 counts all the same: it loses 9/11 on the outline and is not missed.
    """
    counts = np.array([[0, 0, 0], [0, 0, 9], [0, 0, 1]])
    assert best_increasing_map(comparison(counts)) == {10: 11}
    losses = split_loss(comparison(counts))
    assert losses[10] == Loss(pytest.approx(18 / 19), 0.0, pytest.approx(1 / 19))
    assert losses[11] == Loss(0.0, 0.0, pytest.approx(9 / 11))


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        # 1/3 + 1/3 by own names equals 2/3 by another name: no change wins, which rounded thirds would not see.
        ([[0, 1, 1], [0, 1, 0], [0, 3, 1]], {10: 10, 11: 11}),
        # The same label can be reached from two: the own name wins.
        ([[0, 0, 0], [0, 0, 5], [0, 0, 5]], {11: 11}),
        # 2/3 by 10 → 13 alone, or 1/3 + 1/3 by 10 → 11 and 11 → 12: one change of three levels beats two of one.
        ([[0, 0, 2, 2, 1], [0, 0, 1, 0, 2], [2, 0, 0, 1, 0], [0] * 5, [0] * 5], {10: 13}),
        # One changed name either way, 12 ↔ 11 or 12 ↔ 10: the smaller shift wins.
        ([[0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0], [0, 5, 5, 0]], {12: 11}),
    ],
)
def test_ties_of_the_map(counts: list[list[int]], expected: dict[int, int]) -> None:
    """Equal sums go to the fewest changed names, then to the smallest shift."""
    assert best_increasing_map(comparison(np.array(counts))) == expected


def test_map_skips_what_does_not_overlap() -> None:
    """Labels without any overlap are not in the map, so no identification is invented for them."""
    counts = np.array([[0, 3, 3], [3, 0, 0], [3, 0, 0]])
    assert best_increasing_map(comparison(counts)) == {}


def random_counts(rng: np.random.Generator) -> np.ndarray:
    """Small voxel counts of up to five labels, sparse or dense: rich in ties."""
    n = int(rng.integers(2, 7))
    return rng.integers(0, 4, (n, n)) * (rng.random((n, n)) < rng.choice([0.3, 0.6, 1.0]))


def test_the_map_is_the_best_of_all() -> None:
    """Against all partial maps of up to five labels in exact fractions: best sum, then changes, then shift."""
    rng = np.random.default_rng(0)
    for _ in range(700):
        compared = comparison(random_counts(rng), first=int(rng.integers(1, 20)))
        found = best_increasing_map(compared)
        assert list(found.values()) == sorted(set(found.values()))
        assert oracle.rank_of_map(compared.confusion, found.items()) == oracle.best_map_rank(compared.confusion)


@settings(max_examples=60, deadline=None)
@given(hnp.arrays(np.int64, (26, 26), elements=st.one_of(st.just(0), st.integers(0, 10**6))))
def test_parts_add_up(confusion: np.ndarray) -> None:
    """For any counts of all 25 labels the parts are 0 … 1 and add up to 1 − DSC to 1e-12, spurious ones included."""
    confusion[0, 0] = 0
    compared = comparison(confusion, first=1)
    dsc = dsc_matrix(compared)
    for label, loss in split_loss(compared).items():
        parts = (loss.identification, loss.missed, loss.boundary, loss.spurious)
        assert sum(parts) == pytest.approx(1 - dsc[label - 1, label - 1], abs=1e-12)
        assert all(0 <= part <= 1 for part in parts)


def test_all_vertebrae_have_a_split() -> None:
    """Parts exist for matched, missed and spurious vertebrae, never for the spine; a spurious one is nothing else."""
    reference, prediction = column(3), column(3, first=19)
    score = score_arrays(reference, prediction, (1, 1, 1))
    assert all(v.loss_missed is not None for v in score.vertebrae)
    assert [v.loss_spurious for v in score.vertebrae] == [float(v.status == "spurious") for v in score.vertebrae]
    assert (score.spine.loss_missed, score.spine.loss_spurious) == (None, None)


@pytest.mark.parametrize(("n_called", "expected"), [(5, Loss(missed=1 - 10 / 105)), (6, Loss(boundary=1 - 12 / 106))])
def test_a_few_voxels_are_no_outline(n_called: int, expected: Loss) -> None:
    """5 of 100 voxels are a DSC of 10/105 < 0.1 and count as missed, 6 are 12/106 and are a bad outline."""
    losses = split_loss(comparison(np.array([[0, 0], [100 - n_called, n_called]])))
    assert losses.keys() == {10}
    assert (losses[10].missed, losses[10].boundary) == pytest.approx((expected.missed, expected.boundary))


@pytest.mark.parametrize(("n_called", "cause"), [(5, "missed"), (6, "identification")])
def test_a_few_voxels_under_another_name_are_no_misnaming(n_called: int, cause: str) -> None:
    """The same under the neighbour's name: below a DSC of 0.1 the vertebra is missed, not misnamed."""
    losses = split_loss(comparison(np.array([[0, 0, 0], [100 - n_called, 0, n_called], [0, 0, 0]])))
    assert max(("identification", "missed"), key=lambda name: getattr(losses[10], name)) == cause
    assert losses[11] == Loss(spurious=1.0)


def test_one_voxel_for_each_vertebra_and_noise_are_missed() -> None:
    """Neither a voxel in each vertebra nor labels thrown at random found anything: no outline loss, no misnaming."""
    reference = column()
    voxels = np.zeros_like(reference)
    for label in range(18, 23):
        voxels[tuple(np.argwhere(reference == label)[0])] = label
    noise = np.random.default_rng(0).integers(1, 26, reference.shape).astype(np.uint8)
    for prediction in (voxels, noise):
        of_reference = [v for v in score_arrays(reference, prediction, (1, 1, 1)).vertebrae if v.status != "spurious"]
        assert [(v.loss_identification, v.loss_boundary) for v in of_reference] == [(0.0, 0.0)] * 5
        assert all(v.loss_missed == pytest.approx(1 - v.dsc) for v in of_reference)


def test_a_better_outline_under_another_name_is_found() -> None:
    """DSC 0 under the own name, 2·50/(100 + 50) under the next one: found and misnamed, the rest is its outline."""
    losses = split_loss(comparison(np.array([[0, 0, 0], [50, 0, 50], [0, 0, 0]])))
    assert losses[10] == Loss(identification=pytest.approx(2 / 3), boundary=pytest.approx(1 / 3))
