"""Results come into the repository whole, one commit for each submission, however often the publisher is killed."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import sys
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from command_line import exit_code
from git_repositories import GitRepository, declaration, write_public_record

from ctspine_bench.errors import SubmissionError
from ctspine_bench.hosting.publishing import Publication, publish
from ctspine_bench.hosting.store import PrivateStore
from ctspine_bench.provenance import ENGINE_VERSION
from ctspine_bench.submissions.records import read_record
from ctspine_bench.tables import COLUMNS, SCHEMA_VERSION, write_table

if TYPE_CHECKING:
    from pathlib import Path

MINE = "submissions/mine"
FILES = [f"{MINE}/cases.parquet", f"{MINE}/results.json"]


@pytest.fixture(autouse=True)
def _no_configuration_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> GitRepository:
    """A base branch with a merged submission and a record of published results."""
    return GitRepository.make(
        tmp_path_factory.mktemp("template") / "project",
        {
            f"{MINE}/submission.yaml": declaration("Mine"),
            "submissions/paper/submission.yaml": declaration("Paper", owners="[]", kind="published"),
            "submissions/paper/results.json": "{}",
        },
    )


@pytest.fixture
def project(template: GitRepository, tmp_path: Path) -> GitRepository:
    return template.copy(tmp_path / "project")


@pytest.fixture
def store(tmp_path: Path) -> PrivateStore:
    return PrivateStore(tmp_path / "store")


def score(store: PrivateStore, tmp_path: Path, content: str, slug: str = "mine", **additions: object) -> None:
    """What scoring leaves in the store for a declaration."""
    folder = tmp_path / "scored"
    folder.mkdir(exist_ok=True)
    write_public_record(folder, slug, content, **additions)
    store.save_record(slug, hashlib.sha256(content.encode()).hexdigest(), "0" * 64, folder)


def commit_of(project: GitRepository) -> str:
    """The commit that HEAD is on."""
    return project.git("rev-parse", "HEAD")


def test_results_are_written_and_committed(project: GitRepository, store: PrivateStore, tmp_path: Path) -> None:
    """A merged declaration that was scored gets its two files, in a commit that says what they are."""
    score(store, tmp_path, declaration("Mine"))
    before = commit_of(project)
    (done,) = publish(project.folder, store)
    assert done == Publication("mine", "published", commit_of(project))
    record = read_record(project.folder / MINE)
    assert record.results is not None
    assert record.results["submission"]["declaration_sha256"] == record.declaration_sha256
    assert project.git("show", "--format=", "--name-only").split() == FILES
    assert project.git("log", "-1", "--format=%P%n%B") == (
        f"{before}\nResults of mine\n\nScored on public, private by ctspine-bench 1.2.3.\n"
        f"Declaration: sha256 {record.declaration_sha256}\n"
    )
    assert project.status() == ""
    assert sorted(path.name for path in (project.folder / MINE).iterdir()) == [
        "cases.parquet",
        "results.json",
        "submission.yaml",
    ]


def test_a_second_run_has_nothing_to_do(project: GitRepository, store: PrivateStore, tmp_path: Path) -> None:
    """What is published stays as it is, with the store and without what is in it."""
    score(store, tmp_path, declaration("Mine"))
    publish(project.folder, store)
    commit = commit_of(project)
    assert publish(project.folder, store) == (Publication("mine", "current"),)
    assert publish(project.folder, PrivateStore(tmp_path / "new")) == (Publication("mine", "current"),)
    assert commit_of(project) == commit


def test_a_submission_that_was_not_scored_waits(project: GitRepository, store: PrivateStore, tmp_path: Path) -> None:
    """Without results of this very declaration nothing is written, and old results stay until there are new ones."""
    assert publish(project.folder, store) == (Publication("mine", "waiting"),)
    score(store, tmp_path, declaration("Mine"))
    publish(project.folder, store)
    project.commit({f"{MINE}/submission.yaml": declaration("Better")})
    commit = commit_of(project)
    assert publish(project.folder, store) == (Publication("mine", "waiting"),)
    assert commit_of(project) == commit
    score(store, tmp_path, declaration("Better"))
    (done,) = publish(project.folder, store)
    assert done.state == "published"
    assert project.log() == ["Results of mine", "A change", "Results of mine", "A change"]


def test_another_scoring_replaces_the_results(project: GitRepository, store: PrivateStore, tmp_path: Path) -> None:
    """The same declaration scored again, as with a newer scorer, is published again."""
    score(store, tmp_path, declaration("Mine"))
    publish(project.folder, store)
    score(store, tmp_path, declaration("Mine"), provenance={"version": "2.0", "engine_version": ENGINE_VERSION})
    (done,) = publish(project.folder, store)
    assert done.state == "published"
    assert json.loads(project.git("show", f"HEAD:{MINE}/results.json"))["provenance"]["version"] == "2.0"


def test_one_commit_for_each_submission(project: GitRepository, store: PrivateStore, tmp_path: Path) -> None:
    """Two submissions are two commits of two files, in the order of their names."""
    project.commit({"submissions/another/submission.yaml": declaration("Another")})
    score(store, tmp_path, declaration("Mine"))
    score(store, tmp_path, declaration("Another"), "another")
    assert [(item.slug, item.state) for item in publish(project.folder, store)] == [
        ("another", "published"),
        ("mine", "published"),
    ]
    assert project.log("-2") == ["Results of mine", "Results of another"]
    assert project.git("show", "--format=", "--name-only", "HEAD~1").split() == [
        "submissions/another/cases.parquet",
        "submissions/another/results.json",
    ]


def test_without_a_commit(project: GitRepository, store: PrivateStore, tmp_path: Path) -> None:
    """Without --commit the files lie in the working tree, and the next run with it commits them."""
    score(store, tmp_path, declaration("Mine"))
    commit = commit_of(project)
    assert publish(project.folder, store, commit=False) == (Publication("mine", "published"),)
    assert (commit_of(project), project.status()) == (commit, "".join(f"?? {file}\n" for file in FILES).rstrip())
    (done,) = publish(project.folder, store)
    assert (done.state, done.commit, project.status()) == ("published", commit_of(project), "")


def test_what_else_is_staged_stays_out(project: GitRepository, store: PrivateStore, tmp_path: Path) -> None:
    """Changes outside of submissions/, staged or not, are neither committed nor lost."""
    score(store, tmp_path, declaration("Mine"))
    (project.folder / "staged.txt").write_text("x")
    project.git("add", "staged.txt")
    (project.folder / "new.txt").write_text("x")
    publish(project.folder, store)
    assert project.git("show", "--format=", "--name-only").split() == FILES
    assert project.status() == "A  staged.txt\n?? new.txt"


@pytest.mark.parametrize(
    "path",
    [
        f"{MINE}/submission.yaml",
        f"{MINE}/notes.md",
        "submissions/paper/results.json",
        "submissions/new/submission.yaml",
    ],
)
def test_other_changes_among_the_submissions(
    project: GitRepository, store: PrivateStore, tmp_path: Path, path: str
) -> None:
    """A file in submissions/ that is not committed and no result to publish stops everything: E_GIT names it."""
    score(store, tmp_path, declaration("Mine"))
    (project.folder / path).parent.mkdir(exist_ok=True)
    (project.folder / path).write_text(declaration("Changed"))
    with pytest.raises(SubmissionError) as caught:
        publish(project.folder, store)
    assert (caught.value.code, caught.value.path) == ("E_GIT", path)
    assert not (project.folder / MINE / "results.json").exists()


def test_results_that_nobody_scored(project: GitRepository, store: PrivateStore) -> None:
    """Result files in the working tree that the store knows nothing of are not committed."""
    (project.folder / MINE / "results.json").write_text("{}")
    with pytest.raises(SubmissionError) as caught:
        publish(project.folder, store)
    assert (caught.value.code, caught.value.path) == ("E_GIT", f"{MINE}/results.json")


def test_a_detached_head(project: GitRepository, store: PrivateStore, tmp_path: Path) -> None:
    """On no branch commits would be lost: E_GIT, and nothing is written."""
    score(store, tmp_path, declaration("Mine"))
    project.git("checkout", "--quiet", "--detach")
    with pytest.raises(SubmissionError) as caught:
        publish(project.folder, store)
    assert caught.value.code == "E_GIT"
    assert project.status() == ""


def private_rows() -> pd.DataFrame:
    """A case table with a row of a private test set."""
    row = dict.fromkeys(COLUMNS) | {"test_set": "private", "case_id": "secret-1", "row": "case"}
    return pd.DataFrame([row]).astype(COLUMNS)


def test_rows_of_private_cases_are_never_published(project: GitRepository, store: PrivateStore, tmp_path: Path) -> None:
    """A record that holds rows of single private cases, by whatever mistake, is not published; no name is told."""
    score(store, tmp_path, declaration("Mine"))
    digest = hashlib.sha256(declaration("Mine").encode()).hexdigest()
    record = store.public_record("mine", digest)
    assert record is not None
    write_table(private_rows(), record / "cases.parquet")
    results = json.loads((record / "results.json").read_text())
    results["cases_sha256"] = hashlib.sha256((record / "cases.parquet").read_bytes()).hexdigest()
    (record / "results.json").write_text(json.dumps(results))
    (done,) = publish(project.folder, store)
    assert done.state == "broken"
    assert done.problem is not None
    assert done.problem.code == "E_RECORD"
    assert "secret" not in str(done.problem)
    assert project.status() == ""


@pytest.mark.parametrize(
    ("additions", "found"),
    [
        ({"submission": {"slug": "other", "declaration_sha256": "0"}}, "results of another submission or declaration"),
        ({"cases_sha256": "0" * 64}, "a cases.parquet that results.json is not about"),
        ({"test_sets": None}, "one of another form"),
        ({"submission": []}, "one of another form"),
    ],
)
def test_a_broken_record_is_not_published(
    project: GitRepository, store: PrivateStore, tmp_path: Path, additions: dict[str, object], found: str
) -> None:
    """What does not fit the declaration or itself stays where it is; other submissions are published all the same."""
    project.commit({"submissions/another/submission.yaml": declaration("Another")})
    score(store, tmp_path, declaration("Another"), "another")
    score(store, tmp_path, declaration("Mine"), **additions)
    another, mine = publish(project.folder, store)
    assert (another.state, mine.state) == ("published", "broken")
    assert mine.problem is not None
    assert (mine.problem.code, mine.problem.path, mine.problem.found) == ("E_RECORD", MINE, found)
    assert project.status() == ""


EARLIER = pytest.mark.parametrize(
    "earlier",
    [{"schema_version": SCHEMA_VERSION - 1}, {"provenance": {"engine_version": ENGINE_VERSION - 1}}],
    ids=["layout", "engine"],
)


@EARLIER
def test_a_record_of_an_earlier_version_waits(
    project: GitRepository, store: PrivateStore, tmp_path: Path, earlier: dict[str, object]
) -> None:
    """What was scored by the rules of before is not published, nor is it broken: it waits for today's scoring."""
    score(store, tmp_path, declaration("Mine"), **earlier)
    (waiting,) = publish(project.folder, store)
    assert (waiting.state, waiting.problem, project.status()) == ("waiting", None, "")
    score(store, tmp_path, declaration("Mine"))
    (done,) = publish(project.folder, store)
    assert done.state == "published"


@EARLIER
def test_a_published_record_of_an_earlier_version_waits(
    project: GitRepository, store: PrivateStore, tmp_path: Path, earlier: dict[str, object]
) -> None:
    """One that was published before stays as it is until it is scored again."""
    write_public_record(tmp_path, "mine", declaration("Mine"), **earlier)
    project.commit({file: (tmp_path / file.rpartition("/")[2]).read_bytes() for file in FILES})
    (waiting,) = publish(project.folder, store)
    assert (waiting.state, waiting.problem, project.status()) == ("waiting", None, "")
    score(store, tmp_path, declaration("Mine"))
    (done,) = publish(project.folder, store)
    assert (done.state, project.status()) == ("published", "")


def test_a_record_with_a_file_missing(project: GitRepository, store: PrivateStore, tmp_path: Path) -> None:
    """A record without its case table, or with something else in its place, is broken; no folder here is named."""
    score(store, tmp_path, declaration("Mine"))
    record = store.public_record("mine", hashlib.sha256(declaration("Mine").encode()).hexdigest())
    assert record is not None
    (record / "cases.parquet").write_bytes(b"PAR1")
    (other,) = publish(project.folder, store)
    (record / "cases.parquet").unlink()
    (missing,) = publish(project.folder, store)
    assert (str(tmp_path) in str(missing.problem), missing.state, other.state) == (False, "broken", "broken")
    assert missing.problem is not None
    assert missing.problem.found == "no such file or directory for one"


def test_a_broken_declaration_stops_nobody_else(project: GitRepository, store: PrivateStore, tmp_path: Path) -> None:
    """A declaration that cannot be read, as of an older layout, is reported; the others are published."""
    project.commit({"submissions/broken/submission.yaml": "a: ["})
    score(store, tmp_path, declaration("Mine"))
    broken, mine = publish(project.folder, store)
    assert (broken.state, mine.state) == ("broken", "published")
    assert broken.problem is not None
    assert broken.problem.code == "E_YAML"


def test_push(project: GitRepository, store: PrivateStore, tmp_path: Path) -> None:
    """With push the upstream has the commit, also one that an earlier run could not push; E_MOVED if it moved on."""
    upstream = project.clone(tmp_path / "upstream.git", "--bare")
    mine, other = upstream.clone(tmp_path / "mine"), upstream.clone(tmp_path / "other")
    score(store, tmp_path, declaration("Mine"))
    publish(mine.folder, store)
    publish(mine.folder, store, push=True)
    assert upstream.git("rev-parse", "main") == commit_of(mine)
    score(store, tmp_path, declaration("Mine"), provenance={"version": "2.0", "engine_version": ENGINE_VERSION})
    with pytest.raises(SubmissionError) as caught:
        publish(other.folder, store, push=True)
    assert caught.value.code == "E_MOVED"
    assert upstream.git("rev-parse", "main") == commit_of(mine)


FILE_EVENTS = {"os.rename", "os.mkdir", "os.rmdir", "os.remove"}
WRITING_COMMANDS = {"update-index", "read-tree", "write-tree", "commit-tree", "update-ref"}


def changes_something(event: str, arguments: tuple[object, ...], folder: bytes) -> bool:
    """Whether an audit event of Python is about a change in a folder or a git command that writes."""
    if event == "subprocess.Popen":
        return bool(WRITING_COMMANDS & set(arguments[1]))  # type: ignore[call-overload]
    if event == "open" and not int(str(arguments[2])) & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
        return False
    return event in {"open", *FILE_EVENTS} and folder in os.fsencode(str(arguments[0]))


def publish_until(step: int, project: GitRepository, store: PrivateStore) -> bool:
    """Publish in a child process that is killed right before its step-th change to the project.

    Returns:
        Whether it came to its end before that.
    """
    child = os.fork()
    if child == 0:
        seen = 0
        where = os.fsencode(project.folder)

        def kill(event: str, arguments: tuple[object, ...]) -> None:
            nonlocal seen
            if changes_something(event, arguments, where):
                seen += 1
                if seen == step:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(kill)
        try:
            publish(project.folder, store)
            os._exit(0)
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert status in {0, signal.SIGKILL}
    return status == 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_killed_at_every_step(project: GitRepository, store: PrivateStore, tmp_path: Path) -> None:
    """Before every single change to a file and every git command: the record is the old or the new one, never a mix.

    The next run finishes the work: one commit of the two files, and nothing is left over.
    """
    score(store, tmp_path, declaration("Mine"))
    publish(project.folder, store)
    rows = private_rows().assign(test_set="public", case_id="liver_1")
    folder = tmp_path / "scored"
    write_table(rows, folder / "cases.parquet")
    results = json.loads((folder / "results.json").read_text()) | {
        "provenance": {"version": "2.0", "engine_version": ENGINE_VERSION},
        "cases_sha256": hashlib.sha256((folder / "cases.parquet").read_bytes()).hexdigest(),
    }
    (folder / "results.json").write_text(json.dumps(results))
    store.save_record("mine", results["submission"]["declaration_sha256"], "0" * 64, folder)

    states = []
    finished = False
    while not finished:
        copy = project.copy(tmp_path / f"project-{len(states)}")
        finished = publish_until(len(states) + 1, copy, store)
        record = read_record(copy.folder / MINE)
        assert record.results is not None
        assert record.cases is not None
        states.append((record.results["provenance"]["version"], len(record.cases)))
        publish(copy.folder, store)
        assert copy.log() == ["Results of mine", "Results of mine", "A change"]
        assert copy.git("show", "--format=", "--name-only").split() == FILES
        assert copy.status() == ""
        assert not list((copy.folder / MINE).glob(".*"))
        assert read_record(copy.folder / MINE).results == results
    assert states == sorted(states)
    assert set(states) == {("1.2.3", 0), ("2.0", 1)}
    assert len(states) > 12


def test_the_command_says_what_became_of_each(
    project: GitRepository,
    store: PrivateStore,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A line for each submission; exit 0 although one waits, 1 when one is broken."""
    project.commit({"submissions/another/submission.yaml": declaration("Another")})
    score(store, tmp_path, declaration("Mine"))
    monkeypatch.chdir(project.folder)
    arguments = ("--private-store", store.folder)
    assert exit_code(monkeypatch, "submission", "publish", *arguments) == 0
    commit = commit_of(project)[:12]
    assert capsys.readouterr().out == f"another  waits for its scoring\nmine     published ({commit})\n"
    score(store, tmp_path, declaration("Another"), "another", cases_sha256="")
    assert exit_code(monkeypatch, "submission", "publish", *arguments, "--repository", project.folder) == 1
    output = capsys.readouterr()
    assert output.out == "another  cannot be published, see below\nmine     published before\n"
    assert output.err.startswith("E_RECORD  submissions/another\n")


def test_the_command_pushes_commits_alone(
    store: PrivateStore, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """--push without commits is wrong usage."""
    assert (
        exit_code(monkeypatch, "submission", "publish", "--private-store", store.folder, "--push", "--no-commit") == 2
    )


def test_the_command_without_submissions(
    tmp_path: Path, store: PrivateStore, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A repository without submissions is fine."""
    empty = GitRepository.make(tmp_path / "empty")
    assert (
        exit_code(monkeypatch, "submission", "publish", "--private-store", store.folder, "--repository", empty.folder)
        == 0
    )
    assert capsys.readouterr().out == "No submission asks for scoring.\n"
