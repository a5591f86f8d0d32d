"""The gap between two test sets, taken apart as Kitagawa did (1955, doi:10.1080/01621459.1955.10501299).

The score S of a set is Σ w·s over labels, with w the share of the vertebrae of its references that have the label and s
their mean DSC by the official rule. Over the labels K that both sets have, with weights renormalised to add up to 1 and
means of both sets w̄ and s̄:

- label mix, Σ (w_public − w_other)·s̄: the other set has more of labels that are hard;
- within label, Σ w̄·(s_public − s_other): the same labels are segmented worse there;
- labels in one set only, (S_public − S_public,K) − (S_other − S_other,K).

The three add up to S_public − S_other. The first two have a range: with the scores of one set in the place of s̄, and
the weights of the other in that of w̄, either way round. A DSC is 1 less what is lost to a wrong name, to not being
found, to the outline and to being spurious, and weights add up to the same in both sets, so that each part is split
exactly by cause as well.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from ctspine_bench.anatomy import LABELS, VERTEBRAE
from ctspine_bench.domain_gap.means import CaseSums, case_sums
from ctspine_bench.jackknife import SMALLEST_N, students_t
from ctspine_bench.rankings.paired import LOSSES, label_means

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from ctspine_bench.rankings.paired import PairedScores

    # Of the scores of the public and of the other set, by label: the last axis.
    Factors = tuple[NDArray[np.float64], NDArray[np.float64]]

PARTS: Final = ("label_mix", "within_label", "one_set_only")
"""The parts of a gap, as attributes of `GapSplit`."""

CAUSES: Final = tuple(name.removeprefix("loss_") for name in LOSSES)
"""The causes that a part is split into, as attributes of `Part`."""


@dataclass(frozen=True, eq=False)
class LabelProfile:
    """How often each label is in a test set, and how well it is segmented.

    Attributes:
        n: `(25,)` how many vertebrae of the references have the label; 0 leaves it out.
        dsc: `(25,)` their mean DSC by the official rule; 0 where there is none.
        losses: Cause (of `rankings.paired.LOSSES`) → `(25,)` mean loss; `None` where causes are not known.
    """

    n: NDArray[np.float64]
    dsc: NDArray[np.float64]
    losses: Mapping[str, NDArray[np.float64]] | None

    @property
    def score(self) -> float:
        """The mean DSC over the vertebrae of the references; 0 without any."""
        return float(_shares(self.n) @ self.dsc)


@dataclass(frozen=True)
class Part:
    """A gap in DSC or a part of it, by cause; the causes add up to it. `None` where causes are not known."""

    total: float
    identification: float | None
    missed: float | None
    boundary: float | None
    spurious: float | None


@dataclass(frozen=True)
class GapSplit:
    """A gap taken apart; positive where the public set is better.

    Attributes:
        public: Mean DSC over the vertebrae of the references of the public set.
        other: Of the other set.
        whole: Their difference.
        label_mix: What the other set's mix of labels costs.
        within_label: What is lost on the same labels.
        one_set_only: What the labels that only one set has make.
        ranges: Part → what it comes to with the weights of one set and the scores of the other, either way round: the
            smaller first.
        largest: The part that is largest, if it is so whichever set the weights are from; otherwise `None`.
        in_both: The labels that both sets have.
        only_public: Those of the public set alone.
        only_other: Those of the other set alone.
    """

    public: float
    other: float
    whole: Part
    label_mix: Part
    within_label: Part
    one_set_only: Part
    ranges: Mapping[str, tuple[float, float]]
    largest: str | None
    in_both: tuple[str, ...]
    only_public: tuple[str, ...]
    only_other: tuple[str, ...]

    @property
    def gap(self) -> float:
        """The difference of the two scores."""
        return self.whole.total


def profile(paired: PairedScores, slug: str) -> LabelProfile:
    """Return the label profile of a submission on a test set."""
    one = paired.of(slug)
    means = {name: np.nan_to_num(label_means(one, name)[:, 0]) for name in ("dsc", *LOSSES)}
    n = np.bincount(one.vertebrae.label[one.vertebrae.in_reference] - 1, minlength=len(LABELS))
    return LabelProfile(n.astype(np.float64), means.pop("dsc"), means)


def published_profile(labels: Mapping[str, Mapping[str, object]]) -> LabelProfile:
    """Return the label profile that the `labels` of results.json tell: of those whose n and DSC are published."""
    n, dsc = np.zeros(len(LABELS)), np.zeros(len(LABELS))
    for i, name in enumerate(VERTEBRAE):
        cell = labels.get(name, {})
        count, mean = cell.get("n_reference"), cell.get("dsc")
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
    parts = {name: _part(factors, public, other) for name, factors in _terms(public.n, other.n).items()}
    sides = [
        {name: float(a @ public.dsc + b @ other.dsc) for name, (a, b) in _terms(public.n, other.n, share).items()}
        for share in (0.0, 1.0)
    ]
    of_each = [{name: part.total for name, part in parts.items()}, *sides]
    largest = {max(PARTS, key=lambda name: abs(totals[name])) for totals in of_each}
    both, only_public, only_other = _membership(public.n, other.n)
    return GapSplit(
        public=public.score,
        other=other.score,
        whole=_part((_shares(public.n), -_shares(other.n)), public, other),
        label_mix=parts["label_mix"],
        within_label=parts["within_label"],
        one_set_only=parts["one_set_only"],
        ranges={name: (min(ends), max(ends)) for name in PARTS for ends in [[side[name] for side in sides]]},
        largest=largest.pop() if len(largest) == 1 else None,
        in_both=both,
        only_public=only_public,
        only_other=only_other,
    )


def with_pooled_losses(split: GapSplit, public: LabelProfile, pooled: Mapping[str, float]) -> GapSplit:
    """Split a gap as a whole by cause where the losses of the other set are known over all its vertebrae alone.

    Args:
        split: The gap.
        public: Its losses are known by label, or the gap is returned as it is.
        pooled: Cause (of `rankings.paired.LOSSES`) → mean loss over the vertebrae of the other set. The outline gets
            what the others leave, so that rounded numbers add up too.
    """
    if not public.losses:
        return split
    lost = {cause: pooled[cause] - float(_shares(public.n) @ losses) for cause, losses in public.losses.items()}
    others = sum(lost.values()) - lost["loss_boundary"]
    causes = {**lost, "loss_boundary": split.whole.total - others}
    return replace(split, whole=Part(split.whole.total, *(causes[cause] for cause in LOSSES)))


def gap_intervals(public: PairedScores, other: PairedScores, slug: str) -> dict[str, tuple[float, float]] | None:
    """Return 95 % intervals of the gap and of its parts ("gap", and `PARTS`).

    Cases of either set are left out one at a time; squared errors add up, and so do degrees of freedom by Welch (1947,
    doi:10.1093/biomet/34.1-2.28). `None` if one of the sets has vertebrae in under ten cases.
    """
    here, there = case_sums(public, slug), case_sums(other, slug)
    if min(np.count_nonzero(each.in_reference.any(axis=1)) for each in (here, there)) < SMALLEST_N:
        return None
    every_here, every_there = here.all_cases(), there.all_cases()
    full = _gap_and_parts(every_here, every_there)
    off = (
        here.uncertainty(full, _gap_and_parts(here.without_one(), every_there)),
        there.uncertainty(full, _gap_and_parts(every_here, there.without_one())),
    )
    variances = [each.errors**2 for each in off]
    total = variances[0] + variances[1]
    of_parts = sum(variance**2 / each.df for variance, each in zip(variances, off, strict=True))
    df = np.divide(total**2, of_parts, out=np.ones_like(total), where=of_parts > 0)
    half = students_t(df) * np.sqrt(total)
    return {
        name: (float(value - margin), float(value + margin))
        for name, value, margin in zip(("gap", *PARTS), full, half, strict=True)
    }


def _gap_and_parts(public: CaseSums, other: CaseSums) -> NDArray[np.float64]:
    """Return the gap and its `PARTS`, `(…, 4)`."""
    terms = _terms(public.in_reference, other.in_reference).values()
    parts = [(a * public.means).sum(axis=-1) + (b * other.means).sum(axis=-1) for a, b in terms]
    found: NDArray[np.float64] = np.stack([sum(parts, start=np.zeros_like(parts[0])), *parts], axis=-1)
    return found


def _part(factors: Factors, public: LabelProfile, other: LabelProfile) -> Part:
    of_public, of_other = factors
    total = float(of_public @ public.dsc + of_other @ other.dsc)
    if not (public.losses and other.losses):
        return Part(total, *(None for _ in CAUSES))
    # A loss is what is missing from the score: its sign is the other way round.
    causes = [0.0 - float(of_public @ public.losses[cause] + of_other @ other.losses[cause]) for cause in LOSSES]
    return Part(total, *causes)


def _terms(n_public: NDArray[np.float64], n_other: NDArray[np.float64], share: float = 0.5) -> dict[str, Factors]:
    """Return part → the factors of s_public and of s_other in it, by label; labels are the last axis.

    `share` is that of the public set in s̄, and of the other set in w̄.
    """
    in_both = (n_public > 0) & (n_other > 0)
    w_public, w_other = _shares(n_public), _shares(n_other)
    k_public, k_other = _shares(np.where(in_both, n_public, 0.0)), _shares(np.where(in_both, n_other, 0.0))
    mixed = (1 - share) * k_public + share * k_other
    return {
        "label_mix": (share * (k_public - k_other), (1 - share) * (k_public - k_other)),
        "within_label": (mixed, -mixed),
        "one_set_only": (w_public - k_public, k_other - w_other),
    }


def _shares(n: NDArray[np.float64]) -> NDArray[np.float64]:
    total = n.sum(axis=-1, keepdims=True)
    shares: NDArray[np.float64] = np.divide(n, total, out=np.zeros_like(n), where=total > 0)
    return shares


def _membership(n_public: NDArray[np.float64], n_other: NDArray[np.float64]) -> tuple[tuple[str, ...], ...]:
    there = list(zip(VERTEBRAE, n_public > 0, n_other > 0, strict=True))
    return (
        tuple(name for name, a, b in there if a and b),
        tuple(name for name, a, b in there if a and not b),
        tuple(name for name, a, b in there if b and not a),
    )
