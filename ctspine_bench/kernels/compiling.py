"""The decorator of all kernels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from numba import njit

if TYPE_CHECKING:
    from collections.abc import Callable


def kernel(function: Callable[..., Any] | None = None, **options: Any) -> Any:
    """Compile a function on first use, without the interpreter lock, and keep the result on disk if there is room.

    Numba refuses to import a cached function where neither the package folder nor a user folder can be written to, as
    in many containers; there it is compiled anew in every process.
    """
    if function is None:
        return lambda decorated: kernel(decorated, **options)
    try:
        return njit(cache=True, nogil=True, **options)(function)
    except RuntimeError:
        return njit(nogil=True, **options)(function)
