"""The workflows and the action are valid, call commands that exist, and keep to the rules that make them safe."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import pytest
import yaml

from ctspine_bench.cli import _group

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
FILES = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
ACTION = ROOT / "action.yml"

PERMISSIONS = {
    "ci": {"test": {"contents": "read"}},
    "submission-lint": {"lint": {"contents": "read"}},
    "submission-score": {
        "take-in": {"contents": "read"},
        "score": {"contents": "read"},
        "comment": {"contents": "read", "pull-requests": "write"},
    },
    "submission-publish": {"publish": {"contents": "write"}},
    "release": {
        "build": {"contents": "read"},
        "release-page": {"contents": "write"},
        "package-index": {"id-token": "write"},
    },
}
"""Workflow → job → what its token may do, all of it."""

PINS = {
    "actions/checkout": ("11bd71901bbe5b1630ceea73d27597364c9af683", "v4.2.2"),
    "actions/setup-python": ("a26af69be951a213d495a4c3e4e4022e16d87065", "v5.6.0"),
    "actions/upload-artifact": ("ea165f8d65b6e75b540449e92b4886f43607fa02", "v4.6.2"),
    "actions/download-artifact": ("d3f86a106a0bac45b974a628896c90dbdf5c8093", "v4.3.0"),
    "pypa/gh-action-pypi-publish": ("76f52bc884231f62b9a034ebfe128415bbaabdfc", "v1.12.4"),
}
"""Action → the commit that all workflows use, and its version."""


def load(path: Path) -> dict[Any, Any]:
    """The content of a workflow; YAML's "on" is the key `True`."""
    content: dict[Any, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return content


WORKFLOWS = {path.stem: load(path) for path in FILES}
JOBS = {(name, job): content for name, workflow in WORKFLOWS.items() for job, content in workflow["jobs"].items()}
STEPS = [(f"{name}/{job}", step) for (name, job), content in JOBS.items() for step in content["steps"]]
STEPS += [("action", step) for step in load(ACTION)["runs"]["steps"]]


def steps_of(workflow: str, job: str) -> list[dict[str, Any]]:
    """The steps of a job."""
    steps: list[dict[str, Any]] = JOBS[workflow, job]["steps"]
    return steps


def script_of(where: str, name: str) -> str:
    """The script of a step."""
    (script,) = (step["run"] for place, step in STEPS if (place, step.get("name")) == (where, name))
    assert isinstance(script, str)
    return script


def command_lines(script: str) -> Iterator[list[str]]:
    """The arguments of every call of ctspine-bench in a script, without redirections and options that are added."""
    for line in script.replace("\\\n", " ").splitlines():
        _, called, rest = line.partition("ctspine-bench ")
        if called:
            words = shlex.split(rest, comments=True)
            end = next((i for i, word in enumerate(words) if word in {">", ">>", "|", "||", "&&"}), len(words))
            yield [word for word in words[:end] if word != "${options[@]}"]


CALLS = [(where, words) for where, step in STEPS for words in command_lines(step.get("run", ""))]


def parse(words: list[str]) -> None:
    """Parse arguments as the command line does, without running anything.

    Raises:
        click.UsageError: No such command or option, or an argument too many or too few.
    """
    command: click.Command = _group
    while isinstance(command, click.Group) and not words[0].startswith("-"):
        _, found, words = command.resolve_command(click.Context(command), words)
        assert found is not None
        command = found
    with suppress(click.exceptions.Exit):
        command.make_context(command.name, list(words))


def test_schemas() -> None:
    """All files are valid by the schemas of their kind, which the checker brings along."""
    for schema, paths in (("github-workflows", FILES), ("github-actions", [ACTION])):
        arguments = ["--builtin-schema", f"vendor.{schema}", *map(str, paths)]
        done = subprocess.run(
            [sys.executable, "-m", "check_jsonschema", *arguments], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_all_workflows_are_known() -> None:
    """Whoever adds a workflow or job writes down here what it may do."""
    assert {name: set(workflow["jobs"]) for name, workflow in WORKFLOWS.items()} == {
        name: set(jobs) for name, jobs in PERMISSIONS.items()
    }


@pytest.mark.parametrize("name", WORKFLOWS)
def test_permissions(name: str) -> None:
    """A workflow has none; each job has exactly those that are listed, and a limit on its time."""
    assert WORKFLOWS[name]["permissions"] == {}
    for job, content in WORKFLOWS[name]["jobs"].items():
        assert content["permissions"] == PERMISSIONS[name][job]
        assert content["timeout-minutes"] <= 180


@pytest.mark.parametrize("path", [*FILES, ACTION], ids=lambda path: path.stem)
def test_actions_are_pinned(path: Path) -> None:
    """Every action is one of the listed commits, with its version beside it."""
    lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
    used = [line.removeprefix("- ").removeprefix("uses: ") for line in lines if re.match(r"(- )?uses:", line)]
    assert used
    for line in used:
        action, _, pin = line.partition("@")
        assert pin == "{} # {}".format(*PINS[action])
        assert re.fullmatch(r"[0-9a-f]{40}", PINS[action][0])


def test_scripts_hold_no_expressions() -> None:
    """What others write (titles, branches, inputs) reaches a script through its environment, never as part of it."""
    scripts = [(where, step["run"]) for where, step in STEPS if "run" in step]
    assert len(scripts) > 10
    assert [where for where, script in scripts if "${{" in script] == []
    assert [where for where, script in scripts if re.search(r"\beval\b|\$\(<|`", script)] == []


def test_scripts_stop_at_the_first_failure() -> None:
    """Scripts with a pipe or redirection run in `bash`, which GitHub calls with -e and -o pipefail."""
    for (name, _), job in JOBS.items():
        if any(re.search(r"[|>]", step.get("run", "")) for step in job["steps"]):
            assert WORKFLOWS[name]["defaults"] == {"run": {"shell": "bash"}}
    assert {step["shell"] for where, step in STEPS if where == "action" and "run" in step} == {"bash"}


def test_checkouts_leave_no_credentials() -> None:
    """No checkout leaves its token where later steps could find it."""
    checkouts = [step for _, step in STEPS if step.get("uses", "").startswith("actions/checkout@")]
    assert len(checkouts) >= 7
    assert {step["with"]["persist-credentials"] for step in checkouts} == {False}


@pytest.mark.parametrize(
    ("workflow", "job", "ref"),
    [
        ("submission-lint", "lint", "${{ github.event.pull_request.base.sha }}"),
        ("submission-score", "take-in", "${{ github.sha }}"),
        ("submission-score", "score", "${{ github.sha }}"),
        ("submission-score", "comment", "${{ github.sha }}"),
    ],
)
def test_the_head_is_never_checked_out(workflow: str, job: str, ref: str) -> None:
    """The code that runs is that of the base branch; of the head, git's objects are fetched at most."""
    checkouts = [
        step["with"] for step in steps_of(workflow, job) if step.get("uses", "").startswith("actions/checkout@")
    ]
    assert [options["ref"] for options in checkouts if "repository" not in options] == [ref]
    scripts = "\n".join(step.get("run", "") for step in steps_of(workflow, job))
    assert not re.search(
        r"git (-\S+ )*(checkout|switch|merge|worktree|restore|reset|pull|read-tree|apply)|gh pr checkout", scripts
    )
    assert re.findall(r"git fetch.*", scripts) == (
        [] if job == "comment" else ['git fetch --quiet --no-tags origin "$HEAD"']
    )


def test_the_head_is_that_of_the_event() -> None:
    """All steps of a run speak of one commit: that of the event, not what the branch has become since."""
    head = "github.event.pull_request.head.sha"
    heads = {step["env"]["HEAD"] for _, step in STEPS if "HEAD" in step.get("env", {})}
    assert heads == {f"${{{{ {head} }}}}", f"${{{{ {head} || github.sha }}}}"}


def test_triggers() -> None:
    """Only maintainers start the scoring, by label or by hand; anybody's pull request starts no more than lint."""
    triggers = {name: workflow[True] for name, workflow in WORKFLOWS.items()}
    assert set(triggers["submission-score"]) == {"pull_request_target", "workflow_dispatch"}
    assert triggers["submission-score"]["pull_request_target"] == {"types": ["labeled"]}
    assert set(triggers["submission-score"]["workflow_dispatch"]["inputs"]) == {"slug"}
    by_hand = "github.event_name == 'workflow_dispatch'"
    assert JOBS["submission-score", "take-in"]["if"] == f"{by_hand} || github.event.label.name == 'score'"
    assert JOBS["submission-score", "score"]["needs"] == "take-in"
    assert "if" not in JOBS["submission-score", "score"]
    assert triggers["submission-lint"] == {"pull_request": {"paths": ["submissions/**"]}}
    assert triggers["submission-publish"] == {
        "push": {"branches": ["main"], "paths": ["submissions/**"]},
        "workflow_dispatch": None,
    }
    assert [name for name, trigger in triggers.items() if "pull_request_target" in trigger] == ["submission-score"]


def test_secrets_are_where_they_are_needed() -> None:
    """Each job sees the secrets listed here in the steps listed here, and no other job sees any."""
    found = [
        (where, step["name"], secret)
        for where, step in STEPS
        for secret in re.findall(r"secrets\.\w+|secrets\[|toJSON\(secrets|github\.token", yaml.safe_dump(step))
    ]
    private = "secrets.PRIVATE_REPOSITORY_TOKEN"
    assert found == [
        ("release/release-page", "Attach the files to a release", "github.token"),
        ("submission-publish/publish", "Get the private store", private),
        ("submission-publish/publish", "Publish", "github.token"),
        ("submission-score/score", "Get the references and the private store", private),
        ("submission-score/score", "Save the private store", private),
        ("submission-score/comment", "Write the comment", "github.token"),
        ("submission-score/comment", "Post it, in the place of an earlier one", "github.token"),
        ("submission-score/comment", "Take the label away, so that it can be set again", "github.token"),
    ]
    for job in JOBS.values():
        assert "secrets" not in yaml.safe_dump({key: value for key, value in job.items() if key != "steps"})
    for workflow in WORKFLOWS.values():
        assert "env" not in workflow


def test_what_participants_sent_never_meets_a_secret() -> None:
    """Archives are fetched and read in a job without environment or secrets; secrets are where nothing is fetched."""
    fetching = {where for where, words in CALLS if words[:2] == ["submission", "fetch"]}
    with_secrets = {where for where, step in STEPS if "secrets" in yaml.safe_dump(step)}
    with_environment = {f"{name}/{job}" for (name, job), content in JOBS.items() if "environment" in content}
    assert fetching == {"submission-score/take-in"}
    assert with_secrets == {"submission-score/score", "submission-publish/publish"}
    assert with_environment == {*with_secrets, "release/package-index"}
    (scoring,) = (words for where, words in CALLS if words[:2] == ["submission", "score"])
    assert "--predictions" in scoring


def test_the_declaration_is_taken_from_git_by_each_job() -> None:
    """The job with the references checks and extracts it anew: all it is handed are canonical predictions."""
    names = ["Check the pull request", "Check the submission on main"]
    checks = {
        job: [step for step in steps_of("submission-score", job) if step.get("name") in names]
        for job in ("take-in", "score")
    }
    assert [step["name"] for step in checks["take-in"]] == names
    assert checks["score"] == checks["take-in"]
    artifacts = [
        step["with"] for step in steps_of("submission-score", "score") if "download-artifact@" in step.get("uses", "")
    ]
    assert artifacts == [{"name": "predictions", "path": "${{ runner.temp }}/predictions"}]


def test_scoring_goes_in_order() -> None:
    """The declaration, the predictions, references and secrets, the scores; saved first, and only then handed on."""
    order = [
        "Check the pull request",
        "Check the submission on main",
        "Get the references and the private store",
        "Score",
        "Save the private store",
        "Hand on what is public",
    ]
    assert [step["name"] for step in steps_of("submission-score", "score") if step.get("name") in order] == order


def test_nothing_is_told_that_the_ledger_does_not_know() -> None:
    """The store is saved however the scoring ends; what was scored is handed on, the public folder, if that worked."""
    steps = {step["name"]: step for step in steps_of("submission-score", "score") if "name" in step}
    assert steps["Get the references and the private store"]["id"] == "private"
    assert steps["Save the private store"]["id"] == "save"
    assert steps["Save the private store"]["if"] == "${{ always() && steps.private.outcome == 'success' }}"
    assert steps["Hand on what is public"]["if"] == "${{ always() && steps.save.outcome == 'success' }}"
    assert steps["Hand on what is public"]["with"]["path"] == "${{ runner.temp }}/scored"
    assert steps["Score"]["timeout-minutes"] < JOBS["submission-score", "score"]["timeout-minutes"]
    assert steps["Score"]["run"].rstrip().endswith("> /dev/null")


def test_private_scorings_wait_for_each_other() -> None:
    """Scoring and publishing use the store one at a time, and none is cancelled for another."""
    groups = [JOBS[job]["concurrency"] for job in (("submission-score", "score"), ("submission-publish", "publish"))]
    assert groups == [{"group": "private-store", "cancel-in-progress": False, "queue": "max"}] * 2


def test_only_one_job_publishes_packages() -> None:
    """The token that the package index trusts is in the job that uploads, which runs nothing else."""
    steps = [step["uses"].partition("@")[0] for step in steps_of("release", "package-index")]
    assert steps == ["actions/download-artifact", "pypa/gh-action-pypi-publish"]


def test_the_command_line_is_called() -> None:
    """Each of the commands for organizers, and `score` in the action, has its place."""
    called = [(where, " ".join(words[: 2 if words[0] == "submission" else 1])) for where, words in CALLS]
    assert called == [
        ("release/build", "--version"),
        ("release/build", "demo"),
        ("submission-lint/lint", "submission check-pr"),
        ("submission-publish/publish", "submission publish"),
        ("submission-score/take-in", "submission check-pr"),
        ("submission-score/take-in", "submission validate"),
        ("submission-score/take-in", "submission fetch"),
        ("submission-score/score", "submission check-pr"),
        ("submission-score/score", "submission validate"),
        ("submission-score/score", "submission score"),
        ("submission-score/comment", "submission comment"),
        ("action", "score"),
    ]


@pytest.mark.parametrize(("where", "words"), CALLS, ids=lambda value: value if isinstance(value, str) else value[-1])
def test_every_command_line_can_be_parsed(where: str, words: list[str]) -> None:
    """Each call names a command that exists, with its arguments and with options that exist."""
    try:
        parse(words)
    except click.UsageError as error:
        pytest.fail(f"{where}: {' '.join(words)}: {error.format_message()}")


def test_the_options_that_the_action_adds_exist() -> None:
    """`score` takes each option that an input turns into."""
    script = script_of("action", "Score")
    options = re.findall(r"options\+=\((.+)\)", script.replace("$TEST_SET", "public").replace("$LABEL_MAP", "verse"))
    assert len(options) == 3
    for option in options:
        parse(["score", *shlex.split(option), "predictions", "references"])


def test_wrong_command_lines_are_noticed() -> None:
    """The check above would notice an unknown command or option, and a missing argument."""
    for line in ("submission nothing", "submission publish --no-such-option", "submission comment", "score a"):
        with pytest.raises(click.UsageError):
            parse(line.split())


def test_the_comment_is_found_by_its_first_line() -> None:
    """The workflow edits the comment that begins as all of them do, and only one of its own."""
    from ctspine_bench.hosting.comment.markdown import MARKER

    script = script_of("submission-score/comment", "Post it, in the place of an earlier one")
    assert f'.user.login == "github-actions[bot]" and (.body | startswith("{MARKER}"))' in script


def test_the_action_passes_its_inputs_on() -> None:
    """Every input is used, and each output is a file that scoring writes."""
    action = load(ACTION)
    text = yaml.safe_dump(action["runs"])
    assert [name for name in action["inputs"] if f"inputs.{name} " not in text] == []
    assert set(action["outputs"]) == {"results", "cases"}


def run_script(script: str, folder: Path, program: str, answers: str = "", **environment: str) -> list[list[str]]:
    """Run a script as a runner does, with a stand-in for one program, and return the arguments of its calls."""
    calls, stand_in = folder / "calls", folder / program
    stand_in.parent.mkdir(parents=True, exist_ok=True)
    stand_in.write_text(f"#!/bin/bash\nprintf '%s\\0' \"$#\" \"$@\" >> '{calls}'\n{answers}\n")
    stand_in.chmod(0o755)
    path = f"{stand_in.parent}:/usr/bin:/bin"
    bash = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]
    subprocess.run(bash, cwd=folder, env={"PATH": path, **environment}, check=True, timeout=20)
    words = iter(calls.read_text(encoding="utf-8").split("\0")[:-1])
    return [[next(words) for _ in range(int(count))] for count in words]


HOSTILE_INPUT = "$(touch owned) `touch owned`; touch owned \"' --help\n--report=owned"


@pytest.mark.skipif(sys.platform == "win32", reason="the runners of these scripts have bash")
def test_the_action_takes_inputs_as_they_are(tmp_path: Path) -> None:
    """No input is run or split, one that begins with a hyphen is a path, and the summary gets the table."""
    files = {name: tmp_path / name for name in ("output", "summary")}
    calls = run_script(
        script_of("action", "Score"), tmp_path, "venv/bin/ctspine-bench", "echo a table",
        FOLDER=str(tmp_path), PREDICTIONS=HOSTILE_INPUT, REFERENCES="--help", TEST_SET=HOSTILE_INPUT,
        LABEL_MAP="", ALLOW_INCOMPLETE="true",
        GITHUB_OUTPUT=str(files["output"]), GITHUB_STEP_SUMMARY=str(files["summary"]),
    )  # fmt: skip
    assert calls == [
        [
            "score", "--output", f"{tmp_path}/scores", "--format", "markdown", f"--test-set={HOSTILE_INPUT}",
            "--allow-incomplete", "--", HOSTILE_INPUT, "--help",
        ]
    ]  # fmt: skip
    assert not (tmp_path / "owned").exists()
    assert files["summary"].read_text() == "a table\n"
    outputs = dict(line.split("=") for line in files["output"].read_text().splitlines())
    assert outputs == {
        name: f"{tmp_path}/scores/{name}.{kind}" for name, kind in (("results", "json"), ("cases", "parquet"))
    }


@pytest.mark.skipif(sys.platform == "win32", reason="the runners of these scripts have bash")
@pytest.mark.parametrize(
    ("earlier", "expected"), [("", ["POST", "issues/7/comments"]), ("12\n34", ["PATCH", "issues/comments/12"])]
)
def test_the_comment_is_posted_once(earlier: str, expected: list[str], tmp_path: Path) -> None:
    """The first comment is posted; later ones take its place."""
    calls = run_script(
        script_of("submission-score/comment", "Post it, in the place of an earlier one"), tmp_path, "bin/gh",
        f'[[ "$2" == --paginate ]] && printf "{earlier}" || true',
        COMMENTS="issues/7/comments", COMMENT="issues/comments", RUNNER_TEMP="/runner",
    )  # fmt: skip
    assert calls[0][:3] == ["api", "--paginate", "issues/7/comments?per_page=100"]
    method, target = expected
    assert calls[1:] == [["api", "--silent", "--method", method, target, "--field", "body=@/runner/comment.md"]]


@pytest.mark.skipif(sys.platform == "win32", reason="the runners of these scripts have bash")
def test_a_submission_on_main_is_extracted(tmp_path: Path) -> None:
    """What is scored again lies where that of a pull request would; its name is checked and never run."""
    script = script_of("submission-score/score", "Check the submission on main")
    folder = tmp_path / "submissions" / "my-method"
    folder.mkdir(parents=True)
    (folder / "submission.yaml").touch()
    calls = run_script(script, tmp_path, "bin/ctspine-bench", SLUG="my-method", RUNNER_TEMP=str(tmp_path))
    assert calls == [["submission", "validate", "submissions/my-method"]]
    assert [path.name for path in (tmp_path / "declared").glob("*/*")] == ["submission.yaml"]
    (tmp_path / "calls").unlink()
    with pytest.raises(subprocess.CalledProcessError):
        run_script(script, tmp_path, "bin/ctspine-bench", "exit 1", SLUG=HOSTILE_INPUT, RUNNER_TEMP="/nowhere")
    assert (tmp_path / "calls").read_text().split("\0")[3] == f"submissions/{HOSTILE_INPUT}"
    assert not (tmp_path / "owned").exists()
