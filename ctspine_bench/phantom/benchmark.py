"""A phantom benchmark on disk: three test sets, and a training set if one is asked for, in the layout of CTSpine1K.

`phantom.json` describes them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ctspine_bench import __version__
from ctspine_bench.anatomy import VERTEBRAE
from ctspine_bench.errors import UsageError
from ctspine_bench.files import replacing
from ctspine_bench.phantom.case import make_case
from ctspine_bench.phantom.seeds import generator_for
from ctspine_bench.phantom.sources import COLONOG, MSD, TRUNK_SOURCES, VERSE, Size, SourceProfile
from ctspine_bench.phantom.write import write_volume
from ctspine_bench.workers import in_parallel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from ctspine_bench.phantom.spine import Lumbar

TEST_SETS: Final = ("public", "private", "verse")
TRAINING: Final = "training"
DESCRIPTION: Final = "phantom.json"
# So that a case stays the same when a set gets more cases.
_PRIVATE_FROM: Final = 501
_TRAINING_FROM: Final = 1001

_FORCED: Final[dict[str, dict[int, Lumbar]]] = {COLONOG.name: {0: 6}, MSD.name: {0: 4}, VERSE.name: {0: 6, 1: 4}}


@dataclass(frozen=True)
class PlannedCase:
    """A case to make.

    Attributes:
        case_id: Its name, unique over the sets.
        test_set: public, private or verse; or training.
        profile: Its source.
        n_lumbar: Number of lumbar vertebrae; drawn at the rates of the source when `None`.
    """

    case_id: str
    test_set: str
    profile: SourceProfile
    n_lumbar: Lumbar | None

    def labels_path(self, folder: Path) -> Path:
        """Where its label map is in a benchmark."""
        return folder / self.test_set / "labels" / self.profile.name / f"{self.case_id}_seg.nii.gz"

    def image_path(self, folder: Path) -> Path:
        """Where its image is in a benchmark."""
        return folder / self.test_set / "volumes" / self.profile.name / f"{self.case_id}.nii.gz"


def plan(cases_per_source: int, verse_cases: int, training_cases_per_source: int = 0) -> tuple[PlannedCase, ...]:
    """The cases of a benchmark; each set has a case with an L6 and one without an L5, whatever the rates."""
    if cases_per_source < 1 or verse_cases < 2:
        raise UsageError(
            f"expected at least 1 case of each source and 2 of VerSe, found {cases_per_source} and {verse_cases}"
        )
    if training_cases_per_source < 0:
        raise UsageError(f"expected 0 or more training cases of each source, found {training_cases_per_source}")
    return (
        *(
            case
            for test_set, first in (("public", 1), ("private", _PRIVATE_FROM))
            for profile in TRUNK_SOURCES
            for case in _planned(test_set, profile, first, cases_per_source)
        ),
        *_planned("verse", VERSE, 1, verse_cases),
        *(
            case
            for profile in TRUNK_SOURCES
            for case in _planned(TRAINING, profile, _TRAINING_FROM, training_cases_per_source)
        ),
    )


def _planned(test_set: str, profile: SourceProfile, first: int, count: int) -> Iterator[PlannedCase]:
    forced = _FORCED.get(profile.name, {})
    short = profile.name.split("-")[0].lower()
    for n in range(count):
        yield PlannedCase(f"phantom-{short}-{first + n:03d}", test_set, profile, forced.get(n))


def make_benchmark(
    folder: Path,
    *,
    seed: int = 0,
    cases_per_source: int = 5,
    verse_cases: int = 6,
    training_cases_per_source: int = 0,
    size: Size = "small",
    with_images: bool = False,
    transitional_factor: float = 1.0,
    workers: int | None = None,
    progress: Callable[[str], None] | None = None,
) -> None:
    """Write a phantom benchmark.

    `folder/<set>/labels/<SOURCE>/<case>_seg.nii.gz`, with images `folder/<set>/volumes/<SOURCE>/<case>.nii.gz`, for the
    sets public, private, verse and training, and `folder/phantom.json`. A call that was cut short goes on where it was
    when it is repeated.

    Args:
        folder: New, empty, or with a part of the same benchmark.
        seed: Same seed, same files, whatever the number of workers.
        cases_per_source: In the public and in the private test set, of each of the four sources.
        verse_cases: In the VerSe-like test set.
        training_cases_per_source: Likewise of each source in a training set, which 0 leaves out. As in CTSpine1K, it
            has no VerSe-like cases.
        size: `"small"` (at most 1.4 million voxels a case) or `"full"` (512×512 voxels a slice).
        with_images: Whether to write CT images too.
        transitional_factor: How many times as often as in the sources an L6 is there, or the L5 missing, beside the
            one case of each that every set has.
        workers: How many cases are made at a time; as many as there are cores when `None`.
        progress: Called with the case id after each case, those that were there already included.

    Raises:
        UsageError: The folder holds something else, or the numbers of cases are too small.
    """
    cases = plan(cases_per_source, verse_cases, training_cases_per_source)
    settings = {
        "version": __version__, "seed": seed, "size": size, "cases_per_source": cases_per_source,
        "verse_cases": verse_cases, "training_cases_per_source": training_cases_per_source,
        "with_images": with_images, "transitional_factor": transitional_factor,
    }  # fmt: skip
    done = _resume(folder, settings)
    folder.mkdir(parents=True, exist_ok=True)
    _describe(folder, settings, cases, done)
    report = progress or (lambda _: None)
    missing = [case for case in cases if case.case_id not in done or not _is_there(case, folder, images=with_images)]
    for case in cases:
        if case not in missing:
            report(case.case_id)
    for case, description in in_parallel(lambda case: _write_case(case, folder, settings), missing, workers):
        done[case.case_id] = description
        _describe(folder, settings, cases, done)
        report(case.case_id)


def _is_there(case: PlannedCase, folder: Path, *, images: bool) -> bool:
    return case.labels_path(folder).exists() and (not images or case.image_path(folder).exists())


def _write_case(case: PlannedCase, folder: Path, settings: dict[str, Any]) -> dict[str, Any]:
    rng = generator_for(settings["seed"], case.case_id)
    spec = case.profile.draw_spec(
        rng,
        size=settings["size"],
        n_lumbar=case.n_lumbar,
        transitional_factor=settings["transitional_factor"],
        image=settings["with_images"],
    )
    made = make_case(spec, rng)
    if made.image is not None:
        write_volume(case.image_path(folder), made.image, made.grid)
    write_volume(case.labels_path(folder), made.labels, made.grid)
    return {
        "test_set": case.test_set,
        "source": case.profile.name,
        "levels": [VERTEBRAE[label - 1] for label in made.levels],
        "n_lumbar": spec.n_lumbar,
        "shape": list(spec.shape),
        "spacing_mm": [round(length, 4) for length in spec.spacing_mm],
    }


def _resume(folder: Path, settings: dict[str, Any]) -> dict[str, dict[str, Any]]:
    description = folder / DESCRIPTION
    if not description.exists():
        if folder.exists() and any(folder.iterdir()):
            raise UsageError(f"expected a new or empty folder for the phantom, found files in {folder}; choose another")
        return {}
    found = json.loads(description.read_text(encoding="utf-8"))
    cases: dict[str, dict[str, Any]] = found.pop("cases", {})
    if found != settings:
        raise UsageError(
            f"expected the phantom with {settings} in {folder}, found the one with {found}; choose another folder"
        )
    return cases


def _describe(
    folder: Path, settings: dict[str, Any], cases: tuple[PlannedCase, ...], done: dict[str, dict[str, Any]]
) -> None:
    ordered = {case.case_id: done[case.case_id] for case in cases if case.case_id in done}
    with replacing(folder / DESCRIPTION) as temporary:
        temporary.write_text(json.dumps({**settings, "cases": ordered}, indent=1) + "\n", encoding="utf-8")
