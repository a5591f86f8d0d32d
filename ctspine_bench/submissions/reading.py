"""`submission.yaml` → `Declaration`, or everything that is wrong with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, get_args

from pydantic import BaseModel, ValidationError

from ctspine_bench.errors import SubmissionError
from ctspine_bench.submissions.declaration import SCHEMA_VERSION, Declaration
from ctspine_bench.submissions.plain_text import shown
from ctspine_bench.yaml_files import parse_yaml

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from pydantic_core import ErrorDetails

DECLARATION: Final = "submission.yaml"
"""The name of the file that a participant writes."""

MAX_BYTES: Final = 64 * 1024
"""How large it may be."""

MAX_PROBLEMS: Final = 30
"""How many problems are reported at once."""

# pydantic's types of errors in the house's words; what is not listed keeps pydantic's message.
_EXPECTED: Final = {
    "string_too_long": "at most {max_length} characters",
    "missing": "a value",
    "extra_forbidden": "known fields alone",
    "invalid_key": "names as keys",
    "literal_error": "{expected}",
    "string_type": "text",
    "int_type": "an integer",
    "bool_type": "true or false",
    "date_type": "a date as YYYY-MM-DD, without quotes or time",
    "tuple_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "too_long": "at most {max_length} {unit}",
    "greater_than_equal": "at least {ge}",
    "less_than_equal": "at most {le}",
}


def check_declaration(content: bytes, path: str) -> tuple[Declaration | None, tuple[SubmissionError, ...]]:
    """Return a declaration, or all that is wrong with it.

    Args:
        content: The file.
        path: How the participant knows it, for errors.

    Returns:
        The declaration, `None` if there is a problem, and the problems: one `E_YAML`, one `E_VERSION`, or an `E_FIELD`
        for each field. Whether fields go together is looked at when each is right by itself.
    """
    try:
        fields = parse_yaml(content, max_bytes=MAX_BYTES)
    except ValueError as error:
        return None, (_yaml_error(path, str(error)),)
    if not isinstance(fields, dict):
        return None, (_yaml_error(path, f"no fields but {shown(repr(fields))}"),)
    version = fields.get("schema_version")
    if type(version) is int and version > SCHEMA_VERSION:
        return None, (_version_error(path, version),)
    return check_fields(fields, path)


def check_fields(fields: Mapping[str, object], path: str) -> tuple[Declaration | None, tuple[SubmissionError, ...]]:
    """Return the declaration that some fields make up, or all that is wrong with them, as `check_declaration` does."""
    try:
        return Declaration.model_validate(fields), ()
    except ValidationError as error:
        details = error.errors(include_url=False)
    return None, capped([problem for detail in details for problem in _field_errors(detail, path)], path)


def read_declaration(folder: Path) -> Declaration:
    """Return the declaration in the folder of a submission.

    Raises:
        SubmissionError: The first of its problems: `E_NOT_FOUND`, `E_PATH`, or one of `check_declaration`.
    """
    declaration, problems = check_declaration(read_declared(folder), f"{shown(folder.name)}/{DECLARATION}")
    if declaration is None:
        raise problems[0]
    return declaration


def read_declared(folder: Path) -> bytes:
    """Return the bytes of `submission.yaml` in a folder, at most one more than are allowed.

    Raises:
        SubmissionError: `E_NOT_FOUND`; `E_PATH` for a link, which could lead anywhere.
    """
    file, path = folder / DECLARATION, f"{shown(folder.name)}/{DECLARATION}"
    expected = "a file that can be read"
    if file.is_symlink():
        advice = "Put the file itself in its place."
        raise SubmissionError("E_PATH", path, expected=expected, found="a symbolic link", advice=advice)
    try:
        with file.open("rb") as stream:
            return stream.read(MAX_BYTES + 1)
    except OSError as error:
        found = (error.strerror or type(error).__name__).lower()
        advice = "`ctspine-bench submission new` writes one."
        raise SubmissionError("E_NOT_FOUND", path, expected=expected, found=found, advice=advice) from None


def capped(problems: Sequence[SubmissionError], path: str) -> tuple[SubmissionError, ...]:
    """Return at most `MAX_PROBLEMS` problems, the last of which counts those that were left out."""
    if len(problems) <= MAX_PROBLEMS:
        return tuple(problems)
    kept = tuple(problems[: MAX_PROBLEMS - 1])
    found = f"{len(problems) - len(kept)} problems more"
    advice = "Correct the ones above and check again."
    return (*kept, SubmissionError(problems[-1].code, path, expected="none of these", found=found, advice=advice))


def _yaml_error(path: str, found: str) -> SubmissionError:
    return SubmissionError(
        "E_YAML",
        path,
        expected=f"fields in plain YAML: UTF-8, at most {MAX_BYTES:,} bytes, no tags, no anchors, no key twice",
        found=found,
        advice="Put text with a colon, a # or a leading special character in quotes; "
        "`ctspine-bench submission new` writes a valid file.",
    )


def _version_error(path: str, version: int) -> SubmissionError:
    return SubmissionError(
        "E_VERSION",
        f"{path}: schema_version",
        expected=f"version {SCHEMA_VERSION}",
        found=f"version {version}",
        advice="Update ctspine-bench, or write the file in the layout of this version.",
    )


def _field_errors(detail: ErrorDetails, path: str) -> Iterator[SubmissionError]:
    if detail["type"] == "fields":
        for problem in detail["ctx"]["problems"]:
            yield _field_error(path, problem["field"].split("."), problem["expected"], problem["found"])
        return
    place = [part for part in detail["loc"] if part != "[key]"]
    is_key = len(place) < len(detail["loc"])
    context = detail.get("ctx", {})
    if detail["type"] == "field":
        expected, found = context["expected"], context["found"]
    else:
        template = _EXPECTED.get(detail["type"], detail["msg"].replace("{", "{{").replace("}", "}}"))
        unit = "characters" if isinstance(detail["input"], str) else "entries"
        expected, found = template.format(**context, unit=unit), _found(detail)
    yield _field_error(path, place[:-1] if is_key else place, expected, found)


def _found(detail: ErrorDetails) -> str:
    if detail["type"] == "missing":
        return "nothing"
    if detail["type"] in {"string_too_long", "too_long"}:
        return f"{len(detail['input']):,}"
    if detail["type"] == "extra_forbidden":
        return "an unknown one"
    value = detail["input"]
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return shown(value if isinstance(value, str) else repr(value)) or "an empty text"


def _field_error(path: str, place: Sequence[Any], expected: str, found: str) -> SubmissionError:
    where = ".".join(shown(part, 40) for part in place)
    return SubmissionError("E_FIELD", f"{path}: {where}", expected=expected, found=found, advice=_advice(place))


def _advice(place: Sequence[Any]) -> str:
    """The description of a field, or the fields that there are."""
    model: Any = Declaration
    advice = f"Fields are {', '.join(Declaration.model_fields)}."
    for part in place:
        fields = model.model_fields if isinstance(model, type) and issubclass(model, BaseModel) else {}
        if part in fields:
            advice, model = fields[part].description or advice, fields[part].annotation
        elif fields:
            return f"Fields here are {', '.join(fields)}."
        elif args := [arg for arg in get_args(model) if isinstance(arg, type) and issubclass(arg, BaseModel)]:
            model = args[0]  # dict[name, Archive]: the part is the name
    return advice
