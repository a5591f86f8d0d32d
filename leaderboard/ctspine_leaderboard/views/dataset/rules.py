"""How results are counted: what the metrics are, what a missing or an extra vertebra costs, and how sure it all is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pandas as pd

from ctspine_bench.aggregate import HD95_CAP_MM
from ctspine_bench.report.variants import FORGIVEN
from ctspine_leaderboard.tables import Cell, Column, Row, table

if TYPE_CHECKING:
    from markupsafe import Markup

_CAP: Final = f"{HD95_CAP_MM:g} mm"

METRICS: Final = (
    ("DSC", "Twice the overlap of reference and prediction over the sum of their volumes, for each vertebra.", "↑"),
    (
        "HD95",
        "95 % of the surface, by area, lie nearer than this to the other, in the worse of the two directions; mm.",
        "↓",
    ),
    ("HD100", "The largest distance from one surface to the other: the single worst spot; mm.", "↓"),
    ("NSD 1, 2, 3 mm", "The share of both surfaces that lies within 1, 2 or 3 mm of the other.", "↑"),
    ("ASSD", "The mean distance from one surface to the other, over both; mm.", "↓"),
    (
        "Mean of Vertebrae",
        (
            "The plain mean of the means of C1 to L6, each over the cases that have that vertebra in the reference or "
            "in the prediction."
        ),
        "–",
    ),
    ("Per-case mean", "The mean over cases of the mean over a case's vertebrae.", "–"),
    ("Mean of Spine", "The mean over cases with all labels taken as one mask, whatever the names.", "–"),
    (
        "Identification rate",
        "The share of reference vertebrae whose predicted centre is less than 20 mm away and nearer than all others.",
        "↑",
    ),
    (
        "Identification rate of VerSe",
        (
            "As VerSe's released code counts it: of the labels in both, the share of predicted centres to which no "
            "other reference centre is nearer, within 20 mm; over all vertebrae, where ours is a mean over cases."
        ),
        "↑",
    ),
    (
        "Levels right",
        "The share of cases whose levels are all there, none spurious, and each found where it belongs.",
        "↑",
    ),
    ("Localisation", "The mean distance between the centres of vertebrae that both have; mm.", "↓"),
    (
        "Label shift",
        (
            "By how many levels most of the names of a case are off: +1 is one level too low. 0 can hide wrong names "
            "in part of a spine."
        ),
        "0",
    ),
    (
        "Lost DSC",
        (
            "1 − DSC, split into what is lost to wrong names, to missed vertebrae (also those found to a DSC below 0.1 "
            "only), to outlines, and to spurious vertebrae; the parts add up."
        ),
        "↓",
    ),
)
"""Name, what it is, and the direction of better."""

POLICIES: Final = (
    ("In reference and prediction", "as measured", f"as measured, at most {_CAP}", "matched"),
    ("In the reference alone", "0", _CAP, "missed"),
    ("In the prediction alone", "0", _CAP, "spurious"),
    ("In neither", "–", "–", "nothing"),
    ("In predictions alone, and in no reference of the set", "0", _CAP, "a row, marked †"),
    ("Prediction missing or refused", "0 for every vertebra", f"{_CAP} for every vertebra", "failed, and listed"),
    ("Reference cannot be read", "–", "–", "no result of the test set: the organizers' error"),
)
"""Situation, DSC and NSD, HD95, and what it counts as."""

WHY: Final = (
    "Each label is averaged over the cases that have it in the reference or in the prediction, so that its n can "
    "differ between submissions. Leaving missed vertebrae out would reward not predicting what is difficult; leaving "
    "spurious ones out would make guessing free. "
    f"{_CAP} depend on nothing, not even on the size of the image, and are the cap as well: no vertebra is better left "
    "out. The paper's DSC follows the same rule; its HD95 is over matched vertebrae. docs/CORRECTNESS.md argues every "
    "rule and names the test that pins it."
)

VARIANT_ROWS: Final = (
    ("HD95 of matched", "HD95 over the vertebrae in both, without a cap: what the paper prints."),
    ("Border forgiven", f"For references like those of VerSe. {FORGIVEN}"),
    ("Complete", "Only vertebrae inside the field of view, without slivers."),
    ("Cut", "Only vertebrae that the field of view cuts, without slivers."),
    ("Without L6", "Mean of Vertebrae over the other 24 labels: L6 is in few cases and weighs as much as any."),
)
"""Variants of the official table, on the page of each submission: name, what it is."""

INTERVALS: Final = (
    "Intervals are of 95 %, and come from leaving one case out at a time (jackknife), with Student's t for as many "
    "degrees of freedom as cases carry the score. Ranks, how often a submission is first and Kendall's τ come from "
    "draws with the same covariance, so that they agree with the intervals. How often intervals cover the truth was "
    "simulated on the real spread of levels; where it is not 93 to 97 %, the measured share is printed beside them, "
    "and under ten cases there are none."
)
"""How sure results are, in three sentences."""


def metrics_table() -> Markup:
    """Return the definitions as a table."""
    columns = (
        Column("Metric", align="left"),
        Column("What it is", align="left", wide=True),
        Column("Better", "", "centre"),
    )
    return table(columns, [Row(tuple(map(Cell, row))) for row in METRICS], "What is measured")


def metrics_data() -> pd.DataFrame:
    """Return the definitions, one row each."""
    return pd.DataFrame(METRICS, columns=["metric", "definition", "better"])


def variants_table() -> Markup:
    """Return the variants of the official table."""
    columns = (Column("Variant", align="left"), Column("What it is", align="left", wide=True))
    return table(columns, [Row(tuple(map(Cell, row))) for row in VARIANT_ROWS], "Variants of the official table")


def variants_data() -> pd.DataFrame:
    """Return the variants, one row each."""
    return pd.DataFrame(VARIANT_ROWS, columns=["variant", "definition"])


def policies_table() -> Markup:
    """Return the official rule for missing and extra vertebrae as a table."""
    columns = (
        Column("A vertebra is", align="left", wide=True),
        Column("DSC, NSD", align="left"),
        Column("HD95", align="left"),
        Column("Counts as", align="left", wide=True),
    )
    return table(columns, [Row(tuple(map(Cell, row))) for row in POLICIES], "Missing and extra vertebrae")


def policies_data() -> pd.DataFrame:
    """Return the rules, one row each."""
    return pd.DataFrame(POLICIES, columns=["situation", "dsc_and_nsd", "hd95", "counts_as"])
