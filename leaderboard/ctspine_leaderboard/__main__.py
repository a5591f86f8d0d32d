"""`python -m ctspine_leaderboard serve|export`: what `ctspine-bench leaderboard` starts.

What is shown is said by environment variables, see `settings`.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ctspine_bench.errors import BenchError, UsageError
from ctspine_leaderboard.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

_BAD_INPUT: Final = 1
_WRONG_USAGE: Final = 2
_INTERRUPTED: Final = 130
_TERMINATED: Final = 143


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve or export the leaderboard, and return the exit code."""
    given = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, _stop)
    try:
        return _do(given)
    except KeyboardInterrupt:
        return _failed("Interrupted.", _INTERRUPTED)
    except UsageError as error:
        return _failed(f"Usage error: {error}", _WRONG_USAGE)
    except BenchError as error:
        return _failed(str(error), _BAD_INPUT)
    except OSError as error:
        return _failed(f"E_OUTPUT: {error.filename or ''}: {error.strerror or error}", _BAD_INPUT)


def _do(given: argparse.Namespace) -> int:
    settings = Settings.of(os.environ)
    if given.action == "serve":
        from ctspine_leaderboard.serving import serve

        # Nobody is there to look at a browser where nobody reads what is printed.
        return serve(settings, port=given.port, browser=not given.no_browser and sys.stdout.isatty())
    from ctspine_leaderboard.export import export

    return export(settings, given.folder, base_url=given.base_url)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m ctspine_leaderboard", description=__doc__)
    actions = parser.add_subparsers(dest="action", required=True)
    serve = actions.add_parser("serve", help="serve the app until it is stopped")
    serve.add_argument("--port", type=int, required=True)
    serve.add_argument("--no-browser", action="store_true")
    export = actions.add_parser("export", help="write static files")
    export.add_argument("folder", type=Path)
    export.add_argument("--base-url")
    return parser


def _failed(message: str, code: int) -> int:
    print(message, file=sys.stderr)  # noqa: T201
    return code


def _stop(*_: object) -> None:
    """Leave as after Ctrl-C, so that what was begun is tidied up."""
    raise SystemExit(_TERMINATED)


if __name__ == "__main__":
    sys.exit(main())
