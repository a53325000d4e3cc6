"""Where a report looks for other editions of its series, and what of them it is made from."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from analysis.data.editions import Record, editions, previous, reports_of
from analysis.params import Campaign, Editions, Params

APART = ("since", "provenance")   # of a record: what no later edition looks at


def looks_in(params: Params, out: Path, overrides: Mapping[str, Any]) -> dict[str, str]:
    """The override by which a notebook finds editions where this run writes; empty for what is no edition."""
    key = _key(params)
    return {} if not key or key in overrides else {key: os.path.relpath(out.absolute(), params.path.parent)}


def made_of_editions(params: Params, out: Path, overrides: Mapping[str, Any]) -> str:
    """SHA-256 of what the report takes from other editions; "" when from none."""
    key = _key(params)
    if not key:
        return ""
    reports = reports_of(params) if key in overrides else out
    if isinstance(params, Editions):
        return digest(editions(reports, params.editions))
    before = previous(params, reports)
    return digest([before] if before else [])


def digest(records: list[Record]) -> str:
    """Of what editions can be compared by: not of how they compare themselves, or every edition would be new."""
    told = [{key: value for key, value in record.content.items() if key not in APART} for record in records]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest() if told else ""


def turn_of(params: Any) -> tuple[str, tuple]:
    """The series that params are of ("" for none), and their place: editions as they began, then a report on all."""
    if isinstance(params, Editions):
        return params.editions, (1, "", "", params.name)
    if isinstance(params, Campaign) and params.series:
        return params.series.name, (0, str(params.period.start), str(params.period.end), params.name)
    return "", ()


def _key(params: Params) -> str:
    """The key that says where the reports are; "" for what has to do with no series."""
    if isinstance(params, Editions):
        return "reports"
    return "series.reports" if getattr(params, "series", None) else ""
