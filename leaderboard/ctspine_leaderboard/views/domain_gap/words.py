"""What the numbers of a domain gap say, in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ctspine_bench.anatomy import VERTEBRAE
from ctspine_bench.charts.domain_gap import signed
from ctspine_bench.domain_gap import PARTS
from ctspine_bench.published import VERSE_REANNOTATED_DSC, published_table
from ctspine_bench.rankings.coverage import measured_coverage
from ctspine_leaderboard.views.domain_gap.scores import CASES, Gap, Score
from ctspine_leaderboard.views.test_sets import title

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_LARGEST: Final[Mapping[str, str]] = {
    "label_mix": "the other mix of labels",
    "within_label": "a difference on the same labels",
    "one_set_only": "labels that only one of the sets has",
}
# A gap that is nothing at the digits shown.
_NOTHING: Final = 0.0005


def told(found: Score) -> str:
    """Return a score with its interval, and what it is if it does not come from cases."""
    estimate = found.estimate
    if estimate.dsc is None:
        return "no score"
    ends = "" if estimate.low is None else f" [{estimate.low:.3f}, {estimate.high:.3f}]"
    return f"{estimate.dsc:.3f}{ends}" + ("" if found.basis == CASES else f" ({found.basis})")


def in_words(found: Gap) -> str:
    """Return in two sentences how large a gap is, and which part of it is the largest."""
    split, other = found.split, title(found.other)
    if split is None:
        return found.note
    if abs(split.gap) < _NOTHING:
        return f"It scores the same on Public and on {other}: {split.public:.3f}."
    ends = found.intervals.get("gap")
    direction = "lower" if split.gap > 0 else "higher"
    largest = max(PARTS, key=lambda name: abs(getattr(split, name).total))
    return (
        f"On {other} it scores {abs(split.gap):.3f} {direction} than on Public: a gap of {signed(split.gap, ends)}. "
        f"The largest part, {signed(getattr(split, largest).total)}, is {_LARGEST[largest]}."
    )


def membership(found: Gap) -> str:
    """Say which labels both sets have, and which only one of them."""
    split = found.split
    if split is None:
        return ""
    alone = {"Public": split.only_public, title(found.other): split.only_other}
    parts = [f"only {name}: {label_ranges(labels)}" for name, labels in alone.items() if labels]
    return "; ".join([f"Labels of both sets: {label_ranges(split.in_both) or 'none'}", *parts]) + "."


def label_ranges(names: Iterable[str]) -> str:
    """Return vertebrae as ranges: C7–T2, L1."""
    runs: list[list[int]] = []
    for place in sorted(VERTEBRAE.index(name) for name in names):
        if runs and runs[-1][-1] == place - 1:
            runs[-1].append(place)
        else:
            runs.append([place])
    return ", ".join("–".join(dict.fromkeys((VERTEBRAE[run[0]], VERTEBRAE[run[-1]]))) for run in runs)


def coverage_note(scores: Iterable[Score]) -> str:
    """Say how far intervals can be trusted where a test set has few cases; empty if they can, or if there are none."""
    sizes = {(title(each.test_set), each.estimate.n_cases) for each in scores if each.estimate.low is not None}
    found = [(name, n, measured_coverage(n)) for name, n in sorted(sizes)]
    parts = [f"with {n} cases ({name}) they covered the truth in {share:.0%}" for name, n, share in found if share]
    if not parts:
        return ""
    return (
        f"95 % intervals are too narrow where cases are few: in simulations of Mean of Vertebrae, {'; '.join(parts)}."
    )


def reannotation_note() -> str:
    """Say what re-annotating VerSe changed in the published gap."""
    public, verse = published_table("public"), published_table("verse")
    if public is None or verse is None:
        return ""
    at_home, before, after = public.mean_of_vertebrae.dsc, verse.mean_of_vertebrae.dsc, VERSE_REANNOTATED_DSC
    share = (after - before) / (at_home - before)
    return (
        f"The paper reports a Mean of Vertebrae DSC of {at_home:.3f} on the public test set and {before:.3f} on VerSe, "
        f"a gap of {at_home - before:.3f}. After annotating partly visible vertebrae in the 41 VerSe cases as well, "
        f"its authors reported {after:.3f}: {share:.0%} of the gap had come from how the references were drawn, and "
        f"{at_home - after:.3f} remained. "
        "Compare results on VerSe only if they are on the same version of its annotation."
    )
