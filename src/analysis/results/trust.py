"""May the numbers be believed? The gate that every effect has to pass."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from analysis.facts.measure import moments
from analysis.facts.population import Facts, rows_per_day
from analysis.facts.user_facts import span, user_facts
from analysis.stats.means import compare_means
from analysis.stats.moments import Moments
from analysis.stats.split import split_test

# share of the rows or users that makes a check warn, and fail
LIMITS = {
    "two_arms": (0.0, 0.01), "without_key": (0.0, 0.05), "duplicates": (0.01, 0.2), "alike": (0.01, 1.0),
    "missing_amounts": (0.0, 0.01), "unknown_users": (0.0, 0.1),
}
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
    found = [*_arms(facts), *_balance(facts), *_coverage(facts), *_missing_days(facts), *_rows(facts)]
    order = {"fail": 0, "warn": 1, "ok": 2}
    return sorted(found, key=lambda check: order[check.state])


def state(found: list[Check]) -> str:
    """The worst state of all checks."""
    return next((worst for worst in ("fail", "warn") if any(check.state == worst for check in found)), "ok")


def _arms(facts: Facts) -> Iterator[Check]:
    arms, left = facts.campaign.arms, facts.left
    if arms:
        counts = {arm: facts.groups.get(arm, 0) for arm in arms.shares}
        split = split_test(counts, arms.shares)
        state = "fail" if split.pvalue < ALPHA else "ok"
        yield Check("split", state, split.statistic, ALPHA, split.pvalue, split.n, reason=split.reason)
    if facts.tables.assignments is not None:
        yield _share("two_arms", left.n_two_arms, left.n_known)


def _balance(facts: Facts) -> Iterator[Check]:
    """Before the campaign the arms must look alike: largest standardised difference of a metric (control first)."""
    stretch = span(facts, "before")
    if not facts.campaign.arms or stretch is None or not stretch.n_blocks:
        return
    metrics = facts.campaign.metrics
    names = [name for name, metric in metrics.items() if metric.is_per_user and metric.has_phases]
    if not names:
        return
    level = moments(user_facts(facts, names, "before"), names)
    control = facts.campaign.arms.control
    pairs = [(name, arm, level.get((arm, name)), level.get((control, name)))
             for arm in facts.campaign.arms.shares if arm != control for name in names]
    compared = [(compare_means(t, c).pvalue, name, arm, t, c) for name, arm, t, c in pairs if t and c]
    compared = [row for row in compared if not math.isnan(row[0])]
    if not compared:
        return
    pvalue, name, _, treatment, base = min(compared, key=lambda row: row[:3])
    adjusted = min(1.0, pvalue * len(compared))  # Bonferroni: the smallest of many
    failed = adjusted < ALPHA
    yield Check("balance", "fail" if failed else "ok", _standardised(treatment, base), ALPHA, adjusted,
                treatment.n + base.n, subject=name)


def _standardised(treatment: Moments, control: Moments) -> float:
    """Difference of means in pooled standard deviations (Cohen 1988; Austin 2009 for balance)."""
    spread = math.sqrt((treatment.var + control.var) / 2)
    return (treatment.mean - control.mean) / spread if spread else math.nan


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
