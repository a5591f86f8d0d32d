"""The tables as Markdown, LaTeX (booktabs) and CSV."""

from __future__ import annotations

import csv as csv_format
import io
import re
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Final

from ctspine_bench.report.events import case_events
from ctspine_bench.report.layout import (
    TextTable,
    chosen,
    no_comparison,
    paper_table,
    published_comparison,
    to_report,
)
from ctspine_bench.summary import Means

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ctspine_bench.evaluate import SubmissionScore
    from ctspine_bench.report.variants import Variant
    from ctspine_bench.summary import OfficialTable

_LATEX: Final[Mapping[str, str]] = {
    **{character: f"\\{character}" for character in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "–": "--",
    "−": "$-$",
    "±": r"$\pm$",
    "Δ": r"$\Delta$",
    "†": r"$\dagger$",
    "…": r"\dots{}",
    "\n": " ",
}
_MARKDOWN: Final = re.compile(r"([\\`*_{}\[\]<>#|&~=])")


def markdown(score: SubmissionScore, *, variant: Variant = "official") -> str:
    """Return the official table, and for a test set of the paper the comparison with it, as Markdown."""
    parts = [f"## {markdown_text(score.test_set.title)}", *map(markdown_text, _status(score))]
    for table in _tables(score, variant):
        parts += [f"**{markdown_text(table.title)}**", markdown_table(table), markdown_text(table.note)]
    if report := to_report(score):
        parts.append(markdown_text(report))
    return "\n\n".join(parts)


def latex(score: SubmissionScore, *, variant: Variant = "official") -> str:
    """Return the same tables as LaTeX; they need the package booktabs."""
    told = [*_status(score), *filter(None, [to_report(score)])]
    status = "\n".join(f"% {line}" for sentence in told for line in sentence.splitlines())
    tables = [latex_table(table, score.test_set.title) for table in _tables(score, variant)]
    return "\n\n".join([status, *tables] if status else tables)


def csv(score: SubmissionScore, *, variant: Variant = "official") -> str:
    """Return one line for each label and each mean, with all metrics; empty cells for numbers that are not defined."""
    columns = ["test_set", "variant", "label", *(field.name for field in fields(Means))]
    file = io.StringIO()
    writer = csv_format.DictWriter(file, columns, lineterminator="\n")
    writer.writeheader()
    if score.summary:
        for label, means in _named_means(chosen(score.summary, variant)).items():
            # A spreadsheet must not take a name for a formula.
            name = re.sub(r"^(?=[=+\-@\t\r])", "'", score.test_set.name)
            writer.writerow({"test_set": name, "variant": variant, "label": label, **_rounded(means)})
    return file.getvalue().removesuffix("\n")


def _named_means(table: OfficialTable) -> dict[str, Means]:
    return {
        **table.labels,
        "mean_of_vertebrae": table.mean_of_vertebrae,
        "mean_of_vertebrae_without_l6": table.mean_of_vertebrae_without_l6,
        "mean_of_spine": table.mean_of_spine,
    }


def _rounded(means: Means) -> dict[str, float | None]:
    return {name: value if value is None else round(value, 6) for name, value in asdict(means).items()}


def _tables(score: SubmissionScore, variant: Variant) -> list[TextTable]:
    if score.summary is None:
        return []
    comparison = published_comparison(score)
    return [paper_table(score.summary, variant), *([comparison] if comparison else [])]


def _status(score: SubmissionScore) -> list[str]:
    """Return sentences on what keeps the numbers from being those of the whole test set."""
    failed = [event for event in case_events(score) if event.failure]
    if score.summary is None:
        reasons = (event.failure.message for event in failed if event.failure and event.n_reference is None)
        return ["No aggregates: not every reference could be read.", *reasons]
    sentences = []
    if score.test_set.expected_count not in {None, len(score.results)}:
        sentences.append(f"Incomplete: {score.test_set.expected_count} cases expected, {len(score.results)} found.")
    if failed:
        named = ", ".join(event.case_id for event in failed)
        sentences.append(f"Incomplete: {len(failed)} of {len(score.results)} predictions failed: {named}.")
    return [*sentences, *filter(None, [no_comparison(score)])]


def markdown_text(text: str) -> str:
    """Return text as Markdown that says nothing else."""
    return _MARKDOWN.sub(r"\\\1", text.replace("\n", " "))


def markdown_table(table: TextTable) -> str:
    """Return a table as Markdown, without its title and note."""
    rule = [" --- " if column in table.names else " ---: " for column in range(len(table.header))]
    bold = [[f"**{markdown_text(cell)}**" if cell else "" for cell in row] for row in table.means]
    rows = [[markdown_text(cell) for cell in row] for row in (table.header, *table.rows)]
    lines = [f"| {' | '.join(row)} |" for row in (*rows, *bold)]
    return "\n".join([lines[0], f"|{'|'.join(rule)}|", *lines[1:]])


def latex_text(text: str) -> str:
    """Return text as LaTeX that says nothing else."""
    return "".join(_LATEX.get(character, character) for character in text)


def latex_table(table: TextTable, test_set: str) -> str:
    """Return a table as LaTeX, with a caption that begins with the test set."""
    columns = "".join("l" if column in table.names else "r" for column in range(len(table.header)))
    lines = [" & ".join(map(latex_text, row)) + r" \\" for row in (table.header, *table.rows, *table.means)]
    n_rows = len(table.rows)
    means = [r"\midrule", *lines[n_rows + 1 :]] if table.means else []
    return "\n".join(
        [
            r"\begin{table}",
            r"\centering",
            rf"\caption{{{latex_text(f'{test_set}. {table.title}. {table.note}')}}}",
            rf"\begin{{tabular}}{{{columns}}}",
            r"\toprule",
            lines[0],
            r"\midrule",
            *lines[1 : n_rows + 1],
            *means,
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
        ]
    )
