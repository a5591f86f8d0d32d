"""Text in figures: names cut to what fits and freed of markup, values with units, axes with the direction of better."""

from __future__ import annotations

import unicodedata
from html import escape
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from ctspine_bench.rankings.paired import Metric

NAME_LENGTH: Final = 24
# How wide characters are, in those of ordinary lower-case text; good enough to keep a name within its column.
_NARROW: Final = frozenset("ijlftrI.,:;'|!()[] ")
_WIDE: Final = frozenset("mwMW@%—…")
_BROAD: Final = frozenset("<>=~+&")
_BREAKS: Final = " -_/+"


def short(name: str, length: int = NAME_LENGTH) -> str:
    """Return a name for a figure: not wider than that many ordinary characters, and no markup."""
    return escape(_cut(name, length), quote=False)


def wrapped(name: str, length: int) -> str:
    """Return a name on at most two lines, each not wider than that, with `<br>` between; no other markup."""
    if text_width(name) <= length:
        return escape(name, quote=False)
    kept = len(_fitting(name, length))
    breaks = [place + 1 for place, character in enumerate(name[:kept]) if character in _BREAKS]
    at = breaks[-1] if breaks and 2 * breaks[-1] >= kept else kept
    return f"{escape(name[:at].rstrip(), quote=False)}<br>{short(name[at:].lstrip(), length)}"


def text_width(text: str) -> float:
    """Return about how wide a text is, in ordinary lower-case characters."""
    return sum(map(_character_width, text))


def told(value: float, metric: Metric) -> str:
    """Return a value with its digits and its unit."""
    return f"{value:.{metric.digits}f} {metric.unit}".rstrip().replace("-", "−")


def signed(value: float, metric: Metric) -> str:
    """Return a difference with its sign, its digits and its unit; what rounds to nothing has no sign."""
    text = f"{value:+.{metric.digits}f}"
    text = text[1:] if float(text) == 0 else text
    return f"{text} {metric.unit}".rstrip().replace("-", "−")


def titled(metric: Metric, words: str = "{}") -> str:
    """Return what people call a metric, put into words, with its unit."""
    title = words.format(metric.title)
    return f"{title}, {metric.unit}" if metric.unit else title


def direction(*, larger_is_better: bool) -> str:
    """Return the direction of better, as axes state it."""
    return "higher is better" if larger_is_better else "lower is better"


def counted(n: int, noun: str = "case") -> str:
    """Return a number of things."""
    return f"1 {noun}" if n == 1 else f"{n} {noun}s"


def _cut(name: str, length: float) -> str:
    return name if text_width(name) <= length else f"{_fitting(name, length - 1).rstrip()}…"


def _fitting(name: str, length: float) -> str:
    """Return the longest beginning of a name that is not wider than that."""
    for place, character in enumerate(name):
        length -= _character_width(character)
        if length < 0:
            return name[:place]
    return name


def _character_width(character: str) -> float:
    if unicodedata.category(character) in {"Mn", "Me", "Cf"}:
        return 0.0
    if unicodedata.east_asian_width(character) in {"W", "F"}:
        return 1.8
    if character in _NARROW:
        return 0.6
    if character in _WIDE:
        return 1.7
    return 1.25 if character.isupper() or character in _BROAD else 1.0
