"""Which case belongs to which test set and to which source, and which references are known to be wrong.

The case lists are the official split of CTSpine1K (Deng et al., 2024): 610 training, 197 public and 198 private cases.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import ClassVar, Final

from ctspine_bench.errors import UsageError

OFFICIAL: Final = ("public", "private", "verse")
"""The names of the official test sets."""

PHANTOM: Final = tuple(f"phantom-{name}" for name in OFFICIAL)
"""The names of the test sets of a phantom benchmark."""

_SOURCE_PATTERNS: Final = {
    "COLONOG": r"1\.3\.6\.1\.4\.1\.9328|CTC-",
    "HNSCC-3DCT-RT": r"HN_P",
    "MSD-T10": r"liver_",
    "COVID-19": r"volume-covid19",
    "VerSe": r"verse\d+|sub-verse|sub-gl",
}
SOURCES: Final = tuple(_SOURCE_PATTERNS)
"""Where the cases come from, by the folder names of the CTSpine1K download, and VerSe."""


@dataclass(frozen=True)
class TestSet:
    """A set of cases that a submission is scored on.

    Attributes:
        name: Short name, as on the command line.
        title: Name for people.
        cases: The ids of its cases; `None` when whatever references are supplied make up the set.
        expected_count: How many cases it should have; `None` when that is not known.
        note: What a reader of its results has to know; may be empty.
        private: Whether its references are secret: nothing about single cases may be published.
    """

    __test__: ClassVar[bool] = False  # not a test case, whatever its name says to pytest

    name: str
    title: str
    cases: tuple[str, ...] | None
    expected_count: int | None
    note: str
    private: bool = False


@dataclass(frozen=True)
class Erratum:
    """A known error of one reference.

    Attributes:
        case_id: The case.
        labels: The labels concerned; may be empty.
        text: What is wrong.
        reported: Where it was reported.
    """

    case_id: str
    labels: tuple[int, ...]
    text: str
    reported: str


def official(name: str) -> TestSet:
    """Return the official test set `"public"`, `"private"` or `"verse"`.

    Raises:
        UsageError: There is no such test set.
    """
    if name not in OFFICIAL:
        raise UsageError(f"expected a test set out of {', '.join(OFFICIAL)}, found {name!r}")
    if name == "verse":
        return TestSet(
            name="verse",
            title="VerSe",
            cases=None,
            expected_count=41,
            note="The list of the 41 VerSe cases of the paper is not published: the supplied references make up the "
            "set. Name the version of the annotation with the result.",
        )
    cases = _manifest(name)
    return TestSet(
        name=name,
        title=f"CTSpine1K {name} test set",
        cases=cases,
        expected_count=len(cases),
        note="",
        private=name == "private",
    )


def phantom(name: str) -> TestSet:
    """Return the test set `"phantom-public"`, `"phantom-private"` or `"phantom-verse"` of a phantom benchmark.

    Raises:
        UsageError: There is no such test set.
    """
    if name not in PHANTOM:
        raise UsageError(f"expected a test set out of {', '.join(PHANTOM)}, found {name!r}")
    return replace(custom(name), private=name == "phantom-private")


def named(name: str) -> TestSet:
    """Return an official test set or one of a phantom benchmark.

    Raises:
        UsageError: There is no such test set.
    """
    return phantom(name) if name in PHANTOM else official(name)


def custom(name: str = "custom") -> TestSet:
    """Return a test set that consists of whatever references are supplied."""
    return TestSet(
        name=name, title=name, cases=None, expected_count=None, note="The supplied references make up the set."
    )


def training_cases() -> tuple[str, ...]:
    """Return the ids of the 610 training cases."""
    return _manifest("train")


def source_of(case_id: str) -> str | None:
    """Return which of `SOURCES` a case id belongs to by its form, `None` if to none."""
    return next((source for source, pattern in _SOURCE_PATTERNS.items() if re.match(pattern, case_id)), None)


def known_errata(case_id: str) -> tuple[Erratum, ...]:
    """Return what users of the data set have reported about the reference of a case."""
    return tuple(erratum for erratum in _errata() if erratum.case_id == case_id)


@cache
def _manifest(name: str) -> tuple[str, ...]:
    return tuple(files("ctspine_bench").joinpath("manifests", f"{name}.txt").read_text("utf-8").split())


@cache
def _errata() -> tuple[Erratum, ...]:
    content = tomllib.loads(files("ctspine_bench").joinpath("manifests", "errata.toml").read_text("utf-8"))
    return tuple(
        Erratum(entry["case"], tuple(entry["labels"]), entry["text"], entry["reported"]) for entry in content["erratum"]
    )
