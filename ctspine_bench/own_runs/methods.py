"""Runs → methods: which runs belong together, and whether all are about the same cases and references.

Runs of one method are either repetitions (seeds, trainings) on the same cases, or folds, each on cases of its own.
Folds are put together into one set of cases.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
import pandas as pd

from ctspine_bench.anatomy import LABELS
from ctspine_bench.own_runs.reading import Run, unlike
from ctspine_bench.rankings.paired import joined, pair

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from numpy.typing import NDArray

    from ctspine_bench.rankings.paired import PairedScores

Kind = Literal["single", "runs", "folds"]

# Volumes of the same reference agree to the last bits.
_ROUNDING: Final = 1e-9


@dataclass(frozen=True, eq=False)
class Method:
    """A method with its runs.

    Attributes:
        name: What to call it.
        kind: One run alone, several on the same cases, or folds on cases of their own.
        runs: As they were given.
    """

    name: str
    kind: Kind
    runs: tuple[Run, ...]

    @property
    def tables(self) -> tuple[pd.DataFrame, ...]:
        """The case tables on all cases: one for each run, or one of all folds."""
        tables = tuple(run.table for run in self.runs)
        return (pd.concat(tables, ignore_index=True),) if self.kind == "folds" else tables

    @property
    def case_ids(self) -> frozenset[str]:
        """The cases of all runs."""
        return frozenset().union(*(run.case_ids for run in self.runs))

    @property
    def scores(self) -> tuple[PairedScores, ...]:
        """The scores of each of `tables`.

        Raises:
            SubmissionError: E_RECORD, a case table is broken.
        """
        return tuple(pair({str(run.folder): table}) for run, table in zip(self.runs, self.tables, strict=False))


@dataclass(frozen=True, eq=False)
class Methods:
    """Methods on the same cases and references.

    Attributes:
        methods: M of them.
        paired: The scores of all runs; folds are one run.
        of_method: `(S,)` to which method each column of `paired` belongs.
        notes: What a reader has to know about how they were scored.
    """

    methods: tuple[Method, ...]
    paired: PairedScores
    of_method: NDArray[np.int64]
    notes: tuple[str, ...]


def method_of(name: str, runs: Sequence[Run]) -> Method:
    """Return a method from its runs.

    Raises:
        SubmissionError: E_COMPARE, the cases of two runs are neither the same nor all different, two folds are of
            different test sets, or two runs have the same cases by other references or predictions that are the same.
    """
    kinds: set[Kind] = set()
    for one, other in combinations(runs, 2):
        shared = one.case_ids & other.case_ids
        kinds.add("runs" if shared else "folds")
        if shared and one.case_ids != other.case_ids:
            raise unlike(
                other.folder,
                f"the cases of {one.folder} (another run), or none of them (another fold)",
                f"{len(shared)} of its {len(other.case_ids)} cases among the {len(one.case_ids)} of {one.folder}",
                f"Give the runs of {name} on the same cases, or its folds without a case in common.",
            )
        if not shared and one.title != other.title:
            raise unlike(
                other.folder,
                f"a fold of {one.title}, as {one.folder} is",
                f"a run on {other.title}",
                "Compare on one test set at a time: test sets are never pooled.",
            )
        if shared and one.predictions == other.predictions:
            found = f"the same predictions as in {one.folder}"
            raise unlike(other.folder, f"another run of {name}", found, "Give each run once.")
    if len(kinds) > 1:
        found = "some of its folders on the same cases, others on other cases"
        raise unlike(runs[0].folder, f"either runs or folds of {name}", found, "Give all on the same cases, or folds.")
    _check_alike(runs)
    return Method(name, kinds.pop() if kinds else "single", tuple(runs))


def brought_together(methods: Sequence[Method]) -> Methods:
    """Return methods side by side.

    Raises:
        SubmissionError: E_COMPARE, they are not about the same cases and references; E_RECORD, a case table is broken.
    """
    first = methods[0]
    for other in methods[1:]:
        _check_cases(first, other)
        _check_alike((*first.runs, *other.runs))
        _check_references(first, other)
    parts = [method.scores for method in methods]
    of_method = np.repeat(np.arange(len(methods)), [len(scores) for scores in parts])
    return Methods(
        tuple(methods), joined([each for scores in parts for each in scores]), of_method, tuple(_notes(methods))
    )


def _check_alike(runs: Sequence[Run]) -> None:
    """Refuse runs on the same cases that were scored by other references, or by another reading of them."""
    first = runs[0]
    for run in runs[1:]:
        if run.split == first.split and run.references != first.references:
            raise unlike(
                run.folder,
                f"the references of {first.folder}",
                "the same cases with other reference files (see provenance.digests)",
                "Score all predictions with the same references.",
            )
        maps = [each.settings.get("reference_label_map") for each in (first, run)]
        if maps[0] != maps[1]:
            raise unlike(
                run.folder,
                f"references read by the label map {_map_name(maps[0])}, as in {first.folder}",
                f"the label map {_map_name(maps[1])}",
                "Score all predictions with the same --reference-label-map.",
            )


def _check_cases(first: Method, other: Method) -> None:
    lacking, surplus = first.case_ids - other.case_ids, other.case_ids - first.case_ids
    if lacking or surplus:
        parts = [
            f"{len(ids)} {what} ({_some(ids)})" for ids, what in ((lacking, "missing"), (surplus, "of its own")) if ids
        ]
        raise unlike(
            other.runs[0].folder,
            f"the {len(first.case_ids)} cases of {first.name} ({first.runs[0].folder})",
            f"{len(other.case_ids)} cases, {' and '.join(parts)}",
            "Score both on the same cases; --test-set scores exactly those of a test set.",
        )


def _check_references(first: Method, other: Method) -> None:
    """Refuse other references of the same cases, which digests tell only where both are on one set of cases."""
    ours, theirs = (_reference_ml(method) for method in (first, other))
    same = ours.index.equals(theirs.index) and np.allclose(ours, theirs, rtol=_ROUNDING, atol=_ROUNDING)
    if not same:
        raise unlike(
            other.runs[0].folder,
            f"the references of {first.name} ({first.runs[0].folder})",
            "reference vertebrae that are others, or have other volumes",
            "Score all predictions with the same references.",
        )


def _reference_ml(method: Method) -> pd.Series:
    table = method.tables[0]
    rows = table[(table["row"] == "vertebra") & (table["status"] != "spurious") & table["label"].isin(list(LABELS))]
    return rows.set_index(["case_id", "label"])["reference_ml"].astype(float).sort_index()


def _notes(methods: Sequence[Method]) -> Iterator[str]:
    for method in methods:
        failed = sum(run.n_failed for run in method.runs)
        if failed:
            cases = "1 case" if failed == 1 else f"{failed} cases"
            yield f"{method.name}: {cases} could not be scored from their files; all their vertebrae count as missed."
        yield from (f"{method.name}: {note}." for note in dict.fromkeys(run.note for run in method.runs if run.note))
    resampled = {method.name: {run.settings.get("resample") for run in method.runs} for method in methods}
    if len(set().union(*resampled.values())) > 1:
        who = ", ".join(name for name, how in resampled.items() if how != {None})
        yield f"Resampled to the grids of the references, which blurs outlines, unlike the others: {who}."
    maps = {
        method.name: {_map_name(run.settings.get("prediction_label_map")) for run in method.runs} for method in methods
    }
    if len(set().union(*maps.values())) > 1:
        told = ", ".join(f"{name} by {' and '.join(sorted(names))}" for name, names in maps.items())
        yield f"Predictions were read by different label maps: {told}."
    seen: dict[str, str] = {}
    for method in methods:
        for digest in {run.predictions for run in method.runs}:
            if digest in seen:
                yield f"{method.name} has the same predictions as {seen[digest]}."
            seen.setdefault(digest, method.name)


def _map_name(described: object) -> str:
    return str(described.get("name")) if isinstance(described, dict) else "that is not known"


def _some(names: Collection[str]) -> str:
    return ", ".join(sorted(names)[:3]) + (", …" if len(names) > 3 else "")
