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

import pandas as pd

from ctspine_bench.errors import InputError, SubmissionError, UsageError
from ctspine_bench.files import replacing_together
from ctspine_bench.hosting.ledger import Entry, Ledger, read_quota
from ctspine_bench.hosting.scored_set import SETTINGS, plan_set, score_set
from ctspine_bench.hosting.store import StoredScores
from ctspine_bench.results import CASES, RESULTS, results_document
from ctspine_bench.tables import case_table, write_json, write_table
from ctspine_bench.testsets import named

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from pathlib import Path

    from ctspine_bench.evaluate import SubmissionScore
    from ctspine_bench.hosting.intake import Intake
    from ctspine_bench.hosting.ledger import Outcome
    from ctspine_bench.hosting.scored_set import PlannedSet, Progress
    from ctspine_bench.hosting.store import PrivateStore
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
    accounts: Collection[str] = (),
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
        accounts: Who sent the submission; the declared owners count anyway.
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
        private = {name: each.intake.digest for name, each in planned.items() if each.test_set.private}
        entry = Entry(
            when=now or datetime.now(UTC),
            team=declaration.team,
            accounts=tuple(dict.fromkeys([*declaration.owners, *accounts])),
            slug=slug,
            predictions=_digest(private),
            outcome="started",
        )
        charge = _Charge(store if private else None, entry)
        stored = store.read(key) if store else None
        scores = stored
        if scores is None:
            charge.start()
            try:
                scores = _score_all(planned, store, key, workers, progress)
            except Exception:
                charge.end("failed")
                raise
            if store:
                store.save(key, scores)
        charge.end("scored" if _tells_something(scores) else "failed")
        archives = {name: each.intake.archive.sha256 for name, each in planned.items()}
        submission = {"slug": slug, "declaration_sha256": declaration_sha256, "archives": archives, "commit": commit}
        document = write_record(scores, output, submission)
        if store:
            store.save_record(slug, declaration_sha256, key, output)
    return ScoredRecord(
        document,
        repeated=stored is not None,
        skipped=tuple(name for name in declaration.test_sets if name not in planned),
        tables=_by_test_set(scores),
    )


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
        self._ledger = Ledger(store.ledger, read_quota(store.quota)) if store else None
        self._entry = entry

    def start(self) -> None:
        if self._ledger:
            self._ledger.start(self._entry)

    def end(self, outcome: Outcome) -> None:
        """Close the scoring; what was not open had been paid for, unless it was killed before it could be closed."""
        if self._ledger:
            is_open = self._ledger.is_open(self._entry)
            self._ledger.append(replace(self._entry, outcome=outcome if is_open else "repeated"))


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
    """Return the digest of all that decides about the scores."""
    inputs = {name: [each.intake.digest, each.references] for name, each in planned.items()}
    return _digest([inputs, SETTINGS.digest()])


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


def joined_scores(scores: Sequence[SubmissionScore], disclosed: Mapping[str, dict[str, Any]]) -> StoredScores:
    """Return the scores of a submission on its test sets as the store keeps them.

    Args:
        scores: One for each test set.
        disclosed: Private test set → what may be told of it.
    """
    return StoredScores(
        results_document(scores, disclosed=disclosed),
        cases=_joined(score.table for score in scores if not score.test_set.private),
        private=_joined(score.table for score in scores if score.test_set.private),
    )


def _joined(tables: Iterable[pd.DataFrame]) -> pd.DataFrame:
    tables = list(tables)
    return pd.concat(tables, ignore_index=True) if tables else case_table((), "")


def _tells_something(scores: StoredScores) -> bool:
    """Whether at least one private case was scored from its own prediction."""
    cases = scores.private[scores.private["row"] == "case"]
    return bool(cases["failure"].isna().any())


def write_record(
    scores: StoredScores, output: Path, submission: Mapping[str, Any], kind: str = "scored"
) -> dict[str, Any]:
    """Write the public record, and return what is in its results.json.

    Args:
        scores: What was scored.
        output: The folder for results.json and cases.parquet.
        submission: What results.json says about where the predictions come from.
        kind: As declared.
    """
    with replacing_together(output) as temporary:
        write_table(scores.cases, temporary / CASES)
        document = {
            "schema_version": scores.results["schema_version"],
            "kind": kind,
            "submission": submission,
            "cases_sha256": hashlib.sha256((temporary / CASES).read_bytes()).hexdigest(),
            **{key: value for key, value in scores.results.items() if key != "schema_version"},
        }
        write_json(document, temporary / RESULTS)
    return document


def _by_test_set(scores: StoredScores) -> dict[str, pd.DataFrame]:
    return {
        str(name): rows
        for table in (scores.cases, scores.private)
        for name, rows in table.groupby("test_set", sort=False)
    }
