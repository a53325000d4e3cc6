"""A section of the report on many experiments: its sentences, figures and tables together."""

from __future__ import annotations

from collections.abc import Sequence

from analysis.data.summaries import Summaries
from analysis.results.experiments.checks import Compared
from analysis.results.experiments.effects import Effect
from analysis.results.experiments.splits import ArmSplit
from analysis.results.experiments.tallies import Course, Tally
from analysis.results.trust import Check
from analysis.showing import figures
from analysis.showing.experiments import tables, words
from analysis.showing.picture import show
from analysis.showing.reader import Reader
from analysis.showing.stack import Stack
from analysis.showing.table import Html, definitions, paragraphs


def glance(answer: Compared, counts: Sequence[Tally], reader: Reader) -> Html:
    """A line for each other question of a reviewer."""
    own = words.tally(counts, answer.metric)
    return definitions([
        (reader.say("Splits"), words.splits(answer, reader)), (reader.say("Effects"), words.sizes(own, reader)),
        *([(reader.say("Looking early"), words.looking(own, reader))] if answer.most_looks > 1 else [])], "glance")


def trust(
    summaries: Summaries, answer: Compared, checks: Sequence[Check], splits: Sequence[ArmSplit], reader: Reader,
) -> Stack:
    """What the checks found, the p of all splits, and the splits that are noted."""
    return Stack([tables.checks(checks, reader), paragraphs([words.rows_read(summaries, reader)]),
                  show(figures.plot_split_pvalues(splits, reader), words.split_chart(answer, reader)),
                  tables.splits(splits, reader)])


def effects(found: Sequence[Effect], counts: Sequence[Tally], reader: Reader) -> Stack:
    """A forest for each metric, the counts, the effects one by one."""
    shown = []
    for i, metric in enumerate(dict.fromkeys(effect.metric for effect in found)):
        own = [effect for effect in found if effect.metric == metric]
        n_barred = sum(not effect.is_trusted for effect in own)
        told = words.forest(words.tally(counts, metric), n_barred, i == 0, reader)
        shown.append(show(figures.plot_experiments(own, reader), told))
    return Stack([tables.claims(counts, reader), *shown, tables.effects(found, reader)])


def peeking(courses: Sequence[Course], counts: Sequence[Tally], metric: str, reader: Reader) -> Stack:
    """The course of one metric, every metric in the table."""
    own = [course for course in courses if course.metric == metric]
    if not own:
        return Stack([paragraphs([reader.say("Every experiment was looked at once: there was nothing to peek at.")])])
    return Stack([show(figures.plot_peeking(own, reader), words.course(own, reader)), tables.peeking(counts, reader)])


def chance(
    found: Sequence[Effect], counts: Sequence[Tally], metric: str, correction: str, reader: Reader,
) -> Stack:
    """Effect against users of one metric, the counts of every metric before and after the correction."""
    own = [effect for effect in found if effect.metric == metric]
    told = words.chance(words.tally(counts, metric), correction, reader)
    return Stack([show(figures.plot_chance(own, reader), told), tables.chance(counts, reader)])


def limits(summaries: Summaries, found: Sequence[Effect], reader: Reader) -> Html:
    """What this report cannot say."""
    return paragraphs(words.limits(summaries, found, reader))
