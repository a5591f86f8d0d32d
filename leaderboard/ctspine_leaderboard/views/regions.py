"""The regions of the spine, as pages offer and name them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ctspine_bench.rankings.paired import REGIONS

if TYPE_CHECKING:
    from collections.abc import Mapping


def title(region: str) -> str:
    """Return what people call a region."""
    return "Whole spine" if region == "all" else region.capitalize()


def options() -> Mapping[str, str]:
    """Return region → title."""
    return {region: title(region) for region in REGIONS}


def within(region: str) -> str:
    """Return " of the lumbar spine" and the like; empty for the whole."""
    return "" if region == "all" else f" of the {region} spine"
