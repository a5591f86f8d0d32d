"""Where cases come from: spacing, field of view and rates of the data sources in Table 1 of the CTSpine1K paper."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from ctspine_bench.anatomy import vertebra_label
from ctspine_bench.phantom.case import CaseSpec

if TYPE_CHECKING:
    from ctspine_bench.phantom.spine import Lumbar

Size = Literal["small", "full"]

SMALL_VOXELS: Final = 1_400_000
"""Voxels that a small case has at most."""
_FULL_IN_PLANE: Final = 512
_SMALL_TRUNK_MM: Final = (260.0, 190.0)
_SMALL_SLICE_FACTOR: Final = 3.0


@dataclass(frozen=True)
class SourceProfile:
    """What the cases of one source look like. Mean and standard deviation are those of Table 1 unless said otherwise.

    Attributes:
        name: As the folders of the data set call it.
        cases: Number of cases in the data set.
        in_plane_mm: Mean and standard deviation of the spacing along x and y.
        slice_mm: Of the spacing along z.
        slice_range_mm: Smallest and largest spacing along z.
        tops: The levels that may be the highest to be seen.
        above_mm: How far the field of view reaches above the middle of that level; below 0 it is cut.
        length_mm: Mean and standard deviation of the field of view along z.
        crop_mm: Width and depth of a field of view that is cropped around the spine; `None` for a whole trunk.
        colon_gas: Whether the colon is filled with air.
        six_lumbar: Cases with an L6; `four_lumbar`, cases without an L5.
        small_factor: How much coarser the small size is along x and y.
    """

    name: str
    cases: int
    in_plane_mm: tuple[float, float]
    slice_mm: tuple[float, float]
    slice_range_mm: tuple[float, float]
    tops: tuple[str, ...]
    above_mm: tuple[float, float]
    length_mm: tuple[float, float]
    crop_mm: tuple[float, float] | None = None
    colon_gas: bool = False
    six_lumbar: int = 0
    four_lumbar: int = 0
    small_factor: float = 3.3

    def draw_lumbar(self, rng: np.random.Generator, factor: float = 1.0) -> Lumbar:
        """Draw the number of lumbar vertebrae, six and four at `factor` times the rates of this source."""
        six, four = factor * self.six_lumbar / self.cases, factor * self.four_lumbar / self.cases
        chance = rng.random()
        if chance < six:
            return 6
        return 4 if chance < six + four else 5

    def draw_spec(
        self,
        rng: np.random.Generator,
        *,
        size: Size = "small",
        n_lumbar: Lumbar | None = None,
        transitional_factor: float = 1.0,
        image: bool = False,
        label_cut: bool = True,
    ) -> CaseSpec:
        """Draw what one case shows.

        Args:
            rng: Source of the draws.
            size: `"full"` has 512×512 voxels in each slice and the spacing of the source; `"small"` has larger voxels,
                at most 1.4 million.
            n_lumbar: Number of lumbar vertebrae; drawn at the rates of the source when `None`.
            transitional_factor: How many times as often as in the source an L6 is there, or the L5 missing.
            image: Whether to make the CT image too.
            label_cut: Whether vertebrae that the field of view cuts are labelled, as in CTSpine1K. The original VerSe
                masks leave them out.
        """
        in_plane = float(np.clip(rng.normal(*self.in_plane_mm), 0.55, 1.4))
        low, high = self.slice_range_mm
        slices = float(np.clip(rng.normal(*self.slice_mm), low, high))
        length = float(np.clip(rng.normal(*self.length_mm), 0.7 * self.length_mm[0], 1.3 * self.length_mm[0]))
        top = vertebra_label(self.tops[rng.integers(len(self.tops))])
        above = float(rng.uniform(*self.above_mm))
        lumbar = self.draw_lumbar(rng, transitional_factor)
        if size == "full":
            shape, spacing = self._full(in_plane, slices, length)
        else:
            shape, spacing = self._small(in_plane, slices, length)
        return CaseSpec(
            shape, spacing, top=top, above_mm=above, n_lumbar=n_lumbar or lumbar, label_cut=label_cut,
            colon_gas=self.colon_gas, image=image,
        )  # fmt: skip

    def _full(self, in_plane: float, slices: float, length: float) -> tuple[_Shape, _Spacing]:
        across = (_FULL_IN_PLANE, _FULL_IN_PLANE)
        if self.crop_mm is not None:
            across = (round(self.crop_mm[0] / in_plane), round(self.crop_mm[1] / in_plane))
        return (*across, round(length / slices)), (in_plane, in_plane, slices)

    def _small(self, in_plane: float, slices: float, length: float) -> tuple[_Shape, _Spacing]:
        # Thick slices stay as they are; thin ones become hardly thicker than the voxels are wide.
        wide = in_plane * self.small_factor
        thick = max(slices, min(_SMALL_SLICE_FACTOR * slices, 1.6 * wide))
        across = self.crop_mm or _SMALL_TRUNK_MM
        shrink = (across[0] / wide) * (across[1] / wide) * (length / thick) / SMALL_VOXELS
        wide *= max(1.0, shrink) ** 0.5
        return (round(across[0] / wide), round(across[1] / wide), round(length / thick)), (wide, wide, thick)


_Shape = tuple[int, int, int]
_Spacing = tuple[float, float, float]

COLONOG: Final = SourceProfile(
    "COLONOG", 784, (0.75, 0.08), (0.81, 0.16), (0.5, 1.25),
    tops=("T7", "T8", "T8", "T8", "T9"), above_mm=(-9.0, 9.0), length_mm=(439.0, 25.0),
    colon_gas=True, six_lumbar=16, four_lumbar=9,
)  # fmt: skip
HNSCC: Final = SourceProfile(
    "HNSCC-3DCT-RT", 31, (1.09, 0.14), (2.0, 0.0), (2.0, 2.0),
    tops=("C1",), above_mm=(140.0, 180.0), length_mm=(404.0, 25.0), small_factor=2.0,
)  # fmt: skip
MSD: Final = SourceProfile(
    "MSD-T10", 150, (0.77, 0.10), (1.55, 1.22), (0.7, 5.0),
    tops=("T5", "T6", "T7", "T8"), above_mm=(-8.0, 9.0), length_mm=(480.0, 25.0),
    six_lumbar=1, four_lumbar=2, small_factor=3.2,
)  # fmt: skip
COVID: Final = SourceProfile(
    "COVID-19", 40, (0.79, 0.09), (4.5, 1.34), (3.0, 7.5),
    tops=("C6", "C6", "C7"), above_mm=(-5.0, 8.0), length_mm=(325.0, 20.0), small_factor=2.6,
)  # fmt: skip
VERSE: Final = SourceProfile(
    "VerSe", 41, (0.81, 0.10), (0.88, 0.16), (0.6, 1.3),
    tops=("C2", "T1", "T4", "T6", "T8", "T9", "T10"), above_mm=(-8.0, 12.0), length_mm=(440.0, 60.0),
    crop_mm=(150.0, 170.0), six_lumbar=8, four_lumbar=3, small_factor=2.4,
)  # fmt: skip
"""Cropped around the spine; most whole VerSe volumes are longer (640 slices on average) than what is cropped here."""

TRUNK_SOURCES: Final = (COLONOG, HNSCC, MSD, COVID)
"""The sources of CTSpine1K, the public and the private test set."""
