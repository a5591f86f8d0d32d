"""What the terminal shows."""

from __future__ import annotations

import io

import pytest
from handmade import HOSTILE, case, eventful, submission, unreadable_reference, vertebra
from rich.console import Console

from ctspine_bench.report.terminal import render
from ctspine_bench.testsets import official


def shown(score, width: int = 100, **options) -> str:
    console = Console(file=io.StringIO(), width=width)
    console.print(render(score, **options))
    return console.file.getvalue()


def test_everything_that_went_wrong_is_listed():
    """Failed, missed, spurious and ignored are named, and strangers' names stand there as they are."""
    text = shown(eventful(), 200)

    assert f"{HOSTILE}  E_TRUNCATED: {HOSTILE}" in text
    assert "liver_1  missed L2 · spurious L6 · spurious at the border C1" in text
    assert f"no case of this test set: {HOSTILE}" in text
    assert "Incomplete: 1 case failed" in text


@pytest.mark.parametrize("width", [80, 120])
def test_the_tables_fit(width):
    """No line is broken in the official table, also with three-digit n, and no number is cut."""
    results = [case(f"case_{n}", vertebra("T12", 0.9, 1.0), vertebra("L5", 0.5, 100.0)) for n in range(120)]
    text = shown(submission(results, official("public")), width)

    means = [" ".join(line.split()) for line in text.splitlines() if line.startswith("Mean of Vertebrae ")]
    assert means[0] == "Mean of Vertebrae 2 0.700 50.50 Mean of Spine 120 0.900 2.00"
    assert "…" not in text.replace("… without L6", "")


def test_the_set_that_is_too_small_says_so():
    """The number of cases in the paper stands beside the number found."""
    text = shown(submission([case("a", vertebra("L1", 0.9, 1.0))], official("verse")))

    assert "41 cases expected, 1 found" in text
    assert "inferred rule" in text
    assert "0.766" in text


def test_intervals_shifts_and_losses_are_told():
    """With ten cases the per-case mean has its interval; the label shift has a true minus."""
    results = [case(f"case_{n}", vertebra("L1", 0.5 + n / 40, 1.0)) for n in range(12)]
    text = shown(submission(results))

    assert "(95 % intervals)" in text
    assert "−1: 12 cases" in text
    assert "identification rate 50.0%, localisation 1.50 mm" in text
    assert "0.362 boundary" in text


def test_sensitivity_is_shown_on_request():
    """Other policies for missed vertebrae are one flag away."""
    score = eventful()

    assert "Sensitivity" not in shown(score)
    assert "image diagonal" in shown(score, sensitivity=True)


def test_without_aggregates_the_reasons_are_told():
    """A broken reference gives no table but its reason."""
    text = shown(unreadable_reference())

    assert "No aggregates" in text
    assert "E_CORRUPT: the reference is broken" in text
    assert "Official table" not in text


def test_no_vertebra_at_all():
    """A case without vertebrae has dashes and no number that is none."""
    text = shown(submission([case("empty")]))

    assert "nan" not in text.lower().replace("naming", "")
    assert "Lost DSC  –" in text
