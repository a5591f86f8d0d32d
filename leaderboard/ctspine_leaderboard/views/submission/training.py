"""What a baseline was trained with: facts, and the curves of its training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from markupsafe import Markup, escape

from ctspine_bench.charts.training import training_curves
from ctspine_leaderboard.facts import digest, facts, lines

if TYPE_CHECKING:
    from collections.abc import Iterator

    import plotly.graph_objects as go

    from ctspine_bench.board import Entry

WORDS: Final = (
    "Dice is that on patches of training cases, as nnU-Net logs it: with all cases in training it shows that something "
    "was learned, not how well it does on others."
)
_HOUR_S: Final = 3600
_LONG_S: Final = 2 * _HOUR_S
_MINUTE_S: Final = 60
_POSTPROCESSING: Final = {"largest-component": "The largest component of each vertebra is kept"}


def training_facts(entry: Entry) -> Markup | None:
    """Return what a baseline was trained with; `None` of other submissions."""
    training = _training(entry)
    if training is None:
        return None
    rows: list[tuple[str, str | Markup]] = [
        ("Recipe", training["recipe"]),
        ("Post-processing", _POSTPROCESSING.get(training["postprocessing"], training["postprocessing"]) or "None"),
        ("Program", training["program"]),
        ("Training cases", _cases(training)),
        ("Trainings behind the numbers", _runs(training["runs"])),
        ("Random numbers", training["seed"]),
        *(row for stage in training["stages"] for row in _stage(stage, several=len(training["stages"]) > 1)),
        ("Digest of the recipe", digest(training["recipe_sha256"])),
        ("Digest of the training case list", digest(training["cases_sha256"])),
        ("Digest of the training files", digest(training["files_sha256"])),
        ("Digest of dataset.json", digest(training["dataset_sha256"])),
        ("Digest of the fingerprint", digest(training["fingerprint_sha256"])),
        ("Digest of the plans", digest(training["plans_sha256"])),
    ]
    return facts(rows, f"What {entry.name} was trained with")


def curves(entry: Entry) -> tuple[tuple[str, go.Figure], ...]:
    """Return configuration and figure of each training behind a baseline; none of other submissions."""
    stages = (_training(entry) or {"stages": []})["stages"]
    return tuple(
        (stage["configuration"], training_curves(stage["curves"])) for stage in stages if any(stage["curves"].values())
    )


def _training(entry: Entry) -> dict[str, Any] | None:
    training: dict[str, Any] | None = (entry.results or {}).get("training")
    return training


def _stage(stage: dict[str, Any], *, several: bool) -> Iterator[tuple[str, str | Markup]]:
    of = f", {stage['configuration']}" if several else ""
    patch, spacing = (" × ".join(_number(each) for each in stage[name]) for name in ("patch_size", "spacing"))
    network = f"{stage['architecture']}, {_whole(stage['parameters'])} parameters"
    yield f"Network{of}", lines([escape(stage["configuration"]), escape(network)])
    yield f"Patches{of}", f"{_whole(stage['batch_size'])} of {patch} voxels (z × y × x) at {spacing} mm"
    yield f"Length{of}", f"{_whole(stage['epochs'])} epochs of {_whole(stage['iterations_per_epoch'])} iterations"
    yield f"Time{of}", _time(stage)
    yield f"Memory{of}", _memory(stage)
    yield f"Hardware{of}", _hardware(stage["hardware"])
    yield f"Software{of}", _software(stage)
    yield f"Trainer{of}", lines([escape(stage["trainer"]), digest(stage["trainers_sha256"])])
    yield f"Digest of the weights{of}", digest(stage["weights_sha256"])


def _number(value: float | None) -> str:
    return "?" if value is None else f"{value:g}"


def _whole(value: float | None) -> str:
    return "?" if value is None else f"{value:,.0f}"


def _cases(training: dict[str, Any]) -> str:
    if not training["cases"]:
        return ""
    left_out = training["cases_left_out"]
    return _whole(training["cases"]) + (f", without {', '.join(left_out)}" if left_out else "")


def _runs(runs: float | None) -> str:
    if not runs:
        return ""
    return "One: how much another one would differ is not known." if runs == 1 else _whole(runs)


def _time(stage: dict[str, Any]) -> str:
    seconds, interruptions = stage["seconds"] or 0.0, (stage["sessions"] or 1.0) - 1
    spent = f"{seconds / _HOUR_S:.1f} hours" if seconds >= _LONG_S else f"{seconds / _MINUTE_S:.0f} minutes"
    iterations = (stage["epochs"] or 0) * (stage["iterations_per_epoch"] or 0)
    pace = f", {seconds / iterations:.2f} s an iteration" if iterations else ""
    often = "once" if interruptions == 1 else f"{_whole(interruptions)} times"
    return f"{spent}{pace}" + (f"; interrupted {often}" if interruptions > 0 else "")


def _memory(stage: dict[str, Any]) -> str:
    of_gpu, of_process = stage["peak_gpu_memory_gib"], stage["peak_memory_gib"]
    parts = [
        f"{of_gpu:g} GiB on the GPU" if of_gpu else "",
        f"{of_process:g} GiB in the largest process" if of_process else "",
    ]
    return ", ".join(part for part in parts if part)


def _hardware(hardware: dict[str, str]) -> str:
    gpus = f"{hardware['gpus']} × {hardware['gpu']}, " if hardware.get("gpu") else "no GPU, "
    return f"{gpus}{hardware.get('cores', '?')} cores of {hardware.get('cpu', 'an unknown CPU')}"


def _software(stage: dict[str, Any]) -> Markup:
    named = ", ".join(f"{name} {number}" for name, number in stage["versions"].items() if number)
    mixed = "Not all sessions had the same versions, hardware and trainer." if stage["mixed_sessions"] else ""
    return lines(escape(text) for text in (named, mixed) if text)
