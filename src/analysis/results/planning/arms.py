"""Which arms are compared, and with which shares of the users; a hold-out where the params have no arms."""

from __future__ import annotations

from dataclasses import dataclass

from analysis.facts.past import Past

CAMPAIGN, HOLDOUT = "campaign", "holdout"   # arms of a campaign for everybody, if some were held out
HELD_OUT = 0.10                             # where the params name no other share


@dataclass(frozen=True, slots=True)
class Pair:
    """One arm against control."""

    arm: str
    control: str
    of_all: float        # share of all users who are in one of the two
    treated: float       # share of these in the arm


def pairs(past: Past) -> list[Pair]:
    """Every arm against control; without arms everybody against a hold-out, of the first share that the plan names."""
    arms = past.campaign.arms
    if arms is None:
        return [Pair(CAMPAIGN, HOLDOUT, 1.0, 1 - (past.campaign.plan.holdout or [HELD_OUT])[0])]
    control = arms.shares[arms.control]
    return [Pair(arm, arms.control, share + control, share / (share + control))
            for arm, share in arms.shares.items() if arm != arms.control]
