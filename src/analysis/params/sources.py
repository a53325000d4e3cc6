"""Where a campaign's data lie and who counts."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, field_validator

from analysis.params.part import Part
from analysis.params.period import known_zone


def _listed(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


def _or_one(schema: dict[str, Any]) -> None:
    """In the JSON schema: a list, or one of what it lists."""
    array = dict(schema)
    schema.clear()
    schema["anyOf"] = [array["items"], array]


Values = Annotated[list[str], BeforeValidator(_listed), Field(min_length=1, json_schema_extra=_or_one)]


class Source(Part):
    """Where rows of one table lie and what their columns are called there."""

    path: str
    """a .csv, .csv.gz or .parquet file, a glob of them, or a .duckdb file; relative to this params file"""
    table: str = ""
    """name of the table, for a .duckdb file"""
    columns: dict[str, str] = {}
    """our name -> the file's name, where they differ"""
    values: dict[str, str] = {}
    """our name -> the same value for every row, where the file has no such column"""
    where: dict[str, Values] = {}
    """the file's column -> the value or values of the rows to keep"""
    time_zone: str = ""
    """zone of times written without one; the campaign's when empty"""

    _zone = field_validator("time_zone")(lambda zone: known_zone(zone) if zone else zone)


SourceList = Annotated[list[Source], BeforeValidator(_listed), Field(min_length=1, json_schema_extra=_or_one)]


class Sources(Part):
    """The tables; each one source or a list of sources with the same columns."""

    users: SourceList | None = None
    """one row per user: user_id, registered_at (optional), and any attribute to group by"""
    assignments: SourceList | None = None
    """one row per user: user_id, variant, assigned_at (optional: the start of the period)"""
    events: SourceList | None = None
    """one row per event: user_id, event, occurred_at, event_id (optional), and any property"""
    orders: SourceList | None = None
    """one row per order: user_id, ordered_at, amount, order_id (optional), and any number to sum"""
    costs: SourceList | None = None
    """one row per payment: item, amount"""


class Population(Part):
    """Who counts."""

    consent: str = ""
    """column of users that must be true for a user to be analysed"""
    where: dict[str, Values] = {}
    """column of users -> the value or values that count"""
    unassigned: str = ""
    """name of the group of users without an assignment; when empty they are left out, and counted"""
