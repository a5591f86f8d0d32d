"""The shape of one vertebra in its own frame: origin in the middle of the body, x right, y front, z up."""

from __future__ import annotations

from itertools import pairwise
from math import cos, radians, sin
from typing import TYPE_CHECKING

from ctspine_bench.anatomy import vertebra_label
from ctspine_bench.phantom.solids import Row, ball, body, capsule, mirrored, table

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ctspine_bench.phantom.sizes import Size

_C1, _C2, _C7 = (vertebra_label(name) for name in ("C1", "C2", "C7"))
_T10, _L1 = vertebra_label("T10"), vertebra_label("L1")


def canal_middle(size: Size) -> float:
    """Position of the middle of the canal along y, mm; negative is behind the body."""
    return -(size.depth_upper + size.depth_lower) / 4 - size.canal_depth / 2 + 0.5


def vertebra(label: int, size: Size, wedge: float = 0.0) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The solids and the holes of a vertebra, as tables of rows.

    Args:
        label: 1–25.
        size: Its measures.
        wedge: By how much the body is higher in front than behind, per mm of depth.
    """
    if label == _C1:
        return _atlas(size)
    solids = [_body(size, wedge, waist=0.06 if label <= _C7 else 0.11)]
    if label == _C2:
        solids += [*_axis(size), *_cervical_arch(size, bifid=True)]
    elif label <= _C7:
        solids += [*_uncinate(size), *_cervical_arch(size, bifid=label < _C7)]
    elif label < _L1:
        solids += _thoracic_arch(size, like_lumbar=max(0.0, (label - _T10) / 3))
    else:
        solids += _lumbar_arch(size)
    return table(solids), table([_canal(size)])


def _body(size: Size, wedge: float, waist: float) -> Row:
    # The table has the posterior height; the middle of a wedged body is higher or lower.
    depth = (size.depth_upper + size.depth_lower) / 2
    return body(
        (size.width_upper, size.width_lower), (size.depth_upper, size.depth_lower), size.height + wedge * depth / 2,
        waist=waist, hollow=0.10, wedge=wedge,
    )  # fmt: skip


def _canal(size: Size) -> Row:
    y = canal_middle(size)
    return capsule((0, y, 60), (0, y, -60), 1.0, flat=(size.canal_width / 2, size.canal_depth / 2, 1))


def _lumbar_arch(size: Size) -> list[Row]:
    h, y = size.height, canal_middle(size)
    front, back, side = y + size.canal_depth / 2, y - size.canal_depth / 2, size.canal_width / 2
    across = side + size.pedicle_width * 0.42
    pillar = side + 2.0
    tall = size.pedicle_height / size.pedicle_width
    tip = size.span / 2 - 2.5
    return [
        *mirrored(
            # pedicle, from the body to the pillar of the joints
            capsule((across, front + 6, 0.18 * h), (pillar + 2, y - 3, 0.16 * h), size.pedicle_width * 0.46,
                    flat=(1, 1, tall * 0.9)),
            capsule((pillar + 1.5, y - 3, 0.1 * h), (pillar + 4.5, back + 1, 0.72 * h), 4.6, 4.0, flat=(1, 1.25, 1)),
            capsule((pillar, back + 1, 0.1 * h), (pillar - 2.0, back - 3.0, -0.42 * h), 4.4),
            capsule((pillar - 2.0, back - 3.0, -0.42 * h), (pillar - 1.5, back - 3.5, -0.86 * h), 4.4, 4.2),
            # lamina
            capsule((pillar - 1, back + 1.5, -0.08 * h), (0, back - 5.0, -0.24 * h), 3.0, flat=(1, 1, 2.6)),
            # transverse process
            capsule((pillar + 3, y - 1, 0.12 * h), (tip, y - 5, 0.16 * h), 3.6, 2.4, flat=(1, 0.85, 1.35)),
            # mammillary process
            ball((pillar + 6.0, back - 1.5, 0.48 * h), (3.0, 3.6, 4.2)),
        ),
        *_spinous(size, back, root=-0.28 * h, radius=3.0, tall=3.0, end=2.8),
    ]  # fmt: skip


def _thoracic_arch(size: Size, like_lumbar: float) -> list[Row]:
    # Towards L1 the transverse processes shrink to tubercles and the joints turn.
    h, y = size.height, canal_middle(size)
    front, back, side = y + size.canal_depth / 2, y - size.canal_depth / 2, size.canal_width / 2
    across = side + size.pedicle_width * 0.40
    tall = size.pedicle_height / size.pedicle_width
    tip = size.span / 2 - 4.5
    backward = 10.0 - 5.0 * like_lumbar
    return [
        *mirrored(
            capsule((across, front + 5, 0.22 * h), (side + 1.5, back + 3, 0.2 * h), size.pedicle_width * 0.48,
                    flat=(1, 1, tall * 0.85)),
            # superior and inferior articular processes: thin plates that face back and front
            capsule((side + 1.0, back + 2, 0.2 * h), (side + 1.5, back + 1.0, 0.78 * h), 3.4, 3.0, flat=(1.35, 0.8, 1)),
            capsule((side, back - 1, -0.1 * h), (side - 1.0, back - 3.2, -0.70 * h), 3.4, 3.0, flat=(1.4, 0.8, 1)),
            capsule((side, back + 0.5, 0.0), (0, back - 3.2, -0.12 * h), 2.7, flat=(1, 1, 3.0)),
            capsule((side + 1.5, back + 1, 0.16 * h), (tip, back - backward, 0.3 * h), 4.0, 3.4),
            ball((tip, back - backward, 0.3 * h), (4.2, 4.2, 5.0)),
        ),
        *_spinous(size, back, root=-0.15 * h, radius=2.7, tall=1.9 + like_lumbar, end=2.3),
    ]  # fmt: skip


def _spinous(size: Size, back: float, *, root: float, radius: float, tall: float, end: float) -> list[Row]:
    slope = radians(size.slope)
    start = (0.0, back - 3.5, root)
    reach = size.spinous - end
    stop = (0.0, back - reach * cos(slope), root - reach * sin(slope))
    return [
        capsule(start, stop, radius, end, flat=(1, 1, tall)),
        ball(stop, (end + 0.9, end + 0.6, end * tall * 1.05)),
    ]


def _cervical_arch(size: Size, *, bifid: bool) -> list[Row]:
    h, y = size.height, canal_middle(size)
    back, side = y - size.canal_depth / 2, size.canal_width / 2
    pillar = (side + 6.0, y + 1.0)
    tip = size.span / 2 - 2.5
    slope = radians(size.slope)
    reach = size.spinous - 2.0
    root = (0.0, back - 2.0, -0.25 * h)
    stop = (0.0, back - reach * cos(slope), -0.25 * h - reach * sin(slope))
    spinous = [capsule(root, stop, 2.6, 2.4, flat=(1, 1, 1.5))]
    if bifid:
        spinous += mirrored(capsule(stop, (3.6, stop[1] - 2.5, stop[2] - 1.5), 2.3, 2.0))
    else:
        spinous += [ball(stop, (3.4, 3.0, 4.0))]
    return [
        *mirrored(
            # pedicle, to the pillar of the joints, which slants from front above to back below
            capsule((size.width_lower * 0.36, -size.depth_lower * 0.36, 0.1 * h), (pillar[0], pillar[1] + 1, 0.05 * h),
                    2.6, flat=(1, 1, 1.35)),
            capsule((pillar[0], pillar[1] + 1.5, 0.55 * h), (pillar[0], pillar[1] - 4.0, -0.60 * h), 4.3,
                    flat=(1.3, 1.05, 0.9)),
            capsule((pillar[0] - 1, pillar[1] - 4.5, -0.1 * h), (0, back - 1.8, -0.22 * h), 2.0, flat=(1, 1, 2.5)),
            # transverse process: a bar in front and one behind, with the foramen of the artery between them
            capsule((size.width_lower * 0.40, -0.5, -0.1 * h), (tip, -3.5, -0.2 * h), 2.0),
            capsule((pillar[0], pillar[1] + 4, -0.05 * h), (tip, -6.0, -0.25 * h), 2.0),
        ),
        *spinous,
    ]  # fmt: skip


def _uncinate(size: Size) -> list[Row]:
    edge = size.width_upper / 2 - 1.2
    top = size.height / 2
    return mirrored(capsule((edge, -4.5, top - 0.5), (edge, 1.5, top - 0.2), 1.5, flat=(0.9, 1, 1.7)))


def _axis(size: Size) -> list[Row]:
    top = size.height / 2
    return [
        # dens
        capsule((0, 0.5, top - 3), (0, -0.5, top + 13.0), 5.2, 4.2, flat=(1, 1.05, 1)),
        *mirrored(ball((13.0, -3.5, top - 1.5), (8.0, 8.0, 4.2))),
    ]


def _atlas(size: Size) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    # The ring around the dens: two lateral masses joined by a short arch in front and a long one behind.
    side, y = size.canal_width / 2 + 4.5, canal_middle(size)
    back = y - size.canal_depth / 2
    front = 9.6
    arch = [(side - 1, y + 2, 0.0), (side - 3.5, y - 7, 0.5), (8.0, back - 0.2, 0.0), (0.0, back - 2.6, -0.5)]
    solids = mirrored(
        capsule((side, 1.0, 0.0), (side - 0.5, -5.0, 0.0), 5.4, flat=(1.15, 1.1, 1.15)),
        capsule((side - 3, 4.0, 0.0), (7.0, front - 1, 0.0), 3.2, flat=(1, 1, 1.3)),
        capsule((7.0, front - 1, 0.0), (0, front + 0.6, 0.0), 3.0, flat=(1, 1, 1.5)),
        *(capsule(a, b, 2.9, flat=(1, 1, 1.3)) for a, b in pairwise(arch)),
        capsule((side + 4, -3.0, -0.5), (size.span / 2 - 3, -5.0, -1.5), 3.6, 3.0, flat=(1, 1.3, 1)),
    )
    holes = mirrored(capsule((side + 8.8, -4.2, 20), (side + 8.8, -4.2, -20), 1.9))
    return table(solids), table(holes)
