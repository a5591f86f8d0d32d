"""Results folders of one's own runs with chosen or drawn scores, as `ctspine-bench score --output` writes them."""

from __future__ import annotations

import json
from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import numpy as np
from board_records import no_strata
from case_results import case, mask, missed, spurious

from ctspine_bench.aggregate import summarise
from ctspine_bench.evaluate import SubmissionScore
from ctspine_bench.provenance import Settings
from ctspine_bench.results import write_results
from ctspine_bench.tables import case_table
from ctspine_bench.testsets import custom

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from ctspine_bench.records import CaseResult, VertebraScore

LEVELS = ("C7", "T1", "T11", "T12", "L1", "L2")


def write_own(
    folder: Path, cases: Sequence[CaseResult], *, settings: Settings | None = None, test_set: str = "custom"
) -> Path:
    """Write the results of one run; the digests of its predictions are its own."""
    digest = sha256(str(folder).encode()).hexdigest()
    results = tuple(replace(each, prediction_sha256=digest if each.prediction_sha256 else None) for each in cases)
    with no_strata():
        table = case_table(results, test_set)
        score = SubmissionScore(custom(test_set), results, table, summarise(table), (), 0, settings or Settings())
        write_results([score], folder)
    return folder


def change(folder: Path, how: Callable[[dict[str, Any]], object]) -> Path:
    """Change results.json by hand."""
    path = folder / "results.json"
    document = json.loads(path.read_text())
    how(document)
    path.write_text(json.dumps(document))
    return folder


def drawn_cases(seed: int, quality: float, numbers: Sequence[int] = range(16)) -> list[CaseResult]:
    """Drawn scores on cases whose references do not depend on the seed: some levels are missed, some spurious.

    C7 and T1 are in every fourth case alone; L6 is in no reference, and some predictions have it.
    """
    return [_drawn(number, np.random.default_rng([number, seed]), quality) for number in numbers]


def _drawn(number: int, generator: np.random.Generator, quality: float) -> CaseResult:
    names = LEVELS if number % 4 == 0 else LEVELS[2:]
    masks: list[VertebraScore] = []
    for name in names:
        dsc, hd95_mm = float(generator.beta(12 * quality, 2)), float(generator.gamma(2, 2))
        masks.append(missed(name) if generator.random() < 0.07 else mask(name, dsc, hd95_mm))
    if generator.random() < 0.15:
        masks.append(spurious("L6"))
    if number % 4 and generator.random() < 0.15:
        masks.append(spurious("T1"))
    return case(f"case{number:03}", *masks, mask("spine", float(generator.beta(9, 1)), 3.0))
