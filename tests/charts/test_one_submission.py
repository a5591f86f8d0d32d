"""Figures: what they show, and that nothing undefined gets into them."""

from __future__ import annotations

import json

import pytest
from handmade import HOSTILE, case, eventful, submission, vertebra

from ctspine_bench.anatomy import VERTEBRAE
from ctspine_bench.charts import one_submission as charts

ALL = [charts.label_strip, charts.case_distribution, charts.shift_confusion, charts.loss_bars]


@pytest.mark.parametrize("chart", ALL)
def test_a_figure_holds_no_undefined_number_and_no_markup(chart):
    """Neither NaN nor a tag of a stranger is in what the browser gets."""
    text = chart(eventful().table).to_json()

    assert "NaN" not in json.dumps(json.loads(text))
    assert "nan" not in text.replace("Pending", "")
    assert "<script" not in text


@pytest.mark.parametrize("chart", ALL)
def test_a_figure_of_one_case_or_of_none(chart):
    """A single vertebra is enough, and a table without vertebrae gives an empty figure."""
    assert chart(submission([case("a", vertebra("L1", 0.9, 1.0))]).table).layout.height > 0
    assert chart(submission([case("a")]).table).layout.height > 0


def test_the_strip_shows_the_means_of_the_official_table():
    """The diamonds are the per-label means, HD95 capped, and n stands below."""
    score = eventful()
    figure = charts.label_strip(score.table)
    dsc, hd95 = (trace for trace in figure.data if trace.type == "scatter" and trace.marker.symbol == "diamond")

    for trace, metric in ((dsc, "dsc"), (hd95, "hd95_mm")):
        shown = {VERTEBRAE[place]: value for place, value in zip(trace.x, trace.y, strict=True)}
        official = {name: getattr(means, metric) for name, means in score.summary.official.labels.items() if means.n}
        assert shown == pytest.approx(official)
    assert figure.layout.xaxis2.ticktext[18] == "T12<br>3"
    assert figure.layout.xaxis2.ticktext[0] == "C1<br>1"
    assert figure.layout.xaxis2.ticktext[1] == "C2<br>–"


@pytest.mark.parametrize(("symbol", "places"), [("x-thin", [18, 20]), ("circle-open", [0, 24])])
def test_the_strip_marks_missed_and_spurious_levels(symbol, places):
    """A cross stands where a level was missed, a circle where one was spurious, at DSC 0 and at 100 mm."""
    figure = charts.label_strip(eventful().table)
    marks = [trace for trace in figure.data if trace.marker.symbol == symbol]

    assert [sorted(zip(trace.x, trace.y, strict=True)) for trace in marks] == [
        [(place, 0.0) for place in places],
        [(place, 100.0) for place in places],
    ]


def test_cases_are_named_on_hovering():
    """Every case is a point with its id, escaped, and its mean."""
    figure = charts.case_distribution(eventful().table)
    names = [name for trace in figure.data if trace.xaxis == "x" for name in trace.text]

    assert sorted(names) == sorted(
        [
            "liver_1: 0.340",
            "liver_2: 0.650",
            HOSTILE.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;") + ": 0.000",
        ]
    )


def test_the_confusion_tells_names_from_names():
    """L1 called T12 is off the diagonal, L2 called by no name is in the last column."""
    table = submission(
        [case("a", vertebra("T12", 0.9, 1.0), vertebra("L1", 0.1, 30.0, predicted_as=19), vertebra("L2", 0.0, None))]
    ).table
    right, wrong = charts.shift_confusion(table).data

    assert list(right.x) == ["T12", "L1", "L2", "missed"]
    assert [list(row) for row in right.text] == [[1, "", "", ""], ["", "", "", ""], ["", "", "", ""]]
    assert [list(row) for row in wrong.text] == [["", "", "", ""], [1, "", "", ""], ["", "", "", 1]]
    assert wrong.z[1][0] == 1.0


def test_losses_add_up_to_what_is_missing_to_one():
    """The bars of a level end at 1 − its mean DSC; a spurious level loses all of it to being spurious."""
    score = eventful()
    figure = charts.loss_bars(score.table)
    total = {name: sum(trace.y[n] for trace in figure.data) for n, name in enumerate(figure.data[0].x)}

    assert total == pytest.approx(
        {name: 1 - means.dsc for name, means in score.summary.official.labels.items() if means.n}
    )
    spurious = {trace.name: dict(zip(trace.x, trace.y, strict=True)) for trace in figure.data}["spurious"]
    assert (spurious["L6"], spurious["C1"], spurious["L2"]) == (1.0, 1.0, 0.0)
