"""The gate: each check in each state, and no alarm where nothing is wrong."""

import math

import numpy as np
import pytest

from analysis.results import relabelled as shuffling
from analysis.results.contrast import contrast
from analysis.results.trust import checks, state
from analysis.results.uplift import uplifts
from analysis.results.verdict import verdict
from tests.shops import PHASES, shop, shop_facts
from tests.tables import observed

ARMS = "arms: {control: stay, shares: {stay: 50%, go: 50%}}\n"
METRICS = "metrics: {money: {sum: orders.amount, role: primary}, visits: {count: events}}\n"


def check(facts, name, subject=None):
    return next((row for row in checks(facts) if row.name == name and subject in (None, row.subject)), None)


def assigned(stay, go, both=0):
    lines = [f"s{i}|stay" for i in range(stay)] + [f"g{i}|go" for i in range(go)] + [
        f"b{i}|{arm}" for i in range(both) for arm in ("stay", "go")]
    return "user|variant\n" + "\n".join(lines)


VISITS = "user|event|at\n s0|visit|03-05\n g0|visit|03-06"


@pytest.mark.parametrize(("stay", "go", "expected"), [
    (50, 50, "ok"), (60, 40, "ok"), (80, 20, "fail"), (700, 500, "fail")])
def test_the_split_fails_when_chance_does_not_explain_it(stay, go, expected):
    found = check(observed(ARMS, events=VISITS, assignments=assigned(stay, go)), "split")
    assert (found.state, found.n) == (expected, stay + go) and (found.pvalue < 0.001) == (expected == "fail")


def test_a_split_that_fails_voids_a_verdict():
    tables = shop(1, n=600, lift=3.0)
    people = tables["assignments"]
    tables["assignments"] = people[(people["variant"] == "go") | (people.index % 2 == 0)]  # half of the control is lost
    facts = observed(ARMS + METRICS + PHASES, **tables)
    found = checks(facts)
    effects = uplifts(facts)
    assert effects[0].verdict == "better" and state(found) == "fail"
    answer = verdict(facts, found, effects)
    assert (answer.answer, answer.reasons[0]) == ("do_not_trust", "split")


@pytest.mark.parametrize(("both", "expected"), [(0, "ok"), (1, "warn"), (3, "fail")])
def test_users_in_two_arms(both, expected):
    found = check(observed(ARMS, events=VISITS, assignments=assigned(100, 100, both)), "two_arms")
    assert (found.state, found.found, found.n) == (expected, both, 200 + both)


def log(n, copies=0, nobody=0):
    rows = [f"{i}|u{i % 9}|visit|03-0{4 + i % 6}" for i in range(n)]
    return "event_id|user|event|at\n" + "\n".join(rows + rows[:copies] + [f"x{i}||visit|03-05" for i in range(nobody)])


@pytest.mark.parametrize(("copies", "expected"), [(0, "ok"), (2, "warn"), (60, "fail")])
def test_copies_of_a_row(copies, expected):
    found = check(observed(events=log(100, copies)), "duplicates")
    assert (found.state, found.found, found.n) == (expected, copies, 100 + copies)


def test_without_row_ids_copies_are_counted_but_not_judged():
    rows = "\n".join(f"u{i % 9}|visit|03-0{4 + i % 6}" for i in range(60))
    facts = observed(events=f"user|event|at\n{rows}")
    assert check(facts, "duplicates") is None
    found = check(facts, "alike")
    assert (found.state, found.found, found.n) == ("warn", 42, 60)  # 18 pairs of user and day


@pytest.mark.parametrize(("nobody", "expected"), [(0, None), (2, "warn"), (20, "fail")])
def test_rows_without_a_user(nobody, expected):
    found = check(observed(events=log(100, 0, nobody)), "without_key")
    assert (found and found.state) == expected


@pytest.mark.parametrize(("strangers", "expected"), [(0, None), (3, "ok"), (30, "fail")])
def test_rows_of_users_that_nobody_knows(strangers, expected):
    events = log(100) + "".join(f"\ns{i}|stranger|visit|03-05" for i in range(strangers))
    found = check(observed(events=events, users="user\n" + "\n".join(f"u{i}" for i in range(9))), "unknown_users")
    assert (found and (found.state, found.found, found.n)) == (
        expected and ("warn" if strangers == 3 else "fail", strangers, 100 + strangers))


@pytest.mark.parametrize(("amount", "expected"), [("7", None), ("", "fail"), ("inf", "fail"), ("nan", "fail")])
def test_amounts_that_are_no_number(amount, expected):
    orders = "user|at|amount\n" + "\n".join(f"u{i}|03-05|1" for i in range(20)) + f"\n u|03-06|{amount}"
    found = check(observed("metrics: {money: {sum: orders.amount, role: primary}}", orders=orders), "missing_amounts")
    assert (found and found.state) == expected


def daily_log(per_day, without=(), first=20, last=50):
    """Days from 20 February on, each with as many rows."""
    days = [f"02-{day}" if day < 30 else f"03-{day - 29:02d}" for day in range(first, last) if day not in without]
    return "user|event|at\n" + "\n".join(f"u{i}|visit|{day}" for day in days for i in range(per_day))


PHASES_COVERED = PHASES + "data_until: 2024-03-19\n"


@pytest.mark.parametrize(("closed", "expected"), [("", "fail"), ("closed: [2024-03-05]\n", "ok")])
def test_a_day_without_a_row_is_a_gap_unless_the_shop_was_closed(closed, expected):
    found = check(observed(PHASES_COVERED + closed, events=daily_log(30, without=[34])), "missing_days")
    assert found.state == expected
    if expected == "fail":
        assert (found.found, found.reason, found.subject) == (1, "2024-03-05", "events") and found.pvalue < 1e-9


@pytest.mark.parametrize("per_day", [1, 2, 4])
def test_a_sparse_log_with_empty_days_is_no_failure(per_day):
    found = check(observed(PHASES_COVERED, events=daily_log(per_day, without=[25, 34, 36, 40])), "missing_days")
    assert (found.state, found.found) == ("warn", 4) and found.pvalue > 0.05


def test_days_before_the_data_begin_are_a_matter_of_coverage_not_gaps():
    facts = observed(PHASES_COVERED, events=daily_log(30, first=25))
    assert check(facts, "missing_days").state == "ok"
    found = check(facts, "coverage", "before")
    assert (found.state, found.reason, found.found, found.limit, found.n) == ("warn", "cut", 8.0, 14.0, 2)


@pytest.mark.parametrize(("until", "reason"), [
    ("2024-03-17", ""), ("2024-03-16", "not_covered"), ("2024-03-08", "not_covered")])
def test_a_time_after_that_is_not_over_is_said_to_be_cut(until, reason):
    found = check(observed(PHASES + f"data_until: {until}", events=daily_log(5)), "coverage", "after")
    assert (found.state, found.reason) == ("ok" if not reason else "warn", reason)


def test_arms_that_differed_before_fail_the_balance():
    tables = shop(3, n=400)
    early = tables["orders"]["ordered_at"] < "2024-03-04"
    go = tables["orders"]["user_id"].map(tables["assignments"].set_index("user_id")["variant"]) == "go"
    tables["orders"].loc[early & go, "amount"] *= 3
    found = check(observed(ARMS + METRICS + PHASES, **tables), "balance")
    assert (found.state, found.subject) == ("fail", "money") and found.found > 0.3 and found.pvalue < 0.001


def test_without_a_time_before_there_is_no_balance():
    assert check(observed(ARMS + METRICS, **shop(1)), "balance") is None


@pytest.mark.parametrize("seed", range(4))
def test_clean_data_raise_no_alarm(seed):
    found = checks(shop_facts(ARMS + METRICS, seed=seed, n=300))
    assert {row.state for row in found if row.name != "unknown_users"} == {"ok"}


def test_two_users_raise_no_alarm():
    found = checks(observed(ARMS, events=VISITS, assignments="user|variant\n s0|stay\n g0|go"))
    assert state(found) in ("ok", "warn")
    assert all(math.isnan(row.pvalue) or row.pvalue > 0.001 for row in found)


def test_the_worst_check_stands_first_and_decides():
    found = checks(observed(ARMS, events=log(100, 60, 2), assignments=assigned(40, 40)))
    assert [row.state for row in found] == sorted((row.state for row in found), key=["fail", "warn", "ok"].index)
    assert state(found) == "fail" and state([]) == "ok"


# --- arms drawn by cluster ---

CLUSTERED = "arms: {control: stay, shares: {stay: 50%, go: 50%}, cluster: shop}\n"
ALONE = "effects: {relabel: 30}\n"


def by_shop(shops, n=240, lift=0.5):
    """A shop whose users belong to the clusters that a function of arm and number gives."""
    tables = shop(seed=8, n=n, lift=lift)
    variant = tables["assignments"]["variant"]
    number = tables["assignments"].groupby("variant").cumcount()
    users = tables["assignments"][["user_id"]].assign(shop=[shops(*who) for who in zip(variant, number, strict=True)])
    return observed(CLUSTERED + METRICS + ALONE + PHASES, users=users, **tables)


@pytest.mark.parametrize(("go", "stay", "expected"), [(8, 8, "ok"), (12, 7, "ok"), (40, 8, "fail")])
def test_clusters_are_split_as_planned(go, stay, expected):
    found = check(by_shop(lambda arm, i: f"{arm}{i % {'go': go, 'stay': stay}[arm]}"), "split")
    assert (found.state, found.n, found.subject) == (expected, go + stay, "shop")


@pytest.mark.parametrize(("shared", "expected"), [(0, "ok"), (1, "fail"), (3, "fail")])
def test_a_cluster_in_two_arms_fails(shared, expected):
    facts = by_shop(lambda arm, i: f"both{i % 12}" if i % 12 < shared else f"{arm}{i % 12}")
    found = check(facts, "clusters_in_two_arms")
    assert (found.state, found.found, found.n, found.subject) == (expected, shared, 24 - shared, "shop")
    if shared:
        answer = verdict(facts, checks(facts), uplifts(facts))
        assert (answer.answer, "clusters_in_two_arms" in answer.reasons) == ("do_not_trust", True)


@pytest.mark.parametrize(("lost", "expected"), [(0, None), (1, "warn"), (30, "fail")])
def test_users_without_a_cluster(lost, expected):
    found = check(by_shop(lambda arm, i: None if arm == "go" and i < lost else f"{arm}{i % 8}"), "without_cluster")
    assert (found and (found.state, found.found, found.n)) == (expected and (expected, lost, 240))


def test_too_few_clusters_are_never_a_verdict():
    facts = by_shop(lambda arm, i: f"{arm}{i % 4}", lift=4.0)
    answer = verdict(facts, checks(facts), uplifts(facts))
    assert (answer.answer, answer.reasons) == ("cannot_tell", ("too_few_clusters",))


# --- do the methods hold on these users? ---

def test_shuffled_labels_that_rarely_show_an_effect_are_fine():
    facts = shop_facts(ARMS + METRICS + "effects: {relabel: 200}\n", seed=2, n=200)
    found = check(facts, "calibration")
    worst = max(shuffling.relabelled(facts).calibrations, key=lambda row: row.rate)
    assert (found.state, found.n, found.found, found.limit) == ("ok", 200, worst.rate, 0.05)


@pytest.mark.parametrize("params", ["effects: {relabel: 0}\n", "effects: {relabel: 20}\ndata_until: 2024-03-08\n"])
def test_without_shuffles_there_is_nothing_to_say_of_the_methods(params):
    assert check(shop_facts(ARMS + METRICS + params, seed=2, n=60), "calibration") is None


def test_one_user_who_steers_the_adjustment_is_told():
    tables = shop(seed=3, n=200)
    facts = observed(ARMS + METRICS + ALONE + PHASES, **tables)
    assert check(facts, "leverage") is None
    early = tables["orders"].index[tables["orders"]["ordered_at"].between("2024-02-19", "2024-03-03")][0]
    tables["orders"].loc[early, "amount"] = 5_000.0
    found = check(observed(ARMS + METRICS + ALONE + PHASES, **tables), "leverage")
    assert (found.state, found.subject) == ("warn", "money") and 0.5 < found.found <= 1 and found.limit == 0.1


def test_an_adjusted_effect_that_points_the_other_way_is_told():
    """The campaign adds a little to everybody, but it got the users who had been buying less."""
    tables = shop(seed=4, n=400, lift=0.0)
    go = tables["assignments"]["variant"] == "go"
    draw = np.random.default_rng(4)
    taste = draw.normal(100, 15, 400) - 6 * go
    rows = tables["orders"].iloc[:0]
    made = [rows] + [tables["assignments"][["user_id"]].assign(ordered_at=f"2024-{day} 10:00", amount=amount)
                     for day, amount in (("02-21", taste), ("02-28", taste),
                                         ("03-06", taste + 3 * go + draw.normal(0, 0.1, 400)))]
    tables["orders"] = made[1:]
    facts = observed(ARMS + METRICS + ALONE + PHASES, **tables)
    found = check(facts, "sign_flip")
    plain = contrast(facts, "money", is_adjusted=False).compare("go", "stay")
    assert (found.state, found.subject) == ("warn", "money")
    assert found.found > 0 > found.limit == plain.diff and found.pvalue < 0.001


def test_nothing_is_adjusted_so_nothing_can_flip_or_weigh():
    found = checks(shop_facts(ARMS + METRICS + "effects: {adjust: none, relabel: 20}\n", seed=3, n=100))
    assert not {row.name for row in found} & {"sign_flip", "leverage"}


@pytest.mark.parametrize("seed", range(3))
def test_a_check_that_failed_is_never_a_verdict_that_it_works(seed):
    """Whatever fails: users lost, arms unlike before, rows twice."""
    for spoil in (lost_users, unlike_before, twice):
        tables = spoil(shop(seed=seed, n=500, lift=4.0))
        facts = observed(ARMS + METRICS + ALONE + PHASES, **tables)
        found, effects = checks(facts), uplifts(facts)
        assert state(found) == "fail" and effects[0].verdict == "better"
        assert verdict(facts, found, effects).answer == "do_not_trust"


def lost_users(tables):
    people = tables["assignments"]
    return tables | {"assignments": people[(people["variant"] == "go") | (people.index % 2 == 0)]}


def unlike_before(tables):
    go = tables["orders"]["user_id"].map(tables["assignments"].set_index("user_id")["variant"]) == "go"
    early = tables["orders"]["ordered_at"] < "2024-03-04"
    amount = tables["orders"]["amount"].where(~(early & go), tables["orders"]["amount"] / 4)
    return tables | {"orders": tables["orders"].assign(amount=amount)}


def twice(tables):
    orders = tables["orders"].assign(order_id=[f"o{i}" for i in range(len(tables["orders"]))])
    return tables | {"orders": [orders, orders.iloc[: len(orders) // 3]]}


# --- assignments that fit the users, or do not ---

def with_mangled(n_mangled, n=200):
    """Every user was drawn; of some the assignments write the id in another way."""
    users = "user\n" + "\n".join(f"u{i}" for i in range(n))
    rows = [f"{'x' if i < n_mangled else ''}u{i}|{('stay', 'go')[i % 2]}" for i in range(n)]
    return observed(ARMS, events=VISITS.replace("s0", "u150").replace("g0", "u151"), users=users,
                    assignments="user|variant\n" + "\n".join(rows))


@pytest.mark.parametrize(("n_mangled", "expected"), [(0, None), (4, "warn"), (20, "warn"), (80, "fail")])
def test_users_with_an_arm_whom_nobody_knows_are_told(n_mangled, expected):
    facts = with_mangled(n_mangled)
    found = check(facts, "unknown_assigned")
    assert (found and found.state) == expected
    assert (facts.left.n_assigned, facts.left.n_assigned_unknown) == (200, n_mangled)
    if expected == "fail":
        answer = verdict(facts, checks(facts), uplifts(facts))
        assert answer.answer == "do_not_trust" and "unknown_assigned" in answer.reasons


@pytest.mark.parametrize(("n_without", "expected"), [(0, None), (2, "ok"), (80, "warn")])
def test_users_without_an_arm_ask_for_a_look(n_without, expected):
    users = "user\n" + "\n".join(f"u{i}" for i in range(200))
    rows = [f"u{i}|{('stay', 'go')[i % 2]}" for i in range(n_without, 200)]
    facts = observed(ARMS, events=VISITS.replace("s0", "u150").replace("g0", "u151"), users=users,
                     assignments="user|variant\n" + "\n".join(rows))
    found = check(facts, "unassigned")
    assert (found and found.state) == expected


def test_nobody_in_any_arm_is_no_split():
    late = "user|variant|assigned_at\n s0|stay|2024-03-20\n g0|go|2024-03-20"
    facts = observed(ARMS, events=VISITS, assignments=late)
    found = check(facts, "split")
    assert (found.state, found.reason) == ("fail", "no_users")
    assert verdict(facts, checks(facts), uplifts(facts)).answer == "do_not_trust"


@pytest.mark.parametrize(("again", "found", "expected"), [
    ("", 0, None), ("u0|gold", 0, None), ("u0|grey", 1, "warn"), ("u0|", 1, "warn"),
    ("\n".join(f"u{i}|grey" for i in range(11)), 11, "fail")])
def test_users_listed_with_different_values_are_told(again, found, expected):
    users = "user|tier\n" + "\n".join(f"u{i}|gold" for i in range(200)) + f"\n{again}"
    facts = observed(ARMS, users=users, events=VISITS.replace("s0", "u0").replace("g0", "u1"),
                     assignments="user|variant\n" + "\n".join(f"u{i}|{('stay', 'go')[i % 2]}" for i in range(200)))
    row = check(facts, "contradicting")
    assert (facts.left.n_known, facts.left.n_contradicting, row and row.state) == (200, found, expected)
