"""The volumes of a case on the host's disk, and a sentence for each that is not there or cannot be shown."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar

from ctspine_bench.errors import CODES, InputError
from ctspine_leaderboard.volumes.parts import volumes
from ctspine_leaderboard.volumes.places import image_path, prediction_folder, prediction_path, reference_path

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from ctspine_bench.board import Board, Entry
    from ctspine_bench.testsets import TestSet
    from ctspine_leaderboard.settings import Settings
    from ctspine_leaderboard.volumes.parts import Part, Reference

Volume = TypeVar("Volume")

NO_VOLUMES: Final = (
    "Pictures appear here where the volumes lie on the host's disk: "
    "ctspine-bench leaderboard --references DIR --predictions DIR."
)
EMPTY_REFERENCE: Final = "The reference of this case has no vertebra to show."

_NO_REFERENCE: Final = "The reference of this case is not on the host's disk, so that there are no pictures of it."
_NO_IMAGE: Final = "The CT of this case is not on the host's disk: outlines are drawn on black."
_LEAST_OUTSIDE_ML: Final = 0.1


@dataclass(frozen=True, eq=False)
class CaseSources:
    """What there is to draw of a case.

    Attributes:
        reference: The reference; without it there are no pictures.
        image: The CT; `None` without one.
        predictions: Submission → its prediction, of those that can be shown.
        sentences: What is missing, and why.
    """

    reference: Reference | None
    image: Part | None
    predictions: Mapping[str, Part]
    sentences: tuple[str, ...]


def case_sources(settings: Settings, test_set: TestSet, case_id: str, chosen: Sequence[Entry]) -> CaseSources:
    """Read the volumes of a case.

    Args:
        settings: What the host shows.
        test_set: The test set; of a private one there is nothing.
        case_id: One of its cases, as the board names it.
        chosen: The submissions whose predictions are shown.
    """
    if settings.references is None or test_set.private:
        return CaseSources(None, None, {}, () if test_set.private else (NO_VOLUMES,))
    sentences: list[str] = []
    reference = _read(
        "The reference", lambda: reference_path(settings.references, test_set, case_id), volumes().reference, sentences
    )
    if reference is None:
        return CaseSources(None, None, {}, tuple(sentences) or (_NO_REFERENCE,))
    before = len(sentences)
    image = _read(
        "The CT",
        lambda: image_path(settings.references, test_set, case_id),
        lambda path: volumes().image(path, reference),
        sentences,
    )
    if image is None and len(sentences) == before:
        sentences.append(_NO_IMAGE)
    predictions = _predictions(settings, test_set, case_id, chosen, reference, sentences)
    return CaseSources(reference, image, predictions, tuple(sentences))


def with_predictions(board: Board, settings: Settings, test_set: TestSet, slugs: Sequence[str]) -> list[str]:
    """Return those submissions whose predictions on a test set lie on the host's disk."""
    known = (slug for slug in slugs if board.entry(slug))
    return [slug for slug in known if prediction_folder(settings.predictions, slug, test_set)]


def _predictions(
    settings: Settings,
    test_set: TestSet,
    case_id: str,
    chosen: Sequence[Entry],
    reference: Reference,
    sentences: list[str],
) -> dict[str, Part]:
    found: dict[str, Part] = {}
    missing = []
    for entry in chosen:
        before = len(sentences)
        part = _read(
            f"The prediction of {entry.name}",
            partial(prediction_path, settings.predictions, entry.slug, test_set, case_id),
            lambda path: volumes().prediction(path, reference),
            sentences,
        )
        if part is None:
            missing += [entry.name] if len(sentences) == before else []
            continue
        found[entry.slug] = part
        if part.outside_ml > _LEAST_OUTSIDE_ML:
            sentences.append(
                f"Of the prediction of {entry.name}, {part.outside_ml:.1f} mL lie outside of what is shown, "
                "far from the spine."
            )
    if missing:
        sentences.append(f"Predictions for this case that are not on the host's disk: {', '.join(missing)}.")
    return found


def _read(
    what: str, find: Callable[[], Path | None], read: Callable[[Path], Volume], sentences: list[str]
) -> Volume | None:
    """Return a volume; `None` if it is not there, or cannot be shown, which is then among the sentences."""
    try:
        path = find()
        return None if path is None else read(path)
    except InputError as error:
        # The error's own text has the folders of the host in it.
        sentences.append(f"{what} cannot be shown: {CODES[error.code]} ({error.code}).")
    except (MemoryError, OSError):
        sentences.append(f"{what} cannot be shown: the host cannot read it at the moment.")
    return None
