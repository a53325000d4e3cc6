"""Answers of a plan -> tables."""

from __future__ import annotations

import math
from collections.abc import Sequence

from analysis.results.planning.holdouts import HeldOut
from analysis.results.planning.needs import Need
from analysis.results.planning.reach import Reach
from analysis.results.planning.smart import Smart
from analysis.results.planning.tensions import Tension
from analysis.showing.planning import words
from analysis.showing.reader import MISSING, Reader
from analysis.showing.table import Cell, Column, Table, cut, interval_cell

VERDICTS = {"seen": "will be seen", "not_seen": "will be missed too often", "not_asked": "nothing wished",
            "unknown": "not known"}
MARKS = {"seen": "met", "not_seen": "missed", "not_asked": "", "unknown": "unknown"}   # CSS class
QUESTIONS = {"specific": "Specific", "measurable": "Measurable", "achievable": "Achievable", "relevant": "Relevant",
             "time_bound": "Time-bound"}


def smart(rows: Sequence[Smart], reader: Reader) -> Table:
    """One row per goal: what is asked, where it stands, and what five questions found."""
    say = reader.say
    columns = [Column("goal", say("Goal")), *(Column(key, say(heading)) for key, heading in QUESTIONS.items()),
               Column("asked", say("Target"), True), Column("level", say("Stands at"), True),
               Column("interval", say("95% interval"), True), Column("priority", say("Priority"), True),
               Column("deadline", say("Deadline"), True), Column("n_reached", say("Reached by itself"), True),
               Column("n_stretches", say("Past stretches"), True)]
    return Table("smart", say("Are the goals good ones?"), columns, [_smart(row, reader) for row in rows])


def _smart(row: Smart, reader: Reader) -> list[Cell]:
    def level(x: float) -> str:
        return reader.level(x, row.unit, row.measure)

    asked = (Cell(row.target_change, reader.signed(row.target_change)) if row.against else
             Cell(row.target, level(row.target)))
    return [
        Cell(row.metric, reader.title(row.metric)),
        *(_question(getattr(row, key), reader) for key in QUESTIONS), asked,
        Cell(row.level, level(row.level)), interval_cell(row.level_lower, row.level_upper, level, reader),
        Cell(row.priority, str(row.priority)), Cell(row.deadline, reader.day(row.deadline)),
        Cell(row.n_reached, reader.count(row.n_reached)), Cell(row.n_stretches, reader.count(row.n_stretches))]


def _question(code: str, reader: Reader) -> Cell:
    is_fine = not code or code in words.FINE
    text = reader.say("fine") if is_fine else reader.say("attention")
    if code:
        text += reader.say(" ({why})", why=words.why(code, reader))
    return Cell(code or "fine", text, "ok" if is_fine else "warn")


def tensions(rows: Sequence[Tension], reader: Reader) -> Table:
    """One row per pair of goals and guardrails, those that pull apart first."""
    say = reader.say
    columns = [Column("pair", say("Pair")), Column("pulls", say("Pulls apart")), Column("decides", say("Decides")),
               Column("correlation", say("Correlation across users"), True),
               Column("n_apart", say("Times apart"), True), Column("n_moves", say("Changes looked at"), True)]
    return Table("tensions", say("Do two goals pull against each other?"), columns, [
        [Cell(f"{row.first} {row.second}", f"{reader.title(row.first)} · {reader.label(row.second)}"),
         Cell(row.pulls, say("yes") if row.pulls else say("no"), "warn" if row.pulls else "ok"),
         Cell(row.decides, reader.label(row.decides) if row.decides else say("not said")),
         Cell(row.correlation, reader.number(row.correlation, 2)),
         Cell(row.n_apart, reader.count(row.n_apart) if row.n_moves else MISSING),
         Cell(row.n_moves, reader.count(row.n_moves) if row.n_moves else MISSING)] for row in rows])


def needs(rows: Sequence[Need], reader: Reader) -> Table:
    """One row per metric and arm at the planned length."""
    say, has_arms = reader.say, len({row.arm for row in rows}) > 1
    columns = [Column("metric", say("Metric")), Column("verdict", say("Wished effect")),
               Column("wished", say("Wished"), True), Column("power", say("Chance to see it"), True),
               Column("smallest", say("Smallest visible"), True), Column("n_needed", say("Users needed"), True),
               Column("n", say("Users planned"), True), Column("days_needed", say("Days needed"), True),
               Column("value", say("Stands at"), True), Column("role", say("Role"))]
    caption = say("What will be seen in {days}", days=words.days(rows[0].days, reader)) if rows else say("What is seen")
    return Table("needs", caption, columns, [_need(row, has_arms, reader) for row in rows])


def _need(row: Need, has_arms: bool, reader: Reader) -> list[Cell]:
    change = reader.percent if row.role == "guardrail" else reader.signed
    verdict = reader.say(VERDICTS[row.verdict])
    if row.reason and row.verdict != "not_asked":
        verdict += reader.say(" ({why})", why=words.why(row.reason, reader))
    role = reader.say(row.role)
    if row.role == "guardrail":
        verdict = reader.say("margin: {verdict}", verdict=verdict)
    return [
        Cell(row.metric, words.name(row, has_arms, reader)), Cell(row.verdict, verdict, MARKS[row.verdict]),
        Cell(row.wished, change(row.wished)), Cell(row.power, reader.percent(row.power)),
        Cell(row.smallest, change(row.smallest)), Cell(row.n_needed, reader.count(row.n_needed)),
        Cell(row.n, reader.count(row.n)), Cell(row.days_needed, _number(row.days_needed, reader)),
        Cell(row.value, reader.amount(row.value, row.unit)), Cell(row.role, role)]


def _number(n: float, reader: Reader) -> str:
    return reader.number(n, 1).removesuffix(".0")


def reaches(rows: Sequence[Reach], metric: str, reader: Reader) -> Table:
    """One row per metric, arm and length; on the page those of one metric."""
    say, has_arms = reader.say, len({row.arm for row in rows}) > 1
    columns = [Column("metric", say("Metric")), Column("days", say("Days"), True),
               Column("smallest", say("Smallest visible"), True),
               Column("smallest_plain", say("Without the time before"), True),
               Column("power", say("Chance to see the wish"), True), Column("n_active", say("Active users"), True),
               Column("value", say("Per user"), True), Column("sd", say("Standard deviation"), True),
               Column("reduction", say("Variance taken off"), True)]
    n_own = sum(row.metric == metric for row in rows)
    cells = [_reach(row, has_arms, reader) for row in sorted(rows, key=lambda row: row.metric != metric)]
    return Table("by_days", say("What can be seen after so many days, as measured on the past"), columns,
                 **cut(cells, reader, n_own))


def _reach(row: Reach, has_arms: bool, reader: Reader) -> list[Cell]:
    change = reader.percent if row.role == "guardrail" else reader.signed
    return [
        Cell(row.metric, words.name(row, has_arms, reader)), Cell(row.days, _number(row.days, reader)),
        Cell(row.smallest, change(row.smallest)), Cell(row.smallest_plain, change(row.smallest_plain)),
        Cell(row.power, reader.percent(row.power)), Cell(row.n_active, reader.count(row.n_active)),
        Cell(row.value, reader.amount(row.value, row.unit)), Cell(row.sd, _spread(row, reader)),
        Cell(row.reduction, reader.percent(row.reduction))]


def _spread(row: Reach, reader: Reader) -> str:
    return reader.points(row.sd) if row.unit == "share" else reader.amount(row.sd, row.unit)


def holdouts(rows: Sequence[HeldOut], reader: Reader) -> Table:
    """One row per share held out."""
    say = reader.say
    columns = [Column("share", say("Held out")), Column("n_held_out", say("Users held out"), True),
               Column("smallest", say("Smallest visible"), True), Column("power", say("Chance to see the wish"), True),
               Column("forgone", say("Forgone if it is real"), True)]
    caption = say("What a hold-out shows and costs: {metric}, {days}", metric=reader.label(rows[0].metric),
                  days=words.days(rows[0].days, reader)) if rows else say("What a hold-out shows and costs")
    return Table("holdouts", caption, columns, [
        [Cell(row.share, _share(row, reader)), Cell(row.n_held_out, reader.count(row.n_held_out)),
         Cell(row.smallest, reader.signed(row.smallest)), Cell(row.power, reader.percent(row.power)),
         Cell(row.forgone, MISSING if math.isnan(row.forgone) else words.total(row.forgone, row.unit, reader))]
        for row in rows])


def _share(row: HeldOut, reader: Reader) -> str:
    notes = [*([reader.say("planned")] if row.is_planned else []),
             *([reader.say("smallest that will do")] if row.is_enough else [])]
    return reader.percent(row.share) + (reader.say(" ({why})", why=reader.say(", ").join(notes)) if notes else "")
