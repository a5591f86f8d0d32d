"""The gap between two test sets, taken apart as Kitagawa did (1955, doi:10.1080/01621459.1955.10501299).

The score S of a set is Σ w·s over labels, with w the share of the vertebrae that have the label and s their mean DSC.
Over the labels K that both sets have, with weights renormalised to add up to 1:

- label mix, Σ (w_public − w_other)·s_public: the other set has more of labels that are hard in both;
- within label, Σ w_other·(s_public − s_other): the same labels are segmented worse there;
- labels in one set only, (S_public − S_public,K) − (S_other − S_other,K).

The three add up to S_public − S_other. A DSC is 1 less what is lost to a wrong name, to not being found and to the
outline, and weights add up to the same in both sets, so that each part is split exactly by cause as well.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np

from ctspine_bench.anatomy import LABELS, VERTEBRAE
from ctspine_bench.bootstrap import DRAWS, SEED, SMALLEST_N
from ctspine_bench.domain_gap.means import drawn_weights, interval
from ctspine_bench.rankings.paired import LOSSES, label_counts, label_means

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from ctspine_bench.rankings.paired import PairedScores, ReferenceVertebrae

PARTS: Final = ("label_mix", "within_label", "one_set_only")
"""The parts of a gap, as attributes of `GapSplit`."""


@dataclass(frozen=True, eq=False)
class LabelProfile:
    """How often each label is in a test set, and how well it is segmented.

    Attributes:
        n: `(25,)` how many vertebrae have the label; 0 leaves it out. Draws may have weights in place of counts.
        dsc: `(25,)` their mean DSC; 0 where there is none.
        losses: Cause (of `rankings.paired.LOSSES`) → `(25,)` mean loss; `None` where causes are not known.
    """

    n: NDArray[np.float64]
    dsc: NDArray[np.float64]
    losses: Mapping[str, NDArray[np.float64]] | None

    @property
    def score(self) -> float:
        """The mean DSC over all vertebrae; 0 without any."""
        return float(_shares(self.n) @ self.dsc)


@dataclass(frozen=True)
class Part:
    """A part of a gap in DSC, by cause; the causes add up to it. `None` where causes are not known."""

    total: float
    identification: float | None
    missed: float | None
    boundary: float | None


@dataclass(frozen=True)
class GapSplit:
    """A gap taken apart; positive where the public set is better.

    Attributes:
        public: Mean DSC over all vertebrae of the public set.
        other: Of the other set.
        gap: Their difference.
        label_mix: What the other set's mix of labels costs.
        within_label: What is lost on the same labels.
        one_set_only: What the labels that only one set has make.
        in_both: The labels that both sets have.
        only_public: Those of the public set alone.
        only_other: Those of the other set alone.
    """

    public: float
    other: float
    gap: float
    label_mix: Part
    within_label: Part
    one_set_only: Part
    in_both: tuple[str, ...]
    only_public: tuple[str, ...]
    only_other: tuple[str, ...]


def profile(paired: PairedScores, slug: str) -> LabelProfile:
    """Return the label profile of a submission on a test set."""
    one = paired.of(slug)
    means = {name: np.nan_to_num(label_means(one, name)[:, 0]) for name in ("dsc", *LOSSES)}
    return LabelProfile(label_counts(paired).astype(np.float64), means.pop("dsc"), means)


def published_profile(labels: Mapping[str, Mapping[str, object]]) -> LabelProfile:
    """Return the label profile that the `labels` of results.json tell: of those whose n and DSC are published."""
    n, dsc = np.zeros(len(LABELS)), np.zeros(len(LABELS))
    for i, name in enumerate(VERTEBRAE):
        cell = labels.get(name, {})
        count, mean = cell.get("n"), cell.get("dsc")
        if isinstance(count, int) and isinstance(mean, int | float):
            n[i], dsc[i] = count, mean
    return LabelProfile(n, dsc, None)


def kitagawa(public: LabelProfile, other: LabelProfile) -> GapSplit:
    """Take the gap between two test sets apart.

    Raises:
        ValueError: A set has no vertebra.
    """
    if not public.n.any() or not other.n.any():
        raise ValueError("expected vertebrae in both test sets, found a set without any")
    terms = _terms(public.n, other.n)
    parts = {name: _part(factors, public, other) for name, factors in terms.items()}
    both, only_public, only_other = _membership(public.n, other.n)
    return GapSplit(
        public=public.score,
        other=other.score,
        gap=public.score - other.score,
        label_mix=parts["label_mix"],
        within_label=parts["within_label"],
        one_set_only=parts["one_set_only"],
        in_both=both,
        only_public=only_public,
        only_other=only_other,
    )


def with_pooled_losses(
    split: GapSplit, public: LabelProfile, other: LabelProfile, pooled: Mapping[str, float]
) -> GapSplit:
    """Split a gap by cause where the losses of the other set are known over all its vertebrae, and not by label.

    That is enough if the other set has no label for itself: only the part within labels depends on its losses, and its
    weights are those of all its vertebrae.

    Args:
        split: The gap of the two profiles.
        public: Its losses are known by label.
        other: Without losses; all its labels are in the public set too, or the gap is returned as it is.
        pooled: Cause (of `rankings.paired.LOSSES`) → mean loss over the vertebrae of `other`. The outline gets what the
            other two leave, so that rounded numbers add up too.
    """
    if split.only_other or not public.losses:
        return split
    known = LabelProfile(other.n, other.dsc, dict.fromkeys(LOSSES, np.zeros(len(LABELS))))
    parts = {name: _part(factors, public, known) for name, factors in _terms(public.n, other.n).items()}
    within = parts["within_label"]
    identification = (within.identification or 0.0) + pooled["loss_identification"]
    missed = (within.missed or 0.0) + pooled["loss_missed"]
    boundary = within.total - identification - missed
    parts["within_label"] = Part(within.total, identification, missed, boundary)
    return replace(
        split, label_mix=parts["label_mix"], within_label=parts["within_label"], one_set_only=parts["one_set_only"]
    )


def gap_intervals(
    public: PairedScores, other: PairedScores, slug: str, draws: int = DRAWS
) -> dict[str, tuple[float, float]] | None:
    """Return 95 % intervals of the gap and of its parts ("gap", and `PARTS`).

    The cases of the two sets are resampled independently of each other. `None` if one of them has vertebrae in under
    ten cases.
    """
    if min(np.unique(paired.vertebrae.case).size for paired in (public, other)) < SMALLEST_N:
        return None
    sums = (
        drawn_weights(public.n_cases, draws) @ _by_case(public.reference, _dsc(public, slug)),
        drawn_weights(other.n_cases, draws, SEED + 1) @ _by_case(other.reference, _dsc(other, slug)),
    )
    found = {
        name: sum(np.einsum("ij,ij->i", *pair) for pair in zip(factors, sums, strict=True))
        for name, factors in _drawn_factors(public.reference, other.reference, draws).items()
    }
    found["gap"] = sum(found.values(), start=np.zeros(draws))
    return {name: interval(values) for name, values in found.items()}


def _part(factors: tuple[NDArray[np.float64], NDArray[np.float64]], public: LabelProfile, other: LabelProfile) -> Part:
    of_public, of_other = factors
    total = float(of_public @ public.dsc + of_other @ other.dsc)
    if not (public.losses and other.losses):
        return Part(total, None, None, None)
    # A loss is what is missing from the score: its sign is the other way round.
    causes = [0.0 - float(of_public @ public.losses[cause] + of_other @ other.losses[cause]) for cause in LOSSES]
    return Part(total, *causes)


def _terms(
    n_public: NDArray[np.float64], n_other: NDArray[np.float64]
) -> dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Return part → the factors of s_public and of s_other in it, by label; labels are the last axis."""
    in_both = (n_public > 0) & (n_other > 0)
    w_public, w_other = _shares(n_public), _shares(n_other)
    k_public, k_other = _shares(np.where(in_both, n_public, 0.0)), _shares(np.where(in_both, n_other, 0.0))
    return {
        "label_mix": (k_public - k_other, np.zeros_like(k_other)),
        "within_label": (k_other, -k_other),
        "one_set_only": (w_public - k_public, k_other - w_other),
    }


def _shares(n: NDArray[np.float64]) -> NDArray[np.float64]:
    total = n.sum(axis=-1, keepdims=True)
    shares: NDArray[np.float64] = np.divide(n, total, out=np.zeros_like(n), where=total > 0)
    return shares


@lru_cache(maxsize=2)
def _drawn_factors(
    public: ReferenceVertebrae, other: ReferenceVertebrae, draws: int
) -> dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Return part → the factors, `(draws, 25)`, of the weighted sums of DSC of both sets: the same for all submissions.

    Made once for all of them, they take half of the time that the intervals of one take.
    """
    n_public = drawn_weights(len(public.case_ids), draws) @ _by_case(public, np.ones(len(public.case)))
    n_other = drawn_weights(len(other.case_ids), draws, SEED + 1) @ _by_case(other, np.ones(len(other.case)))
    return {
        name: (_divided(of_public, n_public), _divided(of_other, n_other))
        for name, (of_public, of_other) in _terms(n_public, n_other).items()
    }


def _divided(factors: NDArray[np.float64], n: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.divide(factors, n, out=np.zeros_like(factors), where=n > 0)


def _dsc(paired: PairedScores, slug: str) -> NDArray[np.float64]:
    return paired.of(slug).measures["dsc"][:, 0]


def _by_case(reference: ReferenceVertebrae, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the values of vertebrae by case and label, `(n, 25)`; 0 where a case lacks the label."""
    found = np.zeros((len(reference.case_ids), len(LABELS)))
    found[reference.case, reference.label - 1] = values
    return found


def _membership(n_public: NDArray[np.float64], n_other: NDArray[np.float64]) -> tuple[tuple[str, ...], ...]:
    there = list(zip(VERTEBRAE, n_public > 0, n_other > 0, strict=True))
    return (
        tuple(name for name, a, b in there if a and b),
        tuple(name for name, a, b in there if a and not b),
        tuple(name for name, a, b in there if b and not a),
    )
