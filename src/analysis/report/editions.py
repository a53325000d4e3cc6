"""Where a report looks for other editions of its series, and what of them it is made from."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from analysis.data.editions import Record, previous, reports_of
from analysis.params import Params

KEY = "series.reports"
APART = ("since", "provenance")   # of a record: what no later edition looks at


def looks_in(params: Params, out: Path, overrides: Mapping[str, Any]) -> dict[str, str]:
    """The override by which a notebook finds editions where this run writes; empty for what is no edition."""
    if _series(params) is None or KEY in overrides:
        return {}
    return {KEY: os.path.relpath(out.absolute(), params.path.parent)}


def made_of_editions(params: Params, out: Path, overrides: Mapping[str, Any]) -> str:
    """SHA-256 of what the report takes from other editions; "" when from none."""
    if _series(params) is None:
        return ""
    before = previous(params, reports_of(params) if KEY in overrides else out)
    return digest([before] if before else [])


def digest(records: list[Record]) -> str:
    """Of what editions can be compared by: not of how they compare themselves, or every edition would be new."""
    told = [{key: value for key, value in record.content.items() if key not in APART} for record in records]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest() if told else ""


def _series(params: Params) -> Any:
    return getattr(params, "series", None)
