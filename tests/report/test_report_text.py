"""Markdown, LaTeX and CSV, read back."""

from __future__ import annotations

import csv as csv_format
import io
import re

from handmade import HOSTILE, case, completed, eventful, submission, unreadable_reference, vertebra

from ctspine_bench.anatomy import VERTEBRAE
from ctspine_bench.report.layout import paper_table, published_comparison
from ctspine_bench.report.text import csv, latex, markdown
from ctspine_bench.testsets import official


def public():
    return completed(
        "public", case("a", vertebra("L1", 0.9, 1.0), vertebra("L2", 0.0, None), vertebra("L6", None, None))
    )


def cells_of(line: str, separator: str) -> tuple[str, ...]:
    return tuple(cell.strip().strip("*") for cell in re.split(rf"(?<!\\){re.escape(separator)}", line))


def test_markdown_has_the_cells_of_the_layout():
    """Every cell of both tables is found again between the bars."""
    score = public()
    lines = [cells_of(line, "|")[1:-1] for line in markdown(score).splitlines() if line.startswith("|")]

    for table in (paper_table(score.summary), published_comparison(score)):
        for row in (table.header, *table.rows, *table.means):
            assert row in lines


def test_latex_has_the_cells_of_the_layout():
    """Every row of both tables is found again between the ampersands, and every environment is closed."""
    score = public()
    document = latex(score).replace("$-$", "−").replace(r"\dots{}", "…").replace("--", "–")
    document = document.replace(r"$\Delta$", "Δ").replace(r"$\dagger$", "†")
    lines = [cells_of(line.removesuffix(r"\\"), "&") for line in document.splitlines() if line.endswith(r"\\")]

    for table in (paper_table(score.summary), published_comparison(score)):
        for row in (table.header, *table.rows, *table.means):
            assert row in lines
    assert re.findall(r"\\begin{(\w+)}", document) == ["table", "tabular"] * 2
    assert re.findall(r"\\end{(\w+)}", document) == ["tabular", "table"] * 2


def test_csv_has_a_line_for_each_label_and_mean():
    """Numbers come back as numbers, what is not defined as an empty cell."""
    rows = {row["label"]: row for row in csv_format.DictReader(io.StringIO(csv(public())))}

    assert list(rows) == [*VERTEBRAE, "mean_of_vertebrae", "mean_of_vertebrae_without_l6", "mean_of_spine"]
    assert (rows["L1"]["n"], rows["L1"]["dsc"], rows["L1"]["hd95_mm"]) == ("1", "0.9", "1.0")
    assert (rows["L2"]["n_matched"], rows["L2"]["hd95_mm"], rows["L2"]["hd95_matched_mm"]) == ("0", "100.0", "")
    assert (rows["L6"]["n"], rows["L6"]["n_reference"], rows["L6"]["dsc"]) == ("1", "0", "0.0")
    assert (rows["C1"]["n"], rows["C1"]["dsc"]) == ("0", "")
    assert rows["mean_of_spine"]["dsc"] == "0.9"


def test_the_chosen_variant_is_printed():
    """All three formats take the table of the variant."""
    score = eventful()

    assert "0.600" in markdown(score, variant="cut")
    assert "0.600" in latex(score, variant="cut")
    assert ",cut,L1,1,0.6," in csv(score, variant="cut")
    assert ",hd95-matched,T12,3,0.533333,125.5," in csv(score, variant="hd95-matched")
    assert ",L6," not in csv(score, variant="without-l6")


def test_what_to_report_is_told():
    """A complete set has it, last in Markdown and first in LaTeX, as a comment; an incomplete one has it nowhere."""
    incomplete = submission([case("a", vertebra("L1", 0.9, 1.0))], official("public"))

    assert markdown(public()).splitlines()[-1].startswith("To report: Mean of Vertebrae DSC 0.300")
    assert latex(public()).startswith("% To report: Mean of Vertebrae DSC 0.300, HD95 67.00 mm")
    assert "To report" not in markdown(incomplete) + latex(incomplete)


def test_strangers_names_are_inert():
    """No name opens a tag, a cell, a command or a formula."""
    assert "<script" not in re.sub(r"\\[<>]", "", markdown(eventful()))
    assert r"\|" in markdown(eventful())
    assert r"\&\_=cmd" in latex(eventful())
    assert "<script" not in re.sub(r"(?m)^%.*$", "", latex(eventful()))

    formula = submission(
        [case("a", vertebra("L1", 0.9, 1.0))], official("verse").__class__("=cmd()", "t", None, None, "")
    )
    rows = list(csv_format.DictReader(io.StringIO(csv(formula))))
    assert {row["test_set"] for row in rows} == {"'=cmd()"}
    assert {row["test_set"] for row in csv_format.DictReader(io.StringIO(csv(eventful())))} == {HOSTILE}


def test_a_line_break_in_a_name_stays_in_the_comment():
    """A status that has a line break does not leave the LaTeX comment or the Markdown paragraph."""
    score = submission([case("a\n\\input{b}", vertebra("L1", 0.0, None), failure="broken")])

    assert [line for line in latex(score).splitlines() if line.startswith("\\input")] == []
    assert [line for line in markdown(score).splitlines() if line.startswith("\\")] == []


def test_without_aggregates_the_reasons_are_told():
    """A broken reference gives no table."""
    score = unreadable_reference()

    assert "the reference is broken" in markdown(score)
    assert all(line.startswith("%") for line in latex(score).splitlines() if line)
    assert len(csv(score).splitlines()) == 1


def test_incomplete_results_say_so():
    """Failed cases and a set that is too small are named before the table."""
    text = markdown(submission([case("a", vertebra("L1", 0.0, None), failure="x")], official("public")))

    assert "Incomplete: 197 cases expected, 1 found." in text
    assert "Incomplete: 1 of 1 predictions failed: a." in text
    assert "No comparison with the paper: 197 cases expected, 1 found." in text
    assert "Beside the published nnU-Net" not in text
