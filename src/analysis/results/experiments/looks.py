"""Every look at every treatment: the p that a fixed end would allow, and the p that looking at any time allows."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from pandas import DataFrame

from analysis.data.summaries import BEFORE, Summaries
from analysis.stats.adjust import Adjusted, adjust, compare_adjusted
from analysis.stats.always_valid import always_valid
from analysis.stats.comparison import ALPHA, Comparison
from analysis.stats.means import compare_means
from analysis.stats.moments import JointMoments, Moments

TREATMENT = ["experiment", "metric", "arm"]


def looks(summaries: Summaries) -> DataFrame:
    """One row per experiment, metric, treatment and look, in their order.

    at                  days since the start
    progress            at, as a share of the treatment's last look
    clock               days that users of both arms were watched so far
    pvalue              two-sided, nan where there is none: right for a look that was fixed before
    pvalue_any_time     right however often one looks; nan where there is none
    and the moments of the treatment, and with `_control` behind their name those of the control
    """
    pairs = _pairs(summaries)
    compared = [compare(row, ALPHA).pvalue for row in pairs.to_dict("records")]
    tightest = summaries.params.tightest_at * pairs.groupby(TREATMENT)["clock"].transform("last")
    any_time = [always_valid(p, clock, at).pvalue if at > 0 else math.nan
                for p, clock, at in zip(compared, pairs["clock"], tightest, strict=True)]
    return pairs.assign(pvalue=compared, pvalue_any_time=any_time)


def compare(pair: Mapping[str, Any], alpha: float) -> Comparison:
    """One row of `looks`: Welch on the moments, less what was known of the same users before where that is given.

    A share is the mean of ones and zeros, of which the data give the variance like any other's.
    """
    if not is_adjusted(pair):
        return plain(pair, alpha)
    return compare_adjusted(adjusted(pair), "treatment", "control", alpha)


def plain(pair: Mapping[str, Any], alpha: float) -> Comparison:
    """One row of `looks`, whatever is known of before."""
    treatment, control = (Moments(int(pair[f"n{arm}"]), pair[f"mean{arm}"], pair[f"variance{arm}"])
                          for arm in ("", "_control"))
    found = compare_means(treatment, control, alpha)
    if found.reason == "bad_moments":  # the data were checked: what is bad is not there
        return replace(found, reason="no_variance", rel_reason="no_variance")
    return found


def is_adjusted(pair: Mapping[str, Any]) -> bool:
    """Whether it is known of both arms how their users were before."""
    needed = [f"{name}{arm}" for name in ("variance", *BEFORE) for arm in ("", "_control")]
    return all(not math.isnan(pair.get(name, math.nan)) for name in needed)


def adjusted(pair: Mapping[str, Any]) -> Adjusted:
    """Both arms' levels, adjusted by regression on the time before (CUPED)."""
    return adjust([{"treatment": _joint(pair, ""), "control": _joint(pair, "_control")}], ["now"], ["before"])


def _joint(pair: Mapping[str, Any], arm: str) -> JointMoments:
    mean, variance, covariance = (pair[f"{name}{arm}"] for name in BEFORE)
    return JointMoments(int(pair[f"n{arm}"]), ("now", "before"), np.array([pair[f"mean{arm}"], mean]),
                        np.array([[pair[f"variance{arm}"], covariance], [covariance, variance]]))


def _pairs(summaries: Summaries) -> DataFrame:
    """Each treatment's rows beside the control's of the same time."""
    frame, control = summaries.frame, summaries.params.control
    look = ["experiment", "metric", "at"]
    base = frame[frame["arm"] == control].drop(columns="arm")
    pairs = frame[frame["arm"] != control].merge(base, on=look, suffixes=("", "_control"))
    pairs = pairs.sort_values([*TREATMENT, "at"], ignore_index=True)
    last = pairs.groupby(TREATMENT)["at"].transform("last")
    return pairs.assign(progress=pairs["at"] / last, clock=_clock(pairs))


def _clock(pairs: DataFrame) -> np.ndarray:
    """Days that the users of both arms were watched until each look, users joining evenly between two looks.

    What the moments of a look hold grows with the users and with how long they are watched. Where each user is
    watched for one window of their own and joins at a steady pace, this clock begins earlier than theirs, which errs on
    the safe side.
    """
    users = (pairs["n"] + pairs["n_control"]).to_numpy(float)
    at = pairs["at"].to_numpy(float)
    is_first = ~pairs.duplicated(TREATMENT).to_numpy()
    before_users = np.where(is_first, 0.0, np.concatenate([[0.0], users[:-1]]))
    before_at = np.where(is_first, 0.0, np.concatenate([[0.0], at[:-1]]))
    days = (users + before_users) / 2 * (at - before_at)
    return DataFrame({"days": days}).groupby(np.cumsum(is_first))["days"].cumsum().to_numpy()
