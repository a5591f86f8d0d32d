"""Make the pictures of the leaderboard in README.md and docs/baselines.md, from the demo's submissions.

`ctspine-bench demo demo`, then `ctspine-bench leaderboard` with the options that it prints, then, in another terminal:
`python docs/make_leaderboard_pictures.py http://localhost:8501`.
"""

from __future__ import annotations

import argparse
import io
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from PIL import Image
from playwright.sync_api import sync_playwright

if TYPE_CHECKING:
    from playwright.sync_api import Page

_IMAGES: Final = Path(__file__).parent / "images"
_WIDTH: Final = 1200
_SCALE: Final = 1.5
_COLOURS: Final = 128

_PICTURES: Final[tuple[tuple[str, str, Literal["light", "dark"], int], ...]] = (
    ("leaderboard-standings", "?set=phantom-public", "light", 1010),
    (
        "leaderboard-domain-gap",
        "domain-gap?ids=shift-from-level,missed-partial,boundary-noise&id=shift-from-level&to=phantom-verse",
        "dark",
        860,
    ),
    (
        "leaderboard-trained",
        "domain-gap?ids=nnunet-phantom,nnunet-phantom-largest-component&id=nnunet-phantom&to=phantom-verse",
        "light",
        860,
    ),
)
"""Name, address, theme, and how many pixels from the top."""


def main() -> None:
    """Open each page and write its picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("address", help="of the leaderboard")
    parser.add_argument("--chromium", default="/usr/bin/chromium", help="[default: %(default)s]")
    options = parser.parse_args()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=options.chromium, args=["--no-sandbox", "--headless"])
        for name, path, scheme, height in _PICTURES:
            context = browser.new_context(
                viewport={"width": _WIDTH, "height": height}, color_scheme=scheme, device_scale_factor=_SCALE
            )
            _write(_opened(context.new_page(), f"{options.address}/{path}"), name)
            context.close()
        browser.close()


def _opened(page: Page, address: str) -> Page:
    page.goto(address)
    page.wait_for_selector(".js-plotly-plot")
    page.wait_for_timeout(3000)
    return page


def _write(page: Page, name: str) -> None:
    image = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    image.quantize(_COLOURS, dither=Image.Dither.NONE).save(_IMAGES / f"{name}.png", optimize=True)


if __name__ == "__main__":
    main()
