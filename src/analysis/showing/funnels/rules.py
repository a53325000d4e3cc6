"""The rules of one funnel in words, filled from what was really used."""

from __future__ import annotations

from collections.abc import Iterator

from analysis.facts.population import Facts
from analysis.params.counting import Exclusion, Funnel, Match
from analysis.results.paths import Counted
from analysis.showing.reader import Reader

OCCURRENCES = {"first_ever": "only the first {event} of all counts as {step}",
               "first_matching": "only the first {event} that fits counts as {step}"}
ATTRIBUTIONS = {"entry": "breakdowns by the last value known at entry",
                "first_touch": "breakdowns by the first value known",
                "last_touch": "breakdowns by the last value known",
                "all_steps": "breakdowns by the value held through the attempt: a unit may count in several"}
SEQUENCES = {"ordered": "steps in order, other events may lie between",
             "strict": "each step is the unit's next event; a repeat of the step it stands at does no harm",
             "unordered": "step k is any k of the steps, in whatever order", "any": "steps 1 to k in whatever order"}


def rules(facts: Facts, asked: Funnel, counted: Counted | None, reader: Reader) -> str:
    """One sentence of all rules; options that were not used are not named."""
    return reader.say("; ").join([
        *_units(asked, counted, reader), *_order(asked, reader), *_exclusions(asked, counted, reader),
        *_range(facts, asked, reader), *_rates(facts, asked, reader)])


def _units(asked: Funnel, counted: Counted | None, reader: Reader) -> Iterator[str]:
    say = reader.say
    yield say("unit: {unit}", unit=say("users") if asked.unit == "user" else reader.label(asked.unit))
    if counted and counted.n_rows_without_unit:
        yield say("rows of steps without it, left out: {n}", n=reader.count(counted.n_rows_without_unit))
    yield say("no window") if asked.window is None else say(
        "{window} from step 1, bound included", window=reader.duration(asked.window.total_seconds()))
    if asked.count == "entries":
        yield say("every entry counts; a unit enters again once it has converted or its window is over")
    elif asked.entry == "any":
        yield say("the best of a user's entries counts") if asked.unit == "user" else say(
            "the best of a unit's entries counts")
    else:
        yield say("only the first entry counts")


def _order(asked: Funnel, reader: Reader) -> Iterator[str]:
    say = reader.say
    yield say(SEQUENCES[asked.order])
    if asked.order in ("ordered", "strict"):
        yield (say("at the same time, in the order of the steps") if asked.ties == "step_order"
               else say("a step at the same time as the one before does not count"))
    if asked.grace:
        yield say("a step may be recorded up to {grace} before the one before it",
                  grace=reader.duration(asked.grace.total_seconds()))
    if asked.reuse:
        yield say("one event may be two steps")
    if asked.optional:
        yield say("may be left out: {steps}", steps=say(", ").join(
            reader.label(asked.steps[i - 1].title) for i in asked.optional))
    if asked.constant:
        yield say("{column} stays the same through an attempt", column=reader.label(asked.constant))
    for step in asked.steps:
        if step.occurrence != "every":
            yield say(OCCURRENCES[step.occurrence], event=reader.label(step.event or step.title),
                      step=reader.label(step.title))


def _exclusions(asked: Funnel, counted: Counted | None, reader: Reader) -> Iterator[str]:
    say = reader.say
    for exclusion in asked.exclusions:
        yield say("without {event} between {after} and {before}", event=_named(exclusion, reader),
                  after=reader.label(asked.steps[exclusion.after - 1].title),
                  before=reader.label(asked.steps[(exclusion.before or len(asked.steps)) - 1].title))
    if asked.exclusions:
        yield (say("it ends the attempt, a clean one counts") if asked.excluded == "break_attempt"
               else say("it removes the unit whose best attempt it ended"))
        if counted:
            yield say("taken out by this: {entries} of the entries, {conversions} of the conversions",
                      entries=reader.count(counted.n_excluded_entries),
                      conversions=reader.count(counted.n_excluded_conversions))
    if asked.where:
        yield say("only rows{where}", where=_where(asked.where, reader))


def _range(facts: Facts, asked: Funnel, reader: Reader) -> Iterator[str]:
    period = asked.period or facts.campaign.period
    start, end = (reader.moment(at) for at in period.interval(facts.campaign.time_zone))
    if asked.ranges == "events":
        yield reader.say("only events from {start} to {end} count", start=start, end=end)
    else:
        yield reader.say("entries from {start} to {end}, followed to the end of the data", start=start, end=end)


def _rates(facts: Facts, asked: Funnel, reader: Reader) -> Iterator[str]:
    if asked.window is not None:
        yield reader.say("rates on entries whose window is over when the data end ({end})",
                         end=reader.moment(facts.tables.data_until))
    if asked.by:
        step = asked.attribution.removeprefix("step ")
        yield (reader.say("breakdowns by the value at {step}", step=reader.label(asked.steps[int(step) - 1].title))
               if step != asked.attribution else reader.say(ATTRIBUTIONS[asked.attribution]))


def _named(match: Exclusion | Match, reader: Reader) -> str:
    name = reader.label(match.event) if match.event else reader.say("any event")
    return name + (_where(match.where, reader) if match.where else "")


def _where(where: dict[str, list[str]], reader: Reader) -> str:
    say = reader.say
    return say(" where {conditions}", conditions=say(", ").join(
        say("{column} is {values}", column=reader.label(c), values=say(" or ").join(reader.label(v) for v in values))
        for c, values in where.items()))
