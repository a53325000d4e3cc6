"""A section of the report: its sentence, figure and table together, or one line when there is nothing to show."""

from __future__ import annotations

from collections.abc import Sequence

from analysis.facts.population import Facts
from analysis.results.balance import Balance
from analysis.results.gap import Gap, Season
from analysis.results.goals import Conflict, Goal
from analysis.results.money import Cost
from analysis.results.phases import Daily, Phase
from analysis.results.trust import Check
from analysis.results.verdict import Verdict
from analysis.showing import activity as activity_shown
from analysis.showing import figures, tables, words
from analysis.showing import glance as glance_shown
from analysis.showing import retention as retention_shown
from analysis.showing.effects import section as effects_section
from analysis.showing.effects import tables as effects_tables
from analysis.showing.funnels import section as funnel_section
from analysis.showing.picture import show
from analysis.showing.reader import Reader
from analysis.showing.stack import Stack
from analysis.showing.table import Html, paragraphs

activity, funnels, retention = activity_shown.section, funnel_section.funnels, retention_shown.section
effects, sureness = effects_section.effects, effects_section.sureness
glance = glance_shown.glance
segments, lasting, quantiles = effects_section.segments, effects_section.lasting, effects_section.quantiles


def goals(rows: Sequence[Goal], conflicts: Sequence[Conflict], answer: Verdict, reader: Reader) -> Stack:
    """The goals with their verdicts, and which goal decides where two pull apart.

    Data that failed the checks meet no goal: their verdicts are marked.
    """
    if not rows:
        return _nothing(reader.say("The params state no goals."))
    clashes = [words.conflict(row, reader) for row in conflicts]
    table = tables.goals(rows, reader, is_void=answer.answer == "do_not_trust")
    return Stack([table, *([paragraphs(clashes, "note")] if clashes else [])])


def goal_chart(rows: Sequence[Goal], reader: Reader) -> Stack:
    if not rows:
        return _nothing(reader.say("The params state no goals."))
    return Stack([show(figures.plot_goals(list(rows), reader), words.goals(rows, reader))])


def cautions(
    facts: Facts, seasons: Sequence[Season], goals: Sequence[Goal], gap: Gap | None, reader: Reader,
) -> Stack:
    """What verdict and goals must not be read without."""
    shown: list[Html] = []
    if facts.campaign.no_control_group:
        reason = facts.campaign.text(facts.campaign.no_control_group, reader.language)
        shown.append(words.no_effect_claimed(gap, reason, reader))
    if any(not row.reason for row in seasons):
        shown.append(words.seasons(seasons, goals, reader))
    return Stack(shown)


def trust(facts: Facts, checks: Sequence[Check], balance: Sequence[Balance], reader: Reader) -> Stack:
    """Every check, who counts, how alike the arms were, and what became of every row."""
    return Stack([tables.checks(checks, reader), paragraphs([words.population(facts, reader)]),
                  tables.groups(facts, reader), *([effects_tables.balance(balance, reader)] if balance else []),
                  tables.rows_read(facts, reader)])


def phases(rows: Sequence[Phase], days: Sequence[Daily], metric: str, reader: Reader) -> Stack:
    """The primary metric by phase and by day, every metric in the table."""
    if all(row.phase == "during" for row in rows):
        return _nothing(reader.say("The params name no time before or after."))
    own = [row for row in rows if row.metric == metric]
    shown = [show(figures.plot_phases(own, reader), words.phases(own, metric, reader))] if own else []
    if days:
        shown.append(show(figures.plot_daily(list(days), reader), words.daily(metric, reader)))
    return Stack([*shown, tables.phases(rows, reader)])


def money(rows: Sequence[Cost], reader: Reader) -> Stack:
    """Cost by item and in all."""
    if len(rows) < 2:
        return _nothing(reader.say("The params state no costs."))
    return Stack([show(figures.plot_costs(list(rows), reader), words.costs(rows, reader)), tables.costs(rows, reader)])


def limits(facts: Facts, reader: Reader) -> Html:
    """What this report cannot say."""
    return paragraphs(words.limits(facts, reader))


def _nothing(sentence: str) -> Stack:
    return Stack([paragraphs([sentence])])
