"""The real nnU-Net, from data to records, by the commands of docs/baselines.md as they stand there.

Only the recipe is smaller, and it runs on the CPU. What 25 labels learn in a few iterations is nothing; what is tested
is that all steps are taken, that an interruption changes nothing, and what is written. That something is learned is
tested with the whole spine as one label, on cases that were not in training.
"""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from tiny_baselines import call, start, write_benchmark, write_recipe

from ctspine_bench.board import Board
from ctspine_bench.cli import main
from ctspine_bench.hosting.verifying import verify
from ctspine_bench.submissions.records import read_record
from ctspine_bench.volumes import check_same_grid, read_labels

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PAGE = Path(__file__).parents[2] / "docs" / "baselines.md"
RECIPE = "nnunet-3dfullres"
SETS = ("phantom-public", "phantom-private", "phantom-verse")
VARIANTS = ("tiny", "tiny-largest-component")


def typed(section: str) -> Iterator[list[str]]:
    """The command lines in a section of the page, as words."""
    text = PAGE.read_text(encoding="utf-8").partition(f"## {section}\n")[2].partition("\n## ")[0]
    for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL):
        yield from (shlex.split(line, comments=True) for line in block.splitlines())


@pytest.fixture(scope="module")
def benchmark(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four training cases, three test cases."""
    return write_benchmark(tmp_path_factory.mktemp("data") / "phantom")


@pytest.fixture(scope="module")
def folder(benchmark: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the commands of the page have been typed, one after the other."""
    folder = tmp_path_factory.mktemp("typed")
    recipe = write_recipe(folder / "tiny.toml", epochs=3, iterations=2)
    variables = {"CTSPINE_DATA": str(benchmark), "CTSPINE_WORK": str(folder / "work"), "OPENBLAS_NUM_THREADS": "1"}
    printed = []
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for words in typed("From the data to the row"):
            words = [word.replace("$CTSPINE_WORK", variables["CTSPINE_WORK"]) for word in words]  # noqa: PLW2901
            if words[:1] == ["ctspine-baseline"]:
                arguments = [str(recipe) if word == RECIPE else word for word in words[1:]]
                printed.append(f"$ {words[1]}\n{call(arguments, variables, folder)}")
            elif words[:1] == ["ctspine-bench"]:
                patch.setattr("sys.argv", words)
                with pytest.raises(SystemExit) as stop:
                    main()
                assert not stop.value.code
    (folder / "printed.txt").write_text("\n".join(printed), encoding="utf-8")
    return folder


@pytest.fixture
def run_here(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[[list[str]], str]:
    """Run ctspine-bench in this process, to a good end, and return what it printed."""

    def run(words: list[str]) -> str:
        monkeypatch.setattr("sys.argv", words)
        with pytest.raises(SystemExit) as stop:
            main()
        assert not stop.value.code
        return capsys.readouterr().out

    return run


@pytest.fixture(scope="module")
def printed(folder: Path) -> dict[str, str]:
    """Command → what it printed the last time."""
    parts = re.split(r"^\$ (\w+)\n", (folder / "printed.txt").read_text("utf-8"), flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


@pytest.fixture(scope="module")
def training(folder: Path) -> dict[str, Any]:
    """What the record says about the training."""
    results = read_record(folder / "work" / "submissions" / "tiny").results
    assert results
    found: dict[str, Any] = results["training"]
    return found


def training_folder(folder: Path) -> Path:
    """Where nnU-Net has trained."""
    (found,) = (folder / "work" / "nnUNet_results").glob("*/CTSpineTrainerShort__nnUNetPlans__3d_narrow/fold_all")
    return found


def test_every_case_has_its_label_maps_on_its_own_grid(folder: Path, benchmark: Path) -> None:
    """Predicted labels lie where the references lie, and are vertebrae or background."""
    for test_set in SETS:
        (reference,) = (benchmark / test_set.removeprefix("phantom-") / "labels").rglob("*_seg.nii.gz")
        name = reference.name.replace("_seg", "")
        for variant in VARIANTS:
            predicted = read_labels(folder / "work" / "predictions" / variant / test_set / name)
            assert check_same_grid(read_labels(reference), predicted) == ()


def test_the_records_are_sound(folder: Path) -> None:
    """Both variants are complete baselines on three test sets, pass `submission verify`, and are ranked by a board."""
    submissions = folder / "work" / "submissions"
    for name in VARIANTS:
        record = read_record(submissions / name)
        assert (record.declaration.kind, record.declaration.coverage) == ("baseline", "complete")
        assert record.results
        assert set(record.results["test_sets"]) == set(SETS)
        assert record.cases is not None
        assert not (record.cases["test_set"] == "phantom-private").any()
    assert {finding.state for found in verify(submissions).values() for finding in found} <= {"ok", "not checked"}
    board = Board(submissions)
    assert {board.status(entry, "phantom-public") for entry in board.entries} == {"ranked"}
    assert board.flags(board.entries[0], "phantom-public") == ("baseline",)
    assert (folder / "standings.json").exists()
    assert (folder / "site" / "index.html").exists()


def test_the_provenance_is_complete(training: dict[str, Any]) -> None:
    """Digests of everything, versions, time and memory; the seed and the number of runs are said in words."""
    (stage,) = training["stages"]
    digests = [training[f"{name}_sha256"] for name in ("recipe", "cases", "dataset", "fingerprint", "plans")]
    digests += [stage["trainers_sha256"], stage["weights_sha256"]]
    assert all(re.fullmatch(r"[0-9a-f]{64}", digest) for digest in digests)
    assert (training["cases"], training["cases_left_out"], training["runs"]) == (4, [], 1)
    assert training["seed"].startswith("0, on a CPU in one process")
    assert (stage["epochs"], stage["sessions"], stage["parameters"] > 0) == (3, 1, True)
    assert {len(curve) for curve in stage["curves"].values()} == {3}
    assert stage["seconds"] > 0
    assert stage["peak_memory_gib"] > 0
    assert stage["versions"].keys() >= {"nnunetv2", "torch", "cuda", "python"}
    assert stage["hardware"]["cpu"]


def test_no_path_is_published(folder: Path, benchmark: Path) -> None:
    """Neither the record nor what it has digests of says where anything is on this machine."""
    (dataset,) = (folder / "work" / "nnUNet_preprocessed").glob("*/dataset.json")
    published = [
        *(folder / "work" / "submissions" / "tiny").glob("*.[jy]*"),
        dataset,
        dataset.with_name("nnUNetPlans.json"),
    ]
    for path in published:
        for place in (folder, benchmark, Path.home()):
            assert str(place) not in path.read_text("utf-8")


def test_all_steps_once_more_do_nothing_but_score(printed: dict[str, str], folder: Path) -> None:
    """The last call of `run`, after all steps: nothing was trained or predicted again."""
    assert "Scoring" in printed["run"]
    assert "Training" not in printed["run"]
    assert "Predicting" not in printed["run"]
    assert len(list(training_folder(folder).glob("training_log_*.txt"))) == 1
    assert "untrained" in printed["list"]


def test_the_parameters_are_those_of_the_network(folder: Path, training: dict[str, Any]) -> None:
    """As torch counts them in the network that nnU-Net builds from the plans."""
    program = (
        "import json, sys\n"
        "from nnunetv2.utilities.get_network_from_plans import get_network_from_plans\n"
        "from nnunetv2.utilities.plans_handling.plans_handler import PlansManager\n"
        "c = PlansManager(sys.argv[1]).get_configuration('3d_narrow')\n"
        "network = get_network_from_plans(c.network_arch_class_name, c.network_arch_init_kwargs,\n"
        "    c.network_arch_init_kwargs_req_import, 1, 26, deep_supervision=True)\n"
        "print(sum(parameter.numel() for parameter in network.parameters()))\n"
    )
    plans = training_folder(folder).parent / "plans.json"
    counted = subprocess.run([sys.executable, "-c", program, plans], capture_output=True, text=True, check=True)
    assert training["stages"][0]["parameters"] == int(counted.stdout.split()[-1])


def test_processes_that_nnunet_starts_know_the_trainers() -> None:
    """nnU-Net trains on several GPUs in processes that import the program again: the trainers are found there too."""
    child = Path(__file__).parents[1] / "spawned_trainers.py"
    done = subprocess.run([sys.executable, child], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["CTSpineTrainer"]


def test_an_interrupted_plan_goes_on(folder: Path, benchmark: Path) -> None:
    """Half a case that a killed run has left behind is made anew, and only that one."""
    (state,) = (folder / "work" / "nnUNet_preprocessed").glob("*/*.done.json")
    cases = state.with_name(state.name.removesuffix(".done.json"))
    kept = json.loads(state.read_text("utf-8"))
    broken = kept["cases"].pop()
    state.write_text(json.dumps(kept), encoding="utf-8")
    whole = (cases / f"{broken}.pkl").read_bytes()
    (cases / f"{broken}.pkl").unlink()
    (cases / f"{broken}.b2nd").write_bytes(b"half")
    others = {path: path.stat().st_mtime_ns for path in cases.iterdir() if not path.name.startswith(broken)}
    variables = {"CTSPINE_DATA": str(benchmark), "CTSPINE_WORK": str(folder / "work")}
    refused = start(["train", str(folder / "tiny.toml"), "--restart"], variables, folder)
    assert "all 4 training cases" in refused.communicate()[0]
    call(["plan", str(folder / "tiny.toml")], variables, folder)
    assert (cases / f"{broken}.pkl").read_bytes() == whole
    assert {path: path.stat().st_mtime_ns for path in others} == others
    assert len(json.loads(state.read_text("utf-8"))["cases"]) == 4


def test_the_commands_for_phantoms_are_as_they_stand_there(
    run_here: Callable[[list[str]], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The benchmark is made, of fewer cases, and both recipes say what they would do with it."""
    monkeypatch.chdir(tmp_path)
    said = []
    for words in typed("Without the data set"):
        if words[0] == "ctspine-bench":
            assert words[-2:] == ["--training-cases-per-source", "50"]
            run_here([*words[:-1], "1", "--cases-per-source", "1", "--verse-cases", "2"])
        elif words:
            said.append(call([*words[1:], "--dry-run"], {}, tmp_path))
    assert ["check 4 of 4 training cases" in each for each in said] == [True, True]
    assert "50 epochs of 100 iterations on CPU" in said[0]


def test_an_interrupted_training_ends_with_the_same_weights(
    folder: Path, benchmark: Path, training: dict[str, Any]
) -> None:
    """Trained anew, killed after its first epoch, and continued: bit by bit the network that was never interrupted.

    Meanwhile nobody else may train there, and predictions of the network before are not taken for those of the new one.
    """
    variables = {"CTSPINE_DATA": str(benchmark), "CTSPINE_WORK": str(folder / "work"), "OPENBLAS_NUM_THREADS": "1"}
    recipe = str(folder / "tiny.toml")
    log = folder / "work" / "logs" / "tiny" / "train.log"
    log.unlink()
    process = start(["train", recipe, "--restart"], variables, folder)
    while process.poll() is None and not (log.exists() and "Epoch 1\n" in log.read_text("utf-8").replace(" \n", "\n")):
        time.sleep(0.05)
    other = start(["train", recipe], variables, folder)
    assert "no other process that trains here" in other.communicate()[0]
    assert other.returncode == 1
    process.terminate()
    process.communicate()
    checkpoint = training_folder(folder) / "checkpoint_latest.pth"
    assert checkpoint.exists()
    assert not (training_folder(folder) / "checkpoint_final.pth").exists()
    assert "go on training" in call(["train", recipe, "--dry-run"], variables, folder)
    call(["train", recipe], variables, folder)
    outdated = start(["predict", recipe], variables, folder)
    assert "E_RUN" in outdated.communicate()[0]
    for variant in VARIANTS:
        (folder / "work" / "predictions" / variant).rename(folder / variant)
    call(["run", recipe], variables, folder)
    results = read_record(folder / "work" / "submissions" / "tiny").results
    assert results
    (stage,) = results["training"]["stages"]
    assert stage["sessions"] == 2
    assert stage["weights_sha256"] == training["stages"][0]["weights_sha256"]
    for path in (folder / "tiny").glob("*/*.nii.gz"):
        assert (
            path.read_bytes() == (folder / "work" / "predictions" / "tiny" / path.parent.name / path.name).read_bytes()
        )


def test_a_spine_is_learned(benchmark: Path, tmp_path: Path) -> None:
    """With all vertebrae as one label, 120 iterations suffice to find the spine of cases that were not in training."""
    recipe = str(write_recipe(tmp_path / "spine.toml", epochs=1, iterations=120, features=8))
    variables = {"CTSPINE_DATA": str(benchmark), "CTSPINE_WORK": str(tmp_path / "work"), "OPENBLAS_NUM_THREADS": "1"}
    call(["prepare", recipe], variables, tmp_path)
    (path,) = (tmp_path / "work" / "nnUNet_raw").glob("*/dataset.json")
    dataset = json.loads(path.read_text("utf-8"))
    dataset |= {"labels": {"background": 0, "spine": list(range(1, 26))}, "regions_class_order": [1]}
    path.write_text(json.dumps(dataset), encoding="utf-8")
    for step in ("plan", "train", "predict"):
        call([step, recipe], variables, tmp_path)
    for test_set in SETS:
        (reference,) = (benchmark / test_set.removeprefix("phantom-") / "labels").rglob("*_seg.nii.gz")
        (predicted,) = (tmp_path / "work" / "predictions" / "spine-largest-component" / test_set).glob("*.nii.gz")
        spine, found = read_labels(reference).labels > 0, read_labels(predicted).labels > 0
        assert 2 * np.sum(spine & found) / (spine.sum() + found.sum()) > 0.4
