"""All submissions of a folder, and where they stand. Worked out when asked for, and kept on disk by digest."""

from __future__ import annotations

import hashlib
import json
from copy import copy
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ctspine_bench.board.cache import Cache, default_folder
from ctspine_bench.board.condensed import TEST_SETS, largest_group
from ctspine_bench.board.entries import REASONS, Entry, Status, today
from ctspine_bench.board.loading import Loaded, load, read_scores, signature
from ctspine_bench.board.private_file import PrivateStandings, read_private_standings
from ctspine_bench.board.standings_file import from_document, to_document
from ctspine_bench.errors import InputError
from ctspine_bench.rankings.paired import METRICS, REGIONS, PairedScores, joined
from ctspine_bench.rankings.schemes import OFFICIAL, SCHEMES
from ctspine_bench.rankings.standings import Standings, standings
from ctspine_bench.submissions.folder import check_slug
from ctspine_bench.submissions.records import Record, read_record
from ctspine_bench.testsets import OFFICIAL as OFFICIAL_SETS
from ctspine_bench.testsets import TestSet, known_errata, named

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ctspine_bench.board.private_file import PrivateTestSet

NO_PRIVATE_STANDINGS: Final = "The organizers' standings of this test set are not at hand."
NOT_TOLD: Final = "Of this test set there are no standings by this metric and region: they would tell about few cases."
OLD_PRIVATE_STANDINGS: Final = (
    "A submission in the organizers' standings of this test set has changed since: they have to be made anew."
)
NOT_IN_PRIVATE_STANDINGS: Final = "The organizers' standings of this test set do not have this record as it is now."
OTHER_CASES: Final = "Its case table is missing, or about other cases or vertebrae than those of the others."
NO_SUCH_VERTEBRAE: Final = "No reference of this test set has a vertebra of this region."
NOBODY: Final = "No submission is ranked on this test set yet."


@dataclass(frozen=True)
class BoardStandings:
    """One test set of a board.

    Attributes:
        standings: The ranked submissions; `None` if there are none.
        note: Why there are none, or what else a reader has to know; may be empty.
        unranked: The others that have something to do with the test set, each with the reason.
    """

    standings: Standings | None
    note: str
    unranked: tuple[tuple[Entry, str], ...]


class Board:
    """The submissions of a folder.

    Args:
        folder: With one folder for each submission; it need not exist.
        private_standings: standings.json of the organizers, for private test sets.
        cache: Where results are kept; by default the user's cache folder.

    Attributes:
        entries: The submissions, sorted by slug.
        digest: Over everything that is shown.
        private_problem: Why the private standings cannot be used; `None` if they can, or if there are none.
    """

    def __init__(
        self,
        folder: Path,
        private_standings: Path | None = None,
        cache: Cache | None = None,
        *,
        previous: Board | None = None,
    ) -> None:
        self.folder = folder
        self._private_path = private_standings
        self._cache = cache or Cache(default_folder())
        self._signature = signature(folder, private_standings)
        self._loaded: dict[str, Loaded] = load(folder, self._cache, previous._loaded if previous else {})
        self.entries = tuple(loaded.entry for loaded in self._loaded.values())
        self.today = today(self.entries)
        self.private_problem: InputError | None = None
        self._private = PrivateStandings({})
        if private_standings:
            try:
                self._private = read_private_standings(private_standings)
            except InputError as error:
                self.private_problem = error
        self.digest = _digest([[entry.slug, entry.digest] for entry in self.entries], self._signature[-1])
        self._paired: dict[str, tuple[PairedScores | None, frozenset[str]]] = {}
        # By a digest over all that they are made from. Those of an earlier board are on disk; here they would pile up.
        self._standings: dict[str, tuple[Standings, frozenset[str]]] = {}

    def refreshed(self) -> Board:
        """Return this board if nothing has changed on disk, else a new one that keeps what is still valid."""
        if signature(self.folder, self._private_path) == self._signature:
            return self
        return Board(self.folder, self._private_path, self._cache, previous=self)

    def with_private(self, private: PrivateStandings) -> Board:
        """Return this board with other standings of private test sets, such as are not in a file yet."""
        board = copy(self)
        board._private, board.private_problem = private, None
        return board

    def entry(self, slug: str) -> Entry | None:
        """Return a submission by its slug."""
        loaded = self._loaded.get(slug)
        return loaded.entry if loaded else None

    def record(self, slug: str) -> Record:
        """Return everything about a submission, from disk.

        Raises:
            SubmissionError: The record is broken, or there is none.
        """
        check_slug(slug)
        return read_record(self.folder / slug)

    @property
    def test_sets(self) -> tuple[TestSet, ...]:
        """The test sets that a submission has results on; without any, the official ones."""
        there = {name for entry in self.entries if entry.results for name in entry.results["test_sets"]}
        return tuple(named(name) for name in TEST_SETS if name in (there or OFFICIAL_SETS))

    def status(self, entry: Entry, test_set: str) -> Status:
        """Return what a submission is on a test set."""
        return entry.status(test_set, self.today)

    def flags(self, entry: Entry, test_set: str) -> tuple[str, ...]:
        """Return what a reader has to know about a submission, out of the keys of `entries.FLAGS`."""
        return entry.flags(test_set, self.today)

    def paired(self, test_set: str) -> PairedScores | None:
        """Return the scores of the ranked submissions on a test set; `None` if it is private or nobody is ranked."""
        return self._paired_and_misfits(test_set)[0]

    def has_errata(self, test_set: str) -> bool:
        """Return whether a reference of a test set is known to be wrong."""
        if named(test_set).private:
            return False
        ranked = (entry for entry in self.entries if self.status(entry, test_set) == "ranked")
        # One submission tells which cases there are: the scores of all take half a second to read.
        scores = next((found for entry in ranked if (found := self._scores(entry).get(test_set))), None)
        return scores is not None and any(known_errata(case_id) for case_id in scores.vertebrae.case_ids)

    def standings(
        self,
        test_set: str,
        scheme: str = OFFICIAL[0],
        metric: str = OFFICIAL[1],
        region: str = OFFICIAL[2],
        *,
        keep_errata: bool = True,
    ) -> BoardStandings:
        """Return where everybody stands on a test set.

        Args:
            test_set: One of `test_sets`.
            scheme: One of `rankings.SCHEMES`.
            metric: One of `rankings.paired.METRICS`.
            region: One of `rankings.paired.REGIONS`.
            keep_errata: Whether cases whose references are known to be wrong count.
        """
        if named(test_set).private:
            return self._private_standings(test_set, scheme, metric, region)
        found, misfits = self._public_standings(test_set, scheme, metric, region, keep_errata=keep_errata)
        ranked = {row.slug for row in found.rows} if found else set()
        note = "" if ranked else NO_SUCH_VERTEBRAE if found else NOBODY
        unranked = [
            (entry, OTHER_CASES if entry.slug in misfits else REASONS[self.status(entry, test_set)] or note)
            for entry in self._concerned(test_set)
            if entry.slug not in ranked
        ]
        return BoardStandings(found if ranked else None, note, tuple(unranked))

    def private_part(self, test_set: str) -> PrivateTestSet:
        """Return all that the organizers tell of a private test set."""
        return self._private.of(test_set)

    def private_gap(self, test_set: str, slug: str) -> dict[str, Any] | None:
        """Return what the organizers' file tells of the domain gap of a submission on a private test set."""
        entry = self.entry(slug)
        return self._private.gap(test_set, slug, entry.digest) if entry else None

    def prepare(self, on_each: Callable[[str], None] | None = None) -> None:
        """Work out all standings that can be asked for, so that asking takes no time."""
        for test_set, scheme, metric, region in self.combinations():
            self.standings(test_set, scheme, metric, region)
            if on_each:
                on_each(test_set)
        self._cache.prune()

    def combinations(self) -> list[tuple[str, str, str, str]]:
        """Return all (test set, scheme, metric, region) of test sets that are not private."""
        public = [test_set.name for test_set in self.test_sets if not test_set.private]
        return list(product(public, SCHEMES, METRICS, REGIONS))

    def _concerned(self, test_set: str) -> list[Entry]:
        return [entry for entry in self.entries if self.status(entry, test_set) != "absent"]

    def _public_standings(
        self, test_set: str, scheme: str, metric: str, region: str, *, keep_errata: bool
    ) -> tuple[Standings | None, frozenset[str]]:
        ranked = [(entry.slug, entry.digest) for entry in self.entries if self.status(entry, test_set) == "ranked"]
        if not ranked:
            return None, frozenset()
        key = _digest(test_set, scheme, metric, region, keep_errata, ranked)
        if key in self._standings:
            return self._standings[key]
        if known := self._cached(key):
            return known
        paired, misfits = self._paired_and_misfits(test_set)
        if paired is None:
            return None, misfits
        if not keep_errata:
            paired = paired.of_cases(np.array([not known_errata(case_id) for case_id in paired.vertebrae.case_ids]))
        made = standings(paired, scheme, metric, region)
        # A record that has changed since it was loaded may have lent its new scores to its old digest, or none.
        whole = all(self._loaded[slug].scores is not None for slug, _ in ranked)
        if whole and signature(self.folder, self._private_path) == self._signature:
            self._cache.write("standings", key, {"standings": to_document(made), "misfits": sorted(misfits)})
            self._standings[key] = made, misfits
        return made, misfits

    def _cached(self, key: str) -> tuple[Standings, frozenset[str]] | None:
        document = self._cache.read("standings", key)
        if document is None:
            return None
        found = from_document(document["standings"]), frozenset(document["misfits"])
        self._standings[key] = found
        return found

    def _private_standings(self, test_set: str, scheme: str, metric: str, region: str) -> BoardStandings:
        told = self._private.of(test_set)
        found = told.standings.get((scheme, metric, region))
        concerned = self._concerned(test_set)
        status = {entry.slug: self.status(entry, test_set) for entry in concerned}
        current = {
            entry.slug
            for entry in concerned
            if status[entry.slug] == "ranked" and told.digests.get(entry.slug) == entry.digest
        }
        rows = {row.slug for row in found.rows} if found else set()
        if found is None:
            note = NOT_TOLD if told.standings else NO_PRIVATE_STANDINGS
        else:
            # Ranks among submissions one of which is not what it was are no ranks any more.
            note = "" if rows <= current else OLD_PRIVATE_STANDINGS
        unranked = [
            (
                entry,
                REASONS[status[entry.slug]]
                or (NOT_IN_PRIVATE_STANDINGS if found and entry.slug not in current else note),
            )
            for entry in concerned
            if note or entry.slug not in rows
        ]
        return BoardStandings(None if note else found, note, tuple(unranked))

    def _paired_and_misfits(self, test_set: str) -> tuple[PairedScores | None, frozenset[str]]:
        if test_set in self._paired:
            return self._paired[test_set]
        found = self._join(test_set)
        if all(self._loaded[slug].scores is not None for slug in found[1]):  # otherwise it is tried again
            self._paired[test_set] = found
        return found

    def _join(self, test_set: str) -> tuple[PairedScores | None, frozenset[str]]:
        if named(test_set).private:
            return None, frozenset()
        ranked = [entry for entry in self.entries if self.status(entry, test_set) == "ranked"]
        parts = {entry.slug: self._scores(entry).get(test_set) for entry in ranked}
        there = {slug: part for slug, part in parts.items() if part is not None}
        if not there:
            return None, frozenset(parts)
        fitting = largest_group(list(there.values()))
        return joined(fitting), frozenset(parts) - {part.slugs[0] for part in fitting}

    def _scores(self, entry: Entry) -> dict[str, PairedScores]:
        loaded = self._loaded[entry.slug]
        if loaded.scores is None:
            loaded.scores = self._cache.read_scores(entry.digest, entry.slug)
        if loaded.scores is None:
            loaded.scores = read_scores(self.folder / entry.slug, loaded, self._cache)
        return loaded.scores or {}


def _digest(*parts: Any) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()
