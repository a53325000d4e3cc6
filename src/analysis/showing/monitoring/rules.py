"""The rules that monitoring follows, filled from what was really used."""

from __future__ import annotations

from analysis.facts.population import Facts
from analysis.results.running.breaks import EVERYBODY_IN
from analysis.results.running.decision import FALSE_ALARMS, Decision
from analysis.results.running.looking import ENOUGH, method, planned_looks
from analysis.results.trust import ALPHA as GATE
from analysis.showing import words
from analysis.showing.definitions import metric_rule
from analysis.showing.monitoring.when import When
from analysis.showing.reader import Reader
from analysis.showing.table import Html, definitions
from analysis.stats.breaks import KNOWN, LASTING, SMALLEST
from analysis.stats.comparison import ALPHA


def rules(facts: Facts, answer: Decision, when: When, reader: Reader) -> Html:
    """The definitions box."""
    campaign, say = facts.campaign, reader.say
    said = [
        (say("Time"), say(
            "{first} to {last} ({zone}). A look is at the end of a day of the campaign, with all rows up to then; "
            "later rows are not used anywhere." if answer.every == "day" else
            "{first} to {last} ({zone}). As the campaign is short, a look is at the end of each of its hours, with all "
            "rows up to then; later rows are not used anywhere.",
            first=reader.moment(when.ticks[0].begins), last=reader.moment(when.ticks[-1].ends),
            zone=campaign.time_zone)),
        (say("Users"), words.population(facts, reader)),
        *((say("Metric: {name}", name=reader.label(name)), metric_rule(metric, reader))
          for name, metric in campaign.metrics.items() if metric.role != "described"),
        (say("So far"), say(
            "A metric counts from each user's entry to the look, zero for who did nothing; users who have not entered "
            "do not count yet. Arms are compared as in the review, with what users did before taken off.")),
        (say("Looking early"), _looking(facts, when, reader)),
        (say("Split"), say(
            "Users of each arm so far against the planned shares, by a test that may be looked at every day; it fails "
            "below {gate}.", gate=f"{GATE:g}")),
        (say("Data"), _arriving(answer, reader)),
        (say("Sudden breaks"), _breaks(answer, reader)),
        (say("Decision"), say(
            "Broken: a failed trust check or split, no or too few rows at the last look, a break at the last look, a "
            "guardrail surely beyond its limit. Stop: the primary metric is decided in every arm; where it is better, "
            "every guardrail that can be watched must be shown to hold. Else go on, until the period is over.")),
    ]
    return definitions(said)


def _looking(facts: Facts, when: When, reader: Reader) -> str:
    say, level, way = reader.say, reader.percent(1 - ALPHA, 0), method(facts)
    if way == "always_valid":
        asked = facts.campaign.effects.looks
        at = say("{n} of them", n=reader.count(asked.tightest_at)) if asked and asked.tightest_at else say(
            "the end of the period")
        return say(
            "The interval holds with {level} at all looks together, however often one looks: a confidence sequence by "
            "a normal mixture on a clock of days that users were followed, narrowest at {at}. Nothing is claimed while "
            "an arm has fewer than {n} users that count: as many users of equal value as would make its total vary as "
            "it does.", level=level, at=at, n=ENOUGH)
    days = say(", ").join(when.at(number) for number in planned_looks(facts))
    if way == "at_end":
        return say("Arms were drawn by cluster, and clusters are too few to look at any time: nothing is claimed "
                   "before the end. `effects.looks` can plan some looks.")
    return say("Looks were planned: {days}. The chance of a false claim is spent on them little by little ({way}); "
               "the days in between carry no claim.", days=days,
               way={"obrien_fleming": "O'Brien-Fleming", "pocock": "Pocock"}[way])


def _arriving(answer: Decision, reader: Reader) -> str:
    if answer.every == "hour":
        return reader.say("An hour is missing when it has no row although the same hour had some on each of the days "
                          "before, and more than chance can take away.")
    return reader.say("Rows of each day against the days before, by level and day of the week, as for sudden breaks. "
                      "The first {n} days of the campaign are held against the days before it, and only for being "
                      "lower.", n=KNOWN)


def _breaks(answer: Decision, reader: Reader) -> str:
    said = [reader.say(
        "A day is held against the days before it: level of the campaign so far and day of the week, fitted on "
        "logarithms, with the spread that those days had. Outside the range, and off by more than {least}, it is a "
        "break; on a quiet day that happens by chance with {chance} for all metrics together. Breaks are left out of "
        "what later days are held against, until {n} in a row are the new level.",
        least=reader.percent(SMALLEST, 0), chance=reader.percent(FALSE_ALARMS), n=LASTING)]
    if answer.every == "hour":
        said.append(reader.say("By the hour only arms are held against each other, as the hours of such a day have a "
                               "shape of their own."))
    else:
        said.append(reader.say(
            "A level is known after {n} days of the campaign; that of everybody is judged where at least {share} of "
            "the users were there after the first day.", n=KNOWN, share=reader.percent(EVERYBODY_IN, 0)))
    return reader.prose(said)
