"""Every count and every surface distance against surface-distance, on thousands of small masks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import oracle
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from label_volumes import KINDS, SPACINGS_MM, far_pair, random_pair

from ctspine_bench import score_arrays

if TYPE_CHECKING:
    from ctspine_bench.records import CaseScore


def masks_of(reference: np.ndarray, prediction: np.ndarray, label: int) -> tuple[np.ndarray, np.ndarray]:
    """The two masks of a label, or of the spine for 0."""
    return (reference > 0, prediction > 0) if label == 0 else (reference == label, prediction == label)


def check(score: CaseScore, reference: np.ndarray, prediction: np.ndarray, spacing_mm: oracle.Spacing) -> int:
    """Compare every matched vertebra and the spine with the library; return how many there were."""
    matched = [v for v in (*score.vertebrae, score.spine) if v and v.status == "matched"]
    for vertebra in matched:
        masks = masks_of(reference, prediction, vertebra.label)
        assert vertebra.dsc == oracle.dsc(*masks)
        expected = oracle.surface_metrics(*masks, spacing_mm)
        assert {name: getattr(vertebra, name) for name in expected} == pytest.approx(expected, abs=1e-9)
        assert vertebra.hd95_mm == expected["hd95_mm"]
    return len(matched)


@pytest.mark.parametrize("seed", range(4))
def test_random_volumes(seed: int) -> None:
    """DSC and HD95 are equal, HD100, ASSD, NSD agree to 1e-9: boxes, noise, single voxels, slices, rows, full masks."""
    rng = np.random.default_rng(seed)
    checked = 0
    for _ in range(80):
        reference, prediction = random_pair(rng)
        spacing_mm = SPACINGS_MM[rng.integers(len(SPACINGS_MM))]
        checked += check(score_arrays(reference, prediction, spacing_mm), reference, prediction, spacing_mm)
    assert checked > 200


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_volume_is_really_compared(kind) -> None:
    """Each kind of random volume yields matched masks: none of them passes because there is nothing to compare."""
    rng = np.random.default_rng(5)
    checked = 0
    for _ in range(8):
        reference, prediction = kind(rng)
        checked += check(score_arrays(reference, prediction, (0.7, 0.9, 2.0)), reference, prediction, (0.7, 0.9, 2.0))
    assert checked > 4


def test_blobs_far_apart() -> None:
    """Distances beyond the reach of the near search, in volumes of up to 100 voxels a side, are exact as well."""
    rng = np.random.default_rng(11)
    checked = 0
    for _ in range(20):
        reference, prediction = far_pair(rng)
        spacing_mm = SPACINGS_MM[rng.integers(len(SPACINGS_MM))]
        checked += check(score_arrays(reference, prediction, spacing_mm), reference, prediction, spacing_mm)
    assert checked == 60


@settings(max_examples=90, deadline=None)
@given(
    volumes=hnp.array_shapes(min_dims=3, max_dims=3, max_side=7).flatmap(
        lambda shape: st.tuples(*[hnp.arrays(np.uint8, shape, elements=st.integers(0, 2))] * 2)
    ),
    spacing_mm=st.tuples(*[st.floats(0.05, 12)] * 3),
)
def test_any_small_volume_at_any_spacing(
    volumes: tuple[np.ndarray, np.ndarray], spacing_mm: tuple[float, float, float]
) -> None:
    """No small volume and no spacing gives another result than the library's.

    At arbitrary spacings two elements can be equally far up to the last bit, so HD95 is compared to 1e-9 here.
    """
    score = score_arrays(*volumes, spacing_mm)
    for vertebra in (*score.vertebrae, score.spine):
        if vertebra and vertebra.status == "matched":
            masks = masks_of(*volumes, vertebra.label)
            expected = oracle.surface_metrics(*masks, spacing_mm)
            assert vertebra.dsc == oracle.dsc(*masks)
            assert {name: getattr(vertebra, name) for name in expected} == pytest.approx(expected, abs=1e-9)


def test_pooled_hd95_is_that_of_medpy() -> None:
    """The opt-in pooled HD95 equals medpy's rule written out on the whole volume."""
    rng = np.random.default_rng(2)
    checked = 0
    for _ in range(40):
        reference, prediction = random_pair(rng)
        spacing_mm = SPACINGS_MM[rng.integers(len(SPACINGS_MM))]
        score = score_arrays(reference, prediction, spacing_mm, pooled=True)
        for vertebra in (*score.vertebrae, score.spine):
            if vertebra and vertebra.status == "matched":
                masks = masks_of(reference, prediction, vertebra.label)
                assert vertebra.hd95_pooled_mm == pytest.approx(oracle.pooled_hd95_mm(*masks, spacing_mm), abs=1e-9)
                checked += 1
    assert checked > 80
