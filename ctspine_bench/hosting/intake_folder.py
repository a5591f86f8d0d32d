"""The folder that predictions are taken in to: emptied before, complete or empty afterwards, and sometimes full."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

from ctspine_bench.errors import FileError, InputError
from ctspine_bench.hosting.intake_record import PREDICTIONS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

_BEGUN: Final = ".begun"


@contextmanager
def filling(folder: Path) -> Iterator[None]:
    """Make a folder, or remove what an earlier intake has left there; after an `InputError` nothing is left.

    An intake that was interrupted leaves what it has written, and a mark by which the next one knows that this can go.

    Raises:
        FileError: `E_OUTPUT`: there are other files, or the folder cannot be used.
    """
    _prepare(folder)
    try:
        yield
        with writing_to(folder):
            (folder / _BEGUN).unlink()
    except InputError:
        with suppress(OSError):
            _remove(folder.iterdir())
        raise


@contextmanager
def writing_to(folder: Path) -> Iterator[None]:
    """Say in words that files cannot be written.

    Raises:
        FileError: `E_OUTPUT`, which names the folder alone.
    """
    try:
        yield
    except OSError as error:
        advice = "Free space on its disk, or choose another folder."
        raise _output_error(folder, "room for the predictions", _reason(error), advice) from None


def _prepare(folder: Path) -> None:
    begun = folder / _BEGUN
    expected, advice = "an empty folder, or one with predictions that were fetched before", "Choose another folder."
    try:
        folder.mkdir(parents=True, exist_ok=True)
        left = sorted(folder.iterdir())
        if left and not {begun, folder / PREDICTIONS} & set(left):
            raise _output_error(folder, expected, f"other files, such as {left[0].name}", advice)
        begun.touch()
        _remove(file for file in left if file != begun)
    except OSError as error:
        raise _output_error(folder, expected, _reason(error), advice) from None


def _remove(files: Iterable[Path]) -> None:
    for file in files:
        file.unlink()


def _reason(error: OSError) -> str:
    return error.strerror or type(error).__name__


def _output_error(folder: Path, expected: str, found: str, advice: str) -> FileError:
    return FileError("E_OUTPUT", folder, expected=expected, found=found, advice=advice)
