"""Every kind of comparison against another route on the very rows of a campaign."""

import math
from dataclasses import fields
from functools import cache

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.regression.linear_model import OLS

from analysis.results.contrast import by_size, contrast
from analysis.results.goals import goals
from analysis.results.uplift import uplifts
from analysis.stats.proportions import compare_proportions
from tests.people import METRICS, TIME_AFTER, WEEK, assert_lawful, assert_reasoned, influence, people
from tests.shops import PHASES, shop
from tests.tables import observed

ARMS = "arms: {control: stay, shares: {stay: 50%, go: 50%}}\n"
STRATA = "arms: {control: stay, shares: {stay: 50%, go: 50%}, strata: [tier]}\n"
CLUSTERED = "arms: {control: stay, shares: {stay: 50%, go: 50%}, cluster: shop}\n"
PLAIN = "effects: {adjust: none}\n"


def campaign_of(tables, params, **columns):
    """Facts, and the people behind them; `columns` of users are values, or made by a generator for n users."""
    n, draw = len(tables["assignments"]), np.random.default_rng(2)
    users = tables["assignments"][["user_id"]].assign(
        **{name: make(draw, n) if callable(make) else make for name, make in columns.items()})
    more = {"users": users} if columns else {}
    return observed(METRICS + params + PHASES, **more, **tables), people(tables, users)


@cache
def campaign(params, seed=2, n=400, **columns):
    return campaign_of(shop(seed=seed, n=n), params, **columns)


def tier(draw, n):
    return draw.choice(["gold", "grey", "none"], n, p=[0.3, 0.5, 0.2])


def effect(facts, name="money"):
    return next(row for row in uplifts(facts) if row.metric == name)


def adjusted_by_hand(y, arm, x):
    """Difference, its variance and degrees of freedom, of residuals from one least squares fit for both arms."""
    fit = OLS(y, np.column_stack([arm == "stay", arm == "go", x]).astype(float)).fit()
    left, k = y - x @ fit.params[2:], x.shape[1]
    n_free = len(y) - 2
    own = {each: left[arm == each] for each in ("go", "stay")}
    var = {each: values.var(ddof=1) / len(values) for each, values in own.items()}
    apart = x[arm == "go"].mean(0) - x[arm == "stay"].mean(0)
    spread = sum(np.cov(x[arm == each].T).reshape(k, k) / len(own[each]) for each in own)
    whole = sum(var.values())
    df = whole**2 / sum(v**2 / (len(own[each]) - 1) for each, v in var.items()) * (n_free - k) / n_free
    t2 = apart @ np.linalg.solve(spread, apart)
    return fit.params[1] - fit.params[0], whole * (1 + t2 / n_free) * n_free / (n_free - k), df


@pytest.mark.parametrize("name", ["money", "orders"])
def test_an_adjusted_mean_is_that_of_least_squares_with_the_time_before(name):
    facts, own = campaign(ARMS)
    row = effect(facts, name)
    diff, var, df = adjusted_by_hand(
        own[name].to_numpy(), own["variant"].to_numpy(), own[[f"{name}:before"]].to_numpy())
    assert row.method == "adjusted" and row.diff == pytest.approx(diff)
    t = diff / math.sqrt(var)
    assert row.pvalue == pytest.approx(2 * stats.t.sf(abs(t), df))
    half = stats.t.isf(row.alpha / 2, df) * math.sqrt(var)
    assert (row.diff_lower, row.diff_upper) == pytest.approx((diff - half, diff + half))


def test_equal_spreads_and_arms_make_it_the_analysis_of_covariance():
    """Statsmodels' own interval, to what two arms of random size and spread leave."""
    facts, own = campaign(ARMS, seed=8, n=1000)
    x = np.column_stack([np.ones(1000), own["variant"] == "go", own["money:before"]]).astype(float)
    theirs = OLS(own["money"].to_numpy(), x).fit(cov_type="HC2")
    row = effect(facts)
    assert row.diff == pytest.approx(theirs.params[1])
    assert row.diff_upper - row.diff_lower == pytest.approx(np.ptp(theirs.conf_int()[1]), rel=0.01)


def test_users_who_came_after_the_time_before_are_told_apart():
    came = np.where(np.arange(400) % 5, "2024-01-05", "2024-03-05")
    tables = shop(seed=9, n=400)
    late = set(tables["assignments"]["user_id"][came > "2024-03-03"])
    early = tables["orders"]["ordered_at"] < "2024-03-04"
    tables["orders"] = tables["orders"][~(early & tables["orders"]["user_id"].isin(late))]
    facts, own = campaign_of(tables, ARMS, registered_at=came)
    x = np.column_stack([own["money:before"], own["registered_at"] < "2024-03-04"]).astype(float)
    diff, var, df = adjusted_by_hand(own["money"].to_numpy(), own["variant"].to_numpy(), x)
    row = effect(facts)
    assert row.diff == pytest.approx(diff)
    assert row.pvalue == pytest.approx(2 * stats.t.sf(abs(diff) / math.sqrt(var), df))


def test_an_adjusted_ratio_is_least_squares_on_the_users_parts_in_it():
    facts, own = campaign(ARMS)
    diff, var, df = adjusted_by_hand(influence(own).to_numpy(), own["variant"].to_numpy(),
                                     own[["money:before", "orders:before"]].to_numpy())
    row = effect(facts, "basket")
    assert (row.method, row.kind) == ("adjusted", "ratio") and row.diff == pytest.approx(diff)
    assert row.pvalue == pytest.approx(2 * stats.t.sf(abs(diff) / math.sqrt(var), df))


def test_a_plain_ratio_is_welchs_test_of_the_users_parts_in_it():
    facts, own = campaign(ARMS + PLAIN)
    go, stay = (influence(own)[own["variant"] == arm] for arm in ("go", "stay"))
    row = effect(facts, "basket")
    theirs = stats.ttest_ind(go, stay, equal_var=False)
    assert (row.method, row.pvalue) == ("delta", pytest.approx(theirs.pvalue))
    assert row.value_control == pytest.approx(stay.mean()) and row.diff == pytest.approx(go.mean() - stay.mean())


@pytest.mark.parametrize("name", ["money", "buyers", "orders"])
def test_strata_are_weighted_by_their_users(name):
    facts, own = campaign(STRATA + PLAIN, tier=tier)
    cells = own.groupby(["tier", "variant"])[name].agg(["mean", "var", "size"]).unstack()
    weight = own["tier"].value_counts(normalize=True).sort_index()
    diff = cells["mean"]["go"] - cells["mean"]["stay"]
    parts = (cells["var"] / cells["size"]).mul(weight**2, axis=0)
    whole = float((weight * diff).sum())
    between = float((weight * (diff - whole) ** 2).sum()) / len(own)
    var = float(parts.to_numpy().sum())
    df = var**2 / float((parts**2 / (cells["size"] - 1)).to_numpy().sum())
    row = effect(facts, name)
    assert row.method == "strata" and row.diff == pytest.approx(whole)
    assert row.pvalue == pytest.approx(2 * stats.t.sf(abs(whole) / math.sqrt(var + between), df))


def test_strata_and_the_time_before_together_are_least_squares_within_strata():
    facts, own = campaign(STRATA, tier=tier)
    cell = own["tier"] + own["variant"]
    within = own[["money", "money:before"]] - own.groupby(cell)[["money", "money:before"]].transform("mean")
    theta = OLS(within["money"].to_numpy(), within[["money:before"]].to_numpy()).fit().params[0]
    left = own["money"] - theta * own["money:before"]
    level = left.groupby([own["tier"], own["variant"]]).mean().unstack()
    weight = own["tier"].value_counts(normalize=True)
    assert effect(facts).diff == pytest.approx(((level["go"] - level["stay"]) * weight).sum())


def test_users_without_a_stratum_are_one():
    some, named = (campaign(STRATA, tier=tuple("gold" if i % 5 < 2 else other for i in range(400)))[0]
                   for other in (None, "other"))
    assert [row.diff for row in uplifts(some)] == pytest.approx([row.diff for row in uplifts(named)])


@pytest.mark.parametrize(("sizes", "expected"), [
    ([(3, 4)], ([], [0])),                                  # nothing to put it together with
    ([(50, 50), (20, 20)], ([], [1, 0])),
    ([(50, 50), (9, 20), (20, 9)], ([1, 2], [0])),
    ([(50, 50), (3, 20), (60, 60)], ([1, 0], [2])),         # the small one alone is too small: the next joins it
    ([(50, 0), (0, 50)], ([0, 1], [])),                     # an arm in each
    ([(1, 0), (0, 1)], ([0, 1], []))])
def test_small_strata_are_put_together(sizes, expected):
    named = [{arm: n for arm, n in zip(("stay", "go"), own, strict=True) if n} for own in sizes]
    assert by_size(named, ["stay", "go"]) == expected


@pytest.mark.parametrize(("column", "method"), [
    (("gold",) * 400, "score"),                                  # one stratum
    (tuple(f"t{i}" for i in range(400)), "score"),                   # one user each: put together
    (("gold",) * 385 + ("grey",) * 15, "score"),                  # fewer than 10 of an arm
    (("gold",) * 300 + ("grey",) * 100, "strata")])
def test_a_share_of_one_stratum_is_a_score_test(column, method):
    facts, own = campaign(STRATA, tier=column)
    row = effect(facts, "buyers")
    assert row.method == method
    if method == "score":
        counts = own.groupby("variant")["buyers"].agg(["sum", "size"]).astype(int)
        theirs = compare_proportions(*counts.loc["go"].tolist(), *counts.loc["stay"].tolist(), row.alpha)
        assert (row.pvalue, row.diff_lower, row.rel_diff_upper) == (
            theirs.pvalue, theirs.diff_lower, theirs.rel_diff_upper)


@pytest.mark.parametrize(("everybody", "reason"), [(False, "no_conversions"), (True, "all_converted")])
def test_a_share_of_nobody_or_everybody_has_its_interval_in_strata_too(everybody, reason):
    tables = shop(seed=3, n=400)
    keep = tables["orders"]["ordered_at"] < "2024-03-04"
    extra = tables["assignments"][["user_id"]].assign(ordered_at=pd.Timestamp("2024-03-05"), amount=3.0)
    tables["orders"] = pd.concat([tables["orders"][keep], *([extra] if everybody else [])])
    facts, _ = campaign_of(tables, STRATA, tier=["gold", "grey"] * 200)
    row = effect(facts, "buyers")
    assert (row.reason, row.method) == (reason, "score") and row.diff_lower < 0 < row.diff_upper


@pytest.mark.parametrize(("n_buyers", "method"), [(0.08, "score"), (0.13, "strata"), (0.87, "strata"), (0.93, "score")])
def test_a_rare_share_is_a_score_test_whatever_the_strata(n_buyers, method):
    """20 of the smaller arm's 200 users are to do it, and not to; how many of either arm did is not looked at."""
    tables = shop(seed=3, n=400)
    tables["assignments"]["variant"] = np.where(np.arange(400) % 2, "go", "stay")
    buyers = tables["assignments"]["user_id"].iloc[:round(n_buyers * 400)]
    tables["orders"] = buyers.to_frame().assign(ordered_at=pd.Timestamp("2024-03-05"), amount=3.0)
    facts, _ = campaign_of(tables, STRATA, tier=np.where(np.arange(400) % 3, "gold", "grey"))
    assert effect(facts, "buyers").method == method


# --- clusters ---

def shops_of(arm, n_shops=8):
    """As many shops in either arm, of uneven size."""
    number = arm.groupby(arm).cumcount()
    return arm + ((number % 31 + number % 7) % n_shops).astype(str)


def cr2_by_hand(y, x, c, shops):
    """Bell & McCaffrey (2002) by matrices, for the regression of y on x: c @ coefficients, its variance, and degrees of
    freedom."""
    inverse = np.linalg.inv(x.T @ x)
    hat = x @ inverse @ x.T
    residual, var, pulls = y - hat @ y, 0.0, []
    for shop_name in np.unique(shops):
        own = np.flatnonzero(shops == shop_name)
        roots, vectors = np.linalg.eigh(np.eye(len(own)) - hat[np.ix_(own, own)])
        pull = c @ inverse @ x[own].T @ vectors @ np.diag(1 / np.sqrt(roots)) @ vectors.T
        var += float(pull @ residual[own]) ** 2
        pulls.append((np.eye(len(y)) - hat)[:, own] @ pull)
    gram = np.array(pulls) @ np.array(pulls).T
    return float(c @ inverse @ x.T @ y), var, float(np.trace(gram) ** 2 / (gram**2).sum())


def test_clusters_are_compared_as_cr2_does_by_matrices():
    tables = shop(seed=5, n=400)
    facts, own = campaign_of(tables, CLUSTERED, shop=shops_of(tables["assignments"]["variant"]).to_numpy())
    for name in ("money", "buyers"):
        row, arms = effect(facts, name), own.groupby("variant")
        go, stay = (cr2_by_hand(users[name].to_numpy(), np.ones((len(users), 1)), np.ones(1), users["shop"].to_numpy())
                    for users in (arms.get_group("go"), arms.get_group("stay")))
        both = np.column_stack([own["variant"] == "stay", own["variant"] == "go"]).astype(float)
        diff, var, _ = cr2_by_hand(own[name].to_numpy(), both, np.array([-1.0, 1.0]), own["shop"].to_numpy())
        assert row.method == "clusters" and row.diff == pytest.approx(diff) == pytest.approx(go[0] - stay[0])
        assert contrast(facts, name).pairs["go"].error == pytest.approx(math.sqrt(var))
        df = var**2 / (go[1] ** 2 / go[2] + stay[1] ** 2 / stay[2])   # Satterthwaite over the arms' own
        assert row.pvalue == pytest.approx(2 * stats.t.sf(abs(diff) / math.sqrt(var), df))


def test_users_without_a_cluster_do_not_count():
    tables = shop(seed=5, n=400)
    shops = shops_of(tables["assignments"]["variant"]).where(np.arange(400) % 10 > 0, None)
    facts, own = campaign_of(tables, CLUSTERED, shop=shops.to_numpy())
    level = own.dropna(subset="shop").groupby("variant")["money"].mean()
    assert effect(facts).diff == pytest.approx(level["go"] - level["stay"])
    assert effect(facts).n_control == own.dropna(subset="shop")["variant"].eq("stay").sum()


def test_four_clusters_per_arm_are_too_few():
    tables = shop(seed=5, n=400)
    facts, _ = campaign_of(tables, CLUSTERED, shop=shops_of(tables["assignments"]["variant"], 4).to_numpy())
    for row in uplifts(facts):
        assert (row.reason, row.verdict) == ("too_few_clusters", "cannot_tell") and math.isnan(row.pvalue)
        assert_reasoned(row)


# --- times ---

@pytest.mark.parametrize(("over", "stretches"), [("after", TIME_AFTER), ("both", [(WEEK[0][0], TIME_AFTER[0][1])])])
def test_what_came_after_is_adjusted_by_what_was_before(over, stretches):
    tables = shop(seed=4, n=400)
    own = people(tables, during=stretches)
    facts = observed("metrics: {money: {sum: orders.amount, role: primary, over: " + over + "}}\n" + ARMS + PHASES,
                     **tables)
    diff, var, df = adjusted_by_hand(
        own["money"].to_numpy(), own["variant"].to_numpy(), own[["money:before"]].to_numpy())
    assert effect(facts).diff == pytest.approx(diff)
    assert effect(facts).pvalue == pytest.approx(2 * stats.t.sf(abs(diff) / math.sqrt(var), df))


def test_a_window_of_the_users_own_is_adjusted_by_what_was_before():
    tables = shop(seed=4, n=400)
    starts = pd.Timestamp("2024-03-04") + pd.to_timedelta(np.arange(400) % 5, unit="D")
    tables["assignments"]["assigned_at"] = starts
    own = people(tables)
    orders = tables["orders"].merge(tables["assignments"], on="user_id")
    orders = orders[(orders["ordered_at"] >= orders["assigned_at"])
                    & (orders["ordered_at"] <= orders["assigned_at"] + pd.Timedelta(days=3))]
    own["money"] = orders.groupby("user_id")["amount"].sum().reindex(own.index).fillna(0.0)
    metrics = "metrics: {money: {sum: orders.amount, role: primary, window: 3 days}}\n"
    facts = observed(metrics + ARMS + PHASES, **tables)
    diff, _, _ = adjusted_by_hand(own["money"].to_numpy(), own["variant"].to_numpy(), own[["money:before"]].to_numpy())
    assert effect(facts).method == "adjusted" and effect(facts).diff == pytest.approx(diff)


def test_who_enters_in_the_middle_counts_from_then_on_and_is_adjusted_alike():
    tables = shop(seed=6, n=400)
    tables["assignments"]["assigned_at"] = np.where(np.arange(400) % 3, "2024-03-01", "2024-03-07")
    own = people(tables)
    late = people(tables, during=[("2024-03-07", "2024-03-11")])
    own.loc[np.arange(400) % 3 == 0, "money"] = late["money"]
    facts = observed(METRICS + ARMS + PHASES, **tables)
    diff, _, _ = adjusted_by_hand(own["money"].to_numpy(), own["variant"].to_numpy(), own[["money:before"]].to_numpy())
    assert effect(facts).diff == pytest.approx(diff)


def test_without_the_time_before_inside_the_data_nothing_is_adjusted():
    tables = shop(seed=2, n=400)
    cut = {name: table if "variant" in table else table[table.iloc[:, -1 if name == "events" else 1] >= "2024-03-01"]
           for name, table in tables.items()}
    facts = observed(METRICS + ARMS + PHASES, **cut)
    assert [row.method for row in uplifts(facts)] == ["welch", "score", "welch", "delta"]
    assert all(math.isnan(row.reduction) for row in uplifts(facts))


def test_what_was_before_and_tells_everything_leaves_nothing_to_test():
    """Everybody does exactly what they did the week before: what is left is rounding, not an effect."""
    tables = shop(seed=2, n=400)
    week = tables["orders"][(tables["orders"]["ordered_at"] >= "2024-03-04")
                            & (tables["orders"]["ordered_at"] < "2024-03-11")]
    tables["orders"] = pd.concat([week, week.assign(ordered_at=week["ordered_at"] - pd.Timedelta(days=7))])
    facts = observed(METRICS + ARMS + PHASES.replace("02-19", "02-26"), **tables)
    row = effect(facts)
    assert (row.reason, row.verdict) == ("zero_variance", "cannot_tell")
    assert_reasoned(row)


# --- an arm by itself ---

THREE = "arms: {control: stay, shares: {stay: 40%, go: 30%, run: 30%}}\n"


def three(n_run, strata=False):
    """Three arms, the last of which keeps `n_run` users."""
    tables = shop(seed=1, n=300, arms=("stay", "go", "run"))
    people_of = tables["assignments"]
    run = people_of[people_of["variant"] == "run"]
    kept = pd.concat([people_of[people_of["variant"] != "run"], run.head(n_run)])
    lost = run.head(1).assign(variant="go") if n_run == 0 else run.head(0)
    tables["assignments"] = pd.concat([kept, *([run.head(1), lost] if n_run == 0 else [])])
    users = people_of[["user_id"]].assign(tier=np.where(np.arange(300) % 3, "gold", "grey"))
    params = THREE.replace("}}", "}, strata: [tier]}") if strata else THREE
    return {(row.metric, row.arm): row for row in uplifts(observed(
        METRICS + params + PHASES, **({"users": users} if strata else {}), **tables))}


@pytest.mark.parametrize("strata", [False, True])
@pytest.mark.parametrize(("n_run", "reason"), [(0, "empty_arm"), (1, "too_few_users")])
def test_an_arm_that_cannot_be_told_leaves_the_others_as_they_are(n_run, reason, strata):
    found = three(n_run, strata)
    for name in ("money", "orders", "basket"):
        assert found[name, "run"].reason == reason and found[name, "run"].verdict == "cannot_tell"
        assert not found[name, "go"].reason and math.isfinite(found[name, "go"].pvalue)
    if not strata:
        assert found["money", "go"].diff == pytest.approx(three(0)["money", "go"].diff)
    for row in found.values():
        assert_reasoned(row)


def test_an_arm_without_orders_has_no_revenue_per_order_and_leaves_the_other_its_own():
    tables = shop(seed=1, n=300, arms=("stay", "go", "run"))
    arm = tables["orders"]["user_id"].map(tables["assignments"].set_index("user_id")["variant"])
    during = tables["orders"]["ordered_at"].between("2024-03-04", "2024-03-10 23:59")
    tables["orders"] = tables["orders"][~(during & (arm == "run"))]
    found = {(row.metric, row.arm): row for row in uplifts(observed(METRICS + THREE + PHASES, **tables))}
    assert found["basket", "run"].reason == "zero_denominator" and not found["basket", "go"].reason
    assert found["orders", "run"].verdict == "worse"


@pytest.mark.parametrize("params", [ARMS + PLAIN, CLUSTERED])
def test_a_control_that_bought_nothing_has_no_relative_effect(params):
    tables = shop(seed=1, n=300)
    arm = tables["assignments"]["variant"]
    shops = shops_of(arm).to_numpy()
    stay = tables["orders"]["user_id"].map(tables["assignments"].set_index("user_id")["variant"]) == "stay"
    during = tables["orders"]["ordered_at"].between("2024-03-04", "2024-03-10 23:59")
    tables["orders"] = tables["orders"][~(during & stay)]
    facts, _ = campaign_of(tables, params, shop=shops)
    found = {row.metric: row for row in uplifts(facts)}
    assert (found["money"].rel_reason, found["money"].verdict) == ("zero_control", "better")
    assert found["basket"].reason == "zero_denominator"
    for row in found.values():
        assert_reasoned(row)


# --- what must not matter ---

def same(first, second, scale=1.0):
    """Every field of every row, but for names of arms; money scaled."""
    for one, other in zip(first, second, strict=True):
        for field in fields(one):
            own, theirs = getattr(one, field.name), getattr(other, field.name)
            if field.name in ("arm", "control"):
                continue
            if not isinstance(own, float):
                assert own == theirs, field.name
                continue
            is_money = one.metric in ("money", "basket") and (
                field.name.startswith(("diff", "value", "total")) or field.name == "detectable")
            assert theirs == pytest.approx(own * (scale if is_money else 1.0), rel=1e-6, abs=1e-12, nan_ok=True), field


def scaled(tables, by):
    return tables | {"orders": tables["orders"].assign(amount=tables["orders"]["amount"] * by)}


def renamed(tables):
    return tables | {"assignments": tables["assignments"].replace({"variant": {"stay": "zoo", "go": "ant"}})}


def numbered(tables):
    number = {user: i for i, user in enumerate(tables["assignments"]["user_id"])}
    return {name: table.assign(user_id=table["user_id"].map(lambda user: number.get(user, 10**6)))
            for name, table in tables.items()}


def mixed(tables):
    return {name: [part for _, part in table.sample(frac=1, random_state=3).groupby(np.arange(len(table)) % 3)]
            for name, table in tables.items()}


EVERY = "arms: {{control: {}, shares: {{{}: 50%, {}: 50%}}, strata: [tier]}}\n"
CHANGES = {
    "order of rows and number of files": (mixed, ("stay", "stay", "go"), 1.0),
    "names of arms": (renamed, ("zoo", "zoo", "ant"), 1.0),
    "order of arms": (dict, ("stay", "go", "stay"), 1.0),
    "money in millionths": (lambda tables: scaled(tables, 1e6), ("stay", "stay", "go"), 1e6),
    "money in millions": (lambda tables: scaled(tables, 1e-6), ("stay", "stay", "go"), 1e-6),
    "ids that are numbers": (numbered, ("stay", "stay", "go"), 1.0)}


@cache
def a_shop():
    tables = shop(seed=7, n=240)
    tables["users"] = tables["assignments"][["user_id"]].assign(tier=np.where(np.arange(240) % 3, "gold", "grey"))
    return tables


@cache
def as_it_is(effects):
    return uplifts(observed(METRICS + EVERY.format("stay", "stay", "go") + effects + PHASES, **a_shop()))


@pytest.mark.parametrize("what", CHANGES)
@pytest.mark.parametrize("effects", ["", "effects: {adjust: none, looks: {method: pocock, planned: 3}}\n"])
def test_it_does_not_matter(what, effects):
    change, arms, scale = CHANGES[what]
    again = uplifts(observed(METRICS + EVERY.format(*arms) + effects + PHASES, **change(a_shop())))
    same(as_it_is(effects), again, scale)


def test_huge_amounts_and_refunds_are_amounts():
    tables = shop(seed=7, n=240)
    plain = effect(observed(METRICS + ARMS + PHASES, **tables))
    huge = effect(observed(METRICS + ARMS + PHASES, **scaled(tables, 1e12)))
    back = effect(observed(METRICS + ARMS + PHASES, **scaled(tables, -1.0)))
    assert huge.diff == pytest.approx(plain.diff * 1e12) and huge.pvalue == pytest.approx(plain.pvalue)
    assert back.diff == pytest.approx(-plain.diff) and back.pvalue == pytest.approx(plain.pvalue)
    assert (back.rel_reason, plain.rel_reason) == ("negative_control", "")


# --- the law, over campaigns drawn at random ---

ROLES = """
metrics:
  money: {sum: orders.amount, role: primary, better: BETTER}
  buyers: {any: orders, family: reach}
  orders: {count: orders, family: reach}
  basket: {ratio: [money, orders], family: FAMILY}
  later: {sum: orders.amount, role: guardrail, margin: 30%, over: after}
  seen: {any: events, role: guardrail, margin: 10%, better: lower}
  shown: {sum: orders.amount, role: described}
goals:
  - {metric: money, target: +5%, baseline: control, measure: per_user}
  - {metric: buyers, target: -5%, baseline: control, measure: per_user}
  - {metric: basket, target: +0%, baseline: control, measure: per_user}
  - {metric: shown, target: +5%, baseline: control, measure: per_user}
"""
LOOKS = ["", "looks: {method: always_valid}", "looks: {method: obrien_fleming, planned: 4}",
         "looks: {method: pocock, planned: 2}", "looks: {method: always_valid, tightest_at: 100000}"]


@st.composite
def campaigns(draw):
    """Params and tables of a shop: arms, adjustment, strata or clusters, looks and families."""
    arms = draw(st.sampled_from([("stay", "go"), ("stay", "go", "run")]))
    how = draw(st.sampled_from(["", "strata: [tier]", "cluster: shop"]))
    looks = draw(st.sampled_from([look for look in LOOKS if "cluster" not in how or "always_valid" not in look]))
    n, seed = draw(st.integers(6, 200)), draw(st.integers(0, 10**6))
    tables = shop(seed=seed, n=n, arms=arms, lift=draw(st.sampled_from([-0.9, 0.0, 0.4, 2.0])))
    generator = np.random.default_rng(seed)
    variant = tables["assignments"]["variant"]
    tables["users"] = tables["assignments"][["user_id"]].assign(
        tier=generator.choice(["gold", "grey", None], n), shop=variant + generator.integers(0, 8, n).astype(str),
        registered_at=generator.choice(["2024-01-01", "2024-03-06", None], n))
    present = [arm for arm in arms if arm in set(variant)]
    if len(present) < 2 or "stay" not in present:
        present, tables["assignments"] = ["stay", "go"], tables["assignments"].assign(
            variant=np.where(np.arange(n) % 2, "go", "stay"))
    shares = ", ".join(f"{arm}: {1 / len(present):.9f}" for arm in present)
    correction = draw(st.sampled_from(["holm", "benjamini_hochberg"]))
    adjust = draw(st.sampled_from(["before", "none"]))
    roles = ROLES.replace("BETTER", draw(st.sampled_from(["higher", "lower"]))).replace(
        "FAMILY", draw(st.sampled_from(["reach", "worth"])))
    return (f"{roles}arms: {{control: stay, shares: {{{shares}}}{', ' + how if how else ''}}}\n"
            f"effects: {{adjust: {adjust}, correction: {correction}{', ' + looks if looks else ''}}}\n"), tables


@settings(deadline=None, max_examples=5)
@given(campaigns())
def test_the_law_holds_in_every_campaign(drawn):
    assert_all_agree(*drawn)


@pytest.mark.calibration
@settings(deadline=None, max_examples=60)
@given(campaigns())
def test_the_law_holds_in_many_campaigns(drawn):
    assert_all_agree(*drawn)


def assert_all_agree(params, tables):
    facts = observed(params + PHASES, **tables)
    found = uplifts(facts)
    for row in found:
        assert_lawful(row, row.pvalue_adjusted, 0.05)
        assert_reasoned(row)
        if not row.reason:
            assert_lawful(row, row.pvalue, row.alpha)
            assert row.pvalue_adjusted >= row.pvalue
        if row.role != "guardrail":
            told = "cannot_tell" if row.reason or row.pvalue_adjusted >= 0.05 else (
                "better" if (row.diff > 0) == (row.better == "higher") else "worse")
            assert row.verdict == told
        elif not (row.reason or math.isnan(row.pvalue_margin)):
            assert (row.pvalue_margin < 0.025) == (row.verdict == "safe")
    assert_goals_agree(goals(facts), found)


def assert_goals_agree(judged, effects):
    """A goal against control is judged by the interval that the effects show, so neither contradicts the other."""
    shown = {(row.metric, row.arm): row for row in effects}
    for goal in judged:
        row = shown.get((goal.metric, goal.arm))
        assert (goal.verdict == "unknown") == bool(goal.reason)
        if row is None:
            continue
        assert (goal.change_lower, goal.change_upper, goal.alpha) == pytest.approx(
            (row.rel_diff_lower, row.rel_diff_upper, row.alpha), nan_ok=True)
        if goal.verdict == "met" and goal.better == "higher" and goal.target_change >= 0:
            assert row.verdict == "better"
        if goal.verdict != "unknown":
            assert not row.reason and not row.rel_diff_lower < goal.target_change < row.rel_diff_upper
