"""What a plan says will be seen is seen: effects drawn on the past's own users, compared as the review compares.

Each run draws as many users as there are from those of the past, with replacement, deals the arms anew and lifts the
treatment by the smallest effect of the plan. Bound: 4 Monte-Carlo standard errors (.036 at 80 % over 2,000 runs), and
two points for skewed money in a small arm. Run with `-m calibration`.
"""

import math
from functools import cache

import numpy as np
import pytest

from analysis.facts.past import imagined
from analysis.facts.user_rows import user_rows
from analysis.results.planning.draw import GATE, check, draw
from analysis.results.planning.reach import reaches_by_days
from analysis.stats.adjust import adjust, compare_adjusted
from analysis.stats.moments import JointMoments
from analysis.stats.proportions import compare_proportions
from tests.results.test_draw import drawn_from
from tests.shops import shop
from tests.tables import before

pytestmark = pytest.mark.calibration
RUNS = 2000
PARAMS = """
period: {start: 2024-03-04, end: 2024-03-06}
baseline: {start: 2024-02-24, end: 2024-03-03}
plan: {days: 3}
metrics:
  money: {sum: orders.amount, role: primary}
  buyers: {any: orders, family: a}
  basket: {ratio: [money, orders], family: b}
  orders: {count: orders, family: c}
  guarded: {sum: orders.amount, role: guardrail, margin: 10%}
"""


@cache
def planned(treated):
    made = shop(seed=11, n=4000)
    users = made.pop("assignments")[["user_id"]]
    arms = f"arms: {{control: stay, shares: {{stay: {1 - treated:.2f}, go: {treated:.2f}}}}}\n"
    past = before(PARAMS + arms, users=users, **made)
    return past, {row.metric: row for row in reaches_by_days(past) if row.days == 3}


@cache
def of_users(treated):
    """Every user's values over the last three days and the time before, by column."""
    past, _ = planned(treated)
    facts = imagined(past, 3, past.campaign.metrics["money"])
    return user_rows(facts, ["money", "orders", "buyers"]).columns


def drawn(treated, seed):
    """Indices of users and the number of them in treatment, run by run."""
    generator, n = np.random.default_rng(seed), len(of_users(treated)["money"])
    for _ in range(RUNS):
        yield generator, generator.integers(0, n, n), generator.binomial(n, treated)


def joint(columns, own, names, lift):
    rows = np.array([columns[name][own] * (lift if i == 0 else 1.0) for i, name in enumerate(names)])
    return JointMoments(len(own), tuple(names), rows.mean(1), np.atleast_2d(np.cov(rows)))


def seen(treated, parts, lift, seed, known=True):
    """Share of runs that come out as better, adjusted for the time before as the review adjusts."""
    columns = of_users(treated)
    then = [f"{part}:before" for part in parts] if known else []
    found = []
    for _, own, n in drawn(treated, seed):
        arms = {"go": joint(columns, own[:n], [*parts, *then], 1 + lift),
                "stay": joint(columns, own[n:], [*parts, *then], 1.0)}
        row = compare_adjusted(adjust([arms], parts, then), "go", "stay")
        found.append(row.pvalue < 0.05 and row.diff > 0)
    return np.mean(found)


def near(wished, slack=0.0):
    return pytest.approx(wished, abs=4 * math.sqrt(wished * (1 - wished) / RUNS) + slack)


@pytest.mark.parametrize(("treated", "slack"), [(0.5, 0.0), (0.85, 0.02)])
@pytest.mark.parametrize("parts", [("money",), ("orders",), ("money", "orders")])
def test_the_smallest_effect_is_found_in_four_of_five_runs(parts, treated, slack):
    row = planned(treated)[1]["basket" if len(parts) > 1 else parts[0]]
    assert row.method == "adjusted" and row.reduction > 0
    assert seen(treated, list(parts), row.smallest, seed=1) == near(0.8, slack)


def test_without_the_time_before_the_plain_effect_is():
    row = planned(0.5)[1]["money"]
    assert row.smallest_plain > row.smallest * 1.02
    assert seen(0.5, ["money"], row.smallest_plain, seed=2, known=False) == near(0.8)


@pytest.mark.parametrize("treated", [0.5, 0.85])
def test_a_share_that_grows_by_the_smallest_effect_is_found_as_often(treated):
    row, did = planned(treated)[1]["buyers"], of_users(treated)["buyers"]
    extra = row.smallest * row.value / (1 - row.value)     # of those who did not, as many do on top
    found = []
    for generator, own, n in drawn(treated, seed=3):
        go, stay = did[own[:n]], did[own[n:]]
        x = int(go.sum()) + generator.binomial(int(n - go.sum()), extra)
        one = compare_proportions(x, n, int(stay.sum()), len(stay))
        found.append(one.pvalue < 0.05 and one.diff > 0)
    assert np.mean(found) == near(0.8, 0.01)


def test_a_draw_of_the_arms_is_refused_as_seldom_as_the_gate_says():
    """Three metrics at .001 by Holm, and the split: .2 % of draws at most."""
    arms, people, _ = drawn_from(n=400)
    others = [check(people, arms, draw(people, arms, f"salt {i}")) for i in range(150)]
    least = np.array([min(row.pvalue for row in one.balance) for one in others])
    assert sum(one.state == "fail" for one in others) <= 2 and GATE == 0.001
    # how a draw ranks among others is uniform: the mean rank lies in the middle
    ranks = np.array([one.n_worse / one.n_others for one in others])
    assert ranks.mean() == pytest.approx(0.5, abs=4 * math.sqrt(1 / 12 / 150)) and np.corrcoef(ranks, least)[0, 1] > 0.9
