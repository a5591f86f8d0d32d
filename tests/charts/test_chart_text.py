"""Text in figures: it fits, it is no markup, and numbers keep their sign and unit."""

from __future__ import annotations

import pytest
from drawn_figures import HOSTILE_NAMES
from hypothesis import given
from hypothesis import strategies as st

from ctspine_bench.charts.text import counted, direction, short, signed, text_width, titled, told, wrapped
from ctspine_bench.rankings.paired import METRICS

DSC, HD95 = METRICS["dsc"], METRICS["hd95_mm"]


@pytest.mark.parametrize(
    ("name", "length", "shown"),
    [
        ("nnU-Net", 24, "nnU-Net"),
        ("a & b <c>", 24, "a &amp; b &lt;c&gt;"),
        ("abcdefgh", 5, "abcd…"),
        ("abc defgh", 5, "abc…"),
        ("", 5, ""),
    ],
)
def test_a_short_name_is_cut_before_it_is_escaped(name, length, shown):
    """What is too long ends in an ellipsis; no entity is cut in two, and no blank stands before the ellipsis."""
    assert short(name, length) == shown


def test_wide_characters_take_the_room_they_need():
    """Capitals and Chinese characters are cut earlier than lower case, marks that take no room are free."""
    assert text_width("WWWW") > text_width("aaaa") > text_width("iiii")
    assert text_width("椎骨") == pytest.approx(3.6)
    assert text_width("e\u0301") == text_width("e") == 1.0
    assert len(short("W" * 40, 17)) < len(short("a" * 40, 17)) == 17


@given(st.text(max_size=60), st.integers(3, 30))
def test_no_name_is_wider_than_asked_for(name, length):
    """Whatever the characters, what is shown fits, and has no angle bracket of a tag."""
    cut = short(name, length)

    assert "<" not in cut
    if text_width(name) > length:
        assert cut.endswith("…")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("short", "short"),
        ("<b>A & B", "&lt;b&gt;A &amp; B"),
        ("boundary-noise-mild", "boundary-noise-<br>mild"),
        ("Université de Montréal – Verse-Net", "Université de<br>Montréal – Vers…"),
        ("a" * 40, f"{'a' * 15}<br>{'a' * 14}…"),
        ("<i>x</i> " * 9, "&lt;i&gt;x&lt;/i&gt;<br>&lt;i&gt;x&lt;/i&gt; &lt;i&gt;x…"),
    ],
)
def test_a_wrapped_name_has_two_lines_at_most(name, shown):
    """It breaks where words end, or where it has to, and each line is as long as allowed."""
    assert wrapped(name, 15) == shown


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_a_wrapped_name_brings_no_markup_of_its_own(name):
    """The only tag is the break between its lines."""
    first, *rest = wrapped(name, 15).split("<br>")

    assert len(rest) <= 1
    assert all("<" not in line and ">" not in line for line in (first, *rest))


def test_values_have_their_digits_and_unit():
    """DSC has three digits, HD95 two and millimetres."""
    assert told(0.91249, DSC) == "0.912"
    assert told(3.0, HD95) == "3.00 mm"


@pytest.mark.parametrize(
    ("value", "shown"), [(0.0204, "+0.020"), (-0.0204, "−0.020"), (0.0, "0.000"), (-0.0001, "0.000")]
)
def test_differences_have_a_sign_unless_they_are_nothing(value, shown):
    """The minus is a minus and no hyphen, and what rounds to zero is neither more nor less."""
    assert signed(value, DSC) == shown


def test_titles_say_what_and_in_which_unit():
    """The unit stands at the end, whatever is said around the metric."""
    assert titled(DSC) == "DSC"
    assert titled(HD95, "mean {} of both") == "mean HD95 of both, mm"
    assert direction(larger_is_better=DSC.larger_is_better) == "higher is better"
    assert direction(larger_is_better=HD95.larger_is_better) == "lower is better"
    assert [counted(n) for n in (0, 1, 2)] == ["0 cases", "1 case", "2 cases"]
