"""Attacks on scoring, quotas, the store and records: each a different way to get more than one is owed, or to lie."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hosted_submissions import (
    PRIVATE_CASES,
    declare,
    make_intake,
    make_intakes,
    prediction_of,
    remember_aggregates,
    write_references,
)
from label_volumes import column

from ctspine_bench.errors import BenchError, CaseError, FileError, SubmissionError, UsageError
from ctspine_bench.hosting.intake_record import Intake, IntakeCase, read_intake, write_intake
from ctspine_bench.hosting.ledger import Entry, Ledger, Quota
from ctspine_bench.hosting.scoring import ScoredRecord, score_record
from ctspine_bench.hosting.store import PrivateStore
from ctspine_bench.hosting.verifying import verify
from ctspine_bench.testsets import official

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

NAME = "phantom-private"
SMALL = dict(list(PRIVATE_CASES.items())[:6])
NOW = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    remember_aggregates(monkeypatch)


@pytest.fixture(scope="module")
def references(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_references(tmp_path_factory.mktemp("references"), {"private": SMALL})


@pytest.fixture
def store(tmp_path: Path) -> PrivateStore:
    store = PrivateStore(tmp_path / "store")
    store.quota.write_text("scored = 1\nfailed = 2\n")
    return store


class Submitter:
    """Sends submissions to the private phantom set."""

    def __init__(self, folder: Path, references: Path, store: PrivateStore | None) -> None:
        self.folder, self.references, self.store = folder, references, store

    def intake(self, seed: int = 0, **more: Any) -> Intake:
        """Predictions that differ with the seed."""
        predictions = {case: prediction_of(case, first, seed) for case, first in SMALL.items()}
        return make_intake(self.folder / f"p{seed}", NAME, predictions, declare(NAME).test_sets[NAME], **more)

    def score(
        self, intake: Intake, *, author: str | None = None, slug: str = "a-method", **declared: Any
    ) -> ScoredRecord:
        """Score them as somebody."""
        declaration = declare(NAME, **declared)
        return score_record(
            slug, declaration, "d" * 64, {NAME: replace(intake, archive=declaration.test_sets[NAME])},
            self.references, store=self.store, output=self.folder / "out", author=author, now=NOW,
        )  # fmt: skip


@pytest.fixture
def submitter(tmp_path: Path, references: Path, store: PrivateStore) -> Submitter:
    return Submitter(tmp_path, references, store)


# --- more scorings than one is owed ---


@pytest.mark.parametrize(
    "again",
    [
        {"team": "a  team"},
        {"team": "Ａ Ｔｅａｍ"},
        {"team": "A TEAM", "owners": ("mallory",)},
        {"team": "Other", "owners": ("OctoCat",)},
        {"team": "Other", "owners": ("mallory",), "author": "octocat"},
    ],
    ids=["blanks", "full width", "another account", "account in another case", "sent by the same account"],
)
def test_the_same_people_under_another_name(submitter: Submitter, again: dict[str, Any]) -> None:
    """Renaming the team or changing the account does not give another scoring."""
    submitter.score(submitter.intake(0))
    with pytest.raises(SubmissionError, match="E_QUOTA"):
        submitter.score(submitter.intake(1), **again)


def test_two_teams_that_turn_out_to_be_one(submitter: Submitter) -> None:
    """A third submission that ties two teams together finds both their scorings used."""
    submitter.store.quota.write_text("scored = 2\n")
    submitter.score(submitter.intake(0), team="One", owners=("alice",))
    submitter.score(submitter.intake(1), team="Two", owners=("bob",))
    with pytest.raises(SubmissionError, match=r"found 2 with a result"):
        submitter.score(submitter.intake(2), team="Three", owners=("alice", "bob"))


def test_using_up_the_scorings_of_others(submitter: Submitter) -> None:
    """Who names others as owners, or shares an account with them, pays alone; nothing ties strangers together."""
    submitter.score(submitter.intake(0), author="mallory", team="Mallory Lab", owners=("victim", "mallory"))
    submitter.score(submitter.intake(1), author="victim", team="Victim University", owners=("victim", "mallory"))
    with pytest.raises(SubmissionError, match="E_QUOTA") as caught:
        submitter.score(submitter.intake(2), author="mallory", team="Third", owners=("mallory",))
    assert not any(name in str(caught.value) for name in ("Mallory", "Victim", "mallory", "victim", "Third"))


def test_copied_predictions(submitter: Submitter) -> None:
    """What another team has sent costs a scoring all the same, and the record says whose it is; theirs says nothing."""
    submitter.score(submitter.intake(0), slug="honest", author="honest", team="Honest Lab")
    thief: dict[str, Any] = {"slug": "thief", "author": "thief", "team": "Thief Inc", "owners": ("thief",)}
    copied = submitter.score(submitter.intake(0), **thief, seed=9)
    assert copied.repeated
    assert copied.document["submission"]["same_predictions_as"] == ["honest"]
    assert submitter.store.public_record("thief", "d" * 64)
    with pytest.raises(SubmissionError, match="E_QUOTA"):
        submitter.score(submitter.intake(1), **thief)
    again = submitter.score(submitter.intake(0), slug="honest", author="honest", team="Honest Lab")
    assert again.document["submission"]["same_predictions_as"] == []


def test_copied_predictions_beyond_the_quota(submitter: Submitter) -> None:
    """Who has none left does not get the known result of others either."""
    submitter.score(submitter.intake(0), slug="honest", author="honest", team="Honest Lab")
    submitter.score(submitter.intake(1), slug="thief", author="thief", team="Thief Inc", owners=("thief",))
    shutil.rmtree(submitter.folder / "out")
    with pytest.raises(SubmissionError, match="E_QUOTA"):
        submitter.score(submitter.intake(0), slug="thief-2", author="thief", team="Thief Inc", owners=("thief",))
    assert not (submitter.folder / "out").exists()
    assert submitter.store.slugs() == ("honest", "thief")


def refused(submitter: Submitter, name: str) -> Intake:
    """Predictions of which one is refused, in an archive with a file of this name."""
    error = FileError("E_FORMAT", f"{name}.zip: {name}.nii.gz", expected="NIfTI", found=name, advice="Look at it.")
    intake = submitter.intake(0)
    case_id = next(iter(SMALL))
    return replace(
        intake, cases={other: each for other, each in intake.cases.items() if other != case_id},
        refused={case_id: error},
    )  # fmt: skip


@pytest.mark.parametrize("killed", [False, True], ids=["scored", "killed half way"])
def test_names_of_files_in_the_archives_of_others(
    submitter: Submitter, killed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the store nor the journal of an earlier scoring tells how others called the same refused prediction."""
    if killed:
        with monkeypatch.context() as patched:
            patched.setattr(PrivateStore, "save", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
            with pytest.raises(KeyboardInterrupt):
                submitter.score(refused(submitter, "theirs"), author="honest", team="Honest Lab")
    else:
        submitter.score(refused(submitter, "theirs"), author="honest", team="Honest Lab")
    thief: dict[str, Any] = {"slug": "thief", "author": "thief", "team": "Thief Inc", "owners": ("thief",)}
    intake = refused(submitter, "mine")
    document = submitter.score(intake, **thief).document
    assert [each["message"] for each in document["test_sets"][NAME]["failures"]] == [
        str(error) for error in intake.refused.values()
    ]
    assert "theirs" not in json.dumps(document)
    assert not [path for path in (submitter.store.folder / "scores").rglob("*.json") if "theirs" in path.read_text()]


def test_repacked_predictions_give_nothing_new(submitter: Submitter) -> None:
    """The same label maps in another archive, under other member names, are the same predictions."""
    submitter.score(submitter.intake(0))
    intake = submitter.intake(0)
    renamed = {
        case: IntakeCase(f"sub/{case}_seg.nii.gz", made.sha256, ("a note",)) for case, made in intake.cases.items()
    }
    assert submitter.score(replace(intake, cases=renamed), seed=7).repeated


def test_failing_on_purpose_is_limited_too(submitter: Submitter) -> None:
    """Archives that are refused to the last case are cheap, not free."""
    refusal = CaseError("E_CRASH", "p.zip: x", expected="a file", found="a crash", advice="Look at it.")
    for attempt in range(3):
        intake = replace(
            submitter.intake(0), cases={}, refused={**dict.fromkeys(SMALL, refusal), f"x{attempt}": refusal}
        )
        if attempt < 2:
            submitter.score(intake)
        else:
            with pytest.raises(SubmissionError, match=r"E_QUOTA.*2 without one"):
                submitter.score(intake)


def test_killing_the_scorer_is_charged(submitter: Submitter, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever makes the scorer die has used up a failure, if they do not come back with the same predictions."""

    def die(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("ctspine_bench.hosting.scored_set.score_plan", die)
        for seed in (1, 2):
            with pytest.raises(KeyboardInterrupt):
                submitter.score(submitter.intake(seed))
        with pytest.raises(SubmissionError, match="E_QUOTA"):
            submitter.score(submitter.intake(3))
    assert submitter.score(submitter.intake(2)).repeated is False


def test_tearing_the_ledger_frees_nothing(submitter: Submitter) -> None:
    """A line cut in the middle, as by a full disk, costs no other line its place."""
    submitter.score(submitter.intake(0))
    ledger = submitter.store.ledger
    ledger.write_bytes(ledger.read_bytes() + b'\n{"when": "2026-06-01T00:00')
    with pytest.raises(SubmissionError, match="E_QUOTA"):
        submitter.score(submitter.intake(1))


def test_a_team_name_that_writes_into_the_ledger(submitter: Submitter) -> None:
    """A name with line breaks and quotes stays one field of one line."""
    ledger = Ledger(submitter.store.ledger, Quota(scored=1))
    name = 'x", "outcome": "repeated"}\n{"when": "2026-06-01T00:00:00+00:00"'
    begun = Entry(NOW, name, ("a",), "a-method", "p", "started")
    ledger.start(begun)
    ledger.append(replace(begun, outcome="scored"))
    assert [entry.team for entry in ledger.entries()] == [name, name]
    with pytest.raises(SubmissionError, match="E_QUOTA"):
        ledger.start(replace(begun, predictions="q"))


def test_a_ledger_that_is_a_link(submitter: Submitter, tmp_path: Path) -> None:
    """The ledger is not written through a link to somewhere else."""
    (tmp_path / "elsewhere").write_text("")
    submitter.store.ledger.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FileError, match=r"E_OUTPUT: ledger\.jsonl"):
        submitter.score(submitter.intake(0))
    assert (tmp_path / "elsewhere").read_text() == ""


# --- a store that is none ---


def test_a_store_that_is_a_link(tmp_path: Path) -> None:
    """A link may lead to a public place tomorrow."""
    (tmp_path / "public").mkdir()
    (tmp_path / "store").symlink_to(tmp_path / "public")
    with pytest.raises(FileError, match=r"E_OUTPUT.*symbolic link"):
        PrivateStore(tmp_path / "store")
    assert list((tmp_path / "public").iterdir()) == []


@pytest.mark.parametrize("name", ["results.json", ".git", "submissions"])
def test_a_store_among_other_files(tmp_path: Path, name: str) -> None:
    """A folder that holds something else, such as a checkout, does not become a store."""
    (tmp_path / name).mkdir()
    with pytest.raises(FileError, match=r"E_OUTPUT.*other files"):
        PrivateStore(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_store_that_is_a_file(tmp_path: Path) -> None:
    """It is one typed error."""
    (tmp_path / "store").write_text("")
    with pytest.raises(FileError, match="E_OUTPUT"):
        PrivateStore(tmp_path / "store")


# --- private cases through another test set ---


@pytest.mark.parametrize("listed", [True, False], ids=["a forged phantom.json", "no phantom.json"])
def test_phantom_sets_on_official_references(tmp_path: Path, listed: bool) -> None:
    """A declared phantom set never meets the official references, whose private cases it would publish one by one."""
    case_id = official("private").cases[0]
    references = write_references(tmp_path / "official", {"public": {case_id: 18}})
    if not listed:
        (references / "phantom.json").unlink()
    intake = make_intake(
        tmp_path / "p",
        "phantom-public",
        {case_id: column(first=18)},
        declare("phantom-public").test_sets["phantom-public"],
    )
    with pytest.raises(CaseError, match="E_MISSING_REFERENCE") as caught:
        score_record(
            "a-method",
            declare("phantom-public"),
            "d" * 64,
            {"phantom-public": intake},
            references,
            store=None,
            output=tmp_path / "out",
        )
    assert case_id not in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_private_references_in_the_verse_folder(tmp_path: Path) -> None:
    """VerSe has no list of cases: a private reference that lies in its folder, under whatever source, is not scored."""
    case_id = official("private").cases[0]
    declaration = declare("verse")
    references = write_references(tmp_path / "references", {"verse": {"sub-verse004": 18}})
    folder = references / "verse" / "labels" / "VerSe"
    shutil.copy(folder / "sub-verse004_seg.nii.gz", folder / f"{case_id}_seg.nii.gz")
    intake = make_intake(tmp_path / "p", "verse", {case_id: column(first=18)}, declaration.test_sets["verse"])
    with pytest.raises(CaseError, match="cases of the CTSpine1K private test set"):
        score_record(
            "a-method", declaration, "d" * 64, {"verse": intake}, references, store=None, output=tmp_path / "out"
        )


def test_a_phantom_set_without_its_own_folder(tmp_path: Path) -> None:
    """Phantom sets do not fall back to the folder of all references."""
    references = write_references(tmp_path / "references", {"private": SMALL})
    intake = make_intake(tmp_path / "p", "phantom-verse", {}, declare("phantom-verse").test_sets["phantom-verse"])
    with pytest.raises(BenchError, match=r"E_NOT_FOUND|E_MISSING_REFERENCE"):
        score_record(
            "a-method",
            declare("phantom-verse"),
            "d" * 64,
            {"phantom-verse": intake},
            references,
            store=None,
            output=tmp_path / "out",
        )


def test_a_private_set_that_lost_a_case(tmp_path: Path) -> None:
    """Scores with and without one case would give it away: an incomplete private set is not scored."""
    references = write_references(tmp_path / "references", {"private": SMALL})
    next((references / "private").rglob("*_seg.nii.gz")).unlink()
    submitter = Submitter(tmp_path, references, PrivateStore(tmp_path / "store"))
    with pytest.raises(CaseError, match="E_MISSING_REFERENCE"):
        submitter.score(submitter.intake(0))


# --- predictions that are not what they say ---


def test_predictions_of_another_archive(submitter: Submitter) -> None:
    """A folder that was fetched for one declaration is not scored for another."""
    declaration = declare(NAME, seed=1)
    with pytest.raises(SubmissionError, match="E_DIGEST"):
        score_record(
            "a-method",
            declaration,
            "d" * 64,
            {NAME: submitter.intake(0)},
            submitter.references,
            store=None,
            output=submitter.folder / "out",
        )


def test_predictions_of_another_test_set(submitter: Submitter) -> None:
    """Predictions that were taken in for one test set are not scored on another."""
    with pytest.raises(SubmissionError, match="E_DIGEST"):
        submitter.score(replace(submitter.intake(0), test_set="phantom-public"))


def test_a_replayed_digest(submitter: Submitter) -> None:
    """predictions.json that claims the digests of known predictions does not get their known scores."""
    submitter.score(submitter.intake(0))
    intake = submitter.intake(5)
    forged = replace(intake, cases=submitter.intake(0).cases)
    write_intake(forged)
    with pytest.raises(SubmissionError, match="E_DIGEST"):
        submitter.score(read_intake(intake.folder))


def test_digests_that_were_never_scored(submitter: Submitter) -> None:
    """Made-up digests, to be charged to nobody later, are found out against the files."""
    intake = submitter.intake(0)
    forged = {
        case: replace(made, sha256=hashlib.sha256(case.encode()).hexdigest()) for case, made in intake.cases.items()
    }
    with pytest.raises(SubmissionError, match="E_DIGEST"):
        submitter.score(replace(intake, cases=forged))
    assert not (submitter.folder / "out").exists()


def test_a_prediction_removed_after_intake(submitter: Submitter) -> None:
    """A canonical file that is gone is no missing case of the participant's."""
    intake = submitter.intake(0)
    next(iter(intake.folder.glob("*.nii.gz"))).unlink()
    with pytest.raises(SubmissionError, match="E_DIGEST"):
        submitter.score(intake)


def test_guessing_names_of_private_cases(submitter: Submitter) -> None:
    """An archive full of guessed names learns of none whether it is in the set, but for its own that fail."""
    predictions = {f"guess-{n}": column() for n in range(3)} | {case: prediction_of(case, 18) for case in SMALL}
    intake = make_intake(submitter.folder / "guesses", NAME, predictions, declare(NAME).test_sets[NAME])
    document = submitter.score(intake).document
    assert "guess-" not in json.dumps(document)
    assert not any("ignored" in key for key in document["test_sets"][NAME])


def test_a_huge_grid_against_small_references(submitter: Submitter) -> None:
    """Another grid is the failure of its case; neither grid is told."""
    intake = submitter.intake(0)
    case_id = next(iter(SMALL))
    more = make_intake(
        submitter.folder / "huge", NAME,
        {case: prediction_of(case, first) for case, first in SMALL.items()}
        | {case_id: np.zeros((300, 300, 40), np.uint8)},
        intake.archive,
    )  # fmt: skip
    document = submitter.score(more).document
    (failure,) = document["test_sets"][NAME]["failures"]
    assert (failure["case_id"], failure["code"]) == (case_id, "E_SHAPE")
    assert not set("0123456789") & set(failure["message"])


# --- predictions that would please a rule that forgives what is spurious ---

PLAYED = {"private": SMALL, "public": {f"liver_{n}": 20 + (n < 2) for n in range(12)}}
"""Six cases of T11–L3, and twelve of L1–L5 of which two are L2–L6."""

L5, L6 = 24, 25


@pytest.fixture(scope="module")
def played_references(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_references(tmp_path_factory.mktemp("played"), PLAYED)


def absent_in(labels: NDArray[np.uint8]) -> list[int]:
    return [label for label in range(1, 26) if label not in labels]


def filled(labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """All of the background under names that are not predicted."""
    result, background, names = labels.copy(), np.flatnonzero(labels == 0), absent_in(labels)
    result.ravel()[background] = np.resize(names, background.size)
    return result


def dotted(labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A voxel of each name that is not predicted."""
    result, background, names = labels.copy(), np.flatnonzero(labels == 0), absent_in(labels)
    result.ravel()[background[: len(names)]] = names
    return result


def with_copies(labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """L5 again, moved down by a level, and called L6."""
    result = labels.copy()
    moved = np.roll(labels == L5, -6, axis=2) & (labels == 0)
    moved[..., -6:] = False
    result[moved] = L6
    return result


def means_of(
    change: Callable[[NDArray[np.uint8]], NDArray[np.uint8]], name: str, folder: Path, references: Path
) -> dict[str, float]:
    """The public numbers of predictions on a test set."""
    set_name = f"phantom-{name}"
    declaration = declare(set_name)
    predictions = {case: change(column(first=first)) for case, first in PLAYED[name].items()}
    intake = make_intake(folder / "predictions", set_name, predictions, declaration.test_sets[set_name])
    document = score_record(
        "a-method", declaration, "d" * 64, {set_name: intake}, references, store=None, output=folder / "out"
    ).document["test_sets"][set_name]
    return {
        f"{part} {metric}": document[part][metric]
        for part in ("mean_of_vertebrae", "mean_of_spine")
        for metric in ("dsc", "hd95_mm")
    } | {f"per_case {metric}": document["per_case"][metric]["mean"] for metric in ("dsc", "hd95_mm")}


def is_worse(name: str, after: float, before: float) -> bool:
    return after > before if name.endswith("_mm") else after < before


@pytest.mark.parametrize("name", ["public", "private"])
@pytest.mark.parametrize("attack", [filled, dotted], ids=lambda attack: attack.__name__)
@pytest.mark.parametrize("missing", [False, True], ids=["perfect", "with missed ones"])
def test_names_that_no_reference_has_cost(
    tmp_path: Path, played_references: Path, name: str, attack: Any, missing: bool
) -> None:
    """Whoever fills the background, or dots it, loses in both official metrics and gains in no number of vertebrae.

    Also where a dot makes a match of a missed vertebra, which leaves its DSC at 0 and its HD95 below 100 mm. The spine
    goes by no names: with a vertebra missed, what fills its place is nearer to it than nothing.
    """

    def honest(labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return np.where(labels == (22 if missing else 0), 0, labels).astype(np.uint8)

    before = means_of(honest, name, tmp_path / "honest", played_references)
    after = means_of(lambda labels: attack(honest(labels)), name, tmp_path / "played", played_references)
    gained = {what for what in before if is_worse(what, before[what], after[what])}
    assert gained <= ({"mean_of_spine hd95_mm"} if missing else set())
    lost = {what for what in before if is_worse(what, after[what], before[what])}
    assert lost >= {"mean_of_vertebrae dsc", "mean_of_vertebrae hd95_mm", "per_case dsc", "per_case hd95_mm"}
    assert "mean_of_spine dsc" in lost


def test_an_l6_in_every_case_costs(tmp_path: Path, played_references: Path) -> None:
    """Who sees no L6 and invents one everywhere finds two, and is told of ten too many.

    They are right in two of twelve cases, so L6 gets 2/12 where it had 0, not 1 as when what is spurious was forgiven;
    the means over cases fall.
    """

    def honest(labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return np.where(labels == L6, 0, labels).astype(np.uint8)

    before = means_of(honest, "public", tmp_path / "honest", played_references)
    after = means_of(lambda labels: with_copies(honest(labels)), "public", tmp_path / "played", played_references)
    for what in ("per_case dsc", "per_case hd95_mm"):
        assert is_worse(what, after[what], before[what]), what
    assert after["mean_of_vertebrae dsc"] - before["mean_of_vertebrae dsc"] == pytest.approx(2 / 12 / 6)
    assert before["mean_of_vertebrae hd95_mm"] - after["mean_of_vertebrae hd95_mm"] == pytest.approx(2 * 100 / 12 / 6)


def test_an_l6_where_there_is_none_costs_everything(tmp_path: Path, played_references: Path) -> None:
    """Without a case in which it is right, no number gains."""
    before = means_of(lambda labels: labels, "public", tmp_path / "honest", played_references)
    after = means_of(with_copies, "public", tmp_path / "played", played_references)
    lost = {what for what in before if is_worse(what, after[what], before[what])}
    assert lost >= {"mean_of_vertebrae dsc", "mean_of_vertebrae hd95_mm", "per_case dsc", "mean_of_spine dsc"}
    assert [what for what in before if is_worse(what, before[what], after[what])] == []


# --- places ---


def test_an_output_that_is_the_store(submitter: Submitter) -> None:
    """The store is never published by being the output."""
    with pytest.raises(UsageError, match="apart"):
        score_record(
            "a-method", declare(NAME), "d" * 64, {NAME: submitter.intake(0)}, submitter.references,
            store=submitter.store, output=submitter.store.folder / "records",
        )  # fmt: skip


def test_an_output_that_leads_into_the_store(submitter: Submitter) -> None:
    """Nor through a link."""
    (submitter.folder / "link").symlink_to(submitter.store.folder)
    with pytest.raises(UsageError, match="apart"):
        score_record(
            "a-method", declare(NAME), "d" * 64, {NAME: submitter.intake(0)}, submitter.references,
            store=submitter.store, output=submitter.folder / "link" / "out",
        )  # fmt: skip


def test_a_slug_that_leaves_the_store(submitter: Submitter) -> None:
    """A slug with separators writes nothing anywhere."""
    with pytest.raises(SubmissionError, match="E_SLUG"):
        score_record(
            "../../x", declare(NAME), "d" * 64, {NAME: submitter.intake(0)}, submitter.references,
            store=submitter.store, output=submitter.folder / "out",
        )  # fmt: skip
    assert not (submitter.folder / "x").exists()


# --- records with lies that no digest covers (others in test_verifying) ---


@pytest.mark.parametrize(
    "content",
    [
        b'{"schema_version": 2, "kind": "scored", "test_sets": {}}',
        b'{"schema_version": 2, "kind": "scored", "test_sets": {"private": {"private": true, "labels": NaN}}}',
        b'{"schema_version": 2, "kind": "scored", "test_sets": {"moon": {"private": false}}}',
        b"[" * 100_000,
    ],
    ids=["nothing in it", "NaN", "an unknown test set", "nested too deep"],
)
def test_records_of_another_form(tmp_path: Path, content: bytes, record_of: Callable[[Path], Path]) -> None:
    """A hand-made results.json is wrong, and never an exception."""
    folder = record_of(tmp_path)
    (folder / "results.json").write_bytes(content)
    findings = verify(folder)["a-method"]
    assert "wrong" in {finding.state for finding in findings}


@pytest.fixture
def record_of(references: Path) -> Callable[[Path], Path]:
    """Writes a declaration and a case table without results."""
    import yaml

    from ctspine_bench.results import CASES
    from ctspine_bench.tables import case_table, write_table

    def write(folder: Path) -> Path:
        record = folder / "a-method"
        record.mkdir()
        fields = json.loads(declare(NAME).model_dump_json(exclude_none=True))
        (record / "submission.yaml").write_text(yaml.safe_dump(fields).replace("'2026-01-01'", "2026-01-01"))
        write_table(case_table((), ""), record / CASES)
        return record

    return write


def test_makers_of_intakes_agree(tmp_path: Path) -> None:
    """The intakes of these tests are those that fetch would write."""
    intakes = make_intakes(tmp_path, {"private": SMALL})
    write_intake(intakes[NAME])
    assert read_intake(intakes[NAME].folder) == intakes[NAME]
