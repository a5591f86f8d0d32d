"""The curve of the spine: how each vertebra is inclined, and from that where it lies.

Angles are Cobb angles in the sagittal plane. Published ranges that the draws stay in: thoracic kyphosis T4–T12 20–50°
and lumbar lordosis L1–S1 40–75° (Bernhardt and Bridwell, Spine 14(7):717–721, 1989; Vialle et al., Journal of Bone and
Joint Surgery 87(2):260–267, 2005), cervical lordosis C2–C7 5–40° (Harrison et al., Spine 21(6):667–675, 1996).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from ctspine_bench.anatomy import vertebra_label

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

# Inclination of a mean spine in degrees, positive where the upper end leans forward; S1 closes the list.
_INCLINATION: Final = {
    "C1": -6.0, "C2": -4.0, "C3": 1.0, "C4": 6.0, "C5": 11.0, "C6": 16.0, "C7": 20.0,
    "T1": 23.0, "T2": 23.5, "T3": 22.0, "T4": 18.5, "T5": 14.5, "T6": 10.0, "T7": 5.0, "T8": 0.5, "T9": -4.0,
    "T10": -8.5, "T11": -13.0, "T12": -17.0,
    "L1": -18.0, "L2": -14.0, "L3": -6.5, "L4": 4.0, "L5": 18.0, "S1": 40.0,
}  # fmt: skip
_INFLECTION: Final = vertebra_label("T12")
_T1: Final = vertebra_label("T1")


@dataclass(frozen=True)
class Curvature:
    """How one person's curves differ from the mean ones.

    Attributes:
        cervical, thoracic, lumbar: Factors on the curve of each region.
        lateral_deg: Largest sideways inclination.
        lateral_phase: Where along the spine it is, radians.
    """

    cervical: float = 1.0
    thoracic: float = 1.0
    lumbar: float = 1.0
    lateral_deg: float = 0.0
    lateral_phase: float = 0.0


def draw_curvature(rng: np.random.Generator) -> Curvature:
    """A person's curves, within the published ranges."""
    cervical, thoracic, lumbar = np.clip(rng.normal(1.0, 0.12, 3), 0.78, 1.22)
    return Curvature(cervical, thoracic, lumbar, abs(rng.normal(0.0, 1.5)), rng.uniform(0.0, 2 * np.pi))


def inclinations(n_lumbar: int, curvature: Curvature) -> NDArray[np.float64]:
    """Sagittal inclination, in degrees, of C1 … T12, L1 … L`n_lumbar` and S1, from the head down."""
    mean = np.array(list(_INCLINATION.values()))
    trunk, lumbar = mean[:_INFLECTION], mean[_INFLECTION - 1 :]
    # One vertebra more or fewer shares the same lordosis.
    steps = np.linspace(0, 1, len(lumbar)), np.linspace(0, 1, n_lumbar + 2)
    lumbar = np.interp(steps[1], steps[0], lumbar)[1:]
    base = trunk[-1] * curvature.thoracic
    neck = trunk[_T1 - 1] * curvature.thoracic
    return np.concatenate(
        [
            neck + (trunk[: _T1 - 1] - trunk[_T1 - 1]) * curvature.cervical,
            trunk[_T1 - 1 :] * curvature.thoracic,
            base + (lumbar - trunk[-1]) * curvature.lumbar,
        ]
    )


def frames(
    pitch_deg: NDArray[np.float64], heights: Sequence[float], discs: Sequence[float], curvature: Curvature
) -> NDArray[np.float64]:
    """Place bones one below the other along the curve.

    Args:
        pitch_deg: `(n,)` sagittal inclination of each bone.
        heights: `(n,)` of each bone, mm.
        discs: `(n,)` gap below each bone, mm.
        curvature: For the sideways inclination.

    Returns:
        `(n, 3, 4)` own frame → patient frame: the origin is in the middle of the first bone, x right, y front, z up.
    """
    along = np.linspace(0, 2 * np.pi, len(heights))
    roll_deg = curvature.lateral_deg * np.sin(1.5 * along + curvature.lateral_phase)
    result = np.zeros((len(heights), 3, 4))
    position = np.zeros(3)
    for n, (pitch, roll) in enumerate(zip(np.deg2rad(pitch_deg), np.deg2rad(roll_deg), strict=True)):
        rotation = _rotation(pitch, roll)
        axis = rotation[:, 2]
        if n > 0:
            before = result[n - 1, :, 2]
            between = (before + axis) / np.linalg.norm(before + axis)
            position = position - before * heights[n - 1] / 2 - between * discs[n - 1] - axis * heights[n] / 2
        result[n] = np.column_stack([rotation, position])
    return result


def _rotation(pitch: float, roll: float) -> NDArray[np.float64]:
    # z axis (0, sin pitch, cos pitch): leaning forward is positive
    cp, sp, cr, sr = np.cos(pitch), np.sin(pitch), np.cos(roll), np.sin(roll)
    lean = np.array([[1, 0, 0], [0, cp, sp], [0, -sp, cp]])
    tilt = np.array([[cr, 0, sr], [0, 1, 0], [-sr, 0, cr]])
    rotated: NDArray[np.float64] = tilt @ lean
    return rotated
