"""`ctspine-bench submission quota`."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click


@click.command()
@click.option("--private-store", type=click.Path(path_type=Path), required=True, metavar="DIR", help="The store.")
@click.option("--team", metavar="NAME", help="Show this team alone, also under its other names.")
def command(*, private_store: Path, team: str | None) -> int:
    """Show how many private scorings each team has used up and when the next is free."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from ctspine_bench.hosting.ledger import Ledger, read_quota
    from ctspine_bench.hosting.store import PrivateStore

    store = PrivateStore(private_store)
    quota = read_quota(store.quota)
    ledger = Ledger(store.ledger, quota)
    now = datetime.now(UTC)
    teams = [(team, ())] if team else [(entry.team, entry.accounts) for entry in ledger.teams()]
    table = Table(title=f"Private scorings in {quota.period_days} days", title_justify="left")
    for column in ("team", "with a result", "without one", "next"):
        table.add_column(column, overflow="fold")
    for name, accounts in teams:
        usage = ledger.usage(name, accounts, now)
        free = f"{usage.next_free.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if usage.next_free else "not in this period"
        table.add_row(
            Text(", ".join(usage.teams)),
            f"{len(usage.scored)} of {quota.scored}",
            f"{len(usage.failed)} of {quota.failed}",
            free if usage.exhausted else "now",
        )
    Console(highlight=False).print(table)
    return 0
