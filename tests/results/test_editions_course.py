"""A series side by side: every edition in its place, and only numbers that mean what they mean in the last."""

import json

import pytest

from analysis.data.editions import Record, editions, previous, read, read_record
from analysis.params import CampaignError, load
from analysis.params.paths import Unreadable
from analysis.results.editions.course import course
from tests.editions import level, record

YEARS = {"a": 2023, "b": 2024, "c": 2025}


def series(**changes):
    """Three editions of ten days, oldest first; `changes` spoil the one they name."""
    made = {name: record(name, f"{year}-03-01", f"{year}-03-10") for name, year in YEARS.items()}
    for name, change in changes.items():
        change(made[name])
    return course([Record(name, content) for name, content in made.items()])


def points(found, kind, name, group=""):
    return {p.edition: p.value for p in found.of(kind, name) if p.group == group}


def apart(found):
    return {(row.kind, row.name, row.group, row.reason): row.editions for row in found.apart}


def test_all_editions_stand_in_order_with_what_their_reports_said():
    found = series(b=lambda r: (r["goals"][0].update(verdict="missed"), r.update(trust="warn")))
    assert [(e.edition, e.n_goals, e.n_met, e.n_missed, e.trust, e.cost) for e in found.editions] == [
        ("a", 1, 1, 0, "ok", 500.0), ("b", 1, 0, 1, "warn", 500.0), ("c", 1, 1, 0, "ok", 500.0)]
    assert points(found, "level", "spend") == {"a": 20.0, "b": 20.0, "c": 20.0}
    assert points(found, "funnel", "shop", "pay") == {"a": 0.25, "b": 0.25, "c": 0.25}
    assert found.apart == [] and (found.answer.n_alike, found.answer.n_with_control) == (3, 3)


def test_the_definition_of_the_last_edition_counts():
    def net(r):
        r["definitions"]["metrics"]["spend"]["counted"] = "sum of orders.net"

    old, new = series(a=net), series(c=net)
    assert points(old, "level", "spend").keys() == {"b", "c"} and points(new, "level", "spend").keys() == {"c"}
    assert apart(old) == {("level", "spend", "", "counted"): ("a",), ("effect", "spend", "campaign", "counted"): ("a",)}
    assert apart(new)["level", "spend", "", "counted"] == ("a", "b") and new.answer.n_alike == 1


def test_what_adds_up_is_per_day_in_all_editions_as_soon_as_one_is_longer():
    def longer(r):
        r["definitions"]["days"] = 20.0
        r["phases"] = [level("spend", 40.0, 2.0, days=20.0), level("buyers", 0.5, 0.03, "share", days=20.0),
                       level("basket", 12.0, 0.5, days=20.0)]

    found = series(b=longer)
    assert points(found, "level", "spend") == {"a": 2.0, "b": 2.0, "c": 2.0}
    assert {p.is_per_day for p in found.of("level", "spend")} == {True}
    assert points(found, "level", "basket") == {"a": 12.0, "b": 12.0, "c": 12.0}
    assert points(found, "level", "buyers") == {"a": 0.3, "c": 0.3}
    assert apart(found) == {("level", "buyers", "", "length"): ("b",)}


def test_a_gap_in_the_last_edition_leaves_the_others_comparable():
    found = series(c=lambda r: r["phases"][0].update(is_cut=True))
    assert points(found, "level", "spend") == {"a": 20.0, "b": 20.0}
    assert apart(found) == {("level", "spend", "", "not_covered"): ("c",)}


def test_numbers_of_one_edition_alone_are_named():
    found = series(a=lambda r: (r["phases"].append(level("visits", 1.0, 0.1)), r["definitions"]["metrics"].update(
        visits={"kind": "count", "counted": "rows of events", "window": "period", "unit": ""})),
        b=lambda r: r.update(effects=[]))
    assert apart(found) == {("level", "visits", "", "no_longer"): ("a",),
                            ("effect", "spend", "campaign", "only_now"): ("b",)}
    assert found.answer.n_with_control == 2


@pytest.mark.parametrize(("spoil", "reason"), [
    (lambda r: r["verdict"].update(answer="do_not_trust"), "not_trusted"),
    (lambda r: r.pop("definitions"), "no_definitions"), (lambda r: r.update(schema_version="2.0"), "other_schema")])
@pytest.mark.parametrize("edition", ["a", "c"])
def test_an_edition_that_cannot_be_believed_gives_no_number(edition, spoil, reason):
    found = series(**{edition: spoil})
    assert {e.edition: e.reason for e in found.editions}[edition] == reason
    assert points(found, "level", "spend").keys() == YEARS.keys() - {edition}
    assert found.answer.metric == "spend" and found.answer.n_alike == 2


def test_without_control_groups_no_effect_is_known():
    found = series(**dict.fromkeys("abc", lambda r: r.update(effects=[])))
    assert found.answer.reasons == ("no_control_group",) and not [p for p in found.points if p.kind == "effect"]


def test_if_no_edition_can_be_compared_nothing_is():
    found = series(**dict.fromkeys("abc", lambda r: r.pop("definitions")))
    assert (found.points, found.apart, found.answer.metric, found.answer.n_alike) == ([], [], "", 0)
    assert len(found.editions) == 3


# --- records in a folder of reports ---

FILE = """\
title: Spring
question: Which?
owner: shop
editions: spring
"""


@pytest.fixture
def reports(tmp_path):
    """Reports of three editions, of another series, of a plan, a broken one and one in work."""
    made = {name: record(name, f"{year}-03-01", f"{year}-03-10") for name, year in YEARS.items()}
    made |= {"z": record("z", series="autumn"), "plan": record("p") | {"notebook": "plan"},
             ".b-work": record("w", "2024-04-01")}
    for name, content in made.items():
        (tmp_path / "reports" / name).mkdir(parents=True)
        (tmp_path / "reports" / name / "results.json").write_text(json.dumps(content), "utf-8")
    (tmp_path / "reports" / "broken").mkdir()
    (tmp_path / "reports" / "broken" / "results.json").write_text("{", "utf-8")
    return tmp_path / "reports"


def test_editions_are_the_reviews_of_a_series_in_the_order_of_their_periods(reports):
    assert [found.folder for found in editions(reports, "spring")] == ["a", "b", "c"]
    assert [found.folder for found in editions(reports, "autumn")] == ["z"] and editions(reports, "winter") == []


def test_a_series_without_reports_is_refused_where_it_is_named(reports):
    path = reports.parent / "params" / "spring.yml"
    path.parent.mkdir()
    path.write_text(FILE, "utf-8")
    assert len(read(load(path))) == 3
    path.write_text(FILE.replace("editions: spring", "editions: sprng"), "utf-8")
    with pytest.raises(CampaignError, match=r"spring.yml:4: editions: no edition of 'sprng' has a report in \.\./repo"):
        read(load(path))


@pytest.mark.parametrize(("start", "before"), [
    ("2026-03-01", "c"), ("2025-03-01", "c"), ("2025-02-28", "b"), ("2024-02-28", "a"), ("2023-02-28", None)])
def test_the_previous_edition_is_the_last_that_began_earlier(reports, start, before):
    """Of two that begin on one day the one that ends first is the earlier."""
    path = reports.parent / "params" / "a-sale.yml"
    path.parent.mkdir()
    path.write_text(f"""\
title: Sale
question: Which?
owner: shop
series: {{name: spring, edition: own}}
period: {{start: {start}, end: 2026-03-10}}
no_control_group: None.
sources: {{orders: {{path: orders.csv}}}}
metrics: {{orders: {{count: orders, role: primary}}}}
""", "utf-8")
    found = previous(load(path))
    assert (found and found.folder) == before
    assert previous(load(path), reports.parent) is None      # another folder


@pytest.mark.parametrize(("name", "said"), [
    ("nothing", "no such file; `campaign run` leaves one"), ("broken", "is not the results.json of a report"),
    ("plan", "is of the notebook plan; only reviews can be compared")])
def test_what_cannot_be_compared_is_said(reports, name, said):
    with pytest.raises(Unreadable, match=said):
        read_record(reports / name)
