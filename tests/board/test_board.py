"""Where everybody stands, out of the files in a folder."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from board_records import PRIVATE, PUBLIC, VERSE, board_of, change_cases, change_results, spines, write_record_of
from declarations import fields, text_of

from ctspine_bench.board import Board, board, loading
from ctspine_bench.board.board import NO_SUCH_VERTEBRAE, NOBODY, OTHER_CASES
from ctspine_bench.board.cache import Cache
from ctspine_bench.errors import SubmissionError
from ctspine_bench.hosting.store import PrivateStore
from ctspine_bench.rankings import SCHEMES, standings
from ctspine_bench.rankings.paired import METRICS, REGIONS, pair
from ctspine_bench.submissions.records import read_record

if TYPE_CHECKING:
    import pandas as pd

PAPER = Path(__file__).parents[2] / "submissions" / "nnunet-paper"
ERRATUM = "1.3.6.1.4.1.9328.50.4.0103"


def ranked(found: Board, test_set: str) -> list[str]:
    """Who is ranked on a test set, best first."""
    of_set = found.standings(test_set).standings
    return [row.slug for row in of_set.rows] if of_set else []


class TestStandings:
    """The standings of a test set."""

    def test_they_are_those_of_the_case_tables(self, made: Path) -> None:
        """As if the tables had been ranked without a board."""
        tables = {}
        for slug in ("alpha", "beta", "gamma"):
            cases = read_record(made / "submissions" / slug).cases
            assert cases is not None
            tables[slug] = cases[cases["test_set"] == PUBLIC]
        found = board_of(made).standings(PUBLIC)
        assert found.standings is not None
        expected = standings(pair(tables))
        assert [(row.slug, row.rank, row.score) for row in found.standings.rows] == [
            (row.slug, row.rank, row.score) for row in expected.rows
        ]
        assert (found.note, found.unranked) == ("", ())

    @pytest.mark.parametrize(("scheme", "metric", "region"), [("rank-then-mean", "nsd_1mm", "lumbar")])
    def test_any_scheme_metric_and_region(self, made: Path, scheme: str, metric: str, region: str) -> None:
        """What is asked for is what the standings are by."""
        found = board_of(made).standings(PUBLIC, scheme, metric, region).standings
        assert found is not None
        assert (found.scheme, found.metric, found.region) == (scheme, metric, region)
        assert len(found.rows) == 3

    def test_all_combinations_are_those_of_public_sets(self, made: Path) -> None:
        """Private standings are not worked out from records."""
        combinations = board_of(made).combinations()
        assert len(combinations) == 2 * len(SCHEMES) * len(METRICS) * len(REGIONS)
        assert {test_set for test_set, *_ in combinations} == {PUBLIC, VERSE}

    def test_a_region_without_vertebrae_says_so(self, tmp_path: Path) -> None:
        """On a set of lumbar spines nobody is ranked by the cervical region, and the reason is not that nobody is."""
        dsc = np.full((12, 2), 0.9)
        write_record_of(tmp_path, "one", {PUBLIC: spines(dsc, ("L1", "L2"), "COLONOG")}, PrivateStore(tmp_path / "s"))
        found = board_of(tmp_path).standings(PUBLIC, region="cervical")
        assert (found.standings, found.note) == (None, NO_SUCH_VERTEBRAE)
        assert [(entry.slug, reason) for entry, reason in found.unranked] == [("one", NO_SUCH_VERTEBRAE)]

    def test_who_is_not_ranked_is_listed_with_the_reason(self, folder: Path) -> None:
        """Stale, incomplete, unscored and published rows stand below, sorted by slug; the absent do not."""
        submissions = folder / "submissions"
        change_results(submissions / "alpha", lambda results: results["provenance"].update(engine_version=1))
        change_results(submissions / "beta", lambda results: results["test_sets"][PUBLIC].update(complete=False))
        shutil.copytree(PAPER, submissions / "nnunet-paper")
        (submissions / "waiting").mkdir()
        (submissions / "waiting" / "submission.yaml").write_bytes(text_of(fields(kind="simulated", test_sets={})))
        assert ranked(board_of(folder), PUBLIC) == ["gamma"]
        found = board_of(folder).standings(PUBLIC)
        assert [(entry.slug, reason.split(":")[0]) for entry, reason in found.unranked] == [
            ("alpha", "Outdated"),
            ("beta", "Incomplete"),
            ("waiting", "Not scored yet."),
        ]

    def test_a_table_of_other_cases_is_not_ranked(self, folder: Path) -> None:
        """One that differs from the others in a case, or has no table at all, is told apart from them."""

        def change(table: pd.DataFrame) -> pd.DataFrame:
            return table[table["case_id"] != "made-public-003"]

        change_cases(folder / "submissions" / "beta", change)
        (folder / "submissions" / "gamma" / "cases.parquet").unlink()
        change_results(folder / "submissions" / "gamma", lambda results: results.pop("cases_sha256"))
        shutil.copytree(folder / "submissions" / "alpha", folder / "submissions" / "twin")
        change_results(folder / "submissions" / "twin", lambda results: results["submission"].update(slug="twin"))
        for _ in range(2):  # the second time from the cache
            found = board_of(folder).standings(PUBLIC)
            assert found.standings is not None
            assert [(row.slug, row.rank) for row in found.standings.rows] == [("alpha", 1), ("twin", 1)]
            assert [(entry.slug, reason) for entry, reason in found.unranked] == [
                ("beta", OTHER_CASES),
                ("gamma", OTHER_CASES),
            ]

    def test_when_all_tables_are_gone_nobody_is_ranked(self, folder: Path) -> None:
        """Results without case tables are numbers without ranks."""
        for slug in ("alpha", "beta", "gamma"):
            (folder / "submissions" / slug / "cases.parquet").unlink()
            change_results(folder / "submissions" / slug, lambda results: results.pop("cases_sha256"))
        found = board_of(folder).standings(PUBLIC)
        assert (found.standings, found.note) == (None, NOBODY)
        assert [reason for _, reason in found.unranked] == [OTHER_CASES] * 3


class TestErrata:
    """Cases whose references are known to be wrong."""

    @pytest.fixture
    def with_erratum(self, tmp_path: Path) -> Path:
        """Two submissions, of which the one that is better but for the known-bad case is behind with it."""
        store = PrivateStore(tmp_path / "store")
        dsc = np.full((12, 2), 0.9)
        for slug, at_erratum, elsewhere in (("at-odds", 0.1, 0.92), ("agrees", 0.9, 0.9)):
            dsc = np.full((12, 2), elsewhere)
            dsc[0] = at_erratum
            cases = spines(dsc, ("L1", "L2"), "COLONOG")
            cases[0] = type(cases[0])(**{**vars(cases[0]), "case_id": ERRATUM})
            write_record_of(tmp_path, slug, {PUBLIC: cases}, store)
        return tmp_path

    def test_standings_with_and_without(self, with_erratum: Path) -> None:
        """Dropped, they change the order here; both are kept in the cache under their own name."""
        for _ in range(2):
            found = board_of(with_erratum)
            assert found.has_errata(PUBLIC)
            kept, dropped = found.standings(PUBLIC).standings, found.standings(PUBLIC, keep_errata=False).standings
            assert kept is not None
            assert dropped is not None
            assert [row.slug for row in kept.rows] == ["agrees", "at-odds"]
            assert [row.slug for row in dropped.rows] == ["at-odds", "agrees"]
            assert (kept.n_cases, dropped.n_cases) == (12, 11)

    def test_there_are_none_among_other_cases(self, made: Path) -> None:
        """Neither among made cases nor on private sets or where nobody is ranked."""
        found = board_of(made)
        assert [found.has_errata(name) for name in (PUBLIC, VERSE, PRIVATE, "public")] == [False] * 4


class TestSizes:
    """Boards of nobody and of one."""

    @pytest.mark.parametrize("exists", [True, False])
    def test_an_empty_board(self, tmp_path: Path, exists: bool) -> None:
        """Without submissions, or without the folder, there are the official test sets and nobody on them."""
        if exists:
            (tmp_path / "submissions").mkdir()
        found = board_of(tmp_path)
        assert found.entries == ()
        assert [test_set.name for test_set in found.test_sets] == ["public", "private", "verse"]
        of_public = found.standings("public")
        assert (of_public.standings, of_public.note, of_public.unranked) == (None, NOBODY, ())
        assert found.standings("private").standings is None
        assert found.paired("verse") is None
        assert found.entry("anybody") is None
        found.prepare()
        assert found.refreshed() is found

    def test_one_submission_is_first(self, folder: Path) -> None:
        """Alone it has rank 1 of 1 in every resample, and no order to be stable."""
        for slug in ("beta", "gamma"):
            shutil.rmtree(folder / "submissions" / slug)
        found = board_of(folder).standings(PUBLIC).standings
        assert found is not None
        (row,) = found.rows
        assert (row.slug, row.rank, row.low, row.high, row.p_first, row.frequencies) == ("alpha", 1, 1, 1, 1.0, (1.0,))
        assert (found.stability.kendall_tau, found.stability.removal) == (None, None)

    def test_what_the_paper_says_alone(self, tmp_path: Path) -> None:
        """The board of the first day: the published row on all three sets, and nobody ranked."""
        shutil.copytree(PAPER, tmp_path / "submissions" / "nnunet-paper")
        found = board_of(tmp_path)
        for test_set in found.test_sets:
            of_set = found.standings(test_set.name)
            assert of_set.standings is None
            ((entry, reason),) = of_set.unranked
            assert (entry.slug, reason.split(":")[0]) == ("nnunet-paper", "As published")


class TestRefreshed:
    """A board that is looked at again."""

    def test_unchanged_it_is_the_same(self, folder: Path) -> None:
        """Nothing is made anew as long as no file has changed."""
        found = board_of(folder)
        assert found.refreshed() is found
        (folder / "submissions" / "beta" / "README.md").write_text("not a file of the record")
        assert found.refreshed() is found

    def test_a_changed_record_is_seen_without_reading_the_others(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Beta goes incomplete; alpha and gamma are not read again, and VerSe is not ranked again."""
        found = Board(folder / "submissions", cache=Cache(None))
        for test_set in (PUBLIC, VERSE):
            assert ranked(found, test_set) == ["alpha", "beta", "gamma"]
        read: list[str] = []
        original, rank = loading.read_record, board.standings

        def reading(path: Path) -> object:
            read.append(path.name)
            return original(path)

        def ranking(*given: object) -> object:
            read.append("a ranking")
            return rank(*given)

        monkeypatch.setattr(loading, "read_record", reading)
        monkeypatch.setattr(board, "standings", ranking)
        change_results(
            folder / "submissions" / "beta", lambda results: results["test_sets"][PUBLIC].update(complete=False)
        )
        again = found.refreshed()
        assert again is not found
        assert again.digest != found.digest
        assert read == ["beta"]
        assert ranked(again, PUBLIC) == ["alpha", "gamma"]
        assert [entry.slug for entry, _ in again.standings(PUBLIC).unranked] == ["beta"]
        assert read == ["beta", "a ranking"]
        assert again.refreshed() is again
        # The board from before still answers as before.
        assert ranked(found, PUBLIC) == ["alpha", "beta", "gamma"]

    def test_new_and_gone_submissions(self, folder: Path) -> None:
        """A folder that appears or goes away is seen."""
        found = board_of(folder)
        shutil.move(folder / "submissions" / "gamma", folder / "gamma")
        without = found.refreshed()
        assert [entry.slug for entry in without.entries] == ["alpha", "beta"]
        shutil.move(folder / "gamma", folder / "submissions" / "gamma")
        again = without.refreshed()
        assert [entry.slug for entry in again.entries] == ["alpha", "beta", "gamma"]
        assert again.digest == found.digest

    def test_a_record_that_breaks_and_is_mended(self, folder: Path) -> None:
        """Broken it is left out with its error, mended it is back."""
        path = folder / "submissions" / "beta" / "results.json"
        content = path.read_bytes()
        found = board_of(folder)
        path.write_bytes(content[:1000])
        broken = found.refreshed()
        assert [entry.problem is None for entry in broken.entries] == [True, False, True]
        path.write_bytes(content)
        mended = broken.refreshed()
        assert [entry.problem for entry in mended.entries] == [None] * 3
        assert ranked(mended, PUBLIC) == ["alpha", "beta", "gamma"]

    def test_standings_of_files_that_changed_meanwhile_are_not_kept(self, folder: Path) -> None:
        """What a board works out after its files have changed does not stand in for what they say."""
        found = board_of(folder)
        for path in (folder / "cache").glob("*/records/*.npz"):
            path.unlink()
        fresh = board_of(folder)  # knows the records from the cache, and has to read the scores later
        path = folder / "submissions" / "beta" / "results.json"
        content = path.read_bytes()
        path.write_bytes(b"{}")
        outdated = fresh.standings(PUBLIC)
        assert [entry.slug for entry, _ in outdated.unranked] == ["beta"]
        path.write_bytes(content)
        for again in (fresh.refreshed(), board_of(folder)):
            assert ranked(again, PUBLIC) == ["alpha", "beta", "gamma"]
        assert ranked(found, PUBLIC) == ["alpha", "beta", "gamma"]


def test_prepared_standings_take_no_work(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Afterwards all that can be asked for is there; each test set is announced as it is worked on."""
    monkeypatch.setattr(board, "METRICS", {"dsc": METRICS["dsc"]})
    monkeypatch.setattr(board, "REGIONS", {"all": REGIONS["all"], "lumbar": REGIONS["lumbar"]})
    found = board_of(folder)
    seen: list[str] = []
    found.prepare(seen.append)
    assert seen == [PUBLIC] * 6 + [VERSE] * 6
    monkeypatch.setattr(board, "standings", lambda *_: pytest.fail("worked out again"))
    for again in (found, board_of(folder)):
        for combination in again.combinations():
            again.standings(*combination)


class TestRecord:
    """Everything about one submission, from disk."""

    def test_it_is_read(self, made: Path) -> None:
        """With its results and its case table."""
        record = board_of(made).record("beta")
        assert record.slug == "beta"
        assert record.cases is not None

    @pytest.mark.parametrize("slug", ["../submissions/beta", "..", "/etc", "nobody", "", "beta/"])
    def test_only_from_the_folder_of_submissions(self, made: Path, slug: str) -> None:
        """What a visitor types leads nowhere else."""
        with pytest.raises(SubmissionError) as caught:
            board_of(made).record(slug)
        assert caught.value.code in {"E_SLUG", "E_NOT_FOUND"}


def test_the_digest_is_over_all_that_is_shown(folder: Path) -> None:
    """It is the same for the same files, and another one when a record or the private standings change."""
    found = [board_of(folder).digest]
    assert board_of(folder).digest == found[0]
    private = folder / "standings.json"
    found.append(board_of(folder, private).digest)
    private.write_text(json.dumps({}))
    found.append(board_of(folder, private).digest)
    change_results(folder / "submissions" / "beta", lambda results: results.update(note="x"))
    found.append(board_of(folder).digest)
    assert len({*found}) == len(found) - 1  # a file that is not there is nothing
    assert found[0] == found[1]
