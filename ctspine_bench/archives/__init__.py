"""Archives of predictions: packing one's own, fetching and unpacking what strangers send.

`packing` writes an archive; `fetching` downloads one from `addresses` that are allowed, to a `part_file`, and `digests`
says whether it is the one that was declared; `members` hands out its label maps one by one. Beneath `members`,
`tar_members` and `zip_members` walk the two formats, `streams` decompresses, `names` judges what an entry may be called
and `limits` counts.
"""

from ctspine_bench.archives.addresses import ALLOWED_HOSTS
from ctspine_bench.archives.digests import check_file
from ctspine_bench.archives.fetching import Patience, fetch
from ctspine_bench.archives.limits import Limits
from ctspine_bench.archives.members import Member, members
from ctspine_bench.archives.packing import Packed, Selection, pack, pack_selection, select_predictions

__all__ = [
    "ALLOWED_HOSTS",
    "Limits",
    "Member",
    "Packed",
    "Patience",
    "Selection",
    "check_file",
    "fetch",
    "members",
    "pack",
    "pack_selection",
    "select_predictions",
]
