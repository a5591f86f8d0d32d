"""One task over many cases at a time. Threads suffice: the kernels, numpy and compression let go of the interpreter."""

from __future__ import annotations

import os
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator
    from concurrent.futures import Future

Item = TypeVar("Item")
Result = TypeVar("Result")


def available_cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def in_parallel(
    task: Callable[[Item], Result], items: Iterable[Item], workers: int | None
) -> Generator[tuple[Item, Result], None, None]:
    """Each item with its result, as they get done; what has not begun is dropped when one fails or the caller stops.

    Args:
        task: What to do.
        items: What to do it with. They are taken by the calling thread as they are needed: at most one is waiting while
            all workers are busy.
        workers: How many at a time; as many as this process has cores when `None`.
    """
    workers = workers or available_cores()
    with ThreadPoolExecutor(workers) as pool:
        pending: dict[Future[Result], Item] = {}
        try:
            for item in items:
                pending[pool.submit(task, item)] = item
                if len(pending) > workers:
                    yield from _done(pending)
            while pending:
                yield from _done(pending)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _done(pending: dict[Future[Result], Item]) -> Iterator[tuple[Item, Result]]:
    """Wait until at least one is done, and take those that are."""
    for future in wait(pending, return_when=FIRST_COMPLETED).done:
        yield pending.pop(future), future.result()
