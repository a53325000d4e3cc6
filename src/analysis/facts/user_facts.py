"""What each user did in a phase of the campaign: one row per user, a column per metric."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import ibis
from ibis.expr.types import FloatingColumn, Table

from analysis.data.columns import TIME
from analysis.data.zone import local_day, micros, wall
from analysis.facts.population import Facts, rows_of
from analysis.params.model import Metric


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time cut into blocks as long as the campaign, so that like is compared with like."""

    phase: str           # before, during, after
    start: datetime      # UTC
    end: datetime        # UTC, exclusive; of the blocks that the data cover
    n_blocks: int        # whole blocks that the data cover
    n_planned: int       # whole blocks of the phase
    days: float          # of the phase that the data cover, whole blocks or not
    days_planned: float


def span(facts: Facts, phase: str) -> Span | None:
    """The blocks of a phase that lie inside the data; None when the campaign has no such phase."""
    campaign, tables = facts.campaign, facts.tables
    period = campaign.phase(phase)
    if period is None or tables.data_from is None or tables.data_until is None:
        return None
    length = campaign.period.length
    n_planned = max(1, period.length // length)
    opens, closes = period.interval(campaign.time_zone)
    edges = [campaign.shifted(opens, i * length) for i in range(n_planned)] + [closes]
    # a quiet first day of the campaign is the trust checks' business; a baseline before the data is no baseline
    since = tables.data_from if phase == "before" else opens
    covered = [i for i in range(n_planned) if since <= edges[i] and edges[i + 1] <= tables.data_until]
    overlap = min(closes, tables.data_until) - max(opens, since)
    days = max(0.0, overlap / (closes - opens)) * (period.length / timedelta(days=1))
    start, end = (edges[covered[0]], edges[covered[-1] + 1]) if covered else (opens, opens)
    return Span(phase, start, end, len(covered), n_planned, days, period.length / timedelta(days=1))


def user_facts(facts: Facts, names: Sequence[str], phase: str) -> Table:
    """One row per user of the population; per block of the campaign's length; zero, never null.

    names    metrics without a ratio; before, all of them, else those that count over the period
    Returns  user_id, variant, a float column per metric: the mean over the blocks of the phase that the data cover.
    Rows before a user's entry do not count in the phase during.
    """
    stretch = span(facts, phase)
    if stretch is None or stretch.n_blocks == 0:
        raise ValueError(f"the data cover no block of the phase {phase}")
    if phase not in facts.kept:  # one pass makes every metric that has phases
        every = [name for name, metric in facts.campaign.metrics.items()
                 if metric.is_per_user and (metric.has_phases or phase == "before")]
        facts.kept[phase] = _wide(
            facts, every, lambda source: _in_span(facts, source, stretch), stretch.n_blocks, facts.population).cache()
    return facts.kept[phase].select("user_id", "variant", *names)


def facts_of(facts: Facts, names: Sequence[str]) -> Table:
    """One row per user: in the metrics' window from entry, in the time after the campaign, or in its period.

    names    metrics without a ratio that are counted over the same time; all of that time are made in one pass
    """
    metric = facts.campaign.metrics[names[0]]
    if metric.has_phases:
        return user_facts(facts, names, "during")
    if metric.time not in facts.kept:
        every = [name for name, own in facts.campaign.metrics.items() if own.is_per_user and own.time == metric.time]
        made = window_facts(facts, every, metric.window) if metric.window else _after_facts(facts, every, metric.over)
        facts.kept[metric.time] = made.cache()
    return facts.kept[metric.time].select("user_id", "variant", *names)


def _after_facts(facts: Facts, names: Sequence[str], over: str) -> Table:
    """One row per user: over the time after the campaign, or the campaign and that time together."""
    after = span(facts, "after")
    start = span(facts, "during").start if over == "both" else after.start
    whole = replace(after, start=start, n_blocks=1)  # one stretch, not the mean of blocks

    def inside(source: str) -> Table:
        table = _in_span(facts, source, whole, is_since_entry=True)
        return table.filter(table.at >= table.entered_at)

    return _wide(facts, names, inside, 1, facts.population)


def is_covered(facts: Facts, name: str) -> bool:
    """Whether the data reach to the end of the time that a metric is counted over."""
    metrics = facts.campaign.metrics
    parts = [metrics[part] for part in (metrics[name].ratio or [name])]
    stretches = [span(facts, "during" if part.over == "period" else "after") for part in parts]
    return all(stretch is not None and stretch.n_blocks == stretch.n_planned for stretch in stretches)


def window_facts(facts: Facts, names: Sequence[str], window: timedelta) -> Table:
    """One row per user whose window is over at the end of the data; zero, never null.

    names    metrics that are counted within `window` of a user's entry
    """
    until = ibis.timestamp(facts.tables.data_until.replace(tzinfo=None))
    length = ibis.interval(microseconds=round(window.total_seconds() * 1e6))
    complete = facts.population.filter(facts.population.entered_at + length <= until)

    def inside(source: str) -> Table:
        table = rows_of(facts, source)
        table = table.filter((table.at >= table.entered_at) & (table.at <= table.entered_at + length))
        return table.mutate(block=ibis.literal(0))

    return _wide(facts, names, inside, 1, complete)


def _in_span(facts: Facts, source: str, stretch: Span, is_since_entry: bool = False) -> Table:
    """Rows of a stretch; with those of the campaign from the user's entry on. Others' rows are among them unless
    `is_since_entry`: they fall away with their users, and every row need not look up its own."""
    is_since_entry |= stretch.phase == "during" and facts.last_entry > stretch.start.replace(tzinfo=None)
    table = rows_of(facts, source) if is_since_entry else facts.tables.get(source).rename(at=TIME[source])
    start, end = (ibis.timestamp(t.replace(tzinfo=None)) for t in (stretch.start, stretch.end))
    table = table.filter((table.at >= start) & (table.at < end))
    if is_since_entry and stretch.phase == "during":
        table = table.filter(table.at >= table.entered_at)
    if stretch.n_blocks == 1:
        return table.mutate(block=ibis.literal(0))
    zone, length = facts.campaign.time_zone, round(facts.campaign.period.length.total_seconds() * 1e6)
    origin = facts.campaign.local(stretch.start)  # wall clock: a day with a change of clocks is one block
    since = round((origin - datetime(1970, 1, 1)).total_seconds() * 1e6)
    return table.mutate(block=(micros(wall(table.at, zone, facts.tables.within)) - since) // length)


def _wide(facts: Facts, names: Sequence[str], inside: object, n_blocks: int, people: Table) -> Table:
    wide = people.select("user_id", "variant")
    metrics = {name: facts.campaign.metrics[name] for name in names}
    for source in dict.fromkeys(metric.table for metric in metrics.values()):
        own = {name: metric for name, metric in metrics.items() if metric.table == source}
        rows = inside(source)  # type: ignore[operator]
        made = rows.group_by("user_id").aggregate(**{name: value_of(rows, m) / n_blocks for name, m in own.items()})
        wide = wide.left_join(made, "user_id").drop("user_id_right")
    return wide.mutate(**{name: wide[name].fill_null(0.0) for name in names})


def value_of(rows: Table, metric: Metric) -> FloatingColumn:
    """Sum over the blocks of one user."""
    where = ibis.and_(*[rows[c].cast("string").isin(v) for c, v in metric.where.items()]) if metric.where else None
    if metric.kind == "sum":
        return rows[metric.sum.split(".")[1]].sum(where=where).fill_null(0.0).cast("float64")
    if metric.kind == "any":
        return rows.block.nunique(where=where).cast("float64")
    return (rows.count() if where is None else rows.count(where=where)).cast("float64")


def daily_facts(facts: Facts, name: str) -> Table:
    """One row per group and local day with a row of the metric's table: variant, day, value (a total over users).

    Days from the first to the last phase of the campaign; a ratio metric gives the ratio of the day's totals. As in
    `user_facts`, what a user did in the campaign before entry does not count.
    """
    campaign = facts.campaign
    spans = [campaign.phase(phase).interval(campaign.time_zone)
             for phase in ("before", "during", "after") if campaign.phase(phase)]
    start, end = min(s for s, _ in spans), max(e for _, e in spans)
    metric = campaign.metrics[name]
    parts = [_daily_total(facts, part, start, end) for part in (metric.ratio or [name])]
    if len(parts) == 1:
        return parts[0]
    both = parts[0].inner_join(parts[1], ["variant", "day"])
    both = both.filter(both.value_right != 0)
    return both.select("variant", "day", value=both.value / both.value_right)


def _daily_total(facts: Facts, name: str, start: datetime, end: datetime) -> Table:
    users = user_days(facts, name, start, end)
    return users.group_by("variant", "day").aggregate(value=users.value.sum())


def user_days(facts: Facts, name: str, start: datetime, end: datetime) -> Table:
    """One row per user and local day with a row of the metric's table: user_id, variant, day, value.

    name   a metric without a ratio; what a user did in the campaign before entry does not count
    """
    metric = facts.campaign.metrics[name]
    rows = rows_of(facts, metric.table)
    opens = facts.campaign.period.interval(facts.campaign.time_zone)[0]
    start, opens, end = (ibis.timestamp(t.replace(tzinfo=None)) for t in (start, opens, end))
    rows = rows.filter((rows.at >= start) & (rows.at < end) & ((rows.at < opens) | (rows.at >= rows.entered_at)))
    rows = rows.mutate(day=local_day(rows.at, facts.campaign.time_zone, facts.tables.within), block=ibis.literal(0))
    return rows.group_by("user_id", "variant", "day").aggregate(value=value_of(rows, metric))
