"""`ctspine-bench phantom`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ctspine_bench.cli import check_phantom_folder


def _list(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        from ctspine_bench.phantom import SIMULATED

        click.echo("\n".join(SIMULATED))
        ctx.exit()


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--seed", type=int, default=0, show_default=True, help="Same seed, same files.")
@click.option(
    "--cases-per-source",
    type=click.IntRange(min=1),
    default=5,
    show_default=True,
    help="Cases of each of the four sources in the public and in the private test set.",
)
@click.option("--verse-cases", type=click.IntRange(min=2), default=6, show_default=True, help="VerSe-like cases.")
@click.option(
    "--training-cases-per-source",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Cases of each of the four sources in a training set, in FOLDER/benchmark/training.",
)
@click.option(
    "--size",
    type=click.Choice(["small", "full"]),
    default="small",
    show_default=True,
    help="small: about a million voxels a case; full: 512×512 voxels a slice.",
)
@click.option("--images", is_flag=True, help="Write CT images too, not only labels.")
@click.option("--workers", type=click.IntRange(min=1), help="Cases made at a time.  [default: all cores]")
@click.option(
    "--simulate",
    multiple=True,
    metavar="NAME",
    help="Also write this simulated submission to FOLDER/predictions/NAME; can be repeated, or 'all'.",
)
@click.option(
    "--list-simulations",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_list,
    help="Show their names and exit.",
)
def command(folder: Path, *, simulate: tuple[str, ...], workers: int | None, **options: Any) -> int:
    """Make a phantom benchmark in FOLDER: three test sets of synthetic spines in the layout of CTSpine1K.

    With a training set, if one is asked for. A run that was cut short goes on when it is repeated.
    """
    from ctspine_bench.phantom import SIMULATED, TRUNK_SOURCES, make_benchmark, simulate_submission
    from ctspine_bench.phantom.benchmark import plan
    from ctspine_bench.report.progress import case_progress

    names = list(SIMULATED) if "all" in simulate else list(simulate)
    unknown = [name for name in names if name not in SIMULATED]
    if unknown:
        raise click.BadParameter(
            f"expected one of {', '.join(SIMULATED)}, found {unknown[0]!r}", param_hint="--simulate"
        )
    check_phantom_folder(folder)
    n_test_cases = len(plan(options["cases_per_source"], options["verse_cases"]))
    n_cases = n_test_cases + len(TRUNK_SOURCES) * options["training_cases_per_source"]
    benchmark = folder / "benchmark"
    with case_progress("Phantom", n_cases) as progress:
        make_benchmark(
            benchmark,
            seed=options["seed"],
            cases_per_source=options["cases_per_source"],
            verse_cases=options["verse_cases"],
            training_cases_per_source=options["training_cases_per_source"],
            size=options["size"],
            with_images=options["images"],
            workers=workers,
            progress=progress.advance,
        )
    for name in names:
        with case_progress(name, n_test_cases) as progress:
            simulate_submission(
                benchmark,
                folder / "predictions" / name,
                name,
                seed=options["seed"],
                workers=workers,
                progress=progress.advance,
            )
    click.echo(f"Written: {benchmark}" + (f" and {folder / 'predictions'}" if names else ""), err=True)
    return 0
