"""Private scoring beside plain scoring, in one run: `python benchmarks/submissions.py`.

Two submissions are scored on the private set of a phantom benchmark, once with `ctspine-bench score` on folders, once
with `ctspine-bench submission score --private-store` from archives. The second also unpacks, reads every prediction in
an isolated process and writes it anew, so it is compared with the first plus one decompression of the archives, once by
Python's gzip and once by isal, which the product itself uses.
"""

from __future__ import annotations

import argparse
import gzip
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from isal import igzip

from ctspine_bench.archives.members import members
from ctspine_bench.phantom import make_benchmark, simulate_submission
from ctspine_bench.submissions.reading import read_declaration

if TYPE_CHECKING:
    from ctspine_bench.phantom.sources import Size

SUBMISSIONS = ("boundary-noise", "shift-from-level")
TEST_SET = "phantom-private"
_ROUNDS = 3


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases-per-source", type=int, default=3, help="a fourth of the cases [default: %(default)s]")
    parser.add_argument("--size", choices=("small", "full"), default="full", help="of the cases [default: %(default)s]")
    parser.add_argument("--json", type=Path, help="write all numbers to this file")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        numbers = measure(Path(scratch), options.cases_per_source, options.size)
    for name, value in numbers.items():
        print(f"{name:28} {value:8.3f}" if isinstance(value, float) else f"{name:28} {value:8}")
    if options.json:
        options.json.write_text(json.dumps(numbers, indent=1) + "\n")


def measure(scratch: Path, cases_per_source: int, size: Size) -> dict[str, float | int]:
    """Return seconds and ratios; the compilation cache is warm, every command is a fresh process."""
    make_benchmark(scratch / "benchmark", cases_per_source=cases_per_source, verse_cases=2, size=size)
    for name in SUBMISSIONS:
        simulate_submission(scratch / "benchmark", scratch / "predictions" / name, name)
        _declare(scratch, name)
    rounds = [_round(scratch, number) for number in range(_ROUNDS)]
    plain, private, by_gzip, by_isal = (statistics.median(column) for column in zip(*rounds, strict=True))
    return {
        "cases": 4 * cases_per_source * len(SUBMISSIONS),
        "score_s": plain,
        "submission_score_s": private,
        "gzip_s": by_gzip,
        "isal_s": by_isal,
        "ratio_gzip": private / (plain + by_gzip),
        "ratio_isal": private / (plain + by_isal),
    }


def _declare(scratch: Path, name: str) -> None:
    archive = scratch / "archives" / f"{name}.tar"
    archive.parent.mkdir(exist_ok=True)
    _run("submission", "pack", scratch / "predictions" / name / "private", archive, "--test-set", TEST_SET)
    _run(
        "submission", "new", name, "--folder", scratch / "submissions", "--name", name, "--team", f"Team {name}",
        "--contact", "team@example.org", "--owner", name, "--description", "A simulated submission.",
        "--licence", "CC0-1.0", "--training-data", "none", "--no-uses-verse",
        "--no-uses-test-cases", "--coverage-reason", "The benchmark scores the private set alone.",
        "--archive", TEST_SET, archive, f"https://zenodo.org/records/1/files/{archive.name}",
    )  # fmt: skip


def _round(scratch: Path, number: int) -> tuple[float, float, float, float]:
    plain = private = by_gzip = by_isal = 0.0
    (scratch / f"store-{number}").mkdir()
    for name in SUBMISSIONS:
        plain += _run(
            "score", scratch / "predictions" / name / "private", scratch / "benchmark" / "private" / "labels",
            "--output", scratch / f"plain-{name}-{number}",
        )  # fmt: skip
        private += _run(
            "submission", "score", scratch / "submissions" / name, "--references", scratch / "benchmark",
            "--private-store", scratch / f"store-{number}", "--archives", scratch / "archives",
            "--output", scratch / f"scored-{name}-{number}",
        )  # fmt: skip
        by_gzip += _decompress(scratch, name, gzip.GzipFile)
        by_isal += _decompress(scratch, name, igzip.IGzipFile)
    return plain, private, by_gzip, by_isal


def _decompress(scratch: Path, name: str, opened: type[gzip.GzipFile]) -> float:
    """Read an archive and everything in it to the end, one file after the other."""
    declared = read_declaration(scratch / "submissions" / name).test_sets[TEST_SET]
    start = time.perf_counter()
    for member in members(scratch / "archives" / declared.file_name, declared.file_name, scratch):
        with member.file, opened(fileobj=member.file) as file:
            while file.read(1 << 20):
                pass
    return time.perf_counter() - start


def _run(*arguments: object) -> float:
    start = time.perf_counter()
    command = [sys.executable, "-m", "ctspine_bench", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
