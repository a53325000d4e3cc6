"""What cases of activity and value may call things: one name of ours, and every spelling that is understood.

The products and libraries that the cases come from have words of their own. What does not stand here fails the case.
"""

from __future__ import annotations

from typing import Any

QUERY = {
    "event": {"event", "events", "active", "series"},          # one condition or several: any of them counts
    "every": {"period", "interval", "every", "freq", "granularity"},
    "date_from": {"date_from", "from", "start_date"},
    "date_to": {"date_to", "to", "end_date"},
    "tz": {"tz", "time_zone", "timezone"},
    "week_start": {"week_start", "week_start_day"},
    "as_of": {"as_of", "observation_period_end", "reference_date", "data_until"},
    "data_from": {"data_from"},                                # when the data begin; without it the log is all history
    "mode": {"mode", "compute_as"},
    "start": {"start"},
    "revenue": {"revenue", "value", "monetary", "monetary_value_col"},
    "clock": {"clock"},
    "n_days": {"n_days", "days", "horizon_days"},
    "users": {"users"},
    "user_filter": {"user_filter"},
    "range_applies_to": {"range_applies_to"},
}
PERIODS = {"day": "day", "week": "week", "month": "month", "D": "day", "W": "week", "M": "month",
           "daily": "day", "weekly": "week", "monthly": "month"}
WEEK_STARTS = {"monday": "monday", "sunday": "sunday", 1: "monday", 0: "sunday"}
STATES = {"new": "n_new", "current": "n_current", "returning": "n_current", "resurrected": "n_resurrected",
          "resurrecting": "n_resurrected", "dormant": "n_dormant"}
MODES = {"exact": "exact", "exactly": "exact", "non_cumulative": "exact", "at_least": "at_least",
         "cumulative": "at_least"}
SUMMARY = {                                                    # of a user, as `order_facts` names it
    "frequency": "frequency", "recency": "last_minus_first", "last_minus_first": "last_minus_first", "T": "age",
    "age": "age", "days_since_last": "days_since_last", "monetary_value": "repeat_amount", "monetary": "repeat_amount",
    "n_orders": "n_orders", "orders": "n_orders", "n_purchases": "n_purchases", "purchase_days": "n_purchases",
    "order_days": "n_purchases", "amount": "amount", "total_amount": "amount", "total": "amount"}
SUMMARY_COLUMNS = ("frequency", "recency", "T", "monetary_value")      # of a list: the order of `lifetimes`


def understood(query: dict, wanted: set[str]) -> dict[str, Any]:
    """The query under our names; what is not among those wanted by its kind fails."""
    found: dict[str, Any] = {}
    for key, value in query.items():
        name = next((ours for ours, spellings in QUERY.items() if key in spellings), key)
        assert key == "kind" or name in wanted, f"key of the query that is not understood: {key}"
        assert name not in found, f"{name} is said twice"
        found[name] = value
    if "every" in found:
        found["every"] = PERIODS[found["every"]]
    if "week_start" in found:
        found["week_start"] = WEEK_STARTS[found["week_start"]]
    return found


def users_of(chosen: Any) -> set[str]:
    """Users that a filter lets through: a list of them, one, or either under `user` or `users`."""
    if isinstance(chosen, dict):
        assert len(chosen) == 1 and chosen.keys() <= {"user", "users"}, f"user_filter is not understood: {chosen}"
        chosen = next(iter(chosen.values()))
    return {chosen} if isinstance(chosen, str) else set(chosen)
