"""Assignment by hash: golden draws, uniform and independent arms, nobody moves when the list changes."""

import math
from fractions import Fraction
from hashlib import sha256
from itertools import accumulate

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from analysis.stats.assignment import assign, draws
from analysis.stats.split import split_test

TENTH = {"campaign": 0.9, "holdout": 0.1}
THIRDS = {"a": 1, "b": 1, "c": 1}
KNOWN = ["u1", 42, "ann", "李雷", "b@x.org"]
IDS = st.lists(st.text(min_size=1) | st.integers(), min_size=1, max_size=40, unique_by=str)
WEIGHTS = st.dictionaries(
    st.text("abcdef", min_size=1), st.integers(0, 9) | st.floats(0.001, 1), min_size=1, max_size=5
).filter(lambda shares: any(shares.values()))
MANY = list(range(50_000))


def counts(arms):
    return {str(arm): int(n) for arm, n in zip(*np.unique(arms, return_counts=True), strict=True)}


# --- the draw ---

def test_a_draw_is_the_start_of_sha256_of_salt_and_id():
    """`printf spring_2026:u1 | sha256sum` begins f5ebfb18e3eeab15, `...:42` 9fec9e42c59fc3d5."""
    found = draws(["u1", "42"], "spring_2026")
    assert [hex(draw) for draw in found[:, 0].tolist()] == ["0xf5ebfb18e3eeab15", "0x9fec9e42c59fc3d5"]


def test_known_users_keep_their_arm():
    """By sha256sum their draws are .961, .625, .0519, .0538 and .0421 of 2^64."""
    assert assign(KNOWN, "spring_2026", TENTH).tolist() == ["holdout"] + ["campaign"] * 4
    assert assign(KNOWN, "spring_2026", {"a": 0.05, "b": 0.55, "c": 0.4}).tolist() == ["c", "c", "b", "b", "a"]


@given(IDS, st.text(min_size=1).filter(str.strip), WEIGHTS)
def test_the_arm_is_where_the_draw_falls_among_the_cumulated_shares(ids, salt, shares):
    """By another route, in fractions, one user at a time."""
    exact = {arm: Fraction(str(share)) for arm, share in shares.items()}
    for name, arm in zip(ids, assign(ids, salt, shares).tolist(), strict=True):
        draw = int(sha256(f"{salt}:{name}".encode()).hexdigest()[:16], 16)
        position = Fraction(draw, 2**64) * sum(exact.values())
        ends = dict(zip(exact, accumulate(exact.values()), strict=True))
        assert arm == next(other for other, end in ends.items() if position < end)


def test_a_number_and_its_text_are_the_same_user():
    wanted = assign(["7", "8", "9"], "s", THIRDS).tolist()
    for same in ([7, 8, 9], np.array([7, 8, 9]), pd.Series([7, 8, 9]), pd.Series(["7", "8", "9"]), range(7, 10)):
        assert assign(same, "s", THIRDS).tolist() == wanted


def test_weights_have_any_total_and_count_as_written():
    shares = {"a": 0.1, "b": 0.2, "c": 0.7}
    for same in ({"a": 1, "b": 2, "c": 7}, {"a": 10.0, "b": 20.0, "c": 70.0}, {"a": 0.3, "b": 0.6, "c": 2.1}):
        assert (assign(MANY, "s", same) == assign(MANY, "s", shares)).all()


def test_an_arm_of_weight_0_gets_nobody_and_changes_nothing():
    wanted = assign(MANY, "s", {"a": 0.5, "b": 0.5})
    for shares in ({"off": 0, "a": 1, "b": 1}, {"a": 1, "off": 0.0, "b": 1}, {"a": 1, "b": 1, "off": 0}):
        assert (assign(MANY, "s", shares) == wanted).all()
    assert set(assign(MANY, "s", {"off": 0, "a": 1}).tolist()) == {"a"}


def test_renaming_an_arm_moves_nobody_and_reordering_moves_users():
    arms = assign(MANY, "s", TENTH)
    renamed = assign(MANY, "s", {"mail": 0.9, "no_mail": 0.1})
    assert ((arms == "holdout") == (renamed == "no_mail")).all()
    reordered = assign(MANY, "s", {"holdout": 0.1, "campaign": 0.9})
    assert np.mean(arms != reordered) == pytest.approx(0.2, abs=0.01)


def test_a_larger_first_arm_keeps_those_it_had():
    few, more = (assign(MANY, "s", {"campaign": share, "rest": 1 - share}) for share in (0.05, 0.2))
    assert (more[few == "campaign"] == "campaign").all()
    assert np.mean(few != more) == pytest.approx(0.15, abs=0.01)


# --- chance ---

@pytest.mark.parametrize("ids", [range(50_000), [f"user{i}" for i in range(50_000)], range(0, 50_000_000, 1000)])
@pytest.mark.parametrize("shares", [TENTH, THIRDS, {"a": 0.5, "b": 0.3, "c": 0.15, "d": 0.05}])
def test_arms_get_their_shares(ids, shares):
    assert split_test(counts(assign(ids, "autumn", shares)), shares).pvalue > 0.001


def test_draws_are_uniform():
    found = draws(list(map(str, MANY)), "autumn")
    for column in found.T:
        cells = np.bincount((column >> np.uint64(56)).astype(int), minlength=256)
        assert stats.chisquare(cells).pvalue > 0.001
        assert stats.kstest(column / 2**64, "uniform").pvalue > 0.001
    assert abs(stats.pearsonr(*(found / 2**64).T).statistic) < 4 / math.sqrt(len(MANY))


@pytest.mark.parametrize("salts", [("spring", "autumn"), ("spring", "spring2"), ("a", "b"), ("2026-1", "2026-2")])
def test_two_salts_draw_independently(salts):
    first, second = (assign(MANY, salt, {"a": 0.5, "b": 0.3, "c": 0.2}) for salt in salts)
    table = [[np.sum((first == one) & (second == other)) for other in "abc"] for one in "abc"]
    assert stats.chi2_contingency(table).pvalue > 0.001
    here, there = (draws(list(map(str, MANY)), salt)[:, 0] / 2**64 for salt in salts)
    assert abs(stats.pearsonr(here, there).statistic) < 4 / math.sqrt(len(MANY))


def test_neighbouring_ids_are_drawn_independently():
    arms = assign(MANY, "autumn", {"a": 0.5, "b": 0.5}) == "a"
    assert abs(stats.pearsonr(arms[1:], arms[:-1]).statistic) < 4 / math.sqrt(len(MANY))


# --- the list does not matter ---

@pytest.mark.parametrize("has_strata", [False, True])
@given(ids=IDS, shares=WEIGHTS, seed=st.integers(0, 99))
def test_order_of_the_users_does_not_matter(has_strata, ids, shares, seed):
    strata = np.array([str(name)[0] + "." for name in ids])
    order = np.random.default_rng(seed).permutation(len(ids))
    here = assign(ids, "s", shares, strata if has_strata else None)
    there = assign([ids[i] for i in order], "s", shares, strata[order] if has_strata else None)
    assert there.tolist() == here[order].tolist()


@given(IDS, WEIGHTS, st.data())
def test_more_users_move_nobody(ids, shares, data):
    some = data.draw(st.integers(0, len(ids)))
    assert assign(ids, "s", shares).tolist()[:some] == assign(ids[:some], "s", shares).tolist()


@given(IDS, WEIGHTS, st.data())
def test_excluded_users_get_no_arm_and_move_nobody(ids, shares, data):
    excluded = data.draw(st.lists(st.sampled_from(ids)))
    out = set(map(str, excluded))
    arms, wanted = assign(ids, "s", shares, excluded=[*excluded, "nobody knows"]), assign(ids, "s", shares)
    assert arms.tolist() == ["" if str(name) in out else arm for name, arm in zip(ids, wanted.tolist(), strict=True)]


def test_no_users_get_no_arms():
    assert assign([], "s", TENTH).tolist() == assign([], "s", TENTH, strata=[]).tolist() == []
    assert assign(["u"], "s", TENTH, strata=["x"], excluded=["u"]).tolist() == [""]


# --- strata ---

@given(st.lists(st.sampled_from("wxyz"), min_size=1, max_size=60), WEIGHTS, st.text(min_size=1).filter(str.strip))
def test_each_stratum_holds_its_shares_to_within_one_user(strata, shares, salt):
    arms, total = assign(range(len(strata)), salt, shares, strata), sum(shares.values())
    for stratum in set(strata):
        own = [arm for arm, other in zip(arms.tolist(), strata, strict=True) if other == stratum]
        assert all(abs(own.count(arm) - len(own) * share / total) < 1 + 1e-9 for arm, share in shares.items())


def test_shares_that_divide_a_stratum_are_met_exactly():
    arms = assign(range(60), "s", {"a": 0.1, "b": 0.2, "c": 0.7}, strata=[i % 3 for i in range(60)])
    assert all(counts(arms[i::3]) == {"a": 2, "b": 4, "c": 14} for i in range(3))


def test_excluded_users_do_not_count_in_their_stratum():
    arms = assign(range(30), "s", {"a": 1, "b": 1}, strata=["x"] * 30, excluded=range(10))
    assert counts(arms) == {"": 10, "a": 10, "b": 10}
    assert arms.tolist()[10:] == assign(range(10, 30), "s", {"a": 1, "b": 1}, strata=["x"] * 20).tolist()


def test_a_stratum_does_not_know_the_others():
    strata = ["x", "y", "z"] * 40
    arms = assign(range(120), "s", TENTH, strata)
    assert arms[::3].tolist() == assign(range(0, 120, 3), "s", TENTH, strata[::3]).tolist()


def test_in_strata_every_user_has_the_planned_chance_of_an_arm():
    """Strata of 7 and of 1, where the shares must be rounded, over 4,000 salts: chance by user, and of pairs."""
    strata, shares, runs = ["x"] * 7 + ["y"], {"held": 0.3, "rest": 0.7}, 4000
    is_held = np.array([assign(range(8), f"salt {i}", shares, strata) == "held" for i in range(runs)])
    assert is_held.mean(0) == pytest.approx([0.3] * 8, abs=4 * math.sqrt(0.3 * 0.7 / runs))
    assert set(is_held[:, :7].sum(1)) == {2, 3}
    apart = np.corrcoef(is_held[:, 0], is_held[:, 7])[0, 1]
    assert abs(apart) < 4 / math.sqrt(runs)


def test_known_users_in_strata():
    """`printf spring_2026/p | sha256sum` is below a half of 2^64, so a gets two of five: the lowest draws."""
    assert assign(KNOWN, "spring_2026", {"a": 1, "b": 1}, ["p"] * 5).tolist() == ["b", "b", "a", "b", "a"]


# --- what cannot be ---

@pytest.mark.parametrize(("change", "message"), [
    ({"ids": [1, "1", "u"]}, "more than once: '1'"),
    ({"ids": ["u", None, math.nan, ""]}, "None, nan, ''"),
    ({"ids": [1.0, 2.0, 3.0, 4.0]}, r"1\.0, 2\.0, 3\.0 and 1 more"),
    ({"ids": pd.Series([1, None])}, "neither text nor whole number: 1.0, nan"),
    ({"ids": [True]}, "True"),
    ({"ids": [b"u"]}, "b'u'"),
    ({"salt": ""}, "salt is ''"),
    ({"salt": "  "}, "salt is '  '"),
    ({"salt": None}, "salt is None"),
    ({"shares": {}}, "no arm"),
    ({"shares": {"a": 0, "b": 0.0}}, "no arm"),
    ({"shares": {"a": -0.1, "b": 1}}, "'a' is -0.1"),
    ({"shares": {"a": math.nan}}, "'a' is nan"),
    ({"shares": {"a": math.inf}}, "'a' is inf"),
    ({"shares": {"": 1}}, "called ''"),
    ({"strata": ["x"]}, "1 strata for 2 ids"),
    ({"strata": ["x", None]}, "strata that are empty"),
    ({"excluded": [2.5]}, "excluded ids"),
])
def test_what_cannot_be_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        assign(**{"ids": ["u", "v"], "salt": "s", "shares": TENTH} | change)


def test_all_problems_are_named_at_once():
    with pytest.raises(ValueError) as error:
        assign([1, 1, None], "", {"a": -1, "": 2}, ["x"], [None])
    for part in ("more than once", "excluded ids", "ids that are empty", "salt", "'a' is -1", "called ''", "1 strata"):
        assert part in str(error.value)


def test_a_single_text_is_one_user():
    assert assign("u1", "spring_2026", TENTH).tolist() == ["holdout"]
    assert assign(["u1", "1"], "spring_2026", TENTH, excluded="u1").tolist()[0] == ""
