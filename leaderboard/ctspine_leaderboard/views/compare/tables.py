"""The tables of a comparison."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ctspine_bench.charts.text import direction, signed
from ctspine_leaderboard.facts import facts
from ctspine_leaderboard.tables import Cell, Column, Row, table
from ctspine_leaderboard.views.choices import cut
from ctspine_leaderboard.views.compare.words import p_value, with_interval
from ctspine_leaderboard.views.links import address

if TYPE_CHECKING:
    from markupsafe import Markup

    from ctspine_leaderboard.views.compare.cases import DecidingCase
    from ctspine_leaderboard.views.compare.comparison import Comparison


def summary(found: Comparison) -> Markup | None:
    """Return the numbers behind the verdict; `None` without cases."""
    cases = found.cases
    if cases is None:
        return None
    difference, test = cases.difference, cases.test
    first, second = found.names
    return facts(
        [
            ("All differences", f"{first} less {second}; {direction(larger_is_better=cases.larger_is_better)}"),
            (
                "Mean of Vertebrae, 95 % interval",
                with_interval(found, difference.value, difference.low, difference.high),
            ),
            (
                "Typical difference of a case (Hodges–Lehmann), 95 % interval",
                with_interval(found, test.effect, test.low, test.high),
            ),
            ("Wilcoxon signed-rank test (Pratt)", p_value(test.p)),
            (f"Corrected for {_pairs(cases.n_pairs)} (Holm)", p_value(test.p_holm)),
            ("Cases", f"{cases.wins} better, {cases.ties} equal, {cases.losses} worse"),
        ],
        f"{first} and {second} in numbers",
    )


def label_table(found: Comparison) -> Markup:
    """Return the means of both for every label, and their difference with its interval."""
    columns = [
        Column("Vertebra", align="left"),
        Column("n", "cases"),
        Column("Difference", _unit(found)),
        Column("95 % interval", _unit(found)),
        *(Column(cut(name), _unit(found), hint=name) for name in found.names),
    ]
    rows = [
        Row(
            (
                Cell(row.name),
                Cell("–" if row.n is None else str(row.n)),
                Cell(_signed(row.first - row.second, found)),
                Cell(_ends(row.low, row.high, found)),
                Cell(f"{row.first:.{found.metric.digits}f}"),
                Cell(f"{row.second:.{found.metric.digits}f}"),
            )
        )
        for row in found.labels
    ]
    return table(columns, rows, f"{found.names[0]} and {found.names[1]} by label")


def deciding_table(found: Comparison) -> Markup | None:
    """Return the cases in which one is better by most; `None` without cases."""
    if found.cases is None:
        return None
    first, second = found.cases.deciding()
    columns = [
        Column("Case", "source", "left", wide=True),
        Column("Difference", _unit(found)),
        *(Column(cut(name), _unit(found), hint=name) for name in found.names),
    ]
    rows = [
        row
        for name, cases in zip(found.names, (first, second), strict=True)
        if cases
        for row in (Row(heading=f"{cut(name)} better"), *(_case(found, case) for case in cases))
    ]
    return table(columns, rows, f"The cases in which {found.names[0]} or {found.names[1]} is better by most")


def _case(found: Comparison, case: DecidingCase) -> Row:
    link = address("cases", set=found.test_set.name, case=case.case_id, ids=f"{found.first.slug},{found.second.slug}")
    return Row(
        (
            Cell(case.case_id, case.source, link),
            Cell(_signed(case.difference, found)),
            Cell(f"{case.first:.{found.metric.digits}f}"),
            Cell(f"{case.second:.{found.metric.digits}f}"),
        )
    )


def _signed(value: float, found: Comparison) -> str:
    """Return a difference without its unit, which the heading of the column has."""
    return signed(value, found.metric).removesuffix(found.metric.unit).rstrip()


def _ends(low: float | None, high: float | None, found: Comparison) -> str:
    return "–" if low is None or high is None else f"{_signed(low, found)} to {_signed(high, found)}"


def _unit(found: Comparison) -> str:
    return ", ".join(filter(None, (found.metric.title, found.metric.unit)))


def _pairs(n: int) -> str:
    return "the one pair of the test set" if n == 1 else f"all {n:,} pairs of the test set"
