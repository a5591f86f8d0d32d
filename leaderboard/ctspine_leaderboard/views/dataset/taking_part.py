"""How to submit, and under which terms."""

from __future__ import annotations

from typing import Final

COMMANDS: Final = """\
ctspine-bench submission pack predictions/public public.tar --test-set public   # likewise private and verse
ctspine-bench submission new my-method                                          # asks, and writes submissions/my-method/
ctspine-bench submission validate submissions/my-method --archives .            # what continuous integration will say
"""  # noqa: E501
"""The three commands, as in the README."""

STEPS: Final = (
    "Pack the predictions, put the archives on the web, declare them in one file, open a pull request. The organizers "
    "score all three test sets; docs/submitting.md is the whole way, in ten minutes."
)
PROMISES: Final = (
    "A submission is data, never code. Of the private test set its team learns means over many cases and which files "
    "were refused, and nothing about single cases."
)
LICENCES: Final = (
    "Volumes and annotations of CTSpine1K are under CC BY-NC-SA 4.0, as their four sources are; this benchmark is "
    "under Apache-2.0. Every submission names a licence of its own. Whoever uses results is asked to cite the data set:"
)
