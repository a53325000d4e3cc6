"""Cohorts and returns, one rule per test."""

from datetime import date

import pytest

from analysis.facts.activity_facts import cohort_facts, is_over, return_facts
from tests.tables import observed, rows


def activity(said, log, params="", **tables):
    facts = observed(f"retention: {said}\n{params}", events="user|event|at\n" + log, **tables)
    asked = facts.campaign.retention
    return (dict(rows(cohort_facts(facts, asked), "user_id", "cohort")),
            rows(return_facts(facts, asked), "user_id", "period"))


def test_the_first_start_in_history_decides_the_cohort():
    log = " ann|in|03-05\n bob|in|01-01\n bob|in|03-05\n cy|in|03-11\n dee|back|03-01\n dee|in|03-06"
    cohorts, _ = activity("{start: in, every: day}", log)
    assert cohorts == {"ann": date(2024, 3, 5), "dee": date(2024, 3, 6)}


def test_any_event_starts_the_clock_when_none_is_named():
    assert activity("{every: day}", " ann|x|03-05\n bob|y|03-01\n bob|x|03-05")[0] == {"ann": date(2024, 3, 5)}


def test_only_the_event_named_counts_as_coming_back_and_each_period_once():
    log = " ann|in|03-05\n ann|look|03-06\n ann|buy|03-07\n ann|buy|03-07 12:00\n ann|buy|03-05 23:00"
    assert activity("{start: in, returning: buy, every: day}", log)[1] == [("ann", 2)]


@pytest.mark.parametrize(("every", "cohort", "periods"), [
    ("day", date(2024, 3, 6), [1, 5, 26]), ("week", date(2024, 3, 4), [1, 4]), ("month", date(2024, 3, 1), [1])])
def test_periods_are_the_calendars_and_weeks_begin_on_monday(every, cohort, periods):
    log = " ann|x|03-06 23:50\n ann|x|03-07 00:06\n ann|x|03-11\n ann|x|04-01"
    cohorts, returns = activity(f"{{every: {every}}}", log, "data_until: 2024-04-30")
    assert (cohorts, returns) == ({"ann": cohort}, [("ann", period) for period in periods])


def test_months_are_counted_over_the_turn_of_the_year():
    log = " ann|x|02-29\n ann|x|01-31"
    params = "period: {start: 2024-01-01, end: 2024-02-29}\ndata_until: 2024-12-31"
    assert activity("{every: month}", log, params)[1] == [("ann", 1)]


def test_days_are_those_of_the_campaigns_zone():
    log = " ann|x|03-05 15:59:00Z\n ann|x|03-05 16:01:00Z\n bob|x|03-05 16:01:00Z\n bob|x|03-06 15:59:00Z"
    cohorts, returns = activity("{every: day}", log, "time_zone: Asia/Shanghai")
    assert (cohorts, returns) == ({"ann": date(2024, 3, 5), "bob": date(2024, 3, 6)}, [("ann", 1)])


def test_a_day_of_23_hours_is_one_day():
    log = " ann|x|03-09 12:00\n ann|x|03-10 00:30\n ann|x|03-11 00:30"
    assert activity("{every: day}", log, "time_zone: America/New_York")[1] == [("ann", 1), ("ann", 2)]


def test_cohorts_can_have_a_range_of_their_own_and_nothing_counts_after_the_end_of_the_data():
    log = " ann|x|03-03\n ann|x|03-04\n ann|x|03-05 13:00\n bob|x|03-05"
    cohorts, returns = activity("{every: day, cohorts: {start: 2024-03-01, end: 2024-03-04}}", log,
                                "data_until: 2024-03-05 12:00")
    assert (cohorts, returns) == ({"ann": date(2024, 3, 3)}, [("ann", 1)])


@pytest.mark.parametrize(("cohort", "period", "every", "until", "expected"), [
    (date(2024, 3, 4), 0, "day", date(2024, 3, 5), True), (date(2024, 3, 4), 1, "day", date(2024, 3, 5), False),
    (date(2024, 3, 4), 1, "week", date(2024, 3, 18), True), (date(2024, 3, 4), 1, "week", date(2024, 3, 17), False),
    (date(2024, 1, 1), 1, "month", date(2024, 3, 1), True), (date(2024, 1, 1), 1, "month", date(2024, 2, 29), False)])
def test_a_period_is_over_when_its_last_day_lies_in_the_data(cohort, period, every, until, expected):
    assert is_over(cohort, period, every, until) is expected
