"""How results are counted: what the metrics are, and what a missing or an extra vertebra costs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pandas as pd

from ctspine_bench.aggregate import HD95_CAP_MM
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
    ("Mean of Vertebrae", "The plain mean of the means of C1 to L6, each over the cases that have that vertebra.", "–"),
    ("Mean of Spine", "The mean over cases with all labels taken as one mask, whatever the names.", "–"),
    (
        "Identification rate",
        "The share of reference vertebrae whose predicted centre is less than 20 mm away and nearer than all others.",
        "↑",
    ),
    ("Localisation", "The mean distance between the centres of vertebrae that both have; mm.", "↓"),
    ("Label shift", "By how many levels most of the names of a case are off: +1 is one level too low.", "0"),
    (
        "Lost DSC",
        "1 − DSC, split into what is lost to wrong names, to missed vertebrae and to outlines; the parts add up.",
        "↓",
    ),
)
"""Name, what it is, and the direction of better."""

POLICIES: Final = (
    ("In reference and prediction", "as measured", f"as measured, at most {_CAP}", "matched"),
    ("In the reference alone", "0", _CAP, "missed"),
    ("In the prediction alone", "in no mean", "in no mean", "spurious: counted, with its volume"),
    ("In neither", "–", "–", "nothing"),
    ("Prediction missing or refused", "0 for every vertebra", f"{_CAP} for every vertebra", "failed, and listed"),
    ("Reference cannot be read", "–", "–", "no result of the test set: the organizers' error"),
)
"""Situation, DSC and NSD, HD95, and what it counts as."""

WHY: Final = (
    "Leaving missed vertebrae out of the means would reward not predicting what is difficult. "
    f"{_CAP} depend on nothing, not even on the size of the image, and are the cap as well: leaving a predicted "
    "vertebra out improves no official number of any vertebra. docs/CORRECTNESS.md argues every rule and names the "
    "test that pins it."
)


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


def policies_table() -> Markup:
    """Return the rules for missing and extra vertebrae as a table."""
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
