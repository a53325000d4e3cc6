"""The rules that a plan follows, filled from what was really used."""

from __future__ import annotations

from collections.abc import Sequence

from analysis.facts.past import Past
from analysis.results.planning.answers import Answers
from analysis.results.planning.needs import Need
from analysis.results.planning.reach import Reach, n_compared
from analysis.results.planning.smart import FEWEST, USUAL
from analysis.results.planning.stretches import MOST
from analysis.showing.definitions import metric_rule
from analysis.showing.planning import words
from analysis.showing.reader import Reader
from analysis.showing.table import Html, definitions
from analysis.stats.comparison import ALPHA


def rules(past: Past, found: Answers, reader: Reader) -> Html:
    """The definitions box."""
    campaign, say, needed, rows = past.campaign, reader.say, found.needs, found.reaches
    tested = dict.fromkeys(row.metric for row in rows)
    said = [
        (say("Time"), _time(past, reader)),
        (say("Users"), say("Users known before the campaign begins, and of these the values over the last days before "
                           "it, of those who were known at the start of these days.") if past.is_listed else say(
            "Users with an event or order in the last days before the campaign; as many are expected in as many days "
            "of it.")),
        *((say("Metric: {name}", name=reader.label(name)), metric_rule(campaign.metrics[name], reader))
          for name in tested),
        (say("Smallest visible"), _smallest(needed, reader)),
        (say("Level of a test"), _level(past, rows, reader)),
        (say("Time before"), say(
            "What the same users did before is taken off means and ratios by regression (CUPED). How much that helps "
            "was measured in the past: so many days, and the time as long before them as the baseline lies before the "
            "campaign.")),
    ]
    if campaign.arms and campaign.arms.cluster:
        said.append((say("Clusters"), _clusters(past, needed, reader)))
    if campaign.goals:
        said.append((say("Goals"), say(
            "Up to {n} past stretches as long as the campaign are compared with the stretches before them. A target "
            "that more than {usual} of them reached comes about without a campaign; with fewer than {fewest} nothing "
            "is said.", n=MOST, usual=reader.percent(USUAL, 0), fewest=FEWEST)))
    return definitions(said)


def _time(past: Past, reader: Reader) -> str:
    tables = past.tables
    return reader.say("Measured from {first} to {last} ({zone}), before the campaign.",
                      first=reader.moment(tables.data_from), last=reader.moment(tables.data_until),
                      zone=past.campaign.time_zone)


def _smallest(needed: Sequence[Need], reader: Reader) -> str:
    asked = reader.percent(needed[0].power_wished, 0) if needed else "–"
    return reader.say(
        "The effect that comes out as better with a chance of {asked}, by the method that the review will use. "
        "Treatment is taken to spread more as it grows. Of a guardrail it is the smallest margin that is shown to hold "
        "with that chance when nothing happens to it.", asked=asked)


def _level(past: Past, rows: Sequence[Reach], reader: Reader) -> str:
    say, level = reader.say, reader.percent(ALPHA, 0)
    n = {row.metric: n_compared(past, row.metric) for row in rows}
    parts = [say("{metric} {n}", metric=reader.label(name), n=own) for name, own in n.items() if own > 1]
    said = [say("{level}, two-sided; of metrics or arms that are judged together each gets its share ({parts}), as in "
                "the first step of Holm.", level=level, parts=say(", ").join(parts)) if parts else
            say("{level}, two-sided.", level=level)]
    if past.campaign.effects.looks:
        said.append(say("Looking before the end costs some of it; that is taken off."))
    return reader.prose(said)


def _clusters(past: Past, needed: Sequence[Need], reader: Reader) -> str:
    known = [row for row in needed if row.n_clusters]
    parts = [reader.say("{metric} {icc} ({n} clusters)", metric=reader.label(row.metric), icc=reader.number(row.icc, 3),
                        n=reader.count(row.n_clusters)) for row in known]
    return reader.say("Arms are drawn by {cluster}. How alike users of one are (intra-class correlation), as measured: "
                      "{parts}.", cluster=reader.label(past.campaign.arms.cluster),
                      parts=reader.say(", ").join(parts) or words.why("too_few_clusters", reader))
