"""A comparison as LaTeX, Markdown, CSV and JSON, read back by other means."""

from __future__ import annotations

import csv
import io
import json
import re
from typing import TYPE_CHECKING

import pytest
from case_results import case, mask, spurious
from own_results import drawn_cases, write_own

from ctspine_bench.anatomy import VERTEBRAE
from ctspine_bench.own_runs.comparing import compare_methods
from ctspine_bench.own_runs.methods import brought_together, method_of
from ctspine_bench.own_runs.reading import read_run
from ctspine_bench.report import text_comparison

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from ctspine_bench.own_runs.outcome import OwnComparison
    from ctspine_bench.records import CaseResult

ODD = "50 % & a_b|c"
MEANS = ("Mean of Vertebrae", "Mean over cases", "Mean over vertebrae", "Mean of Spine")


def compared(
    folder: Path, cases: Mapping[str, Sequence[Sequence[CaseResult]]], metric: str = "dsc", region: str = "all"
) -> OwnComparison:
    """A comparison of methods from the cases of their runs."""
    numbered = enumerate((name, i, run) for name, runs in cases.items() for i, run in enumerate(runs))
    folders = {(name, i): write_own(folder / str(place), run) for place, (name, i, run) in numbered}
    methods = [method_of(name, [read_run(folders[name, i]) for i in range(len(runs))]) for name, runs in cases.items()]
    return compare_methods(brought_together(methods), metric, region, draws=200)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> OwnComparison:
    """Three methods, one with two runs, one with two folds and a name full of signs."""
    one, two, other, whole = (drawn_cases(seed, 1.0) for seed in range(4))
    return compared(tmp_path_factory.mktemp("text"), {"runs": [one, two], ODD: [other[:8], other[8:]], "last": [whole]})


def tables_of(latex: str) -> list[tuple[str, list[list[str]]]]:
    """The column letters and the rows of each tabular; cells that span several count as so many."""
    found = []
    for letters, body in re.findall(r"\\begin\{tabular\}\{(\w+)\}\n(.*?)\\end\{tabular\}", latex, re.DOTALL):
        rows = [line.removesuffix(r" \\") for line in body.splitlines() if line.endswith(r"\\")]
        found.append((letters, [re.split(r"(?<!\\) ?& ?", row) for row in rows]))
    return found


def width(cells: list[str]) -> int:
    return sum(int(match[1]) if (match := re.match(r"\\multicolumn\{(\d+)\}", cell)) else 1 for cell in cells)


class TestLatex:
    """The table to paste."""

    def test_it_is_whole(self, found: OwnComparison) -> None:
        """Braces and environments are balanced, every row has as many columns as the table, rules are booktabs'."""
        latex = text_comparison.latex(found)
        bare = re.sub(r"\\[{}]", "", latex)
        depth = 0
        for character in bare:
            depth += (character == "{") - (character == "}")
            assert depth >= 0
        assert depth == 0
        opened = []
        for what, name in re.findall(r"\\(begin|end)\{(\w+)\}", latex):
            if what == "begin":
                opened.append(name)
            else:
                assert opened.pop() == name
        assert opened == []
        for letters, rows in tables_of(latex):
            assert {width(row) for row in rows} == {len(letters)}
        assert latex.count(r"\toprule") == latex.count(r"\bottomrule") == 2
        assert all(ord(character) < 128 for character in latex)

    def test_a_column_pair_for_each_method(self, found: OwnComparison) -> None:
        """Names above, 25 labels and the means below, n beside each label; signs of names are escaped."""
        letters, rows = tables_of(text_comparison.latex(found))[0]
        assert letters == "lr" + "rr" * 3
        assert rows[0][2:] == [
            rf"\multicolumn{{2}}{{c}}{{{name}}}" for name in ("runs", r"50 \% \& a\_b\textbar{}c", "last")
        ]
        assert rows[1] == ["Label", "$n$", *["DSC", "HD95 mm"] * 3]
        assert [row[0].replace(r"$\dagger$", "") for row in rows[2:]] == [*VERTEBRAE, *MEANS]
        n = {row[0]: row[1] for row in rows[2:]}
        assert (n["C1"], n["C7"], n["T11"], n["L2"]) == ("0", "4", "16", "16")

    def test_cells_are_the_means_with_their_spread(self, found: OwnComparison) -> None:
        """Three digits of DSC, two of HD95; ± where there are runs; a dash without a value."""
        _, rows = tables_of(text_comparison.latex(found))[0]
        by_name = {row[0]: row for row in rows}
        for name, key in (("Mean of Vertebrae", "mean_of_vertebrae"), ("Mean of Spine", "mean_of_spine")):
            for place, method in enumerate(found.methods):
                for offset, (metric, digits) in enumerate((("dsc", 3), ("hd95_mm", 2))):
                    score = method.means[key][metric]
                    sd = rf" $\pm$ {score.spread.sd:.{digits}f}" if score.spread else ""
                    cell = by_name[name][2 + 2 * place + offset]
                    assert cell in {f"{score.value:.{digits}f}{sd}", rf"\textbf{{{score.value:.{digits}f}}}{sd}"}
        assert by_name["C1"][2:] == ["--"] * 6

    def test_the_best_is_bold(self, found: OwnComparison) -> None:
        """In every row the largest DSC and the least HD95 as printed, and who shares it; none where all are equal."""
        _, rows = tables_of(text_comparison.latex(found))[0]
        for row in rows[2:]:
            for first, better in ((2, max), (3, min)):
                cells = [cell for cell in row[first::2] if cell != "--"]
                numbers = [float(re.search(r"\d+\.\d+", cell)[0]) for cell in cells]
                bold = [cell.startswith(r"\textbf{") for cell in cells]
                assert bold == [len({*numbers}) > 1 and number == better(numbers) for number in numbers]

    def test_the_caption_says_what_it_is(self, found: OwnComparison) -> None:
        """Set, n, rule, version, and what ± is of."""
        caption = text_comparison.caption(found)
        assert caption.startswith("custom, 16 cases. ")
        assert "missed and spurious vertebrae count as DSC 0 and HD95 100 mm" in caption
        assert re.search(r"\(ctspine-bench \S+, rule \d+\)", caption)
        assert "runs: mean ± standard deviation over 2 runs on the same cases." in caption
        assert f"{ODD}: over all cases of 2 folds at once, ± standard deviation over folds." in caption

    def test_the_table_of_a_region(self, tmp_path: Path) -> None:
        """The labels of the region alone, and no spine."""
        of_region = compared(tmp_path, {"a": [drawn_cases(1, 1.0)], "b": [drawn_cases(2, 1.0)]}, region="lumbar")
        _, rows = tables_of(text_comparison.latex(of_region))[0]
        assert [row[0].replace(r"$\dagger$", "") for row in rows[2:]] == [
            "L1",
            "L2",
            "L3",
            "L4",
            "L5",
            "L6",
            *MEANS[:3],
        ]
        assert "lumbar spine" in text_comparison.caption(of_region)


def test_a_label_that_no_reference_has_is_marked(tmp_path: Path) -> None:
    """A prediction alone has L6: it counts as 0, and the reader learns why."""
    one = [case("a", mask("L5", 0.9, 1.0), spurious("L6"))]
    other = [case("a", mask("L5", 0.8, 2.0))]
    marked = compared(tmp_path, {"one": [one], "other": [other]})
    _, rows = tables_of(text_comparison.latex(marked))[0]
    (row,) = [row for row in rows if row[0].startswith("L6")]
    assert row == [r"L6$\dagger$", "0", "0.000", "100.00", "--", "--"]
    assert "No reference has it" in text_comparison.caption(marked)


def test_markdown_is_two_tables(found: OwnComparison) -> None:
    """Every row has as many cells as the heading, signs of names are escaped."""
    blocks = [block.splitlines() for block in text_comparison.markdown(found).split("\n\n") if block.startswith("| ")]
    assert len(blocks) == 2
    for lines in blocks:
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in lines}) == 1
    assert len(blocks[0]) == 2 + len(VERTEBRAE) + len(MEANS)
    assert r"50 % \& a\_b\|c DSC" in blocks[0][0]
    assert [line.split(" | ")[0] for line in blocks[1][2:]] == [
        "| runs − 50 % \\& a\\_b\\|c",
        "| runs − last",
        "| 50 % \\& a\\_b\\|c − last",
    ]


def test_csv_has_every_number(found: OwnComparison) -> None:
    """One line for each score, rank, difference and effect, with six digits."""
    lines = list(csv.DictReader(io.StringIO(text_comparison.csv(found))))
    scores = {(line["method"], line["of"], line["metric"]): line for line in lines if line["what"] == "score"}
    for method in found.methods:
        for name, of_metric in {**method.means, **method.labels}.items():
            for metric, score in of_metric.items():
                line = scores.pop((method.name, name, metric))
                value, sd = score.value, score.spread and score.spread.sd
                assert [line["value"] and float(line["value"]), line["sd_of_runs"] and float(line["sd_of_runs"])] == [
                    "" if each is None else pytest.approx(each, rel=1e-5) for each in (value, sd)
                ]
    assert scores == {}
    effects = [line for line in lines if line["what"] == "effect"]
    assert [line["p_holm"] for line in effects] == [f"{each.test.p_holm:.6g}" for each in found.pairs]
    ranks = {line["method"]: line["value"] for line in lines if line["what"] == "rank" and line["of"] != "per_case"}
    assert ranks == {each.name: str(each.rank) for each in found.methods}
    per_label = [line for line in lines if line["what"] == "difference" and line["of"] != "mean_of_vertebrae"]
    assert len(per_label) == sum(len(each.labels) for each in found.pairs)


def test_no_name_is_a_formula(tmp_path: Path) -> None:
    """A spreadsheet would compute what begins with an equals sign."""
    odd = compared(tmp_path, {"=1+1": [drawn_cases(1, 1.0)], "b": [drawn_cases(2, 1.0)]})
    lines = list(csv.DictReader(io.StringIO(text_comparison.csv(odd))))
    assert {line["method"] for line in lines} == {"'=1+1", "b"}


def test_json_has_everything(found: OwnComparison) -> None:
    """What is compared and by which rule, methods and pairs, with all digits."""
    document = json.loads(text_comparison.json(found))
    assert (document["kind"], document["n_cases"], document["metric"]) == ("comparison", 16, "dsc")
    assert [each["name"] for each in document["methods"]] == ["runs", ODD, "last"]
    first = document["methods"][0]["means"]["mean_of_vertebrae"]["dsc"]
    assert first["value"] == found.methods[0].means["mean_of_vertebrae"]["dsc"].value
    assert document["pairs"][0]["mean"]["value"] == found.pairs[0].mean.value
    assert document["pairs"][0]["labels"].keys() == found.pairs[0].labels.keys()


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.0214, "+0.021"),
        (-0.0214, "−0.021"),
        (-0.0004, "−0.000400"),
        (0.0000004, "0.000"),
        (0.0, "0.000"),
        (float("nan"), "–"),
    ],
)
def test_differences_have_a_sign(value: float, shown: str) -> None:
    """A true minus; what would be printed as 0 and is not has six digits, and 0 has no sign."""
    assert text_comparison.signed(value, 3) == shown


def test_ends_of_an_interval_have_the_same_digits() -> None:
    """Both are small, or neither is printed as small."""
    assert text_comparison.interval(0.00001, 0.0004, 3) == "+0.000010 to +0.000400"
    assert text_comparison.interval(-0.0004, 0.2, 3) == "0.000 to +0.200"


@pytest.mark.parametrize(("value", "shown"), [(None, "–"), (0.0004, "<0.001"), (0.0312, "0.031"), (1.0, "1.000")])
def test_p_values_have_three_digits(value: float | None, shown: str) -> None:
    """Less than can be printed is said to be less."""
    assert text_comparison.p_value(value) == shown
