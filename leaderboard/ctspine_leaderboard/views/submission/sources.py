"""A submission by data source: on all labels of each, and two at a time on the labels that they share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from ctspine_bench.anatomy import vertebra_label
from ctspine_bench.report.events import level_ranges
from ctspine_leaderboard.tables import Cell, Column, Row, table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Final

    from markupsafe import Markup

    from ctspine_bench.board import Entry

    Results = Mapping[str, Any]

REVERSED: Final = (
    "Mean of Vertebrae of a source is over the labels that it has. Means over different labels can reverse an order: "
    "compare sources on the labels that they share."
)
OF_PRIVATE: Final = "Of the sources of a private test set, numbers of cases and Mean of Spine are told."


def source_table(entry: Entry, test_set: str) -> Markup | None:
    """Return the means of each source; `None` with fewer than two."""
    sources: Results = entry.on(test_set).get("sources", {})
    if len(sources) < 2:
        return None
    columns = [
        Column("Source", align="left"),
        Column("Cases"),
        Column("Labels"),
        *(Column(metric, f"Mean of {what}{unit}") for what in ("Vertebrae", "Spine") for metric, unit in _METRICS),
    ]
    rows = [
        Row((Cell(name), Cell(_count(part["n_cases"])), Cell(_count(part["mean_of_vertebrae"]["n"])), *_means(part)))
        for name, part in sources.items()
    ]
    return table(columns, rows, f"{entry.name} by source")


def shared_table(entry: Entry, test_set: str) -> Markup | None:
    """Return every two sources on the labels that the references of both have; `None` where none share any."""
    pairs = entry.on(test_set).get("shared_labels", [])
    if not pairs:
        return None
    columns = [
        *(Column("Source", align="left"), Column("DSC"), Column("HD95", "mm")) * 2,
        Column("Shared labels", align="left", wide=True),
    ]
    rows = [
        Row(
            (
                *(
                    cell
                    for name, dsc, hd95_mm in zip(pair["sources"], pair["dsc"], pair["hd95_mm"], strict=True)
                    for cell in (Cell(name), Cell(_number(dsc, 3)), Cell(_number(hd95_mm, 2)))
                ),
                Cell(level_ranges(map(vertebra_label, pair["labels"]))),
            )
        )
        for pair in pairs
    ]
    return table(columns, rows, f"{entry.name} on two sources at a time, on the labels that they share")


def source_data(entry: Entry, test_set: str) -> pd.DataFrame:
    """Return all numbers: of every source on all its labels, and of every two on those that they share."""
    results: Results = entry.on(test_set)
    rows = [
        {
            "source": name,
            "beside": None,
            "labels": part["mean_of_vertebrae"]["n"],
            "dsc": part["mean_of_vertebrae"]["dsc"],
            "hd95_mm": part["mean_of_vertebrae"]["hd95_mm"],
            "spine_dsc": part["mean_of_spine"]["dsc"],
            "spine_hd95_mm": part["mean_of_spine"]["hd95_mm"],
        }
        for name, part in results.get("sources", {}).items()
    ]
    for pair in results.get("shared_labels", []):
        shared = level_ranges(map(vertebra_label, pair["labels"]))
        for place, name in enumerate(pair["sources"]):
            means = {key: pair[key][place] for key in ("dsc", "hd95_mm")}
            rows.append({"source": name, "beside": pair["sources"][1 - place], "labels": shared, **means})
    columns = ["source", "beside", "labels", "dsc", "hd95_mm", "spine_dsc", "spine_hd95_mm"]
    return pd.DataFrame(rows, columns=columns)


_METRICS: Final = (("DSC", ""), ("HD95", ", mm"))


def _means(part: Results) -> tuple[Cell, ...]:
    return tuple(
        Cell(_number(part[mean][name], digits))
        for mean in ("mean_of_vertebrae", "mean_of_spine")
        for name, digits in (("dsc", 3), ("hd95_mm", 2))
    )


def _count(n: int | float | str | None) -> str:
    return "–" if n is None else str(n)


def _number(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:.{digits}f}"
