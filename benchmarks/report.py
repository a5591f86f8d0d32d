"""The measured numbers as tables for the terminal, and as Markdown: `python benchmarks/report.py results.json`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from peers import OURS
from rich.table import Table

if TYPE_CHECKING:
    from rich.console import Console

Document = dict[str, Any]
Rows = list[list[str]]
RIVAL = ("surface-distance", "surface-distance-cropped")


def targets(document: Document) -> list[dict[str, Any]]:
    """Return what was aimed at: name, value, limit, whether the value is to be above or below it, and whether it is."""
    arrays, files, cases = document["arrays"], document["files"], document["cases"]
    seconds = {name: pair["seconds"] for name, pair in document["hard"].items()}
    scored = files["read and score"]["seconds"]
    wanted: list[tuple[str, float, str, float]] = [
        (f"metric time: {name} / ours", arrays[name]["seconds"] / arrays[OURS]["seconds"], "≥", 60)
        for name in RIVAL
        if "seconds" in arrays.get(name, {})
    ]
    wanted += [
        (f"read and score / {name}", scored / files[name]["seconds"], "≤", 1.8)
        for name in files
        if name != "read and score"
    ]
    wanted += [
        ("peak memory of score_case, MB", document["memory"]["memory"]["peak_mb"], "≤", 700),
        ("peak memory of ctspine-bench score, MB", document["memory"]["command_memory"]["peak_mb"], "≤", 700),
        ("stray voxels / clean", seconds["stray"] / seconds["clean"], "≤", 10),
        ("shifted labels / clean", seconds["shifted"] / seconds["clean"], "≤", 5),
        ("compilation at the first run, s", document["start"]["compile_s"], "≤", 20),
        ("ctspine-bench --help, s", document["start"]["help"], "≤", 0.5),
        ("busy cores, all workers / cores", cases[-1]["busy_cores"] / cases[-1]["cores"], "≥", 0.9),
        ("memory of many cases, last quarter / second", _growth(cases[-1]), "≤", 1.1),
    ]
    return [
        {"name": name, "value": value, "sense": sense, "limit": limit, "met": (value >= limit) == (sense == "≥")}
        for name, value, sense, limit in wanted
    ]


def _growth(cases: dict[str, Any]) -> float:
    _, second, _, last = cases["peak_mb_by_quarter"]
    return float(last / second)


def show(document: Document, console: Console) -> None:
    """Print all tables."""
    for title, rows in tables(document).items():
        table = Table(*rows[0], title=title, title_justify="left")
        for row in rows[1:]:
            table.add_row(*row)
        console.print(table)


def markdown(document: Document) -> str:
    """Return all tables as Markdown."""
    parts = []
    for title, rows in tables(document).items():
        lines = ["| " + " | ".join(row) + " |" for row in rows]
        parts.append("\n".join([f"### {title}", "", lines[0], "|" + " --- |" * len(rows[0]), *lines[1:]]))
    return "\n\n".join(parts)


def tables(document: Document) -> dict[str, Rows]:
    """Return title → rows of cells, the first of them the header."""
    return {
        "Where": _where(document),
        "DSC and HD95 of every label and of the spine, from two arrays, one core": _peers(document["arrays"]),
        "What they compute": _definitions(document["arrays"]),
        "Hard predictions, ours": _hard(document["hard"]),
        "Two .nii.gz files, one core": _files(document["files"]),
        "Start": _start(document["start"]),
        "Many cases": _cases(document["cases"]),
        "Targets": [
            ["target", "measured", "wanted", "met"],
            *(
                [row["name"], f"{row['value']:.3g}", f"{row['sense']} {row['limit']:g}", "yes" if row["met"] else "NO"]
                for row in document["targets"]
            ),
        ],
    }


def _where(document: Document) -> Rows:
    machine = document["machine"]
    libraries = ", ".join(f"{name} {number}" for name, number in machine["versions"].items())
    load = f"{document['load_before']:.1f} before, {document['load_after']:.1f} after"
    return [
        ["date", document["date"]],
        ["command", f"`{document['command']}`"],
        ["processor", f"{machine['cpu']}, {machine['cores']} cores, {machine['ram_gib']} GiB, {machine['system']}"],
        ["versions", f"Python {machine['python']}, {libraries}"],
        ["load of the machine", load],
    ]


def _peers(arrays: dict[str, Any]) -> Rows:
    rows = [["", "version", "s", "CPU s", "× ours", "peak MB", "max ΔDSC", "max ΔHD95, mm", "compared with"]]
    for name, found in arrays.items():
        if "error" in found:
            rows.append([name, found["version"] or "–", found["error"], *[""] * 6])
            continue
        numbers = [f"{found['seconds']:.3g}", f"{found['cpu_s']:.3g}"]
        numbers += [f"{found['seconds'] / arrays[OURS]['seconds']:.3g}", f"{found['peak_mb']:.0f}"]
        differences = [f"{found['max_dsc_difference']:.0e}", f"{found['max_hd95_difference_mm']:.1e}"]
        against = found["compared_with"] or "hd95_mm, another definition"
        version = found["version"] or "this one"
        rows.append([name, version, *numbers, *([*differences, against] if name != OURS else [""] * 3)])
    return rows


def _definitions(arrays: dict[str, Any]) -> Rows:
    return [
        ["", "how it is used", "its HD95"],
        *([name, pair["how"], pair["definition"]] for name, pair in arrays.items()),
    ]


def _hard(hard: dict[str, Any]) -> Rows:
    clean = hard["clean"]["seconds"]
    return [
        ["prediction", "s", "× clean", "peak MB"],
        *(
            [name, f"{pair['seconds']:.3g}", f"{pair['seconds'] / clean:.2g}", f"{pair['peak_mb']:.0f}"]
            for name, pair in hard.items()
        ),
    ]


def _files(files: dict[str, Any]) -> Rows:
    scored = files["read and score"]["seconds"]
    return [
        ["", "s", "read and score takes"],
        *([name, f"{found['seconds']:.3g}", f"{scored / found['seconds']:.3g} ×"] for name, found in files.items()),
    ]


def _start(start: dict[str, float]) -> Rows:
    names = {
        "compile_s": "compiling all kernels, once on a machine",
        "cached_s": "loading them from the cache",
        "first_s": "first `score_arrays` after that",
        "second_s": "second `score_arrays`",
        "help": "`ctspine-bench --help`",
        "python": "`python -c pass`",
    }
    return [["", "s"], *([name, f"{start[key]:.3g}"] for key, name in names.items())]


def _cases(cases: list[dict[str, Any]]) -> Rows:
    rows = [["workers", "cases", "s", "cases/s", "busy cores", "peak MB by quarter of the cases"]]
    for found in cases:
        memory = ", ".join(f"{mb:.0f}" for mb in found["peak_mb_by_quarter"])
        numbers = [f"{found['seconds']:.3g}", f"{found['cases_per_s']:.3g}", f"{found['busy_cores']:.2f}"]
        rows.append([str(found["workers"]), str(found["cases"]), *numbers, memory])
    return rows


if __name__ == "__main__":
    print(markdown(json.loads(Path(sys.argv[1]).read_text())))
