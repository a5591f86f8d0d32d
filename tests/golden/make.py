"""The numbers that the engine gives for some small volumes, and how they are written: `python tests/golden/make.py`.

Twelve cases and three submissions, one near the truth, one that names a level off, misses and invents, one in between:
every metric, policy, aggregate, interval and standing is in it.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from ctspine_bench import score_arrays
from ctspine_bench.aggregate import POLICIES, summarise
from ctspine_bench.domain_gap import gap_intervals, kitagawa, profile, strata
from ctspine_bench.provenance import ENGINE_VERSION
from ctspine_bench.rankings.differences import differences
from ctspine_bench.rankings.paired import METRICS, REGIONS, pair
from ctspine_bench.rankings.pairwise import pairwise_tests
from ctspine_bench.rankings.schemes import SCHEMES
from ctspine_bench.rankings.standings import standings
from ctspine_bench.records import CaseResult
from ctspine_bench.results import aggregates
from ctspine_bench.tables import case_table

PATH = Path(__file__).with_name("numbers.json")
SPACINGS_MM = ((1.0, 1.0, 1.0), (0.8, 0.8, 2.0), (1.1, 1.1, 3.0))
SUBMISSIONS = ("near", "between", "far")
SOURCES = ("COLONOG", "MSD-T10", "HNSCC-3DCT-RT")


def spine(first: int, n: int) -> np.ndarray:
    """Boxes of 6×5×4 voxels from the top down, with gaps; the lowest touches the first slice in every other case."""
    labels = np.zeros((12, 11, 6 * n + 2), np.uint8)
    for place in range(n):
        z = labels.shape[2] - 6 * (place + 1) + (first % 2)
        labels[3:9, 3:8, max(z, 0) : z + 4] = first + place
    return labels


def predicted(reference: np.ndarray, name: str, rng: np.random.Generator) -> np.ndarray:
    """What a submission makes of a reference."""
    prediction = reference.copy()
    prediction[3][rng.random(prediction[3].shape) < 0.5] = 0
    levels = np.unique(reference)[1:]
    if name == "near":
        return prediction
    if rng.random() < 0.4:
        prediction = np.where(prediction > 0, np.minimum(prediction + 1, 25), 0).astype(np.uint8)
    if name == "far":
        prediction[prediction == rng.choice(levels)] = 0
        prediction[0:2, 0:2, 0:2] = 25 if rng.random() < 0.5 else 1
        prediction = np.roll(prediction, 1, axis=1)
    return prediction


def scored(seed: int, name: str) -> list[CaseResult]:
    """The results of a submission on twelve cases."""
    results = []
    for number in range(12):
        of_case = np.random.default_rng([seed, number])
        reference = spine(int(of_case.integers(1, 22)), int(of_case.integers(3, 5)))
        rng = np.random.default_rng([seed, number, *name.encode()])
        score = score_arrays(reference, predicted(reference, name, rng), SPACINGS_MM[number % 3], pooled=True)
        results.append(CaseResult(f"case{number:02}", SOURCES[number % 3], score, None, (), None, None))
    return results


def numbers() -> dict[str, Any]:
    """All numbers, as JSON has them."""
    here, there = ({name: case_table(scored(seed, name), "custom") for name in SUBMISSIONS} for seed in (1, 2))
    public, other = pair(here), pair(there)
    found = {
        "policies": POLICIES,
        "vertebrae": {name: [asdict(each.score) for each in scored(1, name)[:3] if each.score] for name in SUBMISSIONS},
        "aggregates": {name: aggregates(summarise(table)) for name, table in here.items()},
        "standings": [
            asdict(standings(public, scheme, metric, region, draws=1000))
            for scheme in SCHEMES
            for metric in METRICS
            for region in REGIONS
        ],
        "differences": {
            metric: {
                str(label): asdict(each) for label, each in differences(public.of("near", "far"), metric).labels.items()
            }
            | {"mean": asdict(differences(public.of("near", "far"), metric).mean)}
            for metric in METRICS
        },
        "tests": {" ".join(names): asdict(test) for names, test in pairwise_tests(public, "dsc").items()},
        "gaps": {name: asdict(kitagawa(profile(public, name), profile(other, name))) for name in SUBMISSIONS},
        "gap_intervals": {name: gap_intervals(public, other, name) for name in SUBMISSIONS},
        "strata": {name: [asdict(each) for each in strata(public, name)] for name in SUBMISSIONS},
    }
    return json.loads(json.dumps(found))


def flat(document: Any, place: str = "") -> dict[str, Any]:
    """Place → value, of everything in a document."""
    if isinstance(document, dict | list):
        items = document.items() if isinstance(document, dict) else enumerate(document)
        found: dict[str, Any] = {place: len(document)}
        for key, value in items:
            found |= flat(value, f"{place}/{key}")
        return found
    return {place: document}


def changed(one: Any, other: Any) -> list[str]:
    """The places where two documents differ by more than rounding."""
    first, second = flat(one), flat(other)
    return sorted(
        place for place in first.keys() | second.keys() if not _same(first.get(place, "no"), second.get(place, "no"))
    )


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float | int):
        return bool(np.isclose(one, other, rtol=1e-9, atol=1e-9))
    return bool(one == other)


def main() -> None:
    """Write the numbers; refused if they changed and the engine's version did not."""
    found = numbers()
    if PATH.exists():
        known = json.loads(PATH.read_text("utf-8"))
        if known["engine_version"] == ENGINE_VERSION and (places := changed(known["numbers"], found)):
            sys.exit(f"numbers changed, first {places[0]}: raise ENGINE_VERSION, then run this again")
    text = json.dumps({"engine_version": ENGINE_VERSION, "numbers": found}, separators=(",", ":"), ensure_ascii=False)
    PATH.write_text(f"{text}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
