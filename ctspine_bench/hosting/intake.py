"""The predictions of a submission: downloaded, unpacked, read in confinement, and written anew by this side.

Afterwards each test set is a folder of `<case id>.nii.gz` that this program wrote, and `predictions.json`, which says
where they come from and what was refused. It is written last: a folder without it is not finished. No reference is in
reach before that, and no file of the participant is opened after it.
"""

from __future__ import annotations

from contextlib import ExitStack, closing
from functools import partial
from typing import TYPE_CHECKING, Final, Protocol

from ctspine_bench.archives import ALLOWED_HOSTS, Limits, check_file, fetch, members
from ctspine_bench.archives.limits import Account
from ctspine_bench.errors import CaseError, InputError
from ctspine_bench.files import sha256_of
from ctspine_bench.hosting.intake_folder import filling, writing_to
from ctspine_bench.hosting.intake_record import (
    PREDICTIONS,
    Intake,
    IntakeCase,
    canonical_file,
    read_intake,
    write_intake,
)
from ctspine_bench.isolation import IsolatedReader, default_workers
from ctspine_bench.testsets import named
from ctspine_bench.volumes import write_labels
from ctspine_bench.workers import in_parallel

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from ctspine_bench.archives import Member
    from ctspine_bench.submissions.declaration import Archive, Declaration
    from ctspine_bench.testsets import TestSet

__all__ = ["PREDICTIONS", "Intake", "IntakeCase", "fetch_submission", "fetch_test_set", "read_intake", "take_in"]

ARCHIVES: Final = "archives"
"""The folder for downloads, beside those of the test sets."""

_MOST_TIMES_EXPECTED: Final = 4
"""How many times the cases that a test set should have may come when its case list is not known."""


class Progress(Protocol):
    """Who is told how far it is."""

    def on_bytes(self, n_bytes: int) -> None:
        """So many bytes of the archive are there by now."""

    def on_case(self, case_id: str, refusal: InputError | None) -> None:
        """One more prediction was read, or refused."""


def fetch_submission(
    declaration: Declaration,
    folder: Path,
    *,
    archives: Path | None = None,
    hosts: Collection[str] = ALLOWED_HOSTS,
    workers: int | None = None,
    progress: Callable[[str, Archive], AbstractContextManager[Progress]] | None = None,
) -> dict[str, Intake]:
    """Fetch and take in the predictions of all test sets of a submission.

    Args:
        declaration: What the participants declare.
        folder: Each test set gets a folder of its name in here; downloads go to `archives`.
        archives: See `fetch_test_set`.
        hosts: See `fetch_test_set`.
        workers: See `fetch_test_set`.
        progress: Called with test set and archive for each of them.

    Raises:
        InputError: What `fetch_test_set` raises, for the first test set that fails.
    """
    intakes: dict[str, Intake] = {}
    for test_set, archive in declaration.test_sets.items():
        with ExitStack() as shown:
            told = shown.enter_context(progress(test_set, archive)) if progress else None
            intakes[test_set] = fetch_test_set(
                archive, test_set, folder, archives=archives, hosts=hosts, workers=workers, progress=told
            )
    return intakes


def fetch_test_set(
    archive: Archive,
    test_set: str,
    folder: Path,
    *,
    archives: Path | None = None,
    hosts: Collection[str] = ALLOWED_HOSTS,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Intake:
    """Fetch and take in the predictions of one test set, unless that is done already.

    Args:
        archive: What the participants declare.
        test_set: Its name.
        folder: Gets a folder of that name, and `archives` for the download.
        archives: Take the archive from this folder instead, by its file name; size and digest are checked all the same.
        hosts: `host` or `host:port` that may be talked to.
        workers: How many predictions are read at a time; `isolation.default_workers()` by default.
        progress: Is told how far it is.

    Raises:
        ArchiveError: `E_HOST`, `E_FETCH`, `E_TIMEOUT`, `E_SIZE`, `E_DIGEST`, and what `take_in` raises.
        FileError: `E_NOT_FOUND` in `archives`, `E_OUTPUT`.
    """
    done = read_intake(folder / test_set)
    if done and (done.test_set, done.archive) == (test_set, archive):
        return done
    if archives:
        path = archives / archive.file_name
        check_file(path, archive.file_name, archive.sha256, archive.size)
    else:
        path = folder / ARCHIVES / f"{archive.sha256}-{archive.file_name}"
        on_bytes = progress.on_bytes if progress else None
        fetch(archive.url, archive.sha256, archive.size, path, hosts=hosts, on_bytes=on_bytes)
    on_case = progress.on_case if progress else None
    return take_in(archive, test_set, path, folder / test_set, workers=workers, on_case=on_case)


def take_in(
    archive: Archive,
    test_set: str,
    path: Path,
    folder: Path,
    *,
    limits: Limits | None = None,
    workers: int | None = None,
    on_case: Callable[[str, InputError | None], None] | None = None,
) -> Intake:
    """Unpack an archive and read its predictions in confinement. What was in the folder before is removed.

    The calling thread unpacks, `workers` threads read; at most one label map waits for them. A prediction that cannot
    be used is among the `refused`, and no file of it is left. After an `InputError` no file at all is left.

    Args:
        archive: What the participants declare; says what is called how in errors.
        test_set: Its name; predictions of cases that it does not have are skipped.
        path: The archive, whose digest was checked.
        folder: Where the canonical files go: empty, or from an earlier intake.
        limits: What the archive may hold; `Limits()` by default. Until too many `canonical_bytes` are noticed each
            worker may have written one more file.
        workers: How many at a time; `isolation.default_workers()` by default.
        on_case: Called with each case id as it is done, and with why it was refused or `None`.

    Raises:
        ArchiveError: `E_ARCHIVE`, `E_MEMBER`, `E_LIMIT`, `E_NO_CASES`: then nothing of the archive is used.
        FileError: `E_OUTPUT` when there are other files in the folder, or no room.
        UsageError: There is no such test set, or this is not Linux.
    """
    expected = named(test_set)
    with filling(folder):
        intake = _read_all(archive, expected, path, folder, limits or Limits(), workers, on_case)
        with writing_to(folder):
            write_intake(intake)
    return intake


def _read_all(
    archive: Archive,
    test_set: TestSet,
    path: Path,
    folder: Path,
    limits: Limits,
    workers: int | None,
    on_case: Callable[[str, InputError | None], None] | None,
) -> Intake:
    """Write the canonical files."""
    account = Account(archive.file_name, limits)
    outcomes: dict[str, IntakeCase | InputError] = {}
    names: dict[str, list[str]] = {}
    with IsolatedReader() as reader, ExitStack() as files:
        found = _first_of_each(members(path, archive.file_name, folder, limits), test_set, account, names, files)
        task = partial(_take_in_case, reader, archive.file_name, folder)
        with closing(in_parallel(task, found, workers or default_workers())) as done:
            for member, outcome in done:
                outcomes[member.case_id] = outcome
                if isinstance(outcome, IntakeCase):
                    account.written(canonical_file(folder, member.case_id).stat().st_size)
                if on_case:
                    on_case(member.case_id, outcome if isinstance(outcome, InputError) else None)
    for case_id, rivals in names.items():
        if len(rivals) > 1 and case_id in outcomes:
            outcomes[case_id] = _duplicate_error(case_id, archive.file_name, sorted(rivals))
            canonical_file(folder, case_id).unlink(missing_ok=True)
    sorted_outcomes = sorted(outcomes.items())
    return Intake(
        test_set=test_set.name,
        folder=folder,
        archive=archive,
        cases={case_id: case for case_id, case in sorted_outcomes if isinstance(case, IntakeCase)},
        refused={case_id: error for case_id, error in sorted_outcomes if isinstance(error, InputError)},
        n_skipped=sum(len(rivals) for case_id, rivals in names.items() if case_id not in outcomes),
    )


def _first_of_each(
    found: Iterable[Member], test_set: TestSet, account: Account, names: dict[str, list[str]], files: ExitStack
) -> Iterator[Member]:
    """Members to read; `names` gets those of all, by case, and `files` what has to be closed."""
    wanted, count = test_set.cases, test_set.expected_count
    n_most = _MOST_TIMES_EXPECTED * count if wanted is None and count else account.limits.files
    for member in found:
        files.enter_context(member.file)
        rivals = names.setdefault(member.case_id, [])
        rivals.append(member.name)
        account.check_cases(len(names), n_most)
        if len(rivals) == 1 and (wanted is None or member.case_id in wanted):
            yield member
        else:
            member.file.close()


def _take_in_case(reader: IsolatedReader, archive_name: str, folder: Path, member: Member) -> IntakeCase | InputError:
    """Read one prediction and write it anew."""
    with member.file:
        try:
            volume = reader.read(member.file, f"{archive_name}: {member.name}")
        except InputError as error:
            return error
    path = canonical_file(folder, member.case_id)
    with writing_to(folder):
        write_labels(path, volume.labels, volume.grid, fast=True)
        sha256 = sha256_of(path)
    return IntakeCase(member.name, sha256, volume.notes)


def _duplicate_error(case_id: str, archive_name: str, rivals: list[str]) -> CaseError:
    return CaseError(
        "E_DUPLICATE_CASE",
        f"{archive_name}: {rivals[0]}",
        expected=f"one label map of case {case_id}",
        found=f"others as well: {', '.join(rivals[1:4])}{', …' if len(rivals) > 4 else ''}",
        advice="Leave one of them in the archive, best with `ctspine-bench submission pack`.",
    )
