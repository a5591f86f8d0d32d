"""The numbers of the domain gap, worked out here from the rows of the records, and what stands in for them."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from board_records import PRIVATE, PUBLIC, VERSE, board_of, change_results
from made_boards import Quality, make_board
from scipy import stats

from ctspine_bench.anatomy import VERTEBRAE
from ctspine_bench.board import Board
from ctspine_bench.board.cache import Cache
from ctspine_bench.board.private import private_standings
from ctspine_bench.charts.domain_gap import signed
from ctspine_bench.hosting.store import PrivateStore
from ctspine_bench.jackknife import PRIOR_DF
from ctspine_bench.testsets import named
from ctspine_leaderboard.views import domain_gap as views
from ctspine_leaderboard.views.domain_gap import gaps
from ctspine_leaderboard.views.domain_gap.scores import CASES, LABELS, NOTHING, PUBLISHED

if TYPE_CHECKING:
    from collections.abc import Callable

REAL = Path(__file__).parents[2] / "submissions"
PARTS = ("label_mix", "within_label", "one_set_only")
CAUSES = ("identification", "missed", "boundary", "spurious")


@pytest.fixture(scope="module")
def told_board(made_folder: Path, made_board: Board) -> Board:
    """The made board with what its organizers tell of the private set."""
    return made_board.with_private(private_standings(made_board, PrivateStore(made_folder / "private-store")))


def official_rows(folder: Path, slug: str, test_set: str) -> pd.DataFrame:
    """The rows of all vertebrae of a record, spurious ones among them."""
    rows = pd.read_parquet(folder / "submissions" / slug / "cases.parquet")
    return rows[(rows["test_set"] == test_set) & (rows["row"] == "vertebra")]


def in_reference(rows: pd.DataFrame) -> pd.Series:
    """How many references have each label; 0 for labels that are not there."""
    found = rows[rows["status"] != "spurious"].groupby("vertebra").size()
    return found.reindex(VERTEBRAE, fill_value=0)


def score_of(rows: pd.DataFrame, column: str = "dsc") -> float:
    """The mean of each label over the cases that have it, weighed by how often the references have it."""
    n = in_reference(rows)
    means = rows.groupby("vertebra")[column].mean().reindex(VERTEBRAE, fill_value=0.0)
    return float((n * means).sum() / n.sum())


def off_by(rows: pd.DataFrame, score: Callable[[pd.DataFrame], float]) -> tuple[float, float]:
    """Squared error and degrees of freedom of a score: each case left out in turn, in a plain loop (`jackknife`)."""
    n_of_case = rows[rows["status"] != "spurious"].groupby("case_id").size()
    weights = {case: n / n_of_case.sum() for case, n in n_of_case.items()}
    squares = [weight**2 for weight in weights.values()]
    n = len(squares)
    carried_by = sum(squares) ** 2 / sum(square**2 for square in squares) - 1
    own = carried_by / (carried_by + PRIOR_DF)
    whole, variance = score(rows), 0.0
    for case in rows["case_id"].unique():
        deviation = math.sqrt((n - 1) / n) * (score(rows[rows["case_id"] != case]) - whole)
        factor = max(own + (1 - own) * sum(squares) / n / weights[case] ** 2, 1.0) if case in weights else 1.0
        variance += factor * deviation**2
    return variance, min(carried_by + PRIOR_DF, n - 1)


def interval_of(value: float, *parts: tuple[float, float]) -> tuple[float, float]:
    """The 95 % interval of a sum of independent parts, with Welch's degrees of freedom."""
    total = sum(variance for variance, _ in parts)
    df = total**2 / sum(variance**2 / df for variance, df in parts)
    half = float(stats.t.ppf(0.975, df)) * math.sqrt(total)
    return value - half, value + half


def expected_parts(public: pd.DataFrame, other: pd.DataFrame, column: str, share: float = 0.5) -> dict[str, float]:
    """The three parts of a difference in the mean of a column, as Kitagawa defines them, label by label.

    `share` is that of the public set in the scores, and of the other one in the weights.
    """
    n_public, n_other = in_reference(public), in_reference(other)
    mean_public, mean_other = (rows.groupby("vertebra")[column].mean() for rows in (public, other))
    both = [name for name in VERTEBRAE if n_public[name] and n_other[name]]
    total_public, total_other = sum(n_public[name] for name in both), sum(n_other[name] for name in both)
    mix = within = of_both = 0.0
    for name in both:
        w, v = n_public[name] / total_public, n_other[name] / total_other
        s, t = mean_public[name], mean_other[name]
        mix += (w - v) * (share * s + (1 - share) * t)
        within += ((1 - share) * w + share * v) * (s - t)
        of_both += w * s - v * t
    alone = score_of(public, column) - score_of(other, column) - of_both
    return {"label_mix": mix, "within_label": within, "one_set_only": alone}


def gap_to(board: Board, slug: str, other: str) -> views.Gap:
    view = views.domain_gap_view(board, "phantom", [slug])
    return next(each for each in view.gaps if each.other.name == other)


def test_a_score_is_the_mean_of_labels_by_their_frequency(made_board: Board, made_folder: Path) -> None:
    """Labels weigh as the references have them, missed and spurious are 0; cases are left out one by one."""
    view = views.domain_gap_view(made_board, "phantom", ["gamma"])
    for found in view.scores:
        if found.test_set.private:
            continue
        rows = official_rows(made_folder, "gamma", found.test_set.name)
        low, high = interval_of(score_of(rows), off_by(rows, score_of))
        assert found.basis == CASES
        assert found.estimate.n_cases == rows["case_id"].nunique()
        assert found.estimate.n_vertebrae == (rows["status"] != "spurious").sum()
        assert found.estimate.dsc == pytest.approx(score_of(rows), abs=1e-12)
        expected = (max(low, 0.0), min(high, 1.0))
        assert (found.estimate.low, found.estimate.high) == pytest.approx(expected, abs=1e-9)


def test_a_private_score_comes_from_the_published_means(made_board: Board) -> None:
    """It is the mean over the vertebrae of those labels whose n and mean are in the record; there is no interval."""
    view = views.domain_gap_view(made_board, "phantom", ["beta"])
    (found,) = [each for each in view.scores if each.test_set.private]
    labels = made_board.entry("beta").on(PRIVATE)["labels"]
    told = [cell for cell in labels.values() if isinstance(cell["n_reference"], int) and cell["dsc"] is not None]
    total = sum(cell["n_reference"] for cell in told)
    assert found.basis == LABELS
    assert found.estimate.n_vertebrae == total
    assert found.estimate.dsc == pytest.approx(
        sum(cell["n_reference"] * cell["dsc"] for cell in told) / total, abs=1e-12
    )
    assert found.estimate.low is None


@pytest.mark.parametrize("slug", ["alpha", "beta", "gamma", "delta"])
def test_a_gap_is_taken_apart_as_kitagawa_did(made_board: Board, made_folder: Path, slug: str) -> None:
    """Every part is that of the definition, by cause as well, and all of them add up to the gap to 1e-12."""
    found = gap_to(made_board, slug, VERSE)
    public, other = (official_rows(made_folder, slug, name) for name in (PUBLIC, VERSE))
    parts = expected_parts(public, other, "dsc")
    assert found.split is not None
    assert {name: found.part(name) for name in PARTS} == pytest.approx(parts, abs=1e-12)
    assert found.difference == pytest.approx(score_of(public) - score_of(other), abs=1e-12)
    assert sum(found.part(name) for name in PARTS) == pytest.approx(found.difference, abs=1e-12)
    for cause in CAUSES:
        losses = expected_parts(public, other, f"loss_{cause}")
        for name in PARTS:
            assert getattr(getattr(found.split, name), cause) == pytest.approx(-losses[name], abs=1e-12)
        assert getattr(found.split.whole, cause) == pytest.approx(-sum(losses.values()), abs=1e-12)
    for name in PARTS:
        part = getattr(found.split, name)
        assert sum(getattr(part, cause) for cause in CAUSES) == pytest.approx(part.total, abs=1e-12)


@pytest.mark.parametrize("slug", ["alpha", "beta", "gamma", "delta"])
def test_parts_have_a_range_and_the_largest_is_sure(made_board: Board, made_folder: Path, slug: str) -> None:
    """Both one-sided ways are its ends; a part is called the largest only if it is so in all three."""
    found = gap_to(made_board, slug, VERSE)
    public, other = (official_rows(made_folder, slug, name) for name in (PUBLIC, VERSE))
    ways = [expected_parts(public, other, "dsc", share) for share in (0.0, 0.5, 1.0)]
    assert found.split is not None
    for name in PARTS:
        ends = sorted((ways[0][name], ways[2][name]))
        assert found.split.ranges[name] == pytest.approx(ends, abs=1e-12)
        assert ends[0] - 1e-12 <= found.part(name) <= ends[1] + 1e-12
    largest = {max(way, key=lambda name: abs(way[name])) for way in ways}
    assert found.split.largest == (largest.pop() if len(largest) == 1 else None)
    data = views.part_table(found).set_index("part")
    assert tuple(data.loc["label_mix", ["range_low", "range_high"]]) == found.split.ranges["label_mix"]
    shown = found.range_of("label_mix")
    assert (shown is None) == (len({signed(end) for end in found.split.ranges["label_mix"]}) == 1)


def test_the_interval_of_a_gap_leaves_cases_of_both_sets_out(made_board: Board, made_folder: Path) -> None:
    """Cases of either set are left out one at a time, the others stay: squared errors add up."""
    found = gap_to(made_board, "gamma", VERSE)
    public, other = (official_rows(made_folder, "gamma", name) for name in (PUBLIC, VERSE))

    def measured(name: str) -> tuple[float, float]:
        def value(one: pd.DataFrame, two: pd.DataFrame) -> float:
            return score_of(one) - score_of(two) if name == "gap" else expected_parts(one, two, "dsc")[name]

        return interval_of(
            value(public, other),
            off_by(public, lambda rows: value(rows, other)),
            off_by(other, lambda rows: value(public, rows)),
        )

    for name in ("gap", *PARTS):
        assert found.intervals[name] == pytest.approx(measured(name), abs=1e-9), name
    assert set(found.intervals) == {"gap", *PARTS}
    assert found.notes == ()


def test_where_the_gap_comes_from_is_where_it_was_put(made_board: Board) -> None:
    """The made submissions lose a tenth of their outlines on VerSe; gamma's names are wrong as often on both sets."""
    split = gap_to(made_board, "alpha", VERSE).split
    assert split is not None
    assert split.within_label.boundary == pytest.approx(split.within_label.total)
    assert split.within_label.total > 0.05 > abs(split.label_mix.total)


def test_of_a_private_set_the_organizers_tell_intervals_and_causes(told_board: Board) -> None:
    """Intervals are those of their file; causes are of the whole gap, and what they leave is lost to the outline."""
    found = gap_to(told_board, "alpha", PRIVATE)
    told = told_board.private_gap(PRIVATE, "alpha")
    assert told is not None
    assert found.intervals == told["intervals"]
    assert found.notes == (gaps.TOLD_LABELS, gaps.CAUSES_OF_THE_WHOLE)
    assert found.split is not None
    losses = told["losses"]
    assert losses["loss_missed"] == losses["loss_spurious"] == 0.0
    whole = found.split.whole
    assert sum(getattr(whole, cause) for cause in CAUSES) == pytest.approx(whole.total, abs=1e-12)
    assert (whole.missed, whole.spurious) == pytest.approx((0.0, 0.0), abs=1e-12)
    assert whole.boundary == pytest.approx(whole.total, abs=1e-12)
    assert all(getattr(getattr(found.split, name), cause) is None for name in PARTS for cause in CAUSES)
    parts = views.part_table(found).set_index("part")
    assert parts.loc["gap", list(CAUSES)].notna().all()
    assert "nan" not in views.part_markup(found)
    assert parts.loc[list(PARTS), list(CAUSES)].isna().all(axis=None)


def test_causes_that_would_tell_about_few_cases_are_held_back(told_board: Board) -> None:
    """Beta misses vertebrae in few private cases: its gap has an interval, and no causes."""
    found = gap_to(told_board, "beta", PRIVATE)
    assert told_board.private_gap(PRIVATE, "beta")["losses"] is None
    assert found.notes == (gaps.TOLD_LABELS, gaps.CAUSES_NOT_TOLD)
    assert found.intervals
    assert found.split.whole.boundary is None
    parts = views.part_table(found)
    assert parts[list(CAUSES)].isna().all(axis=None)
    assert parts.set_index("part")["total"]["gap"] == found.difference


def test_without_the_organizers_file_the_parts_remain(made_board: Board) -> None:
    """Parts follow from the record alone; intervals and causes do not, and that is said."""
    found = gap_to(made_board, "alpha", PRIVATE)
    assert found.notes == (gaps.TOLD_LABELS, gaps.NOT_AT_HAND)
    assert found.intervals == {}
    assert sum(found.part(name) for name in PARTS) == pytest.approx(found.difference, abs=1e-12)


def test_a_record_that_has_changed_is_not_told_about(told_board: Board, made_folder: Path, tmp_path: Path) -> None:
    """What the organizers tell of an earlier record is not shown beside a later one."""
    folder = shutil.copytree(made_folder, tmp_path / "made")
    text = (folder / "submissions" / "alpha" / "submission.yaml").read_text()
    (folder / "submissions" / "alpha" / "submission.yaml").write_text(f"{text}\n")
    board = board_of(folder).with_private(told_board._private)
    assert gap_to(board, "alpha", PRIVATE).notes == (gaps.TOLD_LABELS, gaps.NOT_AT_HAND)
    assert gap_to(board, "beta", PRIVATE).intervals


def test_an_outdated_submission_has_parts_without_intervals(made_folder: Path, tmp_path: Path) -> None:
    """What was scored with another scorer is not ranked: its gap comes from its means by label."""
    folder = shutil.copytree(made_folder, tmp_path / "made")
    change_results(folder / "submissions" / "beta", lambda results: results["provenance"].update(engine_version=1))
    found = gap_to(board_of(folder), "beta", VERSE)
    rows = [official_rows(folder, "beta", name)["dsc"].mean() for name in (PUBLIC, VERSE)]
    assert found.notes == (gaps.NOT_RANKED,)
    assert found.difference == pytest.approx(rows[0] - rows[1], abs=1e-12)
    assert found.intervals == {}
    assert found.public_score.basis == LABELS
    assert found.split.label_mix.boundary is None


def test_under_ten_cases_there_is_no_interval(tmp_path: Path) -> None:
    """With eight public and four VerSe cases there are scores and parts by cause, and no interval anywhere."""
    board = board_of(make_board(tmp_path, {"alpha": Quality()}, n_cases=8))
    found = gap_to(board, "alpha", VERSE)
    view = views.domain_gap_view(board, "phantom", ["alpha"])
    assert found.notes == (gaps.FEW_CASES,)
    assert found.intervals == {}
    assert found.split.label_mix.boundary is not None
    assert all(each.estimate.low is None for each in view.scores)
    assert not any("too narrow" in sentence for sentence in view.sentences())
    assert "VerSe: A test set has fewer than ten cases: no intervals." in view.sentences()


def test_the_published_row_appears_as_published() -> None:
    """nnU-Net has its Means of Vertebrae and their difference; nothing is made up about labels or intervals."""
    board = Board(REAL, cache=Cache(None))
    view = views.domain_gap_view(board, "ctspine1k", ["nnunet-paper"])
    assert [each.basis for each in view.scores] == [PUBLISHED] * 3
    assert [each.estimate.dsc for each in view.scores] == [0.869, 0.840, 0.619]
    assert [each.difference for each in view.gaps] == pytest.approx([0.029, 0.250])
    assert [each.notes for each in view.gaps] == [(gaps.AS_PUBLISHED,)] * 2
    assert all(each.split is None and each.part("label_mix") is None for each in view.gaps)
    (line,) = [trace for trace in view.slope_figure().data if trace.mode == "lines+markers"]
    assert line.line.dash == "dot"
    assert line.marker.symbol.endswith("-open")
    assert list(line.y) == [0.869, 0.840, 0.619]
    assert list(line.error_y.array) == [0.0] * 3
    assert "as published" in view.table()
    assert views.part_table(view.gaps[0]).empty
    with pytest.raises(ValueError, match="expected a gap that is taken apart"):
        views.waterfall_figure(view.gaps[0])


def test_submissions_without_results_on_a_set_have_a_sentence_there(made_folder: Path, tmp_path: Path) -> None:
    """A record without VerSe keeps its other scores."""
    folder = shutil.copytree(made_folder, tmp_path / "made")
    change_results(folder / "submissions" / "beta", lambda results: results["test_sets"].pop(VERSE))
    view = views.domain_gap_view(board_of(folder), "phantom", ["beta"])
    assert [each.basis for each in view.scores] == [CASES, LABELS, NOTHING]
    (found,) = [each for each in view.gaps if each.other.name == VERSE]
    assert found.notes == ("There are no scores on both Public and VerSe.",)
    assert found.difference is None
    assert view.data().set_index("test_set").loc[VERSE, ["dsc", "gap", "label_mix"]].isna().all()


def test_the_first_three_of_the_official_order_are_shown_first(told_board: Board, made_board: Board) -> None:
    """The order is that of the private set where it is told, else of the public one."""
    for board, test_set in ((told_board, PRIVATE), (made_board, PUBLIC)):
        sets = views.family(board, "phantom")
        order = [row.slug for row in board.standings(test_set).standings.rows]
        assert views.default_choice(board, sets) == tuple(order[:3])
    real = Board(REAL, cache=Cache(None))
    assert "nnunet-paper" in views.default_choice(real, views.family(real, "ctspine1k"))


def test_benchmarks_are_not_mixed(made_folder: Path, tmp_path: Path) -> None:
    """A board with the real row and with simulations on the phantom has two benchmarks, each with its own test sets."""
    shutil.copytree(made_folder / "submissions", tmp_path / "submissions")
    shutil.copytree(REAL / "nnunet-paper", tmp_path / "submissions" / "nnunet-paper")
    board = board_of(tmp_path)
    assert dict(views.benchmarks(board)) == {"ctspine1k": "CTSpine1K", "phantom": "Phantom"}
    official, phantom = (views.family(board, name) for name in ("ctspine1k", "phantom"))
    assert [each.name for each in official] == ["public", "private", "verse"]
    assert [each.name for each in phantom] == [PUBLIC, PRIVATE, VERSE]
    assert [entry.slug for entry in views.candidates(board, official)] == ["nnunet-paper"]
    assert "nnunet-paper" not in [entry.slug for entry in views.candidates(board, phantom)]
    assert dict(views.benchmarks(Board(tmp_path / "none", cache=Cache(None)))) == {"ctspine1k": "CTSpine1K"}


def test_strata_count_the_cases_and_vertebrae_that_are_in_them(made_board: Board, made_folder: Path) -> None:
    """Sources, regions, spacings, transitional and cut vertebrae: n and mean DSC as in the rows of the record."""
    rows = official_rows(made_folder, "beta", PUBLIC)  # beta has no spurious vertebra
    assert (rows["status"] != "spurious").all()
    cases = pd.read_parquet(made_folder / "submissions" / "beta" / "cases.parquet").query("row == 'case'")
    spacing = rows["case_id"].map(cases.drop_duplicates("case_id").set_index("case_id")["slice_spacing_mm"])
    transitional = rows["case_id"] == "made-public-002"
    expected = {
        **{("Source", name): rows["source"] == name for name in rows["source"].unique()},
        **{
            ("Region", region): rows["vertebra"].str.startswith(letter)
            for region, letter in (("cervical", "C"), ("thoracic", "T"), ("lumbar", "L"))
        },
        ("Slice spacing", "≤ 1 mm"): spacing <= 1,
        ("Slice spacing", "1–2.5 mm"): (spacing > 1) & (spacing <= 2.5),
        ("Slice spacing", "> 2.5 mm"): spacing > 2.5,
        ("Transitional anatomy", "ordinary"): ~transitional,
        ("Transitional anatomy", "L6, or ends at L4"): transitional,
        ("Field of view", "complete"): ~rows["cut"].astype(bool),
        ("Field of view", "cut"): rows["cut"].astype(bool),
    }
    entry = made_board.entry("beta")
    found = {
        (cell.dimension, cell.name): cell
        for cell in views.in_strata(made_board, [entry], named(PUBLIC), (views.SOURCE, *views.WITHIN))
    }
    assert found.keys() == expected.keys()
    for key, some in expected.items():
        estimate = found[key].estimate
        assert found[key].n_cases == estimate.n_cases == rows[some]["case_id"].nunique(), key
        assert estimate.n_vertebrae == some.sum()
        assert estimate.dsc == pytest.approx(rows[some]["dsc"].mean(), abs=1e-12)
        assert (estimate.low is None) == (estimate.n_cases < 10)


def test_of_a_private_set_only_the_told_sources_are_strata(told_board: Board, made_board: Board) -> None:
    """Sources come from the organizers' file, hidden ones without a score; nothing else, and nothing without it."""
    entry = told_board.entry("alpha")
    private = named(PRIVATE)
    cells = views.in_strata(told_board, [entry], private, (views.SOURCE, *views.WITHIN))
    told = told_board.private_gap(PRIVATE, "alpha")["sources"]
    assert {cell.name: cell.estimate.dsc for cell in cells} == {name: cell["dsc"] for name, cell in told.items()}
    assert {cell.dimension for cell in cells} == {"Source"}
    assert None in {cell.estimate.dsc for cell in cells}
    assert "are held back" in views.held_back(cells)
    assert views.held_back([cell for cell in cells if cell.estimate.dsc is not None]) == ""
    assert views.in_strata(told_board, [entry], private, views.WITHIN) == ()
    assert views.in_strata(made_board, [made_board.entry("alpha")], private, (views.SOURCE,)) == ()
    ((_, _, reason),) = views.left_out(made_board, [made_board.entry("alpha")], private)
    assert "not at hand" in reason


def test_strata_of_several_submissions_stand_side_by_side(made_board: Board) -> None:
    """A row for each stratum with its n, a mark for each submission, under headings by dimension or by test set."""
    view = views.domain_gap_view(made_board, "phantom", ["beta", "alpha"])
    cells = views.in_strata(made_board, view.entries, named(PUBLIC), views.WITHIN)
    figure = views.strata_figure(view.entries, cells, view.names)
    marks = [trace for trace in figure.data if trace.mode == "markers"]
    expected = [cell.estimate.dsc for cell in cells if cell.entry.slug == "beta"]
    assert [list(marks[0].x), len(marks[1].x)] == [expected, len(expected)]
    ticks = "\n".join(figure.layout.yaxis.ticktext)
    assert "Slice spacing" in ticks
    assert "1 case" in ticks, "one case is transitional"
    by_set = views.strata_figure(view.entries, cells, view.names, by_set=True)
    assert "Public" in "\n".join(by_set.layout.yaxis.ticktext)


def test_tables_hold_every_number_that_is_shown(told_board: Board) -> None:
    """Scores, gaps and parts go to files with intervals, causes and notes; empty cells are empty."""
    view = views.domain_gap_view(told_board, "phantom", ["alpha", "gamma"])
    scores = view.scores_data()
    assert list(scores["test_set"]) == [PUBLIC, PRIVATE, VERSE] * 2
    assert scores.loc[scores["test_set"] == PRIVATE, "basis"].eq(LABELS).all()
    assert scores.loc[scores["test_set"] == PRIVATE, "dsc_low"].isna().all()
    data = view.data()
    assert (data["gap"] - (data["dsc_public"] - data["dsc"])).abs().max() < 1e-12
    assert (data[list(PARTS)].sum(axis=1) - data["gap"]).abs().max() < 1e-12
    verse = data[data["test_set"] == VERSE]
    causes = verse[[f"{part}_{cause}" for part in PARTS for cause in CAUSES]].astype(float)
    assert (causes.sum(axis=1) - verse["gap"]).abs().max() < 1e-12
    assert (verse["gap_low"] < verse["gap"]).all()
    paper = view.paper_table()
    assert list(paper.columns[:5]) == ["Submission", "Test set", "Public", "There", "Gap"]
    assert paper["Gap"].str.contains("[", regex=False).all()
    json.dumps(json.loads(data.to_json(orient="records")))


def test_names_are_told_apart_and_escaped(made_folder: Path, tmp_path: Path) -> None:
    """Two submissions of the same name carry their slugs; a name is never markup."""
    folder = shutil.copytree(made_folder, tmp_path / "made")
    for slug in ("alpha", "beta"):
        path = folder / "submissions" / slug / "submission.yaml"
        path.write_text(path.read_text().replace(f"name: {slug}", "name: 'R&D \"*b*\"'"))
    view = views.domain_gap_view(board_of(folder), "phantom", ["alpha", "beta"])
    assert view.names["alpha"] == 'R&D "*b*" (alpha)'
    assert view.names["gamma"] == "gamma"
    assert "R&amp;D &#34;*b*&#34;</a>" in view.table()
    assert "R&D" not in view.table()
    assert any('R&amp;D "*b*"' in note.text for note in view.slope_figure().layout.annotations)


def test_who_has_no_scores_at_all_is_shown_all_the_same(made_folder: Path, tmp_path: Path) -> None:
    """A broken record that was asked for takes nothing down."""
    folder = shutil.copytree(made_folder, tmp_path / "made")
    (folder / "submissions" / "beta" / "submission.yaml").write_text("name: [")
    view = views.domain_gap_view(board_of(folder), "phantom", ["alpha", "beta", "nobody"])
    assert [entry.slug for entry in view.entries] == ["alpha", "beta"]
    assert len(view.slope_figure().data) == 2
    assert view.scores_data().set_index("slug").loc["beta", "dsc"].isna().all()


def test_what_is_expensive_is_worked_out_once(
    made_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Intervals are kept by the digests of what they follow from; another record of the board leaves them alone."""
    folder = shutil.copytree(made_folder, tmp_path / "made")
    calls = []
    original = gaps.gap_intervals
    monkeypatch.setattr(gaps, "gap_intervals", lambda *given: calls.append(given[2]) or original(*given))
    path = folder / "submissions" / "delta" / "submission.yaml"
    path.write_text(path.read_text() + "# changed\n")
    first = gap_to(board_of(folder), "delta", VERSE)
    assert gap_to(board_of(folder), "delta", VERSE).intervals == first.intervals
    shutil.rmtree(folder / "submissions" / "gamma")
    assert gap_to(board_of(folder), "delta", VERSE).intervals == first.intervals
    assert calls == ["delta"]
    path.write_text(path.read_text() + "# and again\n")
    gap_to(board_of(folder), "delta", VERSE)
    assert calls == ["delta", "delta"]
