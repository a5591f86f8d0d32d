"""Stored values → labels 0–25, a chunk at a time, with everything needed to say what is wrong with them.

Nothing is clipped and nothing is guessed: a value that the label map does not list is an error that names it. Errors
are raised after the last chunk, when the checksum is known to hold: a damaged file is not called a wrong label map.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ctspine_bench.anatomy import IDENTITY, N_LABELS, TOTALSEGMENTATOR, VERSE, LabelMap
from ctspine_bench.errors import LabelError
from ctspine_bench.records import INTEGER_TOLERANCE

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from ctspine_bench.volumes.nifti import VolumeHeader

BINARY_MASK: Final = LabelMap(name="binary mask", values={0: 0, 1: 1})
"""What a file may hold that is one vertebra of a folder of masks."""

_UNLISTED: Final = 255
_MAX_LISTED: Final = 20
_MAX_EXAMPLES: Final = 5
# Distinct offending values are collected up to here; an image given in place of labels has thousands.
_MAX_COLLECTED: Final = 200


class LabelDecoder:
    """Turns the stored values of one file into labels and remembers what did not fit."""

    def __init__(self, header: VolumeHeader, label_map: LabelMap, path: Path) -> None:
        self._header = header
        self._map = label_map
        self._path = path
        self._scaled = (header.slope, header.intercept) != (1.0, 0.0)
        self._last = max(label_map.values, default=0)
        identity = {value: value for value in range(self._last + 1)}
        self._is_identity = label_map.values == identity and not label_map.ignore_others
        self._table = _lookup_table(label_map)
        self._byte_table = self._table.take(range(256), mode="clip").tobytes()
        self._n_seen = 0
        self._n_not_finite = 0
        self._first_not_finite = 0
        self._between: list[float] = []
        self._n_unlisted = 0
        self._unlisted: set[float] = set()
        self._n_flagged = dict.fromkeys(label_map.flagged, 0)

    @property
    def in_place(self) -> bool:
        """Whether the stored bytes are the values, so that they can be read to where the labels will be."""
        return self._header.dtype == np.uint8 and not self._scaled

    def decode(self, stored: NDArray[Any], labels: NDArray[np.uint8]) -> None:
        """Translate `(n,)` stored values to `(n,)` labels; both may be the same array when `in_place`."""
        values = stored if self.in_place else self._integers(stored)
        if self._is_identity:
            if values.max() > self._last or values.min() < 0:
                self._collect_unlisted(values, (values < 0) | (values > self._last))
            elif values is not labels:
                labels[:] = values
        else:
            self._translate(values, labels)
        self._n_seen += stored.size

    def finish(self) -> tuple[str, ...]:
        """Return the notes on the values, or raise what was wrong with them.

        Raises:
            LabelError: `E_NAN`, `E_NOT_INTEGER`, `E_LABEL_RANGE`, in this order.
        """
        if self._n_not_finite:
            raise self._not_finite_error()
        if self._between:
            raise self._not_integer_error()
        if self._n_unlisted:
            raise self._unlisted_error()
        return tuple(
            f"value {value} ({name}) is background in this benchmark: {self._n_flagged[value]} voxels"
            for value, name in self._map.flagged.items()
            if self._n_flagged[value]
        )

    def _integers(self, stored: NDArray[Any]) -> NDArray[Any]:
        if self._scaled:
            stored = stored * np.float64(self._header.slope) + self._header.intercept
        if stored.dtype.kind != "f":
            return stored
        if stored.min() >= 0 and stored.max() <= _UNLISTED:  # both false for NaN
            as_bytes = stored.astype(np.uint8)
            if np.array_equal(as_bytes, stored):
                return as_bytes
        finite = np.isfinite(stored)
        if not finite.all():
            if not self._n_not_finite:
                self._first_not_finite = self._n_seen + int(np.argmin(finite))
            self._n_not_finite += stored.size - int(np.count_nonzero(finite))
            stored = np.where(finite, stored, 0)
        rounded: NDArray[Any] = np.rint(stored)
        between = np.abs(stored - rounded) > INTEGER_TOLERANCE
        if len(self._between) < _MAX_EXAMPLES and between.any():
            self._between += np.unique(stored[between])[:_MAX_EXAMPLES].tolist()
        return rounded

    def _translate(self, values: NDArray[Any], labels: NDArray[np.uint8]) -> None:
        for value in self._n_flagged:
            self._n_flagged[value] += int(np.count_nonzero(values == value))
        if values.dtype == np.uint8:
            # Four times as fast as indexing, which would widen every index to 64 bits.
            translated = np.frombuffer(values.tobytes().translate(self._byte_table), np.uint8)
        else:
            listed = (values >= 0) & (values <= self._last)
            translated = self._table[np.where(listed, values, self._last + 1).astype(np.intp)]
        if translated.max() == _UNLISTED:
            self._collect_unlisted(values, translated == _UNLISTED)
        labels[:] = translated

    def _collect_unlisted(self, values: NDArray[Any], unlisted: NDArray[np.bool_]) -> None:
        self._n_unlisted += int(np.count_nonzero(unlisted))
        if len(self._unlisted) < _MAX_COLLECTED:
            self._unlisted.update(np.unique(values[unlisted]).tolist())

    def _not_finite_error(self) -> LabelError:
        index = np.unravel_index(self._first_not_finite, self._header.shape, order="F")
        first = tuple(map(int, index))
        return LabelError(
            "E_NAN",
            self._path,
            expected="a finite number in every voxel",
            found=f"{self._n_not_finite} voxels that are NaN or infinite, first at stored index {first}",
            advice="Write background as 0, and the label map as uint8.",
        )

    def _not_integer_error(self) -> LabelError:
        examples = ", ".join(f"{value:.6g}" for value in self._between[:_MAX_EXAMPLES])
        header = self._header
        cause = (
            f"The likely cause is scl_slope = {header.slope:g} and scl_inter = {header.intercept:g} in the header: "
            "write the file without them."
            if self._scaled
            else "The likely cause is a mask resampled with linear interpolation: use nearest neighbour for labels."
        )
        expected = f"integers (within {INTEGER_TOLERANCE:g})"
        return LabelError(
            "E_NOT_INTEGER", self._path, expected=expected, found=f"values such as {examples}", advice=cause
        )

    def _unlisted_error(self) -> LabelError:
        values = sorted(int(value) for value in self._unlisted)
        more = ", …" if len(values) > _MAX_LISTED else ""
        listed = ", ".join(map(str, values[:_MAX_LISTED]))
        expected = f"labels 0–{N_LABELS}" if self._map is IDENTITY else f"values of the label map {self._map.name!r}"
        found = f"{self._n_unlisted} voxels with the values {listed}{more}"
        return LabelError(
            "E_LABEL_RANGE", self._path, expected=expected, found=found, advice=_advice(self._map, set(values))
        )


def _lookup_table(label_map: LabelMap) -> NDArray[np.uint8]:
    # The last entry stands for every value beyond the largest one listed, and for negative ones.
    unlisted = 0 if label_map.ignore_others else _UNLISTED
    table = np.full(max(label_map.values) + 2, unlisted, np.uint8)
    for value, label in label_map.values.items():
        table[value] = label
    return table


def _advice(label_map: LabelMap, unlisted: set[int]) -> str:
    if label_map is BINARY_MASK:
        return (
            "A mask of one vertebra holds 0 and 1 alone: write it again, or give one label map in place of the folder."
        )
    if label_map.name != IDENTITY.name:
        return "If this really is a label map: list these values in the map, or say there `others: background`."
    if unlisted <= set(VERSE.values):
        return "If 26–28 are sacrum, coccyx and T13 as in VerSe, use `--label-map verse` when you score or pack."
    if unlisted <= set(TOTALSEGMENTATOR.values):
        return "If this is TotalSegmentator output, use `--label-map totalsegmentator` when you score or pack."
    return "Use `--label-map` with verse, totalsegmentator or a YAML file to say what these values are."
