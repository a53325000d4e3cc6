"""Cases of value: `kind: ltv` (worth of cohorts over time) and `rfm_summary` (a line per user)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from analysis.facts.order_facts import order_facts
from analysis.facts.value_facts import Worth, cohort_values
from analysis.results.ltv import overall, per_user
from tests.counting.log import any_of, columns_of, conditions, event_log, instant
from tests.counting.names import SUMMARY, SUMMARY_COLUMNS, understood, users_of

LTV = {"start", "revenue", "clock", "n_days", "users", "as_of", "tz", "every", "week_start", "user_filter"}
RFM = {"event", "revenue", "as_of", "tz", "every", "week_start", "user_filter"}
USERS = {"all": False, "everyone": False, "paying": True, "payers": True}      # whether only payers are divided by


def ltv(connection: Any, case: dict) -> dict[str, Callable[[], Any]]:
    """What was found, by key of `expected`."""
    query = understood(case["query"], LTV)
    paid, column = payment(query)
    events = event_log(connection, rows_of(case, query), {column} | columns(conditions(query["start"])) | columns(paid))
    payments = any_of(events, paid)
    worth = Worth([query["n_days"]], None, None, instant(query["as_of"]), query.get("tz", "UTC"),
                  query.get("every", "day"), query.get("week_start", "monday"), query.get("clock", "24h"))
    cohorts = cohort_values(any_of(events, conditions(query["start"])),
                            payments.select("user_id", "at", value=payments[column]), worth)
    of_payers = USERS[query.get("users", "all")]
    return {
        "cohort_ltv": lambda: {c.cohort.isoformat(): per_user(c, of_payers) for c in cohorts if c.is_mature},
        "overall_ltv": lambda: overall(cohorts, of_payers),
        "immature": lambda: {
            c.cohort.isoformat(): {"observed_days": c.observed_days, "ltv_so_far": per_user(c, of_payers)}
            for c in cohorts if not c.is_mature}}


def summary(connection: Any, case: dict) -> dict[str, Callable[[], Any]]:
    query = understood(case["query"], RFM)
    bought, column = payment(query)
    events = event_log(connection, rows_of(case, query), {column} | columns(bought))
    orders, zone = any_of(events, bought), query.get("tz", "UTC")
    as_of = query["as_of"]
    if len(as_of) > len("2024-01-01"):                         # an instant: what comes later is not known
        at = instant(as_of)
        orders = orders.filter(orders.at < at.replace(tzinfo=None))
        reference = at.astimezone(ZoneInfo(zone)).date()
    else:                                                      # a day, which counts in full
        reference = date.fromisoformat(as_of)
    users = order_facts(orders.mutate(worth=orders[column]), "worth", reference, zone, query.get("every", "day"),
                        query.get("week_start", "monday"))
    found = {row["user_id"]: row for row in users.to_pyarrow().to_pylist()}
    wanted = case["expected"]
    return {name: lambda name=name: {user: line(row, wanted[name].get(user, [])) for user, row in found.items()}
            for name in ("summary", "rfm", "rfm_summary", "users", "customers")}


def line(row: dict, wanted: Any) -> Any:
    """One user's line as the case writes it: a list in the order of the columns, or by name."""
    if isinstance(wanted, list):
        return [row[SUMMARY[name]] for name in SUMMARY_COLUMNS[:len(wanted)]]
    return {name: row[SUMMARY[name]] for name in wanted}


def payment(query: dict) -> tuple[list[dict], str]:
    """Which rows pay, and the property that says how much."""
    revenue = query.get("revenue") or {"prop": "amount"}
    revenue = {"prop": revenue} if isinstance(revenue, str) else revenue
    said = {k: v for k, v in revenue.items() if k != "prop"}
    assert not (said and query.get("event")), "which rows pay is said twice"
    return ([said] if said else conditions(query.get("event"))), revenue["prop"]


def rows_of(case: dict, query: dict) -> list:
    if "user_filter" not in query:
        return case["events"]
    return [row for row in case["events"] if row[0] in users_of(query["user_filter"])]


def columns(wanted: list[dict]) -> set[str]:
    return {c for condition in wanted for c in columns_of(condition)}
