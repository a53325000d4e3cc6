"""The rows behind a campaign in the shop, one per user, by pandas alone; and what holds of every answer."""

import math
from dataclasses import fields

import numpy as np
import pandas as pd

METRICS = """
metrics:
  money: {sum: orders.amount, role: primary, unit: CNY}
  buyers: {any: orders}
  orders: {count: orders}
  basket: {ratio: [money, orders]}
"""
WEEK = [("2024-03-04", "2024-03-11")]
TIME_BEFORE = [("2024-02-19", "2024-02-26"), ("2024-02-26", "2024-03-04")]
TIME_AFTER = [("2024-03-11", "2024-03-18")]
KINDS = ("money", "orders", "buyers")


def people(tables, users=None, during=WEEK):
    """Per assigned user, by id: variant, money, orders, buyers, the same before (`money:before`: the mean of the
    stretches), and the columns of users."""
    own = tables["assignments"].set_index("user_id")[["variant"]].copy()
    for mark, stretches in (("", during), (":before", TIME_BEFORE)):
        per_stretch = [_did(tables["orders"], own.index, *stretch) for stretch in stretches]
        for kind in KINDS:
            own[kind + mark] = sum(did[kind] for did in per_stretch) / len(stretches)
    return own if users is None else own.join(users.set_index("user_id"))


def _did(orders, ids, since, until):
    rows = orders[(orders["ordered_at"] >= since) & (orders["ordered_at"] < until)].groupby("user_id")["amount"]
    did = pd.DataFrame({"money": rows.sum(), "orders": rows.size()}).reindex(ids).fillna(0.0)
    return did.assign(buyers=(did["orders"] > 0).astype(float))


def influence(own, top="money", bottom="orders"):
    """Each user's part in the arm's ratio of two sums: their mean is the ratio."""
    values = []
    for _, arm in own.groupby("variant", sort=False):
        ratio = arm[top].sum() / arm[bottom].sum()
        values.append(ratio + (arm[top] - ratio * arm[bottom]) / arm[bottom].mean())
    return pd.concat(values).reindex(own.index)


def leaves_out(lower, upper, null=0.0):
    """Whether an interval tells against the null."""
    return not lower <= null <= upper


def assert_lawful(row, pvalue, alpha):
    """p < alpha exactly when each interval that is shown leaves out no effect."""
    if row.reason:
        assert math.isnan(pvalue)
        return
    for kind in ("diff", "rel_diff"):
        bounds = getattr(row, f"{kind}_lower"), getattr(row, f"{kind}_upper")
        if not any(math.isnan(bound) for bound in bounds):
            assert (pvalue < alpha) == leaves_out(*bounds), (kind, row)


def assert_reasoned(row):
    """No number is missing without a reason, but for those that the row's kind has none of."""
    missing = [field.name for field in fields(row)
               if isinstance(value := getattr(row, field.name), float | np.floating) and math.isnan(value)]
    assert not [name for name in missing if not _is_explained(row, name)], row


def _is_explained(row, name):
    if getattr(row, "reason", ""):
        return True
    method = getattr(row, "method", "")
    if name.startswith("rel_") and row.rel_reason:
        return True
    if name.startswith("total"):
        return row.kind == "ratio"
    if name == "reduction":
        return method not in ("adjusted", "strata")
    if name in ("margin", "pvalue_margin"):
        return row.role != "guardrail" or bool(row.rel_reason)
    if name == "cap":
        return method != "winsorised"
    if name.startswith("superiority"):
        return method != "ranks"
    return method in ("ranks", "fisher") and name in NEITHER_MEAN_NOR_BOUND


NEITHER_MEAN_NOR_BOUND = {   # a p by itself: of an order, or of a table
    "value_treatment", "value_control", "detectable", "diff", "diff_lower", "diff_upper", "rel_diff", "rel_diff_lower",
    "rel_diff_upper"}
