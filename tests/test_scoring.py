"""From arrays to `CaseScore`: statuses, volumes, the field of view, and what a change to a prediction may do."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest
from label_volumes import ball, column, random_pair

from ctspine_bench import CaseScore, GeometryError, UsageError, VertebraScore, score_arrays

SPACING_MM = (1.0, 1.0, 2.0)


def by_name(score: CaseScore) -> dict[str, VertebraScore]:
    """The vertebrae of a score by name."""
    return {v.name: v for v in score.vertebrae}


def test_statuses() -> None:
    """In both is matched, only in the reference missed, only in the prediction spurious; in neither has no row."""
    reference, prediction = column(3, first=18), column(3, first=18)
    prediction[prediction == 19] = 0
    prediction[0, 0, 0] = 5
    score = score_arrays(reference, prediction, SPACING_MM)
    assert [(v.label, v.name, v.status) for v in score.vertebrae] == [
        (5, "C5", "spurious"),
        (18, "T11", "matched"),
        (19, "T12", "missed"),
        (20, "L1", "matched"),
    ]


def test_missed_vertebra_has_no_distance_and_no_dice() -> None:
    """A missed vertebra: DSC and NSD 0, raw distances empty, its whole volume as a negative error."""
    reference = column(1, first=20)  # 8 · 8 · 5 voxels of 2 mm³
    missed = score_arrays(reference, np.zeros_like(reference), SPACING_MM).vertebrae[0]
    assert (missed.dsc, missed.nsd_1mm, missed.nsd_2mm, missed.nsd_3mm) == (0, 0, 0, 0)
    assert (missed.hd95_mm, missed.hd100_mm, missed.assd_mm, missed.hd95_pooled_mm) == (None, None, None, None)
    assert (missed.reference_ml, missed.prediction_ml, missed.volume_error_ml) == pytest.approx((0.64, 0, -0.64))
    assert (missed.cut, missed.at_border, missed.predicted_as) == (False, None, None)


def test_spurious_vertebra_has_no_distance_and_no_dice() -> None:
    """A spurious vertebra: DSC and NSD 0 like a missed one, its volume, the border; all of its loss is spurious."""
    prediction = column(1, first=20)
    spurious = score_arrays(np.zeros_like(prediction), prediction, SPACING_MM).vertebrae[0]
    assert spurious == VertebraScore(
        label=20, name="L1", status="spurious", dsc=0.0, hd95_mm=None, hd100_mm=None, assd_mm=None,
        nsd_1mm=0.0, nsd_2mm=0.0, nsd_3mm=0.0, volume_error_ml=0.64, reference_ml=0.0, prediction_ml=0.64,
        cut=None, at_border=False, predicted_as=None, loss_identification=0.0, loss_missed=0.0, loss_boundary=0.0,
        loss_spurious=1.0,
    )  # fmt: skip


def test_spine_ignores_names() -> None:
    """With every name wrong but the outline right, the spine is perfect and all vertebrae are at 0 or missed."""
    reference = column(4)
    score = score_arrays(reference, np.where(reference, reference + 1, 0), SPACING_MM)
    assert (score.spine.dsc, score.spine.hd95_mm, score.spine.nsd_1mm) == (1, 0, 1)
    assert (score.spine.label, score.spine.name, score.spine.status) == (0, "spine", "matched")
    assert max(v.dsc for v in score.vertebrae) == 0


@pytest.mark.parametrize(("left", "right", "status"), [(1, 0, "missed"), (0, 1, "spurious")])
def test_spine_of_one_side_alone(left: int, right: int, status: str) -> None:
    """The spine is missed or spurious like a vertebra."""
    volume = column(2)
    assert score_arrays(volume * left, volume * right, SPACING_MM).spine.status == status


def test_nothing_at_all() -> None:
    """Two empty volumes have no rows and no spine, and raise nothing."""
    empty = np.zeros((3, 4, 5), np.uint8)
    score = score_arrays(empty, empty, SPACING_MM)
    assert (score.vertebrae, score.spine, score.transitional) == ((), None, False)


@pytest.mark.parametrize(("axis", "cut"), [(0, [False, True]), (1, [False, False]), (2, [True, False])])
def test_field_of_view_is_that_of_the_superior_axis(axis: int, cut: list[bool]) -> None:
    """Only the first and last slice along the spine cut a vertebra; a mask at another border is complete."""
    labels = np.zeros((5, 5, 5), np.uint8)
    labels[2, 2, 0] = 1  # at the bottom
    labels[4, 2, 2] = 2  # at the right side
    score = score_arrays(labels, labels, SPACING_MM, superior_axis=axis)
    assert [v.cut for v in score.vertebrae] == cut
    assert [v.at_border for v in score.vertebrae] == cut
    assert score.spine.cut == any(cut)


@pytest.mark.parametrize(("axis", "end"), [(0, 0), (2, 0), (2, 99)])
def test_a_stray_voxel_takes_no_vertebra_to_the_border(axis: int, end: int) -> None:
    """A vertebra of 20 mm at an end is at the border; one in the middle is not, even with a voxel of it at the end."""
    shape, middle = [9, 9, 9], slice(40, 60)
    shape[axis] = 100

    def at_border(*places: slice | int) -> list[bool | None]:
        prediction = np.zeros(shape, np.uint8)
        for place in places:
            np.moveaxis(prediction, axis, 0)[place, 4, 4] = 20
        found = score_arrays(np.zeros_like(prediction), prediction, (1.0, 1.0, 1.0), superior_axis=axis)
        return [vertebra.at_border for vertebra in found.vertebrae]

    assert at_border(slice(0, 20) if end == 0 else slice(80, 100)) == [True]
    assert at_border(middle) == [False]
    assert at_border(middle, end) == [False]


@pytest.mark.parametrize("z", [0, 4])
def test_both_ends_cut(z: int) -> None:
    """The first and the last slice count alike, in any memory order."""
    labels = np.zeros((5, 5, 5), np.uint8)
    labels[2, 2, z] = 1
    for volume in (labels, np.asfortranarray(labels), labels[:, :, ::-1], labels[::-1]):
        assert score_arrays(volume, volume, SPACING_MM).vertebrae[0].cut is True


def test_slice_spacing_and_diagonal() -> None:
    """Slice spacing is that of the superior axis; the diagonal spans the voxels, not their centres."""
    labels = np.ones((3, 4, 6), np.uint8)
    score = score_arrays(labels, labels, SPACING_MM)
    assert (score.slice_spacing_mm, score.diagonal_mm) == (2, 13)
    assert score_arrays(labels, labels, SPACING_MM, superior_axis=0).slice_spacing_mm == 1


@pytest.mark.parametrize(
    ("last", "slices_below", "upright", "transitional"),
    [
        ("L6", 0, True, True),
        ("L5", 20, True, False),
        ("L4", 15, True, True),  # 15 slices of 2 mm are 30 mm
        ("L4", 14, True, False),
        ("L4", 15, False, True),
        ("L4", 14, False, False),
        ("L3", 20, True, False),
    ],
)
def test_transitional(last: str, slices_below: int, upright: bool, transitional: bool) -> None:
    """An L6, or L4 as the last with 30 mm of volume below it, whichever way the array runs."""
    label = {"L3": 22, "L4": 23, "L5": 24, "L6": 25}[last]
    labels = np.zeros((3, 3, slices_below + 5), np.uint8)
    labels[1, 1, slices_below : slices_below + 2] = label
    labels[1, 1, slices_below + 2 : slices_below + 4] = label - 1
    volume = labels if upright else labels[:, :, ::-1]
    assert score_arrays(volume, np.zeros_like(volume), SPACING_MM).transitional is transitional


def test_predicted_as_is_the_label_that_covers_most() -> None:
    """Of 5 voxels two are called 20 and one 21: `predicted_as` is 20; nothing predicted gives an empty cell."""
    reference = np.array([19] * 5 + [22]).astype(np.uint8).reshape(1, 1, -1)
    prediction = np.array([20, 20, 21, 0, 0, 0]).astype(np.uint8).reshape(1, 1, -1)
    assert {v.label: v.predicted_as for v in score_arrays(reference, prediction, SPACING_MM).vertebrae} == {
        19: 20, 20: None, 21: None, 22: None,
    }  # fmt: skip


def official(vertebra: VertebraScore) -> tuple[float, float, float]:
    """What enters the official means of a vertebra: DSC, −min(HD95, 100 mm), NSD; larger is better."""
    hd95_mm = 100.0 if vertebra.hd95_mm is None else min(vertebra.hd95_mm, 100.0)
    return vertebra.dsc, -hd95_mm, vertebra.nsd_1mm


@pytest.mark.parametrize("seed", range(25))
def test_dropping_a_vertebra_never_pays(seed: int) -> None:
    """Removing any predicted label improves no official number of any vertebra, whatever the prediction was."""
    reference, prediction = random_pair(np.random.default_rng(seed))
    spacing_mm = (12.0, 30.0, 9.0)  # large enough for distances beyond 100 mm
    before = {v.label: v for v in score_arrays(reference, prediction, spacing_mm).vertebrae}
    for label in np.unique(prediction[prediction > 0])[:4]:
        less = np.where(prediction == label, 0, prediction)
        for vertebra in score_arrays(reference, less, spacing_mm).vertebrae:
            if vertebra.status != "spurious":
                assert all(np.array(official(vertebra)) <= official(before[vertebra.label]))


def test_relabelling_to_the_neighbour_costs_its_dice() -> None:
    """Calling one vertebra by its neighbour's name loses its whole DSC, damages the neighbour, and leaves the spine."""
    reference = column(5)
    prediction = np.where(reference == 20, 21, reference)
    score, perfect = score_arrays(reference, prediction, SPACING_MM), score_arrays(reference, reference, SPACING_MM)
    vertebrae = by_name(score)
    assert (vertebrae["L1"].dsc, vertebrae["L1"].status, vertebrae["L1"].predicted_as) == (0, "missed", 21)
    assert vertebrae["L2"].dsc == pytest.approx(2 / 3)
    assert vertebrae["L2"].loss_boundary == pytest.approx(1 / 3)
    assert score.spine == perfect.spine
    assert score.identification.identification_rate < 1


def test_swapping_two_names_is_no_boundary_loss() -> None:
    """Exchanging two perfect neighbours costs both their DSC, and none of it is on the outline."""
    reference = column(5)
    prediction = np.where(reference == 20, 21, np.where(reference == 21, 20, reference))
    score = score_arrays(reference, prediction, SPACING_MM)
    assert sum(1 - v.dsc for v in score.vertebrae) == 2
    assert sum(v.loss_boundary for v in score.vertebrae) == 0
    assert score.identification.dsc_instance == 1


@pytest.mark.parametrize("moved_by", range(1, 5))
def test_a_growing_displacement_worsens_everything(moved_by: int) -> None:
    """Each further voxel of displacement lowers DSC and NSD and raises HD95, HD100 and ASSD of a ball."""
    balls = [ball((40, 30, 30), (1, 1, 1), np.array([13 + d, 14, 14]), 9) for d in (0, moved_by - 1, moved_by)]
    nearer, farther = (score_arrays(balls[0], other, (1, 1, 1)).vertebrae[0] for other in balls[1:])
    assert farther.dsc < nearer.dsc
    assert farther.nsd_1mm <= nearer.nsd_1mm
    assert (farther.hd95_mm, farther.hd100_mm, farther.assd_mm) > (nearer.hd95_mm, nearer.hd100_mm, nearer.assd_mm)


@pytest.mark.parametrize("factor", [0.5, 3.0])
def test_lengths_scale_with_the_spacing(factor: float) -> None:
    """At twice the spacing distances double, volumes grow eightfold, DSC and PQ stay."""
    reference, prediction = column(3), np.roll(column(3), 1, axis=0)
    once = score_arrays(reference, prediction, SPACING_MM)
    more = score_arrays(reference, prediction, tuple(factor * mm for mm in SPACING_MM))
    for a, b in zip((*once.vertebrae, once.spine), (*more.vertebrae, more.spine), strict=True):
        assert b.dsc == a.dsc
        assert (b.hd95_mm, b.hd100_mm, b.assd_mm) == pytest.approx(
            (a.hd95_mm * factor, a.hd100_mm * factor, a.assd_mm * factor)
        )
        assert b.reference_ml == pytest.approx(a.reference_ml * factor**3)


def test_touching_corners_are_at_distance_zero() -> None:
    """Distances are between corners of voxels: diagonal neighbours touch, so part of each surface is at 0."""
    labels = np.zeros((2, 2, 2), np.uint8)
    labels[0, 0, 0] = 1
    vertebra = score_arrays(labels, labels[::-1, ::-1, ::-1], (1, 1, 1)).vertebrae[0]
    assert vertebra.hd100_mm == pytest.approx(sqrt(3))
    # Each voxel has its eight corners; one of them is shared.
    assert score_arrays(labels, labels[::-1, ::-1, ::-1], (10, 10, 10)).vertebrae[0].nsd_1mm == pytest.approx(1 / 8)


@pytest.mark.parametrize(("n_inside", "change"), [(8, -1), (2, 1)])
def test_when_dropping_a_vertebra_helps_the_spine(n_inside: int, change: int) -> None:
    """The spine is another matter: dropping a mask raises its DSC when less than half of that DSC of the mask is bone.

    The spine has 10 voxels right of 20; the dropped mask of 10 voxels has 8 or 2 of them inside the reference. DSC is
    2·(10 + 8)/(20 + 20) and becomes 2·10/(20 + 10); or 2·(10 + 2)/(20 + 20) and becomes the same 2·10/(20 + 10).
    """
    reference, prediction = np.zeros((2, 1, 1, 60), np.uint8)
    reference[..., 20:40] = 20
    prediction[..., 30:40] = 20
    prediction[..., 20 - 10 + n_inside : 20 + n_inside] = 21
    with_it = score_arrays(reference, prediction, SPACING_MM).spine.dsc
    without_it = score_arrays(reference, np.where(prediction == 21, 0, prediction), SPACING_MM).spine.dsc
    assert np.sign(without_it - with_it) == change


@pytest.mark.parametrize(
    "spacing_mm",
    [(1.0, 1.0), (1.0, 1.0, 0.0), (1.0, 1.0, np.nan)],
)
def test_bad_spacing(spacing_mm: tuple[float, ...]) -> None:
    """A spacing that is not three positive lengths is refused."""
    labels = np.ones((2, 2, 2), np.uint8)
    with pytest.raises(GeometryError, match="E_SPACING"):
        score_arrays(labels, labels, spacing_mm)


def test_bad_axis_and_too_long_axis() -> None:
    """There are three axes, and none may be longer than 16-bit corner indices reach."""
    labels = np.ones((2, 2, 2), np.uint8)
    with pytest.raises(UsageError, match="superior axis"):
        score_arrays(labels, labels, (1.0, 1.0, 1.0), superior_axis=3)
    long = np.zeros((65535, 1, 1), np.uint8)
    with pytest.raises(GeometryError, match="E_NDIM"):
        score_arrays(long, long, (1.0, 1.0, 1.0))
