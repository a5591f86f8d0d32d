"""The leaderboard's rooms and who may import whom, read from the source."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "leaderboard" / "ctspine_leaderboard"

FLOORS = (
    {"settings", "tables", "facts", "downloads", "surface", "progress"},
    {"volumes"},
    {"views"},
    {"sections"},
    {"boards", "frame", "state", "export"},
    {"pages"},
    {"navigation", "serving"},
    {"__main__"},
)
"""The rooms from the ground up, as docs/ARCHITECTURE.md draws them."""

DOORS = {
    "streamlit": {"boards", "frame", "state", "pages", "navigation", "serving"},
    "jinja2": {"export"},
    "skimage": {"volumes"},
    "PIL": {"views"},
}
"""Library → the only rooms that may import it."""


def imports(path: Path) -> set[str]:
    """Absolute dotted names of what a file imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def room_of(path: Path) -> str:
    """The first part of a module's name below the package; the package itself is the empty string."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return "" if parts == ("__init__",) else parts[0]


FILES = {path: room_of(path) for path in PACKAGE.rglob("*.py")}


def own_rooms(path: Path) -> set[str]:
    """The rooms that a file imports from, its own left out."""
    prefix = "ctspine_leaderboard."
    return {name.removeprefix(prefix).split(".")[0] for name in imports(path) if name.startswith(prefix)} - {
        FILES[path]
    }


def test_every_room_lies_on_one_floor() -> None:
    """Each module of the package lies on exactly one floor, and each room of a floor exists."""
    assert sorted(room for rooms in FLOORS for room in rooms) == sorted(set(FILES.values()) - {""})


def test_imports_point_down() -> None:
    """A module imports from its own floor or from a lower one: views know no page, and the export no app."""
    floor_of = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
    stray = {
        (str(path.relative_to(PACKAGE)), room)
        for path, own in FILES.items()
        for room in own_rooms(path)
        if room in floor_of and floor_of[room] > floor_of.get(own, len(FLOORS))
    }
    assert stray == set()


def test_the_export_is_no_part_of_the_app() -> None:
    """The export needs nothing of Streamlit's side, and the app nothing of the export."""
    app = {"boards", "frame", "state", "pages", "navigation", "serving"}
    stray = {path.name for path, own in FILES.items() if own == "export" and own_rooms(path) & app}
    stray |= {path.name for path, own in FILES.items() if own in app and "export" in own_rooms(path)}
    assert stray == set()


@pytest.mark.parametrize("library", DOORS)
def test_each_library_has_its_door(library: str) -> None:
    """A heavy library is imported by the rooms that are its door and by no other, and no door is left unused."""
    users = {own for path, own in FILES.items() if any(name.split(".")[0] == library for name in imports(path))}
    assert users == DOORS[library]


def test_the_command_line_is_not_imported() -> None:
    """The leaderboard is started by the command line and imports nothing of it."""
    users = {path.name for path in FILES if any(name.startswith("ctspine_bench.cli") for name in imports(path))}
    assert users == set()
