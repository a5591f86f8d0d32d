"""What a map of submissions by vertebra shows, and its numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ctspine_bench.anatomy import VERTEBRAE
from ctspine_bench.rankings.schemes import OFFICIAL_TEXT
from ctspine_leaderboard import downloads

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ctspine_leaderboard.surface import Surface
    from ctspine_leaderboard.views.vertebrae import VertebraeView, VertebraRow

THE_MAP: Final = (
    "Means by vertebra, and how many references have each; a submission with spurious ones has more cases in a mean. "
    "Ranked submissions stand in the order of the official rule."
)


def write_about_map(page: Surface, view: VertebraeView) -> None:
    """Write what a reader has to know about a map."""
    page.words(OFFICIAL_TEXT, *view.sentences())


def offer_map(page: Surface, view: VertebraeView, rows: Sequence[VertebraRow]) -> None:
    """Offer the numbers of a map of some of the rows."""
    page.offer(
        view.data(),
        {"page": "vertebrae", "test_set": view.test_set.name, "metric": view.measure.name},
        downloads.file_name("vertebrae", view.test_set.name, view.measure.name),
        caption=f"{view.measure.title} by vertebra on the test set {view.test_set.title}.",
        latex=view.paper_table(rows),
        digits=dict.fromkeys(VERTEBRAE, 1 if view.measure.unit else 2),
    )
