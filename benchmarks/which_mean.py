"""Which mean finds the better of two methods: how often each puts the one with 20 % less error first.

On simulated test sets with the fields of view of CTSpine1K (`interval_coverage.py`): 198 cases, two methods that are
equal but for the outline errors of the second, which are 20 % smaller. Also how much of the variance of the difference
in Mean of Vertebrae comes from C1 to T4, which few cases have.

    python benchmarks/which_mean.py
"""

from __future__ import annotations

import argparse

import numpy as np
from interval_coverage import simulate

C1_TO_T4 = slice(0, 11)


def means(dsc: np.ndarray, present: np.ndarray) -> dict[str, np.ndarray]:
    """The scores of both methods by each mean, from `(n, 25, 2)`; and the label means, `(25, 2)`."""
    n = present.sum(axis=0)
    labels = np.divide(dsc.sum(axis=0), n, out=np.full(n.shape, np.nan), where=n > 0)
    return {
        "labels": labels,
        "Mean of Vertebrae": np.nanmean(labels, axis=0),
        "per-case mean": (dsc.sum(axis=1) / present.sum(axis=1)).mean(axis=0),
        "mean over all vertebrae": dsc.sum(axis=(0, 1)) / n.sum(axis=0),
    }


def main() -> None:
    """Simulate and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=4000)
    parser.add_argument("--seed", type=int, default=20210705)
    arguments = parser.parse_args()
    rng = np.random.default_rng(arguments.seed)
    first: dict[str, int] = {}
    differences = []
    for _ in range(arguments.repeats):
        dsc, present, _ = simulate(198, 2, rng)
        better = dsc[:, :, 1]
        better[better > 0] = 1 - 0.8 * (1 - better[better > 0])
        found = means(dsc, present)
        labels = found.pop("labels")
        differences.append(np.nan_to_num(labels[:, 1] - labels[:, 0]) / np.count_nonzero(~np.isnan(labels[:, 0])))
        for name, (one, other) in found.items():
            first[name] = first.get(name, 0) + (other > one)
    for name, count in first.items():
        print(f"{name}: the better method is first in {count / arguments.repeats:.0%} of {arguments.repeats} sets")
    of_labels = np.array(differences)
    share = of_labels[:, C1_TO_T4].sum(axis=1).var() / of_labels.sum(axis=1).var()
    print(f"C1 to T4 carry {share:.0%} of the variance of a difference in Mean of Vertebrae")


if __name__ == "__main__":
    main()
