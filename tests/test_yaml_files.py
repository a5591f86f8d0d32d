"""Plain YAML: what is read, and as what."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ctspine_bench.yaml_files import parse_yaml


def parse(text: str) -> object:
    return parse_yaml(text.encode(), max_bytes=65_536)


def error_of(content: bytes) -> ValueError | None:
    try:
        parse_yaml(content, max_bytes=1000)
    except ValueError as error:
        return error
    return None


@pytest.mark.parametrize(
    ("text", "content"),
    [
        ("", None),
        ("# only a comment", None),
        ("a: 1\nb: -20", {"a": 1, "b": -20}),
        ("{27: L5, 0: background}", {27: "L5", 0: "background"}),
        ("a: 1.5\nb: .5\nc: 2.5e+3", {"a": 1.5, "b": 0.5, "c": 2500.0}),
        ("[yes, no, true, off]", [True, False, True, False]),
        ("[null, ~, '']", [None, None, ""]),
        ("date: 2026-11-20", {"date": dt.date(2026, 11, 20)}),
        ("text: |\n  one\n  two\n", {"text": "one\ntwo\n"}),
        ("text: >-\n  one\n  two\n", {"text": "one two"}),
        ("a: '010'\nb: \"1:30\"\nc: '<<'", {"a": "010", "b": "1:30", "c": "<<"}),
        ("name: 李雷 und Škoda", {"name": "李雷 und Škoda"}),
        ("---\na: 1\n...\n", {"a": 1}),
        ("a: 1\r\nb: 2\r\n", {"a": 1, "b": 2}),
        ("[[[[[[[[[[deep]]]]]]]]]]", [[[[[[[[[["deep"]]]]]]]]]]),
        ("version: 1.2.3", {"version": "1.2.3"}),
    ],
)
def test_plain_yaml_is_read(text: str, content: object) -> None:
    """Mappings, lists, text, plain numbers, booleans, dates and null come out as Python has them."""
    assert parse(text) == content


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a: 1\nb: 2\na: 3", "a key that stands twice, in line 1"),
        ("a: [1,\nb", "expected ',' or ']', but got '<stream end>', in line 2"),
        ("name: nnU-Net: best", "mapping values are not allowed here, in line 1"),
        ("\ta: 1", "character '\\t' that cannot start any token, in line 1"),
        ("date: 2026-02-30", "a date that does not exist (day is out of range for month)"),
    ],
)
def test_mistakes_are_named_with_their_line(text: str, found: str) -> None:
    """Whoever made a slip learns what it is and where."""
    with pytest.raises(ValueError, match=f"^{re.escape(found)}$"):
        parse(text)


def test_size_is_looked_at_first() -> None:
    """A file of exactly the limit is read, one byte more is not."""
    assert parse_yaml(b"a: 1", max_bytes=4) == {"a": 1}
    with pytest.raises(ValueError, match="a larger file than 3 bytes"):
        parse_yaml(b"a: 1", max_bytes=3)


@settings(deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_bytes_are_data_or_a_value_error(content: bytes) -> None:
    """Whatever comes in, nothing but a ValueError comes out of it."""
    error = error_of(content)
    assert error is None or (type(error) is ValueError and str(error).isprintable())


@settings(deadline=None)
@given(st.text(alphabet="&*!|>%@`-?:,[]{}#'\" \n019.xeoa<~=_+T\\", max_size=60))
def test_any_yaml_like_text_is_data_or_a_value_error(text: str) -> None:
    """The same for what is made of YAML's own marks."""
    error = error_of(text.encode())
    assert error is None or (type(error) is ValueError and str(error).isprintable())
