"""Copy the submissions of networks that were trained on the phantom benchmark into the package, for the demo.

ctspine-bench phantom phantom --images --training-cases-per-source 50
ctspine-baseline run nnunet-phantom --data phantom --work phantom-work --device cpu
python baselines/ship_networks.py phantom-work
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from ctspine_bench.phantom.benchmark import TEST_SETS

NETWORKS = Path(__file__).parents[1] / "ctspine_bench" / "phantom" / "networks"


def ship(work: Path) -> None:
    """Replace what is in the package by the records and predictions in a work folder."""
    for record in sorted((work / "submissions").iterdir()):
        folder = NETWORKS / record.name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for file in record.glob("[!.]*"):
            shutil.copyfile(file, folder / file.name)
        for test_set in TEST_SETS:
            predictions = work / "predictions" / record.name / f"phantom-{test_set}"
            shutil.copytree(predictions, folder / "predictions" / test_set, ignore=shutil.ignore_patterns(".*"))


if __name__ == "__main__":
    ship(Path(sys.argv[1]))
