"""The quota ledger: who had what scored when, whatever they call themselves and whatever was killed meanwhile."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ctspine_bench.errors import FileError, SubmissionError
from ctspine_bench.hosting.ledger import Entry, Ledger, Quota, read_quota

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "ledger.jsonl", Quota(period_days=30, scored=2, failed=3))


def entry(predictions: str, team: str = "A Team", *accounts: str, days: float = 0) -> Entry:
    return Entry(NOW + timedelta(days=days), team, accounts, "a-method", predictions, "started")


def run(ledger: Ledger, begun: Entry, outcome: str = "scored") -> None:
    """A scoring from its beginning to its end."""
    ledger.start(begun)
    ledger.append(replace(begun, outcome=outcome))


def test_a_team_gets_as_many_results_as_the_quota_says(ledger: Ledger) -> None:
    """The third result within thirty days is refused with what was used and when the next is free; later it is not."""
    run(ledger, entry("1", days=-20))
    run(ledger, entry("2", days=-10))
    with pytest.raises(SubmissionError, match=r"E_QUOTA.*found 2 with a result and 0 without.*2026-06-11 at 12:00 UTC"):
        ledger.start(entry("3"))
    ledger.start(entry("3", days=10.01))


def test_failures_are_cheaper(ledger: Ledger) -> None:
    """Scorings without a result have a limit of their own."""
    for number in range(3):
        run(ledger, entry(str(number)), "failed")
    with pytest.raises(SubmissionError, match=r"E_QUOTA.*found 0 with a result and 3 without"):
        ledger.start(entry("next"))


def test_repeated_predictions_cost_nothing(ledger: Ledger) -> None:
    """What was answered from the store does not count, nor does scoring the same predictions with another scorer."""
    run(ledger, entry("1"))
    ledger.append(replace(entry("1"), outcome="repeated"))
    ledger.start(entry("1"))
    usage = ledger.usage("A Team", (), NOW)
    assert (len(usage.scored), len(usage.failed)) == (1, 0)


def test_a_killed_scoring_is_resumed_or_counts_as_failed(ledger: Ledger) -> None:
    """Without an end it is open: the same predictions go on with it, others find it among the failures."""
    ledger.start(entry("killed"))
    ledger.start(entry("killed"))
    assert ledger.is_open(entry("killed"))
    assert len(ledger.entries()) == 1
    assert len(ledger.usage("A Team", (), NOW).failed) == 1
    ledger.append(replace(entry("killed"), outcome="scored"))
    usage = ledger.usage("A Team", (), NOW)
    assert (len(usage.scored), len(usage.failed)) == (1, 0)


@pytest.mark.parametrize(
    "name", ["a team", "A  TEAM ", "Ａ Team", "A\u200bTeam", "A\u00a0Team", "a\u2060 t\u00adeam", "A-Team!"]
)
def test_a_name_that_only_looks_different_is_the_same(ledger: Ledger, name: str) -> None:
    """Case, width, blanks, punctuation and invisible characters make no new team."""
    run(ledger, entry("1"))
    run(ledger, entry("2"))
    with pytest.raises(SubmissionError, match="E_QUOTA"):
        ledger.start(entry("3", name))


def test_a_shared_account_makes_one_team(ledger: Ledger) -> None:
    """What an account was charged for counts under any name, and the refusal tells of nobody."""
    run(ledger, entry("1", "First", "Alice"))
    run(ledger, entry("2", "Second", "alice", "bob"))
    with pytest.raises(SubmissionError, match="E_QUOTA") as caught:
        ledger.start(entry("3", "Third", "ALICE"))
    assert not any(name in str(caught.value).casefold() for name in ("first", "second", "third", "alice", "bob"))
    ledger.start(entry("3", "Fourth", "carol"))


def test_sharing_goes_no_further(ledger: Ledger) -> None:
    """Whoever shares an account with somebody who shares one with others is not those others."""
    run(ledger, entry("1", "First", "alice"))
    run(ledger, entry("2", "Second", "alice", "bob"))
    assert [len(ledger.usage(*of, NOW).scored) for of in (("First", ["alice"]), ("New", ["bob"]))] == [2, 1]


def test_known_scores_are_free_to_those_who_had_them(ledger: Ledger) -> None:
    """Known scores cost nothing who had them before, even as a failure; everybody else pays for them."""
    run(ledger, entry("1", "A", "alice"), "failed")
    ledger.start(entry("1", "A", "alice"), answered=True)
    assert len(ledger.entries()) == 2
    ledger.start(entry("1", "B", "bob"), answered=True)
    assert [each.team for each in ledger.entries()] == ["A", "A", "B"]


def test_who_came_first_with_some_predictions(ledger: Ledger) -> None:
    """Of one submission, those before it are told, once and in order; those that came after it are not."""
    for slug in ("first", "second", "first", "third", "second"):
        ledger.append(replace(entry("1"), slug=slug, outcome="scored"))
    ledger.append(replace(entry("2"), slug="other", outcome="scored"))
    found = {slug: ledger.scored_earlier("1", slug) for slug in ("first", "second", "third", "new")}
    assert found == {
        "first": (), "second": ("first",), "third": ("first", "second"), "new": ("first", "second", "third"),
    }  # fmt: skip


def test_torn_and_foreign_lines_are_no_entries(ledger: Ledger) -> None:
    """What a kill leaves, and what is no entry, does not hide the others."""
    run(ledger, entry("1"))
    with ledger.path.open("ab") as file:
        file.write(b'\n{"when": "2026-06-01T12:00:00+00:00", "team": "A Te')
    run(ledger, entry("2"))
    with ledger.path.open("ab") as file:
        file.write(b'\n[]\nnull\n\xff\xfe\n{"when": "2026-06-01", "team": 1}\n{"when": "2026-06-01T12:00:00"}\n')
    assert [e.outcome for e in ledger.entries()] == ["started", "scored"] * 2
    with pytest.raises(SubmissionError, match="E_QUOTA"):
        ledger.start(entry("3"))


def test_an_end_whose_beginning_is_torn_still_counts(ledger: Ledger) -> None:
    """A result without a readable beginning is one all the same."""
    ledger.append(replace(entry("1"), outcome="scored"))
    assert len(ledger.usage("A Team", (), NOW).scored) == 1


def test_the_clock_cannot_be_turned_back(ledger: Ledger) -> None:
    """Entries of a later date than now count."""
    run(ledger, entry("1", days=3))
    run(ledger, entry("2", days=3))
    with pytest.raises(SubmissionError, match="E_QUOTA"):
        ledger.start(entry("3"))


def test_the_ledger_is_for_the_organizers_alone(ledger: Ledger) -> None:
    """Nobody else may read it."""
    run(ledger, entry("1"))
    assert ledger.path.stat().st_mode & 0o077 == 0


def test_teams_are_listed_once(ledger: Ledger) -> None:
    """However their names were spelt: the latest entry of each, newest first."""
    run(ledger, entry("1", "First", "alice"))
    run(ledger, entry("2", "Other"))
    run(ledger, entry("3", "FIRST", "bob"))
    assert [(name, each.accounts) for name, each in ledger.teams().items()] == [("first", ("bob",)), ("other", ())]


@settings(max_examples=25)
@given(st.lists(st.tuples(st.integers(-60, 0), st.sampled_from(["scored", "failed"])), max_size=8))
def test_usage_is_what_lies_in_the_period(
    tmp_path_factory: pytest.TempPathFactory, events: list[tuple[int, str]]
) -> None:
    """Charges older than the period are forgotten, all others are counted by how they ended."""
    ledger = Ledger(tmp_path_factory.mktemp("ledger") / "ledger.jsonl", Quota(scored=100, failed=100))
    for number, (days, outcome) in enumerate(events):
        run(ledger, entry(str(number), days=days), outcome)
    usage = ledger.usage("A Team", (), NOW)
    recent = [outcome for days, outcome in events if days > -30]
    assert (len(usage.scored), len(usage.failed)) == (recent.count("scored"), recent.count("failed"))
    assert not usage.exhausted


def test_quota_file(tmp_path: Path) -> None:
    """Limits are read from quota.toml; what is not there keeps its default."""
    path = tmp_path / "quota.toml"
    assert read_quota(path) == Quota(30, 5, 20)
    path.write_text("scored = 1\n")
    assert read_quota(path) == Quota(30, 1, 20)


@pytest.mark.parametrize(
    "content",
    [
        "scored = true",
        "scored = -1",
        "scored = 1.5",
        "period_days = 0",
        "score = 1",
        "scored = ",
        "scored = 10000000000000",
        b"\xff",
    ],
)
def test_broken_quota_file(tmp_path: Path, content: str | bytes) -> None:
    """Anything else is refused: a typo must not open the store to all."""
    path = tmp_path / "quota.toml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(FileError, match=r"E_FIELD: quota\.toml"):
        read_quota(path)


def test_nothing_at_all_is_free_with_a_quota_of_zero(ledger: Ledger) -> None:
    """Organizers can close private scoring."""
    closed = Ledger(ledger.path, Quota(scored=0))
    with pytest.raises(SubmissionError, match="when the organizers say so"):
        closed.start(entry("1"))
