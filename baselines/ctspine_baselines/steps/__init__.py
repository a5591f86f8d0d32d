"""The steps from data to a submission, in their order.

Each is a module with two functions: `describe` says what it would do, with the state that things are in, and changes
nothing; `run` does it. What is done already is not done again.
"""

from collections.abc import Mapping
from typing import Final

from ctspine_baselines.steps import plan, predict, prepare, submit, train
from ctspine_baselines.steps.step import Step

STEPS: Final[Mapping[str, Step]] = {
    "prepare": prepare,
    "plan": plan,
    "train": train,
    "predict": predict,
    "submit": submit,
}
"""Step → its module, in the order in which `run` takes them."""
