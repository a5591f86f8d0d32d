"""Single cases: fields of view, variants, sources, images."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ctspine_bench.anatomy import vertebra_label
from ctspine_bench.phantom import REFERENCE_WORKLOAD, TRUNK_SOURCES, VERSE, CaseSpec, make_case
from ctspine_bench.phantom.sources import COLONOG, COVID, HNSCC, MSD, SMALL_VOXELS

SMALL = CaseSpec((60, 70, 90), (2.5, 2.5, 3.0), top=15, above_mm=0.0)


@pytest.fixture(scope="module")
def seen():
    return make_case(replace(SMALL, image=True), np.random.default_rng(4))


def present(labels):
    return tuple(int(label) for label in np.unique(labels) if label)


def test_same_seed_gives_the_same_case(seen):
    """Labels and image are functions of the spec and the state of the generator."""
    again = make_case(replace(SMALL, image=True), np.random.default_rng(4))
    other = make_case(SMALL, np.random.default_rng(5))
    np.testing.assert_array_equal(again.labels, seen.labels)
    np.testing.assert_array_equal(again.image, seen.image)
    assert (other.labels != seen.labels).any()


def test_image_does_not_change_the_labels(seen):
    """The same person, with and without an image, has the same labels."""
    plain = make_case(SMALL, np.random.default_rng(4))
    np.testing.assert_array_equal(plain.labels, seen.labels)
    assert plain.image is None


def test_levels_are_those_in_the_labels():
    """`levels` lists the labels that got a voxel, from the head down."""
    case = make_case(SMALL, np.random.default_rng(0))
    assert case.levels == present(case.labels)
    assert case.levels == tuple(range(case.levels[0], case.levels[-1] + 1))


def test_wanted_levels_are_whole():
    """With explicit levels, those and only those are labelled, clear of every border."""
    levels = (20, 21, 22)
    case = make_case(CaseSpec((80, 90, 80), (2.0, 2.0, 2.2), levels=levels), np.random.default_rng(0))
    assert case.levels == levels
    inner = case.labels[1:-1, 1:-1, 1:-1]
    assert np.count_nonzero(inner) == np.count_nonzero(case.labels)


def test_reference_workload():
    """At a quarter of its resolution: seventeen whole vertebrae, T1–L5, in a trunk-wide field of view."""
    spec = replace(REFERENCE_WORKLOAD, shape=(128, 128, 126), spacing_mm=(3.04, 3.04, 4.4))
    case = make_case(spec, np.random.default_rng(0))
    assert REFERENCE_WORKLOAD.shape == (512, 512, 504)
    assert REFERENCE_WORKLOAD.spacing_mm == (0.76, 0.76, 1.10)
    assert case.levels == tuple(range(vertebra_label("T1"), vertebra_label("L5") + 1))
    assert not case.labels[:, :, [0, -1]].any()


def test_cut_vertebrae_are_labelled_unless_asked():
    """As in CTSpine1K, a vertebra that the field of view cuts has its label; as in the original VerSe, it has none."""
    labelled = make_case(SMALL, np.random.default_rng(1))
    original = make_case(replace(SMALL, label_cut=False), np.random.default_rng(1))
    assert labelled.labels[:, :, -1].any()
    assert labelled.labels[:, :, 0].any()
    assert not original.labels[:, :, [0, -1]].any()
    assert set(original.levels) < set(labelled.levels)
    whole = np.isin(labelled.labels, original.levels)
    np.testing.assert_array_equal(original.labels, np.where(whole, labelled.labels, 0))


@pytest.mark.parametrize("n_lumbar", [4, 5, 6])
def test_lumbar_variants_are_seen(n_lumbar):
    """The lowest label is L4, L5 or L6, with more than 30 mm of volume below the vertebra."""
    spec = VERSE.draw_spec(np.random.default_rng(0), n_lumbar=n_lumbar)
    case = make_case(replace(spec, top=vertebra_label("T12")), np.random.default_rng(0))
    lowest = vertebra_label(f"L{n_lumbar}")
    assert case.levels[-1] == lowest
    assert np.argwhere(case.labels == lowest)[:, 2].min() * spec.spacing_mm[2] > 30


def test_image_looks_like_ct():
    """Bone is bright, its shell brighter than its core; there are air, fat and soft tissue; and there is noise."""
    case = make_case(CaseSpec((110, 86, 48), (2.8, 2.8, 2.8), top=21, image=True), np.random.default_rng(0))
    bone = case.image[case.labels > 0]
    assert case.image.dtype == np.int16
    assert 150 < np.median(bone) < 600
    for low, high in ((-1024, -900), (-140, -70), (20, 80)):
        assert np.mean((case.image >= low) & (case.image <= high)) > 0.05
    air = case.image[:3, -3:, :]
    assert 5 < air.std() < 40


def test_colon_of_colonography_is_filled_with_air():
    """Only with colon gas is there much air inside the belly."""
    spec = CaseSpec((80, 60, 40), (3.9, 3.9, 5.0), top=vertebra_label("L1"), image=True)
    gas, none = (make_case(replace(spec, colon_gas=colon_gas), np.random.default_rng(0)) for colon_gas in (True, False))
    inside = (slice(17, 63), slice(17, 40), slice(5, 35))
    assert np.mean(gas.image[inside] < -700) > 0.01
    assert np.mean(none.image[inside] < -700) < 0.001


@pytest.mark.parametrize("profile", [*TRUNK_SOURCES, VERSE], ids=lambda profile: profile.name)
def test_full_size_has_the_spacing_of_the_paper(profile):
    """Mean spacing over many full-size cases is that of Table 1; slices have 512×512 voxels unless cropped."""
    specs = [profile.draw_spec(np.random.default_rng(seed), size="full") for seed in range(300)]
    in_plane = np.array([spec.spacing_mm[0] for spec in specs])
    slices = np.array([spec.spacing_mm[2] for spec in specs])
    assert abs(in_plane.mean() - profile.in_plane_mm[0]) < 0.05
    assert abs(slices.mean() - profile.slice_mm[0]) < 0.1 + 0.25 * profile.slice_mm[1]
    assert all(spec.shape[:2] == (512, 512) for spec in specs) == (profile.crop_mm is None)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), profile=st.sampled_from([*TRUNK_SOURCES, VERSE]))
def test_small_cases_are_small(seed, profile):
    """Small cases have at most 1.4 million voxels (and a little rounding), and slices no thinner than the source's."""
    spec = profile.draw_spec(np.random.default_rng(seed))
    assert np.prod(spec.shape) < 1.05 * SMALL_VOXELS
    assert spec.spacing_mm[2] >= profile.slice_range_mm[0]


@pytest.mark.parametrize(
    ("profile", "first", "last"),
    [(COLONOG, ("T6", "T9"), ("L5", "L6")), (HNSCC, ("C1", "C1"), ("T6", "T9")), (MSD, ("T4", "T8"), ("L4", "L6")),
     (COVID, ("C5", "C7"), ("T12", "L3"))],
    ids=lambda value: getattr(value, "name", None),
)  # fmt: skip
def test_sources_show_their_levels(profile, first, last):
    """The highest and the lowest level are where those of the source are."""
    for seed in range(2):
        rng = np.random.default_rng(seed)
        case = make_case(profile.draw_spec(rng), rng)
        assert vertebra_label(first[0]) <= case.levels[0] <= vertebra_label(first[1])
        assert vertebra_label(last[0]) <= case.levels[-1] <= vertebra_label(last[1])


def test_thick_slices_stay_thick():
    """In the small size too, HNSCC and above all COVID-19 slices are much thicker than their voxels are wide."""
    for profile, ratio in ((HNSCC, 1.15), (COVID, 1.3)):
        for seed in range(20):
            spec = profile.draw_spec(np.random.default_rng(seed))
            assert spec.spacing_mm[2] > ratio * spec.spacing_mm[0]


def test_rates_of_variants_are_those_of_the_paper():
    """Of 4000 VerSe cases, about 8 in 41 have an L6 and 3 in 41 lack an L5; more on request."""
    rng = np.random.default_rng(0)
    drawn = [VERSE.draw_lumbar(rng) for _ in range(4000)]
    assert abs(drawn.count(6) / 4000 - 8 / 41) < 0.02
    assert abs(drawn.count(4) / 4000 - 3 / 41) < 0.02
    more = [COLONOG.draw_lumbar(rng, 10.0) for _ in range(4000)]
    assert abs(more.count(6) / 4000 - 160 / 784) < 0.03
