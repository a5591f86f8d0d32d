"""The records of the demo are read like all others, and keep private cases to themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hosted_submissions import SETS, make_intakes, write_references

from ctspine_bench.evaluate import score_plan
from ctspine_bench.hosting.references import plan_references
from ctspine_bench.hosting.scored_set import SETTINGS
from ctspine_bench.hosting.simulated import write_simulated_record
from ctspine_bench.hosting.store import PrivateStore
from ctspine_bench.phantom import SIMULATED
from ctspine_bench.phantom.submissions import described
from ctspine_bench.submissions.records import Record, find_records
from ctspine_bench.testsets import phantom

if TYPE_CHECKING:
    from pathlib import Path


def test_a_simulated_submission_has_a_record_like_any_other(tmp_path: Path) -> None:
    """Its public sets come with cases, its private one with what may be told; a second run replaces the record."""
    references = write_references(tmp_path / "references")
    scores = [
        score_plan(plan_references(phantom(name), intake.case_files(), references), SETTINGS)
        for name, intake in make_intakes(tmp_path / "predictions").items()
    ]
    store = PrivateStore(tmp_path / "store")
    for _ in range(2):
        write_simulated_record(tmp_path / "submissions" / "erosion", described("erosion"), scores, store)
    (record,) = find_records(tmp_path / "submissions")
    assert isinstance(record, Record)
    assert record.results is not None
    assert record.cases is not None
    assert record.declaration.kind == "simulated"
    assert record.results["test_sets"].keys() == {f"phantom-{name}" for name in SETS}
    assert set(record.cases["test_set"]) == {"phantom-public", "phantom-verse"}
    (kept,) = store.scores().values()
    assert set(kept.private["test_set"]) == {"phantom-private"}
    assert store.slugs() == ("erosion",)
    assert not any(b"secret" in path.read_bytes() for path in record.folder.iterdir())


def test_every_simulation_says_what_it_does() -> None:
    """The description of each is a sentence that a declaration may hold."""
    assert described("missed-l6").startswith("A network that")
    assert all(described(name).endswith(".") for name in SIMULATED)
