"""The page of the domain gap: what it shows in which state, and what it offers."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from board_records import PRIVATE, PUBLIC, VERSE, change_results

from ctspine_bench.board.document import standings_document
from ctspine_bench.board.private import private_standings
from ctspine_bench.hosting.store import PrivateStore
from ctspine_leaderboard import downloads, frame

if TYPE_CHECKING:
    from collections.abc import Callable

    from streamlit.testing.v1 import AppTest

    from ctspine_bench.board import Board

    OpenPage = Callable[..., AppTest]

REAL = Path(__file__).parents[2] / "submissions"


@pytest.fixture(scope="module")
def organizers_file(made_board: Board, made_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the organizers of the made board publish."""
    board = made_board.with_private(private_standings(made_board, PrivateStore(made_folder / "private-store")))
    path = tmp_path_factory.mktemp("told") / "standings.json"
    path.write_text(json.dumps(standings_document(board)))
    return path


@pytest.fixture
def offered(monkeypatch: pytest.MonkeyPatch) -> dict[str, dict[str, Any]]:
    """Name of a file → what the page offers under it: `table`, `about` and the rest."""
    found: dict[str, dict[str, Any]] = {}

    def offer(table: Any, about: Any, name: str, **others: Any) -> None:
        found[name] = {"table": table, "about": about, **others}

    monkeypatch.setattr(frame, "offer", offer)
    return found


def blocks(app: AppTest) -> str:
    return "\n".join(block.value for block in app.get("html"))


def test_the_page_shows_gaps_and_where_they_come_from(open_page: OpenPage, organizers_file: Path) -> None:
    """Opened without a state: the first three on the private set, four figures, files, and what the score is."""
    app = open_page("domain_gap", private_standings=organizers_file)
    assert not app.exception
    assert app.multiselect[0].value == ["alpha", "beta", "gamma"], "in the order of the private set"
    assert [(widget.label, widget.value) for widget in app.selectbox] == [
        ("Submission", "alpha"),
        ("From Public to", PRIVATE),
        ("Test set", PUBLIC),
    ]
    assert len(app.get("plotly_chart")) == 4
    assert len(app.get("download_button")) == 5 * 3
    assert dict(app.query_params) == {}
    page = blocks(app)
    assert "It is not Mean of Vertebrae" in page
    assert "From Public (24 cases) to VerSe (12 cases)" in page
    assert "0.766" in page
    assert "Sources of the private test set without a score are held back" in page


def test_a_link_opens_what_it_names(open_page: OpenPage) -> None:
    """Submissions in the order of the address, the gap that is taken apart, and the test set of the strata."""
    app = open_page("domain_gap", ids="delta,alpha", id="alpha", to=VERSE, set=VERSE)
    assert not app.exception
    assert app.multiselect[0].value == ["delta", "alpha"]
    assert [widget.value for widget in app.selectbox] == ["alpha", VERSE, VERSE]
    assert "The gap of alpha from Public to VerSe" in blocks(app)
    app.selectbox[1].set_value(PRIVATE).run()
    assert "The gap of alpha from Public to Private" in blocks(app)
    assert "to" not in app.query_params, "it is the default"


def test_bad_values_are_answered(open_page: OpenPage) -> None:
    """Whatever an address asks for that is not there is named, and the default is shown."""
    app = open_page("domain_gap", ids="nobody", id="<b>", to="mars", set="venus")
    assert not app.exception
    page = blocks(app)
    for asked in ("ids = “nobody”", "id = “&lt;b&gt;”", "to = “mars”", "set = “venus”"):
        assert f"The address asks for {asked}" in page
    assert app.multiselect[0].value == ["alpha", "beta", "gamma"]


def test_nothing_chosen_is_a_sentence(open_page: OpenPage) -> None:
    """Without a submission the page asks for one; what is known without any stays."""
    app = open_page("domain_gap")
    app.multiselect[0].set_value([]).run()
    assert not app.exception
    assert "Choose a submission" in blocks(app)
    assert "0.766" in blocks(app)
    assert not app.get("plotly_chart")


def test_the_strata_of_a_private_set_are_not_told(open_page: OpenPage, organizers_file: Path) -> None:
    """Of a private set there are sources, and a sentence in place of the other strata."""
    app = open_page("domain_gap", private_standings=organizers_file, set=PRIVATE)
    assert not app.exception
    assert "Of a private test set only sources are told" in blocks(app)
    assert len(app.get("plotly_chart")) == 3


def test_without_the_organizers_file_that_is_said(open_page: OpenPage) -> None:
    """The private gap is shown from the record; its intervals and causes, and its sources, are said to be missing."""
    app = open_page("domain_gap")
    assert not app.exception
    page = blocks(app)
    assert "Intervals and causes need the organizers&#39; standings" in page
    assert "Private: The organizers&#39; standings of this test set are not at hand." in page


def test_the_real_board_shows_the_published_row(open_page: OpenPage) -> None:
    """With nothing but nnU-Net as published: its slope, its differences, and sentences for what is not known."""
    app = open_page("domain_gap", submissions=REAL)
    assert not app.exception
    page = blocks(app)
    assert "nnU-Net (paper)" in page
    assert "+0.250" in page
    assert "cannot be taken apart" in page
    assert "As published: not scored by this benchmark" in page
    assert len(app.get("plotly_chart")) == 1


def test_an_empty_board_and_one_without_scores_say_so(open_page: OpenPage, made_folder: Path, tmp_path: Path) -> None:
    """Without submissions, and with such as are not scored yet, there is a sentence and what the paper reports."""
    app = open_page("domain_gap", submissions=tmp_path / "none")
    assert not app.exception
    assert "There is no submission yet" in blocks(app)
    assert "0.766" in blocks(app)
    shutil.copytree(made_folder / "submissions" / "alpha", tmp_path / "submissions" / "alpha")
    for name in ("results.json", "cases.parquet"):
        (tmp_path / "submissions" / "alpha" / name).unlink()
    app = open_page("domain_gap", submissions=tmp_path / "submissions")
    assert not app.exception
    assert "No submission has been scored yet" in blocks(app)
    assert not app.get("plotly_chart")


def test_results_on_one_test_set_have_no_gap(open_page: OpenPage, made_folder: Path, tmp_path: Path) -> None:
    """With the public set alone there are its scores and strata, and a sentence in place of the gap."""
    folder = tmp_path / "submissions"
    shutil.copytree(made_folder / "submissions" / "alpha", folder / "alpha")
    for name in (PRIVATE, VERSE):
        change_results(folder / "alpha", lambda results, name=name: results["test_sets"].pop(name))
    app = open_page("domain_gap", submissions=folder)
    assert not app.exception
    assert "there is no gap to show" in blocks(app)
    assert len(app.get("plotly_chart")) == 3


def test_outdated_broken_and_newer_records_are_shown_as_what_they_are(
    open_page: OpenPage, made_folder: Path, tmp_path: Path
) -> None:
    """A outdated submission can be chosen and is marked; broken and newer ones are named above, and cannot."""
    folder = shutil.copytree(made_folder / "submissions", tmp_path / "submissions")
    change_results(folder / "beta", lambda results: results["provenance"].update(engine_version=1))
    change_results(folder / "gamma", lambda results: results.update(schema_version=99))
    (folder / "delta" / "submission.yaml").write_text("name: [")
    app = open_page("domain_gap", submissions=folder, ids="alpha,beta", id="beta", to=VERSE)
    assert not app.exception
    page = blocks(app)
    assert app.multiselect[0].options == ["alpha", "beta"]
    assert '<span class="cb-badge">outdated</span>' in page
    assert "Not ranked on both test sets" in page
    assert "gamma is left out" in page
    assert "delta is left out" in page
    assert "Public, Private and VerSe, beta: Outdated" in page


def test_two_benchmarks_have_a_selector(open_page: OpenPage, made_folder: Path, tmp_path: Path) -> None:
    """The real row and simulations on the phantom are never drawn into one figure."""
    folder = shutil.copytree(made_folder / "submissions", tmp_path / "submissions")
    shutil.copytree(REAL / "nnunet-paper", folder / "nnunet-paper")
    app = open_page("domain_gap", submissions=folder)
    assert not app.exception
    assert app.multiselect[0].value == ["nnunet-paper"]
    app = open_page("domain_gap", submissions=folder, benchmark="phantom")
    assert not app.exception
    assert "nnU-Net (paper)" not in app.multiselect[0].options
    assert len(app.get("plotly_chart")) == 4


def test_all_that_is_shown_can_be_taken_away(
    open_page: OpenPage, organizers_file: Path, offered: dict[str, dict[str, Any]]
) -> None:
    """Scores, gaps, parts, sources and strata are offered, say what they are, and make files of all three kinds."""
    app = open_page("domain_gap", private_standings=organizers_file, ids="beta,alpha", to=VERSE)
    assert not app.exception
    assert {name: len(each["table"]) for name, each in offered.items()} == {
        "domain-gap-scores": 6,
        "domain-gap": 4,
        "domain-gap-beta-phantom-verse": 4,
        "domain-gap-sources": 2 * (4 + 4 + 1),
        "domain-gap-strata-phantom-public": 2 * 10,
    }
    for each in offered.values():
        document = json.loads(downloads.as_json(each["table"], each["about"]))
        assert document["page"] == "domain-gap"
        assert len(document["rows"]) == len(each["table"])
        assert downloads.as_csv(each["table"]).count(b"\r\n") == len(each["table"]) + 1
        latex = downloads.as_latex(each["table"] if each.get("latex") is None else each["latex"], each["caption"])
        assert rb"\bottomrule" in latex
    parts = offered["domain-gap-beta-phantom-verse"]["table"].set_index("part")
    assert parts["total"]["gap"] == pytest.approx(parts["total"].drop("gap").sum(), abs=1e-12)
    assert parts.loc["gap", ["identification", "missed", "boundary"]].sum() == pytest.approx(parts["total"]["gap"])


def test_names_stay_names(open_page: OpenPage, made_folder: Path, tmp_path: Path) -> None:
    """What looks like Markdown or an entity in a name is written as it is, in tables and sentences."""
    folder = shutil.copytree(made_folder / "submissions", tmp_path / "submissions")
    path = folder / "alpha" / "submission.yaml"
    path.write_text(path.read_text().replace("name: alpha", "name: 'R&D \"**b**\" $x$'"))
    app = open_page("domain_gap", submissions=folder)
    assert not app.exception
    assert "R&amp;D &#34;**b**&#34; $x$" in blocks(app)
    assert "R&D" not in blocks(app)
