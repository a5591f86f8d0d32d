"""The standings of a test set for the terminal, as rich renderables. Names are plain text, never markup."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from rich import box
from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from ctspine_bench.board.entries import FLAGS
from ctspine_bench.jackknife import SMALLEST_N
from ctspine_bench.rankings.paired import METRICS
from ctspine_bench.rankings.schemes import OFFICIAL, SCHEMES
from ctspine_bench.report.layout import DASH, number
from ctspine_bench.report.stability import coverage_sentence, stability_sentences
from ctspine_bench.submissions.plain_text import shown
from ctspine_bench.testsets import named

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import RenderableType

    from ctspine_bench.board import Board, BoardStandings, Entry
    from ctspine_bench.own_runs.ranking import OwnStandings
    from ctspine_bench.rankings.standings import Standing, Standings

BROKEN: Final = ("broken", "newer")
"""The statuses of records that cannot be read: they are about no test set in particular."""

_SHOWN: Final = ("dsc", "hd95_mm")
_WIDE: Final = 120
_WIDEST: Final = 140
_LEGEND: Final = (
    "95 %: ranks, for all at once, and scores, each by itself, that are compatible with these cases. "
    "per case: mean over cases, where each case weighs the same, and the rank by it. P(1st): share of draws, which "
    "agree with the intervals, in which it is first. ↑ more is better, ↓ less."
)

_HELD_BACK: Final = "Intervals that few private cases decide are not told."
_COUNTS: Final = "Missed and spurious vertebrae are those of the whole spine."
_UNSURE: Final = f"Under {SMALLEST_N} cases nothing is sure: scores have no intervals, and every rank is possible."


def render_standings(
    board: Board, test_set: str, scheme: str, metric: str, region: str, *, keep_errata: bool, width: int
) -> Group:
    """Return where everybody stands on a test set, but for records that cannot be read; 80 columns suffice.

    Args:
        board: The board.
        test_set: One of its test sets, or another, where nobody is ranked.
        scheme: One of `SCHEMES`.
        metric: One of `rankings.paired.METRICS`.
        region: One of `rankings.paired.REGIONS`.
        keep_errata: Whether cases whose references are known to be wrong count.
        width: Columns of the terminal: under 120, every submission has two lines.
    """
    found = board.standings(test_set, scheme, metric, region, keep_errata=keep_errata)
    dropped = not keep_errata and board.has_errata(test_set)
    parts: list[RenderableType] = [_headline(found.standings, test_set, (scheme, metric, region), dropped=dropped)]
    if found.note:
        parts.append(Text(found.note, "yellow"))
    if found.standings:
        means = {name: board.standings(test_set, OFFICIAL[0], name, region, keep_errata=keep_errata) for name in _SHOWN}
        parts += [_table(board, test_set, found.standings, means, width)]
        parts += _sentences({entry.slug: shown(entry.name) for entry in board.entries}, found.standings)
    unranked = [(entry, reason) for entry, reason in found.unranked if board.status(entry, test_set) not in BROKEN]
    if unranked:
        parts.append(_unranked(board, test_set, unranked))
    return Group(*(part for each in parts for part in (each, Text())))


def render_own_standings(own: OwnStandings, width: int) -> Group:
    """Return where one's own results stand, by the schemes of the board; 80 columns suffice.

    Args:
        own: The standings.
        width: Columns of the terminal, as for `render_standings`.
    """
    found = own.found
    columns = _Columns(found, is_private=False, width=width)
    of_metric = {name: {row.slug: row for row in standings.rows} for name, standings in own.means.items()}
    for row in found.rows:
        means = {name: _mean_of(of_metric[name][row.slug]) for name in _SHOWN}
        columns.add(row, Text(shown(row.slug)), means, own.counts[row.slug])
    legend = " ".join(filter(None, (_LEGEND, _COUNTS if found.region != OFFICIAL[2] else "")))
    parts: list[RenderableType] = [
        _lines(own.title, found, (found.scheme, found.metric, found.region), dropped=own.dropped),
        *(Text(note, "yellow") for note in own.notes),
        Group(columns.table, Text(legend, "dim")),
        *_sentences({row.slug: shown(row.slug) for row in found.rows}, found),
    ]
    return Group(*(part for each in parts for part in (each, Text())))


def _headline(found: Standings | None, test_set: str, by: tuple[str, str, str], *, dropped: bool) -> Text:
    is_official = by == OFFICIAL and named(test_set).private
    order = ("the official order", "green not bold") if is_official else ("not the official order", "dim not bold")
    text = _lines(named(test_set).title, found, by, dropped=dropped)
    return text.append(" · ", "not bold").append(*order)


def _lines(title: str, found: Standings | None, by: tuple[str, str, str], *, dropped: bool) -> Text:
    scheme, metric, region = by
    text = Text(title, "bold")
    if found:
        text.append(f" · {found.n_cases} case{'' if found.n_cases == 1 else 's'}", "not bold")
    if dropped:
        text.append(" · without known-bad references", "yellow not bold")
    where = "whole spine" if region == OFFICIAL[2] else f"{region} spine"
    return text.append(f"\n{SCHEMES[scheme].title} · {METRICS[metric].title} · {where}", "not bold")


def _table(board: Board, test_set: str, found: Standings, means: Mapping[str, BoardStandings], width: int) -> Group:
    columns = _Columns(found, is_private=named(test_set).private, width=width)
    of_metric = {name: _by_slug(standings) for name, standings in means.items()}
    entries = {row.slug: entry for row in found.rows if (entry := board.entry(row.slug))}
    flags = {slug: board.flags(entry, test_set) for slug, entry in entries.items()}
    of_all = set.intersection(*map(set, flags.values())) if len(flags) > 1 else set()
    for row in found.rows:
        entry = entries[row.slug]
        results = entry.on(test_set)
        columns.add(
            row,
            _name(entry, [flag for flag in flags[row.slug] if flag not in of_all]),
            {name: _mean(results, of_metric[name].get(row.slug), name, found.region) for name in _SHOWN},
            results["counts"],
        )
    legend = [
        f"All are {' and '.join(FLAGS[flag] for flag in FLAGS if flag in of_all)}." if of_all else "",
        _LEGEND,
        _HELD_BACK if named(test_set).private else "",
        _COUNTS if found.region != OFFICIAL[2] else "",
    ]
    return Group(columns.table, Text(" ".join(filter(None, legend)), "dim"))


@dataclass(frozen=True)
class _Mean:
    """A mean with its 95 % interval; `None` where there is none."""

    value: float | None
    low: float | None = None
    high: float | None = None


class _Columns:
    """A table of standings, with intervals beside the numbers or below them.

    Attributes:
        table: The table.
    """

    def __init__(self, found: Standings, *, is_private: bool, width: int) -> None:
        self._wide = width >= _WIDE
        self._metric = METRICS[found.metric]
        scheme, metric = SCHEMES[found.scheme], self._metric
        self._score_digits = metric.digits
        if scheme.ranks:
            self._score_digits = scheme.digits(found.metric) if is_private else 2
        self._with_score = scheme.ranks or found.metric not in _SHOWN
        # Beside a third number with its interval there is mostly no room for theirs.
        self._with_intervals = not self._with_score or width >= _WIDEST
        self.table = Table(
            box=box.HORIZONTALS,
            header_style="bold",
            show_edge=False,
            pad_edge=False,
            padding=(0, 2 if width >= _WIDEST and not self._with_score else 1, 0, 0),
        )
        self._add_column("rank", interval=True)
        is_full = self._with_score and not self._wide
        self.table.add_column(
            Text("name" if is_full else "submission"), overflow="fold", min_width=8 if is_full else 12
        )
        if self._with_score:
            title = "mean rank" if scheme.ranks else metric.title
            self._add_column(f"{title} {arrow(scheme.larger_is_better(found.metric))}", interval=True)
        for each in (METRICS[name] for name in _SHOWN):
            title = f"{each.title} {arrow(each.larger_is_better)} {each.unit}".rstrip()
            self._add_column(title, interval=self._with_intervals)
        self._add_column(f"per case {arrow(metric.larger_is_better)}", interval=True, below="rank")
        for title in ("P(1st)", *(("missed", "spurious") if self._wide else ("miss.", "spur."))):
            self._add_column(title)

    def add(self, row: Standing, name: Text, means: Mapping[str, _Mean], counts: Mapping[str, Any]) -> None:
        """Add a submission."""
        cells = [*self._cells(str(row.rank), rank_range(row.low, row.high)), name]
        if self._with_score:
            own = _Mean(row.score, row.score_low, row.score_high)
            cells += self._cells(number(own.value, self._score_digits), _ends(own, self._score_digits))
        for each in _SHOWN:
            value = number(means[each].value, METRICS[each].digits)
            ends = _ends(means[each], METRICS[each].digits)
            cells += self._cells(value, ends) if self._with_intervals else (Text(value),)
        per_case_rank = "" if row.per_case_rank is None else str(row.per_case_rank)
        cells += self._cells(number(row.per_case, self._metric.digits), per_case_rank)
        self.table.add_row(*cells, share(row.p_first), _count(counts["missed"]), _count(counts["spurious"]))

    def _add_column(self, title: str, *, interval: bool = False, below: str = "95 %") -> None:
        heading = Text(title).append(f"\n{below}", "dim") if interval and not self._wide else Text(title)
        self.table.add_column(heading, justify="right", no_wrap=True)
        if interval and self._wide:
            self.table.add_column(Text(below, "dim"), justify="right", no_wrap=True)

    def _cells(self, value: str, ends: str) -> tuple[Text, ...]:
        if self._wide:
            return Text(value), Text(ends, "dim")
        return (Text(value).append(f"\n{ends}", "dim") if ends else Text(value),)


def _sentences(names: Mapping[str, str], found: Standings) -> list[RenderableType]:
    """Return what the order hangs on, and how far intervals can be trusted; `names` says what each is called."""
    unsure = _UNSURE if found.n_cases < SMALLEST_N else ""
    sentences = [*filter(None, (unsure, *stability_sentences(found, names), coverage_sentence(found)))]
    table = Table.grid(padding=(0, 1))
    for sentence in sentences:
        table.add_row("•", Text(sentence))
    return [table] if sentences else []


def _unranked(board: Board, test_set: str, unranked: Sequence[tuple[Entry, str]]) -> Group:
    """Return those that are not ranked with what their records say, by reason."""
    parts: list[RenderableType] = [Text("Not ranked", "bold")]
    for reason in dict.fromkeys(reason for _, reason in unranked):
        table = Table.grid(padding=(0, 2))
        table.add_column(overflow="fold")
        table.add_column(justify="right", no_wrap=True)
        table.add_column(justify="right", no_wrap=True)
        for entry in (entry for entry, its_reason in unranked if its_reason == reason):
            means = entry.on(test_set).get("mean_of_vertebrae", {})
            status = board.status(entry, test_set)
            flags = [flag for flag in board.flags(entry, test_set) if flag != status]
            cells = [
                f"{METRICS[name].title} {number(means.get(name), METRICS[name].digits)} {METRICS[name].unit}".rstrip()
                for name in _SHOWN
            ]
            table.add_row(_name(entry, flags), *(map(Text, cells) if means else ()))
        parts += [Padding(Text(reason, "dim"), (0, 0, 0, 2)), Padding(table, (0, 0, 0, 4))]
    return Group(*parts)


def _name(entry: Entry, flags: Sequence[str]) -> Text:
    """Return what a submission is called, and below it what a reader has to know."""
    name = Text(shown(entry.name))
    return name.append(f"\n{', '.join(FLAGS[flag] for flag in flags)}", "dim") if flags else name


def _by_slug(found: BoardStandings) -> dict[str, Standing]:
    return {row.slug: row for row in found.standings.rows} if found.standings else {}


def _mean(results: Mapping[str, Any], row: Standing | None, name: str, region: str) -> _Mean:
    """Return Mean of Vertebrae: as ranked, or else as the record says."""
    if row is not None:
        return _mean_of(row)
    return _Mean(results["mean_of_vertebrae"][name] if region == OFFICIAL[2] else None)


def _mean_of(row: Standing) -> _Mean:
    return _Mean(row.score, row.score_low, row.score_high)


def _ends(mean: _Mean, digits: int) -> str:
    return "" if mean.low is None or mean.high is None else f"{mean.low:.{digits}f}–{mean.high:.{digits}f}"


def rank_range(low: int | None, high: int | None) -> str:
    """Return an interval of ranks; empty without one."""
    if low is None or high is None:
        return ""
    return str(low) if low == high else f"{low}–{high}"


def arrow(larger_is_better: bool) -> str:
    """Return in which direction better is."""
    return "↑" if larger_is_better else "↓"


def share(value: float | None) -> str:
    """Return a share of draws; it is 0 or 1 only where all agree."""
    if value is None:
        return DASH
    return "<0.01" if 0 < value < 0.005 else ">0.99" if 0.995 < value < 1 else f"{value:.2f}"


def _count(value: Any) -> str:
    return DASH if value is None else str(value)
