"""What the documents tell people to type and to look at exists."""

from __future__ import annotations

import re
import shlex
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest

from ctspine_bench.cli import _group

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
DOCUMENTS = [README, ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md")), ROOT / "benchmarks" / "README.md"]
FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


def prose(document: Path) -> str:
    """A document without its blocks of code."""
    return FENCE.sub("", document.read_text(encoding="utf-8"))


def spans(text: str) -> list[str]:
    """What stands between backticks; a span may go on in the next line."""
    return [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", text)]


def command_lines(document: Path) -> Iterator[str]:
    """Every `ctspine-bench …` of a document: lines of its blocks of code, and spans in its prose."""
    for block in FENCE.findall(document.read_text(encoding="utf-8")):
        lines = block.replace("\\\n", " ").splitlines()
        yield from (line for line in map(str.strip, lines) if line.startswith("ctspine-bench "))
    yield from (span for span in spans(prose(document)) if span.startswith("ctspine-bench "))


def check(arguments: list[str]) -> None:
    """Parse arguments as the command line does, without running anything.

    Raises:
        click.UsageError: No such command, no such option, or a value that the option does not take.
    """
    words = [word for word in arguments if word != "…"]
    # A command may be named without its arguments, and with the "…" of a sentence; --help and --version exit.
    with suppress(click.MissingParameter, click.exceptions.Exit, click.exceptions.NoArgsIsHelpError):
        check_words(_group, words)


def check_words(command: click.Command, words: list[str]) -> None:
    """Parse the words after the name of a command, or of a group of commands."""
    if isinstance(command, click.Group) and words and not words[0].startswith("-"):
        name, found, rest = command.resolve_command(click.Context(command), words)
        assert name
        assert found
        check_words(found, rest)
    else:
        command.make_context("ctspine-bench", words)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_command_line_can_be_parsed(document: Path) -> None:
    """Each documented call names a command that exists, with options that exist and values that they take."""
    for line in command_lines(document):
        try:
            check(shlex.split(line, comments=True)[1:])
        except click.UsageError as error:
            pytest.fail(f"{line}: {error.format_message()}")


def test_wrong_command_lines_are_noticed() -> None:
    """The check above would notice an unknown command, option and value."""
    for line in (
        "no-such-command",
        "--no-such-option",
        "score a b --no-such-option",
        "score a b --format pdf",
        "score a b --test-set",
        "submission no-such-command",
        "submission check-pr --no-such-option",
    ):
        with pytest.raises(click.UsageError):
            check(line.split())
    assert "ctspine-bench check-references REFERENCES" in list(command_lines(README))


def known_options() -> set[str]:
    """All options of all commands."""
    context = click.Context(_group)
    commands = [_group.get_command(context, name) for name in _group.list_commands(context)]
    return {
        option
        for command in [_group, *filter(None, commands)]
        for parameter in command.get_params(context)
        for option in parameter.opts
    }


def test_every_option_that_the_readme_names_exists() -> None:
    """Each `--option` in the README's text is an option of some command."""
    named = {option for span in spans(prose(README)) for option in re.findall(r"(?<!\S)--[a-z0-9-]+", span)}
    assert named
    assert named - known_options() == set()


def test_every_row_of_the_readme_table_can_be_said() -> None:
    """Each `--option value` in the README's table of situations is accepted by `score`."""
    rows = [line for line in prose(README).splitlines() if line.startswith("|")]
    said = [span for row in rows for span in spans(row) if span.startswith("--")]
    assert said
    for span in said:
        check(["score", "PREDICTIONS", "REFERENCES", *shlex.split(span)])


def anchors(document: Path) -> set[str]:
    """The anchors of a document's headings, as they are made on the web."""
    headings = re.findall(r"^#+ (.+)$", prose(document), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(document: Path) -> None:
    """Each relative link and image is a file of the repository, and each anchor a heading."""
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(document)):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        path = document.parent / name if name else document
        if not path.exists() or (anchor and anchor not in anchors(path)):
            broken.append(target)
    assert broken == []
