"""Rows per user in Python: every compared user once, in the order of ids, strata numbered."""

import numpy as np
import pytest

from analysis.facts.compared import HISTORY
from analysis.facts.user_rows import UserRows, user_rows
from tests.people import METRICS, people
from tests.shops import PHASES, shop
from tests.tables import observed

ARMS = "arms: {control: stay, shares: {stay: 50%, go: 50%}}\n"
STRATA = "arms: {control: stay, shares: {stay: 50%, go: 50%}, strata: [tier, city]}\n"
PAID = "metrics: {money: {sum: orders.amount, role: primary}, orders: {count: orders}}\n"


def test_users_come_in_the_order_of_their_ids():
    found = user_rows(observed(ARMS + PAID, orders="user|at|amount\n b|03-05|5\n a|03-06|3\n b|03-07|1",
                               assignments="user|variant\n c|go\n b|stay\n a|go"), ["money", "orders"])
    assert found.variant.tolist() == ["go", "stay", "go"] and found.sizes == {"go": 2, "stay": 1}
    assert found.columns["money"].tolist() == [3.0, 6.0, 0.0] and found.stratum.tolist() == [0, 0, 0]
    assert found.of("go", "orders").tolist() == [1.0, 0.0]


def with_users(params, order=1, n_files=1):
    tables = shop(seed=4, n=200)
    draw = np.random.default_rng(4)
    users = tables["assignments"][["user_id"]].assign(
        tier=draw.choice(["gold", "grey", None], 200), city=draw.integers(1, 3, 200),
        registered_at=np.where(np.arange(200) % 9, "2024-01-05", "2024-03-05"))
    mixed = {name: [part for _, part in table.sample(frac=1, random_state=order).groupby(
        np.arange(len(table)) % n_files)] for name, table in tables.items()}
    return observed(METRICS + params + PHASES, users=users, **mixed), people(tables, users)


def test_every_user_once_with_covariates_as_pandas_counts():
    facts, own = with_users(ARMS)
    found, own = user_rows(facts, ["money", "orders", "buyers"]), own.sort_index()
    assert [*found.columns] == ["money", "orders", "buyers", "money:before", "orders:before", "buyers:before", HISTORY]
    assert found.variant.tolist() == own["variant"].tolist()
    for name in ("money", "orders", "buyers", "money:before", "orders:before", "buyers:before"):
        assert found.columns[name] == pytest.approx(own[name].to_numpy())
    assert found.columns[HISTORY].tolist() == (own["registered_at"] < "2024-03-04").astype(float).tolist()


def test_strata_are_the_combinations_of_their_columns():
    facts, own = with_users(STRATA)
    found, own = user_rows(facts, ["money"]), own.sort_index()
    named = own["tier"].fillna("") + "/" + own["city"].astype(str)
    pairs = set(zip(found.stratum.tolist(), named, strict=True))
    assert len(pairs) == named.nunique() == len(set(found.stratum.tolist())) == 6
    parts = found.strata()
    assert sum(len(part.variant) for part in parts) == 200 and all(isinstance(part, UserRows) for part in parts)
    assert [part.columns["money"].sum() for part in parts] == pytest.approx(
        own.groupby(named)["money"].sum().to_numpy())


def test_neither_the_order_of_rows_nor_the_number_of_files_matters():
    first, again = (user_rows(with_users(STRATA, order, n_files)[0], ["money"]) for order, n_files in ((1, 1), (2, 3)))
    assert first.variant.tolist() == again.variant.tolist() and first.stratum.tolist() == again.stratum.tolist()
    assert first.columns["money"] == pytest.approx(again.columns["money"], rel=1e-12)


def test_only_users_whose_window_is_over():
    facts = observed("data_until: 2024-03-12\n" + ARMS
                     + "metrics: {money: {sum: orders.amount, role: primary, window: 5 days}}\n",
                     orders="user|at|amount\n a|03-04|5\n b|03-10|3",
                     assignments="user|variant|assigned_at\n a|go|2024-03-04\n b|stay|2024-03-09\n c|stay|2024-03-06")
    found = user_rows(facts, ["money"])
    assert found.sizes == {"go": 1, "stay": 1} and found.columns["money"].tolist() == [5.0, 0.0]


def test_nobody_is_no_row_and_no_stratum():
    facts = observed(ARMS + PAID, orders="user|at|amount\n a|03-05|5", assignments="user|variant\n a|go\n a|stay")
    found = user_rows(facts, ["money"])
    assert (found.sizes, found.strata(), len(found.columns["money"])) == ({}, [], 0)
