"""Campaigns that can be watched while they run: four weeks before them with a weekly rhythm, and two weeks of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from tests.tables import observed

PARAMS = """
title: A fortnight in March
question: May it go on?
owner: growth
period: {start: 2024-03-04, end: 2024-03-17}
baseline: {start: 2024-02-05, end: 2024-03-03}
arms: {control: stay, shares: {stay: 50%, go: 50%}}
metrics:
  money: {sum: orders.amount, role: primary, unit: CNY}
  buyers: {any: orders}
  basket: {ratio: [money, orders]}
  orders: {count: orders}
  visits: {count: events, role: guardrail, margin: 20%}
"""
FIRST = pd.Timestamp("2024-02-04")            # the day before the baseline
OPENS = 29                                    # days from there to the campaign
RHYTHM = np.array([1.25, 1.0, 0.95, 1.0, 1.05, 1.1, 1.35])   # Sunday to Saturday
SEEN = {}
LOUD = 0.04                                   # how far days differ beyond chance (sd of a logarithm)


def tables(seed=1, n=800, days=14, lift=0.0, visits=0.0, to_treatment=0.5, skip=(), change=None):
    """Assignments, events and orders of a campaign that has run for so many days.

    lift           of orders in treatment; `visits` of visits there
    to_treatment   chance of being put there
    skip           days of the campaign (from 1) without a row
    change         day of the campaign -> factor on what everybody does; (day, arm) for one arm
    """
    draw = np.random.default_rng(seed)
    users, is_go = np.array([f"u{i:05d}" for i in range(n)]), draw.random(n) < to_treatment
    pace = draw.gamma(2, 0.5, n)
    day = np.arange(OPENS + days)
    rate = np.outer(pace, RHYTHM[day % 7] * np.exp(draw.normal(0, LOUD, len(day))))
    for where, factor in (change or {}).items():
        number, arm = where if isinstance(where, tuple) else (where, "")
        rows = slice(None) if not arm else np.flatnonzero(is_go == (arm == "go"))
        rate[rows, OPENS + number - 1] *= factor
    during = np.outer(is_go, day >= OPENS)
    seen, bought = draw.poisson(rate * 1.2 * (1 + visits * during)), draw.poisson(rate * 0.4 * (1 + lift * during))
    for number in skip:
        seen[:, OPENS + number - 1] = bought[:, OPENS + number - 1] = 0
    return {
        "assignments": pd.DataFrame({"user_id": users, "variant": np.where(is_go, "go", "stay")}),
        "events": _rows(draw, users, seen, "occurred_at").assign(event="visit"),
        "orders": _rows(draw, users, bought, "ordered_at").assign(
            amount=lambda t: draw.gamma(3, 20, len(t)).round(2))}


def _rows(draw, users, counts, at):
    """One row per user, day and time that it was done."""
    user, day = (np.repeat(place, counts[counts > 0]) for place in np.nonzero(counts))
    seconds = draw.integers(0, 86_400, len(user))
    return pd.DataFrame({"user_id": users[user],
                         at: FIRST + pd.to_timedelta(day, unit="D") + pd.to_timedelta(seconds, unit="s")})


def watched(params="", until=None, **how):
    """Facts of such a campaign as of a day of March (the last it has run for without one); the same ones once."""
    key = (params, until, repr(sorted(how.items())))
    if key not in SEEN:
        last = until or 3 + how.get("days", 14)
        SEEN[key] = observed(f"{PARAMS}{params}\ndata_until: 2024-03-{last:02d}\n", **tables(**how))
    return SEEN[key]


def write_running(folder: Path, params="", **how) -> Path:
    """The same in a folder, as a user would have it: the params file, and the tables beside it."""
    for name, frame in tables(**how).items():
        frame.to_csv(folder / f"{name}.csv", index=False)
    sources = "".join(f"  {name}: {{path: {name}.csv}}\n" for name in ("assignments", "events", "orders"))
    path = folder / "fortnight.yml"
    path.write_text(f"{PARAMS}currency: CNY\n{params}\nsources:\n{sources}", encoding="utf-8")
    return path
