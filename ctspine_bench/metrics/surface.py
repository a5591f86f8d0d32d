"""Surface distances of one label, from its two surface profiles.

Definitions are those of DeepMind's surface-distance (repository head, `metrics.py`): elements at voxel corners,
weighted by area. Sums are taken over the sorted elements in the same order, so that even exact ties at 95 % fall the
same way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from ctspine_bench.records import SurfacePair, SurfaceProfile

TOLERANCE_SLACK: Final = 1e-6
"""By this share more than the tolerance still is within it: headers hold spacings in single precision."""


def hausdorff_mm(surfaces: SurfacePair, percent: float) -> float:
    """Return the larger of the two directed percentiles of distance by area, without interpolation.

    HD95 is `percent=95`; 100 gives the Hausdorff distance.
    """
    return max(_percentile(surfaces.reference, percent), _percentile(surfaces.prediction, percent))


def _percentile(profile: SurfaceProfile, percent: float) -> float:
    if percent == 100:
        return float(profile.distances_mm[-1])
    areas_mm2 = np.repeat(profile.areas_mm2, profile.counts)
    share = np.cumsum(areas_mm2) / np.sum(areas_mm2)
    element = min(int(np.searchsorted(share, percent / 100)), areas_mm2.size - 1)
    run = int(np.searchsorted(np.cumsum(profile.counts), element, side="right"))
    return float(profile.distances_mm[run])


def assd_mm(surfaces: SurfacePair) -> float:
    """Return the average symmetric surface distance: the area-weighted mean over the elements of both surfaces."""
    moment = area = 0.0
    for profile in (surfaces.reference, surfaces.prediction):
        areas_mm2 = profile.areas_mm2 * profile.counts
        moment += float((areas_mm2 * profile.distances_mm).sum())
        area += float(areas_mm2.sum())
    return moment / area


def nsd(surfaces: SurfacePair, tolerance_mm: float) -> float:
    """Return the normalised surface Dice: the share of the area of both surfaces within the tolerance of the other.

    Nikolov et al., 2021, doi:10.2196/26151. A distance of one voxel is within a tolerance of one voxel, whatever the
    last digits of the spacing (`TOLERANCE_SLACK`).
    """
    limit_mm = tolerance_mm * (1 + TOLERANCE_SLACK)
    within = total = 0.0
    for profile in (surfaces.reference, surfaces.prediction):
        areas_mm2 = profile.areas_mm2 * profile.counts
        within += float(areas_mm2[profile.distances_mm <= limit_mm].sum())
        total += float(areas_mm2.sum())
    return within / total
