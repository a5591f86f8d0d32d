"""A mapping out of a file that anybody can break, read with what is expected there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ctspine_bench.errors import SubmissionError
from ctspine_bench.hosting.disclosure.suppression import FEW
from ctspine_bench.submissions.plain_text import shown

if TYPE_CHECKING:
    from collections.abc import Mapping

# No number of a record is as large: volumes and counts are not, nor are the parameters of a network.
_LARGEST: Final = 1e9


class Part:
    """A mapping out of a file, read with what is expected there; what is absent is `None` or empty."""

    def __init__(self, content: Mapping[str, Any], path: str, place: str = "") -> None:
        self.content = content
        self._path = path
        self._place = place

    def part(self, name: str) -> Part:
        """Return a mapping in this one."""
        content = self.content.get(name)
        if not isinstance(content, dict | None):
            raise self._error(name, "a mapping", content)
        return Part(content or {}, self._path, f"{self._place}{name}.")

    def items(self, name: str) -> list[Any]:
        """Return a list."""
        content = self.content.get(name)
        if not isinstance(content, list | None):
            raise self._error(name, "a list", content)
        return content or []

    def texts(self, name: str, n: int | None = None) -> list[str]:
        """Return the texts in a list, so many if that is given."""
        content = self.items(name)
        if n is not None and len(content) != n:
            raise self._error(name, f"{n} texts", f"{len(content)} of them")
        for item in content:
            if not isinstance(item, str):
                raise self._error(name, "a list of texts", item)
        return content

    def parts(self, name: str) -> list[Part]:
        """Return the mappings in a list."""
        content = self.items(name)
        for item in content:
            if not isinstance(item, dict):
                raise self._error(name, "a list of mappings", item)
        return [Part(item, self._path, f"{self._place}{name}.") for item in content]

    def numbers(self, name: str, most: int, least: int = 0) -> list[float | None]:
        """Return the numbers in a list, so many at most and at least; `None` where one is not known."""
        content = self.items(name)
        if not least <= len(content) <= most:
            expected = f"{most} numbers" if most == least else f"at most {most} numbers"
            raise self._error(name, expected, f"{len(content)} of them")
        whole = Part({str(index): value for index, value in enumerate(content)}, self._path, f"{self._place}{name}.")
        return [whole.number(index) for index in whole.content]

    def number(self, name: str) -> float | None:
        """Return a number."""
        value = self.content.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self._error(name, "a number", value)
        if not -_LARGEST < value < _LARGEST:
            raise self._error(name, f"a number below {_LARGEST:,.0f}", value)
        return float(value)

    def count(self, name: str) -> int | float | str | None:
        """Return a count, or what stands in the place of one under the threshold of private test sets."""
        value = self.content.get(name)
        if value is None or value == FEW:
            return value
        number = self.number(name)
        return int(number) if number is not None and number.is_integer() else number

    def flag(self, name: str) -> bool:
        """Return whether something is so; not if it does not say."""
        value = self.content.get(name)
        if not isinstance(value, bool | None):
            raise self._error(name, "true or false", value)
        return bool(value)

    def text(self, name: str) -> str:
        """Return a text."""
        value = self.content.get(name)
        if not isinstance(value, str | None):
            raise self._error(name, "a text", value)
        return value or ""

    def _error(self, name: str, expected: str, found: object) -> SubmissionError:
        return broken(self._path, f"{expected} in {shown(self._place + name, 100)}", shown(repr(found), 60))


def broken(path: str, expected: str, found: str) -> SubmissionError:
    """Return the error of a file that is not of the expected shape."""
    advice = "Score the submission again, or take the file from the last good commit."
    return SubmissionError("E_RECORD", path, expected=expected, found=found, advice=advice)
