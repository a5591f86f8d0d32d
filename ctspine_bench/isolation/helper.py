"""The trusted side's handle on one helper process."""

from __future__ import annotations

import json
import mmap
import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import Final

import ctspine_bench
from ctspine_bench.errors import UsageError
from ctspine_bench.isolation.answers import HEADER_BYTES

READY: Final = b"ready"
# What became of a child: 0 when it has answered, an exit code, the negative number of a signal, or one of these.
OUT_OF_MEMORY: Final = 3
OUT_OF_TIME: Final = 256
LOST: Final = 257
MAX_MESSAGE_BYTES: Final = 1 << 16

# What some installations of Python need to find their own parts.
_KEPT_VARIABLES: Final = ("PYTHONHOME", "LD_LIBRARY_PATH")
_START_SECONDS: Final = 120
# The helper ends a child that takes too long; only when that fails the whole helper is ended.
_GRACE_SECONDS: Final = 10


@dataclass(frozen=True)
class Limits:
    """What reading one file may take; see `IsolatedReader`."""

    memory_bytes: int
    seconds: float
    max_voxels: int

    @property
    def answer_bytes(self) -> int:
        """How much memory the two sides share."""
        return HEADER_BYTES + self.max_voxels


class Helper:
    """A process that forks one confined child for each file.

    Args:
        module: What it runs.
        limits: For each file.

    Raises:
        UsageError: It cannot be started.

    Attributes:
        answer: What the last child has left; see `answers`.
    """

    def __init__(self, module: str, limits: Limits) -> None:
        self._seconds = limits.seconds + _GRACE_SECONDS
        self._output = _shared_memory(limits.answer_bytes)
        self.answer = mmap.mmap(self._output, limits.answer_bytes, access=mmap.ACCESS_READ)
        self._control, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with other, TemporaryFile() as errors:
            self._process = subprocess.Popen(  # noqa: S603 -- this interpreter, with a module of ours
                [sys.executable, "-P", "-m", module],
                stdin=other.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=errors,
                cwd="/",
                env=_environment(),
                start_new_session=True,
            )
            other.close()  # else nobody would notice that the helper hung up
            if self._exchange(json.dumps(asdict(limits)).encode(), self._output, _START_SECONDS) != READY:
                self.close()
                errors.seek(0)
                last = errors.read().decode(errors="replace").strip().rpartition("\n")[2]
                raise UsageError(f"the process that reads predictions does not start: {last}")

    def read(self, name: str, source: int) -> int:
        """Have one file read, and return what became of it: 0 when there is an answer.

        Args:
            name: What it is called.
            source: Its descriptor.

        Returns:
            Exit code of the child, negative number of the signal that ended it, `OUT_OF_TIME`, or `LOST` when the
            helper itself came to grief and has to be replaced.
        """
        # An answer to the last file is none to this one.
        os.pwrite(self._output, bytes(HEADER_BYTES), 0)
        reply = self._exchange(os.fsencode(name), source, self._seconds)
        return int(reply) if reply else LOST

    def close(self) -> None:
        """End it and all that it has started."""
        self._control.close()
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        os.close(self._output)

    def _exchange(self, message: bytes, descriptor: int, seconds: float) -> bytes:
        """Send a message and return the reply; nothing when there is none."""
        try:
            self._control.settimeout(seconds)
            socket.send_fds(self._control, [message], [descriptor])
            return self._control.recv(64)
        except OSError:
            return b""


def _shared_memory(n_bytes: int) -> int:
    """A file in memory of this size, which nobody can change: who has it mapped is safe from that."""
    import fcntl  # not on Windows, where this module has to be importable

    descriptor = os.memfd_create("answer", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.ftruncate(descriptor, n_bytes)
    fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL)
    return descriptor


def _environment() -> dict[str, str]:
    """Nothing of this process's environment but what it takes to find Python and the package."""
    package = Path(ctspine_bench.__file__).parents[1]
    path = [str(package), *(str(Path(entry).absolute()) for entry in sys.path if entry)]
    kept = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
    return {**kept, "PYTHONPATH": os.pathsep.join(path), "OPENBLAS_NUM_THREADS": "1"}
