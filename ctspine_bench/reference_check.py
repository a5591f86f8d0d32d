"""What a reader of the scores should know about a reference: gaps, disorder, stray voxels, odd grids, known errata.

Nothing is corrected; a reference is scored as it is. Heights are along the third axis, which is superior in RAS order.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
from scipy import ndimage
from scipy.spatial import cKDTree

from ctspine_bench.anatomy import LABELS, N_LABELS, vertebra_name
from ctspine_bench.errors import InputError
from ctspine_bench.testsets import known_errata
from ctspine_bench.volumes import read_labels

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from ctspine_bench.anatomy import LabelMap
    from ctspine_bench.cases import CaseFile
    from ctspine_bench.records import LabelVolume

    Box = tuple[slice, slice, slice]

Severity = Literal["error", "warning", "info"]

_SPLIT_SHARE: Final = 0.2
# A skipped level doubles a distance; whole neighbours differ by a third at most in VerSe and in the phantom.
_JUMP: Final = (0.4, 1.5)
# Between two vertebrae there is a disc; only facet joints touch. Fused vertebrae are rarer than a wrong label.
_MAX_CONTACT_SHARE: Final = 0.35
_SLICE_SPACING_MM: Final = (0.3, 5.0)
_MAX_ANISOTROPY: Final = 0.01
_T12: Final = 19
_CONNECTED_26: Final = np.ones((3, 3, 3), np.bool_)


@dataclass(frozen=True)
class Finding:
    """One thing about a reference.

    Attributes:
        kind: What sort of thing: empty, gap, disorder, distance, split, islands, contact, cut, spacing, note, erratum,
            unreadable.
        vertebra: The vertebra concerned, such as `"L4"`; `None` when it is about the volume.
        message: One sentence for people.
        severity: `"error"` is wrong, `"warning"` probably is, `"info"` is worth knowing.
    """

    kind: str
    vertebra: str | None
    message: str
    severity: Severity


@dataclass(frozen=True, eq=False)
class _Body:
    """The voxels of one label: `centroid_mm` is that of its largest component, the islands are all others."""

    label: int
    box: Box
    centroid_mm: NDArray[np.float64]
    n_voxels: int
    island_sizes: tuple[int, ...]
    largest_island: NDArray[np.intp]
    island_distance_mm: float

    @property
    def name(self) -> str:
        return vertebra_name(self.label)


def check_reference(volume: LabelVolume, case_id: str | None = None) -> tuple[Finding, ...]:
    """Look for what is wrong or odd about a reference.

    Args:
        volume: The reference.
        case_id: Its case id, for known errata.
    """
    bodies = _bodies(volume)
    findings = [] if bodies else [Finding("empty", None, "no vertebra is labelled", "error")]
    findings += _gaps(bodies)
    findings += _disorder(bodies, volume)
    findings += _distances(bodies, volume)
    for body in bodies:
        findings += _islands(body, volume)
    findings += _contacts(bodies, volume)
    findings += [
        Finding("cut", body.name, f"{body.name} is cut by the field of view", "info")
        for body in bodies
        if _is_cut(body, volume)
    ]
    findings += _grid(volume)
    findings += [Finding("note", None, note, "info") for note in volume.notes]
    findings += [
        Finding("erratum", None, f"{erratum.text} ({erratum.reported})", "warning")
        for erratum in known_errata(case_id or "")
    ]
    return tuple(findings)


def check_references(
    cases: Iterable[CaseFile], label_map: LabelMap | None = None
) -> Iterator[tuple[CaseFile, LabelVolume | InputError, tuple[Finding, ...]]]:
    """Check references one after the other; one that cannot be read comes with its error.

    Args:
        cases: The references, as `find_cases` gives them.
        label_map: What their voxel values mean; `None` for labels 0–25.
    """
    for case in cases:
        try:
            case.check()
            volume = read_labels(case.path, label_map)
        except InputError as error:
            yield case, error, (Finding("unreadable", None, str(error), "error"),)
        else:
            yield case, volume, check_reference(volume, case.case_id)


def _bodies(volume: LabelVolume) -> list[_Body]:
    labels = volume.labels
    # Slowest axis in memory first, so that the search for boxes walks through memory in order.
    order = np.argsort(-np.abs(labels.strides), kind="stable")
    boxes = ndimage.find_objects(labels.transpose(order), max_label=N_LABELS)
    back = np.argsort(order)
    return [
        _measure(volume, label, (box[back[0]], box[back[1]], box[back[2]]))
        for label, box in zip(LABELS, boxes, strict=True)
        if box is not None
    ]


def _measure(volume: LabelVolume, label: int, box: Box) -> _Body:
    compact, index = _without_gaps(volume.labels[box] == label, box)
    components, _ = ndimage.label(compact, _CONNECTED_26)
    sizes = np.bincount(components.ravel())[1:]
    main = components == 1 + np.argmax(sizes)
    spacing = np.array(volume.grid.spacing_mm)
    weights = [main.sum(axis=others) for others in ((1, 2), (0, 2), (0, 1))]
    centroid = np.array([np.average(i, weights=w) for i, w in zip(index, weights, strict=True)]) * spacing
    islands = np.sort(np.delete(sizes, np.argmax(sizes)))[::-1]
    largest, distance = np.empty((0, 3), np.intp), 0.0
    if islands.size:
        largest = _voxels(components == 1 + np.argsort(sizes)[-2], index)
        surface = _voxels(main & ~ndimage.binary_erosion(main), index)
        distance = float(np.min(cKDTree(surface * spacing).query(largest * spacing)[0]))
    return _Body(label, box, centroid, int(sizes.sum()), tuple(islands.tolist()), largest, distance)


def _without_gaps(
    mask: NDArray[np.bool_], box: Box
) -> tuple[NDArray[np.bool_], tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]]:
    """Cut runs of empty planes down to one, so that far strays cost little; also the volume index of what is left."""
    index: list[NDArray[np.intp]] = []
    for axis, others in enumerate(((1, 2), (0, 2), (0, 1))):
        filled: NDArray[np.bool_] = np.asarray(mask.any(axis=others))
        kept = np.flatnonzero(filled | np.append(False, filled[:-1]))
        mask = mask.take(kept, axis=axis) if kept.size < mask.shape[axis] else mask
        index.append(kept + box[axis].start)
    x, y, z = index
    return mask, (x, y, z)


def _voxels(mask: NDArray[np.bool_], index: tuple[NDArray[np.intp], ...]) -> NDArray[np.intp]:
    return np.stack([i[where] for i, where in zip(index, mask.nonzero(), strict=True)], axis=1)


def _gaps(bodies: list[_Body]) -> Iterator[Finding]:
    for upper, lower in pairwise(bodies):
        for label in range(upper.label + 1, lower.label):
            name = vertebra_name(label)
            message = f"label {label} ({name}) is missing between {upper.name} and {lower.name}"
            if label == _T12 and lower.label - upper.label == 2:
                yield Finding("gap", name, f"{message}; some patients have 11 thoracic vertebrae", "warning")
            else:
                yield Finding("gap", name, message, "error")


def _disorder(bodies: list[_Body], volume: LabelVolume) -> Iterator[Finding]:
    rises_mm = [float(lower.centroid_mm[2] - upper.centroid_mm[2]) for upper, lower in pairwise(bodies)]
    if len(rises_mm) > 1 and min(rises_mm) >= 0:
        message = f"all labels from {bodies[0].name} to {bodies[-1].name} ascend: the volume is probably upside down"
        yield Finding("disorder", None, message, "error")
        return
    for (upper, lower), rise_mm in zip(pairwise(bodies), rises_mm, strict=True):
        if rise_mm >= 0:
            message = f"{lower.name} lies {rise_mm:.1f} mm above {upper.name}, not below it"
            # What the field of view leaves of a vertebra may be its spinous process alone, which reaches far down.
            cut = _is_cut(upper, volume) or _is_cut(lower, volume)
            yield Finding("disorder", lower.name, message, "info" if cut else "error")


def _distances(bodies: list[_Body], volume: LabelVolume) -> Iterator[Finding]:
    """Neighbours much nearer to or farther from each other than the pairs around them; what is cut tells nothing."""
    pairs = [
        (upper, lower, float(np.linalg.norm(upper.centroid_mm - lower.centroid_mm)))
        for upper, lower in pairwise(body for body in bodies if not _is_cut(body, volume))
        if lower.label == upper.label + 1
    ]
    for i, (upper, lower, distance) in enumerate(pairs):
        around = [pair[2] for pair in pairs[max(i - 3, 0) : i] + pairs[i + 1 : i + 4]]
        if len(around) < 2:
            continue
        usual = float(np.median(around))
        if not _JUMP[0] * usual <= distance <= _JUMP[1] * usual:
            message = f"{upper.name} and {lower.name} are {distance:.1f} mm apart, the pairs around them {usual:.1f} mm"
            message += ": a level may have been skipped" if distance > usual else ""
            yield Finding("distance", lower.name, message, "warning")


def _islands(body: _Body, volume: LabelVolume) -> Iterator[Finding]:
    if not body.island_sizes:
        return
    voxel_ml = float(np.prod(volume.grid.spacing_mm)) / 1000
    n_islands, largest = len(body.island_sizes), body.island_sizes[0]
    where = f"{body.island_distance_mm:.1f} mm from the rest"
    neighbour = _adjoining(volume.labels, body)
    if neighbour:
        where += f" and adjoining {vertebra_name(neighbour)}"
    if largest >= _SPLIT_SHARE * body.n_voxels:
        message = f"{body.name} is split: a part of {largest * voxel_ml:.2f} mL is {where}"
        # The field of view may well cut a body off from its spinous process.
        yield Finding("split", body.name, message, "info" if _is_cut(body, volume) else "error")
        return
    total_ml = sum(body.island_sizes) * voxel_ml
    message = f"{body.name} has stray parts: {n_islands}, {total_ml:.3f} mL in all; the largest is {where}"
    yield Finding("islands", body.name, message, "warning" if neighbour and not _is_cut(body, volume) else "info")


def _adjoining(labels: NDArray[np.uint8], body: _Body) -> int:
    """The other label that the largest island touches most, 0 if none."""
    counts = np.zeros(N_LABELS + 1, np.int64)
    last = np.array(labels.shape) - 1
    for offset in np.argwhere(_CONNECTED_26) - 1:
        x, y, z = np.clip(body.largest_island + offset, 0, last).T
        counts += np.bincount(labels[x, y, z], minlength=N_LABELS + 1)
    counts[[0, body.label]] = 0
    return int(np.argmax(counts))


def _contacts(bodies: list[_Body], volume: LabelVolume) -> Iterator[Finding]:
    """Neighbours that pass into each other without a disc: probably one vertebra with two labels."""
    for upper, lower in pairwise(bodies):
        share = max(_contact_share(volume.labels, *pair) for pair in ((upper, lower), (lower, upper)))
        if share > _MAX_CONTACT_SHARE:
            message = (
                f"{upper.name} and {lower.name} lie directly upon each other over {share:.0%} of the smaller one's "
                "cross-section: one vertebra with two labels, or fused vertebrae"
            )
            yield Finding("contact", upper.name, message, "warning")


def _contact_share(labels: NDArray[np.uint8], upper: _Body, lower: _Body) -> float:
    """Faces with `upper` directly above `lower`, as a share of the smaller projection on the axial plane."""
    x, y = (
        slice(max(u.start, w.start), min(u.stop, w.stop)) for u, w in zip(upper.box[:2], lower.box[:2], strict=True)
    )
    z = slice(max(upper.box[2].start - 1, lower.box[2].start), min(upper.box[2].stop, lower.box[2].stop + 1))
    crop = labels[x, y, z]
    faces = (crop[..., 1:] == upper.label) & (crop[..., :-1] == lower.label)
    if not faces.any():
        return 0.0
    smaller = min(int((labels[body.box] == body.label).any(axis=2).sum()) for body in (upper, lower))
    return int(faces.sum()) / smaller


def _is_cut(body: _Body, volume: LabelVolume) -> bool:
    return bool(body.box[2].start == 0 or body.box[2].stop == volume.grid.shape[2])


def _grid(volume: LabelVolume) -> Iterator[Finding]:
    x, y, z = volume.grid.spacing_mm
    if not _SLICE_SPACING_MM[0] <= z <= _SLICE_SPACING_MM[1]:
        yield Finding("spacing", None, f"a slice spacing of {z:.3g} mm is unusual", "warning")
    if abs(x - y) > _MAX_ANISOTROPY * max(x, y):
        yield Finding("spacing", None, f"voxels are not square in the axial plane: {x:.4g} × {y:.4g} mm", "warning")
