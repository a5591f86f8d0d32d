"""Records that are written where the scores are made, without archives: simulated submissions, and baselines."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from ctspine_bench.files import replacing, sha256_of
from ctspine_bench.hosting.disclosure.results import public_results
from ctspine_bench.hosting.public_record import joined_scores, write_record
from ctspine_bench.submissions.folder import check_slug
from ctspine_bench.submissions.reading import DECLARATION
from ctspine_bench.submissions.writing import write_declaration

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from ctspine_bench.evaluate import SubmissionScore
    from ctspine_bench.hosting.store import PrivateStore
    from ctspine_bench.submissions.declaration import Declaration


def write_local_record(
    folder: Path,
    declaration: Declaration,
    scores: Sequence[SubmissionScore],
    store: PrivateStore,
    training: Mapping[str, Any] | None = None,
) -> None:
    """Write the record of a submission whose predictions are on this machine, in the place of an earlier one.

    Args:
        folder: Of the submission; its name is the slug.
        declaration: What is declared; of a kind that has no archives.
        scores: One for each test set.
        store: For the cases of a private test set, as with any submission.
        training: What a baseline was trained with, for its results.json.

    Raises:
        SubmissionError: E_SLUG.
    """
    check_slug(folder.name)
    with replacing(folder / DECLARATION) as temporary:
        temporary.write_text(write_declaration(declaration), encoding="utf-8")
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
    write_record(kept, folder, submission, kind=declaration.kind, training=training)
    # Nothing but the name, the predictions and the references decides about these scores.
    key = hashlib.sha256(f"{folder.name} {kept.results['provenance']['digests']}".encode()).hexdigest()
    store.save(key, kept)
    store.save_record(folder.name, declaration_sha256, key, folder)
