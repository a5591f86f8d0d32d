"""The official split, sources and known errata."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from niftis import SHARED

from ctspine_bench.cases import CaseFile
from ctspine_bench.errors import CaseError, UsageError
from ctspine_bench.pairing import select
from ctspine_bench.testsets import OFFICIAL, SOURCES, custom, known_errata, official, source_of, training_cases

SPLIT = SHARED / "official" / "data_split.txt"


def test_official_sets() -> None:
    """197 public, 198 private and 41 VerSe cases; the VerSe list is not published."""
    sets = {name: official(name) for name in OFFICIAL}
    assert {name: test_set.expected_count for name, test_set in sets.items()} == {
        "public": 197,
        "private": 198,
        "verse": 41,
    }
    assert [len(sets[name].cases or ()) for name in OFFICIAL] == [197, 198, 0]
    assert sets["verse"].cases is None
    assert "not published" in sets["verse"].note


def test_no_case_is_in_two_sets() -> None:
    """Training, public and private make 1005 different cases."""
    cases = [*training_cases(), *(official("public").cases or ()), *(official("private").cases or ())]
    assert (len(training_cases()), len(cases), len(set(cases))) == (610, 1005, 1005)


@pytest.mark.skipif(not SPLIT.is_file(), reason="the official split file of ../shared/data is not at hand")
def test_lists_are_those_of_the_split_file() -> None:
    """Every case of the manifests is in the official split file, and no other."""
    words = SPLIT.read_text().split()
    listed = {word.removesuffix(".gz").removesuffix(".nii").removesuffix("_seg") for word in words}
    cases = {*training_cases(), *(official("public").cases or ()), *(official("private").cases or ())}
    assert cases <= listed
    assert len([word for word in words if ".nii" in word]) == len(cases)


def test_sources_of_the_split() -> None:
    """Per source: COLONOG 480/152/152, HNSCC 20/5/6, MSD 90/30/30, COVID 20/10/10 (train/public/private)."""
    sets = (training_cases(), official("public").cases or (), official("private").cases or ())
    counts = [Counter(map(source_of, cases)) for cases in sets]
    assert {source: tuple(count[source] for count in counts) for source in SOURCES} == {
        "COLONOG": (480, 152, 152),
        "HNSCC-3DCT-RT": (20, 5, 6),
        "MSD-T10": (90, 30, 30),
        "COVID-19": (20, 10, 10),
        "VerSe": (0, 0, 0),
    }


@pytest.mark.parametrize(
    ("case_id", "source"),
    [
        ("verse004", "VerSe"),
        ("sub-verse511_dir-sag", "VerSe"),
        ("sub-gl003_dir-ax", "VerSe"),
        ("CTC-1", "COLONOG"),
        ("1x3.6.1.4.1.9328", None),
        ("my-liver_1", None),
        ("versed", None),
        ("", None),
    ],
)
def test_source_of(case_id: str, source: str | None) -> None:
    """The source follows from how an id begins."""
    assert source_of(case_id) == source


def test_unknown_test_set() -> None:
    """An unknown name leads to the known ones."""
    with pytest.raises(UsageError, match="public, private, verse, found 'train'"):
        official("train")


def references(*case_ids: str) -> dict[str, CaseFile]:
    """References that are nowhere on disk."""
    return {case_id: CaseFile(case_id, Path(f"{case_id}.nii.gz"), None) for case_id in case_ids}


def test_select_from_the_whole_data_set() -> None:
    """With all 1005 references at hand a test set takes its own."""
    public = official("public").cases or ()
    every = references(*training_cases(), *public, *(official("private").cases or ()))
    assert tuple(select(official("public"), every)) == public


def test_select_with_missing_references() -> None:
    """Absent references are counted, the first five named."""
    public = official("public").cases or ()
    with pytest.raises(CaseError) as caught:
        select(official("public"), references(*public[6:]))
    assert caught.value.code == "E_MISSING_REFERENCE"
    assert caught.value.found == f"6 cases without one: {', '.join(public[:5])}, …"


@pytest.mark.parametrize("test_set", [official("verse"), custom(), custom("clinic")])
def test_select_without_a_list(test_set: object) -> None:
    """A set without a list takes whatever references there are."""
    found = references("b", "a")
    assert select(test_set, found) == found  # type: ignore[arg-type]


def test_known_errata() -> None:
    """The five reported references: 0730 is in the public test set, the others are for training."""
    ids = [f"1.3.6.1.4.1.9328.50.4.{number}" for number in ("0103", "0291", "0730", "0482", "0500")]
    errata = [known_errata(case_id) for case_id in ids]
    assert [[erratum.labels for erratum in entry] for entry in errata] == [
        [()],
        [(22,)],
        [(22,)],
        [(14, 15)],
        [(14, 15)],
    ]
    assert [case_id in (official("public").cases or ()) for case_id in ids] == [False, False, True, False, False]
    assert [case_id in training_cases() for case_id in ids] == [True, True, False, True, True]
    assert known_errata("liver_1") == ()
