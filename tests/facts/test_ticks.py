"""The days, or hours, of a campaign: when they begin and end, and which of them are over."""

from datetime import UTC, date, datetime

import ibis
import pytest

from analysis.facts.ticks import days_since, is_hourly, planned_ticks, tick_of, ticks
from tests.tables import observed

LOG = "user|event|at\n ann|visit|03-01\n ann|visit|03-04 01:00\n ann|visit|03-20"


def campaign(period, params="", zone="UTC"):
    return observed(f"period: {period}\ntime_zone: {zone}\n{params}", events=LOG).campaign


def spans(found):
    return [(tick.begins.astimezone(UTC).strftime("%d %H:%M"), tick.ends.astimezone(UTC).strftime("%d %H:%M"),
             tick.is_whole) for tick in found]


def test_a_campaign_of_more_than_two_days_has_local_days():
    own = campaign("{start: 2024-03-04, end: 2024-03-06}", zone="Asia/Shanghai")
    assert not is_hourly(own)
    assert spans(planned_ticks(own)) == [
        ("03 16:00", "04 16:00", True), ("04 16:00", "05 16:00", True), ("05 16:00", "06 16:00", True)]
    assert [tick.day for tick in planned_ticks(own)] == [date(2024, 3, day) for day in (4, 5, 6)]


def test_a_day_that_the_campaign_begins_or_ends_in_is_not_whole():
    own = campaign("{start: 2024-03-04 20:00, end: 2024-03-07 12:00}")
    assert spans(planned_ticks(own)) == [
        ("04 20:00", "05 00:00", False), ("05 00:00", "06 00:00", True), ("06 00:00", "07 00:00", True),
        ("07 00:00", "07 12:00", False)]


def test_a_day_with_a_change_of_clocks_is_one_day():
    own = campaign("{start: 2024-03-09, end: 2024-03-11}", zone="America/New_York")
    assert spans(planned_ticks(own)) == [
        ("09 05:00", "10 05:00", True), ("10 05:00", "11 04:00", True), ("11 04:00", "12 04:00", True)]


@pytest.mark.parametrize(("period", "n"), [
    ("{start: 2024-03-04, end: 2024-03-04}", 24), ("{start: 2024-03-04, end: 2024-03-05}", 48),
    ("{start: 2024-03-04 20:30, end: 2024-03-05 00:15}", 4)])
def test_a_campaign_of_two_days_or_less_has_hours(period, n):
    own = campaign(period)
    assert is_hourly(own) and len(planned_ticks(own)) == n
    assert planned_ticks(own)[-1].is_whole == (n % 24 == 0)


@pytest.mark.parametrize(("until", "n"), [
    ("2024-03-04 12:00", 0), ("2024-03-04", 1), ("2024-03-05 23:59", 1), ("2024-03-06 00:00", 2), ("2024-03-31", 3)])
def test_what_is_over_at_the_end_of_the_data(until, n):
    facts = observed(f"period: {{start: 2024-03-04, end: 2024-03-06}}\ndata_until: {until}", events=LOG)
    assert len(ticks(facts)) == n


def numbers(own, *moments):
    rows = ibis.memtable({"at": [datetime.fromisoformat(f"2024-{at}") for at in moments]})
    edges = (datetime(2024, 1, 1), datetime(2024, 12, 31))
    rows = rows.mutate(tick=tick_of(own, rows.at, *edges))
    found = rows.mutate(days=days_since(own, rows.at, rows.tick)).order_by("at").to_pyarrow().to_pylist()
    return [(row["tick"], round(row["days"], 6)) for row in found]


def test_a_time_lies_in_the_day_of_its_zone_and_days_before_are_0_and_less():
    own = campaign("{start: 2024-03-09, end: 2024-03-12}", zone="America/New_York")
    assert numbers(own, "03-08 04:59:59", "03-08 05:00", "03-09 05:00", "03-10 04:59:59", "03-11 03:59:59") == [
        (-1, round(1 / 86400, 6)), (0, 1.0), (1, 1.0), (1, round(1 / 86400, 6)),
        (2, round(1 / 86400, 6))]


def test_hours_count_from_the_begin():
    own = campaign("{start: 2024-03-04 20:30, end: 2024-03-05 00:15}")
    assert numbers(own, "03-04 20:30", "03-04 21:29:59", "03-04 21:30", "03-05 00:00") == [
        (1, round(1 / 24, 6)), (1, round(1 / 86400, 6)), (2, round(1 / 24, 6)), (4, round(0.25 / 24, 6))]


def test_the_last_day_ends_with_the_campaign():
    own = campaign("{start: 2024-03-04, end: 2024-03-07 12:00}")
    assert numbers(own, "03-06 12:00", "03-07 06:00") == [(3, 0.5), (4, 0.25)]
