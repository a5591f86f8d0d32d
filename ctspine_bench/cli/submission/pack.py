"""`ctspine-bench submission pack`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import click

from ctspine_bench.cli import BAD_INPUT, show_error
from ctspine_bench.errors import InputError, UsageError
from ctspine_bench.testsets import OFFICIAL, PHANTOM, named

if TYPE_CHECKING:
    from ctspine_bench.archives import Packed, Selection
    from ctspine_bench.testsets import TestSet

_PATH = click.Path(path_type=Path)
_MOST_LISTED = 10


@click.command()
@click.argument("predictions", type=_PATH)
@click.argument("archive", type=_PATH, metavar="ARCHIVE.tar")
@click.option(
    "--test-set",
    type=click.Choice((*OFFICIAL, *PHANTOM)),
    help="Pack exactly the cases of this test set.  [default: all predictions found]",
)
@click.option("--label-map", metavar="MAP", help="What the voxel values mean: verse, totalsegmentator, or a YAML file.")
@click.option("--workers", type=click.IntRange(min=1), help="Cases packed at a time.  [default: all cores]")
def command(
    predictions: Path, archive: Path, *, test_set: str | None, label_map: str | None, workers: int | None
) -> int:
    """Pack the label maps in the folder PREDICTIONS into ARCHIVE.tar, the same ones always into the same bytes.

    Each is checked as for scoring and written anew with labels 0-25. Prints what submission.yaml has to say about the
    archive. When a prediction is refused there is no archive, and the exit code is 1.
    """
    from ctspine_bench.archives import select_predictions
    from ctspine_bench.submissions.field_types import is_archive_name

    if not is_archive_name(archive.name):
        raise UsageError(
            f"expected an archive named by letters, digits, dots, hyphens and underscores, ending in .tar, found "
            f"{archive.name!r}: it is to be part of an address"
        )
    chosen = named(test_set) if test_set else None
    selection = select_predictions(predictions, label_map=label_map, test_set=chosen)
    packed, refused = _pack(selection, archive, workers)
    for _, error in sorted(refused.items()):
        show_error(error)
    if packed is None:
        click.echo(f"No archive: {len(refused)} of {len(selection.cases)} predictions are refused.", err=True)
        return BAD_INPUT
    _show(packed, selection, chosen)
    return 0


def _pack(selection: Selection, archive: Path, workers: int | None) -> tuple[Packed | None, dict[str, InputError]]:
    """Return the archive, or `None` and what was refused."""
    from ctspine_bench.archives import pack_selection
    from ctspine_bench.report.progress import case_progress

    refused: dict[str, InputError] = {}
    with case_progress("Packing", len(selection.cases)) as progress:

        def on_case(case_id: str, refusal: InputError | None) -> None:
            progress.advance(case_id)
            if refusal:
                refused[case_id] = refusal

        try:
            return pack_selection(selection, archive, workers=workers, on_case=on_case), refused
        except InputError:
            if not refused:  # it was the archive, not a prediction
                raise
            return None, refused


def _show(packed: Packed, selection: Selection, test_set: TestSet | None) -> None:
    """Print what there is and, for submission.yaml, how to name it."""
    expected = test_set.expected_count if test_set else None
    of_expected = f" of {expected}" if expected else ""
    left_out = f", {selection.n_left_out} of other test sets left out" if selection.n_left_out else ""
    for line in (
        f"{packed.path}: {len(packed.cases)}{of_expected} cases{left_out}, {packed.size / 1e6:.1f} MB",
        "",
        "Upload the archive, put its address in place of the one below, and this into submission.yaml:",
        "",
        "test_sets:",
        f"  {test_set.name if test_set else 'public'}:{'' if test_set else '  # or another test set'}",
        f"    url: https://zenodo.org/records/…/files/{quote(packed.path.name)}",
        f"    sha256: {packed.sha256}",
        f"    size: {packed.size}",
    ):
        click.echo(line)
    if selection.missing:
        listed = ", ".join(selection.missing[:_MOST_LISTED])
        more = ", …" if len(selection.missing) > _MOST_LISTED else ""
        click.echo(
            f"Missing: {len(selection.missing)} cases of this test set, {listed}{more}. "
            "All their vertebrae will count as missed, and the test set will not be ranked.",
            err=True,
        )
