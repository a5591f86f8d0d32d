"""What a baseline was trained with, on the page of its submission."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from trained_records import EPOCHS, copy_as_baseline, stage, training

from ctspine_bench.board import Board
from ctspine_bench.errors import SubmissionError
from ctspine_leaderboard.views.submission.training import curves, training_facts

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from streamlit.testing.v1 import AppTest

    from ctspine_bench.board import Entry


@pytest.fixture
def entry_of(made_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[str, Any]], Entry]:
    """The entry of a baseline that says this about its training."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def made(said: dict[str, Any]) -> Entry:
        copy_as_baseline(made_folder, tmp_path / "submissions", "alpha", said)
        (entry,) = Board(tmp_path / "submissions").entries
        return entry

    return made


def test_the_facts_of_a_training(entry_of: Callable[[dict[str, Any]], Entry]) -> None:
    """Network, patches, length, time with the pace, memory, hardware, versions, and what was left out."""
    facts = str(training_facts(entry_of(training())))
    for said in (
        "609, without liver_1",
        "One: how much another one would differ is not known.",
        "PlainConvUNet, 31,198,836 parameters",
        "2 of 128 × 128 × 128 voxels (z × y × x) at 1 × 0.75 × 0.75 mm",
        "12 epochs of 250 iterations",
        "2.5 hours, 3.00 s an iteration; interrupted 2 times",
        "7.9 GiB on the GPU, 14.2 GiB in the largest process",
        "1 × A GPU, 16 cores of A CPU",
        "torch 2.13.0, cuda 13.0",
    ):
        assert said in facts
    assert "Not all sessions" not in facts
    assert "Program" not in facts


def test_both_stages_of_a_cascade_are_told_apart(entry_of: Callable[[dict[str, Any]], Entry]) -> None:
    """Each fact names its configuration, and each has curves."""
    stages = [stage(configuration="3d_lowres", mixed_sessions=True), stage(configuration="3d_cascade_fullres")]
    entry = entry_of(training(stages=stages))
    facts = str(training_facts(entry))
    assert "Time, 3d_lowres" in facts
    assert "Time, 3d_cascade_fullres" in facts
    assert facts.count("Not all sessions had the same versions, hardware and trainer.") == 1
    assert [name for name, _ in curves(entry)] == ["3d_lowres", "3d_cascade_fullres"]


def test_the_curves_have_a_point_for_each_epoch(entry_of: Callable[[dict[str, Any]], Entry]) -> None:
    """Loss, Dice on patches and its moving mean; an epoch without a number is a gap."""
    ((_, figure),) = curves(entry_of(training()))
    assert [len(trace.x) for trace in figure.data] == [EPOCHS] * 3
    assert figure.data[0].y[1] == 0.5
    assert figure.data[1].y[0] is None


def test_a_method_of_others_has_a_program_and_no_curves(entry_of: Callable[[dict[str, Any]], Entry]) -> None:
    """It was not trained here."""
    said = {"recipe": "totalsegmentator", "recipe_sha256": "3" * 64, "program": "TotalSegmentator"}
    entry = entry_of(said | {"postprocessing": "largest-component"})
    facts = str(training_facts(entry))
    assert "TotalSegmentator" in facts
    assert "The largest component of each vertebra is kept" in facts
    assert "Training cases" not in facts
    assert curves(entry) == ()


def test_nothing_in_it_becomes_markup(entry_of: Callable[[dict[str, Any]], Entry]) -> None:
    """Whatever a record says is text."""
    hostile = "<img src=x onerror=alert(1)>"
    said = training(
        recipe=hostile,
        seed=hostile,
        cases_left_out=[hostile],
        stages=[stage(trainer=hostile, configuration=hostile, versions={hostile: hostile}, hardware={"cpu": hostile})],
    )
    assert "<img" not in str(training_facts(entry_of(said)))


@pytest.mark.parametrize(
    "said",
    [
        training(stages={}),
        training(stages=[1]),
        training(cases="many"),
        training(stages=[stage(curves={"training_loss": [0.0] * 10_001})]),
        training(stages=[stage(curves={"training_loss": ["0"]})]),
        training(stages=[stage(patch_size=[1, 2, 3, 4])]),
        training(stages=[stage(epochs=1e300)]),
        training(seed=3),
    ],
)
def test_what_is_not_of_the_form_is_a_broken_record(
    entry_of: Callable[[dict[str, Any]], Entry], said: dict[str, Any]
) -> None:
    """The page says so, in place of failing."""
    problem = entry_of(said).problem
    assert isinstance(problem, SubmissionError)
    assert problem.code == "E_RECORD"


def test_the_page_shows_it(open_page: Callable[..., AppTest], made_folder: Path, tmp_path: Path) -> None:
    """Heading, badge, facts, and one figure more; other submissions have none of it."""
    copy_as_baseline(made_folder, tmp_path / "submissions", "alpha", training())
    app = open_page("submission", submissions=tmp_path / "submissions")
    assert not app.exception
    shown = "\n".join(block.value for block in app.get("html"))
    assert "What it was trained with" in shown
    assert "How it learned: 3d_fullres" in shown
    assert "baseline" in shown
    assert "Trained and scored by the organizers" in shown
    assert len(app.get("plotly_chart")) == 5
    other = open_page("submission", id="beta")
    assert "What it was trained with" not in "\n".join(block.value for block in other.get("html"))
