"""What codes of the results are in words: code -> English message, the key of every translation."""

from __future__ import annotations

ANSWERS = {
    "works": "It works", "does_not": "It does not work", "cannot_tell": "We cannot tell whether it works",
    "do_not_trust": "Do not trust these numbers",
}
WHY = {
    "no_control_group": "There is no control group, so nothing here says what would have happened without the "
                        "campaign.",
    "period_not_over": "The data end before the campaign does.",
    "data_end_before": "The data end before the time that the primary metric is counted over.",
    "arms_differ": "The arms do not agree.",
    "interval_holds_zero": "The difference in the primary metric is within what chance alone produces. "
                           "That does not mean that there is no effect.",
    "split": "The arms are not as large as planned: users went missing or were moved.",
    "balance": "The arms already differed before the campaign.",
    "missing_days": "Days are missing from the data.",
    "two_arms": "Too many users were in two arms.",
    "duplicates": "Too many rows came twice.",
    "without_key": "Too many rows have no user, name or time.",
    "missing_amounts": "Too many amounts are missing.",
    "unknown_users": "Too many rows belong to users that the users table does not know.",
    "unknown_assigned": "Too many users with an arm are not in the users table: ids may be written in two ways.",
    "contradicting": "Too many users are listed more than once, with different values.",
    "clusters_in_two_arms": "Users of one cluster were in different arms.",
    "without_cluster": "Too many users belong to no cluster.",
}
REASONS = {
    "reached_within_chance": "reached, but chance alone could explain it",
    "short_within_chance": "not reached, but chance alone could explain it",
    "deadline_not_reached": "the data end before the deadline",
    "period_not_over": "the data end before the period does",
    "baseline_not_covered": "the data do not cover the time before",
    "no_users": "nobody is in the population",
    "no_interval": "no interval can be given",
    "phase_not_covered": "the data do not cover it",
    "zero_denominator": "nothing to divide by",
    "too_few_users": "too few users",
    "out_of_reach": "out of reach with so few users",
    "base_too_small": "too few users even with half of them held out",
    "zero_variance": "all values are equal",
    "too_few_rows": "too few rows",
    "quantile_in_lump": "the quantile lies among many equal values",
    "zero_cap": "so few users have a value that the cap is zero",
    "no_tests": "no shuffle could be tested",
    "no_variance": "no variance was given",
    "no_relative_effect": "no relative effect",
    "zero_control": "the control is zero",
    "negative_control": "the control is negative",
    "unbounded": "no bound",
    "no_conversions": "nobody did in either arm",
    "all_converted": "everybody did in both arms",
    "bad_moments": "values that are not finite",
    "empty_arm": "an arm is empty",
    "data_end_before": "the data end too early",
    "all_open": "no window is over yet",
    "no_entries": "nobody entered",
    "baseline_not_positive": "the baseline is not positive",
    "zero_baseline": "the baseline is zero",
    "negative_baseline": "the baseline is negative",
    "zero_total": "the total is zero",
    "nobody_went_on": "nobody went on from there",
    "by_definition": "who goes on does something",
    "few_went_on_so": "too few of those who went on did this first",
    "not_over": "not over yet",
    "gap": "days without data",
    "users_repeat": "users are in several cohorts",
    "started_differently": "the arms started differently",
    "no_losses": "nobody was lost",
    "never_ordered": "they never ordered",
    "none_before": "nobody came back in the period before",
    "too_few_clusters": "fewer than five clusters",
    "one_cluster": "one cluster holds everything",
    "one_user_each": "clusters of one user each",
    "too_few_segments": "fewer than two segments to compare",
    "too_many_segments": "too many segments",
    "small_groups": "too few users in each segment",
    "not_relabelled": "labels were not shuffled",
    "ratio_metric": "a ratio has no sum per day",
    "own_windows": "each user has days of their own",
    "drawn_by_cluster": "arms were drawn by cluster",
    "cut_off": "the end of the day has no rows",
    "too_few_days": "too few days",
    "no_pvalue": "there is nothing to test",
    "too_early": "too early to tell",
    "between_looks": "no look is planned for then",
    "counted_after": "counted in the time after",
    "nothing_seen": "nothing was seen",
    "new_level": "the first days of a new level",
    "new_weekday": "the first such day of the week",
    "users_enter": "users keep entering",
    "hours": "hours are not held against others",
}
LEFT_OUT = {
    "n_no_consent": "{n} without consent", "n_not_in_population": "{n} outside the population",
    "n_two_arms": "{n} in two arms", "n_unassigned": "{n} without an assignment", "n_too_late": "{n} too late",
}
CHECKS = {  # what is said when a check is fine, and when it is not
    "split": ("{n} users were split as planned (p {p}).", "{n} users were not split as planned (p {p})."),
    "two_arms": ("Nobody was in two arms.", "{found} of {n} users were in two arms; they are left out."),
    "balance": ("Before the campaign the arms were alike; the largest difference is {size} standard deviations "
                "({subject}, p {p}).",
                "Before the campaign the arms already differed by {size} standard deviations ({subject}, p {p})."),
    "coverage": ("", "The data cover only {found_days} of the {days} {subject} the campaign."),
    "missing_days": ("", "{found} of {n} days have no row ({subject}); the first is {first}."),
    "without_key": ("", "{found} of {n} rows have no user, name or time ({subject}); they are left out."),
    "duplicates": ("{found} of {n} rows came twice ({subject}) and count once.",
                   "{found} of {n} rows came twice ({subject}) and count once."),
    "alike": ("{found} of {n} rows equal another ({subject}). Without row ids copies cannot be told from "
              "repeats: all count.",
              "{found} of {n} rows equal another ({subject}). Without row ids copies cannot be told from "
              "repeats: all count."),
    "missing_amounts": ("", "{found} of {n} amounts are missing or not finite ({subject}); they count as zero."),
    "unknown_assigned": ("", "{found} of {n} users with an arm are not in the users table; they are left out."),
    "unassigned": ("", "{found} of {n} users have no arm; effects say nothing of them. Is that what was planned?"),
    "contradicting": ("", "{found} of {n} users are listed more than once with different values; of each column the "
                          "first in the alphabet, or the smallest, counts."),
    "clusters_in_two_arms": ("Every {subject} was in one arm.",
                             "{found} of {n} ({subject}) had users in several arms."),
    "without_cluster": ("", "{found} of {n} users have no {subject}; effects leave them out."),
    "calibration": (
        "With the arms' labels shuffled {n} times, the tests claimed an effect in {rate} of the runs at most "
        "({subject}); {alpha} are right.",
        "With the arms' labels shuffled {n} times, so that there is no effect, {subject} still showed one in {rate} "
        "of the runs, where {alpha} are right: its intervals are too narrow."),
    "leverage": ("", "One user weighs {rate} in the adjustment ({subject}); see the effect without it."),
    "sign_flip": ("", "{subject}: the adjusted effect and the plain one point in opposite directions; trust neither."),
    "unknown_users": ("", "{found} of {n} events and orders belong to users that the users table does not know; "
                          "they are left out."),
}
CLUSTER_SPLIT = ("{n} clusters ({subject}) were split as planned (p {p}).",
                 "{n} clusters ({subject}) were not split as planned (p {p}).")
NO_SPLIT = "Nobody is in an arm: no assignment fits a user, or all come after the campaign."
FOLDED = {  # what is said once of all subjects where nothing was found
    "coverage": "The data cover the whole time: {subjects}.",
    "missing_days": "No day is missing ({subjects}; {n} days).",
    "duplicates": "No row came twice ({subjects}).",
    "alike": "No row equals another ({subjects}).",
}
TIMES = {"before": "before", "during": "of", "after": "after"}  # a phase in "the time ... the campaign"

# parts of a report with groups that are too small to be shown
PARTS = {
    "segments": "effects by {by}", "funnel": "funnel {name} by {by}", "days": "days of entry to funnel {name}",
    "retention": "coming back by {by}", "cohorts": "cohorts", "value": "cohorts by what they paid",
    "recency": "users by their last order",
}
