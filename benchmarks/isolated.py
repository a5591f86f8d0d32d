"""A measurement in a process of its own: fresh, on one core, with a time limit.

`run` is for whoever wants to measure. Run as a script, this file is that process: it carries out one function of
`tasks.py` and leaves what it returned as JSON.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

ONE_THREAD: Final = dict.fromkeys(
    (
        "OMP_NUM_THREADS",
        "MKL_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "NUMBA_NUM_THREADS",
        "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS",
    ),
    "1",
)
"""Set for every measurement on one core, which is bound to that core as well."""
_ROOT: Final = Path(__file__).parents[1]


class MeasurementError(Exception):
    """A measurement did not end in time, or failed."""


def run(
    task: str,
    *,
    time_limit_s: float = 600,
    one_core: bool = True,
    environment: dict[str, str] | None = None,
    **arguments: Any,
) -> dict[str, Any]:
    """Carry out `tasks.<task>(**arguments)` in a process of its own and return what it returns.

    Raises:
        MeasurementError: It took longer than `time_limit_s` or failed.
    """
    path = os.pathsep.join(filter(None, (str(_ROOT), os.environ.get("PYTHONPATH"))))
    inherited = {**os.environ, "PYTHONPATH": path, **(ONE_THREAD if one_core else {}), **(environment or {})}
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder) / "answer.json"
        request = json.dumps([task, one_core, str(answer), arguments])
        try:
            done = subprocess.run(
                [sys.executable, __file__, request],
                env=inherited,
                timeout=time_limit_s,
                capture_output=True,
                text=True,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise MeasurementError(f"over {time_limit_s:.0f} s") from None
        if done.returncode or not answer.exists():
            last = done.stderr.strip().splitlines()[-1:] or [f"exit code {done.returncode}"]
            raise MeasurementError(f"failed: {last[0]}")
        result: dict[str, Any] = json.loads(answer.read_text())
        return result


def _main() -> None:
    task, one_core, answer, arguments = json.loads(sys.argv[1])
    # Before any library counts the cores.
    if one_core and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    import tasks

    result = getattr(tasks, task)(**arguments)
    Path(answer).write_text(json.dumps(result))


if __name__ == "__main__":
    _main()
