"""The simulated campaign: its truths by another route, its draw, its tables and their dirt."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest, chi2_contingency

from analysis.data.simulate import Simulated, draw_outcomes, simulate_double11, truths

PER_USER = [truth for truth in truths() if truth.metric != "order_value"]
SEED, N_USERS = 7, 6_000
TABLES = ("users", "assignments", "events", "orders", "costs")


@pytest.fixture(scope="module")
def everybody() -> dict[str, pd.DataFrame]:
    """Half a million consenting users under each arm: name of the arm -> one row per user."""
    def under(holdout_rate: float) -> pd.DataFrame:
        draws = [draw_outcomes(seed, 125_000, holdout_rate).users for seed in range(4)]
        return pd.concat(draws).query("consented")

    return {"holdout": under(1.0), "campaign": under(0.0)}


@pytest.fixture(scope="module")
def simulated() -> Simulated:
    return simulate_double11(SEED, N_USERS)


@pytest.fixture(scope="module")
def log(simulated) -> pd.DataFrame:
    """The events that a careful reader would count: no copies, known users only."""
    known = set(simulated.users["user_id"].to_pylist())
    events = simulated.events.to_pandas().drop_duplicates("event_id")
    return events[events["user_id"].isin(known)]


# truths -----------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("arm", ["holdout", "campaign"])
@pytest.mark.parametrize("truth", PER_USER, ids=lambda truth: truth.metric)
def test_mean_of_a_large_draw_is_the_truth(everybody, truth, arm):
    values = everybody[arm][truth.metric].astype(float)
    error = values.std() / np.sqrt(len(values))
    assert abs(values.mean() - getattr(truth, arm)) < 4 * error
    assert error < 0.015 * getattr(truth, arm), "too few users to tell"


@pytest.mark.parametrize("arm", ["holdout", "campaign"])
def test_order_value_of_a_large_draw_is_the_truth(everybody, arm):
    (truth,) = (truth for truth in truths() if truth.metric == "order_value")
    users = everybody[arm]
    ratio = users["amount"].sum() / users["orders"].sum()
    residual = users["amount"] - ratio * users["orders"]  # delta method
    error = residual.std() / np.sqrt(len(users)) / users["orders"].mean()
    assert abs(ratio - getattr(truth, arm)) < 4 * error


def test_the_campaign_lifts_the_day_and_lowers_the_days_after():
    sign = {truth.metric: np.sign(truth.diff) for truth in truths()}
    assert sign == {"active": 1, "buyers": 1, "orders": 1, "amount": 1, "discount": 1, "amount_after": -1,
                    "order_value": -1}


def test_relative_difference_is_difference_by_holdout():
    for truth in truths():
        assert truth.diff == truth.campaign - truth.holdout
        assert truth.rel_diff == pytest.approx(truth.diff / truth.holdout)


# draw -------------------------------------------------------------------------------------------------------------

def test_the_season_alone_beats_a_goal_of_thirty_percent(everybody):
    holdout = everybody["holdout"]
    assert holdout["amount"].mean() > 2 * holdout["amount_before"].mean() / 14


def test_demand_is_pulled_forward_even_without_the_campaign(everybody):
    holdout = everybody["holdout"]
    assert holdout["amount_after"].mean() < holdout["amount_before"].mean()


def test_one_user_in_ten_is_held_out_each_drawn_on_its_own():
    counts = [int((draw_outcomes(seed, 2_000).users["is_campaign"] == 0).sum()) for seed in range(200)]
    assert binomtest(sum(counts), 200 * 2_000, 0.1).pvalue > 0.001
    assert np.var(counts) == pytest.approx(2_000 * 0.1 * 0.9, rel=0.5), "a fixed quota would not vary"


@pytest.mark.parametrize("attribute", ["tier", "channel", "is_silent", "consented"])
def test_arm_is_independent_of_what_is_known_before(attribute):
    users = draw_outcomes(3, 100_000).users
    assert chi2_contingency(pd.crosstab(users[attribute], users["is_campaign"])).pvalue > 0.001


def test_arm_is_independent_of_earlier_spend():
    before = draw_outcomes(3, 100_000).users.groupby("is_campaign")["amount_before"]
    error = np.sqrt((before.var() / before.size()).sum())
    assert abs(before.mean().diff().iloc[1]) < 4 * error


# tables -----------------------------------------------------------------------------------------------------------

def test_same_seed_same_tables(simulated):
    again = simulate_double11(SEED, N_USERS)
    assert all(getattr(again, name).equals(getattr(simulated, name)) for name in TABLES)


def test_another_seed_other_users_and_events(simulated):
    other = simulate_double11(SEED + 1, N_USERS)
    assert not any(getattr(other, name).equals(getattr(simulated, name)) for name in TABLES if name != "costs")


def test_columns_and_types(simulated):
    time, text = pa.timestamp("us", tz="UTC"), pa.string()
    types = {name: dict(zip(getattr(simulated, name).schema.names, getattr(simulated, name).schema.types, strict=True))
             for name in TABLES}
    assert types == {
        "users": {"user_id": text, "registered_at": time, "consented": pa.bool_(), "channel": text, "tier": text,
                  "age_group": text, "sex": text, "region": text},
        "assignments": {"user_id": text, "variant": text, "assigned_at": time},
        "events": {"event_id": text, "user_id": text, "event": text, "occurred_at": time},
        "orders": {"order_id": text, "user_id": text, "ordered_at": time, "amount": pa.float64(),
                   "discount": pa.float64()},
        "costs": {"item": text, "amount": pa.float64(), "spent_on": pa.date32()},
    }


def test_the_log_tells_the_outcomes(simulated, log):
    """Activity and money read off the tables, local days and all, are what was drawn."""
    drawn = draw_outcomes(SEED, N_USERS).users.set_index(simulated.users["user_id"].to_pandas())
    day = pd.Timestamp("2025-11-11").date()
    active = log[log["occurred_at"].dt.tz_convert("Asia/Shanghai").dt.date == day]["user_id"].unique()
    assert set(active) == set(drawn.index[drawn["active"]])

    orders = simulated.orders.to_pandas()
    on = orders["ordered_at"].dt.tz_convert("Asia/Shanghai").dt.date
    phases = {"amount_before": on < day, "amount": on == day, "amount_after": on > day}
    for name, rows in phases.items():
        spent = orders[rows].groupby("user_id")["amount"].sum().reindex(drawn.index, fill_value=0)
        assert spent.to_numpy() == pytest.approx(drawn[name].to_numpy())


def test_each_order_has_its_payment(simulated, log):
    orders = simulated.orders.to_pandas()
    paid = log[log["event"] == "payment"]
    assert sorted(zip(paid["user_id"], paid["occurred_at"], strict=True)) == sorted(
        zip(orders["user_id"], orders["ordered_at"], strict=True)
    )


def test_money_is_positive_and_has_two_decimals(simulated):
    money = simulated.orders.select(["amount", "discount"]).to_pandas()
    assert (money > 0).all(axis=None)
    assert money.equals(money.round(2))


def test_only_the_campaign_arm_sees_the_campaign_and_only_on_the_day(simulated, log):
    arm = simulated.assignments.to_pandas().drop_duplicates("user_id").set_index("user_id")["variant"]
    seen = log[log["event"].isin(["campaign_exposure", "campaign_visit", "participate", "coupon_redeemed"])]
    assert seen["event"].nunique() == 4
    assert set(arm[seen["user_id"]]) == {"campaign"}
    assert set(seen["occurred_at"].dt.tz_convert("Asia/Shanghai").dt.strftime("%Y-%m-%d")) == {"2025-11-11"}


def test_one_coupon_per_order_that_had_fifty_off(simulated, log):
    orders = simulated.orders.to_pandas()
    listed = orders["amount"] + orders["discount"]
    has_coupon = orders["discount"] > 0.03 * listed + 25
    assert has_coupon.sum() == (log["event"] == "coupon_redeemed").sum() > 0
    assert listed[has_coupon].min() >= 300


def test_times_lie_in_their_windows(simulated):
    start, end = (pd.Timestamp(day, tz="Asia/Shanghai") for day in ("2025-10-28", "2025-11-26"))
    users, events, orders = (getattr(simulated, name).to_pandas() for name in ("users", "events", "orders"))
    assert users["registered_at"].max() < start
    assert events["occurred_at"].between(start, end, inclusive="left").all()
    assert orders["ordered_at"].between(start, end, inclusive="left").all()
    assert events["occurred_at"].dt.tz_convert("Asia/Shanghai").dt.date.nunique() == 29
    assert (events["occurred_at"] == events["occurred_at"].dt.floor("s")).all()


def test_everybody_is_assigned_the_evening_before(simulated):
    assigned = simulated.assignments.to_pandas()["assigned_at"].dt.tz_convert("Asia/Shanghai")
    assert assigned.min() == pd.Timestamp("2025-11-10 20:00", tz="Asia/Shanghai")
    assert assigned.max() < pd.Timestamp("2025-11-11", tz="Asia/Shanghai")
    assert set(simulated.assignments["user_id"].to_pylist()) == set(simulated.users["user_id"].to_pylist())


def test_events_stand_in_time_order_within_each_user(simulated):
    events = simulated.events.to_pandas()
    known = events[events["user_id"].notna()]
    order = known.sort_values(["user_id", "occurred_at"], kind="stable").index
    assert (order == known.index).all()


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_dirt_is_counted_whatever_the_seed(seed):
    simulated = simulate_double11(seed, 500)
    users, events = simulated.users["user_id"].to_pylist(), simulated.events.to_pandas()
    assignments = simulated.assignments.to_pandas()
    assert events.duplicated().sum() == events.duplicated("event_id").sum() == 12
    once = events.drop_duplicates("event_id")
    assert once["user_id"].isna().sum() == 7
    strangers = once[once["user_id"].notna() & ~once["user_id"].isin(users)]
    assert (len(strangers), strangers["user_id"].nunique()) == (30, 10)
    arms = assignments.groupby("user_id")["variant"].agg(["size", "nunique"])
    assert (arms["size"] == arms["nunique"]).all()
    assert (arms["size"] == 2).sum() == 15
