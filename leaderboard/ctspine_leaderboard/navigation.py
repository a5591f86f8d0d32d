"""The pages of the app, and the one that is open."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import streamlit as st

from ctspine_leaderboard.pages import cases, compare, dataset, domain_gap, standings, submission, vertebrae

# Without one of its own, the browser would be sent to another host for it.
_ICON: Final = Path(__file__).with_name("icon.svg")
_PAGES: Final = (
    ("Standings", "standings", standings.show, "leaderboard"),
    ("Domain gap", "domain-gap", domain_gap.show, "stacked_line_chart"),
    ("Vertebrae", "vertebrae", vertebrae.show, "grid_on"),
    ("Compare", "compare", compare.show, "compare_arrows"),
    ("Submission", "submission", submission.show, "description"),
    ("Cases", "cases", cases.show, "radiology"),
    ("Data", "data", dataset.show, "database"),
)


def main() -> None:
    """Show the page that the address names."""
    st.set_page_config(page_title="CTSpine1K leaderboard", page_icon=_ICON, layout="wide")
    pages = [
        st.Page(show, title=title, url_path=path, icon=f":material/{icon}:", default=path == "standings")
        for title, path, show, icon in _PAGES
    ]
    st.navigation(pages, position="top").run()
