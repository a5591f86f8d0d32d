"""`ctspine-bench submission comment`."""

from __future__ import annotations

from pathlib import Path

import click

_PATH = click.Path(path_type=Path)


@click.command()
@click.argument("comment", type=_PATH, metavar="COMMENT.json")
@click.option("--head", metavar="SHA", help="The commit that the pull request is at now; refuses data about another.")
@click.option("--output", type=_PATH, metavar="FILE.md", help="Where to write.  [default: standard output]")
def command(comment: Path, *, head: str | None, output: Path | None) -> int:
    """Write the comment for the pull request as Markdown.

    COMMENT.json is what scoring left, or what `check-pr --format json` printed. Nothing in it is trusted.
    """
    from ctspine_bench.files import replacing
    from ctspine_bench.hosting.comment import comment_markdown, read_comment_data

    text = comment_markdown(read_comment_data(comment), head)
    if output is None:
        click.echo(text, nl=False)
        return 0
    with replacing(output) as temporary:
        temporary.write_text(text, encoding="utf-8")
    click.echo(f"Written: {output}", err=True)
    return 0
