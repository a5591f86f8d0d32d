"""`Declaration` → the text of `submission.yaml`, for people to read and go on writing."""

from __future__ import annotations

import errno
import json
import os
import shutil
import textwrap
from typing import TYPE_CHECKING, Final

from ctspine_bench.errors import SubmissionError
from ctspine_bench.files import replacing
from ctspine_bench.submissions.folder import check_slug
from ctspine_bench.submissions.reading import DECLARATION, MAX_BYTES
from ctspine_bench.yaml_files import parse_yaml

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from ctspine_bench.submissions.declaration import Declaration

_WIDTH: Final = 100
# Editors with a YAML language server check the file while it is written.
_HEAD: Final = "# yaml-language-server: $schema=../submission.schema.json"

_Value = str | int | bool | tuple[str, ...]


def write_declaration(declaration: Declaration) -> str:
    """Return the text of `submission.yaml`: reading it gives the same declaration."""
    return "\n\n".join("\n".join(section) for section in _sections(declaration)) + "\n"


def _sections(declaration: Declaration) -> Iterator[list[str]]:
    training = declaration.training
    yield [_HEAD, *_fields(schema_version=declaration.schema_version, kind=declaration.kind)]
    yield [
        "# The method, as the leaderboard shows it.",
        *_fields(
            name=declaration.name,
            description=declaration.description,
            paper=declaration.paper,
            code=declaration.code,
            source=declaration.source,
            licence=declaration.licence,
        ),
        f"date: {declaration.date}",
    ]
    yield [
        "# Who submits, where questions go, and which GitHub accounts may change this file.",
        *_fields(team=declaration.team, contact=declaration.contact, owners=declaration.owners),
    ]
    yield [
        "# All that the method has learned from.",
        "training:",
        *_fields(
            "  ",
            data=training.data,
            uses_verse=training.uses_verse,
            uses_test_cases=training.uses_test_cases,
            comment=training.comment,
        ),
    ]
    yield [
        "# complete: all cases of all three test sets; partial needs a coverage_reason.",
        *_fields(coverage=declaration.coverage, coverage_reason=declaration.coverage_reason),
    ]
    if declaration.test_sets:
        yield [
            "# The archives of predictions, as `ctspine-bench submission pack` has made them.",
            *_archives(declaration),
        ]


def _archives(declaration: Declaration) -> Iterator[str]:
    yield "test_sets:"
    for name, archive in declaration.test_sets.items():
        yield f"  {name}:"
        yield from _fields("    ", url=archive.url, sha256=archive.sha256, size=archive.size)


def _fields(indent: str = "", **values: _Value | None) -> Iterator[str]:
    for name, value in values.items():
        if value is None:
            continue
        if isinstance(value, tuple):
            yield f"{indent}{name}:" if value else f"{indent}{name}: []"
            yield from (f"{indent}  - {_quoted_if_needed(item)}" for item in value)
        elif isinstance(value, str):
            yield _text_field(indent, name, value)
        else:
            yield f"{indent}{name}: {json.dumps(value)}"


def _text_field(indent: str, name: str, value: str) -> str:
    """Return a field of text in the most readable of the ways that read back as the same text."""
    short = f"{indent}{name}: {_quoted_if_needed(value)}"
    if "\n" not in value and len(short) <= _WIDTH:
        return short
    ways: tuple[Callable[[str], str], ...] = (_folded, _literal)
    for way in ways:
        block = textwrap.indent(f"{name}: {way(value)}", indent)
        if _reads_as(block, {name: value}):
            return block
    return f"{indent}{name}: {json.dumps(value, ensure_ascii=False)}"


def _folded(value: str) -> str:
    lines = textwrap.wrap(value, _WIDTH - 4, break_long_words=False, break_on_hyphens=False)
    return "\n".join([">-", *(f"  {line}" for line in lines)])


def _literal(value: str) -> str:
    return "\n".join(["|-", *(f"  {line}" if line else "" for line in value.split("\n"))])


def _quoted_if_needed(value: str) -> str:
    # A JSON string is a YAML string.
    return value if _reads_as(f"- {value}", [value]) else json.dumps(value, ensure_ascii=False)


def _reads_as(text: str, content: object) -> bool:
    try:
        return parse_yaml(text.encode(), max_bytes=MAX_BYTES) == content
    except ValueError:
        return False


def write_submission(declaration: Declaration, folder: Path) -> Path:
    """Write a new folder with `submission.yaml`: whole or not at all, and never over an older one.

    Args:
        declaration: What to write.
        folder: The folder of the submission, named by its slug; must not exist.

    Returns:
        The path of the file.

    Raises:
        SubmissionError: `E_SLUG`; `E_OUTPUT` if there is such a folder already, or it cannot be made.
    """
    check_slug(folder.name)
    temporary = folder.with_name(f".{folder.name}.{os.getpid()}.part")
    try:
        if os.path.lexists(folder):
            raise FileExistsError(errno.EEXIST, "something of this name is there already")
        with replacing(temporary / DECLARATION) as file:
            file.write_text(write_declaration(declaration), encoding="utf-8")
        temporary.rename(folder)
    except OSError as error:
        found = error.strerror or type(error).__name__
        advice = "Choose another name; an older submission is changed by editing its submission.yaml."
        raise SubmissionError("E_OUTPUT", folder, expected="a new folder", found=found, advice=advice) from None
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return folder / DECLARATION
