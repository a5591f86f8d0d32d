"""Whole runs over folders: matching of names, failures, label maps, the journal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from benchmarks_on_disk import CASES, SPACING_MM, grid_of, write_benchmark
from label_volumes import column

from ctspine_bench import (
    CaseError,
    GeometryError,
    Grid,
    LabelError,
    UsageError,
    score_arrays,
    score_case,
    score_submission,
    write_labels,
)
from ctspine_bench.comparison import compare
from ctspine_bench.evaluate import SubmissionScore, evaluate_pair, score_plan
from ctspine_bench.pairing import plan_submission
from ctspine_bench.provenance import Settings
from ctspine_bench.testsets import official

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from ctspine_bench.pairing import Pair
    from ctspine_bench.records import CaseResult, Comparison


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    return write_benchmark(tmp_path)


def run(folders: tuple[Path, Path], journal: Path, settings: Settings | None = None, **options: Any) -> SubmissionScore:
    """Score with a journal."""
    return score_plan(plan_submission(*folders), settings or Settings(), journal=journal, **options)


def test_perfect_predictions(folders: tuple[Path, Path]) -> None:
    """Perfect predictions get DSC 1 and HD95 0 everywhere, in the order of case ids, with sources."""
    score = score_submission(*folders)
    assert [(result.case_id, result.source) for result in score.results] == [
        ("HN_P001", "HNSCC-3DCT-RT"),
        ("liver_1", "MSD-T10"),
        ("liver_2", "MSD-T10"),
    ]
    assert score.complete
    official_table = score.summary.official
    assert (official_table.mean_of_vertebrae.dsc, official_table.mean_of_vertebrae.hd95_mm) == (1.0, 0.0)
    assert (official_table.mean_of_spine.dsc, official_table.mean_of_spine.n) == (1.0, 3)
    assert {name: means.n for name, means in official_table.labels.items() if means.n} == {
        **dict.fromkeys(("C3", "C4", "C5", "C6", "C7", "T11", "L4"), 1),
        **dict.fromkeys(("T12", "L1", "L2", "L3"), 2),
    }


def test_file_equals_arrays(folders: tuple[Path, Path]) -> None:
    """Scores from files are those of the arrays in them."""
    predictions, references = folders
    reference, prediction = column(first=18), column(first=18)
    prediction[4:6, :, 10:14] = 0
    write_labels(predictions / "liver_1.nii.gz", prediction, grid_of(prediction))
    expected = score_arrays(reference, prediction, SPACING_MM)
    assert expected.spine.dsc < 1
    assert score_case(references / "MSD-T10" / "liver_1_seg.nii.gz", predictions / "liver_1.nii.gz") == expected
    assert score_submission(*folders).results[1].score == expected


def test_missing_and_broken_predictions_do_not_lose_the_others(folders: tuple[Path, Path]) -> None:
    """A missing and a broken prediction count as missed vertebrae with their codes; the third case is scored."""
    predictions, _ = folders
    (predictions / "liver_1.nii.gz").unlink()
    whole = (predictions / "HN_P001.nii.gz").read_bytes()
    (predictions / "HN_P001.nii.gz").write_bytes(whole[:-5])
    score = score_submission(*folders)
    assert {result.case_id: result.failure.code for result in score.failures} == {
        "HN_P001": "E_TRUNCATED",
        "liver_1": "E_MISSING_CASE",
    }
    assert not score.complete
    statuses = {
        result.case_id: {vertebra.status for vertebra in (*result.score.vertebrae, result.score.spine)}
        for result in score.results
    }
    assert statuses == {"HN_P001": {"missed"}, "liver_1": {"missed"}, "liver_2": {"matched"}}
    spine = score.summary.official.mean_of_spine
    assert (spine.n, spine.dsc, spine.hd95_mm) == (3, pytest.approx(1 / 3), pytest.approx(200 / 3))
    assert score.summary.counts.failed == 2


def test_unreadable_reference_leaves_no_aggregates(folders: tuple[Path, Path]) -> None:
    """A broken reference is the organizer's error: the case has no score, the set no summary, the rest their rows."""
    reference = folders[1] / "MSD-T10" / "liver_1_seg.nii.gz"
    reference.write_bytes(reference.read_bytes()[:100])
    score = score_submission(*folders)
    assert score.summary is None
    (failed,) = score.failures
    assert (failed.case_id, failed.failure.side, failed.score) == ("liver_1", "reference", None)
    assert set(score.table.loc[score.table["row"] == "spine", "case_id"]) == {"HN_P001", "liver_2"}


def test_doubled_prediction_fails_its_case_alone(folders: tuple[Path, Path]) -> None:
    """Two predictions of one case are an error of that case; two references are one before anything is scored."""
    predictions, references = folders
    doubled = (predictions / "liver_1.nii.gz").read_bytes()
    (predictions / "liver_1_seg.nii.gz").write_bytes(doubled)
    score = score_submission(*folders)
    assert [(result.case_id, result.failure.code) for result in score.failures] == [("liver_1", "E_DUPLICATE_CASE")]
    (references / "liver_1.nii.gz").write_bytes(doubled)
    with pytest.raises(CaseError, match="E_DUPLICATE_CASE"):
        score_submission(*folders)


def test_names_without_partner(folders: tuple[Path, Path]) -> None:
    """Predictions of no case are named."""
    predictions, _ = folders
    labels = column()
    write_labels(predictions / "unknown.nii.gz", labels, grid_of(labels))
    assert score_submission(*folders).ignored_predictions == ("unknown",)


def test_no_name_in_common(folders: tuple[Path, Path]) -> None:
    """Misnamed predictions are one error with names from both sides, not one for each case."""
    for path in folders[0].iterdir():
        path.rename(path.with_name(f"pred-{path.name}"))
    with pytest.raises(CaseError, match=r"E_MISSING_CASE.*such as HN_P001.*the predictions are pred-HN_P001"):
        score_submission(*folders)


def test_official_set_needs_its_references(folders: tuple[Path, Path]) -> None:
    """Scoring an official set without its references is refused before any work, and says how many are missing."""
    with pytest.raises(CaseError, match=r"E_MISSING_REFERENCE.*all 197 cases.*found 197 cases without one"):
        plan_submission(*folders, official("public"))


def test_a_file_against_a_folder(folders: tuple[Path, Path]) -> None:
    """One file against a folder of references makes no sense."""
    with pytest.raises(UsageError, match="expected a folder of predictions"):
        plan_submission(folders[0] / "liver_1.nii.gz", folders[1])


def test_other_grid(folders: tuple[Path, Path]) -> None:
    """A prediction on another grid is refused, and accepted with resampling."""
    predictions, references = folders
    labels = column(first=18)
    shifted = Grid(labels.shape, np.array([[1, 0, 0, 1], [0, 1, 0, 0], [0, 0, 2, 0], [0, 0, 0, 1.0]]))
    write_labels(predictions / "liver_1.nii.gz", labels, shifted)
    pair = (references / "MSD-T10" / "liver_1_seg.nii.gz", predictions / "liver_1.nii.gz")
    with pytest.raises(GeometryError, match="E_AFFINE"):
        score_case(*pair)
    moved = np.roll(labels, 1, axis=0)
    assert score_case(*pair, resample=True) == score_arrays(labels, moved, SPACING_MM)


def test_label_map_of_one_side(folders: tuple[Path, Path], tmp_path: Path) -> None:
    """A label map can be given for predictions alone."""
    predictions, _ = folders
    for case_id, first in CASES.items():
        labels = column(first=first)
        foreign = np.where(labels > 0, labels + 100, 0).astype(np.uint8)
        write_labels(predictions / f"{case_id}.nii.gz", foreign, grid_of(foreign))
    names = {1: "C", 8: "T", 20: "L"}
    lines = [
        f"  {label + 100}: {letter}{label - first + 1}"
        for label in range(1, 26)
        for first, letter in [max((first, letter) for first, letter in names.items() if first <= label)]
    ]
    label_map = tmp_path / "plus100.yaml"
    label_map.write_text("labels:\n  0: background\n" + "\n".join(lines) + "\n")
    assert {result.failure.code for result in score_submission(*folders).failures} == {"E_LABEL_RANGE"}
    score = score_submission(*folders, prediction_label_map=label_map)
    assert score.summary.official.mean_of_vertebrae.dsc == 1.0
    with pytest.raises(LabelError, match="E_LABEL_MAP"):
        score_submission(*folders, label_map="unheard-of")


def test_workers_do_not_change_results(folders: tuple[Path, Path]) -> None:
    """The result is the same with one thread and with three."""
    assert score_submission(*folders, workers=1).results == score_submission(*folders, workers=3).results


def test_journal_saves_finished_cases(
    folders: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that was interrupted goes on with the cases that are left, and gives what an uninterrupted one gives."""
    expected = score_submission(*folders)
    journal = tmp_path / "journal.jsonl"
    scored = []

    def interrupt_after_two(result: object) -> None:
        scored.append(result)
        if len(scored) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(folders, journal, workers=1, on_case=interrupt_after_two)
    journal.write_text(journal.read_text() + '\n{"settings": "torn', encoding="utf-8")
    evaluated = []
    monkeypatch.setattr(
        "ctspine_bench.evaluate.evaluate_pair",
        lambda pair, settings: evaluated.append(pair.reference.case_id) or evaluate_pair(pair, settings),
    )
    resumed = run(folders, journal)
    assert len(evaluated) == 1
    assert resumed.results == expected.results
    assert resumed.table.equals(expected.table)
    assert resumed.summary == expected.summary


def test_journal_forgets_changed_files_and_failures(folders: tuple[Path, Path], tmp_path: Path) -> None:
    """Cases whose file has changed since, that failed, or that had other settings, are scored again."""
    predictions, _ = folders
    journal = tmp_path / "journal.jsonl"
    whole = (predictions / "liver_2.nii.gz").read_bytes()
    (predictions / "liver_2.nii.gz").write_bytes(whole[:-1])
    assert [result.case_id for result in run(folders, journal).failures] == ["liver_2"]
    (predictions / "liver_2.nii.gz").write_bytes(whole)
    empty = np.zeros_like(column())
    write_labels(predictions / "liver_1.nii.gz", empty, grid_of(empty))
    score = run(folders, journal)
    assert not score.failures
    assert [result.score.spine.dsc for result in score.results] == [1.0, 0.0, 1.0]
    pooled = run(folders, journal, Settings(pooled=True))
    assert pooled.results[0].score.spine.hd95_pooled_mm == 0.0


def test_journal_of_another_run_is_refused(folders: tuple[Path, Path], tmp_path: Path) -> None:
    """A journal goes on with its own folders alone."""
    journal = tmp_path / "journal.jsonl"
    run(folders, journal)
    other = write_benchmark(tmp_path / "other")
    with pytest.raises(UsageError, match="choose another folder"):
        run(other, journal)


def test_file_replaced_while_it_is_scored_is_scored_again(
    folders: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The journal never passes off the score of an old file as that of a new one."""
    journal = tmp_path / "journal.jsonl"
    empty = np.zeros_like(column())

    def replace_then(pair: Pair, settings: Settings) -> CaseResult:
        result = evaluate_pair(pair, settings)
        write_labels(folders[0] / f"{pair.reference.case_id}.nii.gz", empty, grid_of(empty))
        return result

    with monkeypatch.context() as patched:
        patched.setattr("ctspine_bench.evaluate.evaluate_pair", replace_then)
        assert run(folders, journal).summary.official.mean_of_spine.dsc == 1
    assert run(folders, journal).summary.official.mean_of_spine.dsc == 0


def test_out_of_memory_is_the_error_of_one_case(folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """A case that does not fit in memory fails with E_MEMORY; the others are scored."""

    def compare_small(reference: NDArray, prediction: NDArray, *args: Any, **options: Any) -> Comparison:
        if 3 in reference and prediction.any():
            raise MemoryError
        return compare(reference, prediction, *args, **options)

    monkeypatch.setattr("ctspine_bench.evaluate.compare", compare_small)
    score = score_submission(*folders)
    assert [(result.case_id, result.failure.code) for result in score.failures] == [("HN_P001", "E_MEMORY")]
    assert [result.score.spine.dsc for result in score.results] == [0.0, 1.0, 1.0]


def test_a_reference_file_against_a_folder_of_cases(folders: tuple[Path, Path]) -> None:
    """One reference file against a folder that is not one of masks makes no sense."""
    with pytest.raises(UsageError, match="expected a file or a folder of masks"):
        plan_submission(folders[0], folders[1] / "MSD-T10" / "liver_1_seg.nii.gz")


def test_missing_prediction_file(folders: tuple[Path, Path]) -> None:
    """A prediction file that is not there is the failure of its case, not of the run."""
    score = score_submission(folders[0] / "nowhere.nii.gz", folders[1] / "MSD-T10" / "liver_1_seg.nii.gz")
    assert [result.failure.code for result in score.failures] == ["E_NOT_FOUND"]


def test_verse_leaves_other_sources_out(folders: tuple[Path, Path]) -> None:
    """The VerSe set has no list of cases, but references known to come from elsewhere are not among them."""
    labels = column()
    write_labels(folders[1] / "sub-verse004_seg.nii.gz", labels, grid_of(labels))
    write_labels(folders[0] / "sub-verse004.nii.gz", labels, grid_of(labels))
    plan = plan_submission(*folders, official("verse"))
    assert [pair.reference.case_id for pair in plan.pairs] == ["sub-verse004"]
    assert plan.n_ignored_references == 3
