"""What a submission is on a test set, and what a reader has to know about it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from board_records import PRIVATE, PUBLIC, VERSE, board_of, change_results
from declarations import archive, fields, text_of

from ctspine_bench.board.entries import FLAGS, REASONS, digest_of

if TYPE_CHECKING:
    from collections.abc import Callable

PAPER = Path(__file__).parents[2] / "submissions" / "nnunet-paper"


def status_after(folder: Path, change: Callable[[dict[str, Any]], object], test_set: str = PUBLIC) -> str:
    """The status of beta on a test set when its results.json is changed."""
    change_results(folder / "submissions" / "beta", change)
    board = board_of(folder)
    beta = board.entry("beta")
    assert beta is not None
    return board.status(beta, test_set)


def declare(folder: Path, slug: str, **changes: object) -> Path:
    """A submission that is declared and not scored."""
    path = folder / "submissions" / slug
    path.mkdir(parents=True)
    (path / "submission.yaml").write_bytes(text_of(fields(**changes)))
    return path


def test_scored_today_is_ranked(made: Path) -> None:
    """Complete results of today's scorer are ranked on every test set that they are about, and on no other."""
    board = board_of(made)
    for entry in board.entries:
        statuses = [board.status(entry, name) for name in (PUBLIC, PRIVATE, VERSE, "public")]
        assert statuses == ["ranked", "ranked", "ranked", "absent"]
        assert board.flags(entry, PUBLIC) == ("simulated",)


@pytest.mark.parametrize(
    "change",
    [
        lambda results: results["provenance"].update(engine_version=1),
        lambda results: results["provenance"].pop("engine_version"),
        lambda results: results["provenance"]["splits"].update({PUBLIC: "0" * 64}, created="2020"),
        lambda results: results["provenance"]["splits"].pop(PUBLIC),
        lambda results: results["provenance"]["digests"].pop(PUBLIC),
        lambda results: results.pop("provenance"),
    ],
    ids=["another scorer", "no scorer", "another split", "no split", "no references", "no provenance"],
)
def test_made_with_something_else_is_outdated(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Another scorer or split than today's, or one that is not named, is outdated."""

    def earlier(results: dict[str, Any]) -> None:
        results["provenance"]["created"] = "2020-01-01T00:00:00+00:00"
        change(results)

    assert status_after(folder, earlier) == "outdated"


def test_only_the_test_set_with_other_references_is_outdated(folder: Path) -> None:
    """References count for each test set by itself."""

    def change(results: dict[str, Any]) -> None:
        results["provenance"]["created"] = "2020-01-01T00:00:00+00:00"
        results["provenance"]["digests"][PUBLIC]["references"] = "0" * 64

    assert status_after(folder, change) == "outdated"
    assert status_after(folder, lambda _: None, VERSE) == "ranked"


def test_the_newest_results_say_what_references_are_todays(folder: Path) -> None:
    """When the latest scoring has other references, all earlier ones are outdated."""

    def change(results: dict[str, Any]) -> None:
        results["provenance"]["created"] = "2099-01-01T00:00:00+00:00"
        results["provenance"]["digests"][PUBLIC]["references"] = "1" * 64

    assert status_after(folder, change) == "ranked"
    board = board_of(folder)
    assert [board.status(entry, PUBLIC) for entry in board.entries] == ["outdated", "ranked", "outdated"]
    assert [board.status(entry, VERSE) for entry in board.entries] == ["ranked"] * 3


def test_the_split_of_an_official_set_is_not_for_records_to_say(folder: Path) -> None:
    """The public split is in the package: results of other cases are outdated though no others are there."""

    def change(results: dict[str, Any]) -> None:
        for part in (results["test_sets"], results["provenance"]["digests"], results["provenance"]["splits"]):
            part["public"] = part[PUBLIC]

    assert status_after(folder, change, "public") == "outdated"


@pytest.mark.parametrize(
    "change",
    [
        lambda results: results["test_sets"][PUBLIC].update(complete=False),
        lambda results: results["test_sets"][PUBLIC].pop("complete"),
        lambda results: results["test_sets"][PUBLIC]["mean_of_vertebrae"].update(dsc=None),
        lambda results: results["test_sets"][PUBLIC]["mean_of_vertebrae"].update(hd95_mm=None),
    ],
    ids=["failed cases", "nothing said", "no DSC", "no HD95"],
)
def test_incomplete_results_are_not_ranked(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Neither with failed cases nor without the means that decide."""
    assert status_after(folder, change) == "incomplete"
    assert status_after(folder, lambda _: None, VERSE) == "ranked"


def test_partial_coverage_is_incomplete(folder: Path) -> None:
    """Who declares to cover a part is ranked nowhere."""
    path = folder / "submissions" / "beta" / "submission.yaml"
    text = path.read_text().replace("coverage: complete", "coverage: partial\ncoverage_reason: A reason.")
    path.write_text(text)
    board = board_of(folder)
    beta = board.entry("beta")
    assert beta is not None
    assert board.status(beta, PUBLIC) == "incomplete"
    assert board.flags(beta, PUBLIC) == ("incomplete", "simulated")


def test_not_scored_yet_where_it_was_declared(tmp_path: Path) -> None:
    """Without results a submission waits on the test sets that it has archives for, and is absent elsewhere."""
    partial = {"coverage": "partial", "coverage_reason": "A reason.", "test_sets": {"verse": archive("verse")}}
    declare(tmp_path, "waiting", **partial)
    board = board_of(tmp_path)
    (entry,) = board.entries
    assert [board.status(entry, name) for name in ("public", "verse")] == ["absent", "unscored"]
    assert board.flags(entry, "verse") == ("unscored",)
    assert entry.name == "SpineNet 2"
    assert entry.on("verse") == {}


def test_what_a_paper_says_is_never_ranked_and_never_outdated(tmp_path: Path) -> None:
    """A published record is a row for reference on its test sets."""
    shutil.copytree(PAPER, tmp_path / "submissions" / "nnunet-paper")
    board = board_of(tmp_path)
    (entry,) = board.entries
    assert [board.status(entry, name) for name in ("public", "private", "verse")] == ["published"] * 3
    assert board.status(entry, PUBLIC) == "absent"
    assert board.flags(entry, "verse") == ("published",)
    assert entry.on("public")["mean_of_vertebrae"]["dsc"] == 0.869
    assert board.today.references == {}


@pytest.mark.parametrize("name", ["submission.yaml", "results.json"])
def test_a_newer_version_is_no_broken_record(folder: Path, name: str) -> None:
    """A record in a later layout is told apart from a broken one, whichever file is newer."""
    path = folder / "submissions" / "beta" / name
    path.write_text(path.read_text().replace("schema_version: 1", "schema_version: 2").replace('n": 2,', 'n": 3,', 1))
    board = board_of(folder)
    beta = board.entry("beta")
    assert beta is not None
    assert board.status(beta, PUBLIC) == "newer"
    assert board.flags(beta, PUBLIC) == ("newer",)
    assert beta.problem is not None
    assert beta.problem.found == ("version 2" if name == "submission.yaml" else "version 3")
    assert beta.name == "beta"


def test_a_broken_record_has_the_name_of_its_folder(folder: Path) -> None:
    """Of a declaration that cannot be read nothing is shown but where it is."""
    (folder / "submissions" / "beta" / "submission.yaml").write_text("name: [")
    board = board_of(folder)
    beta = board.entry("beta")
    assert beta is not None
    assert (beta.name, board.status(beta, PUBLIC), board.flags(beta, VERSE)) == ("beta", "broken", ("broken",))


def test_what_a_reader_has_to_know(folder: Path) -> None:
    """Declared training on VerSe and on test cases, and equal predictions, stand beside the status."""
    path = folder / "submissions" / "beta" / "submission.yaml"
    text = path.read_text()
    path.write_text(text.replace("uses_verse: false", "uses_verse: true").replace("cases: false", "cases: true"))

    def change(results: dict[str, Any]) -> None:
        results["submission"]["same_predictions_as"] = ["alpha"]

    assert status_after(folder, change) == "ranked"
    board = board_of(folder)
    beta = board.entry("beta")
    assert beta is not None
    flags = board.flags(beta, PUBLIC)
    assert flags == ("verse", "test-cases", "simulated", "same")
    assert [FLAGS[flag] for flag in flags] == [
        "trained on VerSe",
        "trained on test cases",
        "simulated",
        "same predictions as another",
    ]


def test_every_status_has_its_reason() -> None:
    """All but a ranked one say in a sentence why they are not ranked, and how they are flagged unless absent."""
    assert [status for status, reason in REASONS.items() if not reason] == ["ranked"]
    assert REASONS.keys() - FLAGS.keys() == {"ranked", "absent"}


class TestDigest:
    """The digest of a record."""

    def test_it_changes_with_every_file_and_with_the_name(self, folder: Path) -> None:
        """One byte in one of its files, or another folder, is another record; other files do not matter."""
        beta = folder / "submissions" / "beta"
        found = [digest_of(beta)]
        for name in ("submission.yaml", "results.json", "cases.parquet"):
            content = (beta / name).read_bytes()
            (beta / name).write_bytes(content + b"\n")
            found.append(digest_of(beta))
            (beta / name).write_bytes(content)
        found.append(digest_of(beta.rename(beta.with_name("other"))))
        assert len(set(found)) == 5
        (beta.with_name("other") / "README.md").write_text("x")
        assert digest_of(beta.with_name("other")) == found[-1]

    def test_a_copy_under_another_name_is_not_taken_from_the_cache(self, folder: Path) -> None:
        """Its results name the first: what the cache knows of that one does not make the copy valid."""
        assert [entry.problem for entry in board_of(folder).entries] == [None] * 3
        shutil.copytree(folder / "submissions" / "beta", folder / "submissions" / "copied")
        copied = board_of(folder).entry("copied")
        assert copied is not None
        assert copied.problem is not None
        assert copied.problem.found == "those of 'beta'"

    def test_whatever_lies_there_has_one(self, tmp_path: Path) -> None:
        """Folders in the place of files, links, and nothing at all have digests, and different ones."""
        found = [digest_of(tmp_path)]
        (tmp_path / "results.json").symlink_to("/etc/passwd")
        found.append(digest_of(tmp_path))
        (tmp_path / "results.json").unlink()
        (tmp_path / "results.json").mkdir()
        assert digest_of(tmp_path) == found[0]
        assert len(set(found)) == 2
