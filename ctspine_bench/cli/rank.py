"""`ctspine-bench rank`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ctspine_bench.cli import BAD_INPUT, show_error
from ctspine_bench.errors import UsageError
from ctspine_bench.testsets import OFFICIAL, PHANTOM

if TYPE_CHECKING:
    from ctspine_bench.board import Board

_PATH = click.Path(path_type=Path)
_SCHEMES = ("mean-then-rank", "rank-then-mean", "significance")
METRICS = ("dsc", "hd95_mm", "nsd_1mm", "nsd_2mm", "nsd_3mm")
REGIONS = ("all", "cervical", "thoracic", "lumbar")


@click.command()
@click.argument("folders", nargs=-1, metavar="[SUBMISSIONS | [NAME=]RESULTS…]")
@click.option(
    "--test-set", type=click.Choice((*OFFICIAL, *PHANTOM)), help="This one alone.  [default: all with results]"
)
@click.option("--scheme", type=click.Choice(_SCHEMES), default=_SCHEMES[0], show_default=True, help="How to rank.")
@click.option("--metric", type=click.Choice(METRICS), default=METRICS[0], show_default=True, help="What to rank by.")
@click.option("--region", type=click.Choice(REGIONS), default=REGIONS[0], show_default=True, help="Which vertebrae.")
@click.option("--drop-errata", is_flag=True, help="Leave out cases whose references are known to be wrong.")
@click.option("--private-store", type=_PATH, metavar="DIR", help="Organizers: also rank on the private test sets.")
@click.option("--private-standings", type=_PATH, metavar="FILE", help="Take those from an earlier standings.json.")
@click.option(
    "--output", type=_PATH, metavar="FILE", help="Write standings.json: every scheme and region, fit to publish."
)
def command(
    folders: tuple[str, ...],
    *,
    test_set: str | None,
    scheme: str,
    metric: str,
    region: str,
    drop_errata: bool,
    private_store: Path | None,
    private_standings: Path | None,
    output: Path | None,
) -> int:
    """Show where the SUBMISSIONS of a folder (by default `submissions`) stand on each test set, and how sure that is.

    Exits with 1 when a record cannot be read; the others are ranked all the same.

    Or rank your own RESULTS, as `ctspine-bench score --output` has written them: several folders, each with its
    results.json. One folder is one of submissions.
    """
    from rich.console import Console
    from rich.text import Text

    from ctspine_bench.board.document import write_standings
    from ctspine_bench.report.stability import CONFIRMATORY
    from ctspine_bench.report.terminal_standings import render_standings

    if len(folders) > 1 or _is_one_result(folders):
        if private_store or private_standings or output:
            raise UsageError("--private-store, --private-standings and --output are for a folder of submissions")
        _rank_own(folders, test_set, scheme, metric, region, keep_errata=not drop_errata)
        return 0
    submissions = Path(*folders) if folders else Path("submissions")
    board = _board(submissions, private_store, private_standings)
    console = Console(highlight=False)
    sets = [test_set] if test_set else [each.name for each in board.test_sets]
    for name in sets if board.entries else []:
        width = console.width
        console.print(render_standings(board, name, scheme, metric, region, keep_errata=not drop_errata, width=width))
    if board.entries:
        console.print(Text(CONFIRMATORY, "dim"))
    else:
        click.echo(f"There is no submission in {submissions} yet.")
    if output:
        write_standings(board, output)
        click.echo(f"standings  {output}", err=True)
    problems = [entry.problem for entry in board.entries if entry.problem]
    if problems:
        click.echo(f"Left out, because they cannot be read: {len(problems)}\n", err=True)
    for problem in problems:
        show_error(problem)
    return BAD_INPUT if problems else 0


def _is_one_result(folders: tuple[str, ...]) -> bool:
    from ctspine_bench.own_runs.naming import split_name
    from ctspine_bench.own_runs.reading import is_results

    return len(folders) == 1 and any(is_results(folder) for folder in split_name(folders[0])[1])


def _rank_own(
    folders: tuple[str, ...], test_set: str | None, scheme: str, metric: str, region: str, *, keep_errata: bool
) -> None:
    """Show where results stand.

    Raises:
        UsageError: There are fewer than two, names repeat, or one has several runs.
        InputError: A folder cannot be read, or cannot be compared with the others.
    """
    from rich.console import Console

    from ctspine_bench.cli.compare import read_methods
    from ctspine_bench.own_runs.ranking import own_standings
    from ctspine_bench.report.stability import PLANNED
    from ctspine_bench.report.terminal_standings import render_own_standings

    methods = read_methods(folders, test_set)
    own = own_standings(methods, scheme, metric, region, keep_errata=keep_errata)
    console = Console(highlight=False)
    console.print(render_own_standings(own, console.width))
    console.print(PLANNED, style="dim", markup=False)


def _board(submissions: Path, private_store: Path | None, private_standings: Path | None) -> Board:
    """Return the board with what the organizers tell.

    Raises:
        UsageError: There is no such folder, or the private standings are to come from two places.
        FileError: `E_STANDINGS`, the file cannot be used; `E_OUTPUT`, the store cannot.
        SubmissionError: `E_RECORD`, scores in the store cannot be read.
    """
    from ctspine_bench.board import Board

    if private_store and private_standings:
        raise UsageError("--private-store makes the private standings and --private-standings reads them; give one")
    if not submissions.is_dir():
        raise UsageError(f"expected a folder of submissions, found none called {submissions}")
    board = Board(submissions, private_standings)
    if board.private_problem:
        raise board.private_problem
    if private_store:
        from ctspine_bench.board.private import private_standings as of_store
        from ctspine_bench.cli.submission import open_store

        return board.with_private(of_store(board, open_store(private_store)))
    return board
