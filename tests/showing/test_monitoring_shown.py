"""A running campaign in words, tables and charts: what a reader is told for what was seen."""

import math
import re
from dataclasses import replace

import pytest

from analysis.results.running.arrival import Arrival, last_rows
from analysis.results.running.breaks import Break
from analysis.results.running.course import at_tick, course, left_out
from analysis.results.running.decision import decide, watch
from analysis.results.running.outlook import Unseen, outlook, unseen
from analysis.results.running.split import split
from analysis.showing import Reader, figures
from analysis.showing.monitoring import rules, sections, tables, words
from tests.running import PARAMS, watched
from tests.running import tables as drawn
from tests.tables import observed


class Look:
    """All that a page is made of."""

    def __init__(self, facts, language="en"):
        self.facts, self.reader = facts, Reader.of(facts.campaign, language)
        self.when = sections.when_of(facts, self.reader)
        self.seen, self.path = watch(facts), course(facts)
        self.answer = decide(facts, self.seen, self.path)
        self.effects = at_tick(self.path, self.answer.claim_tick)
        self.ahead, self.out = outlook(facts, self.answer, self.path), left_out(facts)

    @property
    def box(self):
        return words.decision(self.answer, self.seen, self.effects, self.ahead, self.when, self.reader)

    def all(self):
        when, reader, arms = self.when, self.reader, split(self.facts)
        yield self.box
        yield sections.glance(self.seen, last_rows(self.facts), arms, self.effects, self.out, when, reader)
        yield from sections.arrivals(self.seen, when, reader)
        yield from sections.split(self.seen, arms, when, reader)
        yield from sections.guardrails(self.path, self.out, self.effects, when, reader)
        yield from sections.effect(self.path, self.effects, when, reader)
        yield from sections.breaks(self.seen, self.answer, when, reader)
        yield sections.limits(self.answer, unseen(self.facts, self.out), self.out, when, reader)
        yield rules.rules(self.facts, self.answer, when, reader)


@pytest.mark.parametrize(("how", "language", "said"), [
    ({"days": 6}, "en", ["Go on", "As of the end of 9 Mar 2024, day 6 of 14.", "would be enough to decide",
                         "8 days are left"]),
    ({"days": 6}, "zh", ["继续进行", "截至 2024年3月9日 结束：活动第 6 天，共 14 天。", "还剩 8 天"]),
    ({"days": 9, "lift": 0.35}, "en", ["Decided: it can stop", "The primary metric is better.", "Money so far"]),
    ({"days": 9, "lift": -0.35}, "en", ["Decided: it can stop", "The primary metric is worse."]),
    ({"days": 9, "skip": [9]}, "en", ["Something is broken", "No row arrived: Events, 12 Mar 2024."]),
    ({"days": 9, "change": {(9, "go"): 0.4}}, "en", [
        "Something is broken", "12 Mar 2024, go against control, off what was to be expected: money −",
        "A break in one arm only speaks of an error in the treatment."]),
    ({"days": 9, "change": {9: 0.5}}, "zh", ["出了问题", "各组合计偏离预期：", "收到"]),
    ({"days": 14}, "en", ["The period is over", "There is nothing left to watch", "may still tell more"]),
    ({"days": 5, "to_treatment": 0.62}, "en", ["Something is broken", "The arms are not as large as planned"]),
    ({"days": 9, "visits": -0.5, "n": 1200}, "en", ["Guardrail broken: Visits"]),
    ({"days": 3, "until": 3}, "en", ["Go on", "The campaign begins on 4 Mar 2024.", "No day of the campaign is over"]),
    ({"days": 1, "n": 100}, "en", ["It is too early to tell"])])
def test_the_first_screen_says_it(how, language, said):
    look = Look(watched(**how), language)
    for sentence in said:
        assert sentence in look.box.text, look.box.text
    assert (" per user in go" in look.box.text) == (language == "en" and "Money so far" in look.box.text)


def test_a_decided_metric_that_waits_for_its_guardrail_is_not_called_open():
    told = Look(watched(days=9, lift=0.35, visits=-0.18)).box.text
    assert "Go on" in told and "Guardrail not shown to hold: Visits" in told
    assert "and it is now; only the guardrails are still open" in told
    assert "left it open again" not in told and "would be enough to decide" not in told


def test_what_is_broken_is_not_mixed_with_effects():
    assert "Money so far" not in Look(watched(days=9, skip=[9], lift=0.35)).box.text


@pytest.mark.parametrize(("how", "state"), [
    ({"days": 6}, "cannot_tell"), ({"days": 9, "lift": 0.35}, "works"), ({"days": 9, "lift": -0.35}, "does_not"),
    ({"days": 9, "skip": [9]}, "do_not_trust")])
def test_the_box_looks_like_what_it_says(how, state):
    assert f'class="verdict {state}"' in Look(watched(**how)).box.html


HOURS = PARAMS.replace("{start: 2024-03-04, end: 2024-03-17}", "{start: 2024-03-11, end: 2024-03-11}").replace(
    "{start: 2024-02-05, end: 2024-03-03}", "{start: 2024-02-12, end: 2024-03-10}")
PLANS = {"hours": lambda: observed(HOURS + "data_until: 2024-03-11 15:00", **drawn(days=9)),
         "planned": lambda: watched("effects: {looks: {method: pocock, planned: 3}}", days=9),
         "windows": lambda: observed(PARAMS[:PARAMS.index("metrics:")] + "metrics:\n  money: {sum: orders.amount, "
                                     "window: 3 days, role: primary}\ndata_until: 2024-03-08", **drawn(days=9)),
         "nothing yet": lambda: watched(days=3, until=3), "one day": lambda: watched(days=1, n=100)}


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("plan", PLANS)
def test_every_part_can_be_shown_whatever_there_is(plan, language):
    for part in Look(PLANS[plan](), language).all():
        shown = part._repr_mimebundle_()
        text = getattr(part, "text", "") or getattr(part, "alt", "") or part.html()
        assert shown and not re.search(r"\bnan\b|[{}]", text)


def test_hours_are_named_by_their_end():
    look = Look(PLANS["hours"]())
    assert "As of 15:00, hour 15 of 24." in look.box.text
    assert look.when.at(24) == "24:00" and look.when.short(1) == "01:00" and look.when.several(1) == "1 hour"


def test_a_planned_look_to_come_is_told():
    told = Look(PLANS["planned"]()).box.text
    assert "The next planned look is that of 13 Mar 2024." in told


def test_twice_the_rows_may_have_been_loaded_twice():
    look = Look(watched(days=6))
    twice = Arrival("events", 6, 2000, 1000.0, 800.0, 1250.0, "many")
    assert words.arrival(twice, look.when, look.reader) == (
        "Events, 9 Mar 2024: 2,000 rows arrived, where 1,250 at most were to be expected. They may have been loaded "
        "twice.")


def test_breaks_of_one_day_are_one_sentence_for_each_arm():
    look = Look(watched(days=6))
    rows = [Break(name, "", arm, 6, 0.5, 1.0, 0.8, 1.2, -0.5, True) for arm in ("", "go") for name in ("a", "b")]
    said = words.broken(rows, look.when, look.reader)
    assert len(said) == 2 and said[0].startswith("9 Mar 2024, go against control") and "a −50.0%, b −50.0%" in said[1]


def test_what_stopping_would_leave_unseen_is_told():
    look = Look(watched(days=9, lift=0.35))
    said = " ".join(words.limits(look.answer, Unseen(5, (5, 6), 14.0, 1), look.out, look.when, look.reader))
    for sentence in ("5 days of the period would not be seen", "not seen: Saturday, Sunday.", "only moved forward",
                     "found early is overestimated"):
        assert sentence in said


def test_long_tables_show_the_last_look_and_the_file_has_all():
    look = Look(watched(days=9))
    table = tables.course(look.path, look.when, look.reader)
    assert (len(table.rows), table.n_shown) == (45, 8) and table.rows[0][0].text == "12 Mar 2024"
    table = tables.breaks(look.seen.breaks, look.when, look.reader)
    assert (len(table.rows), table.n_shown) == (90, 10)


# --- charts ---

def lines(ax):
    return {line.get_label(): line for line in ax.get_lines()}


def test_the_interval_for_looking_early_is_drawn_beside_that_of_a_single_look():
    look = Look(watched(days=9))
    rows = [row for row in look.path if row.role == "primary"]
    ax = figures.plot_course(rows, look.when, look.reader)
    assert list(lines(ax)["effect so far"].get_ydata()) == [row.rel_diff for row in rows]
    assert list(lines(ax)["interval as if looked at once"].get_ydata()) == [row.fixed_lower for row in rows]
    (band,) = ax.collections
    assert band.get_label() == "interval for looking early"
    low, high = ax.get_ylim()
    assert low < rows[-1].rel_diff_lower < rows[-1].rel_diff_upper < high and low < 0 < high
    assert ax.get_xlim() == (0.4, 14.6)          # the days to come have their place


def test_planned_looks_are_bars_and_a_guardrail_has_its_limit():
    look = Look(PLANS["planned"]())
    ax = figures.plot_course([row for row in look.path if row.role == "primary"], look.when, look.reader)
    assert len(ax.collections[0].get_segments()) == 1    # of the first of three planned looks
    ax = figures.plot_course([row for row in look.path if row.role == "guardrail"], look.when, look.reader)
    assert list(lines(ax)["limit −20%"].get_ydata()) == [-0.2, -0.2]


def test_rows_that_are_not_as_expected_have_a_cross():
    look = Look(watched(days=9, change={9: 0.5}))
    rows = [row for row in look.seen.arrivals if row.table == "events"]
    ax = figures.plot_rows(rows, look.when, look.reader)
    assert [patch.get_height() for patch in ax.patches] == [row.n_rows for row in rows]
    assert list(lines(ax)["not as expected"].get_xdata()) == [9]
    assert ax.get_legend().get_texts()[0].get_text() == "rows"


def test_breaks_and_the_split_are_drawn_where_they_are():
    look = Look(watched(days=9, change={9: 0.5}))
    rows = [row for row in look.seen.breaks if (row.metric, row.arm) == ("orders", "")]
    ax = figures.plot_breaks(rows, look.when, look.reader)
    assert list(lines(ax)["break"].get_xdata()) == [9]
    infinite = [*rows[:-1], replace(rows[-1], value=math.inf)]
    assert math.isfinite(figures.plot_breaks(infinite, look.when, look.reader).get_ylim()[1])
    arms = split(look.facts)
    ax = figures.plot_split(arms, look.when, look.reader)
    assert list(lines(ax)["go"].get_ydata()) == [row.share - 0.5 for row in arms if row.arm == "go"]


def test_charts_of_nothing_say_so():
    look = Look(watched(days=6))
    for draw in (figures.plot_rows, figures.plot_split, figures.plot_course, figures.plot_breaks):
        assert [text.get_text() for text in draw([], look.when, look.reader).texts] == ["Nothing to show"]
