"""What results.json may hold of a private test set, place by place, said without the code that writes it."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from ctspine_bench.anatomy import VERTEBRAE
from ctspine_bench.errors import CODES
from ctspine_bench.hosting.disclosure import results as disclosure
from ctspine_bench.testsets import SOURCES

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    import pandas as pd

    from ctspine_bench.evaluate import SubmissionScore

    Place = tuple[str, ...]
    Allowed = Callable[[Any], bool]

FEW: Final = "<5"


def _number(value: Any) -> bool:
    return value is None or type(value) is float


def _count(value: Any) -> bool:
    return value is None or type(value) is int or value == FEW


def _only(*values: Any) -> Allowed:
    return lambda value: any(value is each or (type(value) is type(each) and value == each) for each in values)


def _like(pattern: str) -> Allowed:
    return lambda value: type(value) is str and re.fullmatch(pattern, value, re.ASCII) is not None


_DIGEST = _like("[0-9a-f]{64}")
_VERSION = _like(r"\d{1,4}(\.\d{1,4}){1,3}")
_NAMES: Final[Mapping[str, Collection[str]]] = {
    "<label>": VERTEBRAE,
    "<source>": SOURCES,
    "<measure>": ("dsc", "hd95_mm", "nsd_1mm", "nsd_2mm", "nsd_3mm"),
    "<shift>": ("-3", "-2", "-1", "0", "+1", "+2", "+3", "none"),
}
"""Which keys may stand in a place of which there are several."""


def _means(place: str) -> dict[str, Allowed]:
    return {f"{place} n_reference": _count, f"{place} dsc": _number, f"{place} hd95_mm": _number}


def _total(place: str) -> dict[str, Allowed]:
    return {**_means(place), f"{place} hd95_matched_mm": _number}


def _aggregates() -> dict[str, Allowed]:
    return {
        **{f"counts {each}": _count for each in ("matched", "missed", "spurious", "spurious_at_border", "failed")},
        "counts spurious_ml": _number,
        **_means("labels <label>"),
        **_total("mean_of_vertebrae"),
        **_means("mean_of_vertebrae_without_l6"),
        **_total("mean_of_spine"),
        "per_case <measure> n_reference": _count,
        **{f"per_case <measure> {part}": _number for part in ("mean", "low", "high")},
        "identification levels_right": _number,
        "identification identification_rate": _number,
        "identification localisation_mm": _number,
        "identification dsc_unshifted": _number,
        "identification dsc_instance": _number,
        "identification panoptic_quality": _number,
        "identification label_shifts <shift>": _count,
        **{f"loss {part}": _number for part in ("identification", "missed", "boundary", "spurious")},
        "sources <source> n_cases": _count,
        **_means("sources <source> mean_of_spine"),
    }


def _of_test_set(score: SubmissionScore, own_cases: Collection[str]) -> dict[str, Allowed]:
    messages = [f"{code}: {meaning}" for code, meaning in CODES.items()]
    return {
        "title": _only(score.test_set.title),
        "note": _only(score.test_set.note),
        "private": _only(True),
        "n_cases": _count,
        "expected_cases": _only(score.test_set.expected_count),
        "complete": _only(True, False),
        "failures": _only([]),
        "failures [] case_id": _only(*own_cases),
        "failures [] code": _only(*CODES),
        "failures [] side": _only("prediction"),
        # What was refused at intake is told in full, in words about the participant's own file.
        "failures [] message": lambda text: text in messages or _like("E_[A-Z_]+: p[.]zip: .{1,200}")(text),
        "n_other_failures": lambda value: type(value) is int,
        **_aggregates(),
    }


def allowed_places(score: SubmissionScore, own_cases: Collection[str]) -> dict[str, Allowed]:
    """Place in results.json → what may stand there; everywhere else, nothing may."""
    name = score.test_set.name
    return {
        "schema_version": _only(2),
        "kind": _only("scored"),
        "cases_sha256": _DIGEST,
        "submission slug": _only("a-method"),
        "submission declaration_sha256": _DIGEST,
        f"submission archives {name}": _DIGEST,
        "submission commit": _only(None),
        "submission same_predictions_as": lambda value: value == [],
        **{f"test_sets {name} {place}": allowed for place, allowed in _of_test_set(score, own_cases).items()},
        **{f"policies {what}_{metric}": _only(0.0) for what in ("missed", "spurious") for metric in ("dsc", "nsd")},
        **{f"policies {what}_hd95_mm": _only(100.0) for what in ("missed", "spurious")},
        "policies hd95_cap_mm": _only(100.0),
        **{
            f"policies {each}": _like("[A-Za-z ,-]+")
            for each in ("labels", "mean_of_vertebrae", "mean_of_spine", "failed_case")
        },
        "provenance version": _VERSION,
        "provenance engine_version": lambda value: type(value) is int,
        f"provenance digests {name} references": _DIGEST,
        f"provenance digests {name} predictions": _DIGEST,
        f"provenance splits {name}": _DIGEST,
        **{f"provenance settings {side}_label_map name": _like("[a-z0-9]+") for side in ("reference", "prediction")},
        **{f"provenance settings {side}_label_map sha256": _DIGEST for side in ("reference", "prediction")},
        "provenance settings resample": _only(None),
        "provenance settings pooled_hd95": _only(False),
        "provenance created": _like(r"[0-9T:+-]{25}"),
        "provenance command": _only(""),
        **{f"provenance software {each}": _VERSION for each in ("python", "numpy", "scipy", "numba", "nibabel")},
    }


def unlawful(document: Mapping[str, Any], score: SubmissionScore, own_cases: Collection[str]) -> list[str]:
    """Return what is wrong in a results.json about one private test set, with its place; nothing if it is in order.

    Args:
        document: Its content.
        score: What the references tell about the same predictions.
        own_cases: The cases whose names the participant knows.
    """
    allowed = allowed_places(score, own_cases)
    found = dict(_leaves(document))
    wrong = [f"{' '.join(at)}: {found[at]!r}" for at in found if not any(map(_fits(at, found[at]), allowed.items()))]
    stated = document["test_sets"][score.test_set.name]
    true = json.loads(json.dumps(disclosure.public_aggregates(score.summary, score.table)))
    wrong += [f"{key}: not what its cases give" for key in true if stated.get(key) != true[key]]
    for place, expected in _of_few_cases(score).items():
        at = ("test_sets", score.test_set.name, *place.split(" "))
        wrong += [f"{' '.join(at)}: {found.get(at)!r} of few cases"] if found.get(at) != expected else []
    return wrong


def _leaves(part: Any, at: Place = ()) -> Iterator[tuple[Place, Any]]:
    if part and isinstance(part, dict):
        for key, value in part.items():
            yield from _leaves(value, (*at, key))
    elif part and isinstance(part, list):
        for number, value in enumerate(part):
            yield from _leaves(value, (*at, f"[{number}]"))
    else:
        yield at, part


def _fits(at: Place, value: Any) -> Callable[[tuple[str, Allowed]], bool]:
    def fits(entry: tuple[str, Allowed]) -> bool:
        place, allowed = entry[0].split(" "), entry[1]
        return len(place) == len(at) and all(map(_is_key, place, at)) and allowed(value)

    return fits


def _is_key(expected: str, key: str) -> bool:
    if expected == "[]":
        return re.fullmatch(r"\[\d+\]", key) is not None
    return key in _NAMES[expected] if expected in _NAMES else key == expected


def _of_few_cases(score: SubmissionScore) -> dict[str, str | None]:
    """The places of means and counts that are about one to four cases → what stands there instead."""
    vertebrae, cases = (score.table[score.table["row"] == row] for row in ("vertebra", "case"))
    in_reference = vertebrae[vertebrae["status"] != "spurious"]
    places: dict[str, str | None] = {}
    for label in _few(in_reference, "vertebra"):
        places |= {f"labels {label} n_reference": FEW, **_nothing(f"labels {label}")}
    for source in _few(cases, "source"):
        places |= {f"sources {source} n_cases": FEW, **_nothing(f"sources {source} mean_of_spine")}
    places |= {f"counts {status}": FEW for status in _few(vertebrae, "status")}
    for row, place in (("vertebra", "mean_of_vertebrae"), ("spine", "mean_of_spine")):
        departing = score.table[(score.table["row"] == row) & score.table["status"].isin(["missed", "spurious"])]
        if 0 < departing["case_id"].nunique() < 5:
            places[f"{place} hd95_matched_mm"] = None
    right = cases["levels_right"]
    if 0 < int(right.sum()) < 5 or 0 < int((~right).sum()) < 5:
        places["identification levels_right"] = None
    if set(_few(vertebrae[vertebrae["status"] != "matched"], "status")):
        places |= {f"loss {part}": None for part in ("identification", "missed", "boundary", "spurious")}
    shifts = score.summary.identification.label_shifts
    places |= {f"identification label_shifts {shift}": FEW for shift, n in shifts.items() if 0 < n < 5}
    if len(cases) < 5:
        places |= {"n_cases": FEW, **_nothing("mean_of_vertebrae"), **_nothing("mean_of_spine")}
    return places


def _few(rows: pd.DataFrame, column: str) -> list[str]:
    n_cases = rows.groupby(column, observed=True)["case_id"].nunique()
    return [str(name) for name, n in n_cases.items() if n < 5]


def _nothing(place: str) -> dict[str, str | None]:
    return {f"{place} dsc": None, f"{place} hd95_mm": None}
