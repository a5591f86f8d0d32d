"""Which label maps a folder holds: case id → file.

File names are `<case>.nii.gz` or `<case>_seg.nii.gz`, in one folder or in source folders, as in
`raw_data/labels/<SOURCE>/<case>_seg.nii.gz` of CTSpine1K. A folder of vertebra masks is one case.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ctspine_bench.errors import CaseError, FileError
from ctspine_bench.testsets import SOURCES, source_of

if TYPE_CHECKING:
    from collections.abc import Iterator

_SUFFIXES: Final = (".nii.gz", ".nii")
_MASK_PREFIX: Final = "vertebrae_"
# raw_data/labels/<SOURCE>/ is three folders below the folder of the download.
_MAX_DEPTH: Final = 3


@dataclass(frozen=True)
class CaseFile:
    """Where the label map of one case is.

    Attributes:
        case_id: Its id, such as `"liver_12"`.
        path: A `.nii` or `.nii.gz` file, or a folder of vertebra masks.
        source: Which data set it comes from, one of `testsets.SOURCES`, else the name of its sub folder; `None` when
            neither is known.
        rival: A second label map of the same case, if there is one: then neither can be trusted to be meant.
    """

    case_id: str
    path: Path
    source: str | None
    rival: Path | None = None

    def check_single(self) -> None:
        """Raise `CaseError` `E_DUPLICATE_CASE` when there is a second label map of this case."""
        if self.rival:
            raise _duplicate_error(self, self.rival)


def case_id_of(path: Path | str) -> str:
    """Return the case id in a file name: without `.nii.gz` or `.nii`, then without `_seg`."""
    return _without_suffix(Path(path).name).removesuffix("_seg")


def find_cases(folder: Path | str) -> dict[str, CaseFile]:
    """Return the label maps in a folder and up to three folders below, sorted by case id. Hidden ones are left out.

    A case with two label maps is returned with its `rival`; `CaseFile.check_single` turns that into an error.

    Raises:
        FileError: `E_NOT_FOUND` when there is no such folder.
        CaseError: `E_NO_CASES` when there is none.
    """
    root = Path(folder)
    if not root.is_dir():
        found = "a file" if root.exists() else "nothing there"
        advice = "Give the folder that holds the label maps."
        raise FileError("E_NOT_FOUND", root, expected="a folder", found=found, advice=advice)
    cases: dict[str, CaseFile] = {}
    for path in _label_maps(root, _MAX_DEPTH):
        case_id = path.name if path.is_dir() else case_id_of(path)
        if case_id in cases:
            cases[case_id] = replace(cases[case_id], rival=path)
        else:
            cases[case_id] = CaseFile(case_id, path, _source(case_id, path, root))
    if not cases:
        n_files = sum(1 for entry in root.iterdir() if entry.is_file())
        raise CaseError(
            "E_NO_CASES",
            root,
            expected="label maps named <case>.nii.gz or <case>_seg.nii.gz",
            found=f"none in the folder and {_MAX_DEPTH} levels below; {n_files} other files directly in it",
            advice="Check the folder; label maps in another format have to be converted to .nii.gz.",
        )
    return dict(sorted(cases.items()))


def _label_maps(folder: Path, depth: int) -> Iterator[Path]:
    entries = sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))
    files = [entry for entry in entries if _is_volume(entry)]
    if any(file.name.lower().startswith(_MASK_PREFIX) for file in files):
        yield folder
        return
    yield from files
    if depth > 0:
        for entry in entries:
            if entry.is_dir():
                yield from _label_maps(entry, depth - 1)


def _is_volume(path: Path) -> bool:
    return path.name.lower().endswith(_SUFFIXES) and path.is_file()


def _without_suffix(name: str) -> str:
    suffix = next((suffix for suffix in _SUFFIXES if name.lower().endswith(suffix)), "")
    return name[: len(name) - len(suffix)]


def _source(case_id: str, path: Path, root: Path) -> str | None:
    parent = path.parent.name
    if parent in SOURCES:
        return parent
    in_sub_folder = path not in {root, root / path.name}
    return source_of(case_id) or (parent if in_sub_folder else None)


def _duplicate_error(case: CaseFile, rival: Path) -> CaseError:
    with_seg = {_without_suffix(path.name).endswith("_seg") for path in (case.path, rival)}
    advice = (
        "One is named like an image and one like its labels: give the folder that holds the labels alone."
        if len(with_seg) == 2
        else "Keep one of the two files."
    )
    return CaseError(
        "E_DUPLICATE_CASE",
        case.path,
        expected=f"one label map of case {case.case_id}",
        found=f"a second one, {rival}",
        advice=advice,
    )
