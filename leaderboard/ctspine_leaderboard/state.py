"""The state of a page in its address: what is chosen can be linked to, and going back works.

Choices at their default are left out. A value that is not among the options is answered with a message and the default.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import streamlit as st

from ctspine_bench.submissions.plain_text import shown
from ctspine_leaderboard.frame import notice

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_WRITTEN: Final = "address"
_SEPARATOR: Final = ","
_DIGITS: Final = 6


def choose(key: str, label: str, options: Mapping[str, str], default: str, *, hint: str | None = None) -> str:
    """Show a selector for one of some options, and return what is chosen.

    Args:
        key: Its name in the address.
        label: What people read.
        options: Value in the address → what people read; not empty.
        default: One of the values.
        hint: What the question mark tells.
    """
    asked = _asked(key)
    if asked is not None:
        if asked and asked not in options:
            _explain(key, asked, options)
        st.session_state[key] = asked if asked in options else default
    elif st.session_state.get(key) not in options:
        st.session_state[key] = default
    value: str = st.selectbox(label, list(options), format_func=lambda name: options[name], key=key, help=hint)
    _write(key, value if value != default else "")
    return value


def choose_several(
    key: str, label: str, options: Mapping[str, str], default: Sequence[str], *, most: int, hint: str | None = None
) -> list[str]:
    """Show a selector for some of many options, and return what is chosen, in that order."""
    asked = _asked(key)
    if asked is not None:
        wanted = list(dict.fromkeys(filter(None, asked.split(_SEPARATOR))))
        if unknown := [name for name in wanted if name not in options]:
            _explain(key, unknown[0], options)
        st.session_state[key] = [name for name in wanted if name in options][:most] or list(default)
    elif not set(st.session_state.get(key, [None])) <= options.keys():
        st.session_state[key] = list(default)
    value = st.multiselect(
        label, list(options), format_func=lambda name: options[name], key=key, max_selections=most, help=hint
    )
    _write(key, "" if list(value) == list(default) else _SEPARATOR.join(value))
    return list(value)


def switch(key: str, label: str, *, hint: str | None = None) -> bool:
    """Show a switch that is off by default, and return whether it is on."""
    asked = _asked(key)
    if asked is not None:
        if asked not in {"1", ""}:
            _explain(key, asked, {"1": "on"})
        st.session_state[key] = asked == "1"
    value = bool(st.toggle(label, key=key, help=hint))
    _write(key, "1" if value else "")
    return value


def slide(key: str, label: str, numbers: range, default: int) -> int:
    """Show a slider over whole numbers, and return what is chosen.

    Args:
        key: Its name in the address.
        label: What people read.
        numbers: What can be chosen; not empty.
        default: One of them.
    """
    asked = _asked(key)
    if asked is not None:
        wanted = int(asked) if asked.isascii() and asked.isdecimal() and len(asked) <= _DIGITS else None
        if asked and wanted not in numbers:
            _explain(key, asked, {f"{numbers[0]} to {numbers[-1]}": ""})
        st.session_state[key] = wanted if wanted in numbers else default
    elif st.session_state.get(key) not in numbers:
        st.session_state[key] = default
    if len(numbers) == 1:  # nothing to slide
        return numbers[0]
    value = int(st.slider(label, numbers[0], numbers[-1], key=key))
    _write(key, str(value) if value != default else "")
    return value


def set_choice(key: str, value: str) -> None:
    """Change a choice from elsewhere on the page, such as a click into a figure; the page then has to be run again."""
    st.query_params[key] = value


def forget(key: str) -> None:
    """Take a choice back to its default, before its selector is shown."""
    st.session_state.pop(key, None)
    _write(key, "")


def _asked(key: str) -> str | None:
    """Return what the address says, "" for the default, if it is not what was written there last, else `None`."""
    now = st.query_params.get(key, "")
    written = st.session_state.setdefault(_WRITTEN, {}).get(key, "")
    # Without a value in the session another page was open in between.
    return now if now != written or (now and key not in st.session_state) else None


def _write(key: str, value: str) -> None:
    st.session_state.setdefault(_WRITTEN, {})[key] = value
    if value:
        if st.query_params.get(key) != value:
            st.query_params[key] = value
    elif key in st.query_params:
        del st.query_params[key]


def _explain(key: str, asked: str, options: Mapping[str, str]) -> None:
    known = ", ".join(options) if len(options) <= 8 else f"{len(options)} choices"
    notice(f"The address asks for {key} = “{shown(asked, 40)}”, which is not among {known}. The default is shown.")
