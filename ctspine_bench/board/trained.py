"""Of the record of a baseline, what the pages say about its training: checked and small, like the rest of a record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from ctspine_bench.board.parts import Part

_DIGESTS: Final = (
    "recipe_sha256",
    "cases_sha256",
    "files_sha256",
    "dataset_sha256",
    "fingerprint_sha256",
    "plans_sha256",
)
_TEXTS: Final = ("recipe", "postprocessing", "program", "seed")
_STAGE_TEXTS: Final = ("configuration", "architecture", "trainer", "trainers_sha256", "weights_sha256")
_STAGE_NUMBERS: Final = (
    "batch_size", "parameters", "epochs", "iterations_per_epoch", "seconds", "sessions", "peak_memory_gib",
    "peak_gpu_memory_gib",
)  # fmt: skip
_CURVES: Final = ("training_loss", "pseudo_dice", "pseudo_dice_ema")
_MOST_EPOCHS: Final = 10_000
_LONGEST: Final = 100


def training(part: Part) -> dict[str, Any]:
    """Return what a baseline was trained with.

    Args:
        part: `training` of its results.json.

    Raises:
        SubmissionError: E_RECORD, something is not of the expected shape.
    """
    return {
        **{name: part.text(name) for name in (*_TEXTS, *_DIGESTS)},
        "cases": part.count("cases"),
        "cases_left_out": [str(case_id) for case_id in part.items("cases_left_out")],
        "runs": part.number("runs"),
        "stages": [_stage(stage) for stage in part.parts("stages")],
    }


def _stage(part: Part) -> dict[str, Any]:
    curves = part.part("curves")
    return {
        **{name: part.text(name) for name in _STAGE_TEXTS},
        **{name: part.number(name) for name in _STAGE_NUMBERS},
        **{name: part.numbers(name, most=3) for name in ("patch_size", "spacing")},
        "mixed_sessions": part.flag("mixed_sessions"),
        **{
            name: {
                key[:_LONGEST]: str(value)[:_LONGEST]
                for key, value in part.part(name).content.items()
                if value is not None
            }
            for name in ("versions", "hardware")
        },
        "curves": {name: curves.numbers(name, most=_MOST_EPOCHS) for name in _CURVES},
    }
