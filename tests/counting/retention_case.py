"""A retention case: its query as params, its answers as the case writes them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from analysis.facts.activity_facts import CohortCell, Look, counted
from analysis.params.counting import Retention
from analysis.results.retention import pooled
from tests.counting.log import columns_of, event_log, instant, match, text
from tests.counting.value_case import answer as value_answer

KEYS = {
    "start", "return", "period", "n_periods", "cohort", "mode", "brackets", "clock", "tz", "week_start",
    "min_occurrences", "user_filter", "breakdown", "as_of", "range_applies_to", "average", "date_from", "date_to"}
FLAVOUR = {"on": "n_on", "on_or_after": "n_on_or_after", "bracket": "n_on", "streak": "n_streak"}


def answer(connection: Any, case: dict) -> dict[str, Callable[[], Any]]:
    """What was found, by key of `expected`."""
    if "kind" in case["query"]:
        return value_answer(connection, case)
    asked = Asked(connection, case)
    return {"cohorts": lambda: asked.table(asked.cells, case["expected"]["cohorts"]), "average": asked.average,
            "breakdown_cohorts": asked.by_segment, "incomplete_cells": asked.incomplete}


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
        rows = [row for row in case["events"] if "user_filter" not in query or row[0] in users_of(query["user_filter"])]
        if of_user:
            rows = [[*row[:3], {**(row[3] if len(row) > 3 else {}), "of_user": of_user.get(row[0])}] for row in rows]
        columns = columns_of(query["start"]) | columns_of(query["return"]) | ({self.by} if self.by else set())
        events = event_log(connection, rows, columns)
        until = instant(query["as_of"]) if "as_of" in query else end_of(query)
        first, last = (date.fromisoformat(query[key]) for key in ("date_from", "date_to"))
        look = Look(first, last, query.get("tz", "UTC"), until)
        self.cells = counted(events, Retention.model_validate(params(query, self.by)), look)

    def table(self, cells: list[CohortCell], wanted: dict) -> dict[str, list[int]]:
        """The cohorts that the case lists; cells that have not begun are absent."""
        found: dict[str, list[int]] = {cohort: [] for cohort in wanted}
        sizes: dict[tuple[str, int], int] = {}
        for cell in cells:
            key = (cell.cohort.isoformat(), cell.cell)
            sizes[key] = sizes.get(key, 0) + (getattr(cell, self.flavour) if cell.cell else cell.n_users)
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

    def average(self) -> dict[str, dict]:
        assert self.case["query"]["average"] == "pooled", "only pooled averages are understood"
        return {str(p): {"retained": k, "eligible": n, "rate": k / n} for p, n, k in pooled(self.cells, self.flavour)
                if str(p) in self.case["expected"]["average"]}


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


def users_of(users: Any) -> set[str]:
    assert isinstance(users, list), f"user_filter is a list of users; found {users}"
    return set(users)


def end_of(query: dict) -> datetime:
    from analysis.params.period import Period

    return Period(start=query["date_from"], end=query["date_to"]).interval(query.get("tz", "UTC"))[1]
