"""Pull requests from start to end, as the workflows play them: real git repositories, a real https server, real files.

Each test is one pull request. The steps are the commands of .github/workflows in their order, each seeing nothing but
what the one before has left; the archives are on a server that behaves well, lies, stalls, or sends one elsewhere.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pytest
from archived import write_tar
from declarations import fields, text_of
from git_repositories import GitRepository
from hosted_submissions import SETS, SPACING_MM, prediction_of, write_references
from niftis import nifti_bytes

from ctspine_bench.archives import fetching
from ctspine_bench.submissions.records import read_record

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from command_line import Done
    from https_server import HttpsServer

SLUG = "spine-net"
PRIVATE = "/archives/private.tar"
AFFINE = np.diag([*SPACING_MM, 1.0])


class Outcome(NamedTuple):
    """How far the workflow got: exit codes of the steps that ran, the comment, and all that was printed."""

    codes: dict[str, int]
    comment: str
    log: str


class Stage:
    """The organizers' repository with its references and store, a participant's clone, and a server with archives."""

    def __init__(self, folder: Path, server: HttpsServer, run: Callable[..., Done]) -> None:
        self.folder, self.server, self._run = folder, server, run
        self.project = GitRepository.make(folder / "project", {"submissions/README.md": "Submissions.\n"})
        self.references = write_references(folder / "references")
        self.store = folder / "store"
        self.store.mkdir()
        self.archives = {name: self._upload(name) for name in SETS}

    def _upload(self, name: str, seed: int = 0) -> dict[str, object]:
        """Put the predictions of a test set on the server, and return what a declaration says about them."""
        predictions = [
            (f"{case_id}.nii", nifti_bytes(prediction_of(case_id, first, seed), AFFINE))
            for case_id, first in SETS[name].items()
        ]
        path = self.folder / f"{name}.tar"
        write_tar(path, predictions)
        content = path.read_bytes()
        self.server.files[f"/archives/{name}.tar"] = content
        digest = hashlib.sha256(content).hexdigest()
        return {"url": self.server.url(f"/archives/{name}.tar"), "sha256": digest, "size": len(content)}

    def declaration(self, **changes: object) -> bytes:
        """A declaration of the archives on the server."""
        sets = {f"phantom-{name}": archive for name, archive in self.archives.items()}
        return text_of(fields(**{"test_sets": sets, **changes}))

    def submit(self, content: bytes | None = None) -> str:
        """Open a pull request with a submission; return its commit."""
        head = self.project.submit(SLUG, content or self.declaration())
        self.project.git("switch", "--quiet", "main")
        return head

    def play(self, head: str, *, now: str | None = None) -> Outcome:
        """Do what the workflows do when the label is set on a commit.

        Args:
            head: That commit.
            now: The commit of the pull request by the time of the comment; the same by default.
        """
        scratch = self.folder / f"runner-{len(list(self.folder.glob('runner-*')))}"
        declared, taken_in, scored = scratch / "declared", scratch / "predictions", scratch / "scored"
        comment, host = scored / "comment.json", self.server.host
        scored.mkdir(parents=True)
        step = _Steps(self._run)
        checked = step(
            "check-pr", "--repository", self.project.folder, "--base", "main", "--head", head, "--author", "octocat",
            "--extract", declared, "--format", "json",
        )  # fmt: skip
        comment.write_text(checked.stdout)
        # A step runs when those before it have succeeded.
        if step.ok:
            step("fetch", declared / SLUG, "--output", taken_in, "--allow-host", host, "--commit", head,
                 "--comment", comment)  # fmt: skip
        if step.ok:
            step(
                "score", declared / SLUG, "--predictions", taken_in, "--references", self.references,
                "--private-store", self.store, "--board", self.project.folder / "submissions", "--output", scored,
                "--author", "octocat", "--commit", head, "--allow-incomplete",
            )  # fmt: skip
        markdown = scratch / "comment.md"
        step("comment", comment, "--head", now or head, "--output", markdown)
        return Outcome(step.codes, markdown.read_text() if markdown.exists() else "", step.log)

    def merge(self) -> None:
        """Merge the pull request."""
        self.project.git("merge", "--quiet", "--no-edit", SLUG)

    def publish(self) -> Done:
        """Do what the workflow does after a merge."""
        return self._run("submission", "publish", "--repository", self.project.folder, "--private-store", self.store)

    def verify(self) -> Done:
        """Recompute what is published."""
        return self._run(
            "submission", "verify", self.project.folder / "submissions", "--references", self.references,
            "--private-store", self.store,
        )  # fmt: skip


class _Steps:
    """Runs commands and remembers how they ended."""

    def __init__(self, run: Callable[..., Done]) -> None:
        self._run = run
        self.codes: dict[str, int] = {}
        self.log = ""

    @property
    def ok(self) -> bool:
        return not any(self.codes.values())

    def __call__(self, name: str, *arguments: object) -> Done:
        done = self._run("submission", name, *arguments)
        self.codes[name] = done.returncode
        self.log += done.stdout + done.stderr
        return done


@pytest.fixture
def stage(
    tmp_path: Path, https_server: HttpsServer, run: Callable[..., Done], monkeypatch: pytest.MonkeyPatch
) -> Stage:
    # As patient as a test can be.
    patience = fetching.Patience(connect_s=2, stall_s=0.3, grace_s=2, attempts=3, pause_s=0.01)
    monkeypatch.setattr(fetching, "Patience", lambda: patience)
    return Stage(tmp_path, https_server, run)


def test_a_good_pull_request_ends_on_the_board(stage: Stage) -> None:
    """Checked, scored, commented, merged, published, verified; nothing private is in what was published."""
    head = stage.submit()
    outcome = stage.play(head)
    assert outcome.codes == {"check-pr": 0, "fetch": 0, "score": 0, "comment": 0}, outcome.log
    assert outcome.comment.startswith(f"<!-- ctspine-bench: {SLUG} -->")
    assert head[:7] in outcome.comment
    stage.merge()
    assert stage.publish().returncode == 0
    record = read_record(stage.project.folder / "submissions" / SLUG)
    assert record.results is not None
    assert record.results["submission"]["commit"] == head
    assert record.cases is not None
    assert set(record.cases["test_set"]) == {"phantom-public", "phantom-verse"}
    assert not any(case.encode() in path.read_bytes() for case in SETS["private"] for path in record.folder.iterdir())
    assert SLUG in stage.project.log()[0]
    assert stage.project.status() == ""
    verified = stage.verify()
    assert verified.returncode == 0, verified.stdout


def test_scoring_twice_changes_nothing(stage: Stage) -> None:
    """The label set again on the same commit: the same results, and no scoring more is used up."""
    head = stage.submit()
    first, second = stage.play(head), stage.play(head)
    assert first.comment == second.comment
    lines = filter(None, (stage.store / "ledger.jsonl").read_text().splitlines())
    assert [json.loads(line)["outcome"] for line in lines] == ["started", "scored", "repeated"]


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ({".github/workflows/submission-score.yml": "on: push\n"}, "E_PATH"),
        ({"ctspine_bench/evaluate.py": "import os\n"}, "E_PATH"),
        ({f"submissions/{SLUG}/predict.py": "import os\n"}, "E_PATH"),
        ({f"submissions/{SLUG}/results.json": "{}"}, "E_RESULTS"),
    ],
    ids=["a workflow", "the scorer", "code in the folder", "results"],
)
def test_a_malicious_pull_request_gets_no_further_than_its_check(
    stage: Stage, files: dict[str, str], code: str
) -> None:
    """What it brings besides its declaration is refused; nothing is downloaded, and the comment says why."""
    stage.project.submit(SLUG, stage.declaration())
    head = stage.project.commit(files)
    stage.project.git("switch", "--quiet", "main")
    outcome = stage.play(head)
    assert outcome.codes == {"check-pr": 1, "comment": 0}
    assert code in outcome.comment
    assert stage.server.requests == []
    assert list(stage.store.iterdir()) == []


def test_a_broken_declaration_is_told_in_full(stage: Stage) -> None:
    """Every field that is wrong is in the comment, with what to do."""
    outcome = stage.play(stage.submit(stage.declaration(licence=7, colour="red", owners=["not a login"])))
    assert outcome.codes == {"check-pr": 1, "comment": 0}
    assert all(field in outcome.comment for field in ("licence", "colour", "owners"))


def test_a_pull_request_that_moves_on_gets_no_comment(stage: Stage) -> None:
    """The scores of one commit are not told about another one; nor are they published for another declaration."""
    head = stage.submit()
    stage.project.git("switch", "--quiet", SLUG)
    moved = stage.project.commit({f"submissions/{SLUG}/submission.yaml": stage.declaration(name="Another name")})
    stage.project.git("switch", "--quiet", "main")
    outcome = stage.play(head, now=moved)
    assert outcome.codes["score"] == 0
    assert outcome.codes["comment"] == 1
    assert "E_MOVED" in outcome.log
    assert outcome.comment == ""
    stage.merge()
    stage.publish()
    assert read_record(stage.project.folder / "submissions" / SLUG).results is None


def redirected(server: HttpsServer) -> None:
    server.redirect(PRIVATE, server.other_url(PRIVATE))


def lying(server: HttpsServer) -> None:
    server.misbehave(PRIVATE, content_length=10)


def endless(server: HttpsServer) -> None:
    server.misbehave(PRIVATE, send=server.files[PRIVATE] + b"more", content_length=0)


def stalled(server: HttpsServer) -> None:
    server.misbehave(PRIVATE, stall_after=100)


def always_dropped(server: HttpsServer) -> None:
    server.misbehave(PRIVATE, drop_after=0)


def replaced(server: HttpsServer) -> None:
    server.files[PRIVATE] = bytes(len(server.files[PRIVATE]))


@pytest.mark.parametrize(
    ("misbehave", "code"),
    [
        (redirected, "E_HOST"),
        (lying, "E_SIZE"),
        (endless, "E_SIZE"),
        (stalled, "E_TIMEOUT"),
        (always_dropped, "E_FETCH"),
        (replaced, "E_DIGEST"),
    ],
    ids=lambda parameter: getattr(parameter, "__name__", ""),
)
def test_an_archive_that_does_not_arrive_is_an_error(
    stage: Stage, misbehave: Callable[[HttpsServer], None], code: str
) -> None:
    """No reference is opened and no scoring used up; the comment names the archive and says what happened."""
    misbehave(stage.server)
    outcome = stage.play(stage.submit())
    assert outcome.codes == {"check-pr": 0, "fetch": 1, "comment": 0}, outcome.log
    assert code in outcome.comment
    assert "private.tar" in outcome.comment
    assert list(stage.store.iterdir()) == []


def test_a_dropped_line_is_taken_up_again(stage: Stage) -> None:
    """The rest is asked for, and the submission scored as if nothing had happened."""
    stage.server.misbehave(PRIVATE, drop_after=5000, times=1)
    outcome = stage.play(stage.submit())
    assert outcome.codes == {"check-pr": 0, "fetch": 0, "score": 0, "comment": 0}, outcome.log
    asked = [of for path, of in stage.server.requests if path == PRIVATE]
    assert asked[0] is None
    assert asked[1] == "bytes=5000-"
