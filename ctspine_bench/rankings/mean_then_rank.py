"""The official scheme: rank by Mean of Vertebrae DSC, ties by Mean of Vertebrae HD95.

The score under case weights is the official one with weighted means in place of plain ones: for each label over the
cases whose reference has it, then the plain mean over labels. All submissions are scored under the same weights
(paired), so that what makes a case hard for everybody cancels in their differences.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from ctspine_bench.aggregate import official_table
from ctspine_bench.errors import SubmissionError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from numpy.typing import NDArray

# Draws for which the means of all labels and submissions are held at a time: 50 submissions then need 5 MB.
_BLOCK: Final = 500


@dataclass(frozen=True, eq=False)
class PairedDice:
    """The DSC of all reference vertebrae of a test set, for some submissions.

    Attributes:
        in_reference: `(cases, labels)`, 1.0 where the reference of a case has a label, else 0.0; every label occurs.
        dsc: `(cases, labels, submissions)`, missed 0, and 0 where the reference lacks the label.
    """

    in_reference: NDArray[np.float64]
    dsc: NDArray[np.float64]


def pair(tables: Mapping[str, pd.DataFrame]) -> PairedDice:
    """Bring the case tables of one test set, by slug, to one array.

    Raises:
        SubmissionError: E_RECORD, a table is about other cases or reference vertebrae than the first, or about none.
    """
    frames = {slug: _dice(table) for slug, table in tables.items()}
    first = next(iter(frames.values()))
    in_reference = first.notna().to_numpy()
    if not in_reference.any():
        raise _record_error(next(iter(frames)), "case rows with reference vertebrae", "none")
    for slug, frame in frames.items():
        if not (frame.index.equals(first.index) and frame.columns.equals(first.columns)):
            raise _record_error(slug, _describe(first), f"{_describe(frame)}, or others")
        if not np.array_equal(frame.notna().to_numpy(), in_reference):
            raise _record_error(slug, "the reference vertebrae of the others", "others")
    dsc = np.stack([frame.fillna(0.0).to_numpy() for frame in frames.values()], axis=-1)
    return PairedDice(in_reference.astype(np.float64), dsc)


def weighted_scores(paired: PairedDice, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the Mean of Vertebrae DSC under weighted cases.

    Args:
        paired: The vertebrae.
        weights: `(draws, cases)`, not negative. Under equal weights the result is that of `aggregate.official_table`.

    Returns:
        `(draws, submissions)`.
    """
    n_cases, n_labels, n_submissions = paired.dsc.shape
    dsc = paired.dsc.reshape(n_cases, n_labels * n_submissions)
    scores = np.empty((len(weights), n_submissions))
    for start in range(0, len(weights), _BLOCK):
        block = weights[start : start + _BLOCK]
        means = (block @ dsc).reshape(-1, n_labels, n_submissions) / (block @ paired.in_reference)[:, :, None]
        scores[start : start + _BLOCK] = means.mean(axis=1)
    return scores


def official_scores(tables: Mapping[str, pd.DataFrame]) -> NDArray[np.float64]:
    """Return Mean of Vertebrae DSC and HD95 in mm of each submission, `(submissions, 2)`, as its results state them."""
    means = [official_table(table).mean_of_vertebrae for table in tables.values()]
    return np.array([(each.dsc, each.hd95_mm) for each in means], dtype=np.float64)


def ranks(scores: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return 1 + the number of better submissions, for `official_scores`: who ties in both metrics shares a rank."""
    dsc, hd95_mm = scores.T
    better = (dsc[:, None] > dsc) | ((dsc[:, None] == dsc) & (hd95_mm[:, None] < hd95_mm))
    n_better: NDArray[np.int64] = better.sum(axis=0)
    return 1 + n_better


def _dice(table: pd.DataFrame) -> pd.DataFrame:
    """Return DSC by case and label, empty where the reference lacks the label; every case has a row."""
    rows = table[(table["row"] == "vertebra") & table["status"].isin(["matched", "missed"])]
    by_label = rows.pivot_table(index="case_id", columns="label", values="dsc").astype("float64")
    return by_label.reindex(sorted(table["case_id"].unique()))


def _describe(frame: pd.DataFrame) -> str:
    """Say how large it is; the ids of private cases belong in no message."""
    return f"{len(frame)} cases with {frame.shape[1]} labels"


def _record_error(slug: str, expected: str, found: str) -> SubmissionError:
    advice = "Rank only submissions that were scored on the same cases and references."
    return SubmissionError("E_RECORD", slug, expected=expected, found=found, advice=advice)
