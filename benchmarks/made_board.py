"""A large board on disk without a voxel: made scores on the three official test sets, by their real case names.

436 cases with about eleven vertebrae each; 200 submissions make about a million rows. The spines have the regions of
their sources, the scores are skewed as real ones are, and submissions differ in outlines, wrong names, misses and
spurious vertebrae.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ctspine_bench.aggregate import summarise
from ctspine_bench.anatomy import VERTEBRAE
from ctspine_bench.evaluate import SubmissionScore
from ctspine_bench.files import sha256_of
from ctspine_bench.hosting.disclosure.results import public_results
from ctspine_bench.hosting.public_record import joined_scores, write_record
from ctspine_bench.hosting.store import PrivateStore
from ctspine_bench.provenance import Settings
from ctspine_bench.records import CaseResult
from ctspine_bench.submissions.declaration import Archive, Declaration, Training
from ctspine_bench.submissions.folder import RESULTS
from ctspine_bench.submissions.reading import DECLARATION
from ctspine_bench.submissions.writing import write_submission
from ctspine_bench.tables import COLUMNS
from ctspine_bench.testsets import OFFICIAL, TestSet, official, source_of

if TYPE_CHECKING:
    from pathlib import Path

_FIRST = {"COLONOG": 14, "HNSCC-3DCT-RT": 0, "MSD-T10": 12, "COVID-19": 6, "VerSe": 9}
_SPACING_MM = {"COLONOG": 0.8, "HNSCC-3DCT-RT": 2.0, "MSD-T10": 1.25, "COVID-19": 4.5, "VerSe": 0.9}
_VERSE_CASES = tuple(f"verse{number:03d}" for number in range(500, 541))


def make(folder: Path, submissions: int) -> None:
    """Write `submissions/` and `private-store/` for that many submissions; those that are there stay."""
    of_sets = references()
    for number in range(submissions):
        if not (folder / "submissions" / f"made-{number:03d}" / RESULTS).exists():
            write_one(folder, of_sets, number)


def write_one(folder: Path, references: dict[str, pd.DataFrame], number: int) -> Path:
    """Write one submission, its private rows into the store; return its folder."""
    store, slug = PrivateStore(folder / "private-store"), f"made-{number:03d}"
    submission = folder / "submissions" / slug
    scores = [_score(official(name), references[name], number) for name in OFFICIAL]
    write_submission(_declaration(number), submission)
    digest = sha256_of(submission / DECLARATION)
    disclosed = {score.test_set.name: public_results(score) for score in scores if score.test_set.private}
    kept = joined_scores(scores, disclosed)
    declared = {"slug": slug, "declaration_sha256": digest, "archives": {}, "commit": None, "same_predictions_as": []}
    write_record(kept, submission, declared)
    store.save(digest, kept)
    store.save_record(slug, digest, digest, submission)
    return submission


def references() -> dict[str, pd.DataFrame]:
    """Test set → the vertebrae of its made references."""
    return {name: _reference(official(name)) for name in OFFICIAL}


def _reference(test_set: TestSet) -> pd.DataFrame:
    """The vertebrae of the references: one row each, with what the rows of all submissions share."""
    rows = []
    for case_id in test_set.cases or _VERSE_CASES:
        source = source_of(case_id) or ""
        generator = np.random.default_rng(list(case_id.encode()))
        first = _FIRST[source] + int(generator.integers(0, 3))
        last = min(first + int(generator.integers(8, 14)), 23 + int(generator.random() < 0.03))
        hard = float(generator.gamma(2.0, 0.5))
        rows += [(case_id, source, label, label == first + 1, hard) for label in range(first + 1, last + 2)]
    return pd.DataFrame(rows, columns=["case_id", "source", "label", "cut", "hard"])


def _score(test_set: TestSet, reference: pd.DataFrame, number: int) -> SubmissionScore:
    table = _table(test_set, reference, np.random.default_rng([number, *test_set.name.encode()]), number)
    cases = reference.drop_duplicates("case_id")
    results = tuple(
        CaseResult(case_id, source, None, None, (), "0" * 64, "1" * 64)
        for case_id, source in zip(cases["case_id"], cases["source"], strict=True)
    )
    return SubmissionScore(test_set, results, table, summarise(table), (), 0, Settings())


def _table(test_set: TestSet, reference: pd.DataFrame, generator: np.random.Generator, number: int) -> pd.DataFrame:
    n = len(reference)
    skill = 0.02 + 0.0015 * number
    lost = np.clip(skill * reference["hard"].to_numpy() * generator.gamma(2.0, 0.5, n), 0, 0.95)
    missed = generator.random(n) < 0.01 + 0.0002 * number
    ids, case = np.unique(reference["case_id"], return_inverse=True)
    shifted = (generator.random(len(ids)) < 0.03 + 0.0005 * number)[case] & ~missed
    dsc = np.where(missed, 0.0, np.where(shifted, 0.1, 1 - lost))
    vertebrae = pd.DataFrame(
        {
            "row": "vertebra",
            "case_id": reference["case_id"],
            "source": reference["source"],
            "label": reference["label"],
            "vertebra": [VERTEBRAE[label - 1] for label in reference["label"]],
            "status": np.where(missed, "missed", "matched"),
            "dsc": dsc,
            "hd95_mm": np.where(missed, np.nan, np.where(shifted, 28.0, 20 * lost)),
            **{f"nsd_{mm}mm": dsc ** (1 / mm) for mm in (1, 2, 3)},
            "cut": reference["cut"],
            "at_border": reference["cut"],
            "loss_identification": np.where(shifted, np.maximum(0.9 - lost, 0), 0.0),
            "loss_missed": missed.astype(float),
            "loss_boundary": np.where(missed, 0.0, np.where(shifted, np.minimum(lost, 0.9), lost)),
            "loss_spurious": 0.0,
            "reference_ml": 30.0,
            "prediction_ml": np.where(missed, 0.0, 30.0),
        }
    )
    vertebrae = pd.concat(
        [vertebrae, _spurious(vertebrae[vertebrae["case_id"].isin(vertebrae.loc[shifted, "case_id"])])],
        ignore_index=True,
    )
    means = vertebrae.groupby("case_id", sort=True)["dsc"].mean()
    sources = reference.drop_duplicates("case_id").set_index("case_id").loc[means.index, "source"]
    spine = pd.DataFrame(
        {
            "row": "spine",
            "case_id": means.index,
            "source": sources.to_numpy(),
            "label": 0,
            "vertebra": "spine",
            "status": "matched",
            "dsc": 1 - 0.3 * (1 - means.to_numpy()),
            "hd95_mm": 1.0,
        }
    )
    cases = pd.DataFrame(
        {
            "row": "case",
            "case_id": means.index,
            "source": sources.to_numpy(),
            "n_reference": reference.groupby("case_id", sort=True).size().to_numpy(),
            "n_verse_hits": reference.groupby("case_id", sort=True).size().to_numpy(),
            "n_localised": 0,
            "identification_rate": means.to_numpy(),
            "levels_right": means.to_numpy() > 0.7,
            "label_shift": 0,
            "slice_spacing_mm": [_SPACING_MM[source] for source in sources],
            "diagonal_mm": 500.0,
            "transitional": (reference.groupby("case_id", sort=True)["label"].max() == len(VERTEBRAE)).to_numpy(),
        }
    )
    return (
        pd.concat([vertebrae, spine, cases])
        .assign(test_set=test_set.name)
        .reindex(columns=list(COLUMNS))
        .astype(COLUMNS)
    )


def _spurious(shifted: pd.DataFrame) -> pd.DataFrame:
    """Return a spurious vertebra below each of some cases, whose names are a level off."""
    lowest = shifted.sort_values("label").drop_duplicates("case_id", keep="last")
    lowest = lowest[lowest["label"] < len(VERTEBRAE)]
    return lowest.assign(
        label=lowest["label"] + 1,
        vertebra=[VERTEBRAE[label] for label in lowest["label"]],
        status="spurious",
        dsc=0.0,
        hd95_mm=np.nan,
        **dict.fromkeys(("nsd_1mm", "nsd_2mm", "nsd_3mm"), 0.0),
        cut=pd.NA,
        **dict.fromkeys(("loss_identification", "loss_missed", "loss_boundary", "reference_ml"), 0.0),
        loss_spurious=1.0,
        prediction_ml=30.0,
    )


def _declaration(number: int) -> Declaration:
    return Declaration(
        schema_version=1,
        kind="scored",
        name=f"Made method {number}",
        team=f"Made team {number % 40}",
        contact="https://github.com/MIRACLE-Center/CTSpine1K",
        owners=("octocat",),
        date=dt.date(2026, 1, 1) + dt.timedelta(days=number),
        description="Scores that were made to measure the leaderboard.",
        licence="CC0-1.0",
        training=Training(data=("nothing, it is made",), uses_verse=number % 7 == 0, uses_test_cases=False),
        coverage="complete",
        test_sets={
            name: Archive(
                url=f"https://zenodo.org/records/1/files/{name}-{number}.tar",
                sha256=f"{3 * number + place:064x}",
                size=1000,
            )
            for place, name in enumerate(OFFICIAL)
        },
    )
