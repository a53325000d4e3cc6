"""What is counted per user, and what was promised."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from analysis.params.part import Part, suggest
from analysis.params.sources import Values
from analysis.params.values import Duration, Moment, Number, Share, parse_number, parse_share, plainly

Role = Literal["primary", "secondary", "guardrail", "described"]
Direction = Literal["higher", "lower"]


class Metric(Part):
    """One number per user: exactly one of count, sum, any, ratio says how it is made."""

    count: str = ""
    """table whose rows are counted: events, orders, users"""
    sum: str = ""
    """table.column that is summed: orders.amount"""
    any: str = ""
    """table; 1 for a user with at least one row, else 0: the share of users who did"""
    ratio: list[str] = Field(default=[], json_schema_extra={"maxItems": 2})
    """[numerator, denominator]: two other metrics, summed over users and divided"""
    where: dict[str, Values] = {}
    """column of the table -> the value or values of the rows that count"""
    role: Role = "secondary"
    """primary (exactly one), secondary, guardrail (must not be harmed), or described (shown, never tested)"""
    family: str = ""
    """secondary: metrics of the same family are corrected together; all that name none are one family"""
    better: Direction = "higher"
    """which way is better"""
    unit: str = ""
    """unit of the number: the currency's code, orders, minutes, ..."""
    window: Duration | None = None
    """count what happens within this time of a user's assignment; the period when empty"""
    over: Literal["period", "after", "both"] = "period"
    """when to count: the period; the time after it, to see what was only moved forward; or both together"""
    margin: Share | None = None
    """guardrail: the relative loss that can be borne, such as 2%"""

    @property
    def kind(self) -> str:
        return next(kind for kind in ("count", "sum", "any", "ratio") if getattr(self, kind))

    @property
    def table(self) -> str:
        return "" if self.ratio else (self.count or self.any or self.sum).split(".")[0]

    @property
    def is_per_user(self) -> bool:
        """Whether it is one number per user, not a ratio of two of them."""
        return not self.ratio

    @property
    def time(self) -> tuple[str, timedelta | None]:
        """When it is counted; metrics of the same time are made together."""
        return self.over, self.window

    @property
    def has_phases(self) -> bool:
        """Whether the same can be counted before, during and after the campaign."""
        return self.window is None and self.over == "period"

    @model_validator(mode="after")
    def _one_way(self) -> Metric:
        ways = [kind for kind in ("count", "sum", "any", "ratio") if getattr(self, kind)]
        if len(ways) != 1:
            raise ValueError(f"say exactly one of count, sum, any, ratio; found {', '.join(ways) or 'none'}")
        if self.ratio and (len(self.ratio) != 2 or self.where or self.window or self.over != "period"):
            raise ValueError("ratio names two other metrics, and their own where, window and over hold")
        if self.window and self.over != "period":
            raise ValueError("window and over are two different times; say one")
        if self.sum and not re.fullmatch(r"[^.]+\.[^.]+", self.sum):
            raise ValueError(f"sum '{self.sum}' is not table.column, like orders.amount")
        if self.table and self.table not in METRIC_TABLES:
            raise ValueError(f"'{self.table}' is not a table{suggest(self.table, METRIC_TABLES)}")
        if self.family and self.role != "secondary":
            raise ValueError(f"family '{self.family}' is said of a {self.role} metric; only secondary ones have one")
        if (self.role == "guardrail") != (self.margin is not None):
            raise ValueError("a guardrail needs a margin, and only a guardrail has one")
        return self


METRIC_TABLES = ("events", "orders", "users")


class Target(BaseModel):
    """What a goal asks for: a change against a baseline, or a level."""

    model_config = ConfigDict(frozen=True)
    change: float | None = None
    level: float | None = None


def parse_target(text: Any) -> Target:
    """`+30%` asks for a change, `10000` or `30%` for a level."""
    if isinstance(text, Target):
        return text
    written = plainly(text)
    try:
        if written[:1] in "+-" and written.endswith("%"):
            return Target(change=parse_number(written[:-1]) / 100)
        if written[:1] not in "+-":
            return Target(level=parse_share(written) if written.endswith("%") else parse_number(written))
    except ValueError:
        pass
    raise ValueError(f"'{text}' is not a change like +30% or a level like 10000 or 30%")


class Goal(Part):
    """What was promised."""

    metric: str
    """name of a metric of this file"""
    target: Annotated[Target, BeforeValidator(parse_target), WithJsonSchema(
        {"type": ["string", "number"], "pattern": r"^[+\-−]?\d[\d_,.]*\s*%?$", "examples": ["+30%", "10000"]})]
    """+30% for a change against the baseline; 10000 or 30% for a level"""
    baseline: Literal["before", "control"] | Number = "before"
    """for a change: before (the baseline period), control (the control arm) or a number"""
    measure: Literal["total", "per_user"] = "total"
    """total over all users, or the mean (share) per user"""
    priority: int = Field(default=1, ge=1)
    """1 decides when goals conflict"""
    deadline: Moment | None = None
    """day by which it must be reached; the end of the period when empty"""

    @field_validator("baseline", mode="wrap")
    @classmethod
    def _baseline(cls, value: Any, handler: Any) -> Any:
        try:
            return handler(value)
        except ValidationError:
            raise ValueError(f"'{value}' is not before, control or a number") from None
