"""The export: which files there are, that they hang together, and that they say what the records say."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from board_records import change_results
from exported_sites import CREATED, Page, Site, all_addresses, export, is_outside
from made_boards import Quality, make_board

from ctspine_bench.board import Board
from ctspine_bench.board.cache import Cache
from ctspine_leaderboard.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

SETS = ("phantom-public", "phantom-private", "phantom-verse")
SLUGS = ("alpha", "beta", "gamma", "delta")
REAL_BOARD = Path(__file__).parents[2] / "submissions"


def rows_of(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))


def board_of(submissions: Path, tmp_path: Path) -> Board:
    return Board(submissions, cache=Cache(tmp_path / "cache"))


def test_there_is_a_page_for_every_test_set_and_submission(exported: Site) -> None:
    """Standings, Domain gap, Vertebrae and each submission have a page for each test set, and one to begin with."""
    pages = {"index.html"}
    pages |= {f"{page}/{name}.html" for page in ("standings", "domain-gap", "vertebrae") for name in SETS}
    pages |= {f"submissions/{slug}/{name}.html" for slug in SLUGS for name in ("index", *SETS)}
    assert exported.pages.keys() == pages
    others = {"feed.xml", "standings.json", "export.json", "plotly.min.js", "site.css", "site.js", "icon.svg"}
    assert others | {f"submissions/{slug}/badge.svg" for slug in SLUGS} <= exported.files().keys()


def test_the_listing_names_every_file(exported: Site) -> None:
    """export.json lists all files, itself included: by this a later export knows what it may replace."""
    listed = json.loads(exported.files()["export.json"])
    assert sorted(listed["files"]) == sorted(exported.files())
    assert listed["created"] == CREATED.isoformat()


def test_every_link_and_resource_is_a_file_of_the_export(exported: Site) -> None:
    """All relative addresses lead to files that are there, written in full; nothing leads out of the folder."""
    for page, address in all_addresses(exported):
        if address.startswith("#"):
            assert address[1:] in {attributes.get("id") for _, attributes in page.tags}
        elif not is_outside(address):
            target = page.file(address)
            assert target.is_file(), f"{page.path}: {address}"
            assert target.is_relative_to(exported.folder.resolve())


def test_every_page_can_be_reached_from_the_first(exported: Site) -> None:
    """Links from index.html lead to every page, step by step."""
    seen, waiting = set(), {"index.html"}
    while waiting:
        name = waiting.pop()
        seen.add(name)
        page = exported.pages[name]
        targets = {page.file(address) for address in page.links() if not is_outside(address)}
        waiting |= {key for key, other in exported.pages.items() if other.path.resolve() in targets} - seen
    assert seen == exported.pages.keys()


def test_nothing_is_loaded_from_elsewhere(exported: Site) -> None:
    """Pages load files of the export and pictures within themselves; so does the style sheet."""
    for page in exported.pages.values():
        assert {address.split(":")[0] for address in page.loaded() if is_outside(address)} <= {"data"}
        assert len(
            [tag for tag, attributes in page.tags if attributes.get("src", "").endswith("plotly.min.js")]
        ) == bool(page.figures)
    sheet = exported.files()["site.css"].decode()
    assert "url(" not in sheet
    assert "@import" not in sheet


def test_the_browser_is_told_to_load_nothing_else(exported: Site) -> None:
    """Every page has a policy that forbids what it does not need, and holds no script of its own."""
    for page in exported.pages.values():
        (policy,) = [
            attributes["content"]
            for tag, attributes in page.tags
            if attributes.get("http-equiv") == "Content-Security-Policy"
        ]
        rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
        assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == "'none'"
        assert rules["script-src"] == "'self' file:"
        scripts = [attributes for tag, attributes in page.tags if tag == "script"]
        assert all("src" in each or each["type"] == "application/json" for each in scripts)
        assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on")]


def test_ids_are_there_once_and_every_figure_has_its_place(exported: Site) -> None:
    """No id is given twice on a page; each figure's data has an element of its name, with a description."""
    for page in exported.pages.values():
        ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
        assert len(ids) == len(set(ids))
        drawn = {attributes["id"]: attributes for _, attributes in page.tags if attributes.get("class") == "figure"}
        assert drawn.keys() == page.figures.keys()
        assert all(each["aria-label"] for each in drawn.values())
        assert all(figure["data"] for figure in page.figures.values())


@pytest.mark.parametrize("name", SETS)
def test_the_chosen_test_set_is_marked(exported: Site, name: str) -> None:
    """On each page the selector of test sets offers all three and marks the one that the page is about."""
    for page in ("standings", "domain-gap", "vertebrae", "submissions/beta"):
        found = exported.pages[f"{page}/{name}.html"]
        targets = [address for address in found.links() if found.file(address).stem in SETS]
        assert {found.file(address).stem for address in targets} == set(SETS)
        marked = [
            found.file(attributes["href"])
            for tag, attributes in found.tags
            if tag == "a" and attributes.get("aria-current")
        ]
        assert found.path.resolve() in marked


def test_the_first_page_is_the_official_order(exported: Site) -> None:
    """With the organizers' standings index.html shows the private test set, and says that this order counts."""
    home, private = exported.pages["index.html"], exported.pages["standings/phantom-private.html"]
    assert home.text == private.text
    assert "The official order, by Mean of Vertebrae DSC." in home.text
    assert "Not the official order." in exported.pages["standings/phantom-public.html"].text


def test_standings_are_those_of_the_records(exported: Site, made_folder: Path) -> None:
    """CSV and JSON hold Mean of Vertebrae as it follows from the rows of the records; the page shows its digits."""
    expected = {}
    for slug in SLUGS:
        rows = pd.read_parquet(made_folder / "submissions" / slug / "cases.parquet")
        rows = rows[(rows["test_set"] == "phantom-public") & (rows["row"] == "vertebra")]
        expected[slug] = float(rows.groupby("vertebra")["dsc"].mean().mean())
    name = "standings/phantom-public/standings-phantom-public-mean-then-rank-dsc-all"
    table = rows_of(exported.files()[f"{name}.csv"])
    document = json.loads(exported.files()[f"{name}.json"])
    assert [row["slug"] for row in table] == [row["slug"] for row in document["rows"]] == list(SLUGS)
    for row, other in zip(table, document["rows"], strict=True):
        assert float(row["dsc"]) == pytest.approx(expected[row["slug"]], abs=1e-12)
        assert other["dsc"] == pytest.approx(expected[row["slug"]], abs=1e-12)
        assert f"{expected[row['slug']]:.3f}" in exported.pages["standings/phantom-public.html"].text
    assert rb"\begin{tabular}" in exported.files()[f"{name}.tex"]


def test_variants_of_a_table_are_folded(exported: Site) -> None:
    """Nothing can be chosen in a file: every variant is there, folded, under its own heading."""
    text = exported.pages["submissions/gamma/index.html"].text
    assert "The paper's layout, this benchmark's rule" in text
    source = exported.files()["submissions/gamma/index.html"].decode()
    assert source.count('<details class="cb-more">') == source.count("Variant of this benchmark&#39;s rule: ") == 5


def test_every_table_is_offered_as_csv_and_json(exported: Site) -> None:
    """Wherever a page offers CSV it offers JSON of the same name, and both hold the same number of rows."""
    n_pairs = 0
    for page in exported.pages.values():
        for address in page.links():
            if not address.endswith(".csv"):
                continue
            other = re.sub(r"csv$", "json", address)
            assert other in page.links()
            n_rows = len(rows_of(page.file(address).read_bytes()))
            assert n_rows == len(json.loads(page.file(other).read_bytes())["rows"])
            n_pairs += 1
    assert n_pairs >= 2 * len(exported.pages)


def test_the_gap_table_has_all_submissions_the_best_first(exported: Site) -> None:
    """Figures of Domain gap are about the first three; the table and its files are about everybody."""
    rows = rows_of(exported.files()["domain-gap/phantom-verse/domain-gap.csv"])
    assert [row["slug"] for row in rows if row["test_set"] == "phantom-verse"] == list(SLUGS)
    page = exported.pages["domain-gap/phantom-verse.html"]
    found = exported.board.standings("phantom-private").standings
    assert found
    first = [f"waterfall-{row.slug}" for row in found.rows[:3]]
    assert [key for key in page.figures if key.startswith("waterfall")] == first
    assert "the table of gaps has all submissions" in page.text
    assert not [key for key in exported.pages["domain-gap/phantom-public.html"].figures if "waterfall" in key]


def test_of_a_private_test_set_no_case_is_named(exported: Site) -> None:
    """No file has the id of a private case, not even in a figure; public ones are there, so the search works."""
    everything = b"".join(exported.files().values())
    assert b"made-public-003" in everything
    assert b"made-verse-003" in everything
    assert b"made-private-" not in everything
    assert not exported.pages["submissions/alpha/phantom-private.html"].figures


def test_standings_json_can_be_shown_by_another_host(exported: Site, tmp_path: Path) -> None:
    """standings.json holds the organizers' private standings as well: another board reads them from it."""
    path = tmp_path / "standings.json"
    path.write_bytes(exported.files()["standings.json"])
    other = Board(exported.board.folder, path, Cache(tmp_path / "cache"))
    found = other.standings("phantom-private").standings
    assert found == exported.board.standings("phantom-private").standings
    assert found
    assert json.loads(path.read_bytes())["created"] == CREATED.isoformat()


def test_the_same_board_gives_the_same_files(made_folder: Path, tmp_path: Path) -> None:
    """Two exports at the same time are equal byte by byte, the second with a cache that the first has filled."""
    shutil.copytree(made_folder / "submissions" / "alpha", tmp_path / "submissions" / "alpha")
    one, two = (export(board_of(tmp_path / "submissions", tmp_path), tmp_path / name) for name in ("one", "two"))
    assert one.files() == two.files()


def test_an_empty_board_has_all_pages(tmp_path: Path) -> None:
    """Without a submission every page of the official test sets is there and says so; the feed is empty."""
    site = export(board_of(tmp_path / "nothing", tmp_path), tmp_path / "site")
    names = ("public", "private", "verse")
    pages = {f"{page}/{name}.html" for page in ("standings", "domain-gap", "vertebrae") for name in names}
    assert site.pages.keys() == {"index.html", *pages}
    assert all("There is no submission yet." in page.text for page in site.pages.values())
    for page, address in all_addresses(site):
        assert is_outside(address) or address.startswith("#") or page.file(address).is_file()
    assert b"<entry>" not in site.files()["feed.xml"]


def test_the_published_row_is_shown_as_published(tmp_path: Path) -> None:
    """The board of the repository: numbers of the paper, not ranked, nothing about cases, and a page of its own."""
    shutil.copytree(REAL_BOARD / "nnunet-paper", tmp_path / "submissions" / "nnunet-paper")
    site = export(board_of(tmp_path / "submissions", tmp_path), tmp_path / "site")
    assert "as published" in site.pages["standings/public.html"].text
    assert "0.869" in site.pages["standings/public.html"].text
    page = site.pages["submissions/nnunet-paper/index.html"]
    assert "As published: not scored by this benchmark, and therefore not ranked." in page.text
    assert not page.figures
    assert "https://arxiv.org/abs/2105.14711" in page.links()
    assert site.pages["vertebrae/public.html"].figures
    assert "0.250" in site.pages["domain-gap/verse.html"].text


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda folder: (folder / "results.json").write_text("{"), "The record is broken."),
        (
            lambda folder: change_results(folder, lambda results: results.update(schema_version=99)),
            "The record is of a newer version of ctspine-bench than this one.",
        ),
    ],
    ids=["broken", "newer"],
)
def test_one_bad_record_is_shown_as_what_it_is(tmp_path: Path, damage: Callable[[Path], object], told: str) -> None:
    """It has a page with what is wrong; the others are ranked as before, and every page says that it is left out."""
    make_board(tmp_path, {"good": Quality(), "bad": Quality(0.2)}, n_cases=10)
    damage(tmp_path / "submissions" / "bad")
    site = export(board_of(tmp_path / "submissions", tmp_path), tmp_path / "site")
    bad = site.pages["submissions/bad/index.html"]
    assert told in bad.text
    assert not bad.figures
    assert {name for name in site.pages if name.startswith("submissions/bad/")} == {"submissions/bad/index.html"}
    assert "bad is left out:" in site.pages["index.html"].text
    rows = rows_of(site.files()["standings/phantom-public/standings-phantom-public-mean-then-rank-dsc-all.csv"])
    assert [(row["slug"], row["rank"]) for row in rows] == [("good", "1.0"), ("bad", "")]


def test_worst_cases_have_pictures_where_volumes_are_at_hand(volumes_folder: Path, tmp_path: Path) -> None:
    """A submission's pages about public sets show its worst cases beside the reference; private ones never do."""
    settings = Settings(
        volumes_folder / "submissions", None, volumes_folder / "benchmark", volumes_folder / "predictions"
    )
    board = board_of(settings.submissions, tmp_path)
    with_pictures = export(board, tmp_path / "with", settings=settings)
    without = export(board, tmp_path / "without")
    name = "submissions/renamed/phantom-public.html"

    def pictures(page: Page) -> list[str]:
        return [attributes["alt"] for tag, attributes in page.tags if attributes.get("class") == "cb-picture"]

    shown = pictures(with_pictures.pages[name])
    assert [alt for alt in shown if alt.startswith("Reference, sagittal")]
    assert [alt for alt in shown if alt.startswith("renamed, coronal")]
    assert pictures(without.pages[name]) == []
    assert pictures(with_pictures.pages["submissions/renamed/phantom-private.html"]) == []
    assert b"secret-1" not in b"".join(with_pictures.files().values())
