"""Pictures of one case: mid-sagittal and mid-coronal, reference beside prediction beside their difference."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ctspine_bench.anatomy import LABELS, vertebra_name
from ctspine_bench.charts.style import OKABE_ITO
from ctspine_bench.report.curves import Cut, View, cut_along, spine_curve, to_pixels, window

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from ctspine_bench.records import LabelVolume

VIEWS: Final[tuple[View, ...]] = ("sagittal", "coronal")
DIFFERENCES: Final[Mapping[str, str]] = {
    "agreement": "#6b7280",
    "missing": OKABE_ITO["sky"],
    "too much": OKABE_ITO["orange"],
    "wrong name": "#d6409f",
}
"""What the difference panel shows, with its colour."""

# Pictures are drawn at twice the size at which pages show them.
SCALE: Final = 2
_MAX_HEIGHT, _MAX_WIDTH = 430 * SCALE, 160 * SCALE
_FINEST_MM: Final = 0.3 / SCALE
_MARGIN_MM: Final = (14.0, 22.0)
_NAMES_WIDTH, _TITLE_HEIGHT, _GAP = 30 * SCALE, 22 * SCALE, 8 * SCALE
_LINE_HEIGHT: Final = 11 * SCALE
_BACKGROUND: Final = "#10141a"
_TEXT: Final = "#d5dae1"
_LEAST_PIXELS: Final = 12 * SCALE * SCALE  # a smaller patch of a label is not named
_GOLDEN_ANGLE: Final = 137.508


@dataclass(frozen=True)
class Picture:
    """One picture of a case.

    Attributes:
        view: "sagittal" or "coronal".
        png: The file's content.
        width: In pixels as pages show it, half of what the file has.
        height: Likewise.
    """

    view: View
    png: bytes
    width: int
    height: int

    @property
    def data_uri(self) -> str:
        """The picture for the `src` of a page."""
        return f"data:image/png;base64,{base64.b64encode(self.png).decode()}"


def case_pictures(reference: LabelVolume, prediction: LabelVolume) -> tuple[Picture, ...]:
    """Draw a case from both sides, at the same scale; nothing when neither volume has a label.

    Args:
        reference: The reference.
        prediction: The prediction on the same grid.
    """
    shown = [pair for view in VIEWS if (pair := _cropped(reference, prediction, view))]
    if not shown:
        return ()
    pixel_mm = max(_FINEST_MM, *(_coarseness_mm(cut) for cut, _ in shown))
    pictures = []
    for view, cuts in zip(VIEWS, shown, strict=True):
        image = _panels(*(to_pixels(cut, pixel_mm) for cut in cuts))
        pictures.append(Picture(view, _png(image), image.width // SCALE, image.height // SCALE))
    return tuple(pictures)


def _cropped(reference: LabelVolume, prediction: LabelVolume, view: View) -> tuple[Cut, Cut] | None:
    """Return one view of both, around the spine of the reference, or of the prediction where there is none."""
    spacing_mm = reference.grid.spacing_mm
    guide = reference if reference.labels.any() else prediction
    curve = spine_curve(guide.labels, spacing_mm[2], view)
    if curve is None:
        return None
    part = (
        window(cut_along(guide.labels, spacing_mm, curve, view), 0, _MARGIN_MM[0]),
        window(Cut(guide.labels.max(axis=0), spacing_mm[1:]), 1, _MARGIN_MM[1]),
    )
    cuts = [cut_along(volume.labels, spacing_mm, curve, view) for volume in (reference, prediction)]
    return Cut(cuts[0].labels[part], cuts[0].spacing_mm), Cut(cuts[1].labels[part], cuts[1].spacing_mm)


def _coarseness_mm(cut: Cut) -> float:
    """Return the smallest size of a pixel at which a view fits into its panel."""
    width_mm, height_mm = (n * spacing for n, spacing in zip(cut.labels.shape, cut.spacing_mm, strict=True))
    return float(max(width_mm / _MAX_WIDTH, height_mm / _MAX_HEIGHT))


def _panels(reference: NDArray[np.uint8], prediction: NDArray[np.uint8]) -> Image.Image:
    height, width = reference.shape
    step = _NAMES_WIDTH + width + _GAP
    size = (2 * step + width + _GAP, height + _TITLE_HEIGHT + _GAP)
    image = Image.new("RGB", (_whole(size[0]), _whole(size[1])), _BACKGROUND)
    panels = (
        ("reference", PALETTE[reference], _NAMES_WIDTH),
        ("prediction", PALETTE[prediction], step + _NAMES_WIDTH),
        ("difference", _DIFFERENCE_PALETTE[_difference(reference, prediction)], 2 * step),
    )
    draw = ImageDraw.Draw(image)
    for title, colours, left in panels:
        image.paste(Image.fromarray(colours), (left, _TITLE_HEIGHT))
        draw.text((left, 5 * SCALE), title, _TEXT, _FONT)
    _write_names(draw, reference, _NAMES_WIDTH - 4 * SCALE)
    _write_names(draw, prediction, step + _NAMES_WIDTH - 4 * SCALE)
    return image


def _whole(length: int) -> int:
    """Round up to a whole pixel of the page."""
    return -(-length // SCALE) * SCALE


def _difference(reference: NDArray[np.uint8], prediction: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return 0 for background, else 1 + the index in `DIFFERENCES`."""
    cases = [
        (reference == prediction) & (reference > 0),
        (reference > 0) & (prediction == 0),
        (reference == 0) & (prediction > 0),
        reference != prediction,
    ]
    return np.select(cases, [np.uint8(n) for n in range(1, 5)], np.uint8(0))


def _write_names(draw: ImageDraw.ImageDraw, labels: NDArray[np.uint8], right: int) -> None:
    """Write each label's name beside it; names that would overlap move apart."""
    rows = {int(label): np.nonzero(labels == label)[0] for label in np.unique(labels) if label}
    heights = sorted((float(np.median(row)), label) for label, row in rows.items() if row.size >= _LEAST_PIXELS)
    lowest = float(-_LINE_HEIGHT)
    for height, label in heights:
        lowest = max(height, lowest + _LINE_HEIGHT)
        if lowest > labels.shape[0]:
            return
        colour = tuple(PALETTE[label].tolist())
        draw.text((right, _TITLE_HEIGHT + lowest), vertebra_name(label), colour, _SMALL_FONT, anchor="rm")


def _png(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.quantize(64, dither=Image.Dither.NONE).save(file, "PNG", optimize=True)
    return file.getvalue()


def _colours() -> NDArray[np.uint8]:
    """Return a colour for each label, background first: hues by the golden angle, three lightnesses in turn (OKLCH)."""
    background = _rgb(_BACKGROUND)
    labels = [_oklch((0.80, 0.64, 0.90)[label % 3], 0.135, label * _GOLDEN_ANGLE) for label in LABELS]
    return np.array([background, *labels], np.uint8)


def _oklch(lightness: float, chroma: float, hue_degrees: float) -> tuple[int, ...]:
    """Convert OKLCH to 8-bit sRGB (matrices: B. Ottosson, A perceptual color space for image processing, 2020)."""
    a, b = chroma * np.cos(np.radians(hue_degrees)), chroma * np.sin(np.radians(hue_degrees))
    cones = (
        np.array(
            [
                lightness + 0.3963377774 * a + 0.2158037573 * b,
                lightness - 0.1055613458 * a - 0.0638541728 * b,
                lightness - 0.0894841775 * a - 1.2914855480 * b,
            ]
        )
        ** 3
    )
    linear = np.clip(_CONES_TO_SRGB @ cones, 0, 1)
    srgb = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return tuple(np.rint(255 * srgb).astype(int).tolist())


def _rgb(colour: str) -> tuple[int, ...]:
    return tuple(int(colour[i : i + 2], 16) for i in (1, 3, 5))


_CONES_TO_SRGB: Final = np.array(
    [
        [4.0767416621, -3.3077115913, 0.2309699292],
        [-1.2684380046, 2.6097574011, -0.3413193965],
        [-0.0041960863, -0.7034186147, 1.7076147010],
    ]
)
PALETTE: Final = _colours()
"""`(26, 3)` colour of each label, that of the background first; told apart on dark ground."""

_DIFFERENCE_PALETTE: Final = np.array([_rgb(_BACKGROUND), *map(_rgb, DIFFERENCES.values())], np.uint8)
_FONT: Final = ImageFont.load_default(11 * SCALE)
_SMALL_FONT: Final = ImageFont.load_default(10 * SCALE)
