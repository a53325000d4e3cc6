"""Funnels as sentences: what a figure says to those who cannot see it, and what must be read beside it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import timedelta

from analysis.params.counting import Funnel
from analysis.params.model import Campaign
from analysis.results.conversion import StepEffect
from analysis.results.drops import Drop
from analysis.results.entry_days import EntryDay
from analysis.results.funnel import Step, stretch
from analysis.results.lost_to import LostTo
from analysis.results.survival import Moment, TimeToConvert
from analysis.showing.reader import Reader
from analysis.stats.comparison import ALPHA


def whole(steps: list[Step], reader: Reader) -> str:
    """From entry to the last step, and the step that loses most."""
    whole = [step for step in steps if step.by == ""]
    if not whole or whole[0].reason:
        return reader.say("Nobody entered this funnel, or no window is over yet.")
    last, worst = whole[-1], max(whole[1:], key=lambda step: step.n_lost)
    before = whole[worst.position - 2]
    return reader.say(
        "Of {n} that entered with {first}, {done} got to {last}: {rate} (95% interval {interval}). "
        "The largest loss is between {before} and {worst}: {lost} stop there.",
        n=reader.count(whole[0].n_mature), first=reader.label(whole[0].step), done=reader.count(last.n_converted),
        last=reader.label(last.step), rate=reader.percent(last.rate),
        interval=reader.interval(reader.percent(last.rate_lower), reader.percent(last.rate_upper)),
        before=reader.label(before.step), worst=reader.label(worst.step), lost=reader.count(worst.n_lost))


def unlike_metrics(reader: Reader) -> str:
    """Why the last step of a funnel is not a metric's number of users."""
    return reader.say(
        "A funnel takes those who entered during the campaign and follows each through its window, beyond the end of "
        "the campaign too; a metric counts what was done during the campaign. So the two need not give the same number "
        "of users.")


def largest_loss(steps: list[Step], campaign: Campaign, reader: Reader) -> str:
    """The step that loses most, in one line; "" where nobody's window is over or nobody was lost."""
    whole = [step for step in steps if step.by == ""]
    if not whole or whole[0].reason:
        return ""
    worst = max(whole[1:], key=lambda step: step.n_lost)
    if not worst.n_lost:
        return ""
    before, window = whole[worst.position - 2], campaign.funnels[worst.funnel].window
    message = (
        "Between “{before}” and “{worst}”: {lost} of {n} stop there. {rate} of those that entered complete every step."
        if window is None else "Between “{before}” and “{worst}”: {lost} of {n} stop there. {rate} of those that "
                               "entered complete every step within {window}.")
    return reader.say(
        message, before=reader.label(before.step), worst=reader.label(worst.step), lost=reader.count(worst.n_lost),
        n=reader.count(before.n_converted), rate=reader.percent(whole[-1].rate),
        window=reader.duration(window.total_seconds() if window else math.nan))


def by_segment(steps: list[Step], by: str, reader: Reader) -> str:
    """Best and worst segment of one breakdown, by the rate to the last step."""
    last = max(step.position for step in steps)
    ends = [s for s in steps if s.by == by and s.position == last and not math.isnan(s.rate)]
    if len(ends) < 2:
        return reader.say("By {by} there is only one group to show.", by=reader.label(by))
    best, worst = max(ends, key=lambda s: s.rate), min(ends, key=lambda s: s.rate)
    return reader.say(
        "By {by}: from {worst_rate} ({worst}, {worst_n} entered) to {best_rate} ({best}, {best_n} entered) get to the "
        "last step. Segments are described, not compared as arms.", by=reader.label(by),
        worst=_segment(worst.segment, reader), worst_rate=reader.percent(worst.rate),
        worst_n=reader.count(worst.n_mature), best=_segment(best.segment, reader),
        best_rate=reader.percent(best.rate), best_n=reader.count(best.n_mature))


def time_before(campaign: Campaign, steps: Sequence[Step], reader: Reader) -> str:
    """The dates of the entries before, and why it is those; "" where there are none."""
    if steps[0].segment != "before":
        return ""
    asked = campaign.funnels[steps[0].funnel]
    start, end = stretch(campaign, asked, "before").interval(campaign.time_zone)
    days = {"start": reader.day(campaign.local(start).date()),
            "end": reader.day(campaign.local(end - timedelta(microseconds=1)).date())}
    if asked.window is None:
        return reader.say("Before: entries from {start} to {end}, followed to the end of the data.", **days)
    return reader.say("Before: entries from {start} to {end}, whose windows end before the campaign begins.", **days)


def phases(steps: list[Step], reader: Reader) -> str:
    """The step whose share of the step before changed most between the time before and the campaign."""
    rates = {(s.segment, s.position): s for s in steps if s.by == "phase"}
    changes = [(abs(s.step_rate - rates["before", s.position].step_rate), s) for (phase, _), s in rates.items()
               if phase == "during" and s.position > 1 and ("before", s.position) in rates]
    changes = [change for change in changes if not math.isnan(change[0])]
    if not changes:
        return ""
    worst = max(changes, key=lambda change: change[0])[1]
    was = rates["before", worst.position]
    return reader.say(
        "The step that changed most is {step}: {during} of those at the step before got there during the campaign, "
        "{before} in the time before.", step=reader.label(worst.step), during=reader.percent(worst.step_rate),
        before=reader.percent(was.step_rate))


def effects(rows: Sequence[StepEffect], asked: Funnel, reader: Reader) -> list[str]:
    """How users of the arms were compared, whether they entered alike, and what came of all who were assigned."""
    said = [_first_entries(asked, reader)]
    for check in (row for row in rows if row.is_check):
        own = [row for row in rows if row.arm == check.arm and not row.is_check]
        said.append(_entering(check, bool(own), reader))
        said += [_assigned(row, reader) for row in own if row.base == "assigned"]
    return said if any(not row.is_check for row in rows) else said[1:]


def _first_entries(asked: Funnel, reader: Reader) -> str:
    how = reader.say("Arms are compared by users, each by the first entry after the assignment.")
    if asked.entry == "first" and asked.unit == "user" and asked.count == "units":
        return how
    return reader.prose([how, reader.say(
        "The funnel above counts otherwise and its rates differ: there, more entries mean more chances.")])


def _entering(check: StepEffect, is_compared: bool, reader: Reader) -> str:
    values = {"arm": reader.label(check.arm), "control": reader.label(check.control),
              "own": reader.percent(check.value_treatment), "other": reader.percent(check.value_control),
              "p": reader.pvalue(check.pvalue), "step": reader.label(check.step)}
    if check.reason and not check.value_treatment:
        return reader.say("Nobody of either arm entered, so there is nothing to compare.")
    if not is_compared:
        nobody = check.control if not check.value_control else check.arm
        return reader.say("In “{nobody}” nobody entered with {step}, so the arms cannot be compared along this path.",
                          nobody=reader.label(nobody), step=values["step"])
    if check.pvalue < ALPHA:
        return reader.say(
            "Entering itself differed: {own} of the users of “{arm}” entered, {other} of “{control}” (p {p}). Those "
            "who entered are therefore different people, and the differences between the steps describe; they are "
            "not the campaign's effect.", **values)
    return reader.say(
        "{own} of the users of “{arm}” entered, {other} of “{control}” (p {p}): no sign that different people entered, "
        "which is what comparing the steps rests on.", **values)


def _assigned(row: StepEffect, reader: Reader) -> str:
    return reader.say(
        "Of all users assigned, entered or not, {own} got to {step} in “{arm}” and {other} in “{control}”: {diff} "
        "({level} interval {interval}). Chance drew these groups, so this difference is the campaign's effect.",
        own=reader.percent(row.value_treatment), other=reader.percent(row.value_control), step=reader.label(row.step),
        arm=reader.label(row.arm), control=reader.label(row.control), diff=reader.points(row.diff),
        level=reader.confidence(row.alpha),
        interval=reader.interval(reader.points(row.diff_lower), reader.points(row.diff_upper)))


def step_effects(rows: Sequence[StepEffect], reader: Reader) -> str:
    """How many steps differ between the arms, among those who entered."""
    own = [row for row in rows if row.base == "entry" and not row.reason]
    differing = [row for row in own if row.pvalue_adjusted < ALPHA]
    return reader.say(
        "Share of first entries that got to each step, arm minus control: {n} of {all} differences are beyond chance "
        "(p adjusted together). Lines are intervals; one that crosses zero leaves the direction open.",
        n=len(differing), all=len(own))


def time_to_convert(moments: Sequence[Moment], time: TimeToConvert, reader: Reader) -> str:
    """By when half of what comes has come, by when all, and the median where there is one."""
    marks = [moment for moment in moments if moment.is_landmark]
    end = marks[-1]
    half = next((moment for moment in marks if moment.share >= end.share / 2), end)
    said = [reader.say("{share} ({interval}) of the entries converted within {time}.", **_by(end, reader))]
    if half is not end:
        said.insert(0, reader.say("{share} ({interval}) of the entries converted within {time}.", **_by(half, reader)))
    if math.isfinite(time.median_seconds):
        upper = reader.duration(time.median_upper) if math.isfinite(time.median_upper) else "∞"
        said.append(reader.say("Half of all entries had converted after {median} ({interval}).",
                               median=reader.duration(time.median_seconds),
                               interval=reader.interval(reader.duration(time.median_lower), upper)))
    else:
        said.append(reader.say("Fewer than half converted, so there is no median time over all entries."))
    if time.n_open or math.isinf(time.window_seconds):
        said.append(reader.say("An entry that may still convert counts for as long as it was seen."))
    return reader.prose(said)


def _by(moment: Moment, reader: Reader) -> dict[str, str]:
    return {"share": reader.percent(moment.share), "time": reader.duration(moment.seconds),
            "interval": reader.interval(reader.percent(moment.share_lower), reader.percent(moment.share_upper))}


def entry_days(days: Sequence[EntryDay], reader: Reader) -> str:
    """The range of days whose windows are over, and how many are not."""
    over = [day for day in days if not day.reason]
    n_open = sum(day.is_open and day.n_entered > 0 for day in days)
    said = []
    if over:
        low, high = min(over, key=lambda day: day.rate), max(over, key=lambda day: day.rate)
        said.append(reader.say(
            "Conversion by day of entry: from {low} ({low_day}, {low_n} entered) to {high} ({high_day}, {high_n} "
            "entered). Lines are 95% intervals: days with few entries differ by chance.",
            low=reader.percent(low.rate), low_day=reader.day(low.day), low_n=reader.count(low.n_entered),
            high=reader.percent(high.rate), high_day=reader.day(high.day), high_n=reader.count(high.n_entered)))
    if n_open:
        said.append(reader.say("Days with a window that is still open are hatched and not compared: {n}.", n=n_open))
    return reader.prose(said)


def drops(rows: Sequence[Drop], reader: Reader) -> str:
    """The cell that loses most beyond what the step loses everywhere."""
    if not rows:
        return reader.say("No segment and no time loses more than chance alone makes of the same rate everywhere.")
    worst = rows[0]
    who = drop_name(worst, len({row.period for row in rows}) > 1, reader)
    return reader.say(
        "Beyond what each step loses everywhere, most were lost before {step} among {who}: {lost} of {n}, where the "
        "rate of all would be {pooled}. With small groups pulled towards that rate, that is {excess} too many.",
        step=reader.label(worst.step), who=who, lost=reader.count(worst.n_lost), n=reader.count(worst.n_before),
        pooled=reader.percent(worst.pooled_rate), excess=reader.number(worst.excess_shrunk, 0))


def drop_name(row: Drop, has_times: bool, reader: Reader) -> str:
    """Segment and time of entry, as far as there are several."""
    when = reader.say("entries in the {period} from {day}", period=reader.say(row.every), day=reader.day(row.period))
    if not row.by:
        return when
    who = segment_of(row.by, row.segment, reader)
    return reader.say("{who}, {when}", who=who, when=when) if has_times else who


def segment_of(by: str, segment: str, reader: Reader) -> str:
    """A segment, with the name of its breakdown where that is asked for."""
    name = _segment(segment, reader)
    return reader.say("{by} {segment}", by=reader.label(by), segment=name) if by else name


def lost_to(rows: Sequence[LostTo], reader: Reader) -> str:
    """What the largest loss did next; what stands out against those who went on."""
    worst = max(rows, key=lambda row: row.n_lost)
    first = next(row for row in rows if row.position == worst.position)
    said = [reader.say("Of the {n} that were lost after {step}, {share} next did: {event}.",
                       step=reader.label(first.step), n=reader.count(first.n_lost), share=reader.percent(first.share),
                       event=next_name(first, reader))]
    apart = [row for row in rows if not row.reason and row.lift_lower > 1]
    if apart:
        most = max(apart, key=lambda row: (row.lift_lower, row.n))
        said.append(reader.say(
            "What stands out most against those who went on is {event} after {step}: {share} against {base}.",
            event=next_name(most, reader), step=reader.label(most.step), share=reader.percent(most.share),
            base=reader.percent(most.base_rate)))
    said.append(reader.say("What came next need not be why."))
    return reader.prose(said)


def next_name(row: LostTo, reader: Reader) -> str:
    return reader.label(row.event) if row.event else reader.say("nothing more within the window")


def _segment(name: str, reader: Reader) -> str:
    return reader.label(name) if name else reader.say("(none)")
