"""What the reference check finds, on spines of boxes and on real files."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from niftis import SHARED, nifti_bytes, write

from ctspine_bench.anatomy import vertebra_label
from ctspine_bench.cases import find_cases
from ctspine_bench.errors import FileError, InputError, LabelError
from ctspine_bench.records import Grid, LabelVolume
from ctspine_bench.reference_check import Finding, check_reference, check_references
from ctspine_bench.volumes import read_labels

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


def spine(*names: str, step: int = 10) -> NDArray[np.uint8]:
    """Boxes of 10×10×7 voxels, one above the other from the last name up, with gaps of 3 and a margin."""
    labels = np.zeros((30, 30, 10 + step * len(names)), np.uint8)
    for i, name in enumerate(reversed(names)):
        labels[10:20, 10:20, 5 + step * i : 12 + step * i] = vertebra_label(name)
    return labels


def check(
    labels: NDArray[np.uint8], *, spacing: tuple[float, float, float] = (1, 1, 1), case_id: str | None = None
) -> list[tuple[str, str | None, str]]:
    """The findings as kind, vertebra and severity."""
    x, y, z = labels.shape
    volume = LabelVolume(labels, Grid((x, y, z), np.diag([*spacing, 1.0])), (), "memory", "")
    return [(finding.kind, finding.vertebra, finding.severity) for finding in check_reference(volume, case_id)]


def messages(labels: NDArray[np.uint8]) -> str:
    """All messages."""
    x, y, z = labels.shape
    volume = LabelVolume(labels, Grid((x, y, z), np.eye(4)), (), "memory", "")
    return "\n".join(finding.message for finding in check_reference(volume))


def test_good_reference() -> None:
    """Continuous, ordered and compact labels give no finding."""
    assert check(spine("T10", "T11", "T12", "L1", "L2", "L3", "L4", "L5")) == []


def test_nothing_labelled() -> None:
    """An empty reference is an error."""
    assert check(np.zeros((5, 5, 5), np.uint8)) == [("empty", None, "error")]


def test_gap() -> None:
    """A missing label between two present ones is an error that names it: the kind of case 0730."""
    assert check(spine("L1", "L2", "L4", "L5")) == [("gap", "L3", "error")]
    assert "label 22 (L3) is missing between L2 and L4" in messages(spine("L1", "L2", "L4", "L5"))
    assert check(spine("T11", "L3")) == [("gap", name, "error") for name in ("T12", "L1", "L2")]


def test_eleven_thoracic_vertebrae() -> None:
    """T12 alone missing is a variant of the anatomy: a warning."""
    assert check(spine("T10", "T11", "L1", "L2")) == [("gap", "T12", "warning")]


def test_disorder() -> None:
    """Two labels in the wrong order are an error that names the one that is too high."""
    assert check(spine("L1", "L3", "L2", "L4")) == [("disorder", "L3", "error")]


def test_upside_down() -> None:
    """Labels that all ascend are one finding, not one for each."""
    assert check(spine("L4", "L3", "L2", "L1")) == [("disorder", None, "error")]


def test_jump() -> None:
    """A pair more than 1.5 times as far apart as those around it is a warning; 1.5 times is not."""
    names = ("T9", "T10", "T11", "T12", "L1", "L2")
    for extra, expected in ((5, []), (6, [("distance", "L1", "warning")])):
        labels = spine(*names)
        labels = np.insert(labels, [24] * extra, 0, axis=2)
        assert check(labels) == expected


@pytest.mark.skipif(not SHARED.is_dir(), reason="the real files of ../shared/data are not at hand")
@pytest.mark.parametrize("level", ["T11", "T12", "L1", "L2", "L3"])
def test_skipped_level_of_a_real_spine(level: str) -> None:
    """One vertebra without a label and the rest renamed, on a VerSe mask: where it is missing is found, and no more."""
    volume = read_labels(SHARED / "verse004" / "sub-verse004_seg-vert_msk.nii.gz")
    assert [each for each in check_reference(volume) if each.kind == "distance"] == []
    labels, skipped = volume.labels.copy(), vertebra_label(level)
    labels[labels == skipped] = 0
    labels[labels > skipped] -= 1
    found = [each for each in check_reference(replace(volume, labels=labels)) if each.kind == "distance"]
    assert [(each.vertebra, each.severity) for each in found] == [(level, "warning")]
    assert "a level may have been skipped" in found[0].message


def test_island() -> None:
    """Stray voxels are counted, with their volume and the distance of the largest part from the rest."""
    labels = spine("L1", "L2", "L3")
    labels[25:27, 15, 7] = labels[28, 28, 28] = vertebra_label("L3")
    assert check(labels) == [("islands", "L3", "info")]
    assert "L3 has stray parts: 2, 0.003 mL in all; the largest is 6.0 mm from the rest" in messages(labels)


def test_diagonal_voxels_are_connected() -> None:
    """A voxel that touches at a corner is no island (26-connectivity)."""
    labels = spine("L1", "L2", "L3")
    labels[20, 20, 12] = vertebra_label("L3")
    assert check(labels) == []


def test_far_strays() -> None:
    """Strays across a large volume are found without numbering all of it."""
    labels = np.zeros((200, 200, 200), np.uint8)
    labels[90:110, 90:110, 90:110] = 20
    labels[0, 0, 1] = labels[199, 199, 198] = labels[0, 199, 100] = 20
    assert check(labels) == [("islands", "L1", "info")]
    assert "3, 0.003 mL" in messages(labels)


def test_split() -> None:
    """A second part of at least a fifth is an error."""
    labels = spine("L1", "L2", "L3")
    labels[14, 10:20, 5:12] = 0
    assert check(labels) == [("split", "L3", "error")]


def test_top_slices_with_the_label_of_the_neighbour() -> None:
    """A slab of one vertebra with the label above it is named with what it adjoins: the kind of case 0482."""
    labels = spine("T7", "T8", "T9")
    labels[10:20, 10:20, 21:22] = vertebra_label("T7")
    found = check(labels)
    assert ("islands", "T7", "warning") in found
    assert "adjoining T8" in messages(labels)


def test_slab_without_a_vertebra_of_its_own() -> None:
    """Also when the wrong label is nowhere else: the two lie upon each other without a disc."""
    labels = spine("T8", "T9")[:, :, :22]
    labels[:, :, 20:][labels[:, :, 20:] > 0] = vertebra_label("T7")
    assert check(labels) == [("contact", "T7", "warning"), ("cut", "T7", "info")]
    assert "over 100%" in messages(labels)


def test_facet_joints_may_touch() -> None:
    """A contact over a small part of the cross-section is anatomy."""
    labels = spine("L1", "L2")
    labels[10:13, 10:20, 12:15] = vertebra_label("L2")
    assert check(labels) == []


def test_cut_by_the_field_of_view() -> None:
    """Vertebrae at the first and last slice along the spine are reported, not those at the sides."""
    labels = spine("L1", "L2", "L3")[10:, :, 8:30]
    assert check(labels) == [("cut", "L1", "info"), ("cut", "L3", "info")]


@pytest.mark.parametrize(
    ("spacing", "n_findings"),
    [((1, 1, 5), 0), ((1, 1, 5.1), 1), ((1, 1, 0.29), 1), ((1, 1.009, 1), 0), ((1, 1.02, 1), 1)],
)
def test_odd_spacing(spacing: tuple[float, float, float], n_findings: int) -> None:
    """Slices thinner than 0.3 or thicker than 5 mm, and voxels that are not square, are warnings."""
    assert check(spine("L1", "L2"), spacing=spacing) == [("spacing", None, "warning")] * n_findings


def test_erratum() -> None:
    """A case with a known error says so, with where it was reported."""
    case_id = "1.3.6.1.4.1.9328.50.4.0730"
    assert check(spine("L1", "L2"), case_id=case_id) == [("erratum", None, "warning")]
    assert check(spine("L1", "L2"), case_id="liver_1") == []


def test_axis_order_in_memory_does_not_matter() -> None:
    """A view of labels stored in another axis order has the same findings."""
    labels = spine("L1", "L2", "L4")
    labels[25, 25, 25] = vertebra_label("L1")
    stored = np.ascontiguousarray(labels.transpose(2, 0, 1)[::-1])
    assert check(stored[::-1].transpose(1, 2, 0)) == check(labels) != []


def test_folder(tmp_path: Path) -> None:
    """Every reference of a folder is checked; one that cannot be read comes with its error and the others go on."""
    write(tmp_path / "a_seg.nii.gz", nifti_bytes(spine("L1", "L3"), np.diag([1.0, 1, 1, 1])))
    write(tmp_path / "b.nii.gz", nifti_bytes(np.full((4, 4, 4), 99, np.uint8)))
    write(tmp_path / "c.nii", b"")
    checked = list(check_references(find_cases(tmp_path).values()))
    assert [case.case_id for case, _, _ in checked] == ["a", "b", "c"]
    assert [finding.kind for finding in checked[0][2]] == ["gap"]
    assert isinstance(checked[1][1], LabelError)
    assert isinstance(checked[2][1], FileError)
    for _, error, findings in checked[1:]:
        assert isinstance(error, InputError)
        assert findings == (Finding("unreadable", None, str(error), "error"),)


@pytest.mark.skipif(not SHARED.is_dir(), reason="the real files of ../shared/data are not at hand")
def test_real_references_have_no_errors() -> None:
    """The VerSe mask and TotalSegmentator's output are orderly; their oddities are noted."""
    verse = check_reference(read_labels(SHARED / "verse004" / "sub-verse004_seg-vert_msk.nii.gz"))
    assert {finding.kind for finding in verse} == {"spacing", "note"}
    pair = SHARED / "totalsegmentator_pair" / "example_seg.nii.gz"
    assert {finding.severity for finding in check_reference(read_labels(pair, "totalsegmentator"))} == {"info"}
