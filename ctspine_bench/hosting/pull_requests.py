"""What a pull request may change: the declaration of one submission, and nothing else.

What counts is the difference between the head and the commit at which it left the base branch: what a merge brings.
It is read from git's objects and never checked out. Whose a submission is, the base branch says as it is now.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from ctspine_bench.errors import SubmissionError
from ctspine_bench.hosting.git.changes import DELETED, Change, changes_between
from ctspine_bench.hosting.git.repository import SUBMODULE, Repository, TreeFile, shown
from ctspine_bench.submissions.folder import CASES, RESULTS, SUBMISSIONS, FileEntry, check_files
from ctspine_bench.submissions.reading import DECLARATION, MAX_BYTES, check_declaration

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ctspine_bench.submissions.declaration import Declaration

MAX_CHANGES: Final = 100
"""How many files a pull request may change before it is refused as a whole: a valid one changes one."""


@dataclass(frozen=True)
class PullRequestCheck:
    """What was found in a pull request.

    Attributes:
        base: Name of the commit that it would be merged into.
        head: Name of the commit that was checked; what is done with the pull request later must be done with this one.
        slugs: The submissions that it touches, sorted.
        declarations: Slug → what is declared, as far as it is valid.
        problems: All that is wrong, sorted; the pull request is fine if there is nothing. Their paths are those inside
            the repository.
    """

    base: str
    head: str
    slugs: tuple[str, ...]
    declarations: Mapping[str, Declaration]
    problems: tuple[SubmissionError, ...]


def check_pull_request(
    repository: Repository, base: str, head: str, *, author: str | None = None, allow_several: bool = False
) -> PullRequestCheck:
    """Check which files a pull request changes, and the submission in it.

    Args:
        repository: Holds both branches with their whole history.
        base: Branch or commit that it would be merged into.
        head: Branch or commit that it brings.
        author: Account that opened it, which must be among the owners of what it brings or changes. Without, a new
            submission may be anybody's, and every one that exists counts as somebody else's.
        allow_several: Whether it may bring more than one submission.

    Raises:
        SubmissionError: `E_GIT`: there is no such commit; `E_TIMEOUT`.
    """
    base, head = repository.commit(base), repository.commit(head)
    try:
        changes = changes_between(repository, repository.merge_base(base, head), head, MAX_CHANGES)
    except SubmissionError as problem:
        return PullRequestCheck(base, head, (), {}, (problem,))
    by_slug: dict[str | None, list[Change]] = defaultdict(list)
    for change in changes:
        by_slug[_slug_of(change.path)].append(change)
    problems = [_stray(change) for change in by_slug.pop(None, [])]
    slugs = tuple(sorted(slug for slug in by_slug if slug))
    if not changes:
        problems.append(_no_change())
    if len(slugs) > 1 and not allow_several:
        problems.append(_several(slugs))

    board = _Board(repository, base)
    declarations = {}
    for slug in slugs:
        declaration, found = _check_content(repository, slug, [*by_slug[slug], *board.unchanged(slug, head, changes)])
        problems += [*found, *board.problems(slug, declaration, author), *_collisions(slug, slugs)]
        if declaration:
            declarations[slug] = declaration
    problems.sort(key=lambda problem: (problem.path or "", problem.code, problem.found))
    return PullRequestCheck(base, head, slugs, declarations, tuple(problems))


def declaration_at(repository: Repository, commit: str, slug: str) -> bytes | None:
    """Return the submission.yaml of a submission as it is in a commit, `None` if there is none."""
    return repository.file_at(commit, f"{SUBMISSIONS}/{slug}/{DECLARATION}", MAX_BYTES)


class _Board:
    """The submissions on the base branch, which decide who may change what."""

    def __init__(self, repository: Repository, base: str) -> None:
        self._repository = repository
        self._base = base
        self._slugs = {_slug_of(file.path) for file in repository.files(base, f"{SUBMISSIONS}/")} - {None}

    def unchanged(self, slug: str, head: str, changes: Sequence[Change]) -> list[TreeFile]:
        """Return the declaration that a pull request leaves as it is while it changes other files of a submission."""
        path = f"{SUBMISSIONS}/{slug}/{DECLARATION}"
        if slug not in self._slugs or path in {change.path for change in changes}:
            return []
        return [file for file in self._repository.files(head, path) if file.path == path]

    def problems(self, slug: str, brought: Declaration | None, author: str | None) -> list[SubmissionError]:
        """Return why a submission may not be added or changed by the author of the pull request."""
        if brought and brought.kind != "scored":
            return [_not_scored(slug)]
        if slug not in self._slugs:
            same = sorted(other for other in self._slugs if other and other.casefold() == slug.casefold())
            return [*(_collision(slug, other) for other in same), *_not_an_owner(slug, brought, author)]
        content = declaration_at(self._repository, self._base, slug)
        declaration = None if content is None else check_declaration(content, f"{SUBMISSIONS}/{slug}/{DECLARATION}")[0]
        if declaration and declaration.kind != "scored":
            return [_not_scored(slug)]
        if author and declaration and _owns(author, declaration):
            return []
        return [
            SubmissionError(
                "E_OWNER",
                f"{SUBMISSIONS}/{shown(slug)}",
                expected="a folder name that is free, or a pull request of one of the submission's owners",
                found=f"a submission on the base branch, and a pull request by {shown(author or 'an unknown account')}",
                advice="Choose another name. If it is yours, open the pull request from an account in its `owners`.",
            )
        ]


def _slug_of(path: str) -> str | None:
    """Return the submission that a path belongs to, `None` if it is in the folder of none."""
    top, _, rest = path.partition("/")
    slug, inside, _ = rest.partition("/")
    return slug if top == SUBMISSIONS and slug and inside else None


def _check_content(
    repository: Repository, slug: str, files: Sequence[TreeFile]
) -> tuple[Declaration | None, list[SubmissionError]]:
    """Check the files of one submission; none is read before its size is known."""
    problems = [_deletion(file.path) for file in files if file.mode == DELETED]
    brought = [file for file in files if file.mode != DELETED]
    if not brought:
        return None, problems
    sizes = repository.blob_sizes(file.blob for file in brought if file.mode != SUBMODULE)
    entries = [
        FileEntry(file.path, file.mode, sizes.get(file.blob, 0), partial(repository.read_blob, file.blob, MAX_BYTES))
        for file in brought
    ]
    declaration, found = check_files(slug, entries)
    return declaration, [*problems, *found]


def _collisions(slug: str, slugs: Sequence[str]) -> list[SubmissionError]:
    """Return whether a submission of the same pull request has the same name but for the case of its letters."""
    return [_collision(slug, other) for other in slugs if other < slug and other.casefold() == slug.casefold()]


def _collision(slug: str, other: str) -> SubmissionError:
    return SubmissionError(
        "E_SLUG",
        f"{SUBMISSIONS}/{shown(slug)}",
        expected="a folder name of its own, whatever the case of its letters",
        found=f"one beside {shown(other)}",
        advice="Choose another folder name.",
    )


def _stray(change: Change) -> SubmissionError:
    return SubmissionError(
        "E_PATH",
        shown(change.path),
        expected=f"changes in {SUBMISSIONS}/<name>/{DECLARATION} alone",
        found={"A": "a new file", "D": "a deleted file"}.get(change.status, "a changed file"),
        advice="Take it out of the pull request; a change to the project is one of its own.",
    )


def _deletion(path: str) -> SubmissionError:
    is_result = path.rpartition("/")[2] in {RESULTS, CASES}
    return SubmissionError(
        "E_RESULTS" if is_result else "E_PATH",
        shown(path),
        expected="a pull request that deletes nothing",
        found="a deleted file",
        advice="Put it back: git checkout BASE -- PATH. To withdraw a submission, ask the organizers in an issue.",
    )


def _no_change() -> SubmissionError:
    return SubmissionError(
        "E_NOT_FOUND",
        SUBMISSIONS,
        expected=f"a new or changed {SUBMISSIONS}/<name>/{DECLARATION}",
        found="a pull request that changes nothing",
        advice="Commit the file, push, and check the branch that the pull request is from.",
    )


def _several(slugs: Sequence[str]) -> SubmissionError:
    names = ", ".join(shown(slug) for slug in slugs[:5]) + (", …" if len(slugs) > 5 else "")
    return SubmissionError(
        "E_SEVERAL",
        SUBMISSIONS,
        expected="one submission in a pull request",
        found=f"{len(slugs)}: {names}",
        advice="Open a pull request for each.",
    )


def _owns(author: str, declaration: Declaration) -> bool:
    return author.casefold() in {owner.casefold() for owner in declaration.owners}


def _not_an_owner(slug: str, brought: Declaration | None, author: str | None) -> list[SubmissionError]:
    """Return whether a new submission names others as its owners, but not who brings it."""
    if brought is None or author is None or _owns(author, brought):
        return []
    return [
        SubmissionError(
            "E_OWNER",
            f"{SUBMISSIONS}/{shown(slug)}/{DECLARATION}: owners",
            expected=f"{shown(author)}, who opened the pull request, among the owners",
            found=", ".join(brought.owners) or "none",
            advice="Add your account to `owners`.",
        )
    ]


def _not_scored(slug: str) -> SubmissionError:
    return SubmissionError(
        "E_OWNER",
        f"{SUBMISSIONS}/{shown(slug)}",
        expected="a submission of kind scored: other records are entered by the organizers",
        found="another kind, or a pull request that changes such a record",
        advice="Set kind to scored and submit predictions, or open an issue with the publication.",
    )
