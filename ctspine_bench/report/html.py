"""The HTML report: one file that opens offline and asks nobody for anything."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from importlib import resources
from typing import TYPE_CHECKING, Any, Final

import jinja2
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from ctspine_bench.aggregate import HD95_CAP_MM
from ctspine_bench.charts import one_submission as charts
from ctspine_bench.charts.style import CAUSES
from ctspine_bench.files import replacing
from ctspine_bench.provenance import provenance_of
from ctspine_bench.report import layout
from ctspine_bench.report.events import case_events
from ctspine_bench.report.pictures import DIFFERENCES
from ctspine_bench.report.worst import worst_cases

if TYPE_CHECKING:
    from pathlib import Path

    import plotly.graph_objects as go

    from ctspine_bench.evaluate import SubmissionScore
    from ctspine_bench.pairing import Plan
    from ctspine_bench.summary import Summary

_TEMPLATES: Final = resources.files("ctspine_bench.report").joinpath("templates")


@dataclass(frozen=True)
class Chart:
    """A chart of the report.

    Attributes:
        name: Its id in the page.
        figure: The figure.
        alt: What it shows, in words.
        min_width: Narrower screens scroll, in pixels.
    """

    name: str
    figure: go.Figure
    alt: str
    min_width: int

    @property
    def height(self) -> int:
        """Its height in pixels."""
        return int(self.figure.layout.height)

    @property
    def json(self) -> Markup:
        """The figure for a script element, which no text in it can close."""
        return Markup(self.figure.to_json().replace("<", "\\u003c"))  # noqa: S704 -- JSON without a "<"


def write_report(score: SubmissionScore, path: Path, plan: Plan | None = None, command: str = "") -> None:
    """Write the report as one HTML file, in one step.

    Args:
        score: What to report.
        path: The file to write.
        plan: Where the files of the cases are; without it there are no pictures.
        command: The command that was called, for the provenance.
    """
    page = report_page(score, plan, command)
    with replacing(path) as temporary:
        temporary.write_text(page, encoding="utf-8")


def report_page(score: SubmissionScore, plan: Plan | None = None, command: str = "") -> str:
    """Return the report as HTML; arguments as `write_report`."""
    # Everything that is not Markup is escaped: names of files and folders are a stranger's text.
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(_source), autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    environment.filters |= {"dsc": layout.dsc, "mm": layout.mm, "percent": layout.percent, "estimate": layout.estimate}
    return environment.get_template("report.html.j2").render(
        score=score,
        summary=score.summary,
        provenance=_provenance(score, command),
        events=case_events(score),
        notes=_notes(score),
        cap_mm=HD95_CAP_MM,
        to_report=layout.to_report(score),
        dash=layout.DASH,
        css=Markup(_source("report.css")),  # noqa: S704 -- ships with the package
        script=Markup(_source("report.js")),  # noqa: S704 -- likewise
        plotly=Markup(get_plotlyjs()),  # noqa: S704 -- likewise, with plotly
        **(_aggregates(score, score.summary, plan) if score.summary else {}),
    )


def _source(name: str) -> str:
    return _TEMPLATES.joinpath(name).read_text(encoding="utf-8")


def _aggregates(score: SubmissionScore, summary: Summary, plan: Plan | None) -> dict[str, Any]:
    by_source = [layout.source_table(summary), layout.shared_labels_table(summary)] if summary.sources else []
    return {
        "paper_table": layout.paper_table(summary),
        "comparison": layout.published_comparison(score),
        "no_comparison": layout.no_comparison(score),
        "about_intervals": layout.about_intervals(summary),
        "variants": layout.variants_table(summary),
        "sensitivity": layout.sensitivity_table(summary),
        "strata": [*(table for table in by_source if table), *layout.strata_tables(summary)],
        "shifts": {shift.replace("-", "−"): n for shift, n in summary.identification.label_shifts.items() if n},
        "losses": _losses(summary),
        "charts": {chart.name: chart for chart in _charts(score)},
        "worst": worst_cases(score, plan),
        "differences": DIFFERENCES,
    }


def _losses(summary: Summary) -> list[tuple[str, str, float]]:
    """Return the causes that lose DSC: what people read, the name of its colours in the page, the part of 1."""
    parts = [(title, column.removeprefix("loss_")) for column, title, *_ in CAUSES]
    values = asdict(summary.loss)
    return [(title, name, values[name]) for title, name in parts if values[name] is not None]


def _charts(score: SubmissionScore) -> tuple[Chart, ...]:
    table = score.table
    if not (table["row"] == "vertebra").any():
        return ()
    return (
        Chart(
            "strip",
            charts.label_strip(table),
            "DSC above and HD95 below for every vertebra from C1 to L6: mean, quartiles, outliers. "
            "The means are those of the official table.",
            720,
        ),
        Chart(
            "cases",
            charts.case_distribution(table),
            "Mean DSC and mean HD95 of every case, by source. The intervals are in the text.",
            560,
        ),
        Chart(
            "confusion",
            charts.shift_confusion(table),
            "For every reference vertebra, how often it was called by which name, and how often it was missed.",
            760,
        ),
        Chart(
            "losses",
            charts.loss_bars(table),
            "Lost DSC of every vertebra, by cause: wrong name, missed, outline, spurious.",
            640,
        ),
    )


def _provenance(score: SubmissionScore, command: str) -> dict[str, str]:
    """Return the provenance as lines: what → value."""
    provenance = asdict(provenance_of({score.test_set.name: score.results}, score.settings, command))
    digests = provenance.pop("digests")[score.test_set.name]
    provenance |= {f"{side}_sha256": digest for side, digest in digests.items()}
    return {
        name.replace("_", " "): _in_words(value) if isinstance(value, dict) else str(value) or layout.DASH
        for name, value in provenance.items()
    }


def _in_words(values: dict[str, Any]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {_value_in_words(value)}" for name, value in values.items())


def _value_in_words(value: Any) -> str:
    if isinstance(value, dict):  # a label map: its name, and a digest that tells equal names apart
        return f"{value['name']} ({value['sha256'][:8]})"
    return {True: "yes", False: "no", None: "no"}.get(value, str(value))


def _notes(score: SubmissionScore) -> dict[str, list[str]]:
    """Return what was accepted but is worth knowing: the note → the cases that it is about."""
    notes: dict[str, list[str]] = {}
    for result in score.results:
        for note in result.notes:
            notes.setdefault(note, []).append(result.case_id)
    return notes
