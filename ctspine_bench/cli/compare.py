"""`ctspine-bench compare`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from ctspine_bench.cli import score
from ctspine_bench.cli.rank import METRICS, REGIONS
from ctspine_bench.errors import UsageError
from ctspine_bench.testsets import OFFICIAL, PHANTOM

if TYPE_CHECKING:
    from ctspine_bench.own_runs.methods import Methods
    from ctspine_bench.own_runs.outcome import OwnComparison
    from ctspine_bench.own_runs.reading import Run

_FORMATS = ("table", "latex", "markdown", "csv", "json")
_OF_SCORE: Final = ("label_map", "prediction_label_map", "reference_label_map", "resample", "workers")
"""Options of `score` that this command has too, for predictions."""


@click.command(no_args_is_help=True)
@click.argument("results", nargs=-1, required=True, metavar="[NAME=]RESULTS[,RESULTS…]…")
@click.option(
    "--references",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Folders without results.json are predictions: score them against these references first.",
)
@click.option(
    "--test-set",
    type=click.Choice((*OFFICIAL, *PHANTOM)),
    help="Which one, where results are on several; with --references, score exactly its cases.",
)
@click.option("--metric", type=click.Choice(METRICS), default=METRICS[0], show_default=True, help="Compare by this.")
@click.option("--region", type=click.Choice(REGIONS), default=REGIONS[0], show_default=True, help="Which vertebrae.")
@click.option(
    "--baseline",
    is_flag=True,
    help="Compare each with the first alone.  [default: all pairs; of more than 4, each with the best]",
)
@click.option("--per-label", is_flag=True, help="Also show the difference of each label.")
@click.option(
    "--format",
    "format_",
    type=click.Choice(_FORMATS),
    default=_FORMATS[0],
    show_default=True,
    help="What to print to standard output.",
)
def command(
    results: tuple[str, ...],
    *,
    references: Path | None,
    test_set: str | None,
    metric: str,
    region: str,
    baseline: bool,
    per_label: bool,
    format_: str,
    **options: Any,
) -> None:
    """Compare your own RESULTS, folders that `ctspine-bench score --output` has written.

    Differences come with 95 % intervals and tests, by the statistics of the leaderboard. All must be on the same cases
    and references.

    NAME=RESULTS gives one a name. NAME=RESULTS1,RESULTS2 are runs of one method on the same cases, which are averaged,
    or folds on other cases each, which are put together; both are shown with mean and standard deviation.
    """
    from ctspine_bench.own_runs.comparing import compare_methods

    if references is None and (given := [name for name in _OF_SCORE if options[name]]):
        raise UsageError(f"--{given[0].replace('_', '-')} is for predictions: give their --references")
    methods = read_methods(results, test_set, references, options)
    _show(compare_methods(methods, metric, region, baseline=baseline), format_, per_label=per_label)


command.params += [option for option in score.command.params if option.name in _OF_SCORE]


def read_methods(
    arguments: tuple[str, ...],
    test_set: str | None,
    references: Path | None = None,
    options: dict[str, Any] | None = None,
) -> Methods:
    """Return methods from `[NAME=]FOLDER[,FOLDER…]` each.

    Args:
        arguments: At least two folders in all.
        test_set: Which one, where results are on several.
        references: To score folders of predictions against; without, every folder holds results.
        options: How to score them.

    Raises:
        UsageError: There are fewer than two folders, or names or folders that repeat.
        InputError: A folder cannot be read, or cannot be compared with the others.
    """
    from ctspine_bench.own_runs.methods import brought_together, method_of
    from ctspine_bench.own_runs.naming import named_folders
    from ctspine_bench.own_runs.reading import is_results, read_run

    folders = named_folders(arguments)
    n_folders = sum(map(len, folders.values()))
    if n_folders < 2:
        raise UsageError(f"expected at least two folders to compare, found {n_folders}")

    def read(folder: Path) -> Run:
        if references and not is_results(folder):
            return _scored(folder, references, test_set, options or {})
        return read_run(folder, test_set)

    return brought_together([method_of(name, [read(folder) for folder in each]) for name, each in folders.items()])


def _scored(predictions: Path, references: Path, test_set: str | None, options: dict[str, Any]) -> Run:
    """Score predictions, as `score` does; nothing is written."""
    from ctspine_bench.own_runs.reading import run_of
    from ctspine_bench.results import results_document

    plan, settings = score.planned(predictions, references, test_set, options)
    click.echo(f"{predictions}: {len(plan.pairs)} cases", err=True)
    found = score.score_with_progress(plan, settings, options["workers"])
    return run_of(predictions, results_document([found]), found.table)


def _show(found: OwnComparison, format_: str, *, per_label: bool) -> None:
    if format_ == "table":
        from rich.console import Console

        from ctspine_bench.report.terminal_comparison import render_comparison

        Console(highlight=False).print(render_comparison(found, per_label=per_label))
        return
    from ctspine_bench.report import text_comparison

    click.echo(getattr(text_comparison, format_)(found))
    if format_ == "csv":
        for note in found.notes:
            click.echo(note, err=True)
