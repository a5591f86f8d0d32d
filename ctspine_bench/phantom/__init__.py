"""Synthetic spine CT with labels, and simulated submissions on it.

One concern a file::

    sizes        how large vertebrae are, after the literature; it says what was checked
    solids       bones and organs as tables of simple solids
    vertebra     the shape of one vertebra
    curve        how the spine is curved
    spine        one person's vertebrae, placed
    organs       what surrounds them in the image
    rasterise    solids → voxels
    ct           the image: trunk, slice thickness, noise
    case         one spine seen through one field of view
    sources      spacing, field of view and rates of the data sources
    benchmark    a benchmark on disk
    warp         smooth displacement of outlines
    submissions  simulated submissions on disk
    trained      networks that were trained on it, with their predictions
    seeds        random numbers that depend on the case alone
    write        NIfTI files
"""

from ctspine_bench.phantom.benchmark import make_benchmark
from ctspine_bench.phantom.case import REFERENCE_WORKLOAD, CaseSpec, PhantomCase, make_case
from ctspine_bench.phantom.sources import TRUNK_SOURCES, VERSE, SourceProfile
from ctspine_bench.phantom.submissions import SIMULATED, simulate_submission

__all__ = [
    "REFERENCE_WORKLOAD",
    "SIMULATED",
    "TRUNK_SOURCES",
    "VERSE",
    "CaseSpec",
    "PhantomCase",
    "SourceProfile",
    "make_benchmark",
    "make_case",
    "simulate_submission",
]
