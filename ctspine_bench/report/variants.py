"""The official table and its variants, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, get_args

if TYPE_CHECKING:
    from collections.abc import Mapping

Variant = Literal["official", "hd95-matched", "border-forgiven", "complete", "cut", "without-l6"]
"""Which table: by the official rule, or a variant of it."""

VARIANTS: Final[tuple[Variant, ...]] = get_args(Variant)

FORGIVEN: Final = (
    "Forgiven are spurious vertebrae that could be partly visible ones that the reference leaves out: they touch the "
    "first or last slice, have one of the next two labels beyond the reference's, and are no larger than its largest "
    "vertebra."
)
"""What the border forgives."""

OFFICIAL_TITLE: Final = "The paper's layout, this benchmark's rule"

TITLES: Final[Mapping[str, str]] = {
    "official": OFFICIAL_TITLE,
    **{
        name: f"Variant of this benchmark's rule: {words}"
        for name, words in (
            ("hd95-matched", "HD95 of matched vertebrae"),
            ("border-forgiven", "spurious vertebrae at the border of the field of view forgiven"),
            ("complete", "complete vertebrae only"),
            ("cut", "only vertebrae that the field of view cuts"),
            ("without-l6", "without L6"),
        )
    },
}
