"""The metrics: pure functions of a `Comparison`.

`SURFACE_METRICS` is the explicit table of what is measured between the two surfaces of a label; a new one is a function
in `surface.py`, a line here and a field of `VertebraScore`.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from ctspine_bench.metrics.surface import assd_mm, hausdorff_mm, nsd

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ctspine_bench.records import SurfacePair

SURFACE_METRICS: Final[Mapping[str, Callable[[SurfacePair], float]]] = {
    "hd95_mm": partial(hausdorff_mm, percent=95),
    "hd100_mm": partial(hausdorff_mm, percent=100),
    "assd_mm": assd_mm,
    "nsd_1mm": partial(nsd, tolerance_mm=1.0),
    "nsd_2mm": partial(nsd, tolerance_mm=2.0),
    "nsd_3mm": partial(nsd, tolerance_mm=3.0),
}
