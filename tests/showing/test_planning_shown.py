"""A plan in words and tables: what it reads like, in both languages, for every answer it can give."""

from __future__ import annotations

import re
from dataclasses import fields
from functools import cache

import pytest

from analysis.results.planning.answers import answers
from analysis.results.planning.smart import Smart
from analysis.showing import Reader
from analysis.showing.planning import rules, sections, tables, words
from analysis.showing.table import Html, Table
from tests.results.test_planning import ARMS, METRICS, TWICE
from tests.results.test_planning import tables as shop_tables
from tests.tables import before

LATIN = {"Holm", "CUPED", "UTC", "plan", "baseline", "CNY",                                 # methods, names of keys
         "money", "buyers", "basket", "orders", "later", "go", "run", "city", "gifts", "gift", "event"}   # of the data
GOALS = ("goals: [{metric: money, target: +40%}, {metric: basket, target: +5%, priority: 2}, "
         "{metric: orders, target: 1}]\n")
AFTER = "after: {start: 2024-03-06, end: 2024-03-07}\n"
LATER = METRICS + "  later: {sum: orders.amount, over: after, role: guardrail, margin: 1%}\n"
PLANS = {
    "seen": ARMS + GOALS + "plan: {effect: 300%, days: 3}\n",
    "missed": ARMS + GOALS + "plan: {effect: 9%, days: 3}\n",
    "missed but for days": ARMS + "plan: {effect: 60%, days: 14}\n",
    "nothing wished": ARMS + "plan: {days: 3}\n",
    "nobody held out": GOALS + "plan: {effect: 300%, days: 2}\n",
    "no hold-out will do": "plan: {effect: 1%, days: 2}\n",
    "several arms": "arms: {control: stay, shares: {stay: 40%, go: 30%, run: 30%}}\nplan: {effect: 9%, days: 2}\n",
    "clusters": "arms: {control: stay, shares: {stay: 50%, go: 50%}, cluster: city}\nplan: {effect: 9%, days: 2}\n",
    "strata and looks": "arms: {control: stay, shares: {stay: 50%, go: 50%}, strata: [tier]}\n"
                        "effects: {adjust: none, looks: {method: pocock, planned: 3}}\nplan: {effect: 9%, days: 2}\n",
    "guardrail": LATER + AFTER + ARMS + "goals: [{metric: money, target: +300%}]\nplan: {days: 2}\n",
    "long": ARMS + GOALS + "period: {start: 2024-03-04, end: 2024-04-12}\n"
                           "baseline: {start: 2024-01-24, end: 2024-03-03}\nplan: {}\n",
    "never happened": ARMS + "metrics: {gifts: {count: events, where: {event: gift}, role: primary}}\n"
                             "goals: [{metric: gifts, target: 100}]\nplan: {days: 2}\n",
}


@cache
def planned(name):
    return before(METRICS + TWICE + PLANS[name], **shop_tables())


@cache
def unlisted():
    made = {name: frame for name, frame in shop_tables().items() if name != "users"}
    return before(METRICS + TWICE + "plan: {effect: 9%, days: 3}\n", **made)


def shown(past, language):
    """Everything that a plan says, by section."""
    reader, found = Reader.of(past.campaign, language), answers(past)
    return {"verdict": [words.verdict(found, reader)], "glance": [sections.glance(past, found, reader)],
            "trust": sections.trust(past, found, reader), "goals": sections.goals(past, found, reader),
            "reach": sections.reach(past, found, reader), "holdouts": sections.holdouts(found, reader),
            "limits": [sections.limits(past, found, reader)], "rules": [rules.rules(past, found, reader)]}


def texts(parts):
    for part in parts:
        if isinstance(part, Html):
            yield part.text
        elif isinstance(part, Table):
            yield part.caption
            yield from (column.heading for column in part.columns)
            yield from (cell.text for row in part.rows for cell in row)
        else:
            yield part.alt
            yield from re.findall(r"<text[^>]*>(.*?)</text>", part.svg, re.S)


@pytest.mark.parametrize("name", [*PLANS, "unlisted"])
def test_every_plan_is_told_in_both_languages(name):
    past = unlisted() if name == "unlisted" else planned(name)
    for language in ("en", "zh"):
        said = [text for parts in shown(past, language).values() for text in texts(parts)]
        assert said and not [text for text in said if "{" in text or "nan" in text.lower().split()]
        if language == "zh":
            spoken = {word for text in said for word in re.findall(r"[A-Za-z]{2,}", text)}
            assert {word for word in spoken if word.lower() not in {known.lower() for known in LATIN}} == set()


def verdict(name):
    return shown(planned(name), "en")["verdict"][0].text


def test_the_first_screen_says_whether_a_wish_will_be_seen():
    assert verdict("seen").startswith("The wished effects can be seen\nMoney: if the campaign truly changes it by "
                                      "+300.0%, 2 days will show it with a chance of ")
    assert verdict("missed").startswith("A wished effect cannot be seen\n")
    assert "Money: each of these alone would do: an effect of +" in verdict("missed")
    assert re.search(r"would do: \d+ days instead of 2 days;", verdict("missed but for days"))


def test_what_cannot_be_seen_is_said():
    assert re.search(r"Money: the smallest effect that 80% of such campaigns show is \+\d+\.\d%; one half as large "
                     r"would be missed in \d+% of them\.", verdict("missed"))


def test_why_there_is_no_answer_is_said():
    assert "Nobody has said how large an effect is hoped for." in verdict("nothing wished")
    assert "As planned everybody gets the campaign" in verdict("nobody held out")
    assert "of the users held out" in verdict("nobody held out")
    assert "even with half of the users held out" in verdict("no hold-out will do")
    assert "Gifts: nothing can be planned with its past (never happened in the past)." in verdict("never happened")


def test_a_guardrail_that_is_not_shown_to_hold_is_named_with_its_margin():
    assert "Later: that it gets worse by less than 1.0% will be shown with a chance of" in verdict("guardrail")


def test_arms_are_named_where_there_are_several():
    assert "Money · go: if the campaign" in verdict("several arms") and "Money · run: if" in verdict("several arms")


def test_goals_that_need_attention_say_why():
    found = [text for parts in shown(planned("missed"), "en").values() for text in texts(parts)]
    assert "attention (several goals come first)" in found and "attention (is reached already)" in found
    assert any(text.startswith("Money: 0 of ") and "past stretches of 2 days changed by +40.0% or more" in text
               for text in "\n".join(found).split("\n"))


def test_limits_say_that_the_past_may_be_unlike_the_campaign():
    limits = shown(planned("long"), "en")["limits"][0].text
    assert "Past days are taken to be like the campaign's" in limits
    assert "The past is shorter than the campaign: it is judged at 15 days instead of 40 days." in limits
    assert "A goal against the time before also holds the season" in limits
    assert "Without a table of users" in shown(unlisted(), "en")["limits"][0].text


def test_levels_and_clusters_are_in_the_definitions():
    told = shown(planned("strata and looks"), "en")["rules"][0].text
    assert "of metrics or arms that are judged together each gets its share (buyers 3, basket 3, orders 3)" in told
    assert "Looking before the end costs some of it" in told
    told = shown(planned("clusters"), "en")["rules"][0].text
    assert re.search(r"Arms are drawn by city\..* money −?[\d.]+ \(12 clusters\)", told)


def test_every_code_of_a_goal_has_words():
    reader, row = Reader(), {field.name: 0 for field in fields(Smart)}
    for code in words.SHORT:
        assert words.why(code, reader) != code
        made = Smart(**row | {"specific": code, "measurable": "", "achievable": "", "relevant": "", "time_bound": ""})
        assert bool(words.open_questions(made)) == (code not in words.FINE)


def test_tables_have_as_many_cells_as_columns_and_unique_columns():
    for parts in shown(planned("guardrail"), "en").values():
        for table in (part for part in parts if isinstance(part, Table)):
            keys = [column.key for column in table.columns]
            assert len(set(keys)) == len(keys) and {len(row) for row in table.rows} <= {len(keys)}
    assert tables.VERDICTS.keys() == tables.MARKS.keys()
