"""A case's events as a table of an engine, and its values as the params write them."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import ibis
import pyarrow as pa

from analysis.facts.fold.feed import matches
from analysis.params.counting import Match
from tests.engines import loaded


def event_log(connection, events: list[list], columns: set[str] = frozenset()):
    """user_id, event, at (UTC, naive), and a text column per property; those asked for are there even if empty."""
    props = [row[3] if len(row) > 3 and row[3] else {} for row in events]
    names = sorted({*columns, *(name for row in props for name in row)})
    clash = {"user_id", "event", "at"} & set(names)
    assert not clash, f"properties called {clash}"
    schema = pa.schema([("user_id", pa.string()), ("event", pa.string()), ("at", pa.timestamp("us")),
                        *((name, pa.string()) for name in names)])
    rows = {"user_id": [row[0] for row in events], "event": [row[1] for row in events],
            "at": [instant(row[2]).replace(tzinfo=None) for row in events],
            **{name: [text(row.get(name)) for row in props] for name in names}}
    return loaded(connection, "case_events", pa.table(rows, schema=schema))


def instant(written: str) -> datetime:
    """An ISO time; UTC."""
    return datetime.fromisoformat(written)


def text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value)


def texts(value: Any) -> list[str | None]:
    """One value or several, as text."""
    return [text(v) for v in value] if isinstance(value, list) else [text(value)]


def match(condition: dict) -> dict:
    """A case's condition as the params write one."""
    rest = {k: v for k, v in condition.items() if k not in ("event", "where", "range", "occurrence")}
    assert not rest, f"keys of a condition that are not understood: {sorted(rest)}"
    where = condition.get("where") or {}
    made = {"event": condition["event"] or "",
            "where": {column: texts(v) for column, v in where.items() if v is not None},
            "missing": [k for k, v in where.items() if v is None]}
    if condition.get("range"):
        made["range"] = dict(bounds(*item) for item in condition["range"].items())
    return made


def conditions(written: Any) -> list[dict]:
    """Conditions of which any may hold: none, a name, one as a case writes it, or several."""
    several = written if isinstance(written, list) else [written]
    return [one if isinstance(one, dict) else {"event": one} for one in several]


def any_of(events, wanted: list[dict]):
    """The rows that one of the conditions means."""
    return events.filter(ibis.or_(*[matches(events, Match.model_validate(match(one))) for one in wanted]))


def bounds(column: str, span: Any) -> tuple[str, list]:
    least, most = (span["min"], span["max"]) if isinstance(span, dict) else span
    return column, [-1e300 if least is None else least, 1e300 if most is None else most]


def columns_of(condition: dict) -> set[str]:
    return {*(condition.get("where") or {}), *(condition.get("range") or {})}
