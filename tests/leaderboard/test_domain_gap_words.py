"""What is said about a domain gap."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib.resources import files
from typing import TYPE_CHECKING

import pytest

from ctspine_bench.testsets import named
from ctspine_leaderboard.views import domain_gap as views
from ctspine_leaderboard.views.domain_gap.words import coverage_note, label_ranges

if TYPE_CHECKING:
    from ctspine_bench.board import Board


@pytest.fixture(scope="module")
def view(made_board: Board) -> views.DomainGapView:
    return views.domain_gap_view(made_board, "phantom", ["alpha", "beta"])


def with_gap(found: views.Gap, gap: float, ends: tuple[float, float] | None) -> views.Gap:
    """A gap of another size, with another interval."""
    assert found.split is not None
    split = replace(found.split, whole=replace(found.split.whole, total=gap))
    return replace(found, split=split, intervals={"gap": ends} if ends else {})


def test_labels_are_told_as_ranges() -> None:
    """Neighbours are joined across regions, single ones stand alone, in the order of the spine."""
    assert label_ranges(["L1", "C7", "T2", "T1"]) == "C7–T2, L1"
    assert label_ranges([]) == ""


def test_a_gap_is_told_with_its_direction_interval_and_largest_part(view: views.DomainGapView) -> None:
    """Lower or higher, whether the interval includes 0, and which part is the largest."""
    found = next(each for each in view.gaps if not each.other.private)
    text = views.in_words(found)
    assert f"{abs(found.difference):.3f} lower than on Public" in text
    assert "a difference on the same labels" in text
    assert "includes 0" not in text
    assert "includes 0" in views.in_words(with_gap(found, 0.01, (-0.01, 0.03)))
    assert "0.010 higher" in views.in_words(with_gap(found, -0.01, None))
    assert "−0.010" in views.in_words(with_gap(found, -0.01, None))
    assert "scores the same" in views.in_words(with_gap(found, 0.0004, None))
    assert views.in_words(replace(found, split=None)) == ""


def test_the_largest_part_is_named_only_when_all_weightings_agree(view: views.DomainGapView) -> None:
    """With its range by the weights of either set; where they disagree, that is said in its place."""
    found = next(each for each in view.gaps if not each.other.private)
    assert found.split is not None
    assert found.split.largest == "within_label"
    ranged = replace(found, split=replace(found.split, ranges={**found.split.ranges, "within_label": (0.0612, 0.0831)}))
    assert "(+0.061 to +0.083 by the weights of either set)" in views.in_words(ranged)
    same = replace(found, split=replace(found.split, ranges={**found.split.ranges, "within_label": (0.0612, 0.0613)}))
    assert "weights" not in views.in_words(same)
    unsure = replace(found, split=replace(found.split, largest=None))
    assert "Which part is the largest depends on which set the weights are from." in views.in_words(unsure)
    assert "The largest part" not in views.in_words(unsure)


def test_labels_that_one_set_lacks_are_named(view: views.DomainGapView) -> None:
    """Public alone has the cervical spine; nothing is said without labels."""
    found = next(each for each in view.gaps if not each.other.private)
    assert "only Public: C2–" in views.membership(found)
    assert views.membership(found).startswith("Labels of both sets: T4–L6")
    assert views.membership(replace(found, split=None)) == ""


def test_a_remark_is_made_once(view: views.DomainGapView) -> None:
    """The same remark on several sets or submissions is one sentence; names are left out if it is about everybody."""
    alpha, beta = view.entries
    public, verse = named("public"), named("verse")
    everybody = [(each, entry, "Stale.") for each in (public, verse) for entry in (alpha, beta)]
    assert views.told_once(everybody, view.entries) == ("Public and VerSe: Stale.",)
    assert views.told_once([*everybody[:2], (verse, beta, "Few.")], view.entries) == (
        "Public: Stale.",
        "VerSe, beta: Few.",
    )
    assert views.told_once([], view.entries) == ()
    three = (alpha, beta, replace(beta, slug="gamma"))
    assert views.told_once([(verse, each, "Few.") for each in three[1:]], three) == ("VerSe, all but alpha: Few.",)


def test_the_coverage_of_small_sets_is_the_measured_one(view: views.DomainGapView) -> None:
    """For 24 and 12 cases the note gives what simulations of this very mean covered with 20 and with 10."""
    measured = json.loads(files("ctspine_bench.rankings").joinpath("coverage.json").read_text("utf-8"))["coverage"]
    of_20, of_10 = (f"{100 * measured[n]['mean_over_vertebrae']:.0f}\u00a0%" for n in ("20", "10"))
    note = coverage_note(view.scores)
    assert f"with 24 cases (Public) they are too narrow, and covered it in {of_20}" in note
    assert f"with 12 cases (VerSe) they are too narrow, and covered it in {of_10}" in note
    assert "Private" not in note, "its score has no interval"
    assert coverage_note([]) == ""


def test_large_sets_need_no_note(view: views.DomainGapView) -> None:
    """At 150 cases and more intervals cover as they should."""
    large = [replace(each, estimate=replace(each.estimate, n_cases=197)) for each in view.scores]
    assert coverage_note(large) == ""


def test_the_smallest_stratum_with_an_interval_is_told(made_board: Board, view: views.DomainGapView) -> None:
    """Under ten cases there is no interval; of the others the one with the fewest cases is said to be too narrow."""
    cells = views.in_strata(made_board, view.entries, named("phantom-public"), views.WITHIN)
    fewest = min(cell.estimate.n_cases for cell in cells if cell.estimate.low is not None)
    assert f"With {fewest} cases, the fewest" in views.strata_note(cells)
    small = [cell for cell in cells if cell.estimate.low is None]
    assert small
    assert views.strata_note(small) == "Under ten cases there is no interval."


def test_the_annotation_explains_part_of_the_published_gap() -> None:
    """From 0.619 to 0.766 is 0.147 of the gap of 0.250 that the paper prints: 59 %, and 0.103 remains."""
    note = views.reannotation_note()
    for number in ("0.869", "0.619", "0.766", "0.250", "59\u00a0%", "0.103"):
        assert number in note
