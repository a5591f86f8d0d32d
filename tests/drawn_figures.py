"""What a browser gets of a figure, for tests of charts."""

from __future__ import annotations

import json
import re
from html import unescape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    import plotly.graph_objects as go

HOSTILE_NAMES = (
    '<script>alert("1")</script>',
    '<a href="javascript:alert(1)">A & B</a>',
    "<b>" * 200,
    "طريقة تقسيم الفقرات <br>",
    "W" * 500,
    "椎骨分割手法" * 30,
)
"""Names that try to break out of a figure, or to push everything else out of it."""

_OWN_TAGS = {"b", "/b", "i", "/i", "br", "span", "/span", "extra", "/extra"}


def strings(figure: go.Figure) -> list[str]:
    """Every text in a figure, as the browser gets it; undefined numbers are refused."""
    return list(_strings(json.loads(figure.to_json(), parse_constant=_refuse)))


def foreign_tags(figure: go.Figure) -> set[str]:
    """The tags in a figure that this package does not write."""
    tags = {tag for text in strings(figure) for tag in re.findall(r"<\s*(/?\w*)[^>]*>?", text)}
    return tags - _OWN_TAGS


def notes(figure: go.Figure) -> list[str]:
    """What a reader sees written on a figure beside its axes."""
    return [unescape(re.sub(r"<[^>]*>", "", annotation.text)) for annotation in figure.layout.annotations]


def points(trace: Any) -> list[tuple[Any, Any]]:
    """The points of a trace."""
    return list(zip(trace.x, trace.y, strict=True))


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from _strings(part)
    elif isinstance(value, list):
        for part in value:
            yield from _strings(part)


def _refuse(constant: str) -> None:
    raise ValueError(f"expected numbers, found {constant}")
