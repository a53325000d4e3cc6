"""One params file extends another: what holds in the end, which file a message names, and what cannot be."""

import hashlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.params import CampaignError, load
from analysis.params.inherit import Whole, _over, read_whole
from tests.params.campaign_file import FULL

BASE = FULL.replace("period: {start: 2025-11-11, end: 2025-11-17}\n", "")
OWN = "extends: shared/base.yml\nperiod: {start: 2025-11-11, end: 2025-11-17}\n"


def files(folder: Path, **texts: str) -> Path:
    """Files by name, those that begin with `shared_` in the folder shared; the path of the one called own."""
    (folder / "shared").mkdir(exist_ok=True)
    for name, text in texts.items():
        place = folder / "shared" / name.removeprefix("shared_") if name.startswith("shared_") else folder / name
        place.with_suffix(".yml").write_text(text, "utf-8")
    return folder / "own.yml"


def said(path: Path, **overrides: str) -> list[str]:
    """Messages with their file's name instead of its path."""
    with pytest.raises(CampaignError) as error:
        load(path, overrides)
    return [str(problem).replace(f"{path.parent}/", "") for problem in error.value.problems]


def test_what_the_file_says_stands_over_what_it_extends(tmp_path):
    path = files(tmp_path, shared_base=BASE, own=OWN + (
        "title: Summer sale\nmetrics: {buyers: {role: described}, visitors: {any: events}}\n"
        "goals: [{metric: amount, target: +5%}]\n"))
    campaign = load(path)
    assert campaign.name == "own" and campaign.text(campaign.title) == "Summer sale"
    assert (campaign.metrics["buyers"].any, campaign.metrics["buyers"].role) == ("orders", "described")   # merged
    assert next(iter(campaign.metrics)) == "amount" and list(campaign.metrics)[-1] == "visitors"
    assert [goal.target.change for goal in campaign.goals] == [0.05]                                     # replaced
    assert campaign.files == [path, tmp_path / "shared" / "base.yml"]


def test_what_is_dropped_does_not_hold(tmp_path):
    campaign = load(files(tmp_path, shared_base=BASE, own=OWN + (
        "drop: [arms, retention, funnels.both]\nno_control_group: All got it.\n"
        "goals: [{metric: amount, target: +5%}]\n")))
    assert campaign.arms is None and campaign.retention is None and list(campaign.funnels) == ["purchase"]


def test_a_dropped_key_may_be_said_anew(tmp_path):
    path = files(tmp_path, shared_base=BASE, own=OWN + (
        "drop: [metrics.buyers]\nmetrics: {buyers: {count: orders}}\ngoals: [{metric: amount, target: +5%}]\n"))
    assert load(path).metrics["buyers"].kind == "count"


@pytest.mark.parametrize(("own", "expected"), [
    (OWN + "drop: [metrics.byers]\n", "own.yml:3: drop.1: 'metrics.byers' is no key of base.yml "
                                      "(did you mean 'buyers'?)"),
    (OWN + "drop: [funnel.both]\n", "own.yml:3: drop.1: 'funnel.both' is no key of base.yml (did you mean "
                                     "'funnels'?)"),
    (OWN + "drop: retention\n", "own.yml:3: drop: expected a list, found 'retention'; write [retention]"),
    (BASE + OWN.split("\n", 1)[1] + "drop: [goals]\n", "own.yml:41: drop: there is nothing to drop: this file extends "
                                                        "no other"),
])
def test_what_cannot_be_dropped_is_said(tmp_path, own, expected):
    assert said(files(tmp_path, shared_base=BASE, own=own)) == [expected]


def test_a_chain_ends_in_the_nearest_say(tmp_path):
    path = files(
        tmp_path, own="extends: shared/middle.yml\nowner: own\n", shared_middle="extends: base.yml\nowner: middle\n"
        "currency: USD\n", shared_base=BASE + "period: {start: 2025-11-11, end: 2025-11-17}\n")
    campaign = load(path)
    assert (campaign.owner, campaign.currency, campaign.time_zone) == ("own", "USD", "Asia/Shanghai")
    assert [file.name for file in campaign.files] == ["own.yml", "middle.yml", "base.yml"]


def test_paths_are_relative_to_the_file_that_says_them(tmp_path):
    path = files(tmp_path, shared_base=BASE.replace("shop.duckdb", "duckdb://shop.duckdb").replace(
        "more.parquet", "/data/more.parquet"), own=OWN + "sources: {users: {path: users.csv}}\n"
        "plan: {exclude: {path: staff.csv}}\n")
    sources = load(path).sources
    assert sources.users[0].path == "users.csv" and sources.assignments[0].path == "shared/arms.csv"
    assert [source.path for source in sources.events] == ["shared/events-*.csv", "/data/more.parquet"]
    assert sources.orders[0].address.database == "shared/shop.duckdb"


def test_addresses_of_servers_stay(tmp_path):
    address = "postgres://analyst@db.example.com:5432/shop"
    path = files(tmp_path, shared_base=BASE.replace("users: {path: users.csv}", (
        f"users: {{path: '{address}', table: public.users}}")), own=OWN)
    assert load(path).sources.users[0].path == address


@pytest.mark.parametrize(("base", "own", "expected"), [
    (("n_periods: 14", "n_periods: many"), "", ["shared/base.yml:37: retention.n_periods: expected a whole number, "
                                                "found 'many'"]),
    (("owner: growth\n", ""), "", ["own.yml:1: owner: missing: who answers for it: a team or a role, not a private "
                                   "person's data"]),
    (("currency:", "curency:"), "retention: {every: year}\n", [
        "own.yml:3: retention.every: 'year' is not one of day, week, month",
        "shared/base.yml:5: curency: unknown key (did you mean 'currency'?)"]),
    (("holdout: 10%", "holdout: 20%"), "", ["shared/base.yml:21: arms.shares: add up to 1.1, not to 1 (100%)"]),
    (("holdout: 10%", "holdout: 20%"), "arms: {shares: {holdout: 30%}}\n", [
        "own.yml:3: arms.shares: add up to 1.2, not to 1 (100%)"]),
    (("retention:", "currency: CNY\nretention:"), "", ["shared/base.yml:37: currency: said twice"]),
])
def test_a_message_names_the_file_and_line_that_say_it(tmp_path, base, own, expected):
    assert BASE.count(base[0]) == 1
    assert said(files(tmp_path, shared_base=BASE.replace(*base), own=OWN + own)) == expected


@pytest.mark.parametrize(("own", "expected"), [
    ("extends: own.yml\n", "own.yml:1: extends: leads in a circle: own.yml extends own.yml; a file takes over keys of "
                           "another, not its own"),
    ("title: x\nextends: shared/a.yml\n", "shared/b.yml:1: extends: leads in a circle: a.yml extends b.yml extends "
                                          "a.yml; a file takes over keys of another, not its own"),
    ("extends: shared/bse.yml\n", "own.yml:1: extends: no file 'shared/bse.yml' (relative to the folder of this file) "
                                  "(did you mean 'shared/base.yml'?)"),
    (f"extends: {'e' * 280}.yml\n", f"own.yml:1: extends: no file '{'e' * 280}.yml' (relative to the folder of this "
                                    "file); there is own.yml"),
    ("extends: shared\n", "own.yml:1: extends: no file 'shared' (relative to the folder of this file); there is "
                          "own.yml"),
])
def test_what_cannot_be_extended_is_said_where_it_is_asked_for(tmp_path, own, expected):
    path = files(tmp_path, own=own, shared_a="extends: b.yml\n", shared_b="extends: a.yml\n", shared_base=BASE)
    assert said(path) == [expected]


def test_a_key_that_is_said_twice_is_told_though_the_base_cannot_be_read(tmp_path):
    path = files(tmp_path, own="extends: nowhere.yml\ntitle: a\ntitle: b\n")
    assert [message.split(":")[2].strip() for message in said(path)] == ["title", "extends"]


def test_extends_names_one_file(tmp_path):
    assert "own.yml:1: extends: expected a text, found 1 in a list" in said(files(tmp_path, own="extends: [a.yml]\n"))
    assert said(files(tmp_path, shared_base=BASE, own=OWN), extends="other.yml") == [
        "own.yml: --set extends: is for the file itself to say"]


def test_settings_stand_over_both_files(tmp_path):
    path = files(tmp_path, shared_base=BASE, own=OWN)
    assert load(path, {"retention.n_periods": "3"}).retention.n_periods == 3
    assert said(path, **{"retention.n_periods": "x"}) == [
        "own.yml: --set retention.n_periods: expected a whole number, found 'x'"]


def test_a_report_is_made_of_all_the_files(tmp_path):
    from analysis.report.results import params_digest
    path = files(tmp_path, shared_base=BASE, own=OWN)
    assert params_digest(load(path)) == hashlib.sha256((OWN + BASE).encode()).hexdigest()


# --- a value that names another key ---

def test_a_value_can_name_another_key_of_the_whole_file(tmp_path):
    campaign = load(files(tmp_path, own=OWN + "series: {name: sale, edition: 8}\n", shared_base=BASE.replace(
        "Did it sell more?", "Did sale ${series.edition} from ${period.start} on sell more?").replace(
        "values: {event: shopped}", "values: {event: shopped}, where: {sale: '${series.edition}'}")))
    assert campaign.text(campaign.question) == "Did sale 8 from 2025-11-11 on sell more?"
    assert campaign.sources.events[1].where == {"sale": ["8"]}


def test_a_named_key_may_be_set(tmp_path):
    path = files(tmp_path, shared_base=BASE.replace("growth", "${series.name}"), own=OWN + (
        "series: {name: sale, edition: 8}\n"))
    assert load(path, {"series.name": "autumn"}).owner == "autumn"


@pytest.mark.parametrize(("owner", "why"), [
    ("${currncy}", "'${currncy}' names no key of this file (did you mean 'currency'?)"),
    ("${period}", "'${period}' names keys and values; it must be one value"),
    ("${question}", "'${question}' is itself made of another key; name that one"),
    ("${owner}", "'${owner}' is itself made of another key; name that one"),
    ("${}", "'${}' names no key of this file"), ("${1 + 1}", "'${1 + 1}' names no key of this file"),
])
def test_what_cannot_be_named(tmp_path, owner, why):
    path = files(tmp_path, shared_base=BASE.replace("growth", f"'{owner}'").replace("sell more?", "cost ${currency}?"),
                 own=OWN)
    assert said(path) == [f"shared/base.yml:3: owner: {why}"]


@pytest.mark.parametrize("text", ["$5 {net}", "$ {currency}", "${", "${currency", "{currency}", "100 % $"])
def test_other_dollars_and_braces_are_text(tmp_path, text):
    path = files(tmp_path, shared_base=BASE.replace("growth", f"'{text}'"), own=OWN)
    assert load(path).owner == text


def test_braces_in_braces_want_quotes(tmp_path):
    path = files(tmp_path, own=OWN + "labels: {amount: ${currency}}\n", shared_base=BASE)
    assert said(path) == ["own.yml:3: not YAML: expected ',' or '}', but got '{'; put ${...} into quotes"]


# --- merging, whatever the keys ---

TREES = st.recursive(st.text("ab", min_size=1) | st.lists(st.text("ab"), max_size=2),
                     lambda inner: st.dictionaries(st.sampled_from("xyz"), inner, max_size=3), max_leaves=8)
MAPPINGS = st.dictionaries(st.sampled_from("xyz"), TREES, max_size=3)


def over(base: dict, own: dict) -> dict:
    return _over(Whole(base, {}, [Path("a.yml")]), Whole(own, {}, [Path("b.yml")])).tree


@settings(max_examples=200, deadline=None)
@given(MAPPINGS, MAPPINGS)
def test_merging_has_no_surprises(a, b):
    assert over(a, {}) == a and over({}, b) == b and over(a, a) == a
    merged = over(a, b)
    assert list(merged) == [*a, *(key for key in b if key not in a)]
    assert over(merged, b) == merged        # what the own file says, holds
    assert {key: merged[key] for key in a if key not in b} == {key: a[key] for key in a if key not in b}


def test_every_sample_names_only_files_that_are_there():
    params = Path(__file__).parents[2] / "params"
    extending = [path for path in sorted(params.glob("*.yml")) if path.read_text("utf-8").count("extends:")]
    assert len(extending) == 27
    assert {file.parent.name for path in extending for file in read_whole(path).files[1:]} == {"shared"}
