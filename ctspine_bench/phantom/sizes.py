"""How large each vertebra is: means and standard deviations by level.

The table follows the surface anatomy of twelve cadaveric spines, rounded to 0.5 mm: Panjabi et al., Spine
16(8):861–869, 1991 (C2–C7), 16(8):888–901, 1991 (T1–T12) and 17(3):299–306, 1992 (L1–L5). The papers themselves were
not at hand; what stands behind each value is this:

* Checked against a public transcription of two of the papers (`morphometrics/` in the GitHub repository
  CTSpinoPelvic1K): posterior height, upper width, canal and pedicle width of L1–L5; canal and pedicle width of T11 and
  T12; posterior height of T1 and T12; upper width of T1, T11 and T12 and lower width of T12, read off a figure there.
* Checked against an abstract: span and canal of C1; Rekha and D'Sa, International Journal of Anatomy and Research
  4(1):1981–1984, 2016.
* Written down from memory and not checked against the papers: C2–C7, all else of T1–T12, and the depths, lower widths,
  spans and heights of the pedicles of L1–L5.
* Set by eye: reach and slope of the spinous processes, all else of C1, L6 and the sacrum.
* Discs, set by eye between published means. C2–C6: anterior and middle height in Lee et al., "Height and depth of the
  cervical disc space in normal Korean adults". T1–T11: CT, Fletcher et al., European Spine Journal, 2015
  (doi:10.1007/s00586-015-3925-y), and direct measurement, Kunkel et al., Journal of Anatomy 219(3):375–387, 2011.
  L1–L5, as transcribed in the same repository: CT of men, Yadav et al., International Journal of Spine Surgery
  14(2):175–181, 2020, and sections of young men, Twomey and Taylor, Acta Orthopaedica Scandinavica 56(6):496–499, 1985.
  C7 and T12: between their neighbours.

The ± of Panjabi et al. is the standard error of a mean, not the spread between people. The standard deviations below
are round numbers near the lower end of what others report: posterior height of T2 17.6 ± 1.4 mm, Egwu et al., Journal
of the Anatomical Society of India 68(2):110–118, 2019, and of L1 27.1 ± 2.1 mm, Gilad and Nissan, Journal of Anatomy
143:115–120, 1985; upper width of L3 in men 44.3 ± 3.2 mm, Yadav et al. (both as transcribed); upper depth of C3
14.7 ± 1.4 mm, "Anthropometry of bodies of C3–C6 cervical vertebrae in Northwest Indian population".

Living people's lumbar bodies are 1 to 3 mm taller than this table in the meta-analysis of Bonczar et al., Surgical and
Radiologic Anatomy 47(1):22, 2024 (as transcribed).
"""

from __future__ import annotations

from typing import Final, NamedTuple

from ctspine_bench.anatomy import vertebra_label


class Size(NamedTuple):
    """Mean measures of one vertebra, in mm and degrees.

    Attributes:
        height: Posterior height of the body.
        width_upper: Width of the upper endplate; `width_lower`, of the lower one.
        depth_upper: Depth of the upper endplate; `depth_lower`, of the lower one.
        canal_width: Width of the canal; `canal_depth`, its depth.
        span: From the tip of one transverse process to that of the other.
        spinous: How far the spinous process reaches behind the canal, along itself.
        slope: How steeply it points down, degrees.
        pedicle_width: Width of a pedicle; `pedicle_height`, its height.
        disc: Height of the disc below.
    """

    height: float
    width_upper: float
    width_lower: float
    depth_upper: float
    depth_lower: float
    canal_width: float
    canal_depth: float
    span: float
    spinous: float
    slope: float
    pedicle_width: float
    pedicle_height: float
    disc: float


SD_HEIGHT: Final = 0.07
"""Standard deviation of the height of a body between people, as a share of the mean."""
SD_WIDTH: Final = 0.08
"""Standard deviation of the width of a body, likewise."""
SD_DEPTH: Final = 0.09
"""Standard deviation of the depth of a body, likewise."""

#       height  width u/l   depth u/l   canal w/d   span  spinous slope pedicle w/h disc
_TABLE: Final = {
    "C2": (17.0, 16.0, 17.5, 14.5, 15.5, 24.5, 18.0, 52.0, 19.0, 18.0, 8.0, 10.0, 4.8),
    "C3": (11.5, 16.0, 17.0, 15.0, 15.5, 23.0, 16.0, 50.5, 14.0, 20.0, 5.5, 7.5, 5.0),
    "C4": (11.5, 17.0, 17.0, 15.5, 16.0, 24.5, 16.5, 49.5, 14.0, 20.0, 5.5, 7.5, 5.0),
    "C5": (11.5, 17.5, 19.5, 15.5, 17.5, 25.0, 16.5, 50.0, 15.0, 20.0, 5.5, 7.0, 5.0),
    "C6": (11.5, 18.5, 21.5, 16.5, 18.0, 25.5, 16.5, 52.0, 20.0, 22.0, 6.0, 7.5, 5.2),
    "C7": (13.0, 21.5, 23.0, 17.5, 17.5, 24.5, 15.5, 66.0, 29.0, 24.0, 6.5, 7.5, 5.2),
    "T1": (14.5, 24.5, 27.5, 18.5, 19.5, 21.5, 16.0, 75.0, 31.0, 28.0, 8.0, 9.5, 4.6),
    "T2": (15.5, 25.0, 27.0, 19.5, 21.5, 19.5, 15.5, 70.0, 30.0, 34.0, 7.5, 11.0, 4.2),
    "T3": (16.0, 24.5, 26.0, 22.5, 23.5, 18.0, 16.0, 64.0, 30.0, 40.0, 6.5, 11.5, 4.0),
    "T4": (16.5, 24.5, 26.0, 23.5, 24.5, 17.0, 16.0, 61.0, 31.0, 46.0, 5.5, 12.0, 4.0),
    "T5": (17.0, 25.0, 27.0, 24.5, 26.0, 17.0, 16.0, 61.0, 33.0, 51.0, 5.5, 12.0, 4.2),
    "T6": (17.5, 26.0, 28.0, 26.0, 27.0, 17.5, 16.0, 61.0, 34.0, 54.0, 5.5, 12.0, 4.4),
    "T7": (18.0, 28.0, 29.0, 27.5, 28.5, 17.5, 16.0, 61.0, 34.0, 55.0, 5.5, 12.0, 4.6),
    "T8": (18.5, 29.5, 30.5, 28.0, 29.5, 17.5, 16.0, 60.0, 33.0, 52.0, 5.5, 12.5, 4.8),
    "T9": (19.5, 30.5, 33.0, 29.5, 31.0, 18.0, 15.5, 60.0, 31.0, 46.0, 6.5, 13.5, 5.2),
    "T10": (20.5, 32.0, 35.5, 30.5, 31.5, 18.0, 15.5, 58.0, 28.0, 38.0, 7.0, 15.0, 5.6),
    "T11": (21.5, 35.0, 39.0, 32.0, 32.0, 19.5, 16.0, 52.0, 26.0, 28.0, 9.5, 16.5, 6.2),
    "T12": (22.5, 39.0, 42.5, 33.0, 33.5, 22.0, 18.0, 47.0, 27.0, 20.0, 8.5, 16.5, 7.2),
    "L1": (24.0, 41.0, 43.5, 34.0, 35.0, 23.5, 19.0, 71.0, 29.0, 12.0, 8.5, 16.0, 8.4),
    "L2": (24.5, 42.5, 45.5, 34.5, 35.0, 24.0, 18.0, 76.0, 31.0, 10.0, 8.5, 15.0, 9.4),
    "L3": (24.0, 44.0, 48.0, 35.0, 35.0, 24.5, 17.5, 86.0, 32.0, 9.0, 10.0, 14.5, 10.2),
    "L4": (24.0, 46.5, 49.5, 35.5, 34.5, 25.5, 18.5, 80.0, 29.0, 9.0, 14.0, 15.0, 11.0),
    "L5": (23.0, 47.5, 49.5, 35.0, 33.5, 27.0, 19.5, 92.0, 23.0, 12.0, 18.5, 15.0, 10.0),
}
# The atlas has no body: its "body" is the space that the dens fills, and its width that of the ring.
_TABLE["C1"] = (11.0, 28.0, 28.0, 12.0, 12.0, 27.5, 16.5, 72.5, 4.0, 0.0, 8.0, 8.0, 0.0)
# A lumbarised first sacral segment looks like an L5 that is a little smaller.
_TABLE["L6"] = (22.5, 47.5, 48.5, 34.5, 32.5, 27.5, 19.0, 88.0, 20.0, 12.0, 18.0, 15.0, 9.0)

SIZES: Final = {vertebra_label(name): Size(*measures) for name, measures in _TABLE.items()}
"""Mean measures by label 1–25."""

SACRUM: Final = (
    (30.0, 50.0, 36.0, 32.0, 24.0),
    (24.0, 35.0, 28.0, 23.0, 17.0),
    (20.0, 27.0, 23.0, 16.0, 12.0),
    (17.0, 22.0, 19.0, 11.0, 9.0),
    (15.0, 18.0, 14.0, 9.0, 6.0),
)
"""Height, upper and lower width, upper and lower depth of the sacral segments from S1 to S5, mm."""
