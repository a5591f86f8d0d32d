"""What a pull request may change, on real repositories; attacks are in tests/attacks/test_pull_request_attacks.py."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING

import pytest
from git_repositories import GitRepository, declaration

from ctspine_bench.hosting.comment.data import RefusalData, parse_comment_data
from ctspine_bench.hosting.git.repository import Repository
from ctspine_bench.hosting.pull_requests import MAX_CHANGES, PullRequestCheck, check_pull_request

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from command_line import Done

THEIRS = "submissions/theirs/submission.yaml"
PAPER = "submissions/nnunet-paper/submission.yaml"


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> GitRepository:
    """A base branch with a scored submission of `their-login` and one of published results."""
    return GitRepository.make(
        tmp_path_factory.mktemp("template") / "project",
        {
            "README.md": "A benchmark.\n",
            THEIRS: declaration("Theirs", owners="[their-login, Second-Login]"),
            "submissions/theirs/results.json": "{}",
            "submissions/theirs/cases.parquet": b"PAR1",
            PAPER: declaration("nnU-Net", owners="[]", kind="published"),
            "submissions/nnunet-paper/results.json": "{}",
        },
    )


@pytest.fixture
def project(template: GitRepository, tmp_path: Path) -> GitRepository:
    return template.copy(tmp_path / "project")


def check(project: GitRepository, head: str, **options: object) -> PullRequestCheck:
    """The check of a commit against main."""
    return check_pull_request(Repository(project.folder), "main", head, **options)  # type: ignore[arg-type]


def problems(project: GitRepository, head: str, **options: object) -> list[tuple[str, str | None]]:
    """Code and path of each problem."""
    return [(problem.code, problem.path) for problem in check(project, head, **options).problems]


def test_a_new_submission(project: GitRepository) -> None:
    """One new declaration is fine; base and head are pinned by name."""
    head = project.submit("my-method")
    found = check(project, "my-method")
    assert found.problems == ()
    assert (found.base, found.head) == (project.git("rev-parse", "main"), head)
    assert found.slugs == ("my-method",)
    assert found.declarations["my-method"].name == "my-method"


@pytest.mark.parametrize("author", ["Example-LOGIN", None])
def test_a_new_submission_of_one_of_its_owners(project: GitRepository, author: str | None) -> None:
    """Its author is among the owners, however the letters are written, or not known; nobody else brings it."""
    head = project.submit("my-method")
    assert problems(project, head, author=author) == []
    assert problems(project, head, author="x") == [("E_OWNER", "submissions/my-method/submission.yaml: owners")]


def test_the_base_branch_may_move_on(project: GitRepository) -> None:
    """What comes to the base branch after the branch was made is no change of the pull request."""
    head = project.submit("my-method")
    project.git("switch", "--quiet", "main")
    project.commit({"README.md": "Another text.\n", "submissions/new/submission.yaml": declaration()})
    assert problems(project, head) == []


def test_merging_the_base_branch_is_no_change(project: GitRepository) -> None:
    """A branch that has taken in the base branch brings its own change alone."""
    project.submit("my-method")
    project.git("switch", "--quiet", "main")
    project.commit({"README.md": "Another text.\n"})
    project.git("switch", "--quiet", "my-method")
    project.git("merge", "--quiet", "--no-edit", "main")
    assert problems(project, "my-method") == []


@pytest.mark.parametrize(
    ("author", "codes"), [("their-login", []), ("SECOND-login", []), ("x", ["E_OWNER"]), (None, ["E_OWNER"])]
)
def test_owners_change_their_submission(project: GitRepository, author: str | None, codes: list[str]) -> None:
    """An account in `owners` may change a submission, however its letters are written; nobody else may."""
    head = project.submit("theirs", declaration("Better", owners="[their-login]"))
    assert [code for code, _ in problems(project, head, author=author)] == codes


def test_owners_are_those_of_the_base_branch(project: GitRepository) -> None:
    """Who enters themselves as owner does not become one."""
    head = project.submit("theirs", declaration("Mine", owners="[my-login, their-login]"))
    assert problems(project, head, author="my-login") == [("E_OWNER", "submissions/theirs")]


def test_owners_may_have_changed_since(project: GitRepository) -> None:
    """The base branch decides as it is now, not as it was when the branch was made."""
    head = project.submit("theirs", declaration("Theirs!", owners="[their-login]"))
    project.git("switch", "--quiet", "main")
    project.commit({THEIRS: declaration("Theirs", owners="[somebody-new]")})
    assert problems(project, head, author="their-login") == [("E_OWNER", "submissions/theirs")]


def test_a_name_that_was_taken_meanwhile(project: GitRepository) -> None:
    """A folder that was free when the branch was made and is not any more belongs to who has it now."""
    head = project.submit("my-method")
    project.git("switch", "--quiet", "main")
    project.commit({"submissions/my-method/submission.yaml": declaration("Quicker", owners="[quick-login]")})
    assert problems(project, head, author="example-login") == [("E_OWNER", "submissions/my-method")]
    assert problems(project, head, author="quick-login") == []


def test_published_results_are_the_organizers(project: GitRepository) -> None:
    """No account may change a record of published results or bring one."""
    head = project.submit("nnunet-paper", declaration("nnU-Net", owners="[my-login]"))
    assert problems(project, head, author="my-login") == [("E_OWNER", "submissions/nnunet-paper")]
    head = project.submit("another-paper", declaration(kind="published"))
    assert problems(project, head) == [("E_OWNER", "submissions/another-paper")]


def test_a_record_whose_owners_cannot_be_read(project: GitRepository) -> None:
    """A submission on the base branch without a valid declaration is nobody's to change."""
    project.commit({THEIRS: "broken: ["})
    head = project.submit("theirs", declaration("Theirs", owners="[their-login]"))
    assert problems(project, head, author="their-login") == [("E_OWNER", "submissions/theirs")]


def test_several_submissions(project: GitRepository) -> None:
    """Two submissions are one too many, unless they are let."""
    project.submit("one")
    head = project.commit({"submissions/two/submission.yaml": declaration()})
    assert problems(project, head) == [("E_SEVERAL", "submissions")]
    found = check(project, head, allow_several=True)
    assert (found.problems, found.slugs) == ((), ("one", "two"))


def test_nothing_is_changed(project: GitRepository) -> None:
    """A pull request without a change is told so, also when its commits undo each other."""
    assert problems(project, "main") == [("E_NOT_FOUND", "submissions")]
    project.submit("one")
    head = project.commit({"submissions/one/submission.yaml": None})
    assert problems(project, head) == [("E_NOT_FOUND", "submissions")]


def test_all_problems_at_once_and_sorted(project: GitRepository) -> None:
    """Everything is said in one go, in the order of the paths."""
    project.submit("one", "schema_version: 1\nunknown: 2\n")
    head = project.commit(
        {
            "setup.py": "x",
            "README.md": "Mine.\n",
            "submissions/one/results.json": "{}",
            "submissions/one/predict.py": "x",
            "submissions/theirs/notes.md": "x",
            "submissions/Bad Name/submission.yaml": declaration(),
        }
    )
    found = problems(project, head)
    assert found == sorted(found, key=lambda item: item[1] or "")
    assert {(code, path) for code, path in found if code != "E_FIELD"} == {
        ("E_PATH", "README.md"),
        ("E_PATH", "setup.py"),
        ("E_SEVERAL", "submissions"),
        ("E_SLUG", "submissions/Bad Name"),
        ("E_RESULTS", "submissions/one/results.json"),
        ("E_PATH", "submissions/one/predict.py"),
        ("E_PATH", "submissions/theirs/notes.md"),
        ("E_OWNER", "submissions/theirs"),
    }
    assert ("E_FIELD", "submissions/one/submission.yaml: unknown") in found


def test_deleting(project: GitRepository) -> None:
    """Nothing is deleted by a pull request, not even by its owners."""
    project.git("switch", "--quiet", "--create", "withdraw")
    head = project.commit({THEIRS: None})
    assert problems(project, head, author="their-login") == [("E_PATH", THEIRS)]
    head = project.commit({"submissions/theirs/results.json": None})
    assert problems(project, head, author="their-login") == [
        ("E_RESULTS", "submissions/theirs/results.json"),
        ("E_PATH", THEIRS),
    ]


def test_too_many_files(project: GitRepository) -> None:
    """A pull request of very many files is refused as a whole, in a line."""
    project.submit("my-method")
    head = project.commit({f"environment/{number}.py": "x" for number in range(MAX_CHANGES)})
    (problem,) = check(project, head).problems
    assert (problem.code, problem.expected) == ("E_LIMIT", f"at most {MAX_CHANGES} changed files")
    assert len(problem.found) < 300


def test_a_shallow_clone(project: GitRepository, tmp_path: Path) -> None:
    """Without the whole history there is no telling where the branch began: E_GIT says how to get it."""
    project.commit({"README.md": "Another text.\n"})
    shallow = project.clone(tmp_path / "shallow", "--depth=1", "--no-local")
    (problem,) = check(shallow, "HEAD").problems
    assert (problem.code, problem.found) == ("E_GIT", "a shallow clone")


@pytest.fixture
def run(project: GitRepository, run: Callable[..., Done], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Done]:
    """Run `ctspine-bench submission check-pr` in the project."""
    monkeypatch.chdir(project.folder)
    return partial(run, "submission", "check-pr")


def test_the_command_extracts_what_it_has_checked(
    project: GitRepository, run: Callable[..., Done], tmp_path: Path
) -> None:
    """A fine pull request exits with 0; its declaration is written as it is in the commit, byte for byte."""
    content = declaration("Mine").replace("\n", "\r\n").encode()
    head = project.submit("my-method", content)
    project.git("switch", "--quiet", "main")
    done = run("--base", "main", "--head", "my-method", "--extract", tmp_path / "declared")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"Nothing is wrong with my-method at {head}.\n"
    assert (tmp_path / "declared" / "my-method" / "submission.yaml").read_bytes() == content
    assert project.status() == ""


def test_the_command_prints_every_problem(project: GitRepository, run: Callable[..., Done], tmp_path: Path) -> None:
    """A bad one exits with 1, prints all problems, and nothing is extracted."""
    project.submit("my-method")
    project.commit({"setup.py": "x", "submissions/my-method/results.json": "{}"})
    done = run("--base", "main", "--head", "HEAD", "--extract", tmp_path / "declared", "--repository", project.folder)
    assert (done.returncode, done.stdout) == (1, "")
    assert "E_PATH  setup.py\n" in done.stderr
    assert "E_RESULTS  submissions/my-method/results.json\n" in done.stderr
    assert not (tmp_path / "declared").exists()


def test_the_command_speaks_json(project: GitRepository, run: Callable[..., Done]) -> None:
    """As JSON the same is for programs: commits, submissions and problems with their parts."""
    head = project.submit("my-method")
    document = json.loads(run("--base", "main", "--head", "HEAD", "--format", "json").stdout)
    base = project.git("rev-parse", "main")
    assert document == {"base": base, "head": head, "slugs": ["my-method"], "problems": []}
    project.commit({"submissions/my-method/\n::warning::x": "x"})
    done = run("--base", "main", "--head", "HEAD", "--format", "json")
    (problem,) = json.loads(done.stdout)["problems"]
    assert (done.returncode, problem["code"]) == (1, "E_PATH")
    assert problem["path"] == r"submissions/my-method/\n::warning::x"
    assert problem.keys() == {"code", "path", "expected", "found", "advice"}
    assert isinstance(parse_comment_data(done.stdout.encode(), "comment.json"), RefusalData)


def test_the_command_speaks_json_of_a_commit_that_is_not_there(run: Callable[..., Done]) -> None:
    """What stops the check is told in the same form, which the comment is made from."""
    done = run("--base", "main", "--head", "nothing", "--format", "json")
    document = json.loads(done.stdout)
    assert (done.returncode, document["head"], document["slugs"]) == (1, None, [])
    assert [problem["code"] for problem in document["problems"]] == ["E_GIT"]
    assert isinstance(parse_comment_data(done.stdout.encode(), "comment.json"), RefusalData)


def test_the_command_without_such_a_branch(project: GitRepository, run: Callable[..., Done]) -> None:
    """A ref that is not there exits with 1 and one error."""
    done = run("--base", "main", "--head", "nothing")
    assert (done.returncode, done.stderr.split("\n")[0]) == (1, "E_GIT")


def test_an_author_that_is_empty_is_none(project: GitRepository, run: Callable[..., Done]) -> None:
    """An empty --author, as a workflow passes it outside of a pull request, owns nothing."""
    project.submit("theirs", declaration("Mine"))
    done = run("--base", "main", "--head", "HEAD", "--author", "")
    assert done.returncode == 1
    assert "E_OWNER  submissions/theirs\n" in done.stderr
