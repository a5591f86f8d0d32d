"""The page about the data in all its states."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from case_results import case, mask

from ctspine_bench.aggregate import summarise
from ctspine_bench.evaluate import SubmissionScore
from ctspine_bench.hosting.simulated import write_simulated_record
from ctspine_bench.hosting.store import PrivateStore
from ctspine_bench.provenance import Settings
from ctspine_bench.tables import case_table
from ctspine_bench.testsets import phantom

if TYPE_CHECKING:
    from collections.abc import Callable

    from streamlit.testing.v1 import AppTest

OFFICIAL = Path(__file__).parents[2] / "submissions"
FILES = ("data-test-sets", "data-paper", "data-split", "data-metrics", "data-policies", "data-variants", "data-errata")


def page(app: AppTest) -> str:
    assert not app.exception
    return "\n".join(block.value for block in app.get("html"))


def test_everything_is_there_and_can_be_taken_away(open_page: Callable[..., AppTest]) -> None:
    """Test sets, the paper, metrics, policies, errata, how to submit, licence and citation; a file of each table."""
    app = open_page("dataset")
    html = page(app)
    for heading in (
        "Test sets",
        "The whole data set",
        "What is measured",
        "The official rule: missing and extra vertebrae",
        "Its variants",
        "How sure is that?",
        "Known errors of references",
        "How to submit",
        "Licence and citation",
    ):
        assert f"<h2>{heading}</h2>" in html
    names = [button.proto.id.partition("download-")[2] for button in app.get("download_button")]
    assert names == [
        f"{name}.{ending}"
        for name in FILES
        for ending in ("csv", "json", "tex")
        if (name, ending) != ("data-split", "tex")
    ]
    commands, citation = (block.value for block in app.code)
    assert commands.startswith("ctspine-bench submission pack")
    assert citation.startswith("@misc{deng2024ctspine1k")


def test_verse_is_explained_where_it_is_shown(open_page: Callable[..., AppTest], tmp_path: Path) -> None:
    """On the official test sets, also of an empty board; phantoms need no such note."""
    for submissions in (OFFICIAL, tmp_path / "none"):
        html = page(open_page("dataset", submissions=submissions))
        assert "Which annotation of VerSe?" in html
        assert "0.766" in html
        assert "Nobody is ranked on Public and VerSe yet" in html
    assert "Which annotation of VerSe?" not in page(open_page("dataset"))


@pytest.mark.parametrize("state", ["missing", "empty", "broken"])
def test_the_page_needs_no_submission(
    open_page: Callable[..., AppTest], made_folder: Path, tmp_path: Path, state: str
) -> None:
    """The data are what they are."""
    folder = tmp_path / "submissions"
    if state == "empty":
        folder.mkdir()
    if state == "broken":
        shutil.copytree(made_folder / "submissions" / "alpha", folder / "alpha")
        (folder / "alpha" / "results.json").write_text("{")
    html = page(open_page("dataset", submissions=folder))
    assert ">197<" in html
    assert ">198<" in html
    assert ("alpha is left out" in html) == (state == "broken")


def test_no_private_case_is_named(open_page: Callable[..., AppTest]) -> None:
    """Made private cases are called so."""
    assert "made-private" not in page(open_page("dataset"))


def test_hostile_sources_are_shown_as_what_they_are(open_page: Callable[..., AppTest], tmp_path: Path) -> None:
    """A source is a text out of a record."""
    results = [case("a", mask("T1", 0.9, 1.0), source="<img src=x onerror=alert(1)>\u202e")]
    table = case_table(results, "phantom-public")
    score = SubmissionScore(phantom("phantom-public"), tuple(results), table, summarise(table), (), 0, Settings())
    write_simulated_record(tmp_path / "submissions" / "one", "Made.", [score], PrivateStore(tmp_path / "store"))
    html = page(open_page("dataset", submissions=tmp_path / "submissions"))
    assert "&lt;img src=x onerror=alert(1)&gt;" in html
    assert "<img" not in html
    assert "\u202e" not in html
