"""Scores of submissions on several test sets, and the gap between two of them taken apart → figures."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import plotly.graph_objects as go

from ctspine_bench.charts.marks import SERIES, Mark, error_bars, score_range, spread
from ctspine_bench.charts.style import CAUSES, GREY, LINE_PIXELS, add_heading, cause_marker, empty, styled
from ctspine_bench.charts.text import direction, short, wrapped

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ctspine_bench.domain_gap import GapSplit, Part

PART_TITLES: Final[Mapping[str, str]] = {
    "label_mix": "Label mix",
    "within_label": "Within labels",
    "one_set_only": "Labels of one set",
}
"""Part of a gap → what people read."""

_AXIS: Final = f"mean DSC, {direction(larger_is_better=True)}"
_NAME_LENGTH: Final = 16
_NAME_PIXELS: Final = 124
_NAME_LINE_PIXELS: Final = 14
_SLOPE_PIXELS: Final = 380
_SLOPE_TOP: Final = 30
_SLOPE_BOTTOM: Final = 42
_PART_PIXELS: Final = 62
_LANE: Final = 0.18
_PALE: Final = "rgba(128,128,128,0.16)"
_GREY_BAR: Final = "rgba(128,128,128,0.45)"
_PATTERN_GLYPHS: Final = {"/": "▨", "x": "▩", "": "■", ".": "▒"}
_HOLLOW: Final = str.maketrans("●■◆▲▼", "○□◇△▽")


@dataclass(frozen=True)
class Line:
    """A submission across test sets.

    Attributes:
        name: What people call it.
        marks: One for each test set, `None` where there is no score.
        as_published: Whether the scores were taken from a publication; drawn hollow and dashed.
    """

    name: str
    marks: tuple[Mark | None, ...]
    as_published: bool = False


def slope_chart(sets: Sequence[str], lines: Sequence[Line]) -> go.Figure:
    """Draw each submission as a line across test sets, with its name at the end.

    Args:
        sets: What stands under each column; not escaped, so that it may have a line break.
        lines: At most `MOST`.
    """
    if not any(any(line.marks) for line in lines):
        return empty("No score on any of these test sets.")
    figure = go.Figure()
    for number, line in enumerate(lines):
        colour, symbol, _ = SERIES[number]
        there = [(place, mark) for place, mark in enumerate(line.marks) if mark]
        # Intervals of submissions that are equally good would hide each other.
        aside = 0.035 * (number - (len(lines) - 1) / 2)
        figure.add_scatter(
            x=[place + aside for place, _ in there],
            y=[mark.dsc for _, mark in there],
            error_y=error_bars([mark for _, mark in there]),
            text=[mark.text for _, mark in there],
            hovertemplate="%{text}<extra></extra>",
            mode="lines+markers",
            line={"color": colour, "width": 2, "dash": "dot" if line.as_published else "solid"},
            marker={"symbol": f"{symbol}-open" if line.as_published else symbol, "size": 9, "color": colour},
        )
    low, high = score_range([mark for line in lines for mark in line.marks if mark])
    _add_names(figure, lines, len(sets) - 1, (low, high))
    add_heading(figure, _AXIS)
    figure = styled(figure, _SLOPE_PIXELS, top=_SLOPE_TOP, bottom=_SLOPE_BOTTOM)
    figure.update_xaxes(
        tickvals=list(range(len(sets))), ticktext=list(sets), tickangle=0, range=[-0.25, len(sets) - 0.7]
    )
    figure.update_yaxes(range=[low, high], tickformat=".2f", nticks=7)
    return figure.update_layout(margin_l=36, margin_r=_NAME_PIXELS, hovermode="closest")


def waterfall(
    public: str, other: str, split: GapSplit, intervals: Mapping[str, tuple[float, float]] | None = None
) -> go.Figure:
    """Draw the way from the score of the public set down to that of another one: part by part, each by cause.

    Where causes are known of the gap as a whole alone, they stand in its row.

    Args:
        public: Name of the public set.
        other: Name of the other set.
        split: The gap between them.
        intervals: 95 % intervals of the parts and of the gap.
    """
    intervals = intervals or {}
    figure = go.Figure()
    at = split.public
    ticks = [f"<b>{escape(public)}</b>"]
    by_cause: dict[str, list[tuple[float, float, float]]] = {title: [] for _, title, *_ in CAUSES}
    for row, (name, title) in enumerate(PART_TITLES.items(), start=1):
        part = getattr(split, name)
        _add_part(figure, by_cause, row, at, part)
        _add_step(figure, at, row - 1, row)
        at -= part.total
        ticks.append(f"{title}<br>{_in_lines(part.total, intervals.get(name))}")
    last = len(ticks)
    _add_step(figure, at, last - 1, last)
    if not any(by_cause.values()) and split.whole.identification is not None:
        _add_part(figure, by_cause, last, split.public, split.whole)
    for _, cause, colour, pattern in CAUSES:
        if by_cause[cause]:
            figure.add_bar(**_bars(by_cause[cause], _LANE), name=cause, marker=cause_marker(colour, pattern))
    figure.add_scatter(
        x=[split.public, split.other],
        y=[0, last],
        text=[f"{split.public:.3f}", f"{split.other:.3f}"],
        textposition="middle right",
        mode="markers+text",
        marker={"symbol": "diamond", "size": 12, "color": GREY},
        hoverinfo="skip",
        cliponaxis=False,
    )
    ticks.append(f"<b>{escape(other)}</b><br>gap {_in_lines(split.gap, intervals.get('gap'))}")
    return _as_waterfall(figure, ticks, split, causes=any(by_cause.values()))


def signed(value: float, ends: tuple[float, float] | None = None) -> str:
    """Return a difference with its sign, and its interval."""
    text = _sign(value)
    return f"{text} [{_sign(ends[0])}, {_sign(ends[1])}]" if ends else text


def _in_lines(value: float, ends: tuple[float, float] | None) -> str:
    return signed(value, ends).replace(" [", "<br>[")


def _sign(value: float) -> str:
    text = f"{value:+.3f}".replace("-", "−")
    return "0.000" if text[1:] == "0.000" else text


def _add_names(figure: go.Figure, lines: Sequence[Line], last: int, ends: tuple[float, float]) -> None:
    """Write the name of each line beside its end, moved apart where ends are close."""
    shown = [(number, line) for number, line in enumerate(lines) if any(line.marks)]
    last_marks = [next(mark for mark in reversed(line.marks) if mark) for _, line in shown]
    texts = [_end_text(line) for _, line in shown]
    wanted = np.array([mark.dsc for mark in last_marks])
    pixel = (ends[1] - ends[0]) / (_SLOPE_PIXELS - _SLOPE_TOP - _SLOPE_BOTTOM)
    apart = (_NAME_LINE_PIXELS * max(text.count("<br>") + 1 for text in texts) + 3) * pixel
    heights = spread(wanted, apart, ends[0] + apart / 2, ends[1] - apart / 2)
    for (number, line), text, height, end in zip(shown, texts, heights.tolist(), wanted.tolist(), strict=True):
        colour, _, glyph = SERIES[number]
        glyph = glyph.translate(_HOLLOW) if line.as_published else glyph
        from_place = max(place for place, mark in enumerate(line.marks) if mark)
        figure.add_shape(
            type="line",
            x0=from_place + 0.12,
            y0=end,
            x1=last + 0.28,
            y1=height,
            line={"color": colour, "width": 1, "dash": "dot"},
            opacity=0.5,
        )
        figure.add_annotation(
            x=1,
            xref="paper",
            y=height,
            xanchor="left",
            align="left",
            showarrow=False,
            font_size=11,
            text=f'<span style="color:{colour}">{glyph}</span> {text}',
        )


def _end_text(line: Line) -> str:
    if line.as_published:
        return f"{short(line.name, _NAME_LENGTH)}<br><i>as published</i>"
    return wrapped(line.name, _NAME_LENGTH)


def _add_part(
    figure: go.Figure, by_cause: dict[str, list[tuple[float, float, float]]], row: int, at: float, part: Part
) -> None:
    """Draw a broad bar from where a part begins, and note the narrow ones of its causes, one below the other."""
    causes = [getattr(part, name.removeprefix("loss_")) for name, *_ in CAUSES]
    figure.add_bar(**_bars([(row, at, part.total)], 0.86), marker={"color": _PALE if None not in causes else _GREY_BAR})
    for lane, (lost, (_, cause, *_)) in enumerate(zip(causes, CAUSES, strict=True)):
        if lost is not None:
            by_cause[cause].append((row + (lane - (len(CAUSES) - 1) / 2) * (_LANE + 0.02), at, lost))
            at -= lost


def _bars(steps: Sequence[tuple[float, float, float]], width: float) -> dict[str, Any]:
    """Return bars from (row, start, loss): a loss goes to the left."""
    return {
        "orientation": "h",
        "y": [row for row, *_ in steps],
        "base": [start for _, start, _ in steps],
        "x": [-loss for *_, loss in steps],
        "width": width,
        "customdata": [signed(loss) for *_, loss in steps],
        "hovertemplate": "%{customdata} of the gap<extra>%{fullData.name}</extra>" if width == _LANE else None,
        "hoverinfo": None if width == _LANE else "skip",
    }


def _add_step(figure: go.Figure, at: float, row: float, to_row: float) -> None:
    figure.add_shape(
        type="line", x0=at, x1=at, y0=row, y1=to_row, line={"color": GREY, "width": 1, "dash": "dot"}, layer="below"
    )


def _as_waterfall(figure: go.Figure, ticks: Sequence[str], split: GapSplit, *, causes: bool) -> go.Figure:
    ends = [end for trace in figure.data if trace.type == "bar" for end in _ends(trace)] + [split.public, split.other]
    low, high = min(ends), max(ends)
    margin = max(high - low, 0.02)
    top = 10 + 2 * LINE_PIXELS if causes else 8
    figure = styled(figure, _PART_PIXELS * (len(PART_TITLES) + 1) + top + 48, top=top, bottom=48)
    figure.update_layout(barmode="overlay", showlegend=False)
    if causes:
        # On two lines, as one would not fit on a telephone.
        half = (len(CAUSES) + 1) // 2
        for line, some in ((2, CAUSES[:half]), (1, CAUSES[half:])):
            add_heading(figure, "  ".join(_cause_key(*cause) for cause in some), line=line)
    # The numbers beside the two ends need room at the right.
    figure.update_xaxes(title_text=_AXIS, range=[low - 0.08 * margin, high + 0.3 * margin], tickangle=0, nticks=5)
    return figure.update_yaxes(
        tickvals=list(range(len(ticks))), ticktext=list(ticks), range=[len(ticks) - 0.45, -0.4], showgrid=False
    )


def _cause_key(_: str, title: str, colour: str, pattern: str) -> str:
    """Return what a colour and its pattern mean. A legend of plotly's would take three lines on a telephone."""
    return f'<span style="color:{colour}">{_PATTERN_GLYPHS[pattern]}</span> {title}'


def _ends(trace: go.Bar) -> list[float]:
    return [end for base, width in zip(trace.base, trace.x, strict=True) for end in (base, base + width)]
