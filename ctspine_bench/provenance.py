"""What a result was made with: versions, digests, settings. Equal provenance means comparable numbers."""

from __future__ import annotations

import hashlib
import json
import platform
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from ctspine_bench import __version__
from ctspine_bench.anatomy import IDENTITY
from ctspine_bench.tables import SCHEMA_VERSION

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from importlib.resources.abc import Traversable

    from ctspine_bench.anatomy import LabelMap
    from ctspine_bench.records import CaseResult

ENGINE_VERSION: Final = 2
"""Of the rules and the arithmetic that numbers come from: records of another version are outdated.

Raised by hand when a number of `tests/golden/numbers.json` changes, and only then.
"""

# What a journal of finished cases depends on: finding and reading files, arithmetic, and the records that hold them.
_SOURCES: Final = (
    "anatomy.py", "cases.py", "comparison.py", "evaluate.py", "kernels", "manifests", "metrics", "pairing.py",
    "records.py", "scoring.py", "tables.py", "testsets.py", "volumes",
)  # fmt: skip


@dataclass(frozen=True)
class Settings:
    """How the files of a submission are read and compared.

    Attributes:
        reference_label_map: What the values of references mean; `None` for labels 0–25 as they are.
        prediction_label_map: The same for predictions.
        resample: Bring predictions on another grid to the reference's by nearest neighbour instead of refusing them.
        pooled: Also compute the pooled HD95.
    """

    reference_label_map: LabelMap | None = None
    prediction_label_map: LabelMap | None = None
    resample: bool = False
    pooled: bool = False

    def describe(self) -> dict[str, Any]:
        """Return the settings for results.json."""
        return {
            "reference_label_map": _describe(self.reference_label_map or IDENTITY),
            "prediction_label_map": _describe(self.prediction_label_map or IDENTITY),
            "resample": "nearest" if self.resample else None,
            "pooled_hd95": self.pooled,
        }

    def digest(self) -> str:
        """Return a digest that changes with the settings and with the source that scores a case.

        It is the key of unfinished work alone: unlike `ENGINE_VERSION` it changes with every comment.
        """
        content = json.dumps([self.describe(), source_sha256(_SOURCES)], sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()


def _describe(label_map: LabelMap) -> dict[str, str]:
    content = json.dumps(asdict(label_map), sort_keys=True)
    return {"name": label_map.name, "sha256": hashlib.sha256(content.encode()).hexdigest()}


@dataclass(frozen=True)
class Provenance:
    """What a result was made with.

    Attributes:
        version: Version of ctspine-bench.
        engine_version: `ENGINE_VERSION` when it was made.
        digests: Test set → digest over the case ids and file digests of its "references" and "predictions"; missing and
            refused files enter as such.
        splits: Test set → digest over its case ids.
        settings: How files were read and compared; of each test set, where they were read in different ways.
        created: When, UTC, ISO 8601.
        command: The command that was called; empty when called from Python.
        software: Versions of Python and the libraries that compute.
    """

    version: str
    engine_version: int
    digests: dict[str, dict[str, str]]
    splits: dict[str, str]
    settings: dict[str, Any]
    created: str
    command: str
    software: dict[str, str]


def provenance_of(results: Mapping[str, Sequence[CaseResult]], settings: Settings, command: str) -> Provenance:
    """Return the provenance of the results of some test sets, dated now."""
    return Provenance(
        version=__version__,
        engine_version=ENGINE_VERSION,
        digests={
            test_set: {
                "references": digest_of_files((case.case_id, case.reference_sha256) for case in cases),
                "predictions": digest_of_files((case.case_id, case.prediction_sha256) for case in cases),
            }
            for test_set, cases in results.items()
        },
        splits={test_set: digest_of_split(case.case_id for case in cases) for test_set, cases in results.items()},
        settings=settings.describe(),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        command=command,
        software={
            "python": platform.python_version(),
            **{name: version(name) for name in ("numpy", "scipy", "numba", "nibabel")},
        },
    )


def is_outdated(results: Mapping[str, Any]) -> bool:
    """Return whether results.json has an earlier layout, or numbers of an earlier engine."""
    engine = results.get("provenance", {}).get("engine_version", 0)
    return bool(results["schema_version"] < SCHEMA_VERSION or engine < ENGINE_VERSION)


def digest_of_files(items: Iterable[tuple[str, str | None]]) -> str:
    """Return the digest over case ids and the digests of their files, `None` for a missing or refused one."""
    lines = (f"{case_id} {sha256 or '-'}\n" for case_id, sha256 in sorted(items))
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def digest_of_split(case_ids: Iterable[str]) -> str:
    """Return the digest over the case ids of a test set, in any order."""
    return hashlib.sha256("".join(f"{case_id}\n" for case_id in sorted(case_ids)).encode()).hexdigest()


@cache
def source_sha256(names: tuple[str, ...]) -> str:
    """Return the digest of some files and folders of the package."""
    digest = hashlib.sha256()
    root = files("ctspine_bench")
    for name in names:
        for path, source in _sources(root.joinpath(name), name):
            digest.update(f"{path} {hashlib.sha256(source.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()


def _sources(item: Traversable, path: str) -> Iterator[tuple[str, Traversable]]:
    if item.is_file():
        yield path, item
    else:
        for child in sorted(item.iterdir(), key=lambda child: child.name):
            if child.name != "__pycache__":
                yield from _sources(child, f"{path}/{child.name}")
