"""Errors around private references: they stop the work and say nothing about a case; the details stay in the store."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING, TypeVar

from ctspine_bench.errors import CODES, CaseError, InputError, SubmissionError

if TYPE_CHECKING:
    from collections.abc import Callable

    from ctspine_bench.hosting.store import PrivateStore
    from ctspine_bench.testsets import TestSet

Result = TypeVar("Result")


def discreetly(test_set: TestSet, store: PrivateStore | None, action: Callable[[], Result]) -> Result:
    """Do something with the references of a test set; if they are private, errors say nothing about them.

    The error that is raised instead has no cause or context: whoever prints it prints no more than its own text.
    """
    if not test_set.private:
        return action()
    code = None
    try:
        return action()
    except SubmissionError:
        raise  # about the participant's files alone
    except Exception as error:  # noqa: BLE001 -- whatever it is, it may quote a private case
        details = traceback.format_exc()
        code = error.code if isinstance(error, InputError) else None
    where = f"{store.note_details(details)} of the private store" if store else "a private store, had one been given"
    if code is None:
        raise RuntimeError(f"scoring the {test_set.title} stopped unexpectedly; the details are in {where}")
    raise reference_error(test_set, code, CODES[code], where)


def reference_error(test_set: TestSet, code: str, found: str, where: str) -> CaseError:
    """Return the error of references that cannot be used; `where` says where the details are."""
    return CaseError(
        code,
        None,
        expected=f"references of the {test_set.title} that are all there and can be read",
        found=found,
        advice=f"This is for the organizers to mend: the details are in {where}.",
    )
