"""The pages for participants and organizers, typed in from top to bottom.

Every `sh` block of docs/submitting.md is run by bash in a clone of a repository with submissions, then every block of
docs/hosting.md in another, on the official test sets in full (with tiny spines). Two things differ from what the pages
say: the archives lie on a server of this test, and the address in the pages is replaced by its own.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from official_sized import write_predictions, write_references

from ctspine_bench.submissions.records import read_record

if TYPE_CHECKING:
    from https_server import HttpsServer

ROOT = Path(__file__).parents[2]
DOCUMENTED_HOST = "zenodo.org"
TEST_SETS = ("public", "private", "verse")


def blocks(document: str) -> list[str]:
    """The `sh` blocks of a page."""
    return re.findall(
        r"^```sh\n(.*?)^```$", (ROOT / "docs" / document).read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )


class Desk:
    """A place to type commands at: an environment with `ctspine-bench`, git with an identity, and a server."""

    def __init__(self, folder: Path, server: HttpsServer) -> None:
        self.server = server
        programs = folder / "bin"
        programs.mkdir()
        program = programs / "ctspine-bench"
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m ctspine_bench "$@"\n')
        program.chmod(0o755)
        self.environment = {
            **os.environ,
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]),
            "GIT_CONFIG_GLOBAL": str(folder / "gitconfig"),
            "GIT_CONFIG_NOSYSTEM": "1",
        }
        (folder / "gitconfig").write_text(
            "[user]\n name = Test\n email = test@example.org\n[init]\n defaultBranch = main\n"
        )

    def type(self, script: str, folder: Path) -> subprocess.CompletedProcess[str]:
        """Run lines as they are in a page; the first one that fails fails the test."""
        script = script.replace(DOCUMENTED_HOST, self.server.host)
        script = script.replace("submission fetch ", f"submission fetch --allow-host {self.server.host} ")
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=folder, env=self.environment, capture_output=True, text=True, check=False, timeout=300,
        )  # fmt: skip
        if done.returncode:
            pytest.fail(f"{script}\nexited with {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done


@pytest.fixture
def desk(tmp_path: Path, https_server: HttpsServer) -> Desk:
    return Desk(tmp_path, https_server)


@pytest.fixture
def upstream(tmp_path: Path, desk: Desk) -> Path:
    """A bare repository as the organizers have it: the published nnU-Net row and nothing else."""
    bare, first = tmp_path / "upstream.git", tmp_path / "first"
    desk.type(f"git init --quiet --bare {bare} && git clone --quiet {bare} {first}", tmp_path)
    shutil.copytree(ROOT / "submissions", first / "submissions")
    desk.type("git add . && git commit --quiet --message 'The published row' && git push --quiet origin main", first)
    return bare


def test_the_pages_work_from_top_to_bottom(tmp_path: Path, desk: Desk, upstream: Path) -> None:
    """A participant's evening and an organizer's morning: at the end the results are in the repository."""
    participant, organizer = tmp_path / "participant", tmp_path / "organizer"
    desk.type(f"git clone --quiet {upstream} {participant}", tmp_path)
    write_predictions(participant / "predictions", levels_off=1)
    write_references(participant / "references")
    for block in blocks("submitting.md"):
        desk.type(block, participant)
        for archive in participant.glob("*.tar"):
            desk.server.files[f"/records/1234567/files/{archive.name}"] = archive.read_bytes()

    desk.type(
        f"git clone --quiet {upstream} {organizer} && git -C {organizer} branch my-method origin/my-method", tmp_path
    )
    shutil.copytree(participant / "references", organizer / "private" / "references")
    (organizer / "private" / "store").mkdir()
    for block in blocks("hosting.md"):
        desk.type(block, organizer)

    record = read_record(organizer / "submissions" / "my-method")
    assert record.results is not None
    assert set(record.results["test_sets"]) == set(TEST_SETS)
    assert record.cases is not None
    assert set(record.cases["test_set"]) == {"public", "verse"}
    changed = desk.type("git log --format= --name-only --max-count=1", organizer).stdout.split()
    assert sorted(changed) == ["submissions/my-method/cases.parquet", "submissions/my-method/results.json"]
    assert desk.type("git status --porcelain -- submissions", organizer).stdout == ""
