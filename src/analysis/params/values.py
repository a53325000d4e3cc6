"""Dates, durations, shares and targets as people write them; never as YAML guesses them."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema

DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(second|minute|hour|day|week)s?")
NUMBER = re.compile(r"[+-]?(\d[\d_,]*)(\.\d+)?(e[+-]?\d+)?", re.IGNORECASE)


def parse_moment(text: Any) -> date | datetime:
    """A local day (`2025-11-11`) or a local time to the second (`2025-11-11 20:00`)."""
    if isinstance(text, date):
        return text
    try:
        return date.fromisoformat(text) if len(text) <= 10 else datetime.fromisoformat(text)
    except (TypeError, ValueError):
        raise ValueError(f"'{text}' is not a day like 2025-11-11 or a time like 2025-11-11 20:00") from None


def parse_duration(text: Any) -> timedelta:
    """`7 days`, `24 hours`, `90 minutes`, `2 weeks`."""
    if isinstance(text, timedelta):
        return text
    match = DURATION.fullmatch(str(text).strip().lower())
    if not match or float(match[1]) == 0:
        raise ValueError(f"'{text}' is not a duration like 7 days, 24 hours or 30 minutes")
    return timedelta(**{match[2] + "s": float(match[1])})


def parse_window(text: Any) -> timedelta | None:
    """A duration, or the word `none` for no limit: said, never assumed."""
    return None if text is None or str(text).strip().lower() == "none" else parse_duration(text)


def parse_number(text: Any) -> float:
    """A plain number; thousands may be grouped: `10,000` or `10_000`."""
    if isinstance(text, int | float) and not isinstance(text, bool):
        return float(text)
    if not NUMBER.fullmatch(str(text).strip()):
        raise ValueError(f"'{text}' is not a number")
    return float(str(text).replace(",", "").replace("_", ""))


def parse_share(text: Any) -> float:
    """`10%` or `0.1`, between 0 and 1."""
    written = str(text).strip()
    try:
        share = parse_number(written[:-1]) / 100 if written.endswith("%") else parse_number(written)
    except ValueError:
        raise ValueError(f"'{text}' is not a share like 10% or 0.1") from None
    if not 0 <= share <= 1:
        raise ValueError(f"'{text}' is not between 0% and 100%")
    return share


def _schema(pattern: str, examples: list[str], description: str) -> WithJsonSchema:
    return WithJsonSchema(
        {"type": ["string", "number"], "pattern": pattern, "examples": examples, "description": description})


Moment = Annotated[date | datetime, BeforeValidator(parse_moment), WithJsonSchema(
    {"type": "string", "examples": ["2025-11-11", "2025-11-11 20:00"], "description": parse_moment.__doc__})]
Duration = Annotated[timedelta, BeforeValidator(parse_duration), _schema(
    DURATION.pattern, ["7 days", "24 hours"], "a duration")]
Window = Annotated[timedelta | None, BeforeValidator(parse_window), _schema(
    f"none|{DURATION.pattern}", ["7 days", "none"], "a duration, or none for no limit")]
Share = Annotated[float, BeforeValidator(parse_share), _schema(
    r"\d+(\.\d+)?%?", ["10%", "0.1"], "a share between 0% and 100%")]
Number = Annotated[float, BeforeValidator(parse_number), _schema(
    r"[+-]?[\d_,]+(\.\d+)?", ["10000"], "a number")]
