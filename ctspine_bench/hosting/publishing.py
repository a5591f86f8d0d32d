"""Results of merged submissions: from the private store into the repository, one commit for each.

What is to be done is read from the working tree and the store each time: the next run finishes one that was killed.
A record is the old one or the new one at any time (`files.replacing_together`), and so is the branch
(`WorkingTree.commit_files`).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from ctspine_bench.errors import SubmissionError
from ctspine_bench.files import finish_replacing, replacing_together
from ctspine_bench.hosting.git.repository import shown
from ctspine_bench.hosting.git.working_tree import WorkingTree
from ctspine_bench.provenance import is_outdated
from ctspine_bench.submissions.folder import CASES, RESULTS, SUBMISSIONS
from ctspine_bench.submissions.reading import DECLARATION, check_declaration, read_declared
from ctspine_bench.tables import read_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from ctspine_bench.hosting.store import PrivateStore

_FILES: Final = (RESULTS, CASES)


@dataclass(frozen=True)
class Publication:
    """What became of the results of one submission.

    Attributes:
        slug: The submission.
        state: "published" now, "current" before, "waiting" for its scoring (again, if it was that of an earlier
            version), or "broken": what the store holds, or the declaration, cannot be used.
        commit: Name of the commit, if one was made.
        problem: Why it is broken.
    """

    slug: str
    state: Literal["published", "current", "waiting", "broken"]
    commit: str | None = None
    problem: SubmissionError | None = None


def publish(folder: Path, store: PrivateStore, *, commit: bool = True, push: bool = False) -> tuple[Publication, ...]:
    """Write the results of all scored submissions whose declaration was scored as it stands, and commit them.

    Args:
        folder: In the working tree of the repository, on the branch that the results belong to. No two at a time.
        store: Where scoring left the public records.
        commit: Make a commit for each submission, of its two files and nothing else.
        push: Push the branch to its upstream at the end, whether anything was new or not.

    Returns:
        One for each submission of kind scored, sorted by slug.

    Raises:
        SubmissionError: `E_GIT`: HEAD is on no branch, other files in submissions/ are not committed, git failed;
            `E_MOVED`: the branch or its upstream has got other commits meanwhile.
        OSError: A file cannot be written.
    """
    repository = WorkingTree(folder)
    repository.branch()
    if commit:
        repository.check_identity()
    submissions = repository.folder / SUBMISSIONS
    for declaration in submissions.glob(f"*/{DECLARATION}"):
        finish_replacing(declaration.parent)
    found = [_look_up(path.parent, store) for path in sorted(submissions.glob(f"*/{DECLARATION}"))]
    _refuse_other_changes(repository, [item.slug for item in found if isinstance(item, _Scored)])
    done = [_publish(repository, item, commit=commit) if isinstance(item, _Scored) else item for item in found]
    if push:
        repository.push()
    return tuple(publication for publication in done if publication)


@dataclass(frozen=True)
class _Scored:
    """A submission with the public record of its declaration.

    Attributes:
        slug: The submission.
        contents: File name → content.
        message: Of the commit.
    """

    slug: str
    contents: Mapping[str, bytes]
    message: str


def _look_up(folder: Path, store: PrivateStore) -> _Scored | Publication | None:
    """Find out what is to be done about a merged submission; `None` for a record of published results."""
    slug = folder.name
    try:
        content = read_declared(folder)
        declaration, problems = check_declaration(content, f"{SUBMISSIONS}/{slug}/{DECLARATION}")
        if declaration is None:
            return Publication(slug, "broken", problem=problems[0])
        if declaration.kind != "scored":
            return None
        digest = hashlib.sha256(content).hexdigest()
        record = store.public_record(slug, digest)
        if record and not _is_outdated(record):
            return _read(record, slug, digest)
    except SubmissionError as problem:
        return Publication(slug, "broken", problem=problem)
    return Publication(slug, "current" if _is_current(folder, slug, digest) else "waiting")


def _is_outdated(record: Path) -> bool:
    """Whether a record is of an earlier version: it waits until it is scored again."""
    try:
        return is_outdated(json.loads((record / RESULTS).read_bytes()))
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return False  # missing or broken, which is for others to say


def _is_current(folder: Path, slug: str, digest: str) -> bool:
    if _is_outdated(folder):
        return False
    try:
        _read(folder, slug, digest)
    except SubmissionError:
        return False
    return True


def _read(record: Path, slug: str, digest: str) -> _Scored:
    """Read a record that is to be about a declaration of a submission.

    Raises:
        SubmissionError: `E_RECORD`: a file is missing or broken, they do not belong together or to this declaration, or
            there are rows of private cases.
    """
    try:
        contents = {name: (record / name).read_bytes() for name in _FILES}
        results = json.loads(contents[RESULTS])
        submission, cases_sha256 = results["submission"], results["cases_sha256"]
        about = (submission["slug"], submission["declaration_sha256"])
        private = {name for name, test_set in results["test_sets"].items() if test_set["private"]}
        message = _message(slug, results)
        with_rows = set(read_table(record / CASES)["test_set"])
    except OSError as error:
        raise _broken(slug, f"{(error.strerror or 'an error').lower()} for one") from None
    except (ValueError, LookupError, TypeError, AttributeError, NotImplementedError):
        raise _broken(slug, "one of another form") from None
    if about != (slug, digest):
        raise _broken(slug, "results of another submission or declaration")
    if cases_sha256 != hashlib.sha256(contents[CASES]).hexdigest():
        raise _broken(slug, f"a {CASES} that {RESULTS} is not about")
    if private & with_rows:
        raise _broken(slug, "rows of single cases of a private test set")
    return _Scored(slug, contents, message)


def _broken(slug: str, found: str) -> SubmissionError:
    return SubmissionError(
        "E_RECORD",
        f"{SUBMISSIONS}/{slug}",
        expected=f"{RESULTS} and {CASES} of one scoring of this declaration in the private store",
        found=found,
        advice="Score the submission again.",
    )


def _refuse_other_changes(repository: WorkingTree, slugs: Iterable[str]) -> None:
    """Raise if files are not committed that are no results which are about to be published.

    Those may be there uncommitted: this process was killed before, or was told not to commit.
    """
    ours = {f"{SUBMISSIONS}/{slug}/{name}" for slug in slugs for name in _FILES}
    if others := [path for path in repository.uncommitted(f"{SUBMISSIONS}/") if path not in ours]:
        raise SubmissionError(
            "E_GIT",
            shown(others[0]),
            expected=f"all of {SUBMISSIONS}/ committed",
            found=f"{len(others)} files that differ from HEAD or are not in it",
            advice="Commit or discard them; git status shows them.",
        )


def _publish(repository: WorkingTree, scored: _Scored, *, commit: bool) -> Publication:
    folder = repository.folder / SUBMISSIONS / scored.slug
    is_new = any(_content(folder / name) != content for name, content in scored.contents.items())
    if is_new:
        with replacing_together(folder) as temporary:
            for name, content in scored.contents.items():
                (temporary / name).write_bytes(content)
    made = None
    if commit:
        paths = [f"{SUBMISSIONS}/{scored.slug}/{name}" for name in scored.contents]
        made = repository.commit_files(paths, scored.message)
    return Publication(scored.slug, "published" if is_new or made else "current", made)


def _content(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def _message(slug: str, results: Mapping[str, Any]) -> str:
    return (
        f"Results of {slug}\n\n"
        f"Scored on {', '.join(results['test_sets'])} by ctspine-bench {results['provenance']['version']}.\n"
        f"Declaration: sha256 {results['submission']['declaration_sha256']}\n"
    )
