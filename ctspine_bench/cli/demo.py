"""`ctspine-bench demo`."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from ctspine_bench.cli import check_phantom_folder
from ctspine_bench.cli.leaderboard import HOW_TO_INSTALL, first_free_port, is_installed, serve
from ctspine_bench.testsets import phantom

if TYPE_CHECKING:
    from rich.table import Table

    from ctspine_bench.evaluate import SubmissionScore
    from ctspine_bench.hosting.store import PrivateStore
    from ctspine_bench.pairing import Plan

_SUBMISSIONS: Final = (
    "boundary-noise-mild",
    "boundary-noise",
    "boundary-noise-strong",
    "erosion",
    "shift-from-level",
    "missed-l6",
    "missed-partial",
    "merged-neighbours",
    "stray-islands",
    "pure-noise",
)
_CASES_PER_SOURCE: Final = 5
_VERSE_CASES: Final = 6
_STANDINGS: Final = "standings.json"
_SHOWN: Final = "shift-from-level"
"""The submission whose table and report are shown: it makes the mistake that the benchmark is about."""


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default=Path("demo"))
@click.option("--workers", type=click.IntRange(min=1), help="Cases done at a time.  [default: all cores]")
def command(folder: Path, *, workers: int | None) -> int:
    """Make a small phantom benchmark in FOLDER, score submissions on it and show the tables.

    Most submissions are simulated, each with one kind of error; two are of a network that was trained on phantoms.

    On a terminal it ends with the leaderboard open on them, until Ctrl-C is pressed; elsewhere it says how to open it.
    """
    from rich.console import Console

    from ctspine_bench.hosting.local_record import write_local_record
    from ctspine_bench.hosting.simulated import write_simulated_record
    from ctspine_bench.hosting.store import PrivateStore
    from ctspine_bench.phantom.benchmark import TEST_SETS
    from ctspine_bench.phantom.submissions import described
    from ctspine_bench.phantom.trained import TRAINED, trained_record
    from ctspine_bench.report import terminal
    from ctspine_bench.report.html import write_report

    check_phantom_folder(folder)
    _make_phantom(folder, workers)
    plans = {name: [_plan(folder, name, test_set) for test_set in TEST_SETS] for name in (*_SUBMISSIONS, *TRAINED)}
    scores = _score_all(plans, workers)
    store = PrivateStore(folder / "private-store")
    for name in _SUBMISSIONS:
        write_simulated_record(folder / "submissions" / name, described(name), scores[name], store)
    for name in TRAINED:
        trained = trained_record(name)
        training = (trained.results or {})["training"]
        write_local_record(folder / "submissions" / name, trained.declaration, scores[name], store, training)
    report = folder / "report.html"
    write_report(scores[_SHOWN][0], report, plans[_SHOWN][0])
    _write_standings(folder, store)
    console = Console()
    console.print(f"\nThe submission [bold]{_SHOWN}[/bold] on the public phantom test set:\n")
    console.print(terminal.render(scores[_SHOWN][0]))
    console.print(_comparison(scores))
    for what, path in (
        ("phantom benchmark", folder / "benchmark"),
        ("predictions", folder / "predictions"),
        ("submissions", folder / "submissions"),
        ("rows of private cases", store.folder),
        ("standings", folder / _STANDINGS),
        ("report to look at", report),
    ):
        click.echo(f"{what:22} {path}")
    return _show_leaderboard(folder)


def _make_phantom(folder: Path, workers: int | None) -> None:
    from ctspine_bench.phantom import make_benchmark, simulate_submission
    from ctspine_bench.phantom.benchmark import plan
    from ctspine_bench.phantom.trained import TRAINED, copy_predictions
    from ctspine_bench.report.progress import case_progress

    n_cases = len(plan(_CASES_PER_SOURCE, _VERSE_CASES))
    with case_progress("Making the phantom", n_cases * (1 + len(_SUBMISSIONS))) as progress:
        make_benchmark(
            folder / "benchmark",
            cases_per_source=_CASES_PER_SOURCE,
            verse_cases=_VERSE_CASES,
            workers=workers,
            progress=progress.advance,
        )
        for name in _SUBMISSIONS:
            simulate_submission(
                folder / "benchmark", folder / "predictions" / name, name, workers=workers, progress=progress.advance
            )
        for name in TRAINED:
            copy_predictions(name, folder / "benchmark", folder / "predictions" / name)


def _plan(folder: Path, name: str, test_set: str) -> Plan:
    from ctspine_bench.pairing import plan_submission

    predictions = folder / "predictions" / name / test_set
    return plan_submission(predictions, folder / "benchmark" / test_set / "labels", phantom(f"phantom-{test_set}"))


def _score_all(plans: dict[str, list[Plan]], workers: int | None) -> dict[str, list[SubmissionScore]]:
    from ctspine_bench.comparison import warm_up
    from ctspine_bench.evaluate import score_plan
    from ctspine_bench.provenance import Settings
    from ctspine_bench.report.progress import case_progress

    n_cases = sum(len(plan.pairs) for submission in plans.values() for plan in submission)
    with case_progress("Scoring", n_cases) as progress:
        progress.say("preparing (compiles for some seconds on first use)")
        warm_up()
        return {
            name: [
                score_plan(plan, Settings(), workers=workers, on_case=lambda result: progress.advance(result.case_id))
                for plan in submission
            ]
            for name, submission in plans.items()
        }


def _write_standings(folder: Path, store: PrivateStore) -> None:
    """Write standings.json, as organizers do: with what may be told of the private cases in the store."""
    from ctspine_bench.board import Board
    from ctspine_bench.board.document import standings_document
    from ctspine_bench.board.private import private_standings
    from ctspine_bench.files import replacing

    click.echo("Working out the standings, for some seconds", err=True)
    board = Board(folder / "submissions")
    document = standings_document(board.with_private(private_standings(board, store)))
    with replacing(folder / _STANDINGS) as temporary:
        temporary.write_text(json.dumps(document, indent=1), encoding="utf-8")


def _show_leaderboard(folder: Path) -> int:
    """Serve the leaderboard on what was made; without a terminal or its packages, say how."""
    shown = {
        "submissions": folder / "submissions",
        "private_standings": folder / _STANDINGS,
        "references": folder / "benchmark",
        "predictions": folder / "predictions",
    }
    if sys.stdout.isatty() and is_installed():
        click.echo()
        return serve(shown, port=first_free_port())
    options = [text for name, path in shown.items() for text in (f"--{name.replace('_', '-')}", str(path))]
    click.echo(f"\nTo open the leaderboard on them:\n  {shlex.join(['ctspine-bench', 'leaderboard', *options])}")
    if not is_installed():
        click.echo(f"It needs more packages: {HOW_TO_INSTALL}")
    return 0


def _comparison(scores: dict[str, list[SubmissionScore]]) -> Table:
    """Return Mean of Vertebrae of every submission on every test set."""
    from rich.table import Table

    table = Table(title="Mean of Vertebrae, DSC / HD95 in mm", title_justify="left")
    table.add_column("submission", overflow="fold")
    for score in next(iter(scores.values())):
        table.add_column(f"{score.test_set.name} ({len(score.results)})", justify="right")
    for name, submission in scores.items():
        means = [score.summary.official.mean_of_vertebrae for score in submission if score.summary]
        table.add_row(name, *(f"{mean.dsc:.3f} / {mean.hd95_mm:6.2f}" for mean in means))
    return table
