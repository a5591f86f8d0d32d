"""What a host shows is the same however the app is started."""

from __future__ import annotations

from pathlib import Path

from ctspine_leaderboard.settings import Settings


def test_without_variables_the_submissions_of_the_repository_are_shown() -> None:
    """The default is the folder `submissions` here, and nothing else."""
    assert Settings.of({}) == Settings(Path("submissions"), None, None, None)
    assert Settings.of({"CTSPINE_SUBMISSIONS": "", "CTSPINE_REFERENCES": ""}) == Settings()


def test_settings_survive_the_way_through_the_environment() -> None:
    """A program that is started with the variables shows the same."""
    settings = Settings(Path("a"), Path("b/standings.json"), Path("c"), Path("d"))
    assert Settings.of(settings.environment()) == settings
    assert Settings.of(Settings().environment()) == Settings()
