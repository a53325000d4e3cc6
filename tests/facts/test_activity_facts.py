"""Cohorts and returns, one rule per test."""

from datetime import date

import pytest

from analysis.facts.activity_facts import cohort_cells
from tests.tables import observed


def activity(said, log, params="", **tables):
    """Users per cohort, and the cells after the first in which somebody came back: (cohort, cell)."""
    facts = observed(f"retention: {said}\n{params}", events="user|event|at\n" + log, **tables)
    cells = cohort_cells(facts, facts.campaign.retention)
    return ({c.cohort: c.n_users for c in cells if c.n_users and c.cell == 0},
            [(c.cohort, c.cell) for c in cells if c.cell and c.n_on])


def march(day):
    return date(2024, 3, day)


def test_the_first_start_in_history_decides_the_cohort():
    log = " ann|in|03-05\n bob|in|01-01\n bob|in|03-05\n cy|in|03-11\n dee|back|03-01\n dee|in|03-06"
    assert activity("{start: in, every: day}", log)[0] == {march(5): 1, march(6): 1}


def test_any_event_starts_the_clock_when_none_is_named():
    assert activity("{every: day}", " ann|x|03-05\n bob|y|03-01\n bob|x|03-05")[0] == {march(5): 1}


def test_only_the_event_named_counts_as_coming_back_and_each_period_once():
    log = " ann|in|03-05\n ann|look|03-06\n ann|buy|03-07\n ann|buy|03-07 12:00\n ann|buy|03-05 23:00"
    assert activity("{start: in, returning: buy, every: day}", log)[1] == [(march(5), 2)]


@pytest.mark.parametrize(("every", "cohort", "periods"), [
    ("day", march(6), [1, 5, 26]), ("week", march(4), [1, 4]), ("month", march(1), [1])])
def test_periods_are_the_calendars_and_weeks_begin_on_monday(every, cohort, periods):
    log = " ann|x|03-06 23:50\n ann|x|03-07 00:06\n ann|x|03-11\n ann|x|04-01"
    cohorts, returns = activity(f"{{every: {every}, n_periods: 30}}", log, "data_until: 2024-04-30")
    assert (cohorts, returns) == ({cohort: 1}, [(cohort, period) for period in periods])


def test_weeks_can_begin_on_sunday():
    log = " ann|x|03-09\n ann|x|03-10\n bob|x|03-10\n bob|x|03-16"
    assert activity("{every: week, week_start: sunday}", log) == (
        {date(2024, 3, 3): 1, march(10): 1}, [(date(2024, 3, 3), 1)])


def test_months_are_counted_over_the_turn_of_the_year():
    log = " ann|x|02-29\n ann|x|01-31"
    params = "period: {start: 2024-01-01, end: 2024-02-29}\ndata_until: 2024-12-31"
    assert activity("{every: month}", log, params)[1] == [(date(2024, 1, 1), 1)]


def test_days_are_those_of_the_campaigns_zone():
    log = " ann|x|03-05 15:59:00Z\n ann|x|03-05 16:01:00Z\n bob|x|03-05 16:01:00Z\n bob|x|03-06 15:59:00Z"
    cohorts, returns = activity("{every: day}", log, "time_zone: Asia/Shanghai")
    assert (cohorts, returns) == ({march(5): 1, march(6): 1}, [(march(5), 1)])


def test_a_day_of_23_hours_is_one_day():
    log = " ann|x|03-09 12:00\n ann|x|03-10 00:30\n ann|x|03-11 00:30"
    assert activity("{every: day}", log, "time_zone: America/New_York")[1] == [(march(9), 1), (march(9), 2)]


def test_a_clock_of_24_hours_runs_from_the_users_own_start():
    log = " ann|x|03-05 23:50\n ann|x|03-06 00:06\n bob|x|03-05 12:00\n bob|x|03-06 12:00"
    assert activity("{every: day, clock: 24h}", log)[1] == [(march(5), 1)]
    facts = observed("retention: {every: day, clock: 24h}", events="user|event|at\n" + log)
    [cell] = [c for c in cohort_cells(facts, facts.campaign.retention) if (c.cohort, c.cell) == (march(5), 1)]
    assert (cell.n_users, cell.n_on) == (2, 1)


def test_cohorts_can_have_a_range_of_their_own_and_nothing_counts_after_the_end_of_the_data():
    log = " ann|x|03-03\n ann|x|03-04\n ann|x|03-05 13:00\n bob|x|03-05"
    assert activity("{every: day, cohorts: {start: 2024-03-01, end: 2024-03-04}}", log,
                    "data_until: 2024-03-05 12:00") == ({march(3): 1}, [(march(3), 1)])


@pytest.mark.parametrize(("cohort", "period", "every", "until", "expected"), [
    (march(4), 0, "day", march(4), True), (march(4), 1, "day", march(4), None),
    (march(4), 1, "week", march(17), True), (march(4), 1, "week", march(16), False),
    (date(2024, 1, 1), 1, "month", date(2024, 2, 29), True), (date(2024, 1, 1), 1, "month", date(2024, 2, 28), False)])
def test_a_period_is_over_when_its_last_day_lies_in_the_data_and_absent_before_it_begins(
        cohort, period, every, until, expected):
    params = f"period: {{start: {cohort}, end: {cohort}}}\ndata_until: {until}"
    facts = observed(f"retention: {{every: {every}}}\n{params}", events=f"user|event|at\n ann|x|{cohort:%m-%d} 12:00")
    cells = {(c.cohort, c.cell): c.is_complete for c in cohort_cells(facts, facts.campaign.retention)}
    assert cells.get((cohort, period)) is expected
