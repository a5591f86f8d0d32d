"""What must not matter to a comparison: memory order, number type, axis order, which side is which, other labels."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations, product
from typing import TYPE_CHECKING

import numpy as np
import pytest
from label_volumes import far_pair, random_pair

from ctspine_bench import comparison, score_arrays
from ctspine_bench.errors import GeometryError, LabelError

if TYPE_CHECKING:
    from ctspine_bench.records import CaseScore, SurfacePair, SurfaceProfile

SPACING_MM = (0.7, 1.1, 2.5)
SURFACE = ("dsc", "hd95_mm", "hd100_mm", "assd_mm", "nsd_1mm", "nsd_2mm", "nsd_3mm")


def pair(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Two volumes of several labels, C-contiguous."""
    reference, prediction = random_pair(np.random.default_rng(seed))
    return np.ascontiguousarray(reference), np.ascontiguousarray(prediction)


def noisy_pair() -> tuple[np.ndarray, np.ndarray]:
    """Two volumes with every way to fill a 2×2×2 neighbourhood in them."""
    reference, prediction = np.random.default_rng(8).integers(0, 2, (2, 12, 13, 14)).astype(np.uint8)
    return reference, prediction


def stored(volume: np.ndarray, axes: tuple[int, ...], flips: tuple[int, ...]) -> np.ndarray:
    """The same volume, kept in memory with other axes fastest and some of them backwards."""
    slices = tuple(slice(None, None, -1 if flip else 1) for flip in flips)
    kept = np.ascontiguousarray(volume.transpose(axes)[slices])
    return kept[slices].transpose(np.argsort(axes))


def numbers(score: CaseScore) -> dict[str, dict[str, float | None]]:
    """All surface metrics by vertebra name."""
    masks = [v for v in (*score.vertebrae, score.spine) if v]
    return {v.name: {name: getattr(v, name) for name in SURFACE} for v in masks}


def close(score: CaseScore) -> dict[str, object]:
    """The surface metrics, to be compared to 1e-9: areas may be added in another order."""
    return {name: pytest.approx(values, abs=1e-9) for name, values in numbers(score).items()}


@pytest.mark.parametrize("volumes", [pair(0), pair(3), noisy_pair()], ids=["boxes", "more boxes", "all neighbourhoods"])
def test_memory_order_does_not_matter(volumes: tuple[np.ndarray, np.ndarray]) -> None:
    """All 48 ways to store each volume, the other in C order or stored alike, give the same score to the last bit."""
    reference, prediction = volumes
    expected = score_arrays(reference, prediction, SPACING_MM)
    for axes, flips in product(permutations(range(3)), product((0, 1), repeat=3)):
        other_reference, other_prediction = stored(reference, axes, flips), stored(prediction, axes, flips)
        assert (other_reference == reference).all()
        assert score_arrays(other_reference, other_prediction, SPACING_MM) == expected
        assert score_arrays(reference, other_prediction, SPACING_MM) == expected


def test_views_with_gaps_and_broadcasts() -> None:
    """Every second voxel of a larger array, and one slice repeated with stride 0, are volumes like any other."""
    reference, prediction = pair(1)
    wide = np.full([2 * n for n in reference.shape], 9, np.uint8)
    wide[::2, ::2, ::2] = reference
    assert score_arrays(wide[::2, ::2, ::2], prediction, SPACING_MM) == score_arrays(reference, prediction, SPACING_MM)
    repeated = np.broadcast_to(reference[:, :, :1], reference.shape)
    assert score_arrays(repeated, prediction, SPACING_MM) == score_arrays(repeated.copy(), prediction, SPACING_MM)


@pytest.mark.parametrize("dtype", ["u1", "i1", "<i2", ">i2", "u4", "i8", "u8", "f2", "<f4", ">f8"])
def test_number_type_does_not_matter(dtype: str) -> None:
    """Any integer or integer-valued float type gives the same score."""
    reference, prediction = pair(2)
    expected = score_arrays(reference, prediction, SPACING_MM)
    assert score_arrays(reference.astype(dtype), prediction.astype(dtype), SPACING_MM) == expected
    assert score_arrays(reference, prediction.astype(dtype, order="F"), SPACING_MM) == expected


def test_booleans_and_nearly_whole_floats() -> None:
    """A boolean mask is label 1; floats within 1e-3 of an integer are that integer."""
    reference, prediction = (volume > 0 for volume in pair(2))
    expected = score_arrays(reference.astype(np.uint8), prediction.astype(np.uint8), SPACING_MM)
    assert score_arrays(reference, prediction, SPACING_MM) == expected
    assert score_arrays(reference + 9e-4, prediction - 9e-4, SPACING_MM) == expected


@pytest.mark.parametrize("seed", range(6))
def test_turned_and_mirrored_grids(seed: int) -> None:
    """Exchanging or mirroring axes, the spacing with them, changes no metric beyond the last bits."""
    reference, prediction = pair(seed + 20)
    expected = close(score_arrays(reference, prediction, SPACING_MM))
    for axes, flips in zip(permutations(range(3)), product((0, 1), repeat=3), strict=False):
        slices = tuple(slice(None, None, -1 if flip else 1) for flip in flips)
        turned = [np.ascontiguousarray(volume.transpose(axes)[slices]) for volume in (reference, prediction)]
        assert numbers(score_arrays(*turned, tuple(SPACING_MM[axis] for axis in axes))) == expected


def test_margins_do_not_matter() -> None:
    """Background around both volumes changes nothing: a mask at the border has its surface there already."""
    reference, prediction = pair(0)
    expected = numbers(score_arrays(reference, prediction, SPACING_MM))
    padded = [np.pad(volume, ((3, 0), (1, 9), (0, 2))) for volume in (reference, prediction)]
    assert numbers(score_arrays(*padded, SPACING_MM)) == expected


@pytest.mark.parametrize("seed", range(6))
def test_sides_can_be_exchanged(seed: int) -> None:
    """Reference and prediction play the same part in every overlap and surface metric of a matched vertebra."""
    reference, prediction = pair(seed + 40)
    there, back = (score_arrays(*volumes, SPACING_MM) for volumes in ((reference, prediction), (prediction, reference)))
    expected = {v.name: v for v in there.vertebrae if v.status == "matched"}
    for vertebra in (v for v in back.vertebrae if v.status == "matched"):
        for name in ("dsc", "hd95_mm", "hd100_mm"):
            assert getattr(vertebra, name) == getattr(expected[vertebra.name], name)
        for name in ("assd_mm", "nsd_1mm", "nsd_2mm", "nsd_3mm"):
            assert getattr(vertebra, name) == pytest.approx(getattr(expected[vertebra.name], name), abs=1e-12)
        assert vertebra.volume_error_ml == -expected[vertebra.name].volume_error_ml


def test_labels_do_not_disturb_each_other() -> None:
    """All 25 labels in one pass give what each label gives alone, to the last bit."""
    rng = np.random.default_rng(9)
    reference, prediction = (rng.integers(0, 26, (2, 9, 8, 11))).astype(np.uint8)
    together = score_arrays(reference, prediction, SPACING_MM)
    assert len(together.vertebrae) == 25
    for vertebra in together.vertebrae:
        label = vertebra.label
        alone = score_arrays(
            np.where(reference == label, label, 0), np.where(prediction == label, label, 0), SPACING_MM
        ).vertebrae[0]
        assert {name: getattr(alone, name) for name in SURFACE} == {name: getattr(vertebra, name) for name in SURFACE}


def same_profile(a: SurfaceProfile, b: SurfaceProfile) -> bool:
    """Whether two profiles hold the same elements."""
    return all(np.array_equal(getattr(a, name), getattr(b, name)) for name in ("distances_mm", "areas_mm2", "counts"))


def same_surfaces(a: dict[int, SurfacePair], b: dict[int, SurfacePair]) -> bool:
    """Whether two comparisons found the same surfaces."""
    return a.keys() == b.keys() and all(
        same_profile(a[key].reference, b[key].reference) and same_profile(a[key].prediction, b[key].prediction)
        for key in a
    )


@pytest.mark.parametrize("limit", [1, 60, 500])
def test_little_memory_gives_the_same(monkeypatch: pytest.MonkeyPatch, limit: int) -> None:
    """Handling labels in groups, as huge inputs need, finds the same surfaces as all at once."""
    rng = np.random.default_rng(4)
    reference, prediction = rng.integers(0, 6, (2, 8, 9, 10)).astype(np.uint8)
    at_once = comparison.compare(reference, prediction, SPACING_MM)
    monkeypatch.setattr(comparison, "_MAX_ELEMENTS", limit)
    assert same_surfaces(comparison.compare(reference, prediction, SPACING_MM).surfaces, at_once.surfaces)


def test_repeated_comparisons_are_equal() -> None:
    """Nothing is left over from one comparison to the next, whatever lies between them."""
    first = far_pair(np.random.default_rng(0))
    expected = score_arrays(*first, SPACING_MM)
    score_arrays(*pair(7), (3.0, 0.2, 1.0))
    assert score_arrays(*first, SPACING_MM) == expected


def test_inputs_are_left_alone() -> None:
    """Scoring writes to neither array: both may be read-only."""
    reference, prediction = pair(5)
    reference.flags.writeable = prediction.flags.writeable = False
    before = reference.copy(), prediction.copy()
    score_arrays(reference, prediction, SPACING_MM)
    assert (reference == before[0]).all()
    assert (prediction == before[1]).all()


def test_pooled_changes_nothing_else() -> None:
    """Asking for the pooled HD95 adds one number and leaves the others."""
    reference, prediction = pair(6)
    plain, pooled = (score_arrays(reference, prediction, SPACING_MM, pooled=p) for p in (False, True))
    stripped = [replace(v, hd95_pooled_mm=None) for v in pooled.vertebrae]
    assert tuple(stripped) == plain.vertebrae
    assert all(v.hd95_pooled_mm is None for v in plain.vertebrae)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32])
@pytest.mark.parametrize("side", ["reference", "prediction"])
def test_values_above_25_are_refused(dtype: type, side: str) -> None:
    """26 is no vertebra label: the error says which side has it, and that 26 is what was found."""
    volumes = {"reference": np.ones((3, 3, 3), dtype), "prediction": np.ones((3, 3, 3), dtype)}
    volumes[side][1, 1, 1] = 26
    with pytest.raises(LabelError) as raised:
        score_arrays(**volumes, spacing_mm=(1, 1, 1))
    assert raised.value.code == "E_LABEL_RANGE"
    assert side in raised.value.expected
    assert "26" in raised.value.found


@pytest.mark.parametrize(
    ("value", "code"), [(-1, "E_LABEL_RANGE"), (np.nan, "E_NAN"), (np.inf, "E_NAN"), (1.5, "E_NOT_INTEGER")]
)
def test_other_bad_values_are_refused(value: float, code: str) -> None:
    """Negative, undefined and fractional values are errors and never rounded, clipped or dropped."""
    bad = np.ones((2, 2, 2))
    bad[0, 0, 0] = value
    with pytest.raises(LabelError) as raised:
        score_arrays(bad, np.ones((2, 2, 2)), (1, 1, 1))
    assert raised.value.code == code


@pytest.mark.parametrize(
    ("shapes", "spacing_mm", "code"),
    [
        (((2, 2, 2), (2, 2, 3)), (1, 1, 1), "E_SHAPE"),
        (((2, 2), (2, 2)), (1, 1, 1), "E_NDIM"),
        (((2, 0, 2), (2, 0, 2)), (1, 1, 1), "E_NDIM"),
        (((2, 2, 2), (2, 2, 2)), (1, 0, 1), "E_SPACING"),
        (((2, 2, 2), (2, 2, 2)), (1, np.nan, 1), "E_SPACING"),
    ],
)
def test_bad_geometry_is_refused(shapes: tuple, spacing_mm: tuple[float, float, float], code: str) -> None:
    """Unlike shapes, no voxels and impossible spacings are errors with a code."""
    with pytest.raises(GeometryError) as raised:
        score_arrays(np.ones(shapes[0], np.uint8), np.ones(shapes[1], np.uint8), spacing_mm)
    assert raised.value.code == code
