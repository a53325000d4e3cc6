"""How a campaign's users are counted: funnels and retention, with every option of the counting rules."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from analysis.params.part import Part
from analysis.params.period import Period
from analysis.params.sources import Values
from analysis.params.values import LONGEST, Duration, Number, Window

MAX_STEPS, MAX_PERIODS = 16, 366


def _named(value: Any) -> Any:
    return {"event": value} if isinstance(value, str) else value


class Match(Part):
    """Which rows of events are meant; all that is said must hold."""

    event: str = ""
    """name of the event; any event when empty"""
    where: dict[str, Values] = {}
    """column of events -> the value or values that count"""
    missing: list[str] = []
    """columns that must be empty"""
    range: dict[str, Annotated[list[Number], Field(min_length=2, max_length=2)]] = {}
    """column -> [least, most], both included"""

    @property
    def columns(self) -> list[tuple[str, str]]:
        """Columns of events that it looks at, each with the key that names it."""
        return [(key, column) for key in ("where", "missing", "range") for column in getattr(self, key)]


class StepMatch(Match):
    """One step of a funnel: the name of an event, or an event with conditions."""

    name: str = ""
    """what the report calls it; the event when empty"""
    occurrence: Literal["every", "first_ever", "first_matching"] = "every"
    """every; first_ever: the first event of that name in history, if it matches; first_matching: the first that does"""

    @property
    def title(self) -> str:
        conditions = ", ".join(f"{column} = {' or '.join(values)}" for column, values in self.where.items())
        return self.name or self.event or conditions or "any event"


class Exclusion(Match):
    """An event that must not happen between two steps."""

    after: int = Field(default=1, ge=1)
    """step after which it counts; the first is 1"""
    before: int | None = None
    """step before which it counts; the last when empty"""


FunnelStep = Annotated[StepMatch, BeforeValidator(_named, json_schema_input_type=str | StepMatch)]
ExcludedEvent = Annotated[Exclusion, BeforeValidator(_named, json_schema_input_type=str | Exclusion)]


class Funnel(Part):
    """Steps that a user takes in order; other events may lie between."""

    steps: list[FunnelStep] = Field(min_length=2, max_length=MAX_STEPS)
    """first to last: names of events, or events with conditions"""
    window: Window
    """time from step 1 within which the rest must happen, bound included, or none"""
    entry: Literal["any", "first"] = "any"
    """any: the best of a user's entries counts; first: only the first"""
    order: Literal["ordered", "strict", "unordered", "any"] = "ordered"
    """ordered; strict: each step is the next event; unordered: any k of them; any: steps 1 to k, in whatever order"""
    ties: Literal["step_order", "strictly_later"] = "step_order"
    """at one timestamp: in the order of the steps, or not later than each other"""
    grace: Duration = timedelta(0)
    """how much earlier than the step before a step may be recorded"""
    reuse: bool = False
    """whether one event may be two steps"""
    optional: list[int] = []
    """steps that may be left out; the first is 1"""
    constant: str = ""
    """column of events whose value stays the same through an attempt"""
    exclusions: list[ExcludedEvent] = Field(default=[], max_length=MAX_STEPS)
    """events that must not happen between steps"""
    excluded: Literal["break_attempt", "remove_user"] = "break_attempt"
    """what an exclusion does: break the attempt, or remove a user whose best attempt it broke"""
    where: dict[str, Values] = {}
    """column of events -> the value or values of the rows that are looked at"""
    unit: str = "user"
    """user, or a column of events such as session_id"""
    count: Literal["units", "entries"] = "units"
    """units, or entries: a unit enters again once it has converted or its window is over"""
    by: list[str] = []
    """columns of events or users to split by"""
    attribution: str = Field(default="entry", pattern=r"^(entry|first_touch|last_touch|all_steps|step \d+)$")
    """which value of `by` counts: known at entry, first_touch, last_touch, step 3, or all_steps (users may repeat)"""
    period: Period | None = None
    """when users enter; the campaign's period when empty"""
    ranges: Literal["entries", "events"] = "entries"
    """what must lie in the period: entries, followed to the end of the window, or every event"""

    @property
    def titles(self) -> list[str]:
        """What each step is called; without an order step k is no step of its own, but any k of them."""
        k = len(self.steps)
        if self.order == "unordered":
            return [f"any {i} of {k}" for i in range(1, k + 1)]
        return [step.title for step in self.steps]


def disagreements(funnel: Funnel) -> Iterator[tuple[str, str]]:
    """Options that do not go together, each as (key, message)."""
    k, order = len(funnel.steps), funnel.order
    for option in ("optional", "exclusions", "grace", "reuse"):
        if getattr(funnel, option) and order != "ordered":
            yield option, f"needs `order: ordered`; {ORDERS[order]}"
    if funnel.count == "entries" and funnel.entry == "first":
        yield "count", "entries counts every entry, and `entry: first` only the first; say one"
    if funnel.count == "entries" and order != "ordered":
        yield "count", f"entries needs `order: ordered`; {ORDERS[order]}"
    if order == "any" and (funnel.window is not None or _repeats(funnel)):
        yield "order", "any needs `window: none` and steps that differ: it asks only what happened"
    for i in funnel.optional:
        if not 2 <= i <= k:
            yield "optional", f"names step {i}; steps 2 to {k} can be optional, step 1 is the entry"
    for e in funnel.exclusions:
        last = k if e.before is None else e.before
        if not e.after < last <= k:
            yield "exclusions", f"'{e.event}' lies between steps {e.after} and {last}; there are steps 1 to {k}"
        if {*range(e.after, last + 1)} & {*funnel.optional}:
            yield "exclusions", f"'{e.event}' spans an optional step; say which required steps it lies between"
    if funnel.grace and (funnel.exclusions or funnel.optional or funnel.ties != "step_order" or _repeats(funnel)):
        yield "grace", ("leaves the order open for a moment: it goes with steps of different events, and without "
                        "exclusions, optional steps or `ties: strictly_later`")
    if funnel.reuse and funnel.ties != "step_order":
        yield "reuse", "lets one event be two steps, and `ties: strictly_later` forbids it; say one"
    if funnel.excluded != "break_attempt" and not funnel.exclusions:
        yield "excluded", "says what exclusions do, but there are none"
    if funnel.attribution.startswith("step ") and funnel.attribution not in [f"step {i + 1}" for i in range(k)]:
        yield "attribution", f"'{funnel.attribution}' is not one of steps 1 to {k}"
    if funnel.attribution == "all_steps" and (len(funnel.by) != 1 or funnel.constant):
        yield "attribution", "all_steps holds the one column of `by` through the attempt, and needs no `constant:`"


ORDERS = {"strict": "strict takes each unit's next event as it is", "unordered": "unordered has no steps between",
          "any": "any has no steps between"}


def _repeats(funnel: Funnel) -> bool:
    """Whether a row may match two steps: an event twice, or any event."""
    events = [step.event for step in funnel.steps]
    return "" in events or len(set(events)) < len(events)


class Activity(Part):
    """How active users are: new, current, back and gone; on how many days; and how lately they ordered."""

    event: Annotated[Match, BeforeValidator(_named, json_schema_input_type=str | Match)] = Match()
    """event that makes a user active; any event when empty"""
    every: Literal["day", "week", "month"] = "week"
    """length of a period, on the campaign's calendar"""
    week_start: Literal["monday", "sunday"] = "monday"
    """first day of a week"""
    period: Period | None = None
    """when it is looked at; from the first to the last of baseline, period and after when empty"""
    recency: list[int] = Field(default=[7, 30, 90], min_length=1)
    """most days since the last order of each group of users but the last"""

    @model_validator(mode="after")
    def _rising(self) -> Activity:
        if self.recency[0] < 0 or sorted(set(self.recency)) != self.recency or self.recency[-1] > LONGEST.days:
            raise ValueError(
                f"recency {self.recency} are days, from 0 to {LONGEST.days}, each more than the one before")
        return self


class Retention(Part):
    """Who came back, in each period since the first time."""

    start: Annotated[Match, BeforeValidator(_named, json_schema_input_type=str | Match)] = Match()
    """event that starts a user's clock; any event when empty"""
    returning: Annotated[Match, BeforeValidator(_named, json_schema_input_type=str | Match)] = Match()
    """event that counts as coming back; any event when empty"""
    every: Literal["day", "week", "month"] = "week"
    """length of a period, on the campaign's calendar; on the 24h clock 1, 7 or 30 times 24 hours"""
    week_start: Literal["monday", "sunday"] = "monday"
    """first day of a week"""
    clock: Literal["calendar", "24h"] = "calendar"
    """calendar periods in the campaign's time zone, or time since the user's own start"""
    flavours: list[Literal["on_or_after", "on", "streak", "previous"]] = Field(
        default=["on_or_after", "on"], min_length=1)
    """on_or_after: came back in a period or later (stayed); on: in that very period (habit); streak: in it and all
    before; previous: in it, of those who came back in the period before"""
    average: Literal["pooled", "cohorts"] = "pooled"
    """over all users of the cohorts whose period is over, or the simple mean of those cohorts"""
    n_periods: int = Field(default=8, ge=1, le=MAX_PERIODS)
    """periods after the first to follow"""
    cohorts: Period | None = None
    """when users start; the campaign's period when empty"""
    who: Literal["first_time", "first_matching", "recurring"] = "first_time"
    """first_time: the first event of that name in history, if it matches; first_matching: the first that matches;
    recurring: every period with a start, so that a user is in several cohorts"""
    brackets: list[int] = []
    """lengths, in periods, of the brackets after the first period, instead of single periods"""
    min_occurrences: int = Field(default=1, ge=1, le=1_000_000)
    """how often a user must come back within a period"""
    by: str = ""
    """column of events or users to split by; the value at the start counts"""
    ranges: Literal["cohorts", "events"] = "cohorts"
    """what must lie in the period: starts, followed to the end of the data, or every event"""

    @model_validator(mode="after")
    def _agree(self) -> Retention:
        if self.clock == "24h" and self.week_start != "monday" and self.every != "week":
            raise ValueError("week_start has no meaning here: say `every: week`, or leave it out")
        if any(not 1 <= length <= MAX_PERIODS for length in self.brackets):
            raise ValueError(f"brackets are lengths in periods, 1 to {MAX_PERIODS}, like [3, 5, 4]")
        return self
