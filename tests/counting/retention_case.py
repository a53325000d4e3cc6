"""A retention case: its query as params, its answers as the case writes them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from analysis.facts.activity_facts import CohortCell, Look, counted
from analysis.params.counting import Retention
from analysis.results.retention import mean_rate, pooled
from tests.counting.log import columns_of, event_log, instant, match, text
from tests.counting.names import users_of

KEYS = {
    "start", "return", "period", "n_periods", "cohort", "mode", "brackets", "clock", "tz", "week_start",
    "min_occurrences", "user_filter", "breakdown", "as_of", "range_applies_to", "average", "date_from", "date_to",
    "bracket_rule"}
FLAVOUR = {"on": "on", "on_or_after": "on_or_after", "bracket": "on", "streak": "streak"}

# a bracket's cell: a return in any of its periods; or only once all of them are over
BRACKET_RULES = {None: False, "any": False, "any_day": False, "any_period": False, "begun": False, "complete": True,
                 "over": True, "only_complete": True}
AVERAGES = {"pooled": "pooled", "weighted": "pooled", "simple": "cohorts", "mean": "cohorts", "cohorts": "cohorts",
            "mean_of_cohorts": "cohorts"}


def answer(connection: Any, case: dict) -> dict[str, Callable[[], Any]]:
    """What was found, by key of `expected`."""
    asked = Asked(connection, case)
    return {"cohorts": lambda: asked.table(asked.cells, case["expected"]["cohorts"]), "average": asked.average,
            "breakdown_cohorts": asked.by_segment, "incomplete_cells": asked.incomplete,
            "cohort_sizes": asked.sizes}


class Asked:
    def __init__(self, connection: Any, case: dict):
        self.case, query = case, case["query"]
        unknown = set(query) - KEYS
        assert not unknown, f"keys of the query that are not understood: {sorted(unknown)}"
        self.flavour = FLAVOUR[query.get("mode", "on")]
        split = query.get("breakdown") or {}
        unknown = set(split) - {"prop", "attribution", "user_prop"}
        assert not unknown and split.get("attribution", "start") == "start", f"breakdown is not understood: {split}"
        of_user = split.get("user_prop")
        self.by = split.get("prop") or ("of_user" if of_user else "")
        kept = users_of(query["user_filter"]) if "user_filter" in query else {row[0] for row in case["events"]}
        rows = [row for row in case["events"] if row[0] in kept]
        if of_user:
            rows = [[*row[:3], {**(row[3] if len(row) > 3 else {}), "of_user": of_user.get(row[0])}] for row in rows]
        columns = columns_of(query["start"]) | columns_of(query["return"]) | ({self.by} if self.by else set())
        events = event_log(connection, rows, columns)
        until = instant(query["as_of"]) if "as_of" in query else end_of(query)
        first, last = (date.fromisoformat(query[key]) for key in ("date_from", "date_to"))
        look = Look(first, last, query.get("tz", "UTC"), until)
        self.cells = counted(events, Retention.model_validate(params(query, self.by)), look)
        if BRACKET_RULES[query.get("bracket_rule")]:
            self.cells = [cell for cell in self.cells if cell.is_complete or not cell.cell]

    def table(self, cells: list[CohortCell], wanted: dict) -> dict[str, list[int]]:
        """The cohorts that the case lists; cells that have not begun are absent."""
        found: dict[str, list[int]] = {cohort: [] for cohort in wanted}
        sizes: dict[tuple[str, int], int] = {}
        for cell in cells:
            key = (cell.cohort.isoformat(), cell.cell)
            sizes[key] = sizes.get(key, 0) + (getattr(cell, f"n_{self.flavour}") if cell.cell else cell.n_users)
        for (cohort, _), n in sorted(sizes.items()):
            if cohort in found:
                found[cohort].append(n)
        return found

    def by_segment(self) -> dict[str, dict]:
        wanted = self.case["expected"]["breakdown_cohorts"]
        segments = {cell.segment for cell in self.cells}
        return {text(s): self.table([c for c in self.cells if c.segment == s], wanted.get(s, {})) for s in segments}

    def incomplete(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for cell in self.cells:
            if cell.cell and not cell.is_complete:
                found.setdefault(cell.cohort.isoformat(), []).append(cell.cell)
        return found

    def sizes(self) -> dict[str, int]:
        return {c.cohort.isoformat(): c.n_users for c in self.cells
                if not c.cell and c.cohort.isoformat() in self.case["expected"]["cohort_sizes"]}

    def average(self) -> dict[str, Any]:
        """By period: the rate alone, or with what it was made from, as the case writes it."""
        kind, wanted = AVERAGES[self.case["query"].get("average", "pooled")], self.case["expected"]["average"]
        found = {}
        for period, n, k in pooled(self.cells, self.flavour):
            rate = k / n if kind == "pooled" else mean_rate(self.cells, self.flavour, period)
            if str(period) in wanted:
                whole = {"retained": k, "eligible": n, "rate": rate}
                asked = wanted[str(period)]
                found[str(period)] = {key: whole[key] for key in asked} if isinstance(asked, dict) else rate
        return found


def params(query: dict, by: str) -> dict:
    """The query as a campaign file would say it."""
    made = {
        "start": match(query["start"]), "returning": match(query["return"]), "every": query.get("period"),
        "n_periods": query["n_periods"] - 1 or 1, "who": query.get("cohort"), "clock": query.get("clock"),
        "week_start": query.get("week_start") if query.get("period") == "week" else None,
        "brackets": query.get("brackets"),
        "min_occurrences": query.get("min_occurrences"), "by": by,
        "ranges": {"cohort": "cohorts", None: "events"}[query.get("range_applies_to")]}
    return {key: value for key, value in made.items() if value is not None}


def end_of(query: dict) -> datetime:
    from analysis.params.period import Period

    return Period(start=query["date_from"], end=query["date_to"]).interval(query.get("tz", "UTC"))[1]
