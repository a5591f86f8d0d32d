"""`ctspine-bench leaderboard`: the app, and the same pages as static files.

The leaderboard is a program of its own: it is started here, not imported, and told by environment variables what to
show.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from ctspine_bench.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_VARIABLES: Final = {
    "submissions": "CTSPINE_SUBMISSIONS",
    "private_standings": "CTSPINE_PRIVATE_STANDINGS",
    "references": "CTSPINE_REFERENCES",
    "predictions": "CTSPINE_PREDICTIONS",
}
"""What is shown → the variable that says where it is; `ctspine_leaderboard.settings` reads them."""

_PROGRAM: Final = (sys.executable, "-P", "-m", "ctspine_leaderboard")
HOW_TO_INSTALL: Final = "pip install 'ctspine-bench[leaderboard]'"

_DEFAULT_PORT: Final = 8501
_PORTS_TRIED: Final = 20
_STOPPED_IN_S: Final = 5
_PATH: Final = click.Path(path_type=Path)


def _shown(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options about what is shown."""
    for option in (
        click.option(
            "--predictions",
            type=_PATH,
            envvar=_VARIABLES["predictions"],
            metavar="DIR",
            help="Predictions to look at: <submission>/<test set>/<case>.nii.gz.",
        ),
        click.option(
            "--references",
            type=_PATH,
            envvar=_VARIABLES["references"],
            metavar="DIR",
            help="References to look at: <test set>/labels, and <test set>/volumes for the CT.",
        ),
        click.option(
            "--private-standings",
            type=_PATH,
            envvar=_VARIABLES["private_standings"],
            metavar="FILE",
            help="The organizers' standings.json, for private test sets.",
        ),
        click.option(
            "--submissions",
            type=_PATH,
            envvar=_VARIABLES["submissions"],
            metavar="DIR",
            help="Folder of the submissions.  [default: submissions]",
        ),
    ):
        function = option(function)
    return function


@click.group(invoke_without_command=True)
@_shown
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    default=_DEFAULT_PORT,
    show_default=True,
    help="Where it listens: on this machine alone, unless STREAMLIT_SERVER_ADDRESS says otherwise.",
)
@click.option("--no-browser", is_flag=True, help="Open no browser; without a terminal none is opened anyway.")
@click.pass_context
def command(ctx: click.Context, /, *, port: int, no_browser: bool, **shown: Path | None) -> int:
    """Show the leaderboard in the browser until Ctrl-C is pressed, or write it as static files.

    A new or changed submission is seen without a restart.
    """
    if ctx.invoked_subcommand:
        _pass_on(ctx, shown)
        return 0
    _check(shown)
    return serve(shown, port=port, browser=not no_browser)


@command.command("export")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@_shown
@click.option(
    "--base-url",
    metavar="URL",
    help="Where the files will be found, such as https://example.org/board/: feed readers need whole addresses.",
)
def _export(folder: Path, *, base_url: str | None, **shown: Path | None) -> int:
    """Write Standings, Domain gap, Vertebrae and the submissions to FOLDER, as files that need no server.

    FOLDER is replaced when all is written, never before; it must be new, empty or an earlier export. With references
    and predictions, submissions get pictures of their worst public cases.
    """
    _check(shown)
    if shown["references"] and not is_installed("skimage"):
        raise UsageError(f"pictures of cases need more packages: {HOW_TO_INSTALL}")
    arguments = ["export", str(folder), *(("--base-url", base_url) if base_url else ())]
    return _run(arguments, shown)


def serve(shown: Mapping[str, Path | None], *, port: int = _DEFAULT_PORT, browser: bool = True) -> int:
    """Serve the leaderboard until it is stopped, and return its exit code.

    Args:
        shown: What is shown, as the keys of `_VARIABLES` → where it is; `None` for the default.
        port: Where it listens.
        browser: Whether to open it in a browser, if there is a terminal.

    Raises:
        UsageError: The app is not installed, or the port is taken.
    """
    if not is_installed():
        raise UsageError(f"the app needs more packages: {HOW_TO_INSTALL}")
    if problem := _port_problem(port):
        raise UsageError(f"port {port} cannot be used: {problem}; choose another with --port")
    return _run(["serve", "--port", str(port), *(() if browser else ("--no-browser",))], shown)


def is_installed(package: str = "streamlit") -> bool:
    """Return whether a package of the leaderboard is there; by default the one that the app is made with."""
    return find_spec(package) is not None


def first_free_port() -> int:
    """Return the default port, or if another program has it, the next that is free."""
    ports = range(_DEFAULT_PORT, _DEFAULT_PORT + _PORTS_TRIED)
    return next((port for port in ports if not _port_problem(port)), _DEFAULT_PORT)


def _pass_on(ctx: click.Context, shown: Mapping[str, Path | None]) -> None:
    """Make what was said before the name of a subcommand its default.

    Raises:
        UsageError: Something that is about serving alone.
    """
    for name in ("port", "no_browser"):
        if ctx.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE:
            raise UsageError(f"--{name.replace('_', '-')} is about the app; {ctx.invoked_subcommand} starts none")
    given = {name: path for name, path in shown.items() if path}
    ctx.default_map = {str(ctx.invoked_subcommand): given}


def _check(shown: Mapping[str, Path | None]) -> None:
    """Refuse what is not what it is said to be.

    Raises:
        UsageError: A folder is not there, or that of references is laid out in another way.
        FileError: E_STANDINGS.
    """
    from ctspine_bench.board.private_file import read_private_standings

    for name in ("submissions", "references", "predictions"):
        folder = shown[name]
        if folder and not folder.is_dir():
            raise UsageError(f"expected a folder for --{name}, found none called {folder}")
    references, standings = shown["references"], shown["private_standings"]
    if references and not any(path.is_dir() for path in references.glob("*/labels")):
        raise UsageError(
            f"expected references in folders <test set>/labels, such as public/labels, found none in {references}"
        )
    if standings:
        read_private_standings(standings)


def _port_problem(port: int) -> str:
    """Return why a port cannot be listened on, as the system says it; empty if it can."""
    with socket.socket() as probe:
        # Without it, a port is refused for a minute after a server on it was stopped.
        if os.name != "nt":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("localhost", port))
        except OSError as error:
            return error.strerror or type(error).__name__
    return ""


def _run(arguments: Sequence[str], shown: Mapping[str, Path | None]) -> int:
    """Run the leaderboard and return its exit code; what stops this process stops it as well."""
    places = {_VARIABLES[name]: str(path.absolute()) for name, path in shown.items() if path}
    with subprocess.Popen([*_PROGRAM, *arguments], env=os.environ | places) as process:  # noqa: S603 -- no shell
        before = signal.signal(signal.SIGTERM, lambda *_: process.terminate())
        try:
            code = _wait(process)
        finally:
            signal.signal(signal.SIGTERM, before)
    # A shell says 128 and the number of a signal where Python says minus the number.
    return code if code >= 0 else 128 - code


def _wait(process: subprocess.Popen[bytes]) -> int:
    """Wait for a process to end; Ctrl-C reaches it by itself, unless it was meant for this process alone."""
    try:
        return process.wait()
    except KeyboardInterrupt:
        try:
            return process.wait(_STOPPED_IN_S)
        except (subprocess.TimeoutExpired, KeyboardInterrupt):
            process.terminate()
            return process.wait()
