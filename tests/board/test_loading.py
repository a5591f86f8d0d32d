"""The folder of submissions as a whole: one bad record never takes the board down."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from board_records import PUBLIC, board_of, change_cases, change_results

from ctspine_bench.board import Board, loading
from ctspine_bench.board.cache import Cache
from ctspine_bench.board.loading import load, read_scores, signature
from ctspine_bench.errors import SubmissionError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def damage_bytes(seed: int) -> Callable[[Path], object]:
    """Overwrite some bytes of the case table, and let results.json go with it."""

    def damage(folder: Path) -> None:
        path = folder / "cases.parquet"
        content = np.frombuffer(path.read_bytes(), np.uint8).copy()
        rng = np.random.default_rng(seed)
        # What a Parquet file says about itself lies at its end.
        start = 0 if seed % 2 else len(content) - 4000
        content[rng.integers(start, len(content), 20)] = rng.integers(0, 256, 20)
        path.write_bytes(content.tobytes())
        change_results(folder, lambda results: results.pop("cases_sha256"))

    return damage


def replace(name: str, content: bytes | None) -> Callable[[Path], object]:
    """Put other bytes in the place of a file; `None` takes it away."""

    def damage(folder: Path) -> None:
        (folder / name).unlink()
        if content is not None:
            (folder / name).write_bytes(content)

    return damage


def link(name: str) -> Callable[[Path], object]:
    """Put a link to the same content in the place of a file."""

    def damage(folder: Path) -> None:
        path = folder / name
        path.rename(folder.parent.parent / name)
        path.symlink_to(folder.parent.parent / name)

    return damage


def folder_instead(name: str) -> Callable[[Path], object]:
    """Put a folder in the place of a file."""

    def damage(folder: Path) -> None:
        (folder / name).unlink()
        (folder / name).mkdir()

    return damage


def emptied(folder: Path) -> None:
    """Take all files away."""
    shutil.rmtree(folder)
    folder.mkdir()


def results_with(**changes: Any) -> Callable[[Path], object]:
    """Change the results on the public set."""
    return lambda folder: change_results(folder, lambda results: results["test_sets"][PUBLIC].update(changes))


def other_table(change: Callable[[pd.DataFrame], pd.DataFrame]) -> Callable[[Path], object]:
    """Change the case table."""
    return lambda folder: change_cases(folder, change)


def with_cell(column: str, value: Any) -> Callable[[Path], object]:
    """Change a cell of the first vertebra of the case table."""

    def change(table: pd.DataFrame) -> pd.DataFrame:
        table.loc[0, column] = value
        return table

    return other_table(change)


BAD: dict[str, Callable[[Path], object]] = {
    "broken yaml": replace("submission.yaml", b"name: [unclosed"),
    "yaml of another kind": replace("submission.yaml", b"- 1\n- 2\n"),
    "binary yaml": replace("submission.yaml", bytes(range(256))),
    "deep yaml": replace("submission.yaml", b"[" * 20_000),
    "no yaml": replace("submission.yaml", None),
    "linked yaml": link("submission.yaml"),
    "a folder for the yaml": folder_instead("submission.yaml"),
    "broken json": replace("results.json", b"{"),
    "empty json": replace("results.json", b""),
    "a list": replace("results.json", b"[]"),
    "deep json": replace("results.json", b"[" * 100_000),
    "no json": replace("results.json", None),
    "linked json": link("results.json"),
    "a folder for the json": folder_instead("results.json"),
    "NaN": replace("results.json", b'{"schema_version": NaN}'),
    "a number without end": replace("results.json", b'{"schema_version": 1e999}'),
    "a number of 5,000 digits": replace("results.json", b'{"schema_version": ' + b"9" * 5000 + b"}"),
    "test sets of another shape": replace(
        "results.json", b'{"schema_version": 1, "kind": "simulated", "test_sets": 1}'
    ),
    "labels of another shape": results_with(labels=[1]),
    "a text for a number": results_with(mean_of_vertebrae={"dsc": "1.0"}),
    "a huge number": results_with(mean_of_vertebrae={"dsc": 10**400, "hd95_mm": 1.0}),
    "broken parquet": replace("cases.parquet", b"PAR1"),
    "no parquet": replace("cases.parquet", None),
    "linked parquet": link("cases.parquet"),
    "a folder for the parquet": folder_instead("cases.parquet"),
    "a table without rows of vertebrae": other_table(lambda table: table[table["row"] == "case"]),
    "a table with rows twice": other_table(lambda table: pd.concat([table, table])),
    "a label beyond the spine": with_cell("label", 99),
    "an endless score": with_cell("dsc", float("inf")),
    "an impossible score": with_cell("dsc", 7.0),
    "an empty score": with_cell("dsc", None),
    "an empty case id": with_cell("case_id", None),
    "an empty folder": emptied,
    **{f"damaged parquet {seed}": damage_bytes(seed) for seed in range(4)},
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_record_is_one_error_and_the_others_stand(folder: Path, kind: str) -> None:
    """Whatever is wrong with beta, alpha and gamma are ranked, and beta has one error that names it."""
    BAD[kind](folder / "submissions" / "beta")
    board = board_of(folder)
    beta = board.entry("beta")
    assert beta is not None
    if kind.startswith("damaged") and beta.problem is None:  # what was hit does not matter to the table
        return
    paired = board.paired(PUBLIC)
    assert paired is not None
    assert paired.slugs == ("alpha", "gamma")
    assert beta.problem is not None
    assert "beta" in str(beta.problem.path)
    assert str(folder) not in str(beta.problem)
    assert board.status(beta, PUBLIC) == "broken"


def test_an_error_that_nobody_has_thought_of_is_one_of_the_record(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a library raises at a file is told with its kind; the board stands."""
    read = loading.read_record

    def reading(path: Path) -> Any:
        if path.name == "beta":
            raise MemoryError("<b>too much</b>\x1b[31m")
        return read(path)

    monkeypatch.setattr(loading, "read_record", reading)
    beta = board_of(folder).entry("beta")
    assert beta is not None
    assert beta.problem is not None
    assert (beta.problem.code, beta.problem.path) == ("E_RECORD", "beta")
    assert beta.problem.found == "MemoryError: <b>too much</b>\\x1b[31m"


@pytest.mark.parametrize("name", ["Bad_Name", "con", "ä", "a b", "=cmd", "<script>", "x" * 200])
def test_a_name_that_no_submission_can_have(folder: Path, name: str) -> None:
    """Such a folder is an error of its own, even with the files of a valid record in it."""
    shutil.copytree(folder / "submissions" / "beta", folder / "submissions" / name)
    board = board_of(folder)
    entry = board.entry(name)
    assert entry is not None
    assert entry.problem is not None
    assert entry.problem.code == "E_SLUG"
    assert len(board.entries) == 4


def test_files_and_hidden_folders_are_no_submissions(folder: Path) -> None:
    """What lies beside the folders of submissions is not looked at; a link to nowhere neither."""
    submissions = folder / "submissions"
    (submissions / "README.md").write_text("x")
    (submissions / ".git").mkdir()
    (submissions / "gone").symlink_to(folder / "nowhere")
    assert [entry.slug for entry in board_of(folder).entries] == ["alpha", "beta", "gamma"]


@pytest.mark.parametrize("what", ["missing", "empty", "a file"])
def test_no_submissions(tmp_path: Path, what: str) -> None:
    """A folder that is missing, empty or a file has no submissions, and a signature all the same."""
    path = tmp_path / "submissions"
    if what == "empty":
        path.mkdir()
    elif what == "a file":
        path.write_text("x")
    assert load(path, Cache(None), {}) == {}
    assert signature(path, None) == ((),)
    assert signature(path, tmp_path / "standings.json") == ((),)


class TestSignature:
    """What tells that something has changed without reading it."""

    @pytest.mark.parametrize("name", ["submission.yaml", "results.json", "cases.parquet"])
    def test_it_changes_with_each_file(self, folder: Path, name: str) -> None:
        """A file that is written anew, taken away, or replaced by a link changes it."""
        submissions = folder / "submissions"
        path = submissions / "beta" / name
        found = [signature(submissions, None)]
        content = path.read_bytes()
        path.unlink()
        found.append(signature(submissions, None))
        path.write_bytes(content + b" ")
        found.append(signature(submissions, None))
        path.unlink()
        path.symlink_to(submissions / "alpha" / name)
        found.append(signature(submissions, None))
        assert len(set(found)) == 4

    def test_it_changes_with_new_folders_and_the_private_file(self, folder: Path) -> None:
        """A new submission, one that is gone, and private standings that appear."""
        submissions, private = folder / "submissions", folder / "standings.json"
        found = [signature(submissions, private)]
        private.write_text("{}")
        found.append(signature(submissions, private))
        (submissions / "new").mkdir()
        found.append(signature(submissions, private))
        shutil.rmtree(submissions / "alpha")
        found.append(signature(submissions, private))
        assert len(set(found)) == 4

    def test_files_on_their_way_count_once_they_are_complete(self, folder: Path) -> None:
        """New results that wait for the end of a replacement that was killed are seen, as the reader sees them."""
        beta = folder / "submissions" / "beta"
        before = signature(folder / "submissions", None)
        (beta / ".complete").mkdir()
        shutil.copy(beta / "results.json", beta / ".complete" / "results.json")
        assert signature(folder / "submissions", None) != before


class TestScoresThatAreReadLater:
    """The scores of a record that is known from the cache, when the cache has lost them."""

    def test_they_are_read_and_kept(self, folder: Path) -> None:
        """From the files, once."""
        cache = Cache(folder / "cache")
        loaded = load(folder / "submissions", cache, {})["beta"]
        for path in (folder / "cache").glob("*/records/*.npz"):
            path.unlink()
        scores = read_scores(folder / "submissions" / "beta", loaded, cache)
        assert scores is not None
        assert scores[PUBLIC].n_cases == 12
        assert (cache.read_scores(loaded.entry.digest, "beta") or {}).keys() == scores.keys()

    @pytest.mark.parametrize("damage", [replace("cases.parquet", b"x"), results_with(note="changed")])
    def test_not_from_another_record(self, folder: Path, damage: Callable[[Path], object]) -> None:
        """A record that has changed since has no scores until it is loaded anew; nothing is kept in its name."""
        cache = Cache(folder / "cache")
        loaded = load(folder / "submissions", cache, {})["beta"]
        for path in (folder / "cache").glob("*/records/*.npz"):
            path.unlink()
        damage(folder / "submissions" / "beta")
        assert read_scores(folder / "submissions" / "beta", loaded, cache) is None
        assert cache.read_scores(loaded.entry.digest, "beta") is None


def test_what_cannot_be_read_for_a_moment_is_read_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A submission whose scores the system refuses once is ranked again when asked, here and after a restart."""
    cache = Cache(folder / "cache")
    Board(folder / "submissions", cache=cache)
    for path in (folder / "cache").glob("*/records/*.npz"):
        path.unlink()
    board = Board(folder / "submissions", cache=cache)
    with monkeypatch.context() as patch:

        def refuse(path: Path) -> None:
            raise OSError(24, "Too many open files", str(path))

        patch.setattr(loading, "read_record", refuse)
        assert board.standings(PUBLIC).standings is None
    found = board.standings(PUBLIC).standings
    assert found is not None
    assert "beta" in {row.slug for row in found.rows}
    again = Board(folder / "submissions", cache=cache).standings(PUBLIC).standings
    assert again == found


def test_a_record_that_changes_while_it_is_read_is_not_kept(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The cache has nothing under the digest of what was there before."""
    read = loading.read_record

    def reading(path: Path) -> Any:
        if path.name == "beta":
            change_results(path, lambda results: results["test_sets"][PUBLIC].update(note="changed"))
        return read(path)

    monkeypatch.setattr(loading, "read_record", reading)
    cache = Cache(folder / "cache")
    loaded = load(folder / "submissions", cache, {})
    known = {slug: cache.read("records", each.entry.digest) is not None for slug, each in loaded.items()}
    assert known == {"alpha": True, "beta": False, "gamma": True}
    assert json.loads((folder / "submissions" / "beta" / "results.json").read_text())["test_sets"][PUBLIC]["note"]


def test_records_that_are_as_they_were_are_not_read_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what has changed since the previous load is read; no cache is needed for that."""
    submissions = folder / "submissions"
    previous = load(submissions, Cache(None), {})
    change_results(submissions / "beta", lambda results: results["test_sets"][PUBLIC].update(note="changed"))
    read: list[str] = []
    original = loading.read_record
    monkeypatch.setattr(loading, "read_record", lambda path: read.append(path.name) or original(path))
    found = load(submissions, Cache(None), previous)
    assert read == ["beta"]
    assert found["alpha"] is previous["alpha"]
    assert found["beta"].entry.digest != previous["beta"].entry.digest
    with pytest.raises(SubmissionError):
        original(submissions / "nobody")
