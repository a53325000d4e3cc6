"""Dates, durations, numbers and shares as people write them."""

import math
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.params.metric import parse_target
from analysis.params.values import parse_duration, parse_moment, parse_number, parse_share, parse_window


@pytest.mark.parametrize(("text", "moment"), [
    ("2025-11-11", date(2025, 11, 11)), (" 2025-11-11 ", date(2025, 11, 11)), ("２０２５-11-11", date(2025, 11, 11)),
    ("2025-11-11 20:00", datetime(2025, 11, 11, 20)), ("2025-11-11T20:00:05", datetime(2025, 11, 11, 20, 0, 5))])
def test_days_and_times(text, moment):
    assert parse_moment(text) == moment and type(parse_moment(text)) is type(moment)


@pytest.mark.parametrize("text", [
    "2025-13-01", "2025-02-29", "20251111", "2025-W46", "2025-W46-1", "2025-11-11 24:00", "2025-11-11 20", "11/11/2025",
    "2025-11-11 20:00+08:00", "2025-11-11T20:00Z", "2025-11-11 20:00:00.5", "1969-12-31", "2101-01-01", "0225-11-11",
    "", None, "now", ["2025-11-11"]])
def test_what_is_no_day_or_time_is_refused(text):
    with pytest.raises(ValueError, match="is not"):
        parse_moment(text)


@pytest.mark.parametrize(("text", "duration"), [
    ("7 days", timedelta(days=7)), ("1 day", timedelta(days=1)), ("24 Hours", timedelta(days=1)),
    ("90minutes", timedelta(minutes=90)), ("1.5 hours", timedelta(minutes=90)), ("300 seconds", timedelta(seconds=300)),
    ("2 weeks", timedelta(days=14))])
def test_durations(text, duration):
    assert parse_duration(text) == duration


@pytest.mark.parametrize("text", [
    "7", "7d", "days", "0 days", "-1 day", "1 month", "7 days 3 hours", "1e3 days", "99999 weeks", "9" * 400 + " days",
    "", None])
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(ValueError, match="is not a duration"):
        parse_duration(text)


def test_no_window_is_said_and_never_assumed():
    assert parse_window("none") is None and parse_window("None ") is None
    with pytest.raises(ValueError, match="found nothing"):
        parse_window(None)


@pytest.mark.parametrize(("text", "number"), [
    ("10000", 1e4), ("10,000", 1e4), ("10_000", 1e4), ("1,234,567.5", 1234567.5), ("-3", -3), ("+0.5", 0.5),
    ("1e3", 1e3),
    ("010", 10), (7, 7.0)])
def test_numbers(text, number):
    assert parse_number(text) == number


@pytest.mark.parametrize("text",
                         ["1,5", "1,00", "1,2,3", "10,00,000", "1_0", "1.000,5", "0x1F", "1e999", "nan", "inf", "12%",
                          "",
                                  None, True, "1 000", "12:30:00", math.inf])
def test_what_is_no_number_is_refused(text):
    with pytest.raises(ValueError, match="is not a number"):
        parse_number(text)


@settings(max_examples=100, deadline=None)
@given(st.integers(-10**12, 10**12))
def test_grouped_numbers_are_the_numbers(number):
    assert parse_number(f"{number:,}") == parse_number(f"{number:_}") == parse_number(str(number)) == number


@pytest.mark.parametrize(("text", "share"),
                         [("10%", 0.1), ("10 %", 0.1), ("0.1", 0.1), ("100%", 1), ("0", 0), ("2.5%", 0.025)])
def test_shares(text, share):
    assert parse_share(text) == pytest.approx(share)


@pytest.mark.parametrize("text", ["10", "101%", "-1%", "ten", "", "%", None])
def test_what_is_no_share_is_refused(text):
    with pytest.raises(ValueError, match="is not"):
        parse_share(text)


@pytest.mark.parametrize(("text", "said"), [
    ("90", "'90' is not between 0% and 100%; write 90%$"), ("2.5", "; write 2.5%$"), ("９０", "; write 90%$"),
    ("101%", "0% and 100%$"), ("101", "0% and 100%$"), ("-5", "0% and 100%$")])
def test_a_share_without_its_sign_is_shown_with_it(text, said):
    with pytest.raises(ValueError, match=said):
        parse_share(text)


@pytest.mark.parametrize(("text", "change", "level"), [
    ("+30%", 0.3, None), ("-5%", -0.05, None), ("−5%", -0.05, None), ("30%", None, 0.3), ("10,000", None, 1e4),
    (10, None, 10.0)])
def test_targets(text, change, level):
    target = parse_target(text)
    assert (target.change, target.level) == (pytest.approx(change) if change else change,
                                             pytest.approx(level) if level else level)


@pytest.mark.parametrize("text", ["+30", "-5", "", "%", "+%", "150%", "more", None, "+1e999%"])
def test_what_is_no_target_is_refused(text):
    with pytest.raises(ValueError, match="is not a change"):
        parse_target(text)


def test_a_day_that_is_not_on_the_calendar_is_told_from_one_that_is_misspelt():
    with pytest.raises(ValueError, match="not on the calendar"):
        parse_moment("2025-09-31")
    with pytest.raises(ValueError, match="no such month"):
        parse_moment("2026-13-01")
    with pytest.raises(ValueError, match="is not a day like"):
        parse_moment("31.9.2025")


@pytest.mark.parametrize(("text", "share"), [("１０％", 0.1), ("0.5", 0.5)])
def test_full_width_signs_are_read_as_what_they_mean(text, share):
    assert parse_share(text) == share
