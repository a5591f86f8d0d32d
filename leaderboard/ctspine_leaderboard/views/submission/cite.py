"""How to quote the data set and a submission, as BibTeX."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from ctspine_leaderboard.downloads import latex_text

if TYPE_CHECKING:
    from ctspine_bench.board import Entry


@cache
def dataset_bibtex() -> str:
    """Return the entry of the data set and its benchmark."""
    return files("ctspine_leaderboard").joinpath("citation.bib").read_text("utf-8").strip()


def submission_bibtex(entry: Entry) -> str | None:
    """Return what can be said of a submission; `None` if its declaration cannot be read."""
    declared = entry.declaration
    if declared is None:
        return None
    version = (entry.results or {}).get("provenance", {}).get("version")
    how = {
        "scored": "Submission to the CTSpine1K leaderboard",
        "published": f"As published: {declared.source}",
        "baseline": "Baseline of the CTSpine1K leaderboard",
        "simulated": "Simulated submission on a phantom benchmark",
    }[declared.kind]
    fields = {
        "title": f"{{{latex_text(declared.name)}}}",
        "author": f"{{{latex_text(declared.team)}}}",
        "year": str(declared.date.year),
        "howpublished": latex_text(how),
        "note": latex_text(f"Scored with ctspine-bench {version}") if version else "",
        "url": declared.paper or declared.code or "",
    }
    there = {name: value for name, value in fields.items() if value}
    width = max(map(len, there))
    body = ",\n".join(f"  {name:<{width}} = {{{value}}}" for name, value in there.items())
    return f"@misc{{ctspine1k-{entry.slug},\n{body}\n}}"
