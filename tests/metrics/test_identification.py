"""Naming of levels: by hand at the edges of the rules, and against plain versions of them on random volumes."""

from __future__ import annotations

import numpy as np
import oracle
import pytest
from label_volumes import SPACINGS_MM, column, random_pair

from ctspine_bench import Identification, score_arrays
from ctspine_bench.metrics.identification import label_shift
from ctspine_bench.records import Comparison, MaskGeometry


def row(*labels: int) -> np.ndarray:
    """A row of voxels along z."""
    return np.array(labels, np.uint8).reshape(1, 1, -1)


def identify(reference: np.ndarray, prediction: np.ndarray, mm: float = 1.0) -> Identification:
    """The identification metrics at a spacing along z."""
    return score_arrays(reference, prediction, (1, 1, mm)).identification


@pytest.mark.parametrize(("mm", "rate"), [(19.999, 1.0), (20.0, 0.0), (20.001, 0.0)])
def test_radius_is_strict(mm: float, rate: float) -> None:
    """A centroid 20 mm away is not identified, a little nearer it is."""
    found = identify(row(5, 0), row(0, 5), mm)
    assert found.identification_rate == rate
    assert found.localisation_mm == pytest.approx(mm)


def test_equally_near_names_identify_nothing() -> None:
    """With two predicted centroids at the same distance, the own name is not nearer than every other."""
    assert identify(row(0, 5, 0), row(6, 0, 5)).identification_rate == 0
    assert identify(row(0, 5, 0, 0), row(0, 0, 5, 6)).identification_rate == 1


def test_missed_counts_as_not_identified() -> None:
    """Two of three reference vertebrae are found: 2/3, with the localisation over the two."""
    found = identify(row(5, 0, 6, 0, 7), row(5, 0, 6, 0, 0))
    assert found.identification_rate == 2 / 3
    assert (found.n_reference, found.n_prediction, found.n_localised) == (3, 2, 2)
    assert found.localisation_mm == 0


def test_spurious_neighbour_can_take_an_identification() -> None:
    """A spurious label nearer to the reference centroid than the own name makes it unidentified."""
    assert identify(row(5, 0, 0), row(9, 5, 0)).identification_rate == 0


def test_localisation_is_between_centres_of_mass() -> None:
    """Three voxels of 2 mm in a row have their centre in the second: 4 mm from the single voxel at the fourth."""
    assert identify(row(5, 5, 5, 0), row(0, 0, 0, 5), 2.0).localisation_mm == 4


def test_nothing_to_identify() -> None:
    """Without reference vertebrae rates are undefined; without any label so is panoptic quality; nothing is NaN."""
    empty, spurious = identify(row(0, 0), row(0, 0)), identify(row(0, 0), row(3, 0))
    assert empty == Identification(0, 0, None, 0, None, None, 0, None, None, None, None)
    assert spurious == Identification(0, 1, None, 0, False, None, 0, None, None, None, 0.0)
    assert identify(row(3, 0), row(0, 0)) == Identification(1, 0, 0.0, 0, False, None, 0, None, 0.0, 0.0, 0.0)


@pytest.mark.parametrize(("mm", "hits"), [(19.999, 1), (20.0, 1), (20.001, 0)])
def test_radius_of_verse_includes_its_end(mm: float, hits: int) -> None:
    """A centroid 20 mm away is a hit of VerSe's, though it is not identified here."""
    assert identify(row(5, 0), row(0, 5), mm).n_verse_hits == hits


def test_verse_looks_from_the_predicted_to_the_reference_centroids() -> None:
    """T5 and T6 of the reference lie at 0 and 4; both are predicted, at 3 and 4.

    From the predicted T5 the reference's T6 is nearer, so VerSe has one hit. From the reference's T5 the predicted T5
    is nearer than T6: here both are identified. No voxel of T5 is found, so its level is not right.
    """
    found = identify(row(12, 0, 0, 0, 13), row(0, 0, 0, 12, 13))
    assert (found.n_verse_hits, found.identification_rate, found.levels_right) == (1, 1.0, False)


def test_a_level_is_right_only_where_its_vertebra_is_found() -> None:
    """One voxel in the middle names a vertebra. It finds it up to 19 voxels: there DSC is 2 / 20, and 0.1 will do."""
    for n_voxels, right in ((19, True), (21, False)):
        middle = row(*(5 if i == n_voxels // 2 else 0 for i in range(n_voxels)))
        found = identify(row(*[5] * n_voxels), middle)
        assert (found.identification_rate, found.levels_right) == (1.0, right)


def test_verse_is_blind_to_spurious_labels() -> None:
    """A spurious label at the reference's centroid takes the identification here, not with VerSe."""
    found = identify(row(5, 0, 0), row(9, 5, 0))
    assert (found.n_verse_hits, found.identification_rate, found.levels_right) == (1, 0, False)


@pytest.mark.parametrize(
    ("prediction", "right"),
    [((5, 6, 7), True), ((5, 6, 0), False), ((5, 7, 6), False), ((4, 5, 6), False), ((5, 6, 7, 8), False)],
)
def test_every_level_right_or_not(prediction: tuple[int, ...], right: bool) -> None:
    """One that is missed, swapped, shifted or invented is enough to be wrong."""
    longest = (*prediction, 0)[:4]
    assert identify(row(5, 6, 7, 0), row(*longest)).levels_right is right


def test_partly_misnamed_levels_can_have_shift_zero() -> None:
    """Four of nine levels renamed: the label shift is 0 all the same, and levels_right tells."""
    reference = column(9, first=16)
    prediction = np.where((reference >= 16) & (reference <= 19), reference - 1, reference)
    found = identify(reference, prediction)
    assert (found.label_shift, found.levels_right) == (0, False)


def shift_of(overlaps: dict[int, int]) -> int | None:
    """The label shift of a comparison in which label 10 meets label 10 + s in so many voxels."""
    confusion = np.zeros((26, 26), np.int64)
    for shift, n in overlaps.items():
        confusion[10, 10 + shift] = n
    nowhere = MaskGeometry(np.full((26, 3), np.nan), np.full((26, 3), -1), np.full((26, 3), -1))
    return label_shift(Comparison((1, 1, 99), (1.0, 1.0, 1.0), 2, confusion, nowhere, nowhere, {}, {}))


@pytest.mark.parametrize(
    ("overlaps", "shift"),
    [
        ({1: 5, -2: 4}, 1),
        ({0: 3, 1: 3}, 0),
        ({1: 3, -1: 3}, -1),
        ({-2: 3, 1: 3}, 1),
        ({3: 3, -3: 3}, -3),
        ({2: 1}, 2),
        ({4: 9}, None),
        ({4: 9, -3: 1}, -3),
        ({}, None),
    ],
)
def test_label_shift_and_its_ties(overlaps: dict[int, int], shift: int | None) -> None:
    """The most overlap wins; ties go to the smallest |s|, then the negative; 4 and beyond are not looked at."""
    assert shift_of(overlaps) == shift


@pytest.mark.parametrize("shift", range(-3, 4))
def test_undoing_a_shift_restores_the_dice(shift: int) -> None:
    """A perfect outline named s levels off has shift s and a DSC of 1 once it is undone; instances always match."""
    reference = column()
    prediction = np.where(reference, reference.astype(int) + shift, 0)
    found = identify(reference, prediction)
    assert (found.label_shift, found.dsc_unshifted, found.dsc_instance, found.panoptic_quality) == (shift, 1, 1, 1)


def test_a_shift_beyond_the_last_label_loses_that_vertebra() -> None:
    """L5 and L6 named L6 and L5: no shift undoes both, and L6 + 1 does not exist. One of two can be right."""
    found = identify(row(24, 25), row(25, 24))
    assert (found.label_shift, found.dsc_unshifted, found.dsc_instance) == (-1, 0.5, 1.0)


@pytest.mark.parametrize(
    ("reference", "prediction", "quality"),
    [
        ((1, 1), (1, 0), 0.0),  # IoU exactly 1/2 is no match: one FN and one FP
        ((1, 1, 1), (1, 1, 0), 2 / 3),
        ((1, 1, 1), (7, 7, 0), 2 / 3),  # names do not matter
        ((1, 1, 2, 0), (1, 1, 0, 3), 1 / 2),  # one match, one FN, one FP: 1 / (1 + ½ + ½)
        ((1, 2), (1, 0), 1 / 1.5),
    ],
)
def test_panoptic_quality_by_hand(reference: tuple[int, ...], prediction: tuple[int, ...], quality: float) -> None:
    """Pairs count from IoU above, not at, one half."""
    assert identify(row(*reference), row(*prediction)).panoptic_quality == pytest.approx(quality)


def test_instances_are_matched_one_to_one() -> None:
    """One predicted blob over two vertebrae is the partner of one of them alone: DSC 2·3/(3+5) and 0, mean 3/8."""
    found = identify(row(4, 4, 4, 5, 5), row(9, 9, 9, 9, 9))
    assert found.dsc_instance == pytest.approx(3 / 8)


def test_instance_matching_may_pass_over_the_best_single_pair() -> None:
    """Prediction 8 covers 3 of 5 voxels of reference 1 and both of reference 2; prediction 9 the other 2.

    The best single pair is 1 ↔ 8 with DSC 6/10, which leaves nothing for 2; 1 ↔ 9 with 4/7 and 2 ↔ 8 with 4/7 make
    more.
    """
    reference, prediction = row(1, 1, 1, 1, 1, 2, 2), row(8, 8, 8, 9, 9, 8, 8)
    assert identify(reference, prediction).dsc_instance == pytest.approx(4 / 7)


def test_identification_against_plain_versions() -> None:
    """On random volumes every identification metric equals its literal definition."""
    rng = np.random.default_rng(3)
    for _ in range(150):
        reference, prediction = random_pair(rng)
        spacing_mm = SPACINGS_MM[rng.integers(len(SPACINGS_MM))]
        found = score_arrays(reference, prediction, spacing_mm).identification
        labels, predicted = oracle.labels_of(reference), oracle.labels_of(prediction)
        assert found.label_shift == oracle.label_shift(reference, prediction)
        assert (found.n_reference, found.n_prediction) == (len(labels), len(predicted))
        assert found.n_verse_hits == oracle.verse_hits(reference, prediction, spacing_mm)
        assert found.levels_right is oracle.every_level_right(reference, prediction, spacing_mm)
        if labels:
            identified = [oracle.is_identified(reference, prediction, label, spacing_mm) for label in labels]
            assert found.identification_rate == pytest.approx(np.mean(identified))
        if labels or predicted:
            assert found.panoptic_quality == pytest.approx(oracle.panoptic_quality(reference, prediction))
        if 0 < len(labels) <= 6 and 0 < len(predicted) <= 6:
            matrix = np.array([[oracle.dsc(reference == r, prediction == p) for p in predicted] for r in labels])
            assert found.dsc_instance == pytest.approx(oracle.best_assignment_sum(matrix) / len(labels))
