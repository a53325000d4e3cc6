"""Texts, dates, durations and shares as people write them; never as YAML guesses them."""

from __future__ import annotations

import math
import re
import unicodedata
from datetime import date, datetime, timedelta
from typing import Annotated, Any, Literal, get_args

from pydantic import BeforeValidator, WithJsonSchema

Language = Literal["en", "zh"]
LANGUAGES: tuple[str, ...] = get_args(Language)
YEARS = range(1970, 2101)   # another year is a slip of the keyboard
MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}(:\d{2})?)?")
DURATION = re.compile(r"(\d{1,9}(?:\.\d+)?)\s*(second|minute|hour|day|week)s?")
NUMBER = re.compile(r"[+-]?(\d{1,3}(,\d{3})+|\d{1,3}(_\d{3})+|\d+)(\.\d+)?(e[+-]?\d+)?", re.IGNORECASE)
LONGEST = timedelta(days=36525)


def parse_text(text: Any) -> dict[str, str]:
    """One text for every language, or one per language."""
    texts = text if isinstance(text, dict) else {"": text}
    if not texts or not all(isinstance(value, str) and value.strip() for value in texts.values()):
        raise ValueError("expected a text, or one per language: {en: ..., zh: ...}")
    unknown = sorted(set(texts) - {"", *LANGUAGES})
    if unknown:
        raise ValueError(f"'{unknown[0]}' is not a language of reports; there is {', '.join(LANGUAGES)}")
    return dict(texts)


def plainly(text: Any) -> str:
    """What was written, with the full-width signs of Chinese input methods made plain: `＋３０％` is `+30%`."""
    return unicodedata.normalize("NFKC", str(text)).replace("−", "-").strip()


def parse_moment(text: Any) -> date | datetime:
    """A local day (`2025-11-11`) or a local time to the second (`2025-11-11 20:00`)."""
    if isinstance(text, date):
        return text
    written = plainly(text)
    try:
        if not MOMENT.fullmatch(written):
            raise ValueError
        moment = date.fromisoformat(written) if len(written) == 10 else datetime.fromisoformat(written)
    except ValueError:
        if MOMENT.fullmatch(written):
            raise ValueError(f"'{text}' is not on the calendar: no such month, day of it, or time of day") from None
        raise ValueError(f"'{text}' is not a day like 2025-11-11 or a time like 2025-11-11 20:00") from None
    if moment.year not in YEARS:
        raise ValueError(f"'{text}' is not between the years {YEARS[0]} and {YEARS[-1]}")
    return moment


def parse_duration(text: Any) -> timedelta:
    """`7 days`, `24 hours`, `90 minutes`, `2 weeks`; up to a hundred years."""
    if isinstance(text, timedelta):
        return text
    match = DURATION.fullmatch(plainly(text).lower())
    duration = timedelta(**{match[2] + "s": float(match[1])}) if match else timedelta()
    if not timedelta() < duration <= LONGEST:
        raise ValueError(f"'{text}' is not a duration like 7 days, 24 hours or 30 minutes")
    return duration


def parse_window(text: Any) -> timedelta | None:
    """A duration, or the word `none` for no limit: said, never assumed."""
    if text is None:
        raise ValueError("expected a duration like 7 days, or the word none; found nothing")
    return None if str(text).strip().lower() == "none" else parse_duration(text)


def parse_number(text: Any) -> float:
    """A plain finite number; thousands may be grouped: `10,000` or `10_000`."""
    number = math.nan
    if isinstance(text, int | float) and not isinstance(text, bool):
        number = float(text)
    elif NUMBER.fullmatch(plainly(text)):
        number = float(plainly(text).replace(",", "").replace("_", ""))
    if not math.isfinite(number):
        raise ValueError(f"'{text}' is not a number like 10000, 10,000 or 0.5")
    return number


def parse_share(text: Any) -> float:
    """`10%` or `0.1`, between 0 and 1."""
    written = plainly(text)
    try:
        share = parse_number(written[:-1]) / 100 if written.endswith("%") else parse_number(written)
    except ValueError:
        raise ValueError(f"'{text}' is not a share like 10% or 0.1") from None
    if not 0 <= share <= 1:
        meant = f"; write {written}%" if 1 < share <= 100 and not written.endswith("%") else ""
        raise ValueError(f"'{text}' is not between 0% and 100%{meant}")
    return share


def parse_change(text: Any) -> float:
    """`5%`, `-0.5%` or a plain number."""
    written = plainly(text)
    try:
        return parse_number(written[:-1]) / 100 if written.endswith("%") else parse_number(written)
    except ValueError:
        raise ValueError(f"'{text}' is not a change like 5% or a number like 0.3") from None


def _schema(pattern: str, examples: list[str], description: str) -> WithJsonSchema:
    return WithJsonSchema({
        "type": ["string", "number"], "pattern": f"^({pattern})$", "examples": examples, "description": description})


Text = Annotated[dict[str, str], BeforeValidator(parse_text), WithJsonSchema({"anyOf": [
    {"type": "string"},
    {"type": "object", "properties": {language: {"type": "string"} for language in LANGUAGES},
     "additionalProperties": False, "minProperties": 1}]})]
Moment = Annotated[date | datetime, BeforeValidator(parse_moment), WithJsonSchema({
    "type": "string", "pattern": f"^{MOMENT.pattern}$", "examples": ["2025-11-11", "2025-11-11 20:00"],
    "description": parse_moment.__doc__})]
Duration = Annotated[timedelta, BeforeValidator(parse_duration), _schema(
    DURATION.pattern, ["7 days", "24 hours"], "a duration")]
Window = Annotated[timedelta | None, BeforeValidator(parse_window), _schema(
    f"none|{DURATION.pattern}", ["7 days", "none"], "a duration, or none for no limit")]
Share = Annotated[float, BeforeValidator(parse_share), _schema(
    r"\d+(\.\d+)?\s*%?", ["10%", "0.1"], "a share between 0% and 100%")]
Number = Annotated[float, BeforeValidator(parse_number), _schema(
    NUMBER.pattern, ["10000"], "a number")]
