"""Shuffled labels: the report's own methods on the users as they are, against shuffles made here one by one."""

import math
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis.results import relabelled as shuffling
from analysis.results.contrast import of_users
from analysis.results.relabelled import SEED, relabelled, runs
from analysis.results.trust import checks
from analysis.stats.shuffles import false_alarms, shuffled
from tests.people import METRICS, people
from tests.shops import PHASES, shop
from tests.tables import observed

ARMS = "arms: {control: stay, shares: {stay: 50%, go: 50%}}\n"
STRATA = ARMS.replace("}}", "}, strata: [tier]}")
CLUSTERED = ARMS.replace("}}", "}, cluster: shop}")
THREE = "arms: {control: stay, shares: {stay: 40%, go: 30%, run: 30%}}\n"


def campaign(params=METRICS + ARMS, tables=None, users=None, **how):
    tables = tables or shop(**{"seed": 1, "n": 120, **how})
    return observed(params + PHASES, **({} if users is None else {"users": users}), **tables), people(tables)


def rate(facts, name="money", arm="go"):
    return next(row for row in relabelled(facts).calibrations if (row.metric, row.arm) == (name, arm))


def test_every_tested_metric_and_arm_has_a_rate():
    params = METRICS + "  shown: {count: events, role: described}\n" + THREE + "effects: {relabel: 40}\n"
    found = relabelled(campaign(params, arms=("stay", "go", "run"))[0]).calibrations
    assert [(row.metric, row.arm) for row in found] == [
        (name, arm) for name in ("money", "buyers", "orders", "basket") for arm in ("go", "run")]
    assert {row.method for row in found} == {"adjusted", "score"}
    for row in found:
        assert 0 <= row.rate_lower <= row.rate <= row.rate_upper <= 1 and (row.n_runs, row.alpha) == (40, 0.05)
        assert row.rate * 40 == pytest.approx(round(row.rate * 40))


def test_strata_with_one_arm_each_are_shuffled_as_one():
    """There is nothing to shuffle within them, and so the report's own estimate comes out each time."""
    tables = shop(seed=1, n=60)
    users = tables["assignments"][["user_id"]].assign(tier=tables["assignments"]["variant"])
    found = rate(campaign(METRICS + STRATA + "effects: {relabel: 20}\n", tables, users=users)[0])
    assert (found.n_runs, found.rate in (0, 1), found.reason) == (20, True, "")


def test_rates_are_those_of_shuffles_made_by_hand():
    """Welch and least squares on 2,000 shuffles: two independent rates differ by chance alone."""
    facts, own = campaign(METRICS + ARMS + "effects: {adjust: none, relabel: 2000}\n", n=60)
    draw, labels, alarms = np.random.default_rng(0), (own["variant"] == "go").to_numpy(), 0
    for _ in range(2000):
        go = draw.permutation(labels)
        alarms += stats.ttest_ind(own["money"][go], own["money"][~go], equal_var=False).pvalue < 0.05
    p = (alarms / 2000 + rate(facts).rate) / 2
    assert abs(alarms / 2000 - rate(facts).rate) < 4 * math.sqrt(p * (1 - p) * 2 / 2000)


def test_every_shuffle_is_one_of_those_there_are_and_all_are_as_likely():
    """Six users, three per arm: twenty ways, each with its Welch t."""
    amounts = {"a": 1.0, "b": 2.5, "c": 4.0, "d": 8.0, "e": 16.5, "f": 32.0}
    facts = observed(METRICS + ARMS + "effects: {relabel: 4000}\n",
                     orders="user|at|amount\n" + "\n".join(f"{u}|03-05|{x}" for u, x in amounts.items()),
                     assignments="user|variant\n" + "\n".join(f"{u}|{'go' if u < 'd' else 'stay'}" for u in amounts))
    ways = [stats.ttest_ind(go, [x for x in amounts.values() if x not in go], equal_var=False).statistic
            for go in combinations(amounts.values(), 3)]
    found = relabelled(facts).statistics["money", "go"]
    times = np.isclose(found[:, None], ways, rtol=1e-9).sum(axis=0)
    assert len(set(np.round(ways, 9))) == 20 and times.sum() == 4000
    assert stats.chisquare(times).pvalue > 1e-4


def test_the_same_data_give_the_same_rates_whatever_the_order_of_rows():
    tables = shop(seed=3, n=90)
    mixed = {name: [part for _, part in table.sample(frac=1, random_state=2).groupby(np.arange(len(table)) % 2)]
             for name, table in tables.items()}
    params = METRICS + ARMS + "effects: {relabel: 100}\n" + PHASES
    first, again = (relabelled(observed(params, **own)) for own in (tables, mixed))
    assert first.calibrations == again.calibrations
    assert first.statistics["basket", "go"] == pytest.approx(again.statistics["basket", "go"], rel=1e-9)


def test_labels_are_shuffled_within_strata():
    """An effect of the stratum alone, and arms that fill strata unevenly: only within them is nothing claimed."""
    tables = shop(seed=4, n=200)
    gold = np.arange(200) % 2 == 0
    tables["assignments"]["variant"] = np.where(np.where(gold, np.arange(200) % 10 < 7, np.arange(200) % 10 < 2),
                                                "go", "stay")
    users = tables["assignments"][["user_id"]].assign(tier=np.where(gold, "gold", "grey"))
    is_gold = tables["orders"]["user_id"].isin(set(users["user_id"][gold]))
    tables["orders"].loc[is_gold, "amount"] *= 20
    facts, _ = campaign(METRICS + STRATA + "effects: {adjust: none, relabel: 400}\n", tables, users)
    assert 0.02 < rate(facts).rate < 0.09 and rate(facts).method == "strata"
    assert shuffling.tested_rows(facts, "money").sizes == tables["assignments"]["variant"].value_counts().to_dict()


def in_tiers(arms, tiers, n=300, seed=7, buyers=1.0):
    """Users of tiers drawn with these chances; tier "none" has nobody in the last arm. Some came after the time before.

    buyers   share of the users of whom there are orders
    """
    draw, tables = np.random.default_rng(seed), shop(seed=seed, n=n)
    tables["assignments"]["variant"] = draw.choice([*arms], n, p=[*arms.values()])
    users = tables["assignments"][["user_id"]].assign(tier=draw.choice([*tiers], n, p=[*tiers.values()]))
    users["registered_at"] = np.where(draw.random(n) < 0.2, "2024-03-05", "2024-01-01")
    tables["assignments"] = tables["assignments"][~((users["tier"] == "none").to_numpy() & (
        tables["assignments"]["variant"] == [*arms][-1]).to_numpy())]
    tables["orders"] = tables["orders"][tables["orders"]["user_id"].isin(users["user_id"][draw.random(n) < buyers])]
    shares = ", ".join(f"{arm}: {share:.0%}" for arm, share in arms.items())
    return tables, users, f"arms: {{control: {next(iter(arms))}, shares: {{{shares}}}}}\n"


@pytest.mark.parametrize("adjust", ["before", "none"])
@pytest.mark.parametrize(("arms", "tiers", "buyers"), [
    ({"stay": 0.5, "go": 0.5}, {"all": 1.0}, 1.0),
    ({"stay": 0.3, "go": 0.7}, {"gold": 0.5, "grey": 0.4, "none": 0.1}, 1.0),             # an empty arm of a stratum
    ({"stay": 0.5, "go": 0.2, "run": 0.3}, {"gold": 0.6, "grey": 0.3, "red": 0.06, "none": 0.04}, 1.0),
    ({"stay": 0.5, "go": 0.48, "run": 0.02}, {"gold": 0.6, "grey": 0.4}, 0.08),           # few buyers: arms without
    ({"stay": 0.5, "go": 0.5}, {str(i): 0.05 for i in range(20)}, 1.0)])                  # most strata put together
def test_all_shuffles_at_once_say_what_each_says_alone(arms, tiers, buyers, adjust, monkeypatch):
    """The report's own contrast of each shuffle by itself: p and statistic of every metric and arm."""
    tables, users, params = in_tiers(arms, tiers, buyers=buyers)
    strata = "" if len(tiers) == 1 else ", strata: [tier]"
    params = METRICS + params.replace("}}", f"}}{strata}}}") + f"effects: {{adjust: {adjust}, relabel: 40}}\n"
    facts, pvalues = campaign(params, tables, users)[0], []
    monkeypatch.setattr(shuffling, "false_alarms", lambda own, alpha: pvalues.append(own) or false_alarms(own, alpha))
    found = relabelled(facts)
    for row, own in zip(found.calibrations, pvalues, strict=True):
        again = [of_users(facts, row.metric, moments) for moments in one_by_one(facts, row.metric, [*arms], 40)]
        assert row.method == again[0].method
        assert own == pytest.approx([one.compare(row.arm, "stay").pvalue for one in again], rel=1e-9, nan_ok=True)
        if (row.metric, row.arm) in found.statistics:
            pairs = [one.pairs[row.arm] for one in again]
            assert found.statistics[row.metric, row.arm] == pytest.approx(
                [math.nan if pair.reason else pair.diff / pair.error for pair in pairs], rel=1e-8, nan_ok=True)


def one_by_one(facts, name, arms, n_runs):
    """Stratum -> arm -> moments, of each shuffle."""
    dealt = [shuffled(own.columns, {arm: own.sizes[arm] for arm in arms if arm in own.sizes}, n_runs, SEED + i)
             for i, own in enumerate(shuffling.tested_rows(facts, name).strata())]
    return [{(str(i),): own.run(run) for i, own in enumerate(dealt)} for run in range(n_runs)]


@pytest.mark.parametrize("cluster", [False, True])
def test_users_whom_nobody_assigned_are_not_dealt_into_arms(cluster):
    """They have a name and a place in the report, and they buy as no one else does."""
    tables, users = with_shops(8)
    arms = CLUSTERED if cluster else ARMS
    params = METRICS + arms + "effects: {relabel: 60}\n"
    others = pd.DataFrame({"user_id": [f"v{i}" for i in range(80)]})
    more = tables | {"orders": [tables["orders"], others.assign(ordered_at="2024-03-05", amount=9_999.0)]}
    alone = relabelled(campaign(params, tables, users)[0])
    among = relabelled(observed(params + PHASES + "population: {unassigned: rest}\n",
                                users=pd.concat([users, others.assign(shop="s")]), **more))
    assert among.calibrations == alone.calibrations
    assert among.statistics["money", "go"] == pytest.approx(alone.statistics["money", "go"])


@pytest.mark.parametrize("cluster", [False, True])
def test_the_names_and_the_order_of_arms_decide_nothing(cluster):
    tables, users = with_shops(8)
    arms = CLUSTERED if cluster else ARMS
    params = METRICS + arms + "effects: {relabel: 60}\n"
    first = relabelled(campaign(params, tables, users)[0])
    again = tables | {"assignments": tables["assignments"].replace({"variant": {"stay": "zoo", "go": "ant"}})}
    renamed = params.replace("stay", "zoo").replace("go:", "ant:").replace("zoo: 50%, ant: 50%", "ant: 50%, zoo: 50%")
    second = relabelled(campaign(renamed, again, users)[0])
    assert [row.rate for row in first.calibrations] == [row.rate for row in second.calibrations]


def with_shops(n_shops):
    tables = shop(seed=5, n=240)
    variant = tables["assignments"]["variant"]
    shops = variant + (tables["assignments"].groupby("variant").cumcount() % n_shops).astype(str)
    effect = dict(zip(sorted(set(shops)), np.random.default_rng(5).gamma(1, 1, 2 * n_shops), strict=False))
    of_user = dict(zip(tables["assignments"]["user_id"], shops.map(effect), strict=True))
    tables["orders"]["amount"] *= tables["orders"]["user_id"].map(of_user)
    users = tables["assignments"][["user_id"]].assign(shop=shops)
    return tables, users


def test_whole_clusters_change_arms():
    tables, users = with_shops(10)
    facts, _ = campaign(METRICS + CLUSTERED + "effects: {relabel: 1000}\n", tables, users)
    alone, _ = campaign(METRICS + ARMS + "effects: {adjust: none, relabel: 400}\n", tables, users)
    assert rate(facts).method == "clusters" and 0.02 < rate(facts).rate < 0.08
    spread = np.std(relabelled(facts).statistics["money", "go"])
    assert 0.9 < spread < 1.35 and np.std(relabelled(alone).statistics["money", "go"]) < 1.2


def test_too_few_clusters_have_no_test_to_count():
    tables, users = with_shops(4)
    facts, _ = campaign(METRICS + CLUSTERED + "effects: {relabel: 20}\n", tables, users)
    assert {row.reason for row in relabelled(facts).calibrations} == {"no_tests"}
    assert all(row.name != "calibration" for row in checks(facts))


@pytest.mark.parametrize(("params", "reason"), [
    ("effects: {relabel: 0}\n", "not_relabelled"), ("effects: {relabel: 30}\ndata_until: 2024-03-08\n",
                                                    "data_end_before")])
def test_what_was_not_shuffled_says_why(params, reason):
    facts, _ = campaign(METRICS + ARMS + params)
    found = relabelled(facts)
    assert {row.reason for row in found.calibrations} == {reason} and found.statistics == {}
    assert not any(row.is_off for row in found.calibrations) and math.isnan(rate(facts).rate)


def test_one_shuffle_is_a_rate_of_nothing_or_all():
    facts, _ = campaign(METRICS + ARMS + "effects: {relabel: 1}\n")
    assert rate(facts).n_runs == 1 and rate(facts).rate in (0.0, 1.0) and not rate(facts).is_off


def test_a_million_users_are_shuffled_only_where_the_params_say_so(monkeypatch):
    monkeypatch.setattr(shuffling, "MOST", 120)
    facts, _ = campaign()
    assert runs(facts) == 0 and rate(facts).reason == "not_relabelled"
    assert runs(campaign(METRICS + ARMS + "effects: {relabel: 7}\n")[0]) == 7
    monkeypatch.setattr(shuffling, "MOST", 121)
    assert runs(campaign()[0]) == 1000


def test_a_few_users_who_spend_it_all_make_it_cry_wolf():
    """Amounts of very different size, and an arm of 12 users against 788."""
    draw = np.random.default_rng(6)
    tables = shop(seed=6, n=800)
    tables["assignments"]["variant"] = np.where(np.arange(800) < 12, "go", "stay")
    tables["orders"] = tables["orders"].drop_duplicates("user_id").assign(
        ordered_at="2024-03-05", amount=draw.lognormal(0, 2.5, tables["orders"]["user_id"].nunique()).round(2))
    arms = "arms: {control: stay, shares: {stay: 98.5%, go: 1.5%}}\n"
    facts = observed(METRICS + arms + "effects: {adjust: none}\n" + PHASES, **tables)
    row = rate(facts)
    assert row.is_off and row.rate_lower > 0.075
    check = next(check for check in checks(facts) if check.name == "calibration")
    assert (check.state, check.n) == ("warn", 1000) and check.found >= row.rate


def test_without_arms_nothing_is_shuffled():
    facts = observed(METRICS + "no_control_group: none\n", orders="user|at|amount\n a|03-05|3")
    assert relabelled(facts).calibrations == []


@pytest.mark.parametrize("assigned", ["a|go\n a|stay", "a|go\n b|stay", "a|go\n b|go\n c|stay\n c|go"])
def test_nobody_or_one_user_is_no_test(assigned):
    facts = observed(METRICS + ARMS + "effects: {relabel: 5}\n", orders="user|at|amount\n a|03-05|3\n z|03-06|1",
                     assignments="user|variant\n" + assigned)
    assert {row.reason for row in relabelled(facts).calibrations} <= {"no_tests", ""}
    assert rate(facts).reason == "no_tests"
