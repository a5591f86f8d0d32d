"""What submissions lose from the public test set to others, and where they lose it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ctspine_leaderboard import downloads
from ctspine_leaderboard.views import domain_gap as views
from ctspine_leaderboard.views import test_sets
from ctspine_leaderboard.views.links import submission_link

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from ctspine_bench.board import Board
    from ctspine_bench.testsets import TestSet
    from ctspine_leaderboard.surface import Surface
    from ctspine_leaderboard.views.links import Link


def write_scores(page: Surface, view: views.DomainGapView, benchmark: str) -> None:
    """Write how submissions score on the test sets of a benchmark."""
    page.words(views.THE_SCORE)
    page.figure(
        view.slope_figure(),
        "The mean over the vertebrae of each test set. Bars are 95 % intervals over cases; there are none "
        "where single cases are not published. Hollow and dashed: Mean of Vertebrae, as published.",
        key="slope",
    )
    about = {"what": "scores", "benchmark": benchmark}
    _offer(page, view.scores_data(), about, "domain-gap-scores", "Scores by test set.")


def write_gaps(page: Surface, view: views.DomainGapView, benchmark: str, link: Link = submission_link) -> None:
    """Write the gaps as a table."""
    if not view.gaps:
        page.notice("There are results on one test set only, so there is no gap to show.")
        return
    page.subheading("The gap in numbers", "The score on Public less the score there: positive where it is lower there.")
    page.show(view.table(link))
    page.words(*view.sentences())
    page.offer(
        view.data(),
        {"page": "domain-gap", "what": "gaps", "benchmark": benchmark},
        "domain-gap",
        caption="Domain gaps in DSC from the public test set, with 95 % intervals in brackets.",
        latex=view.paper_table(),
    )


def write_gap(page: Surface, found: views.Gap, *, explained: bool = True) -> None:
    """Write one gap taken apart, and if wanted, what its parts are."""
    page.words(views.in_words(found), *found.notes)
    if found.split is None:
        return
    title, slug = test_sets.title(found.other), found.entry.slug
    page.figure(
        views.waterfall_figure(found),
        f"From the score on Public at the top down to that on {title}: to the left is what is lost. Broad bars are the "
        "parts, narrow ones what they are lost to.",
        key=f"waterfall-{slug}",
    )
    page.words(*((views.THE_PARTS, views.THE_CAUSES) if explained else ()), views.membership(found))
    page.show(views.part_markup(found))
    about = {"what": "parts of a gap", "submission": slug, "to": found.other.name}
    caption = f"The gap in DSC of {found.entry.name} from Public to {title}, by part and cause."
    _offer(page, views.part_table(found), about, downloads.file_name("domain-gap", slug, found.other.name), caption)


def write_sources(page: Surface, board: Board, view: views.DomainGapView, benchmark: str) -> None:
    """Write the scores by source on all test sets."""
    page.subheading("By source", "Where the cases come from, test set by test set.")
    cells = [cell for each in view.sets for cell in views.in_strata(board, view.entries, each, (views.SOURCE,))]
    if cells:
        figure = views.strata_figure(view.entries, cells, view.names, by_set=True)
        page.figure(figure, "Mean DSC over the vertebrae of each source, with 95 % intervals.", key="sources")
        page.words(views.strata_note(cells), views.held_back(cells))
    missing = [remark for each in view.sets for remark in views.left_out(board, view.entries, each)]
    page.words(*views.told_once(missing, view.entries))
    if cells:
        about = {"what": "scores by source", "benchmark": benchmark}
        _offer(page, views.strata_table(cells), about, "domain-gap-sources", "Mean DSC by source.")


def write_strata(page: Surface, board: Board, view: views.DomainGapView, test_set: TestSet) -> None:
    """Write the scores within parts of a test set, without a heading."""
    if test_set.private:
        page.words("Of a private test set only sources are told: other parts of it would tell about few cases.")
        return
    cells = views.in_strata(board, view.entries, test_set, views.WITHIN)
    page.words(*views.told_once(views.left_out(board, view.entries, test_set), view.entries))
    if not cells:
        return
    page.figure(
        views.strata_figure(view.entries, cells, view.names),
        "Mean DSC over the vertebrae of each part, with 95 % intervals. Transitional: the reference has an L6, or ends "
        "at L4. Cut: the vertebra touches the first or last slice of the scan.",
        key="strata",
    )
    page.words(views.strata_note(cells))
    about = {"what": "scores by stratum", "test_set": test_set.name}
    name = downloads.file_name("domain-gap-strata", test_set.name)
    _offer(page, views.strata_table(cells), about, name, "Mean DSC by stratum.")


def write_annotation(page: Surface) -> None:
    """Write how much of the gap is a matter of how the references were drawn."""
    page.subheading("How much of it is the annotation?")
    page.words(views.reannotation_note())


def _offer(page: Surface, table: pd.DataFrame, about: Mapping[str, str], name: str, caption: str) -> None:
    page.offer(table, {"page": "domain-gap", **about}, name, caption=caption)
