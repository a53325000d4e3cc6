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
    "zero_variance": "all values are equal",
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
    "unknown_users": ("", "{found} of {n} events and orders belong to users that the users table does not know; "
                          "they are left out."),
}
FOLDED = {  # what is said once of all subjects where nothing was found
    "coverage": "The data cover the whole time: {subjects}.",
    "missing_days": "No day is missing ({subjects}; {n} days).",
    "duplicates": "No row came twice ({subjects}).",
    "alike": "No row equals another ({subjects}).",
}
TIMES = {"before": "before", "during": "of", "after": "after"}  # a phase in "the time ... the campaign"
