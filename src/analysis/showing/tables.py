"""Results -> tables. The only place that rounds; the raw values go along for the CSV."""

from __future__ import annotations

import math
from collections.abc import Sequence

from analysis.facts.population import Facts
from analysis.results.funnel import Step
from analysis.results.goals import Goal
from analysis.results.money import Cost
from analysis.results.phases import Phase
from analysis.results.retention import Cell as Retained
from analysis.results.trust import Check
from analysis.results.uplift import Uplift
from analysis.showing import words
from analysis.showing.reader import MISSING, Reader
from analysis.showing.table import Cell, Column, Table

CHECKS = {"split": "Split of the arms", "two_arms": "Users in two arms", "balance": "Arms alike before",
          "coverage": "Data cover the time", "missing_days": "Missing days", "without_key": "Rows without a key",
          "duplicates": "Rows that came twice", "missing_amounts": "Missing amounts", "unknown_users": "Unknown users"}
STATES = {"ok": "fine", "warn": "look", "fail": "failed"}
VERDICTS = {"met": "met", "missed": "missed", "unknown": "not known", "better": "better", "worse": "worse",
            "cannot_tell": "cannot tell", "safe": "held", "broken": "broken"}
MARKS = {"met": "met", "better": "met", "safe": "met", "missed": "missed", "worse": "missed", "broken": "missed",
         "unknown": "unknown", "cannot_tell": "unknown"}  # CSS class of a verdict


def goals(rows: Sequence[Goal], reader: Reader) -> Table:
    """One row per goal: what was asked, what came, how sure."""
    say = reader.say
    columns = [Column("goal", say("Goal")), Column("verdict", say("Verdict")), Column("asked", say("Asked")),
               Column("baseline", say("Compared with"), True), Column("observed", say("Came"), True),
               Column("change", say("Change"), True), Column("interval", say("95% interval"), True),
               Column("priority", say("Priority"), True), Column("deadline", say("Deadline"))]
    return Table("goals", say("Goals: what was promised and what came"), columns, [_goal(row, reader) for row in rows])


def _goal(row: Goal, reader: Reader) -> list[Cell]:
    name = reader.title(row.metric) + (f" · {reader.label(row.arm)}" if row.arm else "")
    asked = (reader.percent(row.target_change, 0, signed=True) if row.against
             else reader.level(row.target, row.unit, row.measure))
    low, high = (row.change_lower, row.change_upper) if row.against else (row.lower, row.upper)
    show = (lambda x: reader.percent(x, signed=True)) if row.against else (
        lambda x: reader.level(x, row.unit, row.measure))
    verdict = reader.say(VERDICTS[row.verdict])
    if row.reason:
        verdict += reader.say(" ({why})", why=words.reason_text(row.reason, reader))
    return [
        Cell(row.metric, name), Cell(row.verdict, verdict, MARKS[row.verdict]),
        Cell(row.target_change if row.against else row.target, asked),
        Cell(row.baseline, reader.level(row.baseline, row.unit, row.measure)),
        Cell(row.observed, reader.level(row.observed, row.unit, row.measure)),
        Cell(row.change, reader.percent(row.change, signed=True)),
        Cell(f"{low:.10g} {high:.10g}", _interval(low, high, show, reader)),
        Cell(row.priority, str(row.priority)),
        Cell(row.deadline, reader.day(row.deadline))]


def _interval(lower: float, upper: float, show: object, reader: Reader) -> str:
    if math.isnan(lower) or math.isnan(upper):
        return MISSING
    return reader.interval(show(lower), show(upper))  # type: ignore[operator]


def checks(rows: Sequence[Check], reader: Reader) -> Table:
    """One row per trust check, worst first."""
    say = reader.say
    columns = [Column("check", say("Check")), Column("state", say("State")), Column("found", say("What was found"))]
    return Table("checks", say("Trust checks: may the numbers be believed?"), columns, [
        [Cell(f"{row.name} {row.subject}".strip(), say(CHECKS[row.name])), Cell(row.state, say(STATES[row.state]), row.state),
         Cell(row.found, words.check(row, reader))] for row in rows])


def uplifts(rows: Sequence[Uplift], reader: Reader) -> Table:
    """One row per metric and arm: the effect with its intervals and p-value."""
    say = reader.say
    columns = [Column("metric", say("Metric")), Column("verdict", say("Verdict")), Column("role", say("Role")),
               Column("control", say("Control"), True), Column("treatment", say("Campaign"), True),
               Column("rel_diff", say("Effect"), True), Column("rel_interval", say("Interval of the effect"), True),
               Column("diff", say("Difference"), True), Column("diff_interval", say("Interval of the difference"), True),
               Column("pvalue", say("p (adjusted)"), True), Column("detectable", say("Smallest visible"), True)]
    return Table("effects", say("Effects: the campaign against its control group, per user"), columns,
                 [_uplift(row, reader, has_arms=len({r.arm for r in rows}) > 1) for row in rows])


def _uplift(row: Uplift, reader: Reader, has_arms: bool) -> list[Cell]:
    def percent(x: float) -> str:
        return reader.percent(x, signed=True)

    def amount(x: float) -> str:
        return reader.points(x) if row.unit == "share" else reader.amount(x, row.unit)

    arm = f" · {reader.label(row.arm)}" if has_arms else ""
    verdict = reader.say(VERDICTS[row.verdict])
    if row.reason:
        verdict += reader.say(" ({why})", why=words.reason_text(row.reason, reader))
    role = reader.say(row.role)
    if row.role == "guardrail":
        role += reader.say(" (margin {margin}, p {p})", margin=reader.percent(row.margin, 0), p=reader.pvalue(row.pvalue_margin))
    return [
        Cell(row.metric, reader.title(row.metric) + arm), Cell(row.verdict, verdict, MARKS[row.verdict]),
        Cell(row.role, role), Cell(row.value_control, reader.amount(row.value_control, row.unit)),
        Cell(row.value_treatment, reader.amount(row.value_treatment, row.unit)),
        Cell(row.rel_diff, percent(row.rel_diff)),
        Cell(f"{row.rel_diff_lower:.10g} {row.rel_diff_upper:.10g}",
             _interval(row.rel_diff_lower, row.rel_diff_upper, percent, reader)),
        Cell(row.diff, amount(row.diff)),
        Cell(f"{row.diff_lower:.10g} {row.diff_upper:.10g}", _interval(row.diff_lower, row.diff_upper, amount, reader)),
        Cell(row.pvalue_adjusted, reader.pvalue(row.pvalue_adjusted)), Cell(row.detectable, amount(row.detectable))]


def phases(rows: Sequence[Phase], reader: Reader) -> Table:
    """One row per metric and group: the level before, during and after, and the total of the campaign."""
    say = reader.say
    shown = list(dict.fromkeys(row.phase for row in rows))
    columns = [Column("metric", say("Metric")), Column("group", say("Group")), Column("n", say("Users"), True)]
    for phase in shown:
        columns.append(Column(phase, {"before": say("Before"), "during": say("During"), "after": say("After")}[phase], True))
    columns.append(Column("total", say("Total during"), True))
    by_key = {(row.metric, row.group, row.phase): row for row in rows}
    table = []
    for metric, group in dict.fromkeys((row.metric, row.group) for row in rows):
        own = [by_key[metric, group, phase] for phase in shown]
        during = by_key[metric, group, "during"]
        unit = "users" if during.unit == "share" else during.unit
        is_ratio = during.total != during.total
        table.append([
            Cell(metric, reader.title(metric)), Cell(group, reader.group(group)), Cell(during.n_users, reader.count(during.n_users)),
            *(_level(row, reader) for row in own),
            Cell(during.total, MISSING if is_ratio else reader.total(during.total, unit))])
    return Table("phases", say("Before, during and after: level per user and campaign length, and the campaign's total"),
                 columns, table)


def _level(row: Phase, reader: Reader) -> Cell:
    if row.reason and math.isnan(row.mean):
        text = reader.say("{days} of {planned} days", days=reader.number(row.days, 1).removesuffix(".0"),
                          planned=reader.number(row.days_planned, 1).removesuffix(".0"))
        return Cell(row.mean, text if row.reason == "phase_not_covered" else words.reason_text(row.reason, reader))
    return Cell(row.mean, reader.amount(row.mean, row.unit) + (reader.say(" (cut)") if row.is_cut else ""))


def funnel(steps: Sequence[Step], reader: Reader) -> Table:
    """The whole funnel, one row per step."""
    say = reader.say
    whole = [step for step in steps if step.by == ""]
    columns = [Column("step", say("Step")), Column("n", say("Got here"), True), Column("rate", say("Of entries"), True),
               Column("interval", say("95% interval"), True), Column("step_rate", say("Of the step before"), True),
               Column("n_lost", say("Lost before"), True), Column("median_seconds", say("Median time from entry"), True),
               Column("n_reached", say("With open windows"), True)]
    return Table(f"funnel_{whole[0].funnel}", say("Funnel {name}: entries whose window is over",
                 name=reader.label(whole[0].funnel)), columns, [
        [Cell(s.step, reader.title(s.step)), Cell(s.n_converted, reader.count(s.n_converted)), Cell(s.rate, reader.percent(s.rate)),
         Cell(f"{s.rate_lower:.10g} {s.rate_upper:.10g}", _interval(s.rate_lower, s.rate_upper, reader.percent, reader)),
         Cell(s.step_rate, reader.percent(s.step_rate)), Cell(s.n_lost, reader.count(s.n_lost)),
         Cell(s.median_seconds, reader.duration(s.median_seconds) if s.position > 1 else MISSING),
         Cell(s.n_reached, reader.count(s.n_reached))] for s in whole])


def funnel_by(steps: Sequence[Step], by: str, reader: Reader) -> Table:
    """One breakdown: a row per segment, its entries and the share of entries at each step."""
    say = reader.say
    own = [step for step in steps if step.by == by]
    titles = {step.position: reader.label(step.step) for step in own}
    columns = [Column(by, say("Time") if by == "phase" else reader.label(by)), Column("n", say("Entries"), True),
               *(Column(f"rate_{i}", titles[i], True) for i in sorted(titles) if i > 1),
               Column("interval", say("95% interval of the last"), True)]
    rows = []
    for segment in dict.fromkeys(step.segment for step in own):
        path = [step for step in own if step.segment == segment]
        last = path[-1]
        rows.append([
            Cell(segment, say(segment) if by == "phase" else reader.label(segment) if segment else say("(none)")),
            Cell(last.n_mature, reader.count(last.n_mature)),
            *(Cell(step.rate, reader.percent(step.rate)) for step in path[1:]),
            Cell(f"{last.rate_lower:.10g} {last.rate_upper:.10g}",
                 _interval(last.rate_lower, last.rate_upper, reader.percent, reader))])
    name = reader.label(own[0].funnel)
    caption = (say("Funnel {name} before, during and after: share of entries that got to each step", name=name)
               if by == "phase" else say("Funnel {name} by {by}: share of entries that got to each step", name=name,
                                         by=reader.label(by)))
    return Table(f"funnel_{own[0].funnel}_by_{by}", caption, columns, rows)


def retention(cells: Sequence[Retained], every: str, reader: Reader) -> Table:
    """Pooled retention, one row per period."""
    say = reader.say
    pooled = {(c.flavour, c.period): c for c in cells if c.cohort is None}
    columns = [Column(every, say(every)), Column("n", say("Users followed"), True),
               Column("on_or_after", say("Came back then or later"), True), Column("on_or_after_interval", say("95% interval"), True),
               Column("on", say("Came back in that {period}", period=say(every)), True),
               Column("on_interval", say("95% interval"), True)]
    rows = []
    for period in sorted({period for _, period in pooled}):
        stay, habit = pooled["on_or_after", period], pooled["on", period]
        rows.append([Cell(period, str(period)), Cell(stay.n_users, reader.count(stay.n_users))])
        for c in (stay, habit):
            rows[-1] += [Cell(c.rate, reader.percent(c.rate)), Cell(f"{c.rate_lower:.10g} {c.rate_upper:.10g}",
                         _interval(c.rate_lower, c.rate_upper, reader.percent, reader))]
    return Table("retention", say("Who came back, all cohorts whose {period} is over", period=say(every)), columns, rows)


def cohorts(cells: Sequence[Retained], every: str, reader: Reader) -> Table:
    """The triangle: a row per cohort, the share back on or after each period; blank while a period is not over."""
    say = reader.say
    own = {(c.cohort, c.period): c for c in cells if c.cohort is not None and c.flavour == "on_or_after"}
    periods = sorted({period for _, period in own})
    columns = [Column("cohort", say("First seen in the {period} from", period=say(every))), Column("n", say("Users"), True),
               *(Column(f"period_{p}", str(p), True) for p in periods if p)]
    rows = [[Cell(cohort, reader.day(cohort)), Cell(own[cohort, 0].n_users, reader.count(own[cohort, 0].n_users)),
             *(Cell(own[cohort, p].rate, reader.percent(own[cohort, p].rate, 0)) if (cohort, p) in own else Cell(None, "")
               for p in periods if p)]
            for cohort in sorted({c for c, period in own if period == 0})]
    return Table("cohorts", say("Share of each cohort that came back in that {period} or later", period=say(every)),
                 columns, rows)


def costs(rows: Sequence[Cost], reader: Reader) -> Table:
    """One row per item, and the total."""
    say = reader.say
    columns = [Column("item", say("Item")), Column("amount", say("Amount"), True), Column("share", say("Share"), True),
               Column("source", say("From"))]
    source = {"params": say("stated in the params"), "costs": say("table of costs"), "total": ""}
    return Table("costs", say("What it cost"), columns, [
        [Cell(row.item or "total", reader.title(row.item) if row.item else say("Total")),
         Cell(row.amount, reader.money(row.amount)), Cell(row.share, reader.percent(row.share)),
         Cell(row.source, source.get(row.source) if row.source in source else say("total of {metric}",
              metric=reader.label(row.source)))] for row in rows])


def groups(facts: Facts, reader: Reader) -> Table:
    """How many users each arm or group has."""
    say = reader.say
    arms = facts.campaign.arms
    columns = [Column("group", say("Group")), Column("n", say("Users"), True), Column("planned", say("Planned share"), True),
               Column("share", say("Share"), True)]
    total = sum(facts.groups.values())
    return Table("groups", say("Who counts"), columns, [
        [Cell(group, reader.group(group)), Cell(n, reader.count(n)),
         Cell(arms.shares[group] if arms else None, reader.percent(arms.shares[group]) if arms else MISSING),
         Cell(n / total, reader.percent(n / total))] for group, n in facts.groups.items()])


def rows_read(facts: Facts, reader: Reader) -> Table:
    """What became of every row that was read."""
    say = reader.say
    names = {"users": say("users"), "assignments": say("assignments"), "events": say("events"), "orders": say("orders"),
             "costs": say("costs")}
    keys = {"n_read": say("Read"), "n_without_key": say("Without user, name or time"), "n_duplicate": say("Came twice"),
            "n_before": say("Before"), "n_during": say("During"), "n_after": say("After"), "n_outside": say("Outside")}
    columns = [Column("table", say("Table")), *(Column(key, heading, True) for key, heading in keys.items())]
    return Table("rows", say("Rows read, and where they fell"), columns, [
        [Cell(r.table, names[r.table]), *(Cell(getattr(r, key), reader.count(getattr(r, key))) for key in keys)]
        for r in facts.tables.rows])
