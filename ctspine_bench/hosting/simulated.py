"""The records of simulated submissions: what the demo shows has the form of everything else that is shown."""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import TYPE_CHECKING, Any

from ctspine_bench.files import sha256_of
from ctspine_bench.hosting.disclosure.results import public_results
from ctspine_bench.hosting.public_record import joined_scores, write_record
from ctspine_bench.submissions.declaration import Declaration, Training
from ctspine_bench.submissions.reading import DECLARATION
from ctspine_bench.submissions.writing import write_submission

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ctspine_bench.evaluate import SubmissionScore
    from ctspine_bench.hosting.store import PrivateStore


def write_simulated_record(
    folder: Path, description: str, scores: Sequence[SubmissionScore], store: PrivateStore
) -> None:
    """Write the record of a simulated submission on a phantom benchmark, in the place of an earlier one.

    Args:
        folder: Of the submission; its name is the slug.
        description: What is simulated.
        scores: One for each test set.
        store: For the cases of the private test set, as with any submission.
    """
    if not (folder / DECLARATION).exists():
        write_submission(_declaration(folder.name, description), folder)
    declaration_sha256 = sha256_of(folder / DECLARATION)
    private = [score for score in scores if score.test_set.private]
    kept = joined_scores(scores, {score.test_set.name: public_results(score) for score in private})
    submission: dict[str, Any] = {
        "slug": folder.name,
        "declaration_sha256": declaration_sha256,
        "archives": {},
        "commit": None,
        "same_predictions_as": [],
    }
    write_record(kept, folder, submission, kind="simulated")
    # Nothing but the name and the references decides about the scores of a simulation.
    key = hashlib.sha256(f"{folder.name} {kept.results['provenance']['digests']}".encode()).hexdigest()
    store.save(key, kept)
    store.save_record(folder.name, declaration_sha256, key, folder)


def _declaration(name: str, description: str) -> Declaration:
    return Declaration(
        schema_version=1,
        kind="simulated",
        name=name,
        team="ctspine-bench demo",
        contact="https://github.com/MIRACLE-Center/CTSpine1K",
        owners=(),
        date=dt.datetime.now(dt.UTC).date(),
        description=description,
        licence="CC0-1.0",
        training=Training(data=("nothing, it is a simulation",), uses_verse=False, uses_test_cases=False),
        coverage="complete",
    )
