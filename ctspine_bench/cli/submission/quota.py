"""`ctspine-bench submission quota`."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from ctspine_bench.cli.submission import open_store


@click.command()
@click.option("--private-store", type=click.Path(path_type=Path), required=True, metavar="DIR", help="The store.")
@click.option("--team", metavar="NAME", help="Show this team alone, however it is spelt.")
def command(*, private_store: Path, team: str | None) -> int:
    """Show how many private scorings each team has used up and when the next is free.

    Those of another name count as well if its latest accounts were charged for them.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from ctspine_bench.hosting.ledger import Ledger, plain_name, read_quota

    store = open_store(private_store)
    quota = read_quota(store.quota)
    ledger = Ledger(store.ledger, quota)
    now = datetime.now(UTC)
    entries = ledger.teams()
    if team:
        entries = {name: entry for name, entry in entries.items() if name == plain_name(team)}
    table = Table(title=f"Private scorings in {quota.period_days} days", title_justify="left")
    for column in ("team", "accounts", "with a result", "without one", "next"):
        table.add_column(column, overflow="fold")
    for entry in entries.values():
        usage = ledger.usage(entry.team, entry.accounts, now)
        free = f"{usage.next_free.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if usage.next_free else "not in this period"
        table.add_row(
            Text(entry.team),
            Text(", ".join(entry.accounts)),
            f"{len(usage.scored)} of {quota.scored}",
            f"{len(usage.failed)} of {quota.failed}",
            free if usage.exhausted else "now",
        )
    Console(highlight=False).print(table)
    return 0
