"""The command `ctspine-bench`: the only place that prints and exits.

One command a file. Their modules are imported when they are called, and they import the heavy libraries inside their
functions: `--help` answers at once.
"""

from __future__ import annotations

import io
import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

import click

from ctspine_bench import __version__
from ctspine_bench.errors import FileError, InputError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

BAD_INPUT: Final = 1
WRONG_USAGE: Final = 2
INTERRUPTED: Final = 130

_COLUMNS_OF_A_FILE: Final = 140

# Command → what it does in a line; its module has the same name with underscores.
_COMMANDS: Final = {
    "score": "Score a folder of predictions against a folder of references.",
    "testsets": "Show the official test sets, or the cases of one.",
    "check-references": "Look for gaps, disorder and oddities in reference label maps.",
    "phantom": "Make a phantom benchmark: synthetic spines with labels, and simulated submissions.",
    "demo": "Make a small phantom benchmark, score submissions on it and show the tables.",
    "submission": "Make, check, score and publish a submission to the leaderboard.",
    "rank": "Show where submissions or your own results stand, and how sure that is.",
    "compare": "Compare your own runs or predictions: differences with intervals, tests, LaTeX.",
    "leaderboard": "Show the leaderboard in the browser, or write it as static files.",
}


class LazyGroup(click.Group):
    """Commands that are imported when they are called.

    Args:
        package: Where their modules are.
        commands: Command → what it does in a line.
        settings: What `click.Group` takes.
    """

    def __init__(self, package: str, commands: Mapping[str, str], **settings: Any) -> None:
        super().__init__(**settings)
        self._package = package
        self._lines = commands

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 -- click's signature
        """Return their names."""
        return list(self._lines)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import one."""
        if cmd_name not in self._lines:
            return None
        command: click.Command = import_module(f"{self._package}.{cmd_name.replace('-', '_')}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write what each does, without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl(list(self._lines.items()))


@click.group(
    cls=LazyGroup,
    package=__name__,
    commands=_COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="ctspine-bench")
def _group() -> None:
    """Score vertebra segmentations on the CTSpine1K benchmark.

    Exit codes: 0 all is well, 1 bad input or failed cases, 2 wrong usage.
    """


def main() -> None:
    """Run the command line and exit."""
    _prepare_streams()
    try:
        code = _group.main(prog_name="ctspine-bench", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except click.exceptions.Abort:
        click.echo("Interrupted.", err=True)
        code = INTERRUPTED
    except UsageError as error:
        click.echo(f"Usage error: {error}", err=True)
        code = WRONG_USAGE
    except InputError as error:
        show_error(error)
        code = BAD_INPUT
    except BrokenPipeError:
        # Whoever read the output, such as `head`, has seen enough; Python must not complain when it flushes.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = BAD_INPUT
    except OSError as error:
        show_error(_system_error(error))
        code = BAD_INPUT
    sys.exit(code)


def _prepare_streams() -> None:
    """Let output go where it can: into terminals and files of any encoding, and unwrapped where nobody looks."""
    streams = (sys.stdout, sys.stderr)
    for stream in streams:
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    if not any(stream.isatty() for stream in streams):
        os.environ.setdefault("COLUMNS", str(_COLUMNS_OF_A_FILE))


def _system_error(error: OSError) -> FileError:
    """What the system refuses outside the files of a submission: no space, no permission, a file for a folder."""
    return FileError(
        "E_OUTPUT",
        error.filename,
        expected="files and folders that can be used",
        found=error.strerror or type(error).__name__,
        advice="Check the path, the permissions and the space on the disk.",
    )


def show_error(error: InputError) -> None:
    """Print an error with its parts on lines of their own, to standard error."""
    for line in error.lines():
        click.echo(line, err=True)


def check_phantom_folder(folder: Path) -> None:
    """Refuse to write a phantom benchmark among other files.

    Raises:
        UsageError: The folder holds something else than an earlier phantom.
    """
    if folder.is_dir() and any(folder.iterdir()) and not (folder / "benchmark" / "phantom.json").exists():
        raise UsageError(f"expected a new or empty folder for the phantom, found files in {folder}; choose another")
