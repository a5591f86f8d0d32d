"""The wrapper around git: what it reads, what it refuses, and that the repository cannot make it do anything else."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from git_repositories import GitRepository

from ctspine_bench.errors import SubmissionError
from ctspine_bench.hosting.git.changes import Change, changes_between
from ctspine_bench.hosting.git.repository import Repository, TreeFile, shown
from ctspine_bench.hosting.git.working_tree import WorkingTree

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def project(tmp_path: Path) -> GitRepository:
    return GitRepository.make(tmp_path / "project", {"a.txt": "one\n", "folder/b.txt": "two\n"})


@pytest.fixture
def identity(monkeypatch: pytest.MonkeyPatch) -> None:
    """No configuration of this machine takes part."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")


def refusal(call: object, *arguments: object) -> SubmissionError:
    """The error that a call ends with."""
    with pytest.raises(SubmissionError) as caught:
        call(*arguments)  # type: ignore[operator]
    return caught.value


def test_a_folder_that_is_no_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder without a repository, and one that is not there, are E_GIT."""
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    (tmp_path / "empty").mkdir()
    assert refusal(Repository, tmp_path / "empty").code == "E_GIT"
    assert refusal(Repository, tmp_path / "nothing").found == "no such folder"


def test_without_git_it_says_so(project: GitRepository, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine without git gets an error of one line."""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert refusal(Repository, project.folder).expected == "the program git"


def test_any_folder_in_the_working_tree_will_do(project: GitRepository) -> None:
    """The top is found from a folder below."""
    assert Repository(project.folder / "folder").folder == project.folder


def test_a_bare_repository_is_read_as_well(project: GitRepository, tmp_path: Path) -> None:
    """Nothing needs a working tree for reading."""
    bare = Repository(project.clone(tmp_path / "bare.git", "--bare").folder)
    assert bare.file_at(bare.commit("main"), "folder/b.txt", 100) == b"two\n"


def test_other_repositories_in_the_environment_do_not_count(
    project: GitRepository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Inside a hook git sets GIT_DIR and GIT_INDEX_FILE to another repository; the folder decides."""
    other = GitRepository.make(tmp_path / "other")
    monkeypatch.setenv("GIT_DIR", str(other.folder / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other.folder / ".git" / "index"))
    monkeypatch.setenv("GIT_OBJECT_DIRECTORY", str(other.folder / ".git" / "objects"))
    assert Repository(project.folder).commit("main") == project.git("rev-parse", "main")


@pytest.mark.parametrize("form", ["main", "HEAD", "v1", "refs/heads/main", "main~0"])
def test_branches_tags_and_expressions_stand_for_commits(project: GitRepository, form: str) -> None:
    """An annotated tag stands for its commit."""
    project.git("tag", "--annotate", "--message", "One", "v1")
    assert Repository(project.folder).commit(form) == project.git("rev-parse", "main")


@pytest.mark.parametrize(
    "ref", ["nothing", "", "main:a.txt", "main^{tree}", "^main", "a..b", "main..main", "-h", "--help", "x\0y", "a\nb"]
)
def test_what_is_no_commit(project: GitRepository, ref: str) -> None:
    """A file, a tree, a range, an option and text that no argument can hold are E_GIT, without a word of git."""
    error = refusal(Repository(project.folder).commit, ref)
    assert (error.code, error.path) == ("E_GIT", None)
    assert error.expected == "the name of a commit"


def test_changes_between_commits(project: GitRepository) -> None:
    """Each path with its status, new mode and content; a rename is a deletion and an addition."""
    old = project.git("rev-parse", "HEAD")
    project.git("mv", "a.txt", "c.txt")
    new = project.commit({"folder/b.txt": "changed\n", 'ünï "q"\t.txt': "new\n"})
    repository = Repository(project.folder)
    changes = {change.path: change for change in changes_between(repository, old, new, 10)}
    assert {path: change.status for path, change in changes.items()} == {
        "a.txt": "D",
        "c.txt": "A",
        "folder/b.txt": "M",
        'ünï "q"\t.txt': "A",
    }
    blob = project.blob(b"changed\n")
    assert changes["folder/b.txt"] == Change("folder/b.txt", "100644", blob, "M")
    assert repository.blob_sizes([blob]) == {blob: 8}
    assert repository.read_blob(blob, 8) == b"changed\n"
    assert repository.files(new, "folder/") == (TreeFile("folder/b.txt", "100644", blob),)


def test_no_configuration_changes_what_a_difference_is(project: GitRepository, tmp_path: Path) -> None:
    """Renames, external diffs, orders and ignored submodules in the configuration make no difference; nothing runs."""
    witness = tmp_path / "witness"
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch {witness}\n")
    program.chmod(0o755)
    settings = {
        "diff.renames": "copies",
        "diff.external": str(program),
        "diff.x.textconv": str(program),
        "diff.ignoreSubmodules": "all",
        "core.fsmonitor": str(program),
        "core.pager": str(program),
        "filter.x.smudge": str(program),
        "filter.x.clean": str(program),
    }
    for name, value in settings.items():
        project.git("config", name, value)
    old = project.git("rev-parse", "HEAD")
    project.git("-c", "core.fsmonitor=false", "update-index", "--add", "--cacheinfo", f"160000,{old},module")
    project.git("mv", "a.txt", "c.txt")
    new = project.git("commit-tree", "-p", old, "-m", "x", project.git("write-tree"))
    repository = Repository(project.folder)
    witness.unlink(missing_ok=True)
    assert [(c.path, c.status) for c in changes_between(repository, old, new, 9)] == [
        ("a.txt", "D"),
        ("c.txt", "A"),
        ("module", "A"),
    ]
    assert repository.file_at(new, "c.txt", 10) == b"one\n"
    assert not witness.exists()


def test_too_many_changes(project: GitRepository) -> None:
    """More changes than asked for are E_LIMIT, with the names of some."""
    old = project.git("rev-parse", "HEAD")
    new = project.commit({f"{number}.txt": "x" for number in range(4)})
    repository = Repository(project.folder)
    assert len(changes_between(repository, old, new, 4)) == 4
    error = refusal(changes_between, repository, old, new, 3)
    assert (error.code, error.found) == ("E_LIMIT", "more: 0.txt, 1.txt, 2.txt, …")


def test_a_file_that_is_too_large_is_not_read(project: GitRepository) -> None:
    """Size comes before content: one byte too many is E_LIMIT."""
    repository = Repository(project.folder)
    assert refusal(repository.file_at, "main", "a.txt", 3).code == "E_LIMIT"
    assert repository.file_at("main", "nothing", 3) is None
    assert repository.file_at("main", "folder", 3) is None


def test_objects_that_are_missing(project: GitRepository) -> None:
    """An object that is not there is E_GIT: it is not fetched from anywhere."""
    project.git("config", "remote.origin.url", "https://example.org/x.git")
    project.git("config", "remote.origin.promisor", "true")
    project.git("config", "extensions.partialClone", "origin")
    missing = "1" * 40
    assert refusal(Repository(project.folder).blob_sizes, [missing]).found == f"{missing} missing"


def test_nothing_is_fetched_on_reading(project: GitRepository, tmp_path: Path) -> None:
    """No transport is allowed but for pushing, not even to a folder."""
    other = project.clone(tmp_path / "other")
    output = Repository(other.folder).call("fetch", "origin")
    assert output.returncode != 0
    assert "not allowed" in output.message


def test_a_command_that_takes_too_long(project: GitRepository) -> None:
    """A command that does not end is stopped: E_TIMEOUT."""
    project.git("config", "alias.wait", "!exec >&-; sleep 5")
    assert refusal(Repository(project.folder, timeout_s=0.3).run, "wait").code == "E_TIMEOUT"


def test_files_become_folders_and_links(project: GitRepository) -> None:
    """A file in the place of a folder is an addition beside deletions; another type or mode is a modification."""
    old = project.git("rev-parse", "HEAD")
    project.commit({"a.txt": None, "folder/b.txt": None})
    (project.folder / "folder").rmdir()
    (project.folder / "folder").symlink_to("a.txt")
    new = project.commit({"a.txt/c": "x"})
    found = [(c.path, c.status, c.mode) for c in changes_between(Repository(project.folder), old, new, 9)]
    assert found == [
        ("a.txt", "D", "000000"),
        ("a.txt/c", "A", "100644"),
        ("folder", "A", "120000"),
        ("folder/b.txt", "D", "000000"),
    ]
    (project.folder / "folder").unlink()
    newest = project.commit({"folder": "x"})
    assert [(c.path, c.status) for c in changes_between(Repository(project.folder), new, newest, 9)] == [
        ("folder", "M")
    ]


def test_merge_base(project: GitRepository) -> None:
    """The commit at which a branch was left, whatever came to the base branch since."""
    left = project.git("rev-parse", "main")
    head = project.submit("one")
    project.git("switch", "--quiet", "main")
    base = project.commit({"c.txt": "three\n"})
    assert Repository(project.folder).merge_base(base, head) == left


def test_paths_and_messages_are_shown_on_one_line() -> None:
    """What could move the cursor, begin a line, or turn the text around becomes visible."""
    assert shown("a/b.yaml") == "a/b.yaml"
    assert shown("a\n::error::b\x1b[31m\u202e") == r"a\n::error::b\x1b[31m\u202e"
    assert shown("x" * 1000) == "x" * 199 + "…"


def test_only_the_named_files_are_committed(project: GitRepository, identity: None) -> None:
    """Other files stay as they are, staged or not, whatever is said by hooks and .gitignore."""
    hook = project.folder / ".git" / "hooks" / "pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    (project.folder / "new.bin").write_bytes(b"\0\r\n")
    (project.folder / ".gitignore").write_text("*.bin\n")
    (project.folder / "a.txt").write_text("staged\n")
    project.git("add", "a.txt")
    (project.folder / "folder" / "b.txt").write_text("not staged\n")
    tree = WorkingTree(project.folder / "folder")
    before = project.git("rev-parse", "HEAD")
    made = tree.commit_files(["new.bin"], "One file\n\nAnd why.\n")
    assert made == project.git("rev-parse", "HEAD")
    assert project.git("log", "-1", "--format=%P%n%B") == f"{before}\nOne file\n\nAnd why.\n"
    assert project.git("show", "--format=", "--name-status", "HEAD") == "A\tnew.bin"
    assert project.status() == "M  a.txt\n M folder/b.txt\n?? .gitignore"
    assert tree.commit_files(["new.bin"], "Again") is None
    assert project.git("rev-parse", "HEAD") == made


def test_a_lock_of_another_git_is_explained(project: GitRepository, identity: None) -> None:
    """A lock that is held, or was left by a git that was killed, is E_GIT with what to do; nothing is broken."""
    (project.folder / ".git" / "index.lock").touch()
    (project.folder / "a.txt").write_text("new\n")
    error = refusal(WorkingTree(project.folder).commit_files, ["a.txt"], "Message")
    assert error.code == "E_GIT"
    assert "index.lock" in error.found
    assert "lock" in error.advice


def test_a_branch_that_moved_under_the_commit(project: GitRepository, identity: None) -> None:
    """A commit that somebody makes between reading HEAD and moving it is E_MOVED, and is not lost."""
    tree = WorkingTree(project.folder)
    old = tree.commit("HEAD")
    theirs = project.commit({"c.txt": "theirs\n"})
    new = project.commit_of(project.git("rev-parse", "HEAD^{tree}"), old)
    assert refusal(tree._move, "refs/heads/main", old, new, "Message").code == "E_MOVED"
    assert project.git("rev-parse", "main") == theirs


def test_a_detached_head_has_no_branch(project: GitRepository) -> None:
    """HEAD on a commit instead of a branch is E_GIT."""
    assert WorkingTree(project.folder).branch() == "refs/heads/main"
    project.git("checkout", "--quiet", "--detach")
    assert refusal(WorkingTree(project.folder).branch).found == "a detached HEAD"


def test_pushing(project: GitRepository, tmp_path: Path, identity: None) -> None:
    """A push goes to the upstream, whatever its branch is called there; E_MOVED when that has moved."""
    remote = project.clone(tmp_path / "remote.git", "--bare")
    one, two = remote.clone(tmp_path / "one"), remote.clone(tmp_path / "two")
    one.git("branch", "--move", "mine")
    head = one.commit({"c.txt": "three\n"})
    WorkingTree(one.folder).push()
    assert remote.git("rev-parse", "main") == head
    two.commit({"d.txt": "four\n"})
    assert refusal(WorkingTree(two.folder).push).code == "E_MOVED"
    assert remote.git("rev-parse", "main") == head


def test_pushing_without_an_upstream(project: GitRepository) -> None:
    """A branch without upstream is E_GIT with the command that sets one."""
    error = refusal(WorkingTree(project.folder).push)
    assert (error.code, error.found) == ("E_GIT", "none")


def test_pushing_to_a_remote_that_refuses(project: GitRepository, tmp_path: Path) -> None:
    """A remote that is gone is E_GIT, not E_MOVED."""
    other = project.clone(tmp_path / "other")
    project.folder.rename(tmp_path / "gone")
    assert refusal(WorkingTree(other.folder).push).code == "E_GIT"
