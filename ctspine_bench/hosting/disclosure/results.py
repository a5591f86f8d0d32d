"""What is published of a private test set.

The reader to be wary of knows the predictions, can choose them at will, and knows what a missed vertebra costs. The
rules, and why each is there:

- Nothing about single cases but the failures of the participant's own files.
- Every number is rounded as the paper prints it: a mean over n cases then leaves each sum open by n/1000 (DSC).
- A label is over the cases that have it in the reference or in the prediction, as the official rule has it, but its n
  is that of the references, and so is the n of both means: the other n would answer exactly which case has which label.
  Its mean answers that too, to who sends one more case with the label the next time: it falls where the reference has
  no such vertebra, by more than rounding hides up to a thousand cases. Against that there is the quota alone.
- A cell over one to four cases is not published, its n is "<5" (threshold rule). A zero stays: it singles out nobody.
  Cases are those of the references: a spurious vertebra is DSC 0 and 100 mm, which is no news to who predicted it, and
  so it never makes a cell safe, however many there are.
- A mean over more cases is not published either if fewer than five of them contribute more than hardly anything
  (p%-rule for a coalition of four): an archive with one real prediction and nothing else would otherwise read off that
  case's score, and one with real predictions of a rare label alone would read a hidden cell off the total.
- Where a total is published beside its parts (Mean of Vertebrae beside labels, Mean of Spine beside sources, all cases
  beside label shifts), a hidden part is the total less the others: the next-smallest parts are hidden too, until two or
  more are and their sum may be known. Their n is null.
- Mean of Vertebrae without L6 differs from the other one by L6 alone: it is published when L6 is.
- A count of events is published when they are in no case or in five and more: seventeen missed vertebrae of one case
  tell how many it has. Of matched and missed, which add up to the n of all labels, both are published or none. Counts
  of events, label shifts included, and the volume of spurious vertebrae in mL are published to the nearest multiple of
  five: exact, they would tell how many vertebrae a case has to who sends one more case the next time. Only `failed` is
  exact: it is the participant's doing.
- Two published means never differ by one to four cases: DSC with the shift undone or whatever the name equals the DSC
  per case but for the cases with wrong names or spurious vertebrae, the parts of the loss differ from zero only where
  there is such a loss, and HD95 of matched departs from the official HD95 in cases with a missed or spurious vertebra
  alone, or one beyond 100 mm. The parts of the loss add up to 1 − DSC: all are published or none. HD95 of matched is
  published of the two means alone: per label it would tell how many of each were missed.
- The share of cases with every level right is a count of cases: it is published to the nearest five, and not when the
  right or the wrong ones are one to four.
- Of a source only its number of cases and its Mean of Spine, which has one mask a case; no Mean of Vertebrae, which
  subtracted from the means by label would tell of its rare labels; no strata, no variants, no sensitivity: each would
  be another way to slice the same few cases. Nor the mean over all vertebrae, VerSe's identification rate, or sources
  on shared labels: the same cases, weighted otherwise. Nor the labels without a reference: those are names of cases.
- A failure is told by its code; the text of one found beside the reference (another grid) would describe the reference.
  `public_record.explained` puts back the words of what intake refused in the participant's file alone. Cases that are
  neither in a published list nor in the archive, whose names nobody outside knows, are only counted. Of predictions for
  no case nothing is said: it would tell which guessed names are right.
- No notes, no number of surplus references: they describe the references.

What no rule on one result can prevent is two results from predictions that differ in one case: the quota limits it, and
rounding blunts it a little.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from ctspine_bench.aggregate import HD95_CAP_MM, official_hd95_mm
from ctspine_bench.anatomy import VERTEBRAE
from ctspine_bench.errors import CODES
from ctspine_bench.hosting.disclosure.cases import (
    case_means,
    public_counts,
    public_estimates,
    public_losses,
    public_naming,
)
from ctspine_bench.hosting.disclosure.suppression import (
    Measure,
    count,
    few,
    hidden_cells,
    rounded,
    share_of_cases,
    tells_no_case,
)
from ctspine_bench.testsets import SOURCES

if TYPE_CHECKING:
    from collections.abc import Collection

    from ctspine_bench.evaluate import SubmissionScore
    from ctspine_bench.summary import Means, Summary

PUBLIC_KEYS: Final = frozenset(
    {
        *("title", "note", "private", "n_cases", "expected_cases", "complete"),
        *("counts", "labels", "mean_of_vertebrae", "mean_of_vertebrae_without_l6", "mean_of_spine", "per_case"),
        *("identification", "loss", "sources"),
        *("failures", "n_other_failures"),
    }
)
"""All that results.json says about a private test set."""

_DSC: Final = Measure("dsc", 3)
_HD95: Final = Measure("hd95_mm", 2, HD95_CAP_MM)
_BOTH: Final = (_DSC, _HD95)
_HD95_MATCHED: Final = Measure("hd95_matched_mm", 2, HD95_CAP_MM)
_HIDDEN: Final = {"n_reference": None, "dsc": None, "hd95_mm": None}
_UNKNOWN_SOURCE: Final = ""


def public_results(score: SubmissionScore, own_cases: Collection[str] = ()) -> dict[str, Any]:
    """Return what results.json holds of a private test set: the keys of any other test set, less what is secret.

    Args:
        score: The scores; all references could be read.
        own_cases: Cases that the participant's archive has, whose names are therefore no secret to them.
    """
    if score.summary is None:
        raise ValueError(f"expected readable references of {score.test_set.name}, found some that are not")
    n_cases = len(score.results)
    return {
        "title": score.test_set.title,
        "note": score.test_set.note,
        "private": True,
        "n_cases": count(n_cases, n_cases),
        "expected_cases": score.test_set.expected_count,
        "complete": score.complete,
        **public_aggregates(score.summary, score.table),
        **_failures(score, own_cases),
    }


def public_aggregates(summary: Summary, table: pd.DataFrame) -> dict[str, Any]:
    """Return the aggregates of a private test set that are published.

    Args:
        summary: All aggregates of the table.
        table: The case table (see `tables.COLUMNS`).
    """
    rows = _reference_rows(table)
    vertebrae, spine = rows[rows["name"] != "spine"], rows[rows["name"] == "spine"]
    cases = case_means(table)
    losses = public_losses(summary, cases)
    of_spine = _total(summary.official.mean_of_spine, spine, table[table["row"] == "spine"])
    return {
        "counts": public_counts(summary, table),
        **_labels(summary, vertebrae, table),
        "mean_of_spine": {**of_spine, "n_reference": share_of_cases(len(spine), table)},
        "per_case": public_estimates(summary, cases, table),
        "identification": public_naming(summary, table, cases, losses),
        "loss": losses,
        "sources": _sources(summary, table, spine),
    }


def _reference_rows(table: pd.DataFrame) -> pd.DataFrame:
    """One row for each reference mask, with its DSC and HD95 after the policies and what it weighs in the means.

    Each name weighs 1 in all, together with its spurious masks, which have no rows: they are known, and protect nobody.
    """
    scored = table[table["status"].notna()]
    rows = pd.DataFrame(
        {
            "case_id": scored["case_id"].astype(str),
            "source": scored["source"].astype(object).where(scored["source"].isin(SOURCES), _UNKNOWN_SOURCE),
            "name": scored["vertebra"].astype(str),
            "dsc": scored["dsc"].astype(float),
            "hd95_mm": official_hd95_mm(scored),
        }
    )
    return _weighted(rows)[(scored["status"] != "spurious").to_numpy(bool)]


def _weighted(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(weight=1 / rows.groupby("name")["name"].transform("size"))


def _means(means: Means, rows: pd.DataFrame) -> dict[str, Any]:
    """The means of some rows if they may be told; their n always, as how many masks there are is for the caller."""
    told = not means.n_reference or tells_no_case(rows, *_BOTH)
    return {
        "n_reference": means.n_reference,
        "dsc": rounded(means.dsc, _DSC.digits) if told else None,
        "hd95_mm": rounded(means.hd95_mm, _HD95.digits) if told else None,
    }


def _total(means: Means, rows: pd.DataFrame, masks: pd.DataFrame) -> dict[str, Any]:
    """The means of all vertebrae or all spines; HD95 of matched with them, which published numbers are compared with.

    Args:
        means: The means.
        rows: Of the references.
        masks: The same in the case table, spurious ones too.
    """
    hd95_mm = masks["hd95_mm"].astype(float)
    names = {"case_id": masks["case_id"].astype(str), "name": masks["vertebra"].astype(str)}
    matched = _weighted(pd.DataFrame({**names, "hd95_matched_mm": hd95_mm})[hd95_mm.notna()])
    # Where it departs from the official one.
    departing = (masks["status"] == "spurious", (masks["status"] == "missed") | (hd95_mm > HD95_CAP_MM))
    in_few = any(few(masks.loc[where.to_numpy(bool), "case_id"].nunique()) for where in departing)
    is_told = not in_few and tells_no_case(matched, _HD95_MATCHED)
    matched_mm = rounded(means.hd95_matched_mm, _HD95_MATCHED.digits) if is_told else None
    return {**_means(means, rows), "hd95_matched_mm": matched_mm}


def _labels(summary: Summary, vertebrae: pd.DataFrame, table: pd.DataFrame) -> dict[str, Any]:
    official = summary.official
    cells = {name: vertebrae[vertebrae["name"] == name] for name in VERTEBRAE}
    unsafe = {name for name, rows in cells.items() if len(rows) and not tells_no_case(rows, *_BOTH)}
    hidden = hidden_cells(cells, unsafe, lambda rows: tells_no_case(rows, *_BOTH))
    labels = {name: _means(official.labels[name], cells[name]) for name in VERTEBRAE}
    for name in hidden:
        labels[name] = {**_HIDDEN, "n_reference": count(len(cells[name]), len(cells[name]), hidden=True)}
    of_vertebrae = _total(official.mean_of_vertebrae, vertebrae, table[table["row"] == "vertebra"])
    without_l6 = _means(official.mean_of_vertebrae_without_l6, vertebrae[vertebrae["name"] != "L6"])
    return {
        "labels": labels,
        "mean_of_vertebrae": of_vertebrae,
        "mean_of_vertebrae_without_l6": dict(_HIDDEN) if "L6" in hidden else without_l6,
    }


def _sources(summary: Summary, table: pd.DataFrame, spine: pd.DataFrame) -> dict[str, dict[str, Any]]:
    cases = table[table["row"] == "case"]
    known = [name for name in summary.sources if name in SOURCES]  # not the name of some folder of the organizers
    names = [*known, _UNKNOWN_SOURCE]
    of_spine = {name: spine[spine["source"] == name] for name in names}
    sizes = {name: int((cases["source"] == name).sum()) for name in known}
    sizes[_UNKNOWN_SOURCE] = len(cases) - sum(sizes.values())
    unsafe = {name for name in names if sizes[name] and not tells_no_case(of_spine[name], *_BOTH)}
    hidden = hidden_cells(of_spine, unsafe, lambda rows: tells_no_case(rows, *_BOTH))
    return {
        name: {
            "n_cases": count(sizes[name], sizes[name], hidden=name in hidden),
            "mean_of_spine": dict(_HIDDEN)
            if name in hidden
            else _means(summary.sources[name].mean_of_spine, of_spine[name]),
        }
        for name in known
    }


def _failures(score: SubmissionScore, own_cases: Collection[str]) -> dict[str, Any]:
    known = {*(score.test_set.cases or ()), *own_cases}
    named = [result for result in score.failures if result.case_id in known]
    return {
        "failures": [
            {
                "case_id": result.case_id,
                "code": result.failure.code,
                "side": result.failure.side,
                "message": f"{result.failure.code}: {CODES[result.failure.code]}",
            }
            for result in named
            if result.failure
        ],
        "n_other_failures": len(score.failures) - len(named),
    }
