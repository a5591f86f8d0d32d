"""`IsolatedReader`: read a stranger's label map in a process that could do no harm if the file took it over.

    this process                       helper (one for each thread)           child (one for each file)
    `IsolatedReader.read` ── file ──►  `child.serve`: clean, waits  ─ fork ─►  `confinement.confine`, then reads
         `answers.read_answer` ◄──────────────────── labels and header ─────── `answers.AnswerBuffer`

`helper` starts and ends the helper. The child holds one descriptor, can open nothing, and knows no path, no address and
no secret; it is limited in memory, time and output. What comes back is checked as if a stranger had written it.
Linux only; everything else of the package works without.

What a child that was taken over could still do depends on the kernel:

- Landlock, ABI 6 (Linux 6.12) or newer: call the kernel, and be wrong about its own file. There is no filter on system
  calls (seccomp): those that need no descriptor are in reach, and so is an error of the kernel in one of them.
- An older Landlock (Linux 5.13): also send signals to other processes of its user, and so end them, this one included.
  Where this is root's process a child becomes `nobody`, and can only end other children.
- No Landlock: also change and remove files that its user may change, run programs under the same limits, and take over
  processes of its user as a debugger does, this one included, unless the system forbids that (Yama).

So run this on a machine of its own, or as a user that has nothing else there.

Memory: a child may use `memory_bytes`, which includes what it shares with the thread that asked, up to a byte for each
of `max_voxels`; what exceeds 256 MiB of that goes back to the system before the next file. `default_workers` is how
many such threads the machine can bear; should memory run out all the same, the kernel ends children before others.
"""

from __future__ import annotations

import hashlib
import os
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, ClassVar, Final, Self

from ctspine_bench.errors import CaseError, InputError, UsageError
from ctspine_bench.isolation.answers import read_answer
from ctspine_bench.isolation.helper import LOST, OUT_OF_MEMORY, OUT_OF_TIME, Helper, Limits
from ctspine_bench.volumes.reading import MAX_VOXELS
from ctspine_bench.workers import available_cores

if TYPE_CHECKING:
    from ctspine_bench.records import LabelVolume

__all__ = ["MEMORY_BYTES", "IsolatedReader", "default_workers"]

MEMORY_BYTES: Final = 2 << 30
"""The largest file that may come, 2³⁰ voxels of any type, takes 1.2 GiB. The same everywhere: whether a prediction is
refused must not depend on the machine."""

_ADVICE: Final = "Write the label map again as uint8 .nii.gz; if that does not help, tell the organizers."


def default_workers() -> int:
    """Return how many files to read at a time: one a core, if the machine has memory for as many of the largest.

    A container may have less memory than its machine: then say how many.
    """
    n_bytes = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return max(1, min(available_cores(), n_bytes // MEMORY_BYTES))


class IsolatedReader:
    """Reads label maps in processes of their own; a context manager that any number of threads may use.

    Args:
        memory_bytes: Limit on the address space of the process that reads one file.
        seconds: How long it may take, by the clock and of processor time.
        max_voxels: Refuse a header that promises more.

    Raises:
        UsageError: This is not Linux.
    """

    module: ClassVar[str] = "ctspine_bench.isolation.child"

    def __init__(self, *, memory_bytes: int = MEMORY_BYTES, seconds: float = 120, max_voxels: int = MAX_VOXELS) -> None:
        if sys.platform != "linux":
            raise UsageError("predictions of strangers are read in a confined process, which works on Linux alone")
        self._limits = Limits(memory_bytes, seconds, max_voxels)
        self._local = threading.local()
        self._helpers: set[Helper] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        while self._helpers:
            self._helpers.pop().close()
        self._local = threading.local()

    def read(self, file: BinaryIO, name: str) -> LabelVolume:
        """Read one label map with labels 0–25, as `volumes.read_labels` does.

        Args:
            file: The open file; it is read from its beginning.
            name: What the participant calls it: decides whether it is compressed, and stands in errors.

        Returns:
            The label map; its labels are read-only, and valid until this thread reads the next file.

        Raises:
            FileError: `E_FORMAT`, `E_TRUNCATED`, `E_CORRUPT`, `E_SURPLUS`, `E_TOO_LARGE`.
            LabelError: `E_DTYPE`, `E_NDIM`, `E_NAN`, `E_NOT_INTEGER`, `E_LABEL_RANGE`.
            GeometryError: `E_SPACING`, `E_SHEAR`.
            CaseError: `E_CRASH`, `E_TIMEOUT`, `E_MEMORY`.
            UsageError: No process can be started.
        """
        # A second, read-only opening of the same file, with a position of its own.
        with Path(f"/proc/self/fd/{file.fileno()}").open("rb", buffering=0) as source:
            helper = self._helper()
            outcome = helper.read(name, source.fileno())
            if outcome == LOST:
                self._discard(helper)
            if outcome != 0:
                raise self._failure(outcome, name)
            source.seek(0)
            sha256 = hashlib.file_digest(source, "sha256").hexdigest()
        try:
            return read_answer(helper.answer, name, sha256)
        except InputError:
            raise
        except ValueError as error:
            raise _crash(name, f"an answer that makes no sense ({error})") from None

    def _helper(self) -> Helper:
        """The helper of this thread."""
        helper: Helper | None = getattr(self._local, "helper", None)
        if helper is None:
            helper = self._local.helper = Helper(self.module, self._limits)
            self._helpers.add(helper)
        return helper

    def _discard(self, helper: Helper) -> None:
        helper.close()
        self._helpers.discard(helper)
        del self._local.helper

    def _failure(self, outcome: int, name: str) -> CaseError:
        if outcome == OUT_OF_MEMORY:
            limit = f"at most {self._limits.memory_bytes / 2**30:.3g} GiB of memory to read it"
            return CaseError("E_MEMORY", name, expected=limit, found="a need for more", advice=_ADVICE)
        if outcome in {OUT_OF_TIME, -signal.SIGXCPU}:
            limit = f"at most {self._limits.seconds:g} s to read it"
            return CaseError("E_TIMEOUT", name, expected=limit, found="more", advice=_ADVICE)
        if outcome == LOST:
            return _crash(name, "one that took down the process which watches over that")
        if outcome < 0:
            return _crash(name, f"signal {-outcome} ({signal.strsignal(-outcome)})")
        return _crash(name, f"exit code {outcome}")


def _crash(name: str, found: str) -> CaseError:
    expected = "a file that the process which reads it survives"
    return CaseError("E_CRASH", name, expected=expected, found=found, advice=_ADVICE)
