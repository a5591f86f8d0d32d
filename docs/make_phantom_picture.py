"""Make docs/images/phantom.png: phantom CT of several sources, with their labels in colour.

Run it from the root of the repository: `python docs/make_phantom_picture.py`.
"""

from __future__ import annotations

import colorsys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ctspine_bench.phantom import make_case
from ctspine_bench.phantom.sources import COLONOG, COVID, HNSCC, MSD

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ctspine_bench.phantom import PhantomCase

PIXELS_PER_MM = 0.88
LENGTH_MM = 440.0
SAGITTAL_MM = (-85.0, 55.0)  # from behind to in front of the spine
CORONAL_MM = (-62.0, 62.0)
BODIES_MM = 12.0  # how far bodies are in front of the middle of the vertebrae
GAP, TITLE = 10, 26
WINDOW_HU = (-250.0, 600.0)
PANELS = (
    (HNSCC, 3, 5, "HNSCC-3DCT-RT"),
    (COVID, 1, 5, "COVID-19"),
    (COLONOG, 4, 6, "COLONOG, with L6"),
    (MSD, 2, 4, "MSD-T10, without L5"),
)


def main() -> None:
    """Draw every panel: mid-sagittal CT, the same with labels, mid-coronal with labels."""
    strips = []
    for profile, seed, n_lumbar, title in PANELS:
        rng = np.random.default_rng(seed)
        spec = profile.draw_spec(rng, size="full", n_lumbar=n_lumbar, image=True)
        x, y, z = spec.spacing_mm
        coarse = replace(spec, shape=(256, 256, spec.shape[2]), spacing_mm=(2 * x, 2 * y, z))
        strips.append(panel(make_case(coarse, rng), title))
    width = sum(strip.width for strip in strips) + GAP * (len(strips) + 1)
    canvas = Image.new("RGB", (width, max(strip.height for strip in strips) + GAP), "black")
    left = GAP
    for strip in strips:
        canvas.paste(strip, (left, 0))
        left += strip.width + GAP
    path = Path(__file__).parent / "images" / "phantom.png"
    path.parent.mkdir(exist_ok=True)
    canvas.quantize(256).save(path, optimize=True)


def panel(case: PhantomCase, title: str) -> Image.Image:
    """Three views of a case beside each other, under a title."""
    found = np.argwhere(case.labels)
    x, y = (round(float(middle)) for middle in np.median(found[:, :2], axis=0))
    bodies = y + round(BODIES_MM / case.grid.spacing_mm[1])
    sagittal, coronal = (1, y, x, SAGITTAL_MM), (0, x, bodies, CORONAL_MM)
    views = [view(case, *sagittal, coloured=False), view(case, *sagittal), view(case, *coronal)]
    strip = Image.new("RGB", (sum(part.width + 2 for part in views), TITLE + max(part.height for part in views)))
    ImageDraw.Draw(strip).text((2, 5), title, fill="white", font=ImageFont.load_default(15))
    left = 0
    for part in views:
        strip.paste(part, (left, TITLE))
        left += part.width + 2
    return strip


def view(
    case: PhantomCase, across: int, middle: int, index: int, window_mm: tuple[float, float], *, coloured: bool = True
) -> Image.Image:
    """One slice: `across` is the axis to the right, `middle` the spine on it, `index` the slice on the other axis."""
    spacing = case.grid.spacing_mm
    low, high = (max(0, middle + round(length / spacing[across])) for length in window_mm)
    first = max(0, case.labels.shape[2] - round(LENGTH_MM / spacing[2]))
    image, labels = (np.take(a, index, axis=1 - across)[low:high, first:] for a in (case.image, case.labels))
    grey = np.clip((image - WINDOW_HU[0]) / (WINDOW_HU[1] - WINDOW_HU[0]), 0, 1)[..., None].repeat(3, axis=-1)
    if coloured:
        grey = np.where(labels[..., None] > 0, 0.35 * grey + 0.65 * colours()[labels], grey)
    pixels = (255 * grey[:, ::-1]).astype(np.uint8).transpose(1, 0, 2)
    if across == 1:
        pixels = pixels[:, ::-1]  # as radiologists look at it: the face to the left
    size = [
        round(n * length * PIXELS_PER_MM) for n, length in zip(image.shape, (spacing[across], spacing[2]), strict=True)
    ]
    return Image.fromarray(np.ascontiguousarray(pixels)).resize((size[0], size[1]), Image.Resampling.BICUBIC)


def colours() -> NDArray[np.float64]:
    """A colour for each label, neighbours far apart."""
    return np.array([colorsys.hsv_to_rgb((label * 0.381966) % 1, 0.65, 1.0) for label in range(26)])


if __name__ == "__main__":
    main()
