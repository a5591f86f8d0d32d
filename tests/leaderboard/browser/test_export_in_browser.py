"""The export opened from disk in Chromium: it draws, links, switches, and can be used without a mouse."""

from __future__ import annotations

import re
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Literal

import pytest
from playwright.sync_api import expect

if TYPE_CHECKING:
    from collections.abc import Callable

    from browser import Visit
    from exported_sites import Site
    from playwright.sync_api import Page

    Open = Callable[..., Visit]

PAGES = (
    "index.html",
    "standings/phantom-verse.html",
    "domain-gap/phantom-private.html",
    "domain-gap/phantom-verse.html",
    "vertebrae/phantom-public.html",
    "submissions/gamma/phantom-public.html",
    "submissions/gamma/phantom-private.html",
)


class _Quiet(SimpleHTTPRequestHandler):
    """A file server that tells nobody what it does."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the server's signature
        """Say nothing."""


def address(site: Site, page: str) -> str:
    return (site.folder / page).as_uri()


def wait_until_drawn(page: Page) -> None:
    """Wait until every figure has been drawn."""
    # A function: an expression would be evaluated again and again, which the policy of the pages forbids.
    page.wait_for_function(
        """() => document.readyState === "complete" &&
          [...document.querySelectorAll(".figure")].every((each) => each._fullLayout && each.querySelector(".main-svg"))
        """
    )


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
@pytest.mark.parametrize("name", PAGES)
def test_pages_open_from_disk(
    open_in_browser: Open, exported: Site, name: str, width: int, scheme: Literal["light", "dark"]
) -> None:
    """Every figure is drawn, nothing goes wrong, nothing sticks out, and axe finds nothing serious."""
    visit = open_in_browser(address(exported, name), width=width, scheme=scheme)
    wait_until_drawn(visit.page)
    assert visit.page.locator(".figure").count() == len(exported.pages[name].figures)
    assert visit.overflow() == 0
    assert visit.serious_findings() == []
    assert visit.problems == []


def test_one_can_go_through_the_board(open_in_browser: Open, exported: Site) -> None:
    """From the standings to another test set, to Vertebrae on it, to a submission, and back by its table."""
    visit = open_in_browser(address(exported, "index.html"))
    page = visit.page
    expect(page.get_by_role("heading", level=1)).to_have_text("CTSpine1K leaderboard")
    page.get_by_role("navigation", name="Test set").get_by_role("link", name="VerSe").click()
    expect(page.get_by_role("navigation", name="Test set").locator("[aria-current]")).to_have_text("VerSe (phantom)")
    page.get_by_role("navigation", name="Pages").get_by_role("link", name="Vertebrae").click()
    expect(page).to_have_url(address(exported, "vertebrae/phantom-verse.html"))
    page.go_back()
    page.get_by_role("link", name="beta").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("beta")
    expect(page.get_by_role("img", name=re.compile(r"^CTSpine1K phantom: beta, rank 2 of 4"))).to_be_visible()
    page.get_by_role("link", name="Private (phantom)").last.click()
    expect(page).to_have_url(address(exported, "standings/phantom-private.html"))
    page.get_by_role("link", name="CTSpine1K").first.click()
    expect(page).to_have_url(address(exported, "index.html"))
    assert visit.problems == []


def test_any_static_host_will_do(open_in_browser: Open, exported: Site) -> None:
    """Served by a plain file server, pages draw as well, and their links give CSV and JSON under telling names."""
    handler = partial(_Quiet, directory=str(exported.folder))
    with ThreadingHTTPServer(("localhost", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        visit = open_in_browser(f"http://localhost:{server.server_port}/standings/phantom-public.html")
        wait_until_drawn(visit.page)
        for title, ending in (("CSV", "csv"), ("JSON", "json")):
            with visit.page.expect_download() as waiting:
                visit.page.get_by_role("link", name=title, exact=True).first.click()
            name = f"standings-phantom-public-mean-then-rank-dsc-all.{ending}"
            assert waiting.value.suggested_filename == name
            assert waiting.value.path().read_bytes() == exported.files()[f"standings/phantom-public/{name}"]
        assert visit.problems == []
        server.shutdown()


def test_the_theme_can_be_changed_and_stays(open_in_browser: Open, exported: Site) -> None:
    """A button turns a light page dark, figures included; the next page is dark as well."""
    visit = open_in_browser(address(exported, "index.html"))
    page = visit.page
    wait_until_drawn(page)

    def colours() -> list[str]:
        return page.evaluate(
            "[getComputedStyle(document.body).backgroundColor,"
            " document.querySelector('.figure')._fullLayout.font.color]"
        )

    before = colours()
    page.get_by_role("button", name="Dark theme").click()
    after = colours()
    assert before[0] == "rgb(255, 255, 255)"
    assert before[0] != after[0]
    assert before[1] != after[1]
    page.get_by_role("link", name="Domain gap").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Domain gap")
    wait_until_drawn(page)
    assert colours() == after
    expect(page.get_by_role("button", name="Light theme")).to_be_visible()
    assert visit.problems == []


def test_without_scripts_the_tables_are_there(chromium: object, exported: Site) -> None:
    """With scripts switched off, tables, links and a hint to the files remain."""
    context = chromium.new_context(java_script_enabled=False)  # type: ignore[attr-defined]
    page = context.new_page()
    page.goto(address(exported, "standings/phantom-public.html"))
    expect(page.get_by_role("row", name=re.compile("alpha"))).to_be_visible()
    expect(page.get_by_text("Figures are drawn by a script")).to_be_visible()
    expect(page.locator("button")).to_be_hidden()
    context.close()


def test_the_texts_of_a_badge_are_about_as_wide_as_its_boxes(open_in_browser: Open, exported: Site) -> None:
    """The widths that were guessed squeeze or stretch no text by more than a fifth."""
    visit = open_in_browser(address(exported, "submissions/alpha/badge.svg"))
    guessed, drawn = visit.page.evaluate(
        """() => {
          const texts = [...document.querySelectorAll("text")];
          const guessed = texts.map((text) => text.textLength.baseVal.value);
          texts.forEach((text) => text.removeAttribute("textLength"));
          return [guessed, texts.map((text) => text.getComputedTextLength())];
        }"""
    )
    assert len(drawn) == 2
    for one, other in zip(guessed, drawn, strict=True):
        assert one == pytest.approx(other, rel=0.2)
