"""`ctspine-bench submission check-pr`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ctspine_bench.cli import BAD_INPUT, show_error
from ctspine_bench.errors import SubmissionError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ctspine_bench.hosting.git.repository import Repository
    from ctspine_bench.hosting.pull_requests import PullRequestCheck

_PATH = click.Path(path_type=Path)


@click.command()
@click.option("--base", required=True, metavar="REF", help="Branch or commit that it would be merged into.")
@click.option("--head", required=True, metavar="REF", help="Branch or commit that it brings.")
@click.option("--repository", type=_PATH, default=".", help="Folder of the git repository.  [default: this one]")
@click.option("--author", metavar="LOGIN", help="Account that opened it: may change the submissions it owns.")
@click.option("--allow-several", is_flag=True, help="Let it bring more than one submission.")
@click.option("--extract", type=_PATH, metavar="DIR", help="Write each valid submission.yaml to DIR/<name>/.")
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="What to print to standard output; problems are told on standard error in any case.",
)
def command(
    repository: Path,
    base: str,
    head: str,
    *,
    author: str | None,
    allow_several: bool,
    extract: Path | None,
    format_: str,
) -> int:
    """Check which files a pull request changes, and the submission in it.

    It is read from git's objects: nothing of it is checked out or executed.
    """
    from ctspine_bench.hosting.git.repository import Repository
    from ctspine_bench.hosting.pull_requests import check_pull_request

    check = None
    try:
        opened = Repository(repository)
        check = check_pull_request(opened, base, head, author=author or None, allow_several=allow_several)
        _check_unmoved(opened, head, check.head)
        problems = check.problems
        if extract and not problems:
            _extract(opened, check, extract)
    except SubmissionError as error:
        problems = (error,)
    for problem in problems:
        show_error(problem)
    if format_ == "json":
        click.echo(json.dumps(_document(check, problems), indent=2))
    elif check and not problems:
        click.echo(f"Nothing is wrong with {', '.join(check.slugs)} at {check.head}.")
    return BAD_INPUT if problems else 0


def _check_unmoved(repository: Repository, head: str, checked: str) -> None:
    found = repository.commit(head)
    if found != checked:
        raise SubmissionError(
            "E_MOVED", None, expected=f"{checked}, which was checked", found=found, advice="Check the new commit."
        )


def _extract(repository: Repository, check: PullRequestCheck, folder: Path) -> None:
    """Write the declarations of the checked commit, as they are."""
    from ctspine_bench.files import replacing
    from ctspine_bench.hosting.pull_requests import declaration_at
    from ctspine_bench.submissions.reading import DECLARATION

    for slug in check.slugs:
        content = declaration_at(repository, check.head, slug)
        if content is not None:
            with replacing(folder / slug / DECLARATION) as temporary:
                temporary.write_bytes(content)


def _document(check: PullRequestCheck | None, problems: Sequence[SubmissionError]) -> dict[str, object]:
    """Return what `ctspine-bench submission comment` can make a comment from."""
    fields = ("code", "path", "expected", "found", "advice")
    return {
        "base": check.base if check else None,
        "head": check.head if check else None,
        "slugs": list(check.slugs) if check else [],
        "problems": [{field: getattr(problem, field) for field in fields} for problem in problems],
    }
