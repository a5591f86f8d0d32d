"""What a comparison says, in sentences: who is better, by how much, and whether that is sure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ctspine_bench.board.board import NO_SUCH_VERTEBRAE
from ctspine_bench.charts.text import counted, signed, told
from ctspine_bench.rankings.pairwise import LEVEL
from ctspine_bench.report.stability import PLANNED
from ctspine_leaderboard.views.coverage import coverage_note
from ctspine_leaderboard.views.regions import within

if TYPE_CHECKING:
    from ctspine_leaderboard.views.compare.cases import CaseComparison
    from ctspine_leaderboard.views.compare.comparison import Comparison

SURE: Final = (
    "A difference is called sure if two things agree: its 95 % interval over cases excludes 0, and the "
    "Wilcoxon test on the means of the cases, corrected by Holm's method for all pairs of submissions on the test set, "
    "has p < 0.05."
)
"""What the page means by sure."""

# So many cases are named in a sentence.
_MOST_NAMED: Final = 6


def verdict(found: Comparison) -> tuple[str, ...]:
    """Return who is better, by how much, and whether that is sure."""
    if found.cases is None:
        return (*_without_cases(found), *_private_ranks(found))
    equal = found.cases.ties == len(found.cases.case_ids)
    how_sure = "They are equal in every case." if equal else _how_sure(found, found.cases)
    return (_who(found), how_sure, _removal(found, found.cases), _coverage(found.cases), PLANNED)


def by_cases(found: Comparison) -> str:
    """Return how the cases part."""
    cases = found.cases
    if cases is None:
        return ""
    first, second = found.names
    ties = f", equal in {cases.ties}" if cases.ties else ""
    return (
        f"Of {counted(len(cases.case_ids))}, {first} is better in {cases.wins} and {second} in {cases.losses}{ties}. "
        f"The values are means over the vertebrae{within(found.region)} of a case."
    )


def p_value(p: float | None) -> str:
    """Return a p value with the digits that say something."""
    return "none under ten cases" if p is None else "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def with_interval(found: Comparison, value: float, low: float | None, high: float | None) -> str:
    """Return a difference with its 95 % interval, if it has one."""
    text = signed(value, found.metric)
    if low is None or high is None:
        return text
    digits = found.metric.digits
    return f"{text} [{low:+.{digits}f}, {high:+.{digits}f}]".replace("-", "−")


def is_sure(cases: CaseComparison) -> bool:
    """Return whether interval and corrected test agree that there is a difference, and whose it is."""
    difference = cases.difference
    return _excludes_0(cases) and _is_significant(cases) and difference.value * cases.test.effect > 0


def _who(found: Comparison) -> str:
    first, second = found.means
    if first is None or second is None:
        return ""
    metric = found.metric
    of_matched = " of matched vertebrae" if found.matched else ""
    what = f"Mean of Vertebrae {metric.title}{of_matched}{within(found.region)}"
    if signed(first - second, metric) == signed(0.0, metric):
        return f"{found.names[0]} and {found.names[1]} have the same {what}: {told(first, metric)}."
    leads = (first > second) == metric.larger_is_better
    better, other = found.names if leads else found.names[::-1]
    of_better, of_other = (first, second) if leads else (second, first)
    return (
        f"{better} is better than {other} by {told(abs(first - second), metric)}: its {what} is "
        f"{told(of_better, metric)} against {told(of_other, metric)}."
    )


def _how_sure(found: Comparison, cases: CaseComparison) -> str:
    difference, test = cases.difference, cases.test
    if difference.low is None or test.p_holm is None:
        return f"How sure that is cannot be said: {counted(difference.n)} are too few for an interval or a test."
    interval = with_interval(found, difference.value, difference.low, difference.high)
    numbers = f"difference {interval}, corrected {p_value(test.p_holm)}"
    if is_sure(cases):
        tiny = signed(difference.value, found.metric) == signed(0.0, found.metric)
        what = "That there is a difference, too small for these digits," if tiny else "That"
        return f"{what} is sure ({numbers})."
    if _excludes_0(cases) and _is_significant(cases):
        return (
            f"That is not sure: the mean over labels and most cases point to different sides ({numbers}). A few rare "
            "labels, which count as much as frequent ones, or a few cases decide."
        )
    if _excludes_0(cases):
        return f"That is not sure: the interval excludes 0, but the test over cases finds no difference ({numbers})."
    if _is_significant(cases):
        better = found.names[int((test.effect > 0) != found.metric.larger_is_better)]
        return (
            f"That is not sure: {better} is ahead in most cases, but the interval of the mean includes 0 ({numbers})."
        )
    return f"That is not sure: with other cases it could as well be the other way round ({numbers})."


def _removal(found: Comparison, cases: CaseComparison) -> str:
    removal, n = cases.removal, len(cases.case_ids)
    if removal.n == 0:
        return ""
    if removal.n is None:
        return (
            f"Leaving out cases, up to half of them and the most favourable first, never puts {_behind(found)} ahead."
        )
    named = f": {', '.join(removal.case_ids)}" if removal.n <= _MOST_NAMED else ""
    greedy = "" if removal.exact else " (Found by leaving out the most favourable case at a time: fewer may do.)"
    return f"Without {counted(removal.n)} of {n}, {_behind(found)} would be ahead{named}.{greedy}"


def _behind(found: Comparison) -> str:
    first, second = found.means
    leads = first is not None and second is not None and (first > second) == found.metric.larger_is_better
    return found.names[1] if leads else found.names[0]


def _coverage(cases: CaseComparison) -> str:
    if cases.difference.low is None:
        return ""
    return coverage_note(cases.difference.n, "difference", "the difference")


def _without_cases(found: Comparison) -> tuple[str, ...]:
    """Say why there is no test, and what is compared in its place."""
    names = {found.first.slug: found.names[0], found.second.slug: found.names[1]}
    why = [f"{names[slug]} is not ranked on this test set. {reason}" for slug, reason in found.reasons.items()]
    if found.test_set.private:
        why.append("The cases of a private test set are not published, so there is no test of the difference.")
    elif not why:
        return (NO_SUCH_VERTEBRAE,)
    if not found.labels and None in found.means:
        return (*why, f"There is nothing to compare: not both have a published {found.metric.title} here.")
    rule = (
        "A published HD95 is over matched vertebrae alone: the other's stands here over its matched ones as well, and "
        "not by the official rule."
        if found.matched
        else ""
    )
    return (
        *why,
        "Only means that are published are compared, without intervals.",
        rule,
        _who(found),
        _no_labels(found),
    )


def _no_labels(found: Comparison) -> str:
    if found.labels:
        return ""
    return "By label nothing is published that could be compared."


def _private_ranks(found: Comparison) -> tuple[str, ...]:
    if len(found.ranks) < 2:
        return ()
    parts = [
        f"{name} has rank {row.rank}"
        + ("" if row.low is None or row.high is None else f" (95 % interval {row.low} to {row.high})")
        for name, row in zip(found.names, found.ranks, strict=True)
    ]
    return (f"In the organizers' standings by this metric, {' and '.join(parts)}.",)


def _excludes_0(cases: CaseComparison) -> bool:
    low, high = cases.difference.low, cases.difference.high
    return low is not None and high is not None and (low > 0 or high < 0)


def _is_significant(cases: CaseComparison) -> bool:
    return cases.test.p_holm is not None and cases.test.p_holm < LEVEL
