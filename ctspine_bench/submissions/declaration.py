"""`submission.yaml`: what a participant declares.

The descriptions of the fields are shown by editors, through the exported JSON Schema, and as advice in errors.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from ctspine_bench.submissions.field_types import (
    ArchiveUrl,
    Contact,
    Date,
    Digest,
    Line,
    Login,
    Text,
    Url,
    different,
    field_error,
    some,
)
from ctspine_bench.submissions.plain_text import shown
from ctspine_bench.testsets import OFFICIAL, PHANTOM

SCHEMA_VERSION: Final = 1
"""Version of the layout of submission.yaml."""

MAX_ARCHIVE_BYTES: Final = 20 * 2**30
"""How large an archive of predictions may be."""


def _integer(value: Any) -> Any:
    # Literal[1] compares with ==, by which true and 1.0 are 1.
    if type(value) is not int:
        raise field_error(f"the number {SCHEMA_VERSION}", shown(repr(value)))
    return value


TestSetName = Literal["public", "private", "verse", "phantom-public", "phantom-private", "phantom-verse"]


class _Part(BaseModel):
    """Strict: unknown keys are errors, and nothing is converted."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class Archive(_Part):
    """One archive of predictions: where it can be downloaded, and what must arrive."""

    url: ArchiveUrl = Field(
        description="Where the archive can be downloaded without logging in: an https address whose path ends with "
        ".zip, .tar, .tar.gz, .tgz or .tar.zst, on one of the hosts that the organizers allow."
    )
    sha256: Digest = Field(description="SHA-256 digest of the archive; `ctspine-bench submission pack` prints it.")
    size: Annotated[int, Field(ge=1, le=MAX_ARCHIVE_BYTES, description="Size of the archive in bytes, at most 20 GiB.")]

    @property
    def file_name(self) -> str:
        """The last part of the path of the URL."""
        return urlsplit(self.url).path.rpartition("/")[2]


class Training(_Part):
    """What the method was trained on, as the participants declare."""

    data: Annotated[
        tuple[Annotated[Line, Field(max_length=200)], ...],
        Field(
            strict=False,
            max_length=30,
            description="All data that the method has learned from, one line each, pre-training included, such as "
            "'CTSpine1K training set, 610 cases'.",
            json_schema_extra={"minItems": 1},
        ),
        AfterValidator(some),
        AfterValidator(different),
    ]
    uses_verse: bool = Field(
        description="Whether any part of the method has learned from images or annotations of VerSe'19 or VerSe'20."
    )
    uses_test_cases: bool = Field(
        description="Whether any part of the method has learned from images or annotations of a test case, or was "
        "chosen by its results on test cases. The annotations of all 1,005 volumes can apparently be downloaded: "
        "that they were not used is declared here."
    )
    comment: Annotated[Text, Field(max_length=1000)] | None = Field(
        default=None, description="What else a reader should know about the training; may be left out."
    )


class Declaration(_Part):
    """A submission to the CTSpine1K leaderboard, in submissions/<slug>/submission.yaml."""

    schema_version: Annotated[Literal[1], BeforeValidator(_integer)] = Field(
        description="Version of the layout of this file: 1."
    )
    kind: Literal["scored", "published", "baseline", "simulated"] = Field(
        description="Either scored (predictions that the organizers score), published (numbers quoted from a "
        "publication, which the organizers enter), baseline (made and scored by the organizers with a recipe of the "
        "baselines) or simulated (made and scored by the demo)."
    )
    name: Annotated[Line, Field(max_length=60)] = Field(description="Name of the method, as the leaderboard shows it.")
    team: Annotated[Line, Field(max_length=120)] = Field(
        description="Who submits: a group, an institution or names, as the leaderboard shows them."
    )
    contact: Contact = Field(description="Where questions go: an e-mail address or an https address. It is public.")
    owners: Annotated[tuple[Login, ...], Field(strict=False, max_length=20), AfterValidator(different)] = Field(
        description="GitHub accounts that may change this submission later; empty only where kind is not scored."
    )
    date: Date = Field(
        description="Date of the submission (of published results: of their publication), YYYY-MM-DD without quotes."
    )
    description: Annotated[Text, Field(max_length=2000)] = Field(
        description="How the method works, in a few sentences: plain text without addresses or markup."
    )
    paper: Url | None = Field(default=None, description="Where the paper is: an https address; may be left out.")
    code: Url | None = Field(default=None, description="Where the code is: an https address; may be left out.")
    licence: Annotated[Line, Field(max_length=100)] = Field(
        description="Licence of the predictions (of published results: of the publication), such as CC-BY-4.0."
    )
    training: Training = Field(description="What the method was trained on.")
    coverage: Literal["complete", "partial"] = Field(
        description="Either complete (predictions for all cases of all three test sets) or partial, with a reason."
    )
    coverage_reason: Annotated[Line, Field(max_length=300)] | None = Field(
        default=None, description="Why the coverage is partial; left out when it is complete."
    )
    test_sets: dict[TestSetName, Archive] = Field(
        default={},
        description="Test set (public, private, verse; or phantom-public, phantom-private, phantom-verse to try things "
        "out) and the archive with its predictions.",
    )
    source: Annotated[Line, Field(max_length=300)] | None = Field(
        default=None, description="Only for published results: what they are quoted from."
    )

    @model_validator(mode="after")
    def _consistent(self) -> Declaration:
        if found := [*_kind_problems(self), *_coverage_problems(self), *_archive_problems(self)]:
            problems = [{"field": field, "expected": expected, "found": what} for field, expected, what in found]
            raise PydanticCustomError("fields", "fields that do not go together", {"problems": problems})
        return self


_Problem = tuple[str, str, str]
"""Field, what was expected there, what was found."""


def _kind_problems(declaration: Declaration) -> list[_Problem]:
    found: list[_Problem] = []
    if declaration.kind == "published" and declaration.source is None:
        found.append(("source", "what published results are quoted from", "nothing"))
    if declaration.kind != "published" and declaration.source is not None:
        found.append(("source", "a source for published results alone", f"one although kind is {declaration.kind}"))
    if declaration.kind != "scored":
        if declaration.test_sets:
            names = ", ".join(declaration.test_sets)
            found.append(("test_sets", f"no archives with {declaration.kind} results", names))
        return found
    if not declaration.test_sets:
        found.append(("test_sets", "at least one test set with its archive", "none"))
    if not declaration.owners:
        found.append(("owners", "at least one GitHub account", "none"))
    return found


def _coverage_problems(declaration: Declaration) -> list[_Problem]:
    found: list[_Problem] = []
    partial, covered = declaration.coverage == "partial", declaration.test_sets.keys()
    if partial and declaration.coverage_reason is None:
        found.append(("coverage_reason", "a reason for partial coverage", "none"))
    if not partial and declaration.coverage_reason is not None:
        found.append(("coverage_reason", "no reason where coverage is complete", "one"))
    if covered & set(OFFICIAL) and covered & set(PHANTOM):
        found.append(("test_sets", "official test sets or phantom ones", "both"))
    elif covered and not partial and len(covered) < len(OFFICIAL):
        names = PHANTOM if covered & set(PHANTOM) else OFFICIAL
        missing = ", ".join(name for name in names if name not in covered)
        found.append(("coverage", "partial, with a reason, or all three test sets", f"complete without {missing}"))
    return found


def _archive_problems(declaration: Declaration) -> list[_Problem]:
    first: dict[str, str] = {}
    found: list[_Problem] = []
    for name, archive in declaration.test_sets.items():
        other = first.setdefault(archive.sha256, name)
        if other != name:
            found.append(
                (f"test_sets.{name}.sha256", "another digest than that of the other test sets", f"that of {other}")
            )
    return found
