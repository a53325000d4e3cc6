"""Every chart of a report: `plot_x(results, reader, ax=None) -> Axes`; `picture.show` makes it displayable."""

from __future__ import annotations

from analysis.showing.charts.activity import plot_active, plot_lifecycle, plot_stickiness
from analysis.showing.charts.conversion import plot_entry_days, plot_step_effects, plot_time_to_convert
from analysis.showing.charts.costs import plot_costs
from analysis.showing.charts.course import plot_daily, plot_phases
from analysis.showing.charts.editions import plot_editions
from analysis.showing.charts.effects import plot_goals, plot_uplifts
from analysis.showing.charts.experiments import plot_chance, plot_experiments, plot_peeking, plot_split_pvalues
from analysis.showing.charts.funnel import plot_funnel, plot_funnel_by
from analysis.showing.charts.monitoring import plot_breaks, plot_course, plot_rows, plot_split
from analysis.showing.charts.planning import plot_holdouts, plot_reach
from analysis.showing.charts.retention import plot_retention, plot_retention_triangle
from analysis.showing.charts.segments import plot_effect_days, plot_segments
from analysis.showing.charts.value import plot_value
from analysis.showing.picture import Picture, show

__all__ = ["Picture", "plot_active", "plot_breaks", "plot_chance", "plot_costs", "plot_course", "plot_daily",
           "plot_editions", "plot_effect_days", "plot_entry_days", "plot_experiments", "plot_funnel",
           "plot_funnel_by", "plot_goals",
           "plot_holdouts", "plot_lifecycle", "plot_peeking", "plot_phases", "plot_reach", "plot_retention",
           "plot_retention_triangle", "plot_rows", "plot_segments", "plot_split", "plot_split_pvalues",
           "plot_step_effects", "plot_stickiness", "plot_time_to_convert", "plot_uplifts", "plot_value", "show"]
