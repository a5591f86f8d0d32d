"""The map of submissions by vertebra and what lies behind a cell, against the rows of the records."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from board_records import PRIVATE, PUBLIC, VERSE, board_of, change_results
from made_boards import Quality, make_board

from ctspine_bench.anatomy import VERTEBRAE
from ctspine_bench.board import Board
from ctspine_bench.board.cache import Cache
from ctspine_bench.published import published_table
from ctspine_bench.testsets import named
from ctspine_leaderboard.views import vertebrae as views
from ctspine_leaderboard.views.counts import n_of

if TYPE_CHECKING:
    from collections.abc import Sequence

REAL = Path(__file__).parents[2] / "submissions"
METRICS = ("dsc", "hd95_mm", "nsd_1mm", "nsd_2mm", "nsd_3mm")


def official_rows(folder: Path, slug: str, test_set: str) -> pd.DataFrame:
    """The rows of all vertebrae of a record, HD95 by the official rule: missed and spurious 100 mm, capped there."""
    rows = pd.read_parquet(folder / "submissions" / slug / "cases.parquet")
    rows = rows[(rows["test_set"] == test_set) & (rows["row"] == "vertebra")]
    return rows.assign(hd95_mm=rows["hd95_mm"].fillna(100.0).clip(upper=100.0))


def cell(board: Board, slug: str, test_set: str, vertebra: str, measure: str = "dsc") -> views.CellView:
    entry = board.entry(slug)
    assert entry is not None
    return views.cell_view(board, entry, named(test_set), vertebra, measure)


def slugs(rows: Sequence[views.VertebraRow]) -> list[str]:
    return [row.entry.slug for row in rows]


@pytest.mark.parametrize("metric", METRICS)
def test_a_mean_is_that_of_the_cases(made_board: Board, made_folder: Path, metric: str) -> None:
    """Of each label the mean over the cases that have it in either volume; a label that no case has is empty."""
    for row in views.vertebrae_view(made_board, PUBLIC, metric).rows:
        rows = official_rows(made_folder, row.entry.slug, PUBLIC)
        means = rows.groupby("vertebra")[metric].mean()
        counts = rows.groupby("vertebra").size()
        assert row.n == tuple(counts.get(name, 0) for name in VERTEBRAE)
        in_reference = rows[rows["status"] != "spurious"].groupby("vertebra").size()
        assert row.n_reference == tuple(in_reference.get(name, 0) for name in VERTEBRAE)
        for name, value in zip(VERTEBRAE, row.means, strict=True):
            assert value == (pytest.approx(means[name], abs=1e-12) if name in means else None)


def test_the_missed_share_counts_missed_vertebrae(made_board: Board, made_folder: Path) -> None:
    """Delta misses 15 % of the vertebrae: its shares by label are those of its rows; alpha misses nothing."""
    view = views.vertebrae_view(made_board, VERSE, "missed")
    values = {row.entry.slug: row.means for row in view.rows}
    rows = official_rows(made_folder, "delta", VERSE)
    shares = (rows["status"] == "missed").groupby(rows["vertebra"]).mean()
    assert shares.max() > 0
    for name, value in zip(VERTEBRAE, values["delta"], strict=True):
        assert value == (pytest.approx(shares[name], abs=1e-12) if name in shares else None)
    assert set(values["alpha"]) == {0.0, None}


def test_the_spurious_share_counts_spurious_vertebrae(made_board: Board, made_folder: Path) -> None:
    """Gamma has a vertebra too many where its names are a level off: of the cases in which a label counts, how many."""
    view = views.vertebrae_view(made_board, PUBLIC, "loss_spurious")
    values = {row.entry.slug: row.means for row in view.rows}
    rows = official_rows(made_folder, "gamma", PUBLIC)
    shares = (rows["status"] == "spurious").groupby(rows["vertebra"]).mean()
    assert shares.max() > 0
    for name, value in zip(VERTEBRAE, values["gamma"], strict=True):
        assert value == (pytest.approx(shares[name], abs=1e-12) if name in shares else None)
    assert set(values["alpha"]) == {0.0, None}
    name = str(shares.idxmax())
    found = cell(made_board, "gamma", PUBLIC, name, "loss_spurious")
    n_spurious = sum(case.spurious for case in found.cases)
    assert (found.figure(), found.n) == (None, (rows["vertebra"] == name).sum())
    assert found.sentences() == (
        f"{name} of gamma on Public: spurious in {n_spurious} of {found.n} cases in which it counts.",
    )
    assert found.table().count('<span class="cb-badge">spurious</span>') == n_spurious
    by_dsc = cell(made_board, "gamma", PUBLIC, name)
    assert f"spurious in {n_spurious}." in by_dsc.sentences()[0]
    assert {case.case_id for case in by_dsc.cases if case.spurious} == {case.case_id for case in found.worst}


def test_rows_are_in_the_official_order_and_unranked_ones_below(made_folder: Path, tmp_path: Path) -> None:
    """Ranked ones by Mean of Vertebrae whatever the metric is; outdated ones below, apart; unscored in a sentence."""
    folder = shutil.copytree(made_folder, tmp_path / "made")
    change_results(folder / "submissions" / "alpha", lambda results: results["provenance"].update(engine_version=1))
    for name in ("results.json", "cases.parquet"):
        (folder / "submissions" / "beta" / name).unlink()
    board = board_of(folder)
    order = [row.slug for row in board.standings(PUBLIC).standings.rows]
    view = views.vertebrae_view(board, PUBLIC, "hd95_mm")
    assert order == ["gamma", "delta"]
    assert slugs(view.rows) == [*order, "alpha"]
    assert [row.rank for row in view.rows] == [1, 2, None]
    assert view.rows[2].reason.startswith("Outdated")
    assert "outdated" in view.rows[2].flags
    assert [(entry.slug, reason) for entry, reason in view.others] == [("beta", "Not scored yet.")]
    assert "Submissions that are not ranked on this test set come last, below a gap." in view.sentences()
    assert "Without values by vertebra here: beta." in view.sentences()
    ticks = [tick.split("<")[0] for tick in view.figure(view.rows).layout.yaxis.ticktext]
    assert ticks[:3] == ["gamma", "delta", "alpha"]
    places = list(view.figure(view.rows).layout.yaxis.tickvals)
    assert places[2] - places[1] > places[1] - places[0]


def test_of_a_private_set_the_record_is_shown(made_board: Board) -> None:
    """Means are those that are published; small cells are held back and say so; misses by label are not told."""
    view = views.vertebrae_view(made_board, PRIVATE)
    row = next(row for row in view.rows if row.entry.slug == "alpha")
    labels = made_board.entry("alpha").on(PRIVATE)["labels"]
    assert row.means == tuple(labels[name]["dsc"] for name in VERTEBRAE)
    assert row.few == {VERTEBRAE.index(name) + 1 for name in VERTEBRAE if n_of(labels[name]) == "<5"}
    assert VERTEBRAE.index("L6") + 1 in row.few
    assert row.n[VERTEBRAE.index("L6")] == "<5"
    assert any("are held back" in sentence for sentence in view.sentences())
    assert view.note == "The organizers' standings of this test set are not at hand."
    for share in ("missed", "loss_spurious"):
        missed = views.vertebrae_view(made_board, PRIVATE, share)
        assert missed.rows == ()
        assert (
            "Of a private test set the shares of missed and of spurious vertebrae are not told by label."
            in missed.sentences()
        )


def test_the_published_row_has_the_values_of_the_paper() -> None:
    """nnU-Net as published is unranked, with Table 2 by label; in how many cases a label is was not published."""
    view = views.vertebrae_view(Board(REAL, cache=Cache(None)), "verse", "hd95_mm")
    (row,) = [row for row in view.rows if row.entry.slug == "nnunet-paper"]
    paper = published_table("verse")
    assert paper is not None
    assert row.rank is None
    assert row.flags == ("as published",)
    assert row.means == tuple(paper.labels[name].hd95_mm for name in VERTEBRAE)
    assert row.n == (None,) * len(VERTEBRAE)


def test_many_submissions_are_shown_in_blocks(made_board: Board) -> None:
    """Forty at a time, the last block with what is left; every row is in one of them."""
    row = views.vertebrae_view(made_board, PUBLIC).rows[0]
    blocks = views.blocks([row] * 95)
    assert {name: len(rows) for name, rows in blocks.items()} == {"1-40": 40, "41-80": 40, "81-95": 15}
    assert list(views.blocks([row] * 40)) == ["1-40"]
    assert views.blocks([]) == {}


def test_the_first_vertebra_shown_is_the_most_frequent(made_board: Board) -> None:
    """It is the one in the most cases; on a board that does not know, C1."""
    view = views.vertebrae_view(made_board, PUBLIC)
    counts = dict(zip(VERTEBRAE, view.n_reference, strict=True))
    assert counts[views.default_label(view)] == max(counts.values())
    assert views.default_label(views.vertebrae_view(Board(REAL, cache=Cache(None)), "verse")) == "C1"


def test_the_chosen_cell_is_framed(made_board: Board) -> None:
    """A rectangle stands around the cell that is looked into; without a choice there is none."""
    view = views.vertebrae_view(made_board, PUBLIC)

    def frames(chosen: tuple[str, str] | None) -> int:
        return sum(shape.type == "rect" for shape in view.figure(view.rows, chosen).layout.shapes)

    assert frames(("beta", "L2")) == frames(None) + 1
    assert frames(("somebody", "L2")) == frames(None)


def test_tables_hold_every_number_of_the_map(made_board: Board) -> None:
    """All rows with ranks, values and n go to files; the LaTeX table has those that are shown."""
    view = views.vertebrae_view(made_board, PUBLIC, "nsd_2mm")
    data = view.data()
    assert list(data["slug"]) == slugs(view.rows)
    assert tuple(data[[f"nsd_2mm_{name}" for name in VERTEBRAE]].iloc[0].astype(object).where(pd.notna, None)) == (
        view.rows[0].means
    )
    assert tuple(data[[f"n_{name}" for name in VERTEBRAE]].iloc[0]) == view.rows[0].n
    assert list(view.paper_table(view.rows[:2])["Submission"]) == ["alpha", "beta"]
    assert list(view.paper_table([]).columns) == ["Submission", *VERTEBRAE]


@pytest.mark.parametrize("metric", METRICS)
def test_behind_a_cell_are_all_its_cases(made_board: Board, made_folder: Path, metric: str) -> None:
    """The cases of the rows with their values, the worst first; mean and n as in the map."""
    found = cell(made_board, "delta", PUBLIC, "T10", metric)
    rows = official_rows(made_folder, "delta", PUBLIC).query("vertebra == 'T10'")
    assert found.n == len(found.cases) == len(rows) >= 10
    assert {case.case_id: case.value for case in found.cases} == pytest.approx(
        dict(zip(rows["case_id"], rows[metric], strict=True))
    )
    values = [case.value for case in found.cases]
    assert values == sorted(values, reverse=metric == "hd95_mm")
    assert {case.case_id for case in found.cases if case.missed} == set(rows[rows["status"] == "missed"]["case_id"])
    (row,) = [row for row in views.vertebrae_view(made_board, PUBLIC, metric).rows if row.entry.slug == "delta"]
    assert found.mean == pytest.approx(row.means[VERTEBRAE.index("T10")], abs=1e-12)
    assert found.reason == ""
    assert len(found.figure().data[0].x) == len(rows)


def test_quartiles_are_those_of_the_figure(made_board: Board, made_folder: Path) -> None:
    """They are found midway, as Plotly does by default; a handful of cases has none."""
    found = cell(made_board, "beta", PUBLIC, "T10")
    values = np.sort(official_rows(made_folder, "beta", PUBLIC).query("vertebra == 'T10'")["dsc"].to_numpy())
    place = 0.25 * len(values) - 0.5
    low = values[int(place)] + (place % 1) * (values[int(place) + 1] - values[int(place)])
    assert found.quartiles[0] == pytest.approx(low)
    assert found.quartiles[1] == pytest.approx(np.median(values))
    assert found.figure().data[0].quartilemethod is None
    assert f"Median {found.quartiles[1]:.3f}" in " ".join(found.sentences())
    single = cell(made_board, "beta", PUBLIC, "L6")
    assert single.n == 1
    assert single.quartiles is None
    assert single.sentences() == (
        f"L6 of beta on Public: mean DSC {single.mean:.3f} over 1 case. Matched in 1, missed in 0, spurious in 0.",
    )


def test_the_worst_cases_lead_to_their_pages(made_board: Board) -> None:
    """At most ten, each with a link to the case and this submission; what is perfect is not among the worst."""
    found = cell(made_board, "delta", PUBLIC, "T10")
    assert found.worst == found.cases[:10]
    markup = found.table()
    first = found.cases[0]
    assert f'href="cases?set=phantom-public&amp;case={first.case_id}&amp;ids=delta"' in markup
    assert markup.count("<a ") == len(found.worst)
    missed = cell(made_board, "delta", PUBLIC, "T10", "missed")
    assert {case.case_id for case in missed.worst} == {case.case_id for case in found.cases if case.missed}
    assert missed.table().count('<th scope="col"') == found.table().count('<th scope="col"') - 1
    assert cell(made_board, "alpha", PUBLIC, "T10", "missed").worst == ()


def test_missed_cells_are_counted_not_drawn(made_board: Board) -> None:
    """Yes and no have neither a distribution nor quartiles: a sentence counts the misses."""
    found = cell(made_board, "delta", PUBLIC, "T10", "missed")
    n_missed = sum(case.missed for case in found.cases)
    assert found.figure() is None
    assert found.sentences() == (
        f"T10 of delta on Public: missed in {n_missed} of {len(found.cases)} cases in which it counts.",
    )


def test_nothing_is_told_of_single_private_cases(made_board: Board) -> None:
    """Mean and n are told where they are published; a sentence says why there is no more."""
    never = "Single cases of a private test set are never shown: they would tell what is in its references."
    found = cell(made_board, "alpha", PRIVATE, "T10")
    labels = made_board.entry("alpha").on(PRIVATE)["labels"]
    assert found.cases == ()
    assert found.figure() is None
    assert found.quartiles is None
    mean, n = labels["T10"]["dsc"], n_of(labels["T10"])
    summary = f"T10 of alpha on Private: mean DSC {mean:.3f} over {n} cases whose reference has it."
    assert found.sentences() == (summary, never)
    few = cell(made_board, "alpha", PRIVATE, "L6").sentences()[0]
    assert few == "L6 of alpha on Private: fewer than five cases have it, so its mean is held back."
    labels_of_it = dict(labels)
    assert labels_of_it["L6"]["dsc"] is None


def test_a_mean_that_protects_another_is_said_to(made_folder: Path, tmp_path: Path) -> None:
    """Where neither mean nor n is published, the reason is that they would tell about few cases."""
    folder = shutil.copytree(made_folder, tmp_path / "made")
    hidden = dict.fromkeys(("n", "n_reference", "dsc"))
    change_results(
        folder / "submissions" / "alpha",
        lambda results: results["test_sets"][PRIVATE]["labels"]["T10"].update(hidden),
    )
    text = cell(board_of(folder), "alpha", PRIVATE, "T10").sentences()[0]
    assert text == "T10 of alpha on Private: its mean is held back, because it would tell about few cases."


def test_a_vertebra_that_no_case_has_is_said_to_be_absent(made_board: Board) -> None:
    """VerSe here has no cervical spine."""
    found = cell(made_board, "alpha", VERSE, "C3")
    assert found.mean is None
    assert found.sentences() == ("C3 of alpha on VerSe: no case of this test set has it.",)
    assert found.figure() is None


def test_who_is_not_ranked_has_cases_all_the_same(made_folder: Path, tmp_path: Path) -> None:
    """The cases of an outdated submission come from its case table; a table that cannot be read is a sentence."""
    folder = shutil.copytree(made_folder, tmp_path / "made")
    expected = cell(board_of(folder), "beta", PUBLIC, "T10").cases
    change_results(folder / "submissions" / "beta", lambda results: results["provenance"].update(engine_version=1))
    board = board_of(folder)
    assert board.status(board.entry("beta"), PUBLIC) == "outdated"
    assert cell(board, "beta", PUBLIC, "T10").cases == expected
    (folder / "submissions" / "beta" / "cases.parquet").unlink()
    found = cell(board_of(folder), "beta", PUBLIC, "T10")
    assert found.cases == ()
    assert found.reason


def test_behind_what_is_published_there_is_nothing_else() -> None:
    """Of the paper's row single cases are not known."""
    board = Board(REAL, cache=Cache(None))
    found = cell(board, "nnunet-paper", "public", "L4")
    paper = published_table("public")
    assert paper is not None
    assert found.mean == paper.labels["L4"].dsc
    assert found.sentences()[0] == f"L4 of nnU-Net (paper) on Public: mean DSC {found.mean:.3f}."
    assert "nothing behind this number but what was published" in found.reason


def test_a_single_submission_is_a_map_of_one_row(tmp_path: Path) -> None:
    """One row, with a figure and cells like any other."""
    board = board_of(make_board(tmp_path, {"only": Quality()}, n_cases=4))
    view = views.vertebrae_view(board, PUBLIC)
    assert slugs(view.rows) == ["only"]
    assert view.figure(view.rows, ("only", "L1")).data
    assert cell(board, "only", PUBLIC, views.default_label(view)).cases
