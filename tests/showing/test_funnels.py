"""What is said of a funnel follows the data, and never says more than they do."""

from __future__ import annotations

import pytest

from analysis.results.funnel import Step, funnels
from analysis.results.paths import paths
from analysis.showing.funnels import section, tables, words
from analysis.showing.funnels.rules import rules
from analysis.showing.picture import Picture
from analysis.showing.reader import Reader
from analysis.showing.table import Html, Table
from tests.results.test_funnel import random_log
from tests.tables import observed

EN, ZH = Reader("en"), Reader("zh")
ARMS = "arms: {control: stay, shares: {stay: 50%, go: 50%}}\n"


def shown(said, params="", reader=EN, log=None, **tables):
    """Names of the tables of the section, the pictures, and all that is said."""
    facts = observed(f"funnels: {{path: {said}}}\n{params}", events=random_log(2) if log is None else log, **tables)
    steps = funnels(facts)
    stack = section.funnels(facts, steps, paths(facts, steps), reader)
    return ([item.name.removeprefix("funnel_path") for item in stack if isinstance(item, Table)],
            [item for item in stack if isinstance(item, Picture)],
            " ".join(item.text for item in stack if isinstance(item, Html)))


def assigned(n=400):
    return "user|variant|at\n" + "\n".join(f" u{i}|{'go' if i % 2 else 'stay'}|03-01" for i in range(n))


@pytest.mark.parametrize("reader", [EN, ZH])
def test_with_everything_there_every_block_is_there(reader):
    names, pictures, _ = shown("{steps: [a, b, c], window: 2 days, by: [page]}", ARMS, reader, assignments=assigned())
    assert names[:5] == ["", "_arms", "_times", "_days", "_lost_to"] and names[-1] == "_by_page"
    assert len(pictures) == 5 and all(picture.alt for picture in pictures)


def test_without_arms_and_segments_they_leave_no_trace():
    names, _, said = shown("{steps: [a, b, c], window: 2 days}")
    assert not {"_arms", "_by_page"} & set(names)
    assert "assign" not in said and "arm" not in said.split()


def test_a_funnel_of_another_time_is_only_shown_itself():
    facts = observed("funnels: {path: {steps: [a, b], window: none}, "
                     "long: {steps: [a, b], window: none, period: {start: 2024-03-01, end: 2024-03-20}}}",
                     events=random_log(2))
    found = paths(facts, funnels(facts))
    assert {row.funnel for row in (*found.times, *found.days, *found.lost_to)} == {"path"}
    assert [row.funnel for row in found.counted] == ["path", "long"]


def test_an_arm_that_cannot_enter_is_said_to_be_so_and_nothing_is_drawn():
    log = random_log(2)
    log = log[~((log.event == "a") & (log.user_id.str[1:].astype(int) % 2 == 0))]
    names, _, said = shown("{steps: [a, b], window: 2 days}", ARMS, assignments=assigned(), log=log)
    assert "In “stay” nobody entered with a" in said and "_arms" not in names


def effects_said(share_of_control, params="{steps: [a, b], window: 2 days}"):
    """Of 400 users all of the arm enter, and a share of control."""
    rows = [(f"u{i}", event, f"2024-03-05 0{h}:00") for i in range(400) for h, event in enumerate("ab")
            if (i % 2 or i < 400 * share_of_control) and (event == "a" or i % 3)]
    log = "user|event|at\n" + "\n".join(f" {u}|{e}|{at[5:]}" for u, e, at in rows)
    return shown(params, ARMS, log=log, assignments=assigned())[2]


def test_steps_after_an_entry_that_differs_are_no_effect():
    said = effects_said(0.5)
    assert "Entering itself differed: 100.0%" in said and "not the campaign's effect" in said
    assert "Chance drew these groups" in said


def test_an_entry_that_does_not_differ_is_said_too():
    said = effects_said(1.0)
    assert "no sign that different people entered" in said and "Entering itself differed" not in said


def test_the_page_says_why_arms_are_counted_otherwise_than_the_funnel():
    assert "more entries mean more chances" in effects_said(1.0)
    assert "more entries mean more chances" not in effects_said(1.0, "{steps: [a, b], window: 2 days, entry: first}")


def test_per_assigned_user_nothing_is_said_while_windows_are_open():
    log = "user|event|at\n u0|a|03-05\n u1|a|03-05\n u1|b|03-06\n u2|a|03-10 12:00"
    params = ARMS + "data_until: 2024-03-10"
    said = shown("{steps: [a, b], window: 2 days}", params, log=log, assignments=assigned(4))[2]
    assert "Of all users assigned" not in said


def test_an_entry_that_may_still_convert_is_named_only_where_there_is_one():
    def alt(params):
        pictures = shown("{steps: [a, b, c], window: 2 days}", params)[1]
        return " ".join(picture.alt for picture in pictures)

    assert "may still convert" in alt("data_until: 2024-03-10") and "still open" in alt("data_until: 2024-03-10")
    assert "may still convert" not in alt("") and "still open" not in alt("")


def test_open_windows_have_a_column_only_where_there_are_some():
    def columns(params):
        facts = observed(f"funnels: {{path: {{steps: [a, b, c], window: 2 days}}}}\n{params}", events=random_log(2))
        table = tables.whole(funnels(facts), EN)
        assert {len(row) for row in table.rows} == {len(table.columns)}
        return [column.key for column in table.columns]

    assert "n_reached" in columns("data_until: 2024-03-10") and "n_reached" not in columns("")


def test_a_long_table_is_cut_on_the_page_and_whole_in_the_file():
    facts = observed("funnels: {path: {steps: [a, b], window: 2 days}}", events=random_log(2))
    table = tables.entry_days(paths(facts, funnels(facts)).days, EN)
    assert len(table.rows) == 7 and table.html().count("<tr>") == 1 + tables.MOST_SHOWN
    assert f"rows 1 to {tables.MOST_SHOWN} of 7" in table.html() and "rows" not in table.caption
    assert len(table._repr_mimebundle_()["application/vnd.campaign.table+json"]["rows"]) == 7


def test_where_nothing_stands_out_it_is_said():
    assert "No segment and no time" in words.drops([], EN)


def step(position: int, name: str, n: int, lost: int, reason: str = "") -> Step:
    return Step("path", "", "", position, name, n, 100, n, n / 100, 0.0, 1.0, 0.5, 0.0, 1.0, lost, 60.0, reason=reason)


def campaign_with(window):
    return observed(f"funnels: {{path: {{steps: [a, b], window: {window}}}}}", events=random_log(2)).campaign


def test_the_largest_loss_is_told_with_what_stood_before_it():
    steps = [step(1, "visit", 100, 0), step(2, "cart", 40, 60), step(3, "pay", 30, 10)]
    assert words.largest_loss(steps, campaign_with("2 days"), EN) == (
        "Between “visit” and “cart”: 60 of 100 stop there. 30.0% of those that entered complete every step within "
        "2 days.")
    assert words.largest_loss(steps, campaign_with("none"), EN).endswith("complete every step.")


@pytest.mark.parametrize("steps", [
    [], [step(1, "visit", 5, 0, "all_open"), step(2, "pay", 0, 5)], [step(1, "visit", 5, 0), step(2, "pay", 5, 0)]])
def test_there_is_no_line_where_nothing_was_lost_or_is_over(steps):
    assert words.largest_loss(steps, campaign_with("2 days"), EN) == ""


# --- the rules that were used ---

def said_rules(said):
    log = ("user|event|at|session|page\n u|a|03-04|s|x\n u|b|03-05||x\n u|c|03-06|s|x\n u|x|03-04 12:00|s|x")
    facts = observed(f"funnels: {{path: {said}}}", events=log)
    counted = {row.funnel: row for row in paths(facts, funnels(facts)).counted}
    return [rules(facts, facts.campaign.funnels["path"], counted["path"], reader) for reader in (EN, ZH)]


@pytest.mark.parametrize(("said", "part"), [
    ("{steps: [a, b], window: none}", "no window"),
    ("{steps: [a, b], window: 7 days}", "7 days from step 1, bound included"),
    ("{steps: [a, b], window: 7 days}", "the best of a user's entries counts"),
    ("{steps: [a, b], window: 7 days, entry: first}", "only the first entry counts"),
    ("{steps: [a, b], window: 7 days, count: entries}", "every entry counts"),
    ("{steps: [a, b], window: 7 days}", "at the same time, in the order of the steps"),
    ("{steps: [a, b], window: 7 days, ties: strictly_later}", "a step at the same time as the one before does not"),
    ("{steps: [a, b], window: 7 days, order: strict}", "each step is the unit's next event"),
    ("{steps: [a, b], window: 7 days, order: unordered}", "step k is any k of the steps"),
    ("{steps: [a, b], window: none, order: any}", "steps 1 to k in whatever order"),
    ("{steps: [a, b], window: 7 days, grace: 2 seconds}", "up to 2 seconds before"),
    ("{steps: [a, {}], window: 7 days, reuse: true}", "one event may be two steps"),
    ("{steps: [a, b, c], window: 7 days, optional: [2]}", "may be left out: b"),
    ("{steps: [a, b], window: 7 days, constant: page}", "page stays the same"),
    ("{steps: [{event: a, occurrence: first_ever}, b], window: 7 days}", "only the first a of all counts as a"),
    ("{steps: [a, b], window: 7 days, exclusions: [x]}", "without x between a and b; it ends the attempt, a clean one "
                                                        "counts; taken out by this: 0 of the entries, 1 of"),
    ("{steps: [a, b], window: 7 days, exclusions: [x], excluded: remove_user}", "1 of the entries"),
    ("{steps: [a, b], window: 7 days, where: {page: [x]}}", "only rows where page is x"),
    ("{steps: [a, b], window: 7 days, by: [page]}", "breakdowns by the last value known at entry"),
    ("{steps: [a, b], window: 7 days, by: [page], attribution: step 2}", "breakdowns by the value at b"),
    ("{steps: [a, b], window: 7 days, by: [page], attribution: last_touch}", "breakdowns by the last value known"),
    ("{steps: [a, b], window: 7 days, ranges: events}", "only events from"),
    ("{steps: [a, b], window: 7 days}", "followed to the end of the data"),
])
def test_a_rule_that_was_used_is_named(said, part):
    english, chinese = said_rules(said)
    assert part in english
    assert chinese and english != chinese


def test_a_rule_that_was_not_used_is_not_named():
    english, _ = said_rules("{steps: [a, b], window: none}")
    for word in ("left out", "exclu", "without", "breakdown", "grace", "mature", "window is over", "two steps"):
        assert word not in english


def test_rows_of_steps_without_the_unit_are_counted():
    english, _ = said_rules("{steps: [a, b], window: 7 days, unit: session}")
    assert "unit: session; rows of steps without it, left out: 1" in english
