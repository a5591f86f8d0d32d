"""The scores of some submissions on the same references, brought to arrays.

Everything that ranks, compares or explains works on `PairedScores`: one row for each vertebra that the reference or a
prediction of a case has, one column for each submission, the official policies applied. What makes a case hard for
everybody then stands in one row. A spurious vertebra is in the columns of those who predict it alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ctspine_bench.aggregate import HD95_CAP_MM, LOSS_COLUMNS, METRIC_COLUMNS, scored_vertebrae
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
        best: What a perfect vertebra gets.
        worst: What a missed or spurious vertebra gets (docs/CORRECTNESS.md argues it).
    """

    name: str
    title: str
    unit: str
    larger_is_better: bool
    digits: int
    best: float
    worst: float

    @property
    def bounds(self) -> tuple[float, float]:
        """Between what a mean of it can be."""
        return min(self.best, self.worst), max(self.best, self.worst)


METRICS: Final[Mapping[str, Metric]] = MappingProxyType(
    {
        "dsc": Metric("dsc", "DSC", "", larger_is_better=True, digits=3, best=1.0, worst=0.0),
        "hd95_mm": Metric("hd95_mm", "HD95", "mm", larger_is_better=False, digits=2, best=0.0, worst=HD95_CAP_MM),
        **{
            name: Metric(name, f"NSD {mm} mm", "", larger_is_better=True, digits=3, best=1.0, worst=0.0)
            for mm, name in zip((1, 2, 3), METRIC_COLUMNS[2:], strict=True)
        },
    }
)
"""The metrics that submissions can be compared by, under the official policies."""

LOSSES: Final = LOSS_COLUMNS
"""The parts of 1 − DSC of a vertebra."""

MISSED: Final = "missed"
"""1 for a missed vertebra, 0 for a matched or spurious one."""

AT_BORDER: Final = "at_border"
"""1 for a spurious vertebra that reaches the end of the field of view, else 0."""

MEASURES: Final = (*METRICS, *LOSSES, MISSED, AT_BORDER)
"""All that is known of every vertebra."""


@dataclass(frozen=True, eq=False)
class Vertebrae:
    """The R vertebrae that are in the references or in a prediction of n cases.

    Attributes:
        case_ids: The n cases, sorted; those without a vertebra are among them.
        sources: Where each case comes from; "" where unknown.
        slice_spacing_mm: `(n,)` voxel spacing along the spine; NaN where unknown.
        transitional: `(n,)` whether the reference has an L6 or seems to end at L4.
        case: `(R,)` index into `case_ids`; vertebrae are sorted by case, then label.
        label: `(R,)` 1–25.
        in_reference: `(R,)` whether the reference has the vertebra; otherwise it is spurious.
        cut: `(R,)` whether the field of view cuts the vertebra in the reference.
    """

    case_ids: tuple[str, ...]
    sources: tuple[str, ...]
    slice_spacing_mm: NDArray[np.float64]
    transitional: NDArray[np.bool_]
    case: NDArray[np.int64]
    label: NDArray[np.int64]
    in_reference: NDArray[np.bool_]
    cut: NDArray[np.bool_]

    def of_rows(self, keep: NDArray[np.bool_] | NDArray[np.int64]) -> Vertebrae:
        """Return some of the vertebrae, of the same cases."""
        return replace(
            self,
            case=self.case[keep],
            label=self.label[keep],
            in_reference=self.in_reference[keep],
            cut=self.cut[keep],
        )


@dataclass(frozen=True, eq=False)
class PairedScores:
    """The scores of S submissions on the same references of one test set.

    Attributes:
        slugs: The submissions.
        vertebrae: The R vertebrae.
        present: `(R, S)` whether the reference or the submission's own prediction has the vertebra: it counts.
        measures: Measure (of `MEASURES`) → `(R, S)`, without empty cells; 0 where it does not count.
    """

    slugs: tuple[str, ...]
    vertebrae: Vertebrae
    present: NDArray[np.bool_]
    measures: Mapping[str, NDArray[np.float64]]

    @property
    def n_cases(self) -> int:
        """How many cases the test set has, those without a vertebra included."""
        return len(self.vertebrae.case_ids)

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
        present = self.present[:, columns]
        # What is spurious in the predictions of others alone is no vertebra of these.
        rows = self.vertebrae.in_reference | present.any(axis=1)
        return PairedScores(
            slugs,
            self.vertebrae if rows.all() else self.vertebrae.of_rows(rows),
            present[rows],
            {name: values[:, columns][rows] for name, values in self.measures.items()},
        )

    def of_cases(self, keep: NDArray[np.bool_]) -> PairedScores:
        """Return the scores on some cases; `keep` is `(n,)`."""
        found = self.of_rows(keep[self.vertebrae.case])
        vertebrae = replace(
            found.vertebrae,
            case_ids=tuple(np.array(self.vertebrae.case_ids, object)[keep]),
            sources=tuple(np.array(self.vertebrae.sources, object)[keep]),
            slice_spacing_mm=self.vertebrae.slice_spacing_mm[keep],
            transitional=self.vertebrae.transitional[keep],
            case=(np.cumsum(keep) - 1)[found.vertebrae.case],
        )
        return replace(found, vertebrae=vertebrae)

    def of_rows(self, keep: NDArray[np.bool_]) -> PairedScores:
        """Return the scores of some vertebrae, of all cases; `keep` is `(R,)`."""
        measures = {name: values[keep] for name, values in self.measures.items()}
        return PairedScores(self.slugs, self.vertebrae.of_rows(keep), self.present[keep], measures)

    def of_labels(self, labels: Collection[int]) -> PairedScores:
        """Return the scores of the vertebrae with some labels, of all cases."""
        return self.of_rows(np.isin(self.vertebrae.label, list(labels)))


def pair(tables: Mapping[str, pd.DataFrame]) -> PairedScores:
    """Bring the case tables of one test set (`tables.COLUMNS`), by slug, to arrays.

    Raises:
        SubmissionError: E_RECORD, a table is about other cases or reference vertebrae than the first, about none, or
            has a vertebra without its scores.
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
    first = parts[0].vertebrae
    for part in parts:
        if not same_references(first, part.vertebrae):
            raise _error(part.slugs[0], _described(first), f"{_described(part.vertebrae)}, or others")
    keys = [_keys(part.vertebrae) for part in parts]
    every, where = np.unique(np.concatenate(keys), return_index=True)
    places = [np.searchsorted(every, key) for key in keys]
    present = [_spread(part.present, place, len(every)) for part, place in zip(parts, places, strict=True)]
    case, label, in_reference, cut = (
        np.concatenate([getattr(part.vertebrae, name) for part in parts])[where]
        for name in ("case", "label", "in_reference", "cut")
    )
    vertebrae = replace(first, case=case, label=label, in_reference=in_reference, cut=cut)
    measures = {
        name: np.concatenate(
            [_spread(part.measures[name], place, len(every)) for part, place in zip(parts, places, strict=True)], axis=1
        )
        for name in MEASURES
    }
    slugs = tuple(slug for part in parts for slug in part.slugs)
    return PairedScores(slugs, vertebrae, np.concatenate(present, axis=1), measures)


def same_references(one: Vertebrae, other: Vertebrae) -> bool:
    """Return whether two are about the same cases and reference vertebrae."""
    first, second = (_keys(each)[each.in_reference] for each in (one, other))
    return one.case_ids == other.case_ids and np.array_equal(first, second)


def label_counts(paired: PairedScores) -> NDArray[np.int64]:
    """Return in how many cases each label counts, `(25, S)`: in the reference, or in the submission's prediction."""
    return _sums(paired.vertebrae.label - 1, paired.present.astype(np.int64), len(LABELS))


def label_means(paired: PairedScores, measure: str) -> NDArray[np.float64]:
    """Return the mean of a measure for each label, `(25, S)`; NaN for a label that no case has."""
    sums = _sums(paired.vertebrae.label - 1, paired.measures[measure], len(LABELS))
    return _ratio(sums, label_counts(paired))


def case_means(paired: PairedScores, measure: str, region: str = "all") -> NDArray[np.float64]:
    """Return the mean of a measure over the vertebrae of each case, `(n, S)`; NaN for a case without any."""
    chosen = paired if region == "all" else paired.of_labels(REGIONS[region])
    case = chosen.vertebrae.case
    sums = _sums(case, chosen.measures[measure], paired.n_cases)
    return _ratio(sums, _sums(case, chosen.present.astype(np.int64), paired.n_cases))


def comparable_case_means(paired: PairedScores, metric: str, region: str = "all") -> NDArray[np.float64]:
    """Return the mean of a metric over the vertebrae of each case, to compare submissions within a case, `(n, S)`.

    See `comparable`. What two differ by must not depend on a third: give `paired.of` the two alone.
    """
    return comparable(case_means(paired, metric, region), METRICS[metric].best)


def comparable(means: NDArray[np.float64], best: float) -> NDArray[np.float64]:
    """Return per-case means `(n, S)`, the best value for those who rightly have nothing where another has something.

    That is where another one has a spurious vertebra in a case without a reference vertebra. NaN where nobody has
    anything.
    """
    nothing = np.isnan(means)
    return np.where(nothing & ~nothing.all(axis=1, keepdims=True), best, means)


def n_reference_cases(paired: PairedScores, region: str) -> int:
    """Return how many cases have a vertebra of a region in their reference: what decides whether there are enough."""
    vertebrae = paired.of_labels(REGIONS[region]).vertebrae
    return int(np.unique(vertebrae.case[vertebrae.in_reference]).size)


def cases_of_region(paired: PairedScores, region: str) -> NDArray[np.bool_]:
    """Return which cases have a vertebra of a region, in the reference or in a prediction, `(n,)`."""
    there = np.zeros(paired.n_cases, np.bool_)
    there[paired.of_labels(REGIONS[region]).vertebrae.case] = True
    return there


def counted(paired: PairedScores, region: str) -> tuple[PairedScores, int]:
    """Return the scores on the cases that count for a region, and how many of them do by their reference."""
    there = cases_of_region(paired, region)
    return (paired if there.all() else paired.of_cases(there)), n_reference_cases(paired, region)


def by_label(paired: PairedScores, measure: str, region: str) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the scores of a region by case and label, `(n, labels, S)`, and where they count, 1 or 0, likewise.

    Scores are 0 where they do not count.
    """
    labels = REGIONS[region]
    chosen = paired.of_labels(labels)
    where = chosen.vertebrae.case, chosen.vertebrae.label - labels.start
    shape = paired.n_cases, len(labels), len(paired.slugs)
    values, present = np.zeros(shape), np.zeros(shape, np.int64)
    values[where], present[where] = chosen.measures[measure], chosen.present
    return values, present


def _sums(groups: NDArray[np.int64], values: NDArray[Any], n_groups: int) -> NDArray[Any]:
    """Return the sums of the rows of each group, `(n_groups, S)`."""
    sums = np.zeros((n_groups, values.shape[1]), values.dtype)
    np.add.at(sums, groups, values)
    return sums


def _ratio(sums: NDArray[np.float64], n: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.where(n > 0, sums / np.maximum(n, 1), np.nan)


def _keys(vertebrae: Vertebrae) -> NDArray[np.int64]:
    """Return a number for each vertebra that orders them by case and label."""
    return vertebrae.case * (len(LABELS) + 1) + vertebrae.label


def _spread(values: NDArray[Any], places: NDArray[np.int64], n_rows: int) -> NDArray[Any]:
    """Return rows at their places among others, which are 0."""
    found = np.zeros((n_rows, values.shape[1]), values.dtype)
    found[places] = values
    return found


def _single(slug: str, table: pd.DataFrame) -> PairedScores:
    rows = scored_vertebrae(table).sort_values(["case_id", "label"], kind="stable")
    in_reference = (rows["status"] != "spurious").to_numpy(np.bool_)
    if not in_reference.any():
        raise _error(slug, "case rows with reference vertebrae", "none")
    cases = _cases(table)
    case = np.searchsorted(cases.index.to_numpy(object), rows["case_id"].to_numpy(object))
    label = rows["label"].to_numpy(np.int64)
    if not np.isin(label, LABELS).all():
        raise _error(slug, f"labels {LABELS.start} to {LABELS.stop - 1}", "others")
    if len(set(zip(case.tolist(), label.tolist(), strict=True))) < len(rows):
        raise _error(slug, "one row for each vertebra of a case", "more")
    values = {name: _numbers(rows[name])[:, None] for name in (*METRICS, *LOSSES)}
    values[MISSED] = (rows["status"] == "missed").to_numpy(np.bool_)[:, None].astype(np.float64)
    at_border = ~in_reference & rows["at_border"].fillna(value=False).to_numpy(np.bool_)
    values[AT_BORDER] = at_border[:, None].astype(np.float64)
    if not all(np.isfinite(scores).all() for scores in values.values()):
        raise _error(slug, "scores for every vertebra", "cells that are empty or no finite number")
    vertebrae = Vertebrae(
        case_ids=tuple(str(case_id) for case_id in cases.index),
        sources=tuple(cases["source"].fillna("").astype(str)),
        slice_spacing_mm=_numbers(cases["slice_spacing_mm"]),
        transitional=cases["transitional"].fillna(value=False).to_numpy(np.bool_),
        case=case.astype(np.int64),
        label=label,
        in_reference=in_reference,
        cut=rows["cut"].fillna(value=False).to_numpy(np.bool_),
    )
    return PairedScores((slug,), vertebrae, np.ones((len(rows), 1), np.bool_), values)


def _cases(table: pd.DataFrame) -> pd.DataFrame:
    """Return one row for each case, sorted by its id."""
    cases = table[table["row"] == "case"].drop_duplicates("case_id").set_index("case_id")
    others = table.drop_duplicates("case_id").set_index("case_id")
    cases = cases if len(cases) == len(others) else others
    return cases.sort_index()[["source", "slice_spacing_mm", "transitional"]]


def _numbers(column: pd.Series) -> NDArray[np.float64]:
    return column.to_numpy(dtype=np.float64, na_value=np.nan)


def _described(vertebrae: Vertebrae) -> str:
    """Say how many there are; the ids of private cases belong in no message."""
    return f"{len(vertebrae.case_ids)} cases with {int(vertebrae.in_reference.sum())} vertebrae"


def _error(slug: str, expected: str, found: str) -> SubmissionError:
    advice = "Compare only submissions that were scored on the same cases and references."
    return SubmissionError("E_RECORD", slug, expected=expected, found=found, advice=advice)
