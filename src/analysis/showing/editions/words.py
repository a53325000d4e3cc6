"""Sentences about two editions, and about what of them cannot be compared."""

from __future__ import annotations

from datetime import date

from analysis.results.editions.change import Change, LeftOut, Since, Turned, Which
from analysis.results.editions.course import Apart
from analysis.showing.phrases import ANSWERS
from analysis.showing.reader import Reader
from analysis.showing.tables import CHECKS, STATES, VERDICTS

KINDS = {"effect": "{name}: effect", "funnel": "{name}: rate", "goal": "Goal {name}"}
ASPECTS = {
    "kind": "it is another kind of number", "counted": "something else is counted", "steps": "other steps",
    "items": "other items", "unit": "another unit or currency", "window": "counted over another time",
    "options": "other rules of counting", "population": "other users count", "time_zone": "another time zone",
    "control": "another control group", "method": "another method", "target": "another target",
    "length": "the periods differ in length, and a share does not grow evenly with it",
}
REASONS = {
    "only_before": "only the earlier edition has it", "only_now": "only the later edition has it",
    "not_covered": "the data do not cover the whole period of both", "no_number": "one of the editions has no number",
    "other_schema": "One of the two was written by a version of this program whose numbers mean something else; run "
                    "it again.",
    "not_trusted": "A trust check failed in one of the two: its numbers are not to be trusted, so none is compared.",
    "no_definitions": "One of the two does not say how its numbers are defined: it was written by an earlier version "
                      "of this program. Run it again.",
}


NAMED = 3   # numbers that the first screen names


def which(report: Which, reader: Reader) -> str:
    """An edition, or a campaign by its name, with its days."""
    name = reader.say("edition {edition}", edition=report.edition) if report.edition else report.name
    days = reader.interval(day(report.start, reader), day(report.end, reader))
    return reader.say("{name} ({days})", name=name, days=days)


def day(text: str, reader: Reader) -> str:
    """A day or moment of the params, to the day."""
    return reader.day(date.fromisoformat(text[:10]))


def summary(found: Since, reader: Reader) -> list[str]:
    """What is compared with what, how much of it changed, and what it does not say."""
    say, told = reader.say, [c for c in found.changes if c.verdict in ("higher", "lower")]
    if found.reason:
        return [say("Nothing can be compared with {before}.", before=which(found.before, reader)),
                say(REASONS[found.reason])]
    answers = [say(ANSWERS[report.answer]) for report in (found.before, found.now)]
    sampled = [change for change in found.changes if change.verdict != "counted"]
    sentences = [
        say("Compared with {before}. Verdict then: {then}. Verdict now: {now}." if answers[0] != answers[1] else
            "Compared with {before}. Verdict then and now: {now}.", before=which(found.before, reader),
            then=answers[0], now=answers[1]),
        say("{told} of {n} numbers with the same definition differ by more than chance (p below 0.05, corrected for "
            "all of them).", told=reader.count(len(told)), n=reader.count(len(sampled)))
        if sampled else say("No number has the same definition in both."),
        say("Two editions are two samples at two times: the season, prices and who was reached differ too. A "
            "difference is no effect of the campaign. The tests assume different users; where the same ones are in "
            "both, they are rather too careful.")]
    if shared := overlap(found, reader):
        sentences.append(shared)
    if any(change.is_per_day for change in found.changes):
        sentences.append(say("The periods differ in length, so sums and counts are shown per user and day."))
    return sentences


def overlap(found: Since, reader: Reader) -> str:
    """Days that are in both editions; "" where there are none."""
    since, until = found.now.start, min(found.before.end, found.now.end)
    return reader.say("The two overlap: what users did on the days from {start} to {end} is in both.",
                      start=day(since, reader), end=day(until, reader)) if since[:10] <= until[:10] else ""


def most_changed(found: Since, reader: Reader) -> str:
    """The numbers that differ by more than chance and most, as a share of what they were, then and now."""
    told = [c for c in found.changes if c.verdict in ("higher", "lower") and c.before and c.kind != "effect"]
    most = sorted(told, key=lambda c: -abs(c.now / c.before - 1))[:NAMED]
    each = [reader.say("{name} {before} → {now}", before=reader.amount(c.before, c.unit),
                       now=reader.amount(c.now, c.unit), name=reader.say("{name}, per day", name=name_of(c, reader))
                       if c.is_per_day else name_of(c, reader)) for c in most]
    return reader.say("Most: {numbers}.", numbers=reader.say("; ").join(each)) if each else ""


def turned(found: Since, reader: Reader) -> list[str]:
    """Goals, and checks whose state is another."""
    said = [reader.say("Goal {metric}: {before} then, {now} now.", metric=_named(goal.name, goal.subject, reader),
                       before=reader.say(VERDICTS[goal.before]), now=reader.say(VERDICTS[goal.now]))
            for goal in found.goals]
    return said + [_check(check, reader) for check in found.checks]


def _check(check: Turned, reader: Reader) -> str:
    states = [reader.say(STATES[state]) if state else reader.say("not made") for state in (check.before, check.now)]
    name = reader.say(CHECKS[check.name]) if check.name in CHECKS else reader.label(check.name)
    subject = f" ({reader.label(check.subject)})" if check.subject else ""
    return reader.say("Check {name}: {before} then, {now} now.", name=name + subject, before=states[0], now=states[1])


def name_of(row: Change | LeftOut | Apart, reader: Reader) -> str:
    """What a number is, in words."""
    if row.kind == "cost":
        return reader.say("Cost in all")
    name = _named(row.name, row.group, reader)
    return name if row.kind == "level" else reader.say(KINDS[row.kind], name=name)


def _named(name: str, group: str, reader: Reader) -> str:
    return reader.title(name) + (f" · {reader.label(group)}" if group else "")


def why(row: LeftOut, reader: Reader) -> str:
    """Why a number is not compared, with what each edition says of it."""
    if row.reason in REASONS:
        return reader.say(REASONS[row.reason])
    aspect = reader.say(ASPECTS[row.reason])
    if row.reason == "length":
        before, now = (reader.say("{n} days", n=days) for days in (row.before, row.now))
    else:
        before, now = (text or reader.say("not said") for text in (row.before, row.now))
    return reader.say("{aspect}: then {before}, now {now}", aspect=aspect, before=before, now=now)
