"""The types of the fields of `submission.yaml`: each refuses what it should not hold, and says so in words."""

from __future__ import annotations

import datetime as dt
import re
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from ctspine_bench.submissions.plain_text import check_line, check_text, shown

ARCHIVE_SUFFIXES: Final = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.zst")

_EARLIEST: Final = dt.date(2020, 1, 1)
_NO_MARKUP: Final = r"^[^<>`|\\\[\]{}]*$"
# One name and at least one dot, or this machine, or a number: what a host may be beyond that is for the fetcher to say.
_HOST: Final = re.compile(r"(?!.*xn--)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9]{1,63}|localhost")
_URL: Final = re.compile(r"https://[a-z0-9.-]+(:[0-9]{1,5})?(/([A-Za-z0-9._~/?&=+,:#-]|%[0-9A-Fa-f]{2})*)?")
_FILE_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_LOGIN: Final = r"^(?=.{1,39}$)[A-Za-z0-9]+(-[A-Za-z0-9]+)*$"
_DIGEST: Final = r"^[0-9a-f]{64}$"
_EMAIL: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._%+-]{0,63}@([A-Za-z0-9-]+\.)+[A-Za-z]{2,63}")


def field_error(expected: str, found: str) -> PydanticCustomError:
    """Return what a validator raises: an error of one field in the words of `errors.InputError`."""
    return PydanticCustomError("field", "expected {expected}, found {found}", {"expected": expected, "found": found})


def _line(text: str) -> str:
    try:
        return check_line(text.removesuffix("\n"))  # YAML's | and > end with one
    except ValueError as error:
        raise field_error("plain text on one line, without markup or addresses", str(error)) from None


def _text(text: str) -> str:
    try:
        return check_text(text.removesuffix("\n"))
    except ValueError as error:
        raise field_error("plain text, without markup or addresses", str(error)) from None


def _url(url: str) -> str:
    expected = "an address of plain ASCII characters that begins with https://, as a browser shows it when copied"
    if not url.startswith("https://"):
        raise field_error(expected, _escaped(url))
    host, _, _ = url.removeprefix("https://").partition("/")
    if "@" in host:
        raise field_error("an address without a user name or password", "one with @ before the host")
    if not _HOST.fullmatch(host.partition(":")[0]):
        raise field_error("a host name in lower-case ASCII letters, digits, hyphens and dots", _escaped(host))
    if not _URL.fullmatch(url):
        raise field_error(expected, _escaped(url))
    return url


def _escaped(text: str) -> str:
    # A letter of another script that looks like a Latin one must not look like one here.
    return shown(ascii(text)[1:-1])


def is_archive_name(name: str) -> bool:
    """Return whether a file name can be that of an archive in a declaration."""
    return bool(_FILE_NAME.fullmatch(name)) and name.endswith(ARCHIVE_SUFFIXES)


def _archive_url(url: str) -> str:
    parts = urlsplit(_url(url))
    name = parts.path.rpartition("/")[2]
    if not name.endswith(ARCHIVE_SUFFIXES):
        raise field_error(f"an address whose path ends with {', '.join(ARCHIVE_SUFFIXES)}", _escaped(name or url))
    if not _FILE_NAME.fullmatch(name):
        raise field_error("a file name of at most 100 letters, digits, dots, hyphens and underscores", _escaped(name))
    if parts.fragment or url.endswith("#"):
        raise field_error("an address without #", _escaped(url))
    return url


def _contact(contact: str) -> str:
    if contact.startswith("https://"):
        return _url(contact)
    if not _EMAIL.fullmatch(contact):
        raise field_error("an e-mail address, or an address that begins with https://", _escaped(contact))
    return contact


def _date(date: dt.date) -> dt.date:
    if date < _EARLIEST:
        raise field_error(f"a date since {_EARLIEST}", str(date))
    return date


def _login(login: str) -> str:
    if not re.fullmatch(_LOGIN, login):
        raise field_error("the name of a GitHub account, without @", _escaped(login))
    return login


def _digest(digest: str) -> str:
    if not re.fullmatch(_DIGEST, digest):
        raise field_error("64 lower-case hexadecimal digits", _escaped(digest))
    return digest


def some(values: tuple[str, ...]) -> tuple[str, ...]:
    """Refuse an empty list."""
    # pydantic's min_length also complains when there is an entry that is not valid.
    if not values:
        raise field_error("at least one entry", "none")
    return values


def different(values: tuple[str, ...]) -> tuple[str, ...]:
    """Refuse a list with an entry that stands twice, in capitals or not."""
    if len({value.casefold() for value in values}) < len(values):
        raise field_error("each entry once", "one that stands twice")
    return values


_TEXT_SCHEMA: Final = {"pattern": _NO_MARKUP}
_URL_SCHEMA: Final = {"format": "uri", "pattern": "^https://"}

Line = Annotated[str, AfterValidator(_line), Field(json_schema_extra=_TEXT_SCHEMA)]
Text = Annotated[str, AfterValidator(_text), Field(json_schema_extra=_TEXT_SCHEMA)]
Url = Annotated[str, Field(max_length=500, json_schema_extra=_URL_SCHEMA), AfterValidator(_url)]
ArchiveUrl = Annotated[str, Field(max_length=500, json_schema_extra=_URL_SCHEMA), AfterValidator(_archive_url)]
Digest = Annotated[str, Field(json_schema_extra={"pattern": _DIGEST}), AfterValidator(_digest)]
Contact = Annotated[str, Field(max_length=254), AfterValidator(_contact)]
Login = Annotated[str, AfterValidator(_login), Field(json_schema_extra={"pattern": _LOGIN})]
Date = Annotated[dt.date, AfterValidator(_date)]
