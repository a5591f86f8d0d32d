"""Git repositories for tests: real ones, made by the git command in a temporary folder.

    project = GitRepository.make(tmp_path / "project")                      # one commit on main
    project.commit({"submissions/a/submission.yaml": declaration()})       # on the branch that is checked out
    head = project.submit("my-method")                                      # a branch with one submission, from main
    project.commit_tree([("120000", b"submission.yaml", "/etc/passwd")])    # what git's porcelain would not make

No configuration of this machine is read; the identity is in the configuration of each repository.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

from ctspine_bench.provenance import ENGINE_VERSION
from ctspine_bench.submissions.folder import CASES, RESULTS
from ctspine_bench.tables import SCHEMA_VERSION, case_table, write_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

ENVIRONMENT = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")} | {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "LC_ALL": "C",
}

_DECLARATION = """\
schema_version: 1
kind: {kind}
name: {name}
team: Example group
contact: group@example.org
owners: {owners}
date: 2026-11-01
description: A network for spines.
licence: CC-BY-4.0
training:
  data: [CTSpine1K training set]
  uses_verse: false
  uses_test_cases: false
coverage: partial
coverage_reason: An example.
"""
_ARCHIVE = """\
test_sets:
  public:
    url: https://zenodo.org/records/1/files/public.tar
    sha256: "{sha256}"
    size: 1000
"""


def declaration(name: str = "Example", *, owners: str = "[example-login]", kind: str = "scored") -> str:
    """A valid submission.yaml."""
    text = _DECLARATION.format(name=name, owners=owners, kind=kind)
    return text + (_ARCHIVE.format(sha256="0" * 64) if kind == "scored" else "source: An example paper.\n")


class GitRepository:
    """A repository in a folder, with the steps that tests take in it.

    Attributes:
        folder: Its working tree, or itself when it is bare.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def make(cls, folder: Path, files: Mapping[str, str | bytes] | None = None) -> GitRepository:
        """A new repository with one commit on main: a README unless other files are given."""
        folder.mkdir(parents=True)
        repository = cls(folder)
        repository.git("init", "--quiet", "--template=", "--initial-branch=main")
        repository._configure()
        repository.commit(files or {"README.md": "A benchmark.\n"})
        return repository

    def clone(self, folder: Path, *options: str) -> GitRepository:
        """A clone of this repository with an upstream, or a bare one with the option --bare."""
        self.git("clone", "--quiet", "--template=", *options, str(self.folder), str(folder))
        other = GitRepository(folder)
        other._configure()
        return other

    def copy(self, folder: Path) -> GitRepository:
        """The same repository again, which is quicker than making one."""
        return GitRepository(shutil.copytree(self.folder, folder, symlinks=True))

    def _configure(self) -> None:
        config = next(path for path in (self.folder / ".git" / "config", self.folder / "config") if path.is_file())
        with config.open("a") as stream:
            stream.write("[user]\n name = Test\n email = test@example.org\n[gc]\n auto = 0\n")

    def git(self, *arguments: str, content: bytes = b"") -> str:
        """Run git here and return what it prints, without the line end."""
        done = subprocess.run(
            ["git", *arguments], cwd=self.folder, env=ENVIRONMENT, input=content, capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode("utf-8", "surrogateescape").removesuffix("\n")

    def commit(self, files: Mapping[str, str | bytes | None], message: str = "A change") -> str:
        """Write files (None deletes one), commit all that is new in the working tree, and return the commit."""
        for path, content in files.items():
            file = self.folder / path
            if content is None:
                file.unlink()
                continue
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content.encode() if isinstance(content, str) else content)
        self.git("add", "--all", "--force")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        return self.git("rev-parse", "HEAD")

    def submit(self, slug: str, content: str | bytes | None = None, *, start: str = "main") -> str:
        """Make a branch named like the slug from `start`, with its declaration; it is checked out afterwards."""
        self.git("switch", "--quiet", "--create", slug, start)
        return self.commit({f"submissions/{slug}/submission.yaml": content or declaration(slug)}, f"Add {slug}")

    def blob(self, content: bytes) -> str:
        """Store a blob and return its name."""
        return self.git("hash-object", "-w", "--stdin", content=content)

    def tree(self, entries: Iterable[tuple[str, bytes, str]]) -> str:
        """Store a tree of (mode, name, object) and return its name; nothing is checked, not even the names."""
        content = b"".join(
            mode.lstrip("0").encode() + b" " + name + b"\0" + bytes.fromhex(target) for mode, name, target in entries
        )
        return self.git("hash-object", "-w", "-t", "tree", "--literally", "--stdin", content=content)

    def commit_of(self, tree: str, *parents: str) -> str:
        """Store a commit of a tree and return its name; no branch moves."""
        return self.git("commit-tree", tree, *(f"-p{parent}" for parent in parents), content=b"A change\n")

    def commit_path(self, path: str | bytes, target: str, *, mode: str = "100644", parent: str = "main") -> str:
        """Store a commit that differs from its parent in one path, whatever it is called, and return its name.

        Args:
            path: From the top; parts may be `..` or anything else.
            target: The object that it is to be.
            mode: git's mode.
            parent: The commit to start from.
        """
        parts = (path.encode() if isinstance(path, str) else path).split(b"/")
        tree = self._with_path(self.git("rev-parse", f"{parent}^{{tree}}"), parts, mode, target)
        return self.commit_of(tree, parent)

    def _with_path(self, tree: str | None, parts: list[bytes], mode: str, target: str) -> str:
        entries = self._entries(tree) if tree else {}
        name, *rest = parts
        if rest:
            old = entries.get(name)
            entries[name] = (
                "40000",
                self._with_path(old[1] if old and old[0] == "40000" else None, rest, mode, target),
            )
        else:
            entries[name] = (mode, target)
        # git sorts a folder as if its name ended with a slash.
        order = sorted(entries.items(), key=lambda item: item[0] + (b"/" if item[1][0] == "40000" else b""))
        return self.tree((mode, name, target) for name, (mode, target) in order)

    def _entries(self, tree: str) -> dict[bytes, tuple[str, str]]:
        lines = self.git("ls-tree", "-z", tree).encode("utf-8", "surrogateescape").split(b"\0")
        entries = (line.partition(b"\t") for line in lines if line)
        return {name: (about.split()[0].decode().lstrip("0"), about.split()[2].decode()) for about, _, name in entries}

    def log(self, *arguments: str) -> list[str]:
        """Subjects of the commits of HEAD, newest first."""
        return self.git("log", "--format=%s", *arguments).splitlines()

    def status(self) -> str:
        """What git status says, in short form."""
        return self.git("status", "--porcelain", "--untracked-files=all")


def write_public_record(folder: Path, slug: str, content: str | bytes, **additions: Any) -> None:
    """Write results.json and cases.parquet as scoring leaves them for a declaration, as small as they can be.

    Args:
        folder: Where to, made when missing.
        slug: Of the submission.
        content: Of its submission.yaml.
        additions: More fields of results.json, or other values.
    """
    write_table(case_table([], "public"), folder / CASES)
    digest = hashlib.sha256(content.encode() if isinstance(content, str) else content).hexdigest()
    results = {
        "schema_version": SCHEMA_VERSION,
        "kind": "scored",
        "submission": {"slug": slug, "declaration_sha256": digest, "archives": {}, "commit": None},
        "test_sets": {"public": {"private": False}, "private": {"private": True}},
        "provenance": {"version": "1.2.3", "engine_version": ENGINE_VERSION},
        "cases_sha256": hashlib.sha256((folder / CASES).read_bytes()).hexdigest(),
        **additions,
    }
    (folder / RESULTS).write_text(json.dumps(results, indent=2))
