"""One person's spine: which vertebrae there are, how large, and where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from ctspine_bench.anatomy import vertebra_label
from ctspine_bench.phantom.curve import Curvature, draw_curvature, frames, inclinations
from ctspine_bench.phantom.sizes import SACRUM, SD_DEPTH, SD_HEIGHT, SD_WIDTH, SIZES, Size
from ctspine_bench.phantom.solids import Structure, body, capsule, mirrored, table
from ctspine_bench.phantom.vertebra import vertebra

if TYPE_CHECKING:
    from numpy.typing import NDArray

Lumbar = Literal[4, 5, 6]
"""How many lumbar vertebrae: 6 with a lumbarised first sacral segment, 4 with a sacralised L5."""

_C1, _C2, _T12 = (vertebra_label(name) for name in ("C1", "C2", "T12"))
_SACRAL_FLEXION_DEG: Final = (0.0, 4.0, -6.0, -28.0, -52.0)


@dataclass(frozen=True, eq=False)
class Spine:
    """The bones of a spine in the patient frame: x right, y front, z up, mm.

    Attributes:
        vertebrae: C1 … L4, L5 or L6, from the head down.
        sacrum: Its segments, unlabelled.
        sizes: Measures of this person's vertebrae by label.
        curvature: This person's curves.
    """

    vertebrae: tuple[Structure, ...]
    sacrum: tuple[Structure, ...]
    sizes: dict[int, Size]
    curvature: Curvature

    def bone(self, label: int) -> Structure:
        """The vertebra with this label."""
        return self.vertebrae[label - 1]


def make_spine(n_lumbar: Lumbar, rng: np.random.Generator) -> Spine:
    """Draw a person's spine: sizes within one standard deviation of the tables, curves within published ranges."""
    curvature = draw_curvature(rng)
    labels = range(1, _T12 + n_lumbar + 1)
    sizes = _draw_sizes(labels, rng)
    pitch = inclinations(n_lumbar, curvature)
    sacral_pitch = pitch[-1] + np.array(_SACRAL_FLEXION_DEG)
    heights = [sizes[label].height for label in labels] + [segment[0] for segment in SACRUM]
    discs = [sizes[label].disc for label in labels] + [0.5] * len(SACRUM)
    # The atlas sits around the dens rather than on top of a body.
    discs[_C1 - 1] = 1.5
    placed = frames(np.concatenate([pitch[:-1], sacral_pitch]), heights, discs, curvature)
    vertebrae = tuple(
        Structure(label, placed[label - 1], *vertebra(label, sizes[label], _wedge(label, pitch))) for label in labels
    )
    sacrum = tuple(Structure(0, placed[len(labels) + n], _sacral(n), table([])) for n in range(len(SACRUM)))
    return Spine(vertebrae, sacrum, sizes, curvature)


def _draw_sizes(labels: range, rng: np.random.Generator) -> dict[int, Size]:
    # A person is large or small throughout, a level a little more or less so; both bounded, so that every body stays
    # within one standard deviation of its table.
    person = np.clip(rng.normal(0.0, 0.3, 3), -0.5, 0.5)
    sizes = {}
    for label in labels:
        height, width, depth = 1 + (person + rng.uniform(-0.1, 0.1, 3)) * (SD_HEIGHT, SD_WIDTH, SD_DEPTH)
        long, steep, disc = 1 + rng.uniform(-0.1, 0.1, 3)
        mean = SIZES[label]
        sizes[label] = mean._replace(
            height=mean.height * height,
            width_upper=mean.width_upper * width,
            width_lower=mean.width_lower * width,
            depth_upper=mean.depth_upper * depth,
            depth_lower=mean.depth_lower * depth,
            spinous=mean.spinous * long,
            slope=mean.slope * steep,
            disc=mean.disc * disc,
        )
    return sizes


def _wedge(label: int, pitch: NDArray[np.float64]) -> float:
    # Bodies take up part of a curve: more of the thoracic one than of the lordoses, where the discs do.
    if label <= _C2:
        return 0.0
    turn = np.deg2rad(pitch[label] - pitch[label - 2]) / 2
    return float(turn * (0.5 if label <= _T12 else 0.25))


def _sacral(n: int) -> NDArray[np.float64]:
    height, upper, lower, depth_upper, depth_lower = SACRUM[n]
    rows = [body((upper, lower), (depth_upper, depth_lower), height + 2, waist=0.03, hollow=0.1, wedge=0.0)]
    if n < 3:
        wide = (44.0, 36.0, 25.0)[n]
        rows += mirrored(capsule((upper / 2 - 6, -4, 1), (wide, -9, -2), height * 0.42, height * 0.36))
    rows += [capsule((0, -depth_upper / 2 - 15 + 2 * n, 2), (0, -depth_upper / 2 - 15 + 2 * n, -height / 2), 4.0)]
    rows += mirrored(
        capsule(
            (upper / 2, -depth_upper / 2 - 2, 0), (4, -depth_upper / 2 - 13 + 2 * n, 0), 3.0, flat=(1, 1, height / 7)
        )
    )
    return table(rows)
