"""A comparison of methods as Markdown, LaTeX (booktabs), CSV and JSON."""

from __future__ import annotations

import csv as csv_format
import io
import json as json_format
import re
from dataclasses import asdict
from math import isnan
from typing import TYPE_CHECKING, Any, Final

from ctspine_bench import __version__
from ctspine_bench.aggregate import HD95_CAP_MM
from ctspine_bench.anatomy import VERTEBRAE, vertebra_name
from ctspine_bench.jackknife import SMALLEST_N
from ctspine_bench.own_runs.averages import MEAN_OF_VERTEBRAE, OVER_VERTEBRAE, PER_CASE, SPINE
from ctspine_bench.own_runs.outcome import DIFFERENCE
from ctspine_bench.rankings.paired import METRICS, REGIONS
from ctspine_bench.report.layout import DASH, MARK, TextTable, number
from ctspine_bench.report.stability import PLANNED
from ctspine_bench.report.text import latex_table, latex_text, markdown_table, markdown_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ctspine_bench.own_runs.outcome import MethodResult, OwnComparison, PairResult, Score

TITLES: Final[Mapping[str, str]] = {
    MEAN_OF_VERTEBRAE: "Mean of Vertebrae",
    PER_CASE: "Mean over cases",
    OVER_VERTEBRAE: "Mean over vertebrae",
    SPINE: "Mean of Spine",
    DIFFERENCE: "difference in Mean of Vertebrae",
}
_OF_PAPER: Final = ("dsc", "hd95_mm")
_OF_SMALL: Final = 6
_COLUMNS: Final = (
    "what", "method", "other", "of", "metric", "n", "value", "low", "high", "n_runs", "mean_of_runs", "sd_of_runs",
    "p", "p_holm",
)  # fmt: skip


def csv(found: OwnComparison) -> str:
    """Return one line for each number: scores, ranks, differences and effects."""
    file = io.StringIO()
    writer = csv_format.DictWriter(file, _COLUMNS, lineterminator="\n", restval="")
    writer.writeheader()
    writer.writerows({key: _cell(value) for key, value in line.items()} for line in _lines(found))
    return file.getvalue().removesuffix("\n")


def json(found: OwnComparison) -> str:
    """Return everything, as JSON."""
    content = {"kind": "comparison", "version": __version__, **asdict(found)}
    return json_format.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)


def markdown(found: OwnComparison) -> str:
    """Return the table of all methods and that of their differences as Markdown."""
    header = ("Label", "n", *(f"{each.name} {_of(name)}" for each in found.methods for name in _OF_PAPER))
    rows = [[markdown_text(row[0]), row[1], *(_markdown_cell(*cell) for cell in row[2:])] for row in _model_rows(found)]
    lines = [list(map(markdown_text, header)), ["---", *("---:" for _ in header[1:])], *rows]
    parts = [f"## {markdown_text(found.title)}", *map(markdown_text, found.notes)]
    parts += ["\n".join(f"| {' | '.join(line)} |" for line in lines), markdown_text(caption(found))]
    if found.pairs:
        table = difference_table(found)
        parts += [f"**{markdown_text(table.title)}**", markdown_table(table), markdown_text(table.note)]
    return "\n\n".join(parts)


def latex(found: OwnComparison) -> str:
    """Return the same tables as LaTeX: a column pair for each method. They need the package booktabs."""
    names = [rf"\multicolumn{{2}}{{c}}{{{latex_text(each.name)}}}" for each in found.methods]
    rules = [rf"\cmidrule(lr){{{2 * place + 3}-{2 * place + 4}}}" for place in range(len(names))]
    rows = [
        " & ".join([latex_text(row[0]), row[1], *(_latex_cell(*cell) for cell in row[2:])]) + r" \\"
        for row in _model_rows(found)
    ]
    n_labels = len(REGIONS[found.region])
    notes = [f"% {line}" for note in found.notes for line in note.splitlines()]
    table = [
        r"\begin{table}",
        r"\centering",
        r"\small",
        rf"\caption{{{latex_text(caption(found))}}}",
        rf"\begin{{tabular}}{{lr{'rr' * len(names)}}}",
        r"\toprule",
        " & ".join(["", "", *names]) + r" \\",
        "".join(rules),
        " & ".join(["Label", "$n$", *(latex_text(_of(name)) for _ in names for name in _OF_PAPER)]) + r" \\",
        r"\midrule",
        *rows[:n_labels],
        r"\midrule",
        *rows[n_labels:],
        r"\bottomrule",
        r"\end{tabular}",
        r"\end{table}",
    ]
    differences = ["", latex_table(difference_table(found), found.title)] if found.pairs else []
    return "\n".join([*notes, *table, *differences])


def caption(found: OwnComparison) -> str:
    """Return what the table of all methods shows: set, n, rule, version, runs."""
    region = "" if found.region == "all" else f", {found.region} spine"
    rule = (
        f"{found.title}{region}, {found.n_cases} cases. DSC and HD95 (mm) of each label, means over the cases that "
        "have it in the reference or in the prediction; missed and spurious vertebrae count as DSC 0 and HD95 "
        f"{HD95_CAP_MM:.0f} mm, where HD95 is capped (ctspine-bench {__version__}, rule {found.engine_version}). "
        "n: references that have the label. Best in bold."
    )
    sentences = [rule]
    if any(_is_marked(name, found) for name in _labels(found)):
        sentences.append(f"{MARK} No reference has it, a prediction does.")
    for kind, words in (
        ("runs", "mean ± standard deviation over {} runs on the same cases"),
        ("folds", "over all cases of {} folds at once, ± standard deviation over folds"),
    ):
        sentences += [f"{each.name}: {words.format(each.n_runs)}." for each in found.methods if each.kind == kind]
    return " ".join(sentences)


def difference_table(found: OwnComparison) -> TextTable:
    """Return the differences of pairs with their tests."""
    digits = METRICS[found.metric].digits
    return TextTable(
        title=difference_title(found),
        header=("Pair", "Difference", "95 % CI", "p", "p (Holm)", "Effect per case", "95 % CI"),
        names=(0,),
        rows=tuple(
            (
                pair_name(pair),
                signed(pair.mean.value, digits),
                interval(pair.mean.low, pair.mean.high, digits),
                p_value(pair.test.p),
                p_value(pair.test.p_holm),
                signed(pair.test.effect, digits),
                interval(pair.test.low, pair.test.high, digits),
            )
            for pair in found.pairs
        ),
        note=f"{difference_note(found)} {PLANNED}",
    )


def difference_title(found: OwnComparison) -> str:
    """Return what the differences are of."""
    metric = METRICS[found.metric]
    unit = f" in {metric.unit}" if metric.unit else ""
    region = "" if found.region == "all" else f", {found.region} spine"
    return f"Differences in Mean of Vertebrae {metric.title}{unit}{region}: the first less the second"


def difference_note(found: OwnComparison) -> str:
    """Return which test was made, for how many it was corrected, how well intervals cover, and what lacks."""
    if found.n_cases < SMALLEST_N:
        return f"Under {SMALLEST_N} cases there are no intervals and no tests."
    why = ", all pairs, as the best one was found on the same cases" if found.against_best else ""
    note = (
        "p: Wilcoxon signed-rank test on per-case means; Holm: corrected for "
        f"{found.corrected_for} {'test' if found.corrected_for == 1 else 'tests'}{why}. "
        "Effect per case: Hodges–Lehmann estimate, its interval inverts the test."
    )
    return f"{note} {coverage_sentence(found, (DIFFERENCE,))}".rstrip()


def coverage_sentence(found: OwnComparison, names: Sequence[str] = (MEAN_OF_VERTEBRAE, PER_CASE)) -> str:
    """Return how often intervals of some numbers cover, where they do not as they should; empty where they do."""
    told = [f"{100 * found.coverage[name]:.0f} % ({TITLES[name]})" for name in names if name in found.coverage]
    if not told:
        return ""
    return f"With {found.n_cases} cases, 95 % intervals covered the truth in simulations in {' and '.join(told)}."


def pair_name(pair: PairResult) -> str:
    """Return what a pair is called."""
    return f"{pair.one} − {pair.other}"


def signed(value: float, digits: int) -> str:
    """Return a difference with its sign, a true minus; a small one has six digits, and 0 has no sign."""
    return DASH if isnan(value) else _signed(value, _digits_for([value], digits))


def interval(low: float | None, high: float | None, digits: int) -> str:
    """Return an interval of a difference; empty without one."""
    if low is None or high is None:
        return ""
    digits = _digits_for([low, high], digits)
    return f"{_signed(low, digits)} to {_signed(high, digits)}"


def _signed(value: float, digits: int) -> str:
    return f"{value:+.{digits}f}".replace("-", "−") if round(value, digits) else f"{0:.{digits}f}"


def _digits_for(values: Sequence[float], digits: int) -> int:
    """Return how many digits show that something is no 0: a difference can be sure, and less than digits show."""
    largest = max(map(abs, values))
    return _OF_SMALL if 10**-_OF_SMALL / 2 <= largest < 10**-digits / 2 else digits


def p_value(value: float | None) -> str:
    """Return a p value with three digits."""
    return DASH if value is None else "<0.001" if value < 0.001 else f"{value:.3f}"


def with_spread(score: Score, digits: int) -> str:
    """Return a score, with its standard deviation over runs or folds where there are any."""
    sd = f" ± {score.spread.sd:.{digits}f}" if score.spread else ""
    return f"{number(score.value, digits)}{sd}"


def _of(name: str) -> str:
    metric = METRICS[name]
    return f"{metric.title} {metric.unit}".rstrip()


def _labels(found: OwnComparison) -> list[str]:
    return [vertebra_name(label) for label in REGIONS[found.region]]


def _is_marked(name: str, found: OwnComparison) -> bool:
    return name not in found.n_labels and any(name in each.labels for each in found.methods)


def _model_rows(found: OwnComparison) -> Iterator[tuple[Any, ...]]:
    """Yield a row for each label and mean: its name, n, and (text, whether it is best) for each method and metric."""
    for name in _labels(found):
        n = str(found.n_labels.get(name, 0))
        scores = [each.labels.get(name) for each in found.methods]
        yield (f"{name}{MARK}" if _is_marked(name, found) else name, n, *_cells(scores))
    for name, title in TITLES.items():
        scores = [each.means.get(name) for each in found.methods]
        if any(scores):
            yield (title, "", *_cells(scores))


def _cells(scores: Sequence[Mapping[str, Score] | None]) -> list[tuple[str, str, bool]]:
    """Return (value, spread, whether no other is better as printed) for each method and metric."""
    best, told_apart = {}, {}
    for name in _OF_PAPER:
        values = [round(value, METRICS[name].digits) for value in _values(scores, name)]
        best[name] = (max if METRICS[name].larger_is_better else min)(values, default=None)
        told_apart[name] = len({*values}) > 1
    cells = []
    for of_method in scores:
        for name in _OF_PAPER:
            digits, score = METRICS[name].digits, (of_method or {}).get(name)
            if score is None or score.value is None:
                cells.append((DASH, "", False))
                continue
            value, _, spread = with_spread(score, digits).partition(" ± ")
            is_best = told_apart[name] and round(score.value, digits) == best[name]
            cells.append((value, f" ± {spread}" if spread else "", is_best))
    return cells


def _values(scores: Sequence[Mapping[str, Score] | None], metric: str) -> list[float]:
    found = [of_method[metric].value for of_method in scores if of_method]
    return [value for value in found if value is not None]


def _markdown_cell(value: str, spread: str, is_best: bool) -> str:
    return markdown_text(f"{value}{spread}") if not is_best else f"**{markdown_text(value)}**{markdown_text(spread)}"


def _latex_cell(value: str, spread: str, is_best: bool) -> str:
    return (rf"\textbf{{{latex_text(value)}}}" if is_best else latex_text(value)) + latex_text(spread)


def _lines(found: OwnComparison) -> Iterator[dict[str, Any]]:
    for method in found.methods:
        yield from _lines_of(method, found.metric)
    for pair in found.pairs:
        common = {"method": pair.one, "other": pair.other, "metric": found.metric}
        mean, test = pair.mean, pair.test
        yield {
            **common,
            "what": "difference",
            "of": MEAN_OF_VERTEBRAE,
            **_ends(mean.n, mean.value, mean.low, mean.high),
        }
        yield {
            **common,
            "what": "effect",
            "of": PER_CASE,
            **_ends(test.n, test.effect, test.low, test.high),
            "p": test.p,
            "p_holm": test.p_holm,
        }
        for name in (name for name in VERTEBRAE if name in pair.labels):
            each = pair.labels[name].difference
            yield {**common, "what": "difference", "of": name, **_ends(each.n, each.value, each.low, each.high)}


def _lines_of(method: MethodResult, metric: str) -> Iterator[dict[str, Any]]:
    common = {"method": method.name}
    by = {**common, "of": MEAN_OF_VERTEBRAE, "metric": metric}
    yield {**by, "what": "rank", "value": method.rank, "low": method.rank_low, "high": method.rank_high}
    yield {**by, "what": "p_first", "value": method.p_first}
    yield {**by, "what": "rank", "of": PER_CASE, "value": method.per_case_rank}
    for name, scores in {**method.means, **method.labels}.items():
        for of_metric, score in scores.items():
            spread = score.spread
            yield {
                **common,
                "what": "score",
                "of": name,
                "metric": of_metric,
                **_ends(score.n, score.value, score.low, score.high),
                "n_runs": spread.n if spread else None,
                "mean_of_runs": spread.mean if spread else None,
                "sd_of_runs": spread.sd if spread else None,
            }


def _ends(n: int, value: float | None, low: float | None, high: float | None) -> dict[str, Any]:
    return {"n": n, "value": value, "low": low, "high": high}


def _cell(value: object) -> object:
    if isinstance(value, float):
        return float(f"{value:.6g}")
    # A spreadsheet must not take a name for a formula.
    return re.sub(r"^(?=[=+\-@\t\r])", "'", value) if isinstance(value, str) else value
