"""Short facts as two columns, what and how much, as HTML; and the links that may stand among them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from markupsafe import Markup, escape

if TYPE_CHECKING:
    from collections.abc import Iterable

_ROW: Final = Markup('<tr><th scope="row" class="cb-left cb-wide">{}</th><td class="cb-left cb-wide">{}</td></tr>')
_PIECE: Final = 8


def facts(rows: Iterable[tuple[str, str | Markup]], caption: str) -> Markup:
    """Return facts as a narrow table; those that say nothing are left out.

    Args:
        rows: What it is and what is known of it: plain text, or something that this package has made.
        caption: What they are about, for those who do not see it.
    """
    body = Markup("").join(_ROW.format(name, value) for name, value in rows if value)
    return Markup(
        '<div class="cb-text"><table class="cb-table"><caption>{}</caption><tbody>{}</tbody></table></div>'
    ).format(caption, body)


def outside(address: str | None, text: str = "") -> Markup:
    """Return a link to another site; nothing without an address.

    Args:
        address: As the schema of declarations lets it through; anything but an https address is shown as text.
        text: What the link says; by default the address.
    """
    if not address:
        return Markup("")
    if not address.startswith("https://"):
        return escape(address)
    return Markup('<a href="{}" rel="noopener nofollow">{}</a>').format(address, text or address)


def inside(address: str, text: str) -> Markup:
    """Return a link to another page of this site."""
    return Markup('<a href="{}" target="_self">{}</a>').format(address, text)


def lines(parts: Iterable[str | Markup]) -> Markup:
    """Return parts below each other."""
    return Markup("<br>").join(parts)


def digest(value: str) -> Markup:
    """Return a digest that may be broken into lines anywhere between its pieces, and is copied in one."""
    pieces = (value[i : i + _PIECE] for i in range(0, len(value), _PIECE))
    return Markup("<code>{}</code>").format(Markup("<wbr>").join(pieces)) if value else Markup("")
