"""The one comment that a pull request gets: what was scored, or why it was not.

The scoring job writes it as data (`writing`). Another job, the only one that may write to the pull request, trusts
nothing in that file: it validates it (`data`) and sets it as Markdown (`markdown`).
"""

from __future__ import annotations

from ctspine_bench.hosting.comment.data import CommentData, RefusalData, read_comment_data
from ctspine_bench.hosting.comment.markdown import comment_markdown
from ctspine_bench.hosting.comment.writing import write_comment_data, write_refusal

__all__ = [
    "CommentData",
    "RefusalData",
    "comment_markdown",
    "read_comment_data",
    "write_comment_data",
    "write_refusal",
]
