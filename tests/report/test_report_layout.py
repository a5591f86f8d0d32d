"""What stands in which cell."""

from __future__ import annotations

import pytest
from handmade import case, eventful, submission, unreadable_reference, vertebra

from ctspine_bench.published import published_table
from ctspine_bench.report import layout
from ctspine_bench.report.events import case_events, level_ranges
from ctspine_bench.testsets import official


def rows_by_name(table: layout.TextTable) -> dict[str, tuple[str, ...]]:
    return {row[0]: row[1:] for row in (*table.rows, *table.means)}


def test_the_official_table_has_the_layout_of_the_paper():
    """C1–T6 stand beside T7–L6; missed counts 0 and 100 mm, HD95 is capped; what no case has is a dash."""
    table = layout.paper_table(eventful().summary)

    assert [(row[0], row[4]) for row in table.rows][::6] == [("C1", "T7"), ("C7", "L1"), ("T6", "")]
    assert table.rows[5] == ("C6", "0", "–", "–", "T12", "3", "0.533", "67.00")
    assert table.rows[6] == ("C7", "0", "–", "–", "L1", "2", "0.700", "4.00")
    assert table.rows[7][4:] == ("L2", "1", "0.000", "100.00")
    assert table.means[0] == ("Mean of Vertebrae", "3", "0.411", "57.00", "Mean of Spine", "3", "0.900", "2.00")


def test_l6_can_be_told_apart_in_the_mean():
    """The mean without L6 stands below the mean with it."""
    table = layout.paper_table(submission([case("a", vertebra("L5", 0.9, 1.0), vertebra("L6", 0.5, 3.0))]).summary)

    assert table.means[0][:4] == ("Mean of Vertebrae", "2", "0.700", "2.00")
    assert table.means[1][:4] == ("… without L6", "1", "0.900", "1.00")


def test_complete_and_cut_vertebrae_have_tables_of_their_own():
    """L1 of the second case is cut: it is in one table, the other L1 in the other."""
    summary = eventful().summary

    assert layout.paper_table(summary, "complete").rows[6][4:] == ("L1", "1", "0.800", "3.00")
    assert layout.paper_table(summary, "cut").rows[6][4:] == ("L1", "1", "0.600", "5.00")


@pytest.mark.parametrize("test_set", ["public", "private", "verse"])
def test_the_comparison_prints_the_paper_as_printed(test_set):
    """Every published number is there, and the difference is that of the printed numbers."""
    results = [case("a", vertebra("L1", 0.9004, 1.0), vertebra("L6", None, None))]
    table = layout.published_comparison(submission(results, official(test_set)).summary, test_set)
    rows, published = rows_by_name(table), published_table(test_set)

    for name, means in published.labels.items():
        assert (rows[name][2], rows[name][5]) == (f"{means.dsc:.3f}", f"{means.hd95_mm:.2f}")
    assert rows["L1"][1] == "0.900"
    assert rows["L1"][3] == f"{0.900 - published.labels['L1'].dsc:+.3f}".replace("-", "−")
    assert rows["L6"][:5] == ("1", "0.000", "0.000", "+0.000", "–")
    assert rows["C1"][:4] == ("0", "–", f"{published.labels['C1'].dsc:.3f}", "–")
    assert "inferred rule" in table.title


def test_the_verse_comparison_names_the_later_number():
    """On VerSe the authors' number after annotating partly visible vertebrae is told, elsewhere not."""
    summary = submission([case("a", vertebra("L1", 0.9, 1.0))]).summary

    assert "0.766" in layout.published_comparison(summary, "verse").note
    assert "0.766" not in layout.published_comparison(summary, "public").note
    assert layout.published_comparison(summary, "custom") is None


def test_sources_and_sensitivity():
    """A source has its own means; a missed vertebra costs nothing, 100 mm, or the diagonal."""
    results = [
        case("a", vertebra("L1", 0.9, 1.0), source="COLONOG"),
        case("b", vertebra("L1", 0.0, None), source="MSD-T10"),
    ]
    summary = submission(results).summary

    assert layout.source_table(summary).rows == (
        ("COLONOG", "1", "1", "0.900", "1.00", "0.900", "2.00"),
        ("MSD-T10", "1", "1", "0.000", "100.00", "0.900", "2.00"),
    )
    assert layout.sensitivity_table(summary).rows[0] == ("Mean of Vertebrae", "1.00", "50.50", "250.50")


def test_every_row_is_as_wide_as_its_header():
    """No table has a row with too many or too few cells."""
    summary = eventful().summary
    comparison = layout.published_comparison(summary, "verse")
    tables = [layout.paper_table(summary), comparison, layout.sensitivity_table(summary), layout.source_table(summary)]

    for table in [*tables, *layout.strata_tables(summary)]:
        assert {len(row) for row in (*table.rows, *table.means)} == {len(table.header)}


@pytest.mark.parametrize(
    ("labels", "text"),
    [([], ""), ([1], "C1"), ([7, 8], "C7, T1"), ([19, 20, 21, 25], "T12–L2, L6"), ([3, 1, 2], "C1–C3")],
)
def test_neighbouring_levels_are_joined(labels, text):
    """Three and more neighbours become a range."""
    assert level_ranges(labels) == text


def test_events_name_what_happened_failed_cases_first():
    """A failed case has its message and what follows from it, the others what was missed and spurious."""
    failed, missed = case_events(eventful())

    assert failed.sentences()[0].startswith("E_TRUNCATED")
    assert failed.sentences()[1] == "its one vertebra and the spine count as missed"
    assert missed.case_id == "liver_1"
    assert missed.sentences() == ("missed L2", "spurious L6", "spurious at the border C1")


def test_a_broken_reference_is_an_event_without_consequences():
    """Nothing counts as missed when the organizer's file is at fault."""
    (event,) = case_events(unreadable_reference())

    assert event.sentences() == ("E_CORRUPT: the reference is broken",)
