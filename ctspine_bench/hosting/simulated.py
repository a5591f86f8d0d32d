"""The records of simulated submissions: what the demo shows has the form of everything else that is shown."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from ctspine_bench.hosting.local_record import write_local_record
from ctspine_bench.submissions.declaration import Declaration, Training
from ctspine_bench.submissions.reading import DECLARATION, read_declaration

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
    # One that was there keeps its date.
    earlier = read_declaration(folder) if (folder / DECLARATION).exists() else None
    write_local_record(folder, earlier or _declaration(folder.name, description), scores, store)


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
