"""Score the predictions of the networks that ship with the package anew, and put their records in the place of the old.

To be run when `provenance.ENGINE_VERSION` or `tables.SCHEMA_VERSION` was raised: the predictions, the declarations and
what is said about the training stay as they are. It takes about a minute and needs no network, GPU or training data:

python baselines/rescore_networks.py
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from ctspine_bench.evaluate import score_submission
from ctspine_bench.hosting.local_record import write_local_record
from ctspine_bench.hosting.store import PrivateStore
from ctspine_bench.phantom import make_benchmark
from ctspine_bench.phantom.benchmark import TEST_SETS
from ctspine_bench.phantom.trained import TRAINED, copy_predictions, trained_record
from ctspine_bench.submissions.folder import CASES, RESULTS
from ctspine_bench.testsets import phantom

# As `ctspine-bench demo` makes its phantoms, which these are predictions of.
CASES_PER_SOURCE, VERSE_CASES = 5, 6


def rescore(name: str, benchmark: Path, work: Path) -> None:
    """Write results.json and cases.parquet of a network anew.

    Args:
        name: One of `TRAINED`.
        benchmark: The phantoms of the demo.
        work: A folder for what is not kept.
    """
    before = trained_record(name)
    predictions, record = work / "predictions" / name, work / "submissions" / name
    copy_predictions(name, benchmark, predictions)
    scores = [
        score_submission(
            predictions / test_set, benchmark / test_set / "labels", test_set=phantom(f"phantom-{test_set}")
        )
        for test_set in TEST_SETS
    ]
    training = (before.results or {})["training"]
    write_local_record(record, before.declaration, scores, PrivateStore(work / "private-store"), training)
    for file in (RESULTS, CASES):
        shutil.copyfile(record / file, before.folder / file)


def main() -> None:
    """Rescore all of them."""
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        make_benchmark(work / "benchmark", cases_per_source=CASES_PER_SOURCE, verse_cases=VERSE_CASES)
        for name in TRAINED:
            rescore(name, work / "benchmark", work)


if __name__ == "__main__":
    main()
