"""Which file on the host's disk belongs to which case.

Nothing from outside becomes part of a path: folders are listed, and a case is looked up among what was found there. Of
a private test set nothing is looked up at all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ctspine_bench.cases import MASK_STEMS, find_cases
from ctspine_bench.errors import InputError
from ctspine_bench.hosting.references import reference_folder
from ctspine_bench.submissions.folder import check_slug
from ctspine_bench.testsets import official

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from ctspine_bench.testsets import TestSet

_IMAGES: Final = "volumes"


def reference_path(references: Path | None, test_set: TestSet, case_id: str) -> Path | None:
    """Return the label map of a case; `None` if it is not there.

    Args:
        references: Folder with `<test set>/labels`; `None` if the host has none.
        test_set: The test set.
        case_id: One of its cases.

    Raises:
        InputError: There are two.
    """
    folder = _folder(references, test_set, case_id)
    return _found(folder, case_id, MASK_STEMS) if folder else None


def image_path(references: Path | None, test_set: TestSet, case_id: str) -> Path | None:
    """Return the CT volume of a case out of `<test set>/volumes`; `None` if it is not there. Raises as above."""
    folder = _folder(references, test_set, case_id)
    if folder is None:
        return None
    above = folder.parent if folder.name == "labels" else folder
    return _found(above / _IMAGES, case_id, ())


def prediction_path(predictions: Path | None, slug: str, test_set: TestSet, case_id: str) -> Path | None:
    """Return the prediction of a submission for a case out of `<submission>/<test set>`; `None` if it is not there.

    Raises:
        InputError: There are two, or no submission can be called that.
    """
    folder = prediction_folder(predictions, slug, test_set)
    return _found(folder, case_id, MASK_STEMS) if folder else None


def prediction_folder(predictions: Path | None, slug: str, test_set: TestSet) -> Path | None:
    """Return the folder with the predictions of a submission on a test set; `None` if it is not there."""
    if predictions is None or test_set.private:
        return None
    check_slug(slug)
    names = dict.fromkeys((test_set.name, test_set.name.removeprefix("phantom-")))
    return next((folder for name in names if (folder := predictions / slug / name).is_dir()), None)


def _folder(references: Path | None, test_set: TestSet, case_id: str) -> Path | None:
    """Return the folder with the references of a test set, unless somebody asks for what is secret."""
    # A record that calls a private case a public one does not make it one.
    if references is None or test_set.private or case_id in (official("private").cases or ()):
        return None
    folder = reference_folder(references, test_set)
    # Without a folder of its own, the test set shares one with others, which may be private.
    return None if folder == references or not folder.is_dir() else folder


def _found(folder: Path, case_id: str, mask_stems: Collection[str]) -> Path | None:
    try:
        case = find_cases(folder, mask_stems).get(case_id)
    except InputError:  # no folder, or nothing in it
        return None
    if case is None:
        return None
    case.check()
    return case.path
