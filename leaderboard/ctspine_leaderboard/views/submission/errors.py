"""What goes wrong on a test set, in numbers: found and missed vertebrae, names, and what the DSC is lost to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ctspine_bench.board.entries import REASONS
from ctspine_bench.testsets import named
from ctspine_leaderboard.facts import facts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from markupsafe import Markup

    from ctspine_bench.board import Board, Entry


SHIFT_NOTE: Final = (
    "A label shift of 0 can hide names that are wrong in part of a spine, as it is that of most of it. The share of "
    "cases with every level right counts those alone in which all levels are there, none is spurious, and each is in "
    "its place."
)
_OURS: Final = (
    "of the vertebrae of a case, mean over cases: the predicted centre is within 20 mm, and that of no other is nearer"
)
_VERSES: Final = (
    "of all vertebrae: of the labels in both, no other reference centre is nearer to the predicted one, within 20 mm"
)


def error_facts(entry: Entry, test_set: str) -> Markup | None:
    """Return what is told of the errors on a test set; `None` if nothing is, as of published results."""
    results = entry.on(test_set)
    rows = [*_counts(results.get("counts", {})), *_naming(results.get("identification", {})), *_loss(results)]
    return facts(rows, f"What goes wrong for {entry.name}") if any(value for _, value in rows) else None


def note(board: Board, entry: Entry, test_set: str, *, has_cases: bool) -> str:
    """Say what there is of a test set, if that is not everything."""
    if has_cases:
        return ""
    if not entry.on(test_set):
        return f"Nothing is known on this test set. {REASONS[board.status(entry, test_set)]}"
    if named(test_set).private:
        return (
            "The cases of a private test set are not published: there is nothing to show about single ones, counts of "
            "events are told to the nearest five, and what would tell about fewer than five cases is left out."
        )
    return "There is no case table: nothing can be said about single cases."


def _counts(counts: Mapping[str, Any]) -> list[tuple[str, str]]:
    matched, missed, spurious = (counts.get(name) for name in ("matched", "missed", "spurious"))
    at_border, volume = counts.get("spurious_at_border"), counts.get("spurious_ml")
    of_them = f", {at_border} of them where the field of view ends" if at_border else ""
    in_all = f", {volume:,.1f} mL in all" if isinstance(volume, int | float) and volume else ""
    return [
        ("Vertebrae found", "" if matched is None else f"{matched}"),
        ("Vertebrae missed", "" if missed is None else f"{missed}"),
        ("Spurious vertebrae", "" if spurious is None else f"{spurious}{of_them}{in_all}"),
        ("Predictions that failed", f"{counts['failed']}" if counts.get("failed") else ""),
    ]


def _naming(naming: Mapping[str, Any]) -> list[tuple[str, str]]:
    rate, distance = naming.get("identification_rate"), naming.get("localisation_mm")
    unshifted, instance = naming.get("dsc_unshifted"), naming.get("dsc_instance")
    verse, right = naming.get("verse_id_rate"), naming.get("levels_right")
    return [
        ("Right names", "" if rate is None else f"{100 * rate:.1f} % {_OURS}"),
        ("Right names as VerSe counts them", "" if verse is None else f"{100 * verse:.1f} % {_VERSES}"),
        ("Distance of the centres", "" if distance is None else f"{distance:.2f} mm, of vertebrae under their name"),
        ("Cases with every level right", "" if right is None else f"{100 * right:.0f} %"),
        ("Cases by label shift", _shifts(naming.get("label_shifts", {}))),
        ("DSC with the shift undone", "" if unshifted is None else f"{unshifted:.3f}"),
        ("DSC whatever the names", "" if instance is None else f"{instance:.3f}"),
        ("Panoptic quality", "" if naming.get("panoptic_quality") is None else f"{naming['panoptic_quality']:.3f}"),
    ]


def _shifts(shifts: Mapping[str, Any]) -> str:
    """Return in how many cases all names are how many levels off; those in which none is are left out."""
    words = {"0": "no shift", "none": "no overlap"}
    told = [
        (words.get(shift, f"{shift} levels" if shift[1:] != "1" else f"{shift} level"), n)
        for shift, n in shifts.items()
    ]
    return ", ".join(f"{what} in {n}" for what, n in told if n).replace("-", "−")


def _loss(results: Mapping[str, Any]) -> list[tuple[str, str]]:
    loss = results.get("loss", {})
    parts = {
        "wrong names": loss.get("identification"),
        "missed": loss.get("missed"),
        "outlines": loss.get("boundary"),
        "spurious": loss.get("spurious"),
    }
    there = {name: value for name, value in parts.items() if value is not None}
    if len(there) < len(parts):
        return []
    told = ", ".join(f"{name} {value:.3f}" for name, value in there.items())
    return [("Lost DSC, mean over cases", f"{sum(there.values()):.3f} of 1: {told}")]
