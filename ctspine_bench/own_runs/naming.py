"""`NAME=FOLDER1,FOLDER2` → a name and folders."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ctspine_bench.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence


def named_folders(arguments: Sequence[str]) -> dict[str, tuple[Path, ...]]:
    """Return name → folders of each argument; a folder without a name is called as it is on disk.

    What exists as a whole is a folder, whatever signs are in its name.

    Raises:
        UsageError: A name or a folder is empty, or comes twice, or several folders have no name.
    """
    found: dict[str, tuple[Path, ...]] = {}
    seen: dict[Path, Path] = {}
    for argument in arguments:
        name, folders = split_name(argument)
        if name in found:
            raise UsageError(
                f"expected a name for each method, found {name!r} for {found[name][0]} and for {folders[0]}; "
                "name them: NAME=FOLDER"
            )
        for folder in folders:
            if folder.resolve() in seen:
                raise UsageError(f"expected each folder once, found {folder} twice")
            seen[folder.resolve()] = folder
        found[name] = folders
    return found


def split_name(argument: str) -> tuple[str, tuple[Path, ...]]:
    """Return the name and the folders of an argument.

    Raises:
        UsageError: A name or a folder is empty, or several folders have no name.
    """
    if Path(argument).exists() or ("=" not in argument and "," not in argument):
        folder = Path(argument)
        return folder.resolve().name, (folder,)
    name, separator, folders = argument.partition("=")
    if not separator:
        raise UsageError(f"expected NAME=FOLDER1,FOLDER2 for the runs of a method, found {argument!r}")
    parts = [folders] if Path(folders).exists() else folders.split(",")
    if not name.strip() or not all(parts):
        raise UsageError(f"expected NAME=FOLDER or NAME=FOLDER1,FOLDER2, found {argument!r}")
    return name.strip(), tuple(map(Path, parts))
