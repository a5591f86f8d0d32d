"""What the numbers of a domain gap say, in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ctspine_bench.anatomy import VERTEBRAE
from ctspine_bench.charts.domain_gap import signed
from ctspine_bench.charts.text import counted
from ctspine_bench.published import VERSE_REANNOTATED_DSC, published_table
from ctspine_bench.rankings.coverage import measured_coverage
from ctspine_leaderboard.views.coverage import misfit, percent
from ctspine_leaderboard.views.domain_gap.scores import CASES
from ctspine_leaderboard.views.test_sets import title

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ctspine_bench.board import Entry
    from ctspine_bench.domain_gap import GapSplit
    from ctspine_bench.testsets import TestSet
    from ctspine_leaderboard.views.domain_gap.gaps import Gap
    from ctspine_leaderboard.views.domain_gap.scores import Score
    from ctspine_leaderboard.views.domain_gap.strata import InStratum

THE_SCORE: Final = (
    "The score here is the mean over the vertebrae of a test set: the mean DSC of each label by the official rule, in "
    "which missed and spurious vertebrae are 0, weighed by how often the references have the label. So a vertebra "
    "that a submission invents weighs little if its label is rare. It is not Mean of Vertebrae, the official score, "
    "in which every label weighs the same. Only this score can be taken apart into which labels a test set has and "
    "how well they are segmented. All of this page is exploratory."
)
THE_PARTS: Final = (
    "Label mix: the other test set has more of labels that are hard, or fewer. Within labels: the same labels are "
    "segmented worse there, or better. Labels of one set: what the labels make that only one of the two sets has. The "
    "three add up to the gap. How much falls to each of the first two depends on the weights: here they are the means "
    "of both sets (Kitagawa, 1955). The range says what a part comes to with the mix of one set and the scores of the "
    "other, either way round."
)
THE_CAUSES: Final = (
    "The score is lost to four causes: a wrong name (identification), a vertebra that was not found, or only to a DSC "
    "below 0.1 (missed), the outline (boundary), and a vertebra that the reference has not (spurious)."
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
    sentences = [
        f"On {other} it scores {abs(split.gap):.3f} {direction} than on Public: a gap of {signed(split.gap, ends)}."
    ]
    if ends and ends[0] <= 0 <= ends[1]:
        sentences.append("The interval includes 0: with other cases there might be none, or one the other way round.")
    sentences.append(_largest(found, split))
    return " ".join(sentences)


def _largest(found: Gap, split: GapSplit) -> str:
    """Name the largest part, if it is the largest whichever set the weights are from."""
    if split.largest is None:
        return "Which part is the largest depends on which set the weights are from."
    ends = found.range_of(split.largest)
    span = f" ({signed(ends[0])} to {signed(ends[1])} by the weights of either set)" if ends else ""
    return f"The largest part, {signed(getattr(split, split.largest).total)}{span}, is {_LARGEST[split.largest]}."


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
        f"with {counted(n)} ({name}) they are {misfit(share)}, and covered it in {percent(share)}"
        for name, n in sizes.items()
        if (share := measured_coverage(n, "gap_score"))
    ]
    if not parts:
        return ""
    return f"Not all 95 % intervals cover the truth in 95 % of simulations: {'; '.join(parts)}."


def strata_note(cells: Iterable[InStratum]) -> str:
    """Say how far the intervals of the smallest stratum can be trusted that has any."""
    sizes = [cell.estimate.n_cases for cell in cells if cell.estimate.low is not None]
    share = measured_coverage(min(sizes), "gap_score") if sizes else None
    if not share:
        return FEW_CASES
    return (
        f"{FEW_CASES} With {counted(min(sizes))}, the fewest that have an interval here, 95 % intervals are "
        f"{misfit(share)}: in simulations they covered the truth in {percent(share)}."
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
        f"place of {before:.3f}: {percent(share)} of the gap had come from how the references were drawn, and "
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
