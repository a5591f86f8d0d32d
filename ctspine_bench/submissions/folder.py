"""What may be in `submissions/<slug>/`, and what the folder may be called."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ctspine_bench.errors import SubmissionError
from ctspine_bench.submissions.plain_text import shown
from ctspine_bench.submissions.reading import DECLARATION, MAX_BYTES, capped, check_declaration

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ctspine_bench.submissions.declaration import Declaration

SUBMISSIONS: Final = "submissions"
"""The folder of all submissions, at the root of the repository."""

RESULTS: Final = "results.json"
CASES: Final = "cases.parquet"
"""What the scorer writes beside the declaration."""

_SLUG: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_SLUG_LENGTHS: Final = range(2, 51)
# Names that Windows keeps for devices: a repository with such a folder cannot be checked out there.
_DEVICES: Final = frozenset(
    {"con", "prn", "aux", "nul", *(f"{port}{number}" for port in ("com", "lpt") for number in range(10))}
)
_MODES: Final = {
    "100755": "an executable file",
    "120000": "a symbolic link",
    "160000": "a submodule",
    "040000": "a folder",
}
_PLAIN: Final = "100644"


@dataclass(frozen=True)
class FileEntry:
    """A file as it would be in the repository.

    Attributes:
        path: Relative to the root of the repository, `/` separated.
        mode: As git has it: "100644" plain, "100755" executable, "120000" link, "160000" submodule.
        size: In bytes.
        read: Returns the content.
    """

    path: str
    mode: str
    size: int
    read: Callable[[], bytes]


def check_slug(slug: str) -> None:
    """Refuse what cannot be the name of a submission's folder.

    Raises:
        SubmissionError: `E_SLUG`.
    """
    if _SLUG.fullmatch(slug) and len(slug) in _SLUG_LENGTHS and slug not in _DEVICES:
        return
    found = "a name that Windows keeps for a device" if slug in _DEVICES else f"{shown(slug)!r}"
    raise SubmissionError(
        "E_SLUG",
        f"{SUBMISSIONS}/{shown(slug)}",
        expected="2–50 lower-case letters and digits, in words joined by single hyphens",
        found=found,
        advice="Choose a name such as my-method-2.",
    )


def check_files(slug: str, entries: Sequence[FileEntry]) -> tuple[Declaration | None, tuple[SubmissionError, ...]]:
    """Check the files that a pull request adds or changes in the folder of one submission.

    Only `submission.yaml` may be there: a plain file, small, valid.

    Args:
        slug: The name of the folder.
        entries: The files in it that are new or changed.

    Returns:
        The declaration, `None` if it has a problem itself, and all problems: `E_SLUG`, `E_PATH`, `E_RESULTS`,
        `E_NOT_FOUND` and those of `check_declaration`.
    """
    problems: list[SubmissionError] = []
    try:
        check_slug(slug)
    except SubmissionError as error:
        problems.append(error)
    wanted = f"{SUBMISSIONS}/{slug}/{DECLARATION}"
    problems += capped(
        [_stray_file(entry.path) for entry in sorted(entries, key=lambda entry: entry.path) if entry.path != wanted],
        f"{SUBMISSIONS}/{shown(slug)}",
    )
    entry = next((entry for entry in entries if entry.path == wanted), None)
    path = f"{SUBMISSIONS}/{shown(slug)}/{DECLARATION}"
    if entry is None:
        return None, (*problems, _missing(path))
    if entry.mode != _PLAIN:
        return None, (*problems, _wrong_mode(path, entry.mode))
    if entry.size > MAX_BYTES:
        return None, (*problems, _too_large(path, entry.size))
    declaration, found = check_declaration(entry.read(), path)
    return declaration, (*problems, *found)


def _stray_file(path: str) -> SubmissionError:
    name = path.rpartition("/")[2].casefold()
    if name in {RESULTS, CASES}:
        return SubmissionError(
            "E_RESULTS",
            shown(path, 200),
            expected="no result files in a submission",
            found="one",
            advice="Leave it out: after the merge the organizers' scorer writes the results.",
        )
    return SubmissionError(
        "E_PATH",
        shown(path, 200),
        expected=f"{DECLARATION} alone: a submission is data, and its predictions are an archive elsewhere",
        found="another file",
        advice=f"Leave it out of the pull request; link code and papers in {DECLARATION}.",
    )


def _missing(path: str) -> SubmissionError:
    advice = "`ctspine-bench submission new` writes one."
    return SubmissionError("E_NOT_FOUND", path, expected="this file", found="no such file", advice=advice)


def _wrong_mode(path: str, mode: str) -> SubmissionError:
    found = _MODES.get(mode, f"mode {shown(mode)}")
    advice = "Replace a link by the file itself; `chmod -x` takes the right to execute away."
    return SubmissionError("E_PATH", path, expected="a plain file", found=found, advice=advice)


def _too_large(path: str, size: int) -> SubmissionError:
    advice = "Shorten the description; everything else belongs behind a link."
    return SubmissionError(
        "E_YAML", path, expected=f"at most {MAX_BYTES:,} bytes", found=f"{size:,} bytes", advice=advice
    )
