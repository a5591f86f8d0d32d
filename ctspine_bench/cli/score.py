"""`ctspine-bench score`."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any

import click

from ctspine_bench.cli import BAD_INPUT, INTERRUPTED
from ctspine_bench.errors import FileError, UsageError
from ctspine_bench.report.variants import VARIANTS
from ctspine_bench.testsets import OFFICIAL, PHANTOM, custom, named

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ctspine_bench.cross_check import CrossCheck
    from ctspine_bench.evaluate import SubmissionScore
    from ctspine_bench.pairing import Plan
    from ctspine_bench.provenance import Settings
    from ctspine_bench.report.variants import Variant

_PATH = click.Path(path_type=Path)


@click.command()
@click.argument("predictions", type=_PATH)
@click.argument("references", type=_PATH)
@click.option(
    "--test-set",
    type=click.Choice((*OFFICIAL, *PHANTOM)),
    help="Score exactly the cases of this test set.  [default: all references found]",
)
@click.option(
    "--label-map",
    metavar="MAP",
    help="What the voxel values mean on both sides: verse, totalsegmentator, or a YAML file.",
)
@click.option("--prediction-label-map", metavar="MAP", help="The same for predictions alone.")
@click.option("--reference-label-map", metavar="MAP", help="The same for references alone.")
@click.option(
    "--resample",
    type=click.Choice(["nearest"]),
    help="Bring predictions on another voxel grid to the reference's instead of refusing them.",
)
@click.option("--allow-incomplete", is_flag=True, help="Exit with 0 although predictions are missing or refused.")
@click.option("--workers", type=click.IntRange(min=1), help="Cases scored at a time.  [default: all cores]")
@click.option("--output", type=_PATH, help="Folder for results.json and cases.parquet.")
@click.option("--resume", is_flag=True, help="Go on with an interrupted run in --output.")
@click.option(
    "--format",
    "format_",
    type=click.Choice(["table", "json", "csv", "markdown", "latex"]),
    default="table",
    show_default=True,
    help="What to print to standard output.",
)
@click.option(
    "--report", type=_PATH, metavar="FILE.html", help="Write a report to look at, one file that opens offline."
)
@click.option(
    "--variant",
    type=click.Choice(VARIANTS),
    default="official",
    show_default=True,
    help="Which table to print: by the official rule, or a variant of it. All of them are in results.json.",
)
@click.option("--sensitivity", is_flag=True, help="Also print HD95 under other policies for missed and spurious masks.")
@click.option("--pooled-hd95", is_flag=True, help="Also compute HD95 as medpy defines it (slow).")
@click.option(
    "--cross-check",
    "n_checked",
    type=click.IntRange(min=1),
    metavar="N",
    help="Compute N cases, drawn by a fixed seed, again with surface-distance, and print the largest difference.",
)
def command(
    predictions: Path,
    references: Path,
    *,
    test_set: str | None,
    allow_incomplete: bool,
    output: Path | None,
    resume: bool,
    format_: str,
    report: Path | None,
    variant: Variant,
    sensitivity: bool,
    n_checked: int | None,
    **options: Any,
) -> int:
    """Score PREDICTIONS against REFERENCES.

    Both are folders of label maps named <case>.nii.gz or <case>_seg.nii.gz, in one folder or in source folders; or one
    file each.
    """
    from ctspine_bench.results import JOURNAL, write_results
    from ctspine_bench.tables import Journal

    _check_output(output, resume=resume)
    if sensitivity and format_ not in {"table", "json"}:
        raise UsageError(f"--sensitivity has no table as {format_}; it is part of --format table and json")
    if n_checked:
        from ctspine_bench.cross_check import check_installed

        check_installed()
    plan, settings = planned(predictions, references, test_set, options)
    if output:
        # Before anything there is touched: a run on other folders is refused.
        Journal(output / JOURNAL, settings.digest(), plan.inputs).read()
    _prepare(output, report)
    try:
        score = score_with_progress(plan, settings, options["workers"], output / JOURNAL if output else None)
        check = _cross_check(score, plan, n_checked) if n_checked else None
    except KeyboardInterrupt:
        hint = f"Go on with --output {output} --resume." if output else "With --output a run can be resumed."
        click.echo(f"Interrupted. {hint}", err=True)
        return INTERRUPTED
    if output:
        write_results([score], output, _command(), check)
    _show(score, format_, variant, check, sensitivity=sensitivity)
    if report:
        from ctspine_bench.report.html import write_report

        write_report(score, report, plan, _command())
    for path in filter(None, (output, report)):
        click.echo(f"Written: {path}", err=True)
    incomplete = score.summary is None or (score.failures and not allow_incomplete)
    return BAD_INPUT if incomplete or (check and not check.agrees) else 0


def planned(
    predictions: Path, references: Path, test_set: str | None, options: Mapping[str, Any]
) -> tuple[Plan, Settings]:
    """Return what is to be scored, and how; `options` are those of this command about reading."""
    from ctspine_bench.evaluate import read_settings
    from ctspine_bench.pairing import plan_submission

    settings = read_settings(
        options["label_map"],
        options["reference_label_map"],
        options["prediction_label_map"],
        resample=options["resample"] is not None,
        pooled=options.get("pooled_hd95", False),
    )
    plan = plan_submission(
        predictions,
        references,
        named(test_set) if test_set else custom(),
        reference_label_map=settings.reference_label_map,
        prediction_label_map=settings.prediction_label_map,
    )
    return plan, settings


def _check_output(output: Path | None, *, resume: bool) -> None:
    from ctspine_bench.results import CASES, JOURNAL, RESULTS

    if resume and not output:
        raise UsageError("--resume needs the --output folder of the run that is to go on")
    if output and output.exists() and not output.is_dir():
        raise UsageError(f"expected a folder for --output, found the file {output}")
    if output and resume and (output / RESULTS).exists() and not (output / JOURNAL).exists():
        raise UsageError(f"{output} holds results but no journal to go on with; choose another folder")
    if output and not resume and any((output / name).exists() for name in (RESULTS, CASES, JOURNAL)):
        raise UsageError(f"{output} holds results already: go on with them with --resume, or choose another folder")


def _prepare(output: Path | None, report: Path | None) -> None:
    """Make the folders that results go to, before any work: nothing is to be lost for want of a place."""
    from ctspine_bench.results import RESULTS

    for folder in filter(None, (output, report.parent if report else None)):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            TemporaryFile(dir=folder).close()
        except OSError as error:
            raise _output_error(folder, "a folder that can be written to", error.strerror or str(error)) from None
    if report and report.is_dir():
        raise _output_error(report, "the name of a file for --report", "a folder")
    if output:
        # A run that goes on is not finished, and its results.json would say it is.
        (output / RESULTS).unlink(missing_ok=True)


def _output_error(path: Path, expected: str, found: str) -> FileError:
    return FileError("E_OUTPUT", path, expected=expected, found=found, advice="Choose another place for the results.")


def score_with_progress(
    plan: Plan, settings: Settings, workers: int | None, journal: Path | None = None
) -> SubmissionScore:
    """Score what is planned, and show how far it is; finished cases are noted in a journal, if one is given."""
    from ctspine_bench.comparison import warm_up
    from ctspine_bench.evaluate import score_plan
    from ctspine_bench.report.progress import case_progress

    with case_progress("Scoring", len(plan.pairs)) as progress:
        progress.say("preparing (compiles for some seconds on first use)")
        warm_up()
        return score_plan(
            plan,
            settings,
            workers=workers,
            journal=journal,
            on_case=lambda result: progress.advance(result.case_id),
        )


def _cross_check(score: SubmissionScore, plan: Plan, n_cases: int) -> CrossCheck:
    from ctspine_bench.cross_check import cross_check
    from ctspine_bench.report.progress import case_progress

    n_scored = len(score.results) - len(score.failures)
    with case_progress("Cross-check", min(n_cases, n_scored)) as progress:
        return cross_check(score, plan, n_cases, on_case=progress.advance)


def _show(
    score: SubmissionScore, format_: str, variant: Variant, check: CrossCheck | None, *, sensitivity: bool
) -> None:
    if format_ == "json":
        from ctspine_bench.results import results_document

        document = results_document([score], _command(), cross_check=check)
        click.echo(json.dumps(document, indent=2, ensure_ascii=False))
    elif format_ == "table":
        from rich.console import Console

        from ctspine_bench.report import terminal

        Console().print(terminal.render(score, variant=variant, sensitivity=sensitivity))
    else:
        from ctspine_bench.report import text

        click.echo(getattr(text, format_)(score, variant=variant))
    is_read_by_programs = format_ != "table"
    if is_read_by_programs:
        # People learn of failures here.
        for result in score.failures:
            if result.failure:
                click.echo(f"{result.case_id}: {result.failure.message}", err=True)
    if check:
        _say(check, err=is_read_by_programs)


def _say(check: CrossCheck, *, err: bool) -> None:
    """Print what the cross-check found; a difference is shouted."""
    if check.agrees or not check.n_masks:
        click.echo(check.sentence(), err=err)
        return
    message = f"THE CROSS-CHECK DISAGREES. Do not use these numbers; please report this.\n{check.sentence()}"
    click.secho(message, fg="red", bold=True, err=True)


def _command() -> str:
    """Return the command as it was called, without what differs between a run and its continuation."""
    return shlex.join(["ctspine-bench", *(argument for argument in sys.argv[1:] if argument != "--resume")])
