"""`ctspine-bench submission fetch`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ctspine_bench.cli import BAD_INPUT, show_error

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.table import Table

    from ctspine_bench.errors import InputError
    from ctspine_bench.hosting.intake import Intake
    from ctspine_bench.submissions.declaration import Declaration

_PATH = click.Path(path_type=Path)


@click.command()
@click.argument("folder", type=_PATH)
@click.option("--output", type=_PATH, required=True, help="Folder for the downloads and the predictions.")
@click.option(
    "--archives",
    type=_PATH,
    metavar="DIR",
    help="Take the archives from this folder instead; size and digest are checked all the same.",
)
@click.option("--allow-host", multiple=True, metavar="HOST", help="Download from this host[:port] as well.")
@click.option(
    "--workers", type=click.IntRange(min=1), help="Predictions read at a time.  [default: as cores and memory allow]"
)
@click.option("--comment", type=_PATH, metavar="FILE", help="Where to say why an archive cannot be used, as JSON.")
@click.option("--commit", metavar="SHA", help="The commit that --comment is about.")
def command(
    folder: Path,
    *,
    output: Path,
    archives: Path | None,
    allow_host: tuple[str, ...],
    workers: int | None,
    comment: Path | None,
    commit: str | None,
) -> int:
    """Download, unpack and check the predictions of the submission in FOLDER.

    Each is read by a confined process and written anew, to <output>/<test set>/<case>.nii.gz. What was fetched before
    is not fetched again. A refused prediction counts as missing when scored; the exit code is 1 only when a whole
    archive cannot be used.
    """
    from rich.console import Console

    from ctspine_bench.submissions.reading import read_declaration

    declaration = read_declaration(folder)
    intakes: dict[str, Intake] = {}
    failures: dict[str, InputError] = {}
    _fetch_all(declaration, output, archives, allow_host, workers, intakes, failures)
    for intake in intakes.values():
        for refusal in intake.refused.values():
            show_error(refusal)
    for failure in failures.values():
        show_error(failure)
    Console(highlight=False).print(_table(declaration, intakes, failures))
    if comment and failures:
        from ctspine_bench.hosting.comment import write_refusal

        write_refusal(list(failures.values()), comment, slug=folder.name, commit=commit)
    return BAD_INPUT if failures else 0


def _fetch_all(
    declaration: Declaration,
    output: Path,
    archives: Path | None,
    more_hosts: tuple[str, ...],
    workers: int | None,
    intakes: dict[str, Intake],
    failures: dict[str, InputError],
) -> None:
    """Try all test sets; each ends up in `intakes` or in `failures`."""
    from ctspine_bench.archives import ALLOWED_HOSTS
    from ctspine_bench.errors import InputError
    from ctspine_bench.hosting.intake import fetch_test_set
    from ctspine_bench.report.progress import intake_progress
    from ctspine_bench.testsets import named

    hosts = (*ALLOWED_HOSTS, *more_hosts)
    for name, archive in declaration.test_sets.items():
        with intake_progress(name, archive.size, named(name).expected_count) as progress:
            try:
                intakes[name] = fetch_test_set(
                    archive, name, output, archives=archives, hosts=hosts, workers=workers, progress=progress
                )
            except InputError as error:
                failures[name] = error


def _table(declaration: Declaration, intakes: Mapping[str, Intake], failures: Mapping[str, InputError]) -> Table:
    from rich.table import Table

    table = Table("test set", "archive", title=f"Predictions of {declaration.name}", title_justify="left")
    for count in ("read", "refused", "of other cases"):
        table.add_column(count, justify="right")
    for name, archive in declaration.test_sets.items():
        if name in failures:
            table.add_row(name, archive.file_name, failures[name].code, "", "")
        else:
            intake = intakes[name]
            counts = (len(intake.cases), len(intake.refused), intake.n_skipped)
            table.add_row(name, archive.file_name, *map(str, counts))
    return table
