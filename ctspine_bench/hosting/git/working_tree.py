"""Commits and pushes in a working tree that the organizers trust."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from ctspine_bench.errors import SubmissionError
from ctspine_bench.hosting.git.repository import Repository, decoded, git_error, shown

if TYPE_CHECKING:
    from collections.abc import Sequence


class WorkingTree(Repository):
    """The working tree of a git repository; everything runs from its top, whatever folder in it was given."""

    def branch(self) -> str:
        """Return the full name of the branch that HEAD is on.

        Raises:
            SubmissionError: `E_GIT`: HEAD is on no branch.
        """
        output = self.call("symbolic-ref", "--quiet", "HEAD")
        name = output.content.decode("utf-8", "surrogateescape").strip()
        if output.returncode or not name.startswith("refs/heads/"):
            raise git_error("HEAD on a branch", "a detached HEAD", "Switch to the branch: git switch main.")
        return name

    def check_identity(self) -> None:
        """Make sure that commits can be made.

        Raises:
            SubmissionError: `E_GIT`: git does not know in whose name.
        """
        if self.call("var", "GIT_COMMITTER_IDENT").returncode:
            advice = "Tell git: git config user.name and git config user.email."
            raise git_error("a name and an address for commits", "none", advice)

    def uncommitted(self, folder: str) -> tuple[str, ...]:
        """Return the paths in a folder of the working tree that differ from HEAD or are not in it, staged or not."""
        content = self.run(
            "status", "--porcelain=v1", "-z", "--no-renames", "--untracked-files=all", "--ignore-submodules=none",
            "--", folder,
        )  # fmt: skip
        return tuple(sorted(decoded(entry[3:]) for entry in content.split(b"\0") if entry))

    def commit_files(self, paths: Sequence[str], message: str) -> str | None:
        """Commit some files of the working tree, and nothing else, whatever is in the index beside them.

        The last step is the one that counts; if this process is killed before it, the files are staged at most and the
        next call does the rest.

        Returns:
            Name of the commit; `None` if HEAD holds the files already.

        Raises:
            SubmissionError: `E_MOVED`: HEAD has moved meanwhile; `E_GIT`: git failed.
        """
        branch, head = self.branch(), self.commit("HEAD")
        names = "\0".join(paths).encode("utf-8", "surrogateescape")
        self.run("update-index", "--add", "-z", "--stdin", content=names)
        with TemporaryDirectory() as scratch:
            index = {"GIT_INDEX_FILE": str(Path(scratch) / "index")}
            self.run("read-tree", head, environment=index)
            self.run("update-index", "--add", "-z", "--stdin", content=names, environment=index)
            tree = self.text("write-tree", environment=index)
        if tree == self.text("rev-parse", "--verify", f"{head}^{{tree}}"):
            return None
        new = self.text("commit-tree", "-p", head, "-F", "-", tree, content=message.encode())
        self._move(branch, head, new, message)
        return new

    def _move(self, branch: str, old: str, new: str, message: str) -> None:
        reason = f"commit: {message.splitlines()[0]}"
        output = self.call("update-ref", "-m", reason, branch, new, old)
        if output.returncode and self.commit("HEAD") != old:
            raise _moved(branch, "another commit was made meanwhile", "Run the command again.")
        self.check(output, "update-ref")

    def push(self) -> None:
        """Push HEAD to the upstream of its branch.

        Raises:
            SubmissionError: `E_MOVED`: the upstream has commits that are not here; `E_GIT`: there is no upstream, or
                git failed.
        """
        branch = self.branch()
        form = "--format=%(upstream:remotename)%00%(upstream:remoteref)"
        remote, _, ref = self.text("for-each-ref", form, branch).partition("\0")
        if not remote or not ref:
            advice = "Set one: git push --set-upstream origin HEAD."
            raise git_error(f"an upstream of {shown(branch)}", "none", advice)
        arguments = ("push", "--porcelain", "--no-verify", "--no-follow-tags", "--recurse-submodules=no")
        output = self.call(*arguments, "--end-of-options", remote, f"{branch}:{ref}", offline=False)
        if b"[rejected]" in output.content:
            raise _moved(branch, "the upstream has commits that are not here", "Pull, then run the command again.")
        self.check(output, "push")


def _moved(branch: str, found: str, advice: str) -> SubmissionError:
    return SubmissionError("E_MOVED", shown(branch), expected="the branch as it was", found=found, advice=advice)
