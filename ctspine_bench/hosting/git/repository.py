"""git by its plumbing commands, for repositories whose commits may come from strangers.

Nothing of a commit is checked out; no hook, filter, pager, external diff or transport of the repository runs on
reading; whatever git prints is cut off at a limit, as a few kilobytes of trees can spell out billions of paths.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ctspine_bench.errors import SubmissionError
from ctspine_bench.hosting.git.process import MAX_OUTPUT, Output, run_git
from ctspine_bench.submissions import plain_text

if TYPE_CHECKING:
    from collections.abc import Iterable

SUBMODULE: Final = "160000"
"""git's mode of a submodule, whose name stands for a commit of another repository."""

TREE: Final = "040000"
"""git's mode of a folder."""

_MAX_SHOWN: Final = 200
_OBJECT: Final = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


@dataclass(frozen=True)
class TreeFile:
    """One file in a commit.

    Attributes:
        path: From the root of the repository, '/' between the parts; bytes that are not UTF-8 as lone surrogates.
        mode: git's mode.
        blob: Name of its content; of a submodule, of a commit elsewhere.
    """

    path: str
    mode: str
    blob: str


class Repository:
    """A git repository on this machine, bare or with a working tree.

    Args:
        folder: Any folder in it.
        timeout_s: Longest time for one git command, in seconds.

    Attributes:
        folder: The top of its working tree, or the folder that was given if there is none.

    Raises:
        SubmissionError: `E_GIT`: it is none, or git is not installed.
    """

    def __init__(self, folder: Path, *, timeout_s: float = 60) -> None:
        self.folder = folder
        self._timeout_s = timeout_s
        if not folder.is_dir():
            raise git_error("a git repository", "no such folder", "Give the folder of the repository.")
        top = self.call("rev-parse", "--show-toplevel")
        if top.returncode:
            self.run("rev-parse", "--git-dir")  # is there a bare one, at least?
        else:
            self.folder = Path(os.fsdecode(top.content.removesuffix(b"\n")))

    def commit(self, ref: str) -> str:
        """Return the name (SHA) of the commit that a branch, tag or expression stands for.

        Raises:
            SubmissionError: `E_GIT`: there is no such commit.
        """
        arguments = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
        # No argument can hold a null byte.
        name = "" if "\0" in ref else self.call(*arguments).content.decode("ascii", "replace").strip()
        # `^ref` is an expression as well and gives `^name`.
        if not _OBJECT.fullmatch(name):
            advice = "Give a branch or commit that is there; fetch it first."
            raise git_error("the name of a commit", shown(ref) or "nothing", advice)
        return name

    def merge_base(self, base: str, head: str) -> str:
        """Return the commit at which a branch left another.

        Args:
            base: Name of a commit, as `commit` returns it.
            head: Likewise.

        Raises:
            SubmissionError: `E_GIT`: there is none or more than one, or the repository does not hold the whole history.
        """
        if self.text("rev-parse", "--is-shallow-repository") == "true":
            advice = "Fetch the rest: git fetch --unshallow."
            raise git_error("a repository with its whole history", "a shallow clone", advice)
        output = self.call("merge-base", "--all", "--end-of-options", base, head)
        found = output.content.decode("ascii").split()
        if output.returncode not in {0, 1} or len(found) > 1:
            # With several, a change could hide in the difference between them.
            advice = "Rebase the branch onto the base branch."
            raise git_error("one commit at which the branch left the base branch", f"{len(found)} of them", advice)
        if not found:
            advice = "Start the branch anew from the base branch."
            raise git_error("a branch that grew from the base branch", "no commit in common", advice)
        return found[0]

    def tree(self, name: str) -> dict[str, TreeFile]:
        """Return name → file or folder of what one folder of a commit holds; paths are relative to it.

        Raises:
            SubmissionError: `E_GIT`: there is no such tree, or git would not have made it: a name twice or with a '/'.
        """
        content = self.run("ls-tree", "-z", "--full-tree", "--end-of-options", name)
        entries = [_tree_file(entry) for entry in content.split(b"\0") if entry]
        found = {entry.path: entry for entry in entries}
        if len(found) < len(entries) or any("/" in path for path in found):
            raise git_error("folders as git makes them", "a name that is there twice or is a path", "Commit with git.")
        return found

    def files(self, commit: str, path: str) -> tuple[TreeFile, ...]:
        """Return the file of a path in a commit, or, if it ends with '/', all files in that folder."""
        content = self.run("ls-tree", "-r", "-z", "--full-tree", "--end-of-options", commit, path)
        return tuple(_tree_file(entry) for entry in content.split(b"\0") if entry)

    def file_at(self, commit: str, path: str, max_bytes: int) -> bytes | None:
        """Return the content of a file in a commit, `None` if it is not there.

        Raises:
            SubmissionError: `E_LIMIT`: it is longer than `max_bytes`.
        """
        blobs = [file.blob for file in self.files(commit, path) if file.path == path and file.mode != SUBMODULE]
        return self.read_blob(blobs[0], max_bytes) if blobs else None

    def blob_sizes(self, blobs: Iterable[str]) -> dict[str, int]:
        """Return blob → size in bytes, without reading any.

        Raises:
            SubmissionError: `E_GIT`: one is missing, or no blob.
        """
        names = "".join(f"{blob}\n" for blob in dict.fromkeys(blobs))
        lines = self.run("cat-file", "--batch-check", content=names.encode()).decode("ascii").splitlines()
        sizes = {}
        for name, kind, *size in (line.split() for line in lines):
            if kind != "blob":
                raise git_error("a repository that holds its objects", f"{name} {kind}", "Fetch it again.")
            sizes[name] = int(size[0])
        return sizes

    def read_blob(self, blob: str, max_bytes: int) -> bytes:
        """Return the content of a blob as it is stored: no filter or conversion is applied.

        Raises:
            SubmissionError: `E_LIMIT`: it is longer than `max_bytes`; `E_GIT`: it is missing.
        """
        size = self.blob_sizes([blob])[blob]
        if size > max_bytes:
            raise _limit(f"a file of at most {max_bytes} bytes", f"{size} bytes")
        return self.run("cat-file", "blob", blob, max_bytes=max_bytes)

    def text(self, *arguments: str, **settings: Any) -> str:
        """Return what a git command prints as text, without the line end. Settings are those of `run_git`."""
        output = self.run(*arguments, **settings)
        return output.decode("utf-8", "surrogateescape").removesuffix("\n")

    def run(self, *arguments: str, max_bytes: int = MAX_OUTPUT, **settings: Any) -> bytes:
        """Return what a git command prints.

        Raises:
            SubmissionError: `E_GIT`: it failed; `E_LIMIT`: it printed more than `max_bytes`; `E_TIMEOUT`.
        """
        output = self.call(*arguments, max_bytes=max_bytes, **settings)
        if output.cut:
            raise _limit(f"at most {max_bytes} bytes from git {arguments[0]}", "more")
        self.check(output, arguments[0])
        return output.content

    def call(self, *arguments: str, **settings: Any) -> Output:
        """Run a git command, which may fail."""
        return run_git(self.folder, arguments, timeout_s=self._timeout_s, **settings)

    def check(self, output: Output, name: str) -> None:
        """Raise `E_GIT` if a command has failed."""
        if output.returncode:
            found = shown(output.message) or f"exit code {output.returncode}"
            advice = "See what git says; if it speaks of a lock and no other git is at work here, remove that file."
            raise git_error(f"git {name} to work", found, advice)


def shown(text: str) -> str:
    """Return a path, a ref or a message of git in a form that stays on its line and shows what is in it."""
    return plain_text.shown(text, _MAX_SHOWN)


def _tree_file(entry: bytes) -> TreeFile:
    description, _, path = entry.partition(b"\t")
    mode, _, blob = description.decode("ascii").split()
    return TreeFile(decoded(path), mode, blob)


def decoded(path: bytes) -> str:
    """Return a path that git printed; bytes that are not UTF-8 become lone surrogates."""
    return path.decode("utf-8", "surrogateescape")


def git_error(expected: str, found: str, advice: str) -> SubmissionError:
    """Return an error about a repository; it does not say where that is on this machine."""
    return SubmissionError("E_GIT", None, expected=expected, found=found, advice=advice)


def _limit(expected: str, found: str) -> SubmissionError:
    return SubmissionError("E_LIMIT", None, expected=expected, found=found, advice="Make it smaller.")
