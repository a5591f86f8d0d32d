"""The command `ctspine-baseline`: the only place that prints and exits."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from ctspine_baselines.job import DATA_VARIABLE, Job
from ctspine_baselines.recipe import read_recipe, recipe_names
from ctspine_baselines.steps import STEPS
from ctspine_bench import __version__
from ctspine_bench.errors import InputError, UsageError
from ctspine_bench.report.progress import case_progress
from ctspine_bench.workers import available_cores

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_BAD_INPUT: Final = 1
_WRONG_USAGE: Final = 2
_INTERRUPTED: Final = 130
_PATH: Final = click.Path(path_type=Path, file_okay=False)

_OPTIONS: Final = (
    click.option(
        "--work", type=_PATH, default=Path("baseline-work"), show_default=True, envvar="CTSPINE_WORK",
        help="Folder for everything that is made.",
    ),
    click.option(
        "--data", type=_PATH, envvar=DATA_VARIABLE, help="CTSpine1K as downloaded, or a phantom benchmark with images.",
    ),
    click.option(
        "--verse", type=_PATH, envvar="CTSPINE_VERSE", help="VerSe cases in folders volumes and labels, to test on.",
    ),
    click.option(
        "--device", type=click.Choice(["cuda", "cpu", "mps"]), default="cuda", show_default=True,
        help="What to compute on.",
    ),
    click.option("--gpus", type=click.IntRange(min=1), default=1, show_default=True, help="On how many to train."),
    click.option("--workers", type=click.IntRange(min=1), help="Cases done at a time.  [default: all cores]"),
    click.option(
        "--export-workers", type=click.IntRange(min=1), default=1, show_default=True,
        help="Predictions brought back to their own grid at a time: tens of GB each for full-size cases.",
    ),
    click.option("--exclude", multiple=True, metavar="CASE", help="Do without this training case; can be repeated."),
    click.option("--restart", is_flag=True, help="Begin the training anew although something is there."),
    click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing."),
)  # fmt: skip


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="ctspine-baseline")
def _group() -> None:
    """Train the baselines of the CTSpine1K benchmark, and score them.

    A RECIPE is one of those that `ctspine-baseline list` shows, or a TOML file. Every step can be repeated: what is
    done is kept, what was interrupted goes on.
    """


@_group.command("list")
def _list() -> None:
    """Show the recipes."""
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for heading in ("recipe", "data", "", "what"):
        table.add_column(heading)
    for name in recipe_names():
        recipe = read_recipe(name)
        state = "untrained" if recipe.untrained else ""
        table.add_row(name, recipe.data, state, recipe.name)
    Console().print(table)


def _add(name: str, steps: Sequence[str], line: str) -> None:
    def command(recipe: str, *, dry_run: bool, **options: Any) -> None:
        options["workers"] = options["workers"] or available_cores()
        job = Job(read_recipe(recipe), **options)
        for step in steps:
            _do(job, step, dry_run=dry_run)

    command.__doc__ = line
    decorated: Callable[..., Any] = command
    for option in reversed(_OPTIONS):
        decorated = option(decorated)
    _group.command(name)(click.argument("recipe")(decorated))


_LINES: Final = {
    "prepare": "Check the training cases and register them with nnU-Net, where they are.",
    "plan": "Let nnU-Net plan the network and preprocess the training cases.",
    "train": "Train, or go on training.",
    "predict": "Predict the cases of the test sets that have none.",
    "submit": "Score the predictions, and write the submissions with their provenance.",
}
for _name, _line in _LINES.items():
    _add(_name, (_name,), _line)
_add("run", tuple(_LINES), "All steps, one after the other.")


def _do(job: Job, step: str, *, dry_run: bool) -> None:
    if step in job.recipe.steps:
        if dry_run:
            for line in STEPS[step].describe(job):
                click.echo(f"{step:8} {line}")
        else:
            for line in STEPS[step].run(job, case_progress):
                click.echo(line)
    elif dry_run:
        click.echo(f"{step:8} nothing: {job.recipe.slug} was trained by others")


def main() -> None:
    """Run the command line and exit."""
    try:
        code = _group.main(prog_name="ctspine-baseline", standalone_mode=False) or 0
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except (click.exceptions.Abort, KeyboardInterrupt):
        same = "The same command, without --restart," if "--restart" in sys.argv else "The same command"
        click.echo(f"Interrupted. {same} goes on from here.", err=True)
        code = _INTERRUPTED
    except UsageError as error:
        click.echo(f"Usage error: {error}", err=True)
        code = _WRONG_USAGE
    except InputError as error:
        for line in (*error.lines(), *(f"            {note}" for note in getattr(error, "__notes__", ()))):
            click.echo(line, err=True)
        code = _BAD_INPUT
    except OSError as error:
        click.echo(f"E_OUTPUT  {error.filename or ''}: {error.strerror or error}", err=True)
        code = _BAD_INPUT
    sys.exit(code)
