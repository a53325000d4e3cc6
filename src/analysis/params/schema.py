"""The JSON schema of a campaign file, so that editors complete and check it."""

from __future__ import annotations

import json

from analysis.params.model import Campaign


def schema() -> str:
    """The text of `params/schema.json`."""
    tree = {"$schema": "https://json-schema.org/draft/2020-12/schema", **Campaign.model_json_schema()}
    return json.dumps(tree, indent=1, ensure_ascii=False) + "\n"
