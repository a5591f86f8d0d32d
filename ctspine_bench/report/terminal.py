"""A submission's scores for the terminal, as rich renderables. Names from files are plain text, never markup."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich import box
from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from ctspine_bench.report.events import CaseEvents, case_events
from ctspine_bench.report.layout import (
    DASH,
    TextTable,
    about_intervals,
    dsc,
    estimate,
    mm,
    no_comparison,
    paper_table,
    percent,
    published_comparison,
    sensitivity_table,
    shared_labels_table,
    source_table,
    to_report,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import RenderableType

    from ctspine_bench.evaluate import SubmissionScore
    from ctspine_bench.report.variants import Variant
    from ctspine_bench.summary import Estimate, Losses, Naming, Summary

_BAR_WIDTH: Final = 40
# Every part of the bar has a texture of its own: colour is never the only sign.
_LOSS_STYLES: Final[Mapping[str, tuple[str, str]]] = {
    "identification": ("▓", "dark_orange3"),
    "missed": ("░", "medium_purple3"),
    "boundary": ("█", "dodger_blue2"),
    "spurious": ("▚", "green4"),
}


def render(score: SubmissionScore, *, variant: Variant = "official", sensitivity: bool = False) -> Group:
    """Return everything about one submission on one test set; 80 columns suffice.

    Args:
        score: What to show.
        variant: Which table to show.
        sensitivity: Also show HD95 under other policies for missed and spurious masks.
    """
    parts: list[RenderableType] = [_headline(score)]
    if score.summary:
        parts += _aggregates(score, score.summary, variant, sensitivity=sensitivity)
    else:
        parts.append(Text("No aggregates: not every reference could be read. The reasons are below.", "bold red"))
    parts += [*_events(case_events(score)), *_ignored(score), *_notes(score)]
    if report := to_report(score):
        parts.append(Text(report, "bold"))
    return Group(*(part for each in parts for part in (each, Text())))


def _headline(score: SubmissionScore) -> Text:
    expected, found = score.test_set.expected_count, len(score.results)
    text = Text(score.test_set.title, "bold")
    if expected in {None, found}:
        text.append(f" · {_cases(found)}", "not bold")
    else:
        text.append(f" · {expected} cases expected, {found} found", "yellow")
    if score.failures:
        text.append(f"\nIncomplete: {_cases(len(score.failures))} failed, see below.", "bold red")
    if score.test_set.note:
        text.append(f"\n{score.test_set.note}", "dim")
    return text


def _aggregates(
    score: SubmissionScore, summary: Summary, variant: Variant, *, sensitivity: bool
) -> list[RenderableType]:
    tables: list[TextTable | None] = []
    if len(summary.sources) > 1:
        tables += [source_table(summary), shared_labels_table(summary)]
    tables.append(published_comparison(score))
    if sensitivity:
        tables.append(sensitivity_table(summary))
    reason = no_comparison(score)
    below = Text("All that follows is by the official rule, of all vertebrae.", "bold")
    return [
        _table(paper_table(summary, variant)),
        *([] if variant == "official" else [below]),
        _facts(summary),
        _loss_bar(summary.loss),
        *(_table(table) for table in tables if table),
        *([Text(reason, "yellow")] if reason else []),
    ]


def _table(source: TextTable) -> Group:
    table = Table(
        title=Text(source.title, "bold"),
        title_justify="left",
        title_style="",
        box=box.HORIZONTALS,
        header_style="bold",
        show_edge=False,
        pad_edge=False,
        collapse_padding=True,
        padding=(0, 2 if len(source.header) < 8 else 1 if len(source.header) < 10 else 0),
    )
    for column, name in enumerate(source.header):
        is_name = column in source.names
        table.add_column(_cell(name, column, source), justify="left" if is_name else "right", no_wrap=not is_name)
    for rows, style in ((source.rows, ""), (source.means, "bold")):
        for row in rows:
            table.add_row(*(_cell(cell, column, source) for column, cell in enumerate(row)), style=style)
        table.add_section()
    return Group(table, Text(source.note, "dim")) if source.note else Group(table)


def _cell(content: str, column: int, source: TextTable) -> Text:
    is_second_block = column > 0 and column in source.names
    return Text(f"  {content}" if is_second_block else content, "dim" if content == DASH else "")


def _facts(summary: Summary) -> Table:
    """Return what stands beside the official means, one line each: other means, counts, naming."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold", no_wrap=True)
    table.add_column()
    for name, text in (*_other_means(summary), *_naming(summary.identification)):
        table.add_row(Text(name), Text(text))
    return table


def _other_means(summary: Summary) -> tuple[tuple[str, str], ...]:
    per_case, counts, found = summary.per_case, summary.counts, summary.official.mean_of_vertebrae
    spurious = f"{counts.spurious} spurious" + (f" of {counts.spurious_ml:.1f} mL in all" if counts.spurious else "")
    border = f" ({counts.spurious_at_border} where the field of view ends)" if counts.spurious_at_border else ""
    pooled = "" if found.hd95_pooled_matched_mm is None else f", pooled {mm(found.hd95_pooled_matched_mm)} mm"
    of_matched = f"{mm(found.hd95_matched_mm)} mm{pooled}"
    nsd = ", ".join(f"{dsc(per_case[f'nsd_{tolerance}mm'].mean)} at {tolerance} mm" for tolerance in (1, 2, 3))
    return (
        ("Per case", _with_intervals(per_case)),
        ("", f"NSD {nsd}"),
        ("All vertebrae", _with_intervals(summary.over_vertebrae)),
        *([("", about_intervals(summary))] if per_case["dsc"].low is not None else []),
        ("HD95 of matched", f"{of_matched} (over {found.n_matched} labels, n = {counts.matched})"),
        ("Vertebrae", f"{counts.matched} matched, {counts.missed} missed, {spurious}{border}"),
    )


def _with_intervals(estimates: Mapping[str, Estimate]) -> str:
    return f"DSC {estimate(estimates['dsc'], 3)}  HD95 {estimate(estimates['hd95_mm'], 2)} mm"


def _naming(naming: Naming) -> tuple[tuple[str, str], ...]:
    shifts = ", ".join(f"{_shift(shift)}: {_cases(n)}" for shift, n in naming.label_shifts.items() if n)
    ours, theirs = percent(naming.identification_rate), percent(naming.verse_id_rate)
    return (
        ("Levels", f"every level right in {percent(naming.levels_right)} of cases"),
        ("Identified", f"{ours} (strict, over cases), {theirs} by VerSe's rule (pooled over vertebrae)"),
        ("Localisation", f"{mm(naming.localisation_mm)} mm (n = {naming.n_localised})"),
        (
            "Names aside",
            f"DSC {dsc(naming.dsc_unshifted)} with the shift undone, {dsc(naming.dsc_instance)} whatever the name",
        ),
        ("Label shift", f"{shifts or DASH} (0 can hide that some levels are misnamed)"),
    )


def _shift(shift: str) -> str:
    return shift.replace("-", "−")


def _cases(n: int) -> str:
    return f"{n} case" if n == 1 else f"{n} cases"


def _loss_bar(loss: Losses) -> Text:
    parts = {name: getattr(loss, name) for name in _LOSS_STYLES}
    if any(value is None for value in parts.values()):
        return Text(f"Lost DSC  {DASH}")
    total = sum(parts.values())
    text = Text.assemble(("Lost DSC", "bold"), f"  {total:.3f} of 1, by cause  ")
    for name, value in parts.items():
        character, style = _LOSS_STYLES[name]
        text.append(character * round(_BAR_WIDTH * value / total if total else 0), style)
    for name, value in parts.items():
        character, style = _LOSS_STYLES[name]
        text.append(f"\n  {character} ", style)
        text.append(f"{value:.3f} {name}")
    return text


def _events(events: tuple[CaseEvents, ...]) -> list[RenderableType]:
    failed = [event for event in events if event.failure]
    others = [event for event in events if not event.failure]
    parts: list[RenderableType] = []
    if failed:
        parts.append(Group(Text(f"Failed: {_cases(len(failed))}", "bold red"), *map(_failure, failed)))
    if others:
        table = Table.grid(padding=(0, 2))
        table.add_column(overflow="fold")
        table.add_column()
        for event in others:
            table.add_row(Text(event.case_id), Text(" · ".join(event.sentences())))
        title = Text(f"Missed and spurious vertebrae: {_cases(len(others))}", "bold")
        parts.append(Group(title, Padding(table, (0, 0, 0, 2))))
    return parts


def _failure(event: CaseEvents) -> Padding:
    message, *consequence = event.sentences()
    text = Text.assemble((f"{event.case_id}  ", "bold"), message)
    for sentence in consequence:
        text.append(f" → {sentence}", "dim")
    return Padding(text, (0, 0, 0, 2))


def _ignored(score: SubmissionScore) -> list[RenderableType]:
    if not score.ignored_predictions:
        return []
    names = ", ".join(score.ignored_predictions)
    return [Text.assemble(("Ignored, as they belong to no case of this test set: ", "bold"), names)]


def _notes(score: SubmissionScore) -> list[RenderableType]:
    """Return what was accepted but is worth knowing; a note that many cases share is printed once."""
    cases: dict[str, list[str]] = {}
    for result in score.results:
        for note in result.notes:
            cases.setdefault(note, []).append(result.case_id)
    if not cases:
        return []
    lines = [f"  {', '.join(ids) if len(ids) <= 3 else _cases(len(ids))}: {note}" for note, ids in cases.items()]
    return [Group(Text("Notes", "bold"), *(Text(line) for line in lines))]
