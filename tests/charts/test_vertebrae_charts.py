"""The heat map of submissions and vertebrae, and what lies behind one of its cells."""

from __future__ import annotations

import numpy as np
import pytest
from drawn_figures import HOSTILE_NAMES, foreign_tags, notes, strings

from ctspine_bench.anatomy import VERTEBRAE
from ctspine_bench.charts.colours import GOODNESS
from ctspine_bench.charts.vertebrae import HeatRow, cell_distribution, heat_map
from ctspine_bench.rankings.paired import METRICS

DSC, HD95 = METRICS["dsc"], METRICS["hd95_mm"]
N = ("–", *["20"] * 23, "<5")


def row(slug, value, *, c2=None, few=frozenset(), **changes):
    """A submission with one value from C3 to L5, another at C2 and none at C1 and L6."""
    return HeatRow(slug, slug.upper(), (None, c2, *[value] * 22, None), few, **changes)


ROWS = (
    row("good", 0.95, c2=0.9, n=("0", *["21"] * 23, "0")),
    row("middling", 0.85, few=frozenset({25})),
    row("late", 0.1, c2=0.8, ranked=False),
)


def cells(figure):
    """Height of the row → goodness of its 25 cells, over the three regions."""
    parts = [trace.z for trace in figure.data if trace.type == "heatmap" and trace.coloraxis]
    return [list(np.concatenate(each)) for each in zip(*parts, strict=True)]


def numbers(figure):
    """(place of the label, height) → what is written there."""
    (trace,) = figure.select_traces({"type": "scatter", "mode": "text"})
    places = sorted(set(trace.x))
    return {(places.index(x), y): text for x, y, text in zip(trace.x, trace.y, trace.text, strict=True)}


def targets(figure):
    """The points that answer to clicks."""
    (trace,) = figure.select_traces({"type": "scatter", "mode": "markers"})
    return trace


def test_every_mean_is_in_its_cell():
    """One row for each submission, C1 to L6; what is not ranked stands apart, below an empty row."""
    figure = heat_map(ROWS, N, DSC)

    assert cells(figure) == [
        [None, 0.9, *[0.95] * 22, None],
        [None, None, *[0.85] * 22, None],
        [None] * 25,
        [None, 0.8, *[0.1] * 22, None],
    ]
    assert list(figure.layout.yaxis.ticktext) == ["GOOD", "MIDDLING", "LATE", "<i>not ranked:</i>"]
    assert list(figure.layout.yaxis.tickvals) == [0, 1, 3, 2]
    assert figure.layout.yaxis.range[0] > figure.layout.yaxis.range[1]


def test_numbers_are_written_into_few_rows():
    """In two digits; a mean that is held back is told from one that is not there."""
    written = numbers(heat_map(ROWS, N, DSC))

    assert [written[at, 0] for at in (0, 1, 2, 24)] == ["·", ".90", ".95", "·"]
    assert written[24, 1] == "<5"
    assert numbers(heat_map([row("a", 1.0, c2=0.0)], N, DSC))[2, 0] == "1.0"
    distances = numbers(heat_map([row("a", 9.94, c2=42.4)], N, HD95))
    assert (distances[1, 0], distances[2, 0]) == ("42", "9.9")


def test_many_rows_are_an_overview():
    """Without numbers, and a little lower each."""
    many = [row(f"s{i}", 0.9) for i in range(200)]
    figure = heat_map(many, N, DSC)

    assert not list(figure.select_traces({"type": "scatter", "mode": "text"}))
    assert figure.layout.height < 200 * 20
    assert len(figure.layout.yaxis.ticktext) == 200


@pytest.mark.parametrize(("measure", "better", "worse"), [(DSC, 0.9, 0.5), (HD95, 1.0, 20.0)])
def test_the_better_cell_is_the_darker_one(measure, better, worse):
    """For shares and for distances: the value on the colour axis grows with the better."""
    good, bad = cells(heat_map([row("good", better), row("bad", worse)], N, measure))

    assert good[5] > bad[5]
    axis = heat_map([row("good", better)], N, measure).layout.coloraxis
    assert [colour for _, colour in axis.colorscale] == list(GOODNESS)
    assert axis.cmin < axis.cmax


def test_one_hopeless_submission_does_not_take_the_colours_of_all():
    """The scale ends where most are, and says that it goes on."""
    figure = heat_map([row(f"s{i}", 0.9 + 0.01 * i) for i in range(5)] + [row("noise", 0.0)], N, DSC)

    assert figure.layout.coloraxis.cmin > 0.75
    assert figure.layout.coloraxis.cmax == pytest.approx(0.94)
    key = notes(figure)[-1]
    assert key.startswith("DSC:  ≤ 0.")
    assert key.endswith("0.94  the darker, the better")


def test_differences_of_nothing_do_not_take_all_colours():
    """Means that differ by a thousandth have nearly the same colour; at a scale of distances twice is the least."""
    shares = heat_map([row("a", 0.95, c2=0.951)], N, DSC).layout.coloraxis
    distances = heat_map([row("a", 2.0)], N, HD95).layout.coloraxis

    assert shares.cmax - shares.cmin == pytest.approx(0.1)
    assert distances.cmax - distances.cmin == pytest.approx(0.3)
    assert notes(heat_map([row("a", 2.0)], N, HD95))[-1] == (
        "HD95, mm:  4.0 ██████████████ 2.0  the darker, the better, logarithmic"
    )


def test_a_click_answers_with_submission_and_label():
    """Wherever there is a mean or one that is held back; hovering tells it with all digits and its own cases."""
    trace = targets(heat_map(ROWS, N, DSC))
    told = {tuple(key): text for key, text in zip(trace.customdata, trace.text, strict=True)}

    assert len(told) == 23 + 23 + 23
    assert told["good", 2] == "GOOD<br>C2: DSC 0.900<br>over 21 cases"
    assert told["middling", 25] == "MIDDLING<br>L6: held back, in fewer than five cases"
    assert ("good", 1) not in told


def test_the_chosen_cell_is_framed():
    """One frame around it, and none for a submission that is not there."""
    (frame,) = heat_map(ROWS, N, DSC, ("late", 3)).layout.shapes

    assert (frame.y0, frame.y1) == (2.5, 3.5)
    assert frame.x1 - frame.x0 == 1
    assert heat_map(ROWS, N, DSC, ("gone", 3)).layout.shapes == ()


def test_the_axis_says_in_how_many_cases_each_vertebra_is():
    """Names from C1 to L6, the number or what stands for it below."""
    axis = heat_map(ROWS, N, DSC).layout.xaxis

    assert axis.ticktext[0] == "C1<br>–"
    assert axis.ticktext[-1] == "L6<br>&lt;5"
    assert [text.partition("<br>")[0] for text in axis.ticktext] == list(VERTEBRAE)


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_strangers_names_are_text(name):
    """Names of submissions and cases bring no markup, and are cut."""
    map_ = heat_map([HeatRow("s", name, (0.5,) * 25)], N, DSC)
    distribution = cell_distribution([name] * 9, np.linspace(0.1, 0.9, 9), DSC)

    assert foreign_tags(map_) == foreign_tags(distribution) == set()
    assert len(map_.layout.yaxis.ticktext[0]) < 80


def test_a_board_without_values_has_a_sentence():
    """And a submission that has no value at all has a row of its own nevertheless."""
    assert notes(heat_map([], N, DSC)) == ["No submission has values."]
    assert cells(heat_map([HeatRow("s", "s", (None,) * 25)], N, DSC)) == [[None] * 25]


def test_behind_a_cell_is_every_case():
    """A point each, named; the mean as a diamond and in words."""
    box, mean = cell_distribution(["a", "b"], np.array([0.5, 0.9]), DSC).data

    assert (list(box.x), list(box.text)) == ([0.5, 0.9], ["a: 0.500", "b: 0.900"])
    assert list(mean.x) == pytest.approx([0.7])
    figure = cell_distribution(["a", "b"], np.array([0.05, 7.95]), HD95)
    assert notes(figure) == ["◆ mean 4.00 mm"]
    assert figure.layout.xaxis.title.text == "HD95, mm, in 2 cases; lower is better"
    # A distance below the end of the logarithmic axis is drawn there.
    assert list(figure.data[0].x) == [0.1, 7.95]


@pytest.mark.parametrize(("n", "has_box"), [(4, False), (5, True)])
def test_few_cases_have_no_quartiles(n, has_box):
    """Four points are four points."""
    box = cell_distribution(["x"] * n, np.linspace(0.1, 0.9, n), DSC).data[0]

    assert (box.line.color != "rgba(0,0,0,0)") == has_box


def test_a_vertebra_of_no_case_has_a_sentence():
    """No empty axis."""
    assert notes(cell_distribution([], np.empty(0), DSC)) == ["No case has this vertebra."]


def test_the_same_rows_give_the_same_figure():
    """Nothing is drawn by chance, and nothing undefined is in it."""
    one, other = (heat_map(ROWS, N, DSC, ("good", 3)) for _ in range(2))

    assert one.to_json() == other.to_json()
    assert strings(one)
