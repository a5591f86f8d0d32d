"""What the numbers of a domain gap say, in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ctspine_bench.anatomy import VERTEBRAE
from ctspine_bench.charts.domain_gap import signed
from ctspine_bench.charts.text import counted
from ctspine_bench.domain_gap import PARTS
from ctspine_bench.published import VERSE_REANNOTATED_DSC, published_table
from ctspine_bench.rankings.coverage import measured_coverage
from ctspine_leaderboard.views.domain_gap.scores import CASES
from ctspine_leaderboard.views.test_sets import title

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ctspine_bench.board import Entry
    from ctspine_bench.testsets import TestSet
    from ctspine_leaderboard.views.domain_gap.gaps import Gap
    from ctspine_leaderboard.views.domain_gap.scores import Score
    from ctspine_leaderboard.views.domain_gap.strata import InStratum

THE_SCORE: Final = (
    "The score here is the mean DSC over all vertebrae of a test set, missed ones 0: a label weighs as much as it is "
    "frequent. It is not Mean of Vertebrae, the official score, in which every label weighs the same. Only the mean "
    "over all vertebrae can be taken apart into which labels a test set has and how well they are segmented."
)
THE_PARTS: Final = (
    "Label mix: what the other test set's mix of labels costs, were each label segmented as well as on Public. "
    "Within labels: what is lost on the same labels, at the other test set's mix. "
    "Labels of one set: what the labels make that only one of the two sets has. The three add up to the gap."
)
THE_CAUSES: Final = (
    "Each part is split again by what the score is lost to: a wrong name (identification), a vertebra that was not "
    "found (missed), the outline (boundary)."
)
FEW_CASES: Final = "Under ten cases there is no interval."

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
    """Return how large a gap is, whether it can be told from none, and which part of it is the largest."""
    split, other = found.split, title(found.other)
    if split is None:
        return ""
    if abs(split.gap) < _NOTHING:
        return f"It scores the same on Public and on {other}: {split.public:.3f}."
    ends = found.intervals.get("gap")
    direction = "lower" if split.gap > 0 else "higher"
    largest = max(PARTS, key=lambda name: abs(getattr(split, name).total))
    sentences = [
        f"On {other} it scores {abs(split.gap):.3f} {direction} than on Public: a gap of {signed(split.gap, ends)}."
    ]
    if ends and ends[0] <= 0 <= ends[1]:
        sentences.append("The interval includes 0: with other cases there might be none, or one the other way round.")
    sentences.append(f"The largest part, {signed(getattr(split, largest).total)}, is {_LARGEST[largest]}.")
    return " ".join(sentences)


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


def told_once(remarks: Iterable[tuple[TestSet, Entry, str]], entries: Sequence[Entry]) -> tuple[str, ...]:
    """Return remarks on submissions, each once, with the test sets and whose it is, unless it is about all of them.

    Args:
        remarks: About a test set and a submission.
        entries: All submissions that are shown.
    """
    of_set: dict[tuple[str, str], list[Entry]] = {}
    for test_set, entry, remark in remarks:
        of_set.setdefault((remark, title(test_set)), []).append(entry)
    sets: dict[tuple[str, tuple[Entry, ...]], list[str]] = {}
    for (remark, name), whose in of_set.items():
        sets.setdefault((remark, tuple(whose)), []).append(name)
    return tuple(f"{_listed(names)}{_whose(whose, entries)}: {remark}" for (remark, whose), names in sets.items())


def coverage_note(scores: Iterable[Score], gaps: Iterable[Gap] = ()) -> str:
    """Say how far intervals can be trusted where a test set has few cases; empty if they can, or if there are none."""
    with_intervals = [each for each in scores if each.estimate.low is not None]
    with_intervals += [each for gap in gaps if gap.intervals for each in (gap.public_score, gap.other_score)]
    sizes = {title(each.test_set): each.estimate.n_cases for each in with_intervals}
    parts = [
        f"in {_percent(share)} with {counted(n)} ({name})"
        for name, n in sizes.items()
        if (share := measured_coverage(n, "mean_over_vertebrae"))
    ]
    if not parts:
        return ""
    return (
        f"95 % intervals are too narrow where cases are few: in simulations they covered the truth {', '.join(parts)}."
    )


def strata_note(cells: Iterable[InStratum]) -> str:
    """Say how far the intervals of the smallest stratum can be trusted that has any."""
    sizes = [cell.estimate.n_cases for cell in cells if cell.estimate.low is not None]
    share = measured_coverage(min(sizes), "mean_over_vertebrae") if sizes else None
    if not share:
        return FEW_CASES
    return (
        f"{FEW_CASES} Where cases are few, 95 % intervals are too narrow: in simulations they covered the truth in "
        f"{_percent(share)} with {counted(min(sizes))}, the fewest that have an interval here."
    )


def held_back(cells: Iterable[InStratum]) -> str:
    """Say why sources of a private test set have no score, if there are such."""
    if all(cell.estimate.dsc is not None for cell in cells if cell.test_set.private):
        return ""
    return "Sources of the private test set without a score are held back, because they would tell about few cases."


def reannotation_note() -> str:
    """Say what re-annotating VerSe changed in the published gap."""
    public, verse = published_table("public"), published_table("verse")
    if public is None or verse is None:
        return ""
    at_home, before, after = public.mean_of_vertebrae.dsc, verse.mean_of_vertebrae.dsc, VERSE_REANNOTATED_DSC
    share = (after - before) / (at_home - before)
    return (
        f"The paper reports a Mean of Vertebrae DSC of {at_home:.3f} on the public test set and of {before:.3f} on "
        f"VerSe, a gap of {at_home - before:.3f}. VerSe had left out vertebrae that are only partly visible; CTSpine1K "
        f"has them. When its authors had annotated those in the 41 VerSe cases as well, they reported {after:.3f} in "
        f"place of {before:.3f}: {_percent(share)} of the gap had come from how the references were drawn, and "
        f"{at_home - after:.3f} of it remained. Compare results on VerSe only if they were scored against the same "
        "version of its annotation."
    )


def _whose(entries: Sequence[Entry], everybody: Sequence[Entry]) -> str:
    """Return whose a remark is, in as few names as possible; empty if it is everybody's."""
    others = [each.name for each in everybody if each not in entries]
    if not others:
        return ""
    if len(others) < len(entries):
        return f", all but {_listed(others)}"
    return f", {_listed([each.name for each in entries])}"


def _listed(names: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
