"""Pages in a real browser: headless Chromium, as `open_in_browser("file:///…")`.

Whatever goes wrong in a page while a test looks at it is kept in `Visit.problems`.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, Page, Request, Route

_NAMES = ("chromium", "google-chrome", "/usr/bin/chromium")
_HERE = {"localhost", "127.0.0.1", "::1"}


@dataclass
class Visit:
    """A page that is open in the browser.

    Attributes:
        page: Playwright's page.
        problems: Errors of its scripts, what it wrote to the console as an error, files that were not there, and
            requests to other hosts than this machine, none of which is answered.
    """

    page: Page
    problems: list[str] = field(default_factory=list)

    def serious_findings(self) -> list[str]:
        """What axe-core finds about accessibility that is serious or critical, with the element that it is about."""
        # It must not fetch style sheets itself, which pages may forbid.
        options = {"resultTypes": ["violations"], "preload": False}
        found: list[dict[str, Any]] = Axe().run(self.page, options=options).response["violations"]
        return [
            f"{violation['id']}: {node['html'][:200]}"
            for violation in found
            if violation["impact"] in {"serious", "critical"}
            for node in violation["nodes"]
        ]

    def overflow(self) -> int:
        """By how many pixels the page is wider than its window."""
        return int(self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Chromium, started anew for each module of tests: its event loop must not be there for others."""
    path = next(filter(None, map(shutil.which, _NAMES)), None)
    if path is None:
        missing = pytest.fail if os.environ.get("CI") else pytest.skip
        missing(f"needs a browser on the PATH: one of {', '.join(_NAMES)}")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path,
            args=["--no-sandbox", "--headless", "--disable-gpu", "--disable-background-networking"],
        )
        yield browser
        browser.close()


@pytest.fixture
def open_in_browser(chromium: Browser) -> Iterator[Callable[..., Visit]]:
    """Open an address in a window of its own: `open_in_browser(address, width=390, scheme="dark")`."""
    contexts = []

    def opened(
        address: str, *, width: int = 1280, height: int = 900, scheme: Literal["light", "dark"] = "light"
    ) -> Visit:
        context = chromium.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme, accept_downloads=True
        )
        contexts.append(context)
        visit = Visit(context.new_page())
        _watch(visit)
        visit.page.goto(address)
        return visit

    yield opened
    for context in contexts:
        context.close()


def _watch(visit: Visit) -> None:
    def answer(route: Route) -> None:
        parts = urlsplit(route.request.url)
        if parts.scheme in {"http", "https"} and parts.hostname not in _HERE:
            visit.problems.append(f"asked another host: {route.request.url}")
            route.abort()
        else:
            route.continue_()

    def failed(request: Request) -> None:
        # Whoever leaves a page stops what it was still loading.
        if request.failure != "net::ERR_ABORTED":
            visit.problems.append(f"not there: {request.url}")

    visit.page.route("**/*", answer)
    visit.page.on("pageerror", lambda error: visit.problems.append(f"script: {error}"))
    visit.page.on(
        "console",
        lambda message: (
            visit.problems.append(f"console: {message.text} {message.location['url']}")
            if message.type == "error"
            else None
        ),
    )
    visit.page.on("requestfailed", failed)
