"""A case of value over time (`kind: ltv`); other kinds are not understood and fail."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from analysis.facts.value_facts import cohort_values
from analysis.params.counting import Match
from analysis.results.value import overall, per_user
from tests.counting.log import columns_of, event_log, instant, match

KEYS = {"kind", "start", "revenue", "clock", "n_days", "users", "as_of", "tz"}


def answer(connection: Any, case: dict) -> dict[str, Callable[[], Any]]:
    """What was found, by key of `expected`."""
    query = case["query"]
    unknown = set(query) - KEYS
    assert query["kind"] == "ltv" and not unknown, f"not understood: kind {query['kind']}, keys {sorted(unknown)}"
    assert query["clock"] == "24h" and query["users"] == "all", "only the 24 h clock and all users are understood"
    paid = {k: v for k, v in query["revenue"].items() if k != "prop"}
    column = query["revenue"]["prop"]
    events = event_log(connection, case["events"], {column} | columns_of(query["start"]) | columns_of(paid))
    cohorts = cohort_values(
        events, Match.model_validate(match(query["start"])), Match.model_validate(match(paid)), column, query["n_days"],
        instant(query["as_of"]), query.get("tz", "UTC"))
    return {
        "cohort_ltv": lambda: {c.cohort.isoformat(): per_user(c) for c in cohorts if c.is_mature},
        "overall_ltv": lambda: overall(cohorts),
        "immature": lambda: {c.cohort.isoformat(): {"observed_days": c.observed_days, "ltv_so_far": per_user(c)}
                             for c in cohorts if not c.is_mature}}
