"""What a page shows, as files: CSV, JSON and LaTeX.

A spreadsheet computes what begins like a formula: in CSV such a text gets an apostrophe before it, as OWASP advises.
"""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Mapping

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_LATEX: Final = {
    "\\": r"\textbackslash{}",
    **{character: rf"\{character}" for character in "&%$#_{}"},
    # At the start of a row these would be read as options of the line break before it.
    **{character: f"{{{character}}}" for character in "[]*"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "–": "--",
    "−": "$-$",
    "\n": " ",
}


def as_csv(table: pd.DataFrame) -> bytes:
    """Return a table as CSV, in UTF-8 with the mark that spreadsheets need to see that; empty cells are empty."""
    safe = table.map(_no_formula).rename(columns=_no_formula)
    return safe.to_csv(index=False, lineterminator="\r\n").encode("utf-8-sig")


def as_json(table: pd.DataFrame, about: Mapping[str, Any]) -> bytes:
    """Return a table as JSON: `about` says what it is, `rows` holds an object for each row; empty cells are null."""
    rows = [{str(name): _plain(value) for name, value in row.items()} for row in table.to_dict("records")]
    document = {**about, "rows": rows}
    return json.dumps(document, ensure_ascii=False, indent=2, allow_nan=False).encode()


def as_latex(table: pd.DataFrame, caption: str, digits: Mapping[str, int] | None = None) -> bytes:
    """Return a table as LaTeX with booktabs; numbers stand at the right.

    Args:
        table: The table.
        caption: What it shows.
        digits: Column → digits behind the point; 3 for the others.
    """
    digits = digits or {}
    numbers = [pd.api.types.is_numeric_dtype(table[name]) for name in table.columns]
    lines = [
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{latex_text(caption)}}}",
        rf"\begin{{tabular}}{{{''.join('r' if number else 'l' for number in numbers)}}}",
        r"\toprule",
        " & ".join(latex_text(str(name)) for name in table.columns) + r" \\",
        r"\midrule",
        *(
            " & ".join(
                _latex_cell(value, digits.get(str(name), 3)) for name, value in zip(table.columns, row, strict=True)
            )
            + r" \\"
            for row in table.itertuples(index=False, name=None)
        ),
        r"\bottomrule",
        r"\end{tabular}",
        r"\end{table}",
    ]
    return ("\n".join(lines) + "\n").encode()


def file_name(*parts: str) -> str:
    """Return a name for a file out of words: lower-case letters, digits and hyphens."""
    return "-".join(filter(None, (re.sub(r"[^a-z0-9]+", "-", part.lower()).strip("-") for part in parts)))


def _no_formula(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def _plain(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if value is None or value is pd.NA or (isinstance(value, float) and not math.isfinite(value)):
        return None
    return value.item() if hasattr(value, "item") else value


def _latex_cell(value: Any, digits: int) -> str:
    plain = _plain(value)
    if plain is None:
        return "--"
    if isinstance(plain, float):
        return f"${plain:.{digits}f}$" if plain < 0 else f"{plain:.{digits}f}"
    return latex_text(str(plain))


def latex_text(text: str) -> str:
    """Return plain text as LaTeX."""
    return "".join(_LATEX.get(character, character) for character in text)
