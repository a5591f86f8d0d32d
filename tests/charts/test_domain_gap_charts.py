"""Submissions across test sets, and a gap taken apart: the numbers drawn are those given."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from drawn_figures import HOSTILE_NAMES, foreign_tags, notes, points, strings

from ctspine_bench.charts.domain_gap import PART_TITLES, Line, signed, slope_chart, waterfall
from ctspine_bench.charts.marks import SERIES, Mark
from ctspine_bench.domain_gap import PARTS, GapSplit, Part

SETS = ("Public<br>202 cases", "Private", "VerSe")
SPLIT = GapSplit(
    public=0.95,
    other=0.84,
    whole=Part(0.11, 0.055, 0.003, 0.042, 0.01),
    label_mix=Part(0.03, 0.01, 0.015, 0.005, 0.0),
    within_label=Part(0.09, 0.05, -0.01, 0.04, 0.01),
    one_set_only=Part(-0.01, -0.005, -0.002, -0.003, 0.0),
    ranges={"label_mix": (0.02, 0.04), "within_label": (0.08, 0.1), "one_set_only": (-0.01, -0.01)},
    largest="within_label",
    in_both=("L1",),
    only_public=(),
    only_other=(),
)
PARTS_UNKNOWN = replace(SPLIT, **{name: Part(getattr(SPLIT, name).total, None, None, None, None) for name in PARTS})
UNKNOWN = replace(PARTS_UNKNOWN, whole=Part(0.11, None, None, None, None))


def line(name, *scores, **changes):
    """A submission with an interval of 0.02 to both sides."""
    marks = tuple(None if score is None else Mark(score, score - 0.02, score + 0.02, f"{score}") for score in scores)
    return Line(name, marks, **changes)


def test_every_submission_is_a_line_over_its_test_sets():
    """Points are at the scores, set by set, and a set without a score is passed over."""
    full, holed = slope_chart(SETS, [line("full", 0.9, 0.8, 0.7), line("holed", 0.95, None, 0.6)]).data

    assert list(full.y) == [0.9, 0.8, 0.7]
    assert list(holed.y) == [0.95, 0.6]
    assert [round(x) for x in full.x] == [0, 1, 2]
    assert [round(x) for x in holed.x] == [0, 2]
    assert list(full.error_y.array) == pytest.approx([0.02] * 3)
    assert list(full.text) == ["0.9", "0.8", "0.7"]


def test_points_of_submissions_stand_beside_each_other():
    """Equal scores and their intervals do not hide each other."""
    one, other = slope_chart(SETS, [line("one", 0.9), line("other", 0.9)]).data

    assert one.x[0] < 0 < other.x[0]
    assert one.marker.symbol != other.marker.symbol


def test_names_stand_at_the_end_of_their_lines_in_order_of_height():
    """Direct labels, with the symbol of the line; the higher the score, the higher the name."""
    figure = slope_chart(SETS, [line("low", 0.9, 0.8, 0.70), line("high", 0.8, 0.9, 0.71)])
    heights = {note: each.y for note, each in zip(notes(figure), figure.layout.annotations, strict=True)}

    assert set(heights) == {"● low", "■ high", "mean DSC, higher is better"}
    assert heights["■ high"] > heights["● low"]
    assert heights["■ high"] - heights["● low"] > 0.01


def test_what_was_published_is_hollow_and_named_so():
    """A score from a paper is told from one of this benchmark by its symbol, its line and in words."""
    figure = slope_chart(SETS, [line("paper", 0.9, None, 0.8, as_published=True)])

    assert (figure.data[0].marker.symbol, figure.data[0].line.dash) == ("circle-open", "dot")
    assert "○ paperas published" in notes(figure)


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_strangers_names_are_text(name):
    """No markup, two lines at most."""
    figure = slope_chart(SETS, [line(name, 0.9, 0.8, 0.7) for _ in SERIES])

    assert foreign_tags(figure) == set()
    assert max(map(len, notes(figure))) < 60
    assert foreign_tags(waterfall("Public", name, SPLIT)) == set()


@pytest.mark.parametrize("lines", [[], [line("nothing", None, None, None)]])
def test_without_scores_there_is_a_sentence(lines):
    """No empty axes."""
    assert notes(slope_chart(SETS, lines)) == ["No score on any of these test sets."]


def bars(figure, name):
    """(row, start, end) of the bars of a cause."""
    (trace,) = (trace for trace in figure.data if trace.name == name)
    return [(round(y), base, base + x) for y, base, x in zip(trace.y, trace.base, trace.x, strict=True)]


def test_a_waterfall_leads_from_one_score_to_the_other():
    """Each part begins where the one before has ended, and the last ends at the other score."""
    figure = waterfall("Public", "VerSe", SPLIT)
    parts = [(trace.base[0], trace.base[0] + trace.x[0]) for trace in figure.data[:3]]

    assert parts == [pytest.approx(each) for each in [(0.95, 0.92), (0.92, 0.83), (0.83, 0.84)]]
    assert points(figure.data[-1]) == [(0.95, 0), (0.84, 4)]
    assert list(figure.data[-1].text) == ["0.950", "0.840"]


def test_causes_lead_from_the_beginning_of_a_part_to_its_end():
    """Wrong name, missed, outline, spurious: one after the other, gains to the right."""
    figure = waterfall("Public", "VerSe", SPLIT)
    causes = ("wrong name", "missed", "outline", "spurious")
    row, start, end = zip(*(bars(figure, name)[1] for name in causes), strict=True)

    assert row == (2, 2, 2, 2)
    assert start == pytest.approx((0.92, 0.87, 0.88, 0.84))
    assert end == pytest.approx((0.87, 0.88, 0.84, 0.83))
    assert notes(figure) == ["▨ wrong name  ▩ missed", "■ outline  ▒ spurious"]


def test_narrow_bars_stand_within_their_row_one_below_the_other():
    """Four causes have room in a row, and none covers another."""
    figure = waterfall("Public", "VerSe", SPLIT)
    causes = [trace for trace in figure.data if trace.name in {"wrong name", "missed", "outline", "spurious"}]
    centres = sorted(trace.y[1] for trace in causes)

    assert len(set(centres)) == 4
    assert min(b - a for a, b in pairwise(centres)) >= causes[0].width
    assert max(abs(each - 2) for each in centres) + causes[0].width / 2 < 0.5


def test_causes_of_the_gap_as_a_whole_stand_in_its_row():
    """Of a private set they are known of the gap alone: from the public score to the other one."""
    figure = waterfall("Public", "Private", PARTS_UNKNOWN)
    causes = ("wrong name", "missed", "outline", "spurious")
    row, start, end = zip(*(bars(figure, name)[0] for name in causes), strict=True)

    assert row == (4, 4, 4, 4)
    assert start == pytest.approx((0.95, 0.895, 0.892, 0.85))
    assert end[-1] == pytest.approx(0.84)
    assert all(len(bars(figure, name)) == 1 for name in causes)


def test_parts_are_named_with_their_size_and_interval():
    """Public on top, then the parts, then the other set with the whole gap."""
    figure = waterfall("Public", "VerSe", SPLIT, {"label_mix": (0.01, 0.05), "gap": (-0.02, 0.2)})

    assert list(figure.layout.yaxis.ticktext) == [
        "<b>Public</b>",
        "Label mix<br>+0.030<br>[+0.010, +0.050]",
        "Within labels<br>+0.090",
        "Labels of one set<br>−0.010",
        "<b>VerSe</b><br>gap +0.110<br>[−0.020, +0.200]",
    ]
    assert figure.layout.xaxis.title.text == "mean DSC, higher is better"
    assert set(PART_TITLES) == set(PARTS)


def test_unknown_causes_are_not_drawn():
    """Of a private set with held-back causes there are the parts alone, and no key to colours that are not there."""
    figure = waterfall("Public", "Private", UNKNOWN)

    assert len(figure.data) == 4
    assert notes(figure) == []


def test_all_bars_and_both_numbers_are_within_the_axis():
    """Nothing is cut off, whichever way a gap goes."""
    for split in (SPLIT, UNKNOWN):
        figure = waterfall("Public", "VerSe", split)
        low, high = figure.layout.xaxis.range
        ends = [end for trace in figure.data[:3] for end in (trace.base[0], trace.base[0] + trace.x[0])]

        assert low < min(ends) <= max(ends) < high


@pytest.mark.parametrize(
    ("value", "ends", "shown"),
    [
        (0.0314, None, "+0.031"),
        (-0.0314, (-0.05, 0.0004), "−0.031 [−0.050, 0.000]"),
        (-0.0001, None, "0.000"),
    ],
)
def test_differences_have_a_sign_unless_they_are_nothing(value, ends, shown):
    """As in the tables beside the figure."""
    assert signed(value, ends) == shown


def test_the_same_gap_gives_the_same_figure():
    """Nothing is drawn by chance, and nothing undefined is in it."""
    assert waterfall("a", "b", SPLIT).to_json() == waterfall("a", "b", SPLIT).to_json()
    assert strings(waterfall("a", "b", UNKNOWN))
