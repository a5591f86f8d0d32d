"""The standings of a test set: which order it is, the table, and how sure that is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ctspine_bench.rankings.schemes import OFFICIAL_TEXT
from ctspine_bench.report.stability import CONFIRMATORY
from ctspine_leaderboard import downloads
from ctspine_leaderboard.views import test_sets
from ctspine_leaderboard.views.links import submission_link

if TYPE_CHECKING:
    from ctspine_leaderboard.surface import Surface
    from ctspine_leaderboard.views.links import Link
    from ctspine_leaderboard.views.standings import StandingsView


def write_standings(page: Surface, view: StandingsView, link: Link = submission_link) -> None:
    """Write the standings that somebody has chosen.

    Args:
        page: Where to.
        view: What was worked out.
        link: Where the name of a submission leads.
    """
    _status(page, view)
    if view.rows:
        page.show(view.table(link))
        page.words(view.coverage())
        _offer(page, view)
    _figures(page, view)


def _status(page: Surface, view: StandingsView) -> None:
    """Say which order this is, and what a reader has to know about the test set."""
    order = (
        "The official order, by Mean of Vertebrae DSC."
        if view.is_official and view.standings
        else f"Not the official order. {OFFICIAL_TEXT}"
    )
    n_cases = f", {view.standings.n_cases} cases" if view.standings else ""
    page.words(f"{test_sets.full_title(view.test_set)} test set{n_cases}. {view.test_set.note}", order, CONFIRMATORY)
    if view.note:
        page.notice(view.note)


def _offer(page: Surface, view: StandingsView) -> None:
    name = downloads.file_name("standings", view.test_set.name, view.scheme, view.metric, view.region)
    about = {
        "page": "standings",
        "test_set": view.test_set.name,
        "scheme": view.scheme,
        "metric": view.metric,
        "region": view.region,
        "official": view.is_official,
    }
    caption = f"Standings on the test set {view.test_set.title}."
    page.offer(view.data(), about, name, caption=caption, latex=view.paper_table(), digits=view.paper_digits())


def _figures(page: Surface, view: StandingsView) -> None:
    ranks, scores = view.rank_figure(), view.score_figure()
    if ranks is None and scores is None:
        return
    page.subheading("How sure is that?")
    page.words(*view.sentences())
    if ranks is not None:
        page.figure(
            ranks,
            "How often each submission has each rank in draws that agree with the intervals: the larger a dot, the "
            "more often. The line is the 95 % interval of the rank.",
            key="ranks",
        )
    if scores is not None:
        page.figure(scores, "Scores with their 95 % intervals over cases.", key="scores")
