"""What the process that reads a stranger's file gives up before it looks at the file.

Afterwards it can read the one file that it holds, use memory and time up to a limit, and write to no file. It can open
nothing: the limit on descriptors is zero, so there is no new file, no socket and no pipe, whatever the rights of the
user. Landlock (docs.kernel.org/userspace-api/landlock.html) forbids on top what needs no descriptor: to run, remove or
rename files, to look into other processes, to send them signals. Kernels without it, and older ones that know only some
of this, leave the rest to the other limits.
"""

from __future__ import annotations

import ctypes
import math
import os
import resource
import signal
from contextlib import suppress
from pathlib import Path
from typing import Final

# linux/prctl.h
_SET_PDEATHSIG: Final = 1
_SET_DUMPABLE: Final = 4
_SET_NO_NEW_PRIVS: Final = 38

# asm-generic/unistd.h and linux/landlock.h
_CREATE_RULESET: Final = 444
_RESTRICT_SELF: Final = 446
_ABI_VERSION_FLAG: Final = 1
_ALL_SCOPES: Final = 0b11  # abstract Unix sockets, signals
_ALL_TCP: Final = 0b11  # bind, connect

_NOBODY: Final = 65_534

_libc: Final = ctypes.CDLL(None, use_errno=True)


class _Ruleset(ctypes.Structure):
    """`struct landlock_ruleset_attr`: what is forbidden unless a rule allows it. There will be no rules."""

    _fields_ = (("file_system", ctypes.c_uint64), ("network", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


def hide_memory() -> None:
    """Keep other processes of the same user, unless they are root's, from reading or changing this one's memory."""
    _prctl(_SET_DUMPABLE, 0)


def die_first() -> None:
    """Have the kernel end this process and its children before all others when memory runs out.

    To be called before `hide_memory`: afterwards the file for that is root's.
    """
    with suppress(OSError):  # a system without /proc, or with one that cannot be written to
        Path("/proc/self/oom_score_adj").write_text("1000")


def confine(*, memory_bytes: int, seconds: float) -> None:
    """Give up everything but reading the file that is open. There is no way back.

    Args:
        memory_bytes: Limit on the address space.
        seconds: Limit on processor time.

    Raises:
        OSError: The system refuses a limit: then nothing may be read.
    """
    _prctl(_SET_NO_NEW_PRIVS, 1)
    _drop_root()
    # After the change of user, which clears both.
    hide_memory()
    _prctl(_SET_PDEATHSIG, signal.SIGKILL)
    _forbid_by_landlock()
    whole_seconds = math.ceil(seconds)
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CPU, (whole_seconds, whole_seconds + 1))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
    limit_descriptors(0)


def limit_descriptors(number: int) -> None:
    """Allow no descriptor of this number or above; with 0 nothing of any kind can be opened any more."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (number, number))


def landlock_version() -> int:
    """Return which version of Landlock the kernel offers; 0 for none."""
    version: int = _libc.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(_ABI_VERSION_FLAG))
    return max(0, version)


def _drop_root() -> None:
    """Become nobody where this is root's process: root is exempt from the limit on processes."""
    if os.geteuid() != 0:
        return
    # Refused where root is the only user there is (some containers): that root is subject to the limits.
    with suppress(OSError):
        os.setgroups([])
        os.setresgid(_NOBODY, _NOBODY, _NOBODY)
        os.setresuid(_NOBODY, _NOBODY, _NOBODY)


def _forbid_by_landlock() -> None:
    version = landlock_version()
    if version == 0:
        return
    n_file_rights = {1: 13, 2: 14, 3: 15, 4: 15}.get(version, 16)
    ruleset = _Ruleset(2**n_file_rights - 1, _ALL_TCP if version >= 4 else 0, _ALL_SCOPES if version >= 6 else 0)
    # Older kernels know a shorter structure; they accept a longer one whose rest is zero.
    size = ctypes.c_size_t(ctypes.sizeof(ruleset))
    descriptor = _checked(_libc.syscall(_CREATE_RULESET, ctypes.byref(ruleset), size, ctypes.c_uint32(0)))
    try:
        _checked(_libc.syscall(_RESTRICT_SELF, ctypes.c_int(descriptor), ctypes.c_uint32(0)))
    finally:
        os.close(descriptor)


def _prctl(option: int, argument: int) -> None:
    # It takes unsigned longs, and some options insist on zeros after the first argument.
    _checked(_libc.prctl(option, *map(ctypes.c_ulong, (argument, 0, 0, 0))))


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
