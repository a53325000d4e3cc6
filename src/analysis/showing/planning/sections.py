"""A section of a plan: its sentences, figures and tables together."""

from __future__ import annotations

from analysis.facts.past import Past
from analysis.results.planning.answers import Answers
from analysis.results.planning.lengths import planned_days
from analysis.showing import figures
from analysis.showing.picture import show
from analysis.showing.planning import tables, words
from analysis.showing.reader import Reader
from analysis.showing.stack import Stack
from analysis.showing.table import Html, definitions, paragraphs
from analysis.showing.tables import checks as table_of_checks
from analysis.showing.words import trust as trust_line


def glance(past: Past, found: Answers, reader: Reader) -> Html:
    """A line for each other question: may the past be trusted, who can be in it, how long, who is held out."""
    first = found.needs[0] if found.needs else None
    lines = {
        reader.say("Trust checks"): trust_line(found.checks, reader),
        reader.say("Users"): words.users(past, first, found.n_active, reader) if first else "",
        reader.say("Days needed"): words.enough_days(first, reader) if first else "",
        reader.say("Hold-out"): words.held_out(found.holdouts, reader),
        reader.say("Goals"): words.goals(found.smart, found.tensions, reader),
    }
    return definitions([(term, line) for term, line in lines.items() if line], "glance")


def trust(past: Past, found: Answers, reader: Reader) -> Stack:
    """Every check of the past, and who counts."""
    return Stack([table_of_checks(found.checks, reader), paragraphs(words.past_told(past, reader))])


def goals(past: Past, found: Answers, reader: Reader) -> Stack:
    """The five questions asked of each goal, how often its target is reached by itself, and pairs that pull apart."""
    if not found.smart:
        return _nothing(reader.say("The params state no goals."))
    clashes = [words.tension(row, reader) for row in found.tensions if row.pulls]
    said = [text for row in found.smart for text in (
        words.attention(row, reader), words.achievable(row, planned_days(past), reader)) if text]
    return Stack([tables.smart(found.smart, reader), paragraphs(said),
                  *([paragraphs(clashes, "note")] if clashes else []),
                  *([tables.tensions(found.tensions, reader)] if found.tensions else [])])


def reach(past: Past, found: Answers, reader: Reader) -> Stack:
    """What is seen at the planned length, and the primary metric by days."""
    if not found.needs:
        return _nothing(reader.say("The past is too short to measure anything."))
    metric = found.verdict.metric
    own = [row for row in found.reaches if row.metric == metric]
    told = [words.course([row for row in own if row.arm == arm], reader) for arm in dict.fromkeys(r.arm for r in own)]
    chart = show(figures.plot_reach(own, reader, planned=planned_days(past)), reader.prose(told))
    return Stack([tables.needs(found.needs, reader), chart, tables.reaches(found.reaches, metric, reader)])


def holdouts(found: Answers, reader: Reader) -> Stack:
    """The smallest effect that shows, against the share held out and what that costs."""
    if not found.holdouts:
        return _nothing(reader.say("Shares of several arms are what the params say; no other hold-out is looked at."))
    return Stack([show(figures.plot_holdouts(found.holdouts, reader), words.trade_off(found.holdouts, reader)),
                  tables.holdouts(found.holdouts, reader)])


def limits(past: Past, found: Answers, reader: Reader) -> Html:
    """What this plan cannot know."""
    return paragraphs(words.limits(past, found.needs, found.reaches, reader))


def _nothing(sentence: str) -> Stack:
    return Stack([paragraphs([sentence])])
