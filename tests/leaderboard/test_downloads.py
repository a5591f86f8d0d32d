"""Files to take away: the numbers arrive, and nothing in them is computed or executed."""

from __future__ import annotations

import csv
import io
import json

import numpy as np
import pandas as pd
import pytest

from ctspine_leaderboard.downloads import as_csv, as_json, as_latex, file_name

TABLE = pd.DataFrame(
    {
        "name": ["nnU-Net", "=HYPERLINK(1)", 'quoted, "so"'],
        "dsc": [0.869, np.nan, -0.5],
        "n": pd.array([197, None, 3], dtype="Int64"),
    }
)


def rows_of(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))


def test_csv_holds_all_digits_and_empty_cells() -> None:
    """A spreadsheet reads back what went in; what is missing is an empty cell."""
    assert rows_of(as_csv(TABLE)) == [
        ["name", "dsc", "n"],
        ["nnU-Net", "0.869", "197"],
        ["'=HYPERLINK(1)", "", ""],
        ['quoted, "so"', "-0.5", "3"],
    ]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"])
def test_no_text_begins_like_a_formula(start: str) -> None:
    """In cells and in headings, text that a spreadsheet would compute begins with an apostrophe; numbers do not."""
    found = rows_of(as_csv(pd.DataFrame({f"{start}head": [f"{start}1+1"], "number": [-1.0]})))
    assert found[0][0].startswith(f"'{start}".replace("\r\n", "\n"))
    assert found[1] == [f"'{start}1+1", "-1.0"]


def test_json_says_what_it_is_and_has_null_for_nothing() -> None:
    """The document is strict JSON: no NaN, and whole numbers stay whole."""

    def refuse(text: str) -> None:
        raise AssertionError(text)

    document = json.loads(as_json(TABLE, {"page": "standings"}), parse_constant=refuse)
    assert document["page"] == "standings"
    assert document["rows"][0] == {"name": "nnU-Net", "dsc": 0.869, "n": 197}
    assert document["rows"][1] == {"name": "=HYPERLINK(1)", "dsc": None, "n": None}


def test_latex_is_text_whatever_is_in_it() -> None:
    """Characters that LaTeX would act on are escaped, numbers have their digits, nothing is a dash."""
    hostile = pd.DataFrame({"name": [r"\input{/etc/passwd} 50% & $x_1^2$ #~<>"], "dsc": [0.86949], "hd95": [None]})
    content = as_latex(hostile, "DSC & co.", {"dsc": 2}).decode()
    assert (
        r"\textbackslash{}input\{/etc/passwd\} 50\% \& \$x\_1\textasciicircum{}2\$ "
        r"\#\textasciitilde{}\textless{}\textgreater{} & 0.87 & -- \\" in content
    )
    assert r"\caption{DSC \& co.}" in content


def test_names_of_files_hold_letters_digits_and_hyphens() -> None:
    """Whatever it is made from, a name of a file is one everywhere."""
    assert file_name("Standings", "phantom-public", "../../etc: Ünïcode", "") == "standings-phantom-public-etc-n-code"


def test_a_row_of_latex_begins_with_no_option() -> None:
    """A bracket or a star at the start of a row is text, and no argument of the line break before it."""
    content = as_latex(pd.DataFrame({"name": ["[2mm] net", "*star"]}), "Caption").decode()
    assert r"{[}2mm{]} net \\" in content
    assert r"{*}star \\" in content
