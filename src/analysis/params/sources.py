"""Where a campaign's data lie and who counts."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, field_validator, model_validator

from analysis.params.address import ENV, Address, address
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
    """a .csv, .csv.gz or .parquet file, a glob of them, a folder of .parquet files or a .duckdb file, relative to this
    params file; or the address of a database: duckdb://, postgres://, spark:// or sc:// (Spark Connect)"""
    table: str = ""
    """name of the table in a database, such as public.events; on Spark also the path of Parquet files there"""
    password: str = ""
    """name of the environment variable that holds the database's password, or Spark Connect's token"""
    columns: dict[str, str] = {}
    """our name -> the file's name, where they differ"""
    values: dict[str, str] = {}
    """our name -> the same value for every row, where the file has no such column"""
    where: dict[str, Values] = {}
    """the file's column -> the value or values of the rows to keep"""
    time_zone: str = ""
    """zone of times written without one; the campaign's when empty"""

    _zone = field_validator("time_zone")(lambda zone: known_zone(zone) if zone else zone)

    @property
    def address(self) -> Address | None:
        """The address of the database; None for files."""
        return address(self.path)

    @property
    def shown(self) -> str:
        """The path as it was written, or the database's address and table without what is secret."""
        return self.path if self.address is None else f"{self.address.shown} {self.table}"

    @field_validator("path")
    @classmethod
    def _is_file_or_known_address(cls, path: str) -> str:
        address(path)
        return path

    @field_validator("password")
    @classmethod
    def _is_name_of_variable(cls, password: str) -> str:
        if not re.fullmatch(r"([A-Z_][A-Z0-9_]*)?", password):  # not shown: it may be the password itself
            raise ValueError("is not the name of an environment variable, in capitals like ANALYTICS_DB_PASSWORD; "
                             f"{ENV}")
        return password

    @model_validator(mode="after")
    def _says_what_its_database_needs(self) -> Source:
        place = self.address
        if self.table and place is None and self.path.lower().endswith((".csv", ".csv.gz", ".parquet")):
            raise ValueError(f"'{self.path}' is a file of one table; leave `table:` out")
        if place and not self.table:
            raise ValueError(f"'{place.shown}' is a database: say `table:` too")
        if self.password and (place is None or place.is_local or place.scheme not in ("postgres", "sc")):
            raise ValueError("`password:` is for a database at postgres:// or sc://; leave it out")
        return self


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

    @property
    def server(self) -> Source | None:
        """The first source that lies on a server: the engine of the whole campaign."""
        return next((source for source in self.all() if source.address and source.address.is_server), None)

    def all(self) -> list[Source]:
        """Of every table, in order."""
        return [source for name in type(self).model_fields for source in getattr(self, name) or ()]

    @model_validator(mode="after")
    def _on_one_server(self) -> Sources:
        servers = {source.address: None for source in self.all() if source.address and source.address.is_server}
        if len(servers) > 1:
            first, second, *_ = (place.shown for place in servers)
            names = f"'{first}' and '{second}'" if first != second else f"'{first}' as two users or with two options"
            raise ValueError(f"one campaign is counted on one server, and these are {names}: bring the smaller tables "
                             "to the other, or export them as Parquet")
        return self


class Population(Part):
    """Who counts."""

    consent: str = ""
    """column of users that must be true for a user to be analysed"""
    where: dict[str, Values] = {}
    """column of users -> the value or values that count"""
    unassigned: str = ""
    """name of the group of users without an assignment; when empty they are left out, and counted"""
