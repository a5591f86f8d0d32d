"""docs/reporting.md says what this version does."""

from __future__ import annotations

import re
from pathlib import Path

from ctspine_bench import __version__
from ctspine_bench.aggregate import HD95_CAP_MM
from ctspine_bench.provenance import ENGINE_VERSION
from ctspine_bench.published import VERSE_REANNOTATED_DSC, published_table
from ctspine_bench.testsets import official

DOCUMENT = (Path(__file__).parents[1] / "docs" / "reporting.md").read_text(encoding="utf-8")
(TABLE,) = re.findall(r"```latex\n(.*?)```", DOCUMENT, re.DOTALL)


def test_versions_are_those_of_this_release() -> None:
    """Whoever copies the paragraph or the table names the version and the rule that made the numbers."""
    assert f"ctspine-bench **{__version__}**\n> (rule **{ENGINE_VERSION}**)" in DOCUMENT
    assert f"computed with ctspine-bench {__version__} (rule {ENGINE_VERSION})" in TABLE


def test_numbers_are_those_of_the_package() -> None:
    """The size of the set, the penalty and the published numbers are the ones that are computed with."""
    paper = published_table("public")
    assert f"**n = {len(official('public').cases)}**" in DOCUMENT
    assert f"HD95 {HD95_CAP_MM:.0f}\\,mm" in TABLE
    assert f"HD95 {HD95_CAP_MM:.0f} mm" in DOCUMENT
    assert f"nnU-Net (Deng et al., 2024) & {paper.mean_of_vertebrae.dsc:.3f} & " in TABLE
    assert f"{paper.mean_of_vertebrae.hd95_mm:.2f}$^a$" in TABLE
    assert f"{{{paper.mean_of_spine.dsc:.3f}}}" in TABLE
    verse = published_table("verse").mean_of_vertebrae.dsc
    assert f"{VERSE_REANNOTATED_DSC:.3f} instead of {verse:.3f}" in DOCUMENT


def test_the_table_is_whole() -> None:
    """Every environment is closed, and every row has six columns."""
    assert re.findall(r"\\begin{(\w+)}", TABLE) == re.findall(r"\\end{(\w+)}", TABLE)[::-1] == ["table", "tabular"]
    for row in re.findall(r"^(.*)\\\\$", TABLE, re.MULTILINE):
        spanned = [int(n) - 1 for n in re.findall(r"\\multicolumn{(\d)}", row)]
        assert row.count("&") + 1 + sum(spanned) == 6
