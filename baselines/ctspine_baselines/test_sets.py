"""The test sets that a recipe is run on: their images, and their references where those are at hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ctspine_bench.cases import find_cases
from ctspine_bench.errors import CaseError, UsageError
from ctspine_bench.testsets import OFFICIAL, PHANTOM, TestSet, named

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from ctspine_baselines.job import Job

_SHOWN: Final = 3


@dataclass(frozen=True)
class TestImages:
    """A test set whose images are at hand.

    Attributes:
        test_set: The test set.
        images: Case id → its CT, sorted.
        references: Folder of its label maps, which need not be there to predict.
    """

    test_set: TestSet
    images: dict[str, Path]
    references: Path


def find_test_sets(job: Job) -> tuple[TestImages, ...]:
    """Return the test sets that have images, without reading them; those that have none are left out.

    Raises:
        UsageError: It was not said where the data is, or there is no test set with images.
        CaseError: E_MISSING_CASE: a test set has some of its images; E_DUPLICATE_CASE.
    """
    root = job.data_root()
    if job.recipe.data == "phantom":
        places = {name: root / name.removeprefix("phantom-") for name in PHANTOM}
    else:
        places = dict.fromkeys(("public", "private"), root) | ({"verse": job.verse} if job.verse else {})
    found = [images for name, place in places.items() if (images := _find(named(name), place))]
    if job.verse and not any(images.test_set.name == "verse" for images in found):
        raise UsageError(f"expected VerSe cases in folders volumes and labels in {job.verse}, found none; see --verse")
    if not found:
        raise UsageError(f"expected the images of a test set in folders called volumes in {root}, found none")
    return tuple(found)


def left_out(names: Iterable[str]) -> tuple[str, ...]:
    """Return the names of the test sets, official or of a phantom, that are not among these."""
    there = set(names)
    return tuple(name for name in (PHANTOM if there & set(PHANTOM) else OFFICIAL) if name not in there)


def _find(test_set: TestSet, place: Path) -> TestImages | None:
    if not (place / "volumes").is_dir():
        return None
    found = find_cases(place / "volumes", ())
    # Without a list, images and references make up the set.
    references = find_cases(place / "labels", ()) if (place / "labels").is_dir() else {}
    wanted = sorted(found.keys() | references.keys()) if test_set.cases is None else test_set.cases
    if test_set.cases is None and references and (alone := sorted(found.keys() - references.keys())):
        raise CaseError(
            "E_MISSING_REFERENCE",
            place / "labels",
            expected="a label map <case>_seg.nii.gz for each image <case>.nii.gz",
            found=f"none for {alone[0]}",
            advice="Name both after the same case, or take the image away.",
        )
    missing = [case_id for case_id in wanted if case_id not in found]
    if len(missing) == len(wanted):
        return None
    if missing:
        names = ", ".join(missing[:_SHOWN]) + (", …" if len(missing) > _SHOWN else "")
        raise CaseError(
            "E_MISSING_CASE",
            place / "volumes",
            expected=f"the images of the {len(wanted)} cases of {test_set.title}",
            found=f"none of {len(missing)} of them: {names}",
            advice="Finish the download.",
        )
    for case_id in wanted:
        found[case_id].check()
    return TestImages(test_set, {case_id: found[case_id].path for case_id in wanted}, place / "labels")
