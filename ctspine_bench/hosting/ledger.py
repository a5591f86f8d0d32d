"""Limits on private scoring: who had what scored when.

Every result on a private test set tells a little about it, so a team gets a few in a period; attempts that end without
one are cheaper. Predictions that it had scored before cost it nothing: their result is known.

A scoring is charged to a name and to accounts, and counts for whoever has that name or one of those accounts. It goes
no further: through others who share an account with them, anybody could use up the scorings of strangers.
"""

from __future__ import annotations

import json
import os
import tomllib
import unicodedata
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from typing import TYPE_CHECKING, Any, Literal, get_args

from ctspine_bench.errors import FileError, SubmissionError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from pathlib import Path

Outcome = Literal["started", "scored", "failed", "repeated"]
"""`started` opens a scoring, `scored` or `failed` ends it; `repeated` was answered from the store."""


@dataclass(frozen=True)
class Quota:
    """How many private scorings a team has.

    Attributes:
        period_days: Within how many days.
        scored: How many that give a result.
        failed: How many that give none.
    """

    period_days: int = 30
    scored: int = 5
    failed: int = 20


@dataclass(frozen=True)
class Entry:
    """One line of the ledger.

    Attributes:
        when: With time zone.
        team: As declared.
        accounts: Who sent the submission; if that is not known, who owns it.
        slug: The submission.
        predictions: Digest of its predictions.
        outcome: What happened.
    """

    when: datetime
    team: str
    accounts: tuple[str, ...]
    slug: str
    predictions: str
    outcome: Outcome


@dataclass
class Charge:
    """A scoring that counts: when it began, and how it ended ("started": it did not)."""

    when: datetime
    predictions: str
    outcome: Outcome


@dataclass(frozen=True)
class Usage:
    """What a team has used up in the period.

    Attributes:
        scored: When its scorings with a result began.
        failed: When those without one began, oldest first.
        exhausted: Whether there is none left.
        next_free: When the next is free; `None` if it is now, or never.
    """

    scored: tuple[datetime, ...]
    failed: tuple[datetime, ...]
    exhausted: bool
    next_free: datetime | None


def read_quota(path: Path) -> Quota:
    """Read the limits from a TOML file with any of `period_days`, `scored`, `failed`; the defaults if there is none.

    Raises:
        FileError: `E_FIELD`: it is not TOML, has other keys, or a value that is no whole number in its range.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Quota()
    except ValueError:  # not UTF-8, not TOML
        raise _quota_error(path, "TOML", "something else") from None
    least = {"period_days": 1, "scored": 0, "failed": 0}
    for key, value in content.items():
        if key not in least:
            raise _quota_error(path, f"the keys {', '.join(least)}", repr(key))
        if type(value) is not int or not least[key] <= value <= 100_000:
            raise _quota_error(path, f"a whole number from {least[key]} on as {key}", repr(value))
    return Quota(**content)


def _quota_error(path: Path, expected: str, found: str) -> FileError:
    return FileError("E_FIELD", path.name, expected=expected, found=found[:100], advice="Mend or remove the file.")


class Ledger:
    """The quota ledger: one JSON line for each event, only ever added to.

    Attributes:
        path: The file.
        quota: The limits.
    """

    def __init__(self, path: Path, quota: Quota) -> None:
        self.path = path
        self.quota = quota

    def entries(self) -> tuple[Entry, ...]:
        """Return the entries in the order in which they were written; a torn line, as a kill leaves it, is none."""
        if not self.path.exists():
            return ()
        found = (_parse(line) for line in self.path.read_bytes().split(b"\n"))
        return tuple(entry for entry in found if entry)

    def append(self, entry: Entry) -> None:
        """Add an entry and bring it to disk.

        Raises:
            FileError: `E_OUTPUT`.
        """
        line = json.dumps({**asdict(entry), "when": entry.when.isoformat()})
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            with open(self.path, "ab", opener=lambda path, _: os.open(path, flags, 0o600)) as file:
                # The newline before it sets the line apart from a torn one.
                file.write(f"\n{line}\n".encode())
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            found = error.strerror or type(error).__name__
            advice = "Look at the file in the private store: without it nobody's quota is known."
            raise FileError(
                "E_OUTPUT", self.path.name, expected="a ledger that can be written to", found=found, advice=advice
            ) from None

    def start(self, entry: Entry, *, answered: bool = False) -> None:
        """Charge a scoring to a team before it begins.

        It costs nothing if it goes on with one that was cut short, or if the team had a result for these predictions
        before: then the references or the scorer have changed, which is not the team's doing.

        Args:
            entry: The scoring.
            answered: Whether the scores are known. Then it costs a team nothing that had them before, even if they
                count as no result; others pay for them as for any.

        Raises:
            SubmissionError: `E_QUOTA`.
        """
        charges = self._charges(_of_same_team(self.entries(), entry.team, entry.accounts))
        same = [charge for charge in charges if charge.predictions == entry.predictions]
        if any(answered or charge.outcome != "failed" for charge in same):
            return
        usage = self.usage(entry.team, entry.accounts, entry.when)
        if usage.exhausted:
            raise _exhausted(usage, self.quota)
        self.append(entry)

    def is_open(self, entry: Entry) -> bool:
        """Return whether this team's scoring of these predictions has begun and not ended."""
        charges = self._charges(_of_same_team(self.entries(), entry.team, entry.accounts))
        return any(charge.predictions == entry.predictions and charge.outcome == "started" for charge in charges)

    def usage(self, team: str, accounts: Collection[str], now: datetime) -> Usage:
        """Return what was used up by this name or any of these accounts."""
        entries = _of_same_team(self.entries(), team, accounts)
        period = timedelta(days=self.quota.period_days)
        charges = [charge for charge in self._charges(entries) if charge.when > now - period]
        scored = tuple(sorted(charge.when for charge in charges if charge.outcome == "scored"))
        failed = tuple(sorted(charge.when for charge in charges if charge.outcome != "scored"))
        waits = [
            _wait(used, limit, period) for used, limit in ((scored, self.quota.scored), (failed, self.quota.failed))
        ]
        dates = [date for exhausted, date in waits if exhausted]
        return Usage(
            scored=scored,
            failed=failed,
            exhausted=bool(dates),
            next_free=None if None in dates else max((date for date in dates if date), default=None),
        )

    def teams(self) -> dict[str, Entry]:
        """Return plain name → latest entry of every team, by which its usage can be looked up; newest first."""
        latest: dict[str, Entry] = {}
        for entry in reversed(self.entries()):
            latest.setdefault(plain_name(entry.team), entry)
        return latest

    def scored_earlier(self, predictions: str, slug: str) -> tuple[str, ...]:
        """Return the other submissions that came with these predictions before this one first did, oldest first."""
        slugs = dict.fromkeys(entry.slug for entry in self.entries() if entry.predictions == predictions)
        return tuple(takewhile(lambda other: other != slug, slugs))

    @staticmethod
    def _charges(entries: Iterable[Entry]) -> list[Charge]:
        charges: list[Charge] = []
        for entry in entries:
            if entry.outcome == "started":
                charges.append(Charge(entry.when, entry.predictions, "started"))
            elif entry.outcome in {"scored", "failed"}:
                begun = [c for c in charges if c.predictions == entry.predictions and c.outcome == "started"]
                if begun:
                    begun[-1].outcome = entry.outcome
                else:  # its beginning was on a torn line
                    charges.append(Charge(entry.when, entry.predictions, entry.outcome))
        return charges


def _parse(line: bytes) -> Entry | None:
    try:
        content: dict[str, Any] = json.loads(line)
        when = datetime.fromisoformat(content["when"])
        entry = Entry(**{**content, "when": when, "accounts": tuple(content["accounts"])})
    except (ValueError, TypeError, LookupError, AttributeError):
        return None
    texts = (entry.team, entry.slug, entry.predictions, *entry.accounts)
    is_entry = all(isinstance(text, str) for text in texts) and entry.outcome in get_args(Outcome)
    return entry if is_entry and when.tzinfo else None


def _of_same_team(entries: Iterable[Entry], team: str, accounts: Collection[str]) -> tuple[Entry, ...]:
    """The entries of this name or any of these accounts."""
    names = _identities(team, accounts)
    return tuple(entry for entry in entries if names & _identities(entry.team, entry.accounts))


def _identities(team: str, accounts: Iterable[str]) -> frozenset[str]:
    return frozenset({f"team {plain_name(team)}", *(f"account {account.casefold()}" for account in accounts)})


def plain_name(name: str) -> str:
    """Return a team's name without what makes no other team: case, width, blanks, punctuation, invisible characters."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    return "".join(character for character in folded if unicodedata.category(character)[0] not in "ZCPS") or folded


def _wait(used: tuple[datetime, ...], limit: int, period: timedelta) -> tuple[bool, datetime | None]:
    """Whether a limit is reached, and when it no longer is; `None` if never."""
    if len(used) < limit:
        return False, None
    return True, used[len(used) - limit] + period if limit else None


def _exhausted(usage: Usage, quota: Quota) -> SubmissionError:
    when = (
        f"on {usage.next_free.astimezone(UTC):%Y-%m-%d at %H:%M} UTC"
        if usage.next_free
        else "when the organizers say so"
    )
    return SubmissionError(
        "E_QUOTA",
        None,
        expected=f"at most {quota.scored} scorings with a result and {quota.failed} without one for a team in "
        f"{quota.period_days} days",
        found=f"{len(usage.scored)} with a result and {len(usage.failed)} without one by this team or account",
        advice=f"The next is free {when}. The public test set can be scored with `ctspine-bench score` at any time.",
    )
