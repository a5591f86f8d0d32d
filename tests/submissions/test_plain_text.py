"""Text of participants: people's names and prose pass, tricks do not."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ctspine_bench.submissions.plain_text import check_line, check_text, shown


@pytest.mark.parametrize(
    "name",
    [
        "nnU-Net v2 (3D full-res, 5 folds)",
        "Jürgen Müller & Søren Ångström",
        "Zoë O’Brien-Nuñez, Łukasz Żak",
        "李雷、韩梅梅",
        "山田 太郎",
        "Владимир Ленский",
        "Ελένη Παπαδοπούλου",
        "محمد بن سلمان",
        "علی\u200cرضا",
        "דוד בן־גוריון",
        "अनिल कुमार",
        "ശ്രീ\u200dമതി",
        "สมชาย ใจดี",
        "김철수",
        "Nguyễn Thị Ánh",
        "Track #2: 100 % of cases, 0.5 mm; p < 0.05".replace("<", "≤"),
        "mAP@0.5 = 0.9",
        "U_Net*",
        "C1–L6",
    ],
)
def test_real_names_pass(name: str) -> None:
    """Names of people and methods in any script are let through as they are."""
    name = unicodedata.normalize("NFC", name)
    assert check_line(name) == name


def test_prose_of_several_lines_passes() -> None:
    """A description may have paragraphs."""
    text = "Two stages: a coarse one, then a fine one.\n\nTrained for 1,000 epochs (about 3 days)."
    assert check_text(text) == text


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("one\ntwo", "more than one line"),
        ("", "no letter or digit"),
        ("—", "no letter or digit"),
        (" name", "blanks at the start or end of a line"),
        ("name ", "blanks at the start or end of a line"),
        ("a\tb", "a control or invisible character, U+0009"),
        ("a\u00a0b", "a special blank, U+00A0, in place of an ordinary one"),
        ("e\u0301tude", "letters and accents that are not composed (Unicode NFC)"),
        ("a [link]", "the character [, which could be markup"),
        ("see www.example.org", "an address, 'www.'"),
        ("ask me@example.org", "an e-mail address, 'e@example.or'"),
        ("thanks to @octocat", "a mention, '@o'"),
        ("a &amp; b", "an HTML character reference, '&amp;'"),
        ("-1+1", "'-' at the start, which makes it a formula in spreadsheets"),
    ],
)
def test_what_is_wrong_is_named(text: str, found: str) -> None:
    """The reason names the character or the place."""
    with pytest.raises(ValueError) as caught:  # noqa: PT011 -- the whole message is compared
        check_line(text)
    assert str(caught.value) == found


@settings(deadline=None)
@given(st.text(max_size=40))
def test_what_passes_is_harmless(text: str) -> None:
    """Whatever passes has no markup, no control and no format character but joiners within words."""
    try:
        check_text(text)
    except ValueError:
        return
    assert set(text).isdisjoint("<>`|\\[]{}")
    assert {unicodedata.category(c) for c in text if c not in "\n\u200c\u200d"}.isdisjoint(
        {"Cc", "Cf", "Cs", "Co", "Cn"}
    )
    assert "://" not in text
    assert unicodedata.is_normalized("NFC", text)


@settings(deadline=None)
@given(st.text(max_size=80))
def test_shown_is_always_printable(text: str) -> None:
    """Any text can be shown: on one line, visible, and short."""
    assert shown(text).isprintable()
    assert len(shown(text)) <= 60


def test_shown_escapes_what_is_not_seen() -> None:
    """Plain text stays as it is; what would move the cursor or reorder the line is spelt out."""
    assert shown("plain – 李雷") == "plain – 李雷"
    assert shown("a\x1b[2Jb") == "a\\x1b[2Jb"
    assert shown("a\u202eb") == "a\\u202eb"
    assert shown("x" * 61) == "x" * 59 + "…"
