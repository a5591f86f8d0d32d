"""`ctspine-bench submission validate`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

import click
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from ctspine_bench.cli import BAD_INPUT
from ctspine_bench.errors import CaseError, InputError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ctspine_bench.evaluate import SubmissionScore
    from ctspine_bench.hosting.intake import Intake
    from ctspine_bench.pairing import Plan
    from ctspine_bench.records import CaseResult
    from ctspine_bench.submissions.declaration import Declaration

_FOLDER = click.Path(path_type=Path)
_NO_REFERENCES: Final = frozenset({"E_MISSING_REFERENCE", "E_NOT_FOUND", "E_NO_CASES"})


@click.command()
@click.argument("folder", type=_FOLDER)
@click.option("--archives", type=_FOLDER, help="Folder with the archives: check, unpack and read them as well.")
@click.option("--references", type=_FOLDER, help="Folder of references: also score the test sets that are there.")
@click.option("--workers", type=click.IntRange(min=1), help="Cases read or scored at a time.  [default: all cores]")
def command(folder: Path, *, archives: Path | None, references: Path | None, workers: int | None) -> int:
    """Check the submission in FOLDER (submissions/<name>) as the organizers will, and list all problems.

    Nothing is uploaded or downloaded. With --archives, each archive is compared with the digest and size that are
    declared, unpacked into a temporary folder, and its label maps are read. With --references too, they are scored.
    """
    from ctspine_bench.cli.submission.folder_files import brought_files, kept_results
    from ctspine_bench.submissions.folder import check_files
    from ctspine_bench.submissions.reading import read_declared

    if archives and not archives.is_dir():
        raise UsageError(f"expected a folder with the archives, found no folder {archives}")
    if references and not archives:
        raise UsageError("--references needs --archives: the predictions to score are in there")
    folder = folder.resolve()
    errors = Console(stderr=True, highlight=False)
    read_declared(folder)  # without it there is nothing to say about the other files
    declaration, found = check_files(folder.name, brought_files(folder))
    for name in kept_results(folder):
        errors.print(_warning(f"leave {name} out of the pull request: the organizers' scorer writes it"))
    if declaration and declaration.kind != "scored":
        errors.print(_warning(f"{declaration.kind} results are not for pull requests, which are refused with them"))
    for host in _other_hosts(declaration):
        errors.print(_warning(f"the organizers do not fetch archives from {host} unless they add it to their list"))
    problems: list[InputError] = list(found)
    n_failed = 0
    if declaration and archives:
        with TemporaryDirectory(prefix="ctspine-bench-") as scratch:
            intakes = _take_in(declaration, archives, Path(scratch), workers, problems)
            if references:
                n_failed = _score(intakes, references, workers, errors)
    _show_problems(problems, errors)
    if problems or n_failed or declaration is None:
        count = len(problems) + n_failed
        errors.print(Text(f"{_counted(count, 'problem')} with {folder.name}.", "bold red"))
        return BAD_INPUT
    Console(highlight=False).print(_summary(folder.name, declaration, checked=archives is not None))
    return 0


def _other_hosts(declaration: Declaration | None) -> set[str]:
    """Return the hosts of archives that `fetch` would refuse."""
    from ctspine_bench.archives.addresses import ALLOWED_HOSTS, check_address

    others = set()
    for archive in declaration.test_sets.values() if declaration else ():
        try:
            check_address(archive.url, ALLOWED_HOSTS)
        except InputError as error:
            others.add(error.found)
    return others


def _take_in(
    declaration: Declaration, archives: Path, scratch: Path, workers: int | None, problems: list[InputError]
) -> Mapping[str, Intake]:
    """Read the predictions of all test sets; what is wrong with them is added to the problems."""
    from ctspine_bench.hosting.intake import fetch_test_set
    from ctspine_bench.report.progress import intake_progress
    from ctspine_bench.testsets import named

    intakes: dict[str, Intake] = {}
    for name, archive in declaration.test_sets.items():
        with intake_progress(name, archive.size, named(name).expected_count) as progress:
            try:
                intake = fetch_test_set(archive, name, scratch, archives=archives, workers=workers, progress=progress)
            except InputError as error:
                problems.append(error)
                continue
        intakes[name] = intake
        problems += [*intake.refused.values(), *_missing_cases(intake, declaration.coverage)]
    return intakes


def _missing_cases(intake: Intake, coverage: str) -> list[CaseError]:
    """Return what is missing of a test set whose cases are known, unless the coverage is partial."""
    from ctspine_bench.testsets import named

    cases = named(intake.test_set).cases or ()
    missing = sorted(set(cases) - intake.cases.keys() - intake.refused.keys())
    if not missing or coverage == "partial":
        return []
    some = ", ".join(missing[:5]) + (", …" if len(missing) > 5 else "")
    return [
        CaseError(
            "E_MISSING_CASE",
            intake.archive.file_name,
            expected=f"predictions for all {len(cases)} cases of the test set {intake.test_set}",
            found=f"none for {_counted(len(missing), 'case')}: {some}",
            advice="Add them, or declare partial coverage with a reason.",
        )
    ]


def _score(intakes: Mapping[str, Intake], references: Path, workers: int | None, errors: Console) -> int:
    """Score the test sets whose references are there, print the tables, and return how many cases failed."""
    from ctspine_bench.hosting.references import plan_references
    from ctspine_bench.report import terminal
    from ctspine_bench.testsets import named

    n_failed = 0
    for name, intake in intakes.items():
        try:
            plan = plan_references(named(name), intake.case_files(), references)
        except InputError as error:
            if error.code not in _NO_REFERENCES:
                raise
            errors.print(_warning(f"{name} is not scored: expected {error.expected}, found {error.found}"))
            continue
        score = _in_words_of(intake, _score_plan(plan, workers))
        Console().print(terminal.render(score))
        # Refused cases are in the list of problems already.
        n_failed += sum(result.case_id not in intake.refused for result in score.failures)
    return n_failed


def _in_words_of(intake: Intake, score: SubmissionScore) -> SubmissionScore:
    """Return the scores with failures that name files as they are called in the archive."""

    def told(result: CaseResult) -> CaseResult:
        if not result.failure:
            return result
        here, there = f"{intake.folder}/", f"{intake.archive.file_name}: "
        return replace(result, failure=replace(result.failure, message=result.failure.message.replace(here, there)))

    return replace(score, results=tuple(map(told, score.results)))


def _score_plan(plan: Plan, workers: int | None) -> SubmissionScore:
    from ctspine_bench.comparison import warm_up
    from ctspine_bench.evaluate import score_plan
    from ctspine_bench.provenance import Settings
    from ctspine_bench.report.progress import case_progress

    with case_progress(f"Scoring {plan.test_set.name}", len(plan.pairs)) as progress:
        progress.say("preparing (compiles for some seconds on first use)")
        warm_up()
        return score_plan(plan, Settings(), workers=workers, on_case=lambda result: progress.advance(result.case_id))


def _show_problems(problems: Iterable[InputError], errors: Console) -> None:
    """Print problems with the same words as `check-pr`."""
    for problem in problems:
        errors.print(Text.assemble(("✗ ", "bold red"), (problem.code, "bold"), f"  {problem.path or ''}"))
        table = Table.grid(padding=(0, 2, 0, 0))
        for heading, text in (("expected", problem.expected), ("found", problem.found), ("to do", problem.advice)):
            table.add_row("  " + heading, Text(text, overflow="fold"))
        errors.print(table)


def _summary(slug: str, declaration: Declaration, *, checked: bool) -> Group:
    """Return what is declared, one line each."""
    training = declaration.training
    table = Table.grid(padding=(0, 2, 0, 0))
    rows: list[tuple[str, str | Text]] = [
        ("Name", declaration.name),
        ("Team", f"{declaration.team} ({declaration.contact})"),
        ("Owners", ", ".join(declaration.owners) or "the organizers"),
        ("Licence", declaration.licence),
        ("Trained on", "; ".join(training.data)),
        ("", f"VerSe: {_yes_or_no(training.uses_verse)}; test cases: {_yes_or_no(training.uses_test_cases)}"),
        ("Coverage", " – ".join(filter(None, (declaration.coverage, declaration.coverage_reason)))),
    ]
    state = "as declared, and all label maps can be read" if checked else "not looked at; --archives checks them"
    if declaration.test_sets:
        rows.append(("Archives", Text(state, "green" if checked else "yellow")))
    for name, archive in declaration.test_sets.items():
        rows.append(("", f"{name}: {archive.file_name}, {archive.size:,} bytes, {archive.sha256[:12]}…"))
    for heading, text in rows:
        table.add_row(Text(f"  {heading}", "bold"), text if isinstance(text, Text) else Text(text))
    return Group(Text(f"✓ {slug} is a valid submission.", "bold green"), table)


def _warning(text: str) -> Text:
    return Text.assemble(("! ", "bold yellow"), (f"{text}.", "yellow"))


def _yes_or_no(flag: bool) -> str:
    return "yes" if flag else "no"


def _counted(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"
