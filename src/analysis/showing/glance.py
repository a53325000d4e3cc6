"""The reader's questions at a glance: one line each, no number that does not stand further down, and where it does."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from analysis.facts.population import Facts
from analysis.results.editions.change import Since
from analysis.results.funnel import Step
from analysis.results.goals import Goal
from analysis.results.money import Cost
from analysis.results.next_steps import NextStep, net
from analysis.results.retention import Cell
from analysis.results.segments import SegmentTest
from analysis.results.trust import Check
from analysis.results.uplift import Uplift
from analysis.showing import retention, words
from analysis.showing.editions import words as editions_words
from analysis.showing.effects import words as effects_words
from analysis.showing.funnels import words as funnel_words
from analysis.showing.reader import Reader
from analysis.showing.table import Html
from analysis.showing.tables import CHECKS

NEXT = {
    "guardrail_broken": "Do not repeat it as it is: {subject} got worse by more than was allowed.",
    "guardrail_open": "Before repeating it, find out whether {subject} holds: the data do not rule out more harm than "
                      "was allowed.",
    "too_few_users": "To see a difference of {size} in {subject}, it takes about {n} users in the same shares{even}; "
                     "this time there were {had}.",
    "moved_forward": "It is open whether the gain of {size} per user was only moved forward: to see as much in "
                     "{subject}, it takes about {n} users in the same shares{even}; this time there were {had}.",
    "no_control_group": "Next time keep a random part of the users out of the campaign: only then can its effect be "
                        "measured. The command “campaign plan” says how large that part has to be.",
    "largest_loss": "Look first at the step before “{subject}”: no other step lost as many users ({n}).",
}
EVEN = 0.8    # of the users that it takes in the arms' own shares: fewer in equal ones are worth telling
MEASURED = ("balance", "coverage", "calibration", "leverage")   # checks that count nothing
CHECKED = {"check_failed": "Mend the data first, then run the report again: {checks}.",
           "check_warns": "Look into the checks that need attention: {checks}."}


def glance(
    facts: Facts, checks: Sequence[Check], effects: Sequence[Uplift], reached: Sequence[Goal],
    tests: Sequence[SegmentTest], costs: Sequence[Cost], steps: Sequence[Step], cells: Sequence[Cell],
    since: Since | None, ahead: Sequence[NextStep], reader: Reader,
) -> Html:
    """Can I trust it, was it worth it, where were users lost, who reacted, who stayed, what not to believe, what next.

    The answer itself stands in the box above, and each goal in the table.
    """
    say = reader.say
    asked, first = facts.campaign.retention, next(iter(facts.campaign.funnels), "")
    own = [step for step in steps if step.funnel == first]
    return lines([
        (say("Can I trust it?"), "trust", [trust(checks, reader)]),
        (say("Was it worth it?"), "costs" if costs else "limits", worth(costs, effects, net(facts, effects), reader)),
        (say("Where were users lost?"), "funnels",
         [funnel_words.largest_loss(own, facts.campaign, reader), funnel_words.phases(own, reader)]),
        (say("Who reacted?"), *_who(facts, tests, own, reader)),
        (say("Did they stay?"), "retention", [retention.came_back(list(cells), asked, reader)] if asked else []),
        (say("What changed?"), "since" if facts.campaign.series else "", _since(facts, since, reader)),
        (say("What should I not believe?"), "limits", _doubts(facts, effects, reached, reader)),
        (say("What next?"), "", next_steps(ahead, reader)),
    ], reader)


def _doubts(facts: Facts, effects: Sequence[Uplift], reached: Sequence[Goal], reader: Reader) -> list[str]:
    """The numbers of this page that are most easily taken for more than they are."""
    said = [words.limits(facts, reader)[0]] if facts.campaign.arms is None else []
    changes = [reader.say("{metric} {change}", metric=reader.label(goal.metric), change=reader.signed(goal.change))
               for goal in reached if goal.against == "before" and not math.isnan(goal.change)]
    if changes and facts.campaign.arms is not None:
        said.append(reader.say("The change against the time before is not the effect of the campaign: {changes}.",
                               changes=reader.say(", ").join(changes)))
    if any(row.verdict == "cannot_tell" for row in net(facts, effects)) and any(
            row.role == "primary" and row.verdict == "better" for row in effects):
        said.append(reader.say("What came during the campaign may have been moved forward: it is no gain yet."))
    return said or [words.limits(facts, reader)[0]]


def lines(rows: Sequence[tuple[str, str, Sequence[str]]], reader: Reader) -> Html:
    """Question, the section that says more, sentences; a question without an answer is left out."""
    html, text = "", []
    for question, section, sentences in rows:
        said = [sentence for sentence in sentences if sentence]
        if said:
            term = f'<a href="#{section}">{escape(question)}</a>' if section else escape(question)
            each = [reader.prose(said)] if section else said   # things to do stand one below the other
            html += f"<dt>{term}</dt>" + "".join(f"<dd>{escape(line)}</dd>" for line in each)
            text.append(f"{question} {reader.prose(said)}")
    return Html(f'<dl class="glance">{html}</dl>', "\n".join(text))


def trust(checks: Sequence[Check], reader: Reader) -> str:
    """Which checks failed and what they found; which only warn, and of how many."""
    warn: dict[str, Check] = {}
    for check in checks:
        if check.state == "warn":
            warn.setdefault(check.name, check)
    if not warn or any(check.state == "fail" for check in checks):
        return words.trust(list(checks), reader)
    return reader.say("No check failed; these need attention: {checks}.",
                      checks=reader.say(", ").join(_warned(check, reader) for check in warn.values()))


def _warned(check: Check, reader: Reader) -> str:
    name = reader.say(CHECKS[check.name])
    if check.name in MEASURED or not math.isnan(check.pvalue):
        return name
    return reader.say("{check} ({found} of {n})", check=name, found=reader.count(check.found), n=reader.count(check.n))


def worth(costs: Sequence[Cost], effects: Sequence[Uplift], both: Sequence[Uplift], reader: Reader) -> list[str]:
    """What it cost beside what it brought, and what of that cannot be said.

    both   effects over the campaign and the time after it together
    """
    if not costs:
        return [reader.say("No cost is stated, so nothing is said about whether it was worth it.")]
    primary = [row for row in effects if row.role == "primary" and not row.reason]
    cost = words.costs(list(costs), reader)
    if not primary:
        return [cost, reader.say("What it earned is not known, so whether it paid cannot be said.")]
    if any(row.verdict == "better" for row in primary):
        gained = [_gained(row, reader) for row in primary if row.verdict == "better"]
        left = [_with_after(row, reader) for row in both if not row.reason]
        return [cost, *gained, *left, reader.say("Without margins nothing is said about profit.")]
    return [cost, reader.say("It is not shown that it brought more, and so not that it was worth that.")]


def _gained(row: Uplift, reader: Reader) -> str:
    return reader.say("{metric}: {total} more in all ({interval}) than without the campaign.",
                      metric=reader.title(row.metric), **_in_all(row, reader)) if not math.isnan(row.total) else ""


def _with_after(row: Uplift, reader: Reader) -> str:
    return reader.say("With the time after it is {total} in all ({interval}).",
                      **_in_all(row, reader)) if not math.isnan(row.total) else ""


def _in_all(row: Uplift, reader: Reader) -> dict[str, str]:
    total, lower, upper = (reader.total(value, "users" if row.unit == "share" else row.unit)
                           for value in (row.total, row.total_lower, row.total_upper))
    return {"total": total, "interval": reader.interval(lower, upper)}


def _who(facts: Facts, tests: Sequence[SegmentTest], steps: Sequence[Step], reader: Reader) -> tuple[str, list[str]]:
    """Segments of the effect where the params name some; else those of the first funnel."""
    if tests:
        has_arms = len({test.arm for test in tests}) > 1
        return "segments", [effects_words.segment_test(test, has_arms, reader) for test in tests]
    by = next((step.by for step in steps if step.by not in ("", "phase")), "")
    if by:
        return "funnels", [funnel_words.by_segment(list(steps), by, reader)]
    return "limits", [reader.say("Without a control group nobody can tell who reacted to the campaign.")
                      if facts.campaign.arms is None else reader.say("No groups of users are told apart.")]


def _since(facts: Facts, found: Since | None, reader: Reader) -> list[str]:
    """What is compared with what, and what differs most."""
    if facts.campaign.series is None:
        return [reader.say("No earlier edition is named, so nothing is compared.")]
    return [*editions_words.summary(found, reader)[:2], editions_words.most_changed(found, reader),
            editions_words.overlap(found, reader)] if found else [
        reader.say("No earlier edition of this series has a report here.")]


def next_steps(ahead: Sequence[NextStep], reader: Reader) -> list[str]:
    """One sentence for each reason; checks together."""
    said = []
    for reason, message in CHECKED.items():
        names = dict.fromkeys(reader.say(CHECKS[step.subject]) for step in ahead if step.reason == reason)
        if names:
            said.append(reader.say(message, checks=reader.say(", ").join(names)))
    others = [_next(step, reader) for step in ahead if step.reason in NEXT]
    return [*others[:-1], *said, *others[-1:]] if others and ahead[-1].reason == "largest_loss" else [*others, *said]


def _next(step: NextStep, reader: Reader) -> str:
    even = reader.say(", or {n} in equal ones", n=reader.count(step.n_even))
    return reader.say(
        NEXT[step.reason], subject=reader.label(step.subject), size=reader.difference(step.size, step.unit),
        n=reader.count(step.n_users), had=reader.count(step.n_had),
        even=even if step.n_even < EVEN * step.n_users else "")
