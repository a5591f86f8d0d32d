"""Plain YAML from strangers: data as the file shows it to a reader, and nothing that grows, hides or runs.

What is left of YAML 1.1 is mappings, lists, text, decimal numbers, booleans, dates and null. Whatever could make a
few bytes into many objects (anchors, aliases, merge keys), choose a type (tags), or read otherwise than it looks
(octal and base-60 numbers, a key given twice, invisible characters and line breaks that only YAML knows) is refused.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any, Final, NoReturn

import yaml

if TYPE_CHECKING:
    from collections.abc import Hashable

MAX_DEPTH: Final = 10
"""How many levels of mappings and lists may lie within each other."""

_TYPES: Final = frozenset(f"tag:yaml.org,2002:{name}" for name in ("str", "null", "bool", "timestamp", "map", "seq"))
_INT: Final = "tag:yaml.org,2002:int"
_FLOAT: Final = "tag:yaml.org,2002:float"
_DECIMAL: Final = re.compile(r"[-+]?(0|[1-9][0-9]{0,19})")
# .nan, .inf, 1_000.0 and the base-60 1:30.5 are floats to YAML, too.
_FRACTION: Final = re.compile(r"[-+]?[0-9]*\.[0-9]*([eE][-+][0-9]+)?")

# C0 and C1 controls, with the line breaks that editors do not show as such; marks that reorder the text around them
# (as in CVE-2021-42574, "Trojan Source"); a byte order mark.
_HIDDEN: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]|\r(?!\n)"
)


def parse_yaml(content: bytes, *, max_bytes: int) -> object:
    """Return what a YAML document holds, if it is plain.

    Args:
        content: The file.
        max_bytes: How large it may be.

    Raises:
        ValueError: It is not plain YAML. The message says what was found, as after "found".
    """
    if len(content) > max_bytes:
        raise ValueError(f"a larger file than {max_bytes:,} bytes")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"bytes that are not UTF-8 text, at position {error.start}") from None
    if hidden := _HIDDEN.search(text):
        line = text.count("\n", 0, hidden.start()) + 1
        raise ValueError(f"a control or invisible character, U+{ord(hidden[0]):04X}, in line {line}")
    loader = _PlainLoader(text)
    try:
        return loader.get_single_data()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = str(error.problem or error.context).removeprefix("but ").removeprefix("found ")
        raise ValueError(f"{problem}{_line(mark)}") from None
    except yaml.YAMLError as error:
        raise ValueError(" ".join(str(error).split())) from None
    except (ValueError, ArithmeticError) as error:  # all other types are built from text that was matched before
        raise ValueError(f"a date that does not exist ({error})") from None
    finally:
        loader.dispose()


class _PlainLoader(yaml.SafeLoader):
    """A SafeLoader that looks at every node before it is built."""

    depth = 0

    def compose_document(self) -> yaml.Node | None:
        start = self.peek_event()  # type: ignore[no-untyped-call]
        if start.version or start.tags:
            _refuse("a % directive", start.start_mark)
        return super().compose_document()

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if event.anchor is not None:  # an alias carries the name of its anchor
            _refuse(f"an anchor or alias, {event.anchor!r:.40}", event.start_mark)
        if event.tag is not None:
            _refuse(f"a tag, {event.tag!r:.60}", event.start_mark)
        level = isinstance(event, yaml.CollectionStartEvent)
        self.depth += level
        if self.depth > MAX_DEPTH:
            _refuse(f"more than {MAX_DEPTH} levels", event.start_mark)
        node = super().compose_node(parent, index)
        self.depth -= level
        _check_type(node)
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        mapping = super().construct_mapping(node, deep)
        if len(mapping) < len(node.value):
            _refuse("a key that stands twice", node.start_mark)
        return mapping


def _check_type(node: yaml.Node | None) -> None:
    if node is None or node.tag in _TYPES:
        return
    if node.tag == _INT:
        if _DECIMAL.fullmatch(node.value):
            return
        _refuse(f"{node.value!r:.60}, which is no plain decimal number; text needs quotes", node.start_mark)
    if node.tag == _FLOAT:
        if _FRACTION.fullmatch(node.value) and math.isfinite(float(node.value)):
            return
        _refuse(f"{node.value!r:.60}, which is no finite decimal number; text needs quotes", node.start_mark)
    _refuse(f"{node.value!r:.60}, which means something else in YAML; text needs quotes", node.start_mark)


def _refuse(found: str, mark: yaml.Mark) -> NoReturn:
    raise yaml.MarkedYAMLError(problem=found, problem_mark=mark)


def _line(mark: yaml.Mark | None) -> str:
    return f", in line {mark.line + 1}" if mark else ""
