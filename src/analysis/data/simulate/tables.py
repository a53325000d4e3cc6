"""Write a draw down as the tables of a warehouse, with the dirt that such tables have.

All times are UTC with whole seconds, a visit never runs past local midnight, and every event belongs to a visit
that began with app_open: "any event on the day" and "app_open on the day" are the same users.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pandas import DataFrame

from analysis.data.simulate import model
from analysis.data.simulate.draw import Outcomes, draw_outcomes
from analysis.data.simulate.model import Truth, truths

START = pd.Timestamp("2025-10-28", tz="Asia/Shanghai")  # local midnight that begins day 0
ASSIGNED = pd.Timestamp("2025-11-10 20:00", tz="Asia/Shanghai")
STEPS = np.array([
    "app_open", "campaign_exposure", "campaign_visit", "participate", "add_to_cart", "checkout", "payment",
    "coupon_redeemed",
])
_PAYMENT, _REDEEMED = 6, 7  # positions in STEPS

N_DUPLICATES = 12       # exact copies of event rows, event_id and all
N_NULL_USERS = 7        # events without a user
N_UNKNOWN = 30          # events of N_STRANGERS users that the users table does not have
N_STRANGERS = 10
N_TWO_ARMS = 15         # users with a row in both arms; they behave as their first row says

PORTRAIT = {
    "age_group": {"18-24": 0.22, "25-34": 0.34, "35-44": 0.23, "45-54": 0.13, "55+": 0.08},
    "sex": {"female": 0.52, "male": 0.43, "unknown": 0.05},
    "region": {"east": 0.34, "south": 0.24, "north": 0.18, "central": 0.14, "west": 0.10},
}
COSTS = (  # coupons are not here: their cost is in orders.discount
    ("prizes", 6_000.0, date(2025, 11, 11)), ("prizes", 2_500.0, date(2025, 11, 12)),
    ("media", 4_800.0, date(2025, 11, 7)), ("media", 7_200.0, date(2025, 11, 11)),
    ("people", 3_500.0, date(2025, 11, 10)), ("people", 2_500.0, date(2025, 11, 11)),
    ("partners", 4_000.0, date(2025, 11, 11)),
)

_A_DAY = 86_400  # seconds; Shanghai has no daylight saving time
_CLOSING = 84_600  # no visit begins in the last half hour: steps take less than that
_QUIET_HOURS = [2, 1, 1, 1, 1, 1, 2, 4, 5, 5, 6, 6, 7, 6, 5, 5, 5, 6, 7, 8, 10, 10, 7, 3]  # weight of hours 0 to 23
_SALE_HOURS = [16, 6, 2, 1, 1, 1, 2, 3, 5, 6, 7, 5, 5, 4, 3, 3, 3, 3, 4, 5, 8, 6, 4, 2]


@dataclass(frozen=True, slots=True)
class Simulated:
    """One simulated campaign; ids are opaque, times are timestamp[us, tz=UTC], money is CNY."""

    users: pa.Table        # user_id, registered_at, consented, channel, tier, age_group, sex, region
    assignments: pa.Table  # user_id, variant, assigned_at
    events: pa.Table       # event_id, user_id, event, occurred_at; by user, then time
    orders: pa.Table       # order_id, user_id, ordered_at, amount, discount; by user, then time
    costs: pa.Table        # item, amount, spent_on
    truths: tuple[Truth, ...]


def simulate_double11(seed: int, n_users: int = 42_000) -> Simulated:
    """Simulate the campaign; the same seed gives the same tables, and the same users as draw_outcomes(seed)."""
    outcomes = draw_outcomes(seed, n_users)
    rng = np.random.default_rng([seed, 1])  # a stream of its own: attributes and clock leave outcomes alone
    visits = _draw_visits(rng, outcomes)
    steps = _draw_steps(rng, visits)
    return Simulated(
        users=_users(rng, outcomes.users),
        assignments=_assignments(rng, outcomes.users),
        events=_events(rng, steps, n_users),
        orders=_orders(outcomes.orders, steps),
        costs=pa.table(dict(zip(("item", "amount", "spent_on"), zip(*COSTS, strict=True), strict=True))),
        truths=truths(),
    )


def _users(rng: np.random.Generator, users: DataFrame) -> pa.Table:
    """One row per user, oldest registration first; age, sex and region have no bearing on anything."""
    n_users = len(users)
    age = np.sort(rng.integers(0, 4 * 365 * _A_DAY, n_users))[::-1]
    return pa.table({
        "user_id": _ids("u", np.arange(1, n_users + 1)),
        "registered_at": _moments(-1 - age),
        "consented": users["consented"].to_numpy(),
        "channel": model.CHANNELS[users["channel"]],
        "tier": model.TIERS[users["tier"]],
        **{name: rng.choice(list(rates), n_users, p=list(rates.values())) for name, rates in PORTRAIT.items()},
    })


def _assignments(rng: np.random.Generator, users: DataFrame) -> pa.Table:
    """One row per user, and a second row with the other arm, five minutes later, for N_TWO_ARMS of them."""
    twice = np.sort(rng.choice(len(users), N_TWO_ARMS, replace=False))
    user = np.concatenate([np.arange(len(users)), twice])
    is_campaign = users["is_campaign"].to_numpy()
    arm = np.concatenate([is_campaign, 1 - is_campaign[twice]])
    seconds = np.full(len(user), (ASSIGNED - START).total_seconds(), dtype=np.int64)
    seconds[len(users):] += 300
    return pa.table({
        "user_id": _ids("u", user + 1),
        "variant": np.array(["holdout", "campaign"])[arm],
        "assigned_at": _moments(seconds),
    })


def _draw_visits(rng: np.random.Generator, outcomes: Outcomes) -> DataFrame:
    """One row per visit: user, day, second (since START), has_order, has_coupon, sees_campaign.

    Visits with an order come first, in the order of `outcomes.orders`.
    """
    browsing, orders = outcomes.browsing, outcomes.orders
    user, day = (np.repeat(position, browsing[browsing > 0]) for position in np.nonzero(browsing))
    user, day = np.concatenate([orders["user"], user]), np.concatenate([orders["day"], day])
    is_campaign = outcomes.users["is_campaign"].to_numpy()[user] == 1
    return DataFrame({
        "user": user,
        "second": day * _A_DAY + _draw_clock(rng, day),
        "has_order": np.arange(len(user)) < len(orders),
        "has_coupon": np.pad(orders["has_coupon"].to_numpy(), (0, len(user) - len(orders))),
        "sees_campaign": is_campaign & (day == model.DAY),
    })


def _draw_clock(rng: np.random.Generator, day: np.ndarray) -> np.ndarray:
    """Second of the local day at which each visit begins: a rush at midnight and in the evening of the sale."""
    spot, hours = rng.random(len(day)), np.append(np.arange(24) * 3600, _CLOSING)
    quiet, sale = (np.interp(spot, np.cumsum([0, *shares]) / sum(shares), hours)
                   for shares in (_QUIET_HOURS, _SALE_HOURS))
    return np.where(day == model.DAY, sale, quiet).astype(np.int64)


def _draw_steps(rng: np.random.Generator, visits: DataFrame) -> DataFrame:
    """One row per event: user, step (position in STEPS), second; by visit, then step."""
    gaps = rng.integers(3, 241, (len(visits), len(STEPS)))
    gaps[:, 0] = gaps[:, _REDEEMED] = 0  # a coupon is redeemed by the payment, at the same second
    seconds = visits["second"].to_numpy()[:, None] + gaps.cumsum(axis=1)
    visit, step = np.nonzero(_draw_path(rng, visits))
    return DataFrame({"user": visits["user"].to_numpy()[visit], "step": step, "second": seconds[visit, step]})


def _draw_path(rng: np.random.Generator, visits: DataFrame) -> np.ndarray:
    """Whether each step of STEPS happens, visits x steps; a coupon can only come from the campaign page."""
    chance = rng.random((5, len(visits)))
    ordered, redeemed = visits["has_order"].to_numpy(), visits["has_coupon"].to_numpy()
    exposed = visits["sees_campaign"].to_numpy() & ((chance[0] < 0.92) | redeemed)
    visited = exposed & ((chance[1] < np.where(ordered, 0.85, 0.50)) | redeemed)
    participated = visited & (chance[2] < 0.40)
    carted = ordered | (chance[3] < 0.09)
    checked_out = ordered | (carted & (chance[4] < 0.30))
    opened = np.full(len(visits), True)
    return np.column_stack([opened, exposed, visited, participated, carted, checked_out, ordered, redeemed])


def _orders(orders: DataFrame, steps: DataFrame) -> pa.Table:
    """One row per order, at the time of its payment event."""
    paid = orders.assign(second=steps.loc[steps["step"] == _PAYMENT, "second"].to_numpy())
    paid = paid.sort_values(["user", "second"], kind="stable")
    return pa.table({
        "order_id": _ids("o", np.arange(1, len(paid) + 1)),
        "user_id": _ids("u", paid["user"] + 1),
        "ordered_at": _moments(paid["second"]),
        "amount": paid["amount"].to_numpy(),
        "discount": paid["discount"].to_numpy(),
    })


def _events(rng: np.random.Generator, steps: DataFrame, n_users: int) -> pa.Table:
    """One row per event, and the dirt: rows of nobody, rows of strangers, rows written twice."""
    dirt = _draw_dirt(rng, steps["second"].max(), n_users)
    log = pd.concat([steps.astype({"user": "Int64"}), dirt], ignore_index=True)
    log = log.sort_values(["user", "second", "step"], kind="stable", ignore_index=True)
    log["number"] = np.arange(1, len(log) + 1)
    copied = rng.choice(len(steps), N_DUPLICATES, replace=False)
    log = pd.concat([log, log.iloc[copied]]).sort_index(kind="stable")
    return pa.table({
        "event_id": _ids("e", log["number"]),
        "user_id": _ids("u", log["user"] + 1),
        "event": STEPS[log["step"]],
        "occurred_at": _moments(log["second"]),
    })


def _draw_dirt(rng: np.random.Generator, last_second: int, n_users: int) -> DataFrame:
    """Visits by users that the users table does not have, and by nobody at all."""
    user = pd.array([None] * N_NULL_USERS + [n_users + i % N_STRANGERS for i in range(N_UNKNOWN)], dtype="Int64")
    return DataFrame({"user": user, "step": 0, "second": rng.integers(0, last_second, len(user))})


def _ids(prefix: str, numbers: np.ndarray | pd.Series) -> pa.Array:
    """Ids such as u000123; null where the number is."""
    digits = pc.utf8_lpad(pc.cast(pa.array(numbers), pa.string()), width=6, padding="0")
    return pc.binary_join_element_wise(prefix, digits, "")


def _moments(seconds: np.ndarray | pd.Series) -> pa.Array:
    """Seconds since START as UTC times."""
    epoch = int(START.timestamp())
    return pa.array((np.asarray(seconds, dtype=np.int64) + epoch) * 1_000_000).cast(pa.timestamp("us", tz="UTC"))
