"""Can the numbers be trusted? The gate that every effect has to pass."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from analysis.facts.compared import cluster_counts, leverage
from analysis.facts.population import Facts, rows_per_day
from analysis.facts.user_facts import span
from analysis.results.balance import balance
from analysis.results.contrast import contrast, parts_of
from analysis.results.relabelled import relabelled
from analysis.stats import comparison
from analysis.stats.split import Split, split_test
from analysis.stats.split_looks import SplitLooks

# share of the rows or users that makes a check warn, and fail
LIMITS = {
    "two_arms": (0.0, 0.01), "without_key": (0.0, 0.05), "duplicates": (0.01, 0.2), "alike": (0.01, 1.0),
    "missing_amounts": (0.0, 0.01), "unknown_users": (0.0, 0.1), "clusters_in_two_arms": (0.0, 0.0),
    "without_cluster": (0.0, 0.05), "unknown_assigned": (0.0, 0.1), "unassigned": (0.01, 1.0),
    "contradicting": (0.0, 0.05),
}
LEVERAGE = 0.1   # share of a covariate's squares, above which one user steers the adjustment
ALPHA = 0.001  # of the checks that are tests: a false alarm voids a report, so it must be rare


@dataclass(frozen=True, slots=True)
class Check:
    """One trust check."""

    name: str              # "split", "two_arms", "duplicates", "missing_days", "balance", ...
    state: str             # "ok", "warn", "fail"
    found: float           # the number looked at: users, rows, days, or a standardised difference
    limit: float           # share of n (or p-value, or days) that it may be
    pvalue: float          # nan where the check is not a test
    n: int                 # rows, users or days looked at
    subject: str = ""      # table, metric, arm or phase it is about
    reason: str = ""       # code, where the state needs a why


def checks(facts: Facts) -> list[Check]:
    """All checks that this campaign's data allow; the worst state decides."""
    found = [*_arms(facts), *_balance(facts), *_methods(facts), *_coverage(facts), *_missing_days(facts),
             *_rows(facts)]
    order = {"fail": 0, "warn": 1, "ok": 2}
    return sorted(found, key=lambda check: order[check.state])


def state(found: list[Check]) -> str:
    """The worst state of all checks."""
    return next((worst for worst in ("fail", "warn") if any(check.state == worst for check in found)), "ok")


def _arms(facts: Facts) -> Iterator[Check]:
    arms, left = facts.campaign.arms, facts.left
    if arms and arms.cluster:
        yield from _clusters(facts)
    elif arms:
        counts = {arm: facts.groups.get(arm, 0) for arm in arms.shares}
        split = split_test(counts, arms.shares)
        yield Check("split", split_state(split), split.statistic, ALPHA, split.pvalue, split.n, reason=split.reason)
    if facts.tables.assignments is not None:
        yield _share("two_arms", left.n_two_arms, left.n_known)
    if left.n_assigned_unknown:
        yield _share("unknown_assigned", left.n_assigned_unknown, left.n_assigned)
    if arms and left.n_unassigned:
        yield _share("unassigned", left.n_unassigned, left.n_known)
    if left.n_contradicting:
        yield _share("contradicting", left.n_contradicting, left.n_known)


def split_state(split: Split | SplitLooks) -> str:
    """Nobody in any arm is no split at all: the assignments fit no user."""
    return "fail" if split.pvalue < ALPHA or split.reason == "no_users" else "ok"


def _clusters(facts: Facts) -> Iterator[Check]:
    """Arms drawn by cluster: whole clusters in one arm, in the planned shares, and no user without one."""
    arms = facts.campaign.arms
    counts, n, n_twice, n_without = cluster_counts(facts)
    split = split_test({arm: counts.get(arm, 0) for arm in arms.shares}, arms.shares)
    yield Check("split", split_state(split), split.statistic, ALPHA, split.pvalue, split.n, arms.cluster, split.reason)
    yield _share("clusters_in_two_arms", n_twice, n, arms.cluster)
    if n_without:
        yield _share("without_cluster", n_without, facts.left.n_users, arms.cluster)


def _balance(facts: Facts) -> Iterator[Check]:
    """Before the campaign the arms must look alike: the metric that differs most surely."""
    compared = [row for row in balance(facts) if not math.isnan(row.pvalue)]
    if not compared:
        return
    worst = min(compared, key=lambda row: (row.pvalue, row.metric, row.arm))
    failed = worst.pvalue_adjusted < ALPHA
    yield Check("balance", "fail" if failed else "ok", worst.standardised, ALPHA, worst.pvalue_adjusted,
                worst.n_users, subject=worst.metric)


def _methods(facts: Facts) -> Iterator[Check]:
    """Do the report's own methods hold on these users? With shuffled labels they should rarely claim an effect."""
    found = [row for row in relabelled(facts).calibrations if not row.reason]
    if found:
        worst = max(found, key=lambda row: (row.is_off, row.rate, row.metric))
        yield Check("calibration", "warn" if worst.is_off else "ok", worst.rate, comparison.ALPHA, math.nan,
                    worst.n_runs, worst.metric)
    for name, arm in _adjusted(facts):
        own, plain = (contrast(facts, name, is_adjusted).compare(arm, facts.campaign.arms.control)
                      for is_adjusted in (True, False))
        if own.pvalue < own.alpha and own.diff * plain.diff < 0:
            yield Check("sign_flip", "warn", own.diff, plain.diff, own.pvalue, own.n_treatment + own.n_control, name)
    for name in dict.fromkeys(name for name, _ in _adjusted(facts)):
        weight = leverage(facts, parts_of(facts, name))
        if weight > LEVERAGE:
            yield Check("leverage", "warn", weight, LEVERAGE, math.nan, facts.left.n_users, name)


def _adjusted(facts: Facts) -> list[tuple[str, str]]:
    """Tested metrics and arms whose effect is adjusted by the time before."""
    campaign = facts.campaign
    if campaign.arms is None:
        return []
    tested = [name for role in ("primary", "secondary", "guardrail") for name in campaign.metric(role)]
    return [(name, arm) for name in tested for arm in campaign.arms.shares
            if arm != campaign.arms.control and contrast(facts, name).method == "adjusted"]


def _coverage(facts: Facts) -> Iterator[Check]:
    """Phases that the data do not wholly cover are cut, and said to be."""
    for phase in ("before", "during", "after"):
        stretch = span(facts, phase)
        if facts.campaign.phase(phase) is None:
            continue
        if stretch is None:
            yield Check("coverage", "warn", 0.0, math.nan, math.nan, 0, phase, "not_covered")
            continue
        is_whole = stretch.n_blocks == stretch.n_planned
        reason = "" if is_whole else "cut" if stretch.n_blocks else "not_covered"
        yield Check("coverage", "ok" if is_whole else "warn", stretch.days, stretch.days_planned, math.nan,
                    stretch.n_planned, phase, reason)


def _missing_days(facts: Facts) -> Iterator[Check]:
    """Days of the phases without one row; a failure where chance cannot explain it (Poisson, P(0) = exp(-mean))."""
    wanted = _days(facts)
    for table in ("events", "orders"):
        if facts.tables.get(table) is None:
            continue
        counts = rows_per_day(facts, table)
        missing = [day for day in wanted if day not in counts]
        present = [counts[day] for day in wanted if day in counts]
        pvalue = min(1.0, len(wanted) * math.exp(-sum(present) / len(present))) if present else 0.0
        state = "ok" if not missing else "fail" if pvalue < ALPHA else "warn"
        first = missing[0].isoformat() if missing else ""
        yield Check("missing_days", state, len(missing), 0, pvalue if missing else math.nan, len(wanted), table, first)


def _days(facts: Facts) -> list[date]:
    """Days of all phases that lie inside the data, but for the closed ones."""
    campaign, days = facts.campaign, set()
    if facts.tables.data_until is None:
        return []
    until = campaign.local(facts.tables.data_until).date()
    since = campaign.local(facts.tables.data_from).date()
    for phase in ("before", "during", "after"):
        period = campaign.phase(phase)
        if period:
            opens, closes = (campaign.local(t) for t in period.interval(campaign.time_zone))
            first = opens.date() if phase != "before" else max(opens.date(), since)
            last = min(closes - timedelta(microseconds=1), campaign.local(facts.tables.data_until)).date()
            days |= {first + timedelta(days=i) for i in range((last - first).days + 1)}
    return sorted(day for day in days if day < until and day not in campaign.closed)


def _rows(facts: Facts) -> Iterator[Check]:
    n_kept = 0
    for rows in facts.tables.rows:
        if rows.n_without_key:
            yield _share("without_key", rows.n_without_key, rows.n_read, rows.table)
        if rows.has_ids:
            yield _share("duplicates", rows.n_duplicate, rows.n_read, rows.table)
        elif rows.table in ("events", "orders"):
            yield _share("alike", rows.n_alike, rows.n_read, rows.table)
        if rows.n_missing_amount:
            yield _share("missing_amounts", rows.n_missing_amount, rows.n_read, rows.table)
        if rows.table in ("events", "orders"):
            n_kept += rows.n_read - rows.n_without_key - rows.n_duplicate
    if facts.left.n_rows_of_unknown:
        yield _share("unknown_users", facts.left.n_rows_of_unknown, n_kept)


def _share(name: str, found: int, n: int, subject: str = "") -> Check:
    share, (warn, fail) = found / n if n else 0.0, LIMITS[name]
    state = "fail" if share > fail else "warn" if share > warn else "ok"
    return Check(name, state, found, fail, math.nan, n, subject)
