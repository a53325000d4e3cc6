"""The JSON schemas of params files, one for each kind, so that editors complete and check them."""

from __future__ import annotations

import json
from typing import Any

from analysis.params.editions import Editions
from analysis.params.experiments import Experiments
from analysis.params.model import Campaign
from analysis.params.part import Part

SCALARS = ["string", "number", "boolean"]


def schema() -> str:
    """The text of `params/schema.json`, for campaigns."""
    return _text(Campaign)


def experiments_schema() -> str:
    """The text of `params/experiments.schema.json`; an editor's message about one kind names no key of the other."""
    return _text(Experiments)


def editions_schema() -> str:
    """The text of `params/editions.schema.json`, for series of campaigns."""
    return _text(Editions)


def _text(kind: type[Part]) -> str:
    tree = {"$schema": "https://json-schema.org/draft/2020-12/schema", **_as_read(kind.model_json_schema())}
    needed = {key: part.pop("required", []) for key, part in [("", tree), *tree.get("$defs", {}).items()]}
    # a file that extends another says only what is special, at any depth; what it lacks then only `load` can know
    tree |= {"if": {"required": ["extends"]}, "else": {"required": needed[""]}}
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
