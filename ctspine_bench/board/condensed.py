"""Of a record, what the pages of a board need: checked, small, and quick to read again.

results.json is written by the scorer, but it lies in a repository where anybody can break it: whatever is not of the
expected shape makes the record a broken one, and keys that nobody asks for are left behind.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ctspine_bench.aggregate import VARIANTS
from ctspine_bench.anatomy import VERTEBRAE
from ctspine_bench.board.parts import Part, broken
from ctspine_bench.board.trained import training
from ctspine_bench.errors import SubmissionError
from ctspine_bench.rankings.paired import METRICS, pair, same_references
from ctspine_bench.submissions.folder import CASES, RESULTS
from ctspine_bench.submissions.plain_text import shown
from ctspine_bench.testsets import OFFICIAL, PHANTOM, named

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ctspine_bench.rankings.paired import PairedScores
    from ctspine_bench.submissions.records import Record

TEST_SETS: Final = (*OFFICIAL, *PHANTOM)

_MEANS: Final = (*METRICS, "hd95_matched_mm", "hd95_pooled_matched_mm")
_SUMMARIES: Final = ("mean_of_vertebrae", "mean_of_vertebrae_without_l6", "mean_of_spine")
_SHORT_MEANS: Final = ("dsc", "hd95_mm")
_COUNTS: Final = ("matched", "missed", "spurious", "spurious_at_border", "spurious_ml", "failed")
_NAMING: Final = (
    "levels_right", "identification_rate", "verse_id_rate", "localisation_mm", "dsc_unshifted", "dsc_instance",
    "panoptic_quality",
)  # fmt: skip
_LOSSES: Final = ("identification", "missed", "boundary", "spurious")
# Scores may be beyond their ends by this much.
_ROUNDING: Final = 1e-9
_PROVENANCE: Final = ("version", "created", "command")


def condensed(record: Record) -> dict[str, Any] | None:
    """Return what pages need of the results of a record; `None` if it has none.

    Of an outdated record that is which test sets it is about: its numbers follow other rules.

    Raises:
        SubmissionError: E_RECORD, something is not of the expected shape.
    """
    if record.results is None:
        return None
    results = Part(record.results, f"{record.slug}/{RESULTS}")
    submission = results.part("submission")
    provenance = results.part("provenance")
    return {
        "test_sets": {
            name: _test_set(Part({}, record.slug) if record.outdated else results.part("test_sets").part(name), name)
            for name in TEST_SETS
            if name in results.part("test_sets").content
        },
        "training": training(results.part("training")) if record.declaration.kind == "baseline" else None,
        "same_predictions_as": [text for text in submission.items("same_predictions_as") if isinstance(text, str)],
        "provenance": {
            **{name: provenance.text(name) for name in _PROVENANCE},
            "engine_version": provenance.count("engine_version"),
            "splits": {name: provenance.part("splits").text(name) for name in provenance.part("splits").content},
            "references": {
                name: provenance.part("digests").part(name).text("references")
                for name in provenance.part("digests").content
            },
        },
    }


def paired_scores(record: Record) -> dict[str, PairedScores]:
    """Return test set → scores of the vertebrae, of the test sets whose cases are public.

    Raises:
        SubmissionError: E_RECORD, the case table is broken.
    """
    if record.cases is None:
        return {}
    found = {}
    for name in TEST_SETS:
        rows = record.cases[record.cases["test_set"] == name]
        if not len(rows) or named(name).private:
            continue
        try:
            found[name] = pair({record.slug: rows})
        except SubmissionError:
            raise
        except (ValueError, TypeError, KeyError, IndexError) as error:
            raise broken(f"{record.slug}/{CASES}", "a case table", shown(error, 100)) from None
        _check_scores(found[name], f"{record.slug}/{CASES}")
    return found


def largest_group(parts: Sequence[PairedScores]) -> list[PairedScores]:
    """Return those that are about the same cases and references as most others are; at least one must be given.

    The same digests of references go with the same vertebrae, unless somebody has changed a table.
    """
    groups: list[list[PairedScores]] = []
    for part in parts:
        same = next((group for group in groups if same_references(group[0].vertebrae, part.vertebrae)), None)
        if same is None:
            groups.append([part])
        else:
            same.append(part)
    return max(groups, key=len)


def _check_scores(paired: PairedScores, path: str) -> None:
    """Refuse scores that no prediction can have: they would lead the board."""
    for name, values in paired.measures.items():
        largest = METRICS["hd95_mm"].worst if name == "hd95_mm" else 1.0
        if (values < -_ROUNDING).any() or (values > largest + _ROUNDING).any():
            raise broken(path, f"{name} between 0 and {largest:g}", "numbers beyond")


def _test_set(part: Part, name: str) -> dict[str, Any]:
    of_cases = Part({}, name) if named(name).private else part
    return {
        "n_cases": part.count("n_cases"),
        "expected_cases": part.count("expected_cases"),
        "private": part.flag("private"),
        "complete": part.flag("complete"),
        "labels": {
            name: _means(part.part("labels").part(name)) for name in VERTEBRAE if name in part.part("labels").content
        },
        **{name: _means(part.part(name)) for name in _SUMMARIES},
        "counts": {name: part.part("counts").count(name) for name in _COUNTS},
        **{
            over: {
                name: {key: part.part(over).part(name).number(key) for key in ("mean", "low", "high")}
                for name in METRICS
            }
            for over in ("per_case", "over_vertebrae")
        },
        "identification": {
            **{name: part.part("identification").number(name) for name in _NAMING},
            "label_shifts": {
                str(name)[:8]: part.part("identification").part("label_shifts").count(name)
                for name in part.part("identification").part("label_shifts").content
            },
        },
        "loss": {name: part.part("loss").number(name) for name in _LOSSES},
        "sources": {name: _source(part.part("sources").part(name)) for name in part.part("sources").content},
        "variants": {
            name: _variant(of_cases.part("variants").part(name))
            for name in VARIANTS
            if name in of_cases.part("variants").content
        },
        "without_reference": {
            name: [shown(case_id, 100) for case_id in of_cases.part("without_reference").texts(name)]
            for name in VERTEBRAE
            if name in of_cases.part("without_reference").content
        },
        "shared_labels": [_shared_labels(pair) for pair in of_cases.parts("shared_labels")],
    }


def _means(part: Part) -> dict[str, Any]:
    counts = {name: part.count(name) for name in ("n", "n_reference", "n_matched")}
    return {**counts, **{name: part.number(name) for name in _MEANS}}


def _variant(part: Part) -> dict[str, Any]:
    """Return a table over some vertebrae: what it shows of a label or a mean, and no more."""
    return {
        "labels": {name: _short_means(part.part("labels").part(name)) for name in VERTEBRAE},
        **{name: _short_means(part.part(name)) for name in _SUMMARIES},
    }


def _short_means(part: Part) -> dict[str, Any]:
    return {"n": part.count("n"), **{name: part.number(name) for name in _SHORT_MEANS}}


def _shared_labels(part: Part) -> dict[str, Any]:
    return {
        "sources": [shown(source, 100) for source in part.texts("sources", 2)],
        "labels": [name for name in part.texts("labels") if name in VERTEBRAE],
        **{name: part.numbers(name, most=2, least=2) for name in _SHORT_MEANS},
    }


def _source(part: Part) -> dict[str, Any]:
    return {
        "n_cases": part.count("n_cases"),
        "mean_of_vertebrae": _means(part.part("mean_of_vertebrae")),
        "mean_of_spine": _means(part.part("mean_of_spine")),
    }
