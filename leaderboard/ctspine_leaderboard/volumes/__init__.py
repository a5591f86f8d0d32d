"""Label maps and CT volumes on the host's disk → what pictures are drawn from.

`places` says which file belongs to which case, `images` reads a CT as grey values, `parts` reads all of them, cut to
what is shown, and keeps the last ones in memory, `tracing` makes outlines and surfaces out of labels (door:
scikit-image).
"""
