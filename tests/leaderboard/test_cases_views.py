"""What the page of cases shows: what became of each case, how one is found, its tables, its pictures."""

from __future__ import annotations

import base64
import io
import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

import numpy as np
import pandas as pd
import pytest
from boards_with_volumes import GRID
from case_results import case, mask, missed, spurious
from label_volumes import column
from PIL import Image

from ctspine_bench.aggregate import summarise
from ctspine_bench.board import Board
from ctspine_bench.evaluate import SubmissionScore
from ctspine_bench.hosting.simulated import write_simulated_record
from ctspine_bench.hosting.store import PrivateStore
from ctspine_bench.phantom.write import write_volume
from ctspine_bench.provenance import Settings as ScoringSettings
from ctspine_bench.records import Failure, Grid
from ctspine_bench.tables import case_table
from ctspine_bench.testsets import named, phantom
from ctspine_leaderboard.settings import Settings
from ctspine_leaderboard.views.cases import outcomes as module
from ctspine_leaderboard.views.cases.finding import cases_data, cases_table, found_cases
from ctspine_leaderboard.views.cases.outcomes import Outcome, outcomes
from ctspine_leaderboard.views.cases.pictures import panels
from ctspine_leaderboard.views.cases.planes import slices
from ctspine_leaderboard.views.cases.scores import case_view, levels, vertebra_view
from ctspine_leaderboard.views.cases.sources import NO_VOLUMES, CaseSources, case_sources, with_predictions
from ctspine_leaderboard.views.cases.surfaces import surface_views
from ctspine_leaderboard.views.kept import Kept

if TYPE_CHECKING:
    from pathlib import Path

    from ctspine_bench.records import CaseResult

PUBLIC = "phantom-public"


@pytest.fixture(autouse=True)
def _own_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def board(volumes_folder: Path) -> Board:
    """Three submissions on two public cases: perfect, moved by 2 mm, and named one level too low."""
    return Board(volumes_folder / "submissions")


def settings_of(folder: Path) -> Settings:
    return Settings(folder / "submissions", None, folder / "benchmark", folder / "predictions")


# What became of each case.


def test_outcomes_follow_from_the_volumes(board: Board) -> None:
    """Worked out by hand for five boxes of 16 × 16 × 12.5 mm, 2.5 mm apart.

    Moved by 2 of 16 mm, DSC is 14/16; both side faces, 30 % of the surface, are 2 mm off. With every name a level too
    low, the highest is missed and one below all is spurious (100 mm each), the four others are taken for their upper
    neighbours, 15 mm away. Six vertebrae lose everything: five to their names, one because it is not there.
    """
    found = outcomes(board, board.entries, PUBLIC)
    labels = (18, 19, 20, 21, 22)
    assert found["perfect"]["column-1"] == Outcome("COLONOG", 1.0, 0.0, labels, (), (), 0, "", (0.0,) * 4)
    assert found["moved"]["column-1"] == Outcome("COLONOG", 0.875, 2.0, labels, (), (), 0, "", (0.0, 0.0, 0.125, 0.0))
    renamed = found["renamed"]["column-1"]
    assert (renamed.missed, renamed.spurious, renamed.shift) == ((18,), (23,), 1)
    assert renamed.dsc == 0.0
    assert renamed.hd95_mm == pytest.approx((2 * 100 + 4 * 15) / 6)
    assert renamed.losses == pytest.approx((5 / 6, 0, 0, 1 / 6))


def test_outcomes_agree_with_pandas_on_every_case(made_board: Board) -> None:
    """Means, missed and spurious vertebrae of all submissions and cases, from their records."""
    found = outcomes(made_board, made_board.entries, PUBLIC)
    assert set(found) == {"alpha", "beta", "gamma", "delta"}
    for slug, cases in found.items():
        rows = made_board.record(slug).cases
        assert rows is not None
        rows = rows[(rows["test_set"] == PUBLIC) & (rows["row"] == "vertebra")]
        for case_id, of_case in rows.groupby("case_id"):
            outcome = cases[str(case_id)]
            assert outcome.dsc == pytest.approx(of_case["dsc"].mean(), abs=1e-12)
            assert outcome.hd95_mm == pytest.approx(of_case["hd95_mm"].fillna(100).clip(upper=100).mean(), abs=1e-9)
            losses = of_case[["loss_identification", "loss_missed", "loss_boundary", "loss_spurious"]].mean()
            assert outcome.losses == pytest.approx(losses.tolist(), abs=1e-12)
            assert sum(outcome.losses) == pytest.approx(1 - outcome.dsc, abs=1e-12)
            for status in ("missed", "spurious"):
                assert getattr(outcome, status) == tuple(of_case.loc[of_case["status"] == status, "label"])


def test_outcomes_are_the_same_from_the_cache_on_disk(made_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second process reads no case table."""
    board = Board(made_folder / "submissions")
    monkeypatch.setattr(module, "_kept", Kept(8))
    first = outcomes(board, board.entries, PUBLIC)
    monkeypatch.setattr(module, "_kept", Kept(8))
    monkeypatch.setattr(Board, "record", lambda *_: pytest.fail("read again"))
    assert outcomes(board, board.entries, PUBLIC) == first


def test_nothing_became_of_private_cases(made_board: Board, board: Board) -> None:
    """There is no case of a private test set, no table, no view."""
    for each in (made_board, board):
        assert outcomes(each, each.entries, "phantom-private") == {}
        assert found_cases(each, "phantom-private") == ()
    assert case_view(board, "phantom-private", "secret-1") is None
    assert vertebra_view(board, "phantom-private", "secret-1", board.entries) is None


# How a case is found.


def test_cases_stand_by_their_mean_score_the_hardest_first(made_board: Board) -> None:
    """By the mean over submissions of the mean over vertebrae, as pandas has it."""
    rows = pd.concat([made_board.record(slug).cases.assign(slug=slug) for slug in ("alpha", "beta", "gamma", "delta")])
    rows = rows[(rows["test_set"] == PUBLIC) & (rows["row"] == "vertebra")]
    means = rows.groupby(["case_id", "slug"])["dsc"].mean().groupby("case_id").mean().sort_values()
    found = found_cases(made_board, PUBLIC)
    assert [each.case_id for each in found] == means.index.tolist()
    assert [each.dsc for each in found] == pytest.approx(means.tolist())
    first = rows[rows["case_id"] == found[0].case_id]
    assert len(found[0].labels) == first.loc[first["status"] != "spurious", "label"].nunique()
    assert found[0].lowest == pytest.approx(first.groupby("slug")["dsc"].mean().min())
    assert found[0].title == (
        f"{found[0].case_id} · {found[0].source} · {len(found[0].labels)} vertebrae · mean DSC {found[0].dsc:.3f}"
    )


def test_the_list_of_cases_leads_to_each(board: Board) -> None:
    """The table links to the page of a case; the file has all numbers."""
    found = found_cases(board, PUBLIC)
    assert [each.case_id for each in found] == ["column-1", "column-2"]  # equally hard
    assert found[0].dsc == pytest.approx((1 + 0.875 + 0) / 3)
    assert 'href="cases?set=phantom-public&amp;case=column-2"' in cases_table(found, PUBLIC)
    data = cases_data(found)
    assert data["mean_missed"].tolist() == pytest.approx([1 / 3, 1 / 3])
    assert data["mean_spurious"].tolist() == pytest.approx([1 / 3, 1 / 3])
    assert data["n_submissions"].tolist() == [3, 3]


def test_finding_nothing_where_nothing_is_is_right(tmp_path: Path) -> None:
    """In a case without a reference vertebra one submission has a spurious one: the other, which has none, is right."""
    there = case("a", mask("T1", 0.8, 1.0), source="COLONOG")
    board = written(tmp_path, {"one": [there, case("b", spurious("L1"))], "other": [there, case("b")]})
    found = {each.case_id: each for each in found_cases(board, PUBLIC)}
    assert (found["a"].dsc, found["a"].n_spurious) == (0.8, 0.0)
    assert (found["b"].dsc, found["b"].lowest, found["b"].highest, found["b"].n_spurious) == (0.5, 0.0, 1.0, 0.5)


def test_without_a_ranked_submission_the_others_have_cases(tmp_path: Path) -> None:
    """A submission of which a case failed is not ranked; what it made of its cases is shown all the same."""
    failed = case(
        "b", missed("L1"), source="COLONOG", failure=Failure("E_MISSING_CASE", "prediction", "The file is not there.")
    )
    board = written(tmp_path, {"one": [case("a", mask("T1", 0.9, 1.0), source="COLONOG"), failed]})
    assert board.paired(PUBLIC) is None
    assert [(each.case_id, each.dsc) for each in found_cases(board, PUBLIC)] == [("b", 0.0), ("a", 0.9)]
    view = case_view(board, PUBLIC, "b")
    assert view is not None
    (row,) = view.rows
    assert row.reason.startswith("Incomplete")
    assert "refused: a case of the test set has no prediction" in view.table
    assert view.data()["failure"].tolist() == ["E_MISSING_CASE"]
    assert vertebra_view(board, PUBLIC, "b", board.entries) is None


def written(folder: Path, submissions: dict[str, list[CaseResult]], test_set: str = PUBLIC) -> Board:
    """A board of submissions with these results on a public phantom test set."""
    store = PrivateStore(folder / "private-store")
    for slug, results in submissions.items():
        table = case_table(results, test_set)
        n_failed = sum(result.failure is not None for result in results)
        score = SubmissionScore(
            phantom(test_set), tuple(results), table, summarise(table), (), n_failed, ScoringSettings()
        )
        write_simulated_record(folder / "submissions" / slug, "Made.", [score], store)
    return Board(folder / "submissions")


# The tables of a case.


def test_submissions_stand_by_their_score_on_the_case(board: Board) -> None:
    """The best first, with what each has missed and invented."""
    view = case_view(board, PUBLIC, "column-1")
    assert view is not None
    assert view.slugs == ("perfect", "moved", "renamed")
    assert view.sentences() == ("column-1, from COLONOG. Its reference has T11–L3.",)
    data = view.data()
    assert data["dsc"].tolist() == [1.0, 0.875, 0.0]
    assert data["missed"].tolist() == ["", "", "T11"]
    assert data["spurious"].tolist() == ["", "", "L4"]
    assert data["label_shift"].tolist() == [0, 0, 1]
    html = str(view.table)
    assert re.findall(r"<td class=\"cb-right\">([^<]*)", html) == [
        *("1.000", "0.00", "0.000"),
        *("0.875", "2.00", "0.125"),
        *("0.000", "43.33", "1.000"),
    ]
    lost = re.findall(r">([\d.]+)<span class=\"cb-detail\">([^<]*)</span>", html)
    assert ("0.125", "outline 0.125") in lost
    assert ("1.000", "wrong name 0.833 · spurious 0.167") in lost
    assert data["lost_to_wrong_name"].tolist() == pytest.approx([0, 0, 5 / 6])
    assert data["lost_to_spurious"].tolist() == pytest.approx([0, 0, 1 / 6])
    assert ">+1<" in html
    assert view.paper_table()["Missed"].tolist() == ["--", "--", "T11"]


def test_vertebrae_of_chosen_submissions_stand_side_by_side(board: Board) -> None:
    """In the order of the choice, with the official policies; what is spurious in one is no vertebra of the other."""
    chosen = [entry for slug in ("renamed", "moved") if (entry := board.entry(slug))]
    view = vertebra_view(board, PUBLIC, "column-1", chosen)
    assert view is not None
    assert view.names == ("renamed", "moved")
    data = view.data()
    assert data["vertebra"].tolist() == ["T11", "T12", "L1", "L2", "L3", "L4", "T11", "T12", "L1", "L2", "L3"]
    assert data["status"].tolist() == ["missed", *4 * ["matched"], "spurious", *5 * ["matched"]]
    assert data["hd95_mm"].tolist() == pytest.approx([100, 15, 15, 15, 15, 100, 2, 2, 2, 2, 2])
    for text in ("missed", "spurious", "–"):
        assert f'<td class="cb-right">{text}</td>' in view.table()
    alone = vertebra_view(board, PUBLIC, "column-1", chosen[1:])
    assert alone is not None
    assert alone.labels == (18, 19, 20, 21, 22)
    assert "0.875 · 2.00" in view.table()


def test_an_unknown_case_or_nobody_chosen_is_no_view(board: Board) -> None:
    """There is nothing to show then."""
    assert case_view(board, PUBLIC, "nowhere") is None
    assert vertebra_view(board, PUBLIC, "nowhere", board.entries) is None
    assert vertebra_view(board, PUBLIC, "column-1", []) is None


def test_levels_in_a_row_are_a_range() -> None:
    """Three or more in a row are named by their ends."""
    assert levels([]) == ""
    assert levels([25, 8]) == "T1, L6"
    assert levels([7, 8]) == "C7, T1"
    assert levels([1, 2, 3, 20, 24, 25]) == "C1–C3, L1, L5, L6"


def test_a_spurious_name_beyond_the_labels_is_left_out(tmp_path: Path) -> None:
    """A table that is not as the scorer writes it takes nothing down."""
    results = [case("a", mask("T1", 0.9, 1.0), spurious("L6"), source=None)]
    board = written(tmp_path, {"one": results})
    rows = board.record("one").cases
    assert rows is not None
    rows.loc[rows["status"] == "spurious", "label"] = 77
    assert module._of_test_set(rows)["a"].spurious == ()


# The volumes of a case.


def test_all_volumes_of_a_case_are_read(volumes_folder: Path, board: Board) -> None:
    """Reference, CT and the chosen predictions; nothing is missing, and nothing said."""
    chosen = [entry for slug in ("moved", "renamed") if (entry := board.entry(slug))]
    found = case_sources(settings_of(volumes_folder), named(PUBLIC), "column-1", chosen)
    assert found.sentences == ()
    assert list(found.predictions) == ["moved", "renamed"]
    assert found.reference is not None
    assert found.image is not None
    assert np.array_equal(found.reference.part.voxels, column())
    assert set(np.unique(found.predictions["renamed"].voxels)) == {0, 19, 20, 21, 22, 23}


def test_what_is_missing_is_told(volumes_folder: Path, board: Board, tmp_path: Path) -> None:
    """Each thing that is not there costs as much as it must, and a sentence."""
    chosen = list(board.entries)
    nothing = case_sources(Settings(), named(PUBLIC), "column-1", chosen)
    assert (nothing.reference, nothing.sentences) == (None, (NO_VOLUMES,))
    elsewhere = case_sources(Settings(references=tmp_path), named(PUBLIC), "column-1", chosen)
    assert elsewhere.sentences == (
        "The reference of this case is not on the host's disk, so that there are no pictures of it.",
    )
    write_volume(tmp_path / "public" / "labels" / "column-1_seg.nii.gz", column(), GRID)
    bare = case_sources(Settings(references=tmp_path), named(PUBLIC), "column-1", chosen)
    assert bare.reference is not None
    assert bare.sentences == (
        "The CT of this case is not on the host's disk: outlines are drawn on black.",
        "Predictions for this case that are not on the host's disk: moved, perfect, renamed.",
    )
    private = case_sources(settings_of(volumes_folder), named("phantom-private"), "secret-1", chosen)
    assert (private.reference, private.image, private.predictions, private.sentences) == (None, None, {}, ())


def test_what_cannot_be_shown_is_told_without_the_folders_of_the_host(board: Board, tmp_path: Path) -> None:
    """Broken files, other grids, two files for a case: one sentence each, and the rest is shown."""
    labels, volumes = tmp_path / "public" / "labels", tmp_path / "public" / "volumes"
    write_volume(labels / "column-1_seg.nii.gz", column(), GRID)
    write_volume(volumes / "column-1.nii.gz", column(n_vertebrae=4).astype(np.int16), GRID)
    for folder in ("a", "b"):
        write_volume(tmp_path / "predictions" / "moved" / "public" / folder / "column-1.nii.gz", column(), GRID)
    broken = tmp_path / "predictions" / "perfect" / "public" / "column-1.nii.gz"
    write_volume(broken, column(), GRID)
    broken.write_bytes(broken.read_bytes()[:-40])
    write_volume(tmp_path / "predictions" / "renamed" / "public" / "column-1.nii.gz", column(), GRID)
    settings = Settings(references=tmp_path, predictions=tmp_path / "predictions")
    found = case_sources(settings, named(PUBLIC), "column-1", board.entries)
    assert list(found.predictions) == ["renamed"]
    assert found.sentences == (
        "The CT cannot be shown: another number of voxels than the reference (E_SHAPE).",
        "The prediction of moved cannot be shown: two files for the same case (E_DUPLICATE_CASE).",
        "The prediction of perfect cannot be shown: the file ends before its data does (E_TRUNCATED).",
    )
    (labels / "column-1_seg.nii.gz").write_bytes(b"\x1f\x8bnothing")
    assert case_sources(settings, named(PUBLIC), "column-1", board.entries).sentences == (
        "The reference cannot be shown: the file ends before its data does (E_TRUNCATED).",
    )


def test_stray_labels_out_of_sight_are_told(board: Board, tmp_path: Path) -> None:
    """64 voxels of 1 mL each, 90 mm from the spine."""
    grid = Grid((20, 20, 20), np.diag([10.0, 10.0, 10.0, 1.0]))
    labels = np.zeros((20, 20, 20), np.uint8)
    labels[1:3, 1:3, 1:3] = 20
    write_volume(tmp_path / "public" / "labels" / "column-1.nii.gz", labels, grid)
    labels[12:16, 12:16, 12:16] = 20
    write_volume(tmp_path / "predictions" / "moved" / "public" / "column-1.nii.gz", labels, grid)
    moved = board.entry("moved")
    assert moved is not None
    settings = Settings(references=tmp_path, predictions=tmp_path / "predictions")
    assert case_sources(settings, named(PUBLIC), "column-1", [moved]).sentences[-1] == (
        "Of the prediction of moved, 64.0 mL lie outside of what is shown, far from the spine."
    )


def test_submissions_with_predictions_are_known(volumes_folder: Path, board: Board) -> None:
    """Only submissions of the board are looked for."""
    found = with_predictions(board, settings_of(volumes_folder), named(PUBLIC), ["renamed", "../moved", "moved"])
    assert found == ["renamed", "moved"]
    assert with_predictions(board, Settings(), named(PUBLIC), ["moved"]) == []


# Pictures.


@pytest.fixture
def sources(volumes_folder: Path, board: Board) -> CaseSources:
    """All volumes of a case, with two predictions."""
    chosen = [entry for slug in ("moved", "renamed") if (entry := board.entry(slug))]
    return case_sources(settings_of(volumes_folder), named(PUBLIC), "column-1", chosen)


NAMES = {"moved": "Moved <b>", "renamed": "Renamed"}


def drawings(markup: str) -> list[str]:
    """The pictures in a piece of a page, as SVG."""
    return [unquote(each) for each in re.findall(r'src="data:image/svg\+xml,([^"]*)"', markup)]


def paths(svg: str) -> list[tuple[str, float, float]]:
    """Colour, smallest and largest x of each outline."""
    found = []
    for stroke, path in re.findall(r'stroke="(#[0-9a-f]{6})" d="([^"]*)"', svg):
        across = [float(x) for x in re.findall(r"(-?[\d.]+),-?[\d.]+", path)]
        found.append((stroke, min(across), max(across)))
    return found


def test_an_axial_slice_shows_the_outlines_where_they_are(sources: CaseSources) -> None:
    """12 voxels of 2 mm on 300 pixels: a box of 8 voxels from 50 to 250, moved by a voxel from 75 to 275."""
    markup = str(panels(sources, NAMES, "axial", 17))
    reference, moved, renamed = drawings(markup)
    ((own, *at),) = paths(reference)
    assert at == [50.0, 250.0]
    assert paths(moved) == [("#ffffff", 50.0, 250.0), (own, 75.0, 275.0)]
    (white, (other, *_)) = paths(renamed)
    assert white == ("#ffffff", 50.0, 250.0)
    assert other != own
    assert [re.findall(r">([CTL]\d+)</text>", svg) for svg in (reference, moved, renamed)] == [["L1"], ["L1"], ["L2"]]
    assert re.findall(r"<figcaption>(.*?)</figcaption>", markup) == ["Reference", "Moved &lt;b&gt;", "Renamed"]
    assert 'alt="Moved &lt;b&gt;, axial: outline of L1"' in markup


def test_the_ct_lies_under_the_outlines_front_up(sources: CaseSources) -> None:
    """Bone of 700 HU is grey 191, water 63; the first row of the image is the front."""
    (reference, *_) = drawings(str(panels(sources, NAMES, "axial", 17)))
    (content,) = re.findall(r'href="data:image/png;base64,([^"]*)"', reference)
    grey = np.asarray(Image.open(io.BytesIO(base64.b64decode(content))))
    expected = np.full((12, 12), 63)
    expected[2:10, 2:10] = 191
    assert np.array_equal(grey, expected)
    assert "(−350 to 1050 HU)" in panels(sources, NAMES, "axial", 17)


def test_a_slice_between_vertebrae_shows_none(sources: CaseSources) -> None:
    """The picture is there all the same, and says so."""
    markup = str(panels(sources, NAMES, "axial", 20))
    assert paths(drawings(markup)[0]) == []
    assert 'alt="Reference, axial: no vertebra"' in markup


def test_along_the_spine_there_is_a_row_for_each_view(sources: CaseSources) -> None:
    """Sagittal and coronal, each with the reference and two predictions, all five vertebrae named."""
    markup = str(panels(sources, NAMES, "spine"))
    assert markup.count('class="cb-panels') == 2
    assert len(drawings(markup)) == 6
    assert re.findall(r">([CTL]\d+)</text>", drawings(markup)[0]) == ["T11", "T12", "L1", "L2", "L3"]
    assert 'alt="Renamed, coronal: outlines of 5 vertebrae from T12 to L4"' in markup
    assert [re.findall(r">(back|front|left|right)<", svg) for svg in drawings(markup)[::3]] == [
        ["back", "front"],
        ["left", "right"],
    ]


def test_slices_are_counted_from_one_and_begin_in_the_middle_of_the_spine(sources: CaseSources) -> None:
    """Boxes lie in slices 3–7, 9–13, 15–19, 21–25, 27–31 of 34, and in columns 3–10 of 12."""
    assert sources.reference is not None
    assert slices(sources.reference.part, "axial") == (range(1, 35), 17)
    assert slices(sources.reference.part, "sagittal") == (range(1, 13), 6)


def test_slices_of_a_large_volume_keep_their_numbers(tmp_path: Path, board: Board) -> None:
    """What is shown is a part, and its slices are numbered as in the volume."""
    labels = np.zeros((60, 60, 100), np.uint8)
    labels[30:38, 20:28, 60:70] = 20
    grid = Grid((60, 60, 100), np.diag([2.0, 2.0, 2.0, 1.0]))
    write_volume(tmp_path / "public" / "labels" / "column-1.nii.gz", labels, grid)
    found = case_sources(Settings(references=tmp_path), named(PUBLIC), "column-1", [])
    assert found.reference is not None
    assert slices(found.reference.part, "axial") == (range(55, 77), 65)
    first, last = (paths(drawings(str(panels(found, {}, "axial", number)))[0]) for number in (61, 70))
    assert first == last != []
    assert paths(drawings(str(panels(found, {}, "axial", 60)))[0]) == []


def test_a_reference_without_a_vertebra_has_no_pictures(tmp_path: Path) -> None:
    """There is no spine to cut along."""
    write_volume(tmp_path / "public" / "labels" / "column-1.nii.gz", np.zeros((12, 12, 34), np.uint8), GRID)
    found = case_sources(Settings(references=tmp_path), named(PUBLIC), "column-1", [])
    assert panels(found, {}, "spine") == ""
    assert panels(CaseSources(None, None, {}, ()), {}, "spine") == ""


def test_surfaces_are_those_of_the_reference_and_the_first_prediction(sources: CaseSources) -> None:
    """A mesh for each vertebra, named like it."""
    reference, prediction = surface_views(sources, {"renamed": "Renamed", "moved": "Moved"})
    assert (reference.title, prediction.title) == ("Reference", "Renamed")
    assert reference.figure is not None
    assert prediction.figure is not None
    assert [mesh.name for mesh in reference.figure.data] == ["T11", "T12", "L1", "L2", "L3"]
    assert [mesh.name for mesh in prediction.figure.data] == ["T12", "L1", "L2", "L3", "L4"]
    height = np.asarray(reference.figure.data[0].z)
    assert (height.min(), height.max()) == pytest.approx((26 * 2.5 - 1.25, 30 * 2.5 + 1.25), abs=0.8)
    assert surface_views(CaseSources(None, None, {}, ()), {}) == []
