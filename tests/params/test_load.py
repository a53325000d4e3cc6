"""A campaign file is read strictly, and every mistake in it is said at once, with its line and what would do."""

import time
from datetime import date, timedelta

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from analysis.params import CampaignError, load
from tests.params.campaign_file import FULL, campaign, mistakes, written


def test_a_full_file_is_read(tmp_path):
    c = campaign(tmp_path)
    assert c.name == "spring" and c.path == tmp_path / "spring.yml"
    assert c.text(c.title, "zh") == "春季促销" and c.text(c.question, "zh") == "Did it sell more?"
    assert c.arms.shares == {"campaign": 0.9, "holdout": 0.1}
    assert [s.path for s in c.sources.events] == ["events-*.csv", "more.parquet"] and len(c.sources.orders) == 1
    assert c.metric("primary") == ["amount"]
    assert [goal.target.change for goal in c.goals] == [0.3, None, 0.05] and c.goals[1].target.level == 10000
    assert c.funnels["both"].window is None and c.metrics["soon"].window == timedelta(days=7)
    assert {"arms", "goals", "funnels", "retention", "costs", "phases"} < set(c.blocks)


def test_every_mistake_is_said_at_once_in_the_order_of_the_file(tmp_path):
    found = mistakes(
        tmp_path, ("currency: CNY", "curency: CNY"), ("start: 2025-11-11", "start: 2025-11-1x"),
        ("any: orders}", "any: order}"),
        ("role: guardrail", "role: gardrail"), ("metric: buyers", "metric: buyer"), ("24 hours", "1 fortnight"),
        ("every: day", "every: year"))
    assert [(line, where) for line, where, _ in found] == [
        (5, "curency"), (7, "period.start"), (25, "metrics.buyers"), (28, "metrics.refunds.role"),
        (33, "goals.2.metric"), (36, "funnels.purchase.window"), (38, "retention.every")]
    assert "did you mean 'currency'?" in found[0][2]
    assert "'2025-11-1x' is not a day like 2025-11-11" in found[1][2]
    assert "'order' is not a table (did you mean 'orders'?)" in found[2][2]
    assert found[3][2].endswith("(did you mean 'guardrail'?)")
    assert found[4][2] == "'buyer' is not a metric of this file (did you mean 'buyers'?)"


def test_a_message_names_file_line_key_what_was_found_and_what_would_do(tmp_path):
    path = written(tmp_path, ("n_periods: 14", "n_periods: many"))
    with pytest.raises(CampaignError) as error:
        load(path)
    assert str(error.value) == f"{path}:38: retention.n_periods: expected a whole number, found 'many'"


@pytest.mark.parametrize(("old", "new", "where", "meant"), [
    ("owner: growth", "ownr: growth", "ownr", "owner"),
    ("end: 2025-11-17", "ends: 2025-11-17", "period.ends", "end"),
    ("columns: {user_id: uid}", "column: {user_id: uid}", "sources.events.1.column", "columns"),
    ("consent: agreed", "consnt: agreed", "population.consnt", "consent"),
    ("control: holdout", "controll: holdout", "arms.controll", "control"),
    ("better: lower", "beter: lower", "metrics.refunds.beter", "better"),
    ("deadline:", "dead_line:", "goals.2.dead_line", "deadline"),
    ("by: [channel]", "bye: [channel]", "funnels.purchase.bye", "by"),
    ("owner: growth", "OWNER: growth", "OWNER", "owner"),
    ("path: arms.csv", "pth: arms.csv", "sources.assignments.pth", "path"),
    ("n_periods: 14", "periods: 14", "retention.periods", "n_periods"),
])
def test_an_unknown_key_is_a_mistake_at_every_depth(tmp_path, old, new, where, meant):
    found = [(place, message) for _, place, message in mistakes(tmp_path, (old, new))]
    assert (where, f"unknown key (did you mean '{meant}'?)") in found


def test_a_letter_of_another_script_is_named(tmp_path):
    (said,) = [message for _, where, message in mistakes(tmp_path, ("owner:", "оwner:")) if where == "оwner"]
    assert said == "unknown key (did you mean 'owner'? 'о' is U+043E, cyrillic small letter o)"


def test_with_no_word_alike_all_there_are_are_told(tmp_path):
    ((_, _, said),) = mistakes(tmp_path, ("owner: growth", "owner: growth\nbudget: 100"))
    assert said.startswith("unknown key; there is activity, after, ") and "time_zone" in said


@pytest.mark.parametrize("key", ["title", "question", "owner", "period", "sources", "metrics"])
def test_what_must_be_said_is_missed_with_its_meaning(tmp_path, key):
    tree = {k: v for k, v in yaml.load(FULL, yaml.BaseLoader).items() if k != key}
    missing = [message for _, where, message in mistakes(tmp_path, text=yaml.safe_dump(tree)) if where == key]
    assert len(missing) == 1 and missing[0].startswith("missing: ") and len(missing[0]) > 20


@pytest.mark.parametrize(("old", "new", "message"), [
    ("owner: growth", "owner: [growth]", "expected a text, found 1 in a list"),
    ("languages: [en, zh]", "languages: en", "expected a list, found 'en'; write [en]"),
    ("ratio: [amount, orders]", "ratio: amount / orders", "expected a list, found 'amount / orders'"),
    ("by: [channel]", "by: channel", "expected a list, found 'channel'; write [channel]"),
    ("closed: [2025-11-20]", "closed: 2025-11-20", "expected a list, found '2025-11-20'; write [2025-11-20]"),
    ("  - {metric: amount, target: +30%, priority: 1}\n  - {metric: buyers, target: '10,000', priority: 2, "
     "deadline: 2025-12-01}\n  - {metric: soon, target: +5%, baseline: control, measure: per_user}\n",
     "  metric: amount\n  target: +30%\n",
     "expected a list, found 2 keys and values; begin each part of the list with '- '"),
    ("languages: [en, zh]", "languages: []", "expected 1 or more, found 0 in a list"),
    ("languages: [en, zh]", "languages: [en, fr]", "'fr' is not one of en, zh"),
    ("{en: Spring sale, zh: 春季促销}", "{en: Spring sale, fr: x}",
     "'fr' is not a language of reports; there is en, zh"),
    ("question: Did it sell more?", "question:", "expected a text, or one per language: {en: ..., zh: ...}"),
    ("currency: CNY", "currency: yuan", "'yuan' is not an ISO code of three capitals, like CNY"),
    ("Asia/Shanghai", "Asia/Shangai", "not a time zone like Asia/Shanghai (did you mean 'Asia/Shanghai'?)"),
    ("end: 2025-11-17", "end: 2025-11-10", "the end 2025-11-10 is not after the start 2025-11-11"),
    ("visit, cart, pay", "visit", "expected 2 or more, found 1 in a list"),
    ("priority: 2", "priority: 0", "expected 1 or more, found '0'"),
    ("priority: 2", "priority: 1.5", "expected a whole number, found '1.5'"),
    ("n_periods: 14", "n_periods: 9999", "expected 366 or less, found '9999'"),
    ("{any: orders}", "{any: orders, count: orders}", "say exactly one of count, sum, any, ratio; found count, any"),
    ("{any: orders}", "{unit: x}", "say exactly one of count, sum, any, ratio; found none"),
    ("sum: orders.amount, role: primary", "sum: orders, role: primary", "'orders' is not table.column"),
    ("sum: orders.amount, role: primary", "sum: orders., role: primary", "'orders.' is not table.column"),
    ("ratio: [amount, orders]", "ratio: [amount]", "ratio names two other metrics"),
    ("window: 7 days", "window: 7 days, over: both", "window and over are two different times; say one"),
    ("margin: 2%", "unit: x", "a guardrail needs a margin, and only a guardrail has one"),
    ("margin: 2%", "margin: 102%", "'102%' is not between 0% and 100%"),
    ("margin: 2%", "margin: 2", "'2' is not between 0% and 100%; write 2%"),
    ("target: +5%", "target: 5 more", "'5 more' is not a change like +30% or a level like 10000 or 30%"),
    ("baseline: control", "baseline: last year", "'last year' is not before, control or a number"),
    ("window: 24 hours", "window:", "expected a duration like 7 days, or the word none; found nothing"),
    ("refund}", "[]}", "expected 1 or more, found 0 in a list"),
    ("{path: arms.csv}", "[]", "expected 1 or more, found 0 in a list"),
    ("priority: 2", "priority: " + "9" * 5000, "expected a whole number, found '" + "9" * 77 + "...'"),
    ("end: 2025-11-17", "end:", "expected a day like 2025-11-11 or a time like 2025-11-11 20:00, found nothing"),
    ("margin: 2%", "margin: [2%]", "expected a share like 10% or 0.1, found 1 in a list"),
    ("by: [channel]", "attribution: last", "'last' is not one of entry, first_touch, last_touch, all_steps, step 1"),
    ("by: [channel]", f"attribution: step {'9' * 5000}", "is not one of steps 1 to 3"),
    ("by: [channel]", "reuse: maybe", "expected true or false, found 'maybe'"),
    ("visit, cart, pay", "visit, " * 16 + "pay", "expected 16 or fewer, found 17 in a list"),
    ("n_periods: 14", "brackets: [999999999999]", "brackets are lengths in periods, 1 to 366"),
    ("{path: arms.csv}", "{path: arms.csv, table: arms}", "'arms.csv' is a file of one table; leave `table:` out"),
    ("{path: arms.csv}", "arms.csv", "expected keys and values, found 'arms.csv'"),
])
def test_a_wrong_value_is_said_with_what_would_do(tmp_path, old, new, message):
    assert message in "\n".join(said for _, _, said in mistakes(tmp_path, (old, new)))


def test_a_scalar_is_the_text_that_was_written(tmp_path):
    written_so = "NO, 010, 1e3, 12:30:00, 2025-11-11, 0x1F, yes, .5, 1_000, 'null'"
    c = campaign(tmp_path, ("where: {app: [web, ios]}", f"where: {{app: [{written_so}]}}"))
    assert list(c.sources.events[0].where["app"]) == [
        "NO", "010", "1e3", "12:30:00", "2025-11-11", "0x1F", "yes", ".5", "1_000", "null"]


def test_anchors_are_what_they_stand_for(tmp_path):
    c = campaign(tmp_path, ("[visit, cart, pay]", "&path [visit, cart, pay]"), ("steps: [visit, pay]", "steps: *path"))
    assert c.funnels["both"].steps == c.funnels["purchase"].steps


@pytest.mark.parametrize(("content", "said"), [
    (b"", "expected keys and values"),
    (b"# nothing yet\n", "expected keys and values"),
    (b"- a\n- b\n", "expected keys and values"),
    (b"just words", "expected keys and values"),
    (b"title: a\ntitle: b\n", ":2: title: said twice"),
    (b"title: a\nperiod:\n  end: 1\n  end: 2\n", ":4: period.end: said twice"),
    (b"title: a\n\tquestion: b\n", ":2: not YAML: found character '\\t'"),
    (b"title: [a\n", "not YAML"),
    ("title：促销\nowner: a\n".encode(), "line 1 has a full-width '：' where ': ' is meant"),
    (b"title: a\ncosts: {media: 20,000}\n", ":2: inside { } a number ends at its comma"),
    (b"title: a\n---\ntitle: b\n", ":2: not YAML: but found another document"),
    (b"title: !include a.txt\n", ":1: a tag (such as !include) does nothing here"),
    (b"title: a\npassword: *hunter2\n", ":2: not YAML: what stands there begins with a sign of YAML's own"),
    (b"title: *nobody\n", ":1: not YAML: found undefined alias 'nobody'"),
    (b"? [a, b]\n: c\n", ":1: a key is one word"),
    (b"title: a\nowner: \xff\n", ":2: byte 0xff is not UTF-8"),
    ("title: 促销\n".encode("gbk"), ":1: byte 0xb4 is not UTF-8"),
    (b"title: a\nowner: \x00\n", ":2: not YAML: the character 0x0 is not allowed"),
    (b'title: a\nowner: "\\ud83d\\ude00"\n', ":2: an escape"),
    (b"title: " + b"[" * 5000, "not a campaign file"),
    (b"title: &a {b: *a}\n", "not a campaign file"),
    (b"a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\n"
     b"d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\n", "more than 5,000 entries"),
    (b"".join(b"%c: &%c {k: %s, k: %s}\n" % (c, c, v, v) for c, v in zip(
        b"abcdefghijklmnopqrstuvwxyz", [b"x", *(b"*%c" % c for c in b"abcdefghijklmnopqrstuvwxy")], strict=True)),
     "said twice"),
    (b"title: " + b"x" * 1_000_000, "larger than 200,000 bytes"),
])
def test_what_is_no_campaign_file_is_refused_in_words_and_soon(tmp_path, content, said):
    path = tmp_path / "x.yml"
    path.write_bytes(content)
    began = time.perf_counter()
    with pytest.raises(CampaignError) as error:
        load(path)
    assert said in str(error.value)
    assert time.perf_counter() - began < 5


@pytest.mark.parametrize(("old", "new"), [
    ("{path: arms.csv}", "postgres://ann:hunter2@db.example.com/shop"),
    ("{path: arms.csv}", "postgres://db.example.com/shop?password=hunter2"),
    ("owner: growth", "owner: growth\nextends: postgres://ann:hunter2@db.example.com/shop")])
def test_what_an_address_keeps_secret_is_not_said_wherever_it_stands(tmp_path, old, new):
    with pytest.raises(CampaignError) as error:
        load(written(tmp_path, (old, new)))
    assert "hunter2" not in str(error.value) and "***" in str(error.value)


def test_a_byte_order_mark_is_no_part_of_the_first_key(tmp_path):
    path = tmp_path / "x.yml"
    path.write_bytes(b"\xef\xbb\xbf" + FULL.encode())
    assert load(path).owner == "growth"


@pytest.mark.parametrize(("name", "said"), [
    ("nowhere.yml", "no such file"), (".", "Is a directory"), ("a\0b.yml", "cannot be read"),
    ("a" * 300, "cannot be read")])
def test_a_file_that_cannot_be_opened(tmp_path, name, said):
    with pytest.raises(CampaignError, match=said):
        load(tmp_path / name)


@pytest.mark.parametrize("name", ["a b.yml", "-x.yml", "a;b.yml", "a%b.yml"])
def test_a_name_that_no_report_can_bear_is_refused(tmp_path, name):
    (tmp_path / name).write_text(FULL, "utf-8")
    with pytest.raises(CampaignError, match="the file's name becomes the campaign's"):
        load(tmp_path / name)


@pytest.mark.parametrize("name", ["double11-2025.yml", "双十一.yml", "v1.2.yaml"])
def test_names_of_campaigns_may_be_of_any_script(tmp_path, name):
    (tmp_path / name).write_text(FULL, "utf-8")
    assert load(tmp_path / name).name == name.rsplit(".", 1)[0]


def test_an_override_takes_the_place_of_what_the_file_says(tmp_path):
    c = campaign(tmp_path,
                 **{"period.end": "2025-11-12", "baseline": "", "after": "~", "languages": "[zh]", "owner": "1e3",
                              "metrics.later.over": "period", "goals": "[]", "retention.every": "week"})
    assert c.period.end == date(2025, 11, 12) and c.baseline is None and c.after is None
    assert (c.languages, c.owner, c.goals, c.retention.every) == (["zh"], "1e3", [], "week")


def test_an_override_may_make_the_parts_it_needs(tmp_path):
    c = campaign(tmp_path, ("retention: {start: visit, every: day, n_periods: 14}", "retention:"),
                 **{"retention.every": "month"})
    assert c.retention.every == "month"


def test_an_override_may_be_given_as_data(tmp_path):
    c = load(written(tmp_path), {"languages": ["zh"], "title": "促销：春", "owner": "a: b: c"})
    assert c.languages == ["zh"] and c.owner == "a: b: c"


@pytest.mark.parametrize(("key", "value", "said"), [
    ("perod.end", "2025-11-12", ": --set perod: unknown key (did you mean 'period'?)"),
    ("period.end", "soon", "spring.yml: --set period.end: 'soon' is not a day"),
    ("goals.1.metric", "buyers", "--set goals.1.metric: leads into a value that has no keys"),
    ("owner.name", "x", "--set owner.name: leads into a value that has no keys"),
    ("", "x", "unknown key"), ("period.", "x", "unknown key"),
    ("labels", "{a: x, a: y}", "--set labels: a is said twice"),
    ("labels", "&a {b: *a}", "expected keys and values"),
    ("labels", "[" * 3000, "expected keys and values"),
])
def test_a_wrong_override_is_said_without_a_line_of_the_file(tmp_path, key, value, said):
    with pytest.raises(CampaignError) as error:
        load(written(tmp_path), {key: value})
    assert said in str(error.value)
    assert all(problem.line is None for problem in error.value.problems)


def test_what_is_wrong_with_the_file_is_said_beside_all_wrong_overrides(tmp_path):
    with pytest.raises(CampaignError) as error:
        load(written(tmp_path, ("currency:", "curency:")), {
            "owner.name": "x", "labels": "{a: x, a: y}", "extends": "x"})
    assert [problem.where for problem in error.value.problems] == [
        "--set extends", "--set labels", "--set owner.name", "curency"]


def places(tree, where=()):
    """Every place of a tree, keys of mappings and positions in lists."""
    inside = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    return [where, *(place for key, item in inside for place in places(item, (*where, key)))]


TREE = yaml.load(FULL, yaml.BaseLoader)
SCALARS = st.sampled_from([
    "", "~", "0", "-1", "1e999", "NaN", "inf", "9" * 400, "0001-01-01", "9999-12-31", "2025-02-30", "24:00", "1,5",
    "+1e9%",
    "999999999 weeks", "none", "user_id", "variant", "a.b", "orders.", ".", "é\u0301", "😀", "'; drop table", "NO",
    "²", "１００%",
    "${x}", "{0}", "%s", "\u2028"]) | st.text(max_size=8)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(SCALARS, inner, max_size=3),
                      max_leaves=5)


@settings(max_examples=120, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(places(TREE)[1:]), st.sampled_from(["drop", "swap", "rename"]), VALUES),
                max_size=4))
@example([(("funnels", "purchase", "window"), "swap", "99999999999999999999 weeks")])
@example([(("period", "end"), "swap", "9999-12-31")])
def test_no_spoilt_file_ends_in_anything_but_a_campaign_or_its_mistakes(tmp_path_factory, changes):
    tree = yaml.load(FULL, yaml.BaseLoader)
    for (*parents, last), change, value in changes:
        place = tree
        for key in parents:
            try:
                place = place[key]
            except (KeyError, IndexError, TypeError):
                place = None
        if not isinstance(place, dict) or last not in place:
            continue
        held = place.pop(last)
        if change == "swap":
            place[last] = value
        elif change == "rename" and isinstance(value, str):
            place[value] = held
    path = tmp_path_factory.getbasetemp() / "spoilt.yml"
    path.write_text(yaml.safe_dump(tree, allow_unicode=True), "utf-8")
    try:
        load(path)
    except CampaignError as error:
        assert error.problems and all(problem.message for problem in error.problems)


@settings(max_examples=100, deadline=None)
@given(st.integers(0, len(FULL)), st.integers(0, 30), st.text(max_size=6) | st.sampled_from(
    ["\t", "*a", "&a ", "<<: ", "!!int ", "%YAML 9.9\n", "? ", "- ", "{", "]", "\x85", "|\n", ": "]))
def test_no_slip_of_the_keyboard_ends_in_a_traceback(tmp_path_factory, at, length, typed):
    path = tmp_path_factory.getbasetemp() / "typed.yml"
    path.write_bytes((FULL[:at] + typed + FULL[at + length:]).encode("utf-8", "surrogatepass"))
    try:
        load(path)
    except CampaignError as error:
        assert error.problems
