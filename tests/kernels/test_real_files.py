"""Real masks: every vertebra and the spine against surface-distance. Files are read here with nibabel alone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import nibabel as nib
import numpy as np
import oracle
import pytest
from label_volumes import perturbed

from ctspine_bench import score_arrays

if TYPE_CHECKING:
    from ctspine_bench.records import CaseScore

DATA = Path(__file__).parents[3] / "shared" / "data"
pytestmark = pytest.mark.skipif(not DATA.exists(), reason="the real files are not at hand (../shared/data)")

Volume = tuple[np.ndarray, tuple[float, float, float]]


def read(name: str) -> Volume:
    """Voxel values as integers in the order on disk, and the spacing along those axes."""
    image = nib.load(DATA / name)
    spacing_mm = np.linalg.norm(image.affine[:3, :3], axis=0)
    return np.asanyarray(image.dataobj).astype(np.int64), tuple(spacing_mm.tolist())


def check(score: CaseScore, reference: np.ndarray, prediction: np.ndarray, spacing_mm: tuple[float, ...]) -> list[int]:
    """Compare all matched masks with the library and return their labels."""
    matched = [v for v in (*score.vertebrae, score.spine) if v.status == "matched"]
    for v in matched:
        masks = [volume > 0 if v.label == 0 else volume == v.label for volume in (reference, prediction)]
        expected = oracle.surface_metrics(*masks, spacing_mm)
        assert v.dsc == oracle.dsc(*masks)
        assert v.hd95_mm == expected["hd95_mm"]
        assert {name: getattr(v, name) for name in expected} == pytest.approx(expected, abs=1e-9)
    return [v.label for v in matched]


def test_two_models_on_one_scan() -> None:
    """TotalSegmentator's two models: every vertebra that both found equals the library.

    In its map L5 … L1 are 27 … 31, T12 … T1 are 32 … 43 and C7 … C1 are 44 … 50.
    """
    (reference, spacing_mm), (prediction, _) = (
        read(f"totalsegmentator_pair/{name}.nii.gz") for name in ("example_seg", "example_seg_fast")
    )
    ours = np.zeros(256, np.uint8)
    ours[[27, 28, 29, 30, 31]] = [24, 23, 22, 21, 20]
    ours[32:44] = np.arange(19, 7, -1)
    ours[44:51] = np.arange(7, 0, -1)
    volumes = ours[reference], ours[prediction]
    assert check(score_arrays(*volumes, spacing_mm), *volumes, spacing_mm) == [18, 19, 20, 21, 0]


def test_verse_mask_against_a_perturbed_copy() -> None:
    """A VerSe mask (T9 … L5, PIR on disk) against a copy with frayed outline, half a vertebra lost and a stray blob."""
    reference, spacing_mm = read("verse004/sub-verse004_seg-vert_msk.nii.gz")
    reference = reference.astype(np.uint8)
    prediction = perturbed(reference, np.random.default_rng(1))
    # Order of the axes on disk is anterior–posterior, superior–inferior, right–left.
    score = score_arrays(reference, prediction, spacing_mm, superior_axis=1)
    assert check(score, reference, prediction, spacing_mm) == [*range(16, 25), 0]
    assert max(v.hd100_mm for v in score.vertebrae) > 60


def test_panoptica_pair() -> None:
    """Instances 2 … 8 of a real reference and a real prediction, at 0.586 × 0.586 × 3.3 mm."""
    (reference, spacing_mm), (prediction, _) = (read(f"panoptica_pair/{name}.nii.gz") for name in ("ref", "pred"))
    volumes = [np.where((v >= 2) & (v <= 8), v, 0).astype(np.uint8) for v in (reference, prediction)]
    assert check(score_arrays(*volumes, spacing_mm), *volumes, spacing_mm) == [*range(2, 9), 0]


def test_a_shift_of_one_voxel_is_within_1_mm_along_both_axes_of_1_mm() -> None:
    """The VerSe file's header means 1 mm twice and holds 1.0000000044 and 0.9999999736: NSD at 1 mm is 1 along both.

    Without a slack the same shift is .88 along one axis and 1 along the other.
    """
    labels, spacing_mm = read("verse004/sub-verse004_seg-vert_msk.nii.gz")
    vertebra = (labels == 20).astype(np.uint8)
    axes = [axis for axis in range(3) if abs(spacing_mm[axis] - 1) < 1e-6]
    assert [spacing_mm[axis] > 1 for axis in axes].count(True) == 1
    for axis in axes:
        moved = np.roll(vertebra, 1, axis=axis)
        assert score_arrays(vertebra, moved, spacing_mm).vertebrae[0].nsd_1mm == 1
    too_far = max(axes, key=lambda axis: spacing_mm[axis])
    found = oracle.surface_distances(vertebra > 0, np.roll(vertebra, 1, axis=too_far) > 0, spacing_mm)
    assert oracle.library.compute_surface_dice_at_tolerance(found, 1) < 0.9
