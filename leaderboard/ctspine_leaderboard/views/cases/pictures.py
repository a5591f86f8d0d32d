"""Pictures of a case side by side: the reference, then the chosen submissions; one row for each view."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from markupsafe import Markup

from ctspine_bench.anatomy import vertebra_name
from ctspine_leaderboard.tables import picture
from ctspine_leaderboard.views.cases.drawing import draw
from ctspine_leaderboard.views.cases.planes import AXES, Layers, along_the_spine, plane
from ctspine_leaderboard.volumes.images import WINDOW_HU

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ctspine_bench.report.curves import View
    from ctspine_leaderboard.views.cases.drawing import Plane
    from ctspine_leaderboard.views.cases.sources import CaseSources
    from ctspine_leaderboard.volumes.parts import Part

_CURVED: Final[tuple[View, View]] = ("sagittal", "coronal")
_MOST_HEIGHT, _MOST_WIDTH = 440, 200
_MOST_WIDTH_OF_SLICE: Final = 300


def panels(sources: CaseSources, names: Mapping[str, str], view: str, number: int | None = None) -> Markup:
    """Return pictures of a case, and what is seen on them; nothing without a reference that has a vertebra.

    Args:
        sources: Its volumes.
        names: Submission → what to call it, in the order of the pictures.
        view: "spine" for cuts along the spine, else one of `planes.AXES`.
        number: Which slice, counted from 1.
    """
    if sources.reference is None or not sources.reference.part.voxels.any():
        return Markup("")
    shown: list[tuple[str, Part]] = [("Reference", sources.reference.part)]
    shown += [(names[slug], sources.predictions[slug]) for slug in names if slug in sources.predictions]
    layers = [(title, Layers(part, sources.reference.part, sources.image)) for title, part in shown]
    if view in AXES and number is not None:
        cuts = [(title, plane(each, view, number)) for title, each in layers]
        rows = [_row(view, cuts, _MOST_WIDTH_OF_SLICE, "cb-slices")]
    else:
        rows = [
            _row(
                curved, [(title, cut) for title, each in layers if (cut := along_the_spine(each, curved))], _MOST_WIDTH
            )
            for curved in _CURVED
        ]
    return Markup('{}<p class="cb-caption">{}</p>').format(Markup("").join(rows), _caption(sources, view))


@cache
def stylesheet() -> Markup:
    """Return the looks of the pictures, as an element of the page."""
    sheet = files("ctspine_leaderboard.views.cases").joinpath("pictures.css").read_text("utf-8")
    return Markup("<style>{}</style>").format(Markup(sheet))  # noqa: S704 -- a file of this package


def _caption(sources: CaseSources, view: str) -> str:
    """Return what is seen on the pictures."""
    ground = f"the CT ({WINDOW_HU[0]:.0f} to {WINDOW_HU[1]:.0f} HU)" if sources.image else "black"
    where = (
        "The cuts follow the spine of the reference: sagittal through its middle, coronal through the vertebral bodies."
        if view == "spine"
        else "Slices are those of the volume."
    )
    return (
        f"Outlines over {ground.replace('-', '−')}: each level has its colour, and its name at the left. "
        f"White is the outline of the reference where the prediction leaves it. {where}"
    )


def _row(view: str, planes: Sequence[tuple[str, Plane]], most_width: float, style: str = "") -> Markup:
    """Return one view of all that is shown, at one scale."""
    sizes_mm = [cut.size_mm for _, cut in planes]
    pixels_per_mm = min(min(most_width / width, _MOST_HEIGHT / height) for width, height in sizes_mm)
    figures = []
    for title, cut in planes:
        drawing = draw(cut, pixels_per_mm)
        image = picture(drawing.svg, f"{title}, {view}: {_seen(cut)}", drawing.width, drawing.height)
        figures.append(Markup("<figure><figcaption>{}</figcaption>{}</figure>").format(title, image))
    return Markup('<div class="cb-panels {}">{}</div>').format(style, Markup("").join(figures))


def _seen(cut: Plane) -> str:
    labels = sorted(set(cut.labels[cut.labels > 0].tolist()))
    if not labels:
        return "no vertebra"
    first, last = vertebra_name(labels[0]), vertebra_name(labels[-1])
    return f"outline of {first}" if len(labels) == 1 else f"outlines of {len(labels)} vertebrae from {first} to {last}"
