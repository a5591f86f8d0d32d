"""The private store: closed to others, whole at any time, one scoring at a time."""

from __future__ import annotations

import json
import multiprocessing
import threading
from typing import TYPE_CHECKING

import pytest
from case_results import case, mask

from ctspine_bench.errors import FileError, SubmissionError
from ctspine_bench.hosting.store import PRIVATE, PrivateStore, StoredScores
from ctspine_bench.provenance import ENGINE_VERSION
from ctspine_bench.results import CASES, RESULTS
from ctspine_bench.tables import SCHEMA_VERSION, case_table, read_table, write_json, write_table

if TYPE_CHECKING:
    from pathlib import Path

KEY, OTHER_KEY, DECLARED = "a" * 64, "b" * 64, "c" * 64


def scores(dsc: float = 0.9) -> StoredScores:
    def table(name: str):
        return case_table([case("case", mask("L1", dsc, 1.0), mask("spine", dsc, 1.0))], name)

    results = {
        "schema_version": SCHEMA_VERSION,
        "provenance": {"engine_version": ENGINE_VERSION},
        "test_sets": {"phantom-private": {"complete": True}},
    }
    return StoredScores(results, table("phantom-public"), table("phantom-private"))


def write_record(folder: Path, text: str) -> Path:
    write_json({"text": text}, folder / RESULTS)
    write_table(scores().cases, folder / CASES)
    return folder


def test_a_new_store_is_closed_to_others(tmp_path: Path) -> None:
    """It is made for its owner alone, and one that was opened to others is closed again."""
    folder = tmp_path / "deep" / "store"
    PrivateStore(folder)
    assert folder.stat().st_mode & 0o777 == 0o700
    folder.chmod(0o755)
    PrivateStore(folder)
    assert folder.stat().st_mode & 0o777 == 0o700


def test_limits_may_be_there_first(tmp_path: Path) -> None:
    """quota.toml can be put into the folder before anything else."""
    (tmp_path / "quota.toml").write_text("scored = 1\n")
    assert PrivateStore(tmp_path).quota.exists()


def test_what_is_saved_is_read(tmp_path: Path) -> None:
    """The scores of some predictions come back as they were, under their key alone."""
    store = PrivateStore(tmp_path / "store")
    store.journal(KEY, "phantom-private").write_text("finished cases")
    saved = scores()
    store.save(KEY, saved)
    read = store.read(KEY)
    assert read.results == saved.results
    assert read.cases.equals(saved.cases)
    assert read.private.equals(saved.private)
    assert store.read(OTHER_KEY) is None
    assert not (store.folder / "journals" / KEY).exists()
    assert not set(read_table(store.folder / "scores" / KEY / CASES)["test_set"]) & {"phantom-private"}
    assert (store.folder / "scores" / KEY / PRIVATE).is_file()


def test_scores_do_not_show_private_rows_when_printed() -> None:
    """The representation, as a traceback or a log may hold it, leaves the private table out."""
    assert "phantom-private'" in repr(scores())
    assert "private=" not in repr(scores())


@pytest.mark.parametrize("key", ["", "../x", "A" * 64, "a" * 63])
def test_a_key_is_a_digest(tmp_path: Path, key: str) -> None:
    """Nothing else becomes a folder."""
    with pytest.raises(ValueError, match="expected a SHA-256 digest"):
        PrivateStore(tmp_path / "store").read(key)


def test_public_record_of_a_declaration(tmp_path: Path) -> None:
    """Each declaration has its record; a later one of the same declaration takes its place as a whole."""
    store = PrivateStore(tmp_path / "store")
    store.save(KEY, scores())
    assert store.public_record("a-method", DECLARED) is None
    store.save_record("a-method", DECLARED, KEY, write_record(tmp_path / "one", "first"))
    first = store.public_record("a-method", DECLARED)
    assert sorted(path.name for path in first.iterdir()) == [CASES, RESULTS]
    store.save_record("a-method", DECLARED, KEY, write_record(tmp_path / "two", "second"))
    second = store.public_record("a-method", DECLARED)
    assert json.loads((second / RESULTS).read_text()) == {"text": "second"}
    assert store.public_record("a-method", "d" * 64) is None
    assert store.public_record("b-method", DECLARED) is None


def test_scores_of_submissions(tmp_path: Path) -> None:
    """The latest scores of every submission, or those of the declarations that are asked for."""
    store = PrivateStore(tmp_path / "store")
    record = write_record(tmp_path / "record", "x")
    for key, table in ((KEY, scores(0.5)), (OTHER_KEY, scores(0.7))):
        store.save(key, table)
    store.save_record("a-method", "1" * 64, KEY, record)
    store.save_record("a-method", "2" * 64, OTHER_KEY, record)
    store.save_record("b-method", "1" * 64, KEY, record)

    def dsc(found: dict[str, StoredScores]) -> dict[str, float]:
        return {slug: float(each.private["dsc"].iloc[0]) for slug, each in found.items()}

    assert store.slugs() == ("a-method", "b-method")
    assert dsc(store.scores()) == {"a-method": 0.7, "b-method": 0.5}
    assert dsc(store.scores({"a-method": "1" * 64, "c-method": "1" * 64})) == {"a-method": 0.5}


@pytest.mark.parametrize("place", ["engine_version", "schema_version"])
def test_scores_of_an_earlier_version_are_as_good_as_none(tmp_path: Path, place: str) -> None:
    """Whether the engine or only the layout is another one: they are made anew."""
    store = PrivateStore(tmp_path / "store")
    earlier = scores()
    of = earlier.results if place == "schema_version" else earlier.results["provenance"]
    of[place] -= 1
    store.save(KEY, earlier)
    assert store.read(KEY) is None
    store.save(KEY, scores())
    assert store.read(KEY) is not None


def test_two_scorings_wait_for_each_other(tmp_path: Path) -> None:
    """While one holds the store the other waits, in another process too."""
    store = PrivateStore(tmp_path / "store")
    context = multiprocessing.get_context("spawn")
    held, entered = context.Event(), context.Event()
    process = context.Process(target=_hold, args=(store.folder, held, entered))
    process.start()
    try:
        assert held.wait(60)
        order: list[str] = []

        def enter() -> None:
            with PrivateStore(store.folder).lock():
                order.append("second" if entered.is_set() else "too early")

        thread = threading.Thread(target=enter)
        thread.start()
        thread.join(0.2)
        assert order == []
        entered.set()
        thread.join(60)
        assert order == ["second"]
    finally:
        process.kill()
        process.join()


def _hold(folder: Path, held: threading.Event, entered: threading.Event) -> None:
    with PrivateStore(folder).lock():
        held.set()
        entered.wait(60)


def test_a_killed_holder_lets_go(tmp_path: Path) -> None:
    """A process that is killed while it holds the store does not keep the next from it."""
    store = PrivateStore(tmp_path / "store")
    context = multiprocessing.get_context("spawn")
    held, never = context.Event(), context.Event()
    process = context.Process(target=_hold, args=(store.folder, held, never))
    process.start()
    assert held.wait(60)
    process.kill()
    process.join()
    with store.lock():
        pass


def test_details_are_kept_under_a_name_that_says_nothing(tmp_path: Path) -> None:
    """What only the organizers may read gets a name of date and chance."""
    store = PrivateStore(tmp_path / "store")
    name = store.note_details("case CTC-secret-1 \udcff")
    assert "secret" not in name
    assert "CTC-secret-1" in (store.folder / name).read_text()


def test_a_broken_index_is_an_error(tmp_path: Path) -> None:
    """It says what to do."""
    store = PrivateStore(tmp_path / "store")
    (store.folder / "index").mkdir()
    (store.folder / "index" / "a-method.json").write_text("{")
    with pytest.raises(SubmissionError, match=r"E_RECORD.*Remove the file"):
        store.public_record("a-method", DECLARED)


@pytest.mark.parametrize("slug", ["../x", "a/b", "", ".", "A"])
def test_a_slug_is_a_slug(tmp_path: Path, slug: str) -> None:
    """No other name becomes a path."""
    with pytest.raises(SubmissionError, match="E_SLUG"):
        PrivateStore(tmp_path / "store").public_record(slug, DECLARED)


def test_a_marker_of_another_form_is_an_error(tmp_path: Path) -> None:
    """Some other program's store.json does not make a private store."""
    PrivateStore(tmp_path / "store")
    for content in ("", "[]", "{}", '"x"'):
        (tmp_path / "store" / "store.json").write_text(content)
        with pytest.raises(FileError, match="E_OUTPUT"):
            PrivateStore(tmp_path / "store")


def test_a_store_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    """What a later version wrote is not misread."""
    PrivateStore(tmp_path / "store")
    (tmp_path / "store" / "store.json").write_text('{"private_store": 2}')
    with pytest.raises(FileError, match=r"E_OUTPUT.*version 2"):
        PrivateStore(tmp_path / "store")
