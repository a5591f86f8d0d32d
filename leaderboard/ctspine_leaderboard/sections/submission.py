"""Everything about one submission."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from markupsafe import Markup

from ctspine_bench.board.entries import FLAGS, REASONS
from ctspine_bench.testsets import named
from ctspine_leaderboard import downloads
from ctspine_leaderboard.tables import badge, folded
from ctspine_leaderboard.views import test_sets
from ctspine_leaderboard.views.case_tables import case_table
from ctspine_leaderboard.views.cases.pictures import panels
from ctspine_leaderboard.views.cases.sources import case_sources, with_predictions
from ctspine_leaderboard.views.links import submission_link
from ctspine_leaderboard.views.submission import (
    about,
    beside_means,
    beside_paper,
    cases,
    cite,
    errors,
    paper_table,
    places,
    provenance,
    sources,
    training,
    variants,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from ctspine_bench.board import Board, Entry
    from ctspine_bench.report.variants import Variant
    from ctspine_leaderboard.settings import Settings
    from ctspine_leaderboard.surface import Surface
    from ctspine_leaderboard.views.links import Link

_MM: Final = {"hd95_mm": 2, "spine_hd95_mm": 2}
_PICTURED: Final = 3
"""How many of the worst cases have pictures."""


def write_about(page: Surface, board: Board, entry: Entry, test_set: str) -> None:
    """Write what a submission is, as declared; of a broken record, what is wrong with it."""
    if flags := board.flags(entry, test_set):
        page.show(Markup(" ").join(badge(FLAGS[flag]) for flag in flags))
    if entry.problem:
        page.words(REASONS[board.status(entry, test_set)], str(entry.problem))
        return
    facts = about.about_facts(entry)
    if facts:
        page.show(facts)


def write_places(page: Surface, board: Board, entry: Entry, link: Callable[[str], str] | None = None) -> None:
    """Write where a submission stands on each test set.

    Args:
        page: Where to.
        board: The board.
        entry: The submission.
        link: Test set → the address of its standings; by default the page of the app.
    """
    found = places.places(board, entry)
    page.subheading("Where it stands")
    if found:
        page.show(places.place_table(found, link))
        page.words(*places.coverage(found))
        name = downloads.file_name("places", entry.slug)
        caption = f"{entry.name}: where it stands on each test set."
        page.offer(places.place_data(found), {"page": "submission", "id": entry.slug}, name, caption=caption)


def write_table(page: Surface, entry: Entry, variant: Variant = "official") -> None:
    """Write the table of a submission in the layout of the paper, by the official rule or in a variant."""
    table = paper_table.paper_table(entry, variant)
    if table is None:
        page.words("There are no results of it yet.")
        return
    page.subheading(table.heading)
    page.show(table.table())
    page.words(*table.notes())
    name = downloads.file_name("table", entry.slug, "" if variant == "official" else variant)
    about_table = {"page": "submission", "id": entry.slug, "variant": variant}
    page.offer(table.data(), about_table, name, caption=f"{entry.name}: all means.", latex=table.latex())


def write_variants(page: Surface, entry: Entry) -> None:
    """Write Mean of Vertebrae in all variants that the record of a submission tells."""
    test_sets = paper_table.test_sets_of(entry)
    if len(variants.there(entry, test_sets)) < 2:
        return
    page.subheading("The official rule and its variants", "Exploratory: ranks follow the official rule.")
    page.show(variants.summary_table(entry, test_sets))
    name = downloads.file_name("variants", entry.slug)
    about_table = {"page": "submission", "id": entry.slug, "what": "variants"}
    page.offer(variants.data(entry, test_sets), about_table, name, caption=f"{entry.name}: variants of its table.")


def write_folded_variants(page: Surface, entry: Entry) -> None:
    """Write the whole table in each variant, folded: for a page on which nothing can be chosen."""
    for variant in variants.there(entry, paper_table.test_sets_of(entry))[1:]:
        if table := paper_table.paper_table(entry, variant):
            page.show(folded(table.heading, table.table(), table.notes()))


def write_beside_paper(page: Surface, entry: Entry, test_set: str) -> None:
    """Write a submission beside the published numbers, on a test set of the paper."""
    found = beside_paper.beside_paper(entry, test_set)
    if found is None:
        page.words(beside_paper.no_comparison(entry, test_set))
        return
    page.subheading(
        f"{beside_paper.TITLE}: {test_sets.full_title(named(test_set))}",
        beside_paper.SOURCE,
    )
    page.show(found.table())
    page.words(*found.notes())
    page.offer(
        found.data(),
        {"page": "submission", "id": entry.slug, "test_set": test_set, "what": "beside the paper"},
        downloads.file_name("beside-paper", entry.slug, test_set),
        caption=f"{entry.name} beside the published nnU-Net on the test set {named(test_set).title}.",
        latex=found.paper_table(),
        digits={"HD95 of matched (mm)": 2, "HD95, paper (mm)": 2},
    )


def write_test_set(
    page: Surface, board: Board, entry: Entry, test_set: str, link: Callable[[str], str] | None = None
) -> None:
    """Write what stands beside Mean of Vertebrae on a test set, and what goes wrong there.

    Args:
        page: Where to.
        board: The board.
        entry: The submission.
        test_set: The test set.
        link: Case → the address of its pictures; without it cases lead nowhere.
    """
    title = dict(test_sets.options(board))[test_set]
    facts = errors.error_facts(entry, test_set)
    rows = case_table(board, entry, test_set)
    if means := beside_means.mean_facts(board, entry, test_set):
        page.subheading(f"Beside Mean of Vertebrae: {title}", beside_means.EXPLAINED)
        page.show(means)
        page.words(*beside_means.coverage(entry, test_set))
    page.subheading(f"What goes wrong: {title}")
    if facts:
        page.show(facts)
        page.words(errors.SHIFT_NOTE)
    page.words(errors.note(board, entry, test_set, has_cases=rows is not None))
    if rows is not None:
        _cases(page, entry, test_set, rows, link)


def write_sources(page: Surface, entry: Entry, test_set: str) -> None:
    """Write the scores by source; where the record tells them, two at a time on the labels that they share."""
    by_source, shared = sources.source_table(entry, test_set), sources.shared_table(entry, test_set)
    if by_source is None:
        return
    page.subheading(f"By source: {test_sets.full_title(named(test_set))}")
    page.show(by_source)
    page.words(sources.OF_PRIVATE if named(test_set).private else sources.REVERSED)
    if shared:
        page.show(shared)
    about_sources = {"page": "submission", "id": entry.slug, "test_set": test_set, "what": "sources"}
    name = downloads.file_name("sources", entry.slug, test_set)
    page.offer(
        sources.source_data(entry, test_set), about_sources, name, caption=f"{entry.name} by source.", digits=_MM
    )


def write_pictures(page: Surface, board: Board, entry: Entry, test_set: str, settings: Settings) -> None:
    """Show the worst cases, where their volumes are at hand; never those of a private test set."""
    rows = case_table(board, entry, test_set)
    at_hand = settings.references and with_predictions(board, settings, named(test_set), [entry.slug])
    worst = [] if rows is None or not at_hand else cases.worst_cases(rows)[:_PICTURED]
    if not worst:
        return
    page.subheading("Pictures of the worst cases")
    remarks: dict[str, None] = {}
    for case in worst:
        sources = case_sources(settings, named(test_set), case.case_id, [entry])
        page.words(f"{case.case_id}, mean DSC {case.dsc:.3f}{': ' if case.events else ''}{'; '.join(case.events)}.")
        if drawn := panels(sources, {entry.slug: entry.name}, "spine"):
            page.show(drawn)
        remarks |= dict.fromkeys(sources.sentences)
    page.words(*remarks)


def write_training(page: Surface, entry: Entry) -> None:
    """Write what a baseline was trained with, and its curves; nothing of other submissions."""
    facts = training.training_facts(entry)
    if facts is None:
        return
    page.subheading("What it was trained with")
    page.show(facts)
    for configuration, figure in training.curves(entry):
        page.subheading(f"How it learned: {configuration}")
        page.figure(figure, training.WORDS, key=f"training-{configuration}")


def write_provenance(page: Surface, board: Board, entry: Entry, link: Link = submission_link) -> None:
    """Write what the numbers were made with; `link` leads to other submissions."""
    facts = provenance.provenance_facts(board, entry, link)
    if facts:
        page.subheading("What the numbers were made with")
        page.show(facts)


def write_citation(page: Surface, entry: Entry) -> None:
    """Write how to cite a submission."""
    page.subheading("Cite", "The data set and its benchmark, and this submission.")
    page.quote(cite.dataset_bibtex())
    of_submission = cite.submission_bibtex(entry)
    if of_submission:
        page.quote(of_submission)


def _cases(page: Surface, entry: Entry, test_set: str, rows: pd.DataFrame, link: Callable[[str], str] | None) -> None:
    for each in cases.case_figures(entry, test_set, rows):
        page.subheading(each.heading)
        page.figure(each.figure, each.words, key=each.name)
    worst = cases.worst_cases(rows)
    if not worst:
        return
    lowest = "Those with the lowest mean DSC."
    page.subheading("The worst cases", f"{lowest} Each leads to its pictures." if link else lowest)
    page.show(cases.worst_table(worst, entry, test_set, link or (lambda _: "")))
    about_cases = {"page": "submission", "id": entry.slug, "test_set": test_set, "what": "worst cases"}
    name = downloads.file_name("worst", entry.slug, test_set)
    page.offer(cases.worst_data(worst), about_cases, name, caption=f"{entry.name}: the worst cases.")
