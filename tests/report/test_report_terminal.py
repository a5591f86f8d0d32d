"""What the terminal shows."""

from __future__ import annotations

import io
import re

import pytest
from handmade import HOSTILE, case, completed, eventful, submission, unreadable_reference, vertebra
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
    """No line is broken in any table, also with three-digit n and pooled HD95, and no number is cut."""
    results = [
        case(
            f"case_{n}",
            vertebra("T12", 0.9, 1.0, hd95_pooled_mm=1.5),
            vertebra("L5", 0.5, 100.0, hd95_pooled_mm=100.0),
            source=("HNSCC-3DCT-RT", "COVID-19")[n % 2],
        )
        for n in range(120)
    ]
    score = completed("public", *results, pooled=True)
    lines = [" ".join(line.split()) for line in shown(score, width).splitlines()]
    of_matched = [" ".join(line.split()) for line in shown(score, width, variant="hd95-matched").splitlines()]

    assert "Mean of Vertebrae 2 0.700 50.50 Mean of Spine 120 0.900 2.00" in lines
    assert "Mean of Vertebrae 2 0.700 0.869 – 2 50.50 5.40 – 50.75" in lines
    assert "COVID-19 0.700 50.50 HNSCC-3DCT-RT 0.700 50.50 T12, L5" in lines
    assert "HD95 of matched 50.50 mm, pooled 50.75 mm (over 2 labels, n = 240)" in lines
    assert "Mean of Vertebrae 2 0.700 2 50.50 Mean of Spine 120 0.900 120 2.00" in of_matched
    assert not any("…" in line.replace("… without L6", "").replace("… -l 1 … 25", "") for line in lines)


def test_the_set_that_is_too_small_says_so():
    """The number of cases in the paper stands beside the number found, and there is no comparison."""
    text = shown(submission([case("a", vertebra("L1", 0.9, 1.0))], official("verse")))

    assert "41 cases expected, 1 found" in text
    assert "No comparison with the paper: 41 cases expected, 1 found." in text
    assert "Beside the published nnU-Net" not in text
    assert "To report" not in text


def test_a_complete_set_is_compared_and_says_what_to_report():
    """The comparison with the paper is there without being asked for, and the last line is what to report."""
    text = shown(completed("verse", case("a", vertebra("L1", 0.9, 1.0))))

    assert "Beside the published nnU-Net" in text
    assert "0.766" in text
    assert text.rstrip().split("\n\n")[-1].startswith("To report: Mean of Vertebrae DSC 0.900, HD95 1.00 mm")


def test_intervals_shifts_and_losses_are_told():
    """With ten cases the per-case mean has its interval; the label shift has a true minus."""
    results = [case(f"case_{n}", vertebra("L1", 0.5 + n / 40, 1.0)) for n in range(12)]
    text = shown(submission(results))

    lines = [" ".join(line.split()) for line in text.splitlines()]

    assert re.search(r"Per case +DSC 0\.638 \[0\.\d{3}, 0\.\d{3}\] +HD95 1\.00 \[1\.00, 1\.00\] mm", text)
    told = (
        "95 % intervals over cases; with 12 cases they cover 82 % per case and 81 % over all vertebrae in simulations"
    )
    assert told in " ".join(text.split())
    assert re.search(r"All vertebrae +DSC 0\.638 \[", text)
    assert "HD95 of matched 1.00 mm (over 1 labels, n = 12)" in lines
    assert "Levels every level right in 0.0% of cases" in lines
    assert "Identified 50.0% (strict, over cases), 100.0% by VerSe's rule (pooled over vertebrae)" in lines
    assert "Label shift −1: 12 cases (0 can hide that some levels are misnamed)" in lines
    assert "█ 0.362 boundary" in lines


def test_the_four_causes_have_textures_of_their_own():
    """Name, missed, outline and spurious: the bar has a character for each, as long as its part."""
    result = case("a", vertebra("L1", 0.5, 1.0), vertebra("L2", 0.0, None), vertebra("L3", None, None))
    bar, *parts = shown(submission([result])).partition("Lost DSC")[2].splitlines()[:5]

    assert bar.split("cause")[1].strip() == "░" * 16 + "█" * 8 + "▚" * 16
    assert [part.strip() for part in parts] == [
        "▓ 0.000 identification",
        "░ 0.333 missed",
        "█ 0.167 boundary",
        "▚ 0.333 spurious",
    ]


def test_sensitivity_is_shown_on_request():
    """Other policies for missed and spurious masks are one flag away."""
    score = eventful()

    assert "Sensitivity" not in shown(score)
    assert "image diagonal" in shown(score, sensitivity=True)


def test_without_aggregates_the_reasons_are_told():
    """A broken reference gives no table but its reason."""
    text = shown(unreadable_reference())

    assert "No aggregates" in text
    assert "E_CORRUPT: the reference is broken" in text
    assert "The paper's layout" not in text


def test_no_vertebra_at_all():
    """A case without vertebrae has dashes and no number that is none."""
    text = shown(submission([case("empty")]))

    assert "nan" not in text.lower().replace("naming", "")
    assert "Lost DSC  –" in text
