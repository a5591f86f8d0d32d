"""Placeholder, replaced in a moment."""

from ctspine_leaderboard import frame


def show() -> None:
    """Show the page."""
    frame.heading("compare")
