"""What the page of the domain gap shows of some submissions of a benchmark."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ctspine_bench.board.entries import FLAGS, REASONS
from ctspine_leaderboard.views.domain_gap.figures import slope_figure
from ctspine_leaderboard.views.domain_gap.gaps import gap
from ctspine_leaderboard.views.domain_gap.html import gap_markup
from ctspine_leaderboard.views.domain_gap.scores import candidates, family, others, score
from ctspine_leaderboard.views.domain_gap.tables import gap_table, paper_table, score_table
from ctspine_leaderboard.views.domain_gap.words import coverage_note, told_once
from ctspine_leaderboard.views.links import submission_link
from ctspine_leaderboard.views.names import distinct_names

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    import plotly.graph_objects as go
    from markupsafe import Markup

    from ctspine_bench.board import Board, Entry
    from ctspine_bench.testsets import TestSet
    from ctspine_leaderboard.views.domain_gap.gaps import Gap
    from ctspine_leaderboard.views.domain_gap.scores import Score
    from ctspine_leaderboard.views.links import Link


@dataclass(frozen=True)
class DomainGapView:
    """Submissions across the test sets of a benchmark.

    Attributes:
        sets: The test sets, the public one first.
        entries: The submissions.
        names: Slug → what people call a submission; of all that have scores in the benchmark.
        flags: Slug → what a reader has to know about a submission, as people read it.
        reasons: Slug and test set → why it is not ranked there; empty if it is.
        scores: Their scores on all sets, in the order of the entries.
        gaps: From the public set to each other one, in the order of the entries.
    """

    sets: tuple[TestSet, ...]
    entries: tuple[Entry, ...]
    names: Mapping[str, str]
    flags: Mapping[str, tuple[str, ...]]
    reasons: Mapping[tuple[str, str], str]
    scores: tuple[Score, ...]
    gaps: tuple[Gap, ...]

    def slope_figure(self) -> go.Figure:
        """Draw the scores as lines across the test sets."""
        return slope_figure(self.sets, self.scores, self.names)

    def table(self, link: Link = submission_link) -> Markup:
        """Return the gaps as a table for people."""
        return gap_markup(self.gaps, self.flags, link)

    def sentences(self) -> tuple[str, ...]:
        """Return what a reader has to know about the gaps and their intervals."""
        remarks = [(each.other, each.entry, note) for each in self.gaps for note in each.notes]
        return (*told_once(remarks, self.entries), *filter(None, [coverage_note(self.scores, self.gaps)]))

    def scores_data(self) -> pd.DataFrame:
        """Return all scores, one row for each submission and test set."""
        return score_table(self.scores, self.reasons)

    def data(self) -> pd.DataFrame:
        """Return all gaps with their parts and causes, one row for each submission and other test set."""
        return gap_table(self.gaps)

    def paper_table(self) -> pd.DataFrame:
        """Return the gaps as they go into a paper."""
        return paper_table(self.gaps)


def domain_gap_view(board: Board, benchmark: str, slugs: Sequence[str]) -> DomainGapView:
    """Work out the domain gap of some submissions.

    Args:
        board: The board.
        benchmark: One of `scores.BENCHMARKS`.
        slugs: The submissions; those that the board lacks are left out.
    """
    sets = family(board, benchmark)
    entries = tuple(entry for slug in slugs if (entry := board.entry(slug)))
    flags = {
        entry.slug: dict.fromkeys(FLAGS[flag] for each in sets for flag in board.flags(entry, each.name))
        for entry in entries
    }
    return DomainGapView(
        sets=sets,
        entries=entries,
        names=distinct_names(dict.fromkeys([*candidates(board, sets), *entries])),
        flags={slug: tuple(found) for slug, found in flags.items()},
        reasons={
            (entry.slug, each.name): REASONS[board.status(entry, each.name)] for entry in entries for each in sets
        },
        scores=tuple(score(board, entry, each) for entry in entries for each in sets),
        gaps=tuple(gap(board, entry, each) for entry in entries for each in others(sets)),
    )
