"""Finding the label maps of a folder."""

from __future__ import annotations

import os
from pathlib import Path
from unicodedata import normalize

import pytest

from ctspine_bench.cases import CaseFile, case_id_of, find_cases
from ctspine_bench.errors import CaseError, FileError


def touch(folder: Path, *names: str) -> None:
    """Make empty files, with their folders."""
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


@pytest.mark.parametrize(
    ("name", "case_id"),
    [
        ("liver_12.nii.gz", "liver_12"),
        ("liver_12_seg.nii.gz", "liver_12"),
        ("liver_12_seg.nii", "liver_12"),
        ("LIVER_12.NII.GZ", "LIVER_12"),
        ("1.3.6.1.4.1.9328.50.4.0001_seg.nii.gz", "1.3.6.1.4.1.9328.50.4.0001"),
        ("volume-covid19-A-0003_ct.nii.gz", "volume-covid19-A-0003_ct"),
        ("sub-verse004_seg-vert_msk.nii.gz", "sub-verse004_seg-vert_msk"),
        ("case_0000.nii.gz", "case_0000"),
        ("case_seg_seg.nii.gz", "case_seg"),
    ],
)
def test_case_id(name: str, case_id: str) -> None:
    """The suffix and one `_seg` go, everything else stays."""
    assert case_id_of(Path("somewhere") / name) == case_id
    assert case_id_of(name) == case_id


def test_flat_folder(tmp_path: Path) -> None:
    """Both ways to name a file are found, sorted by case id; other and hidden files are not."""
    touch(tmp_path, "liver_9.nii.gz", "liver_10_seg.nii.gz", "b.nii", "read.me", ".hidden.nii.gz", ".git/x.nii.gz")
    assert list(find_cases(tmp_path)) == ["b", "liver_10", "liver_9"]
    assert find_cases(tmp_path)["b"] == CaseFile("b", tmp_path / "b.nii", None)
    assert find_cases(str(tmp_path))["liver_9"].source == "MSD-T10"


def test_layout_of_the_data_set(tmp_path: Path) -> None:
    """`raw_data/labels/<SOURCE>/<case>_seg.nii.gz` is found from any folder of it, with its source."""
    name = "raw_data/labels/COLONOG/1.3.6.1.4.1.9328.50.4.0001_seg.nii.gz"
    touch(tmp_path, name, "raw_data/labels/HNSCC-3DCT-RT/odd_seg.nii.gz")
    for folder in (tmp_path, tmp_path / "raw_data", tmp_path / "raw_data" / "labels"):
        cases = find_cases(folder)
        assert {case_id: case.source for case_id, case in cases.items()} == {
            "1.3.6.1.4.1.9328.50.4.0001": "COLONOG",
            "odd": "HNSCC-3DCT-RT",
        }
        assert cases["1.3.6.1.4.1.9328.50.4.0001"].path == tmp_path / name


def test_source_of_unknown_folders(tmp_path: Path) -> None:
    """The name of the case counts before the name of an unknown folder."""
    touch(tmp_path, "mine/liver_1.nii.gz", "mine/patient.nii.gz", "top.nii.gz")
    assert [case.source for case in find_cases(tmp_path).values()] == ["MSD-T10", "mine", None]


def test_depth(tmp_path: Path) -> None:
    """Three folders down is found, four is not."""
    touch(tmp_path, "a/b/c/three.nii.gz", "a/b/c/d/four.nii.gz")
    assert list(find_cases(tmp_path)) == ["three"]


def test_folder_of_masks_is_one_case(tmp_path: Path) -> None:
    """A folder that holds vertebra masks is a case by its own name, with everything in it."""
    touch(tmp_path, "liver_1/vertebrae_L1.nii.gz", "liver_1/spleen.nii.gz", "liver_2/vertebrae_C1.nii.gz")
    assert list(find_cases(tmp_path).values()) == [
        CaseFile("liver_1", tmp_path / "liver_1", "MSD-T10"),
        CaseFile("liver_2", tmp_path / "liver_2", "MSD-T10"),
    ]
    assert list(find_cases(tmp_path / "liver_1")) == ["liver_1"]


def test_only_mask_names_make_a_mask_folder(tmp_path: Path) -> None:
    """A case whose name begins like a mask is a case; the names of masks can be given."""
    touch(tmp_path, "vertebrae_1.nii.gz", "vertebrae_L1_seg.nii.gz", "one/top.nii.gz", "one/bottom.nii.gz")
    assert list(find_cases(tmp_path)) == ["bottom", "top", "vertebrae_1", "vertebrae_L1"]
    assert list(find_cases(tmp_path, {"top"})) == ["one", "vertebrae_1", "vertebrae_L1"]


def test_segmentations(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Masks in `<case>/segmentations` belong to `<case>`, from whichever folder one looks."""
    touch(tmp_path, "mine/s0001/segmentations/vertebrae_L1.nii.gz", "mine/s0002/segmentations/vertebrae_C1.nii")
    masks = tmp_path / "mine/s0001/segmentations"
    assert find_cases(tmp_path)["s0001"] == CaseFile("s0001", masks, "mine")
    assert find_cases(tmp_path / "mine")["s0001"] == CaseFile("s0001", masks, None)
    assert list(find_cases(masks.parent).values()) == [CaseFile("s0001", masks, None)]
    assert list(find_cases(masks).values()) == [CaseFile("s0001", masks, None)]
    for place, folder in ((masks, "."), (masks.parent, "."), (masks.parent, "segmentations")):
        monkeypatch.chdir(place)
        assert list(find_cases(folder)) == ["s0001"]


def test_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`.` and `..` have the name and the source of the folder they stand for; the paths stay as they are."""
    touch(tmp_path, "case_7/vertebrae_L1.nii.gz", "case_7/sub/x", "COLONOG/odd.nii.gz", "other/odd.nii.gz")
    monkeypatch.chdir(tmp_path / "case_7")
    assert find_cases(".") == {"case_7": CaseFile("case_7", Path(), None)}
    monkeypatch.chdir(tmp_path / "case_7/sub")
    assert find_cases("..") == {"case_7": CaseFile("case_7", Path(".."), None)}
    monkeypatch.chdir(tmp_path / "COLONOG")
    assert find_cases(".") == {"odd": CaseFile("odd", Path("odd.nii.gz"), "COLONOG")}
    monkeypatch.chdir(tmp_path / "other")
    assert find_cases(".") == {"odd": CaseFile("odd", Path("odd.nii.gz"), None)}


def test_name_that_is_not_utf8(tmp_path: Path) -> None:
    """Each such file is a case of its own, with an id that can be written; its path still leads to it."""
    names = (b"liv\xff1.nii.gz", b"liv\xfe1.nii.gz", b"mas\xffks/vertebrae_L1.nii.gz", b"s\xffrc/good.nii.gz")
    try:
        touch(tmp_path, *map(os.fsdecode, names))
    except OSError:
        pytest.skip("this file system takes UTF-8 names alone")
    cases = find_cases(tmp_path)
    assert list(cases) == ["good", r"liv\udcfe1", r"liv\udcff1", r"mas\udcffks"]
    assert cases["good"].source == r"s\udcffrc"
    assert all(case.path.exists() for case in cases.values())
    touch(tmp_path, os.fsdecode(b"a\xff/good.nii.gz"))
    with pytest.raises(CaseError) as caught:
        find_cases(tmp_path)["good"].check()
    assert r"s\udcffrc" in caught.value.found


def test_accents(tmp_path: Path) -> None:
    """An accent is the same whether it is one character or two."""
    composed, decomposed = (normalize(form, "müller") for form in ("NFC", "NFD"))
    assert composed != decomposed
    assert case_id_of(f"{decomposed}_seg.nii.gz") == case_id_of(f"{composed}.nii.gz") == composed
    touch(tmp_path, f"{decomposed}/vertebrae_L1.nii.gz")
    assert list(find_cases(tmp_path)) == [composed]


def test_links(tmp_path: Path) -> None:
    """Links that lead back, or twice to one file, double nothing; a link with another name is another case."""
    touch(tmp_path, "run/x.nii.gz", "one/segmentations/vertebrae_L1.nii.gz")
    for link, target in (("back", "."), ("again", "run"), ("run/up", ".."), ("one/here", "."), ("self", "self")):
        (tmp_path / link).symlink_to(target)
    (tmp_path / "x_seg.nii.gz").symlink_to("run/x.nii.gz")
    (tmp_path / "y.nii.gz").symlink_to("run/x.nii.gz")
    (tmp_path / "dangling.nii.gz").symlink_to("nowhere")
    cases = find_cases(tmp_path)
    assert list(cases) == ["one", "x", "y"]
    assert [case.rival for case in cases.values()] == [None, None, None]


def test_images_beside_labels(tmp_path: Path) -> None:
    """A case with an image and a label map in one tree is doubled; the advice is to give the labels alone."""
    touch(tmp_path, "volumes/MSD-T10/liver_1.nii.gz", "labels/MSD-T10/liver_1_seg.nii.gz")
    with pytest.raises(CaseError) as caught:
        find_cases(tmp_path)["liver_1"].check()
    assert caught.value.code == "E_DUPLICATE_CASE"
    assert caught.value.path == str(tmp_path / "labels/MSD-T10/liver_1_seg.nii.gz")
    assert str(tmp_path / "volumes/MSD-T10/liver_1.nii.gz") in caught.value.found
    assert "give the folder that holds the labels alone" in caught.value.advice


def test_same_case_twice(tmp_path: Path) -> None:
    """The same case in two folders, or compressed and not, is doubled."""
    touch(tmp_path / "one", "a/x.nii.gz", "b/x.nii.gz")
    touch(tmp_path / "two", "x.nii.gz", "x.nii")
    for folder in (tmp_path / "one", tmp_path / "two"):
        with pytest.raises(CaseError, match=r"E_DUPLICATE_CASE.*case x.*Keep one"):
            find_cases(folder)["x"].check()


def test_nothing_there(tmp_path: Path) -> None:
    """An empty folder, a missing one and a file are told apart."""
    touch(tmp_path, "case.mha")
    with pytest.raises(CaseError, match=r"E_NO_CASES.*1 other files"):
        find_cases(tmp_path)
    with pytest.raises(FileError, match=r"E_NOT_FOUND.*nothing there"):
        find_cases(tmp_path / "missing")
    with pytest.raises(FileError, match=r"E_NOT_FOUND.*a file"):
        find_cases(tmp_path / "case.mha")


@pytest.mark.parametrize("blocked", [".", "sub"])
def test_unreadable_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, blocked: str) -> None:
    """A folder that cannot be listed is named, whether it is the one given or one below."""
    touch(tmp_path, "a.nii.gz", "sub/b.nii.gz")
    iterdir = Path.iterdir

    def guarded(folder: Path) -> object:
        if folder == tmp_path / blocked:
            raise PermissionError(13, "Permission denied")
        return iterdir(folder)

    monkeypatch.setattr(Path, "iterdir", guarded)
    with pytest.raises(FileError, match=r"E_NOT_FOUND.*a readable folder.*Permission denied") as caught:
        find_cases(tmp_path)
    assert caught.value.path == str(tmp_path / blocked)
