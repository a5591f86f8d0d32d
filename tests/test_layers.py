"""The house's rules about who imports whom, read from the source.

Arithmetic (left) knows no path, files (right) do no arithmetic, heavy libraries have one door each, nothing goes in
circles. Imports inside functions and for type checking count as well.
"""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = Path(__file__).parents[1] / "ctspine_bench"
FILES = sorted(PACKAGE.rglob("*.py"))

LEFT = {"comparison", "scoring", "metrics", "kernels"}
RIGHT = {
    "volumes", "cases", "testsets", "pairing", "published", "tables", "submissions", "archives", "isolation",
}  # fmt: skip
FLOORS = (
    {"errors", "anatomy", "records", "files", "workers", "yaml_files"},
    LEFT | RIGHT,
    {"aggregate", "summary", "jackknife", "provenance", "rankings", "domain_gap"},
    {"evaluate"},
    {"report", "charts", "phantom", "reference_check", "cross_check", "results", "hosting", "board", "own_runs"},
    {"cli"},
    {"__main__"},
)
"""The rooms from the ground up, as docs/ARCHITECTURE.md draws them."""

DOORS = {
    "numba": ["kernels"],  # the phantom compiles through kernels.compiling
    "llvmlite": ["kernels"],
    "nibabel": ["volumes", "phantom.write"],
    "isal": ["volumes", "phantom.write"],
    "click": ["cli"],
    "rich": ["cli", "report.progress", "report.terminal", "report.terminal_comparison", "report.terminal_standings"],
    "jinja2": ["report.html"],
    "markupsafe": ["report.html"],
    "plotly": ["charts", "report.html"],
    "PIL": ["report.pictures"],
    "yaml": ["yaml_files"],
    "pydantic": ["submissions", "hosting.comment"],
    "zstandard": ["archives"],
    "urllib3": ["archives.fetching"],
    "ctypes": ["isolation"],
    "resource": ["isolation"],
    "pyarrow": [],  # pandas calls it
    "SimpleITK": [],
    "streamlit": [],
    "torch": [],
    "surface_distance": ["cross_check"],
}
"""Library → the only modules of the package that may import it."""


def module_name(path: Path) -> str:
    """Dotted name below the package; the package itself is the empty string."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in FILES}


@cache
def tree(path: Path) -> ast.Module:
    """The syntax tree of a file."""
    return ast.parse(path.read_text(encoding="utf-8"))


def imported(path: Path) -> Iterator[str]:
    """Absolute dotted names of what a file imports, wherever in it; `from a import b` gives a.b."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def within(name: str, room: str) -> bool:
    """Whether a dotted name is a room or something in it."""
    return name == room or name.startswith(f"{room}.")


def own_imports(path: Path) -> set[str]:
    """The modules of the package that a file imports, without the package's own name."""
    names = {name.removeprefix("ctspine_bench.") for name in imported(path) if within(name, "ctspine_bench")}
    found = set()
    for name in names:
        # `a.b.c` is module a.b with the name c in it, or a module itself.
        if name in MODULES:
            found.add(name)
        elif name.rpartition(".")[0] in MODULES:
            found.add(name.rpartition(".")[0])
    return found - {""}


def room_of(module: str) -> str:
    """The first part of a dotted name."""
    return module.split(".", maxsplit=1)[0]


def test_there_is_something_to_read() -> None:
    """The rules below are checked on the whole package: its rooms are found and their imports seen."""
    assert own_imports(MODULES["comparison"]) >= {"anatomy", "errors", "records", "kernels.nearest"}
    assert own_imports(MODULES["evaluate"]) >= {"comparison", "volumes", "tables"}


@pytest.mark.parametrize(("one", "other"), [(LEFT, RIGHT), (RIGHT, LEFT)], ids=["left", "right"])
def test_the_two_sides_never_import_each_other(one: set[str], other: set[str]) -> None:
    """Arithmetic imports no file handling and file handling no arithmetic."""
    stray = {
        (module, target)
        for module, path in MODULES.items()
        if room_of(module) in one
        for target in own_imports(path)
        if room_of(target) in other
    }
    assert stray == set()


def floor_of(module: str) -> int:
    """The number of the floor on which a module lies, from the ground up."""
    (floor,) = (number for number, rooms in enumerate(FLOORS) if room_of(module) in rooms)
    return floor


def test_every_room_lies_on_one_floor() -> None:
    """Each module of the package lies on exactly one floor, and each room of a floor exists."""
    listed = sorted(room for rooms in FLOORS for room in rooms)
    assert listed == sorted({room_of(module) for module in MODULES} - {""})
    assert LEFT.isdisjoint(RIGHT)


def test_imports_point_down() -> None:
    """A module imports from its own floor or from a lower one."""
    stray = {
        (module, target)
        for module, path in MODULES.items()
        if module
        for target in own_imports(path)
        if floor_of(target) > floor_of(module)
    }
    assert stray == set()


def test_the_package_itself_imports_nothing_when_loaded() -> None:
    """`import ctspine_bench` loads no room: the public names are imported on first use."""
    assert runtime_imports(MODULES[""]) == set()


def test_the_drawing_shows_these_floors() -> None:
    """docs/ARCHITECTURE.md draws the same floors, from the top down, with the same two sides."""
    page = (PACKAGE.parent / "docs" / "ARCHITECTURE.md").read_text(encoding="utf-8")
    drawing = page.partition("## Who may import whom")[2].split("```")[1]
    assert [set(line.replace("‖", " ").split()) for line in drawing.split("\n") if line] == list(FLOORS[-2::-1])
    (sides,) = (line.split("‖") for line in drawing.split("\n") if "‖" in line)
    assert [set(side.split()) for side in sides] == [LEFT, RIGHT]


@pytest.mark.parametrize("library", DOORS)
def test_each_library_has_its_door(library: str) -> None:
    """A heavy library is imported by the modules that are its door and by no other, and no door is left unused."""
    users = {module for module, path in MODULES.items() if any(within(name, library) for name in imported(path))}
    assert {user for user in users if not any(within(user, door) for door in DOORS[library])} == set()
    assert {door for door in DOORS[library] if not any(within(user, door) for user in users)} == set()


def test_only_tables_touches_parquet() -> None:
    """Parquet goes through tables.py alone, by pandas' methods as well."""
    users = {
        module
        for module, path in MODULES.items()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Attribute) and node.attr in {"to_parquet", "read_parquet"}
    }
    assert users == {"tables"}


def test_leaderboard_and_baselines_are_not_imported() -> None:
    """The package starts them as programs; it does not import them."""
    doors = ("leaderboard", "baselines", "ctspine_leaderboard", "ctspine_baselines")
    users = {m for m, path in MODULES.items() if any(within(name, door) for name in imported(path) for door in doors)}
    assert users == set()


BASELINES = Path(__file__).parents[1] / "baselines" / "ctspine_baselines"
TORCH_ROOM = BASELINES / "nnunet"


def test_torch_and_nnunet_are_in_one_room() -> None:
    """Of the baselines, `nnunet` alone imports torch and nnU-Net; nothing else imports that room, it is started."""
    users = {
        path
        for path in BASELINES.rglob("*.py")
        for name in imported(path)
        if any(within(name, library) for library in ("torch", "nnunetv2", "ctspine_baselines.nnunet"))
    }
    assert users
    assert {path for path in users if TORCH_ROOM not in path.parents} == set()


def test_programs_do_not_import_each_other() -> None:
    """Baselines import neither the command line nor the leaderboard, the leaderboard neither of the others."""
    leaderboard = BASELINES.parents[1] / "leaderboard"
    stray = {
        (path.name, name)
        for folder, others in (
            (BASELINES, ("ctspine_bench.cli", "ctspine_leaderboard", "streamlit")),
            (leaderboard, ("ctspine_bench.cli", "ctspine_baselines", "torch")),
        )
        for path in folder.rglob("*.py")
        for name in imported(path)
        if any(within(name, other) for other in others)
    }
    assert stray == set()


def test_only_the_command_line_prints_and_exits() -> None:
    """`print` and `sys.exit` appear in cli alone."""
    users = set()
    for module, path in MODULES.items():
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Call):
                call = ast.unparse(node.func)
                if call in {"print", "exit", "sys.exit", "quit"}:
                    users.add(module)
    assert {user for user in users if not within(user, "cli")} <= {"__main__"}


def runtime_imports(path: Path) -> set[str]:
    """What a file of the package imports when it is loaded: at module level, not for type checking."""
    body = [node for node in tree(path).body if isinstance(node, ast.Import | ast.ImportFrom)]
    names = []
    for node in body:
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        else:
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    own = {name.removeprefix("ctspine_bench.") for name in names if within(name, "ctspine_bench")}
    return {n if n in MODULES else n.rpartition(".")[0] for n in own} & (MODULES.keys() - {""})


def test_no_import_goes_in_circles() -> None:
    """Modules can be put in an order in which each comes after all that it loads."""
    waiting = {module: runtime_imports(path) - {module} for module, path in MODULES.items()}
    done: set[str] = set()
    while ready := {module for module, needs in waiting.items() if needs <= done}:
        done |= ready
        waiting = {module: needs for module, needs in waiting.items() if module not in ready}
    assert waiting == {}


def test_metrics_are_pure() -> None:
    """No file of metrics/ or kernels/ imports anything that reads or writes files."""
    readers = ("pathlib", "os", "io", "gzip", "json", "pandas", "tempfile", "subprocess")
    users = {
        (module, name)
        for module, path in MODULES.items()
        if room_of(module) in {"metrics", "kernels", "comparison"}
        for name in imported(path)
        if any(within(name, reader) for reader in readers)
    }
    assert users == set()
