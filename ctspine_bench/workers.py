"""One task over many cases at a time. Threads suffice: the kernels, numpy and compression let go of the interpreter."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

Item = TypeVar("Item")
Result = TypeVar("Result")


def available_cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def in_parallel(
    task: Callable[[Item], Result], items: Iterable[Item], workers: int | None
) -> Iterator[tuple[Item, Result]]:
    """Each item with its result, as they get done; what has not begun is dropped when one fails or the caller stops.

    Args:
        task: What to do.
        items: What to do it with.
        workers: How many at a time; as many as this process has cores when `None`.
    """
    with ThreadPoolExecutor(workers or available_cores()) as pool:
        pending = {pool.submit(task, item): item for item in items}
        try:
            for future in as_completed(pending):
                yield pending[future], future.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
