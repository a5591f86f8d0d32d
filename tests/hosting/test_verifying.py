"""Verifying a record: what can be recomputed is, and what has changed since is said."""

from __future__ import annotations

import hashlib
import json
import shutil
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hosted_submissions import declare, grid_of, make_intakes, remember_aggregates, write_references
from label_volumes import column

from ctspine_bench import write_labels
from ctspine_bench.anatomy import VERTEBRAE
from ctspine_bench.hosting.scoring import score_record
from ctspine_bench.hosting.store import PrivateStore
from ctspine_bench.hosting.verifying import Finding, verify
from ctspine_bench.provenance import ENGINE_VERSION
from ctspine_bench.results import CASES, RESULTS
from ctspine_bench.tables import SCHEMA_VERSION, read_table, write_table

if TYPE_CHECKING:
    from collections.abc import Callable


NETWORKS = Path(str(files("ctspine_bench"))) / "phantom" / "networks"


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    remember_aggregates(monkeypatch)


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A record in submissions/a-method with its store and benchmark; to be copied, not written."""
    folder = tmp_path_factory.mktemp("scored")
    declaration = declare()
    record = folder / "submissions" / "a-method"
    record.mkdir(parents=True)
    content = yaml.safe_dump(json.loads(declaration.model_dump_json(exclude_none=True))).replace(
        "'2026-01-01'", "2026-01-01"
    )
    (record / "submission.yaml").write_text(content)
    output = folder / "out"
    score_record(
        "a-method",
        declaration,
        hashlib.sha256(content.encode()).hexdigest(),
        make_intakes(folder / "predictions"),
        write_references(folder / "benchmark"),
        store=PrivateStore(folder / "store"),
        output=output,
    )
    for name in (RESULTS, CASES):
        shutil.copy(output / name, record)
    return folder


@pytest.fixture
def folder(scored: Path, tmp_path: Path) -> Path:
    shutil.copytree(scored, tmp_path / "copy")
    return tmp_path / "copy"


def check(folder: Path, *, store: bool = False, **options: Any) -> dict[str, Finding]:
    found = verify(folder / "submissions", store=PrivateStore(folder / "store") if store else None, **options)
    return {finding.what: finding for finding in found["a-method"]}


def states(found: dict[str, Finding]) -> dict[str, str]:
    return {what: finding.state for what, finding in found.items() if finding.state != "ok"}


def edit(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change results.json by hand."""
    path = folder / "submissions" / "a-method" / RESULTS
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))


def test_an_honest_record(folder: Path) -> None:
    """With references and store all is right but for the archives, which are not here."""
    found = check(folder, store=True, references=folder / "benchmark")
    assert states(found) == {f"phantom-{name}: archive": "not checked" for name in ("public", "private", "verse")}


def test_what_cannot_be_checked_is_said(folder: Path) -> None:
    """Without store and references the private set is taken on trust, and that is no error."""
    found = states(check(folder))
    assert set(found.values()) == {"not checked"}
    assert found["phantom-private: aggregates"] == "not checked"
    assert "phantom-public: aggregates" not in found


def public(**fields: Any) -> Callable[[dict[str, Any]], None]:
    """A change of what is said about the public set."""
    return lambda document: document["test_sets"]["phantom-public"].update(fields)


def private(**fields: Any) -> Callable[[dict[str, Any]], None]:
    """A change of what is said about the private set."""
    return lambda document: document["test_sets"]["phantom-private"].update(fields)


BEST = {"n": 3, "dsc": 0.999, "hd95_mm": 0.1}


@pytest.mark.parametrize(
    ("what", "change"),
    [
        ("phantom-public: aggregates", public(mean_of_vertebrae=BEST)),
        ("phantom-public: aggregates", public(n_cases=197)),
        ("phantom-public: aggregates", public(complete=False)),
        ("phantom-public: aggregates", public(title="<b>best</b>")),
        ("phantom-public: aggregates", public(failures=[{"case_id": "x", "code": "E_NAN"}])),
        ("phantom-private: aggregates", private(mean_of_spine=BEST)),
        ("phantom-private: aggregates", private(labels={"L6": BEST})),
        ("phantom-private: aggregates", private(notes=[])),
        ("declaration", lambda d: d["submission"]["archives"].update({"phantom-public": "0" * 64})),
        ("declaration", lambda d: d["test_sets"].pop("phantom-verse")),
        ("case table", private(private=False)),
        ("case table", lambda d: d.pop("cases_sha256")),
        ("scorer", lambda d: d["policies"].update(missed_dsc=1.0)),
        ("phantom-public: split", lambda d: d["provenance"]["splits"].update({"phantom-public": "0" * 64})),
        (RESULTS, lambda d: d.pop("provenance")),
        (RESULTS, lambda d: d["test_sets"].update({"phantom-public": {}})),
    ],
)
def test_lies_are_wrong(folder: Path, what: str, change: Callable[[dict[str, Any]], None]) -> None:
    """A record edited by hand does not follow from its cases, from the store, or from what was declared."""
    edit(folder, change)
    assert states(check(folder, store=True))[what] == "wrong"


def test_another_case_table_is_wrong(folder: Path) -> None:
    """A swapped case table has another digest; with the digest swapped too its means are others."""
    path = folder / "submissions" / "a-method" / CASES
    table = read_table(path)
    table.loc[table["status"] == "matched", "dsc"] = 0.99
    write_table(table, path)
    assert states(check(folder)) == {"record": "wrong"}
    edit(folder, lambda d: d.update(cases_sha256=hashlib.sha256(path.read_bytes()).hexdigest()))
    assert states(check(folder))["phantom-public: aggregates"] == "wrong"


def test_private_cases_in_the_table_are_wrong(folder: Path) -> None:
    """Rows of a private set must not be in a public table, whoever put them there."""
    path = folder / "submissions" / "a-method" / CASES
    table = read_table(path)
    table.loc[table["test_set"] == "phantom-verse", "test_set"] = "phantom-private"
    write_table(table, path)
    edit(folder, lambda d: d.update(cases_sha256=hashlib.sha256(path.read_bytes()).hexdigest()))
    assert states(check(folder))["case table"] == "wrong"


def test_a_changed_declaration_is_stale(folder: Path) -> None:
    """What was scored is no longer what is declared."""
    path = folder / "submissions" / "a-method" / "submission.yaml"
    path.write_text(path.read_text().replace("A method.", "Another description."))
    assert states(check(folder))["declaration"] == "outdated"


def test_another_scorer_is_stale(folder: Path) -> None:
    """A record of an older scorer is outdated, and so are aggregates that it computed otherwise."""

    def older(document: dict[str, Any]) -> None:
        document["provenance"]["engine_version"] = ENGINE_VERSION - 1
        document["test_sets"]["phantom-public"]["counts"]["missed"] = 1000

    edit(folder, older)
    found = states(check(folder))
    assert (found["scorer"], found["phantom-public: aggregates"]) == ("outdated", "outdated")


def test_changed_references_are_stale(folder: Path) -> None:
    """A reference that was mended since makes the results of its set outdated, and of no other."""
    labels = column(first=18)
    labels[3] = 0
    path = folder / "benchmark" / "private" / "labels" / "COLONOG" / "CTC-secret-0_seg.nii.gz"
    write_labels(path, labels, grid_of(labels))
    found = check(folder, store=True, references=folder / "benchmark")
    assert found["phantom-private: references"].state == "outdated"
    assert found["phantom-public: references"].state == "ok"
    assert "secret" not in str(found)


def test_references_that_are_not_there(folder: Path) -> None:
    """Missing references are not checked; the finding names no case and no path."""
    shutil.rmtree(folder / "benchmark" / "private")
    finding = check(folder, references=folder / "benchmark")["phantom-private: references"]
    assert finding.state == "not checked"
    assert str(folder) not in str(finding)


def test_the_records_that_ship_are_of_today() -> None:
    """Their case tables give what they say, by today's rules; if not, run `python baselines/rescore_networks.py`."""
    found = verify(NETWORKS)
    assert found.keys() == {"nnunet-phantom", "nnunet-phantom-largest-component"}
    for findings in found.values():
        assert {finding.state for finding in findings} == {"ok", "not checked"}
        checked = {finding.what: finding.state for finding in findings}
        for test_set in ("phantom-public", "phantom-verse"):
            assert checked[f"{test_set}: aggregates"] == "ok"


def test_archives(folder: Path) -> None:
    """An archive that is here is compared with the declaration."""
    (folder / "archives").mkdir()
    (folder / "archives" / "phantom-public.zip").write_bytes(b"x")
    found = check(folder, archives=folder / "archives")
    assert found["phantom-public: archive"].state == "wrong"
    assert found["phantom-verse: archive"].state == "not checked"


def test_not_scored_yet(folder: Path) -> None:
    """A declaration alone is no error."""
    for name in (RESULTS, CASES):
        (folder / "submissions" / "a-method" / name).unlink()
    assert check(folder)["results"].state == "not checked"


def test_one_record_or_many(folder: Path) -> None:
    """The folder of one submission can be given as well; a broken one is wrong and hides no other."""
    assert verify(folder / "submissions" / "a-method").keys() == {"a-method"}
    (folder / "submissions" / "broken").mkdir()
    (folder / "submissions" / "broken" / "submission.yaml").write_text("{")
    found = verify(folder / "submissions")
    assert found.keys() == {"a-method", "broken"}
    assert [finding.state for finding in found["broken"]] == ["wrong"]


@pytest.mark.parametrize(
    ("dsc", "state"), [(0.9, "ok"), (1.2, "wrong"), ("0.9", "wrong"), (True, "wrong"), (-0.1, "wrong"), (None, "ok")]
)
def test_published_tables(tmp_path: Path, dsc: Any, state: str) -> None:
    """Of a table that was entered by hand the form is looked at."""
    declaration = declare().model_copy(
        update={
            "kind": "published",
            "test_sets": {},
            "source": "A paper",
            "coverage": "partial",
            "coverage_reason": "x",
        }
    )
    folder = tmp_path / "a-paper"
    folder.mkdir()
    content = yaml.safe_dump(json.loads(declaration.model_dump_json(exclude_none=True))).replace(
        "'2026-01-01'", "2026-01-01"
    )
    (folder / "submission.yaml").write_text(content)
    means = {"dsc": dsc, "hd95_mm": 5.0}
    test_set = {
        "title": "x",
        "labels": dict.fromkeys(VERTEBRAE, means),
        "mean_of_vertebrae": means,
        "mean_of_spine": means,
    }
    document = {"schema_version": SCHEMA_VERSION, "kind": "published", "test_sets": {"public": test_set}, "source": {}}
    (folder / RESULTS).write_text(json.dumps(document))
    (finding,) = verify(folder)["a-paper"]
    assert finding.state == state, finding
    (folder / RESULTS).write_text(json.dumps(document | {"schema_version": 1}))
    (finding,) = verify(folder)["a-paper"]
    assert (finding.state, finding.advice) == ("outdated", f"Bring {RESULTS} to today's form.")
