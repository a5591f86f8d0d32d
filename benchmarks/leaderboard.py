"""How quick the leaderboard is on a large board: `python benchmarks/leaderboard.py`.

Made submissions (`made_board.py`) on the three official test sets, 436 cases each. Pages are run by Streamlit's own
test runner, in fresh processes where that is said: what is measured is the work on the server, up to a page that is
ready to be sent, the start of Python included. What a browser takes to draw it is not in these numbers.

Leaving one case out at a time stands beside a peer: the same means, worked out again for each case and submission in a
plain NumPy loop, timed on fewer of both and scaled up.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ctspine_bench.anatomy import LABELS
from ctspine_bench.board import Board
from ctspine_bench.board.cache import Cache
from ctspine_bench.rankings.mean_then_rank import left_out
from ctspine_bench.rankings.paired import MEASURES, PairedScores, Vertebrae, joined
from ctspine_bench.rankings.standings import standings

if TYPE_CHECKING:
    from streamlit.testing.v1 import AppTest

DATA = Path(__file__).parent / "data" / "board"
_PAGE = "from ctspine_leaderboard.pages import standings\nstandings.show()"
_N_RANKED = 50
_SELECTORS = {
    "set": ("verse", "public"),
    "scheme": ("rank-then-mean", "significance", "mean-then-rank"),
    "metric": ("hd95_mm", "nsd_2mm", "dsc"),
    "region": ("lumbar", "cervical", "all"),
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--submissions", type=int, default=200, help="[default: %(default)s]")
    parser.add_argument("--folder", type=Path, default=DATA, help="where the made board is kept [default: %(default)s]")
    parser.add_argument("--json", type=Path, help="write all numbers to this file")
    parser.add_argument("--step", choices=("first", "visit"), help="run one step in this process, for the others")
    options = parser.parse_args()
    if options.step:
        print(json.dumps({"first": _first_page, "visit": _visit}[options.step](options.folder)))
        return
    import made_board

    made_board.make(options.folder, options.submissions + 1)
    with tempfile.TemporaryDirectory() as scratch:
        numbers = measure(options.folder, options.submissions, Path(scratch))
    for name, value in numbers.items():
        print(f"{name:36} {value:10.3f}" if isinstance(value, float) else f"{name:36} {value:10}")
    if options.json:
        options.json.write_text(json.dumps(numbers, indent=1) + "\n")


def measure(folder: Path, submissions: int, scratch: Path) -> dict[str, float | int]:
    """Return seconds, megabytes and ratios, on the first so many submissions of a made board."""
    shown = scratch / "submissions"
    shown.mkdir()
    for number in range(submissions + 1):
        place = shown if number < submissions else scratch / "new"
        shutil.copytree(folder / "submissions" / f"made-{number:03d}", place / f"made-{number:03d}")
    cache = scratch / "cache"
    environment = {**os.environ, "CTSPINE_SUBMISSIONS": str(shown), "XDG_CACHE_HOME": str(cache)}
    numbers: dict[str, float | int] = {"submissions": submissions, "cases": 436}
    numbers |= {f"{name}_nothing_cached": value for name, value in _step("first", scratch, environment).items()}
    start = time.perf_counter()
    Board(shown, cache=Cache(cache / "ctspine-bench" / "board")).prepare()
    numbers["prepare_everything_s"] = time.perf_counter() - start
    numbers |= _step("first", scratch, environment)
    numbers |= _step("visit", scratch, environment)
    numbers["cache_mb"] = sum(path.stat().st_size for path in cache.rglob("*") if path.is_file()) / 1e6
    return numbers | _leaving_out(shown)


def _step(name: str, scratch: Path, environment: dict[str, str]) -> dict[str, float]:
    """Run a step in a process of its own; `first_page_s` is from before its start."""
    command = [sys.executable, __file__, "--step", name, "--folder", str(scratch)]
    start = time.perf_counter()
    done = subprocess.run(
        [*command], env={**environment, "STARTED": str(time.time())}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed after {time.perf_counter() - start:.1f} s:\n{done.stdout}{done.stderr}")
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def _first_page(_: Path) -> dict[str, float]:
    _opened()
    return {"first_page_s": time.time() - float(os.environ["STARTED"])}


def _visit(folder: Path) -> dict[str, float]:
    """Open the page twice, go through its selectors, add a record, and say what it took."""
    app = _opened()
    warm = _timed(app)
    changes = []
    for key, values in _SELECTORS.items():
        for value in values:
            start = time.perf_counter()
            next(each for each in app.selectbox if each.key == key).set_value(value).run()
            changes.append(time.perf_counter() - start)
            _check(app)
    for new in (folder / "new").iterdir():
        shutil.copytree(new, folder / "submissions" / new.name)
    added = _timed(app)
    return {
        "warm_page_s": warm,
        "selector_change_median_s": float(np.median(changes)),
        "selector_change_max_s": max(changes),
        "record_added_s": added,
        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def _opened() -> AppTest:
    from streamlit.testing.v1 import AppTest

    app = AppTest.from_string(_PAGE, default_timeout=600).run()
    _check(app)
    return app


def _timed(app: AppTest) -> float:
    start = time.perf_counter()
    app.run()
    elapsed = time.perf_counter() - start
    _check(app)
    return elapsed


def _check(app: AppTest) -> None:
    if app.exception:
        sys.exit(f"the page failed: {app.exception[0].value}")


def _leaving_out(submissions: Path) -> dict[str, float]:
    """Rank 50 submissions on 435 cases: all means without one case, and everything that standings hold."""
    paired = _all_cases(Board(submissions, cache=Cache(None)))
    start = time.perf_counter()
    left_out(paired, "dsc", "all")
    leaving_out = time.perf_counter() - start
    start = time.perf_counter()
    standings(paired)
    whole = time.perf_counter() - start
    peer = _peer(paired)
    return {
        "leaving_out_s": leaving_out,
        "standings_s": whole,
        "leaving_out_peer_s": peer,
        "leaving_out_ratio": peer / leaving_out,
    }


def _all_cases(board: Board) -> PairedScores:
    """The public and the VerSe cases as if they were one test set, and the public ones once more as private."""
    public, verse = (board.paired(name) for name in ("public", "verse"))
    if public is None or verse is None:
        sys.exit("expected ranked submissions on the made board, found none")
    slugs = public.slugs[:_N_RANKED]
    parts = [public.of(*slugs), public.of(*slugs), verse.of(*slugs)]
    parts_of = [part.vertebrae for part in parts]
    vertebrae = Vertebrae(
        case_ids=tuple(f"{n}-{case}" for n, part in enumerate(parts_of) for case in part.case_ids),
        sources=tuple(source for part in parts_of for source in part.sources),
        slice_spacing_mm=np.concatenate([part.slice_spacing_mm for part in parts_of]),
        transitional=np.concatenate([part.transitional for part in parts_of]),
        case=np.concatenate([part.vertebrae.case + sum(p.n_cases for p in parts[:n]) for n, part in enumerate(parts)]),
        label=np.concatenate([part.label for part in parts_of]),
        in_reference=np.concatenate([part.in_reference for part in parts_of]),
        cut=np.concatenate([part.cut for part in parts_of]),
    )
    measures = {name: np.concatenate([part.measures[name] for part in parts]) for name in MEASURES}
    present = np.concatenate([part.present for part in parts])
    return joined([PairedScores(slugs, vertebrae, present, measures)])


def _peer(paired: PairedScores, cases: int = 40, submissions: int = 5) -> float:
    """Time the means without a case from the rows that are left, a case and a submission at a time; scale them up."""
    vertebrae, dsc = paired.vertebrae, paired.measures["dsc"]
    start = time.perf_counter()
    for case in range(cases):
        rest = vertebrae.case != case
        for column in range(submissions):
            there = rest & paired.present[:, column]
            totals = np.bincount(vertebrae.label[there], minlength=len(LABELS) + 1)[1:]
            sums = np.bincount(vertebrae.label[there], dsc[there, column], len(LABELS) + 1)[1:]
            np.mean(sums[totals > 0] / totals[totals > 0])
    elapsed = time.perf_counter() - start
    return elapsed * paired.n_cases / cases * len(paired.slugs) / submissions


if __name__ == "__main__":
    main()
