"""The page of standings: who is shown, in which order, with which numbers."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from made_boards import Quality, make_board

from ctspine_bench.board import Board
from ctspine_bench.board.cache import Cache
from ctspine_leaderboard.views.links import address
from ctspine_leaderboard.views.standings import standings_view

if TYPE_CHECKING:
    from collections.abc import Callable

    from streamlit.testing.v1 import AppTest

    OpenPage = Callable[..., AppTest]


def blocks(app: AppTest) -> str:
    return "\n".join(block.value for block in app.get("html"))


def table_of(app: AppTest) -> str:
    (found,) = [block.value for block in app.get("html") if "<table" in block.value]
    return found


def mean_of_vertebrae(folder: Path, slug: str, test_set: str) -> float:
    """Mean of Vertebrae DSC, from the rows of the record: spurious vertebrae are among them, with 0."""
    rows = pd.read_parquet(folder / "submissions" / slug / "cases.parquet")
    rows = rows[(rows["test_set"] == test_set) & (rows["row"] == "vertebra")]
    return float(rows.groupby("vertebra")["dsc"].mean().mean())


def test_the_numbers_are_those_of_the_record(made_board: Board, made_folder: Path) -> None:
    """Ranks follow Mean of Vertebrae, worked out here from the rows of the records; intervals hold their means."""
    view = standings_view(made_board, "phantom-public")
    data = view.data().set_index("slug")
    expected = {slug: mean_of_vertebrae(made_folder, slug, "phantom-public") for slug in data.index}
    assert list(data.index) == sorted(expected, key=lambda slug: -expected[slug]) == ["alpha", "beta", "gamma", "delta"]
    assert data["dsc"].to_dict() == pytest.approx(expected, abs=1e-12)
    assert (data["rank"] == [1, 2, 3, 4]).all()
    assert (data["dsc_low"] < data["dsc"]).all()
    assert (data["dsc"] < data["dsc_high"]).all()
    assert (data["rank_low"] <= data["rank"]).all()
    assert (data["rank"] <= data["rank_high"]).all()
    assert data["p_first"].sum() == pytest.approx(1.0)


def test_the_per_case_mean_stands_beside_with_its_own_rank(made_board: Board, made_folder: Path) -> None:
    """By DSC and by HD95, whatever is ranked by; beside it how many cases have every level right."""
    rows = pd.concat(
        [
            pd.read_parquet(made_folder / "submissions" / slug / "cases.parquet").assign(slug=slug)
            for slug in ("alpha", "beta", "gamma", "delta")
        ]
    )
    rows = rows[rows["test_set"] == "phantom-public"]
    vertebrae = rows[rows["row"] == "vertebra"].assign(
        hd95_mm=lambda table: table["hd95_mm"].astype(float).fillna(100.0).clip(upper=100.0)
    )
    for metric, ascending in (("dsc", False), ("hd95_mm", True)):
        means = vertebrae.groupby(["slug", "case_id"])[metric].mean().groupby("slug").mean()
        view = standings_view(made_board, "phantom-public", metric=metric)
        data = view.data().set_index("slug")
        assert data["per_case"].to_dict() == pytest.approx(means.to_dict(), abs=1e-9)
        assert data["per_case_rank"].to_dict() == means.rank(ascending=ascending).astype(int).to_dict()
        assert f'{means["beta"]:.{3 if metric == "dsc" else 2}f}<span class="cb-detail">rank 2</span>' in view.table()
        assert view.paper_table()["Rank per case"].tolist() == [str(rank) for rank in data["per_case_rank"]]
    right = rows[rows["row"] == "case"].groupby("slug")["levels_right"].mean()
    assert data["levels_right"].to_dict() == pytest.approx(right.astype(float).to_dict())
    assert f">{right['gamma']:.0%}<".replace("%", " %") in view.table()


def test_labels_have_the_n_of_their_submission(made_board: Board, made_folder: Path) -> None:
    """A spurious vertebra adds a case to its label: gamma has more cases for some than alpha."""
    data = standings_view(made_board, "phantom-public").data().set_index("slug")
    for slug in ("alpha", "gamma"):
        rows = pd.read_parquet(made_folder / "submissions" / slug / "cases.parquet")
        n = rows[(rows["test_set"] == "phantom-public") & (rows["row"] == "vertebra")].groupby("vertebra").size()
        assert {name: data.loc[slug, f"n_{name}"] for name in n.index} == n.to_dict()
    ours, theirs = (data.loc[slug].filter(like="n_").astype(int).sum() for slug in ("gamma", "alpha"))
    assert ours > theirs


def test_what_intervals_cover_is_said_where_they_do_not_fit(made_board: Board) -> None:
    """Too narrow, too wide, or nothing where they cover as they should; of what was simulated alone."""
    view = standings_view(made_board, "phantom-public")
    for share, said in ((0.85, "are too narrow"), (0.98, "are wider than they need to be"), (None, "")):
        covered = replace(view, standings=replace(view.standings, coverage=share)).coverage()
        assert said in covered
        assert bool(said) == bool(covered)
    for other in ({"metric": "hd95_mm"}, {"region": "lumbar"}):
        words = standings_view(made_board, "phantom-public", **other).coverage()
        assert words == "How often intervals cover was simulated for DSC of the whole spine alone."
    ranks = standings_view(made_board, "phantom-public", "rank-then-mean").coverage()
    assert "equals were told apart by mean rank on 8 % of boards" in ranks
    assert standings_view(made_board, "phantom-public", "significance").coverage() == ""


def test_counts_and_labels_are_those_of_the_record(made_board: Board, made_folder: Path) -> None:
    """Missed and spurious vertebrae, and the curve of C1–L6, are counted and averaged from the rows."""
    rows = pd.read_parquet(made_folder / "submissions" / "gamma" / "cases.parquet")
    rows = rows[(rows["test_set"] == "phantom-public") & (rows["row"] == "vertebra")]
    row = standings_view(made_board, "phantom-public").data().set_index("slug").loc["gamma"]
    assert row["spurious"] == (rows["status"] == "spurious").sum() > 0
    assert row["missed"] == (rows["status"] == "missed").sum()
    lumbar = rows[(rows["vertebra"] == "L3") & (rows["status"] != "spurious")]["dsc"].mean()
    assert row["dsc_L3"] == pytest.approx(lumbar, abs=1e-12)


def test_a_scheme_of_ranks_shows_its_own_score_beside_the_metrics(made_board: Board) -> None:
    """By rank-then-mean the order is that of the mean ranks; DSC and HD95 stay Mean of Vertebrae."""
    view = standings_view(made_board, "phantom-public", "rank-then-mean")
    data = view.data()
    assert data["score"].is_monotonic_increasing
    assert data["score"].between(1, 4).all()
    official = standings_view(made_board, "phantom-public").data().set_index("slug")["dsc"]
    assert data.set_index("slug")["dsc"].sort_index().equals(official.sort_index())
    assert "Mean rank" in view.table()
    assert "Mean rank" not in standings_view(made_board, "phantom-public").table()


def test_a_region_counts_its_labels_alone(made_board: Board, made_folder: Path) -> None:
    """The lumbar DSC is the mean over L1–L6, whatever it is ranked by."""
    rows = pd.read_parquet(made_folder / "submissions" / "beta" / "cases.parquet")
    rows = rows[(rows["test_set"] == "phantom-public") & (rows["row"] == "vertebra") & (rows["status"] != "spurious")]
    lumbar = rows[rows["vertebra"].str.startswith("L")].groupby("vertebra")["dsc"].mean().mean()
    view = standings_view(made_board, "phantom-public", metric="nsd_2mm", region="lumbar")
    assert view.data().set_index("slug").loc["beta", "dsc"] == pytest.approx(lumbar, abs=1e-12)


def test_only_one_order_is_official(made_board: Board) -> None:
    """The official order is the one of the private set by the official scheme, metric and region."""
    assert standings_view(made_board, "phantom-private").is_official
    assert not standings_view(made_board, "phantom-public").is_official
    assert not standings_view(made_board, "phantom-private", "significance").is_official
    assert not standings_view(made_board, "phantom-private", metric="hd95_mm").is_official


def test_the_real_board_begins_with_the_published_row() -> None:
    """nnU-Net as published is in the board, unranked, with the means that the paper prints."""
    from ctspine_bench.published import published_table

    folder = Path(__file__).parents[2] / "submissions"
    board = Board(folder, cache=Cache(None))
    for name in ("public", "private", "verse"):
        (row,) = [row for row in standings_view(board, name).rows if row.entry.slug == "nnunet-paper"]
        paper = published_table(name)
        assert paper is not None
        assert row.standing is None
        assert row.means["dsc"].value == paper.mean_of_vertebrae.dsc
        assert row.means["hd95_mm"].value == paper.mean_of_vertebrae.hd95_mm
        assert "as published" in row.flags
        assert "not ranked" in row.reason


def test_the_page_shows_the_table_and_what_the_order_hangs_on(open_page: OpenPage) -> None:
    """Opened without a state: a table, two figures, sentences, and three files to take away."""
    app = open_page("standings")
    assert not app.exception
    assert [widget.label for widget in app.selectbox] == ["Test set", "Ranked by", "Metric", "Region"]
    assert table_of(app).index("alpha") < table_of(app).index("beta") < table_of(app).index("gamma")
    assert "Kendall" in blocks(app)
    assert blocks(app).count("Confirmatory is the official order on the private test set alone.") == 1
    assert "resampl" not in blocks(app)
    assert len(app.get("plotly_chart")) == 2
    assert len(app.get("download_button")) == 3


def test_a_link_opens_what_it_names(open_page: OpenPage) -> None:
    """The test set, scheme, metric and region of an address are those that are shown."""
    app = open_page("standings", set="phantom-verse", scheme="significance", metric="hd95_mm", region="thoracic")
    assert not app.exception
    assert [widget.value for widget in app.selectbox] == ["phantom-verse", "significance", "hd95_mm", "thoracic"]
    assert "12 cases" in blocks(app)


def test_private_sets_without_the_organizers_file_say_so(open_page: OpenPage) -> None:
    """Without standings of the private set nobody is ranked there; the published means are shown all the same."""
    app = open_page("standings", set="phantom-private")
    assert not app.exception
    assert "standings of this test set are not at hand" in blocks(app)
    assert "Not ranked" in table_of(app)
    assert "alpha" in table_of(app)


def test_an_empty_board_says_so(open_page: OpenPage, tmp_path: Path) -> None:
    """Without a submission there is a sentence in place of the table."""
    app = open_page("standings", submissions=tmp_path / "none")
    assert not app.exception
    assert "There is no submission yet" in blocks(app)


def test_a_single_submission_is_first_and_nothing_is_compared(open_page: OpenPage, tmp_path: Path) -> None:
    """One submission has rank 1; there is no plot of ranks, and no sentence about a change of the leader."""
    make_board(tmp_path / "one", {"only": Quality()})
    app = open_page("standings", submissions=tmp_path / "one" / "submissions")
    assert not app.exception
    assert "only" in table_of(app)
    assert "Removing" not in blocks(app)


def test_broken_and_newer_records_are_shown_as_what_they_are(
    open_page: OpenPage, made_folder: Path, tmp_path: Path
) -> None:
    """A broken record and one of a newer schema are named with their error; the others keep their ranks."""
    folder = tmp_path / "submissions"
    shutil.copytree(made_folder / "submissions", folder)
    (folder / "delta" / "submission.yaml").write_text("name: [")
    results = json.loads((folder / "gamma" / "results.json").read_text())
    (folder / "gamma" / "results.json").write_text(json.dumps({**results, "schema_version": 99}))
    app = open_page("standings", submissions=folder)
    assert not app.exception
    assert "delta is left out" in blocks(app)
    assert "gamma is left out" in blocks(app)
    assert "newer version" in table_of(app)
    assert "broken" in table_of(app)
    assert table_of(app).index("alpha") < table_of(app).index("beta") < table_of(app).index("Not ranked")


def test_names_that_look_like_markup_stay_names(open_page: OpenPage, made_folder: Path, tmp_path: Path) -> None:
    """A folder that is named like an element is a broken record whose name is shown as text."""
    folder = tmp_path / "submissions"
    shutil.copytree(made_folder / "submissions" / "alpha", folder / "alpha")
    (folder / "<img src=x onerror=alert(1)>").mkdir()
    app = open_page("standings", submissions=folder)
    assert not app.exception
    assert "<img src=x" not in blocks(app)
    assert "&lt;img src=x onerror=alert(1)&gt;" in table_of(app)


def test_addresses_hold_their_state_in_plain_sight() -> None:
    """What would end a parameter is escaped; empty ones are left out."""
    assert address("compare", a="x&b=1", b="", set="public") == "compare?a=x%26b%3D1&set=public"
    assert address("data") == "data"
