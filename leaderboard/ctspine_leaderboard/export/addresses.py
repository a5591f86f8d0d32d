"""Where things are in an export, and how one page leads to another: relative, so that it works from disk as well."""

from __future__ import annotations

import hashlib
import posixpath
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from ctspine_bench.errors import SubmissionError
from ctspine_bench.submissions.folder import check_slug
from ctspine_leaderboard.downloads import file_name

if TYPE_CHECKING:
    from collections.abc import Callable

HOME: Final = "index.html"
FEED: Final = "feed.xml"
STANDINGS: Final = "standings.json"


def standings_page(test_set: str) -> str:
    """Return where the standings of a test set are."""
    return f"standings/{test_set}.html"


def gap_page(test_set: str) -> str:
    """Return where the gap between the public test set and another one is."""
    return f"domain-gap/{test_set}.html"


def vertebrae_page(test_set: str) -> str:
    """Return where the vertebrae of a test set are."""
    return f"vertebrae/{test_set}.html"


def submission_folder(slug: str) -> str:
    """Return where everything about a submission is.

    The folder of a broken record may have any name; what is made of it cannot be that of another submission.
    """
    try:
        check_slug(slug)
    except SubmissionError:
        digest = hashlib.sha256(slug.encode("utf-8", "surrogateescape")).hexdigest()
        return f"submissions/{file_name(slug)[:40]}_{digest[:12]}"
    return f"submissions/{slug}"


def submission_page(slug: str, test_set: str = "") -> str:
    """Return where a submission is: its page about a test set, or the one to begin with."""
    return f"{submission_folder(slug)}/{test_set or 'index'}.html"


def badge_file(slug: str) -> str:
    """Return where the badge of a submission is."""
    return f"{submission_folder(slug)}/badge.svg"


def relative(path: str, page: str) -> str:
    """Return the address of a file of the export from one of its pages."""
    return quote(posixpath.relpath(path, posixpath.dirname(page) or "."))


def links_from(page: str) -> Callable[[str], str]:
    """Return what the views need to link submissions: slug → address, from a page."""
    return lambda slug: relative(submission_page(slug), page)
