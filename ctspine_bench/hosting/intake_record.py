"""What is known about predictions that were taken in, and `predictions.json`, which says it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from ctspine_bench import __version__
from ctspine_bench.cases import CaseFile
from ctspine_bench.errors import CaseError, FileError, GeometryError, InputError, LabelError, SubmissionError
from ctspine_bench.files import replacing, sha256_of
from ctspine_bench.submissions.declaration import Archive
from ctspine_bench.testsets import source_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

PREDICTIONS: Final = "predictions.json"
"""The file that makes a folder of predictions complete."""

_SCHEMA_VERSION: Final = 1
_ERRORS: Final = {cls.__name__: cls for cls in (FileError, LabelError, GeometryError, CaseError)}


@dataclass(frozen=True)
class IntakeCase:
    """One prediction that could be read.

    Attributes:
        member: What it is called in the archive.
        sha256: Digest of the canonical file, hex.
        notes: What was accepted but is worth knowing.
    """

    member: str
    sha256: str
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Intake:
    """The predictions of one test set.

    Attributes:
        test_set: Its name.
        folder: Where `<case id>.nii.gz` lie.
        archive: What they came from.
        cases: Case id → what was read, sorted.
        refused: Case id → why its prediction cannot be used, sorted.
        n_skipped: How many label maps were of cases that this test set does not have.
    """

    test_set: str
    folder: Path
    archive: Archive
    cases: Mapping[str, IntakeCase]
    refused: Mapping[str, InputError]
    n_skipped: int

    @property
    def digest(self) -> str:
        """SHA-256 over the canonical files and the refusals: whatever was sent in whichever order, hex."""
        parts = {
            "cases": {case_id: case.sha256 for case_id, case in self.cases.items()},
            "refused": {case_id: error.code for case_id, error in self.refused.items()},
        }
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

    def check_files(self) -> None:
        """Make sure that the files are still those that were taken in.

        Raises:
            SubmissionError: `E_DIGEST`.
        """
        for case_id, case in self.cases.items():
            try:
                same = sha256_of(canonical_file(self.folder, case_id)) == case.sha256
            except OSError:
                same = False
            if not same:
                raise self.changed(case_id)

    def changed(self, case_id: str) -> SubmissionError:
        """Return the error about a file that is not the one that was taken in."""
        return SubmissionError(
            "E_DIGEST",
            f"{self.test_set}: {case_id}.nii.gz",
            expected="the prediction that was taken in",
            found="another file, or none",
            advice="Take the predictions in again: remove their folder and fetch once more.",
        )

    def case_files(self) -> dict[str, CaseFile]:
        """Return the predictions as `pairing.plan_cases` takes them; those refused carry their `refusal`."""
        return {
            case_id: CaseFile(
                case_id, canonical_file(self.folder, case_id), source_of(case_id), refusal=self.refused.get(case_id)
            )
            for case_id in sorted({*self.cases, *self.refused})
        }


def canonical_file(folder: Path, case_id: str) -> Path:
    """Return where the prediction of a case lies."""
    return folder / f"{case_id}.nii.gz"


def read_intake(folder: Path) -> Intake | None:
    """Return what was taken in to a folder; `None` when that is not finished, or was done by another version."""
    try:
        content = json.loads((folder / PREDICTIONS).read_bytes())
        if (content["schema_version"], content["version"]) != (_SCHEMA_VERSION, __version__):
            return None
        intake = Intake(
            test_set=content["test_set"],
            folder=folder,
            archive=Archive(**content["archive"]),
            cases={
                case_id: IntakeCase(case["member"], case["sha256"], tuple(case["notes"]))
                for case_id, case in content["cases"].items()
            },
            refused={case_id: _error(**parts) for case_id, parts in content["refused"].items()},
            n_skipped=content["n_skipped"],
        )
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None
    return intake if all(canonical_file(folder, case_id).is_file() for case_id in intake.cases) else None


def write_intake(intake: Intake) -> None:
    """Write `predictions.json`: with that the folder is complete."""
    content = {
        "schema_version": _SCHEMA_VERSION,
        "version": __version__,
        "test_set": intake.test_set,
        "archive": intake.archive.model_dump(),
        "cases": {case_id: asdict(case) for case_id, case in intake.cases.items()},
        "refused": {case_id: _parts(error) for case_id, error in intake.refused.items()},
        "n_skipped": intake.n_skipped,
    }
    with replacing(intake.folder / PREDICTIONS) as temporary:
        temporary.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", "utf-8")


def _parts(error: InputError) -> dict[str, str | None]:
    names = ("code", "path", "expected", "found", "advice")
    return {"type": type(error).__name__, **{name: getattr(error, name) for name in names}}


def _error(type: str, code: str, **parts: Any) -> InputError:  # noqa: A002 -- a key of the file
    return _ERRORS[type](code, **parts)
