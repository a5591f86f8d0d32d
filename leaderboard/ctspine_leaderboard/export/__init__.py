"""The leaderboard as static files: they open from disk and from any host, and need no server.

`site` writes all files, `sheet` is a page in the making, `pages` fill sheets from the views of the app, `addresses`
says where everything is, `folders` replaces an earlier export as a whole, `feed` and `badges` are for other places.
"""

from __future__ import annotations

from ctspine_leaderboard.export.command import export
from ctspine_leaderboard.export.site import write_site

__all__ = ["export", "write_site"]
