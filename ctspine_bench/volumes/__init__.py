"""A file on disk → `LabelVolume(labels, grid)`, and whether two of them lie on the same grid.

`streams` delivers bytes and checks that the file is whole, `nifti` understands the header, `decoding` turns stored
values into labels, `geometry` brings them to RAS order, `masks` joins a folder of binary masks, `label_maps` reads what
`--label-map` names and `grids` compares two grids.
"""

from ctspine_bench.volumes.grids import check_same_grid, resample_nearest
from ctspine_bench.volumes.label_maps import read_label_map
from ctspine_bench.volumes.reading import VoxelBuffer, read_labels
from ctspine_bench.volumes.writing import write_labels

__all__ = ["VoxelBuffer", "check_same_grid", "read_label_map", "read_labels", "resample_nearest", "write_labels"]
