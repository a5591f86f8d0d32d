"""Nothing about a single private case, no secret name and no small cell leaves the store, whatever goes wrong.

Each situation is played through the command line. Then everything that others could see is searched: all files of the
output folder, every cell of the tables, both streams, logs, and the whole of every exception. In results.json, which
has numbers by right, every place is looked at (`lawful_results`).
"""

from __future__ import annotations

import copy
import json
import logging
import re
import shutil
import sys
import traceback
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
import yaml
from hosted_submissions import (
    PRIVATE_CASES,
    declare,
    grid_of,
    make_intake,
    prediction_of,
    remember_aggregates,
    write_references,
)
from label_volumes import column
from lawful_results import unlawful

from ctspine_bench import score_submission, write_labels
from ctspine_bench.cli import main
from ctspine_bench.errors import CaseError
from ctspine_bench.hosting.disclosure.results import public_aggregates, public_results
from ctspine_bench.hosting.intake_record import write_intake
from ctspine_bench.hosting.scoring import score_record
from ctspine_bench.hosting.store import PrivateStore
from ctspine_bench.testsets import named

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from ctspine_bench.evaluate import SubmissionScore
    from ctspine_bench.hosting.intake_record import Intake

NAME = "phantom-private"
ABSENT = "liver_95"
"""A private case that the participant has no prediction of, and cannot know of."""

_METRICS = (
    "dsc", "hd95_mm", "hd100_mm", "assd_mm", "nsd_1mm", "nsd_2mm", "nsd_3mm", "volume_error_ml", "reference_ml",
    "prediction_ml", "loss_identification", "loss_missed", "loss_boundary", "loss_spurious", "identification_rate",
    "localisation_mm", "dsc_unshifted", "dsc_instance", "panoptic_quality", "diagonal_mm",
)  # fmt: skip


@dataclass(frozen=True)
class Situation:
    """A place to score in, and what must not come out of it."""

    folder: Path
    intake: Intake
    truth: SubmissionScore

    def own_names(self) -> set[str]:
        """The names that the participant knows."""
        return {*self.intake.cases, *self.intake.refused}


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    remember_aggregates(monkeypatch)


@pytest.fixture(scope="module")
def references(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_references(tmp_path_factory.mktemp("references"), {"private": PRIVATE_CASES})


def prepare(folder: Path, references: Path, predictions: dict[str, Any] | None = None, **more: Any) -> Situation:
    """A submission to the private phantom set, as fetch leaves it, and what the references would tell about it."""
    declaration = declare(NAME)
    (folder / "a-method").mkdir(parents=True)
    fields = json.loads(declaration.model_dump_json(exclude_none=True))
    content = yaml.safe_dump(fields).replace("'2026-01-01'", "2026-01-01")
    (folder / "a-method" / "submission.yaml").write_text(content)
    shutil.copytree(references, folder / "references")
    if predictions is None:
        predictions = {case: prediction_of(case, first) for case, first in PRIVATE_CASES.items() if case != ABSENT}
    intake = make_intake(folder / "predictions" / NAME, NAME, predictions, declaration.test_sets[NAME], **more)
    write_intake(intake)
    truth = score_submission(intake.folder, folder / "references" / "private" / "labels", test_set=named(NAME))
    return Situation(folder, intake, truth)


def play(
    situation: Situation,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> str:
    """Score it as the organizers' machine does and return all that anybody else could read, as one text."""
    folder = situation.folder
    (folder / "store").mkdir(exist_ok=True)
    arguments = ["submission", "score", folder / "a-method", "--references", folder / "references"]
    arguments += [
        "--output",
        folder / "out",
        "--private-store",
        folder / "store",
        "--predictions",
        folder / "predictions",
    ]
    arguments += ["--board", folder / "nowhere"]
    monkeypatch.setattr(sys, "argv", ["ctspine-bench", *map(str, arguments)])
    monkeypatch.setenv("COLUMNS", "200")
    seen = []
    with caplog.at_level(logging.DEBUG):
        try:
            main()
        except BaseException as error:  # noqa: BLE001 -- whatever it is, it would be printed
            seen.append("".join(traceback.format_exception(error)))
            seen += list(everything_about(error))
    streams = capsys.readouterr()
    seen += [streams.out, streams.err, caplog.text]
    for path in sorted((folder / "out").rglob("*")) if (folder / "out").exists() else []:
        seen.append(path.name)
        if path.suffix == ".parquet":
            table = pd.read_parquet(path)
            seen += [table.to_csv(float_format="%.17g"), str(path.read_bytes())]
        elif path.is_file():
            seen.append(path.read_text())
    return "\n".join(seen)


def everything_about(error: BaseException) -> Iterator[str]:
    """What an exception carries along: notes, arguments, causes, even suppressed ones."""
    yield repr(error)
    yield from getattr(error, "__notes__", ())
    for other in (error.__cause__, error.__context__):
        if other is not None:
            yield from everything_about(other)


def private_numbers(situation: Situation, *, published: set[str]) -> set[str]:
    """All numbers of single private cases, at three to six digits behind the point, but for lawfully published ones."""
    table = situation.truth.table
    found = set()
    for metric in _METRICS:
        for value in table[metric].dropna():
            for digits in range(3, 7):
                text = f"{abs(float(value)):.{digits}f}"  # the search looks for numbers without their sign
                # A number of few distinct digits, such as 0.950, is nobody's in particular.
                if len(set(text.replace(".", "").strip("0"))) >= 3:
                    found.add(text)
    return found - published


def small_cells(situation: Situation) -> set[str]:
    """The means of labels and sources of one to four cases, as the paper would print them."""
    if situation.truth.summary is None:
        return set()
    summary, found = situation.truth.summary, set()
    tables = [summary.official, *summary.sources.values()]
    for table in tables:
        for means in (*table.labels.values(), table.mean_of_spine):
            if 0 < means.n_reference < 5:
                found |= {f"{means.dsc:.3f}", f"{means.hd95_mm:.3f}", f"{means.hd95_mm:.4f}"}
    return {text for text in found if len(set(text.replace(".", "").strip("0"))) >= 3}


def lawful(situation: Situation) -> set[str]:
    """Numbers that results.json states where it may; the same number may stand in a comment, or be a private one."""
    path = situation.folder / "out" / "results.json"
    if not path.exists():
        return set()
    document = json.loads(path.read_text())
    assert unlawful(document, situation.truth, situation.own_names()) == []
    return {f"{number:.{digits}f}" for number in numbers_in(document) for digits in range(3, 7)}


def numbers_in(part: Any) -> Iterator[float]:
    if isinstance(part, dict | list):
        for each in part.values() if isinstance(part, dict) else part:
            yield from numbers_in(each)
    elif isinstance(part, float):
        yield part


def assert_private(text: str, situation: Situation) -> None:
    """Search everything public for what must not be in it."""
    published = lawful(situation)
    numbers = set(re.findall(r"(?<![\w.])\d+\.\d{3,}(?![\w])", text))
    rounded = {
        f"{float(number):.{digits}f}"
        for number in numbers
        for digits in range(3, 7)
        if len(number.split(".")[1]) >= digits
    }
    assert rounded & private_numbers(situation, published=published) == set()
    assert rounded & (small_cells(situation) - published) == set()
    names = set(PRIVATE_CASES) - situation.own_names()
    assert [name for name in names if name in text] == []
    assert "references/private" not in text
    assert "_seg.nii.gz" not in text


@pytest.fixture
def played(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> Callable[[Situation], str]:
    return lambda situation: play(situation, monkeypatch, capsys, caplog)


def test_the_search_finds_what_it_looks_for(tmp_path: Path, references: Path) -> None:
    """A leak of one number, one name or one small cell would be noticed."""
    situation = prepare(tmp_path, references)
    table = situation.truth.table
    numbers = sorted(private_numbers(situation, published=set()))[::25]
    for leak in (*numbers, *small_cells(situation), ABSENT, table.to_csv(float_format="%.17g")):
        with pytest.raises(AssertionError):
            assert_private(f"something {leak} something", situation)
    assert_private("nothing", situation)


@pytest.fixture(scope="module")
def in_order(tmp_path_factory: pytest.TempPathFactory, references: Path) -> tuple[dict[str, Any], Situation]:
    """A results.json with nothing wrong in it, and what it is about; not to be changed."""
    situation = prepare(tmp_path_factory.mktemp("in-order"), references)
    output = situation.folder / "out"
    score_record("a-method", declare(NAME), "0" * 64, {NAME: situation.intake}, references, store=None, output=output)
    document = json.loads((output / "results.json").read_text())
    assert unlawful(document, situation.truth, situation.own_names()) == []
    return document, situation


@pytest.mark.parametrize(
    ("place", "key"),
    [
        (("test_sets", NAME), "note"),
        (("test_sets", NAME), "title"),
        (("test_sets", NAME), "failures"),
        (("test_sets", NAME), "cases"),
        (("test_sets", NAME, "labels"), "cases"),
        (("test_sets", NAME, "labels", "L1"), "dsc"),
        (("test_sets", NAME, "labels", "L1"), "values"),
        (("test_sets", NAME, "mean_of_vertebrae"), "hd95_matched_mm"),
        (("test_sets", NAME, "identification"), "levels_right"),
        (("test_sets", NAME, "identification"), "verse_id_rate"),
        (("test_sets", NAME), "without_reference"),
        (("policies",), "labels"),
        (("provenance",), "created"),
        (("provenance",), "cases"),
        (("provenance", "settings"), "resample"),
        (("provenance", "software"), "numpy"),
        (("submission",), "commit"),
        ((), "cases"),
    ],
)
@pytest.mark.parametrize("form", ["list", "table", "text", "one"])
def test_numbers_of_cases_are_noticed_in_any_place(
    in_order: tuple[dict[str, Any], Situation], place: tuple[str, ...], key: str, form: str
) -> None:
    """The DSC of every case, as a list, by name or as text, or of one case, in place of something or beside it."""
    document, situation = copy.deepcopy(in_order[0]), in_order[1]
    spines = situation.truth.table.query("row == 'spine'").set_index("case_id")["dsc"].astype(float).round(3)
    leaks = {"list": list(spines), "table": spines.to_dict(), "text": str(list(spines)), "one": float(spines[ABSENT])}
    part = document
    for each in place:
        part = part[each]
    part[key] = leaks[form]
    assert len(unlawful(document, situation.truth, situation.own_names())) > 0


@pytest.mark.parametrize(("rule", "answer"), [("tells_no_case", True), ("few", False)])
def test_rules_that_hide_nothing_are_noticed(
    in_order: tuple[dict[str, Any], Situation], monkeypatch: pytest.MonkeyPatch, rule: str, answer: bool
) -> None:
    """A broken rule would break what the search compares with as well: what is about few cases is seen without it."""
    document, situation = copy.deepcopy(in_order[0]), in_order[1]
    for module in ("cases", "results", "suppression"):
        monkeypatch.setattr(f"ctspine_bench.hosting.disclosure.{module}.{rule}", lambda *_: answer)
    monkeypatch.setattr("ctspine_bench.hosting.disclosure.results.public_aggregates", public_aggregates)
    document["test_sets"][NAME] = json.loads(json.dumps(public_results(situation.truth)))
    wrong = unlawful(document, situation.truth, situation.own_names())
    assert [each for each in wrong if each.endswith("of few cases")] == wrong != []


def test_an_ordinary_scoring(tmp_path: Path, references: Path, played: Callable[[Situation], str]) -> None:
    """Missing cases, refused ones, other grids, labels and sources of few cases, all in one submission."""
    refusal = CaseError("E_CRASH", "p.zip: x.nii.gz", expected="a file", found="a crash", advice="Look at it.")
    predictions = {case: prediction_of(case, first) for case, first in PRIVATE_CASES.items() if case != ABSENT}
    del predictions["CTC-secret-1"]
    predictions["CTC-secret-2"] = np.pad(predictions["CTC-secret-2"], ((0, 1), (0, 0), (0, 0)))
    predictions["guess-of-a-name"] = column()
    situation = prepare(tmp_path, references, predictions, refused={"CTC-secret-1": refusal})
    text = played(situation)
    assert_private(text, situation)
    document = json.loads((tmp_path / "out" / "results.json").read_text())
    results = document["test_sets"][NAME]
    assert [failure["case_id"] for failure in results["failures"]] == ["CTC-secret-1", "CTC-secret-2"]
    assert results["n_other_failures"] == 1
    assert "13 × 12" not in text
    assert "guess-of-a-name" not in text
    assert "/s" not in text.replace("/submission", "").replace("/store", "").replace("/sets", ""), "a speed"


def test_a_set_of_few_cases(tmp_path: Path, played: Callable[[Situation], str]) -> None:
    """Of four cases not even the means are told."""
    cases = dict(list(PRIVATE_CASES.items())[:4])
    references = write_references(tmp_path / "few", {"private": cases})
    predictions = {case: prediction_of(case, first) for case, first in cases.items()}
    situation = prepare(tmp_path / "played", references, predictions)
    assert_private(played(situation), situation)
    means = situation.truth.summary.official.mean_of_spine
    assert f"{means.dsc:.3f}" not in (tmp_path / "played" / "out" / "results.json").read_text()


def test_one_prediction_alone(tmp_path: Path, references: Path, played: Callable[[Situation], str]) -> None:
    """An archive of one case: no mean may be its score divided by the number of cases."""
    situation = prepare(tmp_path, references, {"CTC-secret-3": prediction_of("CTC-secret-3", 18)})
    text = played(situation)
    assert_private(text, situation)
    results = json.loads((tmp_path / "out" / "results.json").read_text())["test_sets"][NAME]
    spine = situation.truth.table.query("row == 'spine' and status == 'matched'")["dsc"].astype(float).item()
    for number in (
        results["mean_of_spine"]["dsc"],
        results["mean_of_vertebrae"]["dsc"],
        results["per_case"]["dsc"]["mean"],
    ):
        assert number is None
    assert f"{spine / 17:.3f}" not in json.dumps(results)


@pytest.mark.parametrize("damage", ["truncated", "not a label map", "doubled", "gone", "all gone", "a link to nowhere"])
def test_broken_references(tmp_path: Path, references: Path, played: Callable[[Situation], str], damage: str) -> None:
    """The error says that references are broken and nothing of which; the details are in the store."""
    situation = prepare(tmp_path, references)
    folder = tmp_path / "references" / "private" / "labels" / "MSD-T10"
    path = folder / f"{ABSENT}_seg.nii.gz"
    if damage == "truncated":
        path.write_bytes(path.read_bytes()[:60])
    elif damage == "not a label map":
        labels = column().astype(np.float32)
        labels[0, 0, 0] = 0.12345
        import nibabel

        nibabel.Nifti1Image(labels, np.diag([1.0, 1, 2, 1])).to_filename(path)
    elif damage == "doubled":
        shutil.copy(path, folder / f"{ABSENT}.nii.gz")
    elif damage == "gone":
        (tmp_path / "references" / "phantom.json").write_text("{}")
    elif damage == "all gone":
        shutil.rmtree(tmp_path / "references" / "private" / "labels")
    else:
        path.unlink()
        path.symlink_to(path)
    text = played(situation)
    assert_private(text, situation)
    assert "Written" not in text
    details = list((tmp_path / "store" / "details").glob("*.txt"))
    assert len(details) == 1 or damage == "all gone"


def test_a_crash_half_way(
    tmp_path: Path, references: Path, played: Callable[[Situation], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An unexpected exception that quotes a case and its numbers is replaced by one that does not."""
    situation = prepare(tmp_path, references)
    number = next(iter(private_numbers(situation, published=set())))

    def crash(pair: Any, settings: Any) -> None:
        error = ZeroDivisionError(f"{pair.reference.path} {number}")
        error.add_note(f"while scoring case {ABSENT}")
        raise error from KeyError(ABSENT)

    monkeypatch.setattr("ctspine_bench.evaluate.evaluate_pair", crash)
    text = played(situation)
    assert "RuntimeError" in text
    assert_private(text, situation)
    (details,) = (tmp_path / "store" / "details").glob("*.txt")
    assert ABSENT in details.read_text()


def test_interrupted_half_way(
    tmp_path: Path, references: Path, played: Callable[[Situation], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that is stopped leaves nothing in the output, and the next one finishes."""
    situation = prepare(tmp_path, references)
    from ctspine_bench.tables import Journal

    append = Journal.append

    def stop(self: Journal, files: str, result: Any) -> None:
        append(self, files, result)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Journal, "append", stop)
        assert_private(played(situation), situation)
    assert not (tmp_path / "out").exists()
    assert "Written" in played(situation)


def test_a_refused_quota(tmp_path: Path, references: Path, played: Callable[[Situation], str]) -> None:
    """The refusal tells how many were used, and nothing of what they gave."""
    situation = prepare(tmp_path, references)
    PrivateStore(tmp_path / "store").quota.write_text("scored = 0\n")
    text = played(situation)
    assert "E_QUOTA" in text
    assert_private(text, situation)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["comment.json"]


def test_changed_predictions(tmp_path: Path, references: Path, played: Callable[[Situation], str]) -> None:
    """A canonical file that was swapped after intake stops the scoring."""
    situation = prepare(tmp_path, references)
    write_labels(situation.intake.folder / "CTC-secret-0.nii.gz", column(first=18), grid_of(column()))
    text = played(situation)
    assert "E_DIGEST" in text
    assert_private(text, situation)


def test_a_repeated_scoring(tmp_path: Path, references: Path, played: Callable[[Situation], str]) -> None:
    """What is answered from the store is as public as the first answer."""
    situation = prepare(tmp_path, references)
    first = played(situation)
    assert_private(first, situation)
    again = played(situation)
    assert "scored before" in again
    assert_private(again, situation)


def test_a_record_in_memory_shows_no_rows(tmp_path: Path, references: Path) -> None:
    """What scoring returns, printed by some logger or traceback, holds no private row."""
    situation = prepare(tmp_path, references)
    scored = score_record(
        "a-method",
        declare(NAME),
        "0" * 64,
        {NAME: situation.intake},
        tmp_path / "references",
        store=None,
        output=tmp_path / "out",
    )
    assert NAME in scored.tables
    assert_private(repr(scored), situation)
    assert asdict(replace(scored, tables={}))["tables"] == {}
