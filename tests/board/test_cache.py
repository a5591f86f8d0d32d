"""The cache makes a board quicker and changes no answer."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from board_records import PUBLIC, VERSE, change_results

from ctspine_bench.board import Board, board, cache, loading
from ctspine_bench.board.cache import Cache, default_folder
from ctspine_bench.board.condensed import paired_scores
from ctspine_bench.submissions.records import read_record

if TYPE_CHECKING:
    from collections.abc import Callable

    from ctspine_bench.rankings.standings import Standings

DIGEST = "0" * 64
ASKED = ((PUBLIC, "mean-then-rank"), (PUBLIC, "significance"), (VERSE, "rank-then-mean"))


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of records that are read and of schemes that are worked out, as it happens."""
    done: list[str] = []
    read, ranked = loading.read_record, board.standings
    monkeypatch.setattr(loading, "read_record", lambda path: done.append(path.name) or read(path))
    monkeypatch.setattr(board, "standings", lambda *given: done.append(given[1]) or ranked(*given))
    return done


def answers(folder: Path, kept: Path | None) -> list[Standings | None]:
    """What a new board says with a cache at `kept`."""
    found = Board(folder / "submissions", cache=Cache(kept))
    assert found.paired(VERSE) is not None
    return [found.standings(test_set, scheme).standings for test_set, scheme in ASKED]


def test_the_second_board_works_nothing_out(folder: Path, work: list[str]) -> None:
    """No record is read and no standings are worked out again; answers are equal but for shares of draws, to four."""
    first = answers(folder, folder / "cache")
    assert sorted(work) == sorted(["alpha", "beta", "gamma", *(scheme for _, scheme in ASKED)])
    work.clear()
    second = answers(folder, folder / "cache")
    assert work == []
    for one, other in zip(first, second, strict=True):
        assert one is not None
        assert other is not None
        assert _told(one) == _told(other)
        for a, b in zip(one.rows, other.rows, strict=True):
            assert np.round(a.frequencies, 4).tolist() == list(b.frequencies)
        assert one.stability == other.stability


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    for place in range(100, len(content), max(1, len(content) // 7)):
        content[place] ^= 1
    path.write_bytes(bytes(content))


def change_a_digit(path: Path) -> None:
    """What JSON would not mind."""
    content = path.read_bytes()
    path.write_bytes(content.replace(b"7", b"3").replace(b".9", b".1"))


def folder_instead(path: Path) -> None:
    path.unlink()
    path.mkdir()


DAMAGES: tuple[Callable[[Path], object], ...] = (
    Path.unlink,
    cut,
    flip,
    change_a_digit,
    folder_instead,
    lambda path: path.write_bytes(b""),
    lambda path: path.write_bytes(b"{}"),
    lambda path: path.write_bytes(b"PK\x05\x06" + bytes(18)),
)


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_files_are_made_anew(folder: Path, damage: Callable[[Path], object]) -> None:
    """Whatever happens to its files, the answers are the same."""
    expected = answers(folder, folder / "cache")
    for suffix, n_files in ((".npz", 3), (".json", 6)):
        paths = [path for path in (folder / "cache").rglob(f"*{suffix}") if path.is_file()]
        assert len(paths) == n_files
        for path in paths:
            damage(path)
        found = answers(folder, folder / "cache")
        assert [_told(one) for one in found] == [_told(one) for one in expected]


def _told(found: Standings | None) -> list[tuple[object, ...]]:
    assert found is not None
    return [(row.slug, row.rank, row.low, row.high, row.score, row.score_low) for row in found.rows]


def test_a_cache_that_cannot_be_written_to(folder: Path) -> None:
    """With a file in the place of the folder the answers are the same."""
    (folder / "cache").write_text("not a folder")
    assert [_told(one) for one in answers(folder, folder / "cache")] == [_told(one) for one in answers(folder, None)]


def test_a_full_disk_is_no_error(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that cannot be finished is not kept, and the answer is there all the same."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("ctspine_bench.files._sync", full)
    assert answers(folder, folder / "cache")[0] is not None
    assert [path for path in (folder / "cache").rglob("*") if path.is_file()] == []


def test_what_can_only_be_read_is_used(folder: Path, work: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """When the times of files cannot be set, what is in them counts all the same."""
    answers(folder, folder / "cache")
    work.clear()

    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "utime", refuse)
    answers(folder, folder / "cache")
    assert work == []


def test_scores_come_back_as_they_were(made: Path, tmp_path: Path) -> None:
    """All arrays of a record, with their types, under the name that is asked for."""
    scores = paired_scores(read_record(made / "submissions" / "beta"))
    kept = Cache(tmp_path)
    kept.write_scores(DIGEST, scores)
    found = kept.read_scores(DIGEST, "beta")
    assert found is not None
    assert list(found) == list(scores) == [PUBLIC, VERSE]
    for name, paired in scores.items():
        again = found[name]
        assert again.slugs == ("beta",)
        assert again.vertebrae.case_ids == paired.vertebrae.case_ids
        assert again.vertebrae.sources == paired.vertebrae.sources
        for field in ("slice_spacing_mm", "transitional", "case", "label", "in_reference", "cut"):
            one, other = getattr(paired.vertebrae, field), getattr(again.vertebrae, field)
            assert one.dtype == other.dtype, field
            np.testing.assert_array_equal(one, other)
        np.testing.assert_array_equal(again.present, paired.present)
        assert again.measures.keys() == paired.measures.keys()
        for measure, values in paired.measures.items():
            np.testing.assert_array_equal(again.measures[measure], values)


def test_a_record_without_scores_is_kept_too(tmp_path: Path) -> None:
    """Nothing is something else than not known."""
    kept = Cache(tmp_path)
    kept.write_scores(DIGEST, {})
    assert kept.read_scores(DIGEST, "beta") == {}
    assert kept.read_scores("1" * 64, "beta") is None


def test_other_source_code_makes_it_anew(folder: Path, work: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """What an older version has worked out is not taken for today's."""
    answers(folder, folder / "cache")
    work.clear()
    monkeypatch.setattr(cache, "source_sha256", lambda _: "f" * 64)
    answers(folder, folder / "cache")
    assert len(work) == 6
    assert len(list((folder / "cache").iterdir())) == 2


def test_what_nobody_has_asked_for_is_removed(folder: Path) -> None:
    """After a month, also what an older version has left; what was asked for since stays."""
    answers(folder, folder / "cache")
    old = time.time() - 31 * 24 * 3600
    left = folder / "cache" / "older version" / "standings" / "x.json"
    left.parent.mkdir(parents=True)
    left.write_text("{}")
    for path in (folder / "cache").glob("*/*/*"):
        os.utime(path, (old, old))
    Board(folder / "submissions", cache=Cache(folder / "cache")).standings(PUBLIC)
    Cache(folder / "cache").prune()
    kept = {(path.parent.name, path.suffix) for path in (folder / "cache").glob("*/*/*")}
    assert kept == {("records", ".json"), ("standings", ".json")}
    Cache(folder / "nowhere").prune()
    Cache(None).prune()


def test_without_a_folder_nothing_is_kept(tmp_path: Path, made: Path) -> None:
    """A cache can be switched off."""
    kept = Cache(None)
    kept.write("records", DIGEST, {"a": 1})
    kept.write_scores(DIGEST, paired_scores(read_record(made / "submissions" / "beta")))
    assert kept.read("records", DIGEST) is None
    assert kept.read_scores(DIGEST, "beta") is None
    assert list(tmp_path.iterdir()) == []


def test_where_it_lies(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """In the cache folder of the user, wherever that is; nowhere for a user without a home."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_folder() == tmp_path / "ctspine-bench" / "board"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert default_folder() == tmp_path / ".cache" / "ctspine-bench" / "board"

    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", homeless)
    assert default_folder() is None


def test_a_changed_record_is_not_taken_from_it(folder: Path) -> None:
    """The digest of the files decides, not their time."""
    answers(folder, folder / "cache")
    path = folder / "submissions" / "beta" / "results.json"
    times = path.stat().st_atime_ns, path.stat().st_mtime_ns

    def change(results: dict[str, dict[str, object]]) -> None:
        results["provenance"]["engine_version"] = 1

    change_results(path.parent, change)
    os.utime(path, ns=times)
    found = Board(folder / "submissions", cache=Cache(folder / "cache"))
    beta = found.entry("beta")
    assert beta is not None
    assert found.status(beta, PUBLIC) == "outdated"
