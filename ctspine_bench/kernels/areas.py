"""Area of the surface element at a voxel corner, for each of the 256 ways to fill the 2×2×2 voxels around it.

The triangles are those of marching cubes as tabulated by DeepMind's surface-distance (lookup_tables.py, Apache-2.0).
Only the absolute components of their area vectors are kept: the sign does not change an area.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Absolute components of a triangle's area vector for unit voxels, in eighths, by letter.
_TRIANGLES: Final = {
    "a": (1, 1, 1),
    "b": (3, 3, 3),
    "c": (2, 2, 2),
    "d": (2, 2, 0),
    "e": (2, 0, 2),
    "f": (0, 2, 2),
    "x": (4, 0, 0),
    "y": (0, 4, 0),
    "z": (0, 0, 4),
}

# The triangles of each neighbourhood code. Bit 7 − (4·dx + 2·dy + dz) of a code says whether the voxel at offset
# (dx, dy, dz) from the lowest of the eight is inside the mask.
_TRIANGLES_OF_CODE: Final = """
    - a a dd a ee aa xca a aa ee xca dd xca xca xx
    a ff aa yca aa zca aaa acca aa ffa eea abfe add bfad xaca xac
    a aa ff yac aa aee ffa bfae aa aaa zca ccaa add xcaa fbad xca
    dd yca yac yy dda bead ayca yca add ycaa bdae yca dddd dda add dd
    a aa aa add ff zca ffa bfad aa aaa aee xcaa yca ccaa ebfa xca
    ee zca aee ebda zca zz aacz acz eea zcaa eeee aee ebda zca aee ee
    aa aaa aff yaca ffa zcaa ffff ffa aaa aaaa zcaa aaa ycaa aaa ffa aa
    xca caca bfae yca bdfa acz aff ff xcaa aaa eea aa dda aa aa a
    a aa aa dda aa eea aaa xcaa ff aff acz bdfa yca bfae caca xca
    aa ffa aaa ycaa aaa zcaa aaaa aaa ffa ffff zcaa ffa yaca aff aaa aa
    ee aee zca ebda aee eeee zcaa eea acz aacz zz zca ebda aee zca ee
    xca ebfa ccaa yca xcaa aee aaa aa bfad ffa zca ff add aa aa a
    dd add dda dddd yca bdae ycaa add yca ayca bead dda yy yac yca dd
    xca fbad xcaa add ccaa zca aaa aa bfae ffa aee aa yac ff aa a
    xac xaca bfad add abfe eea ffa aa acca aaa zca aa yca aa ff a
    xx xca xca dd xca ee aa a xca aa ee a dd a a -
""".split()


def element_areas(spacing_mm: tuple[float, float, float]) -> NDArray[np.float64]:
    """Return the `(256,)` areas in mm² of the surface element of each neighbourhood code.

    The arithmetic follows surface-distance operation by operation, so that ties fall the same way.
    """
    x, y, z = spacing_mm
    areas = np.zeros(256)
    for code, triangles in enumerate(_TRIANGLES_OF_CODE):
        for letter in triangles.strip("-"):
            a, b, c = (eighths / 8 for eighths in _TRIANGLES[letter])
            areas[code] += np.linalg.norm(np.array([a * y * z, b * x * z, c * x * y]))
    return areas
