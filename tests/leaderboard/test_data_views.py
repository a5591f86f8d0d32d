"""What the page about the data shows: counts beside the paper's, rules, errata, commands."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from made_boards import Quality, make_board

from ctspine_bench.aggregate import HD95_CAP_MM
from ctspine_bench.board import Board
from ctspine_bench.rankings.paired import METRICS
from ctspine_bench.report.variants import VARIANTS
from ctspine_bench.testsets import SOURCES, official, source_of
from ctspine_leaderboard.views.dataset import errata, overview, paper, rules, taking_part

if TYPE_CHECKING:
    from ctspine_leaderboard.views.dataset.overview import Counts

ROOT = Path(__file__).parents[2]


def counts_of(board: Board, test_set: str) -> dict[str, Counts]:
    return {row.source: row for row in overview.overview(board) if row.test_set.name == test_set}


# Counts.


def test_counts_are_those_of_the_references(made_board: Board) -> None:
    """Cases, vertebrae, regions, L6, cut vertebrae and spacing, by source, as pandas counts them in one record."""
    cases = made_board.record("alpha").cases
    assert cases is not None
    rows = cases[cases["test_set"] == "phantom-public"]
    vertebrae = rows[(rows["row"] == "vertebra") & (rows["status"] != "spurious")]
    of_case = rows[rows["row"] == "case"].set_index("case_id")
    found = counts_of(made_board, "phantom-public")
    assert list(found) == ["All", "COLONOG", "HNSCC-3DCT-RT", "MSD-T10", "COVID-19"]
    for source, counts in found.items():
        chosen = vertebrae if source == "All" else vertebrae[vertebrae["source"] == source]
        ids = chosen["case_id"].unique()
        label = chosen["label"]
        assert counts.cases == len(ids)
        assert counts.vertebrae == len(chosen)
        assert counts.regions == {
            "cervical": (label <= 7).sum(),
            "thoracic": label.between(8, 19).sum(),
            "lumbar": (label >= 20).sum(),
        }
        assert counts.l6 == chosen.loc[label == 25, "case_id"].nunique()
        assert counts.cut == chosen["cut"].sum()
        spacing = of_case.loc[ids, "slice_spacing_mm"]
        assert counts.spacing_mm == pytest.approx((spacing.mean(), spacing.std(ddof=0)))
    assert found["All"].l6 == 1  # case 2 has one, and is transitional by it
    assert found["All"].no_l5 == 0


def test_sources_add_up_to_all(made_board: Board) -> None:
    """Each case is of one source."""
    for test_set in ("phantom-public", "phantom-verse"):
        whole, *sources = counts_of(made_board, test_set).values()
        for name in ("cases", "vertebrae", "l6", "no_l5", "cut"):
            assert getattr(whole, name) == sum(getattr(source, name) for source in sources)


def test_of_a_private_test_set_only_numbers_of_cases_are_told(made_board: Board) -> None:
    """As they are in the public record: few cases of a source are not told apart."""
    found = counts_of(made_board, "phantom-private")
    assert found["All"].cases == 24
    assert {counts.cases for source, counts in found.items() if source != "All"} == {6}
    for counts in found.values():
        assert (counts.vertebrae, counts.regions, counts.l6, counts.cut, counts.spacing_mm) == (None,) * 5


def test_few_private_cases_stay_few(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Under five, the record itself says no more."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    board = Board(make_board(tmp_path, {"only": Quality()}, n_cases=8) / "submissions")
    assert counts_of(board, "phantom-private")["COLONOG"].cases == "<5"
    assert "&lt;5" in overview.overview_table(overview.overview(board))


def test_without_results_the_split_is_told(tmp_path: Path) -> None:
    """An empty board has the official test sets, with the numbers of cases of the split and of the paper."""
    board = Board(tmp_path / "none")
    rows = overview.overview(board)
    told = {(row.test_set.name, row.source): (row.cases, row.paper_cases) for row in rows}
    assert told == {
        ("public", "All"): (197, 197),
        ("public", "COLONOG"): (152, 152),
        ("public", "HNSCC-3DCT-RT"): (5, 5),
        ("public", "MSD-T10"): (30, 30),
        ("public", "COVID-19"): (10, 10),
        ("private", "All"): (198, 198),
        ("private", "COLONOG"): (152, 152),
        ("private", "HNSCC-3DCT-RT"): (6, 6),
        ("private", "MSD-T10"): (30, 30),
        ("private", "COVID-19"): (10, 10),
        ("verse", "All"): (None, 41),
    }
    assert "Nobody is ranked on Public and VerSe yet" in " ".join(overview.remarks(board))
    assert "Name the version of the annotation" in " ".join(overview.remarks(board))


def test_the_paper_has_no_column_beside_phantoms(made_board: Board, tmp_path: Path) -> None:
    """It says nothing about them."""
    assert "In the paper" not in overview.overview_table(overview.overview(made_board))
    assert "In the paper" in overview.overview_table(overview.overview(Board(tmp_path / "none")))


def test_the_file_has_a_row_for_each_test_set_and_source(made_board: Board) -> None:
    """With empty cells where nothing is known."""
    rows = overview.overview(made_board)
    data = overview.overview_data(rows)
    assert len(data) == len(rows) == 5 + 5 + 2
    assert data.loc[data["test_set"] == "phantom-private", "vertebrae"].isna().all()


def test_the_split_is_offered_case_by_case() -> None:
    """All 1,005 cases, each once."""
    data = overview.split_data()
    assert data["part"].value_counts().to_dict() == {"training": 610, "private": 198, "public": 197}
    assert data["case_id"].is_unique
    assert set(data["source"]) == set(SOURCES) - {"VerSe"}


# The paper.


def test_the_paper_adds_up_where_it_should() -> None:
    """Sources add up to the whole in every column; the split of each adds up to its cases."""
    data = paper.paper_data().set_index("source")
    numbers = data.drop(columns=["in_plane_spacing_mm", "slice_spacing_mm"])
    sources = list(SOURCES[:-1])
    assert (numbers.loc[sources].sum() == numbers.loc["CTSpine1K"]).all()
    split = ["cases_train", "cases_public", "cases_private"]
    assert (data.loc[sources, split].sum(axis=1) == data.loc[sources, "cases"]).all()


def test_the_paper_counts_the_cases_of_the_official_split() -> None:
    """The numbers of Table 1 are those of the case lists, source by source."""
    for name in ("public", "private"):
        of_case = [source_of(case_id) for case_id in official(name).cases or ()]
        assert {source: of_case.count(source) for source in SOURCES[:-1]} == {
            source: paper.paper_cases(name, source) for source in SOURCES[:-1]
        }
    assert paper.paper_cases("verse", "VerSe") == official("verse").expected_count == 41
    assert paper.paper_cases("phantom-public", "COLONOG") is None


def test_the_papers_table_is_that_of_the_paper() -> None:
    """Against the text of the paper, where it is at hand."""
    text = ROOT.parent / "shared" / "paper" / "ctspine1k.md"
    if not text.exists():
        pytest.skip("the text of the paper is not beside this repository")
    lines = {line.split("\t")[0]: line.split("\t")[1:] for line in text.read_text("utf-8").splitlines() if "\t" in line}
    order = ["VerSe", "COLONOG", "HNSCC-3DCT-RT", "MSD-T10", "COVID-19", "CTSpine1K"]
    data = paper.paper_data().set_index("source").loc[order]
    for row, column in (
        ("# of patients(n)", "cases"),
        ("# of labeled vertebrae(n)", "vertebrae"),
        ("# of cervical vertebrae(n)", "cervical"),
        ("# of thoracic vertebrae(n)", "thoracic"),
        ("# of lumbar vertebrae(n)", "lumbar"),
        ("# of sacral lumbarization", "cases_with_l6"),
        ("# of lumbar sacralization", "cases_without_l5"),
    ):
        assert data[column].tolist() == [int(cell) for cell in lines[row]], row
    printed = [re.findall(r"[\d.]+(?:±[\d.]+)?", cell) for cell in lines["Mean spacing(mm)"]]
    in_plane, slices = (
        [[float(part) for part in cell.split(" ± ")] for cell in data[name]]
        for name in ("in_plane_spacing_mm", "slice_spacing_mm")
    )
    assert in_plane == [[float(part) for part in cell[0].split("±")] for cell in printed]
    assert slices == [[float(part) for part in cell[2].split("±")] for cell in printed]


def test_what_does_not_add_up_is_said() -> None:
    """419 + 5,942 + 4,712 vertebrae of 11,172."""
    assert "add up to 11,073 of the 11,172 vertebrae" in paper.remark()


# Rules.


def test_policies_are_those_that_are_applied() -> None:
    """The costs in the table are the constants of the scorer."""
    policies = rules.policies_data().set_index("situation")
    for situation in ("In the reference alone", "In the prediction alone"):
        cost = policies.loc[situation]
        assert cost["dsc_and_nsd"] == f"{METRICS['dsc'].worst:g}" == f"{METRICS['nsd_1mm'].worst:g}"
        assert cost["hd95"] == f"{METRICS['hd95_mm'].worst:g} mm" == f"{HD95_CAP_MM:g} mm"
    assert policies.loc["In reference and prediction", "hd95"].endswith(f"at most {HD95_CAP_MM:g} mm")


def test_policies_have_the_situations_of_the_document() -> None:
    """docs/CORRECTNESS.md lists as many, in the same order."""
    document = (ROOT / "docs" / "CORRECTNESS.md").read_text("utf-8").partition("## The official rule")[2]
    situations = [line.split("|")[1].strip() for line in document.splitlines() if line.startswith("| ")][2:9]
    assert situations == [
        "in both",
        "in the reference alone",
        "in the prediction alone",
        "in neither",
        "a label that no reference of the set has, but a prediction does",
        "prediction missing or refused",
        "reference unreadable",
    ]
    assert len(rules.POLICIES) == len(situations)


def test_every_variant_of_a_submission_is_explained() -> None:
    """As many as the page of a submission offers beside the official table, and intervals in three sentences."""
    assert len(rules.VARIANT_ROWS) == len(VARIANTS) - 1
    assert rules.variants_data()["definition"].str.endswith(".").all()
    assert rules.INTERVALS.count(". ") == 2


def test_every_metric_of_the_board_is_defined() -> None:
    """By the name that selectors show."""
    defined = " ".join(rules.metrics_data()["metric"])
    assert all(metric.title.split()[0] in defined for metric in METRICS.values())
    assert rules.metrics_data()["definition"].str.endswith((".", "mm.")).all()


# Errata.


def test_known_errors_are_all_there(made_board: Board) -> None:
    """Five references, of which one is in the public test set; nothing here has them."""
    data = errata.errata_data()
    assert data["case_id"].str[-4:].tolist() == ["0103", "0291", "0482", "0500", "0730"]
    assert data["part"].tolist() == ["training"] * 4 + ["public"]
    assert data["labels"].tolist()[1] == "22 (L3)"
    assert "href" not in errata.errata_table(made_board)


def test_known_errors_lead_to_cases_that_the_board_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The public one, as soon as somebody is ranked on the public test set."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    made = Board(make_board(tmp_path, {"only": Quality()}, n_cases=1) / "submissions")
    paired = made.paired("phantom-public")
    assert paired is not None
    case_id = "1.3.6.1.4.1.9328.50.4.0730"
    public = replace(paired, vertebrae=replace(paired.vertebrae, case_ids=(case_id,)))
    monkeypatch.setattr(made, "paired", {"public": public}.get)
    assert f'href="cases?set=public&amp;case={case_id}"' in errata.errata_table(made)


# How to take part.


def test_the_commands_are_those_of_the_readme() -> None:
    """Letter for letter."""
    assert taking_part.COMMANDS in (ROOT / "README.md").read_text("utf-8")
    assert len(taking_part.COMMANDS.splitlines()) == 3


def test_licences_are_those_of_the_readme() -> None:
    """Of the data and of the software."""
    readme = (ROOT / "README.md").read_text("utf-8")
    for licence in ("CC BY-NC-SA 4.0", "Apache-2.0"):
        assert licence in taking_part.LICENCES
        assert licence in readme
