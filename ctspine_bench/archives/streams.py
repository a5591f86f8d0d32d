"""Bytes of an archive from first to last, decompressed in pieces of bounded size.

One archive is one compressed stream: what follows its end is refused rather than guessed at. Ends are checked here
because the libraries differ: python-zstandard ends quietly where a frame is cut off (0.25), and `gzip` goes on with
whatever follows.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, BinaryIO, Final

import zstandard

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ctspine_bench.archives.limits import Account

CHUNK_BYTES: Final = 1 << 18

RAW_DEFLATE: Final = -zlib.MAX_WBITS
"""Deflate without a header, as in zip."""
GZIP: Final = zlib.MAX_WBITS + 16
"""Deflate within one gzip member, with its checksum."""

_WINDOW_BYTES: Final = 2**27
"""What `zstd --long` and its highest levels need, and what the decompressor allocates at most."""
# RFC 8878, section 3.1.1: a frame header has at most 18 bytes, a block header 3 and a checksum 4.
_FRAME_HEADER: Final = 18
_RLE_BLOCK: Final = 1
_RESERVED_BLOCK: Final = 3


class StreamError(Exception):
    """A stream is broken, in words that follow "found"."""


DECODING_ERRORS: Final = (StreamError, zlib.error, zstandard.ZstdError)
"""What the functions below raise while they are iterated over."""


def plain(file: BinaryIO) -> Iterator[bytes]:
    """The bytes of a file."""
    while chunk := file.read(CHUNK_BYTES):
        yield chunk


def part(file: BinaryIO, start: int, n_bytes: int) -> Iterator[bytes]:
    """`n_bytes` bytes of a file from `start` on; less where it ends."""
    while n_bytes > 0:
        file.seek(start)
        chunk = file.read(min(n_bytes, CHUNK_BYTES))
        if not chunk:
            return
        yield chunk
        start += len(chunk)
        n_bytes -= len(chunk)


def inflate(compressed: Iterable[bytes], window_bits: int) -> Iterator[bytes]:
    """Decompress one deflate stream that ends where `compressed` does.

    Args:
        compressed: Its bytes.
        window_bits: `RAW_DEFLATE` or `GZIP`.
    """
    decoder = zlib.decompressobj(window_bits)
    for chunk in compressed:
        if decoder.eof:
            raise StreamError("more data after the end of the compressed stream")
        waiting = chunk
        while not decoder.eof:
            produced = decoder.decompress(waiting, CHUNK_BYTES)
            waiting = decoder.unconsumed_tail
            if not produced:
                break
            yield produced
        if decoder.unused_data:
            raise StreamError("more data after the end of the compressed stream")
    if not decoder.eof:
        raise StreamError("the end of the file inside the compressed stream")


def unzstd(file: BinaryIO, account: Account) -> Iterator[bytes]:
    """Decompress a file that is one zstd frame.

    Raises:
        ArchiveError: `E_LIMIT` for a frame that needs too much memory to decompress.
    """
    window_bytes = _check_frame(file)
    if window_bytes > _WINDOW_BYTES:
        expected = f"a zstd frame with a window of at most {_WINDOW_BYTES} bytes"
        raise account.error("E_LIMIT", expected, f"{window_bytes} bytes")
    file.seek(0)
    decoder = zstandard.ZstdDecompressor(max_window_size=_WINDOW_BYTES)
    with decoder.stream_reader(file, read_size=CHUNK_BYTES, closefd=False) as reader:
        while chunk := reader.read(CHUNK_BYTES):
            yield chunk


def _check_frame(file: BinaryIO) -> int:
    """Walk over the blocks of the one frame that the file has to consist of, and return how large its window is."""
    n_bytes = file.seek(0, 2)
    file.seek(0)
    beginning = file.read(_FRAME_HEADER)
    frame = zstandard.get_frame_parameters(beginning)
    end, is_last = zstandard.frame_header_size(beginning), False
    while not is_last:
        file.seek(end)
        header = int.from_bytes(file.read(3), "little")
        is_last, kind = bool(header & 1), header >> 1 & 3
        if end + 3 > n_bytes or kind == _RESERVED_BLOCK:
            raise StreamError("a zstd frame that is cut off or damaged")
        end += 3 + (1 if kind == _RLE_BLOCK else header >> 3)
    end += 4 if frame.has_checksum else 0
    if end > n_bytes:
        raise StreamError("the end of the file inside the zstd frame")
    if end < n_bytes:
        raise StreamError("more data after the end of the zstd frame")
    return int(frame.window_size)


class Reader:
    """Reads a sequence of chunks by numbers of bytes, and puts them on the account as they come."""

    def __init__(self, chunks: Iterator[bytes], on_bytes: Callable[[int], None]) -> None:
        self._chunks = chunks
        self._on_bytes = on_bytes
        self._waiting = memoryview(b"")

    def pieces(self, n_bytes: int) -> Iterator[memoryview]:
        """The next `n_bytes` bytes in pieces as they come; less where the stream ends."""
        while n_bytes > 0:
            if not self._waiting:
                chunk = next(self._chunks, b"")
                if not chunk:
                    return
                self._on_bytes(len(chunk))
                self._waiting = memoryview(chunk)
            piece = self._waiting[:n_bytes]
            self._waiting = self._waiting[n_bytes:]
            n_bytes -= len(piece)
            yield piece

    def read(self, n_bytes: int) -> bytes:
        """Return the next `n_bytes` bytes; less where the stream ends."""
        return b"".join(self.pieces(n_bytes))
