"""One submission as a board shows it: what it is, and whether it is ranked on a test set.

Ranked are complete results of today's scorer, split and references. Today's references of a test set are those of the
record that was scored last, with today's scorer.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from ctspine_bench.files import current, sha256_of
from ctspine_bench.provenance import ENGINE_VERSION, digest_of_split
from ctspine_bench.submissions.folder import CASES, RESULTS
from ctspine_bench.submissions.reading import DECLARATION
from ctspine_bench.testsets import named

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from ctspine_bench.errors import SubmissionError
    from ctspine_bench.submissions.declaration import Declaration

Status = Literal["ranked", "published", "outdated", "incomplete", "unscored", "broken", "newer", "absent"]

REASONS: Final[dict[str, str]] = {
    "ranked": "",
    "published": "As published: not scored by this benchmark, and therefore not ranked.",
    "outdated": "Outdated: scored with an earlier scorer, split or reference version.",
    "incomplete": "Incomplete: not every case of the test set has a prediction that could be scored.",
    "unscored": "Not scored yet.",
    "broken": "The record is broken.",
    "newer": "The record is of a newer version of ctspine-bench than this one.",
    "absent": "No result on this test set.",
}
"""Status → why a row is not ranked, in a sentence."""


@dataclass(frozen=True)
class Today:
    """What results must have been made with to be ranked.

    Attributes:
        engine_version: Of the scorer.
        splits: Test set → digest of its case list.
        references: Test set → digest of its references.
    """

    engine_version: int
    splits: Mapping[str, str]
    references: Mapping[str, str]


@dataclass(frozen=True, eq=False)
class Entry:
    """A submission on a board.

    Attributes:
        slug: The name of its folder.
        digest: Over its files.
        declaration: What was declared; `None` if it cannot be read.
        results: What pages need of its results (see `condensed`); `None` without any.
        problem: What is wrong with the record; `None` if nothing is.
    """

    slug: str
    digest: str
    declaration: Declaration | None
    results: dict[str, Any] | None
    problem: SubmissionError | None

    @property
    def name(self) -> str:
        """What to call it: its name, or that of its folder."""
        return self.declaration.name if self.declaration else self.slug

    def on(self, test_set: str) -> dict[str, Any]:
        """Return the condensed results on a test set; empty without any."""
        results: dict[str, Any] = (self.results or {}).get("test_sets", {}).get(test_set, {})
        return results

    def status(self, test_set: str, today: Today) -> Status:
        """Return what it is on a test set."""
        if self.problem or self.declaration is None:
            return "newer" if self.problem and self.problem.code == "E_VERSION" else "broken"
        if self.results is None:
            # Simulations and baselines declare no archives.
            declared = self.declaration.test_sets
            return "unscored" if test_set in declared or not declared else "absent"
        if test_set not in self.results["test_sets"]:
            return "absent"
        if self.declaration.kind == "published":
            return "published"
        if not self.is_current(test_set, today):
            return "outdated"
        return "ranked" if self._is_complete(test_set) else "incomplete"

    def flags(self, test_set: str, today: Today) -> tuple[str, ...]:
        """Return what a reader has to know beside the numbers, out of the keys of `FLAGS`."""
        status = self.status(test_set, today)
        found: list[str] = [status] if status in FLAGS else []
        if self.declaration:
            found += ["verse"] if self.declaration.training.uses_verse else []
            found += ["test-cases"] if self.declaration.training.uses_test_cases else []
            found += [self.declaration.kind] if self.declaration.kind in {"baseline", "simulated"} else []
        found += ["same"] if (self.results or {}).get("same_predictions_as") else []
        return tuple(found)

    def is_current(self, test_set: str, today: Today) -> bool:
        """Return whether its results are of today's scorer, split and references."""
        provenance = (self.results or {})["provenance"]
        return bool(
            provenance["engine_version"] == today.engine_version
            and provenance["splits"].get(test_set) == today.splits.get(test_set)
            and provenance["references"].get(test_set) == today.references.get(test_set)
        )

    def _is_complete(self, test_set: str) -> bool:
        results = self.on(test_set)
        means = results["mean_of_vertebrae"]
        complete = self.declaration is not None and self.declaration.coverage == "complete"
        return complete and results["complete"] and None not in (means["dsc"], means["hd95_mm"])


FLAGS: Final = {
    "published": "as published",
    "outdated": "outdated",
    "incomplete": "incomplete",
    "unscored": "not scored",
    "broken": "broken",
    "newer": "newer version",
    "verse": "trained on VerSe",
    "test-cases": "trained on test cases",
    "baseline": "baseline",
    "simulated": "simulated",
    "same": "same predictions as another",
}
"""Flag → what people read."""


def today(entries: Iterable[Entry]) -> Today:
    """Return what results must have been made with to be ranked, as the newest results say."""
    splits: dict[str, str] = {}
    references: dict[str, str] = {}
    scored = [entry.results for entry in entries if entry.results]
    for results in sorted(scored, key=lambda results: str(results["provenance"]["created"])):
        provenance = results["provenance"]
        if provenance["engine_version"] != ENGINE_VERSION:
            continue
        for name in results["test_sets"]:
            cases = named(name).cases
            split = digest_of_split(cases) if cases else provenance["splits"].get(name, "")
            if provenance["splits"].get(name) == split and provenance["references"].get(name):
                splits[name], references[name] = split, provenance["references"][name]
    return Today(ENGINE_VERSION, splits, references)


def digest_of(folder: Path) -> str:
    """Return the digest over the name of a record and its files, whatever is in them."""
    # A copy of a record under another name is another record: a broken one, as its results name the first.
    digest = hashlib.sha256(f"{folder.name}\n".encode("utf-8", "surrogateescape"))
    for name in (DECLARATION, RESULTS, CASES):
        path = current(folder, name)
        try:
            content = "a link" if path.is_symlink() else sha256_of(path)
        except OSError:
            content = "nothing that can be read"
        digest.update(f"{name} {content}\n".encode())
    return digest.hexdigest()
