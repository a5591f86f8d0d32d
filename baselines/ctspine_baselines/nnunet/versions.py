"""What a training or prediction runs on: versions of libraries, and the hardware."""

from __future__ import annotations

import platform
from importlib.metadata import version
from pathlib import Path

import torch

from ctspine_bench.workers import available_cores

_LIBRARIES = ("nnunetv2", "dynamic-network-architectures", "batchgeneratorsv2", "torch", "numpy")


def versions() -> dict[str, str | None]:
    """Return the versions that decide about the numbers; those of CUDA and cuDNN are `None` without a GPU."""
    on_gpu = torch.cuda.is_available()
    return {
        "python": platform.python_version(),
        **{name: version(name) for name in _LIBRARIES},
        "cuda": torch.version.cuda if on_gpu else None,
        "cudnn": str(torch.backends.cudnn.version()) if on_gpu else None,
    }


def hardware(device: str, gpus: int = 1) -> dict[str, str | int | None]:
    """Return what it runs on; no names of machines.

    Args:
        device: "cuda", "cpu" or "mps".
        gpus: How many are used, if it is "cuda".
    """
    on_gpu = device == "cuda"
    return {
        "device": device,
        "gpu": torch.cuda.get_device_name() if on_gpu else None,
        "gpus": gpus if on_gpu else 0,
        "cpu": _cpu(),
        "cores": available_cores(),
    }


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())
