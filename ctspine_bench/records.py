"""The frozen dataclasses that flow between rooms.

Coordinates: arrays are indexed `(x, y, z)`; lengths are in mm, areas in mm², volumes in mL. A number that is not
defined is `None`, never NaN and never zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

LONGEST_AXIS: Final = 65_534
"""How many voxels a volume may have along an axis: surface elements are stored with 16-bit indices."""

INTEGER_TOLERANCE: Final = 1e-3
"""How far a stored value may be from the label that it stands for."""

Status = Literal["matched", "missed", "spurious"]
"""What happened to one vertebra: in both, only in the reference, only in the prediction."""


@dataclass(frozen=True, eq=False)
class Grid:
    """Where the voxels of a volume lie.

    Attributes:
        shape: Number of voxels along x, y, z.
        affine: 4×4, voxel index (of voxel centres) → position in mm, RAS+.
    """

    shape: tuple[int, int, int]
    affine: NDArray[np.float64]

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Distance between voxel centres along x, y, z."""
        x, y, z = np.sqrt((self.affine[:3, :3] ** 2).sum(axis=0)).tolist()
        return (x, y, z)

    def corners_mm(self) -> NDArray[np.float64]:
        """Positions of the centres of the eight corner voxels, `(8, 3)`, in mm."""
        last = np.array(self.shape) - 1
        index = np.array(np.meshgrid(*((0, n) for n in last), indexing="ij")).reshape(3, 8)
        corners: NDArray[np.float64] = (self.affine[:3, :3] @ index).T + self.affine[:3, 3]
        return corners


@dataclass(frozen=True, eq=False)
class LabelVolume:
    """One label map as read from disk.

    Attributes:
        labels: `(x, y, z)` uint8 with values 0–25, in RAS order: x to the right, y to the front, z up. It may be a view
            with any strides on the voxels as they were stored.
        grid: The voxel grid in that order.
        notes: What was accepted but is worth knowing, one sentence each.
        path: The file or folder it came from.
        sha256: Digest of the file as it is on disk (of a folder: of its files' names and digests), hex.
    """

    labels: NDArray[np.uint8]
    grid: Grid
    notes: tuple[str, ...]
    path: str
    sha256: str


@dataclass(frozen=True, eq=False)
class SurfaceProfile:
    """How far the surface of one mask is from that of another.

    Elements with the same distance and area are stored once with their count. Sorted by distance, then area.

    Attributes:
        distances_mm: `(n,)` distance of the elements to the nearest element of the other surface.
        areas_mm2: `(n,)` area of one element.
        counts: `(n,)` how many elements have this distance and area.
    """

    distances_mm: NDArray[np.float64]
    areas_mm2: NDArray[np.float64]
    counts: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class SurfacePair:
    """The profiles of both directions for one label: reference → prediction and prediction → reference."""

    reference: SurfaceProfile
    prediction: SurfaceProfile


@dataclass(frozen=True, eq=False)
class MaskGeometry:
    """Where the labels of one volume lie, indexed by label 0–25; rows of absent labels are NaN or −1.

    Attributes:
        centroids_mm: `(26, 3)` centre of mass along x, y, z in mm from the centre of voxel (0, 0, 0).
        lowest: `(26, 3)` smallest voxel index along x, y, z, −1 where the label is absent.
        highest: `(26, 3)` largest voxel index along x, y, z, −1 where the label is absent.
    """

    centroids_mm: NDArray[np.float64]
    lowest: NDArray[np.int64]
    highest: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Comparison:
    """Everything the metrics need to know about a reference and a prediction, computed in one pass.

    Attributes:
        shape: Number of voxels along x, y, z.
        spacing_mm: Voxel spacing along x, y, z.
        superior_axis: Which axis runs along the spine.
        confusion: `(26, 26)` voxel counts, `[reference label, prediction label]`. Both-background voxels are not
            counted: `[0, 0]` is 0.
        reference: Where the reference's labels lie.
        prediction: Where the prediction's labels lie.
        surfaces: Label → surface profiles, for labels present in both; key 0 is the spine (all labels as one mask).
        hd95_pooled_mm: Label → pooled HD95, for the same keys; empty unless asked for.
    """

    shape: tuple[int, int, int]
    spacing_mm: tuple[float, float, float]
    superior_axis: int
    confusion: NDArray[np.int64]
    reference: MaskGeometry
    prediction: MaskGeometry
    surfaces: dict[int, SurfacePair]
    hd95_pooled_mm: dict[int, float]


@dataclass(frozen=True)
class VertebraScore:
    """The scores of one vertebra of one case, or of the spine (label 0, all labels as one mask).

    `dsc` and `nsd_*` are 0.0 for a missed and for a spurious vertebra. Distances are `None` unless it is matched; what
    they count as in means is the policy of `aggregate`. Losses are `None` for the spine.

    Attributes:
        label: 1–25; 0 for the spine.
        name: "C1" … "L6"; "spine".
        status: matched, missed or spurious.
        dsc: Dice similarity coefficient, 0–1.
        hd95_mm: 95th percentile Hausdorff distance, raw.
        hd100_mm: Hausdorff distance.
        assd_mm: Average symmetric surface distance, area-weighted.
        nsd_1mm: Normalised surface Dice at 1 mm; likewise 2 and 3 mm.
        volume_error_ml: Predicted minus reference volume.
        reference_ml: Reference volume.
        prediction_ml: Predicted volume.
        cut: Whether the reference touches the first or last slice along the spine (the field of view cuts it);
            `None` for a spurious vertebra.
        at_border: Whether the prediction does, and, but for the spine, has its centre within 40 mm of that slice;
            `None` for a missed vertebra.
        predicted_as: The predicted label that covers most of the reference vertebra; `None` for none, a spurious one
            and the spine.
        loss_identification: Part of 1 − dsc lost to a wrong level name.
        loss_missed: Part lost because nothing was found, or hardly anything.
        loss_boundary: Part lost on the outline.
        loss_spurious: 1 for a spurious vertebra, 0 for one of the reference.
        hd95_pooled_mm: Pooled voxel-shell HD95 as medpy computes it; only when asked for.
    """

    label: int
    name: str
    status: Status
    dsc: float | None
    hd95_mm: float | None
    hd100_mm: float | None
    assd_mm: float | None
    nsd_1mm: float | None
    nsd_2mm: float | None
    nsd_3mm: float | None
    volume_error_ml: float
    reference_ml: float
    prediction_ml: float
    cut: bool | None
    at_border: bool | None
    predicted_as: int | None = None
    loss_identification: float | None = None
    loss_missed: float | None = None
    loss_boundary: float | None = None
    loss_spurious: float | None = None
    hd95_pooled_mm: float | None = None


@dataclass(frozen=True)
class Identification:
    """How well the levels of one case were named. Rates are over reference vertebrae; `None` without any.

    Attributes:
        n_reference: Number of reference vertebrae.
        n_prediction: Number of predicted labels.
        identification_rate: Share whose same-label predicted centroid is less than 20 mm away and nearer than every
            other predicted centroid.
        n_verse_hits: How many are identified by the released evaluation code of VerSe: among the labels in both, the
            predicted centroid is nearest to the reference centroid of its own label, and at most 20 mm away.
        levels_right: Whether the labels of the prediction are those of the reference, and every vertebra is identified
            and has a DSC of at least 0.1; `None` when neither has any.
        localisation_mm: Mean centroid distance over labels present in both; `None` without any.
        n_localised: How many labels that mean is over.
        label_shift: s in −3…3 that maximises Σ|A_r ∩ B_(r+s)|; `None` without overlap.
        dsc_unshifted: Mean DSC over reference vertebrae after undoing the label shift.
        dsc_instance: Mean DSC over reference vertebrae of the best one-to-one, label-agnostic assignment.
        panoptic_quality: Σ IoU over pairs with IoU > 0.5, divided by (TP + FP/2 + FN/2), label-agnostic.
    """

    n_reference: int
    n_prediction: int
    identification_rate: float | None
    n_verse_hits: int
    levels_right: bool | None
    localisation_mm: float | None
    n_localised: int
    label_shift: int | None
    dsc_unshifted: float | None
    dsc_instance: float | None
    panoptic_quality: float | None


@dataclass(frozen=True)
class CaseScore:
    """All scores of one case.

    Attributes:
        vertebrae: One for each label in the reference or the prediction, from the head down.
        spine: All labels as one mask; `None` when both volumes are empty.
        identification: How well the levels were named.
        slice_spacing_mm: Voxel spacing along the spine.
        diagonal_mm: Length of the diagonal of the volume.
        transitional: Whether the reference has an L6, or ends at L4 with at least 30 mm of volume below it.
    """

    vertebrae: tuple[VertebraScore, ...]
    spine: VertebraScore | None
    identification: Identification
    slice_spacing_mm: float
    diagonal_mm: float
    transitional: bool


@dataclass(frozen=True)
class Failure:
    """Why a case could not be scored as it is.

    Attributes:
        code: A key of `errors.CODES`.
        side: Whose fault: the participant's prediction or the organizer's reference.
        message: The whole text for people.
    """

    code: str
    side: Literal["prediction", "reference"]
    message: str


@dataclass(frozen=True)
class CaseResult:
    """What became of one case of a test set.

    Attributes:
        case_id: Its id.
        source: Which data set it comes from; `None` when unknown.
        score: Its scores; with a failed prediction every reference vertebra is missed; `None` when the reference
            failed.
        failure: Why the prediction or the reference was refused; `None` when all is well.
        notes: What was accepted but is worth knowing.
        reference_sha256: Digest of the reference as it is on disk; `None` if it could not be read.
        prediction_sha256: Digest of the prediction as it is on disk; `None` if it is missing or could not be read.
    """

    case_id: str
    source: str | None
    score: CaseScore | None
    failure: Failure | None
    notes: tuple[str, ...]
    reference_sha256: str | None
    prediction_sha256: str | None
