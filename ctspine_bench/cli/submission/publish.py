"""`ctspine-bench submission publish`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from ctspine_bench.cli import BAD_INPUT, show_error
from ctspine_bench.cli.submission import open_store
from ctspine_bench.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ctspine_bench.hosting.publishing import Publication

_PATH = click.Path(path_type=Path)
_STATES: Final = {
    "published": "published",
    "current": "published before",
    "waiting": "waits for its scoring",
    "broken": "cannot be published, see below",
}


@click.command()
@click.option("--private-store", type=_PATH, required=True, metavar="DIR", help="Where scoring left the results.")
@click.option("--repository", type=_PATH, default=".", help="Folder of the git repository.  [default: this one]")
@click.option("--push", is_flag=True, help="Push the branch to its upstream at the end.")
@click.option("--no-commit", is_flag=True, help="Write the files and leave the commits to you.")
def command(*, private_store: Path, repository: Path, push: bool, no_commit: bool) -> int:
    """Write and commit the results of merged submissions, each in a commit of its own.

    To be run in a working tree of the branch that they belong to. It can be stopped at any time, and the next call does
    the rest.
    """
    from ctspine_bench.hosting.publishing import publish

    if push and no_commit:
        raise UsageError("--push sends commits, and --no-commit makes none; give one of them")
    publications = publish(repository, open_store(private_store), commit=not no_commit, push=push)
    _show(publications)
    broken = [publication.problem for publication in publications if publication.problem]
    for problem in broken:
        show_error(problem)
    return BAD_INPUT if broken else 0


def _show(publications: Sequence[Publication]) -> None:
    if not publications:
        click.echo("No submission asks for scoring.")
    width = max((len(publication.slug) for publication in publications), default=0)
    for publication in publications:
        commit = f" ({publication.commit[:12]})" if publication.commit else ""
        click.echo(f"{publication.slug:<{width}}  {_STATES[publication.state]}{commit}")
