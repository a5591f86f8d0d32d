"""What a finished training says of itself: digest of its weights, curve, time."""

from __future__ import annotations

import hashlib
import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import torch

from ctspine_bench.files import replacing

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_CURVES: Final = {"train_losses": "training_loss", "mean_fg_dice": "pseudo_dice", "ema_fg_dice": "pseudo_dice_ema"}
_DIGITS: Final = 4


def summarise(checkpoint_file: str, output_file: str) -> int:
    """Write the summary of a checkpoint as JSON.

    Args:
        checkpoint_file: What nnU-Net has written at the end of a training.
        output_file: Where to.
    """
    checkpoint = torch.load(checkpoint_file, map_location="cpu", weights_only=False)
    log, weights = checkpoint["logging"], checkpoint["network_weights"]
    times = zip(log["epoch_start_timestamps"], log["epoch_end_timestamps"], strict=True)
    summary = {
        "weights_sha256": weights_sha256(weights),
        "parameters": count_parameters(weights),
        "epochs": checkpoint["current_epoch"],
        "seconds": round(sum(end - start for start, end in times), 1),
        "curves": {name: _rounded(log[key]) for key, name in _CURVES.items()},
    }
    with replacing(Path(output_file)) as temporary:
        temporary.write_text(json.dumps(summary), encoding="utf-8")
    return 0


def count_parameters(weights: Mapping[str, torch.Tensor]) -> int:
    """Return how many parameters a network has; nnU-Net's names many of them twice."""
    return sum({value.data_ptr(): value.numel() for value in weights.values()}.values())


def weights_sha256(weights: Mapping[str, torch.Tensor]) -> str:
    """Return the digest of a network: of name, type, shape and little-endian bytes of each tensor, sorted by name."""
    digest = hashlib.sha256()
    for name, tensor in sorted(weights.items()):
        array = tensor.detach().cpu().contiguous().numpy()
        digest.update(f"{name} {array.dtype} {array.shape}\n".encode())
        digest.update(array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes())
    return digest.hexdigest()


def _rounded(values: Iterable[Any]) -> list[float | None]:
    return [round(float(value), _DIGITS) if math.isfinite(value) else None for value in values]
