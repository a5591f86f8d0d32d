"""`fetch`: one archive from an https address to a file, whole and as declared or not at all.

Who names the address is a stranger, and so is the server behind it. Certificates are always verified, against the
authorities that OpenSSL knows (`SSL_CERT_FILE` names others); hosts come from a list, for redirects as well; bytes are
taken as they are, never decompressed, and never more than declared.
"""

from __future__ import annotations

import socket
import ssl
import time
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPException
from threading import Timer
from typing import TYPE_CHECKING, Final

from urllib3.connection import HTTPSConnection
from urllib3.exceptions import HTTPError, NewConnectionError
from urllib3.exceptions import TimeoutError as Urllib3TimeoutError

from ctspine_bench.archives.addresses import ALLOWED_HOSTS, check_address, redirected
from ctspine_bench.archives.digests import digest_error, size_error
from ctspine_bench.archives.names import shown
from ctspine_bench.archives.part_file import PartFile
from ctspine_bench.errors import ArchiveError, FileError
from ctspine_bench.files import sha256_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from pathlib import Path

    from urllib3.response import HTTPResponse

    from ctspine_bench.archives.addresses import Address

_CHUNK_BYTES: Final = 1 << 18
_MAX_REDIRECTS: Final = 5
_WHOLE: Final = 200
_PARTIAL: Final = 206
_BEYOND_END: Final = 416
_REDIRECTS: Final = {301, 302, 303, 307, 308}
_TRANSIENT: Final = {408, 425, 429, 500, 502, 503, 504}
_NETWORK_ERRORS: Final = (OSError, HTTPException, HTTPError)
_CHECK_ADDRESS: Final = "Check the address: it has to lead to the file itself, for everyone, without signing in."
_TRY_LATER: Final = "Try again later: what has arrived is kept. If it stays like this, upload the archive elsewhere."


@dataclass(frozen=True)
class Patience:
    """How long to wait for a server.

    Attributes:
        connect_s: For a connection to it.
        stall_s: For the next bytes.
        grace_s: For the whole file, apart from what its size takes at `slowest`.
        slowest: Bytes a second, on average, below which it is not worth waiting.
        attempts: How often to connect again in all, after a dropped line or a passing error of the server.
        pause_s: Before the second attempt; doubled before each further one.
    """

    connect_s: float = 20.0
    stall_s: float = 60.0
    grace_s: float = 600.0
    slowest: float = 2.0**20
    attempts: int = 8
    pause_s: float = 1.0


def fetch(
    url: str,
    sha256: str,
    size: int,
    path: Path,
    *,
    hosts: Collection[str] = ALLOWED_HOSTS,
    patience: Patience | None = None,
    on_bytes: Callable[[int], None] | None = None,
) -> None:
    """Download a file to `path`, unless it is there already.

    What has arrived is kept in `<path>.part`, and a later call goes on from there, unless it was another file. One call
    at a time for one path.

    Args:
        url: An https address.
        sha256: Digest of the file, lower-case hex.
        size: Its size in bytes.
        path: Where it goes; missing folders are made. Appears in no error.
        hosts: `host` or `host:port` that may be talked to, redirects included.
        patience: How long to wait; `Patience()` by default.
        on_bytes: Called with the number of bytes of the file that are there by now.

    Raises:
        ArchiveError: `E_HOST`, `E_FETCH`, `E_TIMEOUT`, `E_SIZE`, `E_DIGEST`.
        FileError: `E_OUTPUT` when the file cannot be written.
    """
    check_address(url, hosts)
    part = path.with_name(f"{path.name}.part")
    try:
        if path.is_file() and path.stat().st_size == size and sha256_of(path) == sha256:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        with PartFile(part) as file:
            _Download(url, size, hosts, patience or Patience()).run(file, on_bytes or (lambda _: None))
            if file.sha256 != sha256:
                raise digest_error(url, sha256, file.sha256)
        part.replace(path)
    except ArchiveError as error:
        if error.code in {"E_SIZE", "E_DIGEST"} or not part.stat().st_size:
            part.unlink()
        raise
    except OSError as error:
        found = error.strerror or type(error).__name__
        advice = "Check the folder for downloads and the space on its disk."
        raise FileError("E_OUTPUT", url, expected="room for the download", found=found, advice=advice) from None


class _PassingError(Exception):
    """Something went wrong that may go well the next time."""

    def __init__(self, error: ArchiveError) -> None:
        super().__init__(error)
        self.error = error


class _Download:
    """One file from one address, by as many requests as it takes."""

    def __init__(self, url: str, size: int, hosts: Collection[str], patience: Patience) -> None:
        self._url = url
        self._size = size
        self._hosts = hosts
        self._patience = patience
        self._deadline = time.monotonic() + patience.grace_s + size / patience.slowest
        self._tls = ssl.create_default_context()

    def run(self, file: PartFile, on_bytes: Callable[[int], None]) -> None:
        """Bring the file to its declared size."""
        if file.n_bytes > self._size:
            file.start_over()
        problem: ArchiveError | None = None
        for attempt in range(self._patience.attempts):
            if problem:
                time.sleep(min(self._patience.pause_s * 2 ** (attempt - 1), self._seconds_left()))
            if file.n_bytes == self._size or not self._seconds_left():
                break
            try:
                self._request(file, on_bytes)
            except _PassingError as passing:
                problem = passing.error
        if file.n_bytes < self._size:
            raise problem if problem and self._seconds_left() else self._too_slow()
        file.sync()

    def _request(self, file: PartFile, on_bytes: Callable[[int], None]) -> None:
        """Ask for what is missing, once."""
        with self._response(file.n_bytes) as response:
            self._check_response(response, file)
            for chunk in self._chunks(response):
                if file.n_bytes + len(chunk) > self._size:
                    raise size_error(self._url, self._size, "more than that")
                file.append(chunk)
                on_bytes(file.n_bytes)
        if file.n_bytes < self._size:
            if response.chunked:  # which has an end of its own: nothing was lost
                raise size_error(self._url, self._size, f"{file.n_bytes} bytes")
            raise _PassingError(self._fetch_error("the whole file", f"the end after {file.n_bytes} bytes"))

    @contextmanager
    def _response(self, start: int) -> Iterator[HTTPResponse]:
        """The response at the end of the redirects, to a request for all bytes from `start` on."""
        headers = {"Accept-Encoding": "identity", "User-Agent": "ctspine-bench"}
        if start:
            headers["Range"] = f"bytes={start}-"
        url, origin = self._url, None
        for _ in range(_MAX_REDIRECTS + 1):
            address = check_address(url, self._hosts, origin)
            with self._connection(address) as connection:
                with self._network():
                    connection.request("GET", address.target, headers=headers, preload_content=False)
                    response = connection.getresponse()
                with closing(response):
                    if response.status not in _REDIRECTS:
                        yield response
                        return
                    url, origin = redirected(url, response.headers.get("Location", "")), self._url
        raise self._fetch_error(f"at most {_MAX_REDIRECTS} redirects", "more")

    @contextmanager
    def _connection(self, address: Address) -> Iterator[HTTPSConnection]:
        """A verified connection that is cut when the time for the whole download is over."""
        patience = self._patience
        connection = HTTPSConnection(address.host, address.port, timeout=patience.connect_s, ssl_context=self._tls)
        with closing(connection):
            with self._network():
                connection.connect()
            connection.timeout = patience.stall_s
            # A timeout of the socket is for the next bytes alone: without this, a byte now and then would keep us here.
            watchdog = Timer(self._seconds_left(), _hang_up, [connection.sock])
            watchdog.daemon = True
            watchdog.start()
            try:
                yield connection
            finally:
                watchdog.cancel()

    @contextmanager
    def _network(self) -> Iterator[None]:
        """Turn what goes wrong on the network into errors of ours."""
        try:
            yield
        except ssl.SSLCertVerificationError as error:
            expected = "a server with a certificate for its name from a known authority"
            raise self._fetch_error(expected, shown(error.verify_message)) from None
        except NewConnectionError as error:  # urllib3 counts it among the timeouts
            raise _PassingError(self._fetch_error("a working connection", type(error).__name__)) from None
        except (TimeoutError, Urllib3TimeoutError):
            found = f"no answer for {self._patience.stall_s:g} s"
            raise _PassingError(self._error("E_TIMEOUT", "a server that answers", found, _TRY_LATER)) from None
        except _NETWORK_ERRORS as error:
            raise _PassingError(self._fetch_error("a working connection", type(error).__name__)) from None

    def _chunks(self, response: HTTPResponse) -> Iterator[bytes]:
        while True:
            with self._network():
                chunk = response.read1(_CHUNK_BYTES, decode_content=False)
            if not chunk:
                return
            yield chunk

    def _check_response(self, response: HTTPResponse, file: PartFile) -> None:
        """Look at status and headers before any content; where all of the file comes again, start over."""
        if response.status in _TRANSIENT or response.status == _BEYOND_END:
            if response.status == _BEYOND_END:
                file.start_over()
            raise _PassingError(self._fetch_error("the file", f"status {response.status}"))
        if response.status == _WHOLE and file.n_bytes:
            file.start_over()
        if response.status != (_PARTIAL if file.n_bytes else _WHOLE):
            raise self._error("E_FETCH", "the file", f"status {response.status}", _CHECK_ADDRESS)
        encoding = response.headers.get("Content-Encoding", "identity")
        if encoding.lower() != "identity":
            raise self._fetch_error("the file as it is", f"the Content-Encoding {shown(encoding)}")
        promised = response.headers.get("Content-Length")
        if promised is not None and promised != str(self._size - file.n_bytes):
            found = f"{shown(promised)} bytes by Content-Length after the first {file.n_bytes}"
            raise size_error(self._url, self._size, found)
        content_range = f"bytes {file.n_bytes}-{self._size - 1}/{self._size}"
        if file.n_bytes and response.headers.get("Content-Range") != content_range:
            found = shown(response.headers.get("Content-Range", "none"))
            raise self._fetch_error(f"the Content-Range {content_range}", found)

    def _seconds_left(self) -> float:
        return max(0.0, self._deadline - time.monotonic())

    def _too_slow(self) -> ArchiveError:
        expected = f"the whole file in {self._patience.grace_s + self._size / self._patience.slowest:.0f} s"
        return self._error("E_TIMEOUT", expected, "a slower server", _TRY_LATER)

    def _fetch_error(self, expected: str, found: str) -> ArchiveError:
        return self._error("E_FETCH", expected, found, _TRY_LATER)

    def _error(self, code: str, expected: str, found: str, advice: str) -> ArchiveError:
        return ArchiveError(code, self._url, expected=expected, found=found, advice=advice)


def _hang_up(connection: socket.socket) -> None:
    """Let whoever waits for bytes of a connection see its end."""
    with suppress(OSError):
        socket.socket.shutdown(connection, socket.SHUT_RDWR)  # below TLS, whose state belongs to the other thread
