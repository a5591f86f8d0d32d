# ruff: noqa: PTH102, PTH104, PTH108, PTH208, PTH211, S606 -- attempts by system calls, without a detour
"""A helper process whose reader was taken over: it does what the name of the file tells it to.

A name is `<deed>` or `<deed>:<argument>`. Deeds that return a text hand it back as the note of an otherwise good
volume.
"""

from __future__ import annotations

import ctypes
import errno
import os
import resource
import signal
import socket
import stat
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ctspine_bench.isolation.answers import HEADER_BYTES
from ctspine_bench.isolation.child import serve
from ctspine_bench.volumes.reading import read_open_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from io import BufferedReader
    from pathlib import Path

    from ctspine_bench.anatomy import LabelMap
    from ctspine_bench.isolation.answers import AnswerBuffer
    from ctspine_bench.records import LabelVolume

libc = ctypes.CDLL(None, use_errno=True)
PTRACE_ATTACH = 16


class Extent(ctypes.Structure):
    """`struct iovec`: a stretch of memory."""

    _fields_ = (("start", ctypes.c_void_p), ("length", ctypes.c_size_t))


def refused(*attempts: Callable[[], object]) -> str:
    """The names of the errors that the attempts end with; `"done"` for one that succeeds."""
    outcomes = []
    for attempt in attempts:
        try:
            attempt()
            outcomes.append("done")
        except OSError as error:
            outcomes.append(errno.errorcode[error.errno or 0])
        except (ImportError, ValueError) as error:
            outcomes.append(type(error).__name__)
    return " ".join(outcomes)


def checked(result: int) -> None:
    """Raise the error of a call to the C library."""
    if result < 0:
        raise OSError(ctypes.get_errno(), "")


def open_files(path: str) -> str:
    """Open a file by its path, through /proc, through another process, and list its folder."""
    me, parent = "/proc/self", f"/proc/{os.getppid()}"
    return refused(
        lambda: os.open(path, os.O_RDONLY),
        lambda: os.open(path, os.O_PATH),
        lambda: os.open(f"{me}/cwd{path}", os.O_RDONLY),
        lambda: os.open(f"{parent}/root{path}", os.O_RDONLY),
        lambda: os.open(f"{me}/fd/0", os.O_RDONLY),
        lambda: os.open(f"{parent}/environ", os.O_RDONLY),
        lambda: os.listdir(path.rpartition("/")[0]),
    )


def make_descriptors(_: str) -> str:
    """Make sockets of several kinds, a pipe, a file in memory, and copies of a descriptor."""
    return refused(
        lambda: socket.socket(socket.AF_INET),
        lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM),
        lambda: socket.socket(socket.AF_UNIX),
        socket.socketpair,
        os.pipe,
        lambda: os.memfd_create("more"),
        lambda: os.dup(0),
        lambda: os.dup2(0, 20),
    )


def change_files(path: str) -> str:
    """Remove, rename, shorten, link and make files: none of this needs a descriptor."""
    return refused(
        lambda: os.unlink(path),
        lambda: os.rename(path, f"{path}.mine"),
        lambda: os.truncate(path, 0),
        lambda: os.link(path, f"{path}.mine"),
        lambda: os.symlink(path, f"{path}.mine"),
        lambda: os.mkdir(f"{path}.mine"),
        lambda: os.mknod(f"{path}.mine"),
    )


def fork(_: str) -> str:
    """Make another process."""
    return refused(os.fork)


def run_program(_: str) -> str:
    """Become another program."""
    return refused(lambda: os.execv("/bin/sh", ["sh", "-c", "exit 0"]))


def signal_processes(pid: str) -> str:
    """Send a signal (one that does nothing) to the helper and to the trusted process."""
    return refused(lambda: os.kill(os.getppid(), 0), lambda: os.kill(int(pid), 0))


def spy_on_processes(pid: str) -> str:
    """Take over the helper and the trusted process as a debugger does, and read their memory."""
    here = ctypes.create_string_buffer(8)
    extent = Extent(ctypes.addressof(here), 8)
    attempts: list[Callable[[], object]] = []
    for process in (os.getppid(), int(pid)):
        attempts += [
            lambda process=process: checked(libc.ptrace(PTRACE_ATTACH, process, None, None)),
            lambda process=process: checked(
                libc.process_vm_readv(process, ctypes.byref(extent), 1, ctypes.byref(extent), 1, 0)
            ),
        ]
    return refused(*attempts)


def regain_rights(_: str) -> str:
    """Become root again, and raise limits again."""
    return refused(
        lambda: os.setuid(0),
        lambda: os.setgroups([0]),
        lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64)),
        lambda: resource.setrlimit(resource.RLIMIT_AS, (-1, -1)),
        lambda: resource.setrlimit(resource.RLIMIT_CPU, (-1, -1)),
    )


def list_environment(_: str) -> str:
    """What is in the environment."""
    return " ".join(sorted(os.environ))


def list_descriptors(_: str) -> str:
    """What the open descriptors are."""
    found = []
    for descriptor in range(4096):
        try:
            status = os.fstat(descriptor)
        except OSError:
            continue
        found.append("null" if status.st_rdev == os.makedev(1, 3) else stat.filemode(status.st_mode)[0])
    return " ".join(found)


def import_more(_: str) -> str:
    """Import what was not imported before."""

    def attempt() -> None:
        import sqlite3  # noqa: F401

    return refused(attempt)


def allocate(_: str) -> None:
    """Take memory until there is none."""
    taken = []
    while True:
        taken.append(np.empty(1 << 24, np.uint8))


def allocate_stubbornly(argument: str) -> None:
    """Take memory, and go on when there is none."""
    while True:
        try:
            allocate(argument)
        except MemoryError:
            continue


def loop(_: str) -> None:
    """Never end."""
    signal.signal(signal.SIGXCPU, signal.SIG_IGN)
    while True:
        pass


def recurse(argument: str) -> None:
    """Call itself without end."""
    recurse(argument)


def xcpu(_: str) -> None:
    """End as one who has used up the processor time."""
    os.kill(os.getpid(), signal.SIGXCPU)


def fail(_: str) -> None:
    """An exception that nobody expects."""
    raise RuntimeError


PROBES = (
    open_files, make_descriptors, change_files, fork, run_program, signal_processes, spy_on_processes, regain_rights,
    list_environment, list_descriptors, import_more,
)  # fmt: skip
ENDS: dict[str, Callable[[str], object]] = {
    "segfault": lambda _: ctypes.string_at(0),
    "abort": lambda _: os.abort(),
    "kill": lambda _: os.kill(os.getpid(), signal.SIGKILL),
    "exit": lambda code: os._exit(int(code)),
    "sleep": lambda _: time.sleep(1000),
    **{deed.__name__: deed for deed in (allocate, allocate_stubbornly, loop, recurse, xcpu, fail)},
}


def read(file: BufferedReader, path: Path, label_map: LabelMap, max_voxels: int, buffer: AnswerBuffer) -> LabelVolume:
    """Do the deed."""
    deed, _, argument = str(path).partition(":")
    if deed in ENDS:
        ENDS[deed](argument)
    volume = read_open_file(file, path.with_name("case.nii"), label_map, max_voxels, buffer)
    if deed == "write_source":
        return replace(volume, notes=(refused(lambda: os.write(file.fileno(), b"mine")),))
    if deed == "say":
        buffer.shared[:HEADER_BYTES] = argument.encode("utf-8", "surrogateescape").ljust(HEADER_BYTES)
        os._exit(0)
    if deed == "labels":
        buffer.take(volume.labels.size)[-1] = int(argument)
    if deed == "notes":
        return replace(volume, notes=("x" * 1000,) * int(argument))
    probes = {probe.__name__: probe for probe in PROBES}
    return replace(volume, notes=(probes[deed](argument),)) if deed in probes else volume


if __name__ == "__main__":
    serve(read)  # type: ignore[arg-type]
