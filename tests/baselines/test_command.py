"""The command `ctspine-baseline`, in this process."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from command_line import Done

from ctspine_baselines import command
from ctspine_baselines.recipe import recipe_names
from ctspine_bench.testsets import official

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Done]:
    """Run ctspine-baseline in this process."""

    def call(*arguments: object) -> Done:
        monkeypatch.setenv("COLUMNS", "100")
        monkeypatch.setattr(sys, "argv", ["ctspine-baseline", *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            command.main()
        return Done(int(stop.value.code or 0), *capsys.readouterr())

    return call


def test_all_recipes_are_listed(run: Callable[..., Done]) -> None:
    """Each with its data and whether it is untrained."""
    done = run("list")
    lines = {line.split()[0]: line for line in done.stdout.splitlines()}
    assert lines.keys() >= set(recipe_names())
    assert "untrained" in lines["nnunet-3dfullres"]


def test_a_dry_run_says_all_and_changes_nothing(
    run: Callable[..., Done], pristine_download: Path, tmp_path: Path
) -> None:
    """Five steps, with what is there already and what would be written where; no work folder is made."""
    work = tmp_path / "work"
    done = run("run", "nnunet-3dfullres", "--data", pristine_download, "--work", work, "--dry-run")
    assert done.returncode == 0, done.stderr
    steps = [line.split()[0] for line in done.stdout.splitlines()]
    assert list(dict.fromkeys(steps)) == ["prepare", "plan", "train", "predict", "submit"]
    assert "check 610 of 610 training cases (COLONOG 480, COVID-19 20, HNSCC-3DCT-RT 20, MSD-T10 90)" in done.stdout
    n_public = len(official("public").cases or ())
    assert f"predict {n_public} of {n_public} cases of public" in done.stdout
    assert "leave out private, which has no images" in done.stdout
    assert "1000 epochs of 250 iterations on 1 GPU" in done.stdout
    assert not work.exists()


def test_a_method_of_others_has_no_training(run: Callable[..., Done], pristine_download: Path, tmp_path: Path) -> None:
    """The dry run says of each step whether there is anything to do."""
    done = run("run", "totalsegmentator", "--data", pristine_download, "--work", tmp_path / "work", "--dry-run")
    assert "train    nothing: totalsegmentator was trained by others" in done.stdout
    assert "cases of public with TotalSegmentator" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "found"),
    [
        (("train", "nnunet"), 2, "expected a recipe out of"),
        (("prepare", "nnunet-3dfullres"), 2, "--data FOLDER"),
        (("train", "nnunet-3dfullres", "--work", "nowhere"), 1, "Call the step `plan` first"),
        (("train", "nnunet-3dfullres", "--gpus", "0"), 2, "--gpus"),
    ],
)
def test_what_cannot_be_done_is_one_clear_error(
    run: Callable[..., Done], arguments: tuple[str, ...], code: int, found: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wrong usage exits with 2, bad input with 1; nothing is a traceback."""
    monkeypatch.delenv("CTSPINE_DATA", raising=False)
    done = run(*arguments)
    assert (done.returncode, done.stdout) == (code, "")
    assert found in done.stderr
    assert "Traceback" not in done.stderr
