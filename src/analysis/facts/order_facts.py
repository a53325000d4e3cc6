"""How often, how lately and for how much users ordered: one row per user, kept in the engine."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import ibis
from ibis.expr.types import Table

from analysis.facts.calendar import number_of, numbers


def order_facts(orders: Table, amount: str, reference: date, zone: str, every: str = "day",
                week_start: str = "monday") -> Table:
    """One row per user with an order up to the end of the reference day; orders of one period are one purchase.

    orders      user_id, at (UTC, naive) and `amount`; on any engine
    reference   the campaign's last day, never the last date of the data
    every       day: recency and age are in days; or week, month
    Returns     user_id
                n_orders          rows: the plain count of orders
                n_purchases       periods with an order
                frequency         repeat purchases, n_purchases - 1, as in BG/NBD (Fader, Hardie, Lee 2005)
                last_minus_first  from the first purchase to the last: the "recency" of that model
                days_since_last   from the last purchase to the reference: the recency of segments (in periods)
                age               from the first purchase to the reference: T of that model
                amount            sum over all orders
                repeat_amount     mean amount of the repeat purchases, the first left out, as in gamma-gamma
                                  (Fader, Hardie 2013); 0 without a repeat
    """
    today = number_of(reference, every, week_start)
    rows = orders.filter(orders.user_id.notnull(), orders.at.notnull())
    rows = rows.select("user_id", period=numbers(rows.at, every, zone, week_start),
                       amount=rows[amount].cast("float64").fill_null(0.0))
    rows = rows.filter(rows.period <= today)
    bought = rows.group_by("user_id", "period").aggregate(n=rows.count(), amount=rows.amount.sum())
    users = bought.group_by("user_id").aggregate(
        n_orders=bought.n.sum().cast("int64"), n_purchases=bought.count(), first=bought.period.min(),
        last=bought.period.max(), amount=bought.amount.sum(), first_amount=bought.amount.argmin(bought.period))
    repeats = users.n_purchases - 1
    return users.select(
        "user_id", "n_orders", "n_purchases", frequency=repeats, last_minus_first=users["last"] - users["first"],
        days_since_last=today - users["last"], age=today - users["first"], amount=users.amount,
        repeat_amount=ibis.ifelse(repeats > 0, (users.amount - users.first_amount) / repeats.nullif(0), 0.0))


def by_recency(people: Table, users: Table, bounds: Sequence[int]) -> list[dict]:
    """Totals by recency: one record per group that has users.

    people    user_id: everybody, with or without an order
    users     `order_facts` by day
    bounds    most days since the last order of each group but the last
    Returns   group (its place among the bounds, len(bounds) for those longer ago, None for who never ordered), n_users,
              n_orders, n_purchases, n_repeating, amount, days_since_last (sum), last_minus_first (sum)
    """
    group = ibis.cases(*[(users.days_since_last <= most, i) for i, most in enumerate(bounds)], else_=len(bounds))
    users = users.mutate(recency=group.cast("int64"))
    whole = people.select("user_id").left_join(users, "user_id").drop("user_id_right")
    found = whole.group_by("recency").aggregate(
        n_users=whole.count(), n_repeating=whole.count(where=(whole.frequency > 0).fill_null(False)),
        **{c: whole[c].sum().fill_null(0).cast("float64")
           for c in ("n_orders", "n_purchases", "amount", "days_since_last", "last_minus_first")})
    rows = [{"group": row.pop("recency"), **row} for row in found.to_pyarrow().to_pylist()]
    return sorted(rows, key=lambda row: (row["group"] is None, row["group"] or 0))
