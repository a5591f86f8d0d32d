"""The scores of some submissions on the same reference vertebrae, brought to arrays.

Everything that ranks, compares or explains works on `PairedScores`: one row for each vertebra of the references of a
test set, one column for each submission, the official policies applied. What makes a case hard for everybody then
stands in one row.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import numpy as np

from ctspine_bench.aggregate import HD95_CAP_MM, official_hd95_mm
from ctspine_bench.anatomy import LABELS
from ctspine_bench.anatomy import REGIONS as PARTS
from ctspine_bench.errors import SubmissionError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

REGIONS: Final[Mapping[str, range]] = MappingProxyType({"all": LABELS, **PARTS})
"""Region of the spine → its labels."""


@dataclass(frozen=True)
class Metric:
    """What is averaged.

    Attributes:
        name: The column of the case table.
        title: What people call it.
        unit: "mm", or "" for a share of 1.
        larger_is_better: The direction of better.
        digits: How many digits behind the point say something.
        missed: What a missed vertebra gets (docs/CORRECTNESS.md argues it).
    """

    name: str
    title: str
    unit: str
    larger_is_better: bool
    digits: int
    missed: float


METRICS: Final[Mapping[str, Metric]] = MappingProxyType(
    {
        "dsc": Metric("dsc", "DSC", "", larger_is_better=True, digits=3, missed=0.0),
        "hd95_mm": Metric("hd95_mm", "HD95", "mm", larger_is_better=False, digits=2, missed=HD95_CAP_MM),
        **{
            f"nsd_{mm}mm": Metric(f"nsd_{mm}mm", f"NSD {mm} mm", "", larger_is_better=True, digits=3, missed=0.0)
            for mm in (1, 2, 3)
        },
    }
)
"""The metrics that submissions can be compared by, under the official policies."""

LOSSES: Final = ("loss_identification", "loss_missed", "loss_boundary")
"""The parts of 1 − DSC of a vertebra."""

MISSED: Final = "missed"
"""1 for a missed vertebra, 0 for a matched one."""

MEASURES: Final = (*METRICS, *LOSSES, MISSED)
"""All that is known of every reference vertebra."""


@dataclass(frozen=True, eq=False)
class ReferenceVertebrae:
    """The R vertebrae in the references of n cases: what does not depend on a prediction.

    Attributes:
        case_ids: The n cases, sorted; those without a vertebra are among them.
        sources: Where each case comes from; "" where unknown.
        slice_spacing_mm: `(n,)` voxel spacing along the spine; NaN where unknown.
        transitional: `(n,)` whether the reference has an L6 or seems to end at L4.
        case: `(R,)` index into `case_ids`; vertebrae are sorted by case, then label.
        label: `(R,)` 1–25.
        cut: `(R,)` whether the field of view cuts the vertebra.
    """

    case_ids: tuple[str, ...]
    sources: tuple[str, ...]
    slice_spacing_mm: NDArray[np.float64]
    transitional: NDArray[np.bool_]
    case: NDArray[np.int64]
    label: NDArray[np.int64]
    cut: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class PairedScores:
    """The scores of S submissions on the same R reference vertebrae of one test set.

    Attributes:
        slugs: The submissions.
        reference: The vertebrae.
        measures: Measure (of `MEASURES`) → `(R, S)`, without empty cells.
    """

    slugs: tuple[str, ...]
    reference: ReferenceVertebrae
    measures: Mapping[str, NDArray[np.float64]]

    @property
    def n_cases(self) -> int:
        """How many cases the test set has, those without a reference vertebra included."""
        return len(self.reference.case_ids)

    def of(self, *slugs: str) -> PairedScores:
        """Return the scores of some submissions, in that order.

        Raises:
            ValueError: One is not among them.
        """
        column = {slug: i for i, slug in enumerate(self.slugs)}
        for slug in slugs:
            if slug not in column:
                raise ValueError(f"expected a submission out of {', '.join(self.slugs)}, found {slug!r}")
        columns = [column[slug] for slug in slugs]
        return replace(self, slugs=slugs, measures={name: values[:, columns] for name, values in self.measures.items()})

    def of_cases(self, keep: NDArray[np.bool_]) -> PairedScores:
        """Return the scores on some cases; `keep` is `(n,)`."""
        reference = self.reference
        rows = keep[reference.case]
        kept = ReferenceVertebrae(
            case_ids=tuple(np.array(reference.case_ids, object)[keep]),
            sources=tuple(np.array(reference.sources, object)[keep]),
            slice_spacing_mm=reference.slice_spacing_mm[keep],
            transitional=reference.transitional[keep],
            case=(np.cumsum(keep) - 1)[reference.case[rows]],
            label=reference.label[rows],
            cut=reference.cut[rows],
        )
        return replace(self, reference=kept, measures={name: values[rows] for name, values in self.measures.items()})

    def of_rows(self, keep: NDArray[np.bool_]) -> PairedScores:
        """Return the scores of some vertebrae, of all cases; `keep` is `(R,)`."""
        reference = self.reference
        kept = replace(reference, case=reference.case[keep], label=reference.label[keep], cut=reference.cut[keep])
        return replace(self, reference=kept, measures={name: values[keep] for name, values in self.measures.items()})

    def of_labels(self, labels: Collection[int]) -> PairedScores:
        """Return the scores of the vertebrae with some labels, of all cases."""
        return self.of_rows(np.isin(self.reference.label, list(labels)))


def pair(tables: Mapping[str, pd.DataFrame]) -> PairedScores:
    """Bring the case tables of one test set (`tables.COLUMNS`), by slug, to arrays.

    Raises:
        SubmissionError: E_RECORD, a table is about other cases or reference vertebrae than the first, about none, or
            has a reference vertebra without its scores.
    """
    return joined([_single(slug, table) for slug, table in tables.items()])


def joined(parts: Sequence[PairedScores]) -> PairedScores:
    """Put submissions side by side.

    Raises:
        SubmissionError: E_RECORD, one is about other cases or reference vertebrae than the first.
        ValueError: There is none.
    """
    if not parts:
        raise ValueError("expected scores of at least one submission, found none")
    first = parts[0].reference
    for part in parts:
        if not same_vertebrae(first, part.reference):
            raise _error(part.slugs[0], _described(first), f"{_described(part.reference)}, or others")
    return PairedScores(
        slugs=tuple(slug for part in parts for slug in part.slugs),
        reference=first,
        measures={name: np.concatenate([part.measures[name] for part in parts], axis=1) for name in MEASURES},
    )


def same_vertebrae(one: ReferenceVertebrae, other: ReferenceVertebrae) -> bool:
    """Return whether two are about the same cases and vertebrae."""
    return (
        one.case_ids == other.case_ids
        and np.array_equal(one.case, other.case)
        and np.array_equal(one.label, other.label)
    )


def label_counts(paired: PairedScores) -> NDArray[np.int64]:
    """Return in how many cases each label is, `(25,)`."""
    return np.bincount(paired.reference.label - 1, minlength=len(LABELS))


def label_means(paired: PairedScores, measure: str) -> NDArray[np.float64]:
    """Return the mean of a measure for each label, `(25, S)`; NaN for a label that no case has."""
    sums = np.zeros((len(LABELS), len(paired.slugs)))
    np.add.at(sums, paired.reference.label - 1, paired.measures[measure])
    n = label_counts(paired)[:, None]
    return np.where(n > 0, sums / np.maximum(n, 1), np.nan)


def case_means(paired: PairedScores, measure: str, region: str = "all") -> NDArray[np.float64]:
    """Return the mean of a measure over the vertebrae of each case, `(n, S)`; NaN for a case without any."""
    chosen = paired if region == "all" else paired.of_labels(REGIONS[region])
    case = chosen.reference.case
    sums = np.zeros((paired.n_cases, len(paired.slugs)))
    np.add.at(sums, case, chosen.measures[measure])
    n = np.bincount(case, minlength=paired.n_cases)[:, None]
    return np.where(n > 0, sums / np.maximum(n, 1), np.nan)


def _single(slug: str, table: pd.DataFrame) -> PairedScores:
    rows = table[(table["row"] == "vertebra") & table["status"].isin(["matched", "missed"])]
    rows = rows.sort_values(["case_id", "label"], kind="stable")
    if not len(rows):
        raise _error(slug, "case rows with reference vertebrae", "none")
    cases = _cases(table)
    case = np.searchsorted(cases.index.to_numpy(object), rows["case_id"].to_numpy(object))
    label = rows["label"].to_numpy(np.int64)
    if not np.isin(label, LABELS).all():
        raise _error(slug, f"labels {LABELS.start} to {LABELS.stop - 1}", "others")
    if len(set(zip(case.tolist(), label.tolist(), strict=True))) < len(rows):
        raise _error(slug, "one row for each vertebra of a case", "more")
    values = {name: _numbers(rows[name])[:, None] for name in (*METRICS, *LOSSES)}
    values["hd95_mm"] = official_hd95_mm(rows)[:, None]
    values[MISSED] = (rows["status"] == "missed").to_numpy(np.bool_)[:, None].astype(np.float64)
    if not all(np.isfinite(scores).all() for scores in values.values()):
        raise _error(slug, "scores for every reference vertebra", "cells that are empty or no finite number")
    reference = ReferenceVertebrae(
        case_ids=tuple(str(case_id) for case_id in cases.index),
        sources=tuple(cases["source"].fillna("").astype(str)),
        slice_spacing_mm=_numbers(cases["slice_spacing_mm"]),
        transitional=cases["transitional"].fillna(value=False).to_numpy(np.bool_),
        case=case.astype(np.int64),
        label=label,
        cut=rows["cut"].fillna(value=False).to_numpy(np.bool_),
    )
    return PairedScores((slug,), reference, values)


def _cases(table: pd.DataFrame) -> pd.DataFrame:
    """Return one row for each case, sorted by its id."""
    cases = table[table["row"] == "case"].drop_duplicates("case_id").set_index("case_id")
    others = table.drop_duplicates("case_id").set_index("case_id")
    cases = cases if len(cases) == len(others) else others
    return cases.sort_index()[["source", "slice_spacing_mm", "transitional"]]


def _numbers(column: pd.Series) -> NDArray[np.float64]:
    return column.to_numpy(dtype=np.float64, na_value=np.nan)


def _described(reference: ReferenceVertebrae) -> str:
    """Say how many there are; the ids of private cases belong in no message."""
    return f"{len(reference.case_ids)} cases with {len(reference.case)} vertebrae"


def _error(slug: str, expected: str, found: str) -> SubmissionError:
    advice = "Compare only submissions that were scored on the same cases and references."
    return SubmissionError("E_RECORD", slug, expected=expected, found=found, advice=advice)
