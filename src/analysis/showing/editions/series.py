"""A series of editions: the answer, its sections and what it follows."""

from __future__ import annotations

import math
from collections.abc import Sequence

from analysis.results.editions.course import Course, Edition, Point
from analysis.showing import figures
from analysis.showing.editions import words
from analysis.showing.phrases import ANSWERS
from analysis.showing.picture import show
from analysis.showing.reader import MISSING, Reader
from analysis.showing.stack import Stack
from analysis.showing.table import Cell, Column, Html, Table, definitions, interval_cell, paragraphs
from analysis.showing.tables import STATES

WHY = {
    **words.ASPECTS, **words.REASONS, "only_now": "these editions do not have it",
    "no_longer": "the last edition does not have it", "not_covered": "the data do not cover the whole period",
    "no_number": "no number is known", "length": "their periods have another length, and a share does not grow evenly "
                                                 "with it",
}


def verdict(found: Course, reader: Reader) -> Html:
    """The answer that the report opens with: what can be told of the series, and what cannot."""
    answer, say = found.answer, reader.say
    first, last = found.editions[0], found.editions[-1]
    said = [say("{n} editions side by side", n=reader.count(answer.n_editions)), say(
        "From {first} to {last}. {metric} is known and means the same in {alike} of them.",
        first=words.day(first.start, reader), last=words.day(last.start, reader), metric=reader.title(answer.metric),
        alike=reader.count(answer.n_alike)) if answer.metric else say("No edition has numbers that can be compared.")]
    said.append(
        say("No edition had a control group drawn by chance: nothing here says what any of them caused, and a higher "
            "number is not an uplift.") if not answer.n_with_control else
        say("{n} of them had a control group drawn by chance; only their effects say what the campaign caused.",
            n=reader.count(answer.n_with_control)))
    return paragraphs(said, "verdict compared")


def glance(found: Course, reader: Reader) -> Html:
    """A line for each other question of a reviewer."""
    say, listed = reader.say, found.editions
    asked, met, missed = (sum(getattr(e, key) for e in listed) for key in ("n_goals", "n_met", "n_missed"))
    trusted = sum(edition.trust != "fail" for edition in listed)
    names = {(row.kind, row.name, row.group) for row in found.apart}
    lines = {
        say("Goals"): say("{met} of {n} goals met, {missed} missed, {unknown} not known.", met=reader.count(met),
                          n=reader.count(asked), missed=reader.count(missed),
                          unknown=reader.count(asked - met - missed)) if asked else "",
        say("Trust checks"): say("No check failed in {n} of {all} editions.", n=reader.count(trusted),
                                 all=reader.count(len(listed))),
        say("Not compared"): say("{n} numbers do not mean the same, or are not known, in some edition; they are "
                                 "listed below.", n=reader.count(len(names))) if names else ""}
    return definitions([(term, line) for term, line in lines.items() if line], "glance")


def editions(found: Course, reader: Reader) -> Table:
    """One row per edition: when it was, what came out, what it cost."""
    say = reader.say
    columns = [Column("edition", say("Edition")), Column("start", say("Begins")), Column("end", say("Ends")),
               Column("verdict", say("Verdict")), Column("trust", say("Trust checks")),
               Column("goals", say("Goals met")), Column("cost", say("Cost"), True)]
    return Table("editions", say("The editions, oldest first"), columns,
                 [_edition(edition, reader) for edition in found.editions])


def _edition(edition: Edition, reader: Reader) -> list[Cell]:
    own = Reader(reader.language, edition.currency)
    return [Cell(edition.edition, edition.edition), Cell(edition.start, words.day(edition.start, reader)),
            Cell(edition.end, words.day(edition.end, reader)),
            Cell(edition.answer, reader.say(ANSWERS[edition.answer])),
            Cell(edition.trust, reader.say(STATES[edition.trust]), edition.trust),
            Cell(edition.n_met, reader.say("{n} of {all}", n=edition.n_met, all=edition.n_goals)
                 if edition.n_goals else MISSING),
            Cell(edition.cost, own.money(edition.cost) if not math.isnan(edition.cost) else MISSING)]


def _level(point: Point | None, reader: Reader) -> list[Cell]:
    if point is None:
        return [Cell(None, MISSING), Cell(None, MISSING)]
    return [Cell(point.value, reader.amount(point.value, point.unit)),
            interval_cell(point.lower, point.upper, lambda x: reader.amount(x, point.unit), reader)]


def primary(found: Course, reader: Reader) -> Stack:
    """The primary metric over the editions, by group: a chart, and its numbers."""
    drawn = _chart(found, "level", found.answer.metric, reader.say(
        "{metric} by edition, with 95% intervals. Editions fall into other seasons and reach other users: a difference "
        "between them is no effect.", metric=reader.title(found.answer.metric)), reader)
    own = found.of("level", found.answer.metric)
    return Stack([*drawn, _levels(found, own, reader)]) if own else drawn


def _levels(found: Course, own: Sequence[Point], reader: Reader) -> Table:
    """One row per edition that has the primary metric as the last one defines it, with a value for each group."""
    say = reader.say
    groups = list(dict.fromkeys(point.group for point in own))
    columns = [Column("edition", say("Edition"))]
    for group in groups:
        columns += [Column(f"level {group}".strip(), reader.group(group), True),
                    Column(f"interval {group}".strip(), say("95% interval"), True)]
    at = {(point.start, point.edition, point.group): point for point in own}
    places = [place for edition in found.editions if (place := (edition.start, edition.edition)) in {
        (point.start, point.edition) for point in own}]
    rows = [[Cell(name, name), *(cell for group in groups for cell in _level(at.get((start, name, group)), reader))]
            for start, name in places]
    caption = say("{metric} by edition", metric=reader.title(found.answer.metric))
    if any(point.is_per_day for point in own):
        caption = say("{name}, per day", name=caption)
    return Table("primary_metric", caption, columns, rows)


def effects(found: Course, reader: Reader) -> Stack:
    """The effects of the editions that had a control group, metric by metric."""
    shown: list = []
    for name in dict.fromkeys(point.name for point in found.points if point.kind == "effect"):
        shown += _chart(found, "effect", name, reader.say(
            "Effect on {metric} by edition: the campaign against its control group. Where the line crosses zero the "
            "direction is open.", metric=reader.label(name)), reader)
    return Stack(shown or [paragraphs([reader.say("No edition had a control group.")])])


def _chart(found: Course, kind: str, name: str, caption: str, reader: Reader) -> Stack:
    own = found.of(kind, name)
    if not own:
        return Stack([paragraphs([reader.say("No edition has a number that can be compared.")])])
    return Stack([show(figures.plot_editions(own, [edition.edition for edition in found.editions], reader), caption)])


def funnels(found: Course, reader: Reader) -> Stack:
    """One table per funnel: editions in rows, the rate of each step in columns."""
    say = reader.say
    names = dict.fromkeys(point.name for point in found.points if point.kind == "funnel")
    shown = []
    for i, name in enumerate(names):
        own = found.of("funnel", name)
        steps = list(dict.fromkeys(point.group for point in own))
        columns = [Column("edition", say("Edition")), Column("n", say("Entries"), True)]
        for step in steps:
            columns += [Column(step, reader.title(step), True), Column(f"{step} interval", say("95% interval"), True)]
        rows = []
        for key in dict.fromkeys((point.start, point.edition) for point in own):
            at = {point.group: point for point in own if (point.start, point.edition) == key}
            rows.append([Cell(key[1], key[1]), Cell(_entries(at), reader.count(_entries(at))),
                         *(cell for step in steps for cell in _level(at.get(step), reader))])
        shown.append(Table(f"editions_funnel_{i + 1}", say(
            "{funnel}: share of those who entered that got so far", funnel=reader.title(name)), columns, rows))
    return Stack(shown or [paragraphs([say("The editions have no funnel.")])])


def _entries(at: dict[str, Point]) -> int:
    """Entries of a funnel: the same at every step."""
    return next(iter(at.values())).n


def apart(found: Course, reader: Reader) -> Stack:
    """What is not compared: one row per number and reason."""
    say = reader.say
    if not found.apart:
        return Stack([paragraphs([say("Every number means the same in all editions.")])])
    columns = [Column("number", say("Number")), Column("why", say("Why")), Column("editions", say("Editions"))]
    return Stack([Table("not_compared", say("Not compared, and why"), columns, [
        [Cell(f"{row.kind} {row.name} {row.group}".strip(), words.name_of(row, reader)),
         Cell(row.reason, say(WHY[row.reason])), Cell(" ".join(row.editions), say(", ").join(row.editions))]
        for row in found.apart])])


def limits(found: Course, reader: Reader) -> Html:
    """What this report cannot say."""
    say = reader.say
    said = [say("Editions differ in season, prices, what was offered and whom it reached. The numbers lie side by "
                "side; why they differ they do not say."),
            say("The same users may be in several editions, so their numbers are not independent of each other."),
            say("With {n} editions some stand out by chance alone.", n=reader.count(len(found.editions)))]
    if not found.answer.n_with_control:
        said.insert(0, say("Without control groups there is no effect to compare: groups that were chosen differ "
                           "already before."))
    failed = [edition.edition for edition in found.editions if edition.reason == "not_trusted"]
    if failed:
        said.append(say("Of these editions nothing is compared, as a trust check failed: {editions}.",
                        editions=say(", ").join(failed)))
    old = [edition.edition for edition in found.editions if edition.reason and edition.edition not in failed]
    if old:
        said.append(say("Of these editions nothing is compared, as another version of this program wrote their "
                        "results; run them again: {editions}.", editions=say(", ").join(old)))
    return paragraphs(said)


def rules(found: Course, reader: Reader) -> Html:
    """What is compared, and how."""
    say = reader.say
    per_day = any(point.is_per_day for point in found.points)
    return definitions([
        (say("Edition"), say("A campaign whose params name the series; they stand in the order in which they begin. "
                             "Its numbers are those of its own report, not counted anew.")),
        (say("Defined alike"), say("What is counted, over which time, in which unit, of which users, by which steps, "
                                   "rules and method, as the params of the last edition say. A number that differs in "
                                   "one of them is not shown.")),
        *([(say("Per day"), say("Sums and counts, and effects on them, are divided by the days of the edition, as the "
                                "editions differ in length. Shares cannot be, and are shown for one length alone."))]
          if per_day else []),
        (say("Interval"), say("Holds the true value in 95 of 100 cases as far as chance between users goes. It knows "
                              "nothing of the season."))])
