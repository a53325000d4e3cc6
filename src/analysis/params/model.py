"""What a campaign file can say. One default each, here and nowhere else."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, get_args
from zoneinfo import ZoneInfo, available_timezones

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from analysis.params.problem import Problem, dotted, line_of
from analysis.params.values import Duration, Moment, Share, Window, parse_number, parse_share

Language = Literal["en", "zh"]
LANGUAGES: tuple[str, ...] = get_args(Language)


def parse_text(text: Any) -> dict[str, str]:
    """One text for every language, or one per language."""
    texts = text if isinstance(text, dict) else {"": text}
    if not texts or not all(isinstance(value, str) and value.strip() for value in texts.values()):
        raise ValueError("expected a text, or one per language: {en: ..., zh: ...}")
    unknown = sorted(set(texts) - {"", *LANGUAGES})
    if unknown:
        raise ValueError(f"'{unknown[0]}' is not a language of reports; there is {', '.join(LANGUAGES)}")
    return dict(texts)


Text = Annotated[dict[str, str], BeforeValidator(parse_text), Field(json_schema_extra={
    "type": ["string", "object"], "propertyNames": {"enum": list(LANGUAGES)}})]


def suggest(word: str, words: Any) -> str:
    """` (did you mean 'x'?)` or the words there are."""
    known = sorted(str(w) for w in words)
    near = get_close_matches(str(word), known, n=1, cutoff=0.6)
    if near:
        return f" (did you mean '{near[0]}'?)"
    return f"; there is {', '.join(known)}" if 0 < len(known) <= 20 else ""


class Part(BaseModel):
    """A part of a campaign file: frozen, and a key it does not know is a mistake."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    @model_validator(mode="wrap")
    @classmethod
    def _name_the_key_that_was_meant(cls, value: Any, handler: Any) -> Any:
        try:
            return handler(value)
        except ValidationError as error:
            raise ValidationError.from_exception_data(cls.__name__, [
                InitErrorDetails(type=_better(cls, e), loc=e["loc"], input=e["input"])
                for e in error.errors()]) from None


def _better(part: type[BaseModel], error: Any) -> PydanticCustomError:
    key, kind = error["loc"][-1] if error["loc"] else "", error["type"]
    if kind == "extra_forbidden" and len(error["loc"]) == 1:
        message = f"unknown key{suggest(key, part.model_fields)}"
    elif kind == "literal_error":
        words = re.findall(r"'([^']*)'", error["ctx"]["expected"])
        message = f"'{error['input']}' is not one of {', '.join(words)}{suggest(error['input'], words)}"
        message = message.split("; there is")[0]
    elif kind == "missing" and len(error["loc"]) == 1:
        message = f"missing: {(part.model_fields[key].description or 'it must be said').splitlines()[0]}"
    elif kind in EXPECTED:
        message = f"expected {EXPECTED[kind]}, found {_shown(error['input'])}"
    else:
        message = error["msg"].removeprefix("Value error, ")
    return PydanticCustomError("params", "{message}", {"message": message})  # type: ignore[arg-type]


EXPECTED = {
    "string_type": "a text", "dict_type": "keys and values", "model_type": "keys and values",
    "model_attributes_type": "keys and values", "list_type": "a list", "int_parsing": "a whole number",
    "int_type": "a whole number",
}


def _shown(value: Any) -> str:
    kinds = {dict: "keys and values", list: "a list", type(None): "nothing"}
    return kinds.get(type(value), f"'{value}'")


class Period(Part):
    """Local days, both inclusive; or local times, the end exclusive."""

    start: Moment
    """first day (2025-11-11) or first instant (2025-11-11 20:00)"""
    end: Moment
    """last day, included; or the instant after the last"""

    @model_validator(mode="after")
    def _forward(self) -> Period:
        if self.interval("UTC")[0] >= self.interval("UTC")[1]:
            raise ValueError(f"the end {self.end} is before the start {self.start}")
        return self

    def interval(self, zone: str) -> tuple[datetime, datetime]:
        """First instant and the one after the last, both UTC."""
        return _instant(self.start, zone), _end(self.end, zone)

    @property
    def length(self) -> timedelta:
        """Wall-clock length, so that a day with a change of clocks is one day."""
        return self.interval("UTC")[1] - self.interval("UTC")[0]


def _instant(moment: date | datetime, zone: str) -> datetime:
    local = moment if isinstance(moment, datetime) else datetime.combine(moment, time())
    return (local if local.tzinfo else local.replace(tzinfo=ZoneInfo(zone))).astimezone(ZoneInfo("UTC"))


def _end(moment: date | datetime, zone: str) -> datetime:
    """A day as an end is included."""
    return _instant(moment if isinstance(moment, datetime) else moment + timedelta(days=1), zone)


def _listed(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


Values = Annotated[list[str], BeforeValidator(_listed), Field(
    json_schema_extra={"type": ["array", "string", "number", "boolean"]})]


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

    _zone = field_validator("time_zone")(lambda zone: _known_zone(zone) if zone else zone)


SourceList = Annotated[list[Source], BeforeValidator(_listed), Field(min_length=1)]


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


class Arms(Part):
    """The arms of a randomised campaign."""

    control: str
    """the arm that did not get the campaign; never inferred"""
    shares: dict[str, Share] = Field(min_length=2)
    """arm -> its planned share of the users; together 100%"""


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
    ratio: list[str] = Field(default=[], json_schema_extra={"minItems": 2, "maxItems": 2})
    """[numerator, denominator]: two other metrics, summed over users and divided"""
    where: dict[str, Values] = {}
    """column of the table -> the value or values of the rows that count"""
    role: Role = "secondary"
    """primary (exactly one), secondary, guardrail (must not be harmed), or described (shown, never tested)"""
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
        if self.sum and self.sum.count(".") != 1:
            raise ValueError(f"sum '{self.sum}' is not table.column, like orders.amount")
        if self.table and self.table not in METRIC_TABLES:
            raise ValueError(f"'{self.table}' is not a table{suggest(self.table, METRIC_TABLES)}")
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
    written = str(text).strip().replace("−", "-")
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
    target: Annotated[Target, BeforeValidator(parse_target), Field(
        json_schema_extra={"type": ["string", "number"], "properties": {}, "examples": ["+30%", "10000"]})]
    """+30% for a change against the baseline; 10000 or 30% for a level"""
    baseline: Literal["before", "control"] | Annotated[float, BeforeValidator(parse_number)] = "before"
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


class Funnel(Part):
    """Steps that a user takes in order; other events may lie between."""

    steps: list[str] = Field(min_length=2)
    """names of events, first to last"""
    window: Window
    """time from step 1 within which the rest must happen, or none"""
    entry: Literal["any", "first"] = "any"
    """any: the best of a user's entries counts; first: only the first"""
    order: Literal["ordered", "any"] = "ordered"
    """ordered: one step after the other; any: step k is reached by who did steps 1 to k in whatever order"""
    unit: str = "user"
    """user, or a column of events such as session_id"""
    by: list[str] = []
    """columns of events or users to split by; the value at entry counts"""
    period: Period | None = None
    """when users enter; the campaign's period when empty"""


class Retention(Part):
    """Who came back, on or after and on each period since the first time."""

    start: str = ""
    """event that starts a user's clock, the first in history; any event when empty"""
    returning: str = ""
    """event that counts as coming back; any event when empty"""
    every: Literal["day", "week", "month"] = "week"
    """length of a period, on the campaign's calendar; weeks begin on Monday"""
    n_periods: int = Field(default=8, ge=1, le=366)
    """periods after the first to follow"""
    cohorts: Period | None = None
    """when users start; the campaign's period when empty"""


def _known_zone(zone: str) -> str:
    if zone not in available_timezones():
        raise ValueError(f"'{zone}' is not a time zone like Asia/Shanghai{suggest(zone, available_timezones())}")
    return zone


def _near(path: Path) -> str:
    """The path as one would type it from here."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


class Campaign(Part):
    """One campaign, one file, one report. The file's name is the campaign's."""

    title: Text
    """what the report is headed"""
    question: Text
    """the question that the reviewer wants answered"""
    owner: str
    """who answers for the campaign: a team or a role, not a private person's data"""
    languages: list[Language] = Field(default=["en"], min_length=1)
    """languages of the report: en, zh or both; the first is the main one"""
    currency: str = ""
    """ISO code, such as CNY"""
    time_zone: str = "UTC"
    """zone of the campaign's days, such as Asia/Shanghai"""
    period: Period
    """when the campaign ran"""
    baseline: Period | None = None
    """the time before to compare with; a whole number of times as long as the period"""
    after: Period | None = None
    """the time after, to see what stayed and what was only moved forward"""
    data_until: Moment | None = None
    """last day (included) or instant that the data cover; the day of the last event or order when empty"""
    closed: list[Moment] = []
    """days on which nothing could happen (shops shut, service down by plan); they are not missing data"""
    sources: Sources
    """where the data lie"""
    population: Population = Population()
    """who counts"""
    arms: Arms | None = None
    """arms of a randomised campaign"""
    no_control_group: Text | None = None
    """instead of arms: why there is no randomised control; the report prints it"""
    metrics: dict[str, Metric] = Field(min_length=1)
    """name -> how it is counted"""
    goals: list[Goal] = []
    """what was promised"""
    funnels: dict[str, Funnel] = {}
    """name -> steps"""
    retention: Retention | None = None
    """who came back"""
    costs: dict[str, str] = {}
    """item -> amount, or the metric whose total over the period it is"""
    labels: dict[str, Text] = {}
    """name used in the data or in this file -> the words a reader expects"""

    _path: Path = PrivateAttr(default=Path("campaign.yml"))
    _lines: dict[tuple, int] = PrivateAttr(default={})
    _zone = field_validator("time_zone")(_known_zone)

    @field_validator("currency")
    @classmethod
    def _iso_code(cls, currency: str) -> str:
        if not re.fullmatch("([A-Z]{3})?", currency):
            raise ValueError(f"'{currency}' is not an ISO code of three capitals, like CNY")
        return currency

    @property
    def path(self) -> Path:
        """The params file, absolute."""
        return self._path

    @property
    def name(self) -> str:
        return self.path.stem

    def phase(self, phase: str) -> Period | None:
        """The baseline is the phase before, the period the phase during."""
        return {"before": self.baseline, "during": self.period, "after": self.after}[phase]

    def instant(self, local: date | datetime) -> datetime:
        """A moment on the campaign's clock, in UTC."""
        return _instant(local, self.time_zone)

    def local(self, at: datetime) -> datetime:
        """An instant on the campaign's clock, without a zone mark."""
        return at.astimezone(ZoneInfo(self.time_zone)).replace(tzinfo=None)

    def shifted(self, at: datetime, by: timedelta) -> datetime:
        """An instant moved on the campaign's clock: a day later is the same hour of the next day."""
        return self.instant(self.local(at) + by)

    def end_of(self, moment: date | datetime) -> datetime:
        """The instant after a day, or the instant itself, in UTC."""
        return _end(moment, self.time_zone)

    @property
    def end_of_data(self) -> datetime | None:
        """What `data_until` says, in UTC: the instant after the last that the data cover."""
        return None if self.data_until is None else self.end_of(self.data_until)

    def problem(self, where: tuple, message: str) -> Problem:
        """A mistake at a place of this file."""
        return Problem(_near(self.path), line_of(self._lines, where), dotted(where), message)

    def text(self, text: Text, language: str | None = None) -> str:
        """A text in the wanted language, or in the one there is."""
        return text.get(language or self.language) or text.get("") or next(iter(text.values()))

    @property
    def language(self) -> str:
        return self.languages[0]

    @property
    def blocks(self) -> list[str]:
        """Parts of the report that this file asks for."""
        asked = {
            "arms": self.arms, "no_control_group": self.no_control_group, "goals": self.goals,
            "baseline": self.baseline, "after": self.after, "funnels": self.funnels,
            "retention": self.retention, "costs": self.costs or self.sources.costs,
            "phases": self.baseline or self.after,
        }
        return [block for block, value in asked.items() if value]

    def metric(self, role: str) -> list[str]:
        """Names of the metrics with this role."""
        return [name for name, metric in self.metrics.items() if metric.role == role]
