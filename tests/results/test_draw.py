"""Arms drawn before a campaign, and what the time before says of the draw."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis.facts.drawn_from import people
from analysis.results.planning.draw import OTHERS, Draw, check, draw
from analysis.stats.multiplicity import holm
from tests.shops import shop
from tests.tables import before

PARAMS = """
period: {start: 2024-03-04, end: 2024-03-05}
baseline: {start: 2024-02-29, end: 2024-03-03}
metrics:
  money: {sum: orders.amount, role: primary}
  buyers: {any: orders}
  orders: {count: orders}
  basket: {ratio: [money, orders]}
"""
ARMS = "arms: {control: stay, shares: {stay: 50%, go: 50%}}\n"


def tables(n=400, seed=5):
    made = shop(seed=seed, n=n)
    users = made.pop("assignments")[["user_id"]]
    return made | {"users": users.assign(city=[f"c{i % 16}" for i in range(n)], tier=["a", "b"] * (n // 2))}


def drawn_from(params=ARMS, salt="spring", **how):
    past = before(PARAMS + params, **tables(**how))
    found = people(past)
    return past.campaign.arms, found, draw(found, past.campaign.arms, salt)


def arms_of(found, drawn):
    return dict(zip(found.ids.to_pylist(), drawn.variant.tolist(), strict=True))


def test_the_salt_decides_and_the_order_of_rows_does_not():
    made = tables()
    mixed = {name: frame.sample(frac=1, random_state=1) for name, frame in made.items()}
    past = [before(PARAMS + ARMS, **one) for one in (made, mixed)]
    first, second = (arms_of(found := people(one), draw(found, one.campaign.arms, "spring")) for one in past)
    assert first == second
    _, found, other = drawn_from(salt="autumn")
    assert sum(first[user] != arm for user, arm in arms_of(found, other).items()) > 150


def test_within_strata_shares_match_to_within_one_user():
    _, found, drawn = drawn_from(ARMS.replace("}}\n", "}, strata: [tier]}\n"))
    for tier in ("a", "b"):
        own = drawn.variant[np.array(found.stratum) == tier]
        assert abs((own == "go").sum() - len(own) / 2) <= 1
    assert set(found.stratum) == {"a", "b"}


def test_users_without_a_value_are_a_stratum_of_their_own():
    made = tables()
    made["users"].loc[:9, "tier"] = None
    past = before(PARAMS + ARMS.replace("}}\n", "}, strata: [tier]}\n"), **made)
    found = people(past)
    assert found.stratum.count("(none)") == 10
    drawn = draw(found, past.campaign.arms, "spring")
    assert (drawn.variant[np.array(found.stratum) == "(none)"] == "go").sum() == 5


def test_whole_clusters_get_an_arm_and_users_without_one_get_none():
    made = tables()
    made["users"].loc[0, "city"] = None
    past = before(PARAMS + ARMS.replace("}}\n", "}, cluster: city}\n"), **made)
    found = people(past)
    drawn = draw(found, past.campaign.arms, "spring")
    by_city = pd.Series(drawn.variant).groupby(pd.Series(found.cluster)).nunique()
    assert (by_city == 1).all() and drawn.variant[0] == "" and sum(drawn.sizes.values()) == 399
    cities = pd.Series(drawn.variant, index=found.cluster).groupby(level=0).first().drop("")
    assert cities.value_counts().to_dict() == {"go": 8, "stay": 8}
    checked = check(found, past.campaign.arms, drawn)
    assert (checked.unit, checked.split.n, checked.state) == ("city", 16, "ok")


def test_balance_is_welch_on_the_time_before_corrected_by_holm():
    arms, found, drawn = drawn_from()
    checked = check(found, arms, drawn)
    go, stay = drawn.variant == "go", drawn.variant == "stay"
    by_hand = {name: stats.ttest_ind(x[go], x[stay], equal_var=False).pvalue for name, x in found.before.items()}
    assert {row.metric: row.pvalue for row in checked.balance} == pytest.approx(by_hand)
    assert set(by_hand) == {"money", "buyers", "orders"}       # a ratio is no number of a user's own
    assert [row.pvalue_adjusted for row in checked.balance] == pytest.approx(holm(list(by_hand.values())))
    money = found.before["money"]
    gap = money[go].mean() - money[stay].mean()
    spread = np.sqrt((money[go].var(ddof=1) + money[stay].var(ddof=1)) / 2)
    assert checked.balance[0].standardised == pytest.approx(gap / spread)


def test_a_fair_draw_ranks_anywhere_among_others_and_these_rarely_differ():
    arms, found, drawn = drawn_from()
    checked = check(found, arms, drawn)
    assert checked.state == "ok" and checked.n_others == OTHERS == checked.alarms.n
    assert 0 < checked.n_worse < OTHERS and checked.alarms.rate <= 0.1


def test_arms_that_differ_before_are_refused_and_no_other_draw_is_worse():
    arms, found, drawn = drawn_from()
    spent = found.before["money"]
    rigged = Draw("spring", np.where(spent > np.median(spent), "go", "stay"), drawn.shares)
    checked = check(found, arms, rigged)
    assert (checked.state, checked.n_worse) == ("fail", 0) and checked.worst.pvalue_adjusted < 0.001


def test_arms_of_the_wrong_size_are_refused():
    arms, found, drawn = drawn_from()
    checked = check(found, arms, Draw("spring", np.where(np.arange(400) < 280, "go", "stay"), drawn.shares))
    assert checked.state == "fail" and checked.split.pvalue < 0.001


def test_without_a_time_before_only_the_split_is_known():
    past = before(PARAMS.replace("baseline: {start: 2024-02-29, end: 2024-03-03}\n", "")
                  + "period: {start: 2024-03-04, end: 2024-06-05}\n" + ARMS, **tables())
    found = people(past)
    checked = check(found, past.campaign.arms, draw(found, past.campaign.arms, "spring"))
    assert found.before == {} and checked.balance == [] and checked.worst is None
    assert (checked.state, checked.n_others, checked.alarms.reason) == ("ok", 0, "no_tests")


def test_the_same_draw_gives_the_same_check():
    assert check(*_parts()) == check(*_parts())


def _parts():
    arms, found, drawn = drawn_from()
    return found, arms, drawn
