"""A folder with one binary mask for each vertebra, as TotalSegmentator writes it, joined into one label map."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

from ctspine_bench.anatomy import TOTALSEGMENTATOR, LabelMap, vertebra_name
from ctspine_bench.errors import CaseError, GeometryError, LabelError
from ctspine_bench.records import LabelVolume
from ctspine_bench.volumes.decoding import BINARY_MASK
from ctspine_bench.volumes.grids import check_same_grid, describe

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray


def read_masks(
    folder: Path, label_map: LabelMap | None, read_file: Callable[[Path, LabelMap], LabelVolume]
) -> LabelVolume:
    """Join the masks of a folder that the label map knows; at any time one of them is in memory beside the result.

    Args:
        folder: The folder of masks.
        label_map: Its `masks` says which file stem is which vertebra.
        read_file: How to read one mask.

    Raises:
        LabelError: `E_LABEL_MAP` without a label map for masks, `E_MASK_OVERLAP`, and what reading a mask raises.
        GeometryError: `E_SHAPE`, `E_AFFINE` when the masks are not on one grid.
        CaseError: `E_NO_CASES` when the folder has no mask that the label map knows.
    """
    files = {file: _stem(file) for file in sorted(folder.iterdir()) if _stem(file)}
    masks = _masks_of(label_map, folder, set(files.values()))
    known = {file: masks[stem] for file, stem in files.items() if stem in masks}
    if not known:
        raise CaseError(
            "E_NO_CASES",
            folder,
            expected=f"masks named as in the label map, such as {next(iter(masks))}.nii.gz",
            found=f"{len(files)} .nii.gz or .nii files, none of them in the label map",
            advice="Give the folder that directly holds the masks of one case, or the label map that fits their names.",
        )
    joined: LabelVolume | None = None
    digest = hashlib.sha256()
    for file, label in known.items():
        mask = read_file(file, BINARY_MASK)
        digest.update(f"{file.name}\n{mask.sha256}\n".encode())
        if joined is None:
            joined = LabelVolume(np.zeros_like(mask.labels), mask.grid, mask.notes, str(folder), "")
        _check_grid(joined, mask, file, next(iter(known)))
        _paint(joined.labels, mask.labels, label, file)
        del mask  # before the next one is read
    assert joined is not None  # noqa: S101 -- `known` is not empty
    n_ignored = len(files) - len(known)
    ignored = (f"files ignored because the label map does not list them: {n_ignored}",) if n_ignored else ()
    return LabelVolume(joined.labels, joined.grid, joined.notes + ignored, str(folder), digest.hexdigest())


def _stem(file: Path) -> str:
    """The name of a mask without `.nii` or `.nii.gz`; empty for other and hidden files."""
    lower = file.name.lower()
    suffix = next((suffix for suffix in (".nii.gz", ".nii") if lower.endswith(suffix)), None)
    return "" if suffix is None or lower.startswith(".") else file.name[: -len(suffix)]


def _masks_of(label_map: LabelMap | None, folder: Path, stems: set[str]) -> dict[str, int]:
    if label_map is not None and label_map.masks:
        return dict(label_map.masks)
    if stems & set(TOTALSEGMENTATOR.masks):
        advice = "These are the names that TotalSegmentator gives its masks: use `--label-map totalsegmentator`."
    else:
        advice = "Use a YAML label map with a `masks` section, or give one label map in place of the folder."
    raise LabelError(
        "E_LABEL_MAP",
        folder,
        expected="a label map that says which mask of the folder is which vertebra",
        found="none" if label_map is None else f"the label map {label_map.name!r}, which knows no masks",
        advice=advice,
    )


def _check_grid(joined: LabelVolume, mask: LabelVolume, file: Path, first: Path) -> None:
    try:
        check_same_grid(joined, mask)
    except GeometryError as error:
        raise GeometryError(
            error.code,
            file,
            expected=f"the grid of the first mask {first.name}: {describe(joined.grid)}",
            found=error.found,
            advice="Write all masks of a case on one grid.",
        ) from None


def _paint(labels: NDArray[np.uint8], mask: NDArray[np.uint8], label: int, file: Path) -> None:
    # Layer by layer along the axis that is slowest in memory: no temporary array has the size of the volume.
    axis = int(np.argmax(np.abs(labels.strides)))
    for layer, mask_layer in zip(np.moveaxis(labels, axis, 0), np.moveaxis(mask, axis, 0), strict=True):
        if not mask_layer.any():
            continue
        inside = mask_layer.view(np.bool_)
        taken = layer[inside]
        if taken.any():
            raise LabelError(
                "E_MASK_OVERLAP",
                file,
                expected="voxels that no other mask of the folder claims",
                found=f"voxels that the mask of {vertebra_name(int(taken.max()))} claims too",
                advice="Decide for one vertebra in each voxel, for example by writing one label map.",
            )
        layer[inside] = label
