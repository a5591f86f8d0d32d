"""Hostile comment.json files: what the job that may write to a pull request is handed by the one before it.

Each is refused with its typed error, or comes out as text: no link, no image, no script, nobody mentioned, no table
broken, no second hidden line.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from comment_documents import (
    COMMIT,
    PROBLEM,
    REFUSED,
    SCORED,
    TEST_SET,
    Page,
    changed,
    check_tame,
    scored,
    test_set,
    written,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from ctspine_bench.errors import CODES, SubmissionError
from ctspine_bench.hosting.comment import comment_markdown, read_comment_data
from ctspine_bench.hosting.comment.data import MAX_BYTES, parse_comment_data

MARKUP = {
    "script element": "<script>alert(1)</script>",
    "image with a handler": "<img src=x onerror=alert(1)>",
    "unfinished tag": '<a href="',
    "end of the details": "</details></code>",
    "second hidden line": "<!-- ctspine-bench: other-method -->",
    "end of a hidden line": "--> after",
    "unfinished hidden line": "<!--",
    "Markdown link": "[click](https://example.org)",
    "reference link": "[click]: https://example.org",
    "Markdown image": "![pixel](https://example.org/p.png)",
    "autolink in brackets": "<https://example.org>",
    "bare address": "see https://example.org/x",
    "bare www": "see www.example.org",
    "e-mail address": "write to a@example.org",
    "mention": "thanks @octocat and @org/team",
    "issue reference": "fixes #1 and GH-2",
    "end of the code span": "a` <b>bold</b> `b",
    "run of backticks": "``` ```` `",
    "nothing but backticks": "``",
    "backslash before the end": "a\\",
    "cell boundary": "a | b | c",
    "table of its own": "| a |\n| --- |\n| b |",
    "heading on a new line": "a\n\n# Accepted",
    "fence on a new line": "a\n```\n",
    "carriage return": "a\r\n\r\n> quoted",
    "line separator": "a\u2028# b",
    "reversed text": "\u202etxt.evil",
    "isolated direction": "\u2067abc\u2069",
    "zero-width space": "ad\u200bmin",
    "tag characters": "a\U000e0041\U000e0042",
    "pile of accents": "a" + "\u0301" * 50,
    "entity": "&lt;b&gt; &#64;octocat",
    "emoji code": ":+1: :rocket:",
    "formula": "$\\href{javascript:alert(1)}{x}$",
    "footnote": "a[^1]\n\n[^1]: b",
    "script address": "javascript:alert(1)",
    "terminal colours": "\x1b[31mred\x1b[0m",
    "workflow command": "::set-output name=x::y",
    "null character": "a\x00b",
    "template expression": "${{ secrets.TOKEN }}",
}
DECLARED_TEXTS = ("name", "team", "coverage_reason", "paper", "code")
PROBLEM_TEXTS = ("problems.0.path", "problems.0.expected", "problems.0.found", "problems.0.advice", "slugs.0")


def outcome(document: dict[str, Any]) -> Page | str:
    """The page of a document, which must be tame, or the code with which the document is refused."""
    try:
        data = parse_comment_data(json.dumps(document).encode(), "comment.json")
    except SubmissionError as error:
        return error.code
    return check_tame(comment_markdown(data, COMMIT))


@pytest.mark.parametrize("text", MARKUP.values(), ids=MARKUP)
def test_markup_in_what_was_declared(text: str) -> None:
    """In each declared text, markup is refused or stands as text."""
    for place in DECLARED_TEXTS:
        found = outcome(changed(scored(coverage="partial"), place, text))
        assert found == "E_RECORD" if isinstance(found, str) else text in found.code


@pytest.mark.parametrize("text", MARKUP.values(), ids=MARKUP)
def test_markup_in_a_problem(text: str, tmp_path: Path) -> None:
    """Problems quote anything; it stands as text, and what cannot be seen is spelt out."""
    for place in PROBLEM_TEXTS:
        data = read_comment_data(written(changed(REFUSED, place, text), tmp_path))
        page = check_tame(comment_markdown(data, COMMIT))
        assert all(span.isprintable() for span in page.code)


@settings(max_examples=40, deadline=None)
@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=60))
def test_any_text_in_a_problem(text: str) -> None:
    """Whatever the text of a problem is, the comment stays tame."""
    assert isinstance(outcome(changed(REFUSED, "problems.0.found", text)), Page)


@settings(max_examples=40, deadline=None)
@given(st.text(st.sampled_from("ab @#`|<>![](){}*_~\\&;:/.-'\"$^\n=+"), min_size=1, max_size=30))
def test_any_marks_in_a_name(text: str) -> None:
    """Whatever marks a name holds, it is refused or the comment stays tame; a line may end with its end, as in YAML."""
    found = outcome(changed(SCORED, "name", text))
    assert found == "E_RECORD" if isinstance(found, str) else text.removesuffix("\n") in found.code


FIELDS = {
    "slug that climbs": ("slug", "../../.github"),
    "slug that ends the hidden line": ("slug", "a--><b>"),
    "slug of a device": ("slug", "con"),
    "slug in capitals": ("slug", "My-Method"),
    "slug with a line end": ("slug", "my-method\n"),
    "copied from a slug with markup": ("same_predictions_as", ["`[a](https://example.org)"]),
    "copied from a text": ("same_predictions_as", "my-method"),
    "copied from very many": ("same_predictions_as", ["my-method"] * 21),
    "address of a script": ("paper", "javascript:alert(1)"),
    "address without encryption": ("code", "http://example.org"),
    "address with a user": ("code", "https://user:password@example.org"),
    "address with a backtick": ("paper", "https://example.org/`a`"),
    "address with a blank": ("paper", "https://example.org/ @octocat"),
    "address of a look-alike host": ("paper", "https://ex\u0430mple.org"),
    "commit cut short": ("commit", COMMIT[:39]),
    "commit in capitals": ("commit", COMMIT.upper()),
    "commit that is an option": ("commit", "--upload-pack=x"),
    "newer version": ("schema_version", 3),
    "older version": ("schema_version", 1),
    "version as truth": ("schema_version", True),
    "version as text": ("schema_version", "2"),
    "unknown kind": ("kind", "published"),
    "text for truth": ("uses_verse", "false"),
    "number for truth": ("uses_test_cases", 0),
    "number for text": ("name", 7),
    "list for text": ("team", ["a"]),
    "name of 61 letters": ("name", "a" * 61),
    "name of a megabyte": ("name", "a" * 10**5),
    "empty name": ("name", ""),
    "no test set": ("test_sets", []),
    "four test sets": ("test_sets", [TEST_SET] * 4),
    "the same test set twice": ("test_sets", [TEST_SET] * 2),
    "object for a list": ("test_sets", {"0": TEST_SET}),
    "unknown test set": ("test_sets.0.name", "<b>private</b>"),
    "number as text": ("test_sets.0.mean_of_vertebrae.dsc", "0.9"),
    "DSC above one": ("test_sets.0.mean_of_vertebrae.dsc", 1.0001),
    "DSC below zero": ("test_sets.0.mean_of_spine.dsc", -0.1),
    "distance of light years": ("test_sets.0.mean_of_spine.hd95_mm", 1e300),
    "matched distance as text": ("test_sets.0.mean_of_vertebrae.hd95_matched_mm", "5.02"),
    "published row without a distance": ("test_sets.0.published", {"dsc": 0.84}),
    "published row of another layout": ("test_sets.0.published", {"dsc": 0.84, "hd95_mm": 6.41}),
    "inferred rule of old": ("test_sets.0.inferred", {"dsc": 0.9, "hd95_mm": 5.0}),
    "count of many digits": ("test_sets.0.n_cases", 10**4000),
    "negative count": ("test_sets.0.n_cases", -1),
    "broken count": ("test_sets.0.vertebrae.missed", 1.5),
    "count as truth": ("test_sets.0.vertebrae.missed", True),
    "markup for a small count": ("test_sets.0.vertebrae.missed", "<b>5"),
    "rank before its interval": ("test_sets.0.rank.rank", 1),
    "rank of nobody": ("test_sets.0.rank", {"rank": 0, "low": 0, "high": 0, "n_ranked": 0}),
    "interval beyond the board": ("test_sets.0.rank.high", 13),
    "case id with markup": ("test_sets.0.refused", [{"case_id": "a`b", "code": "E_NAN"}]),
    "case id that climbs": ("test_sets.0.refused", [{"case_id": "../a", "code": "E_NAN"}]),
    "case id of two lines": ("test_sets.0.refused", [{"case_id": "a\n# b", "code": "E_NAN"}]),
    "unknown error code": ("test_sets.0.refused", [{"case_id": "a", "code": "E_<B>"}]),
    "unknown error code as a key": ("test_sets.0.n_refused", {"`": 1}),
    "list longer than its limit": ("test_sets.0.refused", [{"case_id": "a", "code": "E_NAN"}] * 21),
    "unknown key at the top": ("html", "<b>"),
    "unknown key inside": ("test_sets.0.html", "<b>"),
    "unknown key deep inside": ("test_sets.0.rank.html", "<b>"),
    "attribute of a class": ("__class__", "x"),
}


@pytest.mark.parametrize(("place", "value"), FIELDS.values(), ids=FIELDS)
def test_fields_that_are_not_as_they_should_be(place: str, value: Any, tmp_path: Path) -> None:
    """Each is E_RECORD, in a message of one short line that repeats nothing hostile."""
    check_refused(json.dumps(changed(scored(), place, value)).encode(), tmp_path)


def check_refused(content: bytes, folder: Path) -> None:
    """Assert that a file is refused, in few visible words, and that nothing is left beside it."""
    path = folder / "comment.json"
    path.write_bytes(content)
    with pytest.raises(SubmissionError) as caught:
        read_comment_data(path)
    error = caught.value
    assert (error.code, error.path) == ("E_RECORD", "comment.json")
    assert len(str(error)) < 1000
    assert str(error).isprintable()
    assert [entry.name for entry in folder.iterdir()] == ["comment.json"]


@pytest.mark.parametrize("place", ["schema_version", "slug", "commit", "name", "test_sets", "uses_test_cases"])
def test_missing_fields(place: str, tmp_path: Path) -> None:
    """Nothing has a default that a file could fall back to."""
    document = scored()
    del document[place]
    check_refused(json.dumps(document).encode(), tmp_path)


GOOD = json.dumps(SCORED)
FILES = {
    "nothing": b"",
    "not JSON": b"<html></html>",
    "not UTF-8": GOOD.encode().replace(b"My method", b"\xff\xfe"),
    "UTF-16": GOOD.encode("utf-16"),
    "half a surrogate": GOOD.replace("My method", "\\ud800").encode(),
    "NaN": GOOD.replace("0.9023", "NaN").encode(),
    "infinity": GOOD.replace("0.9023", "Infinity").encode(),
    "negative infinity": GOOD.replace("0.9023", "-Infinity").encode(),
    "number that overflows to infinity": GOOD.replace("6.307", "1e999").encode(),
    "number with a hundred thousand digits": GOOD.replace("0.9023", "0." + "9" * 10**5 + "x").encode(),
    "integer with a hundred thousand digits": GOOD.replace("2350", "9" * 10**5).encode(),
    "list at the top": f"[{GOOD}]".encode(),
    "text at the top": json.dumps(GOOD).encode(),
    "null": b"null",
    "two documents": f"{GOOD}{GOOD}".encode(),
    "cut off": GOOD.encode()[:-1],
    "comment in JSON": f"{GOOD}// <script>".encode(),
    "deep lists": b"[" * 100_000 + b"]" * 100_000,
    "deep objects in a field": GOOD.replace('"My method"', '{"a":' * 20_000 + "1" + "}" * 20_000).encode(),
    "one byte too many": GOOD.encode().ljust(MAX_BYTES + 1),
    "an archive": b"PK\x03\x04" + bytes(100),
}


@pytest.mark.parametrize("content", FILES.values(), ids=FILES)
def test_files_that_are_no_comment(content: bytes, tmp_path: Path) -> None:
    """Each is E_RECORD."""
    check_refused(content, tmp_path)


def test_largest_file_is_still_read(tmp_path: Path) -> None:
    """The limit is on the file as it is: a valid one of exactly that size passes."""
    path = tmp_path / "comment.json"
    path.write_bytes(GOOD.encode().ljust(MAX_BYTES))
    check_tame(comment_markdown(read_comment_data(path), COMMIT))


def test_no_more_than_the_limit_is_read() -> None:
    """A file without end costs no more memory or time than the limit."""
    endless = Path("/dev/zero")
    if not endless.exists():
        pytest.skip("there is no /dev/zero here")
    with pytest.raises(SubmissionError, match="E_RECORD"):
        read_comment_data(endless)


def test_missing_file_and_folder(tmp_path: Path) -> None:
    """The error names the file without the folders of the machine that it lies in."""
    for path in (tmp_path / "missing.json", tmp_path):
        with pytest.raises(SubmissionError, match="E_RECORD") as caught:
            read_comment_data(path)
        assert str(tmp_path.parent) not in str(caught.value)


@pytest.mark.parametrize("document", [SCORED, REFUSED], ids=["scored", "refused"])
@pytest.mark.parametrize("head", ["f" * 40, COMMIT[:12], COMMIT.upper(), "", "HEAD", f"{COMMIT}\n# moved"])
def test_another_head(document: dict[str, Any], head: str, tmp_path: Path) -> None:
    """The comment is about one commit, and written while the pull request is at that one: the whole name counts."""
    data = read_comment_data(written(document, tmp_path))
    with pytest.raises(SubmissionError, match="E_MOVED") as caught:
        comment_markdown(data, head)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("document", [{**SCORED, "commit": None}, {**REFUSED, "head": None}], ids=["scored", "refused"])
def test_data_about_no_commit(document: dict[str, Any], tmp_path: Path) -> None:
    """Data that names no commit is not posted to a pull request."""
    data = read_comment_data(written(document, tmp_path))
    check_tame(comment_markdown(data))
    with pytest.raises(SubmissionError, match="E_MOVED"):
        comment_markdown(data, COMMIT)


REFUSALS = {
    "no problems": ("problems", []),
    "problems as text": ("problems", "none"),
    "unknown code": ("problems.0.code", "@octocat"),
    "problem without text": ("problems.0.found", ""),
    "problem as a list": ("problems.0.found", ["a"]),
    "unknown key": ("problems.0.html", "<b>"),
    "unknown key at the top": ("comment", "<b>"),
    "head that is an option": ("head", "--help"),
    "base as a branch": ("base", "main"),
}


@pytest.mark.parametrize(("place", "value"), REFUSALS.values(), ids=REFUSALS)
def test_refusals_that_are_not_as_they_should_be(place: str, value: Any, tmp_path: Path) -> None:
    """Each is E_RECORD."""
    check_refused(json.dumps(changed(REFUSED, place, value)).encode(), tmp_path)


def test_longest_comments_fit(tmp_path: Path) -> None:
    """Everything at its limit, in letters of four bytes, is a comment that GitHub takes."""
    wide = "\U00020000"
    refused = [{"case_id": "a" * 255, "code": "E_MISSING_REFERENCE"}] * 20
    largest = test_set(
        refused=refused, n_refused=dict.fromkeys(CODES, 10**6), complete=False, n_unnamed=10**6, expected_cases=10**6
    )
    document = scored(
        name=wide * 60,
        team=wide * 120,
        coverage="partial",
        coverage_reason=wide * 300,
        same_predictions_as=["a" * 50] * 20,
        paper="https://example.org/".ljust(500, "a"),
        code="https://example.org/".ljust(500, "a"),
        uses_verse=True,
        uses_test_cases=True,
        test_sets=[{**largest, "name": name} for name in ("public", "private", "verse")],
    )
    check_tame(comment_markdown(read_comment_data(written(document, tmp_path))))
    problem = {part: text if part == "code" else "`" * 900 for part, text in PROBLEM.items()}
    document = {**REFUSED, "slugs": ["x" * 900] * 20, "problems": [problem] * 50}
    check_tame(comment_markdown(read_comment_data(written(document, tmp_path))))
