"""What is told of private test sets: enough to rank, nothing about single cases, whatever somebody sends."""

from __future__ import annotations

import json
import re
import shutil
from itertools import chain, combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from board_records import PRIVATE, PUBLIC, board_of, change_results, spines, write_record_of
from hypothesis import given, settings
from hypothesis import strategies as st

from ctspine_bench.board.board import NOT_IN_PRIVATE_STANDINGS
from ctspine_bench.board.document import standings_document
from ctspine_bench.board.private import private_standings
from ctspine_bench.board.private_gap import _hidden_sources, _losses
from ctspine_bench.errors import SubmissionError
from ctspine_bench.hosting.store import PrivateStore
from ctspine_bench.rankings import SCHEMES
from ctspine_bench.rankings.paired import LOSSES
from ctspine_bench.testsets import SOURCES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from ctspine_bench.records import CaseResult

LEVELS = ("T12", "L1", "L2", "L3")


def told(folder: Path) -> dict[str, Any]:
    """What is told of the private set, after a way through JSON; and who is not ranked."""
    board = board_of(folder)
    shown = board.with_private(private_standings(board, PrivateStore(folder / "private-store")))
    part: dict[str, Any] = json.loads(json.dumps(shown.private_part(PRIVATE).to_document(), allow_nan=False))
    unranked = [(entry.slug, reason) for entry, reason in shown.standings(PRIVATE).unranked]
    return {**part, "unranked": unranked}


def write(folder: Path, submissions: Mapping[str, Sequence[CaseResult]]) -> Path:
    """Write submissions to the private set; slug → cases."""
    store = PrivateStore(folder / "private-store")
    for slug, cases in submissions.items():
        write_record_of(folder, slug, {PRIVATE: cases}, store)
    return folder


def good(n: int, source: str = "COLONOG", levels: Sequence[str] = LEVELS, seed: int = 0) -> list[CaseResult]:
    """Cases of a source in which a method is fairly good."""
    return spines(np.random.default_rng([seed, n]).uniform(0.6, 0.95, (n, len(levels))), levels, source)


@pytest.fixture(scope="module")
def part(made: Path) -> dict[str, Any]:
    """What standings.json says of the private set of the made board; not to be changed."""
    board = board_of(made)
    private = private_standings(board, PrivateStore(made / "private-store"))
    document = json.loads(json.dumps(standings_document(board.with_private(private)), allow_nan=False))
    found: dict[str, Any] = document["test_sets"][PRIVATE]
    return found


def leaves(part: Any, at: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    if isinstance(part, dict | list) and part:
        items = part.items() if isinstance(part, dict) else ((f"[{i}]", each) for i, each in enumerate(part))
        for key, value in items:
            yield from leaves(value, (*at, key))
    else:
        yield " ".join(at), part


SLUG = "(alpha|beta|gamma)"
ROW = r"standings \[\d+\] rows \[\d+\]"
PLACES: dict[str, Callable[[Any], bool]] = {
    "title": lambda value: value == PRIVATE,
    "unranked": lambda value: value == [],
    "private": lambda value: value is True,
    f"entries {SLUG}": lambda value: re.fullmatch("[0-9a-f]{64}", value) is not None,
    r"standings \[\d+\] scheme": lambda value: value in SCHEMES,
    r"standings \[\d+\] metric": lambda value: value in {"dsc", "hd95_mm"},
    r"standings \[\d+\] region": lambda value: value == "all",
    r"standings \[\d+\] n_cases": lambda value: value == 12,
    r"standings \[\d+\] draws": lambda value: value == 10_000,
    r"standings \[\d+\] seed": lambda value: value == 20210705,
    r"standings \[\d+\] coverage": lambda value: value is None or 0.5 < value < 1,
    f"{ROW} slug": lambda value: re.fullmatch(SLUG, value) is not None,
    f"{ROW} (rank|low|high)": lambda value: value in {None, 1, 2, 3},
    f"{ROW} score": lambda value: round(value, 3) == value,
    f"{ROW} score_(low|high)": lambda value: value is None or round(value, 3) == value,
    f"{ROW} per_case": lambda value: value is None or round(value, 3) == value,
    f"{ROW} per_case_rank": lambda value: value in {None, 1, 2, 3},
    f"{ROW} p_first": lambda value: value is None or round(value, 2) == value,
    rf"{ROW} frequencies( \[\d+\])?": lambda value: value == [] or round(value, 2) == value,
    r"standings \[\d+\] stability kendall_tau( \[\d\])?": lambda value: value is None or round(value, 2) == value,
    r"standings \[\d+\] stability leave_one_out_leaders": lambda value: value == {},
    r"standings \[\d+\] stability removal( n)?": lambda value: value is None or type(value) is int,
    r"standings \[\d+\] stability removal exact": lambda value: type(value) is bool,
    r"standings \[\d+\] stability removal case_ids": lambda value: value == [],
    r"standings \[\d+\] stability removal new_leader": lambda value: value is None,
    f"domain_gap {SLUG} intervals": lambda value: value is None,
    rf"domain_gap {SLUG} intervals (gap|label_mix|within_label|one_set_only) \[[01]\]": lambda value: (
        round(value, 3) == value
    ),
    f"domain_gap {SLUG} losses": lambda value: value is None,
    f"domain_gap {SLUG} losses loss_(identification|missed|boundary|spurious)": lambda value: round(value, 3) == value,
    f"domain_gap {SLUG} sources ({'|'.join(SOURCES)}) n_cases": lambda value: value in {None, "<5"} or value >= 5,
    f"domain_gap {SLUG} sources ({'|'.join(SOURCES)}) dsc": lambda value: value is None or round(value, 3) == value,
}
"""Place in what is told of a private set → what may stand there; everywhere else, nothing may."""


def test_nothing_stands_where_it_should_not(part: dict[str, Any]) -> None:
    """Every place and every value of it is one that was thought of."""
    wrong = [
        (at, value)
        for at, value in leaves(part)
        if not any(re.fullmatch(place, at) and may_stand(value) for place, may_stand in PLACES.items())
    ]
    assert wrong == []
    seen = {place for place in PLACES for at, _ in leaves(part) if re.fullmatch(place, at)}
    assert PLACES.keys() - seen <= {f"domain_gap {SLUG} intervals", f"domain_gap {SLUG} losses"}


def test_no_case_is_named_and_no_score_of_one_is_there(part: dict[str, Any], made: Path) -> None:
    """The ids of private cases are nowhere in it; only the measured coverage has more than three digits."""
    text = json.dumps(part)
    for scores in PrivateStore(made / "private-store").scores().values():
        assert [case_id for case_id in scores.private["case_id"].unique() if case_id in text] == []
    long = {float(number) for number in re.findall(r"\d+\.\d{4,}", text)}
    assert long <= {each["coverage"] for each in part["standings"]}


def test_standings_by_what_is_told(part: dict[str, Any]) -> None:
    """Every scheme by DSC and HD95 over the whole spine, and the order that is known."""
    assert [(each["scheme"], each["metric"], each["region"]) for each in part["standings"]] == [
        (scheme, metric, "all") for scheme in SCHEMES for metric in ("dsc", "hd95_mm")
    ]
    for each in part["standings"]:
        assert [row["slug"] for row in each["rows"]] == ["alpha", "beta", "gamma"], each["scheme"]


def test_digits_are_those_of_the_paper(part: dict[str, Any]) -> None:
    """DSC has three digits, HD95 two, mean ranks one; who is first has no more than two."""
    for each in part["standings"]:
        digits = 1 if each["scheme"] != "mean-then-rank" else {"dsc": 3, "hd95_mm": 2}[each["metric"]]
        for row in each["rows"]:
            assert row["score"] == round(row["score"], digits)
            if each["scheme"] != "mean-then-rank":
                assert (row["score_low"], row["score_high"], row["p_first"], row["frequencies"]) == (None,) * 3 + ([],)


def test_the_means_are_those_of_the_records(part: dict[str, Any], made: Path) -> None:
    """What is ranked by is what results.json tells already."""
    board = board_of(made)
    for each in part["standings"][:2]:
        for row in each["rows"]:
            entry = board.entry(row["slug"])
            assert entry is not None
            assert row["score"] == entry.on(PRIVATE)["mean_of_vertebrae"][each["metric"]]


@pytest.fixture(scope="module")
def twins(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Two submissions that differ in one vertebra by .01, a third that is worse."""
    dsc = np.random.default_rng(3).uniform(0.6, 0.9, (40, len(LEVELS)))
    better = dsc.copy()
    better[11, 2] += 0.01
    scores = {"before": dsc, "changed": better, "worse": dsc - 0.3}
    folder = tmp_path_factory.mktemp("twins")
    store = PrivateStore(folder / "private-store")
    for slug, values in scores.items():
        sets = {name: spines(values, LEVELS, "COLONOG") for name in (PUBLIC, PRIVATE)}
        write_record_of(folder, slug, sets, store)
    return told(folder)


class TestOneCase:
    """Submissions that differ in one case."""

    def test_nothing_tells_which_is_better(self, twins: dict[str, Any]) -> None:
        """All that is told of the two is the same: ranks, their intervals, shares, scores; removal says shared."""
        for each in twins["standings"]:
            rows = {row.pop("slug"): row for row in map(dict, each["rows"])}
            assert rows["before"] == rows["changed"], (each["scheme"], each["metric"])
            assert rows["before"]["rank"] == 1
            if SCHEMES[each["scheme"]].left_out:
                assert each["stability"]["removal"] == {"n": 0, "exact": True, "case_ids": [], "new_leader": None}

    def test_nor_does_the_domain_gap(self, twins: dict[str, Any]) -> None:
        """Sources, losses and intervals are equal too."""
        gaps = twins["domain_gap"]
        assert gaps["before"]["sources"] == gaps["changed"]["sources"]
        assert gaps["before"]["losses"] == gaps["changed"]["losses"] is not None
        assert gaps["before"]["intervals"] == gaps["changed"]["intervals"] is not None

    @pytest.mark.parametrize("n_less", [1, 2])
    def test_shares_of_resamples_do_not_weigh_two_cases(self, tmp_path: Path, n_less: int) -> None:
        """One submission loses a case, the other another one: who is ahead how often would tell which counts more."""
        dsc = np.random.default_rng(5).uniform(0.3, 0.9, (20, len(LEVELS)))
        one, other = dsc.copy(), dsc.copy()
        one[:n_less], other[n_less : 2 * n_less] = 0.0, 0.0
        write(tmp_path, {"one": spines(one, LEVELS, "COLONOG"), "other": spines(other, LEVELS, "COLONOG")})
        for each in told(tmp_path)["standings"][:2]:
            assert [row["frequencies"] for row in each["rows"]] == [[0.5, 0.5]] * 2
            assert each["stability"]["removal"]["n"] == 0

    @pytest.mark.parametrize(("of_l6", "is_told"), [(0.05, False), (0.78, True)])
    def test_the_only_case_with_a_label_does_not_show_in_an_interval(
        self, tmp_path: Path, of_l6: float, *, is_told: bool
    ) -> None:
        """Its score, which is hidden, would follow from how wide the interval is: then there is none."""
        dsc = np.random.default_rng(6).uniform(0.7, 0.85, (30, len(LEVELS)))
        rare = spines(np.array([[0.8, of_l6]]), ("L3", "L6"), "MSD-T10")
        write(tmp_path, {"one": [*spines(dsc, LEVELS, "COLONOG"), *rare]})
        part = told(tmp_path)
        ((dsc_row,), (hd95_row,)) = (each["rows"] for each in part["standings"][:2])
        assert [dsc_row[end] is not None for end in ("score_low", "score_high")] == [is_told, is_told]
        assert dsc_row["frequencies"] == [1.0]
        assert hd95_row["score_low"] == hd95_row["score"] == 4.0

    def test_nor_in_that_of_a_domain_gap(self, tmp_path: Path) -> None:
        """When the spread of a mean is that of two cases, the gap has no interval."""
        dsc = np.full((30, len(LEVELS)), 0.8)
        store = PrivateStore(tmp_path / "private-store")
        for slug, lost in (("even", 0), ("odd", 2)):
            values = dsc - np.random.default_rng(7).uniform(0, 0.01, dsc.shape)
            values[:lost] = 0.1
            sets = {name: spines(values, LEVELS, "COLONOG") for name in (PUBLIC, PRIVATE)}
            write_record_of(tmp_path, slug, sets, store)
        gaps = told(tmp_path)["domain_gap"]
        assert gaps["even"]["intervals"] is not None
        assert gaps["odd"]["intervals"] is None

    def test_how_many_cases_decide_is_told_and_never_which(self, tmp_path: Path) -> None:
        """A lead that one case makes: removing one is enough, as a number alone."""
        lead = np.full((12, len(LEVELS)), 0.8)
        lead[5] = 0.99
        write(tmp_path, {"lead": spines(lead, LEVELS, "COLONOG"), "even": spines(0 * lead + 0.805, LEVELS, "COLONOG")})
        part = told(tmp_path)
        assert [row["slug"] for row in part["standings"][0]["rows"]] == ["lead", "even"]
        assert part["standings"][0]["stability"]["leave_one_out_leaders"] == {}
        removal = part["standings"][0]["stability"]["removal"]
        assert (removal["n"], removal["case_ids"], removal["new_leader"]) == (1, [], None)

    def test_one_real_prediction_is_not_ranked(self, tmp_path: Path) -> None:
        """Who sends one prediction and otherwise nothing has no mean, and therefore no rank that tells of it."""
        alone = np.zeros((12, len(LEVELS)))
        alone[0] = 0.9
        write(tmp_path, {"good": good(12), "alone": spines(alone, LEVELS, "COLONOG", 100.0)})
        part = told(tmp_path)
        assert list(part["entries"]) == ["good"]
        ((slug, reason),) = part["unranked"]
        assert (slug, reason.split(":")[0]) == ("alone", "Incomplete")
        assert "alone" not in part["domain_gap"]


def test_a_set_of_few_cases_tells_nothing(tmp_path: Path) -> None:
    """Under five cases there is no mean, no rank, and no number at all."""
    part = told(write(tmp_path, {"one": good(4), "two": good(4, seed=1)}))
    assert {key: part[key] for key in ("entries", "standings", "domain_gap")} == {
        "entries": {},
        "standings": [],
        "domain_gap": {},
    }
    assert [slug for slug, _ in part["unranked"]] == ["one", "two"]


class TestSources:
    """The mean DSC by source."""

    def test_a_small_source_takes_the_next_smallest_with_it(self, tmp_path: Path) -> None:
        """Three cases of a source are "<5" and without a mean; the next-smallest source is hidden with them."""
        cases = [*good(12), *good(3, "COVID-19"), *good(6, "MSD-T10")]
        sources = told(write(tmp_path, {"one": cases}))["domain_gap"]["one"]["sources"]
        assert sources["COVID-19"] == {"n_cases": "<5", "dsc": None}
        assert sources["MSD-T10"] == {"n_cases": None, "dsc": None}
        expected = np.random.default_rng([0, 12]).uniform(0.6, 0.95, (12, 4)).mean()
        assert sources["COLONOG"] == {"n_cases": 12, "dsc": round(float(expected), 3)}

    def test_cases_of_no_known_source_count_as_one(self, tmp_path: Path) -> None:
        """Three of them are hidden with the next-smallest source, though they are not listed."""
        cases = [*good(12), *good(3, "hospital-x"), *good(6, "MSD-T10")]
        sources = told(write(tmp_path, {"one": cases}))["domain_gap"]["one"]["sources"]
        assert sources["MSD-T10"] == {"n_cases": None, "dsc": None}
        assert sources.keys() == {"COLONOG", "MSD-T10"}

    def test_what_the_record_hides_stays_hidden(self, tmp_path: Path) -> None:
        """A source whose spine mean is one case's doing is not told in the record, nor here, nor its sibling."""
        cases = [*good(12), *good(9, "HNSCC-3DCT-RT"), *good(6, "MSD-T10"), *_with_one_spine(good(7, "COVID-19"))]
        write(tmp_path, {"one": cases})
        (entry,) = board_of(tmp_path).entries
        recorded = {source: part["n_cases"] for source, part in entry.on(PRIVATE)["sources"].items()}
        assert recorded == {"COLONOG": 12, "HNSCC-3DCT-RT": 9, "MSD-T10": None, "COVID-19": None}
        sources = told(tmp_path)["domain_gap"]["one"]["sources"]
        assert {source: part["n_cases"] for source, part in sources.items()} == recorded
        assert [source for source, part in sources.items() if part["dsc"] is None] == ["MSD-T10", "COVID-19"]

    @pytest.mark.parametrize(("n_both", "hidden"), [(0, False), (2, True), (4, True), (5, False)])
    def test_a_source_that_labels_nearly_make_up(self, tmp_path: Path, n_both: int, *, hidden: bool) -> None:
        """When all cervical vertebrae but those of a few cases are of one source, its sum less theirs is theirs."""
        lumbar, cervical = ("L1", "L2", "L3"), ("C3", "C4", "C5")
        cases = [
            *good(9, "HNSCC-3DCT-RT", cervical),
            *good(20 - n_both, "COLONOG", lumbar, seed=1),
            *_renamed(good(n_both, "COLONOG", ("C5", *lumbar), seed=2)),
        ]
        sources = told(write(tmp_path, {"one": cases}))["domain_gap"]["one"]["sources"]
        assert {source: part["n_cases"] for source, part in sources.items()} == {"COLONOG": 20, "HNSCC-3DCT-RT": 9}
        assert [part["dsc"] is None for part in sources.values()] == [hidden, hidden]

    @settings(max_examples=25, deadline=None)
    @given(st.data())
    def test_no_sum_over_sources_and_labels_is_about_few_cases(self, data: st.DataObject) -> None:
        """The sum over told sources less that over any labels is about five cases or more, or about nothing at all."""
        labels = st.frozensets(st.integers(1, 3), min_size=1)
        kinds = st.lists(st.tuples(labels, st.integers(1, 8)), min_size=1, max_size=2)
        of_source = data.draw(st.dictionaries(st.sampled_from(SOURCES[:3]), kinds, min_size=1))
        rows = pd.DataFrame(
            [
                {"source": source, "case_id": f"{source} {kind} {n}", "label": label, "dsc": 0.8, "weight": 1.0}
                for source, found in of_source.items()
                for kind, (labels_of, times) in enumerate(found)
                for n in range(times)
                for label in labels_of
            ]
        )
        # Labels of few cases are not told.
        rows = rows[rows.groupby("label")["case_id"].transform("nunique") >= 5]
        cells = {source: rows[rows["source"] == source] for source in (*SOURCES, "")}
        few = {source for source, cell in cells.items() if 0 < cell["case_id"].nunique() < 5}
        hidden = _hidden_sources(cells, few)
        shown = [source for source in SOURCES if source not in hidden and len(cells[source])]
        for sources in _subsets(shown):
            for chosen in _subsets([1, 2, 3]):
                apart = rows[rows["source"].isin(sources) != rows["label"].isin(chosen)]
                assert not 0 < apart["case_id"].nunique() < 5, (sources, chosen)


def _subsets(items: Sequence[Any]) -> Iterator[tuple[Any, ...]]:
    return chain.from_iterable(combinations(items, size) for size in range(len(items) + 1) if size)


def _renamed(cases: list[CaseResult]) -> list[CaseResult]:
    return [type(each)(**{**vars(each), "case_id": f"other {each.case_id}"}) for each in cases]


def _with_one_spine(cases: list[CaseResult]) -> list[CaseResult]:
    """The same cases, the spine of all but the first of them not found; the vertebrae are as they were."""
    changed = []
    for number, each in enumerate(cases):
        spine = each.score and each.score.spine
        assert spine is not None
        lost = type(spine)(**{**vars(spine), "dsc": 0.0, "hd95_mm": 100.0})
        score = type(each.score)(**{**vars(each.score), "spine": spine if number == 0 else lost})
        changed.append(type(each)(**{**vars(each), "score": score}))
    return changed


class TestLosses:
    """The mean losses by cause."""

    @staticmethod
    def rows(n: int, **n_lossy: int) -> pd.DataFrame:
        """Vertebrae of n cases, of which so many have a loss of .5 by the cause."""
        return pd.DataFrame(
            {
                "case_id": [f"case {i}" for i in range(n)],
                "weight": 1.0,
                **{name: [0.5 if i < n_lossy.get(name, 0) else 0.0 for i in range(n)] for name in LOSSES},
            }
        )

    def test_they_are_means_over_vertebrae(self) -> None:
        """With enough cases by every cause that there is."""
        found = _losses(self.rows(20, loss_identification=6, loss_boundary=20), self.rows(0))
        assert found == dict(zip(LOSSES, (0.15, 0.0, 0.5, 0.0), strict=True))

    @pytest.mark.parametrize("cause", LOSSES)
    @pytest.mark.parametrize("n", [1, 4])
    def test_a_cause_in_few_cases_hides_all(self, cause: str, n: int) -> None:
        """The causes add up to 1 − DSC: all are told or none; also if it is among the other labels."""
        lossy = dict.fromkeys(LOSSES, 10) | {cause: n}
        assert _losses(self.rows(20, **lossy), self.rows(0)) is None
        assert _losses(self.rows(20, **dict.fromkeys(LOSSES, 10)), self.rows(20, **{cause: n})) is None

    def test_only_beside_those_of_the_record(self, tmp_path: Path) -> None:
        """When the record holds its losses back, so do the standings."""
        write(tmp_path, {"one": good(12)})
        assert told(tmp_path)["domain_gap"]["one"]["losses"] is not None

        def change(results: dict[str, Any]) -> None:
            results["test_sets"][PRIVATE]["loss"] = dict.fromkeys(("identification", "missed", "boundary", "spurious"))

        change_results(tmp_path / "submissions" / "one", change)
        assert told(tmp_path)["domain_gap"]["one"]["losses"] is None


def test_labels_of_few_cases_enter_no_gap(tmp_path: Path) -> None:
    """The gap is over the labels whose means are published: a hidden L6 of three cases changes no source."""
    cases = [*good(12), *_renamed(good(3, levels=("L2", "L3", "L6"), seed=4))]
    part = told(write(tmp_path, {"one": cases}))
    (entry,) = board_of(tmp_path).entries
    labels = entry.on(PRIVATE)["labels"]
    hidden = [name for name in ("T12", "L1", "L2", "L3", "L6") if not isinstance(labels[name]["n_reference"], int)]
    assert hidden == ["T12", "L6"]
    dsc = np.random.default_rng([0, 12]).uniform(0.6, 0.95, (12, 4))[:, 1:]
    more = np.random.default_rng([4, 3]).uniform(0.6, 0.95, (3, 3))[:, :2]
    mean = (dsc.sum() + more.sum()) / (dsc.size + more.size)
    assert part["domain_gap"]["one"]["sources"] == {"COLONOG": {"n_cases": 15, "dsc": round(float(mean), 3)}}


class TestStore:
    """Whose cases are in the store."""

    def test_who_is_not_there_is_not_ranked(self, folder: Path) -> None:
        """A submission that another store has scored is left out, and the board says why."""
        (folder / "private-store" / "index" / "beta.json").unlink()
        part = told(folder)
        assert list(part["entries"]) == ["alpha", "gamma"]
        assert len(part["standings"][0]["rows"]) == 2
        assert part["unranked"] == [("beta", NOT_IN_PRIVATE_STANDINGS)]

    @pytest.mark.parametrize("what", ["engine_version", "digests"])
    def test_scores_that_the_record_was_not_made_from(self, folder: Path, what: str) -> None:
        """Scores of another scorer or other references, which are not published yet, do not enter."""
        for path in (folder / "private-store" / "scores").glob("*/results.json"):
            results = json.loads(path.read_text())
            change = {PRIVATE: {"references": "0" * 64, "predictions": "0" * 64}} if what == "digests" else 1
            results["provenance"][what] = change
            path.write_text(json.dumps(results))
        part = told(folder)
        assert part["standings"] == []
        assert [slug for slug, _ in part["unranked"]] == ["alpha", "beta", "gamma"]

    @pytest.mark.parametrize("damage", [b"", b"PAR1", None])
    def test_broken_scores_are_an_error_without_a_private_word(self, folder: Path, damage: bytes | None) -> None:
        """The organizers learn whose scores are broken; no path or content is quoted."""
        for path in (folder / "private-store" / "scores").glob("*/private.parquet"):
            path.unlink()
            if damage is not None:
                path.write_bytes(damage)
        with pytest.raises(SubmissionError, match=r"^E_RECORD: alpha: expected its scores in the private store") as it:
            private_standings(board_of(folder), PrivateStore(folder / "private-store"))
        assert str(folder) not in str(it.value)
        assert it.value.__cause__ is None

    def test_a_board_without_private_results(self, folder: Path) -> None:
        """Nobody has private results: an empty part, no error."""
        for slug in ("alpha", "beta", "gamma"):
            change_results(folder / "submissions" / slug, lambda results: results["test_sets"].pop(PRIVATE))
        board = board_of(folder)
        assert private_standings(board, PrivateStore(folder / "private-store")).test_sets == {}

    def test_a_changed_declaration_has_no_scores(self, folder: Path) -> None:
        """The store has the scores of another declaration of the same submission."""
        path = folder / "submissions" / "beta" / "submission.yaml"
        path.write_text(path.read_text().replace("Made: beta.", "Made: beta, again."))
        assert list(told(folder)["entries"]) == ["alpha", "gamma"]
        shutil.rmtree(folder / "submissions" / "beta")
        assert list(told(folder)["entries"]) == ["alpha", "gamma"]
