"""What may stand in a comment, and nothing else: the models that comment.json is validated with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from ctspine_bench.errors import CODES, SubmissionError
from ctspine_bench.submissions.declaration import TestSetName  # noqa: TC001 -- pydantic needs it
from ctspine_bench.submissions.field_types import Line, Url  # noqa: TC001 -- likewise
from ctspine_bench.submissions.folder import check_slug
from ctspine_bench.submissions.plain_text import shown

if TYPE_CHECKING:
    from pathlib import Path

COMMENT_VERSION: Final = 2
"""Version of the layout of comment.json."""

MAX_BYTES: Final = 256 * 1024
"""How large comment.json may be."""

MAX_LISTED: Final = 20
"""How many refused cases of a test set, or problems of a pull request, are listed; the others are counted."""

_MAX_SHOWN: Final = 400
"""How long a part of a problem can become; the rest is cut off."""


def _known_code(code: str) -> str:
    if code not in CODES:
        raise ValueError("no error code")
    return code


def _slug(slug: str) -> str:
    try:
        check_slug(slug)
    except SubmissionError as error:
        raise ValueError(f"{error.found}, which is no folder name of a submission") from None
    return slug


def _visible(text: str) -> str:
    """Problems quote what was found, whatever it was."""
    return shown(text, _MAX_SHOWN)


Share = Annotated[float, Field(ge=0, le=1)]
Millimetres = Annotated[float, Field(ge=0, le=10_000)]
Number = Annotated[int, Field(ge=0, le=1_000_000)]
Count = Number | Literal["<5"] | None
"""A number; of private cases perhaps that it is too small to be told, or nothing."""
Code = Annotated[str, AfterValidator(_known_code)]
CaseId = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=255)]
Slug = Annotated[str, AfterValidator(_slug)]
Commit = Annotated[str, Field(pattern=r"^[0-9a-f]{40}$")]
VisibleText = Annotated[str, Field(min_length=1), AfterValidator(_visible)]
"""Any text; what cannot be seen in it is escaped."""


class _Part(BaseModel):
    """Strict: unknown keys are errors, nothing is converted, NaN and infinity are no numbers."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False)


class Scores(_Part):
    """A DSC, an HD95 and, where it is known, HD95 of matched; `None` where it is undefined or not published."""

    dsc: Share | None
    hd95_mm: Millimetres | None
    hd95_matched_mm: Millimetres | None = None


class PublishedScores(_Part):
    """A row of the paper: DSC by the official rule, HD95 of matched."""

    dsc: Share
    hd95_matched_mm: Millimetres | None


class ShareInterval(_Part):
    """A mean DSC over cases with its 95 % interval, which a small set does not have."""

    mean: Share | None
    low: Share | None
    high: Share | None


class Rank(_Part):
    """The rank that the submission would take, with its 95 % interval."""

    rank: Number
    low: Number
    high: Number
    n_ranked: Number

    @model_validator(mode="after")
    def _ordered(self) -> Rank:
        if not 1 <= self.low <= self.rank <= self.high <= self.n_ranked:
            raise ValueError("a rank outside its interval")
        return self


class Vertebrae(_Part):
    """How many vertebrae were matched, missed and spurious; of private cases to the nearest five."""

    matched: Count
    missed: Count
    spurious: Count


class RefusedCase(_Part):
    """A case whose prediction is missing or was refused."""

    case_id: CaseId
    code: Code


class TestSetComment(_Part):
    """What is said about one test set.

    Attributes:
        aggregated: Whether there are aggregates at all; not when the organizers' references could not all be read.
        published: Mean of Vertebrae of nnU-Net as published; `None` for a test set that is not in the paper.
        refused: The first of the refused cases.
        n_refused: Error code → how many cases were refused with it.
        n_unnamed: How many more were, which are private and not named.
    """

    __test__ = False  # not a test case, whatever its name says to pytest

    name: TestSetName
    n_cases: Count
    expected_cases: Number | None
    complete: bool
    aggregated: bool
    mean_of_vertebrae: Scores
    mean_of_spine: Scores
    per_case_dsc: ShareInterval
    vertebrae: Vertebrae | None
    published: PublishedScores | None
    rank: Rank | None
    refused: Annotated[tuple[RefusedCase, ...], Field(max_length=MAX_LISTED)]
    n_refused: Annotated[dict[Code, Number], Field(max_length=len(CODES))]
    n_unnamed: Number


class CommentData(_Part):
    """The scores of a submission, as much of them as the comment shows."""

    schema_version: Annotated[int, Field(ge=COMMENT_VERSION, le=COMMENT_VERSION)]
    kind: Literal["scored"]
    slug: Slug
    commit: Commit | None
    name: Annotated[Line, Field(max_length=60)]
    team: Annotated[Line, Field(max_length=120)]
    paper: Url | None
    code: Url | None
    uses_verse: bool
    uses_test_cases: bool
    coverage: Literal["complete", "partial"]
    coverage_reason: Annotated[Line, Field(max_length=300)] | None
    same_predictions_as: Annotated[tuple[Slug, ...], Field(max_length=MAX_LISTED)]
    test_sets: Annotated[tuple[TestSetComment, ...], Field(min_length=1, max_length=3)]

    @model_validator(mode="after")
    def _each_once(self) -> CommentData:
        if len({test_set.name for test_set in self.test_sets}) < len(self.test_sets):
            raise ValueError("a test set that stands twice")
        return self


class Problem(_Part):
    """One error, in the parts of `errors.InputError`."""

    code: Code
    path: VisibleText | None
    expected: VisibleText
    found: VisibleText
    advice: VisibleText


class RefusalData(_Part):
    """Why a pull request was not scored: the form that `ctspine-bench submission check-pr --format json` prints."""

    base: Commit | None = None
    head: Commit | None
    slugs: tuple[VisibleText, ...]
    problems: Annotated[tuple[Problem, ...], Field(min_length=1)]


def _form(document: Any) -> str:
    return "scored" if isinstance(document, dict) and "kind" in document else "refused"


_COMMENT: Final[TypeAdapter[CommentData | RefusalData]] = TypeAdapter(
    Annotated[
        Annotated[CommentData, Tag("scored")] | Annotated[RefusalData, Tag("refused")],
        Discriminator(_form),
    ]
)


def read_comment_data(path: Path) -> CommentData | RefusalData:
    """Read comment.json, as from a stranger.

    Raises:
        SubmissionError: E_RECORD, it is missing, too large, or anything in it is not as it should be.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise record_error(path.name, "a file with the data of a comment", error.strerror or "none") from None
    return parse_comment_data(content, path.name)


def parse_comment_data(content: bytes, name: str) -> CommentData | RefusalData:
    """Validate the content of comment.json; `name` is what errors call it.

    Raises:
        SubmissionError: E_RECORD.
    """
    if len(content) > MAX_BYTES:
        raise record_error(name, f"at most {MAX_BYTES} bytes", "more")
    try:
        return _COMMENT.validate_json(content)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        place = shown(".".join(map(str, first["loc"]))) or "the file"
        raise record_error(name, "the data of a comment", f"{place}: {shown(first['msg'], 200)}") from None


def record_error(name: str, expected: str, found: str) -> SubmissionError:
    """Return the error of a comment.json that is not as it should be."""
    return SubmissionError("E_RECORD", name, expected=expected, found=found, advice="Score the submission again.")
