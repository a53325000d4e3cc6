"""The rules that this report's numbers follow, filled from what was really used."""

from __future__ import annotations

from collections.abc import Sequence

from analysis.facts.activity_facts import DAYS
from analysis.facts.compared import is_before_covered
from analysis.facts.population import Facts
from analysis.facts.user_facts import span
from analysis.params.model import Metric, Period
from analysis.results.paths import Counted
from analysis.showing import words
from analysis.showing.funnels.rules import rules as funnel_rules
from analysis.showing.reader import Reader
from analysis.showing.table import Html, definitions
from analysis.stats.comparison import ALPHA

PHASES = {"before": "Time before", "after": "Time after"}


def rules(facts: Facts, reader: Reader, counted: Sequence[Counted] = ()) -> Html:
    """The definitions box.

    counted   what the rules of each funnel left out
    """
    campaign, say = facts.campaign, reader.say
    left_out = {row.funnel: row for row in counted}
    said = [
        (say("Time"), say("{start} to {end} ({zone}); the data run from {first} to {last}.",
                          start=_edge(facts, campaign.period, 0, reader), end=_edge(facts, campaign.period, 1, reader),
                          zone=campaign.time_zone, first=_moment(facts.tables.data_from, reader),
                          last=_moment(facts.tables.data_until, reader))),
        *((say(title), _phase(facts, phase, reader)) for phase, title in PHASES.items() if campaign.phase(phase)),
        (say("Users"), words.population(facts, reader)),
        *((say("Metric: {name}", name=reader.label(name)), metric_rule(metric, reader))
          for name, metric in campaign.metrics.items()),
        (say("Intervals"), _intervals(facts, reader)),
        *((say("Funnel: {name}", name=reader.label(name)), funnel_rules(facts, asked, left_out.get(name), reader))
          for name, asked in campaign.funnels.items()),
    ]
    if campaign.goals:
        said.append((say("Goals"), say(
            "A goal is met only when its whole 95% interval is on the right side of the target, and missed only when "
            "it is wholly on the other. A change compares the same users with their own time before; the interval "
            "covers chance between users, not the season.")))
    if campaign.retention:
        said.append((say("Retention"), _retention(facts, reader)))
    if campaign.activity:
        said.append((say("Activity"), _activity(facts, reader)))
    return definitions(said)


def _edge(facts: Facts, period: Period, which: int, reader: Reader) -> str:
    return _moment(period.interval(facts.campaign.time_zone)[which], reader)


def _moment(at: object, reader: Reader) -> str:
    return reader.moment(at) if at else reader.say("unknown")  # type: ignore[arg-type]


def _phase(facts: Facts, phase: str, reader: Reader) -> str:
    stretch, period = span(facts, phase), facts.campaign.phase(phase)
    return reader.say(
        "{start} to {end}: {covered} of {planned} stretches as long as the campaign lie inside the data; "
        "levels are their mean.", start=_edge(facts, period, 0, reader), end=_edge(facts, period, 1, reader),
        covered=stretch.n_blocks if stretch else 0, planned=stretch.n_planned if stretch else 0)


def metric_rule(metric: Metric, reader: Reader) -> str:
    """How a metric is counted, over which time, and which way is better."""
    say = reader.say
    if metric.ratio:
        return say("sum of {top} divided by sum of {bottom}", top=reader.label(metric.ratio[0]),
                   bottom=reader.label(metric.ratio[1]))
    table = {"events": say("events"), "orders": say("orders"), "users": say("registrations")}[metric.table]
    where = say(" where {conditions}", conditions=say(", ").join(
        say("{column} is {values}", column=reader.label(c), values=say(" or ").join(reader.label(v) for v in values))
        for c, values in metric.where.items())) if metric.where else ""
    column = metric.sum.split(".")[-1]
    column = say("amount") if column == "amount" and column not in reader.labels else reader.label(column)
    counted = {
        "count": say("number of {table}{where}, per user", table=table, where=where),
        "any": say("share of users with at least one of the {table}{where}", table=table, where=where),
        "sum": say("sum of {column} over {table}{where}, per user", column=column, table=table, where=where),
    }[metric.kind]
    when = ""
    if metric.window:
        when = say("; within {window} of a user's assignment, bound included",
                   window=reader.duration(metric.window.total_seconds()))
    if metric.over != "period":
        when = (say("; over the whole time after the campaign") if metric.over == "after"
                else say("; over the campaign and the time after it together"))
    if metric.role == "described":  # shown, never judged
        return counted + when
    better = say("higher is better") if metric.better == "higher" else say("lower is better")
    return counted + when + say("; ") + better


def _intervals(facts: Facts, reader: Reader) -> str:
    level = reader.percent(1 - ALPHA, 0)
    if facts.campaign.arms is None:
        return reader.say("{level}: Student's t for means, Wilson for shares, delta method for ratios. They cover "
                          "chance between users only.", level=level)
    arms, effects = facts.campaign.arms, facts.campaign.effects
    values = {"level": level, "control": reader.label(arms.control)}
    if arms.cluster:
        said = [reader.say(
            "{level}: arms were drawn by {cluster}, so all metrics are compared between those (CR2, t with the degrees "
            "of freedom of Bell and McCaffrey); relative effects by Fieller. Control is {control}.",
            cluster=reader.label(arms.cluster), **values)]
    else:
        said = [reader.say(
            "{level}: means by Welch, shares by Miettinen and Nurminen's score, ratios by the delta method; relative "
            "effects by Fieller or the score ratio, so that they agree with p. Control is {control}.", **values)]
        if effects.adjust == "before" and is_before_covered(facts):
            said.append(reader.say("Means and ratios are adjusted by the same users' time before (least squares, "
                                   "CUPED)."))
    correction = {"holm": "Holm", "benjamini_hochberg": "Benjamini-Hochberg"}[effects.correction]
    said.append(reader.say("Secondary metrics of a family are corrected together ({correction}), their intervals with "
                           "them.", correction=correction))
    return reader.prose(said)


STARTS = {"first_time": "a user's clock starts with the first {start} in history, if it matches",
          "first_matching": "a user's clock starts with the first {start} that matches",
          "recurring": "every period with a {start} starts a clock, so that a user may be in several cohorts"}
FLAVOURS = {"on_or_after": "came back in a period or later", "on": "came back in that very period",
            "streak": "came back in every period so far", "previous": "came back, of those of the period before"}


def _retention(facts: Facts, reader: Reader) -> str:
    asked, say = facts.campaign.retention, reader.say
    period = asked.cohorts or facts.campaign.period
    every, zone = say(asked.every + "s"), facts.campaign.time_zone
    lengths = say(", ").join(str(length) for length in asked.brackets)
    said = [
        say(STARTS[asked.who], start=reader.label(asked.start.event) if asked.start.event else say("event")),
        say("starts from {start} to {end}", start=_edge(facts, period, 0, reader), end=_edge(facts, period, 1, reader)),
        say("coming back is {returning}", returning=(
            reader.label(asked.returning.event) if asked.returning.event else say("any event"))),
        say("periods are calendar {every} in {zone}", every=every, zone=zone) if asked.clock == "calendar" else
        say("periods are {n} times 24 hours from the user's own start", n=DAYS[asked.every]),
        *([say("brackets of {lengths} {every}", lengths=lengths, every=every)] if asked.brackets else []),
        *([say("at least {n} times in a period", n=asked.min_occurrences)] if asked.min_occurrences > 1 else []),
        say("shown: {flavours}", flavours=say(", ").join(say(FLAVOURS[flavour]) for flavour in asked.flavours)),
        say("a cell has a rate only when its period is over for the whole cohort and no day of it lacks data"),
        say("averages pool users of such cohorts") if asked.average == "pooled" else
        say("averages are simple means over such cohorts"),
        *([say("split by the value of {by} at the start", by=reader.label(asked.by))] if asked.by else [])]
    return say("; ").join(said) + say(".")


def _activity(facts: Facts, reader: Reader) -> str:
    asked, say = facts.campaign.activity, reader.say
    said = [
        say("active is who has {event}", event=(
            reader.label(asked.event.event) if asked.event.event else say("any event"))),
        say("periods are calendar {every} in {zone}", every=say(asked.every + "s"), zone=facts.campaign.time_zone),
        say("gone is counted in the first period without activity"),
        say("windows of 1, 7 and 30 days end with the day; one that reaches before the data is not shown"),
        *([say("days since the last order are counted from the campaign's last day, or the data's if they end before; "
               "orders of one day are one purchase")] if facts.tables.orders is not None else [])]
    return say("; ").join(said) + say(".")
