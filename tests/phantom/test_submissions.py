"""Simulated submissions: each has its own kind of error, and nothing else."""

from __future__ import annotations

import json

import nibabel
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import label as components

from ctspine_bench.errors import UsageError
from ctspine_bench.phantom import SIMULATED, CaseSpec, make_case, simulate_submission
from ctspine_bench.phantom.warp import bounding_box, displaced

SPACING = (1.4, 1.4, 1.8)
BOUNDARY = ("boundary-noise-mild", "boundary-noise", "boundary-noise-strong")


def lumbar_case(n_lumbar):
    spec = CaseSpec((76, 96, 140), SPACING, top=19, n_lumbar=n_lumbar)
    return make_case(spec, np.random.default_rng(0)).labels


@pytest.fixture(scope="module")
def usual():
    return lumbar_case(5)


@pytest.fixture(scope="module")
def with_l6():
    return lumbar_case(6)


@pytest.fixture(scope="module")
def without_l5():
    return lumbar_case(4)


def simulate(name, labels, seed=0):
    return SIMULATED[name](labels, SPACING, np.random.default_rng(seed))


def present(labels):
    return {int(label) for label in np.unique(labels)} - {0}


def dice(a, b):
    return 2 * np.count_nonzero(a & b) / (np.count_nonzero(a) + np.count_nonzero(b))


@pytest.mark.parametrize("name", SIMULATED)
def test_is_a_pure_function(name, with_l6):
    """Same input, same output; the input is not touched; the output has its own memory, shape and type."""
    before = with_l6.copy(order="K")
    first, second = simulate(name, with_l6), simulate(name, with_l6)
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(with_l6, before)
    assert first.shape == with_l6.shape
    assert first.dtype == np.uint8
    assert first.max() <= 25
    assert not np.shares_memory(first, with_l6)


@pytest.mark.parametrize("name", SIMULATED)
def test_accepts_a_volume_without_labels(name):
    """An empty reference is no reason to fail; only noise and islands could put something there."""
    empty = np.zeros((9, 8, 7), np.uint8)
    prediction = simulate(name, empty)
    assert prediction.any() == (name == "pure-noise")


def test_perfect_is_perfect(usual):
    """The perfect submission is the reference."""
    np.testing.assert_array_equal(simulate("perfect", usual), usual)


def test_boundary_noise_moves_outlines_only(usual):
    """Outlines are off by about a voxel, more for the stronger one; levels and pieces stay."""
    scores = {}
    for name in BOUNDARY:
        prediction = simulate(name, usual)
        assert present(prediction) == present(usual)
        scores[name] = np.mean([dice(prediction == label, usual == label) for label in present(usual) - {19}])
    mild, middle, strong = scores.values()
    assert 0.95 < mild < 0.99
    assert 0.88 < middle < 0.96
    assert 0.70 < strong < 0.90


def test_boundary_noise_is_smooth(usual):
    """The largest piece of every displaced vertebra is nearly all of it."""
    prediction = simulate("boundary-noise", usual)
    for label in present(usual):
        pieces, _ = components(prediction == label, np.ones((3, 3, 3)))
        assert np.bincount(pieces.ravel())[1:].max() > 0.97 * np.count_nonzero(pieces)


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    shape=st.tuples(*[st.integers(1, 12)] * 3),
    amplitude=st.floats(0.0, 3.0),
    order=st.sampled_from("CF"),
)
def test_displacement_invents_no_labels(seed, shape, amplitude, order):
    """Whatever the shape and the memory order, displaced labels are labels of the input; no displacement, no change."""
    rng = np.random.default_rng(seed)
    labels = np.asarray(rng.integers(0, 26, shape, dtype=np.uint8), order=order)
    moved = displaced(labels, SPACING, rng, amplitude_voxels=amplitude, smoothness_mm=4.0)
    assert set(moved.ravel().tolist()) <= set(labels.ravel().tolist())
    still = displaced(labels, SPACING, rng, amplitude_voxels=0.0, smoothness_mm=4.0)
    np.testing.assert_array_equal(still, labels)


def test_displacement_has_the_amplitude_asked_for():
    """A ramp along each axis, displaced, differs from itself by the amplitude, as a root mean square."""
    for axis in range(3):
        ramp = np.moveaxis(np.broadcast_to(np.arange(90, 150, dtype=np.uint8), (60, 60, 60)), 2, axis).copy()
        moved = displaced(ramp, (1, 1, 1), np.random.default_rng(0), amplitude_voxels=2.0, smoothness_mm=5.0)
        inner = (slice(10, 50),) * 3
        rms = np.sqrt(np.mean((moved[inner].astype(float) - ramp[inner]) ** 2))
        assert 1.7 < rms < 2.3


def test_displacement_does_not_depend_on_memory_order(usual):
    """C-ordered and Fortran-ordered labels get the same displacement."""
    c_order = simulate("boundary-noise", np.ascontiguousarray(usual))
    f_order = simulate("boundary-noise", np.asfortranarray(usual))
    np.testing.assert_array_equal(c_order, f_order)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(*[st.integers(0, 5)] * 3), max_size=3), st.integers(0, 3))
def test_bounding_box(points, margin):
    """The box around the labels is what looking at every voxel gives."""
    labels = np.zeros((6, 6, 6), np.uint8)
    for point in points:
        labels[point] = 1
    box = bounding_box(labels, margin)
    if not points:
        assert box is None
    else:
        low, high = np.min(points, axis=0) - margin, np.max(points, axis=0) + 1 + margin
        assert box == tuple(slice(max(a, 0), min(b, 6)) for a, b in zip(low.tolist(), high.tolist(), strict=True))


def test_erosion_takes_the_outline_in_each_slice():
    """A 5×5 square of two slices loses its rim and keeps its height."""
    labels = np.zeros((7, 7, 4), np.uint8)
    labels[1:6, 1:6, 1:3] = 20
    expected = np.zeros_like(labels)
    expected[2:5, 2:5, 1:3] = 20
    np.testing.assert_array_equal(simulate("erosion", labels), expected)


def test_erosion_parts_touching_neighbours():
    """Where two vertebrae touch within a slice, both lose their outermost voxels."""
    labels = np.array([1, 1, 1, 2, 2, 2], np.uint8)[:, None, None] * np.ones((1, 3, 1), np.uint8)
    assert simulate("erosion", labels)[:, 1, 0].tolist() == [1, 1, 0, 0, 2, 2]


def test_l6_always_shifts_levels(with_l6):
    """With an L6 the lowest vertebra is called L5, and the shift reaches up to a random level."""
    reached = set()
    for seed in range(8):
        prediction = simulate("shift-from-level", with_l6, seed)
        assert set(prediction[with_l6 == 25].tolist()) == {24}
        np.testing.assert_array_equal(prediction > 0, with_l6 > 0)
        reached.add(sum((prediction[with_l6 == label] == label - 1).all() for label in present(with_l6)))
    assert len(reached) > 3


def test_missing_l5_always_shifts_levels(without_l5):
    """Without an L5 the lowest vertebra, L4, is called L5."""
    for seed in range(10):
        prediction = simulate("shift-from-level", without_l5, seed)
        assert set(prediction[without_l5 == 23].tolist()) == {24}


def test_field_of_view_that_ends_at_l4_is_no_missing_l5(usual):
    """A lowest L4 at the lower border says nothing about L5: such a case is not always shifted."""
    cut = usual[:, :, np.flatnonzero((usual == 24).any(axis=(0, 1)))[-1] + 1 :]
    assert present(cut) <= set(range(18, 24))
    unchanged = [np.array_equal(simulate("shift-from-level", cut, seed), cut) for seed in range(20)]
    assert any(unchanged)


def test_usual_spines_are_shifted_sometimes(usual):
    """In about a quarter of the usual cases, by one level up or down."""
    shifted = 0
    for seed in range(40):
        prediction = simulate("shift-from-level", usual, seed)
        moved = prediction != usual
        shifted += moved.any()
        assert set((prediction[moved].astype(int) - usual[moved]).tolist()) in (set(), {-1}, {1})
    assert 3 <= shifted <= 20


def test_missed_l6(with_l6):
    """L6 becomes background, and nothing else changes."""
    np.testing.assert_array_equal(simulate("missed-l6", with_l6), np.where(with_l6 == 25, 0, with_l6))


def test_missed_partial(usual):
    """Vertebrae on the first and the last slice become background, and nothing else changes."""
    prediction = simulate("missed-partial", usual)
    cut = present(usual[:, :, [0, -1]])
    assert cut
    np.testing.assert_array_equal(prediction, np.where(np.isin(usual, list(cut)), 0, usual))


def test_merged_neighbours(usual):
    """Some vertebrae have the label of the one above; the union is what it was."""
    for seed in range(4):
        prediction = simulate("merged-neighbours", usual, seed)
        gone = present(usual) - present(prediction)
        assert 1 <= len(gone) <= 3
        for label in gone:
            assert set(prediction[usual == label].tolist()) == {label - 1}
        kept = ~np.isin(usual, list(gone))
        np.testing.assert_array_equal(prediction[kept], usual[kept])


def test_stray_islands(usual):
    """Small blobs appear in the background; every vertebra stays as it is."""
    prediction = simulate("stray-islands", usual)
    np.testing.assert_array_equal(prediction[usual > 0], usual[usual > 0])
    stray = (prediction > 0) & (usual == 0)
    assert 0 < np.count_nonzero(stray) < 0.2 * np.count_nonzero(usual)
    assert present(prediction) == present(usual)


def test_pure_noise(usual):
    """Two voxels in a hundred have a label, all labels alike."""
    prediction = simulate("pure-noise", usual)
    counts = np.bincount(prediction.ravel(), minlength=26)
    assert 0.018 < 1 - counts[0] / prediction.size < 0.021
    assert counts[1:].min() > 0.7 * counts[1:].max()


def test_submission_on_disk(benchmark_folder, tmp_path):
    """One file for each case on the grid of its reference, the same for any workers; an unknown name is refused."""
    seen = []
    simulate_submission(benchmark_folder, tmp_path / "one", "stray-islands", workers=1, progress=seen.append)
    simulate_submission(benchmark_folder, tmp_path / "two", "stray-islands", workers=2)
    cases = json.loads((benchmark_folder / "phantom.json").read_text())["cases"]
    assert sorted(seen) == sorted(cases)
    for case_id, case in cases.items():
        name = f"{case['test_set']}/{case_id}.nii.gz"
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
        reference = nibabel.load(
            benchmark_folder / case["test_set"] / "labels" / case["source"] / f"{case_id}_seg.nii.gz"
        )
        prediction = nibabel.load(tmp_path / "one" / name)
        np.testing.assert_array_equal(prediction.affine, reference.affine)
        assert prediction.shape == reference.shape
    with pytest.raises(UsageError, match="perfect, boundary-noise"):
        simulate_submission(benchmark_folder, tmp_path / "x", "no-such-thing")
    with pytest.raises(UsageError, match="no label maps"):
        simulate_submission(tmp_path / "one", tmp_path / "x", "perfect")
