"""`--label-map`: a name or a YAML file.

```yaml
name: my-model          # optional; the file name otherwise
labels: {27: L5, 28: L4, 26: background}
others: background      # optional: values that are not listed are background, not an error
masks: {vertebrae_L5: L5}   # optional: file stems, for a folder with one mask for each vertebra
```
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from ctspine_bench.anatomy import BACKGROUND, LABEL_MAPS, LabelMap, vertebra_label
from ctspine_bench.errors import FileError, LabelError
from ctspine_bench.yaml_files import parse_yaml

_KEYS: Final = frozenset({"name", "labels", "others", "masks"})
_MAX_BYTES: Final = 1_000_000
_MAX_VALUE: Final = 65_535


def read_label_map(label_map: LabelMap | Path | str | None) -> LabelMap | None:
    """Return the label map of this name or in this YAML file; `None` and a `LabelMap` as they are.

    Raises:
        LabelError: `E_LABEL_MAP` for an unknown name or an invalid file.
        FileError: `E_NOT_FOUND`.
    """
    if label_map is None or isinstance(label_map, LabelMap):
        return label_map
    if isinstance(label_map, str) and label_map in LABEL_MAPS:
        return LABEL_MAPS[label_map]
    path = Path(label_map)
    if path.is_file():
        return _parse(path)
    if path.suffix.lower() in {".yaml", ".yml"}:
        advice = "Check the path of the label map."
        raise FileError("E_NOT_FOUND", path, expected="a YAML file", found="no such file", advice=advice)
    raise _error(path, f"one of {', '.join(LABEL_MAPS)}, or a YAML file", f"{str(label_map)!r}")


def _parse(path: Path) -> LabelMap:
    with path.open("rb") as file:
        text = file.read(_MAX_BYTES + 1)
    try:
        content = parse_yaml(text, max_bytes=_MAX_BYTES)
    except ValueError as error:
        raise _error(path, "plain YAML", str(error)) from None
    if not isinstance(content, dict) or not content.keys() <= _KEYS:
        found = f"the keys {', '.join(map(str, content))}" if isinstance(content, dict) else f"{content!r:.80}"
        raise _error(path, f"a mapping with the keys {', '.join(sorted(_KEYS))}", found)
    return _build(path, content)


def _build(path: Path, content: dict[str, Any]) -> LabelMap:
    name, others = content.get("name", path.stem), content.get("others")
    if not isinstance(name, str):
        raise _error(path, "a text as name", f"{name!r:.80}")
    if others not in {None, "background"}:
        raise _error(path, "others: background, or nothing", f"others: {others!r:.80}")
    labels, masks = (_section(path, content, key) for key in ("labels", "masks"))
    if not labels and not masks:
        raise _error(path, "labels or masks", "neither")
    values = {BACKGROUND: BACKGROUND}
    for value, vertebra in labels.items():
        # YAML reads yes and no as booleans, which Python counts among the integers.
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _MAX_VALUE:
            raise _error(path, f"integers 0–{_MAX_VALUE} as voxel values in labels", f"{value!r:.80}")
        values[value] = _label(path, vertebra)
    if values[BACKGROUND] != BACKGROUND:
        raise _error(path, "0 to be background", f"0: {labels[BACKGROUND]}")
    for stem in masks:
        if not isinstance(stem, str):
            raise _error(path, "file names without .nii.gz in masks", f"{stem!r:.80}")
    stems = {stem: _label(path, vertebra) for stem, vertebra in masks.items()}
    if BACKGROUND in stems.values():
        raise _error(path, "a vertebra for each mask", "background; leave that mask out")
    return LabelMap(name=name, values=values, ignore_others=others is not None, masks=stems)


def _section(path: Path, content: dict[str, Any], key: str) -> dict[Any, Any]:
    section = content.get(key, {})
    if not isinstance(section, dict):
        raise _error(path, f"a mapping under {key}", f"{section!r:.80}")
    return section


def _label(path: Path, vertebra: object) -> int:
    if vertebra == "background":
        return BACKGROUND
    try:
        return vertebra_label(vertebra)  # type: ignore[arg-type]
    except (ValueError, TypeError):
        raise _error(path, "C1–C7, T1–T12, L1–L6 or background", f"{vertebra!r:.80}") from None


def _error(path: Path, expected: str, found: str) -> LabelError:
    advice = (
        "A valid file is `labels: {0: background, 1: L5, 2: L4}`, with `others: background` if all other values are."
    )
    return LabelError("E_LABEL_MAP", path, expected=expected, found=found, advice=advice)
