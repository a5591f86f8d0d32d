"""`ctspine-bench submission verify`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from ctspine_bench.cli import BAD_INPUT
from ctspine_bench.cli.submission import open_store

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from rich.table import Table
    from rich.text import Text

    from ctspine_bench.hosting.verifying import Finding

_PATH = click.Path(path_type=Path)
_STYLES: Final = {"ok": "green", "outdated": "yellow", "wrong": "bold red", "not checked": "dim"}


@click.command()
@click.argument("folder", type=_PATH, default=Path("submissions"))
@click.option("--references", type=_PATH, metavar="DIR", help="Compare with the references in this folder.")
@click.option("--archives", type=_PATH, metavar="DIR", help="Compare with the archives in this folder.")
@click.option("--private-store", type=_PATH, metavar="DIR", help="Recompute what is published of private test sets.")
@click.option("--verbose", is_flag=True, help="Also list what is as it should be.")
def command(
    folder: Path, *, references: Path | None, archives: Path | None, private_store: Path | None, verbose: bool
) -> int:
    """Recompute what can be recomputed from the records in FOLDER, and say what is outdated and why.

    FOLDER is that of one submission or of many. The exit code is 1 when something is wrong; what is merely outdated, as
    the scorer, a reference or the declaration has changed since, is said.
    """
    from rich.console import Console

    from ctspine_bench.hosting.verifying import verify

    store = open_store(private_store) if private_store else None
    found = verify(folder, references=references, archives=archives, store=store)
    console = Console(highlight=False)
    shown = ("wrong", "outdated") if not verbose else tuple(_STYLES)
    states = [finding.state for findings in found.values() for finding in findings]
    if not set(states).isdisjoint(shown):
        console.print(_table(found, shown))
    for slug, findings in found.items():
        console.print(_line(slug, [finding.state for finding in findings]))
    return BAD_INPUT if "wrong" in states else 0


def _line(slug: str, states: Sequence[str]) -> Text:
    """Return how many checks of a record ended how."""
    from rich.text import Text

    worst = next((state for state in ("wrong", "outdated", "ok") if state in states), "not checked")
    counts = ", ".join(f"{states.count(state)} {state}" for state in _STYLES if state in states)
    return Text.assemble((f"{worst:11}  ", _STYLES[worst]), (slug, "bold"), f"  {counts or 'nothing to check'}")


def _table(found: Mapping[str, Sequence[Finding]], shown: Collection[str]) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table()
    for column in ("submission", "what", "state", "why", "to do"):
        table.add_column(column, overflow="fold")
    for slug, findings in found.items():
        for finding in findings:
            if finding.state not in shown:
                continue
            state = Text(finding.state, _STYLES[finding.state])
            table.add_row(Text(slug), Text(finding.what), state, Text(finding.why), Text(finding.advice))
        table.add_section()
    return table
