"""The command line as a user calls it: output, files, exit codes."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from benchmarks_on_disk import grid_of, write_benchmark
from label_volumes import column

from ctspine_bench import write_labels
from ctspine_bench.errors import CODES
from ctspine_bench.report.variants import TITLES, VARIANTS
from ctspine_bench.testsets import official

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from command_line import Done


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    return write_benchmark(tmp_path)


def test_score_writes_table_and_files(run: Callable[..., Done], folders: tuple[Path, Path], tmp_path: Path) -> None:
    """Scoring prints the paper's table and writes results.json, cases.parquet and the report."""
    out, report = tmp_path / "out", tmp_path / "report.html"
    done = run("score", *folders, "--output", out, "--report", report)
    assert done.returncode == 0, done.stderr
    assert "Mean of Vertebrae" in done.stdout
    document = json.loads((out / "results.json").read_text())
    assert document["schema_version"] == 2
    custom = document["test_sets"]["custom"]
    assert (custom["labels"]["L1"]["n"], custom["labels"]["L1"]["dsc"], custom["labels"]["L1"]["hd95_mm"]) == (2, 1, 0)
    assert custom["labels"]["L6"]["n"] == 0
    assert custom["labels"]["L6"]["dsc"] is None
    assert custom["mean_of_vertebrae"]["dsc"] == custom["mean_of_spine"]["dsc"] == 1
    assert custom["counts"] == {
        "matched": 15,
        "missed": 0,
        "spurious": 0,
        "spurious_at_border": 0,
        "spurious_ml": 0,
        "failed": 0,
    }
    assert custom["sources"]["MSD-T10"]["n_cases"] == 2
    assert document["policies"]["missed_hd95_mm"] == document["policies"]["spurious_hd95_mm"] == 100
    assert custom["variants"].keys() == {"complete", "cut", "border_forgiven"}
    assert custom["identification"]["levels_right"] == custom["identification"]["verse_id_rate"] == 1
    assert document["provenance"]["command"].startswith("ctspine-bench score ")
    assert {"version", "engine_version", "digests", "created"} <= document["provenance"].keys()
    table = pd.read_parquet(out / "cases.parquet")
    assert table["row"].value_counts().to_dict() == {"vertebra": 15, "spine": 3, "case": 3}
    assert "<html" in report.read_text()


def test_score_refuses_to_overwrite(run: Callable[..., Done], folders: tuple[Path, Path], tmp_path: Path) -> None:
    """A folder with results is not overwritten without --resume; --resume without --output is wrong usage."""
    out = tmp_path / "out"
    assert run("score", *folders, "--output", out).returncode == 0
    before = (out / "results.json").read_bytes()
    refused = run("score", *folders, "--output", out)
    assert (refused.returncode, "--resume" in refused.stderr) == (2, True)
    assert (out / "results.json").read_bytes() == before
    assert run("score", *folders, "--resume").returncode == 2


def test_a_refused_run_touches_nothing(run: Callable[..., Done], tmp_path: Path, folders: tuple[Path, Path]) -> None:
    """Results of other predictions in --output stay whole, whether --resume is given or not."""
    output = tmp_path / "results"
    assert run("score", *folders, "--output", output).returncode == 0
    before = {path.name: path.read_bytes() for path in output.iterdir()}
    other = tmp_path / "other"
    shutil.copytree(folders[0], other)
    for options in (["--resume"], []):
        refused = run("score", other, folders[1], "--output", output, *options)
        assert (refused.returncode, "choose another folder" in refused.stderr) == (2, True)
        assert {path.name: path.read_bytes() for path in output.iterdir()} == before


@pytest.mark.parametrize("format_", ["csv", "markdown", "latex"])
def test_sensitivity_has_no_table_for_papers(
    run: Callable[..., Done], folders: tuple[Path, Path], format_: str
) -> None:
    """It is refused where it would be left out in silence."""
    refused = run("score", *folders, "--sensitivity", "--format", format_)
    assert (refused.returncode, "--sensitivity" in refused.stderr) == (2, True)


def test_killed_run_resumes_to_the_same_results(
    run: Callable[..., Done], folders: tuple[Path, Path], tmp_path: Path
) -> None:
    """A run killed after its first case and resumed gives the files of an uninterrupted run, dates aside."""
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    arguments = ["score", *map(str, folders), "--workers", "1", "--output"]
    assert run(*arguments, whole).returncode == 0
    process = subprocess.Popen(
        [sys.executable, "-m", "ctspine_bench", *arguments, str(killed)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    journal = killed / "journal.jsonl"
    while process.poll() is None and not (journal.exists() and "HN_P001" in journal.read_text()):
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert run(*arguments, killed, "--resume").returncode == 0
    assert (killed / "cases.parquet").read_bytes() == (whole / "cases.parquet").read_bytes()
    documents = [json.loads((out / "results.json").read_text()) for out in (whole, killed)]
    for document in documents:
        del document["provenance"]["created"]
        document["provenance"]["command"] = document["provenance"]["command"].replace(str(killed), str(whole))
    assert documents[0] == documents[1]


def test_failed_case_exits_with_1(run: Callable[..., Done], folders: tuple[Path, Path], tmp_path: Path) -> None:
    """A missing prediction is listed and exits with 1, with --allow-incomplete with 0; results are written anyway."""
    (folders[0] / "liver_1.nii.gz").unlink()
    out = tmp_path / "out"
    done = run("score", *folders, "--output", out)
    assert done.returncode == 1
    assert "E_MISSING_CASE" in done.stdout
    (failure,) = json.loads((out / "results.json").read_text())["test_sets"]["custom"]["failures"]
    assert (failure["case_id"], failure["code"], failure["side"]) == ("liver_1", "E_MISSING_CASE", "prediction")
    assert run("score", *folders, "--allow-incomplete").returncode == 0


def test_unreadable_reference_exits_with_1_always(run: Callable[..., Done], folders: tuple[Path, Path]) -> None:
    """--allow-incomplete is about predictions: a broken reference exits with 1 all the same."""
    (folders[1] / "MSD-T10" / "liver_1_seg.nii.gz").write_bytes(b"")
    assert run("score", *folders, "--allow-incomplete").returncode == 1


@pytest.mark.parametrize("format_", ["json", "csv", "markdown", "latex"])
def test_formats(run: Callable[..., Done], folders: tuple[Path, Path], format_: str) -> None:
    """Each format goes to standard output alone and names the vertebrae."""
    done = run("score", *folders, "--format", format_)
    assert done.returncode == 0
    assert "L1" in done.stdout
    if format_ == "json":
        assert json.loads(done.stdout)["test_sets"]["custom"]["n_cases"] == 3


@pytest.mark.parametrize("variant", VARIANTS)
def test_variants(run: Callable[..., Done], folders: tuple[Path, Path], variant: str) -> None:
    """Each variant is printed under its own title, in the terminal and for spreadsheets."""
    done = run("score", *folders, "--variant", variant)
    assert done.returncode == 0, done.stderr
    assert TITLES[variant] in " ".join(done.stdout.split())
    assert f"custom,{variant},L1," in run("score", *folders, "--variant", variant, "--format", "csv").stdout


def test_vertebrae_is_no_option_any_more(run: Callable[..., Done], folders: tuple[Path, Path]) -> None:
    """`--variant` has taken the place of `--vertebrae`."""
    assert run("score", *folders, "--vertebrae", "cut").returncode == 2


def test_a_set_of_ones_own_is_not_to_report(run: Callable[..., Done], folders: tuple[Path, Path]) -> None:
    """Complete as it is, it is none of the benchmark's: nothing says to report it as one."""
    assert "To report" not in run("score", *folders).stdout


def test_bad_input_is_one_clear_error(run: Callable[..., Done], tmp_path: Path, folders: tuple[Path, Path]) -> None:
    """A folder that is not there: code, what was expected, what was found, what to do; no traceback."""
    done = run("score", tmp_path / "nowhere", folders[1])
    assert done.returncode == 1
    lines = [line.split()[0] for line in done.stderr.strip().split("\n")]
    assert lines == ["E_NOT_FOUND", "expected", "found", "to"]
    assert "E_NOT_FOUND" in CODES


@pytest.mark.parametrize(
    "arguments", [["score"], ["score", "a", "b", "--no-such-option"], ["no-such-command"], ["testsets", "train"]]
)
def test_wrong_usage_exits_with_2(run: Callable[..., Done], arguments: list[str]) -> None:
    """Wrong usage exits with 2."""
    assert run(*arguments).returncode == 2


def test_help_loads_nothing_heavy() -> None:
    """--help answers without importing what takes long to import."""
    code = (
        "import sys; sys.argv = ['ctspine-bench', 'score', '--help']\n"
        "from ctspine_bench.cli import main\n"
        "try: main()\n"
        "except SystemExit as stop: assert stop.code == 0\n"
        "heavy = {'numpy', 'numba', 'pandas', 'scipy', 'nibabel', 'plotly', 'rich'} & sys.modules.keys()\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_testsets(run: Callable[..., Done]) -> None:
    """Testsets shows the sizes of the official sets, and the cases of one."""
    table = run("testsets").stdout
    assert all(size in table for size in ("197", "198", "41"))
    assert run("testsets", "public").stdout.split() == list(official("public").cases)


def test_check_references(run: Callable[..., Done], folders: tuple[Path, Path]) -> None:
    """Clean references exit with 0; a gap is an error of its case and exits with 1."""
    references = folders[1]
    assert run("check-references", references).returncode == 0
    labels = column(first=18)
    labels[labels == 20] = 0
    write_labels(references / "MSD-T10" / "liver_1_seg.nii.gz", labels, grid_of(labels))
    done = run("check-references", references)
    assert done.returncode == 1
    assert "label 20 (L1) is missing between T12 and L2" in done.stdout


def test_check_references_unreadable(run: Callable[..., Done], folders: tuple[Path, Path]) -> None:
    """A reference that cannot be read is an error of its case and exits with 1."""
    references = folders[1]
    (references / "MSD-T10" / "liver_1_seg.nii.gz").write_bytes(b"not a volume")
    done = run("check-references", references)
    assert done.returncode == 1
    assert "liver_1" in done.stdout


def test_phantom(run: Callable[..., Done], tmp_path: Path) -> None:
    """Phantom writes a benchmark and simulated submissions that score as they should."""
    done = run("phantom", tmp_path, "--cases-per-source", 1, "--verse-cases", 2, "--simulate", "perfect")
    assert done.returncode == 0, done.stderr
    scored = run(
        "score",
        tmp_path / "predictions" / "perfect" / "verse",
        tmp_path / "benchmark" / "verse",
        "--format",
        "json",
    )
    assert json.loads(scored.stdout)["test_sets"]["custom"]["mean_of_vertebrae"]["dsc"] == 1
    assert run("phantom", tmp_path, "--simulate", "nonsense").returncode == 2
