"""Names and folders as they are typed, runs as they are read, and what cannot be compared."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest
from case_results import case, mask, missed
from own_results import change, drawn_cases, write_own

from ctspine_bench.anatomy import LabelMap
from ctspine_bench.errors import InputError, UsageError
from ctspine_bench.own_runs.methods import brought_together, method_of
from ctspine_bench.own_runs.naming import named_folders
from ctspine_bench.own_runs.reading import is_results, read_run
from ctspine_bench.provenance import ENGINE_VERSION, Settings
from ctspine_bench.records import Failure
from ctspine_bench.tables import SCHEMA_VERSION

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class TestNames:
    """`NAME=FOLDER1,FOLDER2`."""

    def test_a_name_or_that_of_the_folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Without a name it is called as the folder is on disk; runs are separated by commas."""
        (tmp_path / "here").mkdir()
        monkeypatch.chdir(tmp_path / "here")
        found = named_folders([".", "mine=a/b", "runs=c,d", "../e/"])
        assert {name: list(map(str, folders)) for name, folders in found.items()} == {
            "here": ["."],
            "mine": ["a/b"],
            "runs": ["c", "d"],
            "e": ["../e"],
        }

    def test_what_exists_is_a_folder_whatever_its_name(self, tmp_path: Path) -> None:
        """Signs in the names of folders are no syntax."""
        odd = tmp_path / "lr=1e-3,v2"
        odd.mkdir()
        assert named_folders([str(odd)]) == {"lr=1e-3,v2": (odd,)}
        assert named_folders([f"x={odd}"]) == {"x": (odd,)}

    @pytest.mark.parametrize(
        ("arguments", "told"),
        [
            (["a=x", "a=y"], "'a'"),
            (["one/results", "two/results"], "'results'"),
            (["x", "y=x"], "each folder once"),
            (["a=x,x"], "each folder once"),
            (["x,y"], "NAME=FOLDER1,FOLDER2"),
            (["=x"], "'=x'"),
            (["a=x,,y"], "'a=x,,y'"),
        ],
    )
    def test_what_repeats_or_lacks_is_wrong_usage(self, arguments: list[str], told: str) -> None:
        """The message has the name or the argument."""
        with pytest.raises(UsageError, match=told):
            named_folders(arguments)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Results that may be changed."""
    return write_own(tmp_path / "results", drawn_cases(1, 1.0, range(12)))


def error_of(what: Callable[[], object]) -> InputError:
    """The error of a call, whose parts are all there."""
    with pytest.raises(InputError) as caught:
        what()
    error = caught.value
    assert all((error.path, error.expected, error.found, error.advice))
    return error


class TestReading:
    """One folder."""

    def test_a_run_is_what_was_written(self, folder: Path) -> None:
        """Title, cases, settings and the table of its test set."""
        run = read_run(folder)
        assert (run.title, len(run.case_ids), run.n_failed, run.note) == ("custom", 12, 0, "")
        assert run.settings == Settings().describe()
        assert set(run.table["test_set"]) == {"custom"}

    def test_which_folders_are_results(self, folder: Path, tmp_path: Path) -> None:
        """Those with results.json of their own, unless they hold submissions."""
        assert is_results(folder)
        assert not is_results(tmp_path)
        (folder / "mine").mkdir()
        (folder / "mine" / "submission.yaml").touch()
        assert not is_results(folder)

    @pytest.mark.parametrize("name", ["results.json", "cases.parquet"])
    def test_without_results(self, folder: Path, name: str) -> None:
        """A folder without either file; a journal says that the run has not finished."""
        (folder / name).unlink()
        error = error_of(lambda: read_run(folder))
        assert (error.code, error.path, error.found) == ("E_NOT_FOUND", str(folder), f"a folder without {name}")
        (folder / "journal.jsonl").touch()
        assert "--resume" in error_of(lambda: read_run(folder)).advice

    def test_no_folder(self, tmp_path: Path) -> None:
        """Neither is there one, nor is a file one."""
        (tmp_path / "file").touch()
        found = [error_of(lambda name=name: read_run(tmp_path / name)).found for name in ("nowhere", "file")]
        assert found == ["no such folder", "a file"]

    def test_of_an_earlier_version(self, folder: Path) -> None:
        """By another schema or another rule: score again."""
        change(folder, lambda document: document["provenance"].update(engine_version=ENGINE_VERSION - 1))
        error = error_of(lambda: read_run(folder))
        assert (error.code, error.path) == ("E_COMPARE", str(folder))
        assert (error.expected, error.found) == (
            f"results by rule {ENGINE_VERSION}",
            f"rule {ENGINE_VERSION - 1}: scored by an earlier version of ctspine-bench",
        )
        assert error.advice.startswith("Score the predictions again")
        change(folder, lambda document: document.update(schema_version=SCHEMA_VERSION - 1))
        assert error_of(lambda: read_run(folder)).found.startswith(f"schema {SCHEMA_VERSION - 1}: scored by an earlier")
        change(
            folder, lambda document: [document["provenance"].pop("engine_version"), document.update(schema_version=2)]
        )
        assert error_of(lambda: read_run(folder)).found.startswith("no such number: scored by an earlier version")

    def test_of_a_newer_version(self, folder: Path) -> None:
        """This version cannot read it."""
        change(folder, lambda document: document.update(schema_version=SCHEMA_VERSION + 1))
        assert error_of(lambda: read_run(folder)).code == "E_VERSION"

    def test_test_sets(self, folder: Path) -> None:
        """One of several has to be named; one that is not there is an error."""
        assert error_of(lambda: read_run(folder, "public")).found == "custom"

        def two(document: dict[str, Any]) -> None:
            document["test_sets"]["other"] = document["test_sets"]["custom"]

        change(folder, two)
        error = error_of(lambda: read_run(folder))
        assert (error.code, error.found, error.advice) == (
            "E_COMPARE",
            "custom, other",
            "Say which one with --test-set.",
        )
        assert len(read_run(folder, "custom").case_ids) == 12

    def test_without_aggregates(self, folder: Path) -> None:
        """A reference could not be read: no mean is over all cases."""
        change(folder, lambda document: document["test_sets"]["custom"].pop("mean_of_vertebrae"))
        assert error_of(lambda: read_run(folder)).code == "E_COMPARE"

    def test_without_cases(self, folder: Path) -> None:
        """Of private test sets a record has aggregates alone, which nothing can be worked out from."""

        def private(document: dict[str, Any]) -> None:
            document["test_sets"] = {"private": document["test_sets"]["custom"]}

        error = error_of(lambda: read_run(change(folder, private)))
        assert (error.code, error.path, error.expected) == ("E_COMPARE", str(folder), "the cases of private")

    def test_the_case_table_of_another_run(self, folder: Path, tmp_path: Path) -> None:
        """Its cases are not those of results.json."""
        other = write_own(tmp_path / "other", drawn_cases(1, 1.0, range(11)))
        shutil.copy(other / "cases.parquet", folder)
        error = error_of(lambda: read_run(folder))
        assert (error.code, error.path) == ("E_RECORD", str(folder / "cases.parquet"))

    @pytest.mark.parametrize(
        ("name", "content"), [("results.json", b"{"), ("results.json", b"[]"), ("cases.parquet", b"x")]
    )
    def test_broken_files(self, folder: Path, name: str, content: bytes) -> None:
        """No JSON, no object, no table: E_RECORD with the file."""
        (folder / name).write_bytes(content)
        error = error_of(lambda: read_run(folder))
        assert (error.code, error.path) == ("E_RECORD", str(folder / name))

    def test_failures_are_counted(self, tmp_path: Path) -> None:
        """Who reads the means has to know."""
        broken = case("b", missed("L1"), failure=Failure("E_TRUNCATED", "prediction", "…"))
        run = read_run(write_own(tmp_path / "failed", [case("a", mask("L1", 0.9, 1.0)), broken]))
        assert run.n_failed == 1


class TestMethods:
    """What belongs together."""

    def test_kinds(self, tmp_path: Path) -> None:
        """One run, runs on the same cases, folds."""
        runs = [read_run(write_own(tmp_path / str(i), drawn_cases(i, 1.0, range(4)))) for i in range(2)]
        fold = read_run(write_own(tmp_path / "fold", drawn_cases(1, 1.0, range(4, 8))))
        kinds = [method_of("m", given).kind for given in (runs[:1], runs, [runs[0], fold])]
        assert kinds == ["single", "runs", "folds"]

    def test_some_cases_in_common(self, tmp_path: Path) -> None:
        """Neither runs nor folds: the folder and how many."""
        runs = [read_run(write_own(tmp_path / str(i), drawn_cases(1, 1.0, range(i, i + 5)))) for i in range(2)]
        error = error_of(lambda: method_of("m", runs))
        assert (error.code, error.path) == ("E_COMPARE", str(tmp_path / "1"))
        assert error.found == f"4 of its 5 cases among the 5 of {tmp_path / '0'}"

    def test_folds_of_different_test_sets(self, tmp_path: Path) -> None:
        """Test sets are never pooled: cases of another one are no fold."""
        cases = drawn_cases(1, 0.9)
        folders = [write_own(tmp_path / str(i), part) for i, part in enumerate((cases[:5], cases[5:]))]
        change(folders[1], lambda document: document["test_sets"]["custom"].update(title="Another test set"))
        error = error_of(lambda: method_of("folds", [read_run(folder) for folder in folders]))
        assert error.found == "a run on Another test set"
        assert "never pooled" in error.advice

    def test_runs_and_folds_at_once(self, tmp_path: Path) -> None:
        """Two on the same cases and one on others are neither."""
        cases = (range(4), range(4), range(4, 8))
        runs = [read_run(write_own(tmp_path / str(i), drawn_cases(i, 1.0, which))) for i, which in enumerate(cases)]
        assert "some of its folders on the same cases" in error_of(lambda: method_of("m", runs)).found

    def test_a_run_given_twice(self, folder: Path, tmp_path: Path) -> None:
        """A copy of a folder is no second run."""
        copy = shutil.copytree(folder, tmp_path / "copy")
        error = error_of(lambda: method_of("m", [read_run(folder), read_run(copy)]))
        assert (error.path, error.found) == (str(copy), f"the same predictions as in {folder}")

    def test_other_cases(self, folder: Path, tmp_path: Path) -> None:
        """How many are missing, how many are others, and which."""
        other = write_own(tmp_path / "other", drawn_cases(1, 1.0, range(1, 13)))
        error = error_of(lambda: together(folder, other))
        assert (error.code, error.path) == ("E_COMPARE", str(other))
        assert error.expected == f"the 12 cases of one ({folder})"
        assert error.found == "12 cases, 1 missing (case000) and 1 of its own (case012)"

    def test_other_references_by_their_digest(self, folder: Path, tmp_path: Path) -> None:
        """The same cases by other files."""
        other = change(
            write_own(tmp_path / "other", drawn_cases(2, 1.0, range(12))),
            lambda document: document["provenance"]["digests"]["custom"].update(references="f" * 64),
        )
        error = error_of(lambda: together(folder, other))
        assert (error.code, error.path, error.expected) == ("E_COMPARE", str(other), f"the references of {folder}")

    def test_other_references_of_folds(self, tmp_path: Path) -> None:
        """Where digests are of other sets, the vertebrae of the references and their volumes tell."""
        one = [case(name, mask("L1", 0.9, 1.0)) for name in "ab"]
        other = [case(name, mask("L1", 0.9, 1.0, reference_ml=31.0)) for name in "ab"]
        whole = method_of("whole", [read_run(write_own(tmp_path / "whole", one))])
        folds = [read_run(write_own(tmp_path / each.case_id, [each])) for each in other]
        error = error_of(lambda: brought_together([whole, method_of("folds", folds)]))
        assert (error.code, error.path) == ("E_COMPARE", str(tmp_path / "a"))
        assert error.found == "reference vertebrae that are others, or have other volumes"

    def test_references_read_by_another_label_map(self, folder: Path, tmp_path: Path) -> None:
        """It makes other references of the same files."""
        settings = Settings(reference_label_map=LabelMap("mine", {1: 2}))
        other = write_own(tmp_path / "other", drawn_cases(2, 1.0, range(12)), settings=settings)
        error = error_of(lambda: together(folder, other))
        assert (error.path, error.found) == (str(other), "the label map mine")

    def test_notes(self, folder: Path, tmp_path: Path) -> None:
        """Resampling, label maps of predictions, failures and copies are said."""
        settings = Settings(prediction_label_map=LabelMap("mine", {1: 2}), resample=True)
        other = write_own(tmp_path / "other", drawn_cases(2, 1.0, range(12)), settings=settings)
        resampled, maps = together(folder, other)
        assert resampled.endswith("unlike the others: other.")
        plain = Settings().describe()["prediction_label_map"]["name"]
        assert maps == f"Predictions were read by different label maps: one by {plain}, other by mine."
        copy = shutil.copytree(folder, tmp_path / "copy")
        assert together(folder, copy) == ("other has the same predictions as one.",)


def together(one: Path, other: Path) -> tuple[str, ...]:
    """The notes on two methods of one run each."""
    return brought_together([method_of("one", [read_run(one)]), method_of("other", [read_run(other)])]).notes
