"""Scoring a submission: one public record, private rows apart, resumed when killed, charged once."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from hosted_submissions import (
    PRIVATE_CASES,
    SETS,
    declare,
    grid_of,
    make_intake,
    make_intakes,
    prediction_of,
    remember_aggregates,
    write_references,
)
from label_volumes import column

from ctspine_bench import score_submission, write_labels
from ctspine_bench.errors import CODES, CaseError, FileError, SubmissionError, UsageError
from ctspine_bench.evaluate import evaluate_pair
from ctspine_bench.hosting.intake_record import write_intake
from ctspine_bench.hosting.ledger import Ledger, Quota
from ctspine_bench.hosting.scoring import ScoredRecord, score_record
from ctspine_bench.hosting.standings import prospective_ranks
from ctspine_bench.hosting.store import PrivateStore
from ctspine_bench.provenance import ENGINE_VERSION
from ctspine_bench.results import CASES, RESULTS, aggregates
from ctspine_bench.submissions.records import Record
from ctspine_bench.submissions.writing import write_submission
from ctspine_bench.tables import SCHEMA_VERSION, read_table
from ctspine_bench.testsets import named

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from command_line import Done

    from ctspine_bench.hosting.intake import Intake
    from ctspine_bench.testsets import TestSet

DECLARED = "d" * 64
PRIVATE_ALONE = {"private": PRIVATE_CASES}
NOW = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    remember_aggregates(monkeypatch)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A benchmark and the predictions of one submission; to be read, not written."""
    folder = tmp_path_factory.mktemp("made")
    write_references(folder / "benchmark")
    make_intakes(folder / "predictions")
    return folder


@pytest.fixture
def store(tmp_path: Path) -> PrivateStore:
    return PrivateStore(tmp_path / "store")


@pytest.fixture
def intakes(made: Path) -> dict[str, Intake]:
    return make_intakes(made / "predictions")


def score(
    made: Path, intakes: dict[str, Intake], output: Path, store: PrivateStore | None, **more: Any
) -> ScoredRecord:
    options = {"declaration": declare(), "slug": "a-method", "references": made / "benchmark", "now": NOW, **more}
    return score_record(declaration_sha256=DECLARED, intakes=intakes, output=output, store=store, **options)


def outcomes(store: PrivateStore) -> list[str]:
    return [entry.outcome for entry in Ledger(store.ledger, Quota()).entries()]


def test_public_record(made: Path, intakes: dict[str, Intake], tmp_path: Path, store: PrivateStore) -> None:
    """The output holds results.json with all sets and where they come from, and the cases of the sets not private."""
    scored = score(made, intakes, tmp_path / "out", store, commit="1" * 40)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [CASES, RESULTS]
    document = json.loads((tmp_path / "out" / RESULTS).read_text())
    assert document == scored.document
    assert document["kind"] == "scored"
    archives = {name: archive.sha256 for name, archive in declare().test_sets.items()}
    assert document["submission"] == {
        "slug": "a-method", "declaration_sha256": DECLARED, "archives": archives, "commit": "1" * 40,
        "same_predictions_as": [],
    }  # fmt: skip
    assert document["provenance"]["command"] == ""
    assert document["provenance"]["engine_version"] == ENGINE_VERSION
    assert document["provenance"]["splits"].keys() == document["test_sets"].keys()
    assert [results["private"] for results in document["test_sets"].values()] == [False, True, False]
    cases = read_table(tmp_path / "out" / CASES)
    assert set(cases["test_set"]) == {"phantom-public", "phantom-verse"}
    assert not set(cases["case_id"]) & set(PRIVATE_CASES)


def test_public_sets_are_scored_as_by_the_plain_command(
    made: Path, intakes: dict[str, Intake], tmp_path: Path, store: PrivateStore
) -> None:
    """The numbers of a public set are those of `ctspine-bench score`, the private table in the store likewise."""
    score(made, intakes, tmp_path / "out", store)
    document = json.loads((tmp_path / "out" / RESULTS).read_text())["test_sets"]
    for name in SETS:
        plain = score_submission(
            intakes[f"phantom-{name}"].folder, made / "benchmark" / name / "labels", test_set=named(f"phantom-{name}")
        )
        if name == "private":
            assert store.scores()["a-method"].private.equals(plain.table)
        else:
            expected = json.loads(json.dumps(aggregates(plain.summary)))
            assert {key: document[f"phantom-{name}"][key] for key in expected} == expected


def test_the_same_predictions_are_answered_from_the_store(
    made: Path, intakes: dict[str, Intake], tmp_path: Path, store: PrivateStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is computed again, nothing charged; the record is about the submission that asked."""
    first = score(made, intakes, tmp_path / "one", store)
    monkeypatch.setattr("ctspine_bench.hosting.scored_set.score_plan", lambda *_, **__: pytest.fail("scored again"))
    again = score(made, intakes, tmp_path / "two", store, slug="b-method")
    assert (first.repeated, again.repeated) == (False, True)
    assert again.document["test_sets"] == first.document["test_sets"]
    assert again.document["submission"]["slug"] == "b-method"
    assert again.document["submission"]["same_predictions_as"] == ["a-method"]
    assert score(made, intakes, tmp_path / "one", store).document["submission"]["same_predictions_as"] == []
    assert outcomes(store) == ["started", "scored", "repeated", "repeated"]
    assert (store.public_record("b-method", DECLARED) / RESULTS).read_bytes() == (
        tmp_path / "two" / RESULTS
    ).read_bytes()


def test_without_a_store(made: Path, intakes: dict[str, Intake], tmp_path: Path) -> None:
    """Private sets are told about in the public form all the same, and left out when their references are not here."""
    whole = score(made, intakes, tmp_path / "one", None)
    assert whole.document["test_sets"]["phantom-private"]["labels"]["L6"]["n_reference"] == "<5"
    shutil.copytree(made / "benchmark", tmp_path / "benchmark")
    shutil.rmtree(tmp_path / "benchmark" / "private")
    part = score(made, intakes, tmp_path / "two", None, references=tmp_path / "benchmark")
    assert part.skipped == ("phantom-private",)
    assert part.document["test_sets"].keys() == {"phantom-public", "phantom-verse"}


def test_organizers_need_all_references(
    made: Path, intakes: dict[str, Intake], tmp_path: Path, store: PrivateStore
) -> None:
    """With a store a private set without references stops everything, before anything is charged."""
    shutil.copytree(made / "benchmark", tmp_path / "benchmark")
    shutil.rmtree(tmp_path / "benchmark" / "private")
    with pytest.raises(CaseError, match=r"E_MISSING_REFERENCE|E_NOT_FOUND"):
        score(made, intakes, tmp_path / "out", store, references=tmp_path / "benchmark")
    assert outcomes(store) == []


def test_progress_of_a_private_set_comes_in_fives(made: Path, intakes: dict[str, Intake], tmp_path: Path) -> None:
    """A public set counts every case, a private one every fifth and the last."""
    said: dict[str, list[int]] = {}

    def say(test_set: TestSet, done: int, total: int) -> None:
        said.setdefault(test_set.name, []).append(done)

    score(made, intakes, tmp_path / "out", None, progress=say)
    assert said == {"phantom-public": [1, 2, 3], "phantom-private": [5, 10, 15, 17], "phantom-verse": [1]}


def test_a_killed_scoring_goes_on(
    made: Path, intakes: dict[str, Intake], tmp_path: Path, store: PrivateStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Finished cases are not scored again, it is charged once, and the result is that of an uninterrupted run."""
    expected = score(made, intakes, tmp_path / "whole", None).document["test_sets"]
    done: list[str] = []

    def stop_at(test_set: Any, n_done: int, total: int) -> None:
        if test_set.private and n_done == 10:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        score(made, intakes, tmp_path / "out", store, workers=1, progress=stop_at)
    monkeypatch.setattr(
        "ctspine_bench.evaluate.evaluate_pair",
        lambda pair, settings: done.append(pair.reference.case_id) or evaluate_pair(pair, settings),
    )
    assert score(made, intakes, tmp_path / "out", store).document["test_sets"] == expected
    assert len(done) <= 21 - 13
    assert outcomes(store) == ["started", "scored"]
    assert not list((store.folder / "journals").iterdir())


@pytest.mark.parametrize("step", ["save", "save_record"])
def test_killed_after_the_scores_were_stored(
    made: Path,
    intakes: dict[str, Intake],
    tmp_path: Path,
    store: PrivateStore,
    monkeypatch: pytest.MonkeyPatch,
    step: str,
) -> None:
    """A scoring that was killed between its scores and its record is finished by the next run, and paid for once."""
    original = getattr(PrivateStore, step)

    def die_after(self: PrivateStore, *arguments: Any) -> None:
        original(self, *arguments)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(PrivateStore, step, die_after)
        with pytest.raises(KeyboardInterrupt):
            score(made, intakes, tmp_path / "out", store)
    score(made, intakes, tmp_path / "out", store)
    assert store.public_record("a-method", DECLARED)
    assert outcomes(store).count("scored") == 1
    assert outcomes(store).count("started") == 1


def test_only_failures_are_cheap(made: Path, intakes: dict[str, Intake], tmp_path: Path, store: PrivateStore) -> None:
    """When not one private prediction could be used nothing was learnt: it counts as failed."""
    private = intakes["phantom-private"]
    refusal = FileError("E_NAN", "p.zip: x", expected="numbers", found="NaN", advice="Write numbers.")
    empty = replace(private, cases={}, refused=dict.fromkeys(private.cases, refusal))
    scored = score(made, {**intakes, "phantom-private": empty}, tmp_path / "out", store)
    assert outcomes(store) == ["started", "failed"]
    results = scored.document["test_sets"]["phantom-private"]
    assert results["complete"] is False
    assert {failure["message"] for failure in results["failures"]} == {str(refusal)}
    again = score(made, {**intakes, "phantom-private": empty}, tmp_path / "out", store, slug="b-method")
    assert again.document["submission"]["same_predictions_as"] == []  # there are none
    assert outcomes(store) == ["started", "failed", "repeated"]


def test_a_failure_is_told_without_paths(
    made: Path, intakes: dict[str, Intake], tmp_path: Path, store: PrivateStore
) -> None:
    """A prediction on another grid is told by what its code means: both files lie on the organizers' machine."""
    archive = intakes["phantom-public"].archive
    small = make_intake(tmp_path / "p", "phantom-public", {"liver_1": np.zeros((9, 9, 9), np.uint8)}, archive)
    document = score(made, {**intakes, "phantom-public": small}, tmp_path / "out", store).document
    messages = {each["case_id"]: each["message"] for each in document["test_sets"]["phantom-public"]["failures"]}
    assert messages["liver_1"] == f"E_SHAPE: {CODES['E_SHAPE']}"
    assert set(messages.values()) == {messages["liver_1"], f"E_MISSING_CASE: {CODES['E_MISSING_CASE']}"}


def test_public_sets_cost_nothing(made: Path, tmp_path: Path, store: PrivateStore) -> None:
    """The ledger is about private test sets alone."""
    declaration = declare("phantom-public")
    intakes = make_intakes(tmp_path / "predictions", {"public": SETS["public"]}, declaration=declaration)
    score(made, intakes, tmp_path / "out", store, declaration=declaration)
    assert outcomes(store) == []


def test_the_quota_is_kept(made: Path, tmp_path: Path, store: PrivateStore) -> None:
    """Beyond it nothing is scored and nothing written."""
    store.quota.write_text("scored = 1\n")
    declarations = [declare("phantom-private", seed=seed) for seed in range(2)]
    intakes = [
        make_intakes(tmp_path / str(seed), PRIVATE_ALONE, seed=seed, declaration=declaration)
        for seed, declaration in enumerate(declarations)
    ]
    score(made, intakes[0], tmp_path / "out-1", store, declaration=declarations[0])
    with pytest.raises(SubmissionError, match="E_QUOTA"):
        score(made, intakes[1], tmp_path / "out-2", store, declaration=declarations[1])
    assert not (tmp_path / "out-2").exists()


def test_changed_references_make_new_scores_for_free(made: Path, tmp_path: Path, store: PrivateStore) -> None:
    """When organizers mend a reference the same predictions are scored again, which the team does not pay for."""
    shutil.copytree(made / "benchmark", tmp_path / "benchmark")
    declaration = declare("phantom-private")
    intakes = make_intakes(tmp_path / "predictions", PRIVATE_ALONE, declaration=declaration)
    options = {"references": tmp_path / "benchmark", "declaration": declaration}
    first = score(made, intakes, tmp_path / "out", store, **options)
    labels = column(first=18)
    labels[3] = 0
    path = tmp_path / "benchmark" / "private" / "labels" / "COLONOG" / "CTC-secret-0_seg.nii.gz"
    write_labels(path, labels, grid_of(labels))
    second = score(made, intakes, tmp_path / "out", store, **options)
    assert second.repeated is False
    assert second.document["provenance"]["digests"] != first.document["provenance"]["digests"]
    assert outcomes(store) == ["started", "scored", "repeated"]


def earlier_store(store: PrivateStore, schema_version: int = 1) -> None:
    """Make what a store holds that of an earlier version: other columns, other keys, another version."""
    for path in store.folder.glob("*/**/results.json"):
        document = json.loads(path.read_text())
        document["schema_version"] = schema_version
        del document["provenance"]["engine_version"]
        path.write_text(json.dumps(document | {"provenance": document["provenance"] | {"engine_sha256": "0" * 64}}))
    for path in store.folder.glob("*/**/*.parquet"):
        pd.read_parquet(path).drop(columns=["loss_spurious", "levels_right", "n_verse_hits"]).to_parquet(path)


def test_scores_of_an_earlier_version_are_not_taken_for_todays(
    made: Path, intakes: dict[str, Intake], tmp_path: Path, store: PrivateStore
) -> None:
    """What an earlier layout left in the store is not read; the same predictions are scored again, for free."""
    first = score(made, intakes, tmp_path / "one", store)
    (key,) = (path.name for path in (store.folder / "scores").iterdir())
    assert store.read(key) is not None
    earlier_store(store)
    assert store.read(key) is None
    assert store.scores_of("a-method", DECLARED) is None
    assert store.scores() == {}
    again = score(made, intakes, tmp_path / "two", store)
    assert again.repeated is False
    assert again.document["test_sets"] == first.document["test_sets"]
    assert store.scores_of("a-method", DECLARED).results["schema_version"] == SCHEMA_VERSION
    assert outcomes(store) == ["started", "scored", "repeated"]


@pytest.mark.parametrize("version", ["ENGINE_VERSION", "SCHEMA_VERSION"])
def test_scores_by_other_rules_are_not_answers(
    made: Path,
    intakes: dict[str, Intake],
    tmp_path: Path,
    store: PrivateStore,
    monkeypatch: pytest.MonkeyPatch,
    version: str,
) -> None:
    """When the rules or the layout have another version, known predictions are scored again."""
    with monkeypatch.context() as patched:
        patched.setattr(f"ctspine_bench.hosting.scoring.{version}", 1)
        score(made, intakes, tmp_path / "one", store)
    assert score(made, intakes, tmp_path / "two", store).repeated is False
    assert score(made, intakes, tmp_path / "two", store).repeated is True
    assert outcomes(store) == ["started", "scored", "repeated", "repeated"]


def test_a_reference_that_cannot_be_read_stops_everything(
    made: Path, intakes: dict[str, Intake], tmp_path: Path, store: PrivateStore
) -> None:
    """Of a public set the case is named; nothing is written."""
    shutil.copytree(made / "benchmark", tmp_path / "benchmark")
    path = tmp_path / "benchmark" / "public" / "labels" / "MSD-T10" / "liver_1_seg.nii.gz"
    path.write_bytes(path.read_bytes()[:50])
    with pytest.raises(CaseError, match="liver_1"):
        score(made, intakes, tmp_path / "out", store, references=tmp_path / "benchmark")
    assert not (tmp_path / "out").exists()
    assert outcomes(store) == ["started", "failed"]


@pytest.mark.parametrize("fetched", [True, False])
def test_downloads_are_removed_after_scoring(
    made: Path,
    tmp_path: Path,
    store: PrivateStore,
    run: Callable[..., Done],
    monkeypatch: pytest.MonkeyPatch,
    fetched: bool,
) -> None:
    """What the command has fetched into the store is gone when it is scored; a folder that it was given stays."""
    declaration = declare("phantom-public")
    write_submission(declaration, tmp_path / "a-method")

    def fetch(_: Any, folder: Path, **__: Any) -> dict[str, Intake]:
        predictions = {case: prediction_of(case, first) for case, first in SETS["public"].items()}
        archive = declaration.test_sets["phantom-public"]
        return {"phantom-public": make_intake(folder / "phantom-public", "phantom-public", predictions, archive)}

    monkeypatch.setattr("ctspine_bench.hosting.intake.fetch_submission", fetch)
    arguments: list[object] = ["--references", made / "benchmark", "--output", tmp_path / "out"]
    if not fetched:
        for intake in fetch(None, store.work / "a-method").values():
            write_intake(intake)
        arguments += ["--predictions", store.work / "a-method"]
    done = run("submission", "score", tmp_path / "a-method", *arguments, "--private-store", store.folder)
    assert done.returncode == 0, done.stderr
    assert [path.name for path in store.work.iterdir()] == ([] if fetched else ["a-method"])


def test_quotas_are_shown(
    made: Path, intakes: dict[str, Intake], tmp_path: Path, store: PrivateStore, run: Callable[..., Done]
) -> None:
    """Each team with the accounts that were charged last, or one of them, however its name is spelt."""
    score(made, intakes, tmp_path / "out", store, declaration=declare(team="One"), author="alice", now=None)
    score(made, intakes, tmp_path / "out", store, declaration=declare(team="Two"), author="bob", now=None)
    command = ("submission", "quota", "--private-store", store.folder)
    lines = [line for line in run(*command).stdout.splitlines() if "of 5" in line]
    words = [" ".join(line.replace("│", " ").split()) for line in lines]
    assert words == ["Two bob 1 of 5 0 of 20 now", "One alice 1 of 5 0 of 20 now"]
    assert [line for line in run(*command, "--team", "ONE").stdout.splitlines() if "of 5" in line] == [lines[1]]


@pytest.mark.parametrize("place", ["store", "store/out", "benchmark", "."])
def test_the_output_is_apart(
    made: Path, intakes: dict[str, Intake], tmp_path: Path, store: PrivateStore, place: str
) -> None:
    """What is published does not lie among, or around, what is not."""
    shutil.copytree(made / "benchmark", tmp_path / "benchmark")
    with pytest.raises(UsageError, match="expected an output folder apart"):
        score(made, intakes, tmp_path / place, store, references=tmp_path / "benchmark")


def test_the_output_holds_nothing_else(made: Path, intakes: dict[str, Intake], tmp_path: Path) -> None:
    """A journal of a plain scoring, for one, would be published with it."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "journal.jsonl").touch()
    with pytest.raises(UsageError, match=r"found journal\.jsonl"):
        score(made, intakes, tmp_path / "out", None)


def test_published_results_are_not_scored(made: Path, intakes: dict[str, Intake], tmp_path: Path) -> None:
    """They have no predictions."""
    published = declare().model_copy(update={"kind": "published", "test_sets": {}})
    with pytest.raises(UsageError, match="kind scored"):
        score(made, intakes, tmp_path / "out", None, declaration=published)


def test_prospective_rank(made: Path, tmp_path: Path, store: PrivateStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worse submission takes the second place; records of another scorer do not count, nor any without the store.

    On a private set neither do those whose mean is not published, and a broken record of another leaves the other sets.
    """
    sets = ("phantom-public", "phantom-private")
    declaration = declare(*sets).model_copy(update={"coverage": "complete"})
    scored: dict[str, tuple[ScoredRecord, Record]] = {}
    for slug in ("good", "bad"):
        intakes = make_intakes(
            tmp_path / slug, {name: SETS[name] for name in ("public", "private")}, declaration=declaration
        )
        if slug == "bad":
            for name, intake in intakes.items():
                nothing = {case: np.zeros_like(column()) for case in intake.cases}
                intakes[name] = make_intake(tmp_path / slug / name, name, nothing, intake.archive)
        result = score(made, intakes, tmp_path / f"out-{slug}", store, slug=slug, declaration=declaration)
        cases = read_table(tmp_path / f"out-{slug}" / CASES)
        scored[slug] = result, Record(slug, tmp_path, declaration, DECLARED, result.document, cases)
    (_, good), (bad, bad_record) = scored.values()
    ranks = prospective_ranks("bad", bad, [good, bad_record], store)
    assert {name: (rank.rank, rank.n_ranked) for name, rank in ranks.items()} == dict.fromkeys(sets, (2, 2))
    outdated = json.loads(json.dumps(good.results))
    outdated["provenance"]["engine_version"] = ENGINE_VERSION - 1
    partial = good.declaration.model_copy(update={"coverage": "partial"})
    ranks = prospective_ranks("bad", bad, [replace(good, declaration=partial)], store)
    assert {rank.n_ranked for rank in ranks.values()} == {1}
    ranks = prospective_ranks("bad", bad, [replace(good, results=outdated)], store)
    assert {rank.n_ranked for rank in ranks.values()} == {1}
    del outdated["provenance"]["engine_version"]
    outdated["schema_version"] = 1
    ranks = prospective_ranks("bad", bad, [replace(good, results=outdated, cases=None)], store)
    assert {rank.n_ranked for rank in ranks.values()} == {1}
    assert prospective_ranks("bad", bad, [good], None).keys() == {"phantom-public"}
    for measure in ("dsc", "hd95_mm"):
        theirs, ours = (json.loads(json.dumps(document)) for document in (good.results, bad.document))
        for document in (theirs, ours):
            document["test_sets"]["phantom-private"]["mean_of_vertebrae"][measure] = None
        ranks = prospective_ranks("bad", bad, [replace(good, results=theirs)], store)
        assert {name: rank.n_ranked for name, rank in ranks.items()} == {"phantom-public": 2, "phantom-private": 1}
        ranks = prospective_ranks("bad", replace(bad, document=ours), [good], store)
        assert ranks.keys() == {"phantom-public"}
    rescored = store.scores_of("good", DECLARED)
    rescored.results["provenance"]["engine_version"] = ENGINE_VERSION + 1
    with monkeypatch.context() as patched:
        patched.setattr(PrivateStore, "scores_of", lambda *_: rescored)
        ranks = prospective_ranks("bad", bad, [good], store)
    assert {name: rank.n_ranked for name, rank in ranks.items()} == {"phantom-public": 2, "phantom-private": 1}
    (store.folder / "index" / "good.json").write_text("{")
    assert prospective_ranks("bad", bad, [good], store).keys() == {"phantom-public"}
