"""The page of cases in all its states."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from boards_with_volumes import GRID
from case_results import case, mask
from label_volumes import column
from made_boards import Quality, make_board

from ctspine_bench.aggregate import summarise
from ctspine_bench.evaluate import SubmissionScore
from ctspine_bench.hosting.simulated import write_simulated_record
from ctspine_bench.hosting.store import PrivateStore
from ctspine_bench.phantom.write import write_volume
from ctspine_bench.provenance import Settings
from ctspine_bench.tables import case_table
from ctspine_bench.testsets import phantom

if TYPE_CHECKING:
    from collections.abc import Callable

    from streamlit.testing.v1 import AppTest

OFFICIAL = Path(__file__).parents[2] / "submissions"


@pytest.fixture
def open_cases(open_page: Callable[..., AppTest], volumes_folder: Path) -> Callable[..., AppTest]:
    """Open the page on the board whose volumes lie on disk."""

    def opened(**arguments: Any) -> AppTest:
        folders = {
            "submissions": volumes_folder / "submissions",
            "references": volumes_folder / "benchmark",
            "predictions": volumes_folder / "predictions",
        }
        app = open_page("cases", **{**folders, **arguments})
        assert not app.exception
        return app

    return opened


def page(app: AppTest) -> str:
    return "\n".join(block.value for block in app.get("html"))


def notices(app: AppTest) -> list[str]:
    return [block.value for block in app.get("html") if 'class="cb-notice"' in block.value]


def address(app: AppTest) -> dict[str, str]:
    return {key: value[0] if isinstance(value, list) else value for key, value in dict(app.query_params).items()}


def test_the_default_state_shows_the_hardest_case_along_the_spine(open_cases: Callable[..., AppTest]) -> None:
    """Table, pictures of the two best submissions, their vertebrae, all cases; nothing in the address."""
    app = open_cases()
    assert address(app) == {}
    assert [(box.label, box.value) for box in app.selectbox] == [
        ("Test set", "phantom-public"),
        ("Case", "column-1"),
        ("View", "spine"),
    ]
    assert app.multiselect[0].value == ["perfect", "moved"]
    html = page(app)
    assert html.count("<figure>") == 6
    assert "column-1, from COLONOG. Its reference has T11–L3." in html
    assert "Vertebra by vertebra" in html
    assert "By the mean DSC of 3 submissions." in html
    assert notices(app) == []


def test_a_deep_link_opens_what_its_sender_saw(open_cases: Callable[..., AppTest]) -> None:
    """Test set, case, submissions, view and slice."""
    state = {"set": "phantom-verse", "case": "verse-1", "ids": "renamed", "view": "axial", "slice": "9"}
    app = open_cases(**state)
    assert app.slider[0].value == 9
    assert page(app).count("<figure>") == 2
    # (the only case is the default, and so is nothing else here)
    assert address(app) == {key: value for key, value in state.items() if key != "case"}
    assert notices(app) == []


def test_choices_are_written_into_the_address(open_cases: Callable[..., AppTest]) -> None:
    """A slice belongs to its view and its case: another view or case begins in the middle again."""
    app = open_cases(view="axial")
    assert app.slider[0].value == 17
    app.slider[0].set_value(23).run()
    assert address(app) == {"view": "axial", "slice": "23"}
    app.selectbox(key="view").set_value("sagittal").run()
    assert app.slider[0].value == 6
    assert address(app) == {"view": "sagittal"}
    app.slider[0].set_value(4).run()
    app.selectbox(key="case").set_value("column-2").run()
    assert app.slider[0].value == 6
    assert address(app) == {"view": "sagittal", "case": "column-2"}
    assert not app.exception
    assert notices(app) == []


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("set", "nowhere"),
        ("case", "../../private/labels/COLONOG/secret-1"),
        ("case", "secret-1"),
        ("ids", "../moved"),
        ("view", "<script>"),
        ("slice", "99"),
        ("slice", "-1"),
        ("slice", "٣"),
        ("slice", "9" * 400),
    ],
)
def test_bad_values_are_answered_with_the_default(open_cases: Callable[..., AppTest], key: str, value: str) -> None:
    """One plain message, and the page as it is without the value; nothing of it becomes a path or markup."""
    view = {"view": "axial"} if key == "slice" else {}
    app = open_cases(**{**view, key: value})
    (notice,) = notices(app)
    assert f"The address asks for {key} = " in notice
    assert "<script>" not in page(app)
    assert app.selectbox(key="case").value == "column-1"
    assert page(app).count("<figure>") == (3 if view else 6)


def test_a_private_test_set_is_refused(open_cases: Callable[..., AppTest], volumes_folder: Path) -> None:
    """Its volumes lie on the disk beside the others; not even the name of a case is told."""
    for name in ("phantom-private", "private"):
        app = open_cases(set=name, case="secret-1", view="axial")
        html = page(app)
        if name == "phantom-private":
            assert "This is a private test set: nothing about its single cases is shown" in html
            assert len(app.selectbox) == 1
            assert "<figure>" not in html
        assert "secret-1" not in html.replace("case = “secret-1”", "")
        assert all("secret-1" not in option for box in app.selectbox for option in box.options)


def test_surfaces_are_drawn(open_cases: Callable[..., AppTest]) -> None:
    """The reference and the first of the chosen."""
    app = open_cases(view="surface", ids="renamed,moved")
    first, second = (json.loads(chart.proto.spec) for chart in app.get("plotly_chart"))
    assert [mesh["name"] for mesh in first["data"]] == ["T11", "T12", "L1", "L2", "L3"]
    assert [mesh["name"] for mesh in second["data"]] == ["T12", "L1", "L2", "L3", "L4"]
    assert "renamed. Smoothed" in page(app)


def test_without_volumes_the_tables_are_there_and_how_to_get_pictures(open_cases: Callable[..., AppTest]) -> None:
    """The option of the command is named."""
    app = open_cases(references=None, predictions=None, view="axial")
    html = page(app)
    assert "ctspine-bench leaderboard --references DIR --predictions DIR" in html
    assert "<figure>" not in html
    assert "Vertebra by vertebra" in html
    assert len(app.slider) == 0


def test_without_predictions_the_reference_is_shown(open_cases: Callable[..., AppTest], tmp_path: Path) -> None:
    """The chosen submissions are named as missing."""
    html = page(open_cases(predictions=tmp_path))
    assert html.count("<figure>") == 2
    assert "Predictions for this case that are not on the host&#39;s disk: perfect, moved." in html


def test_nobody_chosen_leaves_the_reference(open_cases: Callable[..., AppTest]) -> None:
    """All submissions may be taken away."""
    app = open_cases()
    app.multiselect[0].set_value([]).run()
    assert not app.exception
    assert page(app).count("<figure>") == 2


def test_an_empty_reference_is_told(open_cases: Callable[..., AppTest], volumes_folder: Path, tmp_path: Path) -> None:
    """There is nothing to cut along."""
    shutil.copytree(volumes_folder / "benchmark", tmp_path / "benchmark")
    path = tmp_path / "benchmark" / "public" / "labels" / "COLONOG" / "column-1_seg.nii.gz"
    write_volume(path, 0 * column(), GRID)
    for view in ("spine", "axial", "surface"):
        html = page(open_cases(references=tmp_path / "benchmark", view=view))
        assert "The reference of this case has no vertebra to show." in html


def test_files_are_offered_of_all_that_is_shown(open_cases: Callable[..., AppTest]) -> None:
    """The case, its vertebrae and all cases, as CSV, JSON and LaTeX."""
    names = [button.proto.id.partition("download-")[2] for button in open_cases().get("download_button")]
    assert names == [
        f"{name}.{ending}"
        for name in ("case-phantom-public-column-1", "vertebrae-phantom-public-column-1", "cases-phantom-public")
        for ending in ("csv", "json", "tex")
    ]


@pytest.mark.parametrize("state", ["missing", "empty"])
def test_an_empty_board_says_so(open_cases: Callable[..., AppTest], tmp_path: Path, state: str) -> None:
    """No folder, or an empty one."""
    folder = tmp_path / "none"
    if state == "empty":
        folder.mkdir()
    assert "No submission has scores of single cases on this test set yet." in page(open_cases(submissions=folder))


def test_the_published_row_alone_has_no_cases(open_cases: Callable[..., AppTest]) -> None:
    """It was copied from a paper."""
    for name in ("public", "verse"):
        assert "No submission has scores of single cases" in page(open_cases(submissions=OFFICIAL, set=name))
    assert "This is a private test set" in page(open_cases(submissions=OFFICIAL, set="private"))


def test_one_submission_on_few_cases(open_page: Callable[..., AppTest], tmp_path: Path) -> None:
    """A board may begin small."""
    make_board(tmp_path, {"only": Quality()}, n_cases=4)
    app = open_page("cases", submissions=tmp_path / "submissions")
    assert not app.exception
    assert "By the mean DSC of 1 submission." in page(app)


def test_broken_and_newer_records_leave_the_others_alone(
    open_cases: Callable[..., AppTest], volumes_folder: Path, tmp_path: Path
) -> None:
    """Each is named; the other submissions are shown."""
    shutil.copytree(volumes_folder / "submissions", tmp_path / "submissions")
    (tmp_path / "submissions" / "moved" / "cases.parquet").write_bytes(b"no table")
    results = tmp_path / "submissions" / "renamed" / "results.json"
    results.write_text(json.dumps({**json.loads(results.read_text()), "schema_version": 99}))
    app = open_cases(submissions=tmp_path / "submissions")
    assert len(notices(app)) == 2
    assert app.multiselect[0].value == ["perfect"]


HOSTILE = (
    '<img src=x onerror="alert(1)">',
    "[click](javascript:alert(1))",
    "../../../etc/passwd",
    "=HYPERLINK(1)",
    "a\x00b\u202ec" + "d" * 300,
    "**bold** $x$ :red[x]",
)


def test_hostile_names_of_cases_are_shown_as_what_they_are(
    open_page: Callable[..., AppTest], volumes_folder: Path, tmp_path: Path
) -> None:
    """No markup, no file, no formula; each can be opened."""
    results = [case(name, mask("T1", 0.9 - 0.1 * n, 1.0), source=name) for n, name in enumerate(HOSTILE)]
    table = case_table(results, "phantom-public")
    score = SubmissionScore(phantom("phantom-public"), tuple(results), table, summarise(table), (), 0, Settings())
    write_simulated_record(tmp_path / "submissions" / "one", "Made.", [score], PrivateStore(tmp_path / "store"))
    for name in HOSTILE:
        app = open_page(
            "cases",
            submissions=tmp_path / "submissions",
            references=volumes_folder / "benchmark",
            predictions=volumes_folder / "predictions",
            case=name,
        )
        assert not app.exception
        html = page(app)
        assert app.selectbox(key="case").value == name
        assert "<img src=x" not in html
        assert "<figure>" not in html
        assert "The reference of this case is not on the host&#39;s disk" in html
        assert not any("\u202e" in option or "\x00" in option for option in app.selectbox(key="case").options)
