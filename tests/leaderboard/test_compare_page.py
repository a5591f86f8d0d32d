"""The page that compares two submissions: what it opens with, links into it, and what it says where little is known."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

from made_boards import Quality, make_board

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from streamlit.testing.v1 import AppTest

    OpenPage = Callable[..., AppTest]

TITLES = ["Test set", "Metric", "Region", "First submission", "Second submission"]


def blocks(app: AppTest) -> str:
    return "\n".join(block.value for block in app.get("html"))


def chosen(app: AppTest) -> list[str]:
    return [widget.value for widget in app.selectbox]


def test_it_opens_with_the_best_two(open_page: OpenPage) -> None:
    """On the public set, the first of the official order beside the second: a verdict, three figures, six files."""
    app = open_page("compare")
    assert not app.exception
    assert [widget.label for widget in app.selectbox] == TITLES
    assert chosen(app) == ["phantom-public", "dsc", "all", "alpha", "beta"]
    assert "alpha is better than beta by 0." in blocks(app)
    assert "That is " in blocks(app)
    assert "These comparisons are exploratory" in blocks(app)
    assert "resampl" not in blocks(app)
    assert len(app.get("plotly_chart")) == 3
    assert len(app.get("download_button")) == 6
    assert not app.query_params, "defaults are left out of the address"


def test_a_link_opens_what_it_names(open_page: OpenPage) -> None:
    """Set, metric, region and both submissions of an address are shown, and stay in it."""
    asked = {"set": "phantom-verse", "metric": "hd95_mm", "region": "lumbar", "a": "delta", "b": "gamma"}
    app = open_page("compare", **asked)
    assert not app.exception
    assert chosen(app) == list(asked.values())
    assert dict(app.query_params) == asked
    assert "delta" in blocks(app)
    assert "lumbar spine" in blocks(app)
    assert " mm" in blocks(app)


def test_a_choice_changes_the_address_and_the_verdict(open_page: OpenPage) -> None:
    """Choosing another second submission is written to the address, and compares with that one."""
    app = open_page("compare")
    app.selectbox[4].select("delta").run()
    assert not app.exception
    assert dict(app.query_params) == {"b": "delta"}
    assert "alpha is better than delta" in blocks(app)


def test_the_second_is_another_than_the_first(open_page: OpenPage) -> None:
    """With the second of the order asked for as the first one, the best stands beside it."""
    app = open_page("compare", a="beta")
    assert chosen(app)[3:] == ["beta", "alpha"]
    assert not app.exception


def test_what_cannot_be_shown_is_explained(open_page: OpenPage) -> None:
    """Values that do not exist are answered with a message and the default, whatever is in them."""
    app = open_page("compare", set="nowhere", a="<script>", b="nobody", metric="iou", region="tail")
    assert not app.exception
    assert chosen(app) == ["phantom-public", "dsc", "all", "alpha", "beta"]
    for value in ("nowhere", "nobody", "iou", "tail", "&lt;script&gt;"):
        assert f"“{value}”" in blocks(app)
    assert "<script>" not in blocks(app)


def test_nothing_is_compared_with_itself(open_page: OpenPage) -> None:
    """One submission twice is answered with a sentence."""
    app = open_page("compare", a="alpha", b="alpha")
    assert not app.exception
    assert "Choose two different submissions." in blocks(app)
    assert not app.get("plotly_chart")


def test_a_private_set_shows_labels_alone(open_page: OpenPage) -> None:
    """There is a figure and a table of labels, nothing about cases, and a sentence that says why."""
    app = open_page("compare", set="phantom-private")
    assert not app.exception
    assert "cases of a private test set are not published" in blocks(app)
    assert "without intervals" in blocks(app)
    assert "made-private" not in blocks(app)
    assert len(app.get("plotly_chart")) == 1
    assert len(app.get("download_button")) == 3


def test_one_submission_has_nobody_to_be_compared_with(open_page: OpenPage, tmp_path: Path) -> None:
    """Without two submissions there is a sentence, and no selector."""
    make_board(tmp_path, {"only": Quality()})
    for folder in (tmp_path / "submissions", tmp_path / "none"):
        app = open_page("compare", submissions=folder)
        assert not app.exception
        assert "It takes two submissions to compare" in blocks(app)
        assert not app.selectbox


def test_broken_newer_and_waiting_records_are_shown_as_what_they_are(
    open_page: OpenPage, made_folder: Path, tmp_path: Path
) -> None:
    """Each can be chosen, and the page says why there is nothing to compare; the others are compared as before."""
    folder = tmp_path / "submissions"
    shutil.copytree(made_folder / "submissions", folder)
    (folder / "delta" / "submission.yaml").write_text("name: [")
    results = json.loads((folder / "gamma" / "results.json").read_text())
    (folder / "gamma" / "results.json").write_text(json.dumps({**results, "schema_version": 99}))
    for name in ("results.json", "cases.parquet"):
        (folder / "beta" / name).unlink()
    for slug, reason in (
        ("delta", "The record is broken."),
        ("gamma", "The record is of a newer version of ctspine-bench than this one."),
        ("beta", "Not scored yet."),
    ):
        app = open_page("compare", submissions=folder, set="phantom-public", a="alpha", b=slug)
        assert not app.exception
        assert f"{slug} is not ranked on this test set. {reason}" in blocks(app)
        assert "There is nothing to compare" in blocks(app)


def test_names_that_look_like_markup_stay_names(open_page: OpenPage, made_folder: Path, tmp_path: Path) -> None:
    """A folder that is named like an element is a broken record whose name is shown as text."""
    folder = tmp_path / "submissions"
    shutil.copytree(made_folder / "submissions" / "alpha", folder / "alpha")
    hostile = "<img src=x onerror=alert(1)>"
    (folder / hostile).mkdir()
    app = open_page("compare", submissions=folder, set="phantom-public", a=hostile)
    assert not app.exception
    assert "<img src=x" not in blocks(app)
    assert "&lt;img src=x onerror=alert(1)&gt; is not ranked" in blocks(app)
