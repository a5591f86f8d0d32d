"""Speed and memory of `ctspine-bench` beside its peers, in one run: `python benchmarks/speed.py`."""

from __future__ import annotations

import argparse
import json
import os
import platform
import shlex
import sys
import tempfile
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from isolated import ONE_THREAD, MeasurementError, run
from peers import OURS, PEERS
from report import show, targets
from rich.console import Console
from workload import case_folders, reference_pairs

import ctspine_bench
from ctspine_bench.workers import available_cores

if TYPE_CHECKING:
    from workload import FilePair

_CONSOLE = Console(stderr=True)
_LIBRARIES = ("numpy", "scipy", "numba", "nibabel", "isal")


def main() -> None:
    """Measure, print tables, and write the numbers as JSON if asked to."""
    options = _options()
    pairs = reference_pairs(quick=options.quick)
    load_before = os.getloadavg()[0]
    document = {
        "date": datetime.now(UTC).date().isoformat(),
        "command": shlex.join(["python", "benchmarks/speed.py", *sys.argv[1:]]),
        "quick": options.quick,
        "machine": _machine(),
        "environment": ONE_THREAD,
        "load_before": load_before,
        "arrays": _peers(options.peers, pairs["clean"], options.time_limit),
        "hard": {name: _measure("arrays", pair, peer=OURS) for name, pair in pairs.items()},
        "files": _measure("files", pairs["clean"]),
        "memory": {task: _measure(task, pairs["clean"]) for task in ("memory", "command_memory")},
        "start": {**_compilation(pairs["clean"]), **run("start")},
        "cases": _cases(quick=options.quick),
        "load_after": os.getloadavg()[0],
    }
    document["targets"] = targets(document)
    show(document, Console(width=None if sys.stdout.isatty() else 160))
    if options.json:
        options.json.write_text(json.dumps(document, indent=1) + "\n")


def _options() -> argparse.Namespace:
    others = [name for name in PEERS if name != OURS]
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="an eighth of the voxels, to try the benchmark itself")
    parser.add_argument("--peers", default=",".join(others), help="which peers, comma-separated [default: %(default)s]")
    parser.add_argument("--time-limit", type=float, default=600, help="seconds for each peer [default: %(default)s]")
    parser.add_argument("--json", type=Path, help="write all numbers to this file")
    options = parser.parse_args()
    options.peers = [name for name in options.peers.split(",") if name]
    unknown = sorted({*options.peers} - {*others})
    if unknown:
        parser.error(f"unknown peers {', '.join(unknown)}; there are {', '.join(others)}")
    return options


def _machine() -> dict[str, Any]:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    ram = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if hasattr(os, "sysconf") else 0
    return {
        "cpu": model or platform.processor(),
        "cores": available_cores(),
        "ram_gib": round(ram / 2**30, 1),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "versions": {name: version(name) for name in _LIBRARIES} | {OURS: ctspine_bench.__version__},
    }


def _measure(task: str, pair: FilePair, **arguments: Any) -> dict[str, Any]:
    _CONSOLE.print(f"[dim]{task} {arguments.get('peer', '')} {pair.prediction.name}")
    return run(task, reference=str(pair.reference), prediction=str(pair.prediction), **arguments)


def _peers(names: list[str], pair: FilePair, time_limit_s: float) -> dict[str, Any]:
    """Measure ourselves and the peers; compare each with our numbers, in its definition where we have it."""
    ours = _measure("all_definitions", pair)
    measured: dict[str, Any] = {}
    for name in (OURS, *names):
        peer = PEERS[name]
        about = {"how": peer.how, "definition": peer.definition, "compared_with": peer.comparable}
        try:
            found = _measure("arrays", pair, peer=name, time_limit_s=time_limit_s)
        except MeasurementError as error:
            measured[name] = {**about, "version": peer.version, "error": str(error)}
            continue
        scores = found.pop("scores")
        differences = {
            "max_dsc_difference": max(abs(scores[label][0] - ours[label]["dsc"]) for label in ours),
            "max_hd95_difference_mm": max(
                abs(scores[label][1] - ours[label][peer.comparable or "hd95_mm"]) for label in ours
            ),
        }
        measured[name] = {**about, **found, **differences, "labels": len(ours)}
    return measured


def _compilation(pair: FilePair) -> dict[str, float]:
    """Measure the first run of all, with an empty compilation cache, and the next."""
    with tempfile.TemporaryDirectory() as cache:
        environment = {"NUMBA_CACHE_DIR": cache}
        compiled, cached = (run("warm_up", environment=environment)["seconds"] for _ in range(2))
        first = _measure("first_score", pair, environment=environment)
    return {"compile_s": compiled, "cached_s": cached, **first}


def _cases(*, quick: bool) -> list[dict[str, Any]]:
    """Score many cases with one worker, and with as many as there are cores."""
    _CONSOLE.print("[dim]many cases")
    folders = case_folders(12 if quick else 40, 2 if quick else 5, quick=quick)
    cores = available_cores()
    return [
        run(
            "cases",
            one_core=False,
            references=str(folders.reference),
            predictions=str(folders.prediction),
            workers=workers,
        )
        for workers in sorted({1, cores})
    ]


if __name__ == "__main__":
    main()
