"""Before a campaign: no row of its own time is read, and what only it brings need not exist."""

import pandas as pd
import pytest

from analysis.data.read_past import read_past
from analysis.params import CampaignError, load

PARAMS = """
title: T
question: Q
owner: o
period: {start: 2025-03-03, end: 2025-03-04}
sources: {users: {path: users.csv}, assignments: {path: nowhere.csv}, events: {path: events.csv}}
arms: {control: stay, shares: {stay: 50%, go: 50%}}
metrics: {visits: {count: events, role: primary}}
funnels: {path: {steps: [visit, campaign_only], window: 1 day}}
retention: {start: campaign_only, n_periods: 3}
"""
EVENTS = "user_id,event,occurred_at\nann,visit,2025-03-01 10:00:00\nbob,visit,2025-03-02 23:59:59\n"
LATER = "ann,visit,2025-03-03 00:00:00\nnobody,secret,2025-03-09 10:00:00\n"
USERS = "user_id,registered_at\nann,2025-01-01\nbob,\nnew,2025-03-03\n"


def campaign(folder, events=EVENTS + LATER, params=PARAMS, **files):
    for name, text in {"events": events, "users": USERS, **files}.items():
        (folder / f"{name}.csv").write_text(text, "utf-8")
    path = folder / "spring.yml"
    path.write_text(params, "utf-8")
    return load(path, purpose="plan")


def ids(table):
    return sorted(table.user_id.to_pyarrow().to_pylist())


def test_rows_from_the_start_of_the_period_on_are_not_read(tmp_path):
    past = read_past(campaign(tmp_path))
    assert ids(past.tables.events) == ["ann", "bob"] and ids(past.tables.users) == ["ann", "bob"]
    assert str(past.tables.data_until) == "2025-03-03 00:00:00+00:00"


def test_all_that_is_known_is_the_same_without_them(tmp_path):
    (tmp_path / "b").mkdir()
    found = [read_past(campaign(folder, events))
             for folder, events in ((tmp_path, EVENTS + LATER), (tmp_path / "b", EVENTS))]
    assert found[0].tables.rows == found[1].tables.rows
    assert found[0].tables.data_from == found[1].tables.data_from
    pd.testing.assert_frame_equal(*(one.tables.events.order_by("user_id").to_pandas() for one in found))


def test_events_and_assignments_that_only_the_campaign_brings_need_not_be_there(tmp_path):
    assert read_past(campaign(tmp_path)).tables.assignments is None


def test_nothing_before_the_campaign_is_told(tmp_path):
    with pytest.raises(CampaignError, match="no event or order has a user and a time before 2025-03-03 00:00"):
        read_past(campaign(tmp_path, "user_id,event,occurred_at\n" + LATER))


def test_excluded_users_are_read_as_text(tmp_path):
    params = PARAMS + "plan: {exclude: {path: staff.csv, columns: {user_id: id}}}\n"
    past = read_past(campaign(tmp_path, params=params, staff="id\nbob\nbob\n\n7\n"))
    assert ids(past.excluded) == ["7", "bob"]


def test_what_is_wrong_with_the_excluded_is_told_with_its_place(tmp_path):
    params = PARAMS + "plan: {exclude: {path: staff.csv}}\n"
    with pytest.raises(CampaignError, match=r"plan\.exclude: .*has no column 'user_id'"):
        read_past(campaign(tmp_path, params=params, staff="id\nbob\n"))
