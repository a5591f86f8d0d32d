"""What the order of submissions hangs on, in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ctspine_bench.jackknife import CONFIDENCE
from ctspine_bench.rankings.coverage import ranks_told_apart
from ctspine_bench.rankings.paired import METRICS
from ctspine_bench.rankings.schemes import OFFICIAL, SCHEMES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ctspine_bench.rankings.removal import Removal
    from ctspine_bench.rankings.standings import Standings


CONFIRMATORY: Final = (
    "Confirmatory is the official order on the private test set alone. All else, by other schemes, metrics, regions "
    "and test sets, is exploratory."
)
PLANNED: Final = "These comparisons are exploratory, unless they were planned before any result was seen."


def stability_sentences(found: Standings, names: Mapping[str, str]) -> tuple[str, ...]:
    """Return a sentence for each thing that is known.

    Args:
        found: The standings.
        names: Slug → what people call the submission.
    """
    stability = found.stability
    sentences = []
    if stability.kendall_tau:
        median, low, high = (f"{value:.2f}".replace("-", "−") for value in stability.kendall_tau)
        sentences.append(
            f"Over draws that agree with the intervals, the order keeps Kendall's τ = {median} [{low}, {high}] with "
            "the one shown (1: the same order, 0: none of it is left)."
        )
    if len(stability.leave_one_out_leaders) > 1:
        leaders = sorted(stability.leave_one_out_leaders.items(), key=lambda item: (-item[1], item[0]))
        told = ", ".join(f"{names.get(slug, slug)} in {n}" for slug, n in leaders)
        sentences.append(f"With one case left out at a time, first is {told}.")
    elif stability.leave_one_out_leaders and len(found.rows) > 1:
        (leader,) = stability.leave_one_out_leaders
        sentences.append(f"Whichever case is left out, {names.get(leader, leader)} stays first.")
    if stability.removal and len(found.rows) > 1:
        sentences.append(_removal(stability.removal, found, names))
    return tuple(sentences)


def coverage_sentence(found: Standings) -> str:
    """Return how far the intervals can be trusted at so few cases; empty where they can, or where there are none."""
    sentences = []
    if not found.rows or found.rows[0].score_low is None:
        return ""
    if found.metric != OFFICIAL[1] or found.region != OFFICIAL[2]:
        return f"How often intervals cover was simulated for {METRICS[OFFICIAL[1]].title} of the whole spine alone."
    if found.coverage is not None:
        width = "too narrow" if found.coverage < CONFIDENCE else "wider than they need to be"
        share = f"in simulations they covered the truth in {100 * found.coverage:.0f} %"
        sentences.append(f"With {found.n_cases} cases, 95 % intervals are {width}: {share}.")
    if SCHEMES[found.scheme].ranks and (share_of_boards := ranks_told_apart(found.n_cases)):
        sentences.append(
            f"In simulations, equals were told apart by mean rank on {100 * share_of_boards:.0f} % of boards."
        )
    return " ".join(sentences)


def _removal(removal: Removal, found: Standings, names: Mapping[str, str]) -> str:
    if removal.n is None:
        return "No removal of cases that was tried puts another submission first."
    if removal.n == 0:
        if sum(row.rank == 1 for row in found.rows) > 1:
            return "The first place is shared."
        return "What parts the first from another is too little to count cases by."
    # Fewer than one case is none, and then the first place would be shared.
    exact = removal.exact or removal.n == 1
    ahead = names.get(removal.new_leader, removal.new_leader) if removal.new_leader else "another submission"
    # Where a region counts in cases that lack it in the reference, those are more than the cases that are named.
    of_all = f" of {found.n_cases}" if found.region == OFFICIAL[2] else ""
    how_many = f"{'' if exact else 'at most '}{removal.n}{of_all} case{'s' if of_all or removal.n > 1 else ''}"
    return f"Removing {how_many} puts {ahead} first{'' if exact else ' (found greedily: fewer may do)'}."
