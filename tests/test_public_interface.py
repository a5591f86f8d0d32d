"""What the package promises to others: its names and its error codes."""

from __future__ import annotations

import ast
import inspect
import re
from itertools import pairwise
from pathlib import Path

import pytest

import ctspine_bench
from ctspine_bench.errors import CODES

PACKAGE = Path(ctspine_bench.__file__).parent
BASELINES = PACKAGE.parent / "baselines" / "ctspine_baselines"


def described_constants() -> set[str]:
    """Names of the package that are assigned at module level with a docstring beneath."""
    return {
        ast.unparse(target)
        for path in PACKAGE.rglob("*.py")
        for statement, after in _pairs(path)
        if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant) and isinstance(after.value.value, str)
        for target in (statement.targets if isinstance(statement, ast.Assign) else [_target(statement)])
        if target is not None
    }


def _pairs(path: Path) -> list[tuple[ast.stmt, ast.stmt]]:
    body = ast.parse(path.read_text(encoding="utf-8")).body
    return list(pairwise(body))


def _target(statement: ast.stmt) -> ast.expr | None:
    return statement.target if isinstance(statement, ast.AnnAssign) else None


@pytest.mark.parametrize("name", ctspine_bench.__all__)
def test_every_public_name_is_there_and_described(name: str) -> None:
    """Each name of `__all__` can be imported and says in a docstring of its own what it is."""
    value = getattr(ctspine_bench, name)
    if inspect.isclass(value) or inspect.isroutine(value):
        description = vars(value).get("__doc__") if inspect.isclass(value) else value.__doc__
        assert description
        assert not description.startswith(f"{name}("), "that is the text which dataclass makes up"
    elif name != "__version__":  # everybody knows what that is
        assert name in described_constants()


def test_dir_shows_the_public_names() -> None:
    """`dir` has all of them, although they are imported on first use, and `__all__` has each once."""
    assert set(ctspine_bench.__all__) <= set(dir(ctspine_bench))
    assert len(ctspine_bench.__all__) == len(set(ctspine_bench.__all__))


def test_another_name_is_an_attribute_error() -> None:
    """What the package does not have is the usual error."""
    with pytest.raises(AttributeError, match="no_such_name"):
        ctspine_bench.no_such_name  # noqa: B018 -- looking it up is the test


def mentioned_codes() -> set[str]:
    """Every string in the source that looks like an error code, `errors.py` left out."""
    return {
        node.value
        for folder in (PACKAGE, BASELINES)
        for path in folder.rglob("*.py")
        if path != PACKAGE / "errors.py"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and re.fullmatch(r"E_[A-Z_]+", node.value)
    }


def test_every_error_code_is_used_and_every_used_one_is_known() -> None:
    """`errors.CODES` has the codes that the package and the baselines raise, no more and no fewer."""
    assert mentioned_codes() == CODES.keys()
