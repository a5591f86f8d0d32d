"""Score a submission on all its test sets: the public record apart from what stays with the organizers.

Killed at any point, the same call goes on: finished cases are in the store's journals, finished scorings in the store.
"""

from __future__ import annotations

import hashlib
import json
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from ctspine_bench.errors import InputError, SubmissionError, UsageError
from ctspine_bench.hosting.ledger import Entry, Ledger, read_quota
from ctspine_bench.hosting.public_record import explained, joined_scores, write_record
from ctspine_bench.hosting.scored_set import SETTINGS, plan_set, score_set
from ctspine_bench.provenance import ENGINE_VERSION
from ctspine_bench.results import CASES, RESULTS
from ctspine_bench.tables import SCHEMA_VERSION
from ctspine_bench.testsets import named

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pandas as pd

    from ctspine_bench.hosting.intake import Intake
    from ctspine_bench.hosting.ledger import Outcome
    from ctspine_bench.hosting.scored_set import PlannedSet, Progress
    from ctspine_bench.hosting.store import PrivateStore, StoredScores
    from ctspine_bench.submissions.declaration import Declaration

_PUBLIC_FILES: Final = {RESULTS, CASES, "comment.json"}


@dataclass(frozen=True, eq=False)
class ScoredRecord:
    """What became of a submission.

    Attributes:
        document: The content of results.json.
        repeated: Whether these predictions were scored before.
        skipped: Private test sets that were not scored as their references are not here.
        tables: Test set → case table, private ones too; not shown when this is printed.
    """

    document: dict[str, Any]
    repeated: bool
    skipped: tuple[str, ...]
    tables: Mapping[str, pd.DataFrame] = field(repr=False)


def score_record(
    slug: str,
    declaration: Declaration,
    declaration_sha256: str,
    intakes: Mapping[str, Intake],
    references: Path,
    *,
    store: PrivateStore | None,
    output: Path,
    workers: int | None = None,
    progress: Progress | None = None,
    commit: str | None = None,
    author: str | None = None,
    now: datetime | None = None,
) -> ScoredRecord:
    """Score a submission and write its public record, `results.json` and `cases.parquet`.

    Args:
        slug: The submission.
        declaration: What was declared.
        declaration_sha256: Digest of submission.yaml.
        intakes: Test set → its predictions, for every declared test set.
        references: Folder with the references; see `references.reference_folder`.
        store: Where private results go and quotas are kept. Without one, private test sets are scored only if their
            references are here, and told about in the public form all the same.
        output: Folder to write the public record to.
        workers: Number of threads; all available cores by default.
        progress: Called with the test set and how many cases are done of how many; of a private set only after every
            fifth case, so that no case's time can be told.
        commit: The commit that the declaration was read from.
        author: The verified account that sent the submission, to which a private scoring is charged; to the declared
            owners if that is not known.
        now: The time, UTC; the clock's by default.

    Raises:
        SubmissionError: `E_QUOTA`; `E_DIGEST`: the predictions are not those that were taken in.
        CaseError: References are missing, doubled or cannot be read.
        RuntimeError: Something unexpected happened on a private test set; the details are in the store.
        UsageError: The output folder is not apart from what is private or holds other files, the predictions of a
            declared test set are missing, or there are none to score.
    """
    _check_request(declaration, intakes, references, output, store)
    with store.lock() if store else nullcontext():
        planned = _plan_all(declaration, intakes, references, store)
        key = _key(planned)
        charge = _charge(slug, declaration, author, planned, store, now or datetime.now(UTC))
        scores, repeated = _charged_scores(charge, planned, store, key, workers, progress)
        submission = {
            "slug": slug,
            "declaration_sha256": declaration_sha256,
            "archives": {name: each.intake.archive.sha256 for name, each in planned.items()},
            "commit": commit,
            "same_predictions_as": charge.scored_earlier() if _tells_something(scores) else [],
        }
        document = write_record(explained(scores, intakes), output, submission)
        if store:
            store.save_record(slug, declaration_sha256, key, output)
    return ScoredRecord(
        document,
        repeated=repeated,
        skipped=tuple(name for name in declaration.test_sets if name not in planned),
        tables=_by_test_set(scores),
    )


def _charge(
    slug: str,
    declaration: Declaration,
    author: str | None,
    planned: Mapping[str, PlannedSet],
    store: PrivateStore | None,
    now: datetime,
) -> _Charge:
    """Return what is entered in the ledger; nothing when there is no private test set."""
    private = {name: each.intake.digest for name, each in planned.items() if each.test_set.private}
    entry = Entry(
        when=now,
        team=declaration.team,
        accounts=(author,) if author else declaration.owners,
        slug=slug,
        predictions=_digest(private),
        outcome="started",
    )
    return _Charge(store if private else None, entry)


def _charged_scores(
    charge: _Charge,
    planned: Mapping[str, PlannedSet],
    store: PrivateStore | None,
    key: str,
    workers: int | None,
    progress: Progress | None,
) -> tuple[StoredScores, bool]:
    """Return the scores, from the store or new, and whether they were there; the ledger is told before and after."""
    stored = store.read(key) if store else None
    charge.start(answered=stored is not None)
    try:
        scores = stored or _score_all(planned, store, key, workers, progress)
    except Exception:
        charge.end("failed")
        raise
    if store and not stored:
        store.save(key, explained(scores, {}))
    charge.end("scored" if _tells_something(scores) else "failed")
    return scores, stored is not None


def _check_request(
    declaration: Declaration, intakes: Mapping[str, Intake], references: Path, output: Path, store: PrivateStore | None
) -> None:
    if declaration.kind != "scored":
        raise UsageError("expected a submission of kind scored; published results have no predictions")
    if missing := [name for name in declaration.test_sets if name not in intakes]:
        raise UsageError(f"expected the predictions of all declared test sets, found none of {', '.join(missing)}")
    for name, archive in declaration.test_sets.items():
        if (intakes[name].test_set, intakes[name].archive) != (name, archive):
            raise SubmissionError(
                "E_DIGEST",
                archive.file_name,
                expected=f"the predictions of this archive for {name}",
                found="those of another",
                advice="Fetch them into a folder of their own.",
            )
        intakes[name].check_files()
    secret = [references.resolve(), *([store.folder.resolve()] if store else [])]
    place = output.resolve()
    if any(folder == place or folder in place.parents or place in folder.parents for folder in secret):
        raise UsageError("expected an output folder apart from the references and the private store: it is published")
    others = sorted({entry.name for entry in output.iterdir()} - _PUBLIC_FILES) if output.is_dir() else []
    if others := [name for name in others if not name.startswith(".")]:
        raise UsageError(f"expected a new output folder or one of an earlier scoring, found {others[0]} in it")


class _Charge:
    """A scoring in the ledger of a store, if there is one."""

    def __init__(self, store: PrivateStore | None, entry: Entry) -> None:
        self._store = store
        self._ledger = Ledger(store.ledger, read_quota(store.quota)) if store else None
        self._entry = entry

    def start(self, *, answered: bool) -> None:
        if self._ledger:
            self._ledger.start(self._entry, answered=answered)

    def end(self, outcome: Outcome) -> None:
        """Close the scoring; what was not open had been paid for, unless it was killed before it could be closed."""
        if self._ledger:
            is_open = self._ledger.is_open(self._entry)
            self._ledger.append(replace(self._entry, outcome=outcome if is_open else "repeated"))

    def scored_earlier(self) -> list[str]:
        """Return the submissions in the store that had these private predictions scored first."""
        if not self._store or not self._ledger:
            return []
        earlier, known = self._ledger.scored_earlier(self._entry.predictions, self._entry.slug), self._store.slugs()
        return [slug for slug in earlier if slug in known]


def _plan_all(
    declaration: Declaration, intakes: Mapping[str, Intake], references: Path, store: PrivateStore | None
) -> dict[str, PlannedSet]:
    planned: dict[str, PlannedSet] = {}
    absent: InputError | None = None
    for name in declaration.test_sets:
        test_set = named(name)
        try:
            planned[name] = plan_set(test_set, intakes[name], references, store)
        except InputError as error:
            if store or not test_set.private or error.code not in {"E_MISSING_REFERENCE", "E_NOT_FOUND"}:
                raise
            absent = error
    if not planned and absent:
        raise absent
    return planned


def _key(planned: Mapping[str, PlannedSet]) -> str:
    """Return the digest of all that decides about the scores: those of other rules or another layout are not found."""
    inputs = {name: [each.intake.digest, each.references] for name, each in planned.items()}
    return _digest([inputs, SETTINGS.digest(), ENGINE_VERSION, SCHEMA_VERSION])


def _digest(content: object) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _score_all(
    planned: Mapping[str, PlannedSet],
    store: PrivateStore | None,
    key: str,
    workers: int | None,
    progress: Progress | None,
) -> StoredScores:
    found = {name: score_set(each, key, store, workers, progress) for name, each in planned.items()}
    disclosed = {name: public for name, (_, public) in found.items() if public}
    return joined_scores([score for score, _ in found.values()], disclosed)


def _tells_something(scores: StoredScores) -> bool:
    """Whether at least one private case was scored from its own prediction."""
    cases = scores.private[scores.private["row"] == "case"]
    return bool(cases["failure"].isna().any())


def _by_test_set(scores: StoredScores) -> dict[str, pd.DataFrame]:
    return {
        str(name): rows
        for table in (scores.cases, scores.private)
        for name, rows in table.groupby("test_set", sort=False)
    }
