"""Charts: what is drawn equals the numbers, in any language, with any name, the same on every run."""

from __future__ import annotations

import math
import re
from dataclasses import fields, replace
from datetime import date, timedelta
from importlib.resources import as_file, files
from itertools import pairwise
from xml.etree import ElementTree

import matplotlib
import pytest
from fontTools.ttLib import TTFont
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.axes import Axes
from matplotlib.dates import num2date
from matplotlib.figure import Figure
from matplotlib.text import Text

from analysis.results.activity import Active, Lifecycle, Stickiness
from analysis.results.conversion import StepEffect
from analysis.results.entry_days import EntryDay
from analysis.results.experiments.effects import Effect
from analysis.results.experiments.splits import ArmSplit
from analysis.results.experiments.tallies import Course
from analysis.results.funnel import Step
from analysis.results.goals import Goal
from analysis.results.ltv import Value
from analysis.results.money import Cost
from analysis.results.phases import Daily, Phase
from analysis.results.planning.holdouts import HeldOut
from analysis.results.planning.reach import Reach
from analysis.results.retention import Cell
from analysis.results.survival import Moment
from analysis.results.uplift import Uplift
from analysis.showing import theme
from analysis.showing.charts.rows import mark_at, text_width
from analysis.showing.figures import (
    Picture,
    plot_active,
    plot_chance,
    plot_costs,
    plot_daily,
    plot_entry_days,
    plot_experiments,
    plot_funnel,
    plot_funnel_by,
    plot_goals,
    plot_holdouts,
    plot_lifecycle,
    plot_peeking,
    plot_phases,
    plot_reach,
    plot_retention,
    plot_retention_triangle,
    plot_split_pvalues,
    plot_step_effects,
    plot_stickiness,
    plot_time_to_convert,
    plot_uplifts,
    plot_value,
    show,
)
from analysis.showing.reader import Reader

NAN = math.nan
EN, ZH = Reader("en", "EUR"), Reader("zh", "CNY")
PAGES = {"white": "#ffffff", "paper": theme.PAPER, "dark": "#16181d"}
ALL_PLOTS = (plot_active, plot_chance, plot_costs, plot_daily, plot_entry_days, plot_experiments, plot_funnel,
             plot_funnel_by, plot_goals, plot_lifecycle, plot_peeking, plot_phases, plot_retention,
             plot_retention_triangle, plot_split_pvalues, plot_step_effects, plot_time_to_convert, plot_uplifts,
             plot_value, plot_reach, plot_holdouts)


def answer(kind: type, **known: object):
    """A result with what a chart reads; the rest is empty."""
    empty = {"str": "", "int": 0, "float": NAN, "bool": False}
    return kind(**{field.name: empty.get(field.type) for field in fields(kind)} | known)


def steps(counts: dict[str, int], by: str = "", segment: str = "") -> list[Step]:
    """A funnel whose windows are all over, with intervals ten points wide."""
    made, entries, before = [], next(iter(counts.values())), next(iter(counts.values()))
    for i, (name, n) in enumerate(counts.items()):
        rate = n / entries if entries else NAN
        made.append(answer(
            Step, by=by, segment=segment, position=i + 1, step=name, n_reached=n, n_mature=entries, n_converted=n,
            rate=rate, rate_lower=rate - 0.05, rate_upper=rate + 0.05, step_rate=n / before if before else NAN,
            n_lost=before - n, reason="" if entries else "no_entries"))
        before = n
    return made


def cells(rates: dict[int | None, list[float]], flavour: str = "on_or_after") -> list[Cell]:
    """Cohorts by the week from 4 March 2024 on; None for the pooled row."""
    return [answer(Cell, flavour=flavour, cohort=None if week is None else date(2024, 3, 4) + timedelta(weeks=week),
                   period=period, n_users=100, rate=rate, rate_lower=rate - 0.05, rate_upper=rate + 0.05)
            for week, row in rates.items() for period, rate in enumerate(row)]


def uplift(metric="orders", diff=0.1, lower=0.05, upper=0.15, **known) -> Uplift:
    known = {"role": "primary", "better": "higher", "arm": "banner", "verdict": "better"} | known
    return answer(Uplift, metric=metric, rel_diff=diff, rel_diff_lower=lower, rel_diff_upper=upper, **known)


def goal(metric="orders", **known) -> Goal:
    known = {"target": 200.0, "observed": 220.0, "lower": 210.0, "upper": 230.0, "baseline": 180.0,
             "better": "higher", "measure": "per_user", "verdict": "met"} | known
    return answer(Goal, metric=metric, **known)


def phase(name: str, mean: float, group: str = "", is_cut: bool = False, metric: str = "orders") -> Phase:
    return answer(Phase, metric=metric, group=group, phase=name, mean=mean, mean_lower=mean - 1, mean_upper=mean + 1,
                  days=10, days_planned=30 if is_cut else 10, is_cut=is_cut)


def daily(values: list[float | None], during: range = range(0), group: str = "", metric: str = "orders"):
    """One row per day from 1 March 2024; None leaves the day out."""
    return [answer(Daily, metric=metric, group=group, day=date(2024, 3, 1 + i), value=value,
                   phase="during" if i in during else "before")
            for i, value in enumerate(values) if value is not None]


def moments(shares: dict[float, float]) -> list[Moment]:
    """Seconds -> share converted by then, every time one that is named."""
    return [answer(Moment, seconds=t, share=share, share_lower=max(0, share - 0.05), share_upper=share + 0.05,
                   is_landmark=True) for t, share in shares.items()]


def entry_days(rates: list[float | None], first_open: int = 99) -> list[EntryDay]:
    """A day each from 1 March 2024; None for a day without entries."""
    return [answer(EntryDay, day=date(2024, 3, 1 + i), n_entered=0 if rate is None else 100,
                   n_converted=round(100 * (rate or 0)), is_open=i >= first_open,
                   rate=NAN if rate is None or i >= first_open else rate, rate_lower=(rate or 0) - 0.05,
                   rate_upper=(rate or 0) + 0.05, reason="no_entries" if rate is None else "")
            for i, rate in enumerate(rates)]


def step_effect(step: str, position: int = 2, diff: float = 0.1, **known) -> StepEffect:
    known = {"base": "entry", "arm": "banner", "control": "stay", "value_treatment": 0.4, "value_control": 0.3,
             "pvalue_adjusted": 0.03} | known
    return answer(StepEffect, step=step, position=position, diff=diff, diff_lower=diff - 0.05, diff_upper=diff + 0.05,
                  **known)


def cost(item: str, amount: float, share: float = NAN) -> Cost:
    return answer(Cost, item=item, amount=amount, share=share)


def effect(diff: float, verdict: str = "cannot_tell", half: float = 0.01, **known) -> Effect:
    """A treatment of an experiment, its interval `half` to each side."""
    known = {"metric": "orders", "is_trusted": verdict != "not_trusted", "n_treatment": 500, "n_control": 500,
             "pvalue": 0.5, "pvalue_adjusted": 1.0, "experiment": f"e{diff}", "arm": "new"} | known
    return answer(Effect, rel_diff=diff, rel_diff_lower=diff - half, rel_diff_upper=diff + half, verdict=verdict,
                  **known)


def arm_split(pvalue: float) -> ArmSplit:
    return answer(ArmSplit, pvalue=pvalue, state="fail" if pvalue < 0.001 else "ok")


def course(progress: float, *counts: int) -> Course:
    """By that moment: with a small p then, with one so far, by the method that allows looking; of ten."""
    return Course("orders", progress, 10, *counts)


def texts(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.texts]


def bars(ax: Axes) -> list[tuple[float, float]]:
    """(left, width) of each bar, as drawn."""
    return [(round(bar.get_x(), 9), round(bar.get_width(), 9)) for bar in ax.patches]


def marks(ax: Axes) -> list[tuple[float, float, str]]:
    """(x, row, marker) of each single mark."""
    return [(line.get_xdata()[0], line.get_ydata()[0], line.get_marker()) for line in ax.lines
            if len(line.get_xdata()) == 1]


def spans(ax: Axes) -> list[tuple[float, float]]:
    """Ends of each horizontal line of an interval."""
    return [tuple(line.get_xdata()) for line in ax.lines
            if len(line.get_xdata()) == 2 and len(set(line.get_ydata())) == 1]


class TestFunnel:
    def test_bars_are_the_counts_and_the_losses_beside_them(self):
        ax = plot_funnel(steps({"visit": 100, "cart": 40, "order": 30}), EN)
        assert sorted(bars(ax)) == sorted([(0, 100), (0, 40), (0, 30), (100, 0), (40, 60), (30, 10)])

    def test_first_step_is_on_top(self):
        ax = plot_funnel(steps({"visit": 100, "cart": 40}), EN)
        names = [text for text in ax.texts if text.get_text() in ("1 visit", "2 cart")]
        heights = [ax.transData.transform((0, text.get_position()[1]))[1] for text in names]
        assert heights == sorted(heights, reverse=True)

    def test_largest_loss_is_named_in_words_once(self):
        ax = plot_funnel(steps({"visit": 100, "cart": 40, "order": 30}), EN)
        assert [text for text in texts(ax) if "largest loss" in text] == [
            "40.0% of entry · ▼ largest loss: 60 (only 40.0% went on)"]

    def test_no_loss_is_marked_where_nothing_was_lost(self):
        assert "largest loss" not in " ".join(texts(plot_funnel(steps({"visit": 9, "order": 9}), EN)))

    def test_segments_are_left_out(self):
        ax = plot_funnel(steps({"visit": 10}) + steps({"visit": 4}, "channel", "mail"), EN)
        assert (0, 4) not in bars(ax)

    def test_no_entries_is_said(self):
        assert "no entries" in texts(plot_funnel(steps({"visit": 0, "order": 0}), EN))

    def test_long_names_end_before_their_numbers(self):
        ax = plot_funnel(steps({"begin_checkout_" * 8: 1_000_000, "order": 1}), EN)
        name, value = texts(ax)[:2]
        assert name.endswith("…") and text_width(name, 10) + text_width(value, 10) < 72 * theme.WIDTH


class TestFunnelBy:
    def segments(self):
        return [step for name, n in {"mail": 20, "search": 60, "shop": 0}.items()
                for step in steps({"visit": 100 if n else 0, "order": n}, "channel", name)]

    def test_dots_are_the_rates_best_first_and_the_unknown_last(self):
        ax = plot_funnel_by(self.segments(), EN)
        assert marks(ax) == [(0.6, mark_at(0), "o"), (0.2, mark_at(1), "o")]
        assert [text for text in texts(ax) if text in ("mail", "search", "shop")] == ["search", "mail", "shop"]
        assert "cannot be estimated" in texts(ax)

    def test_intervals_are_wilsons(self):
        drawn = [end for span in spans(plot_funnel_by(self.segments(), EN)) for end in span]
        assert drawn == pytest.approx([0.55, 0.65, 0.15, 0.25])

    def test_the_whole_funnel_is_the_upright_line(self):
        ax = plot_funnel_by(steps({"visit": 100, "order": 40}) + self.segments(), EN)
        assert {x for path in ax.collections[0].get_paths() for x in path.vertices[:, 0]} == {0.4}

    def test_phases_keep_their_order(self):
        rows = [step for name, n in {"after": 9, "before": 1, "during": 5}.items()
                for step in steps({"visit": 10, "order": n}, "phase", name)]
        assert [x for x, _, _ in marks(plot_funnel_by(rows, EN))] == [0.1, 0.5, 0.9]

    def test_two_breakdowns_are_refused(self):
        with pytest.raises(ValueError, match=r"one breakdown at a time, got \['channel', 'city'\]"):
            plot_funnel_by(steps({"visit": 1}, "channel", "a") + steps({"visit": 1}, "city", "b"), EN)


class TestRetention:
    def test_curves_are_the_pooled_rates_without_period_0(self):
        pooled = cells({None: [1, 0.5, 0.4]}) + cells({None: [1, 0.3, 0.2]}, "on") + cells({0: [1, 0.9, 0.9]})
        ax = plot_retention(pooled, EN)
        assert [(list(line.get_xdata()), list(line.get_ydata())) for line in ax.lines] == [
            ([1, 2], [0.5, 0.4]), ([1, 2], [0.3, 0.2])]

    def test_flavours_differ_by_dash_and_are_named_beside_the_line(self):
        ax = plot_retention(cells({None: [1, 0.5]}) + cells({None: [1, 0.3]}, "on"), EN)
        assert [line.is_dashed() for line in ax.lines] == [False, True]
        assert texts(ax) == ["in the period or later", "in the period"]

    def test_period_0_stays_when_it_is_all_there_is(self):
        assert list(plot_retention(cells({None: [1.0]}), EN).lines[0].get_ydata()) == [1]

    def test_axis_begins_at_zero(self):
        assert plot_retention(cells({None: [1, 0.5, 0.4]}), EN).get_ylim()[0] == 0


class TestTriangle:
    def test_a_period_that_is_not_over_is_blank_and_not_zero(self):
        ax = plot_retention_triangle(cells({0: [1, 0.5, 0.0], 1: [1, 0.6], 2: [1]}, "on"), EN)
        shown = ax.collections[0].get_array()
        assert shown.tolist() == [[50, 0], [60, None], [None, None]]
        assert texts(ax) == ["50", "0", "60"]

    def test_a_cell_that_has_begun_without_a_rate_is_hatched(self):
        own = cells({0: [1, 0.5, NAN], 1: [1, NAN]}, "on")
        own = [replace(cell, reason="not_over" if math.isnan(cell.rate) else "") for cell in own]
        ax = plot_retention_triangle(own, EN)
        hatched = [patch.get_xy() for patch in ax.patches if patch.get_hatch()]
        assert sorted(hatched) == [(0, 1), (1, 0)]
        assert "hatched" in ax.get_xlabel()

    def test_rows_name_the_cohort_and_its_size(self):
        ax = plot_retention_triangle(cells({0: [1, 0.5]}, "on"), EN)
        assert [tick.get_text() for tick in ax.get_yticklabels()] == ["4 Mar 2024 (n = 100)"]

    def test_many_cohorts_get_a_scale_instead_of_numbers(self):
        ax = plot_retention_triangle(cells({week: [1] + [0.5] * (30 - week) for week in range(30)}, "on"), EN)
        assert not texts(ax) and len(ax.figure.axes) == 2 and len(ax.get_yticklabels()) <= 16

    def test_the_pooled_row_and_the_other_flavour_are_left_out(self):
        ax = plot_retention_triangle(cells({0: [1, 0.5], None: [1, 0.9]}, "on") + cells({0: [1, 0.1]}), EN)
        assert texts(ax) == ["50"]


class TestUplifts:
    def test_points_and_intervals_are_the_numbers(self):
        ax = plot_uplifts([uplift(), uplift("refunds", -0.2, -0.3, -0.1, verdict="worse")], EN)
        assert spans(ax) == [(0.05, 0.15), (-0.3, -0.1)]
        assert [x for x, _, _ in marks(ax)] == [0.1, -0.2]

    def test_verdicts_differ_by_shape_and_word(self):
        ax = plot_uplifts([uplift(verdict=v) for v in ("better", "worse", "cannot_tell", "safe", "broken")], EN)
        assert [marker for _, _, marker in marks(ax)] == ["o", "X", "D", "o", "X"]
        assert {"● better", "✖ worse", "◇ cannot tell", "● safe", "✖ broken"} <= set(texts(ax))

    @pytest.mark.parametrize(("better", "limit", "words"), [("higher", -0.02, "−2.0%"), ("lower", 0.02, "+2.0%")])
    def test_a_guardrail_shows_how_much_may_be_lost(self, better, limit, words):
        ax = plot_uplifts([uplift(role="guardrail", verdict="safe", better=better, margin=0.02)], EN)
        assert limit in {x for lines in ax.collections for path in lines.get_paths() for x in path.vertices[:, 0]}
        assert texts(ax)[2] == f"+10.0% (+5.0% to +15.0%) · guardrail, ┆ limit {words}"

    def test_arms_are_named_where_there_are_several(self):
        ax = plot_uplifts([uplift(arm="banner"), uplift(arm="mail")], EN)
        assert {"orders · banner", "orders · mail"} <= set(texts(ax))

    def test_zero_is_in_view_and_marked(self):
        ax = plot_uplifts([uplift()], EN)
        assert ax.get_xlim()[0] < 0
        assert {x for path in ax.collections[0].get_paths() for x in path.vertices[:, 0]} == {0}

    def test_an_infinite_bound_is_an_arrow_at_the_edge(self):
        ax = plot_uplifts([uplift(upper=math.inf, verdict="cannot_tell")], EN)
        edge = ax.get_xlim()[1]
        assert (edge, mark_at(0), ">") in marks(ax) and spans(ax) == [(0.05, edge)]

    def test_nan_has_words_and_no_mark(self):
        ax = plot_uplifts([uplift(diff=NAN, lower=NAN, upper=NAN, verdict="cannot_tell")], EN)
        assert not marks(ax) and "cannot be estimated" in texts(ax)


class TestGoals:
    def test_each_goal_is_scaled_to_its_own_target(self):
        ax = plot_goals([goal(), goal("refunds", target=10.0, observed=8.0, lower=7.0, upper=9.0, better="lower")], EN)
        assert [x for x, _, _ in marks(ax)] == [1.1, 0.8]
        assert spans(ax) == [(1.05, 1.15), (0.7, 0.9)]

    def test_the_tinted_side_is_the_one_that_meets_the_goal(self):
        def side(better):
            ax = plot_goals([goal(better=better)], EN)
            return ax.collections[1].get_paths()[0].vertices[:, 0].mean() - 1
        assert side("higher") > 0 > side("lower")

    def test_words_tell_what_came_and_what_was_asked(self):
        ax = plot_goals([goal(better="lower", verdict="missed")], EN)
        assert texts(ax) == ["orders", "✖ missed", "220.0 (210.0 to 230.0) · goal: at most 200.0"]

    def test_far_beyond_the_target_is_an_arrow_and_does_not_squash_the_rest(self):
        ax = plot_goals([goal(observed=9000.0, lower=8000.0, upper=9999.0), goal()], EN)
        assert ax.get_xlim()[1] < 2.2 and (ax.get_xlim()[1], mark_at(0), ">") in marks(ax)

    @pytest.mark.parametrize("target", [0.0, -5.0, NAN])
    def test_a_target_that_cannot_scale_has_words_and_no_mark(self, target):
        assert not marks(plot_goals([goal(target=target, verdict="unknown")], EN))


class TestPhases:
    def test_means_stand_in_the_order_of_time(self):
        ax = plot_phases([phase("after", 6), phase("before", 5), phase("during", 7)], EN)
        points = sorted((container.lines[0].get_xdata()[0], container.lines[0].get_ydata()[0])
                        for container in ax.containers)
        assert points == [(0, 5), (1, 7), (2, 6)]

    def test_a_cut_phase_is_hollow_and_says_how_many_days_it_has(self):
        ax = plot_phases([phase("before", 5), phase("during", 7), phase("after", 6, is_cut=True)], EN)
        faces = [container.lines[0].get_markerfacecolor() for container in ax.containers]
        assert faces == [theme.BLUE, theme.BLUE, theme.PAPER]
        assert ax.get_xticklabels()[2].get_text() == "after\n○ only 10 of 30 days"

    def test_a_missing_phase_is_said(self):
        ax = plot_phases([phase("during", 7), phase("after", NAN)], EN)
        said = [tick.get_text().splitlines()[1] for tick in ax.get_xticklabels()]
        assert said == ["no data", "10 days", "10 of 10 days"]

    def test_groups_differ_by_marker(self):
        ax = plot_phases([phase("before", 5, "a"), phase("before", 6, "b")], EN)
        assert [container.lines[0].get_marker() for container in ax.containers] == ["o", "s"]

    def test_two_metrics_are_refused(self):
        with pytest.raises(ValueError, match="one metric at a time"):
            plot_daily(daily([1.0]) + daily([1.0], metric="refunds"), EN)


class TestDaily:
    def test_a_missing_day_is_a_gap(self):
        values = plot_daily(daily([1.0, None, 3.0, 4.0]), EN).lines[0].get_ydata()
        assert [None if math.isnan(value) else value for value in values] == [1, None, 3, 4]

    def test_a_day_between_gaps_is_still_seen(self):
        ax = plot_daily(daily([1.0, 2.0, None, 5.0, None, 3.0, 4.0]), EN)
        assert list(ax.lines[1].get_ydata()) == [5]

    def test_the_campaign_is_shaded_from_its_first_day_to_its_last(self):
        ax = plot_daily(daily([1.0, 2.0, 3.0, 4.0], during=range(1, 3)), EN)
        start = ax.patches[0].get_x()
        assert num2date(start).isoformat().startswith("2024-03-01T12:00")
        assert ax.patches[0].get_width() == 2 and "campaign" in texts(ax)

    @pytest.mark.parametrize(("reader", "first"), [(EN, "1 Mar"), (ZH, "3月1日")])
    def test_days_are_in_the_readers_language(self, reader, first):
        assert plot_daily(daily([1.0, 2.0, 3.0]), reader).get_xticklabels()[0].get_text() == first


class TestTimeToConvert:
    def test_the_curve_goes_through_the_shares(self):
        ax = plot_time_to_convert(moments({60: 0.1, 3600: 0.2, 86400: 0.3}), EN)
        assert list(ax.lines[0].get_xdata()) == [60, 3600, 86400]
        assert list(ax.lines[0].get_ydata()) == [0.1, 0.2, 0.3]

    def test_only_a_long_time_is_on_a_logarithmic_axis(self):
        assert plot_time_to_convert(moments({60: 0.1, 86400: 0.3}), EN).get_xscale() == "log"
        assert plot_time_to_convert(moments({600: 0.1, 3600: 0.3}), EN).get_xscale() == "linear"

    def test_times_that_would_run_into_each_other_are_left_out_and_the_last_is_kept(self):
        ax = plot_time_to_convert(moments({60 * i: 0.01 * i for i in range(1, 19)}), EN)
        named = [label.get_text() for label in ax.get_xticklabels()]
        assert "18 minutes" in named and 2 <= len(named) < 8
        ax.figure.draw_without_rendering()
        boxes = sorted((label.get_window_extent().x0, label.get_window_extent().x1) for label in ax.get_xticklabels())
        assert all(right < left for (_, right), (left, _) in pairwise(boxes))

    def test_a_conversion_at_once_is_drawn(self):
        ax = plot_time_to_convert(moments({0.0: 0.5}), EN)
        assert list(ax.lines[0].get_ydata()) == [0.5]


class TestEntryDays:
    def test_a_day_without_entries_parts_the_line(self):
        ax = plot_entry_days(entry_days([0.1, 0.2, None, 0.4]), EN)
        assert [list(line.get_ydata()) for line in ax.lines if line.get_marker() == "o"] == [[0.1, 0.2], [0.4]]

    def test_open_days_are_hatched_hollow_and_joined_to_nothing(self):
        ax = plot_entry_days(entry_days([0.1, 0.2, 0.3, 0.4], 2), EN)
        closed, still_open = (line for line in ax.lines if line.get_marker() == "o")
        assert list(closed.get_ydata()) == [0.1, 0.2] and list(still_open.get_ydata()) == [0.3, 0.4]
        assert still_open.get_markerfacecolor() == "none" and still_open.get_linestyle() == "None"
        assert ax.patches[0].get_hatch() and "still open" in texts(ax)

    def test_without_open_days_nothing_is_hatched(self):
        ax = plot_entry_days(entry_days([0.1, 0.2]), EN)
        assert not ax.patches and not texts(ax)


class TestStepEffects:
    def test_rows_are_steps_then_arms_and_checks_are_left_out(self):
        rows = [step_effect("pay", 3, -0.02), step_effect("cart", 2, 0.1), step_effect("cart", 2, 0.04, arm="b"),
                step_effect("visit", 1, 0.5, base="assigned")]
        ax = plot_step_effects(rows, EN)
        assert [x for x, _, _ in marks(ax)] == [0.1, 0.04, -0.02]
        assert len({marker for x, _, marker in marks(ax)}) == 2
        assert texts(ax)[:3] == ["2 cart · banner", "+10.00 pp", "40.0% against 30.0% · p 0.0300"]

    def test_a_step_that_cannot_be_compared_is_no_row(self):
        assert texts(plot_step_effects([step_effect("cart", diff=NAN)], EN)) == ["Nothing to show"]


class TestCosts:
    def test_bars_are_the_amounts_largest_first_and_the_total_last(self):
        ax = plot_costs([cost("", 100.0), cost("staff", 30.0, 0.3), cost("media", 70.0, 0.7)], EN)
        drawn = sorted((bar.get_y(), bar.get_width()) for bar in ax.patches)
        assert [width for _, width in drawn] == [70, 30, 100]
        assert texts(ax) == ["media", "€70.00 (70.0%)", "staff", "€30.00 (30.0%)", "total", "€100.00"]

    def test_an_unknown_amount_has_words_and_no_bar(self):
        ax = plot_costs([cost("media", 70.0), cost("staff", NAN)], EN)
        assert [width for _, width in bars(ax) if not math.isnan(width) and width] == [70]
        assert texts(ax)[2:] == ["staff", "unknown"]


def state(week: int, new: int, current: int, back: int, gone: int, reason: str = "") -> Lifecycle:
    return Lifecycle(date(2024, 3, 4) + timedelta(weeks=week), new, current, back, gone, reason)


class TestActivity:
    def test_bars_stand_on_each_other_and_who_went_hangs_below(self):
        ax = plot_lifecycle([state(0, 3, 2, 1, 4), state(1, 0, 5, 0, 1, "not_over")], EN)
        spans = [(bar.get_y(), bar.get_height()) for bar in bars_of(ax)]
        assert spans == [(0, 2), (0, 5), (2, 1), (5, 0), (3, 3), (5, 0), (0, -4), (0, -1)]
        assert [bar.get_alpha() for bar in bars_of(ax)][:2] == [1, 0.35]
        assert "pale" in ax.get_xlabel()

    def test_a_window_that_is_not_known_is_a_gap_and_one_never_known_no_line(self):
        days = [Active(date(2024, 3, day), 5.0, 9.0 if day > 4 else NAN, NAN) for day in (4, 5, 6)]
        ax = plot_active(days, EN)
        assert [text.get_text() for text in ax.get_legend().get_texts()] == ["7 days", "the day itself"]
        assert math.isnan(ax.lines[0].get_ydata()[0]) and list(ax.lines[1].get_ydata()) == [5, 5, 5]

    def test_stickiness_is_the_share_active_so_often_or_more(self):
        ax = plot_stickiness([Stickiness(1, 1, 2, 4, 1.0), Stickiness(2, 2, 2, 2, 0.5)], "week", EN)
        assert [bar.get_height() for bar in bars_of(ax)] == [1.0, 0.5]
        assert texts(plot_stickiness([], "week", EN)) == ["Nothing to show"]

    def test_worth_of_cohorts_ends_where_their_days_are_not_over(self):
        first, second = date(2024, 3, 4), date(2024, 3, 5)
        worth = [Value(None, 1, 5, 2.0), Value(None, 2, 3, 4.0), Value(first, 1, 3, 1.0), Value(first, 2, 3, 4.0),
                 Value(second, 1, 2, 3.0), Value(second, 2, 2, NAN, "not_over")]
        ax = plot_value(worth, EN)
        assert [list(line.get_ydata()) for line in ax.lines] == [[1, 4], [3], [2, 4]]


class TestExperiments:
    def test_lines_are_the_intervals_largest_on_top_and_what_is_not_trusted_below(self):
        ax = plot_experiments([effect(0.01), effect(0.03, "better"), effect(0.02, "not_trusted"),
                               effect(-0.04, "worse", half=0.02)], EN)
        drawn = [(round(x, 9), row, marker) for x, row, marker in marks(ax)]
        assert drawn == [(0.03, 0, "o"), (0.01, 1, "D"), (-0.04, 2, "X"), (0.02, 5, "s")]
        assert [tuple(round(end, 9) for end in span) for span in spans(ax)] == [
            (0.02, 0.04), (0.0, 0.02), (-0.06, -0.02), (0.01, 0.03)]

    def test_a_line_that_ends_beyond_the_axis_ends_at_its_edge_and_a_point_there_is_an_arrow(self):
        ax = plot_experiments([*(effect(0.001 * i) for i in range(50)), effect(5.0)], EN)
        left, right = ax.get_xlim()
        assert right < 1 and marks(ax)[0] == (right, 0, ">")
        assert all(left <= low <= high <= right for low, high in spans(ax)[1:])

    def test_a_point_without_interval_has_no_line(self):
        ax = plot_experiments([effect(0.02, half=NAN), effect(0.01)], EN)
        assert len(marks(ax)) == 2 and len(spans(ax)) == 1

    def test_the_legend_counts_each_verdict(self):
        ax = plot_experiments([effect(0.01), effect(0.02), effect(0.03, "better")], EN)
        assert [text.get_text() for text in ax.get_legend().get_texts()] == ["better: 1", "cannot tell: 2"]

    def test_the_histogram_counts_every_split_and_the_line_is_what_chance_gives(self):
        ax = plot_split_pvalues([arm_split(p) for p in (0.0, 0.0005, 0.03, 0.5, 1.0)] + [arm_split(NAN)], EN)
        heights = [bar.get_height() for bar in ax.patches]
        assert (heights[0], heights[20], sum(heights)) == (2, 1, 5)
        assert list(ax.lines[0].get_ydata()) == [5 / 20] * 2

    def test_what_stands_what_fell_and_what_never_stood_differ_by_marker(self):
        ax = plot_chance([effect(0.01), effect(0.02, pvalue=0.02, pvalue_adjusted=0.3),
                          effect(0.03, "better", pvalue=0.001, pvalue_adjusted=0.01),
                          effect(0.03, "not_trusted", pvalue=0.0, pvalue_adjusted=NAN)], EN)
        shown = {line.get_marker(): list(line.get_xdata()) for line in ax.lines[:3]}
        assert shown == {"D": [0.01], "X": [0.02], "o": [0.03]}
        assert [line.get_ydata()[0] for line in ax.lines[:3]] == [1000] * 3

    def test_lines_of_looking_go_through_the_counts(self):
        ax = plot_peeking([course(0.5, 2, 3, 1), course(1.0, 1, 4, 1)], EN)
        assert [list(line.get_ydata()) for line in ax.lines] == [[0, 3, 4], [0, 2, 1], [0, 1, 1]]
        assert [text.get_text().rsplit(": ", 1)[1] for text in ax.get_legend().get_texts()] == ["4", "1", "1"]


def reach(days: float, size: float, **known) -> Reach:
    known = {"metric": "orders", "arm": "go", "smallest_plain": size * 1.1, "reduction": 0.2, "wished": 0.3} | known
    return answer(Reach, days=days, smallest=size, **known)


def held_out(share: float, size: float, **known) -> HeldOut:
    known = {"metric": "orders", "unit": "EUR", "wished": 0.3, "forgone": 1e4 * share} | known
    return answer(HeldOut, share=share, smallest=size, **known)


class TestPlanning:
    def test_lines_are_the_smallest_effects_with_the_time_before_and_without(self):
        ax = plot_reach([reach(1.0, 0.4), reach(2.0, 0.2)], EN, planned=2.0)
        assert [list(line.get_ydata()) for line in ax.lines[:2]] == [pytest.approx([0.44, 0.22]), [0.4, 0.2]]
        assert [list(line.get_xdata()) for line in ax.lines[:2]] == [[1, 2]] * 2
        assert list(ax.lines[2].get_ydata()) == [0.3, 0.3] and list(ax.lines[3].get_xdata()) == [2.0, 2.0]

    def test_where_the_time_before_takes_nothing_off_there_is_one_line(self):
        ax = plot_reach([reach(1.0, 0.4, reduction=NAN), reach(2.0, 0.2, reduction=NAN)], EN)
        assert [text.get_text() for text in ax.get_legend().get_texts()] == [
            "as the review will compare", "wished effect"]

    def test_each_of_several_arms_has_its_own(self):
        ax = plot_reach([reach(1.0, 0.4), reach(1.0, 0.2, arm="run")], EN)
        assert [text.get_text() for text in ax.get_legend().get_texts()][:2] == ["go", "run"]

    def test_effects_that_lower_are_drawn_by_their_size(self):
        ax = plot_reach([reach(1.0, -0.4, wished=-0.3), reach(2.0, -0.2, wished=-0.3)], EN)
        assert list(ax.lines[1].get_ydata()) == [0.4, 0.2] and list(ax.lines[2].get_ydata()) == [0.3, 0.3]

    def test_far_from_the_wish_is_cut_but_not_at_the_planned_length(self):
        ax = plot_reach([reach(1.0, 9.0), reach(2.0, 4.0)], EN, planned=2.0)
        assert 4.4 < ax.get_ylim()[1] < 5

    def test_hold_outs_stand_by_their_share_with_what_they_forgo_above(self):
        ax = plot_holdouts([held_out(0.05, 0.4, is_planned=True), held_out(0.2, 0.2, is_enough=True)], EN)
        assert list(ax.lines[0].get_xdata()) == [0.05, 0.2] and list(ax.lines[0].get_ydata()) == [0.4, 0.2]
        assert [text.get_text() for text in ax.get_legend().get_texts()] == [
            "planned", "smallest that will do", "wished effect"]
        ax.figure.draw_without_rendering()
        above = ax.child_axes[0]
        assert {"€500", "€2,000"} <= {text.get_text() for text in above.xaxis.get_ticklabels()}

    def test_without_a_wish_nothing_is_forgone(self):
        ax = plot_holdouts([held_out(0.05, 0.4, wished=NAN, forgone=NAN)], EN)
        assert ax.child_axes == [] and len(ax.lines) == 1


def bars_of(ax: Axes) -> list:
    return [patch for container in ax.containers for patch in container]


def gallery(reader: Reader, name: str = "orders") -> list[Axes]:
    """Every chart once, with `name` wherever a name can stand."""
    return [
        plot_funnel(steps({name: 100, "cart": 40}), reader),
        plot_funnel_by(steps({"visit": 10, name: 4}, "channel", name), reader),
        plot_retention(cells({None: [1, 0.5, 0.4]}), reader),
        plot_retention_triangle(cells({0: [1, 0.5, 0.4], 1: [1, 0.5]}, "on"), reader),
        plot_lifecycle([state(0, 3, 2, 1, 4), state(1, 0, 5, 0, 1)], reader),
        plot_uplifts([uplift(name)], reader),
        plot_goals([goal(name)], reader),
        plot_phases([phase("before", 5, group, metric=name) for group in (name, "b")], reader),
        plot_daily(daily([1.0, 2.0], group=name, metric=name) + daily([2.0, 1.0], group="b", metric=name), reader),
        plot_costs([cost(name, 5.0, 1.0)], reader),
        plot_time_to_convert(moments({60: 0.1, 3600: 0.2, 86400: 0.3}), reader),
        plot_entry_days(entry_days([0.1, None, 0.3, 0.2], 3), reader),
        plot_step_effects([step_effect(name, arm=arm, control=name) for arm in (name, "b")], reader),
        plot_experiments([effect(0.01, metric=name), effect(0.02, "not_trusted", metric=name)], reader),
        plot_chance([effect(0.01, metric=name), effect(0.02, metric=name, pvalue=0.01)], reader),
        plot_peeking([course(0.5, 2, 3, 1), course(1.0, 1, 4, 1)], reader),
        plot_split_pvalues([arm_split(0.0), arm_split(0.4)], reader),
        plot_reach([reach(days, size, metric=name) for days, size in ((1.0, 0.4), (2.0, 0.2))], reader, planned=2.0),
        plot_reach([reach(1.0, size, metric=name, arm=arm) for arm, size in ((name, 0.4), ("b", 0.2))], reader),
        plot_holdouts([held_out(0.05, 0.4, metric=name), held_out(0.2, 0.2, metric=name, is_enough=True)], reader),
    ]


def words(picture: Picture) -> str:
    return " ".join(ElementTree.fromstring(picture.svg).itertext())


@pytest.mark.parametrize("plot", ALL_PLOTS)
def test_nothing_gives_words(plot):
    assert texts(plot([], EN)) == ["Nothing to show"]


@pytest.mark.parametrize("plot", ALL_PLOTS)
def test_given_axes_are_drawn_on(plot):
    ax = Figure().add_subplot()
    assert plot([], EN, ax) is ax


def test_the_callers_settings_come_back():
    before = dict(matplotlib.rcParams)
    gallery(EN)
    assert dict(matplotlib.rcParams) == before


def test_two_runs_give_the_same_bytes():
    assert [show(ax, "x") for ax in gallery(EN)] == [show(ax, "x") for ax in gallery(EN)]


# retention, conversion over time, lifecycle and what many experiments have in common name no data
NAMELESS = ("Periods since", "that converted", "gone", "Treatments")


@pytest.mark.parametrize("name", ["price $a$", "<script>x</script>", "浏览 🛒 𠮷", "a & \"b\" 'c'", "{x}"])
def test_names_stay_the_text_they_are(name):
    for ax in gallery(Reader("en", "EUR", labels={name: name}), name):
        drawn = words(show(ax, "x"))
        assert name in drawn or any(label in drawn for label in NAMELESS)


def test_endless_names_are_cut_to_their_place():
    for ax in gallery(EN, "word " * 2000):
        ax.figure.draw_without_rendering()
        drawn = [text.get_window_extent().width for text in ax.findobj(Text) if text.get_text()]
        assert max(drawn) <= 72 * theme.WIDTH


@settings(max_examples=20, deadline=None)
@given(st.text(min_size=1, max_size=80))
def test_any_name_gives_wellformed_svg(name):
    ElementTree.fromstring(show(plot_costs([cost(name, 5.0)], EN), "x").svg)


def test_every_gb2312_character_is_in_the_font():
    pairs = (bytes([high, low]) for high in range(0xA1, 0xF8) for low in range(0xA1, 0xFF))
    wanted = {sign for pair in pairs if (sign := pair.decode("gb2312", errors="ignore"))}
    with as_file(files("analysis.showing") / "fonts" / "NotoSansSC-GB2312.otf") as path:
        held = TTFont(path).getBestCmap()
    assert len([sign for sign in wanted if sign >= "一"]) >= 6763
    assert not [sign for sign in wanted if ord(sign) not in held]


def test_chinese_is_measured_in_the_shipped_font():
    with theme.theme():
        assert text_width("浏览加购下单", 10) == pytest.approx(60, abs=0.5)


@pytest.fixture
def every_warning(monkeypatch):
    """The theme's own filter off: pytest turns a missing glyph into an error."""
    monkeypatch.setattr("warnings.filterwarnings", lambda *rule, **more: None)


def test_chinese_draws_without_a_missing_glyph(every_warning):
    for ax in gallery(ZH, "浏览"):
        show(ax, "浏览")


def test_that_check_would_see_a_missing_glyph(every_warning):
    with pytest.raises(UserWarning, match="Glyph"):
        show(plot_costs([cost("🛒", 5.0)], ZH), "x")


def luminance(colour: str) -> float:
    channels = [int(colour[i:i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
@pytest.mark.parametrize("colour", theme.GROUP_COLOURS)
def test_marks_stand_out_on_light_and_on_dark(colour, page):
    lighter, darker = sorted((luminance(colour), luminance(page)), reverse=True)
    assert (lighter + 0.05) / (darker + 0.05) >= 3  # WCAG 2.2, 1.4.11


class TestPicture:
    def picture(self) -> Picture:
        return show(plot_funnel(steps({"visit": 100, "cart": 40}), EN), "Funnel: 40 of 100")

    def test_a_notebook_gets_the_svg_and_its_words(self):
        kinds, notes = self.picture()._repr_mimebundle_()
        assert kinds["image/svg+xml"].startswith("<svg ") and kinds["text/plain"] == "Funnel: 40 of 100"
        assert notes == {"image/svg+xml": {"alt": "Funnel: 40 of 100"}}

    def test_it_loads_nothing_and_dates_nothing(self):
        svg = self.picture().svg
        assert not re.search(r"<metadata|<!DOCTYPE|<\?xml|<image|20\d\d-\d\d", svg)
        assert set(re.findall(r"https?://[^\"]*", svg)) <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}

    def test_text_has_the_ink_that_the_page_replaces_and_no_font_of_its_own(self):
        texts = re.findall(r"<text [^>]*>", self.picture().svg)
        assert texts and all(theme.INK in text and "family" not in text for text in texts)

    def test_its_ground_is_the_paper_that_the_page_replaces(self):
        first = ElementTree.fromstring(self.picture().svg).find(".//{http://www.w3.org/2000/svg}path")
        assert first.get("style") == f"fill: {theme.PAPER}"

    def test_blank_cells_weigh_nothing(self):
        svg = show(plot_retention_triangle(cells({0: [1, 0.5, 0.4], 1: [1, 0.5], 2: [1]}, "on"), EN), "x").svg
        assert svg.count("fill-opacity") == 3 and 'style="fill: none"' not in svg

    def test_text_stays_text(self):
        assert "1 visit" in words(self.picture())


def test_what_is_summed_in_another_order_is_drawn_alike():
    """matplotlib names clips, markers and hatches after all digits of their places."""
    drawn = set()
    for noise in (0, 3e-11):
        with theme.theme():
            ax = Figure().subplots()
            ax.plot([1, 2, 3], [422395.5 + noise, 422400, 422410], marker="o")
            ax.fill_between([1, 2], [422395.5 + noise, 422400], hatch="//")
        svg = show(ax, "a line").svg
        assert re.search(r'url\(#p\d+\)', svg) and re.search(r'href="#m\d+"', svg) and re.search(r'url\(#h\d+\)', svg)
        drawn.add(svg)
    assert len(drawn) == 1
