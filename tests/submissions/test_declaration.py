"""submission.yaml: what is valid, what each mistake is called, and that writing and reading agree."""

from __future__ import annotations

import datetime as dt
import json
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import pytest
from declarations import PATH, archive, fields, problems, text_of
from hypothesis import given, settings
from hypothesis import strategies as st

from ctspine_bench.errors import SubmissionError
from ctspine_bench.submissions.declaration import Archive, Declaration, TestSetName
from ctspine_bench.submissions.plain_text import check_line, check_text
from ctspine_bench.submissions.reading import check_declaration, check_fields, read_declaration
from ctspine_bench.submissions.schema import SCHEMA_FILE, json_schema, schema_text
from ctspine_bench.submissions.writing import write_declaration, write_submission
from ctspine_bench.testsets import OFFICIAL, PHANTOM

if TYPE_CHECKING:
    from collections.abc import Callable

SUBMISSIONS = Path(__file__).parents[2] / "submissions"

PUBLISHED: dict[str, Any] = {"kind": "published", "source": "Table 2 of a paper", "test_sets": ..., "owners": []}


def declared(**changes: object) -> Declaration:
    declaration, errors = check_declaration(text_of(fields(**changes)), PATH)
    assert errors == ()
    assert declaration is not None
    return declaration


def test_a_valid_declaration() -> None:
    """Fields come out with their types."""
    declaration = declared(paper="https://arxiv.org/abs/2105.14711")
    assert declaration.date == dt.date(2026, 11, 20)
    assert declaration.owners == ("octocat",)
    assert declaration.training.data == ("CTSpine1K training set",)
    assert declaration.test_sets["public"] == Archive.model_validate(archive("public"))
    assert (declaration.paper, declaration.code) == ("https://arxiv.org/abs/2105.14711", None)


def test_test_set_names_are_those_of_the_benchmark() -> None:
    """The names that may be declared are the official test sets and the phantom ones."""
    assert get_args(TestSetName) == (*OFFICIAL, *PHANTOM)


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://zenodo.org/records/1/files/public.tar?download=1", "public.tar"),
        ("https://huggingface.co/a/b/resolve/main/p.tar.zst", "p.tar.zst"),
        ("https://github.com/a/b/releases/download/v1.0/p_1.tar.gz", "p_1.tar.gz"),
        ("https://localhost:8443/p.zip", "p.zip"),
        ("https://127.0.0.1:8443/p.tgz", "p.tgz"),
    ],
)
def test_file_name_of_an_archive(url: str, name: str) -> None:
    """It is the last part of the path, without what is asked of the server."""
    assert Archive.model_validate(archive(url=url)).file_name == name


@pytest.mark.parametrize(
    "changes",
    [
        {"coverage": "partial", "coverage_reason": "VerSe is running", "test_sets": {"public": archive()}},
        {"coverage": "partial", "coverage_reason": "Three scans are too large"},
        {"test_sets": {name: archive(name) for name in PHANTOM}},
        {"contact": "https://example.org/team"},
        {"paper": None, "code": None},
        PUBLISHED,
        {"description": "One line.\n"},
        {"owners": ["octo-cat", "Hubot2"]},
    ],
    ids=["partial", "partial cases", "phantom", "contact", "null", "published", "final newline", "owners"],
)
def test_variants_that_are_valid(changes: dict[str, Any]) -> None:
    """What a submission may look like besides the usual."""
    assert problems(fields(**changes)) == []


@pytest.mark.parametrize(
    ("changes", "place", "found"),
    [
        ({"name": ...}, "name", "nothing"),
        ({"name": 7}, "name", "7"),
        ({"name": "x" * 61}, "name", "61"),
        ({"nam": "x"}, "nam", "an unknown one"),
        ({"kind": "winner"}, "kind", "winner"),
        ({"contact": "nobody"}, "contact", "nobody"),
        ({"owners": ["@octocat"]}, "owners.0", "@octocat"),
        ({"owners": ["octocat", "Octocat"]}, "owners", "one that stands twice"),
        ({"owners": []}, "owners", "none"),
        ({"owners": "octocat"}, "owners", "octocat"),
        ({"date": "2019-12-31"}, "date", "2019-12-31"),
        ({"date": "20 November"}, "date", None),
        ({"coverage": "partial"}, "coverage_reason", "none"),
        ({"coverage_reason": "Because"}, "coverage_reason", "one"),
        ({"test_sets": {"public": archive()}}, "coverage", "complete without private, verse"),
        ({"test_sets": {}}, "test_sets", "none"),
        ({"test_sets": {"test": archive()}}, "test_sets", "test"),
        ({"test_sets": {"public": archive(), "phantom-verse": archive("x")}}, "test_sets", "both"),
        ({"test_sets": {**fields()["test_sets"], "verse": archive()}}, "test_sets.verse.sha256", "that of public"),
        ({"test_sets": {"public": archive(sha256="0" * 63)}}, "test_sets.public.sha256", None),
        ({"test_sets": {"public": archive(sha256="A" * 64)}}, "test_sets.public.sha256", None),
        ({"test_sets": {"public": archive(size=0)}}, "test_sets.public.size", "0"),
        ({"test_sets": {"public": archive(size=20 * 2**30 + 1)}}, "test_sets.public.size", "21474836481"),
        ({"test_sets": {"public": archive(url="https://x.org/a.rar")}}, "test_sets.public.url", "a.rar"),
        ({"training": {}}, "training.data", "nothing"),
        ({"source": "A paper"}, "source", "one although kind is scored"),
        ({**PUBLISHED, "source": ...}, "source", "nothing"),
        ({**PUBLISHED, "test_sets": {"public": archive()}}, "test_sets", "public"),
    ],
)  # fmt: skip
def test_each_mistake_is_named_with_its_field(changes: dict[str, Any], place: str, found: str | None) -> None:
    """The error says which field, and what was found there."""
    found_problems = problems(fields(**changes))
    assert ("E_FIELD", place) in [(code, where) for code, where, _ in found_problems]
    assert found is None or ("E_FIELD", place, found) in found_problems


def test_all_mistakes_come_at_once() -> None:
    """A participant is not sent round by round."""
    found = problems(fields(name=..., team="<b>", contact="x", licence=3, colour="red"))
    assert [place for _, place, _ in found] == ["name", "team", "contact", "licence", "colour"]


def test_fields_that_do_not_go_together_come_at_once() -> None:
    """So do fields that are right by themselves."""
    found = problems(fields(owners=[], source="x", coverage_reason="y", test_sets={"public": archive()}))
    assert [place for _, place, _ in found] == ["source", "owners", "coverage_reason", "coverage"]


def test_advice_describes_the_field() -> None:
    """What to do about a field is what the field is for."""
    _, (error,) = check_fields({**fields(date=dt.date(2026, 1, 1)), "licence": 1}, PATH)
    assert error.advice == "Licence of the predictions (of published results: of the publication), such as CC-BY-4.0."
    _, (error,) = check_fields({**fields(date=dt.date(2026, 1, 1)), "colour": 1}, PATH)
    assert error.advice.startswith("Fields here are schema_version, kind, name")


def test_reading_a_folder(tmp_path: Path) -> None:
    """The declaration of a folder is read; what is wrong is raised with the folder's name alone."""
    folder = tmp_path / "spine-net"
    with pytest.raises(SubmissionError) as caught:
        read_declaration(folder)
    assert (caught.value.code, caught.value.path) == ("E_NOT_FOUND", "spine-net/submission.yaml")
    folder.mkdir()
    (folder / "submission.yaml").write_bytes(text_of(fields()))
    assert read_declaration(folder) == declared()
    (folder / "submission.yaml").write_bytes(text_of(fields(name=1)))
    with pytest.raises(SubmissionError, match=r"^E_FIELD: spine-net/submission\.yaml: name: expected text; found 1\."):
        read_declaration(folder)


# Letters, and all that means something in YAML and is allowed.
_CHARACTERS = "abé李0157 :#-?&*!%@'\".,=~_+()/;$^\u0645"


def _passing(check: Callable[[str], str], text: str) -> str:
    """A text that passes: as it is, or in words."""
    try:
        return check(text)
    except ValueError:
        return "words"


_LINES = st.text(_CHARACTERS, min_size=1, max_size=60).map(partial(_passing, check_line))
_TEXTS = st.text(f"{_CHARACTERS}\n", min_size=1, max_size=400).map(partial(_passing, check_text))


@settings(deadline=None)
@given(name=_LINES, description=_TEXTS, reason=_LINES)
def test_writing_and_reading_agree(name: str, description: str, reason: str) -> None:
    """The written file reads back as the same declaration, whatever the text."""
    declaration = declared(name=name, description=description, coverage="partial", coverage_reason=reason)
    assert check_declaration(write_declaration(declaration).encode(), PATH) == (declaration, ())


@pytest.mark.parametrize(
    "text",
    [
        "yes", "null", "1.0", "2026-11-20", "a: b", "a #b", "? x", "'quoted'", '"double"', "0x1f", "~ 5", "007", "1:30",
        "%a", "&a", "*a", "!a", "x" * 300, "a " * 100 + "b", "two  blanks " * 20 + "end", "one\n\ntwo", "a\n- b\n# c",
        "long " * 50 + "end\n" + "more " * 30 + "end",
    ],
)  # fmt: skip
def test_awkward_text_survives_writing(text: str) -> None:
    """Text that YAML would take for something else is quoted or set as a block."""
    declaration = declared(description=text)
    assert check_declaration(write_declaration(declaration).encode(), PATH) == (declaration, ())


def test_a_written_file_is_for_people() -> None:
    """It starts with the line that editors look for, has comments and short lines."""
    lines = write_declaration(declared(description="word " * 100 + "end")).splitlines()
    assert lines[0] == "# yaml-language-server: $schema=../submission.schema.json"
    assert sum(line.startswith("# ") for line in lines) == 6
    assert max(map(len, lines)) <= 100
    assert "name: SpineNet 2" in lines


def test_a_folder_is_written_whole_and_never_over_another(tmp_path: Path) -> None:
    """A new folder holds the file and nothing else; an existing one is refused and stays as it was."""
    file = write_submission(declared(), tmp_path / "submissions" / "spine-net")
    assert [path.name for path in file.parent.parent.rglob("*")] == ["spine-net", "submission.yaml"]
    assert read_declaration(file.parent) == declared()
    for folder in (file.parent, tmp_path / "empty-folder", tmp_path / "dangling"):
        if folder.name == "empty-folder":
            folder.mkdir()
        if folder.name == "dangling":
            folder.symlink_to(tmp_path / "nowhere")
        with pytest.raises(SubmissionError) as caught:
            write_submission(declared(name="Other"), folder)
        assert caught.value.code == "E_OUTPUT"
    assert read_declaration(file.parent) == declared()
    assert not list((tmp_path / "empty-folder").iterdir())


class TestSchema:
    """The exported JSON Schema."""

    def test_checked_in(self) -> None:
        """The file in the repository is the exported one; submissions/README.md says how to export it."""
        assert (SUBMISSIONS / SCHEMA_FILE).read_text(encoding="utf-8") == schema_text()

    def test_every_field_is_described(self) -> None:
        """Editors and documentation have a sentence on each field."""
        schema = json_schema()
        parts = [schema, *schema["$defs"].values()]
        undescribed = [
            name for part in parts for name, field in part["properties"].items() if not field.get("description")
        ]
        assert undescribed == []

    @pytest.mark.parametrize(
        ("changes", "n_errors"),
        [
            ({}, 0),
            (PUBLISHED, 0),
            ({"name": ...}, 1),
            ({"name": "a <b>"}, 1),
            ({"colour": "red"}, 1),
            ({"coverage": "partial"}, 1),
            ({"coverage_reason": "x"}, 1),
            ({"source": "x"}, 1),
            ({"test_sets": {"public": archive(sha256="x")}}, 1),
            ({"test_sets": {"other": archive()}}, 1),
        ],
    )
    def test_it_finds_what_an_editor_should_mark(self, changes: dict[str, Any], n_errors: int) -> None:
        """A validator of JSON Schema sees the same in single fields and in those that need each other."""
        jsonschema = pytest.importorskip("jsonschema")
        schema = json_schema()
        jsonschema.Draft202012Validator.check_schema(schema)
        errors = list(jsonschema.Draft202012Validator(schema).iter_errors(json.loads(json.dumps(fields(**changes)))))
        assert len(errors) == n_errors, errors
