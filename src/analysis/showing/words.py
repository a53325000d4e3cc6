"""Results -> sentences. Prose that depends on the numbers is made here, in the reader's language, and nowhere else."""

from __future__ import annotations

import math
from collections.abc import Sequence

from analysis.data.columns import COLUMNS
from analysis.facts.population import Facts
from analysis.results.gap import Gap, Season
from analysis.results.goals import Conflict, Goal
from analysis.results.money import Cost
from analysis.results.phases import Phase
from analysis.results.relabelled import Calibration
from analysis.results.small_groups import left_out
from analysis.results.trust import Check
from analysis.results.uplift import Uplift
from analysis.results.verdict import Verdict
from analysis.showing.phrases import (
    ANSWERS,
    CHECKS,
    CLUSTER_SPLIT,
    FOLDED,
    LEFT_OUT,
    NO_SPLIT,
    PARTS,
    REASONS,
    TIMES,
    WHY,
)
from analysis.showing.reader import Reader
from analysis.showing.table import Html, paragraphs
from analysis.stats.comparison import ALPHA


def verdict(answer: Verdict, found: Sequence[Uplift], both: Sequence[Uplift], reader: Reader) -> Html:
    """The box on the first screen: the answer, the primary metric in numbers, what is left of it later, the reasons.

    both   effects over the campaign and the time after it together
    """
    sentences = [reader.say(ANSWERS[answer.answer])]
    if "guardrail_not_shown" in answer.reasons:
        sentences.append(reader.say("The primary metric got better, but it is not shown that every guardrail holds; it "
                                    "takes both."))
    if answer.answer != "do_not_trust":
        sentences += [uplift(row, reader) for row in found if row.role == "primary" and not row.reason]
        gained = any(row.role == "primary" and row.diff * (1 if row.better == "higher" else -1) > 0 for row in found)
        sentences += [net(row, gained, reader) for row in both if not row.reason]
    for reason in answer.reasons:
        if reason in ("guardrail_not_shown", "guardrail_broken"):
            sentences += [guardrail(row, reader) for row in found if row.role == "guardrail" and row.verdict != "safe"]
        elif reason not in ("primary_better", "primary_worse"):
            sentences.append(why(reason, reader))
    return paragraphs(sentences, f"verdict {answer.answer}")


NET = {"better": "So the effect is still there when the time after is counted too.",
       "worse": "So the effect has turned when the time after is counted too: more was moved forward than gained.",
       "cannot_tell": "So it is open whether anything of the effect is left when the time after is counted too: it may "
                      "only have been moved forward.",
       "below": "So it is open whether anything of the effect is left when the time after is counted too: the best "
                "estimate is that more was lost after the campaign than gained during it, but that is not sure either."}


def net(row: Uplift, gained: bool, reader: Reader) -> str:
    """What is left of the effect once the time after is counted too.

    gained   whether the estimate for the campaign alone is for the better
    """
    is_worse = row.diff < 0 if row.better == "higher" else row.diff > 0
    is_below = row.verdict == "cannot_tell" and gained and is_worse
    return reader.prose([uplift(row, reader), reader.say(NET["below" if is_below else row.verdict])])


def why(reason: str, reader: Reader) -> str:
    """A reason of the verdict as a sentence."""
    if reason in WHY:
        return reader.say(WHY[reason])
    return reader.say("The primary metric cannot be compared: {why}.", why=reason_text(reason, reader))


def reason_text(reason: str, reader: Reader) -> str:
    """A reason code in words; a code without words is shown as it is rather than hidden."""
    return reader.say(REASONS.get(reason, reason)) if reason else ""


def uplift(row: Uplift, reader: Reader) -> str:
    """One effect as a sentence: size, interval, relative size."""
    values = {
        "metric": reader.title(row.metric), "arm": reader.label(row.arm), "control": reader.label(row.control),
        "treatment_value": reader.amount(row.value_treatment, row.unit),
        "control_value": reader.amount(row.value_control, row.unit),
        "relative": reader.signed(row.rel_diff), "level": reader.confidence(row.alpha),
        "interval": reader.changes(row.rel_diff_lower, row.rel_diff_upper) + (
            reader.say("; widened, as there are several tests or looks") if row.alpha < ALPHA else "") + (
            reader.say("; adjusted by the time before") if row.method == "adjusted" else "")}
    if row.rel_reason and math.isnan(row.rel_diff):
        return reader.say(
            "{metric}: {treatment_value} in {arm} against {control_value} in {control}; no relative effect ({why}).",
            why=reason_text(row.rel_reason, reader), **values)
    if row.kind != "mean":
        return reader.say("{metric}: {treatment_value} in {arm} against {control_value} in {control}, "
                          "{relative} ({level} interval {interval}).", **values)
    return reader.say("{metric}: {treatment_value} per user in {arm} against {control_value} in {control}, "
                      "{relative} ({level} interval {interval}).", **values)


def calibration(row: Calibration, reader: Reader) -> str:
    """How often a method cries wolf, as one sentence."""
    message = (
        "With the arms' labels shuffled {n} times, so that there is no effect, the same test claimed one in {rate} "
        "of the runs, where {alpha} are right: its p-values are too small and its intervals too narrow for these data."
        if row.is_off else
        "With the arms' labels shuffled {n} times, so that there is no effect, the same test claimed one in {rate} "
        "of the runs, where {alpha} are allowed: on these data it is rather too careful."
        if row.rate_upper < row.alpha else
        "With the arms' labels shuffled {n} times, so that there is no effect, the same test claimed one in {rate} "
        "of the runs, as it should ({alpha}).")
    return reader.say(message, n=reader.count(row.n_runs), rate=reader.percent(row.rate),
                      alpha=reader.percent(row.alpha, 0))


def false_alarms(rows: Sequence[Calibration], reader: Reader) -> str:
    """The same of every metric, in one sentence."""
    known = [row for row in rows if not row.reason]
    has_arms = len({row.arm for row in known}) > 1
    rates = [f"{reader.label(row.metric)}{f' · {reader.label(row.arm)}' if has_arms else ''} {reader.percent(row.rate)}"
             for row in known]
    return reader.say("False alarms with shuffled labels (about {alpha} is right): {rates}.",
                      alpha=reader.percent(known[0].alpha, 0), rates=reader.say(", ").join(rates))


def guardrail(row: Uplift, reader: Reader) -> str:
    """A guardrail that is not shown to hold, with its interval and margin."""
    if row.reason or row.rel_reason:
        return reader.say("Guardrail not known: {metric} ({why}).", metric=reader.title(row.metric),
                          why=reason_text(row.reason or row.rel_reason, reader))
    message = (
        "Guardrail broken: {metric} {relative} ({level} interval {interval}); it was to get worse by {margin} at most."
        if row.verdict == "broken" else
        "Guardrail not shown to hold: {metric} {relative} ({level} interval {interval}). It did get worse; {margin} at "
        "most was agreed, and the data do not rule out more." if _is_surely_worse(row) else
        "Guardrail not shown to hold: {metric} {relative} ({level} interval {interval}). A loss of {margin} at most "
        "was agreed, and the data do not rule out more.")
    return reader.say(
        message, metric=reader.title(row.metric), relative=reader.signed(row.rel_diff),
        level=reader.confidence(row.alpha),
        interval=reader.changes(row.rel_diff_lower, row.rel_diff_upper), margin=reader.percent(row.margin, 0))


def _is_surely_worse(row: Uplift) -> bool:
    """Whether the whole interval lies on the bad side of zero, if not beyond the margin."""
    return row.rel_diff_upper < 0 if row.better == "higher" else row.rel_diff_lower > 0


def added(row: Uplift, reader: Reader) -> str:
    """What the arm as a whole got from the campaign: the difference times its users."""
    unit = "users" if row.unit == "share" else row.unit
    return reader.say(
        "Over all {n} users of {arm} that is {total} of {metric} ({level} interval {interval}) more than without the "
        "campaign. What was only moved forward from the time after is not taken off.",
        n=reader.count(row.n_treatment), arm=reader.label(row.arm), metric=reader.label(row.metric),
        total=reader.total(row.total, unit), level=reader.confidence(row.alpha),
        interval=reader.interval(reader.total(row.total_lower, unit), reader.total(row.total_upper, unit)))


def season(row: Season, goals: list[Goal], reader: Reader) -> str:
    """How much of a goal's change also came to those who did not get the campaign."""
    goal = next(g for g in goals if g.metric == row.metric and g.against == "before")
    is_shared = row.change * goal.change > 0 and not row.change_lower <= 0 <= row.change_upper
    message = (
        "{metric}: {all} against the time before over everybody, but {rest} ({interval}) in {control}, which did not "
        "get the campaign. That part would have come anyway." if is_shared else
        "{metric}: {all} against the time before over everybody, and {rest} ({interval}) in {control}, which did not "
        "get the campaign: how much would have come anyway is not clear.")
    return reader.say(message, metric=reader.title(row.metric),
        all=reader.signed(goal.change), rest=reader.signed(row.change),
        interval=reader.changes(row.change_lower, row.change_upper), control=reader.label(row.control))


def seasons(rows: list[Season], goals: list[Goal], reader: Reader) -> Html:
    return paragraphs([season(row, goals, reader) for row in rows if not row.reason], "note")


def conflict(row: Conflict, reader: Reader) -> str:
    values = {"winner": reader.title(row.winner), "loser": reader.label(row.loser), "missed": reader.title(row.missed),
              "shortfall": reader.level(row.shortfall, row.unit, row.measure)}
    if not row.is_decided:
        return reader.say("Of {winner} and {loser} one goal was met and one missed, at the same priority: the owner "
                          "has to say which decides. {missed} fell {shortfall} short of its target.", **values)
    message = ("The goal for {winner} was met, that for {loser} missed. {winner} has the higher priority. {missed} "
               "fell {shortfall} short of its target." if row.winner_verdict == "met" else
               "The goal for {loser} was met, but that for {winner}, which has the higher priority, was missed: it "
               "fell {shortfall} short of its target.")
    return reader.say(message, **values)


def no_effect_claimed(found: Gap | None, reason: str, reader: Reader) -> Html:
    """Why the gap between the groups, or the change against the time before, is not an effect."""
    said = [reader.say("This report describes; it does not claim an effect."), reason]
    if found is None:
        said.append(reader.say(
            "What changed against the time before also holds the season, the weekday and everything else that changed "
            "on those days."))
        return paragraphs(said, "note")
    said.append(reader.say(
        "{metric} per user was higher by {gap} in the group “{high}” than in “{low}” during the campaign. This gap is "
        "not the campaign's effect.", metric=reader.title(found.metric),
        gap=reader.difference(found.during, found.unit), high=reader.label(found.high), low=reader.label(found.low)))
    if not found.reason:
        said.append(reader.say(
            "Before the campaign the same gap was already {before}: the groups are different people.",
            before=reader.difference(found.before, found.unit)))
    return paragraphs(said, "note")


def check(row: Check, reader: Reader) -> str:
    """What one trust check found, as a sentence."""
    fine, wrong = CHECKS[row.name]
    values = {"found": reader.count(row.found), "n": reader.count(row.n), "p": reader.pvalue(row.pvalue),
              "subject": _subject(row, reader)}
    if row.name == "balance":
        values["size"] = reader.number(row.found, 3)
    elif row.name == "coverage":
        values |= {"days": reader.duration(row.limit * 86400), "subject": reader.say(TIMES[row.subject]),
                   "found_days": reader.number(row.found, 1).removesuffix(".0")}
    elif row.name in ("calibration", "leverage"):
        values |= {"rate": reader.percent(row.found), "alpha": reader.percent(row.limit, 0)}
    elif row.name == "split" and row.subject:
        fine, wrong = CLUSTER_SPLIT
    elif row.name == "missing_days":
        values["first"] = reader.iso_day(row.reason)
    if row.name == "split" and row.reason == "no_users":
        return reader.say(NO_SPLIT)
    is_fine = row.state == "ok" and not (row.name == "two_arms" and row.found)
    return reader.say(fine if is_fine else wrong, **values)


def folded(rows: Sequence[Check]) -> list[list[Check]]:
    """Checks of one kind that found nothing stand together, where the first of them does; all others alone."""
    together: dict[str, list[Check]] = {}
    order = []
    for row in rows:
        if _found_nothing(row):
            if row.name not in together:
                order.append(together.setdefault(row.name, []))
            together[row.name].append(row)
        else:
            order.append([row])
    return order


def checks(rows: Sequence[Check], reader: Reader) -> str:
    """What the checks of one row of the table found: those that `folded` put together, or one alone."""
    first = rows[0]
    if not _found_nothing(first):
        return check(first, reader)
    subjects = [_subject(row, reader) for row in rows]
    if first.name == "coverage":
        subjects = [reader.say("{phase} {mean}", phase=subject, mean=reader.duration(row.limit * 86400))
                    for subject, row in zip(subjects, rows, strict=True)]
    return reader.say(FOLDED[first.name], subjects=reader.say(", ").join(subjects), n=reader.count(first.n))


def _found_nothing(row: Check) -> bool:
    return row.name in FOLDED and row.state == "ok" and (row.name == "coverage" or not row.found)


def _subject(row: Check, reader: Reader) -> str:
    is_known = row.subject in COLUMNS or row.name == "coverage"
    return reader.say(row.subject) if is_known else reader.label(row.subject)




def phases(rows: list[Phase], metric: str, reader: Reader) -> str:
    """Level before and during, by group."""
    own = [row for row in rows if row.metric == metric and not math.isnan(row.mean)]
    levels = {group: reader.say(", ").join(
        reader.say("{phase} {mean}", phase=reader.say(row.phase), mean=reader.amount(row.mean, row.unit))
        for row in own if row.group == group) for group in dict.fromkeys(row.group for row in own)}
    parts = [reader.say("{group}: {values}", group=reader.group(group), values=values) if group else values
             for group, values in levels.items()]
    message = ("{metric}, share of users: {levels}." if any(row.unit == "share" for row in own)
               else "{metric} per user and campaign length: {levels}.")
    said = [reader.say(message, metric=reader.title(metric), levels=reader.say("; ").join(parts))]
    cut = dict.fromkeys(row.phase for row in rows if row.metric == metric and row.is_cut)
    if cut:
        said.append(reader.say("The data do not cover all of the time {phases}.", phases=reader.say(", ").join(
            reader.say(phase) for phase in cut)))
    return reader.prose(said)


def daily(metric: str, reader: Reader) -> str:
    return reader.say("{metric} per user and day; the campaign's days are shaded.", metric=reader.title(metric))


def goals(rows: list[Goal], reader: Reader) -> str:
    """How many goals were met, missed and not known."""
    n = {verdict: sum(row.verdict == verdict for row in rows) for verdict in ("met", "missed", "unknown")}
    return reader.say("Goals: {met} met, {missed} missed, {unknown} not known.", **n)


def uplifts(rows: list[Uplift], reader: Reader) -> str:
    """How many metrics moved for the better and the worse, and how many guardrails hold."""
    n = {v: sum(row.verdict == v for row in rows) for v in ("better", "worse", "safe", "broken")}
    guarded = sum(row.role == "guardrail" for row in rows)
    said = [reader.say("Of {n} effects, {better} are better, {worst} worse; for the rest it cannot be told.",
                       n=len(rows) - guarded, better=n["better"], worst=n["worse"])]
    if guarded:
        said.append(reader.say("Guardrails: {held} held, {broken} broken, {open} not shown to hold.", held=n["safe"],
                               broken=n["broken"], open=guarded - n["safe"] - n["broken"]))
    said.append(reader.say("Lines are intervals; one that crosses zero leaves the direction open."))
    return reader.prose(said)


def costs(rows: list[Cost], reader: Reader) -> str:
    """The total and the dearest item."""
    total = next(row for row in rows if row.item == "")
    items = [row for row in rows if row.item]
    known = [row for row in items if not math.isnan(row.amount)]
    if not items or not total.amount:
        return reader.say("No cost was recorded.")
    if math.isnan(total.amount):
        return reader.say("{total} of the cost is known; not known yet: {items}.",
                          total=reader.money(math.fsum(row.amount for row in known)), items=reader.say(", ").join(
                              reader.label(row.item) for row in items if math.isnan(row.amount)))
    if len(items) == 1:
        return reader.say("The campaign cost {total}; all of it was {item}.", total=reader.money(total.amount),
                          item=reader.label(items[0].item))
    return reader.say("The campaign cost {total}; {item} took {share} of it.", total=reader.money(total.amount),
                      item=reader.label(items[0].item), share=reader.percent(items[0].share))


def population(facts: Facts, reader: Reader) -> str:
    """Who counts, and who was left out for what."""
    left = facts.left
    out = [reader.say(text, n=reader.count(getattr(left, why))) for why, text in LEFT_OUT.items() if getattr(left, why)]
    said = reader.say("{n} of {known} users count", n=reader.count(left.n_users), known=reader.count(left.n_known))
    return said + (reader.say("; left out: {out}", out=reader.say(", ").join(out)) if out else "") + reader.say(".")


def trust(rows: list[Check], reader: Reader) -> str:
    """One line for the first screen: did the checks pass, and if not, which."""
    worst = [row for row in rows if row.state == "fail"] or [row for row in rows if row.state == "warn"]
    if not worst:
        return reader.say("The data passed all checks.")
    message = "Trust checks failed: {n}." if worst[0].state == "fail" else "Trust checks that need attention: {n}."
    return reader.prose([reader.say(message, n=len(worst)), *(check(row, reader) for row in worst[:3])])


def limits(facts: Facts, reader: Reader) -> list[str]:
    """What this report cannot say, as far as its params and data show."""
    campaign, say = facts.campaign, reader.say
    said = []
    if campaign.arms is None:
        said.append(say("Without a control group drawn at random nothing here can be credited to the campaign: "
                        "differences between groups and between times have other causes too."))
    else:
        said.append(say("Effects hold for the users and days of this campaign; another season may differ."))
    if campaign.goals:
        said.append(say("A goal against the time before says whether the number was reached, not what reached it."))
    if campaign.funnels:
        said.append(say("Segments of a funnel are described: who is in a segment was not drawn at random."))
    if campaign.after is None:
        said.append(say("The time after was not looked at: demand that was only moved forward does not show."))
    if campaign.costs or facts.tables.costs is not None:
        said.append(say("Costs are listed; without margins nothing is said about profit."))
    else:
        said.append(say("No cost is stated, so nothing is said about whether it was worth it."))
    return said + _left_out(facts, reader)


def _left_out(facts: Facts, reader: Reader) -> list[str]:
    """Which groups are not shown, so that nobody is told of."""
    what = [reader.say("{part} ({n})", n=one.n_groups, part=reader.say(
        PARTS[one.part], name=reader.label(one.name), by=reader.label(one.by))) for one in left_out(facts)]
    return [reader.say(
        "Groups of fewer than {least} users are not shown, nor others that would give them away: {what}.",
        least=facts.campaign.min_cell_size, what=reader.say(", ").join(what))] if what else []
