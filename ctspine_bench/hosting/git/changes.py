"""Which paths differ between two commits, for trees that were made to mislead or to exhaust.

A few kilobytes of trees within trees can spell out billions of paths, which git's own diff gathers before it prints the
first. Here only folders that differ are looked into, one by one, and not many of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ctspine_bench.errors import SubmissionError
from ctspine_bench.hosting.git.repository import TREE, Repository, TreeFile, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

DELETED: Final = "000000"
"""The mode of what is not there any more."""

_FOLDERS_PER_FILE: Final = 3
_MAX_PATH: Final = 1000


@dataclass(frozen=True)
class Change(TreeFile):
    """One path that differs between two commits, as it is in the new one; a rename is a deletion and an addition.

    Attributes:
        status: A added, M modified (mode, type or content), D deleted (the mode is `DELETED` then).
    """

    status: str


def changes_between(repository: Repository, old: str, new: str, at_most: int) -> tuple[Change, ...]:
    """Return the files that differ between two commits, sorted by path; links and submodules count as files.

    Raises:
        SubmissionError: `E_LIMIT`: more than `at_most` files, three times as many folders, or a path of more than 1,000
            characters; `E_GIT`: a tree that git would not have made.
    """
    found: list[Change] = []
    waiting: list[tuple[str, str | None, str | None]] = [("", f"{old}^{{tree}}", f"{new}^{{tree}}")]
    n_folders = 0
    while waiting:
        folder, *trees = waiting.pop()
        n_folders += 1
        for path, before, after in _differences(repository, folder, *trees):
            if TREE in {before and before.mode, after and after.mode}:
                waiting.append((f"{path}/", _tree(before), _tree(after)))
            if change := _change(path, before, after):
                found.append(change)
        if len(found) > at_most or n_folders > _FOLDERS_PER_FILE * at_most:
            names = ", ".join(shown(change.path) for change in found[:3])
            raise _limit(f"at most {at_most} changed files", f"more: {names}, …" if names else "very many folders")
    return tuple(sorted(found, key=lambda change: change.path))


_Difference = tuple[str, TreeFile | None, TreeFile | None]
"""Path, and what is there before and after."""


def _differences(repository: Repository, folder: str, before: str | None, after: str | None) -> Iterator[_Difference]:
    old, new = (repository.tree(tree) if tree else {} for tree in (before, after))
    for name in sorted(old.keys() | new.keys()):
        if old.get(name) != new.get(name):
            path = f"{folder}{name}"
            if len(path) > _MAX_PATH:
                raise _limit(f"paths of at most {_MAX_PATH} characters", f"a longer one: {shown(path)}")
            yield path, old.get(name), new.get(name)


def _tree(entry: TreeFile | None) -> str | None:
    return entry.blob if entry and entry.mode == TREE else None


def _change(path: str, before: TreeFile | None, after: TreeFile | None) -> Change | None:
    was, is_now = (entry if entry and entry.mode != TREE else None for entry in (before, after))
    if is_now:
        return Change(path, is_now.mode, is_now.blob, "M" if was else "A")
    return Change(path, DELETED, was.blob, "D") if was else None


def _limit(expected: str, found: str) -> SubmissionError:
    advice = "Bring the declaration of one submission and nothing else."
    return SubmissionError("E_LIMIT", None, expected=expected, found=found, advice=advice)
