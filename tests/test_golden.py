"""The numbers of small volumes stay what they were, or the version of the engine is raised."""

from __future__ import annotations

import json

import pytest
from golden import make

from ctspine_bench.provenance import ENGINE_VERSION


def test_numbers_change_with_the_version_alone() -> None:
    """Every metric, policy, aggregate, interval and standing is that of the file, unless the version was raised."""
    known = json.loads(make.PATH.read_text("utf-8"))
    places = make.changed(known["numbers"], make.numbers())
    if places and known["engine_version"] == ENGINE_VERSION:
        pytest.fail(
            f"numbers changed ({len(places)} places, such as {', '.join(places[:3])}): raise the version "
            "(provenance.ENGINE_VERSION), write the changelog, then run `python tests/golden/make.py`"
        )
    assert known["engine_version"] == ENGINE_VERSION, "run `python tests/golden/make.py` for the new version"
    assert not places


def test_a_change_is_found() -> None:
    """A number that differs, a key that is new and a list that is longer are each a place; rounding is none."""
    one = {"a": [1.0, {"b": 0.5}], "c": None}
    assert make.changed(one, {"a": [1.0 + 1e-12, {"b": 0.5}], "c": None}) == []
    assert make.changed(one, {"a": [1.0, {"b": 0.50001}], "c": None}) == ["/a/1/b"]
    assert make.changed(one, {"a": [1.0, {"b": 0.5, "d": 1}], "c": 0}) == ["/a/1", "/a/1/d", "/c"]


def test_every_kind_of_event_is_in_it() -> None:
    """Matched, missed and spurious vertebrae, four causes of loss, cut ones, all strata with something in them."""
    found = json.loads(make.PATH.read_text("utf-8"))["numbers"]
    statuses = {v["status"] for cases in found["vertebrae"].values() for c in cases for v in c["vertebrae"]}
    assert statuses == {"matched", "missed", "spurious"}
    far = found["aggregates"]["far"]
    assert all(value > 0 for value in far["loss"].values())
    assert all(far["counts"][name] > 0 for name in ("matched", "missed", "spurious", "spurious_at_border"))
    assert far["per_case"]["dsc"]["low"] is not None
    assert far["without_reference"]
    assert far["mean_of_vertebrae"]["hd95_pooled_matched_mm"] is not None
    assert found["gap_intervals"]["far"] is not None
