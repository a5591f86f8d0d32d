"""A submission's scores → tables of text cells: the one place that decides digits, dashes and order.

The official table has the layout of Table 2 of Deng et al., 2024: C1–T6 beside T7–L6, the means below.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import TYPE_CHECKING, Final

from ctspine_bench import __version__
from ctspine_bench.aggregate import HD95_CAP_MM, SLIVER_SHARE
from ctspine_bench.anatomy import VERTEBRAE, vertebra_label
from ctspine_bench.provenance import ENGINE_VERSION
from ctspine_bench.published import VERSE_REANNOTATED_DSC, published_table
from ctspine_bench.rankings.coverage import measured_coverage
from ctspine_bench.report.events import level_ranges
from ctspine_bench.report.variants import FORGIVEN, TITLES, VARIANTS, Variant
from ctspine_bench.testsets import OFFICIAL

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ctspine_bench.evaluate import SubmissionScore
    from ctspine_bench.published import PublishedMeans, PublishedTable
    from ctspine_bench.rankings.coverage import Averaged
    from ctspine_bench.summary import Estimate, Means, OfficialTable, Sensitivity, Summary

DASH: Final = "–"
"""What stands in a cell whose number is not defined."""
MARK: Final = "†"
"""What follows a label that no reference of the set has."""

_LEFT_BLOCK: Final = 13
_IDS_TOLD: Final = 3
_OF_VERTEBRAE: Final = "Mean of Vertebrae"
_WITHOUT_L6: Final = "… without L6"
_OF_SPINE: Final = "Mean of Spine"
_RULE: Final = (
    "n: cases that have the label in the reference or in the prediction; labels under Mean of Vertebrae; cases under "
    f"Mean of Spine. What is missed or spurious counts as DSC 0 and HD95 {HD95_CAP_MM:.0f} mm; HD95 is capped there."
)
_NOTES: Final[Mapping[Variant, str]] = {
    "official": _RULE,
    "hd95-matched": "n as in the official table; the second n counts what is matched, in reference and prediction. "
    "HD95 is over these alone, without a cap: who finds less can look better.",
    "border-forgiven": f"{_RULE} {FORGIVEN}",
    "complete": f"{_RULE} Only vertebrae inside the field of view, without slivers (under {SLIVER_SHARE:.0%} of their "
    "level's median volume). The spine has no such variant.",
    "cut": f"{_RULE} Only vertebrae at the first or last slice, without slivers (under {SLIVER_SHARE:.0%} of their "
    "level's median volume). The spine has no such variant.",
    "without-l6": f"{_RULE} The spine is that of the official table.",
}


@dataclass(frozen=True)
class TextTable:
    """A table as people see it; every output draws the same cells.

    Attributes:
        title: What it is.
        header: Name of each column.
        names: Which columns name their row; the others hold numbers.
        rows: Cells of each row.
        means: Cells of the rows below, set apart.
        note: What a reader has to know.
    """

    title: str
    header: tuple[str, ...]
    names: tuple[int, ...]
    rows: tuple[tuple[str, ...], ...]
    means: tuple[tuple[str, ...], ...] = ()
    note: str = ""


def number(value: float | None, digits: int) -> str:
    """Return a number with that many digits behind the point, a dash for `None`."""
    return DASH if value is None else f"{value:.{digits}f}"


def dsc(value: float | None) -> str:
    """Return a DSC or another share between 0 and 1 with three digits."""
    return number(value, 3)


def mm(value: float | None) -> str:
    """Return a distance in mm with two digits."""
    return number(value, 2)


def percent(value: float | None) -> str:
    """Return a share between 0 and 1 as a percentage."""
    return DASH if value is None else f"{value:.1%}"


def about_intervals(summary: Summary) -> str:
    """Return what the intervals of means are, and what was measured where they cover less; empty without any."""
    n = summary.per_case["dsc"].n
    if summary.per_case["dsc"].low is None:
        return ""
    of_means: dict[str, Averaged] = {"per case": "per_case", "over all vertebrae": "mean_over_vertebrae"}
    shares = {name: share for name, of in of_means.items() if (share := measured_coverage(n, of))}
    told = " and ".join(f"{100 * share:.0f} % {name}" for name, share in shares.items())
    return "95 % intervals over cases" + (f"; with {n} cases they cover {told} in simulations" if told else "")


def estimate(value: Estimate, digits: int) -> str:
    """Return a mean with its 95 % interval, if it has one."""
    if value.low is None or value.high is None:
        return number(value.mean, digits)
    return f"{number(value.mean, digits)} [{number(value.low, digits)}, {number(value.high, digits)}]"


def chosen(summary: Summary, variant: Variant) -> OfficialTable:
    """Return the table of a variant: what its `hd95_mm` and its Mean of Vertebrae are is the variant's."""
    official = summary.official
    if variant == "official":
        return official
    if variant == "hd95-matched":
        return _with_hd95_of_matched(official)
    if variant == "without-l6":
        labels = {name: means for name, means in official.labels.items() if name != "L6"}
        return replace(official, labels=labels, mean_of_vertebrae=official.mean_of_vertebrae_without_l6)
    return summary.variants[variant.replace("-", "_")]


def _with_hd95_of_matched(table: OfficialTable) -> OfficialTable:
    def changed(means: Means) -> Means:
        return replace(means, hd95_mm=means.hd95_matched_mm)

    return replace(
        table,
        labels={name: changed(means) for name, means in table.labels.items()},
        mean_of_vertebrae=changed(table.mean_of_vertebrae),
        mean_of_vertebrae_without_l6=changed(table.mean_of_vertebrae_without_l6),
        mean_of_spine=changed(table.mean_of_spine),
    )


def paper_table(summary: Summary, variant: Variant = "official") -> TextTable:
    """Return the official table, or a variant of it, in the layout of the paper, with n beside every mean."""
    table = chosen(summary, variant)
    with_matched = variant == "hd95-matched"

    def row(name: str, means: Means) -> tuple[str, ...]:
        matched = (str(means.n_matched),) if with_matched else ()
        return (name, str(means.n), dsc(means.dsc), *matched, mm(means.hd95_mm))

    labels = [row(_marked(name, means, summary), means) for name, means in table.labels.items()]
    of_vertebrae, of_spine = row(_OF_VERTEBRAE, table.mean_of_vertebrae), row(_OF_SPINE, table.mean_of_spine)
    nothing = ("",) * len(of_spine)
    without_l6 = () if variant == "without-l6" else (row(_WITHOUT_L6, table.mean_of_vertebrae_without_l6),)
    shown = [name for name, means in table.labels.items() if means.n]
    return TextTable(
        title=TITLES[variant],
        header=("Label", "n", "DSC", *(("n",) if with_matched else ()), "HD95 mm") * 2,
        names=(0, len(nothing)),
        rows=tuple((*a, *b) for a, b in zip_longest(labels[:_LEFT_BLOCK], labels[_LEFT_BLOCK:], fillvalue=nothing)),
        means=((*of_vertebrae, *of_spine), *((*means, *nothing) for means in without_l6)),
        note=" ".join(filter(None, (_NOTES[variant], _without_reference(summary, shown)))),
    )


def _marked(name: str, means: Means, summary: Summary) -> str:
    return f"{name}{MARK}" if means.n and name in summary.without_reference else name


def _without_reference(summary: Summary, shown: Sequence[str]) -> str:
    """Return where the labels come from that no reference has."""
    told = [(name, ids) for name, ids in summary.without_reference.items() if name in shown]
    if not told:
        return ""
    named = "; ".join(f"{name} in {_some(ids)}" for name, ids in told)
    return f"{MARK} No reference of the set has it, only predictions do: {named}."


def _some(ids: Sequence[str]) -> str:
    more = f" +{len(ids) - _IDS_TOLD} more" if len(ids) > _IDS_TOLD else ""
    return ", ".join(ids[:_IDS_TOLD]) + more


def published_comparison(score: SubmissionScore) -> TextTable | None:
    """Return the scores beside the published nnU-Net; `None` unless a test set of the paper is scored completely.

    DSC follows the paper's rule, HD95 is that of matched vertebrae. A difference stands only where both numbers are
    over the same labels.
    """
    published = published_table(score.test_set.name)
    if published is None or score.summary is None or not score.complete:
        return None
    table, pooled = score.summary.official, score.settings.pooled
    of_hd95 = ("matched", "HD95 mm", "paper", "Δ", *(("pooled",) if pooled else ()))
    all_labels = len(VERTEBRAE)
    means = (
        (_OF_VERTEBRAE, table.mean_of_vertebrae, published.mean_of_vertebrae, all_labels),
        (_WITHOUT_L6, table.mean_of_vertebrae_without_l6, published.mean_without_l6, all_labels - 1),
        (_OF_SPINE, table.mean_of_spine, published.mean_of_spine, 1),
    )
    return TextTable(
        title="Beside the published nnU-Net (Table 2 of Deng et al., 2024)",
        header=("Label", "n", "DSC", "paper", "Δ", *of_hd95),
        names=(0,),
        rows=tuple(
            _beside(_marked(name, of_label, score.summary), of_label, published.labels[name], 1, pooled=pooled)
            for name, of_label in table.labels.items()
        ),
        means=tuple(_beside(*row, pooled=pooled) for row in means),
        note=_comparison_note(score, table.mean_of_vertebrae, published),
    )


def no_comparison(score: SubmissionScore) -> str:
    """Return why a test set of the paper is not compared with it; empty when it is, and for any other set."""
    if published_table(score.test_set.name) is None or score.complete:
        return ""
    expected, found = score.test_set.expected_count, len(score.results)
    if expected not in {None, found}:
        return f"No comparison with the paper: {expected} cases expected, {found} found."
    return f"No comparison with the paper: {len(score.failures)} of {found} cases could not be scored from their files."


def _comparison_note(score: SubmissionScore, means: Means, published: PublishedTable) -> str:
    rule = (
        "DSC: the paper's rule is this benchmark's (nnUNet_evaluate_folder … -l 1 … 25, step 5 of the data set's "
        "instructions). HD95: over matched vertebrae, as in the paper, which does not say which HD95 it took. "
        "Δ: this submission minus the paper."
    )
    sentences = [rule]
    if score.settings.pooled:
        sentences.append("pooled: HD95 in mm as medpy computes it, over matched vertebrae.")
    lacking = [
        f"{metric} is over {n} of {len(VERTEBRAE)} labels"
        for metric, n in (("DSC", means.n), ("HD95", means.n_matched))
        if n < len(VERTEBRAE)
    ]
    if lacking:
        sentences.append(f"No Δ of {_OF_VERTEBRAE} where labels lack: {', '.join(lacking)}.")
    if score.test_set.name == "verse":
        sentences.append(
            f"On VerSe the authors later report a mean DSC of {VERSE_REANNOTATED_DSC:.3f} instead of "
            f"{published.mean_of_vertebrae.dsc:.3f}, after annotating partly visible vertebrae in the 41 cases."
        )
    return " ".join(sentences)


def to_report(score: SubmissionScore) -> str:
    """Return what to report and to cite in a line; empty unless an official test set is scored completely."""
    if score.summary is None or not score.complete or score.test_set.name not in OFFICIAL:
        return ""
    mean = score.summary.official.mean_of_vertebrae
    return (
        f"To report: {_OF_VERTEBRAE} DSC {dsc(mean.dsc)}, HD95 {mm(mean.hd95_mm)} mm (ctspine-bench {__version__}, "
        f"rule {ENGINE_VERSION}, {score.test_set.title}, n = {len(score.results)}). Cite: Deng et al., 2024 "
        "(CTSpine1K), and this software (CITATION.cff). Words and a table to copy: docs/reporting.md"
    )


def sensitivity_table(summary: Summary) -> TextTable:
    """Return mean HD95 under three policies for what was missed or spurious."""

    def row(name: str, values: Sensitivity) -> tuple[str, ...]:
        return (name, mm(values.excluded), mm(values.cap_100mm), mm(values.image_diagonal))

    return TextTable(
        title="Sensitivity: HD95 in mm by what a missed or spurious mask counts",
        header=("", "left out", f"{HD95_CAP_MM:.0f} mm (official)", "image diagonal"),
        names=(0,),
        rows=(
            row(_OF_VERTEBRAE, summary.sensitivity["mean_of_vertebrae"]),
            row(_OF_SPINE, summary.sensitivity["mean_of_spine"]),
        ),
    )


def variants_table(summary: Summary) -> TextTable:
    """Return Mean of Vertebrae by the official rule and in each variant."""

    def row(variant: Variant) -> tuple[str, ...]:
        table = chosen(summary, variant)
        words = TITLES[variant].partition(": ")[2] or "by the official rule"
        mean, labels = table.mean_of_vertebrae, table.labels.values()
        if variant == "hd95-matched":
            return (words, str(mean.n_matched), str(sum(means.n_matched for means in labels)), DASH, mm(mean.hd95_mm))
        return (words, str(mean.n), str(sum(means.n for means in labels)), *_cells(mean))

    return TextTable(
        title=f"{_OF_VERTEBRAE} and its variants",
        header=("", "labels", "vertebrae", "DSC", "HD95 mm"),
        names=(0,),
        rows=tuple(row(variant) for variant in VARIANTS),
    )


def source_table(summary: Summary) -> TextTable:
    """Return the means of each data source."""
    return _strata_table("By source, on all labels of each", "Source", summary.sources)


def shared_labels_table(summary: Summary) -> TextTable | None:
    """Return every two sources on the labels that the references of both have; `None` when no two share any."""
    if not summary.shared_labels:
        return None
    return TextTable(
        title="Two sources at a time, on the labels that they share",
        header=("Source", "DSC", "HD95 mm", "Source", "DSC", "HD95 mm", "labels"),
        names=(0, 3, 6),
        rows=tuple(
            (
                *(pair.sources[0], dsc(pair.dsc[0]), mm(pair.hd95_mm[0])),
                *(pair.sources[1], dsc(pair.dsc[1]), mm(pair.hd95_mm[1])),
                level_ranges(vertebra_label(name) for name in pair.labels),
            )
            for pair in summary.shared_labels
        ),
        note=f"DSC and HD95: {_OF_VERTEBRAE} over these labels. Means over different labels can reverse an order.",
    )


def strata_tables(summary: Summary) -> tuple[TextTable, ...]:
    """Return the means by slice spacing and transitional anatomy."""
    return (
        _strata_table("By slice spacing", "Spacing", summary.strata["slice_spacing"]),
        _strata_table("By transitional anatomy (an L6, or no L5)", "Transitional", summary.strata["transitional"]),
    )


def _strata_table(title: str, kind: str, strata: Mapping[str, OfficialTable]) -> TextTable:
    def row(name: str, table: OfficialTable) -> tuple[str, ...]:
        n_vertebrae = sum(means.n for means in table.labels.values())
        means = (*_cells(table.mean_of_vertebrae), *_cells(table.mean_of_spine))
        return (name, str(table.n_cases), str(n_vertebrae), *means)

    return TextTable(
        title=title,
        header=(kind, "cases", "vertebrae", "DSC", "HD95 mm", "spine DSC", "spine HD95 mm"),
        names=(0,),
        rows=tuple(row(name, table) for name, table in strata.items()),
        note=f"DSC and HD95: {_OF_VERTEBRAE}, over the labels that are there.",
    )


def _cells(means: Means) -> tuple[str, str]:
    return dsc(means.dsc), mm(means.hd95_mm)


def _beside(name: str, ours: Means, paper: PublishedMeans, needed: int, *, pooled: bool) -> tuple[str, ...]:
    """Return a row beside the paper's, its differences only where at least so many masks or labels enter."""
    hd95_mm = ours.hd95_matched_mm
    return (
        *(name, str(ours.n), dsc(ours.dsc), dsc(paper.dsc)),
        _difference(ours.dsc, paper.dsc, 3) if ours.n >= needed else DASH,
        *(str(ours.n_matched), mm(hd95_mm), mm(paper.hd95_mm)),
        _difference(hd95_mm, paper.hd95_mm, 2) if ours.n_matched >= needed else DASH,
        *((mm(ours.hd95_pooled_matched_mm),) if pooled else ()),
    )


def _difference(ours: float | None, paper: float, digits: int) -> str:
    """Return the signed difference of the numbers as they are printed, with a true minus sign."""
    if ours is None:
        return DASH
    return f"{round(ours, digits) - paper:+.{digits}f}".replace("-", "−")
