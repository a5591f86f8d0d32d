"""`ctspine-bench compare` as somebody with runs of their own calls it, and `rank` on the same folders."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from benchmarks_on_disk import write_benchmark
from own_results import change, drawn_cases, write_own

from ctspine_bench import write_labels
from ctspine_bench.cli import compare, score
from ctspine_bench.own_runs.comparing import compare_methods
from ctspine_bench.own_runs.methods import brought_together, method_of
from ctspine_bench.own_runs.reading import read_run
from ctspine_bench.rankings.coverage import measured_coverage
from ctspine_bench.rankings.paired import METRICS, REGIONS, pair
from ctspine_bench.rankings.standings import standings
from ctspine_bench.testsets import OFFICIAL, PHANTOM
from ctspine_bench.volumes import read_labels

if TYPE_CHECKING:
    from collections.abc import Callable

    from command_line import Done

EXPLORATORY = "These comparisons are exploratory, unless they were planned before any result was seen."


@pytest.fixture(scope="session")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of results: three methods, a second run of the first, its two folds; not to be changed."""
    folder = tmp_path_factory.mktemp("own")
    for seed, (name, quality) in enumerate((("good", 1.4), ("again", 1.4), ("fair", 0.8), ("poor", 0.3))):
        write_own(folder / name, drawn_cases(seed, quality))
    for number in range(2):
        write_own(folder / f"fold{number}", drawn_cases(9, 1.4, range(16)[number::2]))
    return folder


@pytest.fixture(autouse=True)
def here(results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it that may be changed, where the command is called."""
    folder = shutil.copytree(results, tmp_path / "own")
    monkeypatch.chdir(folder)
    return folder


def joined(text: str) -> str:
    """Text without line breaks."""
    return " ".join(text.split())


class TestTable:
    """What is printed."""

    def test_methods_and_pairs(self, run: Callable[..., Done], here: Path) -> None:
        """Every method with its means and intervals, every pair with its difference, test and effect."""
        done = run("compare", "good", "fair", "poor")
        assert (done.returncode, done.stderr) == (0, "")
        found = compare_methods(
            brought_together([method_of(name, [read_run(here / name)]) for name in ("good", "fair", "poor")]),
            "dsc",
            "all",
        )
        assert done.stdout.startswith("custom · 16 cases\nMean of Vertebrae · DSC · whole spine · ctspine-bench ")
        for method in found.methods:
            means = method.means["mean_of_vertebrae"]
            row = next(line.split() for line in done.stdout.splitlines() if re.match(rf" *\d +{method.name} ", line))
            assert row[:4] == [
                str(method.rank),
                method.name,
                f"{means['dsc'].value:.3f}",
                f"{means['hd95_mm'].value:.2f}",
            ]
            assert row[4:6] == [f"{method.means['per_case']['dsc'].value:.3f}", str(method.per_case_rank)]
            assert f"{means['dsc'].low:.3f}–{means['dsc'].high:.3f}" in done.stdout
            assert f"{means['hd95_mm'].low:.2f}–{means['hd95_mm'].high:.2f}" in done.stdout
        for each in found.pairs:
            row = next(line for line in done.stdout.splitlines() if line.startswith(f"{each.one} − {each.other}"))
            assert f"{each.mean.value:+.3f}".replace("-", "−") in row
        assert "corrected for 3 tests" in done.stdout
        assert joined(done.stdout).endswith(EXPLORATORY)

    @pytest.mark.parametrize("columns", [80, 120])
    @pytest.mark.parametrize("metric", ["dsc", "hd95_mm", "nsd_1mm"])
    def test_it_fits(
        self, run: Callable[..., Done], monkeypatch: pytest.MonkeyPatch, columns: int, metric: str
    ) -> None:
        """No line is longer than the terminal is wide, and no number is cut."""
        monkeypatch.setenv("COLUMNS", str(columns))
        arguments = ("first-method=good,again", "second-method=fold0,fold1", "poor", "--per-label", "--metric", metric)
        text = run("compare", *arguments).stdout
        assert max(map(len, text.splitlines())) <= columns
        assert "…" not in text
        if metric == "nsd_1mm":
            assert "NSD 1 mm ↑" in text

    def test_runs_and_folds_are_told_apart(self, run: Callable[..., Done]) -> None:
        """Which of the two it did, with mean and standard deviation of each."""
        text = run("compare", "seeds=good,again", "cv=fold0,fold1", "fair").stdout
        assert re.search(r"seeds +2 runs +0\.\d{3}", text)
        assert re.search(r"cv +2 folds +0\.\d{3}", text)
        assert "± 0.0" in text
        assert "runs: on the same cases" in text
        assert "folds: without a case in common, put together" in joined(text)
        assert "runs:" not in run("compare", "good", "fair").stdout

    def test_folds_of_one_method_alone(self, run: Callable[..., Done]) -> None:
        """Mean and standard deviation need no other method, and nothing is compared."""
        done = run("compare", "cv=fold0,fold1")
        assert done.returncode == 0
        assert re.search(r"cv +2 folds", done.stdout)
        assert "Differences" not in done.stdout

    def test_per_label(self, run: Callable[..., Done]) -> None:
        """For each pair n and mean of both, the difference, and its interval where ten cases count."""
        text = run("compare", "good", "fair", "--per-label").stdout.partition("good − fair: DSC of each label")[2]
        assert re.search(
            r"^T12 +16 +0\.\d{3} +16 +0\.\d{3} +[+−]\d\.\d{3} +[+−]\d\.\d{3} to [+−]\d\.\d{3}", text, re.MULTILINE
        )
        assert re.search(r"^C7 +4 +0\.\d{3} +4 +0\.\d{3} +[+−]\d\.\d{3} *$", text, re.MULTILINE)

    def test_a_baseline(self, run: Callable[..., Done]) -> None:
        """The others less the first."""
        text = run("compare", "good", "fair", "poor", "--baseline").stdout
        assert re.findall(r"^(\w+ − \w+)", text, re.MULTILINE) == ["fair − good", "poor − good"]
        assert "corrected for 2 tests" in text

    def test_how_far_intervals_can_be_trusted(self, run: Callable[..., Done]) -> None:
        """Where simulations say that they cover too little, it is printed."""
        covered = measured_coverage(16)
        assert covered is not None
        text = joined(run("compare", "good", "fair").stdout)
        told = f"95 % intervals covered the truth in simulations in {100 * covered:.0f} % (Mean of Vertebrae)"
        assert f"With 16 cases, {told}" in text

    def test_under_ten_cases(self, run: Callable[..., Done], here: Path) -> None:
        """No interval, no p value, every rank possible, and it is said."""
        write_own(here / "few", drawn_cases(3, 0.5, range(16)[0::2]))
        text = run("compare", "fold0", "few").stdout
        assert "Under 10 cases nothing is sure" in text
        assert "Under 10 cases there are no intervals and no tests." in text
        assert text.count(" 1–2 ") == 2
        assert not re.search(r"\d–\d\.\d", text)

    def test_notes_are_loud(self, run: Callable[..., Done], here: Path) -> None:
        """Copies are said to be copies."""
        shutil.copytree(here / "good", here / "copy")
        assert "copy has the same predictions as good." in run("compare", "good", "copy").stdout
        done = run("compare", "good", "copy", "--format", "csv")
        assert done.stderr == "copy has the same predictions as good.\n"

    def test_no_name_reaches_the_terminal_as_it_is(self, run: Callable[..., Done]) -> None:
        """Control characters are escaped, markup is text."""
        text = run("compare", "\x1b[31mred=good", "[bold]loud=fair").stdout
        assert "\x1b" not in text
        assert "[bold]loud" in text


@pytest.mark.parametrize("format_", ["latex", "markdown", "csv", "json"])
def test_formats_go_to_standard_output(run: Callable[..., Done], format_: str) -> None:
    """Alone, so that they can be redirected to a file."""
    done = run("compare", "good", "fair", "--format", format_)
    assert (done.returncode, done.stderr) == (0, "")
    assert "good" in done.stdout
    if format_ == "json":
        assert json.loads(done.stdout)["kind"] == "comparison"


class TestPredictions:
    """Folders without results."""

    def test_they_are_scored_first(self, run: Callable[..., Done], tmp_path: Path) -> None:
        """The numbers are those of `score`, progress goes to standard error, and nothing is written."""
        predictions, references = write_benchmark(tmp_path)
        other = shutil.copytree(predictions, tmp_path / "other")
        (other / "liver_1.nii.gz").unlink()
        assert run("score", other, references, "--allow-incomplete", "--output", tmp_path / "scored").returncode == 0
        before = sorted(tmp_path.rglob("*"))
        arguments = (predictions, f"other={other}", "--format", "json")
        done = run("compare", *arguments, "--references", references)
        assert done.returncode == 0
        mixed = run(
            "compare", predictions, f"other={tmp_path / 'scored'}", "--format", "json", "--references", references
        )
        assert json.loads(mixed.stdout) == json.loads(done.stdout)
        assert sorted(tmp_path.rglob("*")) == before
        results = json.loads((tmp_path / "scored" / "results.json").read_text())["test_sets"]["custom"]
        document = json.loads(done.stdout)
        assert [each["name"] for each in document["methods"]] == [predictions.name, "other"]
        ours = document["methods"][1]["means"]
        for name in ("mean_of_vertebrae", "mean_of_spine"):
            assert ours[name]["dsc"]["value"] == pytest.approx(results[name]["dsc"])
            assert ours[name]["hd95_mm"]["value"] == pytest.approx(results[name]["hd95_mm"])
        assert document["notes"] == [
            "other: 1 case could not be scored from their files; all their vertebrae count as missed."
        ]

    def test_without_references(self, run: Callable[..., Done], tmp_path: Path, here: Path) -> None:
        """The error says how; options for scoring need them too."""
        predictions, _ = write_benchmark(tmp_path)
        done = run("compare", here / "good", predictions)
        assert done.returncode == 1
        assert done.stderr.splitlines()[0] == f"E_NOT_FOUND  {predictions}"
        assert "--references" in done.stderr
        done = run("compare", "good", "fair", "--prediction-label-map", "verse")
        assert (done.returncode, "--prediction-label-map is for predictions" in done.stderr) == (2, True)

    def test_options_are_those_of_score(self) -> None:
        """They are taken from there."""
        ours, theirs = ({each.name: each for each in command.params} for command in (compare.command, score.command))
        for name in ("label_map", "prediction_label_map", "reference_label_map", "resample", "workers"):
            assert ours[name] is theirs[name]


class TestErrors:
    """What cannot be compared."""

    @pytest.mark.parametrize(
        ("arguments", "code", "folder"),
        [
            (("good", "nowhere"), "E_NOT_FOUND", "nowhere"),
            (("good", "fold0"), "E_COMPARE", "fold0"),
            (("x=good,fold0", "fair"), "E_COMPARE", "fold0"),
            (("good", "fair", "--test-set", "public"), "E_COMPARE", "good"),
        ],
    )
    def test_bad_input(self, run: Callable[..., Done], arguments: tuple[str, ...], code: str, folder: str) -> None:
        """The folder, what was expected, what was found, what to do."""
        done = run("compare", *arguments)
        assert (done.returncode, done.stdout) == (1, "")
        lines = done.stderr.splitlines()
        assert lines[0] == f"{code}  {folder}"
        assert [line.split()[0] for line in lines[1:]] == ["expected", "found", "to"]

    def test_of_an_earlier_version(self, run: Callable[..., Done], here: Path) -> None:
        """It has to be scored again."""
        change(here / "fair", lambda document: document["provenance"].update(engine_version=1))
        done = run("compare", "good", "fair")
        assert done.returncode == 1
        assert "scored by an earlier version of ctspine-bench" in done.stderr
        assert "Score the predictions again" in done.stderr

    @pytest.mark.parametrize(
        "arguments",
        [
            (),
            ("good",),
            ("good", "a=good"),
            ("a=good", "a=fair"),
            ("good,fair",),
            ("good", "fair", "--region", "sacral"),
        ],
    )
    def test_wrong_usage(self, run: Callable[..., Done], arguments: tuple[str, ...]) -> None:
        """Fewer than two folders, and what repeats."""
        assert run("compare", *arguments).returncode == 2

    def test_a_region_that_nobody_has(self, run: Callable[..., Done], here: Path) -> None:
        """There is nothing to compare."""
        for name in ("one", "two"):
            write_own(here / name, drawn_cases(3, 0.5, range(1, 4)))
        done = run("compare", "one", "two", "--region", "cervical")
        assert (done.returncode, "cervical" in done.stderr) == (2, True)


class TestRank:
    """`ctspine-bench rank` on folders of results."""

    def test_standings_of_the_board(self, run: Callable[..., Done], here: Path) -> None:
        """Ranks, scores and counts by a scheme of the board; names can be given."""
        done = run("rank", "good", "mine=fair", "poor")
        assert (done.returncode, done.stderr) == (0, "")
        tables = {"good": "good", "mine": "fair", "poor": "poor"}
        paired = pair({name: read_run(here / folder).table for name, folder in tables.items()})
        for row in standings(paired).rows:
            line = next(line.split() for line in done.stdout.splitlines() if re.match(rf" *\d +{row.slug} ", line))
            assert line[:3] == [str(row.rank), row.slug, f"{row.score:.3f}"]
            assert f"{row.per_case:.3f}" in line
        assert joined(done.stdout).endswith(EXPLORATORY)
        by_rank = run("rank", "good", "mine=fair", "poor", "--scheme", "rank-then-mean", "--region", "lumbar").stdout
        assert "Rank, then mean · DSC · lumbar spine" in by_rank
        assert "mean rank ↓" in by_rank

    def test_one_folder_of_results_is_too_few(self, run: Callable[..., Done]) -> None:
        """It is not taken for a folder of submissions."""
        done = run("rank", "good")
        assert (done.returncode, "at least two folders" in done.stderr) == (2, True)

    def test_what_is_for_submissions_alone(self, run: Callable[..., Done]) -> None:
        """No standings.json, and no private store; runs are for `compare`; a folder without results is an error."""
        assert run("rank", "good", "fair", "--output", "standings.json").returncode == 2
        done = run("rank", "x=good,again", "fair")
        assert (done.returncode, "`compare` averages runs" in done.stderr) == (2, True)
        assert run("rank", "good", ".").returncode == 1


def test_choices_are_those_of_the_tables() -> None:
    """The command names metrics and regions itself, so that --help loads nothing."""
    choices = {each.name: each.type.choices for each in compare.command.params if hasattr(each.type, "choices")}
    assert choices["test_set"] == (*OFFICIAL, *PHANTOM)
    assert (choices["metric"], choices["region"]) == (tuple(METRICS), tuple(REGIONS))


def without_a_level(predictions: Path, folder: Path, number: int) -> Path:
    """A copy of predictions that lacks a level of its first case."""
    shutil.copytree(predictions, folder)
    path = next(each for each in sorted(folder.rglob("*.nii.gz")))
    volume = read_labels(path)
    labels = np.array(volume.labels)
    labels[labels == np.unique(labels)[number]] = 0
    write_labels(path, labels, volume.grid)
    return folder


def test_the_page_works_from_top_to_bottom(
    run: Callable[..., Done], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every command of docs/comparing.md does what it says."""
    predictions, references = write_benchmark(tmp_path / "made")
    ours = shutil.copytree(predictions, tmp_path / "predictions" / "ours")
    without_a_level(ours, tmp_path / "predictions" / "theirs", 1)
    shutil.copytree(references, tmp_path / "references")
    files = sorted(references.rglob("*.nii.gz"))
    monkeypatch.chdir(tmp_path)
    for number in (1, 2, 3):
        seed = without_a_level(ours, tmp_path / "made" / f"seed{number}", 1 + number)
        assert run("score", seed, "references", "--output", f"seed{number}").returncode == 0
    for number, of_fold in enumerate((files[:1], files[1:]), start=1):
        (tmp_path / f"of{number}").mkdir()
        for file in of_fold:
            shutil.copy(file, tmp_path / f"of{number}")
        assert run("score", ours, f"of{number}", "--output", f"fold{number}").returncode == 0
    page = (Path(__file__).parents[2] / "docs" / "comparing.md").read_text(encoding="utf-8")
    commands = re.findall(r"^ctspine-bench [^#>\n]*", page, re.MULTILINE)
    assert len(commands) == 9
    for command in commands:
        done = run(*shlex.split(command)[1:])
        assert (command, done.returncode, done.stdout != "") == (command, 0, True), done.stderr
