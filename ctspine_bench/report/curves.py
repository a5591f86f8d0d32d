"""A cut through a label map that follows the spine, so that a curved spine does not leave the picture.

For each slice along z the cut lies where the reference's spine is: for the sagittal view in the middle of its voxels
from left to right, for the coronal view at their front third, which is in the vertebral bodies.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
from scipy.ndimage import gaussian_filter1d

if TYPE_CHECKING:
    from numpy.typing import NDArray

View = Literal["sagittal", "coronal"]

_SMOOTHING_MM: Final = 12.0
# Where the cut is among the spine's voxels of a slice: x from left to right, y from back to front.
_QUANTILES: Final = {"sagittal": (0, 0.5), "coronal": (1, 0.68)}


@dataclass(frozen=True, eq=False)
class Cut:
    """A view of one label map along a curve.

    Attributes:
        labels: `(horizontal, z)`: y for the sagittal view, x for the coronal one.
        spacing_mm: Spacing of its two axes.
    """

    labels: NDArray[np.uint8]
    spacing_mm: tuple[float, float]


def spine_curve(labels: NDArray[np.uint8], slice_spacing_mm: float, view: View) -> NDArray[np.intp] | None:
    """Return the voxel index of the cut in each slice, `(n_z,)`; `None` when there is no spine.

    Args:
        labels: `(x, y, z)` reference, RAS.
        slice_spacing_mm: Spacing along z.
        view: "sagittal" gives indices along x, "coronal" along y.
    """
    axis, quantile = _QUANTILES[view]
    profile = np.count_nonzero(labels, axis=1 - axis)  # (along the axis, z)
    below = np.cumsum(profile, axis=0)
    there = np.flatnonzero(below[-1])
    if not there.size:
        return None
    place = np.argmax(below[:, there] >= quantile * below[-1, there], axis=0)
    everywhere = np.interp(np.arange(labels.shape[2]), there, place)
    smooth = gaussian_filter1d(everywhere, _SMOOTHING_MM / slice_spacing_mm, mode="nearest")
    index: NDArray[np.intp] = np.rint(smooth).astype(np.intp)
    return index


def cut_along(
    labels: NDArray[np.uint8], spacing_mm: tuple[float, float, float], curve: NDArray[np.intp], view: View
) -> Cut:
    """Return the view of a label map along a curve."""
    slices = np.arange(labels.shape[2])
    x, y, z = spacing_mm
    if view == "sagittal":
        return Cut(labels[curve, :, slices].T, (y, z))
    return Cut(labels[:, curve, slices], (x, z))


def window(cut: Cut, axis: int, margin_mm: float) -> slice:
    """Return the part of one axis of a view around what is labelled in it; all of it when nothing is."""
    hits = np.flatnonzero(cut.labels.any(axis=1 - axis))
    if not hits.size:
        return slice(None)
    margin = round(margin_mm / cut.spacing_mm[axis])
    return slice(max(int(hits[0]) - margin, 0), int(hits[-1]) + margin + 1)


def to_pixels(cut: Cut, pixel_mm: float) -> NDArray[np.uint8]:
    """Return a view as an image, `(row, column)`: head up, square pixels of that size, nearest neighbour."""
    index = []
    for length, spacing in zip(cut.labels.shape, cut.spacing_mm, strict=True):
        n_pixels = max(round(length * spacing / pixel_mm), 1)
        index.append(((np.arange(n_pixels) + 0.5) * length / n_pixels).astype(np.intp))
    image: NDArray[np.uint8] = cut.labels[np.ix_(*index)].T[::-1]
    return image
