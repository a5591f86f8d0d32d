"""Scores computed again by the reference library: agreement, and that a difference is seen."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib.metadata import version
from typing import TYPE_CHECKING

import numpy as np
import pytest
from benchmarks_on_disk import grid_of, write_benchmark
from label_volumes import column, perturbed, random_pair

from ctspine_bench import Grid, UsageError, cross_check, write_labels
from ctspine_bench.cross_check import LARGEST_ALLOWED, SEED, CrossCheck, draw
from ctspine_bench.evaluate import score_plan
from ctspine_bench.pairing import plan_submission
from ctspine_bench.provenance import Settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from command_line import Done

    from ctspine_bench.evaluate import SubmissionScore
    from ctspine_bench.pairing import Plan


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Three cases; one prediction is perfect, one perturbed, one has a missed and a spurious vertebra."""
    predictions, references = write_benchmark(tmp_path)
    noisy = perturbed(column(first=19), np.random.default_rng(0))
    write_labels(predictions / "liver_2.nii.gz", noisy, grid_of(noisy))
    renamed = np.where(column(first=3) == 7, 8, column(first=3)).astype(np.uint8)
    write_labels(predictions / "HN_P001.nii.gz", renamed, grid_of(renamed))
    return predictions, references


def scored(folders: tuple[Path, Path]) -> tuple[SubmissionScore, Plan]:
    """The scores of the folders, and where their files are."""
    plan = plan_submission(*folders)
    return score_plan(plan, Settings(), workers=1), plan


def changed(score: SubmissionScore, **changes: object) -> SubmissionScore:
    """The same with other values of the second vertebra of the perturbed case."""
    results = []
    for result in score.results:
        if result.case_id == "liver_2":
            vertebrae = list(result.score.vertebrae)
            vertebrae[1] = replace(vertebrae[1], **changes)
            result = replace(result, score=replace(result.score, vertebrae=tuple(vertebrae)))  # noqa: PLW2901
        results.append(result)
    return replace(score, results=tuple(results))


def test_the_engine_agrees_with_the_library(folders: tuple[Path, Path]) -> None:
    """All masks of all cases: 5 + 5 + 6 vertebrae and three spines, to rounding."""
    found = cross_check.cross_check(*scored(folders), 3)
    assert found.case_ids == ("HN_P001", "liver_1", "liver_2")
    assert (found.n_cases, found.n_masks, found.seed) == (3, 19, SEED)
    assert (found.library, found.library_version) == ("surface-distance", version("surface-distance"))
    assert found.largest_difference.keys() == {"dsc", "hd95_mm", "nsd"}
    assert found.largest_difference["dsc"] == found.largest_difference["hd95_mm"] == 0
    assert found.largest_difference["nsd"] < 1e-12
    assert found.agrees


def test_nothing_compared_is_no_agreement(folders: tuple[Path, Path]) -> None:
    """Where no case has a prediction of its own, nothing was computed again: that is said, and nothing agrees."""
    for prediction in folders[0].iterdir():
        prediction.unlink()
    (folders[0] / "liver_1.nii.gz").write_bytes(b"no volume")
    found = cross_check.cross_check(*scored(folders), 3)
    assert (found.n_cases, found.n_masks, found.agrees) == (0, 0, False)
    assert "nothing was compared" in found.sentence()


def test_what_is_no_number_is_a_difference(folders: tuple[Path, Path]) -> None:
    """A score that became NaN is not within rounding of anything."""
    score, plan = scored(folders)
    assert not cross_check.cross_check(changed(score, dsc=float("nan")), plan, 3).agrees


def test_random_volumes_agree(tmp_path: Path) -> None:
    """Masks at borders, single voxels, full volumes, noise: cropped to their boxes they give the same."""
    rng = np.random.default_rng(4)
    for side in ("references", "predictions"):
        (tmp_path / side).mkdir()
    for i in range(25):
        for side, labels in zip(("references", "predictions"), random_pair(rng), strict=True):
            grid = Grid(labels.shape, np.diag([0.7, 0.9, 1.3, 1.0]))
            write_labels(tmp_path / side / f"case_{i}.nii.gz", labels, grid)
    found = cross_check.cross_check(*scored((tmp_path / "predictions", tmp_path / "references")), 25)
    assert found.n_masks > 100
    assert max(found.largest_difference.values()) < 1e-9


@pytest.mark.parametrize(
    ("changes", "expected"),
    [({"dsc": 0.25}, "dsc"), ({"hd95_mm": 77.0}, "hd95_mm"), ({"nsd_2mm": 0.1}, "nsd")],
)
def test_a_wrong_number_is_seen(folders: tuple[Path, Path], changes: dict[str, float], expected: str) -> None:
    """One wrong number of one vertebra is the largest difference of its metric, by how much it is wrong."""
    score, plan = scored(folders)
    true = getattr(next(r for r in score.results if r.case_id == "liver_2").score.vertebrae[1], next(iter(changes)))
    found = cross_check.cross_check(changed(score, **changes), plan, 3)
    assert not found.agrees
    apart = {name: value for name, value in found.largest_difference.items() if value > LARGEST_ALLOWED}
    assert apart == {expected: pytest.approx(abs(true - next(iter(changes.values()))))}


@pytest.mark.parametrize("status", ["missed", "spurious"])
def test_a_wrong_status_is_seen(folders: tuple[Path, Path], status: str) -> None:
    """A vertebra that is in both volumes and was not scored as matched is a difference of 1."""
    score, plan = scored(folders)
    found = cross_check.cross_check(changed(score, status=status), plan, 3)
    assert (found.largest_difference["dsc"], found.agrees) == (1.0, False)


def test_a_forgotten_vertebra_is_seen(folders: tuple[Path, Path]) -> None:
    """A label in the files that has no score is a difference of 1."""
    score, plan = scored(folders)
    results = [replace(r, score=replace(r.score, vertebrae=r.score.vertebrae[1:])) for r in score.results]
    found = cross_check.cross_check(replace(score, results=tuple(results)), plan, 3)
    assert found.largest_difference["dsc"] == 1.0


def test_cases_are_drawn_by_a_fixed_seed() -> None:
    """The same cases each time, in their order, none twice, all of them when more are asked for than there are."""
    ids = [f"case_{i:03d}" for i in range(197)]
    drawn = draw(ids, 5)
    assert drawn == draw(ids, 5) == tuple(sorted(set(drawn)))
    assert len(drawn) == 5
    assert drawn != tuple(ids[:5])
    assert draw(ids[:3], 5) == tuple(ids[:3])
    assert draw([], 5) == ()


def test_failed_cases_are_not_drawn(folders: tuple[Path, Path]) -> None:
    """A case without a readable prediction has nothing to compute again."""
    (folders[0] / "liver_1.nii.gz").write_bytes(b"broken")
    assert cross_check.cross_check(*scored(folders), 3).case_ids == ("HN_P001", "liver_2")


def test_the_command_prints_and_records(run: Callable[..., Done], folders: tuple[Path, Path], tmp_path: Path) -> None:
    """`--cross-check 2` prints one line on two cases and writes the same into results.json."""
    done = run("score", *folders, "--cross-check", 2, "--output", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    document = json.loads((tmp_path / "out" / "results.json").read_text())
    recorded = document["test_sets"]["custom"]["cross_check"]
    assert recorded.keys() == {
        "n_cases", "case_ids", "n_masks", "library", "library_version", "seed", "largest_difference",
    }  # fmt: skip
    assert recorded["n_cases"] == len(recorded["case_ids"]) == 2
    sentence = CrossCheck(**{**recorded, "case_ids": tuple(recorded["case_ids"])}).sentence()
    assert sentence.startswith(f"Cross-check: 2 cases, {recorded['n_masks']} masks (spines included) computed again")
    assert sentence in done.stdout


def test_without_being_asked_for_it_is_not_there(
    run: Callable[..., Done], folders: tuple[Path, Path], tmp_path: Path
) -> None:
    """Nothing is recorded that was not computed."""
    assert run("score", *folders, "--output", tmp_path / "out").returncode == 0
    assert "cross_check" not in json.loads((tmp_path / "out" / "results.json").read_text())["test_sets"]["custom"]


def test_json_on_standard_output_has_it_too(run: Callable[..., Done], folders: tuple[Path, Path]) -> None:
    """What programs read stays JSON alone; people read the line on standard error."""
    done = run("score", *folders, "--cross-check", 9, "--format", "json")
    assert json.loads(done.stdout)["test_sets"]["custom"]["cross_check"]["n_cases"] == 3
    assert "Cross-check: 3 cases" in done.stderr


def test_a_difference_is_shouted(
    run: Callable[..., Done], folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond a millionth the exit code is 1 and standard error says not to use the numbers; within it is rounding."""
    off = CrossCheck(1, ("liver_1",), 6, "surface-distance", "0.1", SEED, {"dsc": 0.0, "hd95_mm": 1.1e-6, "nsd": 0.0})
    near = replace(off, largest_difference={"dsc": 0.0, "hd95_mm": 0.9e-6, "nsd": 0.0})
    monkeypatch.setattr(cross_check, "cross_check", lambda *_, **__: off)
    done = run("score", *folders, "--cross-check", 1)
    assert (done.returncode, "THE CROSS-CHECK DISAGREES" in done.stderr) == (1, True)
    assert "HD95 1.1e-06 mm" in done.stderr
    monkeypatch.setattr(cross_check, "cross_check", lambda *_, **__: near)
    assert run("score", *folders, "--cross-check", 1).returncode == 0


def test_without_the_library_it_is_said_before_scoring(
    run: Callable[..., Done], folders: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One clear line with the command that installs it, exit code 2, and nothing is written."""
    monkeypatch.setattr(cross_check, "find_spec", lambda _: None)
    done = run("score", *folders, "--cross-check", 1, "--output", tmp_path / "out")
    assert done.returncode == 2
    assert "pip install 'ctspine-bench[cross-check]'" in done.stderr
    assert not (tmp_path / "out").exists()
    with pytest.raises(UsageError, match="surface-distance"):
        cross_check.check_installed()


@pytest.mark.parametrize("n", [0, -1, "two"])
def test_the_number_of_cases_is_one_or_more(run: Callable[..., Done], folders: tuple[Path, Path], n: object) -> None:
    """Anything else is wrong usage."""
    assert run("score", *folders, "--cross-check", n).returncode == 2
