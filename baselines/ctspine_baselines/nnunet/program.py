"""`python -m ctspine_baselines.nnunet.program plan|preprocess|train|summarise|predict ARGUMENTS`.

`plan` and `train` are nnU-Net's own commands `nnUNetv2_plan_and_preprocess` and `nnUNetv2_train`, and take their
arguments. Trainers are registered whenever this file is imported, because nnU-Net trains on several GPUs in processes
that import it again; a module called `__main__` would not be.
"""

import os
import sys

from ctspine_baselines.nnunet.trainers import register

register()


def main() -> int:
    """Run one of the programs and return its exit code."""
    action, *sys.argv[1:] = sys.argv[1:]
    if action == "plan":
        from nnunetv2.experiment_planning.plan_and_preprocess_entrypoints import plan_and_preprocess_entry

        plan_and_preprocess_entry()
        return 0
    if action == "preprocess":
        from ctspine_baselines.nnunet.preprocessing import preprocess

        return preprocess(*sys.argv[1:])
    if action == "train":
        from ctspine_baselines.nnunet.training import train

        return train(sys.argv[1:])
    if action == "summarise":
        from ctspine_baselines.nnunet.summary import summarise

        return summarise(*sys.argv[1:])
    from ctspine_baselines.nnunet.predicting import predict

    return predict(*sys.argv[1:])


if __name__ == "__main__":
    # Libraries that compute in several threads would do so in every process of nnU-Net.
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    sys.exit(main())
