"""Which addresses are fetched from."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urljoin, urlsplit

from ctspine_bench.archives.names import shown
from ctspine_bench.errors import ArchiveError

if TYPE_CHECKING:
    from collections.abc import Collection

ALLOWED_HOSTS: Final = (
    "zenodo.org",
    # Releases, and where they redirect to.
    "github.com",
    "objects.githubusercontent.com",
    "release-assets.githubusercontent.com",
    # Hugging Face, and where it keeps large files: https://huggingface.co/.well-known/meta.json, read in November 2026,
    # and an older one that some files are still redirected to.
    "huggingface.co",
    "hf.co",
    "cdn-lfs.hf.co",
    "cdn-lfs-us-1.hf.co",
    "cdn-lfs-eu-1.hf.co",
    "cas-bridge.xethub.hf.co",
    "transfer.xethub.hf.co",
    "transfer.xethub-eu.hf.co",
    "aws.cdn.hf.co",
    "us.aws.cdn.hf.co",
    "us-east-1.aws.cdn.hf.co",
    "us-west-2.aws.cdn.hf.co",
    "eu-west-3.aws.cdn.hf.co",
    "ap-southeast-1.aws.cdn.hf.co",
    "us.gcp.cdn.hf.co",
    "us-east1.us.gcp.cdn.hf.co",
    "us-central1.us.gcp.cdn.hf.co",
    "us-west4.us.gcp.cdn.hf.co",
    "europe-west4.us.gcp.cdn.hf.co",
    "asia-southeast1.us.gcp.cdn.hf.co",
)
"""Public repositories that keep files, and the hosts that they redirect downloads to."""

# Visible ASCII without the backslash, which some parsers take for a slash.
_PLAIN: Final = re.compile(r"[!-\[\]-~]+")
_HTTPS_PORT: Final = 443


@dataclass(frozen=True)
class Address:
    """An https address in the parts that a connection needs: nothing parses it a second time.

    Attributes:
        host: Host name, lower case.
        port: Port.
        target: Path and query, as in a request.
    """

    host: str
    port: int
    target: str


def check_address(url: str, hosts: Collection[str], origin: str | None = None) -> Address:
    """Parse an https address that may be talked to.

    Args:
        url: The address.
        hosts: `host`, or `host:port` for another port than 443.
        origin: The address that redirected to it, which is the one that the participant knows.

    Raises:
        ArchiveError: `E_HOST`.
    """
    address = _parse(url)
    if address and _host_and_port(address) in hosts:
        return address
    found = shown(_host_and_port(address)) if address else "an address of another kind"
    raise ArchiveError(
        "E_HOST",
        origin or (url if _PLAIN.fullmatch(url) else shown(url)),
        expected=f"an https address on {', '.join(hosts)}",
        found=f"a redirect to {found}" if origin else found,
        advice="Upload the archive to one of these, or ask the organizers to add the host.",
    )


def redirected(url: str, location: str) -> str:
    """Return where a redirect from `url` leads; nothing is known about that address."""
    try:
        return urljoin(url, location)
    except ValueError:
        return location


def _parse(url: str) -> Address | None:
    if not _PLAIN.fullmatch(url):
        return None
    try:
        parts = urlsplit(url)
        port = parts.port or _HTTPS_PORT
    except ValueError:
        return None
    if parts.scheme != "https" or not parts.hostname or "@" in parts.netloc:
        return None
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Address(parts.hostname, port, target)


def _host_and_port(address: Address) -> str:
    return address.host if address.port == _HTTPS_PORT else f"{address.host}:{address.port}"
