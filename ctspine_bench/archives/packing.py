"""`pack`: predictions → one archive, the same label maps always into the same bytes."""

from __future__ import annotations

import tarfile
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from ctspine_bench.anatomy import TOTALSEGMENTATOR
from ctspine_bench.archives.limits import Limits
from ctspine_bench.archives.names import BadNameError, Names
from ctspine_bench.cases import find_cases
from ctspine_bench.errors import ArchiveError, CaseError, FileError, InputError, UsageError
from ctspine_bench.files import replacing, sha256_of
from ctspine_bench.volumes import read_label_map, read_labels, write_labels
from ctspine_bench.workers import in_parallel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from ctspine_bench.anatomy import LabelMap
    from ctspine_bench.cases import CaseFile
    from ctspine_bench.testsets import TestSet

SUFFIX: Final = ".tar"
_MODE: Final = 0o644


@dataclass(frozen=True)
class Selection:
    """Which predictions are to be packed.

    Attributes:
        cases: Case id → prediction, sorted.
        missing: The ids of the cases of the test set that have no prediction, sorted.
        n_left_out: How many predictions are not of the test set.
        label_map: What the voxel values mean.
    """

    cases: Mapping[str, CaseFile]
    missing: tuple[str, ...]
    n_left_out: int
    label_map: LabelMap | None


@dataclass(frozen=True)
class Packed:
    """An archive that was written.

    Attributes:
        path: Where it is.
        sha256: Its digest, hex.
        size: Its size in bytes.
        cases: The ids of the cases in it, sorted.
    """

    path: Path
    sha256: str
    size: int
    cases: tuple[str, ...]


def pack(
    predictions: Path,
    archive: Path,
    *,
    label_map: LabelMap | Path | str | None = None,
    test_set: TestSet | None = None,
    workers: int | None = None,
    on_case: Callable[[str, InputError | None], None] | None = None,
) -> Packed:
    """Write the predictions in a folder to an archive: `select_predictions`, then `pack_selection`."""
    selection = select_predictions(predictions, label_map=label_map, test_set=test_set)
    return pack_selection(selection, archive, workers=workers, on_case=on_case)


def select_predictions(
    predictions: Path, *, label_map: LabelMap | Path | str | None = None, test_set: TestSet | None = None
) -> Selection:
    """Find the predictions to pack, reading nothing but folders.

    Args:
        predictions: Folder of label maps, or of folders of vertebra masks; see `cases.find_cases`.
        label_map: What the voxel values mean; see `volumes.read_labels`.
        test_set: Pack exactly its cases; by default all that are found.

    Raises:
        CaseError: `E_NO_CASES`, `E_MISSING_CASE` without one case of the test set.
        ArchiveError: `E_MEMBER` for a name that an archive may not hold, `E_LIMIT` for too many.
        FileError: `E_NOT_FOUND`.
        LabelError: `E_LABEL_MAP`.
    """
    resolved = read_label_map(label_map)
    found = find_cases(predictions, frozenset({*TOTALSEGMENTATOR.masks, *(resolved.masks if resolved else ())}))
    wanted = None if test_set is None else test_set.cases
    cases = {case_id: case for case_id, case in found.items() if wanted is None or case_id in wanted}
    _check_selection(predictions, cases, test_set)
    return Selection(cases, tuple(sorted(set(wanted or ()) - cases.keys())), len(found) - len(cases), resolved)


def pack_selection(
    selection: Selection,
    archive: Path,
    *,
    workers: int | None = None,
    on_case: Callable[[str, InputError | None], None] | None = None,
) -> Packed:
    """Write predictions to a tar archive of canonical label maps `<case>.nii.gz`, labels 0–25 as uint8.

    Each is read and checked as for scoring. The same label maps give the same archive, however they were stored: names,
    order, times and owners are fixed. (Members are compressed by Python's zlib: another zlib may give other bytes.) An
    archive of that name is replaced in one step.

    Args:
        selection: The predictions.
        archive: The file to write; its name ends in `.tar`.
        workers: How many cases at a time; as many as this process has cores by default.
        on_case: Called with each case id as it is done, and with why it was refused or `None`.

    Raises:
        InputError: What is wrong with a prediction, the first one by name, once all were looked at. No archive is
            written then.
        FileError: `E_OUTPUT`.
        UsageError: The archive is named otherwise.
    """
    if archive.suffix != SUFFIX:
        raise UsageError(f"expected an archive named *{SUFFIX}, found {archive.name!r}")
    try:
        archive.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=f".{archive.name}.", suffix=".part", dir=archive.parent) as folder:
            _write_members(selection, Path(folder), workers, on_case or (lambda *_: None))
            with replacing(archive) as temporary:
                _write_tar(temporary, Path(folder), selection.cases)
                sha256, size = sha256_of(temporary), temporary.stat().st_size
    except OSError as error:
        problem = error.strerror or type(error).__name__
        advice = "Choose another place, with space for the archive twice."
        raise FileError("E_OUTPUT", archive, expected="a place to write to", found=problem, advice=advice) from None
    return Packed(archive, sha256, size, tuple(selection.cases))


def _check_selection(predictions: Path, selected: Mapping[str, CaseFile], test_set: TestSet | None) -> None:
    """Refuse what `members` would refuse."""
    if not selected and test_set:
        raise CaseError(
            "E_MISSING_CASE",
            predictions,
            expected=f"predictions of the cases of the {test_set.title}",
            found="not one of them",
            advice="Name each prediction <case>.nii.gz, or check that folder and test set belong together.",
        )
    n_most = Limits().files
    if len(selected) > n_most:
        advice = "Pack the predictions of each test set by themselves."
        found = f"{len(selected)}"
        raise ArchiveError("E_LIMIT", predictions, expected=f"at most {n_most} cases", found=found, advice=advice)
    names = Names()
    for case in selected.values():
        try:
            names.label_map(_member(case.case_id), is_folder=False)
        except BadNameError as error:
            expected = "a case id out of letters, digits, dots, hyphens and underscores"
            advice = "Rename the prediction: case ids are those of the data set."
            raise ArchiveError("E_MEMBER", case.path, expected=expected, found=str(error), advice=advice) from None


def _write_members(
    selection: Selection, folder: Path, workers: int | None, on_case: Callable[[str, InputError | None], None]
) -> None:
    """Write the canonical file of each case to a folder, or raise what is wrong with the first one."""

    def write(case: CaseFile) -> InputError | None:
        try:
            case.check()
            volume = read_labels(case.path, selection.label_map)
        except InputError as error:
            return error
        write_labels(folder / _member(case.case_id), volume.labels, volume.grid)
        return None

    refused: dict[str, InputError] = {}
    for case, refusal in in_parallel(write, selection.cases.values(), workers):
        on_case(case.case_id, refusal)
        if refusal:
            refused[case.case_id] = refusal
    if refused:
        raise refused[min(refused)]


def _write_tar(path: Path, folder: Path, case_ids: Iterable[str]) -> None:
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as tar:
        for case_id in sorted(case_ids):
            source = folder / _member(case_id)
            member = tarfile.TarInfo(source.name)
            member.size, member.mode = source.stat().st_size, _MODE
            with source.open("rb") as file:
                tar.addfile(member, file)


def _member(case_id: str) -> str:
    return f"{case_id}.nii.gz"
