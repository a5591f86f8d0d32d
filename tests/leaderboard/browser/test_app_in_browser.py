"""The app as visitors meet it: in a real browser, page after page."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import parse_qs, urlsplit

import pandas as pd
import pytest
from app_server import CASE, app_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from browser import Visit
    from playwright.sync_api import Page

    OpenInBrowser = Callable[..., Visit]

PAGES = {
    "": "CTSpine1K leaderboard",
    "domain-gap": "Domain gap",
    "vertebrae": "Vertebrae",
    "compare": "Compare",
    "submission": "Submission",
    "cases": "Cases",
    "data": "Data",
}
"""The address of each page and its heading."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("app")


@pytest.fixture(scope="module")
def app(folder: Path) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        with app_server(folder) as address:
            yield address


def ready(page: Page) -> None:
    """Wait until the page is there and the app has nothing left to do."""
    page.wait_for_selector("h1", timeout=60_000)
    page.wait_for_function(
        "!document.querySelector('[data-testid=stStatusWidget]') && !document.querySelector('[data-outdated=true]')",
        timeout=60_000,
    )
    page.wait_for_timeout(300)


def problems(visit: Visit) -> list[str]:
    """What went wrong, but for Streamlit's asking below the address of a page where its server is."""
    return [text for text in visit.problems if "404" not in text or "/_stcore/" not in text]


def query(page: Page) -> dict[str, str]:
    return {key: values[0] for key, values in parse_qs(urlsplit(page.url).query).items()}


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")], ids=["wide", "narrow"])
@pytest.mark.parametrize("path", PAGES, ids=lambda path: path or "standings")
def test_every_page_opens_without_a_complaint(
    app: str, open_in_browser: OpenInBrowser, path: str, width: int, scheme: Literal["light", "dark"]
) -> None:
    """Each page has its heading, no error, nothing wider than the window, and no serious finding by axe-core."""
    visit = open_in_browser(f"{app}/{path}", width=width, scheme=scheme)
    ready(visit.page)
    assert visit.page.inner_text("h1") == PAGES[path]
    assert visit.page.locator("[data-testid=stException]").count() == 0
    assert visit.overflow() <= 0
    assert visit.serious_findings() == []
    assert problems(visit) == []


def test_visitors_go_from_page_to_page(app: str, open_in_browser: OpenInBrowser) -> None:
    """The names at the top lead to the pages, and a name in the standings to its submission."""
    visit = open_in_browser(app)
    ready(visit.page)
    visit.page.get_by_role("link", name="Compare").click()
    visit.page.wait_for_url("**/compare*")
    ready(visit.page)
    assert visit.page.inner_text("h1") == "Compare"
    visit.page.get_by_role("link", name="Standings").click()
    visit.page.wait_for_selector(".cb-table")
    visit.page.locator(".cb-table a", has_text="gamma").first.click()
    visit.page.wait_for_url("**/submission?id=gamma")
    ready(visit.page)
    assert "gamma" in visit.page.inner_text("[data-testid=stMain]")
    assert problems(visit) == []


def test_a_selector_changes_the_page_and_its_address_and_back_goes_back(
    app: str, open_in_browser: OpenInBrowser
) -> None:
    """What is chosen is in the address; taken out there by the browser's history, it is taken back on the page."""
    visit = open_in_browser(f"{app}/?set=phantom-public")
    ready(visit.page)
    assert "24 cases" in visit.page.inner_text("[data-testid=stMain]")
    visit.page.get_by_role("combobox", name="Test set").click()
    visit.page.get_by_role("option", name="VerSe (phantom)").click()
    visit.page.wait_for_url("**set=phantom-verse**")
    ready(visit.page)
    assert "12 cases" in visit.page.inner_text("[data-testid=stMain]")
    visit.page.go_back()
    visit.page.wait_for_function("document.querySelector('[data-testid=stMain]').innerText.includes('24 cases')")
    assert query(visit.page) == {"set": "phantom-public"}


def test_what_is_downloaded_is_what_is_shown(app: str, open_in_browser: OpenInBrowser, folder: Path) -> None:
    """The CSV file of the standings holds Mean of Vertebrae as it follows from the rows of the record."""
    visit = open_in_browser(f"{app}/?set=phantom-public")
    ready(visit.page)
    with visit.page.expect_download() as waiting:
        visit.page.get_by_role("button", name="CSV").first.click()
    download = waiting.value
    assert download.suggested_filename == "standings-phantom-public-mean-then-rank-dsc-all.csv"
    rows = list(csv.DictReader(io.StringIO(Path(download.path()).read_text("utf-8-sig"))))
    cases = pd.read_parquet(folder / "submissions" / "alpha" / "cases.parquet")
    cases = cases[(cases["test_set"] == "phantom-public") & (cases["row"] == "vertebra")]
    mean = cases[cases["status"] != "spurious"].groupby("vertebra")["dsc"].mean().mean()
    assert rows[0]["slug"] == "alpha"
    assert float(rows[0]["dsc"]) == pytest.approx(mean, abs=1e-9)


def test_the_private_set_is_ranked_from_the_organizers_file(app: str, open_in_browser: OpenInBrowser) -> None:
    """With standings.json the private set opens first, in the official order."""
    visit = open_in_browser(app)
    ready(visit.page)
    text = visit.page.inner_text("[data-testid=stMain]")
    assert "Private (phantom)" in text
    assert "The official order, by Mean of Vertebrae DSC." in text
    names = visit.page.locator(".cb-table tbody a").all_inner_texts()
    assert names[:2] == ["alpha", "beta"]


def test_a_case_on_the_disk_has_pictures(app: str, open_in_browser: OpenInBrowser) -> None:
    """Where the volumes of a case are at hand, it is drawn, with a slider through its slices."""
    visit = open_in_browser(f"{app}/cases?set=phantom-public&case={CASE}&view=axial")
    ready(visit.page)
    visit.page.wait_for_selector("[data-testid=stMain] img", timeout=30_000)
    assert visit.page.get_by_role("slider").count() >= 1
    assert problems(visit) == []


def test_no_private_case_is_shown(app: str, open_in_browser: OpenInBrowser) -> None:
    """The page of cases does not open for a private set, and names none of its cases."""
    visit = open_in_browser(f"{app}/cases?set=phantom-private&case=made-private-000")
    ready(visit.page)
    assert visit.page.locator("[data-testid=stException]").count() == 0
    assert "made-private" not in visit.page.inner_text("[data-testid=stMain]").replace("case = “made-private-000”", "")


def test_a_new_record_is_seen_without_a_restart(app: str, open_in_browser: OpenInBrowser, folder: Path) -> None:
    """A folder that appears is on the board at the next visit, and gone when it is gone."""
    broken = folder / "submissions" / "zeta"
    broken.mkdir()
    try:
        visit = open_in_browser(app)
        ready(visit.page)
        assert "zeta is left out" in visit.page.inner_text("[data-testid=stMain]")
    finally:
        broken.rmdir()
    visit.page.reload()
    ready(visit.page)
    assert "zeta" not in visit.page.inner_text("[data-testid=stMain]")
