"""The networks that ship with the phantom benchmark: their predictions are there, and score as their records say."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pytest

from ctspine_bench.evaluate import score_submission
from ctspine_bench.phantom.benchmark import TEST_SETS, plan
from ctspine_bench.phantom.trained import TRAINED, copy_predictions, trained_record
from ctspine_bench.testsets import phantom

if TYPE_CHECKING:
    from pathlib import Path

SCORES = ["dsc", "hd95_mm"]


def test_one_network_ships_in_two_variants() -> None:
    """As predicted, and with the largest component of each vertebra."""
    assert TRAINED == ("nnunet-phantom", "nnunet-phantom-largest-component")


@pytest.mark.parametrize("name", TRAINED)
def test_its_record_says_how_it_was_trained(name: str) -> None:
    """A complete baseline on the three phantom test sets, with its curves; no path of any machine."""
    record = trained_record(name)
    assert (record.declaration.kind, record.declaration.coverage) == ("baseline", "complete")
    assert record.results
    assert set(record.results["test_sets"]) == {f"phantom-{test_set}" for test_set in TEST_SETS}
    (stage,) = record.results["training"]["stages"]
    assert len(stage["curves"]["training_loss"]) == stage["epochs"]
    assert record.results["training"]["cases"] == 200
    assert not re.search(r"[\"' ]/\w", (record.folder / "results.json").read_text("utf-8"))


@pytest.mark.parametrize("name", TRAINED)
def test_its_predictions_score_as_they_did(name: str, benchmark_folder: Path, tmp_path: Path) -> None:
    """On phantoms that are made anew, every vertebra gets the DSC and HD95 of the record."""
    copy_predictions(name, benchmark_folder, tmp_path)
    then = trained_record(name).cases
    assert then is not None
    for test_set in ("public", "verse"):
        score = score_submission(
            tmp_path / test_set, benchmark_folder / test_set / "labels", test_set=phantom(f"phantom-{test_set}")
        )
        assert not score.failures
        rows = then[then["test_set"] == f"phantom-{test_set}"]
        both = score.table.merge(rows, on=["case_id", "label"], suffixes=("_now", "_then"))
        assert len(both) == len(score.table)
        for column in SCORES:
            now, before = (both[f"{column}_{when}"].to_numpy(np.float64) for when in ("now", "then"))
            np.testing.assert_allclose(now, before, rtol=1e-12)


@pytest.mark.parametrize("name", TRAINED)
def test_every_case_of_the_demo_has_a_prediction(name: str) -> None:
    """5 cases of each source in two sets, and 6 like VerSe."""
    folder = trained_record(name).folder / "predictions"
    expected = {f"{case.test_set}/{case.case_id}.nii.gz" for case in plan(5, 6)}
    assert {path.relative_to(folder).as_posix() for path in folder.rglob("*.nii.gz")} == expected
