"""The data in numbers, how results are counted, which references are wrong, how to submit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from ctspine_bench.rankings.schemes import OFFICIAL_TEXT
from ctspine_bench.report.stability import CONFIRMATORY
from ctspine_leaderboard import frame
from ctspine_leaderboard.boards import current_board
from ctspine_leaderboard.views.dataset import errata, overview, paper, rules, taking_part
from ctspine_leaderboard.views.domain_gap import reannotation_note
from ctspine_leaderboard.views.submission.cite import dataset_bibtex

if TYPE_CHECKING:
    from ctspine_bench.board import Board


def show() -> None:
    """Show the page."""
    board = current_board()
    frame.heading("Data", "What the test sets hold, how results are counted, and how to take part.")
    frame.board_notices(board)
    _test_sets(board)
    _paper()
    _rules()
    _errata(board)
    _taking_part()


def _test_sets(board: Board) -> None:
    rows = overview.overview(board)
    frame.subheading("Test sets")
    frame.show(overview.overview_table(rows))
    caption = "What is in the references of each test set."
    frame.offer(overview.overview_data(rows), {"page": "data", "of": "test sets"}, "data-test-sets", caption=caption)
    frame.words(*overview.remarks(board))
    if any(test_set.name == "verse" for test_set in board.test_sets):
        frame.subheading("Which annotation of VerSe?")
        frame.words(reannotation_note())


def _paper() -> None:
    frame.subheading("The whole data set")
    frame.show(paper.paper_table())
    about = {"page": "data", "of": "the whole data set", "source": paper.CITED}
    frame.offer(paper.paper_data(), about, "data-paper", caption=f"The data set: {paper.CITED}.")
    frame.words(paper.remark(), "Which case is in which part of it, as the authors have split it:")
    about = {"page": "data", "of": "the split"}
    frame.offer(overview.split_data(), about, "data-split", caption="", latex=pd.DataFrame())


def _rules() -> None:
    frame.subheading("What is measured")
    frame.show(rules.metrics_table())
    frame.offer(rules.metrics_data(), {"page": "data", "of": "metrics"}, "data-metrics", caption="What is measured.")
    frame.subheading("The official rule: missing and extra vertebrae")
    frame.show(rules.policies_table())
    about = {"page": "data", "of": "policies"}
    frame.offer(rules.policies_data(), about, "data-policies", caption="Missing and extra vertebrae.")
    frame.words(rules.WHY)
    frame.subheading(
        "Its variants", "On the page of each submission, beside the official table; ranks do not follow them."
    )
    frame.show(rules.variants_table())
    about = {"page": "data", "of": "variants"}
    frame.offer(rules.variants_data(), about, "data-variants", caption="Variants of the official table.")
    frame.subheading("How sure is that?")
    frame.words(rules.INTERVALS, CONFIRMATORY, OFFICIAL_TEXT)


def _errata(board: Board) -> None:
    frame.subheading("Known errors of references", errata.INTRO)
    frame.show(errata.errata_table(board))
    about = {"page": "data", "of": "errata"}
    frame.offer(errata.errata_data(), about, "data-errata", caption="References that are known to be wrong.")


def _taking_part() -> None:
    frame.subheading("How to submit", taking_part.STEPS)
    st.code(taking_part.COMMANDS, language="shell", wrap_lines=True)
    frame.words(taking_part.PROMISES)
    frame.subheading("Licence and citation", taking_part.LICENCES)
    st.code(dataset_bibtex(), language="bibtex", wrap_lines=True)
