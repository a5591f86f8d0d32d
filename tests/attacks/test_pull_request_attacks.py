"""Pull requests that try to bring more than a declaration, to take what is not theirs, or to mislead the check.

Each attack must give its typed error, and nothing of it may run, be checked out or be written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from command_line import exit_code
from git_repositories import GitRepository, declaration

from ctspine_bench.errors import SubmissionError
from ctspine_bench.hosting.git import process as git_process
from ctspine_bench.hosting.git.changes import changes_between
from ctspine_bench.hosting.git.repository import Repository
from ctspine_bench.hosting.pull_requests import PullRequestCheck, check_pull_request

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MINE = "submissions/mine/submission.yaml"
THEIRS = "submissions/theirs/submission.yaml"


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> GitRepository:
    """A base branch with a workflow and somebody else's scored submission."""
    return GitRepository.make(
        tmp_path_factory.mktemp("template") / "project",
        {
            ".github/workflows/lint.yml": "on: pull_request\n",
            THEIRS: declaration("Theirs", owners="[their-login]"),
            "submissions/theirs/results.json": '{"schema_version": 1}',
            "submissions/theirs/cases.parquet": b"PAR1",
        },
    )


@pytest.fixture
def project(template: GitRepository, tmp_path: Path) -> Iterator[GitRepository]:
    """That repository; nothing in its working tree may have changed at the end."""
    made = template.copy(tmp_path / "project")
    yield made
    assert made.status() == ""


def check(project: GitRepository, head: str, **options: object) -> PullRequestCheck:
    """The check as CI runs it, for a pull request of an account that is no owner but of what it brings."""
    return check_pull_request(Repository(project.folder), "main", head, **{"author": "example-login", **options})  # type: ignore[arg-type]


def problems(project: GitRepository, head: str, **options: object) -> list[tuple[str, str | None]]:
    """Code and path of each problem."""
    return [(problem.code, problem.path) for problem in check(project, head, **options).problems]


@pytest.mark.parametrize(
    ("path", "code"),
    [
        pytest.param("submissions/mine/predict.py", "E_PATH", id="code beside the declaration"),
        pytest.param("submissions/mine/sub/submission.yaml", "E_PATH", id="a declaration in a folder below"),
        pytest.param("submissions/mine/SUBMISSION.YAML", "E_PATH", id="a declaration twice on some file systems"),
        pytest.param("submissions/mine/results.json", "E_RESULTS", id="results of its own"),
        pytest.param("submissions/mine/Cases.Parquet", "E_RESULTS", id="rows of its own, in capitals"),
        pytest.param("submissions/mine/.complete/results.json", "E_RESULTS", id="results that would count as replaced"),
        pytest.param("submissions/mine/.gitattributes", "E_PATH", id="attributes that call a filter"),
        pytest.param("submissions/mine/submission.yaml ", "E_PATH", id="a name that ends with a blank"),
        pytest.param("submissions/notes.md", "E_PATH", id="a file among the submissions"),
        pytest.param(".gitattributes", "E_PATH", id="attributes for the whole repository"),
        pytest.param(".gitmodules", "E_PATH", id="submodules declared"),
        pytest.param(".github/workflows/lint.yml", "E_PATH", id="the workflow that checks it"),
        pytest.param(".github/workflows/new.yml", "E_PATH", id="a workflow of its own"),
        pytest.param("Submissions/mine/submission.yaml", "E_PATH", id="another folder of submissions in capitals"),
        pytest.param("ctspine_bench/__init__.py", "E_PATH", id="code of the package"),
    ],
)
def test_files_that_do_not_belong(project: GitRepository, path: str, code: str) -> None:
    """Beside a valid declaration one more file is refused, by its name."""
    project.submit("mine")
    head = project.commit({path: "* filter=x\n"})
    assert problems(project, head) == [(code, path)]


@pytest.mark.parametrize(
    ("mode", "target", "found"),
    [
        pytest.param("120000", b"/etc/passwd", "a symbolic link", id="a link out of the repository"),
        pytest.param("120000", b"../theirs/submission.yaml", "a symbolic link", id="a link to another declaration"),
        pytest.param("100755", declaration().encode(), "an executable file", id="a declaration that can be executed"),
        pytest.param("160000", None, "a submodule", id="a submodule"),
    ],
)
def test_a_declaration_that_is_no_plain_file(
    project: GitRepository, mode: str, target: bytes | None, found: str
) -> None:
    """What is called submission.yaml must be a plain file, whatever it holds."""
    name = project.git("rev-parse", "main") if target is None else project.blob(target)
    (problem,) = check(project, project.commit_path(MINE, name, mode=mode)).problems
    assert (problem.code, problem.path, problem.found) == ("E_PATH", MINE, found)


def test_only_the_mode_changes(project: GitRepository) -> None:
    """An owner who makes the declaration executable changes it, although not a byte is different."""
    blob = project.git("rev-parse", f"main:{THEIRS}")
    head = project.commit_path(THEIRS, blob, mode="100755")
    assert problems(project, head, author="their-login") == [("E_PATH", THEIRS)]


@pytest.mark.parametrize(
    ("path", "mode"),
    [
        pytest.param("submissions/mine", "120000", id="a submission that is a link"),
        pytest.param("submissions/mine", "160000", id="a submission that is a submodule"),
        pytest.param("submissions", "120000", id="all submissions behind a link"),
    ],
)
def test_a_folder_that_is_none(project: GitRepository, path: str, mode: str) -> None:
    """Where a folder belongs, a link or a submodule is a stray path; what it covers counts as deleted."""
    target = project.git("rev-parse", "main") if mode == "160000" else project.blob(b"/tmp")
    found = problems(project, project.commit_path(path, target, mode=mode))
    assert ("E_PATH", path) in found
    assert (("E_OWNER", "submissions/theirs") in found) == (path == "submissions")


def test_a_huge_declaration_is_not_read(project: GitRepository, monkeypatch: pytest.MonkeyPatch) -> None:
    """A declaration of 50 MB is refused by its size in git's database: its bytes are never asked for."""
    head = project.submit("mine", b"a" * 50_000_000)
    commands = []
    original = git_process.run_git

    def recorded(folder: Path, arguments: tuple[str, ...], **settings: object) -> object:
        commands.append(arguments[:2])
        return original(folder, arguments, **settings)  # type: ignore[arg-type]

    monkeypatch.setattr("ctspine_bench.hosting.git.repository.run_git", recorded)
    assert problems(project, head) == [("E_YAML", MINE)]
    assert ("cat-file", "--batch-check") in commands
    assert ("cat-file", "blob") not in commands


def test_a_pointer_to_large_file_storage(project: GitRepository) -> None:
    """A declaration that is a pointer to other storage is read as it is in git, and is none."""
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\nsize 12345\n"
    assert problems(project, project.submit("mine", pointer)) == [("E_YAML", MINE)]


@pytest.mark.parametrize(
    "author",
    [
        "attacker", "", None, "their-login2", "[their-login", "'their-login'", "their-login\n", "*",
    ],
)  # fmt: skip
def test_somebody_elses_submission_is_changed(project: GitRepository, author: str | None) -> None:
    """Whoever is not an owner, and no text that looks like one, changes a submission."""
    head = project.submit("theirs", declaration("Worse", owners="[attacker, their-login]"))
    assert problems(project, head, author=author) == [("E_OWNER", "submissions/theirs")]


def test_somebody_elses_submission_is_deleted(project: GitRepository) -> None:
    """Deleting another's files is refused for each of them, and for the folder."""
    project.submit("mine")
    head = project.commit({THEIRS: None, "submissions/theirs/results.json": None})
    assert set(problems(project, head)) == {
        ("E_SEVERAL", "submissions"),
        ("E_OWNER", "submissions/theirs"),
        ("E_RESULTS", "submissions/theirs/results.json"),
        ("E_PATH", THEIRS),
    }


def test_somebody_elses_submission_is_renamed(project: GitRepository) -> None:
    """Moving another's folder to a new name is no new submission: the old one is deleted, the results are brought."""
    project.git("switch", "--quiet", "--create", "rename")
    project.git("mv", "submissions/theirs", "submissions/mine")
    head = project.commit({})
    found = problems(project, head, allow_several=True)
    assert ("E_OWNER", "submissions/theirs") in found
    assert ("E_RESULTS", "submissions/mine/results.json") in found
    assert ("E_PATH", THEIRS) in found


def test_results_are_changed_by_their_owner(project: GitRepository) -> None:
    """An owner may change the declaration and not the results; the declaration is not called missing."""
    project.git("switch", "--quiet", "--create", "improve")
    head = project.commit({"submissions/theirs/results.json": '{"schema_version": 1, "dsc": 1}'})
    assert problems(project, head, author="their-login") == [("E_RESULTS", "submissions/theirs/results.json")]


def test_a_second_submission_is_slipped_in(project: GitRepository) -> None:
    """Two submissions in one pull request are refused, both valid as they are."""
    project.submit("mine")
    head = project.commit({"submissions/another/submission.yaml": declaration()})
    assert problems(project, head) == [("E_SEVERAL", "submissions")]


@pytest.mark.parametrize(
    ("slug", "shown"),
    [
        pytest.param("..", "..", id="the folder above"),
        pytest.param(".git", ".git", id="git's own folder"),
        pytest.param("-rf", "-rf", id="a name like an option"),
        pytest.param("Theirs", "Theirs", id="a name that differs in case from another"),
        pytest.param("con", "con", id="a device of Windows"),
        pytest.param("a\\..\\b", "a\\..\\b", id="separators of Windows"),
        pytest.param("the\u0456rs", "the\u0456rs", id="a Cyrillic letter that looks Latin"),
        pytest.param("a\n::error::b", r"a\n::error::b", id="a line that a runner would obey"),
        pytest.param("<img src=x>", "<img src=x>", id="HTML"),
        pytest.param('"; rm -rf .', '"; rm -rf .', id="quotes and a command"),
        pytest.param("x" * 200, None, id="a very long name"),
    ],
)
def test_slugs(project: GitRepository, slug: str, shown: str | None) -> None:
    """Names of folders that git can hold and a submission cannot have are E_SLUG, on a line of their own."""
    head = project.commit_path(f"submissions/{slug}/submission.yaml", project.blob(declaration().encode()))
    found = check(project, head).problems
    assert found
    assert {problem.code for problem in found} == {"E_SLUG"}
    assert all("\n" not in str(problem.path) for problem in found)
    assert shown is None or found[0].path == f"submissions/{shown}"


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("submissions/mine/../../setup.py", id="out of the folder by a path"),
        pytest.param("submissions/mine/./submission.yaml", id="the same file by another path"),
        pytest.param("../submissions/mine/submission.yaml", id="out of the repository"),
    ],
)
def test_paths_that_git_would_never_write(project: GitRepository, path: str) -> None:
    """Trees are made by hand, with names that no working tree has: they are stray files."""
    head = project.commit_path(path, project.blob(declaration().encode()))
    assert ("E_PATH", path) in problems(project, head)


@pytest.mark.parametrize(
    ("parts", "found"),
    [
        pytest.param([b"submissions", b"", b"submission.yaml"], "empty filename", id="no name at all"),
        pytest.param([b"", b"etc", b"passwd"], "empty filename", id="an absolute path"),
        pytest.param([b"submissions/mine/submission.yaml"], "is a path", id="a whole path as one name"),
        pytest.param([b"submissions", b"mine/../theirs", b"submission.yaml"], "is a path", id="a path as a slug"),
    ],
)
def test_trees_that_git_would_never_write(project: GitRepository, parts: list[bytes], found: str) -> None:
    """Names that are empty or paths themselves mean different files to different programs: E_GIT."""
    tree = project._with_path(project.git("rev-parse", "main^{tree}"), parts, "100644", project.blob(b"x"))
    (problem,) = check(project, project.commit_of(tree, "main")).problems
    assert (problem.code, problem.path) == ("E_GIT", None)
    assert found in problem.found


def test_a_path_that_is_not_text(project: GitRepository) -> None:
    """Bytes that are no UTF-8, quotes and line ends in a path are shown as escapes, and JSON can hold them."""
    head = project.commit_path(b"submissions/mine/\xff'\"\n<script>.yaml", project.blob(b"x"))
    found = check(project, head).problems
    assert {problem.code for problem in found} == {"E_PATH", "E_NOT_FOUND"}
    paths = [problem.path or "" for problem in found]
    assert all(path.isprintable() and path.encode() for path in paths)
    assert any("<script>" in path for path in paths)


def test_a_path_without_end(project: GitRepository) -> None:
    """A path of 100,000 characters is E_LIMIT and not printed in full."""
    head = project.commit_path("x" * 100_000, project.blob(b"x"))
    (problem,) = check(project, head).problems
    assert problem.code == "E_LIMIT"
    assert len(str(problem)) < 500


def test_one_path_twice(project: GitRepository) -> None:
    """A tree that holds the declaration twice, one valid and one not, is not what git makes."""
    valid, other = project.blob(declaration().encode()), project.blob(b"other")
    mine = project.tree([("100644", b"submission.yaml", valid), ("100644", b"submission.yaml", other)])
    head = project.commit_path("submissions/mine", mine, mode="40000")
    assert problems(project, head) == [("E_GIT", None)]


def nested(project: GitRepository, leaf: list[tuple[str, bytes, str]], levels: int) -> str:
    """A tree of ten times the same tree, and so on."""
    tree = project.tree(leaf)
    for _ in range(levels):
        tree = project.tree([("40000", b"%d" % number, tree) for number in range(10)])
    return tree


def test_ten_billion_files_in_a_kilobyte(project: GitRepository) -> None:
    """Trees within trees that spell out 10¹⁰ paths: reading stops at the limit."""
    bomb = nested(project, [("100644", b"f", project.blob(b"x"))], 10)
    (problem,) = check(project, project.commit_path("submissions/mine", bomb, mode="40000")).problems
    assert problem.code == "E_LIMIT"


def test_ten_billion_folders_without_a_file(project: GitRepository) -> None:
    """The same without a single file: folders count as well."""
    head = project.commit_path("submissions/mine", nested(project, [], 10), mode="40000")
    with pytest.raises(SubmissionError) as caught:
        changes_between(Repository(project.folder), "main", head, 10)
    assert (caught.value.code, caught.value.found) == ("E_LIMIT", "very many folders")


def test_folders_without_bottom(project: GitRepository) -> None:
    """Folders in folders with long names: their path is longer than any file system takes."""
    tree = project.tree([])
    for _ in range(30):
        tree = project.tree([("40000", b"x" * 99, tree)])
    (problem,) = check(project, project.commit_path("submissions/mine", tree, mode="40000")).problems
    assert (problem.code, len(str(problem)) < 500) == ("E_LIMIT", True)


@pytest.mark.parametrize(
    "ref",
    [
        pytest.param("--upload-pack=touch witness", id="an option that runs a program"),
        pytest.param("-h", id="an option that prints help"),
        pytest.param("--output=witness", id="an option that writes a file"),
        pytest.param("main:submissions", id="a tree"),
        pytest.param(f"main:{THEIRS}", id="a file"),
        pytest.param("main..main", id="a range"),
        pytest.param("$(touch witness)", id="a command for a shell"),
    ],
)
def test_refs_that_are_none(project: GitRepository, ref: str) -> None:
    """What is given as base or head is a name and never an option; what is no commit is E_GIT."""
    for refs in ((ref, "main"), ("main", ref)):
        with pytest.raises(SubmissionError) as caught:
            check_pull_request(Repository(project.folder), *refs)
        assert caught.value.code == "E_GIT"
    assert not list(project.folder.glob("witness*"))


def test_a_submission_in_the_name_of_others(project: GitRepository) -> None:
    """Whoever brings a submission is among its owners, or others would own, and pay for, what they never sent."""
    head = project.submit("mine", declaration(owners="[their-login, somebody]"))
    (problem,) = check(project, head, author="attacker").problems
    assert (problem.code, problem.path) == ("E_OWNER", f"{MINE}: owners")
    assert (problem.found, problem.advice) == ("their-login, somebody", "Add your account to `owners`.")


def test_a_branch_named_like_an_option(project: GitRepository) -> None:
    """A branch that is called -f can be checked as any other."""
    head = project.submit("mine")
    project.git("update-ref", "refs/heads/-f", head)
    assert check(project, "-f").head == head


def test_a_tag_of_a_file(project: GitRepository) -> None:
    """A tag that stands for a file is no commit."""
    project.git("update-ref", "refs/tags/file", project.git("rev-parse", f"main:{THEIRS}"))
    with pytest.raises(SubmissionError) as caught:
        check(project, "file")
    assert caught.value.code == "E_GIT"


def test_a_history_of_its_own(project: GitRepository) -> None:
    """A branch that never left the base branch has no difference to it that could be checked."""
    tree = project.tree([("100644", b"x", project.blob(b"x"))])
    assert problems(project, project.commit_of(tree)) == [("E_GIT", None)]


def test_two_points_of_departure(project: GitRepository) -> None:
    """A criss-cross history with two merge bases could hide a change between them: it is not guessed at."""
    root = project.git("rev-parse", "main")
    tree = project.git("rev-parse", "main^{tree}")
    left, right = project.commit_of(tree, root), project.commit_path("x", project.blob(b"x"), parent=root)
    project.git("update-ref", "refs/heads/main", project.commit_of(tree, left, right), root)
    head = project.commit_of(project.git("rev-parse", f"{right}^{{tree}}"), right, left)
    assert problems(project, head) == [("E_GIT", None)]


def test_a_replaced_commit(project: GitRepository) -> None:
    """A replace ref that lets the bad commit look like a good one is not followed."""
    good = project.submit("mine")
    bad = project.commit({"setup.py": "x"})
    project.git("replace", bad, good)
    assert problems(project, bad) == [("E_PATH", "setup.py")]
    project.git("replace", "--delete", bad)


def test_a_grafted_history(project: GitRepository) -> None:
    """A graft that gives the bad commit itself as its origin is not followed."""
    bad = project.commit_path("setup.py", project.blob(b"x"))
    child = project.commit_path(MINE, project.blob(declaration().encode()), parent=bad)
    info = project.folder / ".git" / "info"
    info.mkdir(exist_ok=True)
    (info / "grafts").write_text(f"{project.git('rev-parse', 'main')} {bad}\n")
    assert problems(project, child) == [("E_PATH", "setup.py")]


def test_a_change_in_a_merge_commit(project: GitRepository) -> None:
    """A change made by the merge commit itself, which git log does not show, is a change."""
    mine = project.submit("mine")
    project.git("switch", "--quiet", "main")
    base = project.commit({"README.md": "New.\n"})
    tree = project.git("rev-parse", f"{project.commit_path('setup.py', project.blob(b'x'), parent=base)}^{{tree}}")
    project.git("update-ref", "refs/heads/evil", project.commit_of(tree, mine, base))
    assert problems(project, project.commit_path(MINE, project.blob(declaration().encode()), parent="evil")) == [
        ("E_PATH", "setup.py")
    ]


def test_a_merge_that_takes_back_the_base_branch(project: GitRepository) -> None:
    """A merge of the base branch that keeps the old side undoes what came there since: those are changes."""
    mine = project.submit("mine")
    project.git("switch", "--quiet", "main")
    base = project.commit({".github/workflows/lint.yml": "on: push\n"})
    head = project.commit_of(project.git("rev-parse", f"{mine}^{{tree}}"), mine, base)
    assert problems(project, head) == [("E_PATH", ".github/workflows/lint.yml")]


def test_the_head_moves_on_while_it_is_checked(
    project: GitRepository, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """A push between check and extraction is E_MOVED: nothing of either commit is handed on."""
    project.submit("mine")

    def checked(*arguments: object, **options: object) -> PullRequestCheck:
        result = check_pull_request(*arguments, **options)  # type: ignore[arg-type]
        project.commit({MINE: declaration("Other")})
        return result

    monkeypatch.setattr("ctspine_bench.hosting.pull_requests.check_pull_request", checked)
    arguments = ("--repository", project.folder, "--base", "main", "--head", "mine", "--extract", tmp_path / "out")
    assert exit_code(monkeypatch, "submission", "check-pr", *arguments) == 1
    assert capsys.readouterr().err.startswith("E_MOVED")
    assert not (tmp_path / "out").exists()


def test_the_head_moves_on_after_it_was_pinned(
    project: GitRepository, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Who checks a commit by its name extracts that one, wherever the branch has gone."""
    pinned = project.submit("mine", declaration("Pinned"))
    project.commit({MINE: declaration("Later")})
    arguments = ("--repository", project.folder, "--base", "main", "--head", pinned, "--extract", tmp_path / "out")
    assert exit_code(monkeypatch, "submission", "check-pr", *arguments) == 0
    assert (tmp_path / "out" / "mine" / "submission.yaml").read_text() == declaration("Pinned")


def test_nothing_printed_starts_a_command_of_the_runner(
    project: GitRepository, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A runner obeys lines that begin with two colons and terminals obey escapes: no path or value prints either."""
    hostile = "\n::add-mask::x\r\n::set-output name=a::b\x1b[2J"
    content = declaration().replace("name: Example", f'name: "a\\n::error::b"\n"k{"ey"}::x": 1')
    base = project.commit_path(MINE, project.blob(content.encode()))
    head = project.commit_path(f"submissions/mine/{hostile}", project.blob(b"x"), parent=base)
    assert (
        exit_code(
            monkeypatch, "submission", "check-pr", "--repository", project.folder, "--base", "main", "--head", head
        )
        == 1
    )
    printed = capsys.readouterr()
    for line in (printed.out + printed.err).split("\n"):
        assert line.isprintable()
        assert not line.lstrip().startswith("::")
