"""Where the voxels of a NIfTI file lie, and the same voxels in RAS order.

Reorientation permutes and flips axes; it never resamples, and the result is a view.
"""

# (nibabel announces types but leaves some calls without)

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from nibabel import aff2axcodes
from nibabel.orientations import apply_orientation, inv_ornt_aff, io_orientation
from nibabel.spatialimages import HeaderDataError

from ctspine_bench.errors import GeometryError
from ctspine_bench.records import Grid

if TYPE_CHECKING:
    from pathlib import Path

    from nibabel import Nifti1Header
    from numpy.typing import NDArray

    from ctspine_bench.volumes.nifti import VolumeHeader

_TOLERANCE: Final = 1e-3
_MAX_DISAGREEMENT_VOXELS: Final = 0.1
_MAX_MM: Final = 1e6
# What is shorter is no spacing, and might be lost when the affine is stored with 32 bits.
_MIN_MM: Final = 1e-6
_OTHER_UNITS: Final = {1: "metres", 3: "micrometres"}
_ADVICE: Final = "Write the file again with one consistent sform, qform and pixdim."


def read_affine(header: VolumeHeader, path: Path) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Return the 4×4 affine of the stored axes (voxel index → mm, RAS+) and notes on where it came from.

    The sform counts where it is set, else the qform, else pixdim alone, as nibabel has it.

    Raises:
        GeometryError: `E_SPACING`, `E_SHEAR`.
    """
    nifti = header.header
    unit = int(nifti["xyzt_units"]) & 7
    if unit in _OTHER_UNITS:
        raise _error("E_SPACING", path, "millimetres", f"lengths in {_OTHER_UNITS[unit]} (xyzt_units = {unit})")
    pixdim = np.asarray(nifti["pixdim"][1:4], np.float64)
    if not (np.isfinite(pixdim).all() and (pixdim > 0).all()):
        raise _error("E_SPACING", path, "three positive spacings", f"pixdim = {_numbers(pixdim)}")
    sform = nifti.get_sform() if int(nifti["sform_code"]) > 0 else None
    qform = _qform(nifti) if int(nifti["qform_code"]) > 0 else None
    affine = np.asarray(
        next((form for form in (sform, qform) if form is not None), nifti.get_base_affine()), np.float64
    )
    check_axes(affine, pixdim, path)
    notes = []
    if sform is None and qform is None:
        notes.append("neither sform nor qform is set: position and direction are assumed, only the spacing is known")
    elif sform is not None and qform is not None:
        gap = _corner_gap_mm(sform, np.asarray(qform), header.shape)
        if not gap <= _MAX_DISAGREEMENT_VOXELS * pixdim.min():  # true for NaN
            notes.append(f"sform and qform disagree by {gap:.3g} mm at a corner of the volume; the sform is used")
    return affine, tuple(notes)


def check_axes(affine: NDArray[np.float64], spacing_mm: NDArray[np.float64], path: Path) -> None:
    """Check that an affine has three axes at right angles, of these lengths.

    Raises:
        GeometryError: `E_SPACING`, `E_SHEAR`.
    """
    if not np.abs(affine).max() < _MAX_MM:  # true for NaN
        found = f"the rows {', '.join(_numbers(row) for row in affine[:3])}"
        raise _error("E_SPACING", path, f"an affine of finite numbers below {_MAX_MM:g} mm", found)
    norms = np.linalg.norm(affine[:3, :3], axis=0)
    if not (norms >= _MIN_MM).all():
        raise _error("E_SPACING", path, "an affine with three axes", f"axis lengths {_numbers(norms)} mm")
    directions = affine[:3, :3] / norms
    if abs(np.linalg.det(directions)) < _TOLERANCE:
        raise _error("E_SPACING", path, "three independent axes", "a singular affine: its axes lie in one plane")
    if (np.abs(norms - spacing_mm) > _TOLERANCE * spacing_mm).any():
        found = f"axis lengths {_numbers(norms)} mm in the affine, {_numbers(spacing_mm)} mm in pixdim"
        raise _error("E_SPACING", path, "one spacing (within 0.1 %) in the affine and in pixdim", found)
    cosines = np.abs(directions.T @ directions - np.eye(3))
    if cosines.max() > _TOLERANCE:
        degrees = np.degrees(np.arccos(cosines.max()))
        raise _error("E_SHEAR", path, "voxel axes at right angles", f"two axes at {degrees:.2f}° (a sheared affine)")


def to_ras(labels: NDArray[np.uint8], affine: NDArray[np.float64]) -> tuple[NDArray[np.uint8], Grid, tuple[str, ...]]:
    """Return `(x, y, z)` labels in RAS order as a view, their grid, and a note if the stored order was another one.

    Args:
        labels: Labels in stored order.
        affine: 4×4, stored voxel index → mm, RAS+. Oblique axes go to the closest world axis.
    """
    orientation = io_orientation(affine)
    reoriented = apply_orientation(labels, orientation)
    x, y, z = reoriented.shape
    grid = Grid((x, y, z), affine @ inv_ornt_aff(orientation, labels.shape))
    axes = "".join(aff2axcodes(affine))
    notes = () if axes == "RAS" else (f"stored as {axes}; reoriented to RAS without resampling",)
    return reoriented, grid, notes


def _qform(nifti: Nifti1Header) -> NDArray[np.float64] | None:
    nifti = nifti.copy()
    if nifti["pixdim"][0] != -1:
        nifti["pixdim"][0] = 1  # as nifti1.h asks for any qfac that is not −1
    try:
        qform: NDArray[np.float64] = nifti.get_qform()
    except (ValueError, HeaderDataError):  # no unit quaternion
        return None
    return qform


def _corner_gap_mm(one: NDArray[np.float64], other: NDArray[np.float64], shape: tuple[int, int, int]) -> float:
    with np.errstate(over="ignore", invalid="ignore"):  # the qform of a broken header can be anything
        return float(np.linalg.norm(Grid(shape, one).corners_mm() - Grid(shape, other).corners_mm(), axis=1).max())


def _numbers(values: NDArray[np.float64]) -> str:
    return " × ".join(f"{value:.6g}" for value in values)


def _error(code: str, path: Path, expected: str, found: str) -> GeometryError:
    return GeometryError(code, path, expected=expected, found=found, advice=_ADVICE)
