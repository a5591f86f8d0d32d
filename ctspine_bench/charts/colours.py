"""Colours of continuous scales, and what can be read on them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

GOODNESS: Final = ("#f9f1b5", "#c3e3b3", "#7cc8bb", "#3a9fc0", "#2568a9", "#123a7d")
"""From bad to good, evenly spaced: ever darker, so that people with any colour vision see the order. After YlGnBu of
ColorBrewer; its ends are moved inwards, to be told from a white and from a black page."""

_DARK_INK: Final = "#000000"
_LIGHT_INK: Final = "#ffffff"


def colours_of(values: NDArray[np.float64], low: float, high: float) -> list[tuple[float, float, float]]:
    """Return the colours (red, green, blue from 0 to 255) of values on the scale `GOODNESS`; of NaN, its lowest."""
    stops = np.array([_rgb(stop) for stop in GOODNESS])
    at = np.nan_to_num((np.clip(values, low, high) - low) / (high - low)) * (len(stops) - 1)
    channels = [np.interp(at, np.arange(len(stops)), channel) for channel in stops.T]
    return [(float(red), float(green), float(blue)) for red, green, blue in zip(*channels, strict=True)]


def readable_on(colour: tuple[float, float, float]) -> str:
    """Return black or white, whichever has more contrast with a colour (WCAG 2.2)."""
    ground = _luminance(colour)
    dark, light = _luminance(_rgb(_DARK_INK)), _luminance(_rgb(_LIGHT_INK))
    return _DARK_INK if (ground + 0.05) / (dark + 0.05) > (light + 0.05) / (ground + 0.05) else _LIGHT_INK


def _rgb(colour: str) -> tuple[float, float, float]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _luminance(colour: tuple[float, float, float]) -> float:
    red, green, blue = (
        channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4
        for channel in (part / 255 for part in colour)
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
