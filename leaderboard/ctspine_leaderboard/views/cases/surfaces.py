"""The vertebrae of a case in space: the reference, and one prediction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ctspine_bench.charts.surface import surface_figure
from ctspine_leaderboard.volumes.tracing import STEP_MM

if TYPE_CHECKING:
    from collections.abc import Mapping

    import plotly.graph_objects as go

    from ctspine_leaderboard.views.cases.sources import CaseSources
    from ctspine_leaderboard.volumes.parts import Part

SURFACES: Final = (
    f"Smoothed, and drawn from points {STEP_MM:g} mm apart: drag to turn, click on a name to hide a level."
)
SPECKS: Final = "This has no surfaces to draw: it consists of specks."


@dataclass(frozen=True, eq=False)
class SurfaceView:
    """The surfaces of one label map.

    Attributes:
        key: What it is, on the page.
        title: What people call it.
        figure: `None` for what has no surfaces to draw.
    """

    key: str
    title: str
    figure: go.Figure | None


def surface_views(sources: CaseSources, names: Mapping[str, str]) -> list[SurfaceView]:
    """Return the surfaces of the reference and of the first prediction that is there; none without a reference.

    Args:
        sources: The volumes of the case.
        names: Submission → what to call it, in the order of the choice.
    """
    if sources.reference is None:
        return []
    found = [_view("reference", "Reference", sources.reference.part)]
    there = [slug for slug in names if slug in sources.predictions]
    return found + [_view("prediction", names[slug], sources.predictions[slug]) for slug in there[:1]]


def _view(key: str, title: str, part: Part) -> SurfaceView:
    return SurfaceView(key, title, None if part.surfaces is None else surface_figure(part.surfaces))
