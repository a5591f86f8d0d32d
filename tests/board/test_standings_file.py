"""Standings ⇄ JSON."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ctspine_bench.board.standings_file import from_document, to_document
from ctspine_bench.rankings.removal import Removal
from ctspine_bench.rankings.standings import Stability, Standing, Standings

ROW = Standing("one", 1, 1, 2, 0.9, 0.85, 0.95, 0.75, (0.75, 0.25))
OTHER = Standing("other", 2, 1, 2, 0.8, None, None, None, ())
STABILITY = Stability((0.5, -1.0, 1.0), {"one": 11, "other": 1}, Removal(2, exact=False, case_ids=("a", "b")))
FOUND = Standings("mean-then-rank", "dsc", "all", 12, 10_000, 7, 0.81, (ROW, OTHER), STABILITY)

NUMBERS = st.floats(-1e6, 1e6)
STANDING = st.builds(
    Standing,
    slug=st.text(),
    rank=st.integers(1, 99),
    low=st.none() | st.integers(1, 99),
    high=st.none() | st.integers(1, 99),
    score=NUMBERS,
    score_low=st.none() | NUMBERS,
    score_high=st.none() | NUMBERS,
    p_first=st.none() | st.floats(0, 1),
    frequencies=st.lists(st.integers(0, 10_000).map(lambda draws: draws / 10_000), max_size=3).map(tuple),
)
REMOVAL = st.builds(
    Removal,
    n=st.none() | st.integers(0, 99),
    exact=st.booleans(),
    case_ids=st.lists(st.text(), max_size=2).map(tuple),
    new_leader=st.none() | st.text(),
)
STANDINGS = st.builds(
    Standings,
    scheme=st.text(),
    metric=st.text(),
    region=st.text(),
    n_cases=st.integers(0, 999),
    draws=st.integers(0, 10_000),
    seed=st.integers(),
    coverage=st.none() | st.floats(0, 1),
    rows=st.lists(STANDING, max_size=3).map(tuple),
    stability=st.builds(
        Stability,
        kendall_tau=st.none() | st.tuples(NUMBERS, NUMBERS, NUMBERS),
        leave_one_out_leaders=st.dictionaries(st.text(), st.integers(0, 99), max_size=2),
        removal=st.none() | REMOVAL,
    ),
)


@settings(max_examples=100, deadline=None)
@given(STANDINGS)
def test_there_and_back(found: Standings) -> None:
    """What goes into JSON comes out as it was, texts in any script included."""
    assert from_document(json.loads(json.dumps(to_document(found)))) == found


def test_shares_of_draws_have_four_digits() -> None:
    """10,000 draws give no more, and three that tie share a rank by thirds."""
    third = replace(ROW, frequencies=(1 / 3, 2 / 3))
    found = from_document(to_document(replace(FOUND, rows=(third,))))
    assert found.rows[0].frequencies == (0.3333, 0.6667)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("scheme",), 1),
        (("n_cases",), 12.0),
        (("n_cases",), True),
        (("coverage",), "0.8"),
        (("rows",), None),
        (("rows",), [1]),
        (("rows", 0, "slug"), None),
        (("rows", 0, "rank"), "1"),
        (("rows", 0, "score"), None),
        (("rows", 0, "score"), True),
        (("rows", 0, "frequencies"), 0.5),
        (("rows", 0, "frequencies"), ["0.5"]),
        (("stability",), []),
        (("stability", "kendall_tau"), [1.0, 2.0]),
        (("stability", "kendall_tau"), 0.5),
        (("stability", "leave_one_out_leaders"), {"one": "11"}),
        (("stability", "leave_one_out_leaders"), 5),
        (("stability", "removal"), 0),
        (("stability", "removal"), {}),
        (("stability", "removal", "exact"), "no"),
        (("stability", "removal", "n"), 1.5),
        (("stability", "removal", "case_ids"), [1]),
    ],
)
def test_another_shape_is_an_error(place: tuple[Any, ...], value: object) -> None:
    """A value of the wrong kind is not taken for the right one."""
    document: Any = json.loads(json.dumps(to_document(FOUND)))
    part = document
    for key in place[:-1]:
        part = part[key]
    part[place[-1]] = value
    with pytest.raises((KeyError, TypeError, ValueError)):
        from_document(document)


@pytest.mark.parametrize("name", [*to_document(FOUND)])
def test_nothing_may_be_missing(name: str) -> None:
    """Every key is looked for."""
    document = to_document(FOUND)
    del document[name]
    with pytest.raises(KeyError):
        from_document(document)
