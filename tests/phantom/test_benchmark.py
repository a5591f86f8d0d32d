"""Phantom benchmarks on disk."""

from __future__ import annotations

import gzip
import hashlib
import json
import shutil
import time

import nibabel
import numpy as np
import pytest

from ctspine_bench.anatomy import VERTEBRAE
from ctspine_bench.errors import UsageError
from ctspine_bench.phantom import VERSE, make_benchmark, make_case
from ctspine_bench.phantom.benchmark import _write_case, plan
from ctspine_bench.phantom.seeds import generator_for
from ctspine_bench.workers import in_parallel

SETTINGS = {"seed": 0, "size": "small", "transitional_factor": 1.0, "with_images": False}


def digests(folder):
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_layout(benchmark_folder):
    """Label maps lie in `<set>/labels/<SOURCE>/<case>_seg.nii.gz`, with case ids that are distinct over the sets."""
    assert list(digests(benchmark_folder)) == [
        "phantom.json",
        "private/labels/COLONOG/phantom-colonog-501_seg.nii.gz",
        "private/labels/COVID-19/phantom-covid-501_seg.nii.gz",
        "private/labels/HNSCC-3DCT-RT/phantom-hnscc-501_seg.nii.gz",
        "private/labels/MSD-T10/phantom-msd-501_seg.nii.gz",
        "public/labels/COLONOG/phantom-colonog-001_seg.nii.gz",
        "public/labels/COVID-19/phantom-covid-001_seg.nii.gz",
        "public/labels/HNSCC-3DCT-RT/phantom-hnscc-001_seg.nii.gz",
        "public/labels/MSD-T10/phantom-msd-001_seg.nii.gz",
        "verse/labels/VerSe/phantom-verse-001_seg.nii.gz",
        "verse/labels/VerSe/phantom-verse-002_seg.nii.gz",
    ]


def test_description_says_what_is_in_the_files(benchmark_folder):
    """`phantom.json` lists every case with the levels that its file holds."""
    description = json.loads((benchmark_folder / "phantom.json").read_text())
    assert description["seed"] == 0
    assert len(description["cases"]) == 10
    for case_id, case in description["cases"].items():
        path = benchmark_folder / case["test_set"] / "labels" / case["source"] / f"{case_id}_seg.nii.gz"
        labels = np.asarray(nibabel.load(path).dataobj)
        assert [VERTEBRAE[label - 1] for label in np.unique(labels)[1:]] == case["levels"]
        assert list(labels.shape) == case["shape"]


def test_every_test_set_has_both_variants(benchmark_folder):
    """By construction there is an L6 and a missing L5 in each test set, the latter with room below."""
    cases = json.loads((benchmark_folder / "phantom.json").read_text())["cases"].values()
    for test_set in ("public", "private", "verse"):
        lowest = {case["n_lumbar"]: case["levels"][-1] for case in cases if case["test_set"] == test_set}
        assert lowest[6] == "L6"
        assert lowest[4] == "L4"


def test_files_hold_what_was_made(benchmark_folder):
    """Labels, data type and grid survive the way to disk."""
    rng = generator_for(0, "phantom-verse-002")
    made = make_case(VERSE.draw_spec(rng, n_lumbar=4), rng)
    read = nibabel.load(benchmark_folder / "verse/labels/VerSe/phantom-verse-002_seg.nii.gz")
    np.testing.assert_array_equal(np.asarray(read.dataobj), made.labels)
    np.testing.assert_allclose(read.affine, made.grid.affine, atol=1e-3)
    assert read.get_data_dtype() == np.uint8
    assert nibabel.aff2axcodes(read.affine) == ("R", "A", "S")
    assert int(read.header["sform_code"]) == int(read.header["qform_code"]) == 1


def test_a_case_does_not_depend_on_the_others_or_the_workers(benchmark_folder, tmp_path):
    """Written alone, as part of a larger benchmark, a case has the bytes that two workers gave it among the others."""
    alone = {"phantom-covid-001", "phantom-msd-501", "phantom-verse-002"}
    for case in plan(2, 3):
        if case.case_id in alone:
            _write_case(case, tmp_path, SETTINGS)
    written, together = digests(tmp_path), digests(benchmark_folder)
    assert len(written) == len(alone)
    assert written == {name: together[name] for name in written}


def test_another_seed_gives_other_cases():
    """The seed reaches the anatomy."""
    made = [
        make_case(VERSE.draw_spec(rng), rng) for rng in (generator_for(seed, "phantom-verse-001") for seed in (0, 1))
    ]
    assert made[0].labels.shape != made[1].labels.shape or (made[0].labels != made[1].labels).any()


def test_images_are_written_beside_the_labels(tmp_path):
    """With images, a label map has a CT image on the same grid in the folder of its source."""
    (case,) = (case for case in plan(1, 2) if case.case_id == "phantom-hnscc-501")
    _write_case(case, tmp_path, SETTINGS | {"with_images": True})
    image = nibabel.load(tmp_path / "private/volumes/HNSCC-3DCT-RT/phantom-hnscc-501.nii.gz")
    labels = nibabel.load(tmp_path / "private/labels/HNSCC-3DCT-RT/phantom-hnscc-501_seg.nii.gz")
    assert image.get_data_dtype() == np.int16
    assert image.shape == labels.shape
    np.testing.assert_array_equal(image.affine, labels.affine)
    assert np.asarray(image.dataobj)[np.asarray(labels.dataobj) > 0].mean() > 150


def test_goes_on_where_it_was(benchmark_folder, tmp_path):
    """A repeated call makes what is missing, leaves the rest alone, and reports every case."""
    folder = shutil.copytree(benchmark_folder, tmp_path / "copy")
    before = digests(folder)
    lost = folder / "public/labels/MSD-T10/phantom-msd-001_seg.nii.gz"
    kept = folder / "public/labels/COVID-19/phantom-covid-001_seg.nii.gz"
    lost.unlink()
    kept.write_bytes(b"not made again")
    seen = []
    make_benchmark(folder, cases_per_source=1, verse_cases=2, progress=seen.append)
    assert sorted(seen) == sorted(case.case_id for case in plan(1, 2))
    assert digests(folder)[str(lost.relative_to(folder))] == before[str(lost.relative_to(folder))]
    assert kept.read_bytes() == b"not made again"


def test_refuses_a_folder_with_something_else(benchmark_folder, tmp_path):
    """Another benchmark or a folder with other files is left alone."""
    before = digests(benchmark_folder)
    with pytest.raises(UsageError, match="seed"):
        make_benchmark(benchmark_folder, seed=1, cases_per_source=1, verse_cases=2)
    assert digests(benchmark_folder) == before
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(UsageError, match="empty folder"):
        make_benchmark(tmp_path)


@pytest.mark.parametrize(("cases_per_source", "verse_cases"), [(0, 6), (5, 1)])
def test_too_few_cases(tmp_path, cases_per_source, verse_cases):
    """A benchmark without a source, or without room for both variants, is refused before anything is written."""
    with pytest.raises(UsageError, match="at least"):
        make_benchmark(tmp_path / "b", cases_per_source=cases_per_source, verse_cases=verse_cases)
    assert not (tmp_path / "b").exists()


def test_compressed_files_carry_no_time(benchmark_folder):
    """The gzip header has neither a time nor a name, so that equal voxels are equal files."""
    data = next(benchmark_folder.glob("verse/labels/*/*.nii.gz")).read_bytes()
    assert data[3] == 0
    assert data[4:8] == bytes(4)
    assert len(gzip.decompress(data)) > 352


def test_stops_at_the_first_failure():
    """When a task fails its error comes out, and tasks that have not begun are not started."""
    begun = []

    def task(item):
        begun.append(item)
        time.sleep(0.001)
        if item == 0:
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        list(in_parallel(task, range(1000), workers=1))
    assert len(begun) < 1000
