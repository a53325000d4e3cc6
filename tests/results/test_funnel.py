"""Rates of a funnel: what counts as entered, mature, converted and lost."""

import math
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from analysis.results.funnel import funnel
from tests.tables import observed


def steps_of(said, log, params="", **tables):
    events = log if isinstance(log, pd.DataFrame) else "user|event|at\n" + log
    return funnel(observed(f"funnels: {{path: {said}}}\n{params}", events=events, **tables), "path")


def counts(steps, *names, by="", segment=""):
    return [tuple(getattr(step, name) for name in names) for step in steps if (step.by, step.segment) == (by, segment)]


OPEN = ("o1|a|03-04\n o1|b|03-05\n o2|a|03-04\n o3|a|03-09\n o4|a|03-09\n o4|b|03-10")  # o3 and o4 are still open


def test_an_open_window_is_neither_converted_nor_lost():
    steps = steps_of("{steps: [a, b], window: 3 days}", OPEN, "data_until: 2024-03-10")
    assert counts(steps, "n_reached", "n_mature", "n_converted", "n_lost") == [(4, 2, 2, 0), (2, 2, 1, 1)]
    assert counts(steps, "rate", "step_rate", "median_seconds") == [(1.0, 1.0, 0.0), (0.5, 0.5, 86400.0)]


def test_without_a_mature_entry_there_is_no_rate_but_a_reason():
    steps = steps_of("{steps: [a, b], window: 30 days}", OPEN, "data_until: 2024-03-10")
    assert counts(steps, "n_reached", "n_mature", "reason") == [(4, 0, "all_open"), (2, 0, "all_open")]
    assert all(math.isnan(step.rate) and math.isnan(step.step_rate) and math.isnan(step.rate_lower) for step in steps)


def test_without_an_entry_there_is_no_step_in_the_list():
    assert steps_of("{steps: [a, b], window: none}", " u|b|03-05\n u|a|03-20") == []


def test_a_step_after_one_that_nobody_reached_has_no_share_of_it():
    steps = steps_of("{steps: [a, b, c], window: none}", " u|a|03-05\n v|b|01-01\n v|c|01-01")
    assert counts(steps, "n_converted", "rate") == [(1, 1.0), (0, 0.0), (0, 0.0)]
    assert math.isnan(steps[2].step_rate) and math.isnan(steps[1].median_seconds)


def test_times_are_the_median_from_entry_of_those_who_got_there():
    log = "\n".join(f"u{i}|a|03-05 00:00\n u{i}|b|03-05 0{i}:00" for i in (1, 2, 9)) + "\n v|a|03-05"
    steps = steps_of("{steps: [a, b], window: 1 day}", log)
    assert counts(steps, "median_seconds") == [(0.0,), (7200.0,)]


def test_phases_are_the_same_funnel_for_entries_of_another_time():
    log = " u|a|02-26\n u|a|03-05\n u|b|03-06\n v|a|02-27\n v|b|02-28\n w|a|03-12\n old|a|02-01"
    phases = "baseline: {start: 2024-02-26, end: 2024-03-03}\nafter: {start: 2024-03-11, end: 2024-03-17}"
    steps = steps_of("{steps: [a, b], window: 2 days}", log, phases)
    found = {phase: counts(steps, "n_converted", by="phase", segment=phase) for phase in ("before", "during", "after")}
    assert found == {"before": [(2,), (1,)], "during": [(1,), (1,)], "after": [(1,), (0,)]}


def test_a_phase_is_the_stretch_next_to_the_campaign_and_as_long_as_it():
    """The best entry of two weeks would beat the best of one."""
    log = (" early|a|02-20\n early|b|02-21\n near|a|02-27\n u|a|03-05\n soon|a|03-12\n late|a|03-19\n late|b|03-20\n"
           " z|a|03-31")
    phases = "baseline: {start: 2024-02-19, end: 2024-03-03}\nafter: {start: 2024-03-11, end: 2024-03-24}"
    steps = steps_of("{steps: [a, b], window: 2 days}", log, phases, orders="user|at|amount\n z|02-01|1")
    found = {phase: counts(steps, "n_converted", by="phase", segment=phase) for phase in ("before", "during", "after")}
    assert found == {"before": [(1,), (0,)], "during": [(1,), (0,)], "after": [(1,), (0,)]}


def test_entries_before_are_over_when_the_campaign_begins():
    """Else the campaign would convert them."""
    log = " u|a|03-03\n u|b|03-04\n v|a|03-05\n w|a|03-01\n old|a|02-01"
    steps = steps_of("{steps: [a, b], window: 2 days}", log, "baseline: {start: 2024-02-26, end: 2024-03-03}")
    assert counts(steps, "n_converted", by="phase", segment="before") == [(1,), (0,)]


def test_a_phase_whose_windows_are_all_open_is_not_compared():
    phases = "after: {start: 2024-03-11, end: 2024-03-17}\ndata_until: 2024-03-18"
    steps = steps_of("{steps: [a, b], window: 7 days}", " u|a|03-05\n v|b|03-06\n w|a|03-14", phases)
    assert counts(steps, "n_mature") == [(1,), (1,)] and not [step for step in steps if step.by == "phase"]


def test_a_phase_that_the_data_do_not_cover_is_not_compared():
    log = " u|a|03-05\n w|a|03-12"
    phases = "baseline: {start: 2024-02-26, end: 2024-03-03}\nafter: {start: 2024-03-11, end: 2024-03-17}\n"
    steps = steps_of("{steps: [a, a], window: none}", log, phases + "data_until: 2024-03-16")
    assert counts(steps, "n_reached") == [(1,), (0,)] and not [step for step in steps if step.by == "phase"]


def test_a_mature_entry_counts_in_the_segment_it_was_made_in():
    log = "user|event|at|page\n u|a|03-05|old\n u|a|03-09|new\n u|b|03-09 12:00|new"
    steps = funnel(observed("funnels: {path: {steps: [a, b], window: 2 days, by: [page]}}\ndata_until: 2024-03-09",
                            events=log), "path")
    assert counts(steps, "n_reached", "n_mature", "n_converted") == [(1, 1, 1), (1, 1, 0)]
    assert counts(steps, "n_reached", "n_mature", "n_converted", by="page", segment="old") == [(0, 1, 1), (0, 1, 0)]
    assert counts(steps, "n_reached", "n_mature", by="page", segment="new") == [(1, 0), (1, 0)]


def random_log(seed):
    draw = np.random.default_rng(seed)
    n = 3_000
    return pd.DataFrame({
        "user_id": [f"u{i}" for i in draw.integers(0, 400, n)], "event": draw.choice(["a", "b", "c"], n),
        "occurred_at": pd.Timestamp("2024-03-01") + pd.to_timedelta(draw.integers(0, 20 * 24, n), unit="h"),
        "page": draw.choice(["x", "y", None], n)})


@pytest.mark.parametrize("said", [
    "{steps: [a, b, c], window: 2 days, by: [page]}", "{steps: [a, b, a], window: none, entry: first, by: [page]}",
    "{steps: [c, a, b], window: none, order: any, by: [page]}"])
def test_steps_never_increase_segments_add_up_and_the_order_of_rows_is_no_matter(said):
    log = random_log(len(said))
    steps = steps_of(said, log, "data_until: 2024-03-11")
    whole = counts(steps, "n_reached", "n_mature", "n_converted")
    assert whole[0][0] > 200 and whole[-1][2] > 0
    assert all(after <= before for first, second in pairwise(whole)
               for before, after in zip(first, second, strict=True))
    for i, step in enumerate(whole, 1):
        parts = [(s.n_reached, s.n_mature, s.n_converted) for s in steps if s.by == "page" and s.position == i]
        assert tuple(map(sum, zip(*parts, strict=True))) == step
    assert all(0 <= step.rate_lower <= step.rate <= step.rate_upper <= 1 for step in steps if not step.reason)
    shuffled = steps_of(said, log.sample(frac=1, random_state=1), "data_until: 2024-03-11")
    assert repr(shuffled) == repr(steps)  # nan is nan
