"""`ctspine-bench testsets`."""

from __future__ import annotations

from collections import Counter

import click

from ctspine_bench.testsets import OFFICIAL, SOURCES, known_errata, official, source_of


@click.command()
@click.argument("name", required=False, type=click.Choice(OFFICIAL))
def command(name: str | None) -> int:
    """Show the official test sets; with the NAME of one, the ids of its cases, one a line."""
    if name is None:
        _show_all()
        return 0
    test_set = official(name)
    if test_set.cases is None:
        click.echo(test_set.note, err=True)
    for case_id in test_set.cases or ():
        click.echo(case_id)
    return 0


def _show_all() -> None:
    from rich.console import Console
    from rich.table import Table

    sources = SOURCES[:-1]
    table = Table(title="Official test sets of CTSpine1K")
    table.add_column("test set")
    for column in ("cases", *sources, "known errata"):
        table.add_column(column, justify="right")
    console = Console()
    notes = []
    for name in OFFICIAL:
        test_set = official(name)
        if test_set.cases is None:
            table.add_row(name, f"{test_set.expected_count}", *("–" for _ in sources), "–")
            notes.append(f"{name}: {test_set.note}")
            continue
        count = Counter(source_of(case_id) for case_id in test_set.cases)
        errata = [erratum for case_id in test_set.cases for erratum in known_errata(case_id)]
        table.add_row(name, f"{len(test_set.cases)}", *(f"{count[source]}" for source in sources), f"{len(errata)}")
        notes += [f"{name}: {erratum.case_id}: {erratum.text} ({erratum.reported})" for erratum in errata]
    console.print(table)
    for note in notes:
        console.print(note, markup=False, highlight=False)
