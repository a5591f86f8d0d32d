"""The largest component of each vertebra, on pictures with answers by hand and beside scikit-image."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from skimage import measure

from ctspine_baselines.components import largest_components


def picture(*rows: str) -> np.ndarray:
    """A label map one voxel thick, of rows of digits; a dot is background."""
    return np.array([[int(voxel.replace(".", "0")) for voxel in row] for row in rows], dtype=np.uint8)[:, :, np.newaxis]


def test_stray_voxels_go_and_the_vertebra_stays() -> None:
    """Of each label the largest piece is kept, the others become background; labels do not touch each other."""
    found = largest_components(picture("11..1", "11.2.", "...22", "2...."))
    assert (found == picture("11...", "11.2.", "...22", ".....")).all()


def test_corners_hold_together() -> None:
    """Voxels that share a corner are one piece."""
    diagonal = picture("3....", ".3...", "..3.3")
    assert (largest_components(diagonal) == picture("3....", ".3...", "..3..")).all()


def test_of_two_pieces_of_one_size_the_first_stays() -> None:
    """A tie is decided by the order of the array."""
    assert (largest_components(picture("4.4")) == picture("4..")).all()


def test_nothing_stays_nothing() -> None:
    """An empty label map stays empty."""
    assert not largest_components(np.zeros((3, 4, 5), dtype=np.uint8)).any()


@given(arrays(np.uint8, (5, 5, 5), elements=st.integers(0, 2)))
def test_as_scikit_image_sees_it(labels: np.ndarray) -> None:
    """What is kept is one component of the most voxels, for each label, as scikit-image counts them."""
    found = largest_components(labels)
    for label in (1, 2):
        components = measure.label(labels == label, connectivity=3)
        sizes = np.bincount(components.ravel())[1:]
        kept = np.unique(components[found == label])
        assert len(kept) == min(len(sizes), 1)
        if len(sizes):
            assert sizes[kept[0] - 1] == sizes.max() == (found == label).sum()
