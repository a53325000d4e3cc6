"""The Double 11 that is simulated, in numbers: who the users are, what they do, what to expect of them.

A table of users (or of cells, the kinds of users) has the columns tier and channel (codes: positions in TIERS and
CHANNELS), is_silent and is_campaign (0 or 1). Rates and truths come from the same functions. Money is CNY.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from pandas import DataFrame
from scipy.stats import norm

HOLDOUT_RATE = 0.10
CONSENT_RATE = 0.98  # independent of all else, so the truths hold for those who consented

TIERS = np.array(["ordinary", "silver", "gold"])
TIER_RATES = np.array([0.72, 0.21, 0.07])
CHANNELS = np.array(["app_push", "social", "email", "partner", "organic"])
CHANNEL_RATES = np.array([0.22, 0.24, 0.12, 0.14, 0.28])
SILENT_RATES = np.array([0.40, 0.15, 0.05])  # by tier

VISITS = np.array([0.36, 0.60, 0.90])  # on a plain day, by tier, of a user who is not silent
CHANNEL_VISITS = np.array([1.10, 0.90, 1.00, 0.75, 1.10])  # factor, by channel
SILENT_VISITS = 0.06  # factor
PACE_SHAPE = 1.3  # of the gamma with mean 1
CONVERSION = np.array([0.055, 0.075, 0.095])  # share of visits with an order on a plain day, by tier
BASKET = np.array([150.0, 190.0, 260.0])  # mean list price of an order, by tier
PURSE_SD = ORDER_SD = 0.5  # of the logarithm: between users, between the orders of one user

MEMBER_RATE = 0.03  # off the list price, always and for everybody
THRESHOLD, COUPON = 300.0, 50.0  # 50 off from 300, campaign arm on the day

N_DAYS, DAY = 29, 14  # days since Tuesday 2025-10-28; day 14 is 11 November
BEFORE, AFTER = slice(0, DAY), slice(DAY + 1, N_DAYS)
_WEEK = np.array([0.97, 0.96, 0.98, 1.03, 1.08, 1.02, 0.96])  # Tuesday to Monday
_WAIT = np.array([1.0] * 10 + [0.92, 0.84, 0.76, 0.62])  # shoppers hold back as the day comes near
_LULL = np.array([0.70, 0.76, 0.82, 0.86, 0.90, 0.93, 0.95, 0.97, 0.98, 0.99] + [1.0] * 4)
DAY_VISITS = np.concatenate([np.tile(_WEEK, 2), [1.30], np.tile(np.roll(_WEEK, -1), 2)])  # factor, everybody
DAY_CONVERSION = np.concatenate([_WAIT, [2.50], _LULL])  # factor, everybody

CAMPAIGN_VISITS = np.array([1.14, 1.18, 1.05])  # factors on the day in the campaign arm, by tier
CAMPAIGN_CONVERSION = np.array([1.14, 1.20, 1.03])
CAMPAIGN_BASKET = 1.04
PULLED_FORWARD = np.array([0.30, 0.40])  # share of later orders that buyers of the day drop: hold-out, campaign


@dataclass(frozen=True, slots=True)
class Truth:
    """Expectation of one metric per user of the superpopulation that consented, under either arm."""

    metric: str
    unit: str
    holdout: float
    campaign: float
    diff: float            # campaign - holdout
    rel_diff: float        # diff / holdout


def truths() -> tuple[Truth, ...]:
    """True expectations per user on the campaign day, and of spend in the 14 days after.

    Nothing is sampled or stored. Within a cell visits are N ~ Poisson(pace v), pace ~ Gamma(k) with mean 1, so
        P(N > 0)         = 1 - (1 + v/k)^-k
        E[pace 1(N > 0)] = 1 - (1 + v/k)^-(k+1)   (the part of later demand that is of buyers of the day)
    and the same for orders, because thinned Poisson counts are Poisson. A list price is lognormal, so the share
    of orders that reach the threshold is a normal tail. Cells are summed by their weight. `order_value` is a
    ratio of expectations, amount / orders. Prices are rounded to 0.01 in the draw but not here.
    """
    holdout, campaign = _expected(is_campaign=0), _expected(is_campaign=1)
    units = {"active": "share", "buyers": "share", "orders": "orders"}
    return tuple(
        Truth(metric, units.get(metric, "CNY"), low, high, high - low, high / low - 1)
        for metric, low, high in ((metric, holdout[metric], campaign[metric]) for metric in holdout)
    )


def visit_rates(users: DataFrame) -> np.ndarray:
    """Expected visits at pace 1, users x days."""
    tier = users["tier"].to_numpy()
    plain = VISITS[tier] * CHANNEL_VISITS[users["channel"]] * np.where(users["is_silent"], SILENT_VISITS, 1)
    visits = np.outer(plain, DAY_VISITS)
    visits[:, DAY] *= np.where(users["is_campaign"], CAMPAIGN_VISITS[tier], 1)
    return visits


def conversion_rates(users: DataFrame) -> np.ndarray:
    """Share of visits that end in an order, users x days, before demand is pulled forward."""
    tier = users["tier"].to_numpy()
    share = np.outer(CONVERSION[tier], DAY_CONVERSION)
    share[:, DAY] *= np.where(users["is_campaign"], CAMPAIGN_CONVERSION[tier], 1)
    return share


def _expected(is_campaign: int) -> dict[str, float]:
    """Expectation of every metric with all users in one arm."""
    cells, weight = _cells(is_campaign)
    visits = visit_rates(cells)
    orders = visits * conversion_rates(cells)
    basket = BASKET[cells["tier"]]
    listed = basket * (CAMPAIGN_BASKET if is_campaign else 1)
    discount = MEMBER_RATE * listed + (COUPON * _share_above(THRESHOLD, listed) if is_campaign else 0)
    kept = 1 - PULLED_FORWARD[is_campaign] * _share_positive(orders[:, DAY], PACE_SHAPE + 1)
    by_cell = {
        "active": _share_positive(visits[:, DAY]),
        "buyers": _share_positive(orders[:, DAY]),
        "orders": orders[:, DAY],
        "amount": orders[:, DAY] * (listed - discount),
        "discount": orders[:, DAY] * discount,
        "amount_after": orders[:, AFTER].sum(axis=1) * kept * basket * (1 - MEMBER_RATE),
    }
    mean = {metric: float(weight @ values) for metric, values in by_cell.items()}
    return mean | {"order_value": mean["amount"] / mean["orders"]}


def _cells(is_campaign: int) -> tuple[DataFrame, np.ndarray]:
    """The 30 kinds of users, all in one arm, and the share of each in the superpopulation."""
    tier, channel, is_silent = (axis.ravel() for axis in np.indices((len(TIERS), len(CHANNELS), 2)))
    silent_rate = np.where(is_silent, SILENT_RATES[tier], 1 - SILENT_RATES[tier])
    cells = DataFrame({"tier": tier, "channel": channel, "is_silent": is_silent, "is_campaign": is_campaign})
    return cells, TIER_RATES[tier] * CHANNEL_RATES[channel] * silent_rate


def _share_positive(rate: np.ndarray, power: float = PACE_SHAPE) -> np.ndarray:
    """P(N > 0) of a negative binomial count with mean `rate`; E[pace 1(N > 0)] with power PACE_SHAPE + 1."""
    return 1 - (1 + rate / PACE_SHAPE) ** -power


def _share_above(price: float, mean: np.ndarray) -> np.ndarray:
    """P(list price >= price) of a lognormal price that varies by user and by order."""
    sd = np.hypot(PURSE_SD, ORDER_SD)
    return norm.sf((np.log(price / mean) + sd**2 / 2) / sd)
