"""Rules for text that a participant submits and that others will read in tables, comments and pages.

Everything is let through that people write in any script, and nothing that a terminal, HTML, Markdown or a
spreadsheet would take for more than text, that is invisible, or that reads otherwise than it is stored. Whoever prints
the text escapes it all the same: this is the second lock on the door.
"""

from __future__ import annotations

import re
import unicodedata
from itertools import pairwise
from typing import Final

_MARKUP: Final = re.compile(r"[<>`|\\\[\]{}]")
_PATTERNS: Final = (
    (re.compile(r"://|\bwww\.|\b(?:mailto|xmpp):", re.IGNORECASE), "an address"),
    # GitHub notifies whoever is named like this.
    (re.compile(r"(?<!\w)@\w"), "a mention"),
    (re.compile(r"\w@[\w.-]*\.[^\W\d_]{2}"), "an e-mail address"),
    (re.compile(r"&#?\w+;"), "an HTML character reference"),
    (re.compile(r"~~"), "a Markdown mark"),
)
# Spreadsheets compute what begins like this, also in its full-width form.
_FORMULA: Final = frozenset("=+-@＝＋－＠")

# Joiners decide about letter shapes in scripts without case (Persian, Malayalam …), and are invisible elsewhere.
_JOINERS: Final = frozenset("\u200c\u200d")
# Of categories that are drawn, yet seen by nobody: fillers, a blank pattern, and marks that choose a variant.
_BLANK: Final = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0"
    + "".join(map(chr, (*range(0x180B, 0x1810), *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))))
)
_MAX_MARKS: Final = 4
"""How many combining marks may follow one letter (Unicode Technical Standard 39, section 5.4)."""


def check_line(text: str) -> str:
    """Return a text of one line as it is, if it is plain.

    Raises:
        ValueError: It is not; the message says what was found in it.
    """
    if "\n" in text:
        raise ValueError("more than one line")
    if text[:1] in _FORMULA:
        raise ValueError(f"{text[0]!r} at the start, which makes it a formula in spreadsheets")
    return check_text(text)


def check_text(text: str) -> str:
    """Return a text of one or more lines as it is, if it is plain.

    Raises:
        ValueError: It is not; the message says what was found in it.
    """
    if text != text.strip() or any(line != line.strip() for line in text.split("\n")):
        raise ValueError("blanks at the start or end of a line")
    if not any(character.isalnum() for character in text):
        raise ValueError("no letter or digit")
    if problem := _character_problem(text):
        raise ValueError(problem)
    if markup := _MARKUP.search(text):
        raise ValueError(f"the character {markup[0]}, which could be markup")
    for pattern, meaning in _PATTERNS:
        if match := pattern.search(text):
            raise ValueError(f"{meaning}, {match[0]!r:.30}")
    return text


def shown(text: object, length: int = 60) -> str:
    """Return text that may hold anything in a form to be printed: escaped unless all of it is visible, shortened."""
    written = str(text)
    visible = written.isprintable() and not _character_problem(written)
    printable = written if visible else ascii(written)[1:-1]
    return printable if len(printable) <= length else f"{printable[: length - 1]}…"


def _character_problem(text: str) -> str | None:
    """What is wrong with single characters, if anything."""
    marks = 0
    padded = f" {text} "
    for (before, character), (_, after) in pairwise(pairwise(padded)):
        category = unicodedata.category(character)
        marks = marks + 1 if category in {"Mn", "Me"} else 0
        if character in _JOINERS and _joins(before, after):
            continue
        if character != "\n" and (category[0] == "C" or category in {"Zl", "Zp"} or character in _BLANK):
            return f"a control or invisible character, U+{ord(character):04X}"
        if category == "Zs" and character != " ":
            return f"a special blank, U+{ord(character):04X}, in place of an ordinary one"
        if marks > _MAX_MARKS:
            return f"more than {_MAX_MARKS} accents on one letter"
    if not unicodedata.is_normalized("NFC", text):
        return "letters and accents that are not composed (Unicode NFC)"
    return None


def _joins(before: str, after: str) -> bool:
    """Whether a joiner between these is part of a word of a script without case."""
    return unicodedata.category(before) in {"Lo", "Mn", "Mc"} and unicodedata.category(after) in {"Lo", "Mn", "Mc"}
