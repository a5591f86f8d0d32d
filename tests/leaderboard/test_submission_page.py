"""The page of a submission: what it shows of records of every kind, links into it, and files to take away."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from declarations import fields, text_of
from made_boards import Quality, make_board

if TYPE_CHECKING:
    from collections.abc import Callable

    from streamlit.testing.v1 import AppTest

    OpenPage = Callable[..., AppTest]

REAL_BOARD = Path(__file__).parents[2] / "submissions"
EARLIER = Path(__file__).parents[1] / "data" / "schema-1"
HEADINGS = [
    "Where it stands",
    "The paper&#39;s layout, this benchmark&#39;s rule",
    "The official rule and its variants",
    "Beside Mean of Vertebrae: Public (phantom)",
    "What goes wrong: Public (phantom)",
    "From C1 to L6",
    "Case by case",
    "What was called what",
    "What the DSC is lost to",
    "The worst cases",
    "By source: Public (phantom)",
    "What the numbers were made with",
    "Cite",
]


def blocks(app: AppTest) -> str:
    return "\n".join(block.value for block in app.get("html"))


def headings(app: AppTest) -> list[str]:
    """The second-level headings, from the top down."""
    values = [block.value for block in app.get("html") if block.value.startswith("<h2>")]
    return [value.partition("<h2>")[2].partition("</h2>")[0] for value in values]


def test_it_opens_with_the_best_and_shows_everything(open_page: OpenPage) -> None:
    """The first of the official order on the public set: tables, four figures, files, and two texts to cite."""
    app = open_page("submission")
    assert not app.exception
    assert [widget.value for widget in app.selectbox] == ["alpha", "phantom-public", "official"]
    assert headings(app) == ["alpha", *HEADINGS]
    assert len(app.get("plotly_chart")) == 4
    assert len(app.get("download_button")) == 5 * 3
    texts = [block.value for block in app.get("code")]
    assert [text.partition("{")[2].partition(",")[0] for text in texts] == ["deng2024ctspine1k", "ctspine1k-alpha"]
    assert not app.query_params, "defaults are left out of the address"


def test_a_link_opens_what_it_names(open_page: OpenPage) -> None:
    """The submission and the test set of an address are those that are shown."""
    app = open_page("submission", id="delta", set="phantom-verse")
    assert not app.exception
    assert [widget.value for widget in app.selectbox] == ["delta", "phantom-verse", "official"]
    assert headings(app)[0] == "delta"
    assert "What goes wrong: VerSe (phantom)" in headings(app)
    assert dict(app.query_params) == {"id": "delta", "set": "phantom-verse"}


def test_a_variant_of_the_table_can_be_chosen(open_page: OpenPage) -> None:
    """The heading says that it is one, the address names it, and its files carry its name."""
    app = open_page("submission", id="gamma", table="complete")
    assert not app.exception
    assert "Variant of this benchmark&#39;s rule: complete vertebrae only" in headings(app)
    assert app.selectbox(key="table").options[0] == "By the official rule"
    assert "download-table-gamma-complete.csv" in [
        "".join(button.proto.id.partition("download-")[1:]) for button in app.get("download_button")
    ]
    app.selectbox(key="table").select("hd95-matched").run()
    assert not app.exception
    assert dict(app.query_params) == {"id": "gamma", "table": "hd95-matched"}
    assert "cases / matched" in blocks(app)


def test_a_choice_changes_the_address(open_page: OpenPage) -> None:
    """Choosing another submission shows that one and writes it to the address."""
    app = open_page("submission")
    app.selectbox[0].select("gamma").run()
    assert not app.exception
    assert headings(app)[0] == "gamma"
    assert dict(app.query_params) == {"id": "gamma"}


def test_what_cannot_be_shown_is_explained(open_page: OpenPage) -> None:
    """A submission and a test set that do not exist are answered with a message and the default."""
    app = open_page("submission", id="<b>nobody", set="nowhere")
    assert not app.exception
    assert "“&lt;b&gt;nobody”" in blocks(app)
    assert "“nowhere”" in blocks(app)
    assert headings(app)[0] == "alpha"


def test_a_private_set_shows_nothing_about_cases(open_page: OpenPage) -> None:
    """Counts as they are told, and a sentence in place of figures and cases."""
    app = open_page("submission", id="beta", set="phantom-private")
    assert not app.exception
    assert "The cases of a private test set are not published" in blocks(app)
    assert not app.get("plotly_chart")
    assert "made-private" not in blocks(app)


def test_published_results_show_what_there_is(open_page: OpenPage) -> None:
    """The real board: the table of the paper, unranked, and how to cite it; nothing about cases or scorers."""
    app = open_page("submission", submissions=REAL_BOARD, id="nnunet-paper")
    assert not app.exception
    assert headings(app) == [
        *("nnU-Net (paper)", "Where it stands", "The paper&#39;s layout, the paper&#39;s numbers"),
        *("What goes wrong: Public", "Cite"),
    ]
    assert len(app.selectbox) == 2, "of published numbers there are no variants"
    assert "0.869 / 5.40" in blocks(app)
    assert "As published: not scored by this benchmark, and therefore not ranked." in blocks(app)
    assert "nothing can be said about single cases" in blocks(app)
    assert 'href="https://arxiv.org/abs/2105.14711" rel="noopener nofollow"' in blocks(app)
    assert "as published" in blocks(app)


def test_a_submission_without_scores_shows_what_was_declared(open_page: OpenPage, tmp_path: Path) -> None:
    """What it is, that it is not scored yet, and how to cite it; other names do not become markup."""
    folder = tmp_path / "submissions" / "waiting"
    folder.mkdir(parents=True)
    (folder / "submission.yaml").write_bytes(text_of(fields(name="(~_~) & *bold* $x$", team="A & B")))
    app = open_page("submission", submissions=tmp_path / "submissions")
    assert not app.exception
    assert headings(app) == ["(~_~) &amp; *bold* $x$", "Where it stands", "What goes wrong: Public", "Cite"]
    assert "There are no results of it yet." in blocks(app)
    assert "Nothing is known on this test set. Not scored yet." in blocks(app)
    assert "not scored" in blocks(app)
    assert "A &amp; B" in blocks(app)


@pytest.mark.parametrize(
    ("break_it", "said"),
    [
        (lambda folder: (folder / "results.json").write_text("{"), "The record is broken."),
        (lambda folder: (folder / "submission.yaml").write_text("name: [<script>"), "The record is broken."),
        (
            lambda folder: (folder / "results.json").write_text(
                json.dumps({**json.loads((folder / "results.json").read_text()), "schema_version": 99})
            ),
            "The record is of a newer version of ctspine-bench than this one.",
        ),
    ],
    ids=["results", "declaration", "newer"],
)
def test_a_broken_record_says_what_is_wrong(
    open_page: OpenPage, made_folder: Path, tmp_path: Path, break_it: Callable[[Path], object], said: str
) -> None:
    """The error of the record stands in place of everything else; the page of another one is as before."""
    folder = tmp_path / "submissions"
    shutil.copytree(made_folder / "submissions", folder)
    break_it(folder / "delta")
    app = open_page("submission", submissions=folder, id="delta")
    assert not app.exception
    assert headings(app) == ["delta"]
    assert said in blocks(app)
    assert "<script>" not in blocks(app)
    assert not app.get("plotly_chart")
    others = open_page("submission", submissions=folder, id="beta")
    assert headings(others) == ["beta", *HEADINGS]


@pytest.mark.parametrize("page", ["standings", "submission", "vertebrae", "domain_gap", "compare", "cases", "dataset"])
def test_a_record_of_an_earlier_layout_is_shown_as_outdated(
    open_page: OpenPage, made_folder: Path, tmp_path: Path, page: str
) -> None:
    """It has a place on every page, says what it is, and none of its numbers is shown."""
    folder = tmp_path / "submissions"
    shutil.copytree(made_folder / "submissions" / "alpha", folder / "alpha")
    shutil.copytree(EARLIER / "nnunet-phantom", folder / "nnunet-phantom")
    mean = json.loads((EARLIER / "nnunet-phantom" / "results.json").read_text())["test_sets"]
    dsc = mean["phantom-public"]["mean_of_vertebrae"]["dsc"]
    app = open_page(page, submissions=folder, id="nnunet-phantom")
    assert not app.exception
    assert f"{dsc:.3f}" not in blocks(app)
    if page in {"standings", "submission"}:
        assert ">outdated<" in blocks(app)
        assert "is left out" not in blocks(app)


def test_names_that_look_like_markup_stay_names(open_page: OpenPage, made_folder: Path, tmp_path: Path) -> None:
    """A folder that is named like an element is a broken record whose name is shown as text."""
    folder = tmp_path / "submissions"
    shutil.copytree(made_folder / "submissions" / "alpha", folder / "alpha")
    hostile = "<img src=x onerror=alert(1)>"
    (folder / hostile).mkdir()
    app = open_page("submission", submissions=folder, id=hostile)
    assert not app.exception
    assert "<img src=x" not in blocks(app)
    assert headings(app) == ["&lt;img src=x onerror=alert(1)&gt;"]


def test_an_empty_board_says_so(open_page: OpenPage, tmp_path: Path) -> None:
    """Without a submission there is a sentence, and no selector."""
    app = open_page("submission", submissions=tmp_path / "none")
    assert not app.exception
    assert "There is no submission yet" in blocks(app)
    assert not app.selectbox


def test_few_cases_are_shown_without_intervals(open_page: OpenPage, tmp_path: Path) -> None:
    """One submission on six cases: a rank of one, all figures, and no interval of a mean."""
    make_board(tmp_path, {"only": Quality(missing=0.1)}, n_cases=6)
    app = open_page("submission", submissions=tmp_path / "submissions")
    assert not app.exception
    assert headings(app) == ["only", *HEADINGS]
    assert "1 of 1" in blocks(app)


def test_the_worst_cases_have_pictures_where_their_volumes_are(open_page: OpenPage, volumes_folder: Path) -> None:
    """With volumes at hand the worst cases are drawn below their table; those of a private set are not."""
    hosted = {"references": volumes_folder / "benchmark", "predictions": volumes_folder / "predictions"}
    slug = min(path.name for path in (volumes_folder / "predictions").iterdir())
    shown = {"submissions": volumes_folder / "submissions", "id": slug}
    app = open_page("submission", **shown, **hosted, set="phantom-public")
    assert not app.exception
    assert "Pictures of the worst cases" in blocks(app)
    assert blocks(app).count("data:image/svg") >= 2
    private = open_page("submission", **shown, **hosted, set="phantom-private")
    assert not private.exception
    assert "data:image" not in blocks(private)
