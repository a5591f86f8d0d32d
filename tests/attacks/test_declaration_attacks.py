"""Hostile submission.yaml, folder names, files and records: each its typed error, and nothing written anywhere."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest
from declarations import PATH, archive, entry, fields, problems, text_of

from ctspine_bench.errors import SubmissionError
from ctspine_bench.submissions.folder import FileEntry, check_files, check_slug
from ctspine_bench.submissions.reading import MAX_BYTES, MAX_PROBLEMS, check_declaration, read_declaration
from ctspine_bench.submissions.records import find_records, read_record
from ctspine_bench.tables import SCHEMA_VERSION

if TYPE_CHECKING:
    from pathlib import Path

VALID = text_of(fields())

YAML_ATTACKS: dict[str, tuple[bytes, str]] = {
    "billion laughs: anchors and aliases": (
        b"a: &a [lol, lol, lol, lol]\n"
        + b"".join(b"%c: &%c [*%c, *%c, *%c, *%c]\n" % (c, c, *[c - 1] * 4) for c in range(98, 110)),
        "an anchor or alias, 'a'",
    ),
    "one anchor, never used": (b"name: &x SpineNet", "an anchor or alias, 'x'"),
    "an alias to itself": (b"name: &x [*x]", "an anchor or alias, 'x'"),
    "a tag that runs code": (b"name: !!python/object/apply:os.system [id]", "a tag, 'tag:yaml.org,2002:python"),
    "a tag that makes an object": (b"name: !!python/object/new:type [a, [], {}]", "a tag, 'tag:yaml.org,2002:python"),
    "a tag that changes a type": (b"name: !!binary aGk=", "a tag, 'tag:yaml.org,2002:binary'"),
    "a tag of the file's own": (b"%TAG ! tag:evil.org,2026:\n---\nname: !x y", "a % directive"),
    "a merge key": (b"<<: {name: hidden}", "'<<', which means something else"),
    "a key that stands twice": (VALID[:-1] + b', "name": "Other"}', "a key that stands twice"),
    "a key twice in a nested mapping": (b"training: {uses_verse: true, uses_verse: false}", "a key that stands twice"),
    "a list as a key": (b"? [name]\n: x", "unhashable key"),
    "nesting that would end the stack": (b"[" * 30_000, "more than 10 levels"),
    "nesting by dashes": (b"- " * 30_000, "more than 10 levels"),
    "nesting by question marks": (b"? " * 30_000, "more than 10 levels"),
    "an integer of thousands of digits": (b"size: " + b"9" * 5_000, "which is no plain decimal number"),
    "an octal number": (b"size: 0777", "'0777', which is no plain decimal number"),
    "a hexadecimal number": (b"size: 0xFF", "'0xFF', which is no plain decimal number"),
    "a number with base 60": (b"size: 10:00:00", "'10:00:00', which is no plain decimal number"),
    "a number with underscores": (b"size: 1_000", "'1_000', which is no plain decimal number"),
    "not a number": (b"size: .nan", "'.nan', which is no finite decimal number"),
    "infinity": (b"size: -.inf", "'-.inf', which is no finite decimal number"),
    "a number that overflows to infinity": (b"size: 1.0e+999", "'1.0e+999', which is no finite decimal number"),
    "two documents": (VALID + b"\n---\nname: Other", "another document"),
    "UTF-16": (VALID.decode().encode("utf-16"), "bytes that are not UTF-8 text"),
    "UTF-32 without a mark": ("a: 1".encode("utf-32-le"), "a control or invisible character, U+0000"),
    "Latin-1": ("name: Škoda é".replace("Š", "").encode("latin-1"), "bytes that are not UTF-8 text"),
    "a byte order mark": (b"\xef\xbb\xbf" + VALID, "a control or invisible character, U+FEFF"),
    "an overlong encoding": (b"name: \xc0\xbcscript>", "bytes that are not UTF-8 text"),
    "an encoded surrogate": (b"name: \xed\xa0\x80", "bytes that are not UTF-8 text"),
    "a null byte": (b"name: a\x00b", "a control or invisible character, U+0000"),
    "an escape sequence for the terminal": (b"# \x1b[2J\x1b[31mapproved", "a control or invisible character, U+001B"),
    "a comment that ends at a line break only YAML sees": (
        b"# harmless\xe2\x80\xa8kind: published",
        "a control or invisible character, U+2028",
    ),
    "a line break that hides what came before": (b"name: evil\rname: good", "a control or invisible character, U+000D"),
    "a comment that reads backwards": (b"# \xe2\x80\xaeeslaf", "a control or invisible character, U+202E"),
    "larger than the limit": (b"#" * (MAX_BYTES + 1), "a larger file than 65,536 bytes"),
    "a list in place of fields": (b"[name, team]", "no fields but ['name', 'team']"),
    "nothing at all": (b"", "no fields but None"),
}


@pytest.mark.parametrize("name", YAML_ATTACKS)
def test_yaml_that_is_not_plain(name: str) -> None:
    """It is refused as YAML before any field is looked at; the reason says what it is."""
    content, reason = YAML_ATTACKS[name]
    ((code, place, found),) = problems(content)
    assert (code, place) == ("E_YAML", "")
    assert reason in found
    assert len(found) < 200
    assert found.isprintable()


PROSE_FIELDS = (
    "name",
    "team",
    "description",
    "licence",
    "coverage_reason",
    "training.comment",
    "training.data",
    "source",
)

TEXT_ATTACKS = {
    "an HTML element": "Net <script>alert(1)</script>",
    "an HTML character reference": "Net &lt;img src=x onerror=alert(1)&gt;",
    "a mention by character reference": "Net &#64;everyone",
    "a Markdown link": "Net [click](javascript:alert(1))",
    "a Markdown image": "Net ![](x)",
    "a code span that swallows the table": "Net `",
    "a table cell too many": "Net | 1.000",
    "an escape for Markdown": "Net \\",
    "a fence that swallows the comment": "~~~",
    "a mention of a team": "Net by @organizers/all",
    "an autolinked address": "Net www.evil.example",
    "an address": "Net ftp://evil.example",
    "a template expression for workflows": "Net ${{ secrets.TOKEN }}",
    "a template of another kind": "Net {{ 7 * 7 }}",
    "an escape sequence for the terminal": "Net \x1b]0;owned\x07",
    "a null character": "Net \x00",
    "text that reads backwards": "Net \u202e000.1",
    "an isolate that is left open": "Net \u2067",
    "a zero-width space": "Ne\u200bt",
    "a joiner in Latin letters": "Ne\u200dt",
    "letters in the tag block, invisible to people": "Net \U000e0041\U000e0042",
    "a name of invisible letters": "\u3164\u3164",
    "blanks that look like nothing": "Net\u2003\u2003x",
    "a tower of accents": "N" + "\u0338\u0317\u0489\u0353\u033f" * 3,
    "letters that are not composed": "A\u0308rzte",
    "an unassigned character": "Net \u0378",
    "a private character": "Net \ue000",
}


def with_text(field: str, text: str) -> dict[str, Any]:
    """Fields with a text in one of them; valid but for that text."""
    if field == "training.comment":
        return fields(training={**fields()["training"], "comment": text})
    if field == "training.data":
        return fields(training={**fields()["training"], "data": [text]})
    if field == "coverage_reason":
        return fields(coverage="partial", coverage_reason=text)
    if field == "source":
        return fields(kind="published", test_sets=..., source=text)
    return fields(**{field: text})


@pytest.mark.parametrize("attack", TEXT_ATTACKS)
def test_text_that_would_be_more_than_text(attack: str) -> None:
    """Every text field refuses it, by the name of the field, and the error itself is harmless to print."""
    for field in PROSE_FIELDS:
        content = text_of(with_text(field, TEXT_ATTACKS[attack]))
        _, errors = check_declaration(content.replace(b"\x00", b"\\u0000"), PATH)
        assert len(errors) == 1, field
        assert errors[0].code in {"E_FIELD", "E_YAML"}
        assert errors[0].code == "E_YAML" or field in str(errors[0].path)
        assert str(errors[0]).isprintable()


@pytest.mark.parametrize("escape", ["\\u202e", "\\0", "\\e[2J", "\\N", "\\L", "\\x9b31m", "\\uFEFF", "\\U000E0041"])
def test_text_hidden_by_escapes_of_yaml(escape: str) -> None:
    """What may not stand in the file may not be spelt out in it either."""
    content = VALID.replace(b'"SpineNet 2"', f'"Spine{escape}Net"'.encode())
    assert [(code, place) for code, place, _ in problems(content)] == [("E_FIELD", "name")]


@pytest.mark.parametrize("first", ["=", "+", "-", "@", "＝", "＠"])
def test_formulas_for_spreadsheets(first: str) -> None:
    """No text of one line begins like a formula."""
    for field in ("name", "team", "licence", "coverage_reason"):
        found = problems(with_text(field, f'{first}HYPERLINK("evil")'))
        assert [(code, place) for code, place, _ in found] == [("E_FIELD", field)]


URL_ATTACKS = {
    "javascript": "javascript:alert(1)//.tar",
    "http": "http://zenodo.org/a.tar",
    "file": "file:///etc/passwd.tar",
    "data": "data:text/html,x.tar",
    "no scheme": "//zenodo.org/a.tar",
    "scheme in capitals": "HTTPS://zenodo.org/a.tar",
    "a blank before the scheme": " https://zenodo.org/a.tar",
    "a user name that looks like the host": "https://zenodo.org@evil.example/a.tar",
    "a password": "https://user:token@zenodo.org/a.tar",
    "a backslash that some take for a slash": "https://evil.example\\@zenodo.org/a.tar",
    "a Cyrillic letter in the host": "https://zen\u043edo.org/a.tar",
    "a host in Punycode": "https://xn--zendo-4jf.org/a.tar",
    "a full stop of another script": "https://zenodo\u3002org/a.tar",
    "a host in brackets": "https://[::1]/a.tar",
    "an empty host": "https:///a.tar",
    "a host with a trailing dot": "https://zenodo.org./a.tar",
    "a port that is none": "https://zenodo.org:99999999/a.tar",
    "a line break": "https://zenodo.org/a.tar\nHost: evil",
    "a tab that parsers drop": "https://zeno\tdo.org/a.tar",
    "a quote and an attribute": "https://zenodo.org/\"onclick=alert(1)//a.tar",
    "the end of a Markdown link": "https://zenodo.org/) [x](https://evil.example/a.tar",
    "half an escape": "https://zenodo.org/%zz/a.tar",
    "longer than any address": "https://zenodo.org/" + "a/" * 300 + "a.tar",
}  # fmt: skip


@pytest.mark.parametrize("attack", URL_ATTACKS)
def test_addresses_that_are_not_what_they_seem(attack: str) -> None:
    """Archive, paper, code and contact take plain https addresses alone."""
    url = URL_ATTACKS[attack]
    sets = {**fields()["test_sets"], "public": archive(url=url)}
    found = problems(fields(paper=url, code=url, contact=url, test_sets=sets))
    assert {(code, place) for code, place, _ in found} == {
        ("E_FIELD", place) for place in ("paper", "code", "contact", "test_sets.public.url")
    }
    assert all(what.isascii() and what.isprintable() for _, _, what in found)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("..tar", "a file name of at most"),
        (".tar", "a file name of at most"),
        ("-rf.tar", "a file name of at most"),
        ("a%2F..%2Fb.tar", "a file name of at most"),
        ("a.tar#x", "an address without #"),
        ("a.tar#", "an address without #"),
        ("a.exe?x=.tar", "an address whose path ends with"),
        ("a.tar/", "an address whose path ends with"),
        ("a" * 100 + ".tar", "a file name of at most"),
    ],
)
def test_file_names_of_archives(name: str, reason: str) -> None:
    """The last part of the address becomes a file name on the organizers' machine: it is plain, and says what it is."""
    sets = {**fields()["test_sets"], "public": archive(url=f"https://zenodo.org/{name}")}
    _, (error,) = check_declaration(text_of(fields(test_sets=sets)), PATH)
    assert error.code == "E_FIELD"
    assert error.expected.startswith(reason)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("schema_version", True),
        ("schema_version", 1.5),
        ("schema_version", "1"),
        ("schema_version", 0),
        ("training.uses_verse", 1),
        ("training.uses_verse", "no"),
        ("test_sets.public.size", True),
        ("test_sets.public.size", 1000.0),
        ("test_sets.public.size", "1000"),
        ("test_sets.public.size", -1),
        ("test_sets.public.size", 10**19),
        ("test_sets.public", [1]),
        ("test_sets", ["public"]),
        ("training", "none"),
        ("owners", {"octocat": 1}),
        ("owners.0", None),
        ("name", ["a"]),
        ("name", {"a": "b"}),
        ("name", None),
        ("date", "2026-11-20T10:00:00Z"),
        ("owners.0", "octocat\n"),
        ("contact", "spine@example.org\n"),
        ("test_sets.public.sha256", "0" * 64 + "\n"),
    ],
)
def test_values_of_the_wrong_type(place: str, value: object) -> None:
    """Nothing is converted or trimmed: true is not 1, "1000" is not 1000, a time is not a date."""
    content = fields()
    *parents, last = (int(part) if part.isdigit() else part for part in place.split("."))
    holder: Any = content
    for part in parents:
        holder = holder[part]
    holder[last] = value
    assert [(code, where) for code, where, _ in problems(content)] == [("E_FIELD", place)]


def test_a_newer_version_is_not_guessed_at() -> None:
    """A layout that this version does not know is said to be one, whatever else is in it."""
    assert problems(fields(schema_version=2, anything=1)) == [("E_VERSION", "schema_version", "version 2")]


def test_a_thousand_unknown_keys_are_a_short_answer() -> None:
    """The answer has a limit, however much is wrong."""
    found = problems(text_of(fields())[:-1] + b"".join(b', "k%d": 1' % n for n in range(2_000)) + b"}")
    assert len(found) == MAX_PROBLEMS
    assert found[-1] == ("E_FIELD", "", "1971 problems more")


def test_names_of_unknown_fields_are_escaped() -> None:
    """The name of a field goes into the error; what it holds goes nowhere."""
    _, (error,) = check_declaration(VALID[:-1] + b', "\\u202e\\e[2J": 1}', PATH)
    assert (error.code, error.path) == ("E_FIELD", f"{PATH}: \\u202e\\x1b[2J")


@pytest.mark.parametrize(
    "slug",
    [
        "", "a", "x" * 51, "..", ".", "-", "-rf", "net-", "a--b", "a/b", "../b", "a\\b", "Net", "nét", "ｎet", "a b",
        "a_b", "a.b", "net\n", ".git", "con", "nul", "com1", "lpt9", "net\u200b", "$(id)", "net;id", "--help",
    ],
)  # fmt: skip
def test_folder_names_that_no_submission_can_have(slug: str) -> None:
    """Lower-case words joined by hyphens, which mean the same to every file system, shell and address."""
    with pytest.raises(SubmissionError) as caught:
        check_slug(slug)
    assert caught.value.code == "E_SLUG"
    assert str(caught.value).isprintable()
    _, errors = check_files(slug, [entry(VALID, f"submissions/{slug}/submission.yaml")])
    assert [error.code for error in errors] == ["E_SLUG"]


@pytest.mark.parametrize("slug", ["ab", "nnunet-paper", "3d-unet-2", "x" * 50, "console"])
def test_folder_names_that_are_fine(slug: str) -> None:
    """Words and numbers."""
    check_slug(slug)


FILE_ATTACKS: dict[str, tuple[FileEntry, str]] = {
    "code": (entry(b"import os", "submissions/spine-net/run.py"), "E_PATH"),
    "a page": (entry(b"# Hi", "submissions/spine-net/README.md"), "E_PATH"),
    "results": (entry(b"{}", "submissions/spine-net/results.json"), "E_RESULTS"),
    "results in capitals": (entry(b"{}", "submissions/spine-net/RESULTS.json"), "E_RESULTS"),
    "a case table": (entry(b"PAR1", "submissions/spine-net/cases.parquet"), "E_RESULTS"),
    "results where unfinished ones wait": (entry(b"{}", "submissions/spine-net/.complete/results.json"), "E_RESULTS"),
    "a hidden file": (entry(b"*", "submissions/spine-net/.gitattributes"), "E_PATH"),
    "a sub folder": (entry(VALID, "submissions/spine-net/x/submission.yaml"), "E_PATH"),
    "another submission": (entry(VALID, "submissions/other/submission.yaml"), "E_PATH"),
    "the same name in capitals": (entry(VALID, "submissions/spine-net/Submission.yaml"), "E_PATH"),
    "another ending": (entry(VALID, "submissions/spine-net/submission.yml"), "E_PATH"),
    "a way up": (entry(VALID, "submissions/spine-net/../submission.yaml"), "E_PATH"),
    "a workflow": (entry(b"on: push", ".github/workflows/ci.yml"), "E_PATH"),
    "a name for the terminal": (entry(b"", "submissions/spine-net/\x1b[2J"), "E_PATH"),
}


@pytest.mark.parametrize("attack", FILE_ATTACKS)
def test_files_beside_the_declaration(attack: str) -> None:
    """A submission brings one file; the declaration itself is still found to be valid."""
    stray, code = FILE_ATTACKS[attack]
    declaration, errors = check_files("spine-net", [entry(VALID), stray])
    assert declaration is not None
    assert [error.code for error in errors] == [code]
    assert str(errors[0]).isprintable()


@pytest.mark.parametrize("mode", ["120000", "100755", "160000", "040000", "100664"])
def test_a_declaration_that_is_no_plain_file(mode: str) -> None:
    """A link, a program, a submodule or a folder is refused unread."""

    def read() -> bytes:
        raise AssertionError("read")

    declaration, errors = check_files("spine-net", [FileEntry(PATH, mode, 20, read)])
    assert declaration is None
    assert [error.code for error in errors] == ["E_PATH"]


def test_a_huge_declaration_is_refused_unread() -> None:
    """Its size is known before its content."""

    def read() -> bytes:
        raise AssertionError("read")

    declaration, errors = check_files("spine-net", [FileEntry(PATH, "100644", 10**12, read)])
    assert declaration is None
    assert [(error.code, error.found) for error in errors] == [("E_YAML", "1,000,000,000,000 bytes")]


def test_a_folder_of_thousands_of_files_is_a_short_answer() -> None:
    """The list of files that do not belong there has a limit."""
    strays = [entry(b"", f"submissions/spine-net/{n}.bin") for n in range(5_000)]
    _, errors = check_files("spine-net", [entry(VALID), *strays])
    assert len(errors) == MAX_PROBLEMS


def test_a_folder_without_a_declaration() -> None:
    """The file that is missing is named."""
    _, (error,) = check_files("spine-net", [])
    assert (error.code, error.path) == ("E_NOT_FOUND", PATH)


def test_a_link_on_disk_is_not_followed(tmp_path: Path) -> None:
    """Neither the declaration nor results of a record may lead elsewhere; nothing of the target is shown."""
    secret = tmp_path / "secret"
    secret.write_text("password: hunter2")
    folder = tmp_path / "spine-net"
    folder.mkdir()
    (folder / "submission.yaml").symlink_to(secret)
    for read in (read_declaration, read_record):
        with pytest.raises(SubmissionError, match=r"^E_PATH: spine-net/submission\.yaml") as caught:
            read(folder)
        assert "hunter2" not in str(caught.value)
    (folder / "submission.yaml").unlink()
    (folder / "submission.yaml").write_bytes(VALID)
    (folder / "results.json").symlink_to(secret)
    with pytest.raises(SubmissionError, match=r"^E_RECORD: spine-net/results\.json"):
        read_record(folder)


RESULTS = {"schema_version": SCHEMA_VERSION, "kind": "scored", "test_sets": {}}

RECORD_ATTACKS: dict[str, tuple[bytes, str]] = {
    "not a number": (json.dumps(RESULTS | {"dsc": float("nan")}).encode(), "E_RECORD"),
    "infinity": (json.dumps(RESULTS | {"dsc": float("inf")}).encode(), "E_RECORD"),
    "a number that overflows": (json.dumps(RESULTS).replace("{}", '{"a": {"dsc": 1e999}}').encode(), "E_RECORD"),
    "half a file": (json.dumps(RESULTS).encode()[:20], "E_RECORD"),
    "nesting that would end the stack": (b"[" * 100_000, "E_RECORD"),
    "an integer of thousands of digits": (b'{"schema_version": ' + b"2" * 5_000 + b"}", "E_RECORD"),
    "a list": (b"[]", "E_RECORD"),
    "bytes that are no text": (b"\xff\xfe\x00", "E_RECORD"),
    "a version that is true": (json.dumps(RESULTS | {"schema_version": True}).encode(), "E_RECORD"),
    "a version from before the first": (json.dumps(RESULTS | {"schema_version": 0}).encode(), "E_RECORD"),
    "a newer version": (json.dumps(RESULTS | {"schema_version": 99}).encode(), "E_VERSION"),
    "results of another submission": (json.dumps(RESULTS | {"submission": {"slug": "other"}}).encode(), "E_RECORD"),
    "results that pass for published ones": (json.dumps(RESULTS | {"kind": "published"}).encode(), "E_RECORD"),
    "test sets that are text": (json.dumps(RESULTS | {"test_sets": {"public": "1.000"}}).encode(), "E_RECORD"),
}  # fmt: skip


@pytest.mark.parametrize("attack", RECORD_ATTACKS)
def test_results_that_are_broken(attack: str, tmp_path: Path) -> None:
    """A record with them is an error in the list of records, and the others are still read."""
    content, code = RECORD_ATTACKS[attack]
    for slug in ("spine-net", "zz-good"):
        (tmp_path / slug).mkdir()
        (tmp_path / slug / "submission.yaml").write_bytes(VALID)
    (tmp_path / "spine-net" / "results.json").write_bytes(content)
    broken, good = find_records(tmp_path)
    assert isinstance(broken, SubmissionError)
    assert (broken.code, broken.path) == (code, "spine-net/results.json")
    assert str(broken).isprintable()
    assert not isinstance(good, SubmissionError)
    assert sorted(os.listdir(tmp_path / "spine-net")) == ["results.json", "submission.yaml"]  # noqa: PTH208
