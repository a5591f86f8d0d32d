"""Two submissions side by side: every number worked out again from the rows of the records, and what is said of it."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from board_records import board_of, spines, write_record_of
from made_boards import make_board

from ctspine_bench.board.board import NO_SUCH_VERTEBRAE
from ctspine_bench.board.private import private_standings
from ctspine_bench.hosting.store import PrivateStore
from ctspine_bench.rankings.pairwise import pairwise_tests
from ctspine_leaderboard.views.compare import compare, tables, words

if TYPE_CHECKING:
    from ctspine_bench.board import Board
    from ctspine_leaderboard.views.compare import CaseComparison, Comparison

PUBLIC, PRIVATE = "phantom-public", "phantom-private"
PUBLISHED = Path(__file__).parents[2] / "submissions" / "nnunet-paper"


def compared(
    board: Board, first: str, second: str, test_set: str = PUBLIC, metric: str = "dsc", **more: str
) -> Comparison:
    one, other = board.entry(first), board.entry(second)
    assert one is not None
    assert other is not None
    return compare(board, test_set, one, other, metric, more.get("region", "all"))


def rows_of(folder: Path, slug: str, test_set: str = PUBLIC) -> pd.DataFrame:
    """The vertebrae in references or predictions, from the file; HD95 by the official rule."""
    rows = pd.read_parquet(folder / "submissions" / slug / "cases.parquet")
    rows = rows[(rows["test_set"] == test_set) & (rows["row"] == "vertebra")]
    return rows.assign(hd95_mm=rows["hd95_mm"].fillna(100.0).clip(upper=100.0))


def by_case(folder: Path, metric: str, *slugs: str) -> pd.DataFrame:
    """Means over the vertebrae of each case, a column for each submission."""
    return pd.DataFrame({slug: rows_of(folder, slug).groupby("case_id")[metric].mean() for slug in slugs})


@pytest.fixture(scope="module")
def of_all_kinds(tmp_path_factory: pytest.TempPathFactory, made_folder: Path) -> Path:
    """The made board with an outdated record, one that is not scored yet, and a published one on the phantom sets."""
    folder = tmp_path_factory.mktemp("kinds")
    submissions = folder / "submissions"
    shutil.copytree(made_folder / "submissions", submissions)
    shutil.copytree(made_folder / "private-store", folder / "private-store")
    shutil.copytree(submissions / "beta", submissions / "outdated")
    results = json.loads((submissions / "outdated" / "results.json").read_text())
    results["submission"]["slug"] = "outdated"
    results["provenance"]["engine_version"] = 1
    (submissions / "outdated" / "results.json").write_text(json.dumps(results))
    shutil.copytree(submissions / "beta", submissions / "waiting")
    for name in ("results.json", "cases.parquet"):
        (submissions / "waiting" / name).unlink()
    shutil.copytree(PUBLISHED, submissions / "published")
    results = json.loads((PUBLISHED / "results.json").read_text())
    results["test_sets"] = {f"phantom-{name}": means for name, means in results["test_sets"].items()}
    (submissions / "published" / "results.json").write_text(json.dumps(results))
    return folder


@pytest.fixture(scope="module")
def board(of_all_kinds: Path) -> Board:
    return board_of(of_all_kinds)


@pytest.mark.parametrize("metric", ["dsc", "hd95_mm"])
def test_the_numbers_are_those_of_the_records(made_board: Board, made_folder: Path, metric: str) -> None:
    """Means, wins and losses, the effect and the corrected test follow from the rows of the two records."""
    found = compared(made_board, "gamma", "delta", metric=metric)
    cases = found.cases
    assert cases is not None
    means = by_case(made_folder, metric, "gamma", "delta")
    assert cases.case_ids == tuple(means.index)
    assert cases.differences == pytest.approx((means["gamma"] - means["delta"]).to_numpy(), abs=1e-12)
    sign = 1 if metric == "dsc" else -1
    leads = sign * (means["gamma"] - means["delta"])
    assert (cases.wins, cases.ties, cases.losses) == ((leads > 0).sum(), 0, (leads < 0).sum())

    labels = [rows_of(made_folder, slug).groupby("vertebra")[metric].mean() for slug in ("gamma", "delta")]
    assert found.means == pytest.approx((labels[0].mean(), labels[1].mean()), abs=1e-12)
    assert cases.difference.value == pytest.approx(labels[0].mean() - labels[1].mean(), abs=1e-12)

    differences = cases.differences
    walsh = np.add.outer(differences, differences)[np.triu_indices(len(differences))] / 2
    assert cases.test.effect == pytest.approx(np.median(walsh), abs=1e-12)
    paired = made_board.paired(PUBLIC)
    assert paired is not None
    # The board has them in the order of their slugs.
    expected = pairwise_tests(paired, metric)["delta", "gamma"]
    assert (cases.test.p, cases.test.p_holm) == pytest.approx((expected.p, expected.p_holm))
    assert cases.n_pairs == 6


def test_labels_are_those_of_the_records(made_board: Board, made_folder: Path) -> None:
    """Each label has its two means and its n; from ten cases on an interval holds the difference."""
    found = compared(made_board, "alpha", "gamma")
    groups = [rows_of(made_folder, slug).groupby("vertebra")["dsc"] for slug in ("alpha", "gamma")]
    sizes, means = groups[0].size(), [group.mean() for group in groups]  # alpha has no spurious vertebra
    data = found.label_data().set_index("vertebra")
    assert set(data.index) == set(sizes.index)
    for name, row in data.iterrows():
        assert row["n"] == sizes[name]
        assert row["dsc_a"] == pytest.approx(means[0][name], abs=1e-12)
        assert row["difference"] == pytest.approx(means[0][name] - means[1][name], abs=1e-12)
        assert pd.notna(row["low"]) == pd.notna(row["high"]) == (sizes[name] >= 10)
        if sizes[name] >= 10:
            assert row["low"] <= row["difference"] <= row["high"]
    assert {10, 9} & set(sizes), "both sides of the limit are there"


def test_a_region_is_about_its_labels_alone(made_board: Board, made_folder: Path) -> None:
    """Of the lumbar spine there are lumbar labels, and the cases that show some of it."""
    found = compared(made_board, "alpha", "beta", region="lumbar")
    rows = rows_of(made_folder, "alpha")
    lumbar = rows[rows["vertebra"].str.startswith("L")]
    assert found.cases is not None
    assert set(found.cases.case_ids) == set(lumbar["case_id"])
    assert {row.name for row in found.labels} == set(lumbar["vertebra"])
    assert found.means[0] == pytest.approx(lumbar.groupby("vertebra")["dsc"].mean().mean(), abs=1e-12)
    assert "Mean of Vertebrae DSC of the lumbar spine" in words.verdict(found)[0]


def test_the_other_way_round_is_the_mirror_image(made_board: Board) -> None:
    """What the first wins the second loses, and every difference changes its sign."""
    one, other = compared(made_board, "beta", "delta"), compared(made_board, "delta", "beta")
    assert one.cases is not None
    assert other.cases is not None
    assert (one.cases.wins, one.cases.losses) == (other.cases.losses, other.cases.wins)
    assert one.cases.test.p_holm == other.cases.test.p_holm
    assert one.cases.removal == other.cases.removal
    assert one.cases.deciding() == tuple(
        tuple(replace(case, first=case.second, second=case.first) for case in side)
        for side in other.cases.deciding()[::-1]
    )


def test_the_cases_that_decide_are_the_largest_differences(made_board: Board, made_folder: Path) -> None:
    """Five for each side at most, the largest first; each leads to its page, and its name is escaped in the address."""
    found = compared(made_board, "beta", "gamma")
    assert found.cases is not None
    first, second = found.cases.deciding()
    means = by_case(made_folder, "dsc", "beta", "gamma")
    difference = means["beta"] - means["gamma"]
    assert [case.case_id for case in first] == list(difference[difference > 0].sort_values(ascending=False).index[:5])
    assert [case.case_id for case in second] == list(difference[difference < 0].sort_values().index[:5])
    assert first[0].difference == pytest.approx(difference.max(), abs=1e-12)
    table = tables.deciding_table(found)
    assert table is not None
    assert f'href="cases?set=phantom-public&amp;case={first[0].case_id}&amp;ids=beta%2Cgamma"' in table


def test_without_the_cases_that_are_named_the_other_is_ahead(made_board: Board, made_folder: Path) -> None:
    """Leaving out the cases of the removal puts the other first, by Mean of Vertebrae."""
    found = compared(made_board, "beta", "gamma")
    assert found.cases is not None
    removal = found.cases.removal
    assert removal.n is not None
    assert found.cases.difference.value > 0
    left = [rows_of(made_folder, slug) for slug in ("beta", "gamma")]
    without = [rows[~rows["case_id"].isin(removal.case_ids)].groupby("vertebra")["dsc"].mean().mean() for rows in left]
    assert without[0] < without[1]
    assert any(f"{removal.n} case" in sentence for sentence in words.verdict(found))


def test_who_is_surely_better_is_said_so(made_board: Board) -> None:
    """Alpha is better than delta in every way; the order of the two does not matter."""
    for pair in (("alpha", "delta"), ("delta", "alpha")):
        who, sure, *_ = words.verdict(compared(made_board, *pair))
        assert who.startswith("alpha is better than delta by 0.")
        assert sure.startswith("That is sure (")


def changed(found: Comparison, **changes: Any) -> Comparison:
    """A comparison whose cases say something else."""
    assert found.cases is not None
    cases: CaseComparison = found.cases
    test = replace(cases.test, **{name: value for name, value in changes.items() if name in {"p_holm", "effect"}})
    ends = {name: value for name, value in changes.items() if name in {"value", "low", "high"}}
    return replace(found, cases=replace(cases, test=test, difference=replace(cases.difference, **ends)))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"low": -0.01, "p_holm": 0.3}, "could as well be the other way round"),
        ({"p_holm": 0.3}, "the interval excludes 0, but the test over cases finds no difference"),
        ({"low": -0.01, "p_holm": 0.01}, "alpha is ahead in most cases, but the interval of the mean includes 0"),
        ({"effect": -0.1, "p_holm": 0.01}, "point to different sides"),
        ({"low": None, "high": None}, "cannot be said: 24 cases are too few"),
        ({"p_holm": 0.0499}, "That is sure"),
        ({"p_holm": 0.05}, "finds no difference"),
    ],
    ids=["neither", "interval alone", "test alone", "they disagree", "too few", "just", "just not"],
)
def test_what_is_not_sure_is_not_called_so(made_board: Board, changes: dict[str, Any], said: str) -> None:
    """Interval and corrected test must agree; what speaks against it is named."""
    found = changed(compared(made_board, "alpha", "delta"), **changes)
    assert said in words.verdict(found)[1]


def test_nothing_is_claimed_of_a_copy(made_folder: Path, tmp_path: Path) -> None:
    """Equal submissions have the same score, are equal in all cases, and none of them decides."""
    make_board(tmp_path)
    shutil.copytree(tmp_path / "submissions" / "beta", tmp_path / "submissions" / "copy")
    path = tmp_path / "submissions" / "copy" / "results.json"
    path.write_text(path.read_text().replace('"slug": "beta"', '"slug": "copy"'))
    found = compared(board_of(tmp_path), "beta", "copy")
    assert found.cases is not None
    assert (found.cases.wins, found.cases.ties, found.cases.losses) == (0, 24, 0)
    assert found.cases.deciding() == ((), ())
    assert (found.cases.test.p, found.cases.test.p_holm) == (1.0, 1.0)
    said = words.verdict(found)
    assert said[0].startswith("beta and copy have the same Mean of Vertebrae DSC")
    assert said[1] == "They are equal in every case."
    assert not any("Without" in sentence for sentence in said)
    assert found.names == ("beta", "copy"), "they have the same name, and are told apart by their slugs"


def test_few_cases_have_no_interval_and_no_test(tmp_path: Path) -> None:
    """Five cases: differences, but neither intervals nor p values; of a region that is not there nothing."""
    store = PrivateStore(tmp_path / "private-store")
    generator = np.random.default_rng(0)
    for slug in ("one", "other"):
        cases = {PUBLIC: spines(generator.uniform(0.5, 1, (5, 2)), ("L1", "L2"), "MSD-T10")}
        write_record_of(tmp_path, slug, cases, store)
    board = board_of(tmp_path)
    found = compared(board, "one", "other")
    assert found.cases is not None
    assert (found.cases.test.p, found.cases.test.p_holm, found.cases.difference.low) == (None, None, None)
    assert "5 cases are too few" in words.verdict(found)[1]
    summary = tables.summary(found)
    assert summary is not None
    assert "none under ten cases" in summary
    nothing = compared(board, "one", "other", region="cervical")
    assert (nothing.cases, nothing.labels) == (None, ())
    assert words.verdict(nothing) == (NO_SUCH_VERTEBRAE,)


def test_of_a_private_set_published_means_are_compared(board: Board, of_all_kinds: Path) -> None:
    """No case, no interval, no test; the difference of each label is that of the two published means."""
    found = compared(board, "alpha", "beta", PRIVATE)
    assert found.cases is None
    assert found.case_figure() is None
    assert found.case_data().empty
    told = [
        json.loads((of_all_kinds / "submissions" / slug / "results.json").read_text())["test_sets"][PRIVATE]
        for slug in ("alpha", "beta")
    ]
    expected = {
        name: told[0]["labels"][name]["dsc"] - told[1]["labels"][name]["dsc"]
        for name in told[0]["labels"]
        if None not in (told[0]["labels"][name]["dsc"], told[1]["labels"].get(name, {"dsc": None})["dsc"])
    }
    assert {row.name: row.difference.difference for row in found.labels} == pytest.approx(expected, abs=1e-12)
    assert all(row.low is None for row in found.labels)
    assert found.means == tuple(each["mean_of_vertebrae"]["dsc"] for each in told)
    said = " ".join(words.verdict(found))
    assert "cases of a private test set are not published" in said
    assert "has rank" not in said
    assert "made-private" not in said + tables.label_table(found)


def test_ranks_on_a_private_set_are_those_of_the_organizers(board: Board, of_all_kinds: Path) -> None:
    """With their standings at hand, both ranks are told with their intervals."""
    ranked = board.with_private(private_standings(board, PrivateStore(of_all_kinds / "private-store")))
    said = " ".join(words.verdict(compared(ranked, "delta", "alpha", PRIVATE)))
    rows = {row.slug: row for row in ranked.standings(PRIVATE).standings.rows}  # type: ignore[union-attr]
    delta, alpha = rows["delta"], rows["alpha"]
    assert f"delta has rank {delta.rank} (95 % interval {delta.low} to {delta.high})" in said
    assert f"alpha has rank {alpha.rank} (95 % interval {alpha.low} to {alpha.high})" in said


def test_an_nsd_of_a_private_set_is_nothing_to_compare(board: Board) -> None:
    """The record tells DSC and HD95 by label: of the NSD there is Mean of Vertebrae at most, and that is said."""
    found = compared(board, "alpha", "beta", PRIVATE, "nsd_1mm")
    assert found.labels == ()
    assert "nothing" in " ".join(words.verdict(found))


def test_published_numbers_meet_the_rule_of_the_paper(board: Board, of_all_kinds: Path) -> None:
    """A spurious vertebra counts with DSC 0, HD95 is over matched ones: worked out here from the rows of the record."""
    rows = pd.read_parquet(of_all_kinds / "submissions" / "gamma" / "cases.parquet")
    rows = rows[(rows["test_set"] == PUBLIC) & (rows["row"] == "vertebra")]
    paper = json.loads((PUBLISHED / "results.json").read_text())["test_sets"]["public"]["labels"]
    assert (rows["status"] == "spurious").any()
    for metric, values in (("dsc", rows["dsc"].fillna(0)), ("hd95_mm", rows["hd95_mm"])):
        means = values.groupby(rows["vertebra"]).mean()
        found = compared(board, "published", "gamma", metric=metric)
        assert {row.name: row.second for row in found.labels} == pytest.approx(means.dropna().to_dict(), abs=1e-12)
        assert all(row.first == paper[row.name][metric] for row in found.labels)
        assert found.means[1] == pytest.approx(means.mean(), abs=1e-12)
    said = " ".join(words.verdict(compared(board, "published", "gamma")))
    assert "As published: not scored by this benchmark" in said
    assert "A published HD95" not in said, "the paper's DSC is by the official rule"
    assert "That is" not in said
    of_hd95 = " ".join(words.verdict(compared(board, "published", "gamma", metric="hd95_mm")))
    assert "A published HD95 is over matched vertebrae alone" in of_hd95
    assert "Mean of Vertebrae HD95 of matched vertebrae" in of_hd95


def test_of_a_private_set_hd95_of_matched_is_not_told_by_label(board: Board) -> None:
    """Beside a published row there is official DSC, and of HD95 of matched Mean of Vertebrae alone."""
    labels = board.entry("alpha").on(PRIVATE)["labels"]
    dsc = compared(board, "published", "alpha", PRIVATE)
    assert {row.name: row.second for row in dsc.labels} == {
        name: means["dsc"] for name, means in labels.items() if means["dsc"] is not None
    }
    found = compared(board, "published", "alpha", PRIVATE, "hd95_mm")
    assert found.labels == ()
    assert found.means[1] == board.entry("alpha").on(PRIVATE)["mean_of_vertebrae"]["hd95_matched_mm"] is not None
    assert "By label nothing is published" in " ".join(words.verdict(found))


def test_what_is_not_ranked_is_compared_without_a_test(board: Board) -> None:
    """A outdated record has means, which are those of its twin; the reason is said, and nothing is called sure."""
    found = compared(board, "outdated", "beta")
    assert found.cases is None
    assert {row.difference.difference for row in found.labels} == {0.0}
    said = " ".join(words.verdict(found))
    assert "outdated is not ranked on this test set. Outdated: scored with an earlier scorer" in said
    assert "without intervals" in said
    assert "sure" not in said


def test_what_is_planned_is_told_from_what_is_found(made_board: Board) -> None:
    """A comparison is exploratory, and the page says so once."""
    said = words.verdict(compared(made_board, "alpha", "delta"))
    assert sum("exploratory" in sentence for sentence in said) == 1


def test_what_is_not_scored_is_nothing_to_compare(board: Board) -> None:
    """A submission that waits for its scores has none to compare."""
    found = compared(board, "alpha", "waiting")
    assert (found.labels, found.means[1]) == ((), None)
    said = " ".join(words.verdict(found))
    assert "Not scored yet." in said
    assert "There is nothing to compare" in said
