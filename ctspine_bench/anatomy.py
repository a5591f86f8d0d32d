"""Vertebra labels and their names, and what other label maps call them.

The only place with such numbers. Labels 1–25 are C1–C7, T1–T12, L1–L6, as in CTSpine1K (Deng et al., 2024, section
3.1).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from numbers import Integral
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

VERTEBRAE: Final = (
    *(f"C{i}" for i in range(1, 8)),
    *(f"T{i}" for i in range(1, 13)),
    *(f"L{i}" for i in range(1, 7)),
)
"""Vertebra names in order from the head down; label = index + 1."""

N_LABELS: Final = len(VERTEBRAE)
LABELS: Final = range(1, N_LABELS + 1)
BACKGROUND: Final = 0
SPINE: Final = 0
"""The key of the spine beside the labels in records and tables: all labels as one binary mask."""

REGIONS: Final[Mapping[str, range]] = MappingProxyType(
    {"cervical": range(1, 8), "thoracic": range(8, 20), "lumbar": range(20, 26)}
)

# A look-up table over the values is as long as the largest one.
_LARGEST_VALUE: Final = 65_535

_LABEL_OF: Final = {name: label for label, name in enumerate(VERTEBRAE, start=1)}


def vertebra_name(label: int) -> str:
    """Return the name of a label in 1–25, such as `"L4"` for 23."""
    if label not in LABELS:
        raise ValueError(f"expected a label in 1–{N_LABELS}, found {label}")
    return VERTEBRAE[label - 1]


def vertebra_label(name: str) -> int:
    """Return the label of a vertebra name, such as 23 for `"L4"`."""
    try:
        return _LABEL_OF[name]
    except KeyError:
        raise ValueError(f"expected a vertebra name C1–C7, T1–T12 or L1–L6, found {name!r}") from None


@dataclass(frozen=True)
class LabelMap:
    """How the voxel values of another data set translate to labels 1–25.

    The mappings are copied to plain dictionaries, which can be pickled.

    Attributes:
        name: What error messages and provenance call it.
        values: Voxel value in 0–65535 → label in 0–25 (0 is background).
        ignore_others: Whether values that are not listed are background (`True`) or an error (`False`).
        flagged: Values that become background but are named in the notes of the case, with their name.
        masks: File stem → label in 0–25, for the form with one binary mask per vertebra in a folder.

    Raises:
        ValueError: A value or a label is no integer or out of its range.
    """

    name: str
    values: Mapping[int, int]
    ignore_others: bool = False
    flagged: Mapping[int, str] = field(default_factory=dict)
    masks: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for mapping in ("values", "flagged", "masks"):
            object.__setattr__(self, mapping, dict(getattr(self, mapping)))
        for value, meaning in (*self.values.items(), *self.flagged.items()):
            self._check_integer("voxel values", value, _LARGEST_VALUE, f"{value!r}: {meaning!r}")
        for key, label in (*self.values.items(), *self.masks.items()):
            self._check_integer("labels", label, N_LABELS, f"{key!r}: {label!r}")

    def _check_integer(self, what: str, number: object, largest: int, pair: str) -> None:
        # (a bool is an integer to Python, but hardly meant as one)
        if not isinstance(number, Integral) or isinstance(number, bool) or not 0 <= int(number) <= largest:
            raise ValueError(f"expected integer {what} in 0–{largest} in the label map {self.name!r}, found {pair}")


IDENTITY: Final = LabelMap(name="ctspine1k", values={value: value for value in range(N_LABELS + 1)})

# VerSe: 26 sacrum, 27 coccyx, 28 T13 (Sekuboyina et al., 2021, doi:10.1016/j.media.2021.102166).
VERSE: Final = LabelMap(
    name="verse",
    values={**IDENTITY.values, 26: BACKGROUND, 27: BACKGROUND, 28: BACKGROUND},
    flagged={28: "T13"},
)

# TotalSegmentator v2, task "total", values 0–117: 26 sacrum, 27–31 L5–L1, 32–43 T12–T1, 44–50 C7–C1; it has no L6
# (github.com/wasserth/TotalSegmentator, class map of version 2).
TOTALSEGMENTATOR: Final = LabelMap(
    name="totalsegmentator",
    values={**dict.fromkeys(range(118), BACKGROUND), **{51 - label: label for label in range(1, 25)}},
    masks={f"vertebrae_{VERTEBRAE[label - 1]}": label for label in range(1, 25)},
)

LABEL_MAPS: Final[Mapping[str, LabelMap]] = MappingProxyType(
    {label_map.name: label_map for label_map in (IDENTITY, VERSE, TOTALSEGMENTATOR)}
)
"""The label maps that ship with the package, by the name that `--label-map` takes."""
