"""What submissions are called where one is chosen out of many."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ctspine_bench.board import Entry


def distinct_names(entries: Iterable[Entry]) -> Mapping[str, str]:
    """Return slug → name; submissions of the same name are told apart by their slugs."""
    entries = list(entries)
    n_of = Counter(entry.name for entry in entries)
    return {entry.slug: entry.name if n_of[entry.name] == 1 else f"{entry.name} ({entry.slug})" for entry in entries}
