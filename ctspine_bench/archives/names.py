"""What an entry of an archive may be called. No name is used as a path: names become case ids and parts of messages.

Names are lists of plain parts out of `[A-Za-z0-9][A-Za-z0-9._-]*`: there is no second way to write one, so that two
names differ for every file system or for none.
"""

from __future__ import annotations

import re
from typing import Final

from ctspine_bench.cases import case_id_of

_PART: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_DRIVE: Final = re.compile(r"[A-Za-z]:")
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9 ._/-]")
_LABEL_MAP: Final = (".nii.gz", ".nii")
# File systems allow 255 bytes, and a temporary file beside it has a longer name.
_LONGEST_PART: Final = 200
_LONGEST_SHOWN: Final = 80


def shown(text: str) -> str:
    """Return a stranger's text so that no terminal, HTML or Markdown acts on it: all but plain characters escaped."""
    cut = text[:_LONGEST_SHOWN]
    return _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", cut) + ("…" if len(text) > len(cut) else "")


class BadNameError(ValueError):
    """What is wrong with a name, in words that follow "found"."""


class Names:
    """Judges the names of one archive, and remembers them."""

    def __init__(self) -> None:
        self._paths: set[str] = set()
        self._case_ids: dict[str, str] = {}

    def label_map(self, name: str, *, is_folder: bool) -> tuple[str, str] | None:
        """Return the plain path and the case id of a label map; `None` for what is to be skipped.

        Skipped are folders, hidden files and what macOS adds in `__MACOSX`.

        Raises:
            BadNameError: The name is unsafe, or that of something else than a label map, or there already.
        """
        parts = _parts(name)
        if any(part.startswith(".") or part == "__MACOSX" for part in parts):
            return None
        for part in parts:
            if not _PART.fullmatch(part):
                raise BadNameError("a name with other characters than letters, digits, dots, hyphens and underscores")
            if len(part) > _LONGEST_PART:
                raise BadNameError(f"a name of {len(part)} characters")
        if is_folder or not parts:
            return None
        if not parts[-1].lower().endswith(_LABEL_MAP):
            raise BadNameError("a file of another kind")
        path = "/".join(parts)
        case_id = case_id_of(path)
        self._remember(path, case_id)
        return path, case_id

    def _remember(self, path: str, case_id: str) -> None:
        if path.lower() in self._paths:
            raise BadNameError("a second file of this name, or of one that differs in case only")
        self._paths.add(path.lower())
        if self._case_ids.setdefault(case_id.lower(), case_id) != case_id:
            raise BadNameError("a case id that differs from another one in case only")


def _parts(name: str) -> list[str]:
    """Split a name; `.` and the slash after a folder's name mean nothing.

    Raises:
        BadNameError: The name leads out of the folder in which it would be unpacked, on some system.
    """
    if "\\" in name:
        raise BadNameError("a backslash in the name")
    if name.startswith("/"):
        raise BadNameError("an absolute path")
    parts = [part for part in name.removesuffix("/").split("/") if part != "."]
    if ".." in parts:
        raise BadNameError("a path that leads to a parent folder")
    if any(_DRIVE.match(part) for part in parts):
        raise BadNameError("the name of a drive")
    return parts
