"""What surrounds the spine in the image: discs, thecal sac, ribs, pelvis, skull, lungs and organs, none of it labelled.

Simple shapes at plausible places; only the spine follows a literature. Places are given relative to the vertebra beside
them, so that they follow the person's curves.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np

from ctspine_bench.anatomy import vertebra_label
from ctspine_bench.phantom.solids import (
    BONE,
    Material,
    Point,
    Row,
    Structure,
    ball,
    body,
    capsule,
    mirrored,
    unlabelled,
)
from ctspine_bench.phantom.vertebra import canal_middle

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ctspine_bench.phantom.spine import Spine

_SOFT: Final = Material(48.0, 1.0, 55.0)
_LIVER: Final = Material(60.0, 1.0, 62.0)
_KIDNEY: Final = Material(40.0, 6.0, 20.0)
_BLOOD: Final = Material(45.0, 1.0, 48.0)
_FAT: Final = Material(-100.0, 1.0, -100.0)
_LUNG: Final = Material(-760.0, 6.0, -860.0)
_DISC: Final = Material(95.0, 4.0, 75.0)
_SAC: Final = Material(20.0, 1.5, 35.0)
_AIRWAY: Final = Material(60.0, 2.0, -985.0)
_GAS: Final = Material(-985.0, 1.0, -985.0)
_STOOL: Final = Material(15.0, 1.0, 10.0)
_SKULL: Final = Material(950.0, 6.0, 38.0)

# Half the width of the rib cage at T1–T12, and how far a rib drops on its way to the front, mm.
_RIB_REACH: Final = (62, 92, 112, 124, 132, 137, 140, 140, 138, 132, 122, 105)
_RIB_DROP: Final = (22, 36, 48, 58, 66, 74, 82, 88, 92, 84, 62, 40)


@dataclass(frozen=True)
class Places:
    """Points given beside a vertebra.

    Attributes:
        spine: Whose vertebrae.
    """

    spine: Spine

    def at(self, name: str, x: float, y: float, z: float = 0.0) -> Point:
        """The point `x, y, z` mm to the right, front and top of the middle of a vertebra or a sacral segment."""
        if name.startswith("S"):
            bone = self.spine.sacrum[int(name[1:]) - 1]
        else:
            bone = self.spine.vertebrae[min(vertebra_label(name), len(self.spine.vertebrae)) - 1]
        right, front, top = (bone.to_world[:, 3] + (x, y, z)).tolist()
        return (right, front, top)


def surroundings(spine: Spine, rng: np.random.Generator, *, colon_gas: bool) -> list[Structure]:
    """Everything but the vertebrae, in the order in which to draw it: later things cover earlier ones."""
    places = Places(spine)
    return [
        *_belly(places, rng, colon_gas=colon_gas),
        *_chest(places, rng),
        *_head(places),
        *_pelvis(places),
        *_ribs(spine),
        *_thecal_sac(spine),
        *_discs(spine),
    ]


def _belly(places: Places, rng: np.random.Generator, *, colon_gas: bool) -> list[Structure]:
    at = places.at
    wiggle = rng.normal(0.0, 4.0, (12, 3))
    path = [
        at("L5", 84, 45), at("L3", 94, 42), at("L1", 96, 42), at("L2", 58, 80), at("L3", 0, 88), at("L2", -58, 82),
        at("T12", -98, 34), at("L2", -98, 32), at("L5", -84, 38), at("S1", -62, 45), at("S3", -18, 50),
        at("S4", 0, 34),
    ]  # fmt: skip
    points = [tuple((np.array(point) + shift).tolist()) for point, shift in zip(path, wiggle, strict=True)]
    # haustra: the tube is wide and narrow in turn
    dense = np.concatenate([np.linspace(a, b, 4, endpoint=False) for a, b in pairwise(points)])
    radii = np.where(np.arange(len(dense)) % 2, 14.0, 20.0) * rng.uniform(0.9, 1.15, len(dense))
    # the wall all along, then what is in it, so that no wall remains where two pieces meet
    colon = [
        unlabelled([capsule(_point(a), _point(b), ra - wall, rb - wall)], material)
        for wall, material in ((0.0, _SOFT), (2.5, _GAS if colon_gas else _STOOL))
        for a, b, ra, rb in zip(dense, dense[1:], radii, radii[1:], strict=False)
    ]
    loops = [
        unlabelled([capsule(at(level, x, y), at(level, x + dx, y + 12, dz), 12.0)], _SOFT)
        for level, x, y, dx, dz in zip(
            ("L2", "L3", "L3", "L4", "L4", "L5", "S1", "S1", "S2"), rng.uniform(-60, 40, 9), rng.uniform(35, 80, 9),
            rng.uniform(15, 45, 9), rng.uniform(-25, 25, 9), strict=False,
        )
    ]  # fmt: skip
    return [
        unlabelled([capsule(at("L1", 0, 58, 20), at("S3", 0, 40), 1.0, flat=(122, 64, 40))], _FAT),
        *loops,
        unlabelled([ball(at("T12", 72, 48, 5), (78, 78, 66)), ball(at("T12", 0, 72, 5), (60, 40, 40))], _LIVER),
        unlabelled([ball(at("T12", -98, 8), (32, 42, 48))], _SOFT),
        unlabelled([ball(at("T12", -52, 70), (46, 36, 44))], _GAS if colon_gas else _STOOL),
        unlabelled(mirrored(ball(_x(at("L1", 0, -2, -12), 64), (26, 24, 52))), _KIDNEY),
        unlabelled(mirrored(capsule(_x(at("L1", 0, 0), 34), _x(at("L5", 0, 22), 52), 10.0, 21.0)), _SOFT),
        *colon,
    ]


def _chest(places: Places, rng: np.random.Generator) -> list[Structure]:
    at = places.at
    lungs = mirrored(capsule(_x(at("T4", 0, 24), 68), _x(at("T9", 0, 40), 82), 0.78, 1.06, flat=(60, 78, 60)))
    vessels = []
    for side in (-1, 1):
        for level, y, dx, dy, dz in zip(
            ("T5", "T6", "T6", "T7", "T7", "T8", "T8", "T9", "T9", "T10"), rng.uniform(20, 60, 10),
            rng.uniform(30, 75, 10), rng.uniform(-45, 45, 10), rng.uniform(-35, 35, 10), strict=True,
        ):  # fmt: skip
            start = at(level, side * 30, y)
            vessels.append(capsule(start, _point(np.add(start, (side * dx, dy, dz))), 3.4, 1.2))
    domes = [ball(at("T11", 80, 42, -22), (72, 84, 62)), ball(at("T11", -80, 42, -32), (70, 84, 60))]
    return [
        unlabelled(lungs, _LUNG),
        *(unlabelled([vessel], _BLOOD) for vessel in vessels),
        unlabelled([domes[0]], _LIVER),
        unlabelled([domes[1]], _SOFT),
        unlabelled([capsule(at("T2", 0, 42), at("T7", 0, 62), 1.0, flat=(27, 34, 20))], _SOFT),
        unlabelled([ball(at("T8", -26, 82, 4), (58, 46, 52))], _BLOOD),
        unlabelled([capsule(at("T4", -12, 32), at("T10", -20, 22), 11.5)], _BLOOD),
        unlabelled([capsule(at("T10", -20, 22), at("L4", -8, 30), 11.0, 9.0)], _BLOOD),
        unlabelled([capsule(at("C4", 0, 30), at("C7", 0, 36), 9.0), capsule(at("C7", 0, 36), at("T5", 0, 46), 9.0)],
                   _AIRWAY),
        unlabelled([capsule(at("T3", 0, 92), at("T9", 0, 128), 1.0, flat=(16, 5, 8))], BONE),
        unlabelled(mirrored(capsule(_x(at("T2", 0, 84), 18), _x(at("T1", 0, 28), 150), 5.5)), BONE),
        unlabelled(mirrored(capsule(_x(at("T3", 0, -40), 108), _x(at("T7", 0, -46), 78), 1.0, flat=(26, 4.5, 12))),
                   BONE),
    ]  # fmt: skip


def _head(places: Places) -> list[Structure]:
    at = places.at
    return [
        unlabelled([ball(at("C1", 0, 12, 88), (74, 92, 76))], _SKULL),
        unlabelled([capsule(at("C1", 0, 52, 20), at("C1", 0, 62, 34), 22.0)], Material(40.0, 3.0, -985.0)),
        unlabelled(
            mirrored(
                capsule(_x(at("C1", 0, 22, 10), 46), _x(at("C3", 0, 30, 4), 44), 4.0, flat=(1, 2, 1)),
                capsule(_x(at("C3", 0, 30, 4), 44), _x(at("C3", 0, 82, 2), 14), 5.0, flat=(1, 1, 2)),
                capsule(_x(at("C3", 0, 82, 2), 14), at("C3", 0, 86, 2), 5.5, flat=(1, 1, 2)),
            ),
            BONE,
        ),
    ]


def _pelvis(places: Places) -> list[Structure]:
    plates = []
    for side in (-1.0, 1.0):
        turn, lean = np.deg2rad(42.0) * side, np.deg2rad(-14.0) * side
        yaw = np.array([[np.cos(turn), np.sin(turn), 0], [-np.sin(turn), np.cos(turn), 0], [0, 0, 1]])
        tilt = np.array([[np.cos(lean), 0, np.sin(lean)], [0, 1, 0], [-np.sin(lean), 0, np.cos(lean)]])
        middle = np.array(places.at("S1", side * 84, 6, 4))
        plates.append(unlabelled([ball((0, 0, 0), (7.5, 56, 60))], BONE, np.column_stack([yaw @ tilt, middle])))
    return [
        *plates,
        unlabelled(mirrored(capsule(_x(places.at("S4", 0, 42, 10), 92), _x(places.at("S4", 0, 70, -20), 60), 22.0)),
                   BONE),
    ]  # fmt: skip


def _ribs(spine: Spine) -> list[Structure]:
    ribs = []
    for n, (reach, drop) in enumerate(zip(_RIB_REACH, _RIB_DROP, strict=True)):
        label = vertebra_label("T1") + n
        bone, size = spine.bone(label), spine.sizes[label]
        along = np.linspace(0.0, 1.0, 12 if n < 10 else 6)
        angle = np.deg2rad(24 + (128 if n < 10 else 48) * along)
        depth = np.interp(n, (0, 3, 9, 11), (40, 66, 84, 84))
        forward = bone.to_world[1, 3] + np.interp(n, (0, 4, 8, 11), (14, 28, 36, 36))
        for side in (-1.0, 1.0):
            arc = np.column_stack(
                [
                    bone.to_world[0, 3] + side * reach * np.sin(angle) ** 0.8,
                    forward - depth * np.cos(angle),
                    bone.to_world[2, 3] + 4 - drop * (1 - np.cos(np.pi * along)) / 2,
                ]
            )
            joint = bone.to_world[:, :3] @ (side * (size.width_upper / 2 + 2.5), 2 - size.depth_upper / 2, 5.0)
            points = np.vstack([bone.to_world[:, 3] + joint, arc])
            ribs += [
                unlabelled([capsule(_point(a), _point(b), 4.2, flat=(0.9, 0.9, 1.5))], BONE)
                for a, b in pairwise(points)
            ]
    return ribs


def _thecal_sac(spine: Spine) -> list[Structure]:
    points = [bone.to_world @ (0, canal_middle(spine.sizes[bone.label]), 0, 1) for bone in spine.vertebrae]
    return [unlabelled([capsule(_point(a), _point(b), 6.2, flat=(1.15, 1, 1))], _SAC) for a, b in pairwise(points)]


def _discs(spine: Spine) -> list[Structure]:
    discs = []
    bones = [*spine.vertebrae[1:], spine.sacrum[0]]
    for above, below in pairwise(bones):
        size = spine.sizes[above.label]
        z = above.to_world[:, 2] + below.to_world[:, 2]
        z /= np.linalg.norm(z)
        x = np.cross(above.to_world[:, 1], z)
        bottom = above.to_world[:, 3] - above.to_world[:, 2] * size.height / 2
        middle = bottom - z * size.disc / 2
        row = _disc(size.width_lower, size.depth_lower, size.disc)
        discs.append(unlabelled([row], _DISC, np.column_stack([x, np.cross(z, x), z, middle])))
    return discs


def _disc(width: float, depth: float, height: float) -> Row:
    # Higher than the gap, since endplates are dished; the vertebrae are drawn over it.
    return body((width, width), (depth, depth), height + 4, waist=-0.03, hollow=0.08, wedge=0.0)


def _x(point: Point, x: float) -> Point:
    return (x, point[1], point[2])


def _point(values: NDArray[np.float64]) -> Point:
    x, y, z = values.tolist()
    return (x, y, z)
