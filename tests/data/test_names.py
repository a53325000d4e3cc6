"""What the params name, the data must know: a slip in a column, an arm or an event is no silent zero."""

import pytest

from analysis.data.read import read
from analysis.params import CampaignError, load
from tests.data.campaign_folder import refusal, tables

EVENTS = "user_id,event,occurred_at,channel,session\nann,visit,2025-11-11,web,1\nann,purchase,2025-11-12,web,1\n"
ORDERS = "user_id,ordered_at,amount,discount\nann,2025-11-11,5,1\n"
USERS = "user_id,agreed,tier\nann,yes,gold\n"
ARMS = "user_id,variant\nann,banner\nbob,no_banner\n"
SOURCES = ("sources: {events: {path: events.csv}, orders: {path: orders.csv}, users: {path: users.csv}, "
           "assignments: {path: arms.csv}}\n")


def said(folder, params, **files):
    """Messages of a campaign whose metric is fine, unless `params` says others."""
    files = {"events_csv": EVENTS, "orders_csv": ORDERS, "users_csv": USERS, "arms_csv": ARMS} | files
    return refusal(folder, SOURCES + params, **files)


@pytest.mark.parametrize("params", [
    "metrics: {m: {sum: orders.discount, role: primary}}",
    "metrics: {m: {any: events, where: {channel: web}, role: primary}}",
    "population: {consent: agreed, where: {tier: gold}}",
    "funnels: {f: {steps: [visit, purchase], window: none, by: [channel, tier], unit: session}}",
    "retention: {start: visit, returning: purchase}",
    "arms: {control: no_banner, shares: {banner: 50%, no_banner: 50%}}"])
def test_names_that_the_data_know_are_fine(tmp_path, params):
    assert said(tmp_path, params) == []


@pytest.mark.parametrize(("params", "message"), [
    ("metrics: {m: {sum: orders.discont, role: primary}}",
     "metrics.m.sum: orders has no column 'discont' (did you mean 'discount'?)"),
    ("metrics: {m: {any: events, where: {chanel: web}, role: primary}}",
     "metrics.m.where.chanel: events has no column 'chanel' (did you mean 'channel'?)"),
    ("metrics: {m: {count: users, role: primary}}",
     "metrics.m.count: counts users by `registered_at`, which the table has not; name the column that holds it"),
    ("population: {consent: agred}", "population.consent: users has no column 'agred' (did you mean 'agreed'?)"),
    ("population: {where: {teir: gold}}", "population.where.teir: users has no column 'teir' (did you mean 'tier'?)"),
    ("funnels: {f: {steps: [visit, purchase], window: none, by: [chanel]}}",
     "funnels.f.by.1: events or users has no column 'chanel' (did you mean 'channel'?)"),
    ("funnels: {f: {steps: [visit, purchase], window: none, unit: sesion}}",
     "funnels.f.unit: events has no column 'sesion' (did you mean 'session'?)"),
    ("funnels: {f: {steps: [visit, purchse], window: none}}",
     "funnels.f.steps.2: no event is called 'purchse' (did you mean 'purchase'?)"),
    ("retention: {start: vist}", "retention.start: no event is called 'vist' (did you mean 'visit'?)"),
    ("retention: {returning: purhcase}",
     "retention.returning: no event is called 'purhcase' (did you mean 'purchase'?)"),
    ("metrics: {m: {any: events, where: {event: purchse}, role: primary}}",
     "metrics.m.where.event: no row of events has event 'purchse' (did you mean 'purchase'?)"),
    ("population: {where: {tier: [goldd]}}",
     "population.where.tier: no row of users has tier 'goldd' (did you mean 'gold'?)"),
    ("metrics: {m: {any: events, where: {occurred_at: 2025-11-11}, role: primary}}",
     "metrics.m.where.occurred_at: 'occurred_at' is a time, and times are for periods"),
    ("funnels: {f: {steps: [visit, purchase], window: none, by: [variant]}}",
     "funnels.f.by.1: 'variant' is a name of this program; give the column another one with `columns:` in its source"),
    ("arms: {control: no_banner, shares: {baner: 50%, no_banner: 50%}}",
     "arms.shares.baner: 'baner' is not a variant; the data has 'banner', 'no_banner' (did you mean 'banner'?)"),
    ("arms: {control: no_banner, shares: {sms: 50%, no_banner: 50%}}",
     "arms.shares.sms: 'sms' is not a variant; the data has 'banner', 'no_banner'"),
    ("arms: {control: no_banner, shares: {sms: 50%, no_banner: 50%}}",
     "arms.shares: the data has the variant 'banner', which has no planned share"),
    ("metrics: {m: {sum: events.event, role: primary}}",
     "metrics.m.sum: 'event' of events is text, and sums are of numbers"),
    ("metrics: {m: {sum: orders.user_id, role: primary}}",
     "metrics.m.sum: 'user_id' of orders is text, and sums are of numbers"),
    ("arms: {control: no_banner, shares: {banner: 50%, no_banner: 50%}}\n"
     "quantiles: {q: {of: events.event, at: 50%}}",
     "quantiles.q.of: 'event' of events is text, and quantiles are of numbers"),
])
def test_a_slip_is_said_where_it_stands_with_what_was_meant(tmp_path, params, message):
    assert message in said(tmp_path, params)


def test_a_misspelt_arm_is_one_mistake(tmp_path):
    found = said(tmp_path, "arms: {control: goo, shares: {goo: 50%, stay: 50%}}",
                 arms_csv="user_id,variant\nann,go\nbob,stay\n")
    assert found == ["arms.shares.goo: 'goo' is not a variant; the data has 'go', 'stay' (did you mean 'go'?)"]


ASKED = "arms: {control: no_banner, shares: {banner: 50%, no_banner: 50%}}\n"
TEXT = "'users.csv' column 'tier': 1 of 1 values are not a number, such as 'gold' (its type is string)"
MEND = "; mend them, or name another column"


@pytest.mark.parametrize(("params", "message"), [
    ("metrics: {m: {any: events, role: primary}, n: {sum: users.tier}}", f"metrics.n.sum: {TEXT}{MEND}"),
    ("metrics: {m: {sum: users.tier, role: primary}, n: {sum: users.tier}}", f"metrics.m.sum: {TEXT}{MEND}"),
    (f"{ASKED}quantiles: {{q: {{of: events.channel, at: 50%}}}}",
     "quantiles.q.of: 'events.csv' column 'channel': 2 of 2 values are not a number, such as 'web' "
     f"(its type is string){MEND}"),
    ("population: {consent: tier}",
     f"population.consent: {TEXT.replace('a number', 'true or false')}{MEND}")])
def test_a_column_of_the_wrong_type_is_said_where_it_is_named(tmp_path, params, message):
    assert said(tmp_path, params) == [message]


def test_the_line_of_a_column_of_the_wrong_type_is_that_of_its_key(tmp_path):
    said(tmp_path, "metrics: {m: {any: events, role: primary}, n: {sum: users.tier}}")
    with pytest.raises(CampaignError) as error:
        read(load(tmp_path / "week.yml"))
    (problem,) = error.value.problems
    assert (tmp_path / "week.yml").read_text("utf-8").splitlines()[problem.line - 1].strip() == "sum: users.tier"


def test_an_event_that_never_happened_and_is_like_no_other_makes_a_metric_of_zeros(tmp_path):
    assert said(tmp_path, "metrics: {m: {any: events, where: {event: refund}, role: primary}}") == []


def test_one_known_value_of_several_is_enough(tmp_path):
    assert said(tmp_path, "metrics: {m: {any: events, where: {event: [purchase, purchased]}, role: primary}}") == []


def test_names_in_the_readable_tables_are_judged_beside_files_that_cannot_be_read(tmp_path):
    params = ("metrics: {m: {sum: orders.discont, role: primary}, n: {any: events, where: {chanel: web}}}\n"
              "funnels: {f: {steps: [vist, purchase], window: none, by: [tier, chanel]}}")
    found = said(tmp_path, params, events_csv="uid,event,occurred_at\n")
    assert [message.split(": ")[0] for message in found] == ["sources.events", "metrics.m.sum"]


@pytest.mark.parametrize("column", ["the channel", "渠道", "it's", "select"])
def test_segments_may_be_called_anything(tmp_path, column):
    said_so = "funnels: {f: {steps: [visit, purchase], window: none, by: [\"" + column + "\"]}}"
    assert said(tmp_path, said_so, events_csv=EVENTS.replace("channel", column)) == []


def test_a_column_of_one_source_is_enough_for_the_table(tmp_path):
    made = tables(tmp_path, "sources: {events: [{path: a.csv}, {path: b.csv}]}\n"
                  "metrics: {m: {any: events, where: {channel: web}, role: primary}}",
                  a_csv=EVENTS, b_csv="user_id,event,occurred_at\nbob,visit,2025-11-11\n")
    assert made.events.count().execute() == 3
