"""`ctspine-bench submission new`."""

from __future__ import annotations

import shlex
import sys
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import click

from ctspine_bench.cli import BAD_INPUT, show_error
from ctspine_bench.errors import FileError, UsageError
from ctspine_bench.files import sha256_of
from ctspine_bench.testsets import OFFICIAL, PHANTOM

if TYPE_CHECKING:
    from ctspine_bench.submissions.declaration import Declaration

    _Archive = tuple[str, Path, str]

_DATE = click.DateTime(["%Y-%m-%d"])
_PATH = click.Path(path_type=Path)

# Field → what to ask for, and the flag that gives it. All of these are needed.
_QUESTIONS: Final = {
    "name": "Name of the method",
    "team": "Team",
    "contact": "Contact, an e-mail or https address (it is public)",
    "owners": "GitHub accounts that may change the submission (separated by commas)",
    "description": "Description in a few sentences",
    "licence": "Licence of the predictions, such as CC-BY-4.0",
    "data": "Training data (separated by semicolons)",
}
_DECISIONS: Final = {
    "uses_verse": "Has any part of the method learned from VerSe?",
    "uses_test_cases": "Has any part of it learned from test cases, or was it chosen by their results?",
}
_SEPARATORS: Final = {"owners": ",", "data": ";"}
_FLAGS: Final = {
    **{field: f"--{field}" for field in _QUESTIONS},
    "owners": "--owner",
    "data": "--training-data",
    "uses_verse": "--uses-verse or --no-uses-verse",
    "uses_test_cases": "--uses-test-cases or --no-uses-test-cases",
    "archives": "--archive",
    "coverage_reason": "--archive for the other test sets or --coverage-reason",
}


@click.command()
@click.argument("slug")
@click.option("--folder", type=_PATH, default="submissions", show_default=True, help="Folder of all submissions.")
@click.option("--name", help="Name of the method, as the leaderboard shows it.")
@click.option("--team", help="Who submits, as the leaderboard shows it.")
@click.option("--contact", help="E-mail or https address for questions; it is public.")
@click.option(
    "--owner", "owners", multiple=True, metavar="LOGIN", help="GitHub account that may change it later.  [repeatable]"
)
@click.option("--date", type=_DATE, metavar="YYYY-MM-DD", help="Date of the submission.  [default: today]")
@click.option("--description", help="How the method works, in a few sentences of plain text.")
@click.option("--paper", metavar="URL", help="Address of a paper.")
@click.option("--code", metavar="URL", help="Address of the code.")
@click.option("--licence", help="Licence of the predictions, such as CC-BY-4.0.")
@click.option(
    "--training-data", "data", multiple=True, metavar="TEXT", help="Data that it has learned from.  [repeatable]"
)
@click.option("--uses-verse/--no-uses-verse", default=None, help="Whether it has learned from VerSe.")
@click.option("--uses-test-cases/--no-uses-test-cases", default=None, help="Whether it has learned from test cases.")
@click.option("--training-comment", "comment", help="What else to know about the training.")
@click.option("--coverage-reason", help="Why a test set, or part of one, is left out: makes the coverage partial.")
@click.option(
    "--archive",
    "archives",
    nargs=3,
    type=(click.Choice([*OFFICIAL, *PHANTOM]), _PATH, str),
    multiple=True,
    metavar="TEST_SET FILE URL",
    help="Test set, its archive as `pack` has written it, and where that will be found.  [repeatable]",
)
def command(slug: str, *, folder: Path, archives: tuple[tuple[str, Path, str], ...], **values: Any) -> int:
    """Write the folder of a submission, called SLUG: small letters, digits and hyphens.

    On a terminal it asks for what is not given. Digest and size of the archives are taken from the files.
    """
    from ctspine_bench.submissions.folder import check_slug
    from ctspine_bench.submissions.reading import DECLARATION, check_fields
    from ctspine_bench.submissions.writing import write_submission

    check_slug(slug)
    if (folder / slug).exists():
        raise UsageError(f"expected the name of a new submission, found the folder {folder / slug}; edit what is in it")
    if sys.stdin.isatty():
        archives = _ask(values, archives)
    elif missing := _missing(values, archives):
        flags = ", ".join(_FLAGS[field] for field in missing)
        raise UsageError(f"missing: {flags}; give them, or call this on a terminal to be asked")
    declaration, problems = check_fields(_fields(values, archives), DECLARATION)
    for problem in problems:
        show_error(problem)
    if declaration is None:
        return BAD_INPUT
    _tell_what_next(write_submission(declaration, folder / slug), declaration, archives)
    return 0


def _missing(values: dict[str, Any], archives: tuple[_Archive, ...]) -> list[str]:
    """Return the needed fields that have no value yet."""
    missing = [field for field in (*_QUESTIONS, *_DECISIONS) if values[field] is None or values[field] == ()]
    if not archives:
        missing.append("archives")
    elif len(archives) < len(OFFICIAL) and not values["coverage_reason"]:
        missing.append("coverage_reason")
    return missing


def _ask(values: dict[str, Any], archives: tuple[_Archive, ...]) -> tuple[_Archive, ...]:
    """Ask for the needed fields that have no value yet, and fill them in; return the archives."""
    for field in _missing(values, archives):
        if field in _QUESTIONS:
            values[field] = _prompt(field, _QUESTIONS[field])
        elif field in _DECISIONS:
            values[field] = click.confirm(_DECISIONS[field], default=None)
        elif field == "archives":
            archives = _ask_for_archives()
    if "coverage_reason" in _missing(values, archives):
        values["coverage_reason"] = _prompt("coverage_reason", "Why not all three test sets?")
    return archives


def _prompt(field: str, question: str) -> Any:
    """Ask until the answer is a valid value of a field."""
    separator = _SEPARATORS.get(field)

    def parse(answer: str) -> Any:
        value = [part.strip() for part in answer.split(separator) if part.strip()] if separator else answer.strip()
        fields, place = ({"training": {"data": value}}, "training.data") if field == "data" else ({field: value}, field)
        _check_answer(fields, place)
        return value

    return click.prompt(click.style(question, bold=True), value_proc=parse)


def _check_answer(fields: dict[str, Any], place: str) -> None:
    """Refuse the value of one field; that all others are missing is no matter yet."""
    from ctspine_bench.submissions.reading import check_fields

    for problem in check_fields(fields, "")[1]:
        if f"{problem.path}.".startswith(f": {place}."):
            raise click.UsageError(f"expected {problem.expected}; found {problem.found}")


def _ask_for_archives() -> tuple[_Archive, ...]:
    click.echo("For each test set: its archive on this machine, and the address where it can be downloaded.")
    archives = []
    for name in OFFICIAL:
        question = click.style(f"Archive for {name} (empty for none)", bold=True)
        file = click.prompt(question, default="", show_default=False, value_proc=_existing_file)
        if file:
            question = click.style(f"Address of {file.name}", bold=True)
            archives.append((name, file, click.prompt(question, value_proc=partial(_address, name, file))))
    if not archives:
        raise UsageError("a submission has at least one archive; `ctspine-bench submission pack` makes it")
    return tuple(archives)


def _existing_file(answer: str) -> Path | None:
    path = Path(answer.strip()).expanduser()
    if answer.strip() and not path.is_file():
        raise click.UsageError(f"expected a file; found none at {path}")
    return path if answer.strip() else None


def _address(test_set: str, file: Path, answer: str) -> str:
    url = answer.strip()
    _check_answer({"test_sets": {test_set: {"url": url}}}, f"test_sets.{test_set}.url")
    try:
        _check_name(file, url)
    except UsageError as error:
        raise click.UsageError(str(error)) from None
    return url


def _check_name(file: Path, url: str) -> None:
    last = urlsplit(url).path.rpartition("/")[2]
    if last != file.name:
        raise UsageError(f"expected the address of {file.name} to end with that name, found {last or url}")


def _fields(values: dict[str, Any], archives: tuple[_Archive, ...]) -> dict[str, Any]:
    """Return the fields of submission.yaml."""
    training = {field: values.pop(field) for field in ("data", "uses_verse", "uses_test_cases", "comment")}
    date = values.pop("date")
    return {
        "schema_version": 1,
        "kind": "scored",
        **values,
        "date": date.date() if date else datetime.now().astimezone().date(),
        "training": training,
        "coverage": "partial" if values["coverage_reason"] else "complete",
        "test_sets": _test_sets(archives),
    }


def _test_sets(archives: tuple[_Archive, ...]) -> dict[str, dict[str, object]]:
    test_sets: dict[str, dict[str, object]] = {}
    for name, file, url in archives:
        if name in test_sets:
            raise UsageError(f"expected one archive for each test set, found two for {name}")
        _check_name(file, url)
        try:
            sha256, size = sha256_of(file), file.stat().st_size
        except OSError as error:
            found = error.strerror or type(error).__name__
            advice = "Give the archive that `ctspine-bench submission pack` has written."
            raise FileError("E_NOT_FOUND", file, expected="an archive", found=found, advice=advice) from None
        test_sets[name] = {"url": url, "sha256": sha256, "size": size}
    return test_sets


def _tell_what_next(file: Path, declaration: Declaration, archives: tuple[_Archive, ...]) -> None:
    folder = shlex.quote(str(file.parent))
    local = shlex.quote(str(archives[0][1].parent))
    click.echo(f"{click.style('Written:', fg='green', bold=True)} {file}\n\nWhat next:")
    click.echo("  1. Look it over in an editor; paper, code and a comment on the training can be added.")
    click.echo("  2. Upload the archives, if that is not done:")
    for archive in declaration.test_sets.values():
        click.echo(f"       {archive.url}")
    click.echo("  3. Check it as the organizers will:")
    click.echo(f"       ctspine-bench submission validate {folder} --archives {local}")
    click.echo("  4. Open a pull request with this one file:")
    click.echo(f"       git switch --create {file.parent.name}")
    click.echo(f"       git add {shlex.quote(str(file))}")
    click.echo(f"       git commit --message 'Submit {file.parent.name}'")
    click.echo(f"       git push --set-upstream origin {file.parent.name}")
