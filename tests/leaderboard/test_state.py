"""The state of a page in its address: read, written, left out at the default, refused in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from streamlit.testing.v1 import AppTest

if TYPE_CHECKING:
    import pytest


def _page() -> None:
    import streamlit as st

    from ctspine_leaderboard import frame, state

    frame.heading("Page")
    metric = state.choose("metric", "Metric", {"dsc": "DSC", "hd95_mm": "HD95"}, "dsc")
    chosen = state.choose_several("ids", "Submissions", {name: name.upper() for name in "abcd"}, ["a", "b"], most=3)
    on = state.switch("errata", "Without")
    st.text(f"{metric} {' '.join(chosen)} {on}")


def opened(**query: str) -> AppTest:
    app = AppTest.from_function(_page)
    for key, value in query.items():
        app.query_params[key] = value
    app.run()
    assert not app.exception
    return app


def address(app: AppTest) -> dict[str, str]:
    return {key: value[0] if isinstance(value, list) else value for key, value in dict(app.query_params).items()}


def notices(app: AppTest) -> list[str]:
    return [block.value for block in app.get("html") if 'class="cb-notice"' in block.value]


def test_the_default_state_has_an_empty_address() -> None:
    """What is not chosen is not written down."""
    app = opened()
    assert app.text[0].value == "dsc a b False"
    assert address(app) == {}
    assert notices(app) == []


def test_an_address_opens_the_state_that_it_names() -> None:
    """A link leads to what its sender saw."""
    app = opened(metric="hd95_mm", ids="c,a", errata="1")
    assert app.text[0].value == "hd95_mm c a True"
    assert address(app) == {"metric": "hd95_mm", "ids": "c,a", "errata": "1"}


def test_a_choice_is_written_into_the_address_and_its_default_is_taken_out() -> None:
    """Choosing changes the address; going back to the default clears it."""
    app = opened()
    app.selectbox[0].set_value("hd95_mm").run()
    app.multiselect[0].set_value(["d"]).run()
    app.toggle[0].set_value(True).run()
    assert address(app) == {"metric": "hd95_mm", "ids": "d", "errata": "1"}
    app.selectbox[0].set_value("dsc").run()
    app.multiselect[0].set_value(["a", "b"]).run()
    app.toggle[0].set_value(False).run()
    assert address(app) == {}
    assert app.text[0].value == "dsc a b False"


def test_a_changed_address_wins_over_what_was_chosen() -> None:
    """Going back in the browser goes back on the page."""
    app = opened()
    app.selectbox[0].set_value("hd95_mm").run()
    del app.query_params["metric"]
    app.run()
    assert app.text[0].value == "dsc a b False"
    assert notices(app) == []


def test_what_is_not_among_the_options_is_answered_in_words() -> None:
    """A value that means nothing gives the default and a message that shows it as text."""
    app = opened(metric="<script>", ids="a,zz", errata="maybe")
    assert app.text[0].value == "dsc a False"
    assert [text.partition("for ")[2].partition(" =")[0] for text in notices(app)] == ["metric", "ids", "errata"]
    assert "&lt;script&gt;" in notices(app)[0]
    assert "<script>" not in "".join(notices(app))
    assert address(app) == {"ids": "a"}


def test_more_than_fit_are_cut_to_what_fits() -> None:
    """A link with more submissions than the page can tell apart shows the first of them."""
    assert opened(ids="a,b,c,d").text[0].value == "dsc a b c False"


def test_none_chosen_is_a_state_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Taking all away shows none, and the address does not bring the default back."""
    app = opened()
    app.multiselect[0].set_value([]).run()
    app.run()
    assert app.text[0].value == "dsc  False"


def _planes() -> None:
    import streamlit as st

    from ctspine_leaderboard import frame, state

    frame.heading("Page")
    numbers = {"thick": range(1, 13), "thin": range(1, 35)}
    kind = state.choose("view", "View", {name: name for name in numbers}, "thick")
    if st.session_state.setdefault("last", kind) != kind:
        state.forget("slice")
        st.session_state["last"] = kind
    st.text(str(state.slide("slice", "Slice", numbers[kind], len(numbers[kind]) // 2)))


def test_what_is_forgotten_is_at_its_default_on_other_numbers() -> None:
    """A slider over other numbers starts in their middle, whether or not it was moved before."""
    app = AppTest.from_function(_planes).run()
    assert app.text[0].value == "6"
    app.selectbox[0].set_value("thin").run()
    assert (app.text[0].value, address(app)) == ("17", {"view": "thin"})
    app.slider[0].set_value(20).run()
    assert app.text[0].value == "20"
    app.selectbox[0].set_value("thick").run()
    assert (app.text[0].value, address(app)) == ("6", {})
