"""Who ordered lately, how often and for how much (RFM), in groups with fixed bounds."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, timedelta

from analysis.facts.order_facts import by_recency, order_facts
from analysis.facts.population import Facts, rows_of
from analysis.results.small_groups import shown


@dataclass(frozen=True, slots=True)
class Recency:
    """Users whose last order lies some days before the reference day."""

    reference: date        # last day of the campaign, or of the data where they end before
    least: int | None      # days since the last order, both included; None: never ordered
    most: int | None       # None: longer ago than `least`, or never
    n_users: int
    share: float           # of all users
    repeating: float       # share of the group that ordered on two days or more (frequency of at least 1)
    orders: float          # orders per user: the plain count
    amount: float          # per user, over all their orders
    amount_share: float    # of the amount of all users
    days_since_last: float  # mean; nan for who never ordered
    last_minus_first: float  # mean days between first and last order: the other meaning of recency
    reason: str = ""       # why some are nan: "never_ordered", "zero_total"


def recency(facts: Facts) -> list[Recency]:
    """Groups from the latest to who never ordered, those without users or with few left out; [] without orders or
    `activity:`.

    Thresholds are the params', so that groups mean the same in every campaign.
    """
    campaign, asked = facts.campaign, facts.campaign.activity
    if asked is None or facts.tables.orders is None:
        return []
    end = min(campaign.period.interval(campaign.time_zone)[1], facts.tables.data_until)
    reference = campaign.local(end - timedelta(microseconds=1)).date()
    users = order_facts(rows_of(facts, "orders"), "amount", reference, campaign.time_zone)
    rows = by_recency(facts.population, users, asked.recency)
    n_all, amount = sum(row["n_users"] for row in rows), math.fsum(row["amount"] for row in rows)
    told = shown(facts, "recency", {row["group"]: [row["n_users"]] for row in rows})
    return [_group(row, reference, asked.recency, n_all, amount) for row in rows if row["group"] in told]


def _group(row: dict, reference: date, bounds: list[int], n_all: int, amount: float) -> Recency:
    group, n = row["group"], row["n_users"]
    least = None if group is None else bounds[group - 1] + 1 if group else 0
    most = None if group is None or group == len(bounds) else bounds[group]
    since, between = ((math.nan,) * 2 if group is None else
                      (row["days_since_last"] / n, row["last_minus_first"] / n))
    reason = "never_ordered" if group is None else "" if amount else "zero_total"
    return Recency(reference, least, most, n, n / n_all, row["n_repeating"] / n, row["n_orders"] / n, row["amount"] / n,
                   row["amount"] / amount if amount else math.nan, since, between, reason)
