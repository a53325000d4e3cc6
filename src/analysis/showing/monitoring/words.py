"""What was seen of a running campaign -> sentences."""

from __future__ import annotations

import math
from collections.abc import Sequence

from babel.dates import get_day_names

from analysis.results.running.arrival import Arrival, Last
from analysis.results.running.breaks import Break
from analysis.results.running.course import LeftOut, Point
from analysis.results.running.decision import Decision, Watch, is_on
from analysis.results.running.outlook import Outlook, Unseen
from analysis.results.running.split import ArmSoFar
from analysis.showing import phrases
from analysis.showing.monitoring.when import When
from analysis.showing.reader import Reader
from analysis.showing.table import Html, paragraphs
from analysis.showing.words import guardrail, reason_text

HEADINGS = {"broken": "Something is broken", "stop": "Decided: it can stop", "go_on": "Go on",
            "over": "The period is over"}
LOOKS = {"broken": "do_not_trust", "go_on": "cannot_tell", "over": "cannot_tell"}  # CSS class of an answer
WHY = {
    "primary_better": "The primary metric is better. That holds although one looked before the end.",
    "primary_worse": "The primary metric is worse. That holds although one looked before the end.",
    "undecided": "The primary metric is not decided yet: such a difference may be chance when one looks again and "
                 "again.",
    "undecided_at_end": "Looked at on the way, the primary metric was not decided. The review, which looks once at the "
                        "whole campaign, may still tell more.",
    "too_early": "It is too early to tell: in one of the arms too few users have done anything yet.",
    "between_looks": "No planned look has come yet, and the days in between are not for claims.",
    "not_begun": "No day of the campaign is over yet.",
    "period_over": "There is nothing left to watch: the review of the whole campaign counts now (campaign run).",
}


def decision(
    answer: Decision, seen: Watch, effects: Sequence[Point], ahead: Sequence[Outlook], when: When, reader: Reader
) -> Html:
    """The box on the first screen: the answer, when it was looked at, why, and how far it is from being decided."""
    own = [point for point in effects if point.role == "primary"]
    sentences = [reader.say(HEADINGS[answer.answer]), looked_at(answer, when, reader)]
    for reason in answer.reasons:
        sentences += why(reason, seen, effects, answer, when, reader)
    if answer.answer != "broken":
        sentences += [primary(point, reader) for point in own if not math.isnan(point.value_control)]
    is_decided = bool(own) and all(point.verdict != "cannot_tell" for point in own)
    if answer.answer == "go_on" and not is_decided:
        sentences += [distance(row, answer, len(own) > 1, when, reader) for row in ahead if not row.reason]
    if answer.first_tick and answer.answer in ("go_on", "over"):
        message = ("The primary metric was decided for the first time at the look of {when}, and it is now; only the "
                   "guardrails are still open." if is_decided else
                   "It was decided for the first time at the look of {when}; what came later left it open again.")
        sentences.append(reader.say(message, when=when.at(answer.first_tick)))
    state = "does_not" if "primary_worse" in answer.reasons else LOOKS.get(answer.answer, "works")
    return paragraphs(sentences, f"verdict {state}")


def looked_at(answer: Decision, when: When, reader: Reader) -> str:
    if not answer.n_seen:
        return reader.say("The campaign begins on {day}.", day=reader.day(when.ticks[0].day))
    message = ("As of the end of {when}, day {n} of {planned}." if answer.every == "day"
               else "As of {when}, hour {n} of {planned}.")
    return reader.say(message, when=when.at(answer.n_seen), n=reader.count(answer.n_seen),
                      planned=reader.count(answer.n_planned))


def why(
    reason: str, seen: Watch, effects: Sequence[Point], answer: Decision, when: When, reader: Reader
) -> list[str]:
    """A reason of the answer, as sentences."""
    if reason in ("guardrail_broken", "guardrail_not_shown"):
        wanted = ("broken",) if reason == "guardrail_broken" else ("broken", "cannot_tell")
        return [guardrail(row, reader) for row in effects if row.role == "guardrail" and row.verdict in wanted]
    if reason in ("no_rows", "few_rows"):
        state = "none" if reason == "no_rows" else "few"
        return [arrival(row, when, reader) for row in seen.arrivals if row.tick == answer.n_seen and row.state == state]
    if reason == "break_on":
        return broken([row for row in seen.breaks if is_on(row, answer.n_seen)], when, reader)
    if answer.answer == "over" and reason == "undecided":
        reason = "undecided_at_end"
    if reason in WHY or reason in phrases.WHY:
        return [reader.say(WHY.get(reason) or phrases.WHY[reason])]
    return [reader.say("The primary metric cannot be compared: {why}.", why=reason_text(reason, reader))]


def primary(row: Point, reader: Reader) -> str:
    """The primary metric in one arm so far."""
    values = {
        "metric": reader.title(row.metric), "arm": reader.label(row.arm), "control": reader.label(row.control),
        "treatment_value": reader.amount(row.value_treatment, row.unit),
        "control_value": reader.amount(row.value_control, row.unit), "relative": reader.signed(row.rel_diff)}
    message = ("{metric} so far: {treatment_value} per user in {arm} against {control_value} in {control}, {relative}."
               if row.kind == "mean" else
               "{metric} so far: {treatment_value} in {arm} against {control_value} in {control}, {relative}.")
    said = [reader.say(message, **values)]
    if not (math.isnan(row.rel_diff_lower) or math.isnan(row.rel_diff_upper)):
        said.append(reader.say("The interval that allows for looking early runs from {lower} to {upper}.",
                               lower=reader.signed(row.rel_diff_lower), upper=reader.signed(row.rel_diff_upper)))
    return reader.prose(said)


def distance(row: Outlook, answer: Decision, has_arms: bool, when: When, reader: Reader) -> str:
    """How far from being decided, and what the rest of the period can bring."""
    said = [reader.say("A difference of about {needed} would be enough to decide.", needed=reader.percent(row.needed))]
    if not math.isnan(row.at_end):
        said.append(reader.say(
            "{left} are left; by the end, a true difference of {size} would be seen with a chance of four in five.",
            left=when.several(row.n_left), size=reader.percent(row.at_end)))
    if row.next_look > answer.n_seen + 1 or (row.next_look and answer.claim_tick < answer.n_seen):
        said.append(reader.say("The next planned look is that of {when}.", when=when.at(row.next_look)))
    told = reader.prose(said)
    return reader.say("{group}: {values}", group=reader.label(row.arm), values=told) if has_arms else told


def arrival(row: Arrival, when: When, reader: Reader) -> str:
    """Too few or too many rows on one day."""
    values = {"table": _table(row.table, reader), "when": when.at(row.tick), "n": reader.count(row.n_rows)}
    if row.state == "none":
        return reader.say("No row arrived: {table}, {when}.", **values)
    if row.reason == "cut_off":
        return reader.say("{table}, {when}: {n} rows arrived, and none at the end of the day, when some came on every "
                          "day before. The day may not be loaded whole.", **values)
    if row.state == "many":
        return reader.say("{table}, {when}: {n} rows arrived, where {upper} at most were to be expected. They may have "
                          "been loaded twice.", upper=reader.count(row.upper), **values)
    return reader.say("{table}, {when}: {n} rows arrived, where {lower} at least were to be expected.",
                      lower=reader.count(row.lower), **values)


def arrivals(rows: Sequence[Arrival], last: Sequence[Last], when: When, reader: Reader) -> str:
    """One line for the first screen: has everything come, and how old is the last row?"""
    odd = [row for row in rows if row.state != "ok"]
    tables = reader.say(", ").join(reader.say(name) for name in dict.fromkeys(row.table for row in rows))
    if not rows:
        said = []
    elif odd:
        last_odd = max(row.tick for row in odd)
        said = [arrival(row, when, reader) for row in odd if row.tick == last_odd]
    else:
        said = [reader.say("Rows arrived on every day ({tables})." if when.every == "day"
                           else "Rows arrived in every hour ({tables}).", tables=tables)]
    return reader.prose([*said, *(reader.say("Last row of {table}: {age} before the data end.", table=reader.say(
        row.table), age=reader.duration(row.age_seconds)) for row in last if not row.reason)])


def split(rows: Sequence[ArmSoFar], reader: Reader) -> str:
    """The arms' sizes at the last look."""
    if not rows:
        return reader.say("Nobody has entered yet.")
    now = [row for row in rows if row.tick == rows[-1].tick]
    if now[0].reason:
        return reader.say("The split cannot be tested: {why}.", why=reason_text(now[0].reason, reader))
    shares = reader.say(", ").join(
        reader.say("{arm} {share} (planned {planned})", arm=reader.label(row.arm), share=reader.percent(row.share),
                   planned=reader.percent(row.planned_share)) for row in now)
    return reader.say("{shares}; p {p}, which allows for looking again and again.", shares=shares,
                      p=reader.pvalue(now[0].pvalue))


def split_chart(rows: Sequence[ArmSoFar], reader: Reader) -> str:
    return reader.say("How far the share of each arm is from the plan, look by look. {now}", now=split(rows, reader))


def guardrails(rows: Sequence[Point], out: Sequence[LeftOut], reader: Reader) -> str:
    """Which of them hold, which are broken, which are not shown to hold, and which are counted later."""
    own = {verdict: _names([row for row in rows if row.role == "guardrail" and row.verdict == verdict], reader)
           for verdict in ("broken", "cannot_tell", "safe")}
    later = _names([row for row in out if row.role == "guardrail"], reader)
    said = [text for names, text in (
        (own["broken"], reader.say("Broken: {metrics}.", metrics=own["broken"])),
        (own["cannot_tell"], reader.say("Not shown to hold: {metrics}.", metrics=own["cannot_tell"])),
        (own["safe"], reader.say("Held: {metrics}.", metrics=own["safe"])),
        (later, reader.say("Counted after the campaign only: {metrics}.", metrics=later))) if names]
    return reader.prose(said) if said else reader.say("None can be judged yet.")


def _names(rows: Sequence[Point] | Sequence[LeftOut], reader: Reader) -> str:
    return reader.say(", ").join(dict.fromkeys(reader.label(row.metric) for row in rows))


def breaks(rows: Sequence[Break], when: When, reader: Reader) -> str:
    """One line for the first screen: the last ones."""
    found = [row for row in rows if row.is_break]
    if found:
        last = max(row.tick for row in found)
        return reader.prose(broken([row for row in found if row.tick == last], when, reader))
    if all(row.reason for row in rows):
        return reader.say("There is too little data to say what is sudden.")
    return reader.say("None, as far as there is enough data to tell." if any(row.reason for row in rows) else "None.")


def broken(rows: Sequence[Break], when: When, reader: Reader) -> list[str]:
    """Breaks of one day: a sentence for each arm, and one for all together."""
    said = []
    for arm in sorted({row.arm for row in rows}, reverse=True):
        own = [row for row in rows if row.arm == arm]
        values = {"when": when.at(own[0].tick), "arm": reader.label(arm), "changes": reader.say(", ").join(
            f"{reader.label(row.metric)} {reader.signed(row.change)}" for row in own)}
        said.append(reader.say(
            "{when}, {arm} against control, off what was to be expected: {changes}. A break in one arm only speaks of "
            "an error in the treatment." if arm else
            "{when}, all arms together, off what was to be expected: {changes}.", **values))
    return said


def _table(name: str, reader: Reader) -> str:
    """A table at the head of a sentence."""
    text = reader.say(name)
    return text[:1].upper() + text[1:]


def course(rows: Sequence[Point], when: When, reader: Reader) -> str:
    """The words of the chart of one metric over time."""
    last = rows[-1]
    name = reader.title(last.metric)
    known = [row for row in rows if not math.isnan(row.rel_diff_lower)]
    said = [reader.say("{metric}, {arm} against {control}: effect so far, look by look.", metric=name,
                       arm=reader.label(last.arm), control=reader.label(last.control))]
    if known:
        row = known[-1]
        said.append(reader.say(
            "At the look of {when} it is {effect}. The interval that allows for looking early runs from {lower} to "
            "{upper}; that of a single look, {fixed_lower} to {fixed_upper}, is narrower and not for this.",
            when=when.at(row.tick), effect=reader.signed(row.rel_diff), lower=reader.signed(row.rel_diff_lower),
            upper=reader.signed(row.rel_diff_upper), fixed_lower=reader.signed(row.fixed_lower),
            fixed_upper=reader.signed(row.fixed_upper)))
    return reader.prose(said)


def rows_chart(rows: Sequence[Arrival], when: When, reader: Reader) -> str:
    last = rows[-1]
    n_odd = sum(row.state != "ok" for row in rows)
    return reader.prose([
        reader.say("{table}: {n} rows at the last look ({when}).", table=_table(last.table, reader),
                   n=reader.count(last.n_rows), when=when.at(last.tick)),
        reader.say("Looks with too few or too many rows: {n}.", n=n_odd)])


def breaks_chart(rows: Sequence[Break], when: When, reader: Reader) -> str:
    metric, arm = rows[0].metric, rows[0].arm
    said = [reader.say(
        "{metric}: {arm} divided by control, against the range that the ones before lead to expect." if arm else
        "{metric} of all arms together, against the range that the ones before lead to expect.",
        metric=reader.title(metric), arm=reader.label(arm))]
    found = [row for row in rows if row.is_break]
    ticks = dict.fromkeys(row.tick for row in found)
    said += [one for tick in ticks for one in broken([row for row in found if row.tick == tick], when, reader)]
    return reader.prose(said if found else [*said, reader.say("No sudden break.")])


def limits(
    answer: Decision, rest: Unseen, out: Sequence[LeftOut], when: When, reader: Reader
) -> list[str]:
    """What stopping now would leave unseen."""
    say = reader.say
    said = []
    if rest.n_left:
        said.append(say("{left} of the period would not be seen; an effect may wear off or grow.",
                        left=when.several(rest.n_left)))
    if rest.weekdays:
        names = get_day_names("wide", "stand-alone", locale=reader.locale)
        said.append(say("Days of the week that were not seen: {days}. People may act otherwise on them.",
                        days=say(", ").join(names[day] for day in rest.weekdays)))
    if rest.days_after:
        said.append(say("The time after is not seen yet: demand that was only moved forward would look like a gain."))
    if out:
        said.append(say("Not watched, because counted in the time after: {metrics}.",
                        metrics=say(", ").join(reader.label(row.metric) for row in out)))
    if answer.answer == "stop":
        said.append(say("An effect that is found early is overestimated on average: the interval is to be trusted, "
                        "not the point."))
    said.append(say("Secondary metrics have had less time; after a stop their intervals stay as wide as they are."))
    return said
