"""Scores of submissions from arrays, for the tests of rankings and of the domain gap."""

from __future__ import annotations

import numpy as np

from ctspine_bench.rankings.paired import AT_BORDER, LOSSES, METRICS, MISSED, PairedScores, Vertebrae

FIRST_LABEL = 18
"""T11: some labels from here on are thoracic, the others lumbar."""


def scores_of(
    dsc: np.ndarray,
    *,
    first_label: int = FIRST_LABEL,
    hd95_mm: np.ndarray | None = None,
    spurious: np.ndarray | None = None,
    sources: tuple[str, ...] | None = None,
    slugs: tuple[str, ...] | None = None,
) -> PairedScores:
    """Paired scores from the DSC `(n, labels, S)`; NaN where the reference of a case lacks a label.

    Args:
        dsc: A vertebra at 0 counts as missed. NSD is the same, all loss is boundary, or missed.
        first_label: That of the first column.
        hd95_mm: `(n, labels, S)`; by default 100 · (1 − DSC).
        spurious: `(n, labels, S)` whether a submission predicts a label that the reference lacks.
        sources: Of the cases.
        slugs: Of the submissions; by default s0, s1, …
    """
    n_cases, _, n_submissions = dsc.shape
    referenced = ~np.isnan(dsc[:, :, 0])
    extra = np.zeros(dsc.shape, bool) if spurious is None else spurious & ~referenced[:, :, None]
    case, place = np.nonzero(referenced | extra.any(axis=2))
    in_reference, is_spurious = referenced[case, place], extra[case, place]
    values = np.nan_to_num(dsc[case, place])
    missed = ((values == 0) & in_reference[:, None]).astype(float)
    lost = (1 - values) * in_reference[:, None]
    far = 100 * lost if hd95_mm is None else np.nan_to_num(hd95_mm[case, place])
    losses = (np.zeros_like(values), missed, lost * (1 - missed), is_spurious.astype(float))
    measures = {
        **dict.fromkeys(METRICS, values),
        "hd95_mm": np.where(is_spurious, 100.0, far),
        **dict(zip(LOSSES, losses, strict=True)),
        MISSED: missed,
        AT_BORDER: np.zeros_like(values),
    }
    vertebrae = Vertebrae(
        case_ids=tuple(f"case{number:04}" for number in range(n_cases)),
        sources=sources or ("",) * n_cases,
        slice_spacing_mm=np.ones(n_cases),
        transitional=np.zeros(n_cases, bool),
        case=case,
        label=place + first_label,
        in_reference=in_reference,
        cut=np.zeros(len(case), bool),
    )
    present = in_reference[:, None] | is_spurious
    return PairedScores(slugs or tuple(f"s{i}" for i in range(n_submissions)), vertebrae, present, measures)


def board_of(n_cases: int, rng: np.random.Generator, gains: tuple[float, ...], noise: float = 0.03) -> PairedScores:
    """Skewed scores on five labels of n cases: s0, s1, … are better by their gain, and differ by noise beside that.

    A case is as hard for one as for another, lacks every fifth label, and in one of twelve a submission loses most.
    """
    shape = (n_cases, 5, len(gains))
    hard = rng.beta(1.2, 12, (n_cases, 1, 1))
    dsc = 0.8 - hard + np.array(gains) + rng.normal(0, noise, shape)
    lost = rng.random((n_cases, 1, len(gains))) < 1 / 12
    dsc = np.clip(np.where(lost, dsc * rng.beta(1, 4, shape), dsc), 0, 1)
    lacks = rng.random(shape[:2]) < 0.2
    lacks[:, 2] = False
    dsc[lacks] = np.nan
    return scores_of(dsc)
