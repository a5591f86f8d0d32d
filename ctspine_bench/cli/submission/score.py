"""`ctspine-bench submission score`."""

from __future__ import annotations

import hashlib
import shutil
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from ctspine_bench.cli import BAD_INPUT
from ctspine_bench.cli.submission import open_store
from ctspine_bench.errors import ArchiveError, SubmissionError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.progress import TaskID
    from rich.table import Table

    from ctspine_bench.hosting.intake import Intake
    from ctspine_bench.hosting.scoring import ScoredRecord
    from ctspine_bench.hosting.store import PrivateStore
    from ctspine_bench.submissions.declaration import Declaration
    from ctspine_bench.testsets import TestSet

_PATH = click.Path(path_type=Path)
_COMMENT: Final = "comment.json"
_REFERENCE: Final = "nnunet-paper"
"""The record that others are compared with."""

_LEFT_BLOCK: Final = 13


@click.command()
@click.argument("folder", type=_PATH)
@click.option("--references", type=_PATH, required=True, metavar="DIR", help="Folder with the references.")
@click.option("--output", type=_PATH, required=True, metavar="DIR", help="Folder for what is to be published.")
@click.option("--private-store", type=_PATH, metavar="DIR", help="Folder for what is not, and for quotas.")
@click.option("--predictions", type=_PATH, metavar="DIR", help="What `submission fetch` wrote.  [default: fetch now]")
@click.option("--archives", type=_PATH, metavar="DIR", help="Take the archives from this folder, do not download.")
@click.option("--allow-host", multiple=True, metavar="HOST", help="Download from this host[:port] as well.")
@click.option("--board", type=_PATH, metavar="DIR", help="Folder of submissions to rank this one among.")
@click.option("--author", metavar="LOGIN", help="Account that sent it, to which it is charged.  [default: owners]")
@click.option("--commit", metavar="SHA", help="Commit that the submission was read from; stands in the record.")
@click.option("--allow-incomplete", is_flag=True, help="Exit with 0 although predictions are missing or refused.")
@click.option("--workers", type=click.IntRange(min=1), help="Cases done at a time.  [default: all cores]")
def command(
    folder: Path,
    *,
    references: Path,
    output: Path,
    private_store: Path | None,
    board: Path | None,
    author: str | None,
    commit: str | None,
    allow_incomplete: bool,
    workers: int | None,
    **options: Any,
) -> int:
    """Score the submission in FOLDER on all test sets that it declares.

    Writes results.json, cases.parquet and comment.json, which hold nothing about single cases of a private test set;
    those stay in the private store. Called again, it goes on where it was stopped. The exit code is 1 when predictions
    are missing or refused; the results are written all the same.
    """
    from ctspine_bench.hosting.comment import write_refusal
    from ctspine_bench.submissions.folder import check_slug
    from ctspine_bench.submissions.reading import DECLARATION, check_declaration, read_declared

    slug = folder.resolve().name
    check_slug(slug)
    content = read_declared(folder)
    declaration, problems = check_declaration(content, f"{slug}/{DECLARATION}")
    if declaration is None:
        raise problems[0]
    store = open_store(private_store) if private_store else None
    place = output.resolve()
    work = (store.work if store else place.with_name(f"{place.name}-predictions")) / slug
    try:
        with ThreadPoolExecutor(1) as beside:
            ready = beside.submit(_warm_up)
            intakes = _take_in(declaration, work, workers, **options)
        scored = _score(
            slug,
            declaration,
            intakes,
            references,
            ready=ready,
            declaration_sha256=hashlib.sha256(content).hexdigest(),
            store=store,
            output=output,
            workers=workers,
            commit=commit,
            author=author,
        )
    except (ArchiveError, SubmissionError) as error:
        write_refusal([error], output / _COMMENT, slug=slug, commit=commit)
        raise
    _write_comment(slug, declaration, scored, output, board, store)
    if store and options["predictions"] is None:
        shutil.rmtree(work, ignore_errors=True)
    _show(scored, output)
    complete = all(test_set["complete"] for test_set in scored.document["test_sets"].values())
    return 0 if complete or allow_incomplete else BAD_INPUT


def _warm_up() -> None:
    """Load the compiled kernels, while predictions are taken in by other processes."""
    from ctspine_bench.comparison import warm_up

    warm_up()


def _take_in(
    declaration: Declaration,
    work: Path,
    workers: int | None,
    *,
    predictions: Path | None,
    archives: Path | None,
    allow_host: tuple[str, ...],
) -> dict[str, Intake]:
    """Return the predictions, all of them: no reference is opened before."""
    from ctspine_bench.archives import ALLOWED_HOSTS
    from ctspine_bench.hosting.intake import fetch_submission, read_intake
    from ctspine_bench.report.progress import intake_progress
    from ctspine_bench.testsets import named

    if predictions is None:
        return fetch_submission(
            declaration,
            work,
            archives=archives,
            hosts=(*ALLOWED_HOSTS, *allow_host),
            workers=workers,
            progress=lambda name, archive: intake_progress(name, archive.size, named(name).expected_count),
        )
    intakes: dict[str, Intake] = {}
    for name in declaration.test_sets:
        intake = read_intake(predictions / name)
        if intake is None:
            raise UsageError(
                f"expected what `submission fetch` wrote in {predictions}, found none of {name} or not all"
            )
        intakes[name] = intake
    return intakes


def _score(
    slug: str,
    declaration: Declaration,
    intakes: Mapping[str, Intake],
    references: Path,
    *,
    ready: Future[None],
    **options: Any,
) -> ScoredRecord:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    from ctspine_bench.hosting.scoring import score_record

    # Counts alone: neither a name nor a time of a case.
    columns = (TextColumn("Scoring {task.description}"), BarColumn(bar_width=24), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        tasks: dict[str, TaskID] = {}

        def show(test_set: TestSet, done: int, total: int) -> None:
            if test_set.name not in tasks:
                tasks[test_set.name] = progress.add_task(test_set.name, total=total)
            progress.update(tasks[test_set.name], completed=done)

        ready.result()
        return score_record(slug, declaration, intakes=intakes, references=references, progress=show, **options)


def _write_comment(
    slug: str,
    declaration: Declaration,
    scored: ScoredRecord,
    output: Path,
    board: Path | None,
    store: PrivateStore | None,
) -> None:
    from ctspine_bench.hosting.comment import write_comment_data
    from ctspine_bench.hosting.standings import prospective_ranks
    from ctspine_bench.submissions.records import Record, find_records

    records = [record for record in find_records(board) if isinstance(record, Record)] if board else []
    ranks = prospective_ranks(slug, scored, records, store) if board else {}
    reference = next((record.results for record in records if record.slug == _REFERENCE), None)
    write_comment_data(scored.document, declaration, slug, output / _COMMENT, ranks, reference)


def _show(scored: ScoredRecord, output: Path) -> None:
    """Print what was written for the public, and nothing else."""
    from rich.console import Console

    console = Console(highlight=False)
    for name, results in scored.document["test_sets"].items():
        console.print(_table(name, results), "")
        for failure in results["failures"]:
            console.print(f"{failure['case_id']}: {failure['message']}", markup=False)
        if results.get("n_other_failures"):
            console.print(f"{results['n_other_failures']} other cases failed.")
    for name in scored.skipped:
        click.echo(f"Not scored, as its references are not here: {name}", err=True)
    if scored.repeated:
        click.echo("These predictions were scored before: the results are those of then.", err=True)
    click.echo(f"Written: {output}", err=True)


def _table(name: str, results: Mapping[str, Any]) -> Table:
    from rich.table import Table
    from rich.text import Text

    n_cases = results["n_cases"]
    incomplete = "" if results["complete"] else ", incomplete"
    table = Table(title=Text(f"{results['title']} ({name}): {n_cases} cases{incomplete}"), title_justify="left")
    if results["private"]:
        table.caption = Text("n: references with the label; how many predictions have it is not told.", "dim")
        table.caption_justify = "left"
    for column in ("Label", "n", "DSC", "HD95 mm") * 2:
        table.add_column(column, justify="left" if column == "Label" else "right")
    rows = [_row(label, means) for label, means in results["labels"].items()]
    for left, right in zip_longest(rows[:_LEFT_BLOCK], rows[_LEFT_BLOCK:], fillvalue=("",) * 4):
        table.add_row(*left, *right)
    table.add_section()
    table.add_row(
        *_row("Mean of Vertebrae", results["mean_of_vertebrae"]), *_row("Mean of Spine", results["mean_of_spine"])
    )
    table.add_row(*_row("… without L6", results["mean_of_vertebrae_without_l6"]), *("",) * 4)
    return table


def _row(name: str, means: Mapping[str, Any]) -> tuple[str, str, str, str]:
    from ctspine_bench.report.layout import DASH, dsc, mm

    n = means.get("n", means["n_reference"])
    return name, DASH if n is None else str(n), dsc(means["dsc"]), mm(means["hd95_mm"])
