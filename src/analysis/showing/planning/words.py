"""Answers of a plan -> sentences."""

from __future__ import annotations

import math
from collections.abc import Sequence

from analysis.facts.past import Past
from analysis.results.planning.answers import Answers
from analysis.results.planning.arms import CAMPAIGN, HOLDOUT
from analysis.results.planning.holdouts import HeldOut
from analysis.results.planning.needs import Need
from analysis.results.planning.reach import Reach
from analysis.results.planning.smart import Smart
from analysis.results.planning.tensions import Tension
from analysis.results.planning.verdict import Remedy
from analysis.showing.phrases import WHY
from analysis.showing.reader import Reader
from analysis.showing.table import Html, paragraphs
from analysis.showing.words import population, reason_text

ANSWERS = {
    "feasible": "The wished effects can be seen", "not_feasible": "A wished effect cannot be seen",
    "cannot_tell": "It cannot be told what will be seen", "do_not_trust": "Do not trust the numbers of the past",
}
LOOKS = {"feasible": "works", "not_feasible": "cannot_tell"}  # CSS class, where it is not the answer itself
REASONS = {
    "past_too_short": "The data reach less than a day back, so nothing can be measured.",
    "nothing_wished": "Nobody has said how large an effect is hoped for. Say it in the params, as a goal or under "
                      "`plan:`.",
    "nobody_held_out": "As planned everybody gets the campaign, and nothing will show what would have happened without "
                       "it.",
    "no_holdout_will_do": "As planned everybody gets the campaign, and nothing will show what would have happened "
                          "without it; even with half of the users held out the wished effect would be missed too "
                          "often.",
}
SHORT = {   # in a table, of what is not fine with a goal
    "no_unit": "no unit is said", "by_itself": "comes about without a campaign", "few_stretches": "too little past",
    "already_there": "is reached already", "against_control": "the control takes the season off",
    "not_primary": "not about the primary metric", "many_first": "several goals come first",
    "no_deadline": "end of the period", "past_too_short": "the past is too short",
    "not_at_one_time": "counted at different times", "never_happened": "never happened in the past",
}
FINE = {"against_control", "no_deadline"}   # codes that need no mending
STRUCTURES = {
    "divided_by": "{first} and {second} hang together: one of them is divided by the other, so the one falls when the "
                  "other alone rises.",
    "opposite": "{first} and {second} count the same, and one is to rise while the other is to fall.",
    "moved_forward": "{first} and {second} count the same at different times: what is only moved forward helps the one "
                     "and hurts the other.",
}
REMEDIES = {
    "more_days": "{value} instead of {days}", "holdout": "{value} of the users held out",
    "larger_effect": "an effect of {value}", "time_before": "taking off what users did before (a `baseline:`)",
    "more_users": "{value} users",
}


def days(n: float, reader: Reader) -> str:
    return reader.duration(n * 86400)


def arm(name: str, reader: Reader) -> str:
    """An arm's label; those of a hold-out that does not exist yet in the reader's language."""
    if name in (CAMPAIGN, HOLDOUT) and name not in reader.labels:
        return reader.say("campaign") if name == CAMPAIGN else reader.say("hold-out")
    return reader.label(name)


def verdict(found: Answers, reader: Reader) -> Html:
    """The box on the first screen: the answer, the chance to see each wish that decides, what would do instead."""
    answer, needed = found.verdict, found.needs
    said = [reader.say(ANSWERS[answer.answer])]
    said += [reader.say(REASONS.get(reason) or WHY[reason]) for reason in answer.reasons
             if reason in REASONS or reason in WHY]
    if answer.answer != "do_not_trust":
        has_arms = len({row.arm for row in needed}) > 1
        for row in needed:
            if row.role == "primary" or (row.role == "guardrail" and row.verdict != "seen"):
                said += need(row, has_arms, reader)
        said += remedies(found.remedies, needed, has_arms, reader)
    return paragraphs(said, f"verdict {LOOKS.get(answer.answer, answer.answer)}")


def name(row: Need | Reach, has_arms: bool, reader: Reader) -> str:
    """The metric, with the arm where there are several."""
    return reader.title(row.metric) + (f" · {arm(row.arm, reader)}" if has_arms else "")


def need(row: Need, has_arms: bool, reader: Reader) -> list[str]:
    """The chance to see one wish, and what will be missed."""
    values = {
        "metric": name(row, has_arms, reader), "days": days(row.days, reader),
        "wished": reader.signed(row.wished), "power": reader.percent(row.power, 0),
        "asked": reader.percent(row.power_wished, 0)}
    if row.verdict == "unknown":
        return [reader.say("{metric}: nothing can be planned with its past ({why}).", metric=values["metric"],
                           why=why(row.reason, reader))]
    if row.role == "guardrail":
        return [reader.say("{metric}: that it gets worse by less than {margin} will be shown with a chance of {power}, "
                           "if in truth nothing happens to it; {asked} are asked for.", **values,
                           margin=reader.percent(row.wished))]
    said = []
    if row.verdict != "not_asked" and not math.isnan(row.power):
        said.append(reader.say("{metric}: if the campaign truly changes it by {wished}, {days} will show it with a "
                               "chance of {power}; {asked} are asked for.", **values))
    if not math.isnan(row.smallest):
        said.append(reader.say(
            "{metric}: the smallest effect that {asked} of such campaigns show is {smallest}; one half as large would "
            "be missed in {missed} of them.", smallest=reader.signed(row.smallest),
            missed=reader.percent(1 - row.power_half, 0), **values))
    return said


def remedies(
    found: Sequence[Remedy], needed: Sequence[Need], has_arms: bool, reader: Reader
) -> list[str]:
    """What would do instead, one sentence for each metric and arm."""
    said = []
    for key in dict.fromkeys((row.metric, row.arm) for row in found):
        row = next(own for own in needed if (own.metric, own.arm) == key)
        ways = [reader.say(REMEDIES[own.kind], value=_value(own, reader), days=days(row.days, reader))
                for own in found if (own.metric, own.arm) == key]
        said.append(reader.say("{metric}: each of these alone would do: {ways}.", metric=name(row, has_arms, reader),
                               ways=reader.say("; ").join(ways)))
    return said


def _value(row: Remedy, reader: Reader) -> str:
    if row.kind == "more_days":
        return days(row.value, reader)
    if row.kind == "more_users":
        return reader.count(row.value)
    return reader.signed(row.value) if row.kind == "larger_effect" else reader.percent(row.value)


def users(past: Past, row: Need, n_active: int, reader: Reader) -> str:
    """Who can be in it."""
    message = ("{n} users can be in the campaign; {active} of them did something in the {days} before it."
               if past.is_listed else
               "{n} users will come in {days}, if as many come as in the {days} before; nobody lists all users.")
    return reader.say(message, n=reader.count(row.n_users), active=reader.count(n_active), days=days(row.days, reader))


def enough_days(row: Need, reader: Reader) -> str:
    """How long it takes."""
    if row.verdict == "not_asked":
        return ""
    if row.days_reason:
        return reader.say("Not within the days that were looked at.")
    return reader.say("{days} would do to see {wished} of {metric}.", days=days(row.days_needed, reader),
                      wished=reader.signed(row.wished), metric=reader.label(row.metric))


def held_out(shares: Sequence[HeldOut], reader: Reader) -> str:
    """The smallest hold-out that will do, and its price."""
    wished = [row for row in shares if row.power_reason != "nothing_wished"]
    if not wished:
        return ""
    enough = next((row for row in wished if row.is_enough), None)
    if enough is None:
        return reader.say("No hold-out up to half of the users would show the wished effect in {days}.",
                          days=days(wished[0].days, reader))
    said = reader.say("{share} of the users held out ({n}) would show the wished effect in {days}.",
                      share=reader.percent(enough.share), n=reader.count(enough.n_held_out),
                      days=days(enough.days, reader))
    if math.isnan(enough.forgone):
        return said
    return reader.prose([said, reader.say("If it is real, they go without {forgone} of {metric}.", forgone=total(
        enough.forgone, enough.unit, reader), metric=reader.label(enough.metric))])


def total(value: float, unit: str, reader: Reader) -> str:
    return reader.total(value, "users" if unit == "share" else unit)


def goals(rows: Sequence[Smart], found: Sequence[Tension], reader: Reader) -> str:
    """How many goals are fine, and how many pairs pull apart."""
    if not rows:
        return ""
    fine = sum(not open_questions(row) for row in rows)
    said = [reader.say("{fine} of {n} goals are fine as they are.", fine=reader.count(fine), n=reader.count(len(rows)))]
    pulling = sum(row.pulls for row in found)
    if pulling:
        said.append(reader.say("Pairs of goals and guardrails that pull against each other: {n}.",
                               n=reader.count(pulling)))
    return reader.prose(said)


def open_questions(row: Smart) -> list[str]:
    """The codes of what is not fine with a goal."""
    codes = (row.specific, row.measurable, row.achievable, row.relevant, row.time_bound)
    return [code for code in codes if code and code not in FINE]


def why(code: str, reader: Reader) -> str:
    """A code in few words."""
    return reader.say(SHORT[code]) if code in SHORT else reason_text(code, reader)


def attention(row: Smart, reader: Reader) -> str:
    """What has to be mended of a goal; "" where nothing has."""
    codes = open_questions(row)
    return reader.say("{metric} needs attention: {reasons}.", metric=reader.title(row.metric), reasons=reader.say(
        ", ").join(why(code, reader) for code in codes)) if codes else ""


def achievable(row: Smart, length: float, reader: Reader) -> str:
    """How a target compares with what the past did by itself.

    length   of the campaign, in days
    """
    values = {"metric": reader.title(row.metric), "n": reader.count(row.n_stretches),
              "reached": reader.count(row.n_reached), "days": days(length, reader)}
    if row.farthest_reason:
        return reader.say("{metric}: the past does not tell how often such a target is reached without a campaign "
                          "({why}).", metric=values["metric"], why=why(row.farthest_reason, reader))
    if row.against == "before":
        values |= {"target": reader.signed(row.target_change), "farthest": reader.signed(row.farthest)}
        return reader.say("{metric}: {reached} of {n} past stretches of {days} changed by {target} or more against the "
                          "time before them, without a campaign; the farthest by {farthest}.", **values)
    level = row.measure if row.measure != "ratio" else "per_user"
    values |= {"target": reader.level(row.target, row.unit, level),
               "farthest": reader.level(row.farthest, row.unit, level)}
    return reader.say("{metric}: {reached} of {n} past stretches of {days} reached {target} without a campaign; the "
                      "best came to {farthest}.", **values)


def tension(row: Tension, reader: Reader) -> str:
    """Why two metrics pull apart, and which of them decides."""
    names = {"first": reader.title(row.first), "second": reader.label(row.second)}
    said = [reader.say(STRUCTURES[row.structure], **names)] if row.structure else []
    if not row.reason and (not row.structure or row.correlation < 0):
        said.append(reader.say("{first} and {second}: users who are good for the one are rather bad for the other "
                               "(correlation {r}).", r=reader.number(row.correlation, 2), **names))
    if row.decides:
        said.append(reader.say("{winner} decides.", winner=reader.title(row.decides)))
    else:
        said.append(reader.say("Both have the same rank: the owner has to say which of them decides."))
    return reader.prose(said)


def course(rows: Sequence[Reach], reader: Reader) -> str:
    """The words of the chart by days."""
    known = [row for row in rows if not math.isnan(row.smallest)]
    if not known:
        return reader.say("No smallest visible effect is known.")
    first, last = known[0], known[-1]
    said = [reader.say("{metric}: the smallest visible effect falls from {most} at {first} to {least} at {last}.",
                       metric=reader.title(first.metric), most=reader.signed(first.smallest),
                       least=reader.signed(last.smallest), first=days(first.days, reader),
                       last=days(last.days, reader))]
    if not math.isnan(first.wished):
        said.append(reader.say("The wished effect is {wished}.", wished=reader.signed(first.wished)))
    return reader.prose(said)


def trade_off(shares: Sequence[HeldOut], reader: Reader) -> str:
    """The words of the chart of hold-outs."""
    known = [row for row in shares if not math.isnan(row.smallest)]
    if not known:
        return reader.say("No smallest visible effect is known.")
    return reader.say("{metric}: the more users are held out, the smaller an effect is seen: {most} with {few} held "
                      "out, {least} with {many}.", metric=reader.title(known[0].metric),
                      most=reader.signed(known[0].smallest), few=reader.percent(known[0].share),
                      least=reader.signed(known[-1].smallest), many=reader.percent(known[-1].share))


def past_told(past: Past, reader: Reader) -> list[str]:
    """Who counts, and how much of the past there is."""
    said = [population(past.facts, reader)]
    if past.n_excluded:
        said.append(reader.say("{n} of them are excluded from the campaign.", n=reader.count(past.n_excluded)))
    said.append(reader.say("The data go back {days} from {end}; nothing from the campaign's own time was looked at.",
                           days=days(past.days, reader), end=reader.moment(past.tables.data_until)))
    return said


def limits(past: Past, needed: Sequence[Need], rows: Sequence[Reach], reader: Reader) -> list[str]:
    """What this plan cannot know."""
    say, campaign = reader.say, past.campaign
    said = [say("Past days are taken to be like the campaign's: where a season lifts everybody, or other users come, "
                "level and spread will differ, and with them what can be seen."),
            say("An effect is taken to lift everybody by the same share. One that comes from few users, or in few "
                "days, is harder to see.")]
    if needed and needed[0].days < needed[0].days_planned:
        said.append(say("The past is shorter than the campaign: it is judged at {days} instead of {planned}.",
                        days=days(needed[0].days, reader), planned=days(needed[0].days_planned, reader)))
    if any(row.method == "adjusted" for row in rows):
        said.append(say("How much noise the time before takes off was measured on the past; it is less where the last "
                        "weeks before the campaign are unlike it."))
    if any(row.method in ("welch", "delta") and math.isnan(row.reduction) and not row.reason for row in rows) and (
            campaign.baseline is not None and campaign.effects.adjust == "before"):
        said.append(say("Where the past is too short to measure what the time before takes off, nothing is taken off: "
                        "the campaign may then see more than is said here."))
    if any(row.wished_from == "goal" for row in needed):
        said.append(say("Goals are taken for wished effects. A goal against the time before also holds the season, so "
                        "what the campaign itself has to add may be less, and harder to see."))
    if not past.is_listed:
        said.append(say("Without a table of users nobody is known before they come: the plan counts on as many users "
                        "as came in the past."))
    if campaign.arms is None:
        said.append(say("There are no arms yet: numbers are for {share} of the users held out.",
                        share=reader.percent(rows[0].n_control / rows[0].n_users) if rows else "–"))
    return said
