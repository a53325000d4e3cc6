"""A funnel case: its query as params, its answers as the case writes them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from itertools import pairwise
from statistics import mean, median
from typing import Any

from analysis.facts.reach import Span, reach
from analysis.params.counting import Funnel
from analysis.params.period import Period
from tests.counting.log import columns_of, event_log, instant, match, text, texts

MAX_BINS = 90
KEYS = {
    "steps", "window_s", "order", "entry", "ties", "tie_grace_s", "reuse_event", "exclusions", "exclusion_effect",
    "date_from", "date_to", "tz", "range_applies_to", "unit", "filters", "breakdown", "hold_constant", "optional_steps",
    "count", "as_of", "report"}
COUNTS = {"entries": "entries", None: None, "users": "units", "units": "units"}


def answer(connection: Any, case: dict) -> dict[str, Callable[[], Any]]:
    """What was found, by key of `expected`."""
    asked = Asked(connection, case)
    return {"counts": lambda: asked.counts(asked.records), "users": asked.users, "breakdown_counts": asked.by_segment,
            "avg_s": lambda: asked.seconds(mean), "median_s": lambda: asked.seconds(median),
            "breakdown_avg_s": asked.seconds_by_segment, "over_time": asked.over_time, "bins": asked.bins,
            "mature_counts": lambda: asked.counts(asked.mature)}


class Asked:
    def __init__(self, connection: Any, case: dict):
        self.case, self.query = case, case["query"]
        unknown = set(self.query) - KEYS
        assert not unknown, f"keys of the query that are not understood: {sorted(unknown)}"
        self.split = self.query.get("breakdown") or {}
        unknown = set(self.split) - {"prop", "attribution", "step", "null_label", "user_prop"}
        assert not unknown, f"keys of the breakdown that are not understood: {sorted(unknown)}"
        self.funnel = Funnel.model_validate(params(self.query))
        self.by = [self.split["prop"]] if "prop" in self.split else []
        named = {*self.by, *self.funnel.where, *([self.funnel.constant] if self.funnel.constant else [])}
        for condition in (*self.query["steps"], *self.query.get("exclusions", [])):
            named |= columns_of(condition)
        if self.funnel.unit != "user":
            named.add(self.funnel.unit)
        self.events = event_log(connection, case["events"], named)
        self.span = span(self.query)

    @cached_property
    def every(self) -> list[dict]:
        return reach(self.events, self.funnel, self.span, self.by).to_pylist()

    @property
    def records(self) -> list[dict]:
        return [r for r in self.every if r["scope"] & 1]

    @property
    def mature(self) -> list[dict]:
        return [r for r in self.every if r["scope"] & 2]

    def counts(self, records: list[dict]) -> list[int]:
        """Units that got to each step; a unit in several groups counts once in all."""
        whole = self.funnel.count == "entries" or not self.by or self.funnel.attribution != "all_steps"
        keys = range(len(records)) if whole else [r["unit"] for r in records]
        return [len({key for key, r in zip(keys, records, strict=True) if r["reached"] >> s & 1})
                for s in range(len(self.funnel.steps))]

    def users(self) -> dict[str, list]:
        wanted = self.case["expected"]["users"]
        order = list(dict.fromkeys(e[0] for e in self.case["events"]))
        found = {step: {r["unit"] for r in self.records if r["reached"] >> int(step) - 1 & 1} for step in wanted}
        return {step: sorted(users, key=lambda u, step=step: (
            wanted[step].index(u) if u in wanted[step] else len(order), u)) for step, users in found.items()}

    def segments(self) -> dict[str, list[dict]]:
        groups: dict[str, list[dict]] = {}
        for record in self.records:
            value = self.split["user_prop"].get(record["unit"]) if "user_prop" in self.split else record[self.by[0]]
            groups.setdefault(self.split.get("null_label", "") if value is None else text(value), []).append(record)
        return groups

    def by_segment(self) -> dict[str, list[int]]:
        return {value: self.counts(records) for value, records in self.segments().items()}

    def seconds(self, summary: Callable, records: list[dict] | None = None) -> list:
        """Between each step and the one before, of those who got there."""
        found: list[float | None] = [None]
        for s in range(2, len(self.funnel.steps) + 1):
            took = [(r[f"at_{s}"] - r[f"at_{s - 1}"]) / 1e6 for r in (self.records if records is None else records)
                    if r[f"at_{s}"] is not None and r[f"at_{s - 1}"] is not None]
            found.append(summary(took) if took else None)
        return found

    def seconds_by_segment(self) -> dict[str, list]:
        return {value: self.seconds(mean, records) for value, records in self.segments().items()
                if value in self.case["expected"]["breakdown_avg_s"]}

    def over_time(self) -> dict[str, list[int]]:
        unit = self.query["report"]["over_time"]
        days = edges(self.query, unit)
        records = [r for r in reach(self.events, self.funnel, Span(
            self.span.start, self.span.end, self.span.until, days), is_daily=True).to_pylist() if r["scope"] & 1]
        found = {}
        for begin, end in pairwise(days):
            entered = [r for r in records if begin <= datetime.fromtimestamp(r["at_1"] / 1e6, UTC) < end]
            found[begin.astimezone(zone(self.query)).date().isoformat()] = [
                len(entered), sum(r["depth"] == len(self.funnel.steps) for r in entered)]
        return found

    def bins(self) -> list[list]:
        asked = self.query["report"]["time_to_convert"]
        unknown = set(asked) - {"from_step", "to_step", "bins"}
        assert not unknown, f"keys of time_to_convert that are not understood: {sorted(unknown)}"
        first, last = f"at_{asked['from_step'] + 1}", f"at_{asked['to_step'] + 1}"
        took = [(r[last] - r[first]) / 1e6 for r in self.records if r[last] is not None and r[first] is not None]
        return [list(b) for b in histogram(took, asked.get("bins"))]


def params(query: dict) -> dict:
    """The query as a campaign file would say it."""
    split = query.get("breakdown") or {}
    attribution = split.get("attribution", "entry")
    made = {
        "steps": [{**match(step), "occurrence": step.get("occurrence") or "every"} for step in query["steps"]],
        "window": "none" if query["window_s"] is None else timedelta(seconds=query["window_s"]),
        "order": query.get("order"), "entry": query.get("entry"), "ties": query.get("ties"),
        "grace": timedelta(seconds=query["tie_grace_s"]) if query.get("tie_grace_s") else None,
        "reuse": query.get("reuse_event"),
        "exclusions": [exclusion(e) for e in query.get("exclusions", [])], "excluded": query.get("exclusion_effect"),
        "unit": query.get("unit"), "count": COUNTS[query.get("count")],
        "where": {column: texts(v) for column, v in query.get("filters", {}).items()},
        "constant": query.get("hold_constant"), "optional": [i + 1 for i in query.get("optional_steps") or []],
        "ranges": {"entry": "entries", None: "events"}[query.get("range_applies_to")],
        "by": [split["prop"]] if "prop" in split else None,
        "attribution": f"step {split['step'] + 1}" if attribution == "step" else attribution}
    return {key: value for key, value in made.items() if value is not None}


def exclusion(written: dict) -> dict:
    return {**match({k: v for k, v in written.items() if k not in ("from_step", "to_step")}),
            "after": written["from_step"] + 1, "before": written["to_step"] + 1}


def zone(query: dict):
    from zoneinfo import ZoneInfo

    return ZoneInfo(query.get("tz", "UTC"))


def span(query: dict) -> Span:
    begin, end = query.get("date_from"), query.get("date_to")
    period = Period(start=begin or "1970-01-01", end=end or "2100-12-31").interval(query.get("tz", "UTC"))
    until = instant(query["as_of"]) if "as_of" in query else None
    return Span(period[0] if begin else None, period[1] if end else None, until)


def edges(query: dict, unit: str) -> tuple[datetime, ...]:
    assert unit == "day", f"over_time {unit} is not understood"
    first, last = date.fromisoformat(query["date_from"]), date.fromisoformat(query["date_to"])
    days = [first + timedelta(days=i) for i in range((last - first).days + 2)]
    return tuple(datetime(d.year, d.month, d.day, tzinfo=zone(query)).astimezone(UTC) for d in days)


def histogram(seconds: Sequence[float], n_bins: int | None = None) -> list[tuple[int, int]]:
    """(first second of the bin, conversions in it), from the fastest to the slowest; the bins are whole seconds wide.

    n_bins   the cube root of the number of conversions (Rice's rule halved, as product analytics do) when None.
             The last bin begins where the n-th ends: it holds the slowest only when they lie on that edge.
    """
    if not seconds:
        return []
    n_bins = n_bins or min(MAX_BINS, math.ceil(len(seconds) ** (1 / 3)))
    fastest = math.floor(min(seconds))
    width = max(1, math.ceil((max(seconds) - fastest) / n_bins))
    counts = [0] * (n_bins + 1)
    for took in seconds:
        counts[int((took - fastest) // width)] += 1
    return [(fastest + i * width, count) for i, count in enumerate(counts)]
