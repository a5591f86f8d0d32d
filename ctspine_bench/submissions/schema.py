"""The JSON Schema of `submission.yaml`, for editors and other programs.

It says what can be said of single fields; `ctspine-bench submission validate` knows more.
"""

from __future__ import annotations

import json
from typing import Any, Final

from ctspine_bench.submissions.declaration import Declaration

SCHEMA_FILE: Final = "submission.schema.json"
"""Its name in the folder of all submissions, where it is checked in."""


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of `submission.yaml`."""
    schema = Declaration.model_json_schema()
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": "submission.yaml",
        "allOf": [
            _rule("kind", "scored", required=["test_sets"], absent=["source"]),
            _rule("kind", "published", required=["source"], absent=["test_sets"]),
            _rule("kind", "baseline", required=[], absent=["source", "test_sets"]),
            _rule("kind", "simulated", required=[], absent=["source", "test_sets"]),
            _rule("coverage", "partial", required=["coverage_reason"], absent=[]),
            _rule("coverage", "complete", required=[], absent=["coverage_reason"]),
        ],
    }


def schema_text() -> str:
    """Return the content of `SCHEMA_FILE`."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"


def _rule(field: str, value: str, *, required: list[str], absent: list[str]) -> dict[str, Any]:
    """What else must be there, or must not, where a field has a value."""
    then: dict[str, Any] = {"required": required, "properties": dict.fromkeys(absent, False)}
    return {"if": {"properties": {field: {"const": value}}, "required": [field]}, "then": then}
