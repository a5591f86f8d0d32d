"""Standings ⇄ JSON, in the cache and in standings.json."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from ctspine_bench.rankings.removal import Removal
from ctspine_bench.rankings.standings import Stability, Standing, Standings

if TYPE_CHECKING:
    from collections.abc import Mapping


def to_document(standings: Standings) -> dict[str, Any]:
    """Return standings as JSON has them; shares of draws with the four digits that 10,000 draws give."""
    document = asdict(standings)
    for row in document["rows"]:
        row["frequencies"] = [round(share, 4) for share in row["frequencies"]]
    return document


def from_document(document: Mapping[str, Any]) -> Standings:
    """Return the standings of a document.

    Raises:
        KeyError, TypeError, ValueError: It is not of the expected shape.
    """
    stability = document["stability"]
    removal = stability["removal"]
    return Standings(
        scheme=_text(document["scheme"]),
        metric=_text(document["metric"]),
        region=_text(document["region"]),
        n_cases=_integer(document["n_cases"]),
        draws=_integer(document["draws"]),
        seed=_integer(document["seed"]),
        coverage=_number_or_none(document["coverage"]),
        rows=tuple(_row(row) for row in document["rows"]),
        stability=Stability(
            kendall_tau=_triple(stability["kendall_tau"]),
            leave_one_out_leaders={
                _text(slug): _integer(n) for slug, n in dict(stability["leave_one_out_leaders"]).items()
            },
            removal=None
            if removal is None
            else Removal(
                n=None if removal["n"] is None else _integer(removal["n"]),
                exact=_flag(removal["exact"]),
                case_ids=tuple(_text(case_id) for case_id in removal["case_ids"]),
                new_leader=None if removal["new_leader"] is None else _text(removal["new_leader"]),
            ),
        ),
    )


def _row(row: Mapping[str, Any]) -> Standing:
    return Standing(
        slug=_text(row["slug"]),
        rank=_integer(row["rank"]),
        low=None if row["low"] is None else _integer(row["low"]),
        high=None if row["high"] is None else _integer(row["high"]),
        score=_number(row["score"]),
        score_low=_number_or_none(row["score_low"]),
        score_high=_number_or_none(row["score_high"]),
        p_first=_number_or_none(row["p_first"]),
        frequencies=tuple(_number(share) for share in row["frequencies"]),
        per_case=_number_or_none(row["per_case"]),
        per_case_rank=None if row["per_case_rank"] is None else _integer(row["per_case_rank"]),
    )


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"expected a text, found {value!r}")
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError(f"expected true or false, found {value!r}")
    return value


def _integer(value: Any) -> int:
    if type(value) is not int:
        raise TypeError(f"expected a whole number, found {value!r}")
    return value


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"expected a number, found {value!r}")
    return float(value)


def _number_or_none(value: Any) -> float | None:
    return None if value is None else _number(value)


def _triple(value: Any) -> tuple[float, float, float] | None:
    if value is None:
        return None
    median, low, high = value
    return _number(median), _number(low), _number(high)
