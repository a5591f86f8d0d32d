"""In how many cases a label is: by the official rule on public test sets, in the references alone on private ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


def n_of(means: Mapping[str, Any]) -> int | float | str | None:
    """Return over how many cases (or labels) means are; "<5" or `None` where that is not told.

    Of a private test set only the count of the references is published.
    """
    n: int | float | str | None = means.get("n")
    return means.get("n_reference") if n is None else n
