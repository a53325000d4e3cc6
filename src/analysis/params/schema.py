"""The JSON schema of a campaign file, so that editors complete and check it."""

from __future__ import annotations

import json
from typing import Any

from analysis.params.model import Campaign

SCALARS = ["string", "number", "boolean"]


def schema() -> str:
    """The text of `params/schema.json`."""
    tree = {"$schema": "https://json-schema.org/draft/2020-12/schema", **_as_read(Campaign.model_json_schema())}
    return json.dumps(tree, indent=1, ensure_ascii=False) + "\n"


def _as_read(node: Any) -> Any:
    """Every scalar of a file is read as text, so `8` may stand where a text is wanted, and `"8"` for a number."""
    if isinstance(node, list):
        return [_as_read(item) for item in node]
    if not isinstance(node, dict):
        return node
    node = {key: _as_read(value) for key, value in node.items()}
    if node.get("type") == "string" and not {"enum", "pattern"} & node.keys():
        node["type"] = SCALARS
    elif node.get("type") == "integer":
        node |= {"type": ["integer", "string"], "pattern": r"^\d+$"}
    return node
