"""What stands in which cell."""

from __future__ import annotations

import pytest
from handmade import case, completed, eventful, submission, unreadable_reference, vertebra

from ctspine_bench import __version__
from ctspine_bench.anatomy import VERTEBRAE
from ctspine_bench.provenance import ENGINE_VERSION
from ctspine_bench.published import published_table
from ctspine_bench.report import layout
from ctspine_bench.report.events import case_events, level_ranges
from ctspine_bench.report.variants import VARIANTS
from ctspine_bench.testsets import official, phantom


def rows_by_name(table: layout.TextTable) -> dict[str, tuple[str, ...]]:
    return {row[0]: row[1:] for row in (*table.rows, *table.means)}


def everything(dsc: float = 0.9, hd95_mm: float | None = 1.0, case_id: str = "a"):
    """A case with all of C1 … L6."""
    return case(case_id, *(vertebra(name, dsc, hd95_mm) for name in VERTEBRAE))


def test_the_official_table_has_the_layout_of_the_paper():
    """C1–T6 stand beside T7–L6; missed and spurious count 0 and 100 mm, HD95 is capped; what nothing has is a dash."""
    table = layout.paper_table(eventful().summary)

    assert table.title == "The paper's layout, this benchmark's rule"
    assert [(row[0], row[4]) for row in table.rows][::6] == [("C1†", "T7"), ("C7", "L1"), ("T6", "")]
    assert table.rows[0][:4] == ("C1†", "1", "0.000", "100.00")
    assert table.rows[5] == ("C6", "0", "–", "–", "T12", "3", "0.533", "67.00")
    assert table.rows[6] == ("C7", "0", "–", "–", "L1", "2", "0.700", "4.00")
    assert table.rows[7][4:] == ("L2", "1", "0.000", "100.00")
    assert table.rows[11][4:] == ("L6†", "1", "0.000", "100.00")
    assert table.means[0] == ("Mean of Vertebrae", "5", "0.247", "74.20", "Mean of Spine", "3", "0.900", "2.00")


def test_labels_that_no_reference_has_are_explained():
    """The note tells the first three cases that such a label comes from, and how many more there are."""
    results = [case(f"case_{n}", vertebra("L1", 0.9, 1.0), vertebra("L6", None, None)) for n in range(5)]
    table = layout.paper_table(submission(results).summary)

    assert "L6 in case_0, case_1, case_2 +2 more." in table.note
    assert table.note.count("†") == 1
    assert "L1†" not in [row[4] for row in table.rows]
    assert "†" not in layout.paper_table(submission(results).summary, "without-l6").note


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


def test_spurious_vertebrae_at_the_border_can_be_forgiven():
    """T11 goes on from the reference's T12 at the border and is gone; C1 does not go on, L6 is elsewhere: both stay."""
    spurious = (vertebra("T11", None, None, at_border=True), vertebra("C1", None, None, at_border=True))
    results = [case("a", *spurious, vertebra("T12", 0.9, 1.0), vertebra("L6", None, None))]
    summary = submission(results).summary
    table = layout.paper_table(summary, "border-forgiven")

    assert layout.paper_table(summary).rows[4][4:] == ("T11†", "1", "0.000", "100.00")
    assert table.rows[4][4:] == ("T11", "0", "–", "–")
    assert table.rows[0][:4] == ("C1†", "1", "0.000", "100.00")
    assert table.rows[11][4:] == ("L6†", "1", "0.000", "100.00")
    assert table.means[0][:3] == ("Mean of Vertebrae", "3", "0.300")
    assert "T11" not in table.note


def test_hd95_of_matched_stands_beside_its_own_n():
    """Two of three T12 are matched at 1 and 250 mm: 125.5 mm, uncapped; DSC and its n stay official."""
    table = layout.paper_table(eventful().summary, "hd95-matched")

    assert table.header == ("Label", "n", "DSC", "n", "HD95 mm") * 2
    assert table.rows[5][5:] == ("T12", "3", "0.533", "2", "125.50")
    assert table.rows[7][5:] == ("L2", "1", "0.000", "0", "–")
    assert table.means[0][:5] == ("Mean of Vertebrae", "5", "0.247", "2", "64.75")


def test_without_l6_has_neither_the_row_nor_its_weight():
    """L6 is gone from the rows, and the mean is that of the others."""
    table = layout.paper_table(eventful().summary, "without-l6")

    assert not any("L6" in cell for row in table.rows for cell in row)
    assert table.means == (("Mean of Vertebrae", "4", "0.308", "67.75", "Mean of Spine", "3", "0.900", "2.00"),)


def test_every_variant_says_what_it_is():
    """No two titles are alike, and all but the official one call themselves a variant."""
    titles = [layout.paper_table(eventful().summary, variant).title for variant in VARIANTS]

    assert len(set(titles)) == len(VARIANTS) == 6
    assert [title.startswith("Variant of this benchmark's rule: ") for title in titles] == [False] + [True] * 5


def test_the_variants_side_by_side():
    """Mean of Vertebrae of each variant, over how many labels and vertebrae."""
    rows = {row[0]: row[1:] for row in layout.variants_table(eventful().summary).rows}

    assert rows["by the official rule"] == ("5", "8", "0.247", "74.20")
    assert rows["HD95 of matched vertebrae"] == ("2", "4", "–", "64.75")
    assert rows["spurious vertebrae at the border of the field of view forgiven"] == ("5", "8", "0.247", "74.20")
    assert rows["without L6"] == ("4", "7", "0.308", "67.75")


@pytest.mark.parametrize("test_set", ["public", "private", "verse"])
def test_the_comparison_prints_the_paper_as_printed(test_set):
    """Every published number is there, and the difference is that of the printed numbers."""
    score = completed(test_set, case("a", vertebra("L1", 0.9004, 1.0), vertebra("L6", None, None)))
    table = layout.published_comparison(score)
    rows, published = rows_by_name(table), published_table(test_set)

    for name, means in published.labels.items():
        row = rows.get(name) or rows[f"{name}†"]
        assert (row[2], row[6]) == (f"{means.dsc:.3f}", f"{means.hd95_mm:.2f}")
    l1 = published.labels["L1"]
    difference = [f"{value:+.{n}f}".replace("-", "−") for value, n in ((0.900 - l1.dsc, 3), (1.0 - l1.hd95_mm, 2))]
    assert rows["L1"][:2] == ("1", "0.900")
    assert rows["L1"][3] == difference[0]
    assert rows["L1"][4:6] == ("1", "1.00")
    assert rows["L1"][7] == difference[1]
    assert rows["L6†"][:6] == ("1", "0.000", "0.000", "+0.000", "0", "–")
    assert rows["L6†"][7] == "–"
    assert rows["C1"][:4] == ("0", "–", f"{published.labels['C1'].dsc:.3f}", "–")


def test_means_are_compared_where_they_are_over_the_same_labels():
    """With all 25 labels matched both means have a difference, and the note names no lack."""
    table = layout.published_comparison(completed("public", everything()))
    rows = rows_by_name(table)

    assert rows["Mean of Vertebrae"] == ("25", "0.900", "0.869", "+0.031", "25", "1.00", "5.40", "−4.40")
    assert rows["Mean of Spine"] == ("1", "0.900", "0.985", "−0.085", "1", "2.00", "1.00", "+1.00")
    assert "No Δ" not in table.note


def test_a_mean_over_fewer_labels_has_no_difference():
    """L6 is missed: DSC is over 25 labels, HD95 of matched over 24, so that HD95 is compared without L6 alone."""
    others = [vertebra(name, 0.9, 1.0) for name in VERTEBRAE[:-1]]
    rows = rows_by_name(
        table := layout.published_comparison(completed("public", case("a", *others, vertebra("L6", 0.0, None))))
    )

    assert rows["Mean of Vertebrae"][3] == f"{0.864 - 0.869:+.3f}".replace("-", "−")
    assert rows["Mean of Vertebrae"][7] == "–"
    assert rows["… without L6"][3] != "–"
    assert rows["… without L6"][7] != "–"
    assert "No Δ of Mean of Vertebrae where labels lack: HD95 is over 24 of 25 labels." in table.note


def test_pooled_hd95_stands_beside_the_papers_when_it_was_computed():
    """The last column is there with --pooled-hd95 alone."""
    result = case("a", vertebra("L1", 0.9, 1.0, hd95_pooled_mm=1.25))
    pooled = layout.published_comparison(completed("public", result, pooled=True))

    assert pooled.header[-1] == "pooled"
    assert rows_by_name(pooled)["L1"][-1] == "1.25"
    assert "pooled" not in layout.published_comparison(completed("public", result)).header


def test_the_comparison_names_its_evidence():
    """That DSC follows the paper's rule is known from the command in the data set's instructions."""
    assert "nnUNet_evaluate_folder … -l 1 … 25" in layout.published_comparison(completed("public", everything())).note


def test_an_incomplete_set_is_compared_with_nothing():
    """Too few cases or a failed one: no table, and a line that says why; for a set of one's own neither."""
    few = submission([everything()], official("public"))
    failed = completed("public", everything(), case("b", vertebra("L1", 0.0, None), failure="broken"))
    own = submission([everything()])

    assert [layout.published_comparison(score) for score in (few, failed, own)] == [None] * 3
    assert layout.no_comparison(few) == "No comparison with the paper: 197 cases expected, 1 found."
    assert layout.no_comparison(failed).startswith("No comparison with the paper: 1 of 2 cases could not be scored")
    assert layout.no_comparison(own) == ""
    assert layout.no_comparison(completed("public", everything())) == ""


def test_the_verse_comparison_names_the_later_number():
    """On VerSe the authors' number after annotating partly visible vertebrae is told, elsewhere not."""
    assert "0.766 instead of 0.619" in layout.published_comparison(completed("verse", everything())).note
    assert "0.766" not in layout.published_comparison(completed("public", everything())).note


def test_what_to_report_is_told_of_complete_sets():
    """Which mean, by which version and rule, on which set and how many cases; nothing for an incomplete set."""
    told = layout.to_report(completed("public", everything()))

    assert told.startswith(
        "To report: Mean of Vertebrae DSC 0.900, HD95 1.00 mm "
        f"(ctspine-bench {__version__}, rule {ENGINE_VERSION}, CTSpine1K public test set, n = 1). Cite: Deng et al."
    )
    assert "docs/reporting.md" in told
    assert layout.to_report(submission([everything()], official("public"))) == ""
    assert layout.to_report(unreadable_reference()) == ""
    assert layout.to_report(submission([everything()], phantom("phantom-public"))) == ""


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


def test_sources_are_compared_on_the_labels_that_they_share():
    """A has L1–L3, B has L2–L4: on L2 and L3 A is better, on all its labels it is worse."""
    results = [
        case("a", *(vertebra(name, dsc, 1.0) for name, dsc in {"L1": 0.1, "L2": 0.8, "L3": 0.9}.items()), source="A"),
        case("b", *(vertebra(name, dsc, 2.0) for name, dsc in {"L2": 0.7, "L3": 0.7, "L4": 1.0}.items()), source="B"),
    ]
    summary = submission(results).summary

    assert [row[3] for row in layout.source_table(summary).rows] == ["0.600", "0.800"]
    assert layout.shared_labels_table(summary).rows == (("A", "0.850", "1.00", "B", "0.700", "2.00", "L2, L3"),)
    assert layout.shared_labels_table(submission(results[:1]).summary) is None


def test_every_row_is_as_wide_as_its_header():
    """No table has a row with too many or too few cells."""
    summary = eventful().summary
    tables = [
        *(layout.paper_table(summary, variant) for variant in VARIANTS),
        *(layout.published_comparison(completed("verse", everything(), pooled=pooled)) for pooled in (False, True)),
        layout.variants_table(summary),
        layout.sensitivity_table(summary),
        layout.source_table(summary),
        layout.shared_labels_table(summary),
        *layout.strata_tables(summary),
    ]

    for table in tables:
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
