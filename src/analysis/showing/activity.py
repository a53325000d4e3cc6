"""How active users are: sentences, tables and the section of the report."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date

from analysis.facts.population import Facts
from analysis.results.activity import Activities, Lifecycle, Stickiness
from analysis.results.recency import Recency
from analysis.showing import figures
from analysis.showing.picture import show
from analysis.showing.reader import Reader
from analysis.showing.stack import Stack
from analysis.showing.table import Cell, Column, Table, cut, paragraphs

MOST_ROWS = 12     # up to which stickiness has a table beside its chart


def section(facts: Facts, found: Activities, reader: Reader) -> Stack:
    """Who is new, current, back and gone; active users by day; on how many periods; how lately they ordered."""
    asked = facts.campaign.activity
    if asked is None:
        return Stack([paragraphs([reader.say("The params do not ask for activity.")])])
    every, rows = asked.every, found.lifecycle
    start = facts.campaign.first_day
    shown = Stack([show(figures.plot_lifecycle(rows, reader), states_in_words(rows, every, reader, start)),
                   states(rows, every, reader, start),
                   show(figures.plot_active(found.active, reader), active_in_words(found, reader))])
    if found.stickiness:
        shown += [show(figures.plot_stickiness(found.stickiness, every, reader),
                       stickiness_in_words(found.stickiness, every, reader))]
        if len(found.stickiness) <= MOST_ROWS:
            shown.append(stickiness(found.stickiness, every, reader))
    if found.recency:
        shown += [paragraphs([recency_in_words(found.recency, reader)]), recency(found.recency, reader)]
    return shown


def states_in_words(rows: Sequence[Lifecycle], every: str, reader: Reader, start: date = date.max) -> str:
    """The last complete period that begins by `start`, the campaign's; else the last of all."""
    whole = [row for row in rows if not row.reason]
    if not whole:
        return reader.say("No {period} is complete, so nothing can be said about who is new and who is gone.",
                          period=reader.say(every))
    last = next((row for row in reversed(whole) if row.period <= start), whole[-1])
    return reader.say(
        "Active in the {period} from {day}: {new} new, {current} who had also been there in the {period} before, "
        "{back} back after a pause. Of the {period} before, {gone} did not come again. New is who was not seen since "
        "the data begin.", period=reader.say(every), day=reader.day(last.period), new=reader.count(last.n_new),
        current=reader.count(last.n_current), back=reader.count(last.n_resurrected), gone=reader.count(last.n_dormant))


def active_in_words(found: Activities, reader: Reader) -> str:
    if math.isnan(found.per_day):
        return reader.say("No day is known in full.")
    said = reader.say("On an average day {n} users were active.", n=reader.count(found.per_day))
    if math.isnan(found.day_of_month):
        return reader.prose([said, reader.say("The data do not reach 30 days back from any of these days.")])
    return reader.prose([said, reader.say("That is {share} of the users of the 30 days that end with it.",
                                          share=reader.percent(found.day_of_month))])


def stickiness_in_words(rows: Sequence[Stickiness], every: str, reader: Reader) -> str:
    half = max((row for row in rows if row.share_at_least >= 0.5), key=lambda row: row.n_periods)
    if half.n_periods == 1 < len(rows):     # everybody who is active is so at least once
        half = rows[1]
    return reader.say("{share} of the {users} active users were active in {n} or more of the {all} {periods}.",
                      share=reader.percent(half.share_at_least), users=reader.count(rows[0].n_at_least),
                      n=half.n_periods, all=rows[-1].to, periods=reader.say(f"{every}s"))


def recency_in_words(rows: Sequence[Recency], reader: Reader) -> str:
    first = rows[0]
    if first.most is None or first.amount_share != first.amount_share:
        return reader.say("Seen from {day}, nobody ordered lately.", day=reader.day(first.reference))
    return reader.say(
        "On {day} the last order of {share} of users was at most {days} old; {amount} of all that was paid is theirs.",
        day=reader.day(first.reference), share=reader.percent(first.share),
        days=reader.duration(first.most * 86400), amount=reader.percent(first.amount_share))


def states(rows: Sequence[Lifecycle], every: str, reader: Reader, start: date = date.min) -> Table:
    """One row per period; of many the page shows those from just before `start` on."""
    say = reader.say
    columns = [Column(every, say(every)), Column("new", say("New"), True), Column("current", say("Current"), True),
               Column("resurrected", say("Back after a pause"), True), Column("dormant", say("Gone"), True),
               Column("reason", say("Note"))]
    caption = say("Users by period: new, current, back after a pause, gone since the period before")
    cells = [
        [Cell(row.period, reader.day(row.period)), *(Cell(n, reader.count(n)) for n in (
            row.n_new, row.n_current, row.n_resurrected, row.n_dormant)), Cell(row.reason, note(row.reason, reader))]
        for row in rows]
    return Table("lifecycle", caption, columns, **cut(cells, reader, 6, sum(row.period <= start for row in rows) - 2))


def note(reason: str, reader: Reader) -> str:
    return {"": "", "not_over": reader.say("not over yet"), "gap": reader.say("days without data"),
            "data_begin": reader.say("the data begin here: everybody looks new")}[reason]


def stickiness(rows: Sequence[Stickiness], every: str, reader: Reader) -> Table:
    say = reader.say
    columns = [Column("n_periods", say("Active {periods}", periods=say(f"{every}s"))),
               Column("n_exactly", say("Users, exactly"), True), Column("n_at_least", say("Users, at least"), True),
               Column("share", say("Share, at least"), True)]
    return Table("stickiness", say("In how many periods users were active"), columns, [
        [_periods(row, reader), Cell(row.n_exactly, reader.count(row.n_exactly)),
         Cell(row.n_at_least, reader.count(row.n_at_least)),
         Cell(row.share_at_least, reader.percent(row.share_at_least))]
        for row in rows])


def _periods(row: Stickiness, reader: Reader) -> Cell:
    if row.to == row.n_periods:
        return Cell(row.n_periods, str(row.n_periods))
    return Cell(f"{row.n_periods}-{row.to}", reader.interval(str(row.n_periods), str(row.to)))


def recency(rows: Sequence[Recency], reader: Reader) -> Table:
    """One row per group, the latest first."""
    say = reader.say
    columns = [Column("group", say("Days since the last order")), Column("n", say("Users"), True),
               Column("share", say("Share"), True), Column("repeating", say("Ordered on two days or more"), True),
               Column("orders", say("Orders per user"), True), Column("amount", say("Paid per user"), True),
               Column("amount_share", say("Share of the amount"), True),
               Column("last_minus_first", say("Days from first to last order"), True)]
    caption = say("Users by their last order, seen from {day}", day=reader.day(rows[0].reference))
    return Table("recency", caption, columns, [
        [Cell(group_key(row), group(row, reader)), Cell(row.n_users, reader.count(row.n_users)),
         Cell(row.share, reader.percent(row.share)), Cell(row.repeating, reader.percent(row.repeating)),
         Cell(row.orders, reader.number(row.orders)), Cell(row.amount, reader.money(row.amount)),
         Cell(row.amount_share, reader.percent(row.amount_share)),
         Cell(row.last_minus_first, reader.number(row.last_minus_first))] for row in rows])


def group_key(row: Recency) -> str:
    return "never" if row.least is None else f"{row.least}-{'' if row.most is None else row.most}"


def group(row: Recency, reader: Reader) -> str:
    if row.least is None:
        return reader.say("never ordered")
    if row.most is None:
        return reader.say("{least} or more", least=row.least)
    return reader.interval(str(row.least), str(row.most))
