"""What submissions lose from the public test set to the others, and where they lose it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from ctspine_bench.charts.marks import MOST
from ctspine_leaderboard import downloads, frame, state
from ctspine_leaderboard.boards import current_board
from ctspine_leaderboard.views import domain_gap as views
from ctspine_leaderboard.views import test_sets
from ctspine_leaderboard.views.names import distinct_names

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from ctspine_bench.board import Board
    from ctspine_bench.testsets import TestSet


def show() -> None:
    """Show the page."""
    board = current_board()
    frame.heading(
        "Domain gap",
        "What submissions lose from the public test set to the private one and to VerSe, and where they lose it.",
    )
    frame.board_notices(board)
    benchmark = _benchmark(board)
    view = _choice(board, benchmark)
    if view.entries:
        _scores(view, benchmark)
        _gaps(view, benchmark)
        _one_gap(view)
        _sources(board, view, benchmark)
        _strata(board, view)
    frame.subheading("How much of it is the annotation?")
    frame.words(views.reannotation_note())


def _benchmark(board: Board) -> str:
    """Let the visitor choose where a board has results of several benchmarks."""
    there = views.benchmarks(board)
    first = next(iter(there))
    return state.choose("benchmark", "Benchmark", there, first) if len(there) > 1 else first


def _choice(board: Board, benchmark: str) -> views.DomainGapView:
    sets = views.family(board, benchmark)
    options = distinct_names(views.candidates(board, sets))
    chosen: list[str] = []
    if options:
        chosen = state.choose_several(
            "ids",
            "Submissions",
            options,
            views.default_choice(board, sets),
            most=MOST,
            hint=f"Up to {MOST}. By default the first three in the official order, and what is shown as published",
        )
    if not chosen and board.entries:
        frame.notice("Choose a submission to see its scores." if options else "No submission has been scored yet.")
    return views.domain_gap_view(board, benchmark, chosen)


def _scores(view: views.DomainGapView, benchmark: str) -> None:
    frame.words(views.THE_SCORE)
    frame.figure(
        view.slope_figure(),
        "Mean DSC over all vertebrae of each test set. Bars are 95 % intervals from resampling cases; there are none "
        "where single cases are not published. Hollow and dashed: Mean of Vertebrae, as published.",
        key="slope",
    )
    _offer(view.scores_data(), {"what": "scores", "benchmark": benchmark}, "domain-gap-scores", "Scores by test set.")


def _gaps(view: views.DomainGapView, benchmark: str) -> None:
    if not view.gaps:
        frame.notice("There are results on one test set only, so there is no gap to show.")
        return
    frame.subheading(
        "The gap in numbers", "The score on Public less the score there: positive where it is lower there."
    )
    frame.show(view.table())
    frame.words(*view.sentences())
    frame.offer(
        view.data(),
        {"page": "domain-gap", "what": "gaps", "benchmark": benchmark},
        "domain-gap",
        caption="Domain gaps in DSC from the public test set, with 95 % intervals in brackets.",
        latex=view.paper_table(),
    )


def _one_gap(view: views.DomainGapView) -> None:
    if not view.gaps:
        return
    frame.subheading("One gap taken apart")
    others = {each.name: each for each in views.others(view.sets)}
    columns = st.columns(2)
    with columns[0]:
        names = {entry.slug: view.names[entry.slug] for entry in view.entries}
        slug = state.choose("id", "Submission", names, view.entries[0].slug)
    with columns[1]:
        other = state.choose("to", "From Public to", _titles(others), next(iter(others)))
    found = next(each for each in view.gaps if (each.entry.slug, each.other.name) == (slug, other))
    frame.words(views.in_words(found), *found.notes)
    if found.split is None:
        return
    title = test_sets.title(found.other)
    frame.figure(
        views.waterfall_figure(found),
        f"From the score on Public at the top down to that on {title}: to the left is what is lost. Broad bars are the "
        "parts, narrow ones what they are lost to.",
        key="waterfall",
    )
    frame.words(views.THE_PARTS, views.THE_CAUSES, views.membership(found))
    frame.show(views.part_markup(found))
    about = {"what": "parts of a gap", "submission": slug, "to": other}
    caption = f"The gap in DSC of {found.entry.name} from Public to {title}, by part and cause."
    _offer(views.part_table(found), about, downloads.file_name("domain-gap", slug, other), caption)


def _sources(board: Board, view: views.DomainGapView, benchmark: str) -> None:
    frame.subheading("By source", "Where the cases come from, test set by test set.")
    cells = [cell for each in view.sets for cell in views.in_strata(board, view.entries, each, (views.SOURCE,))]
    if cells:
        figure = views.strata_figure(view.entries, cells, view.names, by_set=True)
        frame.figure(figure, "Mean DSC over the vertebrae of each source, with 95 % intervals.", key="sources")
        frame.words(views.strata_note(cells), views.held_back(cells))
    missing = [remark for each in view.sets for remark in views.left_out(board, view.entries, each)]
    frame.words(*views.told_once(missing, view.entries))
    if cells:
        about = {"what": "scores by source", "benchmark": benchmark}
        _offer(views.strata_table(cells), about, "domain-gap-sources", "Mean DSC by source.")


def _strata(board: Board, view: views.DomainGapView) -> None:
    frame.subheading("By region, spacing and anatomy", "Within one test set.")
    sets = {each.name: each for each in view.sets}
    name = state.choose("set", "Test set", _titles(sets), next(iter(sets)))
    if sets[name].private:
        frame.words("Of a private test set only sources are told: other parts of it would tell about few cases.")
        return
    cells = views.in_strata(board, view.entries, sets[name], views.WITHIN)
    frame.words(*views.told_once(views.left_out(board, view.entries, sets[name]), view.entries))
    if not cells:
        return
    frame.figure(
        views.strata_figure(view.entries, cells, view.names),
        "Mean DSC over the vertebrae of each part, with 95 % intervals. Transitional: the reference has an L6, or ends "
        "at L4. Cut: the vertebra touches the first or last slice of the scan.",
        key="strata",
    )
    frame.words(views.strata_note(cells))
    about = {"what": "scores by stratum", "test_set": name}
    _offer(views.strata_table(cells), about, downloads.file_name("domain-gap-strata", name), "Mean DSC by stratum.")


def _titles(sets: Mapping[str, TestSet]) -> dict[str, str]:
    return {name: test_sets.title(each) for name, each in sets.items()}


def _offer(table: pd.DataFrame, about: Mapping[str, str], name: str, caption: str) -> None:
    frame.offer(table, {"page": "domain-gap", **about}, name, caption=caption)
