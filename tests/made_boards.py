"""Boards on disk from chosen scores, without a voxel: quick to make, and in all else like real ones.

The cases have the sources, regions and spacings of the real test sets; one has an L6. A submission is described by how
much of its outlines it loses, in how many cases its names are a level off, and what it misses.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from case_results import case, mask, missed, spurious

from ctspine_bench.aggregate import summarise
from ctspine_bench.anatomy import VERTEBRAE
from ctspine_bench.evaluate import SubmissionScore
from ctspine_bench.hosting.simulated import write_simulated_record
from ctspine_bench.hosting.store import PrivateStore
from ctspine_bench.provenance import Settings
from ctspine_bench.records import Identification
from ctspine_bench.tables import case_table
from ctspine_bench.testsets import phantom

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from ctspine_bench.records import CaseResult, VertebraScore

SOURCES = ("COLONOG", "HNSCC-3DCT-RT", "MSD-T10", "COVID-19")
_FIRST = {"COLONOG": 14, "HNSCC-3DCT-RT": 0, "MSD-T10": 12, "COVID-19": 6, "VerSe": 10}
_SPACING_MM = {"COLONOG": 0.8, "HNSCC-3DCT-RT": 2.0, "MSD-T10": 1.25, "COVID-19": 4.5, "VerSe": 0.9}


@dataclass(frozen=True)
class Quality:
    """How good a made submission is.

    Attributes:
        outline: Mean DSC that the outlines lose.
        shifted: Share of the cases in which every name is a level off.
        missing: Share of the vertebrae that are missed.
        verse: What the outlines lose on VerSe beside that.
    """

    outline: float = 0.05
    shifted: float = 0.0
    missing: float = 0.0
    verse: float = 0.1


BOARD: Mapping[str, Quality] = {
    "alpha": Quality(outline=0.03),
    "beta": Quality(outline=0.05, missing=0.02),
    "gamma": Quality(outline=0.05, shifted=0.25),
    "delta": Quality(outline=0.20, missing=0.15),
}
"""A board whose order is known: alpha before beta before gamma and delta."""


def make_board(folder: Path, submissions: Mapping[str, Quality] = BOARD, *, n_cases: int = 24) -> Path:
    """Write `submissions/` and `private-store/` with records on the three phantom test sets; return the folder.

    Args:
        folder: Where to.
        submissions: Slug → how good it is.
        n_cases: Of the public and of the private set; VerSe has half as many.
    """
    store = PrivateStore(folder / "private-store")
    for slug, quality in submissions.items():
        scores = [scored(name, slug, quality, n_cases) for name in ("public", "private", "verse")]
        write_simulated_record(folder / "submissions" / slug, f"Made: {slug}.", scores, store)
    return folder


def scored(name: str, slug: str, quality: Quality, n_cases: int) -> SubmissionScore:
    """Return made scores on a phantom test set."""
    test_set = phantom(f"phantom-{name}")
    n = n_cases // 2 if name == "verse" else n_cases
    results = tuple(_case(name, number, slug, quality) for number in range(n))
    table = case_table(results, test_set.name)
    return SubmissionScore(test_set, results, table, summarise(table), (), 0, Settings())


def _case(name: str, number: int, slug: str, quality: Quality) -> CaseResult:
    source = "VerSe" if name == "verse" else SOURCES[number % len(SOURCES)]
    of_case = np.random.default_rng([number, *name.encode()])
    generator = np.random.default_rng([number, *name.encode(), *slug.encode()])
    first = _FIRST[source] + int(of_case.integers(0, 3))
    last = min(first + int(of_case.integers(6, 11)), 24 if number == 2 else 23)
    names = VERTEBRAE[first : last + 1] if number != 2 else VERTEBRAE[14:25]
    hard = float(of_case.gamma(2.0, 0.5))
    shifted = generator.random() < quality.shifted
    lost = quality.outline + (quality.verse if name == "verse" else 0.0)
    masks: list[VertebraScore] = [
        _vertebra(each, lost * hard, generator, missing=quality.missing, shifted=shifted, cut=each == names[0])
        for each in names
    ]
    below = VERTEBRAE.index(names[-1]) + 1
    if shifted and below < len(VERTEBRAE):
        masks.append(spurious(VERTEBRAE[below]))
    spine = mask("spine", max(0.0, 1 - lost * hard), 1.0 + lost)
    return case(
        f"made-{name}-{number:03d}",
        *masks,
        spine,
        source=source,
        slice_spacing_mm=_SPACING_MM[source],
        transitional=number == 2,
        names=_naming(masks, shifted=shifted),
    )


def _naming(masks: Sequence[VertebraScore], *, shifted: bool) -> Identification:
    """How the levels of a case are named: all of them a level too low, or all that are found right."""
    matched = [each for each in masks if each.status == "matched"]
    n_reference = sum(each.status != "spurious" for each in masks)
    unshifted = sum(1 - (each.loss_boundary or 0.0) for each in matched) / n_reference
    return Identification(
        n_reference=n_reference,
        n_prediction=sum(each.status != "missed" for each in masks),
        identification_rate=0.0 if shifted else len(matched) / n_reference,
        n_verse_hits=0 if shifted else len(matched),
        levels_right=not shifted and len(matched) == len(masks),
        localisation_mm=(28.0 if shifted else 1.0) if matched else None,
        n_localised=len(matched),
        label_shift=(1 if shifted else 0) if matched else None,
        dsc_unshifted=unshifted,
        dsc_instance=unshifted,
        panoptic_quality=unshifted,
    )


def _vertebra(
    name: str, lost: float, generator: np.random.Generator, *, missing: float, shifted: bool, cut: bool
) -> VertebraScore:
    if generator.random() < missing:
        return missed(name, cut=cut)
    dsc = float(np.clip(1 - lost * generator.gamma(4.0, 0.25), 0.05, 1.0))
    if not shifted:
        return mask(name, dsc, round(20 * (1 - dsc), 3), cut=cut)
    found = mask(name, 0.1, 28.0, cut=cut)
    return replace(found, loss_identification=dsc - 0.1, loss_boundary=1 - dsc)
