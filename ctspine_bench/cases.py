"""Which label maps a folder holds: case id → file.

File names are `<case>.nii.gz` or `<case>_seg.nii.gz`, in one folder or in source folders, as in
`raw_data/labels/<SOURCE>/<case>_seg.nii.gz` of CTSpine1K. A folder of vertebra masks is one case.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final
from unicodedata import normalize

from ctspine_bench.anatomy import TOTALSEGMENTATOR
from ctspine_bench.errors import CaseError, FileError, InputError
from ctspine_bench.testsets import SOURCES, source_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

MASK_STEMS: Final = frozenset(TOTALSEGMENTATOR.masks)
"""File names, without suffix, of the vertebra masks that TotalSegmentator writes."""

_SUFFIXES: Final = (".nii.gz", ".nii")
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
        refusal: Why the case was refused before it came here, such as when its archive was unpacked.
    """

    case_id: str
    path: Path
    source: str | None
    rival: Path | None = None
    refusal: InputError | None = None

    def check(self) -> None:
        """Raise what is known against this case before its file is read.

        Raises:
            CaseError: `E_DUPLICATE_CASE` when there is a second label map of this case.
            InputError: The `refusal`.
        """
        if self.refusal:
            raise self.refusal
        if self.rival:
            raise _duplicate_error(self, self.rival)


def case_id_of(path: Path | str) -> str:
    """Return the case id in a file name: without `.nii.gz` or `.nii`, then without `_seg`.

    Accents are composed (NFC), whichever way the file system spells them; bytes that are not UTF-8 are escaped.
    """
    return _text(_without_suffix(Path(path).name).removesuffix("_seg"))


def find_cases(folder: Path | str, mask_stems: Collection[str] = MASK_STEMS) -> dict[str, CaseFile]:
    """Return the label maps in a folder and up to three folders below, sorted by case id. Hidden ones are left out.

    A case with two label maps is returned with its `rival`; `CaseFile.check` turns that into an error. Links are
    followed; the same file found again for the same case is no rival.

    Args:
        folder: Where to look.
        mask_stems: File names, without suffix, of vertebra masks: a folder with one of them is one case. Its id is the
            name of the folder, or of the folder above when it is called `segmentations`.

    Raises:
        FileError: `E_NOT_FOUND` when there is no such folder, or one below it cannot be read.
        CaseError: `E_NO_CASES` when there is none.
    """
    root = Path(folder)
    cases: dict[str, CaseFile] = {}
    for path, is_masks in _label_maps(root, mask_stems, ()):
        named = _case_folder(path) if is_masks else path
        case_id = _text(named.name) if is_masks else case_id_of(path)
        if case_id not in cases:
            cases[case_id] = CaseFile(case_id, path, _source(case_id, named.parent, root))
        elif cases[case_id].path.resolve() != path.resolve():
            cases[case_id] = replace(cases[case_id], rival=path)
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


def _label_maps(folder: Path, mask_stems: Collection[str], above: tuple[Path, ...]) -> Iterator[tuple[Path, bool]]:
    """Files and folders of masks, and whether it is the latter; `above` are the real folders that lead here."""
    files, folders = _list(folder)
    if any(_without_suffix(file.name) in mask_stems for file in files):
        yield folder, True
        return
    yield from ((file, False) for file in files)
    above = (*above, folder.resolve())
    if len(above) <= _MAX_DEPTH:
        for sub_folder in folders:
            if sub_folder.resolve() not in above:  # a link that leads back
                yield from _label_maps(sub_folder, mask_stems, above)


def _list(folder: Path) -> tuple[list[Path], list[Path]]:
    """Volumes and folders in a folder, sorted, without hidden ones."""
    try:
        entries = sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))
        files = [entry for entry in entries if entry.name.lower().endswith(_SUFFIXES) and entry.is_file()]
        return files, [entry for entry in entries if entry.is_dir()]
    except FileNotFoundError:
        found = "nothing there"
    except NotADirectoryError:
        found = "a file"
    except OSError as error:
        found = error.strerror or type(error).__name__
    advice = "Give the folder that holds the label maps, with the right to read it and what is in it."
    raise FileError("E_NOT_FOUND", folder, expected="a readable folder", found=found, advice=advice)


def _case_folder(masks: Path) -> Path:
    """The folder that is named like the case."""
    folder = _with_name(masks)
    # TotalSegmentator's own data set has <case>/segmentations/vertebrae_L1.nii.gz.
    if folder.name == "segmentations" and _with_name(folder.parent).name:
        return _with_name(folder.parent)
    return folder


def _with_name(folder: Path) -> Path:
    """The folder by a path that ends with its name, which `.` and `..` do not."""
    return folder if folder.name not in {"", ".."} else folder.resolve()


def _source(case_id: str, holder: Path, root: Path) -> str | None:
    """The source of a case that lies in the folder `holder`."""
    name = _text(_with_name(holder).name)
    if name in SOURCES:
        return name
    return source_of(case_id) or (name if root in holder.parents else None)


def _without_suffix(name: str) -> str:
    suffix = next((suffix for suffix in _SUFFIXES if name.lower().endswith(suffix)), "")
    return name[: len(name) - len(suffix)]


def _text(name: str) -> str:
    """A file name as text: accents composed, and what cannot be written as UTF-8 escaped."""
    return normalize("NFC", _escaped(name))


def _escaped(name: str) -> str:
    return name.encode(errors="backslashreplace").decode()


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
        found=f"a second one, {_escaped(str(rival))}",
        advice=advice,
    )
