"""`ctspine-bench check-references`."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ctspine_bench.cli import BAD_INPUT

if TYPE_CHECKING:
    from ctspine_bench.reference_check import Finding

_STYLES = {"error": "bold red", "warning": "yellow", "info": "dim"}


@click.command()
@click.argument("references", type=click.Path(path_type=Path))
@click.option("--label-map", metavar="MAP", help="What the voxel values mean: verse, totalsegmentator, or a YAML file.")
@click.option("--verbose", is_flag=True, help="Also list what is merely worth knowing, such as cut vertebrae.")
def command(references: Path, *, label_map: str | None, verbose: bool) -> int:
    """Look through the label maps in REFERENCES: gaps, disorder, stray islands, odd grids, known errata.

    Nothing is changed. Exits with 1 when there is an error, or a file that cannot be read.
    """
    from ctspine_bench.cases import find_cases
    from ctspine_bench.reference_check import check_references
    from ctspine_bench.report.progress import case_progress
    from ctspine_bench.volumes import read_label_map

    cases = find_cases(references)
    findings: dict[str, tuple[Finding, ...]] = {}
    with case_progress("Checking", len(cases)) as progress:
        for case, _, found in check_references(cases.values(), read_label_map(label_map)):
            findings[case.case_id] = found
            progress.advance(case.case_id)
    _show(findings, verbose=verbose)
    return BAD_INPUT if any(finding.severity == "error" for found in findings.values() for finding in found) else 0


def _show(findings: dict[str, tuple[Finding, ...]], *, verbose: bool) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False)
    for case_id, found in findings.items():
        shown = [finding for finding in found if verbose or finding.severity != "info"]
        if shown:
            console.print(Text(case_id, style="bold"))
        for finding in shown:
            console.print(Text.assemble("  ", (f"{finding.severity:8}", _STYLES[finding.severity]), finding.message))
    count = Counter(finding.severity for found in findings.values() for finding in found)
    clean = sum(all(finding.severity == "info" for finding in found) for found in findings.values())
    hidden = "" if verbose or not count["info"] else f", {_counted(count['info'], 'remark')} (--verbose lists them)"
    console.print(
        f"{_counted(len(findings), 'reference')}: {clean} without a complaint; "
        f"{_counted(count['error'], 'error')}, {_counted(count['warning'], 'warning')}{hidden}."
    )


def _counted(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"
