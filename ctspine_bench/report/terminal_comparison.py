"""A comparison of methods for the terminal, as rich renderables. Names are plain text, never markup."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from ctspine_bench import __version__
from ctspine_bench.jackknife import SMALLEST_N
from ctspine_bench.own_runs.averages import MEAN_OF_VERTEBRAE, OVER_VERTEBRAE, PER_CASE, SPINE
from ctspine_bench.rankings.paired import METRICS
from ctspine_bench.report.layout import number
from ctspine_bench.report.stability import PLANNED
from ctspine_bench.report.terminal_standings import arrow, rank_range, share
from ctspine_bench.report.text_comparison import (
    TITLES,
    coverage_sentence,
    difference_note,
    difference_title,
    interval,
    p_value,
    pair_name,
    signed,
)
from ctspine_bench.submissions.plain_text import shown

if TYPE_CHECKING:
    from rich.console import RenderableType

    from ctspine_bench.own_runs.outcome import MethodResult, OwnComparison, PairResult, Score

_OF_PAPER: Final = ("dsc", "hd95_mm")
_UNSURE: Final = f"Under {SMALLEST_N} cases nothing is sure: there are no intervals, and every rank is possible."
_LEGEND: Final = (
    "95 %: ranks, for all at once, and means, each by itself, that are compatible with these cases. per case: mean "
    "over cases, where each case weighs the same, and the rank by it. all vert.: mean over the vertebrae of all cases. "
    "P(1st): share of draws, which agree with the intervals, in which it is first. ↑ more is better, ↓ less."
)
_OF_KIND: Final = {
    "runs": "runs: on the same cases; all means are means over them, and intervals leave a case out of all at once.",
    "folds": "folds: without a case in common, put together above into one set of cases; here are means over folds.",
}


def render_comparison(found: OwnComparison, *, per_label: bool = False) -> Group:
    """Return everything about some methods; 80 columns suffice, unless names are long.

    Args:
        found: What to show.
        per_label: Also show the difference of each label.
    """
    parts: list[RenderableType] = [_headline(found), *(Text(note, "yellow") for note in found.notes)]
    parts.append(Group(_methods(found), Text(_LEGEND, "dim"), *_how_sure(found)))
    if any(method.n_runs > 1 for method in found.methods):
        parts.append(_runs(found))
    if found.pairs:
        parts.append(
            Group(Text(difference_title(found), "bold"), _differences(found), Text(difference_note(found), "dim"))
        )
        if per_label:
            parts += [_labels(found, pair) for pair in found.pairs]
        parts.append(Text(PLANNED))
    return Group(*(part for each in parts for part in (each, Text())))


def _headline(found: OwnComparison) -> Text:
    where = "whole spine" if found.region == "all" else f"{found.region} spine"
    cases = f" · {found.n_cases} case{'' if found.n_cases == 1 else 's'}"
    by = f"\n{TITLES[MEAN_OF_VERTEBRAE]} · {METRICS[found.metric].title} · {where}"
    version = f" · ctspine-bench {__version__}, rule {found.engine_version}"
    return (
        Text(shown(found.title), "bold")
        .append(cases, "not bold")
        .append(by, "not bold")
        .append(version, "not bold dim")
    )


def _table() -> Table:
    return Table(box=box.HORIZONTALS, header_style="bold", show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))


def _heading(title: str, below: str = "") -> Text:
    return Text(title).append(f"\n{below}", "dim") if below else Text(title)


def _methods(found: OwnComparison) -> Table:
    metric = METRICS[found.metric]
    own = () if found.metric in _OF_PAPER else (found.metric,)
    # Beside a third number with its interval there is no room for theirs.
    table, below = _table(), "" if own else "95 %"
    table.add_column(_heading("rank", "95 %"), justify="right", no_wrap=True)
    table.add_column(Text("method"), overflow="fold", min_width=8)
    columns = [(name, "95 %") for name in own] + [(name, below) for name in _OF_PAPER]
    for name, of_column in columns:
        title = f"{METRICS[name].title} {arrow(METRICS[name].larger_is_better)} {METRICS[name].unit}".rstrip()
        table.add_column(_heading(title, of_column), justify="right", no_wrap=True)
    better = arrow(metric.larger_is_better)
    table.add_column(_heading(f"per case {better}", "95 %"), justify="right", no_wrap=True)
    table.add_column(_heading("rank"), justify="right", no_wrap=True)
    table.add_column(_heading(f"all {better}", "vert."), justify="right", no_wrap=True)
    table.add_column(_heading("P(1st)"), justify="right", no_wrap=True)
    for method in sorted(found.methods, key=lambda each: each.rank):
        means = method.means[MEAN_OF_VERTEBRAE]
        table.add_row(
            _stacked(str(method.rank), rank_range(method.rank_low, method.rank_high)),
            Text(shown(method.name)),
            *(_score(means[name], METRICS[name].digits, with_interval=bool(of_column)) for name, of_column in columns),
            _score(method.means[PER_CASE][found.metric], metric.digits),
            Text(str(method.per_case_rank)),
            _score(method.means[OVER_VERTEBRAE][found.metric], metric.digits, with_interval=False),
            Text(share(method.p_first)),
        )
    return table


def _how_sure(found: OwnComparison) -> list[Text]:
    if found.n_cases < SMALLEST_N:
        return [Text(_UNSURE, "yellow")]
    sentence = coverage_sentence(found)
    return [Text(sentence, "yellow")] if sentence else []


def _runs(found: OwnComparison) -> Group:
    """Return what the runs and folds of each method spread."""
    methods = [method for method in found.methods if method.n_runs > 1]
    quantities = [
        (name, metric)
        for name in (MEAN_OF_VERTEBRAE, PER_CASE, SPINE)
        for metric in _OF_PAPER
        if name in methods[0].means and (name, metric) != (PER_CASE, "hd95_mm")
    ]
    table = _table()
    table.add_column(Text("method"), overflow="fold", min_width=8)
    table.add_column(Text(""), no_wrap=True)
    for name, metric in quantities:
        of = f"{METRICS[metric].title} {METRICS[metric].unit}".rstrip()
        table.add_column(_heading(_SHORT[name], of), justify="right", no_wrap=True)
    for method in methods:
        cells = [_spread(method, name, metric) for name, metric in quantities]
        table.add_row(Text(shown(method.name)), Text(f"{method.n_runs} {method.kind}"), *cells)
    kinds = {method.kind for method in methods}
    told = [words for kind, words in _OF_KIND.items() if kind in kinds]
    return Group(Text("Mean and standard deviation over runs and folds", "bold"), table, Text(" ".join(told), "dim"))


_SHORT: Final = {MEAN_OF_VERTEBRAE: "vertebrae", PER_CASE: "per case", SPINE: "spine"}


def _spread(method: MethodResult, name: str, metric: str) -> Text:
    spread, digits = method.means[name][metric].spread, METRICS[metric].digits
    return Text(f"{spread.mean:.{digits}f}").append(f"\n± {spread.sd:.{digits}f}", "dim") if spread else Text()


def _differences(found: OwnComparison) -> Table:
    table, digits = _table(), METRICS[found.metric].digits
    table.add_column(Text("pair"), overflow="fold", min_width=16)
    for title, below in (("difference", "95 %"), ("p", ""), ("p (Holm)", ""), ("effect per case", "95 %")):
        table.add_column(_heading(title, below), justify="right", no_wrap=True)
    for pair in found.pairs:
        test = pair.test
        table.add_row(
            Text(shown(pair_name(pair), 200)),
            _stacked(signed(pair.mean.value, digits), interval(pair.mean.low, pair.mean.high, digits)),
            Text(p_value(test.p)),
            Text(p_value(test.p_holm)),
            _stacked(signed(test.effect, digits), interval(test.low, test.high, digits)),
        )
    return table


def _labels(found: OwnComparison, pair: PairResult) -> Group:
    """Return the difference of each label of a pair."""
    table, metric = _table(), METRICS[found.metric]
    table.add_column(Text("label"), no_wrap=True)
    for name in (pair.one, pair.other):
        table.add_column(Text("n"), justify="right", no_wrap=True)
        table.add_column(Text(shown(name)), justify="right", overflow="fold")
    for title in ("difference", "95 %"):
        table.add_column(Text(title), justify="right", no_wrap=True)
    for label, each in pair.labels.items():
        ends = interval(each.difference.low, each.difference.high, metric.digits)
        of_each = [
            Text(cell)
            for n, mean in zip(each.n, each.means, strict=True)
            for cell in (str(n), number(mean, metric.digits))
        ]
        table.add_row(Text(label), *of_each, Text(signed(each.difference.value, metric.digits)), Text(ends, "dim"))
    unit = f" in {metric.unit}" if metric.unit else ""
    title = f"{shown(pair_name(pair), 200)}: {metric.title}{unit} of each label"
    return Group(
        Text(title, "bold"),
        table,
        Text(f"n: cases that have it in either volume. No interval where either has under {SMALLEST_N}.", "dim"),
    )


def _score(score: Score, digits: int, *, with_interval: bool = True) -> Text:
    ends = "" if score.low is None or score.high is None else f"{score.low:.{digits}f}–{score.high:.{digits}f}"
    return _stacked(number(score.value, digits), ends if with_interval else "")


def _stacked(value: str, ends: str) -> Text:
    return Text(value).append(f"\n{ends}", "dim") if ends else Text(value)
