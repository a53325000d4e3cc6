"""Results -> tables. The only place that rounds; the raw values go along for the CSV."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from analysis.facts.population import Facts
from analysis.results.goals import Goal
from analysis.results.groups import groups as groups_of
from analysis.results.money import Cost
from analysis.results.phases import Phase
from analysis.results.trust import Check
from analysis.results.uplift import Uplift
from analysis.showing import words
from analysis.showing.reader import Reader
from analysis.showing.table import Cell, Column, Table
from analysis.showing.table import interval_cell as _interval

CHECKS = {
    "split": "Split of the arms", "two_arms": "Users in two arms", "balance": "Arms alike before",
    "coverage": "Data cover the time", "missing_days": "Missing days", "without_key": "Rows without a key",
    "duplicates": "Duplicate rows", "alike": "Identical rows", "missing_amounts": "Missing amounts",
    "unknown_users": "Unknown users", "clusters_in_two_arms": "Clusters in two arms",
    "without_cluster": "Users without a cluster", "calibration": "False alarms", "leverage": "Single users",
    "sign_flip": "Adjusted and plain effect", "unknown_assigned": "Unknown users with an arm",
    "unassigned": "Users without an arm", "contradicting": "Users listed differently",
}
STATES = {"ok": "fine", "warn": "attention", "fail": "failed"}
VERDICTS = {"met": "met", "missed": "missed", "unknown": "not known", "better": "better", "worse": "worse",
            "cannot_tell": "cannot tell", "safe": "held", "broken": "broken"}
MARKS = {"met": "met", "better": "met", "safe": "met", "missed": "missed", "worse": "missed", "broken": "missed",
         "unknown": "unknown", "cannot_tell": "unknown"}  # CSS class of a verdict


def goals(rows: Sequence[Goal], reader: Reader, is_void: bool = False) -> Table:
    """One row per goal: what was asked, what came, how sure; `is_void` where the data failed the checks."""
    say = reader.say
    columns = [Column("goal", say("Goal")), Column("verdict", say("Verdict")), Column("asked", say("Target")),
               Column("baseline", say("Baseline"), True), Column("observed", say("Observed"), True),
               Column("change", say("Change"), True), Column("interval", say("95% interval"), True),
               Column("priority", say("Priority"), True), Column("deadline", say("Deadline"), True)]
    caption, cells = say("Goals: targets and results"), [_goal(row, reader, is_void) for row in rows]
    if len({row.deadline for row in rows}) == 1:  # said once
        caption = say("Goals: target and result, deadline {day}", day=reader.day(rows[0].deadline))
        columns, cells = columns[:-1], [row[:-1] for row in cells]
    return Table("goals", caption, columns, cells)


def _goal(row: Goal, reader: Reader, is_void: bool) -> list[Cell]:
    def level(x: float) -> str:
        return reader.level(x, row.unit, row.measure)

    name = reader.title(row.metric) + (f" · {reader.label(row.arm)}" if row.arm else "")
    verdict = verdict_cell(row.verdict, row.reason, reader)
    if is_void and row.verdict != "unknown":
        verdict = Cell(row.verdict, reader.say("{verdict}, if the data were right", verdict=verdict.text), "warn")
    return [
        Cell(row.metric, name), verdict,
        Cell(row.target_change, reader.percent(row.target_change, 0, signed=True)) if row.against
        else Cell(row.target, level(row.target)),
        Cell(row.baseline, level(row.baseline)), Cell(row.observed, level(row.observed)),
        Cell(row.change, reader.signed(row.change)),
        _interval(row.change_lower, row.change_upper, reader.signed, reader) if row.against
        else _interval(row.lower, row.upper, level, reader),
        Cell(row.priority, str(row.priority)), Cell(row.deadline, reader.day(row.deadline))]


def verdict_cell(verdict: str, reason: str, reader: Reader) -> Cell:
    """A verdict in words, with the reason why there is none."""
    text = reader.say(VERDICTS[verdict])
    if reason:
        text += reader.say(" ({why})", why=words.reason_text(reason, reader))
    return Cell(verdict, text, MARKS[verdict])


def checks(rows: Sequence[Check], reader: Reader) -> Table:
    """One row per trust check, worst first; those of a kind that found nothing in one row."""
    say = reader.say
    columns = [Column("check", say("Check")), Column("state", say("State")), Column("found", say("What was found"))]
    return Table("checks", say("Trust checks: can the numbers be trusted?"), columns, [
        [Cell(" ".join([own[0].name, *(row.subject for row in own if row.subject)]), say(CHECKS[own[0].name])),
         Cell(own[0].state, say(STATES[own[0].state]), own[0].state), Cell(own[0].found, words.checks(own, reader))]
        for own in words.folded(rows)])


def uplifts(rows: Sequence[Uplift], reader: Reader) -> Table:
    """One row per metric and arm: the effect with its intervals and p-value."""
    say = reader.say
    columns = [Column("metric", say("Metric")), Column("verdict", say("Verdict")), Column("role", say("Role")),
               Column("control", say("Control"), True), Column("treatment", say("Campaign"), True),
               Column("rel_diff", say("Effect"), True), Column("rel_interval", say("Interval of the effect"), True),
               Column("diff", say("Difference"), True),
               Column("diff_interval", say("Interval of the difference"), True),
               Column("pvalue", say("p (adjusted)"), True), Column("detectable", say("Smallest visible"), True)]
    caption = (say("Effects: the campaign against its control group, per user; levels of means and ratios adjusted")
               if any(row.method == "adjusted" for row in rows) else
               say("Effects: the campaign against its control group, per user"))
    return Table("effects", caption, columns,
                 [_uplift(row, reader, has_arms=len({r.arm for r in rows}) > 1) for row in rows])


def _uplift(row: Uplift, reader: Reader, has_arms: bool) -> list[Cell]:
    def difference(x: float) -> str:
        return reader.difference(x, row.unit)

    role = reader.say(row.role)
    if row.role == "guardrail":
        role += reader.say(" (margin {margin}, p {p})", margin=reader.percent(row.margin, 0),
                           p=reader.pvalue(row.pvalue_margin))
    verdict = verdict_cell(row.verdict, row.reason, reader)
    if row.role == "guardrail" and row.verdict == "cannot_tell" and not row.reason:
        verdict = replace(verdict, text=reader.say("not shown to hold"))
    return [
        Cell(row.metric, reader.title(row.metric) + (f" · {reader.label(row.arm)}" if has_arms else "")),
        verdict, Cell(row.role, role),
        Cell(row.value_control, reader.amount(row.value_control, row.unit)),
        Cell(row.value_treatment, reader.amount(row.value_treatment, row.unit)),
        Cell(row.rel_diff, reader.signed(row.rel_diff)),
        _interval(row.rel_diff_lower, row.rel_diff_upper, reader.signed, reader),
        Cell(row.diff, difference(row.diff)), _interval(row.diff_lower, row.diff_upper, difference, reader),
        Cell(row.pvalue_adjusted, reader.pvalue(row.pvalue_adjusted)), Cell(row.detectable, difference(row.detectable))]


def phases(rows: Sequence[Phase], reader: Reader) -> Table:
    """One row per metric and group: the level before, during and after, and the total of the campaign."""
    say = reader.say
    shown = list(dict.fromkeys(row.phase for row in rows))
    columns = [Column("metric", say("Metric")), Column("group", say("Group")), Column("n", say("Users"), True)]
    heading = {"before": say("Before"), "during": say("During"), "after": say("After")}
    columns += [Column(phase, heading[phase], True) for phase in shown]
    columns.append(Column("total", say("Total during"), True))
    by_key = {(row.metric, row.group, row.phase): row for row in rows}
    table = []
    for metric, group in dict.fromkeys((row.metric, row.group) for row in rows):
        own = [by_key[metric, group, phase] for phase in shown]
        during = by_key[metric, group, "during"]
        unit = "users" if during.unit == "share" else during.unit
        table.append([
            Cell(metric, reader.title(metric)), Cell(group, reader.group(group)),
            Cell(during.n_users, reader.count(during.n_users)), *(_level(row, reader) for row in own),
            Cell(during.total, reader.total(during.total, unit))])
    caption = say("Before, during and after: level per user and campaign length, and the campaign's total")
    return Table("phases", caption, columns, table)


def _level(row: Phase, reader: Reader) -> Cell:
    if row.reason and math.isnan(row.mean):
        text = reader.say("{days} of {planned} days", days=reader.number(row.days, 1).removesuffix(".0"),
                          planned=reader.number(row.days_planned, 1).removesuffix(".0"))
        return Cell(row.mean, text if row.reason == "phase_not_covered" else words.reason_text(row.reason, reader))
    return Cell(row.mean, reader.amount(row.mean, row.unit) + (reader.say(" (cut)") if row.is_cut else ""))



def costs(rows: Sequence[Cost], reader: Reader) -> Table:
    """One row per item, and the total."""
    say = reader.say
    columns = [Column("item", say("Item")), Column("amount", say("Amount"), True), Column("share", say("Share"), True),
               Column("source", say("From"))]
    return Table("costs", say("What it cost"), columns, [
        [Cell(row.item or "total", reader.title(row.item) if row.item else say("Total")),
         Cell(row.amount, reader.money(row.amount)), Cell(row.share, reader.percent(row.share)),
         Cell(row.source, _source(row, reader))] for row in rows])


def _source(row: Cost, reader: Reader) -> str:
    if not row.item:
        return ""
    known = {"params": reader.say("stated in the params"), "costs": reader.say("table of costs")}
    return known.get(row.source) or reader.say("total of {metric}", metric=reader.label(row.source))


def groups(facts: Facts, reader: Reader) -> Table:
    """How many users each arm or group has; the planned shares where there are arms."""
    say, arms = reader.say, facts.campaign.arms
    columns = [Column("group", say("Group")), Column("n", say("Users"), True), Column("share", say("Share"), True),
               *([Column("planned", say("Planned share"), True)] if arms else [])]
    return Table("groups", say("Who counts"), columns, [
        [Cell(row.name, reader.group(row.name)), Cell(row.n_users, reader.count(row.n_users)),
         Cell(row.share, reader.percent(row.share)),
         *([Cell(row.planned_share, reader.percent(row.planned_share))] if arms else [])]
        for row in groups_of(facts)])


def rows_read(facts: Facts, reader: Reader) -> Table:
    """What became of every row that was read."""
    say = reader.say
    names = {"users": say("users"), "assignments": say("assignments"), "events": say("events"),
             "orders": say("orders"), "costs": say("costs")}
    keys = {"n_read": say("Read"), "n_without_key": say("Without user, name or time"), "n_duplicate": say("Duplicates"),
            "n_before": say("Before"), "n_during": say("During"), "n_after": say("After"), "n_outside": say("Outside")}
    columns = [Column("table", say("Table")), *(Column(key, heading, True) for key, heading in keys.items())]
    return Table("rows", say("Rows read, and where they fell"), columns, [
        [Cell(r.table, names[r.table]), *(Cell(getattr(r, key), reader.count(getattr(r, key))) for key in keys)]
        for r in facts.tables.rows])
