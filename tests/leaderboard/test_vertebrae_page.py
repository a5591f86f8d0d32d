"""The page of the vertebrae: what it shows in which state, and what it offers."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from board_records import PRIVATE, PUBLIC, VERSE, change_results

from ctspine_leaderboard import downloads, frame
from ctspine_leaderboard.pages.vertebrae import clicked_cell
from ctspine_leaderboard.views.vertebrae import heat

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest
    from streamlit.testing.v1 import AppTest

    OpenPage = Callable[..., AppTest]

REAL = Path(__file__).parents[2] / "submissions"


def blocks(app: AppTest) -> str:
    return "\n".join(block.value for block in app.get("html"))


def chosen(app: AppTest) -> dict[str, Any]:
    return {widget.label: widget.value for widget in app.selectbox}


def test_the_page_shows_the_map_and_what_is_behind_a_cell(open_page: OpenPage) -> None:
    """Opened without a state: the map, the first submission on the most frequent vertebra, and files of both."""
    app = open_page("vertebrae")
    assert not app.exception
    assert chosen(app) == {"Test set": PUBLIC, "Metric": "dsc", "Submission": "alpha", "Vertebra": "T10"}
    assert dict(app.query_params) == {}
    assert len(app.get("plotly_chart")) == 2
    assert len(app.get("download_button")) == 6
    page = blocks(app)
    assert "T10 of alpha on Public: mean DSC" in page
    assert "The worst cases:" in page
    assert 'href="cases?set=phantom-public&amp;case=made-public-' in page


def test_a_link_opens_what_it_names(open_page: OpenPage) -> None:
    """Test set, metric and cell of an address are those that are shown; what is chosen stands in the address."""
    app = open_page("vertebrae", set=VERSE, metric="hd95_mm", id="gamma", label="L1")
    assert not app.exception
    assert chosen(app) == {"Test set": VERSE, "Metric": "hd95_mm", "Submission": "gamma", "Vertebra": "L1"}
    assert "L1 of gamma on VerSe: mean HD95" in blocks(app)
    app.selectbox(key="label").set_value("T12").run()
    assert not app.exception
    assert app.query_params["label"] == "T12"
    assert "T12 of gamma on VerSe" in blocks(app)


def test_bad_values_are_answered(open_page: OpenPage) -> None:
    """Whatever an address asks for that is not there is named, and the default is shown."""
    app = open_page("vertebrae", set="mars", metric="<b>", id="nobody", label="S1")
    assert not app.exception
    page = blocks(app)
    for asked in ("set = “mars”", "metric = “&lt;b&gt;”", "id = “nobody”", "label = “S1”"):
        assert f"The address asks for {asked}" in page
    assert chosen(app)["Vertebra"] == "T10"


def test_a_private_set_says_why_there_are_no_cases(open_page: OpenPage) -> None:
    """The map shows the published means, the cell a sentence; the share of misses is not told at all."""
    app = open_page("vertebrae", set=PRIVATE)
    assert not app.exception
    assert len(app.get("plotly_chart")) == 1
    page = blocks(app)
    assert "Single cases of a private test set are never shown" in page
    assert "made-private" not in page
    assert "cases?" not in page
    app = open_page("vertebrae", set=PRIVATE, metric="missed")
    assert not app.exception
    assert not app.get("plotly_chart")
    assert "are not told by label" in blocks(app)


def test_a_click_chooses_a_cell() -> None:
    """A selection in the map names a submission and a label; without points there is nothing to answer."""
    assert clicked_cell({"selection": {"points": [{"customdata": ["beta", 23], "x": 1}]}}) == ("beta", "L4")
    assert clicked_cell({"selection": {"points": []}}) is None
    assert clicked_cell(None) is None


def test_many_submissions_have_a_selector_of_rows(open_page: OpenPage, monkeypatch: pytest.MonkeyPatch) -> None:
    """With three rows at a time four submissions are two blocks, and the second has the last one alone."""
    monkeypatch.setattr(heat, "ROWS", 3)
    app = open_page("vertebrae")
    assert not app.exception
    assert app.selectbox(key="rows").options == ["1–3 of 4", "4–4 of 4"]
    drawn = json.loads(app.get("plotly_chart")[0].proto.spec)
    assert len(drawn["layout"]["yaxis"]["ticktext"]) == 3
    app = open_page("vertebrae", rows="4-4", id="alpha")
    assert not app.exception
    drawn = json.loads(app.get("plotly_chart")[0].proto.spec)
    assert [tick.split("<")[0] for tick in drawn["layout"]["yaxis"]["ticktext"]] == ["delta"]
    assert "alpha" in app.selectbox(key="id").options, "any submission can be looked into"


def test_the_real_board_shows_the_published_row(open_page: OpenPage) -> None:
    """nnU-Net as published is a row of the map, with a sentence for the cases that are not known."""
    app = open_page("vertebrae", submissions=REAL, set="verse")
    assert not app.exception
    assert len(app.get("plotly_chart")) == 1
    assert "nothing behind this number but what was published" in blocks(app)


def test_boards_without_values_say_so(open_page: OpenPage, made_folder: Path, tmp_path: Path) -> None:
    """Without submissions, with such as are not scored, and with broken ones there is a sentence."""
    app = open_page("vertebrae", submissions=tmp_path / "none")
    assert not app.exception
    assert "There are no values by vertebra to show." in blocks(app)
    folder = shutil.copytree(made_folder / "submissions", tmp_path / "submissions")
    for slug in ("alpha", "beta"):
        for name in ("results.json", "cases.parquet"):
            (folder / slug / name).unlink()
    (folder / "gamma" / "submission.yaml").write_text("name: [")
    change_results(folder / "delta", lambda results: results.update(schema_version=99))
    app = open_page("vertebrae", submissions=folder)
    assert not app.exception
    page = blocks(app)
    assert "There are no values by vertebra to show." in page
    assert "gamma is left out" in page
    assert "Without values by vertebra here: alpha, beta" in page


def test_all_that_is_shown_can_be_taken_away(open_page: OpenPage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The map and the cases behind a cell are offered, say what they are, and make files of all three kinds."""
    offered: dict[str, dict[str, Any]] = {}
    monkeypatch.setattr(
        frame, "offer", lambda table, about, name, **others: offered.update({name: {"of": (table, about), **others}})
    )
    app = open_page("vertebrae", set=VERSE, metric="hd95_mm", id="beta", label="T9")
    assert not app.exception
    assert list(offered) == ["vertebra-phantom-verse-beta-t9-hd95-mm", "vertebrae-phantom-verse-hd95-mm"]
    for each in offered.values():
        table, about = each["of"]
        document = json.loads(downloads.as_json(table, about))
        assert document["test_set"] == VERSE
        assert document["metric"] == "hd95_mm"
        assert len(document["rows"]) == len(table) > 0
        assert downloads.as_csv(table).count(b"\r\n") == len(table) + 1
        shown = each.get("latex")
        latex = downloads.as_latex(table if shown is None else shown, each["caption"], each["digits"])
        assert rb"\bottomrule" in latex
    cases = offered["vertebra-phantom-verse-beta-t9-hd95-mm"]["of"][0]
    assert list(cases.columns) == ["case_id", "source", "hd95_mm", "missed", "spurious"]


def test_names_stay_names(open_page: OpenPage, made_folder: Path, tmp_path: Path) -> None:
    """What looks like Markdown or an entity in a name is written as it is, and cannot be markup in the map."""
    folder = shutil.copytree(made_folder / "submissions", tmp_path / "submissions")
    path = folder / "alpha" / "submission.yaml"
    path.write_text(path.read_text().replace("name: alpha", "name: 'R&D \"**b**\"'"))
    app = open_page("vertebrae", submissions=folder)
    assert not app.exception
    assert "R&amp;D &#34;**b**&#34;" in blocks(app)
    drawn = json.loads(app.get("plotly_chart")[0].proto.spec)
    assert any(tick.startswith('R&amp;D "**b**"') for tick in drawn["layout"]["yaxis"]["ticktext"])
