"""What is measured: each function runs in a fresh process (see `isolated.py`) and returns numbers for JSON."""

from __future__ import annotations

import gzip
import os
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

_REPEATS: Final = 7
_PEER_REPEATS: Final = 3
_REPEATED_BELOW_S: Final = 20.0


def timed(function: Callable[[], object]) -> tuple[float, float]:
    """Return the seconds on the clock and the seconds of processor time that a call takes."""
    wall, cpu = time.perf_counter(), time.process_time()
    function()
    return time.perf_counter() - wall, time.process_time() - cpu


def _summary(samples: list[tuple[float, float]]) -> dict[str, Any]:
    wall, cpu = zip(*samples, strict=True)
    return {"seconds": statistics.median(wall), "cpu_s": statistics.median(cpu), "samples_s": wall}


def peak_mb() -> float | None:
    """Return the peak memory of this process so far in MB (10⁶ bytes), `None` where the system does not tell."""
    return _status_mb("VmHWM")


def _status_mb(field: str) -> float | None:
    status = Path("/proc/self/status")
    if not status.exists():
        return None
    line = next(line for line in status.read_text().splitlines() if line.startswith(f"{field}:"))
    return int(line.split()[1]) * 1024 / 1e6


def arrays(peer: str, reference: str, prediction: str) -> dict[str, Any]:
    """Time one peer on two arrays in memory: ours `_REPEATS` times, others thrice if that does not take long."""
    import numpy as np
    from peers import OURS, PEERS

    from ctspine_bench import read_labels

    first, second = read_labels(reference), read_labels(prediction)
    volumes = first.labels, second.labels, first.grid.spacing_mm
    run = PEERS[peer].run
    scores: dict[int, tuple[float, float]] = {}
    # Whatever is imported or compiled at the first call is no part of the time.
    small = np.zeros((24, 24, 24), np.uint8, order="F")
    small[8:16, 8:16, 8:12], small[8:16, 8:16, 13:16] = 1, 2
    run(small, np.roll(small, 1, axis=0), first.grid.spacing_mm)
    samples = [timed(lambda: scores.update(run(*volumes)))]
    repeats = _REPEATS if peer == OURS else _PEER_REPEATS
    while samples[0][0] < _REPEATED_BELOW_S and len(samples) < repeats:
        samples.append(timed(lambda: run(*volumes)))
    return {**_summary(samples), "peak_mb": peak_mb(), "version": PEERS[peer].version, "scores": scores}


def all_definitions(reference: str, prediction: str) -> dict[str, Any]:
    """Return our DSC and HD95 of every label in each definition that we have."""
    from ctspine_bench import read_labels, score_arrays

    first, second = read_labels(reference), read_labels(prediction)
    case = score_arrays(first.labels, second.labels, first.grid.spacing_mm, pooled=True)
    scores = [score for score in (*case.vertebrae, case.spine) if score]
    return {
        str(score.label): {"dsc": score.dsc, "hd95_mm": score.hd95_mm, "hd95_pooled_mm": score.hd95_pooled_mm}
        for score in scores
    }


def files(reference: str, prediction: str) -> dict[str, Any]:
    """Time reading and scoring two files beside decompressing them, in turns."""
    from isal import igzip

    from ctspine_bench import score_case

    paths = (reference, prediction)
    gunzip = ["/usr/bin/env", "gunzip", "-c", *paths]
    measured: dict[str, Callable[[], object]] = {
        "read and score": lambda: score_case(*paths),
        "gunzip": lambda: subprocess.run(gunzip, stdout=subprocess.DEVNULL, check=True),
        "gzip (Python)": lambda: _drain(gzip.open, paths),
        "igzip (isal)": lambda: _drain(igzip.open, paths),
    }
    score_case(*paths)
    samples: dict[str, list[tuple[float, float]]] = {name: [] for name in measured}
    for _ in range(_REPEATS):
        for name, function in measured.items():
            samples[name].append(timed(function))
    return {name: _summary(taken) for name, taken in samples.items()}


def _drain(open_file: Callable[[str], Any], paths: tuple[str, str]) -> None:
    for path in paths:
        with open_file(path) as file:
            while file.read(1 << 20):
                pass


def memory(reference: str, prediction: str) -> dict[str, Any]:
    """Return the peak memory of one `score_case` in a process that does nothing else."""
    from ctspine_bench import score_case

    score_case(reference, prediction)
    return {"peak_mb": peak_mb()}


def command_memory(reference: str, prediction: str) -> dict[str, Any]:
    """Return the peak memory and the time of `ctspine-bench score PREDICTION REFERENCE` as a whole."""
    from ctspine_bench.cli import main

    sys.argv = ["ctspine-bench", "score", prediction, reference]
    code: object = 0

    def command() -> None:
        nonlocal code
        try:
            main()
        except SystemExit as end:
            code = end.code

    seconds, _ = timed(command)
    if code:
        raise RuntimeError(f"ctspine-bench score ended with exit code {code}")
    return {"peak_mb": peak_mb(), "seconds": seconds}


def warm_up() -> dict[str, Any]:
    """Time making the kernels ready: compiling them, or loading them from the cache."""
    from ctspine_bench.comparison import warm_up as make_ready

    seconds, _ = timed(make_ready)
    return {"seconds": seconds}


def first_score(reference: str, prediction: str) -> dict[str, Any]:
    """Time the first and the second `score_arrays` after `warm_up`: the first has nothing left to compile."""
    from ctspine_bench import read_labels, score_arrays
    from ctspine_bench.comparison import warm_up as make_ready

    first, second = read_labels(reference), read_labels(prediction)
    make_ready()
    samples = [timed(lambda: score_arrays(first.labels, second.labels, first.grid.spacing_mm)) for _ in range(2)]
    return {"first_s": samples[0][0], "second_s": samples[1][0]}


def start() -> dict[str, Any]:
    """Time `ctspine-bench --help` beside a Python that does nothing."""
    commands = {"help": ["-m", "ctspine_bench", "--help"], "python": ["-c", "pass"]}
    samples: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(_REPEATS):
        for name, command in commands.items():
            call = [sys.executable, *command]
            seconds, _ = timed(lambda call=call: subprocess.run(call, stdout=subprocess.DEVNULL, check=True))  # type: ignore[misc]
            samples[name].append(seconds)
    return {name: statistics.median(taken) for name, taken in samples.items()}


def cases(references: str, predictions: str, workers: int) -> dict[str, Any]:
    """Score folders with some workers: cases a second, how busy the cores were, and the memory as it went on."""
    from ctspine_bench import score_submission
    from ctspine_bench.comparison import warm_up as make_ready

    make_ready()
    memory_mb: list[float] = []
    done = threading.Event()

    def watch() -> None:
        while not done.wait(0.05):
            memory_mb.append(_status_mb("VmRSS") or 0.0)

    watcher = threading.Thread(target=watch)
    watcher.start()
    ends: list[int] = []
    wall, cpu = timed(
        lambda: score_submission(
            predictions, references, workers=workers, on_case=lambda _: ends.append(len(memory_mb))
        )
    )
    done.set()
    watcher.join()
    quarters = [ends[len(ends) * n // 4 - 1] for n in range(1, 5)]
    bounds = list(zip([0, *quarters], quarters, strict=False))
    return {
        "workers": workers,
        "cases": len(ends),
        "seconds": wall,
        "cases_per_s": len(ends) / wall,
        "busy_cores": cpu / wall,
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "peak_mb_by_quarter": [max(memory_mb[low:high], default=None) for low, high in bounds],
    }
