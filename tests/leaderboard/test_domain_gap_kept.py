"""What is kept in memory."""

from __future__ import annotations

from ctspine_leaderboard.views.kept import Kept


def test_a_value_is_made_once_for_each_key() -> None:
    """Asked for again, it is the same; another key has another value, and nothing is a value as well."""
    kept: Kept[list[int] | None] = Kept(3)
    made: list[str] = []

    def make(name: str, value: list[int] | None) -> list[int] | None:
        made.append(name)
        return value

    first = kept.get("a", lambda: make("a", [1]))
    assert kept.get("a", lambda: make("a", [2])) is first
    assert kept.get(("a", "b"), lambda: make("ab", None)) is None
    assert kept.get(("a", "b"), lambda: make("ab", [3])) is None
    assert made == ["a", "ab"]


def test_what_was_not_asked_for_the_longest_is_forgotten() -> None:
    """Of three keys two are kept: the one that was asked for in between stays."""
    kept: Kept[int] = Kept(2)
    kept.get("a", lambda: 1)
    kept.get("b", lambda: 2)
    kept.get("a", lambda: 10)
    kept.get("c", lambda: 3)
    assert kept.get("a", lambda: 100) == 1
    assert kept.get("b", lambda: 20) == 20
