"""The helper process, and the process that it makes for each file.

The helper imports what reading needs, once. For each file it then forks: the child closes everything but the file, is
confined, and reads. Whatever becomes of the child, the helper is as clean for the next file as for the
first. `IsolatedReader` starts it, with a socket as its standard input.
"""

from __future__ import annotations

import gc
import json
import math
import mmap
import os
import select
import signal
import socket
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

import numpy as np

from ctspine_bench.anatomy import IDENTITY, LabelMap
from ctspine_bench.errors import InputError, LabelError
from ctspine_bench.isolation.answers import AnswerBuffer
from ctspine_bench.isolation.confinement import confine, die_first, hide_memory, limit_descriptors
from ctspine_bench.isolation.helper import MAX_MESSAGE_BYTES, OUT_OF_MEMORY, OUT_OF_TIME, READY, Limits
from ctspine_bench.records import Grid, LabelVolume
from ctspine_bench.volumes.reading import read_open_file
from ctspine_bench.volumes.writing import nifti_image

if TYPE_CHECKING:
    from collections.abc import Callable
    from io import BufferedReader

    from ctspine_bench.volumes import VoxelBuffer

    Reader = Callable[[BufferedReader, Path, LabelMap, int, VoxelBuffer | None], LabelVolume]

_STANDARD_STREAMS: Final = (0, 1, 2)
_MAX_DESCRIPTORS: Final = 32


def serve(read: Reader) -> None:
    """Answer requests until the other side hangs up.

    Args:
        read: How a file is read.
    """
    control = socket.socket(fileno=os.dup(0))
    message, (output,), _, _ = socket.recv_fds(control, MAX_MESSAGE_BYTES, 1)
    limits = Limits(**json.loads(message))
    # Mapped here, it is there in every child without a descriptor.
    answer = AnswerBuffer(mmap.mmap(output, limits.answer_bytes))
    _warm_up(answer, limits)
    for stream in _STANDARD_STREAMS:
        os.dup2(os.open(os.devnull, os.O_RDWR), stream)
    die_first()
    hide_memory()
    limit_descriptors(_MAX_DESCRIPTORS)
    gc.freeze()  # what is here now stays: the children need not look at it, and so not copy it
    control.send(READY)
    while True:
        name, descriptors, _, _ = socket.recv_fds(control, MAX_MESSAGE_BYTES, 1)
        if not descriptors:
            return
        (source,) = descriptors
        answer.clear()
        outcome = _read_in_child(read, os.fsdecode(name), source, answer, limits)
        os.close(source)
        control.send(str(outcome).encode())


def _read_in_child(read: Reader, name: str, source: int, answer: AnswerBuffer, limits: Limits) -> int:
    """Return what became of it; see `helper`."""
    process = os.fork()
    if process == 0:
        _be_child(read, name, source, answer, limits)
    handle = os.pidfd_open(process)
    in_time, _, _ = select.select([handle], [], [], limits.seconds)
    if not in_time:
        os.kill(process, signal.SIGKILL)
    _, status = os.waitpid(process, 0)
    os.close(handle)
    return os.waitstatus_to_exitcode(status) if in_time else OUT_OF_TIME


def _be_child(read: Reader, name: str, source: int, answer: AnswerBuffer, limits: Limits) -> NoReturn:
    code = 1
    try:
        _close_all_but(source)
        confine(memory_bytes=limits.memory_bytes, seconds=limits.seconds)
        try:
            with open(source, "rb", closefd=False) as file:
                answer.write_volume(read(file, Path(name), IDENTITY, limits.max_voxels, answer))
        except InputError as error:
            answer.write_error(error)
        code = 0
    except MemoryError:
        code = OUT_OF_MEMORY
    finally:
        # Whatever happens, never return to what the helper does; nothing is said about it but the code.
        os._exit(code)


def _close_all_but(kept: int) -> None:
    """Close all descriptors but the standard streams, which lead nowhere, and this one."""
    os.closerange(_STANDARD_STREAMS[-1] + 1, kept)
    os.closerange(kept + 1, _MAX_DESCRIPTORS)


def _warm_up(answer: AnswerBuffer, limits: Limits) -> None:
    """Read files that need all of the reader's code, the last one in a child: a confined one can import nothing."""
    affine = np.array([[0, 0, -2, 5], [1, 0, 0, 5], [0, -1, 0, 5], [0, 0, 0, 1.0]])
    path = Path("warm-up.nii")
    for value in (math.nan, 0.5, 99, 1):
        image = nifti_image(np.full((2, 3, 4), value, np.float32), Grid((2, 3, 4), affine))
        descriptor = os.memfd_create(path.name)
        os.write(descriptor, image.to_bytes())
        with open(descriptor, "rb") as file, suppress(LabelError):  # noqa: PTH123 -- a descriptor has no path
            read_open_file(file, path, IDENTITY, limits.max_voxels, answer)
            outcome = _read_in_child(read_open_file, path.name, descriptor, answer, limits)
    if outcome != 0:
        raise RuntimeError(f"a process that is confined as it should be cannot read anything ({outcome})")


if __name__ == "__main__":
    serve(read_open_file)
