"""Which days the data really hold (rule R9): a day without any event is a gap, not users who stayed away."""

from __future__ import annotations

import math
from datetime import date, timedelta

from analysis.facts.population import Facts, rows_per_day

CHANCE = 0.05   # of any empty day among those looked at, above which a quiet day proves nothing


def gap_days(facts: Facts) -> tuple[date, ...]:
    """Local days inside the data without one event, but for those that the params call closed.

    None where events are so few that chance alone leaves days empty: with the mean of the days that have some, a day is
    empty with probability exp(-mean) (Poisson), and more than CHANCE of logs this long would show one.
    """
    campaign, tables = facts.campaign, facts.tables
    if tables.events is None or tables.data_until is None or tables.data_from is None:
        return ()
    counts = rows_per_day(facts, "events")
    first, end = campaign.local(tables.data_from), campaign.local(tables.data_until)
    days = [first.date() + timedelta(days=i) for i in range((end.date() - first.date()).days)]
    closed = {day for day in campaign.closed}
    missing = tuple(day for day in days if day not in counts and day not in closed)
    if not missing or not counts:
        return missing
    mean = sum(counts.values()) / len(counts)
    return missing if len(days) * math.exp(-mean) < CHANCE else ()
