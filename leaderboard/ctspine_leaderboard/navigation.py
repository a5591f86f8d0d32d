"""The pages of the app, and the one that is open."""

from __future__ import annotations

from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Final

import streamlit as st

# Without one of its own, the browser would be sent to another host for it.
_ICON: Final = Path(__file__).with_name("icon.svg")
# Title, address, module and icon. A page is imported when it is opened: the first visitor waits for one, not for all.
_PAGES: Final = (
    ("Standings", "standings", "standings", "leaderboard"),
    ("Domain gap", "domain-gap", "domain_gap", "stacked_line_chart"),
    ("Vertebrae", "vertebrae", "vertebrae", "grid_on"),
    ("Compare", "compare", "compare", "compare_arrows"),
    ("Submission", "submission", "submission", "description"),
    ("Cases", "cases", "cases", "radiology"),
    ("Data", "data", "dataset", "database"),
)


def main() -> None:
    """Show the page that the address names."""
    st.set_page_config(page_title="CTSpine1K leaderboard", page_icon=_ICON, layout="wide")
    pages = [
        st.Page(partial(_show, module), title=title, url_path=path, icon=f":material/{icon}:", default=not place)
        for place, (title, path, module, icon) in enumerate(_PAGES)
    ]
    st.navigation(pages, position="top").run()


def _show(module: str) -> None:
    import_module(f"ctspine_leaderboard.pages.{module}").show()
